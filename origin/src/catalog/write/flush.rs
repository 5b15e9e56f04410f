//! The end of a batch: credits, lists and counts are written, and what nothing names any more is taken away.

use std::collections::BTreeSet;

use super::Batch;
use super::ahead::of_these;
use super::batch::ROWS;
use crate::catalog::credits::Credit;
use crate::catalog::ids::{AlbumId, ArtistId, GroupId, SongId};
use crate::catalog::rows::fixed;
use crate::database::{DatabaseError, bound, tuples};

type Id = Vec<u8>;

impl Batch<'_> {
    /// Writes what was put off. Nothing may be changed through this batch afterwards.
    pub(in crate::catalog) async fn finish(mut self) -> Result<(), DatabaseError> {
        self.write_songs().await?;
        self.write_credits().await?;
        self.write_lists().await?;
        self.count_albums().await?;
        self.sweep_albums().await?;
        self.relist_albums().await?;
        self.count_artists().await?;
        self.sweep_groups().await?;
        self.sweep_artists().await
    }

    async fn write_credits(&mut self) -> Result<(), DatabaseError> {
        let rows: Vec<(&SongId, usize, &Credit)> = self
            .pending
            .iter()
            .flat_map(|(song, it)| it.credits.names.iter().enumerate().map(move |(at, it)| (song, at, it)))
            .collect();
        for rows in rows.chunks(ROWS) {
            let sql = format!(
                "INSERT INTO song_credits (song_id, place, artist_id, role, name, joint) VALUES {}",
                tuples(rows.len(), 6)
            );
            let mut query = sqlx::query(bound(self.db, sql)).persistent(false);
            for (song, place, credit) in rows {
                query = query.bind(&song.0[..]).bind(*place as i64).bind(credit.artist.id.bytes());
                query = query.bind(credit.role.as_str()).bind(&credit.artist.name.shown).bind(&credit.joint);
            }
            query.execute(&mut *self.db).await?;
        }
        Ok(())
    }

    async fn write_lists(&mut self) -> Result<(), DatabaseError> {
        let mut rows: Vec<(ArtistId, &str, &SongId)> = Vec::new();
        for (song, it) in &self.pending {
            let Some(title) = &it.title_folded else { continue };
            rows.extend(it.credits.listed().into_iter().map(|artist| (artist, title.as_str(), song)));
        }
        for rows in rows.chunks(ROWS) {
            let sql = format!(
                "INSERT INTO artist_songs (artist_id, title_folded, song_id) VALUES {}",
                tuples(rows.len(), 3)
            );
            let mut query = sqlx::query(bound(self.db, sql)).persistent(false);
            for (artist, title, song) in rows {
                query = query.bind(artist.bytes()).bind(*title).bind(&song.0[..]);
            }
            query.execute(&mut *self.db).await?;
        }
        rows.iter().for_each(|(artist, _, _)| self.tally.count_song_of(*artist, 1));
        Ok(())
    }

    /// Adds to the counts of albums; those that got their first song or lost their last are to be listed anew.
    async fn count_albums(&mut self) -> Result<(), DatabaseError> {
        let amounts: Vec<_> = std::mem::take(&mut self.tally.albums).into_iter().collect();
        for amounts in amounts.chunks(ROWS) {
            let sql = format!(
                "UPDATE albums SET song_count = song_count + v.column2, duration_ms = duration_ms + v.column3
                 FROM (VALUES {}) v WHERE albums.id = v.column1 RETURNING id, song_count",
                tuples(amounts.len(), 3)
            );
            let mut query = sqlx::query_as(bound(self.db, sql)).persistent(false);
            for (album, amount) in amounts {
                query = query.bind(album.bytes()).bind(amount.songs).bind(amount.duration_ms);
            }
            let counted: Vec<(Id, i64)> = query.fetch_all(&mut *self.db).await?;
            for (id, after) in counted {
                let id = AlbumId::from(fixed::<16>(&id, "id")?);
                let before = amounts
                    .binary_search_by_key(&id, |(it, _)| *it)
                    .ok()
                    .map(|at| after - amounts[at].1.songs);
                if before.is_some_and(|before| (before > 0) != (after > 0)) {
                    self.tally.relist.insert(id);
                }
            }
        }
        Ok(())
    }

    /// Takes away the albums without songs that no curator made.
    async fn sweep_albums(&mut self) -> Result<(), DatabaseError> {
        let left: Vec<AlbumId> = std::mem::take(&mut self.tally.left_albums).into_iter().collect();
        let left: Vec<&[u8]> = left.iter().map(AlbumId::bytes).collect();
        let mut empty = Vec::new();
        for left in left.chunks(ROWS) {
            let sql = "SELECT id FROM albums WHERE id IN (#) AND made = 0
                       AND NOT EXISTS (SELECT 1 FROM songs WHERE songs.album_id = albums.id)";
            empty.extend(self.of_these(sql, left).await?);
        }
        for id in empty {
            self.delete_album(fixed::<16>(&id, "id")?.into()).await?;
        }
        Ok(())
    }

    /// Deletes an album that no song is on.
    pub(in crate::catalog) async fn delete_album(&mut self, id: AlbumId) -> Result<(), DatabaseError> {
        let these = [id.bytes()];
        self.unlist_albums(&these).await?;
        let credited = "DELETE FROM album_credits WHERE album_id IN (#) RETURNING artist_id";
        for artist in self.of_these(credited, &these).await? {
            self.tally.left_artists.insert(fixed::<16>(&artist, "artist_id")?.into());
        }
        let gone = "DELETE FROM albums WHERE id IN (#) RETURNING release_group_id";
        for group in self.of_these(gone, &these).await? {
            self.tally.left_groups.insert(fixed::<16>(&group, "release_group_id")?.into());
        }
        self.tally.relist.remove(&id);
        Ok(())
    }

    /// Takes albums from their artists' pages.
    async fn unlist_albums(&mut self, ids: &[&[u8]]) -> Result<(), DatabaseError> {
        let unlisted = "DELETE FROM artist_albums WHERE album_id IN (#) RETURNING artist_id";
        for artist in self.of_these(unlisted, ids).await? {
            self.tally.count_album_of(fixed::<16>(&artist, "artist_id")?.into(), -1);
        }
        Ok(())
    }

    /// Puts albums on their artists' pages anew: those that have songs to show, or that a curator made.
    async fn relist_albums(&mut self) -> Result<(), DatabaseError> {
        let albums: Vec<AlbumId> = std::mem::take(&mut self.tally.relist).into_iter().collect();
        let albums: Vec<&[u8]> = albums.iter().map(AlbumId::bytes).collect();
        for albums in albums.chunks(ROWS) {
            self.unlist_albums(albums).await?;
            let listed = "INSERT INTO artist_albums (artist_id, title_folded, album_id)
                 SELECT DISTINCT c.artist_id, a.title_folded, a.id FROM albums a
                 JOIN album_credits c ON c.album_id = a.id
                 WHERE a.id IN (#) AND (a.song_count > 0 OR a.made = 1)
                     AND c.role NOT IN ('composer', 'lyricist') RETURNING artist_id";
            for artist in self.of_these(listed, albums).await? {
                self.tally.count_album_of(fixed::<16>(&artist, "artist_id")?.into(), 1);
            }
        }
        Ok(())
    }

    async fn count_artists(&mut self) -> Result<(), DatabaseError> {
        let counts = std::mem::take(&mut self.tally.artists).into_iter();
        let counts: Vec<_> = counts.filter(|(_, count)| *count != (0, 0)).collect();
        for counts in counts.chunks(ROWS) {
            let sql = format!(
                "UPDATE artists SET song_count = song_count + v.column2, album_count = album_count + v.column3
                 FROM (VALUES {}) v WHERE artists.id = v.column1",
                tuples(counts.len(), 3)
            );
            let mut query = sqlx::query(bound(self.db, sql)).persistent(false);
            for (artist, (songs, albums)) in counts {
                query = query.bind(artist.bytes()).bind(*songs).bind(*albums);
            }
            query.execute(&mut *self.db).await?;
        }
        Ok(())
    }

    async fn sweep_groups(&mut self) -> Result<(), DatabaseError> {
        let left: BTreeSet<GroupId> = std::mem::take(&mut self.tally.left_groups);
        let left: Vec<&[u8]> = left.iter().map(GroupId::bytes).collect();
        for left in left.chunks(ROWS) {
            let sql = "DELETE FROM release_groups WHERE id IN (#)
                       AND NOT EXISTS (SELECT 1 FROM albums WHERE release_group_id = release_groups.id) RETURNING id";
            self.of_these(sql, left).await?;
        }
        Ok(())
    }

    async fn sweep_artists(&mut self) -> Result<(), DatabaseError> {
        let left: BTreeSet<ArtistId> = std::mem::take(&mut self.tally.left_artists);
        let left: Vec<&[u8]> = left.iter().map(ArtistId::bytes).collect();
        for left in left.chunks(ROWS) {
            let sql = "DELETE FROM artists WHERE id IN (#)
                       AND NOT EXISTS (SELECT 1 FROM song_credits WHERE artist_id = artists.id)
                       AND NOT EXISTS (SELECT 1 FROM album_credits WHERE artist_id = artists.id) RETURNING id";
            self.of_these(sql, left).await?;
        }
        Ok(())
    }

    /// Runs a statement in which `#` stands for these identifiers, and answers its only column.
    async fn of_these(&mut self, sql: &str, ids: &[&[u8]]) -> Result<Vec<Id>, DatabaseError> {
        let rows: Vec<(Id,)> = of_these(self.db, sql, ids).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }
}

//! Writing songs.

use segue_manifests::{AssetId, Descriptor, Rev, Sha256};
use sqlx::AnyConnection;

use super::Batch;
use super::ahead::of_these;
use super::batch::{Pending, ROWS};
use crate::catalog::edits::{Placement, SongEdits};
use crate::catalog::ids::{AlbumId, ArtistId, SongId};
use crate::catalog::mbid::Mbid;
use crate::catalog::rows::{fixed, mbid_of, row};
use crate::catalog::tags::{Place, READ_AS, Shelf};
use crate::database::{DatabaseError, bound, tuples};

/// A song as it stands before a change.
pub(in crate::catalog) struct Standing {
    pub(in crate::catalog) rev: Rev,
    pub(super) since: u64,
    pub(super) read_as: i64,
    pub(in crate::catalog) album: Option<AlbumId>,
    duration_ms: i64,
    taken_down: bool,
    pub(in crate::catalog) recording: Option<Mbid>,
    pub(in crate::catalog) edits: SongEdits,
}

row! {
    struct StandingRow {
        id: Vec<u8>,
        rev: Vec<u8>,
        current_since: i64,
        read_as: i64,
        album_id: Option<Vec<u8>>,
        duration_ms: i64,
        taken_down_at: Option<i64>,
        mb_id: Option<Vec<u8>>,
        edited_title: Option<String>,
        edited_artist: Option<String>,
        edited_album: Option<Vec<u8>>,
        single: Option<i64>,
        edited_track: Option<i64>,
        edited_disc: Option<i64>,
        edited_isrc: Option<String>,
    }
}

/// `#` stands for identifiers.
const STANDING: &str =
    "SELECT s.id, s.rev, s.current_since, s.read_as, s.album_id, s.duration_ms, s.taken_down_at, s.mb_id,
         e.title AS edited_title, e.artist AS edited_artist, e.album_id AS edited_album, e.single,
         e.track_number AS edited_track, e.disc_number AS edited_disc, e.isrc AS edited_isrc
     FROM songs s LEFT JOIN song_edits e ON e.song_id = s.id WHERE s.id IN (#)";

/// The song as it stands, with what curators set.
pub(in crate::catalog) async fn standing(
    db: &mut AnyConnection,
    song: SongId,
) -> Result<Option<Standing>, DatabaseError> {
    Ok(standings(db, &[&song.0[..]]).await?.pop().map(|(_, song)| song))
}

/// Those of the songs that are there.
pub(super) async fn standings(
    db: &mut AnyConnection,
    songs: &[&[u8]],
) -> Result<Vec<(SongId, Standing)>, DatabaseError> {
    let rows: Vec<StandingRow> = of_these(db, STANDING, songs).await?;
    rows.into_iter().map(|row| Ok((AssetId(fixed(&row.id, "id")?), Standing::try_from(row)?))).collect()
}

impl TryFrom<StandingRow> for Standing {
    type Error = DatabaseError;

    fn try_from(row: StandingRow) -> Result<Self, DatabaseError> {
        let album =
            |id: Option<Vec<u8>>| id.map(|id| fixed::<16>(&id, "album_id").map(AlbumId::from)).transpose();
        let placement = match (row.single, album(row.edited_album)?) {
            (Some(1), _) => Some(Placement::Single),
            (_, on) => on.map(Placement::On),
        };
        Ok(Self {
            rev: Rev(fixed(&row.rev, "rev")?),
            since: row.current_since as u64,
            read_as: row.read_as,
            album: album(row.album_id)?,
            duration_ms: row.duration_ms,
            taken_down: row.taken_down_at.is_some(),
            recording: mbid_of(row.mb_id)?,
            edits: SongEdits {
                title: row.edited_title,
                artist: row.edited_artist,
                album: placement,
                track_number: row.edited_track.map(|n| n as u32),
                disc_number: row.edited_disc.map(|n| n as u32),
                isrc: row.edited_isrc,
            },
        })
    }
}

impl Batch<'_> {
    /// The song as it stands, with what curators set.
    pub(super) async fn standing(&mut self, song: SongId) -> Result<Option<Standing>, DatabaseError> {
        if let Some(known) = self.ahead.songs.remove(&song) {
            return Ok(known);
        }
        // It was changed before in this batch.
        self.write_songs().await?;
        standing(self.db, song).await
    }

    /// Puts the song where its tags and what curators set say. The packaging must be noted.
    pub(in crate::catalog) async fn place(
        &mut self,
        it: &Descriptor,
        mut shelf: Shelf,
        before: Option<&Standing>,
    ) -> Result<(), DatabaseError> {
        if let Some(song) = before {
            song.edits.lay_over(&mut shelf);
            self.count_out(it.asset, song).await?;
        }
        let retagged = before.is_some();
        self.put_artists(&shelf.credits, retagged).await?;
        let album = match &shelf.album {
            Place::None => None,
            Place::On(album) => Some(*album),
            Place::Named(album) => Some(self.put_album(album, retagged).await?),
        };
        let shown = !before.is_some_and(|song| song.taken_down);
        if let Some(album) = album.filter(|_| shown) {
            self.tally.count_album(album, 1, length(it));
        }
        let title_folded = shown.then(|| shelf.title.folded.clone());
        self.pending.insert(it.asset, Pending { credits: shelf.credits.clone(), title_folded });
        self.songs.push(SongWrite::of(it, shelf, album));
        Ok(())
    }

    /// Takes away the song's credits and all that counts it.
    async fn count_out(&mut self, id: SongId, song: &Standing) -> Result<(), DatabaseError> {
        self.unlist(id).await?;
        if let Some(pending) = self.pending.remove(&id) {
            self.tally.left_artists.extend(pending.credits.names.iter().map(|it| it.artist.id));
        }
        let credited: Vec<(Vec<u8>,)> =
            sqlx::query_as("DELETE FROM song_credits WHERE song_id = $1 RETURNING artist_id")
                .bind(&id.0[..])
                .fetch_all(&mut *self.db)
                .await?;
        for (artist,) in credited {
            self.tally.left_artists.insert(ArtistId::from(fixed(&artist, "artist_id")?));
        }
        if let Some(album) = song.album {
            self.tally.left_albums.insert(album);
            if !song.taken_down {
                self.tally.count_album(album, -1, song.duration_ms);
            }
        }
        Ok(())
    }

    /// Takes the song from its artists' pages.
    async fn unlist(&mut self, id: SongId) -> Result<(), DatabaseError> {
        let listed: Vec<(Vec<u8>,)> =
            sqlx::query_as("DELETE FROM artist_songs WHERE song_id = $1 RETURNING artist_id")
                .bind(&id.0[..])
                .fetch_all(&mut *self.db)
                .await?;
        for (artist,) in listed {
            self.tally.count_song_of(fixed(&artist, "artist_id")?.into(), -1);
        }
        Ok(())
    }

    /// Takes a song out of lists and counts, or puts it back.
    pub(super) async fn set_taken_down(
        &mut self,
        id: SongId,
        song: &Standing,
        down: bool,
    ) -> Result<(), DatabaseError> {
        sqlx::query("UPDATE songs SET taken_down_at = $2 WHERE id = $1")
            .bind(&id.0[..])
            .bind(down.then_some(self.now as i64))
            .execute(&mut *self.db)
            .await?;
        if song.taken_down == down {
            return Ok(());
        }
        if let Some(album) = song.album {
            self.tally.count_album(album, if down { -1 } else { 1 }, song.duration_ms);
        }
        if down { self.unlist(id).await } else { self.list_again(id).await }
    }

    /// Puts the song on its artists' pages.
    async fn list_again(&mut self, id: SongId) -> Result<(), DatabaseError> {
        let listed: Vec<(Vec<u8>,)> = sqlx::query_as(
            "INSERT INTO artist_songs (artist_id, title_folded, song_id)
             SELECT DISTINCT c.artist_id, s.title_folded, s.id FROM songs s JOIN song_credits c ON c.song_id = s.id
             WHERE s.id = $1 AND c.role NOT IN ('composer', 'lyricist') RETURNING artist_id",
        )
        .bind(&id.0[..])
        .fetch_all(&mut *self.db)
        .await?;
        for (artist,) in listed {
            self.tally.count_song_of(fixed(&artist, "artist_id")?.into(), 1);
        }
        Ok(())
    }

    /// Writes the songs that were put off.
    pub(super) async fn write_songs(&mut self) -> Result<(), DatabaseError> {
        let songs = std::mem::take(&mut self.songs);
        for songs in songs.chunks(ROWS) {
            let sql = format!("{INTO_SONGS} VALUES {} {UPSERT}", tuples(songs.len(), 19));
            let mut query = sqlx::query(bound(self.db, sql)).persistent(false);
            for song in songs {
                query = song.bind(query, self.now as i64);
            }
            query.execute(&mut *self.db).await?;
        }
        Ok(())
    }
}

const INTO_SONGS: &str = "INSERT INTO songs (id, rev, title, title_folded, artist_id, album_id, track_number, disc_number,
    disc_place, track_place, duration_ms, renditions, cover_sha256, added_at, current_since, credit, isrc, mb_id, read_as)";

const UPSERT: &str = "ON CONFLICT (id) DO UPDATE SET rev = excluded.rev, title = excluded.title,
    title_folded = excluded.title_folded, artist_id = excluded.artist_id, album_id = excluded.album_id,
    track_number = excluded.track_number, disc_number = excluded.disc_number,
    disc_place = excluded.disc_place, track_place = excluded.track_place,
    duration_ms = excluded.duration_ms, renditions = excluded.renditions,
    cover_sha256 = excluded.cover_sha256,
    current_since = CASE WHEN songs.rev = excluded.rev THEN songs.current_since ELSE excluded.current_since END,
    credit = excluded.credit, isrc = excluded.isrc, mb_id = excluded.mb_id, read_as = excluded.read_as";

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

/// A song that is to be written.
#[derive(Debug)]
pub(super) struct SongWrite {
    id: SongId,
    rev: Rev,
    shelf: Shelf,
    album: Option<AlbumId>,
    duration_ms: i64,
    renditions: String,
    cover: Option<Sha256>,
}

impl SongWrite {
    fn of(it: &Descriptor, shelf: Shelf, album: Option<AlbumId>) -> Self {
        let renditions: Vec<&str> = it.renditions.iter().map(|packed| packed.name.as_str()).collect();
        Self {
            id: it.asset,
            rev: it.rev,
            shelf,
            album,
            duration_ms: length(it),
            renditions: renditions.join(","),
            cover: it.cover.as_ref().map(|cover| cover.sha256),
        }
    }

    /// Binds the columns of [`INTO_SONGS`].
    fn bind<'q>(&'q self, query: Query<'q>, now: i64) -> Query<'q> {
        let shelf = &self.shelf;
        let (disc_place, track_place) = shelf.places();
        query
            .bind(&self.id.0[..])
            .bind(&self.rev.0[..])
            .bind(&shelf.title.shown)
            .bind(&shelf.title.folded)
            .bind(shelf.credits.main().id.bytes())
            .bind(self.album.as_ref().map(|album| album.bytes()))
            .bind(shelf.track_number.map(i64::from))
            .bind(shelf.disc_number.map(i64::from))
            .bind(disc_place)
            .bind(track_place)
            .bind(self.duration_ms)
            .bind(&self.renditions)
            .bind(self.cover.as_ref().map(|cover| &cover.0[..]))
            .bind(now)
            .bind(now)
            .bind(&shelf.credits.line.shown)
            .bind(&shelf.isrc)
            .bind(shelf.recording.as_ref().map(|id| &id.0[..]))
            .bind(READ_AS)
    }
}

/// Milliseconds; a song is never without any.
fn length(it: &Descriptor) -> i64 {
    it.duration_ms().max(1) as i64
}

//! Writing the catalog: one descriptor, one transaction.
//!
//! Counts on artists and albums are kept up with every change, never counted on read. Albums and artists that
//! lose their last song disappear in the same transaction.

use segue_manifests::{AssetId, Cover, Descriptor, Rev};
use sqlx::AnyConnection;

use super::Catalog;
use super::ids::{AlbumId, ArtistId};
use super::rows::fixed;
use super::tags::{NamedAlbum, NamedArtist, Shelf};
use crate::database::{Alone, DatabaseError};

/// What asks for an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// Someone named this packaging: it becomes the current one, also when it was known before.
    Named,
    /// A scan found it. Packagings carry no time, so one that became current after the scan had begun (at this
    /// time in milliseconds since the Unix epoch) is taken for newer and stays.
    Scan {
        /// When the scan began.
        began: u64,
    },
}

/// What an import changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// A song is new.
    Added,
    /// A song has another packaging, and perhaps other tags.
    Moved,
    /// The packaging was already the current one.
    Unchanged,
    /// The packaging is noted, another one stays current.
    Noted,
}

impl Change {
    /// Name in answers, logs and metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Moved => "moved",
            Self::Unchanged => "unchanged",
            Self::Noted => "noted",
        }
    }
}

/// A song as it stands before the change.
struct Standing {
    rev: Rev,
    since: u64,
    artist: ArtistId,
    album: Option<AlbumId>,
    duration_ms: i64,
}

impl Catalog {
    /// Whether that packaging was ever imported.
    pub(crate) async fn knows(&self, asset: AssetId, rev: Rev) -> Result<bool, DatabaseError> {
        let found: Option<(i64,)> = sqlx::query_as("SELECT 1 FROM assets WHERE asset = $1 AND rev = $2")
            .bind(&asset.0[..])
            .bind(&rev.0[..])
            .fetch_optional(self.database.readers())
            .await?;
        Ok(found.is_some())
    }

    /// The current packaging of an asset, if it is in the catalog.
    pub(crate) async fn current_rev(&self, asset: AssetId) -> Result<Option<Rev>, DatabaseError> {
        let found: Option<(Vec<u8>,)> = sqlx::query_as("SELECT rev FROM songs WHERE id = $1")
            .bind(&asset.0[..])
            .fetch_optional(self.database.readers())
            .await?;
        found.map(|(rev,)| Ok(Rev(fixed(&rev, "rev")?))).transpose()
    }

    /// Brings a checked descriptor into the catalog, whole or not at all. `now` is in milliseconds since the
    /// Unix epoch. The same descriptor again changes nothing.
    pub(crate) async fn apply(
        &self,
        descriptor: &Descriptor,
        trigger: Trigger,
        now: u64,
    ) -> Result<Change, DatabaseError> {
        let changes = self.apply_all(std::slice::from_ref(descriptor), trigger, now).await?;
        Ok(changes[0])
    }

    /// The same for many descriptors in one transaction: all of them or, when the database fails, none.
    pub(crate) async fn apply_all(
        &self,
        descriptors: &[Descriptor],
        trigger: Trigger,
        now: u64,
    ) -> Result<Vec<Change>, DatabaseError> {
        let mut tx = self.database.begin_alone(Alone::Catalog).await?;
        let mut changes = Vec::with_capacity(descriptors.len());
        for descriptor in descriptors {
            changes.push(change(&mut tx, descriptor, trigger, now).await?);
        }
        if changes.iter().any(|change| matches!(change, Change::Added | Change::Moved)) {
            self.database.commit_catalog(tx).await?;
        } else {
            tx.commit().await?;
        }
        Ok(changes)
    }
}

async fn change(
    db: &mut AnyConnection,
    descriptor: &Descriptor,
    trigger: Trigger,
    now: u64,
) -> Result<Change, DatabaseError> {
    let before = standing(db, descriptor.asset).await?;
    if before.as_ref().is_some_and(|song| song.rev == descriptor.rev) {
        return Ok(Change::Unchanged);
    }
    let new = put_asset(db, descriptor, now).await?;
    if let (Trigger::Scan { began }, Some(song)) = (trigger, &before)
        && (!new || song.since >= began)
    {
        return Ok(Change::Noted);
    }
    let shelf = Shelf::of(&descriptor.tags);
    if let Some(song) = &before {
        count_song(db, song.artist, song.album, -1, -song.duration_ms).await?;
    }
    put_artist(db, &shelf.artist, before.is_some()).await?;
    if let Some(album) = &shelf.album {
        put_album(db, album, before.is_some()).await?;
    }
    put_song(db, descriptor, &shelf, now).await?;
    let album = shelf.album.as_ref().map(|album| album.id);
    count_song(db, shelf.artist.id, album, 1, descriptor.duration_ms().max(1) as i64).await?;
    let Some(song) = before else { return Ok(Change::Added) };
    sweep(db, &song).await?;
    Ok(Change::Moved)
}

async fn standing(db: &mut AnyConnection, asset: AssetId) -> Result<Option<Standing>, DatabaseError> {
    type Row = (Vec<u8>, i64, Vec<u8>, Option<Vec<u8>>, i64);
    let row: Option<Row> = sqlx::query_as(
        "SELECT rev, current_since, artist_id, album_id, duration_ms FROM songs WHERE id = $1",
    )
    .bind(&asset.0[..])
    .fetch_optional(db)
    .await?;
    let Some((rev, since, artist, album, duration_ms)) = row else { return Ok(None) };
    let album = album.map(|id| fixed::<16>(&id, "album_id").map(AlbumId::from)).transpose()?;
    Ok(Some(Standing {
        rev: Rev(fixed(&rev, "rev")?),
        since: since as u64,
        artist: fixed::<16>(&artist, "artist_id")?.into(),
        album,
        duration_ms,
    }))
}

/// Notes the packaging and its cover; says whether it is new.
async fn put_asset(db: &mut AnyConnection, it: &Descriptor, now: u64) -> Result<bool, DatabaseError> {
    if let Some(cover) = &it.cover {
        put_cover(db, cover).await?;
    }
    let done = sqlx::query(
        "INSERT INTO assets (asset, rev, cover_sha256, imported_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (asset, rev) DO NOTHING",
    )
    .bind(&it.asset.0[..])
    .bind(&it.rev.0[..])
    .bind(it.cover.as_ref().map(|cover| &cover.sha256.0[..]))
    .bind(now as i64)
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

async fn put_cover(db: &mut AnyConnection, cover: &Cover) -> Result<(), DatabaseError> {
    sqlx::query(
        "INSERT INTO covers (sha256, extension, size, width, height) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (sha256) DO NOTHING",
    )
    .bind(&cover.sha256.0[..])
    .bind(&cover.extension)
    .bind(i64::from(cover.size))
    .bind(i64::from(cover.width))
    .bind(i64::from(cover.height))
    .execute(db)
    .await?;
    Ok(())
}

/// Adds the artist. Two spellings that fold alike are one artist; the first stays, unless a retagged song
/// brings another.
async fn put_artist(
    db: &mut AnyConnection,
    artist: &NamedArtist,
    retagged: bool,
) -> Result<(), DatabaseError> {
    sqlx::query(
        "INSERT INTO artists (id, name, name_folded) VALUES ($1, $2, $3)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE $4 AND artists.name <> excluded.name",
    )
    .bind(artist.id.bytes())
    .bind(&artist.name.shown)
    .bind(&artist.name.folded)
    .bind(retagged)
    .execute(db)
    .await?;
    Ok(())
}

/// Adds the album and its artist; a date fills a gap, or replaces another when the song was retagged.
async fn put_album(db: &mut AnyConnection, album: &NamedAlbum, retagged: bool) -> Result<(), DatabaseError> {
    put_artist(db, &album.artist, retagged).await?;
    let added = sqlx::query(
        "INSERT INTO albums (id, artist_id, title, title_folded) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(album.id.bytes())
    .bind(album.artist.id.bytes())
    .bind(&album.title.shown)
    .bind(&album.title.folded)
    .execute(&mut *db)
    .await?
    .rows_affected();
    sqlx::query("UPDATE artists SET album_count = album_count + $2 WHERE id = $1")
        .bind(album.artist.id.bytes())
        .bind(added as i64)
        .execute(&mut *db)
        .await?;
    sqlx::query(
        "UPDATE albums SET title = CASE WHEN $2 THEN $3 ELSE title END,
             release_date = CASE WHEN $4 <> '' AND ($2 OR release_date = '') THEN $4 ELSE release_date END
         WHERE id = $1",
    )
    .bind(album.id.bytes())
    .bind(retagged)
    .bind(&album.title.shown)
    .bind(&album.date)
    .execute(db)
    .await?;
    Ok(())
}

async fn put_song(
    db: &mut AnyConnection,
    it: &Descriptor,
    shelf: &Shelf,
    now: u64,
) -> Result<(), DatabaseError> {
    let (disc_place, track_place) = shelf.places();
    let renditions: Vec<&str> = it.renditions.iter().map(|packed| packed.name.as_str()).collect();
    sqlx::query(
        "INSERT INTO songs (id, rev, title, title_folded, artist_id, album_id, track_number, disc_number,
             disc_place, track_place, duration_ms, renditions, cover_sha256, added_at, current_since)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)
         ON CONFLICT (id) DO UPDATE SET rev = excluded.rev, title = excluded.title,
             title_folded = excluded.title_folded, artist_id = excluded.artist_id,
             album_id = excluded.album_id, track_number = excluded.track_number,
             disc_number = excluded.disc_number, disc_place = excluded.disc_place,
             track_place = excluded.track_place, duration_ms = excluded.duration_ms,
             renditions = excluded.renditions, cover_sha256 = excluded.cover_sha256,
             current_since = excluded.current_since",
    )
    .bind(&it.asset.0[..])
    .bind(&it.rev.0[..])
    .bind(&shelf.title.shown)
    .bind(&shelf.title.folded)
    .bind(shelf.artist.id.bytes())
    .bind(shelf.album.as_ref().map(|album| album.id.bytes()))
    .bind(shelf.track_number.map(i64::from))
    .bind(shelf.disc_number.map(i64::from))
    .bind(disc_place)
    .bind(track_place)
    .bind(it.duration_ms().max(1) as i64)
    .bind(renditions.join(","))
    .bind(it.cover.as_ref().map(|cover| &cover.sha256.0[..]))
    .bind(now as i64)
    .execute(db)
    .await?;
    Ok(())
}

/// Counts a song in or out.
async fn count_song(
    db: &mut AnyConnection,
    artist: ArtistId,
    album: Option<AlbumId>,
    songs: i64,
    duration_ms: i64,
) -> Result<(), DatabaseError> {
    sqlx::query("UPDATE artists SET song_count = song_count + $2 WHERE id = $1")
        .bind(artist.bytes())
        .bind(songs)
        .execute(&mut *db)
        .await?;
    let Some(album) = album else { return Ok(()) };
    sqlx::query(
        "UPDATE albums SET song_count = song_count + $2, duration_ms = duration_ms + $3 WHERE id = $1",
    )
    .bind(album.bytes())
    .bind(songs)
    .bind(duration_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Takes away the album and the artists that a song has left, where nothing else is there.
async fn sweep(db: &mut AnyConnection, left: &Standing) -> Result<(), DatabaseError> {
    let mut artists = vec![left.artist.bytes().to_vec()];
    if let Some(album) = left.album {
        let emptied: Option<(Vec<u8>,)> =
            sqlx::query_as("DELETE FROM albums WHERE id = $1 AND song_count = 0 RETURNING artist_id")
                .bind(album.bytes())
                .fetch_optional(&mut *db)
                .await?;
        if let Some((artist,)) = emptied {
            sqlx::query("UPDATE artists SET album_count = album_count - 1 WHERE id = $1")
                .bind(&artist)
                .execute(&mut *db)
                .await?;
            artists.push(artist);
        }
    }
    for artist in artists {
        sqlx::query("DELETE FROM artists WHERE id = $1 AND song_count = 0 AND album_count = 0")
            .bind(artist)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

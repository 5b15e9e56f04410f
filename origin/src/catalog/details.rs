//! One song, album or artist with all that is known of it.

use serde::Serialize;
use sqlx::AnyConnection;

use super::credits::Role;
use super::ids::{AlbumId, ArtistId, GroupId, SongId};
use super::mbid::Mbid;
use super::model::{Album, Artist, ArtistRef, Song};
use super::rows::{AlbumRow, ArtistRow, SongRow, fixed, mbid_of, row};
use super::write::{standing, state};
use super::{Catalog, albums, artists, songs};
use crate::database::DatabaseError;

/// Other editions that are named at most.
const VERSIONS: i64 = 50;

/// One name of a credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct CreditRef {
    role: &'static str,
    artist: ArtistRef,
    /// As credited.
    name: String,
    /// What stands between this name and the next in the line.
    join: String,
}

/// A song with its credits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct SongDetails {
    #[serde(flatten)]
    pub(crate) song: Song,
    credits: Vec<CreditRef>,
    musicbrainz_id: Option<Mbid>,
    /// Members that a curator set.
    edited: Vec<&'static str>,
}

/// What editions of an album have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct ReleaseGroup {
    id: GroupId,
    musicbrainz_id: Option<Mbid>,
    /// The other editions, by date.
    versions: Vec<Version>,
}

/// Another edition of an album.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Version {
    id: AlbumId,
    title: String,
    date: Option<String>,
}

/// An album with its credits and editions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct AlbumDetails {
    #[serde(flatten)]
    pub(crate) album: Album,
    credits: Vec<CreditRef>,
    disc_total: Option<u32>,
    musicbrainz_id: Option<Mbid>,
    release_group: ReleaseGroup,
    edited: Vec<&'static str>,
}

/// An artist with the MusicBrainz identifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ArtistDetails {
    #[serde(flatten)]
    pub(crate) artist: Artist,
    musicbrainz_id: Option<Mbid>,
}

row! {
    struct CreditRow {
        artist_id: Vec<u8>,
        artist_name: String,
        role: String,
        name: String,
        joint: String,
    }
}

impl Catalog {
    /// One song with all that is known of it.
    pub(crate) async fn song_details(&self, id: SongId) -> Result<Option<SongDetails>, DatabaseError> {
        song(&mut *self.database.readers().acquire().await?, id).await
    }

    /// One album with all that is known of it.
    pub(crate) async fn album_details(&self, id: AlbumId) -> Result<Option<AlbumDetails>, DatabaseError> {
        album(&mut *self.database.readers().acquire().await?, id).await
    }

    /// One artist with all that is known of them.
    pub(crate) async fn artist_details(&self, id: ArtistId) -> Result<Option<ArtistDetails>, DatabaseError> {
        let mut db = self.database.readers().acquire().await?;
        let row: Option<ArtistRow> =
            sqlx::query_as(artists::ONE).bind(1i64).bind(id.bytes()).fetch_optional(&mut *db).await?;
        let Some(row) = row else { return Ok(None) };
        let (musicbrainz,): (Option<Vec<u8>>,) = sqlx::query_as("SELECT mb_id FROM artists WHERE id = $1")
            .bind(id.bytes())
            .fetch_optional(&mut *db)
            .await?
            .unwrap_or_default();
        Ok(Some(ArtistDetails { artist: row.try_into()?, musicbrainz_id: mbid_of(musicbrainz)? }))
    }
}

/// A song that is not taken down.
pub(super) async fn song(db: &mut AnyConnection, id: SongId) -> Result<Option<SongDetails>, DatabaseError> {
    let row: Option<SongRow> =
        sqlx::query_as(songs::ONE).bind(1i64).bind(&id.0[..]).fetch_optional(&mut *db).await?;
    let Some(row) = row else { return Ok(None) };
    let credits =
        "SELECT c.artist_id, artists.name AS artist_name, c.role, c.name, c.joint FROM song_credits c
                   JOIN artists ON artists.id = c.artist_id WHERE c.song_id = $1 ORDER BY c.place";
    let credits = read_credits(db, credits, &id.0).await?;
    let Some(standing) = standing(db, id).await? else { return Ok(None) };
    Ok(Some(SongDetails {
        song: row.try_into()?,
        credits,
        musicbrainz_id: standing.recording,
        edited: standing.edits.names(),
    }))
}

pub(super) async fn album(
    db: &mut AnyConnection,
    id: AlbumId,
) -> Result<Option<AlbumDetails>, DatabaseError> {
    let row: Option<AlbumRow> =
        sqlx::query_as(albums::ONE).bind(1i64).bind(id.bytes()).fetch_optional(&mut *db).await?;
    let Some(row) = row else { return Ok(None) };
    let credits =
        "SELECT c.artist_id, artists.name AS artist_name, c.role, c.name, c.joint FROM album_credits c
                   JOIN artists ON artists.id = c.artist_id WHERE c.album_id = $1 ORDER BY c.place";
    let credits = read_credits(db, credits, id.bytes()).await?;
    let state = state(db, id).await?;
    let Some(known) = state.row else { return Ok(None) };
    let release_group = release_group(db, id, known.group).await?;
    Ok(Some(AlbumDetails {
        album: row.try_into()?,
        credits,
        disc_total: known.disc_total,
        musicbrainz_id: known.release,
        release_group,
        edited: state.edits.names(),
    }))
}

async fn release_group(
    db: &mut AnyConnection,
    album: AlbumId,
    id: GroupId,
) -> Result<ReleaseGroup, DatabaseError> {
    let group: Option<(Option<Vec<u8>>,)> = sqlx::query_as("SELECT mb_id FROM release_groups WHERE id = $1")
        .bind(id.bytes())
        .fetch_optional(&mut *db)
        .await?;
    let rows: Vec<(Vec<u8>, String, String)> = sqlx::query_as(
        "SELECT id, title, release_date FROM albums
         WHERE release_group_id = $1 AND id <> $2 AND (song_count > 0 OR made = 1)
         ORDER BY release_date, id LIMIT $3",
    )
    .bind(id.bytes())
    .bind(album.bytes())
    .bind(VERSIONS)
    .fetch_all(db)
    .await?;
    let version = |(id, title, date): (Vec<u8>, String, String)| {
        let date = Some(date).filter(|date| !date.is_empty());
        Ok(Version { id: fixed::<16>(&id, "id")?.into(), title, date })
    };
    let versions = rows.into_iter().map(version).collect::<Result<_, DatabaseError>>()?;
    Ok(ReleaseGroup { id, musicbrainz_id: mbid_of(group.and_then(|it| it.0))?, versions })
}

async fn read_credits(
    db: &mut AnyConnection,
    sql: &'static str,
    id: &[u8],
) -> Result<Vec<CreditRef>, DatabaseError> {
    let rows: Vec<CreditRow> = sqlx::query_as(sql).bind(id).fetch_all(db).await?;
    let credit = |row: CreditRow| {
        let role = Role::of(&row.role).ok_or(DatabaseError::Column("role"))?.as_str();
        let artist =
            ArtistRef { id: fixed::<16>(&row.artist_id, "artist_id")?.into(), name: row.artist_name };
        Ok(CreditRef { role, artist, name: row.name, join: row.joint })
    };
    rows.into_iter().map(credit).collect()
}

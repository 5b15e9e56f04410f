//! Database rows and what they mean.

use segue_manifests::{AssetId, Rev, Sha256};

use super::mbid::Mbid;
use super::model::{Album, AlbumRef, Artist, ArtistRef, CoverRef, Song, Time};
use crate::database::DatabaseError;

/// A struct read from the columns of its fields' names. sqlx has a derive for it; its procedural macro would compile
/// SQLite a second time.
macro_rules! row {
    ($vis:vis struct $name:ident { $($field:ident: $kind:ty,)* }) => {
        $vis struct $name { $($field: $kind,)* }

        impl sqlx::FromRow<'_, sqlx::any::AnyRow> for $name {
            fn from_row(row: &sqlx::any::AnyRow) -> sqlx::Result<Self> {
                use sqlx::Row as _;
                Ok(Self { $($field: row.try_get(stringify!($field))?,)* })
            }
        }
    };
}
pub(crate) use row;

row! {
    pub(crate) struct SongRow {
        id: Vec<u8>,
        rev: Vec<u8>,
        title: String,
        title_folded: String,
        artist_id: Vec<u8>,
        artist_name: String,
        album_id: Option<Vec<u8>>,
        album_title: Option<String>,
        track_number: Option<i64>,
        disc_number: Option<i64>,
        disc_place: i64,
        track_place: i64,
        duration_ms: i64,
        renditions: String,
        cover_sha256: Option<Vec<u8>>,
        added_at: i64,
        credit: String,
        isrc: Option<String>,
    }
}

row! {
    pub(super) struct AlbumRow {
        id: Vec<u8>,
        title: String,
        title_folded: String,
        artist_id: Vec<u8>,
        artist_name: String,
        credit: String,
        release_date: String,
        song_count: i64,
        duration_ms: i64,
        cover_sha256: Option<Vec<u8>>,
    }
}

row! {
    pub(super) struct ArtistRow {
        id: Vec<u8>,
        name: String,
        name_folded: String,
        album_count: i64,
        song_count: i64,
        cover_sha256: Option<Vec<u8>>,
    }
}

/// Bytes of a fixed length.
pub(crate) fn fixed<const N: usize>(bytes: &[u8], column: &'static str) -> Result<[u8; N], DatabaseError> {
    bytes.try_into().map_err(|_| DatabaseError::Column(column))
}

/// Artwork by its digest.
pub(crate) fn cover(bytes: Option<Vec<u8>>) -> Result<Option<CoverRef>, DatabaseError> {
    bytes.map(|bytes| Ok(CoverRef(Sha256(fixed(&bytes, "cover_sha256")?)))).transpose()
}

/// An identifier of MusicBrainz.
pub(super) fn mbid_of(bytes: Option<Vec<u8>>) -> Result<Option<Mbid>, DatabaseError> {
    bytes.map(|bytes| fixed(&bytes, "mb_id").map(Mbid)).transpose()
}

fn artist(id: &[u8], name: String) -> Result<ArtistRef, DatabaseError> {
    Ok(ArtistRef { id: fixed::<16>(id, "artist_id")?.into(), name })
}

fn album(id: Option<Vec<u8>>, title: Option<String>) -> Result<Option<AlbumRef>, DatabaseError> {
    let (Some(id), Some(title)) = (id, title) else { return Ok(None) };
    Ok(Some(AlbumRef { id: fixed::<16>(&id, "album_id")?.into(), title }))
}

impl TryFrom<SongRow> for Song {
    type Error = DatabaseError;

    fn try_from(row: SongRow) -> Result<Self, DatabaseError> {
        let renditions = row.renditions.split(',').map(str::parse).collect::<Result<_, _>>();
        Ok(Self {
            id: AssetId(fixed(&row.id, "id")?),
            rev: Rev(fixed(&row.rev, "rev")?),
            title: row.title,
            title_folded: row.title_folded,
            artist: artist(&row.artist_id, row.artist_name)?,
            artist_credit: row.credit,
            album: album(row.album_id, row.album_title)?,
            track_number: row.track_number.map(|n| n as u32),
            disc_number: row.disc_number.map(|n| n as u32),
            places: (row.disc_place, row.track_place),
            duration_ms: row.duration_ms as u64,
            cover: cover(row.cover_sha256)?,
            renditions: renditions.map_err(|_| DatabaseError::Column("renditions"))?,
            isrc: row.isrc,
            added_at: Time(row.added_at as u64),
        })
    }
}

impl TryFrom<AlbumRow> for Album {
    type Error = DatabaseError;

    fn try_from(row: AlbumRow) -> Result<Self, DatabaseError> {
        Ok(Self {
            id: fixed::<16>(&row.id, "id")?.into(),
            title: row.title,
            title_folded: row.title_folded,
            artist: artist(&row.artist_id, row.artist_name)?,
            artist_credit: row.credit,
            date: Some(row.release_date).filter(|date| !date.is_empty()),
            song_count: row.song_count as u64,
            duration_ms: row.duration_ms as u64,
            cover: cover(row.cover_sha256)?,
        })
    }
}

impl TryFrom<ArtistRow> for Artist {
    type Error = DatabaseError;

    fn try_from(row: ArtistRow) -> Result<Self, DatabaseError> {
        Ok(Self {
            id: fixed::<16>(&row.id, "id")?.into(),
            name: row.name,
            name_folded: row.name_folded,
            album_count: row.album_count as u64,
            song_count: row.song_count as u64,
            cover: cover(row.cover_sha256)?,
        })
    }
}

/// Turns rows into what they mean.
pub(super) fn read_all<R, T: TryFrom<R, Error = DatabaseError>>(
    rows: Vec<R>,
) -> Result<Vec<T>, DatabaseError> {
    rows.into_iter().map(T::try_from).collect()
}

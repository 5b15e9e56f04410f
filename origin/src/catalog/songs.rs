//! Reading songs.

use segue_manifests::{AssetId, Rev, Sha256};

use super::cursor::{self, AlbumPlace, NamePlace};
use super::ids::{AlbumId, ArtistId, SongId};
use super::matching::{ByName, by_name};
use super::model::{Page, Song};
use super::rows::{SongRow, fixed, read_all};
use super::{Catalog, CatalogError, Window};
use crate::database::DatabaseError;

/// What [`SongRow`] is read from: a song `s`, its `artists` and `albums`.
macro_rules! song_columns {
    () => {
        "s.id, s.rev, s.title, s.title_folded, s.artist_id, artists.name AS artist_name, s.album_id,
         albums.title AS album_title, s.track_number, s.disc_number, s.disc_place, s.track_place,
         s.duration_ms, s.renditions, s.cover_sha256, s.added_at, s.credit,
         s.isrc"
    };
}
pub(crate) use song_columns;

/// A query for the songs that `$ids`, a query for identifiers, chooses; it needs nothing but an index, so that all
/// else is read for those shown alone.
macro_rules! songs_sql {
    ($ids:expr, $order:expr) => {
        concat!(
            "SELECT ",
            song_columns!(),
            " FROM (",
            $ids,
            ") chosen JOIN songs s ON s.id = chosen.id
             JOIN artists ON artists.id = s.artist_id
             LEFT JOIN albums ON albums.id = s.album_id
             ORDER BY ",
            $order
        )
    };
    ($ids:expr) => {
        songs_sql!($ids, "s.title_folded, s.id")
    };
}

pub(super) const BY_TITLE: ByName =
    by_name!(songs_sql, "songs WHERE taken_down_at IS NULL AND", "title_folded", "song");
// Rows of artist_songs are never of songs that are taken down.
pub(super) const OF_ARTIST: &str = songs_sql!(
    "SELECT song_id AS id FROM artist_songs WHERE artist_id = $5 AND (title_folded, song_id) > ($2, $3)
     AND ($4 = '' OR instr(title_folded, $4) > 0) ORDER BY title_folded, song_id LIMIT $1"
);
pub(super) const OF_ALBUM: &str = songs_sql!(
    "SELECT id FROM songs WHERE taken_down_at IS NULL AND album_id = $7
     AND (disc_place, track_place, title_folded, id) > ($2, $3, $4, $5)
     AND ($6 = '' OR instr(title_folded, $6) > 0)
     ORDER BY disc_place, track_place, title_folded, id LIMIT $1",
    "s.disc_place, s.track_place, s.title_folded, s.id"
);
pub(super) const ONE: &str =
    songs_sql!("SELECT id FROM songs WHERE id = $2 AND taken_down_at IS NULL LIMIT $1");
/// `#` stands for placeholders.
pub(super) const MANY: &str = songs_sql!("SELECT id FROM songs WHERE id IN (#) AND taken_down_at IS NULL");

/// Where a cover lies in the store.
#[derive(Debug, Clone)]
pub(crate) struct CoverPlace {
    pub(crate) asset: AssetId,
    pub(crate) rev: Rev,
    pub(crate) extension: String,
}

impl Catalog {
    /// All songs, by folded title.
    pub(crate) async fn songs(&self, window: &Window) -> Result<Page<Song>, CatalogError> {
        let place = cursor::read("songs", window.cursor.as_deref())?;
        let rows: Vec<SongRow> = BY_TITLE.read(&self.database, window, place).await?;
        Ok(window.page("songs", read_all(rows)?, name_place))
    }

    /// The songs that an artist is credited on, guests too, by folded title.
    pub(crate) async fn songs_of_artist(
        &self,
        artist: ArtistId,
        window: &Window,
    ) -> Result<Page<Song>, CatalogError> {
        let NamePlace(title, id) = cursor::read("artist-songs", window.cursor.as_deref())?;
        let rows: Vec<SongRow> = sqlx::query_as(OF_ARTIST)
            .bind(window.rows())
            .bind(title)
            .bind(&id.0[..])
            .bind(&window.filter)
            .bind(artist.bytes())
            .fetch_all(self.database.readers())
            .await?;
        Ok(window.page("artist-songs", read_all(rows)?, name_place))
    }

    /// The songs of an album, by disc, number, folded title.
    pub(crate) async fn songs_of_album(
        &self,
        album: AlbumId,
        window: &Window,
    ) -> Result<Page<Song>, CatalogError> {
        let AlbumPlace(disc, track, title, id) = cursor::read("album-songs", window.cursor.as_deref())?;
        let rows: Vec<SongRow> = sqlx::query_as(OF_ALBUM)
            .bind(window.rows())
            .bind(disc)
            .bind(track)
            .bind(title)
            .bind(&id.0[..])
            .bind(&window.filter)
            .bind(album.bytes())
            .fetch_all(self.database.readers())
            .await?;
        Ok(window.page("album-songs", read_all(rows)?, |song: &Song| {
            AlbumPlace(song.places.0, song.places.1, song.title_folded.clone(), song.id)
        }))
    }

    /// One song.
    pub(crate) async fn song(&self, id: SongId) -> Result<Option<Song>, DatabaseError> {
        let row: Option<SongRow> =
            sqlx::query_as(ONE).bind(1i64).bind(&id.0[..]).fetch_optional(self.database.readers()).await?;
        row.map(Song::try_from).transpose()
    }

    /// Some places where a cover lies; every packaging that has it keeps a copy.
    pub(crate) async fn cover_places(&self, cover: Sha256) -> Result<Vec<CoverPlace>, DatabaseError> {
        let rows: Vec<(Vec<u8>, Vec<u8>, String)> = sqlx::query_as(
            "SELECT assets.asset, assets.rev, covers.extension FROM covers
             JOIN assets ON assets.cover_sha256 = covers.sha256 WHERE covers.sha256 = $1 LIMIT 3",
        )
        .bind(&cover.0[..])
        .fetch_all(self.database.readers())
        .await?;
        rows.into_iter()
            .map(|(asset, rev, extension)| {
                let (asset, rev) = (AssetId(fixed(&asset, "asset")?), Rev(fixed(&rev, "rev")?));
                Ok(CoverPlace { asset, rev, extension })
            })
            .collect()
    }
}

fn name_place(song: &Song) -> NamePlace {
    NamePlace(song.title_folded.clone(), song.id)
}

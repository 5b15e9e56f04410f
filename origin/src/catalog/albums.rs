//! Reading albums.

use super::cursor::{self, NamePlace};
use super::ids::{AlbumId, ArtistId};
use super::matching::{ByName, by_name};
use super::model::{Album, Page};
use super::rows::{AlbumRow, read_all};
use super::{Catalog, CatalogError, Window};
use crate::database::DatabaseError;

/// A query for albums; an album shows the cover of its first song that has one.
macro_rules! albums_sql {
    ($ids:expr) => {
        concat!(
            "SELECT a.id, a.title, a.title_folded, a.artist_id, artists.name AS artist_name, a.credit,
                    a.release_date, a.song_count, a.duration_ms,
                    (SELECT cover_sha256 FROM songs
                     WHERE album_id = a.id AND cover_sha256 IS NOT NULL AND taken_down_at IS NULL
                     ORDER BY disc_place, track_place, title_folded, id LIMIT 1) AS cover_sha256
             FROM (",
            $ids,
            ") chosen JOIN albums a ON a.id = chosen.id
             JOIN artists ON artists.id = a.artist_id
             ORDER BY a.title_folded, a.id"
        )
    };
}

/// Those with something to show, and those that a curator made and has not filled yet, have a place in the order.
pub(super) const BY_TITLE: ByName =
    by_name!(albums_sql, "albums WHERE (song_count > 0 OR made = 1) AND", "title_folded", "album");
pub(super) const OF_ARTIST: &str = albums_sql!(
    "SELECT album_id AS id FROM artist_albums WHERE artist_id = $5 AND (title_folded, album_id) > ($2, $3)
     AND ($4 = '' OR instr(title_folded, $4) > 0) ORDER BY title_folded, album_id LIMIT $1"
);
pub(super) const ONE: &str = albums_sql!("SELECT id FROM albums WHERE id = $2 LIMIT $1");
/// `#` stands for placeholders.
pub(super) const MANY: &str = albums_sql!("SELECT id FROM albums WHERE id IN (#)");

impl Catalog {
    /// All albums with songs to show or made by curators, by folded title.
    pub(crate) async fn albums(&self, window: &Window) -> Result<Page<Album>, CatalogError> {
        let from = cursor::read("albums", window.cursor.as_deref())?;
        let rows: Vec<AlbumRow> = BY_TITLE.read(&self.database, window, from).await?;
        Ok(window.page("albums", read_all(rows)?, place))
    }

    /// The albums credited to an artist, by folded title.
    pub(crate) async fn albums_of_artist(
        &self,
        artist: ArtistId,
        window: &Window,
    ) -> Result<Page<Album>, CatalogError> {
        let NamePlace(title, id) = cursor::read("artist-albums", window.cursor.as_deref())?;
        let rows: Vec<AlbumRow> = sqlx::query_as(OF_ARTIST)
            .bind(window.rows())
            .bind(title)
            .bind(&id.0[..])
            .bind(&window.filter)
            .bind(artist.bytes())
            .fetch_all(self.database.readers())
            .await?;
        Ok(window.page("artist-albums", read_all(rows)?, place))
    }

    /// One album.
    pub(crate) async fn album(&self, id: AlbumId) -> Result<Option<Album>, DatabaseError> {
        let row: Option<AlbumRow> =
            sqlx::query_as(ONE).bind(1i64).bind(id.bytes()).fetch_optional(self.database.readers()).await?;
        row.map(Album::try_from).transpose()
    }
}

fn place(album: &Album) -> NamePlace {
    NamePlace(album.title_folded.clone(), album.id.into())
}

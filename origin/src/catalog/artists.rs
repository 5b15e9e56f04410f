//! Reading artists.

use super::cursor::{self, NamePlace};
use super::ids::ArtistId;
use super::matching::{ByName, by_name};
use super::model::{Artist, Page};
use super::rows::{ArtistRow, read_all};
use super::{Catalog, CatalogError, Window};
use crate::database::DatabaseError;

/// A query for artists; an artist shows the cover of one of the own albums, else of one of the own songs.
macro_rules! artists_sql {
    ($page:expr, $order:expr) => {
        concat!(
            "SELECT a.id, a.name, a.name_folded, a.album_count, a.song_count, COALESCE(
                 (SELECT songs.cover_sha256 FROM albums JOIN songs ON songs.album_id = albums.id
                  WHERE albums.artist_id = a.id AND songs.cover_sha256 IS NOT NULL
                      AND songs.taken_down_at IS NULL LIMIT 1),
                 (SELECT cover_sha256 FROM songs
                  WHERE artist_id = a.id AND cover_sha256 IS NOT NULL AND taken_down_at IS NULL LIMIT 1)) AS cover_sha256
             FROM (SELECT * FROM artists WHERE ",
            $page,
            " ORDER BY ",
            $order,
            " LIMIT $1) a ORDER BY a.name_folded, a.id"
        )
    };
    ($page:literal) => {
        artists_sql!($page, "name_folded, id")
    };
}

/// Those whose page lists something.
macro_rules! listed_sql {
    ($page:expr, $order:expr) => {
        artists_sql!(concat!("song_count + album_count > 0 AND ", $page), $order)
    };
}

pub(super) const BY_NAME: ByName = by_name!(listed_sql, "name_folded", "name_folded, id", "artist");
pub(super) const ONE: &str = artists_sql!("id = $2");
/// `#` stands for placeholders from `$2` on.
pub(super) const MANY: &str = artists_sql!("id IN (#)");

impl Catalog {
    /// All artists whose page lists something, by folded name.
    pub(crate) async fn artists(&self, window: &Window) -> Result<Page<Artist>, CatalogError> {
        let from = cursor::read("artists", window.cursor.as_deref())?;
        let rows: Vec<ArtistRow> = BY_NAME.read(&self.database, window, from).await?;
        let place = |artist: &Artist| NamePlace(artist.name_folded.clone(), artist.id.into());
        Ok(window.page("artists", read_all(rows)?, place))
    }

    /// One artist.
    pub(crate) async fn artist(&self, id: ArtistId) -> Result<Option<Artist>, DatabaseError> {
        let row: Option<ArtistRow> =
            sqlx::query_as(ONE).bind(1i64).bind(id.bytes()).fetch_optional(self.database.readers()).await?;
        row.map(Artist::try_from).transpose()
    }
}

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
    ($ids:expr) => {
        concat!(
            "SELECT a.id, a.name, a.name_folded, a.album_count, a.song_count, COALESCE(
                 (SELECT songs.cover_sha256 FROM albums JOIN songs ON songs.album_id = albums.id
                  WHERE albums.artist_id = a.id AND songs.cover_sha256 IS NOT NULL
                      AND songs.taken_down_at IS NULL LIMIT 1),
                 (SELECT cover_sha256 FROM songs
                  WHERE artist_id = a.id AND cover_sha256 IS NOT NULL AND taken_down_at IS NULL LIMIT 1)) AS cover_sha256
             FROM (",
            $ids,
            ") chosen JOIN artists a ON a.id = chosen.id ORDER BY a.name_folded, a.id"
        )
    };
}

/// Those whose page lists something have a place in the order.
pub(super) const BY_NAME: ByName =
    by_name!(artists_sql, "artists WHERE song_count + album_count > 0 AND", "name_folded", "artist");
pub(super) const ONE: &str = artists_sql!("SELECT id FROM artists WHERE id = $2 LIMIT $1");
/// `#` stands for placeholders.
pub(super) const MANY: &str = artists_sql!("SELECT id FROM artists WHERE id IN (#)");

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

//! The catalog: artists, albums and songs, as descriptors tell them.
//!
//! Reads go through the pool of readers and hold a connection only while rows arrive, never while a client
//! reads its answer. Every list is paged by the sort values of its last item (keyset), never by offset.

mod albums;
mod artists;
mod credits;
pub(crate) mod curate;
pub(crate) mod cursor;
mod details;
mod edits;
mod fold;
mod ids;
mod matching;
mod mbid;
mod model;
mod objects;
mod rows;
mod songs;
mod tags;
mod write;

use serde::Serialize;

use crate::database::{Database, DatabaseError};

pub(crate) use credits::first_artist;
pub(crate) use cursor::BadCursor;
pub(crate) use edits::{AlbumChange, Member, Placement, SongChange};
pub(crate) use fold::fold;
pub(crate) use ids::{AlbumId, ArtistId, GroupId, SongId};
pub(crate) use matching::{ByName, by_name, in_order};
pub(crate) use mbid::isrc;
pub(crate) use model::{Album, Artist, CoverRef, Page, Song, Time, Totals};
pub(crate) use objects::{Kind, Object, ObjectId};
pub(crate) use rows::{SongRow, cover, fixed, row};
pub(crate) use songs::song_columns;
pub(crate) use tags::{MAX_NAME, is_date, is_name};
pub(crate) use write::{Change, Trigger};

/// The catalog in its database.
#[derive(Debug, Clone)]
pub(crate) struct Catalog {
    database: Database,
}

/// A catalog that cannot answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CatalogError {
    #[error(transparent)]
    Cursor(#[from] BadCursor),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl From<sqlx::Error> for CatalogError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Window {
    /// Items at most.
    pub(crate) limit: u32,
    /// Where to go on, as an earlier page said.
    pub(crate) cursor: Option<String>,
    /// Folded text that names must hold; empty: all.
    pub(crate) filter: String,
}

impl Window {
    /// Names this part of the list at that path, in one spelling however it was asked for.
    pub(crate) fn name(&self, path: &str) -> String {
        let cursor = self.cursor.as_deref().unwrap_or_default();
        // Behind a separator that no folded text holds: no two parts have the same name.
        format!("{path}?{}\n{}\n{cursor}", self.limit, self.filter)
    }

    /// One more than wanted is read, to know whether there is a next page.
    pub(crate) fn rows(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// Cuts what was read to the wanted length and says where to go on.
    pub(crate) fn page<T: Serialize, P: cursor::Place>(
        &self,
        list: &str,
        items: Vec<T>,
        place: impl Fn(&T) -> P,
    ) -> Page<T> {
        Page::cut(items, self.limit, |last| cursor::write(list, &place(last)))
    }
}

impl Catalog {
    /// The catalog in that database.
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }

    /// Counts everything that is listed; slow on large catalogs, so callers remember the answer for a moment.
    pub(crate) async fn totals(&self) -> Result<Totals, DatabaseError> {
        let (songs, albums, artists): (i64, i64, i64) = sqlx::query_as(
            "SELECT (SELECT COUNT(*) FROM songs WHERE taken_down_at IS NULL),
                 (SELECT COUNT(*) FROM albums WHERE song_count > 0 OR made = 1),
                 (SELECT COUNT(*) FROM artists WHERE song_count + album_count > 0)",
        )
        .fetch_one(self.database.readers())
        .await?;
        Ok(Totals { songs: songs as u64, albums: albums as u64, artists: artists as u64 })
    }
}

#[cfg(test)]
mod tests;

//! Playlists: lists of songs that listeners keep, alone or together.
//!
//! Everyone who writes takes the playlist's row first (see [`standing`]), so that changes follow one another and
//! none is lost; whoever wants to change only what was seen names its snapshot. Counts are kept up by the writes.

mod collaborators;
mod entries;
mod finding;
mod ids;
pub(crate) mod kept;
mod m3u;
mod model;
mod position;
mod read;
mod standing;
mod transfer;
mod wanted;
mod write;

use crate::accounts::Invalid;
use crate::catalog::{BadCursor, SongId};
use crate::database::{Database, DatabaseError};

pub(crate) use entries::By;
pub(crate) use ids::{EntryId, PlaylistId};
pub(crate) use model::{Playlist, Snapshot, Visibility, Words};
pub(crate) use transfer::Format;

/// Songs in one playlist at most.
pub(crate) const MAX_ENTRIES: usize = 10_000;
/// Songs in one request at most.
pub(crate) const MAX_BATCH: usize = 500;

/// All playlists.
#[derive(Debug, Clone)]
pub(crate) struct Playlists {
    database: Database,
}

/// Why a playlist does not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaylistError {
    /// It is not there, or not for the caller's eyes.
    #[error("playlists: no such playlist")]
    Unknown,
    #[error("playlists: not for this account")]
    Forbidden,
    #[error("playlists: it has changed meanwhile")]
    Stale,
    #[error("playlists: {0}")]
    Invalid(#[from] Invalid),
    #[error("playlists: unknown songs")]
    UnknownSongs(Vec<SongId>),
    #[error("playlists: unknown entries")]
    UnknownEntries(Vec<EntryId>),
    /// A file that is not what it is said to be.
    #[error("playlists: no export (line {line}, column {column})")]
    Unreadable { line: usize, column: usize },
    /// What a path names is not there.
    #[error("playlists: no such {0}")]
    Absent(&'static str),
    #[error("playlists: there are {0} already")]
    Full(&'static str),
    #[error(transparent)]
    Cursor(#[from] BadCursor),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl From<sqlx::Error> for PlaylistError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Playlists {
    /// The playlists in that database.
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }
}

#[cfg(test)]
mod tests;

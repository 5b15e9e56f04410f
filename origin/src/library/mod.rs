//! What an account has played, likes, listens to, and might like.
//!
//! All of it is read from the writer, so that everyone sees the own changes at once. Lists are of bounded work: by
//! index ranges of one account, never by walking what others did.

mod export;
mod favourites;
mod history;
mod queue;
mod recommend;
mod tops;

use crate::catalog::{Catalog, Kind};
use crate::database::{Database, DatabaseError};
use crate::http::{Problem, identity};

pub(crate) use export::Export;
pub(crate) use queue::Queue;
pub(crate) use tops::Period;

/// Why a library does not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LibraryError {
    #[error("library: no such {}", .0.as_str())]
    Unknown(Kind),
    #[error("library: there are too many favourites")]
    Full,
    #[error("library: the queue has changed meanwhile")]
    Stale,
    #[error("library: the account is gone")]
    Gone,
    #[error(transparent)]
    Database(DatabaseError),
}

impl From<DatabaseError> for LibraryError {
    fn from(error: DatabaseError) -> Self {
        // Everything here names the account by a foreign key.
        if error.is_orphan() { Self::Gone } else { Self::Database(error) }
    }
}

impl From<sqlx::Error> for LibraryError {
    fn from(error: sqlx::Error) -> Self {
        DatabaseError::from(error).into()
    }
}

impl From<LibraryError> for Problem {
    fn from(error: LibraryError) -> Self {
        match error {
            LibraryError::Unknown(kind) => {
                Self::not_found(format!("There is no {} of this identifier.", kind.as_str()))
            }
            LibraryError::Full => {
                Self::conflict("full", "There are 100,000 favourites of this kind already. Delete one first.")
            }
            LibraryError::Stale => Self::stale(),
            LibraryError::Gone => identity::sign_in(),
            LibraryError::Database(error) => error.into(),
        }
    }
}

/// The libraries of all accounts.
#[derive(Debug, Clone)]
pub(crate) struct Library {
    database: Database,
    catalog: Catalog,
}

impl Library {
    /// The libraries in that database.
    pub(crate) fn new(database: Database) -> Self {
        Self { catalog: Catalog::new(database.clone()), database }
    }
}

//! What can go wrong with the database.

use sqlx::migrate::MigrateError;

/// The database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The folder of the database cannot be made.
    #[error("database: cannot make the folder {folder}: {source}")]
    Folder {
        /// The folder.
        folder: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file or server cannot be opened as a database.
    #[error("database {place}: {reason}")]
    Open {
        /// The file, or the server without its password.
        place: String,
        /// Why, and what would help.
        reason: String,
    },
    /// The schema cannot be brought up to date.
    #[error("database: cannot bring the schema up to date: {0}")]
    Migrate(#[from] MigrateError),
    /// A statement failed.
    #[error("database: {0}")]
    Sql(#[from] sqlx::Error),
    /// A column holds what this program never writes.
    #[error("database: column {0} holds an unexpected value")]
    Column(&'static str),
}

impl DatabaseError {
    /// Whether the same request may succeed later: locked, full, unreachable.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Sql(sqlx::Error::Database(error)) => {
                error.code().is_some_and(|code| code_is_temporary(&code))
            }
            Self::Sql(error) => matches!(
                error,
                sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed
                    | sqlx::Error::Protocol(_)
                    | sqlx::Error::Io(_)
            ),
            Self::Folder { .. } | Self::Open { .. } | Self::Migrate(_) | Self::Column(_) => false,
        }
    }

    /// Whether another transaction was in the way (serialisation failure, deadlock): the same again may succeed at
    /// once.
    pub(crate) fn is_collision(&self) -> bool {
        matches!(self, Self::Sql(sqlx::Error::Database(error))
            if error.code().is_some_and(|code| ["40001", "40P01"].contains(&&*code)))
    }

    /// Whether a row that another one names is gone.
    pub(crate) fn is_orphan(&self) -> bool {
        matches!(self, Self::Sql(sqlx::Error::Database(error)) if error.is_foreign_key_violation())
    }

    /// Whether a row with the same key is there already.
    pub(crate) fn is_duplicate(&self) -> bool {
        matches!(self, Self::Sql(sqlx::Error::Database(error)) if error.is_unique_violation())
    }
}

/// PostgreSQL's codes (its manual, appendix A) have five characters, SQLite's are shorter numbers.
fn code_is_temporary(code: &str) -> bool {
    if code.len() == 5 {
        // Connection, resources, operator intervention, rollback for others' sake; read-only after a switch-over.
        return ["08", "53", "57", "40", "55"].contains(&&code[..2]) || code == "25006";
    }
    // Primary result codes: busy, locked, read-only, I/O, full, cannot open, protocol.
    code.parse::<i32>().is_ok_and(|code| [5, 6, 8, 10, 13, 14, 15].contains(&(code & 0xff)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locked_full_and_unreachable_are_temporary() {
        for code in ["5", "517", "13", "57P01", "40001", "53300", "08006", "25006"] {
            assert!(code_is_temporary(code), "{code}");
        }
        for code in ["1", "19", "2067", "23505", "42P01"] {
            assert!(!code_is_temporary(code), "{code}");
        }
    }
}

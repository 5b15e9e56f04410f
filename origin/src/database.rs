//! The database: one connection that writes, several that read.
//!
//! SQLite with a write-ahead log: readers never wait for the writer. A commit is on the disk before it is
//! acknowledged (`synchronous = FULL`).

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{SqlSafeStr as _, Sqlite, Transaction};

/// How long a request waits for a connection, or a connection for a lock.
const WAIT: Duration = Duration::from_secs(5);

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
    /// The file cannot be opened as a database.
    #[error("database {file}: {reason}")]
    Open {
        /// The file.
        file: String,
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
                // Primary result codes of SQLite: busy, locked, read-only, I/O, full, cannot open, protocol.
                let code = error.code().and_then(|code| code.parse::<i32>().ok());
                code.is_some_and(|code| [5, 6, 8, 10, 13, 14, 15].contains(&(code & 0xff)))
            }
            Self::Sql(error) => matches!(
                error,
                sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed
                    | sqlx::Error::Io(_)
            ),
            Self::Folder { .. } | Self::Open { .. } | Self::Migrate(_) | Self::Column(_) => false,
        }
    }
}

/// Steps of the schema, oldest first. One that was released is never changed: its checksum is in every database.
const MIGRATIONS: [(&str, &str); 1] = [("catalog", include_str!("../migrations/0001_catalog.sql"))];

fn migrator() -> Migrator {
    let step = |(version, (name, sql)): (i64, &(&'static str, &'static str))| {
        Migration::new(version, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations((1..).zip(&MIGRATIONS).map(step).collect())
}

/// The open database.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Database {
    /// Opens or makes the database file and brings its schema up to date.
    pub(crate) async fn open(file: &str, readers: u32) -> Result<Self, DatabaseError> {
        let file = file.strip_prefix("sqlite://").unwrap_or(file);
        make_folder(Path::new(file))?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(WAIT);
        // A file does not hang up: connections need no test before use, and none grows old.
        let pool = || {
            SqlitePoolOptions::new()
                .acquire_timeout(WAIT)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
        };
        let writer = pool().max_connections(1).connect_with(options.clone()).await;
        let writer = writer.map_err(|error| cannot_open(file, &error))?;
        migrator().run(&writer).await?;
        let readers = pool().max_connections(readers).connect_with(options.read_only(true)).await?;
        Ok(Self { writer, readers })
    }

    /// Connections for reading.
    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// Begins a transaction that writes. It holds the write lock from its first moment, so that what it reads
    /// cannot change under it.
    pub(crate) async fn begin_write(&self) -> Result<Transaction<'static, Sqlite>, DatabaseError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), DatabaseError> {
        sqlx::query("SELECT 1 FROM songs LIMIT 1").fetch_optional(&self.readers).await?;
        Ok(())
    }

    /// Closes every connection; the write-ahead log is folded into the file.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn cannot_open(file: &str, error: &sqlx::Error) -> DatabaseError {
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
    // Primary result codes of SQLite.
    let reason = match code.map(|code| code & 0xff) {
        Some(26) => "this is no SQLite database; name another file".to_owned(),
        Some(8 | 14) => {
            "it cannot be opened for writing; check that it is a file, who owns it, and its folder".to_owned()
        }
        _ => error.to_string(),
    };
    DatabaseError::Open { file: file.to_owned(), reason }
}

fn make_folder(file: &Path) -> Result<(), DatabaseError> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::create_dir_all(folder)
            .map_err(|source| DatabaseError::Folder { folder: folder.display().to_string(), source }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn open(dir: &tempfile::TempDir) -> Database {
        Database::open(&dir.path().join("sub/catalog.db").to_string_lossy(), 2).await.unwrap()
    }

    #[tokio::test]
    async fn opens_twice_and_readers_cannot_write() {
        let dir = tempfile::tempdir().unwrap();
        open(&dir).await.close().await;
        let database = open(&dir).await;
        database.ping().await.unwrap();
        let write = sqlx::query("DELETE FROM songs").execute(database.readers()).await;
        assert!(DatabaseError::from(write.unwrap_err()).is_temporary());
    }

    #[tokio::test]
    async fn what_is_no_database_is_named_once() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("notes.txt");
        std::fs::write(&file, "no database, but long enough to have a header".repeat(20)).unwrap();
        for (path, hint) in [(&*file, "no SQLite database"), (dir.path(), "cannot be opened")] {
            let error = Database::open(&path.to_string_lossy(), 1).await.unwrap_err().to_string();
            assert!(error.contains(hint) && error.contains(&*path.to_string_lossy()), "{error}");
        }
    }

    #[tokio::test]
    async fn foreign_keys_are_indexed() {
        let dir = tempfile::tempdir().unwrap();
        let database = open(&dir).await;
        let missing: Vec<(String, String)> = sqlx::query_as(
            "SELECT m.name, f.\"from\" FROM sqlite_schema m, pragma_foreign_key_list(m.name) f
             WHERE m.type = 'table' AND f.seq = 0 AND NOT EXISTS (
                 SELECT 1 FROM pragma_index_list(m.name) l, pragma_index_info(l.name) i
                 WHERE i.seqno = 0 AND i.name = f.\"from\")",
        )
        .fetch_all(database.readers())
        .await
        .unwrap();
        assert_eq!(missing, []);
    }
}

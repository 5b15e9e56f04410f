//! SQLite in a file, with a write-ahead log: readers never wait for the writer.

use std::path::Path;
use std::sync::Arc;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions as _, Connection as _};

use super::{Database, DatabaseError, Dialect, Reader, pool, schema};

/// Said to each new connection that writes. A commit is on the disk before it is acknowledged.
const WRITING: &str = "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000";
/// Said to each new connection that reads: the file is mapped, so that its pages are neither copied nor kept twice. They
/// are the kernel's to give back; what a read does not find in the map (the log) goes through a small cache.
const READING: &str =
    "PRAGMA busy_timeout = 5000; PRAGMA cache_size = -2000; PRAGMA mmap_size = 1099511627776";

/// Opens or makes the file; one connection writes, `readers` read.
pub(super) async fn open(address: &str, readers: u32) -> Result<Database, DatabaseError> {
    let file = address.strip_prefix("sqlite://").unwrap_or(address);
    make_folder(Path::new(file))?;
    let options = SqliteConnectOptions::new().filename(file);
    let refused = |error: sqlx::Error| cannot_open(file, &error);
    // Alone first: a pool would try again and again.
    let making = options.clone().create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
    making.connect().await.map_err(refused)?.close().await.map_err(refused)?;
    let writer = connections(1, WRITING).connect_with(any(&options)?).await.map_err(refused)?;
    schema::migrator(Dialect::Sqlite).run(&writer).await?;
    let reading = connections(readers, READING).connect_with(any(&options.read_only(true))?).await;
    let reading = reading.map_err(refused)?;
    let readers = vec![Reader::current(reading.clone())];
    Ok(Database { dialect: Dialect::Sqlite, writer, fresh: reading, readers, generation: Arc::default() })
}

/// A file does not hang up: connections need no test before use, and none grows old. But when the disk is full or fails,
/// SQLite ends the transaction by itself, and a connection that believes to be in one begins no other.
fn connections(count: u32, settings: &'static str) -> AnyPoolOptions {
    let pool = pool(count).idle_timeout(None).max_lifetime(None).test_before_acquire(false);
    pool.before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
        .after_connect(move |connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(settings).execute(connection).await?;
                Ok(())
            })
        })
}

fn any(options: &SqliteConnectOptions) -> Result<AnyConnectOptions, sqlx::Error> {
    AnyConnectOptions::from_url(&options.to_url_lossy())
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
    DatabaseError::Open { place: file.to_owned(), reason }
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

    #[tokio::test]
    async fn readers_cannot_write() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("sub folder/100% c?t#log.db");
        let database = Database::open(&file.to_string_lossy(), &[], 2).await.unwrap();
        assert!(file.is_file());
        let write = sqlx::query("DELETE FROM songs").execute(database.readers()).await;
        assert!(DatabaseError::from(write.unwrap_err()).is_temporary());
    }

    /// As SQLite does it when the disk is full.
    #[tokio::test]
    async fn transactions_that_ended_by_themselves_are_survived() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(&dir.path().join("it.db").to_string_lossy(), &[], 1).await.unwrap();
        let mut tx = database.begin_write().await.unwrap();
        sqlx::raw_sql("ROLLBACK").execute(&mut *tx).await.unwrap();
        drop(tx);
        let tx = database.begin_write().await.unwrap();
        tx.commit().await.unwrap();
    }

    #[tokio::test]
    async fn what_is_no_database_is_named_once() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("notes.txt");
        std::fs::write(&file, "no database, but long enough to have a header".repeat(20)).unwrap();
        for (path, hint) in [(&*file, "no SQLite database"), (dir.path(), "cannot be opened")] {
            let error = Database::open(&path.to_string_lossy(), &[], 1).await.unwrap_err().to_string();
            assert!(error.contains(hint) && error.contains(&*path.to_string_lossy()), "{error}");
        }
    }
}

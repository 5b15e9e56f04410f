//! The database: SQLite in a file, or PostgreSQL; the same queries for both.
//!
//! Queries are written for both: `$n` for parameters, 64-bit integers, text and bytes. Writing goes to one
//! connection (SQLite) or to the writer (PostgreSQL); a commit is on the disk before it is acknowledged. Reading
//! the catalog may go to replicas that have caught up. What belongs to one account is read from the writer, so that everyone sees the
//! own changes at once.

mod error;
mod generation;
mod many;
mod postgres;
mod schema;
mod sqlite;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use sqlx::{Any, AnyPool, Transaction, any::AnyPoolOptions};

use generation::Reader;

pub use error::DatabaseError;
pub(crate) use many::{bound, list, tuples};

/// How long a request waits for a connection, or a connection for a lock.
const WAIT: Duration = Duration::from_secs(5);

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// By the beginning of the address: `postgres://` or `postgresql://`, else a file.
    pub(crate) fn of(address: &str) -> Self {
        match address.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Self::Postgres,
            _ => Self::Sqlite,
        }
    }
}

impl Dialect {
    /// Ends a query for rows of `table` that nobody else may change until the transaction ends. SQLite has one
    /// writer at a time.
    pub(crate) fn lock_rows(self, table: &str) -> String {
        match self {
            Self::Sqlite => String::new(),
            Self::Postgres => format!(" FOR UPDATE OF {table}"),
        }
    }

    /// Ends a query for rows that nobody else may delete until the transaction ends.
    pub(crate) fn keep_rows(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR KEY SHARE",
        }
    }
}

/// Work that is done by one origin at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alone {
    /// Imports, curation, takedowns: what changes the catalog.
    Catalog,
    /// What decides who is an administrator.
    Accounts,
}

/// The open database.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    dialect: Dialect,
    /// Begins what writes.
    writer: AnyPool,
    /// Reads what was written last; with SQLite the same as `readers`.
    fresh: AnyPool,
    /// May be a little behind.
    readers: Vec<Reader>,
    /// Of the catalog, as far as this origin knows.
    generation: Arc<AtomicI64>,
}

impl Database {
    /// Opens the database, or makes its file, and brings its schema up to date. `replicas` are addresses of
    /// PostgreSQL servers that follow it.
    ///
    /// # Errors
    /// When it cannot be reached, made or brought up to date.
    pub(crate) async fn open(
        address: &str,
        replicas: &[String],
        connections: u32,
    ) -> Result<Self, DatabaseError> {
        sqlx::any::install_default_drivers();
        let database = match Dialect::of(address) {
            Dialect::Sqlite => sqlite::open(address, connections).await?,
            Dialect::Postgres => postgres::open(address, replicas, connections).await?,
        };
        database.look().await?;
        Ok(database)
    }

    /// Which database it is.
    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Connections for reading what everyone sees: the least busy of the replicas that show every change of the
    /// catalog that this origin knows of, else the writer.
    pub(crate) fn readers(&self) -> &AnyPool {
        let generation = self.catalog_generation();
        let busy = |pool: &&AnyPool| pool.size() as usize - pool.num_idle().min(pool.size() as usize);
        let caught_up = self.readers.iter().filter(|it| it.shows(generation)).map(|it| &it.pool);
        caught_up.min_by_key(busy).unwrap_or(&self.fresh)
    }

    /// Connections for reading what was committed last.
    pub(crate) fn fresh(&self) -> &AnyPool {
        &self.fresh
    }

    /// Begins a transaction that writes. With SQLite it holds the write lock from its first moment, so that what
    /// it reads cannot change under it.
    pub(crate) async fn begin_write(&self) -> Result<Transaction<'static, Any>, DatabaseError> {
        match self.dialect {
            Dialect::Sqlite => Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?),
            Dialect::Postgres => Ok(self.writer.begin().await?),
        }
    }

    /// Begins a transaction that writes and has no other of its kind beside it, also among several origins.
    pub(crate) async fn begin_alone(&self, kind: Alone) -> Result<Transaction<'static, Any>, DatabaseError> {
        let mut tx = self.begin_write().await?;
        if self.dialect == Dialect::Postgres {
            let key = i64::from_be_bytes(*b"segue\0\0\0") + kind as i64;
            sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(key).execute(&mut *tx).await?;
        }
        Ok(tx)
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), DatabaseError> {
        sqlx::query("SELECT 1 FROM songs LIMIT 1").fetch_optional(self.fresh()).await?;
        Ok(())
    }

    /// Closes every connection; SQLite's write-ahead log is folded into the file.
    pub(crate) async fn close(&self) {
        for reader in &self.readers {
            reader.pool.close().await;
        }
        self.fresh.close().await;
        self.writer.close().await;
    }
}

fn pool(connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new().max_connections(connections).acquire_timeout(WAIT)
}

#[cfg(test)]
pub(crate) mod testing;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn opens_twice() {
        let place = testing::Place::new().await;
        place.open().await.close().await;
        let database = place.open().await;
        database.ping().await.unwrap();
    }

    #[tokio::test]
    async fn foreign_keys_are_indexed() {
        let place = testing::Place::new().await;
        let database = place.open().await;
        let sql = match database.dialect() {
            Dialect::Sqlite => {
                "SELECT m.name, f.\"from\" FROM sqlite_schema m, pragma_foreign_key_list(m.name) f
                 WHERE m.type = 'table' AND f.seq = 0 AND NOT EXISTS (
                     SELECT 1 FROM pragma_index_list(m.name) l, pragma_index_info(l.name) i
                     WHERE i.seqno = 0 AND i.name = f.\"from\")"
            }
            Dialect::Postgres => {
                "SELECT CAST(c.conrelid AS regclass)::text, CAST(c.conname AS text) FROM pg_constraint c
                 WHERE c.contype = 'f' AND NOT EXISTS (
                     SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])"
            }
        };
        let missing: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(database.fresh()).await.unwrap();
        assert_eq!(missing, []);
    }
}

//! The schema, in steps that only go forward.
//!
//! Steps are written once, in SQLite's words; PostgreSQL has other names for the same types. What only one of the
//! two has stands in a file of its own.

use std::borrow::Cow;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use super::Dialect;

/// One step. A step that was released is never changed: its checksum is in every database.
struct Step {
    version: i64,
    name: &'static str,
    /// For both.
    sql: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! sql {
    ($file:literal) => {
        include_str!(concat!("../../migrations/", $file))
    };
}

/// Oldest first.
const STEPS: &[Step] = &[
    Step { version: 1, name: "catalog", sql: sql!("0001_catalog.sql"), sqlite: "", postgres: "" },
    Step {
        version: 2,
        name: "names",
        sql: "",
        sqlite: sql!("0002_names.sqlite.sql"),
        postgres: sql!("0002_names.postgres.sql"),
    },
    Step { version: 3, name: "accounts", sql: sql!("0003_accounts.sql"), sqlite: "", postgres: "" },
    Step {
        version: 4,
        name: "playlists",
        sql: sql!("0004_playlists.sql"),
        sqlite: sql!("0004_playlists.sqlite.sql"),
        postgres: sql!("0004_playlists.postgres.sql"),
    },
    Step {
        version: 5,
        name: "library",
        sql: sql!("0005_library.sql"),
        sqlite: sql!("0005_library.sqlite.sql"),
        postgres: sql!("0005_library.postgres.sql"),
    },
    Step { version: 6, name: "takedowns", sql: sql!("0006_takedowns.sql"), sqlite: "", postgres: "" },
];

/// The steps for that database.
pub(super) fn migrator(dialect: Dialect) -> Migrator {
    let step = |step: &Step| {
        let sql = sqlx::AssertSqlSafe(step.text(dialect)).into_sql_str();
        Migration::new(step.version, step.name.into(), MigrationType::Simple, sql, false)
    };
    Migrator::with_migrations(STEPS.iter().map(step).collect())
}

impl Step {
    fn text(&self, dialect: Dialect) -> String {
        let (both, own): (Cow<'_, str>, _) = match dialect {
            Dialect::Sqlite => (self.sql.into(), self.sqlite),
            Dialect::Postgres => (in_postgres_words(self.sql).into(), self.postgres),
        };
        // Without a separator: what stands alone must keep its checksum.
        format!("{both}{own}")
    }
}

/// The same tables for PostgreSQL. Text compares by its bytes there too, whatever the database's locale is.
fn in_postgres_words(sql: &str) -> String {
    let words = [
        (" BLOB", " BYTEA"),
        (" INTEGER", " BIGINT"),
        (" REAL", " DOUBLE PRECISION"),
        (" TEXT", " TEXT COLLATE \"C\""),
        (") STRICT, WITHOUT ROWID;", ");"),
        (") STRICT;", ");"),
    ];
    words.iter().fold(sql.to_owned(), |sql, (from, to)| sql.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_get_their_names() {
        let sql =
            "CREATE TABLE a (\n  id BLOB NOT NULL,\n  n  INTEGER,\n  t  TEXT\n) STRICT, WITHOUT ROWID;\n";
        let expected = "CREATE TABLE a (\n  id BYTEA NOT NULL,\n  n  BIGINT,\n  t  TEXT COLLATE \"C\"\n);\n";
        assert_eq!(in_postgres_words(sql), expected);
    }
}

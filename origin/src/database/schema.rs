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
    Step { version: 7, name: "credits", sql: sql!("0007_credits.sql"), sqlite: "", postgres: "" },
    Step { version: 8, name: "generation", sql: sql!("0008_generation.sql"), sqlite: "", postgres: "" },
    Step {
        version: 9,
        name: "finding",
        sql: sql!("0009_finding.sql"),
        sqlite: sql!("0009_finding.sqlite.sql"),
        postgres: "",
    },
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
    use crate::database::{Database, testing};

    #[test]
    fn versions_go_up() {
        assert!(STEPS.is_sorted_by(|a, b| a.version < b.version));
    }

    /// Databases of before plays had accounts are brought along with their plays.
    #[tokio::test]
    async fn old_plays_become_those_of_guests() {
        let place = testing::Place::new().await;
        let dialect = Dialect::of(place.address());
        let address = match dialect {
            Dialect::Sqlite => format!("sqlite://{}?mode=rwc", place.address()),
            Dialect::Postgres => place.address().to_owned(),
        };
        let old = sqlx::AnyPool::connect(&address).await.unwrap();
        let steps = migrator(dialect).iter().filter(|step| step.version <= 3).cloned().collect();
        Migrator::with_migrations(steps).run(&old).await.unwrap();
        for sql in [
            "INSERT INTO artists (id, name, name_folded) VALUES ($1, 'a', 'a')",
            "INSERT INTO assets (asset, rev, imported_at) VALUES ($1, $2, 0)",
            "INSERT INTO songs (id, rev, title, title_folded, artist_id, disc_place, track_place, duration_ms,
                 renditions, added_at, current_since) VALUES ($1, $2, 's', 's', $1, 0, 0, 1, 'aac-128', 0, 0)",
        ] {
            let mut query = sqlx::query(sql).bind(vec![1u8; 16]);
            if sql.contains("$2") {
                query = query.bind(vec![1u8; 6]);
            }
            query.execute(&old).await.unwrap();
        }
        // One in each of two years, and one from a clock that was never set.
        let times = [1u64, 1_735_689_600_000, 1_767_225_600_000];
        for at in times {
            let sql = "INSERT INTO plays (playback_session, song_id, started_at) VALUES ($1, $2, $3)";
            let session = crate::ids::timed_id(at).to_vec();
            sqlx::query(sql).bind(session).bind(vec![1u8; 16]).bind(at as i64).execute(&old).await.unwrap();
        }
        old.close().await;
        let database: Database = place.open().await;
        let rows: Vec<(Vec<u8>, i64, i64)> =
            sqlx::query_as("SELECT user_id, started_at, heard_ms FROM plays ORDER BY playback_session")
                .fetch_all(database.fresh())
                .await
                .unwrap();
        assert_eq!(rows, times.map(|at| (vec![0; 16], at as i64, 0)));
        let (credit, songs): (String, i64) = sqlx::query_as(
            "SELECT s.credit, a.song_count FROM songs s JOIN song_credits c ON c.song_id = s.id
             JOIN artist_songs l ON l.song_id = s.id JOIN artists a ON a.id = c.artist_id AND a.id = l.artist_id",
        )
        .fetch_one(database.fresh())
        .await
        .unwrap();
        assert_eq!((&*credit, songs), ("a", 1), "songs of before are credited to their artist");
        if dialect == Dialect::Postgres {
            let (left,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM plays_elsewhen")
                .fetch_one(database.fresh())
                .await
                .unwrap();
            assert_eq!(left, 0, "each month has a partition");
        }
    }

    #[test]
    fn types_get_their_names() {
        let sql =
            "CREATE TABLE a (\n  id BLOB NOT NULL,\n  n  INTEGER,\n  t  TEXT\n) STRICT, WITHOUT ROWID;\n";
        let expected = "CREATE TABLE a (\n  id BYTEA NOT NULL,\n  n  BIGINT,\n  t  TEXT COLLATE \"C\"\n);\n";
        assert_eq!(in_postgres_words(sql), expected);
    }
}

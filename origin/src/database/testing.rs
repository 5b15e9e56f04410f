//! Databases for tests: a file each, or, where `SEGUE_TEST_POSTGRES` names a server, a database of its own there.

use super::Database;
use crate::accounts::UserId;

/// Where one test keeps its data. The file goes with it; a database of the server stays until the server goes.
pub(crate) struct Place {
    address: String,
    _dir: tempfile::TempDir,
}

impl Place {
    pub(crate) async fn new() -> Self {
        sqlx::any::install_default_drivers();
        let dir = tempfile::tempdir().unwrap();
        let address = match std::env::var("SEGUE_TEST_POSTGRES") {
            Ok(server) => {
                let name = crate::ids::chance::<8>();
                let address = format!("{server}/test_{}", hex::encode(name));
                <sqlx::Any as sqlx::migrate::MigrateDatabase>::create_database(&address).await.unwrap();
                address
            }
            Err(_) => dir.path().join("catalog.db").to_string_lossy().into_owned(),
        };
        Self { address, _dir: dir }
    }

    /// As [`Database::open`] takes it.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) async fn open(&self) -> Database {
        Database::open(&self.address, &[], 2).await.unwrap()
    }
}

/// Adds a song, its artist and its album; their identifiers are 16 times `n`, 100 + `n` % 2 and 200 + `n` % 2.
pub(crate) async fn add_song(database: &Database, n: u8, duration_ms: u64) {
    let (song, artist, album) = ([n; 16], [100 + n % 2; 16], [200 + n % 2; 16]);
    let mut tx = database.begin_write().await.unwrap();
    let artists =
        "INSERT INTO artists (id, name, name_folded) VALUES ($1, 'a', 'a') ON CONFLICT (id) DO NOTHING";
    sqlx::query(artists).bind(&artist[..]).execute(&mut *tx).await.unwrap();
    let albums = "INSERT INTO albums (id, artist_id, title, title_folded) VALUES ($1, $2, 'a', 'a')
                  ON CONFLICT (id) DO NOTHING";
    sqlx::query(albums).bind(&album[..]).bind(&artist[..]).execute(&mut *tx).await.unwrap();
    let assets = "INSERT INTO assets (asset, rev, imported_at) VALUES ($1, $2, 0)";
    sqlx::query(assets).bind(&song[..]).bind(&song[..6]).execute(&mut *tx).await.unwrap();
    let songs =
        "INSERT INTO songs (id, rev, title, title_folded, artist_id, album_id, disc_place, track_place,
                     duration_ms, renditions, added_at, current_since)
                 VALUES ($1, $2, 's', 's', $3, $4, 0, 0, $5, 'aac-128', 0, 0)";
    let songs = sqlx::query(songs).bind(&song[..]).bind(&song[..6]).bind(&artist[..]).bind(&album[..]);
    songs.bind(duration_ms as i64).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
}

/// Adds an account; its identifier is 16 times `n`.
pub(crate) async fn add_user(database: &Database, n: u8) -> UserId {
    let id = UserId::from([n; 16]);
    let mut tx = database.begin_write().await.unwrap();
    let sql =
        "INSERT INTO users (id, username, username_key, name, email, email_key, password, role, created_at)
               VALUES ($1, $2, $2, $2, $2, $2, '', 'listener', 0)";
    sqlx::query(sql).bind(id.bytes()).bind(n.to_string()).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    id
}

//! Databases for tests: a file each, or, where `SEGUE_TEST_POSTGRES` names a server, a database of its own there.

use super::Database;

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
                let mut name = [0; 8];
                aws_lc_rs::rand::fill(&mut name).unwrap();
                let address = format!("{server}/test_{}", hex::encode(name));
                <sqlx::Any as sqlx::migrate::MigrateDatabase>::create_database(&address).await.unwrap();
                address
            }
            Err(_) => dir.path().join("catalog.db").to_string_lossy().into_owned(),
        };
        Self { address, _dir: dir }
    }

    pub(crate) async fn open(&self) -> Database {
        Database::open(&self.address, &[], 2).await.unwrap()
    }
}

//! The data folder: store, catalog, keys, secrets, journal; one process at a time.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::secrets::{ensure_keys, ensure_secret};

/// An opened data folder, locked for as long as it lives.
pub(super) struct DataDir {
    root: PathBuf,
    _lock: File,
}

impl DataDir {
    pub(super) fn open(path: &str) -> anyhow::Result<Self> {
        let place = || format!("data folder {path}: cannot be made or written; choose another with --data");
        fs::create_dir_all(path).with_context(place)?;
        let root = fs::canonicalize(path).with_context(place)?;
        let lock = File::create(root.join("lock")).with_context(place)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "data folder {path}: another segue is using it; stop that one, or choose another with --data"
            ),
            Err(TryLockError::Error(error)) => return Err(error).with_context(place),
        }
        fs::create_dir_all(root.join("store")).with_context(place)?;
        Ok(Self { root, _lock: lock })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(super) fn file(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    pub(super) fn store_url(&self) -> String {
        self.file("store")
    }

    /// Path of the signing keys, which are made when there are none.
    pub(super) fn keys(&self) -> anyhow::Result<String> {
        let path = self.path("keys.json");
        ensure_keys(&path)?;
        Ok(path.display().to_string())
    }

    pub(super) fn secret(&self, name: &str) -> anyhow::Result<String> {
        ensure_secret(&self.path(name))
    }

    /// Whether a path lies in the data folder, which must never be ingested.
    pub(super) fn holds(&self, path: &Path) -> bool {
        path.starts_with(&self.root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        let first = DataDir::open(path.to_str().unwrap()).unwrap();
        let error = DataDir::open(path.to_str().unwrap()).err().unwrap().to_string();
        assert!(error.contains("another segue"), "{error}");
        drop(first);
        DataDir::open(path.to_str().unwrap()).unwrap();
    }
}

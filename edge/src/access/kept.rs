//! The last key set, kept in a file: an edge that starts while its origin is gone serves on.

use std::io;
use std::path::{Path, PathBuf};

use segue_manifests::token::KeySet;
use tokio::task::spawn_blocking;

use super::file;
use super::keys::KeyRing;
use super::poll::LIMIT;

/// The file, and what stands in it as far as this process knows.
#[derive(Debug)]
pub(crate) struct Kept {
    file: PathBuf,
    content: Option<KeySet>,
}

impl Kept {
    /// Takes the keys of that file into use, and keeps there what is polled; empty: nowhere.
    pub(crate) fn open(file: &str, ring: &KeyRing) -> Option<Self> {
        if file.is_empty() {
            return None;
        }
        let mut kept = Self { file: file.into(), content: None };
        // Keys that were polled are newer than those that were kept.
        if !ring.is_loaded() {
            kept.load(ring);
        }
        Some(kept)
    }

    /// What is wrong with the file is logged and stops nothing: the origin has keys, too.
    fn load(&mut self, ring: &KeyRing) {
        let shown = self.file.display();
        match read(&self.file) {
            Ok(Some(keys)) => {
                tracing::info!(file = %shown, keys = keys.keys.len(), "signing keys taken from the last run");
                ring.replace(keys.clone());
                self.content = Some(keys);
            }
            Ok(None) => {}
            Err(reason) => tracing::warn!(file = %shown, "the file of signing keys is not used: {reason}"),
        }
    }

    /// Writes keys that were polled, unless they stand there already.
    pub(crate) async fn save(&mut self, keys: &KeySet) {
        if self.content.as_ref() == Some(keys) {
            return;
        }
        let (path, bytes) = (self.file.clone(), keys.to_json());
        let written = spawn_blocking(move || file::write(&path, &bytes)).await;
        match written.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok(()) => self.content = Some(keys.clone()),
            Err(error) => {
                tracing::warn!(file = %self.file.display(), "signing keys cannot be kept: {error}");
            }
        }
    }
}

fn read(path: &Path) -> Result<Option<KeySet>, String> {
    file::read(path, LIMIT)?.map(|bytes| KeySet::from_json(&bytes)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use segue_manifests::token::SigningKeys;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    fn opened(file: &Path) -> (KeyRing, Kept) {
        let ring = KeyRing::default();
        let kept = Kept::open(file.to_str().unwrap(), &ring).unwrap();
        (ring, kept)
    }

    #[tokio::test]
    async fn what_was_kept_is_there_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state/keys.json");
        let (ring, mut kept) = opened(&file);
        assert!(!ring.is_loaded());
        let mut signing = SigningKeys::generate(0);
        kept.save(&signing.public()).await;
        signing.rotate(10, 0).unwrap();
        kept.save(&signing.public()).await;
        assert_eq!(opened(&file).0.current().unwrap().keys, signing.public());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_trusted_is_not_used_and_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.json");
        let keys = SigningKeys::generate(0).public();
        let long = [b"{\"version\":1,\"keys\":[]}".to_vec(), vec![b' '; LIMIT]].concat();
        for (bytes, mode) in
            [(keys.to_json(), 0o666), (keys.to_json(), 0o620), (b"{".to_vec(), 0o600), (long, 0o600)]
        {
            fs::write(&file, bytes).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let (ring, mut kept) = opened(&file);
            assert!(!ring.is_loaded(), "mode {mode:o}");
            kept.save(&keys).await;
            assert!(opened(&file).0.is_loaded());
        }
    }
}

//! The signing keys' file: read at start, read again when it changes.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use segue_manifests::token::{KeyId, KeyState, KeysError, SigningKeys};

use super::revoke::Revocations;
use crate::clock;
use crate::http::{Representation, Variant};

/// Largest key file that is read, bytes.
const MAX_FILE: u64 = 1 << 20;
/// Edges poll; copies between may live as long as an edge could wait.
const KEY_SET_CACHE: &str = "public, max-age=15";

/// A keys file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysFileError {
    /// The file system refuses.
    #[error("keys file {file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// Others may read the secrets.
    #[error("keys file {file}: readable by others (mode {mode:o}); run: chmod 600 {file}")]
    Open {
        /// The file.
        file: String,
        /// Its permissions.
        mode: u32,
    },
    /// The content is not a set of signing keys.
    #[error("keys file {file}: {source}")]
    Content {
        /// The file.
        file: String,
        /// Why.
        source: KeysError,
    },
}

/// The keys in use, with their public halves as edges poll them.
pub(crate) struct Keys {
    pub(crate) signing: SigningKeys,
    pub(crate) public: Representation,
}

impl Keys {
    fn of(signing: SigningKeys) -> Arc<Self> {
        let json = Variant::of(signing.public().to_json().into());
        Arc::new(Self { public: Representation::new("application/json", KEY_SET_CACHE, json), signing })
    }
}

/// Keys that follow their file.
pub(crate) struct KeyRing {
    /// The file, and its state when it was read first.
    file: Option<(PathBuf, Option<Stamp>)>,
    current: ArcSwap<Keys>,
}

/// Tells two states of a file apart.
type Stamp = (Option<SystemTime>, u64);

impl KeyRing {
    /// Opens the keys file, or makes one with new keys. Without a name the keys live in memory.
    pub(crate) fn open(file: &str) -> Result<Self, KeysFileError> {
        if file.is_empty() {
            let current = ArcSwap::new(Keys::of(SigningKeys::generate(clock::now())));
            return Ok(Self { file: None, current });
        }
        let path = PathBuf::from(file);
        if !path.exists() {
            make(&path).map_err(|source| KeysFileError::Io { file: file.to_owned(), source })?;
        }
        let stamp = stamp(&path);
        let current = ArcSwap::new(Keys::of(read(&path)?));
        Ok(Self { file: Some((path, stamp)), current })
    }

    /// The keys in use.
    pub(crate) fn current(&self) -> Arc<Keys> {
        self.current.load_full()
    }

    /// Looks at the file every `interval`, follows its changes, and tells edges of keys that are revoked. A broken file
    /// changes nothing.
    pub(crate) async fn follow(self: Arc<Self>, interval: Duration, revocations: Revocations) {
        let Some((file, mut seen)) = self.file.clone() else { return };
        loop {
            tokio::time::sleep(interval).await;
            let now = stamp(&file);
            if now == seen {
                continue;
            }
            seen = now;
            revocations.keys(&self.reload(&file));
        }
    }

    /// Says which keys are revoked now and were not before.
    fn reload(&self, file: &Path) -> Vec<KeyId> {
        match read(file) {
            Ok(signing) => {
                tracing::info!(kid = %signing.active_kid(), "signing keys changed");
                let after = Keys::of(signing);
                let before = self.current.swap(Arc::clone(&after));
                let known = revoked(&before);
                revoked(&after).difference(&known).copied().collect()
            }
            Err(error) => {
                tracing::error!(%error, "the changed signing keys are not taken, the old ones stay");
                Vec::new()
            }
        }
    }
}

fn revoked(keys: &Keys) -> BTreeSet<KeyId> {
    let all = keys.signing.public().keys.into_iter();
    all.filter(|key| key.state == KeyState::Revoked).map(|key| key.kid).collect()
}

fn stamp(file: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(file).ok()?;
    Some((metadata.modified().ok(), metadata.len()))
}

fn read(path: &Path) -> Result<SigningKeys, KeysFileError> {
    let file = path.display().to_string();
    let io = |source| KeysFileError::Io { file: file.clone(), source };
    let opened = File::open(path).map_err(io)?;
    let metadata = opened.metadata().map_err(io)?;
    let mode = mode_of(&metadata);
    if mode & 0o077 != 0 {
        return Err(KeysFileError::Open { file, mode });
    }
    let mut content = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(opened, MAX_FILE), &mut content).map_err(io)?;
    SigningKeys::from_json(&content).map_err(|source| KeysFileError::Content { file, source })
}

/// Writes new keys beside the place and links them into it, so that no other process ever reads half of them;
/// who comes second uses what the first one made.
fn make(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = private(OpenOptions::new().write(true).create(true).truncate(true)).open(&draft)?;
    file.write_all(&SigningKeys::generate(clock::now()).to_json())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn mode_of(metadata: &fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::mode(metadata) & 0o777
}

#[cfg(not(unix))]
fn mode_of(_: &fs::Metadata) -> u32 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, String) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("sub/keys.json").to_string_lossy().into_owned();
        (dir, file)
    }

    #[test]
    fn keys_are_made_once_and_kept_private() {
        let (_dir, file) = place();
        let first = KeyRing::open(&file).unwrap().current().signing.active_kid();
        assert_eq!(KeyRing::open(&file).unwrap().current().signing.active_kid(), first);
        assert_eq!(mode_of(&fs::metadata(&file).unwrap()), 0o600);
        assert_eq!(fs::read_dir(Path::new(&file).parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_broken_change_is_not_taken() {
        let (_dir, file) = place();
        let ring = KeyRing::open(&file).unwrap();
        let first = ring.current().signing.active_kid();
        fs::write(&file, b"{}").unwrap();
        ring.reload(Path::new(&file));
        assert_eq!(ring.current().signing.active_kid(), first);
        fs::write(&file, SigningKeys::generate(7).to_json()).unwrap();
        assert!(ring.reload(Path::new(&file)).is_empty());
        assert_ne!(ring.current().signing.active_kid(), first);
    }

    #[test]
    fn what_a_change_revokes_is_told_once() {
        let (_dir, file) = place();
        let ring = KeyRing::open(&file).unwrap();
        let mut signing = SigningKeys::from_json(&fs::read(&file).unwrap()).unwrap();
        let revoked = signing.active_kid();
        signing.revoke(revoked, clock::now()).unwrap();
        fs::write(&file, signing.to_json()).unwrap();
        assert_eq!(ring.reload(Path::new(&file)), [revoked]);
        assert!(ring.reload(Path::new(&file)).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_open_to_others_is_refused() {
        let (_dir, file) = place();
        drop(KeyRing::open(&file).unwrap());
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
        let error = KeyRing::open(&file).err().unwrap().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }
}

//! Files that only their owner may read: signing keys and shared secrets.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use segue_manifests::token::SigningKeys;

/// Seconds since the Unix epoch.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Writes a file of mode 0600 whole or not at all.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let staged = path.with_extension(format!("{}.tmp", std::process::id()));
    let write = || -> std::io::Result<()> {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&staged)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&staged, path)
    };
    write()
        .inspect_err(|_| drop(fs::remove_file(&staged)))
        .with_context(|| format!("writing {}", path.display()))
}

/// Reads a file that only its owner may read.
pub(crate) fn read_private(path: &Path) -> anyhow::Result<Vec<u8>> {
    let place = || format!("reading {}", path.display());
    let mode = fs::metadata(path).with_context(place)?.permissions().mode();
    if mode & 0o077 != 0 {
        bail!(
            "{} holds secrets but others may read it (mode {:o}); run chmod 600 on it",
            path.display(),
            mode & 0o777
        );
    }
    fs::read(path).with_context(place)
}

/// Reads signing keys.
pub(crate) fn read_keys(path: &Path) -> anyhow::Result<SigningKeys> {
    SigningKeys::from_json(&read_private(path)?).with_context(|| format!("reading {}", path.display()))
}

/// A secret that nobody can guess.
pub(crate) fn random_secret() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| anyhow::anyhow!("random source: {e}"))?;
    Ok(hex::encode(bytes))
}

/// The secret in a file, made when there is none yet.
pub(crate) fn ensure_secret(path: &Path) -> anyhow::Result<String> {
    if !path.exists() {
        write_private(path, random_secret()?.as_bytes())?;
    }
    let text =
        String::from_utf8(read_private(path)?).with_context(|| format!("{} is not text", path.display()))?;
    match text.trim() {
        "" => bail!("{} is empty; delete it and start again", path.display()),
        secret => Ok(secret.to_owned()),
    }
}

/// Makes signing keys when there are none yet.
pub(crate) fn ensure_keys(path: &Path) -> anyhow::Result<()> {
    if path.exists() {
        read_keys(path).map(drop)
    } else {
        write_private(path, &SigningKeys::generate(now()).to_json())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_private_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let (secret, keys) = (dir.path().join("secret"), dir.path().join("keys.json"));
        let first = ensure_secret(&secret).unwrap();
        assert_eq!((first.len(), ensure_secret(&secret).unwrap()), (64, first));
        ensure_keys(&keys).unwrap();
        let kid = read_keys(&keys).unwrap().active_kid();
        ensure_keys(&keys).unwrap();
        assert_eq!(read_keys(&keys).unwrap().active_kid(), kid);
        for path in [&secret, &keys] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
            fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
            let error = read_private(path).unwrap_err().to_string();
            assert!(error.contains("chmod 600"), "{error}");
        }
    }
}

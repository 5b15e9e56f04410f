//! Files being written, and sweeping those that a crash left behind.
//!
//! Below the store lies `.segue-tmp/`, and in it one folder for each process that writes, holding a `lock` file
//! that the process keeps locked while it lives. The system drops the lock however the process ends, so a
//! folder whose lock is free belongs to the dead. `.segue-tmp/lock` is held while folders are made or swept.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::path::RESERVED_SEGMENT;

const LOCK: &str = "lock";

/// Where files stand until they are complete.
#[derive(Debug)]
pub(super) struct Staging {
    area: PathBuf,
    desk: Mutex<Option<Desk>>,
}

/// This store's own folder, made at its first put so that a store that is only read is never written to.
#[derive(Debug)]
struct Desk {
    path: PathBuf,
    _lock: File,
}

/// A file being written; removed on drop unless it was moved away.
#[derive(Debug)]
pub(super) struct Draft {
    path: PathBuf,
    pub(super) file: File,
}

impl Staging {
    pub(super) fn open(root: &Path) -> Self {
        let area = root.join(RESERVED_SEGMENT);
        match sweep(&area) {
            Ok(0) => {}
            Ok(swept) => {
                tracing::info!(folders = swept, "swept the half-written files of processes that died")
            }
            Err(error) => tracing::debug!(%error, "half-written files cannot be swept; they do no harm"),
        }
        Staging { area, desk: Mutex::new(None) }
    }

    /// A new empty file, in the same file system as the store.
    pub(super) fn draft(&self) -> io::Result<Draft> {
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(desk) = &*desk {
            match Draft::create(&desk.path) {
                // Somebody removed the folder under us: make another one.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                made => return made,
            }
        }
        let path = desk.insert(Desk::make(&self.area)?).path.clone();
        drop(desk);
        Draft::create(&path)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if let Some(desk) = self.desk.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = fs::remove_dir_all(&desk.path);
        }
    }
}

impl Desk {
    fn make(area: &Path) -> io::Result<Self> {
        fs::create_dir_all(area)?;
        let _guard = lock_area(area)?;
        let path = area.join(random_name()?);
        fs::create_dir(&path)?;
        let lock = File::create_new(path.join(LOCK))?;
        match lock.try_lock() {
            // Where files cannot be locked nobody can sweep either.
            Err(TryLockError::Error(error)) if error.kind() != io::ErrorKind::Unsupported => Err(error),
            _ => Ok(Desk { path, _lock: lock }),
        }
    }
}

impl Draft {
    fn create(desk: &Path) -> io::Result<Self> {
        let path = desk.join(random_name()?);
        let file = File::create_new(&path)?;
        Ok(Draft { path, file })
    }

    /// Gives the file its name in the store, in one step. On failure the draft stays as it is.
    pub(super) fn rename(&self, destination: &Path) -> io::Result<()> {
        fs::rename(&self.path, destination)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After a rename there is nothing under this name any more.
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes the folders whose owner no longer lives; returns how many.
fn sweep(area: &Path) -> io::Result<usize> {
    if !area.is_dir() {
        return Ok(0);
    }
    let _guard = lock_area(area)?;
    let mut swept = 0;
    for entry in fs::read_dir(area)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() && is_abandoned(&entry.path())? {
            fs::remove_dir_all(entry.path())?;
            swept += 1;
        }
    }
    Ok(swept)
}

fn is_abandoned(desk: &Path) -> io::Result<bool> {
    match File::open(desk.join(LOCK)) {
        Ok(lock) => Ok(lock.try_lock().is_ok()),
        // Its maker died in between; a living one would hold the area's lock.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

fn lock_area(area: &Path) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(area.join(LOCK))?;
    match file.lock() {
        Err(error) if error.kind() != io::ErrorKind::Unsupported => Err(error),
        _ => Ok(file),
    }
}

fn random_name() -> io::Result<String> {
    let number = getrandom::u64().map_err(io::Error::other)?;
    Ok(format!("{number:016x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeps_the_dead_and_spares_the_living() {
        let root = tempfile::tempdir().unwrap();
        let living = Staging::open(root.path());
        let draft = living.draft().unwrap();
        let dead = root.path().join(RESERVED_SEGMENT).join("dead");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(LOCK), "").unwrap();
        fs::write(dead.join("half"), "ha").unwrap();
        fs::create_dir(root.path().join(RESERVED_SEGMENT).join("unlocked")).unwrap();

        let _other = Staging::open(root.path());
        assert!(!dead.exists());
        assert!(draft.path.exists());
        drop(draft);
        drop(living);
        let left: Vec<_> = fs::read_dir(root.path().join(RESERVED_SEGMENT)).unwrap().collect();
        assert_eq!(left.len(), 1, "only the area's own lock file stays: {left:?}");
    }

    #[test]
    fn makes_another_folder_when_its_own_was_removed() {
        let root = tempfile::tempdir().unwrap();
        let staging = Staging::open(root.path());
        drop(staging.draft().unwrap());
        fs::remove_dir_all(root.path().join(RESERVED_SEGMENT)).unwrap();
        let draft = staging.draft().unwrap();
        draft.rename(&root.path().join("a")).unwrap();
        drop(draft);
        assert!(root.path().join("a").exists());
    }

    #[test]
    fn reading_leaves_no_trace() {
        let root = tempfile::tempdir().unwrap();
        drop(Staging::open(root.path()));
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }
}

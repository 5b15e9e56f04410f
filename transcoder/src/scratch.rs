//! Room for half-made objects: a folder of temporary files that goes away on every path, a killed process included.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const PREFIX: &str = "segue-scratch-";
const LOCK: &str = "lock";
const ATTEMPTS: usize = 8;

/// A folder of this process. While it lives it holds a file lock; folders whose lock nobody holds were left behind
/// by a process that was killed, and the next one to open its own sweeps them.
#[derive(Debug)]
pub(crate) struct Scratch {
    root: PathBuf,
    next: AtomicU64,
    _lock: File,
}

impl Scratch {
    /// Sweeps what killed processes left in `parent` and makes a folder there.
    pub(crate) fn open(parent: &Path) -> io::Result<Arc<Self>> {
        fs::create_dir_all(parent)?;
        sweep(parent);
        for _ in 0..ATTEMPTS {
            let root = parent.join(format!("{PREFIX}{}", random_name()?));
            // A sweep between making and locking takes the folder away; then another one is made.
            match claim(&root) {
                Ok(lock) => return Ok(Arc::new(Self { root, next: AtomicU64::new(0), _lock: lock })),
                Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists) => {}
                Err(e) => return Err(e),
            }
        }
        Err(io::Error::other("temporary folders vanish as soon as they are made"))
    }

    /// An empty folder for one job, removed with all it holds when dropped. The scratch folder lives as long.
    pub(crate) fn job(self: &Arc<Self>) -> io::Result<JobDir> {
        let path = self.root.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        fs::create_dir(&path)?;
        Ok(JobDir { path, _scratch: Arc::clone(self) })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// The folder of one job.
#[derive(Debug)]
pub(crate) struct JobDir {
    path: PathBuf,
    _scratch: Arc<Scratch>,
}

impl JobDir {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for JobDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn claim(root: &Path) -> io::Result<File> {
    private_dir().create(root)?;
    let path = root.join(LOCK);
    let lock = OpenOptions::new().write(true).create_new(true).open(&path)?;
    lock.lock()?;
    fs::metadata(&path)?;
    Ok(lock)
}

fn private_dir() -> DirBuilder {
    #[allow(unused_mut)]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

fn random_name() -> io::Result<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(hex::encode(bytes))
}

fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        // `file_type` does not follow links: a planted link is no folder.
        if ours && entry.file_type().is_ok_and(|kind| kind.is_dir()) && is_abandoned(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
            tracing::info!("removed temporary files that a killed process had left");
        }
    }
}

fn is_abandoned(root: &Path) -> bool {
    match File::open(root.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok(),
        // Killed before the lock was made. Only an empty folder goes this way, and its owner makes another.
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let _ = fs::remove_dir(root);
            false
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(path: &Path) -> Vec<String> {
        let names = fs::read_dir(path).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(PREFIX)).collect()
    }

    #[test]
    fn nothing_stays_behind() {
        let parent = tempfile::tempdir().unwrap();
        let scratch = Scratch::open(parent.path()).unwrap();
        let job = scratch.job().unwrap();
        fs::write(job.path().join("half.mp4"), "x").unwrap();
        let path = job.path().to_owned();
        drop(job);
        assert!(!path.exists());
        drop(scratch);
        assert_eq!(entries(parent.path()), [""; 0]);
    }

    #[test]
    fn leavings_are_swept_and_the_living_are_not() {
        let parent = tempfile::tempdir().unwrap();
        let dead = parent.path().join(format!("{PREFIX}dead"));
        fs::create_dir_all(dead.join("0")).unwrap();
        fs::write(dead.join(LOCK), "").unwrap();
        let empty = parent.path().join(format!("{PREFIX}empty"));
        fs::create_dir(&empty).unwrap();
        let foreign = parent.path().join("music");
        fs::create_dir(&foreign).unwrap();
        let living = Scratch::open(parent.path()).unwrap();
        let job = living.job().unwrap();
        let _other = Scratch::open(parent.path()).unwrap();
        assert!(!dead.exists() && !empty.exists());
        assert!(foreign.exists() && job.path().exists());
        assert_eq!(entries(parent.path()).len(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn a_planted_link_is_not_followed() {
        let (parent, victim) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(victim.path().join(LOCK), "").unwrap();
        std::os::unix::fs::symlink(victim.path(), parent.path().join(format!("{PREFIX}trap"))).unwrap();
        let _scratch = Scratch::open(parent.path()).unwrap();
        assert!(victim.path().join(LOCK).exists());
    }
}

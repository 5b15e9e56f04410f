//! The folder itself: is it still there, and does a path stay below it.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::Target;
use crate::error::{Error, ErrorKind};

/// The folder below which everything lies.
#[derive(Debug)]
pub(super) struct Root {
    /// Absolute, without symbolic links.
    path: PathBuf,
    identity: Identity,
}

/// What tells a folder from another one mounted or made in its place: device and inode.
#[derive(Debug, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Identity(metadata.dev(), metadata.ino())
    }

    #[cfg(not(unix))]
    fn of(_metadata: &Metadata) -> Self {
        Identity(0, 0)
    }
}

impl Root {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let failed = |error| Error::io(format!("folder open {}", path.display()), error);
        fs::create_dir_all(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                let reason = "a part of the path is a file, not a folder; correct the address";
                Error::new(ErrorKind::Path, format!("folder open {}", path.display()), reason)
                    .with_source(error)
            }
            _ => failed(error),
        })?;
        let path = path.canonicalize().map_err(failed)?;
        let identity = Identity::of(&fs::metadata(&path).map_err(failed)?);
        Ok(Root { path, identity })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Fails when the folder has vanished, or an empty one stands in its place as after an unmount. Without
    /// this, a store that is gone would look like one whose objects were all deleted.
    pub(super) fn check_present(&self) -> Result<(), Error> {
        let gone = |reason: &str| {
            let reason = format!("{reason}; mount or restore it and try again");
            Error::new(ErrorKind::Unavailable, format!("folder {}", self.path.display()), reason)
        };
        let metadata = match fs::metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) => return Err(gone("the folder is gone").with_source(error)),
        };
        if Identity::of(&metadata) != self.identity && is_empty(&self.path) {
            return Err(gone("another, empty folder stands in its place"));
        }
        Ok(())
    }

    /// The real path of a regular file.
    pub(super) fn file(&self, target: &Target) -> Result<(PathBuf, Metadata), Error> {
        let real = match self.path.join(&target.path).canonicalize() {
            Ok(real) => real,
            Err(error) if is_absent(&error) => return self.absent(target),
            Err(error) => return Err(Error::io(&target.place, error)),
        };
        self.check_below(&real, target)?;
        match fs::symlink_metadata(&real) {
            Ok(metadata) if metadata.is_file() => Ok((real, metadata)),
            Ok(_) => self.absent(target),
            Err(error) if is_absent(&error) => self.absent(target),
            Err(error) => Err(Error::io(&target.place, error)),
        }
    }

    /// The real path of the folder that holds an object, if there is one.
    pub(super) fn parent(&self, target: &Target) -> Result<Option<PathBuf>, Error> {
        let parents = split(&target.path).0;
        match self.path.join(parents).canonicalize() {
            Ok(real) => self.check_below(&real, target).map(|()| Some(real)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(Error::io(&target.place, error)),
        }
    }

    /// As [`Root::parent`], making what is not there. Each new folder is on disk before anything is put in it.
    pub(super) fn make_parent(&self, target: &Target) -> Result<PathBuf, Error> {
        if let Some(parent) = self.parent(target)? {
            return Ok(parent);
        }
        let mut parent = self.path.clone();
        for name in split(&target.path).0.split('/') {
            parent = self.make_child(&parent, name, target)?;
        }
        Ok(parent)
    }

    fn make_child(&self, parent: &Path, name: &str, target: &Target) -> Result<PathBuf, Error> {
        let failed = |error| Error::io(&target.place, error);
        let child = parent.join(name);
        match fs::create_dir(&child) {
            Ok(()) => sync_dir(parent).map_err(failed)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
        let real = child.canonicalize().map_err(failed)?;
        self.check_below(&real, target)?;
        Ok(real)
    }

    fn check_below(&self, real: &Path, target: &Target) -> Result<(), Error> {
        match real.starts_with(&self.path) {
            true => Ok(()),
            false => {
                let reason = "a symbolic link leads outside the store; remove the link";
                Err(Error::new(ErrorKind::Path, &target.place, reason))
            }
        }
    }

    fn absent<T>(&self, target: &Target) -> Result<T, Error> {
        self.check_present()?;
        Err(Error::not_found(&target.place))
    }
}

/// The folder part (without its slash, or empty) and the name of a checked path.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// No such file, or a parent that is itself an object: either way nothing lies there.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn is_empty(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// Makes the names in a folder outlive a power cut.
#[cfg(unix)]
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    fs::File::open(path)?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_dir(_path: &Path) -> io::Result<()> {
    Ok(())
}

//! Put and delete.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::root::{Root, is_absent, split, sync_dir};
use super::staging::Draft;
use super::{Inner, Target};
use crate::Payload;
use crate::error::{Error, ErrorKind};

/// How often a put makes its folder anew when a delete beside it prunes the folder as empty.
const PRUNE_RACES: usize = 16;

/// Writes beside the store's objects, makes it durable, then gives it its name in one step.
pub(super) fn put(inner: &Inner, target: &Target, payload: Payload) -> Result<(), Error> {
    let failed = |error| Error::io(&target.place, error);
    inner.root.check_present()?;
    let mut draft = inner.staging.draft().map_err(failed)?;
    fill(&mut draft.file, target, payload)?;
    draft.file.sync_all().map_err(failed)?;
    publish(&inner.root, target, &draft)
}

fn fill(file: &mut File, target: &Target, payload: Payload) -> Result<(), Error> {
    let failed = |error| Error::io(&target.place, error);
    match payload {
        Payload::Bytes(bytes) => file.write_all(&bytes).map_err(failed),
        Payload::File(path) => {
            let (mut source, size) = open_source(&path).map_err(|error| {
                let reason = "the file to store cannot be read";
                Error::new(ErrorKind::Other, &target.place, reason).with_source(error)
            })?;
            let copied = io::copy(&mut source, file).map_err(failed)?;
            if copied == size {
                return Ok(());
            }
            Err(Error::new(ErrorKind::Other, &target.place, "the file to store changed while it was read"))
        }
    }
}

fn open_source(path: &Path) -> io::Result<(File, u64)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    match metadata.is_file() {
        true => Ok((file, metadata.len())),
        false => Err(io::Error::other("not a regular file")),
    }
}

/// Gives the draft its name; again when a delete beside it has just pruned the folder as empty.
fn publish(root: &Root, target: &Target, draft: &Draft) -> Result<(), Error> {
    for _ in 0..PRUNE_RACES {
        match place(root, target, draft) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            done => return done,
        }
    }
    let reason =
        "its folder does not last; look for a dangling symbolic link or a program that removes folders";
    Err(Error::new(ErrorKind::Other, &target.place, reason))
}

fn place(root: &Root, target: &Target, draft: &Draft) -> Result<(), Error> {
    let failed = |error| Error::io(&target.place, error);
    let parent = root.make_parent(target)?;
    draft.rename(&parent.join(split(&target.path).1)).map_err(failed)?;
    sync_dir_if_there(&parent).map_err(failed)
}

/// The folder can be gone again when the object was deleted at once.
fn sync_dir_if_there(path: &Path) -> io::Result<()> {
    match sync_dir(path) {
        Err(error) if is_absent(&error) => Ok(()),
        done => done,
    }
}

/// Removes the object and the folders that this leaves empty.
pub(super) fn delete(root: &Root, target: &Target) -> Result<(), Error> {
    let Some(parent) = root.parent(target)? else { return root.check_present() };
    let path = parent.join(split(&target.path).1);
    match fs::symlink_metadata(&path) {
        // A folder is no object: nothing to remove.
        Ok(metadata) if metadata.is_dir() => return Ok(()),
        Ok(_) => {}
        Err(error) if is_absent(&error) => return root.check_present(),
        Err(error) => return Err(Error::io(&target.place, error)),
    }
    match fs::remove_file(&path) {
        Ok(()) => prune(root, &parent),
        Err(error) if is_absent(&error) => {}
        Err(error) => return Err(Error::io(&target.place, error)),
    }
    Ok(())
}

/// Removes `folder` and its parents up to the root as long as they are empty.
fn prune(root: &Root, folder: &Path) {
    let inside = folder.ancestors().take_while(|ancestor| *ancestor != root.path());
    for folder in inside {
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

//! List: a walk in byte order that holds the names of one folder per level, and no thread while it waits.

use std::fs::{self, DirEntry};
use std::sync::Arc;

use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};

use super::read::meta;
use super::root::{is_absent, split};
use super::{Inner, Target, blocking};
use crate::ObjectMeta;
use crate::error::{Error, ErrorKind};
use crate::path::{RESERVED_SEGMENT, check_path, check_prefix};

/// Objects looked at in one trip to the disk's threads.
const BATCH: usize = 256;

pub(super) fn list(inner: Arc<Inner>, prefix: &str) -> BoxStream<'static, Result<ObjectMeta, Error>> {
    if let Err(error) = check_prefix(prefix) {
        return stream::iter([Err(error)]).boxed();
    }
    let walk = Walk { inner, prefix: prefix.to_owned(), levels: None };
    let batches =
        stream::try_unfold(walk, |walk| async move { blocking("folder list", move || walk.batch()).await });
    batches.map_ok(|batch| stream::iter(batch).map(Ok)).try_flatten().boxed()
}

/// A walk under way. Folders carry their final slash, which puts every path in byte order.
struct Walk {
    inner: Arc<Inner>,
    prefix: String,
    /// The paths still to visit, last first, for each folder from the start down; `None` before the start.
    levels: Option<Vec<Vec<String>>>,
}

impl Walk {
    /// The next objects, at most [`BATCH`]; `None` at the end.
    fn batch(mut self) -> Result<Option<(Vec<ObjectMeta>, Self)>, Error> {
        let mut levels = match self.levels.take() {
            Some(levels) => levels,
            None => vec![self.start()?],
        };
        let mut batch = Vec::new();
        while batch.len() < BATCH {
            let Some(level) = levels.last_mut() else { break };
            match level.pop() {
                None => drop(levels.pop()),
                Some(path) if path.ends_with('/') => levels.push(self.folder(&path)?),
                Some(path) => batch.extend(self.object(path)?),
            }
        }
        if batch.is_empty() {
            return Ok(None);
        }
        self.levels = Some(levels);
        Ok(Some((batch, self)))
    }

    /// The names in the folder where everything with this prefix lies.
    fn start(&self) -> Result<Vec<String>, Error> {
        self.inner.root.check_present()?;
        match split(&self.prefix).0 {
            "" => self.folder(""),
            parents => self.folder(&format!("{parents}/")),
        }
    }

    /// The names in a folder (given with its slash) that can hold something with this prefix.
    fn folder(&self, folder: &str) -> Result<Vec<String>, Error> {
        let failed = |error| Error::io(format!("folder list {folder}"), error);
        let wanted = self.inner.root.path().join(folder.trim_end_matches('/'));
        // A folder behind a symbolic link is not walked: links can go in circles.
        match wanted.canonicalize() {
            Ok(real) if real == wanted => {}
            Ok(_) => return Ok(Vec::new()),
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        }
        let entries = match fs::read_dir(&wanted) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            names.extend(self.name(folder, &entry).filter(|path| self.can_match(path)));
        }
        names.sort_unstable_by(|a, b| b.cmp(a));
        Ok(names)
    }

    /// The path of an entry, with a slash when it is a folder; `None` for what no path can name.
    fn name(&self, folder: &str, entry: &DirEntry) -> Option<String> {
        let name = entry.file_name().into_string().ok()?;
        if folder.is_empty() && name == RESERVED_SEGMENT {
            return None;
        }
        let path = format!("{folder}{name}");
        check_path(&path).ok()?;
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => Some(path + "/"),
            Ok(_) => Some(path),
            Err(_) => None,
        }
    }

    fn can_match(&self, path: &str) -> bool {
        path.starts_with(&self.prefix) || (path.ends_with('/') && self.prefix.starts_with(path))
    }

    /// The object at a path; `None` when it is gone by now, or is no regular file of this store.
    fn object(&self, path: String) -> Result<Option<ObjectMeta>, Error> {
        let target = Target { place: format!("folder list {path}"), path };
        match self.inner.root.file(&target) {
            Ok((_, metadata)) => Ok(Some(meta(&target.path, &metadata))),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Path) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

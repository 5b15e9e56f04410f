//! The embedded store: objects are plain files below one folder.
//!
//! | file | concern |
//! |---|---|
//! | `root.rs` | the folder itself: is it still there, and does a path stay below it |
//! | `staging.rs` | files being written, and sweeping those that a crash left behind |
//! | `write.rs` | put and delete |
//! | `read.rs` | get and head |
//! | `walk.rs` | list |

mod read;
mod root;
mod staging;
mod walk;
mod write;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::BoxStream;

use crate::error::{Error, ErrorKind};
use crate::path::check_path;
use crate::{Object, ObjectMeta, Payload, Storage};
use root::Root;
use staging::Staging;

/// Objects as plain files below a folder of the local machine.
///
/// The folder may be read and copied with ordinary tools at any time. Files being written stand in
/// `.segue-tmp` inside it until they are complete and on disk.
#[derive(Debug)]
pub struct Folder {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    root: Root,
    staging: Staging,
}

impl Folder {
    /// Opens the folder, making it when it is not there, and sweeps the half-written files of processes that
    /// died. Files that another live process is writing stay.
    ///
    /// # Errors
    /// When the folder cannot be made or looked at.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        blocking("folder open", move || {
            let root = Root::open(&path)?;
            let staging = Staging::open(root.path());
            Ok(Folder { inner: Arc::new(Inner { root, staging }) })
        })
        .await
    }

    /// The folder, absolute and without symbolic links.
    pub fn path(&self) -> &Path {
        self.inner.root.path()
    }

    /// Runs `work` on a checked object path, on a thread that may wait for the disk.
    async fn on_object<T: Send + 'static>(
        &self,
        operation: &'static str,
        path: &str,
        work: impl FnOnce(&Inner, &Target) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        check_path(path)?;
        let target = Target { path: path.to_owned(), place: format!("folder {operation} {path}") };
        let inner = Arc::clone(&self.inner);
        blocking(operation, move || work(&inner, &target)).await
    }
}

/// A checked object path with the words for errors about it.
#[derive(Debug)]
struct Target {
    path: String,
    place: String,
}

#[async_trait]
impl Storage for Folder {
    async fn put(&self, path: &str, payload: Payload, _content_type: &str) -> Result<(), Error> {
        self.on_object("put", path, move |inner, target| write::put(inner, target, payload)).await
    }

    async fn get(&self, path: &str, range: Option<Range<u64>>) -> Result<Object, Error> {
        let opened = self.on_object("get", path, move |inner, target| read::open(&inner.root, target, range));
        Ok(opened.await?.into_object())
    }

    async fn head(&self, path: &str) -> Result<ObjectMeta, Error> {
        self.on_object("head", path, |inner, target| read::head(&inner.root, target)).await
    }

    fn list(&self, prefix: &str) -> BoxStream<'static, Result<ObjectMeta, Error>> {
        walk::list(Arc::clone(&self.inner), prefix)
    }

    async fn delete(&self, path: &str) -> Result<(), Error> {
        self.on_object("delete", path, |inner, target| write::delete(&inner.root, target)).await
    }
}

/// Runs `work` where waiting for the disk holds up nobody else.
async fn blocking<T: Send + 'static>(
    place: &'static str,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(gone) => Err(Error::new(ErrorKind::Other, place, "the work was given up").with_source(gone)),
    }
}

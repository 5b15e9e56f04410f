//! The contract that every store fulfils.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::BoxStream;

use crate::{Error, Object, ObjectMeta, Payload};

/// A store that is shared between tasks.
pub type StorageRef = Arc<dyn Storage>;

/// A store of objects under `/`-separated paths (see [`check_path`](crate::check_path)).
///
/// Promises of every implementation, held by one contract suite:
/// - An object is whole or absent: no reader, listing or crash ever meets a part of one. Putting to a path
///   that is taken replaces the object in one step; readers of the old one keep it to their end or get an
///   error, never a mixture.
/// - When `put` returns, the object can be read by everybody and outlives a crash of the machine (memory
///   aside).
/// - Cancelling a call (dropping its future) leaves either the old or the new state.
/// - An invalid path is [`ErrorKind::Path`](crate::ErrorKind::Path), whatever the operation.
/// - An object's path should not also be the beginning of another's (`a` beside `a/b`): S3 and memory hold
///   both, a folder cannot and answers `Path`.
#[async_trait]
pub trait Storage: Send + Sync + Debug {
    /// Writes a whole object, replacing what was there. `content_type` is kept where the store can (S3).
    async fn put(&self, path: &str, payload: Payload, content_type: &str) -> Result<(), Error>;

    /// Opens an object, or the bytes `range` (offsets, end exclusive) of it.
    ///
    /// A range that is empty or does not lie wholly within the object is
    /// [`ErrorKind::Range`](crate::ErrorKind::Range); an absent object is `NotFound`.
    async fn get(&self, path: &str, range: Option<Range<u64>>) -> Result<Object, Error>;

    /// Size and entity-tag of an object; absent is `NotFound`.
    async fn head(&self, path: &str) -> Result<ObjectMeta, Error>;

    /// Every object whose path begins with `prefix` (a text prefix: `a/b` also matches `a/bc`), in byte order
    /// of the paths. Ends at its first error. Entity-tags may be missing in a listing.
    fn list(&self, prefix: &str) -> BoxStream<'static, Result<ObjectMeta, Error>>;

    /// Removes an object; an absent one is fine.
    async fn delete(&self, path: &str) -> Result<(), Error>;
}

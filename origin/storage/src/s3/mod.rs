//! The S3 backend: AWS and what speaks its protocol (Garage, MinIO, Ceph).
//!
//! | file | concern |
//! |---|---|
//! | `options.rs` | settings, and the client made of them |
//! | `transport.rs` | HTTP with and without TLS |
//! | `read.rs` | get and head |
//! | `write.rs` | put: one request for small objects |
//! | `multipart.rs` | put: parts for large ones, given up cleanly on failure |
//! | `list.rs` | list, page by page |
//! | `fault.rs` | what the service's errors mean |

mod fault;
mod list;
mod multipart;
mod options;
mod read;
mod transport;
mod write;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use futures_util::stream::BoxStream;

use crate::error::{Error, ErrorKind};
use crate::path::{MAX_PATH_BYTES, check_path};
use crate::{Object, ObjectMeta, Payload, Storage};
pub use options::{S3Credentials, S3Options};

/// Objects in a bucket, below an optional prefix.
///
/// It makes every request once (parts of a large object and pages of a listing are repeated a few times):
/// wrap it in [`Retrying`](crate::Retrying), as [`open`](crate::open) does.
pub struct S3 {
    bucket: Arc<Bucket>,
}

/// The bucket and how to reach it.
struct Bucket {
    client: Client,
    name: String,
    /// Empty, or ends in a slash.
    prefix: String,
    part_bytes: u64,
}

impl S3 {
    /// Prepares the client; nothing is sent yet, so an unreachable bucket shows at the first operation.
    ///
    /// # Errors
    /// [`ErrorKind::Other`] for settings that cannot work.
    pub async fn open(options: S3Options) -> Result<Self, Error> {
        options.check()?;
        let client = options.client().await;
        let prefix = match options.prefix.as_str() {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        let bucket = Bucket { client, name: options.bucket, prefix, part_bytes: options.part_bytes };
        Ok(S3 { bucket: Arc::new(bucket) })
    }

    fn target(&self, operation: &'static str, path: &str) -> Result<Target, Error> {
        check_path(path)?;
        let object_key = format!("{}{path}", self.bucket.prefix);
        let place = format!("s3 {operation} {}/{object_key}", self.bucket.name);
        if object_key.len() > MAX_PATH_BYTES {
            let reason = "the path is longer than 1024 bytes with the store's prefix; use a shorter prefix";
            return Err(Error::new(ErrorKind::Path, place, reason));
        }
        Ok(Target { path: path.to_owned(), object_key, place })
    }
}

/// A checked object path, the object key that it has in the bucket, and the words for errors about it.
#[derive(Clone, Debug)]
struct Target {
    path: String,
    object_key: String,
    place: String,
}

#[async_trait]
impl Storage for S3 {
    async fn put(&self, path: &str, payload: Payload, content_type: &str) -> Result<(), Error> {
        let target = self.target("put", path)?;
        write::put(&self.bucket, &target, payload, content_type).await
    }

    async fn get(&self, path: &str, range: Option<Range<u64>>) -> Result<Object, Error> {
        let target = self.target("get", path)?;
        read::get(&self.bucket, target, range).await
    }

    async fn head(&self, path: &str) -> Result<ObjectMeta, Error> {
        let target = self.target("head", path)?;
        read::head(&self.bucket, target).await
    }

    fn list(&self, prefix: &str) -> BoxStream<'static, Result<ObjectMeta, Error>> {
        list::list(Arc::clone(&self.bucket), prefix)
    }

    async fn delete(&self, path: &str) -> Result<(), Error> {
        let target = self.target("delete", path)?;
        write::delete(&self.bucket, &target).await
    }
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Bucket { name, prefix, .. } = &*self.bucket;
        f.debug_struct("S3").field("bucket", name).field("prefix", prefix).finish_non_exhaustive()
    }
}

//! Put and delete: one request each, unless the object is large.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::{Bucket, Target, fault, multipart};
use crate::Payload;
use crate::error::{Error, ErrorKind};

pub(super) async fn put(
    bucket: &Arc<Bucket>,
    target: &Target,
    payload: Payload,
    content_type: &str,
) -> Result<(), Error> {
    let size = payload.size().await.map_err(|error| unreadable(target, error))?;
    let source = Source::of(payload);
    if size > 2 * bucket.part_bytes {
        return Box::pin(multipart::put(bucket, target, &source, size, content_type)).await;
    }
    let content = source.read(target, 0, size).await?;
    let request = bucket.client.put_object().bucket(&bucket.name).key(&target.object_key);
    let request = request.content_type(content_type).content_length(length(target, size)?);
    let sent = Box::pin(request.body(ByteStream::from(content)).send()).await;
    sent.map(drop).map_err(|error| fault::sort(&target.place, error))
}

pub(super) async fn delete(bucket: &Bucket, target: &Target) -> Result<(), Error> {
    let request = bucket.client.delete_object().bucket(&bucket.name).key(&target.object_key);
    match Box::pin(request.send()).await.map_err(|error| fault::sort(&target.place, error)) {
        // AWS answers 204 for what is absent; some servers do not.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done.map(drop),
    }
}

/// A payload read piece by piece. Each piece is in memory as a whole, so that its digest can be signed:
/// damage on the way is found by the server.
pub(super) enum Source {
    Bytes(Bytes),
    File(PathBuf),
}

impl Source {
    fn of(payload: Payload) -> Self {
        match payload {
            Payload::Bytes(bytes) => Source::Bytes(bytes),
            Payload::File(path) => Source::File(path),
        }
    }

    /// Exactly `size` bytes from `start`, which both lie within the payload's size as it was at the start.
    pub(super) async fn read(&self, target: &Target, start: u64, size: u64) -> Result<Bytes, Error> {
        match self {
            // Within the bytes, whose length is a usize.
            Source::Bytes(bytes) => Ok(bytes.slice(start as usize..(start + size) as usize)),
            Source::File(path) => {
                read_file(path, start, size).await.map_err(|error| unreadable(target, error))
            }
        }
    }
}

async fn read_file(path: &Path, start: u64, size: u64) -> std::io::Result<Bytes> {
    let mut file = tokio::fs::File::open(path).await?;
    file.seek(std::io::SeekFrom::Start(start)).await?;
    let mut content = Vec::with_capacity(usize::try_from(size).map_err(std::io::Error::other)?);
    file.take(size).read_to_end(&mut content).await?;
    match content.len() as u64 == size {
        true => Ok(content.into()),
        false => Err(std::io::Error::other("the file became shorter while it was read")),
    }
}

fn unreadable(target: &Target, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Other, &target.place, "the file to store cannot be read").with_source(error)
}

/// A size as the client wants it.
pub(super) fn length(target: &Target, size: u64) -> Result<i64, Error> {
    i64::try_from(size).map_err(|_| Error::new(ErrorKind::Other, &target.place, "the object is too large"))
}

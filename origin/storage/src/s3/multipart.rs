//! Large objects: uploaded in parts, which the server joins at the end. Until then nothing is visible; when
//! anything fails, or the caller goes away, the upload is given up so that the server forgets its parts.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Config;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::options::quick_retries;
use super::write::{Source, length};
use super::{Bucket, Target, fault};
use crate::error::{Error, ErrorKind};

/// Parts on their way at a time.
const PARALLEL: usize = 4;
/// S3 allows 10 000 parts; larger objects get larger parts.
const MAX_PARTS: u64 = 10_000;
/// Attempts for one part: repeating the whole object for one lost part would be a waste.
const PART_ATTEMPTS: u32 = 4;
/// Longest wait for the server to forget an upload.
const ABORT_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn put(
    bucket: &Arc<Bucket>,
    target: &Target,
    source: &Source,
    size: u64,
    content_type: &str,
) -> Result<(), Error> {
    let upload = begin(bucket, target, content_type).await?;
    match upload.run(bucket, target, source, size).await {
        Ok(()) => {
            upload.done();
            Ok(())
        }
        Err(error) => {
            upload.abort().await;
            Err(error)
        }
    }
}

/// Begins an upload in a task of its own: when the caller goes away before the server has answered, the answer
/// is awaited nevertheless, and the upload, which only it names, given up.
async fn begin(bucket: &Arc<Bucket>, target: &Target, content_type: &str) -> Result<Upload, Error> {
    let (bucket, target, content_type) = (Arc::clone(bucket), target.clone(), content_type.to_owned());
    let place = target.place.clone();
    let beginning = tokio::spawn(async move { Upload::begin(&bucket, &target, &content_type).await });
    match beginning.await {
        Ok(begun) => begun,
        Err(gone) => Err(Error::new(ErrorKind::Other, place, "the upload was given up").with_source(gone)),
    }
}

/// An upload that the server knows of. Dropped before its end, it is given up in the background.
struct Upload {
    handle: Option<Handle>,
    id: String,
}

/// What it takes to give an upload up.
struct Handle {
    client: Client,
    bucket: String,
    object_key: String,
    id: String,
    place: String,
}

impl Upload {
    async fn begin(bucket: &Bucket, target: &Target, content_type: &str) -> Result<Self, Error> {
        let request = bucket.client.create_multipart_upload().bucket(&bucket.name).key(&target.object_key);
        let answer = Box::pin(request.content_type(content_type).send()).await;
        let answer = answer.map_err(|error| fault::sort(&target.place, error))?;
        let nameless = || Error::new(ErrorKind::Other, &target.place, "the server gave the upload no name");
        let id = answer.upload_id.ok_or_else(nameless)?;
        let handle = Handle {
            client: bucket.client.clone(),
            bucket: bucket.name.clone(),
            object_key: target.object_key.clone(),
            id: id.clone(),
            place: target.place.clone(),
        };
        Ok(Upload { handle: Some(handle), id })
    }

    async fn run(&self, bucket: &Bucket, target: &Target, source: &Source, size: u64) -> Result<(), Error> {
        let ranges = split(size, bucket.part_bytes);
        let numbered = (1..).zip(ranges);
        let sends = numbered.map(|(number, range)| self.part(bucket, target, source, number, range));
        let parts: Result<Vec<_>, Error> = stream::iter(sends).buffered(PARALLEL).try_collect().await;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts?)).build();
        let request = bucket.client.complete_multipart_upload().bucket(&bucket.name).key(&target.object_key);
        let sent = Box::pin(request.upload_id(&self.id).multipart_upload(parts).send()).await;
        sent.map(drop).map_err(|error| fault::sort(&target.place, error))
    }

    async fn part(
        &self,
        bucket: &Bucket,
        target: &Target,
        source: &Source,
        number: i32,
        range: Range<u64>,
    ) -> Result<CompletedPart, Error> {
        let size = range.end - range.start;
        let content = source.read(target, range.start, size).await?;
        let request = bucket.client.upload_part().bucket(&bucket.name).key(&target.object_key);
        let request = request.upload_id(&self.id).part_number(number).content_length(length(target, size)?);
        let retrying = Config::builder().retry_config(quick_retries(PART_ATTEMPTS));
        let sending = request.body(ByteStream::from(content)).customize().config_override(retrying).send();
        let answer = Box::pin(sending).await.map_err(|error| fault::sort(&target.place, error))?;
        Ok(CompletedPart::builder().part_number(number).set_e_tag(answer.e_tag).build())
    }

    fn done(mut self) {
        self.handle = None;
    }

    async fn abort(mut self) {
        if let Some(handle) = self.handle.take() {
            handle.abort().await;
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let (Some(handle), Ok(runtime)) = (self.handle.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(handle.abort());
        }
    }
}

impl Handle {
    async fn abort(self) {
        let request = self.client.abort_multipart_upload().bucket(&self.bucket).key(&self.object_key);
        let sending = Box::pin(request.upload_id(&self.id).send());
        let error = match tokio::time::timeout(ABORT_TIMEOUT, sending).await {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => fault::sort(&self.place, error),
            Err(elapsed) => Error::new(ErrorKind::Timeout, &self.place, "no answer").with_source(elapsed),
        };
        if error.kind() != ErrorKind::NotFound {
            tracing::warn!(%error, "parts of a broken upload stay in the bucket until its lifecycle rule removes them");
        }
    }
}

/// Equal parts, the last one shorter; larger than `part` when there would be too many.
fn split(size: u64, part: u64) -> impl Iterator<Item = Range<u64>> {
    let part = part.max(size.div_ceil(MAX_PARTS));
    (0..size.div_ceil(part)).map(move |n| n * part..((n + 1) * part).min(size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parts_cover_the_object_once(size in 1u64..1 << 43, part in (5u64 << 20)..(64 << 20)) {
            let ranges: Vec<_> = split(size, part).collect();
            prop_assert!(ranges.len() as u64 <= MAX_PARTS);
            prop_assert_eq!(ranges[0].start, 0);
            prop_assert_eq!(ranges[ranges.len() - 1].end, size);
            for pair in ranges.windows(2) {
                prop_assert_eq!(pair[0].end, pair[1].start);
                prop_assert!(pair[0].end - pair[0].start >= part);
            }
        }
    }
}

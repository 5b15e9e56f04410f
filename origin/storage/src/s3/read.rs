//! Get and head.

use std::ops::Range;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};

use super::{Bucket, Target, fault};
use crate::error::{Error, ErrorKind};
use crate::{Object, ObjectMeta};

pub(super) async fn head(bucket: &Bucket, target: Target) -> Result<ObjectMeta, Error> {
    let request = bucket.client.head_object().bucket(&bucket.name).key(&target.object_key);
    let answer = Box::pin(request.send()).await.map_err(|error| fault::sort(&target.place, error))?;
    let size = size(answer.content_length(), &target)?;
    Ok(ObjectMeta { path: target.path, size, etag: answer.e_tag })
}

pub(super) async fn get(bucket: &Bucket, target: Target, range: Option<Range<u64>>) -> Result<Object, Error> {
    let mut request = bucket.client.get_object().bucket(&bucket.name).key(&target.object_key);
    if let Some(range) = &range {
        if range.start >= range.end || i64::try_from(range.end).is_err() {
            return Err(Error::range(&target.place, range, None));
        }
        request = request.range(format!("bytes={}-{}", range.start, range.end - 1));
    }
    let mut answer =
        Box::pin(request.send()).await.map_err(|error| sort_get(&target, range.as_ref(), error))?;
    let (range, size) = covered(&answer, &target, range)?;
    let meta = ObjectMeta { path: target.path, size, etag: answer.e_tag.take() };
    Ok(Object { meta, range, body: stream_of(answer.body, target.place) })
}

fn sort_get(
    target: &Target,
    range: Option<&Range<u64>>,
    error: aws_sdk_s3::error::SdkError<aws_sdk_s3::operation::get_object::GetObjectError>,
) -> Error {
    let sorted = fault::sort(&target.place, error);
    match range {
        Some(range) if sorted.kind() == ErrorKind::Range => Error::range(&target.place, range, None),
        _ => sorted,
    }
}

/// What the answer covers, and the size of the whole object. Servers shorten a range that reaches past the
/// end, or ignore it: neither is what was asked for.
fn covered(
    answer: &GetObjectOutput,
    target: &Target,
    asked: Option<Range<u64>>,
) -> Result<(Range<u64>, u64), Error> {
    let Some(asked) = asked else {
        let size = size(answer.content_length(), target)?;
        return Ok((0..size, size));
    };
    let ignored = || Error::new(ErrorKind::Other, &target.place, "the server ignored the range");
    let (sent, size) = answer.content_range().and_then(parse_content_range).ok_or_else(ignored)?;
    match sent == asked {
        true => Ok((sent, size)),
        false => Err(Error::range(&target.place, &asked, Some(size))),
    }
}

fn size(content_length: Option<i64>, target: &Target) -> Result<u64, Error> {
    let size = content_length.and_then(|length| u64::try_from(length).ok());
    size.ok_or_else(|| {
        Error::new(ErrorKind::Other, &target.place, "the server does not say the object's size")
    })
}

/// `bytes first-last/size` (RFC 9110, 14.4) as offsets with the end exclusive.
fn parse_content_range(text: &str) -> Option<(Range<u64>, u64)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last, size) = (first.parse().ok()?, last.parse::<u64>().ok()?, size.parse().ok()?);
    let end = last.checked_add(1)?;
    (first < end && end <= size).then_some((first..end, size))
}

fn stream_of(body: ByteStream, place: String) -> BoxStream<'static, Result<Bytes, Error>> {
    let chunks = stream::try_unfold((body, place), |(mut body, place)| async move {
        match body.try_next().await {
            Ok(chunk) => Ok(chunk.map(|chunk| (chunk, (body, place)))),
            Err(error) => Err(fault::body(&place, error)),
        }
    });
    chunks.boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges() {
        assert_eq!(parse_content_range("bytes 0-0/1"), Some((0..1, 1)));
        assert_eq!(parse_content_range("bytes 5-9/100"), Some((5..10, 100)));
        for wrong in ["", "bytes */5", "bytes 5-4/9", "bytes 0-9/9", "bytes 0-1", "0-1/2", "bytes 0-x/9"] {
            assert_eq!(parse_content_range(wrong), None, "{wrong}");
        }
        assert_eq!(parse_content_range(&format!("bytes 0-{}/9", u64::MAX)), None);
    }
}

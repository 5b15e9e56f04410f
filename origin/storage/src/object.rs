//! What a store says about an object, and an object opened for reading.

use std::fmt;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use crate::error::{Error, ErrorKind};

/// What a store knows of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Path in the store.
    pub path: String,
    /// Size of the whole object in bytes.
    pub size: u64,
    /// Entity-tag as HTTP writes it, quotes included (RFC 9110, 8.8.3). It changes whenever the content is
    /// replaced. A listing may leave it out.
    pub etag: Option<String>,
}

/// An object opened for reading, wholly or in part.
pub struct Object {
    /// About the whole object, whatever the range.
    pub meta: ObjectMeta,
    /// The bytes that the body delivers: offsets into the object, end exclusive.
    pub range: Range<u64>,
    /// The bytes as they arrive. It ends after `range` or with one error.
    pub body: BoxStream<'static, Result<Bytes, Error>>,
}

impl Object {
    /// Collects the body, which must be exactly as long as `range`; at most `limit` bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Other`] when there are more than `limit` bytes (nothing is read then),
    /// [`ErrorKind::Unavailable`] when the body ends early, and every error of the body itself.
    pub async fn bytes(mut self, limit: u64) -> Result<Bytes, Error> {
        let expected = self.range.end - self.range.start;
        if expected > limit {
            let reason = format!("{expected} bytes are more than the {limit} expected here");
            return Err(Error::new(ErrorKind::Other, self.place(), reason));
        }
        let first = self.body.next().await.transpose()?.unwrap_or_default();
        if first.len() as u64 == expected {
            return Ok(first);
        }
        let mut all = BytesMut::with_capacity(usize::try_from(expected).unwrap_or(0));
        all.extend_from_slice(&first);
        while let Some(chunk) = self.body.next().await.transpose()? {
            all.extend_from_slice(&chunk);
            if all.len() as u64 > expected {
                break;
            }
        }
        match all.len() as u64 == expected {
            true => Ok(all.freeze()),
            false => {
                let reason = format!("the body has {} bytes instead of {expected}", all.len());
                Err(Error::new(ErrorKind::Unavailable, self.place(), reason))
            }
        }
    }

    fn place(&self) -> String {
        format!("body of {}", self.meta.path)
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object").field("meta", &self.meta).field("range", &self.range).finish_non_exhaustive()
    }
}

/// The bytes that a request covers in an object of `size` bytes: all of it, or a range that must lie within.
pub(crate) fn resolve_range(place: &str, range: Option<Range<u64>>, size: u64) -> Result<Range<u64>, Error> {
    match range {
        None => Ok(0..size),
        Some(range) if range.start < range.end && range.end <= size => Ok(range),
        Some(range) => Err(Error::range(place, &range, Some(size))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    fn object(chunks: &[&'static str], range: Range<u64>) -> Object {
        let meta = ObjectMeta { path: "a".into(), size: 9, etag: None };
        let chunks: Vec<_> = chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect();
        Object { meta, range, body: stream::iter(chunks).boxed() }
    }

    #[tokio::test]
    async fn collects_exactly_the_range() {
        assert_eq!(object(&["abc"], 0..3).bytes(3).await.unwrap(), "abc");
        assert_eq!(object(&["ab", "", "c"], 4..7).bytes(9).await.unwrap(), "abc");
        assert_eq!(object(&[], 0..0).bytes(0).await.unwrap(), "");
    }

    #[tokio::test]
    async fn refuses_what_is_too_long_or_cut() {
        assert_eq!(object(&["abc"], 0..3).bytes(2).await.unwrap_err().kind(), ErrorKind::Other);
        assert!(object(&["ab"], 0..3).bytes(9).await.unwrap_err().is_retryable());
        assert!(object(&["ab", "cd"], 0..3).bytes(9).await.is_err());
    }

    #[test]
    fn ranges_must_lie_within() {
        assert_eq!(resolve_range("t", None, 0).unwrap(), 0..0);
        assert_eq!(resolve_range("t", Some(2..5), 5).unwrap(), 2..5);
        for wrong in [2..2, 4..6, 5..6, Range { start: 3, end: 2 }] {
            assert_eq!(resolve_range("t", Some(wrong), 5).unwrap_err().kind(), ErrorKind::Range);
        }
    }
}

//! The fill of one slice of a large object.
//!
//! An upstream is asked for the slice's bytes of the representation that the object's head belongs to: a strong entity tag
//! tells (RFC 9110 13.1.5). Whatever else comes is another version, or none, and the object is dropped.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_RANGE, ETAG};
use http::{HeaderValue, Response, StatusCode};
use hyper::body::{Body as _, Incoming};

use super::fault::Fault;
use super::receive::{Check, Limits, Received};
use super::resume::{RESUMPTIONS, breaks, receive_from};
use super::table::Lead;
use super::task::{Job, run};
use crate::cache::{Object, Sliced};
use crate::load::Lack;
use crate::server::Worker;

/// What to fetch.
#[derive(Debug, Clone)]
pub(super) struct Slice {
    pub(super) object: Arc<Object>,
    pub(super) sliced: Arc<Sliced>,
    /// Cache key of the object.
    pub(super) cache_key: Arc<str>,
    pub(super) range: Range<u64>,
}

/// What a response to the request for a part is.
#[derive(Debug, PartialEq, Eq)]
enum Answered {
    /// The part.
    Part,
    /// The same representation, or one that does not say which, but not that part of it: parts are not to be had.
    Refused,
    /// Another representation, or none.
    Other,
    /// Nothing about the object.
    Failed(Fault),
}

impl Slice {
    /// Starts its fill as a task of its own.
    pub(super) fn spawn(self, worker: &Arc<Worker>, lead: Lead, job: Job) {
        run(worker, lead, job, Some(self));
    }

    /// Fetches and keeps it.
    ///
    /// # Errors
    /// When there is no room for it, no upstream has it, or what there is belongs to another version.
    pub(super) async fn fetch(&self, worker: &Arc<Worker>, lead: &Lead, job: &Job) -> Result<(), Fault> {
        let edge = &worker.edge;
        let purges_seen = edge.store.purges.latest();
        if !lead.flight.reserve(self.length()) {
            edge.metrics.shed(Lack::Bytes);
            return Err(Fault::Overloaded);
        }
        let bytes = self.receive(worker, lead, job).await?;
        let slice = Object::slice(self.object.head.clone(), bytes, edge.clock.now_ms(), purges_seen);
        let slice = Arc::new(slice);
        if !lead.flight.is_outdated() {
            edge.store.put_slice(&lead.cache_key, slice.clone());
        }
        if edge.load.exceeds_cache() {
            edge.store.settle();
        }
        lead.flight.finish(slice);
        Ok(())
    }

    /// Receives it; what one upstream fails to send comes with the next answer.
    async fn receive(&self, worker: &Arc<Worker>, lead: &Lead, job: &Job) -> Result<Bytes, Fault> {
        let head = &self.object.head;
        let etag = head.headers.get(ETAG).ok_or(Fault::Status)?;
        let limits = Limits { idle: worker.upstreams.idle, object_bytes: u64::MAX };
        let mut check = Check::of(self.length());
        for attempt in 0.. {
            let part = self.range.start + check.received..self.range.end;
            let answer = worker.upstreams.fetch_part(job.aim(), etag, &part).await?;
            self.accept(worker, &answer.response, etag, &part)?;
            match attempt {
                0 => lead.flight.begin(head.clone()),
                _ => drop(worker.edge.metrics.fills_resumed.inc()),
            }
            let body = answer.response.into_body();
            match receive_from(worker, answer.base, &lead.flight, &mut check, body, limits).await {
                Ok(Received::Whole(bytes)) => return Ok(bytes),
                Err(fault) if breaks(fault) && attempt < RESUMPTIONS && check.received < self.length() => {}
                Ok(Received::TooLarge(_)) => return Err(Fault::Length),
                Err(fault) => return Err(fault),
            }
        }
        Err(Fault::Length)
    }

    /// Whether a response is the part that was asked for. Where it is another version, or none, the object is dropped, unless
    /// another one has taken its place.
    fn accept(
        &self,
        worker: &Worker,
        response: &Response<Incoming>,
        etag: &HeaderValue,
        part: &Range<u64>,
    ) -> Result<(), Fault> {
        let fields = |name| response.headers().get(name);
        let parts = (response.status(), fields(ETAG), fields(CONTENT_RANGE));
        match judge(parts, response.body().size_hint().exact(), etag, part, self.sliced.length) {
            Answered::Part => Ok(()),
            Answered::Failed(fault) => Err(fault),
            Answered::Refused => {
                self.sliced.refuse();
                Err(Fault::Changed)
            }
            Answered::Other => {
                worker.edge.store.forget_version(&self.cache_key, &self.sliced);
                Err(Fault::Changed)
            }
        }
    }

    fn length(&self) -> u64 {
        self.range.end - self.range.start
    }
}

/// What a response is, to the request for `part` of a representation of `length` bytes, when `comes` bytes come.
fn judge(
    (status, tag, range): (StatusCode, Option<&HeaderValue>, Option<&HeaderValue>),
    comes: Option<u64>,
    etag: &HeaderValue,
    part: &Range<u64>,
    length: u64,
) -> Answered {
    let same = tag == Some(etag);
    let unlike =
        |tag: &HeaderValue| tag.as_bytes().strip_prefix(b"W/").unwrap_or(tag.as_bytes()) != etag.as_bytes();
    let may_be_same = !tag.is_some_and(unlike);
    let expected = format!("bytes {}-{}/{length}", part.start, part.end - 1);
    let is_range = range.is_some_and(|range| range.as_bytes() == expected.as_bytes());
    match status {
        StatusCode::PARTIAL_CONTENT
            if same && is_range && comes.is_none_or(|comes| comes == part.end - part.start) =>
        {
            Answered::Part
        }
        StatusCode::OK | StatusCode::PARTIAL_CONTENT if may_be_same => Answered::Refused,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Answered::Failed(Fault::Refused),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Answered::Failed(Fault::Status),
        status if status.is_server_error() => Answered::Failed(Fault::Server),
        _ => Answered::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_part_of_the_same_is_taken() {
        let etag = HeaderValue::from_static("\"a\"");
        let of = |status: u16, tag: &str, range: &str, comes| {
            let (tag, range): (HeaderValue, HeaderValue) = (tag.parse().unwrap(), range.parse().unwrap());
            let parts = (StatusCode::from_u16(status).unwrap(), Some(&tag), Some(&range));
            judge(parts, comes, &etag, &(4..8), 10)
        };
        assert_eq!(of(206, "\"a\"", "bytes 4-7/10", Some(4)), Answered::Part);
        assert_eq!(of(206, "\"a\"", "bytes 4-7/10", None), Answered::Part);
        use Answered::{Failed, Other, Refused};
        for (status, tag, range, comes, answered) in [
            (200, "\"a\"", "", 10, Refused),
            (206, "W/\"a\"", "bytes 4-7/10", 4, Refused),
            (206, "\"a\"", "bytes 4-7/11", 4, Refused),
            (206, "\"a\"", "bytes 4-7/*", 4, Refused),
            (206, "\"a\"", "bytes 4-8/10", 5, Refused),
            (206, "\"a\"", "bytes 4-7/10", 5, Refused),
            (206, "\"b\"", "bytes 4-7/10", 4, Other),
            (200, "\"b\"", "", 10, Other),
            (404, "\"a\"", "", 4, Other),
            (416, "\"a\"", "bytes */10", 0, Other),
            (403, "\"b\"", "", 4, Failed(Fault::Refused)),
            (429, "\"b\"", "", 4, Failed(Fault::Status)),
            (503, "\"b\"", "", 4, Failed(Fault::Server)),
        ] {
            assert_eq!(of(status, tag, range, Some(comes)), answered, "{status} {tag} {range} {comes}");
        }
        assert_eq!(judge((StatusCode::PARTIAL_CONTENT, None, None), None, &etag, &(4..8), 10), Refused);
    }
}

//! Going on where an upstream failed in the middle of a body.
//!
//! The next upstream is asked for the rest, of the same representation: only a strong entity tag tells that it is
//! (RFC 9110 13.1.5). Readers that have bytes already notice nothing but a pause; a digest is checked over the whole.

use std::sync::Arc;

use http::header::{CONTENT_RANGE, ETAG};
use http::{HeaderMap, HeaderValue, StatusCode};
use hyper::body::{Body as _, Incoming};

use super::fault::Fault;
use super::in_flight::InFlight;
use super::receive::{Check, Limits, Received, receive};
use crate::cache::Head;
use crate::server::Worker;
use crate::upstream::Aim;

/// Times that one fill goes on elsewhere.
pub(super) const RESUMPTIONS: u32 = 3;

/// Receives a body into `flight`; what its upstream, `base`, fails to send comes from others.
///
/// # Errors
/// When nobody has the rest: the fault of the upstream that failed. When what came is not what its head announced.
pub(super) async fn receive_whole(
    worker: &Arc<Worker>,
    flight: &Arc<InFlight>,
    head: &Head,
    aim: Aim<'_>,
    (mut body, mut base): (Incoming, usize),
    limits: Limits,
) -> Result<Received, Fault> {
    let mut check = Check::new(head);
    for _ in 0..RESUMPTIONS {
        let fault = match receive_from(worker, base, flight, &mut check, body, limits).await {
            Err(fault) if breaks(fault) => fault,
            outcome => return outcome,
        };
        let Some(part) = Part::behind(head, check.received) else { return Err(fault) };
        let fits = |response: &http::Response<Incoming>| {
            let length = response.body().size_hint().exact();
            part.is_in(response.status(), response.headers(), length)
        };
        let asked = (part.etag, part.from);
        let Some(answer) = worker.upstreams.fetch_rest(aim, base, asked, fits).await else {
            return Err(fault);
        };
        check.again = if answer.response.status() == StatusCode::OK { part.from } else { 0 };
        worker.edge.metrics.fills_resumed.inc();
        tracing::debug!(path = %aim.target, fault = fault.code(), bytes = part.from, "the fill goes on elsewhere");
        (body, base) = (answer.response.into_body(), answer.base);
    }
    receive_from(worker, base, flight, &mut check, body, limits).await
}

/// Receives from an upstream, and notes how it did.
pub(super) async fn receive_from(
    worker: &Arc<Worker>,
    base: usize,
    flight: &Arc<InFlight>,
    check: &mut Check,
    body: Incoming,
    limits: Limits,
) -> Result<Received, Fault> {
    let outcome = receive(flight, check, body, limits).await;
    match outcome {
        Ok(Received::Whole(_)) => worker.upstreams.body_came(base),
        Err(fault) if breaks(fault) || fault == Fault::Damaged => worker.upstreams.body_failed(base),
        _ => {}
    }
    outcome
}

/// Whether the upstream stopped in the middle, so that another may have the rest.
pub(super) fn breaks(fault: Fault) -> bool {
    matches!(fault, Fault::Idle | Fault::Broken | Fault::Length)
}

/// The rest of a representation.
struct Part<'a> {
    etag: &'a HeaderValue,
    from: u64,
    length: u64,
}

impl<'a> Part<'a> {
    /// What stands behind `received` bytes, if it can be asked for.
    fn behind(head: &'a Head, received: u64) -> Option<Self> {
        let etag = head.headers.get(ETAG).filter(|etag| etag.as_bytes().starts_with(b"\""))?;
        let length = head.length.filter(|length| received < *length)?;
        (head.status == StatusCode::OK).then_some(Self { etag, from: received, length })
    }

    /// Whether a response brings it: as the part that was asked for, or in the whole.
    fn is_in(&self, status: StatusCode, headers: &HeaderMap, length: Option<u64>) -> bool {
        let range = format!("bytes {}-{}/{}", self.from, self.length - 1, self.length);
        let expected = match status {
            StatusCode::PARTIAL_CONTENT
                if headers.get(CONTENT_RANGE).is_some_and(|it| it.as_bytes() == range.as_bytes()) =>
            {
                self.length - self.from
            }
            StatusCode::OK => self.length,
            _ => return false,
        };
        headers.get(ETAG) == Some(self.etag) && length.is_none_or(|length| length == expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(status: u16, etag: &str, range: &str, length: Option<u64>) -> bool {
        let tag = HeaderValue::from_static("\"a\"");
        let mut headers = HeaderMap::new();
        headers.insert(ETAG, etag.parse().unwrap());
        headers.insert(CONTENT_RANGE, range.parse().unwrap());
        let part = Part { etag: &tag, from: 4, length: 10 };
        part.is_in(StatusCode::from_u16(status).unwrap(), &headers, length)
    }

    #[test]
    fn only_the_rest_of_the_same_goes_on() {
        assert!(fits(206, "\"a\"", "bytes 4-9/10", Some(6)));
        assert!(fits(206, "\"a\"", "bytes 4-9/10", None), "in chunks");
        assert!(fits(200, "\"a\"", "", Some(10)), "the whole again");
        for (status, etag, range, length) in [
            (206, "\"b\"", "bytes 4-9/10", 6),
            (206, "W/\"a\"", "bytes 4-9/10", 6),
            (206, "\"a\"", "bytes 3-9/10", 7),
            (206, "\"a\"", "bytes 4-9/11", 6),
            (206, "\"a\"", "bytes 4-9/10", 5),
            (200, "\"a\"", "", 9),
            (200, "\"b\"", "", 10),
            (416, "\"a\"", "bytes */10", 0),
        ] {
            assert!(!fits(status, etag, range, Some(length)), "{status} {etag} {range} {length}");
        }
    }
}

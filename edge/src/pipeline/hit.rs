//! The short way of the first three steps, for requests without content, conditions or ranges.
//! Where they lead to a fresh object the answer needs no more; where not, the long way goes on from what they found.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Version};
use segue_manifests::token;

use super::lookup::{self, Found};
use super::record::{Account, Meter};
use super::route::{self, Wanted};
use super::verify::{self, Grant};
use super::{Content, conclude, for_this_hop, handle, handle_as, obtain, respond};
use crate::body::Body;
use crate::cache::{Object, SealedBody};
use crate::edge::Edge;
use crate::prefetch;
use crate::problem::Problem;
use crate::semantics::encoding;
use crate::server::{Activity, Worker};

/// A request without content that has just one host and no field that makes its answer another one than a whole object.
#[derive(Debug)]
pub(crate) struct Plain<'a> {
    pub(crate) method: &'a str,
    /// Path and query.
    pub(crate) target: &'a str,
    pub(crate) accept_encoding: Option<&'a [u8]>,
    pub(crate) version: Version,
}

/// A request whose answer is a whole object in memory.
#[derive(Debug)]
pub(crate) struct Hit {
    pub(crate) object: Arc<Object>,
    /// The gzip form of it.
    pub(crate) zipped: bool,
    is_head: bool,
    pub(crate) started: Instant,
    meter: Meter,
}

/// What holds for one answer only.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passing {
    pub(crate) age_s: u64,
    ttl_s: i64,
    waited: Duration,
}

impl Passing {
    /// `Cache-Status`.
    pub(crate) fn cache_status(self, edge: &Edge, out: &mut Vec<u8>) {
        out.extend_from_slice(edge.config.name.as_bytes());
        out.extend_from_slice(b"; hit; ttl=");
        out.extend_from_slice(itoa::Buffer::new().format(self.ttl_s).as_bytes());
    }

    /// `Server-Timing`: milliseconds with three places.
    pub(crate) fn server_timing(self, out: &mut Vec<u8>) {
        let micros = self.waited.as_micros();
        out.extend_from_slice(b"cache;desc=hit, edge;dur=");
        out.extend_from_slice(itoa::Buffer::new().format(micros / 1000).as_bytes());
        let places = (micros % 1000) as u16;
        out.extend([b'.', digit(places / 100), digit(places / 10), digit(places)]);
    }
}

/// The last digit.
fn digit(number: u16) -> u8 {
    b'0' + (number % 10) as u8
}

/// How far the short way came.
#[derive(Debug)]
pub(crate) enum Begun {
    /// It is not for this request.
    Nothing,
    /// The same: it begins a trace.
    Traced,
    /// What is wanted is not in memory, or not fresh.
    Found(Account, Wanted, Found),
    Refused(Account, Problem),
}

/// Takes the first three steps. `client`: whom the request comes from, which few need to know.
///
/// # Errors
/// How far it came, when they do not lead to a fresh object.
pub(crate) fn begin(
    worker: &Arc<Worker>,
    activity: &Arc<Activity>,
    asked: &Plain<'_>,
    client: impl FnOnce() -> Option<IpAddr>,
    started: Instant,
) -> Result<Hit, Box<Begun>> {
    let edge = &worker.edge;
    let Some((method, wanted)) = route::plain(asked, edge) else { return Err(Box::new(Begun::Nothing)) };
    if worker.picks_trace() {
        return Err(Box::new(Begun::Traced));
    }
    let in_flight = activity.clone().begin(edge.clock);
    let mut account = Account::begun(method, asked.version, started, in_flight);
    let wanted = match wanted {
        Ok(wanted) => wanted,
        Err(problem) => return Err(Box::new(Begun::Refused(account, problem))),
    };
    match verify::verify(worker, &wanted, client) {
        Ok(Grant::Session(claims)) => account.claims = Some(claims),
        Ok(Grant::Public) => {}
        Err(problem) => {
            account.path = wanted.cache_key;
            return Err(Box::new(Begun::Refused(account, problem)));
        }
    }
    match lookup::lookup(edge, &wanted.cache_key) {
        Found::Fresh(object) if object.head.status == StatusCode::OK && object.sliced.is_none() => {
            prefetch::served(edge, wanted.media.as_ref(), &object, edge.clock.ms_at(started));
            Ok(Hit::new(worker, object, wanted, account, asked.accept_encoding))
        }
        found => {
            account.path.clone_from(&wanted.cache_key);
            Err(Box::new(Begun::Found(account, wanted, found)))
        }
    }
}

/// Takes the other steps from where the short way came to.
pub(crate) async fn go_on(
    worker: &Arc<Worker>,
    activity: Arc<Activity>,
    mut request: Request<Content>,
    begun: Begun,
) -> Response<Body> {
    match begun {
        Begun::Nothing => handle(worker, activity, request).await,
        Begun::Traced => handle_as(worker, activity, request, true).await,
        Begun::Refused(account, problem) => conclude(worker, Err(problem), account),
        Begun::Found(account, wanted, found) => {
            for_this_hop(&worker.edge, &mut request);
            let outcome = obtain(worker, request.headers(), &wanted, found, account.started).await;
            conclude(worker, outcome, account)
        }
    }
}

impl Hit {
    fn new(
        worker: &Arc<Worker>,
        object: Arc<Object>,
        wanted: Wanted,
        mut account: Account,
        accepted: Option<&[u8]>,
    ) -> Self {
        let zipped = object.gzip.is_some()
            && accepted.and_then(|value| std::str::from_utf8(value).ok()).is_some_and(encoding::accepts_gzip);
        let is_head = wanted.method == token::Method::Head;
        let started = account.started;
        account.path = wanted.cache_key;
        let mut hit = Self { object, zipped, is_head, started, meter: Meter::hit(worker.clone(), account) };
        let length = if is_head { 0 } else { hit.whole().len() };
        hit.meter.expect(length);
        hit
    }

    /// The representation.
    fn whole(&self) -> &Bytes {
        let gzip = self.object.gzip.as_ref().filter(|_| self.zipped);
        gzip.map_or(&self.object.body, |gzip| &gzip.bytes)
    }

    /// The bytes behind the head.
    pub(crate) fn body(&self) -> Bytes {
        if self.is_head { Bytes::new() } else { self.whole().clone() }
    }

    /// The body in a file that the kernel can send from.
    pub(crate) fn sealed(&self, edge: &Edge) -> Option<Arc<SealedBody>> {
        if self.is_head || self.zipped { None } else { edge.depot.body(&self.object) }
    }

    /// The fields that all answers with this object have, and the length of its body.
    pub(crate) fn fields(&self) -> (HeaderMap, usize) {
        let mut headers = self.object.head.headers.clone();
        if let Some(gzip) = self.object.gzip.as_ref().filter(|_| self.zipped) {
            respond::describe_gzip(&mut headers, gzip);
        }
        (headers, self.whole().len())
    }

    /// The head goes out: what differs from answer to answer with the same object.
    pub(crate) fn answered(&self, worker: &Worker) -> Passing {
        let now_ms = worker.edge.clock.ms_at(self.started);
        let (age_s, ttl_s) = (self.object.age_s(now_ms), self.object.ttl_s(now_ms));
        let waited = self.started.elapsed();
        worker.edge.metrics.tally.hit(worker.number, waited);
        Passing { age_s, ttl_s, waited }
    }

    /// That many bytes of the body went out.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.meter.sent(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_places() {
        for (micros, shown) in
            [(0, "0.000"), (7, "0.007"), (120, "0.120"), (999, "0.999"), (1_234_056, "1234.056")]
        {
            let passing = Passing { age_s: 0, ttl_s: -5, waited: Duration::from_micros(micros) };
            let mut out = Vec::new();
            passing.server_timing(&mut out);
            assert_eq!(out, format!("cache;desc=hit, edge;dur={shown}").into_bytes());
        }
    }
}

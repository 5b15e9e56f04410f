//! Step 6: what happened, counted and logged once, when the response has ended.
//!
//! Tokens and addresses never reach the log: paths are logged without their token, sessions by the token's id.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use http::{Method, Response, StatusCode, Version};
use segue_manifests::token::Claims;

use crate::body::Body;
use crate::cache::CacheStatus;
use crate::config::AccessLog;
use crate::fill::Fault;
use crate::server::{InFlightRequest, Worker};
use crate::trace::Span;

/// What is known about a request before it is answered.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) started: Instant,
    method: Method,
    version: Version,
    /// The path without its token; empty until it is known.
    pub(crate) path: String,
    pub(crate) claims: Option<Arc<Claims>>,
    /// Another edge asks.
    pub(crate) downstream: bool,
    pub(crate) problem: Option<&'static str>,
    /// Its part of a trace.
    pub(crate) span: Option<Box<Span>>,
    in_flight: InFlightRequest,
}

impl Account {
    pub(crate) fn begun(
        method: Method,
        version: Version,
        started: Instant,
        in_flight: InFlightRequest,
    ) -> Self {
        Self {
            started,
            method,
            version,
            path: String::new(),
            claims: None,
            downstream: false,
            problem: None,
            span: None,
            in_flight,
        }
    }
}

/// Counts the response and lets its body report how it ended.
pub(crate) fn record(
    worker: &Arc<Worker>,
    response: Response<Body>,
    cache: CacheStatus,
    account: Account,
) -> Response<Body> {
    let status = response.status();
    worker.edge.metrics.responded(worker.number, cache, status, account.started.elapsed());
    let length = response.body().length();
    let meter = Meter { worker: worker.clone(), account, status, cache, length, sent: 0, fault: None };
    response.map(|body| body.metered(meter))
}

/// Follows one response to its end.
#[derive(Debug)]
pub(crate) struct Meter {
    worker: Arc<Worker>,
    account: Account,
    status: StatusCode,
    cache: CacheStatus,
    length: Option<u64>,
    sent: u64,
    fault: Option<Fault>,
}

impl Meter {
    /// Follows an answer from memory.
    pub(super) fn hit(worker: Arc<Worker>, account: Account) -> Self {
        let (status, cache) = (StatusCode::OK, CacheStatus::Hit);
        Self { worker, account, status, cache, length: None, sent: 0, fault: None }
    }

    /// So many bytes are to go out.
    pub(super) fn expect(&mut self, length: usize) {
        self.length = Some(length as u64);
    }

    pub(crate) fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    pub(crate) fn failed(&mut self, fault: Fault) {
        self.fault = Some(fault);
    }

    fn is_logged(&self) -> bool {
        let failed = self.status.is_server_error() || self.fault.is_some();
        match self.worker.edge.access_log {
            AccessLog::All => failed || self.worker.is_sampled(),
            AccessLog::Errors => failed,
            AccessLog::Off => false,
        }
    }

    fn log(&self) {
        let account = &self.account;
        let claims = account.claims.as_deref();
        tracing::info!(
            target: "segue_edge::access",
            method = %account.method,
            path = %without_tokens(&account.path),
            protocol = ?account.version,
            status = self.status.as_u16(),
            cache = self.cache.label(),
            sent_bytes = self.sent,
            duration_us = u64::try_from(account.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            complete = self.length.is_none_or(|length| length == self.sent) && self.fault.is_none(),
            problem = account.problem,
            fault = self.fault.map(Fault::code),
            trace.id = account.span.as_ref().map(|span| span.trace_id()),
            token.id = claims.map(|claims| hex::encode(claims.token_id)),
            playback_session = claims.and_then(|claims| claims.playback_session.as_deref()),
            "request"
        );
    }
}

impl Account {
    /// Ends its span.
    fn tell(&mut self, status: StatusCode, cache: CacheStatus, sent: u64, fault: Option<Fault>) {
        let Some(mut span) = self.span.take().filter(|span| span.is_recorded()) else { return };
        span.note("http.request.method", self.method.to_string());
        span.note("url.path", without_tokens(path_of(&self.path)).into_owned());
        span.note("network.protocol.version", protocol(self.version));
        span.note("http.response.status_code", u64::from(status.as_u16()));
        span.note("http.response.body.size", sent);
        span.note("segue.cache", cache.label());
        match fault.map(Fault::code).or(self.problem) {
            Some(why) if fault.is_some() || status.is_server_error() => span.failed(why),
            Some(why) => span.note("error.type", why),
            None => {}
        }
    }
}

/// The query may be a secret of the origin's.
fn path_of(cache_key: &str) -> &str {
    cache_key.split('?').next().unwrap_or_default()
}

/// As OpenTelemetry writes it.
fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        _ => "1.1",
    }
}

/// A token in the wrong place is still a token.
fn without_tokens(path: &str) -> Cow<'_, str> {
    if !path.contains('~') {
        return Cow::Borrowed(path);
    }
    let shown = |segment: &str| if segment.starts_with('~') { "~".to_owned() } else { segment.to_owned() };
    Cow::Owned(path.split('/').map(shown).collect::<Vec<_>>().join("/"))
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.worker.edge.metrics.body_ended(self.worker.number, self.cache, self.sent, self.fault);
        if self.is_logged() {
            self.log();
        }
        self.account.tell(self.status, self.cache, self.sent, self.fault);
        self.account.in_flight.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_in_any_place_stay_out_of_the_log() {
        assert_eq!(without_tokens("/v1/~abc/a~b/~"), "/v1/~/a~b/~");
        assert_eq!(without_tokens("/v1/a/x"), "/v1/a/x");
    }
}

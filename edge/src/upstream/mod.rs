//! Where objects come from: shields and origins, tried in order, over pooled connections, within deadlines.

mod base;
mod bases;
mod budget;
mod client;
mod fetch;
mod forwarded;
mod health;
mod outgoing;
mod pass;
mod probe;
mod reminders;
mod waits;

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT_ENCODING, AUTHORIZATION, HOST, HeaderName, USER_AGENT, VIA};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;

use crate::clock::Clock;
use crate::config::{Config, millis};
use crate::edge::Edge;
use crate::fill::Fault;
use crate::metrics::Metrics;
use crate::pipeline::CDN_LOOP;
use crate::trace::{Kind, Scope, Span};

use base::Base;

pub(crate) use bases::Bases;
pub(crate) use client::{Client, Connector, client, connector, connects_differently};
pub(crate) use forwarded::{Came, Forwarded};
pub(crate) use outgoing::Outgoing;
pub(crate) use pass::Onward;
pub(crate) use probe::probe;
pub(crate) use reminders::{NODE, Reminded, Reminder};

const WANT_REPR_DIGEST: HeaderName = HeaderName::from_static("want-repr-digest");
/// RFC 9218: how soon an edge that this one shields needs an answer.
pub(crate) const PRIORITY: HeaderName = HeaderName::from_static("priority");
/// Least urgent of all (RFC 9218 4.1).
pub(crate) const BACKGROUND: &str = "u=7";

/// The upstreams of one worker.
#[derive(Debug)]
pub(crate) struct Upstreams {
    client: Client,
    bases: Arc<Bases>,
    headers: HeaderMap,
    /// What clients' requests name as host, if not the upstream's own.
    host: Option<HeaderValue>,
    first_byte: Duration,
    /// Longest silence in the middle of a body.
    pub(crate) idle: Duration,
    metrics: Metrics,
    clock: Clock,
}

/// A response, and which of the upstreams gave it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) response: Response<Incoming>,
    pub(crate) base: usize,
}

/// What is fetched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Aim<'a> {
    /// Path and query.
    pub(crate) target: &'a str,
    /// The caches that the request came through.
    pub(crate) way: Option<&'a HeaderValue>,
    /// The client's fields, where they are told on.
    pub(crate) client: Option<&'a Forwarded>,
    /// What the request is a part of.
    pub(crate) trace: Option<&'a Scope>,
}

impl Upstreams {
    /// The upstreams that the configuration names.
    ///
    /// # Errors
    /// When a secret or name cannot stand in a field.
    pub(crate) fn new(connector: Connector, edge: &Edge) -> Result<Self, String> {
        Self::over(client(connector), edge)
    }

    /// Those of another configuration. Connections that are open are used on, unless others are made differently.
    ///
    /// # Errors
    /// When a secret or name cannot stand in a field.
    pub(crate) fn renewed(&self, other: Option<Connector>, edge: &Edge) -> Result<Self, String> {
        Self::over(other.map_or_else(|| self.client.clone(), client), edge)
    }

    fn over(client: Client, edge: &Edge) -> Result<Self, String> {
        let config = &edge.config;
        Ok(Self {
            client,
            bases: edge.bases.clone(),
            headers: fixed_headers(config, &edge.loop_name)?,
            host: host(config)?,
            first_byte: millis(config.first_byte_timeout_ms),
            idle: millis(config.upstream_idle_timeout_ms),
            metrics: edge.metrics.clone(),
            clock: edge.clock,
        })
    }

    /// The way that a request came, and this edge.
    fn way_on(&self, way: &HeaderValue) -> Option<HeaderValue> {
        let me = self.headers.get(CDN_LOOP)?;
        HeaderValue::from_bytes(&[way.as_bytes(), b", ", me.as_bytes()].concat()).ok()
    }

    fn may_be_asked(&self, base: usize) -> bool {
        self.bases.all[base].health.may_be_asked(self.clock.now_ms())
    }

    fn request(&self, base: usize, aim: Aim<'_>, content: Outgoing) -> Result<Request<Outgoing>, Fault> {
        let mut request = Request::new(content);
        *request.uri_mut() = self.bases.all[base].join(aim.target).ok_or(Fault::Status)?;
        *request.headers_mut() = match aim.client {
            Some(client) => client.onward(&self.headers),
            None => self.headers.clone(),
        };
        if let Some(host) = self.host.as_ref().filter(|_| aim.client.is_some()) {
            request.headers_mut().insert(HOST, host.clone());
        }
        if let Some(way) = aim.way.and_then(|way| self.way_on(way)) {
            request.headers_mut().insert(CDN_LOOP, way);
        }
        Ok(request)
    }

    /// An error with a status is an answer, but for 503, that says of itself that it cannot, and for one that does not take
    /// this edge for what it is; `ours`: where the edge asks on its own behalf.
    fn note_head(&self, base: usize, outcome: &Result<Response<Incoming>, Fault>, ours: bool) {
        let status = outcome.as_ref().map(Response::status);
        let base = &self.bases.all[base];
        base.meter.answered(status.map_err(|fault| *fault));
        match status {
            Ok(StatusCode::SERVICE_UNAVAILABLE) => base.set_cause("it answers 503".into()),
            Ok(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) if ours => {
                base.set_cause("it does not accept this edge; check media_secret".into());
            }
            Ok(_) => return base.health.answered(self.clock.now_ms()),
            Err(Fault::FirstByte) => base.set_cause("no response head in time".into()),
            Err(_) => {}
        }
        let rests = base.health.failed(self.clock.now_ms());
        self.note_rest(base, rests);
    }

    /// When the shield that a path belongs to was asked for it, where it gave this answer; 0: another upstream did.
    pub(crate) fn shielded_ms(&self, base: usize, target: &str, answer: &HeaderMap, asked_ms: u64) -> u64 {
        match self.bases.shield_of(target) {
            Some(shield) if shield == base => self.bases.all[base].processes.asked_ms(answer, asked_ms),
            _ => 0,
        }
    }

    /// The span of one attempt, which the upstream is told of.
    fn attempt(&self, base: usize, aim: Aim<'_>, headers: &mut HeaderMap) -> Option<Span> {
        let mut span = aim.trace?.part("upstream", Kind::Client);
        span.scope().put(headers);
        if span.is_recorded() {
            span.note("server.address", self.bases.all[base].host.clone());
        }
        Some(span)
    }

    /// A body of that upstream came whole.
    pub(crate) fn body_came(&self, base: usize) {
        self.bases.all[base].health.completed();
    }

    /// A body of that upstream broke, fell silent, or was not what its digest says.
    pub(crate) fn body_failed(&self, base: usize) {
        let base = &self.bases.all[base];
        base.set_cause("its bodies break, fall silent or are damaged".into());
        base.meter.body_broke();
        self.note_rest(base, base.health.body_failed(self.clock.now_ms()));
    }

    fn note_rest(&self, base: &Base, rests: bool) {
        if rests {
            self.metrics.upstream_rests.inc();
            base.tell_rest();
        }
    }
}

/// Ends the span of an attempt: its head came, or did not.
fn ended(span: Option<Span>, outcome: &Result<Response<Incoming>, Fault>) {
    let Some(mut span) = span else { return };
    match outcome {
        Ok(response) => span.note("http.response.status_code", u64::from(response.status().as_u16())),
        Err(fault) => span.failed(fault.code()),
    }
}

/// What every request says. In closed mode nothing of a client's request goes upstream: what is cached is the same for
/// all.
fn fixed_headers(config: &Config, loop_name: &str) -> Result<HeaderMap, String> {
    let value = |text: &str, what: &str| {
        HeaderValue::from_str(text).map_err(|_| format!("{what} cannot stand in a header field"))
    };
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("segue-edge/", env!("CARGO_PKG_VERSION"))));
    headers.insert(VIA, value(&format!("1.1 {}", config.name), "name")?);
    headers.insert(CDN_LOOP, value(loop_name, "name")?);
    headers.insert(WANT_REPR_DIGEST, HeaderValue::from_static("sha-256=1"));
    if !config.media_secret.is_empty() {
        let mut bearer = value(&format!("Bearer {}", config.media_secret), "media_secret")?;
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
    }
    Ok(headers)
}

fn host(config: &Config) -> Result<Option<HeaderValue>, String> {
    let named = Some(&config.upstream_host).filter(|host| !host.is_empty());
    named
        .map(|host| {
            HeaderValue::from_str(host).map_err(|_| "upstream_host cannot stand in a header field".into())
        })
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show() {
        let config = Config { media_secret: "hush".into(), ..Config::default() };
        let headers = fixed_headers(&config, "me").unwrap();
        assert_eq!(headers[AUTHORIZATION], "Bearer hush");
        assert!(!format!("{headers:?}").contains("hush"));
    }
}

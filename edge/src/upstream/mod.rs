//! Where objects come from: base URLs tried in order, over pooled connections, within deadlines.

mod client;
mod forwarded;
mod health;
mod outgoing;
mod pass;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, HOST, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE,
    USER_AGENT, VIA,
};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use tokio::time::timeout;

use crate::cache::Head;
use crate::clock::Clock;
use crate::config::{Config, millis};
use crate::edge::Edge;
use crate::fill::Fault;
use crate::metrics::Metrics;
use crate::pipeline::CDN_LOOP;

use health::Health;

pub(crate) use client::{Client, Connector, client, connector};
pub(crate) use forwarded::Forwarded;
pub(crate) use outgoing::Outgoing;
pub(crate) use pass::Onward;

const WANT_REPR_DIGEST: HeaderName = HeaderName::from_static("want-repr-digest");

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

/// Where to fetch from, with what is known of each; one for all workers of an edge.
#[derive(Debug)]
pub(crate) struct Bases(Vec<Base>);

impl Bases {
    /// Those that the configuration names.
    ///
    /// # Errors
    /// When one is not a URL.
    pub(crate) fn new(config: &Config) -> Result<Self, String> {
        config.upstreams.iter().map(|text| Base::parse(text)).collect::<Result<_, _>>().map(Self)
    }
}

#[derive(Debug)]
struct Base {
    health: Health,
    /// Why it could not be asked the last time, if that was so.
    cause: Mutex<String>,
    uri: Uri,
    /// Path prefix without a slash at the end.
    prefix: String,
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
}

/// What is asked of an upstream.
#[derive(Debug, Clone, Copy)]
enum Ask<'a> {
    Whole,
    /// The whole, unless what this head belongs to still holds.
    Unless(&'a Head),
    /// What stands behind that many bytes, of the representation with that strong entity tag.
    Rest(&'a HeaderValue, u64),
}

impl Upstreams {
    /// The upstreams that the configuration names.
    ///
    /// # Errors
    /// When a secret or name cannot stand in a field.
    pub(crate) fn new(connector: Connector, edge: &Edge) -> Result<Self, String> {
        let config = &edge.config;
        Ok(Self {
            client: client(connector),
            bases: edge.bases.clone(),
            headers: fixed_headers(config, &edge.loop_name)?,
            host: host(config)?,
            first_byte: millis(config.first_byte_timeout_ms),
            idle: millis(config.upstream_idle_timeout_ms),
            metrics: edge.metrics.clone(),
            clock: edge.clock,
        })
    }

    /// Asks the upstreams that do not rest in order until one gives an answer that is no server error; the last one's error
    /// stands if none does. With `stale`, asks whether it still holds.
    ///
    /// # Errors
    /// When no upstream gave any response: the fault of the last one.
    pub(crate) async fn fetch(&self, aim: Aim<'_>, stale: Option<&Head>) -> Result<Answer, Fault> {
        let ask = stale.map_or(Ask::Whole, Ask::Unless);
        let mut outcome = Err(Fault::Resting);
        for base in (0..self.bases.0.len()).filter(|base| self.may_be_asked(*base)) {
            match self.ask(base, aim, ask).await {
                Ok(answer) if !answer.response.status().is_server_error() => return Ok(answer),
                // An answer, even an error, says more than a failed connection.
                Err(_) if outcome.is_ok() => {}
                other => outcome = other,
            }
        }
        outcome
    }

    /// The way that a request came, and this edge.
    fn way_on(&self, way: &HeaderValue) -> Option<HeaderValue> {
        let me = self.headers.get(CDN_LOOP)?;
        HeaderValue::from_bytes(&[way.as_bytes(), b", ", me.as_bytes()].concat()).ok()
    }

    fn may_be_asked(&self, base: usize) -> bool {
        self.bases.0[base].health.may_be_asked(self.clock.now_ms())
    }

    /// Asks for what stands behind `from` bytes of the representation with that strong entity tag (RFC 9110 13.1.5),
    /// after the upstream `failed`: first of those behind it, of itself last. `fits` tells a response that goes on.
    pub(crate) async fn fetch_rest(
        &self,
        aim: Aim<'_>,
        failed: usize,
        (etag, from): (&HeaderValue, u64),
        fits: impl Fn(&Response<Incoming>) -> bool,
    ) -> Option<Answer> {
        let count = self.bases.0.len();
        let order = (failed + 1..=failed + count).map(|base| base % count);
        for base in order.filter(|base| self.may_be_asked(*base)) {
            match self.ask(base, aim, Ask::Rest(etag, from)).await {
                Ok(answer) if fits(&answer.response) => return Some(answer),
                _ => {}
            }
        }
        None
    }

    fn request(&self, base: usize, aim: Aim<'_>, content: Outgoing) -> Result<Request<Outgoing>, Fault> {
        let mut request = Request::new(content);
        *request.uri_mut() = self.bases.0[base].join(aim.target).ok_or(Fault::Status)?;
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

    async fn ask(&self, base: usize, aim: Aim<'_>, ask: Ask<'_>) -> Result<Answer, Fault> {
        let mut request = self.request(base, aim, Outgoing::default())?;
        match ask {
            Ask::Whole => {}
            Ask::Unless(head) => add_validators(request.headers_mut(), head),
            Ask::Rest(etag, from) => {
                let range = HeaderValue::from_str(&format!("bytes={from}-")).map_err(|_| Fault::Status)?;
                request.headers_mut().insert(RANGE, range);
                request.headers_mut().insert(IF_RANGE, etag.clone());
            }
        }
        let outcome = match timeout(self.first_byte, self.client.request(request)).await {
            Err(_) => Err(Fault::FirstByte),
            Ok(outcome) => outcome.map_err(|error| self.fault_of(base, &error)),
        };
        self.metrics.upstream_answered(outcome.as_ref().map(Response::status).map_err(|fault| *fault));
        self.note_head(base, &outcome);
        outcome.map(|response| Answer { response, base })
    }

    /// What kept a request from being answered. A name that is not found, a certificate that has expired and a closed port
    /// are the same fault: which it was is told when the upstream begins to rest.
    fn fault_of(&self, base: usize, error: &legacy::Error) -> Fault {
        let sources = std::iter::successors(std::error::Error::source(error), |error| error.source());
        let causes: Vec<String> = sources.map(ToString::to_string).collect();
        *self.bases.0[base].cause.lock().unwrap_or_else(PoisonError::into_inner) = causes.join(": ");
        if error.is_connect() { Fault::Connect } else { Fault::Broken }
    }

    /// An error with a status is an answer, but for 503: that one says of itself that it cannot.
    fn note_head(&self, base: usize, outcome: &Result<Response<Incoming>, Fault>) {
        match outcome {
            Ok(response) if response.status() != StatusCode::SERVICE_UNAVAILABLE => {
                self.bases.0[base].health.answered();
            }
            _ => self.note_failure(base),
        }
    }

    /// A body of that upstream came whole.
    pub(crate) fn body_came(&self, base: usize) {
        self.bases.0[base].health.completed();
    }

    /// A body of that upstream broke, or fell silent.
    pub(crate) fn body_failed(&self, base: usize) {
        let health = &self.bases.0[base].health;
        self.note_rest(base, health.body_failed(self.clock.now_ms()));
    }

    fn note_failure(&self, base: usize) {
        let health = &self.bases.0[base].health;
        self.note_rest(base, health.failed(self.clock.now_ms()));
    }

    fn note_rest(&self, base: usize, rests: bool) {
        if rests {
            self.metrics.upstream_rests.inc();
            let Base { uri: upstream, cause, .. } = &self.bases.0[base];
            let cause = std::mem::take(&mut *cause.lock().unwrap_or_else(PoisonError::into_inner));
            tracing::warn!(%upstream, cause, "an upstream fails again and again: it rests");
        }
    }
}

impl Base {
    fn parse(text: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|_| "upstreams: an address is not a URL")?;
        let prefix = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { health: Health::default(), cause: Mutex::default(), uri, prefix })
    }

    fn join(&self, target: &str) -> Option<Uri> {
        let mut parts = self.uri.clone().into_parts();
        let path = match self.prefix.as_str() {
            "" => PathAndQuery::from_maybe_shared(Bytes::copy_from_slice(target.as_bytes())),
            prefix => PathAndQuery::from_maybe_shared(Bytes::from(format!("{prefix}{target}"))),
        };
        parts.path_and_query = Some(path.ok()?);
        Uri::from_parts(parts).ok()
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

fn add_validators(headers: &mut HeaderMap, head: &Head) {
    let copies = [(http::header::ETAG, IF_NONE_MATCH), (http::header::LAST_MODIFIED, IF_MODIFIED_SINCE)];
    for (from, to) in copies {
        if let Some(value) = head.headers.get(from) {
            headers.insert(to, value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases() {
        let join = |base: &str, target| Base::parse(base).unwrap().join(target).unwrap().to_string();
        assert_eq!(join("http://h:1", "/v1/a"), "http://h:1/v1/a");
        assert_eq!(join("https://h/base/", "/v1/a?q=1"), "https://h/base/v1/a?q=1");
    }

    #[test]
    fn secrets_do_not_show() {
        let config = Config { media_secret: "hush".into(), ..Config::default() };
        let headers = fixed_headers(&config, "me").unwrap();
        assert_eq!(headers[AUTHORIZATION], "Bearer hush");
        assert!(!format!("{headers:?}").contains("hush"));
    }
}

//! Requests: from a field block to the start of an answer.

use std::cell::RefCell;
use std::task::Waker;
use std::time::Instant;

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version, header};

use super::connection::{Connection, FIRST_WINDOW};
use super::inflow;
use super::patience::FRAME;
use super::stream::{self, Answer, Stream};
use crate::content::RequestContent;
use crate::pipeline::{self, Begun, Plain};
use crate::problem::Problem;
use crate::semantics::h2::head::{Asked, trailers};
use crate::semantics::h2::{Reason, Wrong};
use crate::semantics::hpack::{Fields, Limits, encode};
use crate::semantics::request_head::MAX_FIELDS;
use crate::server::worker::Worker;

thread_local! {
    /// Fields are read into the same memory again and again.
    static FIELDS: RefCell<Fields> = RefCell::new(Fields::new(Limits { bytes: 0, count: 0 }));
}

impl Connection {
    /// A field block is complete.
    pub(super) fn block_came(&mut self, stream: u32, end: bool, block: &[u8]) -> Result<(), Wrong> {
        let bytes = self.worker.edge.config.header_bytes as usize;
        FIELDS.with_borrow_mut(|fields| {
            fields.clear(Limits { bytes, count: MAX_FIELDS });
            let read = self.decoder.decode(block, fields);
            read.map_err(|_| Wrong::Connection(Reason::Compression))?;
            self.activity.head_ended();
            self.fields_came(stream, end, fields)
        })
    }

    fn fields_came(&mut self, stream: u32, end: bool, fields: &Fields) -> Result<(), Wrong> {
        if let Some(known) = self.streams.get(&stream) {
            return match known.is_open() {
                false => Err(Wrong::Stream(stream, Reason::StreamClosed)),
                true if !end || !fields.is_whole() || trailers(fields).is_err() => {
                    Err(Wrong::Stream(stream, Reason::Protocol))
                }
                true => self.content_ends(stream),
            };
        }
        if stream.is_multiple_of(2) {
            return Err(Wrong::Connection(Reason::Protocol));
        }
        if stream <= self.past.last() {
            return match self.past.was_opened(stream) {
                // It is on its way since before the client knew.
                true if self.past.was_reset(stream) => Ok(()),
                true => Err(Wrong::Connection(Reason::StreamClosed)),
                false => Err(Wrong::Connection(Reason::Protocol)),
            };
        }
        self.past.open(stream);
        if self.is_closed_to_new() {
            // What belongs to it is on its way, too.
            self.past.reset(stream);
            return Ok(());
        }
        Worker::renew(&mut self.worker);
        if self.streams.len() as u64 >= self.most_streams {
            self.outbox.reset(stream, Reason::RefusedStream);
            self.past.reset(stream);
            return self.tax(FRAME);
        }
        if !fields.is_whole() {
            self.problem(stream, end, Problem::HEAD);
            return Ok(());
        }
        let malformed = Wrong::Stream(stream, Reason::Protocol);
        let asked = Asked::read(fields).map_err(|_| malformed)?;
        if end && asked.content_length.is_some_and(|length| length > 0) {
            return Err(malformed);
        }
        if asked.authority.is_none() {
            self.problem(stream, end, Problem::AUTHORITY);
            return Ok(());
        }
        self.asked(stream, end, &asked).ok_or(malformed)
    }

    /// Begins the answer; `None`: it is no request after all.
    fn asked(&mut self, stream: u32, end: bool, asked: &Asked<'_>) -> Option<()> {
        let (worker, activity) = (&self.worker, &self.activity);
        let client = || worker.edge.proxies.client(activity.peer(), asked.regular());
        let begun = match plain(asked).filter(|_| end) {
            Some(plain) => match pipeline::begin(worker, activity, &plain, client, Instant::now()) {
                Ok(hit) => {
                    self.hit(stream, hit);
                    return Some(());
                }
                Err(begun) => begun,
            },
            None => Box::new(Begun::Nothing),
        };
        let mut request = long_form(asked)?;
        let bells = self.bells.get_or_insert_default();
        let bell = bells.bell(stream);
        let ring = Waker::from(bell.clone());
        let content = (!end).then(|| {
            let (source, inflow) = inflow::pipe(asked.content_length, ring.clone());
            *request.body_mut() = Some(RequestContent::Http2(inflow));
            stream::Content { source, window: FIRST_WINDOW, owed: 0, ended: false }
        });
        let (worker, activity) = (self.worker.clone(), self.activity.clone());
        let making = async move { pipeline::go_on(&worker, activity, request, *begun).await };
        let mut begun = Stream::new(self.peer.stream_window, Answer::Making(Box::pin(making)));
        begun.is_head = asked.method == "HEAD";
        if !end && self.wants_content(asked) {
            self.peer.head(&mut self.outbox, stream, false, |out| encode::status(100, out));
        }
        begun.content = content;
        begun.bell = Some(bell);
        self.streams.insert(stream, begun);
        ring.wake();
        Some(())
    }

    /// Whether a client is to be told to send its content, which it keeps back until then (RFC 9110 10.1.1). What is refused
    /// without it is answered at once.
    fn wants_content(&self, asked: &Asked<'_>) -> bool {
        let config = &self.worker.edge.config;
        let waits = asked.regular().any(|(name, value)| {
            name == b"expect" && value.trim_ascii().eq_ignore_ascii_case(b"100-continue")
        });
        waits
            && config.open
            && !matches!(asked.method, "GET" | "HEAD" | "CONNECT")
            && asked.content_length.is_none_or(|length| length <= config.request_body_bytes)
    }

    /// Answers what cannot be answered in its own terms.
    fn problem(&mut self, stream: u32, end: bool, problem: Problem) {
        self.worker.edge.metrics.problem(problem.code);
        let (parts, body) = problem.response().into_parts();
        let mut answer = Stream::new(self.peer.stream_window, Answer::Body(Box::new(body)));
        if !end {
            // What comes is for nobody.
            let (source, _) = inflow::pipe(None, Waker::noop().clone());
            answer.content = Some(stream::Content { source, window: FIRST_WINDOW, owed: 0, ended: false });
        }
        self.streams.insert(stream, answer);
        self.respond(stream, &parts);
    }
}

/// In the form that has a short way, if it has no field that makes it longer.
fn plain<'a>(asked: &Asked<'a>) -> Option<Plain<'a>> {
    if asked.seen.special {
        return None;
    }
    let accept_encoding = asked.seen.accept_encoding.and_then(|place| asked.value(place));
    Some(Plain { method: asked.method, target: asked.path?, accept_encoding, version: Version::HTTP_2 })
}

/// The request with its fields as a map, if its target is a target.
fn long_form(asked: &Asked<'_>) -> Option<Request<pipeline::Content>> {
    let mut headers = HeaderMap::new();
    let mut cookies: Vec<u8> = Vec::new();
    for (name, value) in asked.regular() {
        if name == b"cookie" {
            // They come in pieces, and are one field everywhere else (RFC 9113 8.2.3).
            if !cookies.is_empty() {
                cookies.extend_from_slice(b"; ");
            }
            cookies.extend_from_slice(value);
            continue;
        }
        headers.append(HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?);
    }
    if !cookies.is_empty() {
        headers.insert(header::COOKIE, HeaderValue::from_bytes(&cookies).ok()?);
    }
    let mut request = Request::new(None);
    *request.method_mut() = Method::from_bytes(asked.method.as_bytes()).ok()?;
    *request.uri_mut() = uri(asked)?;
    *request.version_mut() = Version::HTTP_2;
    *request.headers_mut() = headers;
    Some(request)
}

fn uri(asked: &Asked<'_>) -> Option<Uri> {
    let mut parts = http::uri::Parts::default();
    parts.authority = asked.authority.and_then(|authority| authority.parse::<Authority>().ok());
    if let Some(path) = asked.path {
        parts.path_and_query = Some(path.parse::<PathAndQuery>().ok()?);
        // Without an authority there is no scheme in it either.
        parts.scheme = parts.authority.as_ref().map(|_| match asked.scheme {
            Some("http") => Scheme::HTTP,
            _ => Scheme::HTTPS,
        });
    }
    Uri::from_parts(parts).ok()
}

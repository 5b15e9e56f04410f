//! One fill from start to end.

use std::sync::Arc;
use std::time::Instant;

use http::header::{ACCEPT_RANGES, ETAG, VARY};
use http::{HeaderMap, HeaderValue, StatusCode, Version, response};
use http_body::Body as _;
use hyper::body::Incoming;

use super::fault::Fault;
use super::reader::PassBody;
use super::receive::{Limits, Received};
use super::resume::receive_whole;
use super::slice::Slice;
use super::table::Lead;
use crate::cache::{Context, Freshness, Head, Object, Variant, resource};
use crate::edge::Edge;
use crate::load::{For, Lack, Place};
use crate::semantics::vary::{self, Vary};
use crate::server::Worker;
use crate::trace::{Kind, Scope};
use crate::upstream::{Aim, Forwarded};

/// What to fetch.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// Path and query towards the upstream.
    pub(crate) target: String,
    /// One of Segue's own resources.
    pub(crate) media: bool,
    /// The caches that its request came through (RFC 8586).
    pub(crate) way: Option<HeaderValue>,
    /// The copy that may be confirmed, or stand in.
    pub(crate) stale: Option<Arc<Object>>,
    /// The leading client's request, where it is told on.
    pub(crate) client: Option<Arc<Forwarded>>,
    /// What it is a part of.
    pub(crate) trace: Option<Scope>,
}

impl Job {
    pub(super) fn aim(&self) -> Aim<'_> {
        let Self { target, way, client, trace, .. } = self;
        Aim { target, way: way.as_ref(), client: client.as_deref(), trace: trace.as_ref() }
    }

    fn context(&self, edge: &Edge) -> Context {
        let client = self.client.as_deref();
        // With a secret of the edge's own, that is what authorises.
        let authorised = edge.config.media_secret.is_empty() && client.is_some_and(Forwarded::is_authorised);
        let personal = client.is_some_and(Forwarded::is_personal);
        Context { authorised, personal, ..edge.context(self.media) }
    }

    /// Where a response belongs among the variants of its resource. What is fetched in closed mode is asked for in the
    /// same words always: there `Vary` only matters towards players.
    fn variant(&self, edge: &Edge, resource: &Arc<str>, headers: &HeaderMap) -> Option<Variant> {
        let client = self.client.as_deref()?;
        let lines = headers.get_all(VARY).into_iter().filter_map(|value| value.to_str().ok());
        match vary::read(lines) {
            Vary::Fields(names) => Some(edge.store.place(resource, &names, &client.fields)),
            // `Any` is never stored.
            Vary::Nothing | Vary::Any => None,
        }
    }
}

/// Starts the fill as a task of its own, so that it outlives the client that caused it.
pub(crate) fn spawn(worker: &Arc<Worker>, lead: Lead, job: Job) {
    run(worker, lead, job, None);
}

/// Runs the fill of an object, or of a slice of one, as a task, and says how it ended.
pub(super) fn run(worker: &Arc<Worker>, lead: Lead, mut job: Job, slice: Option<Slice>) {
    let worker = worker.clone();
    let mut span = job.trace.map(|scope| scope.part("fill", Kind::Internal));
    job.trace = span.as_ref().map(|span| span.scope().clone());
    let alive = worker.alive();
    tokio::spawn(async move {
        let _alive = alive;
        let begun = Instant::now();
        let outcome = match &slice {
            None => fill(&worker, &lead, &job).await,
            Some(slice) => slice.fetch(&worker, &lead, &job).await,
        };
        if let Err(fault) = outcome {
            if let Some(stale) = &job.stale {
                stale.rest(worker.edge.clock.now_ms());
            }
            lead.flight.fail(fault);
            span.iter_mut().for_each(|span| span.failed(fault.code()));
            if worker.edge.may_warn() {
                tracing::warn!(path = %job.target, fault = fault.code(), "fill failed: {fault}");
            }
        }
        worker.edge.metrics.fill_ended(outcome.err(), begun.elapsed());
        drop(lead);
    });
}

async fn fill(worker: &Arc<Worker>, lead: &Lead, job: &Job) -> Result<(), Fault> {
    let edge = &worker.edge;
    let purges_seen = edge.store.purges.latest();
    let resource: Arc<str> = resource(&lead.cache_key).into();
    let context = job.context(edge);
    let asked_ms = edge.clock.now_ms();
    let (parts, body, base) = fetch(worker, job).await?;
    let shielded_ms = worker.upstreams.shielded_ms(base, &job.target, &parts.headers, asked_ms);
    if let (StatusCode::NOT_MODIFIED, Some(stale)) = (parts.status, &job.stale) {
        worker.upstreams.body_came(base);
        let head = stale.head.confirmed_by(&parts, &context);
        let object = Arc::new(stale.renewed(head, edge.clock.now_ms(), purges_seen));
        object.marks.shielded(shielded_ms);
        keep(edge, lead, &resource, &object);
        lead.flight.finish(object);
        return Ok(());
    }
    if let Some(mut head) = in_slices(edge, &parts, &body, &context) {
        head.variant = job.variant(edge, &resource, &parts.headers);
        let sliced = edge.store.sliced(head.length.unwrap_or(0), edge.config.slice_bytes);
        let object = Object::in_slices(Arc::new(head), sliced, edge.clock.now_ms(), purges_seen);
        let object = Arc::new(object);
        keep(edge, lead, &resource, &object);
        lead.flight.finish(object);
        return Ok(());
    }
    let mut head = read_head(&parts, &body, &context);
    if head.policy.pass.is_none() {
        head.variant = job.variant(edge, &resource, &parts.headers);
    }
    let head = Arc::new(head);
    let rest = |body| PassBody::new(body, worker.upstreams.idle, lead.place.clone());
    if head.policy.pass.is_some() {
        lead.flight.begin(head.clone());
        lead.flight.hand_over(rest(body));
        return Ok(());
    }
    if !lead.flight.reserve(head.length.unwrap_or(0)) {
        edge.metrics.shed(Lack::Bytes);
        return Err(Fault::Overloaded);
    }
    lead.flight.begin(head.clone());
    let limits = Limits { idle: worker.upstreams.idle, object_bytes: context.object_bytes };
    let received = receive_whole(worker, &lead.flight, &head, job.aim(), (body, base), limits).await?;
    match received {
        Received::Whole(bytes) => {
            let object = Arc::new(Object::new(head, bytes, edge.clock.now_ms(), purges_seen));
            object.marks.shielded(shielded_ms);
            keep(edge, lead, &resource, &object);
            lead.flight.finish(object);
        }
        Received::TooLarge(body) => lead.flight.hand_over(rest(body)),
    }
    Ok(())
}

/// The head of a response that is too large to be kept in one piece, where it can be had in slices: what it is a part of must
/// be known for sure, which takes a strong entity tag.
fn in_slices(edge: &Edge, parts: &response::Parts, body: &Incoming, context: &Context) -> Option<Head> {
    let slice_bytes = edge.config.slice_bytes;
    let has = |name, value: &[u8]| {
        parts.headers.get(name).is_some_and(|it: &HeaderValue| it.as_bytes().starts_with(value))
    };
    let fits = parts.status == StatusCode::OK && has(ETAG, b"\"") && !has(ACCEPT_RANGES, b"none");
    if slice_bytes == 0 || slice_bytes > context.object_bytes || !fits {
        return None;
    }
    let head = read_head(parts, body, &Context { object_bytes: u64::MAX, ..*context });
    let large = head.length.is_some_and(|length| length > context.object_bytes);
    (large && head.policy.pass.is_none()).then_some(head)
}

/// Stores an object, unless its upstream took that back when it confirmed it, or a request has changed the resource
/// since: one that does so from now on drops what is stored by itself.
fn keep(edge: &Edge, lead: &Lead, resource: &Arc<str>, object: &Arc<Object>) {
    if object.head.policy.pass.is_none() && !lead.flight.is_outdated() {
        edge.store.put(resource, object.clone());
    }
    if object.head.policy.pass.is_some() || lead.flight.is_outdated() {
        edge.store.forget(resource);
    }
    if edge.load.exceeds_cache() {
        edge.store.settle();
    }
}

/// Fetches for one client alone: what another fill brought is not for sharing.
///
/// # Errors
/// When there is no room for another fetch, or no upstream gives a response.
pub(crate) async fn pass_through(worker: &Arc<Worker>, job: &Job) -> Result<(Arc<Head>, PassBody), Fault> {
    let place = place(&worker.edge)?;
    let (parts, body, _) = fetch(worker, job).await?;
    let head = read_head(&parts, &body, &job.context(&worker.edge));
    Ok((Arc::new(head), PassBody::new(body, worker.upstreams.idle, place)))
}

/// A place for a fetch that a client waits for.
///
/// # Errors
/// When there is no room for another one.
pub(crate) fn place(edge: &Edge) -> Result<Arc<Place>, Fault> {
    edge.load.begin(For::Client).map_err(|lack| {
        edge.shed(lack);
        Fault::Overloaded
    })
}

/// A response that can be used, and the upstream that gave it.
async fn fetch(worker: &Arc<Worker>, job: &Job) -> Result<(response::Parts, Incoming, usize), Fault> {
    let stale = job.stale.as_deref();
    let answer = worker.upstreams.fetch(job.aim(), stale.map(|object| &*object.head)).await?;
    let (parts, body) = answer.response.into_parts();
    accept(worker, &parts, job).map(|()| (parts, body, answer.base))
}

/// Whether the response can be used at all.
fn accept(worker: &Arc<Worker>, parts: &response::Parts, job: &Job) -> Result<(), Fault> {
    let stands_in = job.stale.as_ref().is_some_and(|stale| {
        let freshness = stale.freshness(worker.edge.clock.now_ms());
        !matches!(freshness, Freshness::Stale { if_error: false, .. })
    });
    match parts.status {
        status if status.is_server_error() && stands_in => Err(Fault::Server),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if job.media => Err(Fault::Refused),
        StatusCode::NOT_MODIFIED => job.stale.as_ref().map(drop).ok_or(Fault::Status),
        StatusCode::OK | StatusCode::NOT_FOUND | StatusCode::GONE => Ok(()),
        status if status.is_server_error() || !job.media => Ok(()),
        _ => Err(Fault::Status),
    }
}

/// Reads the head of an upstream's response.
pub(crate) fn read_head(parts: &response::Parts, body: &Incoming, context: &Context) -> Head {
    let length = body.size_hint().exact();
    let chunked = parts.headers.contains_key(http::header::TRANSFER_ENCODING);
    let framed = length.is_some() || chunked || parts.version == Version::HTTP_2;
    Head::read(parts, length, framed, context)
}

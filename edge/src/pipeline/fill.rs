//! Step 4: fetch what memory does not hold, together with everyone else who waits for it.

use std::borrow::Cow;
use std::sync::Arc;

use http::header::CACHE_CONTROL;
use http::{HeaderMap, StatusCode};

use super::lookup::{Found, lookup};
use super::route::Wanted;
use super::slices;
use crate::cache::{CacheStatus, Head, Object};
use crate::edge::Edge;
use crate::fill::{self, Begun, Fault, Job, PassBody, Role, SliceReader, Waiter};
use crate::load::{For, Lack};
use crate::problem::Problem;
use crate::semantics::cache_control;
use crate::server::Worker;
use crate::upstream::Forwarded;

/// Longest text that is not streamed while it is filled, bytes.
const SHORT_TEXT: u64 = 1 << 20;

/// Where the response's bytes come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// Memory.
    Object(Arc<Object>),
    /// An object that is kept in slices, and the part of it that is asked for.
    Slices(Arc<Object>, Box<SliceReader>),
    /// A fill that is under way.
    Stream(Arc<Head>, Waiter),
    /// The upstream, for this client alone.
    Pass(Arc<Head>, PassBody),
}

impl Source {
    /// Bytes of the whole representation, where ranges can be cut from it.
    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Self::Object(object) => Some(object.body.len() as u64),
            Self::Slices(object, _) => object.sliced.as_ref().map(|sliced| sliced.length),
            Self::Stream(head, _) => head.length,
            Self::Pass(..) => None,
        }
    }
}

/// What the response is made of.
#[derive(Debug)]
pub(crate) struct Filled {
    pub(crate) source: Source,
    pub(crate) cache: CacheStatus,
    /// Status that the upstream gave.
    pub(crate) forwarded: StatusCode,
}

impl Filled {
    fn object(object: Arc<Object>, cache: CacheStatus) -> Self {
        Self { forwarded: object.head.status, source: Source::Object(object), cache }
    }

    pub(crate) fn head(&self) -> &Arc<Head> {
        match &self.source {
            Source::Object(object) | Source::Slices(object, _) => &object.head,
            Source::Stream(head, _) | Source::Pass(head, _) => head,
        }
    }
}

/// Times that a request joins fills which turn out to be for other requests, or meets an object that changes.
const UNSUITED: usize = 3;

/// Serves what was found, or fetches it.
///
/// # Errors
/// 502, 503 or 504 when the upstream failed, or there is no room for another fetch, and no stale copy may stand in.
pub(crate) async fn fill(
    worker: &Arc<Worker>,
    wanted: &Wanted,
    asked: &HeaderMap,
    mut found: Found,
) -> Result<Filled, Problem> {
    for _ in 0..UNSUITED {
        let place = Place::of(&worker.edge, wanted, asked, found);
        let filled = place.fill(worker, wanted, asked).await?;
        let opened = match filled {
            Some(filled) => slices::open(worker, wanted, asked, filled).await?,
            None => None,
        };
        if let Some(filled) = opened {
            return Ok(filled);
        }
        // Now it is known which fields tell the responses apart, or that the object is another one.
        found = lookup(&worker.edge, &wanted.cache_key);
    }
    alone(worker, wanted, asked).await
}

/// Where what fits a request is kept, and what was found there.
struct Place<'a> {
    cache_key: Cow<'a, str>,
    found: Found,
    /// The resource has variants.
    varies: bool,
}

impl<'a> Place<'a> {
    /// Of several variants, that for the request (RFC 9111 4.1).
    fn of(edge: &Edge, wanted: &'a Wanted, asked: &HeaderMap, found: Found) -> Self {
        let Found::Varying(varying) = found else {
            return Self { cache_key: Cow::Borrowed(&wanted.cache_key), found, varies: false };
        };
        let cache_key = varying.cache_key(&wanted.cache_key, asked);
        let found = lookup(edge, &cache_key);
        Self { cache_key: Cow::Owned(cache_key), found, varies: true }
    }

    /// `None`: what was fetched is for other requests.
    async fn fill(
        self,
        worker: &Arc<Worker>,
        wanted: &Wanted,
        asked: &HeaderMap,
    ) -> Result<Option<Filled>, Problem> {
        let edge = &worker.edge;
        let whole = |object, cache| Ok(Some(Filled::object(object, cache)));
        match &self.found {
            Found::Fresh(object) => whole(object.clone(), CacheStatus::Hit),
            Found::Resting(object) => whole(object.clone(), CacheStatus::StaleOnError),
            Found::Renewing(object) => {
                match edge.fills.join_or_lead(&self.cache_key, wanted.whom) {
                    Role::Lead(lead, _) => {
                        fill::spawn(worker, lead, job(edge, wanted, asked, Some(object.clone())));
                    }
                    Role::Join(_) => {}
                    Role::Shed(lack) => shed(edge, wanted, lack),
                }
                whole(object.clone(), CacheStatus::HitWhileRevalidating)
            }
            Found::Stale { .. } | Found::Absent if edge.config.open && only_if_cached(asked) => {
                Err(Problem::NOT_STORED)
            }
            Found::Stale { object, if_error } => {
                match self.obtain(worker, wanted, asked, Some(object.clone())).await {
                    Err(_) if *if_error => whole(object.clone(), CacheStatus::StaleOnError),
                    outcome => outcome,
                }
            }
            Found::Absent => self.obtain(worker, wanted, asked, None).await,
            Found::Varying(_) => Ok(None),
        }
    }

    async fn obtain(
        &self,
        worker: &Arc<Worker>,
        wanted: &Wanted,
        asked: &HeaderMap,
        stale: Option<Arc<Object>>,
    ) -> Result<Option<Filled>, Problem> {
        let edge = &worker.edge;
        let (waiter, leads) = match edge.fills.join_or_lead(&self.cache_key, wanted.whom) {
            Role::Join(waiter) => (waiter, false),
            Role::Shed(lack) => {
                shed(edge, wanted, lack);
                return Err(Problem::fault(Fault::Overloaded));
            }
            Role::Lead(lead, waiter) => {
                // The fill before may have ended between the lookup and now.
                let found = if edge.store.has(&self.cache_key) {
                    lookup(edge, &self.cache_key)
                } else {
                    Found::Absent
                };
                match found {
                    Found::Fresh(object) => {
                        lead.found(object.clone());
                        return Ok(Some(Filled::object(object, CacheStatus::Hit)));
                    }
                    Found::Varying(_) => return Ok(None),
                    _ => {}
                }
                fill::spawn(worker, lead, job(edge, wanted, asked, stale.clone()));
                (waiter, true)
            }
        };
        let cache = self.fetched(stale.is_some(), leads);
        let waits = wanted.trace.as_ref().filter(|_| !leads).and_then(|scope| scope.step("wait"));
        let begun = waiter.begun().await;
        drop(waits);
        match begun.map_err(Problem::fault)? {
            Begun::Complete(object) if !object.head.suits(asked) => Ok(None),
            Begun::Streaming(head) if !head.suits(asked) => Ok(None),
            Begun::Complete(object) => Ok(Some(completed(object, stale.as_deref(), cache))),
            Begun::Streaming(head) if is_short_text(&head) => {
                let object = waiter.complete().await.map_err(Problem::fault)?;
                Ok(Some(Filled::object(object, cache)))
            }
            Begun::Streaming(head) => {
                Ok(Some(Filled { forwarded: head.status, source: Source::Stream(head, waiter), cache }))
            }
            Begun::Passed(head, Some(body)) => Ok(Some(passed(head, body))),
            Begun::Passed(_, None) => alone(worker, wanted, asked).await.map(Some),
        }
    }

    fn fetched(&self, was_stale: bool, leads: bool) -> CacheStatus {
        match (was_stale, leads) {
            (_, false) => CacheStatus::Collapsed,
            (true, true) => CacheStatus::Replaced,
            (false, true) if self.varies => CacheStatus::VaryMiss,
            (false, true) => CacheStatus::Miss,
        }
    }
}

/// There is no room for another fetch; where nobody waits for it that is as it should be.
fn shed(edge: &Edge, wanted: &Wanted, lack: Lack) {
    if wanted.whom == For::Client {
        edge.shed(lack);
    }
}

/// Fetches for one client only.
async fn alone(worker: &Arc<Worker>, wanted: &Wanted, asked: &HeaderMap) -> Result<Filled, Problem> {
    let alone = fill::pass_through(worker, &job(&worker.edge, wanted, asked, None)).await;
    alone.map(|(head, body)| passed(head, body)).map_err(Problem::fault)
}

fn only_if_cached(asked: &HeaderMap) -> bool {
    let lines = asked.get_all(CACHE_CONTROL).into_iter().filter_map(|value| value.to_str().ok());
    cache_control::only_if_cached(lines)
}

/// Playlists are waited for: their gzip form is made from the whole.
fn is_short_text(head: &Head) -> bool {
    head.compressible && head.length.is_some_and(|length| length <= SHORT_TEXT)
}

/// In open mode the upstream is asked in the words of the client that leads; what is Segue's own is the same for all.
pub(super) fn job(edge: &Edge, wanted: &Wanted, asked: &HeaderMap, stale: Option<Arc<Object>>) -> Job {
    let media = wanted.media.is_some();
    let told_on = edge.config.open && !media;
    let client = told_on.then(|| Arc::new(Forwarded { fields: asked.clone(), alone: None }));
    let trace = wanted.trace.as_deref().cloned();
    Job { target: wanted.cache_key.clone(), media, way: wanted.way.clone(), stale, client, trace }
}

fn completed(object: Arc<Object>, stale: Option<&Object>, fetched: CacheStatus) -> Filled {
    let confirmed = stale.is_some_and(|stale| object.has_bytes_of(stale));
    Filled::object(object, if confirmed { CacheStatus::Revalidated } else { fetched })
}

fn passed(head: Arc<Head>, body: PassBody) -> Filled {
    // A response that turned out to be storable after all was fetched alone since another's was not.
    let cache = head.policy.pass.map_or(CacheStatus::Miss, CacheStatus::Passed);
    Filled { forwarded: head.status, source: Source::Pass(head, body), cache }
}

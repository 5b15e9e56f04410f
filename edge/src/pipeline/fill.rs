//! Step 4: fetch what memory does not hold, together with everyone else who waits for it.

use std::sync::Arc;

use http::StatusCode;

use super::lookup::{Found, lookup};
use super::route::Wanted;
use crate::cache::{CacheStatus, Head, Object};
use crate::fill::{self, Begun, Job, PassBody, Role, Waiter};
use crate::problem::Problem;
use crate::server::Worker;

/// Longest text that is not streamed while it is filled, bytes.
const SHORT_TEXT: u64 = 1 << 20;

/// Where the response's bytes come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// Memory.
    Object(Arc<Object>),
    /// A fill that is under way.
    Stream(Arc<Head>, Waiter),
    /// The upstream, for this client alone.
    Pass(Arc<Head>, PassBody),
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
            Source::Object(object) => &object.head,
            Source::Stream(head, _) | Source::Pass(head, _) => head,
        }
    }
}

/// Serves what was found, or fetches it.
///
/// # Errors
/// 502 or 504 when the upstream failed and no stale copy may stand in.
pub(crate) async fn fill(worker: &Arc<Worker>, wanted: &Wanted, found: Found) -> Result<Filled, Problem> {
    match found {
        Found::Fresh(object) => Ok(Filled::object(object, CacheStatus::Hit)),
        Found::Resting(object) => Ok(Filled::object(object, CacheStatus::StaleOnError)),
        Found::Renewing(object) => {
            if let Role::Lead(lead, _) = worker.edge.fills.join_or_lead(&wanted.cache_key) {
                fill::spawn(worker, lead, job(wanted, Some(object.clone())));
            }
            Ok(Filled::object(object, CacheStatus::HitWhileRevalidating))
        }
        Found::Stale { object, if_error } => match obtain(worker, wanted, Some(object.clone())).await {
            Err(_) if if_error => Ok(Filled::object(object, CacheStatus::StaleOnError)),
            outcome => outcome,
        },
        Found::Absent => obtain(worker, wanted, None).await,
    }
}

async fn obtain(
    worker: &Arc<Worker>,
    wanted: &Wanted,
    stale: Option<Arc<Object>>,
) -> Result<Filled, Problem> {
    let edge = &worker.edge;
    let (waiter, leads) = match edge.fills.join_or_lead(&wanted.cache_key) {
        Role::Join(waiter) => (waiter, false),
        Role::Lead(lead, waiter) => {
            // The fill before may have ended between the lookup and now.
            if let Found::Fresh(object) = lookup(edge, &wanted.cache_key) {
                return Ok(Filled::object(object, CacheStatus::Hit));
            }
            fill::spawn(worker, lead, job(wanted, stale.clone()));
            (waiter, true)
        }
    };
    match waiter.begun().await.map_err(Problem::fault)? {
        Begun::Complete(object) => Ok(completed(object, stale.as_deref(), leads)),
        Begun::Streaming(head) if is_short_text(&head) => {
            let object = waiter.complete().await.map_err(Problem::fault)?;
            Ok(Filled::object(object, fetched(stale.is_some(), leads)))
        }
        Begun::Streaming(head) => {
            let cache = fetched(stale.is_some(), leads);
            Ok(Filled { forwarded: head.status, source: Source::Stream(head, waiter), cache })
        }
        Begun::Passed(head, Some(body)) => Ok(passed(head, body)),
        Begun::Passed(_, None) => {
            let alone = fill::pass_through(worker, &job(wanted, None)).await;
            alone.map(|(head, body)| passed(head, body)).map_err(Problem::fault)
        }
    }
}

/// Playlists are waited for: their gzip form is made from the whole.
fn is_short_text(head: &Head) -> bool {
    head.compressible && head.length.is_some_and(|length| length <= SHORT_TEXT)
}

fn job(wanted: &Wanted, stale: Option<Arc<Object>>) -> Job {
    Job { target: wanted.cache_key.clone(), media: wanted.media.is_some(), way: wanted.way.clone(), stale }
}

fn completed(object: Arc<Object>, stale: Option<&Object>, leads: bool) -> Filled {
    let confirmed = stale.is_some_and(|stale| stale.body.as_ptr() == object.body.as_ptr());
    let cache = if confirmed { CacheStatus::Revalidated } else { fetched(stale.is_some(), leads) };
    Filled::object(object, cache)
}

fn fetched(was_stale: bool, leads: bool) -> CacheStatus {
    match (was_stale, leads) {
        (_, false) => CacheStatus::Collapsed,
        (true, true) => CacheStatus::Replaced,
        (false, true) => CacheStatus::Miss,
    }
}

fn passed(head: Arc<Head>, body: PassBody) -> Filled {
    // A response that turned out to be storable after all was fetched alone since another's was not.
    let cache = head.policy.pass.map_or(CacheStatus::Miss, CacheStatus::Passed);
    Filled { forwarded: head.status, source: Source::Pass(head, body), cache }
}

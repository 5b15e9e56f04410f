//! A request's way through the edge, one function for each step:
//!
//! ```text
//! route -> verify -> lookup -> fill -> respond -> record
//! ```

mod fill;
mod hit;
mod lookup;
mod pass;
mod record;
mod respond;
mod route;
mod slices;
mod verify;

use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, Request, Response};

use crate::address::{Peer, fields};
use crate::body::Body;
use crate::cache::CacheStatus;
use crate::content::RequestContent;
use crate::cors;
use crate::edge::Edge;
use crate::fill::Fault;
use crate::load::For;
use crate::prefetch;
use crate::problem::Problem;
use crate::semantics::hop_by_hop;
use crate::server::{Activity, Worker};
use crate::upstream::NODE;

/// The content of a request, where there is any.
pub(crate) type Content = Option<RequestContent>;

pub(crate) use hit::{Begun, Hit, Plain, begin, go_on};
pub(crate) use record::Meter;
pub(crate) use route::CDN_LOOP;

use fill::{Filled, Source};
use lookup::Found;
use record::Account;
use route::{Route, Wanted};
use verify::Grant;

/// Answers one request.
pub(crate) async fn handle(
    worker: &Arc<Worker>,
    activity: Arc<Activity>,
    request: Request<Content>,
) -> Response<Body> {
    handle_as(worker, activity, request, worker.picks_trace()).await
}

/// Answers one request; `picked`: it begins a trace, if it belongs to none.
async fn handle_as(
    worker: &Arc<Worker>,
    activity: Arc<Activity>,
    mut request: Request<Content>,
    picked: bool,
) -> Response<Body> {
    let started = Instant::now();
    let (peer, in_flight) = (activity.peer(), activity.begin(worker.edge.clock));
    let mut account = Account::begun(request.method().clone(), request.version(), started, in_flight);
    account.span = worker.edge.traces.begin(request.headers(), picked);
    for_this_hop(&worker.edge, &mut request);
    let outcome = answer(worker, peer, &mut request, &mut account).await;
    conclude(worker, outcome, account)
}

/// Takes out what ends here, before anything is looked up, fetched or kept by it: no field may decide which of several
/// responses this is that the upstream does not see.
fn for_this_hop(edge: &Edge, request: &mut Request<Content>) {
    if edge.config.open {
        hop_by_hop::remove(request.headers_mut());
    }
}

/// A response, and how the cache took part in it.
type Outcome = Result<(Response<Body>, CacheStatus), Problem>;

async fn answer(
    worker: &Arc<Worker>,
    peer: Peer,
    request: &mut Request<Content>,
    account: &mut Account,
) -> Outcome {
    let edge = &worker.edge;
    let scope = account.span.as_ref().map(|span| span.scope().clone());
    let step = |name| scope.as_ref().and_then(|scope| scope.step(name));
    let mut wanted = match route::route(request, edge)? {
        Route::Preflight => return Ok((cors::preflight(), CacheStatus::None)),
        Route::Object(wanted) => wanted,
        Route::Pass(passing) => {
            account.path.clone_from(&passing.target);
            let filled = pass::pass(worker, &passing, peer, request, scope.as_ref()).await?;
            let cache = filled.cache;
            return Ok((respond::as_it_came(edge, filled, account.started), cache));
        }
    };
    account.path.clone_from(&wanted.cache_key);
    account.downstream = wanted.downstream;
    let verified = {
        let _span = step("verify");
        verify::verify(worker, &wanted, || edge.proxies.client(peer, fields(request.headers())))?
    };
    match verified {
        Grant::Session(claims) => account.claims = Some(claims),
        Grant::Public => {}
    }
    if let Some(told) = &wanted.told {
        edge.metrics.told(told);
        let claims = account.claims.as_deref();
        prefetch::announced(edge, &wanted.cache_key, told, |next| {
            verify::may_pull(edge, &wanted, claims, next)
        });
    }
    let found = {
        let _span = step("lookup");
        lookup::lookup(edge, &wanted.cache_key)
    };
    wanted.trace = scope.map(Box::new);
    obtain(worker, request.headers(), &wanted, found, account.started).await
}

/// Fills what was not found, and builds the response.
async fn obtain(
    worker: &Arc<Worker>,
    asked: &HeaderMap,
    wanted: &Wanted,
    found: Found,
    started: Instant,
) -> Outcome {
    let filled = fill::fill(worker, wanted, asked, found).await;
    let filled = filled.map_err(|problem| if wanted.downstream { problem.for_an_edge() } else { problem })?;
    let cache = filled.cache;
    if wanted.whom == For::Client {
        pull_what_follows(&worker.edge, wanted, &filled);
    }
    Ok((respond::respond(&worker.edge, wanted, asked, filled, started), cache))
}

/// Someone is served: what comes next is pulled.
fn pull_what_follows(edge: &Edge, wanted: &Wanted, filled: &Filled) {
    match &filled.source {
        Source::Object(object) | Source::Slices(object, _) => {
            prefetch::served(edge, wanted.media.as_ref(), object, edge.clock.now_ms());
        }
        // Whoever joined a fill leaves that to the one who began it.
        Source::Stream(..) if filled.cache != CacheStatus::Collapsed => {
            prefetch::coming(edge, wanted.media.as_ref());
        }
        Source::Stream(..) | Source::Pass(..) => {}
    }
}

/// The response that tells of a problem, and how the cache took part in it.
fn refusal(edge: &Edge, problem: Problem) -> (Response<Body>, CacheStatus) {
    let shed = problem.code == Fault::Overloaded.code();
    let cache = if shed { CacheStatus::Shed } else { CacheStatus::None };
    let mut response = problem.response();
    let field = cache.field(&edge.config.name, None, response.status());
    response.headers_mut().extend(field.map(|field| (respond::CACHE_STATUS, field)));
    (response, cache)
}

/// Records how a request was answered.
fn conclude(worker: &Arc<Worker>, outcome: Outcome, mut account: Account) -> Response<Body> {
    let (mut response, cache) = outcome.unwrap_or_else(|problem| {
        worker.edge.metrics.problem(problem.code);
        account.problem = Some(problem.code);
        refusal(&worker.edge, problem)
    });
    if account.downstream {
        response.headers_mut().insert(NODE, worker.edge.node.clone());
    }
    record::record(worker, response, cache, account)
}

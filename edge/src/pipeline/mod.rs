//! A request's way through the edge, one function for each step:
//!
//! ```text
//! route -> verify -> lookup -> fill -> respond -> record
//! ```

mod fill;
mod lookup;
mod record;
mod respond;
mod route;
mod verify;

use std::sync::Arc;
use std::time::Instant;

use http::{Request, Response};
use hyper::body::Incoming;

use crate::body::Body;
use crate::cache::CacheStatus;
use crate::cors;
use crate::problem::Problem;
use crate::server::{Activity, Worker};

pub(crate) use record::Meter;
pub(crate) use route::CDN_LOOP;

use record::Account;
use route::Route;
use verify::Grant;

/// Answers one request.
pub(crate) async fn handle(
    worker: &Arc<Worker>,
    activity: Arc<Activity>,
    request: Request<Incoming>,
) -> Response<Body> {
    let started = Instant::now();
    let in_flight = activity.begin(worker.edge.clock);
    let mut account = Account::new(&request, started, in_flight);
    let (response, cache) = match answer(worker, &request, &mut account).await {
        Ok(answered) => answered,
        Err(problem) => {
            worker.edge.metrics.problem(problem.code);
            account.problem = Some(problem.code);
            (problem.response(), CacheStatus::None)
        }
    };
    record::record(&worker.edge, response, cache, account)
}

async fn answer(
    worker: &Arc<Worker>,
    request: &Request<Incoming>,
    account: &mut Account,
) -> Result<(Response<Body>, CacheStatus), Problem> {
    let edge = &worker.edge;
    let wanted = match route::route(request, edge)? {
        Route::Preflight => return Ok((cors::preflight(), CacheStatus::None)),
        Route::Object(wanted) => wanted,
    };
    account.path.clone_from(&wanted.cache_key);
    match verify::verify(edge, &wanted)? {
        Grant::Session(claims) => account.claims = Some(claims),
        Grant::Public => {}
    }
    let found = lookup::lookup(edge, &wanted.cache_key);
    let filled = fill::fill(worker, &wanted, found).await?;
    let cache = filled.cache;
    Ok((respond::respond(edge, &wanted, request.headers(), filled, account.started), cache))
}

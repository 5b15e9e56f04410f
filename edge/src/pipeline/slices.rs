//! What follows step 4 for objects in slices: the part that the request asks for is looked for, slice by slice.

use std::sync::Arc;

use http::HeaderMap;
use segue_manifests::token::Method;

use super::fill::{Filled, Source, job};
use super::respond::{Part, not_modified, part};
use super::route::Wanted;
use crate::cache::CacheStatus;
use crate::fill::{Came, Fault, SliceReader};
use crate::problem::Problem;
use crate::server::Worker;

/// Opens what was filled where it is an object in slices. `None`: it is no longer what it was, or cannot be had in slices.
///
/// # Errors
/// When the first slice cannot be had.
pub(super) async fn open(
    worker: &Arc<Worker>,
    wanted: &Wanted,
    asked: &HeaderMap,
    filled: Filled,
) -> Result<Option<Filled>, Problem> {
    let Filled { source, mut cache, forwarded } = filled;
    let (object, sliced) = match source {
        Source::Object(object) => match object.sliced.clone() {
            Some(sliced) => (object, sliced),
            None => return Ok(Some(Filled { source: Source::Object(object), cache, forwarded })),
        },
        source => return Ok(Some(Filled { source, cache, forwarded })),
    };
    if sliced.is_refused() {
        return Ok(None);
    }
    let (range, has_content) = match part(asked, wanted.method, &object.head, Some(sliced.length)) {
        Part::Whole => (0..sliced.length, true),
        Part::Range(range) => (range, true),
        Part::Outside(_) => (0..sliced.length, false),
    };
    let variant = object.head.variant.as_ref();
    let cache_key = variant.map_or_else(|| wanted.cache_key.as_str().into(), |it| it.cache_key.clone());
    let job = job(&worker.edge, wanted, asked, None);
    let mut reader = SliceReader::new(worker, job, (cache_key, &object), sliced, range);
    if has_content && wanted.method == Method::Get && !not_modified(asked, &object.head) {
        match reader.begun().await {
            Ok(came) => cache = with_first(cache, came),
            Err(Fault::Changed) => return Ok(None),
            Err(fault) => return Err(Problem::fault(fault)),
        }
    }
    Ok(Some(Filled { source: Source::Slices(object, Box::new(reader)), cache, forwarded }))
}

/// A head from memory alone is no hit.
fn with_first(cache: CacheStatus, came: Came) -> CacheStatus {
    match (cache, came) {
        (CacheStatus::Hit, Came::Fetched) => CacheStatus::Miss,
        (CacheStatus::Hit, Came::Joined) => CacheStatus::Collapsed,
        (cache, _) => cache,
    }
}

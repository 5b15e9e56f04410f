//! The task that pulls: on one worker of the edge, some at a time.

use std::sync::Arc;

use http::StatusCode;

use super::{Pull, next};
use crate::cache::{Freshness, Object};
use crate::fill::{self, Job, Role};
use crate::load::For;
use crate::server::Worker;

/// Most renditions of one asset.
const RENDITIONS: usize = 16;

/// Makes the pulls that are left, until the edge drains.
pub(crate) async fn work(worker: Arc<Worker>) {
    let prefetch = worker.edge.prefetch.clone();
    if prefetch.is_on() {
        prefetch.pulls.work_off(worker, prefetch.fills, pull).await;
    }
}

async fn pull(worker: Arc<Worker>, pull: Pull) {
    if !worker.edge.load.may_prefetch() {
        return worker.edge.metrics.prefetch_skipped("busy");
    }
    match pull {
        Pull::Object(cache_key) => unless_held(&worker, &cache_key).await,
        Pull::Start(cache_key, segments) => start(&worker, &cache_key, segments).await,
    }
}

/// Playlists, init segments and first segments, one after the other.
async fn start(worker: &Arc<Worker>, cache_key: &str, segments: u32) {
    let Some(multivariant) = playlist(worker, cache_key).await else { return };
    for media_playlist in next::media_playlists(cache_key, &multivariant).into_iter().take(RENDITIONS) {
        if !is_media(&media_playlist) {
            continue;
        }
        let Some(playlist) = playlist(worker, &media_playlist).await else { continue };
        for part in next::start_of(&media_playlist, &playlist, segments) {
            if is_media(&part) {
                unless_held(worker, &part).await;
            }
        }
    }
}

/// A playlist may name anything; only what is Segue's is pulled.
fn is_media(cache_key: &str) -> bool {
    super::pullable(cache_key).is_some()
}

/// A playlist, as it was served a moment ago, or fetched.
async fn playlist(worker: &Arc<Worker>, cache_key: &str) -> Option<Arc<Object>> {
    match worker.edge.store.object(cache_key) {
        Some(object) => Some(object),
        None => object(worker, cache_key).await,
    }
}

async fn unless_held(worker: &Arc<Worker>, cache_key: &str) {
    if !worker.edge.store.holds(cache_key, worker.edge.clock.now_ms()) {
        drop(object(worker, cache_key).await);
    }
}

/// The object, from memory while it is fresh, else by a fill of its own. One that is on its way for someone else is waited
/// for. Nothing is begun while the edge drains.
async fn object(worker: &Arc<Worker>, cache_key: &str) -> Option<Arc<Object>> {
    let edge = &worker.edge;
    let fresh = |object: &Arc<Object>| object.freshness(edge.clock.now_ms()) == Freshness::Fresh;
    if let Some(object) = edge.store.object(cache_key).filter(fresh) {
        return Some(object);
    }
    let (lead, waiter) = match edge.fills.join_or_lead(cache_key, For::Prefetch) {
        Role::Join(waiter) => return waiter.complete().await.ok(),
        Role::Shed(_) => {
            edge.metrics.prefetch_skipped("busy");
            return None;
        }
        Role::Lead(lead, waiter) => (lead, waiter),
    };
    // The fill before may have ended in between.
    let stale = edge.store.object(cache_key);
    if let Some(object) = stale.clone().filter(fresh) {
        lead.found(object.clone());
        return Some(object);
    }
    if edge.is_draining() {
        return stale;
    }
    let media = super::pullable(cache_key).is_some();
    fill::spawn(
        worker,
        lead,
        Job { target: cache_key.to_owned(), media, way: None, stale, client: None, trace: None },
    );
    let object = waiter.complete().await.ok().filter(|object| object.head.status == StatusCode::OK)?;
    object.marks.prefetched();
    edge.metrics.prefetched.inc();
    Some(object)
}

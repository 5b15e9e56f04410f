//! Telling shields of what is served without them (see `upstream/reminders.rs`).

use std::sync::Arc;

use http::StatusCode;
use segue_manifests::MediaPath;
use tokio::sync::Semaphore;

use crate::cache::Object;
use crate::edge::Edge;
use crate::server::Worker;
use crate::upstream::Reminded;

/// Reminders under way at one time.
const AT_ONCE: usize = 4;

/// An object is served that its shield may have lost since. Only the head of one that is kept in slices would be there, and errors
/// are for each edge to find out.
#[cold]
pub(super) fn remind(edge: &Edge, media: Option<&MediaPath>, object: &Object, now_ms: u64) {
    let reminders = &edge.bases.reminders;
    let fits = object.sliced.is_none() && object.head.status == StatusCode::OK;
    let may = fits && object.marks.may_remind(now_ms) && reminders.has_room();
    if let Some(media) = media.filter(|_| may) {
        object.marks.remind_later(now_ms);
        reminders.leave(media.path());
    }
}

/// Sends the reminders that are left, until the edge drains.
pub(crate) async fn remind_shields(mut worker: Arc<Worker>) {
    let Some(mut waiting) = worker.edge.bases.reminders.waiting() else { return };
    let room = Arc::new(Semaphore::new(AT_ONCE));
    while let Some(cache_key) = waiting.recv().await {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        Worker::renew(&mut worker);
        if worker.edge.is_draining() {
            return;
        }
        let worker = worker.clone();
        tokio::spawn(async move {
            let _permit = permit;
            send(&worker, &cache_key).await;
        });
    }
}

/// After a failure another request for the object, a while later, brings it up again.
async fn send(worker: &Worker, cache_key: &str) {
    let edge = &worker.edge;
    let Some(object) = edge.store.object(cache_key) else { return };
    let asked_ms = edge.clock.now_ms();
    let outcome = match edge.load.may_prefetch() {
        true => worker.upstreams.remind(cache_key, &object.head, object.marks.shielded_ms()).await,
        false => Reminded::PutOff,
    };
    edge.metrics.reminded(outcome);
    if matches!(outcome, Reminded::Taken | Reminded::Needless) {
        object.marks.shielded(asked_ms);
    }
}

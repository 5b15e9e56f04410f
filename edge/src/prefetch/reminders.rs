//! Telling shields of what is served without them (see `upstream/reminders.rs`).

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use segue_manifests::MediaPath;

use crate::cache::Object;
use crate::edge::Edge;
use crate::server::Worker;
use crate::upstream::{Reminded, Reminder};

/// Reminders under way at one time.
const AT_ONCE: usize = 4;
/// Time between two reminders of an object, and after one that its shield did not take, milliseconds.
const PAUSE_MS: u64 = 2_000;
const PAUSE_FAILED_MS: u64 = 10_000;
/// For which one that was in vain keeps its place.
const BREATH: Duration = Duration::from_millis(10);

/// An object is served that its shield may have lost since. Only the head of one that is kept in slices would be there, and errors
/// are for each edge to find out.
#[cold]
pub(super) fn remind(edge: &Edge, media: Option<&MediaPath>, object: &Arc<Object>, now_ms: u64) {
    let reminders = &edge.bases.reminders;
    let fits = object.sliced.is_none() && object.head.status == StatusCode::OK;
    let may = fits && object.marks.may_remind(now_ms) && reminders.backlog.has_room();
    if let Some(media) = media.filter(|_| may) {
        object.marks.remind_later(now_ms, PAUSE_MS);
        // Where there is none after all, another request brings it up again.
        reminders.backlog.leave(Reminder { cache_key: media.path(), object: Arc::downgrade(object) });
    }
}

/// Sends the reminders that are left, until the edge drains.
pub(crate) async fn remind_shields(worker: Arc<Worker>) {
    let reminders = worker.edge.bases.reminders.clone();
    reminders.backlog.work_off(worker, AT_ONCE, send).await;
}

/// After a failure another request for the object brings it up again.
async fn send(worker: Arc<Worker>, Reminder { cache_key, object }: Reminder) {
    let edge = &worker.edge;
    let Some(object) = object.upgrade() else { return };
    let asked_ms = edge.clock.now_ms();
    let outcome = match edge.load.may_prefetch() {
        true => worker.upstreams.remind(&cache_key, &object.head, object.marks.shielded_ms()).await,
        false => Reminded::PutOff,
    };
    edge.metrics.reminded(outcome);
    match outcome {
        Reminded::Taken | Reminded::Needless => return object.marks.shielded(asked_ms),
        Reminded::Failed => object.marks.remind_later(asked_ms, PAUSE_FAILED_MS),
        Reminded::PutOff => {}
    }
    // What costs nothing must not make room for more of it at once.
    tokio::time::sleep(BREATH).await;
}

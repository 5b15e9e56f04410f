//! Telling shields of what is served without them (see `upstream/reminders.rs`).

use std::sync::Arc;

use segue_manifests::MediaPath;
use tokio::sync::Semaphore;

use crate::cache::Object;
use crate::edge::Edge;
use crate::server::Worker;
use crate::upstream::{Reminded, Reminder};

/// Reminders under way at one time.
const AT_ONCE: usize = 4;

/// An object is served that its shield may have lost since. Only the head of one that is kept in slices would be there.
#[cold]
pub(super) fn remind(edge: &Edge, media: Option<&MediaPath>, object: &Object, now_ms: u64) {
    let reminders = &edge.bases.reminders;
    let may = object.sliced.is_none() && reminders.has_room() && reminders.may_send(now_ms);
    let Some(media) = media.filter(|_| may) else { return };
    let asked_ms = object.marks.shielded(now_ms);
    if !reminders.leave(Reminder { cache_key: media.path(), asked_ms }) {
        object.marks.shielded(asked_ms);
    }
}

/// Sends the reminders that are left, until the edge drains.
pub(crate) async fn remind_shields(mut worker: Arc<Worker>) {
    let Some(mut waiting) = worker.edge.bases.reminders.waiting() else { return };
    let room = Arc::new(Semaphore::new(AT_ONCE));
    while let Some(reminder) = waiting.recv().await {
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        Worker::renew(&mut worker);
        if worker.edge.is_draining() {
            return;
        }
        let worker = worker.clone();
        tokio::spawn(async move {
            let _permit = permit;
            send(&worker, &reminder).await;
        });
    }
}

async fn send(worker: &Worker, Reminder { cache_key, asked_ms }: &Reminder) {
    let edge = &worker.edge;
    let Some(object) = edge.store.object(cache_key) else { return };
    let reminders = &edge.bases.reminders;
    let may = reminders.may_send(edge.clock.now_ms()) && edge.load.may_prefetch();
    let outcome = match may {
        true => worker.upstreams.remind(cache_key, &object.head, *asked_ms).await,
        false => Reminded::PutOff,
    };
    edge.metrics.reminded(outcome);
    if matches!(outcome, Reminded::Failed | Reminded::PutOff) {
        // Another request for the object brings it up again.
        object.marks.shielded(*asked_ms);
        reminders.pause(edge.clock.now_ms());
    }
}

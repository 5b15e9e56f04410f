//! Asking upstreams that nobody asks, so that it is known how they do before a listener finds out.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::fetch::Ask;
use super::{Aim, Upstreams};

/// Largest body of a probe's answer that is read to its end, for its connection to be used again, bytes.
const BODY_LIMIT: usize = 64 << 10;

/// Probes every upstream that was not heard of for a `pause`, and those whose rest is over, as a task of `tasks` each.
pub(crate) fn probe(tasks: &mut JoinSet<()>, upstreams: Upstreams, path: &str, pause: Duration) {
    let upstreams = Arc::new(upstreams);
    for base in 0..upstreams.bases.all.len() {
        let (upstreams, path) = (upstreams.clone(), path.to_owned());
        tasks.spawn(async move {
            loop {
                sleep(pause).await;
                upstreams.probe_one(base, &path, pause).await;
            }
        });
    }
}

impl Upstreams {
    async fn probe_one(&self, base: usize, path: &str, pause: Duration) {
        let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        if !self.bases.all[base].health.wants_probe(self.clock.now_ms(), pause_ms) {
            return;
        }
        let aim = Aim { target: path, way: None, client: None, trace: None };
        if let Ok(answer) = self.ask(base, aim, Ask::Whole).await {
            let body = Limited::new(answer.response.into_body(), BODY_LIMIT).collect();
            // What it is does not matter.
            drop(timeout(self.idle, body).await);
        }
    }
}

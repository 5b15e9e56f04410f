//! Redis for tests.

use std::sync::Arc;
use std::time::Duration;

use super::{Settings, Shared};
use crate::ids::chance;
use crate::metrics::Metrics;

/// The sides of two origins, with names of their own on the server that `SEGUE_TEST_REDIS` names; `None` where it names
/// none: then the test is skipped, and says so.
pub(crate) async fn two() -> Option<[Shared; 2]> {
    let prefix = format!("test-{}:", hex::encode(chance::<8>()));
    let address = std::env::var("SEGUE_TEST_REDIS").ok().filter(|it| !it.is_empty());
    let Some(address) = address else {
        eprintln!("skipped: SEGUE_TEST_REDIS names no Redis");
        return None;
    };
    Some([open(&address, &prefix).await, open(&address, &prefix).await])
}

/// One origin's side, connected.
pub(super) async fn open(address: &str, prefix: &str) -> Shared {
    // Generous: busy machines are not what is tested.
    let settings = Settings { address, prefix, deadline: Duration::from_secs(5) };
    let shared = Shared::new(settings, Arc::new(Metrics::new())).unwrap();
    tokio::spawn(shared.clone().keep());
    eventually(|| !shared.is_away()).await;
    shared
}

/// Tries until it holds, for what happens in the background.
pub(crate) async fn eventually(mut holds: impl FnMut() -> bool) {
    for _ in 0..600 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never came to hold");
}

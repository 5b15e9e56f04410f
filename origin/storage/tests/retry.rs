//! The retry wrapper over stores that misbehave.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

mod support;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use segue_storage::testing::{Chaos, Faults};
use segue_storage::{Error, ErrorKind, Memory, RetryPolicy, Retrying, Storage, StorageRef, open};
use support::{noise, paths, read};

const TYPE: &str = "application/octet-stream";

fn quick(attempts: u32) -> RetryPolicy {
    RetryPolicy {
        attempts,
        first_pause: Duration::from_millis(1),
        max_pause: Duration::from_millis(2),
        ..RetryPolicy::default()
    }
}

/// A store in memory, the chaos over it, and retries over that.
fn stack(faults: Faults, policy: RetryPolicy) -> (StorageRef, Arc<Chaos>, Retrying) {
    let memory: StorageRef = Arc::new(Memory::new());
    let chaos = Arc::new(Chaos::new(memory.clone(), faults, 1));
    let retrying = Retrying::new(chaos.clone(), policy);
    (memory, chaos, retrying)
}

#[tokio::test]
async fn passing_failures_are_invisible() {
    let (_, chaos, store) = stack(Faults::default(), quick(4));
    for n in 0..4 {
        chaos.set(Faults { fail_next: 3, ..Faults::default() });
        match n {
            0 => store.put("a", "x".into(), TYPE).await.unwrap(),
            1 => assert_eq!(read(&store, "a").await.unwrap(), b"x"),
            2 => assert_eq!(paths(&store, "").await.unwrap(), ["a"]),
            _ => store.delete("a").await.unwrap(),
        }
    }
    assert_eq!(chaos.operations(), 16);
}

#[tokio::test]
async fn attempts_run_out() {
    let (_, chaos, store) = stack(Faults { offline: true, ..Faults::default() }, quick(3));
    assert_eq!(store.head("a").await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(chaos.operations(), 3);
    assert_eq!(paths(&store, "").await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(chaos.operations(), 6);
}

#[tokio::test]
async fn lasting_failures_are_not_retried() {
    for kind in [ErrorKind::NotFound, ErrorKind::Full, ErrorKind::Denied, ErrorKind::Path, ErrorKind::Other] {
        let (_, chaos, store) = stack(Faults { offline: true, kind, ..Faults::default() }, quick(5));
        assert_eq!(store.put("a", "x".into(), TYPE).await.unwrap_err().kind(), kind);
        assert_eq!(chaos.operations(), 1);
    }
}

#[tokio::test]
async fn a_store_that_never_answers_times_out() {
    let asleep = Faults { latency: Duration::from_secs(3_600), ..Faults::default() };
    let policy = RetryPolicy {
        attempt_timeout: Duration::from_millis(20),
        deadline: Duration::from_millis(200),
        ..quick(3)
    };
    let (_, _, store) = stack(asleep, policy);
    assert_eq!(store.get("a", None).await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(store.put("a", "x".into(), TYPE).await.unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test]
async fn the_deadline_ends_retrying_before_the_attempts_do() {
    let policy = RetryPolicy {
        attempts: u32::MAX,
        deadline: Duration::from_millis(100),
        max_pause: Duration::from_millis(10),
        ..quick(0)
    };
    let (_, _, store) = stack(Faults { offline: true, ..Faults::default() }, policy);
    assert_eq!(store.head("a").await.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn bodies_go_on_where_they_broke() {
    let content = noise(100_000, 1);
    let (memory, chaos, store) = stack(Faults::default(), quick(3));
    memory.put("a", content.clone().into(), TYPE).await.unwrap();
    // Each opening yields 999 bytes: a hundred failures, but never two without progress.
    chaos.set(Faults { cut_after: Some(999), ..Faults::default() });
    assert_eq!(read(&store, "a").await.unwrap(), content);
    assert_eq!(chaos.operations(), 101);
    let part = store.get("a", Some(500..5_000)).await.unwrap();
    assert_eq!((part.range.clone(), part.meta.size), (500..5_000, 100_000));
    assert_eq!(part.bytes(u64::MAX).await.unwrap(), content[500..5_000]);
}

#[tokio::test]
async fn a_body_without_progress_ends_with_its_error() {
    let (memory, _, store) = stack(Faults { cut_after: Some(0), ..Faults::default() }, quick(4));
    memory.put("a", "content".into(), TYPE).await.unwrap();
    let error = read(&store, "a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
}

#[tokio::test]
async fn a_stalled_body_is_opened_again() {
    let (memory, chaos, store) =
        stack(Faults::default(), RetryPolicy { attempt_timeout: Duration::from_millis(50), ..quick(3) });
    memory.put("a", noise(40_000, 1).into(), TYPE).await.unwrap();
    chaos.set(Faults { bytes_per_second: 1, ..Faults::default() });
    let object = store.get("a", None).await.unwrap();
    chaos.set(Faults::default());
    assert_eq!(object.bytes(u64::MAX).await.unwrap(), noise(40_000, 1));
    assert!(chaos.operations() >= 2);
}

#[tokio::test]
async fn a_body_is_never_mixed_from_two_objects() {
    let (memory, _, store) = stack(Faults { cut_after: Some(10), ..Faults::default() }, quick(3));
    for (replacement, size) in [("longer", 2_000), ("shorter", 5)] {
        memory.put("a", noise(1_000, 1).into(), TYPE).await.unwrap();
        let object = store.get("a", None).await.unwrap();
        memory.put("a", noise(size, 2).into(), TYPE).await.unwrap();
        let error = object.bytes(u64::MAX).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Other, "{replacement}: {error}");
        assert!(error.to_string().contains("replaced"), "{error}");
    }
    memory.put("a", noise(1_000, 1).into(), TYPE).await.unwrap();
    let object = store.get("a", None).await.unwrap();
    memory.delete("a").await.unwrap();
    assert_eq!(object.bytes(u64::MAX).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn listings_go_on_after_their_last_path() {
    let (memory, chaos, store) = stack(Faults::default(), quick(3));
    for n in 0..50 {
        memory.put(&format!("a/{n:02}"), "x".into(), TYPE).await.unwrap();
    }
    // Cut after more than what was delivered before, so that every new listing makes progress.
    let mut listing = store.list("a/");
    let mut found = Vec::new();
    for cut in (10..60).step_by(10) {
        chaos.set(Faults { cut_after: Some(cut), ..Faults::default() });
        if found.is_empty() {
            listing = store.list("a/");
        }
        found.extend(listing.by_ref().take(10).try_collect::<Vec<_>>().await.unwrap());
    }
    chaos.set(Faults::default());
    found.extend(listing.try_collect::<Vec<_>>().await.unwrap());
    let found: Vec<_> = found.into_iter().map(|object| object.path).collect();
    assert_eq!(found, paths(&*memory, "a/").await.unwrap());
}

#[tokio::test]
async fn the_same_seed_draws_the_same_failures() {
    let run = async |seed| -> Vec<Option<ErrorKind>> {
        let faults = Faults { error_rate: 0.5, ..Faults::default() };
        let chaos = Chaos::new(Arc::new(Memory::new()), faults, seed);
        let mut outcomes = Vec::new();
        for _ in 0..64 {
            let outcome = chaos.put("a", "x".into(), TYPE).await;
            outcomes.push(outcome.err().as_ref().map(Error::kind));
        }
        outcomes
    };
    let first = run(5).await;
    assert_eq!(first, run(5).await);
    assert_ne!(first, run(6).await);
    let failed = first.iter().filter(|outcome| outcome.is_some()).count();
    assert!((16..48).contains(&failed), "{failed} of 64");
}

#[tokio::test]
async fn opens_by_url() {
    let store = open("memory:").await.unwrap();
    store.put("a", "x".into(), TYPE).await.unwrap();
    assert_eq!(read(&*open("memory:").await.unwrap(), "a").await.unwrap_err().kind(), ErrorKind::NotFound);

    let dir = tempfile::tempdir().unwrap();
    let plain = dir.path().join("deep/store 1");
    let store = open(plain.to_str().unwrap()).await.unwrap();
    store.put("a", "x".into(), TYPE).await.unwrap();
    let url = format!("file://{}", plain.display()).replace(' ', "%20");
    assert_eq!(read(&*open(&url).await.unwrap(), "a").await.unwrap(), b"x");
    assert!(open("gopher://x").await.is_err());
}

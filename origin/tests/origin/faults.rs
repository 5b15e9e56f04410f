//! Store and database failing while serving.

use std::sync::Arc;
use std::time::Duration;

use segue_origin::StartError;
use segue_storage::ErrorKind;
use segue_storage::testing::Faults;

use crate::support::{Origin, Track, config, database, memory, origin, origin_with, start, tags};

async fn with_track(origin: &Origin) -> Track {
    let track = Track::new(1, tags("One", "Ann", "First"));
    origin.add(&track).await;
    track
}

#[tokio::test]
async fn a_store_that_is_gone_is_503_and_comes_back() {
    let origin = origin().await;
    let track = with_track(&origin).await;
    assert_eq!(origin.get("/readyz").await.status, 200);
    for kind in [ErrorKind::Unavailable, ErrorKind::Timeout, ErrorKind::Denied] {
        origin.store.set(Faults { offline: true, kind, ..Faults::default() });
        for path in ["/mv.m3u8", "/aac-128/media.m3u8", "/aac-128/0.m4s"] {
            let answer = origin.get(&format!("{}{path}", track.base())).await;
            answer.assert_problem(503, "unavailable");
            assert_eq!(answer.header("cache-control"), "no-store");
            assert!(answer.headers.contains_key("retry-after"));
        }
        origin.post(&format!("/play/{}", track.id()), "").await.assert_problem(503, "unavailable");
        origin.get("/readyz").await.assert_problem(503, "unavailable");
        assert_eq!(origin.get("/healthz").await.status, 200);
        assert_eq!(origin.get("/songs").await.titles(), ["One"], "the catalog goes on");
    }
    origin.store.set(Faults::default());
    assert_eq!(origin.get("/readyz").await.status, 200);
    assert_eq!(origin.get(&format!("{}/aac-128/0.m4s", track.base())).await.body, track.segment(0, 0));
    assert_eq!(origin.post(&format!("/play/{}", track.id()), "").await.status, 200);
}

#[tokio::test]
async fn what_is_in_memory_outlives_the_store() {
    let origin = origin().await;
    let track = with_track(&origin).await;
    for index in 0..6 {
        origin.get(&format!("{}/aac-128/{index}.m4s", track.base())).await;
    }
    origin.store.set(Faults { offline: true, ..Faults::default() });
    assert_eq!(origin.get(&format!("{}/aac-128/3.m4s", track.base())).await.body, track.segment(0, 3));
    assert_eq!(origin.post(&format!("/play/{}", track.id()), "").await.status, 200);
}

#[tokio::test]
async fn a_body_that_breaks_gives_what_was_complete() {
    let origin = origin().await;
    let track = with_track(&origin).await;
    origin.get(&format!("{}/mv.m3u8", track.base())).await;
    let first = track.descriptor.renditions[0].segment_sizes[0];
    origin.store.set(Faults { cut_after: Some(u64::from(first) + 10), ..Faults::default() });
    assert_eq!(origin.get(&format!("{}/aac-128/0.m4s", track.base())).await.body, track.segment(0, 0));
    // Larger than what arrives before the break.
    origin.get(&format!("{}/aac-128/2.m4s", track.base())).await.assert_problem(503, "unavailable");
    origin.store.set(Faults::default());
    assert_eq!(origin.get(&format!("{}/aac-128/2.m4s", track.base())).await.body, track.segment(0, 2));
}

#[tokio::test]
async fn a_store_that_never_answers_is_given_up() {
    let origin = origin_with(|config| config.store_timeout_seconds = 1).await;
    let track = with_track(&origin).await;
    origin.store.set(Faults { latency: Duration::from_secs(3600), ..Faults::default() });
    origin.get(&format!("{}/mv.m3u8", track.base())).await.assert_problem(503, "unavailable");
    origin.get("/readyz").await.assert_problem(503, "unavailable");
}

#[tokio::test]
async fn a_locked_database_is_503_for_writes_and_reads_go_on() {
    let origin = origin_with(|config| config.request_timeout_seconds = 60).await;
    let track = with_track(&origin).await;
    let database = database(&origin.dir).await;
    let lock = if database.starts_with("postgres") {
        let mut lock = sqlx::AnyPool::connect(&database).await.unwrap().begin().await.unwrap();
        sqlx::query("LOCK TABLE plays IN EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
        lock
    } else {
        let pool = sqlx::AnyPool::connect(&format!("sqlite://{database}")).await.unwrap();
        pool.begin_with("BEGIN IMMEDIATE").await.unwrap()
    };
    origin.post(&format!("/play/{}", track.id()), "").await.assert_problem(503, "unavailable");
    assert_eq!(origin.get("/songs").await.titles(), ["One"]);
    lock.rollback().await.unwrap();
    assert_eq!(origin.post(&format!("/play/{}", track.id()), "").await.status, 200);
}

#[tokio::test]
async fn starts_that_cannot_work_say_why() {
    let dir = tempfile::tempdir().unwrap();
    let broken = dir.path().join("broken.db");
    std::fs::write(&broken, [0x55; 8192]).unwrap();
    let database = broken.to_string_lossy().into_owned();
    let started =
        segue_origin::start_with(segue_origin::Config { database, ..config(&dir).await }, memory()).await;
    assert!(matches!(started.err().unwrap(), StartError::Database(_)));
    let edges = vec!["nonsense".into()];
    let started =
        segue_origin::start_with(segue_origin::Config { edges, ..config(&dir).await }, memory()).await;
    assert!(started.err().unwrap().to_string().contains("nonsense"));
    let first = segue_origin::start_with(config(&dir).await, memory()).await.unwrap();
    let listen = first.addr().to_string();
    let started =
        segue_origin::start_with(segue_origin::Config { listen, ..config(&dir).await }, memory()).await;
    assert!(matches!(started.err().unwrap(), StartError::Listen { .. }));
}

#[tokio::test]
async fn a_folder_store_serves_by_its_url() {
    let dir = tempfile::tempdir().unwrap();
    let url = dir.path().join("store").to_string_lossy().into_owned();
    let store = segue_storage::open(&url).await.unwrap();
    let track = Track::new(1, tags("One", "Ann", "First"));
    track.publish(&*store).await;
    let running =
        segue_origin::start(segue_origin::Config { store: url, ..config(&dir).await }).await.unwrap();
    running.import(track.descriptor.asset, track.descriptor.rev).await.unwrap();
    running.drain(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn draining_lets_open_requests_end() {
    let (dir, store) = (Arc::new(tempfile::tempdir().unwrap()), memory());
    let origin = Arc::new(start(dir, store, |_| ()).await);
    let track = with_track(&origin).await;
    origin.store.set(Faults { latency: Duration::from_millis(500), ..Faults::default() });
    let asking = tokio::spawn({
        let (origin, path) = (Arc::clone(&origin), format!("{}/aac-128/0.m4s", track.base()));
        async move { origin.get(&path).await }
    });
    while origin.store.operations() < 10 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    origin.drain(Duration::from_secs(30)).await;
    assert_eq!(asking.await.unwrap().body, track.segment(0, 0));
    assert!(tokio::net::TcpStream::connect(origin.addr()).await.is_err(), "nobody listens any more");
}

//! Answers of the catalog that are kept, and what a write does to them.

use std::sync::Arc;

use http::Method;
use serde_json::Value;

use crate::support::{Track, eventually, memory, origin, origin_with, start, tags};

#[tokio::test]
async fn the_second_answer_is_kept_and_the_same() {
    let origin = origin().await;
    for n in 0..30 {
        origin.add(&Track::new(n, tags(&format!("Song {n}"), "Ann", "First"))).await;
    }
    let album = origin.get("/albums").await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let artist = origin.get("/artists").await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let paths = [
        "/songs?limit=40".to_owned(),
        "/songs?name=song".into(),
        format!("/songs/{}", Track::new(3, tags("Song 3", "Ann", "First")).id()),
        format!("/albums/{album}"),
        format!("/albums/{album}/songs"),
        format!("/artists/{artist}"),
        format!("/artists/{artist}/albums"),
        format!("/artists/{artist}/songs"),
    ];
    for path in &paths {
        for coding in ["identity", "gzip", "zstd, gzip"] {
            let asked = [("accept-encoding", coding)];
            let first = origin.get_with(path, &asked).await;
            let second = origin.get_with(path, &asked).await;
            let made = first.header("cache-status");
            assert!(coding != "identity" || made == "segue-origin; fwd=uri-miss; stored", "{path}: {made}");
            assert_eq!(second.header("cache-status"), "segue-origin; hit", "{path} {coding}");
            assert_eq!((&first.body, first.header("etag")), (&second.body, second.header("etag")), "{path}");
            let known = [("accept-encoding", coding), ("if-none-match", second.header("etag"))];
            let none = origin.get_with(path, &known).await;
            assert_eq!((none.status.as_u16(), none.body.len()), (304, 0), "{path}");
            assert_eq!(none.header("etag"), second.header("etag"));
            let head = origin.ask(Method::HEAD, path, &asked, "").await;
            assert_eq!(head.header("content-length"), second.header("content-length"), "{path}");
            assert_eq!(origin.ask(Method::HEAD, path, &known, "").await.status, 304);
        }
    }
    // However it is spelled.
    for path in ["/songs?name=SONG", "/songs?limit=50&name=s%C3%B6ng&cursor=", "/songs?name=song&limit=50"] {
        assert_eq!(origin.get(path).await.header("cache-status"), "segue-origin; hit", "{path}");
    }
    assert!(origin.metric("segue_origin_catalog_answers_total{outcome=\"hit\"}").await > 20);
    assert!(origin.metric("segue_origin_catalog_answer_bytes").await > 10_000);
}

#[tokio::test]
async fn a_write_that_is_acknowledged_is_seen_at_once() {
    let origin = origin().await;
    let (_, curator) = origin.user("root").await;
    for n in 0..20 {
        let track = Track::new(n, tags(&format!("Song {n:02}"), "Ann", "First"));
        origin.add(&track).await;
        assert_eq!(origin.get("/songs").await.titles().len(), n as usize + 1);
        let album = &origin.get("/albums").await.json()["items"][0];
        assert_eq!(album["song_count"], n + 1, "{album}");
    }
    let song = Track::new(7, tags("Song 07", "Ann", "First")).id();
    let (path, takedown) = (format!("/songs/{song}"), format!("/songs/{song}/takedown"));
    for _ in 0..5 {
        assert_eq!(origin.get(&path).await.status, 200);
        assert_eq!(origin.as_user(Method::PUT, &takedown, &curator, &Value::Null).await.status, 204);
        origin.get(&path).await.assert_problem(410, "taken-down");
        assert_eq!(origin.get("/songs").await.titles().len(), 19);
        assert_eq!(origin.as_user(Method::DELETE, &takedown, &curator, &Value::Null).await.status, 204);
        assert_eq!(origin.get("/songs").await.titles().len(), 20);
    }
}

/// Readers that never rest, while songs come one after another: none ever sees fewer than were acknowledged before it
/// asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_never_fall_behind_a_writer() {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    let origin = Arc::new(origin().await);
    let done = Arc::new(AtomicUsize::new(0));
    let readers: Vec<_> = (0..8)
        .map(|_| {
            let (origin, done) = (origin.clone(), done.clone());
            tokio::spawn(async move {
                while done.load(SeqCst) < 60 {
                    let acknowledged = done.load(SeqCst);
                    let seen = origin.get("/songs?limit=200").await.titles().len();
                    assert!(seen >= acknowledged, "{seen} of {acknowledged}");
                }
            })
        })
        .collect();
    for n in 0..60 {
        origin.add(&Track::new(n, tags(&format!("Song {n}"), "Ann", "First"))).await;
        done.fetch_add(1, SeqCst);
    }
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test]
async fn another_origin_on_the_database_notices() {
    let here = origin().await;
    let there = start(here.dir.clone(), memory(), |_| ()).await;
    assert_eq!(there.get("/songs").await.titles().len(), 0);
    here.add(&Track::new(1, tags("One", "Ann", "First"))).await;
    assert_eq!(here.get("/songs").await.titles().len(), 1);
    eventually(async || there.get("/songs").await.titles().len() == 1).await;
}

#[tokio::test]
async fn what_is_kept_is_for_those_who_may_have_it() {
    let origin = origin_with(|config| config.guests = false).await;
    let (_, token) = origin.user("root").await;
    origin.add(&Track::new(1, tags("One", "Ann", "First"))).await;
    for _ in 0..2 {
        assert_eq!(origin.as_user(Method::GET, "/songs", &token, &Value::Null).await.status, 200);
    }
    origin.get("/songs").await.assert_problem(401, "sign-in");
}

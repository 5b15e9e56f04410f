//! Bringing packagings into the catalog.

use std::sync::Arc;

use http::Method;
use segue_manifests::ObjectKey;
use segue_origin::ImportError;
use segue_storage::testing::Faults;

use crate::support::{Track, eventually, memory, origin, origin_with, put, start, tags};

#[tokio::test]
async fn the_same_again_changes_nothing() {
    let origin = origin().await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    origin.add(&track).await;
    let before = origin.get("/songs").await.body;
    let again = (0..20).map(|_| origin.import(track.descriptor.asset, track.descriptor.rev));
    assert!(futures_util::future::join_all(again).await.iter().all(Result::is_ok));
    assert_eq!(origin.get("/songs").await.body, before);
    assert_eq!(origin.metric("segue_origin_imports_total{outcome=\"added\"}").await, 1);
    assert_eq!(origin.metric("segue_origin_imports_total{outcome=\"unchanged\"}").await, 20);
}

#[tokio::test]
async fn retagging_keeps_the_song_and_its_plays() {
    let origin = origin().await;
    origin.add(&Track::new(1, tags("One", "Ann", "First"))).await;
    let old = origin.get("/albums").await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let retagged = Track::new(1, tags("Uno", "Ana", "Primero"));
    origin.add(&retagged).await;
    assert_eq!(origin.get("/songs").await.titles(), ["Uno"]);
    assert_eq!(origin.get("/artists").await.titles(), ["Ana"]);
    origin.get(&format!("/albums/{old}")).await.assert_problem(404, "not-found");
    let play = origin.post(&format!("/play/{}", retagged.id()), "").await.json();
    let rev = retagged.descriptor.rev.to_string();
    assert!(play["manifest_url"].as_str().unwrap().contains(&rev), "the current packaging plays");
}

#[tokio::test]
async fn the_scan_fills_a_new_database_and_skips_what_is_bad() {
    let store = memory();
    for n in 0..12 {
        Track::new(n, tags(&format!("{n:02}"), "Ann", "First")).publish(&*store).await;
    }
    for (n, bytes) in [&b""[..], b"{", b"[1,2]", b"{\"version\":99}", &[0xff; 100]].into_iter().enumerate() {
        let bad = Track::new(100 + n as u64, tags("bad", "", ""));
        let object = ObjectKey::Descriptor { asset: bad.descriptor.asset, rev: bad.descriptor.rev };
        put(&*store, &object, bytes.to_vec()).await;
    }
    // A sound descriptor in another's place.
    let (one, other) = (Track::new(200, tags("bad", "", "")), Track::new(201, tags("bad", "", "")));
    let misplaced = ObjectKey::Descriptor { asset: one.descriptor.asset, rev: one.descriptor.rev };
    put(&*store, &misplaced, other.descriptor.to_json()).await;
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let origin = start(dir, store, |config| config.scan_seconds = 1).await;
    eventually(async || origin.get("/songs").await.titles().len() == 12).await;
    eventually(async || origin.metric("segue_origin_imports_total{outcome=\"bad\"}").await == 6).await;
    // Published later: found by a later scan; what is bad is not tried again.
    Track::new(50, tags("late", "Ann", "First")).publish(&*origin.store).await;
    eventually(async || origin.get("/songs?name=late").await.titles().len() == 1).await;
    assert_eq!(origin.metric("segue_origin_imports_total{outcome=\"bad\"}").await, 6);
}

#[tokio::test]
async fn the_scan_goes_on_when_the_store_is_back() {
    let store = memory();
    Track::new(1, tags("One", "Ann", "First")).publish(&*store).await;
    store.set(Faults { offline: true, ..Faults::default() });
    let dir = Arc::new(tempfile::tempdir().unwrap());
    let origin = start(dir, store, |config| config.scan_seconds = 1).await;
    assert_eq!(origin.get("/songs").await.titles(), [""; 0]);
    origin.store.set(Faults::default());
    eventually(async || origin.get("/songs").await.titles().len() == 1).await;
}

#[tokio::test]
async fn imports_by_http_need_the_secret() {
    let origin = origin_with(|config| config.admin_secret = "hush".into()).await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    let body = format!(r#"{{"asset":"{}","rev":"{}"}}"#, track.descriptor.asset, track.descriptor.rev);
    origin.post("/imports", body.clone()).await.assert_problem(401, "no-secret");
    let post = async |body: String| {
        origin.ask(Method::POST, "/imports", &[("authorization", "Bearer hush")], body).await
    };
    post(body.clone()).await.assert_problem(404, "not-found");
    track.publish(&*origin.store).await;
    let added = post(body.clone()).await;
    assert_eq!((added.status.as_u16(), &added.json()["outcome"]), (201, &"added".into()));
    let again = post(body.clone()).await;
    assert_eq!((again.status.as_u16(), &again.json()["outcome"]), (200, &"unchanged".into()));
    for bad in ["", "{}", "[]", r#"{"asset":"../..","rev":"x"}"#, r#"{"asset":1,"rev":2}"#] {
        post(bad.into()).await.assert_problem(400, "bad-json");
    }
    let bad = Track::new(2, tags("bad", "", ""));
    let object = ObjectKey::Descriptor { asset: bad.descriptor.asset, rev: bad.descriptor.rev };
    put(&*origin.store, &object, b"{}".to_vec()).await;
    let body = format!(r#"{{"asset":"{}","rev":"{}"}}"#, bad.descriptor.asset, bad.descriptor.rev);
    post(body).await.assert_problem(422, "bad-descriptor");
}

#[tokio::test]
async fn imports_by_http_are_off_without_a_secret() {
    let origin = origin().await;
    origin.post("/imports", "{}").await.assert_problem(403, "imports-off");
}

#[tokio::test]
async fn errors_name_what_is_wrong() {
    let origin = origin().await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    let (asset, rev) = (track.descriptor.asset, track.descriptor.rev);
    assert!(matches!(origin.import(asset, rev).await, Err(ImportError::NotPublished { .. })));
    origin.store.set(Faults { offline: true, ..Faults::default() });
    assert!(matches!(origin.import(asset, rev).await, Err(ImportError::Store(_))));
}

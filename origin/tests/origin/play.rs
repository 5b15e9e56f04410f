//! Pressing play.

use segue_manifests::playlists::{MediaPlaylist, MultivariantPlaylist};
use segue_manifests::token::{self, Access, KeySet, Method};
use segue_manifests::{MediaPath, path};

use crate::support::{Track, database, memory, origin, origin_with, start, tags};

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test]
async fn an_answer_holds_all_that_a_player_needs() {
    let origin = origin().await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    origin.add(&track).await;
    let answer = origin.post(&format!("/play/{}", track.id()), "").await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"));
    let play = answer.json();
    assert_eq!(play["song"]["id"], track.id());
    assert_eq!(play["duration_ms"], track.descriptor.duration_ms());
    assert_eq!(play["backup_manifest_urls"], serde_json::json!([]));
    let url = play["manifest_url"].as_str().unwrap();
    let signed = url.strip_prefix("http://127.0.0.1:8081").unwrap();
    let (token, cache_path) = path::split_token(signed);
    assert_eq!(cache_path, format!("{}/mv.m3u8", track.base()));

    let keys = KeySet::from_json(&origin.get("/.well-known/segue-keys.json").await.body).unwrap();
    let access = |path, kbps| Access { path, method: Method::Get, kbps };
    let claims = token::verify(token.unwrap(), &access(&cache_path, None), &keys, now()).unwrap();
    assert_eq!(claims.playback_session.as_deref(), play["playback_session"].as_str());
    assert_eq!(claims.expires - claims.issued, token::session_lifetime(track.descriptor.duration_ms()));
    let other =
        MediaPath::Multivariant { asset: segue_manifests::AssetId([9; 16]), rev: track.descriptor.rev };
    assert!(token::verify(token.unwrap(), &access(&other.path(), None), &keys, now()).is_err());

    let multivariant = play["start"]["multivariant"].as_str().unwrap();
    assert_eq!(multivariant.as_bytes(), origin.get(&format!("{}/mv.m3u8", track.base())).await.body);
    assert_eq!(MultivariantPlaylist::parse(multivariant).unwrap().variants.len(), 3);
    let media = play["start"]["media"]["aac-128"].as_str().unwrap();
    assert_eq!(media.as_bytes(), origin.get(&format!("{}/aac-128/media.m3u8", track.base())).await.body);
    assert_eq!(MediaPlaylist::parse(media).unwrap().segments.len(), 6);
}

#[tokio::test]
async fn a_bit_rate_limit_holds_in_token_and_playlists() {
    let origin = origin().await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    origin.add(&track).await;
    let play = origin.post(&format!("/play/{}", track.id()), r#"{"max_kbps": 256}"#).await.json();
    let media = play["start"]["media"].as_object().unwrap();
    assert_eq!(media.keys().collect::<Vec<_>>(), ["aac-128", "aac-256"]);
    assert!(!play["start"]["multivariant"].as_str().unwrap().contains("aac-320"));
    let signed = play["manifest_url"].as_str().unwrap().strip_prefix("http://127.0.0.1:8081").unwrap();
    let (token, cache_path) = path::split_token(signed);
    let keys = KeySet::from_json(&origin.get("/.well-known/segue-keys.json").await.body).unwrap();
    let access = |kbps| Access { path: &cache_path, method: Method::Get, kbps: Some(kbps) };
    assert!(token::verify(token.unwrap(), &access(256), &keys, now()).is_ok());
    assert!(token::verify(token.unwrap(), &access(320), &keys, now()).is_err());
    origin
        .post(&format!("/play/{}", track.id()), r#"{"max_kbps": 64}"#)
        .await
        .assert_problem(400, "no-rendition");
}

#[tokio::test]
async fn edges_follow_the_listeners_host_name() {
    let origin = origin_with(|config| {
        config.edges = (1..=5).map(|n| format!("http://{{host}}:900{n}")).collect();
        config.backup_edges = 2;
    })
    .await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    origin.add(&track).await;
    let path = format!("/play/{}", track.id());
    let ask = async |host: &str| origin.ask(http::Method::POST, &path, &[("host", host)], "").await;
    let play = ask("phone.lan:8080").await.json();
    assert!(play["manifest_url"].as_str().unwrap().starts_with("http://phone.lan:900"), "{play}");
    assert_eq!(play["backup_manifest_urls"].as_array().unwrap().len(), 2);
    assert!(ask("[::1]:8080").await.json()["manifest_url"].as_str().unwrap().starts_with("http://[::1]:900"));
    for bad in ["evil/..", "a b", "user@host", "\"quoted\""] {
        let answer = ask(bad).await;
        assert_eq!(answer.status, 400, "{bad}: {answer:?}");
    }
}

#[tokio::test]
async fn plays_outlive_a_crash_and_nothing_is_counted_twice() {
    let (dir, store) = (std::sync::Arc::new(tempfile::tempdir().unwrap()), memory());
    let track = Track::new(1, tags("One", "Ann", "First"));
    let origin = start(dir.clone(), store.clone(), |_| ()).await;
    origin.add(&track).await;
    let path = format!("/play/{}", track.id());
    let plays = futures_util::future::join_all((0..50).map(|_| origin.post(&path, ""))).await;
    let sessions: std::collections::BTreeSet<String> =
        plays.iter().map(|play| play.json()["playback_session"].as_str().unwrap().to_owned()).collect();
    assert_eq!(sessions.len(), 50);
    assert_eq!(origin.metric("segue_origin_plays_total").await, 50);
    // No drain: as after a crash, the files are what was acknowledged.
    let crashed = tempfile::tempdir().unwrap();
    let mut address = database(&dir).await;
    if !address.starts_with("postgres") {
        for file in ["catalog.db", "catalog.db-wal"] {
            std::fs::copy(dir.path().join(file), crashed.path().join(file)).unwrap();
        }
        address = format!("sqlite://{}", crashed.path().join("catalog.db").display());
    }
    let pool = sqlx::AnyPool::connect(&address).await.unwrap();
    let rows: Vec<(Vec<u8>,)> =
        sqlx::query_as("SELECT playback_session FROM plays").fetch_all(&pool).await.unwrap();
    let recorded: std::collections::BTreeSet<String> = rows.iter().map(|(id,)| hex::encode(id)).collect();
    assert_eq!(recorded, sessions);
    drop(origin);
    let again = start(dir, store, |_| ()).await;
    assert_eq!(again.get("/songs").await.titles(), ["One"]);
    assert_eq!(again.post(&path, "").await.status, 200);
}

#[tokio::test]
async fn wrong_requests_are_told_what_is_wrong() {
    let origin = origin().await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    origin.add(&track).await;
    let path = format!("/play/{}", track.id());
    origin.post("/play/00000000000000000000000000000000", "").await.assert_problem(404, "not-found");
    origin.post("/play/nonsense", "").await.assert_problem(404, "not-found");
    origin.post(&path, "{").await.assert_problem(400, "bad-json");
    origin.post(&path, r#"{"max_kbps": "x"}"#).await.assert_problem(400, "bad-json");
    origin.post(&path, vec![b' '; 20_000]).await.assert_problem(413, "too-large");
    origin.get(&path).await.assert_problem(405, "method-not-allowed");
    assert_eq!(origin.get(&path).await.header("allow"), "POST");
}

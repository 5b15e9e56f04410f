//! What is taken down cannot be played any more.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};

use crate::edge_admin::EdgeAdmin;
use crate::support::{Track, eventually, memory, origin_with, start, tags};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The assets that were purged.
fn purged(edge: &EdgeAdmin) -> Vec<Value> {
    edge.told("/purge").into_iter().map(|call| call.body["surrogate_keys"][0].clone()).collect()
}

#[tokio::test]
async fn every_origin_of_a_database_notices_and_tells_the_edges() {
    let (dir, store) = (Arc::new(tempfile::tempdir().unwrap()), memory());
    let edge = EdgeAdmin::start(1).await;
    let one = start(dir.clone(), store.clone(), |_| ()).await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    one.add(&track).await;
    let other = start(dir, store, |config| config.edge_admins = vec![edge.address.clone()]).await;
    let media = format!("{}/aac-128/0.m4s", track.base());
    assert_eq!(other.get(&media).await.status, 200);
    let (_, curator) = one.user("root").await;
    let path = format!("/songs/{}/takedown", track.id());
    assert_eq!(one.as_user(Method::PUT, &path, &curator, &json!({})).await.status, 204);
    // An edge that asks the other origin now may still be given the song; it is told once more when that one notices.
    eventually(async || other.get(&media).await.status == 410).await;
    eventually(async || purged(&edge) == [json!(format!("asset-{}", track.id()))]).await;
    assert_eq!(one.as_user(Method::DELETE, &path, &curator, &Value::Null).await.status, 204);
    eventually(async || other.get(&media).await.status == 200).await;
    eventually(async || purged(&edge).len() == 2).await;
}

/// An edge that is told before its shield may fetch from that once more what is taken down.
#[tokio::test]
async fn edges_are_told_again_when_their_shields_have_been() {
    let (edge, shield) = (EdgeAdmin::start(1).await, EdgeAdmin::start(1).await);
    let origin = origin_with(|config| {
        config.edge_admins = vec![edge.address.clone()];
        config.shield_admins = vec![shield.address.clone()];
    })
    .await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    origin.add(&track).await;
    let (_, curator) = origin.user("root").await;
    let path = format!("/songs/{}/takedown", track.id());
    assert_eq!(origin.as_user(Method::PUT, &path, &curator, &json!({})).await.status, 204);
    eventually(async || purged(&edge).len() == 2).await;
    assert_eq!(purged(&shield), [json!(format!("asset-{}", track.id()))]);
}

#[tokio::test]
async fn a_song_goes_everywhere_and_comes_back() {
    let edge = EdgeAdmin::start(1).await;
    let origin = edge.origin().await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    let other = Track::new(2, tags("Two", "Ann", "First"));
    origin.add(&track).await;
    origin.add(&other).await;
    let (_, curator) = origin.user("root").await;
    let (_, listener) = origin.user("ann").await;
    let path = format!("/songs/{}/takedown", track.id());
    let reason = json!({"reason": "asked by the artist"});
    origin.as_user(Method::PUT, &path, &listener, &reason).await.assert_problem(403, "forbidden");
    assert_eq!(origin.post(&format!("/play/{}", track.id()), "").await.status, 200);
    let (authorization, parent) = (format!("Bearer {curator}"), format!("00-{TRACE}-00f067aa0ba902b7-01"));
    let headers = [("authorization", authorization.as_str()), ("traceparent", &parent)];
    assert_eq!(origin.ask(Method::PUT, &path, &headers, reason.to_string()).await.status, 204);

    let media = [
        format!("/songs/{}", track.id()),
        format!("{}/mv.m3u8", track.base()),
        format!("{}/aac-128/media.m3u8", track.base()),
        format!("{}/aac-128/0.m4s", track.base()),
    ];
    for path in &media {
        origin.get(path).await.assert_problem(410, "taken-down");
    }
    let key = format!("asset-{}", track.id());
    assert_eq!(origin.get(&media[1]).await.header("surrogate-key"), key, "a put-back reaches the edges too");
    origin.post(&format!("/play/{}", track.id()), "").await.assert_problem(410, "taken-down");
    assert_eq!(origin.get("/songs").await.titles(), ["Two"]);
    assert_eq!(origin.get("/songs?name=One").await.titles(), Vec::<String>::new());
    assert_eq!(origin.get(&format!("{}/mv.m3u8", other.base())).await.status, 200);
    eventually(async || !edge.told("/purge").is_empty()).await;
    let call = edge.told("/purge").remove(0);
    assert_eq!(call.authorization, "Bearer hush");
    let trace = call.trace;
    assert_eq!(call.body, json!({"surrogate_keys": [format!("asset-{}", track.id())]}));
    assert!(trace.starts_with(&format!("00-{TRACE}-")) && trace != parent, "{trace}");

    // Importing it again does not bring it back.
    origin.add(&Track::new(1, tags("Uno", "Ann", "First"))).await;
    origin.get(&media[0]).await.assert_problem(410, "taken-down");
    assert_eq!(origin.as_user(Method::DELETE, &path, &curator, &Value::Null).await.status, 204);
    assert_eq!(origin.get(&media[1]).await.status, 200);
    assert_eq!(origin.get("/songs").await.titles(), ["Two", "Uno"]);
    let audit = origin.as_user(Method::GET, "/audit", &curator, &Value::Null).await.json();
    assert_eq!(
        (&audit["items"][0]["act"], &audit["items"][1]["detail"]),
        (&json!("put-back"), &json!("asked by the artist"))
    );
    let nothing = format!("/songs/{}/takedown", "0".repeat(32));
    origin.as_user(Method::PUT, &nothing, &curator, &json!({})).await.assert_problem(404, "not-found");
}

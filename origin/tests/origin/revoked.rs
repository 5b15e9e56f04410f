//! Edges are told what may not be played any more though its tokens are right.

use std::time::{SystemTime, UNIX_EPOCH};

use http::Method;
use segue_manifests::token::SigningKeys;
use serde_json::json;

use crate::edge_admin::EdgeAdmin;
use crate::support::{Track, eventually, origin_with, tags};

#[tokio::test]
async fn what_an_erased_account_plays_ends() {
    let edge = EdgeAdmin::start(1).await;
    let origin = edge.origin().await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    origin.add(&track).await;
    let (_, root) = origin.user("root").await;
    let (ben, token) = origin.user("ben").await;
    let play = format!("/play/{}", track.id());
    let mut sessions = Vec::new();
    for listener in [&token, &root, &token] {
        let played = origin.as_user(Method::POST, &play, listener, &json!({})).await;
        assert_eq!(played.status, 200);
        sessions.push(played.json()["playback_session"].clone());
    }
    let password = json!({"password": "correct horse"});
    let erased = origin.as_user(Method::DELETE, &format!("/users/{ben}"), &token, &password).await;
    assert_eq!(erased.status, 204);
    eventually(async || !edge.told("/revoke").is_empty()).await;
    let call = edge.told("/revoke").remove(0);
    assert_eq!(call.authorization, "Bearer hush");
    let told = call.body["playback_sessions"].as_array().unwrap();
    assert_eq!(told.len(), 2, "not those of others: {told:?}");
    assert!(told.contains(&sessions[0]) && told.contains(&sessions[2]));
}

#[tokio::test]
async fn a_key_that_is_revoked_is_told() {
    let edge = EdgeAdmin::start(1).await;
    let mut file = String::new();
    let origin = origin_with(|config| {
        config.edge_admins = vec![edge.address.clone()];
        config.keys_poll_seconds = 1;
        file.clone_from(&config.keys_file);
    })
    .await;
    let mut keys = SigningKeys::from_json(&std::fs::read(&file).unwrap()).unwrap();
    let revoked = keys.active_kid();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    keys.revoke(revoked, now).unwrap();
    std::fs::write(&file, keys.to_json()).unwrap();
    eventually(async || !edge.told("/revoke").is_empty()).await;
    assert_eq!(edge.told("/revoke")[0].body, json!({"keys": [revoked]}));
    drop(origin);
}

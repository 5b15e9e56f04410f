//! The edge that a listener is sent to hears at once what to pull.

use crate::edge_admin::EdgeAdmin;
use crate::support::{Track, eventually, origin_with, tags};

/// Paths that an edge was told to pull.
fn told(edge: &EdgeAdmin) -> Vec<String> {
    let paths =
        |call: crate::edge_admin::Call| serde_json::from_value::<Vec<String>>(call.body["paths"].clone());
    edge.told("/prefetch").into_iter().flat_map(|call| paths(call).unwrap()).collect()
}

#[tokio::test]
async fn the_chosen_edge_hears_of_a_play_once() {
    let (first, second) = (EdgeAdmin::start(0).await, EdgeAdmin::start(0).await);
    let origin = origin_with(|config| {
        config.edges = vec!["http://one".into(), "http://two".into()];
        config.edge_admins = vec![first.address.clone(), second.address.clone()];
        config.edge_admin_secret = "hush".into();
    })
    .await;
    let mut expected = (Vec::new(), Vec::new());
    for number in 1..=8 {
        let track = Track::new(number, tags(&format!("Song {number}"), "Ann", "First"));
        origin.add(&track).await;
        let play = format!("/play/{}", track.id());
        let start = origin.post(&play, "").await.json();
        origin.post(&play, "").await;
        let is_first = start["manifest_url"].as_str().unwrap().starts_with("http://one/");
        let of_edge = if is_first { &mut expected.0 } else { &mut expected.1 };
        of_edge.push(format!("{}/mv.m3u8", track.base()));
        let (edge, count) = if is_first { (&first, expected.0.len()) } else { (&second, expected.1.len()) };
        // Hints are given in their order: a second one for a song would come before that for the next.
        eventually(async || told(edge).len() >= count).await;
    }
    assert_eq!((told(&first), told(&second)), expected);
    assert!(!expected.0.is_empty() && !expected.1.is_empty(), "both have songs");
    let calls = first.told("/prefetch").into_iter().chain(second.told("/prefetch"));
    assert!(calls.into_iter().all(|call| call.authorization == "Bearer hush"));
}

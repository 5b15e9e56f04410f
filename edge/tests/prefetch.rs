//! Fetching before it is asked for: what playlists, segments, players and operators bring about.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{ADMIN_SECRET, Answer, BASE, Bench, Step, get, request};

const INIT: &str = "/v1/i/00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff.mp4";

/// An asset of two renditions with three segments.
fn publish(bench: &Bench) {
    let fresh = |body: &str| Answer::ok(body).with("cache-control", "max-age=60");
    let variant = |name: &str| {
        format!(
            "#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"mp4a.40.2\",STABLE-VARIANT-ID=\"{name}\"\n{name}/media.m3u8\n"
        )
    };
    let multivariant = format!("#EXTM3U\n{}{}", variant("aac-128"), variant("aac-256"));
    bench.upstream.media("mv.m3u8", fresh(&multivariant));
    bench.upstream.answer(INIT, fresh("init"));
    for rendition in ["aac-128", "aac-256"] {
        let segments: String = (0..3).map(|number| format!("#EXTINF:2.00000,\n{number}.m4s\n")).collect();
        let playlist = format!(
            "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MAP:URI=\"{INIT}\"\n{segments}#EXT-X-ENDLIST\n"
        );
        bench.upstream.media(&format!("{rendition}/media.m3u8"), fresh(&playlist));
        for number in 0..3 {
            bench.upstream.media(&format!("{rendition}/{number}.m4s"), fresh("segment"));
        }
    }
}

/// Until all that was left to be pulled so far has been begun: pulls are begun in their order, and this is the last one.
async fn until_all_begun(bench: &Bench, number: u32) {
    let bearer = format!("Bearer {ADMIN_SECRET}");
    let last = format!(r#"{{"paths":["{BASE}last-1/{number}.m4s"]}}"#);
    request(bench.edge.admin_addr(), "POST", "/prefetch", &[("authorization", &bearer)], &last).await;
    until(|| bench.upstream.fetches(&format!("last-1/{number}.m4s")) == 1).await;
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_multivariant_playlist_brings_what_starts_it() {
    let bench = Bench::new().await;
    publish(&bench);
    for _ in 0..3 {
        assert_eq!(bench.get("mv.m3u8").await.status, 200);
    }
    bench.until_metric("segue_edge_prefetched_total", 5).await;
    for tail in ["aac-128/media.m3u8", "aac-256/media.m3u8", "aac-128/0.m4s", "aac-256/0.m4s"] {
        assert_eq!(bench.upstream.fetches(tail), 1, "{tail}");
        assert!(bench.get(tail).await.header("cache-status").contains("; hit"), "{tail}");
    }
    assert!(get(bench.edge.addr(), INIT).await.header("cache-status").contains("; hit"));
    assert_eq!(bench.metric("segue_edge_prefetch_used_total").await, 5);
}

#[tokio::test]
async fn a_segment_brings_the_next_one_and_the_last_one_none() {
    let bench = Bench::new().await;
    publish(&bench);
    bench.get("aac-256/0.m4s").await;
    bench.get("aac-256/media.m3u8").await;
    until_all_begun(&bench, 0).await;
    assert_eq!(bench.upstream.fetches("aac-256/1.m4s"), 0, "without the playlist nobody knows what follows");
    bench.get("aac-256/1.m4s").await;
    until(|| bench.upstream.fetches("aac-256/2.m4s") == 1).await;
    bench.until_metric("segue_edge_prefetched_total", 1).await;
    assert!(bench.get("aac-256/2.m4s").await.header("cache-status").contains("; hit"));
    until_all_begun(&bench, 1).await;
    assert_eq!(bench.upstream.fetches("aac-256/3.m4s"), 0);
}

#[tokio::test]
async fn a_segment_in_memory_brings_the_next_one_once_the_playlist_is_there() {
    let bench = Bench::new().await;
    publish(&bench);
    for _ in 0..2 {
        bench.get("aac-256/0.m4s").await;
    }
    bench.get("aac-256/media.m3u8").await;
    while bench.upstream.fetches("aac-256/1.m4s") == 0 {
        assert!(bench.get("aac-256/0.m4s").await.header("cache-status").contains("; hit"));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn players_announce_what_they_will_ask_for() {
    let bench = Bench::new().await;
    publish(&bench);
    let told = "CMCD=bl%3D4000%2Cbr%3D256%2Cmsd%3D150%2Cbs%2Cnor%3D%22..%252Faac-128%252F2.m4s%22";
    let reply = bench.get(&format!("aac-256/0.m4s?{told}")).await;
    assert_eq!((reply.status, reply.header("cmsd-static")), (200, "ot=a,br=256"));
    until(|| bench.upstream.fetches("aac-128/2.m4s") == 1).await;
    // Elsewhere, and outside of what the token covers.
    let other = "\"https://evil/x\"";
    let outside = "\"../../0a1b2c3d4e60/aac-128/2.m4s\"";
    for url in [other, outside] {
        let fields = [("cmcd-request", format!("nor={url},bl=9999999999"))];
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(bench.ask("GET", "aac-256/0.m4s", &fields).await.status, 200);
    }
    assert_eq!(bench.metric("segue_edge_prefetch_skipped_total{reason=\"refused\"}").await, 2);
    assert_eq!(bench.metric("segue_edge_cmcd_requests_total").await, 3);
    assert_eq!(bench.metric("segue_edge_cmcd_starved_total").await, 1);
    assert_eq!(bench.metric("segue_edge_cmcd_start_seconds_count").await, 1);
    assert_eq!(bench.metric("segue_edge_cmcd_buffer_seconds_count").await, 1);
}

#[tokio::test]
async fn with_the_playlist_in_memory_players_learn_more() {
    let bench = Bench::new().await;
    publish(&bench);
    bench.get("aac-256/media.m3u8").await;
    let reply = bench.ask("GET", "aac-256/0.m4s", &[("cmcd-session", "sid=\"x\"")]).await;
    assert_eq!(reply.header("cmsd-static"), "ot=a,br=256,d=2000,nor=\"1.m4s\"");
    assert_eq!(bench.get("aac-256/0.m4s").await.header("cmsd-static"), "", "nobody asked");
}

#[tokio::test]
async fn operators_name_what_is_to_be_there() {
    let bench = Bench::new().await;
    publish(&bench);
    let ask = async |secret: &str, body: String| {
        let bearer = format!("Bearer {secret}");
        request(bench.edge.admin_addr(), "POST", "/prefetch", &[("authorization", &bearer)], &body).await
    };
    let body = format!(r#"{{"paths":["{BASE}mv.m3u8","/x"],"segments":2}}"#);
    assert_eq!(ask("wrong", body.clone()).await.status, 401);
    let reply = ask(ADMIN_SECRET, body).await;
    assert_eq!((reply.status, reply.text().as_str()), (200, r#"{"full":0,"queued":1,"refused":1}"#));
    bench.until_metric("segue_edge_prefetched_total", 8).await;
    assert_eq!(bench.upstream.fetches("aac-128/1.m4s"), 1);
    assert_eq!(ask(ADMIN_SECRET, "{}".into()).await.code(), "prefetch-malformed");
}

#[tokio::test]
async fn a_pull_that_hangs_keeps_no_listener_waiting() {
    let bench = Bench::with(|config| config.prefetch_fills = 1).await;
    publish(&bench);
    bench.upstream.media(
        "aac-128/0.m4s",
        Answer::steps(8, vec![Step::Send(b"segm".to_vec()), Step::Gate, Step::Send(b"ents".to_vec())]),
    );
    bench.get("mv.m3u8").await;
    until(|| bench.upstream.fetches("aac-128/0.m4s") == 1).await;
    // Others, and one who wants the same.
    assert_eq!(bench.get("aac-256/0.m4s").await.text(), "segment");
    let joined = bench.get("aac-128/0.m4s");
    tokio::pin!(joined);
    tokio::select! {
        _ = &mut joined => panic!("it hangs"),
        () = tokio::time::sleep(Duration::from_millis(50)) => bench.upstream.open_gate(),
    }
    assert_eq!(joined.await.text(), "segments");
    assert_eq!(bench.upstream.fetches("aac-128/0.m4s"), 1);
}

#[tokio::test]
async fn nothing_is_pulled_where_that_is_off() {
    let bench = Bench::with(|config| config.prefetch_fills = 0).await;
    publish(&bench);
    bench.get("mv.m3u8").await;
    bench.get("aac-256/media.m3u8").await;
    bench.get("aac-256/0.m4s").await;
    // As long as a pull would take, and longer: each of these is a fetch.
    for number in 0..20 {
        bench.get(&format!("last-1/{number}.m4s")).await;
    }
    assert_eq!(bench.metric("segue_edge_fills_total{outcome=\"ok\"}").await, 23);
    for tail in ["aac-128/media.m3u8", "aac-128/0.m4s", "aac-256/1.m4s"] {
        assert_eq!(bench.upstream.fetches(tail), 0, "{tail}");
    }
}

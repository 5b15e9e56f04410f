//! When room gets short: what is refused, what goes on, and that the room comes back.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{Answer, Bench, Reply, Step, get};
use segue_edge::Config;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

const FILLS: &str = "segue_edge_fills_under_way";
const COMING: &str = "segue_edge_coming_bytes";
const BODIES: &str = "segue_edge_body_bytes";

fn body(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

/// An object whose body waits for the gate.
fn gated(length: usize) -> Answer {
    Answer::steps(length, vec![Step::Gate, Step::Send(body(length))])
}

fn ask(bench: &Bench, tail: &str) -> JoinHandle<Reply> {
    let (addr, path) = (bench.edge.addr(), bench.path(tail));
    tokio::spawn(async move { get(addr, &path).await })
}

async fn until_gauge(bench: &Bench, name: &str, value: u64) {
    while bench.metric(name).await != value {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn is_shed(reply: &Reply) -> bool {
    let told = (reply.status, reply.header("retry-after"), reply.header("content-type"));
    assert!(reply.status != 503 || reply.header("cache-control") == "no-store", "{reply:?}");
    told == (503, "1", "application/problem+json")
        && reply.code() == "edge-overloaded"
        && reply.header("cache-status") == "segue-edge; detail=overloaded"
}

#[tokio::test]
async fn beyond_the_fills_only_what_needs_another_is_refused() {
    let bench = Bench::with(|config| config.fills = 2).await;
    let fresh = Answer::ok("fresh").with("cache-control", "max-age=3600");
    let stale = Answer::ok("stale").with("cache-control", "max-age=0, stale-if-error=60");
    let renewing = Answer::ok("old").with("cache-control", "max-age=0, stale-while-revalidate=60");
    let old = [("aac-256/0.m4s", fresh), ("aac-256/1.m4s", stale), ("aac-256/2.m4s", renewing)];
    for (tail, answer) in old {
        bench.upstream.media(tail, answer);
        assert_eq!(bench.get(tail).await.status, 200);
    }
    for tail in ["aac-256/3.m4s", "aac-256/4.m4s", "aac-256/5.m4s"] {
        bench.upstream.media(tail, gated(1000));
    }
    let first = [ask(&bench, "aac-256/3.m4s"), ask(&bench, "aac-256/4.m4s")];
    until_gauge(&bench, FILLS, 2).await;
    let joined = ask(&bench, "aac-256/3.m4s");
    assert!(is_shed(&bench.get("aac-256/5.m4s").await));
    assert!(bench.get("aac-256/0.m4s").await.header("cache-status").contains("; hit"));
    let stale = bench.get("aac-256/1.m4s").await;
    assert!(stale.text() == "stale" && stale.header("cache-status").contains("stale-if-error"), "{stale:?}");
    let old = bench.get("aac-256/2.m4s").await;
    assert!(old.text() == "old" && old.header("cache-status").contains("; hit"), "{old:?}");
    assert_eq!(bench.metric("segue_edge_shed_total{lack=\"fills\"}").await, 3);
    assert_eq!(bench.metric("segue_edge_requests_total{cache=\"shed\",reason=\"\"}").await, 1);
    assert_eq!(bench.upstream.fetches("aac-256/5.m4s"), 0);
    bench.upstream.open_gate();
    for client in first.into_iter().chain([joined]) {
        assert!(client.await.unwrap().body == body(1000));
    }
    assert_eq!(bench.upstream.fetches("aac-256/3.m4s"), 1);
    until_gauge(&bench, FILLS, 0).await;
    assert_eq!(bench.get("aac-256/5.m4s").await.status, 200);
}

/// Room for 800,000 bytes in all.
fn tight(config: &mut Config) {
    config.object_bytes = 200_000;
    (config.cache_bytes, config.fill_bytes) = (400_000, 400_000);
    config.prefetch_fills = 0;
}

#[tokio::test]
async fn bodies_count_by_their_length_before_they_come() {
    let bench = Bench::with(tight).await;
    for number in 0..6 {
        bench.upstream.media(&format!("aac-256/{number}.m4s"), gated(190_000));
    }
    let tails: Vec<String> = (0..4).map(|number| format!("aac-256/{number}.m4s")).collect();
    let clients: Vec<_> = tails.iter().map(|tail| ask(&bench, tail)).collect();
    until_gauge(&bench, COMING, 760_000).await;
    assert!(is_shed(&bench.get("aac-256/4.m4s").await), "its head says too much");
    bench.upstream.media("aac-256/6.m4s", gated(20_000));
    let small = ask(&bench, "aac-256/6.m4s");
    until_gauge(&bench, COMING, 780_000).await;
    assert!(is_shed(&bench.get("aac-256/5.m4s").await), "what is left is for what has begun");
    assert_eq!(bench.upstream.fetches("aac-256/5.m4s"), 0);
    assert_eq!(bench.metric("segue_edge_shed_total{lack=\"bytes\"}").await, 2);
    bench.upstream.open_gate();
    for client in clients {
        assert!(client.await.unwrap().body == body(190_000));
    }
    assert!(small.await.unwrap().body == body(20_000));
    until_gauge(&bench, COMING, 0).await;
    assert_eq!(bench.get("aac-256/5.m4s").await.status, 200);
    let cached = bench.metric(BODIES).await;
    assert!(cached > 0 && cached <= 400_000, "{cached}");
}

#[tokio::test]
async fn what_says_no_length_goes_on_for_one_without_being_stored() {
    let bench = Bench::with(tight).await;
    for number in 0..4 {
        bench.upstream.media(&format!("aac-256/{number}.m4s"), gated(185_000));
    }
    let tails: Vec<String> = (0..4).map(|number| format!("aac-256/{number}.m4s")).collect();
    let clients: Vec<_> = tails.iter().map(|tail| ask(&bench, tail)).collect();
    until_gauge(&bench, COMING, 740_000).await;
    let whole = body(150_000);
    let steps = whole.chunks(10_000).map(|chunk| Step::Send(chunk.to_vec())).collect();
    bench.upstream.media("aac-256/9.m4s", Answer::steps(0, steps).chunked());
    let reply = bench.get("aac-256/9.m4s").await;
    assert!(reply.complete && reply.body == whole);
    bench.upstream.open_gate();
    for client in clients {
        assert!(client.await.unwrap().complete);
    }
    until_gauge(&bench, COMING, 0).await;
    assert!(bench.get("aac-256/9.m4s").await.body == whole);
    assert_eq!(bench.upstream.fetches("aac-256/9.m4s"), 2, "it was not stored");
}

#[tokio::test]
async fn what_slow_clients_hold_counts_until_they_go() {
    let bench = Bench::with(|config| {
        config.object_bytes = 32 << 20;
        config.sendfile_bytes = 0;
    })
    .await;
    let whole = body(24 << 20);
    bench.upstream.media("aac-256/0.m4s", Answer::ok(&whole));
    assert!(bench.get("aac-256/0.m4s").await.body == whole);
    let mut slow = TcpStream::connect(bench.edge.addr()).await.unwrap();
    let head = format!("GET {} HTTP/1.1\r\nhost: e\r\n\r\n", bench.path("aac-256/0.m4s"));
    slow.write_all(head.as_bytes()).await.unwrap();
    slow.read_exact(&mut [0; 1000]).await.unwrap();
    assert_eq!(bench.purge(&format!(r#"{{"paths":["{}aac-256/0.m4s"]}}"#, common::BASE)).await.status, 200);
    until_gauge(&bench, "segue_edge_cached_objects", 0).await;
    assert_eq!(bench.metric(BODIES).await, 24 << 20, "the client still has it");
    drop(slow);
    until_gauge(&bench, BODIES, 0).await;
}

#[tokio::test]
async fn prefetching_gives_way_first() {
    let bench = Bench::with(|config| config.fills = 32).await;
    for tail in ["aac-256/3.m4s", "aac-256/4.m4s"] {
        bench.upstream.media(tail, gated(1000));
    }
    let clients = [ask(&bench, "aac-256/3.m4s"), ask(&bench, "aac-256/4.m4s")];
    until_gauge(&bench, FILLS, 2).await;
    let announced = bench.ask("GET", "aac-256/9.m4s", &[("cmcd-request", "nor=\"8.m4s\"")]).await;
    assert_eq!(announced.status, 404);
    bench.until_metric("segue_edge_prefetch_skipped_total{reason=\"busy\"}", 1).await;
    assert_eq!(bench.upstream.fetches("aac-256/8.m4s"), 0);
    bench.upstream.open_gate();
    for client in clients {
        assert_eq!(client.await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn players_are_told_of_duress() {
    let bench = Bench::with(|config| config.fills = 4).await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("hit").with("cmsd-dynamic", "\"origin\";du"));
    let cmcd = [("cmcd-request", "bl=2000")];
    let told = bench.ask("GET", "aac-256/0.m4s", &cmcd).await;
    assert!(told.status == 200 && told.header("cmsd-dynamic").is_empty(), "{told:?}");
    let tails: Vec<String> = (1..4).map(|number| format!("aac-256/{number}.m4s")).collect();
    tails.iter().for_each(|tail| bench.upstream.media(tail, gated(10)));
    let clients: Vec<_> = tails.iter().map(|tail| ask(&bench, tail)).collect();
    until_gauge(&bench, FILLS, 3).await;
    let told = bench.ask("GET", "aac-256/0.m4s", &cmcd).await;
    assert_eq!((told.text().as_str(), told.header("cmsd-dynamic")), ("hit", "\"segue-edge\";du"));
    assert_eq!(bench.get("aac-256/0.m4s").await.header("cmsd-dynamic"), "", "only who tells is told");
    bench.upstream.open_gate();
    for client in clients {
        assert_eq!(client.await.unwrap().status, 200);
    }
    until_gauge(&bench, FILLS, 0).await;
    assert_eq!(bench.ask("GET", "aac-256/0.m4s", &cmcd).await.header("cmsd-dynamic"), "");
}

#[tokio::test]
async fn what_passes_through_is_a_fetch_until_its_end() {
    let bench = Bench::with(|config| {
        config.fills = 1;
        config.open = true;
        config.prefetch_fills = 0;
    })
    .await;
    let private = gated(1000).with("cache-control", "private");
    bench.upstream.answer("/private", private);
    bench.upstream.answer("/other", Answer::ok("x"));
    let addr = bench.edge.addr();
    let client = tokio::spawn(async move { get(addr, "/private").await });
    while bench.upstream.seen("/private").is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(is_shed(&get(addr, "/other").await));
    let told_on = common::request(addr, "POST", "/form", &[], "content").await;
    assert!(is_shed(&told_on), "{told_on:?}");
    bench.upstream.open_gate();
    assert!(client.await.unwrap().body == body(1000));
    until_gauge(&bench, FILLS, 0).await;
    assert_eq!(get(addr, "/other").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_run_of_new_objects_keeps_to_its_room() {
    let bench = Bench::with(|config| {
        config.object_bytes = 200_000;
        (config.cache_bytes, config.fill_bytes) = (2_000_000, 1_000_000);
        config.prefetch_fills = 0;
    })
    .await;
    for round in 0..10 {
        let mut clients = Vec::new();
        for number in 0..40 {
            let tail = format!("aac-{}/{number}.m4s", round + 1);
            bench.upstream.media(&tail, Answer::ok(body(100_000)));
            clients.push(ask(&bench, &tail));
            if clients.len() == 4 {
                for client in clients.drain(..) {
                    let reply = client.await.unwrap();
                    assert!(
                        reply.status == 200 && reply.body == body(100_000),
                        "{round}: {:?}",
                        reply.headers
                    );
                }
            }
        }
        let bodies = bench.metric(BODIES).await;
        assert!(bodies <= 3_000_000, "{bodies} bytes");
    }
    assert_eq!(bench.metric("segue_edge_shed_total{lack=\"bytes\"}").await, 0);
    until_gauge(&bench, COMING, 0).await;
}

//! Caching: one fetch for many clients, what is stored and what is not, staleness, purging.
#![allow(clippy::unwrap_used)]

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::{ASSET, Answer, BASE, Bench, Reply, Step, Upstream, client, get};
use segue_edge::semantics::repr_digest;
use segue_manifests::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

fn body(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

/// A request whose answer has begun: its first 60,000 bytes, and where the rest comes from.
async fn begun(addr: SocketAddr, path: String) -> (Vec<u8>, TcpStream) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: e\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut start = vec![0; 60_000];
    stream.read_exact(&mut start).await.unwrap();
    (start, stream)
}

/// The whole answer.
async fn ended((start, stream): (Vec<u8>, TcpStream)) -> Reply {
    client::read(&mut start.as_slice().chain(stream), false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_clients_are_one_fetch_and_stream() {
    let bench = Bench::new().await;
    let whole = body(160_000);
    let (first, second) = whole.split_at(70_000);
    let steps = vec![Step::Send(first.to_vec()), Step::Gate, Step::Send(second.to_vec())];
    bench.upstream.media("aac-256/0.m4s", Answer::steps(whole.len(), steps));
    let (addr, path) = (bench.edge.addr(), bench.path("aac-256/0.m4s"));
    let (arrived, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    let clients: Vec<_> = (0..500)
        .map(|_| {
            let (path, arrived) = (path.clone(), arrived.clone());
            tokio::spawn(async move {
                let begun = begun(addr, path).await;
                arrived.send(()).unwrap();
                ended(begun).await
            })
        })
        .collect();
    // Everyone has bytes while the upstream still holds back the rest.
    for _ in 0..500 {
        arrivals.recv().await.unwrap();
    }
    bench.upstream.open_gate();
    for client in clients {
        let reply = client.await.unwrap();
        assert!(reply.complete && reply.body == whole);
    }
    assert_eq!(bench.upstream.fetches("aac-256/0.m4s"), 1);
    assert_eq!(bench.metric("segue_edge_requests_total{cache=\"miss\",reason=\"\"}").await, 1);
    let reply = bench.get("aac-256/0.m4s").await;
    assert!(reply.header("cache-status").starts_with("segue-edge; hit; ttl="), "{reply:?}");
    assert_eq!(reply.body, whole);
}

#[tokio::test]
async fn a_fill_outlives_its_client() {
    let bench = Bench::new().await;
    let steps = vec![Step::Send(b"ab".to_vec()), Step::Gate, Step::Send(b"cd".to_vec())];
    bench.upstream.media("aac-256/0.m4s", Answer::steps(4, steps));
    let (addr, path) = (bench.edge.addr(), bench.path("aac-256/0.m4s"));
    let impatient = tokio::spawn(async move { get(addr, &path).await });
    while bench.upstream.fetches("aac-256/0.m4s") == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    impatient.abort();
    let _ = impatient.await;
    bench.upstream.open_gate();
    bench.until_metric("segue_edge_fills_total{outcome=\"ok\"}", 1).await;
    assert_eq!(bench.get("aac-256/0.m4s").await.body, b"abcd");
    assert_eq!(bench.upstream.fetches("aac-256/0.m4s"), 1);
}

#[tokio::test]
async fn broken_fills_are_not_stored_and_wake_their_waiters() {
    let bench = Bench::new().await;
    let first = Step::Send(body(70_000));
    let dying = vec![first.clone(), Step::Gate, Step::Die];
    let silent = vec![first, Step::Wait(Duration::from_secs(60))];
    for (fills, steps, outcome) in [(1, dying, "upstream-length"), (2, silent, "upstream-idle")] {
        bench.upstream.media("aac-256/0.m4s", Answer::steps(160_000, steps));
        let (addr, path) = (bench.edge.addr(), bench.path("aac-256/0.m4s"));
        let (one, two) = tokio::join!(begun(addr, path.clone()), begun(addr, path));
        bench.upstream.open_gate();
        let (one, two) = tokio::join!(ended(one), ended(two));
        assert!(!one.complete && !two.complete, "{one:?} {two:?}");
        assert_eq!(bench.upstream.fetches("aac-256/0.m4s"), fills, "both waited for one fill");
        bench.until_metric(&format!("segue_edge_fills_total{{outcome=\"{outcome}\"}}"), 1).await;
    }
    bench.upstream.media("aac-256/0.m4s", Answer::ok("0123456789"));
    let whole = bench.get("aac-256/0.m4s").await;
    assert!(whole.complete && whole.header("cache-status").contains("fwd=uri-miss"), "{whole:?}");
}

/// An edge with two upstreams, the first of which dies behind 70,000 of 160,000 bytes when its gate opens.
async fn two_upstreams(whole: &[u8]) -> (Bench, Upstream) {
    let second = Upstream::start(Vec::new()).await;
    let bench = Bench::with(|config| config.upstreams.push(second.url())).await;
    let steps = vec![Step::Send(whole[..70_000].to_vec()), Step::Gate, Step::Die];
    let digest = repr_digest::field(&Sha256::of(whole).0);
    let dying = Answer::steps(whole.len(), steps).with("etag", "\"it\"").with("repr-digest", &digest);
    bench.upstream.media("aac-256/0.m4s", dying);
    (bench, second)
}

/// What a client gets whose answer has begun before the first upstream dies.
async fn through_the_death_of_the_first(bench: &Bench) -> Reply {
    let begun = begun(bench.edge.addr(), bench.path("aac-256/0.m4s")).await;
    bench.upstream.open_gate();
    ended(begun).await
}

#[tokio::test]
async fn a_fill_goes_on_from_the_next_upstream() {
    let whole = body(160_000);
    let rest = Answer::status(206, &whole[70_000..]).with("content-range", "bytes 70000-159999/160000");
    // One that sends parts, and one that cannot.
    for answer in [rest, Answer::ok(&whole)] {
        let (bench, second) = two_upstreams(&whole).await;
        second.media("aac-256/0.m4s", answer.with("etag", "\"it\""));
        let reply = through_the_death_of_the_first(&bench).await;
        assert!(reply.complete && reply.body == whole);
        let asked = &second.seen(&format!("{BASE}aac-256/0.m4s"))[0].headers;
        assert_eq!((asked["range"].as_str(), asked["if-range"].as_str()), ("bytes=70000-", "\"it\""));
        bench.until_metric("segue_edge_fills_total{outcome=\"ok\"}", 1).await;
        assert_eq!(bench.metric("segue_edge_fills_resumed_total").await, 1);
        let again = bench.get("aac-256/0.m4s").await;
        assert!(again.header("cache-status").contains("; hit") && again.body == whole);
    }
}

#[tokio::test]
async fn a_fill_goes_on_with_nothing_else() {
    let whole = body(160_000);
    let mut other = whole.clone();
    other[100_000] ^= 1;
    let part = |body: &[u8]| Answer::status(206, &body[70_000..]);
    let range = "bytes 70000-159999/160000";
    for (answer, outcome) in [
        (part(&whole).with("content-range", range).with("etag", "\"other\""), "upstream-length"),
        (
            part(&whole).with("content-range", "bytes 60000-149999/160000").with("etag", "\"it\""),
            "upstream-length",
        ),
        (part(&other).with("content-range", range).with("etag", "\"it\""), "upstream-damaged"),
        (Answer::status(404, ""), "upstream-length"),
    ] {
        let (bench, second) = two_upstreams(&whole).await;
        second.media("aac-256/0.m4s", answer);
        let reply = through_the_death_of_the_first(&bench).await;
        assert!(!reply.complete, "{outcome}");
        bench.until_metric(&format!("segue_edge_fills_total{{outcome=\"{outcome}\"}}"), 1).await;
    }
}

#[tokio::test]
async fn an_upstream_that_fails_again_and_again_is_left_alone_for_a_while() {
    let second = Upstream::start(Vec::new()).await;
    let bench = Bench::with(|config| {
        config.workers = 4;
        config.upstreams.push(second.url());
    })
    .await;
    let segment = |n: u32| format!("aac-256/{n}.m4s");
    for n in 0..1000 {
        bench.upstream.media(&segment(n), Answer::status(503, "busy"));
        second.media(&segment(n), Answer::ok("second"));
    }
    let mut n = 0;
    while bench.metric("segue_edge_upstream_rests_total").await == 0 {
        assert_eq!(bench.get(&segment(n)).await.body, b"second");
        n += 1;
    }
    assert_eq!(n, 5, "it was asked that often");
    // Well again, it is found to be by a trial.
    for n in 0..1000 {
        bench.upstream.media(&segment(n), Answer::ok("first"));
    }
    while bench.get(&segment(n)).await.body == b"second" {
        n += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(bench.get(&segment(n + 1)).await.body, b"first");
}

#[tokio::test]
async fn while_all_upstreams_rest_clients_hear_it_at_once() {
    let bench = Bench::with(|config| config.workers = 4).await;
    bench.upstream.kill();
    let mut codes = Vec::new();
    while codes.last().is_none_or(|code| code != "upstream-resting") {
        let reply = bench.get(&format!("aac-256/{}.m4s", codes.len())).await;
        assert_eq!(reply.status, if reply.code() == "upstream-resting" { 503 } else { 502 });
        codes.push(reply.code());
    }
    assert_eq!(codes.len(), 6, "{codes:?}");
}

#[tokio::test]
async fn damaged_bytes_never_arrive_complete() {
    let bench = Bench::new().await;
    let right = body(100_000);
    let digest = repr_digest::field(&Sha256::of(&right).0);
    let mut wrong = right.clone();
    wrong[5] ^= 1;
    bench.upstream.media("aac-256/0.m4s", Answer::ok(&wrong).with("repr-digest", &digest));
    for _ in 0..2 {
        assert!(!bench.get("aac-256/0.m4s").await.complete);
    }
    bench.until_metric("segue_edge_fills_total{outcome=\"upstream-damaged\"}", 2).await;
    // A playlist is short: the client learns it by status.
    let list = Answer::ok("#EXTM3U").with("content-type", "application/vnd.apple.mpegurl");
    bench.upstream.media("mv.m3u8", list.with("repr-digest", &digest));
    let reply = bench.get("mv.m3u8").await;
    assert_eq!((reply.status, reply.code().as_str()), (502, "upstream-damaged"));
    bench.upstream.media("aac-256/0.m4s", Answer::ok(&right).with("repr-digest", &digest));
    let reply = bench.get("aac-256/0.m4s").await;
    assert!(reply.complete && reply.body == right);
    assert_eq!(reply.header("repr-digest"), digest);
}

#[tokio::test]
async fn bodies_without_length() {
    let bench = Bench::with(|config| config.object_bytes = 1000).await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("abc").chunked());
    assert_eq!(bench.get("aac-256/0.m4s").await.body, b"abc");
    assert!(bench.get("aac-256/0.m4s").await.header("cache-status").contains("; hit"));
    bench.upstream.media("aac-256/1.m4s", Answer::ok("abc").unframed());
    for _ in 0..2 {
        let reply = bench.get("aac-256/1.m4s").await;
        assert!(reply.header("cache-status").contains("detail=unframed"), "{reply:?}");
        assert_eq!(reply.body, b"abc");
    }
    // Too large, with and without saying so: passed on whole, never stored.
    bench.upstream.media("aac-256/2.m4s", Answer::ok(body(5000)));
    bench.upstream.media("aac-256/3.m4s", Answer::ok(body(5000)).chunked());
    for tail in ["aac-256/2.m4s", "aac-256/3.m4s"] {
        for fetches in 1..3 {
            let reply = bench.get(tail).await;
            assert!(reply.complete && reply.body == body(5000), "{tail}");
            assert_eq!(bench.upstream.fetches(tail), fetches);
        }
    }
}

#[tokio::test]
async fn what_must_not_be_stored_is_fetched_for_each() {
    let bench = Bench::new().await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x").with("cache-control", "no-store"));
    let replies =
        tokio::join!(bench.get("aac-256/0.m4s"), bench.get("aac-256/0.m4s"), bench.get("aac-256/0.m4s"));
    for reply in [replies.0, replies.1, replies.2] {
        assert_eq!(reply.body, b"x");
        assert!(reply.header("cache-status").ends_with("fwd-status=200; detail=no-store"), "{reply:?}");
    }
    assert_eq!(bench.upstream.fetches("aac-256/0.m4s"), 3);
}

#[tokio::test]
async fn stale_copies_are_confirmed() {
    let bench = Bench::new().await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x").with("etag", "\"1\"").with("surrogate-key", "k"));
    let reply = bench.get("aac-256/0.m4s").await;
    let miss = "segue-edge; fwd=uri-miss; fwd-status=200; stored; ttl=3";
    assert!(reply.header("cache-status").starts_with(miss), "{reply:?}");
    assert_eq!(bench.purge(r#"{"surrogate_keys":["k"],"soft":true}"#).await.status, 200);
    let reply = bench.get("aac-256/0.m4s").await;
    assert!(
        reply.header("cache-status").starts_with("segue-edge; fwd=stale; fwd-status=304; stored; ttl=3"),
        "{reply:?}"
    );
    assert_eq!(reply.body, b"x");
    assert!(bench.get("aac-256/0.m4s").await.header("cache-status").contains("; hit"));
    let seen = bench.upstream.seen(&format!("{BASE}aac-256/0.m4s"));
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].headers["authorization"], format!("Bearer {}", common::MEDIA_SECRET));
    assert_eq!(seen[1].headers["if-none-match"], "\"1\"");
}

#[tokio::test]
async fn stale_copies_stand_in_for_a_failing_upstream() {
    let bench = Bench::new().await;
    let soft = format!(r#"{{"paths":["{BASE}aac-256/0.m4s"],"soft":true}}"#);
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x"));
    bench.get("aac-256/0.m4s").await;
    bench.upstream.media("aac-256/0.m4s", Answer::status(503, "down"));
    bench.purge(&soft).await;
    for _ in 0..2 {
        let reply = bench.get("aac-256/0.m4s").await;
        assert_eq!((reply.status, reply.body.as_slice()), (200, b"x".as_slice()));
        assert!(reply.header("cache-status").ends_with("detail=stale-if-error"), "{reply:?}");
    }
    assert_eq!(bench.upstream.fetches("aac-256/0.m4s"), 2, "the upstream is left alone for a moment");
    bench.upstream.kill();
    bench.purge(&soft).await;
    assert_eq!(bench.get("aac-256/0.m4s").await.status, 200);
    // What was never here cannot stand in, and tokens are checked all the same.
    let reply = bench.get("aac-256/9.m4s").await;
    assert_eq!((reply.status, reply.code().as_str()), (502, "upstream-connect"));
    assert_eq!(reply.header("cache-control"), "no-store");
    let reply = get(bench.edge.addr(), &format!("{BASE}aac-256/0.m4s")).await;
    assert_eq!((reply.status, reply.code().as_str()), (403, "token-missing"));
}

#[tokio::test]
async fn stale_while_revalidate_answers_at_once() {
    let bench = Bench::new().await;
    let control = "max-age=0, stale-while-revalidate=60";
    bench.upstream.media("mv.m3u8", Answer::ok("one").with("cdn-cache-control", control));
    bench.get("mv.m3u8").await;
    bench.upstream.media("mv.m3u8", Answer::ok("two"));
    let reply = bench.get("mv.m3u8").await;
    assert_eq!(reply.body, b"one");
    assert!(reply.header("cache-status").ends_with("detail=revalidating"), "{reply:?}");
    assert_eq!(reply.header("cdn-cache-control"), "", "it is for edges");
    bench.until_metric("segue_edge_fills_total{outcome=\"ok\"}", 2).await;
    assert_eq!(bench.get("mv.m3u8").await.body, b"two");
}

#[tokio::test]
async fn failures_are_remembered_briefly() {
    let bench = Bench::new().await;
    bench.upstream.media("aac-256/1.m4s", Answer::status(500, "broken").with("cache-control", "no-store"));
    for (tail, status) in [("aac-256/0.m4s", 404), ("aac-256/1.m4s", 500)] {
        for _ in 0..3 {
            assert_eq!(bench.get(tail).await.status, status);
        }
        assert_eq!(bench.upstream.fetches(tail), 1, "{tail}");
    }
    bench.upstream.media("aac-256/2.m4s", Answer::status(401, ""));
    let reply = bench.get("aac-256/2.m4s").await;
    assert_eq!((reply.status, reply.code().as_str()), (502, "upstream-refused"));
}

#[tokio::test]
async fn purges_need_the_secret_and_take_effect_at_once() {
    let bench = Bench::new().await;
    let answer = |body: &str| Answer::ok(body).with("surrogate-key", &format!("asset-{ASSET} other"));
    bench.upstream.media("aac-256/0.m4s", answer("one"));
    assert_eq!(bench.get("aac-256/0.m4s").await.header("surrogate-key"), "");
    bench.upstream.media("aac-256/0.m4s", answer("two"));
    assert_eq!(bench.get("aac-256/0.m4s").await.body, b"one");
    let purge = format!(r#"{{"surrogate_keys":["asset-{ASSET}"]}}"#);
    let wrong = [("authorization", "Bearer wrong")];
    let refused = common::request(bench.edge.admin_addr(), "POST", "/purge", &wrong, &purge).await;
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, "Bearer"));
    assert_eq!(bench.purge("{").await.status, 400);
    assert_eq!(bench.get("aac-256/0.m4s").await.body, b"one");
    assert_eq!(bench.purge(&purge).await.status, 200);
    assert_eq!(bench.get("aac-256/0.m4s").await.body, b"two");
    bench.upstream.media("aac-256/0.m4s", answer("three"));
    bench.purge(&format!(r#"{{"paths":["{BASE}aac-256/0.m4s"]}}"#)).await;
    assert_eq!(bench.get("aac-256/0.m4s").await.body, b"three");
    assert_eq!(bench.metric("segue_edge_purges_total{kind=\"hard\"}").await, 2);
}

#[tokio::test]
async fn a_purge_in_mid_fill_is_not_undone_by_it() {
    let bench = Bench::new().await;
    let steps = vec![Step::Send(b"ol".to_vec()), Step::Gate, Step::Send(b"d".to_vec())];
    bench.upstream.media("aac-256/0.m4s", Answer::steps(3, steps));
    let (addr, path) = (bench.edge.addr(), bench.path("aac-256/0.m4s"));
    let waiting = tokio::spawn(async move { get(addr, &path).await });
    while bench.upstream.fetches("aac-256/0.m4s") == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bench.purge(&format!(r#"{{"paths":["{BASE}aac-256/0.m4s"]}}"#)).await;
    bench.upstream.open_gate();
    assert_eq!(waiting.await.unwrap().body, b"old");
    bench.upstream.media("aac-256/0.m4s", Answer::ok("new"));
    bench.until_metric("segue_edge_fills_total{outcome=\"ok\"}", 1).await;
    assert_eq!(bench.get("aac-256/0.m4s").await.body, b"new");
}

#[tokio::test]
async fn upstreams_are_tried_in_order() {
    let backup = Upstream::start(Vec::new()).await;
    let dead = Upstream::start(Vec::new()).await;
    dead.kill();
    let urls = (dead.url(), backup.url());
    let bench = Bench::with(|config| {
        config.key_set_url = format!("{}/.well-known/segue-keys.json", config.upstreams[0]);
        config.upstreams = vec![urls.0, config.upstreams[0].clone(), urls.1];
    })
    .await;
    bench.upstream.media("aac-256/0.m4s", Answer::status(503, "down"));
    backup.media("aac-256/0.m4s", Answer::ok("backup"));
    assert_eq!(bench.get("aac-256/0.m4s").await.body, b"backup");
    assert_eq!(bench.upstream.fetches("aac-256/0.m4s"), 1);
}

#[tokio::test]
async fn a_slow_upstream_is_a_timeout() {
    let bench = Bench::with(|config| config.first_byte_timeout_ms = 200).await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x").delayed(Duration::from_secs(30)));
    let reply = bench.get("aac-256/0.m4s").await;
    assert_eq!((reply.status, reply.code().as_str()), (504, "upstream-first-byte"));
}

#[tokio::test]
async fn an_open_edge_is_a_plain_caching_proxy() {
    let bench = Bench::with(|config| config.open = true).await;
    bench.upstream.answer("/any//thing?q=1", Answer::ok("one").with("x-own", "1"));
    bench.upstream.answer("/any//thing?q=2", Answer::ok("two"));
    for (path, body) in [("/any//thing?q=1", "one"), ("/any//thing?q=2", "two")] {
        for hit in [false, true] {
            let reply = get(bench.edge.addr(), path).await;
            assert_eq!(reply.text(), body);
            assert_eq!(reply.header("cache-status").contains("; hit"), hit);
            assert_eq!(reply.header("access-control-allow-origin"), "", "not ours to allow");
        }
    }
    assert_eq!(get(bench.edge.addr(), "/any//thing?q=1").await.header("x-own"), "1");
}

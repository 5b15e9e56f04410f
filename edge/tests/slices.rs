//! Large objects in slices: any part of them, however much of them is in memory, and never parts of two versions.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::HashSet;

use common::{Answer, BASE, Bench, Reply, get, request};
use segue_edge::Config;

const PATH: &str = "/large";
const LENGTH: usize = 500_000;
const SLICE: usize = 64_000;
const SLICES: usize = LENGTH.div_ceil(SLICE);

fn body(seed: usize) -> Vec<u8> {
    (0..LENGTH).map(|at| ((at * 31 + at / 251 + seed * 97) % 251) as u8).collect()
}

fn large(seed: usize) -> Answer {
    let answer = Answer::ok(body(seed)).with("etag", &format!("\"v{seed}\"")).with("surrogate-key", "all");
    answer.with("content-type", "video/mp4").ranged()
}

async fn open(change: impl FnOnce(&mut Config)) -> Bench {
    Bench::with(|config| {
        config.open = true;
        config.media_secret = String::new();
        // Each request to the upstream is counted.
        config.hedge_percent = 0;
        (config.object_bytes, config.slice_bytes) = (100_000, SLICE as u64);
        change(config);
    })
    .await
}

async fn ask(bench: &Bench, method: &str, headers: &[(&str, &str)]) -> Reply {
    request(bench.edge.addr(), method, PATH, headers, "").await
}

/// The parts that the upstream was asked for; the whole is an empty text.
fn parts(bench: &Bench) -> Vec<String> {
    let range = |seen: common::upstream::Seen| seen.headers.get("range").cloned().unwrap_or_default();
    bench.upstream.seen(PATH).into_iter().map(range).collect()
}

fn is_hit(reply: &Reply) -> bool {
    reply.header("cache-status").contains("; hit")
}

#[tokio::test]
async fn the_whole_comes_and_stays_in_slices() {
    let bench = open(|_| ()).await;
    bench.upstream.answer(PATH, large(1));
    let reply = ask(&bench, "GET", &[]).await;
    assert!(reply.complete && reply.body == body(1), "{:?}", reply.headers);
    assert_eq!(reply.header("content-length"), LENGTH.to_string());
    assert!(reply.header("cache-status").starts_with("segue-edge; fwd=uri-miss; fwd-status=200; stored"));
    let asked = parts(&bench);
    assert_eq!(asked.len(), SLICES + 1);
    assert!(asked[0].is_empty() && asked[1..].iter().collect::<HashSet<_>>().len() == SLICES);
    assert_eq!((asked[1].as_str(), asked[SLICES].as_str()), ("bytes=0-63999", "bytes=448000-499999"));
    let conditions =
        bench.upstream.seen(PATH).into_iter().skip(1).map(|seen| seen.headers["if-range"].clone());
    assert!(conditions.into_iter().all(|condition| condition == "\"v1\""));

    let again = ask(&bench, "GET", &[]).await;
    assert!(is_hit(&again) && again.body == body(1));
    let head = ask(&bench, "HEAD", &[]).await;
    assert!(
        is_hit(&head)
            && head.header("content-length") == LENGTH.to_string()
            && head.header("etag") == "\"v1\""
    );
    assert_eq!(ask(&bench, "GET", &[("if-none-match", "\"v1\"")]).await.status, 304);
    let part = ask(&bench, "GET", &[("range", "bytes=63999-64000")]).await;
    assert_eq!((part.status, part.header("content-range")), (206, "bytes 63999-64000/500000"));
    assert!(is_hit(&part) && part.body == body(1)[63_999..=64_000]);
    let outside = ask(&bench, "GET", &[("range", "bytes=500000-")]).await;
    assert_eq!((outside.status, outside.header("content-range")), (416, "bytes */500000"));
    let other = ask(&bench, "GET", &[("range", "bytes=0-0"), ("if-range", "\"v0\"")]).await;
    assert!(
        other.status == 200 && other.body == body(1),
        "a range of another version is not cut from this one"
    );
    assert_eq!(parts(&bench).len(), SLICES + 1, "nothing more was fetched");
}

#[tokio::test]
async fn a_cold_part_brings_its_slices_only() {
    let bench = open(|config| config.prefetch_fills = 0).await;
    bench.upstream.answer(PATH, large(1));
    let head = ask(&bench, "HEAD", &[]).await;
    assert_eq!((head.status, head.header("content-length")), (200, "500000"));
    assert_eq!(parts(&bench), [""], "a head needs none");
    let part = ask(&bench, "GET", &[("range", "bytes=-10")]).await;
    assert!(part.status == 206 && part.body == body(1)[LENGTH - 10..]);
    assert!(part.header("cache-status").contains("fwd=uri-miss"), "{part:?}");
    assert_eq!(parts(&bench), ["", "bytes=448000-499999"]);
    assert!(is_hit(&ask(&bench, "GET", &[("range", "bytes=460000-460009")]).await));
}

/// Numbers that are the same in every run.
fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_part_of_any_mixture_is_right() {
    let bench = open(|_| ()).await;
    let whole = body(1);
    let mut number = numbers(4);
    for round in 0..20 {
        let path = format!("/large/{round}");
        bench.upstream.answer(&path, large(1));
        let mut clients = Vec::new();
        for _ in 0..12 {
            let (a, b) = (number(LENGTH), number(LENGTH));
            let (first, last) = match number(4) {
                // Around the ends of slices, too.
                0 => (a / SLICE * SLICE, (a / SLICE * SLICE + SLICE - 1).min(LENGTH - 1)),
                1 => (a, (a + number(3)).min(LENGTH - 1)),
                _ => (a.min(b), a.max(b)),
            };
            let (addr, path) = (bench.edge.addr(), path.clone());
            let range = format!("bytes={first}-{last}");
            let client =
                tokio::spawn(async move { request(addr, "GET", &path, &[("range", &range)], "").await });
            match number(2) {
                0 => check(&client.await.unwrap(), first, last, &whole),
                _ => clients.push((client, first, last)),
            }
        }
        for (client, first, last) in clients {
            check(&client.await.unwrap(), first, last, &whole);
        }
        let seen = bench.upstream.seen(&path);
        let asked: HashSet<_> = seen.iter().map(|seen| seen.headers.get("range").cloned()).collect();
        assert_eq!(asked.len(), seen.len(), "nothing is fetched twice");
    }
}

fn check(reply: &Reply, first: usize, last: usize, whole: &[u8]) {
    assert_eq!(reply.status, 206, "{reply:?}");
    assert_eq!(reply.header("content-range"), format!("bytes {first}-{last}/{LENGTH}"));
    assert!(reply.complete && reply.body == whole[first..=last], "bytes {first} to {last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_share_the_slices() {
    let bench = open(|_| ()).await;
    bench.upstream.answer(PATH, large(1));
    let clients: Vec<_> = (0..100)
        .map(|_| {
            let addr = bench.edge.addr();
            tokio::spawn(async move { get(addr, PATH).await })
        })
        .collect();
    for client in clients {
        let reply = client.await.unwrap();
        assert!(reply.complete && reply.body == body(1));
    }
    assert_eq!(parts(&bench).len(), SLICES + 1);
}

#[tokio::test]
async fn an_object_that_changes_between_slices_is_never_mixed() {
    for before in 1..=SLICES {
        // Few enough for no slice to be fetched ahead: they are asked for one after the other.
        let bench = open(|config| config.fills = 2).await;
        bench.upstream.answer(PATH, large(1));
        bench.upstream.answer_later(PATH, before, large(2));
        let reply = ask(&bench, "GET", &[]).await;
        let version = if reply.header("etag") == "\"v1\"" { 1 } else { 2 };
        assert!(body(version).starts_with(&reply.body), "{before}: {version}, {} bytes", reply.body.len());
        assert_eq!(reply.complete, reply.body.len() == LENGTH);
        // Before the first slice nothing was said, and the new version is served.
        assert_eq!((version, reply.complete), if before == 1 { (2, true) } else { (1, false) }, "{before}");
        let after = ask(&bench, "GET", &[]).await;
        assert!(after.complete && after.header("etag") == "\"v2\"" && after.body == body(2), "{before}");
        let part = ask(&bench, "GET", &[("range", "bytes=1000-200000")]).await;
        assert!(is_hit(&part) && part.body == body(2)[1000..=200_000]);
    }
}

#[tokio::test]
async fn an_upstream_that_fails_takes_nothing_away() {
    let bench = open(|_| ()).await;
    bench.upstream.answer(PATH, large(1));
    let part = [("range", "bytes=0-9")];
    assert_eq!(ask(&bench, "GET", &part).await.status, 206);
    for status in [403, 429, 500] {
        bench.upstream.answer(PATH, Answer::status(status, "no").with("cache-control", "no-store"));
        let reply = ask(&bench, "GET", &[("range", "bytes=499999-")]).await;
        assert_eq!(reply.status, 502, "{status}: {reply:?}");
        assert!(is_hit(&ask(&bench, "GET", &part).await), "{status}");
    }
    bench.upstream.answer(PATH, large(1));
    let reply = ask(&bench, "GET", &[("range", "bytes=499999-")]).await;
    assert!(reply.status == 206 && reply.body == body(1)[499_999..]);
}

#[tokio::test]
async fn an_object_that_is_gone_is_gone() {
    let bench = open(|_| ()).await;
    bench.upstream.answer(PATH, large(1));
    assert_eq!(ask(&bench, "GET", &[("range", "bytes=0-0")]).await.status, 206);
    bench.upstream.answer(PATH, Answer::status(410, "gone"));
    let reply = ask(&bench, "GET", &[("range", "bytes=499999-")]).await;
    assert_eq!(reply.status, 410, "{reply:?}");
}

#[tokio::test]
async fn what_cannot_be_had_in_slices_passes_through() {
    let weak = large(1).with("etag", "W/\"v1\"");
    let none = large(1).with("accept-ranges", "none");
    let whole_only = Answer::ok(body(1)).with("etag", "\"v1\"");
    let private = large(1).with("cache-control", "private");
    let unsaid = Answer::ok(body(1)).with("etag", "\"v1\"").chunked();
    for (answer, fetches) in [(weak, 2), (none, 2), (whole_only, 4), (private, 2), (unsaid, 2)] {
        let bench = open(|config| config.fills = 2).await;
        bench.upstream.answer(PATH, answer.clone());
        for _ in 0..2 {
            let reply = ask(&bench, "GET", &[]).await;
            assert!(reply.complete && reply.body == body(1), "{:?}", reply.headers);
            assert!(!is_hit(&reply), "{reply:?}");
        }
        assert_eq!(parts(&bench).len(), fetches);
    }
    let off = open(|config| config.slice_bytes = 0).await;
    off.upstream.answer(PATH, large(1));
    let reply = ask(&off, "GET", &[]).await;
    assert!(reply.body == body(1) && reply.header("cache-status").contains("detail=too-large"));
}

#[tokio::test]
async fn purges_act_on_all_slices() {
    let bench = open(|_| ()).await;
    bench.upstream.answer(PATH, large(1));
    let everything = SLICES + 1;
    for (fetches, purge, comes) in [
        (everything, r#"{"paths":["/large"]}"#, everything),
        (2 * everything, r#"{"surrogate_keys":["all"]}"#, everything),
        // Confirmed by its upstream: the slices stay.
        (3 * everything, r#"{"paths":["/large"],"soft":true}"#, 1),
    ] {
        assert!(ask(&bench, "GET", &[]).await.body == body(1));
        assert_eq!(parts(&bench).len(), fetches);
        assert_eq!(bench.purge(purge).await.status, 200, "{purge}");
        let reply = ask(&bench, "GET", &[]).await;
        assert!(reply.complete && reply.body == body(1), "{purge}");
        assert_eq!(parts(&bench).len(), fetches + comes, "{purge}");
    }
    bench.upstream.answer(PATH, large(2));
    bench.purge(r#"{"paths":["/large"],"soft":true}"#).await;
    let reply = ask(&bench, "GET", &[]).await;
    assert!(reply.complete && reply.body == body(2), "another version");
    // A request that changes the resource drops all of it.
    bench.upstream.answer(PATH, large(3));
    request(bench.edge.addr(), "POST", PATH, &[], "x").await;
    assert!(ask(&bench, "GET", &[]).await.body == body(3));
}

#[tokio::test]
async fn variants_have_slices_of_their_own() {
    let bench = open(|_| ()).await;
    for (language, seed) in [("en", 1), ("de", 2)] {
        bench.upstream.answer(PATH, large(seed).with("vary", "accept-language"));
        let headers = [("accept-language", language), ("range", "bytes=10-70000")];
        let reply = ask(&bench, "GET", &headers).await;
        assert!(reply.status == 206 && reply.body == body(seed)[10..=70_000], "{language}");
    }
    for (language, seed) in [("en", 1), ("de", 2)] {
        let headers = [("accept-language", language), ("range", "bytes=10-70000")];
        let reply = ask(&bench, "GET", &headers).await;
        assert!(is_hit(&reply) && reply.body == body(seed)[10..=70_000], "{language}");
    }
}

#[tokio::test]
async fn segues_own_large_objects_are_sliced_too() {
    let bench =
        Bench::with(|config| (config.object_bytes, config.slice_bytes) = (100_000, SLICE as u64)).await;
    bench.upstream.media("aac-256/0.m4s", large(1));
    for _ in 0..2 {
        let reply = bench.ask("GET", "aac-256/0.m4s", &[("range", "bytes=100000-300000")]).await;
        assert!(reply.status == 206 && reply.body == body(1)[100_000..=300_000]);
    }
    assert_eq!(bench.upstream.seen(&format!("{BASE}aac-256/0.m4s")).len(), 5);
}

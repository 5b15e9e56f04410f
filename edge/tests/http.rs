//! What clients see: HEAD, ranges, conditions, gzip, CORS, the fields of each response.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::Read as _;

use common::{Answer, Bench, Step, request};

const LIST: &str = "application/vnd.apple.mpegurl";

async fn bench() -> Bench {
    let bench = Bench::new().await;
    let segment = Answer::ok("0123456789").with("etag", "\"s\"").with("content-type", "audio/mp4");
    bench.upstream.media("aac-256/0.m4s", segment.with("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"));
    let list = "#EXTINF:4.00000,\n1.m4s\n".repeat(100);
    bench.upstream.media("mv.m3u8", Answer::ok(list).with("etag", "\"l\"").with("content-type", LIST));
    bench
}

#[tokio::test]
async fn every_response_says_where_it_came_from() {
    let bench = bench().await;
    for cold in [true, false] {
        let reply = bench.get("aac-256/0.m4s").await;
        assert_eq!((reply.status, reply.text().as_str()), (200, "0123456789"));
        assert_eq!(reply.header("content-length"), "10");
        assert_eq!(reply.header("content-type"), "audio/mp4");
        assert_eq!(reply.header("cache-control"), "public, max-age=3600");
        assert_eq!(reply.header("accept-ranges"), "bytes");
        assert_eq!(reply.header("access-control-allow-origin"), "*");
        assert_eq!(reply.header("timing-allow-origin"), "*");
        assert!(reply.header("access-control-expose-headers").contains("Cache-Status"));
        assert_eq!(reply.header("age"), if cold { "" } else { "0" });
        let timing = reply.header("server-timing");
        assert!(timing.starts_with(if cold { "cache;desc=miss" } else { "cache;desc=hit" }), "{timing}");
        assert!(!reply.header("date").is_empty());
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let bench = bench().await;
    for _ in 0..2 {
        let reply = bench.ask("HEAD", "aac-256/0.m4s", &[]).await;
        assert_eq!((reply.status, reply.header("content-length")), (200, "10"));
        assert!(reply.complete && reply.body.is_empty());
    }
    assert_eq!(bench.get("aac-256/0.m4s").await.text(), "0123456789");
    assert_eq!(bench.upstream.fetches("aac-256/0.m4s"), 1);
}

#[tokio::test]
async fn ranges() {
    let bench = bench().await;
    type Row<'a> = (&'a [(&'a str, &'a str)], u16, &'a str, &'a str);
    let rows: [Row<'_>; 9] = [
        (&[("range", "bytes=2-4")], 206, "234", "bytes 2-4/10"),
        (&[("range", "bytes=-2")], 206, "89", "bytes 8-9/10"),
        (&[("range", "bytes=7-")], 206, "789", "bytes 7-9/10"),
        (&[("range", "bytes=0-1,3-4")], 200, "0123456789", ""),
        (&[("range", "bytes=10-")], 416, "", "bytes */10"),
        (&[("range", "bytes=2-4"), ("if-range", "\"s\"")], 206, "234", "bytes 2-4/10"),
        (&[("range", "bytes=2-4"), ("if-range", "\"other\"")], 200, "0123456789", ""),
        (
            &[("range", "bytes=2-4"), ("if-range", "Sun, 06 Nov 1994 08:49:37 GMT")],
            206,
            "234",
            "bytes 2-4/10",
        ),
        (&[("range", "bytes=2-4"), ("if-none-match", "\"s\"")], 304, "", ""),
    ];
    // The first meets a cold cache, all others a warm one.
    for (headers, status, body, content_range) in rows {
        let reply = bench.ask("GET", "aac-256/0.m4s", headers).await;
        assert_eq!((reply.status, reply.text().as_str()), (status, body), "{headers:?}");
        assert_eq!(reply.header("content-range"), content_range, "{headers:?}");
        assert!(reply.complete, "{headers:?}");
    }
    let head = bench.ask("HEAD", "aac-256/0.m4s", &[("range", "bytes=2-4")]).await;
    assert_eq!((head.status, head.header("content-length")), (200, "10"));
    assert_eq!(bench.upstream.fetches("aac-256/0.m4s"), 1);
}

#[tokio::test]
async fn a_range_streams_out_of_a_fill() {
    let bench = Bench::new().await;
    let steps = vec![Step::Send(b"01234".to_vec()), Step::Gate, Step::Send(b"56789".to_vec())];
    bench.upstream.media("aac-256/0.m4s", Answer::steps(10, steps));
    let early = bench.ask("GET", "aac-256/0.m4s", &[("range", "bytes=1-3")]).await;
    assert_eq!((early.status, early.text().as_str(), early.complete), (206, "123", true));
    bench.upstream.open_gate();
    let late = bench.ask("GET", "aac-256/0.m4s", &[("range", "bytes=4-6")]).await;
    assert_eq!(late.text(), "456");
    assert_eq!(bench.upstream.fetches("aac-256/0.m4s"), 1);
}

#[tokio::test]
async fn conditions() {
    let bench = bench().await;
    for (name, value, status) in [
        ("if-none-match", "\"x\", W/\"s\"", 304),
        ("if-none-match", "*", 304),
        ("if-none-match", "\"x\"", 200),
        ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT", 304),
        ("if-modified-since", "Sun, 06 Nov 1994 08:49:36 GMT", 200),
    ] {
        let reply = bench.ask("GET", "aac-256/0.m4s", &[(name, value)]).await;
        assert_eq!(reply.status, status, "{name}: {value}");
        assert_eq!(reply.header("etag"), "\"s\"");
        assert_eq!(reply.header("content-type"), if status == 304 { "" } else { "audio/mp4" });
    }
}

#[tokio::test]
async fn playlists_are_compressed_for_those_who_take_it() {
    let bench = bench().await;
    let plain = bench.get("mv.m3u8").await;
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), ("", "Accept-Encoding"));
    let packed = bench.ask("GET", "mv.m3u8", &[("accept-encoding", "br, gzip")]).await;
    assert_eq!((packed.header("content-encoding"), packed.header("vary")), ("gzip", "Accept-Encoding"));
    assert_eq!(packed.header("etag"), "\"l-gzip\"");
    assert!(packed.body.len() < 200);
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.body.as_slice()).read_to_string(&mut text).unwrap();
    assert_eq!(text, plain.text());
    for tag in ["\"l\"", "\"l-gzip\""] {
        let headers = [("accept-encoding", "gzip"), ("if-none-match", tag)];
        assert_eq!(bench.ask("GET", "mv.m3u8", &headers).await.status, 304, "{tag}");
    }
    let headers = [("accept-encoding", "gzip"), ("range", "bytes=0-6")];
    let part = bench.ask("GET", "mv.m3u8", &headers).await;
    assert_eq!((part.status, part.text().as_str(), part.header("content-encoding")), (206, "#EXTINF", ""));
    let segment = bench.ask("GET", "aac-256/0.m4s", &[("accept-encoding", "gzip")]).await;
    assert_eq!((segment.header("content-encoding"), segment.header("vary")), ("", ""));
}

#[tokio::test]
async fn preflights_need_no_token() {
    let bench = bench().await;
    let headers = [("origin", "https://player.test"), ("access-control-request-headers", "range")];
    let reply = request(bench.edge.addr(), "OPTIONS", "/v1/a/x", &headers, "").await;
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (204, "*"));
    assert!(reply.header("access-control-allow-headers").contains("Range"));
    assert_eq!(reply.header("access-control-allow-methods"), "GET, HEAD, OPTIONS");
}

#[tokio::test]
async fn other_methods_and_odd_targets_are_refused() {
    let bench = bench().await;
    let addr = bench.edge.addr();
    let post = bench.ask("POST", "mv.m3u8", &[]).await;
    assert_eq!((post.status, post.header("allow")), (405, "GET, HEAD, OPTIONS"));
    let tricks = [
        ("/v1/a/../x", "path-dot-segment"),
        ("/v1/a/%2e%2e/x", "path-dot-segment"),
        ("/v1//a", "path-empty-segment"),
        ("/v1/a%2fb", "path-separator"),
        ("/v1/a%5cb", "path-separator"),
        ("/v1/a%252e", "path-encoding"),
    ];
    for (path, code) in tricks {
        let reply = common::get(addr, path).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, code), "{path}");
        assert_eq!(reply.header("content-type"), "application/problem+json");
    }
    let long = common::get(addr, &format!("/v1/{}", "a".repeat(9000))).await;
    assert_eq!((long.status, long.code().as_str()), (414, "target-too-long"));
    let unknown = common::get(addr, &bench.path("no/such/thing")).await;
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "not-found"));
}

#[tokio::test]
async fn a_request_that_comes_back_is_noticed() {
    let bench = bench().await;
    let seen = |n: usize| {
        let path = format!("{}aac-256/{n}.m4s", common::BASE);
        bench.upstream.seen(&path)[0].headers["cdn-loop"].clone()
    };
    bench.get("aac-256/0.m4s").await;
    let me = seen(0);
    assert!(me.starts_with("segue-edge; node="), "{me}");
    // What others say is told on.
    bench.ask("GET", "aac-256/1.m4s", &[("cdn-loop", "other; a=b"), ("cdn-loop", "segue-edge")]).await;
    assert_eq!(seen(1), format!("other; a=b, segue-edge, {me}"));
    // Even what is in memory is not for a request that runs in a circle.
    let reply = bench.ask("GET", "aac-256/0.m4s", &[("cdn-loop", &seen(1))]).await;
    assert_eq!((reply.status, reply.code().as_str()), (508, "loop-detected"));
}

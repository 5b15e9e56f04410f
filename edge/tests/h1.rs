//! HTTP/1.1 on our own path: requests in any pieces, in any order, with and without content.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::client::{self, tls, tls_config};
use common::{Answer, Bench, Step};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A GET for a path below the asset.
fn ask(bench: &Bench, method: &str, tail: &str, fields: &str) -> String {
    format!("{method} {} HTTP/1.1\r\nHost: e\r\n{fields}\r\n", bench.path(tail))
}

/// Requests in one go: answers come in their order, however they are made.
async fn pipelined(bench: &Bench, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let small = b"small".repeat(9);
    let large: Vec<u8> = (0..300_000u32).map(|number| (number % 251) as u8).collect();
    bench.upstream.media("aac-256/0.m4s", Answer::ok(&small));
    bench.upstream.media("aac-256/1.m4s", Answer::ok(&large));
    let rows: [(&str, &str, &str, u16, &[u8]); 8] = [
        ("GET", "aac-256/0.m4s", "", 200, &small),
        ("GET", "aac-256/1.m4s", "", 200, &large),
        ("HEAD", "aac-256/1.m4s", "", 200, b""),
        ("GET", "aac-256/1.m4s", "Range: bytes=10-19\r\n", 206, &large[10..20]),
        ("GET", "aac-256/0.m4s", "", 200, &small),
        ("DELETE", "aac-256/0.m4s", "", 405, b"{"),
        ("GET", "aac-256/2.m4s", "", 404, b""),
        ("GET", "aac-256/1.m4s", "", 200, &large),
    ];
    let asked: String =
        rows.iter().map(|(method, tail, fields, ..)| ask(bench, method, tail, fields)).collect();
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut got = Vec::new();
    for (method, tail, _, status, body) in rows {
        let reply = next(stream, &mut got, method == "HEAD").await;
        assert_eq!(reply.0, status, "{method} {tail}");
        assert!(reply.1.starts_with(body) && (body.len() < 2 || reply.1 == body), "{method} {tail}");
    }
}

/// Status and body of the next answer on a connection that goes on; `got` keeps what came too early.
async fn next(stream: &mut (impl AsyncRead + Unpin), got: &mut Vec<u8>, bodiless: bool) -> (u16, Vec<u8>) {
    let end = loop {
        match got.windows(4).position(|four| four == b"\r\n\r\n") {
            Some(at) => break at + 4,
            None => assert!(stream.read_buf(got).await.unwrap() > 0, "{}", String::from_utf8_lossy(got)),
        }
    };
    let head = String::from_utf8(got.drain(..end).collect()).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length = if bodiless { 0 } else { length.unwrap().parse().unwrap() };
    while got.len() < length {
        assert!(stream.read_buf(got).await.unwrap() > 0);
    }
    (head[9..12].parse().unwrap(), got.drain(..length).collect())
}

#[tokio::test]
async fn requests_in_one_go() {
    let bench = Bench::new().await;
    let mut stream = TcpStream::connect(bench.edge.addr()).await.unwrap();
    pipelined(&bench, &mut stream).await;
}

#[tokio::test]
async fn requests_in_one_go_over_tls() {
    let bench = Bench::with(|config| config.tls_self_signed = true).await;
    let mut stream = tls(bench.edge.addr(), tls_config("http/1.1")).await;
    pipelined(&bench, &mut stream).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hot_objects_are_sent_from_sealed_files() {
    let bench = Bench::with(|config| config.workers = 1).await;
    let body: Vec<u8> = (0..3_000_000u32).map(|number| (number % 253) as u8).collect();
    bench.upstream.media("aac-256/0.m4s", Answer::ok(&body));
    let mut stream = TcpStream::connect(bench.edge.addr()).await.unwrap();
    for _ in 0..6 {
        stream.write_all(ask(&bench, "GET", "aac-256/0.m4s", "").as_bytes()).await.unwrap();
        assert!(client::read(&mut stream, false).await.body == body);
    }
    assert_eq!(bench.metric("segue_edge_sealed_bytes").await, 3_000_000);
    stream.write_all(ask(&bench, "HEAD", "aac-256/0.m4s", "").as_bytes()).await.unwrap();
    assert_eq!(client::read(&mut stream, true).await.header("content-length"), "3000000");
    // A client that leaves in the middle hurts nobody.
    let mut leaver = TcpStream::connect(bench.edge.addr()).await.unwrap();
    leaver.write_all(ask(&bench, "GET", "aac-256/0.m4s", "").as_bytes()).await.unwrap();
    leaver.read_exact(&mut [0; 1000]).await.unwrap();
    drop(leaver);
    bench
        .purge(r#"{"paths":["PATH"]}"#.replace("PATH", &format!("{}aac-256/0.m4s", common::BASE)).as_str())
        .await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("new"));
    stream.write_all(ask(&bench, "GET", "aac-256/0.m4s", "").as_bytes()).await.unwrap();
    assert_eq!(client::read(&mut stream, false).await.body, b"new");
    bench.until_metric("segue_edge_connections", 1).await;
    while bench.metric("segue_edge_sealed_bytes").await > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_request_byte_by_byte() {
    let bench = Bench::new().await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("body"));
    let mut stream = TcpStream::connect(bench.edge.addr()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for _ in 0..2 {
        for byte in ask(&bench, "GET", "aac-256/0.m4s", "").as_bytes() {
            stream.write_all(&[*byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        assert_eq!(client::read(&mut stream, false).await.body, b"body");
    }
}

#[tokio::test]
async fn answers_without_a_known_length_are_chunked_or_end_the_connection() {
    let bench = Bench::with(|config| config.object_bytes = 10).await;
    let steps = || vec![Step::Send(vec![1; 9000]), Step::Send(vec![2; 9])];
    bench.upstream.media("aac-256/0.m4s", Answer::steps(9009, steps()).chunked());
    let mut stream = TcpStream::connect(bench.edge.addr()).await.unwrap();
    let body = [vec![1; 9000], vec![2; 9]].concat();
    for _ in 0..2 {
        stream.write_all(ask(&bench, "GET", "aac-256/0.m4s", "").as_bytes()).await.unwrap();
        let reply = client::read(&mut stream, false).await;
        assert_eq!((reply.header("transfer-encoding"), reply.complete), ("chunked", true));
        assert!(reply.body == body);
    }
    let old = format!("GET {} HTTP/1.0\r\n\r\n", bench.path("aac-256/0.m4s"));
    let mut stream = TcpStream::connect(bench.edge.addr()).await.unwrap();
    stream.write_all(old.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    assert!(all.ends_with(&body) && all.starts_with(b"HTTP/1.1 200 OK\r\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_ends_with_the_drain() {
    let bench = Bench::new().await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("body"));
    let mut stream = TcpStream::connect(bench.edge.addr()).await.unwrap();
    stream.write_all(ask(&bench, "GET", "aac-256/0.m4s", "").as_bytes()).await.unwrap();
    assert_eq!(client::read(&mut stream, false).await.body, b"body");
    bench.edge.drain(Duration::from_secs(30)).await;
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_client_that_is_refused_hears_why() {
    let bench = Bench::new().await;
    let mut stream = TcpStream::connect(bench.edge.addr()).await.unwrap();
    let head = ask(&bench, "PUT", "aac-256/0.m4s", "Content-Length: 200000\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![7; 200_000]).await.unwrap();
    let reply = client::read(&mut stream, false).await;
    assert_eq!((reply.status, reply.code().as_str()), (413, "body-refused"));
}

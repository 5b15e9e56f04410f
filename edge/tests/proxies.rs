//! Proxies in front: whose a connection is, and what limits of one address mean then.
#![allow(clippy::unwrap_used)]

mod common;

use common::client::{h2, h2_get, raw, read, tls_config};
use common::{Answer, Bench, Reply, get, signed};
use rustls::pki_types::ServerName;
use segue_edge::Config;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PLAYLIST: &str = "aac-256/media.m3u8";

async fn behind_a_proxy(change: impl FnOnce(&mut Config)) -> Bench {
    let bench = Bench::with(|config| {
        config.trusted_proxies = vec!["127.0.0.0/8".into()];
        config.proxy_protocol = true;
        change(config);
    })
    .await;
    bench.upstream.media(PLAYLIST, Answer::ok("playlist"));
    bench
}

fn line(client: &str) -> Vec<u8> {
    format!("PROXY TCP4 {client} 198.51.100.1 50000 443\r\n").into_bytes()
}

fn binary(client: [u8; 4]) -> Vec<u8> {
    let behind = [&client[..], &[198, 51, 100, 1, 0xc3, 0x50, 1, 0xbb], &[4, 0, 2, 0, 0]].concat();
    [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0", &[behind.len() as u8][..], &behind].concat()
}

fn asks(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: edge\r\n\r\n").into_bytes()
}

async fn told(bench: &Bench, header: &[u8], path: &str) -> Reply {
    raw(bench.edge.addr(), &[header, &asks(path)].concat()).await
}

/// A connection with that header, which came byte by byte, once an answer came over it.
async fn open(bench: &Bench, header: &[u8]) -> (TcpStream, u16) {
    let mut stream = TcpStream::connect(bench.edge.addr()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    for byte in header {
        let _ = stream.write_all(&[*byte]).await;
        tokio::task::yield_now().await;
    }
    let _ = stream.write_all(&asks(&bench.path(PLAYLIST))).await;
    let status = read(&mut stream, false).await.status;
    (stream, status)
}

#[tokio::test]
async fn both_versions_are_read_and_nothing_behind_them_is_lost() {
    let bench = behind_a_proxy(|_| {}).await;
    let own = b"PROXY UNKNOWN\r\n".to_vec();
    for header in [line("192.0.2.1"), binary([192, 0, 2, 1]), own] {
        assert_eq!(told(&bench, &header, &bench.path(PLAYLIST)).await.body, b"playlist");
        assert_eq!(open(&bench, &header).await.1, 200);
    }
}

#[tokio::test]
async fn tls_and_http2_begin_behind_the_header() {
    let bench = behind_a_proxy(|config| config.tls_self_signed = true).await;
    let mut stream = TcpStream::connect(bench.edge.addr()).await.unwrap();
    stream.write_all(&binary([192, 0, 2, 1])).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(tls_config("h2"));
    let stream = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
    let mut sender = h2(stream).await;
    let reply = h2_get(&mut sender, &bench.path(PLAYLIST)).await.unwrap();
    assert_eq!(reply.body, b"playlist");
}

#[tokio::test]
async fn a_trusted_proxy_that_says_nothing_right_is_closed() {
    let bench = behind_a_proxy(|config| config.header_timeout_ms = 200).await;
    let turned_away = "segue_edge_connections_turned_away_total{limit=\"proxy-header\"}";
    assert_eq!(told(&bench, b"", &bench.path(PLAYLIST)).await.status, 0);
    assert_eq!(told(&bench, b"PROXY TCP9 x\r\n", &bench.path(PLAYLIST)).await.status, 0);
    bench.until_metric(turned_away, 2).await;
    let mut silent = TcpStream::connect(bench.edge.addr()).await.unwrap();
    silent.write_all(b"PROXY TCP4").await.unwrap();
    assert_eq!(silent.read(&mut [0]).await.unwrap_or(0), 0);
    bench.until_metric("segue_edge_connections_timed_out_total{limit=\"proxy-header\"}", 1).await;
}

#[tokio::test]
async fn nobody_else_is_believed() {
    let bench = behind_a_proxy(|config| config.trusted_proxies = vec!["192.0.2.0/24".into()]).await;
    assert_eq!(bench.get(PLAYLIST).await.body, b"playlist");
    assert_eq!(told(&bench, &line("192.0.2.1"), &bench.path(PLAYLIST)).await.status, 400);
}

#[tokio::test]
async fn connections_are_counted_by_the_client_that_was_told() {
    let bench = behind_a_proxy(|config| config.connections_per_address = 2).await;
    let mut kept = Vec::new();
    for _ in 0..2 {
        let (stream, status) = open(&bench, &line("192.0.2.1")).await;
        assert_eq!(status, 200);
        kept.push(stream);
    }
    assert_eq!(open(&bench, &line("192.0.2.1")).await.1, 0);
    for client in [2, 3, 4] {
        let (stream, status) = open(&bench, &binary([192, 0, 2, client])).await;
        assert_eq!(status, 200);
        kept.push(stream);
    }
    drop(kept);
    bench
        .until_metric("segue_edge_connections_turned_away_total{limit=\"connections-per-address\"}", 1)
        .await;
    while open(&bench, &line("192.0.2.1")).await.1 != 200 {}
}

#[tokio::test]
async fn forgeries_are_counted_by_the_client_that_was_told() {
    let bench = behind_a_proxy(|config| config.forgeries_per_minute = 1).await;
    let forged = |number: u32| signed(&format!("AAAA{number}"), PLAYLIST);
    assert_eq!(told(&bench, &line("192.0.2.1"), &forged(1)).await.status, 403);
    assert_eq!(told(&bench, &line("192.0.2.1"), &forged(2)).await.status, 429);
    assert_eq!(told(&bench, &line("192.0.2.2"), &forged(2)).await.status, 403);
}

#[tokio::test]
async fn a_proxy_that_tells_nothing_stands_for_many() {
    let bench = Bench::with(|config| {
        config.trusted_proxies = vec!["127.0.0.1".into()];
        (config.forgeries_per_minute, config.connections_per_address) = (1, 1);
    })
    .await;
    let _open = TcpStream::connect(bench.edge.addr()).await.unwrap();
    for number in 0..3 {
        assert_eq!(get(bench.edge.addr(), &signed(&format!("AAAA{number}"), PLAYLIST)).await.status, 403);
    }
}

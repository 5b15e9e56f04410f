//! Proxies in front: whose a connection is, and what limits of one address mean then.
#![allow(clippy::unwrap_used)]

mod common;

use common::client::{h2, h2_get, raw, read, tls_config};
use common::{Answer, Bench, Reply, get, request, signed};
use rustls::pki_types::ServerName;
use segue_edge::Config;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

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

#[tokio::test]
async fn forgeries_are_counted_by_the_client_of_each_request() {
    let bench = Bench::with(|config| {
        config.trusted_proxies = vec!["127.0.0.1".into()];
        (config.h2c, config.forgeries_per_minute) = (true, 1);
    })
    .await;
    let forged = |number: u32| signed(&format!("AAAA{number}"), PLAYLIST);
    let mut sender = h2(TcpStream::connect(bench.edge.addr()).await.unwrap()).await;
    for (number, client, status) in [(1, 7, 403), (2, 7, 429), (3, 8, 403), (4, 8, 429)] {
        let told = format!("203.0.113.9, 192.0.2.{client}");
        let reply =
            request(bench.edge.addr(), "GET", &forged(number), &[("x-forwarded-for", &told)], "").await;
        assert_eq!(reply.status, status, "{client}");
        let asked = http::Request::get(format!("http://edge{}", forged(number + 10)));
        let asked = asked.header("forwarded", format!("for=203.0.113.9, for=192.0.2.{}", client + 10));
        let asked = asked.body(http_body_util::Empty::new()).unwrap();
        assert_eq!(sender.send_request(asked).await.unwrap().status(), status, "{client}");
    }
    let both = [("x-forwarded-for", "192.0.2.9"), ("forwarded", "for=192.0.2.10")];
    assert_eq!(request(bench.edge.addr(), "GET", &forged(21), &both, "").await.status, 403);
    let other = [("x-forwarded-for", "192.0.2.11"), ("forwarded", "for=192.0.2.12")];
    assert_eq!(request(bench.edge.addr(), "GET", &forged(22), &other, "").await.status, 429);
}

/// What the upstream of an open edge was told of the way of the last request for `/form`.
fn said(bench: &Bench) -> [String; 3] {
    let seen = bench.upstream.seen("/form").pop().unwrap();
    ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"]
        .map(|name| seen.headers.get(name).cloned().unwrap_or_default())
}

#[tokio::test]
async fn upstreams_are_told_whose_a_request_is_that_is_for_one_client_alone() {
    let bench = Bench::with(|config| {
        config.open = true;
        config.trusted_proxies = vec!["127.0.0.1".into(), "10.0.0.0/8".into()];
    })
    .await;
    bench.upstream.answer("/form", Answer::ok("taken"));
    let addr = bench.edge.addr();
    let claims = [
        ("x-forwarded-for", "203.0.113.9, 198.51.100.7, 10.0.0.2"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil"),
    ];
    assert_eq!(request(addr, "POST", "/form", &claims, "x").await.status, 200);
    assert_eq!(said(&bench), ["198.51.100.7, 10.0.0.2, 127.0.0.1", "https", "edge"]);
    let standard = [("forwarded", "for=203.0.113.9, for=\"[2001:db8::7]:4711\";proto=https")];
    assert_eq!(request(addr, "DELETE", "/form", &standard, "").await.status, 200);
    assert_eq!(said(&bench), ["2001:db8::7, 127.0.0.1", "https", "edge"]);
    let stranger =
        b"POST /form HTTP/1.1\r\nhost: e:81\r\nx-forwarded-for: 198.51.100.7\r\nx-forwarded-proto: https\r\n\
        connection: close, x-forwarded-for\r\ncontent-length: 1\r\n\r\nx";
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut stream = socket.connect(addr).await.unwrap();
    stream.write_all(stranger).await.unwrap();
    assert_eq!(read(&mut stream, false).await.status, 200);
    assert_eq!(said(&bench), ["127.0.0.2", "http", "e:81"]);
    assert_eq!(request(addr, "GET", "/form", &claims, "").await.status, 200);
    assert_eq!(said(&bench), ["", "", ""], "what is fetched for all is asked for in nobody's name");
}

#[tokio::test]
async fn fields_count_where_the_header_tells_of_a_trusted_proxy() {
    let bench = behind_a_proxy(|config| {
        (config.open, config.h2c) = (true, true);
        config.trusted_proxies.push("10.0.0.0/8".into());
    })
    .await;
    bench.upstream.answer("/form", Answer::ok("taken"));
    let post =
        b"POST /form HTTP/1.1\r\nhost: e\r\nx-forwarded-for: 198.51.100.7\r\ncontent-length: 1\r\n\r\nx";
    for (header, way) in [
        (line("10.0.0.9"), "198.51.100.7, 10.0.0.9"),
        (line("192.0.2.7"), "192.0.2.7"),
        // A proxy that does not know whom it passes on does not vouch for what they say.
        (b"PROXY UNKNOWN\r\n".to_vec(), "127.0.0.1"),
    ] {
        assert_eq!(raw(bench.edge.addr(), &[&header, post.as_slice()].concat()).await.status, 200);
        assert_eq!(said(&bench)[0], way);
        let mut stream = TcpStream::connect(bench.edge.addr()).await.unwrap();
        stream.write_all(&header).await.unwrap();
        let delete = http::Request::delete("http://localhost/form").header("x-forwarded-for", "198.51.100.7");
        let delete = delete.body(http_body_util::Empty::new()).unwrap();
        assert_eq!(h2(stream).await.send_request(delete).await.unwrap().status(), 200);
        assert_eq!(said(&bench), [way, "http", "localhost"]);
    }
}

//! Connections: TLS and HTTP/2, limits on what strangers may do, drain.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::client::{self, h2, h2_get, raw, tls, tls_config};
use common::{Answer, Bench, Step, get};
use segue_edge::Config;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn self_signed() -> Bench {
    Bench::with(|config| config.tls_self_signed = true).await
}

#[tokio::test]
async fn both_protocols_over_tls() {
    let bench = self_signed().await;
    let body = vec![7; 200_000];
    bench.upstream.media("aac-256/0.m4s", Answer::ok(&body));
    let path = bench.path("aac-256/0.m4s");
    let stream = tls(bench.edge.addr(), tls_config("h2")).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let suite = stream.get_ref().1.negotiated_cipher_suite().unwrap().suite();
    assert_eq!(suite, rustls::CipherSuite::TLS13_AES_128_GCM_SHA256);
    let mut sender = h2(stream).await;
    for _ in 0..3 {
        assert_eq!(h2_get(&mut sender, &path).await.unwrap().body, body);
    }
    let mut stream = tls(bench.edge.addr(), tls_config("http/1.1")).await;
    for _ in 0..3 {
        let head = format!("GET {path} HTTP/1.1\r\nhost: e\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        assert_eq!(client::read(&mut stream, false).await.body, body);
    }
    assert_eq!(bench.upstream.fetches("aac-256/0.m4s"), 1);
}

#[tokio::test]
async fn sessions_resume() {
    let bench = self_signed().await;
    let config = tls_config("http/1.1");
    for resumed in [false, true] {
        let mut stream = tls(bench.edge.addr(), config.clone()).await;
        stream.write_all(b"OPTIONS / HTTP/1.1\r\nhost: e\r\n\r\n").await.unwrap();
        assert_eq!(client::read(&mut stream, false).await.status, 204);
        let kind = stream.get_ref().1.handshake_kind();
        assert_eq!(kind == Some(rustls::HandshakeKind::Resumed), resumed, "{kind:?}");
    }
}

#[tokio::test]
async fn a_new_certificate_drops_no_connection() {
    let dir = tempfile::tempdir().unwrap();
    let (cert, private) = (dir.path().join("cert.pem"), dir.path().join("private.pem"));
    let renew = || {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        std::fs::write(&cert, made.cert.pem()).unwrap();
        std::fs::write(&private, made.signing_key.serialize_pem()).unwrap();
        made.cert.der().clone()
    };
    let first = renew();
    let bench = Bench::with(|config| {
        config.tls_cert = cert.to_str().unwrap().into();
        config.tls_key = private.to_str().unwrap().into();
    })
    .await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x"));
    let path = bench.path("aac-256/0.m4s");
    let stream = tls(bench.edge.addr(), tls_config("h2")).await;
    assert_eq!(stream.get_ref().1.peer_certificates().unwrap()[0], first);
    let mut open = h2(stream).await;
    assert_eq!(h2_get(&mut open, &path).await.unwrap().status, 200);
    let second = renew();
    loop {
        let stream = tls(bench.edge.addr(), tls_config("h2")).await;
        if stream.get_ref().1.peer_certificates().unwrap()[0] == second {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(h2_get(&mut open, &path).await.unwrap().status, 200, "the open connection goes on");
}

#[tokio::test]
async fn h2_by_prior_knowledge_beside_h1() {
    let bench = Bench::with(|config| config.h2c = true).await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x"));
    let mut sender = h2(TcpStream::connect(bench.edge.addr()).await.unwrap()).await;
    assert_eq!(h2_get(&mut sender, &bench.path("aac-256/0.m4s")).await.unwrap().body, b"x");
    assert_eq!(bench.get("aac-256/0.m4s").await.body, b"x");
}

#[tokio::test]
async fn huge_heads_are_refused() {
    let bench = Bench::new().await;
    let huge = format!("GET / HTTP/1.1\r\nhost: e\r\nx: {}\r\n\r\n", "a".repeat(20_000));
    assert_eq!(raw(bench.edge.addr(), huge.as_bytes()).await.status, 431);
    let many: String = (0..200).map(|number| format!("x{number}: 1\r\n")).collect();
    let many = format!("GET / HTTP/1.1\r\nhost: e\r\n{many}\r\n");
    assert_eq!(raw(bench.edge.addr(), many.as_bytes()).await.status, 431);
    for (head, code) in [(huge.as_bytes(), "head-too-large"), (b"hello\r\n\r\n", "malformed-request")] {
        assert_eq!(raw(bench.edge.addr(), head).await.code(), code);
    }
}

#[tokio::test]
async fn slow_heads_idle_and_stalled_connections_are_closed() {
    let bench = Bench::with(|config| {
        config.header_timeout_ms = 200;
        config.idle_timeout_ms = 400;
        config.stall_timeout_ms = 300;
        config.cache_bytes = 64 << 20;
        config.object_bytes = 32 << 20;
    })
    .await;
    let mut end = [0; 1];
    let mut slow = TcpStream::connect(bench.edge.addr()).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nhos").await.unwrap();
    assert_eq!(slow.read(&mut end).await.unwrap_or(0), 0, "half a head");
    let mut idle = TcpStream::connect(bench.edge.addr()).await.unwrap();
    idle.write_all(b"OPTIONS / HTTP/1.1\r\nhost: e\r\n\r\n").await.unwrap();
    assert_eq!(client::read(&mut idle, false).await.status, 204);
    assert_eq!(idle.read(&mut end).await.unwrap_or(0), 0, "idle after a response");
    bench.upstream.media("aac-256/0.m4s", Answer::ok(vec![1; 30 << 20]));
    let mut stalled = TcpStream::connect(bench.edge.addr()).await.unwrap();
    let head = format!("GET {} HTTP/1.1\r\nhost: e\r\n\r\n", bench.path("aac-256/0.m4s"));
    stalled.write_all(head.as_bytes()).await.unwrap();
    bench.until_metric("segue_edge_connections_timed_out_total{limit=\"stall\"}", 1).await;
    assert_eq!(bench.metric("segue_edge_connections_timed_out_total{limit=\"header\"}").await, 1);
    let mut got = Vec::new();
    let _ = stalled.read_to_end(&mut got).await;
    assert!(got.len() < 30 << 20, "the rest never comes");
}

#[tokio::test]
async fn too_many_connections_are_turned_away() {
    let bench = Bench::with(|config| config.connections_per_address = 3).await;
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(TcpStream::connect(bench.edge.addr()).await.unwrap());
    }
    bench.until_metric("segue_edge_connections", 3).await;
    assert_eq!(raw(bench.edge.addr(), b"OPTIONS / HTTP/1.1\r\nhost: e\r\n\r\n").await.status, 0);
    assert_eq!(
        bench.metric("segue_edge_connections_turned_away_total{limit=\"connections-per-address\"}").await,
        1
    );
    open.clear();
    while bench.metric("segue_edge_connections").await > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(raw(bench.edge.addr(), b"OPTIONS / HTTP/1.1\r\nhost: e\r\n\r\n").await.status, 204);
}

#[tokio::test]
async fn requests_that_could_be_read_twice_are_refused() {
    let bench = Bench::new().await;
    let addr = bench.edge.addr();
    let both = b"GET / HTTP/1.1\r\nhost: e\r\ncontent-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /x";
    let two_lengths = b"GET / HTTP/1.1\r\nhost: e\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab";
    let body = b"GET / HTTP/1.1\r\nhost: e\r\ncontent-length: 2\r\n\r\nab";
    let odd_coding = b"GET / HTTP/1.1\r\nhost: e\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n";
    let no_host = b"GET / HTTP/1.1\r\n\r\n";
    let two_hosts = b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n";
    let folded = b"GET / HTTP/1.1\r\nhost: e\r\nx: a\r\n b\r\n\r\n";
    let spaced = b"GET / HTTP/1.1\r\nhost: e\r\ncontent-length : 2\r\n\r\nab";
    let old_chunks = b"GET / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    let rows: [(&[u8], &[u16]); 9] = [
        (both, &[400]),
        (two_lengths, &[400]),
        (body, &[413]),
        (odd_coding, &[400]),
        (no_host, &[400]),
        (two_hosts, &[400]),
        (folded, &[400]),
        (spaced, &[400]),
        (old_chunks, &[400]),
    ];
    for (bytes, statuses) in rows {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let reply = client::read(&mut stream, false).await;
        let shown = String::from_utf8_lossy(bytes);
        assert!(statuses.contains(&reply.status), "{} for {shown}", reply.status);
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rest.is_empty(), "nothing more is answered on this connection: {shown}");
    }
}

/// One frame (RFC 9113 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Writes frames until the edge hangs up.
async fn until_hung_up(addr: std::net::SocketAddr, frames: &[u8]) {
    let (mut reader, mut writer) = TcpStream::connect(addr).await.unwrap().into_split();
    let start = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frame(4, 0, 0, &[])].concat();
    let all = [start, frames.to_vec()].concat();
    let write = tokio::spawn(async move {
        let _ = writer.write_all(&all).await;
        writer
    });
    let mut end = Vec::new();
    let _ = reader.read_to_end(&mut end).await;
    drop(write.await);
}

#[tokio::test]
async fn floods_over_h2_end_their_connection_and_nothing_else() {
    let bench = Bench::with(|config| {
        config.h2c = true;
        // Being idle is not what ends them.
        config.idle_timeout_ms = 3_600_000;
    })
    .await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x"));
    // GET / of authority e, from the static table, with the stream reset at once (RFC 7541 6.1, RFC 9113 10.5).
    let request = [0x82, 0x87, 0x84, 0x41, 0x01, b'e'];
    let resets: Vec<u8> = (0..10_000)
        .flat_map(|number| {
            let stream = 2 * number + 1;
            [frame(1, 5, stream, &request), frame(3, 0, stream, &8u32.to_be_bytes())].concat()
        })
        .collect();
    until_hung_up(bench.edge.addr(), &resets).await;
    // A head that never ends, in 10,000 continuations.
    let piece = vec![0x84; 1000];
    let rest = (0..10_000).flat_map(|_| frame(9, 0, 1, &piece));
    let endless: Vec<u8> = frame(1, 1, 1, &request).into_iter().chain(rest).collect();
    until_hung_up(bench.edge.addr(), &endless).await;
    let mut sender = h2(TcpStream::connect(bench.edge.addr()).await.unwrap()).await;
    assert_eq!(h2_get(&mut sender, &bench.path("aac-256/0.m4s")).await.unwrap().body, b"x");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_lets_transfers_finish() {
    let bench = Bench::with(|config| config.h2c = true).await;
    let steps = vec![Step::Send(b"01234".to_vec()), Step::Gate, Step::Send(b"56789".to_vec())];
    bench.upstream.media("aac-256/0.m4s", Answer::steps(10, steps));
    let (addr, admin) = (bench.edge.addr(), bench.edge.admin_addr());
    let mut idle = h2(TcpStream::connect(addr).await.unwrap()).await;
    assert_eq!(h2_get(&mut idle, "/").await.unwrap().status, 403);
    let path = bench.path("aac-256/0.m4s");
    let transfer = tokio::spawn(async move { get(addr, &path).await });
    while bench.upstream.fetches("aac-256/0.m4s") == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let drain = tokio::spawn(bench.edge.drain(Duration::from_secs(30)));
    while get(admin, "/readyz").await.status != 503 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    while TcpStream::connect(addr).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    idle.ready().await.expect_err("the HTTP/2 connection got GOAWAY");
    assert!(!drain.is_finished() && !transfer.is_finished());
    bench.upstream.open_gate();
    let reply = transfer.await.unwrap();
    assert!(reply.complete && reply.body == b"0123456789");
    drain.await.unwrap();
    assert!(TcpStream::connect(admin).await.is_err(), "the admin listener ends last");
}

#[tokio::test]
async fn a_drain_ends_after_its_grace() {
    let bench = Bench::new().await;
    bench.upstream.media("aac-256/0.m4s", Answer::steps(10, vec![Step::Gate]));
    let (addr, path) = (bench.edge.addr(), bench.path("aac-256/0.m4s"));
    let transfer = tokio::spawn(async move { get(addr, &path).await });
    while bench.upstream.fetches("aac-256/0.m4s") == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bench.edge.drain(Duration::from_millis(100)).await;
    assert!(!transfer.await.unwrap().complete);
}

#[tokio::test]
async fn wrong_settings_are_told_at_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let free = || "127.0.0.1:0".to_owned();
    let rows = [
        (Config { listen: address.clone(), admin_listen: free(), ..Config::default() }, address.as_str()),
        (Config { listen: address.clone(), admin_listen: free(), ..Config::default() }, "set listen to"),
        (
            Config { listen: free(), admin_listen: address.clone(), ..Config::default() },
            "set admin_listen to",
        ),
        (Config { listen: "nowhere".into(), admin_listen: free(), ..Config::default() }, "nowhere"),
        (
            Config {
                upstreams: vec!["ftp://x".into()],
                listen: free(),
                admin_listen: free(),
                ..Config::default()
            },
            "ftp://x",
        ),
        (Config { tls_cert: "/no/cert".into(), tls_key: "/no/cert".into(), ..Config::default() }, "/no/cert"),
    ];
    for (config, named) in rows {
        let error = segue_edge::start(config).await.unwrap_err().to_string();
        assert!(error.starts_with("edge: ") && error.contains(named), "{error}");
    }
}

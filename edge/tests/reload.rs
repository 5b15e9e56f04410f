//! A new configuration while the edge runs: what is in force at once, what waits for a new process, and that nobody notices.
#![allow(clippy::unwrap_used)]

mod common;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use common::client::{self, h2, h2_get};
use common::{Answer, Bench, Reply, Upstream, get, request};
use segue_edge::Config;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// The settings of a bench, changed.
fn changed(bench: &Bench, change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config { h2c: true, ..common::config(&bench.upstream) };
    change(&mut config);
    config
}

async fn h2c_bench() -> Bench {
    Bench::with(|config| config.h2c = true).await
}

fn lines(bench: &Bench, config: Config) -> Vec<String> {
    bench.edge.reload(config).unwrap().changes.iter().map(ToString::to_string).collect()
}

/// One request on a connection that is open.
async fn ask(stream: &mut TcpStream, path: &str) -> Reply {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: e\r\n\r\n").as_bytes()).await.unwrap();
    client::read(stream, false).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upstreams_change_under_load_and_no_request_fails() {
    let bench = h2c_bench().await;
    let second = Upstream::start(bench.keys.public().to_json()).await;
    let segment = |n: u64| format!("aac-256/{n}.m4s");
    for n in 0..2000 {
        bench.upstream.media(&segment(n), Answer::ok("first"));
        second.media(&segment(n), Answer::ok("second"));
    }
    let (next, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let load = |way: u64| {
        let (addr, next, stop, token) = (bench.edge.addr(), next.clone(), stop.clone(), bench.token.clone());
        tokio::spawn(async move { fetch_on(addr, way, &next, &stop, &token).await })
    };
    let clients: Vec<_> = (0..6).map(load).collect();
    let wait = async |more: u64| {
        let from = next.load(Relaxed);
        while next.load(Relaxed) < from + more {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    for round in 0..6 {
        wait(40).await;
        let url = if round % 2 == 0 { second.url() } else { bench.upstream.url() };
        bench.edge.reload(changed(&bench, |config| config.upstreams = vec![url])).unwrap();
    }
    bench.edge.reload(changed(&bench, |config| config.upstreams = vec![second.url()])).unwrap();
    wait(60).await;
    stop.store(true, Relaxed);
    let mut last = Vec::new();
    for client in clients {
        last.extend(client.await.unwrap());
    }
    assert!(last.iter().all(|body| body == b"second"), "open connections fetch from the new upstream, too");
}

/// Fetches ever new objects: on one connection of either version, or on a new one for each. Gives what came last.
async fn fetch_on(
    addr: SocketAddr,
    way: u64,
    next: &AtomicU64,
    stop: &AtomicBool,
    token: &str,
) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let mut sender = h2(TcpStream::connect(addr).await.unwrap()).await;
    let mut last = None;
    while !stop.load(Relaxed) {
        let path = common::signed(token, &format!("aac-256/{}.m4s", next.fetch_add(1, Relaxed)));
        let reply = match way % 3 {
            0 => ask(&mut stream, &path).await,
            1 => h2_get(&mut sender, &path).await.unwrap(),
            _ => get(addr, &path).await,
        };
        assert!(reply.status == 200 && reply.complete, "{reply:?}");
        last = Some(reply.body);
    }
    last
}

#[tokio::test]
async fn a_configuration_that_makes_no_sense_changes_nothing() {
    let bench = h2c_bench().await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x"));
    let elsewhere = || vec!["http://127.0.0.1:1".to_owned()];
    type Change = fn(&mut Config);
    let rows: [(&str, Change); 5] = [
        ("idle_timeout_ms", |config| config.idle_timeout_ms = 0),
        ("access_log", |config| config.access_log = "loud".into()),
        ("upstream_ca", |config| {
            config.upstreams = vec!["https://127.0.0.1:1".into()];
            config.upstream_ca = "/nowhere".into();
        }),
        ("media_secret", |config| config.media_secret = "a\nb".into()),
        // Alone it would do, but cache_bytes cannot grow with it.
        ("fill_bytes", |config| {
            (config.fill_bytes, config.cache_bytes) = (1, 1);
        }),
    ];
    for (named, change) in rows {
        let wrong = changed(&bench, |config| {
            (config.upstreams, config.admin_secret) = (elsewhere(), "other".into());
            change(config);
        });
        let error = bench.edge.reload(wrong).unwrap_err().to_string();
        assert!(error.starts_with("edge: ") && error.contains(named), "{error}");
    }
    assert_eq!(bench.get("aac-256/0.m4s").await.body, b"x");
    assert_eq!(bench.purge(r#"{"paths": ["/x"]}"#).await.status, 200, "the secret is the same");
    let metrics = get(bench.edge.admin_addr(), "/metrics").await.text();
    assert!(!metrics.contains("127.0.0.1:1\""), "nothing is left of the upstream in vain");
    assert_eq!(lines(&bench, changed(&bench, |_| {})), Vec::<String>::new());
}

#[tokio::test]
async fn what_needs_a_new_process_is_told_every_time_and_the_rest_holds() {
    let bench = h2c_bench().await;
    let config = || {
        changed(&bench, |config| {
            (config.workers, config.cache_bytes) = (1, 1 << 20);
            (config.tls_self_signed, config.target_bytes) = (true, 300);
        })
    };
    let pending = |name: &str, lines: &[String]| {
        lines
            .iter()
            .any(|line| line.starts_with(&format!("{name}: ")) && line.ends_with("(needs a new process)"))
    };
    let first = lines(&bench, config());
    assert!(first.contains(&"target_bytes: 8192 -> 300".to_owned()), "{first:?}");
    let second = lines(&bench, config());
    for lines in [&first, &second] {
        assert!(["workers", "cache_bytes", "tls_self_signed"].iter().all(|name| pending(name, lines)));
    }
    assert_eq!((first.len(), second.len()), (4, 3));
    assert_eq!(get(bench.edge.addr(), &format!("/{}", "a".repeat(400))).await.status, 414);
}

#[tokio::test]
async fn secrets_and_limits_change_for_open_connections_and_new_ones() {
    let bench = h2c_bench().await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x"));
    let mut open = TcpStream::connect(bench.edge.addr()).await.unwrap();
    assert_eq!(ask(&mut open, &bench.path("aac-256/0.m4s")).await.status, 200);
    let bare = format!("{}aac-256/0.m4s", common::BASE);
    assert_eq!(ask(&mut open, &bare).await.status, 403);
    let told = lines(
        &bench,
        changed(&bench, |config| {
            (config.downstream_secret, config.admin_secret) = ("down".into(), "new-admin".into());
            (config.connections, config.media_secret) = (1, "new-media".into());
        }),
    );
    assert_eq!(
        told,
        [
            "admin_secret: changed",
            "connections: 20000 -> 1",
            "downstream_secret: changed",
            "media_secret: changed"
        ]
    );
    open.write_all(
        format!("GET {bare} HTTP/1.1\r\nhost: e\r\nauthorization: Bearer down\r\n\r\n").as_bytes(),
    )
    .await
    .unwrap();
    assert_eq!(client::read(&mut open, false).await.status, 200, "an edge that this one shields now");
    assert_eq!(bench.purge(r#"{"paths": ["/x"]}"#).await.status, 401);
    let bearer = [("authorization", "Bearer new-admin")];
    let purged = request(bench.edge.admin_addr(), "POST", "/purge", &bearer, r#"{"paths": ["/x"]}"#).await;
    assert_eq!(purged.status, 200);
    assert_eq!(client::raw(bench.edge.addr(), b"OPTIONS / HTTP/1.1\r\nhost: e\r\n\r\n").await.status, 0);
    bench.upstream.media("aac-256/1.m4s", Answer::ok("y"));
    assert_eq!(ask(&mut open, &bench.path("aac-256/1.m4s")).await.body, b"y");
    let seen = bench.upstream.seen(&format!("{}aac-256/1.m4s", common::BASE));
    assert_eq!(seen[0].headers["authorization"], "Bearer new-media");
}

#[tokio::test]
async fn keys_are_polled_where_the_new_configuration_says() {
    let bench = h2c_bench().await;
    let keys = segue_manifests::token::SigningKeys::generate(common::now());
    let second = Upstream::start(keys.public().to_json()).await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x"));
    let url = format!("{}/.well-known/segue-keys.json", second.url());
    assert_eq!(lines(&bench, changed(&bench, |config| config.key_set_url = url)).len(), 1);
    let token = segue_manifests::token::mint(&common::claims(), &keys);
    let path = common::signed(&token, "aac-256/0.m4s");
    while get(bench.edge.addr(), &path).await.status != 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn certificates_change_with_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let pair = |file: &str| {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let (chain, private) =
            (folder.path().join(format!("{file}.pem")), folder.path().join(format!("{file}.key")));
        std::fs::write(&chain, made.cert.pem()).unwrap();
        std::fs::write(&private, made.signing_key.serialize_pem()).unwrap();
        (format!("{}:{}", chain.display(), private.display()), made.cert.der().clone())
    };
    let (first, second) = (pair("first"), pair("second"));
    let bench = Bench::with(|config| config.tls_certs = vec![first.0]).await;
    let shown = async || {
        let stream = client::tls(bench.edge.addr(), client::tls_config("h2")).await;
        stream.get_ref().1.peer_certificates().unwrap()[0].clone()
    };
    assert_eq!(shown().await, first.1);
    let with = |pair: &str| Config { tls_certs: vec![pair.into()], ..common::config(&bench.upstream) };
    assert!(bench.edge.reload(with("/nowhere:/nowhere")).is_err());
    assert_eq!(shown().await, first.1);
    assert!(bench.edge.reload(with(&second.0)).unwrap().changes.iter().all(segue_edge::Change::is_in_force));
    assert_eq!(shown().await, second.1);
}

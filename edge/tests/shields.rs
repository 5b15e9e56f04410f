//! Edges behind edges.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{Answer, BASE, Bench, MEDIA_SECRET, Reply, Step, get, request, signed};
use segue_edge::{Config, Running};

const SEGMENT: &str = "aac-256/1.m4s";

/// A shield of `bench`'s upstream.
async fn shield(bench: &Bench, change: impl FnOnce(&mut Config)) -> Running {
    let mut config = common::config(&bench.upstream);
    config.name = "shield".into();
    config.downstream_secret = MEDIA_SECRET.into();
    change(&mut config);
    let shield = segue_edge::start(config).await.unwrap();
    while get(shield.admin_addr(), "/readyz").await.status != 200 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    shield
}

fn url(edge: &Running) -> String {
    format!("http://{}", edge.addr())
}

/// An edge of `bench`'s upstream behind shields.
async fn edge_behind(bench: &Bench, shields: &[&Running]) -> Running {
    shield(bench, |config| {
        config.name = "edge".into();
        config.downstream_secret = String::new();
        config.shields = shields.iter().map(|it| url(it)).collect();
    })
    .await
}

async fn fetch(bench: &Bench, edge: &Running, tail: &str) -> Reply {
    get(edge.addr(), &bench.path(tail)).await
}

#[tokio::test]
async fn what_a_shield_has_is_fetched_from_the_origin_once() {
    let bench = Bench::new().await;
    let shield = shield(&bench, |_| ()).await;
    let (one, two) = (edge_behind(&bench, &[&shield]).await, edge_behind(&bench, &[&shield]).await);
    let answer = Answer::ok("bytes")
        .with("cache-control", "public, max-age=1")
        .with("cdn-cache-control", "max-age=5000")
        .with("surrogate-key", "asset-1 rev-2")
        .with("etag", "\"a\"");
    bench.upstream.media(SEGMENT, answer);
    for edge in [&one, &two] {
        let reply = fetch(&bench, edge, SEGMENT).await;
        assert_eq!((reply.status, reply.body.as_slice()), (200, b"bytes".as_slice()));
        for private in ["surrogate-key", "cdn-cache-control", "set-cookie"] {
            assert!(!reply.headers.contains_key(private), "{private}");
        }
        assert_eq!(reply.header("cache-control"), "public, max-age=1");
        assert!(reply.header("cache-status").starts_with("shield; "), "{}", reply.header("cache-status"));
        let ttl = fetch(&bench, edge, SEGMENT).await;
        let status = ttl.header("cache-status").to_owned();
        assert!(status.contains("edge; hit; ttl=49") || status.contains("edge; hit; ttl=5000"), "{status}");
    }
    assert_eq!(bench.upstream.fetches(SEGMENT), 1);
    assert_eq!(metric(&shield, "segue_edge_downstream_requests_total").await, 2);
    for edge in [&one, &two] {
        let sent = reminders(edge, "taken").await + reminders(edge, "failed").await;
        assert_eq!(sent, 0, "it has what this process was asked for");
    }
}

async fn metric(edge: &Running, name: &str) -> u64 {
    let text = get(edge.admin_addr(), "/metrics").await.text();
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn surrogate_keys_come_through_a_shield() {
    let bench = Bench::new().await;
    let shield = shield(&bench, |_| ()).await;
    let edge = edge_behind(&bench, &[&shield]).await;
    bench.upstream.media(SEGMENT, Answer::ok("old").with("surrogate-key", "asset-1"));
    assert_eq!(fetch(&bench, &edge, SEGMENT).await.body, b"old");
    bench.upstream.media(SEGMENT, Answer::ok("new").with("surrogate-key", "asset-1"));
    for it in [&shield, &edge] {
        let bearer = format!("Bearer {}", common::ADMIN_SECRET);
        let body = r#"{"surrogate_keys": ["asset-1"]}"#;
        let done = request(it.admin_addr(), "POST", "/purge", &[("authorization", &bearer)], body).await;
        assert_eq!(done.status, 200, "{}", done.text());
    }
    assert_eq!(fetch(&bench, &edge, SEGMENT).await.body, b"new");
}

#[tokio::test]
async fn only_edges_with_the_secret_need_no_token() {
    let bench = Bench::new().await;
    bench.upstream.media(SEGMENT, Answer::ok("bytes"));
    let shield = shield(&bench, |_| ()).await;
    let path = format!("{BASE}{SEGMENT}");
    for bearer in ["Bearer wrong", "Bearer ", MEDIA_SECRET] {
        let reply = request(shield.addr(), "GET", &path, &[("authorization", bearer)], "").await;
        assert_eq!((reply.status, reply.code().as_str()), (403, "token-missing"), "{bearer}");
    }
    assert_eq!(get(shield.addr(), &path).await.status, 403);
    assert_eq!(bench.upstream.fetches(SEGMENT), 0);
    let bearer = format!("Bearer {MEDIA_SECRET}");
    let shown = [("authorization", bearer.as_str())];
    assert_eq!(request(shield.addr(), "GET", &path, &shown, "").await.body, b"bytes");
    assert_eq!(request(shield.addr(), "GET", "/etc/passwd", &shown, "").await.status, 404);
    // A token stands for itself, whatever else is shown.
    let forged = request(shield.addr(), "GET", &signed("forged", SEGMENT), &shown, "").await;
    assert_eq!(forged.status, 403);
    assert_eq!(fetch(&bench, &shield, SEGMENT).await.body, b"bytes");
    // An edge that shields none takes no secret.
    let edge = edge_behind(&bench, &[]).await;
    assert_eq!(request(edge.addr(), "GET", &path, &shown, "").await.status, 403);
}

#[tokio::test]
async fn a_shield_that_refuses_or_is_gone_is_gone_past() {
    let bench = Bench::new().await;
    let strict = shield(&bench, |config| config.downstream_secret = "another".into()).await;
    let edge = edge_behind(&bench, &[&strict]).await;
    for n in 0..8 {
        let tail = format!("aac-256/{n}.m4s");
        bench.upstream.media(&tail, Answer::ok("bytes"));
        assert_eq!(fetch(&bench, &edge, &tail).await.body, b"bytes");
    }
    assert!(metric(&edge, "segue_edge_upstream_rests_total").await > 0, "it is not asked for ever");
    drop(strict);
    bench.upstream.media("aac-256/9.m4s", Answer::ok("bytes"));
    assert_eq!(fetch(&bench, &edge, "aac-256/9.m4s").await.body, b"bytes");
}

#[tokio::test]
async fn a_shield_without_origin_serves_what_it_has_and_does_not_count_as_gone() {
    let bench = Bench::new().await;
    let shield = shield(&bench, |config| config.probe_seconds = 0).await;
    let edge = shield_only(&bench, &shield).await;
    bench.upstream.media(SEGMENT, Answer::ok("bytes"));
    let bearer = format!("Bearer {MEDIA_SECRET}");
    let (path, shown) = (format!("{BASE}{SEGMENT}"), [("authorization", bearer.as_str())]);
    assert_eq!(request(shield.addr(), "GET", &path, &shown, "").await.status, 200);
    bench.upstream.kill();
    for n in 0..20 {
        let reply = fetch(&bench, &edge, &format!("flac/{n}.m4s")).await;
        assert_eq!(reply.status, 502, "{}", reply.text());
    }
    assert_eq!(fetch(&bench, &edge, SEGMENT).await.body, b"bytes");
}

/// A shield that starts again at its address, and an edge behind it; between the two lives `meanwhile` happens.
async fn restarted(bench: &Bench, meanwhile: impl AsyncFnOnce(&Running)) -> (Running, Running) {
    let address = format!("127.0.0.1:{}", common::free_ports(1)[0]);
    let listen = |config: &mut Config| (config.listen, config.error_seconds) = (address.clone(), 0);
    let first = shield(bench, listen).await;
    let edge = edge_behind(bench, &[&first]).await;
    meanwhile(&edge).await;
    first.drain(Duration::from_secs(5)).await;
    (shield(bench, listen).await, edge)
}

/// The edge hears of the shield's new process.
async fn hear(bench: &Bench, edge: &Running, tail: &str) {
    let reply = fetch(bench, edge, tail).await;
    assert!(reply.header("cache-status").starts_with("shield; "), "{}", reply.header("cache-status"));
    assert!(!reply.headers.contains_key("segue-node"));
}

async fn reminders(edge: &Running, outcome: &str) -> u64 {
    metric(edge, &format!("segue_edge_reminders_total{{outcome=\"{outcome}\"}}")).await
}

/// Serves an object from the edge's memory until the origin was asked for it so often.
async fn serve_until(bench: &Bench, edge: &Running, tail: &str, fetches: usize) {
    while bench.upstream.fetches(tail) < fetches {
        assert!(fetch(bench, edge, tail).await.header("cache-status").contains("edge; hit"));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_shield_that_starts_again_is_reminded_of_what_edges_serve() {
    const OTHER: &str = "aac-256/2.m4s";
    const THIRD: &str = "aac-256/3.m4s";
    let bench = Bench::new().await;
    for tail in [SEGMENT, OTHER, THIRD] {
        bench.upstream.media(tail, Answer::ok("bytes").with("etag", "\"a\""));
    }
    let (again, edge) = restarted(&bench, async |edge| {
        for tail in [SEGMENT, THIRD, SEGMENT, THIRD] {
            assert_eq!(fetch(&bench, edge, tail).await.body, b"bytes");
        }
    })
    .await;
    let late = shield_only(&bench, &again).await;
    hear(&bench, &edge, OTHER).await;
    serve_until(&bench, &edge, SEGMENT, 2).await;
    // Whoever joins the fill has it when it is whole.
    let bearer = format!("Bearer {MEDIA_SECRET}");
    let shown = [("authorization", bearer.as_str())];
    let reply = request(again.addr(), "GET", &format!("{BASE}{SEGMENT}"), &shown, "").await;
    assert_eq!((reply.status, bench.upstream.fetches(SEGMENT)), (200, 2));
    assert_eq!(reply.header("segue-node").len(), 16);
    bench.upstream.kill();
    assert_eq!(fetch(&bench, &late, SEGMENT).await.body, b"bytes");
    assert_eq!(fetch(&bench, &late, THIRD).await.status, 502, "nobody served it since");
    for tail in [SEGMENT, OTHER] {
        assert_eq!(fetch(&bench, &edge, tail).await.status, 200);
    }
    assert_eq!(reminders(&edge, "taken").await, 1, "once, and not for what the new process was asked for");
}

#[tokio::test]
async fn a_shield_that_fails_is_reminded_again_and_does_not_rest() {
    const OTHER: &str = "aac-256/2.m4s";
    let bench = Bench::new().await;
    let whole = || Answer::ok("bytes").with("etag", "\"a\"");
    bench.upstream.media(SEGMENT, whole());
    bench.upstream.media(OTHER, whole());
    let (_again, edge) = restarted(&bench, async |edge| drop(fetch(&bench, edge, SEGMENT).await)).await;
    bench.upstream.media(SEGMENT, Answer::status(500, "broken"));
    hear(&bench, &edge, OTHER).await;
    serve_until(&bench, &edge, SEGMENT, 2).await;
    bench.upstream.media(SEGMENT, whole());
    serve_until(&bench, &edge, SEGMENT, 3).await;
    assert_eq!(reminders(&edge, "failed").await, 1);
    assert_eq!(metric(&edge, "segue_edge_upstream_rests_total").await, 0);
}

#[tokio::test]
async fn a_shield_fetches_for_reminders_only_while_it_has_little_to_do() {
    let bench = Bench::new().await;
    let shield = shield(&bench, |config| (config.fills, config.upstream_idle_timeout_ms) = (2, 30_000)).await;
    bench.upstream.media(SEGMENT, Answer::steps(5, vec![Step::Gate, Step::Send(b"bytes".to_vec())]));
    bench.upstream.media("aac-256/2.m4s", Answer::ok("bytes"));
    let bearer = format!("Bearer {MEDIA_SECRET}");
    let ask = async |tail: &str, priority: &str| {
        let fields = [("authorization", bearer.as_str()), ("priority", priority)];
        request(shield.addr(), "GET", &format!("{BASE}{tail}"), &fields, "").await.status
    };
    let (_, status) = tokio::join!(ask(SEGMENT, "u=3"), async {
        while bench.upstream.fetches(SEGMENT) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let status = [ask("aac-256/2.m4s", "u=7").await, ask("aac-256/2.m4s", "u=3").await];
        bench.upstream.open_gate();
        status
    });
    assert_eq!(status, [503, 200]);
    let text = get(shield.admin_addr(), "/metrics").await.text();
    assert!(text.contains("segue_edge_shed_total{lack=\"fills\"} 0"), "nobody waits for it");
}

#[tokio::test]
async fn what_came_past_a_shield_is_told_to_it() {
    let bench = Bench::new().await;
    bench.upstream.media(SEGMENT, Answer::ok("bytes").with("etag", "\"a\""));
    let address = format!("127.0.0.1:{}", common::free_ports(1)[0]);
    let edge = shield(&bench, |config| {
        (config.name, config.shields) = ("edge".into(), vec![format!("http://{address}")]);
        (config.downstream_secret, config.probe_seconds) = (String::new(), 1);
    })
    .await;
    assert_eq!(fetch(&bench, &edge, SEGMENT).await.body, b"bytes");
    // It is heard of by a probe.
    let _late = shield(&bench, |config| config.listen = address).await;
    serve_until(&bench, &edge, SEGMENT, 2).await;
}

/// An edge whose last upstream, too, is the shield.
async fn shield_only(bench: &Bench, shield: &Running) -> Running {
    let keys = format!("{}/.well-known/segue-keys.json", bench.upstream.url());
    self::shield(bench, |config| {
        config.downstream_secret = String::new();
        config.upstreams = vec![url(shield)];
        config.key_set_url = keys;
        config.probe_seconds = 0;
    })
    .await
}

#[tokio::test]
async fn shields_of_one_another_do_not_go_round_in_circles() {
    let bench = Bench::new().await;
    bench.upstream.media(SEGMENT, Answer::ok("bytes"));
    let ports = common::free_ports(2);
    let addresses: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    let circle = |me: usize, other: usize| {
        let (listen, shields) = (addresses[me].clone(), vec![format!("http://{}", addresses[other])]);
        move |config: &mut Config| (config.listen, config.shields) = (listen, shields)
    };
    let (one, _two) = (shield(&bench, circle(0, 1)).await, shield(&bench, circle(1, 0)).await);
    assert_eq!(fetch(&bench, &one, SEGMENT).await.body, b"bytes");
    assert_eq!(bench.upstream.fetches(SEGMENT), 1);
}

#[tokio::test]
async fn assets_are_spread_over_shields_each_on_one() {
    let bench = Bench::new().await;
    let (one, two) = (shield(&bench, |_| ()).await, shield(&bench, |_| ()).await);
    let edge = edge_behind(&bench, &[&one, &two]).await;
    for n in 0..10 {
        bench.upstream.media(&format!("aac-256/{n}.m4s"), Answer::ok("bytes"));
        assert_eq!(fetch(&bench, &edge, &format!("aac-256/{n}.m4s")).await.status, 200);
    }
    let asked = |edge| metric(edge, "segue_edge_downstream_requests_total");
    let mut counts = [asked(&one).await, asked(&two).await];
    counts.sort_unstable();
    assert_eq!(counts[0], 0, "{counts:?}");
    assert!(counts[1] >= 10, "{counts:?}");
}

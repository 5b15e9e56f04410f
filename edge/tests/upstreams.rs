//! Which upstreams are asked, and what becomes of those that fail.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{Answer, Bench, Step, Upstream, tls_upstream};
use segue_edge::Config;

#[tokio::test]
async fn an_upstream_whose_bodies_break_rests_though_its_heads_come() {
    let bench = Bench::with(|config| config.workers = 4).await;
    let broken = || Answer::steps(100_000, vec![Step::Send(vec![7; 50_000]), Step::Die]);
    let segment = |n: u32| format!("aac-256/{n}.m4s");
    for n in 0..8 {
        bench.upstream.media(&segment(n), broken());
    }
    for n in 0..5 {
        assert_eq!(bench.metric("segue_edge_upstream_rests_total").await, 0, "after {n}");
        assert!(!bench.get(&segment(n)).await.complete);
        bench.until_metric("segue_edge_fills_total{outcome=\"upstream-length\"}", u64::from(n) + 1).await;
    }
    assert_eq!(bench.metric("segue_edge_upstream_rests_total").await, 1);
    // Whole bodies bring it back.
    bench.upstream.media("aac-256/9.m4s", Answer::ok(vec![9; 100_000]));
    while bench.get("aac-256/9.m4s").await.status != 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bench.upstream.media("aac-256/10.m4s", Answer::ok(vec![10; 1000]));
    assert_eq!(bench.get("aac-256/10.m4s").await.status, 200);
}

#[tokio::test]
async fn an_upstream_whose_bodies_are_damaged_rests() {
    let bench = Bench::with(|config| config.probe_seconds = 0).await;
    let digest = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
    for n in 0..5 {
        let segment = format!("aac-256/{n}.m4s");
        bench.upstream.media(&segment, Answer::ok(vec![7; 100_000]).with("repr-digest", digest));
        let reply = bench.get(&segment).await;
        // All of it may have come before the answer began.
        assert!(!reply.complete || reply.code() == "upstream-damaged", "{reply:?}");
    }
    bench.until_metric("segue_edge_upstream_rests_total", 1).await;
}

#[tokio::test]
async fn a_silent_upstream_is_not_waited_for_when_another_answers() {
    let bench = first_falls_silent(|config| config.first_byte_timeout_ms = 3_600_000).await;
    let won = "segue_edge_hedges_total{outcome=\"won\"}";
    let before = bench.metric(won).await;
    assert_eq!(bench.get("aac-256/0.m4s").await.body, b"bytes");
    assert_eq!(bench.metric(won).await, before + 1);
    assert_eq!(bench.upstream.fetches("aac-256/0.m4s"), 1);
}

/// Two upstreams that have answered at once so far; now the first keeps silent about one segment.
async fn first_falls_silent(change: impl FnOnce(&mut Config)) -> Bench {
    let second = Upstream::start(Vec::new()).await;
    let bench = Bench::with(|config| {
        config.upstreams.push(second.url());
        (config.prefetch_fills, config.probe_seconds) = (0, 0);
        change(config);
    })
    .await;
    // How long it mostly takes has to be known first. Both have it: on a busy machine the second may be asked too.
    for n in 0..80 {
        let segment = format!("aac-128/{n}.m4s");
        for upstream in [&bench.upstream, &second] {
            upstream.media(&segment, Answer::ok("bytes"));
        }
        assert_eq!(bench.get(&segment).await.status, 200);
    }
    bench.upstream.media("aac-256/0.m4s", Answer::ok("late").delayed(Duration::from_secs(3600)));
    second.media("aac-256/0.m4s", Answer::ok("bytes"));
    bench
}

#[tokio::test]
async fn without_an_allowance_nothing_is_asked_beside_a_silent_upstream() {
    let bench =
        first_falls_silent(|config| (config.hedge_percent, config.first_byte_timeout_ms) = (0, 500)).await;
    // Only when the deadline has passed is the other one asked.
    assert_eq!(bench.get("aac-256/0.m4s").await.body, b"bytes");
    assert_eq!(bench.metric("segue_edge_hedges_total{outcome=\"won\"}").await, 0);
    assert_eq!(bench.metric("segue_edge_retries_total{outcome=\"useful\"}").await, 1);
}

#[tokio::test]
async fn an_outage_of_everything_does_not_multiply_what_is_asked() {
    let second = Upstream::start(Vec::new()).await;
    let bench = Bench::with(|config| {
        config.upstreams.push(second.url());
        (config.prefetch_fills, config.probe_seconds, config.hedge_percent) = (0, 0, 0);
    })
    .await;
    let segment = |n: usize| format!("aac-256/{n}.m4s");
    for n in 0..400 {
        bench.upstream.media(&segment(n), Answer::status(500, "broken"));
        second.media(&segment(n), Answer::status(500, "broken"));
        assert_eq!(bench.get(&segment(n)).await.status, 500);
    }
    let vain = bench.metric("segue_edge_retries_total{outcome=\"vain\"}").await;
    assert!((256..=256 + 400 / 5).contains(&vain), "{vain}");
    assert_eq!(bench.metric("segue_edge_retries_total{outcome=\"refused\"}").await, 400 - vain);
    // What helps is not limited.
    for n in 400..800 {
        bench.upstream.media(&segment(n), Answer::status(500, "broken"));
        second.media(&segment(n), Answer::ok("bytes"));
    }
    let mut well = 0;
    for n in 400..800 {
        well += usize::from(bench.get(&segment(n)).await.status == 200);
    }
    assert!(well >= 390, "{well}");
}

#[tokio::test]
async fn an_upstream_that_is_gone_rests_before_anyone_asks() {
    let gone = format!("http://127.0.0.1:{}", common::free_ports(1)[0]);
    let bench = Bench::with(|config| {
        config.key_set_url = format!("{}/.well-known/segue-keys.json", config.upstreams[0]);
        config.upstreams.insert(0, gone);
        config.probe_seconds = 1;
    })
    .await;
    bench.until_metric("segue_edge_upstream_rests_total", 1).await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("bytes"));
    assert_eq!(bench.get("aac-256/0.m4s").await.body, b"bytes");
}

#[tokio::test]
async fn upstreams_may_want_a_certificate_and_speak_http2() {
    let dir = tempfile::tempdir().unwrap();
    for http2 in [false, true] {
        let upstream = tls_upstream(dir.path()).await;
        let bench = Bench::with(|config| {
            config.key_set_url = format!("{}/.well-known/segue-keys.json", config.upstreams[0]);
            config.upstreams = vec![upstream.url.clone()];
            config.upstream_ca = upstream.ca.clone();
            (config.upstream_cert, config.upstream_key) =
                (upstream.client_cert.clone(), upstream.client_key.clone());
            config.upstream_http2 = http2;
        })
        .await;
        let reply = bench.get("aac-256/0.m4s").await;
        assert_eq!((reply.status, reply.complete), (200, true), "{}", reply.text());
        assert_eq!(reply.text(), if http2 { "HTTP/2.0" } else { "HTTP/1.1" });
        let hit = bench.get("aac-256/0.m4s").await;
        assert!(hit.header("cache-status").contains("; hit"), "what came in either way is stored");
        // Who shows none is not let in.
        let bench = Bench::with(|config| {
            config.key_set_url = format!("{}/.well-known/segue-keys.json", config.upstreams[0]);
            config.upstreams = vec![upstream.url.clone()];
            config.upstream_ca = upstream.ca.clone();
        })
        .await;
        assert_eq!(bench.get("aac-256/0.m4s").await.status, 502);
    }
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let upstream = tls_upstream(dir.path()).await;
    let config = Config {
        listen: "127.0.0.1:0".into(),
        admin_listen: "127.0.0.1:0".into(),
        upstreams: vec![upstream.url],
        upstream_ca: upstream.ca.clone(),
        upstream_cert: upstream.client_cert,
        upstream_key: upstream.ca,
        ..Config::default()
    };
    let error = segue_edge::start(config).await.unwrap_err().to_string();
    assert!(error.contains("upstream_key"), "{error}");
}

#[tokio::test]
async fn each_upstream_is_counted_by_itself() {
    let second = Upstream::start(Vec::new()).await;
    let bench = Bench::with(|config| {
        config.upstreams.push(second.url());
        (config.prefetch_fills, config.probe_seconds, config.hedge_percent) = (0, 0, 0);
    })
    .await;
    let of = |number: usize, upstream: &Upstream| {
        format!("upstream=\"{number}\",host=\"{}\"", upstream.url().trim_start_matches("http://"))
    };
    let (one, two) = (of(0, &bench.upstream), of(1, &second));
    let asked = |who: &str| format!("segue_edge_upstream_asked{{{who}}}");
    assert_eq!((bench.metric(&asked(&one)).await, bench.metric(&asked(&two)).await), (1, 1));
    for number in 0..6 {
        let segment = format!("aac-256/{number}.m4s");
        bench.upstream.media(&segment, Answer::status(503, "no").with("cache-control", "no-store"));
        second.media(&segment, Answer::ok("segment"));
        assert_eq!(bench.get(&segment).await.status, 200);
    }
    let requests = |who: &str, outcome: &str| {
        format!("segue_edge_upstream_requests_total{{{who},outcome=\"{outcome}\"}}")
    };
    assert_eq!(bench.metric(&requests(&one, "server-error")).await, 5, "it rests after that");
    assert_eq!(bench.metric(&requests(&two, "ok")).await, 6);
    assert_eq!(bench.metric(&requests(&two, "server-error")).await, 0);
    assert_eq!(bench.metric(&format!("segue_edge_upstream_first_byte_seconds_count{{{two}}}")).await, 6);
    assert_eq!((bench.metric(&asked(&one)).await, bench.metric(&asked(&two)).await), (0, 1));
}

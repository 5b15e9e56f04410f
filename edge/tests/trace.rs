//! Traces: what upstreams are told, and what a collector gets.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{Answer, BASE, Bench, Step, Upstream, get, request};
use segue_edge::Config;
use serde_json::Value;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// A collector, and an edge that sends it spans.
async fn traced(change: impl FnOnce(&mut Config)) -> (Bench, Upstream) {
    let collector = Upstream::start(Vec::new()).await;
    collector.answer("/v1/traces", Answer::status(200, "{}"));
    let bench = Bench::with(|config| {
        config.otlp_endpoint = collector.url();
        config.trace_sample = 0;
        config.prefetch_fills = 0;
        change(config);
    })
    .await;
    (bench, collector)
}

/// All spans so far, as they came.
fn spans(collector: &Upstream) -> Vec<Value> {
    let messages = collector.seen("/v1/traces").into_iter().map(|seen| {
        assert_eq!(
            (seen.method.as_str(), seen.headers["content-type"].as_str()),
            ("POST", "application/json")
        );
        serde_json::from_slice::<Value>(&seen.body).unwrap()
    });
    let of = |message: Value| {
        let resource = &message["resourceSpans"][0];
        assert_eq!(resource["resource"]["attributes"][0]["value"]["stringValue"], "segue-edge");
        resource["scopeSpans"][0]["spans"].as_array().unwrap().clone()
    };
    messages.flat_map(of).collect()
}

async fn until_spans(collector: &Upstream, count: usize) -> Vec<Value> {
    while spans(collector).len() < count {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    spans(collector)
}

fn named<'a>(spans: &'a [Value], name: &str) -> Vec<&'a Value> {
    spans.iter().filter(|span| span["name"] == name).collect()
}

fn note<'a>(span: &'a Value, name: &str) -> &'a Value {
    let notes = span["attributes"].as_array().unwrap();
    notes.iter().find(|note| note["key"] == name).map_or(&Value::Null, |note| &note["value"])
}

fn parent(flags: &str) -> String {
    format!("00-{TRACE}-{CALLER}-{flags}")
}

#[tokio::test]
async fn a_sampled_trace_is_told_on_and_recorded() {
    let (bench, collector) = traced(|_| ()).await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("segment"));
    let sampled = parent("01");
    let headers = [("traceparent", sampled.as_str()), ("tracestate", "a=1, b=2")];
    assert_eq!(bench.ask("GET", "aac-256/0.m4s", &headers).await.status, 200);
    let all = until_spans(&collector, 5).await;
    let one = |name: &str| named(&all, name).pop().unwrap_or_else(|| panic!("no {name} in {all:?}")).clone();
    let (root, fill, upstream) = (one("request"), one("fill"), one("upstream"));
    assert_eq!(root["parentSpanId"], CALLER);
    for name in ["verify", "lookup", "fill"] {
        assert_eq!(one(name)["parentSpanId"], root["spanId"], "{name}");
    }
    assert_eq!(upstream["parentSpanId"], fill["spanId"]);
    assert!(all.iter().all(|span| span["traceId"] == TRACE && span["traceState"] == "a=1,b=2"));
    assert_eq!((&root["kind"], &fill["kind"], &upstream["kind"]), (&2.into(), &1.into(), &3.into()));
    assert_eq!(note(&root, "segue.cache")["stringValue"], "miss");
    assert_eq!(note(&root, "url.path")["stringValue"], format!("{BASE}aac-256/0.m4s"));
    assert_eq!(note(&root, "http.response.status_code")["intValue"], "200");
    assert_eq!(note(&root, "http.response.body.size")["intValue"], "7");
    let seen = bench.upstream.seen(&format!("{BASE}aac-256/0.m4s")).pop().unwrap();
    let told = format!("00-{TRACE}-{}-01", upstream["spanId"].as_str().unwrap());
    assert_eq!((&seen.headers["traceparent"], seen.headers["tracestate"].as_str()), (&told, "a=1,b=2"));
    let messages = collector.seen("/v1/traces");
    assert!(messages.iter().all(|seen| !String::from_utf8_lossy(&seen.body).contains(&bench.token[..40])));

    // A hit is a part of the trace too, without a fill.
    assert_eq!(bench.ask("GET", "aac-256/0.m4s", &headers).await.status, 200);
    let all = until_spans(&collector, 8).await;
    assert_eq!((all.len(), named(&all, "fill").len(), named(&all, "request").len()), (8, 1, 2));
    assert!(named(&all, "request").iter().any(|span| note(span, "segue.cache")["stringValue"] == "hit"));
    bench.until_metric("segue_edge_spans_exported_total", 8).await;
}

#[tokio::test]
async fn attempts_that_fail_and_those_who_wait_show() {
    let second = Upstream::start(Vec::new()).await;
    let (bench, collector) = traced(|config| config.upstreams.push(second.url())).await;
    bench.upstream.media("aac-256/0.m4s", Answer::status(500, "no"));
    second.media("aac-256/0.m4s", Answer::steps(4, vec![Step::Gate, Step::Send(b"abcd".to_vec())]));
    let sampled = parent("01");
    let path = bench.path("aac-256/0.m4s");
    let ask = || {
        let (addr, path, sampled) = (bench.edge.addr(), path.clone(), sampled.clone());
        tokio::spawn(async move { request(addr, "GET", &path, &[("traceparent", &sampled)], "").await })
    };
    let first = ask();
    while second.fetches("aac-256/0.m4s") == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let joined = ask();
    bench.until_metric("segue_edge_requests_total{cache=\"collapsed\",reason=\"\"}", 1).await;
    second.open_gate();
    assert_eq!((first.await.unwrap().text(), joined.await.unwrap().text()), ("abcd".into(), "abcd".into()));
    // Two requests with two steps each, one that waits, one fill with two attempts.
    let all = until_spans(&collector, 10).await;
    let attempts = named(&all, "upstream");
    let statuses: Vec<_> =
        attempts.iter().map(|span| note(span, "http.response.status_code")["intValue"].clone()).collect();
    assert_eq!(statuses, ["500", "200"], "in the order of their ends");
    assert_ne!(attempts[0]["spanId"], attempts[1]["spanId"]);
    let waiting = named(&all, "wait");
    let collapsed = named(&all, "request")
        .into_iter()
        .find(|span| note(span, "segue.cache")["stringValue"] == "collapsed");
    assert_eq!((waiting.len(), &waiting[0]["parentSpanId"]), (1, &collapsed.unwrap()["spanId"]));
}

#[tokio::test]
async fn what_is_not_sampled_is_only_told_on() {
    let (bench, collector) = traced(|_| ()).await;
    for (number, (parent, told)) in
        [(parent("00"), true), (parent("01").to_uppercase(), false), ("00-x".into(), false)]
            .into_iter()
            .enumerate()
    {
        let tail = format!("aac-256/{number}.m4s");
        bench.upstream.media(&tail, Answer::ok("segment"));
        let headers = [("traceparent", parent.as_str()), ("tracestate", "a=1")];
        assert_eq!(bench.ask("GET", &tail, &headers).await.status, 200);
        let seen = bench.upstream.seen(&format!("{BASE}{tail}")).pop().unwrap().headers;
        match told {
            true => assert!(
                seen["traceparent"].starts_with(&format!("00-{TRACE}-"))
                    && seen["traceparent"].ends_with("-00")
                    && !seen["traceparent"].contains(CALLER)
                    && seen["tracestate"] == "a=1",
                "{seen:?}"
            ),
            false => {
                assert!(!seen.contains_key("traceparent") && !seen.contains_key("tracestate"), "{seen:?}")
            }
        }
    }
    bench.edge.drain(Duration::from_secs(9)).await;
    assert!(spans(&collector).is_empty());
}

#[tokio::test]
async fn one_in_so_many_begins_a_trace_hits_too() {
    let (bench, collector) = traced(|config| {
        config.workers = 1;
        config.trace_sample = 4;
    })
    .await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("segment"));
    for _ in 0..8 {
        assert_eq!(bench.get("aac-256/0.m4s").await.text(), "segment");
    }
    // What is there when the edge stops goes out as well.
    bench.edge.drain(Duration::from_secs(9)).await;
    let all = spans(&collector);
    let roots = named(&all, "request");
    let cache: Vec<_> = roots.iter().map(|span| note(span, "segue.cache")["stringValue"].clone()).collect();
    assert_eq!(cache, ["miss", "hit"], "{all:?}");
    assert!(
        roots.iter().all(|span| span["parentSpanId"].is_null()) && roots[0]["traceId"] != roots[1]["traceId"]
    );
    let seen = bench.upstream.seen(&format!("{BASE}aac-256/0.m4s")).pop().unwrap();
    assert!(seen.headers["traceparent"].contains(roots[0]["traceId"].as_str().unwrap()));
}

#[tokio::test]
async fn a_client_of_an_open_edge_is_told_on_with_its_trace() {
    let (bench, collector) = traced(|config| {
        config.open = true;
        config.media_secret = String::new();
    })
    .await;
    bench.upstream.answer("/form", Answer::status(201, "made"));
    let sampled = parent("01");
    let headers = [("traceparent", sampled.as_str())];
    assert_eq!(request(bench.edge.addr(), "POST", "/form?secret", &headers, "x").await.status, 404);
    assert_eq!(request(bench.edge.addr(), "POST", "/form", &headers, "x").await.status, 201);
    let all = until_spans(&collector, 4).await;
    let attempt = named(&all, "upstream").pop().unwrap().clone();
    let seen = bench.upstream.seen("/form").pop().unwrap();
    assert_eq!(seen.headers["traceparent"], format!("00-{TRACE}-{}-01", attempt["spanId"].as_str().unwrap()));
    assert!(!format!("{all:?}").contains("secret"), "queries stay out");
}

#[tokio::test]
async fn a_collector_that_does_not_answer_harms_nobody() {
    let (bench, collector) = traced(|config| config.trace_sample = 1).await;
    collector.kill();
    bench.upstream.media("aac-256/0.m4s", Answer::ok("segment"));
    for _ in 0..5 {
        assert_eq!(get(bench.edge.addr(), &bench.path("aac-256/0.m4s")).await.text(), "segment");
    }
    bench.until_metric("segue_edge_spans_dropped_total", 15).await;
}

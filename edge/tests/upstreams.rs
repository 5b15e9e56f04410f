//! Which upstreams are asked, and what becomes of those that fail.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Answer, Bench, Step};

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
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    bench.upstream.media("aac-256/10.m4s", Answer::ok(vec![10; 1000]));
    assert_eq!(bench.get("aac-256/10.m4s").await.status, 200);
}

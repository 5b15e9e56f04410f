//! The log: one line for each request, without tokens, secrets or addresses.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use common::{ADMIN_SECRET, Answer, Bench, MEDIA_SECRET, get, signed};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_happened_is_told_and_no_secret() {
    let captured = Captured::default();
    let writer = captured.clone();
    // Everything, also what libraries would say at their most talkative.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let bench = Bench::with(|config| config.access_log = "all".into()).await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x"));
    let parent = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00");
    assert_eq!(bench.ask("GET", "aac-256/0.m4s", &[parent]).await.status, 200);
    assert_eq!(bench.get("aac-256/9.m4s").await.status, 404);
    let forged = bench.token[..bench.token.len() - 4].to_owned() + "AAAA";
    assert_eq!(get(bench.edge.addr(), &signed(&forged, "aac-256/0.m4s")).await.status, 403);
    bench.purge(r#"{"paths":["/x"]}"#).await;
    bench.edge.drain(std::time::Duration::from_secs(9)).await;
    // One in four of what goes well, all that fails.
    let sampled = Bench::with(|config| {
        config.access_log = "all".into();
        config.access_log_sample = 4;
        config.workers = 1;
    })
    .await;
    sampled.upstream.media("aac-1/0.m4s", Answer::ok("x"));
    sampled.upstream.media("aac-2/0.m4s", Answer::status(500, "x"));
    for _ in 0..8 {
        sampled.get("aac-1/0.m4s").await;
    }
    assert_eq!(sampled.get("aac-2/0.m4s").await.status, 500);
    sampled.edge.drain(std::time::Duration::from_secs(9)).await;

    // Five failures in a row make an upstream rest; why, is told then.
    let nowhere = Bench::with(|config| {
        config.workers = 1;
        config.upstreams = vec!["http://no-such-name.invalid:80".into()];
        config.open = true;
    })
    .await;
    for number in 0..5 {
        assert_eq!(get(nowhere.edge.addr(), &format!("/{number}")).await.code(), "upstream-connect");
    }
    nowhere.edge.drain(std::time::Duration::from_secs(9)).await;

    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    let requests: Vec<_> = log.lines().filter(|line| line.contains("segue_edge::access: request")).collect();
    let rests = log.lines().find(|line| line.contains("it rests")).unwrap();
    assert!(rests.contains("no-such-name.invalid") && rests.contains("dns error: "), "{rests}");
    let of_sampled = |path: &str| requests.iter().filter(|line| line.contains(path)).count();
    assert_eq!((of_sampled("aac-1/0.m4s"), of_sampled("aac-2/0.m4s")), (2, 1), "{log}");
    let requests: Vec<_> = requests.into_iter().filter(|line| line.contains("aac-256/")).collect();
    assert_eq!(requests.len(), 3, "{log}");
    // Written when a response has ended, by whichever worker made it: in any order.
    let of = |status: &str| *requests.iter().find(|line| line.contains(status)).unwrap();
    assert!(of("status=200").contains("cache=\"miss\"") && of("status=200").contains("token.id=\"07070707"));
    assert!(
        of("status=200").contains("trace.id=\"4bf92f3577b34da6a3ce929d0e0e4736\""),
        "{}",
        of("status=200")
    );
    assert!(!of("status=404").contains("trace.id"), "{}", of("status=404"));
    assert!(of("status=404").contains("cache=\"miss\""), "{}", of("status=404"));
    assert!(of("status=403").contains("problem=\"token-signature\""), "{}", of("status=403"));
    for secret in [&bench.token[..40], &forged[forged.len() - 40..], ADMIN_SECRET, MEDIA_SECRET] {
        assert!(!log.contains(secret), "a secret is in the log");
    }
    assert!(requests.iter().all(|line| !line.contains("127.0.0.1")), "an address is in the access log");
}

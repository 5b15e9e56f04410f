//! Content of requests over HTTP/2: windows, forms, limits, and what breaks off.
#![allow(clippy::unwrap_used)]

mod common;

use common::frames::{Got, Raw, data, get, post, reset};
use common::{Answer, Bench};

fn bytes(length: usize) -> Vec<u8> {
    (0..length as u32).map(|number| (number % 251) as u8).collect()
}

async fn open() -> Bench {
    Bench::with(|config| {
        (config.h2c, config.open) = (true, true);
        config.request_body_bytes = 1_000_000;
    })
    .await
}

#[tokio::test]
async fn content_is_told_on_within_its_window() {
    let bench = open().await;
    bench.upstream.answer("/up", Answer::status(201, "made"));
    let mut raw = Raw::connect(bench.edge.addr(), &[]).await;
    let content = bytes(500_000);
    raw.send(&post(1, "/up", &[("content-length", "500000")])).await;
    let (mut stream_window, mut window, mut at) = (65_535u32, 65_535u32, 0);
    while at < content.len() {
        let next = (content.len() - at).min(10_000).min(stream_window.min(window) as usize);
        if next > 0 {
            let end = at + next == content.len();
            // Padding counts too, and comes back.
            let padded = [&[3], &content[at..at + next.saturating_sub(4)], &[0; 3]].concat();
            let sent = if end || next <= 4 {
                raw.send(&data(1, &content[at..at + next], end)).await;
                next
            } else {
                raw.send(&common::frames::frame(0, 8, 1, &padded)).await;
                next - 4
            };
            at += sent;
            stream_window -= next as u32;
            window -= next as u32;
            continue;
        }
        match raw.next().await {
            Got::WindowUpdate { stream: 0, more } => window += more,
            Got::WindowUpdate { stream: 1, more } => stream_window += more,
            Got::Settings | Got::SettingsAck => {}
            other => panic!("{other:?}"),
        }
    }
    let (head, body) = raw.response(1).await;
    assert_eq!((head[":status"].as_str(), body.as_slice()), ("201", b"made".as_slice()));
    assert!(bench.upstream.seen("/up")[0].body == content);
    assert_eq!(bench.upstream.seen("/up")[0].headers["content-length"], "500000");
}

#[tokio::test]
async fn content_in_its_forms() {
    let bench = open().await;
    bench.upstream.answer("/up", Answer::status(200, "taken"));
    let mut raw = Raw::connect(bench.edge.addr(), &[]).await;
    // With trailers, which are left out; without a length; in empty frames.
    let trailers = common::frames::frame(1, 5, 1, &common::frames::block(&[("x-sum", "1")]));
    raw.send(&[post(1, "/up", &[]), data(1, b"abc", false), trailers].concat()).await;
    assert_eq!(raw.response(1).await.1, b"taken");
    raw.send(
        &[post(3, "/up", &[]), data(3, b"", false), data(3, b"def", false), data(3, b"", true)].concat(),
    )
    .await;
    assert_eq!(raw.response(3).await.1, b"taken");
    let bodies: Vec<_> = bench.upstream.seen("/up").into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies, [b"abc".to_vec(), b"def".to_vec()]);
    // Too large: told at once, and the rest is not wanted.
    raw.send(&post(5, "/up", &[("content-length", "1000001")])).await;
    assert_eq!(raw.next_of_note().await.status(), "413");
    assert!(matches!(raw.next_of_note().await, Got::Data { stream: 5, end: true, .. }));
    assert_eq!(raw.next_of_note().await, Got::Reset { stream: 5, code: 0 });
    // What is on its way all the same is no fault.
    raw.send(&[data(5, &[0; 10_000], true), get(7, "/up")].concat()).await;
    assert_eq!(raw.response(7).await.1, b"taken");
    // More or less than announced.
    for (stream, content, end) in [(9, "abcd", false), (11, "ab", true)] {
        raw.send(
            &[post(stream, "/up", &[("content-length", "3")]), data(stream, content.as_bytes(), end)]
                .concat(),
        )
        .await;
        assert_eq!(raw.next_of_note().await, Got::Reset { stream, code: 1 });
    }
    // GET with content is refused, in closed mode everything with content.
    raw.send(&common::frames::frame(
        1,
        4,
        13,
        &common::frames::block(&common::frames::request("GET", "/up", &[])),
    ))
    .await;
    assert_eq!(raw.next_of_note().await.status(), "413");
}

#[tokio::test]
async fn content_that_breaks_off_is_told_on_to_nobody_as_whole() {
    let bench = open().await;
    bench.upstream.answer("/up", Answer::status(200, "taken"));
    bench.upstream.answer("/x", Answer::ok("x"));
    let mut raw = Raw::connect(bench.edge.addr(), &[]).await;
    // More often than one window of the connection has room for: what is dropped is given back.
    for number in 0..12 {
        let stream = 2 * number + 1;
        let ping = [number as u8; 8];
        for some in [[post(stream, "/up", &[]), data(stream, &[7; 16_000], false)].concat(), reset(stream)] {
            raw.send(&[some, common::frames::frame(6, 0, 0, &ping)].concat()).await;
            while raw.next().await != Got::Pong(ping) {}
        }
    }
    raw.send(&get(101, "/x")).await;
    assert_eq!(raw.response(101).await.1, b"x");
    assert!(bench.upstream.seen("/up").is_empty());
}

#[tokio::test]
async fn a_client_that_waits_to_be_asked_is_asked_for_what_is_wanted() {
    let bench = open().await;
    bench.upstream.answer("/up", Answer::status(200, "taken"));
    let mut raw = Raw::connect(bench.edge.addr(), &[]).await;
    let waits = ("expect", "100-Continue");
    raw.send(&post(1, "/up", &[waits, ("content-length", "3")])).await;
    match raw.next_of_note().await {
        Got::Head { stream: 1, fields, end: false } => {
            assert_eq!(fields.into_iter().collect::<Vec<_>>(), [(":status".into(), "100".into())]);
        }
        other => panic!("{other:?}"),
    }
    raw.send(&data(1, b"abc", true)).await;
    assert_eq!(raw.response(1).await.1, b"taken");
    assert_eq!(bench.upstream.seen("/up")[0].body, b"abc");
    assert!(!bench.upstream.seen("/up")[0].headers.contains_key("expect"));
    // What is refused is not asked for.
    raw.send(&post(3, "/up", &[waits, ("content-length", "1000001")])).await;
    assert_eq!(raw.next_of_note().await.status(), "413");
}

//! HTTP/2 on our own path: frames in any pieces, responses side by side, windows of any size, content, the end.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::client::{self, h2_get, tls, tls_config};
use common::frames::{Got, Raw, ask, data, get, greeting, post, reset, window_update};
use common::{Answer, Bench, Step};
use hyper_util::rt::{TokioExecutor, TokioIo};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use segue_edge::Config;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

fn h2c(config: &mut Config) {
    config.h2c = true;
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length as u32).map(|number| (number % 251) as u8).collect()
}

/// The same over HTTP/1.1 and HTTP/2, from memory and not.
#[tokio::test]
async fn both_versions_answer_alike() {
    let bench = Bench::with(h2c).await;
    let list = "#EXTINF:4.00000,\n1.m4s\n".repeat(100);
    let kind = "application/vnd.apple.mpegurl";
    bench.upstream.media("mv.m3u8", Answer::ok(list).with("etag", "\"l\"").with("content-type", kind));
    let segment = Answer::ok(bytes(300_000)).with("etag", "\"s\"").with("x-many", "1");
    bench.upstream.media("aac-256/0.m4s", segment.with("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"));
    type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);
    let rows: [Row<'_>; 13] = [
        ("GET", "aac-256/0.m4s", &[]),
        ("GET", "aac-256/0.m4s", &[]),
        ("HEAD", "aac-256/0.m4s", &[]),
        ("HEAD", "aac-256/0.m4s", &[("range", "bytes=0-9")]),
        ("GET", "aac-256/0.m4s", &[("range", "bytes=100000-250000")]),
        ("GET", "aac-256/0.m4s", &[("range", "bytes=999999-")]),
        ("GET", "aac-256/0.m4s", &[("if-none-match", "\"s\"")]),
        ("GET", "mv.m3u8", &[]),
        ("GET", "mv.m3u8", &[("accept-encoding", "gzip")]),
        ("GET", "mv.m3u8", &[("accept-encoding", "br"), ("accept-encoding", "gzip")]),
        ("OPTIONS", "mv.m3u8", &[]),
        ("POST", "mv.m3u8", &[]),
        ("GET", "no/such/thing", &[]),
    ];
    let mut raw = Raw::connect(bench.edge.addr(), &[]).await;
    for (number, (method, tail, fields)) in rows.into_iter().enumerate() {
        // The first request makes both of the others hits.
        bench.ask("GET", tail, &[]).await;
        let one = bench.ask(method, tail, fields).await;
        let stream = 2 * number as u32 + 1;
        raw.send(&ask(stream, method, &bench.path(tail), fields)).await;
        let (two, body) = raw.response(stream).await;
        assert_eq!(two[":status"], one.status.to_string(), "{method} {tail} {fields:?}");
        assert!(body == one.body, "{method} {tail} {fields:?}");
        let passing = ["connection", "date", "server-timing", "age", "cache-status", ":status"];
        let lasting = |name: &str| !passing.contains(&name);
        let two: BTreeMap<_, _> = two.into_iter().filter(|(name, _)| lasting(name)).collect();
        let one: BTreeMap<_, _> = one.headers.into_iter().filter(|(name, _)| lasting(name)).collect();
        assert_eq!(two, one, "{method} {tail} {fields:?}");
    }
}

#[tokio::test]
async fn responses_say_what_they_must() {
    let bench = Bench::with(h2c).await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("body"));
    let mut raw = Raw::connect(bench.edge.addr(), &[(1, 0)]).await;
    for (number, status) in ["fwd=uri-miss", "; hit; ttl="].into_iter().enumerate() {
        let stream = 2 * number as u32 + 1;
        raw.send(&get(stream, &bench.path("aac-256/0.m4s"))).await;
        let (head, body) = raw.response(stream).await;
        assert_eq!((head[":status"].as_str(), body.as_slice()), ("200", b"body".as_slice()));
        assert!(head["cache-status"].contains(status) && head["date"].ends_with("GMT"), "{head:?}");
        assert!(head["server-timing"].starts_with("cache;desc=") && head["content-length"] == "4");
        assert_eq!(head.contains_key("age"), number == 1);
    }
    bench.until_metric("segue_edge_requests_total{cache=\"hit\",reason=\"\"}", 1).await;
}

/// A client of hyper's with these settings.
async fn client<S>(stream: S, window: u32, connection_window: u32, frame: u32) -> Sender
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(window)
        .initial_connection_window_size(connection_window)
        .max_frame_size(frame)
        .handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    sender
}

type Sender = hyper::client::conn::http2::SendRequest<http_body_util::Empty<bytes::Bytes>>;

#[tokio::test(flavor = "multi_thread")]
async fn many_streams_through_windows_of_any_size() {
    let bench = Bench::with(|config| config.tls_self_signed = true).await;
    let sizes = [0, 1, 4096, 4097, 16_384, 16_385, 65_535, 65_536, 200_000, 1_000_000];
    for (number, size) in sizes.into_iter().enumerate() {
        bench.upstream.media(&format!("aac-256/{number}.m4s"), Answer::ok(bytes(size)));
    }
    for (window, connection_window, frame) in [
        (65_535, 65_535, 16_384),
        (1 << 20, 1 << 20, 1 << 20),
        (5_000, 65_535, 16_384),
        (200_000, 70_000, 20_000),
    ] {
        let stream = tls(bench.edge.addr(), tls_config("h2")).await;
        let sender = client(stream, window, connection_window, frame).await;
        let asks = (0..40).map(|round| {
            let (mut sender, number) = (sender.clone(), round % sizes.len());
            let path = bench.path(&format!("aac-256/{number}.m4s"));
            async move { (number, h2_get(&mut sender, &path).await.unwrap()) }
        });
        for (number, reply) in futures_util::future::join_all(asks).await {
            assert_eq!(reply.status, 200);
            assert!(reply.body == bytes(sizes[number]), "{} bytes, window {window}", sizes[number]);
        }
    }
    assert_eq!(bench.upstream.fetches("aac-256/9.m4s"), 1);
}

#[tokio::test]
async fn streams_take_turns() {
    let bench = Bench::with(h2c).await;
    for number in 0..3u8 {
        bench.upstream.media(&format!("aac-256/{number}.m4s"), Answer::ok(vec![number; 200_000]));
        bench.get(&format!("aac-256/{number}.m4s")).await;
    }
    let mut raw = Raw::connect(bench.edge.addr(), &[(4, 1 << 20)]).await;
    raw.send(&window_update(0, 1 << 20)).await;
    let asks = (0..3).map(|number| get(2 * number + 1, &bench.path(&format!("aac-256/{number}.m4s"))));
    raw.send(&asks.collect::<Vec<_>>().concat()).await;
    let mut order = Vec::new();
    let mut bodies: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    let mut ended = 0;
    while ended < 3 {
        match raw.next_of_note().await {
            Got::Data { stream, content, end } => {
                assert!(content.len() <= 16_384);
                bodies.entry(stream).or_default().extend(content);
                order.push(stream);
                ended += u32::from(end);
            }
            Got::Head { end: false, .. } => {}
            other => panic!("{other:?}"),
        }
    }
    for (stream, body) in bodies {
        assert!(body == vec![((stream - 1) / 2) as u8; 200_000]);
    }
    // Nobody waits for more than one frame of each other.
    assert!(
        order.windows(3).filter(|three| three[0] == three[1] && three[1] == three[2]).count() == 0,
        "{order:?}"
    );
    let first_end = order.iter().rposition(|stream| *stream == 1).unwrap();
    assert!(order[..first_end].iter().filter(|stream| **stream == 5).count() >= 10, "{order:?}");
}

#[tokio::test]
async fn windows_hold() {
    let bench = Bench::with(h2c).await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok(bytes(100_000)));
    bench.upstream.media("aac-256/1.m4s", Answer::ok(""));
    bench.get("aac-256/0.m4s").await;
    bench.get("aac-256/1.m4s").await;
    let mut raw = Raw::connect(bench.edge.addr(), &[(4, 10)]).await;
    raw.send(&get(1, &bench.path("aac-256/0.m4s"))).await;
    let mut body = Vec::new();
    let mut send = window_update(1, 20_000);
    // Head, ten bytes, then what each update allows; a new first window also counts for streams that are open.
    for expected in [10, 20_000, 30_000] {
        let mut came = 0;
        while came < expected {
            match raw.next_of_note().await {
                Got::Data { stream: 1, content, end: false } => {
                    came += content.len();
                    body.extend(content);
                }
                Got::Head { stream: 1, end: false, .. } => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(came, expected);
        // That nothing more comes shows in what comes next.
        raw.send(&common::frames::frame(6, 0, 0, b"01234567")).await;
        assert_eq!(raw.next_of_note().await, Got::Pong(*b"01234567"));
        raw.send(&std::mem::replace(&mut send, common::frames::settings(&[(4, 30_010)]))).await;
    }
    // The window of the stream is below zero now: it takes that much more to open it.
    raw.send(&common::frames::settings(&[(4, 0)])).await;
    raw.send(&window_update(1, 100)).await;
    // Without content, no window matters.
    raw.send(&get(3, &bench.path("aac-256/1.m4s"))).await;
    loop {
        match raw.next_of_note().await {
            Got::Head { stream: 3, end: true, .. } => break,
            Got::Data { stream: 1, content, .. } => body.extend(content),
            other => panic!("{other:?}"),
        }
    }
    raw.send(&[window_update(1, 1 << 20), window_update(0, 1 << 20)].concat()).await;
    while body.len() < 100_000 {
        match raw.next_of_note().await {
            Got::Data { stream: 1, content, .. } => body.extend(content),
            other => panic!("{other:?}"),
        }
    }
    assert!(body == bytes(100_000));
}

#[tokio::test]
async fn a_fill_streams_to_its_end_or_breaks_off() {
    let bench = Bench::with(h2c).await;
    let steps = vec![Step::Send(b"01234".to_vec()), Step::Gate, Step::Send(b"56789".to_vec())];
    bench.upstream.media("aac-256/0.m4s", Answer::steps(10, steps));
    bench.upstream.media("aac-256/1.m4s", Answer::steps(10, vec![Step::Send(b"01234".to_vec()), Step::Die]));
    bench.upstream.media("aac-256/2.m4s", Answer::ok("other"));
    let mut raw = Raw::connect(bench.edge.addr(), &[]).await;
    raw.send(&get(1, &bench.path("aac-256/0.m4s"))).await;
    assert!(matches!(raw.next_of_note().await, Got::Head { stream: 1, end: false, .. }));
    assert_eq!(raw.next_of_note().await, Got::Data { stream: 1, content: b"01234".to_vec(), end: false });
    // One that waits keeps no other waiting.
    raw.send(&get(3, &bench.path("aac-256/2.m4s"))).await;
    assert_eq!(raw.response(3).await.1, b"other");
    bench.upstream.open_gate();
    assert_eq!(raw.next_of_note().await, Got::Data { stream: 1, content: b"56789".to_vec(), end: true });
    raw.send(&get(5, &bench.path("aac-256/1.m4s"))).await;
    assert!(matches!(raw.next_of_note().await, Got::Head { stream: 5, end: false, .. }));
    loop {
        match raw.next_of_note().await {
            Got::Data { stream: 5, end: false, .. } => {}
            Got::Reset { stream: 5, code: 2 } => break,
            other => panic!("{other:?}"),
        }
    }
    raw.send(&get(7, &bench.path("aac-256/2.m4s"))).await;
    assert_eq!(raw.response(7).await.1, b"other");
}

#[tokio::test]
async fn a_stream_that_is_reset_gives_its_place_to_another() {
    let bench = Bench::with(|config| {
        h2c(config);
        config.h2_streams = 2;
    })
    .await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("late").delayed(Duration::from_secs(600)));
    bench.upstream.media("aac-256/1.m4s", Answer::ok("x"));
    let slow = bench.path("aac-256/0.m4s");
    let mut raw = Raw::connect(bench.edge.addr(), &[]).await;
    raw.send(&[get(1, &slow), get(3, &slow), get(5, &slow)].concat()).await;
    assert_eq!(raw.next_of_note().await, Got::Reset { stream: 5, code: 7 });
    raw.send(&[reset(1), get(7, &bench.path("aac-256/1.m4s"))].concat()).await;
    assert_eq!(raw.response(7).await.1, b"x");
}

#[tokio::test]
async fn heads_of_any_length() {
    let bench = Bench::with(|config| {
        h2c(config);
        config.open = true;
    })
    .await;
    let long = "v".repeat(3_000);
    let answer = (0..9).fold(Answer::ok("x"), |answer, number| answer.with(&format!("x-{number}"), &long));
    bench.upstream.answer("/long", answer);
    let mut raw = Raw::connect(bench.edge.addr(), &[]).await;
    for stream in [1, 3] {
        raw.send(&get(stream, "/long")).await;
        let (head, body) = raw.response(stream).await;
        assert!((0..9).all(|number| head[&format!("x-{number}")] == long) && body == b"x");
    }
    // One of ours that is too long is told so, and the connection goes on.
    let huge = "v".repeat(20_000);
    let parts = common::frames::block(&common::frames::request("GET", "/long", &[("x", &huge)]));
    let (first, rest) = parts.split_at(10_000);
    let split = [
        common::frames::frame(1, 1, 5, first),
        common::frames::frame(9, 0, 5, &[]),
        common::frames::frame(9, 4, 5, rest),
    ];
    raw.send(&split.concat()).await;
    let (head, body) = raw.response(5).await;
    assert_eq!(head[":status"], "431");
    assert!(String::from_utf8(body).unwrap().contains("head-too-large"));
    let many: Vec<_> = (0..200).map(|number| format!("x{number}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), "1")).collect();
    raw.send(&ask(7, "GET", "/long", &many)).await;
    assert_eq!(raw.response(7).await.0[":status"], "431");
    raw.send(&get(9, "/long")).await;
    assert_eq!(raw.response(9).await.0[":status"], "200");
}

#[tokio::test]
async fn cookies_are_put_together() {
    let bench = Bench::with(|config| {
        h2c(config);
        config.open = true;
    })
    .await;
    bench.upstream.answer("/c", Answer::ok("x"));
    let mut raw = Raw::connect(bench.edge.addr(), &[]).await;
    raw.send(&ask(1, "GET", "/c", &[("cookie", "a=b"), ("x", "y"), ("cookie", "c=d")])).await;
    assert_eq!(raw.response(1).await.0[":status"], "200");
    let seen = &bench.upstream.seen("/c")[0].headers;
    assert_eq!((seen["cookie"].as_str(), seen["x"].as_str()), ("a=b; c=d", "y"));
}

#[tokio::test]
async fn a_client_that_has_said_all_still_gets_its_answers() {
    let bench = Bench::with(h2c).await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x").delayed(Duration::from_millis(50)));
    let mut stream = TcpStream::connect(bench.edge.addr()).await.unwrap();
    stream.write_all(&[greeting(&[]), get(1, &bench.path("aac-256/0.m4s"))].concat()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut raw = Raw::silent(stream);
    assert_eq!(raw.response(1).await.1, b"x");
    assert_eq!(raw.next_of_note().await, Got::End);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_says_goodbye_in_two_steps() {
    let bench = Bench::with(h2c).await;
    let steps = vec![Step::Send(b"01234".to_vec()), Step::Gate, Step::Send(b"56789".to_vec())];
    bench.upstream.media("aac-256/0.m4s", Answer::steps(10, steps));
    bench.upstream.media("aac-256/1.m4s", Answer::ok("x"));
    let mut raw = Raw::connect(bench.edge.addr(), &[]).await;
    raw.send(&get(1, &bench.path("aac-256/1.m4s"))).await;
    assert_eq!(raw.response(1).await.1, b"x");
    raw.send(&get(3, &bench.path("aac-256/0.m4s"))).await;
    assert_eq!(raw.next_of_note().await.status(), "200");
    assert!(matches!(raw.next_of_note().await, Got::Data { stream: 3, end: false, .. }));
    let path = bench.path("aac-256/1.m4s");
    let upstream = bench.upstream.clone();
    let drain = tokio::spawn(bench.edge.drain(Duration::from_secs(30)));
    assert_eq!(raw.next_of_note().await, Got::GoAway { last: (1 << 31) - 1, code: 0 });
    let Got::Ping(said) = raw.next_of_note().await else { panic!("no ping") };
    // A request that crosses with it is answered.
    raw.send(&[get(5, &path), common::frames::frame(6, 1, 0, &said)].concat()).await;
    assert_eq!(raw.next_of_note().await.status(), "200");
    assert!(matches!(raw.next_of_note().await, Got::Data { stream: 5, end: true, .. }));
    assert_eq!(raw.next_of_note().await, Got::GoAway { last: 5, code: 0 });
    // What comes later is not.
    raw.send(&get(7, &path)).await;
    upstream.open_gate();
    assert_eq!(raw.next_of_note().await, Got::Data { stream: 3, content: b"56789".to_vec(), end: true });
    assert_eq!(raw.next_of_note().await, Got::End);
    drain.await.unwrap();
}

/// What a conversation brought for each stream, whatever the frames were.
type Replies = BTreeMap<u32, (String, Vec<u8>)>;

async fn converse(bench: &Bench, pieces: &[&[u8]]) -> Replies {
    let stream = TcpStream::connect(bench.edge.addr()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut from, mut to) = stream.into_split();
    let mut got = Vec::new();
    let sending = async {
        for piece in pieces {
            to.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        to.shutdown().await.unwrap();
    };
    tokio::join!(sending, async { from.read_to_end(&mut got).await.unwrap() });
    let mut raw = Raw::silent(std::io::Cursor::new(got));
    let mut replies = Replies::new();
    loop {
        match raw.next().await {
            Got::Head { stream, fields, .. } => {
                drop(replies.insert(stream, (fields[":status"].clone(), vec![])))
            }
            Got::Data { stream, content, .. } => replies.get_mut(&stream).unwrap().1.extend(content),
            // The rest of a request is not wanted: whether it was there already is chance.
            Got::Reset { code: 0, .. } => {}
            Got::Reset { stream, code } => drop(replies.insert(stream, (format!("reset {code}"), vec![]))),
            Got::GoAway { code, .. } => drop(replies.insert(0, (format!("end {code}"), vec![]))),
            Got::End => return replies,
            _ => {}
        }
    }
}

/// However bytes are cut, the answers are the same.
#[test]
fn any_split_gives_the_same_answers() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let bench = runtime.block_on(Bench::with(h2c));
    let (small, large) = (bench.path("aac-256/0.m4s"), bench.path("aac-256/1.m4s"));
    bench.upstream.media("aac-256/0.m4s", Answer::ok("small"));
    bench.upstream.media("aac-256/1.m4s", Answer::ok(bytes(100_000)));
    let more = [("cookie", "a=b"), ("user-agent", "a player of ours"), ("x", "y")];
    let whole = common::frames::block(&common::frames::request("GET", &small, &more));
    let (first, rest) = whole.split_at(whole.len() / 2);
    let all = [
        greeting(&[(4, 1 << 20)]),
        window_update(0, 1 << 20),
        get(1, &small),
        get(3, &large),
        common::frames::frame(6, 0, 0, &[1; 8]),
        common::frames::frame(1, 1, 5, first),
        common::frames::frame(9, 4, 5, rest),
        ask(7, "GET", &large, &[("range", "bytes=10-19")]),
        ask(9, "HEAD", &large, &[]),
        ask(11, "GET", &small, &[("connection", "close")]),
        common::frames::frame(77, 0, 11, b"unknown"),
        post(13, &small, &[]),
        data(13, b"content", true),
        get(15, "/v1/a/../x"),
    ]
    .concat();
    let expected = runtime.block_on(converse(&bench, &[&all]));
    assert_eq!(expected[&1], ("200".into(), b"small".to_vec()));
    assert!(expected[&3].1 == bytes(100_000) && expected[&5].1 == b"small");
    assert_eq!((expected[&7].0.as_str(), expected[&7].1.len()), ("206", 10));
    assert_eq!((expected[&9].0.as_str(), expected[&11].0.as_str()), ("200", "reset 1"));
    assert_eq!(expected[&15].0, "400");
    let cuts = proptest::collection::vec(0..all.len(), 0..40);
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) };
    let outcome = TestRunner::new(config).run(&cuts, |mut cuts| {
        cuts.sort_unstable();
        cuts.push(all.len());
        let mut start = 0;
        let pieces: Vec<&[u8]> = cuts
            .iter()
            .map(|cut| {
                let piece = &all[start..*cut];
                start = *cut;
                piece
            })
            .collect();
        prop_assert!(runtime.block_on(converse(&bench, &pieces)) == expected);
        Ok(())
    });
    outcome.unwrap();
    let bytes: Vec<&[u8]> = all.chunks(1).collect();
    assert!(runtime.block_on(converse(&bench, &bytes)) == expected);
}

#[tokio::test]
async fn pages_that_are_read_by_two_clients_at_once_are_whole() {
    let bench = Bench::with(|config| {
        config.tls_self_signed = true;
        config.workers = 1;
    })
    .await;
    let body = bytes(3_000_000);
    bench.upstream.media("aac-256/0.m4s", Answer::ok(&body));
    let path = bench.path("aac-256/0.m4s");
    let mut senders = Vec::new();
    for _ in 0..4 {
        senders.push(client::h2(tls(bench.edge.addr(), tls_config("h2")).await).await);
    }
    let asks = senders.iter_mut().map(|sender| h2_get(sender, &path));
    for reply in futures_util::future::join_all(asks).await {
        assert!(reply.unwrap().body == body);
    }
}

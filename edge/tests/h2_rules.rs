//! HTTP/2 and those who break its rules (RFC 9113): what each breach ends, and that floods end their connection.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::client::{h2, h2_get};
use common::frames::{
    Got, Raw, ask, block, data, frame, get, greeting, post, request, reset, settings, window_update,
};
use common::{Answer, Bench, Step};
use tokio::net::TcpStream;

const PROTOCOL: u32 = 1;
const FLOW_CONTROL: u32 = 3;
const STREAM_CLOSED: u32 = 5;
const FRAME_SIZE: u32 = 6;
const COMPRESSION: u32 = 9;
const CALM: u32 = 11;

/// What is to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Right {
    /// The connection ends with this code.
    Connection(u32),
    /// The stream does, and the connection goes on.
    Stream(u32, u32),
    /// Nothing: it is allowed.
    Nothing,
}
use Right::{Connection, Nothing, Stream};

struct Row {
    what: &'static str,
    bytes: Vec<u8>,
    right: Right,
}

fn row(what: &'static str, bytes: Vec<u8>, right: Right) -> Row {
    Row { what, bytes, right }
}

/// A head in one frame with these flags.
fn head(stream: u32, flags: u8, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(1, flags, stream, &block(fields))
}

fn both(one: Vec<u8>, two: Vec<u8>) -> Vec<u8> {
    [one, two].concat()
}

/// `@S` answers only after a while, so that its stream stays open.
fn frames() -> Vec<Row> {
    vec![
        row("data on no stream", frame(0, 0, 0, b"x"), Connection(PROTOCOL)),
        row("data before a request", data(1, b"x", false), Connection(PROTOCOL)),
        row("data on a stream of ours", data(2, b"x", false), Connection(PROTOCOL)),
        row("data with padding beyond it", frame(0, 8, 1, &[9, 0]), Connection(PROTOCOL)),
        row("a head on no stream", head(0, 5, &request("GET", "/", &[])), Connection(PROTOCOL)),
        row("a head on a stream of ours", get(2, "/"), Connection(PROTOCOL)),
        row("a head with padding beyond it", frame(1, 0xc, 1, &[9, 0]), Connection(PROTOCOL)),
        row("a head without its priority", frame(1, 0x24, 1, &[0; 4]), Connection(FRAME_SIZE)),
        row("a priority on no stream", frame(2, 0, 0, &[0; 5]), Connection(PROTOCOL)),
        row("a priority", frame(2, 0, 1, &[0, 0, 0, 3, 9]), Nothing),
        row("a priority of a stream by itself", frame(2, 0, 1, &[0, 0, 0, 1, 9]), Nothing),
        row("a reset on no stream", frame(3, 0, 0, &[0; 4]), Connection(PROTOCOL)),
        row("a reset before a request", reset(1), Connection(PROTOCOL)),
        row("a reset of the wrong length", frame(3, 0, 1, &[0; 3]), Connection(FRAME_SIZE)),
        row("settings on a stream", frame(4, 0, 1, &[]), Connection(PROTOCOL)),
        row("settings of the wrong length", frame(4, 0, 0, &[0; 5]), Connection(FRAME_SIZE)),
        row("settings acknowledged with some", frame(4, 1, 0, &[0; 6]), Connection(FRAME_SIZE)),
        row("a push that is neither on nor off", settings(&[(2, 2)]), Connection(PROTOCOL)),
        row("a window that is too large", settings(&[(4, 1 << 31)]), Connection(FLOW_CONTROL)),
        row("frames that are too small", settings(&[(5, 16_383)]), Connection(PROTOCOL)),
        row("frames that are too large", settings(&[(5, 1 << 24)]), Connection(PROTOCOL)),
        row("settings that nobody knows", settings(&[(99, 7), (0, 1)]), Nothing),
        row("a push by a client", frame(5, 4, 1, &[0; 8]), Connection(PROTOCOL)),
        row("a ping on a stream", frame(6, 0, 1, &[0; 8]), Connection(PROTOCOL)),
        row("a ping of the wrong length", frame(6, 0, 0, &[0; 7]), Connection(FRAME_SIZE)),
        row("a ping that nobody sent comes back", frame(6, 1, 0, b"leaving\0"), Nothing),
        row("a goodbye on a stream", frame(7, 0, 1, &[0; 8]), Connection(PROTOCOL)),
        row("a goodbye of the wrong length", frame(7, 0, 0, &[0; 7]), Connection(FRAME_SIZE)),
        row("no more for the connection", window_update(0, 0), Connection(PROTOCOL)),
        row("a window of the wrong length", frame(8, 0, 0, &[0; 3]), Connection(FRAME_SIZE)),
        row("a window before a request", window_update(1, 1), Connection(PROTOCOL)),
        row("a window of a stream of ours", window_update(2, 0), Connection(PROTOCOL)),
        row("the connection's window overflows", window_update(0, (1 << 31) - 1), Connection(FLOW_CONTROL)),
        row("more of no head", frame(9, 4, 1, b""), Connection(PROTOCOL)),
        row("a frame that is too long", frame(0, 0, 1, &vec![0; 16_385]), Connection(FRAME_SIZE)),
        row(
            "a frame that nobody knows is too long",
            frame(99, 0, 0, &vec![0; 16_385]),
            Connection(FRAME_SIZE),
        ),
        row("a frame that nobody knows", frame(99, 255, 0, b"?"), Nothing),
    ]
}

fn streams() -> Vec<Row> {
    let slow = || get(1, "@S");
    let open = || post(1, "@S", &[]);
    vec![
        row("no more for a stream", both(slow(), window_update(1, 0)), Stream(1, PROTOCOL)),
        row(
            "a stream's window overflows",
            both(slow(), window_update(1, (1 << 31) - 1)),
            Stream(1, FLOW_CONTROL),
        ),
        row(
            "windows overflow by settings",
            [slow(), window_update(1, 1000), settings(&[(4, (1 << 31) - 1)])].concat(),
            Connection(FLOW_CONTROL),
        ),
        row("a priority of the wrong length", both(slow(), frame(2, 0, 1, &[0; 4])), Stream(1, FRAME_SIZE)),
        row("data behind the end", both(slow(), data(1, b"x", true)), Stream(1, STREAM_CLOSED)),
        row("a head behind the end", both(slow(), get(1, "/")), Stream(1, STREAM_CLOSED)),
        row("a second head", both(open(), head(1, 4, &request("GET", "/", &[]))), Stream(1, PROTOCOL)),
        row("trailers that do not end it", both(open(), head(1, 4, &[("x", "y")])), Stream(1, PROTOCOL)),
        row("trailers with a path", both(open(), head(1, 5, &[(":path", "/")])), Stream(1, PROTOCOL)),
        row("trailers with capitals", both(open(), head(1, 5, &[("X", "y")])), Stream(1, PROTOCOL)),
        row("a stream below the last", both(get(5, "@S"), get(3, "@S")), Connection(PROTOCOL)),
        row(
            "a stream again after its reset",
            [slow(), reset(1), get(1, "@S")].concat(),
            Connection(STREAM_CLOSED),
        ),
        row(
            "data after the reset",
            [slow(), reset(1), data(1, b"x", true)].concat(),
            Stream(1, STREAM_CLOSED),
        ),
        row("a window after the reset", [slow(), reset(1), window_update(1, 7)].concat(), Nothing),
        row("a reset after the reset", [slow(), reset(1), reset(1)].concat(), Nothing),
        row(
            "another frame within a head",
            both(head(1, 1, &request("GET", "/", &[])), frame(6, 0, 0, &[0; 8])),
            Connection(PROTOCOL),
        ),
        row(
            "a frame that nobody knows within a head",
            both(head(1, 1, &[]), frame(99, 0, 1, &[])),
            Connection(PROTOCOL),
        ),
        row(
            "a wrong priority within a head",
            both(head(1, 1, &[]), frame(2, 0, 1, &[0; 4])),
            Connection(PROTOCOL),
        ),
        row(
            "more of another head",
            both(head(1, 1, &request("GET", "/", &[])), frame(9, 4, 3, b"")),
            Connection(PROTOCOL),
        ),
        row("more behind the end of a head", both(slow(), frame(9, 4, 1, b"")), Connection(PROTOCOL)),
        row("an index of nothing", frame(1, 5, 1, &[0xff, 0x7f]), Connection(COMPRESSION)),
        row("a block that ends too early", frame(1, 5, 1, &[0x40, 9]), Connection(COMPRESSION)),
        row("a table that is too large", frame(1, 5, 1, &[0x3f, 0xe2, 0x1f]), Connection(COMPRESSION)),
        row("broken trailers", both(open(), frame(1, 5, 1, &[0x80])), Connection(COMPRESSION)),
    ]
}

fn heads() -> Vec<Row> {
    let with = |what, field: (&'static str, &'static str)| {
        row(what, ask(1, "GET", "@S", &[field]), Stream(1, PROTOCOL))
    };
    let bare = |what, fields: &[(&str, &str)]| row(what, head(1, 5, fields), Stream(1, PROTOCOL));
    let (method, scheme, path) = ((":method", "GET"), (":scheme", "http"), (":path", "/"));
    let authority = (":authority", "e");
    vec![
        with("capitals", ("X-Y", "z")),
        with("no name", ("", "z")),
        with("a name with a space", ("x y", "z")),
        with("a space before the value", ("x", " y")),
        with("a line feed", ("x", "y\nz: w")),
        with("a return", ("x", "y\rz")),
        with("a NUL", ("x", "y\0")),
        with("a field of the connection", ("connection", "x")),
        with("an upgrade", ("upgrade", "h2c")),
        with("a coding", ("transfer-encoding", "chunked")),
        with("a TE with more than trailers", ("te", "trailers, deflate")),
        with("a field that nobody may invent", (":x", "y")),
        with("a status", (":status", "200")),
        with("an extended CONNECT", (":protocol", "websocket")),
        with("a path twice", (":path", "/")),
        with("another host than the authority", ("host", "other")),
        with("content that does not come", ("content-length", "5")),
        with("a length that is none", ("content-length", "5x")),
        bare("a late method", &[scheme, authority, path, ("x", "y"), method]),
        bare("no method", &[scheme, authority, path]),
        bare("no scheme", &[method, authority, path]),
        bare("no path", &[method, scheme, authority]),
        bare("an empty path", &[method, scheme, authority, (":path", "")]),
        bare("a path with a space", &[method, scheme, authority, (":path", "/a b")]),
        bare("a path with a fragment", &[method, scheme, authority, (":path", "/a#b")]),
        bare("a relative path", &[method, scheme, authority, (":path", "a")]),
        bare("a whole URI as path", &[method, scheme, authority, (":path", "http://e/")]),
        bare("a user in the authority", &[method, scheme, (":authority", "u@e"), path]),
        bare("a method with a space", &[(":method", "GET /x"), scheme, authority, path]),
        bare("no fields at all", &[]),
    ]
}

async fn bench() -> Bench {
    let bench = Bench::with(|config| {
        config.h2c = true;
        config.idle_timeout_ms = 3_600_000;
    })
    .await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x"));
    bench.upstream.media("aac-256/9.m4s", Answer::steps(10, vec![Step::Gate]));
    bench
}

/// The same head for another path.
fn at(row: &Row, path: &str) -> Vec<u8> {
    // The placeholder is in blocks: it is written as it is, since that is no longer than its code.
    let mark = block(&[(":path", "@S")]);
    let real = block(&[(":path", path)]);
    let mut out = Vec::new();
    let mut rest = row.bytes.as_slice();
    while let Some(start) = rest.get(..9) {
        let length = u32::from_be_bytes([0, start[0], start[1], start[2]]) as usize;
        let payload = &rest[9..9 + length];
        let found = payload.windows(mark.len()).position(|some| some == mark);
        let payload = match found {
            Some(at) if start[3] == 1 => [&payload[..at], &real, &payload[at + mark.len()..]].concat(),
            _ => payload.to_vec(),
        };
        let stream = u32::from_be_bytes(start[5..9].try_into().unwrap());
        out.extend(frame(start[3], start[4], stream, &payload));
        rest = &rest[9 + length..];
    }
    out
}

/// What the edge makes of it: its first word of note, behind which a connection that goes on answers a ping and a request.
async fn outcome(bench: &Bench, bytes: &[u8]) -> Right {
    let mut raw = Raw::connect(bench.edge.addr(), &[]).await;
    raw.send(&[bytes, &frame(6, 0, 0, b"pingping")].concat()).await;
    let mut right = Nothing;
    loop {
        match raw.next_of_note().await {
            Got::GoAway { code, .. } => {
                assert_eq!(raw.next_of_note().await, Got::End);
                return Connection(code);
            }
            Got::Reset { stream, code } if right == Nothing => right = Stream(stream, code),
            // What was asked for beside it.
            Got::Head { .. } | Got::Data { .. } => {}
            Got::Pong(said) => {
                assert_eq!(&said, b"pingping");
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    raw.send(&get(1001, &bench.path("aac-256/0.m4s"))).await;
    assert_eq!(raw.response(1001).await.1, b"x");
    right
}

#[tokio::test]
async fn each_breach_ends_what_it_must() {
    let bench = bench().await;
    // It is in memory: answers are there at once.
    bench.get("aac-256/0.m4s").await;
    let slow = bench.path("aac-256/9.m4s");
    let mut wrong = Vec::new();
    for row in [frames(), streams(), heads()].into_iter().flatten() {
        let got = outcome(&bench, &at(&row, &slow)).await;
        if got != row.right {
            wrong.push(format!("{}: {got:?}, not {:?}", row.what, row.right));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_is_no_preface_ends_the_connection() {
    let bench = bench().await;
    for start in [
        b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n".to_vec(),
        b"PRI * HTTP/1.1\r\nhost: e\r\n\r\n".to_vec(),
        [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(6, 0, 0, &[0; 8])].concat(),
        [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), get(1, "/")].concat(),
        [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(4, 1, 0, &[])].concat(),
        [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(2, 0, 1, &[0; 4])].concat(),
    ] {
        let mut raw = Raw::silent(TcpStream::connect(bench.edge.addr()).await.unwrap());
        raw.send(&start).await;
        assert_eq!(raw.next_of_note().await, Got::GoAway { last: 0, code: PROTOCOL }, "{start:?}");
        assert_eq!(raw.next_of_note().await, Got::End);
    }
}

#[tokio::test]
async fn a_request_needs_a_host() {
    let bench = bench().await;
    let mut raw = Raw::connect(bench.edge.addr(), &[]).await;
    let path = bench.path("aac-256/0.m4s");
    let fields = [(":method", "GET"), (":scheme", "http"), (":path", path.as_str())];
    raw.send(&head(1, 5, &fields)).await;
    let (head_of_it, body) = raw.response(1).await;
    assert_eq!(head_of_it[":status"], "400");
    assert!(String::from_utf8(body).unwrap().contains("host-header"));
    raw.send(&head(3, 5, &[fields.as_slice(), &[("host", "e")]].concat())).await;
    assert_eq!(raw.response(3).await.1, b"x");
    raw.send(&head(5, 5, &[(":method", "CONNECT"), (":authority", "e:443")])).await;
    assert_eq!(raw.response(5).await.0[":status"], "405");
}

/// Sends until the edge hangs up, and gives the code that it says before.
async fn until_hung_up(
    bench: &Bench,
    pairs: &[(u16, u32)],
    pieces: impl Iterator<Item = Vec<u8>>,
) -> Option<u32> {
    let stream = TcpStream::connect(bench.edge.addr()).await.unwrap();
    let (from, mut to) = stream.into_split();
    let start = greeting(pairs);
    let sending = async move {
        use tokio::io::AsyncWriteExt as _;
        to.write_all(&start).await.unwrap();
        for piece in pieces {
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        // Hanging up is the edge's part.
        std::future::pending::<()>().await;
    };
    let receiving = async {
        let mut raw = Raw::silent(tokio::io::join(from, tokio::io::sink()));
        let mut code = None;
        loop {
            match raw.next().await {
                Got::GoAway { code: said, .. } => code = Some(said),
                Got::End => return code,
                _ => {}
            }
        }
    };
    tokio::select! {
        code = receiving => code,
        () = sending => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_are_cut_off() {
    let bench = bench().await;
    bench.get("aac-256/0.m4s").await;
    bench.upstream.media("aac-256/1.m4s", Answer::ok(vec![7; 1_000_000]));
    bench.get("aac-256/1.m4s").await;
    let (hit, slow, large) =
        (bench.path("aac-256/0.m4s"), bench.path("aac-256/9.m4s"), bench.path("aac-256/1.m4s"));
    let odd = || (0..100_000u32).map(|number| 2 * number + 1);
    let rapid = |path: String| odd().map(move |stream| both(get(stream, &path), reset(stream)));
    let many = |piece: Vec<u8>| std::iter::repeat_n(piece, 1_000_000);
    let first =
        |first: Vec<u8>, piece: Vec<u8>| std::iter::once(first).chain(std::iter::repeat_n(piece, 1_000_000));
    type Pieces = Box<dyn Iterator<Item = Vec<u8>> + Send>;
    let rows: Vec<(&str, Pieces)> = vec![
        ("resets of hits", Box::new(rapid(hit.clone()))),
        ("resets of misses", Box::new(rapid(slow.clone()))),
        (
            "requests that we have to reset",
            Box::new(odd().map(move |stream| both(get(stream, "/v1/x"), window_update(stream, 0)))),
        ),
        ("malformed requests", Box::new(odd().map(|stream| head(stream, 5, &[("x", "y")])))),
        ("settings", Box::new(many(settings(&[])))),
        ("many settings at once", Box::new(many(settings(&[(4, 1); 2000])))),
        ("pings", Box::new(many(frame(6, 0, 0, &[0; 8])))),
        ("pings that come back", Box::new(many(frame(6, 1, 0, &[0; 8])))),
        ("priorities", Box::new(many(frame(2, 0, 1, &[0; 5])))),
        ("frames that nobody knows", Box::new(many(frame(99, 0, 0, &[])))),
        ("windows by a byte", Box::new(many(window_update(0, 1)))),
        ("empty content", Box::new(first(post(1, &slow, &[]), data(1, b"", false)))),
        (
            "a head without end",
            Box::new(first(frame(1, 1, 1, &block(&request("GET", "/", &[]))), frame(9, 0, 1, &[0x84; 1000]))),
        ),
        (
            "a head of empty parts",
            Box::new(first(frame(1, 1, 1, &block(&request("GET", "/", &[]))), frame(9, 0, 1, &[]))),
        ),
        ("content by the byte", Box::new(first(get(1, &large), window_update(1, 1)))),
    ];
    for (what, pieces) in rows {
        // Windows are shut at first, so that those who open them by the byte have something to gain.
        let ended =
            tokio::time::timeout(Duration::from_secs(60), until_hung_up(&bench, &[(4, 0)], pieces)).await;
        let code = ended.unwrap_or_else(|_| panic!("{what} go on"));
        // Those who go on sending may have the connection reset before they hear why.
        assert!(matches!(code, None | Some(CALM)), "{what}: {code:?}");
    }
    let mut sender = h2(TcpStream::connect(bench.edge.addr()).await.unwrap()).await;
    assert_eq!(h2_get(&mut sender, &hit).await.unwrap().body, b"x");
}

#[tokio::test]
async fn clients_that_take_nothing_are_dropped() {
    let bench = Bench::with(|config| {
        config.h2c = true;
        config.stall_timeout_ms = 300;
        config.header_timeout_ms = 200;
    })
    .await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok(vec![7; 1_000_000]));
    bench.get("aac-256/0.m4s").await;
    let path = bench.path("aac-256/0.m4s");
    // Shut windows, with pings that do not count.
    let mut raw = Raw::connect(bench.edge.addr(), &[(4, 100)]).await;
    raw.send(&get(1, &path)).await;
    let mut pings = 0;
    while raw.next().await != Got::End {
        raw.send(&frame(6, 0, 0, &[0; 8])).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        pings += 1;
    }
    assert!(pings > 3);
    assert_eq!(bench.metric("segue_edge_connections_timed_out_total{limit=\"stall\"}").await, 1);
    // Half a head.
    let mut raw = Raw::connect(bench.edge.addr(), &[]).await;
    raw.send(&get(1, "/v1/x")).await;
    raw.response(1).await;
    raw.send(&head(3, 1, &request("GET", "/", &[]))).await;
    while raw.next().await != Got::End {}
    let mut raw = Raw::connect(bench.edge.addr(), &[]).await;
    raw.send(&get(1, "/v1/x")[..12]).await;
    while raw.next().await != Got::End {}
    let mut raw = Raw::silent(TcpStream::connect(bench.edge.addr()).await.unwrap());
    raw.send(b"PR").await;
    assert_eq!(raw.next().await, Got::End);
    assert_eq!(bench.metric("segue_edge_connections_timed_out_total{limit=\"header\"}").await, 3);
}

#[tokio::test]
async fn a_client_that_is_slow_but_honest_is_served() {
    let bench = bench().await;
    bench.upstream.media("aac-256/1.m4s", Answer::ok(vec![7; 5_000]));
    let mut raw = Raw::connect(bench.edge.addr(), &[(4, 10)]).await;
    raw.send(&get(1, &bench.path("aac-256/1.m4s"))).await;
    // Window by window of ten bytes, each opened by two updates.
    assert!(raw.response(1).await.1 == [7; 5_000]);
}

//! Requests that two servers on the way could read in two ways, over real connections. Whatever is sent, answers come in
//! the order of the requests, nothing behind a doubtful request is answered, and what hides in a body is never asked for.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::ErrorKind;

use common::client::{tls, tls_config};
use common::{Answer, Bench};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What a table's row sends; `@A`, `@B` and `@S` stand for paths, `@GETA`, `@GETB` and `@GETS` for whole requests. `B` is
/// the honest request behind the doubtful one and ends the connection, `S` is what an attacker smuggles.
struct Row {
    what: &'static str,
    bytes: String,
    /// Conversations that are right: bodies of objects, or statuses, in their order.
    right: &'static [&'static str],
}

fn row(what: &'static str, bytes: impl Into<String>, right: &'static [&'static str]) -> Row {
    Row { what, bytes: bytes.into(), right }
}

/// A request for `A` with these fields, then the honest one.
fn fields(what: &'static str, fields: &str, right: &'static [&'static str]) -> Row {
    row(what, format!("GET @A HTTP/1.1\r\nHost: e\r\n{fields}\r\n\r\n@GETB"), right)
}

/// A request with these fields and a body that begins with `body` and holds the smuggled request.
fn body(what: &'static str, fields: &str, body: &str, right: &'static [&'static str]) -> Row {
    row(what, format!("GET @A HTTP/1.1\r\nHost: e\r\n{fields}\r\n\r\n{body}@GETS@GETB"), right)
}

const BAD: &[&str] = &["400"];
/// Content is refused as such, or its framing is.
const NO_CONTENT: &[&str] = &["400", "413", "501"];
const BOTH: &[&str] = &["A B"];
/// The standard leaves the choice.
const EITHER: &[&str] = &["A B", "400"];

fn lengths() -> Vec<Row> {
    vec![
        body("length and coding", "Content-Length: 5\r\nTransfer-Encoding: chunked", "0\r\n\r\n", NO_CONTENT),
        body("coding and length", "Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n", NO_CONTENT),
        body(
            "length 0 and coding",
            "Content-Length: 0\r\nTransfer-Encoding: chunked",
            "0\r\n\r\n",
            NO_CONTENT,
        ),
        body("two lengths", "Content-Length: 0\r\nContent-Length: 5", "01234", NO_CONTENT),
        body("the same length twice", "Content-Length: 5\r\nContent-Length: 5", "01234", NO_CONTENT),
        body("two lengths in a list", "Content-Length: 0, 5", "01234", NO_CONTENT),
        body("the same length in a list", "Content-Length: 5, 5", "01234", NO_CONTENT),
        body("a signed length", "Content-Length: +5", "01234", BAD),
        body("a negative length", "Content-Length: -1", "", BAD),
        body("a hexadecimal length", "Content-Length: 0x5", "01234", BAD),
        body("a length with an exponent", "Content-Length: 5e0", "01234", BAD),
        body("a length with a space", "Content-Length: 0 5", "01234", BAD),
        body("a length with a form feed", "Content-Length: \x0c5", "01234", BAD),
        body("no length in the field", "Content-Length: ", "01234", BAD),
        body("a length beyond 64 bits", "Content-Length: 18446744073709551621", "01234", BAD),
        body("a length in other digits", "Content-Length: \u{665}", "01234", BAD),
        body("a length", "Content-Length: 5", "01234", NO_CONTENT),
        body("a length and an expectation", "Expect: 100-continue\r\nContent-Length: 5", "01234", NO_CONTENT),
        fields("length 0", "Content-Length: 0", BOTH),
        fields("length 0 twice", "Content-Length: 0\r\nContent-Length: 0", EITHER),
        fields("length 0 with more zeros", "Content-Length: 000", EITHER),
        fields("an expectation without content", "Expect: 100-continue", BOTH),
        fields("a length hidden by an underscore", "Content_Length: 5", EITHER),
    ]
}

fn codings() -> Vec<Row> {
    let chunked = "Transfer-Encoding: chunked";
    vec![
        body("chunks", chunked, "0\r\n\r\n", NO_CONTENT),
        body("a chunk's extension", chunked, "5;a=b\r\n01234\r\n0\r\n\r\n", NO_CONTENT),
        body("a line feed in an extension", chunked, "5;\nxx\r\n01234\r\n0\r\n\r\n", NO_CONTENT),
        body("a size beyond 64 bits", chunked, "10000000000000000\r\n\r\n0\r\n\r\n", NO_CONTENT),
        body("a signed size", chunked, "-0\r\n\r\n", NO_CONTENT),
        body("a size with 0x", chunked, "0x5\r\n01234\r\n0\r\n\r\n", NO_CONTENT),
        body("no line end behind a chunk", chunked, "5\r\n0123401\r\n0\r\n\r\n", NO_CONTENT),
        body("trailers", chunked, "0\r\nContent-Length: 5\r\n\r\n", NO_CONTENT),
        body("another coding", "Transfer-Encoding: xchunked", "0\r\n\r\n", NO_CONTENT),
        body("identity", "Transfer-Encoding: identity\r\nContent-Length: 5", "01234", NO_CONTENT),
        body("identity behind chunked", "Transfer-Encoding: chunked, identity", "0\r\n\r\n", NO_CONTENT),
        body("chunked twice", "Transfer-Encoding: chunked, chunked", "0\r\n\r\n", NO_CONTENT),
        body("two fields", "Transfer-Encoding: chunked\r\nTransfer-Encoding: x", "0\r\n\r\n", NO_CONTENT),
        body(
            "two fields, turned",
            "Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
            "0\r\n\r\n",
            NO_CONTENT,
        ),
        body("a quoted coding", "Transfer-Encoding: \"chunked\"", "0\r\n\r\n", NO_CONTENT),
        body("a vertical tab before the coding", "Transfer-Encoding: \x0bchunked", "0\r\n\r\n", NO_CONTENT),
        body("a tab before the coding", "Transfer-Encoding:\tchunked", "0\r\n\r\n", NO_CONTENT),
        body("an empty coding", "Transfer-Encoding: ", "0\r\n\r\n", NO_CONTENT),
        body("a space before the colon", "Transfer-Encoding : chunked", "0\r\n\r\n", NO_CONTENT),
        body("a tab before the colon", "Transfer-Encoding\t: chunked", "0\r\n\r\n", NO_CONTENT),
        body("a folded coding", "Transfer-Encoding:\r\n chunked", "0\r\n\r\n", NO_CONTENT),
        body("a coding behind a bare line feed", "X: a\nTransfer-Encoding: chunked", "0\r\n\r\n", NO_CONTENT),
        body("a coding behind a bare return", "X: a\rTransfer-Encoding: chunked", "0\r\n\r\n", NO_CONTENT),
        body("a coding on its first line", "\x20Transfer-Encoding: chunked", "0\r\n\r\n", NO_CONTENT),
        row(
            "chunks before HTTP/1.1",
            "GET @A HTTP/1.0\r\nHost: e\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n@GETS",
            NO_CONTENT,
        ),
    ]
}

fn lines() -> Vec<Row> {
    vec![
        row("bare line feeds", "GET @A HTTP/1.1\nHost: e\n\n@GETB", BAD),
        row("a bare line feed behind the request line", "GET @A HTTP/1.1\nHost: e\r\n\r\n@GETB", BAD),
        row("a bare line feed as the empty line", "GET @A HTTP/1.1\r\nHost: e\r\n\n@GETB", BAD),
        row("bare returns", "GET @A HTTP/1.1\rHost: e\r\r@GETB", BAD),
        fields("a smuggled request behind two line feeds", "X: a\n\n@GETS", BAD),
        fields("a smuggled request behind two returns", "X: a\r\r@GETS", BAD),
        fields("a smuggled request behind a NUL", "X: a\0\r\n\r\n@GETS", BAD),
        fields("a folded field", "X: a\r\n b", BAD),
        fields("a field folded with a tab", "X: a\r\n\tb", BAD),
        fields("a folded empty field", "X:\r\n ", BAD),
        row(
            "a first field that begins with a space",
            "GET @A HTTP/1.1\r\n Host: e\r\nHost: e\r\n\r\n@GETB",
            BAD,
        ),
        fields("a NUL in a value", "X: a\0b", BAD),
        fields("a NUL in a name", "X\0Y: a", BAD),
        fields("a return in a value", "X: a\rb", BAD),
        fields("an escape in a value", "X: \x1b", BAD),
        fields("a field without a colon", "Foo", BAD),
        fields("a field without a name", ": a", BAD),
        fields("a space in a name", "X Y: a", BAD),
        fields("brackets in a name", "(X): a", BAD),
        fields("letters beyond ASCII in a name", "Å: a", BAD),
        fields("letters beyond ASCII in a value", "X: Å", EITHER),
        fields("an empty value", "X:", BOTH),
        row("an empty line before the request", "\r\n@GETB", &["B", "400"]),
        row("a space before the request", " @GETB", BAD),
        row("half a request inside another", "GET @A HTTP/1.1\r\nHost: e\r\nX: @GETS", BAD),
    ]
}

fn request_lines() -> Vec<Row> {
    let line = |what, line: &str, right| row(what, format!("{line}\r\nHost: e\r\n\r\n@GETB"), right);
    vec![
        line("two spaces", "GET  @A HTTP/1.1", BAD),
        line("two spaces before the version", "GET @A  HTTP/1.1", BAD),
        line("a tab", "GET\t@A HTTP/1.1", BAD),
        line("a space at the end", "GET @A HTTP/1.1 ", BAD),
        line("a space in the target", "GET @A x HTTP/1.1", BAD),
        line("a request line in the target", "GET @A HTTP/1.1 GET @S HTTP/1.1", BAD),
        line("a NUL in the target", "GET @A\0 HTTP/1.1", BAD),
        line("a return in the target", "GET @A\rx HTTP/1.1", BAD),
        line("an encoded line end in the target", "GET @A%0d%0a HTTP/1.1", &["400 B", "403 B", "404 B"]),
        line("no target", "GET HTTP/1.1", BAD),
        line("no version", "GET @A", BAD),
        line("no method", "@A HTTP/1.1", BAD),
        line("another version", "GET @A HTTP/1.2", &["400", "505"]),
        line("HTTP/2.0", "GET @A HTTP/2.0", &["400", "505"]),
        line("HTTP/0.9", "GET @A HTTP/0.9", &["400", "505"]),
        line("a small version", "GET @A http/1.1", BAD),
        line("brackets in the method", "G(E)T @A HTTP/1.1", BAD),
        line("a small method", "get @A HTTP/1.1", &["405 B", "501 B"]),
        line("a method that nobody knows", "SMUGGLE @A HTTP/1.1", &["405 B", "501 B"]),
        line("a tunnel", "CONNECT e:80 HTTP/1.1", &["405 B", "400 B", "400", "405"]),
        line("an authority", "GET e:80 HTTP/1.1", &["400 B", "400"]),
        line("all of the server", "GET * HTTP/1.1", &["400 B", "400"]),
        line("no slash before the path", "GET a HTTP/1.1", &["400 B", "400"]),
        line("another host in the target", "GET http://other@A HTTP/1.1", BOTH),
        line("a user in the target", "GET http://e:x@other@A HTTP/1.1", &["A B", "400 B", "400"]),
        row("HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n@GETS", &["400", "505"]),
        row("two hosts", "GET @A HTTP/1.1\r\nHost: e\r\nHost: f\r\n\r\n@GETB", BAD),
        row("the same host twice", "GET @A HTTP/1.1\r\nHost: e\r\nHost: e\r\n\r\n@GETB", BAD),
        row("no host", "GET @A HTTP/1.1\r\n\r\n@GETB", BAD),
        row(
            "two hosts and another in the target",
            "GET http://x@A HTTP/1.1\r\nHost: e\r\nHost: f\r\n\r\n@GETB",
            BAD,
        ),
    ]
}

fn connections() -> Vec<Row> {
    vec![
        row("two requests", "@GETA@GETB", BOTH),
        row("a request behind the last one", "@GETB@GETS", &["B"]),
        row("a request behind the last of HTTP/1.0", "GET @A HTTP/1.0\r\nHost: e\r\n\r\n@GETS", &["A"]),
        row(
            "the end among other options",
            "GET @A HTTP/1.1\r\nHost: e\r\nConnection: x, CLOSE\r\n\r\n@GETS",
            &["A"],
        ),
        row(
            "the end in a second field",
            "GET @A HTTP/1.1\r\nHost: e\r\nConnection: x\r\nConnection: close\r\n\r\n@GETS",
            &["A"],
        ),
        fields("fields that belong to the connection", "Connection: Host, Content-Length", BOTH),
        fields(
            "HTTP/2 offered",
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
            BOTH,
        ),
        fields(
            "a web socket",
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13",
            BOTH,
        ),
        row("HEAD", "HEAD @A HTTP/1.1\r\nHost: e\r\nConnection: close\r\n\r\n@GETS", &["200"]),
        row("options of the server", "OPTIONS * HTTP/1.1\r\nHost: e\r\n\r\n@GETB", &["204 B"]),
        row(
            "options with content",
            "OPTIONS @A HTTP/1.1\r\nHost: e\r\nContent-Length: 5\r\n\r\n01234@GETS",
            NO_CONTENT,
        ),
        row(
            "HEAD with content",
            "HEAD @A HTTP/1.1\r\nHost: e\r\nContent-Length: 5\r\n\r\n01234@GETS",
            NO_CONTENT,
        ),
    ]
}

/// Where the objects are.
struct Paths {
    a: String,
    b: String,
    s: String,
}

impl Paths {
    fn put_in(&self, text: &str) -> Vec<u8> {
        let get = |path: &str, fields: &str| format!("GET {path} HTTP/1.1\r\nHost: e\r\n{fields}\r\n");
        text.replace("@GETA", &get(&self.a, ""))
            .replace("@GETB", &get(&self.b, "Connection: close\r\n"))
            .replace("@GETS", &get(&self.s, ""))
            .replace("@A", &self.a)
            .replace("@S", &self.s)
            .into_bytes()
    }
}

/// How bytes are handed to the kernel.
#[derive(Debug, Clone, Copy)]
enum Pace {
    AtOnce,
    OneByOne,
}

/// Sends everything, and gives everything that came until the edge closed the connection.
async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8], pace: Pace) -> Vec<u8> {
    let (mut from, mut to) = tokio::io::split(&mut stream);
    let sending = async {
        let pieces = match pace {
            Pace::AtOnce => bytes.chunks(bytes.len()),
            Pace::OneByOne => bytes.chunks(1),
        };
        for piece in pieces {
            // The edge may have had enough.
            if to.write_all(piece).await.is_err() || to.flush().await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let mut got = Vec::new();
    let receiving = async {
        if let Err(error) = from.read_to_end(&mut got).await {
            let closed = [ErrorKind::ConnectionReset, ErrorKind::UnexpectedEof, ErrorKind::BrokenPipe];
            assert!(closed.contains(&error.kind()), "{error}");
        }
    };
    tokio::join!(sending, receiving);
    got
}

/// A conversation as words: the bodies of objects, the statuses of all else.
fn words(mut bytes: &[u8], bodiless: bool) -> String {
    let mut words = Vec::new();
    while !bytes.is_empty() {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return format!("{} then {:?}", words.join(" "), String::from_utf8_lossy(bytes));
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
        let status = head.strip_prefix("http/1.1 ").map_or("no status line", |rest| &rest[..3]);
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = match status {
            "204" | "100" => 0,
            _ if bodiless => 0,
            _ => length.expect("a length").parse().unwrap(),
        };
        let body = bytes.get(end + 4..end + 4 + length).unwrap_or_default();
        bytes = bytes.get(end + 4 + length..).unwrap_or_default();
        match status {
            "100" => {}
            "200" if !bodiless => words.push(String::from_utf8_lossy(body).into_owned()),
            status => words.push(status.to_owned()),
        }
    }
    words.join(" ")
}

fn all_rows() -> Vec<Row> {
    [lengths(), codings(), lines(), request_lines(), connections()].into_iter().flatten().collect()
}

async fn bench(change: impl FnOnce(&mut segue_edge::Config)) -> (Bench, Paths) {
    let bench = Bench::with(change).await;
    for (tail, body) in [("aac-256/0.m4s", "A"), ("aac-256/1.m4s", "B"), ("aac-256/2.m4s", "S")] {
        bench.upstream.media(tail, Answer::ok(body));
    }
    let path = |number: u32| bench.path(&format!("aac-256/{number}.m4s"));
    let paths = Paths { a: path(0), b: path(1), s: path(2) };
    (bench, paths)
}

fn judge(row: &Row, how: &str, got: &[u8]) -> Option<String> {
    let said = words(got, row.bytes.starts_with("HEAD") && row.what == "HEAD");
    let wrong = !row.right.contains(&said.as_str());
    wrong.then(|| format!("{} ({how}): \"{said}\", not one of {:?}", row.what, row.right))
}

#[tokio::test]
async fn nothing_is_read_in_two_ways() {
    let (bench, paths) = bench(|_| {}).await;
    let mut wrong = Vec::new();
    // Twice: what is in memory then takes another way through the edge.
    for round in ["first", "again"] {
        for row in all_rows() {
            for pace in [Pace::AtOnce, Pace::OneByOne] {
                let stream = TcpStream::connect(bench.edge.addr()).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let got = converse(stream, &paths.put_in(&row.bytes), pace).await;
                wrong.extend(judge(&row, &format!("{pace:?}, {round}"), &got));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(bench.upstream.fetches("aac-256/2.m4s"), 0, "what was smuggled is never asked for");
}

#[tokio::test]
async fn nothing_is_read_in_two_ways_over_tls() {
    let (bench, paths) = bench(|config| config.tls_self_signed = true).await;
    let mut wrong = Vec::new();
    let config = tls_config("http/1.1");
    for row in all_rows() {
        let stream = tls(bench.edge.addr(), config.clone()).await;
        wrong.extend(judge(&row, "TLS", &converse(stream, &paths.put_in(&row.bytes), Pace::AtOnce).await));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(bench.upstream.fetches("aac-256/2.m4s"), 0, "what was smuggled is never asked for");
}

/// What other methods ask for is told on in open mode; their content and what follows it is read there (`open.rs`).
fn in_open_mode(mut row: Row) -> Option<Row> {
    match row.what {
        "options with content" => return None,
        "a small method" | "a method that nobody knows" => row.right = BOTH,
        _ => {}
    }
    Some(row)
}

/// In open mode requests may have content, which is hyper's to read.
#[tokio::test]
async fn nothing_is_read_in_two_ways_in_open_mode() {
    let (bench, _) = bench(|config| config.open = true).await;
    for (path, body) in [("/a", "A"), ("/b", "B"), ("/s", "S")] {
        bench.upstream.answer(path, Answer::ok(body));
    }
    let paths = Paths { a: "/a".into(), b: "/b".into(), s: "/s".into() };
    let mut wrong = Vec::new();
    for row in all_rows().into_iter().filter_map(in_open_mode) {
        for pace in [Pace::AtOnce, Pace::OneByOne] {
            let stream = TcpStream::connect(bench.edge.addr()).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let got = converse(stream, &paths.put_in(&row.bytes), pace).await;
            wrong.extend(judge(&row, &format!("{pace:?}"), &got));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(bench.upstream.seen("/s").len(), 0, "what was smuggled is never asked for");
}

/// Sends without end, and counts what the edge takes until it closes the connection.
async fn taken(bench: &Bench, start: &str, piece: &str) -> usize {
    let stream = TcpStream::connect(bench.edge.addr()).await.unwrap();
    let (mut from, mut to) = stream.into_split();
    let mut sent = start.len();
    to.write_all(start.as_bytes()).await.unwrap();
    let sending = async {
        while to.write_all(piece.as_bytes()).await.is_ok() {
            sent += piece.len();
        }
    };
    let receiving = async { while from.read(&mut [0; 4096]).await.is_ok_and(|count| count > 0) {} };
    tokio::join!(sending, receiving);
    sent
}

#[tokio::test]
async fn heads_without_end_are_cut_off() {
    let (bench, paths) = bench(|config| config.header_timeout_ms = 600_000).await;
    let get = format!("GET {} HTTP/1.1\r\nHost: e\r\n", paths.a);
    let line =
        "x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n";
    for (start, piece) in [
        ("", "\r\n"),
        ("", "\n"),
        ("", "A"),
        ("GET /", "a"),
        ("GET /a HTTP/1.1\r\n", "a"),
        (get.as_str(), line),
        (&format!("{get}x: "), "yyyyyyyyyyyyyyyy"),
    ] {
        let sent = taken(&bench, start, piece).await;
        // What the kernel holds on both sides comes on top of what the edge reads.
        assert!(sent < 8 << 20, "{sent} bytes of {piece:?}");
    }
}

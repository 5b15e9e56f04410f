//! Open mode: a plain caching reverse proxy (RFC 9110 7.6, RFC 9111).
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{Answer, Bench, Reply, Step, client, request};
use segue_edge::Config;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn open(change: impl FnOnce(&mut Config)) -> Bench {
    Bench::with(|config| {
        config.open = true;
        config.media_secret = String::new();
        change(config);
    })
    .await
}

async fn ask(bench: &Bench, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    request(bench.edge.addr(), method, path, headers, body).await
}

async fn get(bench: &Bench, path: &str, headers: &[(&str, &str)]) -> Reply {
    ask(bench, "GET", path, headers, "").await
}

fn fetches(bench: &Bench, path: &str) -> usize {
    bench.upstream.seen(path).len()
}

fn is_hit(reply: &Reply) -> bool {
    reply.header("cache-status").contains("; hit")
}

#[tokio::test]
async fn any_method_is_told_on_with_its_content() {
    let bench = open(|_| ()).await;
    bench
        .upstream
        .answer("/form?x=1", Answer::status(201, "made").with("location", "/made").with("x-its", "1"));
    let headers =
        [("content-type", "text/plain"), ("if-match", "\"a\""), ("connection", "x-hop"), ("x-hop", "1")];
    for method in ["POST", "PUT", "PATCH", "DELETE", "M-SEARCH"] {
        let reply = ask(&bench, method, "/form?x=1", &headers, "content").await;
        assert_eq!(
            (reply.status, reply.text().as_str(), reply.header("x-its")),
            (201, "made", "1"),
            "{method}"
        );
        assert_eq!(reply.header("cache-status"), "segue-edge; fwd=method; fwd-status=201");
        let seen = bench.upstream.seen("/form?x=1").pop().unwrap();
        assert_eq!((seen.method.as_str(), seen.body.as_slice()), (method, b"content".as_slice()));
        assert_eq!(
            (seen.headers["content-type"].as_str(), seen.headers["if-match"].as_str()),
            ("text/plain", "\"a\"")
        );
        assert!(!seen.headers.contains_key("x-hop") && seen.headers["via"].ends_with("1.1 segue-edge"));
    }
    let bare = ask(&bench, "OPTIONS", "/form?x=1", &[], "").await;
    assert_eq!((bare.status, fetches(&bench, "/form?x=1")), (201, 6));
}

#[tokio::test]
async fn content_in_chunks_is_streamed_and_bounded() {
    let bench = open(|config| config.request_body_bytes = 100_000).await;
    bench.upstream.answer("/up", Answer::status(200, "taken"));
    let chunked = |size: usize| {
        let head = "POST /up HTTP/1.1\r\nhost: e\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
        let chunk = format!("{:x}\r\n{}\r\n", 10_000, "x".repeat(10_000));
        format!("{head}{}0\r\n\r\n", chunk.repeat(size / 10_000))
    };
    let reply = client::raw(bench.edge.addr(), chunked(100_000).as_bytes()).await;
    assert_eq!((reply.status, reply.text().as_str()), (200, "taken"));
    assert_eq!(bench.upstream.seen("/up")[0].body.len(), 100_000);
    let reply = client::raw(bench.edge.addr(), chunked(110_000).as_bytes()).await;
    assert_eq!((reply.status, reply.code().as_str()), (413, "body-too-large"));
    let announced = ask(&bench, "POST", "/up", &[], &"x".repeat(100_001)).await;
    assert_eq!((announced.status, announced.code().as_str()), (413, "body-too-large"));
    assert_eq!(fetches(&bench, "/up"), 1);
}

#[tokio::test]
async fn what_follows_content_is_a_request_of_its_own() {
    let bench = open(|_| ()).await;
    bench.upstream.answer("/form", Answer::status(200, "formed"));
    bench.upstream.answer("/next", Answer::ok("next"));
    let two = "POST /form HTTP/1.1\r\nhost: e\r\ncontent-length: 5\r\n\r\n01234\
               GET /next HTTP/1.1\r\nhost: e\r\nconnection: close\r\n\r\n";
    let mut stream = TcpStream::connect(bench.edge.addr()).await.unwrap();
    stream.write_all(two.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (first, second) = (text.find("formed").unwrap(), text.find("\r\n\r\nnext").unwrap());
    assert!(first < second && text.matches("HTTP/1.1 200").count() == 2, "{text}");
    assert_eq!(bench.upstream.seen("/form")[0].body, b"01234");
    let content = ask(&bench, "GET", "/next", &[], "x").await;
    assert_eq!((content.status, content.code().as_str()), (413, "body-refused"));
}

#[tokio::test]
async fn segues_own_stays_read_only() {
    let bench = open(|_| ()).await;
    let path = format!("{}mv.m3u8", common::BASE);
    assert_eq!(ask(&bench, "DELETE", &path, &[], "").await.status, 405);
    assert_eq!(ask(&bench, "POST", &path, &[], "x").await.status, 413);
    assert_eq!(ask(&bench, "OPTIONS", &path, &[], "").await.status, 204);
    assert_eq!(fetches(&bench, &path), 0);
}

#[tokio::test]
async fn fills_ask_in_the_words_of_their_client() {
    let bench = open(|config| config.upstream_host = "site.test".into()).await;
    bench.upstream.answer("/page", Answer::ok("page"));
    let headers = [
        ("cookie", "a=b"),
        ("accept-language", "en"),
        ("accept-encoding", "deflate, gzip;q=0.5"),
        ("range", "bytes=0-0"),
        ("if-none-match", "\"x\""),
        ("x-forwarded-host", "evil.test"),
    ];
    let reply = get(&bench, "/page", &headers).await;
    assert_eq!((reply.status, reply.text().as_str()), (206, "p"), "cut from the whole");
    let seen = &bench.upstream.seen("/page")[0].headers;
    assert_eq!((seen["cookie"].as_str(), seen["accept-language"].as_str()), ("a=b", "en"));
    assert_eq!((seen["accept-encoding"].as_str(), seen["host"].as_str()), ("gzip", "site.test"));
    for absent in ["range", "if-none-match", "x-forwarded-host"] {
        assert!(!seen.contains_key(absent), "{absent}");
    }
    let again = get(&bench, "/page", &[]).await;
    assert!(is_hit(&again) && again.text() == "page", "what says how long it is fresh is for all");
}

#[tokio::test]
async fn answers_to_authorised_requests_are_shared_only_when_they_say_so() {
    let bench = open(|_| ()).await;
    let authorised = [("authorization", "Basic eA==")];
    bench.upstream.answer("/mine", Answer::ok("mine").with("cache-control", "max-age=60"));
    bench.upstream.answer("/ours", Answer::ok("ours").with("cache-control", "max-age=60, public"));
    let mine = get(&bench, "/mine", &authorised).await;
    assert!(mine.header("cache-status").ends_with("detail=authorised"), "{mine:?}");
    assert!(!is_hit(&get(&bench, "/mine", &[]).await));
    get(&bench, "/ours", &authorised).await;
    assert!(is_hit(&get(&bench, "/ours", &[]).await));
    assert_eq!(bench.upstream.seen("/ours")[0].headers["authorization"], "Basic eA==");
}

#[tokio::test]
async fn variants_are_told_apart() {
    let bench = open(|_| ()).await;
    let speak =
        |text: &str| bench.upstream.answer("/hello", Answer::ok(text).with("vary", "Accept-Language"));
    speak("hello");
    get(&bench, "/hello", &[("accept-language", "en")]).await;
    speak("bonjour");
    let french = get(&bench, "/hello", &[("accept-language", "fr")]).await;
    assert_eq!(french.text(), "bonjour");
    assert!(french.header("cache-status").contains("fwd=vary-miss"), "{french:?}");
    for (language, text) in [("EN", "hello"), ("fr", "bonjour"), ("fr", "bonjour")] {
        let reply = get(&bench, "/hello", &[("accept-language", language)]).await;
        assert!(is_hit(&reply) && reply.text() == text, "{language} {reply:?}");
    }
    assert_eq!(fetches(&bench, "/hello"), 2);
    bench.purge(r#"{"paths":["/hello"]}"#).await;
    assert!(!is_hit(&get(&bench, "/hello", &[("accept-language", "en")]).await));
}

#[tokio::test]
async fn what_a_client_keeps_from_the_upstream_does_not_choose_a_variant() {
    let bench = open(|_| ()).await;
    let vary = |text: &str| Answer::ok(text).with("vary", "Accept-Language");
    for path in ["/first", "/then"] {
        bench.upstream.answer(path, vary("hello"));
    }
    get(&bench, "/then", &[("accept-language", "en")]).await;
    let kept = [("accept-language", "fr"), ("connection", "accept-language")];
    for path in ["/first", "/then"] {
        assert_eq!(get(&bench, path, &kept).await.text(), "hello");
        assert!(!bench.upstream.seen(path).pop().unwrap().headers.contains_key("accept-language"));
        bench.upstream.answer(path, vary("bonjour"));
        assert_eq!(get(&bench, path, &[("accept-language", "fr")]).await.text(), "bonjour", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_join_a_fill_that_is_for_others_get_their_own() {
    let bench = open(|_| ()).await;
    let answer = |text: &str| Answer::ok(text).with("vary", "x-kind").with("cache-control", "max-age=60");
    bench.upstream.answer("/kind", answer("one").delayed(Duration::from_millis(300)));
    let addr = bench.edge.addr();
    let kind = |kind: &'static str| {
        tokio::spawn(async move { request(addr, "GET", "/kind", &[("x-kind", kind)], "").await })
    };
    let first = kind("one");
    while fetches(&bench, "/kind") == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bench.upstream.answer("/kind", answer("two"));
    let others: Vec<_> = (0..5).map(|_| kind("two")).collect();
    assert_eq!(first.await.unwrap().text(), "one");
    for other in others {
        assert_eq!(other.await.unwrap().text(), "two");
    }
    assert_eq!(fetches(&bench, "/kind"), 2, "those of one kind share a fetch");
}

#[tokio::test]
async fn what_a_change_makes_invalid_is_dropped() {
    let bench = open(|_| ()).await;
    for path in ["/list", "/list/1", "/list/new", "/other"] {
        bench.upstream.answer(path, Answer::ok("old"));
        get(&bench, path, &[]).await;
    }
    let failing = Answer::status(500, "no").with("location", "/list/1");
    bench.upstream.answer("/list", failing);
    ask(&bench, "POST", "/list", &[], "x").await;
    assert!(is_hit(&get(&bench, "/list", &[]).await), "a failure changes nothing");
    let made = Answer::status(201, "made").with("location", "/list/1#x").with("content-location", "list/new");
    bench.upstream.answer("/list", made);
    ask(&bench, "POST", "/list", &[], "x").await;
    for path in ["/list", "/list/1", "/list/new"] {
        assert!(!is_hit(&get(&bench, path, &[]).await), "{path}");
    }
    assert!(is_hit(&get(&bench, "/other", &[]).await));
    bench.upstream.answer("/list", Answer::status(302, "").with("location", "http://elsewhere.test/other"));
    ask(&bench, "POST", "/list", &[], "x").await;
    assert!(is_hit(&get(&bench, "/other", &[]).await), "another host's resource");
}

#[tokio::test]
async fn a_change_overtakes_the_fill_that_is_under_way() {
    let bench = open(|_| ()).await;
    let steps = vec![Step::Send(b"ol".to_vec()), Step::Gate, Step::Send(b"d".to_vec())];
    bench.upstream.answer("/x", Answer::steps(3, steps));
    let addr = bench.edge.addr();
    let slow = tokio::spawn(async move { request(addr, "GET", "/x", &[], "").await });
    while fetches(&bench, "/x") == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bench.upstream.answer("/x", Answer::ok("new"));
    ask(&bench, "PUT", "/x", &[], "new").await;
    bench.upstream.open_gate();
    assert_eq!(slow.await.unwrap().text(), "old");
    bench.until_metric("segue_edge_fills_total{outcome=\"ok\"}", 1).await;
    let reply = get(&bench, "/x", &[]).await;
    assert!(!is_hit(&reply) && reply.text() == "new", "{reply:?}");
}

#[tokio::test]
async fn a_confirmation_may_take_back_that_the_copy_is_kept() {
    let bench = open(|_| ()).await;
    bench.upstream.answer("/x", Answer::ok("x").with("cache-control", "no-cache").with("etag", "\"a\""));
    get(&bench, "/x", &[]).await;
    let confirmed = get(&bench, "/x", &[]).await;
    assert!(confirmed.header("cache-status").contains("fwd-status=304"), "{confirmed:?}");
    let answer = Answer::status(304, "").with("cache-control", "no-store").with("set-cookie", "a=b");
    bench.upstream.answer("/x", answer);
    let last = get(&bench, "/x", &[]).await;
    assert_eq!((last.status, last.text().as_str(), last.header("set-cookie")), (200, "x", ""));
    bench.upstream.answer("/x", Answer::ok("y"));
    assert_eq!(get(&bench, "/x", &[]).await.text(), "y");
    assert!(!bench.upstream.seen("/x").pop().unwrap().headers.contains_key("if-none-match"));
}

#[tokio::test]
async fn who_wants_only_what_is_stored_makes_no_fetch() {
    let bench = open(|_| ()).await;
    bench.upstream.answer("/x", Answer::ok("x"));
    let only = [("cache-control", "only-if-cached")];
    let reply = get(&bench, "/x", &only).await;
    assert_eq!((reply.status, reply.code().as_str(), fetches(&bench, "/x")), (504, "only-if-cached", 0));
    get(&bench, "/x", &[]).await;
    assert!(is_hit(&get(&bench, "/x", &only).await));
}

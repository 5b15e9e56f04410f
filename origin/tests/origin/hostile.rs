//! Input of people who mean harm, and of tags that merely look like it.

use http::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Track, origin, tags};

#[tokio::test]
async fn tags_are_only_text() {
    let origin = origin().await;
    let names = [
        "'; DROP TABLE songs; --",
        "<script>alert(1)</script>",
        "\u{202e}right to left",
        "a\u{0}b",
        "\u{1f3b5}\u{200d}\u{1f3b6}",
        "line\nbreak",
        "%00%2e%2e",
        &"long ".repeat(50_000),
        &"\u{301}".repeat(1000),
    ];
    for (seed, name) in names.iter().enumerate() {
        origin.add(&Track::new(seed as u64, tags(name, name, name))).await;
    }
    let songs = origin.walk("/songs?limit=2", async |_| ()).await;
    assert_eq!(songs.len(), names.len());
    for song in songs {
        let title = song["title"].as_str().unwrap();
        assert!(title.chars().count() <= 500 && !title.chars().any(char::is_control), "{title:?}");
    }
    for list in ["/albums?limit=1", "/artists?limit=1"] {
        let count = origin.walk(list, async |_| ()).await.len();
        assert!(count >= names.len() - 2, "{list}: {count}");
    }
}

#[tokio::test]
async fn queries_are_only_text() {
    let origin = origin().await;
    origin.add(&Track::new(1, tags("One", "Ann", "First"))).await;
    for attack in
        ["'", "%27%20UNION%20SELECT%201--", "%22", "%00", "\\", "%25%25", "%ED%A0%80", "%F0%9F%98%80"]
    {
        for path in ["/songs?name=", "/albums?name=", "/artists?name=", "/songs/"] {
            let answer = origin.get(&format!("{path}{attack}")).await;
            assert!(answer.status.as_u16() < 500, "{path}{attack}: {answer:?}");
        }
    }
    origin.get(&format!("/songs?name={}", "a".repeat(300))).await.assert_problem(400, "bad-query");
    for nothing in ["%00", "%01%02", "%CC%81"] {
        origin.get(&format!("/songs?name={nothing}")).await.assert_problem(400, "bad-query");
    }
    assert_eq!(origin.get("/songs").await.titles(), ["One"]);
}

#[tokio::test]
async fn deep_and_huge_json_is_refused() {
    let origin = origin().await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    origin.add(&track).await;
    let path = format!("/play/{}", track.id());
    origin.post(&path, "[".repeat(10_000)).await.assert_problem(400, "bad-json");
    origin
        .post(&path, format!("{{\"max_kbps\":{}}}", "9".repeat(1000)))
        .await
        .assert_problem(400, "bad-json");
    for (body, hint) in [
        ("[1,2]", "must be a JSON object"),
        ("7", "must be a JSON object"),
        ("{", "not JSON"),
        (r#"{"max_kbps":"much"}"#, "max_kbps: a whole number of 0 or more is expected"),
        (r#"{"max_kpbs":128}"#, "max_kpbs"),
    ] {
        let answer = origin.post(&path, body).await;
        answer.assert_problem(400, "bad-json");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(hint) && !detail.contains("PlayRequest"), "{body}: {detail}");
    }
    origin.post(&path, vec![b'9'; 1 << 20]).await.assert_problem(413, "too-large");
}

#[tokio::test]
async fn nonsense_on_the_wire_ends_the_connection_only() {
    let origin = origin().await;
    let huge_header = format!("GET /songs HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(100_000));
    let many_headers = format!("GET /songs HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(500));
    let huge_path = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(70_000));
    for bytes in [b"\0\xff\x16\x03\x01".to_vec(), huge_header.into(), many_headers.into(), huge_path.into()] {
        let mut stream = tokio::net::TcpStream::connect(origin.addr()).await.unwrap();
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP/1.1 2") && !answer.starts_with(b"HTTP/1.1 5"));
    }
    assert_eq!(origin.get("/healthz").await.status, 200);
    assert_eq!(origin.ask(Method::from_bytes(b"BREW").unwrap(), "/songs", &[], "").await.status, 405);
}

#[tokio::test]
async fn a_request_without_a_host_cannot_play() {
    let origin = origin().await;
    let track = Track::new(1, tags("One", "Ann", "First"));
    origin.add(&track).await;
    let mut stream = tokio::net::TcpStream::connect(origin.addr()).await.unwrap();
    let request = format!("POST /play/{} HTTP/1.0\r\n\r\n", track.id());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.0 400") && answer.contains("bad-host"), "{answer}");
}

#[tokio::test]
async fn http_1_1_needs_exactly_one_host() {
    let origin = origin().await;
    for hosts in ["", "Host: a\r\nHost: b\r\n"] {
        let mut stream = tokio::net::TcpStream::connect(origin.addr()).await.unwrap();
        let request = format!("GET /songs HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("host-header"), "{answer}");
    }
}

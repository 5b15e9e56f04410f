//! Clients that take nothing of their answers, or ask for nothing.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::{Origin, Track, eventually, origin_with, tags};

/// A connection whose own side takes as little as the system allows before it is read.
async fn narrow(origin: &Origin) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2048).unwrap();
    socket.connect(origin.addr()).await.unwrap()
}

/// An origin with one connection to read its database by, and a track whose segments are longer than what systems keep
/// for a connection.
async fn origin_with_much(stall_seconds: u64) -> (Origin, String) {
    let origin = origin_with(|config| {
        config.database_connections = 1;
        config.stall_timeout_seconds = stall_seconds;
    })
    .await;
    let track = Track::with_segments(1, tags("One", "Ann", "First"), &[20_000, 20_000]);
    origin.add(&track).await;
    for n in 2..120 {
        origin.add(&Track::new(n, tags(&format!("Song {n}"), "Ann", "First"))).await;
    }
    (origin, format!("{}/aac-320/0.m4s", track.base()))
}

#[tokio::test]
async fn many_slow_readers_hold_nobody_up() {
    let (origin, segment) = origin_with_much(3600).await;
    let mut slow = Vec::new();
    for n in 0..100 {
        let mut stream = narrow(&origin).await;
        let path = if n % 2 == 0 { "/songs?limit=200" } else { &segment };
        // Thirty lists on one connection are more than what fits on the way.
        let ask = format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n").repeat(if n % 2 == 0 { 30 } else { 9 });
        stream.write_all(ask.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    eventually(async || origin.metric("segue_origin_connections").await >= 100).await;
    // Neither kept answers nor new ones, which take the one connection to the database, wait for them.
    for n in 0..20 {
        assert_eq!(origin.get("/songs?limit=200").await.titles().len(), 119);
        assert_eq!(origin.get(&format!("/songs?limit={}", n + 1)).await.titles().len(), n + 1);
    }
    origin.add(&Track::new(500, tags("Late", "Ann", "First"))).await;
    assert_eq!(origin.get("/songs?name=late").await.titles(), ["Late"]);
    // And they still get what they asked for.
    let mut bytes = [0; 4096];
    for stream in &mut slow {
        stream.read_exact(&mut bytes).await.unwrap();
        assert!(bytes.starts_with(b"HTTP/1.1 200 OK"));
    }
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut() {
    let (origin, segment) = origin_with_much(1).await;
    let mut stream = narrow(&origin).await;
    let ask = format!("GET {segment} HTTP/1.1\r\nhost: a\r\n\r\n");
    stream.write_all(ask.repeat(9).as_bytes()).await.unwrap();
    eventually(async || {
        origin
            .metric("segue_origin_request_seconds_count{method=\"GET\",route=\"/v1/{*path}\",status=\"200\"}")
            .await
            > 0
    })
    .await;
    eventually(async || origin.metric("segue_origin_connections").await <= 1).await;
}

#[tokio::test]
async fn a_client_that_grants_no_window_is_cut() {
    let (origin, segment) = origin_with_much(1).await;
    let stream = TcpStream::connect(origin.addr()).await.unwrap();
    let (mut send, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(20_000)
        .initial_connection_window_size(65_535)
        .handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let uri = format!("http://{}{segment}", origin.addr());
    let request = http::Request::get(uri).body(Full::<Bytes>::default()).unwrap();
    let answer = send.send_request(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    // It answers pings, so that the connection is alive, and takes nothing of the body.
    let ended = tokio::time::timeout(Duration::from_secs(30), connection).await;
    ended.expect("the connection is cut").unwrap().unwrap_err();
    assert!(answer.into_body().collect().await.is_err());
}

#[tokio::test]
async fn a_client_that_asks_for_nothing_is_cut() {
    let origin = origin_with(|config| config.header_timeout_seconds = 1).await;
    for opening in ["", "GET /so", "PRI * HTTP/2.0", "GET /songs HTTP/1.1\r\nhost: a\r\nx: "] {
        let mut stream = TcpStream::connect(origin.addr()).await.unwrap();
        stream.write_all(opening.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut bytes)).await;
        let _ = ended.unwrap_or_else(|_| panic!("'{opening}' is still waited for"));
        assert!(!bytes.starts_with(b"HTTP/1.1 200"), "{opening}");
    }
}

#[tokio::test]
async fn idle_connections_make_room() {
    let origin = origin_with(|config| {
        config.max_connections = 3;
        config.header_timeout_seconds = 3600;
    })
    .await;
    let ask = b"GET /songs HTTP/1.1\r\nhost: a\r\n\r\n";
    let mut clients = Vec::new();
    // Each keeps its connection, so that all after the third find no place.
    for _ in 0..20 {
        let mut stream = TcpStream::connect(origin.addr()).await.unwrap();
        stream.write_all(ask).await.unwrap();
        let mut status = [0; 15];
        stream.read_exact(&mut status).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 200 OK");
        clients.push(stream);
    }
    // The oldest were ended, in peace.
    let mut rest = Vec::new();
    clients[0].read_to_end(&mut rest).await.unwrap();
    // And the one that asks the admin listener.
    assert!(origin.metric("segue_origin_connections").await <= 3 + 1);
}

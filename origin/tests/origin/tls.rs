//! TLS at the origin.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::accounts::account;
use crate::support::{Origin, eventually, origin, origin_with};

struct Files {
    dir: tempfile::TempDir,
}

impl Files {
    fn new() -> (Self, CertificateDer<'static>) {
        let files = Self { dir: tempfile::tempdir().unwrap() };
        let certificate = files.renew();
        (files, certificate)
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// Another pair in the same files.
    fn renew(&self) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        std::fs::write(self.path("key"), made.signing_key.serialize_pem()).unwrap();
        std::fs::write(self.path("cert"), made.cert.pem()).unwrap();
        made.cert.der().clone()
    }
}

async fn origin_with_tls(files: &Files) -> Origin {
    origin_with(|config| {
        (config.tls_cert, config.tls_key) = (files.path("cert"), files.path("key"));
        config.header_timeout_seconds = 1;
    })
    .await
}

async fn connect(
    origin: &Origin,
    trusted: &CertificateDer<'static>,
    alpn: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    let stream = TcpStream::connect(origin.addr()).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
}

fn request(method: &str, path: &str, body: String) -> http::Request<Full<Bytes>> {
    let request = http::Request::builder().method(method).uri(format!("https://localhost{path}"));
    request.header("host", "localhost").body(Full::new(body.into())).unwrap()
}

#[tokio::test]
async fn both_versions_are_spoken_and_answers_say_so() {
    let (files, certificate) = Files::new();
    let origin = origin_with_tls(&files).await;
    let stream = connect(&origin, &certificate, "h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut send, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let answer = send.send_request(request("GET", "/songs", String::new())).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, http::Version::HTTP_2));
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");

    let stream = connect(&origin, &certificate, "http/1.1").await.unwrap();
    let (mut send, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let made =
        send.send_request(request("POST", "/users/register", account("ann").to_string())).await.unwrap();
    assert_eq!(made.status(), 201);
    made.into_body().collect().await.unwrap();
    let login = json!({"login": "ann", "password": "correct horse", "cookie": true}).to_string();
    let login = send.send_request(request("POST", "/users/login", login)).await.unwrap();
    assert!(login.headers()["set-cookie"].to_str().unwrap().ends_with("; Secure"), "{login:?}");
}

#[tokio::test]
async fn in_clear_there_is_no_hsts() {
    let origin = origin().await;
    let answer = origin.get_with("/songs", &[("x-forwarded-proto", "https")]).await;
    assert!(!answer.headers.contains_key("strict-transport-security"));
}

#[tokio::test]
async fn a_new_certificate_is_used_and_old_connections_go_on() {
    let (files, first) = Files::new();
    let origin = origin_with_tls(&files).await;
    let stream = connect(&origin, &first, "h2").await.unwrap();
    let (mut old, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let second = files.renew();
    eventually(async || connect(&origin, &second, "h2").await.is_ok()).await;
    connect(&origin, &first, "h2").await.unwrap_err();
    let answer = old.send_request(request("GET", "/songs", String::new())).await.unwrap();
    assert_eq!(answer.status(), 200);
    // What cannot be used leaves the one in use.
    std::fs::write(files.path("cert"), "nonsense").unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    connect(&origin, &second, "h2").await.unwrap();
}

#[tokio::test]
async fn silence_in_the_handshake_or_after_it_ends() {
    let (files, certificate) = Files::new();
    let origin = origin_with_tls(&files).await;
    let ended = async |mut stream: Box<dyn tokio::io::AsyncRead + Unpin>| {
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut bytes)).await;
        let _ = read.expect("the connection is closed");
    };
    ended(Box::new(TcpStream::connect(origin.addr()).await.unwrap())).await;
    for alpn in ["h2", "http/1.1"] {
        ended(Box::new(connect(&origin, &certificate, alpn).await.unwrap())).await;
    }
    eventually(async || origin.metric("segue_origin_handshakes_failed_total").await >= 1).await;
}

#[tokio::test]
async fn what_cannot_be_used_stops_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = crate::support::config(&dir).await;
    config.tls_cert = "/nowhere/cert.pem".into();
    let start = async |config: &segue_origin::Config| {
        segue_origin::start_with(config.clone(), crate::support::memory()).await.err().unwrap().to_string()
    };
    assert!(start(&config).await.contains("tls_cert and tls_key go together"));
    config.tls_key = "/nowhere/key.pem".into();
    assert!(start(&config).await.contains("tls_cert: /nowhere/cert.pem cannot be read"));
}

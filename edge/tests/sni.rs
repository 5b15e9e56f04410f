//! Several certificates: which one a client is shown, and what happens when their files change.
#![allow(clippy::unwrap_used)]

mod common;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::client::{self, h2, h2_get, tls_as, tls_config};
use common::{Answer, Bench};
use rustls::pki_types::CertificateDer;
use tokio::io::AsyncWriteExt as _;

/// Writes a pair for those names, and gives the setting and the certificate.
fn pair(folder: &Path, file: &str, names: &[&str]) -> (String, CertificateDer<'static>) {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let (chain, private) = (folder.join(format!("{file}.pem")), folder.join(format!("{file}.key")));
    // One look of the edge may find one file new and the other old: it keeps what it has until both are.
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&private, made.signing_key.serialize_pem()).unwrap();
    (format!("{}:{}", chain.display(), private.display()), made.cert.der().clone())
}

async fn shown(addr: SocketAddr, name: &str) -> CertificateDer<'static> {
    let stream = tls_as(addr, tls_config("h2"), name).await;
    stream.get_ref().1.peer_certificates().unwrap()[0].clone()
}

#[tokio::test]
async fn clients_are_shown_the_certificate_of_the_name_that_they_ask_for() {
    let folder = tempfile::tempdir().unwrap();
    let (default, of_default) = pair(folder.path(), "default", &["edge.example"]);
    let (one, of_one) = pair(folder.path(), "one", &["one.example", "music.one.example"]);
    let (wild, of_wild) = pair(folder.path(), "wild", &["*.one.example"]);
    let bench = Bench::with(|config| {
        let (cert, private) = default.split_once(':').unwrap();
        (config.tls_cert, config.tls_key) = (cert.into(), private.into());
        config.tls_certs = vec![one, wild];
    })
    .await;
    let rows = [
        ("edge.example", &of_default),
        ("one.example", &of_one),
        ("music.one.example", &of_one),
        ("cdn.one.example", &of_wild),
        ("a.cdn.one.example", &of_default),
        ("elsewhere.example", &of_default),
        // An address is asked for without a name (RFC 6066 3).
        ("127.0.0.1", &of_default),
    ];
    for (name, certificate) in rows {
        assert_eq!(&shown(bench.edge.addr(), name).await, certificate, "{name}");
    }
}

#[tokio::test]
async fn without_a_default_the_first_is_shown_to_all_others() {
    let folder = tempfile::tempdir().unwrap();
    let (one, of_one) = pair(folder.path(), "one", &["one.example"]);
    let (two, of_two) = pair(folder.path(), "two", &["two.example", "one.example"]);
    let bench = Bench::with(|config| config.tls_certs = vec![one, two]).await;
    for (name, certificate) in
        [("one.example", &of_one), ("two.example", &of_two), ("three.example", &of_one)]
    {
        assert_eq!(&shown(bench.edge.addr(), name).await, certificate, "{name}");
    }
}

#[tokio::test]
async fn changed_files_are_followed_and_broken_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let (one, of_one) = pair(folder.path(), "one", &["one.example"]);
    let (two, of_two) = pair(folder.path(), "two", &["two.example"]);
    let bench = Bench::with(|config| config.tls_certs = vec![one, two]).await;
    bench.upstream.media("aac-256/0.m4s", Answer::ok("x"));
    let (addr, path) = (bench.edge.addr(), bench.path("aac-256/0.m4s"));
    let mut open = h2(tls_as(addr, tls_config("h2"), "two.example").await).await;
    assert_eq!(h2_get(&mut open, &path).await.unwrap().status, 200);
    std::fs::write(folder.path().join("two.key"), "broken").unwrap();
    let (_, of_new) = pair(folder.path(), "one", &["one.example", "new.example"]);
    while shown(addr, "new.example").await != of_new || shown(addr, "one.example").await == of_one {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(shown(addr, "two.example").await, of_two, "the broken pair leaves the one before");
    assert_eq!(h2_get(&mut open, &path).await.unwrap().status, 200, "the open connection goes on");
}

#[tokio::test]
async fn sessions_resume_for_each_name() {
    let folder = tempfile::tempdir().unwrap();
    let (one, _) = pair(folder.path(), "one", &["one.example"]);
    let (two, _) = pair(folder.path(), "two", &["two.example"]);
    let bench = Bench::with(|config| config.tls_certs = vec![one, two]).await;
    let config: Arc<_> = tls_config("http/1.1");
    for (name, resumes) in
        [("one.example", false), ("two.example", false), ("one.example", true), ("two.example", true)]
    {
        let mut stream = tls_as(bench.edge.addr(), config.clone(), name).await;
        stream.write_all(b"OPTIONS / HTTP/1.1\r\nhost: e\r\n\r\n").await.unwrap();
        assert_eq!(client::read(&mut stream, false).await.status, 204);
        let kind = stream.get_ref().1.handshake_kind();
        assert_eq!(kind == Some(rustls::HandshakeKind::Resumed), resumes, "{name}: {kind:?}");
    }
}

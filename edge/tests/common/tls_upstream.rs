//! An upstream over TLS that wants to see a certificate, and answers with the version of HTTP it was asked in.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

pub struct TlsUpstream {
    pub url: String,
    /// PEM files.
    pub ca: String,
    pub client_cert: String,
    pub client_key: String,
}

/// Starts one; its certificates, and those of its clients, lie in `folder`.
pub async fn tls_upstream(folder: &Path) -> TlsUpstream {
    let server = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let client = rcgen::generate_simple_self_signed(vec!["edge".into()]).unwrap();
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = TlsUpstream {
        url: format!("https://localhost:{}", listener.local_addr().unwrap().port()),
        ca: write("ca.pem", server.cert.pem()),
        client_cert: write("client.pem", client.cert.pem()),
        client_key: write("client-private.pem", client.signing_key.serialize_pem()),
    };
    let mut roots = RootCertStore::empty();
    roots.add(client.cert.der().clone()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
    let private = PrivateKeyDer::try_from(server.signing_key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.unwrap())
        .with_single_cert(vec![server.cert.der().clone()], private)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(acceptor.clone(), stream));
        }
    });
    upstream
}

async fn serve(acceptor: TlsAcceptor, stream: TcpStream) {
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let service = service_fn(|request: http::Request<Incoming>| async move {
        let body = Full::new(Bytes::from(format!("{:?}", request.version())));
        let response = Response::builder().header("cache-control", "public, max-age=3600");
        Ok::<_, Infallible>(response.body(body).unwrap())
    });
    let io = TokioIo::new(stream);
    // How the connection ends does not matter.
    if is_h2 {
        drop(
            hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(io, service)
                .await,
        );
    } else {
        drop(hyper::server::conn::http1::Builder::new().serve_connection(io, service).await);
    }
}

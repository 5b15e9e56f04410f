//! One HTTP/1.1 connection of a player to a server on this machine.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpSocket;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use crate::client::Failure;

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    requests: SendRequest<Empty<Bytes>>,
    /// As other load generators write it: some caches tell hosts apart.
    host: HeaderValue,
}

/// How an answer came.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// `Cache-Status` says that it came from the cache (RFC 9211).
    pub hit: bool,
    /// When its head was there.
    pub head: Instant,
    /// When the first byte of its body was there.
    pub first: Option<Instant>,
    /// Bytes of its body.
    pub bytes: u64,
}

impl Connection {
    /// Connects to that port of the loopback address.
    ///
    /// # Errors
    /// When the server cannot be reached, or the handshake fails.
    pub async fn open(port: u16, tls: Option<&TlsConnector>) -> Result<Self, Failure> {
        let socket = TcpSocket::new_v4()?;
        let stream = socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        stream.set_nodelay(true)?;
        match tls {
            None => Self::over(stream, port).await,
            Some(tls) => {
                Self::over(tls.connect(ServerName::try_from("localhost")?, stream).await?, port).await
            }
        }
    }

    async fn over(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        port: u16,
    ) -> Result<Self, Failure> {
        let (requests, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { requests, host: HeaderValue::try_from(format!("127.0.0.1:{port}"))? })
    }

    /// Whether it can take no further request.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.requests.is_closed()
    }

    /// Asks for a path, and gives each piece of the body to `see`.
    ///
    /// # Errors
    /// When the connection breaks, also in the middle of the body.
    pub async fn get(&mut self, path: &str, mut see: impl FnMut(&[u8])) -> Result<Answer, Failure> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = path.parse()?;
        request.headers_mut().insert(HOST, self.host.clone());
        self.requests.ready().await?;
        let response = self.requests.send_request(request).await?;
        let status = response.status().as_u16();
        let mut answer =
            Answer { status, hit: is_hit(&response), head: Instant::now(), first: None, bytes: 0 };
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            let Ok(bytes) = frame?.into_data() else { continue };
            answer.first.get_or_insert_with(Instant::now);
            answer.bytes += bytes.len() as u64;
            see(&bytes);
        }
        Ok(answer)
    }
}

/// `name; hit; ...` in the last, and here only, member.
fn is_hit<B>(response: &http::Response<B>) -> bool {
    let text = response.headers().get("cache-status").and_then(|value| value.to_str().ok());
    text.is_some_and(|text| text.split(';').any(|part| part.trim() == "hit"))
}

/// A connector that takes the certificate made for the measurement, or any other, and never resumes a session.
///
/// # Errors
/// When TLS cannot be set up.
pub fn connector() -> Result<TlsConnector, Failure> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Whose certificate it is does not matter; that it signed the handshake does.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

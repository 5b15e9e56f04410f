//! The HTTP client: pooled keep-alive connections, over TLS where the URL says so.

use std::sync::Arc;
use std::time::Duration;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};

use super::outgoing::Outgoing;
use crate::config::{Config, millis};

/// Opens connections.
pub(crate) type Connector = HttpsConnector<HttpConnector>;
/// A client with a pool of its own.
pub(crate) type Client = legacy::Client<Connector, Outgoing>;

/// Idle connections are closed before common servers close them (nginx: 75 s, axum: none).
const POOL_IDLE: Duration = Duration::from_secs(30);
/// Bytes of a response that are read at once at most, and the longest response head over HTTP/1.1. hyper's own 400 KB stay
/// allocated with each connection in the pool.
const READ_BYTES: usize = 64 << 10;

/// Makes a connector. Authorities, and the certificate that this edge shows, are only read when some URL is https.
///
/// # Errors
/// When they cannot be read.
pub(crate) fn connector(config: &Config) -> Result<Connector, String> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(millis(config.connect_timeout_ms)));
    http.set_keepalive(Some(Duration::from_secs(60)));
    let over_tls = config.fetches_over_tls();
    let roots = if over_tls { roots(&config.upstream_ca)? } else { RootCertStore::empty() };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    let tls = match over_tls && !config.upstream_cert.is_empty() {
        true => shown(tls, &config.upstream_cert, &config.upstream_key)?,
        false => tls.with_no_client_auth(),
    };
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
    Ok(match config.upstream_http2 {
        true => builder.enable_http2().wrap_connector(http),
        false => builder.wrap_connector(http),
    })
}

/// Whether another configuration needs another connector. Files may have changed: where there are any, it does.
pub(crate) fn connects_differently(before: &Config, after: &Config) -> bool {
    let how = |config: &Config| (config.connect_timeout_ms, config.upstream_http2, config.fetches_over_tls());
    let has_files = |config: &Config| !(config.upstream_ca.is_empty() && config.upstream_cert.is_empty());
    how(before) != how(after) || has_files(before) || has_files(after)
}

/// With a certificate to show to upstreams that ask for one.
fn shown(
    tls: ConfigBuilder<ClientConfig, WantsClientCert>,
    cert: &str,
    key: &str,
) -> Result<ClientConfig, String> {
    let wrong = |setting: &str, path: &str, error: &dyn std::fmt::Display| {
        format!("{setting}: {path} cannot be used: {error}")
    };
    let chain = CertificateDer::pem_file_iter(cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| wrong("upstream_cert", cert, &error))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong("upstream_key", key, &error))?;
    tls.with_client_auth_cert(chain, secret).map_err(|error| wrong("upstream_key", key, &error))
}

/// Makes a client for the runtime that it is used on.
pub(crate) fn client(connector: Connector) -> Client {
    legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(POOL_IDLE)
        .pool_max_idle_per_host(64)
        .http1_max_buf_size(READ_BYTES)
        .build(connector)
}

fn roots(ca: &str) -> Result<RootCertStore, String> {
    if !ca.is_empty() {
        return roots_of(ca);
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(
            "no authority to trust for https upstreams; install ca-certificates or set upstream_ca".into()
        );
    }
    Ok(roots)
}

fn roots_of(ca: &str) -> Result<RootCertStore, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("upstream_ca: {ca} cannot be used: {error}");
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca).map_err(|e| wrong(&e))? {
        roots.add(certificate.map_err(|e| wrong(&e))?).map_err(|e| wrong(&e))?;
    }
    match roots.is_empty() {
        true => Err(wrong(&"no certificate is in it; name a PEM file with BEGIN CERTIFICATE")),
        false => Ok(roots),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_that_cannot_be_used_name_setting_and_file() {
        let empty = tempfile::NamedTempFile::new().unwrap();
        for path in [empty.path().to_str().unwrap(), "/no/ca"] {
            let error = roots(path).unwrap_err();
            assert!(error.starts_with("upstream_ca: ") && error.contains(path), "{error}");
        }
    }
}

//! TLS: rustls over aws-lc-rs, certificates that follow their files, session tickets.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{CipherSuite, ServerConfig};
use segue_certificate::{Certificate, Certificates, Look};

use crate::config::Config;

/// The TLS side of an edge's listeners.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    config: Arc<ServerConfig>,
    certificates: Arc<Certificates>,
}

impl Tls {
    /// TLS as configured; `None` when it is off.
    ///
    /// # Errors
    /// When a certificate or private key cannot be read, or do not belong together.
    pub(crate) fn new(config: &Config) -> Result<Option<Self>, String> {
        if !config.uses_tls() {
            return Ok(None);
        }
        let (certificates, look) = Certificates::new(read_certificates(config)?)?;
        log(&look);
        let certificates = Arc::new(certificates);
        Ok(Some(Self { config: Arc::new(server_config(certificates.clone())?), certificates }))
    }

    pub(crate) fn server_config(&self) -> Arc<ServerConfig> {
        self.config.clone()
    }

    /// Reads the certificates of another configuration, if they are others.
    ///
    /// # Errors
    /// When a certificate or private key cannot be read, or do not belong together.
    pub(crate) fn others(before: &Config, after: &Config) -> Result<Option<Vec<Certificate>>, String> {
        let of = |config: &Config| {
            (
                config.tls_cert.clone(),
                config.tls_key.clone(),
                config.tls_certs.clone(),
                config.tls_self_signed,
            )
        };
        (after.uses_tls() && of(before) != of(after)).then(|| read_certificates(after)).transpose()
    }

    /// Takes others into use for handshakes that begin from now on.
    pub(crate) fn replace(&self, certificates: Vec<Certificate>) {
        match self.certificates.replace(certificates) {
            Ok(look) => log(&look),
            Err(error) => tracing::error!("certificates not replaced: {error}"),
        }
    }

    /// Takes certificates whose files changed into use.
    pub(crate) fn follow_files(&self) {
        log(&self.certificates.reload());
    }
}

/// All that are configured, the default one first.
fn read_certificates(config: &Config) -> Result<Vec<Certificate>, String> {
    if config.tls_self_signed {
        return Ok(vec![Certificate::self_signed(own_names(config))?]);
    }
    let default =
        (!config.tls_cert.is_empty()).then(|| Certificate::from_files(&config.tls_cert, &config.tls_key));
    default.into_iter().chain(config.tls_certs.iter().map(|pair| Certificate::from_pair(pair))).collect()
}

fn log(look: &Look) {
    look.reloaded.iter().for_each(|file| tracing::info!(file, "certificate reloaded"));
    look.refused
        .iter()
        .for_each(|error| tracing::warn!("certificate not reloaded, the one before stays: {error}"));
    look.shared.iter().for_each(|shared| tracing::warn!("two certificates have one name: {shared}"));
}

/// This machine's names, as far as they are known.
fn own_names(config: &Config) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if let Some((host, _)) = config.listen.rsplit_once(':') {
        let host = host.trim_matches(['[', ']']).to_owned();
        if !host.is_empty() && !names.contains(&host) {
            names.push(host);
        }
    }
    names
}

fn server_config(certificates: Arc<Certificates>) -> Result<ServerConfig, String> {
    let mut provider = aws_lc_rs::default_provider();
    // AES-128 needs fewer rounds than AES-256, and is as safe here.
    provider.cipher_suites.sort_by_key(|suite| !is_aes_128(suite.suite()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("tls: {error}"))?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.ignore_client_order = true;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(|error| format!("tls (tickets): {error}"))?;
    Ok(config)
}

fn is_aes_128(suite: CipherSuite) -> bool {
    matches!(
        suite,
        CipherSuite::TLS13_AES_128_GCM_SHA256
            | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
            | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
    )
}

//! TLS where no proxy stands in front: rustls over aws-lc-rs, with a certificate that follows its files.

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::{self, default_provider};
use segue_certificate::Certificate;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Follows the certificate's files for as long as the origin runs.
pub(crate) async fn follow(certificate: Arc<Certificate>) {
    let mut told = String::new();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let certificate = Arc::clone(&certificate);
        let looked = tokio::task::spawn_blocking(move || certificate.reload()).await;
        match looked.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(true) => tracing::info!("a new certificate is in use"),
            Ok(false) => told.clear(),
            // Files that are away are met at every look, and told once.
            Err(reason) if reason != told => {
                tracing::error!("{reason}; the certificate in use stays");
                told = reason;
            }
            Err(_) => {}
        }
    }
}

/// What handshakes need.
///
/// # Errors
/// When the system gives no randomness.
pub(crate) fn server_config(certificate: Arc<Certificate>) -> Result<Arc<ServerConfig>, String> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("tls: {error}"))?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(|error| format!("tls (tickets): {error}"))?;
    Ok(Arc::new(config))
}

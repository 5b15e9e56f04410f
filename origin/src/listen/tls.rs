//! TLS where no proxy stands in front: rustls over aws-lc-rs, with a certificate that follows its files.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::{self, default_provider};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What the files held, so that a change shows. Contents, not times: files are replaced in many ways.
type Contents = (Vec<u8>, Vec<u8>);

/// A certificate with its private key. Handshakes take what is in use; open connections are not touched.
#[derive(Debug)]
pub(crate) struct Certificate {
    certificate: PathBuf,
    private: PathBuf,
    seen: Mutex<Contents>,
    current: ArcSwap<CertifiedKey>,
}

impl Certificate {
    /// Reads the two PEM files.
    ///
    /// # Errors
    /// When they cannot be read, are not PEM, or do not belong together; the text names the setting.
    pub(crate) fn open(certificate: &str, private: &str) -> Result<Self, String> {
        let (certificate, private) = (PathBuf::from(certificate), PathBuf::from(private));
        let seen = read(&certificate, &private)?;
        let current = ArcSwap::from_pointee(parse(&seen)?);
        Ok(Self { certificate, private, seen: Mutex::new(seen), current })
    }

    /// Takes the files into use when they have changed; `true` if so. A pair that cannot be used leaves the one in use,
    /// and is told once.
    fn reload(&self) -> Result<bool, String> {
        let contents = read(&self.certificate, &self.private)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == contents {
            return Ok(false);
        }
        let parsed = parse(&contents);
        *seen = contents;
        self.current.store(Arc::new(parsed?));
        Ok(true)
    }

    /// Follows the files for as long as the origin runs.
    pub(crate) async fn follow(self: Arc<Self>) {
        let mut told = String::new();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let certificate = Arc::clone(&self);
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
    pub(crate) fn server_config(self: &Arc<Self>) -> Result<Arc<ServerConfig>, String> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("tls: {error}"))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(|error| format!("tls (tickets): {error}"))?;
        Ok(Arc::new(config))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

fn read(certificate: &PathBuf, private: &PathBuf) -> Result<Contents, String> {
    let read = |setting: &str, path: &PathBuf| {
        std::fs::read(path).map_err(|error| format!("{setting}: {} cannot be read: {error}", path.display()))
    };
    Ok((read("tls_cert", certificate)?, read("tls_key", private)?))
}

fn parse((certificate, private): &Contents) -> Result<CertifiedKey, String> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("tls_cert: the file is no sound PEM: {error}"))?;
    if chain.is_empty() {
        return Err("tls_cert: no certificate is in the file; name a PEM file with BEGIN CERTIFICATE".into());
    }
    let private = PrivateKeyDer::from_pem_slice(private).map_err(|error| match error {
        pem::Error::NoItemsFound => {
            "tls_key: no private key is in the file; name a PEM file with one that has no passphrase".into()
        }
        error => format!("tls_key: the file is no sound PEM: {error}"),
    })?;
    CertifiedKey::from_der(chain, private, &default_provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            "tls_key: not the private key of the certificate in tls_cert; name a pair made together".into()
        }
        rustls::Error::InvalidCertificate(error) => {
            format!("tls_cert: the certificate cannot be read: {error}")
        }
        error => format!("tls_key: the private key cannot be used: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn what_cannot_be_used_names_its_setting() {
        let (first, second) = (pair(), pair());
        let wrapped = |what: &str| format!("-----BEGIN {what}-----\nAAAA\n-----END {what}-----\n");
        let rows = [
            ("hello", first.1.as_str(), "tls_cert: no certificate"),
            (&wrapped("CERTIFICATE"), &first.1, "tls_cert: the certificate cannot be read"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n", &first.1, "tls_cert: the file is no sound PEM"),
            (&first.0, "hello", "tls_key: no private key"),
            (&first.0, &wrapped("PRIVATE KEY"), "tls_key: the private key cannot be used"),
            (&first.0, &second.1, "tls_key: not the private key of"),
        ];
        for (certificate, private, hint) in rows {
            let error = parse(&(certificate.into(), private.into())).unwrap_err();
            assert!(error.starts_with(hint), "{error}");
        }
        assert!(Certificate::open("/nowhere", "/nowhere").unwrap_err().starts_with("tls_cert: /nowhere"));
    }

    #[test]
    fn files_are_followed_and_bad_ones_left() {
        let dir = tempfile::tempdir().unwrap();
        let (cert, private) = (dir.path().join("cert"), dir.path().join("private"));
        let write = |pair: (&str, &str)| {
            std::fs::write(&cert, pair.0).unwrap();
            std::fs::write(&private, pair.1).unwrap();
        };
        let (first, second) = (pair(), pair());
        write((&first.0, &first.1));
        let certificate = Certificate::open(cert.to_str().unwrap(), private.to_str().unwrap()).unwrap();
        let before = certificate.current.load_full();
        assert_eq!(certificate.reload(), Ok(false));
        write((&second.0, &first.1));
        assert!(certificate.reload().unwrap_err().starts_with("tls"), "they do not belong together");
        assert!(Arc::ptr_eq(&before, &certificate.current.load()));
        assert_eq!(certificate.reload(), Ok(false), "told once");
        write((&second.0, &second.1));
        assert_eq!(certificate.reload(), Ok(true));
        assert_ne!(before.cert, certificate.current.load().cert);
        std::fs::remove_file(&cert).unwrap();
        assert!(certificate.reload().is_err());
    }
}

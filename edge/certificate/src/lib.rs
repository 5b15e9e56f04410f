//! The certificate in use, for edges and origins: replaced while connections go on. Errors name the settings `tls_cert`
//! and `tls_key`.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    private: PathBuf,
}

/// What the files held, so that a change shows. Contents, not times: files are replaced in many ways.
type Contents = (Vec<u8>, Vec<u8>);

/// A certificate with its private key. Handshakes take what is in use; open connections are not touched.
#[derive(Debug)]
pub struct Certificate {
    current: ArcSwap<CertifiedKey>,
    files: Option<(Files, Mutex<Contents>)>,
}

impl Files {
    fn read(&self) -> Result<Contents, String> {
        let read = |setting: &str, path: &PathBuf| {
            let place = || format!("{setting}: {} cannot be read", path.display());
            std::fs::read(path).map_err(|error| format!("{}: {error}", place()))
        };
        Ok((read("tls_cert", &self.certificate)?, read("tls_key", &self.private)?))
    }
}

impl Certificate {
    /// Reads the PEM files of a chain and its private key.
    ///
    /// # Errors
    /// When they cannot be read, are not PEM, or do not belong together.
    pub fn from_files(certificate: &str, private: &str) -> Result<Self, String> {
        let files = Files { certificate: certificate.into(), private: private.into() };
        let contents = files.read()?;
        let current = ArcSwap::from_pointee(parse(&contents)?);
        Ok(Self { current, files: Some((files, Mutex::new(contents))) })
    }

    /// Makes a certificate for those names and addresses, for development.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn self_signed(names: Vec<String>) -> Result<Self, String> {
        let made = rcgen::generate_simple_self_signed(names).map_err(|error| format!("tls: {error}"))?;
        let chain = vec![made.cert.der().clone()];
        let private = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let certified = CertifiedKey::from_der(chain, private, &default_provider());
        let current = certified.map_err(|error| format!("tls: {error}"))?;
        Ok(Self { current: ArcSwap::from_pointee(current), files: None })
    }

    /// Reads the files again and takes them into use if they changed; `true` if so. A pair that cannot be used
    /// leaves the one in use.
    ///
    /// # Errors
    /// When the files changed and cannot be used.
    pub fn reload(&self) -> Result<bool, String> {
        let Some((files, seen)) = &self.files else { return Ok(false) };
        let contents = files.read()?;
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == contents {
            return Ok(false);
        }
        let parsed = parse(&contents);
        // A broken pair is reported once, not at every look.
        *seen = contents;
        self.current.store(Arc::new(parsed?));
        Ok(true)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
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
    CertifiedKey::from_der(chain, private, &default_provider()).map_err(|error| unusable(&error))
}

fn unusable(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            "tls_key: not the private key of the certificate in tls_cert; name a pair made together".into()
        }
        rustls::Error::InvalidCertificate(error) => {
            format!("tls_cert: the certificate cannot be read: {error}")
        }
        error => format!("tls_key: the private key cannot be used: {error}"),
    }
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
        let nowhere = Certificate::from_files("/nowhere", "/nowhere").unwrap_err();
        assert!(nowhere.starts_with("tls_cert: /nowhere"), "{nowhere}");
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
        let certificate = Certificate::from_files(cert.to_str().unwrap(), private.to_str().unwrap()).unwrap();
        let before = certificate.current.load_full();
        assert_eq!(certificate.reload(), Ok(false));
        write((&second.0, &first.1));
        assert!(certificate.reload().unwrap_err().starts_with("tls"), "they do not belong together");
        assert!(Arc::ptr_eq(&before, &certificate.current.load()));
        assert_eq!(certificate.reload(), Ok(false), "told once");
        write((&second.0, &second.1));
        assert_eq!(certificate.reload(), Ok(true));
        assert_ne!(before.cert, certificate.current.load().cert);
        write(("", ""));
        assert!(certificate.reload().is_err());
        std::fs::remove_file(&cert).unwrap();
        assert!(certificate.reload().is_err());
    }
}

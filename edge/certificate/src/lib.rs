//! Certificates in use, for edges and origins: replaced while connections go on. Errors name the settings that the files
//! come from: `tls_cert` and `tls_key`, or `tls_certs`.
#![forbid(unsafe_code)]

mod names;
mod several;

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

pub use several::{Certificates, Look};

#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    private: PathBuf,
    settings: Settings,
}

/// What the settings are called that name a certificate and its private key.
type Settings = (&'static str, &'static str);
const ONE: Settings = ("tls_cert", "tls_key");
const OF_SEVERAL: Settings = ("tls_certs", "tls_certs");

/// What the files held, so that a change shows. Contents, not times: files are replaced in many ways.
type Contents = (Vec<u8>, Vec<u8>);

/// What the last look found, or why it found nothing.
type Seen = Result<Contents, String>;

/// A certificate with its private key. Handshakes take what is in use; open connections are not touched.
#[derive(Debug)]
pub struct Certificate {
    current: ArcSwap<CertifiedKey>,
    files: Option<(Files, Mutex<Seen>)>,
}

impl Files {
    fn read(&self) -> Result<Contents, String> {
        let read = |setting: &str, path: &PathBuf| {
            let place = || format!("{setting}: {} cannot be read", path.display());
            std::fs::read(path).map_err(|error| format!("{}: {error}", place()))
        };
        Ok((read(self.settings.0, &self.certificate)?, read(self.settings.1, &self.private)?))
    }

    fn parse(&self, (certificate, private): &Contents) -> Result<CertifiedKey, String> {
        let of_chain = |text: &dyn Display| told(self.settings.0, &self.certificate, text);
        let of_private = |text: &dyn Display| told(self.settings.1, &self.private, text);
        let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate)
            .collect::<Result<_, _>>()
            .map_err(|error| of_chain(&format!("the file is no sound PEM: {error}")))?;
        if chain.is_empty() {
            return Err(of_chain(&"no certificate is in the file; name a PEM file with BEGIN CERTIFICATE"));
        }
        let private = PrivateKeyDer::from_pem_slice(private).map_err(|error| match error {
            pem::Error::NoItemsFound => {
                of_private(&"no private key is in the file; name a PEM file with one that has no passphrase")
            }
            error => of_private(&format!("the file is no sound PEM: {error}")),
        })?;
        CertifiedKey::from_der(chain, private, &default_provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => of_private(&format!(
                "not the private key of the certificate in {}; name a pair made together",
                self.certificate.display()
            )),
            rustls::Error::InvalidCertificate(error) => {
                of_chain(&format!("the certificate cannot be read: {error}"))
            }
            error => of_private(&format!("the private key cannot be used: {error}")),
        })
    }
}

/// An error that names setting and file.
fn told(setting: &str, file: &Path, text: &dyn Display) -> String {
    format!("{setting}: {}: {text}", file.display())
}

impl Certificate {
    /// Reads the PEM files of a chain and its private key.
    ///
    /// # Errors
    /// When they cannot be read, are not PEM, or do not belong together.
    pub fn from_files(certificate: &str, private: &str) -> Result<Self, String> {
        Self::follow(Files { certificate: certificate.into(), private: private.into(), settings: ONE })
    }

    /// The same for one of several, `chain.pem:key.pem`.
    ///
    /// # Errors
    /// When it is not two paths with a colon between them, and as [`Certificate::from_files`].
    pub fn from_pair(pair: &str) -> Result<Self, String> {
        let (certificate, private) = split(pair)?;
        Self::follow(Files { certificate: certificate.into(), private: private.into(), settings: OF_SEVERAL })
    }

    fn follow(files: Files) -> Result<Self, String> {
        let contents = files.read()?;
        let current = ArcSwap::from_pointee(files.parse(&contents)?);
        Ok(Self { current, files: Some((files, Mutex::new(Ok(contents)))) })
    }

    /// Its file, to be named in logs.
    fn place(&self) -> String {
        let files = self.files.as_ref();
        files.map_or_else(|| "self-signed".into(), |(files, _)| files.certificate.display().to_string())
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
        let found = files.read();
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == found {
            return Ok(false);
        }
        // What is wrong is reported once, not at every look.
        seen.clone_from(&found);
        self.current.store(Arc::new(files.parse(&found?)?));
        Ok(true)
    }
}

/// The two paths of a pair. None of them can have a colon in it.
///
/// # Errors
/// When there are not two of them.
pub fn split(pair: &str) -> Result<(&str, &str), String> {
    let mut parts = pair.split(':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(certificate), Some(private), None) if !certificate.is_empty() && !private.is_empty() => {
            Ok((certificate, private))
        }
        _ => Err(format!("tls_certs: '{pair}' is no pair of files; write chain.pem:key.pem")),
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
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
            ("hello", first.1.as_str(), "tls_cert: c.pem: no certificate"),
            (&wrapped("CERTIFICATE"), &first.1, "tls_cert: c.pem: the certificate cannot be read"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n", &first.1, "tls_cert: c.pem: the file is no sound PEM"),
            (&first.0, "hello", "tls_key: k.pem: no private key"),
            (&first.0, &wrapped("PRIVATE KEY"), "tls_key: k.pem: the private key cannot be used"),
            (&first.0, &second.1, "tls_key: k.pem: not the private key of the certificate in c.pem"),
        ];
        let files = Files { certificate: "c.pem".into(), private: "k.pem".into(), settings: ONE };
        for (certificate, private, hint) in rows {
            let error = files.parse(&(certificate.into(), private.into())).unwrap_err();
            assert!(error.starts_with(hint), "{error}");
        }
        let nowhere = Certificate::from_files("/nowhere", "/nowhere").unwrap_err();
        assert!(nowhere.starts_with("tls_cert: /nowhere"), "{nowhere}");
    }

    #[test]
    fn a_pair_is_two_files() {
        assert_eq!(split("/a/c.pem:/a/k.pem"), Ok(("/a/c.pem", "/a/k.pem")));
        for wrong in ["", ":", "c.pem", "c.pem:", ":k.pem", "a:b:c"] {
            assert!(split(wrong).unwrap_err().starts_with("tls_certs: "), "{wrong}");
        }
        let nowhere = Certificate::from_pair("/nowhere:/nowhere").unwrap_err();
        assert!(nowhere.starts_with("tls_certs: /nowhere"), "{nowhere}");
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

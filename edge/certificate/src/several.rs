//! Several certificates, of which a handshake takes the one for the name that the client asks for.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::Certificate;
use crate::names::Names;

/// Certificates by server name (SNI, RFC 6066 3), each following its files. Without a name, or with one that is in none of
/// them, the first is shown.
#[derive(Debug)]
pub struct Certificates {
    all: Mutex<Vec<Certificate>>,
    choice: ArcSwap<Choice>,
}

/// What handshakes choose from.
#[derive(Debug)]
struct Choice {
    first: Arc<CertifiedKey>,
    names: Names,
}

/// What a look at the files of all certificates found, for the log.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Files of certificates that were taken into use.
    pub reloaded: Vec<String>,
    /// Why others were not; those that were in use before stay.
    pub refused: Vec<String>,
    /// Names that stand in two certificates, if any was taken into use: which file is shown, and which is not.
    pub shared: Vec<String>,
}

impl Certificates {
    /// All of these, the default one first; with it, which names stand in two of them.
    ///
    /// # Errors
    /// When there are none.
    pub fn new(all: Vec<Certificate>) -> Result<(Self, Look), String> {
        let (choice, shared) = Choice::of(&all)?;
        let look = Look { shared, ..Look::default() };
        Ok((Self { all: Mutex::new(all), choice: ArcSwap::from_pointee(choice) }, look))
    }

    /// Takes others into use, instead of all that were there. Open connections are not touched.
    ///
    /// # Errors
    /// When there are none; those before stay.
    pub fn replace(&self, all: Vec<Certificate>) -> Result<Look, String> {
        let mut before = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let (choice, shared) = Choice::of(&all)?;
        *before = all;
        self.choice.store(Arc::new(choice));
        Ok(Look { shared, ..Look::default() })
    }

    /// Reads the files again and takes those that changed into use. A pair that cannot be used leaves the one in use, and
    /// is told of once.
    pub fn reload(&self) -> Look {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let mut look = Look::default();
        for certificate in all.iter() {
            match certificate.reload() {
                Ok(false) => {}
                Ok(true) => look.reloaded.push(certificate.place()),
                Err(error) => look.refused.push(error),
            }
        }
        if let (false, Ok((choice, shared))) = (look.reloaded.is_empty(), Choice::of(&all)) {
            self.choice.store(Arc::new(choice));
            look.shared = shared;
        }
        look
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let choice = self.choice.load();
        let found = hello.server_name().and_then(|name| choice.names.find(name));
        Some(found.unwrap_or(&choice.first).clone())
    }
}

impl Choice {
    fn of(all: &[Certificate]) -> Result<(Self, Vec<String>), String> {
        let certified: Vec<_> = all.iter().map(|certificate| certificate.current.load_full()).collect();
        let first =
            certified.first().ok_or("tls: there is no certificate; set tls_cert and tls_key")?.clone();
        let (names, shared) = Names::of(&certified);
        let told = shared.iter().map(|shared| {
            let (shown, hidden) = (all[shared.shown].place(), all[shared.hidden].place());
            format!("{} stands in {shown} and in {hidden}: the first is shown", shared.name)
        });
        Ok((Self { first, names }, told.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &std::path::Path, file: &str, names: &[&str]) -> String {
        let made =
            rcgen::generate_simple_self_signed(names.iter().map(ToString::to_string).collect::<Vec<_>>())
                .unwrap();
        let (chain, private) = (folder.join(format!("{file}.pem")), folder.join(format!("{file}.key")));
        std::fs::write(&chain, made.cert.pem()).unwrap();
        std::fs::write(&private, made.signing_key.serialize_pem()).unwrap();
        format!("{}:{}", chain.display(), private.display())
    }

    #[test]
    fn each_follows_its_files_and_names_move_with_them() {
        let folder = tempfile::tempdir().unwrap();
        let pairs = [write(folder.path(), "a", &["a.example"]), write(folder.path(), "b", &["b.example"])];
        let all = pairs.iter().map(|pair| Certificate::from_pair(pair).unwrap()).collect();
        let (certificates, look) = Certificates::new(all).unwrap();
        assert_eq!((look, certificates.reload()), (Look::default(), Look::default()));
        let shown = |name: &str| certificates.choice.load().names.find(name).cloned();
        assert!(shown("b.example").is_some() && shown("c.example").is_none());
        write(folder.path(), "b", &["c.example", "a.example"]);
        let look = certificates.reload();
        assert!(look.reloaded.len() == 1 && look.reloaded[0].ends_with("b.pem") && look.refused.is_empty());
        let shared = &look.shared[0];
        assert!(
            shared.starts_with("a.example") && shared.contains("a.pem") && shared.contains("b.pem"),
            "{shared}"
        );
        assert!(shown("b.example").is_none() && shown("c.example").is_some());
        std::fs::write(folder.path().join("b.key"), "broken").unwrap();
        let look = certificates.reload();
        assert!(look.reloaded.is_empty() && look.refused[0].contains("b.key"), "{look:?}");
        assert!(shown("c.example").is_some(), "the one before stays");
        assert_eq!(certificates.reload(), Look::default(), "told once");
        std::fs::remove_file(folder.path().join("b.key")).unwrap();
        assert!(certificates.reload().refused[0].contains("cannot be read"));
        assert_eq!(certificates.reload(), Look::default(), "this as well");
        assert!(certificates.replace(Vec::new()).is_err() && shown("a.example").is_some());
    }
}

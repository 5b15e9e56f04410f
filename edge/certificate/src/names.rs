//! Which certificate is for which server name.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use rustls::sign::CertifiedKey;
use webpki::EndEntityCert;

/// Certificates by the names that stand in them (subject alternative names, RFC 9525 6.1). Those of one name: the first
/// counts.
#[derive(Debug, Default)]
pub(crate) struct Names {
    exact: HashMap<String, Owner>,
    /// By what follows `*.`: a wildcard stands for one whole label, the leftmost (RFC 9525 6.3).
    wildcard: HashMap<String, Owner>,
}

#[derive(Debug)]
struct Owner {
    place: usize,
    certified: Arc<CertifiedKey>,
}

/// A name that two certificates have: the first of them is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) shown: usize,
    pub(crate) hidden: usize,
}

impl Names {
    /// Reads the names of all of them, told apart by their places.
    pub(crate) fn of(all: &[Arc<CertifiedKey>]) -> (Self, Vec<Shared>) {
        let (mut names, mut shared) = (Self::default(), Vec::new());
        for (place, certified) in all.iter().enumerate() {
            for name in names_in(certified) {
                let found = match name.strip_prefix("*.") {
                    Some(parent) => names.wildcard.entry(parent.to_owned()),
                    None => names.exact.entry(name.clone()),
                };
                match found {
                    Entry::Vacant(free) => drop(free.insert(Owner { place, certified: certified.clone() })),
                    // One certificate may say a name twice.
                    Entry::Occupied(taken) if taken.get().place == place => {}
                    Entry::Occupied(taken) => {
                        shared.push(Shared { name, shown: taken.get().place, hidden: place });
                    }
                }
            }
        }
        (names, shared)
    }

    /// The certificate for a name that a client asks for (RFC 6066 3): of that very name, else of a wildcard.
    pub(crate) fn find(&self, name: &str) -> Option<&Arc<CertifiedKey>> {
        let name = normal(name);
        let by_wildcard = || self.wildcard.get(name.split_once('.')?.1);
        self.exact.get(&name).or_else(by_wildcard).map(|owner| &owner.certified)
    }
}

/// The DNS names of a certificate. What it says of addresses does not matter here: clients never ask for one by SNI.
fn names_in(certified: &CertifiedKey) -> Vec<String> {
    let parsed = certified.cert.first().map(EndEntityCert::try_from);
    // rustls has read it in the same way before.
    let Some(Ok(certificate)) = parsed else { return Vec::new() };
    certificate.valid_dns_names().map(normal).collect()
}

fn normal(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Certificate;

    fn certified(names: &[&str]) -> Arc<CertifiedKey> {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        Certificate::self_signed(names).unwrap().current.load_full()
    }

    #[test]
    fn exact_names_come_before_wildcards_of_one_label() {
        let all = [
            certified(&["*.example.org", "10.0.0.1"]),
            certified(&["a.example.org", "Example.ORG"]),
            certified(&["*.b.example.org"]),
        ];
        let (names, shared) = Names::of(&all);
        assert_eq!(shared, []);
        let rows = [
            ("a.example.org", Some(1)),
            ("A.Example.Org.", Some(1)),
            ("example.org", Some(1)),
            ("c.example.org", Some(0)),
            ("b.example.org", Some(0)),
            ("x.b.example.org", Some(2)),
            ("x.y.b.example.org", None),
            ("x.c.example.org", None),
            ("*.example.org", Some(0)),
            ("org", None),
            ("", None),
            (".", None),
        ];
        for (name, place) in rows {
            let found = names.find(name);
            assert_eq!(found.is_some(), place.is_some(), "{name}");
            assert!(place.is_none_or(|place| Arc::ptr_eq(found.unwrap(), &all[place])), "{name}");
        }
    }

    #[test]
    fn the_first_of_one_name_is_shown() {
        let all =
            [certified(&["a.example", "*.b.example"]), certified(&["*.b.example", "a.example", "c.example"])];
        let (names, shared) = Names::of(&all);
        assert!(Arc::ptr_eq(names.find("a.example").unwrap(), &all[0]));
        assert!(Arc::ptr_eq(names.find("x.b.example").unwrap(), &all[0]));
        assert!(Arc::ptr_eq(names.find("c.example").unwrap(), &all[1]));
        let both = |name: &str| Shared { name: name.into(), shown: 0, hidden: 1 };
        assert_eq!(shared, [both("*.b.example"), both("a.example")]);
    }
}

//! Bearer secrets (RFC 6750) between Segue's own parts.

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use segue_manifests::Sha256;
use subtle::ConstantTimeEq;

use super::Problem;

/// A shared secret. Digests are compared, in constant time, so that neither content nor length leaks.
#[derive(Clone)]
pub(crate) struct Secret(Option<Digests>);

/// That of the secret, and that of the one before, which is taken as well.
#[derive(Clone, Copy)]
struct Digests([[u8; 32]; 2]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Secret(set)" } else { "Secret(off)" })
    }
}

impl Secret {
    /// The secret of that text; empty is off.
    pub(crate) fn new(text: &str) -> Self {
        let digest = || Sha256::of(text.as_bytes()).0;
        Self((!text.is_empty()).then(|| Digests([digest(); 2])))
    }

    /// The same, after `before`: that is still taken from those who began with it.
    pub(crate) fn after(self, before: &Self) -> Self {
        match (self.0, before.0) {
            (Some(Digests([new, _])), Some(Digests([old, _]))) if new != old => {
                Self(Some(Digests([new, old])))
            }
            _ => self,
        }
    }

    /// Whether a secret is set.
    pub(crate) fn is_set(&self) -> bool {
        self.0.is_some()
    }

    /// Lets a request pass that carries the secret, or any when none is set.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        if !self.is_set() {
            return Ok(());
        }
        let given = headers.get(AUTHORIZATION).map(|value| value.as_bytes()).and_then(bearer);
        match given {
            Some(given) if self.is(given) => Ok(()),
            _ => Err(refusal(given.is_some())),
        }
    }

    /// Whether this is the secret; nothing is where none is set.
    pub(crate) fn is(&self, given: &[u8]) -> bool {
        let digest = Sha256::of(given).0;
        self.0.is_some_and(|Digests([new, old])| bool::from(digest.ct_eq(&new) | digest.ct_eq(&old)))
    }
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| rest.trim_ascii())
}

fn refusal(given: bool) -> Problem {
    let (slug, detail) = match given {
        true => ("wrong-secret", "The bearer secret is not the one that this server was given."),
        false => ("no-secret", "Send the secret as `Authorization: Bearer <secret>`."),
    };
    Problem::new(StatusCode::UNAUTHORIZED, slug, "Unauthorized", detail)
        .with(WWW_AUTHENTICATE, "Bearer realm=\"segue\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_the_secret_passes() {
        let secret = Secret::new("hush");
        let table = [
            ("Bearer hush", true),
            ("bearer  hush ", true),
            ("Bearer hus", false),
            ("Basic hush", false),
            ("", false),
        ];
        for (value, passes) in table {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))]);
            assert_eq!(secret.check(&headers).is_ok(), passes, "{value}");
            assert!(Secret::new("").check(&headers).is_ok());
        }
        assert!(secret.check(&HeaderMap::new()).is_err());
    }

    #[test]
    fn the_one_before_is_taken_as_well_and_none_before_that() {
        let next = Secret::new("b").after(&Secret::new("a"));
        assert!(next.is(b"a") && next.is(b"b") && !next.is(b"c"));
        let next = Secret::new("b").after(&next);
        assert!(!next.is(b"a") && next.is(b"b"), "said again it is the only one");
        let next = Secret::new("c").after(&Secret::new("b").after(&Secret::new("a")));
        assert!(!next.is(b"a") && next.is(b"b") && next.is(b"c"));
    }
}

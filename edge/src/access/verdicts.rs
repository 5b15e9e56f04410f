//! Tokens that were checked before, by their SHA-256: one signature check for each session and edge, and none
//! for a forgery that is tried again at once.
//!
//! Only the signature is remembered. Times, path, method and rendition are checked on every request.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use moka::sync::Cache;
use segue_manifests::token::{Claims, Refusal};

/// Most tokens that are remembered as good, and as forged: apart, so that a flood of forgeries pushes out nobody.
const GOOD: u64 = 200_000;
const FORGED: u64 = 50_000;
/// How long a good token that is not used is remembered.
const GOOD_IDLE: Duration = Duration::from_secs(3600);
/// How long a forgery is remembered.
const FORGED_LIFE: Duration = Duration::from_secs(10);

type TokenHash = [u8; 32];

/// What is known about a token.
#[derive(Debug, Clone)]
pub(crate) enum Verdict {
    /// Its signature is right.
    Good(Arc<Claims>),
    /// It was right under other keys, and probably is.
    WasGood,
    /// It can never become right.
    Forged(Refusal),
}

/// Verdicts under one generation of keys; those of others grant nothing.
#[derive(Debug)]
pub(crate) struct Verdicts {
    good: Cache<TokenHash, (u64, Arc<Claims>)>,
    forged: Cache<TokenHash, (u64, Refusal)>,
}

impl Verdicts {
    pub(crate) fn new() -> Self {
        Self {
            good: Cache::builder().max_capacity(GOOD).time_to_idle(GOOD_IDLE).build(),
            forged: Cache::builder().max_capacity(FORGED).time_to_live(FORGED_LIFE).build(),
        }
    }

    pub(crate) fn hash(token: &str) -> TokenHash {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        hash
    }

    pub(crate) fn get(&self, hash: &TokenHash, generation: u64) -> Option<Verdict> {
        if let Some((under, claims)) = self.good.get(hash) {
            return Some(if under == generation { Verdict::Good(claims) } else { Verdict::WasGood });
        }
        let (under, refusal) = self.forged.get(hash)?;
        (under == generation).then_some(Verdict::Forged(refusal))
    }

    pub(crate) fn good(&self, hash: TokenHash, generation: u64, claims: Arc<Claims>) {
        self.good.insert(hash, (generation, claims));
    }

    /// Remembers a refusal if it says that the token is forged, and says whether it does; the others depend on the request or
    /// the time.
    pub(crate) fn refused(&self, hash: TokenHash, generation: u64, refusal: Refusal) -> bool {
        let forged = matches!(refusal, Refusal::Signature | Refusal::Malformed | Refusal::Algorithm);
        if forged {
            self.forged.insert(hash, (generation, refusal));
        }
        forged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_end_with_their_keys() {
        let verdicts = Verdicts::new();
        let (a, b) = (Verdicts::hash("a"), Verdicts::hash("b"));
        assert!(verdicts.refused(a, 1, Refusal::Signature));
        assert!(!verdicts.refused(b, 1, Refusal::Expired));
        assert!(matches!(verdicts.get(&a, 1), Some(Verdict::Forged(Refusal::Signature))));
        assert!(verdicts.get(&a, 2).is_none());
        assert!(verdicts.get(&b, 1).is_none(), "an expired token is no forgery");
        let claims = Claims {
            issuer: "test".into(),
            subject: None,
            expires: 600,
            not_before: 0,
            issued: 0,
            token_id: [7; 16],
            path_prefix: "/v1/a/".into(),
            methods: Vec::new(),
            playback_session: None,
            max_kbps: None,
        };
        verdicts.good(b, 1, Arc::new(claims));
        assert!(matches!(verdicts.get(&b, 1), Some(Verdict::Good(_))));
        assert!(matches!(verdicts.get(&b, 2), Some(Verdict::WasGood)));
    }
}

//! Identifiers of accounts, and others that are made rather than hashed.

use std::fmt;
use std::str::FromStr;

use segue_manifests::{AssetId, IdError};
use serde::{Deserialize, Serialize};

/// Names an account. Shown as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct UserId(AssetId);

impl UserId {
    /// Whoever has no account.
    pub(crate) const GUEST: Self = Self(AssetId([0; 16]));

    /// A new one.
    pub(crate) fn new(now_ms: u64) -> Self {
        Self(AssetId(timed_id(now_ms)))
    }

    /// The raw bytes, as the database keeps them.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0.0
    }
}

impl From<[u8; 16]> for UserId {
    fn from(bytes: [u8; 16]) -> Self {
        Self(AssetId(bytes))
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for UserId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Ok(Self(text.parse()?))
    }
}

/// A UUID of version 7 (RFC 9562 5.7): time in milliseconds first, so that rows are appended, then chance.
pub(crate) fn timed_id(now_ms: u64) -> [u8; 16] {
    let mut id: [u8; 16] = chance();
    id[..6].copy_from_slice(&now_ms.to_be_bytes()[2..]);
    id[6] = id[6] & 0x0f | 0x70;
    id[8] = id[8] & 0x3f | 0x80;
    id
}

/// Bytes that nobody can guess.
pub(crate) fn chance<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system's random source works");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_ordered_by_time() {
        let (early, late) = (UserId::new(1000), UserId::new(2000));
        assert!(early < late);
        assert_eq!(early.to_string().parse(), Ok(early));
        assert_eq!(&early.to_string()[12..13], "7");
    }
}

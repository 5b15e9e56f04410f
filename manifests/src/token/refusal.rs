//! Why a request is refused.

/// Reason for refusing a token. Every one of them answers 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The path needs a token and has none.
    #[error("the path carries no token")]
    Missing,
    /// Longer than [`super::MAX_TOKEN`].
    #[error("the token is too long")]
    TooLong,
    /// Not base64url, CBOR or COSE_Sign1 of this profile, or with claims that this profile does not know.
    #[error("the token cannot be read")]
    Malformed,
    /// The key set has no such key.
    #[error("the token's signing key is not known")]
    UnknownKey,
    /// The key stopped being accepted.
    #[error("the token's signing key is retired")]
    RetiredKey,
    /// The key was revoked.
    #[error("the token's signing key is revoked")]
    RevokedKey,
    /// The token states another algorithm than its key is for.
    #[error("the token's algorithm is not that of its signing key")]
    Algorithm,
    /// `nbf` lies ahead by more than the skew.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `exp` has passed by more than the skew.
    #[error("the token has expired")]
    Expired,
    /// The token is for another asset.
    #[error("the token does not cover this path")]
    Path,
    /// The token does not allow the method.
    #[error("the token does not cover this method")]
    Method,
    /// The rendition is above what the token allows.
    #[error("the token does not cover this rendition")]
    Rendition,
    /// The signature is wrong.
    #[error("the token's signature is wrong")]
    Signature,
    /// The token, or the playback session that it was minted for, was revoked. Only who was told knows: [`super::verify`] does not.
    #[error("the token is revoked")]
    Revoked,
}

impl Refusal {
    /// Every reason, in the order of the checks.
    pub const ALL: [Self; 14] = [
        Self::Missing,
        Self::TooLong,
        Self::Malformed,
        Self::UnknownKey,
        Self::RetiredKey,
        Self::RevokedKey,
        Self::Algorithm,
        Self::NotYetValid,
        Self::Expired,
        Self::Path,
        Self::Method,
        Self::Rendition,
        Self::Signature,
        Self::Revoked,
    ];

    /// Stable reason code for error bodies and metric labels.
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing => "token-missing",
            Self::TooLong => "token-too-long",
            Self::Malformed => "token-malformed",
            Self::UnknownKey => "token-key-unknown",
            Self::RetiredKey => "token-key-retired",
            Self::RevokedKey => "token-key-revoked",
            Self::Algorithm => "token-algorithm",
            Self::NotYetValid => "token-not-yet-valid",
            Self::Expired => "token-expired",
            Self::Path => "token-path",
            Self::Method => "token-method",
            Self::Rendition => "token-rendition",
            Self::Signature => "token-signature",
            Self::Revoked => "token-revoked",
        }
    }
}

//! Signed path tokens: a CAT-profiled (CTA-5007) CWT (RFC 8392) in COSE_Sign1 (RFC 9052) with Ed25519.
//!
//! A token travels as a path segment, `/v1/~<token>/a/<asset>/<rev>/...`, so that relative URIs in playlists
//! inherit it (RFC 3986 5.2) and playlists stay static and shared. Only public keys are needed to verify one:
//! a stolen edge cannot mint. The algorithm is bound to the signing key, never taken from the token.

mod claims;
mod cose;
mod key_set;
mod refusal;
mod signing;
mod verify;

pub use claims::{Claims, Method};
pub use key_set::{Algorithm, KeyId, KeySet, KeyState, PublicKey};
pub use refusal::Refusal;
pub use signing::{KeysError, SigningKeys};
pub use verify::{Access, MAX_TOKEN, authorise, decode, verify};

/// Longest life of a token, seconds.
pub const MAX_LIFETIME: u64 = 6 * 3600;
/// Shortest life of a token, seconds.
pub const MIN_LIFETIME: u64 = 15 * 60;
/// Clock difference between nodes that is forgiven, seconds.
pub const SKEW: u64 = 30;

/// Life of a session token for a track of that length, seconds: 1.25 times the track and ten minutes, within
/// [`MIN_LIFETIME`] and [`MAX_LIFETIME`].
pub fn session_lifetime(duration_ms: u64) -> u64 {
    (duration_ms / 800 + 600).clamp(MIN_LIFETIME, MAX_LIFETIME)
}

/// Signs claims with the active signing key; the token is base64url without padding.
pub fn mint(claims: &Claims, keys: &SigningKeys) -> String {
    let (kid, pair) = keys.active();
    cose::sign(&claims.to_cbor(), kid, pair)
}

#[cfg(test)]
mod tests;

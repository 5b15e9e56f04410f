//! The checks at the edge, cheapest first, the signature last.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::claims::{Claims, Method};
use super::cose::{ALG_EDDSA, Envelope};
use super::{KeyId, KeySet, MAX_LIFETIME, Refusal, SKEW};

/// Longest token that is looked at, in characters.
pub const MAX_TOKEN: usize = 1024;

/// What a request wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access<'a> {
    /// The normalised path without the token, `/v1/a/...`.
    pub path: &'a str,
    /// The method.
    pub method: Method,
    /// Bit rate that the rendition in the path states, kbit/s; `None` for paths outside of a rendition.
    pub kbps: Option<u32>,
}

/// Checks a token for a request: length, key, times, path, method, rendition, signature, in this order.
/// `now` is in seconds since the Unix epoch; times are forgiven [`SKEW`] seconds.
///
/// # Errors
/// The first check that failed.
pub fn verify(token: &str, access: &Access<'_>, keys: &KeySet, now: u64) -> Result<Claims, Refusal> {
    if token.is_empty() {
        return Err(Refusal::Missing);
    }
    if token.len() > MAX_TOKEN {
        return Err(Refusal::TooLong);
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Refusal::Malformed)?;
    let envelope = Envelope::read(&bytes).map_err(|_| Refusal::Malformed)?;
    let public = keys.accepted(envelope.kid, now)?;
    if envelope.alg != ALG_EDDSA {
        return Err(Refusal::Algorithm);
    }
    let claims = Claims::from_cbor(envelope.payload).map_err(|_| Refusal::Malformed)?;
    authorise(&claims, access, now)?;
    public.verify(&envelope.to_be_signed(), envelope.signature)?;
    Ok(claims)
}

/// Reads a token without checking it: for people who want to see what it says, never for granting anything.
///
/// # Errors
/// [`Refusal::TooLong`] or [`Refusal::Malformed`].
pub fn decode(token: &str) -> Result<(KeyId, Claims), Refusal> {
    if token.len() > MAX_TOKEN {
        return Err(Refusal::TooLong);
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| Refusal::Malformed)?;
    let envelope = Envelope::read(&bytes).map_err(|_| Refusal::Malformed)?;
    Ok((envelope.kid, Claims::from_cbor(envelope.payload).map_err(|_| Refusal::Malformed)?))
}

/// Checks claims whose signature was verified before. A cached verdict must be dropped when the key set changes.
///
/// # Errors
/// The first check that failed.
pub fn authorise(claims: &Claims, access: &Access<'_>, now: u64) -> Result<(), Refusal> {
    if claims.not_before > now.saturating_add(SKEW) {
        return Err(Refusal::NotYetValid);
    }
    if claims.expires.saturating_add(SKEW) < now {
        return Err(Refusal::Expired);
    }
    // No origin of ours mints a longer one; key retirement relies on it.
    if claims.expires.saturating_sub(claims.not_before) > MAX_LIFETIME {
        return Err(Refusal::Malformed);
    }
    if !access.path.starts_with(&claims.path_prefix) {
        return Err(Refusal::Path);
    }
    if !claims.methods.contains(&access.method) {
        return Err(Refusal::Method);
    }
    match (access.kbps, claims.max_kbps) {
        (Some(wanted), Some(allowed)) if wanted > allowed => Err(Refusal::Rendition),
        _ => Ok(()),
    }
}

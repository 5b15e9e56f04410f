//! Public keys with states, as edges poll them.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::Refusal;

/// Names a signing key: the first 8 bytes of the SHA-256 of its public half; reads as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for KeyId {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 8];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Where a signing key is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Published, not used yet; already accepted, since origins do not change over at one instant.
    Next,
    /// Signs new tokens.
    Active,
    /// Signs nothing more; accepted until `not_after`.
    Retiring,
    /// Refused.
    Revoked,
}

/// The public half of a signing key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    /// Name in tokens.
    pub kid: KeyId,
    /// Always `EdDSA`: the algorithm is bound to the key.
    pub alg: Algorithm,
    /// The 32 bytes, as base64url.
    #[serde(serialize_with = "write_x", deserialize_with = "read_x")]
    pub x: [u8; 32],
    /// Where the key is in its life.
    pub state: KeyState,
    /// Last second at which a retiring key is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<u64>,
}

/// Signature algorithms that keys may be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// Ed25519 (RFC 8032), COSE algorithm -8.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

/// The keys that tokens may be signed with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySet {
    /// Format version, 1.
    pub version: u32,
    /// At most [`KeySet::MAX_KEYS`].
    pub keys: Vec<PublicKey>,
}

impl KeySet {
    /// Most keys that are read.
    pub const MAX_KEYS: usize = 64;

    /// Reads a key set.
    ///
    /// # Errors
    /// When it is not JSON of this shape, of another version, or has too many keys.
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let set: Self = serde_json::from_slice(bytes).map_err(|e| format!("key set: {e}"))?;
        if set.version != 1 {
            return Err(format!("key set: version {} is not 1; upgrade this node", set.version));
        }
        if set.keys.len() > Self::MAX_KEYS {
            return Err(format!("key set: more than {} keys", Self::MAX_KEYS));
        }
        Ok(set)
    }

    /// Writes the key set.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a key set has only string keys")
    }

    /// The key of that name if tokens signed with it are accepted at `now`.
    pub(super) fn accepted(&self, kid: KeyId, now: u64) -> Result<&PublicKey, Refusal> {
        let found = self.keys.iter().find(|public| public.kid == kid).ok_or(Refusal::UnknownKey)?;
        match (found.state, found.not_after) {
            (KeyState::Revoked, _) => Err(Refusal::RevokedKey),
            (_, Some(last)) if now > last => Err(Refusal::RetiredKey),
            _ => Ok(found),
        }
    }
}

impl PublicKey {
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Refusal> {
        let public = UnparsedPublicKey::new(&ED25519, self.x);
        public.verify(message, signature).map_err(|_| Refusal::Signature)
    }
}

fn write_x<S: Serializer>(x: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&URL_SAFE_NO_PAD.encode(x))
}

fn read_x<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(D::Error::custom)?;
    bytes.try_into().map_err(|_| D::Error::custom("x is not 32 bytes"))
}

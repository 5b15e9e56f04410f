//! Identifiers: fixed-size bytes that read as lowercase hexadecimal, and rendition names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// An identifier that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: expected {expected}")]
pub struct IdError {
    what: &'static str,
    expected: &'static str,
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; $bytes]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = [0; 2 * $bytes];
                hex::encode_to_slice(self.0, &mut text).map_err(|_| fmt::Error)?;
                f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            /// Reads lowercase hexadecimal of the exact length; anything else is an error, so that every
            /// identifier has one spelling.
            fn from_str(text: &str) -> Result<Self, IdError> {
                let error = IdError { what: stringify!($name), expected: $expected };
                if text.bytes().any(|b| b.is_ascii_uppercase()) {
                    return Err(error);
                }
                let mut bytes = [0; $bytes];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| error)?;
                Ok(Self(bytes))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    };
}

hex_id!(
    /// Names one piece of audio: the first 128 bits of a SHA-256 over the source's coded audio, tags left out,
    /// so that retagging a file keeps its asset.
    AssetId, 16, "32 lowercase hexadecimal digits"
);
hex_id!(
    /// Names one packaging of an asset: 48 bits of a SHA-256 over ladder, encoder settings and metadata.
    Rev, 6, "12 lowercase hexadecimal digits"
);
hex_id!(
    /// A SHA-256 digest.
    Sha256, 32, "64 lowercase hexadecimal digits"
);

impl Sha256 {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
        let mut out = [0; 32];
        out.copy_from_slice(digest.as_ref());
        Self(out)
    }
}

/// Names one encoding of a track, `<codec>-<kbps>` or `<codec>`: `aac-256`, `flac`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
#[serde(transparent)]
pub struct RenditionName(String);

impl RenditionName {
    /// Longest name, in bytes.
    pub const MAX_LEN: usize = 32;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bit rate that the name states, in kbit/s; a name without one is lossless and ranks above all others.
    pub fn kbps(&self) -> u32 {
        self.0.rsplit_once('-').and_then(|(_, rate)| rate.parse().ok()).unwrap_or(u32::MAX)
    }
}

impl fmt::Display for RenditionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RenditionName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let shaped = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let starts = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        if shaped && starts && text.len() <= Self::MAX_LEN && !text.ends_with('-') {
            return Ok(Self(text.to_owned()));
        }
        Err(IdError { what: "RenditionName", expected: "a lowercase name such as aac-256" })
    }
}

impl<'de> Deserialize<'de> for RenditionName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_ids_have_one_spelling() {
        let text = "000102030405060708090a0b0c0d0e0f";
        let id: AssetId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        for bad in [
            "",
            "00",
            "000102030405060708090A0B0C0D0E0F",
            "zz0102030405060708090a0b0c0d0e0f",
            "../../etc/passwd",
        ] {
            assert!(bad.parse::<AssetId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn rendition_names_are_path_safe() {
        for good in ["aac-128", "flac", "opus-96"] {
            assert_eq!(good.parse::<RenditionName>().unwrap().as_str(), good);
        }
        for bad in ["", "-", "aac-", "AAC-128", "a/b", "..", "a.b", "a b", &"a".repeat(33)] {
            assert!(bad.parse::<RenditionName>().is_err(), "{bad}");
        }
        assert_eq!("aac-256".parse::<RenditionName>().unwrap().kbps(), 256);
        assert_eq!("flac".parse::<RenditionName>().unwrap().kbps(), u32::MAX);
    }

    #[test]
    fn digest_matches_the_published_vector() {
        assert_eq!(
            Sha256::of(b"abc").to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}

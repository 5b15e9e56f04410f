//! What players fetch: the delivery paths, token taken out. They are also the edges' cache keys.

use std::fmt;

use crate::cache::{CacheLifetime, PLAYLIST_TYPE, SEGMENT_TYPE, asset_surrogate_keys};
use crate::{AssetId, RenditionName, Rev, Sha256};

/// One resource below `/v1/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MediaPath {
    /// `/v1/a/<asset>/<rev>/mv.m3u8`
    Multivariant {
        /// The audio.
        asset: AssetId,
        /// The packaging.
        rev: Rev,
    },
    /// `/v1/a/<asset>/<rev>/<rendition>/media.m3u8`
    Media {
        /// The audio.
        asset: AssetId,
        /// The packaging.
        rev: Rev,
        /// The encoding.
        rendition: RenditionName,
    },
    /// `/v1/a/<asset>/<rev>/<rendition>/<index>.m4s`
    Segment {
        /// The audio.
        asset: AssetId,
        /// The packaging.
        rev: Rev,
        /// The encoding.
        rendition: RenditionName,
        /// Counted from 0.
        index: u32,
    },
    /// `/v1/i/<sha256>.mp4`, served without a token: it carries no audio.
    Init {
        /// Digest of its bytes.
        sha256: Sha256,
    },
}

impl MediaPath {
    /// The delivery path without a token.
    pub fn path(&self) -> String {
        self.to_string()
    }

    /// Reads a normalised path without a token; `None` for anything that [`Self::path`] does not write.
    pub fn parse(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("/v1/")?;
        if let Some(name) = rest.strip_prefix("i/") {
            return Some(Self::Init { sha256: name.strip_suffix(".mp4")?.parse().ok()? });
        }
        let (asset, rest) = rest.strip_prefix("a/")?.split_once('/')?;
        let (rev, rest) = rest.split_once('/')?;
        let (asset, rev) = (asset.parse().ok()?, rev.parse().ok()?);
        match rest.split_once('/') {
            Some((rendition, file)) => Self::parse_in_rendition(asset, rev, rendition.parse().ok()?, file),
            None => (rest == "mv.m3u8").then_some(Self::Multivariant { asset, rev }),
        }
    }

    fn parse_in_rendition(asset: AssetId, rev: Rev, rendition: RenditionName, file: &str) -> Option<Self> {
        if file == "media.m3u8" {
            return Some(Self::Media { asset, rev, rendition });
        }
        let digits = file.strip_suffix(".m4s")?;
        let canonical = digits == "0" || !digits.starts_with('0');
        let index = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())??;
        canonical.then_some(Self::Segment { asset, rev, rendition, index })
    }

    /// The path prefix that a token for this asset covers: `/v1/a/<asset>/<rev>/`.
    pub fn token_prefix(asset: AssetId, rev: Rev) -> String {
        format!("/v1/a/{asset}/{rev}/")
    }

    /// The rendition that the path lies in, if any.
    pub fn rendition(&self) -> Option<&RenditionName> {
        match self {
            Self::Media { rendition, .. } | Self::Segment { rendition, .. } => Some(rendition),
            Self::Multivariant { .. } | Self::Init { .. } => None,
        }
    }

    /// Media type.
    pub fn content_type(&self) -> &'static str {
        match self {
            Self::Multivariant { .. } | Self::Media { .. } => PLAYLIST_TYPE,
            Self::Segment { .. } | Self::Init { .. } => SEGMENT_TYPE,
        }
    }

    /// How long copies may live.
    pub fn cache_lifetime(&self) -> CacheLifetime {
        match self {
            Self::Multivariant { .. } | Self::Media { .. } => CacheLifetime::PLAYLIST,
            Self::Segment { .. } | Self::Init { .. } => CacheLifetime::IMMUTABLE,
        }
    }

    /// What the resource is purged by.
    pub fn surrogate_keys(&self) -> Vec<String> {
        match self {
            Self::Multivariant { asset, rev }
            | Self::Media { asset, rev, .. }
            | Self::Segment { asset, rev, .. } => asset_surrogate_keys(*asset, *rev),
            Self::Init { sha256 } => vec![format!("init-{sha256}")],
        }
    }
}

impl fmt::Display for MediaPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Multivariant { asset, rev } => write!(f, "/v1/a/{asset}/{rev}/mv.m3u8"),
            Self::Media { asset, rev, rendition } => write!(f, "/v1/a/{asset}/{rev}/{rendition}/media.m3u8"),
            Self::Segment { asset, rev, rendition, index } => {
                write!(f, "/v1/a/{asset}/{rev}/{rendition}/{index}.m4s")
            }
            Self::Init { sha256 } => write!(f, "/v1/i/{sha256}.mp4"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "/v1/a/00112233445566778899aabbccddeeff/0a1b2c3d4e5f";

    #[test]
    fn every_kind_of_path() {
        let (playlist, media) = (CacheLifetime::PLAYLIST, CacheLifetime::IMMUTABLE);
        let table = [
            (format!("{BASE}/mv.m3u8"), PLAYLIST_TYPE, playlist, None),
            (format!("{BASE}/aac-256/media.m3u8"), PLAYLIST_TYPE, playlist, Some("aac-256")),
            (format!("{BASE}/aac-256/0.m4s"), SEGMENT_TYPE, media, Some("aac-256")),
            (format!("{BASE}/flac/4294967295.m4s"), SEGMENT_TYPE, media, Some("flac")),
            (format!("/v1/i/{}.mp4", "0f".repeat(32)), SEGMENT_TYPE, media, None),
        ];
        for (path, content_type, lifetime, rendition) in table {
            let parsed = MediaPath::parse(&path).unwrap_or_else(|| panic!("{path}"));
            assert_eq!(parsed.path(), path);
            assert_eq!(parsed.content_type(), content_type, "{path}");
            assert_eq!(parsed.cache_lifetime(), lifetime, "{path}");
            assert_eq!(parsed.rendition().map(RenditionName::as_str), rendition, "{path}");
        }
    }

    #[test]
    fn only_the_canonical_spelling_is_read() {
        for tail in [
            "",
            "/",
            "/mv.m3u8/",
            "/mv.m3u8/x",
            "/aac-256",
            "/aac-256/01.m4s",
            "/aac-256/+1.m4s",
            "/aac-256/-1.m4s",
            "/aac-256/4294967296.m4s",
            "/aac-256/.m4s",
            "/aac-256/1.mp4",
            "/../mv.m3u8",
        ] {
            assert_eq!(MediaPath::parse(&format!("{BASE}{tail}")), None, "{tail}");
        }
    }
}

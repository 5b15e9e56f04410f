//! Where things lie in object storage, and what each of them is.

use std::fmt;

use crate::cache::{CacheLifetime, PLAYLIST_TYPE, SEGMENT_TYPE, asset_surrogate_keys};
use crate::{AssetId, RenditionName, Rev, Sha256};

/// One object of the bucket. Each kind knows its path, media type, cache lifetime and surrogate keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ObjectKey {
    /// Packed CMAF object of a rendition: init segment, then every media segment.
    Packed {
        /// The audio.
        asset: AssetId,
        /// The packaging.
        rev: Rev,
        /// The encoding.
        rendition: RenditionName,
    },
    /// Media playlist with byte ranges into the packed object.
    StaticMedia {
        /// The audio.
        asset: AssetId,
        /// The packaging.
        rev: Rev,
        /// The encoding.
        rendition: RenditionName,
    },
    /// Multivariant playlist over the static media playlists.
    StaticMultivariant {
        /// The audio.
        asset: AssetId,
        /// The packaging.
        rev: Rev,
    },
    /// Artwork.
    Cover {
        /// The audio.
        asset: AssetId,
        /// The packaging.
        rev: Rev,
        /// `jpg` or `png`.
        extension: String,
    },
    /// The descriptor, written last.
    Descriptor {
        /// The audio.
        asset: AssetId,
        /// The packaging.
        rev: Rev,
    },
    /// An init segment by content, shared by all assets that have the same one.
    Init {
        /// Digest of its bytes.
        sha256: Sha256,
    },
    /// Says by being there that an asset may not be played, in any packaging: for those who have only the store.
    Tombstone {
        /// The audio.
        asset: AssetId,
    },
}

impl ObjectKey {
    /// Path below the store's root.
    pub fn path(&self) -> String {
        self.to_string()
    }

    /// Reads a path that [`Self::path`] wrote; `None` for anything else.
    pub fn parse(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').collect();
        match parts[..] {
            ["i", file] => Some(Self::Init { sha256: file.strip_suffix(".mp4")?.parse().ok()? }),
            ["a", asset, "gone.json"] => Some(Self::Tombstone { asset: asset.parse().ok()? }),
            ["a", asset, rev, file] => Self::parse_file(asset.parse().ok()?, rev.parse().ok()?, file),
            _ => None,
        }
    }

    fn parse_file(asset: AssetId, rev: Rev, file: &str) -> Option<Self> {
        let (stem, extension) = file.split_once('.')?;
        match (stem, extension) {
            ("asset", "json") => Some(Self::Descriptor { asset, rev }),
            ("multivariant", "m3u8") => Some(Self::StaticMultivariant { asset, rev }),
            ("cover", "jpg" | "png") => Some(Self::Cover { asset, rev, extension: extension.to_owned() }),
            (name, "mp4") => Some(Self::Packed { asset, rev, rendition: name.parse().ok()? }),
            (name, "m3u8") => Some(Self::StaticMedia { asset, rev, rendition: name.parse().ok()? }),
            _ => None,
        }
    }

    /// Media type.
    pub fn content_type(&self) -> &'static str {
        match self {
            Self::Packed { .. } | Self::Init { .. } => SEGMENT_TYPE,
            Self::StaticMedia { .. } | Self::StaticMultivariant { .. } => PLAYLIST_TYPE,
            Self::Cover { extension, .. } if extension == "png" => "image/png",
            Self::Cover { .. } => "image/jpeg",
            Self::Descriptor { .. } | Self::Tombstone { .. } => "application/json",
        }
    }

    /// How long copies may live. Every object but a tombstone lies on a revisioned path and is never overwritten.
    pub fn cache_lifetime(&self) -> CacheLifetime {
        match self {
            Self::Descriptor { .. } | Self::Tombstone { .. } => CacheLifetime::PRIVATE,
            _ => CacheLifetime::IMMUTABLE,
        }
    }

    /// What the object is purged by.
    pub fn surrogate_keys(&self) -> Vec<String> {
        match self {
            Self::Packed { asset, rev, .. }
            | Self::StaticMedia { asset, rev, .. }
            | Self::StaticMultivariant { asset, rev }
            | Self::Cover { asset, rev, .. }
            | Self::Descriptor { asset, rev } => asset_surrogate_keys(*asset, *rev),
            Self::Init { sha256 } => vec![format!("init-{sha256}")],
            Self::Tombstone { asset } => vec![format!("asset-{asset}")],
        }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Packed { asset, rev, rendition } => write!(f, "a/{asset}/{rev}/{rendition}.mp4"),
            Self::StaticMedia { asset, rev, rendition } => write!(f, "a/{asset}/{rev}/{rendition}.m3u8"),
            Self::StaticMultivariant { asset, rev } => write!(f, "a/{asset}/{rev}/multivariant.m3u8"),
            Self::Cover { asset, rev, extension } => write!(f, "a/{asset}/{rev}/cover.{extension}"),
            Self::Descriptor { asset, rev } => write!(f, "a/{asset}/{rev}/asset.json"),
            Self::Init { sha256 } => write!(f, "i/{sha256}.mp4"),
            Self::Tombstone { asset } => write!(f, "a/{asset}/gone.json"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "00112233445566778899aabbccddeeff";
    const R: &str = "0a1b2c3d4e5f";

    #[test]
    fn every_kind_of_object() {
        let init = "ab".repeat(32);
        let (short, long) = (CacheLifetime::PRIVATE, CacheLifetime::IMMUTABLE);
        let own = vec![format!("asset-{A}"), format!("rev-{A}-{R}")];
        let table = [
            (format!("a/{A}/{R}/aac-128.mp4"), "audio/mp4", long, own.clone()),
            (format!("a/{A}/{R}/aac-128.m3u8"), "application/vnd.apple.mpegurl", long, own.clone()),
            (format!("a/{A}/{R}/multivariant.m3u8"), "application/vnd.apple.mpegurl", long, own.clone()),
            (format!("a/{A}/{R}/cover.jpg"), "image/jpeg", long, own.clone()),
            (format!("a/{A}/{R}/cover.png"), "image/png", long, own.clone()),
            (format!("a/{A}/{R}/asset.json"), "application/json", short, own),
            (format!("i/{init}.mp4"), "audio/mp4", long, vec![format!("init-{init}")]),
            (format!("a/{A}/gone.json"), "application/json", short, vec![format!("asset-{A}")]),
        ];
        for (path, content_type, lifetime, surrogate_keys) in table {
            let object_key = ObjectKey::parse(&path).unwrap_or_else(|| panic!("{path}"));
            assert_eq!(object_key.path(), path);
            assert_eq!(object_key.content_type(), content_type, "{path}");
            assert_eq!(object_key.cache_lifetime(), lifetime, "{path}");
            assert_eq!(object_key.surrogate_keys(), surrogate_keys, "{path}");
        }
    }

    #[test]
    fn foreign_paths_are_nothing() {
        for path in [
            "",
            "a",
            "a//",
            "i/x.mp4",
            "/a",
            &format!("a/{A}/{R}/../x.mp4"),
            &format!("a/{A}/{R}/x.exe"),
            &format!("a/{A}/{R}/x/y.mp4"),
        ] {
            assert_eq!(ObjectKey::parse(path), None, "{path}");
        }
    }
}

//! How long copies live, and what they are purged by.

/// `Cache-Control` for players and `CDN-Cache-Control` (RFC 9213) for edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheLifetime {
    /// Value of `Cache-Control`.
    pub player: &'static str,
    /// Value of `CDN-Cache-Control`; `None` where edges follow `Cache-Control` too.
    pub edge: Option<&'static str>,
}

impl CacheLifetime {
    /// Content behind a revisioned path never changes (RFC 8246).
    pub const IMMUTABLE: Self = Self { player: "public, max-age=31536000, immutable", edge: None };
    /// Playlists: short for players, so that a changed ladder reaches them; long for edges, which can be purged.
    pub const PLAYLIST: Self = Self {
        player: "public, max-age=60",
        edge: Some("max-age=86400, stale-while-revalidate=86400, stale-if-error=604800"),
    };
    /// Descriptors are between Segue's own parts.
    pub const PRIVATE: Self = Self { player: "no-store", edge: None };
}

/// Media type of HLS playlists (RFC 8216 4).
pub const PLAYLIST_TYPE: &str = "application/vnd.apple.mpegurl";
/// Media type of init and media segments.
pub const SEGMENT_TYPE: &str = "audio/mp4";

/// Surrogate keys of everything that belongs to one packaging of an asset.
pub(crate) fn asset_surrogate_keys(asset: crate::AssetId, rev: crate::Rev) -> Vec<String> {
    vec![format!("asset-{asset}"), format!("rev-{asset}-{rev}")]
}

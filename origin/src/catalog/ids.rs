//! Identifiers of artists and albums.
//!
//! They are hashes of folded names, not random: a database that was lost and read again from the store has the
//! same identifiers, so that links, favourites and user playlists stay right, and several origins agree without
//! talking. The price: tagging an album with another name makes another one (a curator who renames it keeps it). Where
//! releases of one name are told apart, the first that is read has the album's identifier. A song's identifier is its
//! asset's, which no tag changes.

use segue_manifests::{AssetId, Sha256};

use super::mbid::Mbid;
use crate::ids::id_type;

/// A song is its asset: retagging keeps it.
pub(crate) type SongId = AssetId;

id_type!(
    /// Names an artist.
    ArtistId
);
id_type!(
    /// Names an album.
    AlbumId
);
id_type!(
    /// Names what the editions of one album have in common.
    GroupId
);

impl ArtistId {
    /// The artist of that folded name.
    pub(crate) fn of(name_folded: &str) -> Self {
        Self(hash(&["artist", name_folded]))
    }
}

impl AlbumId {
    /// The album of that folded title by that album artist.
    pub(crate) fn of(artist: ArtistId, title_folded: &str) -> Self {
        Self(hash(&["album", &artist.to_string(), title_folded]))
    }

    /// Another release of that album.
    pub(super) fn edition(self, release: Mbid) -> Self {
        Self(hash(&["edition", &self.to_string(), &hex::encode(release.0)]))
    }
}

impl GroupId {
    /// The group of that MusicBrainz identifier, or the one of all albums of that name.
    pub(super) fn of(named: AlbumId, group: Option<Mbid>) -> Self {
        match group {
            Some(group) => Self(hash(&["release group", &hex::encode(group.0)])),
            None => Self(named.into()),
        }
    }
}

/// The first 128 bits of the SHA-256 of the parts; folded names hold no zero byte, which parts them.
fn hash(parts: &[&str]) -> AssetId {
    let digest = Sha256::of(parts.join("\0").as_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&digest.0[..16]);
    AssetId(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_make_lasting_identifiers() {
        let artist = ArtistId::of("bjork");
        assert_eq!(artist.to_string(), &Sha256::of(b"artist\0bjork").to_string()[..32]);
        assert_eq!(artist, artist.to_string().parse().unwrap());
        assert_ne!(AlbumId::of(artist, "debut"), AlbumId::of(artist, "post"));
        assert_ne!(AlbumId::of(artist, "debut"), AlbumId::of(ArtistId::of("other"), "debut"));
    }
}

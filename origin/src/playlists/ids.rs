//! Identifiers of playlists and of their entries.

use std::fmt;
use std::str::FromStr;

use segue_manifests::{AssetId, IdError};
use serde::{Deserialize, Serialize};

use crate::accounts::timed_id;

macro_rules! timed {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub(crate) struct $name(pub(super) AssetId);

        impl $name {
            /// A new one.
            pub(crate) fn new(now_ms: u64) -> Self {
                Self(AssetId(timed_id(now_ms)))
            }

            /// The raw bytes, as the database keeps them.
            pub(crate) fn bytes(&self) -> &[u8] {
                &self.0.0
            }
        }

        impl From<[u8; 16]> for $name {
            fn from(bytes: [u8; 16]) -> Self {
                Self(AssetId(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Ok(Self(text.parse()?))
            }
        }
    };
}

timed!(
    /// Names a playlist; the later made, the greater.
    PlaylistId
);
timed!(
    /// Names one place of a song in a playlist; the same song twice has two.
    EntryId
);

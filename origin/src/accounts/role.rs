//! What an account may do.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Each role may do what the one before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Plays, and has playlists, favourites and a history.
    Listener,
    /// Also changes the catalog.
    Curator,
    /// Also rules over accounts.
    Administrator,
}

impl Role {
    /// As the database and the API spell it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Curator => "curator",
            Self::Administrator => "administrator",
        }
    }
}

impl FromStr for Role {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let roles = [Self::Listener, Self::Curator, Self::Administrator];
        roles.into_iter().find(|role| role.as_str() == text).ok_or(())
    }
}

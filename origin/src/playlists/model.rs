//! What the API shows of playlists.

use std::fmt;
use std::str::FromStr;

use segue_manifests::AssetId;
use serde::{Deserialize, Serialize, Serializer};

use super::ids::{EntryId, PlaylistId};
use crate::accounts::{Invalid, UserId, display_name};
use crate::catalog::cursor::Place;
use crate::catalog::{CoverRef, Song, Time};

/// Longest description, characters.
const MAX_DESCRIPTION: usize = 2000;

/// Who sees a playlist, besides its owner and those who work on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Visibility {
    /// Everyone; it is listed.
    Public,
    /// Whoever knows its identifier.
    Unlisted,
    /// Nobody.
    Private,
}

impl Visibility {
    /// As the database keeps it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Unlisted => "unlisted",
            Self::Private => "private",
        }
    }
}

impl FromStr for Visibility {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Public, Self::Unlisted, Self::Private].into_iter().find(|it| it.as_str() == text).ok_or(())
    }
}

/// The state of a playlist: counts its changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Snapshot(pub(crate) u64);

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An account as playlists name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) username: String,
    pub(crate) name: String,
}

/// A playlist without its songs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Playlist {
    pub(crate) id: PlaylistId,
    pub(crate) name: String,
    #[serde(skip)]
    pub(crate) name_folded: String,
    pub(crate) description: String,
    pub(crate) visibility: Visibility,
    pub(crate) owner: Person,
    pub(crate) song_count: u64,
    pub(crate) duration_ms: u64,
    /// That of the first song.
    pub(crate) cover: Option<CoverRef>,
    pub(crate) snapshot: Snapshot,
    /// Whether the caller may change its songs.
    pub(crate) editable: bool,
    pub(crate) created_at: Time,
    pub(crate) updated_at: Time,
}

/// A song in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Entry {
    pub(crate) entry_id: EntryId,
    #[serde(skip)]
    pub(crate) position: String,
    pub(crate) added_at: Time,
    /// `null` when that account is gone.
    pub(crate) added_by: Option<UserId>,
    pub(crate) song: Song,
}

/// Someone who works on another's playlist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Collaborator {
    #[serde(flatten)]
    pub(crate) user: Person,
    pub(crate) added_at: Time,
}

/// Place in a playlist: position and entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EntryPlace(pub(super) String, pub(super) EntryId);

impl Place for EntryPlace {
    fn start() -> Self {
        Self(String::new(), EntryId::from([0; 16]))
    }
}

/// Place in a list that is sorted by identifier, the greatest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Newest(pub(super) AssetId);

impl Place for Newest {
    fn start() -> Self {
        Self(AssetId([0xff; 16]))
    }
}

/// Place in a list of accounts that is sorted by identifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PersonPlace(pub(super) UserId);

impl Place for PersonPlace {
    fn start() -> Self {
        Self(UserId::GUEST)
    }
}

/// What a playlist says about itself, to be made or changed. Members that are absent stay.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) visibility: Option<Visibility>,
}

impl Words {
    /// The same, cleaned.
    ///
    /// # Errors
    /// Names the member that cannot be taken.
    pub(super) fn checked(&self) -> Result<Self, Invalid> {
        Ok(Self {
            name: self.name.as_deref().map(display_name).transpose()?,
            description: self.description.as_deref().map(description).transpose()?,
            visibility: self.visibility,
        })
    }
}

fn description(text: &str) -> Result<String, Invalid> {
    let clean = text.trim().replace("\r\n", "\n");
    let fine = clean.chars().count() <= MAX_DESCRIPTION
        && !clean.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t'));
    if fine {
        return Ok(clean);
    }
    Err(Invalid { member: "description", reason: "at most 2000 characters, without control characters" })
}

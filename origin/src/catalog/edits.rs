//! What curators set. It lies over what tags say, however often these are read; the rest follows the tags.

use super::credits::{Credits, Role};
use super::ids::{AlbumId, GroupId};
use super::tags::{Name, Place, Shelf};

/// Where a curator put a song.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// On no album.
    Single,
    On(AlbumId),
}

/// What was set for a song.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SongEdits {
    pub(crate) title: Option<String>,
    pub(crate) artist: Option<String>,
    pub(crate) album: Option<Placement>,
    pub(crate) track_number: Option<u32>,
    pub(crate) disc_number: Option<u32>,
    pub(crate) isrc: Option<String>,
}

/// What was set for an album.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AlbumEdits {
    pub(crate) title: Option<String>,
    pub(crate) artist: Option<String>,
    pub(crate) date: Option<String>,
    pub(crate) release_group: Option<GroupId>,
}

/// A member of a change: left out, withdrawn, or set.
pub(crate) type Member<T> = Option<Option<T>>;

/// A change of what is set for a song.
#[derive(Debug, Clone, Default)]
pub(crate) struct SongChange {
    pub(crate) title: Member<String>,
    pub(crate) artist: Member<String>,
    pub(crate) album: Member<Placement>,
    pub(crate) track_number: Member<u32>,
    pub(crate) disc_number: Member<u32>,
    pub(crate) isrc: Member<String>,
}

/// A change of what is set for an album.
#[derive(Debug, Clone, Default)]
pub(crate) struct AlbumChange {
    pub(crate) title: Member<String>,
    pub(crate) artist: Member<String>,
    pub(crate) date: Member<String>,
    pub(crate) release_group: Member<GroupId>,
}

fn merged<T: Clone>(old: &Option<T>, change: &Member<T>) -> Option<T> {
    change.clone().unwrap_or_else(|| old.clone())
}

/// The names of the members that there are.
fn names(members: &[(&'static str, bool)]) -> Vec<&'static str> {
    members.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect()
}

impl SongEdits {
    /// With a change.
    pub(super) fn with(&self, change: &SongChange) -> Self {
        Self {
            title: merged(&self.title, &change.title),
            artist: merged(&self.artist, &change.artist),
            album: merged(&self.album, &change.album),
            track_number: merged(&self.track_number, &change.track_number),
            disc_number: merged(&self.disc_number, &change.disc_number),
            isrc: merged(&self.isrc, &change.isrc),
        }
    }

    /// The members that are set, as the API names them.
    pub(super) fn names(&self) -> Vec<&'static str> {
        names(&[
            ("title", self.title.is_some()),
            ("artist", self.artist.is_some()),
            ("album_id", self.album.is_some()),
            ("track_number", self.track_number.is_some()),
            ("disc_number", self.disc_number.is_some()),
            ("isrc", self.isrc.is_some()),
        ])
    }

    /// Puts what is set over what tags say. Who wrote or conducts it stays, whoever the artist is.
    pub(super) fn lay_over(&self, shelf: &mut Shelf) {
        if let Some(title) = self.title.as_deref().and_then(Name::of) {
            shelf.title = title;
        }
        if let Some(mut credits) = credits_of(self.artist.as_deref()) {
            let behind = shelf.credits.names.iter().filter(|it| it.role > Role::Featured);
            credits.names.extend(behind.cloned());
            shelf.credits = credits;
        }
        match self.album {
            Some(Placement::Single) => shelf.album = Place::None,
            Some(Placement::On(album)) => shelf.album = Place::On(album),
            None => {}
        }
        shelf.track_number = self.track_number.or(shelf.track_number);
        shelf.disc_number = self.disc_number.or(shelf.disc_number);
        shelf.isrc = self.isrc.clone().or(shelf.isrc.take());
    }
}

impl AlbumEdits {
    /// With a change.
    pub(super) fn with(&self, change: &AlbumChange) -> Self {
        Self {
            title: merged(&self.title, &change.title),
            artist: merged(&self.artist, &change.artist),
            date: merged(&self.date, &change.date),
            release_group: merged(&self.release_group, &change.release_group),
        }
    }

    /// The members that are set, as the API names them.
    pub(super) fn names(&self) -> Vec<&'static str> {
        names(&[
            ("title", self.title.is_some()),
            ("artist", self.artist.is_some()),
            ("date", self.date.is_some()),
            ("release_group_id", self.release_group.is_some()),
        ])
    }

    /// The credits that are set.
    pub(super) fn credits(&self) -> Option<Credits> {
        credits_of(self.artist.as_deref())
    }
}

impl SongChange {
    /// The members that it names.
    pub(super) fn names(&self) -> Vec<&'static str> {
        names(&[
            ("title", self.title.is_some()),
            ("artist", self.artist.is_some()),
            ("album_id", self.album.is_some()),
            ("track_number", self.track_number.is_some()),
            ("disc_number", self.disc_number.is_some()),
            ("isrc", self.isrc.is_some()),
        ])
    }
}

impl AlbumChange {
    /// The members that it names.
    pub(super) fn names(&self) -> Vec<&'static str> {
        names(&[
            ("title", self.title.is_some()),
            ("artist", self.artist.is_some()),
            ("date", self.date.is_some()),
            ("release_group_id", self.release_group.is_some()),
        ])
    }

    /// Whether it withdraws something that was set.
    pub(super) fn withdraws(&self, from: &AlbumEdits) -> bool {
        let left = self.names();
        let stays = from.with(self).names();
        from.names().iter().any(|name| left.contains(name) && !stays.contains(name))
    }
}

fn credits_of(artist: Option<&str>) -> Option<Credits> {
    artist.and_then(Name::of).map(|line| Credits::of(line, &[], &[]))
}

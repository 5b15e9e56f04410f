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

/// A member of a change: left out, withdrawn, or set.
pub(crate) type Member<T> = Option<Option<T>>;

fn merged<T: Clone>(old: &Option<T>, change: &Member<T>) -> Option<T> {
    change.clone().unwrap_or_else(|| old.clone())
}

/// The names of the members that there are.
fn names(members: &[(&'static str, bool)]) -> Vec<&'static str> {
    members.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect()
}

/// What was set, and a change of it: the same members, as the API names them.
macro_rules! edits {
    ($edits:ident, $change:ident, { $($member:ident: $kind:ty = $name:literal,)* }) => {
        /// What was set.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub(crate) struct $edits {
            $(pub(crate) $member: Option<$kind>,)*
        }

        /// A change of what is set.
        #[derive(Debug, Clone, Default)]
        pub(crate) struct $change {
            $(pub(crate) $member: Member<$kind>,)*
        }

        impl $edits {
            /// With a change.
            pub(super) fn with(&self, change: &$change) -> Self {
                Self { $($member: merged(&self.$member, &change.$member),)* }
            }

            /// The members that are set, as the API names them.
            pub(super) fn names(&self) -> Vec<&'static str> {
                names(&[$(($name, self.$member.is_some()),)*])
            }
        }

        impl $change {
            /// The members that it names.
            pub(super) fn names(&self) -> Vec<&'static str> {
                names(&[$(($name, self.$member.is_some()),)*])
            }
        }
    };
}

edits!(SongEdits, SongChange, {
    title: String = "title",
    artist: String = "artist",
    album: Placement = "album_id",
    track_number: u32 = "track_number",
    disc_number: u32 = "disc_number",
    isrc: String = "isrc",
});

edits!(AlbumEdits, AlbumChange, {
    title: String = "title",
    artist: String = "artist",
    date: String = "date",
    release_group: GroupId = "release_group_id",
});

impl SongEdits {
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
    /// The credits that are set.
    pub(super) fn credits(&self) -> Option<Credits> {
        credits_of(self.artist.as_deref())
    }
}

impl AlbumChange {
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

//! From tags as people wrote them to a place in the catalog.

use segue_manifests::Tags;

use super::credits::{Credits, Role};
use super::fold::fold;
use super::ids::{AlbumId, ArtistId};
use super::mbid::{Mbid, isrc, mbid};

/// Which way of reading tags this is. Songs that were read in an earlier way are read again by the next scan.
pub(super) const READ_AS: i64 = 1;
/// Longest name that is kept, characters.
pub(crate) const MAX_NAME: usize = 500;
const UNKNOWN_ARTIST: &str = "Unknown artist";
const UNTITLED: &str = "Untitled";
/// A song without a number stands behind those that have one.
const LAST: i64 = i64::MAX;

/// A name as shown and as compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) shown: String,
    pub(super) folded: String,
}

/// An artist to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedArtist {
    pub(super) id: ArtistId,
    pub(super) name: Name,
}

/// An album to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedAlbum {
    /// Of every album of this name; the database tells editions apart.
    pub(super) id: AlbumId,
    pub(super) title: Name,
    pub(super) credits: Credits,
    /// `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, or empty.
    pub(super) date: String,
    pub(super) release: Option<Mbid>,
    pub(super) release_group: Option<Mbid>,
    pub(super) disc_total: Option<u32>,
}

/// The album of a song.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A single.
    None,
    /// As the tags name it.
    Named(Box<NamedAlbum>),
    /// One that is there, as a curator said.
    On(AlbumId),
}

/// Where a song belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shelf {
    pub(super) title: Name,
    pub(super) credits: Credits,
    pub(super) album: Place,
    pub(super) track_number: Option<u32>,
    pub(super) disc_number: Option<u32>,
    pub(super) isrc: Option<String>,
    pub(super) recording: Option<Mbid>,
}

impl Shelf {
    /// Finds the place for these tags. A missing artist is taken from the album artist and the other way
    /// round, without guests; where both are missing it is "Unknown artist". An album is told by its album artist and
    /// title, so that a compilation stays one album.
    pub(super) fn of(tags: &Tags) -> Self {
        let own = |line, several, ids| Name::of(line).map(|line| Credits::of(line, several, ids));
        let artist = own(&tags.artist, &tags.artists, &tags.mb_artists);
        let album_artist = own(&tags.album_artist, &tags.album_artists, &tags.mb_album_artists);
        let mut credits = artist.or_else(|| album_artist.clone()).unwrap_or_else(Credits::unknown);
        let album = match Name::of(&tags.album) {
            Some(title) => {
                let credits = album_artist.unwrap_or_else(|| credits.without_guests());
                Place::Named(Box::new(NamedAlbum::of(tags, title, credits)))
            }
            None => Place::None,
        };
        for (role, names) in [
            (Role::Remixer, &tags.remixers),
            (Role::Conductor, &tags.conductors),
            (Role::Composer, &tags.composers),
            (Role::Lyricist, &tags.lyricists),
        ] {
            credits.add(role, names);
        }
        let number = |n: &u32| *n > 0;
        Self {
            title: Name::of(&tags.title).unwrap_or_else(|| Name::literal(UNTITLED)),
            credits,
            album,
            track_number: tags.track_number.filter(number),
            disc_number: tags.disc_number.filter(number),
            isrc: isrc(&tags.isrc),
            recording: mbid(&tags.mb_recording),
        }
    }

    /// Values that order the song within its album: disc and number.
    pub(super) fn places(&self) -> (i64, i64) {
        (self.disc_number.map_or(1, i64::from), self.track_number.map_or(LAST, i64::from))
    }
}

impl NamedAlbum {
    fn of(tags: &Tags, title: Name, credits: Credits) -> Self {
        Self {
            id: AlbumId::of(ArtistId::of(&credits.line.folded), &title.folded),
            title,
            credits,
            date: date(&tags.date),
            release: mbid(&tags.mb_release),
            release_group: mbid(&tags.mb_release_group),
            disc_total: tags.disc_total.filter(|n| *n > 0),
        }
    }
}

impl Credits {
    fn unknown() -> Self {
        Self::of(Name::literal(UNKNOWN_ARTIST), &[], &[])
    }
}

impl Name {
    /// A name without control characters and outer spaces, cut to a sane length; nothing when nothing is left.
    pub(super) fn of(raw: &str) -> Option<Self> {
        let clean: String =
            raw.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_NAME).collect();
        let shown = clean.trim().to_owned();
        let folded: String = fold(&shown).chars().take(MAX_NAME).collect();
        (!folded.is_empty()).then_some(Self { shown, folded })
    }

    fn literal(text: &str) -> Self {
        Self { shown: text.to_owned(), folded: fold(text) }
    }
}

/// Whether a name can be kept as it is.
pub(crate) fn is_name(text: &str) -> bool {
    Name::of(text).is_some_and(|name| name.shown == text)
}

/// The longest beginning of the tag that is a date: `2020-05-01T00:00` gives the day, `1999 (reissue)` the year.
fn date(raw: &str) -> String {
    let raw = raw.trim();
    [10, 7, 4]
        .into_iter()
        .filter_map(|length| raw.get(..length))
        .find(|text| is_date(text))
        .unwrap_or_default()
        .to_owned()
}

/// Whether it is `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
pub(crate) fn is_date(text: &str) -> bool {
    let shaped = [4, 7, 10].contains(&text.len())
        && text.bytes().enumerate().all(|(at, b)| match at {
            4 | 7 => b == b'-',
            _ => b.is_ascii_digit(),
        });
    let within = |range: std::ops::Range<usize>, highest: u8| {
        text.get(range).is_none_or(|part| part.parse().is_ok_and(|n: u8| (1..=highest).contains(&n)))
    };
    shaped && text != "0000" && within(5..7, 12) && within(8..10, 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(title: &str, artist: &str, album: &str, album_artist: &str) -> Tags {
        Tags {
            title: title.into(),
            artist: artist.into(),
            album: album.into(),
            album_artist: album_artist.into(),
            ..Tags::default()
        }
    }

    #[test]
    fn missing_tags_get_sensible_places() {
        let bare = Shelf::of(&Tags::default());
        assert_eq!((&*bare.title.shown, &*bare.credits.line.shown), ("Untitled", "Unknown artist"));
        assert_eq!(bare.album, Place::None);
        assert_eq!(bare.places(), (1, LAST));
        let by_album_artist = Shelf::of(&tags("One", " \0 ", "First", "Someone"));
        assert_eq!(by_album_artist.credits.line.shown, "Someone");
        let by_artist = Shelf::of(&tags("One", "Someone", "First", ""));
        assert_eq!(by_artist.album, by_album_artist.album);
    }

    #[test]
    fn a_compilation_is_one_album() {
        let id = |artist, album, album_artist| match Shelf::of(&tags("t", artist, album, album_artist)).album
        {
            Place::Named(album) => album.id,
            other => panic!("{other:?}"),
        };
        let one = id("A", "Hits", "Various Artists");
        assert_eq!(one, id("B", "HITS ", "various artists"));
        assert_ne!(one, id("C", "Hits", ""));
        assert_eq!(id("C", "Hits", ""), id("C feat. D", "Hits", ""), "guests make no other album");
    }

    #[test]
    fn names_are_cleaned_and_cut() {
        let shelf = Shelf::of(&tags("a\nb\u{7}", "  X  ", "", ""));
        assert_eq!(shelf.title.shown, "a b");
        assert_eq!(shelf.credits.line.shown, "X");
        let long = Shelf::of(&tags(&"\u{fdfa}".repeat(100_000), "x", "", "")).title;
        assert!(long.shown.chars().count() == MAX_NAME && long.folded.chars().count() <= MAX_NAME);
    }

    #[test]
    fn dates_are_read_from_their_beginning() {
        let table = [
            ("2020", "2020"),
            ("2020-05", "2020-05"),
            ("2020-05-31", "2020-05-31"),
            ("2020-05-31T10:00:00Z", "2020-05-31"),
            ("1999 (reissue)", "1999"),
            ("2020-13-01", "2020"),
            ("0000", ""),
            ("May 2020", ""),
            ("日本語", ""),
            ("", ""),
        ];
        for (raw, expected) in table {
            assert_eq!(date(raw), expected, "{raw}");
        }
    }
}

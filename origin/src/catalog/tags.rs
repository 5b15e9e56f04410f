//! From tags as people wrote them to a place in the catalog.

use segue_manifests::Tags;

use super::fold::fold;
use super::ids::{AlbumId, ArtistId};

/// Longest name that is kept, characters.
const MAX_NAME: usize = 500;
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
    pub(super) id: AlbumId,
    pub(super) title: Name,
    pub(super) artist: NamedArtist,
    /// `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, or empty.
    pub(super) date: String,
}

/// Where a song belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shelf {
    pub(super) title: Name,
    pub(super) artist: NamedArtist,
    /// None for a single without an album.
    pub(super) album: Option<NamedAlbum>,
    pub(super) track_number: Option<u32>,
    pub(super) disc_number: Option<u32>,
}

impl Shelf {
    /// Finds the place for these tags. A missing artist is taken from the album artist and the other way
    /// round; where both are missing it is "Unknown artist". An album is told by its album artist and title,
    /// so that a compilation stays one album.
    pub(super) fn of(tags: &Tags) -> Self {
        let artist = Name::of(&tags.artist).or_else(|| Name::of(&tags.album_artist));
        let album_artist = Name::of(&tags.album_artist).or_else(|| artist.clone());
        let album = Name::of(&tags.album).map(|title| {
            let artist = NamedArtist::of(album_artist);
            NamedAlbum { id: AlbumId::of(artist.id, &title.folded), title, artist, date: date(&tags.date) }
        });
        Self {
            title: Name::of(&tags.title).unwrap_or_else(|| Name::literal(UNTITLED)),
            artist: NamedArtist::of(artist),
            album,
            track_number: tags.track_number.filter(|&n| n > 0),
            disc_number: tags.disc_number.filter(|&n| n > 0),
        }
    }

    /// Values that order the song within its album: disc and number.
    pub(super) fn places(&self) -> (i64, i64) {
        (self.disc_number.map_or(1, i64::from), self.track_number.map_or(LAST, i64::from))
    }
}

impl Name {
    /// A name without control characters and outer spaces, cut to a sane length; nothing when nothing is left.
    fn of(raw: &str) -> Option<Self> {
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

impl NamedArtist {
    fn of(name: Option<Name>) -> Self {
        let name = name.unwrap_or_else(|| Name::literal(UNKNOWN_ARTIST));
        Self { id: ArtistId::of(&name.folded), name }
    }
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

fn is_date(text: &str) -> bool {
    let shaped = text.bytes().enumerate().all(|(at, b)| match at {
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
        assert_eq!((&*bare.title.shown, &*bare.artist.name.shown), ("Untitled", "Unknown artist"));
        assert_eq!(bare.album, None);
        assert_eq!(bare.places(), (1, LAST));
        let by_album_artist = Shelf::of(&tags("One", " \0 ", "First", "Someone"));
        assert_eq!(by_album_artist.artist.name.shown, "Someone");
        let by_artist = Shelf::of(&tags("One", "Someone", "First", ""));
        assert_eq!(by_artist.album, by_album_artist.album);
    }

    #[test]
    fn a_compilation_is_one_album() {
        let one = Shelf::of(&tags("One", "A", "Hits", "Various Artists")).album.unwrap();
        let two = Shelf::of(&tags("Two", "B", "HITS ", "various artists")).album.unwrap();
        assert_eq!(one.id, two.id);
        let other = Shelf::of(&tags("Three", "C", "Hits", "")).album.unwrap();
        assert_ne!(one.id, other.id);
    }

    #[test]
    fn names_are_cleaned_and_cut() {
        let shelf = Shelf::of(&tags("a\nb\u{7}", "  X  ", "", ""));
        assert_eq!(shelf.title.shown, "a b");
        assert_eq!(shelf.artist.name.shown, "X");
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

//! Tags of every usual kind, through lofty: ID3v2, ID3v1, Vorbis comments, MP4 items, RIFF INFO, AIFF text, APE.
//!
//! Tags never fail a file: what cannot be read is left out with a warning, and the title falls back to the file's name.

mod text;

use std::path::Path;

use lofty::config::{ParseOptions, ParsingMode};
use lofty::file::TaggedFileExt;
use lofty::picture::PictureType;
use lofty::probe::Probe;
use lofty::tag::{ItemKey, Tag, TagType};
use segue_manifests::Tags;

use super::SourceError;
use super::guard::guarded;
use super::limits::MAX_TAG_VALUES;

/// A picture out of a tag, not yet looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picture {
    /// True if the tag calls it the front cover.
    pub(super) is_front: bool,
    /// The image file.
    pub(super) bytes: Vec<u8>,
}

/// Reads tags and embedded pictures; front covers come first.
pub(super) fn read(path: &Path) -> (Tags, Vec<Picture>) {
    let found = guarded("tags", || parse(path)).unwrap_or_else(|error| {
        tracing::warn!(source.path = %path.display(), source.reason = %error, "tags could not be read");
        Vec::new()
    });
    let mut tags = collect(&found);
    if tags.title.is_empty() {
        tags.title = title_of(path);
    }
    (tags, pictures(&found))
}

/// The tags of a file, the most trustworthy first.
fn parse(path: &Path) -> Result<Vec<Tag>, SourceError> {
    let failed = |error: String| SourceError::new("tags", error);
    let options = ParseOptions::new().read_properties(false).parsing_mode(ParsingMode::BestAttempt);
    let probe = Probe::open(path).map_err(|e| failed(e.to_string()))?.options(options);
    let probe = probe.guess_file_type().map_err(|e| failed(e.to_string()))?;
    let file = probe.read().map_err(|e| failed(e.to_string()))?;
    let primary = file.primary_tag_type();
    let mut tags: Vec<Tag> = file.tags().to_vec();
    tags.sort_by_key(|tag| match tag.tag_type() {
        kind if kind == primary => 0,
        TagType::Id3v1 => 2, // Cut at 30 characters.
        _ => 1,
    });
    Ok(tags)
}

fn collect(tags: &[Tag]) -> Tags {
    let one = |item: ItemKey| values(tags, item).into_iter().next().unwrap_or_default();
    let credited = |name: ItemKey, list: ItemKey| {
        let names = values(tags, name);
        text::credit(&if names.is_empty() { values(tags, list) } else { names })
    };
    let several = |name: ItemKey, list: ItemKey| {
        let named = |item: ItemKey| text::split(&values(tags, item), &[]);
        [named(list), named(name)].into_iter().find(|names| names.len() > 1).unwrap_or_default()
    };
    let people = |item: ItemKey| text::split(&values(tags, item), &[';']);
    let (track_number, track_total) = numbers(tags, ItemKey::TrackNumber, ItemKey::TrackTotal);
    let (disc_number, disc_total) = numbers(tags, ItemKey::DiscNumber, ItemKey::DiscTotal);
    Tags {
        title: one(ItemKey::TrackTitle),
        artist: credited(ItemKey::TrackArtist, ItemKey::TrackArtists),
        artists: several(ItemKey::TrackArtist, ItemKey::TrackArtists),
        album: one(ItemKey::AlbumTitle),
        album_artist: credited(ItemKey::AlbumArtist, ItemKey::AlbumArtists),
        album_artists: several(ItemKey::AlbumArtist, ItemKey::AlbumArtists),
        composers: people(ItemKey::Composer),
        lyricists: people(ItemKey::Lyricist),
        conductors: people(ItemKey::Conductor),
        remixers: people(ItemKey::Remixer),
        track_number,
        track_total,
        disc_number,
        disc_total,
        date: date(tags),
        genres: text::split(&values(tags, ItemKey::Genre), &[';', '\0']),
        isrc: values(tags, ItemKey::Isrc).iter().find_map(|code| text::isrc(code)).unwrap_or_default(),
        mb_recording: first_id(tags, ItemKey::MusicBrainzRecordingId),
        mb_release: first_id(tags, ItemKey::MusicBrainzReleaseId),
        mb_release_group: first_id(tags, ItemKey::MusicBrainzReleaseGroupId),
        mb_artists: ids(tags, ItemKey::MusicBrainzArtistId),
        mb_album_artists: ids(tags, ItemKey::MusicBrainzReleaseArtistId),
    }
}

/// The cleaned values of an item in the first tag that has any.
fn values(tags: &[Tag], item: ItemKey) -> Vec<String> {
    let of = |tag: &Tag| -> Vec<String> {
        let cleaned = tag.get_strings(item).map(text::clean).filter(|value| !value.is_empty());
        cleaned.take(MAX_TAG_VALUES).collect()
    };
    tags.iter().map(of).find(|values| !values.is_empty()).unwrap_or_default()
}

/// Number and total, also when both stand in one item: `3/12`.
fn numbers(tags: &[Tag], number: ItemKey, total: ItemKey) -> (Option<u32>, Option<u32>) {
    let first = |item: ItemKey| values(tags, item).into_iter().next().unwrap_or_default();
    let (number, total) = (first(number), first(total));
    let (before, after) = number.split_once('/').unwrap_or((&number, &total));
    let total = if after.trim().is_empty() { &total } else { after };
    (text::positive(before), text::positive(total))
}

fn date(tags: &[Tag]) -> String {
    let items = [ItemKey::RecordingDate, ItemKey::ReleaseDate, ItemKey::Year, ItemKey::OriginalReleaseDate];
    let dated = |item: ItemKey| values(tags, item).iter().find_map(|value| text::date(value));
    items.into_iter().find_map(dated).unwrap_or_default()
}

fn ids(tags: &[Tag], item: ItemKey) -> Vec<String> {
    let split = text::split(&values(tags, item), &[';', '/', ',', ' ', '\0']);
    split.iter().filter_map(|id| text::uuid(id)).collect()
}

fn first_id(tags: &[Tag], item: ItemKey) -> String {
    ids(tags, item).into_iter().next().unwrap_or_default()
}

fn pictures(tags: &[Tag]) -> Vec<Picture> {
    let all = tags.iter().flat_map(Tag::pictures);
    let mut found: Vec<Picture> = all
        .filter(|picture| !matches!(picture.pic_type(), PictureType::Icon | PictureType::OtherIcon))
        .take(MAX_TAG_VALUES)
        .map(|picture| Picture {
            is_front: picture.pic_type() == PictureType::CoverFront,
            bytes: picture.data().to_vec(),
        })
        .collect();
    found.sort_by_key(|picture| !picture.is_front);
    found
}

fn title_of(path: &Path) -> String {
    let stem = path.file_stem().map(|stem| text::clean(&stem.to_string_lossy())).unwrap_or_default();
    if stem.is_empty() { "Untitled".to_owned() } else { stem }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lofty::tag::{ItemValue, TagItem};

    fn tag(kind: TagType, items: &[(ItemKey, &str)]) -> Tag {
        let mut tag = Tag::new(kind);
        for (item, value) in items {
            tag.push_unchecked(TagItem::new(*item, ItemValue::Text((*value).to_owned())));
        }
        tag
    }

    #[test]
    fn values_come_from_the_first_tag_that_has_them() {
        let comments = tag(
            TagType::VorbisComments,
            &[
                (ItemKey::TrackArtist, "Ada"),
                (ItemKey::TrackArtist, "Bob"),
                (ItemKey::TrackArtist, "Cid"),
                (ItemKey::TrackNumber, "3/12"),
                (ItemKey::RecordingDate, "2019-7-5T10:00"),
                (ItemKey::Genre, "Folk; Jazz"),
            ],
        );
        let old = tag(TagType::Id3v1, &[(ItemKey::TrackTitle, "Song"), (ItemKey::TrackArtist, "A")]);
        let got = collect(&[comments, old]);
        assert_eq!((got.title.as_str(), got.artist.as_str()), ("Song", "Ada, Bob & Cid"));
        assert_eq!((got.track_number, got.track_total, got.disc_number), (Some(3), Some(12), None));
        assert_eq!(
            (got.date.as_str(), got.genres),
            ("2019-07-05", vec!["Folk".to_owned(), "Jazz".to_owned()])
        );
    }

    #[test]
    fn a_credit_beats_the_list_of_artists() {
        let both = [
            (ItemKey::TrackArtist, "Ada feat. Bob"),
            (ItemKey::TrackArtists, "Ada"),
            (ItemKey::TrackArtists, "Bob"),
        ];
        let got = collect(&[tag(TagType::Mp4Ilst, &both)]);
        assert_eq!((got.artist.as_str(), got.artists), ("Ada feat. Bob", vec!["Ada".into(), "Bob".into()]));
        assert_eq!(collect(&[tag(TagType::Mp4Ilst, &both[1..])]).artist, "Ada & Bob");
        assert!(collect(&[tag(TagType::Mp4Ilst, &both[..2])]).artists.is_empty(), "one name tells nothing");
    }

    #[test]
    fn people_are_told_apart_where_the_tags_do() {
        let items =
            [(ItemKey::Composer, "Ada; Bob"), (ItemKey::Composer, "Cid"), (ItemKey::Conductor, "Dan, Eve")];
        let got = collect(&[tag(TagType::VorbisComments, &items)]);
        assert_eq!((got.composers.len(), got.conductors), (3, vec!["Dan, Eve".to_owned()]));
    }

    #[test]
    fn names_stand_in_for_titles() {
        assert_eq!(title_of(Path::new("/a/03 Größe ❄.flac")), "03 Größe ❄");
        assert_eq!(title_of(Path::new("/")), "Untitled");
        assert!(read(Path::new("/nowhere/at all.mp3")).0.title == "at all");
    }
}

//! The tags of a piece as ID3v2.4, cover included.

use lofty::config::WriteOptions;
use lofty::error::TagEncodingError;
use lofty::id3::v2::Id3v2Tag;
use lofty::picture::{MimeType, Picture, PictureType};
use lofty::tag::{Accessor, ItemKey, Tag, TagExt, TagType};

use super::album::{ALBUM, ARTIST, DATE, PIECES};

/// The whole tag of a piece of the album (counted from 0) in bytes.
pub(super) fn id3(index: usize, cover: &[u8]) -> Result<Vec<u8>, TagEncodingError> {
    let piece = &PIECES[index];
    let mut tag = Tag::new(TagType::Id3v2);
    tag.set_title(piece.title.to_owned());
    tag.set_artist(ARTIST.to_owned());
    tag.set_album(ALBUM.to_owned());
    tag.set_genre(piece.genre.to_owned());
    tag.set_track(index as u32 + 1);
    tag.set_track_total(PIECES.len() as u32);
    tag.insert_text(ItemKey::AlbumArtist, ARTIST.to_owned());
    tag.insert_text(ItemKey::RecordingDate, DATE.to_owned());
    tag.insert_text(ItemKey::InitialKey, piece.tonality.to_owned());
    let tempo = piece.movement.score().beats_per_minute;
    tag.insert_text(ItemKey::IntegerBpm, format!("{tempo:.0}"));
    tag.set_comment("Composed and synthesised by Segue for its demo".to_owned());
    let picture = Picture::unchecked(cover.to_vec()).pic_type(PictureType::CoverFront).mime_type(MimeType::Jpeg);
    tag.push_picture(picture.build());
    let mut bytes = Vec::new();
    Id3v2Tag::from(tag).dump_to(&mut bytes, WriteOptions::default())?;
    Ok(bytes)
}

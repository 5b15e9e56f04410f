//! The tags of a piece as ID3v2.4, cover included. Written by hand, frame after frame: the same tag is the
//! same bytes every time, which a writer that keeps its frames in a hash map cannot promise.

use super::album::{ALBUM, ARTIST, DATE, PIECES};

/// Text encoding 3: UTF-8.
const UTF8: u8 = 3;
/// Picture type 3: front cover.
const FRONT_COVER: u8 = 3;

/// The whole tag of a piece of the album (counted from 0).
pub(super) fn id3(index: usize, cover: &[u8]) -> Vec<u8> {
    let piece = &PIECES[index];
    let track = format!("{}/{}", index + 1, PIECES.len());
    let tempo = format!("{:.0}", piece.movement.score().beats_per_minute);
    let texts = [
        (b"TIT2", piece.title),
        (b"TPE1", ARTIST),
        (b"TPE2", ARTIST), // album artist
        (b"TALB", ALBUM),
        (b"TRCK", &track),
        (b"TDRC", DATE),
        (b"TCON", piece.genre),
        (b"TBPM", &tempo),
        (b"TKEY", piece.tonality),
    ];
    let mut frames = Vec::new();
    for (id, text) in texts {
        frames.extend(frame(id, &[&[UTF8], text.as_bytes()]));
    }
    let comment = b"Composed and synthesised by Segue for its demo";
    frames.extend(frame(b"COMM", &[&[UTF8], b"eng\0", comment]));
    frames.extend(frame(b"APIC", &[&[UTF8], b"image/jpeg\0", &[FRONT_COVER, 0], cover]));
    let mut tag = b"ID3\x04\0\0".to_vec();
    tag.extend(syncsafe(frames.len()));
    tag.extend(frames);
    tag
}

/// One frame (ID3v2.4.0 structure, section 4): identifier, size, two bytes of flags, body.
fn frame(id: &[u8; 4], body: &[&[u8]]) -> Vec<u8> {
    let body = body.concat();
    [&id[..], &syncsafe(body.len()), &[0, 0], &body].concat()
}

/// A size in four bytes of seven bits (ID3v2.4.0 structure, section 6.2).
fn syncsafe(size: usize) -> [u8; 4] {
    [21, 14, 7, 0].map(|shift| (size >> shift & 0x7f) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_seven_bits_a_byte() {
        assert_eq!(syncsafe(0), [0; 4]);
        assert_eq!(syncsafe(255), [0, 0, 1, 127]);
        assert_eq!(frame(b"TIT2", &[&[3], b"ab"]), b"TIT2\0\0\0\x03\0\0\x03ab");
    }
}

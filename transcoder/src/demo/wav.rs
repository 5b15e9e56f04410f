//! WAV files (RIFF, 16-bit PCM, stereo) with the tags in an `id3 ` chunk behind the sound.

use std::io::{self, Read, Write};

/// Bytes before the sound: RIFF header, `fmt ` chunk and the header of `data`.
const HEADER: usize = 44;
const RATE: u32 = 44_100;
const BYTES_PER_FRAME: u32 = 4;

/// Writes a whole file: interleaved stereo samples, then the tag.
pub(super) fn write(out: &mut impl Write, samples: &[i16], tag: &[u8]) -> io::Result<()> {
    let sound = sound_bytes(samples.len() as u64 / 2);
    let padding = tag.len() % 2;
    let riff = HEADER + sound as usize + 8 + tag.len() + padding - 8;
    out.write_all(&header(riff as u32, sound))?;
    let mut bytes = Vec::with_capacity(1 << 16);
    for chunk in samples.chunks(1 << 15) {
        bytes.clear();
        bytes.extend(chunk.iter().flat_map(|sample| sample.to_le_bytes()));
        out.write_all(&bytes)?;
    }
    out.write_all(b"id3 ")?;
    out.write_all(&(tag.len() as u32).to_le_bytes())?;
    out.write_all(tag)?;
    out.write_all(&[0][..padding])
}

/// Whether `file` of `length` bytes begins as [`write`] would begin it for this many frames and holds all of
/// its sound. What stands behind the sound may differ: a listener may have changed the tags.
pub(super) fn is_complete(file: &mut impl Read, length: u64, frames: u64) -> bool {
    let mut start = [0; HEADER];
    if file.read_exact(&mut start).is_err() {
        return false;
    }
    let expected = header(0, sound_bytes(frames));
    start[..4] == expected[..4] && start[8..] == expected[8..] && length >= HEADER as u64 + frames * 4
}

fn sound_bytes(frames: u64) -> u32 {
    frames as u32 * BYTES_PER_FRAME
}

fn header(riff: u32, sound: u32) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    let fields: [&[u8]; 13] = [
        b"RIFF",
        &riff.to_le_bytes(),
        b"WAVE",
        b"fmt ",
        &16_u32.to_le_bytes(),
        &1_u16.to_le_bytes(), // integer PCM
        &2_u16.to_le_bytes(), // channels
        &RATE.to_le_bytes(),
        &(RATE * BYTES_PER_FRAME).to_le_bytes(),
        &(BYTES_PER_FRAME as u16).to_le_bytes(),
        &16_u16.to_le_bytes(),
        b"data",
        &sound.to_le_bytes(),
    ];
    let mut at = 0;
    for field in fields {
        bytes[at..at + field.len()].copy_from_slice(field);
        at += field.len();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, &[1, -2, 300, -400], b"tag").expect("writing to memory");
        out
    }

    #[test]
    fn sizes_add_up_and_chunks_are_even() {
        let bytes = file();
        assert_eq!(bytes.len(), 44 + 8 + 8 + 4);
        assert_eq!(bytes[4..8], (bytes.len() as u32 - 8).to_le_bytes());
        assert_eq!(bytes[40..52], [8, 0, 0, 0, 1, 0, 254, 255, 44, 1, 112, 254]);
        assert_eq!(&bytes[52..64], b"id3 \x03\0\0\0tag\0");
    }

    #[test]
    fn a_file_cut_short_is_not_complete() {
        let bytes = file();
        assert!(is_complete(&mut &bytes[..], bytes.len() as u64, 2));
        assert!(is_complete(&mut &bytes[..], 52, 2), "the tags may go");
        assert!(!is_complete(&mut &bytes[..], 51, 2), "the sound may not");
        assert!(!is_complete(&mut &bytes[..], 64, 3), "another length, another piece");
        assert!(!is_complete(&mut &bytes[..20], 20, 2));
        assert!(!is_complete(&mut &b""[..], 0, 0));
    }
}

//! What a file is, told by its first bytes; its name is never asked.

use super::{SourceError, mpeg};

/// Containers that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    /// RIFF WAVE.
    Wav,
    /// AIFF and AIFF-C.
    Aiff,
    /// Native FLAC.
    Flac,
    /// MPEG audio layer 3 without a container.
    Mp3,
    /// AAC in ADTS frames.
    Adts,
    /// Ogg.
    Ogg,
    /// ISO base media: MP4, M4A, MOV, CMAF.
    Mp4,
}

impl Container {
    /// Lowercase name, as used in error places.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Aiff => "aiff",
            Self::Flac => "flac",
            Self::Mp3 => "mp3",
            Self::Adts => "adts",
            Self::Ogg => "ogg",
            Self::Mp4 => "mp4",
        }
    }
}

/// Bytes that [`sniff`] wants to see, if the file has them.
pub(super) const SNIFF_BYTES: usize = 128 * 1024;

const CONVERT: &str = "convert it to FLAC and add that";
const NOT_MUSIC: &str = "leave it out, or move it out of the music folder";

/// Formats that are recognised only to be refused in plain words: magic, its offset, name.
const REFUSED_AUDIO: &[(&[u8], usize, &str)] = &[
    (b"wvpk", 0, "wavpack"),
    (b"TTA1", 0, "tta (true audio)"),
    (b"TTA2", 0, "tta (true audio)"),
    (b"MPCK", 0, "musepack"),
    (b"MP+", 0, "musepack"),
    (b"DSD ", 0, "dsf (dsd audio)"),
    (b"FRM8", 0, "dsdiff (dsd audio)"),
    (b"MAC ", 0, "ape (monkey's audio)"),
    (b"OFR ", 0, "optimfrog"),
    (b"ajkg", 0, "shorten"),
    (b"LA02", 0, "la (lossless audio)"),
    (b"tBaK", 0, "tak"),
    (b"#!AMR", 0, "amr"),
    (b".snd", 0, "au"),
    (b"caff", 0, "caf"),
    (b"RF64", 0, "rf64 (wav over 4 GiB)"),
    (b"BW64", 0, "bw64 (wav over 4 GiB)"),
    (b"riff\x2e\x91\xcf\x11", 0, "wave64"),
    (b"\x0b\x77", 0, "ac-3"),
    (b"\x7f\xfe\x80\x01", 0, "dts"),
    (b"MThd", 0, "midi"),
    (b"IMPM", 0, "impulse tracker module"),
    (b"Extended Module: ", 0, "fasttracker module"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", 0, "asf (wma)"),
    (b"\x1a\x45\xdf\xa3", 0, "matroska or webm"),
    (b".RMF", 0, "realmedia"),
    (b"FLV\x01", 0, "flash video"),
    (b"\0\0\x01\xba", 0, "mpeg video"),
    (b"\0\0\x01\xb3", 0, "mpeg video"),
    (b"AVI ", 8, "avi video"),
];

/// Things that lie about in music folders: magic, its offset, name.
const NOT_AUDIO: &[(&[u8], usize, &str)] = &[
    (b"\xff\xd8\xff", 0, "a jpeg image"),
    (b"\x89PNG\r\n\x1a\n", 0, "a png image"),
    (b"GIF8", 0, "a gif image"),
    (b"WEBP", 8, "a webp image"),
    (b"BM", 0, "a bmp image"),
    (b"II*\0", 0, "a tiff image"),
    (b"MM\0*", 0, "a tiff image"),
    (b"%PDF", 0, "a pdf document"),
    (b"PK\x03\x04", 0, "a zip archive"),
    (b"Rar!", 0, "a rar archive"),
    (b"7z\xbc\xaf\x27\x1c", 0, "a 7z archive"),
    (b"\x1f\x8b", 0, "a gzip archive"),
    (b"\x7fELF", 0, "a program"),
    (b"MZ", 0, "a program"),
    (b"SQLite format 3", 0, "a database"),
];

/// Recognises the container from the first [`SNIFF_BYTES`] bytes of the audio region.
///
/// # Errors
/// When the bytes are something else; the error says what, where that is known.
pub(super) fn sniff(head: &[u8]) -> Result<Container, SourceError> {
    if let Some(container) = by_magic(head) {
        return Ok(container);
    }
    let matches =
        |&&(magic, at, _): &&(&[u8], usize, &str)| head.get(at..).is_some_and(|b| b.starts_with(magic));
    if let Some((_, _, what)) = REFUSED_AUDIO.iter().find(matches) {
        return Err(refused(format!("{what} is not supported")).with_remedy(CONVERT));
    }
    // Longer magics first: a program or an image never parses as two MPEG frames, two random bytes may.
    if let Some(found) = mpeg::find(head) {
        return found;
    }
    if let Some((_, _, what)) = NOT_AUDIO.iter().find(matches) {
        return Err(refused(format!("is {what}, not audio")).with_remedy(NOT_MUSIC));
    }
    Err(unknown(head))
}

fn by_magic(head: &[u8]) -> Option<Container> {
    let kind = |at: usize| head.get(at..at + 4);
    match (kind(0)?, kind(8)) {
        (b"RIFF", Some(b"WAVE")) => Some(Container::Wav),
        (b"FORM", Some(b"AIFF" | b"AIFC")) => Some(Container::Aiff),
        (b"fLaC", _) => Some(Container::Flac),
        (b"OggS", _) => Some(Container::Ogg),
        _ if matches!(kind(4)?, b"ftyp" | b"moov" | b"mdat" | b"wide" | b"pnot") => Some(Container::Mp4),
        _ => None,
    }
}

fn unknown(head: &[u8]) -> SourceError {
    if head.iter().all(|&byte| byte == 0) {
        return SourceError::truncated("file", "holds only zero bytes");
    }
    let start = &head[..head.len().min(4096)];
    let text = String::from_utf8_lossy(start).trim_start_matches('\u{feff}').trim_start().to_lowercase();
    let begins = |any: &[&str]| any.iter().any(|prefix| text.starts_with(prefix));
    let what = if begins(&["#extm3u", "[playlist]", "#extinf"]) {
        "is a playlist, not audio"
    } else if begins(&["<!doctype html", "<html", "<head", "<body"]) {
        "is a web page, not audio"
    } else if begins(&["<?xml", "{", "<asx", "<smil"]) {
        "is a document, not audio"
    } else if looks_like_text(start) {
        "is text, not audio"
    } else {
        return refused("is no audio format that segue knows".to_owned());
    };
    refused(what.to_owned()).with_remedy(NOT_MUSIC)
}

fn looks_like_text(start: &[u8]) -> bool {
    let valid = match std::str::from_utf8(start) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    let printable = |byte: &u8| *byte >= 0x20 || matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c);
    valid && start.iter().all(printable)
}

fn refused(reason: String) -> SourceError {
    SourceError::new("file", reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_known_by_magic() {
        let cases: &[(&[u8], Container)] = &[
            (b"RIFF\0\0\0\0WAVEfmt ", Container::Wav),
            (b"FORM\0\0\0\0AIFC", Container::Aiff),
            (b"fLaC\0\0\0\x22", Container::Flac),
            (b"OggS\0\x02", Container::Ogg),
            (b"\0\0\0\x20ftypM4A ", Container::Mp4),
        ];
        for (bytes, container) in cases {
            assert_eq!(sniff(bytes).unwrap(), *container);
        }
    }

    #[test]
    fn what_is_refused_is_named() {
        let cases: &[(&[u8], &str)] = &[
            (b"wvpk\0\0", "wavpack"),
            (b"TTA1\x01", "tta"),
            (b"MPCKSH", "musepack"),
            (b"DSD \x1c", "dsf"),
            (b"MAC \x96", "ape"),
            (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6", "wma"),
            (b"\x1a\x45\xdf\xa3\x01", "matroska"),
            (b"RF64\xff\xff\xff\xffWAVE", "rf64"),
            (b"#EXTM3U\nsong.mp3\n", "playlist"),
            (b"[playlist]\nFile1=a.mp3", "playlist"),
            (b"\xef\xbb\xbf<!DOCTYPE html><html>", "web page"),
            (b"{\"a\":1}", "document"),
            ("Kapitel 1: Übung\n".as_bytes(), "text"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "jpeg"),
            (b"\x89PNG\r\n\x1a\n\0", "png"),
            (b"RIFF\0\0\0\0WEBPVP8 ", "webp"),
            (b"RIFF\0\0\0\0AVI LIST", "avi"),
            (b"\0\0\0\0\0\0", "zero"),
            (b"\x01\x02\x03\x04\x05", "no audio format"),
        ];
        for (bytes, word) in cases {
            let error = sniff(bytes).unwrap_err().to_string();
            assert!(error.contains(word), "{error} lacks {word}");
        }
    }
}

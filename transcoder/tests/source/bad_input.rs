//! Files that are not what they should be: each ends in a plain message, never in a wrong or silent success.

use std::path::Path;

use segue_transcoder::source::{PcmReader, identify};

use crate::fixtures::{Folder, Format, Pcm, ffmpeg, read, wav};

/// The message of the refusal, which both ways into the module must give.
fn refusal(path: &Path) -> String {
    let identified = identify(path).expect_err("identify should refuse").to_string();
    let opened = PcmReader::open(path).err().map(|error| error.to_string());
    let read = opened.or_else(|| read(path).err().map(|error| error.to_string()));
    assert!(read.is_some(), "decoding should refuse too: {identified}");
    assert!(!identified.contains("panick") && !identified.ends_with('.'), "{identified}");
    identified
}

fn assert_refused(path: &Path, word: &str) {
    let message = refusal(path);
    assert!(message.to_lowercase().contains(word), "{path:?}: {message:?} lacks {word:?}");
}

fn second() -> Pcm {
    Pcm::music(44_100, 2, 44_100)
}

#[test]
fn empty_and_soundless_files() {
    let folder = Folder::new();
    assert_refused(&folder.put("empty.flac", b""), "empty");
    let format = Format { rate: 44_100, channels: 2, bits: 16, float: false };
    assert_refused(&folder.put("no data.wav", &wav(format, b"")), "no samples");
    assert_refused(&folder.put("zeros.mp3", &[0; 5000]), "zero bytes");
    let flac = std::fs::read(folder.encode(&second(), "a.flac", &[])).unwrap();
    let frames = flac.windows(2).position(|pair| pair == [0xff, 0xf8]).unwrap();
    assert_refused(&folder.put("headers.flac", &flac[..frames]), "flac");
}

#[test]
fn artwork_without_sound() {
    let folder = Folder::new();
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "color=red:s=64x64",
        "-frames:v",
        "1",
        folder.path("c.jpg").to_str().unwrap(),
    ]);
    let picture = std::fs::read(folder.path("c.jpg")).unwrap();
    let frame = [b"APIC".to_vec(), (picture.len() as u32 + 14).to_be_bytes().to_vec(), vec![0; 2]].concat();
    let body = [frame, b"\0image/jpeg\0\x03\0".to_vec(), picture].concat();
    let size: Vec<u8> = (0..4).rev().map(|part| (body.len() >> (7 * part) & 0x7f) as u8).collect();
    let tag = [b"ID3\x03\0\0".to_vec(), size, body].concat();
    assert_refused(&folder.put("art.mp3", &tag), "no sound");
    assert_refused(&folder.path("c.jpg"), "jpeg image");
    ffmpeg(&["-f", "lavfi", "-i", "testsrc=d=1", folder.path("v.mp4").to_str().unwrap()]);
    assert_refused(&folder.path("v.mp4"), "video but no sound");
}

#[test]
fn truncated_files() {
    let folder = Folder::new();
    let pcm = second();
    for (name, options) in [
        ("a.flac", &[][..]),
        ("a.mp3", &["-q:a", "2"]),
        ("a.m4a", &["-movflags", "+faststart"]),
        ("b.m4a", &["-c:a", "alac"]),
        ("c.mp4", &["-movflags", "+frag_keyframe+delay_moov", "-frag_duration", "300000"]),
        ("a.ogg", &["-c:a", "libvorbis"]),
        ("a.opus", &["-c:a", "libopus"]),
        ("a.aac", &["-c:a", "aac"]),
        ("a.wav", &[]),
        ("a.aiff", &[]),
    ] {
        let whole = std::fs::read(folder.encode(&pcm, name, options)).unwrap();
        assert!(identify(&folder.path(name)).is_ok(), "{name}");
        for keep in [0.2, 0.6, 0.95] {
            let cut = (whole.len() as f64 * keep) as usize;
            assert_refused(&folder.put(&format!("cut-{keep}-{name}"), &whole[..cut]), "truncated");
        }
    }
}

#[test]
fn names_do_not_decide() {
    let folder = Folder::new();
    let flac = std::fs::read(folder.encode(&second(), "a.flac", &[])).unwrap();
    let (_, samples) = read(&folder.put("really flac.mp3", &flac)).unwrap();
    assert_eq!(samples, second().samples);
    assert_refused(&folder.put("text.mp3", b"Dear diary,\ntoday I renamed a file.\n"), "text");
    assert_refused(&folder.put("page.flac", b"<!DOCTYPE html><title>404</title>"), "web page");
    assert_refused(&folder.put("list.m3u8", b"#EXTM3U\na.mp3\n"), "playlist");
}

#[test]
fn unsupported_codings_are_named() {
    let folder = Folder::new();
    for (name, options, word) in [
        ("a.wv", &[][..], "wavpack"),
        ("a.tta", &[], "tta"),
        ("a.wma", &[], "wma"),
        ("a.mka", &[], "matroska"),
        ("a.mp2", &["-c:a", "mp2"], "layer 2"),
        ("a.ac3", &[], "ac-3"),
        ("a.au", &[], "au is not supported"),
        ("a.caf", &[], "caf"),
        ("speex.ogg", &["-c:a", "libspeex", "-ar", "32000"], "ogg"),
        ("adpcm.wav", &["-c:a", "adpcm_ms"], "wav"),
        ("ac3.mp4", &["-c:a", "ac3"], "ac-3 is not supported"),
    ] {
        assert_refused(&folder.encode(&second(), name, options), word);
    }
}

#[test]
fn protected_sound_is_refused() {
    let folder = Folder::new();
    let mut bytes = std::fs::read(folder.encode(&second(), "a.m4a", &[])).unwrap();
    let entry = bytes.windows(4).rposition(|four| four == b"mp4a").unwrap();
    bytes[entry..entry + 4].copy_from_slice(b"drms");
    assert_refused(&folder.put("bought.m4p", &bytes), "protected");
}

#[test]
fn what_is_no_file_is_not_opened() {
    let folder = Folder::new();
    assert_refused(&folder.path("missing.flac"), "cannot be read");
    assert_refused(&folder.path(""), "not a regular file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let secret = folder.put("secret.wav", &second().wav());
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o000)).unwrap();
        // The superuser may read everything; the refusal shows only to others.
        if std::fs::File::open(&secret).is_err() {
            assert_refused(&secret, "read permission");
        }
    }
}

#[test]
fn odd_names_are_fine() {
    let folder = Folder::new();
    let long = format!("{}.flac", "ü".repeat(125));
    for name in ["Ænima – 日本語 🎵.flac", "-rf *.flac", " .flac", long.as_str()] {
        let path = folder.path(name);
        std::fs::rename(folder.encode(&second(), "plain.flac", &[]), &path).unwrap();
        let title = identify(&path).unwrap().tags.title;
        assert!(!title.is_empty() && title.chars().count() <= 500, "{name}");
        assert_eq!(read(&path).unwrap().1.len(), second().samples.len());
    }
}

#[test]
fn sample_rates_and_channels_have_limits() {
    let folder = Folder::new();
    for (rate, channels) in [(3_999, 1), (800_000, 1)] {
        let format = Format { rate, channels, bits: 16, float: false };
        assert_refused(&folder.put("odd.wav", &wav(format, &[1; 400])), "hz");
    }
}

#[test]
fn a_damaged_mp3_frame_is_concealed_and_a_damaged_flac_frame_is_not() {
    let folder = Folder::new();
    let pcm = second();
    let mut mp3 = std::fs::read(folder.encode(&pcm, "a.mp3", &["-b:a", "128k"])).unwrap();
    // The side information of one frame: ten frames on, behind its header.
    let first = mp3.windows(4).position(|four| four[0] == 0xff && four[1] == 0xfb).unwrap();
    let frame = (0..).scan(first, |at, _| {
        let here = *at;
        *at += 417 + usize::from(mp3[here + 2] >> 1 & 1);
        Some(here)
    });
    let tenth = frame.take(10).last().unwrap();
    mp3[tenth + 4..tenth + 36].fill(0xff);
    let (_, samples) = read(&folder.put("b.mp3", &mp3)).unwrap();
    assert_eq!(samples.len(), pcm.samples.len());

    let mut flac = std::fs::read(folder.encode(&pcm, "a.flac", &[])).unwrap();
    let middle = flac.len() / 2;
    flac[middle] ^= 0x55;
    let message = refusal(&folder.put("b.flac", &flac));
    assert!(message.contains("missing or damaged") || message.contains("declares"), "{message}");
}

#[test]
fn a_missing_ogg_page_is_noticed() {
    let folder = Folder::new();
    for (name, options) in [("a.ogg", &["-c:a", "libvorbis"][..]), ("a.opus", &["-c:a", "libopus"])] {
        let bytes = std::fs::read(folder.encode(&Pcm::music(48_000, 2, 240_000), name, options)).unwrap();
        let pages: Vec<usize> = (0..bytes.len() - 4).filter(|&at| &bytes[at..at + 4] == b"OggS").collect();
        let (from, to) = (pages[pages.len() / 2], pages[pages.len() / 2 + 1]);
        let holed = [&bytes[..from], &bytes[to..]].concat();
        assert_refused(&folder.put(&format!("holed-{name}"), &holed), "truncated");
    }
}

//! Bytes that nobody meant as music: reading ends, with samples or a message, and never in a panic that gets out.

use std::path::Path;
use std::sync::OnceLock;

use proptest::collection::vec;
use proptest::prelude::*;
use segue_transcoder::source::identify;

use crate::fixtures::{Folder, Pcm, read};

/// Magics to put before noise, so that it gets past the first look.
const MAGICS: [&[u8]; 9] = [
    b"",
    b"RIFF\x40\0\0\0WAVEfmt \x10\0\0\0\x01\0",
    b"FORM\0\0\0\x40AIFFCOMM\0\0\0\x12",
    b"fLaC\0\0\0\x22\x10\0\x10\0",
    b"OggS\0\x02\0\0\0\0\0\0\0\0",
    b"\0\0\0\x10ftypM4A \0\0\0\0",
    b"\xff\xfb\x90\x64",
    b"\xff\xf1\x50\x80\x02\x1f\xfc",
    b"ID3\x04\0\0\0\0\0\x10",
];

/// One small file of each kind.
fn seeds() -> &'static Vec<Vec<u8>> {
    static SEEDS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    SEEDS.get_or_init(|| {
        let folder = Folder::new();
        let pcm = Pcm::music(48_000, 2, 9_000);
        let kinds: [(&str, &[&str]); 9] = [
            ("a.wav", &[]),
            ("a.aiff", &[]),
            ("a.flac", &["-metadata", "title=seed"]),
            ("a.mp3", &["-metadata", "title=seed"]),
            ("a.m4a", &["-metadata", "title=seed"]),
            ("b.m4a", &["-c:a", "alac"]),
            ("a.ogg", &["-c:a", "libvorbis"]),
            ("a.opus", &["-c:a", "libopus"]),
            ("a.aac", &[]),
        ];
        kinds.iter().map(|(name, how)| std::fs::read(folder.encode(&pcm, name, how)).unwrap()).collect()
    })
}

/// Reads a file both ways; returns only if both end.
fn survive(path: &Path) {
    let identified = identify(path);
    if let Err(error) = &identified {
        assert!(!error.place.is_empty() && !error.reason.is_empty());
    }
    if let Ok((spec, samples)) = read(path) {
        assert!(!samples.is_empty() && samples.len() % usize::from(spec.channels) == 0);
    }
}

fn survive_bytes(bytes: &[u8]) {
    let folder = Folder::new();
    survive(&folder.put("a.mp3", bytes));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_is_survived(magic in 0..MAGICS.len(), noise in vec(any::<u8>(), 0..3000)) {
        survive_bytes(&[MAGICS[magic], &noise].concat());
    }

    #[test]
    fn damage_is_survived(
        seed in 0..9usize,
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        in_head in any::<bool>(),
        keep in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = seeds()[seed].clone();
        for (at, value) in flips {
            let room = if in_head { bytes.len().min(1500) } else { bytes.len() };
            let at = at.index(room);
            bytes[at] = value;
        }
        if cut {
            bytes.truncate(keep.index(bytes.len()) + 1);
        }
        survive_bytes(&bytes);
    }

    #[test]
    fn splices_are_survived(first in 0..9usize, second in 0..9usize, at in any::<prop::sample::Index>()) {
        let (a, b) = (&seeds()[first], &seeds()[second]);
        survive_bytes(&[&a[..at.index(a.len())], &b[at.index(b.len())..]].concat());
    }
}

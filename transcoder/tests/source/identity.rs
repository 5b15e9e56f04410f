//! Identity follows the sound and nothing else; tags and artwork come from every kind of container.

use segue_transcoder::source::identify;

use crate::fixtures::{Folder, Pcm, ffmpeg};

const TAGS: [&str; 20] = [
    "-metadata",
    "title=Größe",
    "-metadata",
    "artist=Ada & Bob",
    "-metadata",
    "album=Erste",
    "-metadata",
    "album_artist=Ada",
    "-metadata",
    "track=3/12",
    "-metadata",
    "disc=1/2",
    "-metadata",
    "date=2019-07-05",
    "-metadata",
    "genre=Folk",
    "-id3v2_version",
    "4",
    "-write_id3v1",
    "1",
];

/// Whole milliseconds: ffmpeg rounds the length of MP4 sound to those when it copies.
fn pcm() -> Pcm {
    Pcm::music(44_100, 2, 44_100)
}

#[test]
fn retagging_and_renaming_keep_the_asset() {
    let folder = Folder::new();
    for (name, options) in [
        ("a.flac", &[][..]),
        ("a.mp3", &[]),
        ("a.m4a", &[]),
        ("a.ogg", &["-c:a", "libvorbis"]),
        ("a.opus", &["-c:a", "libopus", "-ar", "48000"]),
        ("a.wav", &[]),
    ] {
        let plain = folder.encode(&pcm(), name, options);
        let tagged = folder.path(&format!("tagged {name}"));
        let copy = ["-i", plain.to_str().unwrap(), "-c", "copy"];
        let only: &[&str] = if name.ends_with("mp3") { &TAGS } else { &TAGS[..16] };
        ffmpeg(&[&copy, only, &[tagged.to_str().unwrap()]].concat());
        let (plain, tagged) = (identify(&plain).unwrap(), identify(&tagged).unwrap());
        assert_eq!(plain.asset, tagged.asset, "{name}");
        assert_eq!(plain.tags.title, "a");
        let tags = tagged.tags;
        assert_eq!((tags.title.as_str(), tags.artist.as_str()), ("Größe", "Ada & Bob"), "{name}");
        assert_eq!((tags.album.as_str(), &tags.date[..4]), ("Erste", "2019"), "{name}");
        assert_eq!((tags.track_number, tags.genres), (Some(3), vec!["Folk".to_owned()]), "{name}");
        if !name.ends_with("wav") {
            assert_eq!((tags.track_total, tags.disc_number), (Some(12), Some(1)), "{name}");
            assert_eq!(tags.album_artist, "Ada", "{name}");
        }
    }
}

#[test]
fn other_sound_is_another_asset() {
    let folder = Folder::new();
    let mut assets = Vec::new();
    for (name, pcm) in [
        ("a.wav", pcm()),
        ("b.wav", Pcm { rate: 48_000, ..pcm() }),
        ("c.wav", Pcm { channels: 1, ..pcm() }),
        ("d.wav", Pcm { samples: pcm().samples[..88_198].to_vec(), ..pcm() }),
    ] {
        assets.push(identify(&folder.put(name, &pcm.wav())).unwrap().asset);
    }
    assert_eq!(assets[0], identify(&folder.put("again.wav", &pcm().wav())).unwrap().asset);
    assets.sort();
    assets.dedup();
    assert_eq!(assets.len(), 4);
}

#[test]
fn sources_are_described() {
    let folder = Folder::new();
    for (name, options, codec, bits) in [
        ("a.flac", &[][..], "flac", 16),
        ("a.m4a", &["-c:a", "alac"], "alac", 16),
        ("b.m4a", &[], "aac", 0),
        ("a.mp3", &[], "mp3", 0),
        ("a.wav", &["-c:a", "pcm_s24le"], "pcm_s24le", 24),
        ("a.ogg", &["-c:a", "libvorbis"], "vorbis", 0),
        ("a.opus", &["-c:a", "libopus", "-ar", "48000"], "opus", 0),
    ] {
        let source = identify(&folder.encode(&pcm(), name, options)).unwrap().source;
        let rate = if codec == "opus" { 48_000 } else { 44_100 };
        let got = (source.codec.as_str(), source.sample_rate, source.channels, source.bits);
        assert_eq!(got, (codec, rate, 2, bits), "{name}");
    }
}

#[test]
fn embedded_covers_win_over_those_beside_the_file() {
    let folder = Folder::new();
    let cover = |name: &str, size: &str| {
        let path = folder.path(name);
        let input = format!("color=blue:s={size}");
        ffmpeg(&["-f", "lavfi", "-i", &input, "-frames:v", "1", path.to_str().unwrap()]);
        path
    };
    let inside = cover("inside.png", "40x30");
    cover("Folder.jpg", "64x64");
    for name in ["a.flac", "a.mp3", "a.m4a"] {
        let bare = folder.encode(&pcm(), name, &[]);
        let beside = identify(&bare).unwrap().artwork.unwrap();
        assert_eq!((beside.extension, beside.width, beside.height), ("jpg", 64, 64));
        let dressed = folder.path(&format!("dressed {name}"));
        let inputs = ["-i", bare.to_str().unwrap(), "-i", inside.to_str().unwrap(), "-map", "0", "-map", "1"];
        let options = ["-c", "copy", "-disposition:v", "attached_pic", dressed.to_str().unwrap()];
        ffmpeg(&[&inputs[..], &options].concat());
        let (bare, dressed) = (identify(&bare).unwrap(), identify(&dressed).unwrap());
        let artwork = dressed.artwork.unwrap();
        assert_eq!((artwork.extension, artwork.width, artwork.height), ("png", 40, 30), "{name}");
        assert_eq!(artwork.bytes, std::fs::read(&inside).unwrap());
        assert_eq!(bare.asset, dressed.asset, "{name}");
    }
}

//! Written form of descriptor and playlists, held against files. `UPDATE_GOLDEN=1` writes them anew.

#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::path::Path;

use segue_manifests::playlists::{self, Form, MediaPlaylist, MultivariantPlaylist};
use segue_manifests::{Cover, Descriptor, InitSegment, Ladder, Loudness, Packed, Rung, Sha256, Source, Tags};

/// Eleven seconds at 44.1 kHz: 1.07, 2, 4 and a rest.
fn descriptor() -> Descriptor {
    let segment_frames = vec![48, 86, 172, 168];
    Descriptor {
        version: segue_manifests::VERSION,
        asset: "00112233445566778899aabbccddeeff".parse().unwrap(),
        rev: "0a1b2c3d4e5f".parse().unwrap(),
        sample_rate: 44_100,
        channels: 2,
        samples: 474 * 1024 - 1600 - 100,
        encoder_delay: 1600,
        frame_samples: 1024,
        renditions: Ladder::default().rungs.iter().map(|rung| packed(rung, &segment_frames)).collect(),
        segment_frames,
        tags: Tags {
            title: "Golden \"Hour\"".into(),
            artist: "Segue".into(),
            album: "First Light".into(),
            track_number: Some(1),
            date: "2026".into(),
            genres: vec!["Ambient".into()],
            ..Tags::default()
        },
        cover: Some(Cover {
            extension: "png".into(),
            size: 9,
            sha256: Sha256::of(b"cover"),
            width: 3,
            height: 3,
        }),
        loudness: Some(Loudness { integrated_lufs: -14.5, range_lu: 6.25, true_peak_dbtp: -1.0 }),
        source: Source { codec: "flac".into(), sample_rate: 44_100, channels: 2, bits: 16 },
        encoder: "test".into(),
    }
}

fn packed(rung: &Rung, frames: &[u32]) -> Packed {
    let sizes: Vec<u32> = frames.iter().map(|n| n * (rung.bit_rate / 8 * 1024 / 44_100) + 120).collect();
    Packed {
        name: rung.name(),
        codec: "mp4a.40.2".into(),
        bit_rate: rung.bit_rate,
        init: InitSegment { size: 700, sha256: Sha256::of(rung.name().as_str().as_bytes()) },
        segment_sha256: sizes.iter().map(|n| Sha256::of(&n.to_be_bytes())).collect(),
        segment_sizes: sizes,
    }
}

fn hold(name: &str, text: &str) {
    let path = Path::new("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_eq!(text, golden, "{name} differs");
}

#[test]
fn descriptor_reads_as_before() {
    let descriptor = descriptor();
    descriptor.check().unwrap();
    let json = String::from_utf8(descriptor.to_json()).unwrap();
    hold("asset.json", &json);
    assert_eq!(Descriptor::from_json(json.as_bytes()), Ok(descriptor));
}

#[test]
fn playlists_read_as_before() {
    let descriptor = descriptor();
    let name = "aac-256".parse().unwrap();
    for (file, form) in [("static-aac-256.m3u8", Form::ByteRange), ("media-aac-256.m3u8", Form::PerSegment)] {
        let playlist = playlists::media(&descriptor, &name, form).unwrap();
        hold(file, &playlist.to_text());
        assert_eq!(MediaPlaylist::parse(&playlist.to_text()), Ok(playlist));
    }
    for (file, playlist) in [
        ("multivariant.m3u8", playlists::static_multivariant(&descriptor)),
        ("mv.m3u8", playlists::multivariant(&descriptor)),
    ] {
        hold(file, &playlist.to_text());
        assert_eq!(MultivariantPlaylist::parse(&playlist.to_text()), Ok(playlist));
    }
    assert_eq!(playlists::media(&descriptor, &"flac".parse().unwrap(), Form::PerSegment), None);
}

#[test]
fn durations_add_up_to_the_track() {
    let descriptor = descriptor();
    let name = "aac-128".parse().unwrap();
    let playlist = playlists::media(&descriptor, &name, Form::PerSegment).unwrap();
    assert_eq!(descriptor.segment_samples().iter().sum::<u64>(), descriptor.samples);
    let exact = descriptor.samples as f64 / 44_100.0 * 1e6;
    assert!((playlist.duration_us() as f64 - exact).abs() <= 1.0);
    assert_eq!(playlist.target_duration(), 4);
}

#[test]
fn segments_lie_back_to_back() {
    let descriptor = descriptor();
    for packed in &descriptor.renditions {
        let mut at = u64::from(packed.init.size);
        for index in 0..packed.segment_sizes.len() {
            let segment = packed.segment(index).unwrap();
            assert_eq!(segment.offset, at);
            at += u64::from(segment.size);
        }
        assert_eq!(at, packed.object_size());
        assert_eq!(packed.segment(packed.segment_sizes.len()), None);
    }
}

#[test]
fn contradictions_are_refused() {
    type Change = fn(&mut Descriptor);
    let changes: [(&str, Change); 8] = [
        ("zero rate", |d| d.sample_rate = 0),
        ("no segments", |d| d.segment_frames.clear()),
        ("an empty segment", |d| d.segment_frames[0] = 0),
        ("sizes missing", |d| d.renditions[1].segment_sizes.truncate(3)),
        ("digests missing", |d| d.renditions[2].segment_sha256.truncate(3)),
        ("no renditions", |d| d.renditions.clear()),
        ("too many samples", |d| d.samples += 1024),
        ("too few samples", |d| d.samples -= 2048),
    ];
    for (what, change) in changes {
        let mut broken = descriptor();
        change(&mut broken);
        assert!(Descriptor::from_json(&broken.to_json()).is_err(), "{what}");
    }
    let newer = String::from_utf8(descriptor().to_json()).unwrap().replace("\"version\":1", "\"version\":2");
    let error = Descriptor::from_json(newer.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("upgrade"), "{error}");
}

//! Benchmarks of Segue: what they share. `benches/README.md` says how to run each.
#![forbid(unsafe_code)]

pub mod client;
pub mod connection;
pub mod machine;
pub mod noise;
pub mod origin;
pub mod peer;
pub mod plain;
pub mod process;
pub mod zipf;

use segue_manifests::{Descriptor, InitSegment, Ladder, Packed, Rung, Sha256, Source, Tags, VERSION};

/// The descriptor of a four-minute track at 44.1 kHz: 1.07, 2, then 4 s segments.
///
/// # Panics
/// Never: the identifiers are valid.
pub fn descriptor() -> Descriptor {
    let mut segment_frames = vec![48, 86];
    segment_frames.extend([172; 59]);
    let frames: u32 = segment_frames.iter().sum();
    Descriptor {
        version: VERSION,
        asset: "00112233445566778899aabbccddeeff".parse().expect("a valid asset id"),
        rev: "0a1b2c3d4e5f".parse().expect("a valid revision"),
        sample_rate: 44_100,
        channels: 2,
        samples: u64::from(frames) * 1024 - 1600,
        encoder_delay: 1600,
        frame_samples: 1024,
        renditions: Ladder::default().rungs.iter().map(|rung| packed(rung, &segment_frames)).collect(),
        segment_frames,
        tags: Tags::default(),
        cover: None,
        loudness: None,
        source: Source::default(),
        encoder: "bench".into(),
    }
}

fn packed(rung: &Rung, frames: &[u32]) -> Packed {
    let sizes: Vec<u32> = frames.iter().map(|n| n * (rung.bit_rate / 8 * 1024 / 44_100) + 120).collect();
    Packed {
        name: rung.name(),
        codec: "mp4a.40.2".into(),
        bit_rate: rung.bit_rate,
        init: InitSegment { size: 700, sha256: Sha256::of(b"init") },
        segment_sha256: sizes.iter().map(|n| Sha256::of(&n.to_be_bytes())).collect(),
        segment_sizes: sizes,
    }
}

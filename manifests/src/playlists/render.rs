//! From a descriptor to its playlists.

use super::{ByteRange, Map, MediaPlaylist, MultivariantPlaylist, Segment, Variant};
use crate::{Descriptor, MediaPath, Packed, RenditionName};

/// How segments are addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Ranges of the packed object beside the playlist: for the bucket.
    ByteRange,
    /// A URL of its own for each segment, and the init segment by content: for players.
    PerSegment,
}

/// The multivariant playlist for players: variants at `<rendition>/media.m3u8`.
pub fn multivariant(descriptor: &Descriptor) -> MultivariantPlaylist {
    variants(descriptor, |packed| format!("{}/media.m3u8", packed.name))
}

/// The multivariant playlist of the bucket: variants at `<rendition>.m3u8`.
pub fn static_multivariant(descriptor: &Descriptor) -> MultivariantPlaylist {
    variants(descriptor, |packed| format!("{}.m3u8", packed.name))
}

/// The media playlist of a rendition; `None` where the asset has no such rendition.
pub fn media(descriptor: &Descriptor, rendition: &RenditionName, form: Form) -> Option<MediaPlaylist> {
    let packed = descriptor.rendition(rendition)?;
    let map = match form {
        Form::ByteRange => Map {
            uri: format!("{rendition}.mp4"),
            byte_range: Some(ByteRange { length: u64::from(packed.init.size), offset: 0 }),
        },
        Form::PerSegment => {
            Map { uri: MediaPath::Init { sha256: packed.init.sha256 }.path(), byte_range: None }
        }
    };
    let mut offset = u64::from(packed.init.size);
    let segments = durations_us(descriptor).into_iter().zip(&packed.segment_sizes).enumerate();
    let segments = segments.map(|(index, (duration_us, &size))| {
        let range = ByteRange { length: u64::from(size), offset };
        offset += range.length;
        match form {
            Form::ByteRange => Segment { duration_us, uri: map.uri.clone(), byte_range: Some(range) },
            Form::PerSegment => Segment { duration_us, uri: format!("{index}.m4s"), byte_range: None },
        }
    });
    let segments = segments.collect();
    Some(MediaPlaylist { map, segments })
}

/// Segment durations in microseconds. Boundaries are rounded, not durations, so that errors do not add up.
fn durations_us(descriptor: &Descriptor) -> Vec<u64> {
    let rate = u128::from(descriptor.sample_rate);
    let micros = |samples: u64| ((u128::from(samples) * 1_000_000 + rate / 2) / rate) as u64;
    let mut start = 0;
    let lengths = descriptor.segment_samples().into_iter();
    lengths
        .map(|samples| {
            let end = start + samples;
            let duration = micros(end) - micros(start);
            start = end;
            duration
        })
        .collect()
}

fn variants(descriptor: &Descriptor, uri: impl Fn(&Packed) -> String) -> MultivariantPlaylist {
    let durations = durations_us(descriptor);
    let variant = |packed: &Packed| Variant {
        bandwidth: peak_bit_rate(&durations, &packed.segment_sizes),
        average_bandwidth: bit_rate(
            durations.iter().sum(),
            packed.segment_sizes.iter().map(|&n| u64::from(n)).sum(),
        ),
        codecs: packed.codec.clone(),
        stable_variant_id: packed.name.to_string(),
        uri: uri(packed),
    };
    MultivariantPlaylist { variants: descriptor.renditions.iter().map(variant).collect() }
}

/// Largest bit rate over any run of segments lasting 0.5 to 1.5 target durations (BIS 4.1), bit/s; that of the
/// whole where it is shorter than such a run.
fn peak_bit_rate(durations_us: &[u64], sizes: &[u32]) -> u64 {
    let longest = durations_us.iter().copied().max().unwrap_or(0);
    let target_us = ((longest + 500_000) / 1_000_000).max(1) * 1_000_000;
    let mut peak = 0;
    for first in 0..sizes.len() {
        let (mut us, mut bytes) = (0, 0);
        for (duration, &size) in durations_us[first..].iter().zip(&sizes[first..]) {
            us += duration;
            bytes += u64::from(size);
            if us * 2 > target_us * 3 {
                break;
            }
            if us * 2 >= target_us {
                peak = peak.max(bit_rate(us, bytes));
            }
        }
    }
    match peak {
        0 => bit_rate(durations_us.iter().sum(), sizes.iter().map(|&n| u64::from(n)).sum()),
        peak => peak,
    }
}

fn bit_rate(us: u64, bytes: u64) -> u64 {
    (u128::from(bytes) * 8_000_000).div_ceil(u128::from(us.max(1))) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_are_taken_over_runs_near_the_target() {
        // 4 s target: runs of 2 to 6 s count; the dense first second alone does not.
        let (durations, sizes) =
            ([1_000_000, 2_000_000, 4_000_000, 4_000_000], [40_000, 30_000, 80_000, 60_000]);
        let first_two = bit_rate(3_000_000, 70_000);
        assert_eq!(peak_bit_rate(&durations, &sizes), first_two);
        assert_eq!(peak_bit_rate(&[100_000], &[1_000]), 80_000);
        assert_eq!(peak_bit_rate(&[], &[]), 0);
    }
}

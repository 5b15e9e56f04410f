//! More than two channels: each speaker must arrive where ITU-R BS.775 puts it, whatever the codec's channel order.

use std::path::Path;

use crate::fixtures::{Folder, Pcm, read};

/// FL FR FC LFE BL BR with one speaker sounding.
fn solo(speaker: usize) -> Pcm {
    let mut pcm = Pcm::music(48_000, 6, 48_000);
    for (index, sample) in pcm.samples.iter_mut().enumerate() {
        let time = (index / 6) as f64 / 48_000.0;
        let tone = (0.4 * (std::f64::consts::TAU * 500.0 * time).sin() * 32_767.0) as i16;
        *sample = if index % 6 == speaker { tone } else { 0 };
    }
    pcm
}

/// Level of left and right against that of the source's speaker.
fn levels(path: &Path) -> (f64, f64) {
    let (spec, samples) = read(path).unwrap();
    assert_eq!((spec.channels, spec.sample_rate, samples.len()), (2, 48_000, 96_000));
    let middle = &samples[20_000..80_000];
    let level = |side: usize| {
        let power: f64 = middle.iter().skip(side).step_by(2).map(|&s| f64::from(s).powi(2)).sum();
        (power / 30_000.0).sqrt() / (0.4 * 32_767.0 / 2f64.sqrt())
    };
    (level(0), level(1))
}

fn assert_downmix(make: impl Fn(&Folder, &Pcm) -> std::path::PathBuf) {
    const GAIN: f64 = 0.414_213_56;
    const SIDE: f64 = 0.292_893_22;
    let want = [(GAIN, 0.0), (0.0, GAIN), (SIDE, SIDE), (0.0, 0.0), (SIDE, 0.0), (0.0, SIDE)];
    for (speaker, (left, right)) in want.into_iter().enumerate() {
        let folder = Folder::new();
        let (got_left, got_right) = levels(&make(&folder, &solo(speaker)));
        let near = (got_left - left).abs() < 0.02 && (got_right - right).abs() < 0.02;
        assert!(near, "speaker {speaker}: {got_left:.3} {got_right:.3}, not {left:.3} {right:.3}");
    }
}

#[test]
fn wav() {
    assert_downmix(|folder, pcm| folder.put("a.wav", &pcm.wav()));
}

#[test]
fn flac() {
    assert_downmix(|folder, pcm| folder.encode(pcm, "a.flac", &[]));
}

#[test]
fn alac() {
    assert_downmix(|folder, pcm| folder.encode(pcm, "a.m4a", &["-c:a", "alac"]));
}

#[test]
fn aac() {
    assert_downmix(|folder, pcm| folder.encode(pcm, "a.m4a", &["-b:a", "384k"]));
}

#[test]
fn vorbis() {
    assert_downmix(|folder, pcm| folder.encode(pcm, "a.ogg", &["-c:a", "libvorbis", "-q:a", "6"]));
}

#[test]
fn opus() {
    let options = ["-c:a", "libopus", "-b:a", "384k", "-mapping_family", "1"];
    assert_downmix(|folder, pcm| folder.encode(pcm, "a.opus", &options));
}

use std::f64::consts::TAU;
use std::fs;
use std::path::Path;

use mp4_atom::{Decode, Ftyp, Header, Moof, Moov};
use segue_manifests::{Packed, Sha256};
use tempfile::TempDir;

use super::*;
use crate::scratch::Scratch;

/// Two swept tones in chunks of changing length.
struct Tones {
    spec: PcmSpec,
    samples: u64,
    chunk: usize,
    at: u64,
    fails_at: Option<u64>,
}

impl Tones {
    fn new(sample_rate: u32, channels: u8, samples: u64) -> Self {
        Self { spec: PcmSpec { sample_rate, channels }, samples, chunk: 1000, at: 0, fails_at: None }
    }

    fn value(&self, at: u64, channel: u8) -> i16 {
        let t = at as f64 / f64::from(self.spec.sample_rate);
        let tone = 220.0 * f64::from(channel + 1);
        ((TAU * (tone * t + 90.0 * t * t)).sin() * 12_000.0) as i16
    }
}

impl PcmSource for Tones {
    fn spec(&self) -> PcmSpec {
        self.spec
    }

    fn next_chunk(&mut self) -> Result<Option<Vec<i16>>, SourceError> {
        if self.fails_at.is_some_and(|fails| self.at >= fails) {
            return Err(SourceError::new("test (frame 3)", "is damaged"));
        }
        let end = self.samples.min(self.at + self.chunk as u64);
        let values = (self.at..end).flat_map(|at| (0..self.spec.channels).map(move |channel| (at, channel)));
        let chunk: Vec<i16> = values.map(|(at, channel)| self.value(at, channel)).collect();
        self.at = end;
        Ok((!chunk.is_empty()).then_some(chunk))
    }
}

/// A package, and the folder that its files lie in.
fn pack(mut source: Tones) -> (Package, TempDir) {
    let parent = tempfile::tempdir().unwrap();
    let scratch = Scratch::open(parent.path()).unwrap();
    let package = package(&mut source, &Ladder::default(), scratch.job().unwrap(), &|| false);
    (package.unwrap(), parent)
}

fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

/// Reads a packed object the way a player does and returns the media durations of its segments in samples.
fn read_back(file: &PackedFile) -> Vec<u64> {
    let all = bytes(&file.path);
    let Packed { init, segment_sizes, segment_sha256, .. } = &file.packed;
    let (head, mut rest) = all.split_at(init.size as usize);
    assert_eq!((head, Sha256::of(head)), (&file.init[..], init.sha256));
    let mut cursor = head;
    Ftyp::decode(&mut cursor).unwrap();
    Moov::decode(&mut cursor).unwrap();
    let mut time = 0;
    let mut durations = Vec::new();
    for (index, (&size, digest)) in segment_sizes.iter().zip(segment_sha256).enumerate() {
        let (segment, after) = rest.split_at(size as usize);
        assert_eq!(Sha256::of(segment), *digest);
        let mut cursor = segment;
        let moof = Moof::decode(&mut cursor).unwrap();
        let mdat = Header::decode(&mut cursor).unwrap();
        assert_eq!(mdat.size, Some(cursor.len()));
        let traf = &moof.traf[0];
        assert_eq!(moof.mfhd.sequence_number, index as u32 + 1);
        assert_eq!(traf.tfdt.as_ref().unwrap().base_media_decode_time, time);
        let default = traf.tfhd.default_sample_duration.unwrap();
        let units = traf.trun[0].samples.iter();
        let sizes: usize = units.clone().map(|unit| unit.size.unwrap() as usize).sum();
        assert_eq!(sizes, cursor.len());
        let duration = units.map(|unit| u64::from(unit.duration.unwrap_or(default))).sum();
        durations.push(duration);
        time += duration;
        rest = after;
    }
    assert!(rest.is_empty());
    durations
}

#[test]
fn objects_hold_what_they_say_and_are_cut_alike() {
    for (rate, channels, samples) in [(44_100, 2, 44_100 * 9 + 77), (48_000, 1, 48_000 * 3), (44_100, 2, 1)] {
        let (package, _files) = pack(Tones::new(rate, channels, samples));
        assert_eq!(package.renditions.len(), 3);
        let first = read_back(&package.renditions[0]);
        assert_eq!(first.iter().sum::<u64>(), samples + 1600, "media is the delay and the source");
        for file in &package.renditions {
            assert_eq!(read_back(file), first);
            assert_eq!((file.samples, file.packed.segment_sizes.len()), (samples, first.len()));
        }
        assert!(package.cpu > Duration::ZERO);
    }
}

#[test]
fn first_segments_are_short() {
    let (package, _files) = pack(Tones::new(44_100, 2, 44_100 * 12));
    assert_eq!(package.renditions[0].segment_frames[..3], [48, 86, 172]);
}

#[test]
fn equal_sound_gives_equal_bytes_however_it_arrives() {
    let sound = || Tones::new(44_100, 2, 100_000);
    let (one, _files) = pack(sound());
    let (other, _others) = pack(Tones { chunk: 4096, ..sound() });
    for (a, b) in one.renditions.iter().zip(&other.renditions) {
        assert_eq!(a.packed, b.packed);
        assert_eq!(bytes(&a.path), bytes(&b.path));
    }
}

#[test]
fn init_segments_are_shared_between_tracks() {
    let (short, _files) = pack(Tones::new(44_100, 2, 5_000));
    let (long, _others) = pack(Tones::new(44_100, 2, 90_000));
    for (a, b) in short.renditions.iter().zip(&long.renditions) {
        assert_eq!(a.init, b.init);
    }
}

#[test]
fn failures_say_why_and_leave_no_files() {
    let parent = tempfile::tempdir().unwrap();
    let scratch = Scratch::open(parent.path()).unwrap();
    let attempt = |mut source: Tones, ladder: &Ladder, stopped: bool| {
        let dir = scratch.job().unwrap();
        let path = dir.path().to_owned();
        let error = package(&mut source, ladder, dir, &|| stopped).unwrap_err();
        assert!(!path.exists());
        error.to_string()
    };
    let ladder = Ladder::default();
    assert_eq!(attempt(Tones::new(44_100, 2, 0), &ladder, false), "source: holds no audio");
    assert_eq!(attempt(Tones::new(44_100, 2, 9000), &ladder, true), "package: stopped");
    assert_eq!(
        attempt(Tones::new(44_100, 2, 9000), &Ladder { rungs: vec![] }, false),
        "ladder: has no rungs"
    );
    let damaged = Tones { fails_at: Some(5000), ..Tones::new(44_100, 2, 9000) };
    assert_eq!(attempt(damaged, &ladder, false), "test (frame 3): is damaged");
    let odd = Tones::new(1234, 2, 9000);
    assert!(attempt(odd, &ladder, false).starts_with("encoder (sample rate)"));
}

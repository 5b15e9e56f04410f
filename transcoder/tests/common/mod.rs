//! What the integration tests share: sources made on the spot, an ingest into a folder, and independent readers.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::f64::consts::TAU;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use segue_manifests::{Descriptor, ObjectKey, Packed};
use segue_transcoder::{Config, Event, Ingest, Summary};
use tempfile::TempDir;

/// PCM of a test source.
#[derive(Clone)]
pub(crate) struct Sound {
    pub(crate) sample_rate: u32,
    pub(crate) channels: u16,
    /// Interleaved.
    pub(crate) values: Vec<i16>,
}

impl Sound {
    /// Notes with overtones and a little noise: something that correlates with itself at lag 0 alone.
    pub(crate) fn music(sample_rate: u32, channels: u16, samples: usize) -> Self {
        let mut noise = 1u32;
        let mut values = Vec::with_capacity(samples * usize::from(channels));
        for at in 0..samples {
            let t = at as f64 / f64::from(sample_rate);
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let hiss = f64::from(noise >> 16) / 65_536.0 - 0.5;
            for channel in 0..channels {
                let note = 110.0 * 2f64.powf(f64::from((at / 4000 % 13) as u32 * 5 % 12) / 12.0);
                let pitch = note * f64::from(channel + 1);
                let tone: f64 = (1..5).map(|n| (TAU * pitch * f64::from(n) * t).sin() / f64::from(n)).sum();
                values.push((tone * 6_000.0 + hiss * 400.0) as i16);
            }
        }
        Self { sample_rate, channels, values }
    }

    /// Samples of one channel.
    pub(crate) fn samples(&self) -> usize {
        self.values.len() / usize::from(self.channels)
    }

    /// One channel.
    pub(crate) fn channel(&self, channel: usize) -> Vec<f64> {
        pick(&self.values, usize::from(self.channels), channel)
    }

    /// Writes a WAV file.
    pub(crate) fn write_wav(&self, path: &Path) {
        let data: Vec<u8> = self.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let frame = self.channels * 2;
        let mut out = Vec::with_capacity(44 + data.len());
        out.extend(b"RIFF");
        out.extend((36 + data.len() as u32).to_le_bytes());
        out.extend(b"WAVEfmt ");
        out.extend(16u32.to_le_bytes());
        out.extend(1u16.to_le_bytes());
        out.extend(self.channels.to_le_bytes());
        out.extend(self.sample_rate.to_le_bytes());
        out.extend((self.sample_rate * u32::from(frame)).to_le_bytes());
        out.extend(frame.to_le_bytes());
        out.extend(16u16.to_le_bytes());
        out.extend(b"data");
        out.extend((data.len() as u32).to_le_bytes());
        out.extend(data);
        fs::write(path, out).unwrap();
    }
}

/// Every `channels`-th value from `channel` on.
pub(crate) fn pick(values: &[i16], channels: usize, channel: usize) -> Vec<f64> {
    values.iter().skip(channel).step_by(channels).map(|&value| f64::from(value)).collect()
}

/// A folder of music, a folder store and what an ingest put there.
pub(crate) struct Library {
    pub(crate) music: TempDir,
    pub(crate) store: TempDir,
    scratch: TempDir,
}

impl Library {
    pub(crate) fn new() -> Self {
        let dir = || tempfile::tempdir().unwrap();
        Self { music: dir(), store: dir(), scratch: dir() }
    }

    pub(crate) fn add(&self, name: &str, sound: &Sound) -> PathBuf {
        let path = self.music.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        sound.write_wav(&path);
        path
    }

    /// Ingests the whole folder.
    pub(crate) async fn ingest(&self) -> (Summary, Vec<Event>) {
        let store = segue_storage::open(self.store.path().to_str().unwrap()).await.unwrap();
        let config =
            Config { scratch: self.scratch.path().to_str().unwrap().to_owned(), ..Config::default() };
        let ingest = Ingest::new(store, config, None);
        let events = std::sync::Mutex::new(Vec::new());
        let paths = [self.music.path().to_owned()];
        let summary = ingest.run(&paths, &|event| events.lock().unwrap().push(event)).await;
        assert_eq!(fs::read_dir(self.scratch.path()).unwrap().count(), 0, "temporary files stay behind");
        (summary, events.into_inner().unwrap())
    }

    /// The release of a file that was published.
    pub(crate) fn release(&self, events: &[Event], path: &Path) -> Release {
        let published = events.iter().find_map(|event| match event {
            Event::Published { path: published, asset, rev, .. } if published == path => Some((*asset, *rev)),
            _ => None,
        });
        let (asset, rev) = published.unwrap_or_else(|| panic!("{}: {events:?}", path.display()));
        let descriptor = self.store.path().join(ObjectKey::Descriptor { asset, rev }.path());
        let folder = descriptor.parent().unwrap().to_owned();
        Release { descriptor: Descriptor::from_json(&fs::read(descriptor).unwrap()).unwrap(), folder }
    }
}

/// A release in a folder store.
pub(crate) struct Release {
    pub(crate) descriptor: Descriptor,
    pub(crate) folder: PathBuf,
}

impl Release {
    pub(crate) fn packed_path(&self, packed: &Packed) -> PathBuf {
        self.folder.join(format!("{}.mp4", packed.name))
    }

    /// Access units in all segments.
    pub(crate) fn frames(&self) -> u64 {
        self.descriptor.segment_frames.iter().map(|&n| u64::from(n)).sum()
    }
}

/// Runs an independent reader, which must succeed and have nothing to say.
pub(crate) fn silent(program: &str, args: &[&str]) -> Vec<u8> {
    let Output { status, stdout, stderr } =
        Command::new(program).args(["-hide_banner", "-v", "warning"]).args(args).output().unwrap_or_else(
            |e| panic!("{program} is needed ({e}); the test command in the README installs it"),
        );
    let said = String::from_utf8_lossy(&stderr);
    assert!(status.success() && said.trim().is_empty(), "{program} {args:?}: {said}");
    stdout
}

/// Decodes a file or playlist with ffmpeg: interleaved samples.
pub(crate) fn decode(path: &Path) -> Vec<i16> {
    let path = path.to_str().unwrap();
    let bytes = silent("ffmpeg", &["-xerror", "-i", path, "-map", "0:a:0", "-f", "s16le", "-"]);
    bytes.as_chunks::<2>().0.iter().map(|value| i16::from_le_bytes(*value)).collect()
}

/// Presentation time in samples and size in bytes of every packet that ffprobe finds.
pub(crate) fn packets(path: &Path) -> Vec<(i64, u32)> {
    let pair = |fields: Vec<i64>| (fields[0], fields[1] as u32);
    probe(path, "packet=pts,size").into_iter().map(pair).collect()
}

/// Samples that the fragments last, by what they state for each access unit.
pub(crate) fn media_duration(path: &Path) -> u64 {
    probe(path, "stream=duration_ts")[0][0] as u64
}

fn probe(path: &Path, entries: &str) -> Vec<Vec<i64>> {
    let path = path.to_str().unwrap();
    let entries = ["-select_streams", "a:0", "-show_entries", entries, "-of", "csv=p=0", path];
    let text = String::from_utf8(silent("ffprobe", &entries)).unwrap();
    let number = |field: &str| field.parse().unwrap_or_else(|_| panic!("{path}: {field}"));
    text.split_whitespace().map(|line| line.split(',').map(number).collect()).collect()
}

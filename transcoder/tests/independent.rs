//! What is published, read by programs that are not ours: ffprobe and ffmpeg.
#![allow(clippy::unwrap_used, reason = "test helpers outside of test functions")]

mod common;

use std::fs;

use common::{Library, Release, Sound, decode, media_duration, packets, pick, silent};

/// Ten shapes of source: both rates, mono and stereo, lengths around every boundary.
const SHAPES: [(u32, u16, usize); 10] = [
    (44_100, 2, 1),
    (48_000, 1, 447),
    (44_100, 2, 448),
    (44_100, 1, 449),
    (48_000, 2, 1024),
    (44_100, 2, 30_000),
    (48_000, 2, 48_000),
    (44_100, 1, 137_337),
    (48_000, 1, 250_000),
    (44_100, 2, 700_001),
];

async fn published() -> (Library, Vec<(Sound, Release)>) {
    let library = Library::new();
    let add = |&(rate, channels, samples): &(u32, u16, usize)| {
        let sound = Sound::music(rate, channels, samples);
        (library.add(&format!("{rate}-{channels}-{samples}.wav"), &sound), sound)
    };
    let files: Vec<_> = SHAPES.iter().map(add).collect();
    let (summary, events) = library.ingest().await;
    assert_eq!((summary.published, &summary.failed[..]), (SHAPES.len(), &[][..]));
    let releases = files.into_iter().map(|(path, sound)| (sound, library.release(&events, &path))).collect();
    (library, releases)
}

#[tokio::test]
async fn every_rendition_decodes_to_the_source_at_lag_zero() {
    let (_library, releases) = published().await;
    for (sound, release) in &releases {
        assert_eq!(release.descriptor.samples as usize, sound.samples());
        for packed in &release.descriptor.renditions {
            let what = format!("{} of {} samples", packed.name, sound.samples());
            let decoded = decode(&release.packed_path(packed));
            let channels = usize::from(sound.channels);
            let presented = presented(&decoded, release, channels, &what);
            for channel in 0..channels {
                let decoded = pick(presented, channels, channel);
                compare(&sound.channel(channel), &decoded, &what);
            }
        }
    }
}

/// Takes the encoder delay off, where the decoder has not. Decoders that ignore the edit list, as ffmpeg 5 does in
/// fragments, put out every sample of every access unit; others cut the delay; none need cut the end.
fn presented<'a>(decoded: &'a [i16], release: &Release, channels: usize, what: &str) -> &'a [i16] {
    let descriptor = &release.descriptor;
    let delay = u64::from(descriptor.encoder_delay);
    let coded = release.frames() * u64::from(descriptor.frame_samples);
    let got = (decoded.len() / channels) as u64;
    let skip = if got >= descriptor.samples + delay { delay } else { 0 };
    let expected = [coded, coded - delay, descriptor.samples + delay, descriptor.samples];
    assert!(expected.contains(&got), "{what}: {got} samples, expected one of {expected:?}");
    let skip = skip as usize * channels;
    &decoded[skip..skip + descriptor.samples as usize * channels]
}

/// Lag 0, and little noise: coding noise lies some 15 dB and more below the music.
fn compare(source: &[f64], decoded: &[f64], what: &str) {
    assert_eq!(source.len(), decoded.len(), "{what}");
    if source.len() < 20_000 {
        return; // too short to tell coding noise from sound
    }
    let lag = best_lag(source, decoded, 1700);
    assert_eq!(lag, 0, "{what}: shifted");
    let power = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>();
    let noise: Vec<f64> = source.iter().zip(decoded).map(|(a, b)| a - b).collect();
    let ratio = 10.0 * (power(source) / power(&noise)).log10();
    assert!(ratio > 15.0, "{what}: {ratio:.1} dB");
}

/// The shift, within `reach`, at which the two correlate best.
fn best_lag(a: &[f64], b: &[f64], reach: usize) -> isize {
    let length = (a.len() - reach).min(8_000);
    let at = (a.len() - length) / 2;
    let reach = reach.min(at) as isize;
    let correlation = |lag: isize| -> f64 {
        let start = at.saturating_add_signed(lag).min(b.len() - length);
        a[at..at + length].iter().zip(&b[start..start + length]).map(|(x, y)| x * y).sum()
    };
    (-reach..=reach).max_by(|x, y| correlation(*x).total_cmp(&correlation(*y))).unwrap_or(0)
}

#[tokio::test]
async fn packets_lie_where_the_descriptor_says() {
    let (_library, releases) = published().await;
    for (sound, release) in &releases {
        let descriptor = &release.descriptor;
        let media = sound.samples() as u64 + u64::from(descriptor.encoder_delay);
        for packed in &descriptor.renditions {
            let found = packets(&release.packed_path(packed));
            assert_eq!(found.len() as u64, release.frames(), "{}", packed.name);
            let path = release.packed_path(packed);
            assert_eq!(media_duration(&path), media, "the last access unit is cut at the end of the source");
            let bytes: u32 = found.iter().map(|packet| packet.1).sum();
            assert!(u64::from(bytes) < packed.object_size());
            let times: Vec<i64> = found.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
            assert!(times.iter().all(|&step| step == 1024), "{times:?}");
        }
    }
}

#[tokio::test]
async fn every_segment_stands_alone_behind_its_init() {
    let (library, releases) = published().await;
    let joined = library.music.path().join("joined.mp4");
    for (_, release) in releases.iter().filter(|(sound, _)| sound.samples() > 100_000) {
        let descriptor = &release.descriptor;
        for packed in &descriptor.renditions {
            let object = fs::read(release.packed_path(packed)).unwrap();
            assert_eq!(object.len() as u64, packed.object_size());
            let init = &object[..packed.init.size as usize];
            let mut start = 0i64;
            let mut edit = None;
            for (index, &frames) in descriptor.segment_frames.iter().enumerate() {
                let segment = packed.segment(index).unwrap();
                let from = segment.offset as usize;
                let bytes = &object[from..from + segment.size as usize];
                fs::write(&joined, [init, bytes].concat()).unwrap();
                let found = packets(&joined);
                assert_eq!(found.len(), frames as usize);
                // Readers may or may not shift times by the edit list, but all segments alike.
                let shift = found[0].0 - start;
                assert_eq!(shift, *edit.get_or_insert(shift), "segment {index} begins elsewhere");
                assert!(shift == 0 || shift == -i64::from(descriptor.encoder_delay), "{shift}");
                start += i64::from(frames) * i64::from(descriptor.frame_samples);
            }
        }
    }
}

#[tokio::test]
async fn the_bucket_alone_is_playable() {
    let (_library, releases) = published().await;
    let (sound, release) = releases.last().unwrap();
    let multivariant = release.folder.join("multivariant.m3u8");
    let streams = silent(
        "ffprobe",
        &[
            "-show_entries",
            "stream=codec_name,sample_rate,channels",
            "-of",
            "csv=p=0",
            multivariant.to_str().unwrap(),
        ],
    );
    let streams = String::from_utf8(streams).unwrap();
    let found: Vec<_> = streams.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(found.iter().filter(|line| line.contains("aac,44100,2")).count() % 3, 0, "{streams}");
    for packed in &release.descriptor.renditions {
        let playlist = release.folder.join(format!("{}.m3u8", packed.name));
        let decoded = decode(&playlist);
        let whole = decode(&release.packed_path(packed));
        assert_eq!(decoded.len(), whole.len(), "{}", packed.name);
        let decoded = presented(&decoded, release, 2, packed.name.as_str());
        compare(&sound.channel(0), &pick(decoded, 2, 0), packed.name.as_str());
    }
}

#[tokio::test]
async fn the_lowest_rung_keeps_its_peak_and_segments_the_target() {
    use segue_manifests::playlists::{Form, media, multivariant};
    let (_library, releases) = published().await;
    for (_, release) in &releases {
        let descriptor = &release.descriptor;
        let variants = multivariant(descriptor).variants;
        if descriptor.samples > 100_000 {
            assert!(variants[0].bandwidth <= 192_000, "{}", variants[0].bandwidth);
            assert!(variants.iter().all(|v| v.bandwidth < 2 * v.average_bandwidth));
        }
        let boundaries = |index: usize| {
            let name = &descriptor.renditions[index].name;
            let playlist = media(descriptor, name, Form::PerSegment).unwrap();
            assert!(playlist.target_duration() <= 4);
            playlist.segments.iter().map(|segment| segment.duration_us).collect::<Vec<_>>()
        };
        assert_eq!((boundaries(0), boundaries(0)), (boundaries(1), boundaries(2)));
        if boundaries(0).len() > 1 {
            assert!(boundaries(0)[0] >= 1_000_000);
        }
    }
}

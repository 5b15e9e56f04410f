//! Exact lengths everywhere, equal samples where nothing is lost, the right sound at the right place elsewhere.

use segue_transcoder::source::{PcmSpec, identify};

use crate::fixtures::{Folder, Format, Pcm, read, snr, wav};

/// Lengths at which something is special: one sample, an MP3 frame, an AAC frame and their neighbours.
const LENGTHS: [usize; 7] = [1, 2, 1024, 1151, 1152, 4097, 66_150];

fn assert_equal(path: &std::path::Path, pcm: &Pcm) {
    let (spec, samples) = read(path).unwrap();
    assert_eq!(spec, PcmSpec { sample_rate: pcm.rate, channels: pcm.channels as u8 });
    assert_eq!(samples.len(), pcm.samples.len(), "{path:?}");
    assert!(samples == pcm.samples, "{path:?} differs, {:.1} dB", snr(&pcm.samples, &samples));
    assert_eq!(identify(path).unwrap().pcm, spec);
}

/// Decodes, checks the length, and that the sound is the source's and in its place.
fn assert_close(path: &std::path::Path, pcm: &Pcm, least_db: f64) {
    let (spec, samples) = read(path).unwrap();
    assert_eq!(spec, PcmSpec { sample_rate: pcm.rate, channels: pcm.channels as u8 });
    assert_eq!(samples.len(), pcm.samples.len(), "{path:?}");
    if pcm.frames() > 20_000 {
        let ratio = snr(&pcm.samples, &samples);
        assert!(ratio > least_db, "{path:?}: {ratio:.1} dB");
    }
}

#[test]
fn wav_and_aiff_pass_bit_exactly() {
    let folder = Folder::new();
    for (rate, channels) in [(44_100, 2), (48_000, 2), (44_100, 1), (48_000, 1)] {
        for frames in LENGTHS {
            let pcm = Pcm::music(rate, channels, frames);
            assert_equal(&folder.put("a.wav", &pcm.wav()), &pcm);
            assert_equal(&folder.put("a.aiff", &pcm.aiff()), &pcm);
        }
    }
}

#[test]
fn flac_and_alac_pass_bit_exactly() {
    let folder = Folder::new();
    for (rate, channels) in [(44_100, 2), (48_000, 1)] {
        for frames in LENGTHS {
            let pcm = Pcm::music(rate, channels, frames);
            assert_equal(&folder.encode(&pcm, "a.flac", &[]), &pcm);
            assert_equal(&folder.encode(&pcm, "a.m4a", &["-c:a", "alac"]), &pcm);
            assert_equal(&folder.encode(&pcm, "a.oga", &["-c:a", "flac"]), &pcm);
            assert_equal(&folder.encode(&pcm, "a.mp4", &["-c:a", "flac", "-strict", "-2"]), &pcm);
        }
    }
}

#[test]
fn eight_bit_wav_is_scaled_without_dither() {
    let folder = Folder::new();
    let format = Format { rate: 44_100, channels: 1, bits: 8, float: false };
    let path = folder.put("a.wav", &wav(format, &[0, 1, 127, 128, 129, 255]));
    assert_eq!(read(&path).unwrap().1, [-32_768, -32_512, -256, 0, 256, 32_512]);
}

#[test]
fn deeper_samples_are_dithered_by_less_than_two_steps() {
    let folder = Folder::new();
    let deep: Vec<i32> = (0..50_000).map(|n: i32| (n * 7_919) % 8_000_000).collect();
    let bytes: Vec<u8> = deep.iter().flat_map(|sample| sample.to_le_bytes()[..3].to_vec()).collect();
    let format = Format { rate: 48_000, channels: 2, bits: 24, float: false };
    let path = folder.put("a.wav", &wav(format, &bytes));
    let (_, samples) = read(&path).unwrap();
    assert_eq!(samples.len(), deep.len());
    let errors = deep.iter().zip(&samples).map(|(deep, got)| f64::from(*got) - f64::from(*deep) / 256.0);
    assert!(errors.clone().all(|error| error.abs() <= 1.5));
    assert!((errors.sum::<f64>() / deep.len() as f64).abs() < 0.02, "dither is not centred");
    assert_eq!(samples, read(&path).unwrap().1, "the same file gives the same samples");
}

#[test]
fn floating_point_over_full_scale_clips() {
    let folder = Folder::new();
    let bytes: Vec<u8> =
        [4.0f32, -4.0, f32::NAN, 0.0].iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let format = Format { rate: 44_100, channels: 1, bits: 32, float: true };
    let (_, samples) = read(&folder.put("a.wav", &wav(format, &bytes))).unwrap();
    assert_eq!(samples[..2], [i16::MAX, i16::MIN]);
    assert!(samples[2..].iter().all(|sample| sample.abs() <= 1));
}

#[test]
fn mp3_is_gapless_by_its_lame_tag() {
    let folder = Folder::new();
    // LAME cannot say less than 47: its padding field ends at 4095.
    for frames in LENGTHS.into_iter().filter(|&frames| frames >= 47) {
        let pcm = Pcm::music(44_100, 2, frames);
        assert_close(&folder.encode(&pcm, "a.mp3", &["-b:a", "192k"]), &pcm, 15.0);
        assert_close(&folder.encode(&pcm, "v.mp3", &["-q:a", "2"]), &pcm, 15.0);
    }
    let mono = Pcm::music(48_000, 1, 50_000);
    assert_close(&folder.encode(&mono, "m.mp3", &["-b:a", "96k"]), &mono, 15.0);
}

#[test]
fn aac_is_gapless_by_its_edit_list() {
    let folder = Folder::new();
    for frames in LENGTHS {
        let pcm = Pcm::music(44_100, 2, frames);
        assert_close(&folder.encode(&pcm, "a.m4a", &["-b:a", "192k"]), &pcm, 12.0);
        let fragments =
            ["-b:a", "192k", "-movflags", "+frag_keyframe+delay_moov", "-frag_duration", "500000"];
        assert_close(&folder.encode(&pcm, "f.mp4", &fragments), &pcm, 12.0);
    }
    let mono = Pcm::music(48_000, 1, 50_000);
    assert_close(&folder.encode(&mono, "m.m4a", &["-b:a", "96k"]), &mono, 12.0);
}

#[test]
fn vorbis_and_opus_end_where_their_last_page_says() {
    let folder = Folder::new();
    for frames in LENGTHS {
        let pcm = Pcm::music(44_100, 2, frames);
        assert_close(&folder.encode(&pcm, "a.ogg", &["-c:a", "libvorbis", "-q:a", "6"]), &pcm, 12.0);
        let pcm = Pcm::music(48_000, 2, frames);
        assert_close(&folder.encode(&pcm, "a.opus", &["-c:a", "libopus", "-b:a", "160k"]), &pcm, 8.0);
    }
    let mono = Pcm::music(48_000, 1, 50_000);
    assert_close(&folder.encode(&mono, "m.opus", &["-c:a", "libopus", "-b:a", "96k"]), &mono, 8.0);
}

#[test]
fn other_rates_come_out_exactly_as_long() {
    let folder = Folder::new();
    for (rate, target) in
        [(8_000, 48_000), (22_050, 44_100), (32_000, 48_000), (88_200, 44_100), (192_000, 48_000)]
    {
        for frames in [1, 3, 44_099, 66_151] {
            let pcm = Pcm::music(rate, 1, frames);
            let (spec, samples) = read(&folder.put("a.wav", &pcm.wav())).unwrap();
            assert_eq!(spec, PcmSpec { sample_rate: target, channels: 1 });
            let want = (frames as f64 * f64::from(target) / f64::from(rate)).round().max(1.0);
            assert_eq!(samples.len(), want as usize, "{rate} Hz, {frames} frames");
        }
    }
}

#[test]
fn high_resolution_keeps_its_sound() {
    let folder = Folder::new();
    let wave = |rate: f64, n: usize| 0.5 * (std::f64::consts::TAU * 1000.0 * n as f64 / rate).sin();
    let deep = (0..192_000).map(|n| (wave(192_000.0, n) * 8_388_607.0).round() as i32);
    let bytes: Vec<u8> = deep.flat_map(|sample| sample.to_le_bytes()[..3].to_vec()).collect();
    let format = Format { rate: 192_000, channels: 1, bits: 24, float: false };
    let (spec, samples) = read(&folder.put("a.wav", &wav(format, &bytes))).unwrap();
    assert_eq!((spec.sample_rate, samples.len()), (48_000, 48_000));
    let want: Vec<i16> = (0..48_000).map(|n| (wave(48_000.0, n) * 32_767.0).round() as i16).collect();
    let ratio = snr(&want[4_000..44_000], &samples[4_000..44_000]);
    assert!(ratio > 80.0, "{ratio:.1} dB"); // 16 bits with dither leave 87 dB at this level.
}

#[test]
fn a_wav_from_a_pipe_runs_to_the_end_of_the_file() {
    let folder = Folder::new();
    let pcm = Pcm::music(44_100, 2, 10_000);
    let mut bytes = pcm.wav();
    bytes[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    bytes[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_equal(&folder.put("a.wav", &bytes), &pcm);
}

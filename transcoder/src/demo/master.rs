//! Mastering: loudness, a limiter that never lets a frame over the ceiling, fades, and 16-bit words.

use super::dsp::{SAMPLE_RATE, gain};
use super::loudness::integrated;
use super::mix::Stereo;
use super::random::Random;

/// No frame goes above this level (decibels below full scale): room for what lossy encoders add.
pub(crate) const CEILING: f32 = -1.5;

/// Frames per step of the limiter.
const STEP: usize = 64;
/// How fast the limiter closes and opens again, in decibels per step (1.45 ms).
const CLOSE: f32 = 0.5;
const OPEN: f32 = 0.045;

/// Sets loudness (LUFS), limits and fades (seconds at the start and at the end), in place.
pub(crate) fn master(sound: &mut Stereo, loudness: f32, fade: (f32, f32)) {
    let measured = integrated(sound);
    if measured.is_finite() {
        amplify(sound, gain(loudness - measured));
    }
    limit(sound);
    fade_ends(sound, fade);
}

fn amplify(sound: &mut Stereo, gain: f32) {
    sound.left.iter_mut().chain(&mut sound.right).for_each(|x| *x *= gain);
}

/// Looks ahead: the gain is down before a peak comes. At each edge between two steps the gain suits
/// both of them, and it runs straight between edges, so it suits every frame.
fn limit(sound: &mut Stereo) {
    let edges = limiter_edges(sound);
    for side in [&mut sound.left, &mut sound.right] {
        for (step, edge) in side.chunks_mut(STEP).zip(edges.windows(2)) {
            let slope = (edge[1] - edge[0]) / STEP as f32;
            step.iter_mut().enumerate().for_each(|(i, x)| *x *= edge[0] + slope * i as f32);
        }
    }
}

/// The gain at the edges of the steps.
fn limiter_edges(sound: &Stereo) -> Vec<f32> {
    let steps = sound.left.chunks(STEP).zip(sound.right.chunks(STEP));
    let needed: Vec<f32> = steps
        .map(|(l, r)| {
            let peak = l.iter().chain(r).fold(0.0_f32, |peak, x| peak.max(x.abs()));
            (CEILING - 20.0 * peak.max(1e-6).log10()).min(0.0)
        })
        .collect();
    let at = |i: Option<usize>| i.and_then(|i| needed.get(i)).copied().unwrap_or(0.0);
    let mut edges: Vec<f32> = (0..=needed.len()).map(|i| at(i.checked_sub(1)).min(at(Some(i)))).collect();
    for i in 1..edges.len() {
        edges[i] = edges[i].min(edges[i - 1] + OPEN);
    }
    for i in (1..edges.len()).rev() {
        edges[i - 1] = edges[i - 1].min(edges[i] + CLOSE);
    }
    edges.into_iter().map(gain).collect()
}

/// Fades along half a cosine, so that neither end begins or stops with a corner.
fn fade_ends(sound: &mut Stereo, (start, end): (f32, f32)) {
    let frames = |seconds: f32| ((seconds * SAMPLE_RATE) as usize).min(sound.len());
    let (start, end) = (frames(start), frames(end));
    let level = |i: usize, n: usize| 0.5 - 0.5 * (std::f32::consts::PI * i as f32 / n as f32).cos();
    for side in [&mut sound.left, &mut sound.right] {
        side[..start].iter_mut().enumerate().for_each(|(i, x)| *x *= level(i, start));
        side.iter_mut().rev().take(end).enumerate().for_each(|(i, x)| *x *= level(i, end));
    }
}

/// Interleaved 16-bit samples, with triangular dither of one bit either way.
pub(crate) fn quantise(sound: &Stereo, seed: u64) -> Vec<i16> {
    let mut random = Random::new(seed);
    let frames = sound.left.iter().zip(&sound.right);
    frames
        .flat_map(|(l, r)| [*l, *r])
        .map(|x| {
            let bits = random.bits();
            let dither = ((bits & 0xffff) as f32 - (bits >> 16) as f32) / 65_536.0;
            // Adding and taking away an offset makes truncation round to nearest, without a call into libm.
            ((x * 32_767.0 + dither + 32_768.5) as i32 - 32_768) as i16
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::dsp::oscillator::{Phase, sine};

    fn tone(level: f32, frames: usize) -> Stereo {
        let mut phase = Phase::new(441.0, 0.0);
        let left: Vec<f32> = (0..frames).map(|_| level * sine(phase.next())).collect();
        Stereo { right: left.clone(), left }
    }

    #[test]
    fn nothing_goes_over_the_ceiling() {
        let mut sound = tone(0.2, 44_100);
        for i in (10_000..30_000).step_by(1777) {
            sound.left[i] = 3.0;
            sound.right[i + 5] = -7.0;
        }
        limit(&mut sound);
        let peak = sound.left.iter().chain(&sound.right).fold(0.0_f32, |p, x| p.max(x.abs()));
        assert!(peak <= gain(CEILING) + 1e-4, "peak {peak}");
    }

    #[test]
    fn quiet_sound_passes_the_limiter_untouched() {
        let mut sound = tone(0.5, 10_000);
        let before = sound.clone();
        limit(&mut sound);
        assert_eq!(sound, before);
    }

    #[test]
    fn loudness_is_met_and_the_ends_are_faded() {
        let mut sound = tone(0.02, 88_200);
        master(&mut sound, -18.0, (0.1, 0.2));
        assert!((integrated(&sound) + 18.0).abs() < 0.5);
        assert!(sound.left[..20].iter().chain(&sound.left[88_180..]).all(|x| x.abs() < 1e-3));
    }

    #[test]
    fn silence_stays_within_the_dither() {
        let words = quantise(&Stereo::silence(5000), 3);
        assert!(words.iter().all(|w| w.abs() <= 1));
        assert_eq!(words, quantise(&Stereo::silence(5000), 3));
    }
}

//! Ears for the tests.

use crate::demo::dsp::SAMPLE_RATE;

/// Power of one frequency in a stretch of sound, through a Hann window (Goertzel's algorithm).
pub(crate) fn energy(samples: &[f32], hertz: f32) -> f64 {
    let turn = std::f64::consts::TAU * f64::from(hertz / SAMPLE_RATE);
    let twice = 2.0 * turn.cos();
    let (mut s1, mut s2) = (0.0, 0.0);
    for (i, x) in samples.iter().enumerate() {
        let window = 0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / samples.len() as f64).cos();
        (s1, s2) = (f64::from(*x) * window + twice * s1 - s2, s1);
    }
    (s1 * s1 + s2 * s2 - twice * s1 * s2) / (samples.len() as f64).powi(2)
}

/// Root mean square in decibels below full scale.
pub(crate) fn rms(samples: &[f32]) -> f32 {
    let power = samples.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / samples.len() as f64;
    (10.0 * power.log10()) as f32
}

/// The largest magnitude.
pub(crate) fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, x| peak.max(x.abs()))
}

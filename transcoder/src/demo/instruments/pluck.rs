//! Plucked strings (Karplus and Strong, 1983, tuned as Jaffe and Smith did in the same year): a burst
//! of noise runs round a loop as long as one period and loses its highs on every round.

use super::{Mono, Tone};
use crate::demo::dsp::SAMPLE_RATE;
use crate::demo::dsp::envelope::{Adsr, Envelope};
use crate::demo::dsp::filter::{DcBlocker, OnePole};
use crate::demo::random::Random;

/// What makes one string differ from another.
#[derive(Debug)]
pub(super) struct StringKind {
    /// Seconds until a 220 Hz string is 60 dB down.
    decay: f32,
    /// Share of the highs that is lost per round (0..0.5).
    dullness: f32,
    /// Where along the string it is plucked (0..0.5).
    pluck_at: f32,
    /// Low-pass on the finger, hertz at full velocity.
    finger: f32,
    /// Seconds until the string is damped once it is let go.
    release: f32,
}

pub(super) const GUITAR: StringKind =
    StringKind { decay: 4.5, dullness: 0.28, pluck_at: 0.19, finger: 4000.0, release: 0.35 };

pub(super) const HARP: StringKind =
    StringKind { decay: 6.5, dullness: 0.2, pluck_at: 0.37, finger: 3200.0, release: 2.5 };

pub(super) struct Pluck {
    string: Vec<f32>,
    at: usize,
    last: f32,
    dullness: f32,
    loss: f32,
    tuning: f32,
    tuning_in: f32,
    tuning_out: f32,
    blocker: DcBlocker,
    envelope: Envelope,
}

impl Pluck {
    pub(super) fn new(kind: &StringKind, tone: &Tone, random: &mut Random) -> Self {
        let period = SAMPLE_RATE / tone.hertz;
        // The loop is the string, the low-pass (late by `dullness`) and an all-pass late by 0.3 to 1.3 frames.
        let length = (period - kind.dullness - 0.3).floor().max(2.0);
        let late = period - kind.dullness - length;
        let decay = kind.decay * (220.0 / tone.hertz).powf(0.6);
        let shape = Adsr { attack: 0.001, decay: 1.0, sustain: 1.0, release: kind.release };
        let ring = (tone.seconds + kind.release).min(decay * 1.1);
        Self {
            string: excite(kind, tone, length as usize, random),
            at: 0,
            last: 0.0,
            dullness: kind.dullness,
            loss: 10.0_f32.powf(-3.0 * period / (decay * SAMPLE_RATE)),
            tuning: (1.0 - late) / (1.0 + late),
            tuning_in: 0.0,
            tuning_out: 0.0,
            blocker: DcBlocker::default(),
            envelope: Envelope::new(shape, (ring - kind.release).max(0.05)),
        }
    }
}

/// The burst that the finger leaves on the string: noise, softened, without what has a node where it was plucked.
fn excite(kind: &StringKind, tone: &Tone, length: usize, random: &mut Random) -> Vec<f32> {
    let mut soft = OnePole::new(kind.finger * (0.25 + 0.75 * tone.velocity));
    let noise: Vec<f32> = (0..length).map(|_| random.signed()).collect();
    // Twice round: the second round begins with the filter settled, so the ends of the loop meet.
    let smooth: Vec<f32> = noise.iter().chain(&noise).map(|x| soft.low(*x)).collect();
    let away = ((length as f32 * kind.pluck_at) as usize).max(1);
    let mut burst: Vec<f32> = (0..length).map(|i| smooth[length + i] - smooth[length + i - away]).collect();
    let mean = burst.iter().sum::<f32>() / length as f32;
    let power = burst.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / length as f32;
    let level = 0.32 * tone.velocity / power.sqrt().max(1e-6);
    burst.iter_mut().for_each(|x| *x = (*x - mean) * level);
    burst
}

impl Mono for Pluck {
    fn fill(&mut self, block: &mut [f32]) -> bool {
        let ramp = self.envelope.advance(block.len());
        for (i, out) in block.iter_mut().enumerate() {
            let now = self.string[self.at];
            let dull = self.loss * ((1.0 - self.dullness) * now + self.dullness * self.last);
            self.last = now;
            self.tuning_out = self.tuning * (dull - self.tuning_out) + self.tuning_in;
            self.tuning_in = dull;
            self.string[self.at] = self.tuning_out;
            self.at = if self.at + 1 == self.string.len() { 0 } else { self.at + 1 };
            *out = self.blocker.process(now) * ramp.at(i);
        }
        self.envelope.is_alive()
    }
}

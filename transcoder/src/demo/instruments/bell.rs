//! Struck bars and tongues: vibraphone, thumb piano and music box differ in the ratios of their modes.

use super::{Mono, Tone};
use crate::demo::dsp::envelope::{Adsr, Envelope};
use crate::demo::dsp::modes::{Mode, Modes};
use crate::demo::dsp::oscillator::{Phase, sine};

/// What makes one bar differ from another.
#[derive(Debug)]
pub(super) struct BellKind {
    /// Frequency ratio, amplitude and share of the ring time of each mode.
    modes: [(f32, f32, f32); 4],
    /// Seconds until a 440 Hz bar is 60 dB down.
    ring: f32,
    /// Seconds of the blow.
    attack: f32,
    /// How deep the motor of a vibraphone swells (0..1).
    swell: f32,
    /// Seconds until it is damped once it is let go.
    release: f32,
}

pub(super) const VIBRAPHONE: BellKind = BellKind {
    modes: [(1.0, 0.3, 1.0), (4.0, 0.07, 0.28), (9.9, 0.018, 0.08), (1.0004, 0.1, 1.4)],
    ring: 4.0,
    attack: 0.003,
    swell: 0.22,
    release: 0.9,
};

pub(super) const KALIMBA: BellKind = BellKind {
    modes: [(1.0, 0.36, 1.0), (2.0, 0.05, 0.5), (5.8, 0.05, 0.1), (8.4, 0.02, 0.06)],
    ring: 1.9,
    attack: 0.0015,
    swell: 0.0,
    release: 0.7,
};

pub(super) const MUSIC_BOX: BellKind = BellKind {
    modes: [(1.0, 0.26, 1.0), (3.0, 0.05, 0.5), (5.2, 0.035, 0.25), (8.1, 0.012, 0.12)],
    ring: 3.2,
    attack: 0.001,
    swell: 0.0,
    release: 2.0,
};

pub(super) struct Bell {
    bar: Modes<4>,
    motor: Phase,
    swell: f32,
    envelope: Envelope,
}

impl Bell {
    pub(super) fn new(kind: &BellKind, tone: &Tone) -> Self {
        let ring = (kind.ring * (440.0 / tone.hertz).sqrt()).clamp(0.6, 7.0);
        let hard = tone.velocity;
        let modes = kind.modes.map(|(ratio, amplitude, share)| Mode {
            hertz: tone.hertz * ratio,
            amplitude: amplitude * hard * if ratio > 1.5 { 0.4 + hard } else { 1.0 },
            decay: ring * share,
        });
        let shape = Adsr { attack: kind.attack, decay: 1.0, sustain: 1.0, release: kind.release };
        Self {
            bar: Modes::strike(&modes),
            motor: Phase::new(4.6, 0.0),
            swell: kind.swell,
            envelope: Envelope::new(shape, tone.seconds.min(ring)),
        }
    }
}

impl Mono for Bell {
    fn fill(&mut self, block: &mut [f32]) -> bool {
        let ramp = self.envelope.advance(block.len());
        let swell = 1.0 + self.swell * sine(self.motor.skip(block.len()));
        let ahead = 1.0 + self.swell * sine(self.motor.skip(0));
        let step = (ahead - swell) / block.len() as f32;
        self.bar.fill(block);
        for (i, out) in block.iter_mut().enumerate() {
            *out *= ramp.at(i) * (swell + step * i as f32);
        }
        self.envelope.is_alive()
    }
}

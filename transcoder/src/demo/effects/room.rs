//! Reverberation: a feedback delay network of eight lines that are mixed by a Hadamard matrix (which
//! keeps all energy), each losing level and highs on its way; four all-passes in front blur the attack.

use crate::demo::dsp::SAMPLE_RATE;
use crate::demo::dsp::oscillator::{Phase, sine};

const LINES: usize = 8;
const RING: usize = 4096;

/// Lengths in frames: prime to one another, so that the echoes never pile up.
const LENGTHS: [usize; LINES] = [1423, 1693, 1907, 2239, 2551, 2909, 3301, 3727];
const BLUR: [usize; 4] = [142, 331, 379, 107];
const BEFORE: usize = 1024;

/// What the room is like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoomSize {
    /// Seconds until it is 60 dB down.
    pub(crate) decay: f32,
    /// Share of the highs that every line loses (0 bright .. 1 dead).
    pub(crate) damping: f32,
}

/// A room.
#[derive(Debug)]
pub(crate) struct Room {
    lines: Vec<[f32; LINES]>,
    at: usize,
    loss: [f32; LINES],
    damped: [f32; LINES],
    damping: f32,
    blur: [AllPass; 4],
    before: Vec<f32>,
    drift: [Phase; 2],
    offset: [f32; 2],
}

impl Room {
    /// A room of this size.
    pub(crate) fn new(size: RoomSize) -> Self {
        let loss = LENGTHS.map(|n| 10.0_f32.powf(-3.0 * n as f32 / (size.decay * SAMPLE_RATE)));
        Self {
            lines: vec![[0.0; LINES]; RING],
            at: 0,
            loss,
            damped: [0.0; LINES],
            damping: size.damping,
            blur: BLUR.map(AllPass::new),
            before: vec![0.0; BEFORE],
            drift: [Phase::new(0.53, 0.0), Phase::new(0.71, 0.3)],
            offset: [0.0; 2],
        }
    }

    /// Turns one block of what was sent into what the room answers.
    pub(crate) fn process(&mut self, left: &mut [f32], right: &mut [f32]) {
        let frames = left.len() as f32;
        let target = [0, 1].map(|i| 6.0 + 6.0 * sine(self.drift[i].skip(left.len())));
        let step = [0, 1].map(|i| (target[i] - self.offset[i]) / frames);
        for (l, r) in left.iter_mut().zip(right) {
            self.offset[0] += step[0];
            self.offset[1] += step[1];
            [*l, *r] = self.frame(*l, *r);
        }
    }

    #[inline(always)]
    fn frame(&mut self, left: f32, right: f32) -> [f32; 2] {
        let at = self.at;
        let slot = at % BEFORE;
        let sent = std::mem::replace(&mut self.before[slot], left + right);
        let middle = self.blur.iter_mut().fold(sent * 0.5, |x, pass| pass.process(x));
        let mut taps: [f32; LINES] = std::array::from_fn(|i| self.lines[(at + RING - LENGTHS[i]) % RING][i]);
        // Two lines breathe: the tail does not ring like metal.
        taps[3] = self.moving_tap(3, self.offset[0]);
        taps[6] = self.moving_tap(6, self.offset[1]);
        for i in 0..LINES {
            self.damped[i] = taps[i] + self.damping * (self.damped[i] - taps[i]) + 1e-20;
        }
        let mixed = hadamard(self.damped);
        let side = (left - right) * 0.25;
        self.lines[at % RING] =
            std::array::from_fn(|i| mixed[i] * self.loss[i] + if i % 2 == 0 { middle + side } else { middle - side });
        self.at = (at + 1) % RING;
        let d = &self.damped;
        [(d[0] - d[3] + d[4] + d[7]) * 0.5, (d[1] - d[2] + d[5] + d[6]) * 0.5]
    }

    #[inline(always)]
    fn moving_tap(&self, line: usize, offset: f32) -> f32 {
        let whole = offset as usize;
        let part = offset - whole as f32;
        let back = self.at + RING - LENGTHS[line] - whole;
        let near = self.lines[back % RING][line];
        near + part * (self.lines[(back - 1) % RING][line] - near)
    }
}

/// The orthogonal Hadamard matrix of order eight, as three rounds of sums and differences.
#[inline(always)]
fn hadamard(x: [f32; LINES]) -> [f32; LINES] {
    let [a, b, c, d, e, f, g, h] = x;
    let [a, b, c, d, e, f, g, h] = [a + e, b + f, c + g, d + h, a - e, b - f, c - g, d - h];
    let [a, b, c, d, e, f, g, h] = [a + c, b + d, a - c, b - d, e + g, f + h, e - g, f - h];
    [a + b, a - b, c + d, c - d, e + f, e - f, g + h, g - h].map(|x| x * 0.353_553_4)
}

/// A Schroeder all-pass.
#[derive(Debug)]
struct AllPass {
    line: Vec<f32>,
    at: usize,
}

impl AllPass {
    fn new(frames: usize) -> Self {
        Self { line: vec![0.0; frames], at: 0 }
    }

    #[inline(always)]
    fn process(&mut self, input: f32) -> f32 {
        let late = self.line[self.at];
        let fed = input + 0.62 * late;
        self.line[self.at] = fed;
        self.at = if self.at + 1 == self.line.len() { 0 } else { self.at + 1 };
        late - 0.62 * fed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn impulse(size: RoomSize, seconds: f32) -> Vec<[f32; 2]> {
        let mut room = Room::new(size);
        let mut out = Vec::new();
        for block in 0..(seconds * SAMPLE_RATE) as usize / 128 {
            let (mut left, mut right) = ([0.0; 128], [0.0; 128]);
            if block == 0 {
                (left[0], right[0]) = (1.0, 1.0);
            }
            room.process(&mut left, &mut right);
            out.extend(left.iter().zip(right).map(|(l, r)| [*l, r]));
        }
        out
    }

    fn decibels(frames: &[[f32; 2]]) -> f32 {
        10.0 * (frames.iter().map(|f| f[0] * f[0] + f[1] * f[1]).sum::<f32>() / frames.len() as f32).log10()
    }

    #[test]
    fn hadamard_keeps_energy() {
        let x = [0.3, -1.0, 0.5, 0.25, 2.0, -0.75, 0.1, 0.0];
        let energy = |v: [f32; 8]| v.iter().map(|x| x * x).sum::<f32>();
        assert!((energy(hadamard(x)) - energy(x)).abs() < 1e-5);
    }

    #[test]
    fn decays_at_the_given_pace() {
        let tail = impulse(RoomSize { decay: 1.5, damping: 0.0 }, 2.0);
        let early = decibels(&tail[8820..13_230]);
        let late = decibels(&tail[52_920..57_330]);
        assert!((early - late - 40.0).abs() < 4.0, "one second should cost 40 dB, it cost {}", early - late);
    }

    #[test]
    fn is_stable_and_wide() {
        let tail = impulse(RoomSize { decay: 6.0, damping: 0.3 }, 3.0);
        assert!(tail.iter().flatten().all(|x| x.is_finite() && x.abs() < 1.0));
        let cross: f32 = tail.iter().map(|f| f[0] * f[1]).sum();
        let power: f32 = tail.iter().map(|f| f[0] * f[0] + f[1] * f[1]).sum::<f32>() / 2.0;
        assert!((cross / power).abs() < 0.4, "the sides are alike: {}", cross / power);
    }
}

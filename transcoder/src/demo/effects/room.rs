//! Reverberation: a feedback delay network of eight lines that are mixed by a Hadamard matrix (which
//! keeps all energy), each losing level and highs on its way; four all-passes in front blur the attack.

use crate::demo::dsp::oscillator::{Phase, sine};
use crate::demo::dsp::{BLOCK, SAMPLE_RATE};

const LINES: usize = 8;
const RING: usize = 4096;

/// Lengths in frames: prime to one another, so that the echoes never pile up.
const LENGTHS: [usize; LINES] = [1423, 1693, 1907, 2239, 2551, 2909, 3301, 3727];
const BLUR: [usize; 4] = [142, 331, 379, 107];
/// Frames (23 ms) until the room begins to answer.
const BEFORE: usize = 1024;
/// Keeps silence out of the slow denormal numbers.
const TINY: f32 = 1e-20;

/// What the room is like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoomSize {
    /// Seconds until it is 60 dB down.
    pub(crate) decay: f32,
    /// How strongly every line takes out highs (0 not at all .. 0.5 all of the highest).
    pub(crate) damping: f32,
}

/// One block of every line.
type Blocks = [[f32; BLOCK]; LINES];

/// A room. It works on whole blocks: the shortest line is longer than a block, so nothing that is written
/// in a block is read in the same one.
#[derive(Debug)]
pub(crate) struct Room {
    lines: [Vec<f32>; LINES],
    at: usize,
    loss: [f32; LINES],
    last: [f32; LINES],
    damping: f32,
    blur: [AllPass; 4],
    before: Vec<f32>,
    drift: [Phase; 2],
    offset: [f32; 2],
}

impl Room {
    /// A room of this size.
    pub(crate) fn new(size: RoomSize) -> Self {
        Self {
            lines: std::array::from_fn(|_| vec![0.0; RING]),
            at: 0,
            loss: LENGTHS.map(|n| 10.0_f32.powf(-3.0 * n as f32 / (size.decay * SAMPLE_RATE))),
            last: [0.0; LINES],
            damping: size.damping,
            blur: BLUR.map(AllPass::new),
            before: vec![0.0; BEFORE],
            drift: [Phase::new(0.53, 0.0), Phase::new(0.71, 0.3)],
            offset: [0.0; 2],
        }
    }

    /// Turns one block of what was sent into what the room answers.
    pub(crate) fn process(&mut self, left: &mut [f32; BLOCK], right: &mut [f32; BLOCK]) {
        let (middle, side) = self.feed(left, right);
        let damped = self.damped();
        for k in 0..BLOCK {
            left[k] = 0.5 * (damped[0][k] - damped[3][k] + damped[4][k] + damped[7][k]);
            right[k] = 0.5 * (damped[1][k] - damped[2][k] + damped[5][k] + damped[6][k]);
        }
        let mixed = hadamard(damped);
        let at = self.at % RING;
        for (i, line) in self.lines.iter_mut().enumerate() {
            let (loss, sign) = (self.loss[i], if i % 2 == 0 { 1.0 } else { -1.0 });
            for (k, slot) in line[at..at + BLOCK].iter_mut().enumerate() {
                *slot = mixed[i][k] * loss + middle[k] + sign * side[k];
            }
        }
        self.at += BLOCK;
    }

    /// What goes into the lines: the middle late and blurred, the sides as they are.
    fn feed(&mut self, left: &[f32; BLOCK], right: &[f32; BLOCK]) -> ([f32; BLOCK], [f32; BLOCK]) {
        let at = self.at % BEFORE;
        let before = &mut self.before[at..at + BLOCK];
        let mut middle: [f32; BLOCK] = std::array::from_fn(|k| 0.5 * before[k]);
        before.iter_mut().zip(left).zip(right).for_each(|((slot, l), r)| *slot = l + r + TINY);
        self.blur.iter_mut().for_each(|pass| pass.process(&mut middle));
        (middle, std::array::from_fn(|k| 0.25 * (left[k] - right[k])))
    }

    /// What comes out of the lines, less some of the highs.
    fn damped(&mut self) -> Blocks {
        let mut blocks: Blocks = std::array::from_fn(|i| self.read(i));
        // Two lines breathe: the tail does not ring like metal.
        for (drift, line) in [3, 6].into_iter().enumerate() {
            blocks[line] = self.moving(line, drift);
        }
        for (block, last) in blocks.iter_mut().zip(&mut self.last) {
            let taps = *block;
            block[0] += self.damping * (*last - taps[0]);
            for k in 1..BLOCK {
                block[k] += self.damping * (taps[k - 1] - taps[k]);
            }
            *last = taps[BLOCK - 1];
        }
        blocks
    }

    fn read(&self, line: usize) -> [f32; BLOCK] {
        let start = (self.at + RING - LENGTHS[line]) % RING;
        let straight = BLOCK.min(RING - start);
        let mut block = [0.0; BLOCK];
        block[..straight].copy_from_slice(&self.lines[line][start..start + straight]);
        block[straight..].copy_from_slice(&self.lines[line][..BLOCK - straight]);
        block
    }

    fn moving(&mut self, line: usize, drift: usize) -> [f32; BLOCK] {
        let target = 6.0 + 6.0 * sine(self.drift[drift].skip(BLOCK));
        let from = std::mem::replace(&mut self.offset[drift], target);
        let start = self.at + RING - LENGTHS[line];
        let ring = &self.lines[line];
        std::array::from_fn(|k| {
            let offset = from + (target - from) * k as f32 / BLOCK as f32;
            let whole = offset as usize;
            let near = ring[(start + k - whole) % RING];
            near + (offset - whole as f32) * (ring[(start + k - whole - 1) % RING] - near)
        })
    }
}

/// The orthogonal Hadamard matrix of order eight, as three rounds of sums and differences.
fn hadamard(mut x: Blocks) -> Blocks {
    for half in [4, 2, 1] {
        for i in (0..LINES).filter(|i| i & half == 0) {
            let (lower, upper) = x.split_at_mut(i + half);
            for (a, b) in lower[i].iter_mut().zip(&mut upper[0]) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
    }
    x.iter_mut().flatten().for_each(|x| *x *= 0.353_553_4);
    x
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

    fn process(&mut self, block: &mut [f32; BLOCK]) {
        for x in block {
            let late = self.line[self.at];
            let fed = *x + 0.62 * late;
            self.line[self.at] = fed;
            self.at = if self.at + 1 == self.line.len() { 0 } else { self.at + 1 };
            *x = late - 0.62 * fed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn impulse(size: RoomSize, seconds: f32) -> Vec<[f32; 2]> {
        let mut room = Room::new(size);
        let mut out = Vec::new();
        for block in 0..(seconds * SAMPLE_RATE) as usize / BLOCK {
            let (mut left, mut right) = ([0.0; BLOCK], [0.0; BLOCK]);
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
        let x = [0.3, -1.0, 0.5, 0.25, 2.0, -0.75, 0.1, 0.0].map(|x| [x; BLOCK]);
        let energy = |v: Blocks| v.iter().map(|x| x[0] * x[0]).sum::<f32>();
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

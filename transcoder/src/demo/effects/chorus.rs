//! Chorus: each side is doubled by a copy of itself whose delay breathes slowly.

use crate::demo::dsp::SAMPLE_RATE;
use crate::demo::dsp::oscillator::{Phase, sine};

const RING: usize = 2048;

/// A stereo chorus.
#[derive(Debug)]
pub(crate) struct Chorus {
    lines: [Vec<f32>; 2],
    at: usize,
    breath: [Phase; 2],
    delay: [f32; 2],
}

impl Default for Chorus {
    fn default() -> Self {
        let breath = [Phase::new(0.31, 0.0), Phase::new(0.37, 0.25)];
        Self { lines: [vec![0.0; RING], vec![0.0; RING]], at: 0, breath, delay: [0.014 * SAMPLE_RATE; 2] }
    }
}

impl Chorus {
    /// Works on one block in place.
    pub(crate) fn process(&mut self, left: &mut [f32], right: &mut [f32]) {
        let start = self.at;
        self.side(0, start, left);
        self.side(1, start, right);
        self.at = (start + left.len()) % RING;
    }

    fn side(&mut self, side: usize, start: usize, block: &mut [f32]) {
        let target = (0.014 + 0.004 * sine(self.breath[side].skip(block.len()))) * SAMPLE_RATE;
        let step = (target - self.delay[side]) / block.len() as f32;
        let line = &mut self.lines[side];
        for (i, x) in block.iter_mut().enumerate() {
            let at = start + i;
            line[at % RING] = *x;
            self.delay[side] += step;
            let whole = self.delay[side] as usize;
            let part = self.delay[side] - whole as f32;
            let near = line[(at + RING - whole) % RING];
            let far = line[(at + RING - whole - 1) % RING];
            *x = 0.75 * *x + 0.5 * (near + part * (far - near));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_sides_drift_apart_and_silence_stays_silent() {
        let mut chorus = Chorus::default();
        let mut phase = Phase::new(440.0, 0.0);
        let mut differs = false;
        for _ in 0..200 {
            let mut left: [f32; 128] = std::array::from_fn(|_| sine(phase.next()));
            let mut right = left;
            chorus.process(&mut left, &mut right);
            differs |= left.iter().zip(&right).any(|(l, r)| (l - r).abs() > 0.1);
            assert!(left.iter().chain(&right).all(|x| x.abs() <= 1.25));
        }
        assert!(differs);
        let mut silence = Chorus::default();
        let (mut left, mut right) = ([0.0; 128], [0.0; 128]);
        silence.process(&mut left, &mut right);
        assert!(left.iter().all(|x| *x == 0.0));
    }
}

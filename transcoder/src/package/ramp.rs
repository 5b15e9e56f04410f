//! Where segments end: short ones first, so that playback starts soon, and no tiny one at the end.

use crate::encode::Stream;

/// Lengths of segments in access units. They follow from the encoder's figures alone, so all renditions of a track
/// are cut alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ramp {
    first: u32,
    second: u32,
    rest: u32,
    /// A tail shorter than this joins the segment before it.
    least: u32,
}

impl Ramp {
    /// About 1.07 s presented (players want 1 s before they start), then 2 s, then 4 s, in whole access units; a
    /// tail under half a second joins, which keeps the longest under 4.5 s, so that it rounds to 4.
    pub(crate) fn of(stream: &Stream) -> Self {
        let frame = stream.frame_samples;
        let rate = stream.sample_rate;
        let whole = |samples: u32| (samples / frame).max(1);
        Self {
            first: (rate * 107 / 100 + stream.delay).div_ceil(frame),
            second: whole(2 * rate),
            rest: whole(4 * rate),
            least: (rate / 2).div_ceil(frame),
        }
    }

    fn frames(self, index: usize) -> u32 {
        match index {
            0 => self.first,
            1 => self.second,
            _ => self.rest,
        }
    }
}

/// Cuts a stream of access units whose end is not known: a segment is certain only when enough follows it.
#[derive(Debug)]
pub(crate) struct Cutter {
    ramp: Ramp,
    index: usize,
    /// Access units of a full segment that a short tail might still join.
    held: u32,
    /// Access units of the segment being filled.
    open: u32,
}

impl Cutter {
    pub(crate) fn new(ramp: Ramp) -> Self {
        Self { ramp, index: 0, held: 0, open: 0 }
    }

    /// Counts one more access unit. `Some(n)`: the first `n` that were not handed out yet are a segment.
    pub(crate) fn push(&mut self) -> Option<u32> {
        self.open += 1;
        if self.held > 0 && self.open >= self.ramp.least {
            return Some(std::mem::take(&mut self.held));
        }
        if self.open >= self.ramp.frames(self.index) {
            self.held = std::mem::take(&mut self.open);
            self.index += 1;
        }
        None
    }

    /// Access units of the last segment: all that were not handed out.
    pub(crate) fn finish(self) -> u32 {
        self.held + self.open
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stream(sample_rate: u32) -> Stream {
        Stream {
            codec: "mp4a.40.2",
            config: vec![],
            sample_rate,
            channels: 2,
            frame_samples: 1024,
            delay: 1600,
            bit_rate: 0,
            buffer_bytes: 0,
        }
    }

    fn cut(rate: u32, frames: u32) -> Vec<u32> {
        let mut cutter = Cutter::new(Ramp::of(&stream(rate)));
        let mut out: Vec<u32> = (0..frames).filter_map(|_| cutter.push()).collect();
        out.push(cutter.finish());
        out
    }

    #[test]
    fn ramp_at_both_rates() {
        let ramp = |rate| {
            let Ramp { first, second, rest, least } = Ramp::of(&stream(rate));
            [first, second, rest, least]
        };
        assert_eq!(ramp(44_100), [48, 86, 172, 22]);
        assert_eq!(ramp(48_000), [52, 93, 187, 24]);
    }

    #[test]
    fn short_tails_join() {
        assert_eq!(cut(44_100, 1), [1]);
        assert_eq!(cut(44_100, 48), [48]);
        assert_eq!(cut(44_100, 48 + 21), [69]);
        assert_eq!(cut(44_100, 48 + 22), [48, 22]);
        assert_eq!(cut(44_100, 48 + 86 + 172 + 21), [48, 86, 193]);
        assert_eq!(cut(44_100, 48 + 86 + 172 + 22), [48, 86, 172, 22]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_tiny(frames in 1u32..3000, fast in any::<bool>()) {
            let rate = if fast { 48_000 } else { 44_100 };
            let cuts = cut(rate, frames);
            prop_assert_eq!(cuts.iter().sum::<u32>(), frames);
            let seconds = |frames: u32| f64::from(frames * 1024) / f64::from(rate);
            for &segment in &cuts {
                prop_assert!(seconds(segment) < 4.5, "the target duration of 4 s holds");
            }
            if cuts.len() > 1 {
                prop_assert!(seconds(cuts[0]) - 1600.0 / f64::from(rate) >= 1.0);
                prop_assert!(seconds(*cuts.last().unwrap()) >= 0.5);
            }
        }
    }
}

//! Downmix to two channels by ITU-R BS.775, with the layout honoured and the gain normalised against clipping.

use std::f32::consts::FRAC_1_SQRT_2;

use symphonia::core::audio::Position;

/// Weights of each source channel in left and right; mono and stereo pass untouched.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mix {
    layout: Vec<Position>,
    weights: Vec<[f32; 2]>,
}

impl Mix {
    /// The mix for a layout.
    pub(super) fn new(layout: &[Position]) -> Self {
        let raw: Vec<[f32; 2]> = layout.iter().map(|&speaker| weight(speaker)).collect();
        let sum = |side: usize| raw.iter().map(|weight| weight[side]).sum::<f32>();
        // The louder side's sum, so that neither can clip and the balance is kept.
        let gain = 1.0 / sum(0).max(sum(1)).max(1.0);
        let weights = raw.iter().map(|[left, right]| [left * gain, right * gain]).collect();
        Self { layout: layout.to_vec(), weights }
    }

    /// Channels that come out.
    pub(super) fn channels(&self) -> usize {
        self.layout.len().min(2)
    }

    /// True if samples come out as they went in.
    pub(super) fn is_identity(&self) -> bool {
        self.layout.len() <= 2
    }

    /// True if this is the mix for `layout`.
    pub(super) fn is_for(&self, layout: &[Position]) -> bool {
        self.layout == layout
    }

    /// Mixes planes down in place.
    pub(super) fn apply(&self, planes: &mut Vec<Vec<f32>>) {
        if self.is_identity() {
            return;
        }
        let len = planes.first().map_or(0, Vec::len);
        let mut mixed = vec![vec![0.0; len]; 2];
        for (plane, weights) in planes.iter().zip(&self.weights) {
            for (out, weight) in mixed.iter_mut().zip(weights).filter(|(_, weight)| **weight != 0.0) {
                out.iter_mut().zip(plane).for_each(|(sum, sample)| *sum += sample * weight);
            }
        }
        *planes = mixed;
    }
}

/// Weights in left and right before normalising: BS.775-4 annex 4, table 2; height and wide speakers like the floor's.
fn weight(speaker: Position) -> [f32; 2] {
    use Position as P;
    const LEFT: Position = P::FRONT_LEFT.union(P::FRONT_LEFT_CENTER).union(P::FRONT_LEFT_WIDE);
    const RIGHT: Position = P::FRONT_RIGHT.union(P::FRONT_RIGHT_CENTER).union(P::FRONT_RIGHT_WIDE);
    const LEFT_AROUND: Position = P::REAR_LEFT
        .union(P::SIDE_LEFT)
        .union(P::TOP_FRONT_LEFT)
        .union(P::TOP_REAR_LEFT)
        .union(P::TOP_SIDE_LEFT)
        .union(P::BOTTOM_FRONT_LEFT);
    const RIGHT_AROUND: Position = P::REAR_RIGHT
        .union(P::SIDE_RIGHT)
        .union(P::TOP_FRONT_RIGHT)
        .union(P::TOP_REAR_RIGHT)
        .union(P::TOP_SIDE_RIGHT)
        .union(P::BOTTOM_FRONT_RIGHT);
    const BEHIND: Position = P::REAR_CENTER.union(P::TOP_REAR_CENTER).union(P::TOP_CENTER);
    if LEFT.contains(speaker) {
        [1.0, 0.0]
    } else if RIGHT.contains(speaker) {
        [0.0, 1.0]
    } else if LEFT_AROUND.contains(speaker) {
        [FRAC_1_SQRT_2, 0.0]
    } else if RIGHT_AROUND.contains(speaker) {
        [0.0, FRAC_1_SQRT_2]
    } else if BEHIND.contains(speaker) {
        // One surround is fed to both surround speakers 3 dB down, and these to the front 3 dB down.
        [0.5, 0.5]
    } else if P::LFE1.union(P::LFE2).contains(speaker) {
        [0.0, 0.0]
    } else {
        [FRAC_1_SQRT_2, FRAC_1_SQRT_2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::decode::usual_layout;

    fn mixed(layout: &[Position], frame: &[f32]) -> Vec<f32> {
        let mut planes: Vec<Vec<f32>> = frame.iter().map(|&sample| vec![sample]).collect();
        Mix::new(layout).apply(&mut planes);
        planes.iter().map(|plane| plane[0]).collect()
    }

    #[test]
    fn stereo_and_mono_pass() {
        assert_eq!(mixed(&usual_layout(2).unwrap(), &[0.25, -1.5]), [0.25, -1.5]);
        assert_eq!(mixed(&usual_layout(1).unwrap(), &[0.25]), [0.25]);
    }

    #[test]
    fn surround_follows_bs_775() {
        let layout = usual_layout(6).unwrap();
        let gain = 1.0 / (1.0 + 2.0 * FRAC_1_SQRT_2);
        let near = |got: Vec<f32>, want: [f32; 2]| {
            assert!(
                (got[0] - want[0] * gain).abs() < 1e-6 && (got[1] - want[1] * gain).abs() < 1e-6,
                "{got:?}"
            );
        };
        near(mixed(&layout, &[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]), [1.0, 0.0]);
        near(mixed(&layout, &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0]), [FRAC_1_SQRT_2; 2]);
        near(mixed(&layout, &[0.0, 0.0, 0.0, 1.0, 0.0, 0.0]), [0.0; 2]);
        near(mixed(&layout, &[0.0, 0.0, 0.0, 0.0, 0.0, 1.0]), [0.0, FRAC_1_SQRT_2]);
    }

    #[test]
    fn no_layout_can_clip() {
        for channels in 1..=8 {
            let layout = usual_layout(channels).unwrap();
            let loudest = mixed(&layout, &vec![1.0; channels]);
            assert!(loudest.iter().all(|sample| *sample <= 1.0 + 1e-6), "{channels}: {loudest:?}");
        }
    }
}

//! A small repeatable random number generator (SplitMix64): the same seed always plays the same album.

/// A stream of repeatable random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The stream that belongs to `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 32 evenly distributed bits.
    pub(crate) fn bits(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 32) as u32
    }

    /// Evenly distributed in 0..1.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.bits() >> 8) as f32 / 16_777_216.0
    }

    /// Evenly distributed in -1..1.
    pub(crate) fn signed(&mut self) -> f32 {
        self.unit() * 2.0 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_stream() {
        let (mut a, mut b, mut c) = (Random::new(7), Random::new(7), Random::new(8));
        let stream: Vec<u32> = (0..32).map(|_| a.bits()).collect();
        assert_eq!(stream, (0..32).map(|_| b.bits()).collect::<Vec<_>>());
        assert_ne!(stream, (0..32).map(|_| c.bits()).collect::<Vec<_>>());
    }

    #[test]
    fn signed_is_centred_and_bounded() {
        let mut random = Random::new(1);
        let values: Vec<f32> = (0..20_000).map(|_| random.signed()).collect();
        assert!(values.iter().all(|v| (-1.0..1.0).contains(v)));
        assert!((values.iter().sum::<f32>() / 20_000.0).abs() < 0.02);
    }
}

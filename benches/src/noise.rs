//! Bodies that nobody has to store: what stands behind a path follows from the path.

use bytes::Bytes;
use fastrand::Rng;

/// A body is a window of this many bytes of noise, so that two paths differ in nearly every byte.
const NOISE: usize = 32 << 20;

/// Makes bodies; clones share the noise.
#[derive(Debug, Clone)]
pub struct Noise(Bytes);

impl Default for Noise {
    fn default() -> Self {
        let mut noise = vec![0; NOISE];
        Rng::with_seed(1).fill(&mut noise);
        Self(noise.into())
    }
}

impl Noise {
    /// The body of that name; names of a kind have bodies of their own.
    ///
    /// # Panics
    /// When it is longer than half of the noise.
    #[must_use]
    pub fn body(&self, name: &str, length: usize) -> Bytes {
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let start = (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize % (NOISE / 2);
        self.0.slice(start..start + length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_bodies_apart() {
        let noise = Noise::default();
        assert_eq!(noise.body("/a", 1000), noise.body("/a", 1000));
        let same = |a: &[u8], b: &[u8]| a.iter().zip(b).filter(|(a, b)| a == b).count();
        for other in ["/b", "/a/", "/0"] {
            assert!(same(&noise.body("/a", 1000), &noise.body(other, 1000)) < 50, "{other}");
        }
    }
}

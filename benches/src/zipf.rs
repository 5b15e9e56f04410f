//! Popularity after Zipf: what stands at place n of the charts is asked for in proportion to 1 / n^s.

use fastrand::Rng;

/// Draws places of the charts, 0 the most popular.
#[derive(Debug, Clone)]
pub struct Zipf(Vec<f64>);

impl Zipf {
    /// Over that many places.
    #[must_use]
    pub fn new(places: usize, s: f64) -> Self {
        let mut sum = 0.0;
        let mut sums: Vec<f64> = Vec::with_capacity(places);
        for place in 1..=places {
            sum += (place as f64).powf(-s);
            sums.push(sum);
        }
        Self(sums)
    }

    /// One place.
    pub fn draw(&self, rng: &mut Rng) -> usize {
        let all = self.0.last().copied().unwrap_or(0.0);
        let at = rng.f64() * all;
        self.0.partition_point(|sum| *sum < at).min(self.0.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_place_is_half_as_often_drawn() {
        let (zipf, mut rng) = (Zipf::new(1000, 1.0), Rng::with_seed(1));
        let mut counts = [0u32; 1000];
        (0..200_000).for_each(|_| counts[zipf.draw(&mut rng)] += 1);
        let ratio = f64::from(counts[0]) / f64::from(counts[1]);
        assert!((1.9..2.1).contains(&ratio), "{ratio}");
        let last_half: u32 = counts[500..].iter().sum();
        let expected = 200_000.0 * 0.0925;
        assert!((f64::from(last_half) - expected).abs() < expected * 0.05, "{last_half}");
    }
}

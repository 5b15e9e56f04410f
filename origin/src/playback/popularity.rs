//! How much a song is played, with older plays counting less.
//!
//! A play of `age` counts `2^(-age / half-life)`. Kept as such, every score would have to be rewritten as time goes
//! by. Instead each play counts `2^(time / half-life)`, which grows for later plays and compares the same, and the
//! score is the binary logarithm of the sum, which stays small.

/// After this time a play counts half, milliseconds.
const HALF_LIFE_MS: f64 = 14.0 * 24.0 * 3600.0 * 1000.0;
/// The score of what was never played: beside any real one it is nothing.
pub(super) const NEVER: f64 = 0.0;

/// The score of one play at that time (milliseconds since the Unix epoch).
pub(super) fn one_play(at_ms: u64) -> f64 {
    at_ms as f64 / HALF_LIFE_MS
}

/// The score of the plays of both: `log2(2^a + 2^b)`, without leaving the range of numbers.
pub(super) fn together(a: f64, b: f64) -> f64 {
    let (more, less) = if a >= b { (a, b) } else { (b, a) };
    more + (less - more).exp2().ln_1p() / std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u64 = 1_767_225_600_000;
    const DAY: u64 = 24 * 3600 * 1000;

    fn plays(count: usize, at_ms: u64) -> f64 {
        (0..count).fold(NEVER, |score, _| together(score, one_play(at_ms)))
    }

    #[test]
    fn two_old_plays_are_worth_one_new() {
        let (old, new) = (plays(2, NOW), plays(1, NOW + 14 * DAY));
        assert!((old - new).abs() < 1e-9, "{old} {new}");
        assert!(plays(3, NOW) > new && plays(1, NOW) < new);
    }

    #[test]
    fn many_plays_keep_counting() {
        let many = plays(1_000_000, NOW);
        let one_more = together(many, one_play(NOW));
        assert!(one_more > many);
        assert!((many - one_play(NOW) - 1_000_000f64.log2()).abs() < 1e-6, "{many}");
    }

    proptest! {
        #[test]
        fn the_order_of_plays_does_not_matter(mut times in prop::collection::vec(NOW..NOW + 4000 * DAY, 1..50)) {
            let score = |times: &[u64]| times.iter().fold(NEVER, |sum, &at| together(sum, one_play(at)));
            let forward = score(&times);
            times.reverse();
            prop_assert!((forward - score(&times)).abs() < 1e-6);
            let latest = times.iter().max().copied().unwrap_or_default();
            prop_assert!(forward >= one_play(latest));
            prop_assert!(forward <= one_play(latest) + 6.0);
        }
    }
}

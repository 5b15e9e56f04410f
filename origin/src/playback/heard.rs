//! What is believed of what players say was heard.

/// So much more than the time since the start may have been heard: clocks and networks are not exact. Milliseconds.
const GRACE_MS: u64 = 10_000;
/// A play counts when so much was heard, milliseconds, or half of the song.
const ENOUGH_MS: u64 = 30_000;

/// What a player's report comes to: never less than before, not more than there was time for since the start, nor than
/// the song has with a little repeated. All times in milliseconds.
pub(super) fn believed(reported: u64, before: u64, started: u64, now: u64, duration: u64) -> u64 {
    // A clock that went backwards leaves the grace alone.
    let passed = now.saturating_sub(started).saturating_add(GRACE_MS);
    let most = duration.saturating_add(duration / 20);
    reported.min(passed).min(most).max(before)
}

/// Whether so much of the song makes the play count.
pub(super) fn is_enough(heard: u64, duration: u64) -> bool {
    heard >= ENOUGH_MS.min(duration.div_ceil(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reports_are_cut_to_what_can_be() {
        let table = [
            ((5_000, 0, 100, 10_100, 200_000), 5_000),
            // Faster than time.
            ((90_000, 0, 100, 10_100, 200_000), 20_000),
            // More than there is.
            ((900_000, 0, 0, 1_000_000, 200_000), 210_000),
            // Less than before.
            ((5_000, 7_000, 100, 10_100, 200_000), 7_000),
            // The clock went backwards.
            ((90_000, 0, 50_000, 100, 200_000), 10_000),
            ((90_000, 60_000, 50_000, 100, 200_000), 60_000),
        ];
        for ((reported, before, started, now, duration), expected) in table {
            assert_eq!(believed(reported, before, started, now, duration), expected, "{reported} {before}");
        }
    }

    #[test]
    fn half_of_a_short_song_is_enough() {
        assert!(is_enough(30_000, 200_000) && !is_enough(29_999, 200_000));
        assert!(is_enough(10_000, 20_000) && !is_enough(9_999, 20_000));
        assert!(is_enough(1, 1) && !is_enough(0, 1));
    }

    proptest! {
        #[test]
        fn it_never_goes_down_and_never_overflows(
            reported: u64, before in 0..u64::MAX / 4, started: u64, now: u64, duration: u64,
        ) {
            let heard = believed(reported, before, started, now, duration);
            prop_assert!(heard >= before && heard <= reported.max(before));
        }
    }
}

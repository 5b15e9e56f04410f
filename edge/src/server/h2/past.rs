//! Streams that are over, as far as that matters: what still comes on one that we reset is on its way by mistake, what comes
//! on one that ended is wrong (RFC 9113 5.1).

/// How many of the last streams are remembered.
const REMEMBERED: u32 = u128::BITS;

/// The last streams that a client opened.
#[derive(Debug, Default)]
pub(super) struct Past {
    last: u32,
    /// One bit for each odd number, the lowest for the last.
    opened: u128,
    reset: u128,
}

impl Past {
    /// The highest number so far.
    pub(super) fn last(&self) -> u32 {
        self.last
    }

    /// A stream begins, whose number is higher than all before.
    pub(super) fn open(&mut self, stream: u32) {
        let steps = stream.saturating_sub(self.last).div_ceil(2);
        self.opened = self.opened.checked_shl(steps).unwrap_or(0) | 1;
        self.reset = self.reset.checked_shl(steps).unwrap_or(0);
        self.last = stream;
    }

    /// We reset a stream.
    pub(super) fn reset(&mut self, stream: u32) {
        if let Some(bit) = self.bit(stream) {
            self.reset |= bit;
        }
    }

    /// Whether we reset it.
    pub(super) fn was_reset(&self, stream: u32) -> bool {
        self.bit(stream).is_some_and(|bit| self.reset & bit != 0)
    }

    /// Whether it was opened, a short time ago.
    pub(super) fn was_opened(&self, stream: u32) -> bool {
        self.bit(stream).is_some_and(|bit| self.opened & bit != 0)
    }

    fn bit(&self, stream: u32) -> Option<u128> {
        let back = self.last.checked_sub(stream)?;
        (back % 2 == 0 && back / 2 < REMEMBERED).then(|| 1 << (back / 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_streams_are_remembered() {
        let mut past = Past::default();
        for stream in [1, 3, 7, 9] {
            past.open(stream);
        }
        past.reset(7);
        assert_eq!(past.last(), 9);
        assert!([1, 3, 7, 9].iter().all(|stream| past.was_opened(*stream)));
        assert!([2, 5, 8, 11].iter().all(|stream| !past.was_opened(*stream)));
        assert!(past.was_reset(7) && !past.was_reset(9));
        past.open(7 + 2 * 127);
        assert!(past.was_reset(7) && past.was_opened(9));
        past.open(7 + 2 * 128);
        assert!(!past.was_reset(7) && past.was_opened(9));
        past.open(u32::MAX >> 1);
        assert!(!past.was_opened(9) && past.was_opened(u32::MAX >> 1));
    }
}

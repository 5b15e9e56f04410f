//! How much a client may ask for that costs us and is of no use to it (RFC 9113 10.5): resets, settings, pings, frames
//! without content, windows opened by a byte. Useful work and time earn it more.

use crate::clock::Clock;

/// What is there at first, and at most.
const MOST: u32 = 2_000;
/// Every 10 ms earn one back.
const MS_PER_UNIT: u64 = 10;
/// Bytes of content, sent or taken, that earn one.
const BYTES_PER_UNIT: usize = 512;

/// What a frame costs that does not lead to anything.
pub(super) const FRAME: u32 = 1;
/// What a reset costs: work was done for nothing.
pub(super) const RESET: u32 = 20;
/// What a response that was sent to its end earns.
pub(super) const ANSWERED: u32 = 10;

/// What is left of it.
#[derive(Debug)]
pub(super) struct Patience {
    left: u32,
    since_ms: u64,
    bytes: usize,
}

/// There is none left.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lost;

impl Patience {
    pub(super) fn new(clock: Clock) -> Self {
        Self { left: MOST, since_ms: clock.now_ms(), bytes: 0 }
    }

    /// Takes some.
    ///
    /// # Errors
    /// When the client has taxed it too much.
    pub(super) fn tax(&mut self, cost: u32, clock: Clock) -> Result<(), Lost> {
        if self.left < cost {
            self.rest(clock.now_ms());
        }
        self.left = self.left.checked_sub(cost).ok_or(Lost)?;
        Ok(())
    }

    fn rest(&mut self, now_ms: u64) {
        let units = now_ms.saturating_sub(self.since_ms) / MS_PER_UNIT;
        self.since_ms = now_ms;
        self.earn(u32::try_from(units).unwrap_or(MOST));
    }

    pub(super) fn earn(&mut self, units: u32) {
        self.left = self.left.saturating_add(units).min(MOST);
    }

    /// So many bytes of content went their way.
    pub(super) fn carried(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.earn((self.bytes / BYTES_PER_UNIT) as u32);
        self.bytes %= BYTES_PER_UNIT;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_and_comes_back() {
        let clock = Clock::start();
        let mut patience = Patience::new(clock);
        assert_eq!(patience.tax(MOST, clock), Ok(()));
        patience.since_ms = u64::MAX;
        assert_eq!(patience.tax(1, clock), Err(Lost));
        patience.since_ms = 0;
        patience.rest(250);
        assert_eq!(patience.left, 25);
        patience.carried(511);
        assert_eq!(patience.left, 25);
        patience.carried(513);
        assert_eq!(patience.left, 27);
        patience.earn(u32::MAX);
        assert_eq!(patience.left, MOST);
    }
}

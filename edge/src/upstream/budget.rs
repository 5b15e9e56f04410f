//! How much more than is asked for may be asked: what fails everywhere must not be asked for many times.

use std::sync::atomic::{AtomicU64, Ordering};

/// What one more request costs; every request that comes earns `percent` of that.
const PRICE: u64 = 100;

/// An allowance of one more request for some share of those that come, with a reserve for the first of an outage.
#[derive(Debug)]
pub(super) struct Budget {
    percent: u64,
    most: u64,
    left: AtomicU64,
}

impl Budget {
    /// `percent`: how many more requests a hundred earn, 0 for none at all; `reserve`: how many may be saved.
    pub(super) fn new(percent: u64, reserve: u64) -> Self {
        let most = if percent == 0 { 0 } else { reserve * PRICE };
        Self { percent, most, left: AtomicU64::new(most) }
    }

    /// A request comes.
    pub(super) fn earn(&self) {
        self.add(self.percent);
    }

    /// Takes one, if there is one left.
    pub(super) fn spend(&self) -> bool {
        let spent = |left: u64| left.checked_sub(PRICE);
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spent).is_ok()
    }

    /// Gives one back: it was of use.
    pub(super) fn refund(&self) {
        self.add(PRICE);
    }

    fn add(&self, amount: u64) {
        let added = |left: u64| (left < self.most).then(|| (left + amount).min(self.most));
        // An error says that it is full.
        let _ = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, added);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_what_comes_is_allowed() {
        let budget = Budget::new(20, 3);
        assert_eq!((0..5).filter(|_| budget.spend()).count(), 3);
        (0..14).for_each(|_| budget.earn());
        assert_eq!((0..5).filter(|_| budget.spend()).count(), 2);
        budget.refund();
        assert!(budget.spend() && !budget.spend());
        (0..1000).for_each(|_| budget.earn());
        assert_eq!((0..5).filter(|_| budget.spend()).count(), 3, "no more than the reserve is saved");
    }

    #[test]
    fn none_is_none() {
        let budget = Budget::new(0, 3);
        budget.earn();
        budget.refund();
        assert!(!budget.spend());
    }
}

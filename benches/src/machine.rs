//! The machine under it all: processor time that others take from it.

use std::fs;

/// Processor time of all cores so far, in ticks of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticks {
    /// All of it, idle time included.
    pub all: u64,
    /// What the host gave to other machines while this one wanted it.
    pub stolen: u64,
}

impl Ticks {
    /// As the kernel counts them now; nothing where it does not tell.
    #[must_use]
    pub fn now() -> Self {
        Self::read(&fs::read_to_string("/proc/stat").unwrap_or_default())
    }

    /// From the first line of `/proc/stat`, which tells of all cores: user, nice, system, idle, waiting, two kinds of interrupts,
    /// stolen; what comes after is a part of the first two.
    fn read(stat: &str) -> Self {
        let line = stat.lines().next().unwrap_or_default();
        let ticks: Vec<u64> =
            line.split_whitespace().skip(1).take(8).filter_map(|it| it.parse().ok()).collect();
        Self { all: ticks.iter().sum(), stolen: ticks.get(7).copied().unwrap_or_default() }
    }

    /// The share of the time since `before` that was stolen, percent.
    #[must_use]
    pub fn stolen_percent(self, before: Self) -> f64 {
        let stolen = self.stolen.saturating_sub(before.stolen);
        stolen as f64 * 100.0 / self.all.saturating_sub(before.all).max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stolen_time_is_told_from_the_rest() {
        let before = Ticks::read("cpu  10 0 5 80 1 2 2 0 7 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n");
        assert_eq!(before, Ticks { all: 100, stolen: 0 });
        let after = Ticks::read("cpu  60 0 5 100 1 2 2 30 7 0\n");
        assert!((after.stolen_percent(before) - 30.0).abs() < 1e-9);
        assert_eq!(Ticks::read(""), Ticks { all: 0, stolen: 0 });
        assert!(Ticks::now().all > 0);
    }
}

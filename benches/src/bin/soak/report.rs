//! What the run looked like minute by minute, and whether it holds.

use segue_benches::client::quantile;

use crate::listeners::Tally;

/// Growth that is let pass: of memory a tenth, of descriptors a tenth and these.
const GROWTH: f64 = 1.10;
const DESCRIPTORS: f64 = 16.0;
/// Statuses that the edge's documents name for upstreams that fail.
const DOCUMENTED: [u16; 3] = [502, 503, 504];

/// One look at the edge.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// Bytes.
    pub(crate) memory: u64,
    /// Those that are no client's.
    pub(crate) descriptors: usize,
}

/// Collects minutes.
#[derive(Debug, Default)]
pub(crate) struct Report {
    samples: Vec<Sample>,
    wrong: u64,
    undocumented: Vec<u16>,
    good: u64,
}

impl Report {
    pub(crate) fn heading() {
        println!(
            "| | good | hits | p99 of hits, ms | p99 of all | refused | broken off | left out | memory, MB | descriptors |"
        );
        println!("|---|---|---|---|---|---|---|---|---|---|");
    }

    /// Prints a line for one minute.
    pub(crate) fn add(&mut self, mut tally: Tally, sample: Sample) {
        self.samples.push(sample);
        self.wrong += tally.wrong;
        self.good += tally.good;
        self.undocumented.extend(tally.refused.keys().filter(|status| !DOCUMENTED.contains(status)));
        tally.hits.sort();
        tally.all.sort();
        let refused: Vec<String> =
            tally.refused.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        println!(
            "| {} | {} | {:.1} % | {:.1} | {:.1} | {} | {} | {} | {:.1} | {} |",
            self.samples.len(),
            tally.good,
            tally.hits.len() as f64 * 100.0 / tally.good.max(1) as f64,
            quantile(&tally.hits, 0.99),
            quantile(&tally.all, 0.99),
            refused.join(", "),
            tally.broken,
            tally.left_out,
            sample.memory as f64 / 1e6,
            sample.descriptors,
        );
    }

    /// What was wrong; nothing if all holds. `log` is what the edge said.
    pub(crate) fn faults(&self, log: &str) -> Vec<String> {
        let mut faults = Vec::new();
        if self.good == 0 {
            faults.push("nothing was served".to_owned());
        }
        if self.wrong > 0 {
            faults.push(format!("{} wrong bodies", self.wrong));
        }
        if let Some(status) = self.undocumented.first() {
            faults.push(format!("answers with status {status}"));
        }
        let panics = log.matches("panicked").count();
        if panics > 0 {
            faults.push(format!("{panics} panics"));
        }
        let (before, after) = self.ends(|sample| sample.memory as f64);
        if after > before * GROWTH {
            faults.push(format!("memory grew from {:.1} to {:.1} MB", before / 1e6, after / 1e6));
        }
        let (before, after) = self.ends(|sample| sample.descriptors as f64);
        if after > before * GROWTH + DESCRIPTORS {
            faults.push(format!("descriptors grew from {before} to {after}"));
        }
        faults
    }

    /// Medians of the first quarter, and of the last. The cache is full before the first minute begins.
    fn ends(&self, value: impl Fn(&Sample) -> f64) -> (f64, f64) {
        let part = self.samples.len().div_ceil(4);
        let median = |samples: &[Sample]| {
            let mut values: Vec<f64> = samples.iter().map(&value).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or(0.0)
        };
        (median(&self.samples[..part]), median(&self.samples[self.samples.len() - part..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(memory: &[u64], change: impl FnOnce(&mut Tally), log: &str) -> Vec<String> {
        let mut report = Report::default();
        let mut tally = Tally { good: 1, ..Tally::default() };
        change(&mut tally);
        for (minute, memory) in memory.iter().enumerate() {
            let tally = if minute == 0 { std::mem::take(&mut tally) } else { Tally::default() };
            report.add(tally, Sample { memory: *memory, descriptors: 20 });
        }
        report.faults(log)
    }

    #[test]
    fn each_fault_is_named() {
        assert!(of(&[100, 104, 109, 108], |_| {}, "all well").is_empty());
        assert_eq!(of(&[100, 104, 109, 111], |_| {}, "").len(), 1);
        assert!(of(&[1], |tally| tally.wrong = 2, "")[0].contains("2 wrong"));
        assert!(of(&[1], |tally| tally.refused.extend([(500, 1)]), "")[0].contains("500"));
        assert!(of(&[1], |tally| tally.refused.extend([(503, 1)]), "").is_empty());
        assert!(of(&[1], |_| {}, "thread 'edge-0' panicked at")[0].contains("1 panic"));
        assert!(of(&[1], |tally| tally.good = 0, "")[0].contains("nothing"));
    }
}

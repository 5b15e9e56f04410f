//! What the run looked like minute by minute, and whether it holds.

use std::time::{Duration, Instant};

use segue_benches::client::quantile;
use segue_benches::machine::Ticks;

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
    /// Processor time of the edge so far.
    pub(crate) cpu: Duration,
    pub(crate) at: Instant,
    pub(crate) ticks: Ticks,
}

/// Collects minutes.
#[derive(Debug, Default)]
pub(crate) struct Report {
    minutes: usize,
    wrong: u64,
    undocumented: Vec<u16>,
    good: u64,
    /// The last look.
    last: Option<Sample>,
}

impl Report {
    pub(crate) fn heading() {
        println!(
            "| | good | hits | p99 of hits, ms | p99 of all | refused | broken off | left out | memory, MB | descriptors | cores, edge | stolen |"
        );
        println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    }

    /// Minutes begin here.
    pub(crate) fn begin(&mut self, sample: Sample) {
        self.last = Some(sample);
    }

    /// Prints a line for one minute.
    pub(crate) fn add(&mut self, mut tally: Tally, sample: Sample) {
        self.minutes += 1;
        self.count(&tally);
        let last = self.last.replace(sample).unwrap_or(sample);
        tally.hits.sort();
        tally.all.sort();
        let refused: Vec<String> =
            tally.refused.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        println!(
            "| {} | {} | {:.1} % | {:.1} | {:.1} | {} | {} | {} | {:.1} | {} | {:.2} | {:.1} % |",
            self.minutes,
            tally.good,
            tally.hits.len() as f64 * 100.0 / tally.good.max(1) as f64,
            quantile(&tally.hits, 0.99),
            quantile(&tally.all, 0.99),
            refused.join(", "),
            tally.broken,
            tally.left_out,
            sample.memory as f64 / 1e6,
            sample.descriptors,
            (sample.cpu - last.cpu).as_secs_f64() / (sample.at - last.at).as_secs_f64().max(0.001),
            sample.ticks.stolen_percent(last.ticks),
        );
    }

    /// Counts what must not be, without a line.
    pub(crate) fn count(&mut self, tally: &Tally) {
        self.wrong += tally.wrong;
        self.good += tally.good;
        self.undocumented.extend(tally.refused.keys().filter(|status| !DOCUMENTED.contains(status)));
    }

    /// What was wrong; nothing if all holds. `log` is what the edge said; the samples were taken before and after, while
    /// upstreams were well.
    pub(crate) fn faults(&self, log: &str, before: Sample, after: Sample) -> Vec<String> {
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
        let (was, is) = (before.memory as f64, after.memory as f64);
        if is > was * GROWTH {
            faults.push(format!("memory grew from {:.1} to {:.1} MB", was / 1e6, is / 1e6));
        }
        let (was, is) = (before.descriptors as f64, after.descriptors as f64);
        if is > was * GROWTH + DESCRIPTORS {
            faults.push(format!("descriptors grew from {was} to {is}"));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(memory: u64, descriptors: usize) -> Sample {
        let (cpu, at) = (Duration::ZERO, Instant::now());
        Sample { memory, descriptors, cpu, at, ticks: Ticks { all: 0, stolen: 0 } }
    }

    fn of((memory, descriptors): (u64, usize), change: impl FnOnce(&mut Tally), log: &str) -> Vec<String> {
        let (mut report, before) = (Report::default(), sample(100, 100));
        let mut tally = Tally { good: 1, ..Tally::default() };
        change(&mut tally);
        report.begin(before);
        report.add(tally, before);
        report.faults(log, before, sample(memory, descriptors))
    }

    #[test]
    fn each_fault_is_named() {
        let same = (109, 120);
        assert!(of(same, |_| {}, "all well").is_empty());
        assert!(of((111, 120), |_| {}, "")[0].contains("memory"));
        assert!(of((109, 127), |_| {}, "")[0].contains("descriptors"));
        assert!(of(same, |tally| tally.wrong = 2, "")[0].contains("2 wrong"));
        assert!(of(same, |tally| tally.refused.extend([(500, 1)]), "")[0].contains("500"));
        assert!(of(same, |tally| tally.refused.extend([(503, 1)]), "").is_empty());
        assert!(of(same, |_| {}, "thread 'edge-0' panicked at")[0].contains("1 panic"));
        assert!(of(same, |tally| tally.good = 0, "")[0].contains("nothing"));
    }
}

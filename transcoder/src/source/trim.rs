//! Cuts encoder delay and padding off a stream of planes, holding back no more than it must.

use super::demux::Span;

/// Lets the presented samples of a stream through.
#[derive(Debug)]
pub(super) struct Trim {
    span: Span,
    pending: Vec<Vec<f32>>,
    /// Index in the decoded stream of the first pending sample.
    at: u64,
}

impl Trim {
    /// Trims to `span`, which counts samples.
    pub(super) fn new(span: Span) -> Self {
        Self { span, pending: Vec::new(), at: 0 }
    }

    /// Takes decoded planes and gives what is known to be presented; `covered` are the samples for which the
    /// packets read so far have a duration.
    pub(super) fn push(&mut self, planes: &[Vec<f32>], covered: u64) -> Vec<Vec<f32>> {
        self.pending.resize_with(planes.len(), Vec::new);
        for (pending, plane) in self.pending.iter_mut().zip(planes) {
            pending.extend_from_slice(plane);
        }
        let decoded = self.at + self.pending.first().map_or(0, Vec::len) as u64;
        let mut end = decoded.saturating_sub(self.span.drop_end);
        if self.span.by_duration {
            end = end.min(covered);
        }
        if let Some(limit) = self.span.limit {
            end = end.min(self.span.skip.saturating_add(limit));
        }
        self.advance(end)
    }

    /// Gives the pending samples before `end`, less those before the span.
    fn advance(&mut self, end: u64) -> Vec<Vec<f32>> {
        let taken = usize::try_from(end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let skipped =
            usize::try_from(self.span.skip.saturating_sub(self.at)).unwrap_or(usize::MAX).min(taken);
        self.at += taken as u64;
        let give = |pending: &mut Vec<f32>| pending.drain(..taken.min(pending.len())).skip(skipped).collect();
        self.pending.iter_mut().map(give).collect()
    }

    /// Samples that wait for a duration to cover them, or for the end.
    pub(super) fn pending(&self) -> u64 {
        self.pending.first().map_or(0, Vec::len) as u64
    }

    /// True once nothing further can come out, so that what is decoded beyond need not be kept.
    pub(super) fn is_done(&self) -> bool {
        self.span.limit.is_some_and(|limit| self.at >= self.span.skip.saturating_add(limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(span: Span, durations: &[(usize, u64)]) -> Vec<f32> {
        let mut trim = Trim::new(span);
        let (mut next, mut covered, mut out) = (0.0, 0, Vec::new());
        for &(samples, duration) in durations {
            covered += duration;
            let plane: Vec<f32> = (0..samples).map(|i| next + i as f32).collect();
            next += samples as f32;
            out.extend(trim.push(&[plane], covered).remove(0));
        }
        out
    }

    fn numbers(range: std::ops::Range<u32>) -> Vec<f32> {
        range.map(|n| n as f32).collect()
    }

    #[test]
    fn delay_padding_and_limit_are_cut() {
        let packets = [(10, 10), (10, 10), (10, 10)];
        let span = Span { skip: 13, ..Span::default() };
        assert_eq!(run(span, &packets), numbers(13..30));
        assert_eq!(run(Span { drop_end: 12, ..span }, &packets), numbers(13..18));
        assert_eq!(run(Span { limit: Some(4), ..span }, &packets), numbers(13..17));
        assert_eq!(run(Span { skip: 40, ..span }, &packets), numbers(0..0));
        assert_eq!(run(Span { drop_end: 40, ..span }, &packets), numbers(0..0));
    }

    #[test]
    fn durations_cut_the_last_packet() {
        let span = Span { skip: 2, by_duration: true, ..Span::default() };
        assert_eq!(run(span, &[(10, 10), (10, 3)]), numbers(2..13));
        assert_eq!(run(span, &[(10, 9), (10, 11), (10, 10)]), numbers(2..30));
    }
}

//! Byte ranges (RFC 9110 14).

use std::ops::Range;

/// What a `Range` header asks of a representation of some length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it: no range, another unit, more than one range, or nonsense, which a server may pass over.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Bytes that are not there: 416.
    Unsatisfiable,
}

/// Reads a `Range` header against `length`.
pub(crate) fn wanted(header: &str, length: u64) -> Wanted {
    let Some((unit, set)) = header.split_once('=') else { return Wanted::Whole };
    let Some((first, last)) = set.trim().split_once('-') else { return Wanted::Whole };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !unit.trim().eq_ignore_ascii_case("bytes") || !digits(first) || !digits(last) {
        return Wanted::Whole;
    }
    // Numbers beyond u64 are as good as the largest.
    let number = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap_or(u64::MAX));
    match (number(first), number(last)) {
        (None, None) => Wanted::Whole,
        (Some(first), Some(last)) if first > last => Wanted::Whole,
        (Some(first), _) if first >= length => Wanted::Unsatisfiable,
        (Some(first), last) => Wanted::Part(first..last.map_or(length, |last| last.min(length - 1) + 1)),
        (None, Some(count)) if count == 0 || length == 0 => Wanted::Unsatisfiable,
        (None, Some(count)) => Wanted::Part(length.saturating_sub(count)..length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_of_range() {
        use Wanted::{Part, Unsatisfiable, Whole};
        let table = [
            ("bytes=0-0", Part(0..1)),
            ("bytes=2-4", Part(2..5)),
            ("bytes=5-", Part(5..10)),
            ("bytes=-3", Part(7..10)),
            ("bytes=-99", Part(0..10)),
            ("bytes=0-99999999999999999999999", Part(0..10)),
            ("bytes=10-", Unsatisfiable),
            ("bytes=99999999999999999999999-", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=4-2", Whole),
            ("bytes=0-1,3-4", Whole),
            ("bytes=-", Whole),
            ("bytes=+1-2", Whole),
            ("pages=1-2", Whole),
            ("", Whole),
        ];
        for (header, expected) in table {
            assert_eq!(wanted(header, 10), expected, "{header}");
        }
        assert_eq!(wanted("bytes=0-", 0), Unsatisfiable);
    }

    proptest! {
        #[test]
        fn parts_lie_within(header in "(bytes=)?[0-9]{0,21}-?[0-9]{0,21}", length in 0u64..1000) {
            if let Wanted::Part(part) = wanted(&header, length) {
                prop_assert!(part.start < part.end && part.end <= length);
            }
        }
    }
}

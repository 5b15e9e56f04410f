//! `Range: bytes=...` (RFC 9110 14).

use std::ops::Range;

/// What a `Range` field asks of a representation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RangeRequest {
    /// Nothing that is served in parts: another unit, several ranges, or not a range at all. The whole is
    /// sent, as RFC 9110 14.2 allows.
    Whole,
    /// These bytes, never empty, within the length.
    Part(Range<u64>),
    /// 416: the range lies outside.
    Unsatisfiable,
}

/// Reads a `Range` field for a representation of `length` bytes.
pub fn parse(field: &str, length: u64) -> RangeRequest {
    let Some(spec) = strip_unit(field) else { return RangeRequest::Whole };
    let Some((first, last)) = spec.trim().split_once('-') else { return RangeRequest::Whole };
    match (number(first.trim()), number(last.trim())) {
        (Some(Some(first)), Some(last)) => from_to(first, last, length),
        (Some(None), Some(Some(suffix))) => last_bytes(suffix, length),
        _ => RangeRequest::Whole,
    }
}

fn strip_unit(field: &str) -> Option<&str> {
    let (unit, spec) = field.split_once('=')?;
    unit.trim().eq_ignore_ascii_case("bytes").then_some(spec)
}

fn from_to(first: u64, last: Option<u64>, length: u64) -> RangeRequest {
    match last {
        Some(last) if last < first => RangeRequest::Whole,
        _ if first >= length => RangeRequest::Unsatisfiable,
        Some(last) => RangeRequest::Part(first..last.saturating_add(1).min(length)),
        None => RangeRequest::Part(first..length),
    }
}

fn last_bytes(suffix: u64, length: u64) -> RangeRequest {
    if suffix == 0 || length == 0 {
        return RangeRequest::Unsatisfiable;
    }
    RangeRequest::Part(length.saturating_sub(suffix)..length)
}

/// `Some(None)` for nothing, `None` for what is no number. Numbers beyond 64 bits count as the largest.
fn number(text: &str) -> Option<Option<u64>> {
    if text.is_empty() {
        return Some(None);
    }
    text.bytes().all(|b| b.is_ascii_digit()).then(|| Some(text.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::RangeRequest::{Part, Unsatisfiable, Whole};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn table() {
        let rows = [
            ("bytes=0-0", Part(0..1)),
            ("bytes=0-", Part(0..10)),
            ("bytes=3-5", Part(3..6)),
            ("Bytes = 3-5", Part(3..6)),
            ("bytes=3-99999999999999999999999", Part(3..10)),
            ("bytes=9-9", Part(9..10)),
            ("bytes=-3", Part(7..10)),
            ("bytes=-30", Part(0..10)),
            ("bytes=10-", Unsatisfiable),
            ("bytes=99999999999999999999999-", Unsatisfiable),
            ("bytes=-0", Unsatisfiable),
            ("bytes=5-3", Whole),
            ("bytes=0-1,3-4", Whole),
            ("bytes=-", Whole),
            ("bytes=", Whole),
            ("bytes", Whole),
            ("bytes=+1-2", Whole),
            ("bytes=a-b", Whole),
            ("items=0-1", Whole),
            ("", Whole),
        ];
        for (field, expected) in rows {
            assert_eq!(parse(field, 10), expected, "{field}");
        }
        assert_eq!(parse("bytes=0-", 0), Unsatisfiable);
        assert_eq!(parse("bytes=-1", 0), Unsatisfiable);
    }

    proptest! {
        #[test]
        fn parts_lie_within(field in "(bytes=)?[-0-9, a]{0,30}", length in 0u64..1000) {
            if let Part(range) = parse(&field, length) {
                prop_assert!(range.start < range.end && range.end <= length);
            }
        }

        #[test]
        fn every_satisfiable_range_is_met(length in 1u64..1000, a in 0u64..1000, b in 0u64..1000) {
            let (first, last) = (a.min(b) % length, a.max(b) % length);
            prop_assume!(first <= last);
            prop_assert_eq!(parse(&format!("bytes={first}-{last}"), length), Part(first..last + 1));
            prop_assert_eq!(parse(&format!("bytes=-{}", last + 1), length), Part(length - last - 1..length));
        }
    }
}

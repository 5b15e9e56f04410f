//! `Range` fields of strangers: a part lies within the length, is never empty, and is what the numbers say.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_edge::semantics::range::{RangeRequest, parse};

fuzz_target!(|input: (u64, &str)| {
    let (length, field) = input;
    let read = parse(field, length);
    if let RangeRequest::Part(range) = &read {
        assert!(range.start < range.end && range.end <= length);
        let exact = format!("bytes={}-{}", range.start, range.end - 1);
        assert_eq!(parse(&exact, length), read);
    }
    assert_eq!(parse(&field.to_ascii_uppercase(), length), parse(&field.to_ascii_lowercase(), length));
});

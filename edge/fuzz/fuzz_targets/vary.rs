//! `Vary` of upstreams: few names, in order, and the same from one line or many.
#![no_main]

use http::HeaderMap;
use libfuzzer_sys::fuzz_target;
use segue_edge::semantics::vary::{MAX_NAMES, Vary, read, selecting, union};

fuzz_target!(|text: &str| {
    let lines: Vec<&str> = text.split('\n').collect();
    let whole = lines.join(",");
    let said = read(lines.iter().copied());
    assert_eq!(read([whole.as_str()]), said);
    if let Vary::Fields(names) = said {
        assert!(!names.is_empty() && names.len() <= MAX_NAMES && union(&names, &names) == names);
        // A request that says nothing still selects by every name.
        let text = selecting(&names, &HeaderMap::new());
        assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), names.len());
    }
});

//! `traceparent` and `tracestate` of strangers: what is taken is written in one way, and read as the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_manifests::trace_context::{MAX_STATE, Parent, state};

fuzz_target!(|text: &str| {
    if let Some(parent) = Parent::read(text) {
        assert!(parent.trace != [0; 16] && parent.span != [0; 8]);
        let field = parent.field();
        assert!(field.len() == 55 && field[..53] == *format!("00{}", &text[2..53]));
        assert_eq!(Parent::read(&field), Some(parent));
    }
    if let Some(joined) = state(text.split('\n')) {
        assert!(joined.len() <= MAX_STATE && joined.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        assert_eq!(state([joined.as_str()].into_iter()), Some(joined));
    }
});

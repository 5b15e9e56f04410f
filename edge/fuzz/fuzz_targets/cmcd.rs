//! What players tell (CMCD): any text is read, little is kept of it, and what is announced leads nowhere else.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_edge::semantics::cmcd::{Cmcd, MAX_NEXT, MAX_TEXT, of_query};

fuzz_target!(|text: &str| {
    let mut told = Cmcd::default();
    told.read(text);
    assert!(told.next.len() <= MAX_NEXT && told.next.iter().all(|url| !url.is_empty() && url.len() <= MAX_TEXT));
    let kept = told.next.len();
    told.read(text);
    assert!(told.next.len() >= kept && told.next.len() <= MAX_NEXT);
    if let Some(decoded) = of_query(text) {
        assert!(decoded.len() <= MAX_TEXT);
        told.read(&decoded);
    }
    // A number of four digits is read whatever stands around it.
    if !text.contains(['"', '(', ')', '\\', ',']) && text.len() < 1000 {
        let mut told = Cmcd::default();
        told.read(&format!("{text},bl=1234"));
        assert_eq!(told.buffer_ms, Some(1234));
    }
});

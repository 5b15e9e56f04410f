//! `CDN-Loop` of strangers: one that has been here before is noticed, whatever others say.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_edge::semantics::cdn_loop::{MAX_HOPS, is_loop};

const ME: &str = "segue-edge; node=0123456789abcdef";

fuzz_target!(|text: &str| {
    let fields: Vec<&str> = text.split('\n').collect();
    let found = is_loop(fields.iter().copied(), ME);
    let hops = fields.iter().flat_map(|field| field.split(',')).filter(|hop| !hop.trim().is_empty()).count();
    assert_eq!(found, text.contains(ME) && named(&fields) || hops > MAX_HOPS);
    assert!(is_loop(fields.iter().copied().chain([ME]), ME));
    assert!(is_loop([ME].into_iter().chain(fields.iter().copied()), ME));
});

fn named(fields: &[&str]) -> bool {
    fields.iter().any(|field| field.split(',').any(|hop| hop.trim() == ME))
}

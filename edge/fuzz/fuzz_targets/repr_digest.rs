//! `Repr-Digest` of upstreams: the digest that was written last is the one that is checked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_edge::semantics::repr_digest::{field, sha256};

fuzz_target!(|input: ([u8; 32], &str)| {
    let (digest, line) = input;
    let written = field(&digest);
    assert_eq!(sha256([line, written.as_str()]), Some(digest));
    assert_eq!(sha256([format!("{line},{written}").as_str()]), Some(digest));
    if let Some(read) = sha256([line]) {
        assert_eq!(sha256([field(&read).as_str()]), Some(read));
    }
});

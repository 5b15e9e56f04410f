//! What a proxy says whose connection it is: a header is whole from its last byte on, and partial before.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_edge::semantics::proxy_protocol::{MAX_HEADER, Reading, read};

fuzz_target!(|bytes: &[u8]| {
    let reading = read(bytes);
    match reading {
        Reading::Whole { length, .. } => {
            assert!(length <= bytes.len().min(MAX_HEADER));
            assert_eq!(read(&bytes[..length]), reading);
            assert_eq!(read(&bytes[..length - 1]), Reading::Partial);
        }
        Reading::Partial => assert!(bytes.len() < MAX_HEADER),
        Reading::Malformed => {}
    }
});

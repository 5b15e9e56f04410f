//! `Accept-Encoding` and `Content-Type` of strangers: letters of either case, and what is plainly refused is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_edge::semantics::encoding::{accepts_gzip, is_compressible};

fuzz_target!(|field: &str| {
    let taken = accepts_gzip(field);
    assert_eq!(accepts_gzip(&field.to_ascii_uppercase()), taken);
    assert!(!accepts_gzip(&format!("gzip;q=0,{field}")) && accepts_gzip(&format!("gzip,{field}")));
    assert!(!taken || field.contains('*') || field.to_ascii_lowercase().contains("gzip"));
    assert_eq!(is_compressible(&field.to_ascii_uppercase()), is_compressible(&field.to_ascii_lowercase()));
});

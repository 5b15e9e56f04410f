//! Conditions of strangers: a named entity tag is found, a weak one never makes a range hold, dates compare with themselves.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_edge::semantics::conditional::{coded_tag, date_of, if_range_holds, none_match_names, not_modified_since};

fuzz_target!(|input: (&str, &str)| {
    let (field, tag) = input;
    let _ = none_match_names(field, tag);
    assert!(none_match_names("*", tag));
    let opaque: String = tag.chars().filter(|c| !matches!(c, '"' | '\\')).collect();
    let (strong, weak) = (format!("\"{opaque}\""), format!("W/\"{opaque}\""));
    for (a, b) in [(&strong, &weak), (&weak, &strong), (&strong, &strong)] {
        assert!(none_match_names(a, b), "weak comparison");
        assert!(none_match_names(&format!("\"x\", {a} , \"y\""), b));
    }
    if if_range_holds(field, Some(&strong), Some(tag)) {
        assert!(field.trim() == strong || (field.trim() == tag && date_of(tag).is_some()));
    }
    assert!(!if_range_holds(field, Some(&weak), None));
    if date_of(field).is_some() {
        assert!(not_modified_since(field, Some(field)));
    }
    if let Some(coded) = coded_tag(&strong, "gzip") {
        assert!(!none_match_names(&strong, &coded) && none_match_names(&coded, &coded));
    }
});

//! `Cache-Control` and `CDN-Cache-Control` of upstreams: no time beyond the largest, and more lines never allow more.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_edge::semantics::cache_control::{CacheControl, MAX_AGE, delta_seconds};

fuzz_target!(|text: &str| {
    let lines: Vec<&str> = text.split('\n').collect();
    let read = CacheControl::read(lines.iter().copied());
    let Some(control) = read else {
        return assert!(control_less(&lines));
    };
    let times = [control.max_age, control.s_maxage, control.stale_while_revalidate, control.stale_if_error];
    assert!(times.iter().flatten().all(|seconds| *seconds <= MAX_AGE));
    assert!(control.lifetime().is_none_or(|seconds| seconds <= MAX_AGE));
    // One more line can only take away.
    let more = CacheControl::read(lines.iter().copied().chain(["no-store, max-age=0, s-maxage=0"])).unwrap();
    assert!(more.no_store && more.lifetime() == Some(0));
    assert!(more.no_cache >= control.no_cache && more.private >= control.private);
    assert!(more.must_revalidate >= control.must_revalidate);
    let _ = delta_seconds(text);
});

/// Whether nothing in the lines looks like a directive.
fn control_less(lines: &[&str]) -> bool {
    lines.iter().all(|line| !line.chars().next().is_some_and(|first| first.is_ascii_alphabetic()))
}

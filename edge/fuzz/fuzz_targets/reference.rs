//! URI references of upstreams and players: what is joined is a path of the same host, without dots.
#![no_main]

use libfuzzer_sys::fuzz_target;
use segue_edge::semantics::reference::join;

fuzz_target!(|pair: (&str, &str)| {
    let (base, reference) = pair;
    // A cache key has no fragment.
    let base = base.split('#').next().unwrap();
    let Some(joined) = join(base, reference) else { return };
    let path = joined.split('?').next().unwrap();
    let own = !reference.is_empty() && !reference.starts_with(['?', '#']);
    if own {
        assert!(path.starts_with('/'));
        assert!(path[1..].split('/').all(|segment| segment != "." && segment != ".."));
        // What is joined is its own reference.
        if !joined.starts_with("//") && !joined.contains("://") {
            assert_eq!(join("/x", &joined).as_deref(), Some(joined.as_str()));
        }
    }
});

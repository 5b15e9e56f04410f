//! `CDN-Loop` (RFC 8586): a request says which caches it came through, so that one that comes back is noticed.

/// Caches that a request may come through; more are taken for a loop among those that do not know themselves.
pub const MAX_HOPS: usize = 16;

/// Whether a request with these field values has been here before; `me` is how this cache names itself, parameters
/// included, and nobody on the way may change it.
pub fn is_loop<'a>(fields: impl Iterator<Item = &'a str>, me: &str) -> bool {
    let mut hops = fields.flat_map(|field| field.split(',')).map(str::trim).filter(|hop| !hop.is_empty());
    hops.by_ref().take(MAX_HOPS).any(|hop| hop == me) || hops.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: &str = "segue-edge; node=0a";

    #[test]
    fn one_knows_oneself() {
        for fields in [vec![ME], vec!["other", ME], vec!["other, segue-edge; node=0a ,third"]] {
            assert!(is_loop(fields.iter().copied(), ME), "{fields:?}");
        }
        // Another node of the same name is the next tier, not a loop.
        for fields in [vec![], vec![""], vec![",,"], vec!["segue-edge"], vec!["segue-edge; node=0b, fastly"]]
        {
            assert!(!is_loop(fields.iter().copied(), ME), "{fields:?}");
        }
    }

    #[test]
    fn endless_ways_are_loops() {
        let way = |hops| vec!["other"; hops].join(", ");
        assert!(!is_loop([way(MAX_HOPS).as_str()].into_iter(), ME));
        assert!(is_loop([way(MAX_HOPS + 1).as_str()].into_iter(), ME));
    }
}

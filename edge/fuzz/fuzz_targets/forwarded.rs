//! `Forwarded` and `X-Forwarded-For` of strangers: what stands to the left of a proxy's own words cannot change how these read.
#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use segue_edge::semantics::forwarded::{MAX_HOPS, believed, forwarded, x_forwarded_for};

fuzz_target!(|bytes: &[u8]| {
    let peer = IpAddr::from([10, 0, 0, 1]);
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let told: [Vec<_>; 2] = [forwarded(&lines).collect(), x_forwarded_for(&lines).collect()];
    for told in told {
        assert!(told.len() <= bytes.len());
        let way = believed(peer, told.iter().copied(), |_| true);
        assert!(way.len() <= MAX_HOPS + 1 && way[0] == peer);
        assert!(way[1..].iter().zip(&told).all(|(before, told)| Some(*before) == *told));
        assert!(way.iter().all(|address| address.to_canonical() == *address));
        assert_eq!(believed(peer, told.into_iter(), |_| false), [peer]);
    }
    let first = Some(Some(IpAddr::from([192, 0, 2, 7])));
    for (mine, first_of) in [
        (&b", for=\"192.0.2.7:80\";proto=https"[..], forwarded_first as fn(&[u8]) -> _),
        (b",192.0.2.7", usual_first),
    ] {
        let line = [bytes, mine].concat();
        assert_eq!(first_of(&line), first);
        assert_eq!(first_of(&mine[1..]), first);
    }
});

fn forwarded_first(line: &[u8]) -> Option<Option<IpAddr>> {
    forwarded(&[line]).next()
}

fn usual_first(line: &[u8]) -> Option<Option<IpAddr>> {
    x_forwarded_for(&[line]).next()
}

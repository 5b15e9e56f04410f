//! Who asks for what: listeners who play tracks from the beginning and skip many, and a scan now and then.

use fastrand::Rng;
use segue_benches::zipf::Zipf;

/// Everything is smaller by this factor, so that a run takes minutes.
pub(crate) const SCALE: u32 = 4;
/// Real bit rates, kbit/s, and how many tracks of ten have them.
const BIT_RATES: [(u32, u32); 3] = [(128, 2), (256, 5), (320, 3)];
/// Milliseconds of the first segments; all others have the last.
const RAMP_MS: [u32; 3] = [1067, 2000, 4000];
/// Segments of a track: tracks are short, so that popular ones come again soon.
const SEGMENTS: std::ops::RangeInclusive<u32> = 4..=10;
/// Who plays at one time.
const LISTENERS: usize = 400;
/// Of a hundred plays that many end in one of the first two segments, and anywhere.
const SKIPPED_AT_ONCE: u32 = 25;
const SKIPPED_LATER: u32 = 20;
/// Of so many requests that many belong to a scan, one after the other but for the listeners' between them.
const SCAN_PERIOD: u32 = 100_000;
const SCAN_REQUESTS: u32 = 20_000;

/// Number of an object: a segment of some track.
pub(crate) type Object = u32;

/// What there is.
pub(crate) struct Catalog {
    /// First object of each track, and the end of the last.
    tracks: Vec<Object>,
    /// Bytes of each object.
    pub(crate) sizes: Vec<u32>,
}

impl Catalog {
    pub(crate) fn new(tracks: usize) -> Self {
        let mut rng = Rng::with_seed(7);
        let mut catalog = Self { tracks: vec![0], sizes: Vec::new() };
        for _ in 0..tracks {
            let kbps = bit_rate(&mut rng);
            for segment in 0..rng.u32(SEGMENTS) {
                let ms = RAMP_MS[(segment as usize).min(2)];
                catalog.sizes.push(kbps * ms / 8 / SCALE * rng.u32(97..=103) / 100);
            }
            catalog.tracks.push(catalog.sizes.len() as Object);
        }
        catalog
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.sizes.iter().map(|size| u64::from(*size)).sum()
    }

    pub(crate) fn count(&self) -> usize {
        self.tracks.len() - 1
    }

    fn track(&self, number: usize) -> std::ops::Range<Object> {
        self.tracks[number]..self.tracks[number + 1]
    }
}

fn bit_rate(rng: &mut Rng) -> u32 {
    let mut at = rng.u32(0..10);
    for (kbps, share) in BIT_RATES {
        if at < share {
            return kbps;
        }
        at -= share;
    }
    BIT_RATES[0].0
}

/// Requests in order; in a period with a scan every other request is the scan's while it lasts.
pub(crate) fn trace(catalog: &Catalog, s: f64, requests: usize, scans: bool) -> Vec<Object> {
    let mut rng = Rng::with_seed(11);
    let zipf = Zipf::new(catalog.count(), s);
    let mut listeners: Vec<_> = (0..LISTENERS).map(|_| play(catalog, &zipf, &mut rng)).collect();
    let mut scan = scan(catalog, &mut rng);
    let mut trace = Vec::with_capacity(requests);
    while trace.len() < requests {
        let at = trace.len() as u32 % SCAN_PERIOD;
        if scans && at < SCAN_REQUESTS * 2 && at.is_multiple_of(2) {
            trace.extend(scan.next());
            continue;
        }
        let listener = &mut listeners[rng.usize(0..LISTENERS)];
        match listener.next() {
            Some(object) => trace.push(object),
            None => *listener = play(catalog, &zipf, &mut rng),
        }
    }
    trace
}

/// What one play of some track asks for.
fn play(catalog: &Catalog, zipf: &Zipf, rng: &mut Rng) -> std::ops::Range<Object> {
    let track = catalog.track(zipf.draw(rng));
    let length = track.end - track.start;
    let heard = match rng.u32(0..100) {
        it if it < SKIPPED_AT_ONCE => rng.u32(1..=2),
        it if it < SKIPPED_AT_ONCE + SKIPPED_LATER => rng.u32(1..=length),
        _ => length,
    };
    track.start..track.start + heard
}

/// Every track once, in an order that has nothing to do with the charts, again and again.
fn scan(catalog: &Catalog, rng: &mut Rng) -> impl Iterator<Item = Object> + use<> {
    let mut order: Vec<_> = (0..catalog.count()).map(|number| catalog.track(number)).collect();
    rng.shuffle(&mut order);
    order.into_iter().cycle().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_of_the_requests_is_a_scans() {
        let catalog = Catalog::new(2000);
        let (without, with) = (trace(&catalog, 1.1, 100_000, false), trace(&catalog, 1.1, 100_000, true));
        let cold = |trace: &[Object]| {
            let begin = catalog.track(1000).start;
            trace.iter().filter(|object| **object >= begin).count()
        };
        let (few, many) = (cold(&without), cold(&with));
        // Of the scan's fifth half is cold, of the listeners' four fifths what it was.
        let expected = few * 4 / 5 + 10_000;
        assert!(many.abs_diff(expected) < 700, "{few} {many}");
        assert!(with.iter().all(|object| (*object as usize) < catalog.sizes.len()));
    }

    #[test]
    fn sizes_are_those_of_segments() {
        let catalog = Catalog::new(10_000);
        let mean = catalog.bytes() as f64 / catalog.sizes.len() as f64 * f64::from(SCALE);
        assert!((80_000.0..110_000.0).contains(&mean), "{mean}");
        assert!(catalog.sizes.iter().all(|size| *size > 3_000 && *size < 42_000));
    }
}

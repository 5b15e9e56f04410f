//! What is asked for: segments of some hundred tracks, more than the cache holds; and with which token.

use std::collections::HashMap;

use bytes::Bytes;
use fastrand::Rng;
use segue_benches::noise::Noise;
use segue_benches::zipf::Zipf;
use segue_manifests::token::{Claims, MAX_LIFETIME, Method, SigningKeys, mint};

const TRACKS: usize = 200;
const SEGMENTS: usize = 30;
/// Bytes of a segment.
const SIZES: std::ops::Range<usize> = 16_000..128_000;
/// Popularity of tracks.
const S: f64 = 0.9;

/// All segments by delivery path.
pub(crate) struct Catalog {
    bodies: HashMap<String, Bytes>,
    popularity: Zipf,
}

impl Catalog {
    pub(crate) fn new() -> Self {
        let (noise, mut rng) = (Noise::default(), Rng::with_seed(3));
        let paths = (0..TRACKS).flat_map(|track| (0..SEGMENTS).map(move |segment| path(track, segment)));
        let bodies = paths.map(|path| {
            let body = noise.body(&path, rng.usize(SIZES));
            (path, body)
        });
        Self { bodies: bodies.collect(), popularity: Zipf::new(TRACKS, S) }
    }

    /// Bytes of all segments.
    pub(crate) fn bytes(&self) -> u64 {
        self.bodies.values().map(|body| body.len() as u64).sum()
    }

    /// What stands behind a path; nothing behind the last segment of a track.
    pub(crate) fn body(&self, path: &str) -> Option<Bytes> {
        self.bodies.get(path).cloned()
    }

    /// Some segment as a player asks for it, and its body.
    pub(crate) fn draw(&self, rng: &mut Rng, tokens: &[String]) -> (String, Bytes) {
        let path = path(self.popularity.draw(rng), rng.usize(0..SEGMENTS));
        let body = self.bodies[&path].clone();
        let token = &tokens[rng.usize(0..tokens.len())];
        (path.replacen("/v1/", &format!("/v1/~{token}/"), 1), body)
    }
}

fn path(track: usize, segment: usize) -> String {
    format!("/v1/a/{track:032}/0a1b2c3d4e5f/aac-256/{segment}.m4s")
}

/// Tokens of that many listeners, good for all tracks from `now` on (seconds since 1970), as long as tokens may be.
pub(crate) fn tokens(keys: &SigningKeys, now: u64, count: u128) -> Vec<String> {
    let claims = |number: u128| Claims {
        issuer: "soak".into(),
        subject: None,
        expires: now + MAX_LIFETIME - 10,
        not_before: now - 5,
        issued: now,
        token_id: number.to_be_bytes(),
        path_prefix: "/v1/a/".into(),
        methods: vec![Method::Get],
        playback_session: None,
        max_kbps: None,
    };
    (0..count).map(|number| mint(&claims(number), keys)).collect()
}

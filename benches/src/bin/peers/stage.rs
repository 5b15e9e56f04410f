//! What all measurements need: an origin with segments of some sizes, signing keys, tokens, and proxies in front.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use segue_benches::client::Failure;
use segue_benches::connection::{Connection, connector};
use segue_benches::noise::Noise;
use segue_benches::origin::{self, Asked, Done, KEYS, Reply};
use segue_benches::peer::{Kind, Peer, Place};
use segue_manifests::Sha256;
use segue_manifests::token::{Claims, Method, SigningKeys, mint};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Segments of each size, so that no proxy lives in its processor's cache.
pub(crate) const SEGMENTS: usize = 200;
/// Memory that every proxy may use for objects.
const CACHE_BYTES: u64 = 1 << 30;
/// Seconds that a token lives.
const LIFETIME_S: u64 = 3600;

/// Sizes by name.
const SIZES: [(&str, usize); 4] = [("700", 700), ("20k", 20_000), ("64k", 64_000), ("160k", 160_000)];

/// Bytes of a size by name.
pub(crate) fn bytes_of(size: &str) -> Result<usize, Failure> {
    let found = SIZES.iter().find(|(name, _)| *name == size);
    found
        .map(|(_, bytes)| *bytes)
        .ok_or_else(|| format!("no size {size}; there are 700, 20k, 64k, 160k").into())
}

/// The origin, and what is given to proxies and players.
pub(crate) struct Stage {
    pub(crate) place: Place,
    tokens: Vec<String>,
    done: Arc<Done>,
    _open: watch::Sender<bool>,
}

impl Stage {
    /// Starts the origin; `special` answers first, where it wants to.
    pub(crate) async fn new<S>(core: usize, special: S) -> Result<Self, Failure>
    where
        S: Fn(&Asked) -> Option<Reply> + Send + Sync + 'static,
    {
        let keys = SigningKeys::generate(now());
        let tokens = (0..SEGMENTS).map(|number| mint(&claims(number), &keys)).collect();
        let (noise, key_set) = (Noise::default(), Bytes::from(keys.public().to_json()));
        let answer = move |asked: Asked| match special(&asked) {
            Some(reply) => reply,
            None if asked.path == KEYS => Reply::new(200, "", key_set.clone()),
            None => segment(&asked.path, &noise),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let place = Place::new(listener.local_addr()?.port(), Some(core), CACHE_BYTES)?;
        let (done, (open, watched)) = (Arc::new(Done::default()), watch::channel(true));
        tokio::spawn(origin::serve(listener, Arc::new(answer), done.clone(), watched));
        Ok(Self { place, tokens, done, _open: open })
    }

    /// Starts a proxy while the origin goes on.
    pub(crate) async fn start(&self, kind: Kind) -> Result<Peer, Failure> {
        let place = self.place.clone();
        tokio::task::spawn_blocking(move || kind.start(&place)).await?
    }

    /// What a player asks that proxy for; those that check tokens are shown another listener's for each segment.
    pub(crate) fn path(&self, kind: Kind, size: &str, number: usize) -> Result<String, Failure> {
        Ok(self.signed(kind, number, &path(bytes_of(size)?, number)))
    }

    /// A path with a token, for a proxy that wants one.
    pub(crate) fn signed(&self, kind: Kind, number: usize, path: &str) -> String {
        match kind {
            Kind::Segue => path.replacen("/v1/", &format!("/v1/~{}/", self.tokens[number % SEGMENTS]), 1),
            _ => path.to_owned(),
        }
    }

    /// Requests that the origin has had.
    pub(crate) fn fetches(&self) -> u64 {
        self.done.requests.load(Ordering::Relaxed)
    }

    /// Puts all segments of a size into a proxy's memory, on every port that it has.
    pub(crate) async fn warm(&self, peer: &Peer, size: &str) -> Result<(), Failure> {
        for tls in [None, Some(connector()?)] {
            let Some(port) = peer.port(tls.is_some()) else { continue };
            let mut connection = Connection::open(port, tls.as_ref()).await?;
            // Some proxies store what is asked for twice, or a little later.
            for number in (0..SEGMENTS).cycle().take(SEGMENTS * 3) {
                let path = self.path(peer.kind, size, number)?;
                let answer = connection.get(&path, |_| {}).await?;
                if answer.status != 200 || answer.bytes != bytes_of(size)? as u64 {
                    let name = peer.kind.name();
                    return Err(format!("{name}: status {}, {} bytes", answer.status, answer.bytes).into());
                }
            }
        }
        Ok(())
    }
}

/// The delivery path of a segment; the asset names its size.
fn path(bytes: usize, number: usize) -> String {
    format!("/v1/a/{bytes:032}/0a1b2c3d4e5f/aac-256/{number}.m4s")
}

fn segment(path: &str, noise: &Noise) -> Reply {
    let mut parts = path.split('/').skip(3);
    let bytes: Option<usize> = parts.next().and_then(|asset| asset.parse().ok());
    let number: Option<usize> =
        parts.nth(2).and_then(|file| file.strip_suffix(".m4s")).and_then(|number| number.parse().ok());
    match (bytes, number) {
        (Some(bytes), Some(0..SEGMENTS)) if SIZES.iter().any(|(_, size)| *size == bytes) => {
            let body = noise.body(path, bytes);
            let digest = Sha256::of(&body);
            let fields =
                format!("etag: \"{digest}\"\r\nrepr-digest: sha-256=:{}:\r\n", STANDARD.encode(digest.0));
            Reply::segment(&fields, body)
        }
        _ => Reply::new(404, "", Bytes::new()),
    }
}

fn claims(number: usize) -> Claims {
    Claims {
        issuer: "bench".into(),
        subject: None,
        expires: now() + LIFETIME_S,
        not_before: now() - 5,
        issued: now(),
        token_id: (number as u128).to_be_bytes(),
        path_prefix: "/v1/a/".into(),
        methods: vec![Method::Get, Method::Head],
        playback_session: Some(format!("session-{number}")),
        max_kbps: None,
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

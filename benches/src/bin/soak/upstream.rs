//! Upstreams with moods: an origin that is well, slow, broken, wrong or gone, for some seconds each.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fastrand::Rng;
use segue_benches::client::Failure;
use segue_benches::origin::{self, Asked, Done, KEYS, Reply, Step};
use segue_manifests::Sha256;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::catalog::Catalog;

/// How long one mood lasts, seconds.
const LASTS_S: std::ops::RangeInclusive<u64> = 4..=12;

/// How soon it notices that moods are wanted no more.
const LOOK: Duration = Duration::from_millis(100);

/// What is wrong with an upstream; it goes wrong for every other request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Well,
    /// Takes a second or more to begin.
    Slow,
    /// Sends a little at a time.
    Throttled,
    /// Ends in the middle of a body.
    Short,
    /// Sends a wrong byte.
    Damaged,
    /// Answers 503.
    Unavailable,
    /// Ends in the middle, and has something else behind it under another entity tag.
    WrongTag,
    /// Takes requests and says nothing.
    Silent,
    /// Not there: the port is closed, and every connection with it.
    Gone,
}

const MOODS: [Mood; 9] = [
    Mood::Well,
    Mood::Slow,
    Mood::Throttled,
    Mood::Short,
    Mood::Damaged,
    Mood::Unavailable,
    Mood::WrongTag,
    Mood::Silent,
    Mood::Gone,
];

/// One upstream.
pub(crate) struct Upstream {
    pub(crate) port: u16,
    mood: AtomicUsize,
    catalog: Arc<Catalog>,
    keys: Bytes,
    rng: Mutex<Rng>,
}

impl Upstream {
    /// Starts it; it has moods while `moody` is true, and is well otherwise.
    pub(crate) async fn start(
        catalog: Arc<Catalog>,
        keys: Bytes,
        seed: u64,
        moody: watch::Receiver<bool>,
    ) -> Result<Arc<Self>, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let (port, rng) = (listener.local_addr()?.port(), Mutex::new(Rng::with_seed(seed)));
        let upstream = Arc::new(Self { port, mood: AtomicUsize::new(0), catalog, keys, rng });
        tokio::spawn(upstream.clone().live(listener, moody));
        Ok(upstream)
    }

    async fn live(self: Arc<Self>, listener: TcpListener, moody: watch::Receiver<bool>) {
        let mut open = self.open(listener);
        loop {
            let mood = if *moody.borrow() { self.with_rng(|rng| rng.usize(0..MOODS.len())) } else { 0 };
            self.mood.store(mood, Ordering::Relaxed);
            let gone = MOODS[mood] == Mood::Gone;
            if gone {
                open.send_replace(false);
            }
            let until = Instant::now() + Duration::from_secs(self.with_rng(|rng| rng.u64(LASTS_S)));
            let as_it_was = *moody.borrow();
            while Instant::now() < until && *moody.borrow() == as_it_was {
                tokio::time::sleep(LOOK).await;
            }
            if gone {
                open = self.open(self.bind_again().await);
            }
        }
    }

    /// Serves until told not to.
    fn open(self: &Arc<Self>, listener: TcpListener) -> watch::Sender<bool> {
        let (open, watched) = watch::channel(true);
        let upstream = self.clone();
        let answer = Arc::new(move |asked: Asked| upstream.answer(&asked));
        tokio::spawn(origin::serve(listener, answer, Arc::new(Done::default()), watched));
        open
    }

    async fn bind_again(&self) -> TcpListener {
        loop {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).await {
                Ok(listener) => return listener,
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    fn with_rng<T>(&self, draw: impl FnOnce(&mut Rng) -> T) -> T {
        draw(&mut self.rng.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn answer(&self, asked: &Asked) -> Reply {
        if asked.path == KEYS {
            return Reply::new(200, "", self.keys.clone());
        }
        let Some(body) = self.catalog.body(&asked.path) else { return Reply::new(404, "", Bytes::new()) };
        let digest = Sha256::of(&body);
        let tag = format!("\"{digest}\"");
        let fields = format!("etag: {tag}\r\nrepr-digest: sha-256=:{}:\r\n", STANDARD.encode(digest.0));
        let mood =
            if self.with_rng(Rng::bool) { MOODS[self.mood.load(Ordering::Relaxed)] } else { Mood::Well };
        let rest = asked.from.filter(|from| *from < body.len() && asked.if_range.as_ref() == Some(&tag));
        match (mood, rest) {
            (Mood::WrongTag, Some(from)) => Reply::rest("etag: \"another\"\r\n", &reversed(&body), from),
            (_, Some(from)) => self.spoil(Reply::rest(&fields, &body, from), mood),
            (_, None) => self.spoil(Reply::segment(&fields, body), mood),
        }
    }

    /// Does to a good reply what the mood does. Its last step sends the body.
    fn spoil(&self, mut reply: Reply, mood: Mood) -> Reply {
        let Some(Step::Send(body)) = reply.0.pop() else { return reply };
        let half = body.len() / 2;
        match mood {
            Mood::Well | Mood::Gone => reply.0.push(Step::Send(body)),
            Mood::Slow => {
                reply.0.push(Step::Send(body));
                return reply.after(Duration::from_millis(self.with_rng(|rng| rng.u64(1000..2500))));
            }
            Mood::Throttled => {
                for piece in body.chunks(8 << 10) {
                    reply.0.push(Step::Send(body.slice_ref(piece)));
                    reply.0.push(Step::Wait(Duration::from_millis(20)));
                }
            }
            Mood::Short | Mood::WrongTag => {
                reply.0.extend([
                    Step::Send(body.slice(..half)),
                    Step::Wait(Duration::from_millis(1)),
                    Step::Die,
                ]);
            }
            Mood::Damaged => {
                let mut wrong = body.to_vec();
                if let Some(byte) = wrong.get_mut(half) {
                    *byte ^= 1;
                }
                reply.0.push(Step::Send(wrong.into()));
            }
            Mood::Unavailable => return Reply::new(503, "retry-after: 1\r\n", Bytes::new()),
            Mood::Silent => return Reply(vec![Step::Wait(Duration::from_secs(600)), Step::Die]),
        }
        reply
    }
}

/// Another body of the same length.
fn reversed(body: &Bytes) -> Bytes {
    body.iter().rev().copied().collect()
}

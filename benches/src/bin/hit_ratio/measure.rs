//! A real server in front of an origin that counts, asked for a trace.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use segue_benches::client::Failure;
use segue_benches::connection::Connection;
use segue_benches::noise::Noise;
use segue_benches::origin::{self, Asked, Done, Reply};
use segue_benches::peer::{Kind, Place};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::simulate::Score;
use crate::trace::Object;

/// Requests under way at once: few, so that the trace's order holds.
const CONNECTIONS: usize = 12;
/// How often the limit of the cache is enforced where a server takes its time.
const LOOK: Duration = Duration::from_millis(100);

/// A trace, the sizes of its objects, and where measuring begins.
pub(crate) struct Task {
    pub(crate) trace: Vec<Object>,
    pub(crate) sizes: Arc<Vec<u32>>,
    pub(crate) warm: usize,
    pub(crate) limit: u64,
}

/// What the server said were hits, and fetches of the origin for a hundred requests.
pub(crate) async fn measure(kind: Kind, task: Arc<Task>) -> Result<(Score, f64), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut place = Place::new(listener.local_addr()?.port(), None, task.limit)?;
    place.keep_open = false;
    let (done, (_open, open)) = (Arc::new(Done::default()), watch::channel(true));
    let (sizes, noise) = (task.sizes.clone(), Noise::default());
    let answer = move |asked: Asked| object(&asked.path, &sizes, &noise);
    tokio::spawn(origin::serve(listener, Arc::new(answer), done.clone(), open));
    let peer = tokio::task::spawn_blocking(move || kind.start(&place)).await??;

    let (next, score, before) = (AtomicUsize::new(0), Mutex::new(Score::default()), AtomicUsize::new(0));
    let run = Arc::new(Run { task, next, score, before, done });
    let listeners: Vec<_> = (0..CONNECTIONS).map(|_| tokio::spawn(listen(run.clone(), peer.http))).collect();
    let mut all = std::pin::pin!(async {
        for listener in listeners {
            listener.await??;
        }
        Ok::<_, Failure>(())
    });
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            ended = all.as_mut() => break ended?,
            _ = look.tick() => peer.look_at_size(),
        }
    }
    let score = *run.score.lock().unwrap_or_else(PoisonError::into_inner);
    let fetched = run.fetches() - run.before.load(Ordering::Relaxed);
    tokio::task::spawn_blocking(move || drop(peer)).await?;
    Ok((score, fetched as f64 * 100.0 / score.requests as f64))
}

/// A run under way.
struct Run {
    task: Arc<Task>,
    next: AtomicUsize,
    score: Mutex<Score>,
    /// Fetches before measuring began.
    before: AtomicUsize,
    done: Arc<Done>,
}

impl Run {
    fn fetches(&self) -> usize {
        self.done.requests.load(Ordering::Relaxed) as usize
    }
}

async fn listen(run: Arc<Run>, port: u16) -> Result<(), Failure> {
    let mut connection = Connection::open(port, None).await?;
    let mut score = Score::default();
    loop {
        let at = run.next.fetch_add(1, Ordering::Relaxed);
        let Some(object) = run.task.trace.get(at) else { break };
        if at == run.task.warm {
            run.before.store(run.fetches(), Ordering::Relaxed);
        }
        let answer = connection.get(&format!("/object/{object}"), |_| {}).await?;
        let size = u64::from(run.task.sizes[*object as usize]);
        if answer.status != 200 || answer.bytes != size {
            return Err(format!("object {object}: status {}, {} bytes", answer.status, answer.bytes).into());
        }
        if at >= run.task.warm {
            score.add(size, answer.hit);
        }
    }
    let mut all = run.score.lock().unwrap_or_else(PoisonError::into_inner);
    all.requests += score.requests;
    all.hits += score.hits;
    all.bytes += score.bytes;
    all.hit_bytes += score.hit_bytes;
    Ok(())
}

fn object(path: &str, sizes: &[u32], noise: &Noise) -> Reply {
    let number: Option<usize> = path.strip_prefix("/object/").and_then(|number| number.parse().ok());
    match number.and_then(|number| sizes.get(number)) {
        Some(size) => Reply::segment(&format!("etag: \"{path}\"\r\n"), noise.body(path, *size as usize)),
        None => Reply::new(404, "", bytes::Bytes::new()),
    }
}

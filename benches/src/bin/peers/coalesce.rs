//! Many clients ask for one segment that nobody has, of an origin that takes its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use segue_benches::client::{Failure, quantile};
use segue_benches::connection::Connection;
use segue_benches::origin::{Asked, Reply, Step};
use segue_benches::peer::{Kind, Peer};
use tokio::sync::Barrier;
use tokio::time::Instant;

use crate::stage::Stage;

/// The origin's first byte comes after this, and the pieces of the body this far apart: the last at 600 ms.
const FIRST_BYTE: Duration = Duration::from_millis(200);
const PIECES: usize = 8;
const PIECE: usize = 20_000;
const PAUSE: Duration = Duration::from_micros(57_143);
/// Asset of the slow segments.
const SLOW: &str = "/v1/a/5100000000000000000000000000000f/0a1b2c3d4e5f/aac-256/";

/// Prints, for each proxy, fetches of the origin and when clients had their first byte and their last.
pub(crate) async fn coalesce(
    kinds: &[Kind],
    core: usize,
    clients: usize,
    rounds: usize,
) -> Result<(), Failure> {
    let fetches: Arc<Vec<AtomicUsize>> = Arc::new((0..rounds).map(|_| AtomicUsize::new(0)).collect());
    let seen = fetches.clone();
    let stage = Stage::new(core, move |asked| slow(asked, &seen)).await?;
    println!(
        "{clients} clients, one cold segment of 160 KB; origin: first byte at 200 ms, last at 600 ms.\n"
    );
    println!("| | fetches | first byte p50, ms | p99 | last byte p99 | whole |\n|---|---|---|---|---|---|");
    for kind in kinds {
        let peer = stage.start(*kind).await?;
        for round in 0..rounds {
            fetches[round].store(0, Ordering::Relaxed);
            let line = measure(&stage, &peer, clients, round).await?;
            let fetched = fetches[round].load(Ordering::Relaxed);
            println!("| {} | {fetched} | {line} |", kind.name());
        }
        tokio::task::spawn_blocking(move || drop(peer)).await?;
    }
    Ok(())
}

fn slow(asked: &Asked, seen: &[AtomicUsize]) -> Option<Reply> {
    let number: usize = asked.path.strip_prefix(SLOW)?.strip_suffix(".m4s")?.parse().ok()?;
    // What a proxy fetches ahead is none of the clients'.
    let Some(seen) = seen.get(number) else { return Some(Reply::new(404, "", Bytes::new())) };
    seen.fetch_add(1, Ordering::Relaxed);
    let piece = Bytes::from(vec![number as u8; PIECE]);
    let Reply(mut steps) = Reply::segment("", Bytes::from(vec![0; PIECE * PIECES])).after(FIRST_BYTE);
    steps.pop();
    for _ in 0..PIECES {
        steps.extend([Step::Send(piece.clone()), Step::Wait(PAUSE)]);
    }
    steps.pop();
    Some(Reply(steps))
}

async fn measure(stage: &Stage, peer: &Peer, clients: usize, round: usize) -> Result<String, Failure> {
    let start = Arc::new(Barrier::new(clients));
    let mut tasks = Vec::new();
    for client in 0..clients {
        let path = stage.signed(peer.kind, client, &format!("{SLOW}{round}.m4s"));
        let (start, mut connection) = (start.clone(), Connection::open(peer.http, None).await?);
        tasks.push(tokio::spawn(async move {
            start.wait().await;
            let began = Instant::now();
            let answer = connection.get(&path, |_| {}).await.ok()?;
            let whole = answer.status == 200 && answer.bytes == (PIECE * PIECES) as u64;
            whole.then_some((answer.first?.duration_since(began), began.elapsed()))
        }));
    }
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for task in tasks {
        if let Some((began, ended)) = task.await? {
            first.push(began);
            last.push(ended);
        }
    }
    first.sort();
    last.sort();
    let whole = first.len();
    let [half, most, end] = [quantile(&first, 0.5), quantile(&first, 0.99), quantile(&last, 0.99)];
    Ok(format!("{half:.0} | {most:.0} | {end:.0} | {whole} of {clients}"))
}

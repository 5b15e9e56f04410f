//! The slowest of a thousand answers, at a steady rate over many connections.

use std::time::Duration;

use segue_benches::client::{Failure, quantile};
use segue_benches::connection::Connection;
use segue_benches::peer::{Kind, Peer};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::load::{self, Protocol};
use crate::stage::{SEGMENTS, Stage};

const CONNECTIONS: usize = 512;

/// What to measure.
pub(crate) struct Plan {
    pub(crate) size: String,
    /// Requests a second; 0: half of what nginx can.
    pub(crate) rate: u64,
    pub(crate) rounds: usize,
    pub(crate) seconds: u64,
}

/// Prints the tail of each proxy at the same rate, counted from when each request was due.
pub(crate) async fn tail(kinds: &[Kind], core: usize, plan: &Plan) -> Result<(), Failure> {
    let stage = Stage::new(core, |_| None).await?;
    let mut peers = Vec::new();
    for kind in kinds {
        let peer = stage.start(*kind).await?;
        stage.warm(&peer, &plan.size).await?;
        peers.push(peer);
    }
    let rate = match (plan.rate, peers.first()) {
        (0, Some(first)) => {
            let most = load::run(&stage, first, Protocol::H1, &plan.size, plan.seconds).await?;
            most.good / plan.seconds / 2
        }
        (rate, _) => rate,
    };
    println!(
        "{CONNECTIONS} connections, {} bytes, {rate} requests a second; ms from when each was due.\n",
        plan.size
    );
    println!("| | p50 | p99 | p99.9 | failed |\n|---|---|---|---|---|");
    let mut all: Vec<(Vec<Duration>, u64)> = vec![(Vec::new(), 0); peers.len()];
    for _ in 0..plan.rounds {
        for (peer, (times, failed)) in peers.iter().zip(&mut all) {
            let (more, bad) = measure(&stage, peer, &plan.size, rate, plan.seconds).await?;
            times.extend(more);
            *failed += bad;
        }
    }
    for (kind, (mut times, failed)) in kinds.iter().zip(all) {
        times.sort();
        let [half, most, tail] = [0.5, 0.99, 0.999].map(|part| quantile(&times, part));
        println!("| {} | {half:.2} | {most:.2} | {tail:.2} | {failed} |", kind.name());
    }
    Ok(())
}

/// Times from when a request was due, and failures.
async fn measure(
    stage: &Stage,
    peer: &Peer,
    size: &str,
    rate: u64,
    seconds: u64,
) -> Result<(Vec<Duration>, u64), Failure> {
    let (done, mut times) = mpsc::unbounded_channel();
    let mut lines = Vec::new();
    for _ in 0..CONNECTIONS {
        let (line, mut due) = mpsc::unbounded_channel::<(Instant, String)>();
        let (mut connection, done) = (Connection::open(peer.http, None).await?, done.clone());
        tokio::spawn(async move {
            while let Some((at, path)) = due.recv().await {
                let answer = connection.get(&path, |_| {}).await;
                let _ = done.send(matches!(answer, Ok(answer) if answer.status == 200).then(|| at.elapsed()));
            }
        });
        lines.push(line);
    }
    drop(done);
    let began = Instant::now();
    let count = rate * seconds;
    for number in 0..count {
        let at = began + Duration::from_secs_f64(number as f64 / rate as f64);
        let path = stage.path(peer.kind, size, number as usize * 7 % SEGMENTS)?;
        // The clock of timers has a grain of a millisecond: too coarse here.
        while Instant::now() < at {
            tokio::task::yield_now().await;
        }
        let _ = lines[number as usize % CONNECTIONS].send((at, path));
    }
    drop(lines);
    let mut good = Vec::with_capacity(count as usize);
    while let Some(time) = times.recv().await {
        good.extend(time);
    }
    let failed = count - good.len() as u64;
    Ok((good, failed))
}

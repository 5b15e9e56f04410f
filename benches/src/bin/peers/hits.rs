//! Processor time of the server for a request that its memory answers.

use segue_benches::client::Failure;
use segue_benches::peer::{Kind, Peer};

use crate::load::{self, Protocol};
use crate::stage::Stage;

/// More fetches of the origin than this for each request, and it were not all hits.
const MISSES_MAX: f64 = 0.001;

/// What to measure: cells as `h1:64k`, rounds of so many seconds.
pub(crate) struct Plan {
    pub(crate) cells: Vec<String>,
    pub(crate) rounds: usize,
    pub(crate) seconds: u64,
}

/// Measures all proxies in turn, round after round, and prints the medians as a table.
pub(crate) async fn hits(kinds: &[Kind], core: usize, plan: &Plan) -> Result<(), Failure> {
    let stage = Stage::new(core, |_| None).await?;
    let mut peers = Vec::new();
    for kind in kinds {
        peers.push(stage.start(*kind).await?);
    }
    println!(
        "Server's processor time for a request, µs (in brackets: part of nginx's); medians of {} rounds.\n",
        plan.rounds
    );
    println!("| | {} |", kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" | "));
    println!("|---{}|", "|---".repeat(kinds.len()));
    for cell in &plan.cells {
        let (protocol, size) = cell.split_once(':').ok_or("a cell is written as h1:64k")?;
        let protocol = Protocol::parse(protocol)?;
        let medians = measure(&stage, &peers, protocol, size, plan).await?;
        println!("| {cell} | {} |", shown(kinds, &medians).join(" | "));
    }
    Ok(())
}

/// Microseconds by proxy; none for one without TLS.
async fn measure(
    stage: &Stage,
    peers: &[Peer],
    protocol: Protocol,
    size: &str,
    plan: &Plan,
) -> Result<Vec<Option<f64>>, Failure> {
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); peers.len()];
    for peer in peers {
        stage.warm(peer, size).await?;
    }
    for _ in 0..plan.rounds {
        for (peer, times) in peers.iter().zip(&mut times) {
            if peer.port(protocol.tls()).is_some() {
                times.push(round(stage, peer, protocol, size, plan.seconds).await?);
            }
        }
    }
    Ok(times.into_iter().map(median).collect())
}

async fn round(
    stage: &Stage,
    peer: &Peer,
    protocol: Protocol,
    size: &str,
    seconds: u64,
) -> Result<f64, Failure> {
    let (cpu, fetches) = (peer.cpu_us(), stage.fetches());
    let outcome = load::run(stage, peer, protocol, size, seconds).await?;
    let (cpu, fetches) = (peer.cpu_us() - cpu, stage.fetches() - fetches);
    let name = peer.kind.name();
    if outcome.good == 0 || outcome.failed > 0 {
        return Err(format!("{name}: {} answers, {} failures", outcome.good, outcome.failed).into());
    }
    if fetches as f64 > 10.0 + outcome.good as f64 * MISSES_MAX {
        return Err(
            format!("{name}: {fetches} fetches in {} requests: not all were hits", outcome.good).into()
        );
    }
    Ok(cpu / outcome.good as f64)
}

fn median(mut times: Vec<f64>) -> Option<f64> {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}

fn shown(kinds: &[Kind], medians: &[Option<f64>]) -> Vec<String> {
    let nginx = kinds.iter().position(|kind| *kind == Kind::Nginx).and_then(|at| medians[at]);
    let cell = |(kind, time): (&Kind, &Option<f64>)| match (time, nginx) {
        (None, _) => "-".to_owned(),
        (Some(time), Some(nginx)) if *kind != Kind::Nginx => format!("{time:.1} ({:.2})", time / nginx),
        (Some(time), _) => format!("{time:.1}"),
    };
    kinds.iter().zip(medians).map(cell).collect()
}

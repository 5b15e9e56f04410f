//! Minutes or hours at half of what the edge can, while its two upstreams go wrong in every way, each on its own. Every
//! body is compared with what it must be. Prints a line a minute, and ends with status 1 when a body was wrong, the edge
//! panicked or answered with a status that its documents do not name, or memory or file descriptors grew.
//!
//! ```sh
//! cargo build --release -p segue -p segue-benches --bins
//! target/release/soak --minutes 30
//! ```
#![forbid(unsafe_code)]
// What it found goes to standard output.
#![allow(clippy::print_stdout)]

mod catalog;
mod listeners;
mod report;
mod upstream;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::{Arg, ArgAction, Command, value_parser};
use segue_benches::client::Failure;
use segue_benches::connection::connector;
use segue_benches::machine::Ticks;
use segue_benches::peer::{Place, edge};
use segue_benches::process::Process;
use segue_manifests::token::SigningKeys;
use tokio::sync::watch;

use catalog::Catalog;
use listeners::Listeners;
use report::{Report, Sample};
use upstream::Upstream;

/// Connections and time in which the most that the edge can is measured; they also fill the cache.
const RUSH_CONNECTIONS: usize = 64;
const RUSH: Duration = Duration::from_secs(10);
/// Time at the rate, with upstreams that go wrong, before minutes are counted.
const WARM: Duration = Duration::from_secs(60);
/// Time with upstreams that are well before the edge is looked at: longer than unused connections are kept.
const CALM: Duration = Duration::from_secs(100);
const MINUTE: Duration = Duration::from_secs(60);
const LISTENERS: u128 = 500;
/// Longer than a token lives it cannot go on.
const MINUTES_MAX: u64 = 340;

fn command() -> Command {
    let minutes = value_parser!(u64).range(1..=MINUTES_MAX);
    Command::new("soak")
        .arg(Arg::new("minutes").long("minutes").value_parser(minutes).default_value("30"))
        .arg(Arg::new("seed").long("seed").value_parser(value_parser!(u64)).default_value("1"))
        .arg(Arg::new("tls").long("tls").action(ArgAction::SetTrue).help("Listeners come over TLS"))
}

#[tokio::main]
async fn main() -> Result<ExitCode, Failure> {
    let args = command().get_matches();
    let number = |name: &str| args.get_one::<u64>(name).copied().unwrap_or_default();
    let (catalog, now) = (Arc::new(Catalog::new()), SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs());
    let keys = SigningKeys::generate(now);
    let (moody, watched) = watch::channel(false);
    let mut upstreams = Vec::new();
    for seed in 0..2 {
        let (catalog, keys) = (catalog.clone(), keys.public().to_json().into());
        let upstream = Upstream::start(catalog, keys, number("seed") * 2 + seed, watched.clone()).await?;
        upstreams.push(upstream.port);
    }
    // A third of what there is fits.
    let place = Place::new(upstreams[0], None, catalog.bytes() / 3)?.within("edge")?;
    let tls = args.get_flag("tls");
    let settings = settings(&place, tls);
    let start = {
        let place = place.clone();
        move || edge(&place, &upstreams, false, &settings)
    };
    let (port, _, mut process) = tokio::task::spawn_blocking(start).await??;
    let listeners = Arc::new(Listeners {
        tokens: catalog::tokens(&keys, now, LISTENERS),
        catalog,
        port,
        tls: tls.then(connector).transpose()?,
        tally: Default::default(),
        idle: Default::default(),
        open: Default::default(),
    });
    let most = listeners.rush(RUSH_CONNECTIONS, RUSH).await;
    println!("{most:.0} a second at most; from here on {:.0}\n", most / 2.0);
    tokio::spawn(listeners.clone().listen(most / 2.0));
    moody.send_replace(true);
    let mut report = Report::default();
    tokio::time::sleep(WARM).await;
    let before = calm(&moody, &listeners, &process, &mut report).await;
    moody.send_replace(true);
    report.begin(before);
    Report::heading();
    for _ in 0..number("minutes") {
        tokio::time::sleep(MINUTE).await;
        report.add(listeners.take(), sample(&listeners, &process));
        if process.ended() {
            println!("the edge has ended");
            return Ok(ExitCode::FAILURE);
        }
    }
    let after = calm(&moody, &listeners, &process, &mut report).await;
    let log = std::fs::read_to_string(place.edge_log(port))?;
    let faults = report.faults(&log, before, after);
    faults.iter().for_each(|fault| println!("{fault}"));
    if faults.is_empty() {
        println!("\nNo wrong byte, no panic, no growth.");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// Lets upstreams be well for a while, looks at the edge, and prints nothing of what was tallied meanwhile.
async fn calm(
    moody: &watch::Sender<bool>,
    listeners: &Listeners,
    process: &Process,
    report: &mut Report,
) -> Sample {
    moody.send_replace(false);
    tokio::time::sleep(CALM).await;
    let sample = sample(listeners, process);
    report.count(&listeners.take());
    sample
}

fn sample(listeners: &Listeners, process: &Process) -> Sample {
    let clients = listeners.open.load(Ordering::Relaxed);
    let descriptors = process.descriptors().saturating_sub(clients);
    let (cpu, at, ticks) = (process.cpu(), Instant::now(), Ticks::now());
    Sample { memory: process.memory(), descriptors, cpu, at, ticks }
}

/// What differs from an edge as it comes: short waits, so that upstreams fail often.
fn settings(place: &Place, tls: bool) -> Vec<String> {
    let cert = place.cert();
    let mut settings: Vec<String> =
        ["--first-byte-timeout-ms", "2000", "--upstream-idle-timeout-ms", "2000"].map(str::to_owned).to_vec();
    if tls {
        let (cert, key) = (cert.join("cert.pem"), cert.join("key.pem"));
        settings.extend(["--tls-cert".into(), cert.display().to_string()]);
        settings.extend(["--tls-key".into(), key.display().to_string()]);
    }
    settings
}

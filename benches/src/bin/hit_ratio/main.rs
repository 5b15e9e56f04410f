//! How many requests a cache answers by itself: `segue edge`, nginx, a simulated LRU, and one that knows the future, on
//! the same trace of 100,000 tracks, with room for 5 % of the bytes. Prints a table; `benches/README.md` has it.
//!
//! ```sh
//! benches/hit_ratio                    # everything, in about half an hour
//! benches/hit_ratio --servers ''       # the simulations only
//! ```
#![forbid(unsafe_code)]
// What it found goes to standard output.
#![allow(clippy::print_stdout)]

mod measure;
mod simulate;
mod trace;

use std::sync::Arc;

use clap::{Arg, ArgMatches, Command, value_parser};
use segue_benches::client::Failure;
use segue_benches::peer::Kind;

use measure::Task;
use simulate::Score;
use trace::Catalog;

fn command() -> Command {
    let number = |name: &'static str, default: &'static str| {
        Arg::new(name).long(name).value_parser(value_parser!(usize)).default_value(default)
    };
    Command::new("hit_ratio")
        .arg(number("tracks", "100000"))
        .arg(number("requests", "1000000").help("Of one trace; the first half only fills the caches"))
        .arg(number("percent", "5").help("Room, in percent of all bytes"))
        .arg(list("servers", "segue-open,nginx"))
        .arg(list("s", "0.8,0.9,1.0,1.1"))
        .arg(list("scans", "with,without"))
}

fn list(name: &'static str, default: &'static str) -> Arg {
    Arg::new(name).long(name).default_value(default)
}

fn words(args: &ArgMatches, name: &str) -> Vec<String> {
    let text = args.get_one::<String>(name).map_or("", String::as_str);
    text.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let args = command().get_matches();
    let number = |name: &str| args.get_one::<usize>(name).copied().unwrap_or_default();
    let catalog = Catalog::new(number("tracks"));
    let limit = catalog.bytes() / 100 * number("percent") as u64;
    let servers: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| words(&args, "servers").iter().any(|it| it == kind.name()))
        .collect();
    println!(
        "{} tracks, {} segments, {:.1} GB; room for {:.2} GB; sizes are a {}th of the real ones\n",
        catalog.count(),
        catalog.sizes.len(),
        catalog.bytes() as f64 / 1e9,
        limit as f64 / 1e9,
        trace::SCALE
    );
    heading(&servers);
    let sizes = Arc::new(catalog.sizes.clone());
    for scans in words(&args, "scans") {
        for s in words(&args, "s") {
            let requests = number("requests");
            let trace = trace::trace(&catalog, s.parse()?, requests, scans == "with");
            let task = Arc::new(Task { trace, sizes: sizes.clone(), warm: requests / 2, limit });
            row(&format!("{s}, {scans} scans"), &servers, task).await?;
        }
    }
    Ok(())
}

fn heading(servers: &[Kind]) {
    let names: Vec<&str> = servers.iter().map(|kind| kind.name()).chain(["LRU", "clairvoyant"]).collect();
    let fetches: Vec<String> = servers.iter().map(|kind| format!("fetches of {}", kind.name())).collect();
    println!("| Zipf | {} | {} |", names.join(" | "), fetches.join(" | "));
    println!("|---{}|", "|---".repeat(names.len() + fetches.len()));
}

/// Hit ratios by requests / by bytes, then fetches of the origin for a hundred requests.
async fn row(name: &str, servers: &[Kind], task: Arc<Task>) -> Result<(), Failure> {
    let (mut cells, mut fetches) = (Vec::new(), Vec::new());
    for kind in servers {
        let (score, fetched) = measure::measure(*kind, task.clone()).await?;
        cells.push(shown(score));
        fetches.push(format!("{fetched:.1}"));
    }
    for cache in [simulate::lru, simulate::clairvoyant] {
        cells.push(shown(cache(&task.trace, &task.sizes, task.limit, task.warm)));
    }
    println!("| {name} | {} | {} |", cells.join(" | "), fetches.join(" | "));
    Ok(())
}

fn shown(score: Score) -> String {
    let (requests, bytes) = score.ratios();
    format!("{:.1} / {:.1}", requests * 100.0, bytes * 100.0)
}

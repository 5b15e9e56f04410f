//! Edge, shield, origin and S3 as separate processes on addresses of their own: listeners play while each of them in turn is
//! killed without notice and started again. No buffer may run dry, and no byte may be wrong.
//!
//! ```sh
//! cargo build --release -p segue -p segue-benches --bins
//! target/release/outage
//! ```
#![forbid(unsafe_code)]
// What it found goes to standard output.
#![allow(clippy::print_stdout)]

mod fleet;
mod listener;
mod music;
mod pathways;
mod report;
mod truth;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Arg, Command};
use fastrand::Rng;
use http::Method;
use segue_benches::client::{Client, Failure};
use serde_json::json;

use fleet::{Fleet, Role};
use listener::{Desk, Listener};
use pathways::Pathways;
use report::{Board, Report};
use truth::Truth;

/// Accounts that the listeners share.
const ACCOUNTS: usize = 20;
const PASSWORD: &str = "correct horse";
/// Time in which the listeners begin.
const ARRIVALS: Duration = Duration::from_secs(20);
/// Time between two looks at the buffers.
const LOOK: Duration = Duration::from_millis(50);
/// How long the origin may take to import what was published.
const IMPORT: Duration = Duration::from_secs(60);

fn command() -> Command {
    let number = |name: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name).long(name).default_value(default).value_parser(clap::value_parser!(u64)).help(help)
    };
    Command::new("outage")
        .about("Kills edges, shield, origin and S3 in turn while listeners play")
        .arg(number("listeners", "200", "How many listen at a time"))
        .arg(number("buffer", "20", "Seconds that a listener fetches ahead"))
        .arg(number("tracks", "8", "Songs to play"))
        .arg(number("length", "120", "Seconds of a song"))
        .arg(number("down", "40", "Seconds for which a killed process stays dead"))
        .arg(number("calm", "60", "Seconds until the next is killed"))
}

#[tokio::main]
async fn main() -> Result<ExitCode, Failure> {
    let args = command().get_matches();
    let number = |name: &str| args.get_one::<u64>(name).copied().unwrap_or_default();
    let seconds = |name: &str| Duration::from_secs(number(name));
    let listeners = usize::try_from(number("listeners"))?;
    let mut fleet = Fleet::new()?;
    fleet.start(Role::Store)?;
    let songs = fleet.folder().join("songs");
    music::compose(&songs, number("tracks"), u32::try_from(number("length"))?)?;
    fleet.publish(&songs)?;
    let truth = Arc::new(Truth::read(&fleet.bucket())?);
    println!("{} songs of {} MB in all renditions", truth.assets, truth.bytes / 1_000_000);
    for role in [Role::Origin, Role::Shield, Role::EdgeA, Role::EdgeB] {
        fleet.start(role)?;
    }
    let board = Arc::new(Board::new(listeners));
    invite(&fleet.origin(), &board, &truth, i64::try_from(number("buffer"))? * 1000).await?;
    let mut report = Report::default();
    Report::heading();
    phase(&board, &mut report, "all well", ARRIVALS + seconds("calm")).await;
    for role in Role::ALL {
        fleet.kill(role);
        phase(&board, &mut report, &format!("{} killed", role.name()), seconds("down")).await;
        // It waits; the listeners must not.
        tokio::task::block_in_place(|| fleet.start(role))?;
        phase(&board, &mut report, &format!("{} back", role.name()), seconds("calm")).await;
    }
    let faults = report.faults(fleet.panics(), listeners, board.playing());
    faults.iter().for_each(|fault| println!("\n{fault}"));
    if faults.is_empty() {
        println!("\nNo buffer ran dry, no wrong byte, no panic.");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// Watches the listeners for a while, and prints what was seen.
async fn phase(board: &Board, report: &mut Report, name: &str, time: Duration) {
    let began = Instant::now();
    while began.elapsed() < time {
        board.look();
        tokio::time::sleep(LOOK).await;
    }
    report.add(name, began.elapsed(), board.take());
}

/// Makes accounts, waits for the songs, and lets the listeners begin one after the other.
async fn invite(origin: &str, board: &Arc<Board>, truth: &Arc<Truth>, ahead_ms: i64) -> Result<(), Failure> {
    let visitor = Client::new(origin, None);
    for account in 0..ACCOUNTS {
        let name = account_name(account);
        let body = json!({"username": name, "email": format!("{name}@example.org"), "password": PASSWORD});
        visitor.json(Method::POST, "/users/register", Some(&body)).await?;
    }
    let listeners = board.listeners();
    let songs = Arc::new(songs(origin, truth.assets).await?);
    for number in 0..listeners {
        let account = account_name(number % ACCOUNTS);
        let desk = Desk::enter(origin, (&account, PASSWORD), board.clone(), songs.clone()).await?;
        let mut rng = Rng::with_seed(number as u64);
        let pathways = Pathways::new(board.clone(), truth.clone(), rng.fork());
        let board = board.clone();
        let listener =
            Listener { number, desk: Arc::new(desk), board, pathways, rng, ahead_ms, until_ms: None };
        let after = ARRIVALS * u32::try_from(number)? / u32::try_from(listeners)?;
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            listener.listen().await;
        });
    }
    Ok(())
}

fn account_name(number: usize) -> String {
    format!("listener{number}")
}

/// All songs, once the origin has them.
async fn songs(origin: &str, count: usize) -> Result<Vec<String>, Failure> {
    let body = json!({"login": account_name(0), "password": PASSWORD});
    let signed_in = Client::new(origin, None).json(Method::POST, "/users/login", Some(&body)).await?;
    let client = Client::new(origin, signed_in["token"].as_str());
    let began = Instant::now();
    while began.elapsed() < IMPORT {
        let page = client.get("/songs?limit=200").await?;
        let items = page["items"].as_array().into_iter().flatten();
        let songs: Vec<String> = items.filter_map(|song| song["id"].as_str().map(str::to_owned)).collect();
        if songs.len() == count {
            return Ok(songs);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err("the origin did not import the songs in time".into())
}

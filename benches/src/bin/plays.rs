//! Starts songs at a steady rate (0: as fast as 64 listeners can), each play under an `event_id` of its own, and tries
//! again until it is acknowledged, whatever happens to the origin. In the end the history is read: every acknowledged
//! play must stand in it once.
//!
//! ```sh
//! cargo run --release -p segue-benches --bin plays -- http://127.0.0.1:8080 1000 20 TOKEN [NAME]
//! ```
//!
//! `NAME` is a part of the title of the songs to play. Ends with status 1 when a play was lost or doubled.
#![forbid(unsafe_code)]
// What it found goes to standard output.
#![allow(clippy::print_stdout)]

use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;
use segue_benches::client::{Client, Failure, quantile};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

/// How long a play is tried.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(100);
/// Plays under way at once, at a steady rate.
const UNDER_WAY: usize = 10_000;
const LISTENERS: usize = 64;

/// What became of one play.
struct Outcome {
    /// Answers before it was acknowledged: a status, or 0 where there was no answer.
    refused: Vec<u16>,
    /// From when it was due until it was acknowledged.
    took: Duration,
    session: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, rate, seconds, token, name @ ..] = args.as_slice() else {
        return Err("usage: plays URL PLAYS_A_SECOND SECONDS TOKEN [NAME]".into());
    };
    let client = Arc::new(Client::new(url, Some(token)));
    let name = name.first().map_or("", String::as_str);
    let songs = songs(&client, name).await?;
    let before = history(&client).await?.len();
    let began = Instant::now();
    let outcomes = play(&client, &songs, rate.parse()?, Duration::from_secs(seconds.parse()?)).await;
    report(&outcomes, began.elapsed());
    verify(&outcomes, &history(&client).await?, before)
}

async fn songs(client: &Client, name: &str) -> Result<Vec<String>, Failure> {
    let page = client.get(&format!("/songs?limit=200&name={name}")).await?;
    let items = page["items"].as_array().into_iter().flatten();
    let songs: Vec<String> = items.filter_map(|song| song["id"].as_str().map(str::to_owned)).collect();
    if songs.is_empty() { Err("no songs".into()) } else { Ok(songs) }
}

/// Playback sessions in the history and how often each stands there.
async fn history(client: &Client) -> Result<HashMap<String, u32>, Failure> {
    let mut found = HashMap::new();
    for page in client.pages("/users/me/history").await? {
        for play in page["items"].as_array().into_iter().flatten() {
            *found.entry(play["playback_session"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
    }
    Ok(found)
}

async fn play(client: &Arc<Client>, songs: &[String], rate: u32, lasting: Duration) -> Vec<Outcome> {
    let under_way = Arc::new(Semaphore::new(if rate == 0 { LISTENERS } else { UNDER_WAY }));
    let (done, mut outcomes) = mpsc::unbounded_channel();
    let run = std::process::id();
    let began = Instant::now();
    for number in 0.. {
        if rate > 0 {
            tokio::time::sleep_until((began + Duration::from_secs(1) * number / rate).into()).await;
        }
        let Ok(permit) = Arc::clone(&under_way).acquire_owned().await else { break };
        let due = if rate == 0 { Instant::now() } else { began + Duration::from_secs(1) * number / rate };
        if due - began >= lasting {
            break;
        }
        let (client, done) = (Arc::clone(client), done.clone());
        let path = format!("/play/{}", songs[number as usize % songs.len()]);
        tokio::spawn(async move {
            let outcome = start(&client, &path, &json!({"event_id": format!("{run}-{number}")}), due).await;
            let _ = done.send(outcome);
            drop(permit);
        });
    }
    drop(done);
    let mut all = Vec::new();
    while let Some(outcome) = outcomes.recv().await {
        all.push(outcome);
    }
    all
}

/// Asks until the play is acknowledged.
async fn start(client: &Client, path: &str, body: &Value, due: Instant) -> Outcome {
    let mut refused = Vec::new();
    while due.elapsed() < PATIENCE {
        match client.ask(Method::POST, path, Some(body)).await {
            Ok((200, answer)) => {
                let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
                let session = answer["playback_session"].as_str().map(str::to_owned);
                return Outcome { refused, took: due.elapsed(), session };
            }
            Ok((status, _)) => refused.push(status),
            Err(_) => refused.push(0),
        }
        tokio::time::sleep(PAUSE).await;
    }
    Outcome { refused, took: due.elapsed(), session: None }
}

fn report(outcomes: &[Outcome], took: Duration) {
    let mut times: Vec<Duration> = outcomes.iter().map(|it| it.took).collect();
    times.sort_unstable();
    let acknowledged = outcomes.iter().filter(|it| it.session.is_some()).count();
    println!("{acknowledged} plays acknowledged, {:.0} a second", acknowledged as f64 / took.as_secs_f64());
    println!(
        "ms: p50 {:.2}, p99 {:.2}, worst {:.0}",
        quantile(&times, 0.5),
        quantile(&times, 0.99),
        quantile(&times, 1.0)
    );
    let mut refused: BTreeMap<u16, u32> = BTreeMap::new();
    for status in outcomes.iter().flat_map(|it| &it.refused) {
        *refused.entry(*status).or_default() += 1;
    }
    for (status, count) in refused {
        let what = if status == 0 { "no answer".to_owned() } else { format!("status {status}") };
        println!("{what}: {count} times");
    }
}

/// Whether every acknowledged play stands in the history once, and nothing else was added.
fn verify(outcomes: &[Outcome], found: &HashMap<String, u32>, before: usize) -> Result<ExitCode, Failure> {
    let sessions: Vec<&String> = outcomes.iter().filter_map(|it| it.session.as_ref()).collect();
    let lost = sessions.iter().filter(|session| !found.contains_key(**session)).count();
    let all: u32 = found.values().sum();
    let doubled = i64::from(all) - before as i64 - outcomes.len() as i64;
    let open = outcomes.len() - sessions.len();
    println!("lost: {lost}, doubled: {}, never acknowledged: {open}", doubled.max(0));
    let sound = lost == 0 && doubled <= 0 && open == 0;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

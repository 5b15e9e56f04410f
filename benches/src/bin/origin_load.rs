//! Asks an origin at a steady rate and tells how long the answers took, counted from when each request was due, so that
//! a slow answer also counts for those that it holds up.
//!
//! ```sh
//! cargo run --release -p segue-benches --bin origin_load -- http://127.0.0.1:8080 500 20 [TOKEN]
//! ```
#![forbid(unsafe_code)]
// What it found goes to standard output.
#![allow(clippy::print_stdout)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;
use segue_benches::client::{Client, Failure, quantile};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// Entries of the playlist that is read.
const ENTRIES: usize = 10_000;

/// A kind of request and its paths.
type Group = (&'static str, Vec<String>);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, rate, seconds, token @ ..] = args.as_slice() else {
        return Err("usage: origin_load URL REQUESTS_A_SECOND SECONDS [TOKEN]".into());
    };
    let (rate, seconds): (u32, u32) = (rate.parse()?, seconds.parse()?);
    let token = token.first().map(String::as_str);
    let target = Arc::new(Client::new(url, token));
    let mut groups = groups(&target).await?;
    if token.is_some() {
        groups.extend(personal(&target).await?);
    }
    println!("{:<28} {:>8} {:>8} {:>8} {:>8} {:>7}", "ms", "p50", "p99", "p99.9", "worst", "errors");
    for (name, paths) in groups {
        let mut times = run(&target, &Arc::new(paths), rate, seconds).await;
        let errors = times.iter().filter(|time| time.is_none()).count();
        times.retain(Option::is_some);
        let mut times: Vec<Duration> = times.into_iter().flatten().collect();
        times.sort_unstable();
        let at = |part: f64| quantile(&times, part);
        println!(
            "{name:<28} {:>8.2} {:>8.2} {:>8.2} {:>8.2} {errors:>7}",
            at(0.5),
            at(0.99),
            at(0.999),
            at(1.0)
        );
    }
    Ok(())
}

/// Kinds of reads of what everyone sees.
async fn groups(target: &Client) -> Result<Vec<Group>, Failure> {
    let mut pages = Vec::new();
    let (mut songs, mut albums, mut artists) = (Vec::new(), Vec::new(), Vec::new());
    let (mut parts, mut words) = (Vec::new(), Vec::new());
    // Beginnings spread over the alphabet lead to pages all over the list.
    for beginning in ["ba", "de", "fi", "go", "ka", "lu", "mo", "pa", "re", "si", "sta", "ti", "vo", "wu"] {
        let mut page = format!("/songs?limit=200&name={beginning}");
        for _ in 0..3 {
            let answer = target.get(&page).await?;
            for song in answer["items"].as_array().into_iter().flatten() {
                let id = |value: &Value| value["id"].as_str().unwrap_or_default().to_owned();
                songs.push(format!("/songs/{}", id(song)));
                albums.push(format!("/albums/{}/songs?limit=50", id(&song["album"])));
                artists.push(format!("/artists/{}/songs?limit=50", id(&song["artist"])));
                let title = song["title"].as_str().unwrap_or_default().to_lowercase();
                parts.extend(title.get(1..4).map(name));
                words.extend(title.split(' ').max_by_key(|word| word.len()).map(name));
            }
            let Some(next) = answer["next_cursor"].as_str() else { break };
            page = format!("/songs?limit=200&name={beginning}&cursor={next}");
            pages.push(format!("/songs?limit=50&name={beginning}&cursor={next}"));
        }
    }
    let mut last = "/songs?limit=50".to_owned();
    for _ in 0..500 {
        let Some(next) = target.get(&last).await?["next_cursor"].as_str().map(str::to_owned) else { break };
        last = format!("/songs?limit=50&cursor={next}");
        pages.push(last.clone());
    }
    Ok(vec![
        ("songs, a page of 50", pages),
        ("one song", songs),
        ("an album's songs", albums),
        ("an artist's songs", artists),
        ("name: three letters", parts),
        ("name: a word", words),
        ("name: nothing", ["zzz", "qqqq", "xyzzy", "no such song"].map(name).to_vec()),
    ])
}

fn name(part: &str) -> String {
    format!("/songs?limit=50&name={}", part.replace(' ', "%20"))
}

/// What the account sees of its own: it is given a long playlist and a history for it.
async fn personal(target: &Client) -> Result<Vec<Group>, Failure> {
    let ids = ids_of(&target.get("/songs?limit=200").await?);
    let made = target.json(Method::POST, "/playlists", Some(&json!({"name": "Long"}))).await?;
    let songs = format!("/playlists/{}/songs", made["id"].as_str().unwrap_or_default());
    for _ in 0..ENTRIES / 100 {
        target.json(Method::POST, &songs, Some(&json!({"songs": ids[..100]}))).await?;
    }
    let playable = ids_of(&target.get("/songs?limit=200&name=playable").await?);
    for id in playable.iter().cycle().take(playable.len() * 10) {
        target.json(Method::POST, &format!("/play/{id}"), Some(&json!({}))).await?;
    }
    Ok(vec![
        ("a playlist of 10,000", pages(target, &songs).await?),
        ("its head", vec![songs.trim_end_matches("/songs").to_owned()]),
        ("own playlists", vec!["/users/me/playlists".to_owned()]),
        ("history", pages(target, "/users/me/history").await?),
        ("recently played", vec!["/users/me/recent".to_owned()]),
        ("recommendations", vec!["/users/me/recommendations".to_owned()]),
    ])
}

fn ids_of(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().into_iter().flatten();
    items.filter_map(|item| item["id"].as_str().map(str::to_owned)).collect()
}

/// The addresses of all pages of a list.
async fn pages(target: &Client, list: &str) -> Result<Vec<String>, Failure> {
    let mut pages = vec![format!("{list}?limit=50")];
    while let Some(next) = target.get(&pages[pages.len() - 1]).await?["next_cursor"].as_str() {
        pages.push(format!("{list}?limit=50&cursor={next}"));
    }
    Ok(pages)
}

/// The time of each answer; none for errors.
async fn run(
    target: &Arc<Client>,
    paths: &Arc<Vec<String>>,
    rate: u32,
    seconds: u32,
) -> Vec<Option<Duration>> {
    let (done, mut times) = mpsc::unbounded_channel();
    let began = Instant::now();
    for number in 0..rate * seconds {
        let due = began + Duration::from_secs(1) * number / rate;
        tokio::time::sleep_until(due.into()).await;
        let (target, paths, done) = (Arc::clone(target), Arc::clone(paths), done.clone());
        tokio::spawn(async move {
            // Other limits make other requests of it, so that few are answered from a cache.
            let limit = format!("limit={}", 41 + number % 10);
            let path = paths[number as usize * 7919 % paths.len()].replace("limit=50", &limit);
            let answer = target.ask(Method::GET, &path, None).await;
            let _ = done.send(matches!(answer, Ok((200, _))).then(|| due.elapsed()));
        });
    }
    drop(done);
    let mut all = Vec::new();
    while let Some(time) = times.recv().await {
        all.push(time);
    }
    all
}

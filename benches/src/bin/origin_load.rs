//! Asks an origin at a steady rate and tells how long the answers took, counted from when each request was due, so that
//! a slow answer also counts for those that it holds up.
//!
//! ```sh
//! cargo run --release -p segue-benches --bin origin_load -- http://127.0.0.1:8080 500 20 [TOKEN]
//! ```
#![forbid(unsafe_code)]
// What it found goes to standard output.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::sync::mpsc;

type Http = Client<HttpConnector, Full<Bytes>>;

struct Target {
    http: Http,
    url: String,
    token: Option<String>,
}

impl Target {
    /// Status and body.
    async fn ask(&self, method: Method, path: &str) -> Result<(u16, Bytes), Box<dyn Error + Send + Sync>> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let answer = self.http.request(request.body(Full::default())?).await?;
        let status = answer.status().as_u16();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }

    async fn json(&self, path: &str) -> Result<Value, Box<dyn Error + Send + Sync>> {
        Ok(serde_json::from_slice(&self.ask(Method::GET, path).await?.1)?)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, rate, seconds, token @ ..] = args.as_slice() else {
        return Err("usage: origin_load URL REQUESTS_A_SECOND SECONDS [TOKEN]".into());
    };
    let (rate, seconds): (u32, u32) = (rate.parse()?, seconds.parse()?);
    let http = Client::builder(TokioExecutor::new()).build_http();
    let target = Arc::new(Target { http, url: url.clone(), token: token.first().cloned() });
    println!("{:<28} {:>8} {:>8} {:>8} {:>8} {:>7}", "ms", "p50", "p99", "p99.9", "worst", "errors");
    for (name, paths) in groups(&target).await? {
        let mut times = run(&target, &Arc::new(paths), rate, seconds).await;
        let errors = times.iter().filter(|time| time.is_none()).count();
        times.retain(Option::is_some);
        let mut times: Vec<Duration> = times.into_iter().flatten().collect();
        times.sort_unstable();
        let at = |part: f64| {
            let index = ((times.len() as f64 * part) as usize).min(times.len().saturating_sub(1));
            times.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
        };
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

/// Kinds of reads with enough different paths each.
async fn groups(target: &Target) -> Result<Vec<(&'static str, Vec<String>)>, Box<dyn Error + Send + Sync>> {
    let mut pages = vec!["/songs?limit=50".to_owned()];
    let (mut songs, mut albums, mut artists) = (Vec::new(), Vec::new(), Vec::new());
    // Beginnings spread over the alphabet lead to pages all over the list.
    for beginning in ["ba", "de", "fi", "go", "ka", "lu", "mo", "pa", "re", "si", "sta", "ti", "vo", "wu"] {
        let page = target.json(&format!("/songs?limit=200&name={beginning}")).await?;
        for song in page["items"].as_array().into_iter().flatten() {
            let id = |value: &Value| value["id"].as_str().unwrap_or_default().to_owned();
            songs.push(format!("/songs/{}", id(song)));
            albums.push(format!("/albums/{}/songs", id(&song["album"])));
            artists.push(format!("/artists/{}/songs", id(&song["artist"])));
        }
        pages.push(format!("/songs?limit=50&name={beginning}"));
    }
    let mut cursor = String::new();
    for _ in 0..50 {
        let page = target.json(&format!("/songs?limit=200&cursor={cursor}")).await?;
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = next.to_owned();
        pages.push(format!("/songs?limit=50&cursor={cursor}"));
    }
    let find = |parts: &[&str]| parts.iter().map(|part| format!("/songs?limit=50&name={part}")).collect();
    Ok(vec![
        ("songs, a page of 50", pages),
        ("one song", songs),
        ("an album's songs", albums),
        ("an artist's songs", artists),
        ("name: frequent parts", find(&["ban", "sta", "ber", "gol", "kus", "an s", "vin", "us ba"])),
        (
            "name: rare parts",
            find(&["staker", "bolvinda", "gusmaner", "walinst", "sesandol", "husper", "fanolt"]),
        ),
        ("name: nothing", find(&["zzz", "qqqq", "xyzzy", "no such song"])),
    ])
}

/// The time of each answer; none for errors.
async fn run(
    target: &Arc<Target>,
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
            let path = &paths[number as usize * 7919 % paths.len()];
            let answer = target.ask(Method::GET, path).await;
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

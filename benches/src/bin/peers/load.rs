//! Load of one second or more on one proxy: as fast as it answers, over connections that stay open.

use std::fs;
use std::time::Duration;

use segue_benches::client::Failure;
use segue_benches::connection::{Connection, connector};
use segue_benches::peer::Peer;
use tokio::process::Command;
use tokio::time::Instant;

use crate::stage::{SEGMENTS, Stage};

const SCRIPT: &str = include_str!("../../../peers/paths.lua");
/// Open connections, for HTTP/2 with so many requests each.
const CONNECTIONS: &str = "-c64";
const STREAMS: &str = "-m10";
/// Handshakes under way at once.
const HANDSHAKES: usize = 32;

/// A protocol to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    H1,
    Tls1,
    H2,
    /// A TLS connection for each request, with a full handshake.
    Handshake,
}

impl Protocol {
    pub(crate) fn parse(name: &str) -> Result<Self, Failure> {
        match name {
            "h1" => Ok(Self::H1),
            "tls1" => Ok(Self::Tls1),
            "h2" => Ok(Self::H2),
            "handshake" => Ok(Self::Handshake),
            _ => Err(format!("no protocol {name}; there are h1, tls1, h2, handshake").into()),
        }
    }

    pub(crate) fn tls(self) -> bool {
        self != Self::H1
    }
}

/// Requests answered, and those that failed.
pub(crate) struct Outcome {
    pub(crate) good: u64,
    pub(crate) failed: u64,
}

/// Asks for segments of that size until the time is over.
pub(crate) async fn run(
    stage: &Stage,
    peer: &Peer,
    protocol: Protocol,
    size: &str,
    seconds: u64,
) -> Result<Outcome, Failure> {
    let port = peer.port(protocol.tls()).ok_or("no TLS")?;
    let paths: Result<Vec<_>, _> = (0..SEGMENTS).map(|number| stage.path(peer.kind, size, number)).collect();
    let paths = paths?;
    match protocol {
        Protocol::H1 => wrk(stage, &format!("http://127.0.0.1:{port}"), &paths, seconds).await,
        Protocol::Tls1 => wrk(stage, &format!("https://127.0.0.1:{port}"), &paths, seconds).await,
        Protocol::H2 => h2load(stage, &format!("https://127.0.0.1:{port}"), &paths, seconds).await,
        Protocol::Handshake => handshakes(port, paths, Duration::from_secs(seconds)).await,
    }
}

async fn wrk(stage: &Stage, url: &str, paths: &[String], seconds: u64) -> Result<Outcome, Failure> {
    let (script, list) = (stage.place.scratch().join("paths.lua"), stage.place.scratch().join("paths"));
    fs::write(&script, SCRIPT)?;
    fs::write(&list, paths.join("\n"))?;
    let mut command = Command::new("wrk");
    command.args(["-t1", CONNECTIONS, &format!("-d{seconds}s"), "--timeout", "10s", "-s"]);
    let said = said(command.arg(script).arg(url).arg("--").arg(list)).await?;
    let figures = said.lines().find_map(|line| line.strip_prefix("figures ")).ok_or("wrk says no figures")?;
    let mut figures = figures.split(' ').filter_map(|figure| figure.parse().ok());
    let (good, failed) = (figures.next().unwrap_or(0), figures.next().unwrap_or(u64::MAX));
    Ok(Outcome { good, failed })
}

async fn h2load(stage: &Stage, url: &str, paths: &[String], seconds: u64) -> Result<Outcome, Failure> {
    let list = stage.place.scratch().join("urls");
    fs::write(&list, paths.iter().map(|path| format!("{url}{path}\n")).collect::<String>())?;
    let mut command = Command::new("h2load");
    command.args(["-t1", CONNECTIONS, STREAMS, "-D", &seconds.to_string(), "-i"]);
    let said = said(command.arg(list)).await?;
    let line = said.lines().find(|line| line.starts_with("requests:")).ok_or("h2load says no figures")?;
    let figure = |name: &str| {
        let before = line.split(&format!(" {name}")).next()?;
        before.rsplit(' ').next()?.parse::<u64>().ok()
    };
    Ok(Outcome { good: figure("succeeded").unwrap_or(0), failed: figure("failed").unwrap_or(u64::MAX) })
}

async fn said(command: &mut Command) -> Result<String, Failure> {
    let output = command.output().await?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

async fn handshakes(port: u16, paths: Vec<String>, time: Duration) -> Result<Outcome, Failure> {
    let (tls, paths, until) = (connector()?, std::sync::Arc::new(paths), Instant::now() + time);
    let tasks: Vec<_> = (0..HANDSHAKES)
        .map(|number| {
            let (tls, paths) = (tls.clone(), paths.clone());
            tokio::spawn(async move {
                let mut outcome = Outcome { good: 0, failed: 0 };
                while Instant::now() < until {
                    let path = &paths[(number + outcome.good as usize * HANDSHAKES) % paths.len()];
                    let asked = async { Connection::open(port, Some(&tls)).await?.get(path, |_| {}).await };
                    match asked.await {
                        Ok(answer) if answer.status == 200 => outcome.good += 1,
                        _ => outcome.failed += 1,
                    }
                }
                outcome
            })
        })
        .collect();
    let mut all = Outcome { good: 0, failed: 0 };
    for task in tasks {
        let Outcome { good, failed } = task.await?;
        all.good += good;
        all.failed += failed;
    }
    Ok(all)
}

//! `segue edge`: everything that is on in service is on here.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{Place, Started};
use crate::client::Failure;
use crate::process::{Process, free_port, until_listening};

/// How long an edge may take until it has its signing keys.
const READY: Duration = Duration::from_secs(20);

/// The binary: `SEGUE_BIN`, or the one beside this program.
///
/// # Errors
/// When there is none.
pub fn binary() -> Result<PathBuf, Failure> {
    let beside = || Some(std::env::current_exe().ok()?.parent()?.join("segue"));
    let path = std::env::var_os("SEGUE_BIN").map(PathBuf::from).or_else(beside).unwrap_or_default();
    match path.is_file() {
        true => Ok(path),
        false => {
            Err(format!("{} is not there; build it: cargo build --release -p segue", path.display()).into())
        }
    }
}

/// A listener is plain or TLS, so there are two edges; a cell measures one of them while the other sleeps.
pub(super) fn start(place: &Place, open: bool) -> Result<Started, Failure> {
    let cert = place.cert();
    let (cert, key) = (cert.join("cert.pem"), cert.join("key.pem"));
    let tls =
        ["--tls-cert".into(), cert.display().to_string(), "--tls-key".into(), key.display().to_string()];
    let upstreams = [place.origin];
    let (http, _, plain) = edge(place, &upstreams, open, &[])?;
    let (https, _, secure) = edge(place, &upstreams, open, &tls)?;
    Ok((http, Some(https), vec![plain, secure]))
}

/// Starts an edge of one worker, and waits until it is ready: its port, its admin port, and itself.
///
/// # Errors
/// When it does not start.
pub fn edge(
    place: &Place,
    upstreams: &[u16],
    open: bool,
    more: &[String],
) -> Result<(u16, u16, Process), Failure> {
    let (port, admin) = (free_port()?, free_port()?);
    let mut words = vec![binary()?.display().to_string(), "edge".to_owned()];
    let mut set = |name: &str, value: String| words.extend([format!("--{name}"), value]);
    set("listen", format!("127.0.0.1:{port}"));
    set("admin-listen", format!("127.0.0.1:{admin}"));
    set("workers", "1".into());
    set("cache-bytes", place.cache_bytes.to_string());
    set("connections-per-address", place.connections.to_string());
    set("idle-timeout-ms", "600000".into());
    upstreams.iter().for_each(|upstream| set("upstreams", format!("http://127.0.0.1:{upstream}")));
    if open {
        words.push("--open".into());
    }
    words.extend_from_slice(more);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut process = Process::start(&words, place.core, &place.edge_log(port))?;
    until_listening(&mut process, admin)?;
    until_ready(admin)?;
    Ok((port, admin, process))
}

fn until_ready(admin: u16) -> Result<(), Failure> {
    let began = Instant::now();
    while began.elapsed() < READY {
        if crate::plain::get(admin, "/readyz").is_ok_and(|(status, _)| status == 200) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err("the edge is not ready; has it its signing keys?".into())
}

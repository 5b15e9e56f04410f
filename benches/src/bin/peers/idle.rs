//! Memory of a connection that waits for its next request.

use std::time::Duration;

use segue_benches::client::Failure;
use segue_benches::connection::{Connection, connector};
use segue_benches::peer::{Kind, Peer};

use crate::stage::Stage;

/// Connections opened at once.
const BATCH: usize = 50;
/// Until memory is looked at: what a request needed has been given back by then.
const SETTLE: Duration = Duration::from_secs(2);
/// What each connection asked for before it fell idle.
const SIZE: &str = "20k";

/// Opens connections to each proxy, first plain, then TLS, and prints what one costs.
pub(crate) async fn idle(kinds: &[Kind], core: usize, connections: usize) -> Result<(), Failure> {
    let stage = Stage::new(core, |_| None).await?;
    println!("Bytes of memory for each of {connections} connections that were used once.\n");
    println!("| | TCP | TLS |\n|---|---|---|");
    for kind in kinds {
        let mut cells = Vec::new();
        for tls in [false, true] {
            // A new one each time: what an allocator holds back would hide what the next needs.
            let peer = stage.start(*kind).await?;
            stage.warm(&peer, SIZE).await?;
            cells.push(match peer.port(tls) {
                Some(port) => format!("{:.0}", measure(&stage, &peer, port, tls, connections).await?),
                None => "-".to_owned(),
            });
            tokio::task::spawn_blocking(move || drop(peer)).await?;
        }
        println!("| {} | {} |", kind.name(), cells.join(" | "));
    }
    Ok(())
}

async fn measure(stage: &Stage, peer: &Peer, port: u16, tls: bool, count: usize) -> Result<f64, Failure> {
    let tls = tls.then(connector).transpose()?;
    let before = peer.memory();
    let mut open = Vec::with_capacity(count);
    while open.len() < count {
        let batch: Vec<_> = (open.len()..count.min(open.len() + BATCH))
            .map(|number| {
                let (path, tls) = (stage.path(peer.kind, SIZE, number % 200), tls.clone());
                tokio::spawn(async move { used(port, tls.as_ref(), &path?).await })
            })
            .collect();
        for connection in batch {
            open.push(connection.await??);
        }
    }
    tokio::time::sleep(SETTLE).await;
    let after = peer.memory();
    if open.iter().any(Connection::is_closed) {
        return Err(format!("{}: closed idle connections", peer.kind.name()).into());
    }
    Ok(after.saturating_sub(before) as f64 / count as f64)
}

async fn used(
    port: u16,
    tls: Option<&tokio_rustls::TlsConnector>,
    path: &str,
) -> Result<Connection, Failure> {
    let mut connection = Connection::open(port, tls).await?;
    match connection.get(path, |_| {}).await?.status {
        200 => Ok(connection),
        status => Err(format!("status {status}").into()),
    }
}

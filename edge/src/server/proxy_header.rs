//! PROXY headers: what a trusted proxy tells first of all.

use std::io;
use std::net::IpAddr;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::gate::Permit;
use super::worker::Worker;
use crate::address::Peer;
use crate::config::millis;
use crate::semantics::proxy_protocol::{MAX_HEADER, Reading, read};

/// Reads whose connection it is, and counts it as theirs; `None`: it is to end. Nothing behind the header is taken from the
/// stream.
pub(super) async fn introduced(
    worker: &Worker,
    proxy: IpAddr,
    stream: &mut TcpStream,
    permit: &mut Permit,
) -> Option<Peer> {
    let limit = millis(worker.edge.config.header_timeout_ms);
    let metrics = &worker.edge.metrics;
    match timeout(limit, header(stream)).await {
        Ok(Ok(Some(address))) => match worker.edge.proxies.peer(address) {
            Peer::Client(client) if !permit.belongs_to(client) => None,
            peer => Some(peer),
        },
        // Nor does it vouch for what the requests say.
        Ok(Ok(None)) => Some(Peer::Unknown(proxy)),
        Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
            metrics.turned_away("proxy-header");
            None
        }
        Ok(Err(_)) => None,
        Err(_) => {
            metrics.timed_out("proxy-header");
            None
        }
    }
}

/// Takes the header off the stream, and no byte more.
async fn header(stream: &mut TcpStream) -> io::Result<Option<IpAddr>> {
    let mut bytes = [0; MAX_HEADER];
    let mut taken = 0;
    loop {
        let seen = match stream.peek(&mut bytes[taken..]).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            more => taken + more,
        };
        let (length, client) = match read(&bytes[..seen]) {
            Reading::Malformed => return Err(io::ErrorKind::InvalidData.into()),
            // All that was seen belongs to it; so the next look waits for more.
            Reading::Partial => (seen, None),
            Reading::Whole { client, length } => (length, Some(client)),
        };
        stream.read_exact(&mut bytes[taken..length]).await?;
        taken = length;
        if let Some(client) = client {
            return Ok(client);
        }
    }
}

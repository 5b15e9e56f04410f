//! Proxies that are trusted: they stand for many clients, and may tell whose a connection is.

use std::io;
use std::net::IpAddr;

use ipnet::IpNet;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::gate::Permit;
use super::worker::Worker;
use crate::config::millis;
use crate::semantics::proxy_protocol::{MAX_HEADER, Reading, read};

/// Their addresses.
#[derive(Debug)]
pub(crate) struct Proxies(Vec<IpNet>);

impl Proxies {
    /// # Errors
    /// When one is neither an address nor a network.
    pub(crate) fn new(texts: &[String]) -> Result<Self, String> {
        let network = |text: &String| {
            let address = || text.parse::<IpAddr>().map(IpNet::from);
            text.parse::<IpNet>().or_else(|_| address()).map_err(|_| {
                format!(
                    "trusted_proxies has '{text}'; write addresses or networks, as 192.0.2.1, 10.0.0.0/8 or \
                     2001:db8::/32"
                )
            })
        };
        texts.iter().map(network).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        // An IPv4 address may come as an IPv6 one.
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// Reads whose connection it is, and counts it as theirs; `false`: it is to end. Nothing behind the header is taken from the
/// stream.
pub(super) async fn introduced(worker: &Worker, stream: &mut TcpStream, permit: &mut Permit) -> bool {
    let limit = millis(worker.edge.config.header_timeout_ms);
    let metrics = &worker.edge.metrics;
    match timeout(limit, header(stream)).await {
        Ok(Ok(Some(client))) => permit.belongs_to(client),
        Ok(Ok(None)) => true,
        Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
            metrics.turned_away("proxy-header");
            false
        }
        Ok(Err(_)) => false,
        Err(_) => {
            metrics.timed_out("proxy-header");
            false
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks() {
        let of = |texts: &[&str]| Proxies::new(&texts.iter().map(ToString::to_string).collect::<Vec<_>>());
        let proxies = of(&["192.0.2.1", "10.0.0.0/8", "2001:db8::/32"]).unwrap();
        for (address, trusted) in [
            ("192.0.2.1", true),
            ("192.0.2.2", false),
            ("10.255.0.1", true),
            ("::ffff:10.0.0.1", true),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
        ] {
            assert_eq!(proxies.trusts(address.parse().unwrap()), trusted, "{address}");
        }
        for wrong in ["", "localhost", "10.0.0.0/33", "192.0.2.1:80"] {
            assert!(of(&[wrong]).unwrap_err().contains("trusted_proxies"), "{wrong}");
        }
    }
}

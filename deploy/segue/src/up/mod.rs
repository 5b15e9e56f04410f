//! `segue up`: origin, edge and ingest in one process, talking over loopback HTTP as they would between machines.

mod data;
mod ingest;
mod watch;

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};

use crate::commands::print;
use crate::config::{Config, Up};
use crate::shutdown;
use data::DataDir;

pub(crate) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let data = DataDir::open(&config.up.data)?;
    check_music(&config.up, &data)?;
    let addresses = Addresses::of(&config)?;
    let (origin_config, edge_config) = tiers(&config, &data, &addresses)?;
    let origin = segue_origin::start(origin_config).await?;
    let edge = segue_edge::start(edge_config).await?;
    let origin = Arc::new(origin);
    announce(&config.up, origin.addr());
    let ingest = ingest::start(&config, &data, Arc::clone(&origin)).await?;
    shutdown::requested().await?;
    print("Stopping: no new tracks are begun, transfers under way are finished.\n");
    ingest.stop().await;
    edge.drain(shutdown::GRACE).await;
    origin.drain(shutdown::GRACE).await;
    Ok(ExitCode::SUCCESS)
}

/// Where the listeners are.
struct Addresses {
    origin: SocketAddr,
    edge: SocketAddr,
    edge_admin: SocketAddr,
    /// None where it is switched off.
    origin_admin: Option<SocketAddr>,
}

impl Addresses {
    /// The edge, its admin listener and the origin's take the next three ports unless they are set; admin stays on
    /// loopback.
    fn of(config: &Config) -> anyhow::Result<Self> {
        let (set, default) = (&config.edge, segue_edge::Config::default());
        let admin_default = segue_origin::Config::default().admin_listen;
        let asked = resolve(&config.up.listen)?;
        let mut claims = Claims::default();
        let origin = claims.claim(asked)?;
        let mut beside = |set: &str, default: &str, mut addr: SocketAddr, step: u16| {
            if set != default {
                return claims.claim(resolve(set)?);
            }
            let port = match asked.port() {
                0 => Some(0),
                port => port.checked_add(step),
            };
            addr.set_port(port.with_context(|| {
                format!(
                    "listen address {asked}: the next three ports are taken too; choose a port below 65533"
                )
            })?);
            claims.claim(addr)
        };
        let edge = beside(&set.listen, &default.listen, origin, 1)?;
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let edge_admin = beside(&set.admin_listen, &default.admin_listen, loopback, 2)?;
        let origin_admin = match config.origin.admin_listen.as_str() {
            "" => None,
            set => Some(beside(set, &admin_default, loopback, 3)?),
        };
        Ok(Self { origin, edge, edge_admin, origin_admin })
    }
}

fn resolve(text: &str) -> anyhow::Result<SocketAddr> {
    let place = || format!("listen address '{text}': expected HOST:PORT, as 127.0.0.1:8080");
    text.to_socket_addrs().with_context(place)?.next().with_context(place)
}

/// Ports that are held until all are chosen, so that no two are the same.
#[derive(Default)]
struct Claims(Vec<TcpListener>);

/// Where free ports are looked for: below those that the system gives to outgoing connections, or one of these could
/// take the port between this look and the start.
const FREE_PORTS: std::ops::Range<u16> = 16_384..32_768;
/// Ports that are tried before there is no free one.
const TRIES: usize = 100;

impl Claims {
    /// Says early, and with a remedy, when an address is taken; finds a free port where 0 was asked for.
    fn claim(&mut self, addr: SocketAddr) -> anyhow::Result<SocketAddr> {
        let bound = match addr.port() {
            0 => free(addr),
            _ => TcpListener::bind(addr),
        };
        let listener = bound.with_context(|| in_use(addr))?;
        let addr = listener.local_addr()?;
        self.0.push(listener);
        Ok(addr)
    }
}

fn free(mut addr: SocketAddr) -> io::Result<TcpListener> {
    let mut tries = 1..=TRIES;
    loop {
        addr.set_port(fastrand::u16(FREE_PORTS));
        match TcpListener::bind(addr) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries.next().is_some() => {}
            bound => return bound,
        }
    }
}

fn in_use(addr: SocketAddr) -> String {
    format!("cannot listen on {addr}; another program may: choose another address with --listen")
}

/// The tiers' configuration: as given, with what `up` decides put in.
fn tiers(
    config: &Config,
    data: &DataDir,
    at: &Addresses,
) -> anyhow::Result<(segue_origin::Config, segue_edge::Config)> {
    warn_of_unused(config);
    let own = |given: &str, name| if given.is_empty() { data.secret(name) } else { Ok(given.to_owned()) };
    let media_secret = own(&config.origin.media_secret, "media-secret")?;
    let mut origin = config.origin.clone();
    origin.listen = at.origin.to_string();
    origin.admin_listen = at.origin_admin.map(|addr| addr.to_string()).unwrap_or_default();
    (origin.tls_cert, origin.tls_key) = (String::new(), String::new());
    origin.store = data.store_url();
    if origin.database == segue_origin::Config::default().database {
        origin.database = data.file("catalog.db");
    }
    // Whoever sits at this machine needs no account to listen.
    origin.guests |= at.origin.ip().is_loopback();
    origin.keys_file = data.keys()?;
    origin.media_secret.clone_from(&media_secret);
    origin.admin_secret = own(&config.origin.admin_secret, "admin-secret")?;
    if origin.edges == segue_origin::Config::default().edges {
        let scheme = if config.edge.uses_tls() { "https" } else { "http" };
        origin.edges = vec![format!("{scheme}://{{host}}:{}", at.edge.port())];
    }
    let mut edge = config.edge.node.clone();
    origin.edge_admins = vec![format!("http://{}", reachable(at.edge_admin))];
    origin.edge_admin_secret = own(&config.edge.admin_secret, "admin-secret")?;
    let upstream = format!("http://{}", reachable(at.origin));
    edge.listen = at.edge.to_string();
    edge.admin_listen = at.edge_admin.to_string();
    edge.handover = String::new();
    edge.key_set_url = format!("{upstream}/.well-known/segue-keys.json");
    edge.upstreams = vec![upstream];
    edge.media_secret = media_secret;
    edge.admin_secret = own(&config.edge.admin_secret, "admin-secret")?;
    Ok((origin, edge))
}

/// Settings that `up` decides itself, since the tiers are on one machine.
fn warn_of_unused(config: &Config) {
    let (origin, edge) = (segue_origin::Config::default(), segue_edge::Config::default());
    let given = [
        ("origin.listen", config.origin.listen != origin.listen),
        ("origin.store", config.origin.store != origin.store),
        ("origin.tls_cert", config.origin.tls_cert != origin.tls_cert),
        ("origin.edge_admins", config.origin.edge_admins != origin.edge_admins),
        ("origin.keys_file", config.origin.keys_file != origin.keys_file),
        ("edge.upstreams", config.edge.upstreams != edge.upstreams),
        ("edge.key_set_url", config.edge.key_set_url != edge.key_set_url),
        ("edge.media_secret", !config.edge.media_secret.is_empty()),
        ("edge.handover", !config.edge.handover.is_empty()),
        ("edge.store", !config.edge.store.store.is_empty()),
    ];
    for (setting, _) in given.iter().filter(|(_, given)| *given) {
        tracing::warn!(setting, "`segue up` decides this setting itself; what was given is not used");
    }
}

/// An address of this machine that reaches a listener, also one on all interfaces.
fn reachable(mut addr: SocketAddr) -> SocketAddr {
    match addr.ip() {
        ip if !ip.is_unspecified() => {}
        ip if ip.is_ipv4() => addr.set_ip([127, 0, 0, 1].into()),
        _ => addr.set_ip(std::net::Ipv6Addr::LOCALHOST.into()),
    }
    addr
}

fn announce(up: &Up, addr: SocketAddr) {
    print(&format!("Segue is playing at  http://{}/\n", reachable(addr)));
    if up.music.is_empty() && !up.demo {
        print("Add your music with --music DIR, or hear the demo album with --demo.\n");
    }
    if addr.ip().is_loopback() {
        print(
            "Only this machine can reach it; --listen 0.0.0.0:8080 opens it to your network. Ctrl-C stops.\n",
        );
    }
}

/// Folders that must be there before anything starts: a typing error should not look like an empty library.
fn check_music(up: &Up, data: &DataDir) -> anyhow::Result<()> {
    for folder in &up.music {
        let place = || format!("music folder {folder}: cannot be read; give an existing folder to --music");
        let path = std::fs::canonicalize(folder).with_context(place)?;
        if !path.is_dir() {
            bail!("music folder {folder}: not a folder; `segue transcode` takes single files");
        }
        if data.holds(&path) {
            bail!("music folder {folder}: lies in the data folder; keep the two apart");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_are_none_of_outgoing_connections_and_differ() {
        let mut claims = Claims::default();
        let mut ports = std::collections::HashSet::new();
        for _ in 0..50 {
            let port = claims.claim(([127, 0, 0, 1], 0).into()).unwrap().port();
            assert!(FREE_PORTS.contains(&port) && ports.insert(port));
        }
        let taken = claims.0[0].local_addr().unwrap();
        let error = format!("{:#}", claims.claim(taken).unwrap_err());
        assert!(error.contains("--listen"), "{error}");
    }
}

//! Listening sockets that are open before this process begins: systemd's socket activation (sd_listen_fds(3)).

use std::net::TcpListener;

use anyhow::{Context as _, bail};
use listenfd::ListenFd;
use segue_edge::Listeners;

/// Names of the sockets, parted by colons.
const NAMES: &str = "LISTEN_FDNAMES";

/// The sockets that were given to this process; none if it was started otherwise. Takes names out of the environment: call
/// it before there are threads.
pub(crate) fn listeners() -> anyhow::Result<Listeners> {
    let names = std::env::var(NAMES).unwrap_or_default();
    let mut given = ListenFd::from_env();
    let mut all = Vec::new();
    for place in 0..given.len() {
        let name = name(&names, place);
        let taken = given.take_tcp_listener(place);
        let listener =
            taken.with_context(|| format!("the socket '{name}' that was given is no TCP listener"))?;
        all.extend(listener.map(|listener| (name, listener)));
    }
    sort(all)
}

/// What a socket is called; without any names all are for players.
fn name(names: &str, place: usize) -> &str {
    if names.is_empty() { "listen" } else { names.split(':').nth(place).unwrap_or_default() }
}

fn sort(all: Vec<(&str, TcpListener)>) -> anyhow::Result<Listeners> {
    let mut listeners = Listeners::default();
    for (name, listener) in all {
        match name {
            "listen" => listeners.public.push(listener),
            "admin" => listeners.admin.push(listener),
            other => bail!(
                "a socket was given under the name '{other}'; set FileDescriptorName= of its unit to listen or admin"
            ),
        }
    }
    Ok(listeners)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_told_apart_by_their_names() {
        let all = |names: &'static str, count: usize| {
            let listen = |place| (name(names, place), TcpListener::bind("127.0.0.1:0").unwrap());
            sort((0..count).map(listen).collect())
        };
        let sorted = all("listen:admin:listen", 3).unwrap();
        assert_eq!((sorted.public.len(), sorted.admin.len()), (2, 1));
        assert_eq!(all("", 2).unwrap().public.len(), 2);
        for wrong in ["segue-edge.socket", "listen:", "listen"] {
            let error = all(wrong, 2).err().unwrap().to_string();
            assert!(error.contains("FileDescriptorName"), "{error}");
        }
    }
}

//! Listening sockets: one for each worker on the same port, so that the kernel spreads connections.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};

use socket2::{Domain, Protocol, Socket, Type};

const BACKLOG: i32 = 4096;

/// Opens `count` listeners on one address; port 0 picks a free port for all of them.
///
/// # Errors
/// When the address cannot be resolved or is taken.
pub(crate) fn listeners(address: &str, count: usize) -> io::Result<Vec<TcpListener>> {
    let wanted = resolve(address)?;
    if wanted.port() != 0 && count > 1 {
        // SO_REUSEPORT would silently share the port with another edge of the same user.
        drop(listen(wanted, false)?);
    }
    let first = listen(wanted, count > 1)?;
    let bound = first.local_addr()?;
    let mut all = vec![first];
    for _ in 1..count {
        all.push(listen(bound, true)?);
    }
    Ok(all)
}

/// Whether a socket that was opened before listens on that address.
///
/// # Errors
/// When the address cannot be resolved.
pub(super) fn listens_on(listener: &TcpListener, address: &str) -> io::Result<bool> {
    let (wanted, found) = (resolve(address)?, listener.local_addr()?);
    Ok(found.ip() == wanted.ip() && (wanted.port() == 0 || wanted.port() == found.port()))
}

/// Deals listeners out to workers: none is left over, since a connection may wait in each, and no worker is without one.
///
/// # Errors
/// When too many files are open.
pub(super) fn deal(all: Vec<TcpListener>, workers: usize) -> io::Result<Vec<Vec<TcpListener>>> {
    let mut dealt: Vec<Vec<TcpListener>> = (0..workers).map(|_| Vec::new()).collect();
    for number in all.len()..workers {
        dealt[number].push(all[number % all.len()].try_clone()?);
    }
    for (number, listener) in all.into_iter().enumerate() {
        dealt[number % workers].push(listener);
    }
    Ok(dealt)
}

fn resolve(address: &str) -> io::Result<SocketAddr> {
    let none = || io::Error::new(io::ErrorKind::InvalidInput, "not an address; write host:port");
    address.to_socket_addrs()?.next().ok_or_else(none)
}

fn listen(address: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if shared {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_worker_has_a_listener_and_every_listener_a_worker() {
        for (listeners, workers) in [(1, 1), (1, 3), (2, 3), (3, 3), (5, 3), (7, 2)] {
            let all: Vec<_> = (0..listeners).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
            let wanted: std::collections::BTreeSet<_> =
                all.iter().map(|it| it.local_addr().unwrap()).collect();
            let dealt = deal(all, workers).unwrap();
            assert!(dealt.len() == workers && dealt.iter().all(|some| !some.is_empty()));
            let found = dealt.iter().flatten().map(|it| it.local_addr().unwrap()).collect();
            assert_eq!(wanted, found);
        }
    }

    #[test]
    fn a_socket_is_known_by_its_address() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert!(listens_on(&listener, &address.to_string()).unwrap());
        assert!(listens_on(&listener, "127.0.0.1:0").unwrap());
        assert!(
            !listens_on(&listener, "0.0.0.0:0").unwrap() && !listens_on(&listener, "127.0.0.1:1").unwrap()
        );
    }

    #[test]
    fn one_port_for_all() {
        let all = listeners("127.0.0.1:0", 3).unwrap();
        let addresses: Vec<_> = all.iter().map(|listener| listener.local_addr().unwrap()).collect();
        assert!(addresses.iter().all(|address| *address == addresses[0]));
        let again = listeners(&addresses[0].to_string(), 2).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AddrInUse);
    }
}

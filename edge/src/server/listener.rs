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
    fn one_port_for_all() {
        let all = listeners("127.0.0.1:0", 3).unwrap();
        let addresses: Vec<_> = all.iter().map(|listener| listener.local_addr().unwrap()).collect();
        assert!(addresses.iter().all(|address| *address == addresses[0]));
        let again = listeners(&addresses[0].to_string(), 2).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AddrInUse);
    }
}

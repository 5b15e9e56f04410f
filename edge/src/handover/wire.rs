//! What two processes say to one another over the Unix socket: listening sockets, some at a time, and a few words.
//!
//! ```text
//!   new                         old
//!    | -- greeting -------------> |   checks whose process it is
//!    | <- sockets for players --- |
//!    | <- sockets for admins ---- |
//!    | <- nothing more ---------- |
//!    |   gets ready               |   serves on; if the new one ends here, for good
//!    | -- ready ----------------> |
//!    | <- heard ----------------- |   stops accepting, drains
//!    |   takes connections
//! ```

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::net::sockopt::socket_acceptconn;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use tokio::io::Interest;
use tokio::net::UnixStream;

use super::Listeners;

/// What a new process says first: name and version of what follows.
pub(super) const GREETING: &[u8; 8] = b"segue 1\n";
/// The new process is ready to serve.
pub(super) const READY: &[u8; 1] = b"R";
/// The old one knows, and takes no connections any more.
pub(super) const HEARD: &[u8; 1] = b"H";
/// Most sockets of one message; the kernel takes 253.
const AT_ONCE: usize = 64;
/// Most sockets that are taken altogether: one for each worker, of which there are 1024 at most, and one for admins.
const MOST: usize = 1025;

const PUBLIC: u8 = b'P';
const ADMIN: u8 = b'A';
const END: u8 = b'E';

/// Sends all of them.
///
/// # Errors
/// When the other side is gone.
pub(super) async fn send(stream: &UnixStream, listeners: &Listeners) -> io::Result<()> {
    for (kind, all) in [(PUBLIC, &listeners.public), (ADMIN, &listeners.admin)] {
        for some in all.chunks(AT_ONCE) {
            let fds: Vec<BorrowedFd<'_>> = some.iter().map(TcpListener::as_fd).collect();
            send_one(stream, kind, &fds).await?;
        }
    }
    send_one(stream, END, &[]).await
}

async fn send_one(stream: &UnixStream, kind: u8, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    stream
        .async_io(Interest::WRITABLE, || {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(AT_ONCE))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            // One byte goes as a whole or not at all.
            Ok(sendmsg(stream, &[IoSlice::new(&[kind])], &mut control, SendFlags::NOSIGNAL)?)
        })
        .await
        .map(drop)
}

/// Takes what [`send`] sent.
///
/// # Errors
/// When the other side is gone, or what it sends is not that.
pub(super) async fn receive(stream: &UnixStream) -> io::Result<Listeners> {
    let mut listeners = Listeners::default();
    loop {
        let (kind, fds) = stream.async_io(Interest::READABLE, || receive_one(stream)).await?;
        let into = match kind {
            PUBLIC => &mut listeners.public,
            ADMIN => &mut listeners.admin,
            END => return Ok(listeners),
            _ => return Err(invalid("what it says is not understood; it may be of another version")),
        };
        for fd in fds {
            into.push(listener(fd)?);
        }
        if listeners.public.len() + listeners.admin.len() > MOST {
            return Err(invalid("it sends more sockets than any edge has"));
        }
    }
}

fn receive_one(stream: &UnixStream) -> io::Result<(u8, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(AT_ONCE))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut kind = [0];
    let received = recvmsg(stream, &mut [IoSliceMut::new(&mut kind)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(some) = message {
            fds.extend(some);
        }
    }
    if received.flags.contains(ReturnFlags::CTRUNC) {
        return Err(invalid("sockets were lost on the way; too many files may be open (LimitNOFILE)"));
    }
    match received.bytes {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok((kind[0], fds)),
    }
}

/// A socket that came, if it is one that listens.
fn listener(fd: OwnedFd) -> io::Result<TcpListener> {
    if !socket_acceptconn(&fd)? {
        return Err(invalid("it sends a socket that does not listen"));
    }
    let listener = TcpListener::from(fd);
    // A Unix socket has no such address.
    listener.local_addr()?;
    Ok(listener)
}

fn invalid(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt as _;

    fn listen() -> TcpListener {
        TcpListener::bind("127.0.0.1:0").unwrap()
    }

    #[tokio::test]
    async fn sockets_arrive_as_they_left_however_many() {
        let (one, other) = UnixStream::pair().unwrap();
        let public: Vec<_> = (0..AT_ONCE + 3).map(|_| listen()).collect();
        let sent = Listeners { public, admin: vec![listen()] };
        let (all, came) = tokio::join!(send(&one, &sent), receive(&other));
        all.unwrap();
        let came = came.unwrap();
        let addresses =
            |all: &[TcpListener]| all.iter().map(|it| it.local_addr().unwrap()).collect::<Vec<_>>();
        assert_eq!(addresses(&came.public), addresses(&sent.public));
        assert_eq!(addresses(&came.admin), addresses(&sent.admin));
    }

    #[tokio::test]
    async fn whoever_breaks_off_or_sends_something_else_is_told() {
        let (one, other) = UnixStream::pair().unwrap();
        send_one(&one, PUBLIC, &[listen().as_fd()]).await.unwrap();
        drop(one);
        assert_eq!(receive(&other).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let (mut one, other) = UnixStream::pair().unwrap();
        one.write_all(b"HTTP/1.1 400").await.unwrap();
        assert_eq!(receive(&other).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
        let (one, other) = UnixStream::pair().unwrap();
        send_one(&one, PUBLIC, &[one.as_fd()]).await.unwrap();
        assert!(receive(&other).await.is_err(), "a socket that does not listen");
        let (one, other) = UnixStream::pair().unwrap();
        let unix =
            std::os::unix::net::UnixListener::bind(tempfile::tempdir().unwrap().path().join("s")).unwrap();
        send_one(&one, PUBLIC, &[unix.as_fd()]).await.unwrap();
        assert!(receive(&other).await.is_err(), "a socket that is not TCP");
    }
}

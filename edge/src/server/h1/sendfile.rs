//! Large hits over plain TCP: the kernel takes the body out of a sealed file, without a copy.

use std::task::{Poll, ready};

use rustix::fs::sendfile;
use rustix::net::{SendFlags, send as send_bytes};

use super::outbox::{Gone, until_sent};
use crate::cache::SealedBody;
use crate::server::roster::Member;
use crate::server::wire::Wire;
use crate::server::worker::Worker;

/// Sends a head and the body of `length` bytes behind it; says how many bytes of it were left when it ended.
pub(super) async fn send<W: Wire>(
    worker: &Worker,
    wire: &W,
    member: &Member,
    mut head: &[u8],
    body: &SealedBody,
    length: usize,
) -> (Result<(), Gone>, usize) {
    let mut left = length;
    let mut offset = 0;
    let outcome = until_sent(worker, member, |cx| {
        let Some(stream) = wire.plain() else { return Poll::Ready(Err(Gone)) };
        while !head.is_empty() {
            // The head waits for the first bytes of the body, so that both leave in one packet.
            let sent = stream
                .poll_send(cx, |socket| Ok(send_bytes(socket, head, SendFlags::MORE | SendFlags::NOSIGNAL)?));
            head = match ready!(sent) {
                Ok(0) | Err(_) => return Poll::Ready(Err(Gone)),
                Ok(count) => &head[count..],
            };
        }
        while left > 0 {
            match ready!(stream.poll_send(cx, |socket| Ok(sendfile(
                socket,
                &body.file,
                Some(&mut offset),
                left
            )?))) {
                Ok(0) | Err(_) => return Poll::Ready(Err(Gone)),
                Ok(count) => left -= count,
            }
        }
        Poll::Ready(Ok(()))
    })
    .await;
    (outcome, left)
}

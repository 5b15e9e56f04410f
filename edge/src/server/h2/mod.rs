//! HTTP/2 by hand (RFC 9113), for the same reason as HTTP/1.1: a hit is answered without a map of fields, a task or a copy of
//! the object, and the frames of all streams leave in full TLS records. All other requests take the
//! [`pipeline`](crate::pipeline)'s long way from here. A connection is one future; it is read only as fast as its answers go
//! out.

mod bell;
mod connection;
mod head;
mod inflow;
mod outbox;
mod past;
mod patience;
mod receive;
mod request;
mod send;
mod stream;
#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::sync::Arc;

use super::ending::{linger, shut};
use super::inbox::Inbox;
use super::roster::{Member, Order};
use super::wire::Wire;
use super::worker::Worker;

use connection::{Connection, End};
pub(crate) use inflow::Inflow;

/// Serves requests until the connection ends. `inbox`: what came before.
pub(super) async fn serve<W: Wire>(worker: Arc<Worker>, mut wire: W, member: Member, inbox: Inbox) {
    let mut connection = Connection::new(worker.clone(), member.activity().clone(), inbox);
    let end = loop {
        let order = tokio::select! {
            biased;
            end = poll_fn(|cx| connection.poll(&mut wire, cx)) => break end,
            order = member.told(&worker) => order,
        };
        match order {
            Order::Drop => break End::Gone,
            // It was asked to close one tick ago, or more.
            Order::Idle if connection.leaves() => break End::Closing,
            Order::Idle | Order::Drain => connection.leave(),
            Order::Nothing => {}
        }
    };
    drop(connection);
    match end {
        End::Gone => {}
        End::Closing => shut(&mut wire).await,
        End::Failed => {
            shut(&mut wire).await;
            linger(&mut wire).await;
        }
    }
}

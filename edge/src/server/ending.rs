//! The end of a connection, in due form.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

use super::wire::Wire;

/// What a client may still send after it was refused, bytes, and for how long: a reset would take the answer away.
const LINGER_BYTES: u64 = 256 << 10;
const LINGER: Duration = Duration::from_secs(1);

/// Tells the client that nothing more comes.
pub(super) async fn shut<W: Wire>(wire: &mut W) {
    let _ = timeout(LINGER, poll_fn(|cx| Pin::new(&mut *wire).poll_shutdown(cx))).await;
}

/// Lets a client that was refused hear why.
pub(super) async fn linger<W: Wire>(wire: &mut W) {
    let mut rest = wire.take(LINGER_BYTES);
    let _ = timeout(LINGER, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
}

//! Who may fetch: the public signing keys, polled from the origin, and tokens that were checked before.

mod kept;
mod keys;
mod poll;
mod verdicts;

pub(crate) use kept::Kept;
pub(crate) use keys::KeyRing;
pub(crate) use poll::Poller;
pub(crate) use verdicts::{Verdict, Verdicts};

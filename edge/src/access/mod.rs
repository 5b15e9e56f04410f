//! Who may fetch: the public signing keys, polled from the origin, tokens that were checked before, what was revoked, and
//! who forges.

mod file;
mod forgeries;
mod kept;
mod keys;
mod poll;
mod revoked;
mod verdicts;

pub(crate) use forgeries::Forgeries;
pub(crate) use kept::Kept;
pub(crate) use keys::KeyRing;
pub(crate) use poll::Poller;
pub(crate) use revoked::{Full, Names, Revoked, TokenId};
pub(crate) use verdicts::{Verdict, Verdicts};

//! What is kept: objects with their freshness, the memory that holds them, and purging.

mod depot;
mod head;
mod object;
mod policy;
mod purge;
mod sketch;
mod sliced;
mod status;
mod store;
mod variants;

pub(crate) use depot::{Depot, SealedBody};
pub(crate) use head::Head;
pub(crate) use object::{Freshness, Gzip, Object, Prepared};
pub(crate) use policy::Context;
pub(crate) use purge::Purge;
pub(crate) use sliced::Sliced;
pub(crate) use status::CacheStatus;
pub(crate) use store::{Entry, Store};
pub(crate) use variants::Varying;
pub(crate) use variants::{Variant, resource};

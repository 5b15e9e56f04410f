//! Fetching what is not in memory: one fill for each object, however many wait.
//!
//! A fill is a task of its own, so that it outlives the client that caused it. It writes into an [`InFlight`]: an
//! append-only buffer that any number of [`Waiter`]s read while it grows. Whatever happens to the fill, even a
//! panic, its waiters are woken.

mod fault;
mod in_flight;
mod reader;
mod receive;
mod resume;
mod slice;
mod slices;
mod table;
mod task;

pub(crate) use fault::Fault;
pub(crate) use in_flight::{Begun, Waiter};
pub(crate) use reader::{PassBody, Reader};
pub(crate) use slices::{Came, SliceReader};
pub(crate) use table::{Role, Table};
pub(crate) use task::{Job, pass_through, place, read_head, spawn};

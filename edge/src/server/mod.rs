//! Sockets, threads and connections: everything below a request.

mod activity;
mod connection;
mod gate;
mod h1;
mod listener;
mod roster;
mod running;
mod stream;
mod worker;

pub(crate) use activity::{Activity, InFlightRequest};
pub(crate) use running::Phase;
pub use running::{Running, StartError, start};
pub(crate) use worker::Worker;

//! Sockets, threads and connections: everything below a request.

mod activity;
mod connection;
mod date;
mod ending;
mod gate;
mod h1;
mod h2;
mod inbox;
mod listener;
mod proxy_header;
mod roster;
mod running;
mod stream;
mod wire;
mod worker;

pub(crate) use activity::{Activity, InFlightRequest};
pub(crate) use h2::Inflow;
pub(crate) use running::Phase;
pub use running::{Running, StartError, start, start_on};
pub(crate) use worker::Worker;

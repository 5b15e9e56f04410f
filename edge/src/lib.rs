//! Edge of Segue: verifies tokens and serves hot segments from memory.
//!
//! The edge knows paths, tokens and bytes, never songs. A request takes six steps, one function each, in the
//! [`pipeline`]:
//!
//! ```text
//! route -> verify -> lookup -> fill -> respond -> record
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`pipeline`] | the six steps |
//! | [`cache`] | objects, freshness, memory, purging |
//! | [`fill`] | one fetch for each object, streamed to everyone who waits |
//! | [`load`] | how much is under way, and when more is refused |
//! | [`upstream`] | where objects come from |
//! | [`prefetch`] | what is fetched before it is asked for |
//! | [`address`] | whom connections and requests come from, with proxies in front |
//! | [`access`] | signing keys and tokens that were checked before |
//! | [`server`] | sockets, threads, connections, limits, drain |
//! | [`tls`] | certificates and session tickets |
//! | [`reload`] | what a new configuration changes while the edge runs |
//! | [`trace`] | trace context and spans |
//! | [`admin`] | health, metrics, purge |
//! | [`handover`] | the listening sockets go to the next process |
//! | [`semantics`] | HTTP's rules as pure functions |
//!
//! `README.md` beside this crate has the picture.
#![forbid(unsafe_code)]
#![allow(rustdoc::private_intra_doc_links)]

mod access;
mod address;
mod admin;
mod backlog;
mod body;
mod cache;
mod clock;
mod config;
mod content;
mod cors;
mod edge;
mod fill;
mod handover;
mod load;
mod metrics;
mod pipeline;
mod prefetch;
mod problem;
mod reload;
mod secret;
pub mod semantics;
mod server;
mod tls;
mod trace;
mod upstream;

pub use config::Config;
pub use handover::Listeners;
pub use reload::{Change, ReloadError, Reloaded, pending};
pub use server::{Running, StartError, start, start_on};

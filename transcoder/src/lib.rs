//! Transcoder of Segue: decode, encode, fragment and publish music as HLS/CMAF.
//!
//! [`Ingest`] is the whole path; the modules are its steps. A file goes `source` (what is it, its sound) ->
//! `package` (encoders and fragments, all renditions at once) -> `publish` (objects, the descriptor last).

pub mod cmaf;
mod config;
mod cpu;
pub mod demo;
pub mod encode;
mod ingest;
mod journal;
mod package;
mod panics;
mod publish;
mod scratch;
pub mod source;

pub use config::Config;
pub use ingest::{Event, Failure, Ingest, StopHandle, Summary};

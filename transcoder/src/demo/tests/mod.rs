//! The album as a whole: how it sounds, that it is the same every time, and what lies on disk.

mod files;
mod ingest;
mod listen;
mod sound;

pub(crate) use listen::{energy, peak, rms};

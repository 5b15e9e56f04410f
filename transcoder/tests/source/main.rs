//! The source side against real files: lengths and samples, tags, bad input, and bytes that nobody meant as music.
//!
//! Lossy and compressed sources are made by ffmpeg, which the test command installs.

#![allow(clippy::unwrap_used)] // Helpers of tests are not seen as tests.

mod bad_input;
mod exact;
mod fixtures;
mod he_aac;
mod identity;
mod properties;
mod surround;

//! Segue, the open music-streaming CDN, in one binary: every role, and `up`, which is all of them on one machine.
#![forbid(unsafe_code)]

mod cli;
mod commands;
mod config;
mod progress;
mod secrets;
mod settings;
mod shutdown;
mod telemetry;
mod up;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let matches = cli::command().get_matches();
    match commands::run(&matches) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("segue: {error:#}");
            ExitCode::FAILURE
        }
    }
}

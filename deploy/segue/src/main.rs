//! Segue, the open music-streaming CDN, in one binary: every role, and `up`, which is all of them on one machine.
#![forbid(unsafe_code)]

mod activation;
mod cli;
mod commands;
mod config;
mod fallback;
mod progress;
mod secrets;
mod settings;
mod shutdown;
mod telemetry;
mod up;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// An error with its causes, each said once: many a library's text already holds that of its cause.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.contains(&cause) {
            text = if text.is_empty() { cause } else { format!("{text}: {cause}") };
        }
    }
    text
}

fn main() -> ExitCode {
    let matches = cli::command().get_matches();
    match commands::run(&matches) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("segue: {}", chain(&error));
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_said_once() {
        let cause = anyhow::anyhow!("no such file");
        let error = cause.context("cannot read a.pem: no such file").context("starting the edge");
        assert_eq!(chain(&error), "starting the edge: cannot read a.pem: no such file");
    }
}

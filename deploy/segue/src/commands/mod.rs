//! One file per subcommand.

mod edge;
mod origin;
mod token;
mod transcode;

use std::future::Future;
use std::process::ExitCode;

use clap::ArgMatches;

use crate::config::{Config, SAMPLE};
use crate::{activation, settings, telemetry, up};

/// Runs the chosen subcommand.
pub(crate) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    match matches.subcommand() {
        Some(("up", args)) => block_on(up::run(configured(args)?)),
        Some(("origin", args)) => block_on(origin::run(configured(args)?)),
        Some(("edge", args)) => {
            let given = activation::listeners()?;
            block_on(edge::run(configured(args)?, args, given))
        }
        Some(("transcode", args)) => {
            block_on(transcode::run(configured(args)?, transcode::Options::of(args)))
        }
        Some(("token", args)) => token::run(args),
        _ => {
            print(SAMPLE);
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The configuration after all layers, and after names that are not Segue's own.
fn read(args: &ArgMatches) -> anyhow::Result<Config> {
    let mut config = settings::load(args)?;
    if config.edge.otlp_endpoint.is_empty() {
        config.edge.otlp_endpoint = std::env::var(telemetry::OTLP_ENDPOINT).unwrap_or_default();
    }
    Ok(config)
}

fn configured(args: &ArgMatches) -> anyhow::Result<Config> {
    let config = read(args)?;
    telemetry::start(&config.log)?;
    for name in settings::unknown_names(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok())) {
        tracing::warn!(name, "the environment has a name that is no setting; `segue config` lists them");
    }
    Ok(config)
}

fn block_on(future: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(future);
    // Encoders on blocking threads end at their next check; the process does not wait for them.
    runtime.shutdown_background();
    result
}

/// Standard output, the one place that writes to it. A closed pipe is not an error of ours.
pub(crate) fn print(text: &str) {
    use std::io::Write as _;
    let _ = std::io::stdout().write_all(text.as_bytes());
}

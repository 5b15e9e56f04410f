//! Logs: readable lines on standard error, or JSON for machines.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::config::Log;

/// What the AWS SDK warns of in pages of debug output, our own error says in a line. A filter that names it wins.
const QUIET: &str = "aws_config=error,aws_runtime=error";

/// OpenTelemetry's own name for where spans go; `edge.otlp_endpoint` wins.
pub(crate) const OTLP_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Starts logging for the process.
pub(crate) fn start(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(format!("{QUIET},{}", log.filter))
        .with_context(|| format!("log filter '{}'", log.filter))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if log.json {
        lines.json().init();
    } else {
        lines.with_ansi(std::io::stderr().is_terminal()).with_target(false).init();
    }
    Ok(())
}

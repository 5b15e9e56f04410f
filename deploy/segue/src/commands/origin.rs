//! `segue origin`

use std::process::ExitCode;

use anyhow::Context as _;

use crate::config::Config;
use crate::shutdown;

pub(crate) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let origin = segue_origin::start(config.origin).await.context("starting the origin")?;
    tracing::info!(origin.addr = %origin.addr(), "origin is serving");
    shutdown::requested().await?;
    tracing::info!("draining");
    origin.drain(shutdown::GRACE).await;
    Ok(ExitCode::SUCCESS)
}

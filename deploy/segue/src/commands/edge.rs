//! `segue edge`

use std::process::ExitCode;

use anyhow::Context as _;

use crate::config::Config;
use crate::shutdown;

pub(crate) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let edge = segue_edge::start(config.edge).await.context("starting the edge")?;
    tracing::info!(edge.addr = %edge.addr(), edge.admin_addr = %edge.admin_addr(), "edge is serving");
    shutdown::requested().await?;
    tracing::info!("draining");
    edge.drain(shutdown::GRACE).await;
    Ok(ExitCode::SUCCESS)
}

//! `segue edge`

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;

use crate::config::Config;
use crate::fallback::Fallback;
use crate::shutdown;

pub(crate) async fn run(mut config: Config) -> anyhow::Result<ExitCode> {
    let fallback = Fallback::start(&config.edge).await?;
    if let Some(fallback) = &fallback {
        fallback.join(&mut config.edge.node)?;
    }
    let edge = segue_edge::start(config.edge.node).await.context("starting the edge")?;
    tracing::info!(edge.addr = %edge.addr(), edge.admin_addr = %edge.admin_addr(), "edge is serving");
    shutdown::requested().await?;
    tracing::info!("draining");
    edge.drain(shutdown::GRACE).await;
    if let Some(fallback) = fallback {
        fallback.drain(Duration::ZERO).await;
    }
    Ok(ExitCode::SUCCESS)
}

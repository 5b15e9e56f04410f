//! `segue edge`

use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::ArgMatches;
use segue_edge::{Listeners, Running};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::fallback::Fallback;
use crate::{chain, shutdown};

/// Serves until it is told to stop, or another process serves in its place. SIGHUP makes it read its configuration again,
/// from the same layers. `given`: sockets to listen on.
pub(crate) async fn run(config: Config, args: &ArgMatches, given: Listeners) -> anyhow::Result<ExitCode> {
    // Whoever sends one before the edge serves must not end it.
    let mut hangups = signal(SignalKind::hangup())?;
    let fallback = Fallback::start(&config.edge).await?;
    let settings = joined(&config, fallback.as_ref())?;
    let edge = segue_edge::start_on(settings, given).await.context("starting the edge")?;
    tracing::info!(edge.addr = %edge.addr(), edge.admin_addr = %edge.admin_addr(), "edge is serving");
    let mut role = Role { config, fallback, edge };
    let mut stop = pin!(shutdown::requested());
    loop {
        tokio::select! {
            stopped = &mut stop => break stopped?,
            _ = hangups.recv() => role.reload(args),
            () = role.edge.handed_over() => {
                tracing::info!("another process serves in place of this one");
                break;
            }
        }
    }
    tracing::info!("draining");
    role.edge.drain(shutdown::GRACE).await;
    if let Some(fallback) = role.fallback {
        fallback.drain(Duration::ZERO).await;
    }
    Ok(ExitCode::SUCCESS)
}

/// The edge's settings, with object storage behind the other upstreams.
fn joined(config: &Config, fallback: Option<&Fallback>) -> anyhow::Result<segue_edge::Config> {
    let mut edge = config.edge.node.clone();
    fallback.map_or(Ok(()), |fallback| fallback.join(&mut edge))?;
    Ok(edge)
}

/// A running edge, and the configuration that is in force.
struct Role {
    config: Config,
    fallback: Option<Fallback>,
    edge: Running,
}

impl Role {
    /// Reads the configuration again, and takes it into use as a whole or not at all.
    fn reload(&mut self, args: &ArgMatches) {
        tracing::info!("reading the configuration again");
        match self.try_reload(args) {
            Ok(changes) if changes.is_empty() => tracing::info!("the configuration is as it was"),
            Ok(changes) => changes.iter().for_each(|change| tracing::info!("{change}")),
            Err(error) => {
                tracing::error!("the configuration is not taken, everything is as it was: {}", chain(&error));
            }
        }
    }

    /// Gives a line for each setting that changed.
    fn try_reload(&mut self, args: &ArgMatches) -> anyhow::Result<Vec<String>> {
        let config = super::read(args)?;
        let fallback = self.fallback.as_ref();
        let reloaded = match self.edge.reload(joined(&config, fallback)?) {
            Ok(reloaded) => reloaded,
            Err(error) => {
                // The store's endpoint has to know the secret from before.
                joined(&self.config, fallback)?;
                return Err(error.into());
            }
        };
        let edges = reloaded.changes.iter().map(|change| format!("edge.{change}"));
        let lines = edges.chain(pending(&self.config, &config)).collect();
        // What is pending is told at every reload, as the edge does it.
        let (store, log) = (self.config.edge.store.clone(), self.config.log.clone());
        self.config = config;
        (self.config.edge.store, self.config.log) = (store, log);
        Ok(lines)
    }
}

/// What is not the edge's own, and holds as long as the process runs.
fn pending(before: &Config, after: &Config) -> Vec<String> {
    let store = segue_edge::pending(&before.edge.store, &after.edge.store);
    let log = segue_edge::pending(&before.log, &after.log);
    let store = store.iter().map(|change| format!("edge.{change}"));
    store.chain(log.iter().map(|change| format!("log.{change}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_the_edges_own_needs_a_new_process() {
        let before = Config::default();
        assert!(pending(&before, &before).is_empty());
        let mut after = before.clone();
        after.edge.store.store = "s3://music?access=hush".into();
        after.edge.store.store_reads = 3;
        after.log.filter = "debug".into();
        assert_eq!(
            pending(&before, &after),
            [
                r#"edge.store: "" -> "s3://music?..." (needs a new process)"#,
                "edge.store_reads: 64 -> 3 (needs a new process)",
                r#"log.filter: "info" -> "debug" (needs a new process)"#,
            ]
        );
    }
}

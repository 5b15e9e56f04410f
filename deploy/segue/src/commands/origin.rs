//! `segue origin`

use std::process::ExitCode;

use anyhow::Context as _;

use crate::config::Config;
use crate::shutdown;

pub(crate) async fn run(mut config: Config) -> anyhow::Result<ExitCode> {
    take_common_names(&mut config.origin, |name| std::env::var(name).ok());
    let origin = segue_origin::start(config.origin).await.context("starting the origin")?;
    tracing::info!(origin.addr = %origin.addr(), "origin is serving");
    if let Some(admin) = origin.admin_addr() {
        tracing::info!(admin.addr = %admin, "health and metrics");
    }
    shutdown::requested().await?;
    tracing::info!("draining");
    origin.drain(shutdown::GRACE).await;
    Ok(ExitCode::SUCCESS)
}

/// Where no setting names a database or a Redis, the environment's usual names for them count. Other roles do not look at them: they
/// may be meant for another program.
fn take_common_names(config: &mut segue_origin::Config, env: impl Fn(&str) -> Option<String>) {
    let default = segue_origin::Config::default();
    if config.database == default.database
        && let Some(url) = env("DATABASE_URL")
    {
        config.database = url;
        if let Some(urls) = env("DATABASE_READ_URLS").filter(|_| config.database_replicas.is_empty()) {
            config.database_replicas = urls.split(',').map(|url| url.trim().to_owned()).collect();
        }
    }
    if config.redis.is_empty() {
        config.redis = env("REDIS_URL").unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_win_over_common_names() {
        let env = |name: &str| match name {
            "DATABASE_URL" => Some("postgres://a/b".to_owned()),
            "DATABASE_READ_URLS" => Some("postgres://c/b, postgres://d/b".to_owned()),
            "REDIS_URL" => Some("redis://a/1".to_owned()),
            _ => None,
        };
        let mut config = segue_origin::Config::default();
        take_common_names(&mut config, env);
        assert_eq!((config.database.as_str(), config.database_replicas.len()), ("postgres://a/b", 2));
        assert_eq!(config.redis, "redis://a/1");
        let mut config = segue_origin::Config {
            database: "own.db".into(),
            redis: "redis://b".into(),
            ..segue_origin::Config::default()
        };
        take_common_names(&mut config, env);
        assert_eq!((config.database.as_str(), config.database_replicas.len()), ("own.db", 0));
        assert_eq!(config.redis, "redis://b");
    }
}

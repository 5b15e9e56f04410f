//! `segue transcode`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::ArgMatches;
use segue_transcoder::{Ingest, Summary};

use crate::config::Config;
use crate::progress::Progress;
use crate::shutdown;

/// What the command line says beside the configuration.
pub(crate) struct Options {
    paths: Vec<PathBuf>,
    store: String,
    journal: Option<PathBuf>,
    json: bool,
    strict: bool,
}

impl Options {
    pub(crate) fn of(args: &ArgMatches) -> Self {
        Self {
            paths: args.get_many::<String>("paths").into_iter().flatten().map(PathBuf::from).collect(),
            store: args.get_one::<String>("to").cloned().unwrap_or_default(),
            journal: args.get_one::<String>("journal").map(PathBuf::from),
            json: args.get_flag("json"),
            strict: args.get_flag("strict"),
        }
    }
}

pub(crate) async fn run(config: Config, options: Options) -> anyhow::Result<ExitCode> {
    let store = segue_storage::open(&options.store)
        .await
        .with_context(|| format!("opening store {}", options.store))?;
    let ingest = Ingest::new(store, config.transcoder, options.journal);
    let progress = Progress::new(options.json);
    let stop = ingest.stop_handle();
    tokio::spawn(async move {
        if shutdown::requested().await.is_ok() {
            stop.stop();
        }
    });
    let summary = ingest.run(&options.paths, &|event| progress.event(&event)).await;
    progress.finish(&summary);
    Ok(if is_failure(&summary, options.strict) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A broken file is no failure of the run, unless asked or unless nothing else went well; ending early is one.
fn is_failure(summary: &Summary, strict: bool) -> bool {
    let nothing_succeeded = summary.published + summary.unchanged == 0;
    summary.stopped.is_some() || (!summary.failed.is_empty() && (strict || nothing_succeeded))
}

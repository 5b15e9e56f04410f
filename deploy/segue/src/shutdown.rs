//! The end of a server's life: SIGTERM or Ctrl-C, then a drain.

use std::time::Duration;

/// How long transfers under way may take to finish.
pub(crate) const GRACE: Duration = Duration::from_secs(20);

/// Waits for SIGTERM or Ctrl-C. A second one ends the process at once.
pub(crate) async fn requested() -> anyhow::Result<()> {
    one_signal().await?;
    tokio::spawn(async {
        if one_signal().await.is_ok() {
            eprintln!("segue: stopped without drain");
            std::process::exit(130);
        }
    });
    Ok(())
}

async fn one_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

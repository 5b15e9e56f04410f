//! Watches music folders and says when they have been quiet after a change.

use std::path::PathBuf;
use std::time::Duration;

use notify::{Event, EventKind, RecursiveMode, Watcher};
use tokio::sync::mpsc;

/// A copy in progress writes again and again; a folder counts as changed when nothing more came for this long.
const QUIET: Duration = Duration::from_secs(2);

/// Changes in the watched folders.
pub(super) struct Watch {
    changes: mpsc::Receiver<()>,
    _watcher: Box<dyn Watcher + Send>,
}

impl Watch {
    /// Watches these folders; where the system cannot notify, they are polled.
    pub(super) fn new(folders: &[PathBuf]) -> notify::Result<Self> {
        let (send, changes) = mpsc::channel(1);
        match start(notify::recommended_watcher(on_event(send.clone())), folders) {
            Ok(watcher) => Ok(Self { changes, _watcher: Box::new(watcher) }),
            Err(error) => {
                tracing::warn!(%error, "the system cannot watch the music folders; looking every 30 s instead");
                let poll = notify::Config::default().with_poll_interval(Duration::from_secs(30));
                let watcher = start(notify::PollWatcher::new(on_event(send), poll), folders)?;
                Ok(Self { changes, _watcher: Box::new(watcher) })
            }
        }
    }

    /// Returns after a change, once the folders have been quiet; `None` when watching has ended.
    pub(super) async fn changed(&mut self) -> Option<()> {
        self.changes.recv().await?;
        while tokio::time::timeout(QUIET, self.changes.recv()).await.is_ok() {}
        Some(())
    }
}

fn start<W: Watcher>(watcher: notify::Result<W>, folders: &[PathBuf]) -> notify::Result<W> {
    let mut watcher = watcher?;
    for folder in folders {
        watcher.watch(folder, RecursiveMode::Recursive)?;
    }
    Ok(watcher)
}

fn on_event(send: mpsc::Sender<()>) -> impl Fn(notify::Result<Event>) + Send + 'static {
    move |event| {
        let reads_only = matches!(&event, Ok(event) if matches!(event.kind, EventKind::Access(_)));
        if !reads_only {
            // A full channel already says that something changed.
            let _ = send.try_send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn additions_are_noticed_deep_down() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("a")).unwrap();
        let mut watch = Watch::new(&[dir.path().to_owned()]).unwrap();
        std::fs::write(dir.path().join("a/song.flac"), b"x").unwrap();
        watch.changed().await.unwrap();
    }
}

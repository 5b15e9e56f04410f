//! What a person, or a machine, sees of an ingest: a bar on a terminal, plain lines elsewhere, JSON when asked.

use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use segue_transcoder::{Event, Summary};

use crate::commands::print;

/// Plain output says how far it is at most this often.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

enum Face {
    Bar(ProgressBar),
    Plain(Mutex<Instant>),
    Json,
    /// Says what was published and what failed, nothing else.
    Quiet,
}

/// Shows an ingest's events.
pub(crate) struct Progress {
    face: Face,
    total: AtomicUsize,
    done: AtomicUsize,
}

impl Progress {
    /// JSON lines on standard output, or a bar, or plain lines where there is no terminal.
    pub(crate) fn new(json: bool) -> Self {
        match (json, std::io::stderr().is_terminal()) {
            (true, _) => Self::of(Face::Json),
            (_, true) => Self::of(Face::Bar(bar())),
            _ => Self::of(Face::Plain(Mutex::new(Instant::now()))),
        }
    }

    /// For small passes in the background.
    pub(crate) fn quiet() -> Self {
        Self::of(Face::Quiet)
    }

    fn of(face: Face) -> Self {
        Self { face, total: AtomicUsize::new(0), done: AtomicUsize::new(0) }
    }

    /// Shows one event.
    pub(crate) fn event(&self, event: &Event) {
        if let Face::Json = self.face {
            print(&format!("{}\n", serde_json::to_string(event).unwrap_or_default()));
            return;
        }
        match event {
            Event::Found { files } => self.found(*files),
            Event::Started { .. } => {}
            Event::Failed { path, place, reason, .. } => {
                self.line(&format!("failed     {}: {place}: {reason}", path.display()));
                self.step();
            }
            Event::Published { path, .. } => {
                if matches!(self.face, Face::Quiet) {
                    self.line(&format!("published  {}", path.display()));
                }
                self.step();
            }
            _ => self.step(),
        }
    }

    fn found(&self, files: usize) {
        self.total.store(files, Ordering::Relaxed);
        match &self.face {
            Face::Bar(bar) => bar.set_length(files as u64),
            Face::Plain(_) => {
                print(&format!("{files} {} found\n", if files == 1 { "file" } else { "files" }))
            }
            Face::Json | Face::Quiet => {}
        }
    }

    fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        match &self.face {
            Face::Bar(bar) => bar.inc(1),
            Face::Plain(last) => {
                let mut last = last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if last.elapsed() >= PLAIN_INTERVAL {
                    *last = Instant::now();
                    print(&format!("{done} of {} files\n", self.total.load(Ordering::Relaxed)));
                }
            }
            Face::Json | Face::Quiet => {}
        }
    }

    fn line(&self, text: &str) {
        match &self.face {
            Face::Bar(bar) => bar.println(text),
            _ => print(&format!("{text}\n")),
        }
    }

    /// Shows the summary table, after which nothing more comes.
    pub(crate) fn finish(&self, summary: &Summary) {
        match &self.face {
            Face::Json => print(&format!("{}\n", serde_json::json!({ "summary": summary }))),
            Face::Quiet => {}
            Face::Bar(bar) => {
                bar.finish_and_clear();
                print(&table(summary));
            }
            Face::Plain(_) => print(&table(summary)),
        }
    }
}

fn bar() -> ProgressBar {
    let style = "{bar:32.cyan/dim} {pos}/{len} files  {per_sec}  {eta} left  {wide_msg:.dim}";
    let style = ProgressStyle::with_template(style).expect("the template is valid").progress_chars("━╸─");
    let bar = ProgressBar::new(0).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn table(summary: &Summary) -> String {
    let minutes = summary.audio_seconds / 60.0;
    let counts = [
        ("published", summary.published),
        ("unchanged", summary.unchanged),
        ("duplicates", summary.duplicates),
        ("skipped", summary.skipped),
        ("failed", summary.failed.len()),
    ];
    let mut out = String::new();
    for (what, count) in counts {
        out += &format!("{what:<11}{count:>7}\n");
    }
    if summary.published > 0 {
        let speed = summary.audio_seconds / summary.wall_seconds.max(0.001);
        let cost = summary.cpu_seconds / minutes.max(0.001);
        out += &format!(
            "{minutes:.1} min of music in {:.1} s ({speed:.0} times real time), {cost:.2} s of CPU a minute of music\n",
            summary.wall_seconds
        );
    }
    for failure in &summary.failed {
        let remedy = failure.remedy.as_ref().map_or_else(String::new, |remedy| format!("; {remedy}"));
        out += &format!("  {}: {}: {}{remedy}\n", failure.path.display(), failure.place, failure.reason);
    }
    if let Some(reason) = &summary.stopped {
        out += &format!("Stopped early: {reason}. The next run goes on where this one ended.\n");
    }
    out
}

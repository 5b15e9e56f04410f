//! `kill -9` at any moment of an ingest: nothing half-published is visible, and the next run goes on.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod support;

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use support::{assert_whole, listing, music, segue};

fn transcode(music: &Path, store: &Path, journal: &Path) -> std::process::Child {
    segue()
        .arg("transcode")
        .arg(music)
        .arg("--to")
        .arg(store)
        .arg("--journal")
        .arg(journal)
        .args(["--json", "--strict"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn twenty_kills_then_a_clean_run_equal_an_undisturbed_ingest() {
    let dir = tempfile::tempdir().unwrap();
    let music = music(&dir.path().join("music"), 12, 3.0);
    let (calm, stormy) = (dir.path().join("calm"), dir.path().join("stormy"));
    let start = Instant::now();
    assert!(transcode(&music, &calm, &dir.path().join("j1")).wait().unwrap().success());
    let whole_run = start.elapsed();
    let journal = dir.path().join("j2");
    let mut partial = 0;
    for round in 0..20u32 {
        let mut child = transcode(&music, &stormy, &journal);
        // Moments spread over a run, in no order, by the golden ratio.
        let part = (f64::from(round) * 0.618_034 + 0.1) % 1.0;
        std::thread::sleep(Duration::from_secs_f64(whole_run.as_secs_f64() * part * 0.5));
        child.kill().unwrap();
        child.wait().unwrap();
        let seen = listing(&stormy);
        assert_whole(&seen);
        partial += u32::from(seen.len() < listing(&calm).len());
    }
    assert!(partial > 0, "some kills came before the end");
    assert!(transcode(&music, &stormy, &journal).wait().unwrap().success());
    assert_eq!(listing(&stormy).len(), listing(&calm).len());
    assert_eq!(listing(&stormy), listing(&calm), "every object is the same to the byte");
}

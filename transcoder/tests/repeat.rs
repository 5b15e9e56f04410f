//! The same music gives the same store, byte for byte.
#![allow(clippy::unwrap_used, reason = "test helpers outside of test functions")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::{Library, Sound};
use segue_manifests::ObjectKey;

fn tree(root: &Path, prefix: &str, out: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(root).unwrap().map(Result::unwrap) {
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        match entry.file_type().unwrap().is_dir() {
            true => tree(&entry.path(), &format!("{name}/"), out),
            false => drop(out.insert(name, fs::read(entry.path()).unwrap())),
        }
    }
}

fn objects(library: &Library) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    tree(library.store.path(), "", &mut all);
    all.retain(|path, _| ObjectKey::parse(path).is_some());
    all
}

fn fill(library: &Library) {
    library.add("album/01 Für Élise.wav", &Sound::music(44_100, 2, 60_000));
    library.add("album/02 長い名前.wav", &Sound::music(48_000, 1, 90_000));
    library.add("album/copy.wav", &Sound::music(44_100, 2, 60_000));
}

#[tokio::test]
async fn two_ingests_agree_to_the_byte() {
    let (one, other) = (Library::new(), Library::new());
    for library in [&one, &other] {
        fill(library);
        let (summary, _) = library.ingest().await;
        assert_eq!((summary.published, summary.duplicates, summary.failed.len()), (2, 1, 0));
    }
    let (a, b) = (objects(&one), objects(&other));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    assert!(a == b, "equal names, different bytes");
}

#[tokio::test]
async fn a_second_ingest_changes_nothing() {
    let library = Library::new();
    fill(&library);
    library.ingest().await;
    let before = objects(&library);
    let (summary, _) = library.ingest().await;
    assert_eq!((summary.published, summary.unchanged, summary.duplicates), (0, 2, 1));
    assert!(objects(&library) == before);
}

#[tokio::test]
async fn init_segments_are_shared_by_content() {
    let library = Library::new();
    library.add("a.wav", &Sound::music(44_100, 2, 20_000));
    library.add("b.wav", &Sound::music(44_100, 2, 30_000));
    library.add("c.wav", &Sound::music(44_100, 1, 30_000));
    library.ingest().await;
    let init = |path: &&String| path.starts_with("i/");
    assert_eq!(objects(&library).keys().filter(init).count(), 6, "three for stereo, three for mono");
}

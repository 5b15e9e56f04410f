use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use segue_manifests::{AssetId, ObjectKey, Sha256, Source, Tags};
use segue_storage::{Error, ErrorKind, Memory, Object, ObjectMeta, Payload, Storage};
use tempfile::TempDir;

use super::*;
use crate::package::PcmSource;
use crate::source::{Artwork, Identity, PcmSpec, SourceError};

/// Sources whose files are one line of text: what happens when they are read.
///
/// `sound <samples> <title>` is audio (the title is a tag and no part of the asset); `broken` fails at decoding,
/// `unknown` at reading, and `panic-reading` and `panic-decoding` do what they say.
#[derive(Debug, Default)]
struct Lines {
    identified: AtomicUsize,
    meeting: Option<Barrier>,
    on_open: Mutex<Option<StopHandle>>,
}

struct Sound {
    samples: usize,
    at: usize,
    broken: bool,
}

impl PcmSource for Sound {
    fn spec(&self) -> PcmSpec {
        PcmSpec { sample_rate: 44_100, channels: 2 }
    }

    fn next_chunk(&mut self) -> Result<Option<Vec<i16>>, SourceError> {
        if self.broken && self.at > 2000 {
            return Err(SourceError::new("test (frame 2)", "is damaged").with_remedy("copy it again"));
        }
        let end = self.samples.min(self.at + 1000);
        let chunk: Vec<i16> = (2 * self.at..2 * end).map(|n| ((n * n) % 20_011) as i16).collect();
        self.at = end;
        Ok((!chunk.is_empty()).then_some(chunk))
    }
}

fn words(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap().split(' ').map(str::to_owned).collect()
}

impl Sources for Lines {
    fn identify(&self, path: &Path) -> Result<Identity, SourceError> {
        self.identified.fetch_add(1, Ordering::Relaxed);
        let words = words(path);
        match words[0].as_str() {
            "panic-reading" => panic!("line {}", 1),
            "unknown" => return Err(SourceError::new("file", "is no audio that is known")),
            _ => {}
        }
        let mut asset = [0; 16];
        asset.copy_from_slice(&Sha256::of(words[..2].join(" ").as_bytes()).0[..16]);
        let artwork = Artwork { bytes: b"image".to_vec(), extension: "png", width: 1, height: 1 };
        Ok(Identity {
            asset: AssetId(asset),
            tags: Tags { title: words.get(2).cloned().unwrap_or_default(), ..Tags::default() },
            artwork: Some(artwork),
            source: Source::default(),
            pcm: PcmSpec { sample_rate: 44_100, channels: 2 },
        })
    }

    fn open(&self, path: &Path) -> Result<Box<dyn PcmSource>, SourceError> {
        if let Some(stop) = &*self.on_open.lock().unwrap() {
            stop.stop();
        }
        if let Some(meeting) = &self.meeting {
            meeting.wait();
        }
        let words = words(path);
        assert_ne!(words[0], "panic-decoding", "on purpose");
        Ok(Box::new(Sound { samples: words[1].parse().unwrap(), at: 0, broken: words[0] == "broken" }))
    }
}

/// A store whose n-th operation fails.
#[derive(Debug)]
struct FailsAt {
    inner: StorageRef,
    fails: u64,
    kind: ErrorKind,
    operations: AtomicU64,
}

impl FailsAt {
    fn new(inner: &StorageRef, fails: u64, kind: ErrorKind) -> Arc<Self> {
        Arc::new(Self { inner: Arc::clone(inner), fails, kind, operations: AtomicU64::new(0) })
    }

    fn count(&self, path: &str) -> Result<(), Error> {
        match self.operations.fetch_add(1, Ordering::Relaxed) == self.fails {
            true => Err(Error::new(self.kind, format!("test {path}"), "fails on purpose")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Storage for FailsAt {
    async fn put(&self, path: &str, payload: Payload, content_type: &str) -> Result<(), Error> {
        self.count(path)?;
        self.inner.put(path, payload, content_type).await
    }

    async fn get(&self, path: &str, range: Option<Range<u64>>) -> Result<Object, Error> {
        self.inner.get(path, range).await
    }

    async fn head(&self, path: &str) -> Result<ObjectMeta, Error> {
        self.count(path)?;
        self.inner.head(path).await
    }

    fn list(&self, prefix: &str) -> BoxStream<'static, Result<ObjectMeta, Error>> {
        self.inner.list(prefix)
    }

    async fn delete(&self, path: &str) -> Result<(), Error> {
        self.inner.delete(path).await
    }
}

struct Bench {
    music: TempDir,
    scratch: TempDir,
    store: StorageRef,
}

impl Bench {
    fn new(files: &[(&str, &str)]) -> Self {
        let music = tempfile::tempdir().unwrap();
        for (name, line) in files {
            let path = music.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, line).unwrap();
        }
        Self { music, scratch: tempfile::tempdir().unwrap(), store: Arc::new(Memory::new()) }
    }

    fn ingest(&self, store: StorageRef, sources: Lines, journal: bool) -> Ingest {
        let config = Config {
            jobs: 2,
            scratch: self.scratch.path().to_str().unwrap().to_owned(),
            ..Config::default()
        };
        let journal = journal.then(|| self.scratch.path().join("journal"));
        Ingest::with_sources(store, config, journal, Arc::new(sources))
    }

    async fn run(&self, ingest: &Ingest) -> (Summary, Vec<Event>) {
        let events = Mutex::new(Vec::new());
        let summary =
            ingest.run(&[self.music.path().to_owned()], &|event| events.lock().unwrap().push(event)).await;
        (summary, events.into_inner().unwrap())
    }

    /// One undisturbed run into this bench's store.
    async fn publish(&self) -> Summary {
        self.run(&self.ingest(Arc::clone(&self.store), Lines::default(), false)).await.0
    }

    fn scratch_is_empty(&self) -> bool {
        let mut names = fs::read_dir(self.scratch.path()).unwrap().map(|e| e.unwrap().file_name());
        names.all(|name| name == "journal")
    }
}

async fn listing(store: &StorageRef) -> BTreeMap<String, Sha256> {
    let metas: Vec<ObjectMeta> = store.list("").try_collect().await.unwrap();
    let digest = |meta: ObjectMeta| async move {
        let bytes = store.get(&meta.path, None).await.unwrap().bytes(u64::MAX).await.unwrap();
        (meta.path, Sha256::of(&bytes))
    };
    futures_util::stream::iter(metas).then(digest).collect().await
}

fn descriptors(listing: &BTreeMap<String, Sha256>) -> usize {
    listing.keys().filter(|path| path.ends_with("/asset.json")).count()
}

fn names(events: &[Event], pick: impl Fn(&Event) -> Option<&PathBuf>) -> Vec<String> {
    let mut names: Vec<_> =
        events.iter().filter_map(pick).map(|p| p.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn every_object_of_a_release_is_there_and_is_what_it_says() {
    let bench = Bench::new(&[("a.flac", "sound 90000 Hour")]);
    let summary = bench.publish().await;
    assert_eq!((summary.found, summary.published, summary.failed.len()), (1, 1, 0));
    assert!((summary.audio_seconds - 90_000.0 / 44_100.0).abs() < 1e-9);
    assert!(summary.cpu_seconds > 0.0 && summary.stopped.is_none());
    let listing = listing(&bench.store).await;
    let kinds: Vec<_> = listing.keys().map(|path| ObjectKey::parse(path).unwrap()).collect();
    let count = |kind: fn(&ObjectKey) -> bool| kinds.iter().filter(|object_key| kind(object_key)).count();
    assert_eq!(count(|k| matches!(k, ObjectKey::Init { .. })), 3);
    assert_eq!(count(|k| matches!(k, ObjectKey::Packed { .. })), 3);
    assert_eq!(count(|k| matches!(k, ObjectKey::StaticMedia { .. })), 3);
    assert_eq!(kinds.len(), 12, "and multivariant playlist, cover, descriptor");
    for (path, digest) in &listing {
        if let Some(ObjectKey::Init { sha256 }) = ObjectKey::parse(path) {
            assert_eq!(sha256, *digest);
        }
    }
    assert!(bench.scratch_is_empty());
}

#[tokio::test]
async fn publishing_twice_is_nothing() {
    for journal in [false, true] {
        let bench = Bench::new(&[("a.flac", "sound 5000 A"), ("b/c.flac", "sound 6000 C")]);
        let first = bench.ingest(Arc::clone(&bench.store), Lines::default(), journal);
        assert_eq!(bench.run(&first).await.0.published, 2);
        let before = listing(&bench.store).await;
        let counting = FailsAt::new(&bench.store, u64::MAX, ErrorKind::Other);
        let lines = Arc::new(Lines::default());
        let mut again = bench.ingest(counting.clone(), Lines::default(), journal);
        again.sources = lines.clone();
        let (summary, events) = bench.run(&again).await;
        assert_eq!((summary.published, summary.unchanged), (0, 2));
        assert_eq!(counting.operations.load(Ordering::Relaxed), 2, "one look for each descriptor");
        assert_eq!(lines.identified.load(Ordering::Relaxed), if journal { 0 } else { 2 });
        assert!(!events.iter().any(|event| matches!(event, Event::Started { .. })));
        assert_eq!(listing(&bench.store).await, before);
    }
}

#[tokio::test]
async fn the_journal_never_stands_for_the_store() {
    let bench = Bench::new(&[("a.flac", "sound 5000 A")]);
    let ingest = bench.ingest(Arc::clone(&bench.store), Lines::default(), true);
    assert_eq!(bench.run(&ingest).await.0.published, 1);
    let before = listing(&bench.store).await;
    let descriptor = before.keys().find(|path| path.ends_with("asset.json")).unwrap();
    bench.store.delete(descriptor).await.unwrap();
    assert_eq!(bench.run(&ingest).await.0.published, 1);
    assert_eq!(listing(&bench.store).await, before);
}

#[tokio::test]
async fn a_failure_at_any_operation_leaves_nothing_visible_and_the_next_run_completes() {
    let files = [("a.flac", "sound 3000 A")];
    let undisturbed = Bench::new(&files);
    let counting = FailsAt::new(&undisturbed.store, u64::MAX, ErrorKind::Other);
    undisturbed.run(&undisturbed.ingest(counting.clone(), Lines::default(), false)).await;
    let expected = listing(&undisturbed.store).await;
    let operations = counting.operations.load(Ordering::Relaxed);
    assert_eq!(operations, 1 + 3 * 2 + 3 + 3 + 1 + 1 + 1);
    for fails in 0..operations {
        let bench = Bench::new(&files);
        let failing = FailsAt::new(&bench.store, fails, ErrorKind::Other);
        let ingest = bench.ingest(failing, Lines::default(), true);
        let (summary, _) = bench.run(&ingest).await;
        assert_eq!((summary.published, summary.failed.len()), (0, 1), "operation {fails}");
        assert_eq!(summary.failed[0].place, summary.failed[0].place.trim());
        assert_eq!(descriptors(&listing(&bench.store).await), 0, "operation {fails}");
        assert!(bench.scratch_is_empty());
        assert_eq!(bench.run(&ingest).await.0.published, 1, "operation {fails}");
        assert_eq!(listing(&bench.store).await, expected, "operation {fails}");
    }
}

#[tokio::test]
async fn one_broken_file_never_stops_the_others() {
    let bench = Bench::new(&[
        ("1-broken.flac", "broken 9000 X"),
        ("2-good.flac", "sound 4000 A"),
        ("3-panic.flac", "panic-reading 1"),
        ("4-panic.flac", "panic-decoding 5 X"),
        ("5-unknown.flac", "unknown"),
        ("6-empty.flac", "sound 0 X"),
        ("7-good.flac", "sound 4001 B"),
    ]);
    let (summary, events) = bench.run(&bench.ingest(Arc::clone(&bench.store), Lines::default(), false)).await;
    assert_eq!((summary.found, summary.published, summary.failed.len()), (7, 2, 5));
    assert_eq!(summary.stopped, None);
    let report = |name: &str| {
        let failure = summary.failed.iter().find(|f| f.path.ends_with(name)).unwrap();
        (failure.place.as_str(), failure.reason.as_str(), failure.remedy.is_some())
    };
    assert_eq!(report("1-broken.flac"), ("test (frame 2)", "is damaged", true));
    assert_eq!(report("3-panic.flac"), ("reading", "crashed: line 1", true));
    assert_eq!(report("4-panic.flac").0, "decoding");
    assert_eq!(report("5-unknown.flac"), ("file", "is no audio that is known", false));
    assert_eq!(report("6-empty.flac"), ("source", "holds no audio", true));
    let ended = events.iter().filter(|e| !matches!(e, Event::Started { .. } | Event::Found { .. })).count();
    assert_eq!(ended, 7, "every file ends in one event");
    assert_eq!(descriptors(&listing(&bench.store).await), 2);
    assert!(bench.scratch_is_empty());
}

#[tokio::test]
async fn of_equal_files_the_first_always_wins() {
    let files =
        [("b.flac", "sound 5000 Second"), ("a.flac", "sound 5000 First"), ("c.flac", "sound 5000 Third")];
    for journal in [false, true] {
        let bench = Bench::new(&files);
        for round in 0..2 {
            let lines = Arc::new(Lines::default());
            let mut ingest = bench.ingest(Arc::clone(&bench.store), Lines::default(), journal);
            ingest.sources = lines.clone();
            let (summary, events) = bench.run(&ingest).await;
            assert_eq!((summary.published + summary.unchanged, summary.duplicates), (1, 2), "round {round}");
            let read = if journal && round == 1 { 0 } else { 3 };
            assert_eq!(lines.identified.load(Ordering::Relaxed), read, "the journal knows duplicates too");
            for event in &events {
                if let Event::Duplicate { of, .. } = event {
                    assert!(of.ends_with("a.flac"));
                }
            }
            assert_eq!(descriptors(&listing(&bench.store).await), 1);
        }
    }
}

#[tokio::test]
async fn a_duplicate_takes_the_place_of_a_file_that_went_away() {
    let bench = Bench::new(&[("a.flac", "sound 5000 First"), ("b.flac", "sound 5000 Second")]);
    let ingest = bench.ingest(Arc::clone(&bench.store), Lines::default(), true);
    assert_eq!(bench.run(&ingest).await.0.duplicates, 1);
    fs::remove_file(bench.music.path().join("a.flac")).unwrap();
    let (summary, _) = bench.run(&ingest).await;
    assert_eq!((summary.published, summary.duplicates), (1, 0));
    assert_eq!(descriptors(&listing(&bench.store).await), 2, "under its own tags");
}

#[tokio::test]
async fn new_tags_are_a_new_revision_of_the_same_asset() {
    let bench = Bench::new(&[("a.flac", "sound 5000 Before")]);
    bench.publish().await;
    fs::write(bench.music.path().join("a.flac"), "sound 5000 Afterwards").unwrap();
    bench.publish().await;
    let listing = listing(&bench.store).await;
    let releases: Vec<_> = listing.keys().filter_map(|path| path.strip_suffix("/asset.json")).collect();
    let [one, other] = releases[..] else { panic!("{releases:?}") };
    assert_eq!(one.split('/').nth(1), other.split('/').nth(1));
    assert_eq!(listing.keys().filter(|path| path.starts_with("i/")).count(), 3, "init segments are shared");
}

#[tokio::test]
async fn a_full_store_ends_the_batch_and_says_what_helps() {
    let files: Vec<_> =
        (0..40).map(|n| (format!("{n:02}.flac"), format!("sound {} A", 50_000 + n))).collect();
    let files: Vec<_> = files.iter().map(|(name, line)| (name.as_str(), line.as_str())).collect();
    let mut bench = Bench::new(&files);
    bench.store = Arc::new(Memory::with_capacity(300_000));
    let (summary, events) = bench.run(&bench.ingest(Arc::clone(&bench.store), Lines::default(), false)).await;
    assert!(summary.published >= 1 && !summary.failed.is_empty() && summary.skipped > 20);
    assert_eq!(summary.published + summary.failed.len() + summary.skipped, 40);
    assert!(summary.failed[0].remedy.as_ref().unwrap().contains("free space"));
    let why = summary.stopped.unwrap();
    assert!(why.starts_with("storage ("), "{why}");
    assert!(events.iter().any(|event| matches!(event, Event::Skipped { reason, .. } if *reason == why)));
    assert_eq!(descriptors(&listing(&bench.store).await), summary.published);
    assert!(bench.scratch_is_empty());
}

#[tokio::test]
async fn an_unreachable_store_ends_the_batch_too() {
    let bench = Bench::new(&[("a.flac", "sound 5000 A"), ("b.flac", "sound 5001 A")]);
    for kind in [ErrorKind::Unavailable, ErrorKind::Denied] {
        let failing = FailsAt::new(&bench.store, 0, kind);
        let (summary, _) = bench.run(&bench.ingest(failing, Lines::default(), false)).await;
        assert!(summary.stopped.is_some(), "{kind}");
        assert!(summary.failed[0].remedy.is_some());
    }
}

#[tokio::test]
async fn stopping_gives_up_what_is_under_way() {
    let bench =
        Bench::new(&[("a.flac", "sound 50000 A"), ("b.flac", "sound 50001 A"), ("c.flac", "sound 50002 A")]);
    let mut ingest = bench.ingest(Arc::clone(&bench.store), Lines::default(), false);
    ingest.sources = Arc::new(Lines { on_open: Mutex::new(Some(ingest.stop_handle())), ..Lines::default() });
    let (summary, events) = bench.run(&ingest).await;
    assert_eq!((summary.published, summary.skipped, summary.failed.len()), (0, 3, 0));
    assert_eq!(summary.stopped.as_deref(), Some("asked to stop"));
    assert_eq!(
        names(&events, |e| if let Event::Skipped { path, .. } = e { Some(path) } else { None }).len(),
        3
    );
    assert!(listing(&bench.store).await.is_empty() && bench.scratch_is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_run_at_the_same_time() {
    let bench = Bench::new(&[("a.flac", "sound 5000 A"), ("b.flac", "sound 5001 A")]);
    // Each waits for the other: they finish only when two are decoded at once.
    let sources = Lines { meeting: Some(Barrier::new(2)), ..Lines::default() };
    let (summary, _) = bench.run(&bench.ingest(Arc::clone(&bench.store), sources, false)).await;
    assert_eq!(summary.published, 2);
}

#[tokio::test]
async fn scratch_that_cannot_be_made_is_reported_once() {
    let mut bench = Bench::new(&[("a.flac", "sound 5000 A")]);
    let file = bench.music.path().join("occupied");
    fs::write(&file, "").unwrap();
    let config = Config { scratch: file.to_str().unwrap().to_owned(), ..Config::default() };
    bench.scratch = tempfile::tempdir().unwrap();
    let ingest = Ingest::with_sources(Arc::clone(&bench.store), config, None, Arc::new(Lines::default()));
    let (summary, _) = bench.run(&ingest).await;
    assert_eq!(summary.failed[0].place, "scratch");
    assert!(summary.stopped.is_some());
}

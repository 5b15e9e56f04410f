//! One suite for every backend: what [`segue_storage::Storage`] promises. Each backend is run bare and behind
//! the retry wrapper; with retries also while every tenth operation fails and every body breaks.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

mod support;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, future};
use segue_storage::testing::{Chaos, Faults};
use segue_storage::{
    ErrorKind, Folder, Memory, Payload, RetryPolicy, Retrying, S3Options, Storage, StorageRef,
};
use support::{S3Server, noise, paths, read};

const TYPE: &str = "application/octet-stream";

/// What the servers behind the backends differ in.
#[derive(Clone, Copy)]
struct Traits {
    /// Names of 255 bytes: the test's S3 server keeps its notes in files whose names are longer than ours.
    long_names: bool,
    /// Reading the beginning of another object's path: the test's S3 server fails on what is a folder to it.
    knows_folders: bool,
    /// The size from which the backend works differently.
    large: usize,
}

const FOLDER: Traits = Traits { long_names: true, knows_folders: true, large: 3 << 20 };
const MEMORY: Traits = Traits { long_names: true, knows_folders: true, large: 3 << 20 };
const S3: Traits = Traits { long_names: false, knows_folders: false, large: 11 << 20 };

fn patient(store: StorageRef) -> StorageRef {
    let policy = RetryPolicy {
        attempts: 12,
        first_pause: Duration::from_millis(1),
        max_pause: Duration::from_millis(5),
        ..RetryPolicy::default()
    };
    Arc::new(Retrying::new(store, policy))
}

fn flaky(store: StorageRef) -> StorageRef {
    let faults = Faults { error_rate: 0.1, cut_after: Some(600_000), ..Faults::default() };
    patient(Arc::new(Chaos::new(store, faults, 7)))
}

#[tokio::test]
async fn memory() {
    run_all(Arc::new(Memory::new()), MEMORY).await;
    run_all(patient(Arc::new(Memory::new())), MEMORY).await;
    run_all(flaky(Arc::new(Memory::new())), MEMORY).await;
}

#[tokio::test]
async fn folder() {
    let dir = tempfile::tempdir().unwrap();
    run_all(folder_at(&dir, "bare").await, FOLDER).await;
    run_all(patient(folder_at(&dir, "retrying").await), FOLDER).await;
    run_all(flaky(folder_at(&dir, "flaky").await), FOLDER).await;
}

async fn folder_at(dir: &tempfile::TempDir, name: &str) -> StorageRef {
    Arc::new(Folder::open(dir.path().join(name)).await.unwrap())
}

#[tokio::test]
async fn s3() {
    let server = S3Server::start().await;
    let options = S3Options { part_bytes: 5 << 20, ..server.options() };
    let store: StorageRef = Arc::new(segue_storage::S3::open(options).await.unwrap());
    run_all(store, S3).await;
    server.no_open_uploads().await;
}

#[tokio::test]
async fn s3_below_a_prefix_and_flaky() {
    let server = S3Server::start().await;
    let options = S3Options { prefix: "a/b".into(), part_bytes: 5 << 20, ..server.options() };
    let store: StorageRef = Arc::new(segue_storage::S3::open(options).await.unwrap());
    std::fs::write(server.bucket().join("outside"), "x").unwrap();
    run_all(flaky(store), S3).await;
    server.no_open_uploads().await;
}

async fn run_all(store: StorageRef, traits: Traits) {
    let store = &*store;
    writes_and_reads(store).await;
    replaces_in_one_step(store).await;
    ranges(store).await;
    absent_objects(store, traits).await;
    refuses_bad_paths(store).await;
    odd_names(store, traits).await;
    lists_by_prefix_in_order(store).await;
    lists_many(store).await;
    large_objects(store, traits).await;
    concurrent_puts(store).await;
    cancelled_puts(store, traits).await;
    assert_eq!(paths(store, "").await.unwrap(), [""; 0], "every part cleans up");
}

async fn writes_and_reads(store: &dyn Storage) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("source");
    std::fs::write(&file, "from a file").unwrap();
    let payloads: [(Payload, &[u8]); 3] =
        [("text".into(), b"text"), (Vec::new().into(), b""), (Payload::File(file), b"from a file")];
    for (payload, content) in payloads {
        store.put("a/b/c.bin", payload, TYPE).await.unwrap();
        let object = store.get("a/b/c.bin", None).await.unwrap();
        assert_eq!(object.range, 0..content.len() as u64);
        assert_eq!(object.meta.size, content.len() as u64);
        assert_eq!(object.meta, store.head("a/b/c.bin").await.unwrap());
        assert_eq!(object.bytes(100).await.unwrap(), content);
    }
    let missing = Payload::File(dir.path().join("missing"));
    let error = store.put("a/b/d.bin", missing, TYPE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other, "{error}");
    let error = store.put("a/b/d.bin", Payload::File(dir.path().into()), TYPE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other, "{error}");
    assert_eq!(paths(store, "a/").await.unwrap(), ["a/b/c.bin"]);
    store.delete("a/b/c.bin").await.unwrap();
}

async fn replaces_in_one_step(store: &dyn Storage) {
    let (old, new) = (noise(900_000, 1), noise(1_000_000, 2));
    store.put("r", old.clone().into(), TYPE).await.unwrap();
    let before = store.head("r").await.unwrap();
    let mut reader = store.get("r", None).await.unwrap();
    let mut seen = reader.body.next().await.unwrap().unwrap().to_vec();
    store.put("r", new.clone().into(), TYPE).await.unwrap();
    assert_ne!(store.head("r").await.unwrap().etag, before.etag);
    assert_eq!(read(store, "r").await.unwrap(), new);

    // The reader keeps the old object or fails, but never mixes.
    while let Some(Ok(chunk)) = reader.body.next().await {
        seen.extend_from_slice(&chunk);
    }
    assert!(old.starts_with(&seen));
    store.delete("r").await.unwrap();
}

async fn ranges(store: &dyn Storage) {
    let content = noise(700_000, 3);
    store.put("ranges", content.clone().into(), TYPE).await.unwrap();
    let size = content.len() as u64;
    for range in [0..1, 0..size, 1..size, size - 1..size, 262_143..262_145, 100_000..600_001] {
        let object = store.get("ranges", Some(range.clone())).await.unwrap();
        assert_eq!(object.meta.size, size);
        assert_eq!(object.range, range);
        let expected = &content[range.start as usize..range.end as usize];
        assert!(object.bytes(size).await.unwrap() == expected, "{range:?}");
    }
    #[allow(clippy::reversed_empty_ranges)]
    for range in [0..0, 5..5, 5..4, 0..size + 1, size..size + 1, size + 5..size + 9, 0..u64::MAX] {
        let error = store.get("ranges", Some(range.clone())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Range, "{range:?}: {error}");
    }
    store.put("ranges", Vec::new().into(), TYPE).await.unwrap();
    let error = store.get("ranges", Some(0..1)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Range, "of an empty object: {error}");
    store.delete("ranges").await.unwrap();
}

async fn absent_objects(store: &dyn Storage, traits: Traits) {
    store.put("here/object", "x".into(), TYPE).await.unwrap();
    let mut absent = vec!["nowhere", "here/other"];
    if traits.knows_folders {
        absent.extend(["here", "here/object/below"]);
    }
    for path in absent {
        assert_eq!(store.get(path, None).await.unwrap_err().kind(), ErrorKind::NotFound, "{path}");
        assert_eq!(store.get(path, Some(0..1)).await.unwrap_err().kind(), ErrorKind::NotFound, "{path}");
        assert_eq!(store.head(path).await.unwrap_err().kind(), ErrorKind::NotFound, "{path}");
    }
    for path in ["nowhere", "here/other", "no/where"] {
        store.delete(path).await.unwrap();
    }
    assert_eq!(read(store, "here/object").await.unwrap(), b"x");
    store.delete("here/object").await.unwrap();
    store.delete("here/object").await.unwrap();
    assert_eq!(store.head("here/object").await.unwrap_err().kind(), ErrorKind::NotFound);
}

async fn refuses_bad_paths(store: &dyn Storage) {
    for path in ["", "/", "/etc/passwd", "..", "../x", "a/../../x", "a//b", "a/", "a\0b", "a\\..\\b", "./a"] {
        let put = store.put(path, "x".into(), TYPE).await.unwrap_err();
        let get = store.get(path, None).await.unwrap_err();
        let head = store.head(path).await.unwrap_err();
        let delete = store.delete(path).await.unwrap_err();
        for error in [put, get, head, delete] {
            assert_eq!(error.kind(), ErrorKind::Path, "{path:?}: {error}");
        }
    }
    for prefix in ["/", "../", "a/../b", "a\0"] {
        assert_eq!(paths(store, prefix).await.unwrap_err().kind(), ErrorKind::Path, "{prefix:?}");
    }
}

async fn odd_names(store: &dyn Storage, traits: Traits) {
    let mut names = vec![
        "音楽/曲 第1番.mp4".to_owned(),
        "Ünïcödé/e\u{301}.m3u8".to_owned(),
        "spaces and + & % = ? # ' \" ~.mp4".to_owned(),
        "%2e%2e/%00".to_owned(),
        "...".to_owned(),
        ".hidden/.file".to_owned(),
        "🎵".to_owned(),
    ];
    if traits.long_names {
        names.push(format!("{}/{}", "n".repeat(255), "é".repeat(127)));
    }
    for name in &names {
        store.put(name, name.clone().into(), TYPE).await.unwrap();
    }
    for name in &names {
        assert_eq!(read(store, name).await.unwrap(), name.as_bytes());
        assert_eq!(paths(store, name).await.unwrap(), [name.as_str()]);
    }
    names.sort();
    assert_eq!(paths(store, "").await.unwrap(), names);
    for name in &names {
        store.delete(name).await.unwrap();
    }
}

async fn lists_by_prefix_in_order(store: &dyn Storage) {
    let names = ["a-b/1", "a/1", "a/2/3", "a/2/4", "a/20", "ab", "b/1", "é"];
    for name in names.iter().rev() {
        store.put(name, (*name).into(), TYPE).await.unwrap();
    }
    let cases: [(&str, &[&str]); 9] = [
        ("", &names),
        ("a", &names[..6]),
        ("a/", &names[1..5]),
        ("a/2", &names[2..5]),
        ("a/2/", &names[2..4]),
        ("a/2/3", &names[2..3]),
        ("a/1/", &[]),
        ("zz", &[]),
        ("nowhere/at/all/", &[]),
    ];
    for (prefix, expected) in cases {
        assert_eq!(paths(store, prefix).await.unwrap(), expected, "{prefix:?}");
    }
    let sizes: Vec<_> = store.list("a/").map_ok(|object| object.size).try_collect().await.unwrap();
    assert_eq!(sizes, [3, 5, 5, 4]);
    for name in names {
        store.delete(name).await.unwrap();
    }
}

async fn lists_many(store: &dyn Storage) {
    let names: Vec<_> = (0..1_100).map(|n| format!("many/{:02}/{n:04}", n % 7)).collect();
    let puts = names.iter().map(|name| store.put(name, "x".into(), TYPE));
    futures_util::stream::iter(puts).buffer_unordered(16).try_collect::<()>().await.unwrap();
    let mut expected = names.clone();
    expected.sort();
    assert_eq!(paths(store, "many/").await.unwrap(), expected);
    let deletes = names.iter().map(|name| store.delete(name));
    futures_util::stream::iter(deletes).buffer_unordered(16).try_collect::<()>().await.unwrap();
}

async fn large_objects(store: &dyn Storage, traits: Traits) {
    let content = noise(traits.large + 12_345, 4);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("large");
    std::fs::write(&file, &content).unwrap();
    for payload in [Payload::File(file), content.clone().into()] {
        store.put("large", payload, TYPE).await.unwrap();
        assert_eq!(store.head("large").await.unwrap().size, content.len() as u64);
        assert!(read(store, "large").await.unwrap() == content);
    }
    store.delete("large").await.unwrap();
}

async fn concurrent_puts(store: &dyn Storage) {
    let contents: Vec<_> = (0..8).map(|n| noise(300_000 + n, n as u64)).collect();
    let puts = contents.iter().map(|content| store.put("busy", content.clone().into(), TYPE));
    let reads = (0..8).map(|_| async {
        match read(store, "busy").await {
            Ok(content) => assert!(contents.contains(&content), "a mixture was read"),
            // Not yet written, or replaced under the reader.
            Err(error) => assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Other), "{error}"),
        }
    });
    let (puts, _) = future::join(future::join_all(puts), future::join_all(reads)).await;
    assert!(puts.iter().all(Result::is_ok), "{puts:?}");
    assert!(contents.contains(&read(store, "busy").await.unwrap()));
    store.delete("busy").await.unwrap();
}

/// Dropping a put at any moment leaves the old object or the new one.
async fn cancelled_puts(store: &dyn Storage, traits: Traits) {
    let (old, new) = (noise(1_000, 5), noise(traits.large, 6));
    store.put("cancelled", old.clone().into(), TYPE).await.unwrap();
    for polls in [1, 2, 3, 5, 9, 17] {
        let mut put = store.put("cancelled", new.clone().into(), TYPE);
        for _ in 0..polls {
            let step = Duration::from_millis(2);
            if tokio::time::timeout(step, &mut put).await.is_ok() {
                break;
            }
        }
        drop(put);
        let content = read_settled(store, "cancelled").await;
        assert!(content == old || content == new, "a part of an object is visible");
        assert_eq!(paths(store, "").await.unwrap(), ["cancelled"]);
    }
    // What still runs in the background ends in its own time; a put behind it settles the path.
    settle(store, "cancelled").await;
}

/// Reads an object that may still be replaced meanwhile, which a reader is told.
async fn read_settled(store: &dyn Storage, path: &str) -> Vec<u8> {
    loop {
        match read(store, path).await {
            Err(error) if error.to_string().contains("replaced") => {}
            done => return done.unwrap(),
        }
    }
}

async fn settle(store: &dyn Storage, path: &str) {
    loop {
        store.delete(path).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        if paths(store, path).await.unwrap().is_empty() {
            return;
        }
    }
}

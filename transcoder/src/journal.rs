//! What was ingested before: a file of JSON lines that spares reading unchanged files again.
//!
//! It is a hint, never the truth: the store's descriptor is asked in any case, and a journal that is lost costs one
//! reading of every file.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use segue_manifests::{AssetId, Rev};
use serde::{Deserialize, Serialize};

/// Longest line that is read, bytes; longer ones are not ours.
const MAX_LINE: u64 = 64 << 10;

/// A file as it was when it was read: another size or time means other content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// Absolute path.
    pub(crate) path: String,
    /// Bytes.
    pub(crate) size: u64,
    /// Last modification, nanoseconds since the Unix epoch.
    pub(crate) mtime: u64,
}

impl Stamp {
    /// The stamp of the file at an absolute path; `None` where it cannot be had, or where the path is not Unicode.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let about = fs::metadata(path).ok()?;
        let mtime = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let mtime = u64::try_from(mtime.as_nanos()).ok()?;
        Some(Self { path: path.to_str()?.to_owned(), size: about.len(), mtime })
    }
}

/// A line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    stamp: Stamp,
    /// Fingerprint of the settings under which `rev` was found.
    settings: String,
    asset: AssetId,
    rev: Rev,
}

/// An open journal.
#[derive(Debug)]
pub(crate) struct Journal {
    settings: String,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    entries: HashMap<String, Entry>,
}

impl Journal {
    /// Reads the journal at `path`, or begins one. Lines that cannot be read are passed over: the last one of a
    /// killed process is torn. Where most lines are outdated, it is written anew.
    pub(crate) fn open(path: &Path, settings: String) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let (mut entries, mut lines) = (HashMap::new(), 0);
        if let Some(old) = existing(path)? {
            read(old, |entry| {
                lines += 1;
                entries.insert(entry.stamp.path.clone(), entry);
            })?;
        }
        if lines > 2 * entries.len() + 100 {
            rewrite(path, &entries)?;
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        end_torn_line(&mut file)?;
        Ok(Self { settings, inner: Mutex::new(Inner { file, entries }) })
    }

    /// What the file was when it was last read under the same settings, if it has not changed since.
    pub(crate) fn lookup(&self, stamp: &Stamp) -> Option<(AssetId, Rev)> {
        let inner = self.inner();
        let entry = inner.entries.get(&stamp.path)?;
        (entry.stamp == *stamp && entry.settings == self.settings).then_some((entry.asset, entry.rev))
    }

    /// Remembers a file; it is on disk when this returns.
    pub(crate) fn record(&self, stamp: &Stamp, asset: AssetId, rev: Rev) -> io::Result<()> {
        let entry = Entry { stamp: stamp.clone(), settings: self.settings.clone(), asset, rev };
        let mut inner = self.inner();
        if inner.entries.get(&stamp.path) == Some(&entry) {
            return Ok(());
        }
        // One write of one whole line: a kill tears at most this one.
        inner.file.write_all(line(&entry).as_bytes())?;
        inner.file.sync_data()?;
        inner.entries.insert(entry.stamp.path.clone(), entry);
        Ok(())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn line(entry: &Entry) -> String {
    serde_json::to_string(entry).expect("an entry has only string keys") + "\n"
}

fn existing(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

fn read(file: File, mut each: impl FnMut(Entry)) -> io::Result<()> {
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        if (&mut reader).take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if let Ok(entry) = serde_json::from_slice(&line) {
            each(entry);
        }
    }
}

/// Writes the entries beside the journal and puts them in its place in one step.
fn rewrite(path: &Path, entries: &HashMap<String, Entry>) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut sorted: Vec<&Entry> = entries.values().collect();
    sorted.sort_by(|a, b| a.stamp.path.cmp(&b.stamp.path));
    let text: String = sorted.into_iter().map(line).collect();
    let mut file = File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// Ends a line that a killed process left open, so that the next one stands alone.
fn end_torn_line(file: &mut File) -> io::Result<()> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(());
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    if last != *b"\n" { file.write_all(b"\n") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASSET: AssetId = AssetId([1; 16]);
    const REV: Rev = Rev([2; 6]);

    fn stamp(path: &str, mtime: u64) -> Stamp {
        Stamp { path: path.to_owned(), size: 5, mtime }
    }

    fn open(path: &Path) -> Journal {
        Journal::open(path, "s1".to_owned()).unwrap()
    }

    #[test]
    fn remembers_files_until_they_or_the_settings_change() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("made/on/demand.jsonl");
        let journal = open(&path);
        assert_eq!(journal.lookup(&stamp("ä/b", 1)), None);
        journal.record(&stamp("ä/b", 1), ASSET, REV).unwrap();
        for journal in [journal, open(&path)] {
            assert_eq!(journal.lookup(&stamp("ä/b", 1)), Some((ASSET, REV)));
            assert_eq!(journal.lookup(&stamp("ä/b", 2)), None);
            assert_eq!(journal.lookup(&stamp("other", 1)), None);
        }
        let changed = Journal::open(&path, "s2".to_owned()).unwrap();
        assert_eq!(changed.lookup(&stamp("ä/b", 1)), None);
    }

    #[test]
    fn torn_and_foreign_lines_are_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j");
        open(&path).record(&stamp("a", 1), ASSET, REV).unwrap();
        let whole = fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            fs::write(&path, [&whole, &whole[..cut]].concat()).unwrap();
            let journal = open(&path);
            assert_eq!(journal.lookup(&stamp("a", 1)), Some((ASSET, REV)));
            journal.record(&stamp("b", 2), ASSET, REV).unwrap();
            assert_eq!(open(&path).lookup(&stamp("b", 2)), Some((ASSET, REV)), "torn after {cut} bytes");
        }
        fs::write(
            &path,
            [b"\xff\x00noise\n{}\n".to_vec(), vec![b'x'; 200_000], b"\n".to_vec(), whole].concat(),
        )
        .unwrap();
        assert_eq!(open(&path).lookup(&stamp("a", 1)), Some((ASSET, REV)));
    }

    #[test]
    fn outdated_lines_go() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j");
        let journal = open(&path);
        (0..300).for_each(|mtime| journal.record(&stamp("a", mtime), ASSET, REV).unwrap());
        drop(journal);
        let journal = open(&path);
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
        assert_eq!(journal.lookup(&stamp("a", 299)), Some((ASSET, REV)));
        journal.record(&stamp("b", 1), ASSET, REV).unwrap();
        assert_eq!(open(&path).lookup(&stamp("b", 1)), Some((ASSET, REV)));
    }

    #[test]
    fn stamps_follow_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("song");
        assert_eq!(Stamp::of(&path), None);
        fs::write(&path, "one").unwrap();
        let before = Stamp::of(&path).unwrap();
        fs::write(&path, "longer").unwrap();
        assert_ne!(Stamp::of(&path).unwrap(), before);
    }
}

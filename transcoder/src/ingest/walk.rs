//! From the paths a person names to the files to ingest.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::Failure;

/// Extensions of music files, supported or not: those that are not deserve a word, not silence.
const AUDIO: &[&str] = &[
    "aac", "aif", "aifc", "aiff", "alac", "ape", "au", "caf", "dff", "dsf", "flac", "m4a", "m4b", "mka",
    "mp2", "mp3", "mp4", "mpc", "oga", "ogg", "opus", "tta", "wav", "wave", "weba", "wma", "wv",
];

/// A file to ingest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FoundFile {
    /// As the person would write it.
    pub(super) path: PathBuf,
    /// Absolute, links resolved.
    pub(super) absolute: PathBuf,
}

/// What walking found.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// In a fixed order, each file once.
    pub(super) files: Vec<FoundFile>,
    /// Paths that do not exist and folders that cannot be read.
    pub(super) failures: Vec<Failure>,
    seen: HashSet<PathBuf>,
}

/// Walks the paths in their order: files as they are, folders with all below them. Below folders, hidden entries
/// and files without an audio extension are passed over; links are followed, loops are not.
pub(super) fn walk(paths: &[PathBuf]) -> Walk {
    let mut walk = Walk::default();
    for path in paths {
        match fs::metadata(path) {
            Ok(about) if about.is_dir() => walk.folder(path),
            Ok(about) if about.is_file() => walk.file(path),
            Ok(_) => walk.fail(path, "path", "is neither a file nor a folder".to_owned(), None),
            Err(e) => walk.refused(path, "path", &e),
        }
    }
    walk
}

impl Walk {
    fn folder(&mut self, root: &Path) {
        let entries = WalkDir::new(root).follow_links(true).sort_by_file_name();
        for entry in entries.into_iter().filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry)) {
            match entry {
                Ok(entry) if entry.file_type().is_file() && is_audio(entry.path()) => self.file(entry.path()),
                Ok(_) => {}
                Err(e) => self.unreadable(&e),
            }
        }
    }

    fn file(&mut self, path: &Path) {
        match fs::canonicalize(path) {
            Ok(absolute) => {
                if self.seen.insert(absolute.clone()) {
                    self.files.push(FoundFile { path: path.to_owned(), absolute });
                }
            }
            Err(e) => self.refused(path, "file", &e),
        }
    }

    fn unreadable(&mut self, error: &walkdir::Error) {
        // A loop leads back to files that are found anyway.
        let Some(cause) = error.io_error() else { return };
        let path = error.path().unwrap_or(Path::new(""));
        // A link that leads nowhere matters only where it is named like music.
        let dangling = cause.kind() == io::ErrorKind::NotFound;
        if !dangling || is_audio(path) {
            self.refused(path, if dangling { "file" } else { "folder" }, cause);
        }
    }

    fn refused(&mut self, path: &Path, place: &str, error: &io::Error) {
        let remedy = match error.kind() {
            io::ErrorKind::NotFound => Some("check the path; a link to it may lead nowhere"),
            io::ErrorKind::PermissionDenied => Some("give the user that runs segue read permission"),
            _ => None,
        };
        self.fail(path, place, format!("cannot be read: {error}"), remedy);
    }

    fn fail(&mut self, path: &Path, place: &str, reason: String, remedy: Option<&str>) {
        self.failures.push(Failure {
            path: path.to_owned(),
            place: place.to_owned(),
            reason,
            remedy: remedy.map(str::to_owned),
        });
    }
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn is_audio(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| AUDIO.iter().any(|audio| audio.eq_ignore_ascii_case(extension)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        dir
    }

    fn names(walk: &Walk, root: &Path) -> Vec<String> {
        let name = |found: &FoundFile| found.path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        walk.files.iter().map(name).collect()
    }

    #[test]
    fn music_in_order_and_nothing_else() {
        let long = format!("{}.flac", "長".repeat(80));
        let dir = tree(&[
            "b/2.MP3",
            "b/1.flac",
            "b/cover.jpg",
            "b/notes.txt",
            "a/Żółć — ünïcode.opus",
            ".hidden/x.flac",
            "b/.part.flac",
            &long,
        ]);
        let walk = walk(&[dir.path().to_owned()]);
        assert_eq!(names(&walk, dir.path()), ["a/Żółć — ünïcode.opus", "b/1.flac", "b/2.MP3", &long]);
        assert!(walk.failures.is_empty());
    }

    #[test]
    fn named_files_are_taken_as_they_are() {
        let dir = tree(&["notes.txt", ".hidden.flac"]);
        let paths = ["notes.txt", ".hidden.flac", "missing.flac"].map(|name| dir.path().join(name));
        let walk = walk(&paths);
        assert_eq!(names(&walk, dir.path()), ["notes.txt", ".hidden.flac"]);
        assert_eq!(walk.failures.len(), 1);
        assert_eq!((walk.failures[0].path.as_path(), walk.failures[0].place.as_str()), (&*paths[2], "path"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_once_and_loops_are_not() {
        use std::os::unix::fs::symlink;
        let dir = tree(&["a/1.flac", "elsewhere/2.flac"]);
        let at = |name: &str| dir.path().join(name);
        symlink(at("a"), at("a/loop")).unwrap();
        symlink(at("elsewhere/2.flac"), at("a/same.flac")).unwrap();
        symlink(at("nowhere"), at("a/broken.flac")).unwrap();
        symlink(at("nowhere"), at("a/broken.txt")).unwrap();
        let walk = walk(&[at("a"), at("elsewhere"), at("a")]);
        assert_eq!(names(&walk, dir.path()), ["a/1.flac", "a/same.flac"]);
        let failed: Vec<_> = walk.failures.iter().map(|f| f.path.clone()).collect();
        assert_eq!(failed, [at("a/broken.flac"), at("a/broken.flac")], "named twice, walked twice");
    }

    #[cfg(unix)]
    #[test]
    fn unreadable_folders_are_reported() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tree(&["open/1.flac", "shut/2.flac"]);
        let shut = dir.path().join("shut");
        fs::set_permissions(&shut, fs::Permissions::from_mode(0o000)).unwrap();
        let privileged = fs::read_dir(&shut).is_ok();
        let walk = walk(&[dir.path().to_owned()]);
        fs::set_permissions(&shut, fs::Permissions::from_mode(0o755)).unwrap();
        if privileged {
            return; // nothing is unreadable to the superuser
        }
        assert_eq!(names(&walk, dir.path()), ["open/1.flac"]);
        assert_eq!((walk.failures.len(), walk.failures[0].path.as_path()), (1, shut.as_path()));
        assert!(walk.failures[0].remedy.is_some());
    }
}

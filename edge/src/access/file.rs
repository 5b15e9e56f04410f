//! Small files of what an edge knows of tokens. Whoever writes them decides whose tokens count: one that others may write is
//! not read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// The content, at most `limit` bytes; `None` where there is no such file.
///
/// # Errors
/// Why it is not used.
pub(super) fn read(path: &Path, limit: usize) -> Result<Option<Vec<u8>>, String> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(|error| error.to_string())?,
    };
    let mode = file.metadata().map_err(|error| error.to_string())?.mode();
    if mode & 0o022 != 0 {
        return Err(format!("others may write it (mode {:o}); run chmod 600 on it", mode & 0o777));
    }
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > limit {
        return Err(format!("it is longer than {limit} bytes"));
    }
    Ok(Some(bytes))
}

/// Whole or not at all, also when the machine loses power.
///
/// # Errors
/// Why the file is as it was.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let staged = path.with_extension(format!("{}.tmp", std::process::id()));
    let replace = || {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&staged)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&staged, path)?;
        File::open(folder)?.sync_all()
    };
    replace().inspect_err(|_| drop(fs::remove_file(&staged)))
}

//! Get and head.

use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};

use super::root::Root;
use super::{Target, blocking};
use crate::error::{Error, ErrorKind};
use crate::object::resolve_range;
use crate::{Object, ObjectMeta};

/// Bytes read at a time: one trip to the disk's threads holds a whole audio segment.
const CHUNK: u64 = 256 * 1024;

/// An object opened, with the first bytes of the range already read.
pub(super) struct Opened {
    meta: ObjectMeta,
    range: Range<u64>,
    first: Bytes,
    rest: Reader,
}

struct Reader {
    file: File,
    left: u64,
    place: String,
}

pub(super) fn head(root: &Root, target: &Target) -> Result<ObjectMeta, Error> {
    let (_, metadata) = root.file(target)?;
    Ok(meta(&target.path, &metadata))
}

pub(super) fn open(root: &Root, target: &Target, range: Option<Range<u64>>) -> Result<Opened, Error> {
    let failed = |error| Error::io(&target.place, error);
    let (real, _) = root.file(target)?;
    let mut file = File::open(real).map_err(failed)?;
    let meta = meta(&target.path, &file.metadata().map_err(failed)?);
    let range = resolve_range(&target.place, range, meta.size)?;
    if range.start > 0 {
        file.seek(SeekFrom::Start(range.start)).map_err(failed)?;
    }
    let mut rest = Reader { file, left: range.end - range.start, place: target.place.clone() };
    let first = rest.chunk()?;
    Ok(Opened { meta, range, first, rest })
}

/// Size and a tag made of what changes when a file is replaced or written to: inode, time of change, size.
pub(super) fn meta(path: &str, metadata: &Metadata) -> ObjectMeta {
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(metadata);
    #[cfg(not(unix))]
    let inode = 0;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified = modified.map_or(0, |since| since.as_nanos());
    let etag = Some(format!("\"{inode:x}-{modified:x}-{:x}\"", metadata.len()));
    ObjectMeta { path: path.to_owned(), size: metadata.len(), etag }
}

impl Reader {
    /// The next bytes; empty when none are left.
    fn chunk(&mut self) -> Result<Bytes, Error> {
        let wanted = self.left.min(CHUNK);
        let mut buffer = Vec::with_capacity(wanted as usize); // at most CHUNK
        let read = self.file.by_ref().take(wanted).read_to_end(&mut buffer);
        read.map_err(|error| Error::io(&self.place, error))?;
        if (buffer.len() as u64) < wanted {
            let reason = "the file became shorter while it was read";
            return Err(Error::new(ErrorKind::Unavailable, &self.place, reason));
        }
        self.left -= wanted;
        Ok(buffer.into())
    }

    fn into_stream(self) -> BoxStream<'static, Result<Bytes, Error>> {
        let chunks = stream::try_unfold(self, |mut reader| async move {
            if reader.left == 0 {
                return Ok(None);
            }
            let read = blocking("folder get", move || reader.chunk().map(|chunk| (chunk, reader)));
            read.await.map(Some)
        });
        chunks.boxed()
    }
}

impl Opened {
    pub(super) fn into_object(self) -> Object {
        let first = (!self.first.is_empty()).then_some(Ok(self.first));
        let body = match self.rest.left {
            0 => stream::iter(first).boxed(),
            _ => stream::iter(first).chain(self.rest.into_stream()).boxed(),
        };
        Object { meta: self.meta, range: self.range, body }
    }
}

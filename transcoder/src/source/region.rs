//! The part of a file that is audio: leading ID3v2 and trailing ID3v1, Lyrics3 and APE tags are left out, so that
//! retagging a file changes neither what is decoded nor what is hashed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use symphonia::core::io::MediaSource;

use super::SourceError;

/// A read-only view of the bytes `start..end` of a file.
#[derive(Debug)]
pub(super) struct Region {
    file: File,
    start: u64,
    end: u64,
    at: u64,
    file_len: u64,
    patch: Option<(u64, [u8; 4])>,
}

impl Region {
    /// Opens a regular file and finds its audio.
    ///
    /// # Errors
    /// When the path is no regular file, cannot be read, or is empty.
    pub(super) fn open(path: &Path) -> Result<Self, SourceError> {
        // Looked at before it is opened: opening a named pipe would wait for a writer.
        let meta = std::fs::metadata(path).map_err(|e| SourceError::io(&e))?;
        if !meta.is_file() {
            return Err(SourceError::new("file", "is not a regular file"));
        }
        if meta.len() == 0 {
            return Err(SourceError::new("file", "is empty").with_remedy("copy or download it again"));
        }
        let mut file = File::open(path).map_err(|e| SourceError::io(&e))?;
        let found = locate(&mut file, meta.len()).map_err(|e| SourceError::io(&e))?;
        Ok(Self { file, start: found.0, end: found.1, at: found.0, file_len: meta.len(), patch: None })
    }

    /// Bytes in the region.
    pub(super) fn len(&self) -> u64 {
        self.end - self.start
    }

    /// Shows `bytes` from `offset` of the region on instead of what the file holds there.
    pub(super) fn patch(&mut self, offset: u64, bytes: [u8; 4]) {
        self.patch = Some((self.start + offset, bytes));
    }

    /// Leaves out `bytes` more at the start.
    pub(super) fn skip(&mut self, bytes: u64) {
        self.start = self.start.saturating_add(bytes).min(self.end);
    }

    /// True if the file holds tags around the region.
    pub(super) fn has_tags_around(&self) -> bool {
        self.len() < self.file_len
    }

    /// Up to `most` bytes from `offset` of the region; fewer only at its end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn read_at(&mut self, offset: u64, most: usize) -> Result<Vec<u8>, SourceError> {
        let mut bytes = Vec::new();
        let read = |region: &mut Self, bytes: &mut Vec<u8>| -> io::Result<()> {
            region.seek(SeekFrom::Start(offset))?;
            region.take(most as u64).read_to_end(bytes).map(drop)
        };
        read(self, &mut bytes).map_err(|e| SourceError::io(&e))?;
        Ok(bytes)
    }

    /// Goes back to the region's first byte.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn rewound(mut self) -> Result<Self, SourceError> {
        self.seek(SeekFrom::Start(0)).map_err(|e| SourceError::io(&e))?;
        Ok(self)
    }
}

impl Read for Region {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        let read = self.file.read(&mut buffer[..most])?;
        if let Some((from, bytes)) = self.patch {
            for (at, byte) in (from..).zip(bytes) {
                let index = at.checked_sub(self.at).and_then(|index| usize::try_from(index).ok());
                if let Some(shown) = index.and_then(|index| buffer[..read].get_mut(index)) {
                    *shown = byte;
                }
            }
        }
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Region {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let base = match to {
            SeekFrom::Start(offset) => self.start.checked_add(offset),
            SeekFrom::End(offset) => self.end.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.at.checked_add_signed(offset),
        };
        let at = base.filter(|&at| at >= self.start).ok_or(io::ErrorKind::InvalidInput)?;
        self.at = self.file.seek(SeekFrom::Start(at))?;
        Ok(self.at - self.start)
    }
}

impl MediaSource for Region {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len())
    }
}

fn locate(file: &mut File, len: u64) -> io::Result<(u64, u64)> {
    let mut start = 0;
    while let Some(size) = leading_tag(file, start)? {
        start = (start + size).min(len);
    }
    let mut end = len;
    while let Some(size) = trailing_tag(file, start, end)? {
        end = end.saturating_sub(size).max(start);
    }
    file.seek(SeekFrom::Start(start))?;
    Ok((start, end))
}

/// Size of an ID3v2 tag at `at` (ID3v2.4 section 3.1), if there is one.
fn leading_tag(file: &mut File, at: u64) -> io::Result<Option<u64>> {
    let Some(head) = peek::<10>(file, at)? else { return Ok(None) };
    let sizes = [head[6], head[7], head[8], head[9]];
    if &head[..3] != b"ID3" || head[3] == 0xff || sizes.iter().any(|byte| byte & 0x80 != 0) {
        return Ok(None);
    }
    let body = sizes.iter().fold(0u64, |size, &byte| size << 7 | u64::from(byte));
    let footer = if head[5] & 0x10 != 0 { 10 } else { 0 };
    Ok(Some(10 + body + footer))
}

/// Size of the tag that ends at `end`, if there is one.
fn trailing_tag(file: &mut File, start: u64, end: u64) -> io::Result<Option<u64>> {
    let room = end - start;
    for kind in [id3v1, ape, lyrics3] {
        if let Some(size) = kind(file, end, room)?.filter(|&size| size <= room) {
            return Ok(Some(size));
        }
    }
    Ok(None)
}

fn id3v1(file: &mut File, end: u64, room: u64) -> io::Result<Option<u64>> {
    Ok(peek_back(file, end, room, 128)?.is_some_and(|head: [u8; 3]| &head == b"TAG").then_some(128))
}

/// APEv1 and APEv2: a footer of 32 bytes tells the size without the header.
fn ape(file: &mut File, end: u64, room: u64) -> io::Result<Option<u64>> {
    let foot: Option<[u8; 32]> = peek_back(file, end, room, 32)?;
    Ok(foot.filter(|foot| &foot[..8] == b"APETAGEX").and_then(|foot| {
        let size = u64::from(u32::from_le_bytes([foot[12], foot[13], foot[14], foot[15]]));
        let header = if foot[23] & 0x80 != 0 { 32 } else { 0 };
        (size >= 32).then_some(size + header)
    }))
}

/// Lyrics3v2: six digits of size before the closing mark.
fn lyrics3(file: &mut File, end: u64, room: u64) -> io::Result<Option<u64>> {
    let foot: Option<[u8; 15]> = peek_back(file, end, room, 15)?;
    Ok(foot.filter(|foot| &foot[6..] == b"LYRICS200").and_then(|foot| {
        let size: u64 = std::str::from_utf8(&foot[..6]).ok()?.parse().ok()?;
        Some(size + 15)
    }))
}

/// The `N` bytes that start `back` before `end`, if there is room for them.
fn peek_back<const N: usize>(file: &mut File, end: u64, room: u64, back: u64) -> io::Result<Option<[u8; N]>> {
    if back <= room { peek(file, end - back) } else { Ok(None) }
}

fn peek<const N: usize>(file: &mut File, at: u64) -> io::Result<Option<[u8; N]>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = [0; N];
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region_of(bytes: &[u8]) -> Result<Vec<u8>, SourceError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, bytes).unwrap();
        Region::open(&path)?.read_at(0, 1 << 20)
    }

    fn id3v2(body: usize) -> Vec<u8> {
        let mut tag = b"ID3\x04\0\0".to_vec();
        tag.extend([0, 0, (body >> 7) as u8, (body & 0x7f) as u8]);
        tag.resize(10 + body, 7);
        tag
    }

    fn ape(body: &[u8]) -> Vec<u8> {
        let mut tag = body.to_vec();
        tag.extend(b"APETAGEX\xd0\x07\0\0");
        tag.extend((body.len() as u32 + 32).to_le_bytes());
        tag.extend([0; 16]);
        tag
    }

    #[test]
    fn tags_are_left_out() {
        let mut file = [id3v2(300), id3v2(5), b"audio".to_vec(), ape(b"xx")].concat();
        file.extend(b"TAG");
        file.resize(file.len() + 125, 0);
        assert_eq!(region_of(&file).unwrap(), b"audio");
        assert_eq!(region_of(b"audio").unwrap(), b"audio");
    }

    #[test]
    fn lying_tags_never_leave_the_file() {
        assert_eq!(region_of(&id3v2(300)[..50]).unwrap(), b"");
        let mut huge = ape(b"");
        huge[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(region_of(&huge).unwrap().len(), huge.len());
        assert!(region_of(b"").unwrap_err().reason.contains("empty"));
    }

    #[test]
    fn patches_show_in_every_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, b"0123456789").unwrap();
        let mut region = Region::open(&path).unwrap();
        region.patch(2, *b"wxyz");
        assert_eq!(region.read_at(0, 10).unwrap(), b"01wxyz6789");
        assert_eq!(
            (region.read_at(0, 3).unwrap(), region.read_at(5, 3).unwrap()),
            (b"01w".into(), b"z67".into())
        );
    }

    #[test]
    fn seeks_stay_inside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, [id3v2(4), b"0123456789".to_vec()].concat()).unwrap();
        let mut region = Region::open(&path).unwrap();
        assert_eq!(region.seek(SeekFrom::End(-3)).unwrap(), 7);
        assert_eq!(region.seek(SeekFrom::Current(-7)).unwrap(), 0);
        assert!(region.seek(SeekFrom::Current(-1)).is_err());
    }
}

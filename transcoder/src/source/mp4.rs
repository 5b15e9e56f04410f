//! The parts of an MP4 file that symphonia leaves to us: protection, edit lists and iTunes' gapless note.
//!
//! Boxes are those of ISO/IEC 14496-12; `iTunSMPB` is Apple's free-form item with delay, padding and length in hex.

use super::SourceError;
use super::limits::MAX_MOOV_BYTES;
use super::region::Region;

/// Boxes looked at in one container.
const MAX_BOXES: usize = 1 << 16;

/// What was learned about the sound of an MP4 file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sound {
    /// `tkhd` track id.
    pub(super) track_id: u32,
    /// Ticks a second of the numbers below.
    pub(super) timescale: u32,
    /// First presented tick of the media.
    pub(super) start: u64,
    /// Presented ticks; `None` means to the end of the media.
    pub(super) length: Option<u64>,
}

/// Reads the boxes of a file and picks its sound.
///
/// # Errors
/// When a box runs over the end of the file, there is no sound, or the sound is protected.
pub(super) fn inspect(region: &mut Region) -> Result<Sound, SourceError> {
    let moov = read_moov(region)?;
    let movie_scale = find(&moov, &[b"mvhd"]).and_then(|mvhd| full_u32(mvhd, 12, 20)).unwrap_or(0);
    let fragmented = find(&moov, &[b"mvex"]).is_some();
    let tracks: Vec<Track> =
        boxes(&moov).filter(|(id, _)| id == b"trak").filter_map(|(_, b)| Track::read(b)).collect();
    let Some(track) = tracks.iter().find(|track| &track.handler == b"soun") else {
        let video = tracks.iter().any(|track| &track.handler == b"vide");
        let reason = if video { "has video but no sound" } else { "has no sound track" };
        return Err(SourceError::new("mp4 (moov)", reason).with_remedy("leave it out"));
    };
    track.check_coding()?;
    let smpb = gapless_note(&moov).filter(|note| note.fits(track, fragmented));
    let (start, length) = match smpb {
        Some(note) => (note.delay, Some(note.length)),
        None => track.edited(movie_scale, fragmented)?,
    };
    Ok(Sound { track_id: track.id, timescale: track.timescale, start, length })
}

fn read_moov(region: &mut Region) -> Result<Vec<u8>, SourceError> {
    let (mut at, mut moov) = (0, None);
    for _ in 0..MAX_BOXES {
        if at >= region.len() {
            break;
        }
        let head = region.read_at(at, 16)?;
        let left = region.len() - at;
        let Some((id, header, size)) = box_header(&head, left) else {
            if head.iter().all(|&byte| byte == 0) {
                break; // Padding behind the last box.
            }
            return Err(SourceError::truncated("mp4", format!("the box at byte {at} is cut or damaged")));
        };
        if size > left {
            let name = String::from_utf8_lossy(&id).into_owned();
            return Err(SourceError::truncated(
                format!("mp4 ({name})"),
                format!("declares {size} bytes, only {left} are there"),
            ));
        }
        if &id == b"moov" && moov.is_none() {
            if size > MAX_MOOV_BYTES {
                return Err(SourceError::new(
                    "mp4 (moov)",
                    format!("is {size} bytes long; the limit is {MAX_MOOV_BYTES}"),
                ));
            }
            moov = Some(region.read_at(at + header, (size - header) as usize)?);
        }
        at += size;
    }
    moov.ok_or_else(|| SourceError::truncated("mp4", "has no moov box; recording or copying was cut short"))
}

/// Type, header length and total size of the box that starts `bytes`; `left` bytes remain in its parent.
fn box_header(bytes: &[u8], left: u64) -> Option<([u8; 4], u64, u64)> {
    let id: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
    let (header, size) = match u32_at(bytes, 0)? {
        0 => (8, left),
        1 => (16, u64_at(bytes, 8)?),
        size => (8, u64::from(size)),
    };
    (size >= header && id.iter().all(|byte| *byte >= 0x20)).then_some((id, header, size))
}

/// The boxes in a container's payload; stops at the first that does not fit.
fn boxes(mut payload: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (id, header, size) = box_header(payload, payload.len() as u64)?;
        let size = usize::try_from(size).ok().filter(|&size| size <= payload.len())?;
        let body = &payload[header as usize..size];
        payload = &payload[size..];
        Some((id, body))
    })
    .take(MAX_BOXES)
}

fn find<'a>(payload: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    let (first, rest) = path.split_first()?;
    let body = boxes(payload).find(|(id, _)| id == *first)?.1;
    if rest.is_empty() { Some(body) } else { find(body, rest) }
}

#[derive(Debug)]
struct Track<'a> {
    id: u32,
    handler: [u8; 4],
    timescale: u32,
    /// Sample entry, or nothing if there is none.
    coding: Option<[u8; 4]>,
    /// Sum of `stts`, ticks; 0 in fragmented files.
    ticks: u64,
    edit_list: Option<&'a [u8]>,
}

impl<'a> Track<'a> {
    fn read(trak: &'a [u8]) -> Option<Self> {
        let mdia = find(trak, &[b"mdia"])?;
        let stbl = find(mdia, &[b"minf", b"stbl"]).unwrap_or_default();
        let entries = find(stbl, &[b"stsd"]).and_then(|stsd| stsd.get(8..)).unwrap_or_default();
        Some(Self {
            id: full_u32(find(trak, &[b"tkhd"])?, 12, 20)?,
            handler: find(mdia, &[b"hdlr"])?.get(8..12)?.try_into().ok()?,
            timescale: full_u32(find(mdia, &[b"mdhd"])?, 12, 20).filter(|&scale| scale > 0)?,
            coding: boxes(entries).next().map(|(id, _)| id),
            ticks: find(stbl, &[b"stts"]).map(sum_of_stts).unwrap_or(0),
            edit_list: find(trak, &[b"edts", b"elst"]),
        })
    }

    fn check_coding(&self) -> Result<(), SourceError> {
        let place = "mp4 (stsd)";
        match self.coding.as_ref() {
            Some(b"drms" | b"enca" | b"drmi") => Err(SourceError::new(place, "the sound is protected (drm)")
                .with_remedy("only a copy without protection can be published")),
            Some(b"ac-3" | b"ec-3" | b"ac-4" | b"dtsc" | b"mlpa") => Err(SourceError::new(
                place,
                format!(
                    "{} is not supported",
                    String::from_utf8_lossy(self.coding.as_ref().map_or(&[], |c| c))
                ),
            )
            .with_remedy("convert it to FLAC and add that")),
            Some(_) => Ok(()),
            None => Err(SourceError::new(place, "has no sample entry")),
        }
    }

    /// Start and length by the edit list. Empty edits (media time -1) delay sound against picture and are ignored.
    fn edited(&self, movie_scale: u32, fragmented: bool) -> Result<(u64, Option<u64>), SourceError> {
        let edits: Vec<(u64, u64)> = self.edit_list.map(edits).unwrap_or_default();
        let (duration, start) = match edits.as_slice() {
            [] => return Ok((0, None)),
            [one] => *one,
            more => {
                let reason = format!("an edit list of {} parts is not supported", more.len());
                return Err(SourceError::new("mp4 (elst)", reason).with_remedy("export it as one piece"));
            }
        };
        if duration == 0 || movie_scale == 0 {
            return Ok((start, None));
        }
        let ticks = scale(duration, self.timescale, movie_scale);
        // The movie's timescale is often 1/1000 s. Where it cannot tell the edit's end from the media's, the
        // media's, which counts samples, is meant.
        let tolerance = u64::from(self.timescale.div_ceil(movie_scale));
        let media = self.ticks.saturating_sub(start);
        let to_the_end = !fragmented && media.abs_diff(ticks) <= tolerance;
        Ok((start, (!to_the_end).then_some(ticks)))
    }
}

fn edits(elst: &[u8]) -> Vec<(u64, u64)> {
    let wide = elst.first() == Some(&1);
    let size = if wide { 20 } else { 12 };
    let count = u32_at(elst, 4).unwrap_or(0) as usize;
    let entries = elst.get(8..).unwrap_or_default().chunks_exact(size).take(count);
    entries
        .filter_map(|entry| {
            let (duration, start) = if wide {
                (u64_at(entry, 0)?, u64_at(entry, 8)?.cast_signed())
            } else {
                (u64::from(u32_at(entry, 0)?), i64::from(u32_at(entry, 4)?.cast_signed()))
            };
            u64::try_from(start).ok().map(|start| (duration, start))
        })
        .collect()
}

fn sum_of_stts(stts: &[u8]) -> u64 {
    let entries = stts.get(8..).unwrap_or_default().chunks_exact(8);
    let ticks = |entry: &[u8]| Some(u64::from(u32_at(entry, 0)?) * u64::from(u32_at(entry, 4)?));
    entries.filter_map(ticks).fold(0, u64::saturating_add)
}

/// `iTunSMPB`: encoder delay and length of the original, in samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct GaplessNote {
    delay: u64,
    length: u64,
}

impl GaplessNote {
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split_ascii_whitespace().map(|word| u64::from_str_radix(word, 16).ok());
        let (_, delay, padding, length) =
            (numbers.next()??, numbers.next()??, numbers.next()??, numbers.next()??);
        (length > 0 && delay < 1 << 20 && padding < 1 << 20).then_some(Self { delay, length })
    }

    /// A note copied from another file, or made for another rate, contradicts the media and is not believed.
    fn fits(&self, track: &Track, fragmented: bool) -> bool {
        fragmented || self.delay.saturating_add(self.length) <= track.ticks
    }
}

fn gapless_note(moov: &[u8]) -> Option<GaplessNote> {
    let meta = find(moov, &[b"udta", b"meta"])?;
    // `meta` is a full box in ISO files and a plain one in QuickTime's.
    let ilst = meta.get(4..).and_then(|body| find(body, &[b"ilst"])).or_else(|| find(meta, &[b"ilst"]))?;
    boxes(ilst).filter(|(id, _)| id == b"----").find_map(|(_, item)| {
        let name = find(item, &[b"name"])?.get(4..)?;
        let text = find(item, &[b"data"])?.get(8..)?;
        if name != b"iTunSMPB" { None } else { GaplessNote::parse(std::str::from_utf8(text).ok()?) }
    })
}

/// `value * to / from`, rounded to nearest.
pub(super) fn scale(value: u64, to: u32, from: u32) -> u64 {
    let (to, from) = (u128::from(to), u128::from(from.max(1)));
    u64::try_from((u128::from(value) * to + from / 2) / from).unwrap_or(u64::MAX)
}

/// A 32-bit field of a full box at one of two offsets, by the box's version.
fn full_u32(body: &[u8], version0: usize, version1: usize) -> Option<u32> {
    u32_at(body, if body.first()? == &1 { version1 } else { version0 })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32 + 8).to_be_bytes()[..], id, body].concat()
    }

    fn words(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|n| n.to_be_bytes()).collect()
    }

    struct Spec<'a> {
        handler: &'a [u8; 4],
        coding: &'a [u8; 4],
        elst: &'a [u32],
        note: &'a str,
    }

    const AAC: Spec = Spec { handler: b"soun", coding: b"mp4a", elst: &[], note: "" };

    /// A movie of 1000 ticks a second with one track of 44,100 ticks a second and 10 packets of 1024.
    fn file(spec: &Spec) -> Vec<u8> {
        let stsd = boxed(b"stsd", &[words(&[0, 1]), boxed(spec.coding, &[0; 28])].concat());
        let stts = boxed(b"stts", &words(&[0, 1, 10, 1024]));
        let minf = boxed(b"minf", &boxed(b"stbl", &[stsd, stts].concat()));
        let hdlr = boxed(b"hdlr", &[words(&[0, 0]), spec.handler.to_vec(), vec![0; 12]].concat());
        let mdhd = boxed(b"mdhd", &words(&[0, 0, 0, 44_100, 0]));
        let mdia = boxed(b"mdia", &[mdhd, hdlr, minf].concat());
        let tkhd = boxed(b"tkhd", &words(&[0, 0, 0, 7, 0]));
        let elst = boxed(b"elst", &[words(&[0, spec.elst.len() as u32 / 3]), words(spec.elst)].concat());
        let trak = boxed(b"trak", &[tkhd, boxed(b"edts", &elst), mdia].concat());
        let name = boxed(b"name", b"\0\0\0\0iTunSMPB");
        let data = boxed(b"data", &[&[0; 8][..], spec.note.as_bytes()].concat());
        let ilst = boxed(b"ilst", &boxed(b"----", &[name, data].concat()));
        let udta = boxed(b"udta", &boxed(b"meta", &[vec![0; 4], ilst].concat()));
        let mvhd = boxed(b"mvhd", &words(&[0, 0, 0, 1000, 0]));
        let moov = boxed(b"moov", &[mvhd, trak, udta].concat());
        [boxed(b"ftyp", b"M4A \0\0\0\0"), moov, boxed(b"mdat", &[0; 50])].concat()
    }

    fn inspected(bytes: &[u8]) -> Result<Sound, SourceError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, bytes).unwrap();
        inspect(&mut Region::open(&path).unwrap())
    }

    fn span(spec: &Spec) -> (u64, Option<u64>) {
        let sound = inspected(&file(spec)).unwrap();
        assert_eq!((sound.track_id, sound.timescale), (7, 44_100));
        (sound.start, sound.length)
    }

    #[test]
    fn edit_lists_and_notes_give_the_span() {
        assert_eq!(span(&AAC), (0, None));
        // 209 ms are the media less its delay, as near as a millisecond can say it.
        assert_eq!(span(&Spec { elst: &[209, 1024, 0x10000], ..AAC }), (1024, None));
        assert_eq!(span(&Spec { elst: &[100, 1024, 0x10000], ..AAC }), (1024, Some(4410)));
        assert_eq!(span(&Spec { elst: &[0, 2112, 0x10000], ..AAC }), (2112, None));
        assert_eq!(span(&Spec { elst: &[5, u32::MAX, 0x10000, 0, 1024, 0x10000], ..AAC }), (1024, None));
        let note = " 00000000 00000840 000001C0 0000000000001E00 00000000 00000000";
        assert_eq!(span(&Spec { note, ..AAC }), (0x840, Some(0x1e00)));
        let foreign = " 00000000 00000840 000001C0 0000000000FF1E00";
        assert_eq!(span(&Spec { note: foreign, ..AAC }), (0, None));
    }

    #[test]
    fn refusals_name_the_reason() {
        let reason = |spec: &Spec| inspected(&file(spec)).unwrap_err().to_string();
        assert!(reason(&Spec { coding: b"drms", ..AAC }).contains("protected"));
        assert!(reason(&Spec { coding: b"ec-3", ..AAC }).contains("ec-3 is not supported"));
        assert!(reason(&Spec { handler: b"vide", ..AAC }).contains("video but no sound"));
        assert!(reason(&Spec { handler: b"text", ..AAC }).contains("no sound track"));
        assert!(reason(&Spec { elst: &[9, 0, 0, 9, 9, 0], ..AAC }).contains("2 parts"));
    }

    #[test]
    fn cut_files_are_truncated() {
        let whole = file(&AAC);
        for cut in [10, 40, whole.len() - 60, whole.len() - 1] {
            let error = inspected(&whole[..cut]).unwrap_err();
            assert!(error.to_string().contains("truncated"), "{cut}: {error}");
        }
    }
}

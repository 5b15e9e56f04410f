//! AAC in ADTS frames (ISO/IEC 14496-3 section 1.A.3).

use std::io::{BufReader, Read};

use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

use super::SourceError;
use super::mpeg::Adts;
use super::region::Region;

/// Reads frame after frame.
#[derive(Debug)]
pub(super) struct AdtsReader {
    reader: BufReader<Region>,
    frames: u64,
    config: [u8; 2],
}

impl AdtsReader {
    /// Reads from a region that stands at its first frame, all of whose headers say `config`.
    pub(super) fn new(region: Region, config: [u8; 2]) -> Self {
        Self { reader: BufReader::with_capacity(64 * 1024, region), frames: 0, config }
    }

    /// The next access unit, without its header; its duration is in samples of the core's rate, which is half the
    /// output's with SBR.
    ///
    /// # Errors
    /// When the stream loses sync, changes on the way, or ends within a frame.
    pub(super) fn next_packet(&mut self) -> Result<Option<Packet>, SourceError> {
        let head = self.read(7)?;
        if head.is_empty() {
            return Ok(None);
        }
        let place = format!("adts (frame {})", self.frames);
        let Some(header) = Adts::parse(&head) else {
            return Err(match head.len() {
                7 => SourceError::new(place, "no frame header where one is due; the stream is damaged"),
                _ => SourceError::truncated(place, "the last frame is cut short"),
            });
        };
        if header.blocks != 1 || header.config != self.config {
            let what = if header.blocks == 1 {
                "changes its shape on the way"
            } else {
                "packs several units in a frame"
            };
            return Err(SourceError::new(place, what).with_remedy("convert it to FLAC and add that"));
        }
        let body = self.read(header.len - 7)?;
        if body.len() < header.len - 7 {
            return Err(SourceError::truncated(place, "the last frame is cut short"));
        }
        let pts = Timestamp::new(i64::try_from(self.frames * 1024).unwrap_or(i64::MAX));
        self.frames += 1;
        Ok(Some(Packet::new(0, pts, Duration::new(1024), &body[header.header - 7..])))
    }

    fn read(&mut self, most: usize) -> Result<Vec<u8>, SourceError> {
        let mut bytes = Vec::with_capacity(most);
        self.reader.by_ref().take(most as u64).read_to_end(&mut bytes).map_err(|e| SourceError::io(&e))?;
        Ok(bytes)
    }
}

//! AAC in ADTS frames (ISO/IEC 14496-3 section 1.A.3): whole frames, header and all, as the decoder wants them.

use std::io::{BufReader, Read};

use symphonia::core::packet::Packet;
use symphonia::core::units::{Duration, Timestamp};

use super::SourceError;
use super::mpeg::{adts_frame_len, adts_shape};
use super::region::Region;

/// Reads frame after frame.
#[derive(Debug)]
pub(super) struct AdtsReader {
    reader: BufReader<Region>,
    frames: u64,
    samples: u64,
}

impl AdtsReader {
    /// Reads from a region that stands at its first frame.
    pub(super) fn new(region: Region) -> Self {
        Self { reader: BufReader::with_capacity(64 * 1024, region), frames: 0, samples: 0 }
    }

    /// The next frame; its duration is in samples of the core's rate, which is half the output's with SBR.
    ///
    /// # Errors
    /// When the stream loses sync, or ends within a frame.
    pub(super) fn next_packet(&mut self) -> Result<Option<Packet>, SourceError> {
        let mut frame = self.read(7)?;
        if frame.is_empty() {
            return Ok(None);
        }
        let place = || format!("adts (frame {})", self.frames);
        let cut = || SourceError::truncated(place(), "the last frame is cut short");
        if frame.len() < 7 {
            return Err(cut());
        }
        let header = adts_frame_len(&frame).zip(adts_shape(&frame));
        let Some((len, (_, samples))) = header else {
            return Err(SourceError::new(place(), "not a frame header; the stream is damaged"));
        };
        let body = self.read(len - 7)?;
        if body.len() < len - 7 {
            return Err(SourceError::truncated(
                format!("adts (frame {})", self.frames),
                "the last frame is cut short",
            ));
        }
        frame.extend(body);
        let pts = Timestamp::new(i64::try_from(self.samples).unwrap_or(i64::MAX));
        self.frames += 1;
        self.samples += u64::from(samples);
        Ok(Some(Packet::new(0, pts, Duration::new(u64::from(samples)), frame)))
    }

    fn read(&mut self, most: usize) -> Result<Vec<u8>, SourceError> {
        let mut bytes = Vec::with_capacity(most);
        self.reader.by_ref().take(most as u64).read_to_end(&mut bytes).map_err(|e| SourceError::io(&e))?;
        Ok(bytes)
    }
}

//! Headers of MPEG audio frames (ISO/IEC 11172-3 section 2.4.2.3, 13818-3) and of ADTS frames (14496-3 section
//! 1.A.3.2): enough to recognise a stream, to find its first frame and what an encoder declared about its length.

use super::SourceError;
use super::sniff::Container;

/// Frames that must follow one another before bytes in the middle of a file count as a stream.
const RUN: usize = 3;

/// The header of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    container: Container,
    /// Layer 1 to 3; 0 for ADTS.
    layer: u8,
    /// Whole frame, bytes.
    len: usize,
    /// Samples per channel.
    samples: u32,
    /// Bytes of side information that stand between header and a Xing tag.
    side_info: usize,
}

/// Where a stream of MPEG or ADTS frames begins in `head`, and which of the two it is; `None` if there is none.
pub(super) fn locate(head: &[u8]) -> Option<(Container, u8, usize)> {
    (0..head.len().saturating_sub(6)).find_map(|at| {
        let first = Header::parse(&head[at..])?;
        is_run(head, at, first).then_some((first.container, first.layer, at))
    })
}

/// Recognises MPEG layer 3 and ADTS; layers 1 and 2 are recognised to be refused.
pub(super) fn find(head: &[u8]) -> Option<Result<Container, SourceError>> {
    let (container, layer, _) = locate(head)?;
    if container == Container::Mp3 && layer != 3 {
        let refused = SourceError::new("file", format!("mpeg audio layer {layer} is not supported"));
        return Some(Err(refused.with_remedy("convert it to FLAC and add that")));
    }
    Some(Ok(container))
}

/// Samples per channel that a Xing or Info tag in the first frame declares, delay and padding included.
pub(super) fn declared_samples(head: &[u8]) -> Option<u64> {
    let (_, _, at) = locate(head)?;
    let header = Header::parse(&head[at..])?;
    let tag = head.get(at + 4 + header.side_info..)?;
    let (id, flags, frames) = (tag.get(..4)?, tag.get(4..8)?, tag.get(8..12)?);
    if !matches!(id, b"Xing" | b"Info") || flags[3] & 1 == 0 {
        return None;
    }
    let frames = u32::from_be_bytes([frames[0], frames[1], frames[2], frames[3]]);
    (frames > 0).then(|| u64::from(frames) * u64::from(header.samples))
}

/// The header of an ADTS frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Adts {
    /// Whole frame, bytes.
    pub(super) len: usize,
    /// Header, bytes: 7, or 9 with a checksum.
    pub(super) header: usize,
    /// Sample rate of the core, Hz.
    pub(super) rate: u32,
    /// Access units in the frame.
    pub(super) blocks: u8,
    /// The AudioSpecificConfig (ISO/IEC 14496-3 section 1.6.2.1) that says the same.
    pub(super) config: [u8; 2],
}

impl Adts {
    /// Reads the header that begins `bytes`.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        const RATES: [u32; 13] = [
            96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
            7_350,
        ];
        if bytes.len() < 7 || bytes[0] != 0xff || bytes[1] & 0xf6 != 0xf0 {
            return None;
        }
        let (object_type, rate_index) = ((bytes[2] >> 6) + 1, bytes[2] >> 2 & 15);
        let channels = (bytes[2] & 1) << 2 | bytes[3] >> 6;
        let len = usize::from(bytes[3] & 3) << 11 | usize::from(bytes[4]) << 3 | usize::from(bytes[5] >> 5);
        let header = if bytes[1] & 1 == 0 { 9 } else { 7 };
        let config = [object_type << 3 | rate_index >> 1, rate_index << 7 | channels << 3];
        let rate = *RATES.get(usize::from(rate_index))?;
        (len > header).then_some(Self { len, header, rate, blocks: (bytes[6] & 3) + 1, config })
    }
}

fn is_run(head: &[u8], start: usize, first: Header) -> bool {
    let needed = if start == 0 { 2 } else { RUN };
    let mut at = start + first.len;
    for _ in 1..needed {
        let Some(rest) = head.get(at..).filter(|rest| rest.len() >= 7) else {
            // The bytes end here. At the start of a file that is a very short, or cut, stream.
            return start == 0;
        };
        match Header::parse(rest) {
            Some(next) if next.container == first.container && next.layer == first.layer => at += next.len,
            _ => return false,
        }
    }
    true
}

impl Header {
    fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < 7 || bytes[0] != 0xff {
            return None;
        }
        Self::parse_adts(bytes).or_else(|| Self::parse_mpeg(bytes))
    }

    fn parse_mpeg(bytes: &[u8]) -> Option<Self> {
        const RATES: [u32; 3] = [44_100, 48_000, 32_000];
        const V1L1: [u32; 14] = [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448];
        const V1L2: [u32; 14] = [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384];
        const V1L3: [u32; 14] = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
        const V2L1: [u32; 14] = [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256];
        const V2L23: [u32; 14] = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
        if bytes[1] & 0xe0 != 0xe0 {
            return None;
        }
        let halvings = match bytes[1] >> 3 & 3 {
            3 => 0,
            2 => 1,
            0 => 2,
            _ => return None,
        };
        let layer = 4 - (bytes[1] >> 1 & 3);
        let bit_rates = match (halvings, layer) {
            (0, 1) => V1L1,
            (0, 2) => V1L2,
            (0, 3) => V1L3,
            (_, 1) => V2L1,
            (_, 2 | 3) => V2L23,
            _ => return None,
        };
        let kbps = *bit_rates.get(usize::from(bytes[2] >> 4).checked_sub(1)?)?;
        let rate = RATES.get(usize::from(bytes[2] >> 2 & 3))? >> halvings;
        let padding = u32::from(bytes[2] >> 1 & 1);
        let samples = match (layer, halvings) {
            (1, _) => 384,
            (3, 1..) => 576,
            _ => 1152,
        };
        let slot = if layer == 1 { 4 } else { 1 };
        let len = ((samples / 8 / slot * kbps * 1000 / rate) + padding) * slot;
        let mono = bytes[3] >> 6 == 3;
        let side_info = match (halvings, mono) {
            (0, false) => 32,
            (0, true) | (_, false) => 17,
            (_, true) => 9,
        };
        Some(Self { container: Container::Mp3, layer, len: len as usize, samples, side_info })
    }

    fn parse_adts(bytes: &[u8]) -> Option<Self> {
        let Adts { len, .. } = Adts::parse(bytes)?;
        Some(Self { container: Container::Adts, layer: 0, len, samples: 1024, side_info: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 128 kbit/s, 44.1 kHz, stereo: 417 bytes.
    fn frame() -> Vec<u8> {
        let mut bytes = vec![0xff, 0xfb, 0x90, 0x00];
        bytes.resize(417, 0);
        bytes
    }

    #[test]
    fn runs_are_found_behind_junk() {
        let run = frame().repeat(4);
        assert_eq!(locate(&run), Some((Container::Mp3, 3, 0)));
        let behind = [vec![0; 1000], run].concat();
        assert_eq!(locate(&behind), Some((Container::Mp3, 3, 1000)));
        assert_eq!(locate(&frame()), Some((Container::Mp3, 3, 0)));
        assert_eq!(locate(&[vec![0; 1000], frame()].concat()), None);
        assert_eq!(locate(&[frame(), vec![1; 900]].concat()), None);
    }

    #[test]
    fn layer_two_is_refused() {
        let mut bytes = vec![0xff, 0xfd, 0x80, 0x00];
        bytes.resize(417, 0);
        assert!(find(&bytes.repeat(3)).unwrap().unwrap_err().reason.contains("layer 2"));
    }

    #[test]
    fn xing_tag_declares_the_length() {
        let mut first = frame();
        first[36..40].copy_from_slice(b"Info");
        first[43] = 1;
        first[46..48].copy_from_slice(&[1, 2]);
        let file = [first, frame(), frame()].concat();
        assert_eq!(declared_samples(&file), Some(258 * 1152));
        assert_eq!(declared_samples(&frame().repeat(3)), None);
    }

    #[test]
    fn adts_headers_are_read() {
        let header = [0xff, 0xf1, 0x50, 0x80, 0x02, 0x1f, 0xfc, 0];
        // LC, rate index 4, two channels: the usual 0x1210.
        let want = Adts { len: 16, header: 7, rate: 44_100, blocks: 1, config: [0x12, 0x10] };
        assert_eq!(Adts::parse(&header), Some(want));
    }
}

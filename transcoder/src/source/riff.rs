//! WAV and AIFF chunk headers, read to compare the declared length of the sound with the bytes that are there.

use super::SourceError;
use super::region::Region;
use super::sniff::Container;

/// Chunks looked at before the sound.
const MAX_CHUNKS: usize = 4096;

/// Looks for the chunk with the sound and checks that it lies within the file.
///
/// Writers that could not seek back leave the length at 0xFFFFFFFF; then the sound runs to the end of the file, and
/// that length is shown to the reader instead.
///
/// # Errors
/// When there is no such chunk, it is empty, or it claims more bytes than the file has.
pub(super) fn check(region: &mut Region, container: Container) -> Result<(), SourceError> {
    let (wanted, offset) = match container {
        Container::Wav => (b"data", 0),
        _ => (b"SSND", 8),
    };
    let place = format!("{} ({})", container.name(), String::from_utf8_lossy(wanted).to_lowercase());
    let mut at = 12;
    for _ in 0..MAX_CHUNKS {
        let head = region.read_at(at, 8)?;
        let Ok(head) = <[u8; 8]>::try_from(head) else {
            return Err(SourceError::truncated(place, "the file ends before any sound"));
        };
        let (id, size) = (&head[..4], [head[4], head[5], head[6], head[7]]);
        let size = match container {
            Container::Wav => u32::from_le_bytes(size),
            _ => u32::from_be_bytes(size),
        };
        if id == wanted {
            let there = region.len() - (at + 8).min(region.len());
            check_size(&place, u64::from(size), offset, there)?;
            if size == u32::MAX && container == Container::Wav {
                region.patch(at + 4, u32::try_from(there).unwrap_or(size).to_le_bytes());
            }
            return Ok(());
        }
        at += 8 + u64::from(size) + u64::from(size & 1);
    }
    Err(SourceError::new(place, "no sound among the first 4096 chunks"))
}

fn check_size(place: &str, declared: u64, offset: u64, there: u64) -> Result<(), SourceError> {
    if declared <= offset || there <= offset {
        return Err(SourceError::new(place, "holds no samples").with_remedy("export it again"));
    }
    if declared > there && declared != u64::from(u32::MAX) {
        return Err(SourceError::truncated(
            place,
            format!("declares {declared} bytes, only {there} are there"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(container: Container, bytes: &[u8]) -> Result<(), SourceError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, bytes).unwrap();
        check(&mut Region::open(&path).unwrap(), container)
    }

    fn wav(declared: u32, there: usize) -> Vec<u8> {
        let mut bytes = b"RIFF\0\0\0\0WAVEjunk\x03\0\0\0abc\0data".to_vec();
        bytes.extend(declared.to_le_bytes());
        bytes.resize(bytes.len() + there, 0);
        bytes
    }

    #[test]
    fn declared_and_present_bytes_are_compared() {
        assert!(checked(Container::Wav, &wav(8, 8)).is_ok());
        assert!(checked(Container::Wav, &wav(8, 9)).is_ok());
        assert!(checked(Container::Wav, &wav(u32::MAX, 8)).is_ok());
        let short = checked(Container::Wav, &wav(8, 7)).unwrap_err().to_string();
        assert_eq!(
            short,
            "wav (data): declares 8 bytes, only 7 are there; the file is truncated; copy or download it again"
        );
        assert!(checked(Container::Wav, &wav(0, 0)).unwrap_err().reason.contains("no samples"));
        assert!(
            checked(Container::Wav, b"RIFF\0\0\0\0WAVE").unwrap_err().reason.contains("before any sound")
        );
    }

    #[test]
    fn aiff_counts_from_behind_offset_and_block_size() {
        let file = b"FORM\0\0\0\0AIFFSSND\0\0\0\x0a\0\0\0\0\0\0\0\0ab";
        assert!(checked(Container::Aiff, file).is_ok());
        assert!(checked(Container::Aiff, &file[..29]).is_err());
    }
}

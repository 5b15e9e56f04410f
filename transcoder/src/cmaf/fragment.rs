//! One fragment: `moof` and the header of its `mdat` (14496-12 8.8, 23000-19 7.3.3).

use mp4_atom::{Encode, FourCC, Header, Mfhd, Moof, Tfdt, Tfhd, Traf, Trun, TrunEntry, TrunSamples};

use super::{CmafError, Result, SYNC_FLAGS, TRACK_ID, put, roll};

/// Bytes of the `mdat` header.
const MDAT_HEADER: usize = 8;

/// What a fragment says about its access units.
#[derive(Debug, Clone, Copy)]
pub struct Fragment<'a> {
    /// Counts from 1 in every rendition.
    pub sequence: u32,
    /// Decode time of the first access unit, in samples.
    pub decode_time: u64,
    /// Samples of each access unit.
    pub frame_samples: u32,
    /// Samples of the last access unit, `frame_samples` or less: the padding behind the source is cut off here.
    pub last_samples: u32,
    /// Bytes of each access unit.
    pub sizes: &'a [u32],
}

/// Writes everything of a fragment but the access units themselves: they follow back to back, so that they can be
/// written to the file from where they lie.
///
/// # Errors
/// When the fragment holds nothing, or a figure does not fit its field.
pub fn head(fragment: &Fragment) -> Result<Vec<u8>> {
    check(fragment)?;
    let mut out = Vec::with_capacity(160 + fragment.sizes.len() * 8);
    let mut moof = moof(fragment);
    put(&mut out, "moof", &moof)?;
    let data_offset = i32::try_from(out.len() + MDAT_HEADER)
        .map_err(|_| CmafError::new("trun", "the data offset is over 2 GiB"))?;
    // The offset has a fixed width, so the second writing is as long as the first.
    moof.traf[0].trun[0].data_offset = Some(data_offset);
    out.clear();
    put(&mut out, "moof", &moof)?;
    let payload: u64 = fragment.sizes.iter().map(|&size| u64::from(size)).sum();
    let size = usize::try_from(payload)
        .ok()
        .filter(|&size| size < (u32::MAX as usize - MDAT_HEADER))
        .ok_or_else(|| CmafError::new("mdat", "over 4 GiB"))?;
    put(&mut out, "mdat", &MdatHeader(size))?;
    Ok(out)
}

struct MdatHeader(usize);

impl Encode for MdatHeader {
    fn encode<B: mp4_atom::BufMut>(&self, buf: &mut B) -> mp4_atom::Result<()> {
        Header { kind: FourCC::new(b"mdat"), size: Some(self.0) }.encode(buf)
    }
}

fn check(fragment: &Fragment) -> Result<()> {
    let need = |holds: bool, what| if holds { Ok(()) } else { Err(CmafError::new("trun", what)) };
    need(!fragment.sizes.is_empty(), "sample count is zero")?;
    need(!fragment.sizes.contains(&0), "a sample is empty")?;
    need((1..=fragment.frame_samples).contains(&fragment.last_samples), "the last duration is out of range")
}

fn moof(fragment: &Fragment) -> Moof {
    let tfhd = Tfhd {
        track_id: TRACK_ID,
        default_sample_duration: Some(fragment.frame_samples),
        default_sample_flags: Some(SYNC_FLAGS),
        default_base_is_moof: true,
        ..Tfhd::default()
    };
    let traf = Traf {
        tfhd,
        tfdt: Some(Tfdt { base_media_decode_time: fragment.decode_time }),
        trun: vec![Trun { data_offset: Some(0), samples: TrunSamples::Explicit(entries(fragment)) }],
        sbgp: vec![roll::membership(fragment.sizes.len() as u32)],
        ..Traf::default()
    };
    Moof { mfhd: Mfhd { sequence_number: fragment.sequence }, traf: vec![traf] }
}

/// Durations are stated only where the last one differs from the default.
fn entries(fragment: &Fragment) -> Vec<TrunEntry> {
    let shortened = fragment.last_samples != fragment.frame_samples;
    let duration = shortened.then_some(fragment.frame_samples);
    let entry = |&size: &u32| TrunEntry { duration, size: Some(size), ..TrunEntry::default() };
    let mut entries: Vec<_> = fragment.sizes.iter().map(entry).collect();
    if let Some(last) = entries.last_mut().filter(|_| shortened) {
        last.duration = Some(fragment.last_samples);
    }
    entries
}

#[cfg(test)]
mod tests {
    use mp4_atom::Decode;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            sequence in 1u32.., decode_time in any::<u64>(),
            sizes in proptest::collection::vec(1u32..2000, 1..200), last_samples in 1u32..=1024,
        ) {
            let fragment = Fragment { sequence, decode_time, frame_samples: 1024, last_samples, sizes: &sizes };
            let bytes = head(&fragment).unwrap();
            let mut rest = &bytes[..];
            let moof = Moof::decode(&mut rest).unwrap();
            let mdat = Header::decode(&mut rest).unwrap();
            prop_assert!(rest.is_empty());
            prop_assert_eq!((mdat.kind, mdat.size), (FourCC::new(b"mdat"), Some(sizes.iter().sum::<u32>() as usize)));
            let traf = &moof.traf[0];
            prop_assert_eq!(moof.mfhd.sequence_number, sequence);
            prop_assert_eq!(traf.tfdt.as_ref().map(|t| t.base_media_decode_time), Some(decode_time));
            prop_assert!(traf.tfhd.default_base_is_moof);
            let trun = &traf.trun[0];
            prop_assert_eq!(trun.data_offset, Some(bytes.len() as i32));
            prop_assert_eq!(trun.samples.iter().map(|e| e.size.unwrap()).collect::<Vec<_>>(), sizes.clone());
            let default = traf.tfhd.default_sample_duration.unwrap();
            let total: u32 = trun.samples.iter().map(|e| e.duration.unwrap_or(default)).sum();
            prop_assert_eq!(total, (sizes.len() as u32 - 1) * 1024 + last_samples);
            prop_assert_eq!(traf.sbgp[0].entries[0].sample_count as usize, sizes.len());
        }
    }

    #[test]
    fn impossible_fragments_are_refused() {
        let good =
            Fragment { sequence: 1, decode_time: 0, frame_samples: 1024, last_samples: 1024, sizes: &[1] };
        assert!(head(&good).is_ok());
        let text = |fragment: Fragment| head(&fragment).unwrap_err().to_string();
        assert_eq!(text(Fragment { sizes: &[], ..good }), "cmaf (trun): sample count is zero");
        assert_eq!(text(Fragment { sizes: &[1, 0], ..good }), "cmaf (trun): a sample is empty");
        for last_samples in [0, 1025] {
            assert!(text(Fragment { last_samples, ..good }).contains("last duration"));
        }
    }
}

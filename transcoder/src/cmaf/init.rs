//! The init segment: `ftyp` and `moov` (23000-19 7.3.2).

use mp4_atom::Ftyp;

use super::{Result, container, movie, presentation, put, sample_table};
use crate::encode::Stream;

/// Brand `iso6` and the CMAF structural brand, with the timeline in samples.
///
/// It depends on the encoder's figures alone, never on the track, so that all assets of one shape share one init
/// segment and players fetch it once.
///
/// # Errors
/// When a figure does not fit its field.
pub fn init_segment(stream: &Stream) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(800);
    let ftyp = Ftyp {
        major_brand: b"iso6".into(),
        minor_version: 0,
        compatible_brands: vec![b"iso6".into(), b"cmfc".into()],
    };
    put(&mut out, "ftyp", &ftyp)?;
    container(&mut out, b"moov", |out| {
        put(out, "mvhd", &movie::header(stream))?;
        container(out, b"trak", |out| track(stream, out))?;
        put(out, "mvex", &movie::extends(stream))
    })?;
    Ok(out)
}

fn track(stream: &Stream, out: &mut Vec<u8>) -> Result<()> {
    put(out, "tkhd", &presentation::track_header())?;
    put(out, "edts", &presentation::edits(stream))?;
    container(out, b"mdia", |out| {
        put(out, "mdhd", &presentation::media_header(stream))?;
        put(out, "hdlr", &presentation::handler())?;
        container(out, b"minf", |out| {
            put(out, "smhd", &presentation::sound_header())?;
            put(out, "dinf", &presentation::data_information())?;
            container(out, b"stbl", |out| sample_table::write(stream, out))
        })
    })
}

#[cfg(test)]
mod tests {
    use mp4_atom::{AnySampleGroupEntry, Codec, Decode, Moov, u24};

    use super::*;

    fn stream() -> Stream {
        Stream {
            codec: "mp4a.40.2",
            config: vec![0x12, 0x10],
            sample_rate: 44_100,
            channels: 2,
            frame_samples: 1024,
            delay: 1600,
            bit_rate: 256_000,
            buffer_bytes: 1536,
        }
    }

    fn read(bytes: &[u8]) -> (Ftyp, Moov) {
        let mut rest = bytes;
        let read = (Ftyp::decode(&mut rest).unwrap(), Moov::decode(&mut rest).unwrap());
        assert!(rest.is_empty());
        read
    }

    #[test]
    fn timeline_brands_and_durations() {
        let (ftyp, moov) = read(&init_segment(&stream()).unwrap());
        assert_eq!((ftyp.major_brand, ftyp.compatible_brands.len()), (b"iso6".into(), 2));
        let track = &moov.trak[0];
        assert_eq!((moov.mvhd.duration, track.tkhd.duration, track.mdia.mdhd.duration), (0, 0, 0));
        assert_eq!((moov.mvhd.timescale, track.mdia.mdhd.timescale), (44_100, 44_100));
        assert_eq!(track.mdia.mdhd.language, "und");
        assert_eq!(moov.mvex.as_ref().unwrap().trex[0].track_id, track.tkhd.track_id);
    }

    #[test]
    fn one_edit_skips_the_encoder_delay() {
        let (_, moov) = read(&init_segment(&stream()).unwrap());
        let edits = moov.trak[0].edts.as_ref().unwrap().elst.as_ref().unwrap();
        assert_eq!(edits.entries.len(), 1);
        let edit = &edits.entries[0];
        assert_eq!((edit.media_time, edit.segment_duration), (Some(1600), 0));
        assert_eq!((edit.media_rate.integer(), edit.media_rate.decimal()), (1, 0));
    }

    #[test]
    fn sample_entry_carries_the_encoders_own_config() {
        let (_, moov) = read(&init_segment(&stream()).unwrap());
        let stbl = &moov.trak[0].mdia.minf.stbl;
        let [Codec::Mp4a(entry)] = &stbl.stsd.codecs[..] else { panic!("{:?}", stbl.stsd) };
        assert_eq!((entry.audio.channel_count, entry.audio.sample_rate.integer()), (2, 44_100));
        let config = &entry.esds.es_desc.dec_config;
        assert_eq!(config.dec_specific.as_ref().unwrap().raw, [0x12, 0x10]);
        assert_eq!((config.object_type_indication, config.stream_type), (0x40, 5));
        assert_eq!((config.avg_bitrate, config.max_bitrate), (256_000, 256_000 + 12_288));
        assert_eq!(config.buffer_size_db, u24::try_from(1536).unwrap());
    }

    #[test]
    fn decoders_roll_in_over_one_access_unit() {
        let (_, moov) = read(&init_segment(&stream()).unwrap());
        let stbl = &moov.trak[0].mdia.minf.stbl;
        assert_eq!((stbl.sgpd[0].grouping_type, stbl.sgpd[0].default_length), (b"roll".into(), Some(2)));
        let AnySampleGroupEntry::UnknownGroupingType(_, distance) = &stbl.sgpd[0].entries[0].entry else {
            panic!("{:?}", stbl.sgpd)
        };
        assert_eq!(distance[..], (-1i16).to_be_bytes());
        assert_eq!((stbl.sbgp[0].grouping_type, stbl.sbgp[0].entries.len()), (b"roll".into(), 0));
    }

    #[test]
    fn equal_figures_give_equal_bytes() {
        assert_eq!(init_segment(&stream()), init_segment(&stream()));
        let faster = Stream { bit_rate: 320_000, ..stream() };
        assert_ne!(init_segment(&stream()), init_segment(&faster));
    }
}

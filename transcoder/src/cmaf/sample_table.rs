//! `stbl`: the sample entry, and tables that stay empty because fragments hold the access units (14496-12 8.5).

use mp4_atom::{Audio, Codec, Mp4a, Stco, Stsc, Stsd, Stsz, Stts, esds, u24};

use super::{CmafError, Result, put, roll};
use crate::encode::Stream;

/// MPEG-4 Audio (14496-1 7.2.6.6.2).
const OBJECT_TYPE_AUDIO: u8 = 0x40;
/// Audio stream (14496-1 7.2.6.6.2).
const STREAM_TYPE_AUDIO: u8 = 5;

pub(super) fn write(stream: &Stream, out: &mut Vec<u8>) -> Result<()> {
    put(out, "stsd", &Stsd { codecs: vec![Codec::Mp4a(sample_entry(stream)?)] })?;
    put(out, "stts", &Stts::default())?;
    put(out, "stsc", &Stsc::default())?;
    put(out, "stsz", &Stsz::default())?;
    put(out, "stco", &Stco::default())?;
    put(out, "sgpd", &roll::description())?;
    put(out, "sbgp", &roll::membership(0))
}

/// `mp4a` with `esds` (14496-14 5.6).
fn sample_entry(stream: &Stream) -> Result<Mp4a> {
    let sample_rate = u16::try_from(stream.sample_rate)
        .map_err(|_| CmafError::new("mp4a", "the sample rate is over 65535 Hz"))?;
    let audio = Audio {
        data_reference_index: 1,
        channel_count: u16::from(stream.channels),
        sample_size: 16,
        sample_rate: sample_rate.into(),
    };
    Ok(Mp4a { audio, esds: descriptor(stream)?, btrt: None, taic: None })
}

/// ES_ID is 0 in files (14496-14 3.1.2). Any second carries at most its bit rate and one full reservoir.
fn descriptor(stream: &Stream) -> Result<esds::Esds> {
    let buffer_size_db = u24::try_from(stream.buffer_bytes)
        .map_err(|_| CmafError::new("esds", "the decoder buffer is over 16 MiB"))?;
    let specific = esds::DecoderSpecific { raw: stream.config.clone(), ..Default::default() };
    let dec_config = esds::DecoderConfig {
        object_type_indication: OBJECT_TYPE_AUDIO,
        stream_type: STREAM_TYPE_AUDIO,
        up_stream: 0,
        buffer_size_db,
        max_bitrate: stream.bit_rate + stream.buffer_bytes * 8,
        avg_bitrate: stream.bit_rate,
        dec_specific: Some(specific),
    };
    Ok(esds::Esds { es_desc: esds::EsDescriptor { dec_config, ..Default::default() } })
}

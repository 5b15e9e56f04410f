//! From a path to coded packets: containers, the span of them that is presented, and the checks that a source is whole.

use std::path::Path;

use segue_manifests::Source;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_AAC, CODEC_ID_ALAC, CODEC_ID_FLAC, CODEC_ID_OPUS};
use symphonia::core::formats::probe::{Hint, Probe};
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::default::formats::{AiffReader, FlacReader, IsoMp4Reader, MpaReader, OggReader, WavReader};

use super::adts::AdtsReader;
use super::guard::{explained, guarded};
use super::limits::{MAX_SECONDS, SAMPLE_RATES};
use super::mp4::scale;
use super::region::Region;
use super::sniff::{Container, SNIFF_BYTES, sniff};
use super::{SourceError, mp4, mpeg, riff};

/// Which part of the decoded samples is presented, counted in samples of the container's clock ([`Stream::clock`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Span {
    /// Samples before the first presented one: encoder delay.
    pub(super) skip: u64,
    /// Samples after the last presented one: encoder padding.
    pub(super) drop_end: u64,
    /// Presented samples, where the container says so.
    pub(super) limit: Option<u64>,
    /// True if the packets' durations say how much of each is presented.
    pub(super) by_duration: bool,
}

/// What is known of a stream before any packet is read.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    /// Container, for places in errors.
    pub(super) container: Container,
    /// Codec and its parameters.
    pub(super) params: AudioCodecParameters,
    /// Ticks a second of packet durations and of the span; mostly the sample rate.
    pub(super) clock: u32,
    /// What is presented.
    pub(super) span: Span,
    /// Ticks that the container declares, delay and padding included; a source with fewer is truncated.
    declared: Option<u64>,
    track_id: u32,
}

/// Reads the packets of the one sound track of a file.
pub(super) struct Demux {
    reader: Reader,
    stream: Stream,
    packets: u64,
    ticks: u64,
}

enum Reader {
    Symphonia(Box<dyn FormatReader>),
    Adts(AdtsReader),
}

impl Demux {
    /// Opens a file, recognises it and finds its sound.
    ///
    /// # Errors
    /// When the file cannot be read, is not supported, is protected, or is visibly cut.
    pub(super) fn open(path: &Path) -> Result<Self, SourceError> {
        let mut region = Region::open(path)?;
        let head = region.read_at(0, SNIFF_BYTES)?;
        if head.is_empty() {
            return Err(SourceError::truncated("file", "holds tags and artwork but no sound"));
        }
        let container = sniff(&head).map_err(|error| match region.has_tags_around() {
            true => SourceError { reason: format!("{}, behind its tags", error.reason), ..error },
            false => error,
        })?;
        let (reader, stream) = guarded(container.name(), || open_reader(region, &head, container))?;
        stream.check()?;
        Ok(Self { reader, stream, packets: 0, ticks: 0 })
    }

    /// The stream that the packets belong to.
    pub(super) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// `flac (packet 12, 1.114 s)`: the place of the packet read last.
    pub(super) fn place(&self) -> String {
        let seconds = self.ticks as f64 / f64::from(self.stream.clock);
        format!("{} (packet {}, {seconds:.3} s)", self.stream.container.name(), self.packets)
    }

    /// Ticks of all packets so far.
    pub(super) fn ticks(&self) -> u64 {
        self.ticks
    }

    /// The next packet of the sound track; `None` at the end of a whole source.
    ///
    /// # Errors
    /// When the container is damaged, ends early, or the source is longer than the limit.
    pub(super) fn next_packet(&mut self) -> Result<Option<Packet>, SourceError> {
        let place = self.place();
        let track_id = self.stream.track_id;
        let reader = &mut self.reader;
        let read = guarded(&place, || match reader {
            Reader::Adts(adts) => adts.next_packet(),
            Reader::Symphonia(format) => loop {
                match format.next_packet() {
                    Ok(Some(packet)) if packet.track_id != track_id => {}
                    Ok(packet) => break Ok(packet),
                    Err(error) => break Err(explained(place.clone(), &error)),
                }
            },
        })?;
        match read {
            Some(packet) => self.count(&packet).map(|()| Some(packet)),
            None => self.finish().map(|()| None),
        }
    }

    fn count(&mut self, packet: &Packet) -> Result<(), SourceError> {
        if self.stream.container == Container::Flac && packet.pts.get().unsigned_abs() != self.ticks {
            return Err(SourceError::new(self.place(), "frames before this one are missing or damaged")
                .with_remedy("copy or download the file again"));
        }
        self.packets += 1;
        self.ticks = self.ticks.saturating_add(packet.block_dur().get());
        if self.ticks / u64::from(self.stream.clock) > MAX_SECONDS {
            let reason = format!("is longer than the limit of {} hours", MAX_SECONDS / 3600);
            return Err(SourceError::new(self.stream.container.name(), reason).with_remedy("split it"));
        }
        Ok(())
    }

    fn finish(&self) -> Result<(), SourceError> {
        let name = self.stream.container.name();
        if self.packets == 0 {
            return Err(SourceError::truncated(name, "holds no sound, only headers or tags"));
        }
        match self.stream.declared {
            Some(declared) if self.ticks < declared => {
                let (found, clock) = (self.ticks as f64, f64::from(self.stream.clock));
                let reason = format!(
                    "declares {:.3} s of sound, only {:.3} s are there",
                    declared as f64 / clock,
                    found / clock
                );
                Err(SourceError::truncated(name, reason))
            }
            _ => Ok(()),
        }
    }
}

impl Stream {
    /// Description for the descriptor.
    pub(super) fn describe(&self) -> Source {
        let codec = self.codec_name();
        let lossless = codec.starts_with("pcm") || matches!(codec.as_str(), "flac" | "alac");
        let bits = self.params.bits_per_coded_sample.or(self.params.bits_per_sample).filter(|_| lossless);
        let bits = bits.unwrap_or(0);
        let channels = self.params.channels.as_ref().map_or(0, |channels| channels.count());
        Source {
            codec,
            sample_rate: self.params.sample_rate.unwrap_or(0),
            channels: u8::try_from(channels).unwrap_or(u8::MAX),
            bits: u8::try_from(bits).unwrap_or(0),
        }
    }

    fn codec_name(&self) -> String {
        let registered = symphonia::default::get_codecs().get_audio_decoder(self.params.codec);
        match (self.params.codec, registered) {
            (CODEC_ID_AAC, _) => "aac".to_owned(),
            (CODEC_ID_OPUS, _) => "opus".to_owned(),
            (_, Some(decoder)) => decoder.codec.info.short_name.to_owned(),
            (other, None) => other.to_string(),
        }
    }

    fn check(&self) -> Result<(), SourceError> {
        let place = self.container.name();
        let rate = self.params.sample_rate.unwrap_or(0);
        if !SAMPLE_RATES.contains(&rate) || self.clock == 0 {
            let (low, high) = SAMPLE_RATES.into_inner();
            return Err(SourceError::new(
                place,
                format!("a sample rate of {rate} Hz is not between {low} and {high} Hz"),
            ));
        }
        Ok(())
    }
}

fn open_reader(
    mut region: Region,
    head: &[u8],
    container: Container,
) -> Result<(Reader, Stream), SourceError> {
    match container {
        Container::Wav | Container::Aiff => riff::check(&mut region, container)?,
        Container::Mp3 | Container::Adts => region.skip(mpeg::locate(head).map_or(0, |(_, _, at)| at as u64)),
        Container::Flac | Container::Ogg | Container::Mp4 => {}
    }
    if container == Container::Adts {
        return open_adts(region);
    }
    let sound = if container == Container::Mp4 { Some(mp4::inspect(&mut region)?) } else { None };
    let format = probe(region.rewound()?, container)?;
    let wanted = |track: &&Track| sound.as_ref().is_none_or(|sound| sound.track_id == track.id);
    let track = match sound {
        Some(_) => format.tracks().iter().find(wanted),
        None => format.default_track(TrackType::Audio),
    };
    let place = container.name();
    let track = track.ok_or_else(|| SourceError::new(place, "has no sound in a coding that segue knows"))?;
    let params = track.codec_params.as_ref().and_then(|params| params.audio());
    let params =
        params.ok_or_else(|| SourceError::new(place, "has no sound in a coding that segue knows"))?;
    let params = with_depth(params.clone());
    let clock = track.time_base.filter(|base| base.numer.get() == 1).map_or(0, |base| base.denom.get());
    let span = span(container, track, sound.as_ref());
    let declared = declared(container, track, head);
    let stream = Stream { container, params, clock, span, declared, track_id: track.id };
    Ok((Reader::Symphonia(format), stream))
}

fn open_adts(mut region: Region) -> Result<(Reader, Stream), SourceError> {
    let head = region.read_at(0, 16)?;
    let mpeg::Adts { rate, config, .. } =
        mpeg::Adts::parse(&head).ok_or_else(|| SourceError::new("adts", "has no frame"))?;
    let mut params = AudioCodecParameters::new();
    params.for_codec(CODEC_ID_AAC).with_sample_rate(rate).with_extra_data(config.into());
    let span = Span::default();
    let stream =
        Stream { container: Container::Adts, params, clock: rate, span, declared: None, track_id: 0 };
    Ok((Reader::Adts(AdtsReader::new(region.rewound()?, config)), stream))
}

/// Makes the one reader that fits; formats are never guessed among.
fn probe(region: Region, container: Container) -> Result<Box<dyn FormatReader>, SourceError> {
    let mut probe = Probe::new();
    match container {
        Container::Wav => probe.register_format::<WavReader<'_>>(),
        Container::Aiff => probe.register_format::<AiffReader<'_>>(),
        Container::Flac => probe.register_format::<FlacReader<'_>>(),
        Container::Mp3 | Container::Adts => probe.register_format::<MpaReader<'_>>(),
        Container::Ogg => probe.register_format::<OggReader<'_>>(),
        Container::Mp4 => probe.register_format::<IsoMp4Reader<'_>>(),
    }
    let stream = MediaSourceStream::new(Box::new(region), MediaSourceStreamOptions::default());
    probe
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| explained(container.name().to_owned(), &error))
}

/// Adds the bits per sample that MP4 leaves to the codec's own header.
fn with_depth(mut params: AudioCodecParameters) -> AudioCodecParameters {
    let header = params.extra_data.as_deref().unwrap_or_default();
    let bits = match (params.codec, header) {
        // ALACSpecificConfig: frame length, version, bit depth.
        (CODEC_ID_ALAC, [_, _, _, _, _, bits, ..]) => u32::from(*bits),
        // STREAMINFO (RFC 9639 section 8.2): the bit depth less one is 5 bits behind rate and channels.
        (CODEC_ID_FLAC, header) if header.len() == 34 => {
            u32::from((header[12] & 1) << 4 | header[13] >> 4) + 1
        }
        _ => return params,
    };
    params.with_bits_per_coded_sample(bits);
    params
}

fn span(container: Container, track: &Track, sound: Option<&mp4::Sound>) -> Span {
    let (delay, padding) = (u64::from(track.delay.unwrap_or(0)), u64::from(track.padding.unwrap_or(0)));
    match (container, sound) {
        // The LAME tag; an estimate of the length, which symphonia trims by where there is no tag, is not used.
        (Container::Mp3, _) => Span { skip: delay, drop_end: padding, ..Span::default() },
        // Opus: the pre-skip (RFC 7845 section 4.2). Vorbis: the first packet only primes the decoder, which knows.
        (Container::Ogg, _) if is_opus(track) => Span { skip: delay, ..Span::default() },
        (_, Some(sound)) => {
            Span { skip: sound.start, limit: sound.length, by_duration: true, ..Span::default() }
        }
        _ => Span::default(),
    }
}

fn is_opus(track: &Track) -> bool {
    let audio = track.codec_params.as_ref().and_then(|params| params.audio());
    audio.is_some_and(|params| params.codec == CODEC_ID_OPUS)
}

/// Encoders in use write last granule positions a little past the samples of the last packet; a lost page, which is
/// what the comparison is for, costs more than this many samples.
const OGG_TOLERANCE: u64 = 960;

/// What a whole source holds at least, where the container tells. `num_frames` is an estimate in the others.
fn declared(container: Container, track: &Track, head: &[u8]) -> Option<u64> {
    match container {
        Container::Flac => track.num_frames,
        // Some encoders count the frame that carries the tag.
        Container::Mp3 => mpeg::declared_samples(head).map(|samples| samples.saturating_sub(1152)),
        Container::Ogg => {
            let start = u64::try_from(track.start_ts.get()).unwrap_or(0);
            track.num_frames.map(|end| end.saturating_sub(start + OGG_TOLERANCE))
        }
        _ => None,
    }
}

impl Span {
    /// The same span counted in samples of another rate: that of the decoder's output.
    pub(super) fn at_rate(self, rate: u32, clock: u32) -> Self {
        let to_rate = |ticks| scale(ticks, rate, clock);
        Self {
            skip: to_rate(self.skip),
            drop_end: to_rate(self.drop_end),
            limit: self.limit.map(to_rate),
            by_duration: self.by_duration,
        }
    }
}

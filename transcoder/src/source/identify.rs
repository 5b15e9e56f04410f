//! Who a source is: a digest of its coded sound that tags, names and artwork do not enter.

use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use segue_manifests::AssetId;
use symphonia::core::audio::Channels;

use super::demux::{Demux, Stream};
use super::pcm::Shape;
use super::sniff::Container;
use super::{Identity, SourceError, artwork, tags};

/// Enters every digest; a change of what is hashed changes it too.
const VERSION: &[u8] = b"segue asset 1\0";

/// Finds out what the file at `path` is: its identity, tags, artwork and shape.
///
/// Every packet is read, so that a cut or damaged container is found before anything is encoded.
///
/// # Errors
/// When the file cannot be read, is not supported audio, is protected, or ends before its container says.
pub fn identify(path: &Path) -> Result<Identity, SourceError> {
    let mut demux = Demux::open(path)?;
    let shape = Shape::of(path)?;
    let asset = digest(&mut demux)?;
    let mut source = demux.stream().describe();
    source.sample_rate = shape.rate;
    source.channels = u8::try_from(shape.layout.len()).unwrap_or(u8::MAX);
    let (tags, pictures) = tags::read(path);
    let artwork = artwork::choose(path, pictures);
    Ok(Identity { asset, tags, artwork, source, pcm: shape.spec() })
}

fn digest(demux: &mut Demux) -> Result<AssetId, SourceError> {
    let mut context = Context::new(&SHA256);
    context.update(VERSION);
    hash_parameters(&mut context, demux.stream());
    let container = demux.stream().container;
    // PCM is cut into packets by the reader, not by the file, so its packets have no borders here.
    let is_pcm = matches!(container, Container::Wav | Container::Aiff);
    while let Some(packet) = demux.next_packet()? {
        if !is_pcm {
            context.update(&(packet.data.len() as u64).to_le_bytes());
        }
        if matches!(container, Container::Ogg | Container::Mp4) {
            context.update(&packet.dur.get().to_le_bytes());
        }
        context.update(&packet.data);
    }
    let mut asset = AssetId([0; 16]);
    asset.0.copy_from_slice(&context.finish().as_ref()[..16]);
    Ok(asset)
}

fn hash_parameters(context: &mut Context, stream: &Stream) {
    let described = stream.describe();
    let (kind, positions) = match &stream.params.channels {
        Some(Channels::Positioned(positions)) => (1, positions.bits()),
        Some(other) => (2, other.count() as u64),
        None => (0, 0),
    };
    let numbers = [
        u64::from(described.sample_rate),
        u64::from(described.bits),
        u64::from(stream.clock),
        kind,
        positions,
        stream.span.skip,
        stream.span.drop_end,
        stream.span.limit.map_or(u64::MAX, |limit| limit),
    ];
    let extra = stream.params.extra_data.as_deref().unwrap_or_default();
    for part in [described.codec.as_bytes(), extra] {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part);
    }
    numbers.iter().for_each(|number| context.update(&number.to_le_bytes()));
}

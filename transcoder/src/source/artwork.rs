//! Artwork: the embedded front cover, else a picture beside the file.
//!
//! JPEG and PNG are published byte for byte; other formats become JPEG, or PNG where they are transparent. A picture
//! that is broken, or over the limits, is passed over for the next candidate.

use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat, ImageReader, Limits};

use super::SourceError;
use super::guard::guarded;
use super::limits::{MAX_ARTWORK_BYTES, MAX_ARTWORK_SIDE};
use super::tags::Picture;

/// Names of cover pictures without extension, most telling first.
const STEMS: [&str; 6] = ["cover", "folder", "front", "album", "albumart", "artwork"];
/// Their extensions, most welcome first.
const EXTENSIONS: [&str; 6] = ["jpg", "jpeg", "png", "webp", "bmp", "gif"];
/// Directory entries looked at.
const MAX_ENTRIES: usize = 20_000;
/// Quality of re-encoded pictures.
const JPEG_QUALITY: u8 = 90;
/// Memory that decoding a picture may take, bytes.
const MAX_DECODE_BYTES: u64 = 256 * 1024 * 1024;

/// Artwork as it will be published.
#[derive(Clone, PartialEq, Eq)]
pub struct Artwork {
    /// The image file.
    pub bytes: Vec<u8>,
    /// `jpg` or `png`.
    pub extension: &'static str,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

impl std::fmt::Debug for Artwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Artwork({} {}x{}, {} bytes)", self.extension, self.width, self.height, self.bytes.len())
    }
}

/// The first usable picture: embedded ones in their order, then those beside the file.
pub(super) fn choose(path: &Path, embedded: Vec<Picture>) -> Option<Artwork> {
    let usable = |bytes: Vec<u8>, what: &str| {
        prepare(bytes)
            .inspect_err(|error| {
                tracing::warn!(source.path = %path.display(), source.reason = %error, "{what} artwork passed over");
            })
            .ok()
    };
    embedded
        .into_iter()
        .find_map(|picture| usable(picture.bytes, "embedded"))
        .or_else(|| beside(path).into_iter().find_map(|file| usable(read(&file)?, "folder")))
}

/// Checks a picture and brings it into a published format.
///
/// # Errors
/// When it is no picture, broken, or over the limits.
fn prepare(bytes: Vec<u8>) -> Result<Artwork, SourceError> {
    guarded("artwork", || {
        if bytes.len() as u64 > MAX_ARTWORK_BYTES {
            return Err(refused(format!("is {} bytes; the limit is {MAX_ARTWORK_BYTES}", bytes.len())));
        }
        let reader = reader(&bytes)?;
        let format = reader.format();
        let (width, height) = reader.into_dimensions().map_err(|e| refused(e.to_string()))?;
        if width.max(height) > MAX_ARTWORK_SIDE || width.min(height) == 0 {
            return Err(refused(format!(
                "is {width}x{height} pixels; the limit is {MAX_ARTWORK_SIDE} a side"
            )));
        }
        let extension = match format {
            Some(ImageFormat::Jpeg) => "jpg",
            Some(ImageFormat::Png) => "png",
            _ => return encoded(reader_of(&bytes)?),
        };
        Ok(Artwork { bytes, extension, width, height })
    })
}

fn reader(bytes: &[u8]) -> Result<ImageReader<Cursor<&[u8]>>, SourceError> {
    ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| refused(e.to_string()))
}

fn reader_of(bytes: &[u8]) -> Result<DynamicImage, SourceError> {
    let mut reader = reader(bytes)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_ARTWORK_SIDE);
    limits.max_image_height = Some(MAX_ARTWORK_SIDE);
    limits.max_alloc = Some(MAX_DECODE_BYTES);
    reader.limits(limits);
    reader.decode().map_err(|e| refused(e.to_string()))
}

fn encoded(picture: DynamicImage) -> Result<Artwork, SourceError> {
    let (width, height) = (picture.width(), picture.height());
    let mut bytes = Vec::new();
    let transparent =
        picture.color().has_alpha() && picture.to_rgba8().pixels().any(|pixel| pixel.0[3] < 255);
    let (extension, written) = if transparent {
        ("png", picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png))
    } else {
        let opaque = DynamicImage::ImageRgb8(picture.to_rgb8());
        ("jpg", opaque.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY)))
    };
    written.map_err(|e| refused(e.to_string()))?;
    Ok(Artwork { bytes, extension, width, height })
}

/// Pictures in the file's folder that are named like covers, best first; names are compared without case.
fn beside(path: &Path) -> Vec<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<((usize, usize), PathBuf)> = entries
        .take(MAX_ENTRIES)
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter_map(|file| Some((rank(&file)?, file)))
        .collect();
    found.sort();
    found.into_iter().map(|(_, file)| file).collect()
}

fn rank(file: &Path) -> Option<(usize, usize)> {
    let lower = |part: Option<&std::ffi::OsStr>| part.and_then(|part| part.to_str()).map(str::to_lowercase);
    let (stem, extension) = (lower(file.file_stem())?, lower(file.extension())?);
    let of = |list: &[&str], name: &str| list.iter().position(|known| *known == name);
    Some((of(&STEMS, &stem)?, of(&EXTENSIONS, &extension)?))
}

fn read(file: &Path) -> Option<Vec<u8>> {
    if !std::fs::metadata(file).ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    // One byte over the limit is enough to know that it is over.
    std::fs::File::open(file).ok()?.take(MAX_ARTWORK_BYTES + 1).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn refused(reason: String) -> SourceError {
    SourceError::new("artwork", reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgba, RgbaImage};

    fn picture(format: ImageFormat, alpha: u8) -> Vec<u8> {
        let image = DynamicImage::ImageRgba8(RgbaImage::from_pixel(6, 4, Rgba([200, 30, 60, alpha])));
        let image = if alpha == 255 { DynamicImage::ImageRgb8(image.to_rgb8()) } else { image };
        let mut bytes = Vec::new();
        image.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
        bytes
    }

    #[test]
    fn jpeg_and_png_are_kept_and_others_converted() {
        for (format, alpha, extension, kept) in [
            (ImageFormat::Jpeg, 255, "jpg", true),
            (ImageFormat::Png, 90, "png", true),
            (ImageFormat::Bmp, 255, "jpg", false),
            (ImageFormat::WebP, 255, "jpg", false),
            (ImageFormat::WebP, 90, "png", false),
        ] {
            let bytes = picture(format, alpha);
            let artwork = prepare(bytes.clone()).unwrap();
            assert_eq!((artwork.extension, artwork.width, artwork.height), (extension, 6, 4), "{format:?}");
            assert_eq!(artwork.bytes == bytes, kept, "{format:?}");
            let again = image::load_from_memory(&artwork.bytes).unwrap();
            assert_eq!((again.width(), again.height()), (6, 4));
        }
    }

    #[test]
    fn broken_and_huge_pictures_are_refused() {
        assert!(prepare(b"no picture".to_vec()).is_err());
        assert!(prepare(vec![0; MAX_ARTWORK_BYTES as usize + 1]).unwrap_err().reason.contains("limit"));
        let mut wide = picture(ImageFormat::Bmp, 255);
        wide[18..22].copy_from_slice(&20_000u32.to_le_bytes());
        assert!(prepare(wide).is_err());
    }

    #[test]
    fn the_best_named_picture_beside_the_file_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let song = dir.path().join("a.flac");
        let put = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
        assert_eq!(choose(&song, Vec::new()), None);
        put("FOLDER.PNG", &picture(ImageFormat::Png, 9));
        put("Cover.JPG", b"broken");
        put("back.jpg", &picture(ImageFormat::Jpeg, 255));
        assert_eq!(choose(&song, Vec::new()).unwrap().extension, "png");
        put("cover.webp", &picture(ImageFormat::WebP, 255));
        assert_eq!(choose(&song, Vec::new()).unwrap().extension, "jpg");
        let embedded = |bytes: Vec<u8>| vec![Picture { is_front: true, bytes }];
        assert_eq!(choose(&song, embedded(picture(ImageFormat::Png, 255))).unwrap().extension, "png");
        assert_eq!(choose(&song, embedded(b"broken".to_vec())).unwrap().extension, "jpg");
    }
}

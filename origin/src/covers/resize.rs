//! Making covers smaller. Artwork comes from strangers' files: decoding is bounded in pixels and memory.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageError, ImageReader, Limits, Rgb, RgbImage};

const MAX_SIDE: u32 = 10_000;
const MAX_ALLOC: u64 = 160 << 20;
const JPEG_QUALITY: u8 = 84;

/// Fits an image into a square of `size` pixels, keeping its shape, never larger than it was; as JPEG.
/// Transparent parts become white.
pub(super) fn fit(bytes: &[u8], size: u32) -> Result<Vec<u8>, ImageError> {
    let image = decode(bytes)?;
    let small = match image.width().max(image.height()) > size {
        true => shrink(&image, size),
        false => image,
    };
    let mut jpeg = Vec::with_capacity(32 << 10);
    opaque(&small).write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY))?;
    Ok(jpeg)
}

fn decode(bytes: &[u8]) -> Result<DynamicImage, ImageError> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_ALLOC);
    reader.limits(limits);
    reader.decode()
}

/// Large images first fall to about twice the size by averaging, which is cheap; the last step is sharp.
fn shrink(image: &DynamicImage, size: u32) -> DynamicImage {
    if image.width().max(image.height()) / 4 > size {
        return image.thumbnail(size * 2, size * 2).resize(size, size, FilterType::Lanczos3);
    }
    image.resize(size, size, FilterType::Lanczos3)
}

fn opaque(image: &DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.to_rgb8();
    }
    let image = image.to_rgba8();
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let [r, g, b, a] = image.get_pixel(x, y).0;
        let over = |c: u8| ((u16::from(c) * u16::from(a) + 255 * (255 - u16::from(a))) / 255) as u8;
        Rgb([over(r), over(g), over(b)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageFormat, RgbaImage};

    fn png(width: u32, height: u32, alpha: u8) -> Vec<u8> {
        let image = RgbaImage::from_pixel(width, height, image::Rgba([200, 0, 0, alpha]));
        let mut out = Cursor::new(Vec::new());
        image.write_to(&mut out, ImageFormat::Png).unwrap();
        out.into_inner()
    }

    fn fitted(bytes: &[u8], size: u32) -> RgbImage {
        image::load_from_memory_with_format(&fit(bytes, size).unwrap(), ImageFormat::Jpeg).unwrap().to_rgb8()
    }

    #[test]
    fn fits_keep_their_shape_and_never_grow() {
        for (width, height, size, expected) in [
            (1000, 500, 96, (96, 48)),
            (1000, 500, 768, (768, 384)),
            (50, 20, 96, (50, 20)),
            (4000, 4000, 96, (96, 96)),
        ] {
            assert_eq!(fitted(&png(width, height, 255), size).dimensions(), expected);
        }
    }

    #[test]
    fn transparent_becomes_white() {
        let pixel = fitted(&png(20, 20, 0), 96).get_pixel(5, 5).0;
        assert!(pixel.iter().all(|c| *c > 250), "{pixel:?}");
    }

    #[test]
    fn broken_and_oversized_images_are_refused() {
        assert!(fit(b"", 96).is_err());
        assert!(fit(b"<svg onload=alert(1)>", 96).is_err());
        let good = png(300, 300, 255);
        assert!(fit(&good[..good.len() / 2], 96).is_err());
        // A head that promises more pixels than is sane.
        let mut bomb = png(10, 10, 255);
        bomb[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
        assert!(fit(&bomb, 96).is_err());
    }
}

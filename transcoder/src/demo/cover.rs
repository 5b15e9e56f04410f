//! The cover, drawn by code: the sun comes up over layered hills, and rings spread from it like sound.
//! Colours are mixed in Oklab, so that gradients stay even and clean; a fine grain keeps them from banding.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageError};

use super::random::Random;

/// Pixels along each side.
pub(super) const SIDE: usize = 1000;

type Rgb = [f32; 3];

/// The sky from top to horizon: position and colour.
const SKY: [(f32, u32); 6] = [
    (0.0, 0x131a3a),
    (0.26, 0x3a2f63),
    (0.44, 0x8a4673),
    (0.56, 0xd9727a),
    (0.66, 0xf6ab7c),
    (0.74, 0xfde0ae),
];
const SUN: [(f32, u32); 3] = [(0.0, 0xfffbe9), (0.5, 0xffe3a6), (1.0, 0xff9f68)];
const SUN_AT: (f32, f32) = (0.5, 0.555);
const SUN_RADIUS: f32 = 0.158;
const GLOW: u32 = 0xffc49a;
const RINGS: u32 = 0xffd9b0;

/// A range of hills: height of its ridge, three waves (amplitude, length, shift), its colours at the ridge, far
/// below, and where the sun grazes it.
struct Hills {
    ridge: f32,
    waves: [(f32, f32, f32); 3],
    top: u32,
    bottom: u32,
    light: u32,
}

const HILLS: [Hills; 5] = [
    Hills {
        ridge: 0.632,
        waves: [(0.012, 0.62, 0.10), (0.007, 0.27, 0.3), (0.002, 0.11, 0.7)],
        top: 0xe58f84,
        bottom: 0xd27b83,
        light: 0xffc9a0,
    },
    Hills {
        ridge: 0.690,
        waves: [(0.026, 0.95, 0.58), (0.008, 0.33, 0.1), (0.002, 0.13, 0.2)],
        top: 0xb9607e,
        bottom: 0x95507b,
        light: 0xf09a8a,
    },
    Hills {
        ridge: 0.762,
        waves: [(0.032, 1.15, 0.18), (0.011, 0.46, 0.6), (0.002, 0.17, 0.4)],
        top: 0x7b4478,
        bottom: 0x5a3a70,
        light: 0xc4708c,
    },
    Hills {
        ridge: 0.842,
        waves: [(0.034, 1.05, 0.74), (0.010, 0.41, 0.2), (0.003, 0.15, 0.9)],
        top: 0x45316a,
        bottom: 0x2f2758,
        light: 0x8a4f8c,
    },
    Hills {
        ridge: 0.925,
        waves: [(0.030, 1.30, 0.36), (0.012, 0.52, 0.8), (0.003, 0.19, 0.5)],
        top: 0x231f4a,
        bottom: 0x10132f,
        light: 0x54408a,
    },
];

/// The cover as JPEG.
pub(super) fn jpeg() -> Result<Vec<u8>, ImageError> {
    let mut bytes = Vec::new();
    let side = SIDE as u32;
    JpegEncoder::new_with_quality(&mut bytes, 92).write_image(
        &draw(),
        side,
        side,
        ExtendedColorType::Rgb8,
    )?;
    Ok(bytes)
}

/// The pixels, row by row.
pub(super) fn draw() -> Vec<u8> {
    let painter = Painter::new();
    let mut grain = Random::new(0xc0ffee);
    let mut pixels = Vec::with_capacity(SIDE * SIDE * 3);
    for row in 0..SIDE {
        for column in 0..SIDE {
            let at = |i: usize| (i as f32 + 0.5) / SIDE as f32;
            let speck = (grain.signed() + grain.signed()) * 0.0065;
            let colour = painter.colour(at(column), at(row));
            pixels.extend(to_rgb([colour[0] + speck, colour[1], colour[2]]));
        }
    }
    pixels
}

/// Colours in Oklab, converted once.
struct Painter {
    sky: Vec<(f32, Rgb)>,
    sun: Vec<(f32, Rgb)>,
    glow: Rgb,
    rings: Rgb,
    hills: Vec<[Rgb; 3]>,
}

impl Painter {
    fn new() -> Self {
        let stops = |stops: &[(f32, u32)]| stops.iter().map(|(at, hex)| (*at, oklab(*hex))).collect();
        Self {
            sky: stops(&SKY),
            sun: stops(&SUN),
            glow: oklab(GLOW),
            rings: oklab(RINGS),
            hills: HILLS.iter().map(|hills| [hills.top, hills.bottom, hills.light].map(oklab)).collect(),
        }
    }

    /// The colour at a place (0..1 from the left and from the top).
    fn colour(&self, x: f32, y: f32) -> Rgb {
        let away = (x - SUN_AT.0).hypot(y - SUN_AT.1);
        let mut colour = gradient(&self.sky, y);
        colour = mix(colour, self.glow, 0.62 * (-away / 0.17).exp());
        colour = mix(colour, self.rings, rings(away));
        let down = (y - SUN_AT.1 + SUN_RADIUS) / (2.0 * SUN_RADIUS);
        colour = mix(colour, gradient(&self.sun, down), edge(away - SUN_RADIUS));
        for (hills, tones) in HILLS.iter().zip(&self.hills) {
            colour = range(colour, hills, tones, x, y);
        }
        colour
    }
}

/// One range of hills in front of what lies behind it.
fn range(behind: Rgb, hills: &Hills, [top, bottom, light]: &[Rgb; 3], x: f32, y: f32) -> Rgb {
    let below = y - ridge(hills, x);
    let cover = edge(-below);
    if cover == 0.0 {
        return behind;
    }
    let colour = mix(*top, *bottom, smooth((below / 0.13).clamp(0.0, 1.0)));
    let near = (-((x - SUN_AT.0) / 0.3).powi(2)).exp();
    mix(behind, mix(colour, *light, 0.8 * near * (-below.max(0.0) / 0.016).exp()), cover)
}

/// Height of a ridge at x.
fn ridge(hills: &Hills, x: f32) -> f32 {
    let wave = |(amplitude, length, shift): &(f32, f32, f32)| {
        amplitude * (std::f32::consts::TAU * (x / length + shift)).sin()
    };
    hills.ridge + hills.waves.iter().map(wave).sum::<f32>()
}

/// Thin rings around the sun, each fainter and farther from the last.
fn rings(away: f32) -> f32 {
    let mut radius = SUN_RADIUS;
    let mut strength = 0.0;
    for ring in 0..7 {
        radius += 0.034 + 0.0085 * ring as f32;
        let width = 0.0011;
        strength += edge((away - radius).abs() - width) * 0.42 * 0.76_f32.powi(ring);
    }
    strength
}

/// How much of a pixel lies inside of an edge at this signed distance.
fn edge(distance: f32) -> f32 {
    (0.5 - distance * SIDE as f32).clamp(0.0, 1.0)
}

fn smooth(x: f32) -> f32 {
    x * x * (3.0 - 2.0 * x)
}

fn mix(a: Rgb, b: Rgb, share: f32) -> Rgb {
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * share)
}

/// The colour at a position between stops.
fn gradient(stops: &[(f32, Rgb)], at: f32) -> Rgb {
    let after = stops.partition_point(|(stop, _)| *stop <= at).clamp(1, stops.len() - 1);
    let ((from, a), (to, b)) = (stops[after - 1], stops[after]);
    mix(a, b, ((at - from) / (to - from)).clamp(0.0, 1.0))
}

/// sRGB as 0xrrggbb to Oklab (Ottosson, 2020).
fn oklab(hex: u32) -> Rgb {
    let linear = |shift: u32| {
        let value = ((hex >> shift) & 0xff) as f32 / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    let (r, g, b) = (linear(16), linear(8), linear(0));
    let l = (0.412_221_47 * r + 0.536_332_5 * g + 0.051_445_99 * b).cbrt();
    let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
    let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
    [
        0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
        1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
        0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
    ]
}

/// Oklab to sRGB bytes.
fn to_rgb([lightness, a, b]: Rgb) -> [u8; 3] {
    let l = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let m = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let s = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    let linear = [
        4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s,
        -1.268_438 * l + 2.609_757_4 * m - 0.341_319_4 * s,
        -0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s,
    ];
    linear.map(|value| {
        let value = value.clamp(0.0, 1.0);
        let encoded =
            if value <= 0.003_130_8 { value * 12.92 } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 };
        (encoded * 255.0).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_survive_the_way_through_oklab() {
        for hex in [0x000000, 0xffffff, 0x123456, 0xff8000, 0x8a4673_u32] {
            let [_, r, g, b] = hex.to_be_bytes();
            let back = to_rgb(oklab(hex));
            assert!(back.iter().zip([r, g, b]).all(|(x, y)| x.abs_diff(y) <= 1), "{hex:06x} became {back:?}");
        }
    }

    #[test]
    fn the_picture_is_the_same_every_time_and_has_a_sun() {
        let pixels = draw();
        assert_eq!(pixels, draw());
        let pixel = |x: usize, y: usize| &pixels[3 * (y * SIDE + x)..][..3];
        assert!(pixel(500, 480).iter().all(|c| *c > 140), "the sun is bright: {:?}", pixel(500, 480));
        assert!(pixel(10, 10).iter().all(|c| *c < 80), "the night is not");
        assert!(pixel(500, 995).iter().all(|c| *c < 70));
    }

    #[test]
    fn the_jpeg_reads_back() {
        let bytes = jpeg().expect("encoding to memory");
        let picture = image::load_from_memory(&bytes).expect("our own picture");
        assert_eq!((picture.width(), picture.height()), (1000, 1000));
        assert!((50_000..700_000).contains(&bytes.len()), "{} bytes", bytes.len());
    }
}

use hayro::hayro_syntax::page::Page;
use hayro::vello_cpu::Pixmap;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
use hayro_interpret::InterpreterSettings;

use crate::image::Picture;

/// Width of a picture, and what its area may not exceed, in pixels.
const WIDTH: f64 = 1_000.0;
const PIXELS_MAX: f64 = 4_000_000.0;
/// Fine enough for the modules of a QR code.
const GREY_WIDTH: f64 = 2_000.0;
/// Dots an inch over 72 for character recognition: fine print is legible, and nothing is gained by more.
const SCAN_SCALE_MAX: f64 = 4.0;
/// Letters that differ less than this from their ground, of 255 in each colour, are not seen.
const CONTRAST_MIN: u8 = 12;
/// The part of a word's area, between its top and its bottom, that all letters and figures cross.
const CORE: [f64; 2] = [0.25, 0.85];

/// The picture of a page: as PNG, about 1,000 pixels wide, and as it was painted.
pub(super) struct Painted {
    pub(super) png: Vec<u8>,
    width: usize,
    /// Red, green and blue of each pixel.
    pixels: Vec<[u8; 3]>,
    scale: f64,
}

/// Paints a page. May panic on hostile pages, as the next two may: the caller catches it.
pub(super) fn of_page<'a>(
    page: &'a Page<'a>,
    cache: &RenderCache<'a>,
    settings: &InterpreterSettings,
) -> Option<Painted> {
    let scale = WIDTH / f64::from(page.render_dimensions().0);
    let (painted, scale) = paint(page, cache, settings, scale)?;
    let width = usize::from(painted.width());
    let pixels = painted.data().iter().map(|pixel| [pixel.r, pixel.g, pixel.b]).collect();
    Some(Painted { png: painted.into_png().ok()?, width, pixels, scale })
}

/// The page in grey.
pub(super) struct Grey {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<u8>,
    /// Pixels to a point.
    pub(super) scale: f64,
}

/// The page for the reader of QR codes.
pub(super) fn in_grey<'a>(page: &'a Page<'a>, cache: &RenderCache<'a>, settings: &InterpreterSettings) -> Option<Grey> {
    let scale = GREY_WIDTH / f64::from(page.render_dimensions().0);
    let (painted, scale) = paint(page, cache, settings, scale)?;
    let (pixels, _) = painted.data_as_u8_slice().as_chunks::<4>();
    let grey = |[red, green, blue, _]: &[u8; 4]| {
        ((u16::from(*red) + u16::from(*green) + u16::from(*blue)) / 3).to_le_bytes()[0]
    };
    let pixels: Vec<u8> = pixels.iter().map(grey).collect();
    Some(Grey { width: painted.width().into(), height: painted.height().into(), pixels, scale })
}

/// The page for character recognition.
pub(super) fn for_recognition<'a>(
    page: &'a Page<'a>,
    cache: &RenderCache<'a>,
    settings: &InterpreterSettings,
) -> Option<Picture> {
    let (painted, _) = paint(page, cache, settings, SCAN_SCALE_MAX)?;
    let (width, height) = (usize::from(painted.width()), usize::from(painted.height()));
    let (pixels, _) = painted.data_as_u8_slice().as_chunks::<4>();
    let rgb = pixels.iter().flat_map(|[red, green, blue, _]| [*red, *green, *blue]).collect();
    Picture::new(width, height, rgb)
}

/// The page at this scale, or a smaller one where it would have too many pixels.
fn paint<'a>(
    page: &'a Page<'a>,
    cache: &RenderCache<'a>,
    settings: &InterpreterSettings,
    scale: f64,
) -> Option<(Pixmap, f64)> {
    let (width, height) = page.render_dimensions();
    let (width, height) = (f64::from(width), f64::from(height));
    let scale = scale.min((PIXELS_MAX / (width * height)).sqrt());
    // The renderer counts pixels in 16 bits and cannot paint on none.
    if !scale.is_finite()
        || !(1.0..=16_000.0).contains(&(width * scale))
        || !(1.0..=16_000.0).contains(&(height * scale))
    {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a scale needs no more than six digits")]
    let single = scale as f32;
    let pixmap = PixmapSettings { x_scale: single, y_scale: single, bg_color: WHITE };
    Some((hayro::render(page, cache, settings, &RenderSettings::default(), &pixmap), scale))
}

impl Painted {
    /// Is something painted where a word stands (left, top, right, bottom in points)? Also true where the picture cannot tell.
    pub(super) fn shows(&self, [left, top, right, bottom]: [f64; 4]) -> bool {
        let [from, to] = CORE;
        let (width, height) = (right - left, bottom - top);
        // Upright words are taller than wide; their letters stand across.
        let area = if width < height {
            [left + (1.0 - to) * width, top, left + to * width, bottom]
        } else {
            [left, top + from * height, right, top + to * height]
        };
        let [left, top, right, bottom] = area.map(|it| (it * self.scale).clamp(0.0, 65_535.0) as usize);
        let (mut least, mut most, mut n_pixels) = ([255_u8; 3], [0_u8; 3], 0);
        for row in self.pixels.chunks(self.width.max(1)).take(bottom + 1).skip(top) {
            for pixel in row.iter().take(right + 1).skip(left) {
                n_pixels += 1;
                for ((colour, least), most) in pixel.iter().zip(&mut least).zip(&mut most) {
                    *least = (*least).min(*colour);
                    *most = (*most).max(*colour);
                }
            }
        }
        let contrast = most.iter().zip(least).map(|(most, least)| most.saturating_sub(least)).max().unwrap_or(0);
        n_pixels < 2 || CONTRAST_MIN <= contrast
    }
}

/// The picture of a page that cannot be painted: one grey pixel, so that nobody takes it for an empty page.
pub(crate) fn blank() -> Vec<u8> {
    const GREY_PIXEL: &[u8] = &[
        0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8,
        0, 0, 0, 0, 0x3a, 0x7e, 0x9b, 0x55, 0, 0, 0, 10, b'I', b'D', b'A', b'T', 0x78, 0x9c, 0x63, 0x68, 0x00, 0x00,
        0x00, 0x82, 0x00, 0x81, 0x77, 0xcd, 0x72, 0xb6, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
    ];
    GREY_PIXEL.to_vec()
}

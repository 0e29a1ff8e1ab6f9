use hayro::hayro_syntax::page::Page;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
use hayro_interpret::InterpreterSettings;

use crate::image::Picture;

/// Width of a picture, and what its area may not exceed, in pixels.
const WIDTH: f64 = 1_000.0;
const PIXELS_MAX: f64 = 4_000_000.0;

/// A picture of the page as PNG, about 1,000 pixels wide. May panic on hostile pages: the caller catches it.
pub(super) fn of_page<'a>(
    page: &'a Page<'a>,
    cache: &RenderCache<'a>,
    settings: &InterpreterSettings,
) -> Option<Vec<u8>> {
    let (width, height) = page.render_dimensions();
    let (width, height) = (f64::from(width), f64::from(height));
    let scale = (WIDTH / width).min((PIXELS_MAX / (width * height)).sqrt());
    // The renderer counts pixels in 16 bits and cannot paint on none.
    if !scale.is_finite()
        || !(1.0..=16_000.0).contains(&(width * scale))
        || !(1.0..=16_000.0).contains(&(height * scale))
    {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a scale needs no more than six digits")]
    let scale = scale as f32;
    let pixmap = PixmapSettings { x_scale: scale, y_scale: scale, bg_color: WHITE };
    hayro::render(page, cache, settings, &RenderSettings::default(), &pixmap).into_png().ok()
}

/// What a page that is read as a picture has of pixels, at most: A4 at 200 dots an inch.
const SCAN_PIXELS: f64 = 3_900_000.0;
/// Dots an inch over 72: fine print is legible, and nothing is gained by more.
const SCAN_SCALE_MAX: f64 = 4.0;

/// The page for character recognition. May panic on hostile pages: the caller catches it.
pub(super) fn for_recognition<'a>(
    page: &'a Page<'a>,
    cache: &RenderCache<'a>,
    settings: &InterpreterSettings,
) -> Option<Picture> {
    let (width, height) = page.render_dimensions();
    let scale = (SCAN_PIXELS / (f64::from(width) * f64::from(height))).sqrt().min(SCAN_SCALE_MAX);
    if !(1.0..=16_000.0).contains(&(f64::from(width) * scale))
        || !(1.0..=16_000.0).contains(&(f64::from(height) * scale))
    {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a scale needs no more than six digits")]
    let scale = scale as f32;
    let pixmap = PixmapSettings { x_scale: scale, y_scale: scale, bg_color: WHITE };
    let painted = hayro::render(page, cache, settings, &RenderSettings::default(), &pixmap);
    let (width, height) = (usize::from(painted.width()), usize::from(painted.height()));
    let rgb = painted.data_as_u8_slice().chunks_exact(4).flat_map(|it| it.iter().take(3)).copied().collect();
    Picture::new(width, height, rgb)
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

use hayro::hayro_syntax::page::Page;
use hayro::vello_cpu::Pixmap;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
use hayro_interpret::InterpreterSettings;

/// Width of a picture, and what its area may not exceed, in pixels.
const WIDTH: f64 = 1_000.0;
const GREY_WIDTH: f64 = 2_000.0;
const PIXELS_MAX: f64 = 4_000_000.0;

/// A picture of the page as PNG, about 1,000 pixels wide. May panic on hostile pages: the caller catches it.
pub(super) fn of_page<'a>(
    page: &'a Page<'a>,
    cache: &RenderCache<'a>,
    settings: &InterpreterSettings,
) -> Option<Vec<u8>> {
    painted(page, cache, settings, WIDTH)?.0.into_png().ok()
}

/// The page in grey, fine enough for the modules of a QR code.
pub(super) struct Grey {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<u8>,
    /// Pixels to a point.
    pub(super) scale: f64,
}

/// May panic on hostile pages: the caller catches it.
pub(super) fn in_grey<'a>(page: &'a Page<'a>, cache: &RenderCache<'a>, settings: &InterpreterSettings) -> Option<Grey> {
    let (pixmap, scale) = painted(page, cache, settings, GREY_WIDTH)?;
    let (pixels, _) = pixmap.data_as_u8_slice().as_chunks::<4>();
    let grey = |[red, green, blue, _]: &[u8; 4]| {
        ((u16::from(*red) + u16::from(*green) + u16::from(*blue)) / 3).to_le_bytes()[0]
    };
    let pixels: Vec<u8> = pixels.iter().map(grey).collect();
    Some(Grey { width: pixmap.width().into(), height: pixmap.height().into(), pixels, scale })
}

fn painted<'a>(
    page: &'a Page<'a>,
    cache: &RenderCache<'a>,
    settings: &InterpreterSettings,
    pixels_wide: f64,
) -> Option<(Pixmap, f64)> {
    let (width, height) = page.render_dimensions();
    let (width, height) = (f64::from(width), f64::from(height));
    let scale = (pixels_wide / width).min((PIXELS_MAX / (width * height)).sqrt());
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

/// The picture of a page that cannot be painted: one grey pixel, so that nobody takes it for an empty page.
pub(super) fn blank() -> Vec<u8> {
    const GREY_PIXEL: &[u8] = &[
        0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8,
        0, 0, 0, 0, 0x3a, 0x7e, 0x9b, 0x55, 0, 0, 0, 10, b'I', b'D', b'A', b'T', 0x78, 0x9c, 0x63, 0x68, 0x00, 0x00,
        0x00, 0x82, 0x00, 0x81, 0x77, 0xcd, 0x72, 0xb6, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
    ];
    GREY_PIXEL.to_vec()
}

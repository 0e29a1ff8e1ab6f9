use hayro::hayro_syntax::page::Page;
use hayro::vello_cpu::Pixmap;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
use hayro_interpret::InterpreterSettings;
use hayro_interpret::kurbo::Point;

use crate::image::Picture;

/// Width of a picture, and what its area may not exceed, in pixels.
const WIDTH: f64 = 1_000.0;
const PIXELS_MAX: f64 = 4_000_000.0;
/// Fine enough for the modules of a QR code.
const GREY_WIDTH: f64 = 2_000.0;
/// Dots an inch over 72 for character recognition: fine print is legible, and nothing is gained by more.
const SCAN_SCALE_MAX: f64 = 4.0;

/// The picture of a page, about 1,000 pixels wide, as it was painted.
pub(super) struct Painted {
    pixmap: Pixmap,
    /// Pixels to a point.
    pub(super) scale: f64,
}

/// Paints a page. May panic on hostile pages, as the next two may: the caller catches it.
pub(super) fn of_page<'a>(
    page: &'a Page<'a>,
    cache: &RenderCache<'a>,
    settings: &InterpreterSettings,
) -> Option<Painted> {
    let scale = WIDTH / f64::from(page.render_dimensions().0);
    let (pixmap, scale) = paint(page, cache, settings, scale)?;
    Some(Painted { pixmap, scale })
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
    /// The colour at a place in pixels; `None` off the page.
    pub(super) fn pixel(&self, at: Point) -> Option<[f32; 3]> {
        let (width, height) = (self.pixmap.width(), self.pixmap.height());
        let inside = (0.0..f64::from(width)).contains(&at.x) && (0.0..f64::from(height)).contains(&at.y);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it lies on the picture")]
        let idx = at.y as usize * usize::from(width) + at.x as usize;
        let pixel = self.pixmap.data().get(idx).filter(|_| inside)?;
        Some([pixel.r, pixel.g, pixel.b].map(f32::from))
    }

    pub(super) fn png(self) -> Option<Vec<u8>> {
        self.pixmap.into_png().ok()
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

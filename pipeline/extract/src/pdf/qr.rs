//! The QR code that a Chinese invoice carries.

use case::{Evidence, Field};
use rqrr::PreparedImage;

use super::picture::Grey;
use crate::field;

/// A code that was decoded has corrected its own errors.
const CONFIDENCE: f64 = 0.999;
/// Codes on one page that are tried.
const CODES_MAX: usize = 8;

/// What the code on the page says: of several, the one that speaks of an invoice. May panic on hostile pictures: the caller
/// catches it.
pub(super) fn read(picture: &Grey, page: u32) -> Option<Field> {
    let at = |x: usize, y: usize| picture.pixels.get(y * picture.width + x).copied().unwrap_or(u8::MAX);
    let mut image = PreparedImage::prepare_from_greyscale(picture.width, picture.height, at);
    let codes = image.detect_grids().into_iter().take(CODES_MAX).filter_map(|grid| {
        let (_, text) = grid.decode().ok()?;
        let xs = grid.bounds.map(|it| f64::from(it.x) / picture.scale);
        let ys = grid.bounds.map(|it| f64::from(it.y) / picture.scale);
        let (left, right) = (xs.into_iter().fold(f64::MAX, f64::min), xs.into_iter().fold(f64::MIN, f64::max));
        let (top, bottom) = (ys.into_iter().fold(f64::MAX, f64::min), ys.into_iter().fold(f64::MIN, f64::max));
        let text = text.trim().to_owned();
        let evidence = Evidence::Page {
            page,
            area: [left, top, right.max(left + 1.0), bottom.max(top + 1.0)],
            text: text.clone(),
        };
        (!text.is_empty()).then(|| field(text, CONFIDENCE, evidence))
    });
    let mut codes: Vec<Field> = codes.collect();
    codes.sort_by_key(|it| !it.value.starts_with("01,"));
    codes.into_iter().next()
}

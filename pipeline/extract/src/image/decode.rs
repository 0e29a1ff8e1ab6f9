//! PNG (ISO/IEC 15948), JPEG (ISO/IEC 10918-1) and TIFF 6.0, in Rust alone. Sizes are looked at before anything is unpacked.

use std::io::Cursor;

use tiff::decoder::DecodingResult;
use tiff::tags::Tag;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Picture, Raster, exif};
use crate::Unreadable;

/// Pixels of one page: twice what most telephones take, and A3 at 600 dots an inch.
pub(super) const PIXELS_MAX: u64 = 72_000_000;
const SIDE_MAX: usize = 32_000;
/// Lower than this nothing is legible.
const SIDE_MIN: usize = 8;
/// A progressive JPEG is read once for each of its scans.
const JPEG_SCANS_MAX: usize = 64;
/// Dots an inch that a page can have; a number outside was not measured.
const DPI: std::ops::RangeInclusive<f64> = 50.0..=2_400.0;
/// Points an inch, and what a picture has that does not say: one pixel is a point.
const POINTS: f64 = 72.0;

/// One page of a picture file.
pub(super) struct Sheet {
    pub(super) picture: Picture,
    /// Points a pixel.
    pub(super) scale: f64,
}

/// Hands the pages of a file to `page`, one after the other, until it says that it has enough. The number of pages of the file.
///
/// Errors: a file of which not even the first page can be read. One that breaks off later has the page as an error.
pub(super) fn sheets(
    file: &[u8],
    raster: Raster,
    mut page: impl FnMut(Result<Sheet, Unreadable>) -> bool,
) -> Result<usize, Unreadable> {
    match raster {
        Raster::Png => page(Ok(png(file)?)),
        Raster::Jpeg => page(Ok(jpeg(file)?)),
        Raster::Tiff => return tiff(file, page),
    };
    Ok(1)
}

fn broken(what: &'static str, why: impl ToString) -> Unreadable {
    // The libraries' words may quote the file; what matters is told in the first hundred characters.
    Unreadable::Broken { what, why: why.to_string().chars().filter(|it| !it.is_control()).take(100).collect() }
}

fn check_size(width: usize, height: usize) -> Result<(), Unreadable> {
    for side in [width, height] {
        if SIDE_MAX < side {
            return Err(Unreadable::TooMuch { what: "pixels on a side", count: side as u64, max: SIDE_MAX as u64 });
        }
    }
    let short = width.min(height);
    if short < SIDE_MIN {
        return Err(broken("picture", format!("{short} pixels on a side, fewer than the {SIDE_MIN} that text takes")));
    }
    let count = (width as u64).saturating_mul(height as u64);
    if PIXELS_MAX < count {
        return Err(Unreadable::TooMuch { what: "pixels", count, max: PIXELS_MAX });
    }
    Ok(())
}

fn scale(dots_per_inch: Option<f64>) -> f64 {
    dots_per_inch.filter(|it| DPI.contains(it)).map_or(1.0, |it| POINTS / it)
}

/// Width and height of a PNG or a JPEG, without its pixels.
pub(super) fn size(file: &[u8]) -> Option<(usize, usize)> {
    if file.starts_with(b"\x89PNG") {
        let mut decoder = png::Decoder::new(Cursor::new(file));
        return decoder.read_header_info().ok().map(|it| (it.width as usize, it.height as usize));
    }
    let mut decoder = JpegDecoder::new(ZCursor::new(file));
    decoder.decode_headers().ok()?;
    decoder.dimensions()
}

fn png(file: &[u8]) -> Result<Sheet, Unreadable> {
    const WHAT: &str = "PNG picture";
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(file), png::Limits { bytes: 64 << 20 });
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    let info = decoder.read_header_info().map_err(|err| broken(WHAT, err))?;
    let (width, height) = (info.width as usize, info.height as usize);
    check_size(width, height)?;
    let mut reader = decoder.read_info().map_err(|err| broken(WHAT, err))?;
    let mut bytes = vec![0; reader.output_buffer_size().ok_or_else(|| broken(WHAT, "its size is unknown"))?];
    reader.next_frame(&mut bytes).map_err(|err| broken(WHAT, err))?;
    let metre = |it: png::PixelDimensions| (it.unit == png::Unit::Meter).then_some(f64::from(it.xppu) * 0.0254);
    let (depth, dpi) = (reader.output_color_type().0.samples(), reader.info().pixel_dims.and_then(metre));
    let rgb = rgb(&bytes, depth, false).ok_or_else(|| broken(WHAT, "its colours are unknown"))?;
    let picture = Picture::new(width, height, rgb).ok_or_else(|| broken(WHAT, "it has too few pixels"))?;
    Ok(Sheet { picture, scale: scale(dpi) })
}

/// Grey, grey and opacity, RGB, or RGB and opacity, on white.
fn rgb(bytes: &[u8], n_samples: usize, inverted: bool) -> Option<Vec<u8>> {
    let tone = |it: u8| if inverted { 255 - it } else { it };
    let over = |part: u8, opacity: u8| {
        let (part, opacity) = (u16::from(part), u16::from(opacity));
        u8::try_from((part * opacity + 255 * (255 - opacity)) / 255).unwrap_or(u8::MAX)
    };
    let mut out = Vec::with_capacity(bytes.len() / n_samples.max(1) * 3);
    for pixel in bytes.chunks_exact(n_samples.max(1)) {
        match *pixel {
            [grey] => out.extend([tone(grey); 3]),
            [grey, opacity] => out.extend([over(grey, opacity); 3]),
            [red, green, blue] => out.extend([tone(red), tone(green), tone(blue)]),
            [red, green, blue, opacity] => out.extend([red, green, blue].map(|it| over(it, opacity))),
            _ => return None,
        }
    }
    Some(out)
}

fn jpeg(file: &[u8]) -> Result<Sheet, Unreadable> {
    const WHAT: &str = "JPEG picture";
    let options = DecoderOptions::default()
        .set_max_width(SIDE_MAX)
        .set_max_height(SIDE_MAX)
        .jpeg_set_max_scans(JPEG_SCANS_MAX)
        .jpeg_set_out_colorspace(ColorSpace::RGB)
        .set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().map_err(|err| broken(WHAT, err))?;
    let (width, height) = decoder.dimensions().ok_or_else(|| broken(WHAT, "it has no size"))?;
    check_size(width, height)?;
    let rgb = decoder.decode().map_err(|err| broken(WHAT, err))?;
    let picture = Picture::new(width, height, rgb).ok_or_else(|| broken(WHAT, "it has too few pixels"))?;
    let orientation = decoder.exif().and_then(|it| exif::orientation(it)).unwrap_or(1);
    // JFIF counts dots an inch (1) or a centimetre (2); 0 is a ratio.
    let dpi = decoder.info().and_then(|info| match info.pixel_density {
        1 => Some(f64::from(info.x_density)),
        2 => Some(f64::from(info.x_density) * 2.54),
        _ => None,
    });
    Ok(Sheet { picture: exif::upright(picture, orientation), scale: scale(dpi) })
}

type Tiff<'f> = tiff::decoder::Decoder<Cursor<&'f [u8]>>;

const TIFF: &str = "TIFF picture";
/// Pages that are counted; the rest is not looked for.
const TIFF_PAGES_MAX: usize = 500;

fn tiff(file: &[u8], mut page: impl FnMut(Result<Sheet, Unreadable>) -> bool) -> Result<usize, Unreadable> {
    let bytes_max = usize::try_from(4 * PIXELS_MAX).unwrap_or(usize::MAX);
    let mut limits = tiff::decoder::Limits::default();
    limits.decoding_buffer_size = bytes_max;
    limits.intermediate_buffer_size = bytes_max;
    let mut decoder = Tiff::new(Cursor::new(file)).map_err(|err| broken(TIFF, err))?.with_limits(limits);
    let mut wanted = true;
    let mut n_pages = 0;
    loop {
        if wanted {
            let sheet = tiff_page(&mut decoder);
            if n_pages == 0 && sheet.is_err() {
                return sheet.map(|_| 0);
            }
            wanted = page(sheet);
        }
        n_pages += 1;
        if !decoder.more_images() {
            return Ok(n_pages);
        }
        if TIFF_PAGES_MAX <= n_pages {
            return Err(Unreadable::TooMuch {
                what: "pages or more",
                count: n_pages as u64 + 1,
                max: TIFF_PAGES_MAX as u64,
            });
        }
        if let Err(err) = decoder.next_image() {
            // The chain of pages is torn: one page at least is lost.
            page(Err(broken(TIFF, err)));
            return Ok(n_pages + 1);
        }
    }
}

fn tiff_page(decoder: &mut Tiff<'_>) -> Result<Sheet, Unreadable> {
    use tiff::ColorType;

    let (width, height) = decoder.dimensions().map_err(|err| broken(TIFF, err))?;
    let (width, height) = (width as usize, height as usize);
    check_size(width, height)?;
    let colours = decoder.colortype().map_err(|err| broken(TIFF, err))?;
    let orientation = decoder.find_tag_unsigned::<u16>(Tag::Orientation).ok().flatten().unwrap_or(1);
    let unit = decoder.find_tag_unsigned::<u16>(Tag::ResolutionUnit).ok().flatten().unwrap_or(2);
    let dots = decoder.get_tag_f64(Tag::XResolution).ok();
    let palette = decoder.get_tag_u16_vec(Tag::ColorMap).ok();
    let bytes = match decoder.read_image().map_err(|err| broken(TIFF, err))? {
        DecodingResult::U8(bytes) => bytes,
        // The upper eight bits.
        DecodingResult::U16(words) => words.into_iter().map(|it| it.to_be_bytes()[0]).collect(),
        _ => return Err(broken(TIFF, "its samples are not of 1 to 16 bits")),
    };
    let rgb = match colours {
        ColorType::Gray(bits @ (1 | 2 | 4)) => unpacked(&bytes, width, bits).and_then(|it| {
            let top = (1_u16 << bits) - 1;
            rgb(
                &it.iter().map(|it| u8::try_from(u16::from(*it) * 255 / top).unwrap_or(255)).collect::<Vec<_>>(),
                1,
                false,
            )
        }),
        ColorType::Gray(8 | 16) => rgb(&bytes, 1, false),
        ColorType::GrayA(8 | 16) => rgb(&bytes, 2, false),
        ColorType::RGB(8 | 16) => rgb(&bytes, 3, false),
        ColorType::RGBA(8 | 16) => rgb(&bytes, 4, false),
        ColorType::Palette(bits @ (1 | 2 | 4 | 8)) => {
            palette.and_then(|palette| in_colour(&unpacked(&bytes, width, bits)?, &palette))
        }
        _ => None,
    };
    let rgb = rgb.ok_or_else(|| broken(TIFF, format!("its colours ({colours:?}) are of a kind that is not read")))?;
    let picture = Picture::new(width, height, rgb).ok_or_else(|| broken(TIFF, "it has too few pixels"))?;
    let dpi = dots.and_then(|dots| match unit {
        2 => Some(dots),
        3 => Some(dots * 2.54),
        _ => None,
    });
    Ok(Sheet { picture: exif::upright(picture, orientation), scale: scale(dpi) })
}

/// One byte a sample; rows begin at a byte.
fn unpacked(bytes: &[u8], width: usize, bits: u8) -> Option<Vec<u8>> {
    let per_byte = 8 / usize::from(bits.clamp(1, 8));
    let row = width.div_ceil(per_byte);
    let mask = u8::MAX.checked_shr(8 - u32::from(bits))?;
    let mut out = Vec::with_capacity(bytes.len().checked_mul(per_byte)?);
    for row in bytes.chunks_exact(row) {
        let samples =
            row.iter().flat_map(|byte| (1..=per_byte).map(move |n| byte >> (8 - n * usize::from(bits)) & mask));
        out.extend(samples.take(width));
    }
    Some(out)
}

/// A TIFF's map has all reds, then all greens, then all blues, in 16 bits.
fn in_colour(samples: &[u8], palette: &[u16]) -> Option<Vec<u8>> {
    let third = palette.len() / 3;
    let mut out = Vec::with_capacity(3 * samples.len());
    for sample in samples {
        for part in 0..3 {
            out.push(palette.get(part * third + usize::from(*sample))?.to_be_bytes()[0]);
        }
    }
    Some(out)
}

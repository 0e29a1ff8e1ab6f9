//! Pictures of paper: PNG, JPEG and TIFF. Each page of them has its picture; what stands on it is read where models are
//! configured, and otherwise the page counts as not read.

mod decode;
mod exif;
mod picture;

use std::borrow::Cow;

use case::{Coverage, Format, PageSize};

use crate::ocr::{Outcome, Scans};
use crate::pdf::{Page, Paper};
use crate::{Reading, Unreadable, labels, note};
pub(crate) use picture::Picture;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Raster {
    Png,
    Jpeg,
    Tiff,
}

/// Pages whose text is read, and that get a picture; the rest counts as not read.
const PAGES_READ_MAX: usize = 20;
/// The picture for the desk has at most so many pixels across, and in all.
const DESK_WIDTH_MAX: usize = 1_000;
const DESK_PIXELS_MAX: usize = 4_000_000;
/// Width and height of a page in points, as the answer allows them.
const POINTS_MAX: f64 = 20_000.0;

/// Reads a picture file. Pages that could not be read are missing in the coverage and named in a note.
pub(crate) fn read(file: &[u8], raster: Raster, scans: &mut Scans<'_>) -> Result<Reading, Unreadable> {
    let mut paper = Paper::blank(Coverage { pages: 0, read: 0, hidden_text: 0 });
    let mut n_read = 0;
    let n_pages = decode::sheets(file, raster, |sheet| {
        n_read += 1;
        let number = u32::try_from(n_read).unwrap_or(u32::MAX);
        match sheet {
            Ok(sheet) => paper.read_sheet(&sheet, number, scans),
            Err(err) => {
                paper.notes.push(note("page_unreadable", format!("page {number}: {err}")));
                paper.sizes.push(PageSize { width: 595.0, height: 842.0 });
                paper.pages.push(Page { number, width: 595.0, height: 842.0, lines: Vec::new() });
                paper.pictures.push(crate::pdf::blank_picture());
            }
        }
        n_read < PAGES_READ_MAX
    })?;
    paper.coverage.pages = u32::try_from(n_pages).unwrap_or(u32::MAX);
    if n_read < n_pages {
        let text = format!("{n_pages} pages, of which the first {n_read} were read");
        paper.notes.push(note("too_many_pages", text));
        for number in n_read + 1..=n_pages {
            paper.sizes.push(PageSize { width: 595.0, height: 842.0 });
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            paper.pages.push(Page { number, width: 595.0, height: 842.0, lines: Vec::new() });
        }
    }
    scans.spoken_in(labels::language(&paper.pages));
    let mut extraction = paper.understood();
    extraction.format = Format::ImageOcr;
    let pictures = std::mem::take(&mut paper.pictures);
    paper.describe(&mut extraction);
    Ok(Reading { extraction, pictures })
}

/// How many pixels a PNG or a JPEG has, by its first bytes; unknown for everything else.
pub(crate) fn pixels(file: &[u8]) -> Option<u64> {
    let (width, height) = decode::size(file)?;
    (width as u64).checked_mul(height as u64)
}

impl Paper {
    fn read_sheet(&mut self, sheet: &decode::Sheet, number: u32, scans: &mut Scans<'_>) {
        let longest = sheet.picture.width.max(sheet.picture.height) as f64;
        let shortest = sheet.picture.width.min(sheet.picture.height) as f64;
        let scale = sheet.scale.min(POINTS_MAX / longest).max(1.0 / shortest);
        let mut lines = Vec::new();
        let turned;
        let mut picture = &sheet.picture;
        let size = [picture.width as f64 * scale, picture.height as f64 * scale];
        match scans.read(number, size, || Ok(Cow::Borrowed(&sheet.picture))) {
            Outcome::Nobody => {
                let text = format!(
                    "page {number} is a picture; it needs character recognition, for which nothing is configured"
                );
                self.notes.push(note("needs_ocr", text));
            }
            Outcome::Failed(why) => self.notes.push(note("page_unreadable", format!("page {number} {why}"))),
            Outcome::Read(recognised) => {
                if 0 < recognised.quarters {
                    turned = picture.turned(recognised.quarters);
                    picture = &turned;
                }
                self.account(number, &recognised);
                self.trust.extend(recognised.trust);
                lines = recognised.lines;
            }
        }
        let (width, height) = (picture.width as f64 * scale, picture.height as f64 * scale);
        self.sizes.push(PageSize { width, height });
        self.pages.push(Page { number, width, height, lines });
        self.pictures.push(desk(picture).unwrap_or_else(crate::pdf::blank_picture));
    }
}

/// The picture that reviewers see.
fn desk(picture: &Picture) -> Option<Vec<u8>> {
    let width = picture.width.min(DESK_WIDTH_MAX);
    let height = (picture.height * width).div_ceil(picture.width).clamp(1, (DESK_PIXELS_MAX / width).max(1));
    if (width, height) == (picture.width, picture.height) {
        return picture.png().ok();
    }
    picture.scaled(width, height).png().ok()
}

//! The pages that are pictures: who reads them, what is handed out for a program beside the reader, and what it said.

use std::borrow::Cow;
use std::collections::BTreeMap;

use case::Note;
use case::frame::{self, SCAN_BYTES_MAX, SCANS_MAX};
use serde::{Deserialize, Serialize};

use super::{Budget, Ocr, Recognised, tsv};
use crate::image::Picture;
use crate::note;

/// Pixels of all pages that are handed out, before they are made smaller.
const PIXELS_MAX: usize = 120_000_000;
/// Pixels of one page as it is handed out: A4 at 300 dots an inch.
const PAGE_PIXELS_MAX: usize = 8_700_000;
/// The other program's words stand in place of ours unless their mean confidence is lower by more than this, …
const CLEARLY: f64 = 0.2;
/// … or there are fewer letters than this share of ours.
const LETTERS_SHARE_MIN: f64 = 0.6;
/// Languages that our models know; all others have letters that they read as the plain ones.
const MODELS_KNOW: [&str; 2] = ["en", "zh"];

/// What became of a page that is a picture.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// Nobody is here to read it.
    Nobody,
    /// Why it was not read: a sentence's end, for `page 3 …`.
    Failed(String),
    Read(Recognised),
}

/// What the reader must know of a page again when it is told its words.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// Of the picture that was handed out, in pixels.
    width: usize,
    height: usize,
    /// So many right angles it was turned clockwise before.
    quarters: u8,
    earlier: Outcome,
}

/// Reads the pages of one document that are pictures.
pub(crate) struct Scans<'o> {
    ocr: Option<&'o Ocr>,
    budget: Budget,
    /// The pages for the other program, where it is to have any.
    handed_out: Option<HandedOut>,
    told: BTreeMap<u32, frame::Page>,
    pub(crate) notes: Vec<Note>,
}

#[derive(Debug)]
struct HandedOut {
    pages: Vec<(frame::Page, Asked)>,
    pixels_left: usize,
    bytes_left: usize,
    language_known: bool,
}

/// Which pages the other program is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Surely,
    WhereTheModelsDoNotKnowTheLanguage,
}

impl<'o> Scans<'o> {
    pub(crate) fn new(ocr: Option<&'o Ocr>) -> Scans<'o> {
        Scans { ocr, budget: Budget::DOCUMENT, handed_out: None, told: BTreeMap::new(), notes: Vec::new() }
    }

    /// Pages are handed out too.
    pub(crate) fn handing_out(ocr: Option<&'o Ocr>) -> Scans<'o> {
        let handed_out =
            HandedOut { pages: Vec::new(), pixels_left: PIXELS_MAX, bytes_left: SCAN_BYTES_MAX, language_known: false };
        Scans { handed_out: Some(handed_out), ..Scans::new(ocr) }
    }

    /// Nothing is recognised here: these are the words.
    pub(crate) fn told(pages: Vec<frame::Page>) -> Scans<'static> {
        let told = pages.into_iter().map(|page| (page.number, page)).collect();
        Scans { told, ..Scans::new(None) }
    }

    /// Reads one page of this size in points; places are in points of the page when it was turned upright. The picture is asked
    /// for where it is needed.
    pub(crate) fn read<'p>(
        &mut self,
        page: u32,
        size: [f64; 2],
        picture: impl FnOnce() -> Result<Cow<'p, Picture>, &'static str>,
    ) -> Outcome {
        if let Some(told) = self.told.remove(&page) {
            return self.laid(&told, size);
        }
        if self.ocr.is_none() && self.handed_out.is_none() {
            return Outcome::Nobody;
        }
        let picture = match picture() {
            Ok(picture) => picture,
            Err(why) => return Outcome::Failed(why.to_owned()),
        };
        let scale = size[0] / picture.width as f64;
        let outcome = match self.ocr.map(|ocr| ocr.read(&picture, scale, page, &mut self.budget)) {
            None => Outcome::Nobody,
            Some(Ok(recognised)) => Outcome::Read(recognised),
            Some(Err(why)) => Outcome::Failed(why.to_owned()),
        };
        match &mut self.handed_out {
            None => outcome,
            Some(handed_out) => handed_out.keep(page, &picture, outcome),
        }
    }

    /// The language of all words that were read, which says whether the models know its letters.
    pub(crate) fn spoken_in(&mut self, language: Option<&str>) {
        if let Some(it) = &mut self.handed_out {
            it.language_known = language.is_none_or(|language| MODELS_KNOW.contains(&language));
        }
    }

    /// Payloads of [`frame::SCAN`]: all pages that were kept, or none where the other program need not be asked.
    pub(crate) fn payloads(self) -> Vec<Vec<u8>> {
        let Some(HandedOut { pages, language_known, .. }) = self.handed_out else { return Vec::new() };
        let asked = |asked: Asked| asked == Asked::Surely || !language_known;
        if !pages.iter().any(|(page, it)| asked(*it) && !page.bytes.is_empty()) {
            return Vec::new();
        }
        let page = |(page, it)| if asked(it) { page } else { frame::Page { bytes: Vec::new(), ..page } };
        pages.into_iter().filter_map(|it| page(it).payload()).collect()
    }

    fn laid(&mut self, told: &frame::Page, size: [f64; 2]) -> Outcome {
        let Ok(Kept { width, height, quarters, earlier }) = serde_json::from_slice::<Kept>(&told.kept) else {
            return Outcome::Failed("was not read: what was kept of it is not whole".to_owned());
        };
        if told.bytes.is_empty() {
            return earlier;
        }
        let across = if quarters.is_multiple_of(2) { size[0] } else { size[1] };
        let sheet = tsv::Sheet { width, height, scale: across / width.max(1) as f64 };
        match tsv::read(&told.bytes, sheet, told.number) {
            Ok((recognised, mean)) if better(&recognised, mean, &earlier) => {
                Outcome::Read(Recognised { quarters: quarters % 4, ..recognised })
            }
            Ok(_) => earlier,
            Err(why) => {
                let text = format!("page {}: what the program for recognition said {why}", told.number);
                self.notes.push(note("ocr_failed", text));
                earlier
            }
        }
    }
}

impl HandedOut {
    /// Keeps the page; where there is no room for its picture it is not asked for, and its words stand as they are.
    fn keep(&mut self, number: u32, picture: &Picture, outcome: Outcome) -> Outcome {
        let (quarters, asked) = match &outcome {
            Outcome::Nobody | Outcome::Failed(_) => (0, Asked::Surely),
            Outcome::Read(it) => (it.quarters, Asked::WhereTheModelsDoNotKnowTheLanguage),
        };
        let (size, bytes) = self.picture(picture, quarters).unwrap_or_default();
        let kept = Kept { width: size[0], height: size[1], quarters, earlier: outcome };
        let json = serde_json::to_vec(&kept).unwrap_or_default();
        let n_bytes = json.len() + bytes.len();
        match self.bytes_left.checked_sub(n_bytes) {
            Some(left) => {
                self.bytes_left = left;
                self.pages.push((frame::Page { number, kept: json, bytes }, asked));
            }
            // What is not kept would be lost when the others' words are told: then nothing is asked.
            None => {
                self.pages.clear();
                self.bytes_left = 0;
            }
        }
        kept.earlier
    }

    /// Upright, in grey, not too large; none where enough was handed out.
    fn picture(&mut self, picture: &Picture, quarters: u8) -> Option<([usize; 2], Vec<u8>)> {
        let n_asked = self.pages.iter().filter(|(page, _)| !page.bytes.is_empty()).count();
        let n_pixels = picture.width * picture.height;
        self.pixels_left = self.pixels_left.checked_sub(n_pixels).filter(|_| n_asked < SCANS_MAX)?;
        let turned;
        let mut upright = picture;
        if !quarters.is_multiple_of(4) {
            turned = picture.turned(quarters);
            upright = &turned;
        }
        let shrink = (PAGE_PIXELS_MAX as f64 / n_pixels as f64).sqrt().min(1.0);
        let side = |it: usize| ((it as f64 * shrink) as usize).max(1);
        let (width, height) = (side(upright.width), side(upright.height));
        let png =
            if n_pixels <= PAGE_PIXELS_MAX { upright.grey_png() } else { upright.scaled(width, height).grey_png() };
        Some(([width, height], png.ok()?))
    }
}

/// Do these words stand in place of what there was?
fn better(told: &Recognised, mean: f64, earlier: &Outcome) -> bool {
    let Outcome::Read(earlier) = earlier else { return true };
    let letters = |it: &Recognised| {
        let words = it.lines.iter().flat_map(crate::pdf::Line::words);
        words.map(|it| it.text.chars().filter(|ch| ch.is_alphanumeric()).count()).sum::<usize>() as f64
    };
    let n_words = earlier.trust.len().max(1) as f64;
    let earlier_mean = earlier.trust.iter().map(|it| it.confidence).sum::<f64>() / n_words;
    earlier_mean - CLEARLY <= mean && LETTERS_SHARE_MIN * letters(earlier) <= letters(told)
}

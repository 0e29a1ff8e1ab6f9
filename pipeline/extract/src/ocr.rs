//! Characters of a picture: where text stands (`ocr/find.rs`), what it says (`ocr/spell.rs`), and in which lines (`ocr/lay.rs`).
//!
//! The models are PP-OCRv4's two for Chinese and English, in ONNX: one finds text, one reads it. They are the operator's, and
//! trusted; the picture is not. They are loaded before the process is locked in, and nothing is opened after that.

mod find;
mod lay;
mod receipt;
mod scans;
mod spell;
mod tsv;

use std::fmt;
use std::sync::Arc;

use case::{Evidence, Extraction};
use rten::{Model, RunOptions, ThreadPool, Value};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::image::Picture;
use crate::pdf::Line;
use find::Strip;
pub(crate) use receipt::over as over_receipt;
pub(crate) use scans::{Outcome, Scans};

/// The two models as they lie in their files.
#[derive(Clone)]
pub struct Models {
    /// Finds text.
    pub detection: Vec<u8>,
    /// Reads it; it names its characters in its metadata.
    pub recognition: Vec<u8>,
}

impl Models {
    /// How their makers call the files: detection, recognition.
    pub const FILES: [&str; 2] = ["ch_PP-OCRv4_det_infer.onnx", "ch_PP-OCRv4_rec_infer.onnx"];
}

impl fmt::Debug for Models {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Models({} and {} bytes)", self.detection.len(), self.recognition.len())
    }
}

/// Why the configured models cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ModelFault {
    #[error("the model for {what} cannot be loaded: {why}")]
    Unloadable { what: &'static str, why: String },
    #[error("the model for recognition does not name its characters")]
    NoCharacters,
}

/// What all pages of a document may cost together. Counted, not timed, so that a document reads the same everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    /// Pixels in which text is looked for.
    pub(crate) pixels: usize,
    /// Columns of text, scaled to 48 pixels of height.
    pub(crate) columns: usize,
}

impl Budget {
    /// Five pages of invoices, or two of small print: some 42 seconds of processor time, where 45 are allowed.
    pub(crate) const DOCUMENT: Budget = Budget { pixels: 16_000_000, columns: 200_000 };
}

/// Both models, ready.
pub struct Ocr {
    detection: Model,
    recognition: Model,
    /// By the number that the model gives them, less one: its 0 is nothing.
    characters: Vec<String>,
    /// One thread, made before the process is locked in: the models' library makes as many as it likes otherwise.
    pool: Arc<ThreadPool>,
}

impl fmt::Debug for Ocr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ocr({} characters)", self.characters.len())
    }
}

/// The text of a picture.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Recognised {
    /// In points from the top left corner, after the picture was turned.
    pub(crate) lines: Vec<Line>,
    pub(crate) trust: Vec<Trust>,
    /// So many right angles clockwise, and the picture is upright.
    pub(crate) quarters: u8,
    /// Places that look like text, and how many of them could not be read.
    pub(crate) n_places: usize,
    pub(crate) n_unsure: usize,
}

/// How sure the model is of one word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trust {
    pub(crate) page: u32,
    pub(crate) area: [f64; 4],
    pub(crate) confidence: f64,
}

/// Text is looked for in a picture whose shorter side has at least, and whose longer side has at most, so many pixels.
const SHORT_SIDE_MIN: f64 = 736.0;
const LONG_SIDE_MAX: f64 = 2_000.0;
/// What the model for detection divides sides by.
const GRID: f64 = 32.0;
/// Below this a line is not told: the model guesses.
const CONFIDENCE_MIN: f64 = 0.5;
/// A page with a larger share of lines that could not be told was not read.
const UNSURE_SHARE_MAX: f64 = 0.25;
/// Lines that are tried in both directions where the model is unsure, and how sure it then is.
const TRIED: usize = 6;
const SURE: f64 = 0.85;

impl Ocr {
    /// MUST be called before the process is locked in: it starts a thread.
    pub fn load(models: Models) -> Result<Ocr, ModelFault> {
        let load =
            |what, bytes| Model::load(bytes).map_err(|err| ModelFault::Unloadable { what, why: err.to_string() });
        let detection = load("detection", models.detection)?;
        let recognition = load("recognition", models.recognition)?;
        let named = recognition.metadata().get("character").ok_or(ModelFault::NoCharacters)?;
        let mut characters: Vec<String> = named.lines().map(str::to_owned).collect();
        characters.push(" ".to_owned());
        let pool = Arc::new(ThreadPool::with_num_threads(1));
        // A thread makes calls of its own while it starts; this waits for their end.
        pool.run(|| ());
        Ok(Ocr { detection, recognition, characters, pool })
    }

    /// Reads a picture with `scale` points a pixel; `page` is its number, for the words' trust.
    pub(crate) fn read(
        &self,
        picture: &Picture,
        scale: f64,
        page: u32,
        budget: &mut Budget,
    ) -> Result<Recognised, &'static str> {
        let mut strips = self.find(picture, budget)?;
        let mut quarters = 0;
        let turned;
        let mut upright = picture;
        if find::mostly_tall(&strips) {
            quarters = 1;
            turned = picture.turned(1);
            upright = &turned;
            strips = self.find(upright, budget)?;
        }
        if self.upside_down(upright, &strips, budget)? {
            quarters += 2;
            strips = strips.into_iter().map(|it| it.upside_down()).collect();
        }
        let n_places = strips.len();
        let mut told = Vec::new();
        for strip in strips.into_iter().filter(|it| !it.tall()) {
            let spelled = self.spell(upright, &strip, budget)?;
            if CONFIDENCE_MIN <= spelled.confidence() {
                told.push((strip, spelled));
            }
        }
        let n_unsure = n_places - told.len();
        // Strips of a picture upside down run to the left; its lines are laid as they are read.
        let (width, height) = (upright.width as f32, upright.height as f32);
        let sheet = lay::Sheet { width, height, flipped: 2 <= quarters, scale };
        let (lines, trust) = lay::lines(&told, sheet, page);
        Ok(Recognised { lines, trust, quarters, n_places, n_unsure })
    }

    fn find(&self, picture: &Picture, budget: &mut Budget) -> Result<Vec<Strip>, &'static str> {
        let (short, long) = (picture.width.min(picture.height) as f64, picture.width.max(picture.height) as f64);
        let scale = (SHORT_SIDE_MIN / short).max(1.0).min(LONG_SIDE_MAX / long);
        let side = |it: usize| ((it as f64 * scale / GRID).round().max(1.0) * GRID) as usize;
        let (width, height) = (side(picture.width), side(picture.height));
        budget.pixels = budget.pixels.checked_sub(width * height).ok_or(USED_UP)?;
        let small = picture.scaled(width, height);
        let heat = self.run::<4>(&self.detection, &small.rgb, width, height)?;
        if heat.shape() != [1, 1, height, width] {
            return Err("was not understood by the model for detection");
        }
        let (across, down) = (picture.width as f32 / width as f32, picture.height as f32 / height as f32);
        Ok(find::strips(&heat.to_vec(), width, height).into_iter().map(|it| it.scaled(across, down)).collect())
    }

    fn spell(&self, picture: &Picture, strip: &Strip, budget: &mut Budget) -> Result<spell::Spelled, &'static str> {
        let (rgb, width, used) = strip.cut_out(picture);
        budget.columns = budget.columns.checked_sub(width).ok_or(USED_UP)?;
        let odds = self.run::<3>(&self.recognition, &rgb, width, find::STRIP_HEIGHT)?;
        let [_, steps, classes] = odds.shape();
        if classes != self.characters.len() + 1 {
            return Err("was not understood by the model for recognition");
        }
        Ok(spell::spell(&odds.to_vec(), steps, &self.characters, used as f32 / width as f32))
    }

    /// Tries the longest lines both ways, where the model is unsure of them as they stand.
    fn upside_down(&self, picture: &Picture, strips: &[Strip], budget: &mut Budget) -> Result<bool, &'static str> {
        let mut longest: Vec<&Strip> = strips.iter().filter(|it| !it.tall()).collect();
        longest.sort_by(|a, b| b.slenderness().total_cmp(&a.slenderness()));
        let (mut stands, mut turned, mut n_tried) = (0.0, 0.0, 0.0);
        for strip in longest.into_iter().take(TRIED) {
            stands += self.spell(picture, strip, budget)?.confidence();
            n_tried += 1.0;
            if SURE * n_tried <= stands {
                continue;
            }
            turned += self.spell(picture, &strip.upside_down(), budget)?.confidence();
        }
        Ok(stands < SURE * n_tried && stands < turned)
    }

    /// Colours go in as blue, green and red between -1 and 1.
    fn run<const N: usize>(
        &self,
        model: &Model,
        rgb: &[u8],
        width: usize,
        height: usize,
    ) -> Result<NdTensor<f32, N>, &'static str> {
        let plane = |part: usize| rgb.iter().skip(part).step_by(3).map(|it| f32::from(*it) / 127.5 - 1.0);
        let planes: Vec<f32> = plane(2).chain(plane(1)).chain(plane(0)).collect();
        let input = NdTensor::from_data([1, 3, height, width], planes);
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.pool)));
        let output: Value =
            model.run_one(input.into(), Some(options)).map_err(|_| "could not be put through the models")?;
        output.try_into().map_err(|_| "was not understood by the models")
    }
}

const USED_UP: &str = "was not read: the document has more text in pictures than this reader reads";

impl Recognised {
    pub(crate) fn legible(&self) -> bool {
        0 < self.n_places && self.n_unsure as f64 <= UNSURE_SHARE_MAX * self.n_places as f64
    }
}

/// INVARIANT (fail closed): a value is never surer than the words it was read from.
pub(crate) fn temper(extraction: &mut Extraction, trust: &[Trust]) {
    let fields = &mut extraction.fields;
    let groups = fields.vat_breakdown.iter_mut().flat_map(|it| it.values_mut());
    let lines = extraction.lines.iter_mut().flat_map(|it| it.values_mut());
    for field in fields.single.values_mut().chain(&mut fields.parties).chain(groups).chain(lines) {
        field.confidence *= certainty(&field.evidence, trust);
    }
    for clause in &mut extraction.clauses {
        clause.confidence *= certainty(&clause.evidence, trust);
    }
}

/// The least of the words in its area.
fn certainty(evidence: &Evidence, trust: &[Trust]) -> f64 {
    let Evidence::Page { page, area: [left, top, right, bottom], .. } = evidence else { return 1.0 };
    let inside = |it: &&Trust| {
        let (x, y) = ((it.area[0] + it.area[2]) / 2.0, (it.area[1] + it.area[3]) / 2.0);
        it.page == *page && *left <= x && x <= *right && *top <= y && y <= *bottom
    };
    trust.iter().filter(inside).map(|it| it.confidence).fold(1.0, f64::min)
}

#[cfg(test)]
mod tests;

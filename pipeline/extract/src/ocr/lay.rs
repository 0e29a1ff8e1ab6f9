//! Strips with their text as lines of words, in the order in which a page is read.

use super::Trust;
use super::find::Strip;
use super::spell::{Letter, Spelled};
use crate::pdf::{Cell, Line, Word};

/// As shares of the text's height: rows nearer than this are one; wider gaps part words, and cells.
const SAME_ROW: f32 = 0.5;
const CELL_GAP: f64 = 0.9;
/// Two characters further apart than so many times the strip's usual distance, and this share of its height, have a space
/// between them that the model does not always tell.
const FAR: f32 = 2.2;
const SPACE_MIN: f32 = 0.9;
/// A strip is higher than the letters in it, by this share.
const MARGIN: f32 = 0.15;

/// One word.
pub(super) struct Piece {
    pub(super) text: String,
    /// Along and across the slope of the page, in pixels.
    pub(super) left: f32,
    pub(super) right: f32,
    pub(super) row: f32,
    pub(super) height: f32,
    /// In points.
    pub(super) area: [f64; 4],
    pub(super) confidence: f64,
}

/// A page of so many pixels, which the strips may read upside down.
#[derive(Clone, Copy)]
pub(super) struct Sheet {
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) flipped: bool,
    /// Points a pixel.
    pub(super) scale: f64,
}

pub(super) fn lines(told: &[(Strip, Spelled)], sheet: Sheet, page: u32) -> (Vec<Line>, Vec<Trust>) {
    rows(told.iter().map(|(strip, spelled)| words(strip, spelled, sheet)).collect(), page)
}

/// The words of strips, each from left to right.
pub(super) fn rows(mut pieces: Vec<Vec<Piece>>, page: u32) -> (Vec<Line>, Vec<Trust>) {
    let mut rows: Vec<Vec<Piece>> = Vec::new();
    pieces.retain(|it| !it.is_empty());
    pieces.sort_by(|a, b| row_of(a).0.total_cmp(&row_of(b).0));
    for strip in pieces {
        let (row, height) = row_of(&strip);
        // The nearest of the last rows: those before it are above this strip.
        let near = |of: &&mut Vec<Piece>| {
            let (other, other_height) = row_of(of);
            let apart = |it: &Piece| {
                strip.iter().all(|new| new.right <= it.left + 0.3 * height || it.right <= new.left + 0.3 * height)
            };
            (row - other).abs() < SAME_ROW * height.min(other_height) && of.iter().all(apart)
        };
        match rows.iter_mut().rev().take(4).find(near) {
            Some(found) => found.extend(strip),
            None => rows.push(strip),
        }
    }
    let mut trust = Vec::new();
    let mut out = Vec::new();
    for mut row in rows {
        row.sort_by(|a, b| a.left.total_cmp(&b.left));
        let mut line = Line::default();
        let mut right = f32::MIN;
        for piece in row {
            let gap = f64::from(piece.left - right);
            if line.cells.is_empty() || CELL_GAP * f64::from(piece.height) < gap {
                line.cells.push(Cell::default());
            }
            right = right.max(piece.right);
            trust.push(Trust { page, area: piece.area, confidence: piece.confidence });
            if let Some(cell) = line.cells.last_mut() {
                cell.words.push(Word { text: piece.text, area: piece.area });
            }
        }
        out.push(line);
    }
    (out, trust)
}

/// Where the middle of its words lies across the page, and how high they are.
fn row_of(pieces: &[Piece]) -> (f32, f32) {
    let n = pieces.len().max(1) as f32;
    pieces.iter().fold((0.0, 0.0), |(row, height), it| (row + it.row / n, height + it.height / n))
}

/// The words of one strip.
fn words(strip: &Strip, spelled: &Spelled, sheet: Sheet) -> Vec<Piece> {
    let mut steps: Vec<f32> =
        spelled.letters.windows(2).filter_map(|it| Some(it.last()?.at - it.first()?.at)).collect();
    steps.sort_by(f32::total_cmp);
    let usual = steps.get(steps.len() / 2).copied().unwrap_or(strip.height / strip.length / 2.0);
    let far = (FAR * usual).max(SPACE_MIN * strip.height / strip.length);
    let mut out = Vec::new();
    let mut word: Vec<&Letter> = Vec::new();
    let mut done = |word: &mut Vec<&Letter>| {
        out.extend(piece(strip, word, usual, sheet));
        word.clear();
    };
    for letter in &spelled.letters {
        let space = letter.text.trim().is_empty();
        if space || word.last().is_some_and(|last| far < letter.at - last.at) {
            done(&mut word);
        }
        if !space {
            word.push(letter);
        }
    }
    done(&mut word);
    out
}

/// None where it lies outside the page.
fn piece(strip: &Strip, letters: &[&Letter], usual: f32, sheet: Sheet) -> Option<Piece> {
    let (first, last) = (letters.first()?, letters.last()?);
    let (start, end) = ((first.at - usual / 2.0).max(0.0), (last.at + usual / 2.0).min(1.0));
    let edge = 0.5 - MARGIN;
    let corners = [(start, -edge), (end, -edge), (start, edge), (end, edge)].map(|(along, across)| {
        let (x, y) = strip.point(along - 0.5, across);
        // A picture that is read upside down is turned, and its points with it.
        if sheet.flipped { (sheet.width - x, sheet.height - y) } else { (x, y) }
    });
    let angle = if sheet.flipped { strip.page_angle - std::f32::consts::PI } else { strip.page_angle };
    let (cos, sin) = (angle.cos(), angle.sin());
    let low = |of: fn(&(f32, f32)) -> f32| corners.iter().map(of).fold(f32::MAX, f32::min);
    let high = |of: fn(&(f32, f32)) -> f32| corners.iter().map(of).fold(f32::MIN, f32::max);
    let along = corners.map(|(x, y)| x * cos + y * sin);
    let across = corners.map(|(x, y)| y * cos - x * sin);
    let points = |it: f32, max: f32| f64::from(it.clamp(0.0, max)) * sheet.scale;
    let area = [
        points(low(|it| it.0), sheet.width),
        points(low(|it| it.1), sheet.height),
        points(high(|it| it.0), sheet.width),
        points(high(|it| it.1), sheet.height),
    ];
    if area[2] <= area[0] || area[3] <= area[1] {
        return None;
    }
    Some(Piece {
        text: letters.iter().map(|it| it.text.as_str()).collect(),
        left: along.iter().copied().fold(f32::MAX, f32::min),
        right: along.iter().copied().fold(f32::MIN, f32::max),
        row: across.iter().sum::<f32>() / 4.0,
        height: strip.height * (1.0 - 2.0 * MARGIN),
        area,
        confidence: letters.iter().map(|it| f64::from(it.odds)).sum::<f64>() / letters.len() as f64,
    })
}

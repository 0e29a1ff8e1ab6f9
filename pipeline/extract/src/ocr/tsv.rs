//! The words of a page as Tesseract tells them: its TSV, a line for each page, block, paragraph, line of text and word.
//!
//! The program has read the hostile picture, so what it says is as hostile: every number is looked at.

use case::frame::TOLD_BYTES_MAX;

use super::lay::{self, Piece};
use super::{CONFIDENCE_MIN, Recognised};

/// Words of one page, and letters of one word.
const WORDS_MAX: usize = 10_000;
const LETTERS_MAX: usize = 200;
/// Columns: level, page, block, paragraph, line, word, left, top, width, height, confidence, text.
const COLUMNS: usize = 12;
const HEAD: &str = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext";
/// The level of a word.
const WORD: &str = "5";
/// What lines of a form, folds and dirt are taken for.
const RULES: &str = "|¦_—–-=~'`´‘’“”\".,:;°·•*«»<>\\/()[]{}";
/// A line of text whose first and last word are so many heights apart tells the slope of the page.
const LONG: f64 = 8.0;
/// Steeper, in radians, is no slope of a page that was read.
const STEEP: f64 = 0.2;

/// The picture that was read, in pixels, and points a pixel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sheet {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) scale: f64,
}

struct Word {
    text: String,
    /// Left, top, right, bottom in pixels.
    area: [f64; 4],
    confidence: f64,
}

/// The words, and the mean confidence of all that were told, those that are left out included.
///
/// Errors: a verb and what is wrong, when this is no TSV of Tesseract.
pub(super) fn read(tsv: &[u8], sheet: Sheet, page: u32) -> Result<(Recognised, f64), &'static str> {
    if TOLD_BYTES_MAX < tsv.len() {
        return Err("is longer than is read");
    }
    let text = std::str::from_utf8(tsv).map_err(|_| "is not UTF-8")?;
    let mut rows = text.split('\n').map(|it| it.strip_suffix('\r').unwrap_or(it));
    if rows.next() != Some(HEAD) {
        return Err("does not begin with the names of the columns");
    }
    let (mut n_places, mut n_unsure, mut sum) = (0_usize, 0_usize, 0.0);
    let mut lines: Vec<([&str; 3], Vec<Word>)> = Vec::new();
    for row in rows {
        let columns: Vec<&str> = row.splitn(COLUMNS, '\t').collect();
        let [level, _, block, paragraph, line, _, left, top, width, height, confidence, text] = columns[..] else {
            if row.is_empty() || columns.len() == COLUMNS - 1 {
                continue;
            }
            return Err("has a line with too few columns");
        };
        let text = text.trim();
        if level != WORD || text.chars().all(|it| RULES.contains(it)) {
            continue;
        }
        n_places += 1;
        if WORDS_MAX < n_places {
            return Err("has more words than are read");
        }
        let word = area([left, top, width, height], sheet).zip(certainty(confidence));
        let legible = text.chars().count() <= LETTERS_MAX && !text.contains(|it: char| it.is_control());
        sum += word.map_or(0.0, |(_, confidence)| confidence);
        match word {
            Some((area, confidence)) if legible && CONFIDENCE_MIN <= confidence => {
                let word = Word { text: text.to_owned(), area, confidence };
                let line = [block, paragraph, line];
                match lines.last_mut() {
                    Some((last, words)) if *last == line => words.push(word),
                    _ => lines.push((line, vec![word])),
                }
            }
            _ => n_unsure += 1,
        }
    }
    let slope = slope(&lines);
    let pieces = lines.into_iter().map(|(_, words)| pieces(words, slope, sheet.scale)).collect();
    let (lines, trust) = lay::rows(pieces, page);
    Ok((Recognised { lines, trust, quarters: 0, n_places, n_unsure }, sum / n_places.max(1) as f64))
}

/// None where it is not inside the picture.
fn area(numbers: [&str; 4], sheet: Sheet) -> Option<[f64; 4]> {
    let [left, top, width, height] = numbers.map(|it| it.parse::<u32>().ok().filter(|it| *it <= 100_000));
    let (left, top, width, height) = (left?, top?, width?, height?);
    let (right, bottom) = (left + width, top + height);
    let inside = 0 < width && 0 < height && right as usize <= sheet.width && bottom as usize <= sheet.height;
    inside.then(|| [left, top, right, bottom].map(f64::from))
}

/// Between 0 and 1, from per cent.
fn certainty(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|it| (0.0..=100.0).contains(it)).map(|it| it / 100.0)
}

fn middle([left, top, right, bottom]: [f64; 4]) -> [f64; 2] {
    [f64::midpoint(left, right), f64::midpoint(top, bottom)]
}

/// Of the page, in radians clockwise: the median of its long lines.
fn slope(lines: &[([&str; 3], Vec<Word>)]) -> f64 {
    let of = |(_, words): &([&str; 3], Vec<Word>)| {
        let (first, last) = (words.first()?, words.last()?);
        let ([x, y], [to_x, to_y]) = (middle(first.area), middle(last.area));
        let height = (first.area[3] - first.area[1]).max(last.area[3] - last.area[1]);
        (LONG * height < to_x - x).then(|| ((to_y - y) / (to_x - x)).atan())
    };
    let mut slopes: Vec<f64> = lines.iter().filter_map(of).collect();
    slopes.sort_by(f64::total_cmp);
    slopes.get(slopes.len() / 2).copied().filter(|it| it.abs() < STEEP).unwrap_or(0.0)
}

#[expect(clippy::cast_possible_truncation, reason = "a place in a picture needs no more than six digits")]
fn pieces(words: Vec<Word>, slope: f64, scale: f64) -> Vec<Piece> {
    let (sin, cos) = slope.sin_cos();
    let height = words.iter().map(|it| it.area[3] - it.area[1]).fold(1.0, f64::max);
    let piece = |Word { text, area, confidence }: Word| {
        let [x, y] = middle(area);
        let half = (area[2] - area[0]) / 2.0;
        let (along, row) = (x * cos + y * sin, y * cos - x * sin);
        let (left, right) = ((along - half) as f32, (along + half) as f32);
        let area = area.map(|it| it * scale);
        Piece { text, left, right, row: row as f32, height: height as f32, area, confidence }
    };
    words.into_iter().map(piece).collect()
}

#[cfg(test)]
mod tests;

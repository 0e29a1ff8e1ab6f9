use serde::{Deserialize, Serialize};

use super::ink::Mark;

/// The text of one page as a reader sees it, top to bottom.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Counts from 1.
    pub(crate) number: u32,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) lines: Vec<Line>,
}

/// Words on one baseline, from left to right, in cells: a wide gap begins the next cell.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) cells: Vec<Cell>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Cell {
    pub(crate) words: Vec<Word>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Word {
    pub(crate) text: String,
    /// Left, top, right, bottom in points from the top left corner of the page.
    pub(crate) area: [f64; 4],
}

impl Line {
    pub(crate) fn words(&self) -> impl Iterator<Item = &Word> {
        self.cells.iter().flat_map(|cell| &cell.words)
    }

    pub(crate) fn area(&self) -> [f64; 4] {
        around(self.words())
    }
}

impl Cell {
    pub(crate) fn text(&self) -> String {
        joined(&self.words)
    }

    pub(crate) fn area(&self) -> [f64; 4] {
        around(&self.words)
    }
}

impl Word {
    pub(crate) fn height(&self) -> f64 {
        self.area[3] - self.area[1]
    }
}

/// The words in the order in which they are read: from left to right, and runs of Hebrew or Arabic from right to left.
pub(crate) fn joined<'w>(words: impl IntoIterator<Item = &'w Word>) -> String {
    let mut words: Vec<&Word> = words.into_iter().collect();
    for run in words.chunk_by_mut(|a, b| leftward(&a.text) && leftward(&b.text)) {
        run.reverse();
    }
    let mut out = String::new();
    for word in words {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&word.text);
    }
    out
}

/// Hebrew and Arabic, and the forms of their letters.
fn leftward(text: &str) -> bool {
    text.contains(|it| matches!(it, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'))
}

/// The smallest area that holds all of them; inverted when there are none.
pub(crate) fn around<'w>(words: impl IntoIterator<Item = &'w Word>) -> [f64; 4] {
    words.into_iter().fold([f64::MAX, f64::MAX, f64::MIN, f64::MIN], |[left, top, right, bottom], word| {
        let [l, t, r, b] = word.area;
        [left.min(l), top.min(t), right.max(r), bottom.max(b)]
    })
}

/// A gap wider than this share of the text's height parts two words, and two cells.
const WORD_GAP: f64 = 0.18;
const CELL_GAP: f64 = 0.9;
/// A space parts two words where it leaves at least this gap: programs also draw spaces under the next word's first letter.
const SPACE_GAP: f64 = 0.06;
/// Baselines nearer than this share of the height are one line.
const LINE_GAP: f64 = 0.35;
/// Where capitals end and descenders end, as shares of the height above and below the baseline.
const ASCENT: f64 = 0.8;
const DESCENT: f64 = 0.2;
/// The same character within this share of the height is printed twice to look bold.
const DOUBLE: f64 = 0.12;

/// Lines of text from glyphs. Text that runs up, down or upside down is read along its own direction, after the rest.
pub(crate) fn lines(marks: &[Mark]) -> Vec<Line> {
    let mut out = Vec::new();
    for turn in [Turn::Right, Turn::Down, Turn::Up, Turn::Left] {
        let glyphs: Vec<Glyph<'_>> =
            marks.iter().filter(|mark| Turn::of(mark) == turn).map(|mark| Glyph::new(mark, turn)).collect();
        out.extend(lines_of(glyphs, turn));
    }
    out
}

/// The direction in which text runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Right,
    Down,
    Up,
    Left,
}

impl Turn {
    fn of(mark: &Mark) -> Turn {
        let along = mark.end - mark.start;
        match (along.y.abs() <= along.x.abs(), along.x < 0.0, along.y < 0.0) {
            (true, false, _) => Turn::Right,
            (true, true, _) => Turn::Left,
            (false, _, false) => Turn::Down,
            (false, _, true) => Turn::Up,
        }
    }

    /// Coordinates along the text and across it, so that the text runs to the right.
    fn straighten(self, x: f64, y: f64) -> (f64, f64) {
        match self {
            Turn::Right => (x, y),
            Turn::Down => (y, -x),
            Turn::Up => (-y, x),
            Turn::Left => (-x, -y),
        }
    }

    /// The area on the page of an area along the text.
    fn place(self, [left, top, right, bottom]: [f64; 4]) -> [f64; 4] {
        match self {
            Turn::Right => [left, top, right, bottom],
            Turn::Down => [-bottom, left, -top, right],
            Turn::Up => [top, -right, bottom, -left],
            Turn::Left => [-right, -bottom, -left, -top],
        }
    }
}

struct Glyph<'m> {
    text: &'m str,
    left: f64,
    right: f64,
    baseline: f64,
    size: f64,
}

impl<'m> Glyph<'m> {
    fn new(mark: &'m Mark, turn: Turn) -> Glyph<'m> {
        let (left, baseline) = turn.straighten(mark.start.x, mark.start.y);
        let (right, _) = turn.straighten(mark.end.x, mark.end.y);
        Glyph { text: &mark.text, left: left.min(right), right: right.max(left), baseline, size: mark.size.max(0.1) }
    }
}

fn lines_of(mut glyphs: Vec<Glyph<'_>>, turn: Turn) -> Vec<Line> {
    glyphs.sort_by(|a, b| a.baseline.total_cmp(&b.baseline));
    let mut rows: Vec<Vec<Glyph<'_>>> = Vec::new();
    let (mut baseline, mut size) = (f64::NEG_INFINITY, 1.0);
    for glyph in glyphs {
        if rows.is_empty() || LINE_GAP * glyph.size.min(size).max(1.0) < (glyph.baseline - baseline).abs() {
            (baseline, size) = (glyph.baseline, glyph.size);
            rows.push(Vec::new());
        }
        if let Some(row) = rows.last_mut() {
            row.push(glyph);
        }
    }
    rows.into_iter().map(|row| line(row, turn)).filter(|line| !line.cells.is_empty()).collect()
}

fn line(mut glyphs: Vec<Glyph<'_>>, turn: Turn) -> Line {
    glyphs.sort_by(|a, b| a.left.total_cmp(&b.left));
    let mut line = Line::default();
    let mut word: Option<Growing> = None;
    let mut last_right = f64::NEG_INFINITY;
    let mut before: Option<(&str, f64)> = None;
    let mut spaced = false;
    for glyph in &glyphs {
        if before.is_some_and(|(text, left)| text == glyph.text && (glyph.left - left).abs() < DOUBLE * glyph.size) {
            continue;
        }
        before = Some((glyph.text, glyph.left));
        let gap = word.as_ref().map_or(0.0, |word| glyph.left - word.right);
        let labelled = word.as_ref().is_some_and(|word| word.is_label() && glyph.text != "/");
        if glyph.text.is_empty() {
            spaced = true;
            continue;
        }
        let needed = if spaced { SPACE_GAP } else { WORD_GAP };
        spaced = false;
        if (needed * glyph.size < gap || labelled)
            && let Some(done) = word.take()
        {
            last_right = done.right;
            line.push(done, turn);
        }
        match &mut word {
            Some(word) => word.push(glyph),
            None => {
                let new_cell = CELL_GAP * glyph.size < glyph.left - last_right;
                word = Some(Growing::new(glyph, new_cell));
            }
        }
    }
    if let Some(word) = word {
        line.push(word, turn);
    }
    line
}

struct Growing {
    text: String,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    new_cell: bool,
}

impl Growing {
    fn new(glyph: &Glyph<'_>, new_cell: bool) -> Growing {
        let (top, bottom) = (glyph.baseline - ASCENT * glyph.size, glyph.baseline + DESCENT * glyph.size);
        Growing { text: glyph.text.to_owned(), left: glyph.left, right: glyph.right, top, bottom, new_cell }
    }

    /// `Number:` before `Number:17`; but `http:` goes on.
    fn is_label(&self) -> bool {
        self.text.strip_suffix(':').is_some_and(|text| {
            3 <= text.chars().count() && text.chars().all(|it| it.is_alphabetic() || "-.".contains(it))
        })
    }

    fn push(&mut self, glyph: &Glyph<'_>) {
        // Glyphs come from left to right: each Hebrew or Arabic letter is read before those that came already.
        let leftward_run = if leftward(glyph.text) {
            self.text.char_indices().rev().take_while(|(_, it)| leftward(it.encode_utf8(&mut [0; 4]))).last()
        } else {
            None
        };
        self.text.insert_str(leftward_run.map_or(self.text.len(), |(at, _)| at), glyph.text);
        self.right = self.right.max(glyph.right);
        self.top = self.top.min(glyph.baseline - ASCENT * glyph.size);
        self.bottom = self.bottom.max(glyph.baseline + DESCENT * glyph.size);
    }
}

impl Line {
    fn push(&mut self, word: Growing, turn: Turn) {
        if word.new_cell || self.cells.is_empty() {
            self.cells.push(Cell::default());
        }
        // A glyph without width still needs a place that can be shown.
        let right = word.right.max(word.left + 0.5);
        let area = turn.place([word.left, word.top, right, word.bottom]);
        if let Some(cell) = self.cells.last_mut() {
            cell.words.push(Word { text: word.text, area });
        }
    }
}

/// The text of all pages, with the way back from its characters to the words on the pages.
#[derive(Default)]
pub(crate) struct Running {
    pub(crate) text: String,
    /// First character, page and area of each word, in the order of the text.
    places: Vec<Place>,
}

struct Place {
    start: usize,
    page: u32,
    line: usize,
    area: [f64; 4],
}

impl Running {
    /// Lines end with a line break; a wider gap between lines, and the end of a page, is an empty line.
    pub(crate) fn of(pages: &[Page]) -> Running {
        let mut running = Running::default();
        let (mut chars, mut line_idx) = (0, 0);
        for page in pages {
            let mut bottom: Option<f64> = None;
            for line in &page.lines {
                let [_, line_top, _, line_bottom] = line.area();
                if bottom.is_some_and(|bottom| 0.7 * (line_bottom - line_top) < line_top - bottom) {
                    running.text.push('\n');
                    chars += 1;
                }
                bottom = Some(line_bottom);
                for word in line.words() {
                    running.places.push(Place { start: chars, page: page.number, line: line_idx, area: word.area });
                    running.text.push_str(&word.text);
                    running.text.push(' ');
                    chars += word.text.chars().count() + 1;
                }
                running.text.pop();
                running.text.push('\n');
                line_idx += 1;
            }
            if !page.lines.is_empty() {
                running.text.push('\n');
                chars += 1;
            }
        }
        running
    }

    /// Where the characters from `start` on begin: the page, and the area of their words on the first line.
    pub(crate) fn place(&self, start: u64, end: u64) -> Option<(u32, [f64; 4])> {
        let (start, end) = (usize::try_from(start).ok()?, usize::try_from(end).ok()?);
        let first_idx = self.places.partition_point(|place| place.start <= start).saturating_sub(1);
        let first = self.places.get(first_idx)?;
        let same_line = self.places.iter().skip(first_idx).take_while(|it| it.line == first.line && it.start < end);
        let area = same_line.fold(first.area, |[left, top, right, bottom], place| {
            let [l, t, r, b] = place.area;
            [left.min(l), top.min(t), right.max(r), bottom.max(b)]
        });
        Some((first.page, area))
    }
}

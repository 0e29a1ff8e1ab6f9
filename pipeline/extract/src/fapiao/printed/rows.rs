//! Rows of characters without spaces, each character with its place, so that a label is found however it is set.

use crate::pdf::Page;

pub(super) struct Row {
    pub(super) page: u32,
    chars: Vec<Char>,
}

/// One character, folded: brackets, colons, digits and the sign of the yuan in their narrow forms.
struct Char {
    char: char,
    /// As printed.
    shown: char,
    area: [f64; 4],
    /// Counts over the row.
    word: usize,
    cell: usize,
}

/// Some characters of a row.
pub(super) struct Piece {
    /// Folded; character by character the same as `shown`.
    pub(super) text: String,
    /// As printed.
    pub(super) shown: String,
    pub(super) area: [f64; 4],
    /// One past the last character, in its row.
    pub(super) end: usize,
}

/// Labels with a colon, at which the value of the one before ends.
const STOPS: [&str; 20] = [
    "购买方名称:",
    "销售方名称:",
    "名称:",
    "统一社会信用代码/纳税人识别号:",
    "统一社会信用代码:",
    "纳税人识别号:",
    "发票号码:",
    "发票代码:",
    "开票日期:",
    "校验码:",
    "机器编号:",
    "地址:",
    "电话:",
    "地址、电话:",
    "开户行及账号:",
    "开户银行:",
    "银行账号:",
    "开票人:",
    "收款人:",
    "复核:",
];

pub(super) fn of(pages: &[Page]) -> Vec<Row> {
    let mut rows = Vec::new();
    for page in pages {
        for line in &page.lines {
            let mut chars = Vec::new();
            let mut word_idx = 0;
            for (cell, it) in line.cells.iter().enumerate() {
                for word in &it.words {
                    spread(&word.text, word.area, word_idx, cell, &mut chars);
                    word_idx += 1;
                }
            }
            if !chars.is_empty() {
                rows.push(Row { page: page.number, chars });
            }
        }
    }
    rows
}

/// The word's width is shared out: a full-width character takes twice the room of a narrow one.
fn spread(text: &str, [left, top, right, bottom]: [f64; 4], word: usize, cell: usize, chars: &mut Vec<Char>) {
    let width = |it: char| if it.is_ascii() { 1.0 } else { 2.0 };
    let total: f64 = text.chars().map(width).sum::<f64>().max(1.0);
    let mut at = left;
    for char in text.chars() {
        let next = at + (right - left) * width(char) / total;
        if !char.is_whitespace() {
            chars.push(Char { char: folded(char), shown: char, area: [at, top, next, bottom], word, cell });
        }
        at = next;
    }
}

fn folded(char: char) -> char {
    match char {
        '￥' => '¥',
        // The full-width forms of ASCII.
        '\u{ff01}'..='\u{ff5e}' => u32::from(char).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(char),
        char => char,
    }
}

impl Row {
    /// Where the label begins and ends, the first time.
    pub(super) fn find(&self, label: &str) -> Option<(usize, usize)> {
        self.find_all(label).into_iter().next()
    }

    pub(super) fn find_all(&self, label: &str) -> Vec<(usize, usize)> {
        let label: Vec<char> = label.chars().collect();
        let windows = self.chars.windows(label.len().max(1)).enumerate();
        windows
            .filter(|(_, window)| window.iter().map(|it| it.char).eq(label.iter().copied()))
            .map(|(start, _)| (start, start + label.len()))
            .collect()
    }

    pub(super) fn text_before(&self, end: usize) -> String {
        self.chars.iter().take(end).map(|it| it.char).collect()
    }

    pub(super) fn piece(&self, (start, end): (usize, usize)) -> Piece {
        piece(self.chars.get(start..end).unwrap_or_default(), end)
    }

    pub(super) fn whole(&self) -> Piece {
        self.piece((0, self.chars.len()))
    }

    /// What follows, without a colon, up to the next label. None where nothing does.
    pub(super) fn rest(&self, from: usize) -> Option<Piece> {
        let from = from + self.chars.iter().skip(from).take_while(|it| it.char == ':').count();
        let stop = STOPS.iter().filter_map(|label| self.find_all(label).into_iter().find(|at| from <= at.0));
        let end = stop.map(|at| at.0).min().unwrap_or(self.chars.len());
        (from < end).then(|| self.piece((from, end)))
    }

    /// Like [`Row::rest`], but only as far as the cell goes in which it begins.
    pub(super) fn rest_of_cell(&self, from: usize) -> Option<Piece> {
        let rest = self.rest(from)?;
        let start = rest.end.saturating_sub(rest.text.chars().filter(|it| *it != ' ').count());
        let cell = self.chars.get(start)?.cell;
        let end = self.chars.iter().skip(start).position(|it| it.cell != cell).map_or(self.chars.len(), |n| start + n);
        Some(self.piece((start, end.min(rest.end))))
    }

    pub(super) fn cells(&self) -> Vec<Piece> {
        self.runs(0, |it| it.cell)
    }

    pub(super) fn words(&self) -> Vec<Piece> {
        self.runs(0, |it| it.word)
    }

    /// Numbers, and asterisks that stand for one, from a character on; the sign of the yuan is no part of them.
    pub(super) fn figures(&self, from: usize) -> Vec<Piece> {
        self.runs(from, |it| it.word).into_iter().filter_map(figure).collect()
    }

    fn runs(&self, from: usize, key: fn(&Char) -> usize) -> Vec<Piece> {
        let chars = self.chars.get(from..).unwrap_or_default();
        let mut end = from;
        chars
            .chunk_by(|a, b| key(a) == key(b))
            .map(|run| {
                end += run.len();
                piece(run, end)
            })
            .collect()
    }
}

fn figure(mut piece: Piece) -> Option<Piece> {
    piece.text = piece.text.replace('¥', "");
    let is_figure = piece.text.bytes().any(|it| it.is_ascii_digit() || it == b'*')
        && piece.text.bytes().all(|it| it.is_ascii_digit() || b".,-*".contains(&it));
    is_figure.then_some(piece)
}

/// Latin words keep a space between them.
fn piece(chars: &[Char], end: usize) -> Piece {
    let (mut text, mut shown) = (String::new(), String::new());
    let mut before: Option<&Char> = None;
    for it in chars {
        if before.is_some_and(|before| before.word != it.word && before.char.is_ascii() && it.char.is_ascii()) {
            text.push(' ');
            shown.push(' ');
        }
        text.push(it.char);
        shown.push(it.shown);
        before = Some(it);
    }
    let area = chars.iter().fold([f64::MAX, f64::MAX, f64::MIN, f64::MIN], |[left, top, right, bottom], it| {
        let [l, t, r, b] = it.area;
        [left.min(l), top.min(t), right.max(r), bottom.max(b)]
    });
    Piece { text, shown, area, end }
}

/// What stands to the right of an area at about its height, on rows of the same page, up to a wide gap.
pub(super) fn beside(rows: &[Row], page: u32, area: [f64; 4]) -> Option<Piece> {
    let mut words = words_beside(rows, page, area);
    words.sort_by(|a, b| a.area[0].total_cmp(&b.area[0]));
    let mut words = words.into_iter();
    let mut found = words.next()?;
    for word in words {
        if 2.0 * (found.area[3] - found.area[1]) < word.area[0] - found.area[2] {
            break;
        }
        found.text.push_str(&word.text);
        found.shown.push_str(&word.shown);
        found.area = [found.area[0], found.area[1].min(word.area[1]), word.area[2], found.area[3].max(word.area[3])];
    }
    Some(found)
}

pub(super) fn figures_beside(rows: &[Row], page: u32, area: [f64; 4]) -> Vec<Piece> {
    let mut figures: Vec<Piece> = words_beside(rows, page, area).into_iter().filter_map(figure).collect();
    figures.sort_by(|a, b| a.area[0].total_cmp(&b.area[0]));
    figures
}

fn words_beside(rows: &[Row], page: u32, [_, top, right, bottom]: [f64; 4]) -> Vec<Piece> {
    let height = bottom - top;
    let near = |it: &Piece| {
        let middle = (it.area[1] + it.area[3]) / 2.0;
        right - 0.2 * height <= it.area[0] && top - 0.3 * height < middle && middle < bottom + 0.3 * height
    };
    rows.iter().filter(|row| row.page == page).flat_map(Row::words).filter(near).collect()
}

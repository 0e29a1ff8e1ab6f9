//! XLS since Excel 97: a stream of records ([MS-XLS]). Every sheet is gone through twice: first for what is hidden and
//! merged, then for its cells.

use std::collections::BTreeSet;

use case::{Extraction, Format};

use super::cells::{Place, Raw};
use super::ole::Ole;
use super::records::{Bytes, rk, written};
use super::strings::Strings;
use super::style::{Colour, Ink, Style, built_in, shown_as};
use super::{Hidden, Range, Workbook};
use crate::{Unreadable, note};

const WHAT: &str = "XLS workbook";
const MERGED_MAX: usize = 100_000;
/// Texts of a formula's result may stand behind so many records about the formula.
const BETWEEN_MAX: usize = 4;

/// An empty text as the result of a formula ([MS-XLS] 2.5.133).
const NO_RESULT: [u8; 8] = [3, 0, 0, 0, 0, 0, 0xff, 0xff];

const FORMULA: u16 = 0x0006;
const EOF: u16 = 0x000a;
const DATEMODE: u16 = 0x0022;
const FILEPASS: u16 = 0x002f;
const FONT: u16 = 0x0031;
const CONTINUE: u16 = 0x003c;
const COLINFO: u16 = 0x007d;
const BOUNDSHEET: u16 = 0x0085;
const MULRK: u16 = 0x00bd;
const RSTRING: u16 = 0x00d6;
const XF: u16 = 0x00e0;
const MERGEDCELLS: u16 = 0x00e5;
const SST: u16 = 0x00fc;
const LABELSST: u16 = 0x00fd;
const NUMBER: u16 = 0x0203;
const LABEL: u16 = 0x0204;
const BOOLERR: u16 = 0x0205;
const STRING: u16 = 0x0207;
const ROW: u16 = 0x0208;
const RK: u16 = 0x027e;
const FORMAT: u16 = 0x041e;
const BOF: u16 = 0x0809;

pub(crate) fn read(document: &[u8]) -> Result<Extraction, Unreadable> {
    let stream = Ole::open(document)?.stream("Workbook")?.ok_or_else(|| broken("it has no workbook"))?;
    let globals = Globals::read(&stream)?;
    let mut book = Workbook::new(Format::Xlsx);
    for sheet in &globals.sheets {
        if sheet.kind != 0 {
            book.notes.push(note("sheet_not_read", format!("sheet `{}` is a chart or a macro", sheet.name)));
            continue;
        }
        let records = stream.get(sheet.start..).ok_or_else(|| broken("a sheet is not in the file"))?;
        if !sheet.hidden {
            book.begin(&sheet.name)?;
        }
        let merged = globals.cells(records, sheet.hidden, &mut book)?;
        if !sheet.hidden {
            book.end(&merged);
        }
    }
    Ok(book.finish())
}

fn broken(why: &str) -> Unreadable {
    Unreadable::Broken { what: WHAT, why: why.to_owned() }
}

/// The records of a stream, up to its end or to bytes that are none.
struct Records<'a> {
    rest: Bytes<'a>,
}

impl<'a> Records<'a> {
    fn new(bytes: &'a [u8]) -> Records<'a> {
        Records { rest: Bytes(bytes) }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = (u16, Bytes<'a>);

    fn next(&mut self) -> Option<(u16, Bytes<'a>)> {
        let (kind, length) = (self.rest.u16()?, self.rest.u16()?);
        Some((kind, Bytes(self.rest.take(usize::from(length))?)))
    }
}

/// The records of one part of the stream, from its beginning to its end, without those of charts inside it.
/// None where it does not begin, or has no end: it would be read in part.
fn part(bytes: &[u8]) -> Option<Vec<(u16, Bytes<'_>)>> {
    let mut records = Records::new(bytes);
    let (BOF, mut version) = records.next()? else { return None };
    if version.u16()? != 0x0600 {
        return None;
    }
    let (mut found, mut depth) = (Vec::new(), 1_u32);
    for (kind, data) in records {
        match kind {
            BOF => depth = depth.saturating_add(1),
            EOF if depth == 1 => return Some(found),
            EOF => depth -= 1,
            _ if depth == 1 => found.push((kind, data)),
            _ => {}
        }
    }
    None
}

struct Sheet {
    name: String,
    hidden: bool,
    /// 0 is a sheet of cells.
    kind: u8,
    start: usize,
}

struct Globals {
    sheets: Vec<Sheet>,
    strings: Strings,
    styles: Vec<Style>,
    since_1904: bool,
}

impl Globals {
    fn read(stream: &[u8]) -> Result<Globals, Unreadable> {
        // What is encrypted has lengths that can be read, and nothing else.
        if Records::new(stream).take(16).any(|(kind, _)| kind == FILEPASS) {
            return Err(Unreadable::Encrypted { what: "workbook" });
        }
        let records = part(stream).ok_or_else(|| broken("its first part is not whole, or of before 1997"))?;
        let mut globals =
            Globals { sheets: Vec::new(), strings: Strings::default(), styles: Vec::new(), since_1904: false };
        let (mut formats, mut fonts, mut xfs) = (std::collections::BTreeMap::new(), Vec::new(), Vec::new());
        for (idx, (kind, data)) in records.iter().enumerate() {
            let mut data = *data;
            match *kind {
                DATEMODE => globals.since_1904 = data.u16() == Some(1),
                BOUNDSHEET => globals.sheets.push(sheet(data).ok_or_else(|| broken("its list of sheets is cut"))?),
                FONT => fonts.push(font(data)),
                FORMAT => {
                    if let (Some(id), Some(code)) = (data.u16(), text(&mut data)) {
                        formats.insert(id, code);
                    }
                }
                XF => xfs.push(data),
                SST => {
                    let more = records.get(idx + 1..).unwrap_or_default();
                    let more = more.iter().take_while(|(kind, _)| *kind == CONTINUE).map(|it| it.1);
                    shared(data, more, &mut globals.strings)?;
                }
                _ => {}
            }
        }
        globals.styles = xfs.into_iter().map(|it| style(it, &formats, &fonts).unwrap_or_default()).collect();
        Ok(globals)
    }

    /// Reads the cells of a sheet, and gives its merged ranges.
    fn cells(&self, bytes: &[u8], hidden: bool, book: &mut Workbook) -> Result<Vec<Range>, Unreadable> {
        let records = part(bytes).ok_or_else(|| broken("a sheet is cut"))?;
        let (mut rows, mut columns, mut merged) = (BTreeSet::new(), Vec::new(), Vec::new());
        for (kind, data) in &records {
            match *kind {
                ROW => rows.extend(hidden_row(*data)),
                COLINFO => columns.extend(hidden_columns(*data)),
                MERGEDCELLS => merged.extend(merged_cells(*data)),
                _ => {}
            }
            if MERGED_MAX < merged.len() {
                let (count, max) = (merged.len() as u64, MERGED_MAX as u64);
                return Err(Unreadable::TooMuch { what: "merged ranges in a sheet", count, max });
            }
        }
        let columns = Hidden::new(columns);
        // A program that does not calculate writes an empty text for every result; one that does, for some.
        let result = |data: &Bytes<'_>| data.0.get(6..14).map(|it| it.first_chunk::<8>() == Some(&NO_RESULT));
        let calculated =
            records.iter().any(|(kind, data)| *kind == FORMULA && result(data).is_some_and(|is_none| !is_none));
        for (idx, (kind, data)) in records.iter().enumerate() {
            let mut data = *data;
            if !matches!(*kind, FORMULA | MULRK | RSTRING | LABELSST | NUMBER | LABEL | BOOLERR | RK) {
                continue;
            }
            let (Some(row), Some(column)) = (data.u16(), data.u16()) else { return Err(broken("a cell is cut")) };
            let mut take = |column: u16, xf: u16, raw: Raw<'_>| {
                let hidden = hidden || rows.contains(&row) || columns.contains(u32::from(column));
                let place = Place { row: u32::from(row), column: u32::from(column), hidden };
                book.take(place, raw, self.styles.get(usize::from(xf)), self.since_1904);
            };
            if *kind == MULRK {
                // The last two bytes repeat the last column.
                for column in u32::from(column).. {
                    let (Some(xf), Some(number)) = (data.u16(), data.u32()) else { break };
                    let column = u16::try_from(column).map_err(|_| broken("a cell stands beyond the last column"))?;
                    take(column, xf, Raw::Number(&written(rk(number))));
                }
                continue;
            }
            let xf = data.u16().unwrap_or(0);
            let after = records.get(idx + 1..).unwrap_or_default();
            match *kind {
                RK => match data.u32() {
                    Some(number) => take(column, xf, Raw::Number(&written(rk(number)))),
                    None => take(column, xf, Raw::Lost),
                },
                NUMBER => match data.f64() {
                    Some(number) => take(column, xf, Raw::Number(&written(number))),
                    None => take(column, xf, Raw::Lost),
                },
                LABELSST => {
                    let text = data.u32().and_then(|idx| self.strings.get(idx as usize));
                    take(column, xf, text.map_or(Raw::Lost, Raw::Text));
                }
                BOOLERR => take(
                    column,
                    xf,
                    match (data.u8(), data.u8()) {
                        (Some(truth), Some(0)) => Raw::Truth(truth != 0),
                        _ => Raw::Error,
                    },
                ),
                FORMULA => match data.take(8) {
                    // A result that is no number says so in the place of the number's end.
                    Some(&[what, _, value, .., 0xff, 0xff]) => match (what, result_text(after)) {
                        (0, Some(text)) => take(column, xf, Raw::Text(&text)),
                        (0, None) => take(column, xf, Raw::NoResult),
                        (1, _) => take(column, xf, Raw::Truth(value != 0)),
                        (3, _) if calculated => {}
                        (3, _) => take(column, xf, Raw::NoResult),
                        _ => take(column, xf, Raw::Error),
                    },
                    Some(number) => {
                        let number = Bytes(number).f64().map(written).unwrap_or_default();
                        take(column, xf, Raw::Number(&number));
                    }
                    None => take(column, xf, Raw::Lost),
                },
                _ => match text(&mut data) {
                    Some(text) => take(column, xf, Raw::Text(&text)),
                    None => take(column, xf, Raw::Lost),
                },
            }
        }
        Ok(merged)
    }
}

fn sheet(mut data: Bytes<'_>) -> Option<Sheet> {
    let start = data.u32()? as usize;
    let (state, kind) = (data.u8()?, data.u8()?);
    let n_chars = usize::from(data.u8()?);
    let name = characters(&mut data, n_chars)?;
    Some(Sheet { name, hidden: state & 3 != 0, kind, start })
}

/// A text with its length in two bytes in front.
fn text(data: &mut Bytes<'_>) -> Option<String> {
    let n_chars = usize::from(data.u16()?);
    characters(data, n_chars)
}

/// So many characters, in one byte each or in two; a byte in front tells.
fn characters(data: &mut Bytes<'_>, n_chars: usize) -> Option<String> {
    if data.u8()? & 1 == 1 { data.utf16(n_chars) } else { Some(latin(data.take(n_chars)?)) }
}

/// The lower halves of UTF-16.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|it| char::from(*it)).collect()
}

/// The text that a formula gives stands in a record of its own behind it, maybe behind what it shares with others.
fn result_text(after: &[(u16, Bytes<'_>)]) -> Option<String> {
    let at = after.iter().take(BETWEEN_MAX).position(|(kind, _)| *kind == STRING)?;
    let is_cell = |kind: u16| matches!(kind, FORMULA | MULRK | RSTRING | LABELSST | NUMBER | LABEL | BOOLERR | RK);
    if after.iter().take(at).any(|(kind, _)| is_cell(*kind)) {
        return None;
    }
    let (_, mut data) = *after.get(at)?;
    let n_chars = usize::from(data.u16()?);
    let more = after.get(at + 1..)?.iter().take_while(|(kind, _)| *kind == CONTINUE).map(|it| it.1);
    Continued::new(data, more).characters(n_chars)
}

/// A record and those that continue it, one behind the other.
struct Continued<'a, I> {
    here: Bytes<'a>,
    more: I,
}

impl<'a, I: Iterator<Item = Bytes<'a>>> Continued<'a, I> {
    fn new(here: Bytes<'a>, more: I) -> Continued<'a, I> {
        Continued { here, more }
    }

    fn turn(&mut self) -> Option<()> {
        self.here = self.more.next()?;
        Some(())
    }

    /// No number is torn apart between two records.
    fn front(&mut self) -> Option<&mut Bytes<'a>> {
        if self.here.0.is_empty() {
            self.turn()?;
        }
        Some(&mut self.here)
    }

    /// Characters with their width in front, and again in front of each record that continues them.
    fn characters(&mut self, n_chars: usize) -> Option<String> {
        let wide = self.front()?.u8()? & 1 == 1;
        self.characters_of(n_chars, wide)
    }

    fn characters_of(&mut self, n_chars: usize, mut wide: bool) -> Option<String> {
        let (mut out, mut left) = (String::new(), n_chars);
        while 0 < left {
            let fits = if wide { self.here.0.len() / 2 } else { self.here.0.len() };
            let n_here = fits.min(left);
            out += &if wide { self.here.utf16(n_here)? } else { latin(self.here.take(n_here)?) };
            left -= n_here;
            if 0 < left {
                self.turn()?;
                wide = self.here.u8()? & 1 == 1;
            }
        }
        Some(out)
    }

    fn skip(&mut self, n_bytes: usize) -> Option<()> {
        let mut left = n_bytes;
        while 0 < left {
            let n_here = self.front()?.0.len().min(left);
            self.here.take(n_here)?;
            left -= n_here;
        }
        Some(())
    }
}

/// The texts that the sheets share, in one record and those that continue it.
fn shared<'a>(
    first: Bytes<'a>,
    more: impl Iterator<Item = Bytes<'a>>,
    strings: &mut Strings,
) -> Result<(), Unreadable> {
    let mut data = Continued::new(first, more);
    let count = data.front().and_then(|it| it.u32().and(it.u32())).unwrap_or(0);
    // Ends with the records at the latest: each text takes three bytes.
    for _ in 0..count {
        let one = (|| {
            let front = data.front()?;
            let n_chars = usize::from(front.u16()?);
            let flags = *front.0.first()?;
            // The counts of formatting and of reading aids stand between the flags and the characters.
            let mut after_flags = Bytes(front.0.get(1..)?);
            let n_runs = if flags & 8 == 8 { usize::from(after_flags.u16()?) } else { 0 };
            let n_aid_bytes = if flags & 4 == 4 { after_flags.u32()? as usize } else { 0 };
            let text = if flags & 12 == 0 {
                data.characters(n_chars)?
            } else {
                data.here = after_flags;
                data.characters_of(n_chars, flags & 1 == 1)?
            };
            data.skip(n_runs.checked_mul(4)?.checked_add(n_aid_bytes)?)?;
            Some(text)
        })();
        // What is missing is told by the cells that refer to it.
        let Some(text) = one else { return Ok(()) };
        strings.push(&text)?;
    }
    Ok(())
}

fn hidden_row(mut data: Bytes<'_>) -> Option<u16> {
    const ZERO_HEIGHT: u8 = 0x20;
    let row = data.u16()?;
    data.take(4)?;
    let height = data.u16()? & 0x7fff;
    data.take(4)?;
    (data.u8()? & ZERO_HEIGHT != 0 || height == 0).then_some(row)
}

fn hidden_columns(mut data: Bytes<'_>) -> Option<(u32, u32)> {
    let (first, last, width) = (data.u16()?, data.u16()?, data.u16()?);
    data.u16()?;
    (data.u16()? & 1 == 1 || width == 0).then_some((u32::from(first), u32::from(last) + 1))
}

fn merged_cells(mut data: Bytes<'_>) -> Vec<Range> {
    data.u16();
    let mut found = Vec::new();
    while let (Some(top), Some(bottom), Some(left), Some(right)) = (data.u16(), data.u16(), data.u16(), data.u16()) {
        found.push(Range { first: (top.into(), left.into()), last: (bottom.into(), right.into()) });
    }
    found
}

/// Its height in twentieths of a point, and the number of its colour ([MS-XLS] 2.4.122).
fn font(mut data: Bytes<'_>) -> Option<Ink> {
    let points = f64::from(data.u16()?) / 20.0;
    data.u16()?;
    Some(Ink { colour: Colour::indexed(u32::from(data.u16()?)), points })
}

fn style(
    mut data: Bytes<'_>,
    formats: &std::collections::BTreeMap<u16, String>,
    fonts: &[Option<Ink>],
) -> Option<Style> {
    let (font, format) = (data.u16()?, data.u16()?);
    let mut style = formats.get(&format).map_or_else(|| built_in(u32::from(format)), |code| shown_as(code));
    data.take(10)?;
    let pattern = data.u32()? >> 26;
    // There is no font of number 4.
    let font = usize::from(if 4 < font { font - 1 } else { font });
    let ground = match (pattern, data.u16()) {
        (0, _) => Some(Colour::WHITE),
        (1, Some(colours)) => Some(Colour::indexed(u32::from(colours & 0x7f))),
        _ => None,
    };
    let ink = fonts.get(font).and_then(Option::as_ref);
    style.unseen |= ink.is_some_and(|it| it.is_unseen(ground.as_ref()));
    Some(style)
}

#[cfg(test)]
mod tests;

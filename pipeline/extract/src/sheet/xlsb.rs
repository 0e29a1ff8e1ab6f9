//! XLSB: the parts of a workbook as binary records that stream out of the archive ([MS-XLSB]).

use std::collections::BTreeMap;
use std::io::{BufReader, Read};

use case::{Extraction, Format};

use super::cells::{Place, Raw};
use super::records::{Bytes, rk, written};
use super::strings::Strings;
use super::style::{Colour, Ink, Style, built_in, shown_as};
use super::xlsx::{relations, relative};
use super::{Hidden, Range, Workbook};
use crate::package::{Package, Part};
use crate::{Unreadable, note};

const WHAT: &str = "XLSB workbook";
/// One record; the longest text of a cell has 64 KiB.
const RECORD_BYTES_MAX: usize = 4 << 20;
const RANGES_MAX: usize = 100_000;
const NO_TEXT: u32 = u32::MAX;

const ROW: u32 = 0;
const SHARED_TEXT: u32 = 19;
const FONT: u32 = 43;
const FORMAT: u32 = 44;
const FILL: u32 = 45;
const XF: u32 = 47;
const COLUMN: u32 = 60;
const CELL_RICH_TEXT: u32 = 62;
const WORKBOOK: u32 = 153;
const SHEET: u32 = 156;
const MERGED: u32 = 176;
const CELL_XFS: u32 = 617;
const CELL_XFS_END: u32 = 618;

pub(crate) fn read(document: &[u8]) -> Result<Extraction, Unreadable> {
    let mut package = Package::open(document)?;
    let main = package.main_part("xl/workbook.bin")?;
    let relations = relations(&mut package, &main)?;
    let strings = shared(&mut package, &relative(&main, "sharedStrings.bin"))?;
    let styles = styles(&mut package, &relative(&main, "styles.bin"))?;
    let (mut sheets, mut since_1904) = (Vec::new(), false);
    let mut records = Records::of(&mut package, &main)?.ok_or_else(|| broken("its main part is missing"))?;
    while let Some((kind, mut data)) = records.next()? {
        match kind {
            WORKBOOK => since_1904 = data.u32().is_some_and(|it| it & 1 == 1),
            SHEET => sheets.push(sheet(data).ok_or_else(|| broken("its list of sheets is cut"))?),
            _ => {}
        }
    }
    drop(records);
    let mut book = Workbook::new(Format::Xlsx);
    for (name, hidden, id) in sheets {
        let target = relations.get(&id).ok_or_else(|| broken("a sheet is missing"))?;
        if !target.is_worksheet() {
            book.notes.push(note("sheet_not_read", format!("sheet `{name}` is a chart, a dialog or a macro")));
            continue;
        }
        if !hidden {
            book.begin(&name)?;
        }
        let mut records = Records::of(&mut package, &target.part)?.ok_or_else(|| broken("a sheet is missing"))?;
        let merged = cells(&mut records, hidden, &mut book, (&strings, &styles, since_1904))?;
        if !hidden {
            book.end(&merged);
        }
    }
    Ok(book.finish())
}

fn broken(why: &str) -> Unreadable {
    Unreadable::Broken { what: WHAT, why: why.to_owned() }
}

/// The records of one part.
struct Records<'a> {
    input: BufReader<Part<'a>>,
    data: Vec<u8>,
}

impl<'a> Records<'a> {
    fn of(package: &'a mut Package<'_>, part: &str) -> Result<Option<Records<'a>>, Unreadable> {
        Ok(package.part(part)?.map(|part| Records { input: BufReader::new(part), data: Vec::new() }))
    }

    fn next(&mut self) -> Result<Option<(u32, Bytes<'_>)>, Unreadable> {
        let Some(kind) = self.number(2)? else { return Ok(None) };
        let length = self.number(4)?.ok_or_else(|| broken("a part ends in a record"))? as usize;
        if RECORD_BYTES_MAX < length {
            let (count, max) = (length as u64, RECORD_BYTES_MAX as u64);
            return Err(Unreadable::TooMuch { what: "bytes in one record", count, max });
        }
        self.data.clear();
        let read = self.input.by_ref().take(length as u64).read_to_end(&mut self.data);
        read.map_err(|_| self.input.get_ref().fault())?;
        if self.data.len() < length {
            return Err(broken("a part ends in a record"));
        }
        Ok(Some((kind, Bytes(&self.data))))
    }

    /// Seven bits in each byte; the eighth says that another follows. None at the end of the part.
    fn number(&mut self, bytes_max: u32) -> Result<Option<u32>, Unreadable> {
        let mut number = 0;
        for idx in 0..bytes_max {
            let mut byte = [0];
            let n_read = self.input.read(&mut byte).map_err(|_| self.input.get_ref().fault())?;
            if n_read == 0 {
                return if idx == 0 { Ok(None) } else { Err(broken("a part ends in a record")) };
            }
            let [byte] = byte;
            number |= u32::from(byte & 0x7f) << (7 * idx);
            if byte & 0x80 == 0 {
                break;
            }
        }
        Ok(Some(number))
    }
}

fn text(data: &mut Bytes<'_>) -> Option<String> {
    let n_chars = data.u32()?;
    if n_chars == NO_TEXT { Some(String::new()) } else { data.utf16(n_chars as usize) }
}

/// Its name, whether it is hidden, and the relation to its part.
fn sheet(mut data: Bytes<'_>) -> Option<(String, bool, String)> {
    let state = data.u32()?;
    data.u32()?;
    let id = text(&mut data)?;
    Some((text(&mut data)?, state != 0, id))
}

fn shared(package: &mut Package<'_>, part: &str) -> Result<Strings, Unreadable> {
    let mut strings = Strings::default();
    let Some(mut records) = Records::of(package, part)? else { return Ok(strings) };
    while let Some((kind, mut data)) = records.next()? {
        if kind == SHARED_TEXT {
            data.u8();
            strings.push(&text(&mut data).ok_or_else(|| broken("a shared text is cut"))?)?;
        }
    }
    Ok(strings)
}

fn styles(package: &mut Package<'_>, part: &str) -> Result<Vec<Style>, Unreadable> {
    let (mut formats, mut fonts, mut fills) = (BTreeMap::new(), Vec::new(), Vec::new());
    let (mut styles, mut of_cells) = (Vec::new(), false);
    let Some(mut records) = Records::of(package, part)? else { return Ok(styles) };
    while let Some((kind, mut data)) = records.next()? {
        match kind {
            FORMAT => {
                if let (Some(id), Some(code)) = (data.u16(), text(&mut data)) {
                    formats.insert(id, code);
                }
            }
            FONT => fonts.push(font(data)),
            // Without a pattern there is nothing behind the letters but the sheet.
            FILL => fills.push(match data.u32() {
                Some(0) => Some(Colour::WHITE),
                Some(1) => colour(data),
                _ => None,
            }),
            CELL_XFS => of_cells = true,
            CELL_XFS_END => of_cells = false,
            XF if of_cells => styles.push(style(data, &formats, &fonts, &fills).unwrap_or_default()),
            _ => {}
        }
    }
    Ok(styles)
}

fn style(
    mut data: Bytes<'_>,
    formats: &BTreeMap<u16, String>,
    fonts: &[Option<Ink>],
    fills: &[Option<Colour>],
) -> Option<Style> {
    data.u16()?;
    let (format, font, fill) = (data.u16()?, data.u16()?, data.u16()?);
    let mut style = formats.get(&format).map_or_else(|| built_in(u32::from(format)), |code| shown_as(code));
    let fill = fills.get(usize::from(fill)).map_or(Some(&Colour::WHITE), Option::as_ref);
    let ink = fonts.get(usize::from(font)).and_then(Option::as_ref);
    style.unseen |= ink.is_some_and(|it| it.is_unseen(fill));
    Some(style)
}

/// Its height in twentieths of a point stands in front, its colour behind 12 bytes ([MS-XLSB] 2.4.149).
fn font(mut data: Bytes<'_>) -> Option<Ink> {
    let points = f64::from(data.u16()?) / 20.0;
    data.take(10)?;
    Some(Ink { colour: colour(data)?, points })
}

/// A colour: its kind (of a palette, in red, green and blue, of the theme) and its number. None where the program chooses.
fn colour(mut data: Bytes<'_>) -> Option<Colour> {
    let (kind, idx, tint) = (data.u8()? >> 1, data.u8()?, data.u16()?);
    let rgb = data.take(3)?;
    match kind {
        1 => Some(Colour::indexed(u32::from(idx))),
        2 => Some(Colour::Rgb(*rgb.first_chunk()?)),
        3 => Some(Colour::theme(u32::from(idx), &if tint == 0 { String::new() } else { tint.to_string() })),
        _ => None,
    }
}

/// Reads the cells of a sheet, and gives its merged ranges.
fn cells(
    records: &mut Records<'_>,
    hidden_sheet: bool,
    book: &mut Workbook,
    (strings, styles, since_1904): (&Strings, &[Style], bool),
) -> Result<Vec<Range>, Unreadable> {
    let (mut columns, mut merged) = (Vec::new(), Vec::new());
    let mut hidden_columns: Option<Hidden> = None;
    let (mut row, mut hidden_row) = (0, false);
    while let Some((kind, mut data)) = records.next()? {
        match kind {
            ROW => {
                row = data.u32().ok_or_else(|| broken("a row is cut"))?;
                hidden_row = zero_height(data).unwrap_or(false);
            }
            COLUMN if hidden_columns.is_none() => columns.extend(hidden_column(data)),
            COLUMN => return Err(broken("columns are described after the cells")),
            MERGED => merged.extend(range(data)),
            1..=11 | CELL_RICH_TEXT => {
                let hidden_columns = hidden_columns.get_or_insert_with(|| Hidden::new(std::mem::take(&mut columns)));
                let cell = || broken("a cell is cut");
                let (column, style) = (data.u32().ok_or_else(cell)?, data.u32().ok_or_else(cell)? & 0x00ff_ffff);
                let hidden = hidden_sheet || hidden_row || hidden_columns.contains(column);
                let place = Place { row, column, hidden };
                let mut held = String::new();
                let raw = match kind {
                    1 => continue,
                    2 => number(data.u32().map(rk), &mut held),
                    3 | 11 => Raw::Error,
                    4 | 10 => data.u8().map_or(Raw::Lost, |it| Raw::Truth(it != 0)),
                    5 | 9 => number(data.f64(), &mut held),
                    7 => data.u32().and_then(|idx| strings.get(idx as usize)).map_or(Raw::Lost, Raw::Text),
                    _ => {
                        if kind == CELL_RICH_TEXT {
                            data.u8();
                        }
                        match text(&mut data) {
                            Some(text) => {
                                held = text;
                                Raw::Text(&held)
                            }
                            None => Raw::Lost,
                        }
                    }
                };
                book.take(place, raw, styles.get(style as usize), since_1904);
            }
            // Cells without their column, which no known program writes into a file.
            12..=18 => return Err(broken("a cell does not say where it stands")),
            _ => {}
        }
        if RANGES_MAX < columns.len().max(merged.len()) {
            let (count, max) = (RANGES_MAX as u64 + 1, RANGES_MAX as u64);
            return Err(Unreadable::TooMuch { what: "ranges of columns or cells in a sheet", count, max });
        }
    }
    Ok(merged)
}

fn number<'a>(number: Option<f64>, held: &'a mut String) -> Raw<'a> {
    let Some(number) = number else { return Raw::Lost };
    *held = written(number);
    Raw::Number(held)
}

fn zero_height(mut data: Bytes<'_>) -> Option<bool> {
    const ZERO_HEIGHT: u8 = 0x10;
    data.u32()?;
    let height = data.u16()?;
    data.u8()?;
    Some(data.u8()? & ZERO_HEIGHT != 0 || height == 0)
}

fn hidden_column(mut data: Bytes<'_>) -> Option<(u32, u32)> {
    let (first, last, width) = (data.u32()?, data.u32()?, data.u32()?);
    data.u32()?;
    (data.u16()? & 1 == 1 || width == 0).then_some((first, last.saturating_add(1)))
}

fn range(mut data: Bytes<'_>) -> Option<Range> {
    let (top, bottom, left, right) = (data.u32()?, data.u32()?, data.u32()?, data.u32()?);
    Some(Range { first: (top, left), last: (bottom, right) })
}

#[cfg(test)]
mod tests;

//! Workbooks and delimited text as one thing: sheets of cells that a person sees. `table.rs` finds the fields in them.

mod ods;
mod xlsx;

use std::collections::BTreeMap;

use case::{Extraction, Format, Note};

use crate::{Unreadable, note, table};

pub(crate) use ods::read as ods;
pub(crate) use xlsx::read as xlsx;

/// Cells with content in a whole workbook.
const CELLS_MAX: usize = 200_000;
const SHEETS_MAX: usize = 100;
const COLUMNS_MAX: u32 = 16_384;
const ROWS_MAX: u32 = 1_048_576;

pub(crate) struct Workbook {
    pub(crate) format: Format,
    pub(crate) sheets: Vec<Sheet>,
    pub(crate) notes: Vec<Note>,
    /// Cells with content that no eye sees, in hidden sheets, rows and columns.
    pub(crate) n_hidden: u32,
    n_cells: usize,
}

pub(crate) struct Sheet {
    pub(crate) name: String,
    /// By row, then column, both from 0. Empty cells are absent.
    pub(crate) rows: BTreeMap<u32, BTreeMap<u32, Cell>>,
    /// Were all its cells taken in?
    pub(crate) complete: bool,
}

#[derive(Clone)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) stored: Stored,
    /// ISO 4217, from the way the number is to be shown.
    pub(crate) currency: Option<String>,
}

/// What a cell holds beside its text.
#[derive(Clone, PartialEq)]
pub(crate) enum Stored {
    Text,
    /// A decimal with a point; percentages in hundredths: 19 for 19 %.
    Number(String),
    /// ISO 8601.
    Date(String),
}

impl Cell {
    fn text(text: &str) -> Option<Cell> {
        let text = text.trim();
        (!text.is_empty()).then(|| Cell { text: text.to_owned(), stored: Stored::Text, currency: None })
    }
}

impl Workbook {
    fn new(format: Format) -> Workbook {
        Workbook { format, sheets: Vec::new(), notes: Vec::new(), n_hidden: 0, n_cells: 0 }
    }

    /// Puts a cell into the last sheet. False where the workbook is full: the sheet is then marked as not wholly read.
    fn put(&mut self, row: u32, column: u32, cell: Cell) -> bool {
        let Some(sheet) = self.sheets.last_mut() else { return false };
        if CELLS_MAX <= self.n_cells || COLUMNS_MAX <= column || ROWS_MAX <= row {
            if sheet.complete {
                let message = format!("the workbook has more than the {CELLS_MAX} cells that are read");
                self.notes.push(note("cut", message));
            }
            sheet.complete = false;
            return false;
        }
        self.n_cells += 1;
        sheet.rows.entry(row).or_default().insert(column, cell);
        true
    }

    fn begin(&mut self, name: &str) -> Result<(), Unreadable> {
        if self.sheets.len() == SHEETS_MAX {
            return Err(Unreadable::TooMuch { what: "sheets", count: SHEETS_MAX as u64 + 1, max: SHEETS_MAX as u64 });
        }
        self.sheets.push(Sheet { name: name.to_owned(), rows: BTreeMap::new(), complete: true });
        Ok(())
    }

    fn finish(mut self) -> Extraction {
        if 0 < self.n_hidden {
            let message = format!("{} cells are in hidden sheets, rows or columns; they were not read", self.n_hidden);
            self.notes.push(note("hidden_cells", message));
        }
        table::read(self)
    }
}

/// Hidden columns, as sorted half-open ranges that do not touch: a hostile sheet may list a million of them.
struct Hidden(Vec<(u32, u32)>);

impl Hidden {
    fn new(mut ranges: Vec<(u32, u32)>) -> Hidden {
        ranges.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::new();
        for (from, to) in ranges {
            match merged.last_mut() {
                Some((_, end)) if from <= *end => *end = to.max(*end),
                _ => merged.push((from, to)),
            }
        }
        Hidden(merged)
    }

    fn contains(&self, column: u32) -> bool {
        let after = self.0.partition_point(|(from, _)| *from <= column);
        after.checked_sub(1).and_then(|idx| self.0.get(idx)).is_some_and(|(_, to)| column < *to)
    }
}

/// `A1` for (0, 0).
pub(crate) fn cell_name(row: u32, column: u32) -> String {
    let mut letters = String::new();
    let mut left = column.saturating_add(1);
    while 0 < left {
        let letter = u8::try_from((left - 1) % 26).unwrap_or(0);
        letters.insert(0, char::from(b'A' + letter));
        left = (left - 1) / 26;
    }
    format!("{letters}{}", u64::from(row) + 1)
}

/// Delimited text; the sheet is called `csv` in the evidence.
pub(crate) fn csv(text: &str) -> Result<Extraction, Unreadable> {
    let mut book = Workbook::new(Format::Csv);
    book.begin("csv")?;
    let delimiter = table::delimiter(text).unwrap_or(b',');
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    for (row, record) in (0..).zip(reader.records()) {
        let record = record.map_err(|err| {
            let line = err.position().map_or(0, csv::Position::line);
            Unreadable::Broken { what: "delimited text", why: format!("an error in line {line}") }
        })?;
        for (column, text) in (0..).zip(record.iter()) {
            if Cell::text(text).is_some_and(|cell| !book.put(row, column, cell)) {
                return Ok(book.finish());
            }
        }
    }
    Ok(book.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_columns_are_found_however_they_are_listed() {
        let hidden = Hidden::new(vec![(5, 7), (1, 2), (6, 9), (2, 3)]);
        let found: Vec<u32> = (0..12).filter(|it| hidden.contains(*it)).collect();
        assert_eq!(found, [1, 2, 5, 6, 7, 8]);
    }

    #[test]
    fn a_cell_is_named_as_its_program_names_it() {
        for (row, column, expected) in [(0, 0, "A1"), (9, 25, "Z10"), (0, 26, "AA1"), (1_048_575, 16_383, "XFD1048576")]
        {
            assert_eq!(cell_name(row, column), expected);
        }
    }
}

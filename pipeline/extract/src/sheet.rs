//! Workbooks and delimited text as one thing: sheets of cells that a person sees. `table.rs` finds the fields in them.

mod cells;
mod delimited;
mod ods;
mod ole;
mod records;
mod strings;
mod style;
mod tags;
mod xls;
mod xlsb;
mod xlsx;

use std::collections::{BTreeMap, VecDeque};

use case::{Extraction, Format, Note};

use crate::{Unreadable, note, table};

pub(crate) use delimited::read as csv;
pub(crate) use ods::read as ods;
pub(crate) use ole::{Form as OleForm, form as ole_form};
pub(crate) use xls::read as xls;
pub(crate) use xlsb::read as xlsb;
pub(crate) use xlsx::read as xlsx;

/// Cells with content that are kept from a whole workbook: fifteen for each line that may be given. The others are looked
/// at and counted.
const CELLS_MAX: usize = 150_000;
/// Of what comes after those, the last cells of each sheet are kept too, because totals stand at the end.
const TAIL_CELLS_MAX: usize = 1_000;
/// Bytes of text in the cells that are kept, in the last ones of a sheet, and in one cell: that of 32,767 characters.
const TEXT_BYTES_MAX: usize = 16 << 20;
const TAIL_BYTES_MAX: usize = 4 << 20;
const CELL_BYTES_MAX: usize = 4 * 32_767;
const SHEETS_MAX: usize = 100;
const COLUMNS_MAX: u32 = 16_384;
const ROWS_MAX: u32 = 1_048_576;
/// Notes about single cells.
const CELL_NOTES_MAX: usize = 100;
/// Merged ranges of one sheet, and the rows looked at for them.
const MERGES_MAX: usize = 20_000;
const MERGED_ROWS_MAX: usize = 4_000_000;

pub(crate) struct Workbook {
    pub(crate) format: Format,
    pub(crate) sheets: Vec<Sheet>,
    pub(crate) notes: Vec<Note>,
    /// Cells with content that no eye sees: in hidden sheets, rows and columns, under merged cells, without ink.
    pub(crate) n_hidden: u32,
    n_cells: usize,
    n_text_bytes: usize,
    n_cell_notes: usize,
    tail: VecDeque<((u32, u32), Cell)>,
    tail_bytes: usize,
    /// Were cells taken out of the tail?
    tail_torn: bool,
}

pub(crate) struct Sheet {
    pub(crate) name: String,
    /// By row, then column, both from 0. Empty cells are absent.
    pub(crate) rows: BTreeMap<u32, BTreeMap<u32, Cell>>,
    /// Were all its cells taken in?
    pub(crate) complete: bool,
    /// Merged cells: the last row and column by the first, where the content stands.
    pub(crate) merged: BTreeMap<(u32, u32), (u32, u32)>,
    /// Cells with content, and how many of them are in `rows`.
    n_seen: usize,
    n_kept: usize,
    /// The row after which some are left out, and the one with which `rows` goes on.
    pub(crate) gap: Option<(u32, u32)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) stored: Stored,
    /// ISO 4217, from the way the number is to be shown.
    pub(crate) currency: Option<String>,
    /// Decimals that are shown of a number.
    pub(crate) places: Option<u8>,
}

/// What a cell holds beside its text.
#[derive(Clone, Debug, PartialEq)]
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
        (!text.is_empty()).then(|| Cell { text: text.to_owned(), stored: Stored::Text, currency: None, places: None })
    }
}

impl Workbook {
    fn new(format: Format) -> Workbook {
        Workbook {
            format,
            sheets: Vec::new(),
            notes: Vec::new(),
            n_hidden: 0,
            n_cells: 0,
            n_text_bytes: 0,
            n_cell_notes: 0,
            tail: VecDeque::new(),
            tail_bytes: 0,
            tail_torn: false,
        }
    }

    /// Is there room for one more cell? Without, the reader may hand over the tail only.
    fn has_room(&self) -> bool {
        self.n_cells < CELLS_MAX && self.n_text_bytes < TEXT_BYTES_MAX
    }

    /// Puts a cell into the last sheet. False where the workbook is full: the sheet is then marked as not wholly read.
    fn put(&mut self, row: u32, column: u32, cell: Cell) -> bool {
        let room = self.has_room();
        let n_bytes = cell.text.len();
        if CELL_BYTES_MAX < n_bytes {
            let what = format!("has {n_bytes} bytes of text, more than the {CELL_BYTES_MAX} that a cell may have");
            self.tell("cell_unreadable", (row, column), &what);
            return false;
        }
        let Some(sheet) = self.sheets.last_mut() else { return false };
        sheet.n_seen += 1;
        if COLUMNS_MAX <= column || ROWS_MAX <= row {
            sheet.complete = false;
            return false;
        }
        if !room {
            sheet.complete = false;
            self.tail.push_back(((row, column), cell));
            self.tail_bytes += n_bytes;
            while TAIL_CELLS_MAX < self.tail.len() || TAIL_BYTES_MAX < self.tail_bytes {
                let Some((_, oldest)) = self.tail.pop_front() else { break };
                self.tail_bytes = self.tail_bytes.saturating_sub(oldest.text.len());
                self.tail_torn = true;
            }
            return false;
        }
        self.n_cells += 1;
        self.n_text_bytes += n_bytes;
        sheet.n_kept += 1;
        sheet.rows.entry(row).or_default().insert(column, cell);
        true
    }

    /// Counts cells of the last sheet that were looked at and are in neither its beginning nor its end.
    fn pass(&mut self, n_cells: usize) {
        if let Some(sheet) = self.sheets.last_mut() {
            sheet.n_seen += n_cells;
            sheet.complete &= n_cells == 0;
        }
    }

    fn hide(&mut self, n_cells: u32) {
        self.n_hidden = self.n_hidden.saturating_add(n_cells);
    }

    /// A note about one cell of a sheet.
    fn tell(&mut self, code: &str, (row, column): (u32, u32), what: &str) {
        self.n_cell_notes += 1;
        if self.n_cell_notes <= CELL_NOTES_MAX {
            self.notes.push(note(code, format!("cell {} {what}", cell_name(row, column))));
        }
    }

    fn begin(&mut self, name: &str) -> Result<(), Unreadable> {
        if self.sheets.len() == SHEETS_MAX {
            return Err(Unreadable::TooMuch { what: "sheets", count: SHEETS_MAX as u64 + 1, max: SHEETS_MAX as u64 });
        }
        self.sheets.push(Sheet {
            name: name.to_owned(),
            rows: BTreeMap::new(),
            complete: true,
            merged: BTreeMap::new(),
            n_seen: 0,
            n_kept: 0,
            gap: None,
        });
        Ok(())
    }

    /// Ends the last sheet: what is merged is one cell, and of what was too much the last rows are kept.
    fn end(&mut self, merged: &[Range]) {
        self.keep_tail();
        let Some(sheet) = self.sheets.last_mut() else { return };
        let mut n_covered = 0;
        let mut n_rows_left = MERGED_ROWS_MAX;
        for range in merged.iter().take(MERGES_MAX) {
            let Range { first, last } = *range;
            if last.0 < first.0 || last.1 < first.1 || first == last {
                continue;
            }
            for (row, cells) in sheet.rows.range_mut(first.0..=last.0) {
                let Some(left) = n_rows_left.checked_sub(1) else { break };
                n_rows_left = left;
                let covered: Vec<u32> = cells
                    .range(first.1..=last.1)
                    .map(|(column, _)| *column)
                    .filter(|column| (*row, *column) != first)
                    .collect();
                for column in covered {
                    cells.remove(&column);
                    n_covered += 1;
                }
            }
            sheet.merged.insert(first, last);
        }
        sheet.rows.retain(|_, cells| !cells.is_empty());
        if MERGES_MAX < merged.len() || n_rows_left == 0 {
            sheet.complete = false;
            let message = format!(
                "sheet `{}` has {} merged ranges, of which {MERGES_MAX} over {MERGED_ROWS_MAX} rows are looked at",
                sheet.name,
                merged.len()
            );
            self.notes.push(note("cut", message));
        }
        self.hide(n_covered);
    }

    fn keep_tail(&mut self) {
        let Some(sheet) = self.sheets.last_mut() else { return };
        if sheet.complete {
            return;
        }
        // The oldest row in the tail may have lost its first cells.
        let torn = self.tail.front().map(|((row, _), _)| *row).filter(|_| self.tail_torn);
        (self.tail_bytes, self.tail_torn) = (0, false);
        let before = sheet.rows.last_key_value().map(|(row, _)| *row);
        for ((row, column), cell) in self.tail.drain(..).filter(|((row, _), _)| Some(*row) != torn) {
            if before < Some(row) && sheet.gap.is_none() {
                sheet.gap = before.map(|it| (it, row));
            }
            sheet.n_kept += 1;
            sheet.rows.entry(row).or_default().insert(column, cell);
        }
        let Sheet { name, n_seen, n_kept, .. } = sheet;
        let message = format!(
            "sheet `{name}` has {n_seen} cells with content, of which {n_kept} are given; \
             {CELLS_MAX} are given from a whole workbook, and {TEXT_BYTES_MAX} bytes of text, of which {} are used",
            self.n_text_bytes
        );
        self.notes.push(note("cut", message));
    }

    fn finish(mut self) -> Extraction {
        if 0 < self.n_hidden {
            let message = format!(
                "{} cells are hidden: by sheet, row or column, under merged cells or without ink; they were not read",
                self.n_hidden
            );
            self.notes.push(note("hidden_cells", message));
        }
        if CELL_NOTES_MAX < self.n_cell_notes {
            let message = format!("{} cells have a note, of which {CELL_NOTES_MAX} are given", self.n_cell_notes);
            self.notes.push(note("notes_cut", message));
        }
        table::read(self)
    }
}

/// A rectangle of cells: (row, column) of its first and last, both in it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Range {
    first: (u32, u32),
    last: (u32, u32),
}

/// Hidden columns, as sorted half-open ranges that do not touch: a hostile sheet may list a million of them.
#[derive(Default)]
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

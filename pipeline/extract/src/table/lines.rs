//! The table of lines under its header.

use std::collections::{BTreeMap, BTreeSet};

use case::{Extraction, FieldName, LineField};

use super::marks::Marks;
use super::wording::{Label, header_label, item_or_name, line_label};
use super::{BESIDE, money_number, number, place, total};
use crate::sheet::{Cell, Sheet, Stored, cell_name};
use crate::values::{amount, stored_number, words};
use crate::{field, fit, note};

/// Rows without content inside a table of lines.
const EMPTY_ROWS_MAX: u32 = 2;

/// A table of lines: where its header is, and what its columns mean.
pub(super) struct Table {
    pub(super) header_row: u32,
    pub(super) columns: BTreeMap<u32, LineField>,
    pub(super) rows: BTreeSet<u32>,
    /// The header of another table below this one.
    pub(super) next_header: Option<u32>,
}

impl Table {
    /// The first row that names what is billed and how much of it.
    pub(super) fn find(sheet: &Sheet) -> Option<Table> {
        let (header_row, columns) =
            sheet.rows.iter().find_map(|(row, cells)| Some((*row, heads(sheet, *row, cells)?)))?;
        let mut table = Table { header_row, columns, rows: BTreeSet::new(), next_header: None };
        // A header that is merged over two rows is one.
        let merged = sheet.merged.range((header_row, 0)..(header_row + 1, 0)).map(|(_, (row, _))| *row).max();
        let mut last = merged.unwrap_or(header_row).max(header_row);
        let mut last_line = last;
        for (row, cells) in sheet.rows.range(last + 1..) {
            let is_line = table.is_line(cells);
            let goes_on = sheet.gap.is_some_and(|(before, after)| (before, after) == (last, *row));
            // What stands between can be a row or two without content, but not between the table and its totals.
            let far = last + 1 < *row && !goes_on && (!is_line || last + 1 + EMPTY_ROWS_MAX < *row);
            let total = || {
                cells.values().any(|cell| cell.stored == Stored::Text && header_label(&cell.text).is_some_and(total))
            };
            if far || (!is_line && total()) {
                break;
            }
            last = *row;
            if is_line || table.has_number(cells) {
                last_line = last;
            }
            table.rows.insert(*row);
        }
        // Words below the last line are not lines: thanks, terms, a label whose value stands in the next row.
        table.rows.split_off(&(last_line + 1));
        // Two columns can be a summary; three of lines are lines.
        let is_header = |row: u32, cells: &BTreeMap<u32, Cell>| heads(sheet, row, cells).is_some_and(|it| 2 < it.len());
        table.next_header =
            sheet.rows.range(last_line + 1..).find(|(row, cells)| is_header(**row, cells)).map(|(row, _)| *row);
        Some(table)
    }

    /// Does a row say what is billed, and how much of it in two figures or more?
    fn is_line(&self, cells: &BTreeMap<u32, Cell>) -> bool {
        let is = |wanted: &[LineField], column: &u32| self.columns.get(column).is_some_and(|it| wanted.contains(it));
        let what = cells.iter().find(|(column, _)| is(&[LineField::Name, LineField::Item], column));
        // `Total`, a quantity and an amount are no line; shipping may be one.
        let extra = |it: Label| matches!(it.name, FieldName::AllowanceTotal | FieldName::ChargeTotal);
        let named_total = |cell: &Cell| header_label(&cell.text).is_some_and(|it| total(it) && !extra(it));
        what.is_some_and(|it| !named_total(it.1)) && 2 <= self.numbers(cells).count()
    }

    fn has_number(&self, cells: &BTreeMap<u32, Cell>) -> bool {
        self.numbers(cells).next().is_some()
    }

    fn numbers<'a>(&'a self, cells: &'a BTreeMap<u32, Cell>) -> impl Iterator<Item = &'a Cell> {
        const FIGURES: [LineField; 3] = [LineField::Quantity, LineField::UnitPrice, LineField::NetAmount];
        cells
            .iter()
            .filter(|(column, _)| self.columns.get(column).is_some_and(|it| FIGURES.contains(it)))
            .map(|(_, cell)| cell)
            .filter(|cell| !cell.text.contains('%'))
            .filter(|cell| matches!(cell.stored, Stored::Number(_)) || amount(&cell.text).is_some())
    }

    pub(super) fn lines(&self, sheet: &Sheet, marks: &Marks, answer: &mut Extraction) {
        let n_lines = fit::lines(answer, self.rows.len());
        for row in self.rows.iter().take(n_lines) {
            let Some(cells) = sheet.rows.get(row) else { continue };
            let mut line = BTreeMap::new();
            for (column, name) in &self.columns {
                let Some(cell) = cells.get(column) else { continue };
                let value = match name {
                    LineField::VatRate => number(cell, marks).map(|it| rate_of(it, cell)),
                    LineField::Quantity | LineField::UnitPrice | LineField::PriceBase => number(cell, marks),
                    LineField::NetAmount => money_number(cell, marks),
                    _ => words(&cell.text),
                };
                match value {
                    Some(value) => drop(line.insert(*name, field(value, BESIDE, place(sheet, *row, *column, cell)))),
                    None if !fit::notes_left(answer) => {}
                    None => {
                        let message = format!("cell {} is no value of its column", cell_name(*row, *column));
                        answer.notes.push(note("value_unreadable", message));
                    }
                }
            }
            if !line.is_empty() {
                answer.lines.push(line);
            }
        }
    }
}

/// What the columns of a row are the heads of, if together they say what is billed and how much of it.
fn heads(sheet: &Sheet, row: u32, cells: &BTreeMap<u32, Cell>) -> Option<BTreeMap<u32, LineField>> {
    let mut columns: BTreeMap<u32, LineField> = BTreeMap::new();
    for (column, cell) in cells {
        let name = (cell.stored == Stored::Text).then(|| line_label(&cell.text)).flatten();
        // Beside a description, `Item` is the number of what is described.
        let first = || columns.iter().find(|it| *it.1 == LineField::Name).map(|it| *it.0);
        if name == Some(LineField::Name)
            && let Some(first) = first()
            && cells.get(&first).is_some_and(|it| item_or_name(&it.text))
            && !columns.values().any(|it| *it == LineField::Item)
        {
            columns.insert(first, LineField::Item);
        }
        if let Some(name) = name.filter(|it| !columns.values().any(|taken| taken == it)) {
            columns.insert(*column, name);
        }
    }
    let has = |names: &[LineField]| names.iter().any(|it| columns.values().any(|found| found == it));
    let what = has(&[LineField::Name, LineField::Item]);
    let how_much = has(&[LineField::Quantity, LineField::NetAmount, LineField::UnitPrice]);
    let is_number = |it: &Cell| matches!(it.stored, Stored::Number(_));
    let short = columns.len() == 2 && has(&[LineField::NetAmount]) && {
        let below = sheet.rows.range(row + 1..).next().map(|it| it.1);
        let amount_below = |(column, name): (&u32, &LineField)| {
            let cell = below.and_then(|it| it.get(column));
            cell.is_some_and(|it| (*name == LineField::NetAmount) == (is_number(it) || amount(&it.text).is_some()))
        };
        columns.iter().all(amount_below) && cells.len() == 2
    };
    ((3 <= columns.len() || short) && what && how_much).then_some(columns)
}

/// Is there a row with words and two figures or more, as lines have them?
pub(super) fn has_figures(sheet: &Sheet, marks: &Marks) -> bool {
    let is_words = |it: &&Cell| it.stored == Stored::Text && it.text.contains(char::is_alphabetic);
    sheet.rows.values().any(|cells| {
        cells.values().any(|it| is_words(&it)) && 2 <= cells.values().filter(|it| number(it, marks).is_some()).count()
    })
}

/// A rate that is stored as a fraction of one and not shown in hundredths: no VAT is below one per cent.
fn rate_of(rate: String, cell: &Cell) -> String {
    let fraction = matches!(cell.stored, Stored::Number(_)) && rate.starts_with("0.") && !cell.text.contains('%');
    let hundredths = || stored_number(&(rate.parse::<f64>().ok()? * 100.0).to_string());
    if fraction { hundredths().unwrap_or(rate) } else { rate }
}

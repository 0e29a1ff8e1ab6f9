//! The items of an invoice, from the table whose headings name what stands below them.

mod columns;
mod items;

use std::collections::{BTreeMap, BTreeSet};

use case::{Field, FieldName, Fields, LineField};

use super::words::{Meaning, tokens};
use super::{Hit, Sheet, footing, printed};
use crate::pdf::{Line, Page};
use columns::{COLUMNS_LEAST, COLUMNS_MIN, Column, Headings, Table, Value, is_figure, place, table};
use items::Item;

const ITEMS_MAX: usize = 2_000;

#[derive(Default)]
pub(super) struct Positions {
    pub(super) lines: Vec<BTreeMap<LineField, Field>>,
    /// Page and line, both from 0, of what the items take up.
    pub(super) body: BTreeSet<(usize, usize)>,
}

/// The items of a table that says how many, or for how much each.
pub(super) fn read(sheet: &Sheet<'_>) -> Positions {
    read_tables(sheet, &columns::headings(), COLUMNS_MIN)
}

/// The items of a table that has only names and amounts, where they sum to a total.
pub(super) fn read_named(sheet: &Sheet<'_>, fields: &Fields) -> Positions {
    let found = read_tables(sheet, &columns::headings(), COLUMNS_LEAST);
    let sum = footing::sum(&found.lines);
    let totals = [FieldName::LineTotal, FieldName::NetTotal, FieldName::GrossTotal, FieldName::Payable];
    let confirmed = totals.iter().any(|name| sum.is_some() && footing::value(fields.single.get(name)) == sum);
    if confirmed { found } else { Positions::default() }
}

fn read_tables(sheet: &Sheet<'_>, headings: &Headings, columns_min: usize) -> Positions {
    let mut items = Vec::new();
    let mut last: Option<(Table, Ended)> = None;
    for (page_idx, page) in sheet.pages.iter().enumerate() {
        // The table goes on at the top of the next page, with or without its headings.
        let (table, first, ended) = match (table(page, headings, columns_min), last.take()) {
            (Some(table), last) => {
                let first = table.body;
                (table, first, last.map_or(Ended::No, |(_, ended)| ended))
            }
            (None, Some((table, ended))) => (table, 0, ended),
            (None, None) => continue,
        };
        // Behind a sum of lines only a row that multiplies says that the table goes on.
        let first = match ended {
            Ended::No => Some(first),
            Ended::BySum => page.lines.iter().skip(first).position(|it| fills(it, &table)).map(|it| first + it),
            Ended::ByTotal => None,
        };
        let Some(first) = first else { break };
        let ended = read_page(sheet, page_idx, page, &table, first, &mut items);
        if ended == Ended::ByTotal || ITEMS_MAX <= items.len() {
            break;
        }
        last = Some((table, ended));
    }
    items.truncate(ITEMS_MAX);
    items::settle(&mut items, decimal_mark(sheet));
    let body = items.iter().flat_map(|item| item.lines.iter().map(|line| (item.page, *line))).collect();
    Positions { lines: items.into_iter().filter_map(|item| item.fields(sheet)).collect(), body }
}

/// What ended a table on its page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    No,
    /// A sum of lines, which can be one of a page or a group.
    BySum,
    ByTotal,
}

fn read_page(
    sheet: &Sheet<'_>,
    page_idx: usize,
    page: &Page,
    table: &Table,
    first: usize,
    items: &mut Vec<Item>,
) -> Ended {
    let mut current: Option<Item> = None;
    let mut ended = Ended::No;
    // Above the last row that multiplies, a sum of lines is one of a page or a group.
    let last_row = page.lines.iter().rposition(|line| fills(line, table)).unwrap_or(0);
    for (line_idx, line) in page.lines.iter().enumerate().skip(first) {
        let placed = place(line, table);
        let by = ended_by(sheet.hits_on(page_idx, line_idx), line, &placed, table);
        if by == Ended::ByTotal || (by == Ended::BySum && last_row <= line_idx) {
            ended = by;
            break;
        }
        if by == Ended::BySum || carries_over(line, &placed) {
            if let Some(item) = &mut current {
                item.close_name();
            }
            continue;
        }
        let figures = || placed.iter().filter(|(column, value)| value.amount.is_some() && is_figure(*column));
        let taken =
            current.as_ref().is_some_and(|item: &Item| figures().any(|(column, _)| item.cells.contains_key(column)));
        let new_position = placed.iter().any(|(column, _)| *column == Column::Position)
            && current.as_ref().is_some_and(|item| {
                item.cells.contains_key(&Column::Position) || item.cells.contains_key(&Column::Amount)
            });
        if taken || new_position || (current.is_none() && figures().next().is_some()) {
            items.extend(current.take().filter(Item::complete));
            current = Some(Item { page: page_idx, ..Item::default() });
        }
        let Some(item) = &mut current else { continue };
        let has_figures = figures().next().is_some();
        if has_figures {
            item.lines.push(line_idx);
        }
        for (column, value) in placed {
            if column == Column::Name {
                item.extend_name(&value.words, has_figures);
            } else if !is_figure(column) || value.amount.is_some() {
                item.cells.entry(column).or_insert(value);
            }
        }
        if ITEMS_MAX <= items.len() {
            break;
        }
    }
    items.extend(current.filter(Item::complete));
    ended
}

fn figure(placed: &[(Column, Value)], column: Column) -> bool {
    placed.iter().any(|(it, value)| *it == column && value.amount.is_some())
}

/// Has the row a quantity and a price that make its amount; in a table without prices, a name, a quantity and an amount?
fn fills(line: &Line, table: &Table) -> bool {
    let placed = place(line, table);
    if !figure(&placed, Column::Amount) || !figure(&placed, Column::Quantity) {
        return false;
    }
    if table.has(Column::UnitPrice) {
        let item = Item { cells: placed.into_iter().collect(), ..Item::default() };
        return [Column::Amount, Column::AmountToo].iter().any(|column| item.makes(*column) == Some(true));
    }
    let worded = |value: &Value| value.words.iter().any(|word| word.text.contains(char::is_alphabetic));
    placed.iter().any(|(column, value)| *column == Column::Name && worded(value))
}

/// A strong label of a total, or a weak one at the start of a line with an amount, stands below the last item.
fn ended_by(hits: &[Hit], line: &Line, placed: &[(Column, Value)], table: &Table) -> Ended {
    const TOTALS: [FieldName; 5] =
        [FieldName::LineTotal, FieldName::NetTotal, FieldName::TaxTotal, FieldName::GrossTotal, FieldName::Payable];
    let strong = |hit: &Hit| hit.strength == 1.0 || (hit.cell == 0 && hit.first == 0 && line.cells.len() <= 3);
    let mut by = Ended::No;
    for hit in hits.iter().filter(|hit| strong(hit)) {
        let Meaning::Field(name) = hit.meaning else { continue };
        if !TOTALS.contains(&name) || names_an_item(hit, line, placed, table) {
            continue;
        }
        let sum = name == FieldName::LineTotal || (name == FieldName::GrossTotal && hit.strength < 1.0);
        if !sum {
            return Ended::ByTotal;
        }
        by = Ended::BySum;
    }
    by
}

/// `Tax return preparation  3  450.00`: the words of a total begin the name of a row that fills its columns.
fn names_an_item(hit: &Hit, line: &Line, placed: &[(Column, Value)], table: &Table) -> bool {
    let Some(cell) = line.cells.get(hit.cell).filter(|cell| table.nearest(cell) == Some(Column::Name)) else {
        return false;
    };
    if !figure(placed, Column::Amount) || !figure(placed, Column::Quantity) {
        return false;
    }
    let goes_on = cell.words.get(hit.end..).unwrap_or_default().iter().any(|word| {
        2 <= word.text.chars().filter(|it| it.is_alphabetic()).count() && !printed::is_currency(&word.text)
    });
    let priced = table.has(Column::UnitPrice);
    (goes_on && !priced && !hit.alone) || (priced && fills(line, table))
}

/// What a page takes over from the one before it, or hands on: `Übertrag von Seite 1  300,00`.
const CARRIED: &str = "Übertrag | Zwischenübertrag | Uebertrag | Carried forward | Brought forward | Carried over | Balance carried forward | \
    Balance brought forward | Carry over | À reporter | Report | Report page | Suma y sigue | Suma anterior | Riporto | A riportare | \
    A transportar | Transporte anterior | Transporteren | Transport vorige pagina | 承前页 | 过次页";
const OF_PAGES: &str = "von | vom | auf | aus | seite | blatt | from | to | page | p | de | la | da | pagina | página";

fn carries_over(line: &Line, placed: &[(Column, Value)]) -> bool {
    if figure(placed, Column::Quantity) || figure(placed, Column::UnitPrice) {
        return false;
    }
    let Some(cell) = line.cells.iter().find(|cell| cell.text().contains(char::is_alphabetic)) else { return false };
    let said = tokens(&cell.text());
    CARRIED.split(" | ").any(|wording| {
        let rest = said.strip_prefix(tokens(wording).as_slice());
        let page =
            |it: &String| it.bytes().all(|it| it.is_ascii_digit()) || OF_PAGES.split(" | ").any(|word| it == word);
        rest.is_some_and(|rest| rest.iter().all(page))
    })
}

/// Of four amounts with a mark before two decimals, three have this one.
fn decimal_mark(sheet: &Sheet<'_>) -> Option<char> {
    const TIMES: usize = 3;
    let (mut points, mut commas) = (0_usize, 0_usize);
    for word in sheet.pages.iter().flat_map(|page| &page.lines).flat_map(Line::words) {
        let text = word.text.trim_matches(|it: char| !it.is_ascii_digit());
        let Some((whole, decimals)) = text.rsplit_once(['.', ',']) else { continue };
        let two = decimals.len() == 2 && decimals.bytes().all(|it| it.is_ascii_digit());
        if two && !whole.is_empty() && crate::values::amount(text).is_some() {
            if text.get(whole.len()..).is_some_and(|it| it.starts_with('.')) { points += 1 } else { commas += 1 }
        }
    }
    match (points, commas) {
        (points, commas) if TIMES * commas < points => Some('.'),
        (points, commas) if TIMES * points < commas => Some(','),
        _ => None,
    }
}

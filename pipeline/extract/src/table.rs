//! Invoice fields in sheets of cells: labels with their values beside or below them, and a table of lines under its header.

mod iban;
mod kind;
mod lines;
mod marks;
mod totals;
mod wording;

use std::collections::BTreeMap;

use case::{Coverage, Evidence, Extraction, FieldName, Kind, LINES_MAX, LineField};

use crate::sheet::{Cell, Sheet, Stored, Workbook, cell_name};
use crate::values::{currency, identifier, money, rounded, words};
use crate::{field, fit, note};
use lines::Table;
use marks::Marks;
use wording::{Label, Title, header_label, is_english_date, line_label, no_field, plain, title};

/// A day that could be another one, because nothing says whether the month stands first.
const GUESSED_DAY: f64 = 0.5;
/// A value right of its label, below it, and in the same cell behind a colon.
const BESIDE: f64 = 0.93;
const BELOW: f64 = 0.88;
const IN_LINE: f64 = 0.95;
/// The sender at the top of the sheet, told by its place alone.
const LETTERHEAD: f64 = 0.7;
/// How many empty cells may stand between a label and its value.
const GAP_MAX: u32 = 4;
const SEVERAL_INVOICES: &str = "several_invoices";
const LABEL_CHARS_MAX: usize = 48;
/// A label of the header in the header row of a table: each row then has its own value.
const COLUMN_LABELS_MIN: usize = 3;

pub(crate) fn read(book: Workbook) -> Extraction {
    let mut answer = Extraction::blank(Kind::Unknown, book.format);
    answer.notes = book.notes;
    let filled: Vec<&Sheet> = book.sheets.iter().filter(|it| !it.rows.is_empty() || !it.complete).collect();
    let (mut n_read, mut too_many) = (0, false);
    let mut kinds = kind::Signs::default();
    for sheet in &filled {
        let table = Table::find(sheet);
        let marks = Marks::of(sheet);
        let lines_before = answer.lines.len();
        if let Some(table) = &table
            && lines_before == 0
        {
            table.lines(sheet, &marks, &mut answer);
            too_many = LINES_MAX < table.rows.len();
        }
        let n_fields_before = answer.fields.single.len();
        header(sheet, table.as_ref(), &marks, &mut answer);
        if let Some(row) = table.as_ref().and_then(|it| it.next_header) {
            let message =
                format!("sheet `{}` has another table of lines in row {}; it was not read", sheet.name, row + 1);
            answer.notes.push(note("second_table", message));
        }
        let unread = 0 < lines_before
            && table.is_none()
            && n_fields_before == answer.fields.single.len()
            && lines::has_figures(sheet, &marks);
        if unread {
            let message = format!("sheet `{}` has rows of figures without a header; they were not read", sheet.name);
            answer.notes.push(note("second_table", message));
            continue;
        }
        kinds.look(sheet, table.as_ref().map(|it| it.header_row));
        if table.is_some() && 0 < lines_before {
            answer.notes.push(note(
                "second_table",
                format!("sheet `{}` has a table of lines too; it was not read", sheet.name),
            ));
        } else {
            n_read += u32::from(sheet.complete);
        }
    }
    let pages = u32::try_from(filled.len()).unwrap_or(u32::MAX);
    totals::unsigned(&mut answer);
    answer.coverage =
        Coverage { pages: pages.max(1), read: if pages == 0 { 1 } else { n_read }, hidden_text: book.n_hidden };
    if too_many {
        answer.coverage.read = answer.coverage.read.min(answer.coverage.pages - 1);
    }
    if answer.notes.iter().any(|it| it.code == SEVERAL_INVOICES) {
        // More than one document in one file: a person must take it apart.
        answer.kind = Kind::Unknown;
        answer.coverage.read = 0;
    } else {
        kinds.tell(&mut answer);
    }
    answer
}

/// The delimiter of a text whose lines are records; none where they are not.
pub(crate) fn delimiter(text: &str) -> Option<u8> {
    const SAMPLE_LINES: usize = 200;
    const FIELD_CHARS_MAX: usize = 80;
    let sample: String = text.lines().take(SAMPLE_LINES).flat_map(|line| [line, "\n"]).collect();
    let fits = |delimiter: u8| {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(sample.as_bytes());
        let (mut n_records, mut n_fields, mut n_chars, mut has_header) = (0, 0, 0, false);
        let mut widths: BTreeMap<usize, usize> = BTreeMap::new();
        for record in reader.records().map_while(Result::ok) {
            n_records += 1;
            n_fields += record.len();
            n_chars += record.iter().map(str::len).sum::<usize>();
            *widths.entry(record.len()).or_default() += 1;
            // However many lines of words stand above it: three labels of columns side by side are a header.
            has_header |=
                3 <= record.iter().filter(|it| line_label(it).is_some() || header_label(it).is_some()).count();
        }
        let wide: usize = widths.iter().filter(|(width, _)| 2 <= **width).map(|(_, count)| count).sum();
        let usual = widths.iter().filter(|(width, _)| 2 <= **width).map(|(_, count)| *count).max().unwrap_or(0);
        // Prose has commas too, but not equally many in each line.
        let regular = if delimiter == b',' { usual } else { wide };
        let records = 2 <= n_records && n_records * 4 <= regular * 5 && n_chars <= n_fields * FIELD_CHARS_MAX;
        records || has_header
    };
    [b';', b'\t', b',', b'|'].into_iter().find(|it| fits(*it))
}

fn place(sheet: &Sheet, row: u32, column: u32, cell: &Cell) -> Evidence {
    Evidence::Cell { sheet: sheet.name.clone(), cell: cell_name(row, column), text: cell.text.clone() }
}

fn number(cell: &Cell, marks: &Marks) -> Option<String> {
    match &cell.stored {
        Stored::Number(number) => Some(number.clone()),
        Stored::Text => marks.amount(&cell.text),
        Stored::Date(_) => None,
    }
}

/// An amount as it is shown: what is billed is what the reader of the sheet sees, in cents or the like.
fn money_number(cell: &Cell, marks: &Marks) -> Option<String> {
    const PLACES_MIN: u8 = 2;
    let number = number(cell, marks)?;
    match cell.places.filter(|it| PLACES_MIN <= *it) {
        Some(places) => Some(rounded(&number, places).unwrap_or(number)),
        None => Some(number),
    }
}

fn header(sheet: &Sheet, table: Option<&Table>, marks: &Marks, answer: &mut Extraction) {
    // One row of column labels is looked down from, and no other: each look goes to the end of the sheet.
    let mut looked_down = false;
    for (row, cells) in &sheet.rows {
        if table.is_some_and(|it| it.rows.contains(row)) {
            continue;
        }
        let labels: BTreeMap<u32, Label> = cells
            .iter()
            .filter(|(_, cell)| cell.stored == Stored::Text)
            // The head of a column of lines is about each line, not about the document.
            .filter(|(column, _)| !table.is_some_and(|it| it.header_row == *row && it.columns.contains_key(column)))
            .filter_map(|(column, cell)| Some((*column, header_label(&cell.text)?)))
            .collect();
        // Labels with something other than a label right of them are not the heads of columns.
        let unread = |column: u32| cells.get(&column).is_some_and(|it| no_field(&it.text));
        let is_label = |column: u32| labels.contains_key(&column) || unread(column);
        let n_columns = labels.keys().filter(|it| is_label(*it + 1) || !cells.contains_key(&(*it + 1))).count();
        let in_header_row = match table {
            Some(table) => table.header_row == *row,
            None => COLUMN_LABELS_MIN <= n_columns && !looked_down,
        };
        looked_down |= in_header_row;
        for (column, label) in labels {
            // Beside a table of lines they are amounts of each line.
            if in_header_row && table.is_some() && total(label) {
                continue;
            }
            if !in_header_row
                && total(label)
                && let Some(it) = totals::beside(sheet, table, (*row, column), label, marks)
            {
                let cell = cells.get(&column).filter(|_| label.has_rate);
                let in_label = || {
                    let cell = cell?;
                    Some(field(totals::rate(&cell.text)?, BESIDE, place(sheet, *row, column, cell)))
                };
                let rate = if label.name == FieldName::TaxTotal { it.rate.or_else(in_label) } else { None };
                if rate.is_some() || label.has_rate {
                    totals::keep_group(answer, rate, field(it.found.0, BESIDE, it.found.1));
                } else {
                    keep(answer, label.name, it.found, BESIDE);
                }
            } else if in_header_row {
                down(sheet, (*row, column), label, marks, answer);
            } else if let Some((found, confidence)) = beside(sheet, (*row, column), label, marks)
                .or_else(|| below_lines(sheet, table?, (*row, column), label, marks))
            {
                if label.has_rate
                    && let Some(cell) = cells.get(&column)
                {
                    let place = place(sheet, *row, column, cell);
                    let rate = totals::rate(&cell.text).map(|it| field(it, confidence, place));
                    totals::keep_group(answer, rate, field(found.0, confidence, found.1));
                } else {
                    let label_text = cells.get(&column).map_or("", |it| it.text.as_str());
                    let confidence = sure(label_text, (label.name, &found.1), marks, confidence);
                    keep(answer, label.name, found, confidence);
                }
            }
        }
        for (column, cell) in cells.iter().filter(|(_, cell)| cell.stored == Stored::Text) {
            behind_colon(sheet, (*row, *column), cell, marks, answer);
            if let Some(iban) = iban::found(&cell.text)
                && answer.text(FieldName::Iban) != Some(&iban)
            {
                keep(answer, FieldName::Iban, (iban, place(sheet, *row, *column, cell)), BELOW);
            }
        }
    }
    if answer.field(FieldName::Currency).is_none() {
        shown_currency(sheet, answer);
    }
    if answer.field(FieldName::SellerName).is_none() {
        letterhead(sheet, answer);
    }
}

/// Whoever writes the sheet stands at its top without a label: one text alone in the first row, an address below it.
fn letterhead(sheet: &Sheet, answer: &mut Extraction) {
    // The document's title may stand above it.
    let is_title = |cells: &BTreeMap<u32, Cell>| cells.values().all(|it| title(&it.text) != Title::None);
    let mut rows = sheet.rows.iter().skip_while(|(_, cells)| is_title(cells));
    let (Some((row, first)), Some((next, second))) = (rows.next(), rows.next()) else { return };
    let mut names = first.iter().filter(|(_, cell)| !cell.text.trim().is_empty());
    let (Some((column, cell)), None) = (names.next(), names.next()) else { return };
    let address = |cell: &Cell| cell.stored == Stored::Text && cell.text.contains(|it: char| it.is_ascii_digit());
    let named = cell.stored == Stored::Text
        && header_label(&cell.text).is_none()
        && !no_field(&cell.text)
        && title(&cell.text) == Title::None;
    if named
        && *next == row + 1
        && second.get(column).is_some_and(address)
        && let Some(name) = words(&cell.text)
    {
        answer.fields.single.insert(FieldName::SellerName, field(name, LETTERHEAD, place(sheet, *row, *column, cell)));
    }
}

fn keep(answer: &mut Extraction, name: FieldName, (value, evidence): (String, Evidence), confidence: f64) {
    match answer.fields.single.get(&name) {
        Some(kept) if kept.value != value && !totals::is_group(&answer.fields.vat_breakdown, kept) => {
            let message = format!("{} is given more than once, and differently; the first was kept", name.name());
            if fit::notes_left(answer) {
                answer.notes.push(note("several_values", message));
            }
        }
        _ => drop(answer.fields.single.insert(name, field(value, confidence, evidence))),
    }
}

/// The value in the same row, or else in the row below.
fn beside(sheet: &Sheet, (row, column): (u32, u32), label: Label, marks: &Marks) -> Option<((String, Evidence), f64)> {
    // A merged label ends where its last cell does.
    let (last_row, end) = sheet.merged.get(&(row, column)).copied().unwrap_or((row, column));
    let right = sheet.rows.get(&row)?.range(end + 1..=end.saturating_add(GAP_MAX)).next();
    let head = |cell: &Cell| header_label(&cell.text).is_some() || no_field(&cell.text);
    if let Some((at, cell)) = right
        && !head(cell)
    {
        let found = value(label.name, cell, marks).filter(|it| !label.is_title || is_reference(cell, it));
        match found {
            Some(found) => return Some(((found, place(sheet, row, *at, cell)), BESIDE)),
            // Words beside a total are about it; beside anything else they may be the head of the next column.
            None if total(label) || cell.stored != Stored::Text => return None,
            None => {}
        }
    }
    // Below a title stands whoever writes, not its number.
    if label.is_title {
        return None;
    }
    let below = sheet.rows.get(&(last_row + 1))?.get(&column)?;
    if head(below) || line_label(&below.text).is_some() || below.text.ends_with([':', '：']) {
        return None;
    }
    Some(((value(label.name, below, marks)?, place(sheet, last_row + 1, column, below)), BELOW))
}

/// Is what stands beside the word `Invoice` its number: in every longer word a figure, and no date?
fn is_reference(cell: &Cell, text: &str) -> bool {
    let is_part = |it: &str| it.chars().count() <= 3 || it.contains(|it: char| it.is_ascii_digit());
    !matches!(cell.stored, Stored::Date(_)) && crate::values::date(text).is_none() && text.split(' ').all(is_part)
}

/// A total in the row of its label, far from it but below the amounts of the lines.
fn below_lines(
    sheet: &Sheet,
    table: &Table,
    (row, column): (u32, u32),
    label: Label,
    marks: &Marks,
) -> Option<((String, Evidence), f64)> {
    let (amounts, _) = table.columns.iter().find(|it| *it.1 == LineField::NetAmount)?;
    if !total(label) || row < table.header_row || *amounts <= column {
        return None;
    }
    let cell = sheet.rows.get(&row)?.get(amounts)?;
    Some(((value(label.name, cell, marks)?, place(sheet, row, *amounts, cell)), BELOW))
}

/// A label at the head of a column: the value is one for all rows, or it is not the document's.
fn down(sheet: &Sheet, (header_row, column): (u32, u32), label: Label, marks: &Marks, answer: &mut Extraction) {
    let cells: Vec<(u32, &Cell)> =
        sheet.rows.range(header_row + 1..).map_while(|(row, cells)| Some((*row, cells.get(&column)?))).collect();
    let mut values = cells.iter().filter_map(|(row, cell)| Some((value(label.name, cell, marks)?, *row, *cell)));
    let Some((first, row, cell)) = values.next() else { return };
    if values.any(|(value, _, _)| value != first) {
        let message = format!("{} has several values below cell {}", label.name.name(), cell_name(header_row, column));
        let code = if label.name == FieldName::Number { SEVERAL_INVOICES } else { "several_values" };
        answer.notes.push(note(code, message));
        return;
    }
    let place = place(sheet, row, column, cell);
    let label_text = sheet.rows.get(&header_row).and_then(|it| it.get(&column)).map_or("", |it| it.text.as_str());
    let confidence = sure(label_text, (label.name, &place), marks, BELOW);
    keep(answer, label.name, (first, place), confidence);
}

/// `Invoice number: 4711` in one cell.
fn behind_colon(sheet: &Sheet, (row, column): (u32, u32), cell: &Cell, marks: &Marks, answer: &mut Extraction) {
    let Some((before, after)) = cell.text.split_once([':', '：']) else { return };
    let Some(label) = header_label(before) else { return };
    let text = Cell { text: after.trim().to_owned(), stored: Stored::Text, currency: None, places: None };
    if text.text.is_empty() {
        return;
    }
    if let Some(value) = value(label.name, &text, marks) {
        let confidence = if is_guessed_day(before, label.name, &text.text, marks) { GUESSED_DAY } else { IN_LINE };
        keep(answer, label.name, (value, place(sheet, row, column, cell)), confidence);
    }
}

fn sure(label: &str, (name, place): (FieldName, &Evidence), marks: &Marks, confidence: f64) -> f64 {
    let Evidence::Cell { text, .. } = place else { return confidence };
    if is_guessed_day(label, name, text, marks) { GUESSED_DAY } else { confidence }
}

fn is_guessed_day(label: &str, name: FieldName, text: &str, marks: &Marks) -> bool {
    let dated = matches!(name, FieldName::IssueDate | FieldName::DueDate | FieldName::DeliveryDate);
    dated && is_english_date(label) && marks.leaves_choice(text)
}

fn value(name: FieldName, cell: &Cell, marks: &Marks) -> Option<String> {
    use FieldName::*;
    match name {
        IssueDate | DueDate | DeliveryDate => match &cell.stored {
            Stored::Date(date) => Some(date.clone()),
            _ => marks.date(&cell.text),
        },
        name if total_name(name) => money_number(cell, marks),
        SellerVatId | BuyerVatId | SellerTaxId | BuyerTaxId | Bic => identifier(&cell.text),
        Iban => iban::found(&cell.text).or_else(|| identifier(&cell.text)),
        Currency => currency(&cell.text).or_else(|| currency_named(&cell.text)),
        // A number has a figure, and a name has letters and is no date: anything else is the head of another column.
        Number | OrderRef | PrecedingInvoice => {
            words(&cell.text).filter(|it| it.contains(|it: char| it.is_ascii_digit()))
        }
        SellerName | BuyerName => words(&cell.text).filter(|it| {
            cell.stored == Stored::Text
                && it.contains(char::is_alphabetic)
                && !it.ends_with([':', '：'])
                && crate::values::date(it).is_none()
        }),
        _ => words(&cell.text),
    }
}

fn total_name(name: FieldName) -> bool {
    use FieldName::*;
    matches!(
        name,
        LineTotal | AllowanceTotal | ChargeTotal | NetTotal | TaxTotal | GrossTotal | Prepaid | Rounding | Payable
    )
}

fn total(label: Label) -> bool {
    total_name(label.name)
}

/// The currency in which the amounts are shown, where all agree.
fn shown_currency(sheet: &Sheet, answer: &mut Extraction) {
    // Most cells are figures or words alone; one look at each end tells.
    let mixed = |text: &str| {
        let figure = |it: Option<&u8>| it.is_some_and(u8::is_ascii_digit);
        figure(text.as_bytes().first()) != figure(text.as_bytes().last()) || text.starts_with('(')
    };
    let sign = |cell: &Cell| {
        let shown = || mixed(&cell.text).then(|| money(&cell.text)).flatten()?.1;
        cell.currency.clone().or_else(shown)
    };
    let mut found: Option<(String, Evidence)> = None;
    for (row, cells) in &sheet.rows {
        for (column, cell) in cells {
            let Some(currency) = sign(cell) else { continue };
            match &found {
                Some((known, _)) if *known != currency => return,
                Some(_) => {}
                None => found = Some((currency, place(sheet, *row, *column, cell))),
            }
        }
    }
    if let Some((currency, evidence)) = found {
        answer.fields.single.insert(FieldName::Currency, field(currency, BELOW, evidence));
    }
}

/// A currency by its name.
fn currency_named(text: &str) -> Option<String> {
    const NAMES: [(&str, &str); 10] = [
        ("euro", "EUR"),
        ("euros", "EUR"),
        ("us dollar", "USD"),
        ("us dollars", "USD"),
        ("pound sterling", "GBP"),
        ("pounds sterling", "GBP"),
        ("schweizer franken", "CHF"),
        ("swiss franc", "CHF"),
        ("人民币", "CNY"),
        ("人民币元", "CNY"),
    ];
    let text = plain(text);
    NAMES.iter().find(|it| it.0 == text).map(|it| it.1.to_owned())
}

#[cfg(test)]
mod tests;

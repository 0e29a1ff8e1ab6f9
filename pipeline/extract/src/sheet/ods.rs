//! OpenDocument spreadsheets. Repeated cells and rows are counted out only as far as the workbook's limit goes.

use case::{Extraction, Format};
use roxmltree::Node;

use super::{COLUMNS_MAX, Cell, Hidden, ROWS_MAX, Range, Stored, Workbook};
use crate::Unreadable;
use crate::package::Package;
use crate::values::{amount, currency, date, stored_number};
use crate::xml::{all, parse};

const WHAT: &str = "ODS workbook";

pub(crate) fn read(document: &[u8]) -> Result<Extraction, Unreadable> {
    let mut package = Package::open(document)?;
    if package.text("META-INF/manifest.xml")?.is_some_and(|it| it.contains("encryption-data")) {
        return Err(Unreadable::Encrypted { what: "workbook" });
    }
    let content = package.text("content.xml")?;
    let content = content.ok_or_else(|| Unreadable::Broken { what: WHAT, why: "its content is missing".to_owned() })?;
    let content = parse(&content, WHAT)?;
    let root = content.root_element();
    let hidden_styles: Vec<&str> = all(root, "automatic-styles/style")
        .into_iter()
        .filter(|it| all(*it, "table-properties").iter().any(|it| attribute(*it, "display") == Some("false")))
        .filter_map(|it| attribute(it, "name"))
        .collect();
    let mut book = Workbook::new(Format::Ods);
    for table in all(root, "body/spreadsheet/table") {
        let hidden = attribute(table, "style-name").is_some_and(|it| hidden_styles.contains(&it));
        if !hidden {
            book.begin(attribute(table, "name").unwrap_or("?"))?;
        }
        let merged = sheet(table, hidden, &mut book);
        if !hidden {
            book.end(&merged);
        }
    }
    Ok(book.finish())
}

/// By local name: the prefixes are many and their names do not collide.
fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attributes().find(|it| it.name() == name).map(|it| it.value())
}

fn repeats(node: Node<'_, '_>, name: &str, max: u32) -> u32 {
    attribute(node, name).and_then(|it| it.parse().ok()).unwrap_or(1).clamp(1, max)
}

/// Reads the cells of a sheet, and gives its merged ranges.
fn sheet(table: Node<'_, '_>, hidden: bool, book: &mut Workbook) -> Vec<Range> {
    let hidden_columns = hidden_columns(table);
    let mut merged = Vec::new();
    let mut row_idx: u32 = 0;
    // Rows may stand in groups.
    for row in table.descendants().filter(|it| it.tag_name().name() == "table-row") {
        let n_rows = repeats(row, "number-rows-repeated", ROWS_MAX);
        let hidden_row = hidden || attribute(row, "visibility").is_some_and(|it| it != "visible");
        let Row { cells, spans, without_value } = cells(row);
        if !hidden_row {
            merged.extend(spans.into_iter().map(|(column, rows, columns)| Range {
                first: (row_idx, column),
                last: (row_idx.saturating_add(rows - 1), column.saturating_add(columns - 1)),
            }));
            for (column, code, what) in without_value {
                book.tell(code, (row_idx, column), what);
            }
        }
        let (visible, unseen): (Vec<_>, Vec<_>) =
            cells.into_iter().partition(|(column, _)| !hidden_row && !hidden_columns.contains(*column));
        book.hide(u32::try_from(unseen.len()).unwrap_or(u32::MAX).saturating_mul(n_rows));
        for (idx, row_idx) in (0_usize..).zip(row_idx..row_idx.saturating_add(n_rows)) {
            if visible.is_empty() {
                break;
            }
            // What is repeated beyond the workbook's limit is counted, not unfolded.
            if 0 < idx && !book.has_room() {
                let n_left = (n_rows as usize).saturating_sub(idx);
                book.pass(n_left.saturating_mul(visible.len()));
                break;
            }
            for (column, cell) in &visible {
                book.put(row_idx, *column, cell.clone());
            }
        }
        row_idx = row_idx.saturating_add(n_rows);
    }
    merged
}

fn hidden_columns(table: Node<'_, '_>) -> Hidden {
    let mut found = Vec::new();
    let mut column: u32 = 0;
    for it in table.descendants().filter(|it| it.tag_name().name() == "table-column") {
        let end = column.saturating_add(repeats(it, "number-columns-repeated", COLUMNS_MAX));
        if attribute(it, "visibility").is_some_and(|it| it != "visible") {
            found.push((column, end));
        }
        column = end;
    }
    Hidden::new(found)
}

#[derive(Default)]
struct Row {
    cells: Vec<(u32, Cell)>,
    /// Merged cells that begin here: column, and how many rows and columns they are.
    spans: Vec<(u32, u32, u32)>,
    /// Column, code and reason of a note.
    without_value: Vec<(u32, &'static str, &'static str)>,
}

fn cells(row: Node<'_, '_>) -> Row {
    let mut found = Row::default();
    let mut column: u32 = 0;
    let is_cell = |it: &Node<'_, '_>| matches!(it.tag_name().name(), "table-cell" | "covered-table-cell");
    for node in row.children().filter(is_cell) {
        let n_columns = repeats(node, "number-columns-repeated", COLUMNS_MAX);
        let end = column.saturating_add(n_columns).min(COLUMNS_MAX);
        let (rows, columns) =
            (repeats(node, "number-rows-spanned", ROWS_MAX), repeats(node, "number-columns-spanned", COLUMNS_MAX));
        if 1 < rows.max(columns) {
            found.spans.push((column, rows, columns));
        }
        match cell(node) {
            Content::Cell(cell) => found.cells.extend((column..end).map(|column| (column, cell.clone()))),
            Content::Without(code, what) => found.without_value.push((column, code, what)),
            Content::Nothing => {}
        }
        column = column.saturating_add(n_columns);
    }
    found
}

enum Content {
    Cell(Cell),
    Nothing,
    Without(&'static str, &'static str),
}

fn cell(node: Node<'_, '_>) -> Content {
    // Notes to a cell are children too, and not its content.
    let shown: Vec<String> = all(node, "p").into_iter().map(paragraph).collect();
    let shown = shown.join("\n");
    let formula = attribute(node, "formula").is_some();
    // The type in the extended namespace comes second where there are two of this name.
    let error = node.attributes().any(|it| it.name() == "value-type" && it.value() == "error");
    if error || (formula && (shown.starts_with('#') || shown.starts_with("Err:"))) {
        return Content::Without("cell_error", "shows an error instead of a value");
    }
    let unreadable = Content::Without("cell_unreadable", "holds a value that is none of its kind");
    let hundredths = || Some((attribute(node, "value")?.parse::<f64>().ok()? * 100.0).to_string());
    let stored = match attribute(node, "value-type") {
        Some("float" | "currency") => attribute(node, "value").and_then(stored_number).map(Stored::Number),
        Some("percentage") => hundredths().as_deref().and_then(stored_number).map(Stored::Number),
        Some("date") => attribute(node, "date-value").and_then(date).map(Stored::Date),
        None if formula && shown.trim().is_empty() => {
            return Content::Without("formula_without_value", "has a formula whose result is not in the file");
        }
        _ => return Cell::text(&shown).map_or(Content::Nothing, Content::Cell),
    };
    let Some(stored) = stored else { return unreadable };
    let text = if shown.trim().is_empty() { written(&stored) } else { shown };
    let places = matches!(stored, Stored::Number(_)).then(|| shown_places(&text)).flatten();
    Content::Cell(Cell { text, stored, currency: attribute(node, "currency").and_then(currency), places })
}

/// The decimals of what is shown, where it is an amount.
fn shown_places(text: &str) -> Option<u8> {
    let shown = amount(text)?;
    u8::try_from(shown.split_once('.')?.1.len()).ok()
}

fn written(stored: &Stored) -> String {
    match stored {
        Stored::Text => String::new(),
        Stored::Number(text) | Stored::Date(text) => text.clone(),
    }
}

fn paragraph(node: Node<'_, '_>) -> String {
    let mut out = String::new();
    for it in node.descendants() {
        match it.tag_name().name() {
            "s" | "tab" => out.push(' '),
            "line-break" => out.push('\n'),
            _ if it.is_text() => out.push_str(it.text().unwrap_or_default()),
            _ => {}
        }
    }
    out
}

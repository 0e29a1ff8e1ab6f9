//! OpenDocument spreadsheets. Repeated cells and rows are counted out only as far as the workbook's limit goes.

use case::{Extraction, Format};
use roxmltree::Node;

use super::{COLUMNS_MAX, Cell, Hidden, ROWS_MAX, Stored, Workbook};
use crate::Unreadable;
use crate::package::Package;
use crate::values::{currency, date, stored_number};
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
        sheet(table, hidden, &mut book);
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

fn sheet(table: Node<'_, '_>, hidden: bool, book: &mut Workbook) {
    let hidden_columns = hidden_columns(table);
    let mut row_idx: u32 = 0;
    // Rows may stand in groups.
    for row in table.descendants().filter(|it| it.tag_name().name() == "table-row") {
        let n_rows = repeats(row, "number-rows-repeated", ROWS_MAX);
        let hidden_row = hidden || attribute(row, "visibility").is_some_and(|it| it != "visible");
        let cells = cells(row);
        let (visible, unseen): (Vec<_>, Vec<_>) =
            cells.into_iter().partition(|(column, _)| !hidden_row && !hidden_columns.contains(*column));
        let n_unseen = u32::try_from(unseen.len()).unwrap_or(u32::MAX).saturating_mul(n_rows);
        book.n_hidden = book.n_hidden.saturating_add(n_unseen);
        // Ends with the workbook's limit at the latest: each round puts a cell in.
        for row_idx in row_idx..row_idx.saturating_add(if visible.is_empty() { 0 } else { n_rows }) {
            for (column, cell) in &visible {
                if !book.put(row_idx, *column, cell.clone()) {
                    return;
                }
            }
        }
        row_idx = row_idx.saturating_add(n_rows);
    }
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

fn cells(row: Node<'_, '_>) -> Vec<(u32, Cell)> {
    let mut found = Vec::new();
    let mut column: u32 = 0;
    let is_cell = |it: &Node<'_, '_>| matches!(it.tag_name().name(), "table-cell" | "covered-table-cell");
    for node in row.children().filter(is_cell) {
        let n_columns = repeats(node, "number-columns-repeated", COLUMNS_MAX);
        if let Some(cell) = cell(node) {
            let end = column.saturating_add(n_columns).min(COLUMNS_MAX);
            found.extend((column..end).map(|column| (column, cell.clone())));
        }
        column = column.saturating_add(n_columns);
    }
    found
}

fn cell(node: Node<'_, '_>) -> Option<Cell> {
    // Notes to a cell are children too, and not its content.
    let shown: Vec<String> = all(node, "p").into_iter().map(paragraph).collect();
    let shown = shown.join("\n");
    let value = attribute(node, "value").and_then(stored_number);
    let (text, stored) = match attribute(node, "value-type") {
        Some("float" | "currency") => (shown, Stored::Number(value?)),
        Some("percentage") => {
            let hundredths = attribute(node, "value")?.parse::<f64>().ok()? * 100.0;
            (shown, Stored::Number(stored_number(&hundredths.to_string())?))
        }
        Some("date") => (shown, Stored::Date(date(attribute(node, "date-value")?)?)),
        _ => return Cell::text(&shown),
    };
    let text = if text.trim().is_empty() { written(&stored) } else { text };
    Some(Cell { text, stored, currency: attribute(node, "currency").and_then(currency) })
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

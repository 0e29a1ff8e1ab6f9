//! OpenDocument spreadsheets. Repeated cells and rows are counted out only as far as the workbook's limit goes.

use std::collections::BTreeSet;

use case::{Extraction, Format};
use roxmltree::Node;

use super::style::{Colour, Ink};
use super::{COLUMNS_MAX, Cell, Hidden, ROWS_MAX, Range, Stored, TAIL_CELLS_MAX, Workbook};
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
    let unseen_styles: BTreeSet<&str> = all(root, "automatic-styles/style")
        .into_iter()
        .filter(|it| is_unseen(*it))
        .filter_map(|it| attribute(it, "name"))
        .collect();
    let mut book = Workbook::new(Format::Ods);
    for table in all(root, "body/spreadsheet/table") {
        let hidden = attribute(table, "style-name").is_some_and(|it| hidden_styles.contains(&it));
        if !hidden {
            book.begin(attribute(table, "name").unwrap_or("?"))?;
        }
        let merged = sheet(table, hidden, &unseen_styles, &mut book);
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

/// Has a style of cells letters that no eye sees?
fn is_unseen(style: Node<'_, '_>) -> bool {
    let of = |element: &str, name: &str| all(style, element).into_iter().find_map(|it| attribute(it, name));
    let points = of("text-properties", "font-size").and_then(|it| it.strip_suffix("pt")?.parse().ok());
    let colour = of("text-properties", "color").and_then(Colour::hex);
    let ground = match of("table-cell-properties", "background-color") {
        None | Some("transparent") => Some(Colour::WHITE),
        Some(colour) => Colour::hex(colour),
    };
    let ink = Ink { colour: colour.unwrap_or(Colour::BLACK), points: points.unwrap_or(f64::INFINITY) };
    ink.is_unseen(ground.as_ref())
}

/// Reads the cells of a sheet, and gives its merged ranges.
fn sheet(table: Node<'_, '_>, hidden: bool, unseen_styles: &BTreeSet<&str>, book: &mut Workbook) -> Vec<Range> {
    let hidden_columns = columns(table, |it| attribute(it, "visibility").is_some_and(|it| it != "visible"));
    let is_unseen = |style: Option<&str>| style.is_some_and(|it| unseen_styles.contains(it));
    let unseen_columns = columns(table, |it| is_unseen(attribute(it, "default-cell-style-name")));
    let mut merged = Vec::new();
    let mut row_idx: u32 = 0;
    // Rows may stand in groups.
    for row in table.descendants().filter(|it| it.tag_name().name() == "table-row") {
        let n_rows = repeats(row, "number-rows-repeated", ROWS_MAX);
        let hidden_row = hidden || attribute(row, "visibility").is_some_and(|it| it != "visible");
        let row_style = attribute(row, "default-cell-style-name");
        let Row { runs, spans, without_value } = runs(row);
        if !hidden_row {
            merged.extend(spans.into_iter().map(|(column, rows, columns)| Range {
                first: (row_idx, column),
                last: (row_idx.saturating_add(rows - 1), column.saturating_add(columns - 1)),
            }));
            for (column, code, what) in without_value {
                book.tell(code, (row_idx, column), what);
            }
        }
        let is_hidden = |run: &Run<'_>, column: u32| {
            let plain = || row_style.map_or_else(|| unseen_columns.contains(column), |it| is_unseen(Some(it)));
            hidden_row || hidden_columns.contains(column) || run.style.map_or_else(plain, |it| is_unseen(Some(it)))
        };
        let count = |hidden: bool| -> usize {
            runs.iter().map(|run| (run.from..run.to).filter(|it| is_hidden(run, *it) == hidden).count()).sum()
        };
        book.hide(u32::try_from(count(true)).unwrap_or(u32::MAX).saturating_mul(n_rows));
        let n_visible = count(false);
        for (idx, row_idx) in (0_usize..).zip(row_idx..row_idx.saturating_add(n_rows)) {
            if n_visible == 0 {
                break;
            }
            // What is repeated beyond the workbook's limit is counted, not unfolded.
            if 0 < idx && !book.has_room() {
                let n_left = (n_rows as usize).saturating_sub(idx);
                book.pass(n_left.saturating_mul(n_visible));
                break;
            }
            for run in &runs {
                put(run, row_idx, |column| is_hidden(run, column), book);
            }
        }
        row_idx = row_idx.saturating_add(n_rows);
    }
    merged
}

/// Puts a cell into each of its columns; beyond the workbook's limit, into those that may stay in its tail.
fn put(run: &Run<'_>, row: u32, is_hidden: impl Fn(u32) -> bool, book: &mut Workbook) {
    let tail = u32::try_from(TAIL_CELLS_MAX).unwrap_or(u32::MAX);
    for column in (run.from..run.to).filter(|it| !is_hidden(*it)) {
        if !book.has_room() && column.saturating_add(tail) < run.to {
            book.pass(1);
        } else {
            book.put(row, column, run.cell.clone());
        }
    }
}

/// The columns of which something is true.
fn columns<'a, 'input>(table: Node<'a, 'input>, is_one: impl Fn(Node<'a, 'input>) -> bool) -> Hidden {
    let mut found = Vec::new();
    let mut column: u32 = 0;
    for it in table.descendants().filter(|it| it.tag_name().name() == "table-column") {
        let end = column.saturating_add(repeats(it, "number-columns-repeated", COLUMNS_MAX));
        if is_one(it) {
            found.push((column, end));
        }
        column = end;
    }
    Hidden::new(found)
}

/// The same cell in several columns, the last one excluded.
struct Run<'a> {
    from: u32,
    to: u32,
    cell: Cell,
    style: Option<&'a str>,
}

#[derive(Default)]
struct Row<'a> {
    runs: Vec<Run<'a>>,
    /// Merged cells that begin here: column, and how many rows and columns they are.
    spans: Vec<(u32, u32, u32)>,
    /// Column, code and reason of a note.
    without_value: Vec<(u32, &'static str, &'static str)>,
}

fn runs<'a>(row: Node<'a, '_>) -> Row<'a> {
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
            Content::Cell(cell) => {
                found.runs.push(Run { from: column, to: end, cell, style: attribute(node, "style-name") });
            }
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

//! XLSX. Written by hand because the answer must name hidden cells and formulas without a value, and because every size
//! in the file is the sender's word.

use std::collections::{BTreeMap, HashMap};

use case::{Extraction, Format};
use roxmltree::{Document, Node};

use super::{COLUMNS_MAX, Cell, Hidden, ROWS_MAX, Stored, Workbook, cell_name};
use crate::package::Package;
use crate::values::{currency, serial_date, stored_number};
use crate::xml::{all, parse, text};
use crate::{Unreadable, note};

const WHAT: &str = "XLSX workbook";
/// Notes about single cells.
const CELL_NOTES_MAX: usize = 100;

pub(crate) fn read(document: &[u8]) -> Result<Extraction, Unreadable> {
    let mut package = Package::open(document)?;
    let main = package.main_part("xl/workbook.xml")?;
    let strings = match package.text(&relative(&main, "sharedStrings.xml"))? {
        Some(text) => strings(&parse(&text, WHAT)?),
        None => Vec::new(),
    };
    let styles = match package.text(&relative(&main, "styles.xml"))? {
        Some(text) => styles(&parse(&text, WHAT)?),
        None => Vec::new(),
    };
    let workbook = package.text(&main)?.ok_or_else(|| broken("its main part is missing"))?;
    let workbook = parse(&workbook, WHAT)?;
    let targets = relations(&mut package, &main)?;
    let root = workbook.root_element();
    let since_1904 = all(root, "workbookPr").iter().any(|it| truth(it.attribute("date1904")));
    let mut book = Workbook::new(Format::Xlsx);
    for sheet in all(root, "sheets/sheet") {
        let id = sheet.attributes().find(|it| it.name() == "id" && it.namespace().is_some()).map(|it| it.value());
        let target = id.and_then(|id| targets.get(id)).ok_or_else(|| broken("a sheet is missing"))?;
        let Some(text) = package.text(&relative(&main, target))? else { return Err(broken("a sheet is missing")) };
        let parsed = parse(&text, WHAT)?;
        let hidden = sheet.attribute("state").is_some_and(|it| it != "visible");
        if !hidden {
            book.begin(sheet.attribute("name").unwrap_or("?"))?;
        }
        let reader = Reader { strings: &strings, styles: &styles, since_1904, hidden };
        reader.sheet(parsed.root_element(), &mut book);
    }
    Ok(book.finish())
}

fn broken(why: &str) -> Unreadable {
    Unreadable::Broken { what: WHAT, why: why.to_owned() }
}

fn truth(value: Option<&str>) -> bool {
    matches!(value, Some("1" | "true"))
}

fn relations(package: &mut Package<'_>, main: &str) -> Result<HashMap<String, String>, Unreadable> {
    let name = main.rsplit_once('/').map_or(main, |(_, name)| name);
    let Some(text) = package.text(&relative(main, &format!("_rels/{name}.rels")))? else { return Ok(HashMap::new()) };
    let relations = parse(&text, WHAT)?;
    let pair = |it: Node<'_, '_>| Some((it.attribute("Id")?.to_owned(), it.attribute("Target")?.to_owned()));
    Ok(all(relations.root_element(), "Relationship").into_iter().filter_map(pair).collect())
}

/// A part's name, from the way another part refers to it.
fn relative(main: &str, target: &str) -> String {
    match (target.strip_prefix('/'), main.rsplit_once('/')) {
        (Some(absolute), _) => absolute.to_owned(),
        (None, Some((folder, _))) => format!("{folder}/{target}"),
        (None, None) => target.to_owned(),
    }
}

fn strings(document: &Document<'_>) -> Vec<String> {
    all(document.root_element(), "si").into_iter().map(rich_text).collect()
}

/// Plain or in runs; what is only a reading aid (`rPh`) is no text.
fn rich_text(node: Node<'_, '_>) -> String {
    let mut out: String = all(node, "t").into_iter().map(text).collect();
    out.extend(all(node, "r/t").into_iter().map(text));
    out
}

/// How a number is to be shown.
#[derive(Clone, Default)]
struct Style {
    date: bool,
    percent: bool,
    currency: Option<String>,
}

fn styles(document: &Document<'_>) -> Vec<Style> {
    let root = document.root_element();
    let codes: BTreeMap<&str, &str> = all(root, "numFmts/numFmt")
        .iter()
        .filter_map(|it| Some((it.attribute("numFmtId")?, it.attribute("formatCode")?)))
        .collect();
    let style = |xf: &Node<'_, '_>| {
        let id = xf.attribute("numFmtId").unwrap_or("0");
        match (codes.get(id), id.parse().unwrap_or(0_u32)) {
            (Some(code), _) => shown_as(code),
            (None, 14..=17 | 22 | 27..=36 | 50..=58) => Style { date: true, ..Style::default() },
            (None, 9 | 10) => Style { percent: true, ..Style::default() },
            _ => Style::default(),
        }
    };
    all(root, "cellXfs/xf").iter().map(style).collect()
}

/// Reads a format code such as `#,##0.00 "€"`, `[$EUR] 0.00`, `dd.mm.yyyy`, `0.0%`.
fn shown_as(code: &str) -> Style {
    let mut style = Style::default();
    let mut letters = String::new();
    let mut chars = code.chars();
    while let Some(it) = chars.next() {
        match it {
            '"' => {
                let quoted: String = chars.by_ref().take_while(|it| *it != '"').collect();
                style.currency = style.currency.or_else(|| currency(&quoted));
            }
            '[' => {
                let bracketed: String = chars.by_ref().take_while(|it| *it != ']').collect();
                let sign = bracketed.strip_prefix('$').and_then(|it| it.split('-').next());
                style.currency = style.currency.or_else(|| currency(sign?));
            }
            '\\' | '_' | '*' => drop(chars.next()),
            '€' | '£' | '₹' => style.currency = style.currency.or_else(|| currency(&it.to_string())),
            '%' => style.percent = true,
            it => letters.push(it.to_ascii_lowercase()),
        }
    }
    let named = letters.contains("general") || letters.contains("standard");
    style.date = !named && letters.contains(['y', 'd']);
    style
}

struct Reader<'a> {
    strings: &'a [String],
    styles: &'a [Style],
    since_1904: bool,
    hidden: bool,
}

impl Reader<'_> {
    fn sheet(&self, sheet: Node<'_, '_>, book: &mut Workbook) {
        // Both ends count from 1 and belong to the range.
        let range = |it: &Node<'_, '_>| {
            Some((it.attribute("min")?.parse::<u32>().ok()?.checked_sub(1)?, it.attribute("max")?.parse::<u32>().ok()?))
        };
        let columns = all(sheet, "cols/col");
        let hidden_columns =
            Hidden::new(columns.iter().filter(|it| truth(it.attribute("hidden"))).filter_map(range).collect());
        let mut next_row = 0;
        for row in all(sheet, "sheetData/row") {
            let number = row.attribute("r").and_then(|it| it.parse::<u32>().ok()).and_then(|it| it.checked_sub(1));
            let row_idx = number.unwrap_or(next_row).min(ROWS_MAX);
            next_row = row_idx + 1;
            let mut next_column = 0;
            for cell in all(row, "c") {
                let (row_idx, column) = cell.attribute("r").and_then(position).unwrap_or((row_idx, next_column));
                next_column = column.min(COLUMNS_MAX) + 1;
                let Some(content) = self.cell(cell, (row_idx, column), book) else { continue };
                if self.hidden || hidden_columns.contains(column) || truth(row.attribute("hidden")) {
                    book.n_hidden = book.n_hidden.saturating_add(1);
                } else if !book.put(row_idx, column, content) {
                    return;
                }
            }
        }
    }

    fn cell(&self, cell: Node<'_, '_>, (row, column): (u32, u32), book: &mut Workbook) -> Option<Cell> {
        let value = all(cell, "v").first().map(|it| text(*it)).unwrap_or_default();
        let kind = cell.attribute("t").unwrap_or("n");
        if kind == "inlineStr" {
            return Cell::text(&all(cell, "is").first().map(|it| rich_text(*it))?);
        }
        let mut tell = |code: &str, what: &str| {
            if book.notes.len() < CELL_NOTES_MAX {
                book.notes.push(note(code, format!("cell {} {what}", cell_name(row, column))));
            }
        };
        if value.trim().is_empty() {
            if !all(cell, "f").is_empty() && kind != "str" {
                tell("formula_without_value", "has a formula whose result is not in the file");
            }
            return None;
        }
        match kind {
            "s" => {
                let string = value.trim().parse::<usize>().ok().and_then(|idx| self.strings.get(idx));
                if string.is_none() {
                    tell("cell_unreadable", "refers to a text that is not in the file");
                }
                Cell::text(string?)
            }
            "e" => {
                tell("cell_error", "shows an error instead of a value");
                None
            }
            "b" => None,
            "d" => {
                crate::values::date(&value).map(|date| Cell { text: value, stored: Stored::Date(date), currency: None })
            }
            "n" => self.number(cell, &value),
            _ => Cell::text(&value),
        }
    }

    fn number(&self, cell: Node<'_, '_>, value: &str) -> Option<Cell> {
        let style = cell.attribute("s").and_then(|it| it.parse::<usize>().ok()).and_then(|idx| self.styles.get(idx));
        let style = style.cloned().unwrap_or_default();
        let number = stored_number(value)?;
        if style.date
            && let Some(date) = serial_date(value.trim().parse().ok()?, self.since_1904)
        {
            return Some(Cell { text: date.clone(), stored: Stored::Date(date), currency: None });
        }
        let hundredths =
            if style.percent { stored_number(&(value.trim().parse::<f64>().ok()? * 100.0).to_string()) } else { None };
        let text = hundredths.as_ref().map_or_else(|| number.clone(), |it| format!("{it}%"));
        Some(Cell { text, stored: Stored::Number(hundredths.unwrap_or(number)), currency: style.currency })
    }
}

/// `B7` as (6, 1).
fn position(name: &str) -> Option<(u32, u32)> {
    let split = name.find(|it: char| it.is_ascii_digit())?;
    let (letters, digits) = name.split_at(split);
    if 3 < letters.len() || letters.is_empty() {
        return None;
    }
    let column = letters.bytes().try_fold(0_u32, |sum, byte| {
        byte.is_ascii_alphabetic().then(|| sum * 26 + u32::from(byte.to_ascii_uppercase() - b'A') + 1)
    })?;
    Some((digits.parse::<u32>().ok()?.checked_sub(1)?, column - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_code_tells_dates_percents_and_currencies() {
        for (code, date, percent, currency) in [
            ("dd.mm.yyyy", true, false, None),
            ("#,##0.00 \"€\"", false, false, Some("EUR")),
            ("#,##0.00\\ [$€-407]", false, false, Some("EUR")),
            ("[$USD] 0.00", false, false, Some("USD")),
            ("[Red]0.0%", false, true, None),
            ("General", false, false, None),
            ("0.00 \"Tage\"", false, false, None),
        ] {
            let style = shown_as(code);
            assert_eq!((style.date, style.percent, style.currency.as_deref()), (date, percent, currency), "{code}");
        }
    }

    #[test]
    fn a_position_is_read_from_its_name() {
        for (name, expected) in
            [("A1", Some((0, 0))), ("XFD9", Some((8, 16_383))), ("7", None), ("A0", None), ("AAAA1", None)]
        {
            assert_eq!(position(name), expected, "{name}");
        }
    }
}

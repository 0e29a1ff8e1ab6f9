//! Delimited text, in whichever dialect it comes. The sheet is called `csv` in the evidence.

use case::{Extraction, Format};

use super::{Cell, Workbook};
use crate::{Unreadable, table};

/// A field of so many lines is rather a quote that was never closed.
const LINES_IN_FIELD_MAX: usize = 40;

pub(crate) fn read(text: &str) -> Result<Extraction, Unreadable> {
    let mut book = Workbook::new(Format::Csv);
    book.begin("csv")?;
    let (delimiter, text) = match named_delimiter(text) {
        Some((delimiter, rest)) => (delimiter, rest),
        None => (table::delimiter(text).unwrap_or(b','), text),
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .quote(quote(text, delimiter))
        .from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut row = 0_u32;
    loop {
        let more = reader.read_record(&mut record).map_err(|err| {
            let line = err.position().map_or(0, csv::Position::line);
            Unreadable::Broken { what: "delimited text", why: format!("an error in line {line}") }
        })?;
        if !more {
            break;
        }
        for (column, field) in (0..).zip(record.iter()) {
            let Some(cell) = Cell::text(field) else { continue };
            if LINES_IN_FIELD_MAX < cell.text.matches('\n').count() {
                book.tell("cell_unreadable", (row, column), "has very many lines: a quote may never have been closed");
            }
            book.put(row, column, cell);
        }
        row = row.saturating_add(1);
    }
    book.end(&[]);
    Ok(book.finish())
}

/// `sep=;` in the first line tells spreadsheets the delimiter.
fn named_delimiter(text: &str) -> Option<(u8, &str)> {
    let (line, rest) = text.trim_start_matches('\u{feff}').split_once('\n')?;
    let named = line.trim_end_matches('\r').trim_matches('"').strip_prefix("sep=")?;
    let [delimiter] = named.as_bytes() else { return None };
    delimiter.is_ascii().then_some((*delimiter, rest))
}

/// Single quotes, where they are around most fields.
fn quote(text: &str, delimiter: u8) -> u8 {
    const SAMPLE_LINES: usize = 50;
    let fields = || text.lines().take(SAMPLE_LINES).flat_map(|it| it.split(char::from(delimiter))).map(str::trim);
    let filled = fields().filter(|it| !it.is_empty()).count();
    let quoted = fields().filter(|it| 2 <= it.len() && it.starts_with('\'') && it.ends_with('\'')).count();
    if filled < quoted * 2 { b'\'' } else { b'"' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_is_told_from_the_text() {
        assert_eq!(named_delimiter("sep=|\r\na|b\n"), Some((b'|', "a|b\n")));
        assert_eq!(named_delimiter("a;b\n"), None);
        assert_eq!(quote("'a','b'\n'c',1\n", b','), b'\'');
        assert_eq!(quote("\"a\",b\n'tis,it's\n", b','), b'"');
    }
}

//! The first sheet of a workbook (ECMA-376), cell by cell.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, ensure};
use calamine::{DataRef, Reader as _, Xlsx};

use super::{Columns, Header, Refused, Row, Take, refused};

/// The texts that cells share are all in memory.
const WORKBOOK_BYTES_MAX: u64 = 128 << 20;
const UNPACKED_BYTES_MAX: u64 = 2 << 30;
/// Sheets unpack to ten or twenty times their size. A single cell may be all of it, and is in memory.
const UNPACKED_TIMES_MAX: u64 = 100;
/// What spreadsheets have.
const COLUMNS_MAX: usize = 16_384;

pub(super) fn rows(file: &Path, columns: &'static Columns, take: Take<'_>) -> anyhow::Result<()> {
    let size = std::fs::metadata(file)?.len();
    ensure!(
        size <= WORKBOOK_BYTES_MAX,
        "it has {size} bytes; a workbook may have {WORKBOOK_BYTES_MAX}, a CSV file more"
    );
    let mut parts = zip::ZipArchive::new(BufReader::new(File::open(file)?))?;
    let mut unpacked: u64 = 0;
    for idx in 0..parts.len() {
        unpacked = unpacked.saturating_add(parts.by_index_raw(idx)?.size());
    }
    ensure!(unpacked <= UNPACKED_BYTES_MAX, "it unpacks to {unpacked} bytes, more than {UNPACKED_BYTES_MAX}");
    let most = size.saturating_mul(UNPACKED_TIMES_MAX);
    ensure!(unpacked <= most, "it unpacks to {unpacked} bytes, more than {UNPACKED_TIMES_MAX} times its {size} bytes");
    let mut book: Xlsx<_> = calamine::open_workbook(file)?;
    let sheet = book.sheet_names().first().cloned().context("it has no sheet")?;
    let mut cells = book.worksheet_cells_reader(&sheet)?;
    let mut header: Option<Header> = None;
    let mut at: Option<u32> = None;
    let mut line: Vec<(u32, Result<String, String>)> = Vec::new();
    while let Some(cell) = cells.next_cell()? {
        let (row, column) = cell.get_position();
        if at != Some(row) {
            // Rows that go back would be counted wrong.
            ensure!(at.is_none_or(|at| at < row), "the rows of its sheet are not in order");
            finish(&mut header, columns, at, &mut line, take)?;
            at = Some(row);
        }
        ensure!(line.len() < COLUMNS_MAX, "row {} has more than {COLUMNS_MAX} cells", u64::from(row) + 1);
        if let Some(value) = text(cell.get_value()).transpose() {
            line.push((column, value));
        }
    }
    finish(&mut header, columns, at, &mut line, take)?;
    ensure!(header.is_some(), "its first sheet is empty");
    Ok(())
}

fn finish(
    header: &mut Option<Header>,
    columns: &'static Columns,
    at: Option<u32>,
    line: &mut Vec<(u32, Result<String, String>)>,
    take: Take<'_>,
) -> anyhow::Result<()> {
    let line = std::mem::take(line);
    // Rows that have only their borders painted say nothing.
    let (Some(at), false) = (at, line.is_empty()) else { return Ok(()) };
    let number = u64::from(at) + 1;
    let Some(header) = header else {
        let width = line.iter().map(|(column, _)| *column as usize + 1).max().unwrap_or(0).min(COLUMNS_MAX);
        let mut names = vec![String::new(); width];
        for (column, value) in line {
            if let Some(name) = names.get_mut(column as usize) {
                *name = value.unwrap_or_default();
            }
        }
        *header = Some(Header::of(&names, columns)?);
        return Ok(());
    };
    let header = &*header;
    let values = line.into_iter().map(|(column, value)| {
        let idx = column as usize;
        (idx, value.map_err(|error| refused(number, header.name(idx), &error, "is an error, not a value")))
    });
    let row: Result<Row, Refused> = header.row(number, values);
    take(row)
}

/// A cell as a person sees it, dates as ISO 8601; an error of the spreadsheet by its name; `None`: nothing is there.
fn text(cell: &DataRef<'_>) -> Result<Option<String>, String> {
    let text = match cell {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(truth) => truth.to_string(),
        DataRef::DateTime(date) => {
            let (year, month, day, ..) = date.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        DataRef::DateTimeIso(date) => date.split('T').next().unwrap_or_default().to_owned(),
        DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(error) => return Err(error.to_string()),
        DataRef::Empty => return Ok(None),
    };
    Ok(Some(text).filter(|text| !text.trim().is_empty()))
}

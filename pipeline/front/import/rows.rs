//! Rows of a file, one at a time: CSV, XLSX, or a JSON list of objects. What a row says is for others; here it is texts under
//! the names of columns.

mod csv;
mod json;
mod xlsx;

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::path::Path;
use std::rc::Rc;

use anyhow::{bail, ensure};

use crate::front::cases::plain;
use crate::front::{Mistake, given};

/// Of one file.
const ROWS_MAX: u64 = 10_000_000;
const FILE_BYTES_MAX: u64 = 8 << 30;
/// A quote that is never closed would make the rest of the file one value.
const ROW_BYTES_MAX: u64 = 1 << 20;
/// Headings that are no column, in one message.
const STRANGE_SHOWN: usize = 5;

/// The columns that a kind of fact has.
#[derive(Debug)]
pub(super) struct Columns {
    /// What they are of, as the order names it.
    pub(super) of: &'static str,
    pub(super) names: &'static [&'static str],
    /// So many of them, the first, must be there.
    pub(super) n_required: usize,
}

impl Columns {
    fn required(&self) -> impl Iterator<Item = &'static str> {
        self.names.iter().copied().take(self.n_required)
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (required, others) = self.names.split_at(self.n_required.min(self.names.len()));
        write!(f, "the columns of {} are {}", self.of, required.join(", "))?;
        if others.is_empty() { Ok(()) } else { write!(f, ", and if you have them {}", others.join(", ")) }
    }
}

/// A row as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The line of a CSV file, the row of a sheet; objects of JSON from 1.
    pub(super) number: u64,
    /// One for each name of [`Columns`], without outer blanks; what is not there is empty.
    pub(super) cells: Vec<String>,
}

/// A row that did not go in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) row: u64,
    /// Empty where the row as a whole is meant.
    pub(crate) column: String,
    pub(crate) value: String,
    pub(crate) why: String,
}

/// What is done with each row; an error ends the reading.
pub(super) type Take<'a> = &'a mut dyn FnMut(Result<Row, Refused>) -> anyhow::Result<()>;

/// Reads a file row by row. Memory: one row; of a workbook also its shared texts.
pub(super) fn each(file: &Path, columns: &'static Columns, take: Take<'_>) -> anyhow::Result<()> {
    let opened = given(file)?;
    let shown = plain(&file.display().to_string());
    let size = opened.metadata()?.len();
    if FILE_BYTES_MAX < size {
        let why = format!("`{shown}` has {size} bytes, more than the {FILE_BYTES_MAX} that are imported");
        return Err(Mistake::File(why).into());
    }
    let mut n_rows = 0;
    let mut counted = |row: Result<Row, Refused>| {
        n_rows += 1;
        ensure!(n_rows <= ROWS_MAX, "there are more than the {ROWS_MAX} rows that are imported of one file; cut it");
        take(row)
    };
    let read = match file.extension().and_then(|it| it.to_str()).map(str::to_lowercase).as_deref() {
        Some("csv") => csv::rows(opened, columns, &mut counted),
        Some("json") => json::rows(opened, columns, &mut counted),
        Some("xlsx") => xlsx::rows(file, columns, &mut counted),
        _ => return Err(Mistake::Use(format!("`{shown}` is none of .csv, .xlsx, .json")).into()),
    };
    read.map_err(|err| {
        let what = format!("`{shown}` cannot be imported");
        if of_the_world(&err) { err.context(what) } else { err.context(Mistake::File(what)) }
    })
}

/// What the system says of a disk is no fault of the file.
fn of_the_world(err: &anyhow::Error) -> bool {
    let io = |err: &io::Error| err.raw_os_error().is_some() && err.kind() != io::ErrorKind::InvalidInput;
    err.chain().any(|err| err.downcast_ref::<io::Error>().is_some_and(io))
}

/// Which column of a header is which of the columns that are known.
#[derive(Debug)]
struct Header {
    columns: &'static Columns,
    /// None for a column without a name, which must stay empty.
    places: Vec<Option<usize>>,
}

impl Header {
    fn of(names: &[String], columns: &'static Columns) -> anyhow::Result<Header> {
        let named: Vec<&str> = names.iter().map(|name| name.trim()).collect();
        ensure!(named.iter().any(|name| !name.is_empty()), "it has no header with the names of columns");
        let mut places = Vec::new();
        for name in &named {
            let place = known(name, columns);
            ensure!(place.is_none() || !places.contains(&place), "the column `{}` stands twice", shown(name));
            places.push(place);
        }
        let missing = columns.required().enumerate().filter(|(idx, _)| !places.contains(&Some(*idx)));
        let missing = missing.map(|(_, name)| format!("`{name}` is missing"));
        let strange = named.iter().zip(&places).filter(|(name, place)| !name.is_empty() && place.is_none());
        let strange = strange.take(STRANGE_SHOWN).map(|(name, _)| format!("`{}` is no column", shown(name)));
        let wrong: Vec<String> = missing.chain(strange).collect();
        if !wrong.is_empty() {
            bail!("{}; {columns}", wrong.join(", "));
        }
        Ok(Header { columns, places })
    }

    /// Values in the order of the header. `Err` is what is wrong with one of them.
    fn row(&self, number: u64, values: impl Iterator<Item = (usize, Result<String, Refused>)>) -> Result<Row, Refused> {
        let mut cells = vec![String::new(); self.columns.names.len()];
        for (idx, value) in values {
            let value = value?;
            let cell = self.places.get(idx).copied().flatten().and_then(|place| cells.get_mut(place));
            match cell {
                Some(cell) => value.trim().clone_into(cell),
                None if value.trim().is_empty() => {}
                None => return Err(refused(number, "", &value, "stands in a column that has no name")),
            }
        }
        Ok(Row { number, cells })
    }

    fn name(&self, idx: usize) -> &'static str {
        let place = self.places.get(idx).copied().flatten();
        place.and_then(|place| self.columns.names.get(place)).copied().unwrap_or_default()
    }
}

/// Which column this heading is of.
fn known(name: &str, columns: &Columns) -> Option<usize> {
    columns.names.iter().position(|known| known.eq_ignore_ascii_case(name.trim()))
}

/// As much of a heading as is shown.
fn shown(name: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 40;
    plain(&name.chars().take(SHOWN_CHARS_MAX).collect::<String>())
}

fn refused(row: u64, column: &str, value: &str, why: &str) -> Refused {
    /// Of a value that is wrong, so much is shown.
    const SHOWN_CHARS_MAX: usize = 100;
    let value = value.chars().take(SHOWN_CHARS_MAX).collect();
    Refused { row, column: column.to_owned(), value, why: why.to_owned() }
}

/// Counts what is read since the last row began.
#[derive(Clone, Debug, Default)]
struct Meter(Rc<Cell<u64>>);

impl Meter {
    fn next_row(&self) {
        self.0.set(0);
    }

    fn around<R: Read>(&self, inner: R) -> Metered<R> {
        Metered { inner, meter: self.clone() }
    }
}

struct Metered<R> {
    inner: R,
    meter: Meter,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let so_far = self.meter.0.get();
        if ROW_BYTES_MAX < so_far {
            let why = format!("a row has more than {ROW_BYTES_MAX} bytes; is there a quote that is not closed?");
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        let n_read = self.inner.read(buf)?;
        self.meter.0.set(so_far + n_read as u64);
        Ok(n_read)
    }
}

#[cfg(test)]
mod tests;

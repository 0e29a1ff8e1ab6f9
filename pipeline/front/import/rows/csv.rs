//! Separated values (RFC 4180) with a heading, as spreadsheets write them: between commas, semicolons or tabs, in UTF-8, or in
//! UTF-16 with its mark.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::rc::Rc;

use anyhow::{Context, bail, ensure};
use encoding_rs::{UTF_16BE, UTF_16LE};

use super::{Columns, Header, Meter, Refused, Take, known, refused};

/// UTF-16 is turned as a whole.
const UTF16_BYTES_MAX: u64 = 128 << 20;

pub(super) fn rows(file: impl Read, columns: &'static Columns, take: Take<'_>) -> anyhow::Result<()> {
    let meter = Meter::default();
    let mut file = BufReader::new(meter.around(utf8(file)?));
    let (mut heading, mut told, begun) = (Vec::new(), None, Rc::new(Cell::new(0)));
    while file.read_until(b'\n', &mut heading)? != 0 && heading.trim_ascii().is_empty() {}
    if let Some(separator) = separator_told(&heading) {
        told = Some(separator);
        begun.set(n_lines(&heading));
        heading.clear();
        while file.read_until(b'\n', &mut heading)? != 0 && heading.trim_ascii().is_empty() {}
    }
    let separator = told.unwrap_or_else(|| separator(&heading, columns));
    // A row of another length is refused as a row, not as the end of the file.
    let mut rows = csv::ReaderBuilder::new();
    rows.has_headers(false).flexible(true).delimiter(separator);
    let lines = Lines { inner: Cursor::new(heading).chain(file), begun: begun.clone(), within: false };
    let mut rows = rows.from_reader(lines);
    let mut record = csv::ByteRecord::new();
    next(&mut rows, &mut record)?;
    let names = record.iter().map(|name| std::str::from_utf8(name).map(str::to_owned));
    let names: Vec<String> =
        names.collect::<Result<_, _>>().context("its heading is not UTF-8; save it as CSV UTF-8")?;
    let header = Header::of(&names, columns)?;
    loop {
        meter.next_row();
        if !next(&mut rows, &mut record)? {
            return Ok(());
        }
        // Spreadsheets write rows that somebody emptied as separators alone.
        if record.iter().all(|value| value.trim_ascii().is_empty()) {
            continue;
        }
        // A value with a line break ends lines below the one where its row begins.
        let number = begun.get().saturating_sub(record.iter().map(n_lines).sum());
        take(row(number, &record, names.len(), &header))?;
    }
}

/// What the first line says that values stand between, as Excel writes it: `sep=;`.
fn separator_told(line: &[u8]) -> Option<u8> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii_start();
    let (sep, rest) = line.split_at_checked(b"sep=".len())?;
    let [separator, rest @ ..] = rest else { return None };
    (sep.eq_ignore_ascii_case(b"sep=") && rest.trim_ascii().is_empty()).then_some(*separator)
}

fn n_lines(text: &[u8]) -> u64 {
    text.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Hands over a line at a time: when a row ends, the line that was begun last is the one that it ends on.
struct Lines<R> {
    inner: R,
    begun: Rc<Cell<u64>>,
    within: bool,
}

impl<R: BufRead> Read for Lines<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let there = self.inner.fill_buf()?;
        let n = there.iter().position(|byte| *byte == b'\n').map_or(there.len(), |end| end + 1).min(buf.len());
        let (Some(line), Some(to)) = (there.get(..n), buf.get_mut(..n)) else { return Ok(0) };
        to.copy_from_slice(line);
        if !self.within {
            self.begun.set(self.begun.get() + 1);
        }
        // The end of the file is a line too, for a quote that is not closed before it.
        self.within = line.last() != Some(&b'\n');
        self.inner.consume(n);
        Ok(n)
    }
}

fn row(number: u64, record: &csv::ByteRecord, n_columns: usize, header: &Header) -> Result<super::Row, Refused> {
    // What follows a quote that is not closed is one value, up to the next quote or the end of the file.
    if let Some((idx, value)) = record.iter().enumerate().find(|(_, it)| it.trim_ascii().contains(&b'\n')) {
        let why = "has a line break; is there a quote that is not closed?";
        return Err(refused(number, header.name(idx), &String::from_utf8_lossy(value), why));
    }
    if record.len() != n_columns {
        let why = format!("has {} values, the header has {n_columns} columns", record.len());
        return Err(refused(number, "", "", &why));
    }
    let values = record.iter().enumerate().map(|(idx, value)| {
        let why = "is not UTF-8; save the file as CSV UTF-8";
        let lossy = |_| refused(number, header.name(idx), &String::from_utf8_lossy(value), why);
        (idx, std::str::from_utf8(value).map(str::to_owned).map_err(lossy))
    });
    header.row(number, values)
}

/// What the most columns are found by.
fn separator(heading: &[u8], columns: &Columns) -> u8 {
    let n_found = |separator: &u8| {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).delimiter(*separator).from_reader(heading);
        let mut record = csv::ByteRecord::new();
        let there = reader.read_byte_record(&mut record).is_ok();
        let names = record.iter().filter_map(|name| std::str::from_utf8(name).ok());
        names.filter(|name| there && known(name, columns).is_some()).count()
    };
    // Of several that find as many, the last.
    [b'\t', b';', b','].into_iter().max_by_key(n_found).unwrap_or(b',')
}

fn next(rows: &mut csv::Reader<impl Read>, record: &mut csv::ByteRecord) -> anyhow::Result<bool> {
    rows.read_byte_record(record).map_err(|err| match err.into_kind() {
        // The cause of it says whether the file or the disk is at fault.
        csv::ErrorKind::Io(err) => err.into(),
        other => anyhow::anyhow!("{other:?}"),
    })
}

fn utf8<'a>(mut file: impl Read + 'a) -> anyhow::Result<Box<dyn Read + 'a>> {
    let mut mark = Vec::new();
    file.by_ref().take(2).read_to_end(&mut mark)?;
    let encoding = match mark.as_slice() {
        [0xff, 0xfe] => UTF_16LE,
        [0xfe, 0xff] => UTF_16BE,
        _ => return Ok(Box::new(Cursor::new(mark).chain(file))),
    };
    let mut bytes = Vec::new();
    file.take(UTF16_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    ensure!(
        bytes.len() as u64 <= UTF16_BYTES_MAX,
        "it is UTF-16 of more than {UTF16_BYTES_MAX} bytes; save it as CSV UTF-8"
    );
    match encoding.decode_without_bom_handling_and_without_replacement(&bytes) {
        Some(text) => Ok(Box::new(Cursor::new(text.into_owned()))),
        None => bail!("it begins as UTF-16 and goes on as something else; save it as CSV UTF-8"),
    }
}

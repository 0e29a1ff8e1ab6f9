//! Comma-separated values (RFC 4180) in UTF-8, with a header.

use std::io::Read;

use super::{Columns, Header, Meter, Take, refused};

pub(super) fn rows(file: impl Read, columns: &'static Columns, take: Take<'_>) -> anyhow::Result<()> {
    let meter = Meter::default();
    // A row of another length is refused as a row, not as the end of the file.
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(meter.around(file));
    let mut record = csv::ByteRecord::new();
    reader.read_byte_record(&mut record)?;
    let names: Vec<String> = record.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let header = Header::of(&names, columns)?;
    let mut number = 1;
    loop {
        meter.next_row();
        if !reader.read_byte_record(&mut record)? {
            return Ok(());
        }
        number += 1;
        if record.len() != names.len() {
            let why = format!("has {} values, the header has {} columns", record.len(), names.len());
            take(Err(refused(number, "", "", &why)))?;
            continue;
        }
        let values = record.iter().enumerate().map(|(idx, value)| {
            let text = std::str::from_utf8(value).map(str::to_owned);
            let lossy = |_| refused(number, header.name(idx), &String::from_utf8_lossy(value), "is not UTF-8");
            (idx, text.map_err(lossy))
        });
        take(header.row(number, values))?;
    }
}

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;
use case::FieldName;

/// A container with these streams at its root, each in sectors of its own.
pub(crate) fn ole(streams: &[(&str, Vec<u8>)]) -> Vec<u8> {
    const SECTOR: usize = 512;
    const END: u32 = 0xffff_fffe;
    let (mut sectors, mut next, mut entries) = (Vec::new(), Vec::<u32>::new(), Vec::new());
    let mut chain = |bytes: &[u8]| {
        let start = next.len();
        let n_sectors = bytes.len().div_ceil(SECTOR);
        sectors.extend(bytes);
        sectors.resize((start + n_sectors) * SECTOR, 0);
        next.extend((start + 1..start + n_sectors).map(|it| it as u32).chain([END]));
        start as u32
    };
    let entry = |name: &str, kind: u8, right: u32, child: u32, start: u32, size: usize| {
        let mut raw: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let length = raw.len() as u16 + 2;
        raw.resize(64, 0);
        raw.extend(length.to_le_bytes());
        raw.extend([kind, 1]);
        raw.extend([NONE, right, child].iter().flat_map(|it| it.to_le_bytes()));
        raw.resize(116, 0);
        raw.extend(start.to_le_bytes());
        raw.extend((size as u64).to_le_bytes());
        raw
    };
    const NONE: u32 = u32::MAX;
    entries.extend(entry("Root Entry", 5, NONE, 1, END, 0));
    for (idx, (name, bytes)) in streams.iter().enumerate() {
        let mut bytes = bytes.clone();
        bytes.resize(bytes.len().max(4096), 0);
        let right = if idx + 1 == streams.len() { NONE } else { idx as u32 + 2 };
        entries.extend(entry(name, 2, right, NONE, chain(&bytes), bytes.len()));
    }
    let directory = chain(&entries);
    let table = next.len() as u32;
    next.push(0xffff_fffd);
    assert!(next.len() <= SECTOR / 4);
    next.resize(SECTOR / 4, NONE);
    sectors.extend(next.iter().flat_map(|it| it.to_le_bytes()));
    let mut file = super::super::ole::MAGIC.to_vec();
    file.resize(24, 0);
    file.extend([0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0]);
    file.resize(44, 0);
    file.extend([1, directory, 0, 4096, END, 0, END, 0, table].iter().flat_map(|it: &u32| it.to_le_bytes()));
    file.resize(SECTOR, 0xff);
    file.extend(sectors);
    file
}

fn record(kind: u16, parts: &[&[u8]]) -> Vec<u8> {
    let data = parts.concat();
    [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), &data].concat()
}

fn at(row: u16, column: u16, xf: u16) -> [u8; 6] {
    let mut out = [0; 6];
    for (idx, it) in [row, column, xf].into_iter().enumerate() {
        out[idx * 2..idx * 2 + 2].copy_from_slice(&it.to_le_bytes());
    }
    out
}

fn begin(part: u16) -> Vec<u8> {
    record(BOF, &[&0x0600_u16.to_le_bytes(), &part.to_le_bytes(), &[0; 12]])
}

fn shared_text(row: u16, column: u16, idx: u32) -> Vec<u8> {
    record(LABELSST, &[&at(row, column, 0), &idx.to_le_bytes()])
}

fn formula(row: u16, column: u16, value: [u8; 8]) -> Vec<u8> {
    record(FORMULA, &[&at(row, column, 0), &value, &[0; 8]])
}

/// A workbook of one visible sheet with these cells, and a hidden one with a text.
fn stream(cells: &[Vec<u8>]) -> Vec<u8> {
    let xf = |font: u16, format: u16| record(XF, &[&font.to_le_bytes(), &format.to_le_bytes(), &[0; 16]]);
    let font = |color: u16| record(FONT, &[&[200, 0, 0, 0], &color.to_le_bytes(), &[0; 8]]);
    // The third text goes on in another record and in another width.
    let texts: [&[u8]; 3] = [b"\x0b\0\0Invoice no.", b"\x05\0\x08\x01\0INV-5\0\0\0\0", b"\x0a\0\0Amoun"];
    let mut globals = [
        begin(5),
        record(DATEMODE, &[&[1, 0]]),
        [font(8), font(8), font(8), font(8), font(9)].concat(),
        record(FORMAT, &[&164_u16.to_le_bytes(), &[12, 0, 0], b"0.00 \"\x80\"   "]),
        [xf(0, 0), xf(0, 14), xf(0, 9), xf(5, 0)].concat(),
        record(SST, &[&[3, 0, 0, 0, 3, 0, 0, 0], &texts.concat()]),
        record(CONTINUE, &[&[1], &"t due".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()]),
    ]
    .concat();
    let sheet = |start: usize, state: u8, name: &str| {
        record(BOUNDSHEET, &[&(start as u32).to_le_bytes(), &[state, 0, name.len() as u8, 0], name.as_bytes()])
    };
    let start = globals.len() + sheet(0, 0, "Bill").len() + sheet(0, 0, "More").len() + 4;
    let first = [begin(16), cells.concat(), record(EOF, &[])].concat();
    let second = [begin(16), shared_text(0, 0, 1), record(EOF, &[])].concat();
    globals.extend(sheet(start, 0, "Bill"));
    globals.extend(sheet(start + first.len(), 1, "More"));
    [globals, record(EOF, &[]), first, second].concat()
}

fn workbook() -> Vec<u8> {
    let row =
        |idx: u16, flags: u8| record(ROW, &[&idx.to_le_bytes(), &[0, 0, 9, 0, 255, 0, 0, 0, 0, 0, flags, 1, 15, 0]]);
    let cells = [
        record(COLINFO, &[&[7, 0, 8, 0, 0, 9, 0, 0, 1, 0]]),
        row(0, 0),
        row(3, 0x20),
        shared_text(0, 0, 0),
        shared_text(0, 1, 1),
        record(LABEL, &[&at(1, 0, 0), &[12, 0, 0], b"Invoice date"]),
        // Days since 1904, shown as a date.
        record(NUMBER, &[&at(1, 1, 1), &44_623_f64.to_le_bytes()]),
        shared_text(2, 0, 2),
        record(RK, &[&at(2, 1, 0), &((119_050_u32 << 2) | 3).to_le_bytes()]),
        // A hidden row, a hidden column, white letters.
        record(NUMBER, &[&at(3, 0, 0), &7_f64.to_le_bytes()]),
        record(NUMBER, &[&at(4, 8, 0), &7_f64.to_le_bytes()]),
        record(NUMBER, &[&at(5, 0, 3), &7_f64.to_le_bytes()]),
        record(LABEL, &[&at(6, 0, 0), &[8, 0, 0], b"Supplier"]),
        formula(6, 1, [0, 0, 0, 0, 0, 0, 0xff, 0xff]),
        record(STRING, &[&[4, 0, 0], b"Acme"]),
        // Merged: what lies under the first cell is not seen.
        record(LABEL, &[&at(8, 0, 0), &[8, 0, 0], b"Currency"]),
        record(LABEL, &[&at(8, 1, 0), &[3, 0, 0], b"XXX"]),
        record(LABEL, &[&at(8, 5, 0), &[3, 0, 0], b"EUR"]),
        record(MERGEDCELLS, &[&[1, 0, 8, 0, 8, 0, 0, 0, 4, 0]]),
        formula(9, 0, [2, 0, 7, 0, 0, 0, 0xff, 0xff]),
        formula(9, 1, [0, 0, 0, 0, 0, 0, 0xff, 0xff]),
        // A rate stands between the label and its amount.
        record(LABEL, &[&at(10, 0, 0), &[3, 0, 0], b"VAT"]),
        record(
            MULRK,
            &[&[10, 0, 1, 0], &[2, 0], &((19_u32 << 2) | 3).to_le_bytes(), &[0, 0], &6_u32.to_le_bytes(), &[2, 0]],
        ),
    ];
    ole(&[("Workbook", stream(&cells))])
}

#[test]
fn an_old_workbook_is_read_as_it_is_shown_and_tells_what_is_not_shown() {
    use FieldName::*;
    let found = crate::read(&workbook()).unwrap().extraction;
    let given: Vec<(FieldName, &str)> =
        found.fields.single.iter().map(|(name, it)| (*name, it.value.as_str())).collect();
    let expected = [
        (Number, "INV-5"),
        (IssueDate, "2026-03-04"),
        (Currency, "EUR"),
        (SellerName, "Acme"),
        (TaxTotal, "1"),
        (Payable, "1190.5"),
    ];
    assert_eq!(given, expected);
    // A hidden row, a hidden column, white letters, under a merged cell, a hidden sheet.
    assert_eq!(found.coverage.hidden_text, 5);
    let notes: Vec<&str> = found.notes.iter().map(|it| it.message.as_str()).collect();
    assert!(notes[0].contains("cell A10 shows an error") && notes[1].contains("cell B10 has a formula"), "{notes:?}");
}

#[test]
fn another_reader_finds_the_same_cells_in_an_old_workbook() {
    use calamine::{Data, Reader as _, Xls};
    let mut other: Xls<_> = calamine::open_workbook_from_rs(std::io::Cursor::new(workbook())).unwrap();
    let range = other.worksheet_range("Bill").unwrap();
    assert_eq!(range.get_value((0, 1)), Some(&Data::String("INV-5".to_owned())));
    assert_eq!(range.get_value((2, 0)), Some(&Data::String("Amount due".to_owned())));
    assert_eq!(range.get_value((2, 1)).map(ToString::to_string), Some("1190.5".to_owned()));
    assert_eq!(range.get_value((6, 1)), Some(&Data::String("Acme".to_owned())));
}

#[test]
fn what_opens_with_a_password_only_is_said_to_be_encrypted() {
    let locked = [begin(5), record(FILEPASS, &[&[1, 0]]), record(EOF, &[])].concat();
    for document in [ole(&[("Workbook", locked)]), ole(&[("EncryptionInfo", vec![4]), ("EncryptedPackage", vec![1])])] {
        assert!(matches!(crate::read(&document), Err(Unreadable::Encrypted { .. })));
    }
}

#[test]
fn an_office_file_that_is_no_workbook_is_called_what_it_is() {
    for (stream, looks) in [
        ("WordDocument", "save it as DOCX"),
        ("Book", "a workbook of before 1997"),
        ("__properties_version1.0", "save it as EML"),
        ("x", "of before 2007"),
    ] {
        let err = crate::read(&ole(&[(stream, vec![1])])).unwrap_err().to_string();
        assert!(err.contains(looks), "{err}");
    }
}

#[test]
fn chains_of_sectors_that_run_in_a_circle_come_to_an_end() {
    let document = workbook();
    let table = document.len() - 512;
    let mut circle = document.clone();
    // Each sector is followed by the first, so no chain ends.
    circle[table..].fill(0);
    let err = crate::read(&circle).unwrap_err().to_string();
    assert!(err.contains("circle"), "{err}");
    let mut lists = document;
    lists[68..72].fill(0);
    let err = crate::read(&lists).unwrap_err().to_string();
    assert!(err.contains("circle") || err.contains("not in the file"), "{err}");
}

#[test]
fn numbers_beyond_the_last_column_are_refused() {
    let number = [0, 0, 6, 0, 0, 0];
    let beyond = record(MULRK, &[&[0, 0, 0xff, 0xff], &number, &number, &[0, 0]]);
    let err = crate::read(&ole(&[("Workbook", stream(&[beyond]))])).unwrap_err().to_string();
    assert!(err.contains("a cell stands beyond the last column"), "{err}");
}

#[test]
fn no_change_of_a_byte_breaks_the_reader_of_old_workbooks() {
    let document = workbook();
    // Most of the file is padding.
    let filled = |at: &usize| document[*at] != 0 || 0 < *at && document[*at - 1] != 0;
    for at in (0..document.len()).filter(filled) {
        for byte in [0, 1, 0x7f, 0xff] {
            let mut changed = document.clone();
            changed[at] = byte;
            assert_ne!(crate::read(&changed).err(), Some(Unreadable::Crashed), "byte {at} as {byte}");
        }
    }
    for end in (0..document.len()).step_by(7) {
        assert_ne!(crate::read(&document[..end]).err(), Some(Unreadable::Crashed), "cut at {end}");
    }
}

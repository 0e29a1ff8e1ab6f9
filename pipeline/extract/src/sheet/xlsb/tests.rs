#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use std::io::{Cursor, Write as _};

use super::*;
use case::FieldName;
use zip::write::{SimpleFileOptions, ZipWriter};

fn record(kind: u32, parts: &[&[u8]]) -> Vec<u8> {
    let data = parts.concat();
    let mut out = vec![kind as u8];
    if 0x7f < kind {
        out = vec![(kind & 0x7f) as u8 | 0x80, (kind >> 7) as u8];
    }
    let mut left = data.len();
    while 0x7f < left {
        out.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
    [out, data].concat()
}

fn wide(text: &str) -> Vec<u8> {
    let units: Vec<u16> = text.encode_utf16().collect();
    [&(units.len() as u32).to_le_bytes()[..], &units.into_iter().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()]
        .concat()
}

fn cell(kind: u32, column: u32, style: u32, value: &[u8]) -> Vec<u8> {
    record(kind, &[&column.to_le_bytes(), &style.to_le_bytes(), value])
}

fn row(idx: u32, flags: u8) -> Vec<u8> {
    record(ROW, &[&idx.to_le_bytes(), &[0; 4], &[44, 1, 0, flags], &[0; 5]])
}

fn workbook() -> Vec<u8> {
    let parts = |numbers: &[u32]| numbers.iter().flat_map(|it| it.to_le_bytes()).collect::<Vec<u8>>();
    let sheet = |state: u32, id: &str, name: &str| record(SHEET, &[&parts(&[state, 1]), &wide(id), &wide(name)]);
    let book = [
        record(131, &[]),
        record(WORKBOOK, &[&parts(&[0, 0]), &wide("")]),
        record(143, &[]),
        sheet(0, "r1", "Bill"),
        sheet(2, "r2", "More"),
        record(144, &[]),
        record(132, &[]),
    ];
    let font = |color: &[u8]| record(FONT, &[&[200, 0, 0, 0, 144, 1, 0, 0, 0, 2, 0, 0], color, &[0], &wide("A")]);
    let xf = |format: u16, font: u16| {
        record(XF, &[&0xffff_u16.to_le_bytes(), &format.to_le_bytes(), &font.to_le_bytes(), &[0; 10]])
    };
    let styles = [
        record(615, &[&parts(&[1])]),
        record(FORMAT, &[&164_u16.to_le_bytes(), &wide("0.00 \"€\"")]),
        record(616, &[]),
        font(&[7, 1, 0, 0, 0, 0, 0, 255]),
        font(&[5, 0, 0, 0, 255, 255, 255, 255]),
        record(FILL, &[&parts(&[0])]),
        record(CELL_XFS, &[&parts(&[4])]),
        [xf(0, 0), xf(14, 0), xf(164, 0), xf(0, 1)].concat(),
        record(CELL_XFS_END, &[]),
    ];
    let strings = ["Invoice no.", "INV-5"].map(|it| record(SHARED_TEXT, &[&[0], &wide(it)]));
    let text = |column, text: &str| cell(6, column, 0, &wide(text));
    let first = [
        record(129, &[]),
        record(148, &[&parts(&[0, 9, 0, 9])]),
        record(COLUMN, &[&parts(&[7, 8, 2560, 0]), &[1, 0]]),
        record(145, &[]),
        row(0, 0),
        cell(7, 0, 0, &parts(&[0])),
        cell(7, 1, 0, &parts(&[1])),
        row(1, 0),
        text(0, "Invoice date"),
        cell(5, 1, 1, &46_085_f64.to_le_bytes()),
        row(2, 0),
        text(0, "Amount due"),
        cell(2, 1, 2, &parts(&[(119_050 << 2) | 3])),
        row(3, 0x10),
        text(0, "Due date"),
        row(4, 0),
        cell(5, 8, 0, &7_f64.to_le_bytes()),
        row(5, 0),
        cell(5, 0, 3, &7_f64.to_le_bytes()),
        row(6, 0),
        text(0, "Supplier"),
        cell(8, 1, 0, &[&wide("Acme")[..], &[0; 6]].concat()),
        row(7, 0),
        cell(3, 0, 0, &[7]),
        text(1, "under"),
        record(146, &[]),
        record(MERGED, &[&parts(&[7, 7, 0, 3])]),
        record(130, &[]),
    ];
    let second = [record(129, &[]), record(145, &[]), row(0, 0), text(0, "secret"), record(146, &[]), record(130, &[])];
    let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006/relationships";
    let relation = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id='{id}' Type='{relations}/{kind}' Target='{target}'/>")
    };
    let list = |inner: String| format!("<Relationships xmlns='{package}'>{inner}</Relationships>").into_bytes();
    let types = "<Types><Override PartName='/xl/workbook.bin' ContentType='application/vnd.ms-excel.sheet.binary.macroEnabled.main'/></Types>";
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [
        ("[Content_Types].xml", types.as_bytes().to_vec()),
        ("_rels/.rels", list(relation("r0", "officeDocument", "xl/workbook.bin"))),
        (
            "xl/_rels/workbook.bin.rels",
            list(relation("r1", "worksheet", "worksheets/s1.bin") + &relation("r2", "worksheet", "worksheets/s2.bin")),
        ),
        ("xl/workbook.bin", book.concat()),
        ("xl/styles.bin", styles.concat()),
        ("xl/sharedStrings.bin", [record(159, &[&parts(&[2, 2])]), strings.concat(), record(160, &[])].concat()),
        ("xl/worksheets/s1.bin", first.concat()),
        ("xl/worksheets/s2.bin", second.concat()),
    ] {
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(&content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn a_binary_workbook_is_read_as_it_is_shown_and_tells_what_is_not_shown() {
    use FieldName::*;
    let found = crate::read(&workbook()).unwrap().extraction;
    let given: Vec<(FieldName, &str)> =
        found.fields.single.iter().map(|(name, it)| (*name, it.value.as_str())).collect();
    let expected =
        [(Number, "INV-5"), (IssueDate, "2026-03-04"), (Currency, "EUR"), (SellerName, "Acme"), (Payable, "1190.5")];
    assert_eq!(given, expected);
    // A hidden row, a hidden column, white letters, under a merged cell, a very hidden sheet.
    assert_eq!(found.coverage.hidden_text, 5);
    let codes: Vec<&str> = found.notes.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(codes, ["cell_error", "hidden_cells"]);
}

#[test]
fn another_reader_finds_the_same_cells_in_a_binary_workbook() {
    use calamine::{Data, Reader as _, Xlsb};
    let mut other: Xlsb<_> = calamine::open_workbook_from_rs(Cursor::new(workbook())).unwrap();
    let range = other.worksheet_range("Bill").unwrap();
    assert_eq!(range.get_value((0, 1)), Some(&Data::String("INV-5".to_owned())));
    assert_eq!(range.get_value((2, 1)).map(ToString::to_string), Some("1190.5".to_owned()));
    assert_eq!(range.get_value((6, 1)), Some(&Data::String("Acme".to_owned())));
}

#[test]
fn a_record_that_claims_more_than_there_is_is_no_record() {
    for (sheet, reason) in [
        (&b"\x13\x05ab"[..], "a part ends in a record"),
        (b"\x13\xff\xff\xff\x7f", "268435455 bytes in one record, more than the 4194304"),
    ] {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("a", SimpleFileOptions::default()).unwrap();
        writer.write_all(sheet).unwrap();
        let document = writer.finish().unwrap().into_inner();
        let mut package = Package::open(&document).unwrap();
        let err = Records::of(&mut package, "a").unwrap().unwrap().next().err().unwrap().to_string();
        assert!(err.contains(reason), "{err}");
    }
}

#[test]
fn no_change_of_a_byte_breaks_the_reader_of_binary_workbooks() {
    let document = workbook();
    for at in 0..document.len() {
        for byte in [0, 1, 0x7f, 0xff] {
            let mut changed = document.clone();
            changed[at] = byte;
            assert_ne!(crate::read(&changed).err(), Some(Unreadable::Crashed), "byte {at} as {byte}");
        }
    }
}

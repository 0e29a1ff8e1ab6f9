#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use std::io::{Cursor, Write};

use super::*;

const COLUMNS: Columns = Columns { of: "things", names: &["id", "name", "price"], n_required: 2 };

type Found = (Vec<Row>, Vec<Refused>);

/// The only place that knows how a file is handed over; its ending says what it is.
#[track_caller]
fn read(ending: &str, bytes: &[u8]) -> anyhow::Result<Found> {
    let mut file = tempfile::Builder::new().suffix(ending).tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    each(file.path(), &COLUMNS, &mut |row| {
        match row {
            Ok(row) => rows.push(row),
            Err(refused) => wrong.push(refused),
        }
        Ok(())
    })?;
    Ok((rows, wrong))
}

fn row(number: u64, cells: [&str; 3]) -> Row {
    Row { number, cells: cells.map(str::to_owned).to_vec() }
}

#[track_caller]
fn fails(ending: &str, bytes: &[u8], says: &str) {
    let err = format!("{:#}", read(ending, bytes).unwrap_err());
    assert!(err.contains(says), "{err}");
}

#[test]
fn the_order_of_columns_is_free_and_what_is_missing_is_empty() {
    let expected = vec![row(2, ["1", "Bolt", "2.50"]), row(3, ["2", "Nut, M8", ""])];
    let (rows, wrong) = read(".csv", b"\xef\xbb\xbfprice,id, name ,\r\n2.50,1,Bolt,\r\n,2,\"Nut, M8\",\r\n").unwrap();
    assert_eq!((rows, wrong), (expected, vec![]));
    let json = br#"[{"price": 2.50, "id": 1, "name": "Bolt"}, {"name": "Nut, M8", "id": "2", "price": null}]"#;
    assert_eq!(read(".JSON", json).unwrap().0, [row(1, ["1", "Bolt", "2.5"]), row(2, ["2", "Nut, M8", ""])]);
}

#[test]
fn a_header_that_is_not_understood_is_refused_by_name_before_any_row() {
    let all = "the columns of things are id, name, and if you have them price";
    fails(".csv", b"id,name,colour\n1,A,red\n", &format!(": `colour` is no column; {all}"));
    fails(".csv", b"id;nam\n1;A\n", &format!(": `name` is missing, `nam` is no column; {all}"));
    fails(".csv", b"id|name\n1|A\n", "`id` is missing, `name` is missing, `id|name` is no column");
    fails(".csv", b"id,name,na\x1b[31mme\n1,A,2\n", "`na\u{fffd}[31mme` is no column");
    fails(".csv", b"id,name,ID\n1,A,2\n", "`ID` stands twice");
    fails(".csv", b"id,price\n1,2\n", "`name` is missing");
    fails(".csv", b"id,name,gr\xf6\xdfe\n1,A,2\n", "its heading is not UTF-8; save it as CSV UTF-8");
    fails(".csv", b"", "no header");
    fails(".txt", b"id,name\n", "none of .csv, .xlsx, .json");
}

#[test]
fn what_excel_writes_in_germany_and_china_is_read() {
    let expected = |line| vec![row(line, ["1", "Müller, 北京", ""])];
    let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
    };
    for text in ["ID; Name \r\n1;Müller, 北京\r\n", "id\tNAME\n1\tMüller, 北京\n", "\nid,name\n1,\"Müller, 北京\"\n"]
    {
        let marked = format!("\u{feff}{text}").into_bytes();
        for bytes in [text.into(), marked, utf16(text, u16::to_le_bytes), utf16(text, u16::to_be_bytes)] {
            let line = 2 + u64::from(text.starts_with('\n'));
            assert_eq!(read(".csv", &bytes).unwrap(), (expected(line), vec![]), "{text:?}");
        }
    }
    let mut torn = utf16("id,name\n1,A\n", u16::to_le_bytes);
    torn.push(b'x');
    fails(".csv", &torn, "save it as CSV UTF-8");
}

#[test]
fn a_row_is_called_by_its_line_empty_rows_are_passed_over_and_the_separator_may_be_told() {
    for end in ["\n", "\r\n"] {
        let text = ["", "sep=;", "", "id;name;price", "1;Bolt;", "", ";;", " ", "2;Nut;", "3;C;\"", "\";", "4;D;"];
        let (rows, wrong) = read(".csv", text.join(end).as_bytes()).unwrap();
        assert_eq!(rows, [row(5, ["1", "Bolt", ""]), row(9, ["2", "Nut", ""]), row(12, ["4", "D", ""])]);
        // A quote over two lines makes a row of four values.
        assert_eq!(wrong.iter().map(|it| it.row).collect::<Vec<_>>(), [10]);
    }
    // What is no separator of one byte is a heading.
    fails(".csv", b"sep=;;\nid;name\n", "is missing");
}

#[test]
fn a_file_that_says_what_is_wrong_is_told_from_a_wrong_order() {
    let mistake = |ending: &str, bytes: &[u8]| match read(ending, bytes).unwrap_err().downcast_ref() {
        Some(Mistake::File(_)) => 1,
        Some(Mistake::Use(_)) => 2,
        None => 3,
    };
    let files: [(&str, &[u8]); 7] = [
        (".csv", b""),
        (".csv", b"id,nam\n"),
        (".json", b"[{\"id\":"),
        (".json", b"{}"),
        (".xlsx", b"PK"),
        (".xlsx", b""),
        (".csv", &[&b"id,name\n1,\""[..], &b"x".repeat(2 << 20)].concat()),
    ];
    for (ending, bytes) in files {
        assert_eq!(mistake(ending, bytes), 1, "{ending} {:?}", bytes.get(..10));
    }
    assert_eq!(mistake(".txt", b"id,name\n"), 2);
    for file in ["/no/such/file.csv", "/tmp"] {
        let err = each(Path::new(file), &COLUMNS, &mut |_| Ok(())).unwrap_err();
        assert!(matches!(err.downcast_ref(), Some(Mistake::Use(_))), "{err:?}");
    }
}

#[test]
fn a_row_that_cannot_be_read_is_refused_and_the_others_are_read() {
    let (rows, wrong) = read(".csv", b"id,name,\n1,A\n2,B\xff,\n3,C,x\n4,D,\n").unwrap();
    assert_eq!(rows, [row(5, ["4", "D", ""])]);
    let said: Vec<_> = wrong.iter().map(|it| (it.row, it.column.as_str(), it.why.as_str())).collect();
    assert_eq!(
        said,
        [
            (2, "", "has 2 values, the header has 3 columns"),
            (3, "name", "is not UTF-8; save the file as CSV UTF-8"),
            (4, "", "stands in a column that has no name")
        ]
    );
    // Two vendors would have become one of a long name.
    let (rows, wrong) = read(".csv", b"id,name\n1,\"A\n2,B\n").unwrap();
    let said: Vec<_> = wrong.iter().map(|it| (it.row, it.column.as_str(), it.why.as_str())).collect();
    assert_eq!((rows, said), (vec![], vec![(2, "name", "has a line break; is there a quote that is not closed?")]));
    let (rows, wrong) = read(".json", br#"[{"id":"1","colour":"red"},{"ID":"2","name":"B"}]"#).unwrap();
    assert_eq!((rows, wrong[0].column.as_str()), (vec![row(2, ["2", "B", ""])], "colour"));
    assert!(wrong[0].why.starts_with("is no column; the columns of things are id, name"), "{wrong:?}");
    let json =
        br#"[{"id":"1","id":"2"},{"id":["3"]},{"id":{"a":[1]}},{"id":"5","price":1234567890123456.78},{"id":"6"}]"#;
    let (rows, wrong) = read(".json", json).unwrap();
    assert_eq!(rows, [row(5, ["6", "", ""])]);
    let said: Vec<_> = wrong.iter().map(|it| (it.row, it.why.as_str())).collect();
    assert_eq!(said[..3], [(1, "stands twice in one object"), (2, "is a list"), (3, "is an object")]);
    assert!(said[3].1.starts_with("has more digits"), "{said:?}");
}

#[test]
fn what_is_not_the_form_that_its_name_says_is_an_error() {
    fails(".json", b"{}", "not a JSON list of objects");
    fails(".json", br#"[{"id":"1"},2]"#, "not a JSON list of objects");
    fails(".json", br#"[{"id":"1"}] x"#, "not a JSON list of objects");
    fails(".json", br#"[{"id":"1"}"#, "not a JSON list of objects");
    fails(".json", "[".repeat(100_000).as_bytes(), "not a JSON list of objects");
    fails(".xlsx", b"PK no", "cannot be imported");
}

#[test]
fn a_quote_that_is_never_closed_ends_the_reading_and_not_the_memory() {
    let mut csv = b"id,name\n1,\"A\n".to_vec();
    csv.extend(b"2,B\n".repeat(400_000));
    fails(".csv", &csv, "a quote that is not closed");
    let mut json = br#"[{"id":"1"},{"id":"#.to_vec();
    json.push(b'"');
    json.extend(b"x".repeat(2 << 20));
    fails(".json", &json, "a quote that is not closed");
    // Many rows of the allowed length are no long row.
    let mut csv = b"id,name\n".to_vec();
    csv.extend(format!("1,{}\n", "A".repeat(400)).repeat(10_000).as_bytes());
    assert_eq!(read(".csv", &csv).unwrap().0.len(), 10_000);
}

#[test]
fn whoever_takes_the_rows_ends_the_reading() {
    for (ending, text) in [(".csv", "id,name\n1,A\n2,B\n"), (".json", r#"[{"id":"1"},{"id":"2"}]"#)] {
        let mut file = tempfile::Builder::new().suffix(ending).tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let mut n_taken = 0;
        let err = each(file.path(), &COLUMNS, &mut |_| {
            n_taken += 1;
            anyhow::bail!("enough")
        });
        assert_eq!((n_taken, format!("{:#}", err.unwrap_err()).ends_with("enough")), (1, true));
    }
}

fn workbook(sheet: &str) -> Vec<u8> {
    let parts = [
        ("[Content_Types].xml", r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/></Types>"#.to_owned()),
        ("_rels/.rels", r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#.to_owned()),
        ("xl/workbook.xml", r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>"#.to_owned()),
        ("xl/_rels/workbook.xml.rels", r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#.to_owned()),
        ("xl/styles.xml", r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>"#.to_owned()),
        ("xl/worksheets/sheet1.xml", format!(r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{sheet}</sheetData></worksheet>"#)),
    ];
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn cell(place: &str, kind: &str, value: &str) -> String {
    match kind {
        "text" => format!(r#"<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>"#),
        "error" => format!(r#"<c r="{place}" t="e"><v>{value}</v></c>"#),
        "day" => format!(r#"<c r="{place}" s="1"><v>{value}</v></c>"#),
        _ => format!(r#"<c r="{place}"><v>{value}</v></c>"#),
    }
}

#[test]
fn the_first_sheet_of_a_workbook_is_read_as_a_person_sees_it() {
    let line = |number: u64, cells: &[String]| format!(r#"<row r="{number}">{}</row>"#, cells.concat());
    let head = line(1, &[cell("A1", "text", "id"), cell("C1", "text", "name"), cell("D1", "text", "price")]);
    let sheet = [
        head.clone(),
        line(
            2,
            &[cell("A2", "number", "4711"), cell("C2", "text", "Bolt"), cell("D2", "number", "0.28999999999999998")],
        ),
        line(3, &[cell("A3", "text", " ")]),
        line(5, &[cell("A5", "day", "46053"), cell("C5", "text", "Nut")]),
        line(6, &[cell("A6", "text", "7"), cell("C6", "error", "#DIV/0!")]),
        line(7, &[cell("A7", "text", "8"), cell("B7", "text", "no name")]),
    ];
    let (rows, wrong) = read(".xlsx", &workbook(&sheet.concat())).unwrap();
    assert_eq!(rows, [row(2, ["4711", "Bolt", "0.29"]), row(5, ["2026-01-31", "Nut", ""])]);
    let said: Vec<_> = wrong.iter().map(|it| (it.row, it.column.as_str(), it.value.as_str())).collect();
    assert_eq!(said, [(6, "name", "#DIV/0!"), (7, "", "no name")]);
    fails(".xlsx", &workbook(""), "its first sheet is empty");
    fails(".xlsx", &workbook(&line(1, &[cell("A1", "text", "id")])), "`name` is missing");
    let back = [head, line(3, &[cell("A3", "text", "9")]), line(2, &[cell("A2", "text", "8")])];
    fails(".xlsx", &workbook(&back.concat()), "not in order");
}

#[test]
fn a_workbook_that_unpacks_to_many_times_its_size_is_refused_before_a_cell_is_read() {
    let cell = cell("A1", "text", &"a".repeat(10 << 20));
    let refused = read(".xlsx", &workbook(&format!(r#"<row r="1">{cell}</row>"#))).unwrap_err();
    assert!(format!("{refused:#}").contains("more than 100 times its "), "{refused:#}");
}

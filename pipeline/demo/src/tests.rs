#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{Cursor, Read};

use calamine::{Data, DataType, Reader, Xlsx};
use jiff::civil::{Date, date};
use rust_decimal::Decimal;

use crate::{Cast, Document, Outcome, cast, hostile, stream};
use read_back::{Book, IsNamed, ReadBack, column};

mod read_back;

const TODAY: Date = date(2026, 11, 22);

#[test]
fn the_totals_of_every_e_invoice_foot_except_where_an_error_is_planted() {
    let wrong: Vec<String> =
        e_invoices().into_iter().filter(|(_, read)| !read.foots()).map(|(document, _)| document.file_name).collect();
    assert_eq!(wrong, ["Müller & Söhne 2610-0391.xml", "Ludwig Getreide LG-75990.xml"]);
}

#[test]
fn a_credit_note_names_the_invoice_it_corrects() {
    let named: Vec<Option<String>> = e_invoices()
        .iter()
        .filter(|(_, read)| read.type_code == "381")
        .map(|(_, read)| read.preceding.clone())
        .collect();
    assert_eq!(named, [Some("NL-24817".to_owned()), Some("2611-0442".to_owned())]);
}

#[test]
fn every_iban_and_vat_number_holds_except_the_planted_one() {
    let mut ibans = column(&cast(TODAY).vendors_csv, "iban");
    let mut vat_ids = column(&cast(TODAY).vendors_csv, "vat_id");
    let generated = stream(500, 7, TODAY);
    ibans.extend(column(&generated.vendors_csv, "iban"));
    vat_ids.extend(column(&generated.vendors_csv, "vat_id"));
    for (_, read) in e_invoices() {
        ibans.extend(read.iban);
        vat_ids.extend(read.vat_ids);
    }
    let wrong: BTreeSet<&String> = ibans.iter().filter(|iban| !iban.is_empty() && !iban_holds(iban)).collect();
    assert_eq!(wrong.into_iter().collect::<Vec<_>>(), ["DE74170540400032250471"]);
    assert!(50 < vat_ids.len());
    for vat_id in vat_ids.iter().filter(|vat_id| !vat_id.is_empty()) {
        assert!(vat_id_holds(vat_id), "{vat_id}");
    }
}

#[test]
fn what_goes_straight_through_agrees_with_its_order_and_the_rest_does_not() {
    let cast = cast(TODAY);
    let book = Book::read(&cast.vendors_csv, &cast.orders_csv, &cast.receipts_csv);
    for (document, read) in e_invoices() {
        let found = book.differences(&read);
        match document.outcome {
            Outcome::StraightThrough | Outcome::Level1 | Outcome::Level2 | Outcome::TwoPeople | Outcome::Duplicate => {
                assert!(found.is_empty(), "{}: {found:?}", document.file_name);
            }
            Outcome::Held(
                code @ ("PRICE" | "QTY_REC" | "NO_GR" | "VENDOR_MISMATCH" | "CURRENCY" | "NO_PO_REF" | "VENDOR_UNKNOWN"
                | "BANK_NEW"),
            ) => assert_eq!(found.iter().next(), Some(&code), "{}: {found:?}", document.file_name),
            Outcome::Held("IBAN") => assert_eq!(found, BTreeSet::from(["BANK_NEW"]), "{}", document.file_name),
            // These are wrong in themselves, not against their order.
            Outcome::Held("TAX" | "DATE_FUTURE" | "STALE") | Outcome::Stopped("BR-CO-10") => {
                assert!(found.is_empty(), "{}: {found:?}", document.file_name)
            }
            other => panic!("{}: {other:?} is not checked here", document.file_name),
        }
    }
}

#[test]
fn amounts_lie_where_the_policy_routes_them() {
    for (document, read) in e_invoices() {
        let level = match document.outcome {
            Outcome::StraightThrough => (Decimal::ZERO, Decimal::from(1_000)),
            Outcome::Level1 => (Decimal::from(1_000), Decimal::from(10_000)),
            Outcome::Level2 => (Decimal::from(10_000), Decimal::from(50_000)),
            Outcome::TwoPeople => (Decimal::from(50_000), Decimal::MAX),
            _ => continue,
        };
        assert!((level.0..level.1).contains(&read.net_total), "{}: {}", document.file_name, read.net_total);
    }
}

#[test]
fn no_two_invoices_of_a_vendor_look_like_one_that_was_split() {
    let mut days: BTreeMap<String, BTreeMap<Date, String>> = BTreeMap::new();
    for (_, read) in e_invoices().into_iter().filter(|(_, read)| read.type_code == "380") {
        days.entry(read.seller).or_default().insert(read.issue_date, read.number);
    }
    for (seller, days) in days {
        let days: Vec<Date> = days.into_keys().collect();
        for pair in days.windows(2) {
            assert!(14 < pair[0].until(pair[1]).unwrap().get_days(), "{seller}: {pair:?}");
        }
    }
}

#[test]
fn the_demonstration_is_complete_and_its_names_are_a_file_each() {
    let documents = cast(TODAY).documents;
    assert!(26 <= documents.len());
    let names: BTreeSet<String> = documents.iter().map(|document| document.file_name.to_lowercase()).collect();
    assert_eq!(names.len(), documents.len());
    assert!(names.iter().all(|name| !name.contains('/')));
    let bytes: BTreeSet<&[u8]> = documents.iter().map(|document| document.bytes.as_slice()).collect();
    assert_eq!(bytes.len(), documents.len() - 1, "one document is the copy of another, and only one");
}

#[test]
fn the_same_day_gives_the_same_bytes_and_any_day_will_do() {
    let bytes = |cast: Cast| cast.documents.into_iter().map(|document| document.bytes).collect::<Vec<_>>();
    assert_eq!(bytes(cast(TODAY)), bytes(cast(TODAY)));
    assert_ne!(bytes(cast(TODAY)), bytes(cast(date(2028, 2, 29))));
    assert_eq!(cast(Date::MIN).documents.len(), cast(Date::MAX).documents.len());
}

#[test]
fn a_pdf_shows_its_number_total_and_umlauts() {
    for (name, wanted) in [
        ("Invoice_GL-10093.pdf", ["Invoice GL-10093", "Total due", "774.69", "Grünwald Logistik GmbH"]),
        ("Kessler Bürobedarf Rechnung KB-10318.pdf", ["Rechnung KB/10318", "Rechnungsbetrag", "822,17", "Fällig am"]),
        ("Ostsee Druck OD-90731.pdf", ["Invoice OD-90731", "Net total", "649.00", "IBAN"]),
    ] {
        let text = pdf_text(&document(name).bytes);
        for wanted in wanted {
            assert!(text.contains(wanted), "{name} lacks {wanted}: {text}");
        }
    }
}

#[test]
fn a_long_invoice_and_a_contract_fill_two_pages() {
    for name in ["Kessler Bürobedarf Rechnung KB-10318.pdf", "Van der Meer Packaging Supply Agreement.pdf"] {
        assert_eq!(lopdf::Document::load_mem(&document(name).bytes).unwrap().get_pages().len(), 2, "{name}");
    }
}

#[test]
fn hidden_text_is_in_the_file_and_drawn_with_nothing() {
    let pdf = lopdf::Document::load_mem(&document("Ostsee Druck OD-89466.pdf").bytes).unwrap();
    let content = pdf.get_page_content(pdf.get_pages()[&1]);
    let content = String::from_utf8_lossy(&content);
    let hidden: Vec<&str> = content.lines().filter(|line| line.contains("BT 3 Tr")).collect();
    assert_eq!(hidden.len(), 1);
    assert!(hidden[0].contains("(Total due EUR 1.00)"));
}

#[test]
fn a_factur_x_carries_the_xml_of_what_it_prints_unless_it_lies() {
    for (name, printed_total, embedded_total) in
        [("Ostsee Druck OD-90731.pdf", "772.31", "772.31"), ("Nordlicht Werkzeuge NL-25077.pdf", "1,991.27", "991.27")]
    {
        let bytes = document(name).bytes;
        let xml = attachment(&bytes);
        let read = ReadBack::from_xml(&xml);
        assert_eq!(read.gross_total.to_string(), embedded_total, "{name}");
        assert!(read.foots(), "{name}");
        assert!(pdf_text(&bytes).contains(&format!("EUR {printed_total}")), "{name}");
    }
}

#[test]
fn a_workbook_holds_numbers_and_dates_and_not_their_pictures() {
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(document("HE-5582 Hofmann Elektrotechnik.xlsx").bytes)).unwrap();
    let sheet = workbook.worksheet_range_at(0).unwrap().unwrap();
    let beside = |label: &str, at: usize| {
        let row = sheet.rows().find(|row| row.iter().any(|cell| cell.as_string().as_deref() == Some(label)));
        row.unwrap_or_else(|| panic!("no {label}"))[at].clone()
    };
    assert_eq!(beside("Invoice number", 1), Data::String("HE-5582".into()));
    let Data::DateTime(issued) = beside("Invoice date", 1) else { panic!("a date in words") };
    // 6 November 2026, sixteen days before; day 1 was 1 January 1900.
    assert_eq!(issued.as_f64(), 46_332.0);
    assert_eq!(beside("Net total", 7), Data::Float(589.4));
    assert_eq!(beside("Total due", 7), Data::Float(701.39));
}

#[test]
fn csv_comes_in_the_form_of_its_country() {
    let german = String::from_utf8(document("Ludwig_Getreide_LG-77120.csv").bytes).unwrap();
    assert!(german.starts_with("\u{FEFF}Ludwig Getreidehandel OHG;;;;;;;\r\n"), "{german}");
    assert!(german.contains("1;1;Weizen Typ A, Muster;240;kg;0,38;19 %;91,20\r\n"), "{german}");
    let english = String::from_utf8(document("VDM-3391.csv").bytes).unwrap();
    assert!(english.contains("1,1,Kraft paper bag 25 kg,500,pcs,1.12,0 %,560.00\r\n"), "{english}");
    assert!(english.contains(",,,,,,VAT 0 %,0.00\r\n"), "{english}");
}

#[test]
fn a_silent_contract_has_neither_liability_nor_law_and_a_clean_one_has_both() {
    let clean = docx_text(&document("Blue Harbour Consulting Services Agreement (signed).docx").bytes);
    let silent = docx_text(&document("Papeterie Lefèvre Supply Agreement.docx").bytes);
    for words in ["Limitation of Liability", "governed by the laws of"] {
        assert!(clean.contains(words), "{words}");
        assert!(!silent.contains(words), "{words}");
    }
    let unlimited = pdf_text(&document("Van der Meer Packaging Supply Agreement.pdf").bytes);
    assert!(unlimited.contains("shall be unlimited"), "{unlimited}");
}

#[test]
fn a_stream_is_repeatable_and_a_longer_one_begins_with_the_shorter() {
    let (short, again, long) = (stream(60, 11, TODAY), stream(60, 11, TODAY), stream(200, 11, TODAY));
    assert_eq!(
        (&short.vendors_csv, &short.orders_csv, &short.receipts_csv),
        (&again.vendors_csv, &again.orders_csv, &again.receipts_csv)
    );
    let short: Vec<_> = short.collect();
    assert_eq!(short, again.collect::<Vec<_>>());
    assert_eq!(short, long.take(60).collect::<Vec<_>>());
    assert_ne!(short, stream(60, 12, TODAY).collect::<Vec<_>>());
}

#[test]
fn in_a_stream_one_invoice_in_twenty_charges_too_much_and_all_others_agree() {
    let n = 1_000;
    let generated = stream(n, 3, TODAY);
    let book = Book::read(&generated.vendors_csv, &generated.orders_csv, &generated.receipts_csv);
    assert_eq!(book.vendors.len(), n.div_ceil(9));
    let (mut n_below, mut last) = (0, HashMap::new());
    for (idx, (name, bytes)) in generated.enumerate() {
        let read = ReadBack::from_xml(&String::from_utf8(bytes).unwrap());
        assert!(read.foots(), "{name}");
        let wanted: &[&str] = if idx % 20 == 19 { &["PRICE"] } else { &[] };
        assert_eq!(book.differences(&read).into_iter().collect::<Vec<_>>(), wanted, "{name}");
        n_below += usize::from(read.net_total < Decimal::from(950));
        assert!(read.issue_date < TODAY && TODAY.since(read.issue_date).unwrap().get_days() < 180, "{name}");
        if let Some(later) = last.insert(read.seller.clone(), read.issue_date) {
            assert!(14 < read.issue_date.until(later).unwrap().get_days(), "{name}");
        }
    }
    assert!(n * 95 / 100 < n_below, "{n_below}");
}

#[test]
fn the_hostile_files_are_as_bad_as_their_names() {
    let files: HashMap<&str, Vec<u8>> = hostile().into_iter().collect();
    assert_eq!(files.len(), 12);
    let nested = String::from_utf8(files["nested 10000 deep.xml"].clone()).unwrap();
    assert_eq!((nested.matches("<a>").count(), nested.matches("</a>").count()), (10_000, 10_000));
    assert!(roxmltree::Document::parse(std::str::from_utf8(&files["entity bomb.xml"]).unwrap()).is_err());
    let mut swollen = zip::ZipArchive::new(Cursor::new(&files["swollen.xlsx"])).unwrap();
    assert_eq!(swollen.by_index(0).unwrap().size(), 0xFFFF_FFFE);
    assert!(files["swollen.xlsx"].len() < 1_000);
    assert!(files["zip bomb.xlsx"].len() < 100_000);
    let mut bomb = zip::ZipArchive::new(Cursor::new(&files["zip bomb.xlsx"])).unwrap();
    assert_eq!(bomb.by_index(0).unwrap().size(), 64 << 20);
    assert_eq!(files["one line of a megabyte.csv"].len(), 1 << 20);
    assert!(!files["one line of a megabyte.csv"].contains(&b'\n'));
    let looped = lopdf::Document::load_mem(&files["page tree loop.pdf"]).unwrap();
    let root = looped.catalog().unwrap().get(b"Pages").unwrap().as_reference().unwrap();
    let child =
        looped.get_dictionary(root).unwrap().get(b"Kids").unwrap().as_array().unwrap()[0].as_reference().unwrap();
    let grandchild =
        looped.get_dictionary(child).unwrap().get(b"Kids").unwrap().as_array().unwrap()[0].as_reference().unwrap();
    assert_eq!(root, grandchild);
    assert!(lopdf::Document::load_mem(&files["torn.pdf"]).is_err());
}

fn document(name: &str) -> Document {
    let found = cast(TODAY).documents.into_iter().find(|document| document.file_name == name);
    found.unwrap_or_else(|| panic!("no {name}"))
}

fn e_invoices() -> Vec<(Document, ReadBack)> {
    let documents = cast(TODAY).documents.into_iter().filter(|document| document.file_name.ends_with(".xml"));
    documents
        .map(|document| (document.clone(), ReadBack::from_xml(std::str::from_utf8(&document.bytes).unwrap())))
        .collect()
}

fn pdf_text(bytes: &[u8]) -> String {
    let pdf = lopdf::Document::load_mem(bytes).unwrap();
    let pages: Vec<u32> = pdf.get_pages().into_keys().collect();
    pdf.extract_text(&pages).unwrap()
}

fn attachment(bytes: &[u8]) -> String {
    let pdf = lopdf::Document::load_mem(bytes).unwrap();
    let attached = pdf.catalog().unwrap().get(b"AF").unwrap().as_array().unwrap()[0].as_reference().unwrap();
    let file = pdf.get_dictionary(attached).unwrap();
    assert_eq!(file.get(b"AFRelationship").unwrap().as_name().unwrap(), b"Data");
    assert_eq!(file.get(b"UF").unwrap().as_str().unwrap(), b"factur-x.xml");
    let stream = file.get(b"EF").unwrap().as_dict().unwrap().get(b"F").unwrap().as_reference().unwrap();
    let stream = pdf.get_object(stream).unwrap().as_stream().unwrap();
    String::from_utf8(stream.get_plain_content().unwrap()).unwrap()
}

fn docx_text(bytes: &[u8]) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut xml = String::new();
    archive.by_name("word/document.xml").unwrap().read_to_string(&mut xml).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    document
        .descendants()
        .filter(|node| node.is_named("t"))
        .filter_map(|node| node.text())
        .collect::<Vec<_>>()
        .join("\n")
}

fn iban_holds(iban: &str) -> bool {
    let (head, tail) = iban.split_at(4);
    remainder_97(&format!("{tail}{head}")) == 1
}

fn remainder_97(text: &str) -> u32 {
    text.chars().fold(0, |rest, c| {
        let value = c.to_digit(36).unwrap();
        (rest * if value < 10 { 10 } else { 100 } + value) % 97
    })
}

fn vat_id_holds(vat_id: &str) -> bool {
    let digits: Vec<u32> = vat_id[2..].chars().filter_map(|c| c.to_digit(10)).collect();
    match &vat_id[..2] {
        "DE" => {
            let product = digits[..8].iter().fold(10, |product, digit| {
                let sum = (digit + product) % 10;
                (if sum == 0 { 10 } else { sum }) * 2 % 11
            });
            digits.len() == 9 && (product + digits[8]) % 10 == 1
        }
        "FR" => (12 + 3 * (vat_id[4..].parse::<u64>().unwrap() % 97)) % 97 == vat_id[2..4].parse().unwrap(),
        "NL" => remainder_97(vat_id) == 1,
        "AT" => {
            let sum: u32 = digits[..7]
                .iter()
                .zip([1, 2].iter().cycle())
                .map(|(digit, weight)| digit * weight / 10 + digit * weight % 10)
                .sum();
            (10 - (sum + 4) % 10) % 10 == digits[7]
        }
        other => panic!("{other}"),
    }
}

use std::io::{Cursor, Write};

use jiff::civil::{Date, date};
use rust_decimal::Decimal;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::invoice::{Invoice, plain};
use crate::wording::Language;
use crate::xml::escaped;

/// The width of the table of lines.
const N_COLUMNS: usize = 8;

/// What stands in one cell. A workbook keeps numbers and dates as such, CSV prints them.
enum Cell {
    Blank,
    Text(String),
    Heading(String),
    Date(Date),
    Quantity(Decimal),
    Money(Decimal),
}

/// A workbook of one sheet, of the fewest parts a spreadsheet program opens.
pub(crate) fn xlsx(invoice: &Invoice) -> Vec<u8> {
    let name = escaped(invoice.language.words(invoice.credit_note).title);
    let workbook = format!(
        "{XML}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELATIONS}\"><sheets>\
         <sheet name=\"{name}\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
    );
    archive(&[
        ("[Content_Types].xml", CONTENT_TYPES),
        ("_rels/.rels", ROOT_RELATIONS),
        ("xl/workbook.xml", &workbook),
        ("xl/_rels/workbook.xml.rels", WORKBOOK_RELATIONS),
        ("xl/styles.xml", STYLES),
        ("xl/worksheets/sheet1.xml", &worksheet(&grid(invoice))),
    ])
}

/// German: semicolons, decimal comma, a byte order mark, as spreadsheet programs save there. English: commas.
pub(crate) fn csv(invoice: &Invoice) -> Vec<u8> {
    let language = invoice.language;
    let (separator, mark) = match language {
        Language::English => (b',', ""),
        Language::German => (b';', "\u{FEFF}"),
    };
    let mut writer = csv::WriterBuilder::new()
        .delimiter(separator)
        .terminator(csv::Terminator::CRLF)
        .from_writer(mark.as_bytes().to_vec());
    let blanks = std::iter::repeat(&Cell::Blank);
    for row in grid(invoice) {
        // Every row is as long as the table is wide, as a spreadsheet program saves it.
        let printed = row.iter().chain(blanks.clone()).take(N_COLUMNS).map(|cell| match cell {
            Cell::Blank => String::new(),
            Cell::Text(text) | Cell::Heading(text) => text.clone(),
            Cell::Date(date) if language == Language::English => date.to_string(),
            Cell::Date(date) => language.date(*date),
            Cell::Quantity(number) => decimal(*number, language),
            Cell::Money(amount) => localized(&plain(*amount), language),
        });
        writer.write_record(printed).expect("writing to memory does not fail");
    }
    writer.into_inner().expect("writing to memory does not fail")
}

/// Labels with their values, then the table of lines, then the totals: the same for both forms.
fn grid(invoice: &Invoice) -> Vec<Vec<Cell>> {
    let words = invoice.language.words(invoice.credit_note);
    let (seller, buyer, totals) = (&invoice.seller, &invoice.buyer, invoice.totals());
    let text = |text: &str| Cell::Text(text.to_owned());
    let heading = |text: &str| Cell::Heading(text.to_owned());

    let mut rows = vec![
        vec![heading(&seller.name)],
        vec![text(&format!("{}, {} {}, {}", seller.street, seller.postcode, seller.city, seller.country))],
    ];
    rows.extend(seller.vat_id.iter().map(|vat_id| vec![text(words.vat_id), text(vat_id)]));
    rows.push(vec![Cell::Blank]);
    rows.push(vec![heading(words.recipient), text(&buyer.name)]);
    rows.push(vec![Cell::Blank, text(&format!("{}, {} {}", buyer.street, buyer.postcode, buyer.city))]);
    rows.push(vec![Cell::Blank]);
    rows.push(vec![heading(words.number), text(&invoice.number)]);
    rows.push(vec![heading(words.issue_date), Cell::Date(invoice.issue_date)]);
    rows.push(vec![heading(words.delivery_date), Cell::Date(invoice.delivery_date)]);
    rows.push(vec![heading(words.due_date), Cell::Date(invoice.due_date)]);
    rows.extend(invoice.order_ref.iter().map(|order| vec![heading(words.order), text(order)]));
    rows.extend(invoice.preceding.iter().map(|number| vec![heading(words.preceding), text(number)]));
    rows.push(vec![heading(words.currency), text(&invoice.currency)]);
    rows.push(vec![Cell::Blank]);

    let columns: [&str; N_COLUMNS] = [
        words.position,
        words.order_line,
        words.description,
        words.quantity,
        words.unit,
        words.unit_price,
        words.vat_rate,
        words.amount,
    ];
    rows.push(columns.into_iter().map(heading).collect());
    for (line_idx, line) in invoice.lines.iter().enumerate() {
        rows.push(vec![
            Cell::Quantity(Decimal::from(line_idx + 1)),
            line.order_line.as_deref().map_or(Cell::Blank, text),
            text(&line.name),
            Cell::Quantity(line.quantity),
            text(invoice.language.unit(&line.unit)),
            Cell::Money(line.unit_price),
            text(&format!("{} %", decimal(line.vat.rate(), invoice.language))),
            Cell::Money(line.net_amount()),
        ]);
    }
    rows.push(vec![Cell::Blank]);

    let mut total = |label: Cell, amount| {
        let mut row: Vec<Cell> = (0..N_COLUMNS - 2).map(|_| Cell::Blank).collect();
        row.extend([label, Cell::Money(amount)]);
        rows.push(row);
    };
    total(text(words.net_total), totals.net_total);
    for group in &totals.tax {
        total(text(&format!("{} {} %", words.vat, decimal(group.vat.rate(), invoice.language))), group.tax);
    }
    total(heading(words.total), totals.gross_total);

    rows.push(vec![Cell::Blank]);
    rows.extend(totals.tax.iter().filter_map(|group| group.vat.exemption()).map(|(_, words)| vec![text(words)]));
    rows.extend(seller.account.iter().map(|iban| vec![heading("IBAN"), text(iban)]));
    rows.extend(seller.bic.iter().map(|bic| vec![heading("BIC"), text(bic)]));
    rows
}

/// No grouping: a program wrote it.
fn decimal(number: Decimal, language: Language) -> String {
    localized(&number.normalize().to_string(), language)
}

fn localized(number: &str, language: Language) -> String {
    match language {
        Language::English => number.to_owned(),
        Language::German => number.replace('.', ","),
    }
}

fn worksheet(rows: &[Vec<Cell>]) -> String {
    let mut xml = format!(
        "{XML}<worksheet xmlns=\"{MAIN}\"><cols><col min=\"1\" max=\"2\" width=\"20\" customWidth=\"1\"/>\
         <col min=\"3\" max=\"3\" width=\"38\" customWidth=\"1\"/>\
         <col min=\"4\" max=\"8\" width=\"15\" customWidth=\"1\"/></cols><sheetData>"
    );
    for (row_idx, row) in rows.iter().enumerate() {
        let number = row_idx + 1;
        xml.push_str(&format!("<row r=\"{number}\">"));
        for (cell, column) in row.iter().zip('A'..='Z') {
            let at = format!("{column}{number}");
            match cell {
                Cell::Blank => {}
                Cell::Text(text) => xml.push_str(&inline(&at, 0, text)),
                Cell::Heading(text) => xml.push_str(&inline(&at, 1, text)),
                Cell::Date(date) => xml.push_str(&format!("<c r=\"{at}\" s=\"2\"><v>{}</v></c>", serial(*date))),
                Cell::Quantity(number) => xml.push_str(&format!("<c r=\"{at}\"><v>{}</v></c>", number.normalize())),
                Cell::Money(amount) => xml.push_str(&format!("<c r=\"{at}\" s=\"3\"><v>{amount}</v></c>")),
            }
        }
        xml.push_str("</row>");
    }
    xml.push_str("</sheetData></worksheet>");
    xml
}

fn inline(at: &str, style: u8, text: &str) -> String {
    format!("<c r=\"{at}\" s=\"{style}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{}</t></is></c>", escaped(text))
}

/// Days in the calendar of 1900, whose day 60 never was; right for every date after it.
fn serial(day: Date) -> i32 {
    date(1899, 12, 30).until(day).map_or(0, |span| span.get_days())
}

/// A ZIP archive of `parts`, with no time in it.
pub(crate) fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, options).expect("writing to memory does not fail");
        zip.write_all(content.as_bytes()).expect("writing to memory does not fail");
    }
    zip.finish().expect("writing to memory does not fail").into_inner()
}

pub(crate) const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

const CONTENT_TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>"#;

const ROOT_RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;

const WORKBOOK_RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;

/// Cell styles by index: 0 plain, 1 bold, 2 date, 3 money.
const STYLES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><fonts count="2"><font><sz val="10"/><name val="Arial"/></font><font><b/><sz val="10"/><name val="Arial"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/><xf numFmtId="14" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="4" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs></styleSheet>"#;

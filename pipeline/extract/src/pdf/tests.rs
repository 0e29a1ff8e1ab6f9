#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use case::{Evidence, Extraction, FieldName, Format, Kind, LineField};
use lopdf::{Dictionary, Document, Object, ObjectId, Stream, StringFormat, dictionary};
use lopdf::{EncryptionState, EncryptionVersion, Permissions};

use super::*;

/// Text at a place in points from the top left corner of an A4 page.
fn text(left: f64, baseline: f64, size: f64, text: &str) -> String {
    let mut escaped = String::new();
    for char in text.chars() {
        match char {
            '(' | ')' | '\\' => escaped.extend(['\\', char]),
            '€' => escaped.push_str("\\200"),
            '“' => escaped.push_str("\\223"),
            '”' => escaped.push_str("\\224"),
            char if char.is_ascii() => escaped.push(char),
            char => escaped.push_str(&format!("\\{:o}", u32::from(char))),
        }
    }
    format!("BT /F1 {size} Tf {left} {} Td ({escaped}) Tj ET\n", 842.0 - baseline)
}

/// One line of text below the other.
fn paragraph(lines: &str) -> String {
    lines.lines().zip(0..).map(|(line, idx)| text(72.0, 80.0 + 14.0 * f64::from(idx), 10.0, line)).collect()
}

struct Draft {
    document: Document,
    pages: ObjectId,
    kids: Vec<Object>,
    catalog: Dictionary,
    resources: Dictionary,
}

impl Draft {
    fn new() -> Draft {
        let mut document = Document::with_version("1.7");
        let pages = document.new_object_id();
        let font = document.add_object(dictionary! {
            "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica", "Encoding" => "WinAnsiEncoding",
        });
        let resources = dictionary! { "Font" => dictionary! { "F1" => font } };
        let catalog = dictionary! { "Type" => "Catalog", "Pages" => pages };
        Draft { document, pages, kids: Vec::new(), catalog, resources }
    }

    fn page(mut self, content: &str) -> Draft {
        let content = self.document.add_object(Stream::new(Dictionary::new(), content.as_bytes().to_vec()));
        let page = self.document.add_object(dictionary! {
            "Type" => "Page", "Parent" => self.pages, "Contents" => content, "Resources" => self.resources.clone(),
            "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
        });
        self.kids.push(page.into());
        self
    }

    /// A grey image that pages can draw as `/Im1`.
    fn image(mut self) -> Draft {
        let dict = dictionary! {
            "Type" => "XObject", "Subtype" => "Image", "Width" => 2, "Height" => 2, "ColorSpace" => "DeviceGray", "BitsPerComponent" => 8,
        };
        let image = self.document.add_object(Stream::new(dict, vec![90, 120, 150, 180]));
        self.resources.set("XObject", dictionary! { "Im1" => image });
        self
    }

    /// A layer that is off, as `/L1`; a membership in it, as `/L2`; and a form in it, as `/Fm1`.
    fn switched_off_layer(mut self, content: &str) -> Draft {
        let layer =
            self.document.add_object(dictionary! { "Type" => "OCG", "Name" => Object::string_literal("prices") });
        let member = self.document.add_object(dictionary! { "Type" => "OCMD", "OCGs" => vec![layer.into()] });
        let form = dictionary! {
            "Type" => "XObject", "Subtype" => "Form", "BBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
            "OC" => layer, "Resources" => self.resources.clone(),
        };
        let form = self.document.add_object(Stream::new(form, content.as_bytes().to_vec()));
        self.resources.set("XObject", dictionary! { "Fm1" => form });
        self.resources.set("Properties", dictionary! { "L1" => layer, "L2" => member });
        let config = dictionary! { "OFF" => vec![layer.into()] };
        self.catalog.set("OCProperties", dictionary! { "OCGs" => vec![layer.into()], "D" => config });
        self
    }

    /// A signed field whose byte range is still to be written.
    fn signature(mut self) -> Draft {
        let range = [0_i64, 1_111_111_111, 2_222_222_222, 3_333_333_333].map(Object::Integer).to_vec();
        let value = dictionary! {
            "Type" => "Sig", "Filter" => "Adobe.PPKLite", "SubFilter" => "adbe.pkcs7.detached", "ByteRange" => range,
            "Contents" => Object::String(vec![0xab; 24], StringFormat::Hexadecimal),
        };
        let value = self.document.add_object(value);
        let field = dictionary! { "FT" => "Sig", "T" => Object::string_literal("Signature1"), "V" => value };
        let field = self.document.add_object(field);
        self.catalog.set("AcroForm", dictionary! { "Fields" => vec![field.into()], "SigFlags" => 3 });
        self
    }

    /// The document with the byte range around its signature.
    fn sealed(self) -> Vec<u8> {
        let mut bytes = self.bytes();
        let find = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|it| it == what).unwrap();
        let hex = "AB".repeat(24);
        let start = bytes.windows(48).position(|it| it.eq_ignore_ascii_case(hex.as_bytes())).unwrap() - 1;
        let end = start + 50;
        let ends = [("1111111111", start), ("2222222222", end), ("3333333333", bytes.len() - end)];
        for (placeholder, number) in ends {
            let at = find(&bytes, placeholder.as_bytes());
            bytes[at..at + 10].copy_from_slice(format!("{number:010}").as_bytes());
        }
        bytes
    }

    fn attachment(mut self, name: &str, bytes: &[u8]) -> Draft {
        let file = self.document.add_object(Stream::new(dictionary! { "Type" => "EmbeddedFile" }, bytes.to_vec()));
        let name = Object::String(name.as_bytes().to_vec(), StringFormat::Literal);
        let spec = self.document.add_object(dictionary! {
            "Type" => "Filespec", "F" => name.clone(), "UF" => name.clone(), "EF" => dictionary! { "F" => file },
        });
        self.catalog
            .set("Names", dictionary! { "EmbeddedFiles" => dictionary! { "Names" => vec![name, spec.into()] } });
        self
    }

    fn bytes(mut self) -> Vec<u8> {
        let count = i64::try_from(self.kids.len()).unwrap();
        let pages = dictionary! { "Type" => "Pages", "Kids" => self.kids, "Count" => count };
        self.document.objects.insert(self.pages, Object::Dictionary(pages));
        let catalog = self.document.add_object(self.catalog);
        self.document.trailer.set("Root", catalog);
        let mut bytes = Vec::new();
        self.document.save_to(&mut bytes).unwrap();
        bytes
    }
}

/// Reads it, and makes sure that the answer is one that is believed.
#[track_caller]
fn reading(bytes: &[u8]) -> Reading {
    let reading = read(bytes, &mut Scans::new(None)).unwrap();
    Extraction::from_untrusted(&serde_json::to_vec(&reading.extraction).unwrap()).unwrap();
    reading
}

#[track_caller]
fn values(extraction: &Extraction, expected: &[(FieldName, &str)]) {
    for (name, value) in expected {
        assert_eq!(extraction.text(*name), Some(*value), "{} in {:#?}", name.name(), extraction.fields.single.keys());
    }
}

#[track_caller]
fn shown_at(extraction: &Extraction, name: FieldName, on_page: u32, expected: [f64; 4], expected_text: &str) {
    let Evidence::Page { page, area, text } = &extraction.field(name).unwrap().evidence else { panic!("no page") };
    let near = area.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1.0);
    assert!(near && *page == on_page, "{area:?} on page {page}");
    assert_eq!(text, expected_text);
}

fn codes(extraction: &Extraction) -> Vec<&str> {
    extraction.notes.iter().map(|note| note.code.as_str()).collect()
}

fn german_invoice() -> String {
    let rows = [
        (50.0, 60.0, 8.0, "Muster Werke GmbH · Werkstraße 1 · 80331 München"),
        (50.0, 80.0, 10.0, "Beispiel Handels AG"),
        (50.0, 93.0, 10.0, "Kaufweg 7"),
        (50.0, 106.0, 10.0, "20095 Hamburg"),
        (350.0, 80.0, 10.0, "Rechnungsnummer:"),
        (470.0, 80.0, 10.0, "RE-2026-0117"),
        (350.0, 93.0, 10.0, "Rechnungsdatum:"),
        (470.0, 93.0, 10.0, "04.03.2026"),
        (350.0, 106.0, 10.0, "Bestellnummer:"),
        (470.0, 106.0, 10.0, "PO-4711"),
        (350.0, 119.0, 10.0, "Fällig am:"),
        (470.0, 119.0, 10.0, "3. April 2026"),
        (50.0, 180.0, 18.0, "Rechnung"),
        (50.0, 230.0, 10.0, "Pos"),
        (80.0, 230.0, 10.0, "Bezeichnung"),
        (300.0, 230.0, 10.0, "Menge"),
        (400.0, 230.0, 10.0, "Einzelpreis"),
        (500.0, 230.0, 10.0, "Gesamt"),
        (50.0, 250.0, 10.0, "1"),
        (80.0, 250.0, 10.0, "Kugellager 6204"),
        (300.0, 250.0, 10.0, "20 Stk"),
        (412.0, 250.0, 10.0, "45,00 €"),
        (495.0, 250.0, 10.0, "900,00 €"),
        (80.0, 262.0, 10.0, "beidseitig gedichtet"),
        (50.0, 282.0, 10.0, "2"),
        (80.0, 282.0, 10.0, "Welle nach Zeichnung"),
        (300.0, 282.0, 10.0, "1 Stk"),
        (405.0, 282.0, 10.0, "334,56 €"),
        (495.0, 282.0, 10.0, "334,56 €"),
        (350.0, 320.0, 10.0, "Nettobetrag"),
        (485.0, 320.0, 10.0, "1.234,56 €"),
        (350.0, 335.0, 10.0, "zzgl. 19 % MwSt"),
        (495.0, 335.0, 10.0, "234,57 €"),
        (350.0, 350.0, 10.0, "Gesamtbetrag"),
        (485.0, 350.0, 10.0, "1.469,13 €"),
        (50.0, 780.0, 8.0, "USt-IdNr. DE 123 456 789    IBAN: DE89 3704 0044 0532 0130 00    BIC: COBADEFFXXX"),
    ];
    rows.iter().map(|(left, baseline, size, words)| text(*left, *baseline, *size, words)).collect()
}

#[test]
fn a_german_invoice_is_read_with_the_places_of_its_values() {
    let Reading { extraction, pictures } = reading(&Draft::new().page(&german_invoice()).bytes());
    assert_eq!(
        (extraction.kind, extraction.format, extraction.language.as_deref()),
        (Kind::Invoice, Format::PdfText, Some("de"))
    );
    assert_eq!(extraction.coverage, Coverage { pages: 1, read: 1, hidden_text: 0 });
    values(
        &extraction,
        &[
            (FieldName::Number, "RE-2026-0117"),
            (FieldName::IssueDate, "2026-03-04"),
            (FieldName::DueDate, "2026-04-03"),
            (FieldName::OrderRef, "PO-4711"),
            (FieldName::Currency, "EUR"),
            (FieldName::SellerName, "Muster Werke GmbH"),
            (FieldName::SellerVatId, "DE123456789"),
            (FieldName::BuyerName, "Beispiel Handels AG"),
            (FieldName::Iban, "DE89370400440532013000"),
            (FieldName::Bic, "COBADEFFXXX"),
            (FieldName::NetTotal, "1234.56"),
            (FieldName::TaxTotal, "234.57"),
            (FieldName::GrossTotal, "1469.13"),
        ],
    );
    // Helvetica: the widths of R, E, hyphen and figures in thousandths are 722, 667, 333 and 556.
    let width = 10.0 * (722.0 + 667.0 + 2.0 * 333.0 + 8.0 * 556.0) / 1000.0;
    shown_at(&extraction, FieldName::Number, 1, [470.0, 72.0, 470.0 + width, 82.0], "RE-2026-0117");
    let lines: Vec<Vec<Option<&str>>> = extraction
        .lines
        .iter()
        .map(|line| {
            let names =
                [LineField::Name, LineField::Quantity, LineField::Unit, LineField::UnitPrice, LineField::NetAmount];
            names.iter().map(|name| line.get(name).map(|field| field.value.as_str())).collect()
        })
        .collect();
    let expected = [
        vec![Some("Kugellager 6204 beidseitig gedichtet"), Some("20"), Some("Stk"), Some("45.00"), Some("900.00")],
        vec![Some("Welle nach Zeichnung"), Some("1"), Some("Stk"), Some("334.56"), Some("334.56")],
    ];
    assert_eq!(lines, expected);
    let rates: Vec<&str> =
        extraction.fields.vat_breakdown.iter().map(|group| group[&case::VatField::Rate].value.as_str()).collect();
    assert_eq!(rates, ["19"]);
    assert_eq!(pictures.len(), 1);
    assert!(pictures[0].starts_with(b"\x89PNG") && 2_000 < pictures[0].len());
}

#[test]
fn an_english_invoice_with_totals_under_their_headings_is_read() {
    let rows = [
        (50.0, 60.0, 20.0, "INVOICE"),
        (50.0, 100.0, 10.0, "From:"),
        (50.0, 113.0, 10.0, "Northwind Parts Ltd"),
        (300.0, 100.0, 10.0, "Bill to:"),
        (300.0, 113.0, 10.0, "Harbour Machines plc"),
        (50.0, 150.0, 10.0, "Invoice No.  INV-20931"),
        (300.0, 150.0, 10.0, "VAT No. GB123456789"),
        (50.0, 163.0, 10.0, "Invoice date  14 March 2026"),
        (50.0, 176.0, 10.0, "Due date  13 April 2026"),
        (50.0, 189.0, 10.0, "Purchase order  45001"),
        (50.0, 240.0, 10.0, "Description"),
        (300.0, 240.0, 10.0, "Qty"),
        (380.0, 240.0, 10.0, "Unit price"),
        (480.0, 240.0, 10.0, "Amount"),
        (50.0, 255.0, 10.0, "Hydraulic pump"),
        (300.0, 255.0, 10.0, "2"),
        (390.0, 255.0, 10.0, "1,250.00"),
        (480.0, 255.0, 10.0, "2,500.00"),
        (280.0, 300.0, 10.0, "Net total"),
        (380.0, 300.0, 10.0, "VAT 20%"),
        (480.0, 300.0, 10.0, "Total due"),
        (280.0, 315.0, 10.0, "£2,500.00"),
        (380.0, 315.0, 10.0, "£500.00"),
        (480.0, 315.0, 10.0, "£3,000.00"),
    ];
    let content: String =
        rows.iter().map(|(left, baseline, size, words)| text(*left, *baseline, *size, words)).collect();
    let extraction = reading(&Draft::new().page(&content).bytes()).extraction;
    assert_eq!(extraction.kind, Kind::Invoice);
    values(
        &extraction,
        &[
            (FieldName::Number, "INV-20931"),
            (FieldName::IssueDate, "2026-03-14"),
            (FieldName::DueDate, "2026-04-13"),
            (FieldName::OrderRef, "45001"),
            (FieldName::Currency, "GBP"),
            (FieldName::SellerName, "Northwind Parts Ltd"),
            (FieldName::BuyerName, "Harbour Machines plc"),
            (FieldName::SellerVatId, "GB123456789"),
            (FieldName::NetTotal, "2500.00"),
            (FieldName::TaxTotal, "500.00"),
            (FieldName::GrossTotal, "3000.00"),
            (FieldName::Payable, "3000.00"),
        ],
    );
    assert_eq!(extraction.lines.len(), 1);
    assert_eq!(extraction.lines[0][&LineField::NetAmount].value, "2500.00");
}

#[test]
fn text_that_no_eye_sees_is_left_out_and_counted() {
    let line = "0.5 w 50 345 m 500 345 l S\n";
    let secrets = [
        (
            "drawn with invisible ink",
            format!("BT 3 Tr ET\n{}BT 0 Tr ET\n", text(72.0, 500.0, 10.0, "Gesamtbetrag 1,00")),
        ),
        ("white on white", format!("1 1 1 rg\n{}0 0 0 rg\n", text(72.0, 500.0, 10.0, "Gesamtbetrag 1,00"))),
        ("off the page", text(700.0, 500.0, 10.0, "Gesamtbetrag 1,00")),
        ("covered", format!("{}0.9 g 60 330 200 25 re f 0 g\n", text(72.0, 500.0, 10.0, "Gesamtbetrag 1,00"))),
        ("clipped away", format!("q 0 0 20 20 re W n\n{}Q\n", text(72.0, 500.0, 10.0, "Gesamtbetrag 1,00"))),
        ("too small to see", text(72.0, 500.0, 0.2, "Gesamtbetrag 1,00")),
        ("too small to read", text(72.0, 500.0, 1.8, "Gesamtbetrag 1,00")),
        (
            "under a picture",
            format!("{}q 200 0 0 25 60 330 cm /Im1 Do Q\n", text(72.0, 500.0, 10.0, "Gesamtbetrag 1,00")),
        ),
        (
            "behind a clip without area",
            format!("q 72 342 0 0 re W n\n{}Q\n", text(72.0, 500.0, 10.0, "Gesamtbetrag 1,00")),
        ),
        (
            "between the parts of a clip",
            format!("q 0 0 1 1 re 590 840 1 1 re W n\n{}Q\n", text(72.0, 500.0, 10.0, "Gesamtbetrag 1,00")),
        ),
        (
            "in the colour of its ground",
            format!("0 0 0.4 rg 60 330 200 25 re f\n{}0 0 0 rg\n", text(72.0, 500.0, 10.0, "Gesamtbetrag 1,00")),
        ),
        (
            "squeezed",
            format!("4 Tz {}{}100 Tz\n", text(72.0, 500.0, 10.0, "Gesamtbetrag"), text(150.0, 500.0, 10.0, "1,00")),
        ),
        (
            "under a round area and a line",
            format!(
                "{}1 g 70 336 m 300 336 l 310 341 310 351 300 358 c 70 358 l h f 0 g {line}",
                text(72.0, 500.0, 10.0, "Gesamtbetrag 1,00")
            ),
        ),
        ("light grey", format!("0.92 g {}0 g\n", text(72.0, 500.0, 10.0, "Gesamtbetrag 1,00"))),
        ("light grey under a line", format!("0.96 g {}0 g {line}", text(72.0, 500.0, 10.0, "Gesamtbetrag 1,00"))),
        (
            "in the colour of its ground under a line",
            format!(
                "0 0 0.4 rg 60 330 200 25 re f\n{}1 G 50 345 m 500 345 l S 0 G 0 g\n",
                text(72.0, 500.0, 10.0, "Gesamtbetrag 1,00")
            ),
        ),
        ("nearly white", format!("0.97 0.97 0.97 rg\n{}0 0 0 rg\n", text(72.0, 500.0, 10.0, "Gesamtbetrag 1,00"))),
    ];
    for (how, secret) in secrets {
        let extraction = reading(&Draft::new().image().page(&(german_invoice() + &secret)).bytes()).extraction;
        assert_eq!(extraction.coverage.hidden_text, 2, "{how}");
        assert_eq!(codes(&extraction), ["hidden_text"], "{how}");
        values(&extraction, &[(FieldName::GrossTotal, "1469.13")]);
    }
}

#[test]
fn text_further_off_than_numbers_reach_is_hidden_and_the_page_is_read() {
    let secret = text(72.0, -1e30, 10.0, "Gesamtbetrag 1,00");
    let extraction = reading(&Draft::new().page(&(german_invoice() + &secret)).bytes()).extraction;
    assert_eq!((extraction.coverage.read, extraction.coverage.hidden_text), (1, 2));
    assert_eq!(codes(&extraction), ["page_without_picture", "hidden_text"]);
    values(&extraction, &[(FieldName::GrossTotal, "1469.13")]);
}

#[test]
fn text_in_a_light_colour_or_with_an_outline_is_seen() {
    let words = || text(72.0, 500.0, 8.0, "Lieferdatum: 01.03.2026");
    let line = "0.5 w 50 345 m 500 345 l S\n";
    let inks = [
        ("grey", format!("0.75 g {}0 g\n", words())),
        ("grey under a line", format!("0.75 g {}0 g {line}", words())),
        ("struck out", format!("{}{line}", words())),
        ("pale yellow", format!("1 1 0.6 rg {}0 g\n", words())),
        ("white with a black outline", format!("1 g 0.3 w 2 Tr {}0 Tr 0 g\n", words())),
        ("on a dark picture", format!("q 300 0 0 25 60 335 cm /Im1 Do Q 1 g {}0 g\n", words())),
        (
            "over a round area",
            format!("0.9 g 60 330 m 300 330 l 310 340 310 350 300 355 c 60 355 l h f 0 g {}", words()),
        ),
        ("half transparent over a colour", format!("0.8 1 0.8 rg 60 330 300 25 re f 0 g {}", words())),
    ];
    for (how, ink) in inks {
        let extraction = reading(&Draft::new().image().page(&(german_invoice() + &ink)).bytes()).extraction;
        assert_eq!(extraction.coverage.hidden_text, 0, "{how}");
        assert_eq!(extraction.text(FieldName::DeliveryDate), Some("2026-03-01"), "{how}");
    }
}

#[test]
fn text_that_no_eye_sees_is_left_out_on_pages_without_a_picture_too() {
    let secret = format!("0 g 60 330 200 25 re f {}", text(72.0, 500.0, 10.0, "Gesamtbetrag 1,00"));
    let draft = (0..20).fold(Draft::new(), |draft, _| draft.page(&german_invoice()));
    let Reading { extraction, pictures } = reading(&draft.page(&secret).bytes());
    assert_eq!((extraction.coverage.hidden_text, pictures.len()), (2, 20));
    assert_eq!(codes(&extraction), ["pages_without_picture", "hidden_text"]);
}

#[test]
fn text_in_a_layer_that_a_viewer_switches_off_is_left_out_and_counted() {
    let member = |value: Vec<Object>| dictionary! { "Type" => "OCMD", "VE" => value };
    let usage = |part: &str, state: &str| dictionary! { part => dictionary! { state => "OFF" } };
    let applied = |layer: ObjectId, event: &str| {
        vec![Object::Dictionary(
            dictionary! { "Event" => event, "Category" => vec![event.into()], "OCGs" => vec![layer.into()] },
        )]
    };
    let cases = [
        ("for the screen", Some(("View", "ViewState")), None, 1),
        ("on paper", Some(("Print", "PrintState")), None, 1),
        ("for other programs", Some(("Export", "ExportState")), None, 0),
        ("by an expression", None, Some("Not"), 1),
        ("by no expression", None, Some("And"), 0),
        ("by an expression that is none", None, Some("Nor"), 1),
    ];
    for (how, by_usage, by_expression, expected) in cases {
        let mut draft = Draft::new();
        let mut group = dictionary! { "Type" => "OCG", "Name" => Object::string_literal("prices") };
        if let Some((part, state)) = by_usage {
            group.set("Usage", usage(part, state));
        }
        let group = draft.document.add_object(group);
        let mut config = dictionary! { "ON" => vec![group.into()] };
        if let Some((event, _)) = by_usage {
            config.set("AS", applied(group, event));
        }
        let layer = match by_expression {
            Some(operator) => draft.document.add_object(member(vec![operator.into(), group.into()])),
            None => group,
        };
        draft.resources.set("Properties", dictionary! { "L1" => layer });
        draft.catalog.set("OCProperties", dictionary! { "OCGs" => vec![group.into()], "D" => config });
        let secret = format!("/OC /L1 BDC\n{}EMC\n", text(72.0, 500.0, 10.0, "Lieferdatum: 01.03.2026"));
        let extraction = reading(&draft.page(&(german_invoice() + &secret)).bytes()).extraction;
        assert_eq!(extraction.coverage.hidden_text, expected, "{how}");
        assert_eq!(extraction.text(FieldName::DeliveryDate).is_none(), expected == 1, "{how}");
    }
}

#[test]
fn text_in_a_layer_that_is_switched_off_is_counted() {
    let secret = text(72.0, 500.0, 10.0, "Gesamtbetrag 1,00");
    let cases = [
        ("of a section", format!("/OC /L1 BDC\n{secret}EMC\n"), 1),
        ("around a section", format!("/OC /L1 BDC\n/Span BMC\n{secret}EMC\n{secret}EMC\n{secret}"), 2),
        ("of several, all of which are off", format!("/OC /L2 BDC\n{secret}EMC\n"), 1),
        ("of a form", "/Fm1 Do\n".to_owned(), 1),
    ];
    for (how, content, expected) in cases {
        let draft = Draft::new().switched_off_layer(&secret).page(&(german_invoice() + &content));
        let extraction = reading(&draft.bytes()).extraction;
        assert_eq!(extraction.coverage.hidden_text, expected, "{how}");
        assert_eq!(codes(&extraction), ["hidden_text"], "{how}");
    }
}

#[test]
fn a_page_that_is_turned_is_read_as_a_reader_holds_it() {
    // What stands upright on the turned page runs up or down on the paper.
    for (turn, matrix) in [(90, "0 1 -1 0 842 0"), (270, "0 -1 1 0 0 595"), (180, "-1 0 0 -1 595 842")] {
        let content = format!("q {matrix} cm\n{}Q\n", german_invoice());
        let mut draft = Draft::new().page(&content);
        let page = draft.kids[0].as_reference().unwrap();
        let page = draft.document.get_dictionary_mut(page).unwrap();
        page.set("Rotate", turn);
        if turn != 180 {
            page.set("MediaBox", vec![0.into(), 0.into(), 842.into(), 595.into()]);
        }
        let extraction = reading(&draft.bytes()).extraction;
        assert_eq!(extraction.coverage, Coverage { pages: 1, read: 1, hidden_text: 0 }, "{turn}");
        values(&extraction, &[(FieldName::Number, "RE-2026-0117"), (FieldName::GrossTotal, "1469.13")]);
    }
}

#[test]
fn a_page_whose_text_runs_in_another_direction_is_turned_to_be_read() {
    for (turn, area) in
        [(90, [760.0, 470.0, 770.0, 535.0]), (180, [60.0, 760.0, 125.0, 770.0]), (270, [72.0, 60.0, 82.0, 125.0])]
    {
        let mut draft = Draft::new().page(&german_invoice());
        let page = draft.kids[0].as_reference().unwrap();
        draft.document.get_dictionary_mut(page).unwrap().set("Rotate", turn);
        let extraction = reading(&draft.bytes()).extraction;
        assert_eq!(extraction.coverage, Coverage { pages: 1, read: 1, hidden_text: 0 }, "{turn}");
        let names = [
            (FieldName::Number, "RE-2026-0117"),
            (FieldName::SellerName, "Muster Werke GmbH"),
            (FieldName::GrossTotal, "1469.13"),
        ];
        values(&extraction, &names);
        assert_eq!(extraction.lines.len(), 2, "{turn}");
        shown_at(&extraction, FieldName::Number, 1, area, "RE-2026-0117");
        let (width, height) = if turn == 180 { (595.0, 842.0) } else { (842.0, 595.0) };
        assert_eq!((extraction.pages[0].width, extraction.pages[0].height), (width, height), "{turn}");
    }
}

#[test]
fn the_text_under_a_scan_hides_only_what_the_scan_does_not_show() {
    let line = |words: &[(&str, f64)]| {
        let word =
            |(text, left): &(&str, f64)| Word { text: (*text).to_owned(), area: [*left, 90.0, left + 60.0, 100.0] };
        words.iter().map(word).collect::<Vec<Word>>()
    };
    let recognised = line(&[("Invoice", 50.0), ("No.AP-5521", 115.0), ("1,190.00", 400.0)]);
    let cases: [(&[(&str, f64)], usize); 6] = [
        (&[("Invoice", 52.0), ("No.", 116.0), ("AP-5521", 130.0), ("1,190.00", 402.0)], 0),
        (&[("lnvoice", 52.0), ("No", 116.0)], 0),
        (&[("1,19O.00", 402.0)], 1),
        (&[("9,190.00", 402.0)], 1),
        (&[("1,190.00", 52.0)], 1),
        (&[("Payable", 250.0), ("·", 300.0)], 1),
    ];
    for (hidden, expected) in cases {
        let hidden = [Line { cells: vec![Cell { words: line(hidden) }] }];
        assert_eq!(layer::count_other_words(&hidden, &recognised), expected, "{hidden:?}");
    }
}

#[test]
fn hebrew_runs_from_right_to_left_and_its_figures_do_not() {
    use hayro_interpret::kurbo::Point;
    let mark = |(text, left): (&str, f64)| ink::Mark {
        text: text.to_owned(),
        start: Point::new(left, 100.0),
        end: Point::new(left + 6.0, 100.0),
        size: 10.0,
        colour: None,
    };
    // As it stands on the paper, from left to right: 42, then a word, then another.
    let marks: Vec<ink::Mark> =
        [("4", 0.0), ("2", 6.0), ("ג", 20.0), ("ב", 26.0), ("א", 32.0), ("ה", 44.0), ("ד", 50.0)].map(mark).to_vec();
    let lines = layout::lines(&marks);
    let words: Vec<&str> = lines[0].words().map(|word| word.text.as_str()).collect();
    assert_eq!(words, ["42", "אבג", "דה"]);
    assert_eq!(joined(lines[0].words()), "42 דה אבג");
}

#[test]
fn a_space_drawn_under_a_letter_does_not_part_a_number() {
    use hayro_interpret::kurbo::Point;
    let mark = |(text, left): (&str, f64)| ink::Mark {
        text: text.to_owned(),
        start: Point::new(left, 100.0),
        end: Point::new(left + 6.0, 100.0),
        size: 10.0,
        colour: None,
    };
    let marks: Vec<ink::Mark> =
        [("N", 0.0), ("", 6.0), ("4", 12.0), ("", 12.1), ("7", 18.0), ("1", 24.0)].map(mark).to_vec();
    assert_eq!(joined(layout::lines(&marks)[0].words()), "N 471");
}

#[test]
fn signatures_are_recorded_with_what_they_cover() {
    let signed = Draft::new().signature().page(&german_invoice()).sealed();
    let extraction = reading(&signed).extraction;
    assert_eq!(codes(&extraction), ["signed"]);
    assert_eq!(extraction.notes[0].message, "1 signature: signature 1 covers the whole file");
    values(&extraction, &[(FieldName::GrossTotal, "1469.13")]);

    let mut appended = signed.clone();
    appended.extend_from_slice(b"\n% something was added\n%%EOF\n");
    let extraction = reading(&appended).extraction;
    assert_eq!(codes(&extraction), ["signed", "changed_after_signing"]);
    let expected = format!("covers the first {} of {} bytes", signed.len(), appended.len());
    assert!(extraction.notes[0].message.contains(&expected), "{}", extraction.notes[0].message);

    let mut shifted = signed.clone();
    let at = signed.windows(10).position(|it| it == b"/ByteRange").unwrap();
    let zero = at + signed[at..].iter().position(|it| *it == b'0').unwrap();
    shifted[zero] = b'7';
    let extraction = reading(&shifted).extraction;
    assert_eq!(codes(&extraction), ["signed", "changed_after_signing"]);
}

#[test]
fn a_signature_that_a_later_revision_drops_is_recorded() {
    let signed = Draft::new().signature().page(&german_invoice()).sealed();
    let at = signed.windows(9).position(|it| it == b"/AcroForm").unwrap();
    let mut dropped = signed.clone();
    dropped[at + 1..at + 9].copy_from_slice(b"NoForm__");
    dropped.extend_from_slice(b"\n% something was added\n%%EOF\n");
    let extraction = reading(&dropped).extraction;
    assert_eq!(codes(&extraction), ["signed", "changed_after_signing"]);
    let expected = "; the rest was added after it, and the document no longer names it";
    assert!(extraction.notes[0].message.ends_with(expected), "{}", extraction.notes[0].message);

    // A signed file inside is another file: its bytes are counted from its own start.
    let outer = reading(&Draft::new().attachment("contract.pdf", &signed).page(&german_invoice()).bytes()).extraction;
    assert_eq!(codes(&outer), [""; 0]);
}

#[test]
fn an_e_invoice_inside_that_says_otherwise_than_the_page_is_told() {
    let xml = |gross: &str| {
        format!(
            r#"<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"><cbc:ID>RE-2026-0117</cbc:ID><cac:LegalMonetaryTotal><cbc:TaxInclusiveAmount currencyID="EUR">{gross}</cbc:TaxInclusiveAmount></cac:LegalMonetaryTotal></Invoice>"#
        )
    };
    let greeting = paragraph(
        "Dear customer,\nhere is what you ordered from us last week. Our e-invoice\nis inside this document, we ask for payment of 1.190,00 EUR\nwithin the next thirty days.",
    );
    let cases = [
        ("the same total", german_invoice(), "1469.13", &[][..]),
        ("another total", german_invoice(), "1496.13", &["hybrid_diff"][..]),
        ("a total without a label", greeting.clone(), "1190.00", &[][..]),
        ("a total that stands nowhere", greeting, "1910.00", &["hybrid_diff"][..]),
    ];
    for (how, page, gross, expected) in cases {
        let draft = Draft::new().attachment("factur-x.xml", xml(gross).as_bytes()).page(&page);
        assert_eq!(codes(&reading(&draft.bytes()).extraction), expected, "{how}");
    }
}

#[test]
fn white_text_on_a_dark_ground_is_seen() {
    let banner = format!(
        "0 0 0.4 rg 0 742 595 100 re f 1 1 1 rg\n{}0 0 0 rg\n",
        text(72.0, 50.0, 12.0, "Lieferdatum: 01.03.2026")
    );
    let extraction = reading(&Draft::new().page(&(banner + &german_invoice())).bytes()).extraction;
    assert_eq!(extraction.coverage.hidden_text, 0);
    values(&extraction, &[(FieldName::DeliveryDate, "2026-03-01")]);
}

#[test]
fn letters_printed_twice_to_look_bold_are_read_once() {
    let twice = text(72.0, 400.0, 10.0, "Vertragsnummer: V-77") + &text(72.4, 400.0, 10.0, "Vertragsnummer: V-77");
    let extraction = reading(&Draft::new().page(&(german_invoice() + &twice)).bytes()).extraction;
    values(&extraction, &[(FieldName::ContractRef, "V-77")]);
}

#[test]
fn a_contract_over_two_pages_has_its_clauses_where_they_stand() {
    let first = paragraph(
        "MASTER SERVICES AGREEMENT\n\nThis Agreement is made and entered into as of January 15, 2026 (the “Effective Date”) by and\nbetween Alpine Software GmbH, a German company (the “Supplier”), and Harbour Machines plc\n\
         (the “Customer”).\n\n1. Term. The term of this Agreement is two (2) years and renews automatically for successive\nperiods of twelve (12) months unless either party gives ninety (90) days written notice.\n\n\
         2. Payment. Invoices are payable within thirty (30) days of receipt of the invoice.",
    );
    let second = paragraph(
        "7. Liability. The liability of either party under this Agreement shall not exceed the fees paid in\nthe twelve (12) months before the claim.\n\n8. Governing law. This Agreement is governed by the laws of Germany and the parties hereto submit\nto the exclusive jurisdiction of the courts of Munich.\n\n\
         9. Confidentiality. Each party shall keep all information confidential. This is the entire agreement.",
    );
    let extraction = reading(&Draft::new().page(&first).page(&second).bytes()).extraction;
    assert_eq!(extraction.kind, Kind::Contract);
    values(
        &extraction,
        &[
            (FieldName::Title, "MASTER SERVICES AGREEMENT"),
            (FieldName::AgreementDate, "2026-01-15"),
            (FieldName::EffectiveDate, "2026-01-15"),
            (FieldName::Term, "2 years"),
            (FieldName::PaymentTerms, "30 days"),
            (FieldName::GoverningLaw, "Germany"),
            (FieldName::Jurisdiction, "Munich"),
        ],
    );
    let parties: Vec<&str> = extraction.fields.parties.iter().map(|party| party.value.as_str()).collect();
    assert_eq!(parties, ["Alpine Software GmbH", "Harbour Machines plc"]);
    shown_at(&extraction, FieldName::Title, 1, [72.0, 72.0, 233.1, 82.0], "MASTER SERVICES AGREEMENT");
    let cap = extraction.clauses.iter().find(|clause| clause.category == "cap_on_liability").unwrap();
    assert_eq!(cap.value.as_deref(), Some("mutual, 12 months"));
    let Evidence::Page { page: 2, area: [left, top, ..], text } = &cap.evidence else { panic!("{cap:?}") };
    // The sentence begins behind "7. Liability." on the first line of the page.
    assert!(
        72.0 < *left && *left < 200.0 && (*top - 72.0).abs() < 1.0 && text.contains("shall not exceed the fees"),
        "{cap:?}"
    );
}

#[test]
fn the_e_invoice_inside_counts_and_the_page_is_its_picture() {
    let xml = br#"<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"><cbc:ID>X-1</cbc:ID><cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode></Invoice>"#;
    let Reading { extraction, pictures } =
        reading(&Draft::new().attachment("factur-x.xml", xml).page(&german_invoice()).bytes());
    assert_eq!(
        (extraction.format, extraction.coverage.pages, extraction.pages.len(), pictures.len()),
        (Format::FacturX, 1, 1, 1)
    );
    let number = extraction.field(FieldName::Number).unwrap();
    assert_eq!(number.value, "X-1");
    assert!(matches!(&number.evidence, Evidence::Element { path, .. } if path == "/Invoice/ID"), "{number:?}");
    let named = |name: &str, xml: &[u8]| {
        reading(&Draft::new().attachment(name, xml).page(&german_invoice()).bytes()).extraction
    };
    for name in ["Factur-X.XML", "ZUGFeRD-invoice.xml", "anything.xml"] {
        assert_eq!(named(name, xml).format, Format::FacturX, "{name}");
    }
    let other = named("notes.xml", b"<notes/>");
    assert_eq!((other.format, codes(&other)), (Format::PdfText, vec!["attachments_not_read"]));
    assert_eq!(named("notes.txt", xml).format, Format::PdfText);
}

#[test]
fn the_page_is_held_against_the_data_inside_where_it_is_sure() {
    let read = |number: &str, account: &str, confidence: f64| {
        let mut read = crate::blank(Kind::Invoice, Format::PdfText);
        for (name, value) in [(FieldName::Number, number), (FieldName::Iban, account)] {
            let evidence = Evidence::Element { path: "/a".to_owned(), text: value.to_owned() };
            read.fields.single.insert(name, crate::field(value, confidence, evidence));
        }
        read
    };
    let inside = read("R-1", "DE89 3704 0044 0532 0130 00", 0.999);
    for (number, account, confidence, n_differ) in [
        ("R-1", "de89370400440532013000", 0.95, 0),
        ("R 1", "DE89370400440532013000", 0.95, 1),
        ("R-2", "DE89370400440532013000", 0.5, 0),
        ("R-1", "DE02120300000000202051", 0.5, 1),
    ] {
        assert_eq!(
            super::differences(&inside, &read(number, account, confidence)).len(),
            n_differ,
            "{number} {account}"
        );
    }
}

#[test]
fn an_encrypted_document_is_refused_by_that_name() {
    let mut draft = Draft::new();
    let word = |byte: u8| Object::String(vec![byte; 32], StringFormat::Hexadecimal);
    let encrypt = dictionary! { "Filter" => "Standard", "V" => 1, "R" => 2, "O" => word(7), "U" => word(9), "P" => -4 };
    let encrypt = draft.document.add_object(encrypt);
    draft.document.trailer.set("Encrypt", encrypt);
    draft.document.trailer.set("ID", vec![word(1), word(1)]);
    assert_eq!(
        read(&draft.page("").bytes(), &mut Scans::new(None)).unwrap_err(),
        Unreadable::Encrypted { what: "PDF" }
    );
}

#[test]
fn an_encrypted_document_opens_where_its_password_is_empty() {
    let id = || Object::String(b"0123456789abcdef".to_vec(), StringFormat::Literal);
    for (password, opens) in [("", true), ("secret", false)] {
        let mut draft = Draft::new();
        draft.document.trailer.set("ID", vec![id(), id()]);
        let mut document = Document::load_mem(&draft.page(&german_invoice()).bytes()).unwrap();
        let version = EncryptionVersion::V2 {
            document: &document,
            owner_password: "owner",
            user_password: password,
            key_length: 128,
            permissions: Permissions::all(),
        };
        let state = EncryptionState::try_from(version).unwrap();
        document.encrypt(&state).unwrap();
        let mut bytes = Vec::new();
        document.save_to(&mut bytes).unwrap();
        match read(&bytes, &mut Scans::new(None)) {
            Ok(reading) if opens => values(&reading.extraction, &[(FieldName::GrossTotal, "1469.13")]),
            Err(err) if !opens => assert_eq!(err, Unreadable::Encrypted { what: "PDF" }),
            other => panic!("password `{password}`: {:?}", other.map(|it| it.extraction.notes)),
        }
    }
}

#[test]
fn a_page_that_cannot_be_read_is_missing_in_the_coverage() {
    let scan = "q 595 0 0 842 0 0 cm /Im1 Do Q";
    let extraction = reading(&Draft::new().image().page(&german_invoice()).page(scan).bytes()).extraction;
    assert_eq!((extraction.coverage.pages, extraction.coverage.read), (2, 1));
    assert_eq!(codes(&extraction), ["needs_ocr"]);

    let stamp = format!("{scan}\n")
        + &paragraph(
            "Received on 3 March 2026 by the\nscanner in the mail room of the\nHarbour Machines plc head office,\nsheet 1",
        );
    let extraction = reading(&Draft::new().image().page(&stamp).bytes()).extraction;
    assert_eq!((extraction.coverage.pages, extraction.coverage.read), (1, 0));
    assert_eq!(codes(&extraction), ["needs_ocr"]);

    let letterhead = format!("{scan}\n") + &german_invoice();
    let extraction = reading(&Draft::new().image().page(&letterhead).bytes()).extraction;
    assert_eq!((extraction.coverage.pages, extraction.coverage.read), (1, 1));

    let outlines = "3 3 m 9 3 l 6 9 l f\n".repeat(400);
    let extraction = reading(&Draft::new().page(&outlines).bytes()).extraction;
    assert_eq!((extraction.coverage.pages, extraction.coverage.read), (1, 0));
    assert_eq!(codes(&extraction), ["needs_ocr"]);

    let whole = Draft::new().page(&german_invoice()).bytes();
    let extraction = reading(&whole[..whole.len() - 60]).extraction;
    assert_eq!((extraction.coverage.pages, extraction.coverage.read), (2, 1));
    assert_eq!(codes(&extraction), ["file_cut_off"]);
}

#[test]
fn a_document_of_many_pages_is_read_up_to_a_limit_that_it_names() {
    let draft =
        (0..53).fold(Draft::new(), |draft, number| draft.page(&text(72.0, 80.0, 10.0, &format!("page {number}"))));
    let Reading { extraction, pictures } = reading(&draft.bytes());
    assert_eq!((extraction.coverage.pages, extraction.coverage.read), (53, 50));
    assert_eq!((extraction.pages.len(), pictures.len()), (50, 20));
    assert_eq!(codes(&extraction), ["too_many_pages", "pages_without_picture"]);
}

#[test]
fn a_page_with_more_glyphs_than_the_budget_is_not_read_in_silence() {
    let flood = format!("BT /F1 1 Tf 1 0 0 1 0 400 Tm ({}) Tj ET\n", "x".repeat(1_000)).repeat(400);
    let extraction = reading(&Draft::new().page(&flood).page(&german_invoice()).bytes()).extraction;
    assert_eq!((extraction.coverage.pages, extraction.coverage.read), (2, 0));
    assert_eq!(codes(&extraction), ["page_unreadable", "page_unreadable"]);
}

#[test]
fn a_pattern_too_fine_to_paint_costs_the_picture_and_not_the_words() {
    let dashes = "[0.00001 0.00001] 0 d 0 0 m 595 842 l S\n";
    let Reading { extraction, pictures } = reading(&Draft::new().page(&(german_invoice() + dashes)).bytes());
    assert_eq!(extraction.coverage.read, 1);
    assert_eq!(codes(&extraction), ["page_without_picture"]);
    assert_eq!(pictures, [picture::blank()]);
    values(&extraction, &[(FieldName::Number, "RE-2026-0117")]);
}

#[test]
fn broken_bytes_are_refused_with_a_reason() {
    for bytes in [&b"%PDF-1.7"[..], b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF"] {
        assert!(matches!(read(bytes, &mut Scans::new(None)), Err(Unreadable::Broken { what: "PDF", .. })), "{bytes:?}");
    }
}

/// Made by another program from `01,32,,26352000000000000001,212.00,20260610,,ABCD`: a row of 29 modules each.
const QR: [u32; 29] = [
    0x1fc1427f, 0x10552441, 0x1741045d, 0x175dbd5d, 0x1749425d, 0x1059a441, 0x1fd5557f, 0x000c3400, 0x1f798daa,
    0x02844251, 0x1df4e48e, 0x1fa32492, 0x02fdbdad, 0x1db84253, 0x08c124b6, 0x1daf24b0, 0x07e1bda6, 0x108c425d,
    0x174ce4a2, 0x15bd1092, 0x10ed8df6, 0x00104f1d, 0x1fd52352, 0x10484510, 0x175bbdfe, 0x175340a1, 0x175d3c56,
    0x105c2782, 0x1fdfbcbc,
];

/// Two points to a module.
fn qr_code(left: f64, top: f64) -> String {
    let mut path = String::new();
    for (row, y) in QR.iter().zip(0..) {
        for column in (0..29).filter(|column| row >> (28 - column) & 1 == 1) {
            let (x, y) = (left + 2.0 * f64::from(column), 842.0 - top - 2.0 * f64::from(y) - 2.0);
            path.push_str(&format!("{x} {y} 2 2 re\n"));
        }
    }
    format!("{path}f\n")
}

/// Chinese text in a font whose codes are not its characters, as printers embed it.
fn chinese(places: &[(f64, f64, &str)]) -> Draft {
    let mut chars: Vec<char> = places.iter().flat_map(|(_, _, text)| text.chars()).collect();
    chars.sort_unstable();
    chars.dedup();
    let code = |char: char| 33 + chars.binary_search(&char).unwrap();
    let pairs: String = chars.iter().map(|it| format!("<{:02x}> <{:04x}>\n", code(*it), u32::from(*it))).collect();
    let content: String = places
        .iter()
        .map(|(left, top, text)| {
            let codes: String = text.chars().map(|it| format!("{:02x}", code(it))).collect();
            format!("BT /F2 8 Tf {left} {} Td <{codes}> Tj ET\n", 842.0 - top)
        })
        .collect();
    let map = format!(
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n\
         1 begincodespacerange <00> <ff> endcodespacerange\n{} beginbfchar\n{pairs}endbfchar endcmap end end",
        chars.len()
    );
    let mut draft = Draft::new();
    let unicode = draft.document.add_object(Stream::new(Dictionary::new(), map.into_bytes()));
    let font = draft.document.add_object(dictionary! {
        "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Courier", "FirstChar" => 33, "LastChar" => 160,
        "Widths" => vec![Object::Integer(1000); 128], "ToUnicode" => unicode,
    });
    draft.resources.set("Font", dictionary! { "F2" => font });
    draft.page(&format!("{content}{}", qr_code(20.0, 20.0)))
}

/// Labels down the sides, characters set apart, the title without brackets of its own.
const FAPIAO: &[(f64, f64, &str)] = &[
    (220.0, 30.0, "电子发票（增值税专用发票）"),
    (380.0, 50.0, "发票号码："),
    (424.0, 50.0, "26352000000000000001"),
    (400.0, 70.0, "开票日期：2026年06月10日"),
    (10.0, 100.0, "购"),
    (30.0, 100.0, "名"),
    (46.0, 100.0, "称："),
    (70.0, 100.0, "甲（厦门）有限公司"),
    (300.0, 100.0, "销"),
    (320.0, 100.0, "名"),
    (336.0, 100.0, "称："),
    (360.0, 100.0, "乙公司"),
    (10.0, 112.0, "买"),
    (300.0, 112.0, "售"),
    (30.0, 124.0, "统一社会信用代码/纳税人识别号："),
    (320.0, 124.0, "统一社会信用代码/纳税人识别号：91350100M000100Y43"),
    (40.0, 150.0, "项目名称"),
    (120.0, 150.0, "规格型号"),
    (170.0, 150.0, "单"),
    (184.0, 150.0, "位"),
    (220.0, 150.0, "数"),
    (234.0, 150.0, "量"),
    (280.0, 150.0, "单价"),
    (350.0, 150.0, "金额"),
    (420.0, 150.0, "税率/征收率"),
    (500.0, 150.0, "税额"),
    (20.0, 164.0, "*研发服务*软件开发"),
    (180.0, 164.0, "项"),
    (232.0, 164.0, "2"),
    (280.0, 164.0, "100"),
    (346.0, 164.0, "200.00"),
    (432.0, 164.0, "6%"),
    (486.0, 164.0, "12.00"),
    (20.0, 174.0, "第二期"),
    (50.0, 230.0, "合"),
    (80.0, 230.0, "计"),
    (338.0, 230.0, "¥200.00"),
    (478.0, 230.0, "¥12.00"),
    (30.0, 250.0, "价税合计（大写）"),
    (150.0, 250.0, "ⓧ贰佰壹拾贰圆整"),
    (380.0, 250.0, "（小写）¥212.00"),
    (30.0, 270.0, "订单号：4500012345"),
];

#[test]
fn a_printed_chinese_invoice_is_read_by_its_labels_its_table_and_its_qr_code() {
    use FieldName::*;
    let reading = reading(&chinese(FAPIAO).bytes());
    let found = &reading.extraction;
    assert_eq!((found.kind, found.format, found.language.as_deref()), (Kind::Invoice, Format::PdfText, Some("zh")));
    values(
        found,
        &[
            (Number, "26352000000000000001"),
            (IssueDate, "2026-06-10"),
            (FapiaoKind, "增值税专用发票"),
            (BuyerName, "甲（厦门）有限公司"),
            (SellerName, "乙公司"),
            (SellerTaxId, "91350100M000100Y43"),
            (NetTotal, "200.00"),
            (TaxTotal, "12.00"),
            (GrossTotal, "212.00"),
            (GrossUpper, "贰佰壹拾贰圆整"),
            (Currency, "CNY"),
            (OrderRef, "4500012345"),
            (Qr, "01,32,,26352000000000000001,212.00,20260610,,ABCD"),
        ],
    );
    assert_eq!(found.text(BuyerTaxId), None);
    let line: Vec<(LineField, &str)> = found.lines[0].iter().map(|(name, it)| (*name, it.value.as_str())).collect();
    assert_eq!(
        line,
        [
            (LineField::Name, "*研发服务*软件开发第二期"),
            (LineField::Quantity, "2"),
            (LineField::Unit, "项"),
            (LineField::UnitPrice, "100"),
            (LineField::NetAmount, "200.00"),
            (LineField::VatRate, "6"),
            (LineField::Tax, "12.00"),
        ]
    );
    shown_at(found, Qr, 1, [20.0, 20.0, 79.5, 79.5], "01,32,,26352000000000000001,212.00,20260610,,ABCD");
    assert_eq!(found.notes, []);
}

#[test]
fn the_blocks_of_an_older_printed_invoice_stand_one_above_the_other_and_in_red_it_is_a_credit_note() {
    use FieldName::*;
    let older: Vec<(f64, f64, &str)> = FAPIAO
        .iter()
        .map(|(left, top, text)| match *text {
            "销" | "售" => (10.0, top + 190.0, *text),
            "26352000000000000001" => (*left, *top, "12345678"),
            "¥200.00" => (*left, *top, "-¥200.00"),
            "¥12.00" => (*left, *top, "¥-12.00"),
            "（小写）¥212.00" => (*left, *top, "（小写）¥-212.00"),
            "电子发票（增值税专用发票）" => (*left, *top, "福建增值税电子普通发票"),
            "订单号：4500012345" => (*left, *top, "对应正数发票代码：035002000111号码：87654321"),
            text if 300.0 < *left && (95.0..130.0).contains(top) => (left - 290.0, top + 190.0, text),
            text => (*left, *top, text),
        })
        .chain([(200.0, 50.0, "发票代码：035002000111")])
        .collect();
    let reading = reading(&chinese(&older).bytes());
    assert_eq!(reading.extraction.kind, Kind::CreditNote);
    values(
        &reading.extraction,
        &[
            (Number, "12345678"),
            (InvoiceCode, "035002000111"),
            (FapiaoKind, "福建增值税电子普通发票"),
            (BuyerName, "甲（厦门）有限公司"),
            (SellerName, "乙公司"),
            (SellerTaxId, "91350100M000100Y43"),
            (NetTotal, "-200.00"),
            (TaxTotal, "-12.00"),
            (GrossTotal, "-212.00"),
            (PrecedingInvoice, "87654321"),
        ],
    );
}

#[test]
fn a_printed_chinese_invoice_without_its_qr_code_says_so() {
    let mut draft = chinese(FAPIAO);
    let page = draft.kids[0].as_reference().unwrap();
    let content = draft.document.get_dictionary(page).unwrap().get(b"Contents").unwrap().as_reference().unwrap();
    let stream = draft.document.get_object_mut(content).unwrap().as_stream_mut().unwrap();
    let at = stream.content.windows(4).position(|it| it == b" re\n").unwrap();
    let start = stream.content[..at].windows(3).rposition(|it| it == b"ET\n").unwrap() + 3;
    stream.content.truncate(start);
    let reading = reading(&draft.bytes());
    assert_eq!(reading.extraction.text(FieldName::Qr), None);
    assert_eq!(reading.extraction.notes[0].code, "no_qr_code");
}

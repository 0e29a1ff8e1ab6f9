#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod attached;
mod fapiao;
mod hidden;
mod pages;
mod signed;
mod text;

use case::{Evidence, Extraction, FieldName, Format, Kind, LineField};
use lopdf::{Dictionary, Document, Object, ObjectId, Stream, StringFormat, dictionary};

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

/// Texts by left edge, baseline and size.
fn texts(rows: &[(f64, f64, f64, &str)]) -> String {
    rows.iter().map(|(left, baseline, size, words)| text(*left, *baseline, *size, words)).collect()
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
    texts(&rows)
}

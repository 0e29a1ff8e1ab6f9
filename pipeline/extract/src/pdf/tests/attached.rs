use super::*;

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
fn the_page_is_held_against_the_data_inside_where_it_is_sure() {
    let read = |number: &str, account: &str, confidence: f64| {
        let mut read = Extraction::blank(Kind::Invoice, Format::PdfText);
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

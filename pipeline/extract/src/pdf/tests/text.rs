use hayro_interpret::kurbo::Point;

use super::*;

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
    let extraction = reading(&Draft::new().page(&texts(&rows)).bytes()).extraction;
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
fn letters_printed_twice_to_look_bold_are_read_once() {
    let twice = text(72.0, 400.0, 10.0, "Vertragsnummer: V-77") + &text(72.4, 400.0, 10.0, "Vertragsnummer: V-77");
    let extraction = reading(&Draft::new().page(&(german_invoice() + &twice)).bytes()).extraction;
    values(&extraction, &[(FieldName::ContractRef, "V-77")]);
}

/// A letter on one line with all others.
fn mark((text, left): (&str, f64)) -> ink::Mark {
    let (start, end) = (Point::new(left, 100.0), Point::new(left + 6.0, 100.0));
    ink::Mark { text: text.to_owned(), start, end, size: 10.0, colour: None }
}

#[test]
fn hebrew_runs_from_right_to_left_and_its_figures_do_not() {
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
    let marks: Vec<ink::Mark> =
        [("N", 0.0), ("", 6.0), ("4", 12.0), ("", 12.1), ("7", 18.0), ("1", 24.0)].map(mark).to_vec();
    assert_eq!(joined(layout::lines(&marks)[0].words()), "N 471");
}

//! Values that a page also carries and that are not the document's own: of another document, another party, another day.

use case::{FieldName, Kind};

use super::page;

type Cells<'t> = &'t [(f64, &'t str)];

/// What is read of an invoice whose cells at the head are `head`, one row below the other.
fn read(head: &[Cells<'_>]) -> super::super::Found {
    let table: [Cells<'_>; 5] = [
        &[(50.0, "Description"), (250.0, "Qty"), (350.0, "Unit price"), (480.0, "Amount")],
        &[(50.0, "Pump"), (255.0, "3"), (355.0, "100.00"), (485.0, "300.00")],
        &[(300.0, "Net total"), (485.0, "300.00")],
        &[(300.0, "VAT 20 %"), (485.0, "60.00")],
        &[(300.0, "Grand total"), (485.0, "360.00")],
    ];
    let rows: Vec<(f64, Cells<'_>)> =
        head.iter().chain(&table).enumerate().map(|(idx, cells)| (40.0 + 18.0 * idx as f64, *cells)).collect();
    super::super::read(&[page(&rows)])
}

fn text(found: &super::super::Found, name: FieldName) -> Option<&str> {
    found.fields.single.get(&name).map(|field| field.value.as_str())
}

#[test]
fn the_number_of_another_document_is_not_taken() {
    let (labelled, credit): (Cells<'_>, Cells<'_>) =
        (&[(300.0, "Invoice number"), (420.0, "A-17")], &[(300.0, "Credit note number"), (420.0, "A-17")]);
    let date: Cells<'_> = &[(300.0, "Date"), (420.0, "17 March 2026")];
    let cases: [(&str, Cells<'_>, &str); 7] = [
        ("Invoice", labelled, "Replaces invoice no. 4711."),
        ("Invoice", labelled, "Less 1st invoice no. 4711 dated 1 February 2026"),
        ("Rechnung", labelled, "Diese Rechnung ersetzt unsere Rechnung Nr. 4711 vom 01.02.2026."),
        ("Gutschrift", credit, "Gutschrift zu unserer Rechnung Nr. 4711 vom 01.02.2026"),
        ("Gutschrift", credit, "Gutschrift zur Rechnung Nr. 4711"),
        ("Credit note", credit, "This credit note relates to invoice no. 4711 dated 1 February 2026."),
        ("Credit note", credit, "Invoice number: 4711"),
    ];
    for (title, number, sentence) in cases {
        let found = read(&[&[(50.0, title)], number, date, &[(50.0, sentence)]]);
        let got = [text(&found, FieldName::Number), text(&found, FieldName::IssueDate)];
        assert_eq!(got, [Some("A-17"), Some("2026-03-17")], "{sentence}");
    }
}

#[test]
fn two_numbers_that_as_much_speaks_for_are_not_sure() {
    let found = read(&[&[(50.0, "Invoice")], &[(50.0, "Invoice number: A-17")], &[(50.0, "Invoice no.: B-18")]]);
    let number = &found.fields.single[&FieldName::Number];
    assert!(number.confidence < 0.9, "{number:?}");
}

#[test]
fn a_title_says_what_a_document_is_and_labels_do_not() {
    let cases: [(&[Cells<'_>], Kind); 13] = [
        (&[&[(50.0, "Lieferschein-Datum : 30.09.2026")], &[(50.0, "Rechnungs-Nr : 7")]], Kind::Invoice),
        (&[&[(300.0, "Credit terms:"), (420.0, "30 days")], &[(50.0, "Invoice")]], Kind::Invoice),
        (&[&[(50.0, "2. Mahnung")], &[(50.0, "Rechnungsnummer"), (200.0, "Rechnungsdatum")]], Kind::Unknown),
        (&[&[(50.0, "STATEMENT")], &[(50.0, "Date"), (200.0, "Invoice No")]], Kind::Unknown),
        (&[&[(50.0, "QUOTATION")], &[(50.0, "Invoice terms: 30 days from date of invoice.")]], Kind::Unknown),
        (&[&[(50.0, "Proforma-Rechnung Nr. P-12")]], Kind::Unknown),
        (&[&[(50.0, "Auftragsbestätigung 887766 vom 03.04.2026")], &[(50.0, "Rechnung folgt.")]], Kind::Unknown),
        (&[&[(50.0, "Conferma d'ordine n. 7")]], Kind::Unknown),
        (&[&[(50.0, "Lieferschein"), (200.0, "80011")], &[(50.0, "Rechnung Nr. 7")]], Kind::Invoice),
        (&[&[(50.0, "TAX INVOICE")], &[(50.0, "Delivery note"), (200.0, "80011")]], Kind::Invoice),
        (&[&[(50.0, "Rechnung / Invoice")]], Kind::Invoice),
        (&[&[(50.0, "Credit note no. 7")], &[(50.0, "Invoice no. 6")]], Kind::CreditNote),
        (&[&[(50.0, "Factura rectificativa")]], Kind::CreditNote),
    ];
    for (head, expected) in cases {
        assert_eq!(read(head).kind, expected, "{head:?}");
    }
}

#[test]
fn a_date_in_a_sentence_is_the_day_of_something_else() {
    let number: Cells<'_> = &[(300.0, "Invoice no."), (420.0, "A-17")];
    let cases: [(&[Cells<'_>], Option<&str>); 7] = [
        (&[&[(300.0, "Invoice date"), (420.0, "03/04/2026")], &[(300.0, "Due date"), (420.0, "05/05/2026")]], None),
        (
            &[&[(50.0, "Hamburg, den 14.03.2026")], &[(50.0, "Rechnung RE-17 für Ihre Feier vom 01.02.2026")]],
            Some("2026-03-14"),
        ),
        (&[&[(50.0, "Rechnung Nr. 88 vom 14.03.2026")]], Some("2026-03-14")),
        (&[&[(50.0, "Rechnungsnummer/Datum"), (300.0, "90012345 / 14.03.2026")]], Some("2026-03-14")),
        (&[number, &[(300.0, "Invoice date"), (420.0, "03/04/2026")], &[(50.0, "12 June 2026")]], None),
        (&[number, &[(50.0, "Lighting for the spring gala on 12 June 2026")]], None),
        (&[number, &[(50.0, "Paris, le 12 juin 2026")]], Some("2026-06-12")),
    ];
    for (head, expected) in cases {
        let found = read(&[&[&[(50.0, "Invoice")] as Cells<'_>], head].concat());
        assert_eq!(text(&found, FieldName::IssueDate), expected, "{head:?}");
    }
}

#[test]
fn the_day_of_a_discount_is_not_the_day_to_pay_by() {
    let cases = [
        ("Zahlbar bis 24.03.2026 mit 2 % Skonto, bis 13.04.2026 ohne Abzug.", Some("2026-04-13")),
        ("Zahlbar bis 13.04.2026 netto oder bis 24.03.2026 mit 2 % Skonto.", Some("2026-04-13")),
        ("Zahlbar bis 24.03.2026 mit 2 % Skonto.", None),
        ("Zahlbar bis 24.03.2026 ohne Skonto.", Some("2026-03-24")),
        ("Zahlbar bis 24.03.2026.", Some("2026-03-24")),
        ("Please pay by 24 March 2026 for a discount of 2 %, by 13 April 2026 without.", Some("2026-04-13")),
    ];
    for (sentence, expected) in cases {
        let found = read(&[&[(50.0, "Rechnung Nr. 17 vom 14.03.2026")], &[(50.0, sentence)]]);
        assert_eq!(text(&found, FieldName::DueDate), expected, "{sentence}");
    }
}

#[test]
fn days_in_the_wrong_order_are_not_sure() {
    let found = read(&[
        &[(50.0, "Invoice no. A-17")],
        &[(300.0, "Invoice date"), (420.0, "17 March 2026")],
        &[(300.0, "Due date"), (420.0, "5 February 2026")],
    ]);
    for name in [FieldName::IssueDate, FieldName::DueDate] {
        assert!(found.fields.single[&name].confidence < 0.9, "{name:?}");
    }
}

#[test]
fn accounts_and_identifiers_of_the_buyer_are_not_the_sellers() {
    let own: Cells<'_> = &[(50.0, "Bank: IBAN DE89 3704 0044 0532 0130 00")];
    let cases: [(&[Cells<'_>], FieldName, Option<&str>); 6] = [
        (
            &[&[(50.0, "Der Betrag wird von Ihrem Konto IBAN DE02 1203 0000 0000 2020 51 abgebucht.")], own],
            FieldName::Iban,
            Some("DE89370400440532013000"),
        ),
        (&[&[(50.0, "We debit your account DE02 1203 0000 0000 2020 51 on 3 May.")]], FieldName::Iban, None),
        (
            &[&[(50.0, "Bitte überweisen Sie Ihre Zahlung auf DE89 3704 0044 0532 0130 00")]],
            FieldName::Iban,
            Some("DE89370400440532013000"),
        ),
        (&[&[(50.0, "USt-IdNr. des Leistungsempfängers: ATU12345675")]], FieldName::SellerVatId, None),
        (&[&[(50.0, "USt-IdNr. des Leistungsempfängers: ATU12345675")]], FieldName::BuyerVatId, Some("ATU12345675")),
        (&[&[(50.0, "USt-IdNr. DE123456789")]], FieldName::SellerVatId, Some("DE123456789")),
    ];
    for (head, name, expected) in cases {
        let found = read(&[&[&[(50.0, "Rechnung Nr. 17")] as Cells<'_>], head].concat());
        assert_eq!(text(&found, name), expected, "{head:?}");
    }
}

#[test]
fn an_address_in_one_line_behind_a_label_is_not_the_senders() {
    let found = read(&[
        &[(50.0, "Tischlerei Bohm e.K.")],
        &[(50.0, "Am Anger 2")],
        &[(50.0, "99084 Erfurt")],
        &[(50.0, "Tel. 0361 1234")],
        &[(50.0, "Rechnung an: Lindner Optik AG - Hauptstr. 12 - 80331 München")],
        &[(50.0, "Rechnung Nr. 88 vom 14.03.2026")],
    ]);
    let got = [text(&found, FieldName::SellerName), text(&found, FieldName::BuyerName)];
    assert_eq!(got, [Some("Tischlerei Bohm e.K."), Some("Lindner Optik AG")]);
}

#[test]
fn number_alone_is_the_documents_beside_its_date() {
    for [number, date, day] in [
        ["Número:", "Fecha:", "7 de mayo de 2026"],
        ["Number:", "Date:", "7 May 2026"],
        ["Nr.:", "Datum:", "07.05.2026"],
    ] {
        let meta: [Cells<'_>; 3] =
            [&[(50.0, "Invoice")], &[(300.0, number), (420.0, "R-2026/14")], &[(300.0, date), (420.0, day)]];
        let found = read(&meta);
        let got = [text(&found, FieldName::Number), text(&found, FieldName::IssueDate)];
        assert_eq!(got, [Some("R-2026/14"), Some("2026-05-07")], "{number}");
    }
}

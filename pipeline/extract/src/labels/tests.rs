#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod figures;

use case::{FieldName, LineField};

mod doubts;

use super::printed::{self, DateOrder};
use super::words::tokens;
use crate::pdf::{Cell, Line, Page, Word};

fn words(text: &str) -> Vec<Word> {
    let word = |(idx, text): (usize, &str)| Word {
        text: text.to_owned(),
        area: [idx as f64 * 10.0, 0.0, idx as f64 * 10.0 + 9.0, 10.0],
    };
    text.split_whitespace().enumerate().map(word).collect()
}

#[test]
fn wordings_of_one_label_are_the_same_to_the_reader() {
    for (a, b) in [
        ("Rechnungs-Nr.:", "Rechnungsnummer"),
        ("INVOICE #", "Invoice No."),
        ("N° de facture", "No de facture"),
        ("Netto-Betrag", "NETTOBETRAG"),
    ] {
        assert_eq!(tokens(a), tokens(b), "{a}");
    }
    assert_ne!(tokens("Rechnungsdatum"), tokens("Rechnung"));
}

/// The text of an amount, whether it is a percentage, and whether it is money.
type Seen<'t> = (&'t str, bool, bool);

#[test]
fn amounts_are_found_with_what_stands_beside_them() {
    let cases: &[(&str, &[Seen<'_>])] = &[
        ("19 % auf 804,35 € 152,83 €", &[("19", true, false), ("804.35", false, true), ("152.83", false, true)]),
        ("27 946,00", &[("27946.00", false, true)]),
        ("27946 ,00", &[("27946.00", false, true)]),
        ("EUR 5", &[("5", false, true)]),
        ("- 5,00", &[("-5.00", false, true)]),
        ("– 119,00 €", &[("-119.00", false, true)]),
        ("- EUR 119,00", &[("-119.00", false, true)]),
        ("EUR – 119,00", &[("-119.00", false, true)]),
        ("-£ 1,200.00", &[("-1200.00", false, true)]),
        ("100,00 -", &[("-100.00", false, true)]),
        ("100,00 EUR -", &[("-100.00", false, true)]),
        ("( 1,200.00 )", &[("-1200.00", false, true)]),
        ("( £ 1,200.00 )", &[("-1200.00", false, true)]),
        ("£1,200.00 CR", &[("-1200.00", false, true)]),
        ("€ 726,-", &[("726", false, true)]),
        ("726 ,- €", &[("726", false, true)]),
        ("( 19 % )", &[("19", true, false)]),
        ("VAT (19 %)", &[("19", true, false)]),
        ("10,00 – 20,00", &[("10.00", false, true), ("20.00", false, true)]),
        ("100,00 - Pump", &[("100.00", false, true)]),
        ("26.10.22", &[]),
        ("RE-17 Tel. A1", &[]),
    ];
    for (text, expected) in cases {
        let found = printed::amounts(&words(text));
        let found: Vec<Seen<'_>> = found.iter().map(|it| (it.text.as_str(), it.percent, it.money)).collect();
        assert_eq!(found, *expected, "{text}");
    }
}

#[test]
fn a_date_that_could_be_two_days_is_left_out_unless_the_document_tells() {
    let read = |text: &str, order| printed::date(&words(text), order).map(|(date, _)| date);
    assert_eq!(read("of 03/04/2026", DateOrder::Unknown), None);
    assert_eq!(read("of 03/04/2026", DateOrder::DayFirst).as_deref(), Some("2026-04-03"));
    assert_eq!(read("of 03/04/2026", DateOrder::MonthFirst).as_deref(), Some("2026-03-04"));
    assert_eq!(read("of 17/04/2026", DateOrder::Unknown).as_deref(), Some("2026-04-17"));
    assert_eq!(read("vom 4. März 2026,", DateOrder::Unknown).as_deref(), Some("2026-03-04"));
    assert_eq!(read("1 2 2026", DateOrder::DayFirst), None);
    let order = |text: &str, language| DateOrder::of(words(text).iter(), std::iter::empty(), language);
    assert_eq!(order("03/04/2026 11/17/2026", Some("en")), DateOrder::MonthFirst);
    assert_eq!(order("03/04/2026", Some("en")), DateOrder::Unknown);
    assert_eq!(order("sort code 10-20-30, NPK 12-15-20", Some("en")), DateOrder::Unknown);
    assert_eq!(order("03/17/2026 17/03/2026", Some("de")), DateOrder::Unknown);
    let labelled = words("17/03/26");
    assert_eq!(DateOrder::of([].iter(), labelled.iter(), Some("en")), DateOrder::DayFirst);
    assert_eq!(order("03/04/2026", Some("fr")), DateOrder::DayFirst);
}

#[test]
fn numbers_of_documents_keep_the_parts_that_a_blank_parts() {
    for (text, expected) in [
        ("123 / A del 04/03/2026", Some("123 / A")),
        ("2026 / 0042", Some("2026 / 0042")),
        ("2026 - 0042", Some("2026 - 0042")),
        ("2026/ 0042", Some("2026/ 0042")),
        ("PO 2026 / 114", Some("PO 2026 / 114")),
        ("FT 2026/123", Some("FT 2026/123")),
        ("FT A/1234 de 04/03/2026", Some("FT A/1234")),
        ("INV 2026 0042", Some("INV 2026 0042")),
        ("INV 0042 vom", Some("INV 0042")),
        ("4711 / 14.03.2026", Some("4711")),
        ("90012345 / 10022", Some("90012345")),
        ("4711 - Page 1", Some("4711")),
        ("MAI 2026", None),
        ("TO 12 High Street", None),
        ("EUR 100", None),
        ("DE 123456789", None),
        ("NR 4711", None),
        ("AG 2026", None),
    ] {
        assert_eq!(printed::reference(&words(text)).map(|(it, _)| it).as_deref(), expected, "{text}");
    }
}

#[test]
fn identifiers_are_told_by_their_form() {
    let vat = |text: &str| printed::vat_ids(&words(text)).into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    assert_eq!(vat("USt-IdNr. DE 123 456 789 HRB 4"), ["DE123456789"]);
    assert_eq!(vat("TVA : FR 34 999 888 779"), ["FR34999888779"]);
    assert_eq!(vat("DEUTSCHLAND DE12345678 GERMANY"), Vec::<String>::new());
    let iban = |text: &str| printed::iban(&words(text)).map(|(iban, _, right)| (iban, right));
    assert_eq!(iban("DE89 3704 0044 0532 0130 00 BIC"), Some(("DE89370400440532013000".to_owned(), true)));
    assert_eq!(iban("DE89 3704 0044 0532 0130 01"), Some(("DE89370400440532013001".to_owned(), false)));
    assert_eq!(iban("RE-2026 17"), None);
    assert_eq!(printed::reference(&words(": RE-17/2026 vom")).map(|(it, _)| it).as_deref(), Some("RE-17/2026"));
    assert_eq!(printed::reference(&words("vom 04.03.2026")), None);
    assert_eq!(printed::reference(&words("04.03.2026")), None);
    assert_eq!(printed::reference(&words("> 300 €")), None);
    assert_eq!(printed::vat_ids(&words("UStID#DE12345618938")), []);
    assert_eq!(printed::broken_vat_ids(&words("UStID#DE12345618938")).len(), 1);
}

/// A page of rows: baseline, then cells with the place where they begin. Characters are 5 points wide, Chinese ones 10.
fn page(rows: &[(f64, &[(f64, &str)])]) -> Page {
    let width = |text: &str| text.chars().map(|it| if it.is_ascii() { 5.0 } else { 10.0 }).sum::<f64>();
    let cell = |baseline: f64, (mut left, text): (f64, &str)| {
        let mut words = Vec::new();
        for word in text.split(' ') {
            let area = [left, baseline - 8.0, left + width(word), baseline + 2.0];
            left = area[2] + 3.0;
            words.push(Word { text: word.to_owned(), area });
        }
        Cell { words }
    };
    let line = |(baseline, cells): &(f64, &[(f64, &str)])| Line {
        cells: cells.iter().map(|it| cell(*baseline, *it)).collect(),
    };
    Page { number: 1, width: 595.0, height: 842.0, lines: rows.iter().map(line).collect() }
}

/// Titles and labels of an invoice: number, date, due date, buyer, headings of four columns, net, tax, gross.
struct Wording<'w> {
    language: &'w str,
    title: &'w str,
    number: &'w str,
    date: [&'w str; 2],
    due: [&'w str; 2],
    buyer: &'w str,
    headings: [&'w str; 4],
    totals: [&'w str; 3],
}

#[test]
fn invoices_of_eight_languages_are_read_by_their_labels() {
    let wordings = [
        Wording {
            language: "de",
            title: "Rechnung",
            number: "Rechnungs-Nr.",
            date: ["Rechnungsdatum", "4. März 2026"],
            due: ["Zahlbar bis", "03.04.2026"],
            buyer: "Rechnung an:",
            headings: ["Bezeichnung", "Menge", "Einzelpreis", "Gesamtpreis"],
            totals: ["Nettobetrag", "zzgl. MwSt 20 %", "Gesamtbetrag"],
        },
        Wording {
            language: "en",
            title: "Invoice",
            number: "Invoice no.",
            date: ["Invoice date", "4 March 2026"],
            due: ["Due date", "3 Apr 2026"],
            buyer: "Bill to:",
            headings: ["Description", "Qty", "Unit price", "Amount"],
            totals: ["Subtotal excl. VAT", "VAT 20 %", "Total due"],
        },
        Wording {
            language: "fr",
            title: "Facture",
            number: "Facture n°",
            date: ["Date de facture", "4 mars 2026"],
            due: ["Date d'échéance", "3 avr. 2026"],
            buyer: "Facturé à :",
            headings: ["Désignation", "Qté", "Prix unitaire HT", "Montant HT"],
            totals: ["Total HT", "TVA 20 %", "Total TTC"],
        },
        Wording {
            language: "es",
            title: "Factura",
            number: "Factura n.º",
            date: ["Fecha de emisión", "4 de marzo de 2026"],
            due: ["Vencimiento", "3/4/2026"],
            buyer: "Cliente:",
            headings: ["Descripción", "Cantidad", "Precio unitario", "Importe"],
            totals: ["Base imponible", "IVA 20 %", "Total factura"],
        },
        Wording {
            language: "it",
            title: "Fattura",
            number: "Fattura n.",
            date: ["Data fattura", "4 marzo 2026"],
            due: ["Scadenza", "03/04/2026"],
            buyer: "Destinatario:",
            headings: ["Descrizione", "Quantità", "Prezzo unitario", "Importo"],
            totals: ["Imponibile", "IVA 20 %", "Totale fattura"],
        },
        Wording {
            language: "nl",
            title: "Factuur",
            number: "Factuurnummer",
            date: ["Factuurdatum", "4 maart 2026"],
            due: ["Vervaldatum", "3-4-2026"],
            buyer: "Factuuradres:",
            headings: ["Omschrijving", "Aantal", "Prijs", "Bedrag"],
            totals: ["Totaal excl. btw", "Btw 20 %", "Totaal incl. btw"],
        },
        Wording {
            language: "pt",
            title: "Fatura",
            number: "Fatura n.º",
            date: ["Data de emissão", "4 de março de 2026"],
            due: ["Data de vencimento", "03/04/2026"],
            buyer: "Faturar a:",
            headings: ["Descrição", "Quantidade", "Preço unitário", "Valor"],
            totals: ["Total líquido", "IVA 20 %", "Total da fatura"],
        },
        Wording {
            language: "zh",
            title: "发票",
            number: "发票号码:",
            date: ["开票日期:", "2026年03月04日"],
            due: ["到期日:", "2026年04月03日"],
            buyer: "购买方:",
            headings: ["项目名称", "数量", "单价", "金额"],
            totals: ["合计金额", "税额", "价税合计"],
        },
    ];
    for wording in wordings {
        let [name, quantity, price, amount] = wording.headings;
        let [net, tax, gross] = wording.totals;
        let page = page(&[
            (60.0, &[(50.0, wording.title)]),
            (80.0, &[(300.0, wording.number), (420.0, "A-2026-17")]),
            (93.0, &[(300.0, wording.date[0]), (420.0, wording.date[1])]),
            (106.0, &[(300.0, wording.due[0]), (420.0, wording.due[1])]),
            (119.0, &[(50.0, wording.buyer)]),
            (132.0, &[(50.0, "Harbour Machines")]),
            (145.0, &[(50.0, "Quay 7")]),
            (158.0, &[(50.0, "20095 Hamburg")]),
            (230.0, &[(50.0, name), (250.0, quantity), (350.0, price), (480.0, amount)]),
            (245.0, &[(50.0, "Pump 7-B"), (255.0, "3"), (355.0, "100.00"), (485.0, "300.00")]),
            (258.0, &[(50.0, "Valve"), (255.0, "2"), (355.0, "50.00"), (485.0, "100.00")]),
            (300.0, &[(300.0, net), (485.0, "400.00")]),
            (313.0, &[(300.0, tax), (485.0, "80.00")]),
            (326.0, &[(300.0, gross), (485.0, "480.00")]),
        ]);
        let found = super::read(&[page]);
        let language = wording.language;
        assert_eq!(found.kind, case::Kind::Invoice, "{language}");
        let text = |name| found.fields.single.get(&name).map(|field| field.value.as_str());
        let gross = text(FieldName::GrossTotal).or(text(FieldName::Payable));
        let header = [
            text(FieldName::Number),
            text(FieldName::IssueDate),
            text(FieldName::DueDate),
            text(FieldName::BuyerName),
            text(FieldName::NetTotal),
            text(FieldName::TaxTotal),
            gross,
        ];
        let expected =
            ["A-2026-17", "2026-03-04", "2026-04-03", "Harbour Machines", "400.00", "80.00", "480.00"].map(Some);
        assert_eq!(header, expected, "{language}");
        let lines: Vec<Vec<&str>> = found
            .lines
            .iter()
            .map(|line| {
                [LineField::Name, LineField::Quantity, LineField::UnitPrice, LineField::NetAmount]
                    .map(|name| line.get(&name).map_or("", |field| field.value.as_str()))
                    .to_vec()
            })
            .collect();
        assert_eq!(lines, [["Pump 7-B", "3", "100.00", "300.00"], ["Valve", "2", "50.00", "100.00"]], "{language}");
        assert!(found.notes.is_empty(), "{language}: {:?}", found.notes);
    }
}

#[test]
fn a_table_that_does_not_foot_names_the_line_that_is_off() {
    let rows = |amount: &'static str| -> Page {
        page(&[
            (60.0, &[(50.0, "Invoice no. A-17")]),
            (230.0, &[(50.0, "Description"), (250.0, "Qty"), (350.0, "Unit price"), (480.0, "Amount")]),
            (245.0, &[(50.0, "Pump"), (255.0, "3"), (355.0, "100.00"), (485.0, "300.00")]),
            (258.0, &[(50.0, "Valve"), (255.0, "2"), (355.0, "50.00"), (485.0, amount)]),
            (300.0, &[(300.0, "Net total"), (485.0, "400.00")]),
            (313.0, &[(300.0, "VAT 20%"), (485.0, "80.00")]),
            (326.0, &[(300.0, "Grand total"), (485.0, "480.00")]),
        ])
    };
    let messages = |amount| {
        let found = super::read(&[rows(amount)]);
        found.notes.into_iter().map(|note| (note.code, note.message)).collect::<Vec<_>>()
    };
    assert_eq!(messages("100.00"), []);
    let expected = "the 2 lines that were read sum to 410.00, the page says 400.00 for `net_total`; line 2: 2 times 50.00 is not 110.00";
    assert_eq!(messages("110.00"), [("lines_do_not_foot".to_owned(), expected.to_owned())]);
}

#[test]
fn a_sign_at_the_left_edge_of_its_column_belongs_to_the_figure() {
    let page = page(&[
        (60.0, &[(50.0, "Credit note no. A-17")]),
        (230.0, &[(50.0, "Description"), (250.0, "Qty"), (350.0, "Disc"), (430.0, "Price"), (500.0, "Amount")]),
        (245.0, &[(50.0, "Pump"), (255.0, "3"), (355.0, "-"), (430.0, "100.00"), (485.0, "-"), (505.0, "300.00")]),
        (300.0, &[(300.0, "Net total"), (485.0, "-"), (505.0, "300.00")]),
        (313.0, &[(300.0, "VAT 20%"), (485.0, "-"), (505.0, "60.00")]),
        (326.0, &[(300.0, "Grand total"), (485.0, "-"), (505.0, "360.00")]),
    ]);
    let found = super::read(&[page]);
    let text = |name| found.fields.single.get(&name).map_or("", |field| field.value.as_str());
    let totals = [FieldName::NetTotal, FieldName::TaxTotal, FieldName::GrossTotal].map(text);
    assert_eq!(totals, ["-300.00", "-60.00", "-360.00"]);
    let line = &found.lines[0];
    let of = |name| line.get(&name).map_or("", |field| field.value.as_str());
    let figures = [LineField::Quantity, LineField::UnitPrice, LineField::NetAmount].map(of);
    assert_eq!(figures, ["3", "100.00", "-300.00"]);
}

#[test]
fn a_line_with_a_postal_code_is_told_in_the_ways_of_several_countries() {
    let is_city = |text: &str| super::parties::is_city(&Cell { words: words(text) });
    let cities = [
        "20095 Hamburg",
        "D-20095 Hamburg",
        "DE 20095 Hamburg",
        "88802Spielkreis",
        "1012 AB Amsterdam",
        "1100-148 Lisboa",
        "00-950 Warszawa",
        "110 00 Praha",
        "Springfield, IL 62701",
        "Portland OR 97201-1234",
        "London SW1A 1AA",
    ];
    for city in cities {
        assert!(is_city(city), "{city}");
    }
    for other in ["Quay 7", "Invoice 20095", "12345", "2 x 100", "Tel. 030 1234567", "IBAN DE89"] {
        assert!(!is_city(other), "{other}");
    }
}

#[test]
fn nothing_is_claimed_about_pages_without_words() {
    let found = super::read(&[]);
    assert_eq!(found.kind, case::Kind::Unknown);
    assert!(found.fields.single.is_empty() && found.lines.is_empty());
}

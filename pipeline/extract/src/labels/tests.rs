#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::printed::{self, DateOrder};
use super::words::tokens;
use crate::pdf::Word;

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
    let cases: [(&str, &[Seen<'_>]); 7] = [
        ("19 % auf 804,35 € 152,83 €", &[("19", true, false), ("804.35", false, true), ("152.83", false, true)]),
        ("27 946,00", &[("27946.00", false, true)]),
        ("27946 ,00", &[("27946.00", false, true)]),
        ("EUR 5", &[("5", false, true)]),
        ("- 5,00", &[("-5.00", false, true)]),
        ("26.10.22", &[]),
        ("RE-17 Tel. A1", &[]),
    ];
    for (text, expected) in cases {
        let found = printed::amounts(&words(text));
        let found: Vec<Seen<'_>> = found.iter().map(|it| (it.text.as_str(), it.percent, it.money)).collect();
        assert_eq!(found, expected, "{text}");
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
    let order = |text: &str, language| DateOrder::of(words(text).iter(), language);
    assert_eq!(order("03/04/2026 11/17/2026", Some("en")), DateOrder::MonthFirst);
    assert_eq!(order("03/04/2026", Some("en")), DateOrder::Unknown);
    assert_eq!(order("03/04/2026", Some("fr")), DateOrder::DayFirst);
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
}

#[test]
fn nothing_is_claimed_about_pages_without_words() {
    let found = super::read(&[]);
    assert_eq!(found.kind, case::Kind::Unknown);
    assert!(found.fields.single.is_empty() && found.lines.is_empty());
}

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

const GERMAN: &str = "Rahmenvertrag über Wartungsleistungen

zwischen der Muster Werke GmbH, Werkstraße 1, 80331 München (nachfolgend „Auftraggeber“)

und

Technik Service AG, Kaufweg 7, 20095 Hamburg (nachfolgend „Auftragnehmer“)

vom 4. März 2026

§ 1 Vertragsgegenstand
Gegenstand des Vertrags ist die Wartung der Anlagen des Auftraggebers. Dieser Vertrag beginnt am 1. April 2026.

§ 2 Laufzeit
Die Laufzeit beträgt zwei Jahre. Der Vertrag verlängert sich jeweils um zwölf Monate, sofern er nicht mit einer Frist von drei Monaten gekündigt wird.

§ 3 Vergütung
Der Auftragswert beträgt 120.000,00 EUR. Rechnungen sind innerhalb von 30 Tagen zahlbar.

§ 4 Haftung
Der Auftragnehmer haftet bei Vorsatz und grober Fahrlässigkeit unbeschränkt. Im Übrigen ist die Haftung begrenzt auf 100.000 EUR je Schadensfall.

§ 5 Vertraulichkeit
Die Parteien haben alle Unterlagen vertraulich zu behandeln. Die Verarbeitung erfolgt nach der DSGVO.

§ 6 Schlussbestimmungen
Es gilt das Recht der Bundesrepublik Deutschland. Gerichtsstand ist München. Eine Abtretung bedarf der Zustimmung der anderen Partei.
";

const ENGLISH: &str = "SUPPLY AGREEMENT

This Supply Agreement is entered into as of the 5th day of January, 2026 by and between Northwind Parts Ltd. (\"Supplier\") and Harbour Machines plc, a company
registered in England (the \"Customer\").

1. The initial term of this Agreement is three (3) years. Either party may terminate this Agreement for convenience upon sixty (60) days written notice.
2. In no event shall either party's aggregate liability exceed the fees paid in the twelve (12) months preceding the claim.
3. Nothing in this Agreement shall limit the liability of a party for fraud.
4. Supplier shall indemnify and hold harmless Customer. Supplier shall not sell competing products and shall not compete with Customer.
5. Prices shall be no less favorable than those offered to other customers. Customer shall purchase exclusively from Supplier.
6. This Agreement shall be governed by and construed in accordance with the laws of the State of New York. Neither party may assign this Agreement.
7. The parties hereto submit to the jurisdiction of the courts of New York. This is the entire agreement. The total fees are USD 250,000.00 for all goods.
";

/// The value of each field; `|` between parties.
#[track_caller]
fn check(text: &str, expected: &[(FieldName, &str)], parties: &str) {
    let found = read(text);
    for (name, value) in expected {
        let field = found.fields.single.get(name).unwrap_or_else(|| panic!("{} is missing", name.name()));
        assert_eq!(field.value, *value, "{}", name.name());
    }
    assert_eq!(found.fields.parties.iter().map(|it| it.value.as_str()).collect::<Vec<_>>().join(" | "), parties);
    let chars: Vec<char> = text.chars().collect();
    let all = found
        .fields
        .single
        .values()
        .chain(&found.fields.parties)
        .map(|field| &field.evidence)
        .chain(found.clauses.iter().map(|it| &it.evidence));
    for evidence in all {
        let Evidence::Span { start, end, text } = evidence else { panic!("{evidence:?}") };
        assert_eq!(chars[*start as usize..*end as usize].iter().collect::<String>(), *text);
    }
}

fn clause_values(text: &str, category: &str) -> Vec<Option<String>> {
    read(text).clauses.into_iter().filter(|clause| clause.category == category).map(|clause| clause.value).collect()
}

#[test]
fn a_german_contract_is_read() {
    assert!(looks_like(GERMAN));
    let fields = [
        (FieldName::Title, "Rahmenvertrag über Wartungsleistungen"),
        (FieldName::AgreementDate, "2026-03-04"),
        (FieldName::EffectiveDate, "2026-04-01"),
        (FieldName::Term, "2 years"),
        (FieldName::Renewal, "12 months"),
        (FieldName::NoticePeriod, "3 months"),
        (FieldName::GoverningLaw, "Bundesrepublik Deutschland"),
        (FieldName::Jurisdiction, "München"),
        (FieldName::PaymentTerms, "30 days"),
        (FieldName::Value, "120000.00"),
        (FieldName::Currency, "EUR"),
    ];
    check(GERMAN, &fields, "Muster Werke GmbH | Technik Service AG");
}

#[test]
fn an_english_contract_is_read() {
    assert!(looks_like(ENGLISH));
    let fields = [
        (FieldName::Title, "SUPPLY AGREEMENT"),
        (FieldName::AgreementDate, "2026-01-05"),
        (FieldName::Term, "3 years"),
        (FieldName::NoticePeriod, "60 days"),
        (FieldName::GoverningLaw, "New York"),
        (FieldName::Jurisdiction, "New York"),
        (FieldName::Value, "250000.00"),
        (FieldName::Currency, "USD"),
    ];
    check(ENGLISH, &fields, "Northwind Parts Ltd. | Harbour Machines plc");
}

#[test]
fn a_cap_on_liability_is_not_taken_for_unlimited_liability() {
    assert_eq!(clause_values(GERMAN, "cap_on_liability"), [Some("one-sided, EUR 100000".to_owned())]);
    assert_eq!(clause_values(GERMAN, "uncapped_liability"), [Some("in named cases".to_owned())]);
    assert_eq!(clause_values(ENGLISH, "cap_on_liability"), [Some("mutual, 12 months".to_owned())]);
    assert_eq!(clause_values(ENGLISH, "uncapped_liability"), [Some("in named cases".to_owned())]);
    let unlimited = "The Supplier agrees that its liability under this Agreement shall be unlimited.";
    assert_eq!(clause_values(unlimited, "uncapped_liability"), [Some("in general".to_owned())]);
    assert_eq!(clause_values(unlimited, "cap_on_liability"), []);
}

#[test]
fn each_risk_is_found_in_the_sentence_that_holds_it() {
    let categories = |text: &str| {
        let mut found: Vec<String> = read(text).clauses.into_iter().map(|clause| clause.category).collect();
        found.sort();
        found.dedup();
        found.join(" ")
    };
    assert_eq!(
        categories(GERMAN),
        "anti_assignment cap_on_liability confidentiality data_protection governing_law notice_period_to_terminate_renewal payment_terms renewal_term termination_for_convenience uncapped_liability"
    );
    assert_eq!(
        categories(ENGLISH),
        "anti_assignment cap_on_liability exclusivity governing_law indemnity most_favored_nation non_compete termination_for_convenience uncapped_liability"
    );
    assert_eq!(categories("The weather was fine. We met at noon and spoke of nothing in particular."), "");
}

#[test]
fn an_invoice_and_a_letter_are_no_contracts() {
    let invoice = "Rechnung\nRechnungsnummer: 17\nRechnungsdatum: 04.03.2026\n".to_owned()
        + &"Kugellager 20 Stk 45,00 900,00\n".repeat(20)
        + "Gerichtsstand ist München. Laufzeit zwei Jahre. Nachfolgend genannt.";
    assert!(!looks_like(&invoice));
    assert!(!looks_like(&"Dear Sir, thank you for your letter of last week. ".repeat(20)));
    assert!(!looks_like(""));
}

#[test]
fn reading_takes_time_in_proportion_to_the_text() {
    // A search that goes back over the text for each of these words would not end.
    let hostile = "liability * not governed by and between unless terminat in no event ( ( ( ".repeat(20_000);
    assert!(read(&hostile).clauses.len() <= 12 * cues::CATEGORIES.len());
}

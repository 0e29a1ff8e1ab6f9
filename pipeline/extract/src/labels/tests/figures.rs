use case::{FieldName, LineField};

use super::page;

type Row = (f64, &'static [(f64, &'static str)]);
/// A case, the rows of its page, and what is read of them.
type Read<T> = (&'static str, &'static [Row], T);

fn totals(found: &crate::labels::Found, names: &[FieldName]) -> String {
    let text = |name| found.fields.single.get(name).map_or("-", |field| field.value.as_str());
    names.iter().map(text).collect::<Vec<_>>().join(" ")
}

fn lines(found: &crate::labels::Found, names: &[LineField]) -> Vec<String> {
    let of = |line: &std::collections::BTreeMap<LineField, case::Field>| {
        names.iter().map(|name| line.get(name).map_or("-", |field| field.value.as_str())).collect::<Vec<_>>().join(" ")
    };
    found.lines.iter().map(of).collect()
}

#[test]
fn a_total_is_the_amount_of_its_own_label_and_not_one_that_happens_to_fit() {
    let cases: [Read<&str>; 8] = [
        (
            "a discount behind the total",
            &[(300.0, &[(50.0, "Gesamtbetrag"), (150.0, "600,00 €"), (350.0, "Skonto 2 %"), (450.0, "12,00 €")])],
            "- - 600.00 - - -",
        ),
        (
            "a sentence that goes on behind the total",
            &[(300.0, &[(50.0, "Bitte den Gesamtbetrag von 600,00 € abzüglich 2 % Skonto = 588,00 € zahlen")])],
            "- - 600.00 - - -",
        ),
        (
            "net, tax and total in one row",
            &[(300.0, &[(50.0, "Gesamtbetrag"), (250.0, "500,00"), (350.0, "95,00"), (450.0, "595,00")])],
            "- - 595.00 - - -",
        ),
        (
            "a discount, and an item of the amount that gross is above the subtotal",
            &[
                (230.0, &[(50.0, "Description"), (250.0, "Qty"), (350.0, "Unit price"), (480.0, "Amount")]),
                (245.0, &[(50.0, "Crates"), (250.0, "40"), (355.0, "23.00"), (480.0, "920.00")]),
                (258.0, &[(50.0, "Stamps"), (250.0, "1"), (355.0, "80.00"), (480.0, "80.00")]),
                (300.0, &[(300.0, "Subtotal"), (480.0, "1,000.00")]),
                (313.0, &[(300.0, "Discount 10%"), (480.0, "100.00")]),
                (326.0, &[(300.0, "VAT 20%"), (480.0, "180.00")]),
                (339.0, &[(300.0, "Total"), (480.0, "£1,080.00")]),
            ],
            "900.00 180.00 1080.00 1000.00 100.00 -",
        ),
        (
            "a charge, and an item of the amount that gross is above the subtotal",
            &[
                (230.0, &[(50.0, "Description"), (250.0, "Qty"), (350.0, "Unit price"), (480.0, "Amount")]),
                (245.0, &[(50.0, "Cable"), (250.0, "1"), (355.0, "68.00"), (480.0, "68.00")]),
                (258.0, &[(50.0, "Plug"), (250.0, "1"), (355.0, "32.00"), (480.0, "32.00")]),
                (300.0, &[(300.0, "Subtotal"), (480.0, "100.00")]),
                (313.0, &[(300.0, "Delivery"), (480.0, "10.00")]),
                (326.0, &[(300.0, "VAT 20%"), (480.0, "22.00")]),
                (339.0, &[(300.0, "Total"), (480.0, "£132.00")]),
            ],
            "110.00 22.00 132.00 100.00 - 10.00",
        ),
        (
            "two rates whose sum is not printed",
            &[
                (300.0, &[(300.0, "Net total"), (480.0, "345.00")]),
                (313.0, &[(300.0, "VAT 5% on 200.00"), (480.0, "10.00")]),
                (326.0, &[(300.0, "VAT 20% on 145.00"), (480.0, "29.00")]),
                (339.0, &[(300.0, "Total"), (480.0, "£384.00")]),
            ],
            "345.00 39.00 384.00 - - -",
        ),
        (
            "a tax without a label",
            &[
                (300.0, &[(300.0, "Net total"), (480.0, "100.00")]),
                (313.0, &[(300.0, "20 percent"), (480.0, "20.00")]),
                (326.0, &[(300.0, "Grand total"), (480.0, "120.00")]),
            ],
            "100.00 20.00 120.00 - - -",
        ),
        (
            "a stroke behind the label",
            &[
                (300.0, &[(300.0, "Net total – 100.00")]),
                (313.0, &[(300.0, "VAT 20% – 20.00")]),
                (326.0, &[(300.0, "Grand total – 120.00")]),
            ],
            "100.00 20.00 120.00 - - -",
        ),
    ];
    for (case, rows, expected) in cases {
        let mut all: Vec<Row> = vec![(60.0, &[(50.0, "Invoice no. A-17")])];
        all.extend(rows);
        let names = [
            FieldName::NetTotal,
            FieldName::TaxTotal,
            FieldName::GrossTotal,
            FieldName::LineTotal,
            FieldName::AllowanceTotal,
            FieldName::ChargeTotal,
        ];
        assert_eq!(totals(&crate::labels::read(&[page(&all)]), &names), expected, "{case}");
    }
}

#[test]
fn the_net_total_of_one_item_is_the_one_among_the_totals() {
    let page = page(&[
        (60.0, &[(50.0, "Invoice no. A-17")]),
        (230.0, &[(50.0, "Description"), (250.0, "Qty"), (350.0, "Unit price"), (480.0, "Net amount")]),
        (245.0, &[(50.0, "Lunch"), (250.0, "20"), (355.0, "15.00"), (480.0, "300.00")]),
        (300.0, &[(300.0, "Subtotal"), (480.0, "300.00")]),
        (313.0, &[(300.0, "VAT 20%"), (480.0, "60.00")]),
        (326.0, &[(300.0, "Total due"), (480.0, "360.00")]),
    ]);
    let found = crate::labels::read(&[page]);
    let case::Evidence::Page { area, .. } = found.fields.single[&FieldName::NetTotal].evidence else { panic!() };
    assert_eq!(area[3], 302.0);
}

#[test]
fn the_currency_is_the_one_of_the_totals_and_a_sign_of_several_is_none() {
    let cases = [
        ("$1,299.00", "a bank fee of €25", "-"),
        ("$1,299.00", "all amounts in CAD", "CAD"),
        ("CA$1,299.00", "", "CAD"),
        ("1 299,00 kr", "a fee of €25", "-"),
        ("1 299,00 kr", "Bankgiro 123 SEK", "SEK"),
        ("GBP 1,299.00", "EUR 1 EUR 2 EUR 3", "GBP"),
        ("1,299.00", "a bank fee of €25", "EUR"),
    ];
    for (total, other, expected) in cases {
        let page = page(&[
            (60.0, &[(50.0, "Invoice no. A-17")]),
            (326.0, &[(300.0, "Grand total"), (480.0, total)]),
            (400.0, &[(50.0, other)]),
        ]);
        let found = crate::labels::read(&[page]);
        assert_eq!(totals(&found, &[FieldName::Currency]), expected, "{total} {other}");
    }
}

const HEADINGS: Row = (230.0, &[(50.0, "Description"), (250.0, "Qty"), (350.0, "Price"), (480.0, "Amount")]);
const HOURS: Row = (230.0, &[(50.0, "Description"), (250.0, "Hours"), (480.0, "Amount")]);
const NAMES: Row = (230.0, &[(50.0, "Description"), (480.0, "Amount")]);
const FOOT: [Row; 3] = [
    (500.0, &[(300.0, "Net total"), (480.0, "400.00")]),
    (513.0, &[(300.0, "VAT 20%"), (480.0, "80.00")]),
    (526.0, &[(300.0, "Grand total"), (480.0, "480.00")]),
];
const PUMP: Row = (245.0, &[(50.0, "Pump"), (250.0, "3"), (350.0, "100.00"), (480.0, "300.00")]);
const VALVE: Row = (284.0, &[(50.0, "Valve"), (250.0, "2"), (350.0, "50.00"), (480.0, "100.00")]);

#[test]
fn items_are_read_past_sums_and_words_that_only_look_like_the_end() {
    let cases: [Read<&[&str]>; 6] = [
        (
            "a subtotal of a group",
            &[HEADINGS, PUMP, (265.0, &[(50.0, "Subtotal"), (480.0, "300.00")]), VALVE],
            &["Pump 300.00", "Valve 100.00"],
        ),
        (
            "a name that begins like a total",
            &[HEADINGS, PUMP, (284.0, &[(50.0, "Balance bike"), (250.0, "2"), (350.0, "50.00"), (480.0, "100.00")])],
            &["Pump 300.00", "Balance bike 100.00"],
        ),
        (
            "a name that begins like a tax",
            &[
                HOURS,
                (245.0, &[(50.0, "Tax return preparation"), (250.0, "3"), (480.0, "300.00")]),
                (284.0, &[(50.0, "Payroll"), (250.0, "2"), (480.0, "100.00")]),
            ],
            &["Tax return preparation 300.00", "Payroll 100.00"],
        ),
        (
            "a sum carried over",
            &[HEADINGS, PUMP, (265.0, &[(50.0, "Übertrag"), (480.0, "300.00")]), VALVE],
            &["Pump 300.00", "Valve 100.00"],
        ),
        (
            "names and amounts that make the total",
            &[NAMES, (245.0, &[(50.0, "Design"), (480.0, "300.00")]), (284.0, &[(50.0, "Hosting"), (480.0, "100.00")])],
            &["Design 300.00", "Hosting 100.00"],
        ),
        (
            "names and amounts that do not",
            &[NAMES, (245.0, &[(50.0, "Design"), (480.0, "300.00")]), (284.0, &[(50.0, "Hosting"), (480.0, "90.00")])],
            &[],
        ),
    ];
    for (case, rows, expected) in cases {
        let mut all: Vec<Row> = vec![(60.0, &[(50.0, "Invoice no. A-17")])];
        all.extend(rows);
        all.extend(FOOT);
        let found = crate::labels::read(&[page(&all)]);
        assert_eq!(lines(&found, &[LineField::Name, LineField::NetAmount]), expected, "{case}");
        let codes: Vec<&str> = found.notes.iter().map(|note| note.code.as_str()).collect();
        assert_eq!(codes, if expected.is_empty() { &["lines_not_read"][..] } else { &[] }, "{case}");
    }
}

#[test]
fn a_table_goes_on_behind_the_subtotal_of_a_page() {
    let first = page(&[
        (60.0, &[(50.0, "Invoice no. A-17")]),
        HEADINGS,
        PUMP,
        (265.0, &[(50.0, "Subtotal"), (480.0, "300.00")]),
    ]);
    let carried: Row = (60.0, &[(50.0, "Übertrag von Seite 1"), (480.0, "300.00")]);
    let mut second = vec![carried, VALVE];
    second.extend(FOOT);
    let found = crate::labels::read(&[first, page(&second)]);
    assert_eq!(lines(&found, &[LineField::Name, LineField::NetAmount]), ["Pump 300.00", "Valve 100.00"]);
}

#[test]
fn columns_and_marks_are_what_the_figures_say() {
    let names =
        [LineField::Quantity, LineField::UnitPrice, LineField::PriceBase, LineField::NetAmount, LineField::VatRate];
    let cases: [Read<&str>; 6] = [
        (
            "pieces with three decimals",
            &[HEADINGS, (245.0, &[(50.0, "Pump"), (250.0, "2,000"), (350.0, "50,00"), (480.0, "100,00")])],
            "2.000 50.00 - 100.00 -",
        ),
        (
            "thousands of pieces",
            &[HEADINGS, (245.0, &[(50.0, "Pump"), (250.0, "2,000"), (350.0, "50.00"), (480.0, "100,000.00")])],
            "2000 50.00 - 100000.00 -",
        ),
        (
            "hours with three decimals and no price",
            &[HOURS, (245.0, &[(50.0, "Advice"), (250.0, "2,500"), (480.0, "100,00")])],
            "2.500 - - 100.00 -",
        ),
        (
            "a price for a hundred",
            &[
                (230.0, &[(50.0, "Artikel"), (200.0, "Menge"), (300.0, "Preis"), (380.0, "PE"), (480.0, "Gesamt")]),
                (245.0, &[(50.0, "Screws"), (200.0, "5000"), (300.0, "20,00"), (380.0, "100"), (480.0, "1.000,00")]),
            ],
            "5000 20.00 100 1000.00 -",
        ),
        (
            "net, tax and total",
            &[
                (
                    230.0,
                    &[
                        (50.0, "Description"),
                        (200.0, "Qty"),
                        (270.0, "Price"),
                        (340.0, "Net"),
                        (410.0, "VAT"),
                        (480.0, "Total"),
                    ],
                ),
                (
                    245.0,
                    &[
                        (50.0, "Pump"),
                        (200.0, "2"),
                        (270.0, "50.00"),
                        (340.0, "100.00"),
                        (410.0, "20.00"),
                        (480.0, "120.00"),
                    ],
                ),
            ],
            "2 50.00 - 100.00 -",
        ),
        (
            "a rate",
            &[
                (230.0, &[(50.0, "Description"), (200.0, "Qty"), (270.0, "Price"), (340.0, "VAT"), (480.0, "Total")]),
                (245.0, &[(50.0, "Pump"), (200.0, "2"), (270.0, "50.00"), (340.0, "20"), (480.0, "100.00")]),
            ],
            "2 50.00 - 100.00 20",
        ),
    ];
    for (case, rows, expected) in cases {
        let mut all: Vec<Row> = vec![(60.0, &[(50.0, "Invoice no. A-17")])];
        all.extend(rows);
        assert_eq!(lines(&crate::labels::read(&[page(&all)]), &names), [expected], "{case}");
    }
}

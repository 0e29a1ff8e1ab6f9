#![allow(clippy::unwrap_used)]
use super::*;
use std::str::FromStr;

#[track_caller]
fn check(amount: &str, currency: &str, expected: Result<i64, &str>) {
    let found = minor_units(Decimal::from_str(amount).unwrap(), currency);
    assert_eq!(found, expected.map_err(str::to_owned));
}

#[test]
fn money_is_counted_in_the_minor_unit_of_its_currency() {
    check("1190.00", "EUR", Ok(119_000));
    check("1190", "EUR", Ok(119_000));
    check("-0.01", "USD", Ok(-1));
    check("1190", "JPY", Ok(1_190));
    check("1190.00", "XPF", Ok(1_190));
    check("1.234", "KWD", Ok(1_234));
    check("1.2345", "CLF", Ok(12_345));
    check("10000000000000", "EUR", Ok(1_000_000_000_000_000));
}

#[test]
fn a_fraction_of_a_minor_unit_is_refused_and_never_rounded() {
    check("10.005", "EUR", Err("10.005 EUR is not a whole number of minor units"));
    check("0.5", "JPY", Err("0.5 JPY is not a whole number of minor units"));
    check("1.2345", "KWD", Err("1.2345 KWD is not a whole number of minor units"));
    check("10.0050000", "TND", Ok(10_005));
    check("99999999999999999999", "EUR", Err("99999999999999999999 EUR is out of range"));
}

fn invoice(credit: bool, net: Option<&str>, tax: Option<&str>, gross: &str) -> Invoice {
    let amount = |text: &str| Decimal::from_str(text).unwrap();
    let mut invoice = Invoice { credit, ..Invoice::default() };
    invoice.number = Some("INV-1".into());
    invoice.issue_date = Some(jiff::civil::date(2026, 6, 10));
    invoice.currency = Some("EUR".into());
    invoice.seller_name = Some("Nordwind GmbH".into());
    invoice.totals.net_total = net.map(amount);
    invoice.totals.tax_total = tax.map(amount);
    invoice.totals.gross_total = Some(amount(gross));
    invoice
}

#[test]
fn net_and_tax_make_the_gross_amount_and_a_credit_note_is_negative() {
    for (net, tax, expected) in [
        (Some("100"), Some("19"), (10_000, 1_900, 11_900)),
        (Some("100"), None, (10_000, 1_900, 11_900)),
        (None, Some("19"), (10_000, 1_900, 11_900)),
        (None, None, (11_900, 0, 11_900)),
    ] {
        let bill = bill(&invoice(false, net, tax, "119"), None).unwrap();
        assert_eq!((bill.net_minor, bill.tax_minor, bill.gross_minor), expected);
    }
    let bill = bill(&invoice(true, Some("100"), Some("19"), "119"), None).unwrap();
    assert_eq!((bill.net_minor, bill.tax_minor, bill.gross_minor), (-10_000, -1_900, -11_900));
}

#[test]
fn what_was_paid_before_is_not_asked_for_again() {
    let payable = |credit, payable: Option<i64>, prepaid: i64| {
        let mut invoice = invoice(credit, Some("100"), Some("19"), "119");
        (invoice.totals.payable, invoice.totals.prepaid) = (payable.map(Decimal::from), Some(prepaid.into()));
        let bill = bill(&invoice, None).unwrap();
        (bill.gross_minor, bill.payable_minor)
    };
    assert_eq!(payable(false, Some(0), 119), (11_900, 0));
    assert_eq!(payable(false, None, 100), (11_900, 1_900));
    assert_eq!(payable(true, Some(19), 100), (-11_900, -1_900));
}

#[test]
fn what_the_ledger_cannot_do_without_is_named() {
    let without_number = Invoice { number: None, ..invoice(false, None, None, "119") };
    assert_eq!(bill(&without_number, None).unwrap_err(), "`number` is missing");
    assert_eq!(
        bill(&invoice(false, Some("100.001"), None, "119"), None).unwrap_err(),
        "100.001 EUR is not a whole number of minor units"
    );
}

#[test]
fn what_is_to_be_paid_is_the_total_only_where_it_is_known_how_much_of_the_bill_it_is() {
    let payable = |net: Option<&str>, payable: i64, prepaid: Option<i64>| {
        let mut invoice = invoice(false, net, net.map(|_| "19"), "1");
        invoice.totals.gross_total = None;
        invoice.totals.payable = Some(payable.into());
        invoice.totals.prepaid = prepaid.map(Decimal::from);
        invoice
    };
    let amounts = |invoice: &Invoice| bill(invoice, None).map(|it| (it.net_minor, it.tax_minor, it.gross_minor));
    assert_eq!(amounts(&payable(Some("100"), 119, None)), Ok((10_000, 1_900, 11_900)));
    assert_eq!(amounts(&payable(Some("100"), 69, Some(50))), Ok((10_000, 1_900, 11_900)));
    let mut kept_back = payable(Some("100"), 99, None);
    kept_back.totals.withholding = Some(20.into());
    assert_eq!(amounts(&kept_back), Ok((10_000, 1_900, 11_900)));
    let missing = || Err("`gross_total` is missing".to_owned());
    assert_eq!(amounts(&payable(None, 69, None)), missing());
    let mut rounded = payable(Some("100"), 119, None);
    rounded.totals.rounding = Some(Decimal::new(5, 2));
    assert_eq!(amounts(&rounded), missing());
}

#[test]
fn where_the_contract_says_when_it_is_due_the_document_does_not() {
    let due = Invoice { due_date: Some(jiff::civil::date(2026, 6, 24)), ..invoice(false, None, None, "119") };
    assert_eq!(bill(&due, None).unwrap().due_date.as_deref(), Some("2026-06-24"));
    let by_contract = Some(jiff::civil::date(2026, 8, 9));
    assert_eq!(bill(&due, by_contract).unwrap().due_date.as_deref(), Some("2026-08-09"));
}

#![allow(clippy::unwrap_used)]
use super::super::tests::*;
use crate::facts::{Bill, Claim, Fact, OrderLine, Stated};

fn blanket() -> OrderLine {
    OrderLine {
        order_id: "B-1".into(),
        blanket: true,
        value_limit: Some(number("10000")),
        valid_from: Some(day("2026-01-01")),
        valid_to: Some(day("2026-06-30")),
        ..ordered("1", "1", "0")
    }
}

fn billed(amount: &str) -> Stated {
    let claim = Claim {
        order_id: "b-1".into(),
        line: "1".into(),
        quantity: 1.into(),
        amount: number(amount),
        ..Claim::default()
    };
    judged(7, Bill { claims: vec![claim], ..Bill::default() })
}

fn direct(amount: &str, fields: &[(&str, &str)]) -> crate::Extraction {
    let fields: Vec<(&str, &str)> = [("order_ref", "B-1")].into_iter().chain(fields.iter().copied()).collect();
    document("invoice", &fields, &[&[("name", "Works"), ("quantity", "5"), ("unit", "HUR"), ("net_amount", amount)]])
}

const FIGURES: [&str; 5] = ["billed_before", "billed_now", "value_limit", "excess", "days_outside"];

#[test]
fn a_blanket_order_is_limited_in_value() {
    let facts = [imported(Fact::OrderLine(blanket())), billed("9600")];
    assert_eq!(said(&verdict_under(&shipped(), &direct("400", &[]), &facts), &FIGURES), [""; 0]);
    let over = "BLANKET_VALUE billed_before=9600.00 billed_now=500.00 value_limit=10000.00 excess=100.00";
    assert_eq!(said(&verdict_under(&shipped(), &direct("500", &[]), &facts), &FIGURES), [over]);
    let two_percent = with_tolerances(|text| {
        text.replacen(
            "kind = \"BLANKET_VALUE\"\nupper_abs = \"0\"",
            "kind = \"BLANKET_VALUE\"\nupper_percent = \"2\"",
            1,
        )
    });
    assert_eq!(said(&verdict_under(&two_percent, &direct("600", &[]), &facts), &FIGURES), [""; 0]);
    assert_eq!(verdict_under(&two_percent, &direct("600.01", &[]), &facts).findings.len(), 1);
}

#[test]
fn a_blanket_order_without_a_limit_is_held() {
    let facts = [imported(Fact::OrderLine(OrderLine { value_limit: None, ..blanket() }))];
    assert_eq!(said(&verdict_under(&shipped(), &direct("1", &[]), &facts), &["value_limit"]), ["BLANKET_VALUE"]);
}

#[test]
fn a_blanket_order_is_limited_in_time_and_the_delivery_counts() {
    let facts = [imported(Fact::OrderLine(blanket()))];
    for (fields, expected) in [
        (&[("issue_date", "2026-07-02")][..], &["BLANKET_DATE days_outside=2"][..]),
        (&[("issue_date", "2026-07-02"), ("delivery_date", "2026-07-02")], &["BLANKET_DATE days_outside=2"]),
        (&[("issue_date", "2026-07-02"), ("period_from", "2026-06-01"), ("period_to", "2026-06-30")], &[]),
        (&[("period_from", "2025-12-30"), ("period_to", "2026-01-02")], &["BLANKET_DATE days_outside=2"]),
    ] {
        assert_eq!(said(&verdict_under(&shipped(), &direct("1", fields), &facts), &FIGURES), expected, "{fields:?}");
    }
    let three_days = with_tolerances(|text| {
        format!("{text}\n[[tolerance]]\nid = \"late\"\nkind = \"BLANKET_DATE\"\nupper_abs = \"2\"\n")
    });
    let late = direct("1", &[("issue_date", "2026-07-02")]);
    assert_eq!(said(&verdict_under(&three_days, &late, &facts), &FIGURES), [""; 0]);
}

#[test]
fn what_is_called_off_counts_for_the_blanket_order_too() {
    let call_off = OrderLine { contract_id: Some("B-1".into()), ..ordered("1", "5", "100") };
    let facts = [imported(Fact::OrderLine(blanket())), imported(Fact::OrderLine(call_off)), billed("9600")];
    let line: &[(&str, &str)] = &[("quantity", "5"), ("net_amount", "500")];
    let verdict = verdict_under(&shipped(), &document("invoice", &[("order_ref", "PO-1")], &[line]), &facts);
    let over = "BLANKET_VALUE billed_before=9600.00 billed_now=500.00 value_limit=10000.00 excess=100.00";
    assert_eq!(said(&verdict, &FIGURES), [over]);
    let claims: Vec<(String, String)> =
        verdict.bill.unwrap().claims.into_iter().map(|claim| (claim.order_id, claim.amount.to_string())).collect();
    assert_eq!(claims, [("PO-1".into(), "500.00".into()), ("B-1".into(), "500.00".into())]);
}

#[test]
fn a_call_off_from_another_vendors_blanket_order_is_held() {
    let call_off = OrderLine { contract_id: Some("B-1".into()), ..ordered("1", "5", "100") };
    let theirs = OrderLine { vendor_id: "V2".into(), ..blanket() };
    let facts = [imported(Fact::OrderLine(theirs)), imported(Fact::OrderLine(call_off))];
    let line: &[(&str, &str)] = &[("quantity", "5"), ("net_amount", "500")];
    let document = document("invoice", &[("order_ref", "PO-1")], &[line]);
    let verdict = verdict_under(&shipped(), &document, &facts);
    assert_eq!(said(&verdict, &["ordered_from"]), ["VENDOR_MISMATCH ordered_from=V2"]);
}

#[test]
fn no_more_money_is_credited_of_a_blanket_order_than_was_billed() {
    let facts = [imported(Fact::OrderLine(blanket())), billed("500")];
    let credit = |amount| {
        let line: &[(&str, &str)] = &[("quantity", "1"), ("net_amount", amount)];
        said(
            &verdict_under(&shipped(), &document("credit_note", &[("order_ref", "B-1")], &[line]), &facts),
            &["credited", "billed"],
        )
    };
    assert_eq!(credit("500"), [""; 0]);
    assert_eq!(credit("501"), ["CREDIT_EXCEEDS credited=501 billed=500"]);
}

#![allow(clippy::unwrap_used)]
use super::super::tests::*;
use crate::facts::{Bill, Claim, Fact, OrderLine, Stated};

fn order(planned: Option<&str>) -> Vec<Stated> {
    let line = |id: &str| OrderLine { freight_planned: planned.map(number), ..ordered(id, "10", "10") };
    // Written on each line, and counted once.
    vec![imported(Fact::OrderLine(line("1"))), imported(Fact::OrderLine(line("2")))]
}

/// Freight as a charge of the document, and as a line of its own.
#[track_caller]
fn check(facts: &[Stated], freight: &str, expected: &[&str]) {
    let goods: &[(&str, &str)] = &[("order_line", "1"), ("quantity", "10"), ("net_amount", "100")];
    let charge = document("invoice", &[("order_ref", "PO-1"), ("charge_total", freight)], &[goods]);
    let costs: &[(&str, &str)] = &[("name", "Express freight"), ("quantity", "1"), ("net_amount", freight)];
    let line = document("invoice", &[("order_ref", "PO-1")], &[costs, goods]);
    for document in [charge, line] {
        let verdict = verdict_under(&shipped(), &document, facts);
        let figures = ["billed_before", "billed_now", "planned", "excess", "policy_row"];
        assert_eq!(said(&verdict, &figures), expected);
        let claims: Vec<Claim> = verdict.bill.unwrap().claims.into_iter().filter(|claim| claim.freight).collect();
        let claim = Claim { order_id: "PO-1".into(), amount: number(freight), freight: true, ..Claim::default() };
        assert_eq!(claims, [claim]);
    }
}

#[test]
fn delivery_costs_are_compared_with_what_was_planned_for_the_whole_order() {
    check(&order(Some("100")), "110", &[]);
    let over = "FREIGHT billed_before=0.00 billed_now=111.00 planned=100.00 excess=11.00 policy_row=freight-planned";
    check(&order(Some("100")), "111", &[over]);
    let bill = Bill {
        claims: vec![Claim { order_id: "PO-1".into(), amount: number("60"), freight: true, ..Claim::default() }],
        ..Bill::default()
    };
    let facts = [order(Some("100")), vec![judged(7, bill)]].concat();
    check(&facts, "50", &[]);
    let over = "FREIGHT billed_before=60.00 billed_now=51.00 planned=100.00 excess=11.00 policy_row=freight-planned";
    check(&facts, "51", &[over]);
}

#[test]
fn unplanned_delivery_costs_are_small_or_held() {
    check(&order(None), "25.00", &[]);
    let over = "FREIGHT billed_before=0.00 billed_now=25.01 planned=0.00 excess=25.01 policy_row=freight-unplanned";
    check(&order(None), "25.01", &[over]);
    check(&order(Some("0")), "25.01", &[over]);
}

#[test]
fn credited_delivery_costs_are_taken_back() {
    let costs: &[(&str, &str)] = &[("name", "运费"), ("quantity", "1"), ("net_amount", "500")];
    let document = document("credit_note", &[("order_ref", "PO-1")], &[costs]);
    let verdict = verdict_under(&shipped(), &document, &order(None));
    assert_eq!(said(&verdict, &[]), [""; 0]);
    assert_eq!(
        verdict.bill.unwrap().claims.into_iter().map(|claim| claim.amount).collect::<Vec<_>>(),
        [number("-500")]
    );
}

#[test]
fn a_line_without_an_amount_is_no_free_delivery() {
    let document = document("invoice", &[("order_ref", "PO-1")], &[&[("name", "Porto"), ("quantity", "1")]]);
    assert_eq!(said(&verdict_under(&shipped(), &document, &order(None)), &[]), ["MISSING"]);
}

#[test]
fn delivery_is_named_by_whole_words() {
    for (name, freight) in [
        ("Freight", true),
        ("Fracht und Verpackung", true),
        ("SHIPPING & handling", true),
        ("国内运费", true),
        ("Transporter", false),
        ("Portorož blend", false),
        ("Redelivery", false),
    ] {
        assert_eq!(super::names_freight(name), freight, "{name}");
    }
}

#[test]
fn of_each_order_only_what_it_plans_is_taken_and_of_the_last_the_rest() {
    let of =
        |id: &str| OrderLine { order_id: id.into(), freight_planned: Some(number("100")), ..ordered("1", "10", "10") };
    let facts = ["PO-1", "PO-2"].map(|id| imported(Fact::OrderLine(of(id))));
    let first: &[(&str, &str)] = &[("order_ref", "PO-1"), ("quantity", "10"), ("net_amount", "100")];
    let second: &[(&str, &str)] = &[("order_ref", "PO-2"), ("quantity", "10"), ("net_amount", "100")];
    let document = document("invoice", &[("charge_total", "210")], &[first, second]);
    let verdict = verdict_under(&shipped(), &document, &facts);
    assert_eq!(said(&verdict, &[]), [""; 0]);
    let claims = verdict.bill.unwrap().claims.into_iter().filter(|claim| claim.freight);
    let claims: Vec<(String, String)> = claims.map(|it| (it.order_id, it.amount.to_string())).collect();
    assert_eq!(claims, [("PO-1".to_owned(), "100".to_owned()), ("PO-2".to_owned(), "110".to_owned())]);
}

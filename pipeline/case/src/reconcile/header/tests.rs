#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::super::tests::*;
use super::*;
use crate::facts::{Bill, Claim, Stated};

fn order(amounts: &[&str]) -> Vec<Stated> {
    let line =
        |(n, amount): (usize, &&str)| imported(Fact::OrderLine(ordered(&(10 * (n + 1)).to_string(), "1", amount)));
    amounts.iter().enumerate().map(line).collect()
}

/// A document without lines over `net`, of an order with these open lines.
fn verdict(net: &str, facts: &[Stated]) -> super::super::Verdict {
    verdict_under(&shipped(), &document("invoice", &[("order_ref", "PO-1"), ("net_total", net)], &[]), facts)
}

#[test]
fn a_total_is_billed_of_the_lines_that_come_to_it_where_only_one_set_does() {
    let one = verdict("125", &order(&["100", "50", "75"]));
    assert_eq!(said(&one, &[]), [""; 0]);
    let lines = |it: &super::super::Verdict| it.matched.iter().map(|line| line.order_line.clone()).collect::<Vec<_>>();
    assert_eq!(lines(&one), ["75", "50"].map(|amount| if amount == "75" { "30" } else { "20" }));
    assert_eq!(one.bill.unwrap().claims.iter().map(|claim| claim.amount).sum::<Decimal>(), number("125"));

    let two = verdict("150.00", &order(&["100", "50", "75", "75"]));
    let expected = "AMBIGUOUS first=PO-1/10 + PO-1/20 net=150.00 second=PO-1/30 + PO-1/40 sets=2";
    assert_eq!(said(&two, &["first", "net", "second", "sets"]), [expected]);
    assert!(two.matched.is_empty() && two.bill.unwrap().claims.is_empty());

    assert_eq!(said(&verdict("130", &order(&["100", "50", "75"])), &[]), ["ORDER_LINE"]);
    assert_eq!(said(&verdict("-", &order(&["100"])), &[]), ["ORDER_LINE"]);
}

#[test]
fn what_was_billed_before_is_not_open() {
    let claim = Claim {
        order_id: "PO-1".into(),
        line: "30".into(),
        quantity: 1.into(),
        amount: number("75"),
        ..Claim::default()
    };
    let facts =
        [order(&["100", "50", "75", "75"]), vec![judged(7, Bill { claims: vec![claim], ..Bill::default() })]].concat();
    assert_eq!(said(&verdict("150", &facts), &[]), [""; 0]);
    assert_eq!(said(&verdict("225", &facts), &["lines"]), [""; 0]);
    assert_eq!(said(&verdict("300", &facts), &[]), ["ORDER_LINE"]);
}

#[test]
fn lines_that_were_found_by_a_total_are_compared_as_any_others() {
    let facts = [imported(Fact::OrderLine(OrderLine { match_level: 3, ..ordered("1", "1", "100") }))];
    assert_eq!(said(&verdict("100", &facts), &["order_line"]), ["NO_GR order_line=1"]);
}

#[test]
fn a_limit_order_of_one_line_is_billed_by_the_total() {
    let line = OrderLine { blanket: true, value_limit: Some(number("500")), ..ordered("1", "1", "0") };
    assert_eq!(said(&verdict("500", &[imported(Fact::OrderLine(line.clone()))]), &[]), [""; 0]);
    assert_eq!(said(&verdict("501", &[imported(Fact::OrderLine(line))]), &["excess"]), ["BLANKET_VALUE excess=1.00"]);
}

#[test]
fn an_order_that_is_open_over_the_same_amount_is_suggested_and_never_matched() {
    let document = |net: &str| document("invoice", &[("net_total", net)], &[&[("quantity", "1"), ("net_amount", net)]]);
    let other = OrderLine { order_id: "PO-2".into(), ..ordered("1", "3", "100") };
    let facts = [order(&["100", "50"]), vec![imported(Fact::OrderLine(other.clone()))]].concat();
    let verdict = verdict_under(&shipped(), &document("150"), &facts);
    assert_eq!(said(&verdict, &["suggestion"]), ["NO_PO_REF suggestion=PO-1"]);
    assert!(verdict.matched.is_empty() && verdict.bill.as_ref().unwrap().claims.is_empty());
    // Whoever brought in an order that may have nothing to do with it may approve.
    let by_another: Vec<Stated> =
        facts.iter().map(|stated| Stated { by: "usr_other".into(), ..stated.clone() }).collect();
    let informants = verdict_under(&shipped(), &document("150"), &by_another).informants;
    assert_eq!(informants.into_iter().collect::<Vec<_>>(), ["usr_import"]);
    assert_eq!(said(&verdict_under(&shipped(), &document("151"), &facts), &["suggestion"]), ["NO_PO_REF"]);
    // Two of them, or one that is partly billed.
    let same = OrderLine { order_id: "PO-3".into(), ..other };
    let facts = [facts, vec![imported(Fact::OrderLine(same))]].concat();
    assert_eq!(said(&verdict_under(&shipped(), &document("300"), &facts), &["suggestion"]), ["NO_PO_REF"]);
    let claim = Claim {
        order_id: "PO-3".into(),
        line: "1".into(),
        quantity: 1.into(),
        amount: number("100"),
        ..Claim::default()
    };
    let facts = [facts, vec![judged(7, Bill { claims: vec![claim], ..Bill::default() })]].concat();
    assert_eq!(
        said(&verdict_under(&shipped(), &document("300"), &facts), &["suggestion"]),
        ["NO_PO_REF suggestion=PO-2"]
    );
    assert_eq!(
        said(&verdict_under(&shipped(), &document("200"), &facts), &["suggestion"]),
        ["NO_PO_REF suggestion=PO-3"]
    );
}

#[test]
fn sums_are_found_and_a_search_that_takes_too_long_says_so() {
    let numbers = |texts: &[&str]| texts.iter().map(|text| number(text)).collect::<Vec<_>>();
    for (amounts, sum, sets, all) in [
        (&["100", "75", "75", "50"][..], "150", &[&[0, 3][..], &[1, 2]][..], true),
        (&["100", "75", "75", "50"], "300", &[&[0, 1, 2, 3]], true),
        (&["0.03", "0.02", "0.01"], "0.05", &[&[0, 1]], true),
        (&["3", "2"], "4", &[], true),
        (&[], "4", &[], true),
    ] {
        assert_eq!(
            Sums::of(&numbers(amounts), number(sum)),
            Sums { sets: sets.iter().map(|it| it.to_vec()).collect(), all }
        );
    }
    // 40 lines of 10.00 cannot come to 205.00, and there are too many ways to try.
    assert!(!Sums::of(&numbers(&["10"; 40]), number("205")).all);
    assert!(!Sums::of(&numbers(&["10"; 41]), number("10")).all);
}

#[test]
fn of_very_many_open_orders_none_is_suggested() {
    let order = |n: usize| {
        imported(Fact::OrderLine(OrderLine {
            order_id: format!("PO-{n}"),
            ..ordered("1", "1", &(100 + n).to_string())
        }))
    };
    let document = document("invoice", &[("net_total", "101")], &[]);
    let suggested = |many| {
        let facts: Vec<Stated> = (1..=many).map(order).collect();
        said(&verdict_under(&shipped(), &document, &facts), &["suggestion"])
    };
    assert_eq!(suggested(CANDIDATES_MAX), ["NO_PO_REF suggestion=PO-1"]);
    assert_eq!(suggested(CANDIDATES_MAX + 1), ["NO_PO_REF"]);
}

#[test]
fn a_credit_note_without_lines_credits_what_was_billed() {
    let claim = |line: &str, amount| Claim {
        order_id: "PO-1".into(),
        line: line.into(),
        quantity: 1.into(),
        amount: number(amount),
        ..Claim::default()
    };
    let bill = Bill { claims: vec![claim("10", "100"), claim("20", "50")], ..Bill::default() };
    let facts = [order(&["100", "50", "75"]), vec![judged(7, bill)]].concat();
    let credit = |net| {
        verdict_under(&shipped(), &document("credit_note", &[("order_ref", "PO-1"), ("net_total", net)], &[]), &facts)
    };
    let half = credit("50");
    assert_eq!(said(&half, &[]), [""; 0]);
    assert_eq!(
        half.bill.unwrap().claims.into_iter().map(|it| (it.line, it.amount)).collect::<Vec<_>>(),
        [("20".into(), number("-50"))]
    );
    assert_eq!(said(&credit("75"), &[]), ["ORDER_LINE"]);
}

#![allow(clippy::unwrap_used)]
use super::super::Verdict;
use super::super::tests::*;
use crate::facts::{Bill, Claim, ContractRate, Fact, OrderLine, Stated};

fn contract() -> ContractRate {
    ContractRate {
        contract_id: "C-1".into(),
        vendor_id: "V1".into(),
        valid_from: day("2026-01-01"),
        valid_to: Some(day("2027-12-31")),
        currency: Some("EUR".into()),
        item: Some("DEV".into()),
        rate: Some(number("120.00")),
        index_cap_percent: Some(number("3")),
        tier_from: None,
        not_to_exceed: None,
        payment_days: None,
        renewal: None,
    }
}

/// A document over one line of `DEV` under contract C-1, without an order.
fn verdict(
    on: &str,
    quantity: &str,
    price: &str,
    rows: &[ContractRate],
    earlier: Option<Claim>,
    fields: &[(&str, &str)],
) -> Verdict {
    let fields: Vec<(&str, &str)> =
        [("contract_ref", "c-1"), ("issue_date", on)].into_iter().chain(fields.iter().copied()).collect();
    let line = &[("item", "Dev"), ("quantity", quantity), ("unit", "HUR"), ("unit_price", price)][..];
    let mut facts: Vec<Stated> = rows.iter().cloned().map(|row| imported(Fact::Contract(row))).collect();
    let date = Some(day("2026-02-01"));
    facts.extend(earlier.map(|claim| judged(7, Bill { date, claims: vec![claim], ..Bill::default() })));
    verdict_under(&shipped(), &document("invoice", &fields, &[line]), &facts)
}

fn claim(quantity: &str, amount: &str) -> Option<Claim> {
    let (quantity, amount) = (number(quantity), number(amount));
    Some(Claim { order_id: "C-1".into(), item: Some("DEV".into()), quantity, amount, ..Claim::default() })
}

#[track_caller]
fn check(verdict: &Verdict, figures: &[&str], expected: &[&str]) {
    assert_eq!(said(verdict, figures), expected);
}

#[test]
fn a_rate_may_rise_each_year_by_its_index_and_no_further() {
    let figures = ["billed", "rate", "variance", "item", "valid_from"];
    check(&verdict("2026-05-31", "40", "120", &[contract()], None, &[]), &figures, &[]);
    let over = verdict("2026-05-31", "40", "125", &[contract()], None, &[]);
    check(&over, &figures, &["CONTRACT_RATE billed=125 rate=120 variance=200.00 item=DEV valid_from=2026-01-01"]);
    let message = "line 1: 125 a unit, 120 by contract C-1, DEV from 2026-01-01 to 2027-12-31: 200.00 too much";
    assert_eq!(over.findings.first().unwrap().message, message);
    check(&verdict("2027-02-28", "1", "123.60", &[contract()], None, &[]), &figures, &[]);
    let over = "CONTRACT_RATE billed=123.61 rate=123.6 variance=0.01 item=DEV valid_from=2026-01-01";
    check(&verdict("2027-02-28", "1", "123.61", &[contract()], None, &[]), &figures, &[over]);
}

#[test]
fn yearly_quantities_decide_which_part_is_at_which_rate() {
    let row = |rate, tier| ContractRate {
        rate: Some(number(rate)),
        tier_from: Some(number(tier)),
        index_cap_percent: None,
        ..contract()
    };
    let rows = [row("0.90", "1000"), row("1.00", "0")];
    let figures = ["billed", "expected", "variance", "quantity_before"];
    let over = "CONTRACT_RATE billed=100.00 expected=95.00 variance=5.00 quantity_before=950";
    check(&verdict("2026-05-31", "100", "1.00", &rows, claim("950", "950"), &[]), &figures, &[over]);
    check(&verdict("2026-05-31", "100", "0.95", &rows, claim("950", "950"), &[]), &figures, &[]);
    check(&verdict("2026-05-31", "1000", "1.00", &rows, None, &[]), &figures, &[]);
    // Another year begins anew.
    check(&verdict("2027-05-31", "100", "1.00", &rows, claim("950", "950"), &[]), &figures, &[]);
    check(
        &verdict("2026-05-31", "100", "1.00", &rows[..1], claim("950", "950"), &[]),
        &["expected"],
        &["CONTRACT_RATE"],
    );
}

#[test]
fn what_has_no_rate_is_held() {
    let other = ContractRate { item: Some("OPS".into()), ..contract() };
    check(&verdict("2026-05-31", "1", "1", std::slice::from_ref(&other), None, &[]), &["rate"], &["CONTRACT_RATE"]);
    let any = ContractRate { item: None, ..contract() };
    check(&verdict("2026-05-31", "1", "120", &[other, any], None, &[]), &[], &[]);
    let none = ContractRate { rate: None, ..contract() };
    // It agrees nothing that could stand behind an invoice without an order.
    check(&verdict("2026-05-31", "1", "999", &[none], None, &[]), &[], &["NO_PO_REF"]);
}

#[test]
fn a_contract_costs_no_more_than_it_may_altogether() {
    let row = ContractRate { rate: None, not_to_exceed: Some(number("50000")), ..contract() };
    let figures = ["billed_before", "billed_now", "not_to_exceed", "excess"];
    let rows = [row];
    check(&verdict("2026-05-31", "1", "1000", &rows, claim("1", "49000"), &[]), &figures, &[]);
    let over = "NOT_TO_EXCEED billed_before=49000.00 billed_now=1500.00 not_to_exceed=50000.00 excess=500.00";
    check(&verdict("2026-05-31", "1", "1500", &rows, claim("1", "49000"), &[]), &figures, &[over]);
}

#[test]
fn what_another_system_credits_makes_room_for_what_was_billed_here() {
    let row = ContractRate { rate: None, not_to_exceed: Some(number("10000")), ..contract() };
    let bill = |credit: bool, since: Option<i64>, on: &str, amount: &str| Bill {
        credit,
        since: since.map(crate::Timestamp),
        approved: true,
        date: Some(day(on)),
        claims: vec![claim("0", amount).unwrap()],
        ..Bill::default()
    };
    let line: &[(&str, &str)] = &[("item", "Dev"), ("quantity", "1"), ("unit_price", "4000")];
    let document = document("invoice", &[("contract_ref", "c-1"), ("issue_date", "2026-06-10")], &[line]);
    let before = |credited_on: &str| {
        let facts = [
            imported(Fact::Contract(row.clone())),
            judged(7, bill(false, Some(1), "2026-03-01", "8000")),
            imported(Fact::Bill(Box::new(bill(true, None, credited_on, "-3000")))),
        ];
        let verdict = verdict_under(&shipped(), &document, &facts);
        let limit = verdict.passed.iter().find(|it| it.rule == "match.not_to_exceed");
        (said(&verdict, &["billed_before"]), limit.and_then(|it| it.operands.get("billed_before").cloned()))
    };
    assert_eq!(before("2026-03-01"), (Vec::new(), Some("5000.00".into())));
    assert_eq!(before("2026-04-01"), (Vec::new(), Some("5000.00".into())));
    // Of what was billed later it can be no credit.
    assert_eq!(before("2026-02-28"), (vec!["NOT_TO_EXCEED billed_before=8000.00".into()], None));
}

#[test]
fn a_contract_with_one_vendor_is_with_it_however_its_rows_write_its_id() {
    let row =
        |vendor: &str, item: &str| ContractRate { vendor_id: vendor.into(), item: Some(item.into()), ..contract() };
    let found = |rows: &[ContractRate]| {
        said(&verdict("2026-05-31", "1", "120", rows, None, &[]), &["agreed_with", "billed_by", "contract"])
    };
    assert_eq!(found(&[row("V1", "DEV"), row("v1", "OPS")]), [""; 0]);
    let two = "CONTRACT_UNKNOWN agreed_with=V1,V2 billed_by=V1 contract=C-1";
    assert!(found(&[row("V1", "DEV"), row("V2", "OPS")]).contains(&two.to_owned()));
}

#[test]
fn a_contract_ends_unless_it_is_renewed() {
    let ended = ContractRate { valid_to: Some(day("2026-03-31")), ..contract() };
    let april = [("period_from", "2026-04-01"), ("period_to", "2026-04-30")];
    let figures = ["days_outside", "valid_to", "served_from", "served_to"];
    let over = "CONTRACT_EXPIRED days_outside=30 valid_to=2026-03-31 served_from=2026-04-01 served_to=2026-04-30";
    check(&verdict("2026-05-02", "1", "120", std::slice::from_ref(&ended), None, &april), &figures, &[over]);
    let march = [("period_from", "2026-03-01"), ("period_to", "2026-03-31")];
    check(&verdict("2026-05-02", "1", "120", std::slice::from_ref(&ended), None, &march), &figures, &[]);
    let renewed = ContractRate { renewal: Some("by a year each year".into()), ..ended };
    check(&verdict("2026-05-02", "1", "120", &[renewed], None, &april), &figures, &[]);
}

#[test]
fn the_contract_says_when_it_is_due() {
    let rows = [ContractRate { payment_days: Some(60), ..contract() }];
    let due = verdict("2026-06-10", "1", "120", &rows, None, &[("due_date", "2026-06-24")]);
    check(&due, &["due_date", "contract_due_date"], &["TERMS due_date=2026-06-24 contract_due_date=2026-08-09"]);
    assert_eq!(due.due_date, Some(day("2026-08-09")));
    let due = verdict("2026-06-10", "1", "120", &rows, None, &[("due_date", "2026-08-09")]);
    check(&due, &[], &[]);
    assert_eq!(due.due_date, None);
    assert_eq!(verdict("2026-06-10", "1", "120", &rows, None, &[]).due_date, Some(day("2026-08-09")));
}

#[test]
fn a_contract_that_is_not_known_or_not_this_vendors_is_held() {
    let figures = ["agreed_with", "agreed"];
    check(&verdict("2026-05-31", "1", "120", &[], None, &[]), &figures, &["CONTRACT_UNKNOWN", "NO_PO_REF"]);
    let theirs = ContractRate { vendor_id: "V2".into(), ..contract() };
    let claimed = verdict("2026-05-31", "1", "120", &[theirs], None, &[("charge_total", "9")]);
    check(&claimed, &figures, &["CONTRACT_UNKNOWN agreed_with=V2"]);
    // Nothing is taken of what another vendor agreed.
    assert_eq!(claimed.bill.unwrap().claims, []);
    let dollars = ContractRate { currency: Some("USD".into()), ..contract() };
    check(&verdict("2026-05-31", "1", "120", &[dollars], None, &[]), &figures, &["CURRENCY agreed=USD"]);
}

#[test]
fn the_contract_of_an_order_holds_for_what_is_billed_of_it() {
    let order = OrderLine {
        contract_id: Some("C-1".into()),
        item: Some("DEV".into()),
        unit: "HUR".into(),
        ..ordered("1", "40", "125")
    };
    let facts = [imported(Fact::Contract(contract())), imported(Fact::OrderLine(order))];
    let line = &[("quantity", "40"), ("net_amount", "5000")][..];
    let verdict = verdict_under(&shipped(), &document("invoice", &[("order_ref", "PO-1")], &[line]), &facts);
    check(&verdict, &["variance"], &["CONTRACT_RATE variance=200.00"]);
    let claims: Vec<(String, Option<String>)> =
        verdict.bill.unwrap().claims.into_iter().map(|claim| (claim.order_id, claim.item)).collect();
    assert_eq!(claims, [("PO-1".into(), Some("DEV".into())), ("C-1".into(), Some("DEV".into()))]);
}

#[test]
fn a_document_without_lines_is_held_where_a_contract_has_rates() {
    let facts = [imported(Fact::Contract(contract()))];
    let document = document("invoice", &[("contract_ref", "C-1"), ("net_total", "100")], &[]);
    check(&verdict_under(&shipped(), &document, &facts), &[], &["CONTRACT_RATE"]);
    let fixed =
        [imported(Fact::Contract(ContractRate { rate: None, not_to_exceed: Some(number("99")), ..contract() }))];
    check(&verdict_under(&shipped(), &document, &fixed), &["excess"], &["NOT_TO_EXCEED excess=1.00"]);
}

#[test]
fn what_is_charged_beside_the_lines_is_tolerated_as_unplanned_delivery() {
    let charged = |amount| verdict("2026-05-31", "1", "120", &[contract()], None, &[("charge_total", amount)]);
    check(&charged("25.00"), &["planned"], &[]);
    check(&charged("25.01"), &["planned", "excess"], &["FREIGHT planned=0.00 excess=25.01"]);
}

#[test]
fn a_blanket_order_may_be_named_in_the_place_of_a_contract_and_no_other_order() {
    let call_off = |blanket| {
        let base =
            OrderLine { order_id: "C-1".into(), blanket, value_limit: Some(number("500")), ..ordered("1", "1", "0") };
        let order = OrderLine { contract_id: Some("C-1".into()), ..ordered("1", "1", "100") };
        let facts = [base, order].map(|line| imported(Fact::OrderLine(line)));
        let line = &[("quantity", "1"), ("net_amount", "100")][..];
        verdict_under(&shipped(), &document("invoice", &[("order_ref", "PO-1")], &[line]), &facts)
    };
    check(&call_off(true), &[], &[]);
    check(&call_off(false), &["contract"], &["CONTRACT_UNKNOWN contract=C-1"]);
}

#[test]
fn lines_in_another_order_come_to_the_same() {
    let row = |rate, tier| ContractRate { rate: Some(number(rate)), tier_from: Some(number(tier)), ..contract() };
    let facts = [row("1.00", "0"), row("0.90", "60")].map(|row| imported(Fact::Contract(row)));
    let lines = [
        &[("item", "DEV"), ("quantity", "50"), ("unit_price", "1.00")][..],
        &[("item", "dev"), ("quantity", "30"), ("unit_price", "0.90")],
        &[("name", "Dev"), ("quantity", "20"), ("unit_price", "1.10")],
    ];
    let verdict = |order: [usize; 3]| {
        let lines: Vec<&[(&str, &str)]> = order.iter().filter_map(|at| lines.get(*at).copied()).collect();
        let verdict = verdict_under(&shipped(), &document("invoice", &[("contract_ref", "C-1")], &lines), &facts);
        said(&verdict, &["billed", "expected", "variance", "quantity"])
    };
    // 50 + 27 + 22 against 60 at 1.00 and 40 at 0.90.
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        assert_eq!(verdict(order), ["CONTRACT_RATE billed=99.00 expected=96.00 variance=3.00 quantity=100"]);
    }
}

/// An invoice over an order that is called off from `B-1`, with these rows behind it: blanket orders with what they name, and
/// contracts.
fn called_off(blankets: &[(&str, &str)], contracts: &[&str]) -> Verdict {
    let order = OrderLine { contract_id: Some("B-1".into()), item: Some("DEV".into()), ..ordered("1", "40", "125") };
    let blanket = |(id, names): &(&str, &str)| OrderLine {
        order_id: (*id).into(),
        blanket: true,
        value_limit: Some(number("9000")),
        contract_id: Some((*names).into()),
        ..ordered("1", "1", "0")
    };
    let contract = |id: &&str| Fact::Contract(ContractRate { contract_id: (*id).into(), ..contract() });
    let orders = blankets.iter().map(blanket).chain([order]).map(Fact::OrderLine);
    let facts: Vec<Stated> = orders.chain(contracts.iter().map(contract)).map(imported).collect();
    let line = &[("quantity", "40"), ("net_amount", "5000")][..];
    verdict_under(&shipped(), &document("invoice", &[("order_ref", "PO-1")], &[line]), &facts)
}

#[test]
fn the_contract_behind_blanket_orders_holds_for_what_is_called_off() {
    let figures = ["contract", "variance"];
    check(&called_off(&[("B-1", "C-1")], &["C-1"]), &figures, &["CONTRACT_RATE contract=C-1 variance=200.00"]);
    let nested = called_off(&[("B-1", "B-2"), ("B-2", "C-1")], &["C-1"]);
    check(&nested, &figures, &["CONTRACT_RATE contract=C-1 variance=200.00"]);
    let claims: Vec<String> = nested.bill.unwrap().claims.into_iter().map(|claim| claim.order_id).collect();
    assert_eq!(claims, ["PO-1", "B-1", "B-2", "C-1"]);
    check(&called_off(&[("B-1", "C-1")], &[]), &figures, &["CONTRACT_UNKNOWN contract=C-1"]);
}

#[test]
fn blanket_orders_are_followed_so_far_and_a_circle_ends() {
    let deep = [("B-1", "B-2"), ("B-2", "B-3"), ("B-3", "C-1")];
    let figures = ["contract", "steps", "expected"];
    check(&called_off(&deep, &["C-1"]), &figures, &["TOO_MANY contract=C-1 steps=4 expected=3"]);
    check(&called_off(&[("B-1", "B-2"), ("B-2", "b-1")], &["C-1"]), &figures, &[]);
    check(&called_off(&[("B-1", "B-1")], &["C-1"]), &figures, &[]);
}

#[test]
fn a_credit_note_that_nobody_let_through_makes_no_room_in_a_contract() {
    let row = ContractRate { rate: None, not_to_exceed: Some(number("500")), ..contract() };
    let bill = |amount: &str, since: i64, approved: bool| Bill {
        credit: amount.starts_with('-'),
        since: Some(crate::Timestamp(since)),
        approved,
        claims: claim("1", amount).into_iter().collect(),
        ..Bill::default()
    };
    let line = &[("item", "Dev"), ("quantity", "1"), ("unit_price", "200")][..];
    let extraction = document("invoice", &[("contract_ref", "C-1")], &[line]);
    let found = |approved: bool| {
        let facts = [
            imported(Fact::Contract(row.clone())),
            judged(7, bill("400", 1, true)),
            judged(8, bill("-400", 2, approved)),
        ];
        said(&verdict_under(&shipped(), &extraction, &facts), &["billed_before"])
    };
    assert_eq!(found(false), ["NOT_TO_EXCEED billed_before=400.00"]);
    assert_eq!(found(true), [""; 0]);
}

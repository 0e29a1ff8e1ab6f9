#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::{Value, json};
use uuid::Uuid;

use super::lines::Lines;
use super::trial::{field, looked_up};
use super::*;
use crate::facts::{Account, ContractRate, Fact, Stated, wanted};
use crate::{CaseId, Timestamp};

pub(super) const TODAY: &str = "2026-06-15";

pub(super) fn number(text: &str) -> Decimal {
    Decimal::from_str(text).unwrap()
}

pub(super) fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub(super) fn shipped() -> Policy {
    with_tolerances(str::to_owned)
}

/// The shipped policies, with another page of tolerances.
pub(super) fn with_tolerances(change: impl FnOnce(&str) -> String) -> Policy {
    let [checkpoints, tolerances, retention] = crate::SHIPPED;
    Policy::parse([checkpoints, &change(tolerances), retention]).unwrap()
}

/// A fact that was brought in.
pub(super) fn imported(fact: Fact) -> Stated {
    Stated { fact, case: None, by: "usr_import".into(), known_from: Timestamp(1_780_000_000_000_000) }
}

/// What an earlier case says.
pub(super) fn judged(case: u128, bill: Bill) -> Stated {
    let case = Some(CaseId(Uuid::from_u128(case)));
    Stated { case, ..imported(Fact::Bill(Box::new(bill))) }
}

/// A document of vendor V1 as a reader gives it: fields and lines by their names, `-` for one that is not there.
pub(super) fn document(kind: &str, fields: &[(&str, &str)], lines: &[&[(&str, &str)]]) -> Extraction {
    let usual = [
        ("number", "INV-1001"),
        ("issue_date", "2026-06-10"),
        ("currency", "EUR"),
        ("seller_name", "Nordwind GmbH"),
        ("seller_vat_id", "DE129273398"),
        ("iban", "DE89370400440532013000"),
    ];
    let values: BTreeMap<&str, &str> =
        usual.iter().chain(fields).copied().filter(|(name, _)| !name.is_empty()).collect();
    let values = values.into_iter().filter(|(_, value)| *value != "-");
    let values: BTreeMap<&str, Value> = values.map(|(name, value)| (name, field(value))).collect();
    let line = |line: &&[(&str, &str)]| {
        json!(line.iter().map(|(name, value)| (*name, field(value))).collect::<BTreeMap<_, _>>())
    };
    let answer = json!({
        "kind": kind, "format": "ubl", "coverage": {"pages": 1, "read": 1, "hidden_text": 0},
        "fields": values, "lines": lines.iter().map(line).collect::<Vec<_>>(),
    });
    Extraction::from_untrusted(answer.to_string().as_bytes()).unwrap()
}

pub(super) fn vendor(id: &str, vat_id: &str, iban: Option<&str>) -> Vendor {
    Vendor {
        vendor_id: id.into(),
        name: if id == "V1" { "Nordwind GmbH".into() } else { format!("{id} GmbH") },
        vat_id: Some(vat_id.into()),
        tax_id: None,
        country: Some("DE".into()),
        iban: iban.map(Into::into),
        bic: None,
        group: None,
        valid_from: None,
    }
}

/// Vendor V1 with the account that it came with.
pub(super) fn vendor_with_account() -> Vec<Stated> {
    let vendor = vendor("V1", "DE129273398", Some("DE89370400440532013000"));
    let account = vendor.account(true, "usr_import", Timestamp(1_700_000_000_000_000)).unwrap();
    vec![imported(Fact::Vendor(vendor)), imported(Fact::Account(account))]
}

pub(super) fn account(vendor: &str, iban: &str, approved_from: Option<&str>) -> Account {
    Account {
        vendor_id: vendor.into(),
        iban: iban.into(),
        bic: None,
        approved_from: approved_from.map(day),
        approved_to: None,
        proposed_on: None,
        maker: "usr_import".into(),
        checker: None,
        call: None,
        payee_check: None,
    }
}

/// A line of order PO-1 with vendor V1: two-way, in pieces.
pub(super) fn ordered(line: &str, quantity: &str, price: &str) -> OrderLine {
    OrderLine {
        order_id: "PO-1".into(),
        vendor_id: "V1".into(),
        currency: "EUR".into(),
        line: line.into(),
        quantity: number(quantity),
        unit: "EA".into(),
        unit_price: number(price),
        match_level: 2,
        ..OrderLine::default()
    }
}

pub(super) fn verdict_under(policy: &Policy, extraction: &Extraction, facts: &[Stated]) -> Verdict {
    let all: Vec<Stated> = vendor_with_account().into_iter().chain(facts.iter().cloned()).collect();
    let known = looked_up(extraction, &all, policy);
    let verdict = reconcile(extraction, &known, policy, day(TODAY));
    // A verdict can be made again from what it says of itself.
    for finding in verdict.findings.iter().filter(|finding| finding.basis.is_some()) {
        assert_eq!(finding.again(), Some(finding.code), "{finding:?}");
    }
    for passed in &verdict.passed {
        assert_eq!(passed.code(), None, "{passed:?}");
    }
    verdict
}

/// Every finding as its code and those of its figures that are asked for, in the order of the codes.
pub(super) fn said(verdict: &Verdict, figures: &[&str]) -> Vec<String> {
    let figure = |finding: &Finding, name: &str| Some(format!(" {name}={}", finding.operands.get(name)?));
    let mut said: Vec<String> = (verdict.findings.iter())
        .map(|finding| {
            let figures = figures.iter().filter_map(|name| figure(finding, name)).collect::<String>();
            format!("{}{figures}", finding.code.name())
        })
        .collect();
    said.sort_unstable();
    said
}

/// Which order lines an invoice line is for; `lines` of the order as number, item and description.
#[track_caller]
fn check(billed: (Option<&str>, Option<&str>, &str), lines: &[(&str, Option<&str>, &str)], expected: &[&str]) {
    let (order_line, item, name) = billed;
    let mut line = Invoice::of(&document("invoice", &[], &[&[]])).0.lines.remove(0);
    line.order_line = order_line.map(Into::into);
    line.item = item.map(Into::into);
    line.name = Some(name.into());
    let order = |(number, item, description): &(&str, Option<&str>, &str)| OrderLine {
        item: item.map(Into::into),
        description: Some((*description).into()),
        ..ordered(number, "1", "1")
    };
    let order: Vec<OrderLine> = lines.iter().map(order).collect();
    let fitting = Lines::of(order.iter().collect()).fitting(&line);
    assert_eq!(fitting.into_iter().map(|line| line.line.as_str()).collect::<Vec<_>>(), expected, "{billed:?}");
}

#[test]
fn the_order_line_is_the_one_named_or_the_only_one_that_can_be_meant() {
    let two = [("10", Some("A-1"), "Bolts M6"), ("20", Some("A-2"), "Nuts M6")];
    check((Some("20"), None, "anything"), &two, &["20"]);
    check((Some("30"), Some("A-1"), "Bolts M6"), &two, &[]);
    check((None, Some("a 1"), "anything"), &two, &["10"]);
    check((None, None, "NUTS, M6"), &two, &["20"]);
    check((None, None, "Washers"), &two, &[]);
    check((None, None, "Washers"), &[("10", None, "Bolts")], &["10"]);
    check((None, None, "Bolts"), &[], &[]);
}

#[test]
fn where_two_order_lines_fit_none_is_guessed() {
    check((None, None, "Bolts"), &[("10", None, "Bolts"), ("20", None, "bolts")], &[]);
    check((Some("10"), None, "Bolts"), &[("10", None, "Bolts"), ("10", None, "Nuts")], &[]);
}

#[test]
fn order_lines_that_are_alike_are_billed_one_after_the_other() {
    check(
        (None, Some("A-1"), "Bolts"),
        &[("10", Some("A-1"), "Bolts"), ("20", Some("a 1"), "Bolts M6")],
        &["10", "20"],
    );
}

#[test]
fn delivery_costs_are_not_the_one_thing_that_was_ordered() {
    check((None, None, "Freight"), &[("10", None, "Bolts")], &[]);
    check((None, None, "Versandkosten"), &[("10", None, "Bolts")], &[]);
    check((None, None, "Freight to Hamburg"), &[("10", None, "Freight")], &["10"]);
    check((Some("10"), None, "Freight"), &[("10", None, "Bolts")], &["10"]);
}

#[test]
fn units_are_the_same_by_code_or_by_name_and_never_by_likeness() {
    for (left, right) in [("C62", "EA"), ("Stk.", "pcs"), ("HUR", "Std."), ("kg", "KGM"), ("roll", "ROLL")] {
        assert!(same_unit(left, right), "{left} {right}");
    }
    for (left, right) in [("EA", "BOX"), ("M", "MON"), ("KGM", "G"), ("H", "D")] {
        assert!(!same_unit(left, right), "{left} {right}");
    }
}

#[test]
fn a_vat_id_is_the_same_with_or_without_its_country() {
    for (known, billed, same) in [
        ("DE129273398", "DE129273398", true),
        ("129273398", "DE129273398", true),
        ("DE129273398", "DE136695976", false),
        ("DE129273398", "8", false),
        ("DE129273398", "FR129273398", false),
    ] {
        let extraction = document("invoice", &[("seller_vat_id", billed), ("iban", "-")], &[]);
        let facts = [imported(Fact::Vendor(vendor("V1", known, None)))];
        let known_facts = looked_up(&extraction, &facts, &shipped());
        let verdict = reconcile(&extraction, &known_facts, &shipped(), day(TODAY));
        let unknown = verdict.findings.iter().any(|finding| finding.code == Code::VendorUnknown);
        assert_eq!(unknown, !same, "{known} {billed}");
    }
}

/// As many lines as add up to more than there are figures for.
fn vast() -> Extraction {
    let line: &[(&str, &str)] =
        &[("quantity", "10000000000000"), ("unit_price", "10000000000000"), ("vat_rate", "19"), ("order_line", "1")];
    let fields = [
        ("order_ref", "PO-1"),
        ("net_total", "100.00"),
        ("line_total", "100.00"),
        ("tax_total", "19.00"),
        ("gross_total", "119.00"),
    ];
    document("invoice", &fields, &vec![line; 900])
}

#[test]
fn a_document_that_adds_up_to_more_than_there_are_figures_for_is_held() {
    let extraction = vast();
    let found = crate::validate(&extraction, &shipped(), day(TODAY));
    assert_eq!(found.iter().filter(|it| it.code == Code::Missing && it.rule == "BR-24").count(), 900);
    let row = "\n[[tolerance]]\nid = \"total\"\nkind = \"PRICE_TOTAL\"\nupper_abs = \"5\"\n";
    for policy in [shipped(), with_tolerances(|text| format!("{text}{row}"))] {
        let order = imported(Fact::OrderLine(ordered("1", "100", "10000000000000")));
        let verdict = verdict_under(&policy, &extraction, &[order]);
        assert!(verdict.findings.iter().any(|it| it.code == Code::Unreadable && it.rule == "match.range"));
        assert!(verdict.findings.iter().any(|it| it.code == Code::QtyOrd));
    }
}

#[test]
fn bills_that_do_not_add_up_are_held() {
    let claim = Claim {
        order_id: "PO-1".into(),
        line: "1".into(),
        quantity: crate::invoice::product(crate::AMOUNT_MAX, crate::AMOUNT_MAX).unwrap(),
        amount: crate::invoice::product(crate::AMOUNT_MAX, crate::AMOUNT_MAX).unwrap(),
        ..Claim::default()
    };
    let bill = Bill { number: Some("INV-7".into()), claims: vec![claim; 900], ..Bill::default() };
    let line: &[(&str, &str)] = &[("quantity", "1"), ("unit_price", "10.00"), ("net_amount", "10.00")];
    let extraction = document("invoice", &[("order_ref", "PO-1"), ("net_total", "10.00")], &[line]);
    let facts = [imported(Fact::OrderLine(ordered("1", "100", "10.00"))), judged(7, bill)];
    let verdict = verdict_under(&shipped(), &extraction, &facts);
    assert!(verdict.findings.iter().any(|it| it.code == Code::Unreadable && it.rule == "match.range"), "{verdict:?}");
}

/// Of 100 ordered, 100 were billed and 50 credited; 50 are billed now, or credited now.
#[test]
fn a_credit_note_that_nobody_let_through_makes_no_room_and_leaves_less_to_credit() {
    let of = |credit: bool, quantity: i64, approved: bool, since: i64| Bill {
        credit,
        since: Some(Timestamp(since)),
        approved,
        number: Some(format!("N-{since}")),
        claims: vec![Claim {
            order_id: "PO-1".into(),
            line: "1".into(),
            quantity: quantity.into(),
            amount: (quantity * 10).into(),
            ..Claim::default()
        }],
        ..Bill::default()
    };
    let line: &[(&str, &str)] = &[("quantity", "50"), ("unit_price", "10.00"), ("net_amount", "500.00")];
    let found = |kind: &str, approved: bool, credited: i64| {
        let extraction = document(kind, &[("order_ref", "PO-1"), ("net_total", "500.00")], &[line]);
        let order = imported(Fact::OrderLine(ordered("1", "100", "10.00")));
        let facts = [order, judged(7, of(false, 100, true, 1)), judged(8, of(true, -credited, approved, 2))];
        said(&verdict_under(&shipped(), &extraction, &facts), &[])
    };
    assert!(found("invoice", false, 50).contains(&"QTY_ORD".to_owned()));
    assert!(!found("invoice", true, 50).contains(&"QTY_ORD".to_owned()));
    assert!(!found("credit_note", false, 50).contains(&"CREDIT_EXCEEDS".to_owned()));
    assert!(found("credit_note", false, 51).contains(&"CREDIT_EXCEEDS".to_owned()));
}

#[test]
fn ids_are_the_same_as_their_keys_are() {
    assert!(same_id("büro-17", " BÜRO-17 "));
    assert!(!same_id("büro-17", "BURO-17"));
}

#[test]
fn a_cent_for_nothing_is_no_printed_price() {
    let line: &[(&str, &str)] = &[("quantity", "1"), ("unit_price", "0.00"), ("net_amount", "0.01")];
    let invoice = Invoice::of(&document("invoice", &[], &[line])).0;
    assert_eq!(invoice.lines[0].price_of_one(), Some(number("0.01")));
}

#[test]
fn a_line_over_several_order_lines_that_are_alike_is_held_to_its_limit_once() {
    let alike = |line: &str| OrderLine { item: Some("A-1".into()), ..ordered(line, "1000", "0.40") };
    let line: &[(&str, &str)] =
        &[("item", "A-1"), ("quantity", "2000"), ("unit_price", "0.405"), ("net_amount", "810.00")];
    let extraction = document("invoice", &[("order_ref", "PO-1"), ("net_total", "810.00")], &[line]);
    let limits = |text: &str| text.replace("upper_abs = \"50.00\"", "upper_abs = \"5.00\"");
    let facts = ["1", "2"].map(|line| imported(Fact::OrderLine(alike(line))));
    let verdict = verdict_under(&with_tolerances(limits), &extraction, &facts);
    assert!(said(&verdict, &["variance"]).contains(&"PRICE variance=10.00".to_owned()), "{:?}", verdict.findings);
}

#[test]
fn a_second_rate_of_vat_hides_none_that_was_not_ordered() {
    let order = OrderLine { tax_rate: Some(number("7")), ..ordered("1", "90", "10.00") };
    let line: &[(&str, &str)] = &[("quantity", "90"), ("unit_price", "10.00"), ("net_amount", "900.00")];
    let mut extraction = document("invoice", &[("order_ref", "PO-1"), ("net_total", "900.00")], &[line]);
    let group = |rate: &str, taxable: &str| json!({"category": field("S"), "rate": field(rate), "taxable": field(taxable), "tax": field("0.00")});
    let groups = json!([group("19", "899.99"), group("7", "0.01")]);
    extraction.fields.vat_breakdown = serde_json::from_value(groups).unwrap();
    let verdict = verdict_under(&shipped(), &extraction, &[imported(Fact::OrderLine(order))]);
    assert!(said(&verdict, &["found"]).contains(&"TAX_RATE found=19".to_owned()), "{:?}", verdict.findings);
}

/// A bill over 600 of order PO-1, as it was booked here, or with an empty line as another system says it.
fn of_600(line: &str) -> Bill {
    let quantity = if line.is_empty() { 0 } else { 60 };
    let claim = Claim { order_id: "PO-1".into(), line: line.into(), quantity: quantity.into(), ..Claim::default() };
    Bill {
        since: (!line.is_empty()).then_some(Timestamp(2)),
        approved: !line.is_empty(),
        vendor_id: Some("V1".into()),
        number: Some("N-7".into()),
        date: Some(day("2026-05-04")),
        currency: Some("EUR".into()),
        gross: Some(714.into()),
        claims: vec![Claim { amount: 600.into(), ..claim }],
        ..Bill::default()
    }
}

/// What is found of so many pieces, of 100 ordered at 10, beside a bill that was judged here and one that was brought in.
fn found_beside(here: Bill, again: Bill, quantity: &str) -> Vec<String> {
    let net = (number(quantity) * number("10.00")).to_string();
    let line: &[(&str, &str)] = &[("quantity", quantity), ("unit_price", "10.00"), ("net_amount", &net)];
    let extraction = document("invoice", &[("order_ref", "PO-1"), ("net_total", &net)], &[line]);
    let order = imported(Fact::OrderLine(ordered("1", "100", "10.00")));
    let facts = [order, judged(7, here), imported(Fact::Bill(Box::new(again)))];
    said(&verdict_under(&shipped(), &extraction, &facts), &["billed_before"])
}

#[test]
fn what_was_booked_here_and_brought_in_again_counts_once() {
    let again = Bill { number: Some("n 7".into()), gross: Some(number("714.00")), ..of_600("") };
    assert_eq!(found_beside(of_600("1"), again, "40"), [""; 0]);
    // A number is used again: on another day, over another amount.
    for other in [
        Bill { number: Some("N-8".into()), ..of_600("") },
        Bill { date: Some(day("2025-05-04")), ..of_600("") },
        Bill { gross: Some(715.into()), ..of_600("") },
        Bill { currency: Some("USD".into()), ..of_600("") },
        Bill { gross: None, ..of_600("") },
    ] {
        assert_eq!(found_beside(of_600("1"), other, "40"), ["PRICE_TOTAL billed_before=1200.00"]);
    }
}

#[test]
fn a_small_bill_hides_nothing_that_another_system_billed_under_its_number() {
    let small = |approved: bool, gross: &str| {
        let mut bill = Bill { approved, gross: Some(number(gross)), ..of_600("1") };
        (bill.claims[0].quantity, bill.claims[0].amount) = (number("0.1"), number("1.00"));
        bill
    };
    let held = ["PRICE_TOTAL billed_before=601.00"];
    for bill in [small(false, "1.19"), small(true, "1.19"), small(false, "714")] {
        assert_eq!(found_beside(bill, of_600(""), "99.9"), held);
    }
}

fn billed_of_its_order(here: Bill, place: Option<i64>) -> Option<Decimal> {
    let order = imported(Fact::OrderLine(ordered("1", "100", "10.00")));
    let facts = [order, judged(7, here), imported(Fact::Bill(Box::new(of_600(""))))];
    let line: &[(&str, &str)] = &[("quantity", "60"), ("unit_price", "10.00"), ("net_amount", "600.00")];
    let extraction = document("invoice", &[("order_ref", "PO-1"), ("net_total", "600.00")], &[line]);
    let all: Vec<Stated> = vendor_with_account().into_iter().chain(facts).collect();
    let known = Known::since(place.map(Timestamp)).look_up(&all, |known| wanted(&extraction, known, &shipped()));
    ledger::billed(known.claims("PO-1"))
}

#[test]
fn what_came_later_takes_no_place_by_its_copy_in_another_system_either() {
    assert_eq!(billed_of_its_order(of_600("1"), Some(1)), Some(0.into()));
    assert_eq!(billed_of_its_order(of_600("1"), Some(2)), Some(600.into()));
}

#[test]
fn a_case_that_takes_nothing_of_an_order_stands_for_no_copy_that_does() {
    assert_eq!(billed_of_its_order(Bill { claims: Vec::new(), ..of_600("1") }, Some(2)), Some(600.into()));
}

#[test]
fn an_order_and_a_contract_with_one_id_are_each_billed_once() {
    let order = OrderLine { order_id: "4711".into(), contract_id: Some("4711".into()), ..ordered("1", "100", "10.00") };
    let contract = ContractRate {
        contract_id: "4711".into(),
        vendor_id: "V1".into(),
        valid_from: day("2026-01-01"),
        valid_to: None,
        currency: Some("EUR".into()),
        item: None,
        rate: None,
        index_cap_percent: None,
        tier_from: None,
        not_to_exceed: Some(1000.into()),
        payment_days: None,
        renewal: None,
    };
    let mut facts = vec![imported(Fact::OrderLine(order)), imported(Fact::Contract(contract))];
    let verdict = |id: &str, quantity: &str, net: &str, facts: &[Stated]| {
        let line: &[(&str, &str)] = &[("quantity", quantity), ("unit_price", "10.00"), ("net_amount", net)];
        let fields = [("number", id), ("order_ref", "4711"), ("net_total", net)];
        verdict_under(&shipped(), &document("invoice", &fields, &[line]), facts)
    };
    let first = verdict("N-1", "40", "400.00", &facts).bill.unwrap();
    assert_eq!(first.claims.len(), 2, "of the order's line, and of the contract");
    facts.push(judged(7, Bill { since: Some(Timestamp(1)), ..first }));
    assert_eq!(said(&verdict("N-2", "60", "600.00", &facts), &["billed_before"]), [""; 0]);
    let mut elsewhere = Bill { number: Some("N-3".into()), ..of_600("") };
    (elsewhere.claims[0].order_id, elsewhere.claims[0].amount) = ("4711".into(), 100.into());
    facts.push(imported(Fact::Bill(Box::new(elsewhere))));
    assert_eq!(said(&verdict("N-4", "50", "500.00", &facts), &["billed_before"]), [""; 0]);
}

#[test]
fn an_order_with_one_vendor_is_with_it_however_its_lines_write_its_id() {
    let line = |vendor: &str, line: &str| {
        imported(Fact::OrderLine(OrderLine { vendor_id: vendor.into(), ..ordered(line, "10", "10.00") }))
    };
    let billed: &[(&str, &str)] =
        &[("order_line", "1"), ("quantity", "10"), ("unit_price", "10.00"), ("net_amount", "100.00")];
    let extraction = document("invoice", &[("order_ref", "PO-1"), ("net_total", "100.00")], &[billed]);
    let found = |second: &str| {
        said(&verdict_under(&shipped(), &extraction, &[line("V1", "1"), line(second, "2")]), &["ordered_from"])
    };
    assert_eq!(found("v1"), [""; 0]);
    assert_eq!(found("V2"), ["VENDOR_MISMATCH ordered_from=V1,V2"]);
}

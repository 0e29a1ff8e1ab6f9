//! Which bills a payment settles, what a vendor's statement says beside ours, and which credit notes have not come.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;

use case::{
    Account, Bill, CaseId, Claim, Compared, Fact, Finding, Key, Known, LineStanding, LookedUp, OrderLine, Outstanding,
    Payment, Receipt, Settlement, Stated, StatementLine, Timestamp, compare_statement, outstanding, settle,
    wanted_of_payment, wanted_of_returns, wanted_of_statement,
};
use jiff::civil::{Date, date};
use proptest::prelude::*;
use rust_decimal::Decimal;

const APPROVED: &str = "DE89370400440532013000";
const OTHER: &str = "DE02120300000000202051";
const DAY: Date = date(2026, 6, 15);

fn amount(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn bill(vendor: &str, number: &str, gross: &str) -> Bill {
    Bill {
        vendor_id: Some(vendor.into()),
        cluster: format!("vendor:{vendor}"),
        number: Some(number.into()),
        date: Some(date(2026, 6, 1)),
        currency: Some("EUR".into()),
        gross: Some(amount(gross)),
        ..Bill::default()
    }
}

fn credit(vendor: &str, number: &str, gross: &str) -> Bill {
    Bill { credit: true, ..bill(vendor, number, gross) }
}

fn payment(paid: &str, text: &str, iban: Option<&str>) -> Payment {
    Payment {
        payment_id: format!("{paid} {text}"),
        date: DAY,
        amount: amount(paid),
        currency: "EUR".into(),
        iban: iban.map(Into::into),
        text: text.into(),
    }
}

fn account(vendor: &str, iban: &str, from: Option<Date>, to: Option<Date>) -> Fact {
    Fact::Account(Account {
        vendor_id: vendor.into(),
        iban: iban.into(),
        bic: None,
        approved_from: from,
        approved_to: to,
        proposed_on: None,
        maker: "m".into(),
        checker: Some("c".into()),
        call: None,
        payee_check: None,
    })
}

fn approved(vendor: &str) -> Fact {
    account(vendor, APPROVED, Some(date(2026, 1, 1)), None)
}

fn known(facts: &[Fact], wanted: impl Fn(&Known) -> BTreeSet<Key>) -> Known {
    let stated = |fact: &Fact| Stated { fact: fact.clone(), case: None, by: "x".into(), known_from: Timestamp(0) };
    Known::default().look_up(&facts.iter().map(stated).collect::<Vec<_>>(), wanted)
}

fn settled(facts: &[Fact], payment: &Payment) -> Settlement {
    settle(payment, &known(facts, |known| wanted_of_payment(payment, known)))
}

fn bills(bills: &[Bill]) -> Vec<Fact> {
    bills.iter().map(|bill| Fact::Bill(Box::new(bill.clone()))).collect()
}

fn codes(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.code.name()).collect()
}

/// `number amount/open`, `?number` where it is only suggested, and the codes.
fn said(it: &Settlement) -> String {
    let shares = it
        .shares
        .iter()
        .map(|share| format!("{} {}/{}", share.number.as_deref().unwrap_or("-"), share.amount, share.open));
    let suggested = it.suggested.iter().map(|share| format!("?{}", share.number.as_deref().unwrap_or("-")));
    let codes = it.findings.iter().map(|finding| finding.code.name().to_owned());
    let mut parts: Vec<String> = shares.chain(suggested).collect();
    parts.sort_unstable();
    parts.into_iter().chain(codes).collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn check(facts: &[Fact], payment: &Payment, expected: &str) {
    let found = settled(facts, payment);
    assert_eq!(said(&found), expected, "{:?}", found.findings);
    let mut turned = facts.to_vec();
    turned.reverse();
    assert_eq!(settled(&turned, payment), found, "the order in which facts are found changes nothing");
    for finding in &found.findings {
        assert_eq!(finding.again(), Some(finding.code), "{finding:?}");
        assert!(finding.basis.is_some(), "{finding:?}");
    }
    assert!(found.passed.iter().all(|it| it.code().is_none()));
    let fact = Fact::Settlement(Box::new(found));
    assert_eq!(serde_json::from_str::<Fact>(&serde_json::to_string(&fact).unwrap()).unwrap(), fact);
}

#[test]
fn a_payment_that_names_two_invoices_settles_both_once() {
    let mut facts = bills(&[bill("V1", "1001", "1190"), bill("V1", "1002", "1190.00"), bill("V1", "1003", "1190")]);
    facts.push(approved("V1"));
    let paid = payment("-2380.00", "1001 1002", Some(APPROVED));
    check(&facts, &paid, "1001 1190/0, 1002 1190/0");
    let first = settled(&facts, &paid);
    facts.push(Fact::Settlement(Box::new(first.clone())));
    assert_eq!(settled(&facts, &paid), first, "a second run creates nothing");
    // Whoever pays again pays twice.
    let again = Payment { payment_id: "another".into(), ..paid };
    check(&facts, &again, "OVERPAID");
    // The same without an account, as some statements are.
    check(
        &bills(&[bill("V1", "1001", "1190"), bill("V1", "1002", "1190")]),
        &payment("-2380", "1001 1002", None),
        "1001 1190/0, 1002 1190/0",
    );
}

#[test]
fn a_part_leaves_the_rest_open_and_the_rest_closes_it() {
    let mut facts = bills(&[bill("V1", "RE-1001", "1190.00")]);
    facts.push(approved("V1"));
    let part = payment("-500", "Teilzahlung RE 1001", Some(APPROVED));
    check(&facts, &part, "RE-1001 500/690");
    facts.push(Fact::Settlement(Box::new(settled(&facts, &part))));
    check(&facts, &payment("-690", "", Some(APPROVED)), "RE-1001 690/0");
    check(&facts, &payment("-690", "RE1001", None), "RE-1001 690/0");
    check(&facts, &payment("-1190", "RE-1001", None), "RE-1001 690/0, OVERPAID");
    check(&facts, &payment("-1190", "", Some(APPROVED)), "");
}

#[test]
fn what_two_vendors_are_owed_is_never_guessed() {
    let facts = bills(&[bill("V1", "1001", "1190"), bill("V2", "77001", "1190")]);
    check(&facts, &payment("-1190.00", "", None), "?1001, ?77001, AMBIGUOUS");
    let mut facts = facts;
    facts.push(approved("V1"));
    check(&facts, &payment("-1190.00", "", Some(APPROVED)), "1001 1190/0");
    facts.extend(bills(&[bill("V1", "1009", "1190")]));
    check(&facts, &payment("-1190.00", "", Some(APPROVED)), "?1001, ?1009, AMBIGUOUS");
    // One number of two vendors: the account says whose, or nobody.
    let mut facts = bills(&[bill("V1", "1001", "1190"), bill("V2", "1001", "1190")]);
    check(&facts, &payment("-1190", "1001", None), "?1001, ?1001, AMBIGUOUS");
    facts.push(approved("V2"));
    let found = settled(&facts, &payment("-1190", "1001", Some(APPROVED)));
    assert_eq!(found.shares[0].vendor_id.as_deref(), Some("V2"));
}

#[test]
fn money_that_left_to_an_account_nobody_approved_is_found() {
    let facts = |of: Fact| [bills(&[bill("V1", "1001", "1190")]), vec![of]].concat();
    let paid = payment("-1190", "1001", Some("DE89 3704 0044 0532 0130 00"));
    check(&facts(approved("V1")), &paid, "1001 1190/0");
    check(&facts(account("V1", OTHER, Some(date(2026, 1, 1)), None)), &paid, "1001 1190/0, PAID_UNAPPROVED");
    check(&facts(account("V1", APPROVED, None, None)), &paid, "1001 1190/0, PAID_UNAPPROVED");
    check(&facts(account("V1", APPROVED, Some(DAY), Some(DAY))), &paid, "1001 1190/0");
    check(&facts(account("V1", APPROVED, Some(date(2026, 6, 16)), None)), &paid, "1001 1190/0, PAID_UNAPPROVED");
    check(
        &facts(account("V1", APPROVED, Some(date(2026, 1, 1)), Some(date(2026, 6, 14)))),
        &paid,
        "1001 1190/0, PAID_UNAPPROVED",
    );
    check(&facts(approved("V2")), &paid, "1001 1190/0, PAID_UNAPPROVED");
    // Another amount to another account may be for something else: nothing is settled.
    let other = payment("-900", "1001", Some(OTHER));
    check(&facts(approved("V1")), &other, "?1001, PAID_UNAPPROVED");
    // The account that the invoice names, which nobody approved, and no word of the invoice.
    let forged = Bill { iban: Some(OTHER.into()), ..bill("V1", "1001", "1190") };
    let facts = [bills(&[forged]), vec![approved("V1")]].concat();
    check(&facts, &payment("-1190", "thank you", Some(OTHER)), "?1001, PAID_UNAPPROVED");
    let found = settled(&facts, &paid);
    assert_eq!(codes(&found.findings), [""; 0]);
    assert_eq!(found.passed.last().unwrap().operands["approved"], APPROVED);
}

#[test]
fn an_amount_alone_is_a_suggestion() {
    let facts = [bills(&[bill("V1", "1001", "1190")]), vec![approved("V1")]].concat();
    check(&facts, &payment("-1190", "", None), "?1001, AMBIGUOUS");
    check(&facts, &payment("-1190", "", Some(OTHER)), "?1001, AMBIGUOUS");
    check(&facts, &payment("-1190", "", Some(APPROVED)), "1001 1190/0");
    for nothing in
        [payment("-4.90", "Entgelt 06/2026", None), payment("1190", "", Some(APPROVED)), payment("0", "1001", None)]
    {
        let found = settled(&facts, &nothing);
        assert!(found.unmatched() && found.findings.is_empty(), "{found:?}");
    }
}

#[test]
fn money_that_comes_in_is_for_credit_notes() {
    let facts = [bills(&[bill("V1", "1001", "1190"), credit("V1", "CN-501", "119")]), vec![approved("V1")]].concat();
    check(&facts, &payment("119", "refund CN-501", Some(APPROVED)), "CN-501 119/0");
    check(&facts, &payment("119", "refund", Some(APPROVED)), "CN-501 119/0");
    check(&facts, &payment("119", "refund", None), "?CN-501, AMBIGUOUS");
    check(&facts, &payment("-119", "", Some(APPROVED)), "");
    // An invoice less a credit note is paid at once.
    check(&facts, &payment("-1071", "1001 ./. CN 501", Some(APPROVED)), "1001 1190/0, CN-501 119/0");
    // Money for an invoice came back, or money went out for a credit note.
    check(&facts, &payment("1190", "1001", Some(APPROVED)), "AMBIGUOUS");
    check(&facts, &payment("-119", "CN-501", Some(APPROVED)), "AMBIGUOUS");
}

#[test]
fn of_several_named_bills_only_what_makes_the_amount_is_settled() {
    let facts = bills(&[
        bill("V1", "1001", "100"),
        bill("V1", "1002", "200"),
        bill("V1", "1003", "300"),
        bill("V1", "2026", "55"),
    ]);
    check(&facts, &payment("-300.00", "1001 1002, 15.06.2026", None), "1001 100/0, 1002 200/0");
    check(&facts, &payment("-300.00", "1001 1002 1003", None), "?1001, ?1002, ?1003, AMBIGUOUS");
    check(&facts, &payment("-250.00", "1001 1002", None), "?1001, ?1002, AMBIGUOUS");
    check(&facts, &payment("-301.00", "1001 1002", None), "1001 100/0, 1002 200/0, OVERPAID");
    let many: Vec<Bill> = (1001..1014).map(|number| bill("V1", &number.to_string(), "1")).collect();
    let text = (1001..1014).map(|number| number.to_string()).collect::<Vec<_>>().join(" ");
    check(&bills(&many), &payment("-13", &text, None), "TOO_MANY");
}

#[test]
fn a_number_is_found_however_it_is_written_and_cut() {
    let facts = bills(&[bill("V1", "RE-2026/00114", "10"), bill("V1", "1001", "10"), bill("V2", "10011002", "20")]);
    for text in ["SVWZ+RE-2026-00114", "Rechnung RE2026/0 0114 vom 1.6.", "re 2026 00114", "RG.NR.RE-2026-OO114"] {
        check(&facts, &payment("-10", text, None), "RE-2026/00114 10/0");
    }
    // `1001 1002` may be one number.
    check(&facts, &payment("-10", "1001 1002", None), "1001 10/0");
    check(&facts, &payment("-20", "1001 1002", None), "10011002 20/0");
    check(&facts, &payment("-15", "1001 1002", None), "?1001, ?10011002, AMBIGUOUS");
}

#[test]
fn what_cannot_be_compared_is_a_finding() {
    let dollars = Bill { currency: Some("USD".into()), ..bill("V1", "1001", "10") };
    check(&bills(&[dollars]), &payment("-10", "1001", None), "AMBIGUOUS");
    let blank = Bill { gross: None, ..bill("V1", "1001", "10") };
    check(&bills(&[blank]), &payment("-10", "1001", None), "AMBIGUOUS");
    let paid = Bill { paid_on: Some(date(2026, 6, 2)), ..bill("V1", "1001", "10") };
    check(&bills(&[paid]), &payment("-10", "1001", None), "OVERPAID");
    let many: Vec<Bill> = (0..30).map(|number| bill("V1", &format!("{}", 5000 + number), "10")).collect();
    let found = settled(&bills(&many), &payment("-10", "", None));
    assert_eq!((codes(&found.findings), found.suggested.len(), found.shares.len()), (vec!["AMBIGUOUS"], 12, 0));
    let payment = payment("-10", "1001", None);
    let mut known = known(&bills(&[bill("V1", "1001", "10")]), |known| wanted_of_payment(&payment, known));
    let key = Key::any_number("1001");
    let facts = known.stated(&key).to_vec();
    known.put(key, LookedUp { facts, cut: true });
    assert_eq!(said(&settle(&payment, &known)), "TOO_MANY");
}

proptest! {
    #[test]
    fn no_text_or_amount_breaks_the_search_or_pays_more_than_is_open(
        text in "(1001|1002|RE|[ -/]|\\PC|[0-9A-Z]{1,6}){0,60}", cents in -1_000_000_i64..1_000_000, account in 0..3_usize,
    ) {
        let iban = [None, Some(APPROVED), Some(OTHER)][account];
        let paid = Payment { amount: Decimal::new(cents, 2), ..payment("0", &text, iban) };
        let all = [bill("V1", "1001", "1190"), bill("V1", "RE-1002", "0.01"), credit("V2", "1002", "20")];
        let facts = [bills(&all), vec![approved("V1")]].concat();
        let found = settled(&facts, &paid);
        let due: Decimal = found.shares.iter().map(|share| if share.credit { -share.amount } else { share.amount }).sum();
        prop_assert!(due.abs() <= paid.amount.abs());
        prop_assert!(found.shares.iter().all(|share| !share.open.is_sign_negative() && !share.amount.is_sign_negative()));
        prop_assert!(found.findings.iter().all(|finding| finding.again() == Some(finding.code)));
    }
}

fn line(number: &str, gross: &str, open: Option<&str>) -> StatementLine {
    StatementLine {
        number: Some(number.into()),
        date: Some(date(2026, 6, 1)),
        amount: amount(gross),
        open: open.map(amount),
    }
}

fn compared(facts: &[Fact], lines: &[StatementLine]) -> Vec<Compared> {
    let cluster = "vendor:V1";
    let known = known(facts, |known| wanted_of_statement("V1", cluster, lines, DAY, known));
    compare_statement("V1", cluster, "EUR", lines, DAY, &known)
}

#[test]
fn each_line_of_a_vendors_statement_finds_its_bill_and_what_is_not_on_it_is_told() {
    let reversal = Bill { preceding: Some("1004".into()), ..credit("V1", "CN-9", "40") };
    let paid = Bill { paid_on: Some(DAY), ..bill("V1", "1003", "30") };
    let dated = |it: Bill, on: Date| Bill { date: Some(on), ..it };
    let all = [
        bill("V1", "1001", "10"),
        bill("V1", "1002", "20"),
        paid,
        bill("V1", "1004", "40"),
        reversal,
        bill("V1", "1006", "60"),
        dated(bill("V1", "1007", "70"), date(2026, 6, 16)),
        bill("V2", "1008", "80"),
        bill("V1", "1009", "90"),
        dated(bill("V1", "2000", "5"), date(2025, 6, 1)),
        bill("V1", "2000", "5"),
        bill("V1", "02000", "5"),
    ];
    let mut facts = bills(&all);
    let part = payment("-50", "1009", None);
    facts.push(Fact::Settlement(Box::new(settled(&facts, &part))));
    let lines = [
        line("INV-1001", "10", None),
        line("1001", "10.00", Some("10")),
        line("1002", "21", None),
        line("1003", "30", Some("30")),
        line("1003", "30", Some("0")),
        line("1004", "40", None),
        line("CN-9", "-40", None),
        line("1005", "50", None),
        line("1009", "90", Some("40")),
        line("1009", "90", Some("90")),
        line("2000", "5", None),
        StatementLine { number: None, ..line("", "-500", None) },
    ];
    let found = compared(&facts, &lines);
    use LineStanding as It;
    let standings: Vec<It> = found.iter().map(|it| it.standing).collect();
    let expected = [
        It::NotHere,
        It::Agreed,
        It::Differs,
        It::PaidAlready,
        It::Agreed,
        It::Cancelled,
        It::Agreed,
        It::NotHere,
        It::Agreed,
        It::Differs,
        It::Ambiguous,
        It::NotHere,
    ];
    assert_eq!(standings[..12], expected);
    let missing: Vec<&str> = found[12..].iter().map(|it| it.number.as_deref().unwrap()).collect();
    assert_eq!(missing, ["1006"]);
    assert!(found[12..].iter().all(|it| it.standing == It::NotOnStatement), "it is here, and not there");
    assert!(found[..12].iter().enumerate().all(|(idx, it)| it.line == Some(idx)) && found[12].line.is_none());
    assert_eq!(
        (found[8].ours, found[8].ours_open, found[6].ours),
        (Some(amount("90")), Some(amount("40")), Some(amount("-40")))
    );
}

fn order_line() -> Fact {
    Fact::OrderLine(OrderLine {
        order_id: "PO-1".into(),
        vendor_id: "V1".into(),
        currency: "EUR".into(),
        line: "1".into(),
        quantity: 100.into(),
        unit: "EA".into(),
        unit_price: 10.into(),
        ..OrderLine::default()
    })
}

fn receipt(id: &str, quantity: i64, returned: Option<i64>, on: Date) -> Fact {
    Fact::Receipt(Receipt {
        receipt_id: id.into(),
        order_id: "po-1".into(),
        line: "1".into(),
        quantity: quantity.into(),
        unit: None,
        accepted: None,
        returned: returned.map(Into::into),
        date: on,
    })
}

fn claimed(number: &str, quantity: i64, amount: i64) -> Fact {
    let claim = Claim {
        order_id: "PO-1".into(),
        line: "1".into(),
        quantity: quantity.into(),
        amount: amount.into(),
        ..Claim::default()
    };
    Fact::Bill(Box::new(Bill { credit: quantity < 0, claims: vec![claim], ..bill("V1", number, "1") }))
}

/// Quantity, amount and since when.
fn owed(facts: &[Fact], today: Date) -> Vec<(String, String, Date)> {
    let known = known(facts, |known| wanted_of_returns(known, today));
    let found: Vec<Outstanding> = outstanding(&known, today, 30);
    assert!(
        found
            .iter()
            .flat_map(|it| &it.findings)
            .all(|it| it.again() == Some(it.code) && it.code.name() == "CREDIT_OUTSTANDING")
    );
    found.into_iter().map(|it| (it.quantity.to_string(), it.amount.unwrap().to_string(), it.since)).collect()
}

#[test]
fn goods_that_went_back_and_were_not_credited_for_a_month_are_told() {
    let came = || vec![order_line(), receipt("GR-1", 100, None, date(2026, 4, 1)), claimed("1001", 100, 1000)];
    let with = |more: Vec<Fact>| [came(), more].concat();
    let back = date(2026, 5, 15);
    let one = |quantity: &str, amount: &str, since| vec![(quantity.to_owned(), amount.to_owned(), since)];
    for returned in [receipt("RT-1", -10, None, back), receipt("RT-1", 0, Some(10), back)] {
        assert_eq!(owed(&with(vec![returned.clone()]), date(2026, 6, 15)), one("10", "100.00", back));
        assert_eq!(owed(&with(vec![returned.clone()]), date(2026, 6, 14)), [], "thirty days are within");
        assert_eq!(owed(&with(vec![returned.clone(), claimed("CN-1", -10, -100)]), DAY), []);
        assert_eq!(owed(&with(vec![returned.clone(), claimed("CN-1", -4, -40)]), DAY), one("6", "60.00", back));
        // What came again is kept.
        assert_eq!(owed(&with(vec![returned, receipt("GR-2", 10, None, date(2026, 5, 20))]), DAY), []);
    }
    let twice =
        vec![receipt("RT-1", -10, None, date(2026, 4, 2)), receipt("RT-2", -5, None, back), claimed("CN-1", -10, -100)];
    assert_eq!(owed(&with(twice), DAY), one("5", "50.00", back), "credit notes are for the oldest return");
    let Fact::Receipt(boxed) = receipt("RT-1", -1, None, back) else { panic!() };
    let facts = with(vec![Fact::Receipt(Receipt { unit: Some("BOX".into()), ..boxed })]);
    let known = known(&facts, |known| wanted_of_returns(known, DAY));
    assert_eq!(codes(&outstanding(&known, DAY, 30)[0].findings), ["UOM"]);
    assert_eq!(outstanding(&known, DAY, 31), []);
    // Nothing was billed of it yet.
    assert_eq!(owed(&[order_line(), receipt("GR-1", 10, None, back), receipt("RT-1", -10, None, back)], DAY), []);
}

#[test]
fn what_a_settlement_says_of_an_erased_case_goes_and_what_it_says_of_other_bills_stays() {
    let case = CaseId(uuid::Uuid::from_u128(7));
    let both = bills(&[bill("V1", "RE-1001", "100"), bill("V1", "RE-1002", "50")]);
    let payment = Payment { payment_id: "B-1".into(), ..payment("-150", "RE-1001 RE-1002", Some(OTHER)) };
    let mut settlement = settled(&both, &payment);
    assert_eq!(settlement.without(case), settlement, "it says nothing of it");
    let gone = settlement.shares[0].bill.clone();
    let quoted = serde_json::to_string(&gone).unwrap();
    let text = serde_json::to_string(&settlement).unwrap().replace(quoted.trim_matches('"'), &case.to_string());
    settlement = serde_json::from_str(&text).unwrap();
    settlement.untold = true;
    let fact = Fact::Settlement(Box::new(settlement.clone()));
    assert!(fact.keys().contains(&Key::settled_of(case)));
    let left = settlement.without(case);
    let text = serde_json::to_string(&left).unwrap();
    assert!(!text.contains("1001") && text.contains("RE-1002"), "{text}");
    assert_eq!(
        (left.shares.len(), left.shares[0].bill.clone(), left.shares[0].amount),
        (2, case.to_string(), Decimal::ZERO)
    );
    assert_eq!(
        (left.shares[1].clone(), codes(&left.findings)),
        (settlement.shares[1].clone(), vec!["PAID_UNAPPROVED"])
    );
    assert!(left.untold, "the other bill is still to be told of");
    assert_eq!(left.without(case), left);
}

/// Two bills, the first of which is a case's, and how this payment that names both of them was settled; its other bill, whose
/// number has in it what might part two numbers.
fn of_two(amount: &str, case: CaseId) -> (Settlement, String) {
    let both = bills(&[bill("V1", "RE-1001", "100"), bill("V1", "RE-1002, 2; 3\n4", "50")]);
    let payment = Payment { payment_id: "B-1".into(), ..payment(amount, "RE-1001 RE-1002234", None) };
    let settlement = settled(&both, &payment);
    let id = |number: &str| {
        let mut shares = settlement.shares.iter().chain(&settlement.suggested);
        shares.find(|share| share.number.as_deref() == Some(number)).unwrap().bill.clone()
    };
    let (gone, stays) = (serde_json::to_string(&id("RE-1001")).unwrap(), id("RE-1002, 2; 3\n4"));
    let text = serde_json::to_string(&settlement).unwrap().replace(gone.trim_matches('"'), &case.to_string());
    (serde_json::from_str(&text).unwrap(), stays)
}

#[test]
fn what_was_open_of_an_erased_case_cannot_be_told_from_what_was_open_of_all_bills_together() {
    let case = CaseId(uuid::Uuid::from_u128(7));
    let (settlement, _) = of_two("-120", case);
    assert_eq!(
        (settlement.findings[0].rule.as_str(), settlement.findings[0].operands["open"].as_str()),
        ("bank.sum", "150.00")
    );
    let left = settlement.without(case);
    assert_eq!((left.findings.len(), left.suggested.len()), (0, 1), "{left:?}");
    assert!(!serde_json::to_string(&left).unwrap().contains("150"), "{left:?}");
}

#[test]
fn that_a_bill_was_overpaid_stays_when_another_one_that_was_paid_with_it_is_erased() {
    let case = CaseId(uuid::Uuid::from_u128(7));
    let (settlement, other) = of_two("-170", case);
    assert_eq!(codes(&settlement.findings), ["OVERPAID"]);
    let left = settlement.without(case);
    assert_eq!(codes(&left.findings), ["OVERPAID"]);
    let finding = &left.findings[0];
    assert_eq!((&finding.operands["bills"], finding.operands["open"].as_str()), (&other, "50"));
    assert_eq!(finding.again(), Some(finding.code));
    let text = serde_json::to_string(&left).unwrap();
    assert!(!text.contains("1001") && !text.contains("\"150\"") && !finding.message.contains("150"), "{text}");
    assert_eq!(left.without(case), left);
}

#[test]
fn money_that_goes_out_pays_no_credit_note_whatever_else_it_names() {
    let mut facts = bills(&[bill("V1", "501", "100"), bill("V1", "502", "50"), credit("V1", "503", "11.90")]);
    facts.push(approved("V1"));
    let all = payment("-138.10", "501 502 503", Some(APPROVED));
    check(&facts, &all, "501 100/0, 502 50/0, 503 11.9/0");
    let found = settled(&facts, &all);
    let taken_off = found.shares.iter().filter(|share| share.taken_off(&all));
    assert_eq!(taken_off.map(|share| share.number.as_deref()).collect::<Vec<_>>(), [Some("503")]);
    // The invoices were paid before, and only the credit note is open.
    let first = payment("-150", "501 502", Some(APPROVED));
    facts.push(Fact::Settlement(Box::new(settled(&facts, &first))));
    check(&facts, &all, "AMBIGUOUS");
    check(&facts, &payment("-11.90", "503", Some(APPROVED)), "AMBIGUOUS");
    check(&facts, &payment("11.90", "501 502 503", Some(APPROVED)), "503 11.9/0");
}

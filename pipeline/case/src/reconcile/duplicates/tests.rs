#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::super::trial::{bill, learned, of_codes, order, paper, policy, tried, vendor};
use crate::facts::{Key, Stated};
use crate::{Code, Finding, Outcome};

fn is_of_twins(code: Code) -> bool {
    code.name().starts_with("DUPLICATE_D") || code.name().starts_with("RESUBMITTED") || code == Code::NumberReused
}

#[track_caller]
fn findings(document: &str, facts: &[Stated]) -> Vec<Finding> {
    let verdict = tried(&paper(document), facts, &policy(""));
    verdict.findings.into_iter().filter(|it| is_of_twins(it.code)).collect()
}

/// What a document comes to beside these bills.
#[track_caller]
fn check(document: &str, bills: &[&str], expected: &str) {
    let bills = bills.iter().enumerate().map(|(idx, text)| bill(idx, text));
    let facts: Vec<Stated> = [vendor("V1", "")].into_iter().chain(bills).collect();
    let verdict = tried(&paper(document), &facts, &policy(""));
    assert_eq!(of_codes(&verdict, is_of_twins), expected, "{document}: {:?}", verdict.findings);
}

#[test]
fn the_same_invoice_is_stopped_and_its_number_written_otherwise_is_held() {
    check("", &[""], "DUPLICATE_D2");
    check("number=inv-1001", &[""], "DUPLICATE_D2");
    check("", &["gross=1190"], "DUPLICATE_D2");
    for number in ["INV1001", "inv-01001", "INV-IOO1"] {
        check(&format!("number={number}"), &[""], "DUPLICATE_D3");
    }
    check("", &["gross=1190.01"], "DUPLICATE_D3");
    check("", &["currency=USD"], "DUPLICATE_D3");
    check("", &["date=2026-03-01"], "DUPLICATE_D3");
    check("", &["number=INV-1010 gross=5"], "");
    check("", &["cluster=DE136695976 vendor=V2"], "");
    // A credit note has the numbers of credit notes.
    check("", &["credit of=INV-9"], "");
    check("credit preceding_invoice=INV-9", &[""], "");
    check("credit", &["credit"], "DUPLICATE_D2");
}

#[test]
fn a_number_is_used_again_only_in_another_year_with_another_amount_and_another_order() {
    check("order_ref=PO-2", &["date=2025-06-10 gross=50 order=PO-1"], "NUMBER_REUSED");
    check("order_ref=PO-2", &["date=2025-06-10 order=PO-1"], "DUPLICATE_D3");
    check("order_ref=PO-1", &["date=2025-06-10 gross=50 order=po-1"], "DUPLICATE_D3");
    check("order_ref=PO-2", &["date=2026-01-10 gross=50 order=PO-1"], "DUPLICATE_D3");
    // What is not known excuses nothing.
    check("order_ref=PO-2", &["date=2025-06-10 gross=50"], "DUPLICATE_D3");
    check("", &["date=2025-06-10 gross=50 order=PO-1"], "DUPLICATE_D3");
    check("order_ref=PO-2", &["date=- gross=50 order=PO-1"], "DUPLICATE_D3");
    check("order_ref=PO-2", &["date=2025-06-10 gross=- order=PO-1"], "DUPLICATE_D3");
}

#[test]
fn the_same_amount_within_days_is_held_unless_it_is_for_another_time_or_a_series() {
    for (bill, expected) in [
        ("number=7 date=2026-06-07", "DUPLICATE_D4"),
        ("number=7 date=2026-06-03", "DUPLICATE_D4"),
        ("number=7 date=2026-06-02", ""),
        ("number=7 date=2026-06-17", "DUPLICATE_D4"),
        ("number=7 date=2026-06-18", ""),
        ("number=7 gross=1190.01", "DUPLICATE_D4"),
        ("number=7 gross=1189.99", "DUPLICATE_D4"),
        ("number=7 gross=1190.02", ""),
        ("number=7 gross=1190.014", ""),
        ("number=7 currency=USD", ""),
        ("number=-", "DUPLICATE_D4"),
        ("number=7 cluster=- vendor=-", ""),
    ] {
        check("", &[bill], expected);
    }
    let june = "period_from=2026-06-01 period_to=2026-06-30";
    check(june, &["number=7 from=2026-05-01 to=2026-05-31"], "");
    check(june, &["number=7 from=2026-05-01 to=2026-06-01"], "DUPLICATE_D4");
    check(june, &["number=7"], "DUPLICATE_D4");
    // Monthly rent is not even near.
    check("", &["number=7 date=2026-05-10"], "");
    // The third of a week's distance is a series, the second is not, and the distance must be even.
    check("", &["number=7 date=2026-06-03", "number=6 date=2026-05-27"], "");
    check("", &["number=7 date=2026-06-03", "number=6 date=2026-05-28"], "");
    check("", &["number=7 date=2026-06-03", "number=6 date=2026-05-24"], "DUPLICATE_D4");
    check("", &["number=7 date=2026-06-03", "number=6 date=2026-05-27 gross=1190.01"], "DUPLICATE_D4");
    check("", &["number=7 date=2026-06-08", "number=6 date=2026-06-06"], "DUPLICATE_D4 DUPLICATE_D4");
    // A seller of whom nothing is known is not every seller of whom nothing is known.
    check("seller_name=- seller_vat_id=-", &["number=7 cluster=- vendor=-"], "");
}

#[test]
fn another_record_of_the_vendor_is_seen_by_vat_id_and_by_account() {
    let one = bill(0, "number=1001 vendor=V1 order=PO-9");
    let records = [vendor("V1", ""), vendor("V7", "name=Sued"), one];
    let found = findings("number=1001 seller_name=Sued", &records);
    assert_eq!(found.iter().map(|it| it.code).collect::<Vec<_>>(), [Code::DuplicateD5]);
    assert_eq!(found[0].operands["twin"], "00000000-0000-0000-0000-000000000001");
    // Whose it is cannot be told: that is no reason to stop it.
    assert_eq!(findings("number=1001 seller_name=West", &records)[0].code, Code::DuplicateD5);
    assert_eq!(findings("number=1001 seller_name=Sued gross_total=7.00", &records)[0].code, Code::DuplicateD3);
    assert_eq!(findings("number=1001 seller_name=Nordwind", &records)[0].code, Code::DuplicateD2);
    let account = "iban=DE89370400440532013000";
    let other = "vendor=V2 cluster=DE136695976";
    check(account, &[&format!("{other} {account}")], "DUPLICATE_D5");
    check(account, &[&format!("{other} {account} number=inv1001")], "DUPLICATE_D5");
    check(account, &[&format!("{other} {account} gross=7")], "");
    check(account, &[&format!("{other} {account} number=2")], "");
    check(account, &[&format!("{other} iban=DE02120300000000202051")], "");
}

#[test]
fn the_same_lines_of_a_day_are_held_whoever_sent_them_and_in_whatever_order() {
    let (one, turned) = ("line1=10*50=500 line2=5*100=500", "line1=5*100=500 line2=10*50=500");
    let records = [vendor("V1", ""), vendor("V2", "name=Sued vat=DE136695976")];
    let first = learned(1, &tried(&paper(one), &records, &policy("")));
    let records = [records[0].clone(), records[1].clone(), first];
    let other = format!("number=8 seller_name=Sued seller_vat_id=DE136695976 {turned}");
    assert_eq!(findings(&other, &records)[0].code, Code::DuplicateD6);
    // Of the same vendor the stronger key says it.
    assert_eq!(findings(&format!("number=8 {turned}"), &records)[0].code, Code::DuplicateD4);
    assert!(findings(&format!("{other} line3=1*1=1"), &records).is_empty());
    // Two months may be billed on one day.
    let period = |month: u8| format!("period_from=2026-{month:02}-01 period_to=2026-{month:02}-28");
    let may = learned(1, &tried(&paper(&format!("{one} {}", period(5))), &records[..2], &policy("")));
    let records = [&records[..2], &[may]].concat();
    assert!(findings(&format!("{other} {}", period(4)), &records).is_empty());
    assert_eq!(findings(&format!("{other} {}", period(5)), &records)[0].code, Code::DuplicateD6);
    assert_eq!(findings(&other, &records)[0].code, Code::DuplicateD6);
}

#[test]
fn a_cancelled_invoice_is_sent_in_again_once_with_a_second_look() {
    let cancelled = ["", "credit number=C1 of=INV-1001 date=2026-06-11"];
    check("issue_date=2026-06-12", &cancelled, "RESUBMITTED");
    check(
        "issue_date=2026-06-12",
        &["", "credit number=C1 of=inv1001 gross=1000", "credit number=C2 of=INV-1001 gross=190"],
        "RESUBMITTED",
    );
    check("issue_date=2026-06-12 number=INV-1002", &cancelled, "RESUBMITTED");
    let again = ["number=INV-1001 date=2026-06-12", "credit number=C2 of=INV-1001 date=2026-06-13"];
    check("issue_date=2026-06-14", &[cancelled, again].concat(), "RESUBMITTED_AGAIN");
    // Of two bills one was cancelled, and one credit note cancels one bill.
    let two = ["date=2026-06-08", "number=INV-1001 date=2026-06-09", "credit number=C1 of=INV-1001 date=2026-06-11"];
    check("issue_date=2026-06-12", &two, "DUPLICATE_D3 RESUBMITTED");
    check("issue_date=2026-06-14", &[&cancelled[..], &again[..1]].concat(), "DUPLICATE_D3 RESUBMITTED");
    check("", &["", "credit number=C1 of=INV-1001 gross=1189.99"], "DUPLICATE_D2");
    check("", &["", "credit number=C1 of=INV-1001 currency=USD"], "DUPLICATE_D2");
    check("", &["", "credit number=C1 of=INV-1001 date=2026-06-09"], "DUPLICATE_D2");
    check("", &["", "credit number=C1 of=INV-1002"], "DUPLICATE_D2");
    check("gross_total=0 net_total=0", &["gross=0"], "DUPLICATE_D2");
}

#[test]
fn partial_credit_notes_of_one_invoice_may_be_alike_up_to_what_it_bills() {
    let note = "credit preceding_invoice=INV-9 number=C2 gross_total=100.00 net_total=84.03";
    let billed = "number=INV-9 gross=200 date=2026-05-01";
    check(note, &[billed, "credit number=C1 of=INV-9 gross=100"], "");
    check(note, &[billed, "credit number=C1 of=INV-9 gross=60"], "");
    check(note, &["number=INV-9 gross=199.99 date=2026-05-01", "credit number=C1 of=INV-9 gross=100"], "DUPLICATE_D4");
    let facts = [
        vendor("V1", ""),
        bill(0, "number=INV-9 gross=199.99 date=2026-05-01"),
        bill(1, "credit number=C1 of=INV-9 gross=100"),
    ];
    let found = &findings(note, &facts)[0];
    let outcome = found.basis.as_ref().unwrap().outcome(&found.operands);
    assert!(matches!(outcome, Outcome::Fails { would_pass, .. } if would_pass == ["billed >= 200"]));
    // How much may be credited is not known.
    check(note, &["credit number=C1 of=INV-9 gross=100"], "DUPLICATE_D4");
    check("credit number=C2", &[billed, "credit number=C1"], "DUPLICATE_D4");
    check(note, &[billed, "credit number=c2 of=INV-9 gross=100"], "DUPLICATE_D2");
}

#[test]
fn every_twin_is_named_and_gives_one_finding() {
    let bills = [bill(0, ""), bill(1, "number=INV1001 case=0"), bill(2, "number=3")];
    let facts: Vec<Stated> = [vendor("V1", "")].into_iter().chain(bills).chain(order("PO-1")).collect();
    let found = findings("", &facts);
    let named: Vec<(&str, &str)> = found.iter().map(|it| (it.code.name(), it.operands["twin"].as_str())).collect();
    assert_eq!(
        named,
        [
            ("DUPLICATE_D3", "V1, INV1001, 2026-06-10"),
            ("DUPLICATE_D2", "00000000-0000-0000-0000-000000000001"),
            ("DUPLICATE_D4", "00000000-0000-0000-0000-000000000003"),
        ]
    );
    assert!(found[0].message.contains("brought in (V1, INV1001, 2026-06-10)"), "{}", found[0].message);
    assert_eq!(found[2].operands["days"], "7");
    assert!(found[1].message.contains("is here already: case 00000000"), "{}", found[1].message);
}

#[test]
fn more_twins_than_are_looked_at_are_a_finding() {
    let bills = (0..40).map(|idx| bill(idx, &format!("number=X{idx}")));
    let facts: Vec<Stated> = [vendor("V1", ""), bill(50, "date=2026-01-01")].into_iter().chain(bills).collect();
    let verdict = tried(&paper(""), &facts, &policy(""));
    let found = of_codes(&verdict, |code| is_of_twins(code) || code == Code::TooMany);
    // Whatever stands beside it, the strongest key is looked at.
    assert_eq!(found, format!("DUPLICATE_D3{} TOO_MANY", " DUPLICATE_D4".repeat(31)));
}

#[test]
fn a_longer_window_of_days_knows_a_monthly_series() {
    let [checkpoints, tolerances, retention] = crate::SHIPPED;
    let month = tolerances.replace("days = 7", "days = 31");
    let policy = crate::Policy::parse([checkpoints, &month, retention]).unwrap();
    let facts = [vendor("V1", ""), bill(0, "number=5 date=2026-05-10"), bill(1, "number=4 date=2026-04-10")];
    assert_eq!(of_codes(&tried(&paper(""), &facts, &policy), is_of_twins), "");
    assert_eq!(of_codes(&tried(&paper(""), &facts[..2], &policy), is_of_twins), "DUPLICATE_D4");
}

#[test]
fn few_keys_are_looked_up_for_twins() {
    let own = tried(&paper(""), &[vendor("V1", "")], &policy("")).bill.unwrap();
    let of_gross =
        |keys: &std::collections::BTreeSet<Key>| keys.iter().filter(|it| it.text().starts_with("gross:")).count();
    assert!(of_gross(&crate::facts::twin_keys(&own, 7)) <= 18);
    assert!(of_gross(&crate::facts::twin_keys(&own, 31)) <= 66);
    assert!(of_gross(&crate::facts::series_keys(&own, 31)) <= 15);
}

#![allow(clippy::unwrap_used)]
use super::super::tests::*;
use super::super::trial::looked_up;
use crate::facts::{Account, Fact, PayeeCheck, Stated};
use crate::{PayeeMatch, Vendor};

const OWN: &str = "DE89370400440532013000";
const OTHER: &str = "DE75512108001245126199";

fn check(result: PayeeMatch) -> Account {
    let check = PayeeCheck { result, on: day("2026-06-01"), by: "usr_bank".into() };
    Account { payee_check: Some(check), ..account("V1", OTHER, Some("2026-06-01")) }
}

/// What the account alone comes to; of other findings nothing.
#[track_caller]
fn pays(iban: &str, facts: Vec<Fact>, expected: &[&str]) {
    let facts: Vec<Stated> = facts.into_iter().map(imported).collect();
    let verdict = verdict_under(&shipped(), &document("invoice", &[("iban", iban)], &[]), &facts);
    let figures = ["found", "known", "approved", "country", "employee", "vendor", "result"];
    let said: Vec<String> = said(&verdict, &figures).into_iter().filter(|it| !it.starts_with("NO_PO_REF")).collect();
    assert_eq!(said, expected);
}

#[test]
fn only_an_account_that_is_approved_today_may_be_paid_to() {
    pays(OWN, vec![], &[]);
    pays(&format!("{OWN} "), vec![], &[]);
    pays(OTHER, vec![], &[&format!("BANK_NEW found={OTHER} known={OWN}")]);
    let pending = |from: Option<&str>| vec![Fact::Account(account("V1", OTHER, from))];
    pays(OTHER, pending(Some("2026-06-15")), &[]);
    pays(OTHER, pending(None), &[&format!("BANK_PENDING found={OTHER} approved={OWN}")]);
    pays(OTHER, pending(Some("2026-06-16")), &[&format!("BANK_PENDING found={OTHER} approved={OWN}")]);
    let ended = Account { approved_to: Some(day("2026-06-14")), ..account("V1", OTHER, Some("2026-01-01")) };
    pays(OTHER, vec![Fact::Account(ended)], &[&format!("BANK_PENDING found={OTHER} approved={OWN}")]);
}

#[test]
fn a_document_without_an_account_is_paid_by_master_data_that_must_be_approved() {
    pays("-", vec![], &[]);
    let extraction = document("invoice", &[("iban", "-")], &[]);
    let facts =
        [Fact::Vendor(vendor("V1", "DE129273398", None)), Fact::Account(account("V1", OTHER, None))].map(imported);
    let known = looked_up(&extraction, &facts, &shipped());
    let verdict = super::super::reconcile(&extraction, &known, &shipped(), day(TODAY));
    assert_eq!(said(&verdict, &["known"]), [format!("BANK_PENDING known={OTHER}"), "NO_PO_REF".into()]);
}

#[test]
fn where_no_account_is_known_at_all_a_note_says_that_none_was_checked() {
    let found = |kind: &str| {
        let extraction = document(kind, &[("iban", "-")], &[]);
        let facts = [Fact::Vendor(vendor("V1", "DE129273398", None))].map(imported);
        let known = looked_up(&extraction, &facts, &shipped());
        let verdict = super::super::reconcile(&extraction, &known, &shipped(), day(TODAY));
        verdict.findings.into_iter().any(|it| it.code == crate::Code::AccountUnseen)
    };
    assert!(found("invoice"));
    assert!(!found("credit_note"));
}

#[test]
fn the_account_is_looked_for_in_the_vendors_country() {
    let austrian = || {
        Fact::Vendor(Vendor {
            country: Some("at".into()),
            valid_from: Some(day("2026-01-01")),
            ..vendor("V1", "DE129273398", Some(OWN))
        })
    };
    pays(OWN, vec![austrian()], &[&format!("IBAN_COUNTRY found={OWN} country=AT")]);
}

#[test]
fn what_the_bank_said_of_name_and_account_counts() {
    pays(OTHER, vec![Fact::Account(check(PayeeMatch::Match))], &[]);
    for (result, expected) in [
        (PayeeMatch::Close, "PAYEE_CLOSE found=DE75512108001245126199 result=close"),
        (PayeeMatch::None, "PAYEE_MISMATCH found=DE75512108001245126199 result=none"),
        (PayeeMatch::Unavailable, "PAYEE_UNCHECKED found=DE75512108001245126199 result=unavailable"),
    ] {
        pays(OTHER, vec![Fact::Account(check(result))], &[expected]);
    }
}

#[test]
fn an_account_of_an_employee_or_of_another_vendor_is_a_conflict() {
    let employee = crate::Employee {
        employee_id: "E7".into(),
        name: "A".into(),
        iban: Some("DE89 3704 0044 0532 0130 00".into()),
    };
    pays(OWN, vec![Fact::Employee(employee)], &[&format!("CONFLICT found={OWN} employee=E7")]);
    let other = |vat: &str| vec![Fact::Vendor(vendor("V2", vat, Some(OWN)))];
    pays(OWN, other("DE136695976"), &[&format!("CONFLICT found={OWN} vendor=V2")]);
    // The same account, brought in with the account and not with the vendor.
    let by_account = |vat: &str| vec![Fact::Vendor(vendor("V2", vat, None)), Fact::Account(account("V2", OWN, None))];
    pays(OWN, by_account("DE136695976"), &[&format!("CONFLICT found={OWN} vendor=V2")]);
}

#[test]
fn records_of_one_legal_person_may_share_an_account() {
    let sister = |vat: &str, by_account: bool| {
        let of_vendor = Fact::Vendor(vendor("V2", vat, Some(OWN).filter(|_| !by_account)));
        let of_account = by_account.then(|| Fact::Account(account("V2", OWN, None)));
        let order = Fact::OrderLine(ordered("1", "1", "1"));
        let facts: Vec<Stated> = [of_vendor, order].into_iter().chain(of_account).map(imported).collect();
        let extraction = document("invoice", &[("order_ref", "PO-1")], &[]);
        said(&verdict_under(&shipped(), &extraction, &facts), &["vendor"])
    };
    for by_account in [false, true] {
        assert_eq!(sister("DE129273398", by_account), ["ORDER_LINE"]);
        assert_eq!(sister("DE136695976", by_account), ["CONFLICT vendor=V2", "ORDER_LINE"]);
    }
}

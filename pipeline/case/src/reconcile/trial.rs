//! A document tried against facts that are held in memory. Everything is written as words `name=value`, so that a test reads
//! as a table.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Verdict, reconcile};
use crate::facts::{Bill, Claim, Fact, Known, OrderLine, Receipt, Stated, Vendor, wanted};
use crate::{CaseId, Code, Extraction, Policy, SHIPPED, Timestamp};

/// The shipped policies with more rows of tolerances.
pub(crate) fn policy(rows: &str) -> Policy {
    let [checkpoints, tolerances, retention] = SHIPPED;
    Policy::parse([checkpoints, &format!("{tolerances}\n{rows}"), retention]).unwrap()
}

fn words(text: &str) -> BTreeMap<&str, &str> {
    text.split_whitespace().map(|word| word.split_once('=').unwrap_or((word, ""))).collect()
}

/// An invoice, or with the word `credit` a credit note. What is not said is that of [`bill`]; `lines` are
/// `quantity*price=amount`, each under the word `line1`, `line2` and so on, of an item `A`.
pub(crate) fn paper(text: &str) -> Extraction {
    let mut words = words(text);
    let credit = words.remove("credit").is_some();
    let mut values: BTreeMap<&str, &str> = BTreeMap::from([
        ("number", "INV-1001"),
        ("issue_date", "2026-06-10"),
        ("currency", "EUR"),
        ("seller_name", "Nordwind"),
        ("seller_vat_id", "DE129273398"),
        ("net_total", "1000.00"),
        ("gross_total", "1190.00"),
    ]);
    let lines: Vec<Value> = words
        .iter()
        .filter(|(name, _)| name.starts_with("line"))
        .map(|(_, line)| {
            let (quantity, rest) = line.split_once('*').unwrap();
            let (price, amount) = rest.split_once('=').unwrap();
            json!({"quantity": field(quantity), "unit_price": field(price), "net_amount": field(amount), "item": field("A")})
        })
        .collect();
    values.extend(words.into_iter().filter(|(name, _)| !name.starts_with("line")));
    let fields: BTreeMap<&str, Value> =
        values.into_iter().filter(|(_, value)| *value != "-").map(|(name, value)| (name, field(value))).collect();
    let answer = json!({
        "kind": if credit { "credit_note" } else { "invoice" }, "format": "ubl",
        "coverage": {"pages": 1, "read": 1, "hidden_text": 0}, "fields": fields, "lines": lines,
    });
    Extraction::from_untrusted(answer.to_string().as_bytes()).unwrap()
}

pub(super) fn field(value: &str) -> Value {
    json!({"value": value, "confidence": 0.9, "evidence": {"path": "/Invoice", "text": value}})
}

pub(crate) fn stated(case: Option<u128>, fact: Fact) -> Stated {
    Stated { fact, case: case.map(|n| CaseId(Uuid::from_u128(n))), by: "importer".into(), known_from: Timestamp(0) }
}

/// What a case with this number published.
pub(crate) fn learned(case: u128, verdict: &Verdict) -> Stated {
    stated(Some(case), Fact::Bill(Box::new(verdict.bill.clone().unwrap())))
}

pub(crate) fn vendor(id: &str, text: &str) -> Stated {
    let words = words(text);
    let of = |name: &str| words.get(name).map(|it| (*it).to_owned());
    stated(
        None,
        Fact::Vendor(Vendor {
            vendor_id: id.into(),
            name: of("name").unwrap_or("Nordwind".into()),
            vat_id: Some(of("vat").unwrap_or("DE129273398".into())),
            tax_id: None,
            country: None,
            iban: None,
            bic: None,
            group: None,
            valid_from: of("from").map(|it| it.parse().unwrap()),
        }),
    )
}

/// A bill of vendor V1 as it is known; `case=0` is one that was imported, and `whole` says no line of its order. A case that
/// says `since` when it was judged nobody let through yet.
pub(crate) fn bill(idx: usize, text: &str) -> Stated {
    let words = words(text);
    let of = |name: &str, or: &str| {
        Some((*words.get(name).unwrap_or(&or)).to_owned()).filter(|it| !it.is_empty() && it != "-")
    };
    let number = |name: &str, or: &str| of(name, or).map(|it| it.parse().unwrap());
    let date = |name: &str, or: &str| of(name, or).map(|it| it.parse().unwrap());
    let claim = |order: String| Claim {
        order_id: order,
        line: if words.contains_key("whole") { "" } else { "1" }.into(),
        item: Some("A".into()),
        quantity: number("quantity", "1").unwrap(),
        amount: number("amount", "1").unwrap(),
        freight: false,
    };
    let bill = Bill {
        credit: words.contains_key("credit"),
        vendor_id: of("vendor", "V1"),
        cluster: of("cluster", "DE129273398").unwrap_or_default(),
        number: of("number", "INV-1001"),
        date: date("date", "2026-06-10"),
        served_from: date("from", ""),
        served_to: date("to", ""),
        currency: of("currency", "EUR"),
        net: number("net", "1000.00"),
        gross: number("gross", "1190.00"),
        iban: of("iban", ""),
        cost_centre: of("centre", ""),
        preceding: of("of", ""),
        fingerprint: of("lines", ""),
        claims: of("order", "").map(claim).into_iter().collect(),
        above: number("above", "0").unwrap(),
        ..Bill::default()
    };
    let case = words.get("case").map_or(idx as u128 + 1, |it| it.parse().unwrap());
    let since = words.get("since").map_or(0, |it| it.parse().unwrap());
    let approved = !words.contains_key("since");
    let bill = Bill { since: Some(Timestamp(since)).filter(|_| case != 0), approved, ..bill };
    stated(Some(case).filter(|it| *it != 0), Fact::Bill(Box::new(bill)))
}

/// An order of a hundred at 10.00, received.
pub(crate) fn order(id: &str) -> [Stated; 2] {
    let line = OrderLine {
        order_id: id.into(),
        vendor_id: "V1".into(),
        currency: "EUR".into(),
        line: "1".into(),
        quantity: 100.into(),
        unit: "EA".into(),
        unit_price: 10.into(),
        item: Some("A".into()),
        ..OrderLine::default()
    };
    let receipt = Receipt {
        receipt_id: format!("GR-{id}"),
        order_id: id.into(),
        line: "1".into(),
        quantity: 100.into(),
        unit: None,
        accepted: None,
        returned: None,
        date: "2026-01-01".parse().unwrap(),
    };
    [stated(None, Fact::OrderLine(line)), stated(None, Fact::Receipt(receipt))]
}

pub(crate) fn looked_up(extraction: &Extraction, facts: &[Stated], policy: &Policy) -> Known {
    Known::default().look_up(facts, |known| wanted(extraction, known, policy))
}

/// The verdict, which is the same whatever order facts and lines come in, and the same again from its comparisons alone.
#[track_caller]
pub(crate) fn tried(extraction: &Extraction, facts: &[Stated], policy: &Policy) -> Verdict {
    let today = "2026-06-15".parse().unwrap();
    let known = looked_up(extraction, facts, policy);
    let verdict = reconcile(extraction, &known, policy, today);
    let keys = Fact::Bill(Box::new(verdict.bill.clone().unwrap())).keys();
    for key in keys.iter().filter(|key| key.binds()) {
        assert!(known.asked(key), "it is written under `{}`, and did not ask for it", key.text());
    }
    for finding in &verdict.findings {
        assert_eq!(finding.again(), Some(finding.code), "{finding:?}");
    }
    for comparison in &verdict.passed {
        assert_eq!(comparison.code(), None, "{comparison:?}");
    }
    for turn in 0..facts.len() {
        let mut turned = facts.to_vec();
        turned.rotate_left(turn);
        turned.reverse();
        let again = reconcile(extraction, &looked_up(extraction, &turned, policy), policy, today);
        assert_eq!(verdict, again, "facts in another order");
    }
    let mut reversed = extraction.clone();
    reversed.lines.reverse();
    let again = reconcile(&reversed, &looked_up(&reversed, facts, policy), policy, today);
    let codes = |verdict: &Verdict| of_codes(verdict, |_| true);
    assert_eq!(codes(&verdict), codes(&again), "lines in another order");
    verdict
}

/// The codes of a verdict's findings that a test is about, in their order by name.
pub(crate) fn of_codes(verdict: &Verdict, about: impl Fn(Code) -> bool) -> String {
    let mut codes: Vec<&str> =
        verdict.findings.iter().map(|it| it.code).filter(|it| about(*it)).map(Code::name).collect();
    codes.sort_unstable();
    codes.join(" ")
}

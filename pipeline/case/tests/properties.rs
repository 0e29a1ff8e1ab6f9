//! What must hold for any document at all, however absurd its figures.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use case::{
    Actor, Bill, Case, CaseId, Claim, Code, Comparison, ContractRate, Conversion, Digest, Document, Employee, Event,
    Extraction, Fact, FieldName, Finding, Known, LineField, Match, OrderLine, Policy, Receipt, Severity, State, Stated,
    Timestamp, VatField, Vendor, judge, ledger, reconcile, step, validate, wanted,
};
use jiff::civil::{Date, date};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

const TODAY: Date = date(2026, 6, 15);
/// On that day.
const NOW: Timestamp = Timestamp(1_781_500_000_000_000);

fn policy() -> &'static Policy {
    static POLICY: LazyLock<Policy> = LazyLock::new(|| {
        Policy::parse([
            include_str!("../../../policies/checkpoints.toml"),
            include_str!("../../../policies/tolerances.toml"),
            include_str!("../../../policies/retention.toml"),
        ])
        .unwrap()
    });
    &POLICY
}

fn field(value: &str) -> Value {
    json!({"value": value, "confidence": 0.9, "evidence": {"path": "/Invoice", "text": value}})
}

/// Figures of every size and form, and what is none.
fn figure() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "-?[0-9]{1,4}(\\.[0-9]{1,2})?",
        1 => "-?[0-9]{10,14}(\\.[0-9]{1,14})?",
        1 => "-?0\\.0{8,11}[1-9]",
        1 => Just("10000000000000".to_owned()),
        1 => Just("-10000000000000".to_owned()),
        1 => Just("0".to_owned()),
        1 => Just("0.000000000001".to_owned()),
        1 => Just("79228162514264337593543950335".to_owned()),
        1 => "\\PC{1,12}",
    ]
}

fn value(name: &'static str) -> BoxedStrategy<String> {
    match name {
        "currency" => prop_oneof![Just("EUR".to_owned()), Just("USD".to_owned()), Just("€".to_owned())].boxed(),
        "order_ref" => prop_oneof![
            Just("PO-1".to_owned()),
            Just("po-1".to_owned()),
            Just("PO-2".to_owned()),
            Just("PO-3".to_owned()),
            Just("PO-9".to_owned())
        ]
        .boxed(),
        "order_line" => prop_oneof![Just("1".to_owned()), Just("2".to_owned())].boxed(),
        "contract_ref" => prop_oneof![Just("C-1".to_owned()), Just("C-9".to_owned())].boxed(),
        "unit" => prop_oneof![Just("EA".to_owned()), Just("C62".to_owned()), Just("KGM".to_owned())].boxed(),
        "issue_date" => {
            prop_oneof![Just("2026-06-10".to_owned()), Just("-9999-01-01".to_owned()), Just("9999-12-31".to_owned())]
                .boxed()
        }
        "seller_vat_id" | "buyer_vat_id" | "iban" => "[A-Z]{0,2}[0-9A-Zé]{1,20}".boxed(),
        "vat_rate" | "rate" => prop_oneof![Just("19".to_owned()), Just("7".to_owned()), figure()].boxed(),
        _ => figure().boxed(),
    }
}

fn some_of(names: impl Iterator<Item = &'static str>) -> impl Strategy<Value = BTreeMap<&'static str, Value>> {
    let fields: Vec<_> =
        names.map(|name| proptest::option::weighted(0.7, value(name)).prop_map(move |it| (name, it))).collect();
    fields.prop_map(|fields| {
        let there = |it: String| Some(it).filter(|it| !it.trim().is_empty());
        fields.into_iter().filter_map(|(name, value)| Some((name, field(&value.and_then(there)?)))).collect()
    })
}

fn line() -> impl Strategy<Value = BTreeMap<&'static str, Value>> {
    some_of(LineField::ALL.iter().map(|name| name.name()))
}

/// Any answer of the reader that passes `Extraction::from_untrusted`.
fn answer() -> impl Strategy<Value = Value> {
    let kind = prop_oneof![4 => Just("invoice"), 2 => Just("credit_note"), 1 => Just("contract"), 1 => Just("unknown")];
    let format = prop_oneof![Just("ubl"), Just("pdf-text"), Just("xlsx")];
    let fields = some_of(FieldName::ALL.iter().map(|name| name.name()));
    let vat = proptest::collection::vec(some_of(VatField::ALL.iter().map(|name| name.name())), 0..3);
    let coverage = (1..9u32, 0..9u32, 0..2u32).prop_map(
        |(pages, read, hidden_text)| json!({"pages": pages, "read": read.min(pages), "hidden_text": hidden_text}),
    );
    let lines = proptest::collection::vec(line(), 0..6);
    (kind, format, coverage, fields, vat, lines).prop_map(|(kind, format, coverage, fields, vat, lines)| {
        let mut fields = json!(fields);
        fields["vat_breakdown"] = json!(vat);
        json!({"kind": kind, "format": format, "coverage": coverage, "fields": fields, "lines": lines})
    })
}

fn extraction(answer: &Value) -> Extraction {
    Extraction::from_untrusted(answer.to_string().as_bytes()).unwrap()
}

/// Whoever takes in goods is not the one who orders them.
fn stated(fact: Fact, case: Option<u128>) -> Stated {
    let by = if matches!(fact, Fact::Receipt(_)) { "storekeeper" } else { "importer" };
    Stated { fact, case: case.map(|id| CaseId(Uuid::from_u128(id))), by: by.into(), known_from: Timestamp(0) }
}

fn order_line(order: &str, line: &str, unit_price: i64, match_level: u8) -> OrderLine {
    OrderLine {
        order_id: order.into(),
        vendor_id: "V1".into(),
        currency: "EUR".into(),
        line: line.into(),
        quantity: 100.into(),
        unit: "EA".into(),
        unit_price: Decimal::new(unit_price, 2),
        tax_rate: Some(19.into()),
        match_level,
        ..OrderLine::default()
    }
}

fn receipt(id: &str, order: &str, line: &str, quantity: i64, accepted: Option<i64>) -> Receipt {
    Receipt {
        unit: None,
        receipt_id: id.into(),
        order_id: order.into(),
        line: line.into(),
        quantity: quantity.into(),
        accepted: accepted.map(Decimal::from),
        returned: None,
        date: TODAY,
    }
}

fn claim(order: &str, line: &str, quantity: i64, amount: i64) -> Claim {
    let (order_id, line) = (order.to_owned(), line.to_owned());
    Claim { order_id, line, item: None, quantity: quantity.into(), amount: amount.into(), freight: false }
}

/// One of every kind: a vendor and its account, orders of all kinds with receipts, a contract, bills of today and before.
fn facts() -> Vec<Stated> {
    let iban = "DE89370400440532013000";
    let vendor = Vendor {
        vendor_id: "V1".into(),
        name: "Nordwind GmbH".into(),
        vat_id: Some("DE129273398".into()),
        tax_id: None,
        country: Some("DE".into()),
        iban: Some(iban.into()),
        bic: None,
        group: None,
        valid_from: Some(date(2026, 5, 1)),
    };
    let account = vendor.account(true, "importer", Timestamp(0)).unwrap();
    let blanket = OrderLine {
        blanket: true,
        value_limit: Some(1_000.into()),
        valid_to: Some(date(2026, 6, 5)),
        contract_id: Some("C-1".into()),
        freight_planned: Some(10.into()),
        ..order_line("PO-3", "1", 100, 2)
    };
    let contract = ContractRate {
        contract_id: "C-1".into(),
        vendor_id: "V1".into(),
        valid_from: date(2026, 1, 1),
        valid_to: None,
        currency: Some("EUR".into()),
        item: None,
        rate: Some(1.into()),
        index_cap_percent: Some(3.into()),
        tier_from: None,
        not_to_exceed: Some(500.into()),
        payment_days: Some(60),
        renewal: None,
    };
    let bill = |number: &str, net: i64, day: Date, claims| Bill {
        vendor_id: Some("V1".into()),
        cluster: "DE129273398".into(),
        number: Some(number.into()),
        date: Some(day),
        currency: Some("EUR".into()),
        net: Some(net.into()),
        gross: Some(net.into()),
        iban: Some(iban.into()),
        cost_centre: Some("1".into()),
        claims,
        ..Bill::default()
    };
    let imported = [
        Fact::Vendor(vendor),
        Fact::Account(account),
        Fact::OrderLine(order_line("PO-1", "1", 1000, 3)),
        Fact::OrderLine(order_line("PO-1", "2", 0, 4)),
        Fact::OrderLine(order_line("PO-2", "1", 1, 2)),
        Fact::OrderLine(blanket),
        Fact::Receipt(receipt("GR-1", "PO-1", "1", 60, None)),
        Fact::Receipt(receipt("GR-1", "PO-1", "2", 60, Some(50))),
        Fact::Unit(Conversion { from_unit: "KGM".into(), to_unit: "EA".into(), factor: 3.into(), item: None }),
        Fact::Contract(contract),
        Fact::Employee(Employee { employee_id: "E1".into(), name: "Kim Lee".into(), iban: Some("A1".into()) }),
        Fact::Bill(Box::new(bill("1", 100, date(2026, 6, 9), vec![claim("PO-1", "1", 7, 70)]))),
        Fact::Bill(Box::new(bill("2", 9_900, date(2026, 6, 1), vec![claim("PO-2", "1", 7, 7)]))),
    ];
    let of_case = stated(Fact::Bill(Box::new(bill("3", 1, TODAY, vec![claim("C-1", "", 9, 9)]))), Some(9));
    imported.into_iter().map(|fact| stated(fact, None)).chain([of_case]).collect()
}

fn known(extraction: &Extraction, facts: &[Stated], policy: &Policy) -> Known {
    Known::default().look_up(facts, |known| wanted(extraction, known, policy))
}

fn judged(extraction: &Extraction, facts: &[Stated]) -> Match {
    let policy = policy();
    reconcile(extraction, &known(extraction, facts, policy), policy, TODAY)
}

/// What is found, without the positions of lines: codes and figures.
fn found(extraction: &Extraction, facts: &[Stated]) -> Vec<(Code, String, BTreeMap<String, String>)> {
    let findings = validate(extraction, policy(), TODAY).into_iter().chain(judged(extraction, facts).findings);
    let figures = |finding: Finding| {
        let positions = |name: &String| name == "line" || name == "lines";
        let operands = finding.operands.into_iter().filter(|(name, _)| !positions(name)).collect();
        (finding.code, finding.rule, operands)
    };
    let mut found: Vec<_> = findings.map(figures).collect();
    found.sort_unstable();
    found
}

/// From the answer to where it rests, as the product does it.
fn run(extraction: &Extraction) -> Case {
    let policy = policy();
    let document = Document {
        digest: Digest::of(b"x"),
        size_bytes: 1,
        file_name: "a".into(),
        channel: "inbox".into(),
        received_at: NOW,
    };
    let stepped = |case: &Case, event: Event| {
        let (next, action) = step(case, event).unwrap();
        assert_eq!(action.is_some(), next.state.in_flight());
        next
    };
    let case = Case::new(CaseId(Uuid::nil()), document, Uuid::nil(), &Actor::system("intake"));
    let extracted = Event::Extracted { extraction: Box::new(extraction.clone()), pictures: Vec::new() };
    let case = stepped(&stepped(&case, extracted), Event::Validated { findings: Vec::new(), policy: policy.digest });
    let judgement = judge(&case, &known(extraction, &facts(), policy), policy, NOW);
    stepped(&case, Event::Reconciled(Box::new(judgement)))
}

/// A sound document of these lines, as order line, quantity and price in cents.
fn sound(kind: &str, lines: &[(&str, i64, i64)]) -> Value {
    let net: Decimal = lines.iter().map(|(_, quantity, price)| Decimal::new(quantity * price, 2)).sum();
    let tax = (net * Decimal::new(19, 2)).round_dp(2);
    let text = |amount: Decimal| field(&amount.to_string());
    let line = |(line, quantity, price): &(&str, i64, i64)| {
        json!({
            "order_line": field(line), "quantity": field(&quantity.to_string()),
            "unit_price": text(Decimal::new(*price, 2)), "vat_rate": field("19"),
        })
    };
    json!({
        "kind": kind, "format": "pdf-text", "coverage": {"pages": 1, "read": 1, "hidden_text": 0},
        "fields": {
            "number": field("77"), "issue_date": field("2026-06-10"), "currency": field("EUR"), "order_ref": field("PO-1"),
            "seller_name": field("Nordwind GmbH"), "buyer_name": field("Hafenkontor AG"),
            "net_total": text(net), "tax_total": text(tax), "payable": text(net + tax),
        },
        "lines": lines.iter().map(line).collect::<Vec<_>>(),
    })
}

/// Otherwise the properties of what goes through would be about nothing.
#[test]
fn a_sound_document_goes_through_and_one_too_many_does_not() {
    assert_eq!(run(&extraction(&sound("invoice", &[("1", 53, 1_000)]))).state, State::Approved);
    assert_eq!(run(&extraction(&sound("invoice", &[("1", 54, 1_000)]))).state, State::InReview);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_document_ends_the_program(answer in answer()) {
        let extraction = extraction(&answer);
        let case = run(&extraction);
        for finding in case.findings.iter().filter(|it| it.severity != Severity::Info) {
            prop_assert!(case.checkpoints.iter().any(|it| it.codes.contains(&finding.code)), "{}", finding.code.name());
        }
        // Approved or not: the ledger is asked for something sound, or for nothing.
        if let Ok(posting) = case::posting(&case) && let Some(bill) = posting.bill {
            prop_assert!(!bill.number.is_empty());
        }
    }

    #[test]
    fn the_order_of_the_lines_makes_no_difference(
        (answer, shuffled) in answer().prop_flat_map(|answer| {
            let lines = answer["lines"].as_array().cloned().unwrap();
            (Just(answer), Just(lines).prop_shuffle())
        })
    ) {
        let mut other = answer.clone();
        other["lines"] = json!(shuffled);
        prop_assert_eq!(found(&extraction(&answer), &facts()), found(&extraction(&other), &facts()));
    }

    #[test]
    fn the_order_of_the_facts_makes_no_difference(answer in answer(), shuffled in Just(facts()).prop_shuffle()) {
        let extraction = extraction(&answer);
        let (one, other) = (judged(&extraction, &facts()), judged(&extraction, &shuffled));
        prop_assert_eq!(one, other);
    }

    /// A verdict is what its explanation says, and nothing beside it.
    #[test]
    fn every_verdict_is_made_again_from_what_is_kept_of_it(answer in answer()) {
        let case = run(&extraction(&answer));
        for finding in &case.findings {
            let read: Finding = serde_json::from_str(&serde_json::to_string(finding).unwrap()).unwrap();
            prop_assert_eq!(&read, finding);
            prop_assert_eq!(read.again(), Some(finding.code), "{:?}", finding);
        }
        for passed in &case.passed {
            let read: Comparison = serde_json::from_str(&serde_json::to_string(passed).unwrap()).unwrap();
            prop_assert_eq!(&read, passed);
            prop_assert_eq!(read.code(), None, "{:?}", passed);
        }
    }

    /// Of two verdicts that are made at once, neither passes the other by.
    #[test]
    fn a_verdict_is_written_under_keys_that_it_asked_for(answer in answer()) {
        let extraction = extraction(&answer);
        let known = known(&extraction, &facts(), policy());
        let bill = reconcile(&extraction, &known, policy(), TODAY).bill;
        let keys = bill.map(|bill| Fact::Bill(Box::new(bill)).keys()).unwrap_or_default();
        for key in keys.iter().filter(|key| key.binds()) {
            prop_assert!(known.asked(key), "{}", key.text());
        }
    }

    /// However the goods came in: what was received is what was received.
    #[test]
    fn a_receipt_in_parts_is_the_same_as_one(
        billed in 1..130i64, price in 900..1_100i64, parts in proptest::collection::vec(1..40i64, 1..6), at in 1..3usize
    ) {
        let line = ["1", "2"][at - 1];
        let with = |receipts: &[i64]| {
            let of_line = |it: &Stated| !matches!(&it.fact, Fact::Receipt(it) if it.line == line);
            let mut facts: Vec<Stated> = facts().into_iter().filter(of_line).collect();
            let one = |(n, quantity): (usize, &i64)| receipt(&format!("GR-{n}"), "PO-1", line, *quantity, Some(*quantity));
            facts.extend(receipts.iter().enumerate().map(one).map(|it| stated(Fact::Receipt(it), None)));
            facts
        };
        let extraction = extraction(&sound("invoice", &[(line, billed, price)]));
        let (whole, split) = (judged(&extraction, &with(&[parts.iter().sum()])), judged(&extraction, &with(&parts)));
        prop_assert_eq!(whole.findings, split.findings);
        prop_assert_eq!(whole.matched, split.matched);
    }

    /// Whatever an invoice bills, a credit note over all of it takes it back: the order is as it was before both.
    #[test]
    fn an_invoice_and_a_credit_note_over_all_of_it_cancel(
        lines in proptest::collection::vec((prop::sample::select(vec!["1", "2"]), 1..60i64, 800..1_200i64), 1..5)
    ) {
        let policy = policy();
        let of_line = |facts: &[Stated], line: &str| {
            let ordered = order_line("PO-1", line, 1000, 3);
            let known = known(&extraction(&sound("invoice", &lines)), facts, policy);
            let ledger = ledger(&known, &ordered);
            (ledger.open(), ledger.open_amount())
        };
        let before = facts();
        let bill = |kind, facts: &[Stated], id| {
            let bill = judged(&extraction(&sound(kind, &lines)), facts).bill.unwrap();
            stated(Fact::Bill(Box::new(bill)), Some(id))
        };
        let mut after = before.clone();
        after.push(bill("invoice", &before, 21));
        let total: i64 = lines.iter().map(|(_, quantity, _)| quantity).sum();
        let open = |facts: &[Stated]| of_line(facts, "1").0 + of_line(facts, "2").0;
        prop_assert_eq!(open(&after) - open(&before), total.into());
        after.push(bill("credit_note", &after, 22));
        for line in ["1", "2"] {
            prop_assert_eq!(of_line(&after, line), of_line(&before, line), "line {}", line);
        }
    }

    #[test]
    fn any_bytes_are_an_answer_or_a_refusal(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        drop(Extraction::from_untrusted(&bytes));
    }

    /// A true answer with bytes changed, cut or put in.
    #[test]
    fn a_damaged_answer_is_an_answer_or_a_refusal(
        answer in answer(), at in any::<prop::sample::Index>(), end in any::<prop::sample::Index>(), with in proptest::collection::vec(any::<u8>(), 0..9)
    ) {
        let mut bytes = answer.to_string().into_bytes();
        let (at, end) = (at.index(bytes.len()), end.index(bytes.len()));
        let range = at.min(end)..at.max(end).min(at.min(end) + 9);
        bytes.splice(range, with);
        if let Ok(extraction) = Extraction::from_untrusted(&bytes) {
            run(&extraction);
        }
    }

    /// INVARIANT (fail closed): what goes straight through was billed for no more than was ordered at the ordered price.
    #[test]
    fn what_no_person_sees_costs_no_more_than_ordered_and_tolerated(
        quantity in 1..130i64, price in 900..1_100i64, net in 1..140_000i64, tax in 0..30_000i64, honest in any::<bool>()
    ) {
        let net = if honest { Decimal::new(quantity * price, 2) } else { Decimal::new(net, 2) };
        let tax = if honest { (net * Decimal::new(19, 2)).round_dp(2) } else { Decimal::new(tax, 2) };
        let gross = net + tax;
        let text = |amount: Decimal| field(&amount.to_string());
        let answer = json!({
            "kind": "invoice", "format": "pdf-text", "coverage": {"pages": 1, "read": 1, "hidden_text": 0},
            "fields": {
                "number": field("77"), "issue_date": field("2026-06-10"), "currency": field("EUR"), "order_ref": field("PO-1"),
                "seller_name": field("Nordwind GmbH"), "buyer_name": field("Hafenkontor AG"),
                "net_total": text(net), "tax_total": text(tax), "payable": text(gross),
            },
            "lines": [{
                "order_line": field("1"), "quantity": field(&quantity.to_string()), "unit_price": text(Decimal::new(price, 2)),
                "vat_rate": field("19"),
            }],
        });
        let case = run(&extraction(&answer));
        if case.state == State::Approved {
            prop_assert!(quantity + 7 <= 60);
            prop_assert!(net <= Decimal::from(quantity) * Decimal::new(1020, 2) + Decimal::ONE);
            prop_assert!((net * Decimal::new(19, 2) - tax).abs() <= Decimal::new(6, 2));
        }
    }
}

//! What must hold for any document at all, however absurd its figures.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};

use case::{
    Actor, Case, CaseId, Checkpoint, Claim, Code, Digest, Document, Event, Extraction, Facts, FieldName, Invoice,
    LineField, OrderFacts, OrderLine, Policy, Receipt, Timestamp, VatField, Vendor, question, reconcile, step,
    validate,
};
use jiff::civil::{Date, date};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;

const TODAY: Date = date(2026, 6, 15);

fn policy() -> Policy {
    Policy::parse([
        include_str!("../../../policies/checkpoints.toml"),
        include_str!("../../../policies/tolerances.toml"),
        include_str!("../../../policies/retention.toml"),
    ])
    .unwrap()
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
            Just("PO-9".to_owned())
        ]
        .boxed(),
        "order_line" => prop_oneof![Just("1".to_owned()), Just("2".to_owned())].boxed(),
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

fn facts() -> Facts {
    let order_line = |order: &str, line: &str, unit_price: i64, match_level| OrderLine {
        order_id: order.into(),
        vendor_id: "V1".into(),
        currency: "EUR".into(),
        line: line.into(),
        quantity: 100.into(),
        unit: "EA".into(),
        unit_price: Decimal::new(unit_price, 2),
        price_unit: Decimal::ONE,
        item: None,
        description: None,
        tax_rate: Some(19.into()),
        match_level,
    };
    let receipt = |order: &str, line: &str, accepted: Option<i64>| Receipt {
        unit: None,
        receipt_id: "GR-1".into(),
        order_id: order.into(),
        line: line.into(),
        quantity: 60.into(),
        accepted: accepted.map(Decimal::from),
        returned: None,
        date: TODAY,
    };
    let order = |name: &str, lines: Vec<OrderLine>, receipts| OrderFacts {
        order_id: name.into(),
        claims: vec![Claim { order_id: name.into(), line: "1".into(), quantity: 7.into() }],
        lines,
        receipts,
    };
    Facts {
        vendor: Some(Vendor {
            vendor_id: "V1".into(),
            name: "Nordwind GmbH".into(),
            vat_id: Some("DE129273398".into()),
            tax_id: None,
            country: Some("DE".into()),
            iban: Some("DE89370400440532013000".into()),
            bic: None,
            group: None,
            valid_from: None,
        }),
        orders: vec![
            order(
                "PO-1",
                vec![order_line("PO-1", "1", 1000, 3), order_line("PO-1", "2", 0, 4)],
                vec![receipt("PO-1", "1", None), receipt("PO-1", "2", Some(50))],
            ),
            order("PO-2", vec![order_line("PO-2", "1", 1, 2)], Vec::new()),
        ],
        twin: None,
    }
}

fn codes(extraction: &Extraction) -> BTreeSet<Code> {
    let policy = policy();
    let found = validate(extraction, &policy, TODAY)
        .into_iter()
        .chain(reconcile(extraction, &facts(), &policy, TODAY).findings);
    found.map(|finding| finding.code).collect()
}

/// From the answer to where it rests, as the product does it.
fn run(extraction: &Extraction) -> Case {
    let policy = policy();
    let mut findings = validate(extraction, &policy, TODAY);
    let verdict = reconcile(extraction, &facts(), &policy, TODAY);
    findings.extend(verdict.findings);
    let net = Invoice::of(extraction).0.totals.net_total;
    let checkpoints: Vec<Checkpoint> = policy.route(extraction.kind, net, &findings, Timestamp(0));
    let document = Document {
        digest: Digest::of(b"x"),
        size_bytes: 1,
        file_name: "a".into(),
        channel: "inbox".into(),
        received_at: Timestamp(0),
    };
    let case = Case::new(CaseId(Uuid::nil()), document, Uuid::nil(), &Actor::system("intake"));
    [
        Event::Extracted { extraction: Box::new(extraction.clone()), pictures: Vec::new() },
        Event::Validated { findings: Vec::new(), policy: policy.digest },
        Event::Reconciled {
            findings,
            matched: verdict.matched,
            claims: verdict.claims,
            checkpoints,
            policy: policy.digest,
            unbooked: policy.retention(extraction.kind, "inbox", true),
        },
    ]
    .into_iter()
    .fold(case, |case, event| {
        let (next, action) = step(&case, event).unwrap();
        assert_eq!(action.is_some(), next.state.in_flight());
        next
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_document_ends_the_program(answer in answer()) {
        let extraction = extraction(&answer);
        question(&extraction);
        let case = run(&extraction);
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
        prop_assert_eq!(codes(&extraction(&answer)), codes(&extraction(&other)));
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
                "number": field("1"), "issue_date": field("2026-06-10"), "currency": field("EUR"), "order_ref": field("PO-1"),
                "seller_name": field("Nordwind GmbH"), "buyer_name": field("Hafenkontor AG"),
                "net_total": text(net), "tax_total": text(tax), "payable": text(gross),
            },
            "lines": [{
                "order_line": field("1"), "quantity": field(&quantity.to_string()), "unit_price": text(Decimal::new(price, 2)),
                "vat_rate": field("19"),
            }],
        });
        let case = run(&extraction(&answer));
        if case.state == case::State::Approved {
            prop_assert!(quantity + 7 <= 60);
            prop_assert!(net <= Decimal::from(quantity) * Decimal::new(1020, 2) + Decimal::ONE);
            prop_assert!((net * Decimal::new(19, 2) - tax).abs() <= Decimal::new(6, 2));
        }
    }
}

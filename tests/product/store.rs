//! What the store promises, on both databases. Every test ends with the judgement of `on_both`: nothing at rest
//! contradicts anything else, and the exported log verifies.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod accounts;
mod at_rest;
mod cases;
mod facts;
mod log;
mod policies;
mod search;

use crate::support;

use std::collections::BTreeSet;
use std::sync::Arc;

use case::{
    Action, Actor, Case, CaseId, Change, Code, Decision, Deed, Digest, Event, Fact, OrderLine, Policy, Receipt,
    Refusal, Role, State, Timestamp, Vendor, Verdict,
};
use demo::{Format, Line, Party, Vat};
use jiff::civil::date;
use store::{Admission, ApplyError, Arrival, Error, Gathered, Imported, NewAccount, SignIn, Store, Work};
use support::{
    NOW, Place, admin, admitted, arrival, auditor, files_below, machine, on_both, person, policy, seconds_later,
    stores, unreadable,
};
use tempfile::TempDir;

const SELLER_VAT_ID: &str = "DE317225902";

fn vendors() -> Fact {
    Fact::Vendor(Vendor {
        vendor_id: "V1".into(),
        name: "Nordlicht Werkzeuge GmbH".into(),
        vat_id: Some(SELLER_VAT_ID.into()),
        tax_id: None,
        country: Some("DE".into()),
        iban: Some("DE89370400440532013000".into()),
        bic: None,
        group: None,
        valid_from: None,
    })
}

/// One line of 40.00 a piece, to be matched with what was received.
fn orders(quantity: &str) -> Fact {
    Fact::OrderLine(OrderLine {
        order_id: "PO-4501".into(),
        vendor_id: "V1".into(),
        currency: "EUR".into(),
        line: "1".into(),
        quantity: quantity.parse().unwrap(),
        unit_price: "40.00".parse().unwrap(),
        description: Some("Torque wrench".into()),
        ..OrderLine::default()
    })
}

fn receipts(quantity: &str) -> Fact {
    Fact::Receipt(Receipt {
        unit: None,
        receipt_id: "GR-1".into(),
        order_id: "PO-4501".into(),
        line: "1".into(),
        quantity: quantity.parse().unwrap(),
        accepted: None,
        returned: None,
        date: date(2026, 3, 1),
    })
}

async fn import(store: &Store, fact: &Fact) -> Imported {
    import_at(store, fact, NOW).await
}

async fn import_at(store: &Store, fact: &Fact, now: Timestamp) -> Imported {
    let operator = person("usr_operator", &[Role::Operator], 1);
    store.import(fact.kind(), std::slice::from_ref(fact), &operator, now).await.unwrap()
}

/// 100 pieces ordered, and as many received as `received` says.
async fn master_data(store: &Store, received: &str) {
    for rows in [vendors(), orders("100"), receipts(received)] {
        import(store, &rows).await;
    }
}

fn bill(number: &str, quantity: &str) -> demo::Invoice {
    let seller = Party {
        name: "Nordlicht Werkzeuge GmbH".into(),
        country: "DE".into(),
        vat_id: Some(SELLER_VAT_ID.into()),
        ..demo::buyer()
    };
    let line = Line {
        order_line: Some("1".into()),
        name: "Torque wrench".into(),
        quantity: quantity.parse().unwrap(),
        unit: "C62".into(),
        unit_price: "40.00".parse().unwrap(),
        vat: Vat::Standard("19".parse().unwrap()),
        net: None,
    };
    let mut invoice =
        demo::Invoice::new(number, date(2026, 3, 5), Party { account: None, ..seller }, demo::buyer(), vec![line]);
    invoice.order_ref = Some("PO-4501".into());
    invoice
}

async fn admit(store: &Store, bytes: &[u8]) -> CaseId {
    admitted(store, arrival(bytes, "document", "inbox"), NOW).await
}

async fn arrive(store: &Store, invoice: &demo::Invoice) -> CaseId {
    arrive_as(store, invoice, Format::Ubl).await
}

async fn arrive_as(store: &Store, invoice: &demo::Invoice, format: Format) -> CaseId {
    admit(store, &demo::invoice(invoice, format)).await
}

async fn lease_one(store: &Store, now: Timestamp) -> Work {
    let [work] = store.lease(1, now).await.unwrap()[..] else { panic!("there is nothing to do") };
    work
}

/// From the work that a case has to where it rests, or to what must be sent.
async fn to_rest(store: &Store, work: Work) -> Case {
    let work = read(store, work).await;
    judge(store, work).await
}

/// Up to the comparison, which is left to do.
async fn read(store: &Store, mut work: Work) -> Work {
    while work.action != Action::Reconcile {
        let case = store.case(work.case).await.unwrap();
        let event = match work.action {
            Action::Extract => {
                let reading = extract::read(&store.original_bytes(&case).await.unwrap()).unwrap();
                Event::Extracted { extraction: Box::new(reading.extraction), pictures: Vec::new() }
            }
            Action::Validate => {
                let policy = policy();
                let findings = case::validate(case.extraction.as_ref().unwrap(), &policy, NOW.date());
                Event::Validated { findings, policy: policy.digest }
            }
            other => panic!("{other:?} is not to be done here"),
        };
        work = store.advance(&work, event, &machine(), NOW).await.unwrap().next.unwrap();
    }
    work
}

/// Looks up what the case is compared with, and compares; nothing is written.
async fn verdict(store: &Store, work: &Work) -> (Gathered, Event) {
    let (policy, case) = (policy(), store.case(work.case).await.unwrap());
    let extraction = case.extraction.clone().unwrap();
    let gathered = store.gather(&case, &|known| case::wanted(&extraction, known, &policy)).await.unwrap();
    let event = Event::Reconciled(Box::new(case::judge(&case, &gathered.known, &policy, NOW)));
    (gathered, event)
}

async fn judge(store: &Store, work: Work) -> Case {
    let mut first = Some(verdict(store, &work).await);
    for _ in 0..5 {
        let (known, event) = match first.take() {
            Some(verdict) => verdict,
            None => verdict(store, &work).await,
        };
        match store.advance_on(&known, &work, event, &machine(), NOW).await {
            Ok(advanced) => return advanced.case,
            Err(ApplyError::FactsChanged) => {}
            Err(other) => panic!("{other}"),
        }
    }
    panic!("the facts never stood still")
}

async fn decide(store: &Store, case: &Case, verdict: Verdict, by: &Actor) -> Result<Case, ApplyError> {
    let decision = Decision { by: by.clone(), verdict, reason: "as agreed".into(), seen: case.content(), at: NOW };
    store.apply(case.id, case.revision, Event::Decided(decision), by, NOW).await
}

/// A correction that matters to no comparison.
fn other_due_date() -> Verdict {
    Verdict::Correct(vec![Change { field: "due_date".into(), value: "2026-04-09".into() }])
}

async fn faults(place: &Place) -> Vec<(String, String)> {
    let report = place.store.check(true, None, NOW).await.unwrap();
    report.faults.into_iter().map(|fault| (fault.about, fault.what)).collect()
}

fn checkpoints(case: &Case) -> Vec<&str> {
    case.checkpoints.iter().map(|checkpoint| checkpoint.id.as_str()).collect()
}

/// Runs `n` tasks that all begin when the last of them is ready.
async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    n: usize,
    task: impl Fn(usize) -> F,
) -> Vec<T> {
    let barrier = Arc::new(tokio::sync::Barrier::new(n));
    let tasks: Vec<_> = (0..n)
        .map(|idx| {
            let (barrier, task) = (barrier.clone(), task(idx));
            tokio::spawn(async move {
                barrier.wait().await;
                task.await
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

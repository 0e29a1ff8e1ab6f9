#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod booked;
mod corrections;
mod decisions;
mod judged_again;

use super::*;
use crate::decision::Change;
use crate::{
    ActorKind, Claim, Evidence, Family, Field, FieldName, Fields, Format, Ground, Judgement, Known, LineField, Policy,
    REASON_CHARS_MAX, Role, SHIPPED, Statement, Timestamp,
};

const NOW: Timestamp = Timestamp(1_781_500_000_000_000);

fn user(id: &str, role: Role, level: u8) -> Actor {
    Actor { id: id.into(), kind: ActorKind::User, roles: vec![role], level }
}

fn read(value: &str) -> Field {
    Field {
        value: value.into(),
        confidence: 0.9,
        evidence: Evidence::Element { path: "/Invoice".into(), text: value.into() },
    }
}

fn extraction() -> Extraction {
    Extraction {
        fields: Fields { single: [(FieldName::Number, read("INV-1"))].into(), ..Fields::default() },
        lines: vec![[(LineField::Quantity, read("2"))].into()],
        ..Extraction::blank(Kind::Invoice, Format::Ubl)
    }
}

fn checkpoint(id: &str, route: Role, level: u8, needs: u8, codes: &[Code]) -> Checkpoint {
    let title = id.to_owned();
    Checkpoint { id: id.into(), title, route, level, needs, codes: codes.to_vec(), due_at: NOW, approvals: Vec::new() }
}

fn bill() -> Bill {
    let claim = Claim { order_id: "PO-1".into(), line: "1".into(), quantity: 2.into(), ..Claim::default() };
    Bill { number: Some("INV-1".into()), claims: vec![claim], ..Bill::default() }
}

fn received() -> Case {
    let document = Document {
        digest: Digest::of(b"x"),
        size_bytes: 1,
        file_name: "a.xml".into(),
        channel: "inbox".into(),
        received_at: NOW,
    };
    Case::new(CaseId(Uuid::from_u128(1)), document, Uuid::from_u128(2), &user("usr_submitter", Role::Operator, 1))
}

/// As long as the shipped policy says, of a contract that ends today.
fn rule(unbooked: bool) -> Rule {
    Policy::parse(SHIPPED).unwrap().retention(Kind::Contract, "inbox", unbooked)
}

fn keep(unbooked: bool) -> Keep {
    let rule = rule(unbooked);
    Keep { clocks: rule.clocks(NOW.date()), rule }
}

fn extracted() -> Event {
    Event::Extracted { extraction: Box::new(extraction()), pictures: Vec::new() }
}

fn validated() -> Event {
    Event::Validated { findings: Vec::new(), policy: Digest::of(b"policy") }
}

fn unreadable() -> Event {
    Event::Unreadable { why: "no pages".into(), keep: keep(true) }
}

fn judgement(codes: &[Code], checkpoints: Vec<Checkpoint>) -> Judgement {
    Judgement {
        at: NOW,
        findings: codes.iter().map(|code| Finding::new(*code, "match.test", "a finding")).collect(),
        passed: Vec::new(),
        matched: Vec::new(),
        bill: Some(bill()),
        due_date: None,
        informed_by: ["usr_informant".to_owned()].into(),
        beside: BTreeSet::new(),
        checkpoints,
        policy: Digest::of(b"policy"),
        sample_percent: 5,
        unbooked: rule(true),
    }
}

fn booked() -> Answer {
    Answer::Booked { reference: "JE-1".into() }
}

/// What stops a case that the ledger refused.
fn ledger() -> Vec<Checkpoint> {
    vec![checkpoint("ledger", Role::Reviewer, 1, 1, &[Code::ErpRefused])]
}

fn reconciled(codes: &[Code], checkpoints: Vec<Checkpoint>) -> Event {
    Event::Reconciled(Box::new(judgement(codes, checkpoints)))
}

fn rejudged(codes: &[Code], checkpoints: Vec<Checkpoint>) -> Event {
    Event::Rejudged(Box::new(judgement(codes, checkpoints)))
}

fn reopened() -> Event {
    let finding = Finding::new(Code::PaidUnapproved, "match.paid", "a finding");
    let checkpoints = vec![checkpoint("paid", Role::Reviewer, 1, 1, &[Code::PaidUnapproved])];
    Event::Reopened { finding: Box::new(finding), checkpoints }
}

fn held(codes: &[Code], checkpoints: Vec<Checkpoint>) -> Case {
    let events = [
        Event::Extracted {
            extraction: Box::new(extraction()),
            pictures: vec![Picture { file: Uuid::from_u128(3), offset: 0, size: 9 }],
        },
        validated(),
        reconciled(codes, checkpoints),
    ];
    events.into_iter().fold(received(), |case, event| step(&case, event).unwrap().0)
}

fn in_review() -> Case {
    held(&[Code::Price], vec![checkpoint("price", Role::Reviewer, 1, 1, &[Code::Price])])
}

/// A decision of somebody who looks at the case as it is now.
fn decide(case: &Case, by: Actor, verdict: Verdict) -> Result<(Case, Option<Action>), Refusal> {
    step(case, Event::Decided(Decision { by, verdict, reason: "seen".into(), seen: case.content(), at: NOW }))
}

fn correct(case: &Case, field: &str, value: &str) -> Result<(Case, Option<Action>), Refusal> {
    let change = Change { field: field.into(), value: value.into() };
    decide(case, user("usr_corrector", Role::Reviewer, 1), Verdict::Correct(vec![change]))
}

fn ended(on: Option<Date>) -> Event {
    Event::Ended { on, said: said(legal("usr_legal")) }
}

/// Long after every clock has run out.
fn said(by: Actor) -> Statement {
    Statement { by, reason: "seen".into(), at: Timestamp(NOW.0 + 20 * 365 * 86_400_000_000) }
}

fn legal(id: &str) -> Actor {
    user(id, Role::Legal, 2)
}

fn propose(case: &Case) -> Event {
    let (seen, said) = (case.content(), said(reviewer("usr_1")));
    Event::DisposalProposed { ground: Ground::Expired, seen, said, family: Family::new() }
}

fn dispose(case: &Case) -> Event {
    Event::DisposalApproved { seen: case.content(), said: said(legal("usr_legal")), family: Family::new() }
}

fn withdraw(case: &Case) -> Event {
    Event::DisposalWithdrawn { seen: case.content(), said: said(reviewer("usr_1")) }
}

fn hold(matter: &str) -> Event {
    Event::Held { matter: matter.into(), said: said(legal("usr_legal")) }
}

fn release(matter: &str) -> Event {
    Event::HoldReleased { matter: matter.into(), said: said(legal("usr_legal")) }
}

fn reviewer(id: &str) -> Actor {
    user(id, Role::Reviewer, 2)
}

#[test]
fn every_transition_is_the_one_that_is_written_down() {
    let clean = || held(&[], Vec::new());
    let quarantined = step(&received(), unreadable()).unwrap().0;
    let answered = |answer| Event::Answered { answer, checkpoints: ledger() };
    let taken_apart = |id| Event::TakenApart { extraction: Box::new(extraction()), cases: vec![id], keep: keep(false) };
    let archived = || Event::Archived { keep: keep(false) };
    let case_in = |state: State| match state {
        State::Received => received(),
        State::InReview => in_review(),
        State::Quarantined => quarantined.clone(),
        State::Approved => clean(),
        State::Posted => step(&clean(), answered(booked())).unwrap().0,
        State::Archived => step(&step(&clean(), answered(booked())).unwrap().0, archived()).unwrap().0,
        State::Rejected => decide(&in_review(), reviewer("usr_1"), Verdict::Reject).unwrap().0,
        State::Erased => {
            let proposed = step(&quarantined, propose(&quarantined)).unwrap().0;
            step(&proposed, dispose(&proposed)).unwrap().0
        }
        State::Extracted => step(&received(), extracted()).unwrap().0,
        State::Validated => step(&step(&received(), extracted()).unwrap().0, validated()).unwrap().0,
    };
    let decided = |verdict| {
        move |case: &Case| {
            Event::Decided(Decision {
                by: reviewer("usr_1"),
                verdict,
                reason: "seen".into(),
                seen: case.content(),
                at: NOW,
            })
        }
    };
    let change = Verdict::Correct(vec![Change { field: "number".into(), value: "INV-2".into() }]);
    let two = || vec![checkpoint("a", Role::Reviewer, 1, 1, &[Code::Price]), checkpoint("b", Role::Legal, 1, 1, &[])];
    type Make<'a> = Box<dyn FnOnce(&Case) -> Event + 'a>;
    let events = || -> Vec<(&str, Make<'_>)> {
        vec![
            ("", Box::new(|_| extracted())),
            ("", Box::new(|_| unreadable())),
            ("", Box::new(|case| taken_apart(case.id))),
            ("", Box::new(|_| validated())),
            ("clean", Box::new(|_| reconciled(&[Code::PriceBelow], Vec::new()))),
            ("held", Box::new(|_| reconciled(&[Code::Price], two()))),
            ("clean", Box::new(|_| rejudged(&[Code::PriceBelow], Vec::new()))),
            ("held", Box::new(|_| rejudged(&[Code::Price], two()))),
            ("", Box::new(|_| reopened())),
            ("", Box::new(decided(Verdict::Approve))),
            ("", Box::new(decided(change.clone()))),
            ("", Box::new(decided(Verdict::Reject))),
            ("", Box::new(decided(Verdict::Release))),
            ("", Box::new(|_| answered(booked()))),
            ("", Box::new(|_| answered(Answer::Refused { why: "period closed".into() }))),
            ("", Box::new(|_| answered(Answer::Unknown))),
            ("", Box::new(|_| answered(Answer::Absent))),
            ("", Box::new(|_| archived())),
            ("", Box::new(|_| hold("m"))),
            ("", Box::new(|_| release("m"))),
            ("", Box::new(|_| ended(None))),
            ("", Box::new(propose)),
            ("", Box::new(dispose)),
            ("", Box::new(withdraw)),
        ]
    };
    let mut table = String::from(
        "# Every state with every event: where the case goes and what a machine does next; `-` is refused.\n",
    );
    let mut row = |case: &Case, state: &str, note: &str, event: Event| {
        let name = format!("{} {note}", event.name());
        let outcome = match step(case, event) {
            Ok((next, action)) => {
                assert_eq!(next.revision, case.revision + 1, "{state}, {name}");
                assert_eq!(action.is_some(), next.state.in_flight(), "{state}, {name}");
                format!("{:<12} {}", next.state.name(), action.map_or("", Action::name))
            }
            Err(refusal) => {
                let not_here = matches!(
                    refusal,
                    Refusal::NotNow { .. }
                        | Refusal::NotHeld
                        | Refusal::NothingProposed
                        | Refusal::ProposedAlready
                        | Refusal::Held { .. }
                );
                assert!(not_here, "{state}, {name}: {refusal}");
                "-".to_owned()
            }
        };
        table += format!("{state:<12} {name:<36} {outcome}").trim_end();
        table.push('\n');
    };
    for state in State::ALL {
        let case = case_in(state);
        assert_eq!(case.state, state);
        for (note, make) in events() {
            row(&case, state.name(), note, make(&case));
        }
        if state == State::InReview {
            let case = held(&[Code::Price], two());
            row(&case, state.name(), "(others open)", decided(Verdict::Approve)(&case));
        }
        let held = step(&case, hold("m")).map(|(held, _)| held);
        let proposed = step(&case, propose(&case)).map(|(proposed, _)| proposed);
        for (case, note) in [(held, "(held)"), (proposed, "(proposed)")] {
            let Ok(case) = case else { continue };
            let on_disposal = [hold("n"), release("m"), propose(&case), dispose(&case), withdraw(&case)];
            on_disposal.into_iter().for_each(|event| row(&case, state.name(), note, event));
        }
    }
    crate::golden("src/step/transitions.txt", &table);
}

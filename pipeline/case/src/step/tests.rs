#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;
use crate::decision::Change;
use crate::{
    ActorKind, Claim, Coverage, Evidence, Family, Field, FieldName, Fields, Format, Ground, Judgement, LineField,
    Policy, REASON_CHARS_MAX, Role, Statement, Timestamp,
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
        kind: Kind::Invoice,
        format: Format::Ubl,
        language: None,
        coverage: Coverage { pages: 1, read: 1, hidden_text: 0 },
        pages: Vec::new(),
        fields: Fields { single: [(FieldName::Number, read("INV-1"))].into(), ..Fields::default() },
        lines: vec![[(LineField::Quantity, read("2"))].into()],
        clauses: Vec::new(),
        notes: Vec::new(),
        labelled: Vec::new(),
        profile: None,
        breaches: Vec::new(),
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
    let texts = [
        include_str!("../../../../policies/checkpoints.toml"),
        include_str!("../../../../policies/tolerances.toml"),
        include_str!("../../../../policies/retention.toml"),
    ];
    Policy::parse(texts).unwrap().retention(Kind::Contract, "inbox", unbooked)
}

fn keep(unbooked: bool) -> Keep {
    let rule = rule(unbooked);
    Keep { clocks: rule.clocks(NOW.date()), rule }
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
        checkpoints,
        policy: Digest::of(b"policy"),
        unbooked: rule(true),
    }
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
        Event::Validated { findings: Vec::new(), policy: Digest::of(b"policy") },
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
    let answered = |answer| Event::Answered {
        answer,
        checkpoints: vec![checkpoint("ledger", Role::Reviewer, 1, 1, &[Code::ErpRefused])],
    };
    let booked = || Answer::Booked { reference: "JE-1".into() };
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
        State::Extracted | State::Validated => {
            let case = step(&received(), Event::Extracted { extraction: Box::new(extraction()), pictures: Vec::new() })
                .unwrap()
                .0;
            if state == State::Extracted {
                return case;
            }
            step(&case, Event::Validated { findings: Vec::new(), policy: Digest::of(b"policy") }).unwrap().0
        }
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
            ("", Box::new(|_| Event::Extracted { extraction: Box::new(extraction()), pictures: Vec::new() })),
            ("", Box::new(|_| unreadable())),
            ("", Box::new(|case| taken_apart(case.id))),
            ("", Box::new(|_| Event::Validated { findings: Vec::new(), policy: Digest::of(b"policy") })),
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

#[test]
fn whoever_submitted_may_not_approve() {
    let submitter = user("usr_submitter", Role::Reviewer, 2);
    assert_eq!(decide(&in_review(), submitter, Verdict::Approve).unwrap_err(), Refusal::Touched);
}

#[test]
fn whoever_corrects_may_not_approve() {
    let corrected = correct(&in_review(), "number", "INV-2").unwrap().0;
    let again = step(&corrected, Event::Validated { findings: Vec::new(), policy: Digest::of(b"policy") }).unwrap().0;
    let again =
        step(&again, reconciled(&[Code::Price], vec![checkpoint("price", Role::Reviewer, 1, 1, &[Code::Price])]))
            .unwrap()
            .0;
    assert_eq!(decide(&again, reviewer("usr_corrector"), Verdict::Approve).unwrap_err(), Refusal::Touched);
    assert_eq!(decide(&again, reviewer("usr_other"), Verdict::Approve).unwrap().0.state, State::Approved);
}

#[test]
fn where_two_must_approve_one_person_counts_once() {
    let case = held(&[Code::BankNew], vec![checkpoint("payee", Role::Reviewer, 1, 2, &[Code::BankNew])]);
    let (once, action) = decide(&case, reviewer("usr_1"), Verdict::Approve).unwrap();
    assert_eq!((once.state, action), (State::InReview, None));
    let why = "you approved already; a second person must".to_owned();
    assert_eq!(decide(&once, reviewer("usr_1"), Verdict::Approve).unwrap_err(), Refusal::NothingToApprove { why });
    let (twice, action) = decide(&once, reviewer("usr_2"), Verdict::Approve).unwrap();
    assert_eq!((twice.state, action), (State::Approved, Some(Action::Send)));
}

#[test]
fn role_and_level_decide_whose_checkpoint_it_is() {
    let case = held(
        &[Code::Price],
        vec![
            checkpoint("amount", Role::Reviewer, 2, 1, &[Code::Price]),
            checkpoint("contract", Role::Legal, 1, 1, &[]),
        ],
    );
    for nobody in [user("usr_1", Role::Reviewer, 1), user("usr_1", Role::Auditor, 2), user("usr_1", Role::Admin, 2)] {
        assert!(decide(&case, nobody, Verdict::Approve).unwrap_err().about_authority());
    }
    let program = Actor { kind: ActorKind::Service, ..reviewer("svc_1") };
    assert!(decide(&case, program, Verdict::Approve).unwrap_err().about_authority());
    let (half, _) = decide(&case, reviewer("usr_1"), Verdict::Approve).unwrap();
    assert_eq!(half.state, State::InReview);
    assert_eq!(half.checkpoints.iter().map(Checkpoint::settled).collect::<Vec<_>>(), [true, false]);
    assert_eq!(decide(&half, user("usr_2", Role::Legal, 1), Verdict::Approve).unwrap().0.state, State::Approved);
}

#[test]
fn a_decision_about_what_was_there_before_is_refused() {
    let case = held(&[Code::BankNew], vec![checkpoint("payee", Role::Reviewer, 1, 2, &[Code::BankNew])]);
    for changed in [
        Case { findings: Vec::new(), ..case.clone() },
        Case { policy: Some(Digest::of(b"another policy")), ..case.clone() },
        Case { extraction: Some(Extraction { language: Some("de".into()), ..extraction() }), ..case.clone() },
        Case { document: Document { digest: Digest::of(b"y"), ..case.document.clone() }, ..case.clone() },
    ] {
        for verdict in [Verdict::Approve, Verdict::Reject, Verdict::Correct(Vec::new())] {
            let decision =
                Decision { by: reviewer("usr_1"), verdict, reason: "seen".into(), seen: changed.content(), at: NOW };
            assert_eq!(step(&case, Event::Decided(decision)).unwrap_err(), Refusal::Stale);
        }
    }
}

#[test]
fn a_stop_cannot_be_approved_and_claims_nothing_of_an_order() {
    let case = held(&[Code::DuplicateD2], vec![checkpoint("payee", Role::Reviewer, 1, 1, &[Code::DuplicateD2])]);
    assert_eq!(case.bill, None);
    let refused = decide(&case, reviewer("usr_1"), Verdict::Approve).unwrap_err();
    assert_eq!(refused, Refusal::Stopped { code: Code::DuplicateD2 });
    assert_eq!(decide(&case, reviewer("usr_1"), Verdict::Reject).unwrap().0.state, State::Rejected);
    assert_eq!(in_review().bill, Some(Bill { since: Some(NOW), ..bill() }));
    assert_eq!(in_review().place, Some(NOW));
    assert_eq!(
        decide(&in_review(), reviewer("usr_1"), Verdict::Reject).unwrap().0.bill,
        None,
        "it makes room for others"
    );
}

#[test]
fn a_finding_of_weight_without_a_checkpoint_ends_the_program_rather_than_pass() {
    let validated = |codes: &[Code], checkpoints| {
        let extracted = Event::Extracted { extraction: Box::new(extraction()), pictures: Vec::new() };
        let case = step(&received(), extracted).unwrap().0;
        let case = step(&case, Event::Validated { findings: Vec::new(), policy: Digest::of(b"policy") }).unwrap().0;
        let event = reconciled(codes, checkpoints);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| step(&case, event).map(|it| it.0.state)))
    };
    assert!(validated(&[Code::Stale], Vec::new()).is_err());
    assert!(validated(&[Code::Stale], vec![checkpoint("amount", Role::Reviewer, 1, 1, &[])]).is_err());
    assert_eq!(validated(&[Code::PriceBelow], Vec::new()).unwrap(), Ok(State::Approved));
}

#[test]
fn an_edit_voids_findings_approvals_and_claims() {
    let case = held(&[Code::BankNew], vec![checkpoint("payee", Role::Reviewer, 1, 2, &[Code::BankNew])]);
    let approved_once = decide(&case, reviewer("usr_1"), Verdict::Approve).unwrap().0;
    let (corrected, action) = correct(&approved_once, "number", "INV-2").unwrap();
    assert_eq!((corrected.state, action), (State::Extracted, Some(Action::Validate)));
    assert!(corrected.findings.is_empty() && corrected.checkpoints.is_empty() && corrected.bill.is_none());
    assert!(corrected.passed.is_empty() && corrected.informed_by.is_empty() && corrected.due_date.is_none());
    assert_eq!(corrected.policy, None);
    assert_ne!(corrected.content(), approved_once.content());
}

#[test]
fn every_decision_needs_a_reason_of_a_length_that_can_be_read() {
    let reject = |reason: String| {
        let case = in_review();
        let seen = case.content();
        step(&case, Event::Decided(Decision { by: reviewer("usr_1"), verdict: Verdict::Reject, reason, seen, at: NOW }))
            .map(drop)
    };
    assert_eq!(reject(" \n".into()), Err(Refusal::ReasonMissing));
    let chars = REASON_CHARS_MAX + 1;
    assert_eq!(reject("ü".repeat(chars)), Err(Refusal::ReasonTooLong { chars, max: REASON_CHARS_MAX }));
    assert_eq!(reject("ü".repeat(REASON_CHARS_MAX)), Ok(()));
}

#[test]
fn a_corrected_value_has_the_person_as_its_evidence() {
    let corrected = correct(&in_review(), "lines.1.quantity", " 3 ").unwrap().0.extraction.unwrap();
    let field = &corrected.lines[0][&LineField::Quantity];
    assert_eq!((field.value.as_str(), field.confidence), ("3", 1.0));
    assert_eq!(field.evidence, Evidence::Person { person: "usr_corrector".into(), text: "3".into() });
}

#[test]
fn a_correction_adds_and_removes_fields_and_lines() {
    let with_iban = correct(&in_review(), "iban", "DE89370400440532013000").unwrap().0.extraction.unwrap();
    assert_eq!(with_iban.text(FieldName::Iban), Some("DE89370400440532013000"));
    let without_number = correct(&in_review(), "number", "").unwrap().0.extraction.unwrap();
    assert_eq!(without_number.text(FieldName::Number), None);
    let two_lines = correct(&in_review(), "lines.2.quantity", "1").unwrap().0.extraction.unwrap();
    assert_eq!(two_lines.lines.len(), 2);
    let no_line = correct(&in_review(), "lines.1.quantity", "").unwrap().0.extraction.unwrap();
    assert!(no_line.lines.is_empty());
}

#[test]
fn a_correction_of_what_is_no_field_is_refused_whole() {
    for field in [
        "",
        "colour",
        "lines.0.quantity",
        "lines.3.quantity",
        "lines.1.colour",
        "lines.x.quantity",
        "lines.1",
        "NUMBER",
    ] {
        assert_eq!(correct(&in_review(), field, "1").unwrap_err(), Refusal::NoSuchField { field: field.into() });
    }
    assert!(matches!(correct(&in_review(), "number", &"1".repeat(1_001)), Err(Refusal::NoSuchField { .. })));
    assert_eq!(
        decide(&in_review(), reviewer("usr_1"), Verdict::Correct(Vec::new())).unwrap_err(),
        Refusal::NothingCorrected
    );
}

#[test]
fn what_the_ledger_refuses_goes_to_a_person_and_the_earlier_approvals_stay_on_record() {
    let approved = decide(&in_review(), reviewer("usr_1"), Verdict::Approve).unwrap().0;
    let refused = |case: &Case, why: &str| {
        let checkpoints = vec![checkpoint("ledger", Role::Reviewer, 1, 1, &[Code::ErpRefused])];
        step(case, Event::Answered { answer: Answer::Refused { why: why.into() }, checkpoints }).unwrap().0
    };
    let case = refused(&approved, "period closed");
    assert_eq!((case.state, case.findings.last().unwrap().code), (State::InReview, Code::ErpRefused));
    assert_eq!(case.checkpoints[0].approvals[0].by, "usr_1");
    let again = decide(&case, reviewer("usr_1"), Verdict::Approve).unwrap().0;
    assert_eq!(again.state, State::Approved);
    // Refused twice: the same checkpoint stands there once, and open.
    let twice = refused(&again, "period closed");
    assert_eq!(twice.checkpoints.iter().map(Checkpoint::settled).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn no_answer_leads_to_a_question_and_only_a_no_to_a_second_sending() {
    let approved = held(&[], Vec::new());
    let answer = |answer| step(&approved, Event::Answered { answer, checkpoints: Vec::new() }).unwrap().1;
    assert_eq!(answer(Answer::Unknown), Some(Action::Inquire));
    assert_eq!(answer(Answer::Absent), Some(Action::Send));
}

/// A case that two must approve for its price and one for its amount, and of which one person approved both.
fn approved_once() -> Case {
    let case = held(&[Code::Price], of_price());
    decide(&case, reviewer("usr_1"), Verdict::Approve).unwrap().0
}

fn of_price() -> Vec<Checkpoint> {
    vec![checkpoint("price", Role::Reviewer, 1, 2, &[Code::Price]), checkpoint("amount", Role::Reviewer, 1, 1, &[])]
}

fn approvals(case: &Case) -> Vec<(&str, usize)> {
    case.checkpoints.iter().map(|it| (it.id.as_str(), it.approvals.len())).collect()
}

#[test]
fn what_changes_for_the_better_is_judged_again_and_goes_on() {
    let case = approved_once();
    let (again, action) = step(&case, rejudged(&[Code::PriceBelow], Vec::new())).unwrap();
    assert_eq!((again.state, action), (State::Approved, Some(Action::Send)));
    let (again, action) = step(&case, rejudged(&[], vec![of_price().remove(1)])).unwrap();
    assert_eq!((again.state, action), (State::Approved, Some(Action::Send)), "who approved the amount saw all of it");
    let (again, action) = step(&case, rejudged(&[Code::Price], of_price())).unwrap();
    assert_eq!((again.state, action), (State::InReview, None));
    assert_eq!(approvals(&again), [("price", 1), ("amount", 1)]);
}

#[test]
fn approvals_stand_only_where_nothing_was_added_to_what_was_approved() {
    let case = approved_once();
    let void = [("price", 0), ("amount", 0)];
    let check = |judgement: Judgement, expected: &[(&str, usize)], why: &str| {
        let again = step(&case, Event::Rejudged(Box::new(judgement))).unwrap().0;
        assert_eq!(approvals(&again), expected, "{why}");
    };
    let mut more_codes = of_price();
    more_codes[0].codes.push(Code::QtyRec);
    check(judgement(&[Code::Price, Code::QtyRec], more_codes), &void, "another finding");
    check(judgement(&[Code::Price, Code::PriceBelow], of_price()), &[("price", 1), ("amount", 1)], "a note");
    let mut dearer = judgement(&[Code::Price], of_price());
    dearer.findings[0].operands.insert("variance".into(), "400.00".into());
    check(dearer, &void, "the same finding with other figures");
    let mut elsewhere = judgement(&[Code::Price], of_price());
    elsewhere.findings[0].fields.push("lines.2".into());
    check(elsewhere, &void, "the same finding in another place");
    let mut matched = judgement(&[Code::Price], of_price());
    matched.matched.push(MatchedLine {
        invoice_line: "1".into(),
        order_id: "PO-1".into(),
        order_line: "1".into(),
        description: None,
        ordered: 2.into(),
        received: None,
        billed_before: 0.into(),
        billed_now: 2.into(),
        price_ordered: 1.into(),
        price_billed: None,
        variance: None,
    });
    check(matched, &void, "another order is billed");
    let asks = |change: fn(&mut Checkpoint)| {
        let mut asked = of_price();
        change(&mut asked[0]);
        judgement(&[Code::Price], asked)
    };
    let amount_alone = [("price", 0), ("amount", 1)];
    check(asks(|it| it.needs = 3), &amount_alone, "one more must approve");
    check(asks(|it| it.level = 2), &amount_alone, "a person of more responsibility must approve");
    check(asks(|it| it.route = Role::Legal), &amount_alone, "others must approve");
    check(asks(|it| it.codes.push(Code::Stale)), &amount_alone, "it is about more than before");
}

#[test]
fn whoever_brought_in_what_a_verdict_rests_on_may_not_approve_it() {
    let informant = || reviewer("usr_informant");
    let refused = decide(&in_review(), informant(), Verdict::Approve).unwrap_err();
    assert_eq!(refused, Refusal::Informed);
    assert!(refused.about_authority());
    assert_eq!(decide(&in_review(), informant(), Verdict::Reject).unwrap().0.state, State::Rejected);

    // Approved first and then brought in a receipt: the approval is that of somebody who has a hand in it.
    let mut by_the_approver = judgement(&[Code::Price], of_price());
    by_the_approver.informed_by.insert("usr_1".into());
    let again = step(&approved_once(), Event::Rejudged(Box::new(by_the_approver))).unwrap().0;
    assert_eq!(approvals(&again), [("price", 0), ("amount", 0)]);
    assert_eq!(decide(&again, reviewer("usr_1"), Verdict::Approve).unwrap_err(), Refusal::Informed);
}

#[test]
fn what_is_judged_again_is_due_when_it_was() {
    let later = Timestamp(NOW.0 + 9_000_000_000);
    let mut asked = of_price();
    asked.push(checkpoint("payee", Role::Reviewer, 1, 2, &[Code::BankNew]));
    asked.iter_mut().for_each(|it| it.due_at = later);
    let again = step(&approved_once(), rejudged(&[Code::Price, Code::BankNew], asked)).unwrap().0;
    let due: Vec<(&str, Timestamp)> = again.checkpoints.iter().map(|it| (it.id.as_str(), it.due_at)).collect();
    assert_eq!(due, [("price", NOW), ("amount", NOW), ("payee", later)]);
}

#[test]
fn what_the_ledger_refused_stays_refused_whatever_facts_come_in() {
    let ledger = || vec![checkpoint("ledger", Role::Reviewer, 1, 1, &[Code::ErpRefused])];
    let answer = Answer::Refused { why: "period closed".into() };
    let refused = step(&held(&[], Vec::new()), Event::Answered { answer, checkpoints: ledger() }).unwrap().0;
    let carried: Vec<Finding> = refused.carried().cloned().collect();
    assert_eq!(carried.iter().map(|it| it.message.as_str()).collect::<Vec<_>>(), ["period closed"]);

    let mut anew = judgement(&[], ledger());
    anew.findings.extend(carried);
    let again = step(&refused, Event::Rejudged(Box::new(anew))).unwrap().0;
    assert_eq!((again.state, again.carried().count()), (State::InReview, 1));
    // A verdict that forgot it is a mistake of the program, which ends rather than send the same again.
    let forgot = std::panic::AssertUnwindSafe(|| step(&refused, rejudged(&[], Vec::new())).map(drop));
    assert!(std::panic::catch_unwind(forgot).is_err());
}

#[test]
fn a_new_verdict_with_a_finding_of_weight_and_no_checkpoint_ends_the_program() {
    let forgot = std::panic::AssertUnwindSafe(|| step(&in_review(), rejudged(&[Code::Price], Vec::new())).map(drop));
    assert!(std::panic::catch_unwind(forgot).is_err());
}

fn archived() -> Case {
    let booked = Event::Answered { answer: Answer::Booked { reference: "JE-1".into() }, checkpoints: Vec::new() };
    let posted = step(&held(&[], Vec::new()), booked).unwrap().0;
    step(&posted, Event::Archived { keep: keep(false) }).unwrap().0
}

#[test]
fn what_comes_to_light_of_a_booked_case_is_looked_at_and_nothing_is_booked_twice() {
    let (open, action) = step(&archived(), reopened()).unwrap();
    assert_eq!((open.state, action, open.keep.clone()), (State::InReview, None, None));
    assert_eq!(open.findings.last().unwrap().code, Code::PaidUnapproved);
    for verdict in [Verdict::Reject, Verdict::Correct(vec![Change { field: "number".into(), value: "2".into() }])] {
        assert_eq!(decide(&open, reviewer("usr_1"), verdict).unwrap_err(), Refusal::Booked);
    }
    let anew = step(&open, rejudged(&[], Vec::new())).unwrap_err();
    assert_eq!(anew, Refusal::NotNow { state: State::InReview, deed: "be judged again" });
    let (looked_at, action) = decide(&open, reviewer("usr_1"), Verdict::Approve).unwrap();
    assert_eq!((looked_at.state, action), (State::Posted, Some(Action::Archive)), "it is not sent again");
    assert_eq!(looked_at.booked_as.as_deref(), Some("JE-1"));
    let kept = step(&looked_at, Event::Archived { keep: keep(false) }).unwrap().0;
    assert!(kept.keep.is_some());
    assert_eq!(step(&kept, reopened()).unwrap().0.state, State::InReview, "it may come to light again");
}

#[test]
fn a_mail_that_booked_nothing_is_not_reopened() {
    let apart = Event::TakenApart {
        extraction: Box::new(extraction()),
        cases: vec![CaseId(Uuid::from_u128(9))],
        keep: keep(false),
    };
    let mail = step(&received(), apart).unwrap().0;
    let refused = Refusal::NotNow { state: State::Archived, deed: "be reopened" };
    assert_eq!(step(&mail, reopened()).unwrap_err(), refused);
}

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod holds;
mod mails;

use jiff::civil::date;
use uuid::Uuid;

use super::*;
use crate::decision::Decision;
use crate::{
    Action, ActorKind, Answer, Checkpoint, Claim, Code, Comparison, Event, Evidence, Field, FieldName, Fields, Format,
    Judgement, Kind, Picture, Policy, Role, SHIPPED, Test, Verdict, step,
};

/// 15 June 2026.
const NOW: Timestamp = Timestamp(1_781_500_000_000_000);

const DAY: i64 = 86_400_000_000;

fn policy() -> Policy {
    Policy::parse(SHIPPED).unwrap()
}

fn person(id: &str, role: Role, level: u8) -> Actor {
    Actor { id: id.into(), kind: ActorKind::User, roles: vec![role], level }
}

fn anna() -> Actor {
    person("usr_anna", Role::Reviewer, 1)
}

fn lea() -> Actor {
    person("usr_lea", Role::Legal, 2)
}

fn lars() -> Actor {
    person("usr_lars", Role::Legal, 2)
}

fn says(by: Actor, days: i64) -> Statement {
    Statement { by, reason: "the canary's reason".into(), at: Timestamp(NOW.0 + days * DAY) }
}

const CANARY: &str = "canary";

fn extraction(kind: Kind, fields: &[(FieldName, &str)]) -> Extraction {
    let field = |value: &str| Field {
        value: value.into(),
        confidence: 0.9,
        evidence: Evidence::Element { path: "/canary".into(), text: value.into() },
    };
    let fields = fields.iter().chain(&[(FieldName::Number, CANARY)]).map(|(name, it)| (*name, field(it))).collect();
    Extraction {
        language: Some(CANARY.into()),
        coverage: Coverage { pages: 3, read: 3, hidden_text: 0 },
        fields: Fields { single: fields, ..Fields::default() },
        profile: Some(CANARY.into()),
        ..Extraction::blank(kind, Format::Ubl)
    }
}

/// Of what was billed the order line and the quantity alone are left, of no person.
fn bill() -> Bill {
    let claim = Claim { order_id: "4500".into(), line: "1".into(), quantity: 1.into(), ..Claim::default() };
    let canary = || Some(CANARY.to_owned());
    Bill {
        vendor_id: canary(),
        cluster: CANARY.into(),
        number: canary(),
        iban: canary(),
        cost_centre: canary(),
        preceding: canary(),
        fingerprint: canary(),
        claims: vec![claim],
        ..Bill::default()
    }
}

fn received(id: u128) -> Case {
    let document = Document {
        digest: Digest::of(CANARY.as_bytes()),
        size_bytes: 4_711,
        file_name: format!("{CANARY}.xml"),
        channel: "inbox".into(),
        received_at: NOW,
    };
    Case::new(CaseId(Uuid::from_u128(id)), document, Uuid::from_u128(2), &person("usr_submitter", Role::Legal, 2))
}

fn all(case: Case, events: impl IntoIterator<Item = Event>) -> Case {
    events.into_iter().fold(case, |case, event| step(&case, event).unwrap().0)
}

fn in_review(extraction: Extraction) -> Case {
    let finding = Finding::new(Code::Price, CANARY, CANARY).with(CANARY, CANARY).at(CANARY, None);
    let checkpoint = Checkpoint {
        id: "price".into(),
        title: "Price".into(),
        route: Role::Reviewer,
        level: 1,
        needs: 1,
        codes: vec![Code::Price],
        due_at: NOW,
        approvals: Vec::new(),
    };
    let policy = policy();
    let unbooked = policy.retention(extraction.kind, "inbox", true);
    let events = [
        Event::Extracted {
            extraction: Box::new(extraction),
            pictures: vec![Picture { file: Uuid::from_u128(3), offset: 0, size: 9 }],
        },
        Event::Validated { findings: Vec::new(), policy: policy.digest },
        Event::Reconciled(Box::new(Judgement {
            at: NOW,
            findings: vec![finding],
            passed: vec![
                Comparison::new(Code::NoGr, CANARY, Test::There { value: CANARY.into() }).with(CANARY, CANARY),
            ],
            matched: Vec::new(),
            bill: Some(bill()),
            due_date: Some(date(2026, 7, 1)),
            informed_by: [CANARY.to_owned()].into(),
            beside: BTreeSet::new(),
            checkpoints: vec![checkpoint],
            policy: policy.digest,
            sample_percent: policy.straight_through.sample_percent,
            unbooked,
        })),
    ];
    all(received(1), events)
}

fn decided(case: &Case, verdict: Verdict) -> Event {
    Event::Decided(Decision { by: anna(), verdict, reason: CANARY.into(), seen: case.content(), at: NOW })
}

/// Booked and filed on 15 June 2026.
fn archived_as(extraction: Extraction) -> Case {
    let case = in_review(extraction);
    let case = all(case.clone(), [decided(&case, Verdict::Approve)]);
    let booked = Event::Answered { answer: Answer::Booked { reference: CANARY.into() }, checkpoints: Vec::new() };
    let keep = policy().retention(case.kind(), "inbox", false).keep(NOW.date(), case.extraction.as_ref());
    all(case, [booked, Event::Archived { keep }])
}

fn archived() -> Case {
    archived_as(extraction(Kind::Invoice, &[]))
}

fn rejected() -> Case {
    let case = in_review(extraction(Kind::Invoice, &[]));
    all(case.clone(), [decided(&case, Verdict::Reject)])
}

fn quarantined() -> Case {
    let keep = policy().retention(Kind::Unknown, "inbox", true).keep(NOW.date(), None);
    all(received(1), [Event::Unreadable { why: CANARY.into(), keep }])
}

fn propose_on(case: &Case, ground: Ground, day: i64) -> Event {
    Event::DisposalProposed { ground, seen: case.content(), said: says(anna(), day), family: Family::new() }
}

/// As something that came by mistake.
fn propose_by(case: &Case, by: Actor) -> Event {
    let ground = Ground::MistakenUpload;
    Event::DisposalProposed { ground, seen: case.content(), said: says(by, 0), family: Family::new() }
}

fn approve_on(case: &Case, by: Actor, day: i64) -> Event {
    Event::DisposalApproved { seen: case.content(), said: says(by, day), family: Family::new() }
}

fn held(case: Case, matter: &str) -> Case {
    all(case, [Event::Held { matter: matter.into(), said: says(lea(), 0) }])
}

fn refusal(case: &Case, event: Event) -> Refusal {
    step(case, event).unwrap_err()
}

fn days_to(day: Date) -> i64 {
    i64::from(NOW.date().until(day).unwrap().get_days())
}

#[test]
fn every_case_carries_its_clocks_from_its_end() {
    let until = |case: Case| case.keep.and_then(|it| it.clocks).map(|it| (it.keep_until, it.delete_by));
    assert_eq!(until(archived()), Some((date(2034, 12, 31), date(2035, 12, 31))));
    assert_eq!(until(rejected()), Some((date(2026, 9, 13), date(2026, 10, 13))));
    assert_eq!(until(quarantined()), Some((date(2026, 9, 13), date(2026, 10, 13))));
    assert_eq!(until(in_review(extraction(Kind::Invoice, &[]))), None);
    let release = Event::Decided(Decision {
        by: anna(),
        verdict: Verdict::Release,
        reason: "read it again".into(),
        seen: quarantined().content(),
        at: NOW,
    });
    assert_eq!(until(all(quarantined(), [release])), None, "read again, it is at no end");
}

#[test]
fn an_archived_invoice_goes_on_the_day_after_its_last_by_the_word_of_two() {
    let last = days_to(date(2034, 12, 31));
    let case = archived();
    let early = refusal(&case, propose_on(&case, Ground::Expired, last)).to_string();
    assert!(
        early.starts_with("kept until 2034-12-31, to be erased by 2035-12-31, by row `de-voucher`: § 14b (1) UStG")
    );
    let proposed = all(case.clone(), [propose_on(&case, Ground::Expired, last + 1)]);
    assert_eq!(proposed.state, State::Archived);
    let erased = all(proposed.clone(), [approve_on(&proposed, lea(), last + 2)]);
    assert_eq!(erased.state, State::Erased);
    let disposal = erased.disposal.clone().unwrap();
    assert_eq!((disposal.was, disposal.ground, disposal.by.as_str()), (State::Archived, Ground::Expired, "usr_anna"));
    assert_eq!(disposal.approved.unwrap().by, "usr_lea");
    // A clock that was set back between the two words does not help.
    let refused = refusal(&proposed, approve_on(&proposed, lea(), last));
    assert!(matches!(refused, Refusal::Kept { .. }), "{refused}");
}

#[test]
fn nobody_erases_alone() {
    let case = quarantined();
    let by = |by: Actor| all(case.clone(), [propose_by(&case, by)]);
    let refused = |proposed: &Case, by: Actor| {
        let refusal = refusal(proposed, approve_on(proposed, by, 0));
        assert!(refusal.about_authority(), "{refusal}");
        refusal
    };
    assert_eq!(refused(&by(lea()), lea()), Refusal::ProposedIt);
    assert_eq!(refused(&by(lea()), person("usr_submitter", Role::Legal, 2)), Refusal::Touched);
    assert_eq!(
        refused(&by(lea()), person("usr_1", Role::Legal, 1)).to_string(),
        "this needs the role legal of level 2"
    );
    for role in [Role::Operator, Role::Reviewer, Role::Auditor, Role::Admin] {
        refused(&by(lea()), person("usr_1", role, 2));
    }
    refused(&by(lea()), Actor { kind: ActorKind::Service, ..lars() });
    for nobody in [person("usr_1", Role::Operator, 2), person("usr_1", Role::Auditor, 2), Actor::system("sweeper")] {
        assert!(refusal(&case, propose_by(&case, nobody)).about_authority());
    }
    let proposed = by(lea());
    assert_eq!(all(proposed.clone(), [approve_on(&proposed, lars(), 0)]).state, State::Erased);
}

#[test]
fn an_approval_is_of_the_proposal_that_was_seen() {
    let case = quarantined();
    let proposed = all(case.clone(), [propose_on(&case, Ground::MistakenUpload, 0)]);
    let stale = Event::DisposalApproved { seen: case.content(), said: says(lea(), 0), family: Family::new() };
    assert_eq!(refusal(&proposed, stale), Refusal::Stale);
    let silent = Event::DisposalApproved {
        seen: proposed.content(),
        said: Statement { reason: " ".into(), ..says(lea(), 0) },
        family: Family::new(),
    };
    assert_eq!(refusal(&proposed, silent), Refusal::ReasonMissing);
    assert_eq!(refusal(&proposed, propose_on(&proposed, Ground::Expired, 200)), Refusal::ProposedAlready);
    let withdrawn =
        all(proposed.clone(), [Event::DisposalWithdrawn { seen: proposed.content(), said: says(lars(), 0) }]);
    assert_eq!(refusal(&withdrawn, approve_on(&withdrawn, lea(), 0)), Refusal::NothingProposed);
    assert_eq!(withdrawn.content(), case.content());
}

#[test]
fn a_document_that_moves_on_leaves_its_proposal_behind() {
    for verdict in [Verdict::Release, Verdict::Reject] {
        let case = quarantined();
        let proposed = all(case.clone(), [propose_on(&case, Ground::MistakenUpload, 0)]);
        let moved = all(proposed.clone(), [decided(&proposed, verdict)]);
        assert_eq!(moved.disposal, None);
    }
}

#[test]
fn a_persons_request_gives_way_to_the_law_and_to_nothing_else() {
    let case = archived();
    let refused = refusal(&case, propose_on(&case, Ground::SubjectRequest, 0));
    let text = refused.to_string();
    assert!(matches!(refused, Refusal::KeptByLaw { keep_until, .. } if keep_until == date(2034, 12, 31)));
    assert!(text.contains("§ 147 (1) no. 4, (3) AO") && text.contains("GDPR art. 17 (3) b"), "{text}");
    let late = propose_on(&case, Ground::SubjectRequest, days_to(date(2035, 1, 1)));
    assert!(step(&case, late).is_ok());
    // No law asks for what was never booked: 90 days are the house's choice.
    for case in [rejected(), quarantined()] {
        assert!(step(&case, propose_on(&case, Ground::SubjectRequest, 0)).is_ok());
        let mut by_law = case.clone();
        by_law.keep.as_mut().unwrap().rule.sure = Sure::Known;
        assert!(matches!(refusal(&by_law, propose_on(&by_law, Ground::SubjectRequest, 0)), Refusal::KeptByLaw { .. }));
    }
}

#[test]
fn a_mistaken_upload_goes_at_once_unless_it_was_booked() {
    for case in [rejected(), quarantined()] {
        let proposed = all(case.clone(), [propose_on(&case, Ground::MistakenUpload, 0)]);
        assert_eq!(all(proposed.clone(), [approve_on(&proposed, lea(), 0)]).state, State::Erased);
        assert!(matches!(refusal(&case, propose_on(&case, Ground::Expired, 90)), Refusal::Kept { .. }));
        assert!(step(&case, propose_on(&case, Ground::Expired, 91)).is_ok());
    }
    let case = archived();
    assert!(matches!(refusal(&case, propose_on(&case, Ground::MistakenUpload, 0)), Refusal::Kept { .. }));
    for (case, is) in [(received(1), "not read yet"), (in_review(extraction(Kind::Invoice, &[])), "in review")] {
        let refused = refusal(&case, propose_on(&case, Ground::MistakenUpload, 0));
        assert!(matches!(refused, Refusal::NotNow { .. }));
        assert_eq!(refused.to_string(), format!("a case that is {is} cannot be proposed to be erased"));
    }
}

#[test]
fn a_contract_waits_until_somebody_says_when_it_ended() {
    let case = archived_as(extraction(Kind::Contract, &[]));
    let late = days_to(date(2090, 1, 1));
    assert_eq!(case.standing(date(2090, 1, 1)), Standing::Waiting);
    let refused = refusal(&case, propose_on(&case, Ground::Expired, late)).to_string();
    assert!(refused.contains("say first when the contract, or its use, ended"), "{refused}");
    let ended = |case: &Case, on, by| step(case, Event::Ended { on, said: says(by, 0) }).map(|it| it.0);
    let told = ended(&case, Some(date(2030, 3, 31)), anna()).unwrap();
    assert_eq!(told.standing(date(2040, 12, 31)), Standing::Kept);
    assert_eq!(told.standing(date(2041, 1, 1)), Standing::Due);
    let proposed = all(told.clone(), [propose_on(&told, Ground::Expired, late)]);
    let renewed = ended(&proposed, None, anna()).unwrap();
    assert_eq!((renewed.standing(date(2090, 1, 1)), renewed.disposal), (Standing::Waiting, None));
    assert!(ended(&case, None, person("usr_1", Role::Operator, 2)).unwrap_err().about_authority());
    let invoice = archived();
    assert_eq!(ended(&invoice, None, anna()).unwrap_err(), Refusal::CountsItself { row: "de-voucher".into() });
}

#[test]
fn where_a_case_stands_is_told_by_its_clocks_and_the_day() {
    let case = archived();
    for (day, standing) in [
        (date(2026, 6, 15), Standing::Kept),
        (date(2034, 12, 31), Standing::Kept),
        (date(2035, 1, 1), Standing::Due),
        (date(2035, 12, 31), Standing::Due),
        (date(2036, 1, 1), Standing::Overdue),
    ] {
        assert_eq!(case.standing(day), standing, "{day}");
    }
    assert_eq!(received(1).standing(date(2050, 1, 1)), Standing::Unclocked);
    let late = days_to(date(2050, 1, 1));
    let proposed = all(case.clone(), [propose_on(&case, Ground::Expired, late)]);
    assert_eq!(proposed.standing(date(2050, 1, 1)), Standing::Proposed);
    let erased = all(proposed.clone(), [approve_on(&proposed, lea(), late)]);
    assert_eq!(erased.standing(date(2050, 1, 1)), Standing::Erased);
}

#[test]
fn what_has_no_clock_and_what_is_permanent_does_not_expire() {
    let late = days_to(date(2090, 1, 1));
    let unclocked = Case { keep: None, ..archived() };
    for ground in Ground::ALL {
        assert_eq!(refusal(&unclocked, propose_on(&unclocked, ground, late)), Refusal::NoClock);
    }
    let [checkpoints, tolerances, retention] = SHIPPED;
    let permanent = retention.replacen("keep = \"8 years\"\nat_most = \"9 years\"", "keep = \"permanent\"", 1);
    let policy = Policy::parse([checkpoints, tolerances, &permanent]).unwrap();
    let keep = policy.retention(Kind::Invoice, "inbox", false).keep(NOW.date(), None);
    let case = Case { keep: Some(keep), ..archived() };
    assert_eq!(case.standing(date(2090, 1, 1)), Standing::Permanent);
    for ground in Ground::ALL {
        assert!(matches!(refusal(&case, propose_on(&case, ground, late)), Refusal::KeptForEver { .. }));
    }
}

#[test]
fn of_an_erased_case_nothing_is_left_that_says_what_or_whom_it_was_about() {
    let late = days_to(date(2050, 1, 1));
    for case in [archived(), rejected(), quarantined()] {
        let before = serde_json::to_string(&case).unwrap();
        assert!(before.contains(CANARY) && before.contains(&Digest::of(CANARY.as_bytes()).to_string()));
        let proposed = all(case.clone(), [propose_on(&case, Ground::Expired, late)]);
        let erased = all(proposed.clone(), [approve_on(&proposed, lea(), late)]);
        let text = serde_json::to_string(&erased).unwrap();
        assert!(!text.contains(CANARY) && !text.contains("usr_submitter"), "{text}");
        assert!(!text.contains(&Digest::of(CANARY.as_bytes()).to_string()));
        assert!(erased.pictures.is_empty());
        assert_eq!((erased.id, erased.kind(), erased.document.size_bytes), (case.id, case.kind(), 4_711));
        assert_eq!((erased.document.received_at, erased.original), (NOW, case.original));
        assert_eq!(erased.keep, case.keep);
        let codes = |case: &Case| case.findings.iter().map(|it| (it.code, it.severity)).collect::<Vec<_>>();
        assert_eq!(codes(&erased), codes(&case));
        let approvals = |case: &Case| {
            case.checkpoints.iter().flat_map(|it| it.approvals.clone()).map(|it| (it.by, it.at)).collect::<Vec<_>>()
        };
        assert_eq!(approvals(&erased), approvals(&case));
        assert_eq!(serde_json::from_str::<Case>(&text).unwrap(), erased, "it can be kept and read again");
    }
}

#[test]
fn a_ground_is_named_as_it_is_written() {
    for ground in Ground::ALL {
        assert_eq!(Ground::named(ground.name()), Some(ground));
        assert_eq!(serde_json::json!(ground), serde_json::json!(ground.name()));
    }
}

//! What must hold whatever people say in whatever order: no held case is erased, nobody erases alone, and nothing goes before
//! its time. What was said is kept here a second time, apart from the case.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use case::{
    Action, Actor, ActorKind, Answer, Case, CaseId, Decision, Digest, Document, Event, Extraction, Family, Format,
    Ground, Judgement, Kin, Kind, Policy, Role, State, Statement, Sure, Timestamp, Verdict, step,
};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use uuid::Uuid;

const DAY_MICROS: i64 = 86_400_000_000;
/// 15 June 2026.
const ARRIVAL: Timestamp = Timestamp(1_781_500_000_000_000);

fn policy() -> Policy {
    Policy::parse([
        include_str!("../../../policies/checkpoints.toml"),
        include_str!("../../../policies/tolerances.toml"),
        include_str!("../../../policies/retention.toml"),
    ])
    .unwrap()
}

/// Two lawyers who may do everything, one who touched the case, one of level 1, and others who may do less.
fn people() -> Vec<Actor> {
    let of = |id: &str, kind, roles: &[Role], level| Actor { id: id.into(), kind, roles: roles.to_vec(), level };
    vec![
        of("lea", ActorKind::User, &[Role::Legal], 2),
        of("lars", ActorKind::User, &[Role::Legal, Role::Reviewer], 2),
        of("submitter", ActorKind::User, &[Role::Legal], 2),
        of("novice", ActorKind::User, &[Role::Legal], 1),
        of("anna", ActorKind::User, &[Role::Reviewer], 2),
        of("admin", ActorKind::User, &[Role::Admin], 2),
        of("program", ActorKind::Service, &Role::ALL, 2),
    ]
}

#[derive(Clone, Debug)]
enum Word {
    Hold(u8),
    Release(u8),
    Ended(Option<i64>),
    Propose(Ground),
    Approve,
    Withdraw,
    Decide(Verdict),
    /// Whatever the machine does next.
    Machine,
}

#[derive(Clone, Debug)]
struct Said {
    word: Word,
    by: usize,
    day: i64,
    /// Looked at before the last word, not after it.
    stale: bool,
    mail: State,
    part: (State, bool),
}

fn said() -> impl Strategy<Value = Said> {
    let ground = prop::sample::select(Ground::ALL.to_vec());
    let verdict = prop::sample::select(vec![Verdict::Reject, Verdict::Release]);
    let word = prop_oneof![
        2 => (0..3u8).prop_map(Word::Hold),
        3 => (0..3u8).prop_map(Word::Release),
        1 => proptest::option::of(-4_000..8_000i64).prop_map(Word::Ended),
        6 => ground.prop_map(Word::Propose),
        6 => Just(Word::Approve),
        1 => Just(Word::Withdraw),
        1 => verdict.prop_map(Word::Decide),
        1 => Just(Word::Machine),
    ];
    let day = prop_oneof![Just(0), 80..125i64, 3_000..3_500i64, 0..8_000i64];
    let kin = prop_oneof![4 => Just(State::Erased), 1 => prop::sample::select(State::ALL.to_vec())];
    let part = (prop::sample::select(vec![State::Archived, State::Rejected, State::Erased]), prop::bool::weighted(0.2));
    let by = prop_oneof![4 => 0..2usize, 1 => 0..7usize];
    (word, by, day, prop::bool::weighted(0.1), kin, part).prop_map(|(word, by, day, stale, mail, part)| Said {
        word,
        by,
        day,
        stale,
        mail,
        part,
    })
}

fn read(kind: Kind) -> Box<Extraction> {
    Box::new(Extraction::blank(kind, Format::Ubl))
}

const MAIL: CaseId = CaseId(Uuid::from_u128(7));
const PART: CaseId = CaseId(Uuid::from_u128(8));

fn received(mail: Option<CaseId>) -> Case {
    let document = Document {
        digest: Digest::of(b"x"),
        size_bytes: 1,
        file_name: "a".into(),
        channel: "inbox".into(),
        received_at: ARRIVAL,
    };
    let case = Case::new(CaseId(Uuid::from_u128(1)), document, Uuid::from_u128(2), &people()[2]);
    Case { mail, ..case }
}

/// What a machine says next of a case that came to nothing wrong; of one at rest, nothing.
fn machine(case: &Case, kind: Kind, policy: &Policy) -> Option<Event> {
    let keep = |unbooked| policy.retention(kind, "inbox", unbooked).keep(ARRIVAL.date(), None);
    Some(match case.state {
        State::Received if kind == Kind::Unknown => Event::Unreadable { why: "noise".into(), keep: keep(true) },
        State::Received => Event::Extracted { extraction: read(kind), pictures: Vec::new() },
        State::Extracted => Event::Validated { findings: Vec::new(), policy: policy.digest },
        State::Validated => Event::Reconciled(Box::new(Judgement {
            at: ARRIVAL,
            findings: Vec::new(),
            passed: Vec::new(),
            matched: Vec::new(),
            bill: None,
            due_date: None,
            informed_by: BTreeSet::new(),
            beside: BTreeSet::new(),
            checkpoints: Vec::new(),
            policy: policy.digest,
            sample_percent: policy.straight_through.sample_percent,
            unbooked: policy.retention(kind, "inbox", true),
        })),
        State::Approved => {
            Event::Answered { answer: Answer::Booked { reference: "JE-1".into() }, checkpoints: Vec::new() }
        }
        State::Posted => Event::Archived { keep: keep(false) },
        State::InReview | State::Archived | State::Rejected | State::Quarantined | State::Erased => return None,
    })
}

/// A case at an end of its way, or a mail that was taken apart.
fn at_its_end(which: u8, policy: &Policy) -> (Case, Kind) {
    let kind = [Kind::Invoice, Kind::Contract, Kind::Unknown, Kind::Unknown, Kind::Unknown][usize::from(which)];
    let mut case = received((which == 3).then_some(MAIL));
    if which == 4 {
        let keep = policy.retention(kind, "inbox", false).keep(ARRIVAL.date(), None);
        let apart = Event::TakenApart { extraction: read(kind), cases: vec![PART], keep };
        return (step(&case, apart).unwrap().0, kind);
    }
    while let Some(event) = machine(&case, kind, policy) {
        case = step(&case, event).unwrap().0;
    }
    (case, kind)
}

/// What was said and heard, beside the case.
#[derive(Default)]
struct Heard {
    matters: BTreeSet<u8>,
    proposal: Option<(String, Ground)>,
}

fn event_of(said: &Said, case: &Case, before: &Case, kind: Kind, policy: &Policy) -> Option<Event> {
    let by = people()[said.by].clone();
    let at = Timestamp(ARRIVAL.0 + said.day * DAY_MICROS);
    let seen = if said.stale { before.content() } else { case.content() };
    let family = family(said, case);
    let statement = Statement { by: by.clone(), reason: "seen".into(), at };
    Some(match said.word.clone() {
        Word::Hold(matter) => Event::Held { matter: matter.to_string(), said: statement },
        Word::Release(matter) => Event::HoldReleased { matter: matter.to_string(), said: statement },
        Word::Ended(day) => {
            let on = day.map(|day| Timestamp(ARRIVAL.0 + day * DAY_MICROS).date());
            Event::Ended { on, said: statement }
        }
        Word::Propose(ground) => Event::DisposalProposed { ground, seen, said: statement, family },
        Word::Approve => Event::DisposalApproved { seen, said: statement, family },
        Word::Withdraw => Event::DisposalWithdrawn { seen, said: statement },
        Word::Decide(verdict) => Event::Decided(Decision { by, verdict, reason: "seen".into(), seen, at }),
        Word::Machine => machine(case, kind, policy)?,
    })
}

fn family(said: &Said, case: &Case) -> Family {
    let mails = case.mail.map(|mail| (mail, Kin::Mail { state: said.mail }));
    let parts = case.parts.iter().map(|part| (*part, Kin::Part { state: said.part.0, held: said.part.1 }));
    mails.into_iter().chain(parts).collect::<BTreeMap<_, _>>()
}

/// Was it right that this case was erased by this word?
fn rightly(case: &Case, said: &Said, heard: &Heard) -> Result<(), TestCaseError> {
    let by = &people()[said.by];
    prop_assert!(matches!(said.word, Word::Approve), "{:?} erased a case", said.word);
    prop_assert!(heard.matters.is_empty(), "a held case was erased");
    let Some((proposer, ground)) = &heard.proposal else { return Err(TestCaseError::fail("nobody proposed it")) };
    prop_assert!(*proposer != by.id && by.id != "submitter", "{} erased it after {proposer}", by.id);
    prop_assert!(matches!(by.id.as_str(), "lea" | "lars"), "{} may not", by.id);
    let today = Timestamp(ARRIVAL.0 + said.day * DAY_MICROS).date();
    let keep = case.keep.as_ref();
    let over = keep.and_then(|keep| keep.clocks).is_some_and(|clocks| clocks.keep_until < today);
    let never_booked = matches!(case.state, State::Rejected | State::Quarantined)
        || (!case.parts.is_empty() && said.part.0 == State::Rejected);
    let early = match ground {
        Ground::Expired => false,
        Ground::MistakenUpload => never_booked,
        Ground::SubjectRequest => {
            case.parts.is_empty() && never_booked && keep.is_some_and(|it| it.rule.sure == Sure::Choice)
        }
    };
    prop_assert!(over || early, "{ground:?} on {today} of {:?}", case.keep);
    prop_assert!(case.mail.is_none() || said.mail == State::Erased, "its mail is still there");
    prop_assert!(case.parts.is_empty() || !said.part.1, "what came with it is held");
    Ok(())
}

#[test]
fn nothing_that_people_say_erases_a_held_case_or_alone_or_too_early() {
    let policy = policy();
    let (erased, held) = (Cell::new(0), Cell::new(0));
    let config = ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() };
    let lives = (0..5u8, proptest::collection::vec(said(), 1..25));
    let lived = TestRunner::new(config).run(&lives, |(which, words)| {
        let (mut case, kind) = at_its_end(which, &policy);
        let (mut before, mut heard) = (case.clone(), Heard::default());
        for said in words {
            let Some(event) = event_of(&said, &case, &before, kind, &policy) else { continue };
            let Ok((next, action)) = step(&case, event) else { continue };
            prop_assert!(case.state != State::Erased, "an erased case moved");
            prop_assert_eq!(action.is_some(), next.state.in_flight());
            prop_assert!(action != Some(Action::Send) || heard.matters.is_empty() || case.state != State::Approved);
            if next.state == State::Erased {
                rightly(&case, &said, &heard)?;
                erased.set(erased.get() + 1);
            }
            match said.word {
                Word::Hold(matter) => {
                    heard.matters.insert(matter);
                    heard.proposal = None;
                    held.set(held.get() + 1);
                }
                Word::Release(matter) => prop_assert!(heard.matters.remove(&matter)),
                Word::Propose(ground) => heard.proposal = Some((people()[said.by].id.clone(), ground)),
                Word::Ended(_) | Word::Withdraw | Word::Decide(_) => heard.proposal = None,
                Word::Approve | Word::Machine => {}
            }
            (before, case) = (case, next);
        }
        Ok(())
    });
    lived.unwrap();
    // Otherwise nothing was tried.
    assert!(200 < erased.get() && 1_000 < held.get(), "{} were erased, {} held", erased.get(), held.get());
}

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
use uuid::Uuid;

use super::{came_to_light, wanted_of_booked};
use crate::SHIPPED;
use crate::facts::{Fact, Known, Stated};
use crate::reconcile::trial::{bill, paper, policy, stated, tried, vendor};
use crate::{
    Actor, Case, CaseId, Checkpoint, Code, Digest, Document, Event, Finding, Policy, Settlement, Share, State,
    Timestamp, Turn, replay, step,
};

const ID: CaseId = CaseId(Uuid::from_u128(1));
/// 15 June 2026.
const AT: Timestamp = Timestamp(1_781_500_000_000_000);
const SECOND: &str = "case=2 centre=K-7 number=2 date=2026-06-15 net=9800 gross=11662 since=2";

/// 9,900.00 for K-7, judged when there was nothing beside it.
fn archived() -> Case {
    let document = Document {
        digest: Digest::of(b"a"),
        size_bytes: 1,
        file_name: "a.xml".into(),
        channel: "inbox".into(),
        received_at: AT,
    };
    let extraction = paper("buyer_ref=K-7 number=1 net_total=9900 gross_total=11781");
    let verdict = tried(&extraction, &[vendor("V1", "")], &policy(""));
    let mut case = Case::new(ID, document, Uuid::from_u128(2), &Actor::system("inbox"));
    (case.state, case.place, case.booked_as) = (State::Archived, Some(Timestamp(1)), Some("JE-1".into()));
    (case.extraction, case.bill, case.passed) = (Some(extraction), verdict.bill, verdict.passed);
    case
}

fn facts(bills: &[&str]) -> Vec<Stated> {
    let bills = bills.iter().enumerate().map(|(idx, text)| bill(idx, text));
    [vendor("V1", "")].into_iter().chain(bills).collect()
}

fn looked_at(case: &Case, facts: &[Stated]) -> Option<(Finding, Vec<Checkpoint>)> {
    let policy = policy("");
    let known = Known::since(case.place).look_up(facts, |known| wanted_of_booked(case, known, &policy));
    match came_to_light(case, &known, &policy, AT)? {
        Event::Reopened { finding, checkpoints } => Some((*finding, checkpoints)),
        other => panic!("{other:?}"),
    }
}

/// What it is said to come to with others; none: nothing came to light.
fn together(case: &Case, facts: &[Stated]) -> Option<String> {
    looked_at(case, facts).map(|(finding, _)| finding.operands["together"].clone())
}

/// A payment of so much, which leaves so much open.
fn paid(amount: i64, open: i64) -> Stated {
    let share =
        Share { bill: ID.to_string(), case: Some(ID), amount: amount.into(), open: open.into(), ..Share::default() };
    let settlement = Settlement {
        payment_id: format!("P-{amount}"),
        date: "2026-06-14".parse().unwrap(),
        currency: "EUR".into(),
        amount: (-amount).into(),
        shares: vec![share],
        suggested: Vec::new(),
        findings: Vec::new(),
        passed: Vec::new(),
        untold: false,
    };
    stated(None, Fact::Settlement(Box::new(settlement)))
}

/// Reopened for it, seen by people, and filed again.
fn seen(case: &Case, facts: &[Stated]) -> Case {
    let (finding, checkpoints) = looked_at(case, facts).unwrap();
    let mut case = step(case, Event::Reopened { finding: Box::new(finding), checkpoints }).unwrap().0;
    case.state = State::Archived;
    case
}

#[test]
fn the_booked_first_of_a_split_is_reopened_with_the_finding_from_its_side() {
    let (finding, checkpoints) = looked_at(&archived(), &facts(&[SECOND])).unwrap();
    let of = |name: &str| finding.operands[name].as_str();
    assert_eq!([of("net"), of("others"), of("together"), of("band")], ["9900", "9800", "19700", "10000"]);
    assert_eq!((of("twin"), finding.again()), (Uuid::from_u128(2).to_string().as_str(), Some(Code::Split)));
    let asked: Vec<&str> = checkpoints.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(asked, ["other-findings", "amount-level-2"]);
}

#[test]
fn what_came_to_light_is_replayed_beside_the_verdict_that_was_right_when_it_was_made() {
    let mut case = archived();
    case.policy = Some(policy("").digest);
    case.checkpoints = policy("").route(case.kind(), Some(9900.into()), &[], AT);
    let case = seen(&case, &facts(&[SECOND]));
    let replayed = replay(&case, &policy("")).unwrap();
    let asked: Vec<&str> = replayed.before.checkpoints.iter().map(String::as_str).collect();
    assert_eq!(asked, ["amount-level-1", "amount-level-2", "other-findings"]);
    assert_eq!(replayed.turn(), Turn::Same, "the same policy says the same");
    let higher = SHIPPED.map(|text| text.replace("\"10000.00\"", "\"20000.00\""));
    let replayed = replay(&case, &Policy::parse(higher.each_ref().map(String::as_str)).unwrap()).unwrap();
    let asked: Vec<&str> = replayed.after.checkpoints.iter().map(String::as_str).collect();
    assert_eq!((asked, replayed.gone().collect::<Vec<_>>()), (vec!["amount-level-1"], vec![Code::Split]));
}

#[test]
fn what_is_not_split_or_cannot_be_reopened_now_stays_as_it_is() {
    assert_eq!(together(&archived(), &facts(&[])), None);
    assert_eq!(together(&archived(), &facts(&[&SECOND.replace("06-15", "06-25")])), None);
    let in_state = |state, booked: bool| {
        let mut case = archived();
        (case.state, case.booked_as) = (state, case.booked_as.filter(|_| booked));
        together(&case, &facts(&[SECOND]))
    };
    assert_eq!(in_state(State::Posted, true).as_deref(), Some("19700"));
    assert_eq!(in_state(State::InReview, true), None, "people look at it");
    assert_eq!(in_state(State::Archived, false), None, "it booked nothing");
    assert_eq!(in_state(State::Approved, false), None);
}

#[test]
fn what_is_paid_is_not_reopened_and_what_is_paid_in_part_is() {
    let with = |more: Stated| {
        let mut facts = facts(&[SECOND]);
        facts.push(more);
        together(&archived(), &facts)
    };
    assert_eq!(with(paid(11781, 0)), None);
    assert_eq!(with(paid(11780, 1)).as_deref(), Some("19700"));
    let copy = |paid_on: Option<&str>| {
        let mut copy = bill(0, "case=0 number=1 net=9900 gross=11781");
        let Fact::Bill(bill) = &mut copy.fact else { panic!("it is a bill") };
        bill.paid_on = paid_on.map(|it| it.parse().unwrap());
        with(copy)
    };
    assert_eq!(copy(Some("2026-06-14")), None, "the ledger says so");
    assert_eq!(copy(None).as_deref(), Some("19700"), "its own bill is none beside it");
}

#[test]
fn the_same_pair_is_shown_once_and_another_bill_or_a_larger_sum_again() {
    let case = seen(&archived(), &facts(&[SECOND]));
    assert_eq!(together(&case, &facts(&[SECOND])), None);
    let third = "case=3 centre=K-7 number=3 date=2026-06-12 net=5000 gross=5950 since=3";
    assert_eq!(together(&case, &facts(&[SECOND, third])).as_deref(), Some("24700"));
    assert_eq!(together(&case, &facts(&[third])).as_deref(), Some("14900"), "nobody saw it beside that one");
    assert_eq!(together(&case, &facts(&[&SECOND.replace("9800", "9000")])), None);
    assert_eq!(together(&case, &facts(&[&SECOND.replace("9800", "9900")])).as_deref(), Some("19800"));
    let case = seen(&case, &facts(&[SECOND, third]));
    assert_eq!(together(&case, &facts(&[SECOND, third])), None);
    assert_eq!(together(&case, &facts(&[third])), None);
}

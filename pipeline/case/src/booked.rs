//! What comes to light about a case that is booked: a bill that came after it may show that both are one that was split. Nothing
//! that was sent to the ledger is taken back; while the money is still here, people look at it again.

use std::collections::BTreeSet;

use crate::facts::{Bill, Fact, Stated};
use crate::judgement::routed_with;
use crate::settle::open;
use crate::{Case, Code, Decimal, Event, Extraction, Finding, Key, Known, Policy, State, Timestamp, reconcile, wanted};

/// The rule of a split that came to light after the verdict, which said otherwise and was right when it was made.
pub(crate) const RULE: &str = "booked.split";

/// Keys of everything that a booked case is looked at again by, as far as it can be said by what is known so far; nothing for a
/// case that cannot be reopened now.
pub fn wanted_of_booked(case: &Case, known: &Known, policy: &Policy) -> BTreeSet<Key> {
    let Some(extraction) = at_rest(case) else { return BTreeSet::new() };
    let mut keys = wanted(extraction, known, policy);
    keys.insert(Key::paid(&case.id.to_string()));
    keys
}

/// What a booked case is reopened for: a split of which nobody has told it, unless it is paid. What is known has to be
/// everything that [`wanted_of_booked`] asks for.
pub fn came_to_light(case: &Case, known: &Known, policy: &Policy, at: Timestamp) -> Option<Event> {
    let (extraction, bill) = (at_rest(case)?, case.bill.as_ref()?);
    if paid(case, bill, known) {
        return None;
    }
    let others = known.without(|stated| copies(stated, bill));
    let verdict = reconcile(extraction, &others, policy, at.date());
    let split = verdict.findings.iter().find(|it| it.code == Code::Split && !told(case, it))?;
    let net = routed_with(case, policy, verdict.routed_net);
    let checkpoints = policy.route(case.kind(), net, std::slice::from_ref(split), at);
    let finding = Finding { rule: RULE.to_owned(), ..split.clone() };
    Some(Event::Reopened { finding: Box::new(finding), checkpoints })
}

/// The values of a case that is booked and that nobody looks at now.
fn at_rest(case: &Case) -> Option<&Extraction> {
    let rests = matches!(case.state, State::Posted | State::Archived) && case.booked_as.is_some();
    case.extraction.as_ref().filter(|_| rests)
}

/// By payments that were settled, or by what was brought in of it again. What is paid in part is not paid.
fn paid(case: &Case, bill: &Bill, known: &Known) -> bool {
    let mut all = known.keys().flat_map(|key| known.stated(key)).filter(|stated| copies(stated, bill));
    all.any(|it| matches!(&it.fact, Fact::Bill(copy) if copy.paid_on.is_some()))
        || open(known, &case.id.to_string(), bill) == Some(Decimal::ZERO)
}

/// Is it this bill, brought in again from the ledger that it was booked in?
fn copies(stated: &Stated, bill: &Bill) -> bool {
    let document = bill.document();
    let same = |fact: &Fact| matches!(fact, Fact::Bill(it) if it.document() == document);
    stated.case.is_none() && document.is_some() && same(&stated.fact)
}

/// INVARIANT (told once): the same bills and a sum that is no more than people saw before are not shown to them again.
fn told(case: &Case, split: &Finding) -> bool {
    let before = || case.findings.iter().filter(|it| it.code == Code::Split);
    let seen: BTreeSet<&str> = before().flat_map(named).collect();
    named(split).all(|it| seen.contains(it)) && together(split) <= before().filter_map(together).max()
}

fn named(split: &Finding) -> impl Iterator<Item = &str> {
    split.operands.get("twin").into_iter().flat_map(|ids| ids.split("; "))
}

fn together(split: &Finding) -> Option<Decimal> {
    split.operands.get("together")?.parse().ok()
}

#[cfg(test)]
mod tests;

//! Trying a rule before it rules: what a case that was judged already would come to under another policy, from its findings
//! and its passed comparisons alone. Nothing is looked up and no document is read.
//!
//! What was not compared then is not compared now: a limit of a kind of which no row was in force, a clause that nobody asked
//! for, a duplicate outside the days that were looked at. Rows are asked for the day on which the case was judged. Limits that
//! split bills reach, and those that a bill lies just below, are the new policy's; how many earlier bills lay just below one is
//! what was counted then.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::Serialize;

use crate::invoice::{AMOUNT_MAX, DECIMALS_MAX};
use crate::validate::cents;
use crate::{Case, Code, FieldName, Policy, Severity, State, booked};

/// A case as it was judged, and as it would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replayed {
    pub before: Way,
    pub after: Way,
    /// What it is about, in the policy's currency, without its sign; `None` where it is unknown or in another one.
    pub net: Option<Decimal>,
    /// A person rejected it.
    pub rejected: bool,
}

/// What was found, and where it leads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Way {
    pub codes: BTreeSet<Code>,
    /// The checkpoints that hold it, by their ids; none: it goes straight through.
    pub checkpoints: BTreeSet<String>,
}

/// What another policy makes of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    Same,
    /// Other people decide.
    Rerouted,
    /// It stopped at people, and would go straight through.
    Released,
    /// It went straight through, and would stop at people.
    Held,
}

/// Codes of what came to light after the verdict, which no policy would have changed.
const LATER: [Code; 2] = [Code::ErpRefused, Code::PaidUnapproved];

/// `None` where there is nothing to replay: it was never judged, or before comparisons were kept.
pub fn replay(case: &Case, policy: &Policy) -> Option<Replayed> {
    let judged = !matches!(
        case.state,
        State::Received | State::Extracted | State::Validated | State::Quarantined | State::Erased
    );
    let kept = !case.passed.is_empty() || case.findings.iter().any(|finding| finding.basis.is_some());
    if !judged || case.policy.is_none() || (case.kind().billed() && !kept) {
        return None;
    }
    let (mut before, mut after) = (Way::default(), Way::default());
    let mut weighty = BTreeSet::new();
    // Of bills that were split: they are routed by what they come to together.
    let mut sums: BTreeSet<Decimal> = BTreeSet::new();
    // What it was reopened for was routed by itself, beside what the verdict had asked for.
    let mut reopened: Vec<(Code, Option<Decimal>)> = Vec::new();
    for finding in case.findings.iter().filter(|finding| !LATER.contains(&finding.code)) {
        before.codes.insert(finding.code);
        let Some(code) = finding.again_under(policy) else { continue };
        let sum = finding.basis.as_ref().and_then(|basis| basis.sum_under(&finding.operands, policy));
        if finding.rule == booked::RULE {
            after.codes.insert(code);
            reopened.push((code, sum));
            continue;
        }
        sums.extend(sum);
        let severity = if code == finding.code { finding.severity } else { code.severity() };
        after.codes.insert(code);
        if Severity::Review <= severity {
            weighty.insert(code);
        }
    }
    for comparison in &case.passed {
        let Some(code) = comparison.code_under(policy) else { continue };
        sums.extend(comparison.basis.sum_under(&comparison.operands, policy));
        after.codes.insert(code);
        if Severity::Review <= code.severity() {
            weighty.insert(code);
        }
    }
    let later = |codes: &[Code]| !codes.is_empty() && codes.iter().all(|code| LATER.contains(code));
    let asked = case.checkpoints.iter().filter(|checkpoint| !later(&checkpoint.codes));
    before.checkpoints = asked.map(|checkpoint| checkpoint.id.clone()).collect();
    let net = net(case, policy);
    let routed = net.map(|net| sums.last().map_or(net, |sum| net.max(*sum)));
    after.checkpoints = policy.routed(case.kind(), routed, &weighty).into_iter().map(str::to_owned).collect();
    for (code, sum) in reopened {
        let routed = net.map(|net| sum.map_or(net, |sum| net.max(sum)));
        let asked = policy.routed(case.kind(), routed, &BTreeSet::from([code]));
        after.checkpoints.extend(asked.into_iter().map(str::to_owned));
    }
    Some(Replayed { before, after, net: net.map(|net| cents(net.abs())), rejected: case.state == State::Rejected })
}

/// As the policy routes by it.
fn net(case: &Case, policy: &Policy) -> Option<Decimal> {
    let extraction = case.extraction.as_ref().filter(|it| it.kind.billed())?;
    extraction.text(FieldName::Currency).filter(|it| it.trim() == policy.currency)?;
    let net: Decimal = extraction.text(FieldName::NetTotal)?.trim().parse().ok()?;
    Some(net).filter(|net| net.abs() <= AMOUNT_MAX && net.scale() <= DECIMALS_MAX)
}

impl Replayed {
    pub fn turn(&self) -> Turn {
        match (self.before.checkpoints.is_empty(), self.after.checkpoints.is_empty()) {
            (true, false) => Turn::Held,
            (false, true) => Turn::Released,
            _ if self.before.checkpoints != self.after.checkpoints => Turn::Rerouted,
            _ => Turn::Same,
        }
    }

    /// Codes that are found no more.
    pub fn gone(&self) -> impl Iterator<Item = Code> {
        self.before.codes.difference(&self.after.codes).copied()
    }

    /// Codes that were not found before.
    pub fn come(&self) -> impl Iterator<Item = Code> {
        self.after.codes.difference(&self.before.codes).copied()
    }
}

/// Many of them, added up; in whatever order, the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Replays {
    pub replayed: u64,
    pub not_replayable: u64,
    pub released: Moved,
    /// Of those released: what a person had rejected.
    pub released_though_rejected: Moved,
    pub held: Moved,
    pub rerouted: Moved,
    /// Only the codes that flip somewhere.
    pub codes: BTreeMap<Code, Flips>,
}

/// Cases, and the money that they are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Moved {
    pub cases: u64,
    pub net: Decimal,
    /// Cases whose amount is unknown or in another currency, and so not in `net`.
    pub unknown: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Flips {
    pub gone: Moved,
    pub come: Moved,
}

impl Replays {
    pub fn add(&mut self, replayed: Option<&Replayed>) {
        let Some(it) = replayed else {
            self.not_replayable += 1;
            return;
        };
        let moved = Moved { cases: 1, net: it.net.unwrap_or_default(), unknown: it.net.is_none().into() };
        self.replayed += 1;
        match it.turn() {
            Turn::Same => {}
            Turn::Rerouted => self.rerouted.join(&moved),
            Turn::Released => self.released.join(&moved),
            Turn::Held => self.held.join(&moved),
        }
        if it.rejected && it.turn() == Turn::Released {
            self.released_though_rejected.join(&moved);
        }
        it.gone().for_each(|code| self.codes.entry(code).or_default().gone.join(&moved));
        it.come().for_each(|code| self.codes.entry(code).or_default().come.join(&moved));
    }

    /// Adds what another one, of other cases, came to.
    pub fn join(&mut self, other: &Replays) {
        self.replayed += other.replayed;
        self.not_replayable += other.not_replayable;
        self.released.join(&other.released);
        self.released_though_rejected.join(&other.released_though_rejected);
        self.held.join(&other.held);
        self.rerouted.join(&other.rerouted);
        for (code, flips) in &other.codes {
            let mine = self.codes.entry(*code).or_default();
            mine.gone.join(&flips.gone);
            mine.come.join(&flips.come);
        }
    }
}

impl Moved {
    fn join(&mut self, other: &Moved) {
        self.cases += other.cases;
        self.unknown += other.unknown;
        // Whole cents of amounts within `AMOUNT_MAX`: their sum is exact for more cases than there can be.
        self.net = self.net.saturating_add(other.net);
    }
}

#[cfg(test)]
mod tests;

//! The verdict on a case by what is known, with what follows from it.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::checkpoint::{Approval, Checkpoint};
use crate::retention::Rule;
use crate::{
    Bill, Case, CaseId, Code, Comparison, Digest, Examined, Finding, Invoice, Key, Known, MatchedLine, Policy,
    Severity, Timestamp, examine, reconcile, wanted,
};

/// A verdict with what follows from it, under one policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    pub at: Timestamp,
    /// All of them: what validation found and what the comparison found, and of a case judged anew [`Case::carried`].
    pub findings: Vec<Finding>,
    pub passed: Vec<Comparison>,
    pub matched: Vec<MatchedLine>,
    pub bill: Option<Bill>,
    pub due_date: Option<Date>,
    pub informed_by: BTreeSet<String>,
    /// Cases whose bills reach a limit together with this one: those that are booked are looked at again for it.
    pub beside: BTreeSet<CaseId>,
    pub checkpoints: Vec<Checkpoint>,
    pub policy: Digest,
    /// How many percent of what goes straight through are in the sample, by that policy.
    pub sample_percent: u8,
    /// How long that policy keeps what is rejected.
    pub unbooked: Rule,
}

/// Judges a case: what is wrong with its document by itself, how it compares with what is known, and where the policy routes
/// what was found. All findings are made under this one policy, even when it changed since the document was checked.
pub fn judge(case: &Case, known: &Known, policy: &Policy, at: Timestamp) -> Judgement {
    let Examined { mut findings, mut passed } = examine(case, policy, at.date());
    let verdict = case.extraction.as_ref().map(|extraction| reconcile(extraction, known, policy, at.date()));
    let verdict = verdict.unwrap_or_default();
    findings.extend(verdict.findings);
    passed.extend(verdict.passed);
    // What the ledger refused is not the engine's to take back.
    findings.extend(case.carried().cloned());
    findings.extend(paid_unapproved(case, known));
    let net = routed_with(case, policy, verdict.routed_net);
    // INVARIANT (a place is kept): whoever is judged later stands behind those it was compared with, and nothing that it was
    // compared with then came later, whatever a clock says.
    let behind = known.first_place().filter(|_| case.place.is_none());
    Judgement {
        at: behind.map_or(at, |behind| behind.max(at)),
        checkpoints: policy.route(case.kind(), net, &findings, at),
        findings,
        passed,
        matched: verdict.matched,
        bill: verdict.bill,
        due_date: verdict.due_date,
        informed_by: verdict.informants,
        beside: verdict.beside,
        policy: policy.digest,
        sample_percent: policy.straight_through.sample_percent,
        unbooked: policy.retention(case.kind(), &case.document.channel, true),
    }
}

/// Keys of everything that a case is judged by: what its document is compared with, and what was paid for it.
pub fn wanted_of_case(case: &Case, known: &Known, policy: &Policy) -> BTreeSet<Key> {
    let keys = case.extraction.as_ref().map(|extraction| wanted(extraction, known, policy)).unwrap_or_default();
    let paid = Some(Key::settled_of(case.id)).filter(|_| !keys.is_empty());
    keys.into_iter().chain(paid).collect()
}

/// What payments of it found: whoever decides about a bill knows that money left for it already, to an account that nobody
/// had approved.
fn paid_unapproved(case: &Case, known: &Known) -> Vec<Finding> {
    let (key, id) = (Key::settled_of(case.id), case.id.to_string());
    let of_it = |it: &&Finding| it.code == Code::PaidUnapproved && it.operands.get("bill") == Some(&id);
    let found = known.settlements(&key).flat_map(|settlement| &settlement.findings).filter(of_it);
    let mut found: Vec<Finding> = found.cloned().collect();
    found.sort_by_cached_key(|finding| finding.operands.get("payment").cloned());
    found
}

/// The amount that the policy's bands are about; unknown in another currency than theirs, so that every band applies.
pub fn routed_by(case: &Case, policy: &Policy) -> Option<crate::Decimal> {
    let extraction = case.extraction.as_ref().filter(|extraction| extraction.kind.billed())?;
    let (invoice, _) = Invoice::of(extraction);
    invoice.totals.net_total.filter(|_| invoice.currency.as_ref() == Some(&policy.currency))
}

/// The same, where bills that were split are routed by what they come to together.
pub(crate) fn routed_with(case: &Case, policy: &Policy, together: Option<crate::Decimal>) -> Option<crate::Decimal> {
    routed_by(case, policy).map(|net| together.map_or(net, |together| together.max(net)))
}

impl Judgement {
    /// Where it lets the case through without a person: how many percent of those are in the straight-through sample.
    pub fn straight_through(&self) -> Option<u8> {
        self.checkpoints.is_empty().then_some(self.sample_percent)
    }

    /// The checkpoints of a new verdict, with the approvals that still stand: where nothing of weight was added to what people
    /// saw, and no figure of it changed, those who approved saw all of it and more; but for whoever brought in what changed it.
    /// A checkpoint that was open stays due when it was.
    pub(crate) fn still_approved(&self, case: &Case) -> Vec<Checkpoint> {
        let weighty = |findings: &[Finding]| {
            let weighty = findings.iter().filter(|it| it.severity != Severity::Info);
            weighty
                .map(|it| (it.code, it.rule.clone(), it.fields.clone(), it.operands.clone()))
                .collect::<BTreeSet<_>>()
        };
        let billed = |lines: &[MatchedLine]| {
            let billed = lines
                .iter()
                .map(|it| (it.invoice_line.clone(), it.order_id.clone(), it.order_line.clone(), it.billed_now));
            billed.collect::<BTreeSet<_>>()
        };
        let nothing_added = weighty(&self.findings).is_subset(&weighty(&case.findings))
            && billed(&self.matched) == billed(&case.matched);
        let before = |id: &str| case.checkpoints.iter().find(|it| it.id == id);
        let mut checkpoints = self.checkpoints.clone();
        for checkpoint in &mut checkpoints {
            let Some(before) = before(&checkpoint.id) else { continue };
            checkpoint.due_at = before.due_at;
            let asks_no_more = checkpoint.route == before.route
                && checkpoint.needs <= before.needs
                && checkpoint.level <= before.level
                && checkpoint.codes.iter().all(|code| before.codes.contains(code));
            if nothing_added && asks_no_more {
                let stands = |it: &&Approval| !self.informed_by.contains(&it.by);
                checkpoint.approvals = before.approvals.iter().filter(stands).cloned().collect();
            }
        }
        checkpoints
    }

    /// Puts the verdict in the place of the case's last one.
    pub(crate) fn enter(self, case: &mut Case, checkpoints: Vec<Checkpoint>) {
        case.sample_percent = self.straight_through();
        case.findings = self.findings;
        case.passed = self.passed;
        case.matched = self.matched;
        // What is stopped bills nothing: a duplicate must not use up the order that its twin is paid from.
        case.bill = self.bill.filter(|_| case.stopped().is_none());
        // INVARIANT (a correction forgets it not, and a stop neither): otherwise one of them hides what was changed to fit.
        case.judged_first = case.judged_first.or(case.place).or(Some(self.at));
        case.place = case.bill.is_some().then(|| case.place.unwrap_or(self.at));
        if let Some(bill) = &mut case.bill {
            bill.since = case.place;
        }
        case.due_date = self.due_date;
        case.informed_by = self.informed_by;
        case.policy = Some(self.policy);
        case.unbooked = Some(self.unbooked);
        case.checkpoints = checkpoints;
        // INVARIANT (fail closed): nothing weightier than a note goes past people.
        assert!(routed(case), "every finding of weight has a checkpoint");
    }
}

/// Is every finding weightier than a note one that an open or settled checkpoint is about?
fn routed(case: &Case) -> bool {
    let asked = |code: Code| case.checkpoints.iter().any(|checkpoint| checkpoint.codes.contains(&code));
    case.findings.iter().all(|finding| finding.severity == Severity::Info || asked(finding.code))
}

/// An edit voids every earlier finding and approval.
pub(crate) fn forget(case: &mut Case) {
    case.findings.clear();
    case.passed.clear();
    case.matched.clear();
    case.bill = None;
    case.informed_by.clear();
    case.due_date = None;
    case.place = None;
    case.checkpoints.clear();
    case.policy = None;
    case.sample_percent = None;
}

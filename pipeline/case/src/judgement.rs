//! The verdict on a case by what is known, with what follows from it.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::checkpoint::{Approval, Checkpoint};
use crate::retention::Rule;
use crate::{
    Bill, Case, Code, Comparison, Digest, Examined, Finding, Invoice, Known, MatchedLine, Policy, Severity, Timestamp,
    examine, reconcile,
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
    pub checkpoints: Vec<Checkpoint>,
    pub policy: Digest,
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
    let net = routed_by(case, policy).map(|net| verdict.routed_net.map_or(net, |routed| routed.max(net)));
    // INVARIANT (a place is kept): whoever is judged later stands behind those it was compared with, whatever a clock says.
    let behind = known.newest_place().filter(|_| case.place.is_none()).map(|last| Timestamp(last.0.saturating_add(1)));
    Judgement {
        at: behind.map_or(at, |behind| behind.max(at)),
        checkpoints: policy.route(case.kind(), net, &findings, at),
        findings,
        passed,
        matched: verdict.matched,
        bill: verdict.bill,
        due_date: verdict.due_date,
        informed_by: verdict.informants,
        policy: policy.digest,
        unbooked: policy.retention(case.kind(), &case.document.channel, true),
    }
}

/// The amount that the policy's bands are about; unknown in another currency than theirs, so that every band applies.
pub fn routed_by(case: &Case, policy: &Policy) -> Option<crate::Decimal> {
    let extraction = case.extraction.as_ref().filter(|extraction| extraction.kind.billed())?;
    let (invoice, _) = Invoice::of(extraction);
    invoice.totals.net_total.filter(|_| invoice.currency.as_ref() == Some(&policy.currency))
}

impl Judgement {
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
        case.findings = self.findings;
        case.passed = self.passed;
        case.matched = self.matched;
        // What is stopped bills nothing: a duplicate must not use up the order that its twin is paid from.
        case.bill = self.bill.filter(|_| case.stopped().is_none());
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
}

//! The verdict on a case by what is known, with what follows from it.

use crate::step::{Case, Judgement};
use crate::{Invoice, Known, Policy, Timestamp, examine, reconcile};

/// Judges a case: what is wrong with its document by itself, how it compares with what is known, and where the policy routes
/// what was found. All findings are made under this one policy, even when it changed since the document was checked.
pub fn judge(case: &Case, known: &Known, policy: &Policy, at: Timestamp) -> Judgement {
    let mut findings = examine(case, policy, at.date());
    let verdict = case.extraction.as_ref().map(|extraction| reconcile(extraction, known, policy, at.date()));
    let verdict = verdict.unwrap_or_default();
    findings.extend(verdict.findings);
    // What the ledger refused is not the engine's to take back.
    findings.extend(case.carried().cloned());
    let net = routed_by(case, policy).map(|net| verdict.routed_net.map_or(net, |routed| routed.max(net)));
    // INVARIANT (a place is kept): whoever is judged later stands behind those it was compared with, whatever a clock says.
    let behind = known.newest_place().filter(|_| case.place.is_none()).map(|last| Timestamp(last.0.saturating_add(1)));
    Judgement {
        at: behind.map_or(at, |behind| behind.max(at)),
        checkpoints: policy.route(case.kind(), net, &findings, at),
        findings,
        passed: verdict.passed,
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

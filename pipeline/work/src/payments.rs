//! Payments: matched with the bills they pay, and what comes to light thereby.

use case::{Actor, Code, Event, Finding, Payment, Policy, Settlement, State, routed_by, settle, wanted_of_payment};
use store::{ApplyError, Store, causes};
use tracing::{error, info};

use crate::{now, system};

/// A payment is looked at anew so often when its bills change meanwhile.
const TRIES_MAX: u32 = 5;

/// Settles one payment as far as it can be without guessing, and keeps that. A booked case whose money went to an account
/// that nobody had approved goes back to people first, so that whatever ends this half-way, it is seen again; where the case
/// cannot be reopened yet, the settlement says so, and the payment is looked at again.
pub async fn settle_payment(
    store: &Store,
    policy: &Policy,
    payment: &Payment,
    by: &Actor,
) -> Result<Settlement, ApplyError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let gathered = store.gather_facts(&|known| wanted_of_payment(payment, known)).await?;
        let mut settlement = settle(payment, &gathered.known);
        match reopened(store, policy, &settlement).await {
            Ok(all) => settlement.untold = !all,
            // Somebody moved the case meanwhile.
            Err(ApplyError::Conflict { .. }) if tries < TRIES_MAX => continue,
            Err(err) => return Err(err),
        }
        match store.keep_settlement(&gathered, &settlement, by, now()).await {
            Ok(()) => return Ok(settlement),
            Err(ApplyError::FactsChanged) if tries < TRIES_MAX => {}
            Err(err) => return Err(err),
        }
    }
}

/// Reopens the cases whose money went to an account that was not approved; do all of them know of it now?
async fn reopened(store: &Store, policy: &Policy, settlement: &Settlement) -> Result<bool, ApplyError> {
    let mut all = true;
    for finding in settlement.findings.iter().filter(|it| it.code == Code::PaidUnapproved) {
        all &= reopen(store, policy, finding).await?;
    }
    Ok(all)
}

/// False where the case is to be told later: it is not booked yet, or people look at what came to light before.
async fn reopen(store: &Store, policy: &Policy, finding: &Finding) -> Result<bool, ApplyError> {
    let Some(id) = finding.operands.get("bill").and_then(|id| id.parse().ok()) else {
        error!("CRITICAL: money was paid for an imported invoice to an account that was not approved");
        return Ok(true);
    };
    let case = store.case(id).await?;
    error!(case.id = %id, "CRITICAL: money was paid for case `{id}` to an account that was not approved at that time");
    let known = |it: &Finding| it.code == finding.code && it.operands.get("payment") == finding.operands.get("payment");
    if case.findings.iter().any(known) {
        return Ok(true);
    }
    match case.state {
        State::Posted | State::Archived if case.booked_as.is_some() => {}
        State::Posted | State::Archived | State::Rejected | State::Quarantined | State::Erased => return Ok(true),
        State::Received | State::Extracted | State::Validated | State::InReview | State::Approved => return Ok(false),
    }
    let checkpoints = policy.route(case.kind(), routed_by(&case, policy), std::slice::from_ref(finding), now());
    let event = Event::Reopened { finding: Box::new(finding.clone()), checkpoints };
    match store.apply(id, case.revision, event, &system(), now()).await {
        Ok(_) => {
            info!(case.id = %id, "Case `{id}` is reopened");
            Ok(true)
        }
        Err(err @ ApplyError::Refused(_)) => {
            error!(case.id = %id, "Case `{id}` could not be reopened: {}", causes(&err));
            Ok(false)
        }
        Err(err) => Err(err),
    }
}

//! The next step of every case that a machine is to move.

use std::time::Duration;

use case::{
    Action, Answer, Case, CaseId, Checkpoint, Code, Event, Extraction, Finding, Judgement, Keep, Kind, Policy, State,
    Timestamp, came_to_light, examine, judge, posting, recall, routed_by, step, vendor_of, wanted_of_booked,
    wanted_of_case,
};
use store::{Admission, Advanced, ApplyError, Gathered, Store, Work, causes};
use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::confine::Attachment;
use crate::{IDLE, Machines, ReaderFault, now, pause, system};

/// After so many starts without an end the document is at fault: what kills its reader must not do so for ever.
const READINGS_MAX: u32 = 3;
/// A verdict is made anew so often when its facts change meanwhile; then others go first.
const VERDICTS_MAX: u32 = 5;
/// Cases in review that are judged again in one go.
const WOKEN_MAX: u32 = 100;
const RETRY: Duration = Duration::from_secs(1);
/// What broke an assertion will do so again: it is tried seldom, and stands in the logs of operations each time.
const BROKEN_WAIT: Duration = Duration::from_secs(300);
const INQUIRY_WAIT_MAX: Duration = Duration::from_secs(300);

/// One worker: takes a piece of work, follows its case until a person or another time is needed, takes the next.
pub(crate) async fn run(machines: Machines, stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        match machines.store.lease(1, now()).await {
            Ok(leased) if leased.is_empty() => crate::first(pause(IDLE, &stop), machines.store.rung()).await,
            Ok(leased) => {
                for work in leased {
                    // In a task of its own: what breaks an assertion breaks one case's step, not the worker.
                    let (mine, stop) = (machines.clone(), stop.clone());
                    if let Err(err) = tokio::spawn(async move { follow(&mine, work, &stop).await }).await {
                        error!(case.id = %work.case, "A step broke off: {err}");
                        put_back(&machines, &work, BROKEN_WAIT).await;
                    }
                }
            }
            Err(err) => {
                error!("No work can be taken: {}", causes(&err));
                pause(RETRY, &stop).await;
            }
        }
    }
}

async fn follow(machines: &Machines, work: Work, stop: &watch::Receiver<bool>) {
    let mut work = work;
    loop {
        match perform(machines, &work).await {
            Ok(Advanced { case, next }) => {
                info!(case.id = %case.id, state = case.state.name(), "Case `{}` is {}", case.id, case.state.name());
                let Some(next) = next else { return };
                let wait = wait_before(&case, &next);
                if wait.is_zero() && !*stop.borrow() {
                    work = next;
                    continue;
                }
                return put_back(machines, &Work { attempt: 0, ..next }, wait).await;
            }
            // Somebody else moved it: theirs to follow.
            Err(ApplyError::Conflict { .. }) => return,
            Err(ApplyError::Refused(refusal)) => {
                error!(case.id = %work.case, "A step was refused: {refusal}");
                return put_back(machines, &work, Duration::from_secs(60)).await;
            }
            Err(ApplyError::FactsChanged) => return put_back(machines, &work, RETRY).await,
            Err(ApplyError::Store(err)) => {
                error!(case.id = %work.case, "A step could not be finished: {}", causes(&err));
                // The machine's trouble, not the document's: the attempt does not count against it.
                let begun = Work { attempt: work.attempt.saturating_sub(1), ..work };
                return put_back(machines, &begun, RETRY * 5).await;
            }
        }
    }
}

async fn put_back(machines: &Machines, work: &Work, wait: Duration) {
    let ready_at = Timestamp(now().0 + i64::try_from(wait.as_micros()).unwrap_or(i64::MAX / 2));
    if let Err(err) = machines.store.put_back(work, ready_at).await {
        warn!(case.id = %work.case, "Work is put back by its lease: {}", causes(&err));
    }
}

/// A ledger that does not answer is asked again, later each time.
fn wait_before(case: &Case, next: &Work) -> Duration {
    match next.action {
        Action::Inquire | Action::Send if 0 < case.unanswered => {
            INQUIRY_WAIT_MAX.min(Duration::from_secs(1 << case.unanswered.min(16)))
        }
        _ => Duration::ZERO,
    }
}

async fn perform(machines: &Machines, work: &Work) -> Result<Advanced, ApplyError> {
    let policy = machines.policy.borrow().clone();
    let case = machines.store.case(work.case).await?;
    if case.revision != work.revision {
        // A lease that ran out unnoticed: somebody else has done this. Nothing may be sent for it.
        return Err(ApplyError::Conflict { id: work.case, revision: work.revision });
    }
    let event = match work.action {
        Action::Extract => read(machines, &case, &policy, work.attempt).await?,
        Action::Validate => {
            let findings = examine(&case, &policy, now().date()).findings;
            Event::Validated { findings, policy: policy.digest }
        }
        Action::Reconcile => return compare(machines, &case, work, &policy).await,
        Action::Send | Action::Inquire => {
            let answer = match posting(&case) {
                Ok(posting) if work.action == Action::Inquire || 1 < work.attempt => {
                    // Started before, by somebody who may have died after sending: ask first, never send twice unasked.
                    match machines.ledger.inquire(&posting).await {
                        Answer::Absent if work.action == Action::Send => machines.ledger.send(&posting).await,
                        answer => answer,
                    }
                }
                Ok(posting) => machines.ledger.send(&posting).await,
                Err(why) => Answer::Refused { why },
            };
            let checkpoints = refused_checkpoints(&case, &answer, &policy);
            Event::Answered { answer, checkpoints }
        }
        Action::Archive => Event::Archived { keep: kept(&case, case.extraction.as_ref(), &policy) },
    };
    machines.store.advance(work, event, &system(), now()).await
}

async fn read(machines: &Machines, case: &Case, policy: &Policy, attempt: u32) -> Result<Event, ApplyError> {
    if READINGS_MAX < attempt {
        let why = format!("reading it was started {} times and never ended", attempt - 1);
        return Ok(unreadable(case, why, policy));
    }
    // Before it is opened: however large a document is, it is not in memory as a whole unless it is read.
    let (size, max) = (case.document.size_bytes, machines.reader.document_bytes_max);
    if max < size {
        return Ok(unreadable(case, causes(&ReaderFault::TooLarge { size, max }), policy));
    }
    let original = machines.store.original_bytes(case).await?;
    let mut tries = 0;
    let reading = loop {
        tries += 1;
        match machines.reader.read(original.clone()).await {
            Err(fault) if fault.passing() && tries < 2 => {
                warn!(case.id = %case.id, "The reader failed and is started once more: {fault}");
            }
            other => break other,
        }
    };
    match reading {
        Ok(reading) => match reading.outcome {
            Ok(mut extraction) => {
                let lessons = machines.store.lessons(&vendor_of(&extraction)).await?;
                recall(&mut extraction, &lessons);
                let cases = take_apart(machines, case, reading.attachments).await?;
                let whole = extraction.coverage.read == extraction.coverage.pages;
                if !cases.is_empty() && whole {
                    let keep = kept(case, Some(&extraction), policy);
                    return Ok(Event::TakenApart { extraction: Box::new(extraction), cases, keep });
                }
                let pictures = machines.store.keep_pictures(case.id, reading.pictures).await?;
                Ok(Event::Extracted { extraction: Box::new(extraction), pictures })
            }
            Err(fault) => Ok(unreadable(case, fault.message, policy)),
        },
        Err(ReaderFault::Start(err)) => {
            // Nothing is wrong with the document: this machine cannot start programs now.
            Err(store::Error::Io { doing: "start the reader", path: machines.reader.program.clone(), source: err }
                .into())
        }
        Err(fault) => Ok(unreadable(case, causes(&fault), policy)),
    }
}

/// How long a case that ends here with these values is kept.
fn kept(case: &Case, values: Option<&Extraction>, policy: &Policy) -> Keep {
    let kind = values.map_or(Kind::Unknown, |values| values.kind);
    policy.retention(kind, &case.document.channel, false).keep(now().date(), values)
}

fn unreadable(case: &Case, why: String, policy: &Policy) -> Event {
    let rule = policy.retention(Kind::Unknown, &case.document.channel, true);
    Event::Unreadable { why, keep: rule.keep(now().date(), None) }
}

/// Makes a case of each document that came with a mail, before the event that closes the mail. Begun again after a crash, it
/// finds those that are there: a part of a mail has one name.
async fn take_apart(machines: &Machines, mail: &Case, attachments: Vec<Attachment>) -> Result<Vec<CaseId>, ApplyError> {
    let mut cases = Vec::new();
    for (part, Attachment { name, bytes }) in (1..).zip(attachments) {
        let (Admission::New(id) | Admission::Duplicate(id)) =
            machines.store.admit_part(mail, part, name, bytes, &system(), now()).await?;
        cases.push(id);
    }
    Ok(cases)
}

/// Compares a case with the facts, as often as they change while it is done.
async fn compare(machines: &Machines, case: &Case, work: &Work, policy: &Policy) -> Result<Advanced, ApplyError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let (gathered, judgement) = judged(&machines.store, case, policy, now()).await?;
        let event = Event::Reconciled(Box::new(judgement));
        match machines.store.advance_on(&gathered, work, event, &system(), now()).await {
            Err(ApplyError::FactsChanged) if tries < VERDICTS_MAX => {}
            other => return other,
        }
    }
}

/// The verdict on a case by what is known now.
async fn judged(
    store: &Store,
    case: &Case,
    policy: &Policy,
    at: Timestamp,
) -> Result<(Gathered, Judgement), ApplyError> {
    if case.extraction.is_none() {
        let what = "a case without values is to be compared".to_owned();
        return Err(store::Error::Row { what }.into());
    }
    let gathered = store.gather(case, &|known| wanted_of_case(case, known, policy)).await?;
    let judgement = judge(case, &gathered.known, policy, at);
    Ok((gathered, judgement))
}

/// Judges the cases in review again about which something was learned. Holds that the engine set and that stand no more are
/// released by it; what people and the ledger said stays.
pub(crate) async fn rejudge(machines: Machines, stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let woken = machines.store.woken(WOKEN_MAX, now()).await.unwrap_or_else(|err| {
            error!("No case in review can be judged again: {}", causes(&err));
            Vec::new()
        });
        let mut moved = false;
        for id in woken {
            let (store, policy) = (machines.store.clone(), machines.policy.borrow().clone());
            // In a task of its own: what breaks an assertion breaks one case's verdict, not those of all others.
            let judged = tokio::spawn(async move { judge_again(&store, &policy, id, now()).await }).await;
            let judged = judged.unwrap_or_else(|err| Err(store::Error::Cut(err).into()));
            match judged {
                Ok(case) => {
                    moved = true;
                    info!(case.id = %id, state = case.state.name(), "Case `{id}` was looked at again and is {}", case.state.name());
                }
                // Somebody else moved it, or its facts: it is still awake.
                Err(ApplyError::Conflict { .. } | ApplyError::FactsChanged) => {}
                Err(err) => {
                    error!(case.id = %id, "Case `{id}` could not be judged again: {}", causes(&err));
                    let later = Timestamp(now().0 + i64::try_from(BROKEN_WAIT.as_micros()).unwrap_or(0));
                    if let Err(err) = machines.store.wake_later(id, later).await {
                        warn!(case.id = %id, "It is tried again at once: {}", causes(&err));
                    }
                }
            }
        }
        if !moved {
            crate::first(pause(IDLE, &stop), machines.store.rung()).await;
        }
    }
}

/// Looks at one case again, by what is known now: one in review is judged, and waits on where nothing is otherwise; one that is
/// booked is reopened for what came to light about it.
pub async fn judge_again(store: &Store, policy: &Policy, id: CaseId, at: Timestamp) -> Result<Case, ApplyError> {
    let case = store.case(id).await?;
    if case.booked_as.is_some() || case.state.done() {
        return look_again(store, policy, case, at).await;
    }
    if case.state == State::Approved {
        // On its way into the ledger: it is awake until it is there.
        return Ok(case);
    }
    let (gathered, judgement) = judged(store, &case, policy, at).await?;
    let event = Event::Rejudged(Box::new(judgement));
    if step(&case, event.clone()).is_ok_and(|(next, _)| says_otherwise(&case, &next)) {
        return store.rejudge(&gathered, &case, event, &system(), at).await;
    }
    store.still_held(&case, &gathered).await?;
    Ok(case)
}

/// INVARIANT (nothing that came to light is lost): what woke the case is taken away with what it is reopened for, or where it
/// is nothing new. In review it is told by nobody, and woken again when people are done with it.
async fn look_again(store: &Store, policy: &Policy, case: Case, at: Timestamp) -> Result<Case, ApplyError> {
    let gathered = store.gather(&case, &|known| wanted_of_booked(&case, known, policy)).await?;
    if let Some(event) = came_to_light(&case, &gathered.known, policy, at) {
        return store.rejudge(&gathered, &case, event, &system(), at).await;
    }
    store.still_held(&case, &gathered).await?;
    Ok(case)
}

/// Is there anything in the new verdict that a person or another case would see?
fn says_otherwise(case: &Case, next: &Case) -> bool {
    let said = |case: &Case| {
        let checkpoints = case.checkpoints.iter();
        let checkpoints: Vec<_> = checkpoints.map(|it| Checkpoint { title: String::new(), ..it.clone() }).collect();
        let verdict = (case.findings.clone(), case.matched.clone(), case.bill.clone(), case.due_date);
        (verdict, checkpoints, case.informed_by.clone())
    };
    said(case) != said(next)
}

fn refused_checkpoints(case: &Case, answer: &Answer, policy: &Policy) -> Vec<Checkpoint> {
    let Answer::Refused { why } = answer else { return Vec::new() };
    let refusal = Finding::new(Code::ErpRefused, "posting.refused", why.clone());
    policy.route(case.kind(), routed_by(case, policy), &[refusal], now())
}

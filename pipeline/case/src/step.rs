//! Where a case goes next.

mod event;
mod refusal;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::checkpoint::{Approval, Checkpoint};
use crate::decision::{Decision, Verdict};
use crate::disposal::{self, Disposal, Hold};
use crate::retention::{Keep, Rule};
use crate::{
    Actor, Bill, CaseId, Code, Comparison, Deed, Digest, Document, Extraction, Finding, Kind, MatchedLine, Severity,
    Timestamp, judgement,
};

pub use event::{Answer, Event};
pub use refusal::Refusal;

/// One document on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    pub id: CaseId,
    pub state: State,
    /// Counts transitions. The store refuses a write that did not start from the current revision.
    pub revision: u64,
    pub document: Document,
    /// The sealed original.
    pub original: Uuid,
    /// INVARIANT (whoever touched it does not approve it): who submitted or corrected it.
    pub touched_by: BTreeSet<String>,
    /// Did a person change what was read? Then another person approves, however clean it looks now.
    pub corrected: bool,
    /// Whose pages they were read as before a person corrected them ([`crate::vendor_of`]).
    #[serde(default)]
    pub vendor_read: Vec<String>,
    pub extraction: Option<Extraction>,
    /// The sealed pictures of the pages, in order.
    pub pictures: Vec<Picture>,
    pub findings: Vec<Finding>,
    /// The comparisons with facts that found nothing.
    #[serde(default)]
    pub passed: Vec<Comparison>,
    pub matched: Vec<MatchedLine>,
    /// What is remembered of it for others to be compared with, from its verdict until it is rejected or corrected.
    #[serde(default)]
    pub bill: Option<Bill>,
    /// INVARIANT (whoever touched it does not approve it): who brought in the facts that the verdict rests on.
    #[serde(default)]
    pub informed_by: BTreeSet<String>,
    /// When it is due by its contract, where that says otherwise than the document.
    #[serde(default)]
    pub due_date: Option<Date>,
    /// When it was judged first: what is judged later does not take its place from it.
    #[serde(default)]
    pub place: Option<Timestamp>,
    /// The same, whatever became of its place since: what is brought in or changed after it is looked at
    /// ([`Code::BroughtLater`]). None also of a case that was kept before this was, which goes by its place.
    #[serde(default)]
    pub judged_first: Option<Timestamp>,
    pub checkpoints: Vec<Checkpoint>,
    /// Digest of the policy that the findings were made and routed under.
    pub policy: Option<Digest>,
    /// Where its last verdict let it through without a person: how many percent of those the policy draws ([`Case::sampled`]).
    #[serde(default)]
    pub sample_percent: Option<u8>,
    pub quarantine: Option<String>,
    /// How often in a row the ledger did not answer.
    pub unanswered: u32,
    /// What the ledger calls the booking.
    pub booked_as: Option<String>,
    /// The mail that it came with, whose bytes hold its own.
    #[serde(default)]
    pub mail: Option<CaseId>,
    /// Of a mail that was taken apart: what came with it.
    #[serde(default)]
    pub parts: Vec<CaseId>,
    /// How long it is kept if it is rejected, by the policy that it was judged under.
    #[serde(default)]
    pub unbooked: Option<Rule>,
    /// How long it is kept, once it is at its end.
    #[serde(default)]
    pub keep: Option<Keep>,
    /// By matter. INVARIANT (a hold beats every delete path): no event that erases is accepted while there is one, and the
    /// store writes what [`step`] says from the revision that it looked at.
    #[serde(default)]
    pub holds: BTreeMap<String, Hold>,
    #[serde(default)]
    pub disposal: Option<Disposal>,
}

/// The picture of a page: so many bytes of a sealed file, which holds those of all pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    pub file: Uuid,
    pub offset: u64,
    pub size: u64,
}

/// Where a case rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum State {
    Received,
    Extracted,
    Validated,
    InReview,
    Approved,
    Posted,
    Archived,
    Rejected,
    Quarantined,
    /// Only what [`Case::erased`] leaves is still there.
    Erased,
}

impl State {
    pub const ALL: [State; 10] = [
        State::Received,
        State::Extracted,
        State::Validated,
        State::InReview,
        State::Approved,
        State::Posted,
        State::Archived,
        State::Rejected,
        State::Quarantined,
        State::Erased,
    ];

    pub fn name(self) -> &'static str {
        match self {
            State::Received => "Received",
            State::Extracted => "Extracted",
            State::Validated => "Validated",
            State::InReview => "InReview",
            State::Approved => "Approved",
            State::Posted => "Posted",
            State::Archived => "Archived",
            State::Rejected => "Rejected",
            State::Quarantined => "Quarantined",
            State::Erased => "Erased",
        }
    }

    /// As it stands in a sentence: a case *that is …*.
    fn said(self) -> &'static str {
        match self {
            State::Received => "not read yet",
            State::Extracted => "read and not checked yet",
            State::Validated => "checked and not matched yet",
            State::InReview => "in review",
            State::Approved => "approved and not booked yet",
            State::Posted => "booked and not archived yet",
            State::Archived => "archived",
            State::Rejected => "rejected",
            State::Quarantined => "quarantined",
            State::Erased => "erased",
        }
    }

    pub fn named(text: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.name() == text)
    }

    /// Is a machine to move it? Otherwise a person is, or it is done.
    pub fn in_flight(self) -> bool {
        matches!(self, State::Received | State::Extracted | State::Validated | State::Approved | State::Posted)
    }

    /// Will it never move again, but to be erased?
    pub fn done(self) -> bool {
        matches!(self, State::Archived | State::Rejected | State::Erased)
    }

    /// What a machine does next with a case that rests here. Sent before or not: it asks before it sends.
    fn pending(self) -> Option<Action> {
        match self {
            State::Received => Some(Action::Extract),
            State::Extracted => Some(Action::Validate),
            State::Validated => Some(Action::Reconcile),
            State::Approved => Some(Action::Inquire),
            State::Posted => Some(Action::Archive),
            State::InReview | State::Archived | State::Rejected | State::Quarantined | State::Erased => None,
        }
    }
}

/// Something a machine should do now. A case that waits for people has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    Extract,
    Validate,
    Reconcile,
    /// Send the posting to the ledger, under the case's key.
    Send,
    /// Ask the ledger whether it knows the key; send only if it does not.
    Inquire,
    Archive,
}

impl Action {
    pub const ALL: [Action; 6] =
        [Action::Extract, Action::Validate, Action::Reconcile, Action::Send, Action::Inquire, Action::Archive];

    pub fn name(self) -> &'static str {
        match self {
            Action::Extract => "Extract",
            Action::Validate => "Validate",
            Action::Reconcile => "Reconcile",
            Action::Send => "Send",
            Action::Inquire => "Inquire",
            Action::Archive => "Archive",
        }
    }

    pub fn named(text: &str) -> Option<Action> {
        Action::ALL.into_iter().find(|action| action.name() == text)
    }
}

impl Case {
    pub fn new(id: CaseId, document: Document, original: Uuid, submitted_by: &Actor) -> Case {
        let touched_by = match submitted_by.kind {
            crate::ActorKind::User => BTreeSet::from([submitted_by.id.clone()]),
            crate::ActorKind::System | crate::ActorKind::Service => BTreeSet::new(),
        };
        Case {
            id,
            state: State::Received,
            revision: 0,
            document,
            original,
            touched_by,
            corrected: false,
            vendor_read: Vec::new(),
            extraction: None,
            pictures: Vec::new(),
            findings: Vec::new(),
            passed: Vec::new(),
            matched: Vec::new(),
            bill: None,
            informed_by: BTreeSet::new(),
            due_date: None,
            place: None,
            judged_first: None,
            checkpoints: Vec::new(),
            policy: None,
            sample_percent: None,
            quarantine: None,
            unanswered: 0,
            booked_as: None,
            mail: None,
            parts: Vec::new(),
            unbooked: None,
            keep: None,
            holds: BTreeMap::new(),
            disposal: None,
        }
    }

    pub fn kind(&self) -> Kind {
        self.extraction.as_ref().map_or(Kind::Unknown, |extraction| extraction.kind)
    }

    /// INVARIANT (approval is bound to content): digest of the original, the values, the findings and the policy, and of a
    /// proposal to erase it with the clocks that it was made under.
    pub fn content(&self) -> Digest {
        let mut content = serde_json::json!({
            "original": self.document.digest,
            "values": self.extraction,
            "findings": self.findings,
            "matched": self.matched,
            "due_date": self.due_date,
            "policy": self.policy,
        });
        if let (Some(disposal), Some(content)) = (&self.disposal, content.as_object_mut()) {
            content.insert("disposal".to_owned(), serde_json::json!([disposal, self.keep]));
        }
        Digest::of_value(&content)
    }

    /// Findings that no comparison makes again, such as what the ledger refused. INVARIANT (fail closed): whoever judges the
    /// case anew puts them among the findings of the new verdict, and routes them with those.
    pub fn carried(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.code == Code::ErpRefused)
    }

    /// The first finding that nobody can approve away.
    pub fn stopped(&self) -> Option<Code> {
        self.findings.iter().find(|finding| finding.severity == Severity::Stop).map(|finding| finding.code)
    }
}

/// The whole state machine. Every transition is an arm below; everything else is refused.
pub fn step(case: &Case, event: Event) -> Result<(Case, Option<Action>), Refusal> {
    let refused = Refusal::NotNow { state: case.state, deed: event.deed() };
    let mut next = case.clone();
    // INVARIANT (a hold beats every delete path): before any of them is looked at.
    if event.disposes() && !case.holds.is_empty() {
        return Err(Refusal::Held { n: case.holds.len() });
    }

    let (state, action) = match (case.state, event) {
        (State::Received, Event::Extracted { extraction, pictures }) => {
            next.extraction = Some(*extraction);
            next.pictures = pictures;
            (State::Extracted, Some(Action::Validate))
        }
        (State::Received, Event::Unreadable { why, keep }) => {
            next.quarantine = Some(why);
            next.keep = Some(keep);
            (State::Quarantined, None)
        }
        (State::Received, Event::TakenApart { extraction, cases, keep }) => {
            // INVARIANT (fail closed): what was not wholly taken apart goes to a person.
            assert!(!cases.is_empty() && extraction.coverage.read == extraction.coverage.pages, "all of it was taken");
            next.extraction = Some(*extraction);
            next.parts = cases;
            next.keep = Some(keep);
            (State::Archived, None)
        }
        (State::Extracted, Event::Validated { findings, policy }) => {
            next.findings = findings;
            next.policy = Some(policy);
            (State::Validated, Some(Action::Reconcile))
        }
        (State::Validated, Event::Reconciled(judgement)) => {
            let checkpoints = judgement.checkpoints.clone();
            judgement.enter(&mut next, checkpoints);
            settled(&next)
        }
        (State::InReview, Event::Rejudged(judgement)) if case.booked_as.is_none() => {
            let carried = case.carried().all(|finding| judgement.findings.contains(finding));
            assert!(carried, "what no comparison makes again is carried on");
            let checkpoints = judgement.still_approved(case);
            judgement.enter(&mut next, checkpoints);
            settled(&next)
        }
        // A mail that was taken apart is archived too, and booked nothing that could be looked at again.
        (State::Posted | State::Archived, Event::Reopened { finding, checkpoints }) if case.booked_as.is_some() => {
            assert!(!checkpoints.is_empty(), "what came to light is routed to a person");
            next.findings.push(*finding);
            next.checkpoints.retain(|earlier| checkpoints.iter().all(|asked| asked.id != earlier.id));
            next.checkpoints.extend(checkpoints);
            // Its clocks begin again when it is archived again.
            next.keep = None;
            next.disposal = None;
            (State::InReview, None)
        }
        (State::InReview, Event::Decided(decision @ Decision { verdict: Verdict::Approve, .. })) => {
            approve(&mut next, &decision)?;
            settled(&next)
        }
        (State::InReview, Event::Decided(Decision { verdict: Verdict::Correct(_) | Verdict::Reject, .. }))
            if case.booked_as.is_some() =>
        {
            return Err(Refusal::Booked);
        }
        (State::InReview, Event::Decided(decision @ Decision { verdict: Verdict::Correct(_), .. })) => {
            decision.allowed(case, Deed::Decide)?;
            crate::decision::correct(&mut next, &decision)?;
            next.touched_by.insert(decision.by.id.clone());
            if !case.corrected {
                next.vendor_read = case.extraction.as_ref().map(crate::vendor_of).unwrap_or_default();
            }
            next.corrected = true;
            judgement::forget(&mut next);
            (State::Extracted, Some(Action::Validate))
        }
        (State::InReview, Event::Decided(decision @ Decision { verdict: Verdict::Reject, .. })) => {
            decision.allowed(case, Deed::Decide)?;
            next.bill = None;
            next.place = None;
            next.keep = case.unbooked.as_ref().map(|rule| rule.keep(decision.at.date(), None));
            (State::Rejected, None)
        }
        (State::Quarantined, Event::Decided(decision @ Decision { verdict: Verdict::Reject, .. })) => {
            decision.allowed(case, Deed::Release)?;
            // What was proposed was proposed of another state; its clocks run on.
            next.disposal = None;
            (State::Rejected, None)
        }
        (State::Quarantined, Event::Decided(decision @ Decision { verdict: Verdict::Release, .. })) => {
            decision.allowed(case, Deed::Release)?;
            next.quarantine = None;
            next.keep = None;
            next.disposal = None;
            (State::Received, Some(Action::Extract))
        }
        (State::Approved, Event::Answered { answer: Answer::Booked { reference }, .. }) => {
            next.booked_as = Some(reference);
            next.unanswered = 0;
            (State::Posted, Some(Action::Archive))
        }
        (State::Approved, Event::Answered { answer: Answer::Refused { why }, checkpoints }) => {
            assert!(!checkpoints.is_empty(), "a refusal is routed to a person");
            next.findings.push(Finding::new(Code::ErpRefused, "posting.refused", why));
            // The approvals of what the ledger refused stay on record, unless the policy asks for them again.
            next.checkpoints.retain(|earlier| checkpoints.iter().all(|asked| asked.id != earlier.id));
            next.checkpoints.extend(checkpoints);
            (State::InReview, None)
        }
        (State::Approved, Event::Answered { answer: Answer::Unknown, .. }) => {
            next.unanswered = next.unanswered.saturating_add(1);
            (State::Approved, Some(Action::Inquire))
        }
        (State::Approved, Event::Answered { answer: Answer::Absent, .. }) => (State::Approved, Some(Action::Send)),
        (State::Posted, Event::Archived { keep }) => {
            next.keep = Some(keep);
            (State::Archived, None)
        }
        (State::Erased, _) => return Err(refused),
        (state, Event::Held { matter, said }) => {
            disposal::hold(&mut next, &matter, &said)?;
            (state, state.pending())
        }
        (state, Event::HoldReleased { matter, said }) => {
            disposal::release(&mut next, &matter, &said)?;
            (state, state.pending())
        }
        (State::Archived, Event::Ended { on, said }) => {
            disposal::ended(&mut next, on, &said)?;
            (State::Archived, None)
        }
        (
            state @ (State::Archived | State::Rejected | State::Quarantined),
            Event::DisposalProposed { ground, seen, said, family },
        ) => {
            disposal::propose(&mut next, ground, seen, &said, &family)?;
            (state, None)
        }
        (State::Archived | State::Rejected | State::Quarantined, Event::DisposalApproved { seen, said, family }) => {
            disposal::approve(&mut next, seen, &said, &family)?;
            (State::Erased, None)
        }
        (state @ (State::Archived | State::Rejected | State::Quarantined), Event::DisposalWithdrawn { seen, said }) => {
            disposal::withdraw(&mut next, seen, &said)?;
            (state, None)
        }
        _ => return Err(refused),
    };

    // Every case is either a machine's to move, or a person's, or done.
    assert_eq!(action.is_some(), state.in_flight());
    if let (Some(bill), State::Approved) = (&mut next.bill, state) {
        bill.approved = true;
    }
    next.state = state;
    next.revision += 1;
    Ok((next, action))
}

/// Where a case goes by its checkpoints. INVARIANT (exactly one booking): what is booked is not sent again.
fn settled(case: &Case) -> (State, Option<Action>) {
    match case.checkpoints.iter().all(Checkpoint::settled) {
        false => (State::InReview, None),
        true if case.booked_as.is_some() => (State::Posted, Some(Action::Archive)),
        true => (State::Approved, Some(Action::Send)),
    }
}

/// Settles every open checkpoint that this person may approve.
fn approve(case: &mut Case, decision: &Decision) -> Result<(), Refusal> {
    let Decision { by, reason, at, .. } = decision;
    decision.allowed(case, Deed::ViewCase)?;
    if case.touched_by.contains(&by.id) {
        return Err(Refusal::Touched);
    }
    if case.informed_by.contains(&by.id) {
        return Err(Refusal::Informed);
    }
    let mine: Vec<usize> = (0..).zip(&case.checkpoints).filter(|(_, it)| it.open_to(by)).map(|(idx, _)| idx).collect();
    if mine.is_empty() {
        return Err(Refusal::NothingToApprove { why: why_not(case, by) });
    }
    if let Some(code) = case.stopped() {
        return Err(Refusal::Stopped { code });
    }
    for (idx, checkpoint) in case.checkpoints.iter_mut().enumerate() {
        if mine.contains(&idx) {
            checkpoint.approvals.push(Approval { by: by.id.clone(), at: *at, reason: reason.clone() });
        }
    }
    Ok(())
}

fn why_not(case: &Case, by: &Actor) -> String {
    let open = || case.checkpoints.iter().filter(|checkpoint| !checkpoint.settled());
    if open().any(|checkpoint| checkpoint.approvals.iter().any(|approval| approval.by == by.id)) {
        return "you approved already; a second person must".to_owned();
    }
    let needs: BTreeSet<String> = open().map(|it| format!("{} of level {}", it.route.name(), it.level)).collect();
    format!("it needs {}", needs.into_iter().collect::<Vec<_>>().join(" and "))
}

#[cfg(test)]
mod tests;

//! Legal hold, and the end of a case: proposed by one person, approved by a second one, and then gone.
//!
//! A mail goes before what came with it. Its bytes hold theirs, so that a part is refused while a mail that holds it is
//! readable; and a mail is refused while one of its parts is under hold, because how it was sent is evidence too. What came with
//! an erased mail stays, each a document with clocks of its own.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::decision::reasoned;
use crate::step::{Case, Refusal, State};
use crate::{
    Actor, Bill, CaseId, Coverage, Deed, Denied, Digest, Document, Extraction, Finding, Sure, Timestamp, permit,
};

/// Who says something about a case, why, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    pub by: Actor,
    pub reason: String,
    pub at: Timestamp,
}

/// While there is one, nothing of the case is erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub by: String,
    pub at: Timestamp,
    pub reason: String,
}

/// That a case is to be erased, and once a second person said so, that it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposal {
    pub ground: Ground,
    /// The state in which it was proposed.
    pub was: State,
    pub by: String,
    pub at: Timestamp,
    /// Empty once it is erased.
    pub reason: String,
    pub approved: Option<Approved>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    pub by: String,
    pub at: Timestamp,
}

/// Why something is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// Nothing asks any more to keep it.
    Expired,
    /// A person whom it is about wants it erased: GDPR art. 17, PIPL art. 47.
    SubjectRequest,
    /// It should never have come in, and was never booked.
    MistakenUpload,
}

impl Ground {
    pub const ALL: [Ground; 3] = [Ground::Expired, Ground::SubjectRequest, Ground::MistakenUpload];

    pub fn name(self) -> &'static str {
        match self {
            Ground::Expired => "expired",
            Ground::SubjectRequest => "subject_request",
            Ground::MistakenUpload => "mistaken_upload",
        }
    }

    pub fn named(text: &str) -> Option<Ground> {
        Ground::ALL.into_iter().find(|ground| ground.name() == text)
    }
}

/// Another case that has bytes in common with this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kin {
    /// A mail that this document came with, or came with again.
    Mail { state: State },
    /// What came with this mail.
    Part { state: State, held: bool },
}

/// Every case that has bytes in common with this one. The store looks them up in the transaction of the event; one that is left
/// out stands in the way.
pub type Family = BTreeMap<CaseId, Kin>;

/// Where a case stands on a day. Row and source are in [`Case::keep`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is not at its end, or was at it before there were clocks.
    Unclocked,
    Permanent,
    /// Until somebody says when the contract or its use ended.
    Waiting,
    Kept,
    Due,
    Overdue,
    /// Proposed; a second person must say so.
    Proposed,
    Held,
    Erased,
}

pub const MATTER_CHARS_MAX: usize = 200;
pub const HOLDS_MAX: usize = 100;

impl Case {
    /// Where it stands on this day. A hold or an open proposal is told before the clocks.
    pub fn standing(&self, today: Date) -> Standing {
        match &self.keep {
            _ if self.state == State::Erased => Standing::Erased,
            _ if !self.holds.is_empty() => Standing::Held,
            _ if self.disposal.is_some() => Standing::Proposed,
            None => Standing::Unclocked,
            Some(keep) => match keep.clocks {
                None if keep.rule.permanent() => Standing::Permanent,
                None => Standing::Waiting,
                Some(clocks) if clocks.delete_by < today => Standing::Overdue,
                Some(clocks) if clocks.keep_until < today => Standing::Due,
                Some(_) => Standing::Kept,
            },
        }
    }

    /// What stays of an erased case: its id and state, when it came and how large it was, what it was, and what was decided
    /// about it when and by which pseudonym. No name, value, text, reason, digest of the bytes, or reference to a booking.
    pub fn erased(&self) -> Case {
        let document = Document {
            digest: Digest([0; 32]),
            size_bytes: self.document.size_bytes,
            file_name: String::new(),
            channel: self.document.channel.clone(),
            received_at: self.document.received_at,
        };
        let extraction = self.extraction.as_ref().map(|read| Extraction {
            coverage: Coverage { hidden_text: 0, ..read.coverage },
            ..Extraction::blank(read.kind, read.format)
        });
        let mut checkpoints = self.checkpoints.clone();
        checkpoints.iter_mut().flat_map(|it| &mut it.approvals).for_each(|approval| approval.reason.clear());
        Case {
            id: self.id,
            state: State::Erased,
            revision: self.revision,
            document,
            original: self.original,
            touched_by: Default::default(),
            corrected: self.corrected,
            vendor_read: Vec::new(),
            extraction,
            pictures: Vec::new(),
            findings: self.findings.iter().map(|finding| Finding::new(finding.code, "", "")).collect(),
            matched: Vec::new(),
            passed: Vec::new(),
            bill: self.bill.as_ref().map(Bill::claims_alone).filter(|left| !left.claims.is_empty()),
            informed_by: BTreeSet::new(),
            due_date: None,
            place: self.place,
            judged_first: self.judged_first,
            checkpoints,
            policy: self.policy,
            sample_percent: None,
            quarantine: None,
            unanswered: self.unanswered,
            booked_as: None,
            mail: self.mail,
            parts: self.parts.clone(),
            unbooked: None,
            keep: self.keep.clone(),
            holds: BTreeMap::new(),
            disposal: self.disposal.clone().map(|disposal| Disposal { reason: String::new(), ..disposal }),
        }
    }

    fn never_booked(&self) -> bool {
        matches!(self.state, State::Rejected | State::Quarantined)
    }

    /// A mail that was kept because documents came with it, none of which was ever booked.
    fn nothing_of_it_booked(&self, family: &Family) -> bool {
        let unbooked = |part: &CaseId| {
            matches!(family.get(part), Some(Kin::Part { state: State::Rejected | State::Quarantined, .. }))
        };
        self.state == State::Archived && !self.parts.is_empty() && self.parts.iter().all(unbooked)
    }
}

pub(crate) fn hold(case: &mut Case, matter: &str, said: &Statement) -> Result<(), Refusal> {
    permit(&said.by, Deed::Hold)?;
    reasoned(&said.reason)?;
    let chars = matter.chars().count();
    if matter.trim().is_empty() || MATTER_CHARS_MAX < chars || matter.chars().any(char::is_control) {
        return Err(Refusal::Matter { chars, max: MATTER_CHARS_MAX });
    }
    if case.holds.contains_key(matter) {
        return Err(Refusal::HeldAlready);
    }
    if HOLDS_MAX <= case.holds.len() {
        return Err(Refusal::HoldsFull { max: HOLDS_MAX });
    }
    let hold = Hold { by: said.by.id.clone(), at: said.at, reason: said.reason.clone() };
    case.holds.insert(matter.to_owned(), hold);
    case.disposal = None;
    Ok(())
}

pub(crate) fn release(case: &mut Case, matter: &str, said: &Statement) -> Result<(), Refusal> {
    permit(&said.by, Deed::ReleaseHold)?;
    reasoned(&said.reason)?;
    case.holds.remove(matter).map(drop).ok_or(Refusal::NotHeld)
}

/// That a contract, or the use of what is kept while it is in use, ended on this day; or has not ended yet.
pub(crate) fn ended(case: &mut Case, on: Option<Date>, said: &Statement) -> Result<(), Refusal> {
    permit(&said.by, Deed::ProposeDisposal)?;
    reasoned(&said.reason)?;
    let keep = case.keep.as_mut().ok_or(Refusal::NoClock)?;
    if !keep.rule.told() {
        return Err(Refusal::CountsItself { row: keep.rule.row.clone() });
    }
    keep.clocks = on.and_then(|on| keep.rule.clocks(on));
    // It was proposed by other clocks.
    case.disposal = None;
    Ok(())
}

pub(crate) fn propose(
    case: &mut Case,
    ground: Ground,
    seen: Digest,
    said: &Statement,
    family: &Family,
) -> Result<(), Refusal> {
    allowed(case, Deed::ProposeDisposal, seen, said)?;
    if case.disposal.is_some() {
        return Err(Refusal::ProposedAlready);
    }
    may_go(case, ground, said.at.date(), family)?;
    let by = said.by.id.clone();
    case.disposal =
        Some(Disposal { ground, was: case.state, by, at: said.at, reason: said.reason.clone(), approved: None });
    Ok(())
}

pub(crate) fn withdraw(case: &mut Case, seen: Digest, said: &Statement) -> Result<(), Refusal> {
    allowed(case, Deed::ProposeDisposal, seen, said)?;
    case.disposal.take().map(drop).ok_or(Refusal::NothingProposed)
}

/// INVARIANT (nobody erases alone): the second person proposed nothing here and did not touch the case, and everything that
/// allowed the proposal still does.
pub(crate) fn approve(case: &mut Case, seen: Digest, said: &Statement, family: &Family) -> Result<(), Refusal> {
    const LEVEL: u8 = 2;
    allowed(case, Deed::ApproveDisposal, seen, said)?;
    let disposal = case.disposal.clone().ok_or(Refusal::NothingProposed)?;
    if said.by.level < LEVEL {
        return Err(Denied { needs: format!("legal of level {LEVEL}") }.into());
    }
    if disposal.by == said.by.id {
        return Err(Refusal::ProposedIt);
    }
    if case.touched_by.contains(&said.by.id) {
        return Err(Refusal::Touched);
    }
    may_go(case, disposal.ground, said.at.date(), family)?;
    let approved = Some(Approved { by: said.by.id.clone(), at: said.at });
    case.disposal = Some(Disposal { approved, ..disposal });
    *case = case.erased();
    Ok(())
}

fn allowed(case: &Case, deed: Deed, seen: Digest, said: &Statement) -> Result<(), Refusal> {
    permit(&said.by, deed)?;
    reasoned(&said.reason)?;
    if seen != case.content() { Err(Refusal::Stale) } else { Ok(()) }
}

/// Does nothing ask to keep it: neither a clock, nor what a mail holds of it, nor a hold on what came with it?
fn may_go(case: &Case, ground: Ground, today: Date, family: &Family) -> Result<(), Refusal> {
    for mail in case.mail.iter().chain(family.keys()) {
        match family.get(mail) {
            Some(Kin::Part { .. } | Kin::Mail { state: State::Erased }) => {}
            Some(Kin::Mail { .. }) | None => return Err(Refusal::InMail { mail: *mail }),
        }
    }
    for part in case.parts.iter().chain(family.keys()) {
        match family.get(part) {
            Some(Kin::Mail { .. } | Kin::Part { held: false, .. }) => {}
            Some(Kin::Part { .. }) | None => return Err(Refusal::PartHeld { part: *part }),
        }
    }
    if ground == Ground::MistakenUpload && (case.never_booked() || case.nothing_of_it_booked(family)) {
        return Ok(());
    }
    let Some(keep) = &case.keep else { return Err(Refusal::NoClock) };
    let rule = &keep.rule;
    // No law asks for it, so that none stands against the person's right.
    if ground == Ground::SubjectRequest && case.never_booked() && rule.sure == Sure::Choice {
        return Ok(());
    }
    let (row, law) = (rule.row.clone(), rule.source.clone());
    match keep.clocks {
        Some(clocks) if clocks.keep_until < today => Ok(()),
        Some(clocks) if ground == Ground::SubjectRequest => {
            Err(Refusal::KeptByLaw { keep_until: clocks.keep_until, row, law })
        }
        Some(clocks) => Err(Refusal::Kept { clocks, row, law }),
        None if rule.permanent() => Err(Refusal::KeptForEver { row, law }),
        None => Err(Refusal::NotEnded { row, law }),
    }
}

#[cfg(test)]
mod tests;

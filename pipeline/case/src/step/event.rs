//! What can happen to a case, and what it is called.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Picture;
use crate::checkpoint::Checkpoint;
use crate::decision::{Decision, Verdict};
use crate::disposal::{Family, Ground, Statement};
use crate::retention::Keep;
use crate::{CaseId, Digest, Extraction, Finding, Judgement};

/// Something that has happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    Extracted {
        extraction: Box<Extraction>,
        pictures: Vec<Picture>,
    },
    Unreadable {
        why: String,
        keep: Keep,
    },
    /// A mail whose every attachment is a case of its own; of what it was, nothing is left to decide.
    TakenApart {
        extraction: Box<Extraction>,
        cases: Vec<CaseId>,
        keep: Keep,
    },
    Validated {
        findings: Vec<Finding>,
        policy: Digest,
    },
    Reconciled(Box<Judgement>),
    /// The verdict on a case in review, made again because facts that it rests on have changed.
    Rejudged(Box<Judgement>),
    /// Something came to light about what is booked already.
    Reopened {
        finding: Box<Finding>,
        checkpoints: Vec<Checkpoint>,
    },
    Decided(Decision),
    /// `checkpoints` is where the policy routes a refusal.
    Answered {
        answer: Answer,
        checkpoints: Vec<Checkpoint>,
    },
    Archived {
        keep: Keep,
    },
    /// In whatever state: nothing of it is erased until each matter is released. Its way goes on.
    Held {
        matter: String,
        said: Statement,
    },
    HoldReleased {
        matter: String,
        said: Statement,
    },
    /// The contract, or the use of what is kept while it is in use, ended on this day, or not yet: its clocks run from there.
    Ended {
        on: Option<Date>,
        said: Statement,
    },
    /// `seen` is [`Case::content`] of what the person looked at, here and below.
    DisposalProposed {
        ground: Ground,
        seen: Digest,
        said: Statement,
        family: Family,
    },
    DisposalApproved {
        seen: Digest,
        said: Statement,
        family: Family,
    },
    DisposalWithdrawn {
        seen: Digest,
        said: Statement,
    },
}

/// What the ledger answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    Booked {
        reference: String,
    },
    Refused {
        why: String,
    },
    /// No answer came. The ledger may or may not have booked it.
    Unknown,
    /// Asked by its key, the ledger says that it has no such booking.
    Absent,
}

impl Event {
    pub fn name(&self) -> &'static str {
        match self {
            Event::Extracted { .. } => "Extracted",
            Event::Unreadable { .. } => "Unreadable",
            Event::TakenApart { .. } => "TakenApart",
            Event::Validated { .. } => "Validated",
            Event::Reconciled(_) => "Reconciled",
            Event::Rejudged(_) => "Rejudged",
            Event::Reopened { .. } => "Reopened",
            Event::Decided(decision) => match decision.verdict {
                Verdict::Approve => "Decided Approve",
                Verdict::Reject => "Decided Reject",
                Verdict::Correct(_) => "Decided Correct",
                Verdict::Release => "Decided Release",
            },
            Event::Answered { answer, .. } => match answer {
                Answer::Booked { .. } => "Answered Booked",
                Answer::Refused { .. } => "Answered Refused",
                Answer::Unknown => "Answered Unknown",
                Answer::Absent => "Answered Absent",
            },
            Event::Archived { .. } => "Archived",
            Event::Held { .. } => "Held",
            Event::HoldReleased { .. } => "HoldReleased",
            Event::Ended { .. } => "Ended",
            Event::DisposalProposed { .. } => "DisposalProposed",
            Event::DisposalApproved { .. } => "DisposalApproved",
            Event::DisposalWithdrawn { .. } => "DisposalWithdrawn",
        }
    }

    /// What it would do to a case: a case *cannot be …*.
    pub(super) fn deed(&self) -> &'static str {
        match self {
            Event::Extracted { .. } => "be read",
            Event::Unreadable { .. } => "be quarantined",
            Event::TakenApart { .. } => "be taken apart",
            Event::Validated { .. } => "be checked",
            Event::Reconciled(_) => "be matched",
            Event::Rejudged(_) => "be judged again",
            Event::Reopened { .. } => "be reopened",
            Event::Decided(decision) => match decision.verdict {
                Verdict::Approve => "be approved",
                Verdict::Reject => "be rejected",
                Verdict::Correct(_) => "be corrected",
                Verdict::Release => "be released from quarantine",
            },
            Event::Answered { .. } => "be booked",
            Event::Archived { .. } => "be archived",
            Event::Held { .. } => "be put under legal hold",
            Event::HoldReleased { .. } => "be released from a legal hold",
            Event::Ended { .. } => "be given a day on which it ended",
            Event::DisposalProposed { .. } => "be proposed to be erased",
            Event::DisposalApproved { .. } => "be erased",
            Event::DisposalWithdrawn { .. } => "have a proposal to erase it taken back",
        }
    }

    /// Does it belong to the way on which a case is erased?
    pub(super) fn disposes(&self) -> bool {
        matches!(
            self,
            Event::DisposalProposed { .. } | Event::DisposalApproved { .. } | Event::DisposalWithdrawn { .. }
        )
    }

    /// Cases of which it may have come to light what they are to be looked at again for.
    pub fn beside(&self) -> BTreeSet<CaseId> {
        match self {
            Event::Reconciled(judgement) | Event::Rejudged(judgement) => judgement.beside.clone(),
            _ => BTreeSet::new(),
        }
    }

    /// Does the case stay where it is, and with it what a machine is doing there?
    pub fn aside(&self) -> bool {
        matches!(self, Event::Held { .. } | Event::HoldReleased { .. })
    }
}

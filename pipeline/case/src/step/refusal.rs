//! Why a case does not do what it is asked to.

use jiff::civil::Date;
use thiserror::Error;

use super::State;
use crate::retention::Clocks;
use crate::{CaseId, Code, Denied};

/// The caller asked for something the rules do not allow. Not an error of the world, and not a finding about the document.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    #[error("a case that is {} cannot {deed}", state.said())]
    NotNow { state: State, deed: &'static str },
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("whoever submitted or corrected a case may not approve it")]
    Touched,
    #[error("whoever brought in the orders, receipts, accounts or contracts that a case rests on may not approve it")]
    Informed,
    #[error(
        "something it rests on has changed, and it is judged again first: see that `countersign run` runs, then look again"
    )]
    Outdated,
    #[error("it is booked already: reverse it in the ledger, and approve here what you found")]
    Booked,
    #[error("no open checkpoint of this case is yours to approve: {why}")]
    NothingToApprove { why: String },
    #[error("the finding {} cannot be approved: correct the document or reject it", code.name())]
    Stopped { code: Code },
    #[error("the case changed since you looked at it; look again and decide again")]
    Stale,
    #[error("a reason is needed: say why")]
    ReasonMissing,
    #[error("the reason has {chars} characters, more than the {max} allowed")]
    ReasonTooLong { chars: usize, max: usize },
    #[error("`{field}` is not a field that can be corrected")]
    NoSuchField { field: String },
    #[error("a correction changes at least one field")]
    NothingCorrected,
    #[error("{n} legal hold(s) keep this case: nothing of it is erased until legal releases each of them")]
    Held { n: usize },
    #[error("a matter has 1 to {max} characters on one line, this one has {chars}")]
    Matter { chars: usize, max: usize },
    #[error("the case is held for this matter already")]
    HeldAlready,
    #[error("the case has {max} holds, as many as one may have; release one, or hold it under one of those matters")]
    HoldsFull { max: usize },
    #[error("the case is not held for this matter")]
    NotHeld,
    #[error("nobody proposed to erase this case")]
    NothingProposed,
    #[error("it is proposed already; approve or withdraw that")]
    ProposedAlready,
    #[error("whoever proposed to erase a case may not approve it; a second person must")]
    ProposedIt,
    #[error("{clocks}, by row `{row}`: {law}; it may be proposed from the day after the first of these")]
    Kept { clocks: Clocks, row: String, law: String },
    #[error(
        "it must be kept until {keep_until}, by row `{row}`: {law}; where that is a duty, a request to erase gives way to it (GDPR art. 17 (3) b, PIPL art. 47)"
    )]
    KeptByLaw { keep_until: Date, row: String, law: String },
    #[error("it is kept for ever, by row `{row}`: {law}")]
    KeptForEver { row: String, law: String },
    #[error("its time has not begun, by row `{row}`: {law}; say first when the contract, or its use, ended")]
    NotEnded { row: String, law: String },
    #[error("it has no clock: it came to its end before there were clocks, or is not at its end")]
    NoClock,
    #[error("row `{row}` counts from a day that is known; nobody has to say it")]
    CountsItself { row: String },
    #[error("mail {mail} still holds a copy of it; erase the mail first")]
    InMail { mail: CaseId },
    #[error("{part} came with this mail, and is or may be under legal hold")]
    PartHeld { part: CaseId },
}

impl Refusal {
    /// Is it about who asks, or about what is held, so that the attempt is entered in the log?
    pub fn about_authority(&self) -> bool {
        matches!(
            self,
            Refusal::Denied(_)
                | Refusal::Touched
                | Refusal::Informed
                | Refusal::NothingToApprove { .. }
                | Refusal::ProposedIt
                | Refusal::Held { .. }
                | Refusal::PartHeld { .. }
        )
    }
}

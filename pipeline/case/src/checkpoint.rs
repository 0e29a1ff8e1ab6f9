use serde::{Deserialize, Serialize};

use crate::{Actor, Code, Role, Timestamp};

/// A place where people must decide before the case may go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The policy's name for it.
    pub id: String,
    pub title: String,
    pub route: Role,
    /// The responsibility a person must have: 1 or 2.
    pub level: u8,
    /// How many different people must approve.
    pub needs: u8,
    /// The findings it is about; empty when the policy holds every document of the kind or size.
    pub codes: Vec<Code>,
    /// INVARIANT (a timeout never approves): past this time the case is overdue, and still held.
    pub due_at: Timestamp,
    pub approvals: Vec<Approval>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    pub by: String,
    pub at: Timestamp,
    pub reason: String,
}

impl Checkpoint {
    pub fn settled(&self) -> bool {
        usize::from(self.needs) <= self.approvals.len()
    }

    /// Could this person approve here, by role and level? Separation of duties is looked at elsewhere.
    pub fn open_to(&self, actor: &Actor) -> bool {
        !self.settled()
            && self.level <= actor.level
            && crate::permit(actor, crate::Deed::Approve(self.route)).is_ok()
            && self.approvals.iter().all(|approval| approval.by != actor.id)
    }
}

//! Who may do what: the one place. Web, API and command line ask here, through the store.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Whoever acts. The id is a random pseudonym, never a name: it goes into the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    pub id: String,
    pub kind: ActorKind,
    pub roles: Vec<Role>,
    /// The amount of responsibility: 1 or 2. A checkpoint of level 2 needs a person of level 2.
    pub level: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorKind {
    /// The program itself, acting on a document.
    System,
    /// Another program with credentials of its own.
    Service,
    User,
}

impl Actor {
    /// The program itself: it moves cases along and decides nothing that a policy leaves to people.
    pub fn system(id: &str) -> Actor {
        Actor { id: id.to_owned(), kind: ActorKind::System, roles: Vec::new(), level: 0 }
    }

    pub fn holds(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Operator,
    Reviewer,
    Legal,
    Auditor,
    Admin,
}

impl Role {
    pub const ALL: [Role; 5] = [Role::Operator, Role::Reviewer, Role::Legal, Role::Auditor, Role::Admin];

    pub fn name(self) -> &'static str {
        match self {
            Role::Operator => "operator",
            Role::Reviewer => "reviewer",
            Role::Legal => "legal",
            Role::Auditor => "auditor",
            Role::Admin => "admin",
        }
    }

    pub fn named(text: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == text)
    }
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Hand in a document by the API or the pages.
    Submit,
    /// See the queue and a case with its values, pages and history.
    ViewCase,
    /// Take the original bytes out of the vault.
    Download,
    /// Approve a checkpoint that the policy routes to this role.
    Approve(Role),
    /// Reject a case, or correct what was read from it.
    Decide,
    /// Let a quarantined document be read again, or reject it.
    Release,
    /// Put a case under legal hold.
    Hold,
    /// Let go of a legal hold.
    ReleaseHold,
    /// Propose to erase a case that is at its end, take such a proposal back, say when a contract ended.
    ProposeDisposal,
    /// Be the second person, by whose word it is erased.
    ApproveDisposal,
    /// Find everything that is kept about a person, and hand it out to them.
    AnswerSubject,
    /// Bring in vendors, orders, receipts and other facts.
    Import,
    /// Bring in an account of a vendor, close one, or keep what the bank said of it.
    ProposePayee,
    /// Be the second person, by whose word an account may be paid to.
    ConfirmPayee,
    /// See and export the audit log, prove what is in it, draw samples from it.
    ReadLog,
    /// Learn what the log's commitments stand for: reasons, digests, names and addresses.
    OpenLog,
    /// Create accounts and change their roles.
    ManageAccounts,
    /// Try a policy on what was judged before.
    TryPolicy,
    /// Propose a policy that lets more through than the one in force.
    LoadPolicy,
    /// Be the second person, by whose word it comes into force.
    ApprovePolicy,
    /// Sign the log with another key, or begin another log.
    ManageLog,
    /// Make a new vault key, take an old one away, make shares of the escrow key.
    ManageKeys,
    /// Take a backup of everything.
    Backup,
}

/// The days whose arrivals an auditor may open: the period of the engagement, both days in it, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    pub from: Date,
    pub to: Date,
}

impl Scope {
    pub fn holds(&self, day: Date) -> bool {
        (self.from..=self.to).contains(&day)
    }
}

#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("this needs the role {needs}")]
pub struct Denied {
    /// The roles that would do, in words.
    pub needs: String,
}

/// The table of permissions, one row a deed.
pub fn permitted(deed: Deed) -> &'static [Role] {
    use Role::{Admin, Auditor, Legal, Operator, Reviewer};
    match deed {
        Deed::Submit => &[Operator, Reviewer, Legal],
        Deed::ViewCase => &[Operator, Reviewer, Legal, Auditor],
        Deed::Download => &[Reviewer, Legal, Auditor],
        Deed::Approve(Reviewer) => &[Reviewer],
        Deed::Approve(Legal) => &[Legal],
        // A policy that routes to another role is refused when it is loaded; nobody can approve there.
        Deed::Approve(Operator | Auditor | Admin) => &[],
        Deed::Decide => &[Reviewer, Legal],
        Deed::Release => &[Operator, Reviewer, Legal],
        // Placing a hold keeps things, and whoever learns of a dispute first must not have to wait; whether it is over is a
        // lawyer's question.
        Deed::Hold => &[Legal, Admin],
        Deed::ReleaseHold => &[Legal],
        // Clearing out what is due is the work of whoever knows the documents or keeps the records, and erases nothing. That
        // no law and no dispute wants it any more is a lawyer's word, and cannot be taken back: level 2.
        Deed::ProposeDisposal => &[Reviewer, Legal, Admin],
        Deed::ApproveDisposal | Deed::AnswerSubject => &[Legal],
        Deed::Import => &[Operator, Admin],
        // Whoever keeps the files may not loosen them alone; the limits are those of the people who decide by them.
        Deed::ApprovePolicy => &[Reviewer, Legal],
        Deed::TryPolicy => &[Reviewer, Legal, Auditor, Admin],
        // Whoever handles invoices knows of the change first; whoever keeps the master data may bring it in, and not confirm it.
        Deed::ProposePayee => &[Operator, Reviewer, Admin],
        Deed::ConfirmPayee => &[Reviewer],
        Deed::ReadLog => &[Auditor, Admin],
        Deed::OpenLog => &[Auditor],
        Deed::ManageAccounts | Deed::LoadPolicy | Deed::ManageLog | Deed::ManageKeys | Deed::Backup => &[Admin],
    }
}

/// May `actor` do `deed`? The program itself may do what its events say and is not asked here. A program with an
/// account may hold any role and still approves nothing, and nothing is erased or let go by its word: there people decide.
pub fn permit(actor: &Actor, deed: Deed) -> Result<(), Denied> {
    let by_people = matches!(
        deed,
        Deed::Approve(_)
            | Deed::ConfirmPayee
            | Deed::ApprovePolicy
            | Deed::ReleaseHold
            | Deed::ProposeDisposal
            | Deed::ApproveDisposal
            | Deed::AnswerSubject
    );
    if by_people && actor.kind != ActorKind::User {
        return Err(Denied { needs: "of a person, not of a program".to_owned() });
    }
    let roles = permitted(deed);
    if roles.iter().any(|role| actor.holds(*role)) {
        return Ok(());
    }
    let needs = roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(" or ");
    Err(Denied { needs: if needs.is_empty() { "of nobody".to_owned() } else { needs } })
}

/// The scope of an auditor, where it limits this deed of theirs: whoever may do it in another role is not limited.
pub fn limited(actor: &Actor, deed: Deed, scope: Option<Scope>) -> Option<Scope> {
    let otherwise = permitted(deed).iter().any(|role| *role != Role::Auditor && actor.holds(*role));
    scope.filter(|_| !otherwise)
}

/// As [`permit`], for a case that arrived on this day: whoever may do it as an auditor alone may do it within their scope.
pub fn permit_case(actor: &Actor, deed: Deed, scope: Option<Scope>, arrived: Date) -> Result<(), Denied> {
    permit(actor, deed)?;
    match limited(actor, deed, scope) {
        Some(scope) if !scope.holds(arrived) => {
            let others = permitted(deed).iter().filter(|role| **role != Role::Auditor).map(|role| role.name());
            let others = others.chain(["auditor with another scope"]).collect::<Vec<_>>().join(" or ");
            let Scope { from, to } = scope;
            Err(Denied {
                needs: format!("{others}: this auditor's scope is {from} to {to}, the case came on {arrived}"),
            })
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests;

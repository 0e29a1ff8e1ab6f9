//! A policy that lets more through than the one in force: one person proposes it, another one puts it in force.

use thiserror::Error;

use crate::{Actor, Deed, Denied, permit};

/// The responsibility that the second person must have.
const LEVEL: u8 = 2;

/// Who stands for a policy, by pseudonym.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    pub proposed_by: Option<String>,
    pub approved_by: Option<String>,
}

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ProposalRefusal {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("this needs the role reviewer or legal of level {level}")]
    Level { level: u8 },
    #[error(
        "nobody proposed this policy since the one in force came into force: let one person do so first, with `countersign policy propose`"
    )]
    NotProposed,
    #[error("whoever proposed a policy may not approve it; another person must")]
    Maker,
    #[error("the policy is approved already")]
    Approved,
    #[error("another policy came into force since it was looked at; look again")]
    Stale,
}

impl Proposal {
    /// May this person be the second one?
    pub fn may_approve(&self, by: &Actor) -> Result<(), ProposalRefusal> {
        permit(by, Deed::ApprovePolicy)?;
        let Some(maker) = &self.proposed_by else { return Err(ProposalRefusal::NotProposed) };
        if by.level < LEVEL {
            return Err(ProposalRefusal::Level { level: LEVEL });
        }
        // INVARIANT (two people loosen): the second is another person than the first.
        if *maker == by.id {
            return Err(ProposalRefusal::Maker);
        }
        if self.approved_by.is_some() { Err(ProposalRefusal::Approved) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ActorKind, Role};

    #[test]
    fn a_proposed_policy_is_approved_once_by_another_person_of_level_2() {
        let person = |id: &str, role, level| Actor { id: id.into(), kind: ActorKind::User, roles: vec![role], level };
        let proposal = Proposal { proposed_by: Some("maker".into()), approved_by: None };
        for (by, expected) in [
            (person("rita", Role::Reviewer, 2), Ok(())),
            (person("lena", Role::Legal, 2), Ok(())),
            (person("rita", Role::Reviewer, 1), Err(ProposalRefusal::Level { level: 2 })),
            (person("maker", Role::Reviewer, 2), Err(ProposalRefusal::Maker)),
        ] {
            assert_eq!(proposal.may_approve(&by), expected, "{by:?}");
        }
        let second = person("rita", Role::Reviewer, 2);
        assert!(matches!(proposal.may_approve(&person("olga", Role::Operator, 2)), Err(ProposalRefusal::Denied(_))));
        assert_eq!(Proposal::default().may_approve(&second), Err(ProposalRefusal::NotProposed));
        let approved = Proposal { approved_by: Some("lena".into()), ..proposal };
        assert_eq!(approved.may_approve(&second), Err(ProposalRefusal::Approved));
    }
}

#![allow(clippy::unwrap_used)]
use super::*;

const DEEDS: [Deed; 27] = [
    Deed::Submit,
    Deed::ViewCase,
    Deed::Download,
    Deed::Approve(Role::Operator),
    Deed::Approve(Role::Reviewer),
    Deed::Approve(Role::Legal),
    Deed::Approve(Role::Auditor),
    Deed::Approve(Role::Admin),
    Deed::Decide,
    Deed::Release,
    Deed::Hold,
    Deed::ReleaseHold,
    Deed::ProposeDisposal,
    Deed::ApproveDisposal,
    Deed::AnswerSubject,
    Deed::Import,
    Deed::ProposePayee,
    Deed::ConfirmPayee,
    Deed::ReadLog,
    Deed::OpenLog,
    Deed::ManageAccounts,
    Deed::TryPolicy,
    Deed::LoadPolicy,
    Deed::ApprovePolicy,
    Deed::ManageLog,
    Deed::ManageKeys,
    Deed::Backup,
];

/// A deed that is added and not listed here does not compile.
fn in_words(deed: Deed) -> String {
    match deed {
        Deed::Submit => "hand in a document".into(),
        Deed::ViewCase => "see the queue and the cases".into(),
        Deed::Download => "take out an original".into(),
        Deed::Approve(role) => format!("approve what is routed to {}", role.name()),
        Deed::Decide => "correct or reject a case".into(),
        Deed::Release => "release or reject a quarantined document".into(),
        Deed::Hold => "put a case under legal hold".into(),
        Deed::ReleaseHold => "release a legal hold".into(),
        Deed::ProposeDisposal => "propose to erase what is due".into(),
        Deed::ApproveDisposal => "approve that it is erased (level 2)".into(),
        Deed::AnswerSubject => "hand out what is kept about a person".into(),
        Deed::Import => "import vendors, orders and receipts".into(),
        Deed::ProposePayee => "bring in a vendor's account".into(),
        Deed::ConfirmPayee => "confirm a vendor's account".into(),
        Deed::ReadLog => "read and export the audit log".into(),
        Deed::OpenLog => "open the audit log's commitments".into(),
        Deed::ManageAccounts => "create accounts and change roles".into(),
        Deed::TryPolicy => "try a policy on past cases".into(),
        Deed::LoadPolicy => "propose a policy that lets more through".into(),
        Deed::ApprovePolicy => "approve such a policy (level 2)".into(),
        Deed::ManageLog => "sign the log with another key".into(),
        Deed::ManageKeys => "change the vault keys".into(),
        Deed::Backup => "take a backup of everything".into(),
    }
}

fn actor(kind: ActorKind, roles: &[Role]) -> Actor {
    Actor { id: "usr_1".into(), kind, roles: roles.to_vec(), level: 2 }
}

#[test]
fn who_may_do_what_is_the_table_that_was_signed() {
    let mut table = String::from(
        "# Who may do what. A person with several roles may do what any of them may. Programs with an account\n\
         # approve nothing, release no hold and have nothing erased, whatever their roles. Nobody approves a case that they\n\
         # submitted or corrected, or that rests on facts which they brought in, nor that it is erased; nor does whoever\n\
         # proposed that. Nobody confirms an account that they brought in, or approves a policy that they proposed.\n\n",
    );
    let row = |title: &str, cells: [&str; 5]| {
        let cells = cells.map(|cell| format!("{cell:<10}")).concat();
        format!("{title:<44}{}\n", cells.trim_end())
    };
    table += &row("", Role::ALL.map(Role::name));
    for deed in DEEDS {
        let may = |role| permit(&actor(ActorKind::User, &[role]), deed).is_ok();
        table += &row(&in_words(deed), Role::ALL.map(|role| if may(role) { "yes" } else { "-" }));
    }
    crate::golden("../../tests/authority.txt", &table);
}

#[test]
fn a_program_approves_nothing_whatever_roles_it_holds() {
    for kind in [ActorKind::System, ActorKind::Service] {
        for role in Role::ALL {
            assert!(permit(&actor(kind, &Role::ALL), Deed::Approve(role)).is_err());
        }
        for deed in [Deed::ReleaseHold, Deed::ProposeDisposal, Deed::ApproveDisposal] {
            assert!(permit(&actor(kind, &Role::ALL), deed).is_err());
        }
    }
    assert_eq!(permit(&actor(ActorKind::Service, &[Role::Operator]), Deed::Submit), Ok(()));
}

#[test]
fn a_denial_names_the_roles_that_would_do() {
    let denied = permit(&actor(ActorKind::User, &[Role::Admin]), Deed::Download).unwrap_err();
    assert_eq!(denied.to_string(), "this needs the role reviewer or legal or auditor");
}

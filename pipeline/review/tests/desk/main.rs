//! What people see and may do at the desk, asked over HTTP as a browser asks.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod browser;
mod decisions;
#[path = "../fixture/mod.rs"]
mod fixture;
mod guards;
mod machines;
mod pages;
mod second_person;
mod signing_in;

use browser::{Answer, Browser};
use case::{Actor, CaseId, Code, Comparison, Pair, Place, Role, State, Test};
use fixture::{Doc, PASSWORD, Workspace, checkpoint, contract, electronic_invoice, paper_invoice};
use store::{Quorum, Store};

struct Office {
    workspace: Workspace,
    browser: Browser,
    store: Store,
}

impl Office {
    /// One person of each role, and a reviewer of either level.
    async fn open() -> Office {
        Office::opened(None).await
    }

    async fn opened(base_url: Option<&str>) -> Office {
        Office::watched(base_url, Quorum::default()).await
    }

    async fn watched(base_url: Option<&str>, quorum: Quorum) -> Office {
        let workspace = Workspace::new().await;
        for (name, role, level) in [
            ("operator", Role::Operator, 1),
            ("reviewer", Role::Reviewer, 1),
            ("senior", Role::Reviewer, 2),
            ("legal", Role::Legal, 2),
            ("auditor", Role::Auditor, 1),
            ("admin", Role::Admin, 1),
        ] {
            workspace.person(name, &[role], level).await;
        }
        let store = workspace.store.clone();
        let base_url = base_url.map(|url| url.parse().unwrap());
        let desk = review::Desk { store: store.clone(), title: "Desk".to_owned(), base_url, quorum };
        Office { browser: Browser::open(desk).await, workspace, store }
    }

    /// An invoice that only a price holds: one reviewer of level 1 decides.
    async fn dear_invoice(&self, number: &str, by: &Actor) -> CaseId {
        self.workspace.held(self.dear(number), by).await
    }

    fn dear(&self, number: &str) -> Doc {
        let mut invoice = paper_invoice(number, "Kübler GmbH", self.workspace.now.plus_hours(20));
        invoice.findings.retain(|finding| finding.code == Code::Price);
        invoice.checkpoints.retain(|it| it.codes == [Code::Price]);
        invoice
    }

    async fn state(&self, id: CaseId) -> State {
        self.store.case(id).await.unwrap().state
    }
}

fn system() -> Actor {
    Actor::system("test")
}

/// Decides from the page as it was shown.
async fn decide(browser: &Browser, page: &Answer, id: CaseId, verdict: &str, more: &[(&str, &str)]) -> Answer {
    let (revision, seen) = (page.hidden("revision"), page.hidden("seen"));
    let mut form = vec![
        ("revision", revision.as_str()),
        ("seen", seen.as_str()),
        ("verdict", verdict),
        ("reason", "agreed by phone"),
    ];
    form.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    form.extend(more);
    browser.post(&format!("/cases/{id}/decide"), &form).await
}

/// The hidden fields of a case, for somebody to whom the page offers no form.
async fn forged(office: &Office, browser: &Browser, id: CaseId, verdict: &str) -> Answer {
    let case = office.store.case(id).await.unwrap();
    let (revision, seen) = (case.revision.to_string(), case.content().to_string());
    let form = [("revision", revision.as_str()), ("seen", &seen), ("verdict", verdict), ("reason", "let it pass")];
    browser.post(&format!("/cases/{id}/decide"), &form).await
}

//! Holds and proposals to erase, as the store keeps and enters them, on both databases.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::support;

use case::{Action, Actor, CaseId, Decision, Event, Family, Ground, Kind, Refusal, Role, State, Statement, Verdict};
use store::{ApplyError, Store};
use support::{NOW, admitted, arrival, legal, machine, on_both, person, policy, seconds_later, unreadable};

const MATTER: &str = "Smith v. Jones";

fn says(by: &Actor) -> Statement {
    Statement { by: by.clone(), reason: "as the court asked".into(), at: NOW }
}

async fn admit(store: &Store, bytes: &[u8]) -> CaseId {
    admitted(store, arrival(bytes, "a.pdf", "inbox"), NOW).await
}

async fn hold(store: &Store, id: CaseId) {
    let (lea, revision) = (legal("usr_lea"), store.case(id).await.unwrap().revision);
    let held = Event::Held { matter: MATTER.into(), said: says(&lea) };
    store.apply(id, revision, held, &lea, NOW).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_leaves_the_work_of_a_case_where_it_was() {
    on_both(async |place| {
        let store = &place.store;
        let id = admit(store, b"at work").await;
        let busy = store.lease(1, NOW).await.unwrap()[0];
        hold(store, id).await;
        store.seal_log(NOW).await.unwrap();
        // Whoever was busy has lost it, as if its lease had run out, and nobody else has it before that.
        let late = store.advance(&busy, unreadable(), &machine(), NOW).await;
        assert!(matches!(late, Err(ApplyError::Conflict { revision: 0, .. })), "{late:?}");
        assert_eq!(store.lease(1, seconds_later(119)).await.unwrap(), []);
        let again = store.lease(1, seconds_later(120)).await.unwrap()[0];
        assert_eq!((again.case, again.revision, again.action, again.attempt), (id, 1, Action::Extract, 2));
        let moved = store.advance(&again, unreadable(), &machine(), seconds_later(121)).await.unwrap().case;
        assert_eq!((moved.state, moved.holds.len()), (State::Quarantined, 1));
        assert_eq!(store.counts(NOW).await.unwrap().work, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_has_clocks_holds_and_proposals_and_names_no_matter() {
    on_both(async |place| {
        let store = &place.store;
        let id = admit(store, b"noise").await;
        store.apply(id, 0, unreadable(), &machine(), NOW).await.unwrap();
        let anna = person("usr_anna", &[Role::Reviewer], 1);
        let propose = async |revision: u64| {
            let seen = store.case(id).await.unwrap().content();
            let said = says(&anna);
            let event = Event::DisposalProposed { ground: Ground::MistakenUpload, seen, said, family: Family::new() };
            store.apply(id, revision, event, &anna, NOW).await
        };
        propose(1).await.unwrap();
        hold(store, id).await;
        let refused = propose(3).await;
        assert!(matches!(refused, Err(ApplyError::Refused(Refusal::Held { n: 1 }))), "{refused:?}");
        let lars = legal("usr_lars");
        let release = Event::HoldReleased { matter: MATTER.into(), said: says(&lars) };
        store.apply(id, 3, release, &lars, NOW).await.unwrap();
        propose(4).await.unwrap();
        store.seal_log(NOW).await.unwrap();

        let history = store.history(id).await.unwrap();
        let acts: Vec<&str> = history.iter().map(|it| it.act).collect();
        assert_eq!(
            acts,
            [
                "case.admit",
                "case.quarantine",
                "disposal.propose",
                "hold.place",
                "review.denied",
                "hold.release",
                "disposal.propose"
            ]
        );
        let said = |idx: usize, name: &str| history[idx].said.get(name).cloned();
        assert_eq!(said(1, "row").as_deref(), Some("unbooked"));
        assert_eq!(said(1, "keep_until").as_deref(), Some("2026-06-08"));
        assert_eq!(said(1, "delete_by").as_deref(), Some("2026-07-08"));
        assert_eq!(said(2, "ground").as_deref(), Some("mistaken_upload"));
        assert!(said(4, "rule").unwrap().starts_with("1 legal hold(s) keep this case"));
        assert!(!place.holds("Smith").await, "a matter stands open in the database");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_rejects_starts_a_clock_that_the_log_tells() {
    on_both(async |place| {
        let store = &place.store;
        let id = admit(store, &demo::stream(1, 3, NOW.date()).next().unwrap().1).await;
        let policy = policy();
        let extraction =
            extract::read(&store.original_bytes(&store.case(id).await.unwrap()).await.unwrap()).unwrap().extraction;
        let checkpoints = policy.route(Kind::Contract, None, &[], NOW);
        let events = [
            Event::Extracted { extraction: Box::new(extraction), pictures: Vec::new() },
            Event::Validated { findings: Vec::new(), policy: policy.digest },
            crate::support::verdict(Vec::new(), checkpoints, &policy),
        ];
        for (revision, event) in (0..).zip(events) {
            store.apply(id, revision, event, &machine(), NOW).await.unwrap();
        }
        let (case, lea) = (store.case(id).await.unwrap(), legal("usr_lea"));
        let decision = Decision {
            by: lea.clone(),
            verdict: Verdict::Reject,
            reason: "not ours".into(),
            seen: case.content(),
            at: NOW,
        };
        store.apply(id, 3, Event::Decided(decision), &lea, NOW).await.unwrap();
        store.seal_log(NOW).await.unwrap();
        let history = store.history(id).await.unwrap();
        let last = history.last().unwrap();
        assert_eq!((last.act, last.said.get("row").map(String::as_str)), ("review.reject", Some("unbooked")));
        assert_eq!(last.said.get("keep_until").map(String::as_str), Some("2026-06-08"));
    })
    .await;
}

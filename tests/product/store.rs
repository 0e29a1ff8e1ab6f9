//! What the store promises, on both databases. Every test ends with the judgement of `on_both`: nothing at rest
//! contradicts anything else, and the exported log verifies.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use case::{
    Action, Actor, Case, CaseId, Change, Code, Decision, Deed, Digest, Event, Fact, FactKind, OrderLine, Payment,
    Policy, Receipt, Refusal, Role, Scope, Settlement, Share, State, Timestamp, Vendor, Verdict, wanted_of_payment,
};
use demo::{Format, Line, Party, Vat};
use jiff::civil::date;
use store::{
    Admission, ApplyError, Arrival, Error, Gathered, Imported, Keys, NewAccount, PolicyStanding, ServiceSign, SignIn,
    Store, Work,
};
use support::{
    NOW, Place, arrival, machine, on_both, person, policy, policy_within, seconds_later, sqlite, stores, unreadable,
};
use tokio::sync::watch;
use work::{Loaded, PolicyFolder};

// --- Taking in -----------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_twice_are_one_case_and_a_duplicate_that_names_it() {
    on_both(async |place| {
        let store = &place.store;
        let Admission::New(first) = admit(store, b"the same bytes").await else { panic!("it is new") };
        assert_eq!(admit(store, b"the same bytes").await, Admission::Duplicate(first));
        assert!(matches!(admit(store, b"other bytes").await, Admission::New(other) if other != first));

        let counts = store.counts(NOW).await.unwrap();
        assert_eq!((counts.arrivals, counts.duplicates, counts.of(State::Received), counts.work), (3, 1, 2, 2));
        let history = store.history(first).await.unwrap();
        let acts: Vec<_> = history.iter().map(|it| (it.act, it.said.get("twin").cloned())).collect();
        assert_eq!(acts, [("case.admit", None), ("case.duplicate", Some(first.to_string()))]);
        assert_eq!(store.original_bytes(&store.case(first).await.unwrap()).await.unwrap(), b"the same bytes");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_arrival_told_twice_came_once() {
    on_both(async |place| {
        let store = &place.store;
        let ids = [arrival(b"", "", "").id, arrival(b"", "", "").id];
        let came = |nth: usize, name| Arrival { id: ids[nth], ..arrival(b"told twice", name, "inbox") };
        for _ in 0..2 {
            // As after a crash between the commit and the removal of the file that it came from.
            let first = store.admit(came(0, "a.pdf"), &machine(), NOW).await.unwrap();
            let second = store.admit(came(1, "b.pdf"), &machine(), NOW).await.unwrap();
            assert!(matches!((first, second), (Admission::New(id), Admission::Duplicate(twin)) if id == twin));
        }
        let counts = store.counts(NOW).await.unwrap();
        assert_eq!((counts.arrivals, counts.duplicates), (2, 1));
        assert_eq!(place.entries().await.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_that_bring_the_same_bytes_at_once_make_one_case_and_seven_duplicates() {
    on_both(async |place| {
        let admissions = at_once(8, |_| {
            let store = place.store.clone();
            async move { admit(&store, b"eight times").await }
        })
        .await;
        let new: Vec<_> = admissions.iter().filter(|it| matches!(it, Admission::New(_))).collect();
        let Admission::New(id) = *new[0] else { panic!() };
        assert_eq!((new.len(), admissions.iter().filter(|it| **it == Admission::Duplicate(id)).count()), (1, 7));
        let report = place.store.check(true, None, NOW).await.unwrap();
        assert_eq!((report.cases, report.seals_opened, report.orphans), (1, 1, 0), "no sealed copy is left over");
    })
    .await;
}

// --- Policies ------------------------------------------------------------------------------------------------------

async fn load(store: &Store, (policy, texts): &(Policy, [String; 3]), now: Timestamp) -> PolicyStanding {
    store.policy_loaded(policy, texts.each_ref().map(String::as_str), &machine(), now).await.unwrap()
}

async fn propose(store: &Store, (policy, texts): &(Policy, [String; 3])) -> PolicyStanding {
    let admin = person("usr_admin", &[Role::Admin], 1);
    store.propose_policy(policy, texts.each_ref().map(String::as_str), &admin, NOW).await.unwrap()
}

async fn approve(store: &Store, policy: &Policy) -> Result<(), Error> {
    store.approve_policy(&policy.digest.to_string(), None, &person("usr_second", &[Role::Reviewer], 2), NOW).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_in_force_that_this_program_cannot_read_is_replaced_by_two_people() {
    on_both(async |place| {
        let store = &place.store;
        let texts = ["[of_another_version]\n".to_owned(), String::new(), String::new()];
        assert!(Policy::parse(texts.each_ref().map(String::as_str)).is_err());
        let digest = Digest::of_value(&serde_json::json!(case::POLICY_FILES.iter().zip(&texts).collect::<Vec<_>>()));
        let mut policy = policy();
        policy.digest = digest;
        assert_eq!(load(store, &(policy, texts), NOW).await, PolicyStanding::InForce);

        let shipped = policy_within("2");
        let PolicyStanding::Waits { looser, proposed_by: None } = load(store, &shipped, NOW).await else { panic!() };
        assert!(looser.len() == 1 && looser[0].contains("cannot be read by this program"), "{looser:?}");
        // Nothing rules meanwhile, and whoever starts the service is told what to do.
        let folder = PolicyFolder::new(concat!(env!("CARGO_MANIFEST_DIR"), "/policies"));
        // The folder is loaded by today's clock, and no entry may have waited since.
        store.seal_log(NOW).await.unwrap();
        let refused = folder.load(store, &machine()).await.unwrap_err().to_string();
        assert!(
            refused.contains("cannot be read by this program") && refused.contains("countersign policy propose"),
            "{refused}"
        );
        assert!(matches!(propose(store, &shipped).await, PolicyStanding::Waits { .. }));
        store.seal_log(NOW).await.unwrap();
        let refused = folder.load(store, &machine()).await.unwrap_err().to_string();
        assert!(refused.contains("countersign policy approve"), "{refused}");
        approve(store, &shipped.0).await.unwrap();
        store.seal_log(NOW).await.unwrap();
        let Loaded { policy, waits } = folder.load(store, &machine()).await.unwrap();
        assert_eq!((policy.digest, waits), (shipped.0.digest, None));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_worth_nothing_once_another_policy_came_into_force() {
    on_both(async |place| {
        let store = &place.store;
        let (before, looser, tighter) = (policy_within("1"), policy_within("2"), policy_within("0.5"));
        let in_force = async || store.policy_in_force().await.unwrap().unwrap().digest;
        assert_eq!(load(store, &before, seconds_later(10)).await, PolicyStanding::InForce);
        assert!(matches!(propose(store, &looser).await, PolicyStanding::Waits { .. }));
        approve(store, &looser.0).await.unwrap();
        // By the clock of another node, which is late.
        assert_eq!(load(store, &tighter, NOW).await, PolicyStanding::InForce);
        assert_eq!(in_force().await, tighter.0.digest);

        let stands = load(store, &looser, NOW).await;
        assert!(matches!(stands, PolicyStanding::Waits { proposed_by: None, .. }), "{stands:?}");
        assert_eq!(in_force().await, tighter.0.digest);
        let refused = approve(store, &looser.0).await.unwrap_err().to_string();
        assert!(refused.contains("nobody proposed this policy"), "{refused}");
        propose(store, &looser).await;
        approve(store, &looser.0).await.unwrap();
        assert_eq!(load(store, &looser, NOW).await, PolicyStanding::InForce);
        assert_eq!(in_force().await, looser.0.digest);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_approved_by_writing_to_the_database_is_found_before_and_after_it_came_into_force() {
    for place in stores().await {
        let store = &place.store;
        let (before, looser) = (policy_within("1"), policy_within("2"));
        load(store, &before, NOW).await;
        assert!(matches!(load(store, &looser, NOW).await, PolicyStanding::Waits { .. }));
        let said = async || {
            let faults = store.check(false, None, NOW).await.unwrap().faults;
            faults.into_iter().map(|it| it.what).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(said().await, "");
        place.execute("UPDATE policies SET proposed_by = 'a', approved_by = 'b' WHERE loaded_at = 0").await.unwrap();
        assert!(said().await.contains("the log has nobody who approved it"));
        assert_eq!(load(store, &looser, NOW).await, PolicyStanding::InForce);
        let found = said().await;
        assert!(found.contains("lets more through, and the log has nobody who approved it"), "{found}");
        place
            .execute(&format!("UPDATE policies SET loaded_at = 1 WHERE digest = '{}'", looser.0.digest))
            .await
            .unwrap();
        let found = said().await;
        assert!(
            found.contains(&format!("{} stands as it, by the log it is {}", before.0.digest, looser.0.digest)),
            "{found}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_goes_by_the_policy_that_another_node_put_in_force() {
    on_both(async |place| {
        let store = &place.store;
        let (own, changed, tighter) = (policy_within("2"), policy_within("1"), policy_within("0.5"));
        let dir = tempfile::TempDir::new().unwrap();
        let write = |texts: &[String; 3]| {
            for (name, text) in case::POLICY_FILES.iter().zip(texts) {
                std::fs::write(dir.path().join(name), text).unwrap();
            }
        };
        write(&own.1);
        let folder = PolicyFolder::new(dir.path());
        let loaded = folder.load(store, &machine()).await.unwrap();
        let (used, mut policy) = watch::channel(Arc::new(loaded.policy));
        let (stop, stopped) = watch::channel(false);
        let watched = tokio::spawn(folder.watch(store.clone(), used, stopped));
        let mut comes = async |digest: Digest| {
            let came = policy.wait_for(|policy| policy.digest == digest);
            assert!(tokio::time::timeout(Duration::from_secs(60), came).await.is_ok(), "it goes on with the old one");
        };
        // From then on nothing in the folder waits.
        write(&changed.1);
        comes(changed.0.digest).await;
        load(store, &tighter, NOW).await;
        comes(tighter.0.digest).await;
        // Two people let the one in the folder through again.
        propose(store, &changed).await;
        approve(store, &changed.0).await.unwrap();
        comes(changed.0.digest).await;
        stop.send_replace(true);
        watched.await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_version_of_a_fact_that_is_made_the_known_one_is_found() {
    for place in stores().await {
        let store = &place.store;
        import_at(store, &orders("20"), NOW).await;
        // By the clock of another node, which is late.
        import_at(store, &orders("30"), Timestamp(NOW.0 - 1_000_000)).await;
        let faults = async || store.check(false, None, NOW).await.unwrap().faults;
        assert_eq!(faults().await, []);
        let known = "known_to = 9223372036854775807";
        place.execute(&format!("UPDATE facts SET known_to = known_from WHERE {known}")).await.unwrap();
        let old = "fact_id = (SELECT MIN(fact_id) FROM facts)";
        place.execute(&format!("UPDATE facts SET {known} WHERE {old}")).await.unwrap();
        let found = faults().await;
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().all(|it| it.what.contains("until the next version")), "{found:?}");
    }
}

// --- Work ----------------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn every_piece_of_work_is_leased_exactly_once_by_eight_workers() {
    on_both(async |place| {
        for n in 0..24_u8 {
            admit(&place.store, &[n]).await;
        }
        let leased = at_once(8, |_| {
            let store = place.store.clone();
            async move {
                let mut mine = Vec::new();
                loop {
                    match store.lease(2, NOW).await.unwrap() {
                        work if work.is_empty() => return mine,
                        work => mine.extend(work),
                    }
                }
            }
        })
        .await
        .concat();
        assert!(leased.iter().all(|work| work.attempt == 1 && work.action == Action::Extract));
        let cases: BTreeSet<CaseId> = leased.iter().map(|work| work.case).collect();
        assert_eq!((leased.len(), cases.len()), (24, 24));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_ran_out_can_be_taken_again_and_the_attempt_counts() {
    on_both(async |place| {
        let store = &place.store;
        admit(store, b"poison").await;
        let first = lease_one(store, NOW).await;
        assert_eq!(store.lease(1, seconds_later(119)).await.unwrap(), [], "it is still held");
        let second = lease_one(store, seconds_later(120)).await;
        assert_eq!((first.attempt, second.attempt, second.case), (1, 2, first.case));

        store.put_back(&second, seconds_later(500)).await.unwrap();
        assert_eq!(store.lease(1, seconds_later(499)).await.unwrap(), [], "it was put back until later");
        assert_eq!(lease_one(store, seconds_later(500)).await.attempt, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_lost_its_lease_cannot_move_the_case_a_second_time() {
    on_both(async |place| {
        let store = &place.store;
        admit(store, b"slow").await;
        store.seal_log(NOW).await.unwrap();
        let slow = lease_one(store, NOW).await;
        let quick = lease_one(store, seconds_later(200)).await;
        store.advance(&quick, unreadable(), &machine(), seconds_later(201)).await.unwrap();
        let late = store.advance(&slow, unreadable(), &machine(), seconds_later(202)).await;
        assert!(matches!(late, Err(ApplyError::Conflict { revision: 0, .. })), "{late:?}");
        // What it puts back must not disturb the work of whoever moved the case.
        store.put_back(&slow, NOW).await.unwrap();
        assert_eq!(store.counts(NOW).await.unwrap().work, 0);
    })
    .await;
}

// --- Moving --------------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn every_transition_has_its_entry_and_each_names_the_one_before() {
    on_both(async |place| {
        let store = &place.store;
        master_data(store, "100").await;
        let id = arrive(store, &bill("RE-1", "10")).await;
        let case = to_rest(store, lease_one(store, NOW).await).await;
        assert_eq!((case.state, &case.findings), (State::Approved, &Vec::new()));

        let entries = place.entries().await;
        let links: Vec<_> =
            entries.iter().filter(|it| it.obj.as_ref().is_some_and(|obj| obj.id == id.to_string())).collect();
        let told: Vec<_> = links
            .iter()
            .map(|it| (it.act.text(), it.rev.unwrap(), it.from.as_deref(), it.to.as_deref().unwrap()))
            .collect();
        assert_eq!(
            told,
            [
                ("case.admit", 0, None, "Received"),
                ("case.extract", 1, Some("Received"), "Extracted"),
                ("case.validate", 2, Some("Extracted"), "Validated"),
                ("case.reconcile", 3, Some("Validated"), "Approved"),
            ]
        );
        assert_eq!(case.revision, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_eight_people_who_decide_at_once_one_wins_and_the_others_must_look_again() {
    on_both(async |place| {
        let store = &place.store;
        master_data(store, "100").await;
        let id = arrive(store, &bill("RE-1", "50")).await;
        let case = to_rest(store, lease_one(store, NOW).await).await;
        assert_eq!(checkpoints(&case), ["amount-level-1"]);
        let answers = at_once(8, |n| {
            let (store, case) = (store.clone(), case.clone());
            let reviewer = person(&format!("usr_{n}"), &[Role::Reviewer], 1);
            async move { decide(&store, &case, Verdict::Approve, &reviewer).await }
        })
        .await;
        let conflicts = answers.iter().filter(|it| matches!(it, Err(ApplyError::Conflict { revision: 3, .. }))).count();
        assert_eq!((answers.iter().filter(|it| it.is_ok()).count(), conflicts), (1, 7), "{answers:?}");
        let case = store.case(id).await.unwrap();
        assert_eq!((case.state, case.checkpoints[0].approvals.len()), (State::Approved, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_denied_is_an_entry_and_moves_nothing() {
    on_both(async |place| {
        let store = &place.store;
        let operator = person("usr_operator", &[Role::Operator], 1);
        let denied = store.authorize(&operator, Deed::ReadLog, NOW).await.unwrap_err();
        assert_eq!(denied.to_string(), "this needs the role auditor or admin");

        master_data(store, "100").await;
        let id = arrive(store, &bill("RE-1", "50")).await;
        let case = to_rest(store, lease_one(store, NOW).await).await;
        let refused = decide(store, &case, Verdict::Approve, &operator).await;
        // Whoever brought in the order and the receipt does not approve what rests on them, with whatever role.
        assert!(matches!(refused, Err(ApplyError::Refused(Refusal::Informed))), "{refused:?}");
        // Whoever corrects may not approve, with whatever role.
        let reviewer = person("usr_reviewer", &[Role::Reviewer], 2);
        let correction = Verdict::Correct(vec![Change { field: "due_date".into(), value: "2026-04-09".into() }]);
        decide(store, &case, correction, &reviewer).await.unwrap();
        let case = to_rest(store, lease_one(store, NOW).await).await;
        assert_eq!(case.state, State::InReview);
        let refused = decide(store, &case, Verdict::Approve, &reviewer).await;
        assert!(matches!(refused, Err(ApplyError::Refused(Refusal::Touched))), "{refused:?}");

        assert_eq!(store.case(id).await.unwrap(), case);
        let denials: Vec<_> = place.entries().await.into_iter().filter(|it| it.act.text() == "review.denied").collect();
        let told: Vec<_> = denials.iter().map(|it| (it.actor.id.as_str(), it.res.text(), it.obj.is_some())).collect();
        assert_eq!(
            told,
            [("usr_operator", "denied", false), ("usr_operator", "denied", true), ("usr_reviewer", "denied", true)]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_look_at_a_document_is_an_entry() {
    on_both(async |place| {
        let store = &place.store;
        let Admission::New(id) = admit(store, b"looked at").await else { panic!() };
        let auditor = person("usr_a", &[Role::Auditor], 1);
        store.view(id, &auditor, NOW).await.unwrap();
        assert_eq!(store.download(id, &auditor, NOW).await.unwrap().bytes().await.unwrap(), b"looked at");
        let operator = person("usr_o", &[Role::Operator], 1);
        assert!(matches!(store.download(id, &operator, NOW).await, Err(Error::Denied(_))));
        let looks: Vec<_> =
            place.entries().await.iter().skip(1).map(|it| (it.act.text(), it.actor.id.clone())).collect();
        let told = |act, actor: &str| (act, actor.to_owned());
        assert_eq!(
            looks,
            [told("document.view", "usr_a"), told("document.view", "usr_a"), told("review.denied", "usr_o")]
        );
    })
    .await;
}

// --- Facts ---------------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn importing_the_same_again_changes_nothing_and_voids_no_verdict() {
    on_both(async |place| {
        let store = &place.store;
        let rows = [vendors(), orders("100"), receipts("100")];
        for rows in &rows {
            assert_eq!(import(store, rows).await, Imported { new: 1, changed: 0, same: 0 });
        }
        arrive(store, &bill("RE-1", "10")).await;
        let work = read(store, lease_one(store, NOW).await).await;
        let (known, event) = verdict(store, &work).await;
        for rows in &rows {
            assert_eq!(import(store, rows).await, Imported { new: 0, changed: 0, same: 1 });
        }
        let case = store.advance_on(&known, &work, event, &machine(), NOW).await.unwrap().case;
        assert_eq!(case.state, State::Approved);
        assert_eq!(import(store, &receipts("90")).await, Imported { new: 0, changed: 1, same: 0 });
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_is_refused_when_what_it_rests_on_changed_meanwhile() {
    on_both(async |place| {
        let store = &place.store;
        master_data(store, "100").await;
        let id = arrive(store, &bill("RE-1", "10")).await;
        let work = read(store, lease_one(store, NOW).await).await;
        let (known, event) = verdict(store, &work).await;
        import(store, &receipts("5")).await;
        let (before, entries) = (store.case(id).await.unwrap(), store.history(id).await.unwrap().len());
        let refused = store.advance_on(&known, &work, event, &machine(), NOW).await;
        assert!(matches!(refused, Err(ApplyError::FactsChanged)), "{refused:?}");
        assert_eq!((store.case(id).await.unwrap(), store.history(id).await.unwrap().len()), (before, entries));

        let case = judge(store, work).await;
        assert_eq!((case.state, codes(&case)), (State::InReview, vec![Code::QtyRec]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_invoices_at_once_cannot_both_use_the_last_quantity_of_an_order() {
    on_both(async |place| {
        let store = &place.store;
        master_data(store, "15").await;
        arrive(store, &bill("RE-1", "10")).await;
        arrive(store, &bill("RE-2", "9")).await;
        let cases = judge_at_once(store).await;
        let mut outcomes: Vec<_> = cases.iter().map(|case| (case.state, codes(case))).collect();
        outcomes.sort();
        assert_eq!(outcomes, [(State::InReview, vec![Code::QtyRec]), (State::Approved, vec![])]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twins_judged_at_once_exactly_one_is_stopped() {
    on_both(async |place| {
        let store = &place.store;
        master_data(store, "100").await;
        // The same invoice, once as XML for UBL and once for CII: other bytes, the same demand.
        let invoice = bill("RE-1", "10");
        arrive_as(store, &invoice, Format::Ubl).await;
        arrive_as(store, &invoice, Format::Cii).await;
        let cases = judge_at_once(store).await;
        let stopped: Vec<_> = cases.iter().filter(|case| case.stopped() == Some(Code::DuplicateD2)).collect();
        assert_eq!(stopped.len(), 1, "{:?}", cases.iter().map(|case| (case.state, codes(case))).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_twin_that_came_first_and_was_read_last_is_stopped_while_the_other_waits_for_people() {
    on_both(async |place| {
        let store = &place.store;
        master_data(store, "100").await;
        let invoice = bill("RE-1", "50");
        arrive_as(store, &invoice, Format::Ubl).await;
        let slow = lease_one(store, NOW).await;
        arrive_as(store, &invoice, Format::Cii).await;
        let quick = to_rest(store, lease_one(store, NOW).await).await;
        assert_eq!((quick.state, quick.stopped()), (State::InReview, None));
        let slow = to_rest(store, slow).await;
        assert_eq!((slow.state, slow.stopped()), (State::InReview, Some(Code::DuplicateD2)));
        // And not each because of the other: corrected without a change that matters, the first judged stays free.
        let reviewer = person("usr_r", &[Role::Reviewer], 1);
        let correction = Verdict::Correct(vec![Change { field: "due_date".into(), value: "2026-04-09".into() }]);
        decide(store, &quick, correction, &reviewer).await.unwrap();
        let quick = to_rest(store, lease_one(store, NOW).await).await;
        assert!(quick.stopped().is_none() || slow.stopped().is_none(), "one of the two can be paid");
    })
    .await;
}

// --- The log -------------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn any_number_of_nodes_that_write_and_seal_at_once_make_one_chain() {
    on_both(async |place| {
        const NODES: usize = 4;
        const ENTRIES: u64 = 800;
        let mut nodes = vec![place.store.clone()];
        while nodes.len() < NODES {
            nodes.push(place.another().await);
        }
        let entered = Arc::new(AtomicU64::new(0));
        at_once(2 * NODES, |n| {
            let (store, entered) = (nodes[n / 2].clone(), entered.clone());
            async move {
                if n % 2 == 0 {
                    for _ in 0..ENTRIES / NODES as u64 {
                        store.record_service(ServiceSign::Heartbeat, NOW).await.unwrap();
                        entered.fetch_add(1, Ordering::Relaxed);
                    }
                } else {
                    while entered.load(Ordering::Relaxed) < ENTRIES {
                        store.seal_log(NOW).await.expect("another node sealed first, which is no error");
                        tokio::task::yield_now().await;
                    }
                }
            }
        })
        .await;
        assert_eq!(place.entries().await.len() as u64, ENTRIES);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_refuses_to_be_changed_even_by_whoever_has_the_database() {
    on_both(async |place| {
        admit(&place.store, b"entered").await;
        place.store.seal_log(NOW).await.unwrap();
        for sql in ["UPDATE log_entries SET object = 'other'", "DELETE FROM log_entries"] {
            let refused = place.execute(sql).await.unwrap_err().to_string();
            assert!(refused.contains("log_entries is append-only"), "{refused}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_changed_past_its_triggers_is_named_with_its_index() {
    for place in stores().await {
        for n in 0..3_u8 {
            admit(&place.store, &[n]).await;
        }
        place.store.seal_log(NOW).await.unwrap();
        for trigger in ["log_entries_no_update", "log_entries_no_delete", "log_entries_no_change ON log_entries"] {
            // Each database has its own of these.
            let _ = place.execute(&format!("DROP TRIGGER {trigger}")).await;
        }
        let earlier = "(SELECT leaf FROM log_entries WHERE position = 0)";
        assert_eq!(
            place.execute(&format!("UPDATE log_entries SET leaf = {earlier} WHERE position = 1")).await.unwrap(),
            1
        );
        let faults = faults(&place).await;
        assert_eq!(faults[0], ("entry 1".to_owned(), "it says it is entry 0".to_owned()), "{faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_tail_was_cut_contradicts_its_signed_head() {
    for place in stores().await {
        for n in 0..3_u8 {
            admit(&place.store, &[n]).await;
        }
        place.store.seal_log(NOW).await.unwrap();
        place.store.sign_log(NOW).await.unwrap();
        for trigger in ["log_entries_no_update", "log_entries_no_delete", "log_entries_no_change ON log_entries"] {
            let _ = place.execute(&format!("DROP TRIGGER {trigger}")).await;
        }
        assert_eq!(place.execute("DELETE FROM log_entries WHERE position = 2").await.unwrap(), 1);
        let faults = faults(&place).await;
        let head = ("head 3".to_owned(), "it was signed, and the log has 2 entries".to_owned());
        assert!(faults.contains(&head), "{faults:?}");
        let auditor = person("usr_a", &[Role::Auditor], 1);
        let dir = tempfile::TempDir::new().unwrap();
        place.store.export_log(dir.path(), &auditor, NOW, |_, _| {}).await.unwrap_err();
        assert!(!dir.path().join("checkpoint").exists(), "a log that its head contradicts is not handed out");
    }
}

// --- Tampering with what is kept -----------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_changed_in_the_tables_past_the_store_is_found_and_named() {
    const KEEP_OLD: &str =
        "CREATE TABLE kept AS SELECT revision, state, last_entry, body FROM cases WHERE case_id = '{}'";
    const ROLL_BACK: &str = "UPDATE cases SET revision = (SELECT revision FROM kept), state = (SELECT state FROM kept),
        last_entry = (SELECT last_entry FROM kept), body = (SELECT body FROM kept) WHERE case_id = '{}'";
    const FOREIGN_BODY: &str =
        "UPDATE cases SET body = (SELECT body FROM cases WHERE case_id <> '{}' LIMIT 1) WHERE case_id = '{}'";
    let tampers: [(&[&str], &str, &str); 7] = [
        (
            &["UPDATE cases SET state = 'Approved' WHERE case_id = '{}'"],
            "case {}",
            "its row says Approved at revision 1, its sealed body Quarantined at 1",
        ),
        (
            &["UPDATE cases SET revision = 9 WHERE case_id = '{}'"],
            "case {}",
            "its row says Quarantined at revision 9, its sealed body Quarantined at 1",
        ),
        (&[FOREIGN_BODY], "case {}", "its values cannot be opened: "),
        (&[ROLL_BACK], "case {}", "it is Received at revision 0, the log says Quarantined at 1"),
        (
            &["DELETE FROM arrivals WHERE case_id = '{}'", "DELETE FROM cases WHERE case_id = '{}'"],
            "case {}",
            "the log knows it, and it is not there",
        ),
        (
            &["DELETE FROM arrivals WHERE case_id = '{}'"],
            "channel channel-5",
            "0 files were seen; 1 are cases and 0 duplicates",
        ),
        (&["INSERT INTO work VALUES ('{}', 1, 'Send', 0, 0)"], "case {}", "it is Quarantined and has work"),
    ];
    for place in stores().await {
        let store = &place.store;
        let mut ids = Vec::new();
        for n in 0..tampers.len() {
            let arrival = arrival(&[n as u8], "noise.pdf", &format!("channel-{n}"));
            let Admission::New(id) = store.admit(arrival, &machine(), NOW).await.unwrap() else { panic!() };
            if n == 3 {
                place.execute(&KEEP_OLD.replace("{}", &id.to_string())).await.unwrap();
            }
            let work = lease_one(store, NOW).await;
            store.advance(&work, unreadable(), &machine(), NOW).await.unwrap();
            ids.push(id.to_string());
        }
        assert_eq!(faults(&place).await, []);
        for ((sqls, _, _), id) in tampers.iter().zip(&ids) {
            for sql in *sqls {
                assert_eq!(place.execute(&sql.replace("{}", id)).await.unwrap(), 1, "{sql}");
            }
        }
        let faults = faults(&place).await;
        for ((_, about, what), id) in tampers.iter().zip(&ids) {
            let found = |fault: &&(String, String)| fault.0 == about.replace("{}", id) && fault.1.starts_with(what);
            assert!(faults.iter().find(found).is_some(), "on {}: {what}: {faults:#?}", store.database());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_taken_away_before_it_was_sealed_is_missed() {
    // On SQLite no entry ever waits.
    for place in stores().await.into_iter().filter(Place::on_postgres) {
        let Admission::New(id) = admit(&place.store, b"unwitnessed").await else { panic!() };
        assert_eq!(place.execute("DELETE FROM log_outbox").await.unwrap(), 1);
        assert_eq!(faults(&place).await, [(format!("case {id}"), "the log does not know it".to_owned())]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_file_with_one_flipped_byte_or_gone_is_named() {
    for place in stores().await {
        let mut expected = Vec::new();
        for (n, at) in [Some(0_usize), Some(40), Some(usize::MAX), None].into_iter().enumerate() {
            let Admission::New(id) = admit(&place.store, &[n as u8; 100]).await else { panic!() };
            let file = place.store.case(id).await.unwrap().original.to_string();
            let path = place.folder().join(&file[34..]).join(format!("{file}.sealed"));
            match at {
                Some(at) => {
                    let mut sealed = std::fs::read(&path).unwrap();
                    let at = at.min(sealed.len() - 1);
                    sealed[at] ^= 1;
                    std::fs::write(&path, sealed).unwrap();
                }
                None => std::fs::remove_file(&path).unwrap(),
            }
            expected.push(format!("file {file} of case {id}"));
        }
        let report = place.store.check(true, None, NOW).await.unwrap();
        let named: BTreeSet<_> = report.faults.iter().map(|fault| fault.about.clone()).collect();
        assert_eq!((named, report.seals_opened), (expected.into_iter().collect(), 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_flipped_bit_in_any_sealed_file_is_named_with_its_case_and_all_others_still_open() {
    for place in stores().await {
        let mut files = Vec::new();
        for size in [0, 1, 70_000, 200_000] {
            let Admission::New(id) = admit(&place.store, &vec![7; size]).await else { panic!() };
            files.push((place.store.case(id).await.unwrap().original, id));
        }
        let path = |file: &uuid::Uuid| place.folder().join(&file.to_string()[34..]).join(format!("{file}.sealed"));
        for (file, id) in &files {
            let whole = std::fs::read(path(file)).unwrap();
            for at in [0, 50, 127, 128, whole.len() / 2, whole.len() - 1] {
                let mut flipped = whole.clone();
                flipped[at] ^= 1 << (at % 8);
                std::fs::write(path(file), flipped).unwrap();
                let mut told = Vec::new();
                let report = place.store.check_seals(0, None, NOW, |done, of| told.push((done, of))).await.unwrap();
                let about: Vec<_> = report.faults.iter().map(|fault| fault.about.clone()).collect();
                assert_eq!(about, [format!("file {file} of case {id}")], "byte {at}");
                assert_eq!((report.seals_opened, report.more_faults), (3, 0));
                assert_eq!(told, [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]);
            }
            std::fs::write(path(file), whole).unwrap();
        }
        place.judge().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_more_faults_than_anybody_reads_the_first_are_told_and_the_others_counted() {
    for place in stores().await {
        for n in 0..103_u8 {
            admit(&place.store, &[n]).await;
        }
        for fan in std::fs::read_dir(place.folder()).unwrap() {
            for file in std::fs::read_dir(fan.unwrap().path()).unwrap() {
                std::fs::remove_file(file.unwrap().path()).unwrap();
            }
        }
        let report = place.store.check(true, None, NOW).await.unwrap();
        assert_eq!((report.faults.len(), report.more_faults, report.seals_opened), (100, 3, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_does_not_belong_in_the_vault_is_named_and_the_others_are_still_checked() {
    for place in stores().await {
        admit(&place.store, b"sealed").await;
        let stray = place.folder().join("notes.txt");
        std::fs::write(&stray, "left here by somebody").unwrap();
        let report = place.store.check(true, None, NOW).await.unwrap();
        let what = format!("`{}` does not belong in the vault", stray.display());
        assert_eq!(report.faults, [store::Fault { about: "the vault".into(), what }]);
        assert_eq!(report.seals_opened, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_readable_is_at_rest_wherever_it_came_from() {
    const CANARY: &str = "Zeisigwald";
    on_both(async |place| {
        let store = &place.store;
        let mut invoice = bill("RE-Zeisigwald", "50");
        invoice.lines[0].name = "Zeisigwald wrench".into();
        invoice.lines[0].order_line = Some("1".into());
        invoice.seller.name = "Zeisigwald GmbH".into();
        let Fact::Vendor(vendor) = vendors() else { panic!() };
        let Fact::OrderLine(order) = orders("100") else { panic!() };
        let Fact::Receipt(receipt) = receipts("100") else { panic!() };
        for fact in [
            Fact::Vendor(Vendor { name: "Zeisigwald GmbH".into(), ..vendor }),
            Fact::OrderLine(OrderLine { description: Some("Zeisigwald wrench".into()), ..order }),
            Fact::Receipt(Receipt { receipt_id: "Zeisigwald-1".into(), ..receipt }),
        ] {
            import(store, &fact).await;
        }
        let bytes = demo::invoice(&invoice, Format::Ubl);
        assert!(String::from_utf8_lossy(&bytes).contains(CANARY));
        for _ in 0..2 {
            store.admit(arrival(&bytes, "Zeisigwald.xml", "inbox"), &machine(), NOW).await.unwrap();
        }
        let work = lease_one(store, NOW).await;
        store.keep_pictures(work.case, vec![CANARY.as_bytes().to_vec()]).await.unwrap();
        let case = to_rest(store, work).await;
        assert!(serde_json::to_string(&case).unwrap().contains(CANARY));
        let admin = person("usr_admin", &[Role::Admin], 1);
        let reviewer = NewAccount {
            name: "Zeisigwald".into(),
            password: Some("Zeisigwald-Zeisigwald".into()),
            roles: vec![Role::Reviewer],
            level: 1,
        };
        store.create_account(reviewer, Some(&admin), NOW).await.unwrap();
        store.sign_in("Zeisigwald", "wrong Zeisigwald", "Zeisigwald.example", NOW).await.unwrap();
        let SignIn::Open { actor, .. } =
            store.sign_in("Zeisigwald", "Zeisigwald-Zeisigwald", "Zeisigwald.example", NOW).await.unwrap()
        else {
            panic!("the password is right")
        };
        let decision = Decision {
            by: actor.clone(),
            verdict: Verdict::Reject,
            reason: "Zeisigwald".into(),
            seen: case.content(),
            at: NOW,
        };
        store.apply(case.id, case.revision, Event::Decided(decision), &actor, NOW).await.unwrap();
        place.entries().await;

        assert!(place.holds(&case.id.to_string()).await, "what is not secret is found, so the search works");
        assert!(!place.holds(CANARY).await, "`{CANARY}` is readable at rest on {}", store.database());
    })
    .await;
}

// --- Accounts ------------------------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn five_wrong_passwords_in_a_row_lock_an_account_for_a_while() {
    on_both(async |place| {
        let store = &place.store;
        account(store, Some("correct horse battery")).await;
        let try_it = async |password: &str, now| store.sign_in("Ada", password, "127.0.0.1", now).await.unwrap();
        for _ in 0..5 {
            assert!(matches!(try_it("wrong horse battery", NOW).await, SignIn::Wrong));
        }
        let SignIn::Wait { until } = try_it("correct horse battery", NOW).await else { panic!("it is locked") };
        assert_eq!(until, seconds_later(1));
        // One more failure waits twice as long; the right password clears the count.
        assert!(matches!(try_it("wrong horse battery", until).await, SignIn::Wrong));
        assert!(
            matches!(try_it("correct horse battery", until).await, SignIn::Wait { until } if until == seconds_later(3))
        );
        assert!(matches!(try_it("correct horse battery", seconds_later(3)).await, SignIn::Open { .. }));
        assert!(matches!(try_it("wrong horse battery", seconds_later(3)).await, SignIn::Wrong));
        assert!(matches!(try_it("correct horse battery", seconds_later(3)).await, SignIn::Open { .. }));
        // A name that nobody has is answered like a wrong password.
        let unknown = store.sign_in("Eve", "correct horse battery", "127.0.0.1", NOW).await.unwrap();
        assert!(matches!(unknown, SignIn::Wrong));
        let denied = place.entries().await.iter().filter(|it| it.act.text() == "session.denied").count();
        assert_eq!(denied, 8);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_lasts_ten_hours_or_until_it_is_signed_out() {
    on_both(async |place| {
        let store = &place.store;
        account(store, Some("correct horse battery")).await;
        let sign_in = async || match store.sign_in(" ada ", "correct horse battery", "127.0.0.1", NOW).await.unwrap() {
            SignIn::Open { token, actor } => (token, actor),
            other => panic!("{other:?}"),
        };
        let (token, actor) = sign_in().await;
        let end = NOW.plus_hours(10);
        assert_eq!(store.session(&token, end).await.unwrap(), Some(actor));
        assert_eq!(store.session(&token, Timestamp(end.0 + 1)).await.unwrap(), None);

        let (token, actor) = sign_in().await;
        store.sign_out(&token, &actor, NOW).await.unwrap();
        assert_eq!(store.session(&token, NOW).await.unwrap(), None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_one_time_link_signs_in_once_within_a_day() {
    on_both(async |place| {
        let store = &place.store;
        let id = account(store, None).await;
        let link = store.one_time_link(&id, NOW).await.unwrap();
        assert_eq!(store.session(&link, NOW).await.unwrap(), None, "a link is no session");
        let uses = at_once(4, |_| {
            let (store, link) = (store.clone(), link.clone());
            async move { store.sign_in_by_link(&link, "127.0.0.1", NOW).await.unwrap() }
        })
        .await;
        let opened: Vec<_> = uses.into_iter().flatten().collect();
        assert_eq!(opened.len(), 1);
        assert_eq!(store.session(&opened[0].0, NOW).await.unwrap().unwrap().id, id);

        let late = store.one_time_link(&id, NOW).await.unwrap();
        let day = Timestamp(NOW.plus_hours(24).0 + 1);
        assert!(store.sign_in_by_link(&late, "127.0.0.1", day).await.unwrap().is_none());
        // Without a password nothing but a link signs in.
        assert!(matches!(store.sign_in("Ada", "", "127.0.0.1", NOW).await.unwrap(), SignIn::Wrong));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_opens_the_cases_of_their_scope_and_what_they_are_denied_is_entered() {
    on_both(async |place| {
        let store = &place.store;
        let Admission::New(id) = admit(store, b"of March").await else { panic!() };
        let new = |name: &str, roles: &[Role]| NewAccount {
            name: name.into(),
            password: None,
            roles: roles.to_vec(),
            level: 1,
        };
        store.create_account(new("Ada", &[Role::Auditor]), None, NOW).await.unwrap();
        store.create_account(new("Rita", &[Role::Auditor, Role::Reviewer]), None, NOW).await.unwrap();
        let period = |from, to| Some(Scope { from, to });
        let (march, april) = (period(date(2026, 3, 1), date(2026, 3, 31)), period(date(2026, 4, 1), date(2026, 4, 30)));
        for (scope, opens) in [(None, true), (march, true), (april, false), (period(NOW.date(), NOW.date()), true)] {
            store.set_scope("Ada", scope, None, NOW).await.unwrap();
            let ada = store.person("Ada").await.unwrap();
            assert_eq!(store.view(id, &ada, NOW).await.is_ok(), opens, "{scope:?}");
            assert_eq!(store.download(id, &ada, NOW).await.is_ok(), opens, "{scope:?}");
        }
        store.set_scope("Rita", april, None, NOW).await.unwrap();
        let rita = store.person("Rita").await.unwrap();
        store.view(id, &rita, NOW).await.expect("a reviewer sees it, whatever the auditor in them may");
        store.set_scope("Ada", period(date(2026, 4, 1), date(2026, 3, 1)), None, NOW).await.unwrap_err();
        let denied = place.entries().await.iter().filter(|it| it.act.text() == "review.denied").count();
        assert_eq!(denied, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_does_not_open_is_counted_and_stops_no_replay() {
    for place in stores().await {
        let store = &place.store;
        let Admission::New(broken) = admit(store, b"one").await else { panic!() };
        admit(store, b"another").await;
        let sql = format!("UPDATE cases SET body = last_entry WHERE case_id = '{broken}'");
        assert_eq!(place.execute(&sql).await.unwrap(), 1);
        let by = person("usr_rita", &[Role::Reviewer], 1);
        let (sum, _) = store.replay(&policy(), NOW.date(), NOW.date(), &by, NOW, |_, _| ()).await.unwrap();
        assert_eq!((sum.replayed, sum.not_replayable), (0, 2));
        place.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_found_from_its_import_on_until_it_is_settled() {
    on_both(async |place| {
        let (store, by) = (&place.store, person("usr_olivia", &[Role::Operator], 1));
        let payment = |n: u32| Payment {
            payment_id: format!("B-{n}"),
            date: NOW.date(),
            amount: (-100 - i64::from(n)).into(),
            currency: "EUR".into(),
            iban: None,
            text: String::new(),
        };
        let payments: Vec<Fact> = (0..501).map(|n| Fact::Payment(payment(n))).collect();
        for new in [501, 0] {
            let done = store.import(FactKind::Payments, &payments, &by, NOW).await.unwrap();
            assert_eq!(done.new, new, "what comes along is not counted");
            let (first, next) = store.unsettled(None).await.unwrap();
            let (rest, end) = store.unsettled(next).await.unwrap();
            assert_eq!((first.len(), rest.len(), end), (500, 1, None));
        }
        // A settled one is not looked at again, however often its statement comes in.
        let share = Share {
            bill: "R-7".into(),
            case: None,
            vendor_id: None,
            number: None,
            credit: false,
            amount: 107.into(),
            open: 0.into(),
        };
        let settled = Settlement { shares: vec![share], ..Settlement::none_yet(&payment(7)) };
        let untold = Settlement { untold: true, ..settled.clone() };
        for (settlement, waits) in [(&untold, true), (&settled, false)] {
            let gathered = store.gather_facts(|known| wanted_of_payment(&payment(7), known)).await.unwrap();
            store.keep_settlement(&gathered, settlement, &by, NOW).await.unwrap();
            store.import(FactKind::Payments, &payments, &by, NOW).await.unwrap();
            let (newest, _) = store.unsettled(None).await.unwrap();
            assert_eq!(newest.iter().any(|(_, it)| it == settlement), waits);
            assert!(waits || newest.iter().all(|(it, _)| it.payment_id != "B-7"));
        }
    })
    .await;
}

// --- What the tests are made of ------------------------------------------------------------------------------------

const SELLER_VAT_ID: &str = "DE317225902";

fn vendors() -> Fact {
    Fact::Vendor(Vendor {
        vendor_id: "V1".into(),
        name: "Nordlicht Werkzeuge GmbH".into(),
        vat_id: Some(SELLER_VAT_ID.into()),
        tax_id: None,
        country: Some("DE".into()),
        iban: None,
        bic: None,
        group: None,
        valid_from: None,
    })
}

/// One line of 40.00 a piece, to be matched with what was received.
fn orders(quantity: &str) -> Fact {
    Fact::OrderLine(OrderLine {
        order_id: "PO-4501".into(),
        vendor_id: "V1".into(),
        currency: "EUR".into(),
        line: "1".into(),
        quantity: quantity.parse().unwrap(),
        unit: "C62".into(),
        unit_price: "40.00".parse().unwrap(),
        price_unit: "1".parse().unwrap(),
        item: None,
        description: Some("Torque wrench".into()),
        tax_rate: None,
        commodity: None,
        match_level: 3,
        blanket: false,
        value_limit: None,
        valid_from: None,
        valid_to: None,
        contract_id: None,
        freight_planned: None,
    })
}

fn receipts(quantity: &str) -> Fact {
    Fact::Receipt(Receipt {
        unit: None,
        receipt_id: "GR-1".into(),
        order_id: "PO-4501".into(),
        line: "1".into(),
        quantity: quantity.parse().unwrap(),
        accepted: None,
        returned: None,
        date: date(2026, 3, 1),
    })
}

async fn import(store: &Store, fact: &Fact) -> Imported {
    import_at(store, fact, NOW).await
}

async fn import_at(store: &Store, fact: &Fact, now: Timestamp) -> Imported {
    let operator = person("usr_operator", &[Role::Operator], 1);
    store.import(fact.kind(), std::slice::from_ref(fact), &operator, now).await.unwrap()
}

/// 100 pieces ordered, and as many received as `received` says.
async fn master_data(store: &Store, received: &str) {
    for rows in [vendors(), orders("100"), receipts(received)] {
        import(store, &rows).await;
    }
}

fn bill(number: &str, quantity: &str) -> demo::Invoice {
    let seller = Party {
        name: "Nordlicht Werkzeuge GmbH".into(),
        country: "DE".into(),
        vat_id: Some(SELLER_VAT_ID.into()),
        ..demo::buyer()
    };
    let line = Line {
        order_line: Some("1".into()),
        name: "Torque wrench".into(),
        quantity: quantity.parse().unwrap(),
        unit: "C62".into(),
        unit_price: "40.00".parse().unwrap(),
        vat: Vat::Standard("19".parse().unwrap()),
        net: None,
    };
    let mut invoice =
        demo::Invoice::new(number, date(2026, 3, 5), Party { account: None, ..seller }, demo::buyer(), vec![line]);
    invoice.order_ref = Some("PO-4501".into());
    invoice
}

async fn admit(store: &Store, bytes: &[u8]) -> Admission {
    store.admit(arrival(bytes, "document", "inbox"), &machine(), NOW).await.unwrap()
}

async fn arrive(store: &Store, invoice: &demo::Invoice) -> CaseId {
    arrive_as(store, invoice, Format::Ubl).await
}

async fn arrive_as(store: &Store, invoice: &demo::Invoice, format: Format) -> CaseId {
    match admit(store, &demo::invoice(invoice, format)).await {
        Admission::New(id) => id,
        Admission::Duplicate(twin) => panic!("it is here already as {twin}"),
    }
}

async fn lease_one(store: &Store, now: Timestamp) -> Work {
    let [work] = store.lease(1, now).await.unwrap()[..] else { panic!("there is nothing to do") };
    work
}

/// From the work that a case has to where it rests, or to what must be sent.
async fn to_rest(store: &Store, work: Work) -> Case {
    let work = read(store, work).await;
    judge(store, work).await
}

/// Up to the comparison, which is left to do.
async fn read(store: &Store, mut work: Work) -> Work {
    while work.action != Action::Reconcile {
        let case = store.case(work.case).await.unwrap();
        let event = match work.action {
            Action::Extract => {
                let reading = extract::read(&store.original_bytes(&case).await.unwrap()).unwrap();
                Event::Extracted { extraction: Box::new(reading.extraction), pictures: Vec::new() }
            }
            Action::Validate => {
                let policy = policy();
                let findings = case::validate(case.extraction.as_ref().unwrap(), &policy, NOW.date());
                Event::Validated { findings, policy: policy.digest }
            }
            other => panic!("{other:?} is not to be done here"),
        };
        work = store.advance(&work, event, &machine(), NOW).await.unwrap().next.unwrap();
    }
    work
}

/// Looks up what the case is compared with, and compares; nothing is written.
async fn verdict(store: &Store, work: &Work) -> (Gathered, Event) {
    let (policy, case) = (policy(), store.case(work.case).await.unwrap());
    let extraction = case.extraction.clone().unwrap();
    let gathered = store.gather(&case, |known| case::wanted(&extraction, known, &policy)).await.unwrap();
    let event = Event::Reconciled(Box::new(case::judge(&case, &gathered.known, &policy, NOW)));
    (gathered, event)
}

async fn judge(store: &Store, work: Work) -> Case {
    let mut first = Some(verdict(store, &work).await);
    for _ in 0..5 {
        let (known, event) = match first.take() {
            Some(verdict) => verdict,
            None => verdict(store, &work).await,
        };
        match store.advance_on(&known, &work, event, &machine(), NOW).await {
            Ok(advanced) => return advanced.case,
            Err(ApplyError::FactsChanged) => {}
            Err(other) => panic!("{other}"),
        }
    }
    panic!("the facts never stood still")
}

/// Both of two cases are compared with the same facts before either verdict is written, and then both are written at
/// once; whoever must look again does.
async fn judge_at_once(store: &Store) -> Vec<Case> {
    let mut verdicts = Vec::new();
    for work in store.lease(2, NOW).await.unwrap() {
        let work = read(store, work).await;
        verdicts.push(work);
    }
    let mut ready = Vec::new();
    for work in verdicts {
        let (known, event) = verdict(store, &work).await;
        ready.push((work, known, event));
    }
    let answers = at_once(2, |n| {
        let (store, (work, known, event)) = (store.clone(), ready[n].clone());
        async move { (work, store.advance_on(&known, &work, event, &machine(), NOW).await) }
    })
    .await;
    let refused = answers.iter().filter(|(_, answer)| matches!(answer, Err(ApplyError::FactsChanged))).count();
    assert_eq!(refused, 1, "{answers:?}");
    let mut cases = Vec::new();
    for (work, answer) in answers {
        match answer {
            Ok(advanced) => cases.push(advanced.case),
            Err(_) => cases.push(judge(store, work).await),
        }
    }
    cases
}

async fn decide(store: &Store, case: &Case, verdict: Verdict, by: &Actor) -> Result<Case, ApplyError> {
    let decision = Decision { by: by.clone(), verdict, reason: "as agreed".into(), seen: case.content(), at: NOW };
    store.apply(case.id, case.revision, Event::Decided(decision), by, NOW).await
}

async fn account(store: &Store, password: Option<&str>) -> String {
    let new =
        NewAccount { name: "Ada".into(), password: password.map(str::to_owned), roles: vec![Role::Reviewer], level: 1 };
    store.create_account(new, None, NOW).await.unwrap().id
}

async fn faults(place: &Place) -> Vec<(String, String)> {
    let report = place.store.check(true, None, NOW).await.unwrap();
    report.faults.into_iter().map(|fault| (fault.about, fault.what)).collect()
}

fn codes(case: &Case) -> Vec<Code> {
    case.findings.iter().map(|finding| finding.code).collect()
}

fn checkpoints(case: &Case) -> Vec<&str> {
    case.checkpoints.iter().map(|checkpoint| checkpoint.id.as_str()).collect()
}

/// Runs `n` tasks that all begin when the last of them is ready.
async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    n: usize,
    task: impl Fn(usize) -> F,
) -> Vec<T> {
    let barrier = Arc::new(tokio::sync::Barrier::new(n));
    let tasks: Vec<_> = (0..n)
        .map(|idx| {
            let (barrier, task) = (barrier.clone(), task(idx));
            tokio::spawn(async move {
                barrier.wait().await;
                task.await
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_found_by_what_it_says_until_it_says_something_else() {
    on_both(async |place| {
        let store = &place.store;
        let reviewer = person("usr_r", &[Role::Reviewer], 1);
        let invoice = bill("RE-2026/114", "5");
        let bytes = demo::invoice(&invoice, Format::Ubl);
        store.admit(arrival(&bytes, "a.xml", "inbox"), &machine(), NOW).await.unwrap();
        let case = to_rest(store, lease_one(store, NOW).await).await;
        let find = async |text: &str| store.search(text, &reviewer, NOW, 10).await.unwrap();
        let seller = case.extraction.as_ref().unwrap().text(case::FieldName::SellerName).unwrap().to_owned();
        let backwards: Vec<&str> = seller.split(' ').rev().collect();
        for text in ["RE-2026/114", "re 2026 114", &seller, &backwards.join(" "), &seller.to_uppercase()] {
            assert_eq!(find(text).await, [case.id], "{text}");
        }
        for text in ["RE-2026/115", "114", "", " - ", "nobody"] {
            assert_eq!(find(text).await, [], "{text}");
        }
        assert!(matches!(store.search("x", &person("usr_a", &[Role::Admin], 1), NOW, 10).await, Err(Error::Denied(_))));
        assert!(!place.holds("re2026114").await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_for_words_looks_at_the_newest_cases_of_the_rarest_word_up_to_its_limit() {
    let place = sqlite().await;
    let reviewer = person("usr_r", &[Role::Reviewer], 1);
    let keys = Keys::open(place.config.keys.folder.clone()).unwrap();
    let term = |word: &str| keys.blind("term", word).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (alpha, beta) = (term("alpha"), term("beta"));
    let oldest = "00000000-0000-7000-8000-000000000001";
    let sql = format!(
        "PRAGMA foreign_keys = OFF;
         INSERT INTO case_terms (term_key, case_id) VALUES (x'{alpha}', '{oldest}'), (x'{beta}', '{oldest}');
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
         INSERT INTO case_terms (term_key, case_id) SELECT x'{alpha}', printf('ffffffff-0000-7000-8000-%012d', i) FROM n;
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001)
         INSERT INTO case_terms (term_key, case_id) SELECT x'{beta}', printf('fffffffe-0000-7000-8000-%012d', i) FROM n"
    );
    place.execute(&sql).await.unwrap();
    let find = async || place.store.search("alpha beta", &reviewer, NOW, 100).await.unwrap();
    assert_eq!(find().await, []);
    place.execute("DELETE FROM case_terms WHERE case_id = 'ffffffff-0000-7000-8000-000000000001'").await.unwrap();
    assert_eq!(find().await, [oldest.parse().unwrap()]);
}

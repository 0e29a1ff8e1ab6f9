use super::*;

/// New, or as a duplicate.
async fn offer(store: &Store, bytes: &[u8]) -> Admission {
    store.admit(arrival(bytes, "document", "inbox"), &machine(), NOW).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_twice_are_one_case_and_a_duplicate_that_names_it() {
    on_both(async |place| {
        let store = &place.store;
        let first = admit(store, b"the same bytes").await;
        assert_eq!(offer(store, b"the same bytes").await, Admission::Duplicate(first));
        assert!(matches!(offer(store, b"other bytes").await, Admission::New(other) if other != first));

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
            async move { offer(&store, b"eight times").await }
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
        // Whoever has the log draws the straight-through sample again, whatever the policy says by then.
        let percent: Vec<_> = links.iter().map(|it| it.d.get("sample_percent")).collect();
        assert_eq!(percent, [None, None, None, Some(&audit::Value::Integer(5))]);

        arrive(store, &bill("RE-2", "50")).await;
        assert_eq!(to_rest(store, lease_one(store, NOW).await).await.state, State::InReview);
        let last = place.entries().await.pop().unwrap();
        assert_eq!((last.act.text(), last.d.get("sample_percent")), ("case.reconcile", None), "a person decides");
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
        decide(store, &case, other_due_date(), &reviewer).await.unwrap();
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
        let id = admit(store, b"looked at").await;
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

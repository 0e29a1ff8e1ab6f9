use case::{Answer, FactKind, Key, Payment, Settlement, Share, wanted_of_payment};

use super::*;

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

/// An import begins, waits for its turn while verdicts are made with what it is to replace, and then says that it was before
/// them.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_import_that_waited_brings_in_came_later_than_the_verdicts_made_meanwhile() {
    on_both(async |place| {
        let store = &place.store;
        for rows in [vendors(), orders("5"), receipts("100")] {
            import_at(store, &rows, Timestamp(NOW.0 - 9_000_000)).await;
        }
        // One by the clock of another node, which is ahead.
        let mut held = Vec::new();
        for (number, at) in [("RE-1", NOW), ("RE-2", seconds_later(300))] {
            let id = arrive(store, &bill(number, "10")).await;
            let work = read(store, lease_one(store, NOW).await).await;
            let (gathered, _) = verdict(store, &work).await;
            let case = store.case(id).await.unwrap();
            let judgement = case::judge(&case, &gathered.known, &policy(), at);
            let event = Event::Reconciled(Box::new(judgement));
            let case = store.advance_on(&gathered, &work, event, &machine(), NOW).await.unwrap().case;
            assert_eq!((case.state, case.place), (State::InReview, Some(at)));
            assert!(!codes(&case).contains(&Code::BroughtLater), "{:?}", codes(&case));
            held.push(case);
        }
        let began = Timestamp(NOW.0 - 1_000_000);
        let Fact::Vendor(vendor) = vendors() else { unreachable!() };
        let moved = Fact::Vendor(Vendor { country: None, ..vendor });
        for (rows, key) in [(orders("100"), Key::order("PO-4501")), (moved, Key::vendor("V1"))] {
            import_at(store, &rows, began).await;
            let found = store.facts_by_key(&key, None).await.unwrap();
            let known_from = found.iter().find(|it| it.fact == rows).unwrap().known_from;
            assert!(seconds_later(300) < known_from, "{rows:?} {known_from}");
        }
        for case in &held {
            let extraction = case.extraction.as_ref().unwrap();
            let gathered = store.gather(case, &|known| case::wanted(extraction, known, &policy())).await.unwrap();
            let again = case::judge(case, &gathered.known, &policy(), seconds_later(1));
            assert!(again.findings.iter().any(|it| it.code == Code::BroughtLater), "{:?}", again.findings);
        }
        // They are looked at now, and not when the clock that is ahead says so.
        assert_eq!(store.woken(9, seconds_later(1)).await.unwrap().len(), 2);
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
        decide(store, &quick, other_due_date(), &reviewer).await.unwrap();
        let quick = to_rest(store, lease_one(store, NOW).await).await;
        assert_eq!(quick.stopped(), None, "one of the two can be paid");
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
            let gathered = store.gather_facts(&|known| wanted_of_payment(&payment(7), known)).await.unwrap();
            store.keep_settlement(&gathered, settlement, &by, NOW).await.unwrap();
            store.import(FactKind::Payments, &payments, &by, NOW).await.unwrap();
            let (newest, _) = store.unsettled(None).await.unwrap();
            assert_eq!(newest.iter().any(|(_, it)| it == settlement), waits);
            assert!(waits || newest.iter().all(|(it, _)| it.payment_id != "B-7"));
        }
    })
    .await;
}

/// Both of two cases are compared with the same facts before either verdict is written, and then both are written at
/// once; whoever must look again does.
/// Sent to the ledger, and booked there.
async fn booked(store: &Store) -> Case {
    let work = lease_one(store, NOW).await;
    assert_eq!(work.action, Action::Send);
    let answer = Answer::Booked { reference: "JE-1".into() };
    let event = Event::Answered { answer, checkpoints: Vec::new() };
    store.advance(&work, event, &machine(), NOW).await.unwrap().case
}

#[tokio::test(flavor = "multi_thread")]
async fn the_booked_first_of_a_split_is_told_of_each_that_follows_once_and_as_soon_as_it_can_be() {
    on_both(async |place| {
        let store = &place.store;
        master_data(store, "1000").await;
        import(store, &orders("1000")).await;
        let awake = async |id| store.woken(100, NOW).await.unwrap().contains(&id);
        let together = |case: &Case| {
            let split = case.findings.iter().filter(|it| it.code == Code::Split);
            split.map(|it| it.operands["together"].clone()).collect::<Vec<_>>()
        };
        let second_person = person("usr_ravi", &[Role::Reviewer], 2);

        let id = arrive(store, &bill("RE-1", "240")).await;
        let first = to_rest(store, lease_one(store, NOW).await).await;
        decide(store, &first, Verdict::Approve, &person("usr_rita", &[Role::Reviewer], 1)).await.unwrap();
        // The second comes while the ledger is asked.
        let sent = lease_one(store, NOW).await;
        arrive(store, &bill("RE-2", "245")).await;
        let second = to_rest(store, lease_one(store, NOW).await).await;
        assert_eq!((second.state, codes(&second)), (State::InReview, vec![Code::Split]));
        assert!(!awake(id).await, "it is on its way into the ledger");
        assert_eq!(work::judge_again(store, &policy(), id, NOW).await.unwrap().state, State::Approved);
        store.put_back(&sent, NOW).await.unwrap();
        booked(store).await;
        assert!(awake(id).await);
        // Whoever comes after a crash finds it.
        let case = work::judge_again(&place.another().await, &policy(), id, NOW).await.unwrap();
        assert_eq!((case.state, together(&case)), (State::InReview, vec!["19400".to_owned()]));
        assert_eq!(checkpoints(&case), ["amount-level-1", "other-findings", "amount-level-2"]);
        assert!(!awake(id).await);

        // The third comes while people look at it.
        arrive(store, &bill("RE-3", "230")).await;
        to_rest(store, lease_one(store, NOW).await).await;
        assert!(!awake(id).await, "in review it waits for people alone");
        let case = decide(store, &case, Verdict::Approve, &second_person).await.unwrap();
        assert!(case.state == State::Posted && awake(id).await);
        let case = work::judge_again(store, &policy(), id, NOW).await.unwrap();
        assert_eq!((case.state, together(&case)), (State::InReview, vec!["19400".to_owned(), "28600".to_owned()]));

        let case = decide(store, &case, Verdict::Approve, &second_person).await.unwrap();
        assert!(awake(id).await);
        assert_eq!(work::judge_again(store, &policy(), id, NOW).await.unwrap(), case, "nothing is new to it");
        assert_eq!((case.state, awake(id).await), (State::Posted, false));
        assert_eq!(lease_one(store, NOW).await.action, Action::Archive, "it is not sent again");
    })
    .await;
}

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

fn codes(case: &Case) -> Vec<Code> {
    case.findings.iter().map(|finding| finding.code).collect()
}

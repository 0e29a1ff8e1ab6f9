use super::*;

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
            let id = admitted(store, arrival, NOW).await;
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
async fn a_sealed_file_with_one_flipped_byte_or_gone_is_named() {
    for place in stores().await {
        let mut expected = Vec::new();
        for (n, at) in [Some(0_usize), Some(40), Some(usize::MAX), None].into_iter().enumerate() {
            let id = admit(&place.store, &[n as u8; 100]).await;
            let file = place.store.case(id).await.unwrap().original;
            let path = place.sealed(file);
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
            let id = admit(&place.store, &vec![7; size]).await;
            files.push((place.store.case(id).await.unwrap().original, id));
        }
        for (file, id) in &files {
            let whole = std::fs::read(place.sealed(*file)).unwrap();
            for at in [0, 50, 127, 128, whole.len() / 2, whole.len() - 1] {
                let mut flipped = whole.clone();
                flipped[at] ^= 1 << (at % 8);
                std::fs::write(place.sealed(*file), flipped).unwrap();
                let mut told = Vec::new();
                let report =
                    place.store.check_seals(0, None, NOW, &mut |done, of| told.push((done, of))).await.unwrap();
                let about: Vec<_> = report.faults.iter().map(|fault| fault.about.clone()).collect();
                assert_eq!(about, [format!("file {file} of case {id}")], "byte {at}");
                assert_eq!((report.seals_opened, report.more_faults), (3, 0));
                assert_eq!(told, [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]);
            }
            std::fs::write(place.sealed(*file), whole).unwrap();
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
        for file in files_below(&place.folder()) {
            std::fs::remove_file(file).unwrap();
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
async fn a_case_that_does_not_open_is_counted_and_stops_no_replay() {
    for place in stores().await {
        let store = &place.store;
        let broken = admit(store, b"one").await;
        admit(store, b"another").await;
        let sql = format!("UPDATE cases SET body = last_entry WHERE case_id = '{broken}'");
        assert_eq!(place.execute(&sql).await.unwrap(), 1);
        let by = person("usr_rita", &[Role::Reviewer], 1);
        let (sum, _) = store.replay(&policy(), NOW.date(), NOW.date(), &by, NOW, &mut |_, _| ()).await.unwrap();
        assert_eq!((sum.replayed, sum.not_replayable), (0, 2));
        place.remove().await;
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
        let reviewer = NewAccount {
            name: "Zeisigwald".into(),
            password: Some("Zeisigwald-Zeisigwald".into()),
            roles: vec![Role::Reviewer],
            level: 1,
        };
        store.create_account(reviewer, Some(&admin()), NOW).await.unwrap();
        store.sign_in("Zeisigwald", "wrong Zeisigwald", "Zeisigwald.example", NOW).await.unwrap();
        let SignIn::Open { actor, .. } =
            store.sign_in("Zeisigwald", "Zeisigwald-Zeisigwald", "Zeisigwald.example", NOW).await.unwrap()
        else {
            panic!("the password is right")
        };
        let (by, seen) = (actor.clone(), case.content());
        let decision = Decision { by, verdict: Verdict::Reject, reason: CANARY.into(), seen, at: NOW };
        store.apply(case.id, case.revision, Event::Decided(decision), &actor, NOW).await.unwrap();
        place.entries().await;

        assert!(place.holds(&case.id.to_string()).await, "what is not secret is found, so the search works");
        assert!(!place.holds(CANARY).await, "`{CANARY}` is readable at rest on {}", store.database());
    })
    .await;
}

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn every_entry_about_a_case_has_a_receipt_and_the_last_says_that_they_were_handed_out() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        let (id, other) = (quarantined(store, b"noise").await, quarantined(store, b"other noise").await);
        // More than a tile of entries, so that the receipts need several.
        for _ in 0..300 {
            store.view(other, &auditor(), NOW).await.unwrap();
        }
        store.view(id, &auditor(), NOW).await.unwrap();
        let about = |entries: &[Body]| entries.iter().filter(|it| is_about(it, id)).count() as u64;
        let before = about(&place.entries().await);
        let out = dir.path().join("receipts");
        let proved = store.prove_case(id, &out, false, &auditor(), NOW).await.unwrap();
        assert_eq!((proved.given.receipts, proved.given.unproved, proved.given.openings), (before + 1, 0, 0));
        assert_eq!(about(&place.entries().await), before + 1);

        let receipts = receipts_in(&out, &proved.head.verifier_key);
        assert_eq!(receipts.len() as u64, before + 1);
        assert!(receipts.values().all(|body| is_about(body, id)));
        let last = receipts.values().next_back().unwrap();
        assert_eq!((last.act, &last.d["receipts"]), (Act::LogProve, &Value::Integer(proved.given.receipts as i64)));
        assert!(!out.join("openings.jsonl").exists(), "nobody asked for them");
        as_the_readme_says(&out, *receipts.keys().next().unwrap(), &proved.head.verifier_key);

        let again = store.prove_case(id, &dir.path().join("again"), false, &auditor(), NOW).await.unwrap();
        assert_eq!(again.given.receipts, before + 2);
        receipts_in(&out, &proved.head.verifier_key);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_fails_for_any_other_entry_and_when_anything_in_it_is_changed() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        let id = quarantined(store, b"noise").await;
        let proved = store.prove_case(id, dir.path(), false, &auditor(), NOW).await.unwrap();
        let keys = [VerifierKey::parse(&proved.head.verifier_key).unwrap()];
        let read = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
        let (entry, receipt) = (read("1.json"), read("1.tlog-proof"));
        assert_eq!(verify_receipt(&receipt, &entry, &keys).unwrap().index, 1);
        assert!(verify_receipt(&receipt, &read("0.json"), &keys).is_err());
        for at in 0..entry.len() {
            let mut changed = entry.clone();
            changed[at] ^= 1;
            assert!(verify_receipt(&receipt, &changed, &keys).is_err(), "byte {at} of the entry");
        }
        for at in 0..receipt.len() {
            let mut changed = receipt.clone();
            changed[at] ^= 1;
            assert!(verify_receipt(&changed, &entry, &keys).is_err(), "byte {at} of the receipt");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_are_whole_while_others_write_and_sign() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        let (id, other) = (quarantined(store, b"noise").await, quarantined(store, b"other noise").await);
        store.sign_log(NOW).await.unwrap();
        // A newer head takes the tiles of the right edge away from the one before it.
        let mut writing = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let busy = place.another().await;
            writing.spawn(async move {
                for _ in 0..60 {
                    busy.view(other, &auditor(), NOW).await.unwrap();
                    busy.seal_log(NOW).await.unwrap();
                    busy.sign_log(NOW).await.unwrap();
                }
            });
        }
        let mut n = 0;
        while !writing.is_empty() {
            writing.try_join_next().into_iter().for_each(|done| done.unwrap());
            let out = dir.path().join(n.to_string());
            let proved = store.prove_case(id, &out, true, &auditor(), NOW).await.unwrap();
            assert_eq!(receipts_in(&out, &proved.head.verifier_key).len() as u64, proved.given.receipts);
            n += 1;
        }
        while let Some(done) = writing.join_next().await {
            done.unwrap();
        }
        assert!(3 < n, "{n} receipts while others wrote");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_given_before_and_after_the_log_has_a_new_key_verify_with_the_key_of_their_head() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        let id = quarantined(store, b"noise").await;
        let before = store.prove_case(id, &dir.path().join("before"), false, &auditor(), NOW).await.unwrap();
        let rotated = store.rotate_log_key(&admin(), NOW).await.unwrap();
        let after = store.prove_case(id, &dir.path().join("after"), false, &auditor(), NOW).await.unwrap();
        assert_ne!(before.head.verifier_key, after.head.verifier_key);
        assert_eq!(rotated.verifier_key, after.head.verifier_key);
        assert_eq!(receipts_in(&dir.path().join("before"), &before.head.verifier_key).len(), 3);
        assert_eq!(receipts_in(&dir.path().join("after"), &after.head.verifier_key).len(), 4);
        let report = store.report(today(), &auditor(), NOW).await.unwrap();
        let told: Vec<_> = report.keys.first.iter().map(|it| (it.act, it.said["after"].clone())).collect();
        assert_eq!(told, [("key.rotate", rotated.verifier_key)]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_went_on_in_a_new_log_has_receipts_from_both() {
    for place in stores().await {
        let (old, dir) = (&place.store, TempDir::new().unwrap());
        let id = quarantined(old, b"noise").await;
        let key = {
            old.seal_log(NOW).await.unwrap();
            old.sign_log(NOW).await.unwrap();
            old.head().await.unwrap().unwrap().verifier_key
        };
        // One entry that no head of the old log covers.
        old.view(id, &auditor(), NOW).await.unwrap();
        old.seal_log(NOW).await.unwrap();
        old.begin_log("audit.test.example/tests/2", "moved to another house", &admin(), NOW).await.unwrap();
        let config = store::Config { origin: "audit.test.example/tests/2".into(), ..place.config.clone() };
        let new = Store::open(&config).await.unwrap();
        new.view(id, &auditor(), NOW).await.unwrap();

        let proved = new.prove_case(id, dir.path(), true, &auditor(), NOW).await.unwrap();
        assert_eq!((proved.given.receipts, proved.given.unproved), (4, 1));
        // Each log has its own key, and so its own folder.
        let new_key = proved.head.verifier_key.clone();
        assert_eq!(proved.folders, BTreeMap::from([("log-1".into(), key.clone()), ("log-2".into(), new_key.clone())]));
        let (earlier, later) =
            (receipts_in(&dir.path().join("log-1"), &key), receipts_in(&dir.path().join("log-2"), &new_key));
        let acts = |receipts: &BTreeMap<u64, Body>| -> Vec<(u64, &str)> {
            receipts.iter().map(|(index, body)| (*index, body.act.text())).collect()
        };
        assert_eq!(acts(&earlier), [(0, "case.admit"), (1, "case.quarantine")]);
        assert_eq!(acts(&later), [(1, "document.view"), (2, "log.prove")]);
        assert_eq!(later[&2].d["receipts"], Value::Integer(4));
        assert_eq!(openings_in(&dir.path().join("log-1"), |i| earlier[&i].clone()).len(), 4);
        let readme = std::fs::read_to_string(dir.path().join("README.md")).unwrap();
        assert!(readme.contains(&key) && readme.contains("For 1 entries of earlier logs"), "{readme}");

        let report = new.report(today(), &auditor(), NOW).await.unwrap();
        let parts: Vec<_> = report.logs.iter().map(|it| (it.log, it.first, it.last)).collect();
        assert_eq!((parts, report.entries), (vec![(1, 0, 2), (2, 0, 3)], 7));
        let told: Vec<_> = report.keys.first.iter().map(|it| (it.log, it.act)).collect();
        assert_eq!(told, [(2, "log.begin")]);
        assert_eq!(new.check(true, None, NOW).await.unwrap().faults, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_not_mixed_with_what_lies_in_a_folder_already() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        let id = quarantined(store, b"noise").await;
        std::fs::write(dir.path().join("7.json"), "of last year").unwrap();
        let refused = store.prove_case(id, dir.path(), false, &auditor(), NOW).await;
        assert!(matches!(&refused, Err(Error::Unacceptable { what }) if what.contains("`7.json`")), "{refused:?}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(place.entries().await.iter().all(|it| it.act != Act::LogProve), "nothing was handed out");
    })
    .await;
}

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn openings_fit_the_commitments_of_their_entries() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        let id = quarantined(store, b"noise").await;
        let out = dir.path().join("receipts");
        let proved = store.prove_case(id, &out, true, &auditor(), NOW).await.unwrap();
        let receipts = receipts_in(&out, &proved.head.verifier_key);
        let committed: usize = receipts.values().map(|body| body.c.len()).sum();
        let openings = openings_in(&out, |i| receipts[&i].clone());
        assert_eq!((openings.len(), proved.given.openings), (committed, committed as u64));
        let told = |path: &str| openings.iter().find(|it| it.0 == path).map(|it| it.1.clone());
        assert_eq!(told("source"), Some(json!("document")));
        assert_eq!(told("digest"), Some(json!(Digest::of(b"noise").to_string())));
        assert_eq!(told("reason"), Some(json!("not a format this reader knows")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commitments_that_nobody_can_open_any_more_are_counted() {
    for place in stores().await {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        let id = quarantined(store, b"noise").await;
        // As erasing does.
        assert_eq!(place.execute(&format!("DELETE FROM log_openings WHERE object = '{id}'")).await.unwrap(), 2);
        let after = store.prove_case(id, &dir.path().join("after"), true, &auditor(), NOW).await.unwrap();
        assert_eq!((after.given.openings, after.given.erased), (0, 4));
        assert_eq!(std::fs::read(dir.path().join("after/openings.jsonl")).unwrap(), b"");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_of_another_entry_is_not_handed_out() {
    for place in stores().await {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        let id = quarantined(store, b"noise").await;
        let entries = place.entries().await;
        let (admit, quarantine) = (&entries[0].id, &entries[1].id);
        let swap = format!(
            "UPDATE log_openings SET body = (SELECT body FROM log_openings WHERE entry_id = '{admit}')
             WHERE entry_id = '{quarantine}'"
        );
        assert_eq!(place.execute(&swap).await.unwrap(), 1);
        let refused = store.prove_case(id, &dir.path().join("receipts"), true, &auditor(), NOW).await;
        assert!(matches!(refused, Err(Error::Vault(_))), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_with_openings_opens_every_commitment_of_the_whole_log_in_order() {
    on_both(async |place| {
        let (store, dir) = (&place.store, TempDir::new().unwrap());
        for n in 0..5_u8 {
            quarantined(store, &[n]).await;
        }
        assert!(matches!(store.sign_in("nobody", "wrong", "192.0.2.7", NOW).await, Ok(store::SignIn::Wrong)));
        for _ in 0..2 {
            // The second continues the first.
            let exported = store.export_log(dir.path(), &auditor(), NOW, &mut |_, _| {}).await.unwrap();
            let given = store.export_openings(&exported, &auditor(), NOW, &mut |_, _| {}).await.unwrap();
            support::verify_export(dir.path(), &exported.head.verifier_key);
            let entries = exported_bodies(dir.path(), exported.head.size);
            let committed: usize = entries.iter().map(|body| body.c.len()).sum();
            let openings = openings_in(dir.path(), |i| entries[i as usize].clone());
            assert_eq!((openings.len(), given.openings, given.erased), (committed, committed as u64, 0));
            assert!(openings.contains(&("address".to_owned(), json!("192.0.2.7"))));
        }
    })
    .await;
}

use std::sync::atomic::{AtomicU64, Ordering};

use store::ServiceSign;

use super::*;

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
        drop_triggers(&place).await;
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
        drop_triggers(&place).await;
        assert_eq!(place.execute("DELETE FROM log_entries WHERE position = 2").await.unwrap(), 1);
        let faults = faults(&place).await;
        let head = ("head 3".to_owned(), "it was signed, and the log has 2 entries".to_owned());
        assert!(faults.contains(&head), "{faults:?}");
        let dir = TempDir::new().unwrap();
        place.store.export_log(dir.path(), &auditor(), NOW, &mut |_, _| {}).await.unwrap_err();
        assert!(!dir.path().join("checkpoint").exists(), "a log that its head contradicts is not handed out");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_taken_away_before_it_was_sealed_is_missed() {
    // On SQLite no entry ever waits.
    for place in stores().await.into_iter().filter(Place::on_postgres) {
        let id = admit(&place.store, b"unwitnessed").await;
        assert_eq!(place.execute("DELETE FROM log_outbox").await.unwrap(), 1);
        assert_eq!(faults(&place).await, [(format!("case {id}"), "the log does not know it".to_owned())]);
    }
}

/// Those that keep the log from being changed; each database has its own.
async fn drop_triggers(place: &Place) {
    for trigger in ["log_entries_no_update", "log_entries_no_delete", "log_entries_no_change ON log_entries"] {
        let _ = place.execute(&format!("DROP TRIGGER {trigger}")).await;
    }
}

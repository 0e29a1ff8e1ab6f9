use sqlx::{Connection, PgConnection};
use store::{Happening, NewAccount, PolicyStanding, ServiceSign};
use support::{POLICIES, body_of, policy, policy_within};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_taken_at_rest_brings_everything_back_on_either_database() {
    on_both(async |place| {
        let store = &place.store;
        let (open, rests) = (admit(store, b"open").await, quarantined(store, b"rests").await);
        let erased = quarantined(store, b"erased").await;
        erase(store, erased).await;
        let again = store.admit(arrival(b"open", "b.pdf", "mail"), &machine(), NOW).await.unwrap();
        assert!(matches!(again, Admission::Duplicate(_)));
        store.policy_loaded(&policy(), POLICIES, &machine(), NOW).await.unwrap();
        let (looser, looser_texts) = policy_within("5");
        let looser_texts = looser_texts.each_ref().map(String::as_str);
        let adam = person("usr_adam", &[Role::Admin], 1);
        store.propose_policy(&looser, looser_texts, &adam, NOW).await.unwrap();
        let second = person("usr_second", &[Role::Reviewer], 2);
        store.approve_policy(&looser.digest.to_string(), None, &second, NOW).await.unwrap();
        let ada = NewAccount {
            name: "Ada".into(),
            password: Some("seventeen green baskets".into()),
            roles: vec![Role::Auditor],
            level: 1,
        };
        let ada = store.create_account(ada, None, NOW).await.unwrap();
        let link = store.one_time_link(&ada.id, NOW).await.unwrap();
        store.record_service(ServiceSign::Start, NOW).await.unwrap();

        let shelf = Shelf::new();
        // Work that sends a booking, and was not begun yet.
        place.execute("UPDATE work SET action = 'Send'").await.unwrap();
        let taken = shelf.take(store, NOW).await;
        place.execute("UPDATE work SET action = 'Extract'").await.unwrap();
        assert_eq!((taken.files, taken.new_files, taken.keys), (2, 2, 3));
        for database in databases().await {
            // Nothing was signed since: it is as long as the log is known to be.
            let fresh = Fresh::new(&place.config, database).with_signed_head(&place.config);
            let restored = fresh.restore(&shelf, None, false).await.unwrap();
            assert_eq!(restored.report.faults, []);
            assert_eq!((restored.known, restored.goes_on, restored.missing), (restored.size, true, 0));
            assert_eq!((restored.erased_since.len(), restored.report.cases, restored.report.seals_opened), (0, 3, 2));
            assert_eq!(restored.policy.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), POLICIES);
            let told = serde_json::to_value(&restored).unwrap();
            assert_eq!(told["policy"], serde_json::json!(case::POLICY_FILES));
            let other = fresh.open().await;
            assert_eq!(other.case(open).await.unwrap(), store.case(open).await.unwrap());
            assert_eq!(other.case(erased).await.unwrap(), store.case(erased).await.unwrap());
            assert_eq!(original(&other, rests).await.unwrap(), b"rests");
            assert_eq!(other.accounts().await.unwrap(), store.accounts().await.unwrap());
            assert_eq!(acts(&other.history(rests).await.unwrap()), acts(&store.history(rests).await.unwrap()));
            // An approval that may have been used since puts nothing in force.
            let stands = other.policy_loaded(&looser, looser_texts, &machine(), NOW).await.unwrap();
            assert!(matches!(stands, PolicyStanding::Waits { proposed_by: None, .. }), "{stands:?}");
            // A link that may have been used since signs nobody in.
            assert!(other.sign_in_by_link(&link, "", NOW).await.unwrap().is_none());
            // It goes on: work is done, the log grows and is signed.
            let work = other.lease(9, NOW).await.unwrap();
            // It may have been sent since: the second attempt asks before it sends.
            assert_eq!(work.iter().map(|it| (it.case, it.attempt)).collect::<Vec<_>>(), [(open, 2)]);
            other.advance(&work[0], unreadable(), &machine(), NOW).await.unwrap();
            admit(&other, b"new").await;
            other.seal_log(NOW).await.unwrap();
            other.sign_log(NOW).await.unwrap();
            assert_eq!(other.check(true, None, NOW).await.unwrap().faults, []);
            let again = fresh.restore(&shelf, None, true).await.unwrap_err().to_string();
            assert!(again.contains("the database has rows already"), "{again}");
            other.close().await;
        }
    })
    .await;
}

fn acts(history: &[Happening]) -> Vec<&str> {
    history.iter().map(|it| it.act).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_taken_while_documents_come_in_is_of_one_moment() {
    on_both(async |place| {
        let store = &place.store;
        let shelf = Shelf::new();
        let coming = async {
            for n in 0..60_u8 {
                let id = quarantined(store, &[n; 1000]).await;
                if n % 8 == 3 {
                    erase(store, id).await;
                }
            }
        };
        let taking = async {
            let mut sizes = Vec::new();
            for n in 0..3 {
                sizes.push(store.backup(&shelf.place(), 7, &admin(), seconds_later(n), &mut |_, _, _| {}).await);
            }
            sizes
        };
        let (_, taken) = tokio::join!(coming, taking);
        store.seal_log(NOW).await.unwrap();
        store.sign_log(NOW).await.unwrap();
        let taken: Vec<_> = taken.into_iter().map(Result::unwrap).collect();
        assert!(taken.iter().all(|it| it.whole()), "{taken:?}");
        let newest = taken.last().unwrap();
        for database in databases().await {
            let fresh = Fresh::new(&place.config, database);
            let restored = fresh.restore(&shelf, None, false).await.unwrap();
            assert_eq!(
                (restored.report.faults.as_slice(), restored.erased_since.len() as u64),
                ([].as_slice(), newest.erased)
            );
            // Of some of them the files were copied before they were erased.
            assert!(restored.missing <= newest.erased);
            assert_eq!(restored.snapshot, newest.snapshot);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_older_than_the_log_is_refused_unless_told_and_its_log_does_not_go_on() {
    on_both(async |place| {
        let store = &place.store;
        let kept = quarantined(store, b"kept").await;
        let shelf = Shelf::new();
        let taken = shelf.take(store, NOW).await;
        quarantined(store, b"lost").await;
        store.seal_log(NOW).await.unwrap();
        store.sign_log(NOW).await.unwrap();
        let known = store.head().await.unwrap().unwrap().size;

        let fresh = Fresh::new(&place.config, None).with_signed_head(&place.config);
        let refused = fresh.restore(&shelf, None, false).await.unwrap_err();
        assert!(
            matches!(refused, Error::Older { has, known: of, .. } if has == taken.size && of == known),
            "{refused}"
        );
        assert!(refused.to_string().contains(&format!("the {} entries after it", known - taken.size)), "{refused}");
        assert!(fresh.is_empty());

        let restored = fresh.restore(&shelf, None, true).await.unwrap();
        assert_eq!((restored.size, restored.known, restored.goes_on), (taken.size, known, false));
        let other = fresh.open().await;
        assert_eq!(original(&other, kept).await.unwrap(), b"kept");
        let stopped = other.admit(arrival(b"next", "n.pdf", "inbox"), &machine(), NOW).await.unwrap_err();
        assert!(matches!(stopped, Error::LogStopped { .. }), "{stopped}");
        let rolled_back = other.sign_log(NOW).await.unwrap_err();
        assert!(matches!(rolled_back, Error::RolledBack { was, now } if was == known && now == taken.size));
        other.begin_log("audit.test.example/tests/2", "restored", &admin(), NOW).await.unwrap();
        other.close().await;
        let config = Config { origin: "audit.test.example/tests/2".into(), ..fresh.config.clone() };
        let other = Store::open(&config).await.unwrap();
        admit(&other, b"next").await;
        other.seal_log(NOW).await.unwrap();
        other.sign_log(NOW).await.unwrap();
        assert_eq!(other.check(true, None, NOW).await.unwrap().faults, []);

        // A witness's word counts as much, where nothing was noted here.
        let fresh = Fresh::new(&place.config, None);
        let backup = Backup::open(&fresh.config.keys, &shelf.place(), None).await.unwrap();
        let ask = RestoreAsk { older: false, witnessed: Some(("w1.example".into(), known)) };
        let refused =
            Store::restore(&fresh.config, backup, &ask, NOW, &mut |_, _, _| {}).await.unwrap_err().to_string();
        assert!(refused.contains(&format!("the witness `w1.example` cosigned {known}")), "{refused}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restoring_that_was_cut_short_is_taken_up() {
    let place = &stores().await[0];
    quarantined(&place.store, b"kept").await;
    let shelf = Shelf::new();
    shelf.take(&place.store, NOW).await;
    let fresh = Fresh::new(&place.config, None);
    let vault = fresh.vault();
    // Its files are there, one of them in the making, and no row yet.
    fresh.put_files(&shelf);
    let id = files_below(vault)[0].file_stem().unwrap().to_owned();
    fs::create_dir_all(vault.join("new")).unwrap();
    fs::rename(&files_below(vault)[0], vault.join("new").join(id)).unwrap();
    assert_eq!(fresh.restore(&shelf, None, false).await.unwrap().report.faults, []);

    // A file of somebody else's is left alone, and so is the rest.
    let fresh = Fresh::new(&place.config, None);
    let stranger = fresh.vault().join("00/00000000-0000-7000-8000-000000000000.sealed");
    fs::create_dir_all(stranger.parent().unwrap()).unwrap();
    fs::write(&stranger, "CSGN-SEAL").unwrap();
    let refused = fresh.restore(&shelf, None, false).await.unwrap_err().to_string();
    assert!(refused.contains("which this backup has not"), "{refused}");
    assert!(!Path::new(&fresh.config.database).exists() && stranger.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restoring_that_breaks_off_behind_its_rows_says_so_and_has_left_nothing_out() {
    let place = &stores().await[0];
    let (erased, kept) = (quarantined(&place.store, b"erased").await, quarantined(&place.store, b"kept").await);
    let shelf = Shelf::new();
    let first = shelf.take(&place.store, NOW).await;
    let broken = async |older: Option<&str>| {
        let fresh = Fresh::new(&place.config, None);
        // The published log cannot be put there.
        let config = Config { log: fresh.config.keys.folder.join("keys/log"), ..fresh.config.clone() };
        let backup = Backup::open(&config.keys, &shelf.place(), older).await.unwrap();
        let ask = RestoreAsk { older: older.is_some(), witnessed: None };
        let broken = Store::restore(&config, backup, &ask, NOW, &mut |_, _, _| {}).await.unwrap_err();
        assert!(
            matches!(broken, Error::Uncompared(_)) && broken.to_string().contains("do not restore again"),
            "{broken}"
        );
        fresh
    };
    let fresh = broken(None).await;
    assert_eq!(acts_in(&fresh.config.database).await.last().unwrap(), "backup.restore");
    let again = fresh.restore(&shelf, None, false).await.unwrap_err().to_string();
    assert!(again.contains("by its log a restoring came to its end"), "{again}");
    assert_eq!(fresh.open().await.check(true, None, NOW).await.unwrap().faults, []);

    erase(&place.store, erased).await;
    shelf.take(&place.store, seconds_later(60)).await;
    let fresh = broken(Some(&first.snapshot)).await;
    assert_eq!(files_below(fresh.vault()).len(), 1);
    assert_eq!(original(&fresh.open().await, kept).await.unwrap(), b"kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_waited_when_a_backup_was_taken_come_back_an_hour_later_too() {
    for place in stores().await.iter().filter(|place| place.on_postgres()) {
        quarantined(&place.store, b"sealed").await;
        place.store.seal_log(NOW).await.unwrap();
        // Somebody seals, and is slow.
        let mut sealer = PgConnection::connect(&place.config.database).await.unwrap();
        sqlx::query("SELECT pg_advisory_lock(7165074649429406323)").execute(&mut sealer).await.unwrap();
        quarantined(&place.store, b"waits").await;
        let shelf = Shelf::new();
        let taken = shelf.take(&place.store, NOW).await;
        sqlx::query("SELECT pg_advisory_unlock(7165074649429406323)").execute(&mut sealer).await.unwrap();
        place.store.seal_log(NOW).await.unwrap();
        assert!(taken.size < place.entries().await.len() as u64);
        for database in databases().await {
            let fresh = Fresh::new(&place.config, database);
            let backup = Backup::open(&fresh.config.keys, &shelf.place(), None).await.unwrap();
            let (ask, later) = (RestoreAsk::default(), seconds_later(3600));
            let restored = Store::restore(&fresh.config, backup, &ask, later, &mut |_, _, _| {}).await.unwrap();
            assert_eq!((restored.report.faults.as_slice(), restored.goes_on), ([].as_slice(), true));
            let acts = acts_in(&fresh.config.database).await;
            assert_eq!(acts.len(), place.entries().await.len() + 1);
            assert_eq!(acts.last().unwrap(), "backup.restore");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looked_at_an_empty_workspace_or_brought_its_keys_back_can_restore_into_it() {
    on_both(async |place| {
        quarantined(&place.store, b"kept").await;
        let shelf = Shelf::new();
        shelf.take(&place.store, NOW).await;
        for (recoveries, sealed) in [(0, false), (1, false), (2, true)] {
            for database in databases().await {
                let fresh = Fresh::new(&place.config, database);
                let looked = fresh.open().await;
                for _ in 0..recoveries {
                    looked.tell_recovery("a set", NOW).await.unwrap();
                }
                if sealed {
                    looked.seal_log(NOW).await.unwrap();
                }
                looked.close().await;
                let restored = fresh.restore(&shelf, None, false).await.unwrap();
                assert_eq!((restored.report.faults.as_slice(), restored.given_up), ([].as_slice(), recoveries));
                let acts = acts_in(&fresh.config.database).await;
                assert!(!acts.contains(&"key.recover".to_owned()) && acts.last().unwrap() == "backup.restore");
                // The log is append-only again.
                assert!(support::execute(&fresh.config.database, "DELETE FROM log_entries").await.is_err());
            }
        }
        for database in databases().await {
            let fresh = Fresh::new(&place.config, database);
            let used = fresh.open().await;
            used.record_service(ServiceSign::Start, NOW).await.unwrap();
            used.close().await;
            let before = acts_in(&fresh.config.database).await;
            let refused = fresh.restore(&shelf, None, false).await.unwrap_err().to_string();
            assert!(refused.contains("has rows already, in `log_") && refused.contains("`database`"), "{refused}");
            assert_eq!(acts_in(&fresh.config.database).await, before);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_by_a_clock_that_was_ahead_does_not_stand_before_those_after_it() {
    let place = &stores().await[0];
    let store = &place.store;
    quarantined(store, b"kept").await;
    let shelf = Shelf::new();
    let ahead = shelf.take(store, seconds_later(30 * DAY)).await;
    let right = shelf.take(store, NOW).await;
    assert!(right.snapshot < ahead.snapshot && right.key_tables_removed == 1);
    let backup = Backup::open(&place.config.keys, &shelf.place(), None).await.unwrap();
    assert_eq!((backup.snapshot, backup.passed_over), (right.snapshot.clone(), vec![ahead.snapshot.clone()]));
    let refused = Backup::open(&place.config.keys, &shelf.place(), Some(&ahead.snapshot)).await;
    // One that is named is taken or refused, never exchanged.
    let why = refused.unwrap_err().to_string();
    assert!(
        why.contains("it is older than the snapshot") && why.contains(&format!("`--snapshot {}`", right.snapshot)),
        "{why}"
    );
}

/// The acts in the log of a database, and of those that wait.
async fn acts_in(database: &str) -> Vec<String> {
    let sealed = support::bytes(database, "SELECT leaf FROM log_entries ORDER BY log, position").await;
    let waiting = support::bytes(database, "SELECT entry FROM log_outbox ORDER BY position").await;
    let waiting = waiting.iter().map(|entry| audit::Body::parse(entry).unwrap());
    sealed.iter().map(|leaf| body_of(leaf)).chain(waiting).map(|body| body.act.text().to_owned()).collect()
}

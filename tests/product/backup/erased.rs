use case::State;
use store::Part;
use support::{hex, literal};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_erased_after_the_backup_opens_with_an_old_key_table_and_with_no_newer_one() {
    on_both(async |place| {
        let store = &place.store;
        let (erased, kept) = (quarantined(store, b"erased").await, quarantined(store, b"kept").await);
        // Somebody could find it.
        let term = literal(&place.config.database, &[1]);
        let sql = format!("INSERT INTO case_terms (term_key, case_id) VALUES ({term}, '{erased}')");
        place.execute(&sql).await.unwrap();
        let shelf = Shelf::new();
        let first = shelf.take(store, NOW).await;
        let old = Shelf::new();
        fs::create_dir(old.place().keys).unwrap();
        fs::copy(shelf.place().keys.join(&first.key_table), old.place().keys.join(&first.key_table)).unwrap();
        erase(store, erased).await;
        // The case says none of its own, so this one goes as it came.
        place.execute("DELETE FROM case_terms").await.unwrap();
        let second = shelf.take(store, seconds_later(DAY)).await;
        assert_eq!(second.key_tables_removed, 0);

        for database in databases().await {
            // The older snapshot with the newer key table: by the key table alone it is known to be older.
            let fresh = Fresh::new(&place.config, database);
            let refused = fresh.restore(&shelf, Some(&first.snapshot), false).await.unwrap_err();
            assert!(matches!(refused, Error::Older { known, .. } if known == second.size), "{refused}");
            let restored = fresh.restore(&shelf, Some(&first.snapshot), true).await.unwrap();
            assert_eq!((restored.erased_since.as_slice(), restored.goes_on), ([erased].as_slice(), false));
            let other = fresh.open().await;
            let case = other.case(erased).await.unwrap();
            assert_eq!((case.state, case.disposal.is_none()), (State::Erased, true));
            assert!(original(&other, erased).await.is_err());
            assert_eq!(original(&other, kept).await.unwrap(), b"kept");
            // The only fault is that the log is shorter than the head that was signed.
            let report = other.check(true, None, NOW).await.unwrap();
            let mut about: Vec<_> = report.faults.iter().map(|it| it.about.as_str()).collect();
            about.dedup();
            assert_eq!(about, [format!("head {}", second.size)]);
            assert!(report.erased_since.contains(&erased) && report.erased_since.len() == 1);
            let why = other.certificate(erased, &legal("usr_ann"), NOW).await.unwrap_err().to_string();
            assert!(why.contains("after the backup"), "{why}");
            assert!(other.lease(9, NOW).await.unwrap().is_empty());
            // Even with its sealed file put back from the backup.
            fresh.put_files(&shelf);
            assert!(original(&other, erased).await.is_err());
            other.close().await;
        }

        // Whoever still has the key table of that day opens it: the reason for the clock.
        let with_old = BackupPlace { keys: old.place().keys, ..shelf.place() };
        let fresh = Fresh::new(&place.config, None);
        let backup = Backup::open(&fresh.config.keys, &with_old, Some(&first.snapshot)).await.unwrap();
        Store::restore(&fresh.config, backup, &RestoreAsk::default(), NOW, &mut |_, _, _| {}).await.unwrap();
        assert_eq!(original(&fresh.open().await, erased).await.unwrap(), b"erased");
        // But not what is newer than it: what came in since would pass for erased.
        let newer = Backup::open(&fresh.config.keys, &with_old, Some(&second.snapshot)).await.unwrap_err();
        assert!(newer.to_string().contains("it is older than the snapshot"), "{newer}");

        // A vault key that is retired takes every older key table with it.
        let before = store.key_uses().await.unwrap()[0].key.clone();
        store.rotate_vault_key(&admin(), NOW, &mut |_, _| ()).await.unwrap();
        store.retire_vault_key(&before, &admin(), NOW).await.unwrap();
        let fresh = Fresh::new(&place.config, None);
        let closed = Backup::open(&fresh.config.keys, &with_old, Some(&first.snapshot)).await.unwrap_err().to_string();
        assert!(closed.contains(&format!("needs vault key `{before}`")), "{closed}");

        // And the next backup after a week takes them away.
        let third = shelf.take(store, seconds_later(9 * DAY)).await;
        assert_eq!(third.key_tables_removed, 2);
        assert_eq!(third.new_files, 0);
        let left: Vec<_> = files_below(&shelf.place().keys).into_iter().filter(|it| !it.ends_with(".lock")).collect();
        assert_eq!(left, [shelf.place().keys.join(&third.key_table)]);
        let fresh = Fresh::new(&place.config, None);
        assert_eq!(fresh.restore(&shelf, None, false).await.unwrap().report.faults, []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_while_a_backup_is_taken_is_not_in_its_key_table() {
    on_both(async |place| {
        let store = &place.store;
        let (erased, kept) = (quarantined(store, b"erased").await, quarantined(store, b"kept").await);
        store.seal_log(NOW).await.unwrap();
        let shelf = Shelf::new();
        let mut done = false;
        // When its file was copied.
        let mut erasing = |part, n, all| {
            if part == Part::Files && n == all && !std::mem::replace(&mut done, true) {
                meanwhile(erase(store, erased));
            }
        };
        let taken = store.backup(&shelf.place(), 7, &admin(), NOW, &mut erasing).await.unwrap();
        assert_eq!((taken.erased, taken.keys, taken.missing.len(), taken.new_files), (1, 2, 0, 2));
        let table = fs::read_to_string(shelf.place().keys.join(&taken.key_table)).unwrap();
        assert!(!table.contains(&erased.to_string()) && table.contains(&kept.to_string()));
        let fresh = Fresh::new(&place.config, None);
        let restored = fresh.restore(&shelf, None, false).await.unwrap();
        assert_eq!((restored.erased_since, restored.report.faults), (vec![erased], vec![]));
        assert!(original(&fresh.open().await, erased).await.is_err());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_was_held_in_the_snapshot_and_is_erased_since_is_told_apart() {
    let place = &stores().await[0];
    let store = &place.store;
    let (held, erased) = (quarantined(store, b"held").await, quarantined(store, b"erased").await);
    let (ann, ben) = (legal("usr_ann"), legal("usr_ben"));
    let said = |by: &Actor| Statement { by: by.clone(), reason: "a suit".into(), at: NOW };
    let matter = "Smith v. Jones".to_owned();
    let event = Event::Held { matter: matter.clone(), said: said(&ann) };
    store.apply(held, store.case(held).await.unwrap().revision, event, &ann, NOW).await.unwrap();
    let shelf = Shelf::new();
    let first = shelf.take(store, NOW).await;
    let event = Event::HoldReleased { matter, said: said(&ben) };
    store.apply(held, store.case(held).await.unwrap().revision, event, &ben, NOW).await.unwrap();
    for id in [held, erased] {
        erase(store, id).await;
    }
    shelf.take(store, seconds_later(60)).await;
    let restored = Fresh::new(&place.config, None).restore(&shelf, Some(&first.snapshot), true).await.unwrap();
    assert_eq!((restored.erased_since.len(), restored.held), (2, vec![held]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_says_what_it_lacks_and_a_case_that_was_closed_before_does_not_pass_for_erased() {
    on_both(async |place| {
        let store = &place.store;
        let (kept, damaged) = (quarantined(store, b"kept").await, quarantined(store, b"damaged").await);
        let shelf = Shelf::new();
        let first = shelf.take(store, NOW).await;
        let lost = quarantined(store, b"lost").await;
        let mut files = Vec::new();
        for id in [kept, lost] {
            let file = store.case(id).await.unwrap().original;
            let path = place.sealed(file);
            files.push((file, fs::read(&path).unwrap(), path.clone()));
            fs::remove_file(path).unwrap();
        }
        let row = place.bytes(&format!("SELECT body FROM record_keys WHERE owner = '{damaged}'")).await.pop().unwrap();
        place.execute(&format!("DELETE FROM record_keys WHERE owner = '{damaged}'")).await.unwrap();

        let second = store.backup(&shelf.place(), 7, &admin(), seconds_later(60), &mut |_, _, _| {}).await.unwrap();
        assert!(!second.whole());
        // Of two files that the vault lost the backup has one already.
        assert_eq!((second.missing, second.closed), (vec![files[1].0], vec![damaged]));
        let third = store.backup(&shelf.place(), 7, &admin(), seconds_later(120), &mut |_, _, _| {}).await.unwrap();
        let fresh = Fresh::new(&place.config, None);
        let restored = fresh.restore(&shelf, Some(&second.snapshot), true).await.unwrap();
        assert_eq!((restored.erased_since.as_slice(), restored.known), ([].as_slice(), third.size));
        assert!(restored.report.faults.iter().any(|it| it.about == format!("case {damaged}")));
        assert_eq!(original(&fresh.open().await, kept).await.unwrap(), b"kept");
        assert!(original(&fresh.open().await, lost).await.is_err());
        // Nor in a snapshot of before its key was lost: the newer key table knows that it was not erased.
        let fresh = Fresh::new(&place.config, None);
        let restored = fresh.restore(&shelf, Some(&first.snapshot), true).await.unwrap();
        assert_eq!(restored.erased_since, []);
        assert!(restored.report.faults.iter().any(|it| it.about == format!("case {damaged}")));

        for (_, bytes, path) in files {
            fs::write(path, bytes).unwrap();
        }
        let (by, row) = (hex(&row[8..16]), literal(&place.config.database, &row));
        let sql = format!("INSERT INTO record_keys VALUES ('{damaged}', '{by}', {row})");
        place.execute(&sql).await.unwrap();
    })
    .await;
}

use store::{NewAccount, Part};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn only_an_administrator_takes_a_backup_and_never_with_its_keys_inside() {
    on_both(async |place| {
        let store = &place.store;
        let shelf = Shelf::new();
        let others = person("usr_1", &[Role::Reviewer, Role::Legal, Role::Auditor, Role::Operator], 2);
        let denied = store.backup(&shelf.place(), 7, &others, NOW, &mut |_, _, _| {}).await.unwrap_err();
        assert!(matches!(denied, Error::Denied(_)), "{denied}");
        for keys in [shelf.place().dir.join("keys"), shelf.place().dir, shelf.dir.path().to_owned()] {
            let inside = BackupPlace { keys, ..shelf.place() };
            let refused = store.backup(&inside, 7, &admin(), NOW, &mut |_, _, _| {}).await.unwrap_err().to_string();
            assert!(refused.contains("must not lie in each other"), "{refused}");
        }
        let gone = BackupPlace { dir: shelf.dir.path().join("not mounted/backup"), ..shelf.place() };
        assert!(matches!(store.backup(&gone, 7, &admin(), NOW, &mut |_, _, _| {}).await, Err(Error::Io { .. })));
        let entries = place.entries().await;
        assert!(entries.iter().all(|entry| entry.act.text() != "backup.take"));
        shelf.take(store, NOW).await;
        assert!(place.entries().await.iter().any(|entry| entry.act.text() == "backup.take"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_readable_is_in_a_backup() {
    on_both(async |place| {
        let store = &place.store;
        quarantined(store, format!("%PDF {CANARY}").as_bytes()).await;
        let account = NewAccount { name: CANARY.into(), password: None, roles: vec![Role::Admin], level: 1 };
        store.create_account(account, None, NOW).await.unwrap();
        let shelf = Shelf::new();
        shelf.take(store, NOW).await;
        let key_file = fs::read_to_string(place.config.keys.folder.join("keys")).unwrap();
        let secrets: Vec<&str> = key_file.lines().filter_map(|line| line.split(' ').nth(2)).collect();
        assert!(3 <= secrets.len());
        let files = shelf.files();
        assert!(5 < files.len(), "{files:?}");
        let found = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        for path in &files {
            let bytes = fs::read(path).unwrap();
            assert!(!found(&bytes, CANARY), "{}", path.display());
            assert!(secrets.iter().all(|secret| !found(&bytes, secret)), "{}", path.display());
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
        }
        // What is searched for is found where it is not sealed.
        assert!(found(format!("a {CANARY} b").as_bytes(), CANARY));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_was_cut_short_does_not_count_and_the_next_one_works() {
    on_both(async |place| {
        let store = &place.store;
        quarantined(store, b"kept").await;
        let shelf = Shelf::new();
        let first = shelf.take(store, NOW).await;
        quarantined(store, b"more").await;
        // As a crash leaves it: half a snapshot, half a key table, a file being copied.
        let whole = fs::read(shelf.place().dir.join(&first.snapshot)).unwrap();
        let half = "snapshot-ffffffff-ffff-7fff-bfff-ffffffffffff.part";
        fs::write(shelf.place().dir.join(half), &whole[..whole.len() / 2]).unwrap();
        fs::write(shelf.place().keys.join("key-table-20991231T000000000000Z.part"), "countersign key ta").unwrap();
        fs::write(shelf.place().dir.join("vault/new/00000000-0000-7000-8000-000000000000"), "CSGN").unwrap();

        let fresh = Fresh::new(&place.config, None);
        let named = fresh.restore(&shelf, Some(half), false).await.unwrap_err().to_string();
        assert!(named.contains("half a snapshot"), "{named}");
        let backup = Backup::open(&fresh.config.keys, &shelf.place(), None).await.unwrap();
        assert_eq!(backup.snapshot, first.snapshot);

        let second = shelf.take(store, seconds_later(60)).await;
        assert_eq!((second.files, second.new_files), (2, 1));
        assert!(shelf.files().iter().all(|path| path.extension().is_none_or(|it| it != "part")));
        assert_eq!(fresh.restore(&shelf, None, false).await.unwrap().report.faults, []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_key_that_is_retired_while_a_backup_is_taken_keeps_it_from_counting() {
    on_both(async |place| {
        let store = &place.store;
        quarantined(store, b"kept").await;
        let shelf = Shelf::new();
        let mut retired = false;
        let mut retiring = |part, _, _| {
            if part == Part::Files && !std::mem::replace(&mut retired, true) {
                meanwhile(async {
                    let before = store.key_uses().await.unwrap()[0].key.clone();
                    store.rotate_vault_key(&admin(), NOW, &mut |_, _| ()).await.unwrap();
                    store.retire_vault_key(&before, &admin(), NOW).await.unwrap();
                });
            }
        };
        let why = store.backup(&shelf.place(), 7, &admin(), NOW, &mut retiring).await.unwrap_err().to_string();
        assert!(why.contains("was retired while the backup was taken"), "{why}");
        // Nothing of its keys is left, and nothing that would pass for a snapshot.
        let names = |dir: &Path| fs::read_dir(dir).unwrap().map(|it| it.unwrap().file_name()).collect::<Vec<_>>();
        assert_eq!(names(&shelf.place().keys), [".lock"]);
        assert!(names(&shelf.place().dir).iter().all(|name| !name.to_str().unwrap().starts_with("snapshot-")));

        shelf.take(store, seconds_later(60)).await;
        let restored = Fresh::new(&place.config, None).restore(&shelf, None, false).await.unwrap();
        assert_eq!(restored.report.faults, []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_backup_of_another_installation_is_left_whole() {
    let (place, stranger) = (&stores().await[0], &stores().await[0]);
    quarantined(&place.store, b"ours").await;
    quarantined(&stranger.store, b"theirs").await;
    let shelf = Shelf::new();
    shelf.take(&place.store, NOW).await;
    let contents = || shelf.files().into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect::<Vec<_>>();
    let before = contents();
    let BackupPlace { dir, keys } = shelf.place();
    let apart = shelf.dir.path().join("apart");
    for theirs in [shelf.place(), BackupPlace { dir: apart.clone(), keys }, BackupPlace { dir, keys: apart }] {
        let late = seconds_later(30 * DAY);
        let refused =
            stranger.store.backup(&theirs, 7, &admin(), late, &mut |_, _, _| {}).await.unwrap_err().to_string();
        assert!(refused.contains("which is of another installation"), "{refused}");
        assert!(before == contents());
    }
    assert_eq!(Fresh::new(&place.config, None).restore(&shelf, None, false).await.unwrap().report.faults, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_leaves_alone_what_it_did_not_put_there() {
    let place = &stores().await[0];
    quarantined(&place.store, b"ours").await;
    let shelf = Shelf::new();
    shelf.take(&place.store, NOW).await;
    let BackupPlace { dir, keys } = shelf.place();
    let theirs = [dir.join("film.part"), keys.join("key-table-film.part"), dir.join("vault/new/notes")];
    let victim = shelf.dir.path().join("victim");
    for path in theirs.iter().chain([&victim]) {
        fs::write(path, "somebody else's").unwrap();
    }
    // A name of ours for a file of somebody else's.
    let linked = keys.join("key-table-20260309T080000000000Z.part");
    fs::hard_link(&victim, &linked).unwrap();
    shelf.take(&place.store, seconds_later(60)).await;
    for path in theirs.iter().chain([&victim]) {
        assert_eq!(fs::read_to_string(path).unwrap(), "somebody else's", "{}", path.display());
    }
    assert!(!linked.exists());

    fs::remove_file(dir.join(".lock")).unwrap();
    symlink(&victim, dir.join(".lock")).unwrap();
    let refused = place.store.backup(&shelf.place(), 7, &admin(), seconds_later(120), &mut |_, _, _| {}).await;
    assert!(refused.unwrap_err().to_string().contains("is not a file"));
    assert_eq!(fs::read_to_string(&victim).unwrap(), "somebody else's");
}

//! Backups, on both databases and from one to the other: they are of one moment, sealed, refused when anything is wrong with
//! them, and what was erased opens from none whose key table is newer.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::support;

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use case::{Actor, CaseId, Event, Family, Ground, Role, State, Statement, Timestamp};
use sqlx::{Connection, PgConnection};
use store::{
    Admission, BackedUp, Backup, BackupPlace, BlobPlace, Config, Error, Happening, NewAccount, Part, PolicyStanding,
    RestoreAsk, Restored, ServiceSign, Store,
};
use support::{NOW, arrival, machine, on_both, person, policy, policy_within, seconds_later, stores, unreadable};
use tempfile::TempDir;

const DAY: i64 = 86_400;
/// Stands in the bytes, the name and the reason of a document.
const CANARY: &str = "Kanarienvogel-4711";

fn admin() -> Actor {
    person("usr_admin", &[Role::Admin], 1)
}

fn legal(id: &str) -> Actor {
    person(id, &[Role::Legal], 2)
}

async fn admit(store: &Store, bytes: &[u8]) -> CaseId {
    let arrived = store.admit(arrival(bytes, &format!("{CANARY}.pdf"), "inbox"), &machine(), NOW).await.unwrap();
    let Admission::New(id) = arrived else { panic!("a twin") };
    id
}

/// Read by nobody, and at rest; with a picture.
async fn quarantined(store: &Store, bytes: &[u8]) -> CaseId {
    let id = admit(store, bytes).await;
    store.keep_pictures(id, vec![b"a page".to_vec()]).await.unwrap();
    store.apply(id, 0, unreadable(), &machine(), NOW).await.unwrap();
    id
}

async fn erase(store: &Store, id: CaseId) {
    let said = |by: &Actor| Statement { by: by.clone(), reason: format!("{CANARY} came by mistake"), at: NOW };
    for by in [legal("usr_ann"), legal("usr_ben")] {
        let case = store.case(id).await.unwrap();
        let (seen, said, family) = (case.content(), said(&by), Family::new());
        let event = match case.disposal {
            None => Event::DisposalProposed { ground: Ground::MistakenUpload, seen, said, family },
            Some(_) => Event::DisposalApproved { seen, said, family },
        };
        store.apply(id, case.revision, event, &by, NOW).await.unwrap();
    }
}

async fn original(store: &Store, id: CaseId) -> Result<Vec<u8>, Error> {
    store.original_bytes(&store.case(id).await?).await
}

/// Two folders for backups, and places to restore them to.
struct Shelf {
    dir: TempDir,
}

impl Shelf {
    fn new() -> Shelf {
        Shelf { dir: TempDir::new().unwrap() }
    }

    fn place(&self) -> BackupPlace {
        BackupPlace { dir: self.dir.path().join("backup"), keys: self.dir.path().join("keys") }
    }

    async fn take(&self, store: &Store, now: Timestamp) -> BackedUp {
        store.seal_log(now).await.unwrap();
        let backed_up = store.backup(&self.place(), 7, &admin(), now, |_, _, _| {}).await.unwrap();
        assert!(backed_up.whole(), "{backed_up:?}");
        backed_up
    }

    /// All files of the backup and of its keys.
    fn files(&self) -> Vec<PathBuf> {
        let mut files = below(&self.place().dir);
        files.extend(below(&self.place().keys));
        files.retain(|path| path.file_name().unwrap() != ".lock");
        files
    }
}

fn below(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for child in fs::read_dir(dir).unwrap() {
        let path = child.unwrap().path();
        if path.is_dir() { files.extend(below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// A machine without data, that has the key file.
struct Fresh {
    config: Config,
    _dir: TempDir,
}

impl Fresh {
    fn new(from: &Config, database: Option<String>) -> Fresh {
        let dir = TempDir::new().unwrap();
        let keys = dir.path().join("keys");
        fs::create_dir(&keys).unwrap();
        fs::set_permissions(&keys, PermissionsExt::from_mode(0o700)).unwrap();
        fs::copy(from.keys.folder.join("keys"), keys.join("keys")).unwrap();
        let config = Config {
            database: database.unwrap_or_else(|| dir.path().join("data.sqlite").to_str().unwrap().to_owned()),
            vault: BlobPlace::Folder(dir.path().join("vault")),
            keys: keys.into(),
            log: dir.path().join("log"),
            ..from.clone()
        };
        Fresh { config, _dir: dir }
    }

    /// As the machine that was backed up had it, with the last head that was signed there.
    fn with_signed_head(self, from: &Config) -> Fresh {
        fs::copy(from.keys.folder.join("signed-head"), self.config.keys.folder.join("signed-head")).unwrap();
        self
    }

    async fn restore(&self, shelf: &Shelf, snapshot: Option<&str>, older: bool) -> Result<Restored, Error> {
        let backup = Backup::open(&self.config.keys, &shelf.place(), snapshot).await?;
        let ask = RestoreAsk { older, witnessed: None };
        Store::restore(&self.config, backup, &ask, NOW, |_, _, _| {}).await
    }

    async fn open(&self) -> Store {
        Store::open(&self.config).await.unwrap()
    }

    fn is_empty(&self) -> bool {
        let vault = match &self.config.vault {
            BlobPlace::Folder(folder) => folder.clone(),
            BlobPlace::Bucket(_) => unreachable!(),
        };
        !Path::new(&self.config.database).exists() && (!vault.exists() || below(&vault).is_empty())
    }
}

/// The databases that a backup is restored to.
async fn databases() -> Vec<Option<String>> {
    let mut databases = vec![None];
    databases.extend(support::postgres_fresh().await.map(Some));
    databases
}

fn acts(history: &[Happening]) -> Vec<&str> {
    history.iter().map(|it| it.act).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_taken_at_rest_brings_everything_back_on_either_database() {
    on_both(async |place| {
        let store = &place.store;
        let (open, rests) = (admit(store, b"open").await, quarantined(store, b"rests").await);
        let erased = quarantined(store, b"erased").await;
        erase(store, erased).await;
        let again = store.admit(arrival(b"open", "b.pdf", "mail"), &machine(), NOW).await.unwrap();
        assert!(matches!(again, Admission::Duplicate(_)));
        let texts = [
            include_str!("../../policies/checkpoints.toml"),
            include_str!("../../policies/tolerances.toml"),
            include_str!("../../policies/retention.toml"),
        ];
        store.policy_loaded(&policy(), texts, &machine(), NOW).await.unwrap();
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
            assert_eq!(restored.policy.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), texts);
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
                sizes.push(store.backup(&shelf.place(), 7, &admin(), seconds_later(n), |_, _, _| {}).await);
            }
            sizes
        };
        let (_, taken) = tokio::join!(coming, taking);
        store.seal_log(NOW).await.unwrap();
        store.sign_log(NOW).await.unwrap();
        let newest = taken.last().unwrap().as_ref().unwrap();
        assert!(newest.whole(), "{newest:?}");
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
        let refused = Store::restore(&fresh.config, backup, &ask, NOW, |_, _, _| {}).await.unwrap_err().to_string();
        assert!(refused.contains(&format!("the witness `w1.example` cosigned {known}")), "{refused}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_erased_after_the_backup_opens_with_an_old_key_table_and_with_no_newer_one() {
    on_both(async |place| {
        let store = &place.store;
        let (erased, kept) = (quarantined(store, b"erased").await, quarantined(store, b"kept").await);
        // Somebody could find it.
        let term = if place.on_postgres() { r"'\x01'" } else { "x'01'" };
        place
            .execute(&format!("INSERT INTO case_terms (term_key, case_id) VALUES ({term}, '{erased}')"))
            .await
            .unwrap();
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
            for path in below(&shelf.place().dir.join("vault")) {
                let BlobPlace::Folder(vault) = &fresh.config.vault else { unreachable!() };
                let to = vault.join(path.strip_prefix(shelf.place().dir.join("vault")).unwrap());
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                fs::copy(&path, to).unwrap();
            }
            assert!(original(&other, erased).await.is_err());
            other.close().await;
        }

        // Whoever still has the key table of that day opens it: the reason for the clock.
        let with_old = BackupPlace { keys: old.place().keys, ..shelf.place() };
        let fresh = Fresh::new(&place.config, None);
        let backup = Backup::open(&fresh.config.keys, &with_old, Some(&first.snapshot)).await.unwrap();
        Store::restore(&fresh.config, backup, &RestoreAsk::default(), NOW, |_, _, _| {}).await.unwrap();
        assert_eq!(original(&fresh.open().await, erased).await.unwrap(), b"erased");
        // But not what is newer than it: what came in since would pass for erased.
        let newer = Backup::open(&fresh.config.keys, &with_old, Some(&second.snapshot)).await.unwrap_err();
        assert!(newer.to_string().contains("it is older than the snapshot"), "{newer}");

        // A vault key that is retired takes every older key table with it.
        let before = store.key_uses().await.unwrap()[0].key.clone();
        store.rotate_vault_key(&admin(), NOW, |_, _| ()).await.unwrap();
        store.retire_vault_key(&before, &admin(), NOW).await.unwrap();
        let fresh = Fresh::new(&place.config, None);
        let closed = Backup::open(&fresh.config.keys, &with_old, Some(&first.snapshot)).await.unwrap_err().to_string();
        assert!(closed.contains(&format!("needs vault key `{before}`")), "{closed}");

        // And the next backup after a week takes them away.
        let third = shelf.take(store, seconds_later(9 * DAY)).await;
        assert_eq!(third.key_tables_removed, 2);
        assert_eq!(third.new_files, 0);
        let left: Vec<_> = below(&shelf.place().keys).into_iter().filter(|it| !it.ends_with(".lock")).collect();
        assert_eq!(left, [shelf.place().keys.join(&third.key_table)]);
        let fresh = Fresh::new(&place.config, None);
        assert_eq!(fresh.restore(&shelf, None, false).await.unwrap().report.faults, []);
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
async fn a_restoring_that_was_cut_short_is_taken_up() {
    let place = &stores().await[0];
    quarantined(&place.store, b"kept").await;
    let shelf = Shelf::new();
    shelf.take(&place.store, NOW).await;
    let fresh = Fresh::new(&place.config, None);
    let BlobPlace::Folder(vault) = &fresh.config.vault else { unreachable!() };
    // Its files are there, one of them in the making, and no row yet.
    for path in below(&shelf.place().dir.join("vault")) {
        let to = vault.join(path.strip_prefix(shelf.place().dir.join("vault")).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(&path, to).unwrap();
    }
    let id = below(vault)[0].file_stem().unwrap().to_owned();
    fs::create_dir_all(vault.join("new")).unwrap();
    fs::rename(&below(vault)[0], vault.join("new").join(id)).unwrap();
    assert_eq!(fresh.restore(&shelf, None, false).await.unwrap().report.faults, []);

    // A file of somebody else's is left alone, and so is the rest.
    let fresh = Fresh::new(&place.config, None);
    let BlobPlace::Folder(vault) = &fresh.config.vault else { unreachable!() };
    let stranger = vault.join("00/00000000-0000-7000-8000-000000000000.sealed");
    fs::create_dir_all(stranger.parent().unwrap()).unwrap();
    fs::write(&stranger, "CSGN-SEAL").unwrap();
    let refused = fresh.restore(&shelf, None, false).await.unwrap_err().to_string();
    assert!(refused.contains("which this backup has not"), "{refused}");
    assert!(!Path::new(&fresh.config.database).exists() && stranger.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_cut_flipped_or_exchanged_in_a_backup_is_refused_by_name() {
    let place = &stores().await[0];
    let store = &place.store;
    quarantined(store, b"first").await;
    let (shelf, other) = (Shelf::new(), Shelf::new());
    let earlier = shelf.take(store, NOW).await;
    quarantined(store, b"second").await;
    let taken = shelf.take(store, seconds_later(60)).await;
    let stranger = &stores().await[0];
    quarantined(&stranger.store, b"first").await;
    let theirs = other.take(&stranger.store, NOW).await;

    let refused = async |path: &Path, bytes: &[u8]| {
        let whole = fs::read(path).unwrap();
        assert_ne!(whole, bytes);
        fs::write(path, bytes).unwrap();
        let fresh = Fresh::new(&place.config, None);
        let restored = fresh.restore(&shelf, None, false).await;
        fs::write(path, whole).unwrap();
        match restored {
            Err(err) => {
                assert!(fresh.is_empty(), "{err}");
                store::causes(&err)
            }
            Ok(restored) => {
                let faults = restored.report.faults.iter().map(|it| format!("{}: {}", it.about, it.what));
                faults.collect::<Vec<_>>().join("\n")
            }
        }
    };
    let snapshot = shelf.place().dir.join(&taken.snapshot);
    let whole = fs::read(&snapshot).unwrap();
    // Where each lot begins, so that every one of them is hit.
    let (mut at, mut hits) = (27, vec![0, 10, 11, 26]);
    while at < whole.len() {
        let size = u32::from_be_bytes(whole[at..at + 4].try_into().unwrap()) as usize;
        hits.extend([at + 3, at + 4, at + 60, at + 4 + size - 1]);
        at += 4 + size;
    }
    assert!(12 < hits.len());
    for hit in hits {
        let mut flipped = whole.clone();
        flipped[hit] ^= 1;
        let why = refused(&snapshot, &flipped).await;
        assert!(why.starts_with(&format!("`{}` of the backup is refused: ", taken.snapshot)), "{hit}: {why}");
        let why = refused(&snapshot, &whole[..hit]).await;
        assert!(why.contains("of the backup is refused: it is cut"), "{hit}: {why}");
    }
    let last = whole.len() - 1;
    assert!(refused(&snapshot, &whole[..last]).await.contains("it is cut"));
    assert!(refused(&snapshot, &[&whole[..], b"\0"].concat()).await.contains("it was extended"));
    let exchanged = fs::read(shelf.place().dir.join(&earlier.snapshot)).unwrap();
    assert!(refused(&snapshot, &exchanged).await.contains("another snapshot under this one's name"));
    let foreign = fs::read(other.place().dir.join(&theirs.snapshot)).unwrap();
    assert!(refused(&snapshot, &foreign).await.contains("another snapshot under this one's name"));
    let mut renamed = foreign;
    renamed[11..27].copy_from_slice(&whole[11..27]);
    assert!(refused(&snapshot, &renamed).await.contains("record key"));

    let table = shelf.place().keys.join(&taken.key_table);
    let whole = fs::read(&table).unwrap();
    for hit in (0..whole.len()).step_by(37).chain([whole.len() - 2, whole.len() - 1]) {
        let mut flipped = whole.clone();
        flipped[hit] ^= 1;
        let why = refused(&table, &flipped).await;
        assert!(why.starts_with(&format!("`{}` of the backup is refused: ", taken.key_table)), "{hit}: {why}");
        let why = refused(&table, &whole[..hit]).await;
        assert!(why.contains("of the backup is refused: it is cut"), "{hit}: {why}");
    }
    let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    let mut mixed = lines.clone();
    mixed.remove(3);
    assert!(refused(&table, &mixed.concat()).await.contains("it was altered"));
    let foreign = fs::read(other.place().keys.join(&theirs.key_table)).unwrap();
    assert!(refused(&table, &foreign).await.contains("another installation"));
    let exchanged = fs::read(shelf.place().keys.join(&earlier.key_table)).unwrap();
    assert!(refused(&table, &exchanged).await.contains("it is older than the snapshot"));

    // The rest is restored, and what is wrong with a sealed file is told of that file.
    let blobs = below(&shelf.place().dir.join("vault"));
    let blobs: Vec<_> = blobs.into_iter().filter(|it| it.extension().is_some_and(|it| it == "sealed")).collect();
    assert_eq!(blobs.len(), 2);
    for blob in &blobs {
        let (id, whole) = (blob.file_stem().unwrap().to_str().unwrap(), fs::read(blob).unwrap());
        let mut flipped = whole.clone();
        flipped[130] ^= 1;
        let other = blobs.iter().find(|it| *it != blob).unwrap();
        for (bytes, expected) in [
            (flipped, "was altered"),
            (whole[..whole.len() - 1].to_vec(), "it is cut"),
            (fs::read(other).unwrap(), "needs record key"),
        ] {
            let why = refused(blob, &bytes).await;
            assert!(why.contains(&format!("file {id} of case ")) && why.contains(expected), "{why}");
        }
        fs::rename(blob, blob.with_extension("gone")).unwrap();
        let fresh = Fresh::new(&place.config, None);
        let restored = fresh.restore(&shelf, None, false).await.unwrap();
        fs::rename(blob.with_extension("gone"), blob).unwrap();
        assert_eq!((restored.missing, restored.report.faults.len()), (1, 1), "{:?}", restored.report.faults);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_log_that_was_spoilt_in_a_backup_is_made_again_from_the_entries() {
    let place = &stores().await[0];
    quarantined(&place.store, b"first").await;
    let shelf = Shelf::new();
    shelf.take(&place.store, NOW).await;
    for path in below(&shelf.place().dir.join("log")) {
        let mut bytes = fs::read(&path).unwrap();
        bytes[0] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    let fresh = Fresh::new(&place.config, None).with_signed_head(&place.config);
    assert_eq!(fresh.restore(&shelf, None, false).await.unwrap().report.faults, []);
    let store = fresh.open().await;
    admit(&store, b"second").await;
    store.sign_log(NOW).await.unwrap();
    let dir = TempDir::new().unwrap();
    let auditor = person("usr_auditor", &[Role::Auditor], 1);
    let exported = store.export_log(dir.path(), &auditor, NOW, |_, _| {}).await.unwrap();
    support::verify_export(dir.path(), &exported.head.verifier_key);
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
            let file = store.case(id).await.unwrap().original.to_string();
            let path = place.folder().join(&file[34..]).join(format!("{file}.sealed"));
            files.push((file.parse().unwrap(), fs::read(&path).unwrap(), path.clone()));
            fs::remove_file(path).unwrap();
        }
        let row = place.bytes(&format!("SELECT body FROM record_keys WHERE owner = '{damaged}'")).await.pop().unwrap();
        place.execute(&format!("DELETE FROM record_keys WHERE owner = '{damaged}'")).await.unwrap();

        let second = store.backup(&shelf.place(), 7, &admin(), seconds_later(60), |_, _, _| {}).await.unwrap();
        assert!(!second.whole());
        // Of two files that the vault lost the backup has one already.
        assert_eq!((second.missing, second.closed), (vec![files[1].0], vec![damaged]));
        let third = store.backup(&shelf.place(), 7, &admin(), seconds_later(120), |_, _, _| {}).await.unwrap();
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
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let literal = if place.on_postgres() { format!("'\\x{}'", hex(&row)) } else { format!("x'{}'", hex(&row)) };
        let sql = format!("INSERT INTO record_keys VALUES ('{damaged}', '{}', {literal})", hex(&row[8..16]));
        place.execute(&sql).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_administrator_takes_a_backup_and_never_with_its_keys_inside() {
    on_both(async |place| {
        let store = &place.store;
        let shelf = Shelf::new();
        let others = person("usr_1", &[Role::Reviewer, Role::Legal, Role::Auditor, Role::Operator], 2);
        let denied = store.backup(&shelf.place(), 7, &others, NOW, |_, _, _| {}).await.unwrap_err();
        assert!(matches!(denied, Error::Denied(_)), "{denied}");
        for keys in [shelf.place().dir.join("keys"), shelf.place().dir, shelf.dir.path().to_owned()] {
            let inside = BackupPlace { keys, ..shelf.place() };
            let refused = store.backup(&inside, 7, &admin(), NOW, |_, _, _| {}).await.unwrap_err().to_string();
            assert!(refused.contains("must not lie in each other"), "{refused}");
        }
        let gone = BackupPlace { dir: shelf.dir.path().join("not mounted/backup"), ..shelf.place() };
        assert!(matches!(store.backup(&gone, 7, &admin(), NOW, |_, _, _| {}).await, Err(Error::Io { .. })));
        let entries = place.entries().await;
        assert!(entries.iter().all(|entry| entry.act.text() != "backup.take"));
        shelf.take(store, NOW).await;
        assert!(place.entries().await.iter().any(|entry| entry.act.text() == "backup.take"));
    })
    .await;
}

/// The acts in the log of a database, and of those that wait.
async fn acts_in(database: &str) -> Vec<String> {
    let act = |entry: &[u8]| audit::Body::parse(entry).unwrap().act.text().to_owned();
    let sealed = support::bytes(database, "SELECT leaf FROM log_entries ORDER BY log, position").await;
    let waiting = support::bytes(database, "SELECT entry FROM log_outbox ORDER BY position").await;
    let sealed = sealed.iter().map(|leaf| act(audit::Leaf::parse(leaf).unwrap().body));
    sealed.chain(waiting.iter().map(|entry| act(entry))).collect()
}

/// Does this in the middle of a backup, where it tells its progress. On a thread of its own: a runtime that waits inside its
/// own waiting misses what it was woken for.
fn meanwhile<T: Send>(work: impl Future<Output = T> + Send) -> T {
    let runtime = tokio::runtime::Handle::current();
    std::thread::scope(|scope| scope.spawn(|| runtime.block_on(work)).join().unwrap())
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
        sealer.close().await.unwrap();
        place.store.seal_log(NOW).await.unwrap();
        assert!(taken.size < place.entries().await.len() as u64);
        for database in databases().await {
            let fresh = Fresh::new(&place.config, database);
            let backup = Backup::open(&fresh.config.keys, &shelf.place(), None).await.unwrap();
            let (ask, later) = (RestoreAsk::default(), seconds_later(3600));
            let restored = Store::restore(&fresh.config, backup, &ask, later, |_, _, _| {}).await.unwrap();
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
        let broken = Store::restore(&config, backup, &ask, NOW, |_, _, _| {}).await.unwrap_err();
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
    let BlobPlace::Folder(vault) = &fresh.config.vault else { unreachable!() };
    assert_eq!(below(vault).len(), 1);
    assert_eq!(original(&fresh.open().await, kept).await.unwrap(), b"kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_key_that_is_retired_while_a_backup_is_taken_keeps_it_from_counting() {
    on_both(async |place| {
        let store = &place.store;
        quarantined(store, b"kept").await;
        let shelf = Shelf::new();
        let mut retired = false;
        let retiring = |part, _, _| {
            if part == Part::Files && !std::mem::replace(&mut retired, true) {
                meanwhile(async {
                    let before = store.key_uses().await.unwrap()[0].key.clone();
                    store.rotate_vault_key(&admin(), NOW, |_, _| ()).await.unwrap();
                    store.retire_vault_key(&before, &admin(), NOW).await.unwrap();
                });
            }
        };
        let why = store.backup(&shelf.place(), 7, &admin(), NOW, retiring).await.unwrap_err().to_string();
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
async fn what_is_erased_while_a_backup_is_taken_is_not_in_its_key_table() {
    on_both(async |place| {
        let store = &place.store;
        let (erased, kept) = (quarantined(store, b"erased").await, quarantined(store, b"kept").await);
        store.seal_log(NOW).await.unwrap();
        let shelf = Shelf::new();
        let mut done = false;
        // When its file was copied.
        let erasing = |part, n, all| {
            if part == Part::Files && n == all && !std::mem::replace(&mut done, true) {
                meanwhile(erase(store, erased));
            }
        };
        let taken = store.backup(&shelf.place(), 7, &admin(), NOW, erasing).await.unwrap();
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
        let refused = stranger.store.backup(&theirs, 7, &admin(), late, |_, _, _| {}).await.unwrap_err().to_string();
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
    let refused = place.store.backup(&shelf.place(), 7, &admin(), seconds_later(120), |_, _, _| {}).await;
    assert!(refused.unwrap_err().to_string().contains("is not a file"));
    assert_eq!(fs::read_to_string(&victim).unwrap(), "somebody else's");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_file_keeps_no_other_from_being_copied_or_brought_back() {
    let place = &stores().await[0];
    let store = &place.store;
    let (one, other) = (quarantined(store, b"one").await, quarantined(store, b"other").await);
    let file = store.case(one).await.unwrap().original;
    let name = format!("{}/{file}.sealed", &file.to_string()[34..]);
    let live = place.folder().join(&name);
    let spoil = |path: &Path, how: usize| {
        fs::remove_file(path).unwrap();
        match how {
            0 => fs::create_dir(path).unwrap(),
            1 => symlink("/dev/zero", path).unwrap(),
            _ => assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
        }
    };
    let mend = |path: &Path, bytes: &[u8]| {
        if path.symlink_metadata().unwrap().is_dir() {
            fs::remove_dir(path).unwrap()
        } else {
            fs::remove_file(path).unwrap()
        }
        fs::write(path, bytes).unwrap();
    };
    let whole = fs::read(&live).unwrap();
    for how in 0..3 {
        let shelf = Shelf::new();
        spoil(&live, how);
        let taken = store.backup(&shelf.place(), 7, &admin(), seconds_later(how as i64), |_, _, _| {}).await.unwrap();
        assert_eq!((taken.missing.as_slice(), taken.new_files), ([file].as_slice(), 1));
        mend(&live, &whole);
        let taken = shelf.take(store, seconds_later(60)).await;
        assert_eq!(taken.new_files, 1);

        let copy = shelf.place().dir.join("vault").join(&name);
        spoil(&copy, how);
        let fresh = Fresh::new(&place.config, None);
        let restored = fresh.restore(&shelf, None, false).await.unwrap();
        assert_eq!((restored.missing, restored.spoilt.len(), restored.report.faults.len()), (1, 1, 1));
        assert!(restored.spoilt[0].contains(&file.to_string()), "{:?}", restored.spoilt);
        assert_eq!(original(&fresh.open().await, other).await.unwrap(), b"other");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_cut_in_the_backup_is_copied_again_and_one_that_was_cut_here_is_not() {
    let place = &stores().await[0];
    let store = &place.store;
    let id = quarantined(store, b"whole").await;
    let file = store.case(id).await.unwrap().original.to_string();
    let name = format!("{}/{file}.sealed", &file[34..]);
    let (shelf, live) = (Shelf::new(), place.folder().join(&name));
    shelf.take(store, NOW).await;
    let copy = shelf.place().dir.join("vault").join(&name);
    let whole = fs::read(&copy).unwrap();
    for (n, bytes) in
        [&whole[..whole.len() - 1], &whole[..100], b"", &[&whole[..], b"more"].concat()].iter().enumerate()
    {
        fs::write(&copy, bytes).unwrap();
        assert_eq!(shelf.take(store, seconds_later(60 + n as i64)).await.new_files, 1);
        assert!(fs::read(&copy).unwrap() == whole);
    }
    fs::write(&live, &whole[..100]).unwrap();
    assert_eq!(shelf.take(store, seconds_later(120)).await.new_files, 0);
    assert!(fs::read(&copy).unwrap() == whole);
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

fn run(arguments: &[&str]) -> (i32, String, String) {
    run_with(arguments, "")
}

fn run_with(arguments: &[&str], typed: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Whoever reads nothing may be gone already.
    drop(child.stdin.take().unwrap().write_all(typed.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_commands_take_a_backup_and_bring_it_back_and_say_why_not() {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (books, other, backup, keys) = (path("books"), path("other"), path("backup"), path("short"));
    assert_eq!(run(&["init", &books]).0, 0);
    assert_eq!(run(&["account", "add", "--name", "root", "--role", "admin", "--link-only", "-C", &books]).0, 0);
    let take = ["backup", &backup, "--as", "root", "-C", &books];
    let (code, _, why) = run(&take);
    assert!(code == 2 && why.contains("say where the key table goes, with --keys-to DIR"), "{code} {why}");
    let inbox = format!("{books}/inbox/backup");
    let (code, _, why) = run(&["backup", &inbox, "--keys-to", &keys, "--as", "root", "-C", &books]);
    assert!(code == 2 && why.contains("lies in the inbox"), "{code} {why}");
    symlink(format!("{books}/data"), path("link")).unwrap();
    for (place, why_not) in [
        (format!("{books}/data/backup"), "lies in the data"),
        (format!("{books}/data/vault"), "lies in the vault"),
        (path("link/backup"), "lies in the data"),
        (format!("{books}/policies/../keys/backup"), "lies in the keys"),
        (books.clone(), "holds the inbox"),
        (path(""), "holds the inbox"),
    ] {
        for folders in [[&place, &keys], [&backup, &place]] {
            let (code, _, why) = run(&["backup", folders[0], "--keys-to", folders[1], "--as", "root", "-C", &books]);
            assert!(code == 2 && why.contains(why_not), "{place}: {code} {why}");
        }
    }
    assert!(!Path::new(&backup).exists() && !Path::new(&keys).exists());

    let (code, said, why) = run(&[&take[..], &["--keys-to", &keys, "--json"]].concat());
    assert_eq!(code, 0, "{why}");
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert!(said["snapshot"].as_str().unwrap().starts_with("snapshot-") && said["missing"] == serde_json::json!([]));
    assert!(Path::new(&backup).join("keys.escrow").exists());

    let restore = ["restore", &backup, "--keys-from", &keys, "--to", &other];
    let (code, _, why) = run(&restore);
    assert!(code == 3 && why.contains("there is no workspace"), "{code} {why}");
    fs::create_dir(&other).unwrap();
    fs::copy(format!("{books}/countersign.toml"), format!("{other}/countersign.toml")).unwrap();
    fs::create_dir(format!("{other}/keys")).unwrap();
    fs::set_permissions(format!("{other}/keys"), PermissionsExt::from_mode(0o700)).unwrap();
    for name in ["keys", "signed-head"] {
        fs::copy(format!("{books}/keys/{name}"), format!("{other}/keys/{name}")).unwrap();
    }
    let (code, said, why) = run(&restore);
    assert!(code == 0 && said.contains("everything agrees"), "{code} {said} {why}");
    assert_eq!(fs::metadata(format!("{other}/data")).unwrap().permissions().mode() & 0o777, 0o700);
    let (code, said, why) = run(&["account", "list", "-C", &other]);
    assert!(code == 0 && said.contains("root"), "{said} {why}");
    // What goes on there makes the backup older than its log.
    assert_eq!(run(&["log", "head", "-C", &other]).0, 0);
    let (code, _, why) = run(&restore);
    assert!(code == 1 && why.contains("say `--older`"), "{code} {why}");
    let (code, _, why) = run(&[&restore[..], &["--older"]].concat());
    assert!(code == 2 && why.contains("has rows already"), "{code} {why}");
}

#[test]
fn a_backup_comes_back_over_a_fresh_workspace_with_the_key_file_or_with_two_shares() {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (books, backup, keys) = (path("books"), path("backup"), path("short"));
    let (code, printed, _) = run(&["init", &books]);
    assert_eq!(code, 0);
    let (_, printed) = printed.split_once("keep none here:").unwrap();
    let shares: Vec<&str> = printed.lines().map(str::trim).filter(|line| !line.is_empty()).take(2).collect();
    assert_eq!(run(&["account", "add", "--name", "root", "--role", "admin", "--link-only", "-C", &books]).0, 0);
    assert_eq!(run(&["backup", &backup, "--keys-to", &keys, "--as", "root", "-C", &books]).0, 0);

    // Somebody kept the key file, and looks before.
    let other = path("other");
    assert_eq!(run(&["init", &other]).0, 0);
    fs::copy(format!("{books}/keys/keys"), format!("{other}/keys/keys")).unwrap();
    run(&["keys", "status", "-C", &other]);
    assert!(Path::new(&other).join("data/countersign.db").exists());
    let (code, said, why) = run(&["restore", &backup, "--keys-from", &keys, "--to", &other]);
    assert!(code == 0 && said.contains("everything agrees"), "{code} {said} {why}");
    // The shares of the fresh workspace would bring back keys that open nothing.
    assert!(why.contains("data/keys.escrow` is for other shares"), "{why}");

    // All is lost but the backup and two shares.
    let other = path("third");
    assert_eq!(run(&["init", &other]).0, 0);
    fs::remove_file(format!("{other}/keys/keys")).unwrap();
    fs::copy(format!("{backup}/keys.escrow"), format!("{other}/data/keys.escrow")).unwrap();
    let (code, said, why) = run_with(&["keys", "recover", "-C", &other], &shares.join("\n"));
    assert!(code == 0, "{code} {said} {why}");
    // A witness that is silent may know more than the backup.
    let settings = format!("{other}/countersign.toml");
    let text = fs::read_to_string(&settings).unwrap();
    let key = audit::WitnessSigner::generate("witness.example/1").unwrap().key();
    let silent = format!("witness_seconds = 60\nwitnesses = [{{ url = \"http://127.0.0.1:1\", key = \"{key}\" }}]\n");
    fs::write(&settings, text.replace("witness_seconds = 60\n", &silent)).unwrap();
    let restore = ["restore", &backup, "--keys-from", &keys, "--to", &other];
    let (code, _, why) = run(&restore);
    assert!(code == 1 && why.contains("the witness `witness.example/1` does not say"), "{code} {why}");
    assert!(why.contains("or say `--older`"), "{why}");
    fs::write(&settings, text).unwrap();
    let (code, said, why) = run(&restore);
    assert!(code == 0 && said.contains("everything agrees"), "{code} {said} {why}");
    assert!(said.contains("1 entries of the log that was begun here"), "{said}");
}

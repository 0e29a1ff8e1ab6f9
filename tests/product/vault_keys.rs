//! Vault keys that follow one another, on both databases: what they wrap is wrapped anew, and nothing else is touched.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::support;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use case::{CaseId, Role};
use store::{Config, Custody, Error, KeyUse, Keys, Lock, Sealing, Share, Store};
use support::{NOW, Place, admin, admitted, arrival, files_below, hex, literal, machine, on_both, person};

async fn admit(store: &Store, bytes: &[u8]) -> CaseId {
    admitted(store, arrival(bytes, "a.pdf", "inbox"), NOW).await
}

async fn original(store: &Store, id: CaseId) -> Vec<u8> {
    store.original_bytes(&store.case(id).await.unwrap()).await.unwrap()
}

fn key_file(place: &Place) -> Vec<u8> {
    std::fs::read(place.config.keys.folder.join("keys")).unwrap()
}

/// Key, whether it leads, how many need it.
async fn uses(store: &Store) -> Vec<(String, bool, u64)> {
    let uses = store.key_uses().await.unwrap();
    uses.into_iter().map(|KeyUse { key, leads, n_records, .. }| (key, leads, n_records)).collect()
}

fn sealed_files(place: &Place) -> BTreeMap<PathBuf, Vec<u8>> {
    files_below(&place.folder()).into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// A row of the key table as it is now.
async fn row(place: &Place, owner: &str) -> Vec<u8> {
    place.bytes(&format!("SELECT body FROM record_keys WHERE owner = '{owner}'")).await.pop().unwrap()
}

/// Puts an older row back, as from a backup, or as a rotation that was cut short left it.
async fn put_back(place: &Place, owner: &str, row: &[u8]) {
    let (body, by) = (literal(&place.config.database, row), hex(&row[8..16]));
    let sql = format!("UPDATE record_keys SET wrapped_by = '{by}', body = {body} WHERE owner = '{owner}'");
    assert_eq!(place.execute(&sql).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_vault_key_wraps_what_there_is_without_touching_a_document() {
    on_both(async |place| {
        let store = &place.store;
        let cases = [admit(store, b"one").await, admit(store, b"two").await];
        let (old, before) = (uses(store).await, sealed_files(place));
        assert_eq!(old, [(old[0].0.clone(), true, 3)]);

        let mut told = Vec::new();
        let rotated = store.rotate_vault_key(&admin(), NOW, &mut |done, of| told.push((done, of))).await.unwrap();
        assert_eq!((rotated.resumed, rotated.n_records), (false, 2));
        assert_eq!(told.last(), Some(&(2, 2)));
        let keys = uses(store).await;
        assert_eq!(keys, [(rotated.key.clone(), true, 3), (old[0].0.clone(), false, 0)]);
        assert_eq!(sealed_files(place), before);
        for (id, bytes) in cases.into_iter().zip([b"one", b"two"]) {
            assert_eq!(original(store, id).await, bytes);
        }
        // Whoever has the house's key from before goes on, and so does whoever opens anew.
        admit(store, b"three").await;
        let again = Store::open(&place.config).await.unwrap();
        assert_eq!(original(&again, cases[0]).await, b"one");
        let acts: Vec<_> =
            place.entries().await.iter().map(|entry| entry.act.text()).filter(|it| it.starts_with("key.")).collect();
        assert_eq!(acts, ["key.create", "key.rewrap"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_key_is_retired_when_nothing_needs_it_and_then_older_copies_stay_closed() {
    on_both(async |place| {
        let store = &place.store;
        let id = admit(store, b"kept").await;
        let old = uses(store).await[0].0.clone();
        let older = row(place, &id.to_string()).await;
        let leads = store.retire_vault_key(&old, &admin(), NOW).await.unwrap_err().to_string();
        assert!(leads.contains("leads"), "{leads}");
        store.rotate_vault_key(&admin(), NOW, &mut |_, _| ()).await.unwrap();
        store.retire_vault_key(&old, &admin(), NOW).await.unwrap();
        assert_eq!(uses(store).await.len(), 1);
        assert_eq!(original(store, id).await, b"kept");
        let unknown = store.retire_vault_key(&old, &admin(), NOW).await.unwrap_err();
        assert!(matches!(unknown, Error::NoSuch { .. }), "{unknown}");
        // A row of an older copy of the key table, put back into the database, is of no use.
        let newer = row(place, &id.to_string()).await;
        put_back(place, &id.to_string(), &older).await;
        let closed = store::causes(&store.case(id).await.unwrap_err());
        assert!(closed.contains(&format!("needs vault key `{old}`")), "{closed}");
        put_back(place, &id.to_string(), &newer).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_manages_keys_rotates_or_retires_them() {
    on_both(async |place| {
        let store = &place.store;
        let reviewer = person("usr_1", &[Role::Reviewer, Role::Legal, Role::Auditor, Role::Operator], 2);
        assert!(matches!(store.rotate_vault_key(&reviewer, NOW, &mut |_, _| ()).await, Err(Error::Denied(_))));
        let key = uses(store).await[0].0.clone();
        assert!(matches!(store.retire_vault_key(&key, &reviewer, NOW).await, Err(Error::Denied(_))));
        let before = key_file(place);
        assert!(matches!(store.protect_keys(None, &reviewer, NOW).await, Err(Error::Denied(_))));
        assert!(matches!(store.new_escrow(&mut |_| panic!("shown"), &reviewer, NOW).await, Err(Error::Denied(_))));
        assert_eq!((uses(store).await, key_file(place)), (vec![(key, true, 1)], before));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_tells_who_can_open_the_key_file_and_since_when() {
    on_both(async |place| {
        let mut set = String::new();
        let mut show = |shares: &[Share; 3]| {
            set = shares[0].set_name();
            Ok(())
        };
        place.store.new_escrow(&mut show, &admin(), NOW).await.unwrap();
        let lock = Arc::new(Lock { sealing: Sealing::Credential, key: store::new_key().unwrap() });
        place.store.protect_keys(Some(lock.clone()), &admin(), NOW).await.unwrap();
        place.store.tell_recovery(&set, NOW).await.unwrap();
        let sealed = Custody { lock: Some(lock), ..place.config.keys.clone() };
        Keys::protect(&sealed, None).unwrap();
        let entries = place.entries().await;
        let told: Vec<_> = entries.iter().filter(|it| it.act.text().starts_with("key.")).collect();
        let acts: Vec<_> = told.iter().map(|it| it.act.text()).collect();
        assert_eq!(acts, ["key.escrow", "key.protect", "key.recover"]);
        let tells = |at: usize, name: &str| told[at].d[name].clone();
        assert_eq!((tells(0, "set"), tells(2, "set")), (set.as_str().into(), set.as_str().into()));
        assert_eq!((tells(1, "before"), tells(1, "custodian")), ("file".into(), "credential".into()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_was_cut_short_is_taken_up_wherever_it_was() {
    on_both(async |place| {
        let store = &place.store;
        let mut cases = Vec::new();
        for n in 0..5 {
            cases.push(admit(store, &[n]).await);
        }
        let mut owners = vec![String::new()];
        owners.extend(cases.iter().map(CaseId::to_string));
        let mut older = Vec::new();
        for owner in &owners {
            older.push(row(place, owner).await);
        }
        let first = store.rotate_vault_key(&admin(), NOW, &mut |_, _| ()).await.unwrap();
        assert_eq!((first.resumed, first.n_records), (false, 5));
        // Cut after the key was made, before anything was wrapped by it; after one lot; before the last.
        for n_done in [0, 2, 5] {
            for (owner, row) in owners.iter().zip(&older).skip(n_done) {
                put_back(place, owner, row).await;
            }
            let again = store.rotate_vault_key(&admin(), NOW, &mut |_, _| ()).await.unwrap();
            assert_eq!((again.resumed, again.n_records), (true, 6 - n_done.max(1) as u64));
            assert_eq!(again.key, first.key);
        }
        for (n, id) in (0..).zip(&cases) {
            assert_eq!(original(store, *id).await, [n]);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_after_a_rotation_was_cut_short_is_wrapped_by_the_key_that_leads_still() {
    on_both(async |place| {
        let store = &place.store;
        let first = admit(store, b"first").await;
        let rows = [row(place, "").await, row(place, &first.to_string()).await];
        store.rotate_vault_key(&admin(), NOW, &mut |_, _| ()).await.unwrap();
        // Cut before anything was wrapped by the new key; or restored from a backup of before.
        put_back(place, "", &rows[0]).await;
        put_back(place, &first.to_string(), &rows[1]).await;
        let cut = uses(store).await;
        assert_eq!((cut[0].1, cut[0].2, cut[1].1, cut[1].2), (false, 0, true, 2), "{cut:?}");
        let second = admit(store, b"second").await;
        let again = store.rotate_vault_key(&admin(), NOW, &mut |_, _| ()).await.unwrap();
        assert_eq!((again.resumed, &again.key, again.n_records), (true, &cut[0].0, 2));
        assert_eq!(uses(store).await, [(cut[0].0.clone(), true, 3), (cut[1].0.clone(), false, 0)]);
        assert_eq!(
            (original(store, first).await, original(store, second).await),
            (b"first".to_vec(), b"second".to_vec())
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_comes_in_during_rotations_is_left_with_an_older_key() {
    on_both(async |place| {
        let coming_in = async {
            for n in 0..60u8 {
                // A key that began to lead just then is refused, and the file is tried again.
                for _ in 0..20 {
                    if place.store.admit(arrival(&[n], "a.pdf", "inbox"), &machine(), NOW).await.is_ok() {
                        break;
                    }
                }
            }
        };
        let rotating = async {
            for _ in 0..8 {
                place.store.rotate_vault_key(&admin(), NOW, &mut |_, _| ()).await.unwrap();
            }
        };
        tokio::join!(coming_in, rotating);
        let uses = uses(&place.store).await;
        assert_eq!((uses[0].1, uses[0].2), (true, 61), "{uses:?}");
        assert!(uses[1..].iter().all(|(_, leads, n)| !leads && *n == 0), "{uses:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_key_file_that_did_not_go_is_in_the_log_as_that() {
    on_both(async |place| {
        let old = uses(&place.store).await[0].0.clone();
        place.store.rotate_vault_key(&admin(), NOW, &mut |_, _| ()).await.unwrap();
        let in_the_way = place.config.keys.folder.join("keys.new/in the way");
        std::fs::create_dir_all(&in_the_way).unwrap();
        place.store.retire_vault_key(&old, &admin(), NOW).await.unwrap_err();
        std::fs::remove_dir_all(in_the_way.parent().unwrap()).unwrap();
        place.store.retire_vault_key(&old, &admin(), NOW).await.unwrap();
        let entries = place.entries().await;
        let told: Vec<_> = entries.iter().filter(|it| it.act.text() == "key.retire").map(|it| it.res.text()).collect();
        assert_eq!(told, ["ok", "error", "ok"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_an_older_key_file_takes_nothing_in_until_it_gets_the_newer_one() {
    on_both(async |place| {
        let store = &place.store;
        let id = admit(store, b"before").await;
        let elsewhere = tempfile::TempDir::new().unwrap();
        let keys = elsewhere.path().join("keys");
        std::fs::create_dir(&keys).unwrap();
        std::fs::set_permissions(&keys, PermissionsExt::from_mode(0o700)).unwrap();
        std::fs::copy(place.config.keys.folder.join("keys"), keys.join("keys")).unwrap();
        let config = Config { keys: keys.clone().into(), ..place.config.clone() };
        let other = Store::open(&config).await.unwrap();
        store.rotate_vault_key(&admin(), NOW, &mut |_, _| ()).await.unwrap();
        let refused = other.admit(arrival(b"after", "b.pdf", "inbox"), &machine(), NOW).await.unwrap_err().to_string();
        assert!(refused.contains("copy the key file from where it was rotated"), "{refused}");
        let closed = store::causes(&other.case(id).await.unwrap_err());
        assert!(closed.contains("needs vault key"), "{closed}");
        assert_eq!(store.counts(NOW).await.unwrap().arrivals, 1);

        // As it should be brought: whole, and as a new file.
        std::fs::copy(place.config.keys.folder.join("keys"), keys.join("new")).unwrap();
        std::fs::rename(keys.join("new"), keys.join("keys")).unwrap();
        assert_eq!(original(&other, id).await, b"before");
        admit(&other, b"after").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_without_its_record_key_opens_no_more_and_check_names_it() {
    on_both(async |place| {
        let store = &place.store;
        let (gone, other) = (admit(store, b"gone").await, admit(store, b"other").await);
        let mut rows = Vec::new();
        for owner in [String::new(), gone.to_string(), other.to_string()] {
            rows.push((row(place, &owner).await, owner));
        }
        place.execute(&format!("DELETE FROM record_keys WHERE owner = '{gone}'")).await.unwrap();
        let closed = store::causes(&store.case(gone).await.unwrap_err());
        assert!(closed.contains("needs record key"), "{closed}");
        assert_eq!(original(store, other).await, b"other");
        // Nothing more of it is sealed with another key instead.
        let pictures = store.keep_pictures(gone, vec![b"a page".to_vec()]).await;
        assert!(matches!(pictures, Err(Error::NoSuchCase { .. })), "{pictures:?}");
        let report = store.check(true, None, NOW).await.unwrap();
        assert!(report.faults.iter().any(|fault| fault.about.contains(&gone.to_string())), "{:?}", report.faults);

        place.execute("DELETE FROM record_keys").await.unwrap();
        let empty = Store::open(&place.config).await.unwrap_err().to_string();
        assert!(empty.contains("key table"), "{empty}");
        assert!(Keys::open(&place.config.keys).is_ok());
        for (body, owner) in rows {
            place.execute(&format!("INSERT INTO record_keys VALUES ('{owner}', '', '')")).await.unwrap();
            put_back(place, &owner, &body).await;
        }
    })
    .await;
}

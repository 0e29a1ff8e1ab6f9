#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod custody;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::*;

/// The shares that were shown.
fn new_escrow(custody: &Custody) -> Result<[Share; 3], KeyError> {
    let mut shown = None;
    Keys::new_escrow(custody, |shares| {
        shown = Some(shares.each_ref().map(|it| Share::parse(&it.line()).unwrap()));
        Ok(())
    })?;
    Ok(shown.unwrap())
}

fn made() -> (TempDir, PathBuf, Keys) {
    let parent = TempDir::new().unwrap();
    let dir = parent.path().join("keys");
    let keys = Keys::create(&dir).unwrap();
    (parent, dir, keys)
}

fn key_file(dir: &Path) -> PathBuf {
    dir.join("keys")
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn keys_come_back_as_they_were_made() {
    let (_parent, dir, made) = made();
    let opened = Keys::open(&dir).unwrap();
    assert_eq!(opened.log_seeds(), made.log_seeds());
    assert_eq!(opened.blind("iban", "DE02"), made.blind("iban", "DE02"));
    assert_eq!(opened.current().id, made.current().id);
    assert_ne!(*opened.log_seeds()[0], [0; 32]);
}

#[test]
fn keys_are_never_overwritten() {
    let (_parent, dir, made) = made();
    assert!(matches!(Keys::create(&dir), Err(KeyError::Exists { .. })));
    assert_eq!(Keys::open(&dir).unwrap().current().id, made.current().id);
}

#[test]
fn keys_that_others_may_use_are_refused_with_both_modes() {
    let (_parent, dir, _keys) = made();
    let file = key_file(&dir);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    for (path, mode, must) in [(&file, 0o640, "0600"), (&file, 0o602, "0600"), (&dir, 0o701, "0700")] {
        let proper = fs::metadata(path).unwrap().permissions().mode();
        chmod(path, mode);
        let refusal = Keys::open(&dir).unwrap_err().to_string();
        let path_shown = path.display();
        assert_eq!(refusal, format!("others may use `{path_shown}`: its mode is {mode:04o}, it must be {must}"));
        chmod(path, proper);
    }
    chmod(&file, 0o400);
    Keys::open(&dir).unwrap();
}

#[test]
fn no_keys_are_made_where_others_may_enter() {
    let dir = TempDir::new().unwrap();
    chmod(dir.path(), 0o755);
    assert!(matches!(Keys::create(dir.path()), Err(KeyError::Exposed { mode: 0o755, must: 0o700, .. })));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn missing_keys_are_said_to_be_missing() {
    let dir = TempDir::new().unwrap();
    chmod(dir.path(), 0o700);
    for folder in [dir.path(), &dir.path().join("nowhere")] {
        let lost = Keys::open(folder).unwrap_err();
        assert!(
            matches!(lost, KeyError::Lost { .. }) && lost.to_string().contains("`countersign keys recover`"),
            "{lost}"
        );
    }
}

#[test]
fn a_mistyped_key_file_is_refused_with_its_line() {
    let (_parent, dir, _keys) = made();
    let text = fs::read_to_string(key_file(&dir)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let vault = lines.iter().position(|line| line.starts_with("vault")).unwrap();
    let flip = |digit: char| if digit == '0' { '1' } else { '0' };
    let mistyped = |at: usize| -> String {
        let typed = lines[vault].char_indices().map(|(i, c)| if i == at { flip(c) } else { c }).collect::<String>();
        text.replace(lines[vault], &typed)
    };
    assert_eq!(Keys::parse(&text).map(drop), Ok(()));
    for at in 0..lines[vault].len() {
        assert_eq!(Keys::parse(&mistyped(at)).map(drop).unwrap_err().0, vault + 1, "digit {at}");
    }
    let twice = format!("{text}{}", lines[vault]);
    assert_eq!(Keys::parse(&twice).map(drop).unwrap_err(), (lines.len() + 1, "this key is there twice"));
    let refused = |text: &str| {
        fs::write(key_file(&dir), text).unwrap();
        Keys::open(&dir).unwrap_err().to_string().replace(&key_file(&dir).display().to_string(), "keys")
    };
    assert_eq!(refused(""), "`keys`: it is empty");
    assert_eq!(refused(&text[..40]), "`keys`: there is no vault key: it is cut, or no key file");
    assert_eq!(refused(&twice), format!("`keys`, line {}: this key is there twice", lines.len() + 1));
    for role in ["vault", "log", "index"] {
        let without: String = lines.iter().filter(|line| !line.starts_with(role)).map(|l| format!("{l}\n")).collect();
        assert_eq!(Keys::parse(&without).map(drop).unwrap_err().0, 0, "no {role} key");
    }
}

#[test]
fn blind_digests_tell_equal_from_unequal_and_keep_domains_apart() {
    let (_parent, _dir, keys) = made();
    assert_eq!(keys.blind("iban", "DE02"), keys.blind("iban", "DE02"));
    assert_ne!(keys.blind("iban", "DE02"), keys.blind("iban", "DE03"));
    assert_ne!(keys.blind("iban", "DE02"), keys.blind("ibanD", "E02"));
    let (_parent, _dir, others) = made();
    assert_ne!(keys.blind("iban", "DE02"), others.blind("iban", "DE02"));
}

#[test]
fn a_new_vault_key_leaves_the_other_keys_as_they_were() {
    let (_parent, dir, before) = made();
    let after = Keys::rotate(&dir).unwrap();
    assert_ne!(after.current().id, before.current().id);
    assert!(after.find(before.current().id).is_some());
    assert_eq!(after.log_seeds(), before.log_seeds());
    assert_eq!(after.blind("iban", "DE02"), before.blind("iban", "DE02"));
    assert_eq!(fs::metadata(key_file(&dir)).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn no_more_keys_are_kept_than_can_be_read() {
    let (_parent, dir, _keys) = made();
    for _ in 1..VAULT_KEYS_MAX {
        Keys::rotate(&dir).unwrap();
    }
    assert!(matches!(Keys::rotate(&dir), Err(KeyError::TooMany { role: "vault", n_keys: 64, max: 64 })));
    Keys::open(&dir).unwrap();
    for (role, why) in [("vault", "there are more than 64 vault keys"), ("log", "there are more than 64 log keys")] {
        let mut text = String::new();
        for _ in 0..65 {
            push_line(&mut text, role, &random().unwrap());
        }
        assert_eq!(Keys::parse(&text).map(drop).unwrap_err(), (65, why));
    }
}

/// A custody with a copy for the shares, in a data folder of its own.
fn with_escrow() -> (TempDir, Custody) {
    let parent = TempDir::new().unwrap();
    fs::create_dir(parent.path().join("data")).unwrap();
    let custody = Custody {
        folder: parent.path().join("keys"),
        escrow: Some(parent.path().join("data/keys.escrow")),
        lock: None,
    };
    Keys::create(&custody).unwrap();
    (parent, custody)
}

fn lock(sealing: Sealing, byte: u8) -> Arc<Lock> {
    let mut key = SecretBox::<[u8; 32]>::default();
    key.expose_secret_mut().fill(byte);
    Arc::new(Lock { sealing, key })
}

fn transit() -> Sealing {
    Sealing::Transit { wrapped: "vault:v1:abc".to_owned() }
}

#[test]
fn keys_are_changed_by_one_process_at_a_time() {
    let (_parent, custody) = with_escrow();
    let first = custody.change().unwrap();
    assert!(matches!(Keys::rotate(&custody), Err(KeyError::Busy { .. })));
    assert!(matches!(Keys::protect(&custody, None), Err(KeyError::Busy { .. })));
    assert!(matches!(new_escrow(&custody), Err(KeyError::Busy { .. })));
    Keys::open(&custody).unwrap();
    drop(first);
    Keys::rotate(&custody).unwrap();
}

#[test]
fn any_two_shares_bring_a_lost_key_file_back_as_it_was_last() {
    let (_parent, custody) = with_escrow();
    assert_eq!(Keys::open(&custody).unwrap().escrow(&custody).unwrap(), Escrow::Never);
    let shares = new_escrow(&custody).unwrap();
    let set = shares[0].set_name();
    let sealed = Keys::protect(&custody, Some(lock(transit(), 1))).unwrap();
    let last = Keys::rotate(&sealed).unwrap();
    assert_eq!(last.escrow(&sealed).unwrap(), Escrow::Whole { set });
    for (one, other) in [(0, 1), (0, 2), (1, 2), (2, 0)] {
        assert!(matches!(Keys::recover(&custody, &shares[one], &shares[other]), Err(KeyError::Exists { .. })));
        fs::remove_dir_all(&custody.folder).unwrap();
        let found = Keys::recover(&custody, &shares[one], &shares[other]).unwrap();
        assert_eq!((found.ids(), sealing(&custody.folder).unwrap()), (last.ids(), None));
    }
}

#[test]
fn shares_of_another_set_are_told_from_a_copy_that_is_not_there() {
    let (_parent, custody) = with_escrow();
    let old = new_escrow(&custody).unwrap();
    let older_copy = fs::read(custody.escrow.as_ref().unwrap()).unwrap();
    let new = new_escrow(&custody).unwrap();
    fs::remove_dir_all(&custody.folder).unwrap();
    let refused = |one: &Share, other: &Share| Keys::recover(&custody, one, other).unwrap_err().to_string();
    let (old_set, new_set, path) =
        (old[0].set_name(), new[0].set_name(), custody.escrow.as_ref().unwrap().display().to_string());
    assert_eq!(
        refused(&old[0], &old[1]),
        format!("`{path}` opens with shares of set {new_set}, these are of set {old_set}")
    );
    assert_eq!(
        refused(&old[0], &new[1]),
        format!("share 1 is of set {old_set}, share 2 of set {new_set}: shares of two sets open nothing")
    );
    assert_eq!(refused(&new[2], &new[2]), "share 3 was given twice; two different ones are needed");
    let newest_copy = fs::read(&path).unwrap();
    for at in [newest_copy.len() - 1, newest_copy.len() / 2, 24] {
        let mut altered = newest_copy.clone();
        altered[at] ^= 1;
        fs::write(&path, altered).unwrap();
        let shut =
            format!("`{path}` does not open with what `escrow` gave: that is another key, or the file was altered");
        assert_eq!(refused(&new[0], &new[1]), shut);
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(refused(&new[0], &new[1]), format!("there are no keys in `{path}`"));
    assert!(!custody.folder.exists(), "nothing is written before the copy opened");
    // An older copy of the data is still opened by the shares of its time.
    fs::write(&path, older_copy).unwrap();
    Keys::recover(&custody, &old[1], &old[2]).unwrap();
}

#[test]
fn the_copy_for_the_shares_follows_the_key_file() {
    let (_parent, custody) = with_escrow();
    let set = new_escrow(&custody).unwrap()[0].set_name();
    let path = custody.escrow.clone().unwrap();
    let of_before = fs::read(&path).unwrap();
    let keys = Keys::rotate(&custody).unwrap();
    assert_eq!(keys.escrow(&custody).unwrap(), Escrow::Whole { set: set.clone() });
    for other in [of_before, b"not sealed".to_vec(), vec![0; 1 << 20]] {
        fs::write(&path, other).unwrap();
        assert_eq!(keys.escrow(&custody).unwrap(), Escrow::Behind { set: set.clone() });
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(keys.escrow(&custody).unwrap(), Escrow::Behind { set: set.clone() });
    let other_process = custody.change().unwrap();
    keys.mend_escrow(&custody).unwrap();
    assert!(!path.exists(), "it is the other process's to write");
    drop(other_process);
    keys.mend_escrow(&custody).unwrap();
    assert_eq!(keys.escrow(&custody).unwrap(), Escrow::Whole { set });
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn an_older_key_file_does_not_take_keys_out_of_the_copy_for_the_shares() {
    let (parent, custody) = with_escrow();
    let set = new_escrow(&custody).unwrap()[0].set_name();
    let other_node = Custody { folder: parent.path().join("other"), ..custody.clone() };
    fs::create_dir(&other_node.folder).unwrap();
    chmod(&other_node.folder, 0o700);
    fs::copy(key_file(&custody.folder), key_file(&other_node.folder)).unwrap();
    Keys::rotate(&custody).unwrap();
    let older = Keys::open(&other_node).unwrap();
    let newer_copy = || fs::read(custody.escrow.as_ref().unwrap()).unwrap();
    let before = newer_copy();
    older.mend_escrow(&other_node).unwrap();
    assert_eq!(
        (older.escrow(&other_node).unwrap(), newer_copy() == before),
        (Escrow::Other { set: set.clone() }, true)
    );
    // The first change that is made with it takes back what only the copy has.
    let newest = Keys::open(&custody).unwrap().ids();
    let taken_back = Keys::rotate_log(&other_node).unwrap();
    assert!(newest.iter().all(|key| taken_back.ids().contains(key)), "{taken_back:?}");
    assert_eq!(taken_back.ids().len(), newest.len() + 1);
    assert_eq!(taken_back.escrow(&other_node).unwrap(), Escrow::Whole { set: set.clone() });

    // What only the shares of another set open, it leaves alone.
    new_escrow(&custody).unwrap();
    let before = newer_copy();
    taken_back.mend_escrow(&other_node).unwrap();
    assert!(matches!(Keys::rotate(&other_node), Err(KeyError::OtherCopy { .. })));
    assert_eq!((taken_back.escrow(&other_node).unwrap(), newer_copy() == before), (Escrow::Other { set }, true));
    assert_eq!(Keys::open(&other_node).unwrap().ids(), taken_back.ids());
    // But new shares are for what it has.
    new_escrow(&other_node).unwrap();
    Keys::rotate(&other_node).unwrap();
}

#[test]
fn shares_that_nobody_saw_or_that_could_not_be_put_in_force_leave_those_before_in_force() {
    let (_parent, custody) = with_escrow();
    let shares = new_escrow(&custody).unwrap();
    let before = (Keys::open(&custody).unwrap().ids(), fs::read(custody.escrow.as_ref().unwrap()).unwrap());
    let unseen = Keys::new_escrow(&custody, |_| Err(io::Error::other("the disk is full")));
    assert!(matches!(unseen, Err(KeyError::NotShown(_))));
    assert_eq!((Keys::open(&custody).unwrap().ids(), fs::read(custody.escrow.as_ref().unwrap()).unwrap()), before);
    // The key file cannot be replaced.
    fs::create_dir_all(custody.folder.join("keys.new/in the way")).unwrap();
    new_escrow(&custody).unwrap_err();
    Keys::rotate(&custody).unwrap_err();
    assert_eq!(Keys::open(&custody).unwrap().escrow(&custody).unwrap(), Escrow::Whole { set: shares[0].set_name() });
    fs::remove_dir_all(&custody.folder).unwrap();
    assert_eq!(Keys::recover(&custody, &shares[0], &shares[1]).unwrap().ids(), before.0);
}

#[test]
fn no_secret_is_ever_printed() {
    let (_parent, custody) = with_escrow();
    let shares = new_escrow(&custody).unwrap();
    let text = fs::read_to_string(key_file(&custody.folder)).unwrap();
    let mut secrets: Vec<Vec<u8>> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        secrets.push(from_hex(line.split(' ').nth(2).unwrap()).unwrap().to_vec());
    }
    let lock = lock(transit(), 0xa7);
    secrets.push(vec![0xa7; 32]);
    let sealed = Keys::protect(&custody, Some(lock.clone())).unwrap();
    let keys = Keys::open(&sealed).unwrap();
    let mut shown = format!("{keys:?} {sealed:?} {lock:?} {shares:?} {:?} {:#?}", keys.escrow(&sealed), keys.ids());
    let [one, _, three] = &shares;
    let errors = [
        Keys::open(&custody).unwrap_err(),
        Keys::create(&custody).unwrap_err(),
        Keys::recover(&custody, one, three).unwrap_err(),
        Keys::recover(&custody, one, one).unwrap_err(),
        Keys::of(&custody, &text.replacen("\nvault ", "\nvaults ", 1)).unwrap_err(),
        Share::parse(&one.line()[..90]).unwrap_err().into(),
        Share::parse(&one.line().replacen("1-", "2-", 1)).unwrap_err().into(),
    ];
    for error in errors {
        shown.push_str(&format!("{error} {error:?}"));
    }
    for secret in secrets {
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let list = format!("{secret:?}");
        for form in [&hex[..12], &hex.to_uppercase()[..12], &list[1..16]] {
            assert!(!shown.contains(form), "{shown}");
        }
    }
    for share in &shares {
        // What names the set may be shown; the rest may not, not even a group.
        assert!(share.line().split('-').skip(3).all(|group| !shown.contains(group)));
    }
    assert!(shown.contains(&format!("Keys(vault `{}`)", keys.current().id)));
}

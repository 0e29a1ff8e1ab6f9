//! Another custodian for the key file, and what becomes of the file before.

use secrecy::SecretString;

use super::*;

#[test]
fn a_key_file_moves_from_custodian_to_custodian_with_all_its_keys() {
    let (_parent, mut custody) = with_escrow();
    new_escrow(&custody).unwrap();
    let ids = Keys::open(&custody).unwrap().ids();
    let text = fs::read_to_string(key_file(&custody.folder)).unwrap();
    let stretch = Stretch::new().unwrap();
    let key = stretch.key(&SecretString::from("seventeen baskets"));
    let passphrase = Arc::new(Lock { sealing: Sealing::Passphrase(stretch), key });
    let locks = [lock(Sealing::Credential, 1), passphrase, lock(Sealing::Command, 2), lock(transit(), 3)];
    for lock in locks {
        custody = Keys::protect(&custody, Some(lock.clone())).unwrap();
        assert_eq!(Keys::open(&custody).unwrap().ids(), ids);
        assert_eq!(sealing(&custody.folder).unwrap().unwrap(), lock.sealing);
        assert!(!key_file(&custody.folder).exists());
        let sealed = fs::read(custody.folder.join("keys.sealed")).unwrap();
        let mode = fs::metadata(custody.folder.join("keys.sealed")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let key = line.split(' ').nth(2).unwrap();
            let raw = from_hex(key).unwrap();
            let found = |what: &[u8]| sealed.windows(what.len()).any(|window| window == what);
            assert!(!found(key.as_bytes()) && !found(raw.as_slice()) && !found(b"vault "));
        }
    }
    custody = Keys::protect(&custody, None).unwrap();
    assert_eq!(fs::read_to_string(key_file(&custody.folder)).unwrap(), text);
    assert_eq!(fs::read_dir(&custody.folder).unwrap().count(), 1);
}

#[test]
fn a_sealed_key_file_opens_with_its_own_key_alone() {
    let (_parent, custody) = with_escrow();
    let sealed = Keys::protect(&custody, Some(lock(Sealing::Credential, 1))).unwrap();
    let with = |lock| Keys::open(Custody { lock, ..custody.clone() }).unwrap_err();
    assert!(matches!(with(None), KeyError::Closed { sealing: Sealing::Credential, .. }));
    assert!(matches!(with(Some(lock(Sealing::Credential, 2))), KeyError::Shut { sealing: Sealing::Credential, .. }));
    assert!(matches!(with(Some(lock(Sealing::Command, 1))), KeyError::Moved { sealing: Sealing::Credential, .. }));
    let path = sealed.folder.join("keys.sealed");
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(matches!(Keys::open(&sealed), Err(KeyError::Shut { .. })));
    chmod(&path, 0o640);
    assert!(matches!(Keys::open(&sealed), Err(KeyError::Exposed { mode: 0o640, must: 0o600, .. })));
}

#[test]
fn new_keys_are_put_into_the_file_that_is_there() {
    let (_parent, custody) = with_escrow();
    let before = Keys::open(&custody).unwrap().ids();
    let sealed = Keys::protect(&custody, Some(lock(Sealing::Credential, 1))).unwrap();
    let after = Keys::rotate(&sealed).unwrap();
    assert_eq!(after.ids()[1..], before);
    assert!(!key_file(&custody.folder).exists());
    // Another program made it a plain file meanwhile: it stays one.
    Keys::protect(&sealed, None).unwrap();
    Keys::rotate(&sealed).unwrap();
    assert_eq!(sealing(&custody.folder).unwrap(), None);
    assert_eq!(Keys::open(&custody).unwrap().ids().len(), before.len() + 2);
}

#[test]
fn keys_are_never_made_beside_a_sealed_key_file() {
    let (_parent, custody) = with_escrow();
    Keys::protect(&custody, Some(lock(Sealing::Credential, 1))).unwrap();
    assert!(matches!(Keys::create(&custody), Err(KeyError::Exists { .. })));
}

#[test]
fn a_change_of_custodian_that_was_cut_short_is_finished_by_the_next_one() {
    // As it is between the two steps, either way, and when the plain file was put aside; each with a staged file that was
    // not whole.
    for (found, by) in
        [("keys", Some(1)), ("keys", Some(2)), ("keys", None), ("keys.to-wipe", Some(2)), ("keys.to-wipe", None)]
    {
        let (_parent, custody) = with_escrow();
        let plain = fs::read(key_file(&custody.folder)).unwrap();
        let sealed = Keys::protect(&custody, Some(lock(Sealing::Credential, 1))).unwrap();
        assert!(!sealed.laid_open().unwrap());
        let left = custody.folder.join(found);
        fs::write(&left, &plain).unwrap();
        chmod(&left, 0o600);
        fs::write(custody.folder.join("keys.new"), &plain[..40]).unwrap();
        assert!(sealed.laid_open().unwrap());
        assert!(matches!(Keys::open(&custody), Err(KeyError::Closed { .. })));
        let ids = Keys::open(&sealed).unwrap().ids();
        let after = Keys::protect(&sealed, by.map(|byte| lock(Sealing::Credential, byte))).unwrap();
        assert!(!after.laid_open().unwrap());
        assert_eq!(Keys::open(&after).unwrap().ids(), ids);
        let names: Vec<_> = fs::read_dir(&custody.folder).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(names, [if by.is_some() { "keys.sealed" } else { "keys" }]);
    }
    let (_parent, custody) = with_escrow();
    let sealed = Keys::protect(&custody, Some(lock(Sealing::Credential, 1))).unwrap();
    fs::write(custody.folder.join("keys.to-wipe"), "vault").unwrap();
    let after = Keys::rotate(&sealed).unwrap();
    assert!(!sealed.laid_open().unwrap());
    assert_eq!(Keys::open(&sealed).unwrap().ids(), after.ids());
}

/// Another name for a file, by which it is seen what became of it.
fn watched(path: &Path, name: &str) -> PathBuf {
    let watch = path.parent().unwrap().with_file_name(name);
    fs::hard_link(path, &watch).unwrap();
    watch
}

#[test]
fn a_sealed_key_file_is_whole_until_it_is_gone() {
    let (_parent, custody) = with_escrow();
    let sealed = Keys::protect(&custody, Some(lock(Sealing::Credential, 1))).unwrap();
    let path = custody.folder.join("keys.sealed");
    let (watch, before) = (watched(&path, "watch"), fs::read(&path).unwrap());
    Keys::protect(&sealed, None).unwrap();
    assert!(!path.exists() && fs::read(watch).unwrap() == before);
    // Zeros in its place are no key file: nothing is opened in its stead, and it says what is wrong.
    fs::write(&path, vec![0; before.len()]).unwrap();
    chmod(&path, 0o600);
    let refused = Keys::open(&sealed).unwrap_err().to_string();
    assert_eq!(
        refused,
        format!("`{}` is not a sealed key file: it does not begin as a sealed key file does", path.display())
    );
    fs::remove_file(&path).unwrap();
    Keys::open(&custody).unwrap();
}

#[test]
fn what_a_key_file_was_is_written_over_also_where_it_may_only_be_read() {
    let (_parent, custody) = with_escrow();
    let (plain, old) = (key_file(&custody.folder), Keys::open(&custody).unwrap().current().id.to_string());
    let is_zeros = |watch: PathBuf| fs::read(watch).unwrap().iter().all(|byte| *byte == 0);
    chmod(&plain, 0o400);
    let watch = watched(&plain, "before-rotation");
    Keys::rotate(&custody).unwrap();
    assert!(is_zeros(watch));
    chmod(&plain, 0o400);
    let watch = watched(&plain, "before-retirement");
    Keys::retire(&custody, &old).unwrap();
    assert!(is_zeros(watch) && !fs::read_to_string(&plain).unwrap().contains(&old));
    chmod(&plain, 0o400);
    let watch = watched(&plain, "before-sealing");
    let sealed = Keys::protect(&custody, Some(lock(Sealing::Credential, 1))).unwrap();
    assert!(is_zeros(watch) && !sealed.laid_open().unwrap());
    Keys::open(&sealed).unwrap();
    new_escrow(&sealed).unwrap();
    let watches = [(custody.folder.join("keys.sealed"), "sealed"), (custody.escrow.clone().unwrap(), "escrow")]
        .map(|(path, name)| watched(&path, name));
    Keys::rotate(&sealed).unwrap();
    assert!(watches.into_iter().all(is_zeros));
}

#[test]
fn keys_are_read_whole_while_they_are_changed() {
    let (_parent, custody) = with_escrow();
    std::thread::scope(|scope| {
        let changing = scope.spawn(|| (0..30).for_each(|_| drop(Keys::rotate(&custody).unwrap())));
        while !changing.is_finished() {
            Keys::open(&custody).unwrap();
        }
    });
    assert_eq!(Keys::open(&custody).unwrap().vault_ids().count(), 31);
}

#[test]
fn a_link_under_a_name_that_is_cleared_away_does_no_harm_to_what_it_leads_to() {
    let (_parent, custody) = with_escrow();
    new_escrow(&custody).unwrap();
    let (staging, bystander) =
        (custody.escrow.as_ref().unwrap().with_extension("escrow.new"), custody.folder.join("signed-head"));
    fs::write(&bystander, "as it was").unwrap();
    std::os::unix::fs::symlink(&bystander, &staging).unwrap();
    Keys::rotate(&custody).unwrap();
    assert_eq!(fs::read_to_string(&bystander).unwrap(), "as it was");
    assert!(!staging.exists());
}

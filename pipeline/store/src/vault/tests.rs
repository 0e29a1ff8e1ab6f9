#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::os::unix::fs::PermissionsExt;
use std::time::SystemTime;

use proptest::prelude::*;
use tempfile::TempDir;

use super::seal::{HEADER_BYTES, PLAIN_BYTES_MAX, SEALED_BYTES_MAX};
use super::*;

const CHUNK: usize = 64 << 10;
const SEALED_CHUNK: usize = CHUNK + 16;

fn keys() -> Arc<Keys> {
    let dir = TempDir::new().unwrap();
    Arc::new(Keys::create(dir.path().join("keys")).unwrap())
}

fn vault() -> (TempDir, Vault) {
    let dir = TempDir::new().unwrap();
    let vault = Vault::open(&dir.path().join("vault"), keys()).unwrap();
    (dir, vault)
}

fn plain(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i * i / 7 + i / 65536) as u8).collect()
}

fn why(result: Result<Vec<u8>, VaultError>) -> BrokenSeal {
    match result {
        Err(VaultError::Refused { source, .. }) => source,
        other => panic!("not refused: {other:?}"),
    }
}

/// Seals `size` bytes, lets `harm` at the file, and says why it is refused.
#[track_caller]
fn harmed(size: usize, harm: impl FnOnce(&mut Vec<u8>)) -> BrokenSeal {
    let (_dir, vault) = vault();
    let id = Uuid::now_v7();
    vault.put(id, &plain(size)).unwrap();
    let mut sealed = fs::read(vault.path(id)).unwrap();
    harm(&mut sealed);
    fs::write(vault.path(id), sealed).unwrap();
    why(vault.get(id))
}

#[test]
fn what_was_put_comes_back_whatever_its_size() {
    let (_dir, vault) = vault();
    for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5] {
        let id = Uuid::now_v7();
        let sealed_bytes = vault.put(id, &plain(size)).unwrap();
        assert_eq!(sealed_bytes, fs::metadata(vault.path(id)).unwrap().len());
        assert_eq!(sealed_bytes as usize, HEADER_BYTES + size + 16 * size.div_ceil(CHUNK).max(1));
        assert!(vault.get(id).unwrap() == plain(size), "{size} bytes");
    }
}

#[test]
fn nothing_of_a_document_is_readable_in_its_sealed_file() {
    let (_dir, vault) = vault();
    let id = Uuid::now_v7();
    vault.put(id, &b"canary ".repeat(30_000)).unwrap();
    let sealed = fs::read(vault.path(id)).unwrap();
    assert!(!sealed.windows(6).any(|six| six == b"canary"));
    // Equal documents are sealed differently, so that nobody sees that they are equal.
    let twin = Uuid::now_v7();
    vault.put(twin, &b"canary ".repeat(30_000)).unwrap();
    let twin = fs::read(vault.path(twin)).unwrap();
    let equal = sealed[HEADER_BYTES..].iter().zip(&twin[HEADER_BYTES..]).filter(|(a, b)| a == b).count();
    assert!(equal < sealed.len() / 100, "{equal} of {} bytes are equal", sealed.len());
}

#[test]
fn every_altered_byte_is_refused() {
    let keys = keys();
    let id = Uuid::now_v7();
    let sealed = seal::seal(&keys, Place::File(id), b"Invoice 4711").unwrap();
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut altered = sealed.clone();
            altered[at] ^= 1 << bit;
            let broken = seal::open(&keys, Place::File(id), &altered).unwrap_err();
            let told = match at {
                0..10 => broken == BrokenSeal::NotSealed,
                10 => matches!(broken, BrokenSeal::Version { .. }),
                11 => matches!(broken, BrokenSeal::Suite { .. }),
                60..68 => matches!(broken, BrokenSeal::WrongKey { .. }),
                12..HEADER_BYTES => broken == BrokenSeal::Header,
                _ => broken == BrokenSeal::Altered { chunk: 1, n_chunks: 1 },
            };
            assert!(told, "byte {at}, bit {bit}: {broken}");
        }
    }
}

#[test]
fn every_cut_and_every_extension_is_refused_as_one() {
    let keys = keys();
    let id = Uuid::now_v7();
    let sealed = seal::seal(&keys, Place::File(id), &plain(300)).unwrap();
    let whole = sealed.len() as u64;
    for size in 0..sealed.len() {
        let broken = seal::open(&keys, Place::File(id), &sealed[..size]).unwrap_err();
        let told = match size {
            0..HEADER_BYTES => BrokenSeal::CutHeader { size },
            _ => BrokenSeal::Cut { size: size as u64, whole },
        };
        assert_eq!(broken, told);
    }
    for more in [1, 16, 17, SEALED_CHUNK] {
        let extended = [sealed.clone(), vec![0; more]].concat();
        let size = whole + more as u64;
        assert_eq!(seal::open(&keys, Place::File(id), &extended).unwrap_err(), BrokenSeal::Extended { size, whole });
    }
}

#[test]
fn a_file_cut_between_two_chunks_is_refused() {
    let whole = (HEADER_BYTES + 2 * SEALED_CHUNK) as u64;
    let broken = harmed(2 * CHUNK, |sealed| sealed.truncate(HEADER_BYTES + SEALED_CHUNK));
    assert_eq!(broken, BrokenSeal::Cut { size: whole - SEALED_CHUNK as u64, whole });
}

#[test]
fn swapped_chunks_are_refused_and_named() {
    let broken = harmed(3 * CHUNK + 5, |sealed| {
        let (first, rest) = sealed[HEADER_BYTES..].split_at_mut(SEALED_CHUNK);
        first.swap_with_slice(&mut rest[..SEALED_CHUNK]);
    });
    assert_eq!(broken, BrokenSeal::Reordered { chunk: 2, place: 1, n_chunks: 4 });
}

#[test]
fn a_chunk_repeated_in_the_place_of_the_last_is_refused() {
    let broken = harmed(2 * CHUNK, |sealed| {
        let (first, last) = sealed[HEADER_BYTES..].split_at_mut(SEALED_CHUNK);
        last.copy_from_slice(first);
    });
    assert_eq!(broken, BrokenSeal::Reordered { chunk: 1, place: 2, n_chunks: 2 });
}

#[test]
fn the_altered_chunk_of_many_is_named() {
    let broken = harmed(3 * CHUNK + 5, |sealed| sealed[HEADER_BYTES + 2 * SEALED_CHUNK + 7] ^= 1);
    assert_eq!(broken, BrokenSeal::Altered { chunk: 3, n_chunks: 4 });
}

#[test]
fn a_file_put_in_the_place_of_another_says_what_it_is() {
    let (_dir, vault) = vault();
    let (id, other) = (Uuid::now_v7(), Uuid::now_v7());
    vault.put(id, b"one").unwrap();
    vault.put(other, b"two").unwrap();
    fs::copy(vault.path(other), vault.path(id)).unwrap();
    assert_eq!(why(vault.get(id)), BrokenSeal::Relabelled { sealed_as: format!("sealed file `{other}`") });
    assert_eq!(vault.get(other).unwrap(), b"two");
}

#[test]
fn the_body_of_one_file_under_the_header_of_another_is_refused() {
    let (_dir, vault) = vault();
    let (id, other) = (Uuid::now_v7(), Uuid::now_v7());
    vault.put(id, b"one").unwrap();
    vault.put(other, b"two").unwrap();
    let (mut mixed, body) = (fs::read(vault.path(id)).unwrap(), fs::read(vault.path(other)).unwrap());
    mixed[HEADER_BYTES..].copy_from_slice(&body[HEADER_BYTES..]);
    fs::write(vault.path(id), mixed).unwrap();
    assert_eq!(why(vault.get(id)), BrokenSeal::Altered { chunk: 1, n_chunks: 1 });
}

#[test]
fn a_value_opens_only_in_its_own_table_column_and_row() {
    let keys = keys();
    let sealed = seal_value(&keys, "extractions.values case-1", b"1.234,56").unwrap();
    assert_eq!(open_value(&keys, "extractions.values case-1", &sealed).unwrap(), b"1.234,56");
    let elsewhere = why(open_value(&keys, "extractions.values case-2", &sealed));
    assert!(matches!(elsewhere, BrokenSeal::Relabelled { .. }), "{elsewhere}");
    let as_file = seal::open(&keys, Place::File(Uuid::now_v7()), &sealed).unwrap_err();
    assert!(matches!(as_file, BrokenSeal::Relabelled { .. }), "{as_file}");
}

#[test]
fn a_wrong_key_is_named_with_the_key_that_is_needed() {
    let (ours, theirs) = (keys(), keys());
    let sealed = seal_value(&ours, "context", b"").unwrap();
    let refusal = why(open_value(&theirs, "context", &sealed)).to_string();
    let (needs, have) = (ours.current().id, theirs.current().id);
    assert_eq!(refusal, format!("it needs vault key `{needs}`, the key file has `{have}`"));
}

#[test]
fn what_the_old_key_sealed_opens_after_a_new_one_leads() {
    let dir = TempDir::new().unwrap();
    let old = Keys::create(dir.path().join("keys").as_path()).unwrap();
    let sealed = seal_value(&old, "context", b"old").unwrap();
    let both = Keys::rotate(dir.path().join("keys").as_path()).unwrap();
    assert_ne!(both.current().id, old.current().id);
    assert_eq!(open_value(&both, "context", &sealed).unwrap(), b"old");
    let newer = seal_value(&both, "context", b"new").unwrap();
    let refusal = why(open_value(&old, "context", &newer));
    let have = format!("`{}`", old.current().id);
    assert_eq!(refusal, BrokenSeal::WrongKey { needs: both.current().id, have });
}

#[test]
fn a_sealed_file_is_never_overwritten() {
    let (_dir, vault) = vault();
    let id = Uuid::now_v7();
    vault.put(id, b"first").unwrap();
    assert!(matches!(vault.put(id, b"second"), Err(VaultError::Exists { id: told }) if told == id));
    assert_eq!(vault.get(id).unwrap(), b"first");
    assert_eq!(list(&vault.staging()).len(), 0);
}

#[test]
fn of_many_who_put_one_id_exactly_one_succeeds() {
    let (_dir, vault) = vault();
    let id = Uuid::now_v7();
    let vault = &vault;
    let won: Vec<u8> = std::thread::scope(|scope| {
        let putters: Vec<_> = (0..8).map(|n| scope.spawn(move || vault.put(id, &[n; 100]).ok().map(|_| n))).collect();
        putters.into_iter().filter_map(|putter| putter.join().unwrap()).collect()
    });
    assert_eq!(won.len(), 1);
    assert_eq!(vault.get(id).unwrap(), vec![won[0]; 100]);
}

#[test]
fn a_file_that_was_not_written_to_its_end_is_not_in_the_vault() {
    let (_dir, vault) = vault();
    let (whole, half) = (Uuid::now_v7(), Uuid::now_v7());
    vault.put(whole, b"whole").unwrap();
    fs::write(vault.staging().join(half.to_string()), b"CSGN-SE").unwrap();
    assert_eq!(vault.ids().map(Result::unwrap).collect::<Vec<_>>(), [whole]);
    assert!(matches!(vault.get(half), Err(VaultError::Missing { .. })));
}

#[test]
fn what_a_crash_left_is_cleared_away_but_not_what_is_being_written() {
    let (_dir, vault) = vault();
    let (left, fresh) = (vault.staging().join("left"), vault.staging().join("fresh"));
    for path in [&left, &fresh] {
        fs::write(path, b"CSGN-SE").unwrap();
    }
    let long_ago = SystemTime::now() - Duration::from_secs(STAGED_SECONDS_MAX + 60);
    File::options().write(true).open(&left).unwrap().set_modified(long_ago).unwrap();
    Vault::open(&vault.root, vault.keys.clone()).unwrap();
    assert!(!left.exists());
    assert!(fresh.exists());
}

#[test]
fn the_vault_lists_what_it_has_and_names_what_does_not_belong_there() {
    let (_dir, vault) = vault();
    let mut ids: Vec<_> = (0..20).map(|_| Uuid::now_v7()).collect();
    for id in &ids {
        vault.put(*id, b"x").unwrap();
    }
    vault.remove(ids.pop().unwrap()).unwrap();
    let mut listed: Vec<_> = vault.ids().map(Result::unwrap).collect();
    listed.sort();
    ids.sort();
    assert_eq!(listed, ids);

    let wrong_folder = vault.root.join("00").join("019aa000-0000-7000-8000-0000000000fe.sealed");
    make_folder(wrong_folder.parent().unwrap()).unwrap();
    let mut strays = vec![vault.root.join("notes.txt"), vault.root.join("00/readme"), wrong_folder];
    strays.iter().for_each(|path| fs::write(path, b"").unwrap());
    let mut told: Vec<_> = vault
        .ids()
        .filter_map(|id| match id {
            Err(VaultError::Stray { path }) => Some(path),
            _ => None,
        })
        .collect();
    strays.sort();
    told.sort();
    assert_eq!(told, strays);
}

#[test]
fn a_removed_file_is_gone_and_a_missing_one_is_said_to_be() {
    let (_dir, vault) = vault();
    let id = Uuid::now_v7();
    vault.put(id, b"orphan").unwrap();
    vault.remove(id).unwrap();
    assert!(matches!(vault.get(id), Err(VaultError::Missing { .. })));
    assert!(matches!(vault.remove(id), Err(VaultError::Missing { .. })));
}

#[test]
fn sealed_files_are_for_their_owner_alone() {
    let (_dir, vault) = vault();
    let id = Uuid::now_v7();
    vault.put(id, b"x").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&vault.path(id)), 0o600);
    assert_eq!([mode(&vault.folder(id)), mode(&vault.root), mode(&vault.staging())], [0o700; 3]);
}

#[test]
fn what_is_no_file_or_too_large_is_refused_before_it_is_read() {
    let (dir, vault) = vault();
    let (link, huge) = (Uuid::now_v7(), Uuid::now_v7());
    for id in [link, huge] {
        make_folder(&vault.folder(id)).unwrap();
    }
    std::os::unix::fs::symlink(dir.path(), vault.path(link)).unwrap();
    assert!(matches!(vault.get(link), Err(VaultError::Stray { .. })));
    File::create(vault.path(huge)).unwrap().set_len(SEALED_BYTES_MAX + 1).unwrap();
    let limit = BrokenSeal::TooLarge { size: SEALED_BYTES_MAX + 1, max: SEALED_BYTES_MAX };
    assert_eq!(why(vault.get(huge)), limit);
    let too_large = vault.put(Uuid::now_v7(), &vec![0; PLAIN_BYTES_MAX as usize + 1]);
    assert!(matches!(too_large, Err(VaultError::TooLarge { size, max }) if size == max + 1 && max == PLAIN_BYTES_MAX));
}

/// The samples were sealed by another implementation, in another language and over another cipher library.
#[test]
fn the_samples_open_and_are_sealed_the_same_today() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/vault");
    let vectors: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("vectors.json")).unwrap()).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let hex = |value: &serde_json::Value| -> Vec<u8> {
        let digits = text(value);
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
    };
    let lines: Vec<String> = vectors["key_file"].as_array().unwrap().iter().map(text).collect();
    let keys = Keys::parse(&lines.join("\n")).unwrap();

    for sample in vectors["sealed"].as_array().unwrap() {
        let sealed = fs::read(folder.join(text(&sample["file"]))).unwrap();
        let id = Uuid::parse_str(&text(&sample["id"])).unwrap();
        let expected = plain(sample["plain_bytes"].as_u64().unwrap() as usize);
        assert!(seal::open(&keys, Place::File(id), &sealed).unwrap() == expected);
        let fresh = hex(&sample["fresh"]).try_into().unwrap();
        assert!(seal::seal_with(&keys, Place::File(id), &expected, &fresh) == sealed);
    }
    let (value, context) = (&vectors["value"], text(&vectors["value"]["context"]));
    assert_eq!(open_value(&keys, &context, &hex(&value["sealed"])).unwrap(), text(&value["plain"]).as_bytes());

    let blind = &vectors["blind"];
    assert_eq!(keys.blind(&text(&blind["domain"]), &text(&blind["value"])).to_vec(), hex(&blind["digest"]));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn whatever_is_sealed_opens_and_any_harm_to_it_is_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        repeated in 0usize..1000,
        context in ".{0,40}",
        at in any::<prop::sample::Index>(),
        flip in 1u8..,
    ) {
        let keys = keys();
        let bytes = bytes.repeat(repeated);
        let mut sealed = seal_value(&keys, &context, &bytes).unwrap();
        prop_assert!(open_value(&keys, &context, &sealed).unwrap() == bytes);
        let at = at.index(sealed.len());
        sealed[at] ^= flip;
        prop_assert!(open_value(&keys, &context, &sealed).is_err());
    }

    #[test]
    fn hostile_bytes_are_refused_and_never_break_the_program(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        kept in 0usize..200,
    ) {
        let keys = keys();
        let honest = seal_value(&keys, "context", b"honest").unwrap();
        let kept = kept.min(honest.len());
        let hostile = [&honest[..kept], &bytes].concat();
        prop_assume!(hostile != honest);
        prop_assert!(open_value(&keys, "context", &hostile).is_err());
    }
}

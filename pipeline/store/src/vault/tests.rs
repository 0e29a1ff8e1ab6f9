#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;
use tempfile::TempDir;

use super::seal::{HEADER_BYTES, PLAIN_BYTES_MAX, ReadAt, sealed_bytes};
use super::*;
use crate::Keys;

const CHUNK: usize = 64 << 10;
const SEALED_CHUNK: usize = CHUNK + 16;

fn keys() -> Keys {
    let dir = TempDir::new().unwrap();
    Keys::create(dir.path().join("keys")).unwrap()
}

fn key() -> RecordKey {
    record::make(&keys(), keys().current(), "case-1").unwrap().0
}

/// A vault, its folder, and a record key.
struct Kept {
    dir: TempDir,
    vault: Vault,
    key: RecordKey,
}

fn kept() -> Kept {
    let dir = TempDir::new().unwrap();
    let vault = Vault::open(&BlobPlace::Folder(dir.path().join("vault"))).unwrap();
    Kept { dir, vault, key: key() }
}

impl Kept {
    fn put(&self, id: Uuid, plain: &[u8]) -> Result<(), VaultError> {
        self.vault.put(id, &self.key, plain.len() as u64, &mut &*plain)
    }

    fn get(&self, id: Uuid) -> Result<Vec<u8>, VaultError> {
        self.vault.file(id, &self.key)?.whole()
    }

    fn path(&self, id: Uuid) -> PathBuf {
        let name = id.to_string();
        self.dir.path().join("vault").join(&name[34..]).join(format!("{name}.sealed"))
    }
}

fn sealed(key: &RecordKey, place: Place<'_>, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    seal::seal(key, place, plain.len() as u64, &mut &*plain, &mut out).unwrap();
    out
}

fn opened(key: &RecordKey, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, BrokenSeal> {
    let opened = seal::open(key, place, sealed).and_then(|it| it.range(0, it.size()));
    opened.map_err(broken_seal)
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
    let kept = kept();
    let id = Uuid::now_v7();
    kept.put(id, &plain(size)).unwrap();
    let mut sealed = fs::read(kept.path(id)).unwrap();
    harm(&mut sealed);
    fs::write(kept.path(id), sealed).unwrap();
    why(kept.get(id))
}

#[test]
fn nothing_of_a_document_is_readable_in_its_sealed_file() {
    let kept = kept();
    let id = Uuid::now_v7();
    kept.put(id, &b"canary ".repeat(30_000)).unwrap();
    let sealed = fs::read(kept.path(id)).unwrap();
    assert!(!sealed.windows(6).any(|six| six == b"canary"));
    // Equal documents are sealed differently, so that nobody sees that they are equal.
    let twin = Uuid::now_v7();
    kept.put(twin, &b"canary ".repeat(30_000)).unwrap();
    let twin = fs::read(kept.path(twin)).unwrap();
    let equal = sealed[HEADER_BYTES..].iter().zip(&twin[HEADER_BYTES..]).filter(|(a, b)| a == b).count();
    assert!(equal < sealed.len() / 100, "{equal} of {} bytes are equal", sealed.len());
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
    let kept = kept();
    let (id, other) = (Uuid::now_v7(), Uuid::now_v7());
    kept.put(id, b"one").unwrap();
    kept.put(other, b"two").unwrap();
    fs::copy(kept.path(other), kept.path(id)).unwrap();
    assert_eq!(why(kept.get(id)), BrokenSeal::Relabelled { sealed_as: format!("sealed file `{other}`") });
    assert_eq!(kept.get(other).unwrap(), b"two");
}

#[test]
fn the_body_of_one_file_under_the_header_of_another_is_refused() {
    let kept = kept();
    let (id, other) = (Uuid::now_v7(), Uuid::now_v7());
    kept.put(id, b"one").unwrap();
    kept.put(other, b"two").unwrap();
    let (mut mixed, body) = (fs::read(kept.path(id)).unwrap(), fs::read(kept.path(other)).unwrap());
    mixed[HEADER_BYTES..].copy_from_slice(&body[HEADER_BYTES..]);
    fs::write(kept.path(id), mixed).unwrap();
    assert_eq!(why(kept.get(id)), BrokenSeal::Altered { chunk: 1, n_chunks: 1 });
}

#[test]
fn a_value_opens_only_in_its_own_table_column_and_row() {
    let keys = key();
    let sealed = seal_value(&keys, "extractions.values case-1", b"1.234,56").unwrap();
    assert_eq!(open_value(&keys, "extractions.values case-1", &sealed).unwrap(), b"1.234,56");
    let elsewhere = why(open_value(&keys, "extractions.values case-2", &sealed));
    assert!(matches!(elsewhere, BrokenSeal::Relabelled { .. }), "{elsewhere}");
    let as_file = opened(&keys, Place::File(Uuid::now_v7()), &sealed).unwrap_err();
    assert!(matches!(as_file, BrokenSeal::Relabelled { .. }), "{as_file}");
}

#[test]
fn what_was_put_comes_back_whatever_its_size() {
    let kept = kept();
    // The last two are more than one batch, and shared by the cores.
    for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5, 128 * CHUNK, 129 * CHUNK + 1] {
        let id = Uuid::now_v7();
        kept.put(id, &plain(size)).unwrap();
        let there = fs::metadata(kept.path(id)).unwrap().len() as usize;
        assert_eq!(there, HEADER_BYTES + size + 16 * size.div_ceil(CHUNK).max(1));
        assert!(kept.get(id).unwrap() == plain(size), "{size} bytes");
        let mut copied = Vec::new();
        kept.vault.file(id, &kept.key).unwrap().copy_to(&mut copied).unwrap();
        assert!(copied == plain(size), "{size} bytes");
    }
}

#[test]
fn any_part_of_a_file_opens_without_the_rest() {
    let kept = kept();
    let id = Uuid::now_v7();
    let plain = plain(5 * CHUNK + 100);
    kept.put(id, &plain).unwrap();
    let mut bytes = fs::read(kept.path(id)).unwrap();
    // The third chunk is harmed, and the parts beside it open still.
    bytes[HEADER_BYTES + 2 * SEALED_CHUNK + 1] ^= 1;
    fs::write(kept.path(id), bytes).unwrap();
    let file = kept.vault.file(id, &kept.key).unwrap();
    let whole = plain.len();
    for (offset, size) in
        [(0, 0), (0, 1), (1, 2 * CHUNK - 1), (3 * CHUNK, 1), (4 * CHUNK - 3, 7), (whole - 5, 5), (whole, 0)]
    {
        let part = file.range(offset as u64, size as u64).unwrap();
        assert!(part == plain[offset..offset + size], "{size} bytes from {offset} on");
    }
    let harmed = why(file.range(3 * CHUNK as u64 - 1, 1));
    assert_eq!(harmed, BrokenSeal::Altered { chunk: 3, n_chunks: 6 });
    let beyond = why(file.range(whole as u64 - 1, 2));
    assert_eq!(beyond, BrokenSeal::Beyond { offset: whole as u64 - 1, size: 2, whole: whole as u64 });
    assert!(matches!(why(file.range(u64::MAX, 2)), BrokenSeal::Beyond { .. }));
}

#[test]
fn what_changes_while_it_is_sealed_is_refused_and_leaves_nothing() {
    let kept = kept();
    for size in [9, 11] {
        let refusal = kept.vault.put(Uuid::now_v7(), &kept.key, size, &mut [7; 10].as_slice()).unwrap_err();
        assert!(matches!(refusal, VaultError::Changed { size: told } if told == size), "{refusal}");
    }
    let huge = kept.vault.put(Uuid::now_v7(), &kept.key, PLAIN_BYTES_MAX + 1, &mut io::repeat(0));
    assert!(matches!(huge, Err(VaultError::TooLarge { size, max }) if size == max + 1));
    assert_eq!(kept.vault.ids().count(), 0);
}

#[test]
fn every_altered_byte_is_refused_and_says_which_part_it_was() {
    let key = key();
    let id = Uuid::now_v7();
    let whole = sealed(&key, Place::File(id), &plain(CHUNK + 40));
    let mut altered = whole.clone();
    let within = HEADER_BYTES + 64..HEADER_BYTES + CHUNK;
    // Of what is short every bit; of the inside of the long first chunk, in which all bytes are alike, one bit of each.
    for at in 0..whole.len() {
        let bits = if within.contains(&at) { at % 8..at % 8 + 1 } else { 0..8 };
        for bit in bits {
            altered[at] ^= 1 << bit;
            let broken = match seal::open(&key, Place::File(id), altered.as_slice()) {
                // Only the chunk that was harmed: opening the other for each byte of it shows nothing new.
                Ok(it) if at < HEADER_BYTES + SEALED_CHUNK => it.range(0, 1).map_err(broken_seal).unwrap_err(),
                Ok(it) => it.range(CHUNK as u64, 1).map_err(broken_seal).unwrap_err(),
                Err(err) => broken_seal(err),
            };
            let told = match at {
                0..10 => broken == BrokenSeal::NotSealed,
                10 => matches!(broken, BrokenSeal::Version { .. }),
                11 => matches!(broken, BrokenSeal::Suite { .. }),
                60..68 => matches!(broken, BrokenSeal::WrongKey { .. }),
                12..HEADER_BYTES => broken == BrokenSeal::Header,
                _ if at < HEADER_BYTES + SEALED_CHUNK => broken == BrokenSeal::Altered { chunk: 1, n_chunks: 2 },
                _ => broken == BrokenSeal::Altered { chunk: 2, n_chunks: 2 },
            };
            assert!(told, "byte {at}, bit {bit}: {broken}");
            altered[at] ^= 1 << bit;
        }
    }
}

#[test]
fn every_cut_and_every_extension_is_refused_as_one() {
    let key = key();
    let id = Uuid::now_v7();
    let bytes = sealed(&key, Place::File(id), &plain(CHUNK + 300));
    let whole = bytes.len() as u64;
    for size in 0..bytes.len() {
        let broken = opened(&key, Place::File(id), &bytes[..size]).unwrap_err();
        let told = match size {
            0..HEADER_BYTES => BrokenSeal::CutHeader { size },
            _ => BrokenSeal::Cut { size: size as u64, whole },
        };
        assert_eq!(broken, told);
    }
    for more in [1, 16, 17, SEALED_CHUNK] {
        let extended = [bytes.clone(), vec![0; more]].concat();
        let size = whole + more as u64;
        assert_eq!(opened(&key, Place::File(id), &extended).unwrap_err(), BrokenSeal::Extended { size, whole });
    }
}

#[test]
fn every_pair_of_chunks_that_is_swapped_is_refused_and_named() {
    let key = key();
    let id = Uuid::now_v7();
    let bytes = sealed(&key, Place::File(id), &plain(8 * CHUNK));
    for one in 0..8 {
        for other in one + 1..8 {
            let mut swapped = bytes.clone();
            let (front, back) = swapped.split_at_mut(HEADER_BYTES + other * SEALED_CHUNK);
            front[HEADER_BYTES + one * SEALED_CHUNK..][..SEALED_CHUNK].swap_with_slice(&mut back[..SEALED_CHUNK]);
            let (chunk, place) = (other as u32 + 1, one as u32 + 1);
            let broken = opened(&key, Place::File(id), &swapped).unwrap_err();
            assert_eq!(broken, BrokenSeal::Reordered { chunk, place, n_chunks: 8 });
        }
    }
}

#[test]
fn another_record_key_is_named_with_the_one_that_is_needed() {
    let (ours, theirs) = (key(), key());
    let value = seal_value(&ours, "context", b"").unwrap();
    let refusal = why(open_value(&theirs, "context", &value));
    assert_eq!(refusal, BrokenSeal::WrongKey { needs: ours.id, have: theirs.id });
}

#[test]
fn a_file_of_another_installation_is_refused_though_the_key_is_the_same() {
    let (ours, theirs) = (keys(), keys());
    let secret = [7; 32];
    let here =
        record::open(&ours, "case-1", &record::wrap(&ours, ours.current(), "case-1", &secret, &[1; 12])).unwrap();
    let there =
        record::open(&theirs, "case-1", &record::wrap(&theirs, theirs.current(), "case-1", &secret, &[1; 12])).unwrap();
    assert_eq!(here.id, there.id);
    let id = Uuid::now_v7();
    let broken = opened(&there, Place::File(id), &sealed(&here, Place::File(id), b"moved")).unwrap_err();
    let sealed_as = format!("sealed file `{id}` of another installation");
    assert_eq!(broken, BrokenSeal::Relabelled { sealed_as });
}

#[test]
fn a_record_key_opens_for_its_owner_under_its_vault_key_and_nowhere_else() {
    let dir = TempDir::new().unwrap();
    let dir = dir.path().join("keys");
    let old = Keys::create(&dir).unwrap();
    let (made, wrapped) = record::make(&old, old.current(), "case-1").unwrap();
    assert_eq!(record::open(&old, "case-1", &wrapped).unwrap().id, made.id);
    for owner in ["case-2", "case-", "case-10", ""] {
        let broken = record::open(&old, owner, &wrapped).map(|_| ()).unwrap_err();
        assert_eq!(broken, BrokenSeal::RecordKey { owner: owner.to_owned() });
    }
    for at in 0..wrapped.len() {
        let mut harmed = wrapped;
        harmed[at] ^= 1;
        assert!(record::open(&old, "case-1", &harmed).is_err(), "byte {at}");
        assert!(record::open(&old, "case-1", &wrapped[..at]).is_err(), "cut to {at}");
    }
    let both = Keys::rotate(&dir).unwrap();
    assert_eq!(record::open(&both, "case-1", &wrapped).unwrap().id, made.id);
    let again = record::rewrap(&both, "case-1", &wrapped).unwrap();
    assert_eq!(record::open(&both, "case-1", &again).unwrap().id, made.id);
    let have = old.describe_vault_keys();
    let refusal = record::open(&old, "case-1", &again).map(|_| ()).unwrap_err();
    assert_eq!(refusal, BrokenSeal::NoVaultKey { needs: both.current().id, have });
    Keys::retire(&(&dir).into(), &old.current().id.to_string()).unwrap();
    let newer = Keys::open(&dir).unwrap();
    assert!(record::open(&newer, "case-1", &wrapped).is_err());
    assert_eq!(record::open(&newer, "case-1", &again).unwrap().id, made.id);
}

#[test]
fn a_file_that_was_made_huge_is_refused_before_it_is_read() {
    let kept = kept();
    let huge = Uuid::now_v7();
    kept.put(huge, b"x").unwrap();
    File::options().write(true).open(kept.path(huge)).unwrap().set_len(sealed_bytes(PLAIN_BYTES_MAX) + 1).unwrap();
    let size = sealed_bytes(PLAIN_BYTES_MAX) + 1;
    assert_eq!(why(kept.get(huge)), BrokenSeal::Extended { size, whole: HEADER_BYTES as u64 + 17 });
}

#[test]
fn a_file_that_could_not_have_been_sealed_is_refused_before_it_is_read() {
    let (key, place) = (key(), Place::File(Uuid::now_v7()));
    // A header that the key vouches for, of more than we seal.
    let (size, mut header) = (PLAIN_BYTES_MAX + 1, Vec::new());
    let cut = seal::seal_with(&key, place, size, &mut [].as_slice(), &mut header, &[7; 51]);
    assert!(matches!(cut, Err(VaultError::Changed { .. })) && header.len() == HEADER_BYTES);
    let refused = seal::open(&key, place, header.as_slice()).map(drop).map_err(broken_seal).unwrap_err();
    assert_eq!(refused, BrokenSeal::TooLarge { size, max: PLAIN_BYTES_MAX });
}

/// Bytes of which the first chunk comes altered the first time it is read.
struct Flickering<'a> {
    bytes: &'a [u8],
    read: AtomicBool,
}

impl ReadAt for Flickering<'_> {
    fn size(&self) -> u64 {
        self.bytes.size()
    }

    fn read_exact_at(&self, to: &mut [u8], offset: u64) -> Result<(), VaultError> {
        self.bytes.read_exact_at(to, offset)?;
        if offset == HEADER_BYTES as u64 && !self.read.swap(true, Ordering::Relaxed) {
            to[7] ^= 1;
        }
        Ok(())
    }
}

#[test]
fn a_chunk_that_opens_when_it_is_read_again_is_opened() {
    let (key, place) = (key(), Place::File(Uuid::now_v7()));
    for size in [5, CHUNK + 5] {
        let bytes = sealed(&key, place, &plain(size));
        let flickering = Flickering { bytes: &bytes, read: AtomicBool::new(false) };
        let file = seal::open(&key, place, flickering).map_err(broken_seal).unwrap();
        assert!(file.range(0, size as u64).map_err(broken_seal).unwrap() == plain(size));
    }
}

fn broken_seal(err: Unsealed) -> BrokenSeal {
    match err {
        Unsealed::Broken(broken) => broken,
        Unsealed::Reading(err) => panic!("{err}"),
    }
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

    let record = &vectors["record_key"];
    let (owner, wrapped) = (text(&record["owner"]), hex(&record["wrapped"]));
    let key = record::open(&keys, &owner, &wrapped).unwrap();
    let (secret, nonce) = (hex(&record["key"]).try_into().unwrap(), hex(&record["nonce"]).try_into().unwrap());
    assert_eq!(record::wrap(&keys, keys.current(), &owner, &secret, &nonce).to_vec(), wrapped);

    for sample in vectors["sealed"].as_array().unwrap() {
        let bytes = fs::read(folder.join(text(&sample["file"]))).unwrap();
        let id = Uuid::parse_str(&text(&sample["id"])).unwrap();
        let expected = plain(sample["plain_bytes"].as_u64().unwrap() as usize);
        assert!(opened(&key, Place::File(id), &bytes).unwrap() == expected);
        let (fresh, mut again) = (hex(&sample["fresh"]).try_into().unwrap(), Vec::new());
        let size = expected.len() as u64;
        seal::seal_with(&key, Place::File(id), size, &mut expected.as_slice(), &mut again, &fresh).unwrap();
        assert!(again == bytes);
    }
    let (value, context) = (&vectors["value"], text(&vectors["value"]["context"]));
    assert_eq!(open_value(&key, &context, &hex(&value["sealed"])).unwrap(), text(&value["plain"]).as_bytes());

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
        let keys = key();
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
        let keys = key();
        let honest = seal_value(&keys, "context", b"honest").unwrap();
        let kept = kept.min(honest.len());
        let hostile = [&honest[..kept], &bytes].concat();
        prop_assume!(hostile != honest);
        prop_assert!(open_value(&keys, "context", &hostile).is_err());
    }
}

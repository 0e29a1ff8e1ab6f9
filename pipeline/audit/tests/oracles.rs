//! Other people's crates for the same formats, whose tree, tiles, notes and checkpoints must be ours.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use audit::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;
use signed_note::{Note, Signer, StandardSigner, StandardVerifier, VerifierList};
use tlog_tiles::checkpoint::Checkpoint;
use tlog_tiles::tile::{Tile, TileHashReader, TileReader as TheirTileReader};
use tlog_tiles::tlog;

const ORIGIN: &str = "audit.example.com/acme/1";

/// Their row of hashes, in which they find every perfect subtree.
struct Row(Vec<tlog::Hash>);

impl tlog::HashReader for Row {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        Ok(indexes.iter().map(|index| self.0[*index as usize]).collect())
    }
}

impl Row {
    fn of(entries: &[Vec<u8>]) -> Row {
        let mut row = Row(Vec::new());
        for (n, entry) in entries.iter().enumerate() {
            let hashes = tlog::stored_hashes(n as u64, entry, &row).unwrap();
            row.0.extend(hashes);
        }
        row
    }

    fn subtree(&self, level: u32, n: u64) -> Result<Hash, Error> {
        Ok(Hash(self.0[tlog::stored_hash_index(level as u8, n) as usize].0))
    }
}

/// Subtrees of a tree too large to be made: each has a hash of its own.
struct Imagined;

impl tlog::HashReader for Imagined {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        Ok(indexes.iter().map(|index| tlog::record_hash(&index.to_be_bytes())).collect())
    }
}

fn imagined(level: u32, n: u64) -> Result<Hash, Error> {
    Ok(leaf_hash(&tlog::stored_hash_index(level as u8, n).to_be_bytes()))
}

/// The files of our log, as they read them: their paths begin with the height of a tile.
struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    fn of(entries: &[Vec<u8>]) -> Files {
        let mut writer = TileWriter::new();
        let mut files = Vec::new();
        entries.iter().for_each(|entry| files.extend(writer.push(entry).unwrap()));
        files.extend(writer.partials());
        Files(files.into_iter().map(|file| (file.path, file.bytes)).collect())
    }
}

impl TheirTileReader for Files {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog::Error> {
        Ok(tiles.iter().map(|tile| self.0[&ours(tile)].clone()).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// C2SP fixes the height, so that it is not in the path.
fn ours(tile: &Tile) -> String {
    assert_eq!(tile.height(), 8);
    tile.path().replacen("tile/8/", "tile/", 1)
}

fn theirs(hashes: Vec<Hash>) -> Vec<tlog::Hash> {
    hashes.into_iter().map(|hash| tlog::Hash(hash.0)).collect()
}

fn entries(count: usize, seed: u64) -> Vec<Vec<u8>> {
    (0..count).map(|i| format!("{seed} {i}").repeat(i % 3).into_bytes()).collect()
}

fn their_signer(seed: &[u8; 32]) -> StandardSigner {
    let public = LogKey::from_seed(ORIGIN, seed).unwrap().verifier_key();
    let id = public.split('+').nth(1).unwrap().to_owned();
    let private = BASE64.encode([&[1], seed.as_slice()].concat());
    StandardSigner::new(&format!("PRIVATE+KEY+{ORIGIN}+{id}+{private}")).unwrap()
}

fn verifiers(seeds: &[[u8; 32]]) -> VerifierList {
    let verifier = |seed| StandardVerifier::new(&LogKey::from_seed(ORIGIN, seed).unwrap().verifier_key()).unwrap();
    VerifierList::new(seeds.iter().map(|seed| Box::new(verifier(seed)) as _).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn roots_and_proofs_are_theirs(size in 1usize..1_200, seed: u64, at: prop::sample::Index, old: prop::sample::Index) {
        let entries = entries(size, seed);
        let row = Row::of(&entries);
        let mut frontier = Frontier::new();
        entries.iter().for_each(|entry| frontier.append(leaf_hash(entry)));
        let root = tlog::tree_hash(size as u64, &row).unwrap();
        prop_assert_eq!(frontier.root().0, root.0);

        let (index, size) = (at.index(size) as u64, size as u64);
        let proof = prove_inclusion(index, size, &mut |level, n| row.subtree(level, n)).unwrap();
        prop_assert!(verify_inclusion(index, size, &leaf_hash(&entries[index as usize]), &proof, &frontier.root()));
        let proof = theirs(proof);
        prop_assert_eq!(&proof, &tlog::prove_record(size, index, &row).unwrap());
        tlog::check_record(&proof, size, root, index, tlog::record_hash(&entries[index as usize])).unwrap();

        let old = old.index(entries.len()) as u64 + 1;
        let old_root = tlog::tree_hash(old, &row).unwrap();
        let proof = prove_consistency(old, size, &mut |level, n| row.subtree(level, n)).unwrap();
        prop_assert!(verify_consistency(old, size, &Hash(old_root.0), &frontier.root(), &proof));
        let proof = theirs(proof);
        prop_assert_eq!(&proof, &tlog::prove_tree(size, old, &row).unwrap());
        tlog::check_tree(&proof, size, root, old, old_root).unwrap();
    }

    #[test]
    fn proofs_of_logs_of_any_size_are_theirs(size in 1u64..1 << 53, bits in 0u32..53, at: u64, old: u64) {
        let size = (size >> bits).max(1);
        let (index, old) = (at % size, old % size + 1);
        let proof = prove_inclusion(index, size, &mut imagined).unwrap();
        prop_assert_eq!(theirs(proof), tlog::prove_record(size, index, &Imagined).unwrap());
        let proof = prove_consistency(old, size, &mut imagined).unwrap();
        prop_assert_eq!(theirs(proof), tlog::prove_tree(size, old, &Imagined).unwrap());
    }

    #[test]
    fn they_read_our_tiles_and_need_no_others(size in 1usize..1_500, seed: u64, at: prop::sample::Index) {
        let entries = entries(size, seed);
        let files = Files::of(&entries);
        let mut hashes: Vec<String> = files.0.keys().filter(|path| !path.contains("entries")).cloned().collect();
        let mut wanted: Vec<String> = Tile::new_tiles(8, 0, size as u64).iter().map(ours).collect();
        hashes.sort();
        wanted.sort();
        prop_assert_eq!(hashes, wanted);

        let row = Row::of(&entries);
        let (index, size) = (at.index(size) as u64, size as u64);
        let root = tlog::tree_hash(size, &row).unwrap();
        // They check every tile against the root before they use it.
        let proof = tlog::prove_record(size, index, &TileHashReader::new(size, root, &files)).unwrap();
        let read = |path: &str| files.0.get(path).cloned().ok_or(std::io::ErrorKind::NotFound.into());
        let mut tiles = TileReader::new(size, read);
        prop_assert_eq!(tiles.root().unwrap().0, root.0);
        let own = prove_inclusion(index, size, &mut |level, n| tiles.subtree(level, n)).unwrap();
        prop_assert_eq!(theirs(own), proof);
    }

    #[test]
    fn paths_of_tiles_are_theirs(level in 0u8..64, n: u64, shift in 0u32..64, width in 1u32..=256) {
        let n = n >> shift;
        let tile = Tile::new(8, level, n, width, false);
        prop_assert_eq!(tile_path(u32::from(level), n, u64::from(width)), ours(&tile));
        let entries = ours(&Tile::new(8, 0, n, width, true)).replacen("/data/", "/entries/", 1);
        prop_assert_eq!(entries_path(n, u64::from(width)), entries);
    }

    #[test]
    fn heads_are_signed_byte_for_byte_as_they_sign_them(size in 0u64..1 << 53, root: [u8; 32], first: [u8; 32], second: [u8; 32]) {
        let head = TreeHead { origin: ORIGIN.into(), size, root: Hash(root) };
        let keys = [first, second].map(|seed| LogKey::from_seed(ORIGIN, &seed).unwrap());
        let own = sign_by(&head, &[&keys[0], &keys[1]]);

        let text = Checkpoint::new(ORIGIN, size, tlog::Hash(root), "").unwrap().to_bytes();
        let mut note = Note::new(&text, &[]).unwrap();
        let signers = [first, second].map(|seed| their_signer(&seed));
        note.add_sigs(&signers.iter().map(|signer| signer as &dyn Signer).collect::<Vec<_>>()).unwrap();
        prop_assert_eq!(String::from_utf8(note.to_bytes()).unwrap(), own.clone());

        let read = Note::from_bytes(own.as_bytes()).unwrap();
        prop_assert_eq!(read.verify(&verifiers(&[first, second])).unwrap().0.len(), if first == second { 1 } else { 2 });
        let read = Checkpoint::from_bytes(read.text()).unwrap();
        prop_assert_eq!((read.origin(), read.size(), read.hash().0), (ORIGIN, size, root));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_they_refuse_we_refuse_and_the_other_way_round(
        at: prop::sample::Index,
        cut in 0usize..3,
        put in prop::sample::select(vec!["", "\n", "\n\n", " ", "0", "7", "A", "=", "+", "—", "— a AAAAAAA=\n", "\r", "é", "\u{a0}"]),
        anywhere: bool,
    ) {
        let head = TreeHead { origin: ORIGIN.into(), size: 70, root: Hash([7; 32]) };
        let key = LogKey::from_seed(ORIGIN, &[1; 32]).unwrap();
        let mut changed = sign(&head, &key).into_bytes();
        // Changes in the text must be signed to be read at all.
        let text = changed.windows(2).position(|window| window == b"\n\n").unwrap() + 1;
        let range = if anywhere { changed.len() } else { text };
        let at = at.index(range);
        changed.splice(at..(at + cut).min(range), put.bytes());
        if !anywhere {
            let text = changed[..text + put.len() - cut.min(text - at)].to_vec();
            let Ok(mut note) = Note::new(&text, &[]) else { return Ok(()) };
            note.add_sigs(&[&their_signer(&[1; 32])]).unwrap();
            changed = note.to_bytes();
        }
        let own = open_checkpoint(&changed, &[key.verifier()]).ok().map(|head| (head.origin, head.size, head.root.0));
        let note = Note::from_bytes(&changed).ok().filter(|note| note.verify(&verifiers(&[[1; 32]])).is_ok());
        let other = note.and_then(|note| Checkpoint::from_bytes(note.text()).ok());
        // The key is of one log, and so is a head that it signed; they leave that to whoever asks.
        let other = other.filter(|head| head.origin() == ORIGIN);
        let other = other.map(|head| (head.origin().to_owned(), head.size(), head.hash().0));
        prop_assert_eq!(own, other, "{}", String::from_utf8_lossy(&changed));
    }
}

//! Answers out of the published tiles, C2SP tlog-tiles, what a proof asks for: a few tiles for each, however long the log.

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use crate::proof::range_root;
use crate::tiles::Place;
use crate::{Error, Frontier, Hash, TILE_WIDTH};

/// Tiles that are kept in memory, of 8 KiB each.
const TILES_KEPT_MAX: usize = 1_024;

/// The tree of `size` entries as its tiles show it. `R` reads a file of the log by its path, and limits what it reads:
/// no tile is larger than 8 KiB.
///
/// Tiles are believed. Whoever hands out a proof made from them verifies it first, against a head that was signed.
pub struct TileReader<R> {
    size: u64,
    read: R,
    /// By level and number.
    kept: BTreeMap<(u32, u64), Vec<Hash>>,
}

impl<R: FnMut(&str) -> Result<Vec<u8>, io::Error>> TileReader<R> {
    pub fn new(size: u64, read: R) -> TileReader<R> {
        TileReader { size, read, kept: BTreeMap::new() }
    }

    /// The root over the leaves n·2^level to (n+1)·2^level, as [`crate::prove_inclusion`] and
    /// [`crate::prove_consistency`] ask for it. Reads at most one tile, and the same one again only after many others.
    pub fn subtree(&mut self, level: u32, n: u64) -> Result<Hash, Error> {
        let end = (u128::from(n) + 1).checked_shl(level).filter(|end| level < 64 && *end <= u128::from(self.size));
        if end.is_none() {
            return Err(Error::Proof { why: "is asked for a part that the tree does not have" });
        }
        let (first, count) = (n << (level % 8), 1 << (level % 8));
        let row = self.tile(level / 8, first / TILE_WIDTH)?;
        let hashes = row.iter().skip((first % TILE_WIDTH) as usize).take(count);
        let mut root = Frontier::new();
        hashes.for_each(|hash| root.append(*hash));
        Ok(root.root())
    }

    /// The root of the whole tree, to compare with the head.
    pub fn root(&mut self) -> Result<Hash, Error> {
        match self.size {
            0 => Ok(Frontier::new().root()),
            size if size >> 53 != 0 => Err(Error::Proof { why: "is asked for a tree of 2^53 entries or more" }),
            size => range_root(0, size, &mut |level, n| self.subtree(level, n)),
        }
    }

    fn tile(&mut self, level: u32, n: u64) -> Result<&[Hash], Error> {
        if !self.kept.contains_key(&(level, n)) {
            let row = self.read_tile(level, n)?;
            if TILES_KEPT_MAX <= self.kept.len() {
                // Tiles of entries are many and each serves few proofs; those above them serve all.
                self.kept.retain(|(level, _), _| *level != 0);
            }
            if TILES_KEPT_MAX <= self.kept.len() {
                self.kept.clear();
            }
            self.kept.insert((level, n), row);
        }
        Ok(self.kept.get(&(level, n)).map_or(&[], Vec::as_slice))
    }

    /// The tile as wide as this tree has it. When the log has grown since and only the full tile is left, its beginning.
    fn read_tile(&mut self, level: u32, n: u64) -> Result<Vec<Hash>, Error> {
        let full = Place { level: Some(level), n, width: TILE_WIDTH };
        let place = Place { width: full.width_at(self.size), ..full };
        let mut path = place.path();
        let mut width = place.width;
        let mut found = (self.read)(&path);
        if place != full && found.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            (path, width) = (full.path(), TILE_WIDTH);
            found = (self.read)(&path);
        }
        let bytes = found.map_err(|source| Error::Read { path: path.clone().into(), source })?;
        match bytes.as_chunks::<32>() {
            (hashes, []) if hashes.len() as u64 == width => {
                Ok(hashes.iter().take(place.width as usize).map(|hash| Hash(*hash)).collect())
            }
            _ => Err(Error::Tile { path, why: "does not have the size its name says" }),
        }
    }
}

impl<R> fmt::Debug for TileReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TileReader").field("size", &self.size).field("kept", &self.kept.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use std::cell::Cell;

    use super::*;
    use crate::{TileWriter, leaf_hash, prove_consistency, prove_inclusion, verify_consistency, verify_inclusion};

    /// The tiles of hashes of a log of numbers, at these sizes, and its root at each.
    fn log(sizes: &[u64]) -> (BTreeMap<String, Vec<u8>>, Vec<Hash>) {
        let (mut writer, mut files, mut roots) = (TileWriter::new(), BTreeMap::new(), Vec::new());
        for size in sizes {
            while writer.size() < *size {
                for file in writer.push(&writer.size().to_be_bytes()).unwrap() {
                    files.insert(file.path, file.bytes);
                }
            }
            writer.partials().into_iter().for_each(|file| drop(files.insert(file.path, file.bytes)));
            roots.push(writer.root());
        }
        files.retain(|path, _| !path.contains("entries"));
        (files, roots)
    }

    fn from(files: &BTreeMap<String, Vec<u8>>) -> impl FnMut(&str) -> Result<Vec<u8>, io::Error> {
        |path| files.get(path).cloned().ok_or(io::ErrorKind::NotFound.into())
    }

    #[test]
    fn every_entry_is_proved_from_the_tiles_at_every_width_of_the_right_edge() {
        let sizes = [1, 2, 3, 200, 255, 256, 257, 300, 511, 512, 513, 65_535, 65_536, 65_537, 66_000];
        let (files, roots) = log(&sizes);
        for (size, root) in sizes.iter().zip(&roots) {
            let mut tiles = TileReader::new(*size, from(&files));
            assert_eq!(tiles.root().unwrap(), *root, "{size}");
            for index in (0..*size).step_by(if *size < 600 { 1 } else { 769 }).chain([size - 1]) {
                let proof = prove_inclusion(index, *size, &mut |level, n| tiles.subtree(level, n)).unwrap();
                assert!(verify_inclusion(index, *size, &leaf_hash(&index.to_be_bytes()), &proof, root), "{index}");
            }
            for (old, old_root) in sizes.iter().zip(&roots).filter(|(old, _)| *old <= size) {
                let proof = prove_consistency(*old, *size, &mut |level, n| tiles.subtree(level, n)).unwrap();
                assert!(verify_consistency(*old, *size, old_root, root, &proof), "{old} of {size}");
            }
        }
    }

    #[test]
    fn an_earlier_head_is_proved_when_its_partial_tiles_are_gone() {
        let (mut files, roots) = log(&[300, 70_000]);
        files.retain(|path, _| !path.contains("001.p/44"));
        assert_eq!(TileReader::new(300, from(&files)).root().unwrap(), roots[0]);
        files.remove("tile/0/001");
        assert!(matches!(TileReader::new(300, from(&files)).root(), Err(Error::Read { .. })));
    }

    #[test]
    fn a_thousand_proofs_out_of_a_million_entries_read_each_tile_about_once() {
        let size = 1_000_003;
        let (files, roots) = log(&[size]);
        let (reads, mut most) = (Cell::new(0), 0);
        let mut one = from(&files);
        let mut tiles = TileReader::new(size, |path: &str| {
            reads.set(reads.get() + 1);
            one(path)
        });
        for n in 0..1_000 {
            let (index, before) = (n * 7_919 * 127 % size, reads.get());
            let proof = prove_inclusion(index, size, &mut |level, n| tiles.subtree(level, n)).unwrap();
            assert!(verify_inclusion(index, size, &leaf_hash(&index.to_be_bytes()), &proof, &roots[0]));
            most = most.max(reads.get() - before);
        }
        // Three levels, at each the tile of the entry and that of the right edge.
        assert!(most <= 6, "{most} tiles for one proof");
        assert!(reads.get() < 1_100, "{} tiles for a thousand", reads.get());
        assert!(tiles.kept.len() <= TILES_KEPT_MAX);
    }

    #[test]
    fn no_more_tiles_are_kept_than_allowed() {
        let (size, upper) = (2_048 * TILE_WIDTH, Cell::new(0));
        let mut tiles = TileReader::new(size, |path: &str| {
            upper.set(upper.get() + u32::from(path.starts_with("tile/1/")));
            Ok(vec![7; 8_192])
        });
        for n in 0..2_048 {
            assert_eq!(tiles.subtree(8, n).unwrap(), Hash([7; 32]));
            assert_ne!(tiles.subtree(7, n).unwrap(), Hash([7; 32]));
            assert!(tiles.kept.len() <= TILES_KEPT_MAX);
        }
        tiles.subtree(8, 0).unwrap();
        assert_eq!(upper.get(), 8, "tiles above those of entries stay");
    }

    #[test]
    fn tiles_of_another_size_and_parts_that_are_not_there_are_refused() {
        for length in [0, 31, 32 * 43, 32 * 44 + 1, 32 * 45, 8_192] {
            let mut tiles = TileReader::new(300, |_: &str| Ok(vec![7; length]));
            assert!(matches!(tiles.subtree(0, 299), Err(Error::Tile { .. })), "{length}");
        }
        let mut never = TileReader::new(300, |path: &str| -> Result<Vec<u8>, io::Error> { panic!("{path}") });
        for (level, n) in
            [(0, 300), (8, 1), (9, 0), (3, 37), (64, 0), (128, 0), (200, 0), (0, u64::MAX), (63, u64::MAX)]
        {
            assert!(never.subtree(level, n).is_err(), "{level} {n}");
        }
        let mut huge = TileReader::new(u64::MAX, |path: &str| -> Result<Vec<u8>, io::Error> { panic!("{path}") });
        assert!(huge.root().is_err());
    }
}

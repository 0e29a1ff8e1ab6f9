//! The published form of the log: C2SP tlog-tiles, plain files.
//!
//! `tile/<level>/<n>` holds 256 hashes, the roots of subtrees of 256^level leaves; `tile/entries/<n>` the 256 entries
//! below the tile of level 0, each after its length in two bytes. At the right edge both are partial: `<n>.p/<width>`.

use crate::leaf::LEAF_BYTES_MAX;
use crate::tree::perfect_root;
use crate::{Error, Frontier, Hash, leaf_hash};

/// Hashes in a full tile, and entries in a full bundle.
pub const TILE_WIDTH: u64 = 256;
/// Levels that a tree below 2^53 entries can have.
const LEVELS_MAX: usize = 7;
/// Largest bundle of entries: 256 of the largest with their lengths.
pub(crate) const ENTRIES_BYTES_MAX: u64 = TILE_WIDTH * (LEAF_BYTES_MAX as u64 + 2);
/// Largest tile of hashes.
pub(crate) const TILE_BYTES_MAX: u64 = TILE_WIDTH * 32;

/// A file of the published log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TileFile {
    /// Below the folder of the log, with slashes.
    pub path: String,
    pub bytes: Vec<u8>,
}

/// `tile/<level>/<n>`, with `.p/<width>` when the width is not 256.
#[must_use]
pub fn tile_path(level: u32, n: u64, width: u64) -> String {
    format!("tile/{level}/{}", number_path(n, width))
}

/// `tile/entries/<n>`, with `.p/<width>` when the width is not 256.
#[must_use]
pub fn entries_path(n: u64, width: u64) -> String {
    format!("tile/entries/{}", number_path(n, width))
}

/// Makes the files of a log from its entries, given in order. Holds at most one bundle of entries (8 MiB if every
/// entry were of the largest size) and one tile of hashes a level, whatever the size of the log.
#[derive(Debug, Default)]
pub struct TileWriter {
    size: u64,
    entries: Vec<u8>,
    /// The open tile of each level.
    rows: Vec<Vec<Hash>>,
}

impl TileWriter {
    #[must_use]
    pub fn new() -> TileWriter {
        TileWriter::default()
    }

    /// Continues after `size` entries. `read` is asked for the files of the right edge, by their path.
    /// Compare [`TileWriter::root`] with the head that was signed before writing anything.
    pub fn resume(
        size: u64,
        read: &mut dyn FnMut(&str) -> Result<Vec<u8>, std::io::Error>,
    ) -> Result<TileWriter, Error> {
        if size >> 53 != 0 {
            return Err(Error::Frontier { why: "is of more than 2^53 entries" });
        }
        let mut read = |path: &str| read(path).map_err(|source| Error::Read { path: path.into(), source });
        let mut writer = TileWriter { size, ..TileWriter::default() };
        let mut level = 0;
        while size >> (8 * level) != 0 {
            let (n, width) = (size >> (8 * level) >> 8, (size >> (8 * level)) % TILE_WIDTH);
            let mut row = Vec::new();
            if width != 0 {
                let path = tile_path(level, n, width);
                let bytes = read(&path)?;
                match bytes.as_chunks::<32>() {
                    (hashes, []) if hashes.len() as u64 == width => row.extend(hashes.iter().map(|hash| Hash(*hash))),
                    _ => return Err(Error::Tile { path, why: "does not have the size its name says" }),
                }
            }
            writer.rows.push(row);
            level += 1;
        }
        if !size.is_multiple_of(TILE_WIDTH) {
            let path = entries_path(size / TILE_WIDTH, size % TILE_WIDTH);
            writer.entries = read(&path)?;
            let hashes: Option<Vec<Hash>> = bundle(&writer.entries).map(|entry| entry.map(leaf_hash)).collect();
            if hashes.as_ref() != writer.rows.first() {
                return Err(Error::Tile { path, why: "holds other entries than the tile of hashes above it" });
            }
        }
        Ok(writer)
    }

    /// How many entries the log has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends an entry; gives back the tiles that are now full, which for most entries are none.
    pub fn push(&mut self, leaf: &[u8]) -> Result<Vec<TileFile>, Error> {
        let (size, max) = (leaf.len() as u64, LEAF_BYTES_MAX as u64);
        let Some(length) = u16::try_from(size).ok().filter(|_| size <= max) else {
            return Err(Error::TooLarge { what: "the entry", size, max });
        };
        self.entries.extend(length.to_be_bytes());
        self.entries.extend(leaf);
        self.size += 1;
        let mut full = Vec::new();
        let mut carried = Some(leaf_hash(leaf));
        for level in 0..LEVELS_MAX {
            let Some(hash) = carried.take() else { break };
            if self.rows.len() == level {
                self.rows.push(Vec::with_capacity(256));
            }
            let Some(row) = self.rows.get_mut(level) else { unreachable!("rows are made from the lowest up") };
            row.push(hash);
            if row.len() as u64 == TILE_WIDTH {
                let n = (self.size >> (8 * (level + 1))) - 1;
                full.push(TileFile { path: tile_path(level as u32, n, TILE_WIDTH), bytes: concatenated(row) });
                carried = Some(perfect_root(row));
                row.clear();
            }
        }
        if self.size.is_multiple_of(TILE_WIDTH) {
            let bytes = std::mem::take(&mut self.entries);
            full.push(TileFile { path: entries_path(self.size / TILE_WIDTH - 1, TILE_WIDTH), bytes });
        }
        Ok(full)
    }

    /// The partial tiles that a head of this size needs beside the full ones.
    #[must_use]
    pub fn partials(&self) -> Vec<TileFile> {
        let mut files = Vec::new();
        for (level, row) in self.rows.iter().enumerate().filter(|(_, row)| !row.is_empty()) {
            let path = tile_path(level as u32, self.size >> (8 * (level + 1)), row.len() as u64);
            files.push(TileFile { path, bytes: concatenated(row) });
        }
        if !self.entries.is_empty() {
            let path = entries_path(self.size / TILE_WIDTH, self.size % TILE_WIDTH);
            files.push(TileFile { path, bytes: self.entries.clone() });
        }
        files
    }

    /// The root of the tree over all entries.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut frontier = Frontier::new();
        for (level, row) in self.rows.iter().enumerate().rev() {
            row.iter().for_each(|hash| frontier.append_subtree(8 * level as u32, *hash));
        }
        frontier.root()
    }
}

/// The entries of a bundle; None where its bytes end inside one, and nothing after that.
pub(crate) fn bundle(bytes: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let here = rest.take().filter(|here| !here.is_empty())?;
        let entry = here.split_first_chunk::<2>().and_then(|(length, after)| {
            let length = usize::from(u16::from_be_bytes(*length));
            after.split_at_checked(length)
        });
        rest = entry.map(|(_, after)| after);
        Some(entry.map(|(entry, _)| entry))
    })
}

/// What a path below `tile/` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// None for entries.
    pub(crate) level: Option<u32>,
    pub(crate) n: u64,
    pub(crate) width: u64,
}

impl Place {
    /// None for every path that [`tile_path`] and [`entries_path`] do not make.
    pub(crate) fn parse(path: &str) -> Option<Place> {
        let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok().filter(|width| (1..TILE_WIDTH).contains(width))?),
            None => (rest, TILE_WIDTH),
        };
        let mut n: u64 = 0;
        for part in number.split('/') {
            let digits = part.strip_prefix('x').unwrap_or(part);
            n = n.checked_mul(1_000)?.checked_add(digits.parse().ok()?)?;
        }
        let level = if kind == "entries" { None } else { Some(kind.parse().ok().filter(|level| *level < 64)?) };
        let place = Place { level, n, width };
        (place.path() == path).then_some(place)
    }

    pub(crate) fn path(self) -> String {
        match self.level {
            Some(level) => tile_path(level, self.n, self.width),
            None => entries_path(self.n, self.width),
        }
    }

    /// The width that the tile here has in a tree of `size` entries; 0 when the tree does not reach it.
    pub(crate) fn width_at(self, size: u64) -> u64 {
        let hashes = size.checked_shr(8 * self.level.unwrap_or(0)).unwrap_or(0);
        hashes.saturating_sub(self.n.saturating_mul(TILE_WIDTH)).min(TILE_WIDTH)
    }
}

fn number_path(n: u64, width: u64) -> String {
    let mut path = format!("{:03}", n % 1_000);
    let mut rest = n / 1_000;
    while rest != 0 {
        path = format!("x{:03}/{path}", rest % 1_000);
        rest /= 1_000;
    }
    if width != TILE_WIDTH {
        path += &format!(".p/{width}");
    }
    path
}

fn concatenated(row: &[Hash]) -> Vec<u8> {
    row.iter().flat_map(|hash| hash.0).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn paths_are_those_of_the_specification_and_no_others_are_read() {
        assert_eq!(tile_path(0, 0, 256), "tile/0/000");
        assert_eq!(tile_path(2, 1_234_067, 256), "tile/2/x001/x234/067");
        assert_eq!(entries_path(273, 112), "tile/entries/273.p/112");
        for path in ["tile/0/000", "tile/2/x001/x234/067", "tile/entries/273.p/112", "tile/63/x999/000.p/1"] {
            assert_eq!(Place::parse(path).unwrap().path(), path);
        }
        for path in [
            "",
            "tile/",
            "tile/0",
            "tile/0/",
            "tile/00/000",
            "tile/64/000",
            "tile/+1/000",
            "tile/0/0",
            "tile/0/0000",
            "tile/0/x000/001",
            "tile/0/001/002",
            "tile/0/x001",
            "tile/0/../0/000",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/1/2",
            "tile/0/000.p",
            "tile/entries/000 ",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(Place::parse(path), None, "{path}");
        }
    }

    #[test]
    fn a_writer_that_stops_and_resumes_makes_the_same_files_and_the_root_of_the_frontier() {
        let total = 256 * 256 + 300;
        let (mut steady, mut files) = (TileWriter::new(), BTreeMap::new());
        let mut frontier = Frontier::new();
        for i in 0..total {
            let entry = format!("entry {i}");
            for file in steady.push(entry.as_bytes()).unwrap() {
                assert_eq!(files.insert(file.path, file.bytes), None, "a full tile is written once");
            }
            frontier.append(leaf_hash(entry.as_bytes()));
            let size = i + 1;
            if size < 4 || [255, 256, 257, 300, 512, 65_535, 65_536, 65_537, 65_800].contains(&size) {
                assert_eq!(steady.root(), frontier.root());
                let partials: BTreeMap<_, _> = steady.partials().into_iter().map(|f| (f.path, f.bytes)).collect();
                let resumed = TileWriter::resume(size, &mut |path| {
                    Ok(partials.get(path).unwrap_or_else(|| panic!("asked for {path} at size {size}")).clone())
                })
                .unwrap();
                assert_eq!(resumed.root(), frontier.root());
                steady = resumed;
            }
        }
        assert_eq!(files.len(), 256 + 1 + 256 + 2);
        assert_eq!(files["tile/1/000"].len(), 8192);
        assert_eq!(steady.partials().len(), 4);
        assert_eq!(steady.partials()[2].path, "tile/2/000.p/1");
    }

    #[test]
    fn a_writer_does_not_resume_from_files_that_do_not_fit() {
        let mut writer = TileWriter::new();
        (0..5).for_each(|i| assert!(writer.push(&[i]).unwrap().is_empty()));
        let partials = writer.partials();
        for (tile, entries) in [(160, 15), (159, 15), (160, 14), (128, 15)] {
            let mut read = |path: &str| {
                let is_tile = path.starts_with("tile/0/");
                let file = partials.iter().find(|file| file.path == path).unwrap();
                Ok(file.bytes[..if is_tile { tile } else { entries }].to_vec())
            };
            assert_eq!(TileWriter::resume(5, &mut read).is_ok(), (tile, entries) == (160, 15));
        }
        let mut missing = |_: &str| Err(std::io::ErrorKind::NotFound.into());
        assert!(TileWriter::resume(5, &mut missing).is_err());
        assert!(writer.push(&vec![b'x'; LEAF_BYTES_MAX + 1]).is_err());
    }
}

//! Says what was done to a log, once something does not fit. Slow and careful; it runs at most once.

use super::folder::Folder;
use super::{FaultKind, Stop};
use crate::leaf::Leaf;
use crate::tiles::{ENTRIES_BYTES_MAX, TILE_BYTES_MAX, TILE_WIDTH, bundle, entries_path, tile_path};
use crate::time::Calendar;
use crate::{Hash, leaf_hash};

/// The entry at `index` does not fit its tile, its number, or `prev`, the hash of the entry before.
pub(super) fn entry(folder: &Folder<'_>, size: u64, index: u64, prev: Hash) -> Result<Stop, Stop> {
    let (mut seen, mut tile) = read_from(folder, size, index)?;
    if let ([], _) | (_, []) = (seen.as_slice(), tile.as_slice()) {
        return Ok(short_bundle(size, index, true));
    }
    let (here, next) = (seen.remove(0), seen);
    let remembered = tile.remove(0);
    let (kind, at, text) = if here.hash != remembered {
        against_tile(index, &here, &next, remembered, &tile, prev)
    } else {
        against_chain(index, &here, &next, prev)
    };
    Ok(Stop::fault(kind, Some(at), text))
}

/// The bundle ends before the entry at `index`, or inside it.
pub(super) fn short_bundle(size: u64, index: u64, inside: bool) -> Stop {
    if inside {
        let text = format!("the bundle ends inside entry {index}, or its length was changed");
        return Stop::fault(FaultKind::Edited, Some(index), text);
    }
    let last = index / TILE_WIDTH == (size - 1) / TILE_WIDTH;
    let kind = if last { FaultKind::CutTail } else { FaultKind::Removed };
    Stop::fault(
        kind,
        Some(index),
        format!("the signed head has {size} entries, but the bundle ends before entry {index}"),
    )
}

pub(super) fn missing_bundle(folder: &Folder<'_>, size: u64, n: u64) -> Result<Stop, Stop> {
    let bundles = size.div_ceil(TILE_WIDTH);
    // A log can have millions of bundles, and this must not look for each of them if all but a few are gone.
    for later in (n + 1..bundles).take(1_000) {
        if folder.widest_bundle(later)? != 0 {
            let text = format!("the bundle with the entries from {} on is missing", n * TILE_WIDTH);
            return Ok(Stop::fault(FaultKind::Removed, Some(n * TILE_WIDTH), text));
        }
    }
    let there = n * TILE_WIDTH + folder.widest_bundle(n)?;
    let text = format!("the signed head has {size} entries, but only {there} are there");
    Ok(Stop::fault(FaultKind::CutTail, Some(there), text))
}

/// An entry as far as it could be read.
struct Seen {
    hash: Hash,
    /// Number and `prev`, or why it is not a sealed entry.
    leaf: Result<(u64, Hash), String>,
}

impl Seen {
    fn follows(&self, before: Hash) -> bool {
        self.leaf.as_ref().is_ok_and(|(_, prev)| *prev == before)
    }

    fn number(&self) -> Option<u64> {
        self.leaf.as_ref().ok().map(|(index, _)| *index)
    }
}

type Verdict = (FaultKind, u64, String);

/// The tile of hashes remembers another entry here. Where either turns up later tells what was done.
fn against_tile(index: u64, here: &Seen, next: &[Seen], remembered: Hash, tile: &[Hash], prev: Hash) -> Verdict {
    let this_moved = tile.contains(&here.hash);
    let other_moved = next.iter().any(|seen| seen.hash == remembered);
    let pushed_on = next.first().is_some_and(|next| next.hash == remembered) && tile.first() != Some(&here.hash);
    match (this_moved, other_moved) {
        (_, true) if pushed_on => (FaultKind::Inserted, index, format!("entry {index} was never sealed here")),
        (true, true) => {
            (FaultKind::Reordered, index, format!("entry {index} stands later in the log than it was sealed"))
        }
        (true, false) => {
            let count = tile.iter().position(|hash| *hash == here.hash).unwrap_or(0) + 1;
            (FaultKind::Removed, index, format!("entry {index} and {} after it are gone", count - 1))
        }
        (false, true) => (FaultKind::Inserted, index, format!("entry {index} was never sealed here")),
        (false, false) => {
            let fits = here.number() == Some(index) && here.follows(prev);
            match (fits && next.first().is_some_and(|next| next.follows(here.hash)), &here.leaf) {
                (true, _) => {
                    let text = format!("the tile of hashes does not have entry {index}, which fits its neighbours");
                    (FaultKind::Tile, index, text)
                }
                (false, Err(why)) => (FaultKind::Edited, index, format!("entry {index} is {why}")),
                (false, Ok(_)) => {
                    (FaultKind::Edited, index, format!("entry {index} is not the one the tile of hashes has"))
                }
            }
        }
    }
}

/// The tiles were made anew and agree with the entry, so only the entries themselves can tell.
fn against_chain(index: u64, here: &Seen, next: &[Seen], prev: Hash) -> Verdict {
    let Some(number) = here.number() else {
        let why = here.leaf.as_ref().err().cloned().unwrap_or_default();
        return (FaultKind::Malformed, index, format!("entry {index} is {why}"));
    };
    let next = next.first();
    let next_is_this = next.and_then(Seen::number) == Some(index);
    let says = format!("entry {index} says that it is entry {number}");
    if number == index {
        // Whoever changed this entry broke the link after it too; who changed the one before did not.
        if index == 0 || next.is_some_and(|next| !next.follows(here.hash)) {
            return (FaultKind::Edited, index, format!("entry {index} does not follow the entry before it"));
        }
        let text = format!("entry {} is not the one that entry {index} follows", index - 1);
        return (FaultKind::Edited, index - 1, text);
    }
    if index < number {
        return match (next_is_this, here.follows(prev)) {
            (true, _) if number == index + 1 => (FaultKind::Reordered, index, says),
            (true, _) => (FaultKind::Inserted, index, says),
            (false, true) => (FaultKind::Gap, index, format!("{says}, and the chain holds")),
            (false, false) => (FaultKind::Removed, index, says),
        };
    }
    // An entry that was there before, and is pushed on by a newcomer that took its number.
    if number + 1 == index && here.hash != prev {
        return (FaultKind::Inserted, number, format!("{says}, but entry {number} is there already"));
    }
    (FaultKind::Inserted, index, says)
}

/// What the bundles and tiles have from `index` on, to the end of the bundle and through the next one.
fn read_from(folder: &Folder<'_>, size: u64, index: u64) -> Result<(Vec<Seen>, Vec<Hash>), Stop> {
    let (mut seen, mut tiles) = (Vec::new(), Vec::new());
    let first = index / TILE_WIDTH;
    for n in first..(first + 2).min(size.div_ceil(TILE_WIDTH)) {
        let width = TILE_WIDTH.min(size - n * TILE_WIDTH);
        let entries = folder.read(&entries_path(n, width), ENTRIES_BYTES_MAX)?.unwrap_or_default();
        for entry in bundle(&entries).map_while(|entry| entry) {
            let leaf = Leaf::read(entry, &mut Calendar::default())
                .map(|(leaf, _)| (leaf.index, leaf.prev))
                .map_err(|error| error.to_string());
            seen.push(Seen { hash: leaf_hash(entry), leaf });
        }
        let tile = folder.read(&tile_path(0, n, width), TILE_BYTES_MAX)?.unwrap_or_default();
        tiles.extend(tile.as_chunks::<32>().0.iter().map(|hash| Hash(*hash)));
    }
    let skip = (index % TILE_WIDTH) as usize;
    Ok((seen.into_iter().skip(skip).collect(), tiles.into_iter().skip(skip).collect()))
}

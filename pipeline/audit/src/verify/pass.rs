//! One pass over all entries: form, number, chain, time, tiles, roots.

use super::folder::{Folder, layout};
use super::heads::Mark;
use super::objects::Objects;
use super::{Ask, FaultKind, Report, Stop, diagnose};
use crate::leaf::Leaf;
use crate::tiles::{ENTRIES_BYTES_MAX, Place, TILE_BYTES_MAX, TILE_WIDTH, bundle, entries_path, tile_path};
use crate::tree::perfect_root;
use crate::{Frontier, Hash, TreeHead, leaf_hash};

/// The heartbeat is due every 15 minutes; one more is left for a slow disk or a restart.
const SILENCE_MAX_US: i64 = 16 * 60 * 1_000_000;

/// Reads every entry of the head; returns the root at the size of each mark.
pub(super) fn every_entry(
    folder: &Folder<'_>,
    ask: &Ask,
    head: &TreeHead,
    marks: &[Mark],
    report: &mut Report,
) -> Result<Vec<Hash>, Stop> {
    let mut pass = Pass {
        folder,
        size: head.size,
        frontier: Frontier::new(),
        rows: Vec::new(),
        roots: Vec::with_capacity(marks.len()),
        prev: Hash::ZERO,
        last: None,
        objects: (ask.objects_max != 0).then(|| Objects::new(ask.objects_max)),
        silences: Silences::default(),
    };
    pass.reach(marks);
    let (mut entries, mut tile, mut leaves) = (Vec::new(), Vec::new(), Vec::with_capacity(256));
    for n in 0..head.size.div_ceil(TILE_WIDTH) {
        let width = TILE_WIDTH.min(head.size - n * TILE_WIDTH);
        if !folder.read_into(&entries_path(n, width), ENTRIES_BYTES_MAX, &mut entries)? {
            return Err(diagnose::missing_bundle(folder, head.size, n)?);
        }
        pass.read_tile(0, n, width, &mut tile)?;
        leaves.clear();
        let read = pass.bundle(n, width, &entries, &tile, &mut leaves, report);
        pass.close_bundle(n, &leaves, marks)?;
        read?;
    }
    pass.right_edge()?;
    pass.tell(ask, report)?;
    Ok(pass.roots)
}

struct Pass<'a> {
    folder: &'a Folder<'a>,
    size: u64,
    frontier: Frontier,
    /// The open tile of each level above the first, with the number of full ones before it.
    rows: Vec<(u64, Vec<Hash>)>,
    roots: Vec<Hash>,
    prev: Hash,
    /// When the entry before was sealed, and whether it said that the service stops.
    last: Option<(i64, bool)>,
    objects: Option<Objects>,
    silences: Silences,
}

#[derive(Default)]
struct Silences {
    count: u64,
    /// Where the first one ends.
    first: u64,
    longest_us: i64,
}

impl Pass<'_> {
    fn bundle(
        &mut self,
        n: u64,
        width: u64,
        entries: &[u8],
        tile: &[u8],
        leaves: &mut Vec<Hash>,
        report: &mut Report,
    ) -> Result<(), Stop> {
        let mut entries = bundle(entries);
        for (index, hash) in (n * TILE_WIDTH..).zip(tile.as_chunks::<32>().0) {
            let entry = match entries.next() {
                Some(Some(entry)) => entry,
                broken => return Err(diagnose::short_bundle(self.size, index, broken.is_some())),
            };
            let own = leaf_hash(entry);
            match Leaf::read(entry) {
                Ok((leaf, glance)) if own.0 == *hash && leaf.index == index && leaf.prev == self.prev => {
                    self.time(&leaf, glance.act == b"service.stop", report)?;
                    if let Some(objects) = &mut self.objects {
                        let followed = objects.follow(&glance, leaf.body);
                        followed.map_err(|text| Stop::fault(FaultKind::ObjectChain, Some(index), text))?;
                    }
                }
                _ => return Err(diagnose::entry(self.folder, self.size, index, self.prev)?),
            }
            leaves.push(own);
            self.prev = own;
            report.entries = index + 1;
        }
        if entries.next().is_some() {
            let index = n * TILE_WIDTH + width;
            let text = format!("{} holds more than its {width} entries", entries_path(n, width));
            return Err(Stop::fault(FaultKind::Inserted, Some(index), text));
        }
        Ok(())
    }

    fn time(&mut self, leaf: &Leaf<'_>, stops: bool, report: &mut Report) -> Result<(), Stop> {
        let first = report.sealed.map_or(leaf.sealed_at, |(first, _)| first);
        if let Some((before, stopped)) = self.last {
            let elapsed_us = leaf.sealed_at - before;
            if elapsed_us < 0 {
                let text = format!("entry {} was sealed {} µs before the entry it follows", leaf.index, -elapsed_us);
                return Err(Stop::fault(FaultKind::ClockBackwards, Some(leaf.index), text));
            }
            if SILENCE_MAX_US < elapsed_us && !stopped {
                if self.silences.count == 0 {
                    self.silences.first = leaf.index;
                }
                self.silences.count += 1;
                self.silences.longest_us = self.silences.longest_us.max(elapsed_us);
            }
        }
        self.last = Some((leaf.sealed_at, stops));
        report.sealed = Some((first, leaf.sealed_at));
        Ok(())
    }

    /// Takes the leaves of a bundle into the tree, whole if it is full, and the roots of the marks on the way.
    fn close_bundle(&mut self, n: u64, leaves: &[Hash], marks: &[Mark]) -> Result<(), Stop> {
        let end = n * TILE_WIDTH + leaves.len() as u64;
        if leaves.len() as u64 == TILE_WIDTH {
            let next_mark = marks.get(self.roots.len()).map_or(u64::MAX, |mark| mark.size);
            let before = (next_mark < end).then(|| self.frontier.clone());
            if let Some(mut frontier) = before {
                std::mem::swap(&mut frontier, &mut self.frontier);
                self.one_by_one(leaves, marks);
                self.frontier = frontier;
            }
            let root = perfect_root(leaves);
            self.frontier.append_subtree(8, root);
            self.reach(marks);
            return self.push(1, root);
        }
        self.one_by_one(leaves, marks);
        Ok(())
    }

    fn one_by_one(&mut self, leaves: &[Hash], marks: &[Mark]) {
        for leaf in leaves {
            self.frontier.append(*leaf);
            self.reach(marks);
        }
    }

    fn reach(&mut self, marks: &[Mark]) {
        while marks.get(self.roots.len()).is_some_and(|mark| mark.size == self.frontier.size()) {
            self.roots.push(self.frontier.root());
        }
    }

    /// Hands the root of a full tile to the level above.
    fn push(&mut self, level: u32, hash: Hash) -> Result<(), Stop> {
        let (mut level, mut hash) = (level, hash);
        loop {
            if self.rows.len() < level as usize {
                self.rows.push((0, Vec::with_capacity(256)));
            }
            let Some((n, row)) = self.rows.get_mut(level as usize - 1) else {
                unreachable!("rows are made from the lowest up")
            };
            row.push(hash);
            if (row.len() as u64) < TILE_WIDTH {
                return Ok(());
            }
            let (full, row) = (*n, std::mem::take(row));
            *n += 1;
            self.compare_tile(level, full, &row)?;
            (level, hash) = (level + 1, perfect_root(&row));
        }
    }

    fn right_edge(&self) -> Result<(), Stop> {
        for (level, (n, row)) in (1..).zip(&self.rows) {
            if !row.is_empty() {
                self.compare_tile(level, *n, row)?;
            }
        }
        Ok(())
    }

    fn compare_tile(&self, level: u32, n: u64, row: &[Hash]) -> Result<(), Stop> {
        let mut tile = Vec::new();
        self.read_tile(level, n, row.len() as u64, &mut tile)?;
        let differs = tile.as_chunks::<32>().0.iter().zip(row).position(|(hash, own)| *hash != own.0);
        let Some(at) = differs else { return Ok(()) };
        let index = (n * TILE_WIDTH + at as u64) << (8 * level);
        let path = tile_path(level, n, row.len() as u64);
        let text = format!("hash {at} of {path} is not that of the entries from {index} on");
        Err(Stop::fault(FaultKind::Tile, Some(index), text))
    }

    fn read_tile(&self, level: u32, n: u64, width: u64, tile: &mut Vec<u8>) -> Result<(), Stop> {
        let path = Place { level: Some(level), n, width }.path();
        if !self.folder.read_into(&path, TILE_BYTES_MAX, tile)? {
            return Err(layout(format!("{path} is missing")));
        }
        if tile.len() as u64 != 32 * width {
            return Err(layout(format!("{path} has {} bytes instead of {}", tile.len(), 32 * width)));
        }
        Ok(())
    }

    fn tell(&self, ask: &Ask, report: &mut Report) -> Result<(), Stop> {
        if let Some(objects) = &self.objects {
            report.objects = Some(objects.count());
            if objects.passed_over != 0 {
                let (passed_over, max) = (objects.passed_over, ask.objects_max);
                report.notes.push(format!("{passed_over} entries of objects after the first {max} were not followed"));
            }
        }
        let Silences { count, first, longest_us } = self.silences;
        if count == 0 {
            return Ok(());
        }
        let minutes = longest_us / 60_000_000;
        let text = format!(
            "{count} silences longer than the heartbeat of 15 minutes allows, the longest of {minutes} minutes, the first before entry {first}"
        );
        if ask.silence_is_fault {
            return Err(Stop::fault(FaultKind::Silence, Some(first), text));
        }
        report.notes.push(text);
        Ok(())
    }
}

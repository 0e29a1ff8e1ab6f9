//! One pass over all entries: form, number, chain, time, tiles, roots.

use std::collections::HashMap;

use super::bundle::{Bundle, End, Entry, ObjectKey, ObjectKeys, Weight};
use super::folder::Folder;
use super::heads::{Heads, Mark};
use super::objects::{AsItIs, Objects};
use super::report::{Begun, Rotation};
use super::{Ask, FaultKind, Report, Stop, ahead, diagnose};
use crate::glance::Glance;
use crate::tiles::{TILE_WIDTH, entries_path, tile_path};
use crate::tree::perfect_root;
use crate::{Act, Body, Frontier, Hash, Leaf, Value};

/// The heartbeat is due every 15 minutes; one more is left for a slow disk or a restart.
const SILENCE_MAX_US: i64 = 16 * 60 * 1_000_000;

/// How far the clock of a node may be ahead of that of the seal.
const AHEAD_MAX_US: i64 = 5 * 60 * 1_000_000;

/// Objects whose erasure is remembered, at some 30 bytes each.
const ERASED_MAX: usize = 400_000;

/// What the entries say, found good.
#[derive(Default)]
pub(super) struct Found {
    /// The root at the size of each mark, and when the last entry before it was sealed.
    pub(super) roots: Vec<Hash>,
    pub(super) sealed_at: Vec<Option<i64>>,
    pub(super) rotations: Vec<Rotation>,
    pub(super) erased: Erased,
}

/// The last `privacy.erase` of each object.
#[derive(Default)]
pub(super) struct Erased {
    pub(super) by_object: HashMap<ObjectKey, u64, AsItIs>,
    /// Erasures of further objects, which are not remembered.
    pub(super) beyond: u64,
}

/// Reads every entry of the head.
pub(super) fn every_entry(
    folder: &Folder<'_>,
    ask: &Ask,
    heads: &Heads,
    keys: &ObjectKeys,
    report: &mut Report,
) -> Result<Found, Stop> {
    let mut pass = Pass {
        folder,
        keys,
        size: heads.head.size,
        marks: &heads.marks,
        frontier: Frontier::new(),
        rows: Vec::new(),
        found: Found::default(),
        prev: Hash::ZERO,
        last: None,
        objects: (ask.objects_max != 0).then(|| Objects::new(ask.objects_max)),
        silences: Silences::default(),
        ahead: Ahead::default(),
    };
    pass.reach(None);
    ahead::each_bundle(folder, pass.size, ask.threads, keys, &mut |bundle| pass.judge(bundle, report))?;
    pass.right_edge()?;
    pass.tell(ask, report)?;
    Ok(pass.found)
}

struct Pass<'a> {
    folder: &'a Folder<'a>,
    keys: &'a ObjectKeys,
    size: u64,
    marks: &'a [Mark],
    frontier: Frontier,
    /// The open tile of each level above the first, with the number of full ones before it.
    rows: Vec<(u64, Vec<Hash>)>,
    found: Found,
    prev: Hash,
    /// When the entry before was sealed, and whether it said that the service stops.
    last: Option<(i64, bool)>,
    objects: Option<Objects>,
    silences: Silences,
    ahead: Ahead,
}

/// Entries that claim to be younger than their seal.
#[derive(Default)]
struct Ahead {
    count: u64,
    first: u64,
    most_us: i64,
}

#[derive(Default)]
struct Silences {
    count: u64,
    /// Where the first one ends.
    first: u64,
    longest_us: i64,
}

impl Pass<'_> {
    /// Judges what only the entries before can tell, in order.
    fn judge(&mut self, bundle: &mut Bundle, report: &mut Report) -> Result<(), Stop> {
        let first = bundle.n * TILE_WIDTH;
        // Inside the bundle the chain was found good.
        if bundle.prevs.first().is_some_and(|prev| *prev != self.prev) {
            return Err(diagnose::entry(self.folder, self.size, first, self.prev)?);
        }
        for (index, (entry, hash)) in (first..).zip(bundle.entries.iter().zip(&bundle.leaves)) {
            self.time(index, entry, report)?;
            if entry.weight == Weight::OfTheLog {
                self.own_act(index, bundle.entry(entry), report)?;
            }
            if let (Some(objects), Some(link)) = (&mut self.objects, &entry.link) {
                let followed = objects.follow(link);
                followed.map_err(|why| why.at(index, bundle.entry(entry)))?;
            }
            self.prev = *hash;
            report.entries = index + 1;
        }
        let next = first + bundle.entries.len() as u64;
        match std::mem::take(&mut bundle.end) {
            End::Good => self.close_bundle(bundle),
            End::Misfit => Err(diagnose::entry(self.folder, self.size, next, self.prev)?),
            End::Short { inside } => Err(diagnose::short_bundle(self.size, next, inside)),
            End::More => {
                let width = bundle.entries.len();
                let text = format!("{} holds more than its {width} entries", entries_path(bundle.n, width as u64));
                Err(Stop::fault(FaultKind::Inserted, Some(next), text))
            }
            End::Missing => Err(diagnose::missing_bundle(self.folder, self.size, bundle.n)?),
            End::Stop(stop) => Err(stop),
        }
    }

    fn time(&mut self, index: u64, entry: &Entry, report: &mut Report) -> Result<(), Stop> {
        let first = report.sealed.map_or(entry.sealed_at, |(first, _)| first);
        if let Some((before, stopped)) = self.last {
            let elapsed_us = entry.sealed_at - before;
            if elapsed_us < 0 {
                let text = format!("entry {index} was sealed {} µs before the entry it follows", -elapsed_us);
                return Err(Stop::fault(FaultKind::ClockBackwards, Some(index), text));
            }
            if SILENCE_MAX_US < elapsed_us && !stopped {
                if self.silences.count == 0 {
                    self.silences.first = index;
                }
                self.silences.count += 1;
                self.silences.longest_us = self.silences.longest_us.max(elapsed_us);
            }
        }
        if AHEAD_MAX_US < entry.ahead_us {
            if self.ahead.count == 0 {
                self.ahead.first = index;
            }
            self.ahead.count += 1;
            self.ahead.most_us = self.ahead.most_us.max(entry.ahead_us);
        }
        self.last = Some((entry.sealed_at, entry.weight == Weight::Stop));
        report.sealed = Some((first, entry.sealed_at));
        Ok(())
    }

    /// An act about the log itself.
    fn own_act(&mut self, index: u64, entry: &[u8], report: &mut Report) -> Result<(), Stop> {
        let malformed = |why: String| Stop::fault(FaultKind::Malformed, Some(index), format!("entry {index}: {why}"));
        let leaf = Leaf::parse(entry).map_err(|error| malformed(error.to_string()))?;
        let body = Body::parse(leaf.body).map_err(|error| malformed(error.to_string()))?;
        match body.act {
            Act::KeyRotate => {
                self.found.rotations.push(super::keys::rotation(index, &body, self.found.rotations.len())?);
            }
            Act::LogBegin if index == 0 => {
                let begun = begun(&body).ok_or_else(|| malformed("log.begin does not say of which log".to_owned()))?;
                report.notes.push(format!(
                    "this log took the place of {}, which had {} entries and the root {}; earlier acts stand there",
                    begun.origin, begun.size, begun.root
                ));
                report.begun = Some(begun);
                if let Some(objects) = &mut self.objects {
                    objects.began_before = true;
                }
            }
            Act::LogBegin => {
                report.notes.push(format!("entry {index} says that a log begins, but it is not the first"))
            }
            Act::PrivacyErase => self.erased(index, leaf.body),
            _ => (),
        }
        Ok(())
    }

    fn erased(&mut self, index: u64, body: &[u8]) {
        let Some(object) = Glance::of(body).ok().and_then(|glance| glance.obj) else { return };
        let Erased { by_object, beyond } = &mut self.found.erased;
        let key = self.keys.of(object);
        if by_object.len() < ERASED_MAX || by_object.contains_key(&key) {
            by_object.insert(key, index);
        } else {
            *beyond += 1;
        }
    }

    /// Takes the leaves of a bundle into the tree, whole if it is full, and the roots of the marks on the way.
    fn close_bundle(&mut self, bundle: &Bundle) -> Result<(), Stop> {
        let Some(root) = bundle.root else {
            self.one_by_one(bundle);
            return Ok(());
        };
        let end = (bundle.n + 1) * TILE_WIDTH;
        let next_mark = self.marks.get(self.found.roots.len()).map_or(u64::MAX, |mark| mark.size);
        if next_mark < end {
            let before = self.frontier.clone();
            self.one_by_one(bundle);
            self.frontier = before;
        }
        self.frontier.append_subtree(8, root);
        self.reach(bundle.entries.last());
        self.push(1, root)
    }

    fn one_by_one(&mut self, bundle: &Bundle) {
        for (leaf, entry) in bundle.leaves.iter().zip(&bundle.entries) {
            self.frontier.append(*leaf);
            self.reach(Some(entry));
        }
    }

    /// Keeps the root for every mark of this size; `last` is the last entry that it covers.
    fn reach(&mut self, last: Option<&Entry>) {
        while self.marks.get(self.found.roots.len()).is_some_and(|mark| mark.size == self.frontier.size()) {
            self.found.roots.push(self.frontier.root());
            self.found.sealed_at.push(last.map(|entry| entry.sealed_at));
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
        self.folder.read_tile(level, n, row.len() as u64, &mut tile)?;
        let differs = tile.as_chunks::<32>().0.iter().zip(row).position(|(hash, own)| *hash != own.0);
        let Some(at) = differs else { return Ok(()) };
        let index = (n * TILE_WIDTH + at as u64) << (8 * level);
        let path = tile_path(level, n, row.len() as u64);
        let text = format!("hash {at} of {path} is not that of the entries from {index} on");
        Err(Stop::fault(FaultKind::Tile, Some(index), text))
    }

    fn tell(&self, ask: &Ask, report: &mut Report) -> Result<(), Stop> {
        if let Some(objects) = &self.objects {
            report.objects = Some(objects.count);
            if objects.forgotten != 0 {
                let Objects { forgotten, passed_over, .. } = objects;
                report.notes.push(format!(
                    "the log has more than {} objects at once: {forgotten} were let go as the longest untouched, and {passed_over} later links of theirs were not followed",
                    ask.objects_max
                ));
            }
        }
        let Ahead { count, first, most_us } = self.ahead;
        if count != 0 {
            let minutes = most_us / 60_000_000;
            report.notes.push(format!(
                "{count} entries say that they happened more than 5 minutes after they were sealed, at most {minutes} minutes; the first is entry {first}: a clock was wrong"
            ));
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

fn begun(body: &Body) -> Option<Begun> {
    let (Value::Text(origin), Value::Text(root), Value::Integer(size)) =
        (body.d.get("origin")?, body.d.get("root")?, body.d.get("size")?)
    else {
        return None;
    };
    Some(Begun { origin: origin.clone(), size: u64::try_from(*size).ok()?, root: Hash::from_hex(root.as_bytes())? })
}

//! A bundle of entries, checked as far as it can be without the one before it. Bundles may be checked side by side.

use std::hash::{BuildHasher, RandomState};

use super::Stop;
use super::folder::Folder;
use crate::Hash;
use crate::glance::Glance;
use crate::lanes::{Message, hash_each};
use crate::leaf::Leaf;
use crate::tiles::{ENTRIES_BYTES_MAX, TILE_WIDTH, bundle, entries_path};
use crate::time::Calendar;
use crate::tree::perfect_root;

/// Room to read and check a bundle in, used again for the next.
#[derive(Default)]
pub(super) struct Bundle {
    pub(super) n: u64,
    /// The file of the entries, as it was read.
    file: Vec<u8>,
    tile: Vec<u8>,
    calendar: Calendar,
    /// The entries that are good, from the first on; all of them if `end` is [`End::Good`].
    pub(super) entries: Vec<Entry>,
    /// What they say is the hash of the one before.
    pub(super) prevs: Vec<Hash>,
    /// Their hashes.
    pub(super) leaves: Vec<Hash>,
    /// The root over them, if there are 256.
    pub(super) root: Option<Hash>,
    pub(super) end: End,
}

/// Why the good entries of a bundle end.
#[derive(Default)]
pub(super) enum End {
    #[default]
    Good,
    /// The next entry does not fit its tile, its number or the one before it, or is no entry.
    Misfit,
    /// The bytes end before the next entry, or inside it.
    Short {
        inside: bool,
    },
    /// More entries follow than the tile has.
    More,
    Missing,
    Stop(Stop),
}

/// What is to be judged in the order of the entries.
pub(super) struct Entry {
    pub(super) sealed_at: i64,
    /// How far the clock of the node was ahead of that of the seal, in microseconds.
    pub(super) ahead_us: i64,
    pub(super) weight: Weight,
    pub(super) link: Option<Link>,
    /// Where the sealed entry lies in the file.
    start: u32,
    end: u32,
}

/// Whether there is more to an entry than its place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Plain,
    /// `service.stop`: a silence may follow.
    Stop,
    /// An act about the log itself, to be read in full.
    OfTheLog,
}

/// A link of its object's chain.
pub(super) struct Link {
    pub(super) object: ObjectKey,
    pub(super) rev: u64,
    pub(super) sprev: Option<Hash>,
    pub(super) body: Hash,
}

/// Stands for an object in memory, so that a long name costs none.
pub(super) type ObjectKey = u128;

/// Makes [`ObjectKey`]s: one half under a key that nobody knows, so that no two objects can be made to meet, and one
/// that sets apart what the first half should happen to bring together.
#[derive(Clone, Default)]
pub(super) struct ObjectKeys {
    secret: RandomState,
}

impl ObjectKeys {
    /// The key of the object with these raw bytes.
    pub(super) fn of(&self, object: &[u8]) -> ObjectKey {
        let (words, rest) = object.as_chunks::<8>();
        let last = rest.iter().fold(0, |last, byte| last << 8 | u64::from(*byte));
        let words = words.iter().map(|word| u64::from_le_bytes(*word)).chain([last]);
        // The multiplier of xorshift64*; any odd number with its bits well spread would do.
        let mixed = words.fold(0, |sum: u64, word| (sum.rotate_left(29) ^ word).wrapping_mul(0x2545_f491_4f6c_dd1d));
        u128::from(mixed) << 64 | u128::from(self.secret.hash_one(object))
    }
}

impl Bundle {
    /// Reads bundle `n` of a log of `size` entries and checks its form, its numbers, its tile of hashes, and the chain
    /// inside it.
    pub(super) fn check(&mut self, folder: &Folder<'_>, size: u64, n: u64, keys: &ObjectKeys) {
        self.n = n;
        self.entries.clear();
        self.leaves.clear();
        self.prevs.clear();
        self.root = None;
        let width = TILE_WIDTH.min(size - n * TILE_WIDTH);
        self.end = match self.read(folder, n, width) {
            Ok(true) => self.entries(n, keys),
            Ok(false) => End::Missing,
            Err(stop) => End::Stop(stop),
        };
        if self.leaves.len() as u64 == TILE_WIDTH {
            self.root = Some(perfect_root(&self.leaves));
        }
    }

    /// The bytes of a good entry.
    pub(super) fn entry(&self, entry: &Entry) -> &[u8] {
        self.file.get(entry.start as usize..entry.end as usize).unwrap_or_default()
    }

    fn read(&mut self, folder: &Folder<'_>, n: u64, width: u64) -> Result<bool, Stop> {
        if !folder.read_into(&entries_path(n, width), ENTRIES_BYTES_MAX, &mut self.file)? {
            return Ok(false);
        }
        folder.read_tile(0, n, width, &mut self.tile)?;
        Ok(true)
    }

    fn entries(&mut self, n: u64, keys: &ObjectKeys) -> End {
        let mut end = End::Good;
        let (mut read, mut offset) = (bundle(&self.file), 0);
        let expected = self.tile.as_chunks::<32>().0;
        let mut messages: Vec<Message<'_>> = Vec::with_capacity(512);
        for index in (n * TILE_WIDTH..).take(expected.len()) {
            let bytes = match read.next() {
                Some(Some(bytes)) => bytes,
                broken => {
                    end = End::Short { inside: broken.is_some() };
                    break;
                }
            };
            let start = offset + 2;
            // INVARIANT (a bundle has at most 8 MiB).
            offset = start + bytes.len() as u32;
            let (leaf, glance) = match Leaf::read(bytes, &mut self.calendar) {
                Ok(read) if read.0.index == index => read,
                _ => {
                    end = End::Misfit;
                    break;
                }
            };
            messages.push(Message { before: Some(0), bytes });
            self.prevs.push(leaf.prev);
            let link = glance.obj.zip(glance.rev).map(|(object, rev)| {
                messages.push(Message { before: None, bytes: leaf.body });
                Link { object: keys.of(object), rev, sprev: glance.sprev, body: Hash::ZERO }
            });
            self.entries.push(Entry {
                sealed_at: leaf.sealed_at,
                ahead_us: glance.at - leaf.sealed_at,
                weight: Weight::of(&glance),
                link,
                start,
                end: offset,
            });
        }
        if matches!(end, End::Good) && read.next().is_some() {
            end = End::More;
        }
        let (mut entries, mut body) = (self.entries.iter_mut(), None::<&mut Hash>);
        hash_each(
            &messages,
            |message| *message,
            |hash| match body.take() {
                Some(body) => *body = hash,
                None => {
                    self.leaves.push(hash);
                    body = entries.next().and_then(|entry| entry.link.as_mut()).map(|link| &mut link.body);
                }
            },
        );
        let strange = self.leaves.iter().zip(expected).position(|(own, tile)| own.0 != *tile);
        let loose = self.prevs.iter().skip(1).zip(&self.leaves).position(|(prev, before)| prev != before);
        if let Some(good) = strange.into_iter().chain(loose.map(|at| at + 1)).min() {
            self.entries.truncate(good);
            self.leaves.truncate(good);
            end = End::Misfit;
        }
        end
    }
}

impl Weight {
    fn of(glance: &Glance<'_>) -> Weight {
        match glance.act {
            b"service.stop" => Weight::Stop,
            b"key.rotate" | b"log.begin" | b"privacy.erase" => Weight::OfTheLog,
            _ => Weight::Plain,
        }
    }
}

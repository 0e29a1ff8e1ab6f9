//! Follows the chain of each object: its revisions, and the digest of its body before.

use std::collections::HashMap;

use crate::entry::Glance;
use crate::{Hash, body_hash};

pub(super) struct Objects {
    /// By the first half of the digest of kind and id, so that a long id costs no memory.
    links: HashMap<[u8; 16], (u64, Hash)>,
    max: usize,
    /// Entries of objects beyond `max`, which were not followed.
    pub(super) passed_over: u64,
}

impl Objects {
    pub(super) fn new(max: usize) -> Objects {
        Objects { links: HashMap::new(), max, passed_over: 0 }
    }

    pub(super) fn count(&self) -> u64 {
        self.links.len() as u64
    }

    /// Why this entry does not continue its object's chain. Only entries with a revision are links.
    pub(super) fn follow(&mut self, glance: &Glance<'_>, body: &[u8]) -> Result<(), String> {
        let (Some(object), Some(rev)) = (glance.obj, glance.rev) else { return Ok(()) };
        let name = String::from_utf8_lossy(object);
        let [key, _] = halves(&body_hash(object));
        match self.links.get(&key) {
            None if self.max <= self.links.len() => {
                self.passed_over += 1;
                return Ok(());
            }
            None => {
                if let Some(sprev) = glance.sprev {
                    return Err(format!("the first entry of {name} says that a body {sprev} came before"));
                }
            }
            Some((before, hash)) => {
                if glance.sprev != Some(*hash) {
                    return Err(format!(
                        "`sprev` of {name} at revision {rev} is not the digest of its body before, {hash}"
                    ));
                }
                if rev != *before && rev != before + 1 {
                    return Err(format!("{name} goes from revision {before} to {rev}"));
                }
            }
        }
        self.links.insert(key, (rev, body_hash(body)));
        Ok(())
    }
}

fn halves(hash: &Hash) -> [[u8; 16]; 2] {
    let (first, second) = hash.0.split_at(16);
    let (mut halves, whole) = ([[0; 16]; 2], [first, second]);
    halves.iter_mut().zip(whole).for_each(|(half, part)| half.copy_from_slice(part));
    halves
}

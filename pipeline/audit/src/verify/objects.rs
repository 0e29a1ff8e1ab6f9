//! Follows the chain of each object: its revisions, and the digest of its body before.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::bundle::{Link, ObjectKey};
use super::{FaultKind, Stop};
use crate::{Hash, Leaf};

/// The objects that were touched last, in two generations: when the younger one is full, the older one is let go.
/// So memory has a bound, and an object is forgotten only after as many others were touched since.
pub(super) struct Objects {
    young: Generation,
    old: Generation,
    /// Half of the objects that may be remembered.
    half: usize,
    /// Whether objects may have a history in a log before this one.
    pub(super) began_before: bool,
    /// Objects whose first link was seen.
    pub(super) count: u64,
    /// Objects that were let go.
    pub(super) forgotten: u64,
    /// Links of objects that had been let go, which were not followed.
    pub(super) passed_over: u64,
}

type Generation = HashMap<ObjectKey, (u64, Hash), AsItIs>;

/// Why a link does not continue its object's chain.
pub(super) enum Broken {
    NoEarlierBody,
    OtherBody(Hash),
    Revisions(u64, u64),
}

impl Objects {
    pub(super) fn new(max: usize) -> Objects {
        let (young, old) = (Generation::default(), Generation::default());
        Objects { young, old, half: max.div_ceil(2), began_before: false, count: 0, forgotten: 0, passed_over: 0 }
    }

    pub(super) fn follow(&mut self, link: &Link) -> Result<(), Broken> {
        let next = (link.rev, link.body);
        if let Some(before) = self.young.get_mut(&link.object) {
            continues(link, *before)?;
            *before = next;
            return Ok(());
        }
        match (self.old.remove(&link.object), link.sprev) {
            (Some(before), _) => continues(link, before)?,
            (None, None) => self.count += 1,
            (None, Some(_)) if self.began_before && self.forgotten == 0 => self.count += 1,
            (None, Some(_)) if self.forgotten == 0 => return Err(Broken::NoEarlierBody),
            (None, Some(_)) => self.passed_over += 1,
        }
        if self.half <= self.young.len() {
            self.forgotten += self.old.len() as u64;
            self.old.clear();
            std::mem::swap(&mut self.young, &mut self.old);
        }
        self.young.insert(link.object, next);
        Ok(())
    }
}

fn continues(link: &Link, (rev, body): (u64, Hash)) -> Result<(), Broken> {
    if link.sprev != Some(body) {
        return Err(Broken::OtherBody(body));
    }
    if link.rev != rev && link.rev != rev + 1 {
        return Err(Broken::Revisions(rev, link.rev));
    }
    Ok(())
}

impl Broken {
    /// The fault at the entry with this index and these bytes.
    pub(super) fn at(self, index: u64, entry: &[u8]) -> Stop {
        let body = Leaf::parse(entry).ok().and_then(|leaf| crate::Body::parse(leaf.body).ok());
        let name =
            body.and_then(|body| body.obj).map_or("the object".to_owned(), |obj| format!("{} {}", obj.kind, obj.id));
        let text = match self {
            Broken::NoEarlierBody => format!("the first entry of {name} says that another came before"),
            Broken::OtherBody(hash) => {
                format!("`sprev` of {name} at entry {index} is not the digest of its body before, {hash}")
            }
            Broken::Revisions(before, now) => format!("{name} goes from revision {before} to {now}"),
        };
        Stop::fault(FaultKind::ObjectChain, Some(index), text)
    }
}

pub(super) type AsItIs = BuildHasherDefault<Half>;

/// Half of an [`ObjectKey`] is its hash: it was made from a secret already.
#[derive(Default)]
pub(super) struct Half(u64);

impl Hasher for Half {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only keys of objects are hashed")
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}

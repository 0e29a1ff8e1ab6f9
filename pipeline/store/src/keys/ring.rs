//! The keys as the key file has them now: another process may have added one since it was read.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, PoisonError, RwLock};

use super::{Custody, KeyError, Keys, custody};

/// Reads the key file again when it is another than the one that was read.
pub(crate) struct Ring {
    custody: Custody,
    read: RwLock<(Stamp, Arc<Keys>)>,
}

/// What tells one state of a file from another without reading it: a file is put in its place whole, as a new one.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Ring {
    pub(crate) fn open(custody: &Custody) -> Result<Ring, KeyError> {
        // Before it is read: what is put in its place meanwhile is read the next time.
        let stamp = Stamp::of(custody)?;
        let keys = Arc::new(Keys::open(custody)?);
        Ok(Ring { custody: custody.clone(), read: RwLock::new((stamp, keys)) })
    }

    pub(crate) fn keys(&self) -> Result<Arc<Keys>, KeyError> {
        // A key file that cannot be looked at now does not take away the keys that were read from it.
        let now = Stamp::of(&self.custody).ok();
        {
            let (stamp, keys) = &*self.read.read().unwrap_or_else(PoisonError::into_inner);
            if now.is_none_or(|now| now == *stamp) {
                return Ok(keys.clone());
            }
        }
        let keys = Arc::new(Keys::open(&self.custody)?);
        if let Some(stamp) = now {
            *self.read.write().unwrap_or_else(PoisonError::into_inner) = (stamp, keys.clone());
        }
        Ok(keys)
    }
}

impl Stamp {
    fn of(custody: &Custody) -> Result<Stamp, KeyError> {
        let path = custody.path()?;
        let found = fs::metadata(&path).map_err(custody::missing_or("look at", &path))?;
        Ok(Stamp { inode: found.ino(), size: found.size(), modified: (found.mtime(), found.mtime_nsec()) })
    }
}

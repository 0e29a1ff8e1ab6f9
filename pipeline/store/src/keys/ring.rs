//! The keys as the key file has them now: another process may have added one since it was read.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use super::{KeyError, Keys, key_file};

/// Reads the key file again when it is another than the one that was read.
pub(crate) struct Ring {
    dir: Arc<Path>,
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
    pub(crate) fn open(dir: &Path) -> Result<Ring, KeyError> {
        let stamp = Stamp::of(dir);
        let keys = Arc::new(Keys::open(dir)?);
        Ok(Ring { dir: dir.into(), read: RwLock::new((stamp.map_err(super::io_error("look at", dir))?, keys)) })
    }

    pub(crate) fn keys(&self) -> Result<Arc<Keys>, KeyError> {
        // A key file that cannot be looked at now does not take away the keys that were read from it.
        let now = Stamp::of(&self.dir).ok();
        {
            let (stamp, keys) = &*self.read.read().unwrap_or_else(PoisonError::into_inner);
            if now.is_none_or(|now| now == *stamp) {
                return Ok(keys.clone());
            }
        }
        let keys = Arc::new(Keys::open(&self.dir)?);
        if let Some(stamp) = now {
            *self.read.write().unwrap_or_else(PoisonError::into_inner) = (stamp, keys.clone());
        }
        Ok(keys)
    }
}

impl Stamp {
    fn of(dir: &Path) -> io::Result<Stamp> {
        let found = fs::metadata(key_file(dir))?;
        Ok(Stamp { inode: found.ino(), size: found.size(), modified: (found.mtime(), found.mtime_nsec()) })
    }
}

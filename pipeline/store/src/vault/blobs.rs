//! Where sealed files lie: a folder, or a bucket. Nothing here knows what is in them or has a key.
//!
//! Nothing here is asynchronous, and what is said to a bucket is waited for: callers are in `spawn_blocking`.

mod bucket;
mod credentials;
mod folder;
mod place;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::time::Duration;

use uuid::Uuid;

use super::seal::ReadAt;
use super::{VaultError, durable, io_error};
use bucket::{Bucket, Object};
use folder::Folder;
pub use place::{BlobPlace, BucketPlace};

/// A staged file that nobody wrote to for so long is what a crash left; younger, somebody may be filling it.
const STAGED_SECONDS_MAX: u64 = 3600;

/// The sealed files of one vault. Each is written once, under a fresh id, and never changed.
///
/// File `id` is `xx/<id>.sealed`, where `xx` is the last byte of the id: the first bytes of a version 7 id are the time,
/// and would put a month of work into one folder.
pub(crate) enum Blobs {
    Folder(Folder),
    Bucket(Bucket),
}

impl Blobs {
    /// Opens what is there, or makes it. Clears away what crashed writers left.
    pub(crate) fn open(place: &BlobPlace) -> Result<Blobs, VaultError> {
        Ok(match place {
            BlobPlace::Folder(root) => Blobs::Folder(Folder::open(root)?),
            BlobPlace::Bucket(bucket) => Blobs::Bucket(Bucket::open(bucket)?),
        })
    }

    /// A new file on this machine's disk, which no reader can see, to be filled and then placed.
    /// [`VaultError::Exists`] if somebody is filling one for the same `id`.
    pub(crate) fn stage(&self, id: Uuid) -> Result<Staged, VaultError> {
        match self {
            Blobs::Folder(folder) => folder.staging().stage(id),
            Blobs::Bucket(bucket) => bucket.staging().stage(id),
        }
    }

    /// Makes the staged file there to stay, whenever the power goes. [`VaultError::Exists`] if one is there: nothing is
    /// ever overwritten. After another error it may be there or not, but never in part.
    pub(crate) fn place(&self, staged: Staged) -> Result<(), VaultError> {
        if !staged.is_there().map_err(io_error("read", &staged.path))? {
            let silent = format!("nothing was written to it for {STAGED_SECONDS_MAX} seconds, and it was cleared away");
            return Err(io_error("read", &staged.path)(io::Error::new(io::ErrorKind::NotFound, silent)));
        }
        match self {
            Blobs::Folder(folder) => folder.place(&staged),
            Blobs::Bucket(bucket) => bucket.place(&staged),
        }
    }

    /// [`VaultError::Missing`] if there is no file `id`.
    pub(crate) fn read(&self, id: Uuid) -> Result<Blob, VaultError> {
        match self {
            Blobs::Folder(folder) => folder.read(id),
            Blobs::Bucket(bucket) => bucket.read(id).map(Blob::Object),
        }
    }

    /// Is there a file `id`? Nothing of it is read.
    pub(crate) fn holds(&self, id: Uuid) -> Result<bool, VaultError> {
        let found = match self {
            Blobs::Folder(folder) => folder.read(id).map(drop),
            Blobs::Bucket(bucket) => bucket.look(id),
        };
        match found {
            Ok(()) => Ok(true),
            Err(VaultError::Missing { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// On return the removal lasts. [`VaultError::Missing`] if there is no file `id`.
    pub(crate) fn remove(&self, id: Uuid) -> Result<(), VaultError> {
        match self {
            Blobs::Folder(folder) => folder.remove(id),
            Blobs::Bucket(bucket) => bucket.remove(id),
        }
    }

    /// Every file that is whole, by last byte and then by id; an error for each thing that does not belong here.
    /// At most a 256th of the ids is in memory.
    pub(crate) fn ids(&self) -> Box<dyn Iterator<Item = Result<Uuid, VaultError>> + '_> {
        match self {
            Blobs::Folder(folder) => Box::new(folder.ids()),
            Blobs::Bucket(bucket) => Box::new(bucket.ids()),
        }
    }
}

/// A sealed file that is open for reading.
pub(crate) enum Blob {
    File { file: File, size: u64, path: PathBuf },
    Object(Object),
}

impl ReadAt for Blob {
    fn size(&self) -> u64 {
        match self {
            Blob::File { size, .. } => *size,
            Blob::Object(object) => object.size,
        }
    }

    fn read_exact_at(&self, to: &mut [u8], offset: u64) -> Result<(), VaultError> {
        match self {
            Blob::File { file, path, .. } => file.read_exact_at(to, offset).map_err(io_error("read", path)),
            Blob::Object(object) => object.read_exact_at(to, offset),
        }
    }
}

/// A file that is being filled. Dropped, it is gone.
pub(crate) struct Staged {
    id: Uuid,
    path: PathBuf,
    file: File,
}

impl Write for Staged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Staged {
    /// Is this file under its name? Should it have been cleared away, another may have staged its own there since.
    fn is_there(&self) -> io::Result<bool> {
        let here = self.file.metadata()?;
        match fs::symlink_metadata(&self.path) {
            Ok(there) => Ok((here.dev(), here.ino()) == (there.dev(), there.ino())),
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Staged {
    /// What cannot be removed either is cleared away at a later opening.
    fn drop(&mut self) {
        if self.is_there().unwrap_or(false) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The folder of what is being written. Its owner alone can look into it.
struct Staging(PathBuf);

impl Staging {
    fn open(folder: PathBuf) -> Result<Staging, VaultError> {
        durable::make_folder(&folder).map_err(io_error("make folder", &folder))?;
        let staging = Staging(folder);
        staging.clear().map_err(io_error("clear", &staging.0))?;
        Ok(staging)
    }

    /// Whoever holds the name is the only one who may place `id`.
    fn stage(&self, id: Uuid) -> Result<Staged, VaultError> {
        let path = self.0.join(id.to_string());
        match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => Ok(Staged { id, path, file }),
            Err(exists) if exists.kind() == io::ErrorKind::AlreadyExists => Err(VaultError::Exists { id }),
            Err(source) => Err(io_error("write", &path)(source)),
        }
    }

    /// Other processes write here too: what is gone before it is looked at was put into its place.
    fn clear(&self) -> io::Result<()> {
        let gone = |err: io::Error| if err.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(err) };
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            entry.metadata().and_then(|it| it.modified()).map_or_else(gone, |modified| {
                let silent = modified.elapsed().unwrap_or_default();
                let left_over = Duration::from_secs(STAGED_SECONDS_MAX) < silent;
                if left_over { durable::remove(&entry.path()).or_else(gone) } else { Ok(()) }
            })?;
        }
        Ok(())
    }
}

/// Below the root of either kind.
fn relative(id: Uuid) -> String {
    let [.., last] = *id.as_bytes();
    format!("{last:02x}/{id}.sealed")
}

/// The id of the file that has this name below the root, if it is the name that the id has.
fn id_of(name: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(name.get(3..)?.strip_suffix(".sealed")?).ok()?;
    (relative(id) == name).then_some(id)
}

#[cfg(test)]
mod tests;

//! Sealed bytes: the files of the vault and the values in the database. `vault/format.md` is the specification.
//!
//! Nothing here is asynchronous: files are for `spawn_blocking`, values are small. Nothing here knows what it seals.

mod blobs;
mod durable;
mod lots;
pub(crate) mod record;
mod seal;
pub(crate) mod steps;
mod stream;

pub(crate) use stream::HIDES;

use std::io::{self, Read, Write};
use std::path::PathBuf;

use uuid::Uuid;

use crate::keys::KeyId;
use blobs::Blobs;
pub use blobs::{BlobPlace, BucketPlace};
pub(crate) use durable::{make_folder, place_new, remove, rename, replace};
pub(crate) use record::RecordKey;
use seal::{Opened, Place, ReadAt};

/// What is opened in memory as a whole: pictures, values, and documents that a reader is given.
const WHOLE_BYTES_MAX: u64 = 256 << 20;

/// The sealed files. Each is written once and never changed.
pub(crate) struct Vault {
    blobs: Blobs,
}

/// A sealed file that can be read from any offset on.
pub(crate) struct SealedFile {
    id: Uuid,
    opened: Opened<blobs::Blob>,
}

/// What became of a file that was to be copied.
pub(crate) enum Copied {
    /// In bytes.
    New(u64),
    There,
    /// It is missing where it was to be copied from, or cannot be read.
    Unreadable(VaultError),
}

impl Vault {
    /// Opens the vault in `place`, and makes it if only its parent is there. Clears away what crashed writers left.
    pub(crate) fn open(place: &BlobPlace) -> Result<Vault, VaultError> {
        Ok(Vault { blobs: Blobs::open(place)? })
    }

    /// Seals the `size` bytes that `plain` gives as file `id`. On return it is there to stay; on error, or after a crash,
    /// there is no file `id`. Never overwrites: a file `id` that is there is an error.
    pub(crate) fn put(
        &self,
        id: Uuid,
        key: &RecordKey,
        size: u64,
        plain: &mut (dyn Read + Send),
    ) -> Result<(), VaultError> {
        let mut staged = self.blobs.stage(id)?;
        seal::seal(key, Place::File(id), size, plain, &mut staged)?;
        self.blobs.place(staged)
    }

    /// Opens file `id`, or says what is wrong with it.
    pub(crate) fn file(&self, id: Uuid, key: &RecordKey) -> Result<SealedFile, VaultError> {
        let opened = seal::open(key, Place::File(id), self.blobs.read(id)?).map_err(unsealed(Place::File(id)))?;
        Ok(SealedFile { id, opened })
    }

    /// Removes file `id`. MUST NOT be called for a file that a case names, unless the case is erased.
    pub(crate) fn remove(&self, id: Uuid) -> Result<(), VaultError> {
        self.blobs.remove(id)
    }

    pub(crate) fn holds(&self, id: Uuid) -> Result<bool, VaultError> {
        self.blobs.holds(id)
    }

    /// Copies file `id` to another vault as it is, sealed. What is there already stays, unless it is cut or extended. On return
    /// it is there to stay; an error is the other vault's.
    pub(crate) fn copy_to(&self, id: Uuid, to: &Vault) -> Result<Copied, VaultError> {
        const PIECE_BYTES: u64 = 1 << 20;
        let there = match to.blobs.read(id) {
            Ok(blob) => Some(seal::is_whole(&blob)),
            Err(VaultError::Missing { .. }) => None,
            Err(other) => return Err(other),
        };
        if there == Some(true) {
            return Ok(Copied::There);
        }
        let from = match self.blobs.read(id) {
            Ok(from) => from,
            Err(why) => return self.unreadable(why),
        };
        let size = from.size();
        let mut staged = to.blobs.stage(id)?;
        let mut piece = vec![0; PIECE_BYTES.min(size) as usize];
        let mut offset = 0;
        while offset < size {
            let (now, _) = piece.split_at_mut(PIECE_BYTES.min(size - offset) as usize);
            if let Err(why) = from.read_exact_at(now, offset) {
                return self.unreadable(why);
            }
            staged.write_all(now).map_err(|source| VaultError::Handing { source })?;
            offset += now.len() as u64;
        }
        if there.is_some() {
            to.remove(id)?;
        }
        to.blobs.place(staged)?;
        Ok(Copied::New(size))
    }

    /// In a folder one file may be bad. A bucket that does not answer has no file at hand, which is no word about this one.
    fn unreadable(&self, why: VaultError) -> Result<Copied, VaultError> {
        match (&self.blobs, why) {
            (Blobs::Bucket(_), why @ VaultError::Io { .. }) => Err(why),
            (_, why) => Ok(Copied::Unreadable(why)),
        }
    }

    /// Every file that is here whole; an error for each thing that does not belong here.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Result<Uuid, VaultError>> {
        self.blobs.ids()
    }
}

impl SealedFile {
    /// How many bytes were sealed.
    pub(crate) fn size(&self) -> u64 {
        self.opened.size()
    }

    /// All that was sealed, for what is small enough to be in memory.
    pub(crate) fn whole(&self) -> Result<Vec<u8>, VaultError> {
        let size = self.size();
        if WHOLE_BYTES_MAX < size {
            let source = BrokenSeal::TooLarge { size, max: WHOLE_BYTES_MAX };
            return Err(refused(Place::File(self.id), source));
        }
        self.range(0, size)
    }

    /// All that was sealed, as it comes: what was given to `out` before an error was proven too.
    pub(crate) fn copy_to(&self, out: &mut (dyn Write + Send)) -> Result<(), VaultError> {
        self.opened.copy_to(out).map_err(unsealed(Place::File(self.id)))
    }

    /// `size` bytes from `offset` on, without opening the rest.
    pub(crate) fn range(&self, offset: u64, size: u64) -> Result<Vec<u8>, VaultError> {
        self.opened.range(offset, size).map_err(unsealed(Place::File(self.id)))
    }
}

/// Seals a value that stays in the database. `context` says table, column and row; the value opens nowhere else.
pub(crate) fn seal_value(key: &RecordKey, context: &str, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
    let mut sealed = Vec::with_capacity(seal::sealed_bytes(plain.len() as u64) as usize);
    seal::seal(key, Place::Value(context), plain.len() as u64, &mut &*plain, &mut sealed)?;
    Ok(sealed)
}

/// Opens what [`seal_value`] sealed for the same `context`.
pub(crate) fn open_value(key: &RecordKey, context: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
    let place = Place::Value(context);
    let opened = seal::open(key, place, sealed).map_err(unsealed(place))?;
    opened.range(0, opened.size()).map_err(unsealed(place))
}

/// Why a seal was not opened: it is broken, or it cannot be read.
#[derive(Debug, thiserror::Error)]
enum Unsealed {
    #[error(transparent)]
    Broken(#[from] BrokenSeal),
    #[error(transparent)]
    Reading(#[from] VaultError),
}

/// Why nothing was sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("there is no sealed file `{id}`")]
    Missing { id: Uuid },
    #[error("there is a sealed file `{id}` already, or one being written")]
    Exists { id: Uuid },
    #[error("{size} bytes are to be sealed, at most {max} may be")]
    TooLarge { size: u64, max: u64 },
    #[error("what was to be sealed had {size} bytes and has them no longer: it changed meanwhile")]
    Changed { size: u64 },
    #[error("sealing was cut short")]
    Sealing { source: io::Error },
    #[error("what was opened could not be handed on")]
    Handing { source: io::Error },
    #[error("{what} is refused")]
    Refused { what: String, source: BrokenSeal },
    #[error("`{path}` does not belong in the vault")]
    Stray { path: PathBuf },
    #[error("cannot {doing} `{path}`")]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("the operating system gives no random bytes")]
    NoRandomness(#[source] getrandom::Error),
}

/// What is wrong with sealed bytes, as far as it can be told.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenSeal {
    #[error("it is cut: {size} bytes are left, the header alone has {}", seal::HEADER_BYTES)]
    CutHeader { size: usize },
    #[error("it does not begin as sealed bytes do")]
    NotSealed,
    #[error("it is sealed in format version {version}, this program opens version {}", seal::VERSION)]
    Version { version: u8 },
    #[error("it is sealed with suite {suite}, this program opens suite {}", seal::SUITE)]
    Suite { suite: u8 },
    #[error("it needs vault key `{needs}`, the key file has {have}: copy the key file from where it was rotated")]
    NoVaultKey { needs: KeyId, have: String },
    #[error("it is not the record key that was wrapped for `{owner}`: the row is damaged, or another's")]
    RecordKey { owner: String },
    #[error("it needs record key `{needs}`, and `{have}` is what is kept for it")]
    WrongKey { needs: KeyId, have: KeyId },
    #[error("its header was altered")]
    Header,
    #[error("it was sealed as {sealed_as}")]
    Relabelled { sealed_as: String },
    #[error("bytes {offset} to {} are asked for, it has {whole}", offset.saturating_add(*size))]
    Beyond { offset: u64, size: u64, whole: u64 },
    #[error("it has {size} bytes, at most {max} are opened")]
    TooLarge { size: u64, max: u64 },
    #[error("it is cut: {size} bytes are left of {whole}")]
    Cut { size: u64, whole: u64 },
    #[error("it was extended: it has {size} bytes, {whole} were sealed")]
    Extended { size: u64, whole: u64 },
    #[error("its chunks were reordered: chunk {chunk} of {n_chunks} stands in place {place}")]
    Reordered { chunk: u32, place: u32, n_chunks: u32 },
    #[error("its chunk {chunk} of {n_chunks} was altered")]
    Altered { chunk: u32, n_chunks: u32 },
}

fn refused(place: Place<'_>, source: BrokenSeal) -> VaultError {
    VaultError::Refused { what: place.to_string(), source }
}

fn unsealed(place: Place<'_>) -> impl FnOnce(Unsealed) -> VaultError {
    move |err| match err {
        Unsealed::Broken(source) => refused(place, source),
        Unsealed::Reading(err) => err,
    }
}

fn io_error(doing: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> VaultError {
    let path = path.to_owned();
    move |source| VaultError::Io { doing, path, source }
}

#[cfg(test)]
mod tests;

//! Sealed bytes: the files of the vault and the values in the database. `vault/format.md` is the specification.
//!
//! Nothing here is asynchronous: files are for `spawn_blocking`, values are small. Nothing here knows what it seals.

mod durable;
mod seal;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::keys::{KeyId, Keys};
pub(crate) use durable::{make_folder, remove, replace, write_new};
use seal::Place;

/// A staged file older than this is what a crash left; younger, it may be somebody's `put` under way.
const STAGED_SECONDS_MAX: u64 = 3600;

/// The folder of sealed files. Each is written once and never changed.
///
/// A file `id` lies in `xx/<id>.sealed`, where `xx` is the last byte of the id: the first bytes of a version 7 id are
/// the time, and would put a month of work into one folder. `new/` holds what is being written.
pub(crate) struct Vault {
    root: PathBuf,
    keys: Arc<Keys>,
}

impl Vault {
    /// Opens the vault in `root`, and makes it if only its parent is there. Clears away what crashed writers left.
    pub(crate) fn open(root: &Path, keys: Arc<Keys>) -> Result<Vault, VaultError> {
        let vault = Vault { root: root.to_owned(), keys };
        let staging = vault.staging();
        for folder in [root, &staging] {
            make_folder(folder).map_err(io_error("make folder", folder))?;
        }
        vault.clear_staging().map_err(io_error("clear", &staging))?;
        Ok(vault)
    }

    /// Seals `plain` as file `id` and returns the size of the sealed file. On return it is on the disk to stay;
    /// on error, or after a crash, there is no file `id`. Never overwrites: a file `id` that is there is an error.
    pub(crate) fn put(&self, id: Uuid, plain: &[u8]) -> Result<u64, VaultError> {
        let sealed = seal::seal(&self.keys, Place::File(id), plain)?;
        let folder = self.folder(id);
        make_folder(&folder).map_err(io_error("make folder", &folder))?;
        let target = self.path(id);
        write_new(&self.staging().join(id.to_string()), &target, &sealed).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => VaultError::Exists { id },
            _ => io_error("write", &target)(source),
        })?;
        Ok(sealed.len() as u64)
    }

    /// The bytes that were sealed as `id`, all of them or a refusal that says what is wrong with the file.
    pub(crate) fn get(&self, id: Uuid) -> Result<Vec<u8>, VaultError> {
        let sealed = self.read(id)?;
        seal::open(&self.keys, Place::File(id), &sealed).map_err(refused(Place::File(id)))
    }

    /// Removes file `id`, which no row names. MUST NOT be called for a file that a case was admitted with.
    pub(crate) fn remove(&self, id: Uuid) -> Result<(), VaultError> {
        let path = self.path(id);
        durable::remove(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => VaultError::Missing { id },
            _ => io_error("remove", &path)(source),
        })
    }

    /// Every file that is here whole, folder by folder; an error for each thing that does not belong here.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Result<Uuid, VaultError>> {
        self.strays()
            .into_iter()
            .chain((0..=u8::MAX).flat_map(|fan| self.ids_in(&self.root.join(format!("{fan:02x}")))))
    }

    fn ids_in(&self, folder: &Path) -> Vec<Result<Uuid, VaultError>> {
        let mut found: Vec<_> = list(folder)
            .into_iter()
            .map(|path| {
                let path = path?;
                let name =
                    path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".sealed"));
                match name.and_then(|name| Uuid::try_parse(name).ok()) {
                    Some(id) if self.path(id) == path => Ok(id),
                    _ => Err(VaultError::Stray { path }),
                }
            })
            .collect();
        found.sort_by_key(|id| id.as_ref().ok().copied());
        found
    }

    fn strays(&self) -> Vec<Result<Uuid, VaultError>> {
        let ours = |path: &Path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let fan = name.len() == 2 && name.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
            path.is_dir() && (fan || name == "new")
        };
        let outside = list(&self.root).into_iter().filter(|path| path.as_ref().map_or(true, |path| !ours(path)));
        outside.map(|path| Err(VaultError::Stray { path: path? })).collect()
    }

    /// No more is read than a sealed file can have, and only from a file: a pipe in its place would never end.
    fn read(&self, id: Uuid) -> Result<Vec<u8>, VaultError> {
        let path = self.path(id);
        let found = fs::symlink_metadata(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => VaultError::Missing { id },
            _ => io_error("read", &path)(source),
        })?;
        if !found.is_file() {
            return Err(VaultError::Stray { path });
        }
        if seal::SEALED_BYTES_MAX < found.len() {
            let too_large = BrokenSeal::TooLarge { size: found.len(), max: seal::SEALED_BYTES_MAX };
            return Err(refused(Place::File(id))(too_large));
        }
        let mut sealed = Vec::with_capacity(found.len() as usize);
        let file = File::open(&path).map_err(io_error("read", &path))?;
        file.take(seal::SEALED_BYTES_MAX + 1).read_to_end(&mut sealed).map_err(io_error("read", &path))?;
        Ok(sealed)
    }

    /// Other processes write here too: what is gone before it is looked at was put into its place.
    fn clear_staging(&self) -> io::Result<()> {
        let gone = |err: io::Error| if err.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(err) };
        for entry in fs::read_dir(self.staging())? {
            let entry = entry?;
            entry.metadata().and_then(|it| it.modified()).map_or_else(gone, |modified| {
                let age = modified.elapsed().unwrap_or_default();
                let left_over = Duration::from_secs(STAGED_SECONDS_MAX) < age;
                if left_over { durable::remove(&entry.path()).or_else(gone) } else { Ok(()) }
            })?;
        }
        Ok(())
    }

    fn staging(&self) -> PathBuf {
        self.root.join("new")
    }

    fn folder(&self, id: Uuid) -> PathBuf {
        let [.., last] = *id.as_bytes();
        self.root.join(format!("{last:02x}"))
    }

    fn path(&self, id: Uuid) -> PathBuf {
        self.folder(id).join(format!("{id}.sealed"))
    }
}

/// Seals a value that stays in the database. `context` says table, column and row; the value opens nowhere else.
pub(crate) fn seal_value(keys: &Keys, context: &str, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
    seal::seal(keys, Place::Value(context), plain)
}

/// Opens what [`seal_value`] sealed for the same `context`.
pub(crate) fn open_value(keys: &Keys, context: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
    seal::open(keys, Place::Value(context), sealed).map_err(refused(Place::Value(context)))
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
    #[error("it needs vault key `{needs}`, the key file has {have}")]
    WrongKey { needs: KeyId, have: String },
    #[error("its header was altered")]
    Header,
    #[error("it was sealed as {sealed_as}")]
    Relabelled { sealed_as: String },
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

fn refused(place: Place<'_>) -> impl FnOnce(BrokenSeal) -> VaultError {
    move |source| VaultError::Refused { what: place.to_string(), source }
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> VaultError {
    let path = path.to_owned();
    move |source| VaultError::Io { doing, path, source }
}

/// What is in `folder`; a folder that is not there has nothing in it.
fn list(folder: &Path) -> Vec<Result<PathBuf, VaultError>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry.map_err(io_error("list", folder))?.path())).collect(),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(source) => vec![Err(io_error("list", folder)(source))],
    }
}

#[cfg(test)]
mod tests;

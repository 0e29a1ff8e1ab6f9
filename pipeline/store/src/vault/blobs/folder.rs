//! Sealed files in a folder of this machine, or of one that is mounted here.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::super::{VaultError, durable, io_error};
use super::{Blob, Staged, Staging, id_of, relative};

/// `new/` holds what is being written; what is whole lies beside it. A file is put into its place by renaming it, and is
/// there to stay when its bytes, its new folder and the name of that folder are on the disk.
pub(crate) struct Folder {
    root: PathBuf,
    staging: Staging,
}

impl Folder {
    pub(super) fn open(root: &Path) -> Result<Folder, VaultError> {
        durable::make_folder(root).map_err(io_error("make folder", root))?;
        Ok(Folder { root: root.to_owned(), staging: Staging::open(root.join("new"))? })
    }

    pub(super) fn staging(&self) -> &Staging {
        &self.staging
    }

    pub(super) fn place(&self, staged: &Staged) -> Result<(), VaultError> {
        let target = self.path(staged.id);
        let placed = staged.file.sync_all().and_then(|()| {
            target.parent().map_or(Ok(()), durable::make_folder)?;
            durable::place_new(&staged.path, &target)
        });
        placed.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => VaultError::Exists { id: staged.id },
            _ => io_error("write", &target)(source),
        })
    }

    /// Only a file is opened: a pipe in its place would never end.
    pub(super) fn read(&self, id: Uuid) -> Result<Blob, VaultError> {
        let path = self.path(id);
        let found = fs::symlink_metadata(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => VaultError::Missing { id },
            _ => io_error("read", &path)(source),
        })?;
        if !found.is_file() {
            return Err(VaultError::Stray { path });
        }
        let opened = File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (size, file) = opened.map_err(io_error("read", &path))?;
        Ok(Blob::File { file, size, path })
    }

    pub(super) fn remove(&self, id: Uuid) -> Result<(), VaultError> {
        let path = self.path(id);
        durable::remove(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => VaultError::Missing { id },
            _ => io_error("remove", &path)(source),
        })
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = Result<Uuid, VaultError>> {
        let strays = list(&self.root).filter_map(|path| match path {
            Ok(path) if path.is_dir() && path.file_name().is_some_and(ours) => None,
            Ok(path) => Some(Err(VaultError::Stray { path })),
            Err(error) => Some(Err(error)),
        });
        strays.chain((0..=u8::MAX).flat_map(|fan| self.ids_in(&self.root.join(format!("{fan:02x}")))))
    }

    fn ids_in(&self, folder: &Path) -> impl Iterator<Item = Result<Uuid, VaultError>> + use<> {
        let (mut ids, mut strays) = (Vec::new(), Vec::new());
        for path in list(folder) {
            let name = path.as_ref().ok().and_then(|path| path.strip_prefix(&self.root).ok()?.to_str());
            match (name.and_then(id_of), path) {
                (Some(id), Ok(_)) => ids.push(id),
                (None, Ok(path)) => strays.push(VaultError::Stray { path }),
                (_, Err(error)) => strays.push(error),
            }
        }
        ids.sort_unstable();
        strays.into_iter().map(Err).chain(ids.into_iter().map(Ok))
    }

    fn path(&self, id: Uuid) -> PathBuf {
        self.root.join(relative(id))
    }
}

/// Is this the name of a folder that we make?
fn ours(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name == b"new" || name.len() == 2 && name.iter().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
}

/// What is in `folder`; a folder that is not there has nothing in it.
fn list(folder: &Path) -> impl Iterator<Item = Result<PathBuf, VaultError>> + use<> {
    let failed = |folder: &Path, source| Err(io_error("list", folder)(source));
    let (entries, broken) = match fs::read_dir(folder) {
        Ok(entries) => (Some(entries), None),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => (None, None),
        Err(source) => (None, Some(failed(folder, source))),
    };
    let folder = folder.to_owned();
    let entries = entries.into_iter().flatten();
    broken.into_iter().chain(entries.map(move |entry| entry.map(|it| it.path()).or_else(|err| failed(&folder, err))))
}

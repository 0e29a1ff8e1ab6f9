//! Files that are whole or not there, whenever the power goes.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Puts a staged file that is on the disk into its place; `AlreadyExists` if something is there: whoever holds the staging
/// name is the only one who may write the target, so that two writers of one target cannot both believe they made it.
pub(crate) fn place_new(staging: &Path, target: &Path) -> io::Result<()> {
    match fs::symlink_metadata(target) {
        Ok(_) => Err(io::Error::from(io::ErrorKind::AlreadyExists)),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => rename(staging, target),
        Err(error) => Err(error),
    }
}

/// Writes `bytes` as the file `target`, readable by its owner alone, by way of `staging` on the same file system, in the
/// place of a `target` that is there. `AlreadyExists` if `staging` is there.
pub(crate) fn replace(staging: &Path, target: &Path, bytes: &[u8]) -> io::Result<()> {
    stage(staging, bytes)?;
    unstage_on_error(staging, rename(staging, target))
}

/// Makes `folder`, entered by its owner alone, in a parent that exists; one that is there already is left as it is.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => sync_parent(folder),
        Err(exists) if exists.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Removes `file` and makes the removal last.
pub(crate) fn remove(file: &Path) -> io::Result<()> {
    fs::remove_file(file)?;
    sync_parent(file)
}

fn stage(staging: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(staging)?;
    unstage_on_error(staging, file.write_all(bytes).and_then(|()| file.sync_all()))
}

/// Gives a file another name, in the place of what has it, and makes that last.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_parent(to)
}

/// The first error is the one to tell; a staged file that cannot be removed either is met again as `AlreadyExists`.
fn unstage_on_error(staging: &Path, result: io::Result<()>) -> io::Result<()> {
    if result.is_err() {
        let _ = fs::remove_file(staging);
    }
    result
}

/// A new name is only on disk when its folder is.
fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

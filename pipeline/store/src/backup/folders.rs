//! The two folders of a backup: what lies in them, and in which order it comes to lie there. `format.md` §1.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use audit::TileFile;
use case::Timestamp;
use uuid::Uuid;

use super::snapshot::Reader;
use super::{BackupPlace, bad, failed, key_table};
use crate::publish::{lock, write_durably};
use crate::vault::RecordKey;
use crate::{Error, Keys, keys, vault};

const PREFIX: &str = "snapshot-";
const SNAPSHOT: &str = "sealed";
/// What is not whole yet.
const PART: &str = "part";
const DAY_MICROS: i64 = 86_400_000_000;

/// The folders of a backup that is being taken, and its files.
pub(super) struct Folders {
    dir: PathBuf,
    /// Key tables that were there before, each with the time in its name.
    older: Vec<(i64, PathBuf)>,
    pub(super) vault: PathBuf,
    pub(super) snapshot: PathBuf,
    pub(super) snapshot_part: PathBuf,
    pub(super) key_table: PathBuf,
    pub(super) key_table_part: PathBuf,
    /// One backup at a time goes into a folder.
    _alone: [File; 2],
}

impl Folders {
    /// Makes the folders, where their parents are there, and clears away what a backup left that did not end. Refuses folders
    /// with the backup of another installation, whose way back would be lost.
    pub(super) fn prepare(
        place: &BackupPlace,
        snapshot: Uuid,
        table: &str,
        ring: &Keys,
        house: &RecordKey,
    ) -> Result<Folders, Error> {
        for folder in [&place.dir, &place.keys] {
            vault::make_folder(folder).map_err(failed("make folder", folder))?;
        }
        let (dir, keys) = apart(place)?;
        let _alone = [alone(&dir)?, alone(&keys)?];
        let older = key_table::all(&keys)?;
        for (_, path) in &older {
            key_table::read(path, ring, |_, _| Ok(())).map_err(|err| stranger(err, &keys))?;
        }
        for (id, path) in snapshots(&dir)? {
            Reader::is_ours(&path, id, house).map_err(|err| stranger(err, &dir))?;
        }
        for folder in [&dir, &keys] {
            for child in fs::read_dir(folder).map_err(failed("read", folder))? {
                remove_part(&child.map_err(failed("read", folder))?.path())?;
            }
        }
        let vault = dir.join("vault");
        clear(&vault.join("new"))?;
        let snapshot = dir.join(snapshot_name(snapshot));
        let key_table = keys.join(table);
        Ok(Folders {
            vault,
            snapshot_part: snapshot.with_extension(PART),
            snapshot,
            key_table_part: key_table.with_extension(PART),
            key_table,
            older,
            dir,
            _alone,
        })
    }

    /// The published log, as far as it is not there yet: tiles never change, heads do.
    pub(super) fn copy_log(&self, published: &Path) -> Result<(), Error> {
        // Nobody publishes meanwhile.
        let _alone = lock(published)?;
        copy_tree(published, &self.dir.join("log"))
    }

    /// What two shares bring the key file back from.
    pub(super) fn copy_escrow(&self, escrow: Option<&Path>) -> Result<(), Error> {
        let Some(path) = escrow else { return Ok(()) };
        match fs::read(path) {
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(err) => Err(failed("read", path)(err)),
            Ok(bytes) => write_durably(&self.dir, &TileFile { path: "keys.escrow".to_owned(), bytes }),
        }
    }

    /// Makes the backup count, the snapshot last: a snapshot that is there has everything that it needs. Then older key tables
    /// go; gives back how many.
    pub(super) fn place(&self, now: Timestamp, keys_days: u32) -> Result<u64, Error> {
        for (part, whole) in [(&self.key_table_part, &self.key_table), (&self.snapshot_part, &self.snapshot)] {
            vault::place_new(part, whole).map_err(failed("write", whole))?;
        }
        let oldest = now.0.saturating_sub(DAY_MICROS.saturating_mul(keys_days.into()));
        let mut removed = 0;
        for (at, path) in &self.older {
            // One of a time to come, by a clock that was wrong, would stay for too long.
            if !(oldest..=now.0).contains(at) {
                keys::wipe(path).map_err(failed("remove", path))?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

impl Drop for Folders {
    /// What did not come to its place would be on no clock. What cannot be removed either is cleared away by the next backup.
    fn drop(&mut self) {
        for part in [&self.key_table_part, &key_table::whole(&self.key_table_part), &self.snapshot_part] {
            drop(remove_part(part));
        }
    }
}

/// Why this folder is not to be written to.
fn stranger(err: Error, folder: &Path) -> Error {
    let Error::BadBackup { file, why } = err else { return err };
    let what = format!(
        "`{}` has `{file}`, which is of another installation, or damaged ({why}): name another folder, or move that file away",
        folder.display()
    );
    Error::Unacceptable { what }
}

/// Removes what has the name of a snapshot or a key table that is not whole, and nothing else.
fn remove_part(path: &Path) -> Result<(), Error> {
    let name = file_name(path);
    let snapshot = name.strip_suffix(PART).is_some_and(|it| snapshot_id(&format!("{it}{SNAPSHOT}")).is_some());
    if !snapshot && !key_table::is_part(&name) {
        return Ok(());
    }
    let removed = match fs::symlink_metadata(path) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(other) => Err(other),
        // Under another name it is somebody else's file, into which no zeros go.
        Ok(found) if found.nlink() == 1 && !snapshot => keys::wipe(path),
        Ok(_) => vault::remove(path),
    };
    removed.map_err(failed("remove", path))
}

/// The folders as they really are. Whoever copies the one must not have the other.
pub(super) fn apart(place: &BackupPlace) -> Result<(PathBuf, PathBuf), Error> {
    let real = |folder: &Path| fs::canonicalize(folder).map_err(failed("look at", folder));
    let (dir, keys) = (real(&place.dir)?, real(&place.keys)?);
    if dir.starts_with(&keys) || keys.starts_with(&dir) {
        let what = format!(
            "`{}` and `{}` must not lie in each other: documents are kept long and their keys for days, and whoever copies the one folder must not have the other",
            dir.display(),
            keys.display()
        );
        return Err(Error::Unacceptable { what });
    }
    Ok((dir, keys))
}

/// The snapshot of this name.
pub(super) fn snapshot(dir: &Path, name: &str) -> Result<(Uuid, PathBuf), Error> {
    let half = name.strip_prefix(PREFIX).is_some_and(|it| it.strip_suffix(PART).is_some_and(|it| it.ends_with('.')));
    if half {
        return Err(bad(name, "it is half a snapshot: the backup that wrote it did not end"));
    }
    let snapshot = snapshot_id(name).ok_or_else(|| bad(name, "a snapshot is named snapshot-UUID.sealed"))?;
    let path = dir.join(name);
    match path.try_exists().map_err(failed("look at", &path))? {
        true => Ok((snapshot, path)),
        false => Err(Error::NoSuch { what: "snapshot", name: name.to_owned() }),
    }
}

/// All snapshots in `dir`, the newest last: their ids begin with the time.
pub(super) fn snapshots(dir: &Path) -> Result<Vec<(Uuid, PathBuf)>, Error> {
    let mut found = Vec::new();
    for child in fs::read_dir(dir).map_err(failed("read", dir))? {
        let path = child.map_err(failed("read", dir))?.path();
        found.extend(snapshot_id(&file_name(&path)).map(|id| (id, path)));
    }
    found.sort();
    Ok(found)
}

pub(super) fn snapshot_name(id: Uuid) -> String {
    format!("{PREFIX}{id}.{SNAPSHOT}")
}

fn snapshot_id(name: &str) -> Option<Uuid> {
    let id = name.strip_prefix(PREFIX)?.strip_suffix(SNAPSHOT)?.strip_suffix('.')?;
    Uuid::try_parse(id).ok().filter(|found| found.to_string() == id)
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Removes the files in the making from a staging folder: whoever comes here is alone.
pub(super) fn clear(staging: &Path) -> Result<(), Error> {
    let children = match fs::read_dir(staging) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(failed("read", staging))?,
    };
    for child in children {
        let path = child.map_err(failed("read", staging))?.path();
        if Uuid::try_parse(&file_name(&path)).is_ok() {
            fs::remove_file(&path).map_err(failed("remove", &path))?;
        }
    }
    Ok(())
}

/// Only files, and only what is whole.
pub(super) fn copy_tree(from: &Path, to: &Path) -> Result<(), Error> {
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        let folder = from.join(&below);
        for child in fs::read_dir(&folder).map_err(failed("read", &folder))? {
            let child = child.map_err(failed("read", &folder))?;
            let (path, below) = (child.path(), below.join(child.file_name()));
            let found = fs::symlink_metadata(&path).map_err(failed("look at", &path))?;
            let name = file_name(&path);
            if found.is_dir() {
                open.push(below);
            } else if found.is_file() && !name.starts_with('.') && !name.ends_with(".part") {
                let there = fs::symlink_metadata(to.join(&below)).is_ok_and(|it| it.len() == found.len());
                if there && name != "checkpoint" {
                    continue;
                }
                let bytes = fs::read(&path).map_err(failed("read", &path))?;
                write_durably(to, &TileFile { path: below.to_string_lossy().into_owned(), bytes })?;
            }
        }
    }
    Ok(())
}

fn alone(folder: &Path) -> Result<File, Error> {
    let path = folder.join(".lock");
    // Made new, it follows no link; there already, it must be a file, and keeps what it holds.
    let file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Err(exists) if exists.kind() == io::ErrorKind::AlreadyExists => {
            if !fs::symlink_metadata(&path).map_err(failed("look at", &path))?.is_file() {
                return Err(Error::Unacceptable { what: format!("`{}` is not a file: remove it", path.display()) });
            }
            OpenOptions::new().write(true).open(&path)
        }
        made => made,
    };
    let file = file.map_err(failed("lock", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Error::Unacceptable { what: format!("another backup is being written to `{}`", folder.display()) })
        }
        Err(TryLockError::Error(source)) => Err(failed("lock", &path)(source)),
    }
}

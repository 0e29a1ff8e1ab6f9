//! The two folders of a backup: what lies in them, and in which order it comes to lie there. `format.md` §1.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use audit::TileFile;
use case::Timestamp;
use uuid::Uuid;

use super::{BackupPlace, bad, failed, key_table};
use crate::publish::{lock, write_durably};
use crate::{Error, keys, vault};

const PREFIX: &str = "snapshot-";
const SNAPSHOT: &str = "sealed";
/// What is not whole yet.
const PART: &str = "part";
const DAY_MICROS: i64 = 86_400_000_000;

/// The folders of a backup that is being taken, and its files.
pub(super) struct Folders {
    dir: PathBuf,
    keys: PathBuf,
    pub(super) vault: PathBuf,
    pub(super) snapshot: PathBuf,
    pub(super) snapshot_part: PathBuf,
    pub(super) key_table: PathBuf,
    pub(super) key_table_part: PathBuf,
    /// One backup at a time goes into a folder.
    _alone: [File; 2],
}

impl Folders {
    /// Makes the folders, where their parents are there, and clears away what a backup left that did not end.
    pub(super) fn prepare(place: &BackupPlace, snapshot: Uuid, table: &str) -> Result<Folders, Error> {
        for folder in [&place.dir, &place.keys] {
            vault::make_folder(folder).map_err(failed("make folder", folder))?;
        }
        let (dir, keys) = apart(place)?;
        let _alone = [alone(&dir)?, alone(&keys)?];
        for folder in [&dir, &keys] {
            for child in fs::read_dir(folder).map_err(failed("read", folder))? {
                let path = child.map_err(failed("read", folder))?.path();
                if path.extension().is_some_and(|it| it == PART) {
                    keys::wipe(&path).map_err(failed("remove", &path))?;
                }
            }
        }
        let vault = dir.join("vault");
        clear(&vault.join("new"))?;
        let snapshot = dir.join(format!("{PREFIX}{snapshot}.{SNAPSHOT}"));
        let key_table = keys.join(table);
        Ok(Folders {
            vault,
            snapshot_part: snapshot.with_extension(PART),
            snapshot,
            key_table_part: key_table.with_extension(PART),
            key_table,
            dir,
            keys,
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
        for (at, path) in key_table::all(&self.keys)? {
            // One of a time to come, by a clock that was wrong, would stay for too long.
            if path != self.key_table && !(oldest..=now.0).contains(&at) {
                keys::wipe(&path).map_err(failed("remove", &path))?;
                removed += 1;
            }
        }
        Ok(removed)
    }
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

/// The newest snapshot in `dir`, or the one that is named.
pub(super) fn snapshot(dir: &Path, named: Option<&str>) -> Result<(Uuid, PathBuf), Error> {
    let id = |name: &str| {
        let id = name.strip_prefix(PREFIX)?.strip_suffix(SNAPSHOT)?.strip_suffix('.')?;
        Uuid::try_parse(id).ok().filter(|found| found.to_string() == id)
    };
    if let Some(name) = named {
        let half =
            name.strip_prefix(PREFIX).is_some_and(|it| it.strip_suffix(PART).is_some_and(|it| it.ends_with('.')));
        if half {
            return Err(bad(name, "it is half a snapshot: the backup that wrote it did not end"));
        }
        let snapshot = id(name).ok_or_else(|| bad(name, "a snapshot is named snapshot-UUID.sealed"))?;
        let path = dir.join(name);
        return match path.try_exists().map_err(failed("look at", &path))? {
            true => Ok((snapshot, path)),
            false => Err(Error::NoSuch { what: "snapshot", name: name.to_owned() }),
        };
    }
    let mut newest = None;
    for child in fs::read_dir(dir).map_err(failed("read", dir))? {
        let path = child.map_err(failed("read", dir))?.path();
        let Some(snapshot) = id(&file_name(&path)) else { continue };
        // Their ids begin with the time.
        if newest.as_ref().is_none_or(|(before, _)| *before < snapshot) {
            newest = Some((snapshot, path));
        }
    }
    newest.ok_or_else(|| Error::NoSuch { what: "whole snapshot in", name: dir.display().to_string() })
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Removes what is in a staging folder: whoever comes here is alone.
pub(super) fn clear(staging: &Path) -> Result<(), Error> {
    let children = match fs::read_dir(staging) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(failed("read", staging))?,
    };
    for child in children {
        let path = child.map_err(failed("read", staging))?.path();
        fs::remove_file(&path).map_err(failed("remove", &path))?;
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
    let file = File::create(&path).map_err(failed("lock", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Error::Unacceptable { what: format!("another backup is being written to `{}`", folder.display()) })
        }
        Err(TryLockError::Error(source)) => Err(failed("lock", &path)(source)),
    }
}

//! Where the key file lies, how it is read, and how another one takes its place: whole or not at all, whenever the power
//! goes. §6 of `vault/format.md`.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::sealed::{self, FRAME_BYTES_MAX, Lock, Sealing};
use super::{KEY_FILE_BYTES_MAX, KeyError};
use crate::vault::{make_folder, rename, replace};

/// A file that is replaced each time it is read is changed by somebody who does nothing else.
const READS_MAX: usize = 8;

/// Where the keys are kept, and what opens them.
#[derive(Clone, Debug)]
pub struct Custody {
    /// The folder of the key file: never inside the data folder. The last head that was signed is noted there too.
    pub folder: PathBuf,
    /// Where the copy that the shares open is kept: in the data folder, so that whoever has the data has it. None keeps none.
    pub escrow: Option<PathBuf>,
    /// What a sealed key file is opened with, and the next one sealed; None for a plain file.
    pub lock: Option<Arc<Lock>>,
}

impl From<PathBuf> for Custody {
    fn from(folder: PathBuf) -> Custody {
        Custody { folder, escrow: None, lock: None }
    }
}

impl From<&Path> for Custody {
    fn from(folder: &Path) -> Custody {
        folder.to_owned().into()
    }
}

impl From<&PathBuf> for Custody {
    fn from(folder: &PathBuf) -> Custody {
        folder.to_owned().into()
    }
}

impl From<&Custody> for Custody {
    fn from(custody: &Custody) -> Custody {
        custody.clone()
    }
}

/// What a key file in this folder is sealed with; None for a plain one. Nothing is proven by it.
pub fn sealing(folder: &Path) -> Result<Option<Sealing>, KeyError> {
    check_mode(folder, 0o700)?;
    let path = folder.join("keys.sealed");
    if !is_there(&path)? {
        return Ok(None);
    }
    sealed::sealing(&read_file(&path, KEY_FILE_BYTES_MAX + FRAME_BYTES_MAX)?).map(Some).map_err(not_sealed(&path))
}

/// Kept while keys are changed: by one process at a time.
pub(super) struct Changing(#[expect(dead_code, reason = "dropped, it lets the next one in")] File);

pub(super) struct EscrowCopy {
    pub(super) sealing: Sealing,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

impl Custody {
    fn plain_path(&self) -> PathBuf {
        self.folder.join("keys")
    }

    fn sealed_path(&self) -> PathBuf {
        self.folder.join("keys.sealed")
    }

    /// Where a plain file goes that no longer counts, until it is wiped.
    fn aside_path(&self) -> PathBuf {
        self.folder.join("keys.to-wipe")
    }

    /// The file that counts. Where both are there a change of the custodian was cut short, and both hold the same.
    pub(super) fn path(&self) -> Result<PathBuf, KeyError> {
        let sealed = self.sealed_path();
        Ok(if is_there(&sealed)? { sealed } else { self.plain_path() })
    }

    /// Whether a plain file lies beside the sealed one, which [`super::Keys::protect`] would have removed.
    pub fn laid_open(&self) -> Result<bool, KeyError> {
        Ok(is_there(&self.aside_path())? || is_there(&self.sealed_path())? && is_there(&self.plain_path())?)
    }

    /// The text of the key file. Refuses a folder or file that others may read.
    pub(super) fn read(&self) -> Result<Zeroizing<String>, KeyError> {
        check_mode(&self.folder, 0o700)?;
        let path = self.path()?;
        check_mode(&path, 0o600)?;
        let text = if path == self.plain_path() {
            read_file(&path, KEY_FILE_BYTES_MAX)?
        } else {
            let sealed = read_file(&path, KEY_FILE_BYTES_MAX + FRAME_BYTES_MAX)?;
            let sealing = sealed::sealing(&sealed).map_err(not_sealed(&path))?;
            match self.lock.as_deref() {
                None => return Err(KeyError::Closed { path, sealing }),
                Some(lock) if lock.sealing != sealing => return Err(KeyError::Moved { path, sealing }),
                Some(lock) => sealed::open(lock, &sealed).ok_or(KeyError::Shut { path: path.clone(), sealing })?,
            }
        };
        as_text(text).ok_or(KeyError::Malformed { path, line: 0, why: "it is not text" })
    }

    /// The same, with a lock only where the file is sealed now.
    pub(super) fn as_found(&self) -> Result<Custody, KeyError> {
        let plain = self.path()? == self.plain_path();
        Ok(Custody { lock: self.lock.clone().filter(|_| !plain), ..self.clone() })
    }

    /// Waits for nobody: another process that changes the keys is an error.
    pub(super) fn change(&self) -> Result<Changing, KeyError> {
        check_mode(&self.folder, 0o700)?;
        let folder = File::open(&self.folder).map_err(missing_or("open", &self.folder))?;
        match folder.try_lock() {
            Ok(()) => Ok(Changing(folder)),
            Err(TryLockError::WouldBlock) => Err(KeyError::Busy { path: self.folder.clone() }),
            Err(TryLockError::Error(source)) => Err(io_error("lock", &self.folder)(source)),
        }
    }

    /// Makes `text` the key file, in the form that this custody says, and takes the other form away. What was plain is written
    /// over once it counts no more: wherever this is cut short, a whole file counts.
    pub(super) fn write(&self, _changing: &Changing, text: &str) -> Result<(), KeyError> {
        let (plain, sealed, staging) = (self.plain_path(), self.sealed_path(), self.folder.join("keys.new"));
        let aside = self.aside_path();
        match self.lock.as_deref() {
            None => {
                put(&staging, &plain, text.as_bytes())?;
                // Zeros in its place would count as a sealed file.
                remove(&sealed).map_err(io_error("remove", &sealed))?;
            }
            Some(lock) => {
                put(&staging, &sealed, &sealed::seal(lock, text.as_bytes())?)?;
                if is_there(&plain)? {
                    wipe(&aside).and_then(|()| rename(&plain, &aside)).map_err(left(&plain))?;
                }
            }
        }
        wipe(&aside).map_err(left(&plain))
    }

    /// The same, for the copy that the shares open.
    pub(super) fn write_escrow(&self, _changing: &Changing, lock: &Lock, text: &str) -> Result<(), KeyError> {
        match &self.escrow {
            None => Ok(()),
            Some(path) => put(&path.with_extension("escrow.new"), path, &sealed::seal(lock, text.as_bytes())?),
        }
    }

    /// The copy that the shares open, as it is; None when it is not there, or none is kept.
    pub(super) fn read_escrow(&self) -> Result<Option<EscrowCopy>, KeyError> {
        let Some(path) = self.escrow.as_deref() else { return Ok(None) };
        if !is_there(path)? {
            return Ok(None);
        }
        let bytes = read_file(path, KEY_FILE_BYTES_MAX + FRAME_BYTES_MAX)?;
        Ok(Some(EscrowCopy { sealing: sealed::sealing(&bytes).map_err(not_sealed(path))?, bytes }))
    }

    /// Makes the folder if its parent is there, and refuses one that others may enter or that has keys.
    pub(super) fn prepare(&self) -> Result<Changing, KeyError> {
        make_folder(&self.folder).map_err(io_error("make folder", &self.folder))?;
        let changing = self.change()?;
        let path = self.path()?;
        if is_there(&path)? { Err(KeyError::Exists { path }) } else { Ok(changing) }
    }
}

/// What a crash left under the staging name is nobody's: whoever comes here holds the lock. What was replaced is written over:
/// there are keys in it that were retired, and a lock that was changed opens it.
fn put(staging: &Path, path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    wipe(staging).map_err(io_error("remove", staging))?;
    let before = to_be_wiped(path).map_err(io_error("write", path))?;
    replace(staging, path, bytes).map_err(io_error("write", path))?;
    before.map_or(Ok(()), zero).map_err(left(path))
}

/// Removes a file that may not be there, after zeros were written over it. A disk may keep what was there before all the same.
pub(crate) fn wipe(path: &Path) -> io::Result<()> {
    to_be_wiped(path)?.map_or(Ok(()), zero)?;
    remove(path)
}

/// The file as it is now, whatever takes its name; None where there is none to write zeros over.
fn to_be_wiped(path: &Path) -> io::Result<Option<File>> {
    let found = match fs::symlink_metadata(path) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    // Through a link, zeros would go into somebody else's file.
    if !found.is_file() {
        return Ok(None);
    }
    if found.permissions().mode() & 0o200 == 0 {
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
    }
    OpenOptions::new().write(true).open(path).map(Some)
}

fn zero(mut file: File) -> io::Result<()> {
    let size = file.metadata()?.len();
    io::copy(&mut io::repeat(0).take(size), &mut file)?;
    file.sync_all()
}

/// Removes a name that may not be there.
fn remove(path: &Path) -> io::Result<()> {
    match crate::vault::remove(path) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn is_there(path: &Path) -> Result<bool, KeyError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(io_error("look at", path)(source)),
    }
}

fn check_mode(path: &Path, must: u32) -> Result<(), KeyError> {
    let found = fs::metadata(path).map_err(missing_or("look at", path))?;
    let mode = found.permissions().mode() & 0o7777;
    if mode & !must & 0o777 != 0 { Err(KeyError::Exposed { path: path.to_owned(), mode, must }) } else { Ok(()) }
}

/// Only from a file: a pipe in its place would never end. What was replaced while it was read may have been zeros already,
/// and what took its place is read.
fn read_file(path: &Path, max: u64) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    for _ in 0..READS_MAX {
        let found = fs::metadata(path).map_err(missing_or("look at", path))?;
        if !found.is_file() {
            return Err(KeyError::Malformed { path: path.to_owned(), line: 0, why: "it is not a file" });
        }
        let size = found.len();
        if max < size {
            return Err(KeyError::TooLarge { path: path.to_owned(), size, max });
        }
        // With its whole size from the start it never moves, and leaves no copy behind that nobody wipes.
        let mut bytes = Zeroizing::new(Vec::with_capacity(max as usize + 1));
        let file = File::open(path).map_err(missing_or("read", path))?;
        let read =
            (&file).take(max).read_to_end(&mut bytes).and_then(|_| file.metadata()).map_err(io_error("read", path))?;
        let there = fs::metadata(path).map_err(missing_or("look at", path))?;
        if (read.dev(), read.ino()) == (there.dev(), there.ino()) {
            return Ok(bytes);
        }
    }
    Err(KeyError::Busy { path: path.to_owned() })
}

pub(super) fn as_text(mut bytes: Zeroizing<Vec<u8>>) -> Option<Zeroizing<String>> {
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Some(text.into()),
        Err(other) => {
            drop(Zeroizing::new(other.into_bytes()));
            None
        }
    }
}

pub(super) fn missing_or(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    let path = path.to_owned();
    move |source| match source.kind() {
        io::ErrorKind::NotFound => KeyError::Lost { path },
        _ => KeyError::Io { doing, path, source },
    }
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    let path = path.to_owned();
    move |source| KeyError::Io { doing, path, source }
}

fn left(path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    let path = path.to_owned();
    move |source| KeyError::Left { path, source }
}

fn not_sealed(path: &Path) -> impl FnOnce(String) -> KeyError {
    let path = path.to_owned();
    move |why| KeyError::NotSealed { path, why }
}

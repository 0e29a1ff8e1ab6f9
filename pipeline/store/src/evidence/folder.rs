//! The folder that evidence is written into: new, for nobody else to read, and with the digest of every file in it.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use case::Digest;
use sha2::{Digest as _, Sha256};

use crate::Error;

#[derive(Debug)]
pub(crate) struct Folder {
    dir: PathBuf,
    files: BTreeMap<String, Sha256>,
}

impl Folder {
    /// Refuses a folder with anything in it: evidence of two days must not be mixed.
    pub(crate) fn new(dir: &Path) -> Result<Folder, Error> {
        let failed = |doing| move |source| Error::Io { doing, path: dir.to_owned(), source };
        make(dir).map_err(failed("make folder"))?;
        if let Some(child) = fs::read_dir(dir).map_err(failed("read"))?.next() {
            let name = child.map_err(failed("read"))?.file_name();
            let what =
                format!("`{}` holds `{}` already: name a new or empty folder", dir.display(), name.to_string_lossy());
            return Err(Error::Unacceptable { what });
        }
        Ok(Folder { dir: dir.to_owned(), files: BTreeMap::new() })
    }

    /// Writes a new file, or more of one that was begun here. `path` has slashes.
    pub(crate) fn add(&mut self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        let file = self.dir.join(path);
        let failed = |doing| {
            let file = file.clone();
            move |source| Error::Io { doing, path: file, source }
        };
        let begun = self.files.contains_key(path);
        if !begun {
            make(file.parent().unwrap_or(&self.dir)).map_err(failed("make folder for"))?;
        }
        let mut open = OpenOptions::new();
        open.append(true).create_new(!begun).mode(0o600);
        open.open(&file).and_then(|mut file| file.write_all(bytes)).map_err(failed("write"))?;
        self.files.entry(path.to_owned()).or_default().update(bytes);
        Ok(())
    }

    /// SHA-256 of each file, by its path.
    pub(crate) fn digests(&self) -> BTreeMap<&str, Digest> {
        let digest = |sum: &Sha256| Digest(sum.clone().finalize().into());
        self.files.iter().map(|(path, sum)| (path.as_str(), digest(sum))).collect()
    }
}

fn make(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

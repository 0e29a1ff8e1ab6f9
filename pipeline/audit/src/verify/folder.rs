//! A log's folder, as hostile as whoever handed it over.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::{FaultKind, Stop};
use crate::Error;
use crate::note::HEAD_BYTES_MAX;
use crate::tiles::{ENTRIES_BYTES_MAX, Place, TILE_BYTES_MAX, bundle, tile_path};

/// Most heads, and most anchors, that a folder may hold.
pub(super) const HEADS_MAX: usize = 100_000;
const OPENINGS_BYTES_MAX: u64 = 16 << 30;
/// `tile/<level>`, at most six `x000`, `<n>.p`.
const DEPTH_MAX: usize = 9;

pub(super) struct Folder<'a> {
    dir: &'a Path,
}

impl<'a> Folder<'a> {
    pub(super) fn new(dir: &'a Path) -> Folder<'a> {
        Folder { dir }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The bytes of a file; None when there is none. A link, a device or more than `max` bytes is a fault.
    pub(super) fn read(&self, path: &str, max: u64) -> Result<Option<Vec<u8>>, Stop> {
        let mut bytes = Vec::new();
        Ok(self.read_into(path, max, &mut bytes)?.then_some(bytes))
    }

    /// As [`Folder::read`], into a buffer that is used again; false when there is no such file.
    pub(super) fn read_into(&self, path: &str, max: u64, bytes: &mut Vec<u8>) -> Result<bool, Stop> {
        let full = self.dir.join(path);
        let meta = match fs::symlink_metadata(&full) {
            Ok(meta) => meta,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(false),
            Err(source) => return Err(Stop::World(Error::Read { path: full, source })),
        };
        if !meta.is_file() {
            return Err(layout(format!("{path} is not a regular file")));
        }
        let size = meta.len();
        if max < size {
            return Err(layout(format!("{path} has {size} bytes, at most {max} are allowed")));
        }
        // One byte more than there should be: a file that ends where it said needs no second look.
        let room = size as usize + 1;
        bytes.resize(room, 0);
        let read = File::open(&full).and_then(|mut file| fill(&mut file, bytes, size as usize));
        let read = read.map_err(|source| Stop::World(Error::Read { path: full, source }))?;
        if read != size as usize {
            return Err(layout(format!("{path} does not have the {size} bytes that it had a moment ago")));
        }
        bytes.truncate(read);
        Ok(true)
    }

    /// A tile of hashes, which must be as long as `width` says.
    pub(super) fn read_tile(&self, level: u32, n: u64, width: u64, tile: &mut Vec<u8>) -> Result<(), Stop> {
        let path = tile_path(level, n, width);
        if !self.read_into(&path, TILE_BYTES_MAX, tile)? {
            return Err(layout(format!("{path} is missing")));
        }
        if tile.len() as u64 != 32 * width {
            return Err(layout(format!("{path} has {} bytes, {} are allowed", tile.len(), 32 * width)));
        }
        Ok(())
    }

    /// Names of the files in a folder that holds files only, sorted; empty when there is no such folder.
    pub(super) fn names(&self, path: &str) -> Result<Vec<String>, Stop> {
        let mut names = Vec::new();
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        self.each_child(path, &mut |name, child| {
            if !child.is_file || !name.chars().all(plain) || name.starts_with('.') {
                return Err(layout(format!("{path}/{name} is not a regular file with a plain name")));
            }
            if HEADS_MAX <= names.len() {
                return Err(layout(format!("{path} holds more than {HEADS_MAX} files")));
            }
            let size = child.bytes()?;
            if (HEAD_BYTES_MAX as u64) < size {
                return Err(layout(format!("{path}/{name} has {size} bytes, at most {HEAD_BYTES_MAX} are allowed")));
            }
            names.push(name.to_owned());
            Ok(())
        })?;
        names.sort();
        Ok(names)
    }

    /// Refuses everything that a log of `size` entries does not have. Returns how many partial tiles of earlier
    /// heads there are.
    pub(super) fn check_layout(&self, size: u64) -> Result<u64, Stop> {
        self.each_child("", &mut |name, child| {
            let (expected, max) = match name {
                "tile" | "checkpoints" | "anchors" => (child.is_dir, u64::MAX),
                "checkpoint" | "keys" | "README" | "README.md" | "README.txt" => (child.is_file, HEAD_BYTES_MAX as u64),
                "openings.jsonl" => (child.is_file, OPENINGS_BYTES_MAX),
                _ => (false, 0),
            };
            let size = child.bytes()?;
            match expected {
                true if max < size => Err(layout(format!("{name} has {size} bytes, at most {max} are allowed"))),
                true => Ok(()),
                false => Err(layout(format!("{name} has no place in the folder of a log"))),
            }
        })?;
        self.names("anchors")?;
        let mut superseded = 0;
        // What a tile holds is looked at when it is read, and each of them is.
        self.each_tile("tile", 0, &mut |path, place| {
            let width = place.width_at(size);
            if width < place.width {
                return Err(layout(format!("{path} goes beyond the {size} entries of the signed head")));
            }
            superseded += u64::from(place.width < width);
            Ok(())
        })?;
        Ok(superseded)
    }

    /// Compares the partial tiles of earlier heads with the tiles that took their place, which were found good.
    pub(super) fn compare_superseded(&self, size: u64) -> Result<(), Stop> {
        self.each_tile("tile", 0, &mut |path, place| {
            let width = place.width_at(size);
            if width <= place.width {
                return Ok(());
            }
            let max = if place.level.is_some() { TILE_BYTES_MAX } else { ENTRIES_BYTES_MAX };
            let old = self.read(path, max)?.unwrap_or_default();
            let new = self.read(&Place { width, ..place }.path(), max)?.unwrap_or_default();
            let first = place.n * 256;
            if let Some(level) = place.level {
                if old.len() as u64 != 32 * place.width {
                    return Err(layout(format!("{path} has {} bytes, {} are allowed", old.len(), 32 * place.width)));
                }
                if !new.starts_with(&old) {
                    let differs = old.chunks(32).zip(new.chunks(32)).position(|(old, new)| old != new).unwrap_or(0);
                    let text = format!("{path} differs from the tile that took its place");
                    let index = (first + differs as u64).checked_shl(8 * level).unwrap_or(0);
                    return Err(Stop::fault(FaultKind::Tile, Some(index), text));
                }
                return Ok(());
            }
            let (mut old, mut new) = (bundle(&old), bundle(&new));
            for at in first..first + place.width {
                match (old.next(), new.next()) {
                    (Some(Some(old)), Some(Some(new))) if old == new => (),
                    _ => return Err(edited_bundle(path, at)),
                }
            }
            if old.next().is_some() { Err(edited_bundle(path, first + place.width)) } else { Ok(()) }
        })
    }

    /// Which widths of this bundle are there; for saying what is missing.
    pub(super) fn widest_bundle(&self, n: u64) -> Result<u64, Stop> {
        for width in (1..=256).rev() {
            let path = Place { level: None, n, width }.path();
            if self.read(&path, ENTRIES_BYTES_MAX)?.is_some() {
                return Ok(width);
            }
        }
        Ok(0)
    }

    fn each_tile(
        &self,
        path: &str,
        depth: usize,
        each: &mut dyn FnMut(&str, Place) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.each_child(path, &mut |name, child| {
            let path = format!("{path}/{name}");
            if child.is_dir {
                let plain = |c: char| c.is_ascii_digit() || "x.p".contains(c);
                if DEPTH_MAX <= depth || !(name.chars().all(plain) || (depth == 0 && name == "entries")) {
                    return Err(layout(format!("{path} has no place among the tiles")));
                }
                return self.each_tile(&path, depth + 1, each);
            }
            match Place::parse(&path).filter(|_| child.is_file) {
                Some(place) => each(&path, place),
                None => Err(layout(format!("{path} is not a tile"))),
            }
        })
    }

    /// Calls `each` for what lies in a folder, one at a time: a folder may hold more names than fit in memory.
    fn each_child(&self, path: &str, each: &mut dyn FnMut(&str, &Child<'_>) -> Result<(), Stop>) -> Result<(), Stop> {
        let full = self.dir.join(path);
        let world = |path: PathBuf| move |source| Stop::World(Error::Read { path, source });
        match fs::symlink_metadata(&full) {
            Ok(meta) if meta.is_dir() || path.is_empty() => (),
            Ok(_) => return Err(layout(format!("{path} is not a folder"))),
            Err(error) if error.kind() == ErrorKind::NotFound && !path.is_empty() => return Ok(()),
            Err(source) => return Err(Stop::World(Error::Read { path: full, source })),
        }
        for child in fs::read_dir(&full).map_err(world(full.clone()))? {
            let child = child.map_err(world(full.clone()))?;
            // That of the link, not of what it points to.
            let kind = child.file_type().map_err(|source| world(child.path())(source))?;
            let name = child.file_name();
            let Some(name) = name.to_str() else {
                return Err(layout(format!("{path}/{} has an odd name", name.to_string_lossy())));
            };
            if kind.is_symlink() {
                return Err(layout(format!("{path}/{name} is a link")));
            }
            each(name, &Child { is_dir: kind.is_dir(), is_file: kind.is_file(), entry: &child })?;
        }
        Ok(())
    }
}

/// What lies in a folder.
struct Child<'a> {
    is_dir: bool,
    is_file: bool,
    entry: &'a fs::DirEntry,
}

impl Child<'_> {
    fn bytes(&self) -> Result<u64, Stop> {
        let meta = self.entry.metadata();
        meta.map(|meta| meta.len()).map_err(|source| Stop::World(Error::Read { path: self.entry.path(), source }))
    }
}

/// Reads until the room is full, or until a read ends where `size` says that the file does, or at its end.
fn fill(file: &mut File, room: &mut [u8], size: usize) -> Result<usize, std::io::Error> {
    let mut filled = 0;
    while let Some(rest) = room.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        if filled == size {
            break;
        }
    }
    Ok(filled)
}

pub(super) fn layout(text: String) -> Stop {
    Stop::fault(FaultKind::Layout, None, text)
}

fn edited_bundle(path: &str, index: u64) -> Stop {
    let text = format!("{path} differs at entry {index} from the bundle that took its place");
    Stop::fault(FaultKind::Edited, Some(index), text)
}

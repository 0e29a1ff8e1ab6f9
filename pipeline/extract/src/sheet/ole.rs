//! The container of Office files before 2007 and of encrypted ones since: sectors in chains ([MS-CFB]).
//!
//! INVARIANT (a chain ends): it is followed for no more sectors than the file has.

use std::collections::BTreeSet;

use super::records::Bytes;
use crate::Unreadable;

const WHAT: &str = "Office file";
pub(super) const MAGIC: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
const ENTRIES_MAX: usize = 10_000;
const STREAM_BYTES_MAX: u64 = 64 << 20;
/// Sector numbers from here on have a meaning of their own: free, end of a chain.
const SECTOR_MAX: u32 = 0xffff_fffa;
const NO_ENTRY: u32 = u32::MAX;

/// What an OLE file is.
#[derive(Debug, PartialEq)]
pub(crate) enum Form {
    Xls,
    Encrypted,
    Other(&'static str),
}

/// Told by the names of the streams at its root.
pub(crate) fn form(document: &[u8]) -> Result<Option<Form>, Unreadable> {
    let ole = Ole::open(document)?;
    let has = |name: &str| ole.entry(name).is_some();
    Ok(if has("EncryptedPackage") || has("EncryptionInfo") {
        Some(Form::Encrypted)
    } else if has("Workbook") {
        Some(Form::Xls)
    } else if has("Book") {
        Some(Form::Other("a workbook of before 1997; save it as XLSX"))
    } else if has("WordDocument") {
        Some(Form::Other("a text document of before 2007; save it as DOCX or PDF"))
    } else if has("PowerPoint Document") {
        Some(Form::Other("a presentation; save it as PDF"))
    } else if has("__properties_version1.0") {
        Some(Form::Other("a mail as Outlook keeps it; save it as EML, or save what is attached to it"))
    } else {
        None
    })
}

pub(super) struct Ole<'a> {
    document: &'a [u8],
    sector_bytes: usize,
    mini_sector_bytes: usize,
    mini_below_bytes: u64,
    next: Vec<u32>,
    next_mini: Vec<u32>,
    mini: Vec<u8>,
    entries: Vec<Entry>,
    at_root: BTreeSet<usize>,
}

struct Entry {
    name: String,
    kind: u8,
    left: u32,
    right: u32,
    child: u32,
    start: u32,
    size_bytes: u64,
}

fn broken(why: &str) -> Unreadable {
    Unreadable::Broken { what: WHAT, why: why.to_owned() }
}

impl<'a> Ole<'a> {
    pub(super) fn open(document: &'a [u8]) -> Result<Ole<'a>, Unreadable> {
        let number = |at: usize| Bytes(document.get(at..).unwrap_or_default()).u32();
        let short = |at: usize| Bytes(document.get(at..).unwrap_or_default()).u16();
        let head = || broken("its head is cut or wrong");
        let (shift, mini_shift) = (short(30).ok_or_else(head)?, short(32).ok_or_else(head)?);
        if !document.starts_with(MAGIC) || !matches!(shift, 9 | 12) || mini_shift != 6 {
            return Err(head());
        }
        let mut ole = Ole {
            document,
            sector_bytes: 1 << shift,
            mini_sector_bytes: 1 << mini_shift,
            mini_below_bytes: u64::from(number(56).ok_or_else(head)?),
            next: Vec::new(),
            next_mini: Vec::new(),
            mini: Vec::new(),
            entries: Vec::new(),
            at_root: BTreeSet::new(),
        };
        let n_sectors = document.len() / ole.sector_bytes;
        // The table of sectors lies in sectors too: the first 109 are named in the head, the others in a chain of lists.
        let mut tables: Vec<u32> = (0..109).filter_map(|idx| number(76 + 4 * idx)).collect();
        let mut list = number(68).ok_or_else(head)?;
        let mut n_lists = 0;
        while list < SECTOR_MAX {
            n_lists += 1;
            if n_sectors < n_lists {
                return Err(broken("its list of sectors runs in a circle"));
            }
            let mut numbers = ole.numbers(list)?;
            list = numbers.pop().unwrap_or(NO_ENTRY);
            tables.extend(numbers);
        }
        for table in tables.into_iter().filter(|it| *it < SECTOR_MAX) {
            if n_sectors < ole.next.len() {
                break;
            }
            let numbers = ole.numbers(table)?;
            ole.next.extend(numbers);
        }
        let directory = ole.chain(number(48).ok_or_else(head)?, None)?;
        ole.entries = directory.chunks_exact(128).take(ENTRIES_MAX).filter_map(entry).collect();
        let first_mini = number(60).ok_or_else(head)?;
        let minis = if first_mini < SECTOR_MAX { ole.chain(first_mini, None)? } else { Vec::new() };
        ole.next_mini = minis.as_chunks::<4>().0.iter().map(|it| u32::from_le_bytes(*it)).collect();
        let root = ole.entries.first().filter(|it| it.kind == 5).ok_or_else(|| broken("it has no root"))?;
        let (start, size_bytes, child) = (root.start, root.size_bytes, root.child);
        if start < SECTOR_MAX && 0 < size_bytes {
            ole.mini = ole.chain(start, Some(size_bytes))?;
        }
        ole.walk(child);
        Ok(ole)
    }

    /// A sector as numbers of sectors.
    fn numbers(&self, sector: u32) -> Result<Vec<u32>, Unreadable> {
        let bytes = self.sector(sector).ok_or_else(|| broken("a table of its sectors is not in the file"))?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|it| u32::from_le_bytes(*it)).collect())
    }

    /// The last sector of a file may be cut short.
    fn sector(&self, number: u32) -> Option<&'a [u8]> {
        let start = (number as usize).checked_add(1)?.checked_mul(self.sector_bytes)?;
        let end = start.checked_add(self.sector_bytes)?.min(self.document.len());
        self.document.get(start..end).filter(|it| !it.is_empty())
    }

    fn chain(&self, start: u32, size_bytes: Option<u64>) -> Result<Vec<u8>, Unreadable> {
        limit(size_bytes.unwrap_or(0))?;
        let n_sectors_max = self.document.len() / self.sector_bytes;
        let (mut bytes, mut sector, mut n_sectors) = (Vec::new(), start, 0);
        while sector < SECTOR_MAX {
            n_sectors += 1;
            if n_sectors_max < n_sectors {
                return Err(broken("a chain of its sectors runs in a circle"));
            }
            bytes.extend(self.sector(sector).ok_or_else(|| broken("a sector is not in the file"))?);
            if size_bytes.is_some_and(|it| it <= bytes.len() as u64) {
                break;
            }
            sector = self.next.get(sector as usize).copied().unwrap_or(NO_ENTRY);
        }
        cut(bytes, size_bytes)
    }

    fn mini_chain(&self, start: u32, size_bytes: u64) -> Result<Vec<u8>, Unreadable> {
        let n_sectors_max = self.mini.len() / self.mini_sector_bytes + 1;
        let (mut bytes, mut sector, mut n_sectors) = (Vec::new(), start, 0);
        while sector < SECTOR_MAX && (bytes.len() as u64) < size_bytes {
            n_sectors += 1;
            if n_sectors_max < n_sectors {
                return Err(broken("a chain of its sectors runs in a circle"));
            }
            let at = sector as usize * self.mini_sector_bytes;
            let end = (at + self.mini_sector_bytes).min(self.mini.len());
            bytes.extend(self.mini.get(at..end).ok_or_else(|| broken("a sector is not in the file"))?);
            sector = self.next_mini.get(sector as usize).copied().unwrap_or(NO_ENTRY);
        }
        cut(bytes, Some(size_bytes))
    }

    /// Marks the brothers of an entry. They form a tree, which a hostile hand may close to a circle.
    fn walk(&mut self, first: u32) {
        let mut open = vec![first];
        while let Some(idx) = open.pop() {
            let Some(entry) = self.entries.get(idx as usize) else { continue };
            if self.at_root.insert(idx as usize) {
                open.extend([entry.left, entry.right]);
            }
        }
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.at_root
            .iter()
            .filter_map(|idx| self.entries.get(*idx))
            .find(|it| it.name.eq_ignore_ascii_case(name) && it.kind == 2)
    }

    /// The bytes of a stream at the root.
    pub(super) fn stream(&self, name: &str) -> Result<Option<Vec<u8>>, Unreadable> {
        let Some(entry) = self.entry(name) else { return Ok(None) };
        let Entry { start, size_bytes, .. } = entry;
        limit(*size_bytes)?;
        let bytes = if *size_bytes < self.mini_below_bytes {
            self.mini_chain(*start, *size_bytes)?
        } else {
            self.chain(*start, Some(*size_bytes))?
        };
        Ok(Some(bytes))
    }
}

fn limit(size_bytes: u64) -> Result<(), Unreadable> {
    if STREAM_BYTES_MAX < size_bytes {
        return Err(Unreadable::TooMuch { what: "bytes in one stream", count: size_bytes, max: STREAM_BYTES_MAX });
    }
    Ok(())
}

fn cut(mut bytes: Vec<u8>, size_bytes: Option<u64>) -> Result<Vec<u8>, Unreadable> {
    if let Some(size) = size_bytes {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if bytes.len() < size {
            return Err(broken("a stream is shorter than it says"));
        }
        bytes.truncate(size);
    }
    Ok(bytes)
}

fn entry(raw: &[u8]) -> Option<Entry> {
    let at = |at: usize| raw.get(at..).map(Bytes);
    let name_bytes = at(64)?.u16()?.min(64);
    let n_units = usize::from(name_bytes / 2).saturating_sub(1);
    Some(Entry {
        name: at(0)?.utf16(n_units)?,
        kind: at(66)?.u8()?,
        left: at(68)?.u32()?,
        right: at(72)?.u32()?,
        child: at(76)?.u32()?,
        start: at(116)?.u32()?,
        // The upper half has rubbish in files of the first version, whose streams are below 2 GiB.
        size_bytes: u64::from(at(120)?.u32()?),
    })
}

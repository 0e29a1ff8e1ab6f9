//! The file of a snapshot: lots, each sealed for its place in this one file. Written and read in flat memory, and nothing of
//! it is ever on a disk in the clear. `format.md` §2 is the specification.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use case::CaseId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::tables::{SCHEMA, TABLES, Table};
use super::{bad, failed};
use crate::db::{Cell, Row};
use crate::vault::{RecordKey, open_value, seal_value};
use crate::{Error, causes};

const MAGIC: [u8; 11] = *b"CSGN-BACK\n\x01";
/// A sealed lot: 1 MiB, and one row more, which may hold what was read from a large document, or policy texts.
const LOT_BYTES_MAX: usize = 64 << 20;
/// Files that are named in one lot.
const FILES_AT_ONCE: usize = 4_096;

/// What a snapshot says of itself, in its first lot.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Opening {
    pub(super) snapshot: Uuid,
    /// Microseconds since 1970.
    pub(super) taken_at: i64,
    pub(super) program: String,
    pub(super) schema: i64,
    pub(super) head: LogEnd,
    /// The newest signed head, as a note.
    pub(super) note: Option<String>,
    pub(super) tables: Vec<(String, Vec<String>)>,
}

/// Where the log ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogEnd {
    pub(super) origin: String,
    pub(super) size: u64,
    /// In hexadecimal digits.
    pub(super) root: String,
}

/// What a snapshot has in all, in its last lot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Closing {
    /// In the order of the tables.
    pub(super) rows: Vec<u64>,
    pub(super) files: u64,
    /// Cases that were not erased and could not be opened all the same: what of the vault is theirs is not known.
    pub(super) closed: Vec<CaseId>,
}

/// A sealed file of the vault, and the case that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) file: Uuid,
    pub(super) case: Uuid,
}

pub(super) enum Lot {
    Rows(usize, Vec<Row>),
    Files(Vec<Named>),
}

impl Closing {
    fn none() -> Closing {
        Closing { rows: vec![0; TABLES.len()], files: 0, closed: Vec::new() }
    }
}

impl Opening {
    pub(super) fn tables() -> Vec<(String, Vec<String>)> {
        let columns = |table: &Table| table.columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        TABLES.iter().map(|table| (table.name.to_owned(), columns(table))).collect()
    }
}

pub(super) struct Writer {
    path: PathBuf,
    out: BufWriter<File>,
    key: RecordKey,
    snapshot: Uuid,
    n_lots: u64,
    counted: Closing,
    files: Vec<Named>,
}

impl Writer {
    pub(super) fn create(path: &Path, key: &RecordKey, opening: &Opening) -> Result<Writer, Error> {
        let file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed("write", path))?;
        let mut writer = Writer {
            path: path.to_owned(),
            out: BufWriter::new(file),
            key: key.clone(),
            snapshot: opening.snapshot,
            n_lots: 0,
            counted: Closing::none(),
            files: Vec::new(),
        };
        writer.write(&MAGIC)?;
        writer.write(opening.snapshot.as_bytes())?;
        writer.json(b'O', opening)?;
        Ok(writer)
    }

    pub(super) fn rows(&mut self, table: usize, rows: &[Row]) -> Result<(), Error> {
        let mut plain = vec![b'R', table as u8];
        for cell in rows.iter().flat_map(|row| &row.0) {
            let (tag, bytes) = match cell {
                Cell::Null => {
                    plain.push(b'0');
                    continue;
                }
                Cell::Int(number) => {
                    plain.push(b'i');
                    plain.extend_from_slice(&number.to_be_bytes());
                    continue;
                }
                Cell::Text(text) => (b't', text.as_bytes()),
                Cell::Bytes(bytes) => (b'b', bytes.as_slice()),
            };
            plain.push(tag);
            plain.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
            plain.extend_from_slice(bytes);
        }
        if let Some(counted) = self.counted.rows.get_mut(table) {
            *counted += rows.len() as u64;
        }
        self.lot(&plain)
    }

    pub(super) fn file(&mut self, named: Named) -> Result<(), Error> {
        self.files.push(named);
        if FILES_AT_ONCE <= self.files.len() { self.write_files() } else { Ok(()) }
    }

    fn write_files(&mut self) -> Result<(), Error> {
        let mut plain = vec![b'F'];
        for named in self.files.drain(..) {
            plain.extend_from_slice(named.file.as_bytes());
            plain.extend_from_slice(named.case.as_bytes());
            self.counted.files += 1;
        }
        self.lot(&plain)
    }

    /// MUST be called: without its end it is half a snapshot, which is refused.
    pub(super) fn finish(mut self, closed: Vec<CaseId>) -> Result<Closing, Error> {
        self.write_files()?;
        let closing = Closing { closed, ..self.counted.clone() };
        self.json(b'C', &closing)?;
        let synced = self.out.flush().and_then(|()| self.out.get_ref().sync_all());
        synced.map_err(failed("write", &self.path))?;
        Ok(closing)
    }

    fn json(&mut self, kind: u8, value: &impl Serialize) -> Result<(), Error> {
        let mut plain = vec![kind];
        serde_json::to_writer(&mut plain, value).map_err(|err| Error::json("the snapshot", &err))?;
        self.lot(&plain)
    }

    fn lot(&mut self, plain: &[u8]) -> Result<(), Error> {
        let sealed = seal_value(&self.key, &context(self.snapshot, self.n_lots), plain)?;
        if LOT_BYTES_MAX < sealed.len() {
            return Err(Error::TooLarge { what: "bytes of a row", size: sealed.len(), max: LOT_BYTES_MAX });
        }
        self.n_lots += 1;
        self.write(&(sealed.len() as u32).to_be_bytes())?;
        self.write(&sealed)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.out.write_all(bytes).map_err(failed("write", &self.path))
    }
}

pub(super) struct Reader {
    path: PathBuf,
    name: String,
    input: BufReader<File>,
    key: RecordKey,
    pub(super) opening: Opening,
    n_lots: u64,
    counted: Closing,
    ended: bool,
}

impl Reader {
    /// Opens a snapshot by what it says of itself. `snapshot` is the id that its name has.
    pub(super) fn open(path: &Path, snapshot: Uuid, key: &RecordKey) -> Result<Reader, Error> {
        let (mut reader, plain) = Reader::begin(path, snapshot, key)?;
        let Some((b'O', json)) = plain.split_first() else { return Err(reader.bad("it does not say what it is")) };
        let opening: Opening =
            serde_json::from_slice(json).map_err(|err| reader.bad(format!("it does not say what it is: {err}")))?;
        if opening.schema != SCHEMA || opening.tables != Opening::tables() {
            return Err(reader.bad(format!(
                "it is of a database of version {}, and this program has version {SCHEMA}: restore it with countersign {}, and go on from there",
                opening.schema, opening.program
            )));
        }
        reader.opening = opening;
        Ok(reader)
    }

    /// Refuses a snapshot that was not sealed with this key; of which version its database is does not matter.
    pub(super) fn is_ours(path: &Path, snapshot: Uuid, key: &RecordKey) -> Result<(), Error> {
        Reader::begin(path, snapshot, key).map(drop)
    }

    /// With the first lot, whatever it says.
    fn begin(path: &Path, snapshot: Uuid, key: &RecordKey) -> Result<(Reader, Vec<u8>), Error> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let file = File::open(path).map_err(failed("read", path))?;
        if !file.metadata().map_err(failed("read", path))?.is_file() {
            return Err(bad(&name, "it is not a file"));
        }
        let opening = Opening {
            snapshot,
            taken_at: 0,
            program: String::new(),
            schema: SCHEMA,
            head: LogEnd { origin: String::new(), size: 0, root: String::new() },
            note: None,
            tables: Vec::new(),
        };
        let mut reader = Reader {
            path: path.to_owned(),
            name,
            input: BufReader::new(file),
            key: key.clone(),
            opening,
            n_lots: 0,
            counted: Closing::none(),
            ended: false,
        };
        let mut begins = [0; MAGIC.len() + 16];
        reader.fill(&mut begins)?;
        let (magic, id) = begins.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(reader.bad("it does not begin as a snapshot of version 1 does"));
        }
        if id != snapshot.as_bytes() {
            return Err(reader.bad("it is another snapshot under this one's name"));
        }
        let plain = reader.plain()?;
        Ok((reader, plain))
    }

    /// The next lot; None after the last, when all that was written was read.
    pub(super) fn next(&mut self) -> Result<Option<Lot>, Error> {
        if self.ended {
            return Ok(None);
        }
        let plain = self.plain()?;
        let Some((kind, body)) = plain.split_first() else { return Err(self.bad("it has an empty lot")) };
        match kind {
            b'R' => {
                let Some((table, body)) = body.split_first() else { return Err(self.bad("it has rows of no table")) };
                let idx = usize::from(*table);
                let Some(table) = TABLES.get(idx) else { return Err(self.bad("it has rows of an unknown table")) };
                let rows = rows(table, body).ok_or_else(|| self.bad("its rows are not as they are written"))?;
                if let Some(counted) = self.counted.rows.get_mut(idx) {
                    *counted += rows.len() as u64;
                }
                Ok(Some(Lot::Rows(idx, rows)))
            }
            b'F' => {
                let (ids, rest) = body.as_chunks::<16>();
                let (pairs, odd) = ids.as_chunks::<2>();
                if !rest.is_empty() || !odd.is_empty() {
                    return Err(self.bad("its files are not as they are written"));
                }
                let named = |[file, case]: &[[u8; 16]; 2]| Named {
                    file: Uuid::from_bytes(*file),
                    case: Uuid::from_bytes(*case),
                };
                self.counted.files += pairs.len() as u64;
                Ok(Some(Lot::Files(pairs.iter().map(named).collect())))
            }
            b'C' => {
                let closing: Closing =
                    serde_json::from_slice(body).map_err(|err| self.bad(format!("its end says nothing: {err}")))?;
                self.counted.closed.clone_from(&closing.closed);
                if closing != self.counted {
                    return Err(self.bad("it has not as many rows as its end says"));
                }
                if self.input.read(&mut [0]).map_err(failed("read", &self.path))? != 0 {
                    return Err(self.bad("it was extended"));
                }
                self.ended = true;
                Ok(None)
            }
            _ => Err(self.bad("it has a lot of an unknown kind")),
        }
    }

    pub(super) fn counted(&self) -> &Closing {
        &self.counted
    }

    fn plain(&mut self) -> Result<Vec<u8>, Error> {
        let mut size = [0; 4];
        self.fill(&mut size)?;
        let size = u32::from_be_bytes(size) as usize;
        if LOT_BYTES_MAX < size {
            return Err(self.bad(format!("a lot has {size} bytes, at most {LOT_BYTES_MAX} are read: it was altered")));
        }
        let mut sealed = Vec::new();
        // Grows as the bytes come: a size that was altered asks for no memory.
        let read = (&mut self.input).take(size as u64).read_to_end(&mut sealed).map_err(failed("read", &self.path))?;
        if read < size {
            return Err(self.bad("it is cut: the backup that wrote it did not end, or a part of it is lost"));
        }
        let plain = open_value(&self.key, &context(self.opening.snapshot, self.n_lots), &sealed);
        self.n_lots += 1;
        plain.map_err(|err| self.bad(causes(&err)))
    }

    fn fill(&mut self, to: &mut [u8]) -> Result<(), Error> {
        self.input.read_exact(to).map_err(|err| match err.kind() {
            std::io::ErrorKind::UnexpectedEof => {
                self.bad("it is cut: the backup that wrote it did not end, or a part of it is lost")
            }
            _ => failed("read", &self.path)(err),
        })
    }

    fn bad(&self, why: impl Into<String>) -> Error {
        bad(&self.name, why)
    }
}

/// A lot opens in its own place in its own snapshot, and nowhere else.
fn context(snapshot: Uuid, lot: u64) -> String {
    format!("backup/{snapshot}/{lot}")
}

fn rows(table: &Table, mut body: &[u8]) -> Option<Vec<Row>> {
    let mut rows = Vec::new();
    while !body.is_empty() {
        let mut cells = Vec::with_capacity(table.columns.len());
        for _ in table.columns {
            let (tag, rest) = body.split_first()?;
            body = rest;
            let cell = match tag {
                b'0' => Cell::Null,
                b'i' => {
                    let (number, rest) = body.split_first_chunk()?;
                    body = rest;
                    Cell::Int(i64::from_be_bytes(*number))
                }
                b't' | b'b' => {
                    let (size, rest) = body.split_first_chunk()?;
                    let (bytes, rest) = rest.split_at_checked(u32::from_be_bytes(*size) as usize)?;
                    body = rest;
                    if *tag == b't' {
                        Cell::Text(str::from_utf8(bytes).ok()?.to_owned())
                    } else {
                        Cell::Bytes(bytes.to_vec())
                    }
                }
                _ => return None,
            };
            cells.push(cell);
        }
        rows.push(Row(cells));
    }
    Some(rows)
}

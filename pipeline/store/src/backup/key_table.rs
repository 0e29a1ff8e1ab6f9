//! A copy of the key table, in a file of its own. `format.md` §3 is the specification.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use case::{CaseId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::snapshot::LogEnd;
use super::{bad, failed};
use crate::vault::record::WRAPPED_BYTES;
use crate::{Error, KeyId, Keys};

const FIRST_LINE: &str = "countersign key table 1\n";
const PREFIX: &str = "key-table-";
/// Before the id of a case that did not open when the table was copied.
const CLOSED: &str = "closed ";
/// A row has 190 bytes; what the second line says, some hundred.
const LINE_BYTES_MAX: u64 = 4 << 10;

/// What the copy says of itself, in its second line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Told {
    /// What it was copied with.
    pub(super) snapshot: Uuid,
    pub(super) taken_at: i64,
    pub(super) head: LogEnd,
    /// Cases that were not erased and did not open all the same, which is known when all rows were looked at: their lines come
    /// after the rows.
    #[serde(skip)]
    pub(super) closed: BTreeSet<CaseId>,
}

pub(super) struct Writer {
    path: PathBuf,
    out: BufWriter<File>,
    digest: Sha256,
    pub(super) n_rows: u64,
}

impl Writer {
    pub(super) fn create(path: &Path, told: &Told) -> Result<Writer, Error> {
        let file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed("write", path))?;
        let mut writer = Writer { path: path.to_owned(), out: BufWriter::new(file), digest: Sha256::new(), n_rows: 0 };
        let told = serde_json::to_string(told).map_err(|err| Error::json("the key table", &err))?;
        writer.line(FIRST_LINE)?;
        writer.line(&format!("{told}\n"))?;
        Ok(writer)
    }

    pub(super) fn row(&mut self, owner: &str, body: &[u8]) -> Result<(), Error> {
        self.n_rows += 1;
        self.line(&format!("{owner}:{}\n", hex(body)))
    }

    pub(super) fn finish<'a>(
        mut self,
        keys: &Keys,
        closed: impl IntoIterator<Item = &'a CaseId>,
    ) -> Result<u64, Error> {
        for case in closed {
            self.line(&format!("{CLOSED}{case}\n"))?;
        }
        let code = hex(&code(keys, std::mem::take(&mut self.digest)));
        self.line(&format!("code {code}\n"))?;
        let synced = self.out.flush().and_then(|()| self.out.get_ref().sync_all());
        synced.map_err(failed("write", &self.path))?;
        Ok(self.n_rows)
    }

    fn line(&mut self, line: &str) -> Result<(), Error> {
        self.digest.update(line);
        self.out.write_all(line.as_bytes()).map_err(failed("write", &self.path))
    }
}

/// Reads a copy and gives each row to `each`. What was given out is only proven when this returns.
pub(super) fn read(
    path: &Path,
    keys: &Keys,
    mut each: impl FnMut(&str, [u8; WRAPPED_BYTES]) -> Result<(), Error>,
) -> Result<Told, Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let cut = || bad(&name, "it is cut: the backup that wrote it did not end, or a part of it is lost");
    let file = File::open(path).map_err(failed("read", path))?;
    let mut input = BufReader::new(file);
    let mut next = |line: &mut String| -> Result<(), Error> {
        line.clear();
        match (&mut input).take(LINE_BYTES_MAX).read_line(line) {
            Ok(_) if line.ends_with('\n') => Ok(()),
            Ok(_) => Err(cut()),
            Err(err) if err.kind() == std::io::ErrorKind::InvalidData => Err(bad(&name, "it was altered")),
            Err(err) => Err(failed("read", path)(err)),
        }
    };
    let (mut digest, mut line) = (Sha256::new(), String::new());
    next(&mut line)?;
    if line != FIRST_LINE {
        return Err(bad(&name, "it does not begin as a key table of version 1 does"));
    }
    digest.update(&line);
    next(&mut line)?;
    digest.update(&line);
    let mut told: Told =
        serde_json::from_str(&line).map_err(|_| bad(&name, "it was altered: it does not say what it is"))?;
    loop {
        next(&mut line)?;
        let text = line.trim_end_matches('\n');
        if let Some(found) = text.strip_prefix("code ") {
            let expected = code(keys, digest);
            let found: Option<[u8; 32]> = from_hex(found);
            // Not compared as secrets are: whoever has the file has the code.
            if found != Some(expected) {
                return Err(bad(&name, "it was altered, or is the key table of another installation"));
            }
            if !matches!(input.fill_buf(), Ok([])) {
                return Err(bad(&name, "it was extended"));
            }
            return Ok(told);
        }
        digest.update(&line);
        if let Some(case) = text.strip_prefix(CLOSED) {
            told.closed.insert(case.parse().map_err(|_| bad(&name, "it was altered: a line names no case"))?);
            continue;
        }
        let row = text.split_once(':').and_then(|(owner, body)| Some((owner, from_hex(body)?)));
        let (owner, body) = row.ok_or_else(|| bad(&name, "it was altered: a line is no row"))?;
        each(owner, body)?;
    }
}

/// Makes the copy at `path` fit what is there now: writes it anew where it has rows of cases that are not among `kept`, which
/// is sorted, and gives back which. Refuses it where a row that stays would not open with these keys.
pub(super) fn settle(path: &Path, keys: &Keys, kept: &[Uuid]) -> Result<HashSet<Uuid>, Error> {
    let gone = |owner: &str| Uuid::try_parse(owner).ok().filter(|id| kept.binary_search(id).is_err());
    let mut erased = HashSet::new();
    let told = read(path, keys, |owner, body| {
        if let Some(id) = gone(owner) {
            erased.insert(id);
            return Ok(());
        }
        let by = wrapped_by(&body);
        if keys.find(by).is_none() {
            let what = format!(
                "the vault key `{by}` was retired while the backup was taken, and keys that were copied before need it: take the backup again"
            );
            return Err(Error::Unacceptable { what });
        }
        Ok(())
    })?;
    if erased.is_empty() {
        return Ok(erased);
    }
    let whole = whole(path);
    fs::rename(path, &whole).map_err(failed("rename", path))?;
    let mut writer = Writer::create(path, &told)?;
    read(&whole, keys, |owner, body| if gone(owner).is_some() { Ok(()) } else { writer.row(owner, &body) })?;
    writer.finish(keys, &told.closed)?;
    crate::keys::wipe(&whole).map_err(failed("remove", &whole))?;
    Ok(erased)
}

/// What a copy is called while it is written anew.
pub(super) fn whole(part: &Path) -> PathBuf {
    part.with_extension("whole.part")
}

/// The vault key that a record key is wrapped by.
pub(super) fn wrapped_by(body: &[u8; WRAPPED_BYTES]) -> KeyId {
    KeyId(*body.get(8..).and_then(|rest| rest.first_chunk()).unwrap_or(&[0; 8]))
}

/// Is this the name of a copy that is not whole yet?
pub(super) fn is_part(name: &str) -> bool {
    let at = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(".part"));
    at.is_some_and(|at| time(at.strip_suffix(".whole").unwrap_or(at)).is_some())
}

pub(super) fn name(at: Timestamp) -> String {
    let text: String = at.to_string().chars().filter(|letter| !matches!(letter, '-' | ':' | '.')).collect();
    format!("{PREFIX}{text}")
}

/// The copies in `folder`, the newest last, each with the time in its name, to the second.
pub(super) fn all(folder: &Path) -> Result<Vec<(i64, PathBuf)>, Error> {
    let mut found = Vec::new();
    for child in fs::read_dir(folder).map_err(failed("read", folder))? {
        let path = child.map_err(failed("read", folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(at) = name.strip_prefix(PREFIX).and_then(time) {
            found.push((name, at, path));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, at, path)| (at, path)).collect())
}

/// Of `20260310T080000000000Z`, in microseconds since 1970.
fn time(text: &str) -> Option<i64> {
    let whole = text.get(..15)?;
    if text.len() != 22 || !text.ends_with('Z') {
        return None;
    }
    let at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%S", whole).ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_microsecond())
}

fn code(keys: &Keys, digest: Sha256) -> [u8; 32] {
    keys.blind("key-table", &hex(&digest.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() || pairs.iter().flatten().any(u8::is_ascii_uppercase) {
        return None;
    }
    let digit = |letter: u8| char::from(letter).to_digit(16).map(|digit| digit as u8);
    let bytes: Vec<u8> =
        pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect::<Option<_>>()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_key_table_without_some_of_its_rows_is_whole_and_leaves_no_other_behind() {
        let dir = tempfile::tempdir().unwrap();
        let keys = Keys::create(dir.path().join("keys")).unwrap();
        let head = LogEnd { origin: "audit.test.example/tests/1".into(), size: 7, root: "00".into() };
        let closed = BTreeSet::from([CaseId(Uuid::from_u128(9))]);
        let told = Told { snapshot: Uuid::nil(), taken_at: 5, head, closed: closed.clone() };
        let path = dir.path().join(format!("{}.part", name(Timestamp(1_773_129_600_000_000))));
        let by = |key: KeyId| {
            let mut body = [1; WRAPPED_BYTES];
            body[8..16].copy_from_slice(&key.0);
            body
        };
        let here = by(keys.current().id);
        let ids = [1, 2, 3].map(Uuid::from_u128);
        let write = |third: [u8; WRAPPED_BYTES]| {
            let mut writer = Writer::create(&path, &told).unwrap();
            writer.row("", &here).unwrap();
            for (id, body) in ids.iter().zip([here, third, here]) {
                writer.row(&id.to_string(), &body).unwrap();
            }
            writer.finish(&keys, &told.closed).unwrap();
        };
        write(here);
        assert_eq!(settle(&path, &keys, &ids).unwrap(), HashSet::new());
        assert_eq!(settle(&path, &keys, &ids[1..2]).unwrap(), HashSet::from([ids[0], ids[2]]));
        let mut left = Vec::new();
        let told_again = read(&path, &keys, |owner, body| {
            left.push((owner.to_owned(), body));
            Ok(())
        });
        let told_again = told_again.unwrap();
        assert_eq!(left, vec![(String::new(), here), (ids[1].to_string(), here)]);
        assert_eq!((told_again.head.size, told_again.closed), (7, closed));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);

        // A row of a key that is gone does not matter where its case is gone, too.
        fs::remove_file(&path).unwrap();
        write(by(KeyId([7; 8])));
        let why = settle(&path, &keys, &ids).unwrap_err().to_string();
        assert!(why.contains("`0707070707070707` was retired") && why.contains("take the backup again"), "{why}");
        assert_eq!(settle(&path, &keys, &[ids[0], ids[2]]).unwrap(), HashSet::from([ids[1]]));
    }

    #[test]
    fn only_a_key_table_in_the_making_has_the_name_of_one() {
        for (name, ours) in [
            ("key-table-20260310T080000000000Z.part", true),
            ("key-table-20260310T080000000000Z.whole.part", true),
            ("key-table-20260310T080000000000Z", false),
            ("key-table-film.part", false),
            ("film.part", false),
        ] {
            assert_eq!(is_part(name), ours, "{name}");
        }
    }
}

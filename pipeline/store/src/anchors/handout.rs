//! Heads as they are handed out: with the cosignatures that witnesses gave, and the time stamps beside them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use audit::{TileFile, VerifierKey};

use super::{TIMESTAMP, WITNESS};
use crate::db::{Arg, Row};
use crate::log::signed;
use crate::publish::write_durably;
use crate::{Error, Store, boxed};

const HOUR_MICROS: i64 = 3_600_000_000;

/// What was said about one head: lines of witnesses, and the first time stamp.
#[derive(Default)]
struct Said {
    lines: Vec<String>,
    stamp: Option<Vec<u8>>,
}

/// A head with what was said about it.
struct Shown {
    size: i64,
    signed_at: i64,
    note: String,
    said: Said,
}

impl Store {
    /// Puts what others said since under the heads of an export: the newest of them has just been signed when
    /// [`Store::export_log`] ends, and was shown to nobody. Nothing is entered in the log, and no entry is added.
    #[boxed]
    pub async fn anchor_export(&self, dir: &Path) -> Result<(), Error> {
        let path = dir.join("checkpoint");
        let note = fs::read_to_string(&path).map_err(|source| Error::Io { doing: "read", path, source })?;
        let tail = self.tail().await?;
        let head = audit::open_checkpoint(note.as_bytes(), &self.verifiers(&tail.origin)?)?;
        self.export_heads(dir, tail.log, &head.origin, head.size).await?;
        let bytes = self.cosigned(tail.log, head.size, &note).await?.into_bytes();
        self.write_new(dir, vec![TileFile { path: "checkpoint".to_owned(), bytes }]).await
    }

    /// The note of a head of `size` entries with the lines of those who cosigned it.
    pub(crate) async fn cosigned(&self, log: i64, size: u64, note: &str) -> Result<String, Error> {
        let size = signed(size)?;
        let said = self.said(log, size, size).await?.remove(&size).unwrap_or_default();
        with_lines(note, &said.lines)
    }

    /// Writes `checkpoints/…` and `anchors/…` of the heads up to the one of `size` entries.
    ///
    /// A witness cosigns a head every minute, and each is kept; handed out is of every hour the one that most of them
    /// cosigned, every one that has a time stamp, and every one where one key gave its word for another. What a
    /// cosignature says of a head, it says of all before it.
    pub(crate) async fn export_heads(&self, dir: &Path, log: i64, origin: &str, size: u64) -> Result<(), Error> {
        let verifiers = self.verifiers(origin)?;
        let last = signed(size)?;
        let mut best: Option<Shown> = None;
        let mut from = 0;
        loop {
            let sql = "SELECT size, signed_at, note FROM log_heads WHERE log = $1 AND $2 <= size AND size <= $3
                       ORDER BY size LIMIT 1000";
            let rows = self.db.rows(sql, &[Arg::Int(log), Arg::Int(from), Arg::Int(last)]).await?;
            let Some(until) = rows.last().map(|row| row.int(0)).transpose()? else { break };
            let mut said = self.said(log, from, until).await?;
            let mut files = Vec::new();
            for row in &rows {
                let shown = Shown::read(row, &mut said)?;
                let of_that_hour = |it: &Shown| it.signed_at / HOUR_MICROS == shown.signed_at / HOUR_MICROS;
                if shown.must_be_shown(&verifiers)? {
                    shown.write(&mut files)?;
                } else if best.as_ref().is_some_and(of_that_hour) {
                    best = best.filter(|best| shown.said.lines.len() < best.said.lines.len()).or(Some(shown));
                } else if let Some(best) = best.replace(shown) {
                    best.write(&mut files)?;
                }
            }
            self.write_new(dir, files).await?;
            from = until + 1;
        }
        let mut files = Vec::new();
        if let Some(best) = best {
            best.write(&mut files)?;
        }
        self.write_new(dir, files).await
    }

    async fn said(&self, log: i64, from: i64, until: i64) -> Result<BTreeMap<i64, Said>, Error> {
        let sql = "SELECT size, kind, body FROM log_anchors WHERE log = $1 AND $2 <= size AND size <= $3
                   ORDER BY size, anchored_at, source";
        let mut all = BTreeMap::<i64, Said>::new();
        for row in self.db.rows(sql, &[Arg::Int(log), Arg::Int(from), Arg::Int(until)]).await? {
            let (size, body) = (row.int(0)?, row.bytes(2)?);
            let said = all.entry(size).or_default();
            match row.text(1)? {
                WITNESS => said.lines.push(String::from_utf8_lossy(body).into_owned()),
                TIMESTAMP => drop(said.stamp.get_or_insert_with(|| body.to_vec())),
                kind => return Err(Error::Row { what: format!("an anchor is of the kind `{kind}`") }),
            }
        }
        Ok(all)
    }

    /// Writes those that are not there already.
    async fn write_new(&self, dir: &Path, files: Vec<TileFile>) -> Result<(), Error> {
        let dir = dir.to_owned();
        self.blocking(move |_| {
            let new = |file: &&TileFile| fs::read(dir.join(&file.path)).map_or(true, |there| there != file.bytes);
            files.iter().filter(new).try_for_each(|file| write_durably(&dir, file))
        })
        .await?
    }
}

impl Shown {
    fn read(row: &Row, said: &mut BTreeMap<i64, Said>) -> Result<Shown, Error> {
        let size = row.int(0)?;
        let said = said.remove(&size).unwrap_or_default();
        Ok(Shown { size, signed_at: row.int(1)?, note: row.text(2)?.to_owned(), said })
    }

    fn must_be_shown(&self, verifiers: &[VerifierKey]) -> Result<bool, Error> {
        Ok(self.said.stamp.is_some() || 1 < audit::signers(self.note.as_bytes(), verifiers)?.len())
    }

    fn write(self, files: &mut Vec<TileFile>) -> Result<(), Error> {
        let note = with_lines(&self.note, &self.said.lines)?;
        files.push(TileFile { path: format!("checkpoints/{}", self.size), bytes: note.into_bytes() });
        if let Some(bytes) = self.said.stamp {
            files.push(TileFile { path: format!("anchors/{}.tsr", self.size), bytes });
        }
        Ok(())
    }
}

fn with_lines(note: &str, lines: &[String]) -> Result<String, Error> {
    let lines = lines.iter().map(String::as_str).collect::<Vec<_>>();
    audit::with_signatures(note.as_bytes(), &lines)
        .map_err(|err| Error::Row { what: format!("a cosignature cannot stand under its head: {err}") })
}

//! What leaves the house to convince somebody outside: receipts for the entries about a case, and the openings, which
//! show what the log's commitments stand for.
//!
//! A receipt holds nothing that is not in the log already, so whoever may read the log may take it. An opening is a value
//! that the log was kept free of: a reason, a file name, a digest, a person's name or address. Those are for auditors alone,
//! [`Deed::OpenLog`].

pub(crate) mod folder;
mod prover;
pub(crate) mod readme;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use audit::{Act, Body, Leaf, OpeningLine};
use case::{Actor, CaseId, Deed, Denied, Scope, Timestamp};
use serde::Serialize;

use crate::db::{Arg, Row};
use crate::log::{Draft, signed};
use crate::{Error, Exported, Head, Store, boxed};
pub(crate) use folder::Folder;
use prover::Prover;

const ENTRIES_AT_ONCE: i64 = 500;
/// How long an entry that was just made is waited for until it is sealed.
const SEAL_SECONDS_MAX: i64 = 30;
const SEAL_LOOKS_PER_SECOND: i64 = 20;
const OPENINGS: &str = "openings.jsonl";

/// The receipts of a case, as they were written.
#[derive(Clone, Debug, Serialize)]
pub struct Proved {
    pub dir: PathBuf,
    pub case: CaseId,
    /// What the newest prove against.
    pub head: Head,
    /// The folders of receipts below `dir`, `.` or one for each log, with the key to verify each with.
    pub folders: BTreeMap<String, String>,
    #[serde(flatten)]
    pub given: Given,
}

/// What was handed out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Given {
    /// Entries with their receipts.
    pub receipts: u64,
    /// Entries of earlier logs that no head of theirs covers any more.
    pub unproved: u64,
    /// Values with their salts.
    pub openings: u64,
    /// Commitments that nobody can open any more.
    pub erased: u64,
}

impl Store {
    /// Writes the receipts of every entry about a case into `dir`, which must be new or empty: `<index>.json`, the sealed
    /// entry byte for byte, `<index>.tlog-proof`, README.md, and if `openings`, `openings.jsonl`. Where this is not the
    /// first log, each log has a folder of its own, `log-<n>`. The last entry says that they were handed out.
    #[boxed]
    pub async fn prove_case(
        &self,
        id: CaseId,
        dir: &Path,
        openings: bool,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Proved, Error> {
        self.authorize(by, Deed::ReadLog, now).await?;
        if openings {
            self.authorize(by, Deed::OpenLog, now).await?;
        }
        let case = self.case(id).await?;
        self.authorize_case(by, Deed::ReadLog, &case, now).await?;
        if openings {
            self.authorize_case(by, Deed::OpenLog, &case, now).await?;
        }
        let folder = self.new_folder(dir).await?;
        let ground = self.ground(now).await?;
        let entry = self.prove_entry(&ground, id, openings, by).await?;
        let own = self.enter_all(vec![entry], now).await?;
        let evidence = self.evidence(folder, ground, own, now).await?;
        let (mut evidence, given) = self.write_case(evidence, "", id, openings).await?;
        let (head, folders) = (evidence.head()?, evidence.written.clone());
        let readme = readme::receipts(id, &head, given, openings, &folders);
        self.blocking(move |_| evidence.folder.add("README.md", readme.as_bytes())).await??;
        Ok(Proved { dir: dir.to_owned(), case: id, head, folders, given })
    }

    /// Writes `openings.jsonl` into an export: what every commitment in it stands for, as far as nothing was erased. Gives
    /// back how many. Calls `progress` with entries done and entries in all.
    #[boxed]
    pub async fn export_openings(
        &self,
        export: &Exported,
        by: &Actor,
        now: Timestamp,
        progress: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<Given, Error> {
        self.authorize_openings(by, now).await?;
        let (log, until) = (self.tail().await?.log, export.head.size);
        let count = "SELECT COUNT(*) FROM log_entries JOIN log_openings ON log_openings.entry_id = log_entries.entry_id
                     WHERE log = $1 AND position < $2";
        let row = self.db.row(count, &[Arg::Int(log), Arg::Int(signed(until)?)]).await?;
        let mut entry = Draft::new(Act::LogExport, by);
        entry.count("size", signed(until)?);
        entry.tell("root", &export.head.root);
        entry.count("openings", row.map(|row| row.int(0)).transpose()?.unwrap_or(0));
        self.enter(entry, now).await?;

        let target = export.dir.join(OPENINGS);
        let staging = export.dir.join(format!("{OPENINGS}.part"));
        let failed = |doing| {
            let path = staging.clone();
            move |source| Error::Io { doing, path, source }
        };
        let mut open = OpenOptions::new();
        open.write(true).create(true).truncate(true).mode(0o600);
        let mut file = BufWriter::new(open.open(&staging).map_err(failed("write"))?);
        let (mut given, mut from) = (Given::default(), 0);
        while from < signed(until)? {
            let to = (from + ENTRIES_AT_ONCE).min(signed(until)?);
            let rows = self
                .db
                .rows(
                    "SELECT leaf, log_openings.body, record_keys.body FROM log_entries
                     LEFT JOIN log_openings ON log_openings.entry_id = log_entries.entry_id
                     LEFT JOIN record_keys ON record_keys.owner = log_entries.object
                     WHERE log = $1 AND $2 <= position AND position < $3 ORDER BY position",
                    &[Arg::Int(log), Arg::Int(from), Arg::Int(to)],
                )
                .await?;
            let mut lines = String::new();
            for row in &rows {
                let leaf = Leaf::parse(row.bytes(0)?)?;
                lines += &self.opened(&leaf, row.maybe_bytes(1)?, row.maybe_bytes(2)?, &mut given)?;
            }
            file.write_all(lines.as_bytes()).map_err(failed("write"))?;
            from = to;
            progress(from.unsigned_abs(), until);
        }
        let file = file.into_inner().map_err(|err| failed("write")(err.into_error()))?;
        file.sync_all().and_then(|()| fs::rename(&staging, &target)).map_err(failed("write"))?;
        Ok(given)
    }

    /// May this person take the openings of the whole log? A refusal is entered.
    #[boxed]
    pub async fn authorize_openings(&self, by: &Actor, now: Timestamp) -> Result<(), Error> {
        self.authorize(by, Deed::OpenLog, now).await?;
        let permitted = match self.scope(&by.id).await? {
            None => Ok(()),
            Some(Scope { from, to }) => {
                let needs = format!(
                    "auditor without a scope: this one's is {from} to {to}; take the openings of a case with `countersign log prove --openings`"
                );
                Err(Denied { needs })
            }
        };
        self.denied(permitted, None, by, Deed::OpenLog, now).await
    }

    pub(crate) async fn new_folder(&self, dir: &Path) -> Result<Folder, Error> {
        let dir = dir.to_owned();
        self.blocking(move |_| Folder::new(&dir)).await?
    }

    /// Where evidence begins: everything is sealed, and what is there is counted up to this end.
    pub(crate) async fn ground(&self, now: Timestamp) -> Result<Ground, Error> {
        self.seal_log(now).await?;
        let tail = self.tail().await?;
        let mut earlier = BTreeMap::new();
        for row in self.db.rows("SELECT log FROM log_tail WHERE log < $1", &[Arg::Int(tail.log)]).await? {
            // A log that had to end may have lost its tiles or heads with whatever ended it; its entries are then told
            // as not proved.
            if let Ok(prover) = self.prover(row.int(0)?).await {
                earlier.insert(row.int(0)?, prover);
            }
        }
        Ok(Ground { earlier, log: tail.log, until: signed(tail.size())? })
    }

    /// The entry that the receipts of a case are handed out: their number, its own included, and of how many entries the
    /// openings go with them.
    pub(crate) async fn prove_entry(
        &self,
        ground: &Ground,
        id: CaseId,
        openings: bool,
        by: &Actor,
    ) -> Result<Draft, Error> {
        let (mut receipts, mut opened) = (1, 0);
        let mut covered = vec![(ground.log, ground.until)];
        for (log, prover) in &ground.earlier {
            covered.push((*log, signed(prover.head.size)?));
        }
        for (log, until) in covered {
            let count = "SELECT COUNT(*), COUNT(log_openings.entry_id) FROM log_entries
                         LEFT JOIN log_openings ON log_openings.entry_id = log_entries.entry_id
                         WHERE log_entries.object = $1 AND log = $2 AND position < $3";
            let args = [Arg::Text(&id.to_string()), Arg::Int(log), Arg::Int(until)];
            if let Some(row) = self.db.row(count, &args).await? {
                receipts += row.int(0)?;
                opened += row.int(1)?;
            }
        }
        let mut entry = Draft::new(Act::LogProve, by).about("case", id);
        entry.count("receipts", receipts);
        entry.count("openings", if openings { opened } else { 0 });
        Ok(entry)
    }

    /// Enters all of these or none, and gives back their ids.
    pub(crate) async fn enter_all(&self, drafts: Vec<Draft>, now: Timestamp) -> Result<Vec<String>, Error> {
        let entries = drafts.into_iter().map(|draft| Ok(self.entry(draft, &self.house, now)?.0));
        let entries = entries.collect::<Result<Vec<_>, Error>>()?;
        let ids = entries.iter().map(|entry| entry.id.clone()).collect();
        let mut tx = self.db.begin().await?;
        for entry in entries {
            self.write_ready_entry(&mut tx, entry).await?;
        }
        tx.commit().await?;
        self.bell.notify_one();
        Ok(ids)
    }

    /// The place of an entry that was just made, when it is sealed.
    pub(crate) async fn placed(&self, id: &str, now: Timestamp) -> Result<(i64, u64), Error> {
        for _ in 0..SEAL_SECONDS_MAX * SEAL_LOOKS_PER_SECOND {
            self.seal_log(now).await?;
            let sql = "SELECT log, position FROM log_entries WHERE entry_id = $1";
            if let Some(row) = self.db.row(sql, &[Arg::Text(id)]).await? {
                return Ok((row.int(0)?, row.int(1)?.unsigned_abs()));
            }
            // Another node holds the sealer's lease.
            tokio::time::sleep(Duration::from_millis(1_000 / SEAL_LOOKS_PER_SECOND.unsigned_abs())).await;
        }
        Err(Error::Backlog { seconds: SEAL_SECONDS_MAX, max: SEAL_SECONDS_MAX })
    }

    /// Waits until the entries `own`, made together, are sealed, signs, and is ready to write.
    pub(crate) async fn evidence(
        &self,
        folder: Folder,
        ground: Ground,
        own: Vec<String>,
        now: Timestamp,
    ) -> Result<Evidence, Error> {
        if let Some(last) = own.last() {
            self.placed(last, now).await?;
        }
        self.sign_log(now).await?;
        let mut provers = ground.earlier;
        provers.insert(ground.log, self.prover(ground.log).await?);
        Ok(Evidence {
            folder,
            provers,
            log: ground.log,
            until: ground.until,
            own: own.into_iter().collect(),
            written: BTreeMap::new(),
        })
    }

    /// Writes the entries about a case with their receipts below `under`: those before the ground's end, and of those
    /// behind it the ones that were made for this.
    pub(crate) async fn write_case(
        &self,
        mut evidence: Evidence,
        under: &str,
        id: CaseId,
        openings: bool,
    ) -> Result<(Evidence, Given), Error> {
        let object = id.to_string();
        let (mut given, mut after) = (Given::default(), (0, -1));
        loop {
            let rows = self
                .db
                .rows(
                    "SELECT log, position, log_entries.entry_id, leaf, log_openings.body, record_keys.body FROM log_entries
                     LEFT JOIN log_openings ON log_openings.entry_id = log_entries.entry_id
                     LEFT JOIN record_keys ON record_keys.owner = log_entries.object
                     WHERE log_entries.object = $1 AND ($2 < log OR (log = $2 AND $3 < position))
                     ORDER BY log, position LIMIT $4",
                    &[Arg::Text(&object), Arg::Int(after.0), Arg::Int(after.1), Arg::Int(ENTRIES_AT_ONCE)],
                )
                .await?;
            let Some(last) = rows.last() else { return Ok((evidence, given)) };
            after = (last.int(0)?, last.int(1)?);
            let under = under.to_owned();
            (evidence, given) = self
                .blocking(move |store| {
                    for row in &rows {
                        store.write_row(&mut evidence, &mut given, row, &under, openings)?;
                    }
                    Ok::<_, Error>((evidence, given))
                })
                .await??;
        }
    }

    fn write_row(
        &self,
        evidence: &mut Evidence,
        given: &mut Given,
        row: &Row,
        under: &str,
        openings: bool,
    ) -> Result<(), Error> {
        let (log, leaf) = (row.int(0)?, row.bytes(3)?);
        if evidence.log == log && evidence.until <= row.int(1)? && !evidence.own.contains(row.text(2)?) {
            return Ok(());
        }
        let Some(place) = evidence.write(under, log, leaf)? else {
            given.unproved += 1;
            return Ok(());
        };
        given.receipts += 1;
        if openings {
            let lines = self.opened(&Leaf::parse(leaf)?, row.maybe_bytes(4)?, row.maybe_bytes(5)?, given)?;
            evidence.folder.add(&format!("{place}{OPENINGS}"), lines.as_bytes())?;
        }
        Ok(())
    }

    /// The lines of `openings.jsonl` for one entry, by path. Each is compared with its commitment first: one that does not
    /// fit is not handed out.
    fn opened(
        &self,
        leaf: &Leaf<'_>,
        sealed: Option<&[u8]>,
        wrapped: Option<&[u8]>,
        given: &mut Given,
    ) -> Result<String, Error> {
        let body = Body::parse(leaf.body)?;
        let object = body.obj.as_ref().map(|object| object.id.as_str()).unwrap_or_default();
        let mut openings = match sealed {
            Some(sealed) => self.open_openings(&body.id, sealed, object, wrapped)?,
            None => Vec::new(),
        };
        openings.sort_by(|a, b| a.path.cmp(&b.path));
        let mut lines = String::new();
        for opening in &openings {
            if !body.c.get(&opening.path).is_some_and(|commitment| opening.fits(commitment)) {
                let what =
                    format!("the opening `{}` of entry {} is not what was committed to", opening.path, leaf.index);
                return Err(Error::Row { what });
            }
            let line = OpeningLine { index: leaf.index, id: body.id.clone(), opening: opening.clone() };
            lines += &line.to_line();
            lines.push('\n');
        }
        given.openings += openings.len() as u64;
        given.erased += (body.c.len() as u64).saturating_sub(openings.len() as u64);
        Ok(lines)
    }
}

/// What there is to prove, before the entries that say that it is handed out.
#[derive(Debug)]
pub(crate) struct Ground {
    /// Of logs that had to end.
    earlier: BTreeMap<i64, Prover>,
    log: i64,
    /// How many entries the newest log had.
    until: i64,
}

/// Evidence on its way into a folder: a prover of every log, and which entries go along.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) folder: Folder,
    provers: BTreeMap<i64, Prover>,
    log: i64,
    until: i64,
    own: BTreeSet<String>,
    /// The folders that have receipts, with the key that verifies those in each.
    pub(crate) written: BTreeMap<String, String>,
}

impl Evidence {
    /// Writes an entry and its receipt below `under`, and gives back where; `None` where no head covers it. A verifier of
    /// receipts is given one log's key, so that where this is not the first log, each has a folder of its own.
    pub(crate) fn write(&mut self, under: &str, log: i64, leaf: &[u8]) -> Result<Option<String>, Error> {
        let index = Leaf::parse(leaf)?.index;
        let Some(prover) = self.provers.get_mut(&log).filter(|prover| index < prover.head.size) else {
            return Ok(None);
        };
        let receipt = prover.receipt(index, leaf)?;
        let place = if self.log == 1 { under.to_owned() } else { format!("{under}log-{log}/") };
        self.folder.add(&format!("{place}{index}.json"), leaf)?;
        self.folder.add(&format!("{place}{index}.tlog-proof"), receipt.as_bytes())?;
        let folder = place.strip_suffix('/').unwrap_or(".");
        self.written.insert(folder.to_owned(), prover.key.to_string());
        Ok(Some(place))
    }

    /// The newest head, which the receipts prove against.
    pub(crate) fn head(&self) -> Result<Head, Error> {
        let prover = self.provers.get(&self.log);
        let prover = prover.ok_or_else(|| Error::Row { what: "the log has no signed head".to_owned() })?;
        Ok(Head {
            origin: prover.head.origin.clone(),
            size: prover.head.size,
            root: prover.head.root.to_string(),
            verifier_key: prover.key.to_string(),
            note: prover.note.clone(),
        })
    }
}

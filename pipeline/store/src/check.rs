//! Does everything at rest agree with itself? The log is read again from its first entry, and every case compared.

use std::collections::{BTreeMap, BTreeSet};

use audit::{Body, Frontier, Hash, Leaf, body_hash, leaf_hash};
use case::{Actor, Case, CaseId, Deed, State, Timestamp};
use serde::Serialize;
use uuid::Uuid;

use crate::cases::context;
use crate::db::{Arg, Tx};
use crate::log::{hash, signed};
use crate::{Error, Store, causes};

/// Something that does not agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// What it is about: `entry 17`, `case …`, `file …`, `channel …`.
    pub about: String,
    pub what: String,
}

/// What came in through a channel, and where it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Balance {
    pub seen: u64,
    pub duplicates: u64,
    pub by_state: BTreeMap<&'static str, u64>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct CheckReport {
    pub entries: u64,
    pub cases: u64,
    pub seals_opened: u64,
    /// Sealed files that no case names: left by a crash between sealing and entering. Nothing was lost with them.
    pub orphans: u64,
    pub channels: BTreeMap<String, Balance>,
    pub faults: Vec<Fault>,
}

/// What the log says about a case.
struct Replayed {
    state: String,
    revision: u64,
    last: Hash,
}

const ROWS_AT_ONCE: i64 = 2_000;
/// More would not help whoever has to look.
const FAULTS_MAX: usize = 100;

impl Store {
    /// Compares cases with the log, balances the documents, and, if `seals`, opens every sealed file.
    pub async fn check(&self, seals: bool, by: Option<&Actor>, now: Timestamp) -> Result<CheckReport, Error> {
        if let Some(by) = by {
            self.authorize(by, Deed::ReadLog, now).await?;
        }
        self.seal_log(now).await?;
        let mut report = CheckReport::default();
        // Everything is compared as it was at one moment, so that a running service disturbs nothing.
        let mut tx = self.db.snapshot().await?;
        let replayed = self.check_log(&mut tx, &mut report).await?;
        let files = self.check_cases(&mut tx, &mut report, &replayed).await?;
        check_balance(&mut tx, &mut report).await?;
        drop(tx);
        if let Err(err) = self.accounts().await {
            report.fault("the accounts".to_owned(), causes(&err));
        }
        self.check_files(&mut report, files, seals).await?;
        report.faults.truncate(FAULTS_MAX);
        Ok(report)
    }

    async fn check_log(&self, tx: &mut Tx, report: &mut CheckReport) -> Result<BTreeMap<String, Replayed>, Error> {
        let mut frontier = Frontier::new();
        let mut last = Hash::ZERO;
        let mut roots = BTreeMap::new();
        let mut heads = BTreeMap::new();
        let verifier = self.log_key()?.verifier();
        let tail = tx
            .row("SELECT log, size, last_leaf, frontier FROM log_tail ORDER BY log DESC LIMIT 1", &[])
            .await?
            .ok_or_else(|| Error::Row { what: "the log has no tail".to_owned() })?;
        let log = tail.int(0)?;
        for row in tx.rows("SELECT size, note FROM log_heads WHERE log = $1 ORDER BY size", &[Arg::Int(log)]).await? {
            let size = row.int(0)?;
            match audit::open_checkpoint(row.text(1)?.as_bytes(), std::slice::from_ref(&verifier)) {
                Ok(head) => drop(heads.insert(size, head.root)),
                Err(err) => report.fault(format!("head {size}"), err.to_string()),
            }
        }
        let mut objects: BTreeMap<String, Replayed> = BTreeMap::new();
        loop {
            let from = signed(frontier.size())?;
            let rows = tx
                .rows(
                    "SELECT position, leaf FROM log_entries WHERE log = $1 AND $2 <= position ORDER BY position LIMIT $3",
                    &[Arg::Int(log), Arg::Int(from), Arg::Int(ROWS_AT_ONCE)],
                )
                .await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let (position, leaf) = (row.int(0)?, row.bytes(1)?);
                let about = || format!("entry {position}");
                if position != signed(frontier.size())? {
                    report.fault(about(), format!("entry {} is missing before it", frontier.size()));
                    return Ok(objects);
                }
                match Leaf::parse(leaf) {
                    Ok(parsed) if parsed.index != frontier.size() => {
                        report.fault(about(), format!("it says it is entry {}", parsed.index))
                    }
                    Ok(parsed) if parsed.prev != last => {
                        report.fault(about(), "it does not follow the entry before it".to_owned())
                    }
                    Ok(parsed) => {
                        if let Err(what) = replay(&mut objects, parsed.body) {
                            report.fault(about(), what);
                        }
                    }
                    Err(err) => report.fault(about(), err.to_string()),
                }
                last = leaf_hash(leaf);
                frontier.append(last);
                if heads.contains_key(&signed(frontier.size())?) {
                    roots.insert(signed(frontier.size())?, frontier.root());
                }
            }
        }
        report.entries = frontier.size();
        // What waits to be sealed has happened too.
        for row in tx.rows("SELECT position, entry FROM log_outbox ORDER BY position", &[]).await? {
            if let Err(what) = replay(&mut objects, row.bytes(1)?) {
                report.fault(format!("waiting entry {}", row.int(0)?), what);
            }
        }
        for (size, root) in heads {
            match roots.get(&size) {
                Some(found) if *found == root => {}
                Some(found) => report
                    .fault(format!("head {size}"), format!("it was signed with root {root}, the entries give {found}")),
                None => report.fault(
                    format!("head {size}"),
                    format!("it was signed, and the log has {} entries", frontier.size()),
                ),
            }
        }
        if tail.int(1)? != signed(frontier.size())?
            || hash(tail.bytes(2)?)? != last
            || tail.bytes(3)? != frontier.to_bytes()
        {
            report.fault(
                "the log's tail".to_owned(),
                format!("it says {} entries, {} are there", tail.int(1)?, frontier.size()),
            );
        }
        Ok(objects)
    }

    /// Gives back the sealed files that the cases name.
    async fn check_cases(
        &self,
        tx: &mut Tx,
        report: &mut CheckReport,
        replayed: &BTreeMap<String, Replayed>,
    ) -> Result<BTreeSet<Uuid>, Error> {
        let mut files = BTreeSet::new();
        let mut after = String::new();
        loop {
            let rows = tx.rows(
                "SELECT case_id, revision, state, last_entry, body FROM cases WHERE $1 < case_id ORDER BY case_id LIMIT $2",
                &[Arg::Text(&after), Arg::Int(ROWS_AT_ONCE)],
            ).await?;
            let Some(last) = rows.last() else { break };
            after = last.text(0)?.to_owned();
            for row in &rows {
                report.cases += 1;
                let id = row.text(0)?;
                let about = || format!("case {id}");
                let case: Case = match self.open_json(&context(id), row.bytes(4)?) {
                    Ok(case) => case,
                    Err(err) => {
                        report.fault(about(), format!("its values cannot be opened: {}", causes(&err)));
                        continue;
                    }
                };
                files.insert(case.original);
                files.extend(&case.pictures);
                let state = row.text(2)?;
                if case.state.name() != state || signed(case.revision)? != row.int(1)? || case.id.to_string() != id {
                    report.fault(
                        about(),
                        format!(
                            "its row says {state} at revision {}, its sealed body {} at {}",
                            row.int(1)?,
                            case.state.name(),
                            case.revision
                        ),
                    );
                }
                match replayed.get(id) {
                    None => report.fault(about(), "the log does not know it".to_owned()),
                    Some(log) if log.state != state || signed(log.revision)? != row.int(1)? => report.fault(
                        about(),
                        format!(
                            "it is {state} at revision {}, the log says {} at {}",
                            row.int(1)?,
                            log.state,
                            log.revision
                        ),
                    ),
                    Some(log) if log.last != hash(row.bytes(3)?)? => {
                        report.fault(about(), "its last entry is not the one that the log has".to_owned());
                    }
                    Some(_) => {}
                }
                let work = tx.row("SELECT revision FROM work WHERE case_id = $1", &[Arg::Text(id)]).await?;
                match work {
                    Some(work) if work.int(0)? != row.int(1)? => {
                        report.fault(about(), "its work is for another revision".to_owned())
                    }
                    Some(_) if !case.state.in_flight() => report.fault(about(), format!("it is {state} and has work")),
                    None if case.state.in_flight() => report.fault(about(), format!("it is {state} and has no work")),
                    Some(_) | None => {}
                }
            }
        }
        for id in replayed.keys() {
            let known = id.parse::<CaseId>().is_err()
                || tx.row("SELECT case_id FROM cases WHERE case_id = $1", &[Arg::Text(id)]).await?.is_some();
            if !known {
                report.fault(format!("case {id}"), "the log knows it, and it is not there".to_owned());
            }
        }
        Ok(files)
    }

    async fn check_files(&self, report: &mut CheckReport, named: BTreeSet<Uuid>, seals: bool) -> Result<(), Error> {
        let mut there = BTreeSet::new();
        for found in self.blocking(|store| store.vault.ids().collect::<Vec<_>>()).await? {
            match found {
                Ok(id) => drop(there.insert(id)),
                Err(err) => report.fault("the vault".to_owned(), causes(&err)),
            }
        }
        report.orphans = there.difference(&named).count() as u64;
        for id in named.difference(&there) {
            report.fault(format!("file {id}"), "a case names it, and it is not there".to_owned());
        }
        if !seals {
            return Ok(());
        }
        for id in named.intersection(&there).copied() {
            match self.blocking(move |store| store.vault.get(id)).await? {
                Ok(_) => report.seals_opened += 1,
                Err(err) => report.fault(format!("file {id}"), causes(&err)),
            }
        }
        Ok(())
    }
}

/// INVARIANT (nothing is lost): what was seen is a case in some state, or a duplicate.
async fn check_balance(tx: &mut Tx, report: &mut CheckReport) -> Result<(), Error> {
    for row in tx.rows("SELECT channel, duplicate, COUNT(*) FROM arrivals GROUP BY channel, duplicate", &[]).await? {
        let balance = report.channels.entry(row.text(0)?.to_owned()).or_default();
        let n = row.int(2)?.unsigned_abs();
        balance.seen += n;
        if row.int(1)? == 1 {
            balance.duplicates += n;
        }
    }
    for row in tx.rows("SELECT channel, state, COUNT(*) FROM cases GROUP BY channel, state", &[]).await? {
        let balance = report.channels.entry(row.text(0)?.to_owned()).or_default();
        balance.by_state.insert(row.parsed(1, State::named)?.name(), row.int(2)?.unsigned_abs());
    }
    let faults: Vec<Fault> = report
        .channels
        .iter()
        .filter(|(_, balance)| balance.seen != balance.duplicates + balance.by_state.values().sum::<u64>())
        .map(|(channel, balance)| Fault {
            about: format!("channel {channel}"),
            what: format!(
                "{} files were seen; {} are cases and {} duplicates",
                balance.seen,
                balance.by_state.values().sum::<u64>(),
                balance.duplicates
            ),
        })
        .collect();
    report.faults.extend(faults);
    Ok(())
}

impl CheckReport {
    fn fault(&mut self, about: String, what: String) {
        self.faults.push(Fault { about, what });
    }
}

/// Follows one entry: an object's entry with a revision must continue where its last one left off.
fn replay(objects: &mut BTreeMap<String, Replayed>, bytes: &[u8]) -> Result<(), String> {
    let body = Body::parse(bytes).map_err(|err| err.to_string())?;
    let (Some(object), Some(revision), Some(state)) = (body.obj, body.rev, body.to) else { return Ok(()) };
    let last = body_hash(bytes);
    match objects.get(&object.id) {
        None if body.sprev.is_some() || body.from.is_some() => {
            return Err(format!("case {}: its beginning is missing", object.id));
        }
        Some(before) if body.sprev != Some(before.last) || body.from.as_deref() != Some(&before.state) => {
            return Err(format!("case {}: it does not continue the case's last entry", object.id));
        }
        Some(before) if revision != before.revision + 1 => {
            return Err(format!("case {}: revision {revision} follows {}", object.id, before.revision));
        }
        None | Some(_) => {}
    }
    objects.insert(object.id, Replayed { state, revision, last });
    Ok(())
}

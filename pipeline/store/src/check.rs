//! Does everything at rest agree with itself? The log is read again from its first entry, and every case compared.

mod facts;
mod replay;
mod sweep;

use std::collections::{BTreeMap, BTreeSet};

use case::{Actor, Case, CaseId, Deed, Document, POLICY_FILES, State, Timestamp};
use serde::Serialize;
use uuid::Uuid;

use crate::cases::{clock, due_at, files as named, proposed};
use crate::db::{Arg, Row, Tx};
use crate::log::{hash, signed};
use crate::{Error, Store, boxed, causes};
use replay::Replayed;

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
    /// Cases that were erased after the backup that the database was restored from: the entries that say so are lost.
    pub erased_since: BTreeSet<CaseId>,
    pub channels: BTreeMap<String, Balance>,
    /// The first 100.
    pub faults: Vec<Fault>,
    /// How many there are besides.
    pub more_faults: u64,
}

const ROWS_AT_ONCE: i64 = 2_000;
/// More would not help whoever has to look.
const FAULTS_MAX: usize = 100;

/// Who is told how many are done, of how many.
type Told<'a> = &'a mut (dyn FnMut(u64, u64) + Send);

impl Store {
    /// Compares cases with the log, balances the documents, and, if `seals`, opens every sealed file as fast as it can.
    #[boxed]
    pub async fn check(&self, seals: bool, by: Option<&Actor>, now: Timestamp) -> Result<CheckReport, Error> {
        let quiet: Told<'_> = &mut |_, _| ();
        self.check_all(seals.then_some((0, quiet)), by, now).await
    }

    /// As [`Store::check`], and opens every sealed file at no more than so many MiB a second, of which each file takes
    /// 64 KiB at least; 0 is as fast as it can. `progress` is told how many files are done, of how many.
    #[boxed]
    pub async fn check_seals(
        &self,
        mib_per_second: u32,
        by: Option<&Actor>,
        now: Timestamp,
        progress: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<CheckReport, Error> {
        self.check_all(Some((mib_per_second, progress)), by, now).await
    }

    async fn check_all(
        &self,
        seals: Option<(u32, Told<'_>)>,
        by: Option<&Actor>,
        now: Timestamp,
    ) -> Result<CheckReport, Error> {
        if let Some(by) = by {
            self.authorize(by, Deed::ReadLog, now).await?;
        }
        self.seal_log(now).await?;
        let mut report = CheckReport::default();
        // Everything is compared as it was at one moment, so that a running service disturbs nothing.
        let mut tx = self.db.snapshot().await?;
        let replayed = self.replay_logs(&mut tx, &mut report).await?;
        let files = self.check_cases(&mut tx, &mut report, &replayed).await?;
        replayed.check_openings(&mut report);
        check_balance(&mut tx, &mut report).await?;
        self.check_accounts(&mut tx, &mut report, &replayed).await?;
        self.check_facts(&mut tx, &mut report, &replayed).await?;
        check_policies(&mut tx, &mut report, &replayed).await?;
        drop(tx);
        let files = self.check_files(&mut report, files).await?;
        if let Some((mib_per_second, progress)) = seals {
            self.open_files(&mut report, files, mib_per_second, progress).await?;
        }
        Ok(report)
    }

    /// Gives back the sealed files that the cases name.
    async fn check_cases(
        &self,
        tx: &mut Tx,
        report: &mut CheckReport,
        replayed: &Replayed,
    ) -> Result<Vec<(Uuid, CaseId)>, Error> {
        let mut files = Vec::new();
        let mut after = String::new();
        loop {
            let rows = tx
                .rows(
                    "SELECT case_id, revision, state, last_entry, cases.body, kind, channel, received_at, due_at, digest_key,
                         record_keys.body, keep_until, delete_by, n_holds, proposed
                 FROM cases LEFT JOIN record_keys ON record_keys.owner = case_id WHERE $1 < case_id ORDER BY case_id LIMIT $2",
                    &[Arg::Text(&after), Arg::Int(ROWS_AT_ONCE)],
                )
                .await?;
            let Some(last) = rows.last() else { break };
            after = last.text(0)?.to_owned();
            for row in &rows {
                report.cases += 1;
                let id = row.text(0)?;
                let about = || format!("case {id}");
                let case = match self.open_case(id, row.bytes(4)?, row.maybe_bytes(10)?) {
                    Ok(case) => case,
                    Err(err) => {
                        report.fault(about(), format!("its values cannot be opened: {}", causes(&err)));
                        continue;
                    }
                };
                if case.state != State::Erased {
                    files.extend(named(&case).into_iter().map(|file| (file, case.id)));
                }
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
                for what in self.columns_apart(row, &case)? {
                    report.fault(about(), format!("its {what} in the table is not the one that was sealed with it"));
                }
                for what in self.keys_apart(tx, &case, replayed).await? {
                    report.fault(about(), what);
                }
                // Sealed by this program, and erased by nobody whom it names.
                let since = case.state == State::Erased && case.disposal.is_none();
                if since {
                    report.erased_since.insert(case.id);
                }
                match replayed.cases.get(id) {
                    None => report.fault(about(), "the log does not know it".to_owned()),
                    Some(log) if since && signed(log.revision)? == row.int(1)? && log.last == hash(row.bytes(3)?)? => {}
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
        for id in replayed.cases.keys() {
            let known = id.parse::<CaseId>().is_err()
                || tx.row("SELECT case_id FROM cases WHERE case_id = $1", &[Arg::Text(id)]).await?.is_some();
            if !known {
                report.fault(format!("case {id}"), "the log knows it, and it is not there".to_owned());
            }
        }
        Ok(files)
    }

    /// The columns beside the sealed body that do not say what it says.
    fn columns_apart(&self, row: &Row, case: &Case) -> Result<Vec<&'static str>, Error> {
        let Document { channel, received_at, .. } = &case.document;
        let compared = [
            ("kind", row.text(5)? == case.kind().name()),
            ("channel", row.text(6)? == channel),
            ("time of arrival", row.int(7)? == received_at.0),
            ("due time", row.maybe_int(8)? == due_at(case)),
            ("digest", row.bytes(9)? == self.digest_key(case)),
            ("clocks", row.maybe_int(11)? == clock(case, |it| it.keep_until)),
            ("last day", row.maybe_int(12)? == clock(case, |it| it.delete_by)),
            ("number of holds", row.int(13)? == case.holds.len() as i64),
            ("proposal", row.int(14)? == i64::from(proposed(case))),
        ];
        Ok(compared.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect())
    }

    /// What the case is found by, and what it holds of orders, where they are not as the case says.
    async fn keys_apart(&self, tx: &mut Tx, case: &Case, replayed: &Replayed) -> Result<Vec<String>, Error> {
        let id = case.id.to_string();
        let mut apart = Vec::new();
        let found = tx.rows("SELECT term_key FROM case_terms WHERE case_id = $1", &[Arg::Text(&id)]).await?;
        let found = found.iter().map(|row| row.bytes(0)).collect::<Result<BTreeSet<_>, _>>()?;
        if found != self.term_keys(case).iter().map(<[u8; 32]>::as_slice).collect() {
            apart.push("whoever searches for it would not find it: its terms are missing or another's".to_owned());
        }
        if !self.bill_agrees(tx, case).await? {
            apart.push(
                "what it bills is not what others find of it: duplicates would pass, and orders be billed again"
                    .to_owned(),
            );
        }
        let arrived =
            "SELECT duplicate, COUNT(*) FROM arrivals WHERE case_id = $1 GROUP BY duplicate ORDER BY duplicate";
        let arrived = tx.rows(arrived, &[Arg::Text(&id)]).await?;
        let arrived = arrived.iter().map(|row| Ok((row.int(0)?, row.int(1)?))).collect::<Result<Vec<_>, Error>>()?;
        let again = replayed.duplicates.get(&id).map(|n| (1, *n));
        let expected: Vec<_> = std::iter::once((0, 1)).chain(again).collect();
        if arrived != expected {
            apart.push("the files that arrived as it are not those that the log knows".to_owned());
        }
        Ok(apart)
    }

    /// INVARIANT (nobody gets a role by writing to the database): accounts are those that the log knows, each as sealed.
    async fn check_accounts(&self, tx: &mut Tx, report: &mut CheckReport, replayed: &Replayed) -> Result<(), Error> {
        let mut there = BTreeSet::new();
        for row in tx.rows("SELECT account_id FROM accounts ORDER BY account_id", &[]).await? {
            there.insert(row.text(0)?.to_owned());
        }
        for id in replayed.accounts.difference(&there) {
            report.fault(format!("account {id}"), "the log knows it, and it is not there".to_owned());
        }
        for id in there.difference(&replayed.accounts) {
            report.fault(format!("account {id}"), "the log does not know it".to_owned());
        }
        if let Err(err) = self.accounts().await {
            report.fault("the accounts".to_owned(), causes(&err));
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
    for (channel, balance) in report.channels.clone() {
        let Balance { seen, duplicates, by_state } = balance;
        let n_cases = by_state.values().sum::<u64>();
        if seen != duplicates + n_cases {
            let what = format!("{seen} files were seen; {n_cases} are cases and {duplicates} duplicates");
            report.fault(format!("channel {channel}"), what);
        }
    }
    Ok(())
}

impl CheckReport {
    pub(crate) fn fault(&mut self, about: String, what: String) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault { about, what });
        } else {
            self.more_faults += 1;
        }
    }
}

/// Policies are kept as texts; their digest, which every decision names, is of these texts.
async fn check_policies(tx: &mut Tx, report: &mut CheckReport, replayed: &Replayed) -> Result<(), Error> {
    let mut there = BTreeSet::new();
    let mut in_force = None;
    let sql = "SELECT digest, texts, loaded_at, approved_by FROM policies ORDER BY loaded_at, digest DESC";
    for row in tx.rows(sql, &[]).await? {
        let (digest, texts) = (row.text(0)?, row.text(1)?);
        there.insert(digest.to_owned());
        let found = serde_json::from_str::<serde_json::Value>(texts).map(|texts| case::Digest::of_value(&texts));
        if !found.is_ok_and(|found| found.to_string() == digest) {
            let what = format!("its texts are not those of {}", POLICY_FILES.join(", "));
            report.fault(format!("policy {digest}"), what);
        }
        if 0 < row.int(2)? {
            in_force = Some(digest.to_owned());
        }
        if row.maybe_text(3)?.is_some() && !replayed.approved.contains(digest) {
            let what = "it stands as approved, and the log has nobody who approved it".to_owned();
            report.fault(format!("policy {digest}"), what);
        }
    }
    if in_force != replayed.policy_in_force {
        let name = |digest: &Option<String>| digest.clone().unwrap_or_else(|| "none".to_owned());
        let what = format!("{} stands as it, by the log it is {}", name(&in_force), name(&replayed.policy_in_force));
        report.fault("the policy in force".to_owned(), what);
    }
    for digest in replayed.policies.difference(&there) {
        report.fault(format!("policy {digest}"), "the log knows it, and its texts are not there".to_owned());
    }
    Ok(())
}

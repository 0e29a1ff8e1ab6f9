//! The log, read again from its first entry: form, chain, tree, signed heads, openings, and what it says about each case.

use std::collections::{BTreeMap, BTreeSet};

use audit::{Act, Body, Frontier, Hash, Leaf, body_hash, commit, leaf_hash};
use case::{CaseId, FactKind};

use super::{CheckReport, ROWS_AT_ONCE};
use crate::db::{Arg, Row, Tx};
use crate::log::{Tail, signed};
use crate::publish::{lock, read_signed_head};
use crate::{Error, Store, causes};

/// What brings in accounts and settlements, which nobody imports by themselves.
const FACTS_ALONG: [Act; 6] =
    [Act::FactsImport, Act::PaymentSettle, Act::PayeePropose, Act::PayeeConfirm, Act::PayeeClose, Act::PayeeCheck];

/// What the log says.
#[derive(Default)]
pub(super) struct Replayed {
    pub(super) cases: BTreeMap<String, Place>,
    pub(super) accounts: BTreeSet<String>,
    /// Digests of the policies that came into force.
    pub(super) policies: BTreeSet<String>,
    /// That of the one in force.
    pub(super) policy_in_force: Option<String>,
    /// Those of the policies that were approved, and the one in force if it was; no other has come into force since.
    pub(super) approved: BTreeSet<String>,
    /// How many versions of imported facts were brought in, by their kind.
    pub(super) facts: BTreeMap<String, i64>,
    /// How often the bytes of a case came again.
    pub(super) duplicates: BTreeMap<String, i64>,
    /// The number of the last entry of an object, counted over all logs, whose openings are gone, and that of the entry
    /// that says they were erased.
    gone: BTreeMap<String, u64>,
    erased: BTreeMap<String, u64>,
    seen: u64,
}

/// Where a case is, as the log has it.
pub(super) struct Place {
    pub(super) state: String,
    pub(super) revision: u64,
    pub(super) last: Hash,
}

impl Store {
    pub(super) async fn replay_logs(&self, tx: &mut Tx, report: &mut CheckReport) -> Result<Replayed, Error> {
        let mut replayed = Replayed::default();
        for tail in &tx.rows(Tail::ALL, &[]).await? {
            self.replay_log(tx, report, &mut replayed, tail).await?;
        }
        // What waits to be sealed has happened too.
        for row in tx.rows("SELECT position, entry FROM log_outbox ORDER BY position", &[]).await? {
            let bytes = row.bytes(1)?;
            let followed = Body::parse(bytes)
                .map_err(|err| err.to_string())
                .and_then(|body| replayed.follow(body, body_hash(bytes)));
            if let Err(what) = followed {
                report.fault(format!("waiting entry {}", row.int(0)?), what);
            }
        }
        Ok(replayed)
    }

    /// Whoever signs notes the head beside the keys and keeps it in the table a moment later, alone in the log's folder: this
    /// waits for the moment to pass and looks again.
    async fn signed_head_is_kept(&self, log: i64, origin: &str) -> Result<bool, Error> {
        let folder = self.published.clone();
        let _alone = self.blocking(move |_| lock(&folder)).await?;
        let Some(head) = read_signed_head(&self.signed_head_path())?.filter(|head| head.origin == origin) else {
            return Ok(false);
        };
        let sql = "SELECT size FROM log_heads WHERE log = $1 AND size = $2";
        Ok(self.db.row(sql, &[Arg::Int(log), Arg::Int(signed(head.size)?)]).await?.is_some())
    }

    async fn replay_log(
        &self,
        tx: &mut Tx,
        report: &mut CheckReport,
        replayed: &mut Replayed,
        tail: &Row,
    ) -> Result<(), Error> {
        let (log, origin) = (tail.int(0)?, tail.text(1)?);
        // The newest log is spoken of without a name.
        let name = if *origin == *self.origin { String::new() } else { format!("{origin}: ") };
        let verifiers = self.verifiers(origin)?;
        let mut heads: BTreeMap<i64, Hash> = BTreeMap::new();
        for row in tx.rows("SELECT size, note FROM log_heads WHERE log = $1 ORDER BY size", &[Arg::Int(log)]).await? {
            let size = row.int(0)?;
            match audit::open_checkpoint(row.text(1)?.as_bytes(), &verifiers) {
                Ok(head) if signed(head.size)? == size => drop(heads.insert(size, head.root)),
                Ok(head) => {
                    report.fault(format!("{name}head {size}"), format!("it is the head of {} entries", head.size))
                }
                Err(err) => report.fault(format!("{name}head {size}"), err.to_string()),
            }
        }
        if let Some(head) = read_signed_head(&self.signed_head_path())?.filter(|head| head.origin == origin) {
            let size = signed(head.size)?;
            match heads.insert(size, head.root) {
                Some(root) if root == head.root => {}
                Some(_) => {
                    report.fault(format!("{name}head {size}"), "it is not the one that was signed here".to_owned())
                }
                None if self.signed_head_is_kept(log, origin).await? => {}
                None => {
                    report.fault(format!("{name}head {size}"), "it was signed here, and it is not there".to_owned())
                }
            }
        }
        let (mut frontier, mut last, mut roots) = (Frontier::new(), Hash::ZERO, BTreeMap::new());
        loop {
            let rows = tx
                .rows(
                    "SELECT position, leaf, e.entry_id, e.object, revision, o.body, k.body
                     FROM log_entries e LEFT JOIN log_openings o ON o.entry_id = e.entry_id
                     LEFT JOIN record_keys k ON k.owner = e.object
                     WHERE log = $1 AND $2 <= position ORDER BY position LIMIT $3",
                    &[Arg::Int(log), Arg::Int(signed(frontier.size())?), Arg::Int(ROWS_AT_ONCE)],
                )
                .await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let (position, leaf) = (row.int(0)?, row.bytes(1)?);
                let about = || format!("{name}entry {position}");
                if position != signed(frontier.size())? {
                    report.fault(about(), format!("entry {} is missing before it", frontier.size()));
                    return Ok(());
                }
                match Leaf::parse(leaf) {
                    Ok(parsed) if parsed.index != frontier.size() => {
                        report.fault(about(), format!("it says it is entry {}", parsed.index));
                    }
                    Ok(parsed) if parsed.prev != last => {
                        report.fault(about(), "it does not follow the entry before it".to_owned());
                    }
                    Ok(parsed) => {
                        for what in self.entry_faults(row, parsed.body, replayed)? {
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
        report.entries += frontier.size();
        for (size, root) in heads {
            let about = format!("{name}head {size}");
            match roots.get(&size) {
                Some(found) if *found == root => {}
                Some(found) => {
                    report.fault(about, format!("it was signed with root {root}, the entries give {found}"));
                }
                None => report.fault(about, format!("it was signed, and the log has {} entries", frontier.size())),
            }
        }
        let about = format!("{name}the log's tail");
        match Tail::read(&self.keys, tail) {
            Ok(tail) if tail.ends(&frontier, last) => {}
            Ok(tail) => {
                report.fault(about, format!("it says {} entries, {} are there", tail.size(), frontier.size()));
            }
            Err(err) => report.fault(about, causes(&err)),
        }
        Ok(())
    }

    /// What is wrong with an entry that stands where it says: its columns, its openings, its object's chain.
    fn entry_faults(&self, row: &Row, bytes: &[u8], replayed: &mut Replayed) -> Result<Vec<String>, Error> {
        let body = match Body::parse(bytes) {
            Ok(body) => body,
            Err(err) => return Ok(vec![err.to_string()]),
        };
        let mut faults = Vec::new();
        let object = body.obj.as_ref().map(|object| object.id.clone()).unwrap_or_default();
        let revision = body.rev.map(signed).transpose()?;
        if row.text(2)? != body.id || row.text(3)? != object || row.maybe_int(4)? != revision {
            faults.push("the columns beside it name another entry or object".to_owned());
        }
        match row.maybe_bytes(5)? {
            Some(sealed) => match self.open_openings(&body.id, sealed, &object, row.maybe_bytes(6)?) {
                Ok(openings) => {
                    let fits = openings.len() == body.c.len()
                        && openings
                            .iter()
                            .all(|it| commit(&it.salt, &it.path, &it.value).ok().as_ref() == body.c.get(&it.path));
                    if !fits {
                        faults.push("its openings are not those of its commitments".to_owned());
                    }
                }
                Err(err) => faults.push(format!("its openings: {}", causes(&err))),
            },
            None if !body.c.is_empty() => drop(replayed.gone.insert(object, replayed.seen + 1)),
            None => {}
        }
        if let Err(what) = replayed.follow(body, body_hash(bytes)) {
            faults.push(what);
        }
        Ok(faults)
    }
}

impl Replayed {
    /// Openings are there, or an entry says that they were erased, or it is known why none does.
    pub(super) fn check_openings(&self, report: &mut CheckReport) {
        for (object, at) in &self.gone {
            let since = object.parse::<CaseId>().is_ok_and(|case| report.erased_since.contains(&case));
            // The entry that says so keeps its own.
            if !since && self.erased.get(object).is_none_or(|erased| erased <= at) {
                let about = if object.is_empty() { "the log".to_owned() } else { format!("object {object}") };
                report.fault(about, "openings of its entries are gone, and no entry says that they were erased".into());
            }
        }
    }

    /// INVARIANT (two people loosen): what lets more through came into force after it was approved, and nothing between.
    fn follow_policies(&mut self, body: &Body) -> Result<(), String> {
        if body.act == Act::BackupRestore {
            self.approved.clear();
        }
        let Some(audit::Value::Text(policy)) = body.d.get("policy") else { return Ok(()) };
        match body.act {
            Act::PolicyPropose => drop(self.approved.remove(policy)),
            Act::PolicyApprove if body.res == audit::Outcome::Ok => drop(self.approved.insert(policy.clone())),
            Act::PolicyLoad => {
                self.policies.insert(policy.clone());
                self.policy_in_force = Some(policy.clone());
                // Who let it through is kept with it until the next one comes into force.
                self.approved.retain(|approved| approved == policy);
                if body.d.contains_key("looser") && self.approved.is_empty() {
                    return Err(format!("policy {policy} lets more through, and the log has nobody who approved it"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn follow_facts(&mut self, body: &Body) {
        let count = |name: &str| match body.d.get(name) {
            Some(audit::Value::Integer(n)) => *n,
            _ => 0,
        };
        let mut brought_in = |kind: &str, n: i64| {
            let n_known = self.facts.entry(kind.to_owned()).or_default();
            *n_known = n_known.saturating_add(n);
        };
        if let (Act::FactsImport, Some(audit::Value::Text(kind))) = (body.act, body.d.get("kind")) {
            brought_in(kind, count("new").saturating_add(count("changed")));
        }
        if FACTS_ALONG.contains(&body.act) {
            brought_in(FactKind::Accounts.name(), count("accounts"));
            brought_in(FactKind::Settlements.name(), count("settlements"));
        }
    }

    /// Follows one entry: an object's entry with a revision must continue where its last one left off.
    fn follow(&mut self, body: Body, last: Hash) -> Result<(), String> {
        self.seen += 1;
        self.follow_policies(&body)?;
        self.follow_facts(&body);
        let Some(object) = body.obj else { return Ok(()) };
        match body.act {
            Act::AccountCreate => drop(self.accounts.insert(object.id.clone())),
            Act::CaseDuplicate => *self.duplicates.entry(object.id.clone()).or_default() += 1,
            Act::PrivacyErase => drop(self.erased.insert(object.id.clone(), self.seen)),
            _ => {}
        }
        let (Some(revision), Some(state)) = (body.rev, body.to) else { return Ok(()) };
        match self.cases.get(&object.id) {
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
        self.cases.insert(object.id, Place { state, revision, last });
        Ok(())
    }
}

//! The end of a case: its record key and the openings of its entries are destroyed in the transaction that says so, and
//! with them everything that they opened, wherever a copy of it lies.

use std::collections::BTreeSet;

use audit::{Act, Body, Leaf};
use case::{Actor, Case, CaseId, Deed, Event, Family, Ground, Kin, State, Timestamp};
use serde::Serialize;
use tracing::warn;
use uuid::Uuid;

use crate::cases::case_id;
use crate::db::{Arg, Tx};
use crate::log::{Draft, shown};
use crate::{Error, Store, VaultError, boxed, causes};

/// What was destroyed, why, by whom, and which entries of the log say so. Nothing in it is personal: people are pseudonyms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Certificate {
    pub case: CaseId,
    pub ground: Ground,
    pub proposed_by: String,
    pub approved_by: String,
    /// When it was erased, as in the log.
    pub at: Timestamp,
    /// The id of the record key that was destroyed.
    pub key: String,
    pub files: u64,
    /// Those of them that are, or may be, there still; nothing opens them.
    pub files_left: Vec<Uuid>,
    /// May the key's bytes still be in the write-ahead log of the database? Then somebody reads or writes in it for long.
    pub key_lingers: bool,
    /// How many entries have commitments that can be opened no more, and which.
    pub openings: u64,
    pub entries: Vec<Erased>,
    /// The entry that says so; `countersign log prove` gives its receipt. Absent while it waits to be sealed.
    pub entry: String,
    pub index: Option<u64>,
}

/// An entry that stays as it is, and whose commitments nobody can open any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Erased {
    pub entry: String,
    pub index: Option<u64>,
    pub act: &'static str,
}

/// A case that came to its end, as a list of what is due shows it. Nothing sealed is opened for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Clocked {
    pub case: CaseId,
    pub state: State,
    pub received_at: Timestamp,
    /// The first moments of the last days on which it must, and should, be there.
    pub keep_until: Option<Timestamp>,
    pub delete_by: Option<Timestamp>,
    pub n_holds: u64,
    pub proposed: bool,
}

/// Which cases [`Store::clocked`] lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Their minimum passed, nothing holds them, and nobody proposed to erase them.
    Due,
    /// Somebody proposed to erase them.
    Proposed,
    Held,
}

impl Store {
    /// The cases that may go or are kept from going, the longest overdue first; at most `rows_max`.
    #[boxed]
    pub async fn clocked(&self, ask: Ask, now: Timestamp, rows_max: u32) -> Result<Vec<Clocked>, Error> {
        let sql = match ask {
            Ask::Due => {
                "SELECT case_id, state, received_at, keep_until, delete_by, n_holds, proposed FROM cases
                 WHERE keep_until < $1 AND n_holds = 0 AND proposed = 0 ORDER BY keep_until, case_id LIMIT $2"
            }
            Ask::Proposed => {
                "SELECT case_id, state, received_at, keep_until, delete_by, n_holds, proposed FROM cases
                 WHERE $1 = $1 AND proposed = 1 ORDER BY case_id LIMIT $2"
            }
            Ask::Held => {
                "SELECT case_id, state, received_at, keep_until, delete_by, n_holds, proposed FROM cases
                 WHERE $1 = $1 AND 0 < n_holds ORDER BY case_id LIMIT $2"
            }
        };
        // The last day of the clock is kept too.
        let day = start_of(now.date());
        let rows = self.db.rows(sql, &[Arg::Int(day), Arg::Int(rows_max.into())]).await?;
        rows.iter()
            .map(|row| {
                Ok(Clocked {
                    case: case_id(row, 0)?,
                    state: row.parsed(1, State::named)?,
                    received_at: Timestamp(row.int(2)?),
                    keep_until: row.maybe_int(3)?.map(Timestamp),
                    delete_by: row.maybe_int(4)?.map(Timestamp),
                    n_holds: row.int(5)?.unsigned_abs(),
                    proposed: row.int(6)? == 1,
                })
            })
            .collect()
    }

    /// Whose bytes a case has in common with: the mails that it came with, and what came with it.
    pub(crate) async fn family(&self, tx: &mut Tx, id: &str) -> Result<Family, Error> {
        let mails = "SELECT cases.case_id, state FROM cases WHERE case_id IN
                     (SELECT mail FROM arrivals WHERE case_id = $1 AND mail IS NOT NULL) ORDER BY case_id";
        let parts = "SELECT cases.case_id, state, n_holds FROM cases WHERE case_id IN
                     (SELECT case_id FROM arrivals WHERE mail = $1) ORDER BY case_id";
        let mut family = Family::new();
        for row in tx.rows(parts, &[Arg::Text(id)]).await? {
            let (state, held) = (row.parsed(1, State::named)?, 0 < row.int(2)?);
            family.insert(case_id(&row, 0)?, Kin::Part { state, held });
        }
        for row in tx.rows(mails, &[Arg::Text(id)]).await? {
            family.insert(case_id(&row, 0)?, Kin::Mail { state: row.parsed(1, State::named)? });
        }
        Ok(family)
    }

    /// INVARIANT (a hold beats every delete path): whoever places a hold on one of these meanwhile waits, or was first and
    /// then is seen here.
    pub(crate) async fn family_is_still(&self, tx: &mut Tx, id: &str, family: &Family) -> Result<bool, Error> {
        // The case too, so that its bytes do not come again meanwhile; in one order, so that nobody waits in a circle.
        let own = id.to_owned();
        let all: BTreeSet<String> = family.keys().map(CaseId::to_string).chain([own]).collect();
        for case in &all {
            let sql = "UPDATE cases SET revision = revision WHERE case_id = $1";
            tx.execute(sql, &[Arg::Text(case)]).await?;
        }
        Ok(self.family(tx, id).await? == *family)
    }

    /// Destroys what opens a case, and enters it. The case's row says by now what is left of it.
    pub(crate) async fn destroy(
        &self,
        tx: &mut Tx,
        case: &Case,
        files: &BTreeSet<Uuid>,
        reason: &str,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), Error> {
        let id = case.id.to_string();
        let key = self.record_key_in(tx, &id).await?.id.to_string();
        let row = tx.row("SELECT COUNT(*) FROM log_openings WHERE object = $1", &[Arg::Text(&id)]).await?;
        let openings = row.map(|row| row.int(0)).transpose()?.unwrap_or(0);
        if tx.execute("DELETE FROM record_keys WHERE owner = $1", &[Arg::Text(&id)]).await? != 1 {
            return Err(Error::Row { what: format!("case {id} has no record key to destroy") });
        }
        tx.execute("DELETE FROM log_openings WHERE object = $1", &[Arg::Text(&id)]).await?;
        self.forget_bill(tx, case, now).await?;
        // Under the house's key, because the case has none any more.
        let mut entry = Draft::new(Act::PrivacyErase, by).about("case", &id);
        entry.count("openings", openings);
        entry.list("files", files.iter().map(Uuid::to_string));
        entry.tell("key", key);
        entry.hide("reason", reason.to_owned());
        self.write_entry(tx, entry, now).await?;
        Ok(())
    }

    /// After the commit: what the database still has of the key in its own log, and the files, which nothing opens any
    /// more. What is left, by a crash too, [`Store::certificate`] tells; the database's log is emptied at the next erasure and
    /// whenever the store is opened.
    pub(crate) async fn sweep(&self, files: BTreeSet<Uuid>) {
        match self.db.forget().await {
            Ok(true) => {}
            Ok(false) => {
                warn!("The key of an erased case may still be in the database's write-ahead log, which is in use")
            }
            Err(err) => warn!("The key of an erased case may still be in the database's own log: {}", causes(&err)),
        }
        let removed = self.blocking(move |store| {
            for file in files {
                match store.vault.remove(file) {
                    Ok(()) | Err(VaultError::Missing { .. }) => {}
                    Err(err) => warn!("A file of an erased case, which nothing opens, stays: {}", causes(&err)),
                }
            }
        });
        if let Err(err) = removed.await {
            warn!("The files of an erased case, which nothing opens, may be there still: {}", causes(&err));
        }
    }

    /// What proves that a case was erased.
    #[boxed]
    pub async fn certificate(&self, id: CaseId, by: &Actor, now: Timestamp) -> Result<Certificate, Error> {
        self.authorize(by, Deed::ViewCase, now).await?;
        let case = self.case(id).await?;
        let object = id.to_string();
        let not_erased =
            || Error::Unacceptable { what: format!("case `{id}` is {} and not erased", case.state.name()) };
        if case.state == State::Erased && case.disposal.is_none() {
            let what = format!(
                "case `{id}` was erased after the backup that this database was restored from, and the entries that say so are not in it"
            );
            return Err(Error::Unacceptable { what });
        }
        let disposal = case.disposal.as_ref().filter(|_| case.state == State::Erased).ok_or_else(not_erased)?;
        let mut said = Vec::new();
        let sealed = "SELECT leaf FROM log_entries WHERE object = $1 ORDER BY log, position";
        for row in self.db.rows(sealed, &[Arg::Text(&object)]).await? {
            let leaf = Leaf::parse(row.bytes(0)?)?;
            said.push((Some(leaf.index), Body::parse(leaf.body)?));
        }
        let waiting = "SELECT entry FROM log_outbox WHERE object = $1 ORDER BY position";
        for row in self.db.rows(waiting, &[Arg::Text(&object)]).await? {
            said.push((None, Body::parse(row.bytes(0)?)?));
        }
        let erased = said.iter().rposition(|(_, body)| body.act == Act::PrivacyErase).ok_or_else(not_erased)?;
        let (before, from) = said.split_at(erased);
        let (index, body) = from.first().ok_or_else(not_erased)?;
        let number = |name: &str| match body.d.get(name) {
            Some(audit::Value::Integer(number)) => number.unsigned_abs(),
            _ => 0,
        };
        let key = match body.d.get("key") {
            Some(audit::Value::Text(key)) => key.clone(),
            _ => String::new(),
        };
        let files: Vec<Uuid> = match body.d.get("files") {
            Some(audit::Value::List(files)) => files.iter().filter_map(|file| shown(file).parse().ok()).collect(),
            _ => Vec::new(),
        };
        let n_files = files.len() as u64;
        // What cannot be looked for counts as there.
        let left = self.blocking(move |store| {
            files.into_iter().filter(|file| store.vault.holds(*file).unwrap_or(true)).collect::<Vec<_>>()
        });
        Ok(Certificate {
            case: id,
            ground: disposal.ground,
            proposed_by: disposal.by.clone(),
            approved_by: disposal.approved.as_ref().map(|it| it.by.clone()).unwrap_or_default(),
            at: Timestamp(body.at),
            key,
            files: n_files,
            files_left: left.await?,
            key_lingers: !self.db.checkpoint().await.unwrap_or(false),
            openings: number("openings"),
            entries: before
                .iter()
                .filter(|(_, body)| !body.c.is_empty())
                .map(|(index, body)| Erased { entry: body.id.clone(), index: *index, act: body.act.text() })
                .collect(),
            entry: body.id.clone(),
            index: *index,
        })
    }
}

/// The family that an event is judged with is looked up here: a caller's is not believed.
pub(crate) fn family_of(event: &mut Event) -> Option<&mut Family> {
    match event {
        Event::DisposalProposed { family, .. } | Event::DisposalApproved { family, .. } => Some(family),
        _ => None,
    }
}

/// The first moment of a day in UTC, in microseconds since 1970.
pub(crate) fn start_of(day: jiff::civil::Date) -> i64 {
    day.to_zoned(jiff::tz::TimeZone::UTC).map_or(i64::MAX, |start| start.timestamp().as_microsecond())
}

//! Cases: moved, leased to machines, opened.

mod entry;

use std::collections::BTreeSet;

use case::{Action, Actor, Case, CaseId, Clocks, Decision, Event, Refusal, State, Timestamp, Verdict, step};
use jiff::civil::Date;
use uuid::Uuid;

use crate::db::{Arg, Row as DbRow, Tx, tried};
use crate::disposal::{family_of, start_of};
use crate::facts::{Gathered, waits};
use crate::lessons::Taught;
use crate::log::{hash, signed};
use crate::{ApplyError, Error, Store, boxed, opened_json, sealed_json};
use entry::{denied, entry_of, tell_clocks};

/// A piece of work that this caller holds until its lease runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    pub case: CaseId,
    pub revision: u64,
    pub action: Action,
    /// Counts from 1, before the work begins: what kills its worker still ends.
    pub attempt: u32,
}

/// A case that a machine moved, and the work that follows, which the same machine now holds.
#[derive(Clone, Debug)]
pub struct Advanced {
    pub case: Case,
    pub next: Option<Work>,
}

/// How long a machine holds a piece of work. Longer than any reading may take, so that only a dead worker loses it.
const LEASE_MICROS: i64 = 120_000_000;

impl Store {
    /// Moves one case by one step: the case, the work that follows and the audit entry, or none of them.
    /// What the rules refuse because of who asks is entered in the log as denied.
    #[boxed]
    pub async fn apply(
        &self,
        id: CaseId,
        revision: u64,
        event: Event,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Case, ApplyError> {
        Ok(self.moved(id, revision, event, None, actor, now, now.0).await?.case)
    }

    /// As [`Store::apply`], for the machine that holds `work`: it also holds what follows.
    #[boxed]
    pub async fn advance(
        &self,
        work: &Work,
        event: Event,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Advanced, ApplyError> {
        self.moved(work.case, work.revision, event, None, actor, now, now.0 + LEASE_MICROS).await
    }

    /// As [`Store::advance`], for a verdict that rests on facts: refused when they have changed since they were looked up.
    #[boxed]
    pub async fn advance_on(
        &self,
        gathered: &Gathered,
        work: &Work,
        event: Event,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Advanced, ApplyError> {
        self.moved(work.case, work.revision, event, Some(gathered), actor, now, now.0 + LEASE_MICROS).await
    }

    /// As [`Store::advance_on`], for a case that is looked at again: whoever comes next does what follows.
    #[boxed]
    pub async fn rejudge(
        &self,
        gathered: &Gathered,
        case: &Case,
        event: Event,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Case, ApplyError> {
        Ok(self.moved(case.id, case.revision, event, Some(gathered), actor, now, now.0).await?.case)
    }

    #[expect(clippy::too_many_arguments, reason = "the one private function behind the four above")]
    async fn moved(
        &self,
        id: CaseId,
        revision: u64,
        event: Event,
        gathered: Option<&Gathered>,
        actor: &Actor,
        now: Timestamp,
        ready_at: i64,
    ) -> Result<Advanced, ApplyError> {
        let once = || self.moved_once(id, revision, event.clone(), gathered, actor, now, ready_at);
        tried(ApplyError::crossed, once).await
    }

    #[expect(clippy::too_many_arguments, reason = "the one private function behind the one above")]
    async fn moved_once(
        &self,
        id: CaseId,
        revision: u64,
        mut event: Event,
        gathered: Option<&Gathered>,
        actor: &Actor,
        now: Timestamp,
        ready_at: i64,
    ) -> Result<Advanced, ApplyError> {
        // The transaction writes and compares; reading, deciding and sealing come before it, and the revision in its
        // UPDATE shows whether they still hold.
        let text = id.to_string();
        let sql = "SELECT revision, last_entry, cases.body, record_keys.body
                   FROM cases LEFT JOIN record_keys ON record_keys.owner = case_id WHERE case_id = $1";
        let row = self.db.row(sql, &[Arg::Text(&text)]).await?;
        let row = row.ok_or_else(|| Error::NoSuchCase { id: text.clone() })?;
        if row.int(0)? != signed(revision)? {
            return Err(ApplyError::Conflict { id, revision });
        }
        let key = self.record_key(&text, row.maybe_bytes(3)?)?;
        let case: Case = opened_json(&key, &context(&text), row.bytes(2)?)?;
        let family = match family_of(&mut event) {
            Some(family) => {
                *family = self.family(&mut self.db.snapshot().await?, &text).await?;
                Some(family.clone())
            }
            None => None,
        };
        let entry = entry_of(&case, &event, actor);
        let erases = match &event {
            Event::DisposalApproved { said, .. } => Some(said.reason.clone()),
            _ => None,
        };
        let (aside, beside) = (event.aside(), event.beside());
        let rejudged = matches!(event, Event::Rejudged(_));
        let approves = matches!(event, Event::Decided(Decision { verdict: Verdict::Approve, .. }));
        let (next, action) = match step(&case, event) {
            Ok(stepped) => stepped,
            Err(refusal) => {
                if refusal.about_authority() {
                    self.enter(denied(&case, &refusal, actor), now).await?;
                }
                return Err(refusal.into());
            }
        };
        let mut entry = entry;
        if rejudged {
            entry.list("voided", voided(&case, &next));
        }
        entry.rev = Some(next.revision);
        entry.sprev = Some(hash(row.bytes(1)?)?);
        entry.from = Some(case.state.name());
        entry.to = Some(next.state.name());
        if next.keep != case.keep {
            tell_clocks(&mut entry, &next);
        }
        let (entry, entered) = self.entry(entry, &key, now)?;
        let stays = if erases.is_some() { &*self.house } else { &*key };
        let body = sealed_json(stays, &context(&text), &next)?;
        let taught = if approves { self.taught(&next).await? } else { Taught::new() };
        let mut tx = self.db.begin().await?;
        if let Some(family) = family
            && !self.family_is_still(&mut tx, &text, &family).await?
        {
            return Err(ApplyError::Conflict { id, revision });
        }
        if let Some(gathered) = gathered {
            self.use_facts(&mut tx, gathered).await?;
        }
        if approves && self.is_awake(&mut tx, &text).await? {
            return Err(Refusal::Outdated.into());
        }
        let moved = tx
            .execute(
                "UPDATE cases SET revision = $1, state = $2, kind = $3, changed_at = $4, due_at = $5, last_entry = $6, body = $7,
                        keep_until = $10, delete_by = $11, n_holds = $12, proposed = $13, digest_key = $14
                 WHERE case_id = $8 AND revision = $9",
                &[
                    Arg::Int(signed(next.revision)?),
                    Arg::Text(next.state.name()),
                    Arg::Text(next.kind().name()),
                    Arg::Int(now.0),
                    Arg::MaybeInt(due_at(&next)),
                    Arg::Bytes(&entered.0),
                    Arg::Bytes(&body),
                    Arg::Text(&text),
                    Arg::Int(signed(revision)?),
                    Arg::MaybeInt(clock(&next, |clocks| clocks.keep_until)),
                    Arg::MaybeInt(clock(&next, |clocks| clocks.delete_by)),
                    Arg::Int(next.holds.len() as i64),
                    Arg::Int(proposed(&next).into()),
                    Arg::Bytes(&self.digest_key(&next)),
                ],
            )
            .await?;
        if moved == 0 {
            return Err(ApplyError::Conflict { id, revision });
        }
        self.write_ready_entry(&mut tx, entry).await?;
        // Held by the caller already when its time is in the future, so this is its first attempt.
        let attempt = u32::from(now.0 < ready_at);
        if aside {
            keep_work(&mut tx, &next).await?;
        } else {
            write_work(&mut tx, &next, action, attempt, ready_at).await?;
        }
        if next.extraction != case.extraction || (next.state == State::Rejected) != (case.state == State::Rejected) {
            self.write_terms(&mut tx, &next).await?;
        }
        let (waits, reviewed) = (waits(&next), [case.state, next.state].contains(&State::InReview));
        if (waits && gathered.is_some()) || (!waits && reviewed) {
            self.wait_for(&mut tx, id, gathered.filter(|_| waits)).await?;
        }
        if (waits && case.state == State::Approved) || (case.state == State::InReview && next.state == State::Posted) {
            // Back from the ledger, or booked and out of review: what was learned meanwhile is looked at.
            self.wake_now(&mut tx, &text, now).await?;
        }
        for other in beside {
            self.wake_booked(&mut tx, other, now).await?;
        }
        if erases.is_none() {
            self.write_bill(&mut tx, &case, &next, gathered.is_some(), now).await?;
        }
        self.learn(&mut tx, &taught).await?;
        let files = files(&case);
        if let Some(reason) = &erases {
            self.destroy(&mut tx, &next, &files, reason, actor, now).await?;
        }
        tx.commit().await?;
        self.bell.notify_one();
        if erases.is_some() {
            self.sweep(files).await;
        }
        let next_work =
            action.filter(|_| attempt == 1).map(|action| Work { case: id, revision: next.revision, action, attempt });
        Ok(Advanced { case: next, next: next_work })
    }

    /// Leases up to `n` pieces of work; each is the caller's alone until its lease runs out.
    #[boxed]
    pub async fn lease(&self, n: u32, now: Timestamp) -> Result<Vec<Work>, Error> {
        // A look first: an idle service must not take the write lock again and again.
        let ready = self.db.row("SELECT case_id FROM work WHERE ready_at <= $1 LIMIT 1", &[Arg::Int(now.0)]).await?;
        if ready.is_none() {
            return Ok(Vec::new());
        }
        let rows = self.db.lease(n.into(), now.0, now.0 + LEASE_MICROS).await?;
        rows.iter()
            .map(|row| {
                Ok(Work {
                    case: case_id(row, 0)?,
                    revision: row.int(1)?.unsigned_abs(),
                    action: row.parsed(2, Action::named)?,
                    attempt: u32::try_from(row.int(3)?).unwrap_or(u32::MAX),
                })
            })
            .collect()
    }

    /// Puts work back, to be leased again no earlier than `ready_at`, with its count of attempts: 0 if it was not begun.
    /// Nothing happens if somebody moved the case.
    #[boxed]
    pub async fn put_back(&self, work: &Work, ready_at: Timestamp) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        tx.execute(
            "UPDATE work SET ready_at = $1, attempt = $2 WHERE case_id = $3 AND revision = $4",
            &[
                Arg::Int(ready_at.0),
                Arg::Int(work.attempt.into()),
                Arg::Text(&work.case.to_string()),
                Arg::Int(signed(work.revision)?),
            ],
        )
        .await?;
        tx.commit().await
    }

    /// Is no machine at work, and no case to be looked at again? What waits for a later time, such as a ledger that did not
    /// answer, rests too; what is leased does not.
    #[boxed]
    pub async fn resting(&self, now: Timestamp) -> Result<bool, Error> {
        // Another worker's clock may have been read a little later than this one.
        const MARGIN_MICROS: i64 = 5_000_000;
        let sql = "SELECT case_id FROM work WHERE ready_at <= $1 OR (attempt > 0 AND ready_at <= $2)
                   UNION ALL SELECT woken.case_id FROM woken JOIN cases ON cases.case_id = woken.case_id
                   WHERE woken_at <= $1 AND state <> $3 LIMIT 1";
        let later = now.0 + LEASE_MICROS + MARGIN_MICROS;
        let args = [Arg::Int(now.0), Arg::Int(later), Arg::Text(State::Approved.name())];
        Ok(self.db.row(sql, &args).await?.is_none())
    }

    /// For machines: nobody's authority is asked and nothing is entered.
    #[boxed]
    pub async fn case(&self, id: CaseId) -> Result<Case, Error> {
        let text = id.to_string();
        let sql = "SELECT cases.body, record_keys.body FROM cases LEFT JOIN record_keys ON record_keys.owner = case_id
                   WHERE case_id = $1";
        let row = self.db.row(sql, &[Arg::Text(&text)]).await?;
        let row = row.ok_or_else(|| Error::NoSuchCase { id: text.clone() })?;
        self.open_case(&text, row.bytes(0)?, row.maybe_bytes(1)?)
    }

    /// A case out of its sealed body, with its record key as the key table has it.
    pub(crate) fn open_case(&self, id: &str, body: &[u8], wrapped: Option<&[u8]>) -> Result<Case, Error> {
        opened_json(&*self.record_key(id, wrapped)?, &context(id), body)
    }

    /// What the same bytes are known by when they come again; of a case that is erased nobody knows them any more.
    pub(crate) fn digest_key(&self, case: &Case) -> [u8; 32] {
        match case.state {
            State::Erased => self.keys.blind("erased", &case.id.to_string()),
            _ => self.keys.blind("document", &case.document.digest.to_string()),
        }
    }
}

/// Whose approvals a new verdict took away.
fn voided(before: &Case, case: &Case) -> BTreeSet<String> {
    let approvals = |case: &Case| -> BTreeSet<(String, String)> {
        let approvals =
            case.checkpoints.iter().flat_map(|it| it.approvals.iter().map(|by| (it.id.clone(), by.by.clone())));
        approvals.collect()
    };
    approvals(before).difference(&approvals(case)).map(|(_, by)| by.clone()).collect()
}

/// The sealed files of a case.
pub(crate) fn files(case: &Case) -> BTreeSet<Uuid> {
    std::iter::once(case.original).chain(case.pictures.iter().map(|picture| picture.file)).collect()
}

/// One of the two clocks of a case, where it has some and is still there.
pub(crate) fn clock(case: &Case, which: impl Fn(&Clocks) -> Date) -> Option<i64> {
    let clocks = case.keep.as_ref().and_then(|keep| keep.clocks.as_ref()).filter(|_| case.state != State::Erased);
    clocks.map(|clocks| start_of(which(clocks)))
}

pub(crate) fn proposed(case: &Case) -> bool {
    case.disposal.is_some() && case.state != State::Erased
}

/// When the first open checkpoint of a case in review is due.
pub(crate) fn due_at(case: &Case) -> Option<i64> {
    let open = case.checkpoints.iter().filter(|it| case.state == State::InReview && !it.settled());
    open.map(|it| it.due_at.0).min()
}

pub(crate) async fn write_work(
    tx: &mut Tx,
    case: &Case,
    action: Option<Action>,
    attempt: u32,
    ready_at: i64,
) -> Result<(), Error> {
    let id = case.id.to_string();
    match action {
        Some(action) => {
            tx.execute(
                "INSERT INTO work (case_id, revision, action, attempt, ready_at) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (case_id) DO UPDATE SET revision = $2, action = $3, attempt = $4, ready_at = $5",
                &[
                    Arg::Text(&id),
                    Arg::Int(signed(case.revision)?),
                    Arg::Text(action.name()),
                    Arg::Int(attempt.into()),
                    Arg::Int(ready_at),
                ],
            )
            .await?;
        }
        None => {
            tx.execute("DELETE FROM work WHERE case_id = $1", &[Arg::Text(&id)]).await?;
        }
    }
    Ok(())
}

/// The work goes on where it was: a machine that holds it finds that the case moved, and whoever takes it after the lease
/// begins it again, asking first where something may have been sent.
async fn keep_work(tx: &mut Tx, case: &Case) -> Result<(), Error> {
    let sql = "UPDATE work SET revision = $1 WHERE case_id = $2";
    tx.execute(sql, &[Arg::Int(signed(case.revision)?), Arg::Text(&case.id.to_string())]).await?;
    Ok(())
}

pub(crate) fn context(case: &str) -> String {
    format!("cases/{case}")
}

pub(crate) fn case_id(row: &DbRow, column: usize) -> Result<CaseId, Error> {
    row.parsed(column, |text| text.parse().ok())
}

//! Cases: taken in, moved, leased to machines, shown to people.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::Arc;

use case::{
    Action, Actor, Answer, Case, CaseId, Clocks, Decision, Deed, Digest, Document, Event, Invoice, Kind, Picture,
    Refusal, State, Timestamp, Verdict, step,
};
use jiff::civil::Date;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::db::{Arg, Row as DbRow, Tx};
use crate::disposal::{family_of, start_of};
use crate::facts::Known;
use crate::lessons::Taught;
use crate::log::{Draft, hash, signed};
use crate::records::NewRecord;
use crate::vault::{RecordKey, SealedFile, VaultError};
use crate::{ApplyError, Error, Store, opened_json, sealed_json, uuid_v7};
use audit::Act;

/// A file that came in.
#[derive(Debug)]
pub struct Arrival {
    /// The caller's name for this arrival: admitted twice under the same name, it was admitted once.
    pub id: Uuid,
    pub content: Content,
    /// As the sender named it.
    pub file_name: String,
    /// The sub-folder of the inbox, or `inbox`, or `api`.
    pub channel: String,
}

/// What is in a file that came in. One that is open is read twice, to tell it and to seal it, and is never whole in memory.
#[derive(Debug)]
pub enum Content {
    Bytes(Vec<u8>),
    Open(File),
}

impl Content {
    /// Digest and size.
    fn told(&mut self) -> io::Result<(Digest, u64)> {
        match self {
            Content::Bytes(bytes) => Ok((Digest::of(bytes), bytes.len() as u64)),
            Content::Open(file) => {
                file.rewind()?;
                let mut read = Hashing { inner: file, hash: Sha256::new() };
                let size = io::copy(&mut read, &mut io::sink())?;
                Ok((Digest(read.hash.finalize().into()), size))
            }
        }
    }
}

/// Digests what is read through it.
struct Hashing<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.hash.update(buf.get(..n).unwrap_or_default());
        Ok(n)
    }
}

/// The bytes of a document as they arrived, sealed as they are, to be opened piece by piece.
#[derive(Clone)]
pub struct Original(Arc<SealedFile>);

impl Original {
    /// So many bytes are opened at once by [`Original::piece`] at most.
    pub const PIECE_BYTES_MAX: u64 = 4 << 20;

    pub fn size(&self) -> u64 {
        self.0.size()
    }

    /// All of it, for what is known to be small enough to be in memory: at most 256 MiB.
    pub async fn bytes(&self) -> Result<Vec<u8>, Error> {
        let file = self.0.clone();
        Ok(tokio::task::spawn_blocking(move || file.whole()).await??)
    }

    /// The next piece from `offset` on; empty at the end.
    pub async fn piece(&self, offset: u64) -> Result<Vec<u8>, Error> {
        let file = self.0.clone();
        let size = Original::PIECE_BYTES_MAX.min(self.size().saturating_sub(offset));
        Ok(tokio::task::spawn_blocking(move || file.range(offset, size)).await??)
    }
}

impl std::fmt::Debug for Original {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Original({} bytes)", self.size())
    }
}

/// INVARIANT (nothing is lost): every file that was seen is one of these, with its row and its entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    New(CaseId),
    /// The same bytes are here already, as this case.
    Duplicate(CaseId),
}

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

/// One line of a list of cases: nothing personal, nothing sealed.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub case: CaseId,
    pub state: State,
    pub kind: Kind,
    pub channel: String,
    pub received_at: Timestamp,
    pub changed_at: Timestamp,
    pub due_at: Option<Timestamp>,
    pub revision: u64,
}

/// Which cases to list.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    pub state: Option<State>,
    pub order: Rank,
    /// At most [`Listing::ROWS_MAX`].
    pub rows_max: u32,
    pub skip: u32,
}

impl Listing {
    pub const ROWS_MAX: u32 = 10_000;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// What must be decided first: overdue, then by due time, then by arrival.
    Due,
    Newest,
    Oldest,
}

/// How many cases rest in each state, and how much waits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub by_state: Vec<(State, u64)>,
    pub work: u64,
    pub overdue: u64,
    pub arrivals: u64,
    pub duplicates: u64,
}

impl Counts {
    pub fn of(&self, state: State) -> u64 {
        self.by_state.iter().find(|(found, _)| *found == state).map_or(0, |(_, n)| *n)
    }

    /// Cases that a machine is still to move.
    pub fn in_flight(&self) -> u64 {
        State::ALL.into_iter().filter(|state| state.in_flight()).map(|state| self.of(state)).sum()
    }
}

/// How long a machine holds a piece of work. Longer than any reading may take, so that only a dead worker loses it.
const LEASE_MICROS: i64 = 120_000_000;
const NAME_CHARS_MAX: usize = 255;

impl Store {
    /// Seals the bytes, then enters case, work and audit entry in one transaction. On return the file may be removed
    /// from where it came from; on error it MUST be left there.
    pub async fn admit(&self, arrival: Arrival, by: &Actor, now: Timestamp) -> Result<Admission, Error> {
        self.admit_from(arrival, None, by, now).await
    }

    /// As [`Store::admit`], for the document that came with a mail as its `part` (from 1). The same part of the same mail
    /// is admitted once, however often this is called; its channel is the mail's, and its entry names the mail.
    pub async fn admit_part(
        &self,
        mail: &Case,
        part: u32,
        file_name: String,
        bytes: Vec<u8>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Admission, Error> {
        let named = Digest::of(format!("part {part} of {}", mail.id).as_bytes());
        let [id @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = named.0;
        let arrival = Arrival {
            id: uuid::Builder::from_custom_bytes(id).into_uuid(),
            content: Content::Bytes(bytes),
            file_name,
            channel: mail.document.channel.clone(),
        };
        self.admit_from(arrival, Some((mail.id, part)), by, now).await
    }

    async fn admit_from(
        &self,
        mut arrival: Arrival,
        origin: Option<(CaseId, u32)>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Admission, Error> {
        let before = "SELECT case_id, duplicate FROM arrivals WHERE arrival_id = $1";
        if let Some(row) = self.db.row(before, &[Arg::Text(&arrival.id.to_string())]).await? {
            let id = case_id(&row, 0)?;
            return Ok(if row.int(1)? == 1 { Admission::Duplicate(id) } else { Admission::New(id) });
        }
        let (digest, size_bytes);
        (arrival, digest, size_bytes) = self
            .blocking(move |_| arrival.content.told().map(|(digest, size)| (arrival, digest, size)).map_err(unread))
            .await??;
        let digest_key = self.keys.blind("document", &digest.to_string());
        let twin_sql = "SELECT case_id FROM cases WHERE digest_key = $1";
        if self.db.row(twin_sql, &[Arg::Bytes(&digest_key)]).await?.is_some() {
            return self.admit_duplicate(&arrival, origin, digest, &digest_key, by, now).await;
        }
        let document = Document {
            digest,
            size_bytes,
            file_name: arrival.file_name.chars().take(NAME_CHARS_MAX).collect(),
            channel: arrival.channel.chars().take(NAME_CHARS_MAX).collect(),
            received_at: now,
        };
        let mut case = Case::new(CaseId(uuid_v7()), document, uuid_v7(), by);
        case.mail = origin.map(|(mail, _)| mail);
        let (id, original) = (case.id.to_string(), case.original);
        let record = self.new_record(&id)?;
        arrival = self.seal_content(arrival, original, &record.key, digest).await?;
        let mut entry = Draft::new(Act::CaseAdmit, by).about("case", &id);
        entry.rev = Some(case.revision);
        entry.to = Some(case.state.name());
        entry.hide("channel", case.document.channel.clone());
        entry.count("size_bytes", signed(case.document.size_bytes)?);
        entry.hide("digest", digest.to_string());
        entry.hide("source", case.document.file_name.clone());
        tell_origin(&mut entry, origin);

        let entered = self.enter_case(&case, &record, entry, &arrival, &digest_key, now).await;
        if !matches!(entered, Ok(Some(_))) {
            // Its twin came in between, or it could not be entered: the sealed copy of what is no case goes.
            self.blocking(move |store| store.vault.remove(original)).await??;
        }
        match entered? {
            Some(tx) => tx.commit().await?,
            None => return self.admit_duplicate(&arrival, origin, digest, &digest_key, by, now).await,
        }
        self.bell.notify_one();
        Ok(Admission::New(case.id))
    }

    /// Seals what came in as file `id`, if it still is what it was when it was digested.
    async fn seal_content(
        &self,
        mut arrival: Arrival,
        id: Uuid,
        key: &RecordKey,
        digest: Digest,
    ) -> Result<Arrival, Error> {
        let key = key.clone();
        let sealed = self.blocking(move |store| {
            match &mut arrival.content {
                Content::Bytes(bytes) => store.vault.put(id, &key, bytes.len() as u64, &mut bytes.as_slice())?,
                Content::Open(file) => {
                    let size = file.metadata().map_err(unread)?.len();
                    file.rewind().map_err(unread)?;
                    let mut read = Hashing { inner: file, hash: Sha256::new() };
                    store.vault.put(id, &key, size, &mut read)?;
                    if Digest(read.hash.finalize().into()) != digest {
                        store.vault.remove(id)?;
                        return Err(VaultError::Changed { size }.into());
                    }
                }
            }
            Ok(arrival)
        });
        sealed.await?
    }

    /// Everything that an admission writes, ready to be committed; `None` when the same bytes are a case already.
    async fn enter_case(
        &self,
        case: &Case,
        record: &NewRecord,
        entry: Draft,
        arrival: &Arrival,
        digest_key: &[u8],
        now: Timestamp,
    ) -> Result<Option<Tx>, Error> {
        let id = case.id.to_string();
        let body = sealed_json(&record.key, &context(&id), case)?;
        let (entry, entered) = self.entry(entry, &record.key, now)?;
        let mut tx = self.db.begin().await?;
        self.write_ready_entry(&mut tx, entry).await?;
        let new = tx
            .execute(
                "INSERT INTO cases (case_id, revision, state, kind, channel, received_at, changed_at, due_at, n_holds, proposed, digest_key, last_entry, body)
                 VALUES ($1, $2, $3, $4, $5, $6, $6, NULL, 0, 0, $7, $8, $9) ON CONFLICT (digest_key) DO NOTHING",
                &[
                    Arg::Text(&id),
                    Arg::Int(signed(case.revision)?),
                    Arg::Text(case.state.name()),
                    Arg::Text(case.kind().name()),
                    Arg::Text(&case.document.channel),
                    Arg::Int(now.0),
                    Arg::Bytes(digest_key),
                    Arg::Bytes(&entered.0),
                    Arg::Bytes(&body),
                ],
            )
            .await?;
        if new == 0 {
            return Ok(None);
        }
        self.write_record(&mut tx, &id, record).await?;
        write_arrival(&mut tx, arrival, false, case.mail, &id, now).await?;
        write_work(&mut tx, case, Some(Action::Extract), 0, now.0).await?;
        Ok(Some(tx))
    }

    async fn admit_duplicate(
        &self,
        arrival: &Arrival,
        origin: Option<(CaseId, u32)>,
        digest: Digest,
        digest_key: &[u8],
        by: &Actor,
        now: Timestamp,
    ) -> Result<Admission, Error> {
        let mut tx = self.db.begin().await?;
        let row = tx.row("SELECT case_id FROM cases WHERE digest_key = $1", &[Arg::Bytes(digest_key)]).await?;
        let row = row.ok_or_else(|| Error::Row { what: "a twin is gone".to_owned() })?;
        let twin: CaseId = case_id(&row, 0)?;
        let mut entry = Draft::new(Act::CaseDuplicate, by).about("case", twin);
        entry.hide("channel", arrival.channel.chars().take(NAME_CHARS_MAX).collect::<String>());
        entry.tell("twin", twin.to_string());
        entry.hide("digest", digest.to_string());
        entry.hide("source", arrival.file_name.chars().take(NAME_CHARS_MAX).collect::<String>());
        tell_origin(&mut entry, origin);
        self.write_entry(&mut tx, entry, now).await?;
        write_arrival(&mut tx, arrival, true, origin.map(|(mail, _)| mail), &twin.to_string(), now).await?;
        tx.commit().await?;
        self.bell.notify_one();
        Ok(Admission::Duplicate(twin))
    }

    /// Moves one case by one step: the case, the work that follows and the audit entry, or none of them.
    /// What the rules refuse because of who asks is entered in the log as denied.
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
    pub async fn advance_on(
        &self,
        known: &Known,
        work: &Work,
        event: Event,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Advanced, ApplyError> {
        self.moved(work.case, work.revision, event, Some(known), actor, now, now.0 + LEASE_MICROS).await
    }

    #[expect(clippy::too_many_arguments, reason = "the one private function behind the three above")]
    async fn moved(
        &self,
        id: CaseId,
        revision: u64,
        mut event: Event,
        known: Option<&Known>,
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
        let aside = event.aside();
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
        if let Some(known) = known {
            self.use_facts(&mut tx, known).await?;
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
            self.write_twin_key(&mut tx, &next).await?;
            self.write_terms(&mut tx, &next).await?;
        }
        if next.claims != case.claims {
            self.write_claims(&mut tx, &next).await?;
        }
        self.learn(&mut tx, &taught).await?;
        let files = files(&case);
        if let Some(reason) = &erases {
            self.destroy(&mut tx, &next, files.len() as u64, reason, actor, now).await?;
        }
        tx.commit().await?;
        self.bell.notify_one();
        if erases.is_some() {
            self.sweep(files.into_iter().collect()).await;
        }
        let next_work =
            action.filter(|_| attempt == 1).map(|action| Work { case: id, revision: next.revision, action, attempt });
        Ok(Advanced { case: next, next: next_work })
    }

    /// Leases up to `n` pieces of work; each is the caller's alone until its lease runs out.
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

    /// Is no machine at work? What waits for a later time, such as a ledger that did not answer, rests too; what is
    /// leased does not.
    pub async fn resting(&self, now: Timestamp) -> Result<bool, Error> {
        // Another worker's clock may have been read a little later than this one.
        const MARGIN_MICROS: i64 = 5_000_000;
        let sql = "SELECT case_id FROM work WHERE ready_at <= $1 OR (attempt > 0 AND ready_at <= $2) LIMIT 1";
        Ok(self.db.row(sql, &[Arg::Int(now.0), Arg::Int(now.0 + LEASE_MICROS + MARGIN_MICROS)]).await?.is_none())
    }

    /// Seals the pictures of a document's pages as one file, before the event that names them.
    pub async fn keep_pictures(&self, case: CaseId, pictures: Vec<Vec<u8>>) -> Result<Vec<Picture>, Error> {
        if pictures.is_empty() {
            return Ok(Vec::new());
        }
        let key = self.record_key_of(&case.to_string()).await?.into_owned();
        let kept = self.blocking(move |store| {
            let (file, mut offset) = (uuid_v7(), 0);
            let place = |picture: &Vec<u8>| {
                let size = picture.len() as u64;
                offset += size;
                Picture { file, offset: offset - size, size }
            };
            let places: Vec<Picture> = pictures.iter().map(place).collect();
            store.vault.put(file, &key, offset, &mut pictures.concat().as_slice()).map(|()| places)
        });
        Ok(kept.await??)
    }

    /// For machines: nobody's authority is asked and nothing is entered.
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

    /// For machines, as [`Store::case`].
    pub async fn original(&self, case: &Case) -> Result<Original, Error> {
        let (key, file) = (self.record_key_of(&case.id.to_string()).await?.into_owned(), case.original);
        Ok(Original(Arc::new(self.blocking(move |store| store.vault.file(file, &key)).await??)))
    }

    /// As [`Store::original`], opened as a whole.
    pub async fn original_bytes(&self, case: &Case) -> Result<Vec<u8>, Error> {
        self.original(case).await?.bytes().await
    }

    /// A case, if this person may do this with it. That there is none is told to nobody who may see none.
    async fn case_for(&self, id: CaseId, deed: Deed, actor: &Actor, now: Timestamp) -> Result<Case, Error> {
        if case::permit(actor, deed).is_err() {
            self.authorize(actor, deed, now).await?;
        }
        let case = self.case(id).await?;
        self.authorize_case(actor, deed, &case, now).await?;
        Ok(case)
    }

    /// A case for a person to look at; the look is entered in the log.
    pub async fn view(&self, id: CaseId, actor: &Actor, now: Timestamp) -> Result<Case, Error> {
        let case = self.case_for(id, Deed::ViewCase, actor, now).await?;
        self.entered_look(id, "case", actor, now).await?;
        Ok(case)
    }

    /// The original bytes for a person; entered in the log.
    pub async fn download(&self, id: CaseId, actor: &Actor, now: Timestamp) -> Result<Original, Error> {
        let case = self.case_for(id, Deed::Download, actor, now).await?;
        self.entered_look(id, "original", actor, now).await?;
        self.original(&case).await
    }

    /// The picture of a page, counted from 1, as PNG; the look is entered in the log.
    pub async fn picture(&self, id: CaseId, page: usize, actor: &Actor, now: Timestamp) -> Result<Vec<u8>, Error> {
        let case = self.case_for(id, Deed::ViewCase, actor, now).await?;
        let picture = page.checked_sub(1).and_then(|idx| case.pictures.get(idx)).copied();
        let picture = picture.ok_or_else(|| Error::NoSuch { what: "page", name: page.to_string() })?;
        self.entered_look(id, &format!("page {page}"), actor, now).await?;
        let key = self.record_key_of(&id.to_string()).await?.into_owned();
        let Picture { file, offset, size } = picture;
        Ok(self.blocking(move |store| store.vault.file(file, &key)?.range(offset, size)).await??)
    }

    async fn entered_look(&self, id: CaseId, part: &str, actor: &Actor, now: Timestamp) -> Result<(), Error> {
        let mut entry = Draft::new(Act::DocumentView, actor).about("case", id);
        entry.tell("part", part);
        self.enter(entry, now).await
    }

    pub async fn list(&self, listing: Listing) -> Result<Vec<Row>, Error> {
        let rows_max = listing.rows_max.min(Listing::ROWS_MAX);
        let state = listing.state.map_or("%", State::name);
        let args = [Arg::Text(state), Arg::Int(rows_max.into()), Arg::Int(listing.skip.into())];
        let rows = match listing.order {
            Rank::Due => {
                let sql = "SELECT case_id, state, kind, channel, received_at, changed_at, due_at, revision FROM cases
                           WHERE state LIKE $1 ORDER BY due_at, received_at, case_id LIMIT $2 OFFSET $3";
                self.db.rows(sql, &args).await?
            }
            Rank::Newest => {
                let sql = "SELECT case_id, state, kind, channel, received_at, changed_at, due_at, revision FROM cases
                           WHERE state LIKE $1 ORDER BY received_at DESC, case_id DESC LIMIT $2 OFFSET $3";
                self.db.rows(sql, &args).await?
            }
            Rank::Oldest => {
                let sql = "SELECT case_id, state, kind, channel, received_at, changed_at, due_at, revision FROM cases
                           WHERE state LIKE $1 ORDER BY received_at, case_id LIMIT $2 OFFSET $3";
                self.db.rows(sql, &args).await?
            }
        };
        rows.iter().map(listed).collect()
    }

    /// As [`Store::list`], for these, in their order; at most [`Listing::ROWS_MAX`].
    pub async fn rows_of(&self, ids: &[CaseId]) -> Result<Vec<Row>, Error> {
        let sql = "SELECT case_id, state, kind, channel, received_at, changed_at, due_at, revision FROM cases
                   WHERE case_id = $1";
        let mut rows = Vec::with_capacity(ids.len());
        for id in ids.iter().take(Listing::ROWS_MAX as usize) {
            rows.extend(self.db.row(sql, &[Arg::Text(&id.to_string())]).await?.as_ref().map(listed).transpose()?);
        }
        Ok(rows)
    }

    /// The case whose id is `text` or ends with it (four characters or more).
    pub async fn find(&self, text: &str) -> Result<CaseId, Error> {
        let text = text.trim().to_lowercase();
        if let Ok(id) = text.parse() {
            return Ok(id);
        }
        if text.len() < 4 {
            let what = format!("`{text}` is too short for a case's id; give its last four characters or more");
            return Err(Error::Unacceptable { what });
        }
        if !text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
            return Err(Error::NoSuchCase { id: text });
        }
        let rows = self
            .db
            .rows("SELECT case_id FROM cases WHERE case_id LIKE $1 LIMIT 3", &[Arg::Text(&format!("%{text}"))])
            .await?;
        match rows.as_slice() {
            [] => Err(Error::NoSuchCase { id: text }),
            [row] => case_id(row, 0),
            more => Err(Error::Ambiguous { text, n: more.len() }),
        }
    }

    pub async fn counts(&self, now: Timestamp) -> Result<Counts, Error> {
        let mut counts = Counts::default();
        for row in self.db.rows("SELECT state, COUNT(*) FROM cases GROUP BY state", &[]).await? {
            counts.by_state.push((row.parsed(0, State::named)?, row.int(1)?.unsigned_abs()));
        }
        counts.by_state.sort_unstable();
        let count = async |sql: &'static str, args: &[Arg<'_>]| -> Result<u64, Error> {
            Ok(self.db.row(sql, args).await?.map(|row| row.int(0)).transpose()?.unwrap_or(0).unsigned_abs())
        };
        counts.work = count("SELECT COUNT(*) FROM work", &[]).await?;
        counts.overdue =
            count("SELECT COUNT(*) FROM cases WHERE state = 'InReview' AND due_at < $1", &[Arg::Int(now.0)]).await?;
        counts.arrivals = count("SELECT COUNT(*) FROM arrivals", &[]).await?;
        counts.duplicates = count("SELECT COUNT(*) FROM arrivals WHERE duplicate = 1", &[]).await?;
        Ok(counts)
    }

    /// What the same bytes are known by when they come again; of a case that is erased nobody knows them any more.
    pub(crate) fn digest_key(&self, case: &Case) -> [u8; 32] {
        match case.state {
            State::Erased => self.keys.blind("erased", &case.id.to_string()),
            _ => self.keys.blind("document", &case.document.digest.to_string()),
        }
    }

    /// What duplicates of this case are found by; a rejected case has none.
    pub(crate) fn twin_key(&self, case: &Case) -> Option<[u8; 32]> {
        let live =
            case.extraction.as_ref().filter(|extraction| extraction.kind.billed() && case.state != State::Rejected);
        let key = live.and_then(|extraction| Invoice::of(extraction).0.duplicate_key())?;
        Some(self.keys.blind("twin", &key))
    }

    /// INVARIANT (a case is found by what it says now): the twin key follows the values; a rejected case has none, so
    /// that the corrected document may come in again.
    async fn write_twin_key(&self, tx: &mut Tx, case: &Case) -> Result<(), Error> {
        let id = case.id.to_string();
        tx.execute("DELETE FROM twins WHERE case_id = $1", &[Arg::Text(&id)]).await?;
        if let Some(key) = self.twin_key(case) {
            tx.execute("INSERT INTO twins (twin_key, case_id) VALUES ($1, $2)", &[Arg::Bytes(&key), Arg::Text(&id)])
                .await?;
        }
        Ok(())
    }
}

fn listed(row: &DbRow) -> Result<Row, Error> {
    Ok(Row {
        case: case_id(row, 0)?,
        state: row.parsed(1, State::named)?,
        kind: row.parsed(2, kind_named)?,
        channel: row.text(3)?.to_owned(),
        received_at: Timestamp(row.int(4)?),
        changed_at: Timestamp(row.int(5)?),
        due_at: row.maybe_int(6)?.map(Timestamp),
        revision: row.int(7)?.unsigned_abs(),
    })
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

fn unread(source: io::Error) -> Error {
    VaultError::Sealing { source }.into()
}

async fn write_arrival(
    tx: &mut Tx,
    arrival: &Arrival,
    twin: bool,
    mail: Option<CaseId>,
    case: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let (id, mail) = (arrival.id.to_string(), mail.map(|mail| mail.to_string()));
    let channel: String = arrival.channel.chars().take(NAME_CHARS_MAX).collect();
    tx.execute(
        "INSERT INTO arrivals (arrival_id, channel, duplicate, case_id, mail, arrived_at) VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            Arg::Text(&id),
            Arg::Text(&channel),
            Arg::Int(twin.into()),
            Arg::Text(case),
            Arg::MaybeText(mail.as_deref()),
            Arg::Int(now.0),
        ],
    )
    .await?;
    Ok(())
}

async fn write_work(
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

/// How long the case is kept from here on, and by which row.
fn tell_clocks(entry: &mut Draft, case: &Case) {
    let Some(keep) = &case.keep else { return };
    entry.tell("row", keep.rule.row.clone());
    if let Some(clocks) = keep.clocks {
        entry.tell("keep_until", clocks.keep_until.to_string());
        entry.tell("delete_by", clocks.delete_by.to_string());
    }
}

/// Which part of which mail a document was.
fn tell_origin(entry: &mut Draft, origin: Option<(CaseId, u32)>) {
    if let Some((mail, part)) = origin {
        entry.tell("mail", mail.to_string());
        entry.count("part", part.into());
    }
}

/// What the log says about an event: open what is not personal, committed what is.
fn entry_of(case: &Case, event: &Event, actor: &Actor) -> Draft {
    let act = match event {
        Event::Extracted { .. } => Act::CaseExtract,
        Event::Unreadable { .. } => Act::CaseQuarantine,
        Event::TakenApart { .. } => Act::CaseArchive,
        Event::Validated { .. } => Act::CaseValidate,
        Event::Reconciled { .. } => Act::CaseReconcile,
        Event::Decided(decision) => match decision.verdict {
            Verdict::Approve => Act::ReviewApprove,
            Verdict::Reject => Act::ReviewReject,
            Verdict::Correct(_) => Act::ReviewCorrect,
            Verdict::Release => Act::ReviewRelease,
        },
        Event::Answered { .. } => Act::PostingAnswer,
        Event::Archived { .. } => Act::CaseArchive,
        Event::Held { .. } => Act::HoldPlace,
        Event::HoldReleased { .. } => Act::HoldRelease,
        Event::Ended { .. } => Act::RetentionStart,
        Event::DisposalProposed { .. } => Act::DisposalPropose,
        Event::DisposalApproved { .. } => Act::DisposalApprove,
        Event::DisposalWithdrawn { .. } => Act::DisposalWithdraw,
    };
    let mut entry = Draft::new(act, actor).about("case", case.id);
    match event {
        Event::Extracted { extraction, pictures } => {
            entry.tell("kind", extraction.kind.name());
            entry.tell("format", serde_json::json!(extraction.format).as_str().unwrap_or_default());
            entry.count("pictures", pictures.len() as i64);
            entry.hide("values", Digest::of_value(&serde_json::json!(extraction)).to_string());
        }
        Event::Unreadable { why, .. } => entry.hide("reason", why.clone()),
        Event::TakenApart { extraction, cases, .. } => {
            entry.list("cases", cases.iter().map(CaseId::to_string));
            entry.hide("values", Digest::of_value(&serde_json::json!(extraction)).to_string());
        }
        Event::Validated { findings, policy } => {
            entry.list("codes", codes(findings));
            entry.tell("policy", policy.to_string());
            entry.hide("findings", Digest::of_value(&serde_json::json!(findings)).to_string());
        }
        Event::Reconciled { findings, checkpoints, policy, .. } => {
            entry.list("codes", codes(findings));
            entry.list("checkpoints", checkpoints.iter().map(|checkpoint| checkpoint.id.clone()));
            entry.tell("policy", policy.to_string());
            entry.hide("findings", Digest::of_value(&serde_json::json!(findings)).to_string());
        }
        Event::Decided(decision) => {
            let mine = case.checkpoints.iter().filter(|checkpoint| checkpoint.open_to(actor));
            match &decision.verdict {
                Verdict::Approve => entry.list("checkpoints", mine.map(|checkpoint| checkpoint.id.clone())),
                Verdict::Correct(changes) => {
                    let known = |field: &&str| field.len() <= 40 && field.bytes().all(|byte| byte.is_ascii_graphic());
                    entry.list("fields", changes.iter().map(|change| change.field.as_str()).filter(known));
                }
                Verdict::Reject | Verdict::Release => {}
            }
            if let Some(policy) = case.policy {
                entry.tell("policy", policy.to_string());
            }
            entry.hide("seen", decision.seen.to_string());
            entry.hide("reason", decision.reason.clone());
        }
        Event::Answered { answer, .. } => {
            let (word, detail) = match answer {
                Answer::Booked { reference } => ("booked", Some(reference)),
                Answer::Refused { why } => ("refused", Some(why)),
                Answer::Unknown => ("unknown", None),
                Answer::Absent => ("absent", None),
            };
            entry.tell("answer", word);
            if let Some(detail) = detail {
                entry.hide("detail", detail.clone());
            }
        }
        Event::Archived { .. } => {}
        Event::Held { matter, said } | Event::HoldReleased { matter, said } => {
            entry.hide("matter", matter.clone());
            entry.hide("reason", said.reason.clone());
        }
        Event::Ended { on, said } => {
            entry.tell("ended", on.map_or("not yet".to_owned(), |on| on.to_string()));
            entry.hide("reason", said.reason.clone());
        }
        Event::DisposalProposed { ground, seen, said, .. } => {
            entry.tell("ground", ground.name());
            entry.hide("seen", seen.to_string());
            entry.hide("reason", said.reason.clone());
        }
        Event::DisposalApproved { seen, said, .. } | Event::DisposalWithdrawn { seen, said } => {
            if let Some(disposal) = &case.disposal {
                entry.tell("ground", disposal.ground.name());
                entry.tell("proposed_by", disposal.by.clone());
            }
            entry.hide("seen", seen.to_string());
            entry.hide("reason", said.reason.clone());
        }
    }
    entry
}

fn denied(case: &Case, refusal: &Refusal, actor: &Actor) -> Draft {
    let mut entry = Draft::new(Act::ReviewDenied, actor).about("case", case.id);
    entry.res = audit::Outcome::Denied;
    entry.tell("rule", refusal.to_string());
    entry
}

fn codes(findings: &[case::Finding]) -> Vec<&'static str> {
    let mut codes: Vec<_> = findings.iter().map(|finding| finding.code.name()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

pub(crate) fn context(case: &str) -> String {
    format!("cases/{case}")
}

pub(crate) fn case_id(row: &DbRow, column: usize) -> Result<CaseId, Error> {
    row.parsed(column, |text| text.parse().ok())
}

fn kind_named(text: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.name() == text)
}

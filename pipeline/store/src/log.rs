//! The audit log as it is kept: an entry is written in the transaction of its act, and sealed in order. On SQLite both are
//! one commit; on PostgreSQL the entry waits in the outbox for whichever node seals next.

pub(crate) mod outbox;
mod succession;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use audit::{Act, Body, Frontier, Hash, Leaf, Opening, Outcome};
use case::{Actor, ActorKind, CaseId, Timestamp};
use serde::Serialize;
use serde_json::Value;

use crate::db::{Arg, Conn, Row, Sealed, Tx};
use crate::vault::RecordKey;
use crate::{Error, Keys, Store, boxed, opened_json, sealed_json, uuid_v7, vault};

/// How long the oldest entry may wait to be sealed before nothing is done any more that would need another.
pub const BACKLOG_SECONDS_MAX: i64 = 60;
/// How often the backlog is looked at, at most.
const BACKLOG_LOOK_MICROS: i64 = 1_000_000;

/// An entry before it has its id, time and place.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) act: Act,
    actor: audit::Actor,
    pub(crate) obj: Option<audit::Object>,
    pub(crate) rev: Option<u64>,
    pub(crate) sprev: Option<Hash>,
    pub(crate) from: Option<&'static str>,
    pub(crate) to: Option<&'static str>,
    pub(crate) res: Outcome,
    data: BTreeMap<String, audit::Value>,
    hidden: Vec<(&'static str, Value)>,
}

impl Draft {
    pub(crate) fn new(act: Act, actor: &Actor) -> Draft {
        let kind = match actor.kind {
            ActorKind::System => audit::ActorKind::System,
            ActorKind::Service => audit::ActorKind::Service,
            ActorKind::User => audit::ActorKind::User,
        };
        Draft {
            act,
            actor: audit::Actor { id: actor.id.clone(), kind },
            obj: None,
            rev: None,
            sprev: None,
            from: None,
            to: None,
            res: Outcome::Ok,
            data: BTreeMap::new(),
            hidden: Vec::new(),
        }
    }

    pub(crate) fn about(mut self, kind: &str, id: impl ToString) -> Draft {
        self.obj = Some(audit::Object { id: id.to_string(), kind: kind.to_owned() });
        self
    }

    /// Something that everybody who gets the log may read.
    pub(crate) fn tell(&mut self, name: &str, text: impl Into<String>) {
        self.data.insert(name.to_owned(), audit::Value::Text(text.into()));
    }

    pub(crate) fn count(&mut self, name: &str, number: i64) {
        self.data.insert(name.to_owned(), audit::Value::Integer(number));
    }

    pub(crate) fn list<T: Into<String>>(&mut self, name: &str, texts: impl IntoIterator<Item = T>) {
        let list = texts.into_iter().map(|text| audit::Value::Text(text.into())).collect();
        self.data.insert(name.to_owned(), audit::Value::List(list));
    }

    /// INVARIANT (personal data is never in the log): something personal or guessable enters as a salted commitment;
    /// the value and its salt stay in a sealed row that can be erased.
    pub(crate) fn hide(&mut self, path: &'static str, value: impl Into<Value>) {
        self.hidden.push((path, value.into()));
    }
}

/// An entry with its id, time and bytes, on its way to its place.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) id: String,
    pub(crate) object: String,
    /// Of the object, when the entry is a link of its chain.
    pub(crate) revision: Option<i64>,
    pub(crate) entered_at: i64,
    pub(crate) entry: Vec<u8>,
    /// The values and salts of its commitments, sealed.
    pub(crate) openings: Option<Vec<u8>>,
    /// Proves to the sealer that this program wrote it.
    pub(crate) mac: [u8; 32],
}

/// One line of a case's history, as the log has it.
#[derive(Clone, Debug, Serialize)]
pub struct Happening {
    pub at: String,
    pub act: &'static str,
    pub actor: String,
    pub actor_kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The revision that it left the case at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    pub result: &'static str,
    /// What the entry says openly, as `name=value`.
    pub said: BTreeMap<String, String>,
    /// Position in the log; absent while it waits to be sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
}

/// The newest signed head.
#[derive(Clone, Debug, Serialize)]
pub struct Head {
    pub origin: String,
    pub size: u64,
    pub root: String,
    /// What an auditor needs beside an export.
    pub verifier_key: String,
    /// The signed note itself.
    pub note: String,
}

impl Store {
    /// Makes the first log where there is none. A log that does not continue what was signed here can be read and checked,
    /// and is not written to.
    pub(crate) async fn open_log(&self) -> Result<(), Error> {
        if self.db.row("SELECT log FROM log_tail LIMIT 1", &[]).await?.is_none() {
            // Refuses an origin that no head can be signed for, before anything is entered under it.
            self.log_keys()?;
            let mut tx = self.db.begin().await?;
            Tail::new(1, &self.origin).insert(&mut tx.conn(), &self.keys).await?;
            tx.commit().await?;
        }
        match self.tail().await.and_then(|tail| self.signed_before(&tail)) {
            Err(err @ (Error::RolledBack { .. } | Error::LogStopped { .. })) => self.stop_log(&err.to_string()),
            Err(err) => return Err(err),
            Ok(_) => {}
        }
        Ok(())
    }

    /// Enters something that moves no case, in a transaction of its own.
    pub(crate) async fn enter(&self, draft: Draft, now: Timestamp) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        self.write_entry(&mut tx, draft, now).await?;
        tx.commit().await?;
        self.bell.notify_one();
        Ok(())
    }

    /// INVARIANT (one entry per transition): called in the transaction of the act. Gives back the body's digest, which
    /// the object's next entry names.
    pub(crate) async fn write_entry(&self, tx: &mut Tx, draft: Draft, now: Timestamp) -> Result<Hash, Error> {
        let key = match &draft.obj {
            Some(object) if !draft.hidden.is_empty() => self.record_key_in(tx, &object.id).await?,
            _ => Cow::Borrowed(&*self.house),
        };
        let (entry, digest) = self.entry(draft, &key, now)?;
        self.write_ready_entry(tx, entry).await?;
        Ok(digest)
    }

    /// As [`Store::write_entry`], for an entry that was made before the transaction began.
    pub(crate) async fn write_ready_entry(&self, tx: &mut Tx, entry: Waiting) -> Result<(), Error> {
        if let Some(refusal) = &*self.log_refusal.lock().unwrap_or_else(std::sync::PoisonError::into_inner) {
            return Err(Error::LogStopped { why: refusal.clone() });
        }
        self.refuse_backlog(tx, entry.entered_at).await?;
        tx.enter(entry).await
    }

    /// The entry of a draft, and the digest of its body. `key` is the record key of its object, or the house's: with it goes
    /// what is hidden.
    pub(crate) fn entry(&self, draft: Draft, key: &RecordKey, now: Timestamp) -> Result<(Waiting, Hash), Error> {
        Store::entry_of(draft, key, &self.keys, &self.program, now)
    }

    /// As [`Store::entry`], before there is a store.
    pub(crate) fn entry_of(
        draft: Draft,
        key: &RecordKey,
        keys: &Keys,
        program: &audit::Program,
        now: Timestamp,
    ) -> Result<(Waiting, Hash), Error> {
        let id = uuid_v7().to_string();
        let object = draft.obj.as_ref().map(|object| object.id.clone()).unwrap_or_default();
        let mut body = Body::new(&id, now.0, draft.act, draft.actor, program);
        body.obj = draft.obj;
        body.rev = draft.rev;
        body.sprev = draft.sprev;
        body.from = draft.from.map(str::to_owned);
        body.to = draft.to.map(str::to_owned);
        body.res = draft.res;
        body.d = draft.data;
        let mut openings = Vec::new();
        for (path, value) in draft.hidden {
            let mut salt = [0; 32];
            getrandom::fill(&mut salt).map_err(vault::VaultError::NoRandomness)?;
            body.c.insert(path.to_owned(), audit::commit(&salt, path, &value)?);
            openings.push((path, salt, value));
        }
        let openings =
            (!openings.is_empty()).then(|| sealed_json(key, &opening_context(&id), &openings)).transpose()?;
        let revision = body.rev.map(signed).transpose()?;
        let entry = body.to_bytes()?;
        let digest = audit::body_hash(&entry);
        let mac = outbox::outbox_mac(keys, &program.node, &id, &object, revision, now.0, &entry);
        Ok((Waiting { id, object, revision, entered_at: now.0, entry, openings, mac }, digest))
    }

    /// INVARIANT (fail closed): what cannot be sealed is not done. With nobody sealing, acts would pile up that no
    /// head covers and that whoever can write to the database could still take back.
    async fn refuse_backlog(&self, tx: &mut Tx, now: i64) -> Result<(), Error> {
        if !self.db.seals_later() {
            return Ok(());
        }
        let looked_at = self.backlog.0.load(Ordering::Relaxed);
        if !(0..BACKLOG_LOOK_MICROS).contains(&(now - looked_at)) {
            let row = tx.row("SELECT entered_at FROM log_outbox ORDER BY position LIMIT 1", &[]).await?;
            let oldest = row.map(|row| row.int(0)).transpose()?.unwrap_or(i64::MAX);
            self.backlog.1.store(oldest, Ordering::Relaxed);
            self.backlog.0.store(now, Ordering::Relaxed);
        }
        let seconds = now.saturating_sub(self.backlog.1.load(Ordering::Relaxed)) / 1_000_000;
        if BACKLOG_SECONDS_MAX < seconds {
            return Err(Error::Backlog { seconds, max: BACKLOG_SECONDS_MAX });
        }
        Ok(())
    }

    /// The openings of an entry: path, salt and value of each commitment. None when there are none, or they were erased.
    /// `object` is the entry's, and `wrapped` its record key, if it has one of its own.
    pub(crate) fn open_openings(
        &self,
        entry: &str,
        sealed: &[u8],
        object: &str,
        wrapped: Option<&[u8]>,
    ) -> Result<Vec<Opening>, Error> {
        let key = self.record_key(object, wrapped)?;
        let openings: Vec<(String, [u8; 32], Value)> = opened_json(&key, &opening_context(entry), sealed)?;
        Ok(openings.into_iter().map(|(path, salt, value)| Opening { path, salt, value }).collect())
    }

    /// Where the newest log ends.
    pub(crate) async fn tail(&self) -> Result<Tail, Error> {
        let row = self.db.row(Tail::NEWEST, &[]).await?;
        Tail::read(&self.keys, &row.ok_or_else(|| Error::Row { what: "the log has no tail".to_owned() })?)
    }

    /// The newest signed head; `None` before the first.
    #[boxed]
    pub async fn head(&self) -> Result<Option<Head>, Error> {
        let sql = "SELECT note FROM log_heads ORDER BY log DESC, size DESC LIMIT 1";
        let Some(row) = self.db.row(sql, &[]).await? else { return Ok(None) };
        let note = row.text(0)?;
        let keys = self.verifiers(note.lines().next().unwrap_or_default())?;
        let head = audit::open_checkpoint(note.as_bytes(), &keys).map_err(|err| match err {
            audit::Error::OtherKey { .. } => succession::older_key_file("a key that followed"),
            err => err.into(),
        })?;
        let key = audit::signers(note.as_bytes(), &keys)?.first().map(ToString::to_string).unwrap_or_default();
        Ok(Some(Head {
            origin: head.origin,
            size: head.size,
            root: head.root.to_string(),
            verifier_key: key,
            note: note.to_owned(),
        }))
    }

    /// How long the oldest entry has waited to be sealed, in microseconds; 0 when none waits.
    #[boxed]
    pub async fn unsealed_age(&self, now: Timestamp) -> Result<i64, Error> {
        let row = self.db.row("SELECT entered_at FROM log_outbox ORDER BY position LIMIT 1", &[]).await?;
        Ok(row.map(|row| row.int(0)).transpose()?.map_or(0, |entered| (now.0 - entered).max(0)))
    }

    /// What the log says about a case, oldest first, with what still waits to be sealed.
    #[boxed]
    pub async fn history(&self, id: CaseId) -> Result<Vec<Happening>, Error> {
        let object = id.to_string();
        let sealed = self
            .db
            .rows("SELECT leaf FROM log_entries WHERE object = $1 ORDER BY log, position", &[Arg::Text(&object)])
            .await?;
        let mut history = Vec::new();
        for row in sealed {
            let leaf = Leaf::parse(row.bytes(0)?)?;
            history.push(happening(leaf.body, Some(leaf.index))?);
        }
        let waiting = self
            .db
            .rows("SELECT entry FROM log_outbox WHERE object = $1 ORDER BY position", &[Arg::Text(&object)])
            .await?;
        for row in waiting {
            history.push(happening(row.bytes(0)?, None)?);
        }
        Ok(history)
    }

    /// Says that the service started or stopped, or is alive though nothing happens.
    #[boxed]
    pub async fn record_service(&self, sign: ServiceSign, now: Timestamp) -> Result<(), Error> {
        let act = match sign {
            ServiceSign::Start => Act::ServiceStart,
            ServiceSign::Stop => Act::ServiceStop,
            ServiceSign::Heartbeat => Act::LogHeartbeat,
        };
        self.enter(self.draft_on_head(act, &Actor::system("service")).await?, now).await
    }

    /// A draft that says how long the log was, and its root, as it was signed last.
    pub(crate) async fn draft_on_head(&self, act: Act, actor: &Actor) -> Result<Draft, Error> {
        let mut draft = Draft::new(act, actor);
        if let Some(head) = self.head().await? {
            draft.count("size", signed(head.size)?);
            draft.tell("root", head.root);
        }
        Ok(draft)
    }
}

/// A sign of life of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceSign {
    Start,
    Stop,
    Heartbeat,
}

/// Where a log ends, as the database has it: read only if this program wrote it.
///
/// INVARIANT (nobody writes a log past this program): the code over this row covers the root, and thereby every entry.
pub(crate) struct Tail {
    pub(crate) log: i64,
    pub(crate) origin: String,
    pub(crate) sealed_at: i64,
    last_leaf: Hash,
    frontier: Frontier,
}

impl Tail {
    pub(crate) const NEWEST: &str = "SELECT log, origin, size, sealed_at, last_leaf, frontier, mac FROM log_tail
                                     ORDER BY log DESC LIMIT 1";
    pub(crate) const ALL: &str = "SELECT log, origin, size, sealed_at, last_leaf, frontier, mac FROM log_tail
                                  ORDER BY log";

    /// The end of a log that has no entries yet.
    pub(crate) fn new(log: i64, origin: &str) -> Tail {
        Tail { log, origin: origin.to_owned(), sealed_at: 0, last_leaf: Hash::ZERO, frontier: Frontier::new() }
    }

    pub(crate) fn read(keys: &Keys, row: &Row) -> Result<Tail, Error> {
        let foreign = || Error::LogStopped { why: "the end of the log was not written by this program".to_owned() };
        let tail = Tail {
            log: row.int(0)?,
            origin: row.text(1)?.to_owned(),
            sealed_at: row.int(3)?,
            last_leaf: hash(row.bytes(4)?).map_err(|_| foreign())?,
            frontier: Frontier::from_bytes(row.bytes(5)?).map_err(|_| foreign())?,
        };
        let written_here = tail.mac(keys) == row.bytes(6)? && signed(tail.size())? == row.int(2)?;
        if written_here { Ok(tail) } else { Err(foreign()) }
    }

    pub(crate) fn size(&self) -> u64 {
        self.frontier.size()
    }

    pub(crate) fn root(&self) -> Hash {
        self.frontier.root()
    }

    fn mac(&self, keys: &Keys) -> [u8; 32] {
        let Tail { log, origin, sealed_at, last_leaf, frontier } = self;
        let frontier = audit::body_hash(&frontier.to_bytes());
        keys.blind("log-tail", &format!("{log}\n{origin}\n{}\n{sealed_at}\n{last_leaf}\n{frontier}", self.size()))
    }

    /// Seals entries after the end, in the order given, which is then behind them.
    pub(crate) fn append(&mut self, entries: Vec<Waiting>, now: i64) -> Result<Vec<Sealed>, Error> {
        // A clock that was set back does not set the log back.
        self.sealed_at = self.sealed_at.max(now);
        let mut sealed = Vec::with_capacity(entries.len());
        for entry in entries {
            let position = signed(self.size())?;
            let leaf = audit::seal(&entry.entry, self.size(), self.last_leaf, self.sealed_at)?;
            self.last_leaf = audit::leaf_hash(&leaf);
            self.frontier.append(self.last_leaf);
            sealed.push(Sealed { position, id: entry.id, object: entry.object, revision: entry.revision, leaf });
        }
        Ok(sealed)
    }

    /// Writes the row of a log that begins; false when it is there.
    pub(crate) async fn insert(&self, conn: &mut Conn<'_>, keys: &Keys) -> Result<bool, Error> {
        let sql = "INSERT INTO log_tail (log, origin, size, sealed_at, last_leaf, frontier, mac)
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (log) DO NOTHING";
        let args = [
            Arg::Int(self.log),
            Arg::Text(&self.origin),
            Arg::Int(signed(self.size())?),
            Arg::Int(self.sealed_at),
            Arg::Bytes(&self.last_leaf.0),
            Arg::Bytes(&self.frontier.to_bytes()),
            Arg::Bytes(&self.mac(keys)),
        ];
        Ok(conn.execute(sql, &args).await? == 1)
    }

    /// Does this row end where the entries, read from the first on, end?
    pub(crate) fn ends(&self, frontier: &Frontier, last: Hash) -> bool {
        self.frontier.to_bytes() == frontier.to_bytes() && self.last_leaf == last
    }
}

/// Gives each entry its place after the newest log's end, in the order given. Whoever calls this has the only
/// transaction that does, or finds at the end that it had not.
pub(crate) async fn seal(conn: &mut Conn<'_>, keys: &Keys, entries: Vec<Waiting>, now: i64) -> Result<(), Error> {
    let row =
        conn.row(Tail::NEWEST, &[]).await?.ok_or_else(|| Error::Row { what: "the log has no tail".to_owned() })?;
    let mut tail = Tail::read(keys, &row)?;
    let before = tail.size();
    let sealed = tail.append(entries, now)?;
    conn.insert_entries(tail.log, &sealed).await?;
    let sql = "UPDATE log_tail SET size = $1, sealed_at = $2, last_leaf = $3, frontier = $4, mac = $5
               WHERE log = $6 AND size = $7";
    let args = [
        Arg::Int(signed(tail.size())?),
        Arg::Int(tail.sealed_at),
        Arg::Bytes(&tail.last_leaf.0),
        Arg::Bytes(&tail.frontier.to_bytes()),
        Arg::Bytes(&tail.mac(keys)),
        Arg::Int(tail.log),
        Arg::Int(signed(before)?),
    ];
    // INVARIANT (one history): the place after an entry is given away once, whoever thought they sealed alone.
    if conn.execute(sql, &args).await? != 1 {
        return Err(Error::Row { what: "another node sealed meanwhile".to_owned() });
    }
    Ok(())
}

fn opening_context(entry: &str) -> String {
    format!("log_openings/{entry}")
}

pub(crate) fn hash(bytes: &[u8]) -> Result<Hash, Error> {
    bytes.try_into().map(Hash).map_err(|_| Error::Row { what: format!("a digest has {} bytes, not 32", bytes.len()) })
}

pub(crate) fn signed(number: u64) -> Result<i64, Error> {
    i64::try_from(number).map_err(|_| Error::Row { what: format!("{number} is more than the database can count") })
}

fn happening(body: &[u8], index: Option<u64>) -> Result<Happening, Error> {
    let body = Body::parse(body)?;
    let at = audit::rfc3339(body.at).unwrap_or_default();
    let said = body.d.iter().map(|(name, value)| (name.clone(), shown(value))).collect();
    Ok(Happening {
        at,
        act: body.act.text(),
        actor: body.actor.id,
        actor_kind: body.actor.kind.text(),
        from: body.from,
        to: body.to,
        revision: body.rev,
        result: body.res.text(),
        said,
        index,
    })
}

pub(crate) fn shown(value: &audit::Value) -> String {
    match value {
        audit::Value::Text(text) => text.clone(),
        audit::Value::Integer(number) => number.to_string(),
        audit::Value::Bool(truth) => truth.to_string(),
        audit::Value::List(list) => list.iter().map(shown).collect::<Vec<_>>().join(", "),
        audit::Value::Object(object) => {
            object.iter().map(|(name, value)| format!("{name}={}", shown(value))).collect::<Vec<_>>().join(", ")
        }
    }
}

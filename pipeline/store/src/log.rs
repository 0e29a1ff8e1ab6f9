//! The audit log as it is kept: entries wait in an outbox from the transaction of their act, and are sealed in order.

use std::collections::BTreeMap;

use audit::{Act, Body, Frontier, Hash, Leaf, LogKey, Opening, Outcome, TreeHead};
use case::{Actor, ActorKind, CaseId, Timestamp};
use serde::Serialize;
use serde_json::Value;

use crate::db::{Arg, Tx};
use crate::{Error, Store, uuid_v7, vault};

/// How many entries are sealed in one transaction.
const SEALED_AT_ONCE_MAX: i64 = 500;

/// An entry before it has its id, time and place.
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
        let id = uuid_v7().to_string();
        let object = draft.obj.as_ref().map(|object| object.id.clone()).unwrap_or_default();
        let mut body = Body::new(&id, now.0, draft.act, draft.actor, &self.program);
        body.obj = draft.obj;
        body.rev = draft.rev;
        body.sprev = draft.sprev;
        body.from = draft.from.map(str::to_owned);
        body.to = draft.to.map(str::to_owned);
        body.res = draft.res;
        body.d = draft.data;
        for (path, value) in draft.hidden {
            let mut salt = [0; 32];
            getrandom::fill(&mut salt).map_err(vault::VaultError::NoRandomness)?;
            body.c.insert(path.to_owned(), audit::commit(&salt, path, &value)?);
            let opening = Opening { path: path.to_owned(), salt, value };
            let sealed =
                self.seal_json(&opening_context(&id, path), &serde_json::json!([opening.salt, opening.value]))?;
            tx.execute(
                "INSERT INTO log_openings (entry_id, path, object, body) VALUES ($1, $2, $3, $4)",
                &[Arg::Text(&id), Arg::Text(path), Arg::Text(&object), Arg::Bytes(&sealed)],
            )
            .await?;
        }
        let bytes = body.to_bytes()?;
        tx.execute(
            "INSERT INTO log_outbox (object, entered_at, entry) VALUES ($1, $2, $3)",
            &[Arg::Text(&object), Arg::Int(now.0), Arg::Bytes(&bytes)],
        )
        .await?;
        Ok(audit::body_hash(&bytes))
    }

    /// Seals what waits, in order, and gives back how many entries that were. Any number of nodes may call it.
    pub async fn seal_log(&self, now: Timestamp) -> Result<u64, Error> {
        let mut sealed = 0;
        while let Some(n) = self.seal_some(now).await? {
            sealed += n;
        }
        Ok(sealed)
    }

    /// One transaction's worth; `None` when nothing waits.
    async fn seal_some(&self, now: Timestamp) -> Result<Option<u64>, Error> {
        let waiting = self.db.row("SELECT position FROM log_outbox LIMIT 1", &[]).await?;
        if waiting.is_none() {
            return Ok(None);
        }
        let mut tx = self.db.begin().await?;
        // INVARIANT (one history): nodes seal one after another. The tail is taken by writing it, before anything is read
        // from it: a tail that was only read may be another node's past by the time its entries are written.
        let nothing = Frontier::new().to_bytes();
        tx.execute(
            "INSERT INTO log_tail (tail_id, size, sealed_at, last_leaf, frontier) VALUES (1, 0, 0, $1, $2)
             ON CONFLICT (tail_id) DO NOTHING",
            &[Arg::Bytes(&Hash::ZERO.0), Arg::Bytes(&nothing)],
        )
        .await?;
        let take = "UPDATE log_tail SET size = size WHERE tail_id = 1 RETURNING sealed_at, last_leaf, frontier";
        let tail = tx.row(take, &[]).await?.ok_or_else(|| Error::Row { what: "the log has no tail".to_owned() })?;
        let (mut sealed_at, mut last) = (tail.int(0)?, hash(tail.bytes(1)?)?);
        let mut frontier = Frontier::from_bytes(tail.bytes(2)?)?;
        let mut waiting = Vec::new();
        let taken = tx
            .rows(
                "DELETE FROM log_outbox WHERE position IN (SELECT position FROM log_outbox ORDER BY position LIMIT $1)
                 RETURNING position, object, entry",
                &[Arg::Int(SEALED_AT_ONCE_MAX)],
            )
            .await?;
        for row in &taken {
            waiting.push((row.int(0)?, row.text(1)?, row.bytes(2)?));
        }
        waiting.sort_unstable();
        for (_, object, entry) in &waiting {
            // A clock that was set back does not set the log back.
            sealed_at = sealed_at.max(now.0);
            let leaf = audit::seal(entry, frontier.size(), last, sealed_at)?;
            last = audit::leaf_hash(&leaf);
            let position = signed(frontier.size())?;
            frontier.append(last);
            tx.execute(
                "INSERT INTO log_entries (position, object, leaf) VALUES ($1, $2, $3)",
                &[Arg::Int(position), Arg::Text(object), Arg::Bytes(&leaf)],
            )
            .await?;
        }
        tx.execute(
            "UPDATE log_tail SET size = $1, sealed_at = $2, last_leaf = $3, frontier = $4 WHERE tail_id = 1",
            &[
                Arg::Int(signed(frontier.size())?),
                Arg::Int(sealed_at),
                Arg::Bytes(&last.0),
                Arg::Bytes(&frontier.to_bytes()),
            ],
        )
        .await?;
        tx.commit().await?;
        Ok(Some(waiting.len() as u64))
    }

    /// Signs the newest head, if there are entries since the last one.
    pub async fn sign_log(&self, now: Timestamp) -> Result<(), Error> {
        let Some(tail) = self.db.row("SELECT size, frontier FROM log_tail WHERE tail_id = 1", &[]).await? else {
            return Ok(());
        };
        let size = tail.int(0)?;
        let signed = self.db.row("SELECT size FROM log_heads ORDER BY size DESC LIMIT 1", &[]).await?;
        if signed.map(|row| row.int(0)).transpose()? == Some(size) {
            return Ok(());
        }
        let frontier = Frontier::from_bytes(tail.bytes(1)?)?;
        let head = TreeHead { origin: self.origin.to_string(), size: frontier.size(), root: frontier.root() };
        let note = audit::sign(&head, &self.log_key()?);
        let mut tx = self.db.begin().await?;
        tx.execute(
            "INSERT INTO log_heads (size, signed_at, note) VALUES ($1, $2, $3) ON CONFLICT (size) DO NOTHING",
            &[Arg::Int(size), Arg::Int(now.0), Arg::Text(&note)],
        )
        .await?;
        tx.commit().await
    }

    /// The newest signed head; `None` before the first.
    pub async fn head(&self) -> Result<Option<Head>, Error> {
        let row = self.db.row("SELECT size, note FROM log_heads ORDER BY size DESC LIMIT 1", &[]).await?;
        let Some(row) = row else { return Ok(None) };
        let key = self.log_key()?;
        let head = audit::open_checkpoint(row.text(1)?.as_bytes(), &[key.verifier()])?;
        Ok(Some(Head {
            origin: head.origin,
            size: head.size,
            root: head.root.to_string(),
            verifier_key: key.verifier_key(),
            note: row.text(1)?.to_owned(),
        }))
    }

    /// How long the oldest entry has waited to be sealed, in microseconds; 0 when none waits.
    pub async fn unsealed_age(&self, now: Timestamp) -> Result<i64, Error> {
        let row = self.db.row("SELECT entered_at FROM log_outbox ORDER BY position LIMIT 1", &[]).await?;
        Ok(row.map(|row| row.int(0)).transpose()?.map_or(0, |entered| (now.0 - entered).max(0)))
    }

    /// What the log says about a case, oldest first, with what still waits to be sealed.
    pub async fn history(&self, id: CaseId) -> Result<Vec<Happening>, Error> {
        let object = id.to_string();
        let sealed = self
            .db
            .rows("SELECT position, leaf FROM log_entries WHERE object = $1 ORDER BY position", &[Arg::Text(&object)])
            .await?;
        let mut history = Vec::new();
        for row in sealed {
            let leaf = Leaf::parse(row.bytes(1)?)?;
            history.push(happening(leaf.body, Some(leaf.index))?);
        }
        let waiting = self
            .db
            .rows("SELECT position, entry FROM log_outbox WHERE object = $1 ORDER BY position", &[Arg::Text(&object)])
            .await?;
        for row in waiting {
            history.push(happening(row.bytes(1)?, None)?);
        }
        Ok(history)
    }

    pub(crate) fn log_key(&self) -> Result<LogKey, Error> {
        Ok(LogKey::from_seed(&self.origin, self.keys.log_seed())?)
    }

    /// Says that the service started or stopped, or is alive though nothing happens.
    pub async fn record_service(&self, sign: ServiceSign, now: Timestamp) -> Result<(), Error> {
        let act = match sign {
            ServiceSign::Start => Act::ServiceStart,
            ServiceSign::Stop => Act::ServiceStop,
            ServiceSign::Heartbeat => Act::LogHeartbeat,
        };
        let mut entry = Draft::new(act, &Actor::system("service"));
        if let Some(head) = self.head().await? {
            entry.count("size", signed(head.size)?);
            entry.tell("root", head.root);
        }
        self.enter(entry, now).await
    }
}

/// A sign of life of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceSign {
    Start,
    Stop,
    Heartbeat,
}

pub(crate) fn opening_context(entry: &str, path: &str) -> String {
    format!("log_openings/{entry}/{path}")
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
        result: body.res.text(),
        said,
        index,
    })
}

fn shown(value: &audit::Value) -> String {
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

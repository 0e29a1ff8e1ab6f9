#![doc = include_str!("../README.md")]

mod accounts;
mod admit;
mod anchors;
mod backup;
mod cases;
mod check;
mod db;
mod disposal;
mod evidence;
mod export;
mod facts;
mod keys;
mod lessons;
mod lists;
mod log;
mod originals;
mod payees;
mod period;
mod policies;
mod publish;
mod records;
mod replays;
mod sample;
mod search;
mod settlements;
mod subject;
mod vault;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};

use case::{Actor, Case, CaseId, Deed, Denied, Refusal, Role, Scope, Timestamp};
use thiserror::Error;
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;
use zeroize::Zeroizing;

/// For every door of the store: what is behind it is compiled here, and not by everybody who awaits it.
pub(crate) use async_recursion::async_recursion as boxed;

pub use accounts::{Account, NewAccount, PASSWORD_CHARS_MIN, SESSION_HOURS, SignIn, Token};
pub use admit::{Admission, Arrival, Content};
pub use anchors::{Anchor, NewestHead, Objection, Outside, Quorum};
pub use audit::{TIMESTAMP_BYTES_MAX, WitnessKey};
pub use backup::{BackedUp, Backup, BackupPlace, Part, RestoreAsk, Restored};
pub use cases::{Advanced, Work};
pub use check::{Balance, CheckReport, Fault};
pub use disposal::{Ask, Certificate, Clocked, Erased};
pub use evidence::{Given, Proved};
pub use export::Exported;
pub use facts::{Gathered, Imported};
pub use keys::{
    Custodian, Custody, Escrow, KeyError, KeyId, Keys, Lock, Sealing, Share, ShareError, Stretch, key_in, new_key,
    sealing,
};
pub use lists::{Counts, Listing, Rank, Row as CaseRow};
pub use log::{BACKLOG_SECONDS_MAX, Happening, Head, ServiceSign};
pub use originals::Original;
pub use payees::{AccountWaiting, PayeeError};
pub use period::{Listed, LogPart, Noted, Period, PeriodReport, Sessions, Silence, Tally};
pub use policies::{InForce, Policies, Proposed, Standing as PolicyStanding};
pub use records::{KeyUse, Rotated};
pub use replays::{FLIPS_MAX, Flip};
pub use sample::{Committed, Doing, Drawn, Frame, SAMPLE_CASES_MAX, Sample, SampleAsk};
pub use settlements::PaidFor;
pub use subject::{Found, HandedOut};
pub use vault::{BlobPlace, BrokenSeal, BucketPlace, VaultError};

/// Single steps of sealing, for the benchmark that sets them beside another program and for what fuzzes them.
#[doc(hidden)]
pub mod steps {
    pub use crate::keys::steps::*;
    pub use crate::vault::steps::Record;
}

use db::Db;
use keys::Ring;
use vault::{RecordKey, Vault};

/// Where things are kept. Every path is the caller's; nothing is looked up in the environment but a bucket's credentials.
#[derive(Clone, Debug)]
pub struct Config {
    /// The path of an SQLite file, or `postgres://…`.
    pub database: String,
    /// Where the sealed files lie.
    pub vault: BlobPlace,
    /// Where the keys are and what opens them; a plain folder is enough for a plain key file.
    pub keys: Custody,
    /// The folder that the log is published in.
    pub log: PathBuf,
    /// The name that the log signs under: `audit.<host>/<tenant>/<n>`.
    pub origin: String,
    /// This node and this program, as they stand in every entry.
    pub node: String,
    pub version: String,
}

/// Everything at rest: rows, sealed files, the log. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    db: Db,
    vault: Arc<Vault>,
    keys: Arc<Keys>,
    custody: Arc<Custody>,
    /// The vault keys change while this runs.
    ring: Arc<Ring>,
    /// Seals what belongs to no case.
    house: Arc<RecordKey>,
    published: Arc<Path>,
    origin: Arc<str>,
    /// When the outbox was last looked at, and since when its oldest entry waits.
    backlog: Arc<(AtomicI64, AtomicI64)>,
    /// Why nothing may be entered any more.
    log_refusal: Arc<Mutex<Option<String>>>,
    program: Arc<audit::Program>,
    /// Rung after every commit that leaves something to do: work, or entries to seal.
    bell: Arc<Notify>,
    /// How many passwords are hashed at once.
    hashers: Arc<Semaphore>,
}

const HASHERS_MAX: usize = 2;

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("db", &self.db).field("origin", &self.origin).finish_non_exhaustive()
    }
}

#[derive(Debug, Error)]
pub enum Error {
    #[error("the database refused")]
    Database(#[from] sqlx::Error),
    #[error("the database could not be brought to this version")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("the keys cannot be used")]
    Keys(#[from] KeyError),
    #[error("a sealed file or value cannot be used")]
    Vault(#[from] VaultError),
    #[error("an audit entry cannot be written")]
    Audit(#[from] audit::Error),
    #[error("what it was to be committed with failed")]
    Together(#[source] Arc<Error>),
    #[error(
        "the log had {was} entries when a head of it was signed here, and now has {now}: the database is an older copy or was cut. Bring the newer one back; if it is lost, begin a new log with `countersign log begin`"
    )]
    RolledBack { was: u64, now: u64 },
    #[error(
        "the log is not the one of which {signed} entries were signed here: around entry {size} the database says otherwise. Keep it as it is for whoever looks into it, and bring back the one that was signed, or begin a new log with `countersign log begin`"
    )]
    Forked { size: u64, signed: u64 },
    #[error("the published log gives no proof")]
    Proof(#[source] audit::Error),
    #[error("the time stamp is not kept")]
    Timestamp(#[source] audit::Error),
    #[error("the witness `{witness}` {what}")]
    Witness { witness: String, what: String },
    #[error(
        "the witness `{witness}` cosigned a head of {knows} entries, and the log here has {has}: the database is an older copy or was cut. Bring the newer one back; if it is lost, begin a new log with `countersign log begin`"
    )]
    WitnessedMore { witness: String, knows: u64, has: u64 },
    #[error(
        "the witness `{witness}` cosigned other entries than the first {size} here: this log is not the one that it saw. Keep it as it is for whoever looks into it, and bring back the one that was cosigned, or begin a new log with `countersign log begin`"
    )]
    WitnessedOther { witness: String, size: u64 },
    #[error("nothing may be entered in the log, so nothing is done: {why}")]
    LogStopped { why: String },
    #[error(
        "the oldest entry of the log has waited {seconds} seconds to be sealed, at most {max} are allowed: nothing is done until entries are sealed again; see that `countersign run` runs and reaches the database"
    )]
    Backlog { seconds: i64, max: i64 },
    #[error("`{file}` of the backup is refused: {why}")]
    BadBackup { file: String, why: String },
    #[error(
        "the snapshot `{snapshot}` ends after {has} entries of the log, and {who} {known}: what was done by the {} entries after it is not in it, and would be lost, and the log could not go on under its name. Restore a newer snapshot; if there is none, say `--older`, and begin a new log with `countersign log begin`", known - has
    )]
    Older { snapshot: String, has: u64, who: String, known: u64 },
    #[error(
        "all rows and files were brought back, and comparing them with the log broke off: do not restore again, see to the cause, and look with `countersign check --seals`"
    )]
    Uncompared(#[source] Box<Error>),
    #[error("a row does not hold what it should: {what}")]
    Row { what: String },
    #[error("there is no case `{id}`")]
    NoSuchCase { id: String },
    #[error("`{text}` fits {n} cases; give more of the id")]
    Ambiguous { text: String, n: usize },
    #[error("there is no {what} `{name}`")]
    NoSuch { what: &'static str, name: String },
    #[error("{what} `{name}` exists already")]
    Exists { what: &'static str, name: String },
    #[error("{what}: {size} given, at most {max} allowed")]
    TooLarge { what: &'static str, size: usize, max: usize },
    #[error("{what}")]
    Unacceptable { what: String },
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error(transparent)]
    Proposal(#[from] case::ProposalRefusal),
    #[error("cannot {doing} `{path}`")]
    Io { doing: &'static str, path: PathBuf, source: std::io::Error },
    #[error("a task was cut short")]
    Cut(#[from] tokio::task::JoinError),
}

impl Error {
    fn column(column: usize, wanted: &str, found: Option<&db::Cell>) -> Error {
        let found = match found {
            None => "nothing",
            Some(db::Cell::Null) => "null",
            Some(db::Cell::Int(_)) => "a whole number",
            Some(db::Cell::Text(_)) => "a text",
            Some(db::Cell::Bytes(_)) => "bytes",
        };
        Error::Row { what: format!("column {column} should be {wanted} and is {found}") }
    }

    fn json(what: &str, err: &serde_json::Error) -> Error {
        Error::Row { what: format!("{what}: {err}") }
    }
}

/// Why a case was not moved.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// The rules do not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Somebody else moved the case first. Load it again and decide again.
    #[error("case `{id}` is no longer at revision {revision}; load it again")]
    Conflict { id: CaseId, revision: u64 },
    /// What the verdict rests on has changed since it was looked up. Look it up again.
    #[error("orders or earlier invoices that this verdict rests on have changed meanwhile")]
    FactsChanged,
    #[error(transparent)]
    Store(#[from] Error),
}

impl Store {
    /// Opens the database, brings it to this version, and opens the vault. Many processes may do so at once.
    #[boxed]
    pub async fn open(config: &Config) -> Result<Store, Error> {
        if !vault::HIDES && std::env::var_os("COUNTERSIGN_UNSEALED").is_none_or(|it| it != "test") {
            let what = "this program was built to seal nothing, for a test: build it anew".to_owned();
            return Err(Error::Unacceptable { what });
        }
        let ring = Arc::new(Ring::open(&config.keys)?);
        let keys = ring.keys()?;
        keys.mend_escrow(&config.keys)?;
        let (place, file) = (config.vault.clone(), Path::new(&config.database));
        let gone = !config.database.starts_with("postgres") && !file.exists();
        let opened = tokio::task::spawn_blocking(move || {
            let vault = Vault::open(&place)?;
            let holds = gone && vault.ids().next().transpose()?.is_some();
            Ok::<_, VaultError>((Arc::new(vault), holds))
        });
        let (vault, holds) = opened.await??;
        // A database that is gone must not be replaced by an empty one that agrees with everything.
        if holds {
            let what = format!(
                "the database `{}` is gone, and the vault holds sealed files; put the database back",
                file.display()
            );
            return Err(Error::Unacceptable { what });
        }
        let db = Db::open(&config.database, keys.clone()).await?;
        let house = Arc::new(records::open_house(&db, &ring).await?);
        let program = audit::Program { node: config.node.clone(), ver: config.version.clone() };
        let store = Store {
            db,
            vault,
            keys,
            custody: Arc::new(config.keys.clone()),
            ring,
            house,
            published: config.log.as_path().into(),
            origin: config.origin.as_str().into(),
            backlog: Arc::default(),
            log_refusal: Arc::default(),
            program: Arc::new(program),
            bell: Arc::new(Notify::new()),
            hashers: Arc::new(Semaphore::new(HASHERS_MAX)),
        };
        store.open_log().await?;
        Ok(store)
    }

    /// `sqlite` or `postgres`.
    pub fn database(&self) -> &'static str {
        self.db.name()
    }

    /// Returns when something was committed in this process since the last call, which may be at once.
    #[boxed]
    pub async fn rung(&self) {
        self.bell.notified().await;
    }

    #[boxed]
    pub async fn close(&self) {
        self.db.close().await;
    }

    /// Refuses, and enters the refusal in the log, what `actor` may not do.
    #[boxed]
    pub async fn authorize(&self, actor: &Actor, deed: Deed, now: Timestamp) -> Result<(), Error> {
        self.denied(case::permit(actor, deed), None, actor, deed, now).await
    }

    /// As [`Store::authorize`], for what is done with many cases: gives back the arrivals that it may be done with, if not all.
    #[boxed]
    pub async fn authorize_within(&self, actor: &Actor, deed: Deed, now: Timestamp) -> Result<Option<Scope>, Error> {
        self.authorize(actor, deed, now).await?;
        let scope = if actor.holds(Role::Auditor) { self.scope(&actor.id).await? } else { None };
        Ok(case::limited(actor, deed, scope))
    }

    /// As [`Store::authorize`], for what is done with this case.
    pub(crate) async fn authorize_case(
        &self,
        actor: &Actor,
        deed: Deed,
        case: &Case,
        now: Timestamp,
    ) -> Result<(), Error> {
        let scope = if actor.holds(Role::Auditor) { self.scope(&actor.id).await? } else { None };
        let permitted = case::permit_case(actor, deed, scope, case.document.received_at.date());
        self.denied(permitted, Some(case.id), actor, deed, now).await
    }

    async fn denied(
        &self,
        permitted: Result<(), Denied>,
        case: Option<CaseId>,
        actor: &Actor,
        deed: Deed,
        now: Timestamp,
    ) -> Result<(), Error> {
        let Err(denied) = permitted else { return Ok(()) };
        let mut entry = log::Draft::new(audit::Act::ReviewDenied, actor);
        if let Some(case) = case {
            entry = entry.about("case", case);
        }
        entry.res = audit::Outcome::Denied;
        entry.tell("deed", format!("{deed:?}"));
        self.enter(entry, now).await?;
        Err(denied.into())
    }

    /// Looks for a first sealed file; the error says what a folder or a bucket lacks to be the vault.
    #[boxed]
    pub async fn look_into_vault(&self) -> Result<(), Error> {
        Ok(self.blocking(|store| store.vault.ids().next().transpose().map(drop)).await??)
    }

    /// Runs what blocks, files and password hashes, where it does not hold up anybody else.
    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce(&Store) -> T + Send + 'static) -> Result<T, Error> {
        let store = self.clone();
        Ok(tokio::task::spawn_blocking(move || work(&store)).await?)
    }

    /// For what belongs to no case.
    fn seal_json(&self, context: &str, value: &impl serde::Serialize) -> Result<Vec<u8>, Error> {
        sealed_json(&self.house, context, value)
    }

    fn open_json<T: serde::de::DeserializeOwned>(&self, context: &str, sealed: &[u8]) -> Result<T, Error> {
        opened_json(&self.house, context, sealed)
    }
}

/// More bytes of JSON than this are not one value: many times what the reader may answer.
const JSON_BYTES_MAX: usize = 256 << 20;

/// Packed before it is sealed: a case says the same names and places again and again.
fn sealed_json(key: &RecordKey, context: &str, value: &impl serde::Serialize) -> Result<Vec<u8>, Error> {
    let json = Zeroizing::new(serde_json::to_vec(value).map_err(|err| Error::json(context, &err))?);
    within_json_max(context, json.len())?;
    let packed = Zeroizing::new(lz4_flex::compress_prepend_size(&json));
    Ok(vault::seal_value(key, context, &packed)?)
}

fn opened_json<T: serde::de::DeserializeOwned>(key: &RecordKey, context: &str, sealed: &[u8]) -> Result<T, Error> {
    let packed = Zeroizing::new(vault::open_value(key, context, sealed)?);
    let unpacked = |err| Error::Row { what: format!("{context}: {err}") };
    let (size, rest) = lz4_flex::block::uncompressed_size(&packed).map_err(unpacked)?;
    within_json_max(context, size)?;
    let json = Zeroizing::new(lz4_flex::decompress(rest, size).map_err(unpacked)?);
    serde_json::from_slice(&json).map_err(|err| Error::json(context, &err))
}

fn within_json_max(context: &str, size: usize) -> Result<(), Error> {
    let what = || format!("{context}: {size} bytes of JSON, at most {JSON_BYTES_MAX} are one value");
    (size <= JSON_BYTES_MAX).then_some(()).ok_or_else(|| Error::Row { what: what() })
}

/// An error with its causes, for whoever has to act on it.
pub fn causes(err: &dyn std::error::Error) -> String {
    let chain = std::iter::successors(Some(err), |err| err.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn uuid_v7() -> Uuid {
    Uuid::now_v7()
}

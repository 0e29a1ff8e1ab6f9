//! What others said about heads of the log: witnesses that cosigned one, time stamping services that stamped one. Whoever
//! rewrites the history here, with every key in hand, contradicts them.
//!
//! The requests are made here and the answers judged here, against the published tiles; whoever calls carries the bytes.
//! C2SP tlog-witness (`add-checkpoint`), C2SP tlog-cosignature, RFC 3161.

mod handout;
mod outside;
mod proof;

use audit::{Hash, WitnessKey};
use case::Timestamp;
use sha2::{Digest, Sha256};

use crate::db::{Arg, Row};
use crate::log::signed;
use crate::publish::lock;
use crate::{Error, Store, boxed, vault};

pub use outside::{Anchor, Outside, Quorum};

const WITNESS: &str = "witness";
const TIMESTAMP: &str = "timestamp";
/// Of one answer; a witness has one key, or a few of different kinds.
const LINES_MAX: usize = 100;

/// The newest signed head, on its way to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewestHead {
    pub origin: String,
    pub size: u64,
    /// As it was signed, without what others added.
    pub note: String,
    log: i64,
    root: Hash,
    signed_at: i64,
}

/// What a witness has against a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objection {
    /// The last head that it cosigned has so many entries, which is not what it was told.
    Knows(u64),
    /// The last head that it cosigned has so many entries, and this one does not continue it.
    Refuses(u64),
}

impl NewestHead {
    /// SHA-256 of what was signed: the text without the signatures, so that those added later change nothing.
    fn imprint(&self) -> [u8; 32] {
        let text = self.note.split_inclusive('\n').take_while(|line| *line != "\n");
        text.fold(Sha256::new(), |sum, line| sum.chain_update(line)).finalize().into()
    }

    /// Whether `other` is another head than this, of this log or of another.
    #[must_use]
    pub fn differs(&self, other: &NewestHead) -> bool {
        (self.log, self.size) != (other.log, other.size)
    }
}

impl Store {
    /// The newest head that was signed; None before the first.
    #[boxed]
    pub async fn newest_head(&self) -> Result<Option<NewestHead>, Error> {
        let sql = "SELECT log, signed_at, note FROM log_heads ORDER BY log DESC, size DESC LIMIT 1";
        self.db.row(sql, &[]).await?.map(|row| self.read_head(&row)).transpose()
    }

    /// Of columns log, signed_at, note.
    fn read_head(&self, row: &Row) -> Result<NewestHead, Error> {
        let (log, signed_at, note) = (row.int(0)?, row.int(1)?, row.text(2)?.to_owned());
        let keys = self.verifiers(note.lines().next().unwrap_or_default())?;
        let head = audit::open_checkpoint(note.as_bytes(), &keys)?;
        Ok(NewestHead { origin: head.origin, size: head.size, note, log, root: head.root, signed_at })
    }

    /// How many entries the last head of this log has that `witness` cosigned and whose cosignature is kept; 0 for none.
    #[boxed]
    pub async fn cosigned_until(&self, head: &NewestHead, witness: &WitnessKey) -> Result<u64, Error> {
        let sql =
            "SELECT size FROM log_anchors WHERE log = $1 AND source = $2 AND kind = $3 ORDER BY size DESC LIMIT 1";
        let args = [Arg::Int(head.log), Arg::Text(witness.name()), Arg::Text(WITNESS)];
        Ok(self.db.row(sql, &args).await?.map(|row| row.int(0)).transpose()?.unwrap_or(0).unsigned_abs())
    }

    /// What `add-checkpoint` is asked with: that `head` continues a head of `old` entries, with the proof. The proof was
    /// made from the published tiles and verified.
    #[boxed]
    pub async fn witness_request(&self, head: &NewestHead, old: u64) -> Result<Vec<u8>, Error> {
        let (dir, head) = (self.published.join(head.log.to_string()), head.clone());
        self.blocking(move |_| proof::request(&dir, &head, old)).await?
    }

    /// Keeps the cosignature in the answer of `witness`, once it was found good; signatures of others are passed over.
    /// What is kept already stays as it is.
    #[boxed]
    pub async fn keep_cosignature(
        &self,
        head: &NewestHead,
        witness: &WitnessKey,
        answer: &[u8],
        now: Timestamp,
    ) -> Result<(), Error> {
        let refused = |what: &str| Error::Witness { witness: witness.name().to_owned(), what: what.to_owned() };
        let answer = std::str::from_utf8(answer).map_err(|_| refused("answered with something that is no text"))?;
        let Some(lines) = answer.strip_suffix('\n').filter(|lines| lines.split('\n').count() <= LINES_MAX) else {
            return Err(refused("answered with something that is no list of signatures"));
        };
        for line in lines.split('\n') {
            let fits = audit::with_signatures(head.note.as_bytes(), &[line])
                .and_then(|note| audit::cosignatures(note.as_bytes(), std::slice::from_ref(witness)));
            match fits {
                Ok(found) if found.is_empty() => {}
                Ok(_) => return self.keep(head, WITNESS, witness.name(), line.as_bytes(), now).await,
                Err(audit::Error::Signature { .. }) => {
                    return Err(refused("gave a cosignature that does not fit the head"));
                }
                Err(_) => return Err(refused("answered with a line that is no signature")),
            }
        }
        Err(refused("answered without a cosignature by the key that was given for it"))
    }

    /// Judges what `witness` has against `head`. Returns when it is to be asked again, with a proof from what it knows.
    ///
    /// INVARIANT (one history): nothing is entered any more in a log that is shorter than a witness knows it, or that it
    /// knows otherwise, unless the witness contradicts a cosignature of its own that is kept here.
    #[boxed]
    pub async fn witness_objects(
        &self,
        head: &NewestHead,
        witness: &WitnessKey,
        objection: Objection,
    ) -> Result<(), Error> {
        let name = || witness.name().to_owned();
        // Looked up now: others may have sealed and signed more since this head.
        let tail = self.tail().await?;
        let err = match objection {
            _ if tail.log != head.log => return Ok(()),
            Objection::Knows(size) if size <= tail.size() => return Ok(()),
            Objection::Knows(size) => Error::WitnessedMore { witness: name(), knows: size, has: tail.size() },
            Objection::Refuses(0) => {
                return Err(Error::Witness { witness: name(), what: "refuses the first head that it sees".to_owned() });
            }
            Objection::Refuses(size) if self.cosigned_this(head, witness, size).await? => {
                let what = format!("refuses what continues the head of {size} entries that it cosigned");
                return Err(Error::Witness { witness: name(), what });
            }
            Objection::Refuses(size) => Error::WitnessedOther { witness: name(), size },
        };
        self.stop_log(&err.to_string());
        Err(err)
    }

    /// Whether the first `size` entries are those of a head that `witness` cosigned, as far as can be seen here.
    async fn cosigned_this(&self, head: &NewestHead, witness: &WitnessKey, size: u64) -> Result<bool, Error> {
        let sql = "SELECT h.log, h.signed_at, h.note, a.body FROM log_anchors a
                   JOIN log_heads h ON h.log = a.log AND h.size = a.size
                   WHERE a.log = $1 AND a.size = $2 AND a.source = $3 AND a.kind = $4";
        let args = [Arg::Int(head.log), Arg::Int(signed(size)?), Arg::Text(witness.name()), Arg::Text(WITNESS)];
        let Some(row) = self.db.row(sql, &args).await? else { return Ok(false) };
        let cosigned = self.read_head(&row)?;
        let Ok(line) = std::str::from_utf8(row.bytes(3)?) else { return Ok(false) };
        let found = audit::with_signatures(cosigned.note.as_bytes(), &[line])
            .and_then(|note| audit::cosignatures(note.as_bytes(), std::slice::from_ref(witness)));
        if !found.is_ok_and(|found| !found.is_empty()) {
            return Ok(false);
        }
        let (dir, head) = (self.published.join(head.log.to_string()), head.clone());
        let root = self.blocking(move |_| proof::root_of_first(&dir, &head, size)).await??;
        Ok(root == cosigned.root)
    }

    /// A request for a time stamp on `head`, and the number that the answer must repeat.
    pub fn timestamp_request(&self, head: &NewestHead) -> Result<(Vec<u8>, u64), Error> {
        let mut nonce = [0; 8];
        getrandom::fill(&mut nonce).map_err(vault::VaultError::NoRandomness)?;
        let nonce = u64::from_be_bytes(nonce);
        Ok((audit::timestamp_request(&head.imprint(), nonce), nonce))
    }

    /// Keeps the answer of the time stamping service at `url`, once it was found to be a time stamp on this head that
    /// answers this request. Whose signature it carries is for the auditor to judge, who knows whom to believe.
    #[boxed]
    pub async fn keep_timestamp(
        &self,
        head: &NewestHead,
        url: &str,
        nonce: u64,
        answer: &[u8],
        now: Timestamp,
    ) -> Result<(), Error> {
        audit::granted(answer, &head.imprint(), nonce).map_err(Error::Timestamp)?;
        self.keep(head, TIMESTAMP, url, answer, now).await
    }

    async fn keep(
        &self,
        head: &NewestHead,
        kind: &str,
        source: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), Error> {
        // Whoever signs the next head takes this one away where nobody vouched for it yet, as it may have been already.
        let folder = self.published.clone();
        let _alone = self.blocking(move |_| lock(&folder)).await??;
        let (log, size) = (Arg::Int(head.log), Arg::Int(signed(head.size)?));
        let mut tx = self.db.begin().await?;
        tx.execute(
            "INSERT INTO log_anchors (log, size, source, kind, anchored_at, body) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (log, size, source) DO NOTHING",
            &[log, size, Arg::Text(source), Arg::Text(kind), Arg::Int(now.0), Arg::Bytes(body)],
        )
        .await?;
        tx.execute(
            "INSERT INTO log_heads (log, size, signed_at, note) VALUES ($1, $2, $3, $4) ON CONFLICT (log, size) DO NOTHING",
            &[log, size, Arg::Int(head.signed_at), Arg::Text(&head.note)],
        )
        .await?;
        tx.commit().await
    }
}

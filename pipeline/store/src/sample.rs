//! A sample of cases for an auditor, committed to before it is drawn: neither who asks nor who keeps the log can choose.
//!
//! The commitment fixes the population, which is the admissions between two entries that are sealed, and the digest of the
//! seed. The draw shows the seed. Whoever has the log can draw again and must get the same cases.

mod pack;

use std::collections::BTreeMap;

use audit::{Act, Body, Leaf, Value};
use case::{Actor, CaseId, Deed, Denied, Digest, Role, Scope, Timestamp, permit_case};
use serde::Serialize;

use crate::db::Arg;
use crate::log::{Draft, signed};
use crate::{Error, Period, Store, boxed, vault};
pub use pack::Drawn;

/// How many cases a sample may have: their ids stand in one entry.
pub const SAMPLE_CASES_MAX: u64 = 500;
const SAMPLES_LISTED_MAX: i64 = 1_000;
const ENTRIES_AT_ONCE: i64 = 2_000;
/// How every sealed entry about an admission begins: keys are sorted, so its act comes first.
const ADMISSION: &[u8] = br#"{"body":{"act":"case.admit","#;

/// What is to be sampled.
#[derive(Clone, Debug)]
pub struct SampleAsk {
    pub count: u64,
    /// Cases that were admitted in this period.
    pub period: Period,
    /// An auditor's own; otherwise a random one is made.
    pub seed: Option<[u8; 32]>,
}

/// A sample that was committed to and can be drawn.
#[derive(Clone, Debug, Serialize)]
pub struct Committed {
    /// The id of the entry that commits to it.
    pub sample: String,
    /// For the auditor to keep: 64 hexadecimal digits.
    pub seed: String,
    pub seed_digest: Digest,
    /// Where the commitment stands in the log.
    pub index: u64,
    #[serde(flatten)]
    pub frame: Frame,
    /// How many cases can be drawn.
    pub population: u64,
}

/// What a commitment fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Frame {
    pub count: u64,
    /// The first and the last entry of the population.
    pub first: u64,
    pub last: u64,
}

/// A sample as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sample {
    pub sample: String,
    /// Where the commitment stands, who made it and when; absent while it waits to be sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub committed: Option<Doing>,
    #[serde(flatten)]
    pub frame: Option<Frame>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawn: Option<Doing>,
    /// When its evidence was handed out again after the draw.
    pub again: Vec<Doing>,
}

/// One entry about a sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Doing {
    pub index: u64,
    pub sealed: String,
    pub by: String,
}

/// The entry of a commitment, where it is sealed.
pub(crate) struct Commitment {
    pub(crate) id: String,
    pub(crate) log: i64,
    pub(crate) leaf: Vec<u8>,
    pub(crate) index: u64,
    pub(crate) sealed_at: i64,
    pub(crate) by: String,
    pub(crate) frame: Frame,
    pub(crate) seed_digest: Digest,
}

impl Store {
    /// Fixes what will be drawn. Sign the log before it is drawn: until a signed head covers it, it is refused.
    #[boxed]
    pub async fn commit_sample(&self, ask: &SampleAsk, by: &Actor, now: Timestamp) -> Result<Committed, Error> {
        self.authorize(by, Deed::ReadLog, now).await?;
        let times = ask.period.micros()?;
        self.within_scope(ask.period, by, Deed::ReadLog, now).await?;
        self.seal_log(now).await?;
        let tail = self.tail().await?;
        let places = self.sealed_within(tail.log, signed(tail.size())?, &times).await?;
        let mut population = 0;
        self.admissions(tail.log, places.clone(), |_, _| {
            population += 1;
            Ok(())
        })
        .await?;
        let (n, max) = (ask.count, SAMPLE_CASES_MAX.min(population));
        if n == 0 || max < n {
            let what = format!(
                "a sample of {n} cases was asked for; {population} cases came in from {} to {}, at most {SAMPLE_CASES_MAX} are drawn",
                ask.period.from, ask.period.to
            );
            return Err(Error::Unacceptable { what });
        }
        let mut seed = ask.seed.unwrap_or_default();
        if ask.seed.is_none() {
            getrandom::fill(&mut seed).map_err(vault::VaultError::NoRandomness)?;
        }
        let frame = Frame { count: n, first: places.start.unsigned_abs(), last: (places.end - 1).unsigned_abs() };
        let seed_digest = Digest::of(&seed);
        let mut entry = Draft::new(Act::SampleCommit, by);
        entry.count("count", signed(n)?);
        entry.count("first", places.start);
        entry.count("last", places.end - 1);
        entry.tell("seed", seed_digest.to_string());
        let (entry, _) = self.entry(entry, &self.house, now)?;
        let sample = entry.id.clone();
        let body = self.seal_json(&context(&sample), &Digest(seed))?;
        let mut tx = self.db.begin().await?;
        self.write_ready_entry(&mut tx, entry).await?;
        tx.execute(
            "INSERT INTO samples (sample_id, draw_id, body) VALUES ($1, '', $2)",
            &[Arg::Text(&sample), Arg::Bytes(&body)],
        )
        .await?;
        tx.commit().await?;
        self.bell.notify_one();
        let (_, index) = self.placed(&sample, now).await?;
        Ok(Committed { sample, seed: Digest(seed).to_string(), seed_digest, index, frame, population })
    }

    /// An auditor does this about a period within their scope; a refusal is entered.
    pub(crate) async fn within_scope(
        &self,
        period: Period,
        by: &Actor,
        deed: Deed,
        now: Timestamp,
    ) -> Result<(), Error> {
        let scope = if by.holds(Role::Auditor) { self.scope(&by.id).await? } else { None };
        let Some(Scope { from, to }) = scope else { return Ok(()) };
        let inside = |day| permit_case(by, deed, scope, day).is_ok();
        if inside(period.from) && inside(period.to) {
            return Ok(());
        }
        let needs = format!("admin or auditor with another scope: this auditor's is {from} to {to}");
        self.denied(Err(Denied { needs }), None, by, deed, now).await
    }

    /// All samples, the newest first, with their draws.
    #[boxed]
    pub async fn samples(&self, by: &Actor, now: Timestamp) -> Result<Vec<Sample>, Error> {
        self.authorize(by, Deed::ReadLog, now).await?;
        self.seal_log(now).await?;
        let sql = "SELECT sample_id FROM samples ORDER BY sample_id DESC LIMIT $1";
        let mut samples = Vec::new();
        for row in self.db.rows(sql, &[Arg::Int(SAMPLES_LISTED_MAX)]).await? {
            let id = row.text(0)?;
            let commitment = self.commitment(id).await?;
            let mut sample = Sample {
                sample: id.to_owned(),
                frame: commitment.as_ref().map(|it| it.frame),
                committed: commitment.map(|it| Doing {
                    index: it.index,
                    sealed: Timestamp(it.sealed_at).to_string(),
                    by: it.by,
                }),
                drawn: None,
                again: Vec::new(),
            };
            let sql = "SELECT leaf FROM log_entries WHERE object = $1 ORDER BY log, position LIMIT $2";
            for row in self.db.rows(sql, &[Arg::Text(id), Arg::Int(SAMPLES_LISTED_MAX)]).await? {
                let leaf = Leaf::parse(row.bytes(0)?)?;
                let body = Body::parse(leaf.body)?;
                let doing =
                    Doing { index: leaf.index, sealed: Timestamp(leaf.sealed_at).to_string(), by: body.actor.id };
                match body.act {
                    Act::SampleDraw => sample.drawn = Some(doing),
                    Act::LogProve => sample.again.push(doing),
                    _ => {}
                }
            }
            samples.push(sample);
        }
        Ok(samples)
    }

    /// The sample whose id is `text` or ends with it.
    async fn find_sample(&self, text: &str) -> Result<String, Error> {
        let text = text.trim().to_lowercase();
        let unknown = || Error::NoSuch { what: "sample", name: text.clone() };
        if text.len() < 4 || !text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
            return Err(unknown());
        }
        let sql = "SELECT sample_id FROM samples WHERE sample_id LIKE $1 LIMIT 3";
        match self.db.rows(sql, &[Arg::Text(&format!("%{text}"))]).await?.as_slice() {
            [] => Err(unknown()),
            [row] => Ok(row.text(0)?.to_owned()),
            _ => Err(Error::Unacceptable { what: format!("`{text}` fits more than one sample; give more of the id") }),
        }
    }

    /// None while it is not sealed.
    async fn commitment(&self, id: &str) -> Result<Option<Commitment>, Error> {
        let sql = "SELECT log, leaf FROM log_entries WHERE entry_id = $1";
        let Some(row) = self.db.row(sql, &[Arg::Text(id)]).await? else { return Ok(None) };
        let leaf = Leaf::parse(row.bytes(1)?)?;
        let body = Body::parse(leaf.body)?;
        let number = |name: &str| match body.d.get(name) {
            Some(Value::Integer(number)) => u64::try_from(*number).ok(),
            _ => None,
        };
        let digest = match body.d.get("seed") {
            Some(Value::Text(digest)) => digest.parse().ok(),
            _ => None,
        };
        match (body.act, number("count"), number("first"), number("last"), digest) {
            (Act::SampleCommit, Some(count), Some(first), Some(last), Some(seed_digest)) => Ok(Some(Commitment {
                id: id.to_owned(),
                log: row.int(0)?,
                leaf: row.bytes(1)?.to_owned(),
                index: leaf.index,
                sealed_at: leaf.sealed_at,
                by: body.actor.id,
                frame: Frame { count, first, last },
                seed_digest,
            })),
            _ => Err(Error::Row { what: format!("entry {} commits to no sample", leaf.index) }),
        }
    }

    /// The cases that a commitment leads to, in the order of the draw: rank in the population, entry of the admission, and
    /// case. Also how many there were to draw from.
    async fn drawn(&self, commitment: &Commitment, seed: &[u8; 32]) -> Result<(u64, Vec<Pick>), Error> {
        let Frame { count, first, last } = commitment.frame;
        let places = signed(first)?..signed(last)? + 1;
        let mut population = 0;
        self.admissions(commitment.log, places.clone(), |_, _| {
            population += 1;
            Ok(())
        })
        .await?;
        if population < count {
            let what = format!("{count} cases were to be drawn, and the log has {population} admissions there");
            return Err(Error::Row { what });
        }
        let ranks = audit::draw(seed, population, count)?;
        let mut found: BTreeMap<u64, Option<(u64, CaseId)>> = ranks.iter().map(|rank| (*rank, None)).collect();
        let mut rank = 0;
        self.admissions(commitment.log, places, |index, body| {
            if let Some(found) = found.get_mut(&rank) {
                let id = body()?.obj.and_then(|object| object.id.parse().ok());
                let id = id.ok_or_else(|| Error::Row { what: format!("entry {index} admits no case") })?;
                *found = Some((index, id));
            }
            rank += 1;
            Ok(())
        })
        .await?;
        let pick = |rank: &u64| {
            let (index, case) = found.get(rank).copied().flatten()?;
            Some(Pick { rank: *rank, index, case })
        };
        let picks = ranks.iter().map(pick).collect::<Option<Vec<_>>>();
        Ok((population, picks.ok_or_else(|| Error::Row { what: "a drawn admission is not there".to_owned() })?))
    }

    /// Calls `each` with every admission at these places, in order: its index, and what reads its body.
    async fn admissions(
        &self,
        log: i64,
        places: std::ops::Range<i64>,
        mut each: impl FnMut(u64, &dyn Fn() -> Result<Body, Error>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut from = places.start;
        while from < places.end {
            let to = (from + ENTRIES_AT_ONCE).min(places.end);
            for row in self.leaves(log, from..to).await? {
                let bytes = row.bytes(1)?;
                if bytes.starts_with(ADMISSION) {
                    each(row.int(0)?.unsigned_abs(), &|| Ok(Body::parse(Leaf::parse(bytes)?.body)?))?;
                }
            }
            from = to;
        }
        Ok(())
    }
}

/// One drawn case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pick {
    rank: u64,
    index: u64,
    case: CaseId,
}

fn context(sample: &str) -> String {
    format!("samples/{sample}")
}

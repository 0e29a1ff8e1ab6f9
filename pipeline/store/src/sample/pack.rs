//! The evidence pack of a drawn sample: for every case what proves it, what it was, and the document.

use std::path::{Path, PathBuf};

use audit::Act;
use case::{Actor, Case, CaseId, Deed, Digest, Timestamp, permit};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Commitment, Pick, context};
use crate::db::Arg;
use crate::evidence::{Evidence, readme};
use crate::log::{Draft, signed};
use crate::{Error, Given, Happening, Head, Store, boxed, causes};

const EXTENSION_CHARS_MAX: usize = 5;

/// A sample as it was drawn.
#[derive(Clone, Debug, Serialize)]
pub struct Drawn {
    pub sample: String,
    pub dir: PathBuf,
    /// In the order of the draw.
    pub cases: Vec<CaseId>,
    pub population: u64,
    /// Where the commitment and the draw stand in the log.
    pub commit: u64,
    pub draw: u64,
    /// What is not in the pack, because whoever drew may not have it: `openings`, `case`, `original`.
    pub left_out: Vec<&'static str>,
    /// What should be in the pack and could not be opened.
    pub faults: Vec<String>,
    pub head: Head,
}

/// A case in the manifest.
#[derive(Debug, Serialize)]
struct Packed {
    case: CaseId,
    /// Its place in the population, counted from 0, and the entry of its admission.
    rank: u64,
    index: u64,
    folder: String,
    #[serde(flatten)]
    given: Given,
}

/// What whoever draws may have beside receipts.
#[derive(Clone, Copy, Debug)]
struct Entitled {
    openings: bool,
    case: bool,
    original: bool,
}

impl Store {
    /// Draws a sample that was committed to, and writes its evidence into `dir`, which must be new or empty. `show` is a
    /// case as JSON. The draw, and for every case what is handed out, are entered first. Drawn again, the same evidence is
    /// handed out again. Refused until a signed head covers the commitment. Calls `progress` with cases done.
    #[boxed]
    pub async fn draw_sample(
        &self,
        sample: &str,
        dir: &Path,
        show: &(dyn Fn(&Case, &[Happening]) -> Value + Sync),
        by: &Actor,
        now: Timestamp,
        progress: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<Drawn, Error> {
        self.authorize(by, Deed::ReadLog, now).await?;
        let (commitment, seed) = self.covered_commitment(&self.find_sample(sample).await?).await?;
        let (population, picks) = self.drawn(&commitment, &seed.0).await?;
        let folder = self.new_folder(dir).await?;
        let entitled = Entitled {
            openings: permit(by, Deed::OpenLog).is_ok(),
            case: permit(by, Deed::ViewCase).is_ok(),
            original: permit(by, Deed::Download).is_ok(),
        };
        if entitled.openings || entitled.case || entitled.original {
            for pick in &picks {
                self.authorize_case(by, Deed::ReadLog, &self.case(pick.case).await?, now).await?;
            }
        }

        let ground = self.ground(now).await?;
        let mut entries = Vec::new();
        for pick in &picks {
            entries.push(self.prove_entry(&ground, pick.case, entitled.openings, by).await?);
            for part in [entitled.case.then_some("case"), entitled.original.then_some("original")].iter().flatten() {
                let mut look = Draft::new(Act::DocumentView, by).about("case", pick.case);
                look.tell("part", *part);
                entries.push(look);
            }
        }
        let (draw_id, own) = self.enter_draw(&commitment, population, &picks, &seed, entries, by, now).await?;
        let mut evidence = self.evidence(folder, ground, own, now).await?;
        let (log, draw) = self.placed(&draw_id, now).await?;
        let sql = "SELECT leaf FROM log_entries WHERE entry_id = $1";
        let row = self.db.row(sql, &[Arg::Text(&draw_id)]).await?;
        let row = row.ok_or_else(|| Error::Row { what: "the entry of the draw is not there".to_owned() })?;
        for (log, leaf) in [(commitment.log, commitment.leaf.as_slice()), (log, row.bytes(0)?)] {
            if evidence.write("sample/", log, leaf)?.is_none() {
                return Err(Error::Row { what: "no signed head covers the commitment or the draw".to_owned() });
            }
        }

        let (mut packed, mut faults) = (Vec::new(), Vec::new());
        for (number, pick) in (1..).zip(&picks) {
            let case;
            (evidence, case) = self.pack_case(evidence, number, pick, entitled, show, &mut faults).await?;
            packed.push(case);
            progress(number, picks.len() as u64);
        }
        let left_out = [("openings", entitled.openings), ("case", entitled.case), ("original", entitled.original)];
        let drawn = Drawn {
            sample: commitment.id.clone(),
            dir: dir.to_owned(),
            cases: picks.iter().map(|pick| pick.case).collect(),
            population,
            commit: commitment.index,
            draw,
            left_out: left_out.into_iter().filter(|(_, may)| !may).map(|(part, _)| part).collect(),
            faults,
            head: evidence.head()?,
        };
        self.blocking(move |_| {
            evidence.folder.add("README.md", readme_of(&drawn, &commitment, &evidence).as_bytes())?;
            let manifest = manifest(&drawn, &commitment, seed, &draw_id, &packed, &evidence);
            let manifest = serde_json::to_string_pretty(&manifest).map_err(|err| Error::json("manifest", &err))?;
            evidence.folder.add("manifest.json", format!("{manifest}\n").as_bytes())?;
            Ok(drawn)
        })
        .await?
    }

    /// Enters the draw, or, where it was drawn before, that its evidence is handed out again; and with it `entries`. Gives
    /// back the id of the draw's entry, and of all that were entered now.
    #[expect(clippy::too_many_arguments, reason = "one transaction of the function above")]
    async fn enter_draw(
        &self,
        commitment: &Commitment,
        population: u64,
        picks: &[Pick],
        seed: &Digest,
        entries: Vec<Draft>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(String, Vec<String>), Error> {
        let mut draw = Draft::new(Act::SampleDraw, by).about("sample", &commitment.id);
        draw.count("cases", signed(population)?);
        draw.tell("commit", &commitment.id);
        draw.list("drawn", picks.iter().map(|pick| pick.case.to_string()));
        draw.tell("seed", seed.to_string());
        let (draw, _) = self.entry(draw, &self.house, now)?;
        let mut again = Draft::new(Act::LogProve, by).about("sample", &commitment.id);
        again.count("receipts", 2);
        again.count("openings", 0);
        let (again, _) = self.entry(again, &self.house, now)?;
        let entries = entries
            .into_iter()
            .map(|entry| Ok(self.entry(entry, &self.house, now)?.0))
            .collect::<Result<Vec<_>, Error>>()?;
        let mut tx = self.db.begin().await?;
        // A sample is drawn once: whoever draws again, or at the same time, gets the same evidence of the same draw.
        let first = "UPDATE samples SET draw_id = $1 WHERE sample_id = $2 AND draw_id = ''";
        let first = tx.execute(first, &[Arg::Text(&draw.id), Arg::Text(&commitment.id)]).await? == 1;
        let sql = "SELECT draw_id FROM samples WHERE sample_id = $1";
        let row = tx.row(sql, &[Arg::Text(&commitment.id)]).await?;
        let row = row.ok_or_else(|| Error::NoSuch { what: "sample", name: commitment.id.clone() })?;
        let draw_id = row.text(0)?.to_owned();
        let mut own = Vec::new();
        for entry in [if first { draw } else { again }].into_iter().chain(entries) {
            own.push(entry.id.clone());
            self.write_ready_entry(&mut tx, entry).await?;
        }
        tx.commit().await?;
        self.bell.notify_one();
        Ok((draw_id, own))
    }

    /// INVARIANT (committed before it is drawn): a commitment that no signed head covers could still be taken back.
    async fn covered_commitment(&self, id: &str) -> Result<(Commitment, Digest), Error> {
        let refused = || {
            let what =
                format!("no signed head covers the commitment to sample `{id}` yet: run `countersign log head` first");
            Error::Unacceptable { what }
        };
        let commitment = self.commitment(id).await?.ok_or_else(refused)?;
        let head = "SELECT size FROM log_heads WHERE log = $1 AND $2 < size LIMIT 1";
        let args = [Arg::Int(commitment.log), Arg::Int(signed(commitment.index)?)];
        self.db.row(head, &args).await?.ok_or_else(refused)?;
        // Proved, not only looked up.
        self.prover(commitment.log).await?.receipt(commitment.index, &commitment.leaf)?;
        let row = self.db.row("SELECT body FROM samples WHERE sample_id = $1", &[Arg::Text(id)]).await?;
        let row = row.ok_or_else(|| Error::NoSuch { what: "sample", name: id.to_owned() })?;
        let seed: Digest = self.open_json(&context(id), row.bytes(0)?)?;
        if Digest::of(&seed.0) != commitment.seed_digest {
            let what = format!("the seed of sample `{id}` is not the one that was committed to");
            return Err(Error::Row { what });
        }
        Ok((commitment, seed))
    }

    async fn pack_case(
        &self,
        evidence: Evidence,
        number: u64,
        pick: &Pick,
        entitled: Entitled,
        show: &(dyn Fn(&Case, &[Happening]) -> Value + Sync),
        faults: &mut Vec<String>,
    ) -> Result<(Evidence, Packed), Error> {
        let folder = format!("cases/{number:03}-{}", pick.case);
        let (mut evidence, given) =
            self.write_case(evidence, &format!("{folder}/receipts/"), pick.case, entitled.openings).await?;
        let mut fault = |part: &str, err: Error| faults.push(format!("{folder}: the {part}: {}", causes(&err)));
        match self.case(pick.case).await {
            Err(err) => fault("case", err),
            Ok(case) => {
                if entitled.case {
                    let history = self.history(pick.case).await?;
                    let shown = format!("{}\n", show(&case, &history));
                    evidence.folder.add(&format!("{folder}/case.json"), shown.as_bytes())?;
                }
                if entitled.original {
                    match self.original_bytes(&case).await {
                        Err(err) => fault("original", err),
                        Ok(bytes) => {
                            let path = format!("{folder}/original.{}", extension(&case.document.file_name));
                            evidence =
                                self.blocking(move |_| evidence.folder.add(&path, &bytes).map(|()| evidence)).await??;
                        }
                    }
                }
            }
        }
        Ok((evidence, Packed { case: pick.case, rank: pick.rank, index: pick.index, folder, given }))
    }
}

/// The sender named the file: of that only a plain ending is taken over.
fn extension(file_name: &str) -> String {
    let ending = file_name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let plain = |ending: &String| {
        (1..=EXTENSION_CHARS_MAX).contains(&ending.len()) && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    ending.filter(plain).unwrap_or_else(|| "bin".to_owned())
}

fn manifest(
    drawn: &Drawn,
    commitment: &Commitment,
    seed: Digest,
    draw_id: &str,
    packed: &[Packed],
    evidence: &Evidence,
) -> Value {
    json!({
        "sample": commitment.id,
        "seed": seed,
        "seed_sha256": commitment.seed_digest,
        "population": {"first": commitment.frame.first, "last": commitment.frame.last, "cases": drawn.population},
        "commit": {"id": commitment.id, "index": commitment.index, "sealed": Timestamp(commitment.sealed_at).to_string()},
        "draw": {"id": draw_id, "index": drawn.draw},
        "cases": packed,
        "left_out": drawn.left_out,
        "faults": drawn.faults,
        "head": drawn.head,
        "files": evidence.folder.digests(),
    })
}

fn readme_of(drawn: &Drawn, commitment: &Commitment, evidence: &Evidence) -> String {
    let frame = commitment.frame;
    let mut text = format!(
        "# Sample {id}\n\n\
         {count} of the {population} cases that were admitted by the entries {first} to {last} of the audit log `{origin}`. What would\n\
         be drawn was fixed by entry {commit}, before anybody could know it; the draw is entry {draw}. Both lie in `sample/` with\n\
         their receipts.\n\n\
         `manifest.json` lists the cases in the order of the draw, and the SHA-256 of every other file here. Each folder in\n\
         `cases/` holds the sealed entries about a case, `receipts/<index>.json`, with their receipts,\n\
         `receipts/<index>.tlog-proof`; for those who may have them also what the commitments stand for,\n\
         `receipts/openings.jsonl`, the case, `case.json`, and the document as it came in, `original.*`.\n",
        id = drawn.sample,
        count = frame.count,
        population = drawn.population,
        first = frame.first,
        last = frame.last,
        origin = drawn.head.origin,
        commit = drawn.commit,
        draw = drawn.draw,
    );
    if !drawn.left_out.is_empty() {
        text += &format!("\nLeft out, because whoever drew may not have it: {}.\n", drawn.left_out.join(", "));
    }
    for fault in &drawn.faults {
        text += &format!("\nFAULT {fault}\n");
    }
    text += "\n## Draw it again\n\n\
        With an export of the log (`countersign log export`): the seed in the draw's entry has the SHA-256 that is in the\n\
        commitment's. Number the entries `case.admit` between `first` and `last` from 0. For the counter 0, 1, 2 … take the\n\
        HMAC-SHA-256, keyed with the seed, of `audit-sample/v1`, a zero byte and the counter as 8 bytes, the highest first. Its\n\
        first 8 bytes are a number; leave out those at or above the largest multiple of the population that is not above 2^64. The\n\
        remainder by the population is the next case, unless it was drawn before.\n\n\
        ## Check the files and the receipts\n\n    \
        python3 -c \"import json,hashlib; [print(p) for p, d in json.load(open('manifest.json'))['files'].items() if \
        hashlib.sha256(open(p,'rb').read()).hexdigest() != d]\"\n\n\
        names every file that is not the one that was written.\n";
    // One line for all cases.
    let all = |folder: &String| match folder.split_once("/receipts") {
        Some((_, log)) => format!("cases/*/receipts{log}"),
        None => folder.clone(),
    };
    text + &readme::commands(&evidence.written.iter().map(|(folder, key)| (all(folder), key.clone())).collect())
}

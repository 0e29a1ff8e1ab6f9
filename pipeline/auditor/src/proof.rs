//! Verifies receipts, without the log: the entry, the proof, the signed head, the cosignatures, the openings.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;
use audit::{
    Body, Hash, LEAF_BYTES_MAX, Leaf, OPENING_LINE_BYTES_MAX, OpeningLine, RECEIPT_BYTES_MAX, VerifierKey, WitnessKey,
    cosignatures, rfc3339, verify_receipt,
};
use clap::Args;
use serde_json::{Value, json};

use crate::against::Witnesses;
use crate::file::{given, read};
use crate::{Outcome, tell};

/// Receipts that are looked at in one run, at some kilobytes of memory each.
const RECEIPTS_MAX: usize = 10_000;
const SUFFIX: &str = ".tlog-proof";

#[derive(Args)]
pub(crate) struct Proof {
    /// Receipts, or folders of them: <index>.json beside <index>.tlog-proof, and perhaps openings.jsonl
    #[arg(required = true, value_name = "RECEIPT")]
    receipts: Vec<PathBuf>,
    /// Verifier key of the log, or a file that holds it; may be given again for a log that changed its key
    #[arg(long, value_name = "VKEY", required = true)]
    key: Vec<String>,
    /// The entry that the receipt is for, or the folder of the entries; beside the receipts if not given
    #[arg(long, value_name = "FILE|DIR")]
    entry: Option<PathBuf>,
    /// Openings of the entries; openings.jsonl in a folder of receipts if not given
    #[arg(long, value_name = "FILE")]
    openings: Option<PathBuf>,
    #[command(flatten)]
    witnesses: Witnesses,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

/// What was found good.
#[derive(Default)]
struct Findings {
    receipts: Vec<Value>,
    lines: Vec<String>,
    faults: Vec<String>,
    /// By index: id and commitments of the entries.
    entries: BTreeMap<u64, (String, BTreeMap<String, String>)>,
    /// By size.
    heads: BTreeMap<u64, Hash>,
    /// Index and path of the commitments whose opening fits.
    opened: BTreeSet<(u64, String)>,
}

impl Proof {
    pub(crate) fn run(&self) -> anyhow::Result<Outcome> {
        let keys = self.key.iter().map(|key| given(key, "a verifier key", VerifierKey::parse));
        let keys = keys.collect::<anyhow::Result<Vec<_>>>()?;
        let origins: BTreeSet<&str> = keys.iter().map(VerifierKey::origin).collect();
        anyhow::ensure!(origins.len() == 1, "the keys are of {} different logs", origins.len());
        let (witnesses, quorum) = self.witnesses.read()?;
        let mut found = Findings::default();
        let (mut pairs, mut openings) = (Vec::new(), self.openings.clone().into_iter().collect::<Vec<_>>());
        for path in &self.receipts {
            match path.is_dir() {
                true => {
                    self.folder(path, &mut pairs, &mut found)?;
                    let inside = path.join("openings.jsonl");
                    openings.extend(Some(inside).filter(|inside| self.openings.is_none() && inside.exists()));
                }
                false => {
                    anyhow::ensure!(path.is_file(), "`{}` is not a file", path.display());
                    pairs.push((path.clone(), self.entry_of(path)));
                }
            }
            let count = pairs.len();
            anyhow::ensure!(count <= RECEIPTS_MAX, "{count} receipts are given, at most {RECEIPTS_MAX} are allowed");
        }
        for (receipt, entry) in &pairs {
            if let Err(error) = found.receipt(receipt, entry, &keys, &witnesses, quorum) {
                found.faults.push(format!("{}: {error:#}", receipt.display()));
            }
        }
        for path in &openings {
            found.openings(path)?;
        }
        Ok(self.tell(pairs.len(), openings.is_empty(), &found))
    }

    /// Puts the receipts of a folder to their entries.
    fn folder(&self, dir: &Path, pairs: &mut Vec<(PathBuf, PathBuf)>, found: &mut Findings) -> anyhow::Result<()> {
        let mut names = BTreeSet::new();
        for child in fs::read_dir(dir).with_context(|| format!("cannot read `{}`", dir.display()))? {
            let child = child.with_context(|| format!("cannot read `{}`", dir.display()))?;
            let (name, kind) = (child.file_name(), child.file_type()?);
            let known = |name: &str| {
                let other = ["openings.jsonl", "README", "README.md", "README.txt", "keys", "key"];
                name.ends_with(SUFFIX) || name.ends_with(".json") || other.contains(&name)
            };
            match name.to_str().filter(|name| kind.is_file() && known(name)) {
                Some(name) => names.insert(name.to_owned()),
                None => {
                    found.faults.push(format!("{} has no place among receipts", child.path().display()));
                    continue;
                }
            };
            let (count, max) = (names.len(), 2 * RECEIPTS_MAX + 8);
            anyhow::ensure!(count <= max, "`{}` has more than {max} files", dir.display());
        }
        for name in &names {
            if let Some(stem) = name.strip_suffix(SUFFIX) {
                pairs.push((dir.join(name), self.entry.as_deref().unwrap_or(dir).join(format!("{stem}.json"))));
            } else if let Some(stem) = name.strip_suffix(".json")
                && !names.contains(&format!("{stem}{SUFFIX}"))
            {
                found.faults.push(format!("{} has no receipt", dir.join(name).display()));
            }
        }
        Ok(())
    }

    fn entry_of(&self, receipt: &Path) -> PathBuf {
        let beside = receipt.with_extension("json");
        match (&self.entry, beside.file_name()) {
            (Some(path), Some(name)) if path.is_dir() => path.join(name),
            (Some(path), _) => path.clone(),
            (None, _) => beside,
        }
    }

    fn tell(&self, count: usize, without_openings: bool, found: &Findings) -> Outcome {
        let Findings { receipts, faults, .. } = found;
        let commitments: usize = found.entries.values().map(|(_, c)| c.len()).sum();
        let (opened, closed) = (found.opened.len(), commitments - found.opened.len());
        let good = receipts.len();
        let verdict = match (faults.first(), count) {
            (Some(_), _) => format!("fault: {} of {count} receipts are good", good),
            (None, 0) => "there are no receipts".to_owned(),
            (None, _) => format!("good: all {count} receipts show entries of a log that the key signed"),
        };
        let sound = faults.is_empty() && count != 0;
        if self.json {
            let answer = json!({
                "auditor": env!("CARGO_PKG_VERSION"), "sound": sound, "verdict": verdict, "receipts": receipts,
                "openings": {"opened": opened, "not_opened": closed}, "faults": faults,
            });
            tell::print(&format!("{answer}\n"));
        } else {
            let mut lines = found.lines.clone();
            if !without_openings {
                lines.push(format!("openings  {opened} fit their commitments, {closed} commitments have none"));
            }
            lines.extend(faults.iter().map(|fault| format!("fault     {fault}")));
            lines.push(format!("verdict   {verdict}"));
            tell::print(&tell::lines(&lines));
        }
        if sound { Outcome::Sound } else { Outcome::Fault }
    }
}

impl Findings {
    fn receipt(
        &mut self,
        receipt: &Path,
        entry: &Path,
        keys: &[VerifierKey],
        witnesses: &[WitnessKey],
        quorum: usize,
    ) -> anyhow::Result<()> {
        let text = read(receipt, RECEIPT_BYTES_MAX as u64)?;
        let bytes = read(entry, LEAF_BYTES_MAX as u64)?;
        let shown = verify_receipt(&text, &bytes, keys)?;
        let (index, head) = (shown.index, shown.head);
        let leaf = Leaf::parse(&bytes)?;
        anyhow::ensure!(leaf.index == index, "it is for entry {index}, but the entry says that it is {}", leaf.index);
        let stem = receipt.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u64>().ok());
        anyhow::ensure!(stem.is_none_or(|stem| stem == index), "it is for entry {index}, not for the one in its name");
        let known = self.heads.entry(head.size).or_insert(head.root);
        anyhow::ensure!(
            *known == head.root,
            "its head has {} entries and another root than that of another receipt: two histories were signed",
            head.size
        );
        let signed = cosignatures(shown.note.as_bytes(), witnesses)?;
        anyhow::ensure!(
            witnesses.is_empty() || quorum <= signed.len(),
            "its head was cosigned by {} of the witnesses, {quorum} are asked for",
            signed.len()
        );
        let body = Body::parse(leaf.body)?;
        let by: Vec<&str> = signed.iter().map(|cosignature| cosignature.witness.as_str()).collect();
        let sealed = rfc3339(leaf.sealed_at).unwrap_or_default();
        let cosigned = if by.is_empty() { String::new() } else { format!(", cosigned by {}", by.join(", ")) };
        self.lines.push(format!(
            "receipt   entry {index} of {}, {} sealed {sealed}, is in the head of {} entries{cosigned}",
            head.origin,
            body.act.text(),
            head.size
        ));
        self.receipts.push(json!({
            "index": index, "origin": head.origin, "size": head.size, "root": head.root.to_string(),
            "act": body.act.text(), "sealed": sealed, "witnesses": by,
        }));
        self.entries.insert(index, (body.id, body.c));
        Ok(())
    }

    /// An opening that does not fit, or is for no entry here, is a fault; one that is not here is told.
    fn openings(&mut self, path: &Path) -> anyhow::Result<()> {
        let mut lines = BufReader::new(File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?);
        let mut n = 0_u64;
        loop {
            let mut bytes = Vec::new();
            let max = OPENING_LINE_BYTES_MAX as u64 + 1;
            let read = (&mut lines).take(max).read_until(b'\n', &mut bytes);
            read.with_context(|| format!("cannot read `{}`", path.display()))?;
            if bytes.is_empty() {
                return Ok(());
            }
            n += 1;
            let line = match OpeningLine::parse(bytes.strip_suffix(b"\n").unwrap_or(&bytes)) {
                Ok(line) => line,
                Err(error) => {
                    self.faults.push(format!("line {n} of the openings: {error}"));
                    return Ok(());
                }
            };
            let (index, place) = (line.index, &line.opening.path);
            let commitment = self.entries.get(&index).and_then(|(id, c)| Some((id, c.get(place)?)));
            let fault = match commitment {
                None => Some("is for no commitment here"),
                Some((id, commitment)) if *id != line.id || !line.opening.fits(commitment) => {
                    Some("does not fit its commitment")
                }
                Some(_) if !self.opened.insert((index, place.clone())) => Some("stands twice"),
                Some(_) => None,
            };
            if let Some(why) = fault {
                self.faults.push(format!("the opening of `{place}` of entry {index} {why}"));
            }
            // Enough to know that nothing fits; hostile openings could go on for ever.
            if 1_000 < self.faults.len() {
                return Ok(());
            }
        }
    }
}

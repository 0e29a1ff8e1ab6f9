//! The signed heads of a log: its own, those it kept, and those that were kept outside.

use super::folder::{Folder, layout};
use super::{Ask, FaultKind, Report, Stop};
use crate::note::HEAD_BYTES_MAX;
use crate::{Error, Hash, TreeHead, VerifierKey, open_checkpoint};

/// Keys that `keys` may list.
const KEYS_MAX: usize = 100;

/// A head whose root the entries must give at its size.
pub(super) struct Mark {
    pub(super) size: u64,
    root: Hash,
    name: String,
    outside: bool,
}

pub(super) fn signed_head(folder: &Folder<'_>, ask: &Ask) -> Result<TreeHead, Stop> {
    let Some(text) = folder.read("checkpoint", HEAD_BYTES_MAX as u64)? else {
        return Err(layout("checkpoint, the signed head, is missing".to_owned()));
    };
    open("checkpoint", &text, std::slice::from_ref(&ask.key))
}

/// All heads to compare with, the shortest first; the log's own is the last of its size.
pub(super) fn marks(folder: &Folder<'_>, ask: &Ask, head: &TreeHead, report: &mut Report) -> Result<Vec<Mark>, Stop> {
    let mut marks = Vec::new();
    for kept in &ask.since {
        let old = open(&kept.name, &kept.text, std::slice::from_ref(&ask.key))?;
        marks.push(Mark { size: old.size, root: old.root, name: kept.name.clone(), outside: true });
    }
    // Heads in the log's own folder prove nothing to an outsider, so a key that only the folder names is good enough.
    let mut keys = vec![ask.key.clone()];
    let listed = listed_keys(folder)?;
    if !listed.is_empty() && !listed.contains(&ask.key) {
        report.notes.push("the file `keys` does not list the key that was given".to_owned());
    }
    keys.extend(listed);
    for name in folder.names("checkpoints")? {
        let name = format!("checkpoints/{name}");
        let text = folder.read(&name, HEAD_BYTES_MAX as u64)?.unwrap_or_default();
        let old = open(&name, &text, &keys)?;
        marks.push(Mark { size: old.size, root: old.root, name, outside: false });
        report.heads_inside += 1;
    }
    // A head from outside is the better witness, so it is the one to be named.
    marks.sort_by_key(|mark| (mark.size, !mark.outside));
    if let Some(longer) = marks.iter().rev().find(|mark| head.size < mark.size) {
        let (was, now) = (longer.size, head.size);
        let text = format!("rolled back, was {was}, now {now}: {} is a head of {was} entries", longer.name);
        return Err(Stop::fault(FaultKind::RolledBack, Some(now), text));
    }
    marks.push(Mark { size: head.size, root: head.root, name: "checkpoint".to_owned(), outside: false });
    Ok(marks)
}

/// Compares each head with the root that the entries give at its size.
pub(super) fn compare(marks: &[Mark], roots: &[Hash], head: &TreeHead, report: &mut Report) -> Result<(), Stop> {
    assert_eq!(marks.len(), roots.len(), "a root for each head");
    let mut good = 0;
    for (mark, root) in marks.iter().zip(roots) {
        if mark.root == *root {
            good = mark.size;
            continue;
        }
        let (size, name, now) = (mark.size, &mark.name, head.size);
        let what = match (mark.outside, size == now) {
            (true, true) => format!("the head kept outside as {name} has the same {size} entries but another root"),
            (true, false) => {
                format!(
                    "the first {size} entries are not those of the head kept outside as {name}: history was rewritten"
                )
            }
            (false, _) => format!("the first {size} entries do not give the signed root in {name}"),
        };
        let text = format!("{what}; the first difference is in the entries {good} to {}", size.saturating_sub(1));
        return Err(Stop::fault(FaultKind::Fork, Some(good), text));
    }
    let longest = marks.iter().rev().find(|mark| mark.outside && mark.size != 0);
    report.covered = longest.map(|mark| (mark.name.clone(), mark.size));
    Ok(())
}

fn open(name: &str, text: &[u8], keys: &[VerifierKey]) -> Result<TreeHead, Stop> {
    open_checkpoint(text, keys).map_err(|error| {
        let kind = match error {
            Error::OtherKey { .. } => FaultKind::WrongKey,
            Error::OtherLog { .. } => FaultKind::ReplacedLog,
            Error::Signature { .. } => FaultKind::Edited,
            _ => FaultKind::Malformed,
        };
        Stop::fault(kind, None, format!("{name}: {error}"))
    })
}

fn listed_keys(folder: &Folder<'_>) -> Result<Vec<VerifierKey>, Stop> {
    let Some(bytes) = folder.read("keys", HEAD_BYTES_MAX as u64)? else { return Ok(Vec::new()) };
    let malformed = |why: String| Stop::fault(FaultKind::Malformed, None, format!("keys: {why}"));
    let text = std::str::from_utf8(&bytes).map_err(|error| malformed(error.to_string()))?;
    let Some(text) = text.strip_suffix('\n') else {
        return Err(malformed("does not end with a newline".to_owned()));
    };
    if KEYS_MAX < text.split('\n').count() {
        return Err(malformed(format!("lists more than {KEYS_MAX} keys")));
    }
    text.split('\n').map(|line| VerifierKey::parse(line).map_err(|error| malformed(error.to_string()))).collect()
}

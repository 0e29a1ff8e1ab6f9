//! The signed heads of a log: its own, those it kept, and those that were kept outside; with what witnesses and
//! timestamp authorities say of them.

use std::collections::HashMap;

use super::folder::{Folder, layout};
use super::report::{Reference, ReferenceKind};
use super::{Ask, FaultKind, Report, Stop};
use crate::note::{self, HEAD_BYTES_MAX};
use crate::{
    Cosignature, Error, Hash, Stamped, TIMESTAMP_BYTES_MAX, TreeHead, VerifierKey, cosignatures, head_digest, rfc3339,
    verify_timestamp,
};

/// Keys that `keys` may list.
pub(super) const KEYS_MAX: usize = 100;
/// How far the clocks of the log and of the outside may be apart before it is told.
const CLOCK_MAX_US: i64 = 5 * 60 * 1_000_000;

/// All heads of a log.
pub(super) struct Heads {
    /// The log's own, of all its entries.
    pub(super) head: TreeHead,
    /// All heads to compare with, the shortest first; the log's own is the last of its size.
    pub(super) marks: Vec<Mark>,
    /// The key that was given, and those that the folder names; the bits of [`Mark::signers`] stand for them.
    pub(super) known: Vec<VerifierKey>,
}

/// A head whose root the entries must give at its size.
pub(super) struct Mark {
    pub(super) size: u64,
    root: Hash,
    pub(super) name: String,
    /// Kept by whoever verifies.
    outside: bool,
    /// A bit for each known key that signed it.
    pub(super) signers: u128,
    witnessed: Vec<Cosignature>,
    stamped: Option<Stamped>,
}

/// Reads all heads, and refuses those that no key signed that may have.
pub(super) fn read(folder: &Folder<'_>, ask: &Ask, report: &mut Report) -> Result<Heads, Stop> {
    let mut known = vec![ask.key.clone()];
    let listed = listed_keys(folder)?;
    if !listed.is_empty() && !listed.contains(&ask.key) {
        report.notes.push("the file `keys` does not list the key that was given".to_owned());
    }
    // A key that the folder names is not believed for that; `keys::judge` says which the log went over to.
    known.extend(listed.into_iter().filter(|key| *key != ask.key && key.origin() == ask.key.origin()));
    let Some(text) = folder.read("checkpoint", HEAD_BYTES_MAX as u64)? else {
        return Err(layout("checkpoint, the signed head, is missing".to_owned()));
    };
    let (head, own) = open("checkpoint".to_owned(), &text, ask, &known, false)?;
    let mut marks = Vec::new();
    for kept in &ask.since {
        marks.push(open(kept.name.clone(), &kept.text, ask, &known, true)?.1);
    }
    let mut inside = HashMap::new();
    for name in folder.names("checkpoints")? {
        let path = format!("checkpoints/{name}");
        let text = folder.read(&path, HEAD_BYTES_MAX as u64)?.unwrap_or_default();
        inside.insert(name, marks.len());
        marks.push(open(path, &text, ask, &known, false)?.1);
        report.heads_inside += 1;
    }
    // A head from outside is the better witness, so it is the one to be named.
    let own_at = marks.len();
    marks.push(own);
    anchors(folder, ask, &inside, own_at, &mut marks, report)?;
    super::keys::check_reached(&marks, &known)?;
    let own = marks.pop();
    marks.sort_by_key(|mark| (mark.size, !mark.outside));
    if let Some(longer) = marks.iter().rev().find(|mark| head.size < mark.size) {
        let (was, now) = (longer.size, head.size);
        let text = format!("rolled back, was {was}, now {now}: {} is a head of {was} entries", longer.name);
        return Err(Stop::fault(FaultKind::RolledBack, Some(now), text));
    }
    marks.extend(own);
    Ok(Heads { head, marks, known })
}

/// Compares each head with the root that the entries give at its size.
pub(super) fn compare(heads: &Heads, roots: &[Hash]) -> Result<(), Stop> {
    assert_eq!(heads.marks.len(), roots.len(), "a root for each head");
    let mut good = 0;
    for (mark, root) in heads.marks.iter().zip(roots) {
        if mark.root == *root {
            good = mark.size;
            continue;
        }
        let (size, name, now) = (mark.size, &mark.name, heads.head.size);
        let what = match (mark.outside, mark.witnessed.is_empty(), size == now) {
            (true, _, true) => format!("the head kept outside as {name} has the same {size} entries but another root"),
            (true, _, false) => format!(
                "the first {size} entries are not those of the head kept outside as {name}: history was rewritten"
            ),
            (false, false, _) => {
                format!("the first {size} entries are not those of the head in {name}, which witnesses cosigned")
            }
            (false, true, _) => format!("the first {size} entries do not give the signed root in {name}"),
        };
        let text = format!("{what}; the first difference is in the entries {good} to {}", size.saturating_sub(1));
        return Err(Stop::fault(FaultKind::Fork, Some(good), text));
    }
    Ok(())
}

/// Tells what the outside confirms, now that all heads were found good. `sealed_at` is of the last entry of each.
pub(super) fn references(heads: &Heads, sealed_at: &[Option<i64>], ask: &Ask, report: &mut Report) -> Result<(), Stop> {
    let (mut most, mut early): (usize, Option<(String, i64)>) = (0, None);
    for (mark, sealed_at) in heads.marks.iter().zip(sealed_at).filter(|(mark, _)| mark.size != 0) {
        let Mark { size, name, witnessed, .. } = mark;
        let mut add = |kind, at, by| {
            if let (Some(at), Some(sealed)) = (at, sealed_at)
                && at + CLOCK_MAX_US < *sealed
                && early.is_none()
            {
                early = Some((name.clone(), sealed - at));
            }
            report.outside.push(Reference { kind, name: name.clone(), size: *size, at, by });
        };
        if let Some(stamped) = &mark.stamped {
            add(ReferenceKind::Stamped, Some(stamped.at), vec![stamped.by.clone()]);
        }
        most = most.max(witnessed.len());
        if !witnessed.is_empty() && ask.quorum <= witnessed.len() {
            let latest = witnessed.iter().map(|cosignature| cosignature.time).max();
            let latest = latest.and_then(|seconds| i64::try_from(seconds).ok()?.checked_mul(1_000_000));
            let by = witnessed.iter().map(|cosignature| cosignature.witness.clone()).collect();
            add(ReferenceKind::Witnessed, latest.filter(|at| rfc3339(*at).is_some()), by);
        }
        if mark.outside {
            add(ReferenceKind::Kept, None, Vec::new());
        }
    }
    report.outside.sort_by_key(|reference| (reference.size, reference.kind));
    if let Some((name, ahead_us)) = early {
        let minutes = ahead_us / 60_000_000;
        report.notes.push(format!(
            "entries of {name} say that they were sealed {minutes} minutes after that head was confirmed outside: a clock was wrong"
        ));
    }
    if !ask.witnesses.is_empty() && most < ask.quorum {
        let (quorum, given) = (ask.quorum, ask.witnesses.len());
        let text =
            format!("{quorum} of the {given} witnesses are asked for, but no head was cosigned by more than {most}");
        return Err(Stop::fault(FaultKind::Quorum, None, text));
    }
    Ok(())
}

fn open(name: String, text: &[u8], ask: &Ask, known: &[VerifierKey], outside: bool) -> Result<(TreeHead, Mark), Stop> {
    let refuse = |error: Error| {
        let kind = match error {
            Error::OtherKey { .. } => FaultKind::WrongKey,
            Error::OtherLog { .. } => FaultKind::ReplacedLog,
            Error::Signature { .. } => FaultKind::Edited,
            _ => FaultKind::Malformed,
        };
        Stop::fault(kind, None, format!("{name}: {error}"))
    };
    let (head, by) = note::read(text, known).map_err(refuse)?;
    if head.origin != ask.key.origin() {
        return Err(refuse(Error::OtherLog { found: head.origin, expected: ask.key.origin().to_owned() }));
    }
    if by.is_empty() {
        return Err(refuse(Error::OtherKey { origin: head.origin }));
    }
    let signers = known.iter().enumerate().filter(|(_, key)| by.contains(key));
    let signers = signers.fold(0, |signers, (at, _)| signers | 1_u128 << at);
    let witnessed = match cosignatures(text, &ask.witnesses) {
        Ok(witnessed) => witnessed,
        Err(error) => return Err(Stop::fault(FaultKind::Cosignature, None, format!("{name}: {error}"))),
    };
    let mark = Mark { size: head.size, root: head.root, name, outside, signers, witnessed, stamped: None };
    Ok((head, mark))
}

/// Verifies the timestamps in `anchors/`. `inside` says at which mark a head of `checkpoints/` is, `own` where the
/// log's own is.
fn anchors(
    folder: &Folder<'_>,
    ask: &Ask,
    inside: &HashMap<String, usize>,
    own: usize,
    marks: &mut [Mark],
    report: &mut Report,
) -> Result<(), Stop> {
    let mut strange = 0;
    for name in folder.names("anchors")? {
        let path = format!("anchors/{name}");
        let bad = |why: String| Stop::fault(FaultKind::Timestamp, None, format!("{path}: {why}"));
        let plain = |digits: &&str| digits.parse().is_ok_and(|size: u64| size.to_string() == **digits);
        let Some(digits) = name.strip_suffix(".tsr").filter(plain) else {
            strange += 1;
            continue;
        };
        let Some(authority) = &ask.timestamp_authority else {
            report.anchors.1 += 1;
            continue;
        };
        let at = match inside.get(digits) {
            Some(at) => *at,
            None => own,
        };
        let mark = marks.get_mut(at).filter(|mark| mark.size.to_string() == digits);
        let Some(mark) = mark else {
            return Err(bad(format!("there is no head of {digits} entries in checkpoints/{digits}")));
        };
        let note = folder.read(&mark.name, HEAD_BYTES_MAX as u64)?.unwrap_or_default();
        let stamp = folder.read(&path, TIMESTAMP_BYTES_MAX as u64)?.unwrap_or_default();
        let stamped = head_digest(&note).and_then(|digest| verify_timestamp(&stamp, &digest, authority));
        mark.stamped = Some(stamped.map_err(|error| bad(error.to_string()))?);
        report.anchors.0 += 1;
    }
    if strange != 0 {
        report
            .notes
            .push(format!("{strange} files in anchors/ are of no kind that is known here, and were not checked"));
    }
    match report.anchors {
        (0, unchecked @ 1..) => report.notes.push(format!(
            "{unchecked} timestamps in anchors/ were not checked: no certificate of their authority was given"
        )),
        (0, 0) if ask.timestamp_authority.is_some() => {
            report.notes.push("a certificate for timestamps was given, but the folder has none".to_owned());
        }
        _ => (),
    }
    Ok(())
}

fn listed_keys(folder: &Folder<'_>) -> Result<Vec<VerifierKey>, Stop> {
    let Some(bytes) = folder.read("keys", HEAD_BYTES_MAX as u64)? else { return Ok(Vec::new()) };
    let malformed = |why: String| Stop::fault(FaultKind::Malformed, None, format!("keys: {why}"));
    let text = std::str::from_utf8(&bytes).map_err(|error| malformed(error.to_string()))?;
    let Some(text) = text.strip_suffix('\n') else {
        return Err(malformed("does not end with a newline".to_owned()));
    };
    let count = text.split('\n').count();
    if KEYS_MAX < count {
        return Err(malformed(format!("lists {count} keys, at most {KEYS_MAX} are allowed")));
    }
    let mut keys: Vec<VerifierKey> = Vec::new();
    for line in text.split('\n') {
        let key = VerifierKey::parse(line).map_err(|error| malformed(error.to_string()))?;
        if keys.contains(&key) {
            return Err(malformed("lists a key twice".to_owned()));
        }
        keys.push(key);
    }
    Ok(keys)
}

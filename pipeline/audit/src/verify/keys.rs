//! The history of a log's key: which one signs at which size, and over which heads it went from one to the next.

use super::heads::{Heads, KEYS_MAX, Mark};
use super::report::Rotation;
use super::{FaultKind, Report, Stop};
use crate::{Body, Value, VerifierKey};

/// Before the entries are read: refuses a head by a key that no row of heads with two signatures leads to from the key
/// that was given. Whether the log says so too is known only later.
pub(super) fn check_reached(marks: &[Mark], known: &[VerifierKey]) -> Result<(), Stop> {
    let mut reached: u128 = 1;
    // Every round reaches a key more, or is the last.
    for _ in known {
        let next =
            marks.iter().filter(|mark| mark.signers & reached != 0).fold(reached, |all, mark| all | mark.signers);
        if next == reached {
            break;
        }
        reached = next;
    }
    match marks.iter().find(|mark| mark.signers & reached == 0) {
        None => Ok(()),
        Some(mark) => {
            let text =
                format!("{}: is not signed by the key that was given, or by one that it was changed for", mark.name);
            Err(Stop::fault(FaultKind::WrongKey, None, text))
        }
    }
}

/// Afterwards: each head must be signed by the key that was in force at its size, and each change of it by both.
pub(super) fn judge(heads: &Heads, rotations: &[Rotation], report: &mut Report) -> Result<(), Stop> {
    let wrong = |index: Option<u64>, text: String| Err(Stop::fault(FaultKind::WrongKey, index, text));
    let Some(given) = heads.known.first() else { unreachable!("the key that was given is known") };
    let first = rotations.first().map_or(given, |rotation| &rotation.before);
    let mut periods = vec![(0, first)];
    for rotation in rotations {
        let Some((_, before)) = periods.last() else { unreachable!("the first key is there") };
        if **before != rotation.before {
            let text = format!("entry {} changes another key than the one in force", rotation.index);
            return wrong(Some(rotation.index), text);
        }
        periods.push((rotation.index + 1, &rotation.after));
    }
    if !periods.iter().any(|(_, key)| *key == given) {
        return wrong(None, "the key that was given is none of those that the log says it had".to_owned());
    }
    let bit = |key: &VerifierKey| match heads.known.iter().position(|known| known == key) {
        Some(at) => 1_u128 << at,
        None => 0,
    };
    for mark in &heads.marks {
        // A head of no entries is of the first key.
        let in_force = periods.iter().rev().find(|(from, _)| *from <= mark.size).map_or(0, |(_, key)| bit(key));
        if mark.signers & in_force == 0 {
            return wrong(
                None,
                format!("{}: is not signed by the key in force at its {} entries", mark.name, mark.size),
            );
        }
    }
    for rotation in rotations {
        let both = bit(&rotation.before) | bit(&rotation.after);
        let agreed = |mark: &Mark| rotation.index < mark.size && mark.signers & both == both;
        if both.count_ones() != 2 || !heads.marks.iter().any(agreed) {
            let text = format!(
                "entry {} changes the key, but there is no head after it that both keys signed",
                rotation.index
            );
            return wrong(Some(rotation.index), text);
        }
    }
    report.rotations = rotations.to_vec();
    Ok(())
}

/// What a `key.rotate` at `index` says.
pub(super) fn rotation(index: u64, body: &Body, before: usize) -> Result<Rotation, Stop> {
    let malformed =
        |why: String| Stop::fault(FaultKind::Malformed, Some(index), format!("entry {index}, key.rotate: {why}"));
    if KEYS_MAX <= before {
        return Err(malformed(format!("the key was changed more than {KEYS_MAX} times")));
    }
    let key = |name: &str| match body.d.get(name) {
        Some(Value::Text(text)) => VerifierKey::parse(text).map_err(|error| malformed(format!("{name}: {error}"))),
        _ => Err(malformed(format!("does not name the key {name}"))),
    };
    let rotation = Rotation { index, before: key("before")?, after: key("after")? };
    if rotation.before == rotation.after || rotation.before.origin() != rotation.after.origin() {
        return Err(malformed("the keys before and after are the same, or of different logs".to_owned()));
    }
    Ok(rotation)
}

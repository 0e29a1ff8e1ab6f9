//! What a person decides, and the corrections they make.

use serde::{Deserialize, Serialize};

use crate::step::{Case, Refusal};
use crate::{Actor, Deed, Digest, Evidence, Field, FieldName, LINES_MAX, LineField, Timestamp, permit};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub by: Actor,
    pub verdict: Verdict,
    pub reason: String,
    /// [`Case::content`] of what the person looked at.
    pub seen: Digest,
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Approves every open checkpoint that is this person's to approve.
    Approve,
    Reject,
    Correct(Vec<Change>),
    /// Lets a quarantined document be read again.
    Release,
}

/// A new value for a field, by the names of the answer: `number`, `lines.2.quantity` (lines count from 1).
/// An empty value removes the field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub field: String,
    pub value: String,
}

pub const REASON_CHARS_MAX: usize = 2_000;
const CHANGE_CHARS_MAX: usize = 1_000;

impl Decision {
    /// What holds for every decision: the role, a reason, and that the person saw what is there now.
    pub(crate) fn allowed(&self, case: &Case, deed: Deed) -> Result<(), Refusal> {
        permit(&self.by, deed)?;
        reasoned(&self.reason)?;
        if self.seen != case.content() {
            return Err(Refusal::Stale);
        }
        Ok(())
    }
}

/// A reason is needed, and has its length.
pub fn reasoned(reason: &str) -> Result<(), Refusal> {
    if reason.trim().is_empty() {
        return Err(Refusal::ReasonMissing);
    }
    let chars = reason.chars().count();
    if REASON_CHARS_MAX < chars {
        return Err(Refusal::ReasonTooLong { chars, max: REASON_CHARS_MAX });
    }
    Ok(())
}

/// Puts the corrected values in the place of the read ones; the person is the new evidence.
pub(crate) fn correct(case: &mut Case, decision: &Decision) -> Result<(), Refusal> {
    let Verdict::Correct(changes) = &decision.verdict else { return Err(Refusal::NothingCorrected) };
    let Some(extraction) = case.extraction.as_mut() else { return Err(Refusal::NothingCorrected) };
    if changes.is_empty() {
        return Err(Refusal::NothingCorrected);
    }
    for Change { field: path, value } in changes {
        let refused = || Refusal::NoSuchField { field: path.chars().take(80).collect() };
        let value = value.trim();
        if CHANGE_CHARS_MAX < value.chars().count() {
            return Err(refused());
        }
        let field = (!value.is_empty()).then(|| Field {
            value: value.to_owned(),
            confidence: 1.0,
            evidence: Evidence::Person { person: decision.by.id.clone(), text: value.to_owned() },
        });
        if let Some(name) = FieldName::named(path) {
            put(&mut extraction.fields.single, name, field);
        } else {
            let (line, name) = line_field(path).ok_or_else(refused)?;
            // The line after the last one is a new line.
            if line == extraction.lines.len() && line < LINES_MAX {
                extraction.lines.push(Default::default());
            }
            put(extraction.lines.get_mut(line).ok_or_else(refused)?, name, field);
        }
    }
    extraction.lines.retain(|line| !line.is_empty());
    Ok(())
}

fn put<K: Ord>(fields: &mut std::collections::BTreeMap<K, Field>, name: K, field: Option<Field>) {
    match field {
        Some(field) => fields.insert(name, field),
        None => fields.remove(&name),
    };
}

fn line_field(path: &str) -> Option<(usize, LineField)> {
    let (number, name) = path.strip_prefix("lines.")?.split_once('.')?;
    let idx = number.parse::<usize>().ok()?.checked_sub(1)?;
    Some((idx, LineField::named(name)?))
}

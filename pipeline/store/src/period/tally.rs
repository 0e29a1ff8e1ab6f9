//! The counting behind a report, one entry at a time.

use std::collections::BTreeMap;

use audit::{Act, ActorKind, Body, Leaf, Outcome};
use case::Timestamp;

use super::{Listed, LogPart, Noted, Period, PeriodReport, Sessions, Silence, Tally};
use crate::Head;
use crate::log::shown;

/// Of each list, how many are shown.
const LISTED_MAX: usize = 1_000;
/// How many different combinations of act, actor and result are told apart.
const TALLIES_MAX: usize = 20_000;
/// As the auditor's program judges: the heartbeat is due every 15 minutes, and one is left for a slow disk or a restart.
const SILENCE_MAX_MICROS: i64 = 16 * 60 * 1_000_000;

/// A report in the making.
#[derive(Default)]
pub(super) struct Tallied {
    logs: Vec<LogPart>,
    acts: BTreeMap<(Act, String, &'static str, &'static str), u64>,
    denied: Listed<Noted>,
    overrides: Listed<Noted>,
    policies: Listed<Noted>,
    sessions: Sessions,
    handed_out: Listed<Noted>,
    looks: u64,
    keys: Listed<Noted>,
    erasures: Listed<Noted>,
    refused: Listed<Noted>,
    refused_entries: u64,
    silences: Listed<Silence>,
}

impl Tallied {
    pub(super) fn take(&mut self, log: i64, origin: &str, leaf: &Leaf<'_>, body: Body, findings: Option<String>) {
        let sealed = Timestamp(leaf.sealed_at).to_string();
        match self.logs.last_mut().filter(|part| part.log == log) {
            Some(part) => {
                (part.entries, part.last) = (part.entries + 1, leaf.index);
                part.last_sealed = sealed;
            }
            None => self.logs.push(LogPart {
                log,
                origin: origin.to_owned(),
                entries: 1,
                first: leaf.index,
                last: leaf.index,
                first_sealed: sealed.clone(),
                last_sealed: sealed,
            }),
        }
        self.tally(&body);
        let denied = body.res == Outcome::Denied;
        let original = matches!(body.d.get("part"), Some(audit::Value::Text(part)) if part == "original");
        if let Some(findings) = findings {
            self.overrides.add(|| {
                let mut noted = Noted::new(log, leaf, &body);
                noted.said.insert("findings".to_owned(), findings);
                noted
            });
        }
        let list = match body.act {
            Act::LogRefuse => {
                let count = body.d.get("count");
                let count = count.and_then(|count| if let audit::Value::Integer(n) = count { Some(n) } else { None });
                self.refused_entries += count.map_or(1, |n| n.unsigned_abs());
                &mut self.refused
            }
            Act::SessionDenied => &mut self.sessions.failed,
            _ if denied => &mut self.denied,
            Act::PolicyLoad | Act::PolicyRefuse => &mut self.policies,
            Act::LogExport | Act::LogProve | Act::SampleDraw => &mut self.handed_out,
            Act::DocumentView if original => &mut self.handed_out,
            Act::DocumentView => return self.looks += 1,
            Act::KeyCreate | Act::KeyRotate | Act::LogBegin => &mut self.keys,
            Act::PrivacyErase => &mut self.erasures,
            Act::SessionOpen => {
                let method = body.d.get("method").map(shown).unwrap_or_default();
                return *self.sessions.opened.entry(method).or_default() += 1;
            }
            Act::SessionClose => return self.sessions.closed += 1,
            Act::SessionLink => return self.sessions.links += 1,
            _ => return,
        };
        list.add(|| Noted::new(log, leaf, &body));
    }

    fn tally(&mut self, body: &Body) {
        let key = (body.act, body.actor.id.clone(), body.actor.kind.text(), body.res.text());
        let full = TALLIES_MAX <= self.acts.len() && !self.acts.contains_key(&key);
        // Nothing is left out of the counts: past the limit it is only not told who it was.
        let key = if full { (body.act, "others".to_owned(), ActorKind::User.text(), body.res.text()) } else { key };
        *self.acts.entry(key).or_default() += 1;
    }

    pub(super) fn silence(&mut self, log: i64, leaf: &Leaf<'_>, before: Option<(i64, Act)>) {
        let Some((sealed_before, act)) = before else { return };
        let micros = leaf.sealed_at - sealed_before;
        if SILENCE_MAX_MICROS < micros && act != Act::ServiceStop {
            self.silences.add(|| Silence {
                log,
                after: leaf.index.saturating_sub(1),
                until: leaf.index,
                from: Timestamp(sealed_before).to_string(),
                to: Timestamp(leaf.sealed_at).to_string(),
                seconds: micros / 1_000_000,
            });
        }
    }

    pub(super) fn report(self, period: Period, head: Head) -> PeriodReport {
        let tally = |((act, actor, actor_kind, result), entries): ((Act, String, _, _), u64)| Tally {
            act: act.text(),
            actor,
            actor_kind,
            result,
            entries,
        };
        PeriodReport {
            from: period.from,
            to: period.to,
            entries: self.logs.iter().map(|part| part.entries).sum(),
            logs: self.logs,
            acts: self.acts.into_iter().map(tally).collect(),
            denied: self.denied,
            overrides: self.overrides,
            policies: self.policies,
            sessions: self.sessions,
            handed_out: self.handed_out,
            looks: self.looks,
            keys: self.keys,
            erasures: self.erasures,
            refused: self.refused,
            refused_entries: self.refused_entries,
            silences: self.silences,
            head,
        }
    }
}

impl<T> Listed<T> {
    fn add(&mut self, one: impl FnOnce() -> T) {
        self.count += 1;
        if self.first.len() < LISTED_MAX {
            self.first.push(one());
        }
    }
}

impl<T> Default for Listed<T> {
    fn default() -> Listed<T> {
        Listed { count: 0, first: Vec::new() }
    }
}

impl Noted {
    fn new(log: i64, leaf: &Leaf<'_>, body: &Body) -> Noted {
        Noted {
            log,
            index: leaf.index,
            sealed: Timestamp(leaf.sealed_at).to_string(),
            act: body.act.text(),
            actor: body.actor.id.clone(),
            result: body.res.text(),
            object: body.obj.as_ref().map(|object| object.id.clone()),
            said: body.d.iter().map(|(name, value)| (name.clone(), shown(value))).collect(),
        }
    }
}

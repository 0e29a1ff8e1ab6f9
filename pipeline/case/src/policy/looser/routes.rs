//! Checkpoints against those before them, by what opens them: renaming one, or cutting a band into two, loosens nothing.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::policy::{CheckpointRule, Policy};
use crate::{Code, Kind, Severity};

/// So often is a rule looked at. Policies with more to look at count as looser.
const LOOKS_MAX: usize = 100_000_000;

/// What opened a checkpoint, and now opens none where as much is asked for.
#[derive(Default)]
struct Lost {
    kinds: BTreeSet<Kind>,
    codes: BTreeSet<Code>,
    /// `None` is an amount that is not known.
    amounts: BTreeSet<Option<Decimal>>,
}

pub(super) fn looser(now: &Policy, before: &Policy, said: &mut Vec<String>) {
    if now.checkpoints == before.checkpoints {
        return;
    }
    let amounts = amounts(now, before);
    let codes: Vec<Option<Code>> = std::iter::once(None).chain(weighty().map(Some)).collect();
    let n_rules = now.checkpoints.len().saturating_add(before.checkpoints.len());
    let looks = [Kind::ALL.len(), amounts.len(), codes.len(), n_rules, n_rules];
    if LOOKS_MAX < looks.into_iter().fold(1, usize::saturating_mul) {
        return said.push("there are too many checkpoints to compare each with each".to_owned());
    }
    let mut lost: Vec<Lost> = before.checkpoints.iter().map(|_| Lost::default()).collect();
    for kind in Kind::ALL {
        for amount in &amounts {
            for code in &codes {
                let (theirs, earlier) = (asked(now, kind, *amount, *code), asked(before, kind, *amount, *code));
                for (rule, lost) in before.checkpoints.iter().zip(&mut lost) {
                    let opened = earlier.iter().any(|it| std::ptr::eq(*it, rule));
                    if opened && !theirs.iter().any(|it| asks_as_much(it, rule)) {
                        lost.kinds.insert(kind);
                        lost.codes.extend(code);
                        lost.amounts.insert(*amount);
                    }
                }
            }
        }
    }
    for (rule, lost) in before.checkpoints.iter().zip(&lost).filter(|(_, lost)| !lost.kinds.is_empty()) {
        said.push(sentence(rule, lost, amounts.len()));
    }
}

/// One amount of each part that the bands of both policies cut all amounts into.
fn amounts(now: &Policy, before: &Policy) -> BTreeSet<Option<Decimal>> {
    let rules = now.checkpoints.iter().chain(&before.checkpoints);
    let bounds = rules.flat_map(|rule| [rule.net_from, rule.net_below]).flatten();
    bounds.map(Some).chain([None, Some(Decimal::ZERO)]).collect()
}

fn weighty() -> impl Iterator<Item = Code> {
    Code::ALL.iter().copied().filter(|code| Severity::Review <= code.severity())
}

/// The rules that a finding of this code opens there; without a code, those that need none.
fn asked(policy: &Policy, kind: Kind, amount: Option<Decimal>, code: Option<Code>) -> Vec<&CheckpointRule> {
    let opened = policy.opened(kind, amount, &code.into_iter().collect()).into_iter();
    opened.filter(|(rule, _)| rule.codes.is_some() == code.is_some()).map(|(rule, _)| rule).collect()
}

fn asks_as_much(now: &CheckpointRule, before: &CheckpointRule) -> bool {
    now.route == before.route && before.level <= now.level && before.needs <= now.needs
}

fn sentence(rule: &CheckpointRule, lost: &Lost, n_amounts: usize) -> String {
    let some = |all: Vec<String>| {
        let more = all.len().saturating_sub(5);
        let first = all.into_iter().take(5).collect::<Vec<_>>().join(", ");
        if more == 0 { first } else { format!("{first} and {more} more") }
    };
    let mut what = if lost.kinds.len() == Kind::ALL.len() {
        "any document".to_owned()
    } else {
        some(lost.kinds.iter().map(|kind| kind.name().to_owned()).collect())
    };
    if !lost.codes.is_empty() {
        what += &format!(" with {}", some(lost.codes.iter().map(|code| code.name().to_owned()).collect()));
    }
    if lost.amounts.len() < n_amounts {
        let amount = |it: &Option<Decimal>| it.map_or_else(|| "unknown".to_owned(), |it| format!("{it} and above"));
        what += &format!(", net {}", some(lost.amounts.iter().map(amount).collect()));
    }
    let CheckpointRule { id, route, level, needs, .. } = rule;
    format!("checkpoint `{id}`: {what}: no longer asks for {needs} in the role `{}` of level {level}", route.name())
}

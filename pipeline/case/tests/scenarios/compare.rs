//! What came, beside what the page says.

use case::{Case, Finding};

use super::language::{Deed, Expected, Word};

/// What one step came to.
pub(crate) struct Outcome {
    pub(crate) case: Case,
    pub(crate) refused: Option<String>,
}

/// Where what came differs from what the page says. Findings are listed in full wherever a verdict was made.
pub(crate) fn differences(outcome: &Outcome, deed: &Deed, expected: &[Expected]) -> Vec<String> {
    let mut failures = Vec::new();
    let mut left: Vec<&Finding> = outcome.case.findings.iter().collect();
    let mut refusal = outcome.refused.clone();
    for row in expected {
        match row {
            Expected::Finding { weight, code, figures, said } => {
                let fits = |finding: &&Finding| {
                    format!("{:?}", finding.severity).to_uppercase() == *weight
                        && finding.code.name() == code
                        && said.as_ref().is_none_or(|text| finding.message.contains(text))
                        && figures.iter().all(|(name, value)| finding.operands.get(name) == Some(value))
                };
                match left.iter().position(fits) {
                    Some(at) => drop(left.remove(at)),
                    None => failures.push(format!("expected {weight} {code} {figures:?} {said:?}")),
                }
            }
            Expected::Passed { rule, figures } => {
                let fits = |it: &&case::Comparison| {
                    it.rule == *rule && figures.iter().all(|(name, value)| it.operands.get(name) == Some(value))
                };
                if !outcome.case.passed.iter().any(|it| fits(&it)) {
                    failures.push(format!("expected {rule} to pass with {figures:?}"));
                }
            }
            Expected::Matched(figures) => {
                let Some(matched) = outcome.case.matched.first() else {
                    failures.push("expected a line that matches an order's".to_owned());
                    continue;
                };
                let open = matched.ordered - matched.billed_before - matched.billed_now;
                for (name, value) in figures {
                    let found = if name == "variance" { matched.variance.unwrap() } else { open };
                    if found != value.parse().unwrap() {
                        failures.push(format!("expected {name} {value}, found {found}"));
                    }
                }
            }
            Expected::Rests { state, checkpoints } => {
                let open = outcome.case.checkpoints.iter().filter(|it| !it.settled()).map(|it| it.id.clone());
                let open = open.collect::<std::collections::BTreeSet<_>>();
                if outcome.case.state.name() != state || open != *checkpoints {
                    let found = outcome.case.state.name();
                    failures.push(format!("expected {state} {checkpoints:?}, found {found} {open:?}"));
                }
            }
            Expected::Due(date) => {
                if outcome.case.due_date != Some(*date) {
                    failures.push(format!("expected to be due {date}, found {:?}", outcome.case.due_date));
                }
            }
            Expected::Drawn(drawn) => {
                if outcome.case.sampled() != *drawn {
                    failures.push(format!("expected drawn to be {drawn}"));
                }
            }
            Expected::Refused(said) => match refusal.take() {
                Some(refusal) if refusal.contains(said) => {}
                other => failures.push(format!("expected to be refused with \"{said}\", found {other:?}")),
            },
            Expected::Money(row) => failures.push(format!("`{row}` is about payments")),
        }
    }
    failures.extend(refusal.map(|refusal| format!("refused: {refusal}")));
    let judged = matches!(deed, Deed::Judge | Deed::JudgeAgain | Deed::Decide { word: Word::Correct(_), .. });
    if judged {
        failures.extend(
            left.iter().map(|it| {
                format!("not expected: {:?} {} {:?} {}", it.severity, it.code.name(), it.operands, it.message)
            }),
        );
    }
    failures
}

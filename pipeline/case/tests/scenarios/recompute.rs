//! A verdict made again from its explanation alone: from the JSON that is kept of it, and nothing beside it.

use std::collections::BTreeMap;

use case::{Code, Comparison, Finding, Test};

/// Findings that are no comparison of figures: they are what they say, and stay so whatever figure is changed.
const WITHOUT_BASIS: &[(Code, &str)] = &[
    (Code::Absent, "words of a contract"),
    (Code::LiabilityOneSided, "words of a contract"),
    (Code::LiabilityUnlimited, "words of a contract"),
    (Code::Iban, "check digits of the text itself"),
    (Code::HybridDiff, "a note of the reader, in its words"),
    (Code::Corrected, "what a person did, and no figure"),
];

/// What does not come out again as it was, or comes out whatever the figures are.
pub(crate) fn differences(findings: &[Finding], passed: &[Comparison]) -> Vec<String> {
    let mut failures = Vec::new();
    for finding in findings {
        let read: Finding = serde_json::from_str(&serde_json::to_string(finding).unwrap()).unwrap();
        if read.again() != Some(finding.code) || read != *finding {
            failures.push(format!("{} is {:?} when made again", finding.code.name(), read.again()));
        }
        let listed = WITHOUT_BASIS.iter().any(|(code, _)| *code == finding.code);
        match &finding.basis {
            None if listed => {}
            None => failures.push(format!("{} by {} says no comparison", finding.code.name(), finding.rule)),
            Some(_) => {
                let better = for_the_better(read);
                if better.again().is_some() {
                    failures.push(format!("{} does not pass with {:?}", finding.code.name(), better.operands));
                }
            }
        }
    }
    for comparison in passed {
        let read: Comparison = serde_json::from_str(&serde_json::to_string(comparison).unwrap()).unwrap();
        if read.code().is_some() || read != *comparison {
            failures.push(format!("{} passed, and is {:?} when made again", comparison.rule, read.code()));
        }
    }
    failures
}

/// The same finding with one figure moved so that it is as it should be.
fn for_the_better(mut finding: Finding) -> Finding {
    if let Some(basis) = &finding.basis {
        better(&basis.test, &mut finding.operands);
    }
    finding
}

fn better(test: &Test, operands: &mut BTreeMap<String, String>) {
    let number = |text: Option<&String>| text.and_then(|it| it.parse::<case::Decimal>().ok()).unwrap_or_default();
    match test {
        Test::AtMost { sum, of, times, .. } => {
            let others: case::Decimal = sum[1..].iter().map(|name| number(operands.get(name))).sum();
            let expected = number(operands.get(of));
            operands.insert(sum[0].clone(), (expected - others).to_string());
            // A figure that is missing fails by itself.
            for name in sum.iter().chain([of]).chain(times) {
                operands.entry(name.clone()).or_insert_with(|| "0".to_owned());
            }
        }
        Test::Near { left, right, .. } | Test::Same { left, right } => {
            let right = operands.entry(right.clone()).or_insert_with(|| "1".to_owned()).clone();
            operands.insert(left.clone(), right);
        }
        Test::Less { value, than } => {
            let less = number(operands.get(than)) - case::Decimal::ONE;
            operands.insert(value.clone(), less.to_string());
        }
        Test::OneOf { value, among } => {
            let value = operands.get(value).cloned().unwrap_or_default();
            operands.insert(among.clone(), value);
        }
        Test::There { value } => drop(operands.insert(value.clone(), "there".to_owned())),
        Test::Apart { pairs } => drop(operands.insert(pairs[0].left.clone(), "another".to_owned())),
        Test::Unreached { sums, .. } => drop(operands.insert(sums.clone(), "1/1".to_owned())),
        Test::Any { of } => better(&of[0], operands),
    }
}

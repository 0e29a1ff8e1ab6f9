//! The cases of `tests/scenarios.txt` against the shipped policies: from the reader's answer to where the document rests.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod compare;
mod language;
mod recompute;
mod run;

use language::{Deed, Scenario};

const SCENARIOS: &str = include_str!("../../../../tests/scenarios.txt");
const POLICIES: [&str; 3] = [
    include_str!("../../../../policies/checkpoints.toml"),
    include_str!("../../../../policies/tolerances.toml"),
    include_str!("../../../../policies/retention.toml"),
];

/// Scenarios that are written down and not decided by these functions, by the beginning of their titles, and who decides them.
const NOT_YET: [(&str, &str); 9] = [
    ("S29 Sent back 31", "outstanding credits"),
    ("S29 Sent back 30", "outstanding credits"),
    ("S29 Sent back, and", "outstanding credits"),
    ("S37 The same file", "the store: the same bytes are no second case"),
    ("S38 One administrator", "the store: who may confirm an account"),
    ("S51", "payments"),
    ("S52", "payments"),
    ("S53", "payments"),
    ("S54", "payments"),
];

fn scenarios() -> Vec<Scenario> {
    language::read(SCENARIOS, POLICIES)
}

fn not_yet(scenario: &Scenario) -> bool {
    NOT_YET.iter().any(|(title, _)| scenario.title.starts_with(title))
}

#[test]
fn the_shipped_policies_decide_every_scenario_as_it_is_written() {
    for (title, who) in NOT_YET {
        println!("not decided here: {title}: {who}");
        assert!(scenarios().iter().any(|it| it.title.starts_with(title)), "{title} is not written down");
    }
    let mut failures = Vec::new();
    for scenario in scenarios().iter().filter(|it| !not_yet(it)) {
        let mut world = run::World::new(scenario);
        for (n, step) in scenario.steps.iter().enumerate() {
            let outcome = world.step(&step.deed, scenario.answer.as_ref().unwrap());
            let found = compare::differences(&outcome, &step.deed, &step.expected);
            failures
                .extend(found.into_iter().map(|failure| format!("{}\n  step {}: {failure}", scenario.title, n + 1)));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn every_scenario_of_the_reference_is_there() {
    let titles: Vec<String> = scenarios().into_iter().map(|it| it.title).collect();
    let written = SCENARIOS.lines().filter(|line| line.starts_with(|ch: char| ch.is_ascii_uppercase()));
    assert_eq!(titles.len(), written.count());
    for n in 1..=64 {
        assert!(titles.iter().any(|title| title.starts_with(&format!("S{n:02} "))), "S{n:02}");
    }
    let mut sorted = titles.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), titles.len(), "two scenarios have one title");
}

#[test]
fn every_verdict_is_made_again_from_its_explanation_alone() {
    let (mut failures, mut again) = (Vec::new(), 0);
    for scenario in scenarios().iter().filter(|it| !not_yet(it)) {
        let mut world = run::World::new(scenario);
        for step in &scenario.steps {
            let outcome = world.step(&step.deed, scenario.answer.as_ref().unwrap());
            if matches!(step.deed, Deed::Bring(_) | Deed::Today(_)) {
                continue;
            }
            let found = recompute::differences(&outcome.case.findings, &outcome.case.passed);
            failures.extend(found.into_iter().map(|failure| format!("{}\n  {failure}", scenario.title)));
            again += outcome.case.findings.len() + outcome.case.passed.len();
        }
    }
    failures.sort_unstable();
    failures.dedup();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    assert!(500 < again, "{again} were made again");
}

//! One comparison that a verdict rests on, with everything that is needed to make it again: the figures with their places,
//! the limit with its row, and the test itself. A verdict is what its comparisons come to, and nothing beside them.

pub(crate) mod weigh;

use std::borrow::Cow;
use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::policy::Limit;
use crate::{Code, Evidence, Finding, Policy};

/// A comparison as it is remembered when it passes; one that does not is a [`Finding`] with the same figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The published rule where one exists, else our own (`match.price`).
    pub rule: String,
    /// The figures by name, as decimal strings, dates (ISO 8601) or texts.
    pub operands: BTreeMap<String, String>,
    pub basis: Basis,
}

/// How the figures of a finding or of a comparison are compared, and where they stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Basis {
    /// What it is a finding of, where it does not pass.
    pub code: Code,
    pub test: Test,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub limit: Option<Limit>,
    /// Of the figures that stand somewhere, where.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub places: BTreeMap<String, Place>,
}

/// Where a figure stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the document.
    Document(Evidence),
    /// In a fact: `order PO-1, line 3`.
    Fact(String),
    /// In the policy: `tolerances.toml, dates.stale_days`. Another policy is asked for its figure there ([`Policy::figure`]).
    Policy(String),
}

/// The tests there are. Each reads its figures by their names; a date counts as a number of days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// The figures of `sum`, less `of`, times `times`, are no more than the limit lets them be; without a limit, than 0.
    /// What is less is a note under the code `below`, and a finding where the limit says how far below is too far.
    AtMost {
        sum: Vec<String>,
        of: String,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        times: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        below: Option<Code>,
    },
    /// As [`Test::AtMost`], whichever of the two is more. They are equal where they are no more than the figure `rounding`
    /// apart. What is further apart and within the limit is a note under the code `small`.
    Near {
        left: String,
        right: String,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        rounding: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        small: Option<Code>,
    },
    /// Less than `than`: here equality is not within.
    Less { value: String, than: String },
    /// The same text, or the same number.
    Same { left: String, right: String },
    /// One of a list, whose parts stand between commas; of an empty list nothing is.
    OneOf { value: String, among: String },
    /// It is there at all.
    There { value: String },
    /// At least one pair is further apart than it says: numbers by their difference, dates by days, periods (`from/to`) by the
    /// days between them, texts by being different. What is not known is not apart.
    Apart { pairs: Vec<Pair> },
    /// No figure of the list `limits` is reached together and not alone: of the list `sums`, no part `alone/together` has one
    /// that is more than `alone` and no more than `together`. Where no limit is written, none is reached.
    Unreached { sums: String, limits: String },
    /// At least one of these passes.
    Any { of: Vec<Test> },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    pub left: String,
    pub right: String,
    #[serde(skip_serializing_if = "Decimal::is_zero", default)]
    pub within: Decimal,
}

/// What a comparison comes to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Passes {
        /// What is left up to each limit that is written, by its name and in its unit; less than 0 where `lenient` lets it
        /// pass by the other limit.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        margin: BTreeMap<String, Decimal>,
    },
    /// Less than expected, which is worth a note.
    Below { by: Decimal },
    /// Apart, and within the limit, which is worth a note.
    Small { by: Decimal },
    Fails {
        /// By how much it is over what was expected, where that is a figure; less than 0 where it is too far below.
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<Decimal>,
        #[serde(skip_serializing_if = "Option::is_none")]
        percent: Option<Decimal>,
        /// What would let it pass: `upper_percent >= 2.1`. All of them under `strict`, any of them under `lenient`; empty
        /// where nothing would.
        would_pass: Vec<String>,
    },
}

impl Comparison {
    pub fn new(code: Code, rule: impl Into<String>, test: Test) -> Comparison {
        let basis = Basis { code, test, limit: None, places: BTreeMap::new() };
        Comparison { rule: rule.into(), operands: BTreeMap::new(), basis }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Comparison {
        self.operands.insert(name.to_owned(), value.to_string());
        self
    }

    /// With a figure and its place.
    #[must_use]
    pub fn from(mut self, name: &str, value: impl ToString, place: Option<Place>) -> Comparison {
        self.basis.places.extend(place.map(|place| (name.to_owned(), place)));
        self.with(name, value)
    }

    #[must_use]
    pub fn limited(mut self, limit: Limit) -> Comparison {
        self.basis.limit = Some(limit);
        self
    }

    pub fn outcome(&self) -> Outcome {
        self.basis.outcome(&self.operands)
    }

    /// The code of what it comes to; none where it passes.
    pub fn code(&self) -> Option<Code> {
        self.basis.judged(&self.operands)
    }

    /// The same under another policy.
    pub fn code_under(&self, policy: &Policy) -> Option<Code> {
        self.basis.judged_under(&self.operands, policy)
    }

    /// What it is when it does not simply pass. `said` is its sentence.
    pub fn finding(self, said: impl Into<String>) -> Option<Finding> {
        let mut finding = Finding::new(self.code()?, self.rule, said);
        for evidence in self.basis.places.values().filter_map(Place::evidence) {
            if !finding.evidence.contains(evidence) {
                finding.evidence.push(evidence.clone());
            }
        }
        finding.operands = self.operands;
        finding.basis = Some(Box::new(self.basis));
        Some(finding)
    }
}

impl Place {
    fn evidence(&self) -> Option<&Evidence> {
        match self {
            Place::Document(evidence) => Some(evidence),
            Place::Fact(_) | Place::Policy(_) => None,
        }
    }
}

impl Basis {
    /// Does it rest on a figure or a row of the policy, so that another one may come to something else?
    pub(crate) fn by_policy(&self) -> bool {
        self.limit.is_some() || self.places.values().any(|place| matches!(place, Place::Policy(_)))
    }

    /// The verdict on these figures, from nothing but them. INVARIANT (fail closed): a figure that is missing or is none fails.
    pub fn outcome(&self, operands: &BTreeMap<String, String>) -> Outcome {
        let row = self.limit.as_ref().map(|limit| limit.row.as_ref());
        weigh::outcome(&self.test, row, &|name| operands.get(name).map(|text| Cow::Borrowed(text.as_str())))
    }

    /// The verdict that another policy would come to: with its row for the same place, which may be another one, and with its
    /// figures in the place of those that stand in the policy. Where it would not compare at all, it passes.
    pub fn outcome_under(&self, operands: &BTreeMap<String, String>, policy: &Policy) -> Outcome {
        let row = self.limit.as_ref().map(|limit| policy.row(limit.kind, &limit.scope));
        if row == Some(None) && self.limit.as_ref().is_some_and(|limit| limit.kind.only_with_a_row()) {
            return Outcome::Passes { margin: BTreeMap::new() };
        }
        weigh::outcome(&self.test, row.as_ref().map(Option::as_ref), &|name| self.text_under(name, operands, policy))
    }

    /// A figure as another policy has it, or else as it is.
    fn text_under<'a>(
        &self,
        name: &str,
        operands: &'a BTreeMap<String, String>,
        policy: &Policy,
    ) -> Option<Cow<'a, str>> {
        let theirs = match self.places.get(name) {
            Some(Place::Policy(place)) => policy.figure(place).map(Cow::Owned),
            Some(Place::Document(_) | Place::Fact(_)) | None => None,
        };
        theirs.or_else(|| operands.get(name).map(|text| Cow::Borrowed(text.as_str())))
    }

    /// The sum by which bills that reach a limit of this policy together are routed; none where they reach none.
    pub(crate) fn sum_under(&self, operands: &BTreeMap<String, String>, policy: &Policy) -> Option<Decimal> {
        let Test::Unreached { sums, limits } = &self.test else { return None };
        let [sums, limits] = [sums, limits].map(|name| self.text_under(name, operands, policy));
        weigh::reached(&weigh::pairs(&sums?)?, &weigh::list(&limits?)?).map(|(_, together)| together)
    }

    /// The code of what these figures come to; none where they pass.
    pub fn judged(&self, operands: &BTreeMap<String, String>) -> Option<Code> {
        self.code_of(&self.outcome(operands))
    }

    pub fn judged_under(&self, operands: &BTreeMap<String, String>, policy: &Policy) -> Option<Code> {
        self.code_of(&self.outcome_under(operands, policy))
    }

    fn code_of(&self, outcome: &Outcome) -> Option<Code> {
        match (outcome, &self.test) {
            (Outcome::Passes { .. }, _) => None,
            (Outcome::Below { .. }, Test::AtMost { below: Some(code), .. }) => Some(*code),
            (Outcome::Small { .. }, Test::Near { small: Some(code), .. }) => Some(*code),
            (Outcome::Below { .. } | Outcome::Small { .. } | Outcome::Fails { .. }, _) => Some(self.code),
        }
    }
}

#[cfg(test)]
mod tests;

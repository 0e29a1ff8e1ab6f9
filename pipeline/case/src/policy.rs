//! What the customer decided beforehand: tolerances, which findings hold, who must decide, how long things are kept.
//! Read from TOML; a mistake is refused with its place, and nothing is half in force.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use thiserror::Error;

use crate::checkpoint::Checkpoint;
use crate::retention::{Retention, Rule};
use crate::{Code, Digest, Finding, Kind, Role, Severity, Timestamp};

/// A policy in force. Its digest is in every decision taken under it.
#[derive(Clone, Debug)]
pub struct Policy {
    pub digest: Digest,
    /// The money of every limit and amount in the policy.
    pub currency: String,
    pub dates: DateLimits,
    tolerances: Vec<Tolerance>,
    checkpoints: Vec<CheckpointRule>,
    retention: Retention,
    pub contracts: ContractRules,
    pub reading: ReadingRules,
}

/// How many days an invoice may lie in the future or in the past.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateLimits {
    pub future_days: u16,
    pub stale_days: u16,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractRules {
    /// Clauses that every contract must have; one that is missing is the finding `ABSENT`.
    pub required_clauses: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadingRules {
    /// Of the required values that nobody looks at, at most this share is expected to be wrong: one whose own probability of
    /// being wrong is higher is the finding `LOW_CONFIDENCE`.
    #[serde(deserialize_with = "probability")]
    pub error_rate_max: f64,
}

/// What a tolerance row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ToleranceKind {
    /// Unit price against the order; absolute limits are money per invoice line.
    PriceUnit,
    /// Quantity billed against ordered.
    QtyOrd,
    /// Quantity billed against received.
    QtyRec,
    /// VAT of a rate group against base times rate.
    Tax,
    /// Sums of documents that a machine did not write.
    SmallDiff,
}

/// One row. An absent limit is inactive; a value equal to a limit is within it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tolerance {
    pub id: String,
    pub kind: ToleranceKind,
    /// For this vendor alone; such a row goes before one for all.
    pub vendor: Option<String>,
    #[serde(default, deserialize_with = "decimal")]
    pub upper_percent: Option<Decimal>,
    #[serde(default, deserialize_with = "decimal")]
    pub upper_abs: Option<Decimal>,
    #[serde(default)]
    pub combine: Combine,
    #[serde(default, deserialize_with = "date")]
    pub valid_from: Option<Date>,
    #[serde(default, deserialize_with = "date")]
    pub valid_to: Option<Date>,
}

/// `strict`: over any active limit is over. `lenient`: within any active limit is within.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Combine {
    #[default]
    Strict,
    Lenient,
}

impl Tolerance {
    /// Is an excess of `amount`, being `percent` of what was expected, within this row? `percent` is `None` where
    /// nothing was expected: any excess then breaks a percentage.
    pub fn allows(&self, amount: Decimal, percent: Option<Decimal>) -> bool {
        if amount <= Decimal::ZERO {
            return true;
        }
        let by_percent = self.upper_percent.map(|limit| percent.is_some_and(|percent| percent <= limit));
        let by_amount = self.upper_abs.map(|limit| amount <= limit);
        let mut active = [by_percent, by_amount].into_iter().flatten().peekable();
        // A row with no limit at all limits nothing.
        active.peek().is_none()
            || match self.combine {
                Combine::Strict => active.all(|within| within),
                Combine::Lenient => active.any(|within| within),
            }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckpointRule {
    id: String,
    title: String,
    /// Which kinds of documents; all, when absent.
    kinds: Option<Vec<Kind>>,
    /// Findings that open it; `rest` is every finding of weight review or more that no other rule routes.
    codes: Option<Codes>,
    #[serde(default, deserialize_with = "decimal")]
    net_from: Option<Decimal>,
    #[serde(default, deserialize_with = "decimal")]
    net_below: Option<Decimal>,
    #[serde(deserialize_with = "deciding_role")]
    route: Role,
    #[serde(default = "one", deserialize_with = "level")]
    level: u8,
    #[serde(default = "one", deserialize_with = "people")]
    needs: u8,
    #[serde(deserialize_with = "hours")]
    within_hours: u32,
}

impl CheckpointRule {
    fn never_opens(&self) -> bool {
        self.kinds.as_ref().is_some_and(Vec::is_empty)
            || matches!(&self.codes, Some(Codes::Listed(codes)) if codes.is_empty())
            || self.net_from.zip(self.net_below).is_some_and(|(from, below)| below <= from)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Codes {
    Listed(Vec<Code>),
    Rest,
}

/// A mistake in a policy file, at its place, with what was expected.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{file}:{line}:{column}: {message}")]
pub struct PolicyMistake {
    pub file: String,
    pub line: usize,
    pub column: usize,
    pub message: String,
}

const FILE_BYTES_MAX: usize = 1 << 20;
const ROWS_MAX: usize = 10_000;

/// The files of a policy, in the order of [`Policy::parse`]'s arguments.
pub const POLICY_FILES: [&str; 3] = ["checkpoints.toml", "tolerances.toml", "retention.toml"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckpointsFile {
    checkpoint: Vec<CheckpointRule>,
    contracts: ContractRules,
    reading: ReadingRules,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TolerancesFile {
    #[serde(deserialize_with = "currency")]
    currency: String,
    dates: DateLimits,
    tolerance: Vec<Tolerance>,
}

impl Policy {
    /// Reads the texts of [`POLICY_FILES`], in that order. All of them or none.
    pub fn parse(texts: [&str; 3]) -> Result<Policy, PolicyMistake> {
        let [checkpoints_text, tolerances_text, retention_text] = texts;
        let [checkpoints_name, tolerances_name, retention_name] = POLICY_FILES;
        let checkpoints: CheckpointsFile = parse_file(checkpoints_name, checkpoints_text)?;
        let tolerances: TolerancesFile = parse_file(tolerances_name, tolerances_text)?;
        let retention = Retention::parse(retention_name, retention_text)?;

        let rules = checkpoints.checkpoint;
        let rest = rules.iter().filter(|rule| rule.codes == Some(Codes::Rest)).collect::<Vec<_>>();
        let [rest] = rest.as_slice() else {
            // INVARIANT (fail closed): a finding that no rule names still stops at a person.
            let message = format!(
                "expected exactly one checkpoint with codes = \"rest\", so that no finding is left without a person; found {}",
                rest.len()
            );
            return Err(mistake(checkpoints_name, checkpoints_text, 0, message));
        };
        if rest.kinds.is_some() || rest.net_from.is_some() || rest.net_below.is_some() {
            let message =
                format!("checkpoint `{}` catches the rest: expected no kinds, net_from or net_below", rest.id);
            return Err(mistake_at(checkpoints_name, checkpoints_text, &rest.id, message));
        }
        if let Some(rule) = rules.iter().find(|rule| rule.never_opens()) {
            let message = format!(
                "checkpoint `{}` can never open: expected at least one kind and one code where they are given, and net_from below net_below",
                rule.id
            );
            return Err(mistake_at(checkpoints_name, checkpoints_text, &rule.id, message));
        }
        if let Some(id) = repeated(rules.iter().map(|rule| rule.id.as_str())) {
            return Err(mistake_at(
                checkpoints_name,
                checkpoints_text,
                id,
                format!("checkpoint `{id}` stands here twice"),
            ));
        }
        if let Some(id) = repeated(tolerances.tolerance.iter().map(|row| row.id.as_str())) {
            return Err(mistake_at(
                tolerances_name,
                tolerances_text,
                id,
                format!("tolerance `{id}` stands here twice"),
            ));
        }
        let ends_early = |row: &&Tolerance| row.valid_from.zip(row.valid_to).is_some_and(|(from, to)| to < from);
        if let Some(row) = tolerances.tolerance.iter().find(ends_early) {
            let message = format!("tolerance `{}` ends before it begins: expected valid_from up to valid_to", row.id);
            return Err(mistake_at(tolerances_name, tolerances_text, &row.id, message));
        }
        let digest = Digest::of_value(&serde_json::json!(POLICY_FILES.iter().zip(texts).collect::<Vec<_>>()));
        Ok(Policy {
            digest,
            currency: tolerances.currency,
            dates: tolerances.dates,
            tolerances: tolerances.tolerance,
            checkpoints: rules,
            retention,
            contracts: checkpoints.contracts,
            reading: checkpoints.reading,
        })
    }

    /// The row in force for this vendor on this day: the vendor's own before the one for all, the first listed before
    /// the next. `None`: nothing is tolerated.
    pub fn tolerance(&self, kind: ToleranceKind, vendor: Option<&str>, on: Date) -> Option<&Tolerance> {
        let in_force = |row: &&Tolerance| {
            row.kind == kind
                && row.valid_from.is_none_or(|from| from <= on)
                && row.valid_to.is_none_or(|to| on <= to)
                && row.vendor.as_deref().is_none_or(|only| Some(only) == vendor)
        };
        let rows = || self.tolerances.iter().filter(in_force);
        rows().find(|row| row.vendor.is_some()).or_else(|| rows().next())
    }

    /// The checkpoints that these findings open on a document of this kind and net amount. Empty: nothing holds it.
    /// `net` is in the policy's currency; `None` where it is unknown or in another one, which opens every band.
    pub fn route(&self, kind: Kind, net: Option<Decimal>, findings: &[Finding], now: Timestamp) -> Vec<Checkpoint> {
        let weighty: Vec<&Finding> = findings.iter().filter(|finding| Severity::Review <= finding.severity).collect();
        let applies = |rule: &CheckpointRule| {
            let amount = net.map(|net| net.abs());
            // INVARIANT (fail closed): where the amount is unknown, every band applies.
            rule.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind))
                && rule.net_from.is_none_or(|from| amount.is_none_or(|net| from <= net))
                && rule.net_below.is_none_or(|below| amount.is_none_or(|net| net < below))
        };
        let listed = |rule: &CheckpointRule, code: Code| matches!(&rule.codes, Some(Codes::Listed(codes)) if codes.contains(&code));
        let rules: Vec<&CheckpointRule> = self.checkpoints.iter().filter(|rule| applies(rule)).collect();

        let mut opened = Vec::new();
        for rule in &rules {
            let mut codes: Vec<Code> = weighty
                .iter()
                .map(|finding| finding.code)
                .filter(|code| match &rule.codes {
                    None => false,
                    Some(Codes::Listed(_)) => listed(rule, *code),
                    Some(Codes::Rest) => !rules.iter().any(|other| listed(other, *code)),
                })
                .collect();
            codes.sort_unstable();
            codes.dedup();
            if rule.codes.is_none() || !codes.is_empty() {
                opened.push(Checkpoint {
                    id: rule.id.clone(),
                    title: rule.title.clone(),
                    route: rule.route,
                    level: rule.level,
                    needs: rule.needs,
                    codes,
                    due_at: now.plus_hours(rule.within_hours),
                    approvals: Vec::new(),
                });
            }
        }
        let routed = |code: Code| opened.iter().any(|checkpoint| checkpoint.codes.contains(&code));
        assert!(weighty.iter().all(|finding| routed(finding.code)), "every weighty finding is routed to a person");
        opened
    }

    /// How long a document of this kind is kept that came through this channel; `unbooked` where it is rejected or was never
    /// read.
    pub fn retention(&self, kind: Kind, channel: &str, unbooked: bool) -> Rule {
        self.retention.rule(kind, channel, unbooked)
    }
}

pub(crate) fn parse_file<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Result<T, PolicyMistake> {
    if FILE_BYTES_MAX < text.len() {
        let message = format!("the file has {} bytes, more than the {FILE_BYTES_MAX} allowed", text.len());
        return Err(mistake(name, text, 0, message));
    }
    if ROWS_MAX < text.matches("[[").count() {
        return Err(mistake(name, text, 0, format!("more than the {ROWS_MAX} rows allowed")));
    }
    toml::from_str(text).map_err(|err| {
        let at = err.span().map_or(0, |span| span.start);
        mistake(name, text, at, err.message().replace('\n', " "))
    })
}

pub(crate) fn mistake(file: &str, text: &str, at: usize, message: String) -> PolicyMistake {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    PolicyMistake { file: file.to_owned(), line, column, message }
}

/// A mistake at the last place where `id` is written as a value.
pub(crate) fn mistake_at(file: &str, text: &str, id: &str, message: String) -> PolicyMistake {
    mistake(file, text, text.rfind(&format!("\"{id}\"")).unwrap_or(0), message)
}

pub(crate) fn repeated<'a>(ids: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = std::collections::BTreeSet::new();
    let mut ids = ids;
    ids.find(|id| !seen.insert(*id))
}

impl<'de> Deserialize<'de> for Codes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Codes, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Text {
            Word(String),
            List(Vec<String>),
        }
        let expected = || serde::de::Error::custom("expected a list of finding codes, or \"rest\"");
        match Text::deserialize(deserializer).map_err(|_| expected())? {
            Text::Word(word) if word == "rest" => Ok(Codes::Rest),
            Text::Word(_) => Err(expected()),
            Text::List(names) => {
                let code = |name: &String| {
                    Code::named(name).ok_or_else(|| {
                        let known = Code::ALL.iter().map(|code| code.name()).collect::<Vec<_>>().join(", ");
                        serde::de::Error::custom(format!("unknown finding code `{name}`, expected one of {known}"))
                    })
                };
                names.iter().map(code).collect::<Result<_, _>>().map(Codes::Listed)
            }
        }
    }
}

fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    let text = String::deserialize(deserializer).map_err(|_| {
        serde::de::Error::custom("expected a number in quotes, such as \"2.5\": money is never a float")
    })?;
    let number: Decimal = text.parse().map_err(|_| {
        serde::de::Error::custom(format!("`{text}` is not a number; expected digits with a point, such as \"1000.00\""))
    })?;
    if number.is_sign_negative() {
        return Err(serde::de::Error::custom(format!("`{text}` is negative; expected a limit of 0 or more")));
    }
    Ok(Some(number))
}

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parsed =
        text.parse().map_err(|_| serde::de::Error::custom(format!("`{text}` is not a date; expected \"2026-01-31\"")));
    parsed.map(Some)
}

fn currency<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(text);
    }
    Err(serde::de::Error::custom(format!("`{text}` is not a currency of ISO 4217; expected \"EUR\"")))
}

fn probability<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let number = f64::deserialize(deserializer)?;
    if (0.0..=1.0).contains(&number) {
        return Ok(number);
    }
    Err(serde::de::Error::custom(format!("{number} is not a probability; expected 0.0 to 1.0")))
}

fn deciding_role<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Role, D::Error> {
    let role = Role::deserialize(deserializer)?;
    if crate::authority::permitted(crate::Deed::Approve(role)).is_empty() {
        let message = format!("the role `{}` approves nothing; expected `reviewer` or `legal`", role.name());
        return Err(serde::de::Error::custom(message));
    }
    Ok(role)
}

fn level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    within(deserializer, "level", 1, 2)
}

fn people<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    within(deserializer, "needs", 1, 5)
}

/// A year at most: later than that nobody decides.
fn hours<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    within(deserializer, "within_hours", 1, 8_760)
}

pub(crate) fn within<'de, D: Deserializer<'de>, N>(deserializer: D, what: &str, min: N, max: N) -> Result<N, D::Error>
where
    N: TryFrom<i64> + PartialOrd + Copy + std::fmt::Display,
{
    let number = i64::deserialize(deserializer)?;
    N::try_from(number)
        .ok()
        .filter(|number| (min..=max).contains(number))
        .ok_or_else(|| serde::de::Error::custom(format!("`{what}` is {number}; expected {min} to {max}")))
}

fn one() -> u8 {
    1
}

#[cfg(test)]
mod tests;

//! What the customer decided beforehand: tolerances, which findings hold, who must decide, how long things are kept.
//! Read from TOML; a mistake is refused with its place, and nothing is half in force.

mod looser;
mod proposal;
mod tolerance;

use std::collections::BTreeSet;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use thiserror::Error;

pub use proposal::{Proposal, ProposalRefusal};
pub use tolerance::{Combine, Limit, Row, Scope, Tolerance, ToleranceKind};

use crate::checkpoint::Checkpoint;
use crate::invoice::{product, quotient};
use crate::retention::{Retention, Rule};
use crate::{Code, Digest, Finding, Kind, Role, Severity, Timestamp};

/// A policy in force. Its digest is in every decision taken under it.
#[derive(Clone, Debug)]
pub struct Policy {
    pub digest: Digest,
    /// The money of every limit and amount in the policy.
    pub currency: String,
    pub dates: DateLimits,
    pub duplicates: DuplicateLimits,
    pub splits: SplitLimits,
    pub near_limits: NearLimits,
    pub notes: NoteLimits,
    pub taxes: TaxLimits,
    tolerances: Vec<Tolerance>,
    checkpoints: Vec<CheckpointRule>,
    retention: Retention,
    pub contracts: ContractRules,
    pub reading: ReadingRules,
    pub straight_through: StraightThroughRules,
}

/// How many days an invoice may lie in the future or in the past.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateLimits {
    pub future_days: u16,
    pub stale_days: u16,
    /// The books are closed up to this day, and with it.
    #[serde(default, deserialize_with = "date")]
    pub closed_until: Option<Date>,
}

/// What counts as one invoice twice, under another number (key D4).
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DuplicateLimits {
    #[serde(deserialize_with = "within_a_month")]
    pub days: u16,
}

/// Invoices of one vendor for one cost centre that were split to stay below a band of amounts.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitLimits {
    #[serde(deserialize_with = "within_two_months")]
    pub days: u16,
}

/// A vendor whose invoices lie just below a band of amounts too often.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NearLimits {
    /// Near is from so many percent of the limit up to it.
    #[serde(deserialize_with = "percent")]
    pub from_percent: Decimal,
    /// Too often is this share of the vendor's invoices, or more.
    #[serde(deserialize_with = "percent")]
    pub share_percent: Decimal,
    /// Fewer invoices say nothing.
    pub invoices_min: u16,
    #[serde(deserialize_with = "months")]
    pub months: u8,
}

/// From where on something is worth a note, which holds nothing.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteLimits {
    /// A vendor of whom no invoice is older is new; with 0 none is. One that is the work of one person is more than a note.
    pub new_vendor_days: u16,
    /// A net amount that is a multiple of this is round.
    #[serde(deserialize_with = "amount")]
    pub round_sum: Decimal,
    /// An item that became dearer by more, in the time that [`NearLimits`] looks back.
    #[serde(deserialize_with = "percent")]
    pub price_creep_percent: Decimal,
}

/// What a tax may be at most, by whatever law.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxLimits {
    #[serde(deserialize_with = "percent")]
    pub rate_percent_max: Decimal,
    /// 0 where none is paid.
    #[serde(deserialize_with = "amount_or_none")]
    pub stamp_duty_max: Decimal,
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

/// What becomes of cases that the policy alone lets through.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StraightThroughRules {
    /// So many of a hundred are drawn for a person to check afterwards ([`crate::in_sample`]).
    #[serde(deserialize_with = "share")]
    pub sample_percent: u8,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
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

/// A file of a policy may have so many bytes.
pub const POLICY_BYTES_MAX: u64 = 1 << 20;
const ROWS_MAX: usize = 10_000;

/// The files of a policy, in the order of [`Policy::parse`]'s arguments.
pub const POLICY_FILES: [&str; 3] = ["checkpoints.toml", "tolerances.toml", "retention.toml"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckpointsFile {
    checkpoint: Vec<CheckpointRule>,
    contracts: ContractRules,
    reading: ReadingRules,
    straight_through: StraightThroughRules,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TolerancesFile {
    #[serde(deserialize_with = "currency")]
    currency: String,
    dates: DateLimits,
    duplicates: DuplicateLimits,
    splits: SplitLimits,
    near_limits: NearLimits,
    notes: NoteLimits,
    taxes: TaxLimits,
    tolerance: Vec<Tolerance>,
}

impl Policy {
    /// Reads the texts of [`POLICY_FILES`], in that order. All of them or none.
    pub fn parse(texts: [&str; 3]) -> Result<Policy, PolicyMistake> {
        let [checkpoints_text, tolerances_text, retention_text] = texts;
        let [checkpoints_name, tolerances_name, retention_name] = POLICY_FILES;
        let checkpoints: CheckpointsFile = parse_sections(checkpoints_name, checkpoints_text, &CHECKPOINT_SECTIONS)?;
        let tolerances: TolerancesFile = parse_sections(tolerances_name, tolerances_text, &SECTIONS)?;
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
            duplicates: tolerances.duplicates,
            splits: tolerances.splits,
            near_limits: tolerances.near_limits,
            notes: tolerances.notes,
            taxes: tolerances.taxes,
            tolerances: tolerances.tolerance,
            checkpoints: rules,
            retention,
            contracts: checkpoints.contracts,
            reading: checkpoints.reading,
            straight_through: checkpoints.straight_through,
        })
    }

    /// What is tolerated of this kind there: of the rows in force on the day, the one that says most closely whom it is for.
    pub fn limit(&self, kind: ToleranceKind, scope: &Scope) -> Limit {
        Limit { kind, scope: scope.clone(), policy: self.digest, row: self.row(kind, scope) }
    }

    pub(crate) fn row(&self, kind: ToleranceKind, scope: &Scope) -> Option<Row> {
        tolerance::closest(&self.tolerances, kind, scope).map(Tolerance::row)
    }

    /// The figure that stands at a place of the policy, as a comparison names it; `None` for a place that is none of these.
    pub(crate) fn figure(&self, place: &str) -> Option<String> {
        let Policy { dates, duplicates, splits, near_limits, notes, taxes, reading, straight_through, .. } = self;
        Some(match place {
            "tolerances.toml, currency" => self.currency.clone(),
            "tolerances.toml, dates.future_days" => dates.future_days.to_string(),
            "tolerances.toml, dates.stale_days" => dates.stale_days.to_string(),
            // Where no day is written, none is closed.
            "tolerances.toml, dates.closed_until" => dates.closed_until.unwrap_or(Date::MIN).to_string(),
            "tolerances.toml, duplicates.days" => duplicates.days.to_string(),
            "tolerances.toml, splits.days" => splits.days.to_string(),
            "tolerances.toml, near_limits.from_percent" => near_limits.from_percent.to_string(),
            "tolerances.toml, near_limits.share_percent" => near_limits.share_percent.to_string(),
            "tolerances.toml, near_limits.invoices_min" => near_limits.invoices_min.to_string(),
            "tolerances.toml, near_limits.months" => near_limits.months.to_string(),
            "tolerances.toml, notes.new_vendor_days" => notes.new_vendor_days.to_string(),
            "tolerances.toml, notes.round_sum" => notes.round_sum.to_string(),
            "tolerances.toml, notes.price_creep_percent" => notes.price_creep_percent.to_string(),
            "tolerances.toml, taxes.rate_percent_max" => taxes.rate_percent_max.to_string(),
            "tolerances.toml, taxes.stamp_duty_max" => taxes.stamp_duty_max.to_string(),
            "checkpoints.toml, reading.error_rate_max" => reading.error_rate_max.to_string(),
            "checkpoints.toml, straight_through.sample_percent" => straight_through.sample_percent.to_string(),
            "checkpoints.toml, net_from" => {
                self.bands().iter().map(|band| band.normalize().to_string()).collect::<Vec<_>>().join(",")
            }
            _ => {
                let net = place.strip_prefix("tolerances.toml, near_limits.from_percent of net_from above ")?;
                // Where no limit lies above an amount, it is near none.
                self.near_from(net.parse().ok()?).unwrap_or(Decimal::MAX).normalize().to_string()
            }
        })
    }

    /// From where on an amount is near the limit that lies above this one.
    pub(crate) fn near_from(&self, net: Decimal) -> Option<Decimal> {
        let band = self.bands().into_iter().find(|band| net < *band)?;
        quotient(product(band, self.near_limits.from_percent)?, Decimal::ONE_HUNDRED)
    }

    /// The amounts at which a band of checkpoints begins, each once, the smallest first.
    pub fn bands(&self) -> Vec<Decimal> {
        let mut bands: Vec<Decimal> = self.checkpoints.iter().filter_map(|rule| rule.net_from).collect();
        bands.sort_unstable();
        bands.dedup();
        bands
    }

    /// The checkpoints that these findings open on a document of this kind and net amount. Empty: nothing holds it.
    /// `net` is in the policy's currency; `None` where it is unknown or in another one, which opens every band.
    pub fn route(&self, kind: Kind, net: Option<Decimal>, findings: &[Finding], now: Timestamp) -> Vec<Checkpoint> {
        let weighty = findings.iter().filter(|finding| Severity::Review <= finding.severity);
        let weighty: BTreeSet<Code> = weighty.map(|finding| finding.code).collect();
        let opened = self.opened(kind, net, &weighty);
        let checkpoint = |(rule, codes): &(&CheckpointRule, Vec<Code>)| Checkpoint {
            id: rule.id.clone(),
            title: rule.title.clone(),
            route: rule.route,
            level: rule.level,
            needs: rule.needs,
            codes: codes.clone(),
            due_at: now.plus_hours(rule.within_hours),
            approvals: Vec::new(),
        };
        opened.iter().map(checkpoint).collect()
    }

    /// The ids of the checkpoints that [`Policy::route`] opens for findings of these codes, each of weight.
    pub(crate) fn routed(&self, kind: Kind, net: Option<Decimal>, weighty: &BTreeSet<Code>) -> Vec<&str> {
        self.opened(kind, net, weighty).into_iter().map(|(rule, _)| rule.id.as_str()).collect()
    }

    /// The rules that these codes, each of weight, open, each with those that it is about.
    fn opened(&self, kind: Kind, net: Option<Decimal>, weighty: &BTreeSet<Code>) -> Vec<(&CheckpointRule, Vec<Code>)> {
        let amount = net.map(|net| net.abs());
        let applies = |rule: &&CheckpointRule| {
            // INVARIANT (fail closed): where the amount is unknown, every band applies.
            rule.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind))
                && rule.net_from.is_none_or(|from| amount.is_none_or(|net| from <= net))
                && rule.net_below.is_none_or(|below| amount.is_none_or(|net| net < below))
        };
        let listed = |rule: &CheckpointRule, code: Code| matches!(&rule.codes, Some(Codes::Listed(codes)) if codes.contains(&code));
        let rules: Vec<&CheckpointRule> = self.checkpoints.iter().filter(applies).collect();
        let about = |rule: &CheckpointRule, code: Code| match &rule.codes {
            None => false,
            Some(Codes::Listed(_)) => listed(rule, code),
            Some(Codes::Rest) => !rules.iter().any(|other| listed(other, code)),
        };
        let with_codes = rules.iter().map(|rule| {
            let codes: Vec<Code> = weighty.iter().copied().filter(|code| about(rule, *code)).collect();
            (*rule, codes)
        });
        let opened: Vec<_> = with_codes.filter(|(rule, codes)| rule.codes.is_none() || !codes.is_empty()).collect();
        let routed = |code: &Code| opened.iter().any(|(_, codes)| codes.contains(code));
        assert!(weighty.iter().all(routed), "every weighty finding is routed to a person");
        opened
    }

    /// How long a document of this kind is kept that came through this channel; `unbooked` where it is rejected or was never
    /// read.
    pub fn retention(&self, kind: Kind, channel: &str, unbooked: bool) -> Rule {
        self.retention.rule(kind, channel, unbooked)
    }
}

pub(crate) fn parse_file<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> Result<T, PolicyMistake> {
    if POLICY_BYTES_MAX < text.len() as u64 {
        let message = format!("the file has {} bytes, more than the {POLICY_BYTES_MAX} allowed", text.len());
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

/// The sections beside the tolerances, as they are shipped.
const SECTIONS: [&str; 5] = [
    "[duplicates]; days = 7",
    "[splits]; days = 14",
    "[near_limits]; from_percent = \"95\"; share_percent = \"30\"; invoices_min = 10; months = 12",
    "[notes]; new_vendor_days = 90; round_sum = \"1000\"; price_creep_percent = \"5\"",
    "[taxes]; rate_percent_max = \"27\"; stamp_duty_max = \"2.00\"",
];

/// The one beside the checkpoints that an earlier release did not ask for.
const CHECKPOINT_SECTIONS: [&str; 1] = ["[straight_through]; sample_percent = 5"];

/// As [`parse_file`]; where one of these sections is missing, the mistake says what to write.
fn parse_sections<T: serde::de::DeserializeOwned>(
    name: &str,
    text: &str,
    sections: &[&str],
) -> Result<T, PolicyMistake> {
    parse_file(name, text).map_err(|mistake| {
        let written = missing_sections(text, sections).filter(|_| mistake.message.starts_with("missing field"));
        let message = written.map(|it| format!("a section is missing; write, as shipped: {it}"));
        PolicyMistake { message: message.unwrap_or(mistake.message), ..mistake }
    })
}

/// What a policy of an earlier release lacks, its lines set apart by semicolons; `None` where it lacks nothing.
fn missing_sections(text: &str, sections: &[&str]) -> Option<String> {
    let table: toml::Table = toml::from_str(text).ok()?;
    let name = |section: &str| section.trim_start_matches('[').split(']').next().unwrap_or_default().to_owned();
    let missing = sections.iter().copied().filter(|section| !table.contains_key(&name(section)));
    let missing = missing.collect::<Vec<_>>().join("; ");
    Some(missing).filter(|missing| !missing.is_empty())
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
    let mut seen = BTreeSet::new();
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

pub(crate) fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
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

pub(crate) fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
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

fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let number = decimal(deserializer)?.filter(|number| Decimal::ZERO < *number);
    number.ok_or_else(|| serde::de::Error::custom("0 is no amount here; expected more"))
}

fn amount_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    decimal(deserializer).map(Option::unwrap_or_default)
}

fn percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let number = decimal(deserializer)?.filter(|number| *number <= Decimal::ONE_HUNDRED);
    number.ok_or_else(|| serde::de::Error::custom("a percentage here is 0 to 100, in quotes"))
}

fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    within(deserializer, "sample_percent", 0, 100)
}

fn within_a_month<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    within(deserializer, "days", 0, 31)
}

fn within_two_months<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    within(deserializer, "days", 0, 62)
}

fn months<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    within(deserializer, "months", 1, 24)
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

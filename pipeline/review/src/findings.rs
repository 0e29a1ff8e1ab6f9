//! What was found and what passed: the figures, where they stand, how they were compared, and what would let them pass.

use std::collections::{BTreeMap, BTreeSet};

use case::{Basis, Case, Combine, Comparison, Decimal, Evidence, Finding, Outcome, Place, Row, Severity, Test};

use crate::page::People;
use crate::values::{Values, flag, place_text};
use crate::words::Lang;

/// More comparisons that passed are not shown; `case show --json` has all of them.
pub(crate) const PASSED_SHOWN_MAX: usize = 200;
/// Decimals of a percentage that only says how much it is. What would pass is said exactly.
const PERCENT_DECIMALS: u32 = 4;

/// Names of figures that are no amounts, even where they look like one.
const NAMED: [&str; 31] = [
    "order",
    "order_line",
    "twin",
    "policy_row",
    "iban",
    "vat_id",
    "known",
    "number",
    "number_folded",
    "contract",
    "item",
    "vendor",
    "seller",
    "bill",
    "bills",
    "account",
    "approved",
    "agreed_with",
    "billed_by",
    "ordered_from",
    "payment",
    "key",
    "cost_centre",
    "preceding",
    "suggestion",
    "lines",
    "result",
    "country",
    "account_country",
    "period",
    "year",
];

pub(crate) struct FindingView {
    pub(crate) title: &'static str,
    pub(crate) weight: &'static str,
    pub(crate) flag: &'static str,
    pub(crate) stopped: bool,
    pub(crate) code: &'static str,
    pub(crate) rule: String,
    pub(crate) message: String,
    pub(crate) figures: Vec<(String, String)>,
    pub(crate) fields: Vec<(String, bool)>,
    pub(crate) decided: Option<Decided>,
}

/// How a finding was decided.
pub(crate) struct Decided {
    /// The limits, by how much it is over, and what would pass.
    pub(crate) said: Vec<(String, String)>,
    /// The figures that stand somewhere.
    pub(crate) placed: Vec<Placed>,
}

pub(crate) struct Placed {
    pub(crate) title: String,
    pub(crate) shown: String,
    /// The rectangle on a page, and the page.
    pub(crate) rect: Option<(String, u32)>,
    /// Elsewhere in the document.
    pub(crate) text: Option<String>,
    /// In a fact or in the policy, in English.
    pub(crate) fact: Option<String>,
}

pub(crate) struct PassedView {
    /// What it would be a finding of.
    pub(crate) title: &'static str,
    pub(crate) rule: String,
    pub(crate) figures: Vec<(String, String)>,
    pub(crate) said: Vec<(String, String)>,
}

/// What the figures of a finding are shown with.
#[derive(Clone, Copy)]
pub(crate) struct Showing<'a> {
    pub(crate) lang: Lang,
    pub(crate) people: &'a People,
    pub(crate) values: &'a Values,
    /// The names of all values that are shown.
    pub(crate) names: &'a BTreeSet<&'a str>,
}

impl FindingView {
    pub(crate) fn of(finding: &Finding, showing: Showing<'_>) -> FindingView {
        let Showing { lang, names, .. } = showing;
        FindingView {
            title: lang.code(finding.code),
            weight: lang.severity(finding.severity),
            flag: flag(finding.severity),
            stopped: finding.severity == Severity::Stop,
            code: finding.code.name(),
            rule: finding.rule.clone(),
            message: finding.message.clone(),
            figures: figures(&finding.operands, lang),
            fields: finding.fields.iter().map(|field| (field.clone(), names.contains(field.as_str()))).collect(),
            decided: finding.basis.as_deref().map(|basis| Decided::of(basis, &finding.operands, showing)),
        }
    }
}

impl Decided {
    fn of(basis: &Basis, operands: &BTreeMap<String, String>, showing: Showing<'_>) -> Decided {
        let lang = showing.lang;
        let mut said = limits(basis, lang);
        said.extend(comes_to(basis, &basis.outcome(operands), lang));
        let placed = |(name, place): (&String, &Place)| {
            let value = operands.get(name)?;
            Some(Placed::of(lang.operand(name), figure(name, value, lang), place, showing))
        };
        Decided { said, placed: basis.places.iter().filter_map(placed).collect() }
    }
}

impl Placed {
    fn of(title: String, shown: String, place: &Place, showing: Showing<'_>) -> Placed {
        let (mut rect, mut text, mut fact) = (None, None, None);
        match place {
            Place::Document(evidence) => {
                let page = match evidence {
                    Evidence::Page { page, .. } => Some(*page),
                    _ => None,
                };
                rect = showing.values.rect(evidence).map(str::to_owned).zip(page);
                text = rect.is_none().then(|| place_text(evidence, showing.lang, showing.people));
            }
            Place::Fact(named) | Place::Policy(named) => fact = Some(named.clone()),
        }
        Placed { title, shown, rect, text, fact }
    }
}

impl PassedView {
    fn of(comparison: &Comparison, lang: Lang) -> PassedView {
        let basis = &comparison.basis;
        let mut said = limits(basis, lang);
        said.extend(comes_to(basis, &comparison.outcome(), lang));
        PassedView {
            title: lang.code(basis.code),
            rule: comparison.rule.clone(),
            figures: figures(&comparison.operands, lang),
            said,
        }
    }
}

/// The first of the comparisons that found nothing.
pub(crate) fn passed(case: &Case, lang: Lang) -> Vec<PassedView> {
    case.passed.iter().take(PASSED_SHOWN_MAX).map(|it| PassedView::of(it, lang)).collect()
}

fn figures(operands: &BTreeMap<String, String>, lang: Lang) -> Vec<(String, String)> {
    operands.iter().map(|(name, value)| (lang.operand(name), figure(name, value, lang))).collect()
}

/// Amounts as the language writes them; what only looks like one, an order's number, as it stands.
fn figure(name: &str, value: &str, lang: Lang) -> String {
    if name == "clause" {
        return lang.clause(value);
    }
    let named = NAMED.contains(&name.strip_prefix("twin_").unwrap_or(name));
    if named || !value.contains('.') { lang.day_text(value) } else { lang.amount_text(value) }
}

/// The row that was asked and what it lets pass.
fn limits(basis: &Basis, lang: Lang) -> Vec<(String, String)> {
    let w = lang.words();
    let Some(limit) = &basis.limit else { return Vec::new() };
    let Some(row) = &limit.row else { return vec![(w.limit_row.to_owned(), w.limit_none.to_owned())] };
    let mut said = vec![(w.limit_row.to_owned(), row.id.clone())];
    let active = active(row);
    said.extend(active.iter().map(|(name, max)| (lang.operand(name), lang.decimal(*max))));
    if 1 < active.len() {
        let how = if row.combine == Combine::Lenient { w.limits_lenient } else { w.limits_strict };
        said.push((w.limits_together.to_owned(), how.to_owned()));
    }
    said
}

fn active(row: &Row) -> Vec<(&'static str, Decimal)> {
    let limits = [
        ("upper_percent", row.upper_percent),
        ("upper_abs", row.upper_abs),
        ("lower_percent", row.lower_percent),
        ("lower_abs", row.lower_abs),
    ];
    limits.into_iter().filter_map(|(name, max)| Some((name, max?))).collect()
}

fn comes_to(basis: &Basis, outcome: &Outcome, lang: Lang) -> Vec<(String, String)> {
    let w = lang.words();
    let said = |name: &str, value: String| (name.to_owned(), value);
    match outcome {
        Outcome::Passes { margin } => margin
            .iter()
            .map(|(name, left)| (format!("{} {}", w.left_to, lang.operand(name)), lang.decimal(*left)))
            .collect(),
        Outcome::Below { by } => vec![said(w.under_by, lang.decimal(*by))],
        Outcome::Small { by } => vec![said(w.apart_by, lang.decimal(*by))],
        Outcome::Fails { by, percent, would_pass } => {
            let mut rows = Vec::new();
            if let Some(by) = by {
                let percent = percent.map(|it| it.abs().round_dp(PERCENT_DECIMALS).normalize());
                let share = percent.map_or_else(String::new, |it| format!(" ({} %)", lang.decimal(it)));
                let name = if by.is_sign_negative() { w.under_by } else { w.over_by };
                rows.push(said(name, format!("{}{share}", lang.decimal(by.abs()))));
            }
            let lenient =
                basis.limit.as_ref().and_then(|it| it.row.as_ref()).is_some_and(|row| row.combine == Combine::Lenient);
            let any = lenient || matches!(basis.test, Test::Apart { .. } | Test::Any { .. });
            let joint = format!(" {} ", if any { w.or } else { w.and });
            let would: Vec<String> = would_pass.iter().map(|it| would(it, lang)).collect();
            rows.push(said(
                w.would_pass,
                if would.is_empty() { w.nothing_would.to_owned() } else { would.join(&joint) },
            ));
            rows
        }
    }
}

/// What would let it pass, with the figures' names in the language of the page.
fn would(text: &str, lang: Lang) -> String {
    let w = lang.words();
    match text.splitn(3, ' ').collect::<Vec<_>>().as_slice() {
        ["another", name] => format!("{} {}", w.another, lang.operand(name)),
        ["no", name] => format!("{} {}", w.without, lang.operand(name)),
        [name, "known"] => format!("{} {}", lang.operand(name), w.is_known),
        [name, "with", value] => format!("{} {} {value}", lang.operand(name), w.with),
        [name, sign, value] => {
            let sign = match *sign {
                ">=" => "≥",
                "<=" => "≤",
                other => other,
            };
            format!("{} {sign} {}", lang.operand(name), figure(name, value, lang))
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_pass_is_said_in_the_language_of_the_page() {
        for (text, en, de) in [
            ("upper_percent >= 2.1", "upper limit, % ≥ 2.1", "obere Grenze, % ≥ 2,1"),
            ("no upper_percent", "without upper limit, %", "ohne obere Grenze, %"),
            ("known with DE02 1203", "known with DE02 1203", "bekannt mit DE02 1203"),
            ("order known", "order known", "Bestellung bekannt"),
            ("another twin_gross", "another gross amount (twin)", "anderer Wert: Bruttobetrag (Zwilling)"),
            ("order = PO 1.50", "order = PO 1.50", "Bestellung = PO 1.50"),
        ] {
            assert_eq!((would(text, Lang::En).as_str(), would(text, Lang::De).as_str()), (en, de));
        }
    }
}

//! What was found and what passed: the figures, where they stand, how they were compared, and what would let them pass.

use std::collections::{BTreeMap, BTreeSet};

use case::{
    Basis, Case, CaseId, Code, Combine, Comparison, Decimal, Evidence, FieldName, Finding, Outcome, Place, Row,
    Severity, Test, ToleranceKind,
};

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
    /// English: on a page in another language it stands where it is told how this was decided.
    pub(crate) message: Vec<Piece>,
    pub(crate) message_first: bool,
    /// Of a finding without a comparison; those of the others stand where it is told how this was decided.
    pub(crate) figures: Vec<(String, String)>,
    pub(crate) fields: Vec<(String, bool)>,
    pub(crate) decided: Option<Decided>,
}

/// How a finding was decided.
pub(crate) struct Decided {
    /// The limits, by how much it is over, and what would pass.
    pub(crate) said: Vec<(String, String)>,
    /// The figures that were compared, first those that stand somewhere.
    pub(crate) figures: Vec<Placed>,
}

/// A part of a text, and the case that it names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) case: bool,
}

pub(crate) struct Placed {
    pub(crate) title: String,
    pub(crate) shown: Vec<Piece>,
    /// The rectangle on a page, and the page.
    pub(crate) rect: Option<(String, u32)>,
    /// Elsewhere in the document.
    pub(crate) text: Option<String>,
    /// In a fact or in the policy, in English.
    pub(crate) fact: Option<Vec<Piece>>,
}

pub(crate) struct PassedView {
    /// What was compared; never the name of the fault.
    pub(crate) title: String,
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
    /// The currency of amounts and limits.
    pub(crate) currency: Option<&'a str>,
}

/// The currency that amounts and limits of a case share; none where the limits are in another one.
pub(crate) fn currency(case: &Case) -> Option<&str> {
    let other = case.findings.iter().any(|finding| finding.code == Code::CurrencyLimits);
    case.extraction.as_ref().filter(|_| !other)?.text(FieldName::Currency)
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
            message: pieces(&finding.message, &twins(&finding.operands)),
            message_first: lang == Lang::En,
            figures: if finding.basis.is_some() { Vec::new() } else { figures(&finding.operands, lang) },
            fields: finding.fields.iter().map(|field| (field.clone(), names.contains(field.as_str()))).collect(),
            decided: finding.basis.as_deref().map(|basis| Decided::of(basis, &finding.operands, showing)),
        }
    }
}

impl Decided {
    fn of(basis: &Basis, operands: &BTreeMap<String, String>, showing: Showing<'_>) -> Decided {
        let outcome = basis.outcome(operands);
        let mut said = limits(basis, showing.lang, showing.currency);
        said.extend(comes_to(basis, &outcome, showing.lang, showing.currency));
        let twins = twins(operands);
        let (placed, others): (Vec<_>, Vec<_>) = operands
            .iter()
            .filter(|(name, value)| !repeated(name, value, basis, &outcome))
            .map(|(name, value)| (name, value, basis.places.get(name)))
            .partition(|(_, _, place)| place.is_some());
        let figures = placed.into_iter().chain(others);
        let figures = figures.map(|(name, value, place)| Placed::of(name, value, place, &twins, showing));
        Decided { said, figures: figures.collect() }
    }
}

impl Placed {
    fn of(name: &str, value: &str, place: Option<&Place>, twins: &BTreeSet<&str>, showing: Showing<'_>) -> Placed {
        let (mut rect, mut text, mut fact) = (None, None, None);
        match place {
            Some(Place::Document(evidence)) => {
                let page = match evidence {
                    Evidence::Page { page, .. } => Some(*page),
                    _ => None,
                };
                rect = showing.values.rect(evidence).map(str::to_owned).zip(page);
                text = rect.is_none().then(|| place_text(evidence, showing.lang, showing.people));
            }
            Some(Place::Fact(named) | Place::Policy(named)) => fact = Some(pieces(named, twins)),
            None => {}
        }
        let shown = pieces(&figure(name, value, showing.lang), twins);
        Placed { title: showing.lang.operand(name), shown, rect, text, fact }
    }
}

/// Is this figure said by the limits or by the difference already?
fn repeated(name: &str, value: &str, basis: &Basis, outcome: &Outcome) -> bool {
    match name {
        "policy_row" | "limit_percent" | "limit_abs" => basis.limit.as_ref().is_some_and(|limit| limit.row.is_some()),
        "variance" | "excess" | "difference" | "percent" => {
            let (by, percent) = match outcome {
                Outcome::Fails { by, percent, .. } => (*by, *percent),
                Outcome::Below { by } | Outcome::Small { by } => (Some(*by), None),
                Outcome::Passes { .. } => (None, None),
            };
            let said = if name == "percent" { percent.map(|it| it.round_dp(PERCENT_DECIMALS)) } else { by };
            let value = value.parse::<Decimal>().ok().map(|it| it.abs());
            value.is_some() && value == said.map(|it| it.abs())
        }
        _ => false,
    }
}

/// The twins of a finding that are cases here.
fn twins(operands: &BTreeMap<String, String>) -> BTreeSet<&str> {
    let named = operands.get("twin").into_iter().flat_map(|twins| twins.split("; "));
    // Exactly as an id of a case is written.
    named.filter(|twin| twin.parse::<CaseId>().is_ok_and(|id| id.to_string() == *twin)).collect()
}

/// A text, cut around the cases that it names.
fn pieces(text: &str, cases: &BTreeSet<&str>) -> Vec<Piece> {
    let piece = |text: &str, case| Piece { text: text.to_owned(), case };
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, id, after)) = first_of(rest, cases) {
        pieces.extend([piece(before, false), piece(id, true)]);
        rest = after;
    }
    pieces.push(piece(rest, false));
    pieces.retain(|piece| !piece.text.is_empty());
    pieces
}

fn first_of<'a>(text: &'a str, cases: &BTreeSet<&'a str>) -> Option<(&'a str, &'a str, &'a str)> {
    let found = cases.iter().filter_map(|id| text.split_once(id).map(|(before, after)| (before, *id, after)));
    found.min_by_key(|(before, _, _)| before.len())
}

impl PassedView {
    fn of(comparison: &Comparison, lang: Lang, currency: Option<&str>) -> PassedView {
        let (basis, outcome) = (&comparison.basis, comparison.outcome());
        let mut said = limits(basis, lang, currency);
        said.extend(comes_to(basis, &outcome, lang, currency));
        let shown = comparison.operands.iter().filter(|(name, value)| !repeated(name, value, basis, &outcome));
        PassedView {
            title: lang.check(basis.code, &comparison.rule).map_or_else(|| comparison.rule.clone(), str::to_owned),
            rule: comparison.rule.clone(),
            figures: figures(shown, lang),
            said,
        }
    }
}

/// The first of the comparisons that found nothing.
pub(crate) fn passed(case: &Case, lang: Lang) -> Vec<PassedView> {
    // Where the policy closes no books, the day is the first of all: another policy is asked by it, and no person.
    let closed = |it: &&Comparison| it.operands.get("closed_until").is_none_or(|day| !day.starts_with('-'));
    let shown = case.passed.iter().filter(closed).take(PASSED_SHOWN_MAX);
    shown.map(|it| PassedView::of(it, lang, currency(case))).collect()
}

fn figures<'a>(operands: impl IntoIterator<Item = (&'a String, &'a String)>, lang: Lang) -> Vec<(String, String)> {
    operands.into_iter().map(|(name, value)| (lang.operand(name), figure(name, value, lang))).collect()
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
fn limits(basis: &Basis, lang: Lang, currency: Option<&str>) -> Vec<(String, String)> {
    let w = lang.words();
    let Some(limit) = &basis.limit else { return Vec::new() };
    let Some(row) = &limit.row else { return vec![(w.limit_row.to_owned(), w.limit_none.to_owned())] };
    let mut said = vec![(w.limit_row.to_owned(), row.id.clone())];
    let unit = Unit::of(basis);
    for (name, amount, percent) in sides(row) {
        said.extend(unit.said(amount, percent, lang, currency).map(|text| (lang.operand(name), text)));
    }
    let active = [row.upper_percent, row.upper_abs, row.lower_percent, row.lower_abs];
    if 1 < active.iter().flatten().count() {
        let how = if row.combine == Combine::Lenient { w.limits_lenient } else { w.limits_strict };
        said.push((w.limits_together.to_owned(), how.to_owned()));
    }
    said
}

fn sides(row: &Row) -> [(&'static str, Option<Decimal>, Option<Decimal>); 2] {
    [("upper_abs", row.upper_abs, row.upper_percent), ("lower_abs", row.lower_abs, row.lower_percent)]
}

/// What a limit that is no percentage is in, and so the difference.
#[derive(Clone, Copy)]
enum Unit {
    Money,
    Days,
    /// Of what is counted.
    Pieces,
}

impl Unit {
    fn of(basis: &Basis) -> Unit {
        let Some(limit) = &basis.limit else { return Unit::Pieces };
        match limit.kind {
            ToleranceKind::QtyOrd | ToleranceKind::QtyRec | ToleranceKind::QtyAcc => Unit::Pieces,
            ToleranceKind::BlanketDate => Unit::Days,
            _ => Unit::Money,
        }
    }

    fn amount(self, number: Decimal, lang: Lang, currency: Option<&str>) -> String {
        match (self, currency) {
            (Unit::Money, Some(currency)) => format!("{} {currency}", lang.money(number)),
            (Unit::Money, None) => lang.money(number),
            (Unit::Days, _) => format!("{} {}", lang.decimal(number), lang.words().days),
            (Unit::Pieces, _) => lang.decimal(number),
        }
    }

    /// The amount and the percentage, as far as there are any.
    fn said(
        self,
        amount: Option<Decimal>,
        percent: Option<Decimal>,
        lang: Lang,
        currency: Option<&str>,
    ) -> Option<String> {
        let percent = percent.map(|it| format!("{} %", lang.decimal(it)));
        let both = [amount.map(|it| self.amount(it, lang, currency)), percent];
        let both: Vec<String> = both.into_iter().flatten().collect();
        (!both.is_empty()).then(|| both.join(", "))
    }
}

fn comes_to(basis: &Basis, outcome: &Outcome, lang: Lang, currency: Option<&str>) -> Vec<(String, String)> {
    let w = lang.words();
    let unit = Unit::of(basis);
    match outcome {
        Outcome::Passes { margin } => left(unit, margin, lang, currency),
        Outcome::Below { by } => vec![(w.under_by.to_owned(), unit.amount(*by, lang, currency))],
        Outcome::Small { by } => vec![(w.apart_by.to_owned(), unit.amount(*by, lang, currency))],
        Outcome::Fails { by, percent, would_pass } => {
            let percent = percent.map(|it| it.abs().round_dp(PERCENT_DECIMALS).normalize());
            let difference = by.and_then(|by| {
                let text = unit.said(Some(by.abs()), percent, lang, currency)?;
                Some((difference(basis, by, lang).to_owned(), text))
            });
            let lenient =
                basis.limit.as_ref().and_then(|it| it.row.as_ref()).is_some_and(|row| row.combine == Combine::Lenient);
            let any = lenient || matches!(basis.test, Test::Apart { .. } | Test::Any { .. });
            let joint = format!(" {} ", if any { w.or } else { w.and });
            let would: Vec<String> = would_pass.iter().map(|it| would(it, lang)).collect();
            let would = if would.is_empty() { w.nothing_would.to_owned() } else { would.join(&joint) };
            difference.into_iter().chain([(w.would_pass.to_owned(), would)]).collect()
        }
    }
}

/// What is left up to the limits that are written, or up to the figure that it must stay below.
fn left(unit: Unit, margin: &BTreeMap<String, Decimal>, lang: Lang, currency: Option<&str>) -> Vec<(String, String)> {
    let w = lang.words();
    let by_name = |name: &str| margin.get(name).copied();
    let upper = unit.said(by_name("upper_abs"), by_name("upper_percent"), lang, currency);
    let upper = upper.map(|text| (format!("{} {}", w.left_to, lang.operand("upper_abs")), text));
    let others = margin.iter().filter(|(name, _)| !name.starts_with("upper_")).map(|(name, left)| {
        let text = match name.as_str() {
            "days_known" => Unit::Days.amount(*left, lang, currency),
            "near_from" => Unit::Money.amount(*left, lang, currency),
            "limit_percent" => format!("{} %", lang.decimal(*left)),
            _ => lang.decimal(*left),
        };
        (w.margin.to_owned(), text)
    });
    upper.into_iter().chain(others).collect()
}

/// What the whole difference is one to: where a limit tolerates a part of it, it is not what is beyond the limit.
fn difference(basis: &Basis, by: Decimal, lang: Lang) -> &'static str {
    let w = lang.words();
    let kind = basis.limit.as_ref().map(|limit| limit.kind);
    match (&basis.test, kind) {
        _ if by.is_sign_negative() => w.under_by,
        (Test::Near { .. }, _) => w.apart_by,
        (Test::AtMost { .. }, Some(ToleranceKind::AmountLine | ToleranceKind::AmountDoc)) => w.over_none,
        (Test::AtMost { of, .. }, Some(_)) => match of.as_str() {
            "ordered" => w.over_order,
            "received" => w.over_received,
            _ => w.over_expected,
        },
        _ => w.over_by,
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
            ("no upper_percent", "no upper limit, %", "Wegfall von: obere Grenze, %"),
            ("known with DE02 1203", "known with DE02 1203", "bekannt mit DE02 1203"),
            ("order known", "order known", "Bestellung bekannt"),
            ("another twin_gross", "another gross amount (twin)", "anderer Wert: Bruttobetrag (Zwilling)"),
            ("order = PO 1.50", "order = PO 1.50", "Bestellung = PO 1.50"),
        ] {
            assert_eq!((would(text, Lang::En).as_str(), would(text, Lang::De).as_str()), (en, de));
        }
    }
    #[test]
    fn a_twin_is_a_link_only_where_it_is_a_case() {
        let id = "01a208e0-8f47-7124-8afb-7d47ae5bcdda";
        let operands = BTreeMap::from([("twin".to_owned(), format!("{id}; V1, R-7, 2026-01-02"))]);
        let cut = pieces(&format!("is here already: case {id} and more"), &twins(&operands));
        let cut: Vec<(&str, bool)> = cut.iter().map(|piece| (piece.text.as_str(), piece.case)).collect();
        assert_eq!(cut, [("is here already: case ", false), (id, true), (" and more", false)]);
        assert!(pieces("V1, R-7, 2026-01-02", &twins(&operands)).iter().all(|piece| !piece.case));
    }
}

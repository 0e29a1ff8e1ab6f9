//! What figures come to under a test and a row of limits.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{Outcome, Pair, Test};
use crate::invoice::{product, quotient};
use crate::policy::{Combine, Row};

/// Decimals to which a difference of computed figures is looked at: below that lies only the rounding of a division.
const DECIMALS: u32 = 9;

/// The texts of the figures, by their names.
type Texts<'a> = &'a dyn Fn(&str) -> Option<Cow<'a, str>>;

/// `row` is `None` where no limit is asked for, and `Some(None)` where one is and no row is for it.
pub(super) fn outcome(test: &Test, row: Option<Option<&Row>>, texts: Texts<'_>) -> Outcome {
    weighed(test, row, texts).unwrap_or_else(|| fails(Vec::new()))
}

/// `None` where a figure is missing, is none, or is out of range.
fn weighed(test: &Test, row: Option<Option<&Row>>, texts: Texts<'_>) -> Option<Outcome> {
    let text = |name: &str| texts(name).filter(|text| !text.trim().is_empty());
    let figure = |name: &str| Figure::of(&text(name)?);
    Some(match test {
        Test::AtMost { sum, of, times, below } => {
            let (expected, factor) = (figure(of)?, times.as_deref().map_or(Some(Figure::ONE), figure)?);
            let mut total = Figure { number: Decimal::ZERO, date: false };
            for name in sum {
                let it = figure(name)?;
                total = Figure { number: total.number.checked_add(it.number)?, date: total.date || it.date };
            }
            let gap = Gap::of(&total, &expected, factor.number)?;
            gap.outcome(row, below.is_some(), || {
                let needed = match sum.as_slice() {
                    [one] => text(one).unwrap_or_default().into_owned(),
                    _ => total.number.normalize().to_string(),
                };
                format!("{of} {} {needed}", if factor.number.is_sign_negative() { "<=" } else { ">=" })
            })
        }
        Test::Near { left, right, rounding, small } => {
            let (one, other) = (figure(left)?, figure(right)?);
            let rounding = rounding.as_deref().map_or(Some(Figure::ZERO), figure)?.number;
            let (more, less) = if one.number < other.number { (other, one) } else { (one, other) };
            let gap = Gap::of(&more, &less, Decimal::ONE)?;
            if gap.over <= rounding {
                return Some(passes());
            }
            match gap.outcome(row, false, || format!("{left} = {}", text(right).unwrap_or_default())) {
                Outcome::Passes { .. } if small.is_some() && !gap.over.is_zero() => Outcome::Small { by: gap.over },
                outcome => outcome,
            }
        }
        Test::Less { value, than } => {
            let left = figure(than)?.number.checked_sub(figure(value)?.number)?;
            match Decimal::ZERO < left {
                true => Outcome::Passes { margin: BTreeMap::from([(than.clone(), left)]) },
                false => {
                    let would_pass = vec![format!("{value} < {}", text(than)?)];
                    Outcome::Fails { by: Some((-left).normalize()), percent: None, would_pass }
                }
            }
        }
        Test::Same { left, right } => match same(&text(left)?, &text(right)?) {
            true => passes(),
            false => fails(vec![format!("{left} = {}", text(right)?)]),
        },
        Test::OneOf { value, among } => {
            let (value, list) = (text(value)?, text(among).unwrap_or_default());
            match list.split(',').any(|it| !it.trim().is_empty() && same(it, &value)) {
                true => passes(),
                false => fails(vec![format!("{among} with {}", value.trim())]),
            }
        }
        Test::There { value } => match text(value) {
            Some(_) => passes(),
            None => fails(vec![format!("{value} known")]),
        },
        Test::Apart { pairs } => {
            let close = |pair: &Pair| close(text(&pair.left).as_deref(), text(&pair.right).as_deref(), pair.within);
            match pairs.iter().all(close) {
                true => fails(pairs.iter().map(|pair| format!("another {}", pair.left)).collect()),
                false => passes(),
            }
        }
        Test::Unreached { sums, limits } => match reached(&pairs(&text(sums)?)?, &list(&texts(limits)?)?) {
            None => passes(),
            Some((limit, together)) => {
                let by = Some(together.checked_sub(limit)?.normalize());
                Outcome::Fails { by, percent: None, would_pass: vec![format!("together < {limit}")] }
            }
        },
        Test::Any { of } => {
            let mut would = Vec::new();
            for test in of {
                match outcome(test, row, texts) {
                    Outcome::Fails { would_pass, .. } => would.extend(would_pass),
                    outcome => return Some(outcome),
                }
            }
            fails(would)
        }
    })
}

/// The highest limit that is more than what stands alone and no more than what stands together, with the latter.
pub(crate) fn reached(sums: &[(Decimal, Decimal)], limits: &[Decimal]) -> Option<(Decimal, Decimal)> {
    let pairs = limits.iter().flat_map(|limit| sums.iter().map(move |(alone, together)| (*alone, *limit, *together)));
    let over = pairs.filter(|(alone, limit, together)| alone < limit && limit <= together);
    over.map(|(_, limit, together)| (limit, together)).max()
}

/// Figures between commas; an empty list has none.
pub(super) fn list(text: &str) -> Option<Vec<Decimal>> {
    text.split(',').map(str::trim).filter(|it| !it.is_empty()).map(|it| it.parse().ok()).collect()
}

/// Pairs `1/2` between commas.
pub(super) fn pairs(text: &str) -> Option<Vec<(Decimal, Decimal)>> {
    let pair = |text: &str| {
        let (one, other) = text.split_once('/')?;
        Some((one.trim().parse().ok()?, other.trim().parse().ok()?))
    };
    text.split(',').map(pair).collect()
}

struct Figure {
    number: Decimal,
    date: bool,
}

impl Figure {
    const ZERO: Figure = Figure { number: Decimal::ZERO, date: false };
    const ONE: Figure = Figure { number: Decimal::ONE, date: false };

    fn of(text: &str) -> Option<Figure> {
        let number = text.trim().parse().ok().map(|number| Figure { number, date: false });
        number.or_else(|| {
            let day: Date = text.trim().parse().ok()?;
            Some(Figure { number: crate::facts::days(day).into(), date: true })
        })
    }
}

/// By how much something is over what was expected, and by how much of it. Below, both are less than 0.
struct Gap {
    over: Decimal,
    /// None where nothing was expected, or where days have no share.
    percent: Option<Decimal>,
}

impl Gap {
    fn of(found: &Figure, expected: &Figure, times: Decimal) -> Option<Gap> {
        let difference = found.number.checked_sub(expected.number)?;
        let over = product(difference, times)?.round_dp(DECIMALS).normalize();
        let percent = match found.date || expected.date {
            true => None,
            false => percent_of(difference, expected.number),
        };
        let percent = percent.map(|it| if times.is_sign_negative() { -it } else { it });
        Some(Gap { over, percent: percent.map(|it| it.round_dp(DECIMALS).normalize()) })
    }

    /// `instead` says what would pass where there is no limit.
    fn outcome(&self, row: Option<Option<&Row>>, notes_below: bool, instead: impl FnOnce() -> String) -> Outcome {
        let Gap { over, percent } = *self;
        let (below, by_percent_below) = (-over, percent.map(|it| -it));
        let limits = row.flatten();
        if over < Decimal::ZERO && limits.is_some_and(|row| !row.allows_below(below, by_percent_below)) {
            let would_pass = would_pass(Side::Lower, limits, below, by_percent_below);
            return Outcome::Fails { by: Some(over), percent, would_pass };
        }
        if over < Decimal::ZERO && notes_below {
            return Outcome::Below { by: below };
        }
        if Decimal::ZERO < over && !limits.is_some_and(|row| row.allows(over, percent)) {
            let would_pass = match row {
                Some(limits) => would_pass(Side::Upper, limits, over, percent),
                None => vec![instead()],
            };
            return Outcome::Fails { by: Some(over), percent, would_pass };
        }
        let percent_left = limits.and_then(|row| row.upper_percent?.checked_sub(percent?));
        let amount_left = limits.and_then(|row| row.upper_abs?.checked_sub(over));
        let left = [("upper_percent", percent_left), ("upper_abs", amount_left)];
        Outcome::Passes { margin: left.into_iter().filter_map(|(name, left)| Some((name.to_owned(), left?))).collect() }
    }
}

fn percent_of(difference: Decimal, expected: Decimal) -> Option<Decimal> {
    quotient(product(difference, Decimal::ONE_HUNDRED)?, expected.abs())
}

#[derive(Clone, Copy)]
enum Side {
    Upper,
    Lower,
}

/// Both figures are positive, and together more than the row lets pass on this side.
fn would_pass(side: Side, row: Option<&Row>, amount: Decimal, percent: Option<Decimal>) -> Vec<String> {
    let none = Row::default();
    let row = row.unwrap_or(&none);
    let (name, max, percent_max) = match side {
        Side::Upper => ("upper", row.upper_abs, row.upper_percent),
        Side::Lower => ("lower", row.lower_abs, row.lower_percent),
    };
    let by_percent = percent_max.and_then(|max| match percent {
        Some(it) => (max < it).then(|| format!("{name}_percent >= {it}")),
        // Of nothing, anything is more than any percentage.
        None => (row.combine == Combine::Strict).then(|| format!("no {name}_percent")),
    });
    let by_amount = max.filter(|max| *max < amount).map(|_| format!("{name}_abs >= {amount}"));
    let limits: Vec<String> = by_percent.into_iter().chain(by_amount).collect();
    if limits.is_empty() { vec![format!("{name}_abs >= {amount}")] } else { limits }
}

fn passes() -> Outcome {
    Outcome::Passes { margin: BTreeMap::new() }
}

fn fails(would_pass: Vec<String>) -> Outcome {
    Outcome::Fails { by: None, percent: None, would_pass }
}

fn same(left: &str, right: &str) -> bool {
    // Numbers are written in one way where figures are compared; `1.10` and `1.1` may be two vendors.
    left.trim().to_uppercase() == right.trim().to_uppercase()
}

/// The first and the last day of a period of ISO 8601, in whichever order they are written.
fn period(text: &str) -> Option<(Date, Date)> {
    let (one, other) = text.split_once('/')?;
    let (one, other): (Date, Date) = (one.parse().ok()?, other.parse().ok()?);
    Some((one.min(other), one.max(other)))
}

/// INVARIANT (fail closed): what is not known, or is further apart than can be computed, is no other thing.
fn close(left: Option<&str>, right: Option<&str>, within: Decimal) -> bool {
    let (Some(left), Some(right)) = (left.map(str::trim), right.map(str::trim)) else { return true };
    if let (Ok(left), Ok(right)) = (left.parse::<Date>(), right.parse::<Date>()) {
        return Decimal::from((crate::facts::days(left) - crate::facts::days(right)).abs()) <= within;
    }
    if let (Some(left), Some(right)) = (period(left), period(right)) {
        let between = crate::facts::days(left.0.max(right.0)) - crate::facts::days(left.1.min(right.1));
        return Decimal::from(between.max(0)) <= within;
    }
    match (left.parse::<Decimal>(), right.parse::<Decimal>()) {
        (Ok(left), Ok(right)) if !within.is_zero() => left.checked_sub(right).is_none_or(|it| it.abs() <= within),
        _ => same(left, right),
    }
}

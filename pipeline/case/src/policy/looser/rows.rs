//! Rows of tolerances against those before them, by what they tolerate wherever one of them holds.

use std::collections::BTreeSet;

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::policy::tolerance::closest;
use crate::policy::{Combine, Scope, Tolerance, ToleranceKind};

/// So often is a row looked at. Policies with more to look at count as looser.
const LOOKS_MAX: usize = 1_000_000_000;

/// INVARIANT (no place is overlooked): wherever one row holds now and another one held before, they do so where only what the
/// two of them ask for is said, because every row that is for that place is for the other one too. So a pair of rows is looked
/// at in that one place, on each day on which a row of either policy begins or has ended.
pub(super) fn looser(now: &[Tolerance], before: &[Tolerance], said: &mut Vec<String>) {
    if now == before {
        return;
    }
    let mut looks = 0usize;
    let days = days(now, before);
    let nows = now.iter().map(Some).chain([None]);
    for row in nows {
        for earlier in before.iter().map(Some).chain([None]) {
            looks += 1;
            let Some(place) = Place::of(row, earlier) else { continue };
            let (more, less) = (looser_above(row, earlier), looser_below(row, earlier));
            if !more && !less {
                continue;
            }
            looks = looks.saturating_add(now.len()).saturating_add(before.len());
            let for_it = |rows: &[Tolerance]| rows.iter().filter(|it| place.may_hold(it)).cloned().collect::<Vec<_>>();
            let (theirs, earliers) = (for_it(now), for_it(before));
            let holds = |rows: &[Tolerance], row: Option<&Tolerance>, scope: &Scope| {
                closest(rows, place.kind(), scope).map(|it| &it.id) == row.map(|it| &it.id)
            };
            let day = days.range(place.from..=place.to).chain([&place.from]).find(|day| {
                looks = looks.saturating_add(theirs.len() + earliers.len());
                let scope = Scope { on: **day, ..place.scope.clone() };
                looks <= LOOKS_MAX && holds(&theirs, row, &scope) && holds(&earliers, earlier, &scope)
            });
            if LOOKS_MAX < looks {
                return said.push("there are too many tolerances to compare each with each".to_owned());
            }
            let Some(day) = day else { continue };
            let side = if more { Side::Above } else { Side::Below };
            let then = earlier
                .map_or("nothing was tolerated".to_owned(), |it| format!("`{}` tolerated {}", it.id, side.said(it)));
            let it = match row {
                Some(row) => format!("`{}` tolerates {}, where {then}", row.id, side.said(row)),
                None => format!("no row is for it any more, where {then}"),
            };
            said.push(format!("{}: {it}", place.said(*day)));
        }
    }
}

/// Days on which another row may hold than on the day before.
fn days(now: &[Tolerance], before: &[Tolerance]) -> BTreeSet<Date> {
    let begun = |row: &Tolerance| [row.valid_from, row.valid_to.and_then(|to| to.tomorrow().ok())];
    now.iter().chain(before).flat_map(begun).flatten().chain([Date::MIN]).collect()
}

/// What two rows ask for, together.
struct Place<'a> {
    any: &'a Tolerance,
    scope: Scope,
    from: Date,
    to: Date,
}

impl<'a> Place<'a> {
    /// `None` where no document is for both.
    fn of(one: Option<&'a Tolerance>, other: Option<&'a Tolerance>) -> Option<Place<'a>> {
        let any = one.or(other)?;
        let (one_row, other_row) = (one.unwrap_or(any), other.unwrap_or(any));
        let same = |left: &Option<String>, right: &Option<String>| {
            left.as_ref().zip(right.as_ref()).is_none_or(|(left, right)| left.eq_ignore_ascii_case(right))
        };
        let from = one_row.valid_from.max(other_row.valid_from).unwrap_or(Date::MIN);
        let to = [one_row.valid_to, other_row.valid_to].into_iter().flatten().min().unwrap_or(Date::MAX);
        let meet = one_row.kind == other_row.kind
            && from <= to
            && same(&one_row.vendor, &other_row.vendor)
            && same(&one_row.group, &other_row.group)
            && same(&one_row.commodity, &other_row.commodity)
            && same(&one_row.entity, &other_row.entity)
            && one_row.level.zip(other_row.level).is_none_or(|(one, other)| one == other);
        let either = |of: fn(&Tolerance) -> &Option<String>| of(one_row).clone().or_else(|| of(other_row).clone());
        meet.then(|| Place {
            any,
            scope: Scope {
                entity: either(|it| &it.entity),
                vendor: either(|it| &it.vendor),
                group: either(|it| &it.group),
                commodity: either(|it| &it.commodity),
                level: one_row.level.or(other_row.level),
                on: from,
            },
            from,
            to,
        })
    }

    fn kind(&self) -> ToleranceKind {
        self.any.kind
    }

    /// Is the row for this place, on some day?
    fn may_hold(&self, row: &Tolerance) -> bool {
        row.kind == self.kind() && row.asks_for(&self.scope)
    }

    /// `PRICE_UNIT for vendor V1, match 3, from 2026-03-01`
    fn said(&self, day: Date) -> String {
        let kind = serde_json::to_value(self.kind()).unwrap_or_default();
        let Scope { entity, vendor, group, commodity, level, .. } = &self.scope;
        let level = level.map(|level| level.to_string());
        let words =
            [("vendor", vendor), ("group", group), ("commodity", commodity), ("match", &level), ("entity", entity)];
        let words = words.into_iter().filter_map(|(word, it)| Some(format!("{word} {}", it.as_ref()?)));
        let whom = words.collect::<Vec<_>>().join(", ");
        let whom = if whom.is_empty() { String::new() } else { format!(" for {whom}") };
        let from = if day == Date::MIN { String::new() } else { format!(" from {day}") };
        format!("{}{whom}{from}", kind.as_str().unwrap_or_default())
    }
}

/// Excesses up to an amount and up to a percentage; without a bound, however large.
#[derive(Clone, Copy)]
struct Reach {
    amount: Option<Decimal>,
    percent: Option<Decimal>,
}

const EVERYTHING: Reach = Reach { amount: None, percent: None };

impl Reach {
    /// All that a row tolerates lies within one of these or the other.
    fn of(combine: Combine, amount: Option<Decimal>, percent: Option<Decimal>) -> [Option<Reach>; 2] {
        match combine {
            Combine::Lenient if amount.is_some() && percent.is_some() => {
                [Some(Reach { amount, percent: None }), Some(Reach { amount: None, percent })]
            }
            Combine::Lenient | Combine::Strict => [Some(Reach { amount, percent }), None],
        }
    }

    fn within(self, other: Reach) -> bool {
        let fits = |mine: Option<Decimal>, theirs: Option<Decimal>| {
            theirs.is_none_or(|theirs| mine.is_some_and(|mine| mine <= theirs))
        };
        fits(self.amount, other.amount) && fits(self.percent, other.percent)
    }
}

/// Is there an excess that the one tolerates and the other does not?
fn beyond(now: [Option<Reach>; 2], before: [Option<Reach>; 2]) -> bool {
    // An excess of no amount is none.
    let mut reaches = now.into_iter().flatten().filter(|it| it.amount != Some(Decimal::ZERO));
    reaches.any(|it| !before.into_iter().flatten().any(|other| it.within(other)))
}

/// Where no row is, nothing more is tolerated, or it is not looked at at all: then taking a row away is looser too.
fn looser_above(now: Option<&Tolerance>, before: Option<&Tolerance>) -> bool {
    let reach = |row: &Tolerance| Reach::of(row.combine, row.upper_abs, row.upper_percent);
    match (now, before) {
        (None, Some(before)) if before.kind.only_with_a_row() => beyond([Some(EVERYTHING), None], reach(before)),
        (now, before) => beyond(now.map_or([None; 2], reach), before.map_or([None; 2], reach)),
    }
}

/// Where no row is, however much less is no more than a note.
fn looser_below(now: Option<&Tolerance>, before: Option<&Tolerance>) -> bool {
    let reach = |row: Option<&Tolerance>| {
        row.map_or([Some(EVERYTHING), None], |it| Reach::of(it.combine, it.lower_abs, it.lower_percent))
    };
    beyond(reach(now), reach(before))
}

enum Side {
    Above,
    Below,
}

impl Side {
    fn said(&self, row: &Tolerance) -> String {
        let (amount, percent, word) = match self {
            Side::Above => (row.upper_abs, row.upper_percent, "more"),
            Side::Below => (row.lower_abs, row.lower_percent, "less"),
        };
        let both = if row.combine == Combine::Lenient { " or " } else { " and " };
        let limits = [percent.map(|it| format!("{it} %")), amount.map(|it| it.to_string())];
        let limits = limits.into_iter().flatten().collect::<Vec<_>>().join(both);
        if limits.is_empty() { format!("any amount {word}") } else { format!("{limits} {word}") }
    }
}

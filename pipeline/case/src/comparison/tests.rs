#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;
use crate::policy::{Combine, Row, Scope, ToleranceKind};
use crate::{Digest, Evidence};
use proptest::prelude::*;
use serde_json::json;

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// `%2 abs50 -%5 -abs9 lenient`: the limits of a row, upwards and downwards.
fn row(text: &str) -> Row {
    let mut row = Row { id: "row".to_owned(), ..Row::default() };
    for word in text.split_whitespace() {
        match word {
            "lenient" => row.combine = Combine::Lenient,
            _ if word.starts_with("-%") => row.lower_percent = Some(number(&word[2..])),
            _ if word.starts_with("-abs") => row.lower_abs = Some(number(&word[4..])),
            _ if word.starts_with('%') => row.upper_percent = Some(number(&word[1..])),
            _ => row.upper_abs = Some(number(word.strip_prefix("abs").unwrap())),
        }
    }
    row
}

fn limit(row: Option<Row>) -> Limit {
    Limit { kind: ToleranceKind::PriceUnit, scope: Scope::default(), policy: Digest::of(b"policy"), row }
}

fn at_most() -> Test {
    let (sum, of) = (vec!["before".to_owned(), "now".to_owned()], "ordered".to_owned());
    Test::AtMost { sum, of, times: Some("times".to_owned()), below: None }
}

fn noted_below() -> Test {
    let (sum, of) = (vec!["before".to_owned(), "now".to_owned()], "ordered".to_owned());
    Test::AtMost { sum, of, times: Some("times".to_owned()), below: Some(Code::PriceBelow) }
}

fn near() -> Test {
    let (left, right) = ("expected".to_owned(), "found".to_owned());
    Test::Near { left, right, rounding: Some("rounding".to_owned()), small: Some(Code::SmallDiff) }
}

fn pair(left: &str, right: &str, within: i64) -> Pair {
    Pair { left: left.to_owned(), right: right.to_owned(), within: within.into() }
}

/// A test of figures `name=value`, under a row where one is written; what it comes to, in short.
#[track_caller]
fn check(test: Test, figures: &str, limits: Option<&str>, expected: &str) {
    let mut comparison = Comparison::new(Code::Price, "match.test", test);
    for (name, value) in figures.split_whitespace().filter_map(|figure| figure.split_once('=')) {
        comparison = comparison.with(name, value);
    }
    if let Some(limits) = limits {
        comparison = comparison.limited(limit(Some(limits).filter(|it| *it != "no row").map(row)));
    }
    let said = match comparison.outcome() {
        Outcome::Passes { margin } => {
            margin.iter().fold("passes".to_owned(), |said, (name, left)| format!("{said} {name}:{left}"))
        }
        Outcome::Below { by } => format!("below {by}"),
        Outcome::Small { by } => format!("small {by}"),
        Outcome::Fails { by, percent, would_pass } => {
            let figure = |it: Option<Decimal>, sign: &str| it.map_or(String::new(), |it| format!(" {it}{sign}"));
            let would_pass = would_pass.join(" & ");
            format!("fails{}{} [{would_pass}]", figure(by, ""), figure(percent, "%"))
        }
    };
    assert_eq!(said, expected, "{figures} under {limits:?}");
}

#[test]
fn a_sum_is_at_most_what_the_limit_lets_it_be_and_equality_is_within() {
    let figures = |now: &str| format!("before=60 now={now} ordered=100 times=1");
    check(at_most(), &figures("40"), None, "passes");
    check(at_most(), &figures("40.01"), None, "fails 0.01 0.01% [ordered >= 100.01]");
    check(at_most(), &figures("40"), Some("no row"), "passes");
    check(at_most(), &figures("41"), Some("no row"), "fails 1 1% [upper_abs >= 1]");
    check(at_most(), &figures("42"), Some("%2"), "passes upper_percent:0");
    check(at_most(), &figures("42.1"), Some("%2"), "fails 2.1 2.1% [upper_percent >= 2.1]");
    check(at_most(), &figures("42.1"), Some("abs2"), "fails 2.1 2.1% [upper_abs >= 2.1]");
    // What is less is less than tolerated too, and no note where none was asked for.
    check(at_most(), &figures("10"), Some("%2 abs5"), "passes upper_abs:35 upper_percent:32");
}

#[test]
fn strict_is_within_every_limit_and_lenient_within_any() {
    let figures = |now: &str, times: &str| format!("before=0 now={now} ordered=100 times={times}");
    let (strict, lenient) = ("%2 abs50", "%2 abs50 lenient");
    check(at_most(), &figures("102", "25"), Some(strict), "passes upper_abs:0 upper_percent:0");
    check(at_most(), &figures("101", "51"), Some(strict), "fails 51 1% [upper_abs >= 51]");
    check(at_most(), &figures("103", "10"), Some(strict), "fails 30 3% [upper_percent >= 3]");
    check(at_most(), &figures("103", "20"), Some(strict), "fails 60 3% [upper_percent >= 3 & upper_abs >= 60]");
    check(at_most(), &figures("101", "51"), Some(lenient), "passes upper_abs:-1 upper_percent:1");
    check(at_most(), &figures("103", "10"), Some(lenient), "passes upper_abs:20 upper_percent:-1");
    check(at_most(), &figures("103", "20"), Some(lenient), "fails 60 3% [upper_percent >= 3 & upper_abs >= 60]");
}

#[test]
fn a_limit_that_is_not_written_is_not_applied() {
    let figures = "before=0 now=1000000 ordered=1 times=1";
    check(at_most(), figures, Some(""), "passes");
    check(at_most(), figures, Some("lenient"), "passes");
    check(at_most(), figures, Some("-%1 -abs1"), "passes");
    check(at_most(), "before=0 now=2 ordered=1 times=1", Some("abs1"), "passes upper_abs:0");
    check(at_most(), "before=0 now=2 ordered=1 times=1", Some("%100"), "passes upper_percent:0");
}

#[test]
fn of_nothing_any_excess_is_more_than_a_percentage() {
    let figures = "before=0 now=10 ordered=0 times=1";
    check(at_most(), figures, None, "fails 10 [ordered >= 10]");
    check(at_most(), figures, Some("%2"), "fails 10 [no upper_percent]");
    check(at_most(), figures, Some("%2 abs50"), "fails 10 [no upper_percent]");
    check(at_most(), figures, Some("%2 abs5"), "fails 10 [no upper_percent & upper_abs >= 10]");
    check(at_most(), figures, Some("%2 lenient"), "fails 10 [upper_abs >= 10]");
    check(at_most(), figures, Some("%2 abs50 lenient"), "passes upper_abs:40");
    check(at_most(), "before=0 now=0 ordered=0 times=1", Some("%0 abs0"), "passes upper_abs:0");
}

#[test]
fn what_is_less_is_a_note_and_too_far_below_a_finding() {
    let figures = "before=0 now=95 ordered=100 times=10";
    check(noted_below(), figures, None, "below 50");
    check(noted_below(), figures, Some("no row"), "below 50");
    check(noted_below(), figures, Some("%2 abs1"), "below 50");
    check(noted_below(), figures, Some("-%5 -abs50"), "below 50");
    check(noted_below(), figures, Some("-%4"), "fails -50 -5% [lower_percent >= 5]");
    check(noted_below(), figures, Some("-%4 -abs49"), "fails -50 -5% [lower_percent >= 5 & lower_abs >= 50]");
    check(noted_below(), figures, Some("-%4 -abs50 lenient"), "below 50");
    check(noted_below(), "before=0 now=100 ordered=100 times=10", Some("-%0"), "passes");
    // A limit that is written is applied, whether what is less would be worth a note or not.
    check(at_most(), figures, Some("-%4"), "fails -50 -5% [lower_percent >= 5]");
    check(noted_below(), "before=0 now=-1 ordered=0 times=1", Some("-%4"), "fails -1 [no lower_percent]");
}

#[test]
fn a_factor_below_nothing_turns_more_into_less() {
    check(at_most(), "before=0 now=103 ordered=100 times=-2", Some("%2"), "passes upper_percent:5");
    check(at_most(), "before=0 now=97 ordered=100 times=-2", Some("%2"), "fails 6 3% [upper_percent >= 3]");
    check(at_most(), "before=0 now=97 ordered=100 times=-2", None, "fails 6 3% [ordered <= 97]");
    check(at_most(), "before=0 now=-98 ordered=-100 times=1", Some("%1"), "fails 2 2% [upper_percent >= 2]");
    check(at_most(), "before=0 now=900 ordered=1 times=0", None, "passes");
}

#[test]
fn two_figures_are_near_each_other_whichever_is_more() {
    for (expected, found) in [("999.60", "1000.00"), ("1000.00", "999.60")] {
        let figures = format!("expected={expected} found={found} rounding=0");
        check(near(), &figures, Some("abs1.00"), "small 0.4");
        check(near(), &figures, Some("abs0.40"), "small 0.4");
        check(near(), &figures, Some("no row"), "fails 0.4 0.040016006% [upper_abs >= 0.4]");
        check(near(), &figures, None, &format!("fails 0.4 0.040016006% [expected = {found}]"));
        check(near(), &figures.replace("rounding=0", "rounding=0.4"), None, "passes");
    }
    check(near(), "expected=998.99 found=1000 rounding=0", Some("abs1"), "fails 1.01 0.101102113% [upper_abs >= 1.01]");
    check(near(), "expected=5 found=5.00 rounding=0", Some("abs1"), "passes");
    check(near(), "expected=5 found=6 rounding=0", Some("%20 abs1"), "small 1");
    let plain = Test::Near { left: "expected".into(), right: "found".into(), rounding: None, small: None };
    check(plain, "expected=5 found=6", Some("%20 abs1"), "passes upper_abs:0 upper_percent:0");
}

#[test]
fn less_is_less_and_not_equal() {
    let less = || Test::Less { value: "value".into(), than: "limit".into() };
    check(less(), "value=9.99 limit=10", None, "passes limit:0.01");
    check(less(), "value=10.00 limit=10", None, "fails 0 [value < 10]");
    check(less(), "value=11 limit=10", None, "fails 1 [value < 10]");
    check(less(), "value=2025-12-31 limit=2026-01-01", None, "passes limit:1");
    check(less(), "value=2026-01-01 limit=2026-01-01", None, "fails 0 [value < 2026-01-01]");
}

#[test]
fn days_are_compared_by_their_number_and_have_no_share() {
    let days = || Test::AtMost { sum: vec!["issued".into()], of: "due".into(), times: None, below: None };
    check(days(), "issued=2026-06-10 due=2026-06-10", None, "passes");
    check(days(), "issued=2026-06-11 due=2026-06-10", None, "fails 1 [due >= 2026-06-11]");
    check(days(), "issued=2026-06-11 due=2026-06-10", Some("abs1"), "passes upper_abs:0");
    check(days(), "issued=2026-06-11 due=2026-06-10", Some("%50"), "fails 1 [no upper_percent]");
}

#[test]
fn texts_are_the_same_whatever_their_case_and_digits_alone_are_texts() {
    let same = || Test::Same { left: "left".into(), right: "right".into() };
    for (left, right) in [("EUR", "eur"), ("7", "7")] {
        check(same(), &format!("left={left} right={right}"), None, "passes");
    }
    check(same(), "left=007 right=7", None, "fails [left = 7]");
    check(same(), "left=1.10 right=1.1", None, "fails [left = 1.1]");
    check(same(), "left=EUR right=USD", None, "fails [left = USD]");
}

#[test]
fn one_of_a_list_is_in_it_and_nothing_is_in_an_empty_one() {
    let one_of = || Test::OneOf { value: "found".into(), among: "approved".into() };
    check(one_of(), "found=B approved=A,b", None, "passes");
    check(one_of(), "found=C approved=A,b", None, "fails [approved with C]");
    check(one_of(), "found=C", None, "fails [approved with C]");
    check(one_of(), "found=, approved=,,", None, "fails [approved with ,]");
}

#[test]
fn what_is_there_is_there() {
    let there = || Test::There { value: "vendor".into() };
    check(there(), "vendor=V1", None, "passes");
    check(there(), "vendor=", None, "fails [vendor known]");
    check(there(), "", None, "fails [vendor known]");
}

#[test]
fn two_things_are_apart_where_one_pair_is_and_what_is_unknown_is_not() {
    let apart = || Test::Apart { pairs: vec![pair("date", "their_date", 7), pair("gross", "their_gross", 1)] };
    let figures = |date: &str, gross: &str| format!("date={date} their_date=2026-06-10 gross={gross} their_gross=100");
    let fails = "fails [another date & another gross]";
    check(apart(), &figures("2026-06-17", "101"), None, fails);
    check(apart(), &figures("2026-06-18", "100"), None, "passes");
    check(apart(), &figures("2026-06-02", "100"), None, "passes");
    check(apart(), &figures("2026-06-10", "101.01"), None, "passes");
    check(apart(), "date=2026-06-18 gross=100 their_gross=100", None, fails);
    check(apart(), "", None, fails);
    let text = || Test::Apart { pairs: vec![pair("order", "their_order", 0)] };
    check(text(), "order=PO-1 their_order=po-1", None, "fails [another order]");
    check(text(), "order=PO-1 their_order=PO-2", None, "passes");
    let numbers = || Test::Apart { pairs: vec![pair("a", "b", 1)] };
    check(numbers(), "a=79228162514264337593543950335 b=-79228162514264337593543950335", None, "fails [another a]");
}

#[test]
fn a_figure_that_is_missing_none_or_out_of_range_fails() {
    let less = Test::Less { value: "now".into(), than: "ordered".into() };
    let same = Test::Same { left: "now".into(), right: "ordered".into() };
    let near = Test::Near { left: "now".into(), right: "ordered".into(), rounding: None, small: None };
    let one_of = Test::OneOf { value: "now".into(), among: "ordered".into() };
    for test in [at_most(), noted_below(), near.clone(), less.clone(), same, one_of] {
        for figures in ["", "before=0 ordered=1 times=1", "before=0 now= ordered=1 times=1"] {
            check(test.clone(), figures, Some("abs9"), "fails []");
        }
    }
    for test in [at_most(), near, less] {
        for now in ["many", "1,5", "79228162514264337593543950336"] {
            check(test.clone(), &format!("before=0 now={now} ordered=1 times=1"), Some("abs9"), "fails []");
        }
        let apart = "before=0 now=-79228162514264337593543950335 ordered=79228162514264337593543950335 times=1";
        check(test, apart, Some("abs9"), "fails []");
    }
    check(at_most(), "before=0 now=10000000000000 ordered=0 times=100000000000000", Some("abs9"), "fails []");
    check(at_most(), "before=0 now=1 ordered=2", Some("abs9"), "fails []");
    // The largest limit there is, and a figure far below.
    let far = "before=0 now=-10000000000000 ordered=0 times=10000000000000";
    check(at_most(), far, Some("abs79228162514264337593543950335"), "passes");
}

#[test]
fn a_limit_is_reached_together_only_above_what_stands_alone() {
    let test = || Test::Unreached { sums: "sums".into(), limits: "limits".into() };
    for (sums, limits, outcome) in [
        ("9/10", "1,10,50", "fails 0 [together < 10]"),
        ("9/9.99", "1,10,50", "passes"),
        ("10/19", "1,10,50", "passes"),
        ("9/19,40/59", "1,10,50", "fails 9 [together < 50]"),
        ("9/9", "", "passes"),
        ("9/19", "many", "fails []"),
        ("9", "10", "fails []"),
        ("", "10", "fails []"),
    ] {
        check(test(), &format!("sums={sums} limits={limits}"), None, outcome);
    }
    check(test(), "sums=9/9", None, "fails []");
}

#[test]
fn of_several_tests_one_that_passes_is_enough() {
    let less = |value: &str| Test::Less { value: value.into(), than: "than".into() };
    let any = || Test::Any { of: vec![less("a"), less("b")] };
    check(any(), "a=2 b=2 than=2", None, "fails [a < 2 & b < 2]");
    check(any(), "a=2 b=1 than=2", None, "passes than:1");
    check(any(), "b=1 than=2", None, "passes than:1");
    check(any(), "a=2 than=2", None, "fails [a < 2]");
    check(Test::Any { of: Vec::new() }, "a=1", None, "fails []");
}

#[test]
fn a_comparison_is_read_again_as_it_was_written() {
    let page = Evidence::Page { page: 1, area: [1.0, 2.0, 3.0, 4.0], text: "10,21".into() };
    let tests = [
        at_most(),
        noted_below(),
        near(),
        Test::Less { value: "a".into(), than: "b".into() },
        Test::Same { left: "a".into(), right: "b".into() },
        Test::OneOf { value: "a".into(), among: "b".into() },
        Test::There { value: "a".into() },
        Test::Apart { pairs: vec![pair("a", "b", 7), pair("c", "d", 0)] },
        Test::Unreached { sums: "a".into(), limits: "b".into() },
        Test::Any { of: vec![Test::There { value: "e".into() }, Test::Less { value: "a".into(), than: "b".into() }] },
    ];
    for test in tests {
        let comparison = Comparison::new(Code::Price, "match.price", test)
            .from("a", "10.21", Some(Place::Document(page.clone())))
            .from("b", "10.00", Some(Place::Fact("order PO-1, line 3".into())))
            .from("c", "180", Some(Place::Policy("tolerances.toml, dates.stale_days".into())))
            .limited(limit(Some(row("%2 abs50 -%1 lenient"))));
        let text = serde_json::to_string(&comparison).unwrap();
        assert_eq!(serde_json::from_str::<Comparison>(&text).unwrap(), comparison, "{text}");
        if let Some(finding) = comparison.finding("a sentence") {
            assert_eq!(finding.evidence, std::slice::from_ref(&page));
            let again: Finding = serde_json::from_str(&serde_json::to_string(&finding).unwrap()).unwrap();
            assert_eq!(again, finding);
            assert_eq!(again.again(), Some(finding.code));
        }
    }
    let bare = Comparison::new(Code::Price, "match.price", Test::There { value: "a".into() });
    let written =
        json!({"rule": "match.price", "operands": {}, "basis": {"code": "PRICE", "test": {"there": {"value": "a"}}}});
    assert_eq!(serde_json::to_value(bare).unwrap(), written);
}

/// A figure of up to four digits before and two after the point.
fn figure() -> impl Strategy<Value = Decimal> {
    (-999_999..999_999i64).prop_map(|cents| Decimal::new(cents, 2))
}

fn any_row() -> impl Strategy<Value = Row> {
    let max = || proptest::option::of((0..200i64).prop_map(|tenths| Decimal::new(tenths, 1)));
    (max(), max(), max(), max(), any::<bool>()).prop_map(
        |(upper_percent, upper_abs, lower_percent, lower_abs, lenient)| {
            let combine = if lenient { Combine::Lenient } else { Combine::Strict };
            Row { id: "row".to_owned(), upper_percent, upper_abs, lower_percent, lower_abs, combine }
        },
    )
}

/// The row with one of the limits that [`Outcome::Fails`] names, less `hair`.
fn with_limit(mut row: Row, said: &str, hair: Decimal) -> Row {
    let (name, figure) = match said.strip_prefix("no ") {
        Some(name) => (name, None),
        None => said.split_once(" >= ").map(|(name, figure)| (name, Some(number(figure) - hair))).unwrap(),
    };
    match name {
        "upper_percent" => row.upper_percent = figure,
        "upper_abs" => row.upper_abs = figure,
        "lower_percent" => row.lower_percent = figure,
        "lower_abs" => row.lower_abs = figure,
        _ => panic!("{said}"),
    }
    row
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_would_let_it_pass_lets_it_pass_and_a_hair_less_does_not(
        now in figure(), ordered in prop_oneof![4 => figure(), 1 => Just(Decimal::ZERO)], times in figure(),
        row in proptest::option::of(any_row()), notes_below in any::<bool>(), near in any::<bool>(),
    ) {
        let test = match near {
            true => Test::Near { left: "now".into(), right: "ordered".into(), rounding: None, small: None },
            false if notes_below => noted_below(),
            false => at_most(),
        };
        let comparison = |row: Option<Row>| {
            let figures = Comparison::new(Code::Price, "match.test", test.clone());
            let figures = figures.with("before", 0).with("now", now).with("ordered", ordered).with("times", times);
            figures.limited(limit(row))
        };
        let Outcome::Fails { would_pass, .. } = comparison(row.clone()).outcome() else { return Ok(()) };
        prop_assert!(!would_pass.is_empty());
        let passes = |row: Row| !matches!(comparison(Some(row)).outcome(), Outcome::Fails { .. });
        let base = row.clone().unwrap_or_default();
        let all = |hair: Decimal, of: &str| would_pass.iter().fold(base.clone(), |row, said| {
            with_limit(row, said, if said == of { hair } else { Decimal::ZERO })
        });
        let hair = Decimal::new(1, 9);
        prop_assert!(passes(all(Decimal::ZERO, "")), "{would_pass:?}");
        for said in &would_pass {
            let alone = with_limit(base.clone(), said, Decimal::ZERO);
            match base.combine {
                // Each is needed, and no more of it.
                Combine::Strict => {
                    prop_assert_eq!(passes(alone), would_pass.len() == 1);
                    prop_assert!(said.starts_with("no ") || !passes(all(hair, said)), "{}", said);
                }
                Combine::Lenient => {
                    prop_assert!(passes(alone));
                    prop_assert!(!passes(with_limit(base.clone(), said, hair)), "{}", said);
                }
            }
        }
    }

    /// Without a limit, the figure that it names is the one to change.
    #[test]
    fn without_a_limit_the_figure_that_would_pass_passes(now in figure(), ordered in figure(), times in figure()) {
        let comparison = |ordered: &str| {
            let figures = Comparison::new(Code::Price, "match.test", at_most()).with("before", 0).with("now", now);
            figures.with("ordered", ordered).with("times", times)
        };
        let Outcome::Fails { would_pass, .. } = comparison(&ordered.to_string()).outcome() else { return Ok(()) };
        let (figure, hair) = match would_pass[0].split_once(" >= ") {
            Some((_, figure)) => (figure, -Decimal::new(1, 2)),
            None => (would_pass[0].split_once(" <= ").unwrap().1, Decimal::new(1, 2)),
        };
        prop_assert_eq!(comparison(figure).code(), None);
        prop_assert!(comparison(&(number(figure) + hair).to_string()).code().is_some());
    }
}

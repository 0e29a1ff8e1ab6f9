#![allow(clippy::unwrap_used)]
use super::super::super::tests::{day, number};
use super::*;

fn row(rate: &str, percent: Option<&str>) -> ContractRate {
    ContractRate {
        contract_id: "C-1".into(),
        vendor_id: "V1".into(),
        valid_from: day("2026-05-01"),
        valid_to: None,
        currency: None,
        item: None,
        rate: Some(number(rate)),
        index_cap_percent: percent.map(number),
        tier_from: None,
        not_to_exceed: None,
        payment_days: None,
        renewal: None,
    }
}

#[test]
fn a_rate_rises_with_each_calendar_year_and_is_rounded_once() {
    for (rate, percent, year, expected) in [
        ("120.00", Some("3"), 2025, Some("120.00")),
        ("120.00", Some("3"), 2026, Some("120.00")),
        ("120.00", Some("3"), 2027, Some("123.60")),
        ("120.00", Some("3"), 2028, Some("127.31")),
        ("120.00", None, 2028, Some("120.00")),
        ("0.0125", Some("10"), 2027, Some("0.0138")),
        ("10.00", Some("-5"), 2027, Some("9.50")),
        ("120.00", Some("3"), 2127, None),
        ("120.00", None, 2127, Some("120.00")),
    ] {
        assert_eq!(row(rate, percent).rate_in(year), expected.map(number), "{rate} {percent:?} {year}");
    }
}

#[test]
fn each_part_of_a_quantity_costs_the_rate_of_its_tier() {
    let tiers = [("0", "1.00"), ("1000", "0.90"), ("2000", "0.80")].map(|(from, rate)| (number(from), number(rate)));
    for (before, now, expected) in [
        ("950", "100", "95.00"),
        ("0", "1000", "1000"),
        ("1000", "1", "0.90"),
        ("0", "2500", "2300"),
        ("3000", "10", "8"),
    ] {
        assert_eq!(amount(&tiers, number(before), number(now)), Some(number(expected)), "{before} {now}");
    }
    assert_eq!(amount(tiers.get(1..).unwrap(), number("950"), number("100")), None);
    assert_eq!(amount(&[], number("0"), number("1")), None);
}

#[test]
fn each_row_of_a_price_list_is_looked_at_for_its_own_item_alone() {
    let item = |n: usize| format!("A-{n}");
    let rows: Vec<ContractRate> = (0..1_000)
        .flat_map(|n| ["10.00", "9.00"].map(|rate| ContractRate { item: Some(item(n)), ..row(rate, None) }))
        .collect();
    let earlier = ContractRate { item: Some(item(0)), valid_from: day("2026-04-30"), ..row("99.00", None) };
    let all: Vec<&ContractRate> = rows.iter().chain([&earlier]).collect();
    let backwards: Vec<&ContractRate> = all.iter().rev().copied().collect();
    for rates in [Rates::of(&all), Rates::of(&backwards)] {
        let tiers: Vec<&Tiers<'_>> = (0..1_000).map(|n| rates.tiers(&Some(folded(&item(n))))).collect();
        let newest: Vec<&Newest<'_>> = tiers.into_iter().flat_map(BTreeMap::values).collect();
        assert_eq!(newest.len(), 1_000);
        // The dearest of the newest day, beside the other of that day.
        assert!(newest.iter().all(|it| it.all.len() == 2 && it.row.rate == Some(number("10.00"))));
    }
}

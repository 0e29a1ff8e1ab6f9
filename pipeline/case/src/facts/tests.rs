#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn numbers_that_a_person_would_take_for_one_another_are_one_number() {
    for (left, right) in [
        ("INV-1001", "INV 1001"),
        ("INV-1001", "inv-01001"),
        ("INV-1001", "INV-IOO1"),
        ("ＩＮＶ１", "inv 1"),
        ("R0", "r00"),
        ("S5", "55"),
    ] {
        assert_eq!(normal_number(left), normal_number(right), "{left} {right}");
    }
    for (left, right) in [("INV-1001", "INV-1010"), ("10", "1"), ("A0C", "AC"), ("0", "")] {
        assert_ne!(normal_number(left), normal_number(right), "{left} {right}");
    }
}

#[test]
fn days_up_to_seven_apart_lie_in_steps_that_touch() {
    let day: Date = "2026-06-15".parse().unwrap();
    assert_eq!(Key::step_of(day), Key::step_of("2026-06-11".parse().unwrap()));
    assert_eq!(Key::step_of(day) + 1, Key::step_of("2026-06-18".parse().unwrap()));
    assert_eq!(Key::step_of("1969-12-31".parse().unwrap()), -1);
}

#[test]
fn conversions_of_one_item_are_found_by_it_and_not_among_those_of_others() {
    let keys = |item: Option<&str>| -> Vec<Key> {
        let item = item.map(str::to_owned);
        Fact::Unit(Conversion { from_unit: "ct".into(), to_unit: "C62".into(), factor: 20.into(), item }).keys()
    };
    assert_eq!(keys(Some("bolt")), [Key::unit_of("CT", "BOLT"), Key::unit_of("C62", "Bolt")]);
    assert_eq!(keys(None), [Key::unit("CT"), Key::unit("C62")]);
    assert!(keys(Some("nut")).iter().all(|key| !keys(Some("bolt")).contains(key) && !keys(None).contains(key)));
    assert!(keys(Some("nut")).iter().all(|key| key.binds() && !key.written_by_cases()));
}

#[test]
fn what_counts_into_no_split_is_not_found_as_part_of_one() {
    let claim = |line: &str| Claim { order_id: "PO-1".into(), line: line.into(), ..Claim::default() };
    let of_split = |since: Option<i64>, claims: Vec<Claim>, cost_centre: Option<&str>| -> Vec<String> {
        let since = since.map(Timestamp);
        let (vendor_id, date) = (Some("V1".into()), "1970-01-01".parse().ok());
        let bill = Bill { since, vendor_id, date, claims, cost_centre: cost_centre.map(Into::into), ..Bill::default() };
        let keys = bill.keys().into_iter().map(|key| key.text().to_owned());
        keys.filter(|key| key.starts_with("split:") || key.starts_with("unordered:")).collect()
    };
    let alone = ["split:V1||0", "unordered:V1|0"];
    // Of an order that other systems name, they say no line.
    assert_eq!(of_split(None, vec![claim("")], None), [""; 0]);
    assert_eq!(of_split(None, Vec::new(), None), alone);
    // A case claims the whole of a contract, and no order stands behind it.
    assert_eq!(of_split(Some(1), vec![claim("")], None), alone);
    assert_eq!(of_split(Some(1), vec![claim("1")], None), [""; 0]);
    assert_eq!(of_split(Some(1), vec![claim("1")], Some("K-7")), ["split:V1|k 7|0"]);
    assert_eq!(of_split(Some(1), Vec::new(), Some("K-7")), ["split:V1|k 7|0", "unordered:V1|0"]);
}

#[test]
fn a_vat_id_is_the_same_with_and_without_the_letters_of_its_country() {
    let vendor = |vat_id: &str| Vendor {
        vendor_id: "V1".into(),
        name: "Acme".into(),
        vat_id: Some(vat_id.into()),
        tax_id: None,
        country: Some("de".into()),
        iban: None,
        bic: None,
        group: None,
        valid_from: None,
    };
    for (left, right, same) in [
        ("DE123456789", "123456789", true),
        ("de 123 456 789", "DE123456789", true),
        ("DE123456789", "FR123456789", false),
        ("12345678912", "345678912", false),
        ("DE", "", false),
    ] {
        let (left, right) = (vendor(left), vendor(right));
        assert_eq!((left.may_be(&right), right.may_be(&left)), (same, same), "{left:?} {right:?}");
        let found = |one: &Vendor, other: &Vendor| {
            let (by, under) = (one.keys_of_kin(), other.keys());
            by.iter().any(|key| key.text().starts_with("vat:") && under.contains(key))
        };
        assert!(!same || (found(&left, &right) && found(&right, &left)), "{left:?} {right:?}");
    }
}

#[test]
fn whatever_the_clocks_say_a_case_stands_behind_what_it_is_judged_by() {
    let known = |facts: Vec<(Fact, i64)>| {
        let stated = facts.into_iter().map(|(fact, from)| Stated {
            fact,
            case: None,
            by: "usr_import".into(),
            known_from: Timestamp(from),
        });
        let mut known = Known::default();
        known.put(Key::order("1"), LookedUp { facts: stated.collect(), cut: false });
        known
    };
    let bill = |since: Option<i64>| Fact::Bill(Box::new(Bill { since: since.map(Timestamp), ..Bill::default() }));
    let order = || Fact::OrderLine(OrderLine::default());
    assert_eq!(known(vec![(bill(None), 9)]).first_place(), None, "when it was brought in says nothing of a bill");
    assert_eq!(known(vec![(bill(Some(3)), 9), (order(), 2)]).first_place(), Some(Timestamp(4)));
    assert_eq!(known(vec![(bill(Some(3)), 9), (order(), 7)]).first_place(), Some(Timestamp(7)));
}

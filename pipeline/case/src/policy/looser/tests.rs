#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;
use crate::policy::{Combine, Scope, Tolerance, ToleranceKind};
use crate::{Code, Digest, Kind, SHIPPED};
use jiff::civil::date;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Read once, as reading it takes longer than most of what is asked here.
fn shipped() -> Policy {
    static POLICY: std::sync::LazyLock<Policy> = std::sync::LazyLock::new(|| policy(&[]));
    POLICY.clone()
}

fn policy(changes: &[(&str, &str)]) -> Policy {
    let texts = SHIPPED.map(|text| changes.iter().fold(text.to_owned(), |text, (from, to)| text.replacen(from, to, 1)));
    Policy::parse(texts.each_ref().map(String::as_str)).unwrap()
}

/// The shipped policy with one text in the place of another: what is said of it against the shipped one, and of the shipped
/// one against it.
#[track_caller]
fn check(from: &str, to: &str, looser: &[&str], and_back: &[&str]) {
    assert!(SHIPPED.iter().any(|text| text.contains(from)), "{from}");
    let (shipped, changed) = (shipped(), policy(&[(from, to)]));
    assert_eq!(changed.looser_than(&shipped), looser, "{to}");
    assert_eq!(shipped.looser_than(&changed), and_back, "{from} after {to}");
}

#[test]
fn a_policy_is_not_looser_than_itself() {
    assert_eq!(shipped().looser_than(&shipped()), Vec::<String>::new());
}

#[test]
fn a_limit_that_is_raised_or_no_longer_written_is_looser() {
    check(
        "upper_percent = \"2\"",
        "upper_percent = \"3\"",
        &["PRICE_UNIT: `price` tolerates 3 % and 50.00 more, where `price` tolerated 2 % and 50.00 more"],
        &[],
    );
    check(
        "upper_abs = \"50.00\"",
        "",
        &["PRICE_UNIT: `price` tolerates 2 % more, where `price` tolerated 2 % and 50.00 more"],
        &[],
    );
    check(
        "combine = \"strict\"\n",
        "combine = \"lenient\"\n",
        &["PRICE_UNIT: `price` tolerates 2 % or 50.00 more, where `price` tolerated 2 % and 50.00 more"],
        &[],
    );
    check(
        "upper_abs = \"0.05\"",
        "upper_percent = \"1\"",
        &["TAX: `tax` tolerates 1 % more, where `tax` tolerated 0.05 more"],
        &["TAX: `tax` tolerates 0.05 more, where `tax` tolerated 1 % more"],
    );
    // How far below is too far: without a limit, nothing is.
    check(
        "combine = \"strict\"\n",
        "lower_percent = \"10\"\n",
        &[],
        &["PRICE_UNIT: `price` tolerates any amount less, where `price` tolerated 10 % less"],
    );
}

#[test]
fn a_row_that_holds_for_more_or_for_longer_is_looser() {
    check(
        "id = \"tax\"",
        "valid_to = \"2026-12-31\"\nid = \"tax\"",
        &[],
        &["TAX from 2027-01-01: `tax` tolerates 0.05 more, where nothing was tolerated"],
    );
    check(
        "id = \"tax\"",
        "valid_from = \"2026-03-01\"\nid = \"tax\"",
        &[],
        &["TAX: `tax` tolerates 0.05 more, where nothing was tolerated"],
    );
    check(
        "id = \"tax\"",
        "vendor = \"V1\"\nid = \"tax\"",
        &[],
        &["TAX: `tax` tolerates 0.05 more, where nothing was tolerated"],
    );
    // A closer row that is tighter was there; now the wider one applies.
    let v1 = "[[tolerance]]\nid = \"v1\"\nkind = \"PRICE_UNIT\"\nvendor = \"V1\"\nmatch = 3\nupper_percent = \"1\"\nupper_abs = \"9\"\n\n[[tolerance]]\nid = \"tax\"";
    check(
        "[[tolerance]]\nid = \"tax\"",
        v1,
        &[],
        &[
            "PRICE_UNIT for vendor V1, match 3: `price` tolerates 2 % and 50.00 more, where `v1` tolerated 1 % and 9 more",
        ],
    );
    // A row for what nothing was tolerated of before, and one that tolerates nothing.
    check(
        "[[tolerance]]\nid = \"tax\"",
        &v1.replace("PRICE_UNIT", "BLANKET_DATE"),
        &["BLANKET_DATE for vendor V1, match 3: `v1` tolerates 1 % and 9 more, where nothing was tolerated"],
        &[],
    );
    check("[[tolerance]]\nid = \"tax\"", &v1.replace("PRICE_UNIT", "BLANKET_DATE").replace("\"9\"", "\"0\""), &[], &[]);
    // Some checks are made only where a row asks for them.
    check(
        "[[tolerance]]\nid = \"tax\"",
        &v1.replace("PRICE_UNIT", "VENDOR_BUDGET").replace("\"9\"", "\"0\""),
        &[],
        &["VENDOR_BUDGET for vendor V1, match 3: no row is for it any more, where `v1` tolerated 1 % and 0 more"],
    );
}

#[test]
fn what_is_in_another_currency_is_looser() {
    let said =
        |now: &str, then: &str| format!("its money is {now}, where it was {then}: no amount in it is what it was");
    check("currency = \"EUR\"", "currency = \"JPY\"", &[&said("JPY", "EUR")], &[&said("EUR", "JPY")]);
}

#[test]
fn dates_and_windows_are_looser_where_less_is_caught() {
    let looser = |name: &str, then: &str, now: &str| {
        let key = name.rsplit('.').next().unwrap();
        let section = format!("[{}]", name.split('.').next().unwrap());
        let text = SHIPPED[1].split_once(&section).unwrap().1.split("\n[").next().unwrap();
        let changed = text.replacen(&format!("{key} = {then}"), &format!("{key} = {now}"), 1);
        assert_ne!(text, changed);
        let whole = (format!("{section}{text}"), format!("{section}{changed}"));
        let (now, then) = (now.trim_matches('"'), then.trim_matches('"'));
        check(&whole.0, &whole.1, &[&format!("`{name}` is {now}, where it was {then}")], &[]);
    };
    looser("dates.future_days", "0", "1");
    looser("dates.stale_days", "180", "181");
    looser("duplicates.days", "7", "6");
    looser("splits.days", "14", "13");
    looser("near_limits.from_percent", "\"95\"", "\"96\"");
    looser("near_limits.share_percent", "\"30\"", "\"31\"");
    looser("near_limits.invoices_min", "10", "11");
    looser("taxes.rate_percent_max", "\"27\"", "\"28\"");
    looser("taxes.stamp_duty_max", "\"2.00\"", "\"2.01\"");
    looser("notes.new_vendor_days", "90", "89");
    let months = |now: &str, then: &str| format!("`near_limits.months` is {now}, where it was {then}");
    check("months = 12", "months = 6", &[&months("6", "12")], &[&months("12", "6")]);
    check(
        "stale_days = 180",
        "stale_days = 180\nclosed_until = \"2025-12-31\"",
        &[],
        &["`dates.closed_until` is not written, where it was 2025-12-31"],
    );
    // Notes hold nothing.
    check("round_sum = \"1000\"", "round_sum = \"7\"", &[], &[]);
    let closed = |day: &str| policy(&[("stale_days = 180", &format!("stale_days = 180\nclosed_until = \"{day}\""))]);
    let said = closed("2025-11-30").looser_than(&closed("2025-12-31"));
    assert_eq!(said, ["`dates.closed_until` is 2025-11-30, where it was 2025-12-31"]);
    assert!(closed("2026-01-31").looser_than(&closed("2025-12-31")).is_empty());
}

#[test]
fn what_asks_fewer_people_or_lesser_ones_is_looser() {
    let band = "net_from = \"10000.00\"\nnet_below = \"50000.00\"\nroute = \"reviewer\"\n";
    check(
        &format!("{band}level = 2"),
        band,
        &[
            "checkpoint `amount-level-2`: invoice, credit_note, net 10000.00 and above: no longer asks for 1 in the role `reviewer` of level 2",
        ],
        &[],
    );
    check(
        "needs = 2\nwithin_hours = 24",
        "within_hours = 24",
        &[
            "checkpoint `payee`: any document with IBAN, DUPLICATE_D2, DUPLICATE_D3, DUPLICATE_D4, DUPLICATE_D5 and 14 more: no longer asks for 2 in the role `reviewer` of level 1",
        ],
        &[],
    );
    // Legal and reviewers do not stand in for each other.
    check(
        "kinds = [\"contract\"]\nroute = \"legal\"",
        "kinds = [\"contract\"]\nroute = \"reviewer\"",
        &["checkpoint `legal-review`: contract: no longer asks for 1 in the role `legal` of level 1"],
        &["checkpoint `legal-review`: contract: no longer asks for 1 in the role `reviewer` of level 1"],
    );
    // Later is overdue later, and still held.
    check("within_hours = 24", "within_hours = 240", &[], &[]);
}

#[test]
fn a_checkpoint_that_opens_less_often_is_looser_and_one_that_is_named_or_cut_otherwise_is_not() {
    check(
        "net_from = \"1000.00\"",
        "net_from = \"2000.00\"",
        &[
            "checkpoint `amount-level-1`: invoice, credit_note, net 1000.00 and above: no longer asks for 1 in the role `reviewer` of level 1",
        ],
        &[],
    );
    check(
        "net_below = \"50000.00\"",
        "net_below = \"40000.00\"",
        &[
            "checkpoint `amount-level-2`: invoice, credit_note, net 40000.00 and above: no longer asks for 1 in the role `reviewer` of level 2",
        ],
        &[],
    );
    check(
        "kinds = [\"invoice\", \"credit_note\"]\nnet_from = \"50000.00\"",
        "kinds = [\"invoice\"]\nnet_from = \"50000.00\"",
        &[
            "checkpoint `amount-two-people`: credit_note, net unknown, 50000.00 and above: no longer asks for 2 in the role `reviewer` of level 2",
        ],
        &[],
    );
    // The finding is caught with the rest, by one where two were asked for.
    check(
        "\"BANK_NEW\", ",
        "",
        &["checkpoint `payee`: any document with BANK_NEW: no longer asks for 2 in the role `reviewer` of level 1"],
        &[],
    );
    // It is caught with the rest, by as many as before.
    check("\"PRICE\", ", "", &[], &[]);
    check("id = \"payee\"", "id = \"accounts\"", &[], &[]);
    let row = "[[checkpoint]]\nid = \"amount-level-1\"";
    let band = |id: &str, from: &str, below: &str| {
        format!(
            "[[checkpoint]]\nid = \"{id}\"\ntitle = \"t\"\nkinds = [\"invoice\", \"credit_note\"]\nnet_from = \"{from}\"\nnet_below = \"{below}\"\nroute = \"reviewer\"\nwithin_hours = 1\n\n"
        )
    };
    let whole = SHIPPED[0].split_once(row).unwrap().1.split("[[checkpoint]]").next().unwrap();
    let whole = format!("{row}{whole}");
    let cut = band("a", "1000", "4000") + &band("b", "4000", "10000");
    check(&whole, &cut, &[], &[]);
    let gap = band("a", "1000", "4000") + &band("b", "4001", "10000");
    let said = "checkpoint `amount-level-1`: invoice, credit_note, net 4000 and above: no longer asks for 1 in the role `reviewer` of level 1";
    check(&whole, &gap, &[said], &[]);
    let removed = "checkpoint `amount-level-1`: invoice, credit_note, net 1000.00 and above: no longer asks for 1 in the role `reviewer` of level 1";
    check(&whole, "", &[removed], &[]);
}

#[test]
fn clauses_and_doubts_that_are_let_pass_are_looser() {
    check(
        "[\"liability\", \"governing_law\"]",
        "[\"liability\"]",
        &["the clause `governing_law` is required of a contract no more"],
        &[],
    );
    check("error_rate_max = 0.1", "error_rate_max = 0.2", &["`reading.error_rate_max` is 0.2, where it was 0.1"], &[]);
}

#[test]
fn checking_fewer_of_what_no_person_approved_is_looser() {
    let said = "`straight_through.sample_percent` is 4, where it was 5";
    check("sample_percent = 5", "sample_percent = 4", &[said], &[]);
}

#[test]
fn thousands_of_rows_are_compared() {
    let row = |n: usize, max: i64| Tolerance { upper_abs: Some(max.into()), vendor: Some(format!("V{n}")), ..bare(n) };
    let before: Vec<Tolerance> =
        (0..1_000).map(|n| row(n, 5)).chain([Tolerance { upper_abs: Some(1.into()), ..bare(9_999) }]).collect();
    let mut now = before.clone();
    now[77].upper_abs = Some(6.into());
    let (mut policy, mut earlier) = (shipped(), shipped());
    (policy.tolerances, earlier.tolerances) = (now, before);
    let said = policy.looser_than(&earlier);
    assert_eq!(said, ["PRICE_UNIT for vendor V77: `row-77` tolerates 6 more, where `row-77` tolerated 5 more"]);
}

fn bare(n: usize) -> Tolerance {
    Tolerance {
        id: format!("row-{n}"),
        kind: ToleranceKind::PriceUnit,
        entity: None,
        vendor: None,
        group: None,
        commodity: None,
        level: None,
        upper_percent: None,
        upper_abs: None,
        lower_percent: None,
        lower_abs: None,
        combine: Combine::Strict,
        valid_from: None,
        valid_to: None,
    }
}

fn any_row() -> impl Strategy<Value = Tolerance> {
    let max = || prop_oneof![Just(None), (0..3i64).prop_map(|max| Some(Decimal::from(max)))];
    let text = |of: &'static [&'static str]| prop_oneof![3 => Just(None), 2 => proptest::sample::select(of).prop_map(|it| Some(it.to_owned()))];
    let day = |of: [i8; 2]| prop_oneof![3 => Just(None), 2 => proptest::sample::select(of.to_vec()).prop_map(|it| Some(date(2026, 1, it)))];
    let whom = (text(&["V1", "v1", "V2"]), text(&["G"]), prop_oneof![3 => Just(None), 1 => (2..4u8).prop_map(Some)]);
    let kind = prop_oneof![4 => Just(ToleranceKind::PriceUnit), 1 => Just(ToleranceKind::Tax)];
    (kind, whom, (max(), max(), max(), max()), any::<bool>(), day([2, 3]), day([3, 4])).prop_map(
        |(
            kind,
            (vendor, group, level),
            (upper_percent, upper_abs, lower_percent, lower_abs),
            lenient,
            valid_from,
            valid_to,
        )| {
            let combine = if lenient { Combine::Lenient } else { Combine::Strict };
            let limits = Tolerance { upper_percent, upper_abs, lower_percent, lower_abs, combine, ..bare(0) };
            Tolerance { kind, vendor, group, level, valid_from, valid_to, ..limits }
        },
    )
}

/// Rows, and rows that differ from them here and there.
fn two_policies() -> impl Strategy<Value = (Vec<Tolerance>, Vec<Tolerance>)> {
    let changed = (0..6u8, any_row());
    (proptest::collection::vec((any_row(), changed), 0..4), proptest::option::weighted(0.2, any_row())).prop_map(
        |(rows, new)| {
            let before: Vec<Tolerance> = rows.iter().map(|(row, _)| row.clone()).collect();
            let change = |(row, (how, other)): &(Tolerance, (u8, Tolerance))| match how {
                0 => None,
                1 => Some(Tolerance { upper_abs: other.upper_abs, upper_percent: other.upper_percent, ..row.clone() }),
                2 => Some(Tolerance { valid_from: other.valid_from, valid_to: other.valid_to, ..row.clone() }),
                3 => Some(Tolerance { vendor: other.vendor.clone(), combine: other.combine, ..row.clone() }),
                4 => Some(Tolerance { lower_abs: other.lower_abs, level: other.level, ..row.clone() }),
                _ => Some(row.clone()),
            };
            let now = rows.iter().filter_map(change).chain(new).collect();
            let named = |rows: Vec<Tolerance>| -> Vec<Tolerance> {
                rows.into_iter().enumerate().map(|(n, row)| Tolerance { id: format!("row-{n}"), ..row }).collect()
            };
            (named(now), named(before))
        },
    )
}

/// A place and an excess, upwards or downwards, that is let pass by `now` and was not by `before`.
fn let_through(now: &Policy, before: &Policy) -> Option<String> {
    let names = |all: &[&str]| all.iter().map(|it| Some((*it).to_owned())).chain([None]).collect::<Vec<_>>();
    let halves = || (0..6i64).map(|n| Decimal::new(n * 5, 1));
    for kind in [ToleranceKind::PriceUnit, ToleranceKind::Tax] {
        for (vendor, group) in
            names(&["V1", "v2", "V3"]).iter().flat_map(|it| [(it.clone(), None), (it.clone(), Some("g".to_owned()))])
        {
            for (level, day) in
                [None, Some(2), Some(3), Some(4)].into_iter().flat_map(|it| (1..6).map(move |day| (it, day)))
            {
                let scope = Scope {
                    vendor: vendor.clone(),
                    group: group.clone(),
                    level,
                    on: date(2026, 1, day),
                    ..Scope::default()
                };
                let (row, earlier) = (now.limit(kind, &scope).row, before.limit(kind, &scope).row);
                for amount in halves().skip(1) {
                    for percent in halves().map(Some).chain([None]) {
                        let over = |row: &Option<crate::policy::Row>| {
                            row.as_ref().is_some_and(|it| it.allows(amount, percent))
                        };
                        let under = |row: &Option<crate::policy::Row>| {
                            row.as_ref().is_none_or(|it| it.allows_below(amount, percent))
                        };
                        if (over(&row) && !over(&earlier)) || (under(&row) && !under(&earlier)) {
                            return Some(format!("{amount} {percent:?} in {scope:?}"));
                        }
                    }
                }
            }
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_looser_where_they_let_something_pass_that_was_refused_and_nowhere_else((now, before) in two_policies()) {
        let (mut policy, mut earlier) = (shipped(), shipped());
        (policy.tolerances, earlier.tolerances) = (now, before);
        let (said, found) = (policy.looser_than(&earlier), let_through(&policy, &earlier));
        prop_assert_eq!(said.is_empty(), found.is_none(), "{:?} {:?}", said, found);
    }

    /// What a policy that is not looser sends on, the one before it sent on too.
    #[test]
    fn no_document_meets_fewer_people_where_nothing_is_said(
        net in proptest::option::of(0..60_000i64), codes in proptest::collection::btree_set(proptest::sample::select(Code::ALL), 0..4),
        kind in proptest::sample::select(&Kind::ALL[..]), rule in 0..9usize, how in 0..5u8, codes_from in 0..9usize,
    ) {
        let (mut now, before) = (shipped(), shipped());
        let other = now.checkpoints[codes_from].clone();
        let changed = &mut now.checkpoints[rule];
        match how {
            0 => changed.needs = 1,
            1 => changed.level = 2,
            2 => changed.kinds = other.kinds,
            3 => (changed.net_from, changed.net_below) = (other.net_from, other.net_below),
            _ => changed.route = other.route,
        }
        let weighty: BTreeSet<Code> = codes.into_iter().filter(|code| crate::Severity::Review <= code.severity()).collect();
        let net = net.map(Decimal::from);
        let rest = now.checkpoints.iter().any(|it| it.codes == Some(super::super::Codes::Rest) && it.kinds.is_none() && it.net_from.is_none());
        prop_assume!(rest);
        if now.looser_than(&before).is_empty() {
            let opened = now.opened(kind, net, &weighty);
            for (rule, _) in before.opened(kind, net, &weighty) {
                let as_much = opened.iter().any(|(it, _)| it.route == rule.route && rule.level <= it.level && rule.needs <= it.needs);
                prop_assert!(as_much, "{}", rule.id);
            }
        }
    }
}

#[test]
fn the_digest_says_nothing_of_what_is_looser() {
    let mut other = shipped();
    other.digest = Digest::of(b"another");
    assert!(other.looser_than(&shipped()).is_empty());
}

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;
use crate::SHIPPED;
use jiff::civil::date;
use std::str::FromStr;

const CHECKPOINTS: &str = SHIPPED[0];
const TOLERANCES: &str = SHIPPED[1];
const RETENTION: &str = SHIPPED[2];
const NOW: Timestamp = Timestamp(1_781_500_000_000_000);

fn shipped() -> Policy {
    Policy::parse(SHIPPED).unwrap()
}

fn number(text: &str) -> Decimal {
    Decimal::from_str(text).unwrap()
}

/// Puts `mistake` in the place of `right` in the shipped file; the refusal must stand where `mistake` (or what of it is
/// wrong) begins, and say what was expected.
#[track_caller]
fn check(file: usize, right: &str, mistake: &str, wrong: &str, expected: &str) {
    let mut texts = SHIPPED.map(str::to_owned);
    let start = place_of(right, &texts[file]);
    texts[file].replace_range(start..start + right.len(), mistake);
    let at = start + texts[file][start..].find(wrong).unwrap();
    let before = &texts[file][..at];
    let place = (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap().chars().count() + 1);
    let refused = Policy::parse(texts.each_ref().map(String::as_str)).unwrap_err();
    assert!(refused.message.contains(expected), "{refused}");
    assert_eq!(
        (refused.file.as_str(), refused.line, refused.column),
        (POLICY_FILES[file], place.0, place.1),
        "{refused}"
    );
    let (line, column) = place;
    assert!(refused.to_string().starts_with(&format!("{}:{line}:{column}: ", POLICY_FILES[file])), "{refused}");
}

/// Where `right` first stands outside a comment.
#[track_caller]
fn place_of(right: &str, text: &str) -> usize {
    let outside = |at: &usize| !text[..*at].rsplit('\n').next().unwrap().contains('#');
    text.match_indices(right).map(|(at, _)| at).find(outside).expect(right)
}

#[test]
fn the_shipped_policies_are_in_force_as_they_stand() {
    let policy = shipped();
    assert_eq!(policy.currency, "EUR");
    assert_eq!((policy.dates.future_days, policy.dates.stale_days), (0, 180));
    assert_eq!(policy.digest, shipped().digest);
    let changed = TOLERANCES.replace("180", "181");
    assert_ne!(Policy::parse([CHECKPOINTS, &changed, RETENTION]).unwrap().digest, policy.digest);
}

#[test]
fn a_mistake_in_a_checkpoint_is_refused_at_its_place() {
    check(0, "route = \"legal\"", "rout = \"legal\"", "rout", "unknown field `rout`, expected one of `id`, `title`");
    check(0, "[\n    \"PRICE\"", "[\n    \"PRIZE\"", "[", "unknown finding code `PRIZE`, expected one of COVERAGE");
    check(0, "codes = \"rest\"", "codes = \"others\"", "\"others\"", "expected a list of finding codes, or \"rest\"");
    check(0, "needs = 2", "needs = 0", "0", "`needs` is 0; expected 1 to 5");
    check(0, "level = 2", "level = 3", "3", "`level` is 3; expected 1 to 2");
    check(0, "within_hours = 72", "within_hours = 0", "0", "`within_hours` is 0; expected 1 to 8760");
    check(0, "within_hours = 72", "within_hours = 4294967295", "4294967295", "expected 1 to 8760");
    check(
        0,
        "route = \"legal\"",
        "route = \"admin\"",
        "\"admin\"",
        "the role `admin` approves nothing; expected `reviewer` or `legal`",
    );
    check(0, "route = \"legal\"", "route = \"boss\"", "\"boss\"", "unknown variant `boss`, expected one of `operator`");
    check(0, "net_from = \"1000.00\"", "net_from = 1000.0", "1000.0", "expected a number in quotes");
    check(
        0,
        "net_from = \"1000.00\"",
        "net_from = \"1,000.00\"",
        "\"1,000.00\"",
        "`1,000.00` is not a number; expected digits with a point",
    );
    check(
        0,
        "net_from = \"1000.00\"",
        "net_from = \"-1\"",
        "\"-1\"",
        "`-1` is negative; expected a limit of 0 or more",
    );
    check(
        0,
        "kinds = [\"contract\"]",
        "kinds = [\"contracts\"]",
        "\"contracts\"",
        "unknown variant `contracts`, expected one of `invoice`",
    );
    check(0, "error_rate_max = 0.1", "error_rate_max = 60", "60", "60 is not a probability; expected 0.0 to 1.0");
    for wrong in ["101", "-1", "256"] {
        let expected = format!("`sample_percent` is {wrong}; expected 0 to 100");
        check(0, "sample_percent = 5", &format!("sample_percent = {wrong}"), wrong, &expected);
    }
}

/// INVARIANT (fail closed): the rest is caught, wholly and once.
#[test]
fn a_policy_that_could_leave_a_finding_without_a_person_is_refused() {
    let refused = |right: &str, wrong: &str, expected: &str| {
        let (start, mut text) = (place_of(right, CHECKPOINTS), CHECKPOINTS.to_owned());
        text.replace_range(start..start + right.len(), wrong);
        let refused = Policy::parse([&text, TOLERANCES, RETENTION]).unwrap_err();
        assert!(refused.message.contains(expected), "{refused}");
        refused
    };
    refused(
        "codes = \"rest\"",
        "codes = [\"STALE\"]",
        "expected exactly one checkpoint with codes = \"rest\", so that no finding is left without a person; found 0",
    );
    refused("kinds = [\"contract\"]", "codes = \"rest\"", "found 2");
    let narrowed = "codes = \"rest\"\nnet_from = \"5\"";
    let refusal = refused("codes = \"rest\"", narrowed, "catches the rest: expected no kinds, net_from or net_below");
    let line = 1 + CHECKPOINTS.lines().position(|line| line == "id = \"other-findings\"").unwrap();
    assert_eq!((refusal.line, refusal.column), (line, 6), "the place of its id");
    refused("kinds = [\"contract\"]", "kinds = []", "can never open");
    refused("codes = [\"ABSENT\", \"LIABILITY_ONE_SIDED\", \"TRACKED_CHANGES\"]", "codes = []", "can never open");
    refused("net_below = \"10000.00\"", "net_below = \"1000.00\"", "net_from below net_below");
}

#[test]
fn a_mistake_in_a_tolerance_is_refused_at_its_place() {
    check(
        1,
        "upper_percent = \"2\"",
        "upper_percent = 2",
        "2",
        "expected a number in quotes, such as \"2.5\": money is never a float",
    );
    check(1, "upper_percent = \"2\"", "upper_percent = 2.5", "2.5", "money is never a float");
    check(
        1,
        "currency = \"EUR\"",
        "currency = \"euro\"",
        "\"euro\"",
        "`euro` is not a currency of ISO 4217; expected \"EUR\"",
    );
    check(1, "kind = \"TAX\"", "kind = \"VAT\"", "\"VAT\"", "unknown variant `VAT`, expected one of `PRICE_UNIT`");
    check(1, "combine = \"strict\"", "combine = \"loose\"", "\"loose\"", "expected `strict` or `lenient`");
    check(1, "id = \"tax\"", "id = \"price\"", "\"price\"", "tolerance `price` stands here twice");
    check(1, "stale_days = 180", "stale_days = -1", "-1", "invalid value: integer `-1`, expected u16");
    check(
        1,
        "id = \"tax\"",
        "valid_from = \"31.01.2026\"\nid = \"tax\"",
        "\"31.01.2026\"",
        "`31.01.2026` is not a date; expected \"2026-01-31\"",
    );
    check(
        1,
        "id = \"tax\"",
        "valid_from = \"2026-02-01\"\nvalid_to = \"2026-01-31\"\nid = \"tax\"",
        "\"tax\"",
        "ends before it begins",
    );
    check(1, "id = \"price\"", "id = = \"price\"", "= \"price", "");
}

#[test]
fn a_name_that_stands_twice_is_refused_at_the_second_place() {
    let texts = CHECKPOINTS.replace("id = \"amount-two-people\"", "id = \"payee\"");
    let refused = Policy::parse([&texts, TOLERANCES, RETENTION]).unwrap_err();
    assert_eq!(refused.message, "checkpoint `payee` stands here twice");
    assert!(texts.lines().nth(refused.line - 1).unwrap().starts_with("id = \"payee\""));
    assert!(texts.lines().skip(refused.line).all(|line| !line.contains("payee")));
}

#[test]
fn a_policy_file_that_is_too_large_is_refused() {
    let long = format!("{TOLERANCES}#{}", " ".repeat(1 << 20));
    assert!(
        Policy::parse([CHECKPOINTS, &long, RETENTION])
            .unwrap_err()
            .message
            .contains("bytes, more than the 1048576 allowed")
    );
    let rows = "[[tolerance]]\n".repeat(10_001);
    assert!(Policy::parse([CHECKPOINTS, &rows, RETENTION]).unwrap_err().message.contains("more than the 10000 rows"));
}

#[track_caller]
fn allows(limits: &str, amount: &str, percent: Option<&str>) -> bool {
    let row: Tolerance = toml::from_str(&format!("id = \"row\"\nkind = \"PRICE_UNIT\"\n{limits}")).unwrap();
    row.row().allows(number(amount), percent.map(number))
}

#[test]
fn a_value_equal_to_a_limit_is_within_it() {
    assert!(allows("upper_abs = \"50.00\"", "50", None));
    assert!(!allows("upper_abs = \"50.00\"", "50.01", None));
    assert!(allows("upper_percent = \"2\"", "1000000", Some("2.0000")));
    assert!(!allows("upper_percent = \"2\"", "0.01", Some("2.0001")));
    assert!(allows("upper_abs = \"0\"", "0", None));
    assert!(!allows("upper_abs = \"0\"", "0.0001", None));
}

#[test]
fn strict_is_within_every_limit_and_lenient_within_any() {
    let strict = "upper_percent = \"2\"\nupper_abs = \"50\"\ncombine = \"strict\"";
    let lenient = "upper_percent = \"2\"\nupper_abs = \"50\"\ncombine = \"lenient\"";
    for (amount, percent, by_strict, by_lenient) in
        [("50", "2", true, true), ("51", "2", false, true), ("50", "3", false, true), ("51", "3", false, false)]
    {
        assert_eq!(allows(strict, amount, Some(percent)), by_strict, "{amount} {percent}");
        assert_eq!(allows(lenient, amount, Some(percent)), by_lenient, "{amount} {percent}");
    }
    // What nothing was expected of has no percentage: any is too much.
    assert!(!allows(strict, "1", None));
    assert!(allows(lenient, "1", None));
}

#[test]
fn a_limit_that_is_not_written_is_not_applied() {
    assert!(allows("upper_percent = \"2\"", "1000000", Some("1")));
    assert!(allows("upper_abs = \"5\"", "5", Some("900")));
    assert!(allows("", "1000000", None));
}

/// The shipped policy with these rows of one kind, each `id and whom it is for`, in TOML.
fn with_rows(rows: &[(&str, &str)]) -> Policy {
    let row = |(id, rest): &(&str, &str)| {
        format!("\n[[tolerance]]\nid = \"{id}\"\nkind = \"PRICE_TOTAL\"\nupper_abs = \"9\"\n{rest}\n")
    };
    let text = TOLERANCES.to_owned() + &rows.iter().map(row).collect::<String>();
    Policy::parse([CHECKPOINTS, &text, RETENTION]).unwrap()
}

fn row_of(policy: &Policy, scope: Scope) -> Option<String> {
    policy.limit(ToleranceKind::PriceTotal, &scope).row.map(|row| row.id)
}

#[test]
fn a_row_holds_from_its_first_day_up_to_its_last_and_with_both() {
    let march = "valid_from = \"2026-03-01\"\nvalid_to = \"2026-03-31\"";
    let vendors = format!("vendor = \"V1\"\n{march}");
    let policy = with_rows(&[("all", "valid_to = \"2026-12-31\""), ("v1", &vendors)]);
    let id =
        |vendor: Option<&str>, on| row_of(&policy, Scope { vendor: vendor.map(Into::into), on, ..Scope::default() });
    for (vendor, on, expected) in [
        (Some("V1"), date(2026, 2, 28), Some("all")),
        (Some("V1"), date(2026, 3, 1), Some("v1")),
        (Some("V1"), date(2026, 3, 31), Some("v1")),
        (Some("V1"), date(2026, 4, 1), Some("all")),
        (Some("V2"), date(2026, 3, 15), Some("all")),
        (None, date(2026, 3, 15), Some("all")),
        (Some("V1"), date(2026, 12, 31), Some("all")),
        (Some("V1"), date(2027, 1, 1), None),
    ] {
        assert_eq!(id(vendor, on).as_deref(), expected, "{vendor:?} {on}");
    }
}

/// A vendor before its group, a group before what is bought, that before how it is matched, and that before who is billed.
#[test]
fn the_row_that_says_most_closely_whom_it_is_for_holds() {
    let words = ["vendor = \"V1\"", "group = \"G\"", "commodity = \"C\"", "match = 3", "entity = \"DE1\""];
    let scope = Scope {
        entity: Some("DE1".into()),
        vendor: Some("V1".into()),
        group: Some("G".into()),
        commodity: Some("C".into()),
        level: Some(3),
        on: date(2026, 6, 15),
    };
    // Every set of words, in the stated order: what stands further left beats all that stands to its right.
    let sets: Vec<(String, String)> = (0..32u32)
        .map(|set| {
            let said = (0..5).filter(|at| set & (16 >> at) != 0).map(|at| words[at as usize]).collect::<Vec<_>>();
            (format!("row-{set}"), said.join("\n"))
        })
        .collect();
    for last in 0..sets.len() {
        for order in [false, true] {
            let mut rows: Vec<(&str, &str)> =
                sets[..=last].iter().map(|(id, said)| (id.as_str(), said.as_str())).collect();
            if order {
                rows.reverse();
            }
            assert_eq!(row_of(&with_rows(&rows), scope.clone()), Some(format!("row-{last}")));
        }
    }
    // Nobody else is meant by a row for somebody.
    let all: Vec<(&str, &str)> = sets[1..].iter().map(|(id, said)| (id.as_str(), said.as_str())).collect();
    let other = |text: &str| Some(text.to_owned());
    let others = Scope {
        entity: other("DE2"),
        vendor: other("V2"),
        group: None,
        commodity: other("D"),
        level: Some(2),
        ..scope
    };
    assert_eq!(row_of(&with_rows(&all), others), None);
}

#[test]
fn of_rows_for_the_same_the_first_holds() {
    let policy = with_rows(&[("first", "vendor = \"V1\""), ("second", "vendor = \"V1\"")]);
    let scope = Scope { vendor: Some("V1".into()), on: date(2026, 6, 15), ..Scope::default() };
    assert_eq!(row_of(&policy, scope).as_deref(), Some("first"));
}

#[test]
fn an_id_is_the_same_in_capitals_and_in_small_letters() {
    let whom = "vendor = \"v1\"\ngroup = \"Steel\"\ncommodity = \"bolts\"\nentity = \"de1\"";
    let policy = with_rows(&[("row", whom)]);
    let scope = |vendor: &str| Scope {
        entity: Some("DE1".into()),
        vendor: Some(vendor.into()),
        group: Some("STEEL".into()),
        commodity: Some("Bolts".into()),
        level: None,
        on: date(2026, 6, 15),
    };
    assert_eq!(row_of(&policy, scope("V1")).as_deref(), Some("row"));
    assert_eq!(row_of(&policy, scope("V10")), None);
}

#[test]
fn a_limit_remembers_what_it_was_asked_by_and_of_which_policy() {
    let scope = Scope { vendor: Some("V1".into()), on: date(2026, 6, 15), ..Scope::default() };
    let limit = shipped().limit(ToleranceKind::PriceUnit, &scope);
    assert_eq!((limit.kind, &limit.scope, limit.policy), (ToleranceKind::PriceUnit, &scope, shipped().digest));
    let row = limit.row.unwrap();
    assert_eq!((row.id.as_str(), row.upper_percent, row.combine), ("price", Some(2.into()), Combine::Strict));
    assert_eq!(shipped().limit(ToleranceKind::VendorBudget, &scope).row, None, "nothing is tolerated where no row is");
}

#[test]
fn a_limit_of_time_or_share_outside_its_range_is_refused_at_its_place() {
    check(1, "stale_days = 180", "stale_days = 65536", "65536", "expected u16");
    check(1, "days = 7", "days = 32", "32", "`days` is 32; expected 0 to 31");
    check(1, "days = 14", "days = 63", "63", "`days` is 63; expected 0 to 62");
    check(1, "days = 14", "days = -1", "-1", "`days` is -1; expected 0 to 62");
    check(1, "months = 12", "months = 25", "25", "`months` is 25; expected 1 to 24");
    check(1, "months = 12", "months = 0", "0", "`months` is 0; expected 1 to 24");
    check(1, "from_percent = \"95\"", "from_percent = \"101\"", "\"101\"", "a percentage here is 0 to 100, in quotes");
    check(1, "share_percent = \"30\"", "share_percent = 30", "30", "money is never a float");
    check(1, "invoices_min = 10", "invoices_min = -1", "-1", "expected u16");
    check(1, "round_sum = \"1000\"", "round_sum = \"0\"", "\"0\"", "0 is no amount here; expected more");
    check(1, "price_creep_percent = \"5\"", "price_creep = \"5\"", "price_creep", "unknown field `price_creep`");
    check(1, "stale_days = 180", "stale_days = 180\nclosed_until = \"31.12.2025\"", "\"31.12.2025\"", "is not a date");
}

/// A policy that was written before these sections were.
#[test]
fn a_section_that_is_missing_is_named_with_what_to_write() {
    let written = "[straight_through]\nsample_percent = 5\n";
    let refused = Policy::parse([&CHECKPOINTS.replace(written, ""), TOLERANCES, RETENTION]).unwrap_err();
    let expected = "a section is missing; write, as shipped: [straight_through]; sample_percent = 5";
    assert_eq!((refused.file.as_str(), refused.message.as_str()), ("checkpoints.toml", expected));
    for section in ["[duplicates]", "[splits]", "[near_limits]", "[notes]", "[taxes]"] {
        let start = TOLERANCES.find(section).unwrap();
        let end = start + TOLERANCES[start..].find("\n\n").unwrap();
        let text = [&TOLERANCES[..start], &TOLERANCES[end..]].concat();
        let refused = Policy::parse([CHECKPOINTS, &text, RETENTION]).unwrap_err();
        let written = TOLERANCES[start..end].lines().collect::<Vec<_>>().join("; ");
        let expected = format!("a section is missing; write, as shipped: {written}");
        assert_eq!((refused.file.as_str(), refused.message), ("tolerances.toml", expected));
    }
    // All of them at once, as a policy of an earlier release has it.
    let (start, end) = (TOLERANCES.find("[duplicates]").unwrap(), TOLERANCES.find("[[tolerance]]").unwrap());
    let text = [&TOLERANCES[..start], &TOLERANCES[end..]].concat();
    let refused = Policy::parse([CHECKPOINTS, &text, RETENTION]).unwrap_err();
    for line in ["[duplicates]; days = 7", "[splits]; days = 14", "months = 12", "price_creep_percent = \"5\""] {
        assert!(refused.message.contains(line), "{refused}");
    }
    let mended =
        [&TOLERANCES[..start], &missing_sections(&text, &SECTIONS).unwrap().replace("; ", "\n"), &TOLERANCES[end..]];
    assert!(Policy::parse([CHECKPOINTS, &mended.join("\n"), RETENTION]).is_ok(), "what it says to write is enough");
}

#[test]
fn every_figure_of_the_policy_that_a_comparison_may_name_is_found_at_its_place() {
    for (place, expected) in [
        ("tolerances.toml, currency", "EUR"),
        ("tolerances.toml, dates.future_days", "0"),
        ("tolerances.toml, dates.stale_days", "180"),
        ("tolerances.toml, dates.closed_until", "-009999-01-01"),
        ("tolerances.toml, duplicates.days", "7"),
        ("tolerances.toml, splits.days", "14"),
        ("tolerances.toml, near_limits.from_percent", "95"),
        ("tolerances.toml, near_limits.share_percent", "30"),
        ("tolerances.toml, near_limits.invoices_min", "10"),
        ("tolerances.toml, near_limits.months", "12"),
        ("tolerances.toml, notes.new_vendor_days", "90"),
        ("tolerances.toml, notes.round_sum", "1000"),
        ("tolerances.toml, notes.price_creep_percent", "5"),
        ("tolerances.toml, taxes.rate_percent_max", "27"),
        ("tolerances.toml, taxes.stamp_duty_max", "2.00"),
        ("checkpoints.toml, reading.error_rate_max", "0.1"),
        ("checkpoints.toml, straight_through.sample_percent", "5"),
        ("checkpoints.toml, net_from", "1000,10000,50000"),
        ("tolerances.toml, near_limits.from_percent of net_from above 990", "950"),
        ("tolerances.toml, near_limits.from_percent of net_from above 1000", "9500"),
        ("tolerances.toml, near_limits.from_percent of net_from above 50000", "79228162514264337593543950335"),
    ] {
        assert_eq!(shipped().figure(place).as_deref(), Some(expected), "{place}");
    }
    assert_eq!(shipped().figure("tolerances.toml, stale"), None);
}

#[track_caller]
fn routed(kind: Kind, net: Option<&str>, codes: &[Code], expected: &[&str]) {
    let findings: Vec<Finding> = codes.iter().map(|code| Finding::new(*code, "test", "a finding")).collect();
    let opened = shipped().route(kind, net.map(number), &findings, NOW);
    assert_eq!(opened.iter().map(|checkpoint| checkpoint.id.as_str()).collect::<Vec<_>>(), expected);
}

#[test]
fn the_net_amount_decides_how_many_must_approve() {
    for kind in [Kind::Invoice, Kind::CreditNote] {
        for (net, expected) in [
            ("0", &[][..]),
            ("999.99", &[]),
            ("1000.00", &["amount-level-1"]),
            ("-1000.00", &["amount-level-1"]),
            ("9999.99", &["amount-level-1"]),
            ("10000", &["amount-level-2"]),
            ("49999.99", &["amount-level-2"]),
            ("50000", &["amount-two-people"]),
            ("10000000000000", &["amount-two-people"]),
        ] {
            routed(kind, Some(net), &[], expected);
        }
        routed(kind, None, &[], &["amount-level-1", "amount-level-2", "amount-two-people"]);
    }
    let opened = shipped().route(Kind::Invoice, Some(number("50000")), &[], NOW);
    assert_eq!((opened[0].route, opened[0].level, opened[0].needs), (Role::Reviewer, 2, 2));
    assert_eq!(opened[0].due_at, NOW.plus_hours(72));
}

#[test]
fn every_contract_goes_to_legal_and_every_finding_to_whom_it_concerns() {
    routed(Kind::Contract, None, &[], &["legal-review"]);
    routed(Kind::Contract, None, &[Code::Absent], &["legal-review", "clauses"]);
    routed(Kind::Contract, None, &[Code::LiabilityUnlimited], &["legal-review", "liability"]);
    routed(Kind::Invoice, Some("10"), &[Code::Price, Code::QtyRec], &["price-quantity"]);
    routed(Kind::Invoice, Some("10"), &[Code::BankNew, Code::Stale], &["payee", "other-findings"]);
    routed(Kind::Invoice, Some("10"), &[Code::PriceBelow, Code::SmallDiff], &[]);
    let opened = shipped().route(Kind::Contract, None, &[], NOW);
    assert_eq!(opened[0].route, Role::Legal);
}

#[test]
fn no_finding_of_weight_is_left_without_a_person() {
    for kind in Kind::ALL {
        for code in Code::ALL {
            let finding = Finding::new(*code, "test", "a finding");
            let opened = shipped().route(kind, Some(number("10")), std::slice::from_ref(&finding), NOW);
            let routed = opened.iter().any(|checkpoint| checkpoint.codes.contains(code));
            assert_eq!(routed, Severity::Review <= finding.severity, "{} {}", kind.name(), code.name());
        }
    }
}

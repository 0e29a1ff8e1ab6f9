#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;
use jiff::civil::date;
use std::str::FromStr;

const CHECKPOINTS: &str = include_str!("../../../../policies/checkpoints.toml");
const TOLERANCES: &str = include_str!("../../../../policies/tolerances.toml");
const RETENTION: &str = include_str!("../../../../policies/retention.toml");
const NOW: Timestamp = Timestamp(1_781_500_000_000_000);

fn shipped() -> Policy {
    Policy::parse([CHECKPOINTS, TOLERANCES, RETENTION]).unwrap()
}

fn number(text: &str) -> Decimal {
    Decimal::from_str(text).unwrap()
}

/// Puts `mistake` in the place of `right` in the shipped file; the refusal must stand where `mistake` (or what of it is
/// wrong) begins, and say what was expected.
#[track_caller]
fn check(file: usize, right: &str, mistake: &str, wrong: &str, expected: &str) {
    let mut texts = [CHECKPOINTS, TOLERANCES, RETENTION].map(str::to_owned);
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
    assert_eq!((refusal.line, refusal.column), (53, 6), "the place of its id");
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
    row.allows(number(amount), percent.map(number))
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

#[test]
fn a_vendors_row_goes_before_the_one_for_all_and_holds_on_its_days() {
    let row =
        |id: &str, rest: &str| format!("[[tolerance]]\nid = \"{id}\"\nkind = \"TAX\"\nupper_abs = \"9\"\n{rest}\n");
    let text = TOLERANCES.replace("kind = \"TAX\"", "kind = \"TAX\"\nvalid_to = \"2026-12-31\"")
        + &row("v1", "vendor = \"V1\"\nvalid_from = \"2026-03-01\"\nvalid_to = \"2026-03-31\"");
    let policy = Policy::parse([CHECKPOINTS, &text, RETENTION]).unwrap();
    let id = |vendor, on| policy.tolerance(ToleranceKind::Tax, vendor, on).map(|row| row.id.as_str());
    assert_eq!(id(Some("V1"), date(2026, 2, 28)), Some("tax"));
    assert_eq!(id(Some("V1"), date(2026, 3, 1)), Some("v1"));
    assert_eq!(id(Some("V1"), date(2026, 3, 31)), Some("v1"));
    assert_eq!(id(Some("V1"), date(2026, 4, 1)), Some("tax"));
    assert_eq!(id(Some("V2"), date(2026, 3, 15)), Some("tax"));
    assert_eq!(id(None, date(2026, 3, 15)), Some("tax"));
    assert_eq!(id(Some("V1"), date(2026, 12, 31)), Some("tax"));
    assert_eq!(id(Some("V1"), date(2027, 1, 1)), None, "nothing is tolerated where no row is in force");
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

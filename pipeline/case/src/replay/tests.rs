#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;
use crate::comparison::{Comparison, Place, Test};
use crate::policy::{Scope, ToleranceKind};
use crate::shipped_with as policy;
use crate::{Actor, CaseId, Digest, Document, Extraction, Finding, Timestamp};
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

/// Ordered at 10.00, billed at this price, as the shipped policy judges it.
fn price(billed: &str) -> Comparison {
    let sum = vec!["billed".to_owned()];
    let test =
        Test::AtMost { sum, of: "ordered".into(), times: Some("quantity".into()), below: Some(Code::PriceBelow) };
    let scope = Scope { vendor: Some("V1".into()), on: "2026-06-15".parse().unwrap(), ..Scope::default() };
    Comparison::new(Code::Price, "match.price", test)
        .with("ordered", "10.00")
        .with("billed", billed)
        .with("quantity", 10)
        .limited(policy(&[]).limit(ToleranceKind::PriceUnit, &scope))
}

/// An invoice of this net amount, judged and routed by the shipped policy.
fn judged(net: &str, currency: &str, comparisons: Vec<Comparison>, findings: Vec<Finding>) -> Case {
    let field =
        |value: &str| json!({"value": value, "confidence": 0.9, "evidence": {"path": "/Invoice", "text": value}});
    let answer = json!({
        "kind": "invoice", "format": "ubl", "coverage": {"pages": 1, "read": 1, "hidden_text": 0},
        "fields": {"net_total": field(net), "currency": field(currency)},
    });
    let document = Document {
        digest: Digest::of(b"x"),
        size_bytes: 1,
        file_name: "a.xml".into(),
        channel: "inbox".into(),
        received_at: Timestamp(0),
    };
    let mut case = Case::new(CaseId(Uuid::nil()), document, Uuid::nil(), &Actor::system("intake"));
    case.extraction = Some(Extraction::from_untrusted(answer.to_string().as_bytes()).unwrap());
    case.findings = findings;
    for comparison in comparisons {
        match comparison.code() {
            None => case.passed.push(comparison),
            Some(_) => case.findings.push(comparison.finding("a sentence").unwrap()),
        }
    }
    let shipped = policy(&[]);
    case.checkpoints = shipped.route(case.kind(), self::net(&case, &shipped), &case.findings, Timestamp(0));
    case.state = if case.checkpoints.is_empty() { State::Archived } else { State::InReview };
    case.policy = Some(shipped.digest);
    case
}

/// `turn`, `-GONE`, `+COME`, and the amount.
#[track_caller]
fn check(case: &Case, changes: &[(&str, &str)], expected: &str) {
    let replayed = replay(case, &policy(changes)).unwrap();
    let mut said = format!("{:?}", replayed.turn()).to_lowercase();
    replayed.gone().for_each(|code| said += &format!(" -{}", code.name()));
    replayed.come().for_each(|code| said += &format!(" +{}", code.name()));
    said += &format!(" {}", replayed.net.map_or("unknown".to_owned(), |net| net.to_string()));
    assert_eq!(said, expected, "{changes:?}");
}

const THREE_PERCENT: (&str, &str) = ("upper_percent = \"2\"", "upper_percent = \"3\"");
const ONE_PERCENT: (&str, &str) = ("upper_percent = \"2\"", "upper_percent = \"1\"");

#[test]
fn under_the_policy_that_it_was_judged_by_a_case_is_what_it_was() {
    for billed in ["9.00", "10.00", "10.20", "10.21"] {
        let case = judged("100.00", "EUR", vec![price(billed)], Vec::new());
        check(&case, &[], "same 100.00");
        let replayed = replay(&case, &policy(&[])).unwrap();
        assert_eq!(replayed.before, replayed.after);
    }
}

#[test]
fn a_looser_limit_releases_and_a_tighter_one_holds() {
    let dear = judged("102.50", "EUR", vec![price("10.25")], Vec::new());
    check(&dear, &[THREE_PERCENT], "released -PRICE 102.50");
    check(&dear, &[ONE_PERCENT], "same 102.50");
    let within = judged("101.50", "EUR", vec![price("10.15")], Vec::new());
    check(&within, &[ONE_PERCENT], "held +PRICE 101.50");
    check(&within, &[THREE_PERCENT], "same 101.50");
    // How far below is too far.
    let cheap = judged("95.00", "EUR", vec![price("9.50")], Vec::new());
    let lower = ("combine = \"strict\"\n", "lower_percent = \"4\"\n");
    check(&cheap, &[lower], "held -PRICE_BELOW +PRICE 95.00");
    // A row for the vendor alone.
    let row = "[[tolerance]]\nid = \"v1\"\nkind = \"PRICE_UNIT\"\nvendor = \"V1\"\nupper_percent = \"9\"\n\n[[tolerance]]\nid = \"tax\"";
    check(&dear, &[("[[tolerance]]\nid = \"tax\"", row)], "released -PRICE 102.50");
}

#[test]
fn a_check_that_only_a_row_asks_for_is_not_made_without_one() {
    let row = |max: &str| {
        let row = format!("[[tolerance]]\nid = \"b\"\nkind = \"VENDOR_BUDGET\"\nupper_abs = \"{max}\"\n\n");
        ("[[tolerance]]\nid = \"tax\"".to_owned(), row + "[[tolerance]]\nid = \"tax\"")
    };
    let (from, budget) = row("200");
    let with = policy(&[(&from, &budget)]);
    let scope = Scope { on: "2026-06-15".parse().unwrap(), ..Scope::default() };
    let above = |sum: &str| {
        let test = Test::AtMost { sum: vec!["above".into()], of: "none".into(), times: None, below: None };
        let comparison = Comparison::new(Code::VendorBudget, "match.vendor_budget", test).with("above", sum);
        comparison.with("none", 0).limited(with.limit(ToleranceKind::VendorBudget, &scope))
    };
    let (over, within) = (vec![price("10.00"), above("209")], vec![price("10.00"), above("190")]);
    let (over, within) = (judged("10.00", "EUR", over, Vec::new()), judged("10.00", "EUR", within, Vec::new()));
    check(&over, &[(&from, &budget)], "same 10.00");
    check(&over, &[], "released -VENDOR_BUDGET 10.00");
    check(&within, &[], "same 10.00");
    let (from, tighter) = row("100");
    check(&within, &[(&from, &tighter)], "held +VENDOR_BUDGET 10.00");
}

#[test]
fn a_case_is_routed_by_its_amount_and_by_all_that_is_found() {
    let case = judged("1000.00", "EUR", vec![price("10.25")], Vec::new());
    check(&case, &[THREE_PERCENT], "rerouted -PRICE 1000.00");
    check(&case, &[THREE_PERCENT, ("net_from = \"1000.00\"", "net_from = \"1000.01\"")], "released -PRICE 1000.00");
    let clean = judged("-999.99", "EUR", vec![price("10.00")], Vec::new());
    check(&clean, &[("net_from = \"1000.00\"", "net_from = \"999.99\"")], "held 999.99");
    // In another currency than the limits', every band applies.
    let foreign = judged("5.00", "USD", vec![price("10.25")], Vec::new());
    check(&foreign, &[THREE_PERCENT], "rerouted -PRICE unknown");
    // What comes from no comparison stays what it is.
    let noted =
        judged("102.50", "EUR", vec![price("10.25")], vec![Finding::new(Code::Unreadable, "read.value", "no amount")]);
    check(&noted, &[THREE_PERCENT], "rerouted -PRICE 102.50");
}

#[test]
fn a_limit_in_days_is_replayed_as_well_as_a_row() {
    let test = Test::AtMost { sum: vec!["age_days".into()], of: "stale_days".into(), times: None, below: None };
    let stale = Comparison::new(Code::Stale, "check.stale", test).with("age_days", 181).from(
        "stale_days",
        180,
        Some(Place::Policy("tolerances.toml, dates.stale_days".into())),
    );
    let case = judged("10.00", "EUR", vec![stale, price("10.00")], Vec::new());
    check(&case, &[("stale_days = 180", "stale_days = 181")], "released -STALE 10.00");
}

/// A page of 9.99 and 19 %, dated five days before it is judged, with these values in the place of its own.
fn page(values: &[(&str, &str)]) -> Extraction {
    let field =
        |value: &str| json!({"value": value, "confidence": 0.9, "evidence": {"path": "/Invoice", "text": value}});
    let mut answer = json!({
        "kind": "invoice", "format": "pdf-text", "coverage": {"pages": 1, "read": 1, "hidden_text": 0},
        "fields": {
            "number": field("1"), "issue_date": field("2026-06-10"), "currency": field("EUR"),
            "seller_name": field("Nordwind GmbH"), "buyer_name": field("Hafenkontor AG"),
            "line_total": field("9.99"), "net_total": field("9.99"), "tax_total": field("1.90"),
            "gross_total": field("11.89"), "payable": field("11.89"),
            "vat_breakdown": [{"rate": field("19"), "taxable": field("9.99"), "tax": field("1.90")}],
        },
        "lines": [{"quantity": field("3"), "unit_price": field("3.33"), "net_amount": field("9.99")}],
        "notes": [],
    });
    for (name, value) in values {
        answer["fields"][*name] = field(value);
    }
    answer["fields"]["vat_breakdown"][0]["tax"] = answer["fields"]["tax_total"].clone();
    Extraction::from_untrusted(answer.to_string().as_bytes()).unwrap()
}

/// This page as it is judged where nothing else is known.
fn judged_page(extraction: &Extraction, policy: &Policy) -> Case {
    let mut case = judged("9.99", "EUR", Vec::new(), Vec::new());
    case.extraction = Some(extraction.clone());
    let at = Timestamp("2026-06-15T08:00:00Z".parse::<jiff::Timestamp>().unwrap().as_microsecond());
    let judgement = crate::judge(&case, &crate::Known::default(), policy, at);
    let checkpoints = judgement.checkpoints.clone();
    judgement.enter(&mut case, checkpoints);
    case.state = if case.checkpoints.is_empty() { State::Archived } else { State::InReview };
    case
}

/// Figures that only bills, orders and vendors are compared with. Of the first three, and of `near_limits.months`, a case keeps
/// what they came to, and not what another one would have looked at. The last one draws a sample, and compares nothing.
const LOOKED_UP: [&str; 11] = [
    "tolerances.toml, duplicates.days",
    "tolerances.toml, splits.days",
    "tolerances.toml, notes.round_sum",
    "tolerances.toml, near_limits.months",
    "tolerances.toml, near_limits.from_percent",
    "tolerances.toml, near_limits.share_percent",
    "tolerances.toml, near_limits.invoices_min",
    "tolerances.toml, notes.new_vendor_days",
    "tolerances.toml, notes.price_creep_percent",
    "checkpoints.toml, net_from",
    "checkpoints.toml, straight_through.sample_percent",
];

#[test]
fn a_documents_own_figures_are_replayed_by_every_figure_of_the_policy_in_both_directions() {
    const OFF: [(&str, &str); 4] =
        [("line_total", "10.09"), ("net_total", "10.09"), ("gross_total", "11.99"), ("payable", "11.99")];
    type Values = &'static [(&'static str, &'static str)];
    let table: [(&str, Code, Values, &str, &str); 10] = [
        ("dates.stale_days", Code::Stale, &[], "stale_days = 180", "stale_days = 4"),
        ("dates.future_days", Code::DateFuture, &[("issue_date", "2026-06-16")], "future_days = 1", "future_days = 0"),
        ("dates.closed_until", Code::Period, &[], "", "closed_until = \"2026-06-10\""),
        ("dates.closed_until", Code::Period, &[], "closed_until = \"2026-06-09\"", "closed_until = \"2026-06-10\""),
        ("taxes.rate_percent_max", Code::Tax, &[], "rate_percent_max = \"27\"", "rate_percent_max = \"15\""),
        (
            "taxes.stamp_duty_max",
            Code::Arith,
            &[("stamp_duty", "2.00")],
            "stamp_duty_max = \"2.00\"",
            "stamp_duty_max = \"1.99\"",
        ),
        ("reading.error_rate_max", Code::LowConfidence, &[], "error_rate_max = 0.1", "error_rate_max = 0.09"),
        ("currency", Code::CurrencyLimits, &[], "currency = \"EUR\"", "currency = \"USD\""),
        ("a row of TAX", Code::Tax, &[("tax_total", "1.91")], "\"0.05\"      # per", "\"0.00\" # per"),
        ("a row of SMALL_DIFF", Code::Arith, &OFF, "\"1.00\"      # sums", "\"0.05\" # sums"),
    ];
    for (figure, code, values, loose, tight) in table {
        let sides = [loose, tight].map(|to| under(loose, tight, to));
        let page = page(values);
        let [passes, fails] = sides.each_ref().map(|policy| judged_page(&page, policy));
        let codes = |case: &Case| case.findings.iter().map(|it| it.code).collect::<BTreeSet<_>>();
        assert!(!codes(&passes).contains(&code) && codes(&fails).contains(&code), "{figure}: {:?}", codes(&fails));
        let [tighter, looser] = [(&passes, &sides[1]), (&fails, &sides[0])].map(|(case, to)| replay(case, to).unwrap());
        assert_eq!((tighter.after.codes, looser.after.codes), (codes(&fails), codes(&passes)), "{figure}");
    }
    let source = include_str!("../policy.rs");
    let named = source.lines().filter_map(|line| line.trim().strip_prefix('"')?.split_once("\" =>"));
    let named: Vec<&str> = named.map(|(place, _)| place).filter(|place| place.contains(".toml, ")).collect();
    assert!(15 < named.len(), "{named:?}");
    for place in named {
        let here = table.iter().any(|(figure, ..)| place.ends_with(&format!("toml, {figure}")));
        assert!(here || LOOKED_UP.contains(&place), "`{place}` is no figure that is tried here");
    }
}

#[test]
fn a_case_keeps_what_another_policy_could_turn_and_no_more() {
    let case = judged_page(&page(&[]), &policy(&[]));
    let own = case.passed.iter().map(|it| it.rule.as_str()).filter(|rule| !rule.starts_with("match."));
    let own: Vec<&str> = own.collect();
    let expected = [
        "read.confidence",
        "BR-CO-10",
        "BR-CO-13",
        "BR-CO-15",
        "BR-CO-16",
        "check.tax_rate_max",
        "BR-CO-14",
        "check.tax",
        "check.tax_base",
        "check.period",
        "check.date_future",
        "check.stale",
    ];
    assert_eq!(own, expected);
}

/// The shipped policy with `to` in the place where it says one of these two, or beside the days where it says neither.
fn under(loose: &str, tight: &str, to: &str) -> Policy {
    let shipped = crate::SHIPPED.concat();
    match [loose, tight].into_iter().find(|it| !it.is_empty() && shipped.contains(it)) {
        Some(from) => policy(&[(from, to)]),
        None => policy(&[("stale_days = 180", &format!("stale_days = 180\n{to}"))]),
    }
}

/// An invoice beside others, with what they reach together.
fn split(net: &str, reach: &str) -> Comparison {
    let test = Test::Unreached { sums: "reach".into(), limits: "bands".into() };
    let bands = Some(Place::Policy("checkpoints.toml, net_from".into()));
    Comparison::new(Code::Split, "match.split", test).with("net", net).with("reach", reach).from(
        "bands",
        "1000,10000,50000",
        bands,
    )
}

#[test]
fn bills_that_were_split_are_replayed_and_routed_by_the_limits_of_the_new_policy() {
    let from_ten = |to: &str| [("\"10000.00\"".to_owned(), format!("\"{to}\""))];
    let check = |case: &Case, to: &str, expected: &str| {
        let changes = from_ten(to);
        check(case, &changes.each_ref().map(|(from, to)| (from.as_str(), to.as_str())), expected);
    };
    let mut held = judged("9800.00", "EUR", vec![split("9800", "9800/19700")], Vec::new());
    held.checkpoints = policy(&[]).route(held.kind(), Some(19_700.into()), &held.findings, Timestamp(0));
    check(&held, "10000.00", "same 9800.00");
    check(&held, "19700.00", "same 9800.00");
    check(&held, "19700.01", "rerouted -SPLIT 9800.00");
    check(&held, "9800.00", "rerouted -SPLIT 9800.00");
    let routed = replay(&held, &policy(&[("\"10000.00\"", "\"15000.00\"")])).unwrap().after.checkpoints;
    assert_eq!(routed.iter().map(String::as_str).collect::<Vec<_>>(), ["amount-level-2", "other-findings"]);
    let within = judged("4000.00", "EUR", vec![split("4000", "4000/8500")], Vec::new());
    check(&within, "8500.00", "rerouted +SPLIT 4000.00");
    check(&within, "8500.01", "same 4000.00");
    check(&within, "4000.00", "rerouted 4000.00");
}

#[test]
fn a_bill_just_below_a_limit_is_replayed_by_the_limits_of_the_new_policy() {
    let near = |net: &str, from: &str| {
        let less = |value: &str, than: &str| Test::Less { value: value.into(), than: than.into() };
        let of =
            vec![less("net", "near_from"), less("invoices", "invoices_min"), less("share_percent", "limit_percent")];
        let place = |name: &str| Some(Place::Policy(format!("tolerances.toml, near_limits.{name}")));
        Comparison::new(Code::ThresholdHug, "match.near_limits", Test::Any { of })
            .with("net", net)
            .from("near_from", from, place(&format!("from_percent of net_from above {net}")))
            .with("invoices", 10)
            .from("invoices_min", 10, place("invoices_min"))
            .with("share_percent", 30)
            .from("limit_percent", 30, place("share_percent"))
    };
    let case = judged("990.00", "EUR", vec![near("990", "950")], Vec::new());
    let from_one = |to: &'static str| ("net_from = \"1000.00\"", to);
    check(&case, &[], "same 990.00");
    check(&case, &[from_one("net_from = \"1042.00\"")], "same 990.00");
    check(&case, &[from_one("net_from = \"1043.00\"")], "released -THRESHOLD_HUG 990.00");
    check(&case, &[("from_percent = \"95\"", "from_percent = \"99.1\"")], "released -THRESHOLD_HUG 990.00");
    check(&case, &[("invoices_min = 10", "invoices_min = 11")], "released -THRESHOLD_HUG 990.00");
    let far = judged("900.00", "EUR", vec![near("900", "950")], Vec::new());
    check(&far, &[from_one("net_from = \"940.00\"")], "held +THRESHOLD_HUG 900.00");
}

#[test]
fn what_came_to_light_after_the_verdict_is_no_part_of_it() {
    let mut case = judged("102.50", "EUR", vec![price("10.15")], Vec::new());
    let refused = Finding::new(Code::ErpRefused, "posting.refused", "closed");
    case.checkpoints = policy(&[]).route(case.kind(), Some(10.into()), std::slice::from_ref(&refused), Timestamp(0));
    case.findings.push(refused);
    case.state = State::InReview;
    check(&case, &[], "same 102.50");
    check(&case, &[ONE_PERCENT], "held +PRICE 102.50");
}

#[test]
fn what_was_never_judged_or_before_comparisons_were_kept_is_not_replayed() {
    let mut case = judged("10.00", "EUR", vec![price("10.00")], Vec::new());
    case.state = State::Validated;
    assert_eq!(replay(&case, &policy(&[])), None);
    let old = judged("10.00", "EUR", Vec::new(), vec![Finding::new(Code::Price, "match.price", "dearer")]);
    assert_eq!(replay(&old, &policy(&[])), None);
    // Nothing about a contract is compared with facts.
    let mut contract = judged("10.00", "EUR", Vec::new(), vec![Finding::new(Code::Absent, "contract", "no clause")]);
    contract.extraction.as_mut().unwrap().kind = crate::Kind::Contract;
    contract.checkpoints = policy(&[]).route(crate::Kind::Contract, None, &contract.findings, Timestamp(0));
    check(&contract, &[], "same unknown");
}

#[test]
fn replays_add_up_to_cases_and_money() {
    let mut rejected = judged("102.50", "EUR", vec![price("10.25")], Vec::new());
    rejected.state = State::Rejected;
    let cases = [
        rejected,
        judged("102.50", "EUR", vec![price("10.25")], Vec::new()),
        judged("1000.00", "EUR", vec![price("10.25")], Vec::new()),
        judged("7.00", "USD", vec![price("10.25")], Vec::new()),
        judged("100.00", "EUR", vec![price("10.00")], Vec::new()),
        judged("100.00", "EUR", Vec::new(), Vec::new()),
    ];
    let mut sum = Replays::default();
    cases.iter().for_each(|case| sum.add(replay(case, &policy(&[THREE_PERCENT])).as_ref()));
    let moved = |cases, cents, unknown| Moved { cases, net: Decimal::new(cents, 2), unknown };
    assert_eq!((sum.replayed, sum.not_replayable), (5, 1));
    assert_eq!((sum.released, sum.released_though_rejected), (moved(2, 20_500, 0), moved(1, 10_250, 0)));
    assert_eq!((sum.held, sum.rerouted), (Moved::default(), moved(2, 100_000, 1)));
    let flips = Flips { gone: moved(4, 120_500, 1), come: Moved::default() };
    assert_eq!(sum.codes, BTreeMap::from([(Code::Price, flips)]));
    assert_eq!(serde_json::to_value(&sum).unwrap()["codes"]["PRICE"]["gone"]["net"], "1205.00");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_the_cases_makes_no_difference(
        (cases, shuffled, at) in proptest::collection::vec((0..5_000_000i64, 900..1_100i64, any::<bool>()), 0..8)
            .prop_flat_map(|cases| (Just(cases.clone()), Just(cases).prop_shuffle(), 0..8usize))
    ) {
        let changed = policy(&[ONE_PERCENT]);
        let sum = |cases: &[(i64, i64, bool)]| {
            let mut sum = Replays::default();
            for (net, billed, known) in cases {
                let (net, billed) = (Decimal::new(*net, 3).to_string(), Decimal::new(*billed, 2).to_string());
                let case = judged(&net, if *known { "EUR" } else { "USD" }, vec![price(&billed)], Vec::new());
                sum.add(replay(&case, &changed).as_ref());
            }
            sum
        };
        let (left, right) = shuffled.split_at(at.min(shuffled.len()));
        let mut joined = sum(right);
        joined.join(&sum(left));
        prop_assert_eq!(sum(&cases), joined);
    }
}

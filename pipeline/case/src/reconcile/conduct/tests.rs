#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
use super::super::reconcile;
use super::super::trial::{bill, learned, looked_up, of_codes, order, paper, policy, stated, tried, vendor};
use crate::facts::{Account, Fact, Key, LookedUp, Stated};
use crate::{Code, Decimal, Outcome, Policy, Timestamp};
use proptest::prelude::*;

/// What a document comes to beside these facts, as far as the code begins like that.
#[track_caller]
fn check(about: Code, document: &str, facts: &[Stated], policy: &Policy, expected: bool) {
    let verdict = tried(&paper(document), facts, policy);
    let found = of_codes(&verdict, |code| code == about);
    assert_eq!(found, if expected { about.name() } else { "" }, "{document}: {:?}", verdict.findings);
}

fn with(bills: &[&str]) -> Vec<Stated> {
    let bills = bills.iter().enumerate().map(|(idx, text)| bill(idx, text));
    [vendor("V1", "")].into_iter().chain(bills).collect()
}

#[test]
fn invoices_that_reach_a_limit_together_are_held_and_routed_by_their_sum() {
    let second = "number=2 buyer_ref=K-7 net_total=9800 gross_total=11662";
    for (first, together) in [
        ("date=2026-06-05 net=9900", Some("19700")),
        ("date=2026-06-15 net=9900", Some("19700")),
        ("date=2026-05-27 net=9900", Some("19700")),
        ("date=2026-05-26 net=9900", None),
        ("date=2026-05-21 net=9900", None),
        ("date=2026-06-05 net=200", Some("10000")),
        ("date=2026-06-05 net=199.99", None),
        // It is above that limit alone, and needs nobody more.
        ("date=2026-06-05 net=10000", None),
        ("date=2026-06-05 net=9900 credit", None),
        ("date=2026-06-05 net=9900 currency=USD", None),
        ("date=2026-06-05 net=-9900", None),
    ] {
        let facts = with(&[&format!("centre=k-7 number=1 {first}")]);
        let verdict = tried(&paper(second), &facts, &policy(""));
        assert_eq!(verdict.routed_net.map(|it| it.to_string()).as_deref(), together, "{first}");
        assert_eq!(verdict.beside.len(), usize::from(together.is_some()), "{first}");
        assert_eq!(
            of_codes(&verdict, |code| code == Code::Split),
            if together.is_some() { "SPLIT" } else { "" },
            "{first}"
        );
    }
    for other in ["centre=K-8 net=9900", "net=9900 order=PO-9", "centre=K-7 net=9900 vendor=V2"] {
        check(Code::Split, second, &with(&[&format!("number=1 {other}")]), &policy(""), false);
    }
}

#[test]
fn to_leave_the_cost_centre_out_makes_no_split_smaller() {
    let (some, none) = ("buyer_ref=K-7 net_total=9800", "net_total=9800");
    for (document, other, split) in [
        (none, "net=9900", true),
        (none, "net=9900 centre=K-7", true),
        (none, "net=9900 centre=K-8", true),
        (some, "net=9900", true),
        (some, "net=9900 centre=--", true),
        (some, "net=9900 centre=K-7 order=PO-9", true),
        (some, "net=9900 order=PO-9", false),
        (none, "net=9900 centre=K-7 order=PO-9", false),
        (none, "net=9900 vendor=V2", false),
        ("order_ref=PO-1 line1=98*100=9800 net_total=9800", "net=9900", false),
        ("order_ref=PO-1 buyer_ref=K-7 line1=98*100=9800 net_total=9800", "net=9900", false),
        ("order_ref=PO-1 buyer_ref=K-7 line1=98*100=9800 net_total=9800", "net=9900 centre=K-7", true),
        // It names an order that is not there.
        ("order_ref=PO-2 net_total=9800", "net=9900", true),
    ] {
        let document = format!("number=2 gross_total=11662 {document}");
        let bills = with(&[&format!("number=1 date=2026-06-05 {other}")]);
        let facts: Vec<Stated> = bills.into_iter().chain(order("PO-1")).collect();
        check(Code::Split, &document, &facts, &policy(""), split);
    }
    // Those of two cost centres count with the one that names none, and not with one another.
    let two = with(&["number=1 centre=K-7 net=4000", "number=2 centre=K-8 net=4000"]);
    check(Code::Split, "number=3 net_total=3000", &two, &policy(""), true);
    check(Code::Split, "number=3 net_total=3000 buyer_ref=K-7", &two, &policy(""), false);
}

#[test]
fn what_other_systems_say_of_an_order_or_of_a_case_makes_no_split_larger() {
    let (document, own) = ("number=2 gross_total=11662 net_total=9800", "case=9 number=INV-7 net=9900 date=2026-06-05");
    let copy = "case=0 number=inv-0007 net=9900 date=2026-06-05";
    for (bills, split) in [
        (vec!["case=0 number=1 net=9900".to_owned()], true),
        (vec!["case=0 number=1 net=9900 order=PO-9 whole".to_owned()], false),
        // Of a contract a case claims the whole, and no order stands behind it.
        (vec!["case=1 number=1 net=9900 order=C-1 whole".to_owned()], true),
        (vec![own.to_owned()], true),
        // It does not count itself: it is for an order. Nor does what the ledger says of it.
        (vec![format!("{own} order=PO-9"), copy.to_owned()], false),
        (vec![format!("{own} order=PO-9"), copy.replace("0007", "0008")], true),
        // What differs, or was let through by nobody, is no copy: a number is used again.
        (vec![format!("{own} order=PO-9 gross=1.19"), copy.to_owned()], true),
        (vec![format!("{own} order=PO-9 currency=USD"), copy.to_owned()], true),
        (vec![format!("{own} order=PO-9"), copy.replace("-05", "-04")], true),
        (vec![format!("{own} order=PO-9 since=1"), copy.to_owned()], true),
    ] {
        let bills: Vec<&str> = bills.iter().map(String::as_str).collect();
        check(Code::Split, document, &with(&bills), &policy(""), split);
    }
    let (case, copy) = (own.replace("9900", "6000"), copy.replace("9900", "6000"));
    check(Code::Split, "number=2 net_total=100", &with(&[&case, &copy]), &policy(""), false);
    check(Code::Split, "number=2 net_total=100", &with(&[&case, &copy.replace("07", "08")]), &policy(""), true);
    // One for another cost centre does not count, and what the ledger says of it names none.
    let two = [format!("{own} centre=K-8"), "case=0 number=INV-7 net=9900 date=2026-06-05".to_owned()];
    check(Code::Split, &format!("{document} buyer_ref=K-7"), &with(&[&two[0], &two[1]]), &policy(""), false);
}

#[test]
fn more_bills_of_a_split_than_are_looked_at_are_a_finding() {
    let (document, policy) = (paper("net_total=100"), policy(""));
    let mut known = looked_up(&document, &with(&[]), &policy);
    let key = Key::unordered("V1", Key::step_of("2026-06-10".parse().unwrap()));
    assert!(known.asked(&key));
    known.put(key, LookedUp { facts: Vec::new(), cut: true });
    let verdict = reconcile(&document, &known, &policy, "2026-06-15".parse().unwrap());
    assert_eq!(of_codes(&verdict, |code| code == Code::TooMany), "TOO_MANY");
}

#[test]
fn what_was_looked_at_and_found_nothing_is_among_the_passed() {
    let passed = |document: &str, facts: &[Stated], rule: &str| {
        let verdict = tried(&paper(document), facts, &policy(""));
        verdict.passed.into_iter().find(|it| it.rule == rule).map(|it| it.operands)
    };
    let split = passed("net_total=60000", &with(&[]), "match.split").unwrap();
    assert_eq!((split["others"].as_str(), split["n_others"].as_str()), ("0", "0"));
    let few = passed("net_total=990", &with(&[]), "match.near_limits").unwrap();
    assert_eq!((few["invoices"].as_str(), few["invoices_min"].as_str()), ("1", "10"));
    let far = passed("net_total=500", &with(&[]), "match.near_limits").unwrap();
    assert_eq!((far["near_from"].as_str(), far["near"].as_str()), ("950", "0"));
    assert_eq!(passed("net_total=60000", &with(&[]), "match.near_limits"), None, "there is no limit above it");
}

#[test]
fn whoever_vouches_for_the_account_of_a_new_vendor_counts_once() {
    const IBAN: &str = "DE89370400440532013000";
    let account = |iban: &str, maker: &str, checker: Option<&str>| {
        let account = Account {
            vendor_id: "V1".into(),
            iban: iban.into(),
            bic: None,
            approved_from: "2026-06-01".parse().ok(),
            approved_to: None,
            proposed_on: None,
            maker: maker.into(),
            checker: checker.map(str::to_owned),
            call: None,
            payee_check: None,
        };
        stated(None, Fact::Account(account))
    };
    let by = |who: &str, mut stated: Stated| {
        stated.by = who.into();
        stated
    };
    let (one, new) = ("importer", "from=2026-06-01");
    let to = format!("order_ref=PO-1 line1=10*10=100 iban={IBAN}");
    let (to, other) = (to.as_str(), "DE75512108001245126199");
    for (document, accounts, people) in [
        (to, vec![account(IBAN, one, None)], Some("1")),
        (to, vec![account(IBAN, one, Some("mia"))], Some("2")),
        (to, vec![account(IBAN, "mia", None)], Some("2")),
        (to, vec![account(IBAN, "mia", Some("max"))], Some("3")),
        // What the bank said of it was brought in by somebody who does not vouch for it.
        (to, vec![by("bank", account(IBAN, one, None))], Some("1")),
        (to, vec![account(IBAN, one, None), account(other, one, Some("mia"))], Some("1")),
        ("order_ref=PO-1 line1=10*10=100", vec![account(IBAN, one, Some("mia"))], Some("2")),
        // It may go to either.
        ("order_ref=PO-1 line1=10*10=100", vec![account(IBAN, one, None), account(other, one, Some("mia"))], Some("1")),
        (to, Vec::new(), None),
    ] {
        let facts: Vec<Stated> = [vendor("V1", new)].into_iter().chain(order("PO-1")).chain(accounts).collect();
        let verdict = tried(&paper(document), &facts, &policy(""));
        let found = verdict.findings.iter().find(|it| it.code == Code::OneHand);
        let passed = verdict.passed.iter().find(|it| it.rule == "match.one_hand");
        let figures = found.map(|it| &it.operands).or(passed.map(|it| &it.operands));
        assert_eq!(figures.map(|it| it["people"].as_str()), people, "{document}");
        assert_eq!(found.is_some(), people == Some("1"), "{document}");
        let told = serde_json::to_string(&(&verdict.findings, &verdict.passed)).unwrap();
        assert!(!told.contains(one) && !told.contains("mia"), "nobody is named");
    }
    // An old bill that was brought in may be invented; what a case judged long ago was not.
    let judged = "2026-02-01".parse::<jiff::civil::Date>().unwrap().to_zoned(jiff::tz::TimeZone::UTC).unwrap();
    let judged = format!("number=1 date=2026-01-02 since={}", judged.timestamp().as_microsecond());
    for (old, held) in [
        ("case=0 number=1 date=2026-01-02", true),
        (judged.as_str(), false),
        ("number=1 date=2026-01-02 since=1781000000000000", true),
    ] {
        let facts = [vendor("V1", new), account(IBAN, one, None), bill(7, old)].into_iter().chain(order("PO-1"));
        check(Code::OneHand, to, &facts.collect::<Vec<_>>(), &policy(""), held);
    }
    let credit = [vendor("V1", new), account(IBAN, one, None)].into_iter().chain(order("PO-1"));
    check(Code::OneHand, &format!("credit {to}"), &credit.collect::<Vec<_>>(), &policy(""), false);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_limit_is_reached_where_some_window_of_smaller_bills_reaches_it(
        net in 1..60_000i64,
        others in proptest::collection::vec((1..60_000i64, -4..=4i64), 0..7),
        bands in proptest::collection::btree_set(1..60_000i64, 0..5),
    ) {
        const WINDOW: i64 = 4;
        let tried = bands.iter().rev().copied().filter(|band| net < *band).find(|band| {
            let below = |from: i64| others.iter().filter(move |(it, away)| it < band && (from..=from + WINDOW).contains(away));
            (-WINDOW..=0).any(|from| *band <= net + below(from).map(|(it, _)| it).sum::<i64>())
        });
        let other = |(net, away): &(i64, i64)| super::Other { net: (*net).into(), away: *away, id: String::new(), case: None };
        let mut others: Vec<super::Other> = others.iter().map(other).collect();
        others.sort_unstable();
        let bands: Vec<Decimal> = bands.into_iter().map(Decimal::from).collect();
        let sums = super::sums(net.into(), &others, WINDOW);
        let reached = super::reached(&sums, &bands).map(|(limit, _)| limit);
        prop_assert_eq!(reached, tried.map(Decimal::from), "{:?}", sums);
    }
}

#[test]
fn a_split_is_seen_from_each_of_its_bills_and_within_one_window() {
    let facts =
        with(&["centre=K-7 number=2 date=2026-06-15 net=9800", "centre=K-7 number=3 date=2026-06-20 net=40000"]);
    let verdict = tried(&paper("buyer_ref=K-7 number=1 net_total=9900 gross_total=9900"), &facts, &policy(""));
    let split = verdict.findings.iter().find(|it| it.code == Code::Split).unwrap();
    let of = |name: &str| split.operands[name].as_str();
    let Outcome::Fails { by, would_pass, .. } = split.basis.as_ref().unwrap().outcome(&split.operands) else {
        panic!()
    };
    assert_eq!((by, would_pass), (Some(9700.into()), vec!["together < 50000".to_owned()]));
    assert_eq!((of("net"), of("others"), of("together"), of("band")), ("9900", "49800", "59700", "50000"));
    assert_eq!(of("twin"), "00000000-0000-0000-0000-000000000001; 00000000-0000-0000-0000-000000000002");
    // Twelve days before and twelve after are not within 14 days of each other.
    let apart = with(&["centre=K-7 number=2 date=2026-05-29 net=4000", "centre=K-7 number=3 date=2026-06-22 net=4000"]);
    check(Code::Split, "buyer_ref=K-7 number=1 net_total=4000 gross_total=4760", &apart, &policy(""), false);
    check(Code::Split, "buyer_ref=K-7 number=1 net_total=6000 gross_total=7140", &apart, &policy(""), true);
}

#[test]
fn the_first_of_a_split_is_seen_too_when_it_is_judged_again() {
    let document = paper("buyer_ref=K-7 number=1 net_total=9900 gross_total=11662");
    let facts = with(&["centre=K-7 number=2 date=2026-06-15 net=9800 gross=11662 since=2"]);
    let policy = policy("");
    let mut known = looked_up(&document, &facts, &policy);
    known.place = Some(Timestamp(1));
    let verdict = reconcile(&document, &known, &policy, "2026-06-16".parse().unwrap());
    assert_eq!(of_codes(&verdict, |code| matches!(code, Code::Split | Code::DuplicateD4)), "SPLIT");
}

#[test]
fn what_was_cancelled_and_sent_in_again_is_not_split() {
    let document = "buyer_ref=K-7 net_total=6000 gross_total=7140 issue_date=2026-06-12";
    let first = "centre=K-7 net=6000 gross=7140";
    check(Code::Split, document, &with(&[first]), &policy(""), true);
    let cancelled = with(&[first, "centre=K-7 credit number=C1 of=INV-1001 net=6000 gross=7140"]);
    check(Code::Split, document, &cancelled, &policy(""), false);
}

#[test]
fn excesses_that_are_tolerated_add_up_to_the_vendors_budget_of_the_year() {
    let budget = "[[tolerance]]\nid = \"budget\"\nkind = \"VENDOR_BUDGET\"\nvendor = \"V1\"\nupper_abs = \"200.00\"\n";
    let document = |n: u32, price: &str| {
        let amount = price.parse::<Decimal>().unwrap() * Decimal::ONE_HUNDRED;
        paper(&format!(
            "number=N{n} issue_date=2026-{n:02}-01 order_ref=PO-{n} net_total={amount} gross_total={amount} line1=100*{price}={amount}"
        ))
    };
    let mut facts = vec![
        vendor("V1", ""),
        bill(90, "number=90 date=2025-12-31 above=150"),
        bill(91, "number=91 above=50 currency=USD"),
    ];
    facts.extend((1..=12).flat_map(|n| order(&format!("PO-{n}"))));
    let (ruled, free) = (policy(budget), policy(""));
    for n in 1..=12 {
        // The last is not dearer than ordered, and takes nothing of the budget.
        let document = document(n, if n == 12 { "10.00" } else { "10.19" });
        let verdict = tried(&document, &facts, &ruled);
        let expected = if n == 11 { "VENDOR_BUDGET" } else { "" };
        assert_eq!(of_codes(&verdict, |code| code == Code::VendorBudget), expected, "{n}: {:?}", verdict.findings);
        assert_eq!(of_codes(&tried(&document, &facts, &free), |code| code == Code::VendorBudget), "");
        if n == 11 {
            let found = verdict.findings.iter().find(|it| it.code == Code::VendorBudget).unwrap();
            assert_eq!((found.operands["above"].as_str(), found.operands["limit_abs"].as_str()), ("209", "200.00"));
        }
        facts.push(learned(u128::from(n), &verdict));
    }
    let exact = [vendor("V1", ""), bill(0, "number=7 date=2026-01-05 above=181")].into_iter().chain(order("PO-1"));
    check(Code::VendorBudget, "order_ref=PO-1 line1=100*10.19=1019", &exact.collect::<Vec<_>>(), &ruled, false);
}

#[test]
fn a_vendor_that_lies_just_below_a_limit_too_often_is_shown_to_a_person() {
    let history = |near: usize, far: usize| {
        let near = (0..near).map(|n| bill(n, &format!("number=N{n} date=2025-{:02}-20 net=99{n}0", n + 7)));
        let far = (0..far).map(|n| bill(50 + n, &format!("number=F{n} date=2026-01-{:02} net=500", n + 7)));
        [vendor("V1", "")].into_iter().chain(near).chain(far).collect::<Vec<_>>()
    };
    let policy = policy("");
    let near = |net: &str| format!("number=Z net_total={net} gross_total=1");
    check(Code::ThresholdHug, &near("9500"), &history(2, 7), &policy, true);
    check(Code::ThresholdHug, &near("950"), &history(2, 7), &policy, true);
    check(Code::ThresholdHug, &near("9499.99"), &history(2, 7), &policy, false);
    check(Code::ThresholdHug, &near("10000"), &history(2, 7), &policy, false);
    check(Code::ThresholdHug, &near("9999.99"), &history(1, 8), &policy, false);
    // Nine invoices say nothing, nor do those of more than a year ago, of others, or credit notes.
    check(Code::ThresholdHug, &near("9500"), &history(3, 5), &policy, false);
    for older in ["date=2025-06-09", "vendor=V2", "credit", "currency=USD", "net=-"] {
        let facts = [history(3, 5), vec![bill(99, &format!("number=OLD date=2026-01-07 {older}"))]].concat();
        check(Code::ThresholdHug, &near("9500"), &facts, &policy, false);
    }
    let facts = [history(3, 5), vec![bill(99, "number=OLD date=2025-06-10")]].concat();
    check(Code::ThresholdHug, &near("9500"), &facts, &policy, true);
}

#[test]
fn what_no_order_stands_behind_is_limited_only_where_a_row_says_so() {
    let rows = "[[tolerance]]\nid = \"line\"\nkind = \"AMOUNT_LINE\"\nupper_abs = \"600\"\n\
                [[tolerance]]\nid = \"document\"\nkind = \"AMOUNT_DOC\"\nupper_abs = \"1000\"\n";
    let (ruled, free, facts) = (policy(rows), policy(""), with(&[]));
    for (document, line, whole) in [
        ("line1=1*600=600 line2=1*400=400", false, false),
        ("line1=1*600.01=600.01 line2=1*400=400", true, false),
        ("line1=1*600=600 net_total=1000.01", false, true),
        ("line1=1*600=600 net_total=-", false, true),
        ("credit line1=1*700=700 net_total=7000", false, false),
    ] {
        check(Code::AmountLine, document, &facts, &ruled, line);
        check(Code::AmountDoc, document, &facts, &ruled, whole);
        check(Code::AmountLine, document, &facts, &free, false);
        check(Code::AmountDoc, document, &facts, &free, false);
    }
    let ordered = [vendor("V1", "")].into_iter().chain(order("PO-1")).collect::<Vec<_>>();
    let document = "order_ref=PO-1 line1=100*10=1000 net_total=1000.01";
    check(Code::AmountLine, document, &ordered, &ruled, false);
    check(Code::AmountDoc, document, &ordered, &ruled, false);
}

#[test]
fn a_round_amount_is_worth_a_note_where_nobody_ordered_it() {
    let policy = policy("");
    for (net, round) in
        [("1000.00", true), ("12000", true), ("500", false), ("1000.01", false), ("1500", false), ("0", false)]
    {
        check(Code::RoundSum, &format!("net_total={net}"), &with(&[]), &policy, round);
    }
    let ordered = [vendor("V1", "")].into_iter().chain(order("PO-1")).collect::<Vec<_>>();
    check(Code::RoundSum, "order_ref=PO-1 line1=100*10=1000", &ordered, &policy, false);
}

#[test]
fn a_vendor_is_new_only_where_its_record_says_since_when_it_is_one() {
    let policy = policy("");
    let old = bill(0, "number=7 date=2026-03-12 net=1 gross=1");
    let oldest = bill(0, "number=7 date=2026-03-11 net=1 gross=1");
    let young = bill(0, "number=7 date=2026-06-01 net=1 gross=1");
    for (facts, new) in [
        (vec![vendor("V1", "")], false),
        (vec![vendor("V1", ""), young.clone()], false),
        (vec![vendor("V1", "from=2026-06-01")], true),
        (vec![vendor("V1", "from=2026-06-01"), young], true),
        (vec![vendor("V1", "from=2026-03-13")], true),
        (vec![vendor("V1", "from=2026-03-12")], false),
        (vec![vendor("V1", "from=2026-06-01"), old], false),
        (vec![vendor("V1", "from=2026-06-01"), oldest], false),
        // A later row of an old record, which moved.
        (vec![vendor("V1", "from=2026-06-01"), vendor("V1", "from=2020-01-01")], false),
        (vec![vendor("V1", "from=2026-06-01"), vendor("V1", "")], false),
    ] {
        check(Code::NewVendor, "", &facts, &policy, new);
    }
}

#[test]
fn an_item_that_became_dearer_step_by_step_is_worth_a_note() {
    let policy = policy("");
    for (prices, creeps) in [
        (vec!["9.40", "9.60", "9.80"], true),
        (vec!["9.40", "9.60", "9.60", "9.80"], true),
        (vec!["9.40", "9.80"], false),
        (vec!["9.60", "9.70", "9.80"], false),
        (vec!["9.40", "9.60", "9.50", "9.80"], false),
        (vec![], false),
    ] {
        let bills = prices.iter().enumerate().map(|(n, price)| {
            let amount = price.parse::<Decimal>().unwrap() * Decimal::TEN;
            bill(n, &format!("number=P{n} date=2026-0{}-02 gross={n} order=PO-{n}0 quantity=10 amount={amount}", n + 1))
        });
        let facts: Vec<Stated> = [vendor("V1", "")].into_iter().chain(order("PO-1")).chain(bills).collect();
        check(Code::PriceCreep, "order_ref=PO-1 line1=100*10=1000", &facts, &policy, creeps);
    }
}

#[test]
fn another_currency_than_the_limits_is_compared_with_none_of_them() {
    let facts = with(&["centre=K-7 number=1 date=2026-06-05 net=9900 currency=USD"]);
    check(Code::Split, "number=2 currency=USD buyer_ref=K-7 net_total=9800", &facts, &policy(""), false);
    assert!(crate::SHIPPED[1].contains("currency = \"EUR\""));
}

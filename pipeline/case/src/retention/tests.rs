#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use jiff::civil::date;

use super::*;
use crate::{Evidence, Field, Fields, Format, Policy};

const NAME: &str = "retention.toml";
const SHIPPED: &str = crate::SHIPPED[2];

fn shipped() -> Retention {
    Retention::parse(NAME, SHIPPED).unwrap()
}

/// The shipped rows for a house in this country.
fn at_home_in(country: &str) -> Retention {
    Retention::parse(NAME, &SHIPPED.replace("home = \"DE\"", &format!("home = \"{country}\""))).unwrap()
}

fn values(fields: &[(FieldName, &str)]) -> Extraction {
    let field = |value: &str| Field {
        value: value.into(),
        confidence: 0.9,
        evidence: Evidence::Element { path: "/x".into(), text: value.into() },
    };
    Extraction {
        fields: Fields { single: fields.iter().map(|(name, it)| (*name, field(it))).collect(), ..Fields::default() },
        ..Extraction::blank(Kind::Contract, Format::PdfText)
    }
}

/// The dates of both clocks of what ended on this day.
fn dates(rule: &Rule, ended: Date) -> (String, String) {
    let Clocks { keep_until, delete_by } = rule.keep(ended, None).clocks.unwrap();
    (keep_until.to_string(), delete_by.to_string())
}

#[test]
fn each_country_keeps_by_its_own_law_and_says_which() {
    // Country, kind, row, and until when what was closed on 15 June 2026 is kept and should be gone.
    for (country, kind, row, keep_until, delete_by) in [
        ("DE", Kind::Invoice, "de-voucher", "2034-12-31", "2035-12-31"),
        ("DE", Kind::BankStatement, "de-voucher", "2034-12-31", "2035-12-31"),
        ("DE", Kind::Order, "de-letter", "2032-12-31", "2033-12-31"),
        ("DE", Kind::Unknown, "de-letter", "2032-12-31", "2033-12-31"),
        ("AT", Kind::Invoice, "at-invoice", "2033-12-31", "2034-12-31"),
        ("AT", Kind::Order, "booked", "2036-12-31", "2037-12-31"),
        ("BE", Kind::CreditNote, "be-invoice", "2036-12-31", "2037-12-31"),
        ("CH", Kind::Invoice, "ch-invoice", "2036-12-31", "2037-12-31"),
        ("CN", Kind::Invoice, "cn-voucher", "2056-12-31", "2057-12-31"),
        ("CN", Kind::ReceiptNote, "cn-voucher", "2056-12-31", "2057-12-31"),
        ("CN", Kind::BankStatement, "cn-bank-statement", "2036-12-31", "2037-12-31"),
        ("ES", Kind::Invoice, "es-invoice", "2032-12-31", "2033-12-31"),
        ("FR", Kind::Invoice, "fr-invoice", "2036-12-31", "2037-12-31"),
        ("GB", Kind::Invoice, "gb-invoice", "2032-12-31", "2033-12-31"),
        ("IT", Kind::Invoice, "it-invoice", "2036-12-31", "2037-12-31"),
        ("NL", Kind::Invoice, "nl-invoice", "2033-12-31", "2034-12-31"),
        ("PL", Kind::Invoice, "pl-invoice", "2032-12-31", "2033-12-31"),
        ("US", Kind::Invoice, "us-invoice", "2033-12-31", "2034-12-31"),
    ] {
        let rule = at_home_in(country).rule(kind, "inbox", false);
        assert_eq!((rule.row.as_str(), rule.country.as_str()), (row, country));
        assert!(!rule.source.is_empty());
        let expected = (keep_until.to_owned(), delete_by.to_owned());
        assert_eq!(dates(&rule, date(2026, 6, 15)), expected, "{country} {}", kind.name());
    }
}

#[test]
fn what_is_never_booked_is_kept_for_some_days_whatever_it_is() {
    for kind in Kind::ALL {
        let rule = shipped().rule(kind, "inbox", true);
        assert_eq!((rule.row.as_str(), rule.sure), ("unbooked", Sure::Choice));
        assert_eq!(dates(&rule, date(2026, 6, 15)), ("2026-09-13".to_owned(), "2026-10-13".to_owned()));
    }
}

#[test]
fn the_row_that_says_most_counts_wherever_it_stands() {
    let row = |id: &str, rest: &str| {
        format!(
            "\n[[retention]]\nid = \"{id}\"\n{rest}\nstart = \"day\"\nkeep = \"1 day\"\nat_most = \"1 day\"\nsure = \"choice\"\nsource = \"us\"\n"
        )
    };
    let head = "home = \"DE\"\nfinancial_year_end = 12\ntax_period_months = 12\n[channels]\nwien = \"AT\"\n";
    let rows = [
        row("all", ""),
        row("kind", "kinds = [\"invoice\", \"contract\"]"),
        row("country", "country = \"DE\""),
        row("both", "kinds = [\"invoice\", \"order\"]\ncountry = \"DE\""),
        row("abroad", "kinds = [\"invoice\"]\ncountry = \"AT\""),
        row("not", "unbooked = true"),
    ];
    let backwards = rows.iter().rev().map(String::as_str).collect::<String>();
    for text in [rows.concat(), backwards] {
        let rows = Retention::parse(NAME, &format!("{head}{text}")).unwrap();
        let id = |kind, channel, unbooked| rows.rule(kind, channel, unbooked).row;
        assert_eq!(id(Kind::Invoice, "inbox", false), "both");
        assert_eq!(id(Kind::Contract, "inbox", false), "country");
        assert_eq!(id(Kind::Invoice, "wien", false), "abroad");
        assert_eq!(id(Kind::Contract, "wien", false), "kind");
        assert_eq!(id(Kind::Order, "wien", false), "all");
        assert_eq!(id(Kind::Invoice, "inbox", true), "not");
    }
}

#[test]
fn a_period_begins_the_day_after_the_year_the_tax_period_or_the_day() {
    let rule = |start: &str, keep: &str, end: i8, months: i8| {
        let text = SHIPPED
            .replacen(
                "start = \"calendar-year\"\nkeep = \"8 years\"\nat_most = \"9 years\"",
                &format!("start = \"{start}\"\nkeep = \"{keep}\"\nat_most = \"200 years\""),
                1,
            )
            .replace("financial_year_end = 12", &format!("financial_year_end = {end}"))
            .replace("tax_period_months = 12", &format!("tax_period_months = {months}"));
        Retention::parse(NAME, &text).unwrap().rule(Kind::Invoice, "inbox", false)
    };
    for (start, keep, end, months, ended, keep_until) in [
        ("calendar-year", "8 years", 12, 12, date(2026, 1, 1), date(2034, 12, 31)),
        ("calendar-year", "8 years", 12, 12, date(2026, 12, 31), date(2034, 12, 31)),
        ("financial-year", "1 year", 3, 12, date(2026, 3, 31), date(2027, 3, 31)),
        ("financial-year", "1 year", 3, 12, date(2026, 4, 1), date(2028, 3, 31)),
        // A year that ends in February: the anniversary is that of its first day.
        ("financial-year", "1 year", 2, 12, date(2027, 2, 28), date(2028, 2, 29)),
        ("day-after-financial-year", "1 year", 2, 12, date(2027, 2, 28), date(2028, 2, 29)),
        ("tax-period", "1 year", 12, 3, date(2026, 6, 30), date(2027, 6, 30)),
        ("tax-period", "1 year", 12, 3, date(2026, 7, 1), date(2027, 9, 30)),
        ("tax-period", "1 year", 12, 1, date(2026, 7, 1), date(2027, 7, 31)),
        ("tax-period", "1 year", 12, 12, date(2026, 7, 1), date(2027, 12, 31)),
        ("day", "90 days", 12, 12, date(2026, 1, 1), date(2026, 4, 1)),
        ("day", "1 month", 12, 12, date(2026, 1, 30), date(2026, 2, 27)),
        ("day", "0 days", 12, 12, date(2026, 1, 1), date(2026, 1, 1)),
        ("calendar-year", "200 years", 12, 12, date(9998, 1, 1), date(9999, 12, 31)),
        ("financial-year", "1 year", 3, 12, date(9999, 12, 31), date(9999, 12, 31)),
    ] {
        let clocks = rule(start, keep, end, months).keep(ended, None).clocks.unwrap();
        assert_eq!(clocks.keep_until, keep_until, "{start} {keep} {ended}");
        assert!(clocks.keep_until <= clocks.delete_by);
    }
}

#[test]
fn a_document_that_is_dated_ahead_counts_from_its_date_and_an_absurd_one_does_not() {
    let rule = shipped().rule(Kind::Invoice, "inbox", false);
    for (dated, keep_until) in [
        ("2027-01-15", date(2035, 12, 31)),
        ("2025-12-31", date(2034, 12, 31)),
        ("9999-12-31", date(2034, 12, 31)),
        ("-9999-01-01", date(2034, 12, 31)),
        ("soon", date(2034, 12, 31)),
    ] {
        let keep = rule.keep(date(2026, 12, 28), Some(&values(&[(FieldName::IssueDate, dated)])));
        assert_eq!(keep.clocks.unwrap().keep_until, keep_until, "{dated}");
    }
}

#[test]
fn a_contract_counts_from_the_end_of_the_year_in_which_it_ends_and_waits_where_nobody_knows_that() {
    let rule = shipped().rule(Kind::Contract, "inbox", false);
    let ended = date(2026, 6, 15);
    let until = |fields: &[(FieldName, &str)]| rule.keep(ended, Some(&values(fields))).clocks.map(|it| it.keep_until);
    assert_eq!(until(&[(FieldName::ExpirationDate, "2030-03-31")]), Some(date(2040, 12, 31)));
    // It came in after its end.
    assert_eq!(until(&[(FieldName::ExpirationDate, "1999-03-31")]), Some(date(2036, 12, 31)));
    assert_eq!(until(&[]), None);
    assert_eq!(until(&[(FieldName::ExpirationDate, "2030-03-31"), (FieldName::Renewal, "12 months")]), None);
    assert!(rule.told() && !rule.permanent());
    assert_eq!(rule.clocks(date(2031, 2, 1)).unwrap().keep_until, date(2041, 12, 31));
}

#[test]
fn what_is_permanent_has_no_clocks() {
    let permanent = "start = \"calendar-year\"\nkeep = \"permanent\"";
    let text = SHIPPED.replacen("start = \"calendar-year\"\nkeep = \"8 years\"\nat_most = \"9 years\"", permanent, 1);
    let rule = Retention::parse(NAME, &text).unwrap().rule(Kind::Invoice, "inbox", false);
    assert_eq!(rule.keep(date(2026, 6, 15), None).clocks, None);
    assert!(rule.permanent());
}

#[test]
fn what_a_case_carries_is_read_back_as_it_was() {
    for country in ["DE", "CN", "GB"] {
        for kind in Kind::ALL {
            let keep = at_home_in(country).rule(kind, "inbox", false).keep(date(2026, 6, 15), None);
            let text = serde_json::to_string(&keep).unwrap();
            assert_eq!(serde_json::from_str::<Keep>(&text).unwrap(), keep);
        }
    }
}

/// Puts `mistake` in the place of `right` in the shipped file; the refusal stands where `wrong` last is, in quotes or not.
#[track_caller]
fn refused(right: &str, mistake: &str, wrong: &str, expected: &str) {
    let outside = |at: &usize| !SHIPPED[..*at].rsplit('\n').next().unwrap().starts_with('#');
    let start = SHIPPED.match_indices(right).map(|(at, _)| at).find(outside).expect(right);
    let text = [&SHIPPED[..start], mistake, &SHIPPED[start + right.len()..]].concat();
    let refused = Retention::parse(NAME, &text).unwrap_err();
    assert!(refused.message.contains(expected), "{refused}");
    let at = start + mistake.find(wrong).unwrap();
    let before = &text[..at];
    let place = (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap().chars().count() + 1);
    assert_eq!((refused.line, refused.column), place, "{refused}");
    assert!(refused.to_string().starts_with("retention.toml:"));
}

#[test]
fn a_mistake_is_refused_at_its_place() {
    let kinds = "kinds = [\"invoice\", \"credit_note\", \"receipt_note\"";
    refused(kinds, &kinds.replace("invoice", "bill"), "\"bill\"", "unknown variant `bill`");
    refused("keep = \"10 years\"", "years = 10", "years", "unknown field `years`, expected one of `id`");
    refused("keep = \"10 years\"", "keep = 10", "10", "expected a string");
    for wrong in ["ten years", "10years", "10", "-1 years", "+1 years", "1.5 years", " 10 years", "10 weeks", ""] {
        let mistake = format!("keep = \"{wrong}\"");
        refused("keep = \"10 years\"", &mistake, &format!("\"{wrong}\""), "is no length of time; expected \"8 years\"");
    }
    refused("keep = \"10 years\"", "keep = \"201 years\"", "\"201", "is longer than the 200 years allowed");
    refused("keep = \"10 years\"", "keep = \"99999999 years\"", "\"9", "is longer than the 200 years allowed");
    refused(
        "start = \"calendar-year\"",
        "start = \"year\"",
        "\"year\"",
        "unknown variant `year`, expected one of `calendar-year`",
    );
    refused("sure = \"choice\"", "sure = \"certain\"", "\"certain\"", "expected one of `read`, `known`, `choice`");
    refused("source = \"no legal", "source = \" \" #", "\" \"", "expected the law, or whose choice it is");
    refused("home = \"DE\"", "home = \"de\"", "\"de\"", "`de` is not a country of ISO 3166-1; expected \"DE\"");
    refused("home = \"DE\"", "home = \"UK\"", "\"UK\"", "no row is for the country `UK`");
    refused("[channels]", "[channels]\nwien = \"XX\"", "\"XX\"", "no row is for the country `XX`");
    refused("[channels]", "[channels]\nwien = \"Wien\"", "\"Wien\"", "`Wien` is not a country of ISO 3166-1");
    refused("country = \"AT\"", "country = \"Austria\"", "\"Austria\"", "`Austria` is not a country of ISO 3166-1");
    refused("financial_year_end = 12", "financial_year_end = 13", "13", "`financial_year_end` is 13; expected 1 to 12");
    refused(
        "tax_period_months = 12",
        "tax_period_months = 5",
        "5",
        "`tax_period_months` is 5; expected 1, 2, 3, 4, 6 or 12",
    );
    refused("tax_period_months = 12", "tax_period_months = 0", "0", "expected 1 to 12");
}

#[test]
fn rows_that_contradict_themselves_or_each_other_are_refused_at_their_place() {
    let booked = "id = \"booked\"\nstart = \"calendar-year\"\nkeep = \"10 years\"\nat_most = \"11 years\"";
    let with = |from: &str, to: &str| booked.replace(from, to);
    refused(
        booked,
        &with("\"11 years\"", "\"9 years\""),
        "\"booked\"",
        "should be erased after 9 years and must be kept 10 years",
    );
    refused(booked, &with("\"11 years\"", "\"119 months\""), "\"booked\"", "should be erased after 119 months");
    refused(booked, &with("at_most = \"11 years\"", ""), "\"booked\"", "does not say when it should be erased");
    refused(booked, &with("\"10 years\"", "\"permanent\""), "\"booked\"", "is kept for ever: expected no `at_most`");
    refused(booked, &with("start", "kinds = []\nstart"), "\"booked\"", "is for no document");
    let unbooked = "id = \"unbooked\"\nunbooked = true\nstart = \"day\"";
    refused(
        unbooked,
        &unbooked.replace("\"day\"", "\"while-in-use\""),
        "\"unbooked\"",
        "starts with a day that nobody knows",
    );
    refused("id = \"us-invoice\"", "id = \"at-invoice\"", "\"at-invoice\"", "retention `at-invoice` stands here twice");
    let at = "id = \"at-invoice\"\nkinds = [\"invoice\", \"credit_note\"]\ncountry = \"AT\"";
    refused(
        at,
        &at.replace("AT", "DE"),
        "\"at-invoice\"",
        "retention `at-invoice` and `de-voucher` both say how long invoice is kept",
    );
}

#[test]
fn a_file_without_the_rows_for_everything_else_is_refused() {
    for (wrong, what) in [
        (SHIPPED.replace("id = \"booked\"", "id = \"booked\"\ncountry = \"SE\""), "without `unbooked`"),
        (
            SHIPPED.replace("unbooked = true\nstart", "unbooked = true\nkinds = [\"order\"]\nstart"),
            "with `unbooked = true`",
        ),
    ] {
        let refused = Retention::parse(NAME, &wrong).unwrap_err().to_string();
        assert!(refused.starts_with("retention.toml:1:1: expected one row ") && refused.contains(what), "{refused}");
    }
}

#[test]
fn a_policy_answers_by_its_rows() {
    let policy = Policy::parse(crate::SHIPPED).unwrap();
    assert_eq!(policy.retention(Kind::Invoice, "inbox", false), shipped().rule(Kind::Invoice, "inbox", false));
    assert_eq!(policy.retention(Kind::Invoice, "inbox", true).row, "unbooked");
}

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;
use crate::shipped_with as policy;
use serde_json::{Value, json};

mod taxes;

/// The reader's answer on a sound document.
fn sound() -> Value {
    let field =
        |value: &str| json!({"value": value, "confidence": 0.9, "evidence": {"path": "/Invoice", "text": value}});
    json!({
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
    })
}

/// Findings of a document whose reader's answer differs from a sound one by `change`, as `CODE` or `CODE rule`.
#[track_caller]
fn check(change: impl FnOnce(&mut Value), expected: &[&str]) {
    let mut answer = sound();
    change(&mut answer);
    let policy = policy(&[]);
    let extraction = Extraction::from_untrusted(answer.to_string().as_bytes()).unwrap();
    let found = validate(&extraction, &policy, jiff::civil::date(2026, 6, 15));
    for finding in &found {
        // The verdict can be made again from the finding alone, and from figures wherever it rests on some.
        assert_eq!(finding.again(), Some(finding.code), "{finding:?}");
        assert_eq!(finding.again_under(&policy), Some(finding.code), "{finding:?}");
        let said_by_the_reader = finding.rule.starts_with("read.") && finding.operands.is_empty();
        let of_one_value =
            matches!(finding.code, Code::Unreadable | Code::Standard | Code::StandardHint | Code::Absent);
        let of_a_contract = finding.rule.starts_with("contract.");
        let breach = extraction.breaches.iter().any(|it| it.rule == finding.rule);
        let without = said_by_the_reader || of_one_value || of_a_contract || breach;
        assert!(finding.basis.is_some() || without, "{finding:?}");
    }
    let found = found.iter().map(|it| format!("{:?} {} {}", it.severity, it.code.name(), it.rule)).collect::<Vec<_>>();
    assert_eq!(found, expected);
}

fn set(answer: &mut Value, pointer: &str, value: impl Into<Value>) {
    *answer.pointer_mut(pointer).unwrap() = value.into();
}

fn remove(answer: &mut Value, name: &str) {
    assert!(answer["fields"].as_object_mut().unwrap().remove(name).is_some());
}

#[test]
fn a_sound_document_has_nothing_wrong_with_it() {
    check(|_| (), &[]);
    check(|it| set(it, "/format", "ubl"), &[]);
}

#[test]
fn what_was_not_fully_read_is_held() {
    check(|it| set(it, "/coverage/pages", 2), &["Hold COVERAGE read.coverage"]);
    check(|it| set(it, "/coverage/hidden_text", 1), &["Hold HIDDEN_TEXT read.hidden"]);
    for (code, expected) in [
        ("page_without_picture", &["Hold COVERAGE read.page_without_picture"][..]),
        ("needs_ocr", &["Hold NEEDS_OCR read.needs_ocr"][..]),
        ("tracked_changes", &["Hold TRACKED_CHANGES read.tracked_changes"]),
        ("value_unreadable", &["Hold VALUE read.value_unreadable"]),
        ("second_table", &["Hold COVERAGE read.second_table"]),
        ("several_invoices", &["Hold COVERAGE read.several_invoices"]),
        ("cut", &["Hold COVERAGE read.cut"]),
        ("several_values", &["Review LOW_CONFIDENCE read.several_values"]),
        ("changed_after_signing", &["Review ALTERED read.changed_after_signing"]),
        ("comments", &["Info READER_NOTE read.comments"]),
        ("hidden_text", &["Info READER_NOTE read.hidden_text"]),
    ] {
        check(|it| set(it, "/notes", json!([{"code": code, "message": "a note"}])), expected);
    }
}

#[test]
fn a_required_value_that_is_missing_unsure_or_no_value_is_held() {
    check(|it| remove(it, "number"), &["Hold MISSING BR-02"]);
    check(|it| set(it, "/fields/number/confidence", 0.89), &["Review LOW_CONFIDENCE read.confidence"]);
    check(|it| set(it, "/fields/number/confidence", 0.9), &[]);
    check(|it| set(it, "/fields/issue_date/value", "10.06.2026"), &["Hold VALUE read.value"]);
    check(|it| set(it, "/fields/currency/value", "€"), &["Hold VALUE read.value"]);
    check(|it| set(it, "/fields/gross_total/value", "11,89"), &["Hold VALUE read.value"]);
    check(|it| set(it, "/fields/gross_total/value", "10000000000000.01"), &["Hold VALUE read.value"]);
    check(|it| (set(it, "/format", "cii"), remove(it, "number")).1, &["Stop BR-02 BR-02"]);
}

#[test]
fn a_page_may_show_one_total_and_no_sum_of_lines() {
    check(|it| remove(it, "payable"), &[]);
    check(|it| remove(it, "gross_total"), &[]);
    check(|it| remove(it, "line_total"), &[]);
    // What was rounded may stand in the total or not: before anybody approves it, somebody says which.
    let rounded = |by: &'static str, payable: &'static str| {
        move |it: &mut Value| {
            remove(it, "gross_total");
            it["fields"]["rounding"] = it["fields"]["payable"].clone();
            set(it, "/fields/rounding/value", by);
            set(it, "/fields/payable/value", payable);
        }
    };
    check(rounded("0.00", "11.89"), &[]);
    check(rounded("0.01", "11.90"), &["Hold MISSING BR-14"]);
    check(|it| (remove(it, "payable"), remove(it, "gross_total")).1, &["Hold MISSING BR-14", "Hold MISSING BR-15"]);
}

#[test]
fn a_lines_amount_is_quantity_times_price_within_the_rounding_of_the_price() {
    // 3 × 3.33: the printed price may be anything from 3.325 to 3.335.
    let line = |net: &'static str| {
        move |it: &mut Value| {
            for name in ["line_total", "net_total"] {
                set(it, &format!("/fields/{name}/value"), net);
            }
            set(it, "/fields/vat_breakdown/0/taxable/value", net);
            set(it, "/lines/0/net_amount/value", net);
            remove(it, "gross_total");
            set(it, "/fields/payable/value", (net.parse::<Decimal>().unwrap() + Decimal::new(190, 2)).to_string());
        }
    };
    check(line("10.00"), &[]);
    check(line("10.01"), &["Hold LINE_AMOUNT PEPPOL-EN16931-R120"]);
}

#[test]
fn vat_without_a_breakdown_is_explained_by_the_lines_or_held() {
    let none = |it: &mut Value| set(it, "/fields/vat_breakdown", json!([]));
    check(none, &["Hold TAX check.tax_rate_missing"]);
    let rate = |rate: &'static str| {
        move |it: &mut Value| {
            none(it);
            let field = json!({"value": rate, "confidence": 0.9, "evidence": {"path": "/Invoice", "text": rate}});
            it["lines"][0]["vat_rate"] = field;
        }
    };
    check(rate("19"), &[]);
    check(rate("7"), &["Hold TAX check.tax"]);
    // Nothing is charged, nothing is to be explained.
    check(
        |it| {
            none(it);
            remove(it, "tax_total");
            set(it, "/fields/gross_total/value", "9.99");
            set(it, "/fields/payable/value", "9.99")
        },
        &[],
    );
}

/// What the reader says of the published rules, for a document that names its specification.
fn breach(rules: &'static [(&'static str, bool)]) -> impl Fn(&mut Value) {
    move |it| {
        set(it, "/format", "ubl");
        it["profile"] = json!("en16931");
        let breach = |(rule, fatal): &(&str, bool)| {
            json!({"rule": rule, "fatal": fatal, "message": "a rule", "terms": ["BT-1"],
                   "evidence": {"path": "/Invoice", "text": ""}})
        };
        it["breaches"] = rules.iter().map(breach).collect();
    }
}

#[test]
fn a_broken_rule_of_the_standard_is_held_and_a_warning_is_not() {
    check(breach(&[]), &[]);
    check(breach(&[("BR-CL-23", true)]), &["Hold STANDARD BR-CL-23"]);
    check(breach(&[("BR-CO-10", true)]), &["Stop BR-CO-10 BR-CO-10"]);
    check(breach(&[("BR-51", false)]), &["Info STANDARD_HINT BR-51"]);
}

#[test]
fn a_published_id_is_given_once_and_by_the_published_checks_alone() {
    let without_number = |rules| {
        move |it: &mut Value| {
            breach(rules)(it);
            remove(it, "number");
        }
    };
    check(without_number(&[("BR-02", true)]), &["Stop BR-02 BR-02"]);
    // What is wrong for us and passes there keeps its weight under a name of ours.
    check(without_number(&[]), &["Hold ARITH check.br-02"]);
    let line = |it: &mut Value| {
        breach(&[])(it);
        set(it, "/lines/0/quantity/value", "4")
    };
    check(line, &["Hold LINE_AMOUNT check.peppol-en16931-r120"]);
}

#[test]
fn what_a_person_corrected_is_computed_anew_and_the_other_rules_still_stand() {
    let field =
        |value: &str| json!({"value": value, "confidence": 0.9, "evidence": {"path": "/Invoice", "text": value}});
    let mut answer = json!({
        "kind": "invoice", "format": "ubl", "coverage": {"pages": 1, "read": 1, "hidden_text": 0},
        "fields": {"issue_date": field("2026-06-10"), "currency": field("EUR"),
            "seller_name": field("Nordwind GmbH"), "buyer_name": field("Hafenkontor AG"),
            "line_total": field("9.99"), "net_total": field("9.99"), "tax_total": field("1.90"),
            "gross_total": field("11.89"), "payable": field("11.89"),
            "vat_breakdown": [{"rate": field("19"), "taxable": field("9.99"), "tax": field("1.90")}]},
        "lines": [{"net_amount": field("9.99")}],
    });
    breach(&[("BR-02", true), ("BR-CL-23", true)])(&mut answer);
    answer["fields"]["number"] = field("1");
    let extraction = Extraction::from_untrusted(answer.to_string().as_bytes()).unwrap();
    let rules = examined(&extraction, &policy(&[]), jiff::civil::date(2026, 6, 15), true).findings;
    let rules: Vec<&str> = rules.iter().map(|it| it.rule.as_str()).collect();
    assert_eq!(rules, ["BR-CL-23"]);
}

#[test]
fn a_kind_that_is_not_processed_can_only_be_rejected() {
    check(|it| set(it, "/kind", "bank_statement"), &["Stop KIND_UNKNOWN read.kind"]);
    check(|it| set(it, "/kind", "unknown"), &["Stop KIND_UNKNOWN read.kind"]);
}

#[test]
fn a_contract_has_two_parties_a_law_and_a_clause_on_liability() {
    check(
        |it| set(it, "/kind", "contract"),
        &[
            "Hold MISSING contract.parties",
            "Hold ABSENT contract.required_clause",
            "Hold ABSENT contract.required_clause",
        ],
    );
}

/// 10¹³ for 10⁻¹² units, times such a quantity, is 7 × 10¹² short of the largest figure that can be computed at all.
#[test]
fn figures_beyond_all_reason_are_a_finding_and_do_not_end_the_program() {
    let absurd = |it: &mut Value| {
        for (name, figure) in [
            ("unit_price", "10000000000000"),
            ("price_base", "0.000000000001"),
            ("quantity", "7922.816251426433"),
            ("charge", "10000000000000"),
        ] {
            let field = json!({"value": figure, "confidence": 0.9, "evidence": {"path": "/Invoice", "text": figure}});
            it["lines"][0][name] = field;
        }
    };
    check(absurd, &["Hold LINE_AMOUNT PEPPOL-EN16931-R120"]);
}

#[test]
fn a_fatturapa_foots_to_the_cent_with_what_is_stated_beside_its_vat() {
    let field =
        |value: &str| json!({"value": value, "confidence": 0.9, "evidence": {"path": "/Invoice", "text": value}});
    let italian = |gross: &str, beside: &[(&str, &str)], expected: &[&str]| {
        let change = |it: &mut Value| {
            set(it, "/format", "fatturapa");
            remove(it, "line_total");
            for name in ["gross_total", "payable"] {
                it["fields"][name] = field(gross);
            }
            for (name, value) in beside {
                it["fields"][*name] = field(value);
            }
        };
        check(change, expected);
    };
    italian("11.89", &[], &[]);
    italian("11.88", &[], &["Stop BR-CO-15 BR-CO-15"]);
    italian("11.88", &[("rounding", "-0.01")], &[]);
    italian("13.89", &[("stamp_duty", "2.00")], &[]);
    italian("11.89", &[("stamp_duty", "2.00")], &[]);
    italian("10.89", &[("allowance_total", "1.00")], &[]);
    italian("12.88", &[("allowance_total", "1.00"), ("stamp_duty", "2.00"), ("rounding", "-0.01")], &[]);
    italian("12.87", &[("allowance_total", "1.00"), ("stamp_duty", "2.00")], &["Stop BR-CO-15 BR-CO-15"]);
}

#[test]
fn vat_is_rounded_to_whole_units_where_there_are_no_smaller_ones() {
    let in_currency = |currency: &'static str, expected: &[&str]| {
        let change = move |it: &mut Value| {
            set(it, "/fields/currency/value", currency);
            for (pointer, value) in [
                ("/fields/tax_total/value", "2"),
                ("/fields/vat_breakdown/0/tax/value", "2"),
                ("/fields/gross_total/value", "11.99"),
                ("/fields/payable/value", "11.99"),
            ] {
                set(it, pointer, value);
            }
        };
        check(change, expected);
    };
    in_currency("EUR", &["Hold TAX check.tax"]);
    in_currency("JPY", &[]);
    in_currency("HUF", &[]);
}

#[test]
fn the_first_zugferd_is_not_asked_for_what_its_basic_profile_cannot_say() {
    let basic = |it: &mut Value| {
        set(it, "/format", "cii");
        remove(it, "payable");
        it["lines"] = json!([{"quantity": it["lines"][0]["quantity"]}]);
    };
    check(basic, &[]);
    let of_the_standard = |it: &mut Value| {
        basic(it);
        it["profile"] = json!("en16931");
    };
    check(of_the_standard, &["Hold ARITH check.br-15", "Hold MISSING check.br-24"]);
}

#[test]
fn vat_without_a_rate_passes_where_the_profile_has_no_place_for_one() {
    for (profile, expected) in [("factur-x-minimum", &[][..]), ("factur-x-basic", &["Hold TAX check.tax_rate_missing"])]
    {
        let change = |it: &mut Value| {
            set(it, "/format", "factur-x");
            remove(it, "vat_breakdown");
            it["profile"] = json!(profile);
        };
        check(change, expected);
    }
}

#[test]
fn a_printed_day_to_pay_by_before_the_day_of_issue_is_looked_at() {
    let due = |day: &'static str, format: &'static str| {
        move |it: &mut Value| {
            it["fields"]["due_date"] = it["fields"]["issue_date"].clone();
            set(it, "/fields/due_date/value", day);
            set(it, "/format", format);
        }
    };
    check(due("2026-06-09", "pdf-text"), &["Review DUE_EARLY check.due_early"]);
    check(due("2026-06-10", "pdf-text"), &[]);
    check(due("2026-06-09", "ubl"), &[]);
}

/// The one finding of a document that differs from a sound one by `change`, and what it is under a policy of these changes.
#[track_caller]
fn again(change: impl FnOnce(&mut Value), of: &[(&str, &str)], under: &[(&str, &str)], expected: [Option<Code>; 2]) {
    let mut answer = sound();
    change(&mut answer);
    let extraction = Extraction::from_untrusted(answer.to_string().as_bytes()).unwrap();
    let found = validate(&extraction, &policy(of), jiff::civil::date(2026, 6, 15));
    assert!(found.len() <= 1, "{found:?}");
    let again = found.first().map(|it| it.again_under(&policy(under)));
    assert_eq!([found.first().map(|it| it.code), again.flatten()], expected);
}

#[test]
fn a_finding_by_a_limit_of_the_policy_is_judged_again_by_another() {
    let dated = |day: &'static str| move |it: &mut Value| set(it, "/fields/issue_date/value", day);
    again(dated("2025-12-16"), &[], &[("stale_days = 180", "stale_days = 181")], [Some(Code::Stale), None]);
    again(dated("2025-12-16"), &[], &[("stale_days = 180", "stale_days = 18")], [Some(Code::Stale), Some(Code::Stale)]);
    again(dated("2026-06-17"), &[], &[("future_days = 0", "future_days = 2")], [Some(Code::DateFuture), None]);
    let closed = [("stale_days = 180", "stale_days = 180\nclosed_until = \"2026-06-10\"")];
    let reopened = [("stale_days = 180", "stale_days = 180\nclosed_until = \"2026-06-09\"")];
    again(|_| (), &closed, &closed, [Some(Code::Period), Some(Code::Period)]);
    again(|_| (), &closed, &reopened, [Some(Code::Period), None]);
    again(|_| (), &closed, &[], [Some(Code::Period), None]);
    let unsure = |it: &mut Value| set(it, "/fields/number/confidence", 0.89);
    again(unsure, &[], &[("error_rate_max = 0.1", "error_rate_max = 0.11")], [Some(Code::LowConfidence), None]);
    let same = Some(Code::LowConfidence);
    again(unsure, &[], &[("error_rate_max = 0.1", "error_rate_max = 0.109")], [same, same]);
}

#[test]
fn a_small_difference_on_a_page_is_a_note_up_to_the_limit_and_held_beyond_it() {
    let limit = |max: &'static str| [("upper_abs = \"1.00\"      # sums", max)];
    let [tight, none] = [limit("upper_abs = \"0.39\" # sums"), limit("upper_percent = \"0.1\" # sums")];
    // The lines add up to 9.99.
    let off = |it: &mut Value| {
        for (name, value) in [
            ("line_total", "10.39"),
            ("net_total", "10.39"),
            ("vat_breakdown/0/taxable", "10.39"),
            ("vat_breakdown/0/tax", "1.97"),
            ("tax_total", "1.97"),
            ("gross_total", "12.36"),
            ("payable", "12.36"),
        ] {
            set(it, &format!("/fields/{name}/value"), value);
        }
    };
    again(off, &[], &tight, [Some(Code::SmallDiff), Some(Code::Arith)]);
    again(off, &[], &none, [Some(Code::SmallDiff), Some(Code::Arith)]);
    again(off, &tight, &[], [Some(Code::Arith), Some(Code::SmallDiff)]);
    let written = |it: &mut Value| (off(it), set(it, "/format", "ubl")).1;
    again(written, &[], &[], [Some(Code::BrCo10), Some(Code::BrCo10)]);
}

#[test]
fn vat_is_within_the_limit_of_the_policy_and_of_the_standard() {
    let taxed = |tax: &'static str, gross: &'static str| {
        move |it: &mut Value| {
            for name in ["vat_breakdown/0/tax", "tax_total"] {
                set(it, &format!("/fields/{name}/value"), tax);
            }
            for name in ["gross_total", "payable"] {
                set(it, &format!("/fields/{name}/value"), gross);
            }
        }
    };
    again(taxed("1.95", "11.94"), &[], &[], [None, None]);
    again(taxed("1.96", "11.95"), &[], &[("\"0.05\"", "\"0.06\"")], [Some(Code::Tax), None]);
    let written = |tax, gross| move |it: &mut Value| (taxed(tax, gross)(it), set(it, "/format", "ubl")).1;
    again(written("2.90", "12.89"), &[], &[("\"0.05\"", "\"1.00\"")], [Some(Code::Tax), None]);
    // What the standard does not let pass, no policy does.
    again(written("2.91", "12.90"), &[], &[("\"0.05\"", "\"9.00\"")], [Some(Code::BrCo17), Some(Code::BrCo17)]);
}

/// Operands and places are what a reviewer sees of a verdict.
#[test]
fn a_finding_names_its_figures_and_where_they_stand() {
    let mut answer = sound();
    set(&mut answer, "/fields/issue_date/value", "2025-12-16");
    let extraction = Extraction::from_untrusted(answer.to_string().as_bytes()).unwrap();
    let found = validate(&extraction, &policy(&[]), jiff::civil::date(2026, 6, 15));
    let [stale] = found.as_slice() else { panic!("{found:?}") };
    let operands: Vec<(&str, &str)> =
        stale.operands.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [("age_days", "181"), ("issued", "2025-12-16"), ("stale_days", "180"), ("today", "2026-06-15")];
    assert_eq!(operands, expected);
    let basis = stale.basis.as_ref().unwrap();
    assert_eq!(basis.places.get("stale_days"), Some(&Place::Policy("tolerances.toml, dates.stale_days".into())));
    assert_eq!(basis.places.get("issued"), Some(&Place::Document(stale.evidence[0].clone())));
    assert_eq!((stale.evidence.len(), stale.fields.as_slice()), (1, &["issue_date".to_owned()][..]));
}

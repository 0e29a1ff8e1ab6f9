#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use serde_json::{Value, json};

use crate::{Extraction, Policy};

/// Rules that find something in an invoice that differs from a sound one by `change`.
#[track_caller]
fn check(change: impl FnOnce(&mut Value), expected: &[&str]) {
    let field =
        |value: &str| json!({"value": value, "confidence": 0.99, "evidence": {"path": "/EInvoice", "text": value}});
    let line = |quantity: &str, price: &str, net: &str, rate: &str, tax: &str| json!({"quantity": field(quantity), "unit_price": field(price), "net_amount": field(net), "vat_rate": field(rate), "tax": field(tax)});
    let mut answer = json!({
        "kind": "invoice", "format": "fapiao-xml", "coverage": {"pages": 1, "read": 1, "hidden_text": 0},
        "fields": {
            "number": field("26352000000000000001"), "issue_date": field("2026-06-10"), "currency": field("CNY"),
            "fapiao_kind": field("普通发票"),
            "seller_name": field("福州示范有限公司"), "seller_tax_id": field("91350100M000100Y43"),
            "buyer_name": field("个人"),
            "net_total": field("300.00"), "tax_total": field("22.00"), "gross_total": field("322.00"),
            "gross_upper": field("叁佰贰拾贰圆整"), "qr": field("01,32,,26352000000000000001,322.00,20260610,,ABCD"),
        },
        "lines": [line("3", "66.66666667", "200.00", "6", "12.00"), line("1", "100", "100.00", "9", "9.00"),
                  {"net_amount": field("0.00"), "vat_rate": field("13"), "tax": field("1.00")}],
        "notes": [],
    });
    // The tax of the last line: nothing, so that one change at a time shows.
    answer["lines"][2]["tax"] = field("0.00");
    answer["lines"][1]["tax"] = field("9.00");
    answer["fields"]["tax_total"] = field("21.00");
    answer["fields"]["gross_total"] = field("321.00");
    answer["fields"]["gross_upper"] = field("叁佰贰拾壹圆整");
    answer["fields"]["qr"] = field("01,32,,26352000000000000001,321.00,20260610,,ABCD");
    change(&mut answer);
    let policy = Policy::parse(crate::SHIPPED);
    let extraction = Extraction::from_untrusted(answer.to_string().as_bytes()).unwrap();
    let found = crate::validate(&extraction, &policy.unwrap(), jiff::civil::date(2026, 6, 15));
    let rules: Vec<&str> = found.iter().map(|it| it.rule.as_str()).collect();
    assert_eq!(rules, expected, "{found:#?}");
}

fn set(answer: &mut Value, name: &str, value: &str) {
    answer["fields"][name] = json!({"value": value, "confidence": 0.99, "evidence": {"path": "/E", "text": value}});
}

fn set_line(answer: &mut Value, idx: usize, name: &str, value: &str) {
    answer["lines"][idx][name] = json!({"value": value, "confidence": 0.99, "evidence": {"path": "/E", "text": value}});
}

#[test]
fn a_sound_chinese_invoice_has_nothing_wrong_with_it() {
    check(|_| (), &[]);
    check(|it| it["format"] = "ofd".into(), &[]);
}

#[test]
fn a_printed_chinese_invoice_lacks_its_signed_original() {
    check(|it| it["format"] = "pdf-text".into(), &["FP00_NO_ORIGINAL"]);
}

#[test]
fn its_number_is_one_that_the_tax_office_gives() {
    check(|it| set(it, "number", "2635200000000000001"), &["FP12_NUMBER_FORMAT", "FP18_QR_NUMBER"]);
    check(|it| set(it, "issue_date", "2025-12-31"), &["FP14_NUMBER_YEAR_NE_DATE", "FP20_QR_DATE"]);
    let old = |it: &mut Value| {
        set(it, "invoice_code", "035002000111");
        set(it, "number", "12345678");
        set(it, "qr", "01,10,035002000111,12345678,300.00,20260610,12345678901234567890,ABCD,");
    };
    check(old, &[]);
    check(
        |it| {
            old(it);
            set(it, "invoice_code", "3500")
        },
        &["FP11_CODE_FORMAT", "FP19_QR_CODE"],
    );
}

#[test]
fn its_taxpayers_have_sound_numbers_and_persons_are_named_as_such() {
    check(|it| set(it, "seller_tax_id", "91350100M000100Y44"), &["FP09_SELLER_ID_CHECK"]);
    check(|it| set(it, "buyer_tax_id", "91350100M000100Y"), &["FP09_BUYER_ID_CHECK"]);
    check(|it| set(it, "buyer_tax_id", "11010519491231002X01"), &["FP10_BUYER_ID_IS_PERSONAL_ID"]);
    check(|it| set(it, "buyer_tax_id", "110105123456789"), &[]);
}

#[test]
fn its_lines_and_totals_are_exact_but_for_what_the_tax_office_lets_pass() {
    check(|it| set_line(it, 0, "quantity", "4"), &["FP05_QTY_X_PRICE"]);
    check(|it| set_line(it, 0, "vat_rate", "7"), &["FP06_UNKNOWN_RATE", "FP04_TAX_NE_NET_X_RATE"]);
    check(|it| set_line(it, 0, "tax", "12.06"), &["FP03_LINES_TAX_SUM"]);
    check(|it| set_line(it, 0, "tax", "12.07"), &["FP04_TAX_NE_NET_X_RATE", "FP03_LINES_TAX_SUM"]);
    check(|it| set_line(it, 2, "net_amount", "0.01"), &["FP02_LINES_NET_SUM"]);
    let of_nothing = |it: &mut Value| {
        set_line(it, 2, "quantity", "1");
        set_line(it, 2, "unit_price", "0");
        set_line(it, 2, "net_amount", "0.01");
    };
    check(of_nothing, &["FP05_QTY_X_PRICE", "FP02_LINES_NET_SUM"]);
    check(|it| it["lines"] = json!([]), &["FP02_LINES_NET_SUM"]);
    check(|it| set(it, "tax_total", "21.01"), &["FP03_LINES_TAX_SUM", "FP01_GROSS_NE_NET_PLUS_TAX"]);
    let silent = |it: &mut Value| {
        (0..3).for_each(|idx| {
            it["lines"][idx].as_object_mut().unwrap().remove("tax");
        });
    };
    check(silent, &[]);
    let dearer = |it: &mut Value| {
        silent(it);
        set(it, "tax_total", "31.00");
        set(it, "gross_total", "331.00");
        set(it, "gross_upper", "叁佰叁拾壹圆整");
        set(it, "qr", "01,32,,26352000000000000001,331.00,20260610,,ABCD");
    };
    check(dearer, &["FP04_TAX_NE_NET_X_RATE"]);
}

#[test]
fn the_words_and_the_qr_code_say_what_the_figures_say() {
    check(|it| set(it, "gross_upper", "叁佰贰拾圆整"), &["FP08_UPPER_NE_FIGURE"]);
    check(|it| set(it, "gross_upper", "叁佰贰贰圆整"), &["FP07_UPPER_UNREADABLE"]);
    check(|it| set(it, "qr", "01,32,,26352000000000000001,321,20260610,,ABCD"), &[]);
    check(|it| set(it, "qr", "01,32,,26352000000000000001,300,20260610,,ABCD"), &["FP21_QR_AMOUNT"]);
    check(|it| set(it, "qr", "01,32,,26352000000000000001,much,20260610,,ABCD"), &["FP21_QR_AMOUNT"]);
    check(|it| set(it, "qr", "https://example.org/"), &["FP17_QR_FORMAT"]);
}

#[test]
fn an_invoice_in_red_is_negative_and_names_what_it_reverses() {
    let red = |it: &mut Value| {
        it["kind"] = "credit_note".into();
        set(it, "preceding_invoice", "26352000000000000009");
        for name in ["net_total", "tax_total", "gross_total"] {
            let value = format!("-{}", it["fields"][name]["value"].as_str().unwrap());
            set(it, name, &value);
        }
        for idx in 0..2 {
            for name in ["quantity", "net_amount", "tax"] {
                let value = format!("-{}", it["lines"][idx][name]["value"].as_str().unwrap());
                set_line(it, idx, name, &value);
            }
        }
        set(it, "gross_upper", "（负数）叁佰贰拾壹圆整");
        set(it, "qr", "01,32,,26352000000000000001,-321.00,20260610,,ABCD");
    };
    check(red, &[]);
    check(
        |it| {
            red(it);
            it["kind"] = "invoice".into()
        },
        &["FP15_BLUE_NEGATIVE"],
    );
    check(
        |it| {
            red(it);
            set(it, "preceding_invoice", "12")
        },
        &["FP16_RED_WITHOUT_ORIGINAL"],
    );
    check(|it| it["kind"] = "credit_note".into(), &["FP15_RED_NOT_NEGATIVE", "FP16_RED_WITHOUT_ORIGINAL"]);
}

#[test]
fn a_red_letter_is_matched_and_booked_as_a_credit_note_with_positive_amounts() {
    let field = |value: &str| json!({"value": value, "confidence": 0.9, "evidence": {"path": "/E", "text": value}});
    let answer = json!({
        "kind": "credit_note", "format": "ofd", "coverage": {"pages": 1, "read": 1, "hidden_text": 0},
        "fields": {"gross_total": field("-113.00"), "net_total": field("-100.00"), "tax_total": field("-13.00")},
        "lines": [{"quantity": field("-2"), "unit_price": field("50"), "net_amount": field("-100.00")}],
    });
    let extraction = Extraction::from_untrusted(answer.to_string().as_bytes()).unwrap();
    let (invoice, _) = crate::Invoice::of(&extraction);
    assert_eq!(invoice.totals.gross_total, "113.00".parse().ok());
    assert_eq!(invoice.lines[0].quantity, "2".parse().ok());
    assert_eq!(invoice.lines[0].unit_price, "50".parse().ok());
}

#[test]
fn vat_that_only_the_lines_state_is_found() {
    let change = |it: &mut Value| {
        assert!(it["fields"].as_object_mut().unwrap().remove("tax_total").is_some());
        it["fields"]["gross_total"]["value"] = json!("300.00");
        it["fields"]["gross_upper"]["value"] = json!("叁佰圆整");
        it["fields"]["qr"]["value"] = json!("01,32,,26352000000000000001,300.00,20260610,,ABCD");
    };
    check(change, &["FP03_LINES_TAX_SUM"]);
}

#![allow(clippy::unwrap_used)]
use super::*;

fn ordered(line: &str, item: Option<&str>, description: &str) -> OrderLine {
    OrderLine {
        order_id: "PO-1".into(),
        vendor_id: "V1".into(),
        currency: "EUR".into(),
        line: line.into(),
        quantity: 1.into(),
        unit: "EA".into(),
        unit_price: 1.into(),
        price_unit: 1.into(),
        item: item.map(Into::into),
        description: Some(description.into()),
        tax_rate: None,
        match_level: 3,
    }
}

/// Which order line an invoice line is for; `lines` of the order as number, item and description.
#[track_caller]
fn check(billed: (Option<&str>, Option<&str>, &str), lines: &[(&str, Option<&str>, &str)], expected: Option<&str>) {
    let (order_line, item, name) = billed;
    let answer = serde_json::json!({
        "kind": "invoice", "format": "csv", "coverage": {"pages": 1, "read": 1, "hidden_text": 0}, "fields": {}, "lines": [{}],
    });
    let extraction = Extraction::from_untrusted(answer.to_string().as_bytes()).unwrap();
    let mut line = Invoice::of(&extraction).0.lines.remove(0);
    line.order_line = order_line.map(Into::into);
    line.item = item.map(Into::into);
    line.name = Some(name.into());
    let lines = lines.iter().map(|(number, item, description)| ordered(number, *item, description)).collect();
    let order = OrderFacts { order_id: "PO-1".into(), lines, ..OrderFacts::default() };
    assert_eq!(fitting_line(&line, &order).map(|line| line.line.as_str()), expected);
}

#[test]
fn the_order_line_is_the_one_named_or_the_only_one_that_can_be_meant() {
    let two = [("10", Some("A-1"), "Bolts M6"), ("20", Some("A-2"), "Nuts M6")];
    check((Some("20"), None, "anything"), &two, Some("20"));
    check((Some("30"), Some("A-1"), "Bolts M6"), &two, None);
    check((None, Some("a 1"), "anything"), &two, Some("10"));
    check((None, None, "NUTS, M6"), &two, Some("20"));
    check((None, None, "Washers"), &two, None);
    check((None, None, "Washers"), &[("10", None, "Bolts")], Some("10"));
    check((None, None, "Bolts"), &[], None);
}

#[test]
fn where_two_order_lines_fit_none_is_guessed() {
    check((None, None, "Bolts"), &[("10", None, "Bolts"), ("20", None, "bolts")], None);
    check((Some("10"), None, "Bolts"), &[("10", None, "Bolts"), ("10", None, "Nuts")], None);
}

#[test]
fn units_are_the_same_by_code_or_by_name_and_never_by_likeness() {
    for (left, right) in [("C62", "EA"), ("Stk.", "pcs"), ("HUR", "Std."), ("kg", "KGM"), ("roll", "ROLL")] {
        assert!(same_unit(left, right), "{left} {right}");
    }
    for (left, right) in [("EA", "BOX"), ("M", "MON"), ("KGM", "G"), ("H", "D")] {
        assert!(!same_unit(left, right), "{left} {right}");
    }
}

#[test]
fn a_vat_id_is_the_same_with_or_without_its_country() {
    assert!(same_vat_id("DE129273398", "DE129273398"));
    assert!(same_vat_id("129273398", "DE129273398"));
    assert!(!same_vat_id("DE129273398", "DE136695976"));
    assert!(!same_vat_id("DE129273398", "8"));
    assert!(!same_vat_id("DE129273398", "FR129273398"));
}

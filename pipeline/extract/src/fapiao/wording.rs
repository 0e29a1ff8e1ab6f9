//! How Chinese invoices write rates and remarks.

use case::{Decimal, FieldName};

/// The rate of a line.
pub(super) enum Rate {
    /// In percent.
    Percent(String),
    /// No rate, and why: the category of UNTDID 5305 for what is exempt (E) or outside of the tax (O).
    None(&'static str),
}

/// `0.06`, `0.060000`, `6%` and `6` are six percent; there is no rate of 100 % or more, and none below one in a thousand
/// but zero.
pub(super) fn rate(text: &str) -> Option<Rate> {
    let text = text.trim();
    match text {
        "免税" => return Some(Rate::None("E")),
        "不征税" | "非应税" => return Some(Rate::None("O")),
        "出口零税率" | "普通零税率" | "零税率" => return Some(Rate::Percent("0".to_owned())),
        _ => {}
    }
    let (number, percent) = match text.strip_suffix(['%', '％']) {
        Some(number) => (number.trim(), true),
        None => (text, false),
    };
    let number: Decimal = number.parse().ok()?;
    if number < Decimal::ZERO || Decimal::ONE_HUNDRED <= number {
        return None;
    }
    let number = if percent || Decimal::ONE <= number { number } else { number.checked_mul(Decimal::ONE_HUNDRED)? };
    Some(Rate::Percent(number.normalize().to_string()))
}

/// What a remark says that has a field: the invoice that one in red reverses, a contract, an order.
pub(super) fn remark(text: &str) -> Vec<(FieldName, String)> {
    const LABELS: [(FieldName, &[&str]); 3] = [
        (
            FieldName::PrecedingInvoice,
            &[
                "被红冲蓝字数电票号码",
                "被红冲蓝字数电发票号码",
                "被红冲蓝字全电发票号码",
                "被红冲蓝字发票号码",
                "对应正数发票号码",
            ],
        ),
        (FieldName::ContractRef, &["合同编号", "合同号码", "合同号"]),
        (FieldName::OrderRef, &["采购订单编号", "采购订单号", "订单编号", "订单号码", "订单号"]),
    ];
    let mut found: Vec<(FieldName, String)> = LABELS
        .iter()
        .filter_map(|(name, labels)| Some((*name, labels.iter().find_map(|label| after(text, label))?)))
        .collect();
    // `对应正数发票代码:035002000111号码:12345678`, of the invoices that have a code.
    if let Some((_, rest)) = text.split_once("对应正数发票代码")
        && let Some(number) = after(rest, "号码")
    {
        found.push((FieldName::PrecedingInvoice, number));
    }
    found
}

fn after(text: &str, label: &str) -> Option<String> {
    let (_, rest) = text.split_once(label)?;
    let rest = rest.trim_start_matches([':', '：', ' ', '\u{3000}']);
    let value: String = rest.chars().take_while(|it| it.is_ascii_alphanumeric() || "-_/.#".contains(*it)).collect();
    value.bytes().any(|it| it.is_ascii_digit()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_as_it_is_written_in_china() {
        for (text, expected) in [
            ("0.060000", Some("6")),
            ("0.13", Some("13")),
            ("0.005", Some("0.5")),
            ("6%", Some("6")),
            ("1.5％", Some("1.5")),
            ("13", Some("13")),
            ("0", Some("0")),
            ("免税", Some("E")),
            ("不征税", Some("O")),
            ("-0.06", None),
            ("600", None),
            ("much", None),
        ] {
            let found = rate(text).map(|it| match it {
                Rate::Percent(percent) => percent,
                Rate::None(category) => category.to_owned(),
            });
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_remark_names_what_was_reversed_and_what_was_agreed() {
        let red = "被红冲蓝字数电票号码：26332256756861500558 红字发票信息确认单编号：72804705616822999371";
        assert_eq!(remark(red), [(FieldName::PrecedingInvoice, "26332256756861500558".to_owned())]);
        let old = "对应正数发票代码:035002000111号码:12345678";
        assert_eq!(remark(old), [(FieldName::PrecedingInvoice, "12345678".to_owned())]);
        let order = "合同编号：HT-2026-0857；订单号 4500012345";
        assert_eq!(
            remark(order),
            [(FieldName::ContractRef, "HT-2026-0857".to_owned()), (FieldName::OrderRef, "4500012345".to_owned())]
        );
        assert_eq!(remark("合同编号：见附件"), []);
    }
}

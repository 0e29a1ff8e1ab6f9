//! Amounts in words (大写金额), as the rules on filling in bills of the People's Bank of China have them written.

use rust_decimal::Decimal;

/// The longest amount below 10^16 has fewer.
const CHARS_MAX: usize = 60;

/// `壹拾贰万叁仟肆佰伍拾陆圆柒角捌分`, `（负数）伍佰圆整`. None where it is not one amount and nothing else.
pub(super) fn parse(text: &str) -> Option<Decimal> {
    let bare: String = text.chars().filter(|it| !it.is_whitespace() && !"⊗ⓧ×*¥￥ⓍⓇ:：".contains(*it)).collect();
    if bare.is_empty() || CHARS_MAX < bare.chars().count() {
        return None;
    }
    let mut rest = bare.strip_prefix("人民币").unwrap_or(&bare);
    let negative = ["(负数)", "（负数）", "负数", "负"].into_iter().find_map(|it| rest.strip_prefix(it));
    if let Some(after) = negative {
        rest = after;
    }
    rest = rest.strip_suffix(['整', '正']).unwrap_or(rest);
    let (yuan, rest) = match rest.split_once(['圆', '元', '圓']) {
        Some((whole, rest)) => (Some(whole_number(whole)?), rest),
        None => (None, rest),
    };
    let (jiao, rest) = share(rest, '角')?;
    let (fen, rest) = share(rest, '分')?;
    if !rest.is_empty() || (yuan.is_none() && jiao.is_none() && fen.is_none()) {
        return None;
    }
    let fen = i64::try_from(yuan.unwrap_or(0)).ok()?.checked_mul(100)? + jiao.unwrap_or(0) * 10 + fen.unwrap_or(0);
    Some(Decimal::new(if negative.is_some() { -fen } else { fen }, 2))
}

/// `柒角` in front: 7, and what follows. A zero may stand before the digit.
fn share(text: &str, unit: char) -> Option<(Option<i64>, &str)> {
    let Some((before, rest)) = text.split_once(unit) else { return Some((None, text)) };
    let mut digits = before.chars().map(digit).collect::<Option<Vec<u64>>>()?;
    let last = digits.pop()?;
    (digits.len() <= 1 && digits.iter().all(|it| *it == 0)).then_some((Some(i64::try_from(last).ok()?), rest))
}

/// Sections of four places, each with its unit: ten thousand, a hundred million, and so on.
fn whole_number(text: &str) -> Option<u64> {
    let (mut total, mut section) = (0_u64, 0_u64);
    let mut pending: Option<u64> = None;
    // Units fall within a section, and sections within the number.
    let (mut unit_before, mut section_before) = (u64::MAX, u64::MAX);
    for char in text.chars() {
        if let Some(digit) = digit(char) {
            if pending.is_some_and(|it| it != 0) {
                return None;
            }
            pending = Some(digit);
            continue;
        }
        let unit = unit(char)?;
        if unit < 10_000 {
            // `拾圆` is ten: only there the one is left out. A zero that is written says that there is none, as forms
            // with printed units have it: `壹佰零拾伍圆`.
            let digit = pending.or((unit == 10).then_some(1))?;
            if unit_before <= unit {
                return None;
            }
            section += digit * unit;
            unit_before = unit;
        } else {
            let written = pending.is_some() || unit_before != u64::MAX;
            section += pending.unwrap_or(0);
            // `壹万亿`: the larger unit multiplies all that stands before it.
            if section_before <= unit {
                total = (total + section).checked_mul(unit)?;
            } else {
                total = total.checked_add(section.checked_mul(unit)?)?;
            }
            if total == 0 && !written {
                return None;
            }
            (section, unit_before, section_before) = (0, u64::MAX, unit);
        }
        pending = None;
    }
    total.checked_add(section + pending.unwrap_or(0)).filter(|_| !text.is_empty())
}

fn digit(char: char) -> Option<u64> {
    const DIGITS: [&str; 10] =
        ["零〇○", "壹一弌", "贰二貳弍两", "叁三參叄弎", "肆四", "伍五", "陆六陸", "柒七", "捌八", "玖九"];
    DIGITS.iter().position(|forms| forms.contains(char)).map(|digit| digit as u64)
}

fn unit(char: char) -> Option<u64> {
    Some(match char {
        '拾' | '十' => 10,
        '佰' | '百' => 100,
        '仟' | '千' => 1_000,
        '万' | '萬' => 10_000,
        '亿' | '億' => 100_000_000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_in_words_is_read_as_accountants_write_it() {
        for (text, expected) in [
            ("壹拾贰万叁仟肆佰伍拾陆圆柒角捌分", Some("123456.78")),
            ("肆万零伍佰肆拾贰圆贰角整", Some("40542.20")),
            ("壹佰贰拾圆零叁分", Some("120.03")),
            ("（负数）叁拾万陆仟叁佰玖拾壹圆整", Some("-306391.00")),
            ("(负数) 伍佰元正", Some("-500.00")),
            ("⊗壹仟零陆拾元整", Some("1060.00")),
            ("拾圆整", Some("10.00")),
            ("壹亿零壹拾万圆整", Some("100100000.00")),
            ("壹拾亿贰仟万零叁圆零伍分", Some("1020000003.05")),
            ("壹万亿圆整", Some("1000000000000.00")),
            ("伍角", Some("0.50")),
            ("零圆整", Some("0.00")),
            ("人民币叁佰圆整", Some("300.00")),
            ("壹佰零拾伍圆整", Some("105.00")),
            ("壹佰零壹拾伍圆整", Some("115.00")),
            ("壹佰拾伍圆整", Some("115.00")),
            ("壹万零仟玖佰零拾零圆整", Some("10900.00")),
            ("零万零仟零佰零拾伍圆零角零分", Some("5.00")),
            ("壹仟零佰零拾零圆整", Some("1000.00")),
            ("零拾圆整", Some("0.00")),
            ("壹贰圆整", None),
            ("佰圆整", None),
            ("壹拾佰圆整", None),
            ("万圆整", None),
            ("壹佰圆整壹佰圆整", None),
            ("壹佰", None),
            ("圆整", None),
            ("120.03", None),
            ("", None),
        ] {
            let found = parse(text).map(|it| it.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
        assert_eq!(parse(&"亿".repeat(61)), None);
        assert_eq!(parse(&format!("壹{}圆", "亿".repeat(50))), None);
    }
}

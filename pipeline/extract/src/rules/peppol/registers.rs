//! The numbers that registers give to parties (PEPPOL-COMMON), each with its form and its check digits.
//!
//! Sources: the identifier schemes of ISO 6523, and the registers' own publications of how their check digits are made.

use roxmltree::Node;

use super::elements::{Row, row};
use crate::rules::Weight;
use crate::rules::model::{Model, Syntax, attribute, text};

/// The rule of the register that the element's scheme names, where its number is none of that register's.
pub(super) fn broken(model: &Model<'_, '_>, node: Node<'_, '_>) -> Option<&'static Row> {
    let scheme = attribute(node, "schemeID");
    // The published check for CII does not know the Dutch numbers.
    let dutch = matches!(scheme, "0106" | "0190" | "0217" | "9944");
    if (dutch && model.syntax == Syntax::Cii) || !identifies(model, node) {
        return None;
    }
    REGISTERS.iter().find(|(it, _)| *it == scheme).map(|(_, row)| row).filter(|row| !(row.holds)(model, node))
}

/// Is the element an identifier of a party?
fn identifies(model: &Model<'_, '_>, node: Node<'_, '_>) -> bool {
    match (model.syntax, node.tag_name().name()) {
        (Syntax::Ubl, "EndpointID" | "CompanyID") | (Syntax::Cii, "URIID" | "ID" | "GlobalID") => true,
        (Syntax::Ubl, "ID") => node.parent().is_some_and(|it| it.tag_name().name() == "PartyIdentification"),
        _ => false,
    }
}

/// A number that a register gives.
macro_rules! register {
    ($scheme:literal, $id:literal, $weight:ident, $says:literal, $holds:expr) => {
        (
            $scheme,
            row!($id, $weight, ["BT-29", "BT-30", "BT-34", "BT-46", "BT-47", "BT-49"], $says, &[], |_, it| $holds(
                &text(it)
            )),
        )
    };
}
const REGISTERS: &[(&str, Row)] = &[
    register!("0088", "PEPPOL-COMMON-R040", Fatal, "a GLN shall be digits with the check digit of GS1", gln),
    register!(
        "0192",
        "PEPPOL-COMMON-R041",
        Fatal,
        "a Norwegian organisation number shall be nine digits with their check digit",
        norwegian
    ),
    register!(
        "0184",
        "PEPPOL-COMMON-R042",
        Fatal,
        "a Danish CVR number shall be eight digits, or DK and eight digits",
        cvr
    ),
    register!(
        "0208",
        "PEPPOL-COMMON-R043",
        Fatal,
        "a Belgian enterprise number shall be ten digits with their check digits",
        belgian
    ),
    register!("0201", "PEPPOL-COMMON-R044", Warning, "an Italian IPA code should be six letters and digits", ipa),
    register!(
        "0210",
        "PEPPOL-COMMON-R045",
        Warning,
        "an Italian tax code should be of 11 digits or 16 characters",
        fiscal
    ),
    (
        "9907",
        row!(
            "PEPPOL-COMMON-R046",
            Warning,
            ["BT-34", "BT-49"],
            "an Italian tax code should be of 11 digits or 16 characters",
            &[],
            |_, it| !matches!(it.tag_name().name(), "EndpointID" | "URIID") || fiscal(&text(it))
        ),
    ),
    register!(
        "0211",
        "PEPPOL-COMMON-R047",
        Warning,
        "an Italian VAT number should be IT and 11 digits with their check digit",
        italian_vat
    ),
    register!(
        "0007",
        "PEPPOL-COMMON-R049",
        Fatal,
        "a Swedish organisation number shall be ten digits with their check digit",
        swedish
    ),
    register!(
        "0151",
        "PEPPOL-COMMON-R050",
        Fatal,
        "an Australian business number shall be 11 digits with their check digits",
        abn
    ),
    register!("0096", "PEPPOL-COMMON-R052", Fatal, "a Danish P number shall be ten digits", |it: &str| it.len() == 10
        && digits(it)),
    register!("0198", "PEPPOL-COMMON-R053", Fatal, "a Danish SE number shall be DK and eight digits", |it: &str| it
        .strip_prefix("DK")
        .is_some_and(|it| it.len() == 8 && digits(it))),
    register!("0106", "PEPPOL-COMMON-R054", Warning, "a Dutch KVK number should be eight digits", |it: &str| it.len()
        == 8
        && digits(it)),
    register!("0190", "PEPPOL-COMMON-R055", Warning, "a Dutch OIN should be 20 digits", |it: &str| it.len() == 20
        && digits(it)),
    register!(
        "9944",
        "PEPPOL-COMMON-R056-1",
        Warning,
        "a Dutch VAT number should be NL, nine digits, B and two digits",
        dutch_vat
    ),
    register!("0217", "PEPPOL-COMMON-R057", Warning, "a Dutch establishment number should be 12 digits", |it: &str| it
        .len()
        == 12
        && digits(it)),
];

pub(super) fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit())
}

/// The values of the digits, from the last to the first; empty where there is anything else.
fn values(text: &str) -> Vec<u32> {
    if digits(text) { text.bytes().rev().map(|it| u32::from(it - b'0')).collect() } else { Vec::new() }
}

/// Weights 3 and 1 in turn from the right, before the check digit.
fn gln(text: &str) -> bool {
    let values = values(text);
    let Some((check, rest)) = values.split_first() else { return false };
    let sum: u32 = rest.iter().zip([3, 1].iter().cycle()).map(|(it, weight)| it * weight).sum();
    (10 - sum % 10) % 10 == *check
}

/// Weights 2 to 7 in turn from the right, before the check digit.
pub(super) fn norwegian(text: &str) -> bool {
    let values = values(text);
    let Some((check, rest)) = values.split_first() else { return false };
    let sum: u32 = rest.iter().zip([2, 3, 4, 5, 6, 7].iter().cycle()).map(|(it, weight)| it * weight).sum();
    text.len() == 9 && values.iter().any(|it| *it != 0) && (11 - sum % 11) % 11 == *check
}

fn cvr(text: &str) -> bool {
    let number = text.strip_prefix("DK").unwrap_or(text);
    number.len() == 8 && digits(number)
}

/// The last two digits are 97 less the remainder of the first eight by 97.
fn belgian(text: &str) -> bool {
    let Some((number, check)) = text.split_at_checked(8) else { return false };
    let pair = number.parse::<u32>().ok().zip(check.parse::<u32>().ok());
    text.len() == 10 && digits(text) && pair.is_some_and(|(number, check)| 97 - number % 97 == check)
}

fn ipa(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|it| it.is_ascii_alphanumeric())
}

/// 11 digits, or 16 characters: six letters, two digits, a letter, two digits, three of any kind, a digit, a letter.
fn fiscal(text: &str) -> bool {
    let person = |text: &[u8]| {
        text.len() == 16
            && text.iter().enumerate().all(|(at, it)| match at {
                0..=5 | 8 | 15 => it.is_ascii_alphabetic(),
                6 | 7 | 9 | 10 | 14 => it.is_ascii_digit(),
                _ => true,
            })
    };
    (text.len() == 11 && digits(text)) || person(text.as_bytes())
}

/// Every second digit doubled, with the digits of the double added up, gives a multiple of ten.
fn italian_vat(text: &str) -> bool {
    let national = text.get(..2).is_some_and(|it| it.eq_ignore_ascii_case("IT"));
    let number = text.get(2..).unwrap_or_default();
    !national || (number.len() == 11 && luhn(number))
}

fn luhn(text: &str) -> bool {
    let values = values(text);
    let doubled = |(at, it): (usize, &u32)| if at % 2 == 1 { it * 2 / 10 + it * 2 % 10 } else { *it };
    !values.is_empty() && values.iter().enumerate().map(doubled).sum::<u32>() % 10 == 0
}

pub(super) fn swedish(text: &str) -> bool {
    text.len() == 10 && luhn(text)
}

/// Weights 10, 1, 3, 5 to 19 with the first digit less one give a multiple of 89.
fn abn(text: &str) -> bool {
    const WEIGHTS: [i64; 11] = [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19];
    let sum: i64 = text.bytes().zip(WEIGHTS).map(|(it, weight)| (i64::from(it) - 48) * weight).sum();
    text.len() == 11 && digits(text) && (sum - 10) % 89 == 0
}

pub(super) fn dutch_vat(text: &str) -> bool {
    let parts = text.strip_prefix("NL").and_then(|it| it.split_once('B'));
    parts.is_some_and(|(number, suffix)| number.len() == 9 && digits(number) && suffix.len() == 2 && digits(suffix))
}

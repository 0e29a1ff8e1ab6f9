//! VAT identification numbers: form and check digits, by the algorithms that the member states publish
//! (European Commission, "VIES VAT number validation", and the national laws it names). No register is asked.

use crate::facts::Key;
use crate::invoice::compact;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Form and check digits hold.
    Right,
    /// The form or the check digits are wrong.
    Wrong,
    /// A country whose numbers are not checked here.
    Unchecked,
}

/// `id` without spaces, in upper case, with its country prefix.
pub(crate) fn check(id: &str) -> Verdict {
    let Some((country, rest)) = id.split_at_checked(2).filter(|_| id.is_ascii()) else { return Verdict::Wrong };
    let holds = match country {
        "AT" => austria(rest),
        "BE" => belgium(rest),
        "DE" => germany(rest),
        "DK" => {
            digits::<8>(rest).is_some_and(|d| d[0] != 0 && weighted(&d, &[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11))
        }
        "FI" => digits::<8>(rest).is_some_and(|d| weighted(&d, &[7, 9, 10, 5, 8, 4, 2, 1]).is_multiple_of(11)),
        "FR" => france(rest),
        "IT" => italy(rest),
        "LU" => digits::<8>(rest)
            .is_some_and(|[a, b, c, d, e, f, check @ ..]| number(&[a, b, c, d, e, f]) % 89 == number(&check)),
        "NL" => netherlands(rest),
        "PL" => digits::<10>(rest)
            .is_some_and(|[front @ .., check]| weighted(&front, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == check),
        "PT" => portugal(rest),
        "SE" => rest.strip_suffix("01").and_then(digits::<10>).is_some_and(|d| luhn(&d)),
        _ => return Verdict::Unchecked,
    };
    if holds { Verdict::Right } else { Verdict::Wrong }
}

/// Do both say one id? A vendor master may hold it without the letters of its country.
pub(crate) fn same(one: &str, other: &str) -> bool {
    let (one, other) = (compact(one), compact(other));
    let (long, short) = if one.len() < other.len() { (&other, &one) } else { (&one, &other) };
    !short.is_empty() && (long == short || without_country(long) == Some(short))
}

/// Where records are found that say this id, be it with or without the letters of its country.
pub(crate) fn keys(id: &str, country: Option<&str>) -> impl Iterator<Item = Key> {
    let id = compact(id);
    let longer = country.map(compact).filter(|it| it.len() == 2).map(|country| format!("{country}{id}"));
    let shorter = without_country(&id).map(str::to_owned);
    [shorter, longer, Some(id)].into_iter().flatten().map(|id| Key::vat_id(&id))
}

fn without_country(id: &str) -> Option<&str> {
    let (country, rest) = id.split_at_checked(2)?;
    Some(rest).filter(|_| country.bytes().all(|letter| letter.is_ascii_alphabetic()))
}

fn austria(rest: &str) -> bool {
    rest.strip_prefix('U').and_then(digits::<8>).is_some_and(|[front @ .., check]| {
        let sum: u64 = front.iter().enumerate().map(|(i, d)| if i % 2 == 0 { *d } else { cross(d * 2) }).sum();
        (96 - sum) % 10 == check
    })
}

/// Enterprise numbers begin with 0 or 1.
fn belgium(rest: &str) -> bool {
    digits::<10>(rest).is_some_and(|d| {
        let all = number(&d);
        d[0] <= 1 && 0 < all && 97 - all / 100 % 97 == all % 100
    })
}

/// ISO 7064 MOD 11,10; the first digit is not 0.
fn germany(rest: &str) -> bool {
    digits::<9>(rest).is_some_and(|[front @ .., check]| {
        let product = front.iter().fold(10, |product, digit| {
            let sum = (digit + product) % 10;
            (if sum == 0 { 10 } else { sum }) * 2 % 11
        });
        front[0] != 0 && (11 - product) % 10 == check
    })
}

/// A key of two characters and a SIREN, which has a Luhn digit of its own; Monaco's begin with 000 and have none. A key
/// of digits is computed modulo 97, one with a letter (never I or O) modulo 11.
fn france(rest: &str) -> bool {
    const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let Some((key, Some(siren))) = rest.split_at_checked(2).map(|(key, siren)| (key, digits::<9>(siren))) else {
        return false;
    };
    let company = number(&siren);
    if 1_000_000 <= company && !luhn(&siren) {
        return false;
    }
    let places: Option<Vec<u64>> =
        key.chars().map(|ch| ALPHABET.find(ch).and_then(|at| u64::try_from(at).ok())).collect();
    match places.as_deref() {
        Some([first @ 0..=9, second @ 0..=9]) => (company * 100 + 12) % 97 == first * 10 + second,
        Some([first, second]) => {
            // Two letters give at least 10 × 34 + 10 − 100; a digit and a letter at least 10 − 10: never below 0.
            let check = if *first <= 9 { first * 24 + second - 10 } else { first * 34 + second - 100 };
            (company + 1 + check / 11) % 11 == check % 11
        }
        _ => false,
    }
}

/// Seven digits for the company, three for the province of the office that gave it, a Luhn digit.
fn italy(rest: &str) -> bool {
    digits::<11>(rest).is_some_and(|d| {
        let (company, office) = (number(&d) / 10_000, number(&d) / 10 % 1_000);
        0 < company && matches!(office, 1..=100 | 120 | 121 | 888 | 999) && luhn(&d)
    })
}

/// Since 2020 either the old eleven test on nine digits, or ISO 7064 MOD 97-10 over the whole number.
fn netherlands(rest: &str) -> bool {
    let Some((front, branch)) = rest.split_once('B') else { return false };
    let (Some(d), Some(branch)) = (digits::<9>(front), digits::<2>(branch)) else { return false };
    if number(&d) == 0 || number(&branch) == 0 {
        return false;
    }
    let [eight @ .., check] = d;
    let eleven = weighted(&eight, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 == check;
    let mod_97 = format!("NL{rest}").chars().fold(0u64, |sum, ch| {
        let value = u64::from(ch.to_digit(36).unwrap_or(0));
        (if value < 10 { sum * 10 } else { sum * 100 } + value) % 97
    });
    eleven || mod_97 == 1
}

fn portugal(rest: &str) -> bool {
    digits::<9>(rest).is_some_and(|[front @ .., check]| {
        let left = 11 - weighted(&front, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
        front[0] != 0 && check == if 9 < left { 0 } else { left }
    })
}

fn digits<const N: usize>(text: &str) -> Option<[u64; N]> {
    let mut out = [0; N];
    if text.len() != N {
        return None;
    }
    for (slot, ch) in out.iter_mut().zip(text.chars()) {
        *slot = u64::from(ch.to_digit(10)?);
    }
    Some(out)
}

fn number(digits: &[u64]) -> u64 {
    digits.iter().fold(0, |sum, digit| sum * 10 + digit)
}

fn weighted(digits: &[u64], weights: &[u64]) -> u64 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

fn cross(number: u64) -> u64 {
    number / 10 + number % 10
}

fn luhn(digits: &[u64]) -> bool {
    let sum: u64 = digits.iter().rev().enumerate().map(|(i, d)| if i % 2 == 0 { *d } else { cross(d * 2) }).sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that companies print in their legal notices, and the same with one digit changed.
    #[test]
    fn registered_numbers_hold_and_one_wrong_digit_does_not() {
        for (right, wrong) in [
            ("ATU33864707", "ATU33864717"),
            ("BE0403170701", "BE0403170801"),
            ("DE129273398", "DE129273389"),
            ("DE136695976", "DE136695967"),
            ("DK24256790", "DK24256791"),
            ("FI01120389", "FI01120398"),
            ("FR83404833048", "FR84404833048"),
            ("FRK7399859412", "FRK8399859412"),
            ("IT00905811006", "IT00905811007"),
            ("LU26375245", "LU26375254"),
            ("NL004495445B01", "NL004495446B01"),
            ("PL7740001454", "PL7740001455"),
            ("PT500697256", "PT500697257"),
            ("SE556012579001", "SE556012578001"),
        ] {
            assert_eq!(check(right), Verdict::Right, "{right}");
            assert_eq!(check(wrong), Verdict::Wrong, "{wrong}");
        }
    }

    /// Numbers with an arithmetic of their own: a French key with a letter first and second, Monaco, Dutch numbers that
    /// only the newer test accepts.
    #[test]
    fn rarer_forms_hold_too() {
        for id in ["FRVP422058792", "FR4Z842623472", "FRUX000327271", "NL920675827B58", "NL810831776B92"] {
            assert_eq!(check(id), Verdict::Right, "{id}");
        }
    }

    #[test]
    fn a_wrong_form_is_wrong_and_a_country_that_is_not_checked_is_not_judged() {
        for id in [
            "",
            "D",
            "é",
            "DE",
            "DE12345",
            "DE1292733980",
            "DE٠29273398",
            "DE029273391",
            "FRI1404833048",
            "FRé404833048",
            "NL004495445",
            "NL000000000B01",
            "BE2403170701",
            "SE556012579002",
            "IT00905819996",
            "AT33864707",
            "PL774000145A",
        ] {
            assert_eq!(check(id), Verdict::Wrong, "{id}");
        }
        for id in ["CHE116281710", "ESX1234567X", "GB999999973"] {
            assert_eq!(check(id), Verdict::Unchecked, "{id}");
        }
    }
}

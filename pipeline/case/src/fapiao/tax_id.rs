//! Taxpayer numbers of the People's Republic of China.

/// What can be said about one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its check character is right.
    Sound,
    /// Of a kind without a check character: the numbers before 2015 of 15, 17 or 20 characters.
    Unchecked,
    /// The identity number of a person, alone or with two digits behind it.
    Personal,
    Wrong(&'static str),
}

pub(super) fn check(text: &str) -> Verdict {
    let id: String = text.chars().filter(|it| !it.is_whitespace()).collect::<String>().to_ascii_uppercase();
    if !id.bytes().all(|it| it.is_ascii_alphanumeric()) {
        return Verdict::Wrong("it has characters that are neither letters nor digits");
    }
    match id.len() {
        15 | 17 => Verdict::Unchecked,
        18 => match credit_code(&id) {
            Verdict::Wrong(_) if resident(&id) && identity_check(&id) => Verdict::Personal,
            verdict => verdict,
        },
        20 if id.get(..18).is_some_and(resident) => Verdict::Personal,
        20 => Verdict::Unchecked,
        _ => Verdict::Wrong("it has not 15, 17, 18 or 20 characters"),
    }
}

/// GB 32100-2015: department, kind, six digits of the region, nine of the organisation, and a character that makes the sum
/// of all, weighted with the powers of 3, divisible by 31.
fn credit_code(id: &str) -> Verdict {
    const CHARACTERS: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    let mut sum = 0;
    let mut weight = 1;
    for (idx, char) in id.chars().enumerate() {
        let Some(value) = CHARACTERS.find(char) else {
            return Verdict::Wrong("it has a letter that a unified social credit code has not");
        };
        if (2..8).contains(&idx) && !char.is_ascii_digit() {
            return Verdict::Wrong("its region is not a number");
        }
        // The check character has the weight 1, so that the sum of all is divisible.
        sum += value * if idx == 17 { 1 } else { weight };
        weight = weight * 3 % 31;
    }
    if sum % 31 == 0 { Verdict::Sound } else { Verdict::Wrong("its check character is wrong") }
}

/// Looks like an identity number of GB 11643: seventeen digits with a day of birth in them, and a digit or X.
fn resident(id: &str) -> bool {
    let Some((digits, last)) = id.split_at_checked(17) else { return false };
    let part = |from: usize, to: usize| digits.get(from..to).and_then(|it| it.parse::<i16>().ok()).unwrap_or_default();
    let born = (part(6, 10), i8::try_from(part(10, 12)), i8::try_from(part(12, 14)));
    let is_day =
        matches!(born, (1900..=2099, Ok(month), Ok(day)) if jiff::civil::Date::new(born.0, month, day).is_ok());
    digits.bytes().all(|it| it.is_ascii_digit())
        && (last == "X" || last.bytes().all(|it| it.is_ascii_digit()))
        && is_day
}

/// ISO 7064, MOD 11-2.
fn identity_check(id: &str) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = id.chars().zip(WEIGHTS).map(|(char, weight)| char.to_digit(10).unwrap_or_default() * weight).sum();
    let check = (12 - sum % 11) % 11;
    id.chars().nth(17).is_some_and(|last| if check == 10 { last == 'X' } else { last.to_digit(10) == Some(check) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credit_code_is_checked_by_its_last_character_and_older_numbers_are_left_alone() {
        // GB 32100-2015 gives the first as its own example.
        for (id, expected) in [
            ("91350100M000100Y43", Verdict::Sound),
            ("91350100m000100y43", Verdict::Sound),
            ("91350100M000100Y44", Verdict::Wrong("its check character is wrong")),
            ("91350100M000100Y4O", Verdict::Wrong("it has a letter that a unified social credit code has not")),
            ("9135010AM000100Y43", Verdict::Wrong("its region is not a number")),
            ("91350100M000100Y", Verdict::Wrong("it has not 15, 17, 18 or 20 characters")),
            ("91350100M000100Y４", Verdict::Wrong("it has characters that are neither letters nor digits")),
            ("110105123456789", Verdict::Unchecked),
            ("11010512345678901", Verdict::Unchecked),
            ("91350100M000100Y4301", Verdict::Unchecked),
            // The example of GB 11643-1999.
            ("11010519491231002X", Verdict::Personal),
            ("11010519491231002X01", Verdict::Personal),
            ("110105194912310021", Verdict::Wrong("its check character is wrong")),
        ] {
            assert_eq!(check(id), expected, "{id}");
        }
    }
}

use super::prose::{Prose, Spoken};
use crate::values;

/// A date as a contract writes it, from the word `at` on.
pub(super) fn date_at(prose: &Prose, at: usize) -> Option<(String, usize)> {
    let words = prose.slice(at, at + 8);
    let bare: Vec<&str> = words.iter().map(|word| word.bare.as_str()).collect();
    // `5th day of January, 2024`, `this 5th day of January 2024`
    if let [day, "day", "of", month, year, ..] = bare.as_slice()
        && let Some(date) = values::date(&format!("{day} {month} {year}"))
    {
        return Some((date, at + 5));
    }
    for length in [3, 1, 4] {
        let Some(part) = bare.get(..length) else { continue };
        let text = part.iter().filter(|it| **it != "of").copied().collect::<Vec<_>>().join(" ");
        let named = text.contains(char::is_alphabetic) || text.contains(['.', '/', '-']);
        let ambiguous = text.contains('/') && !clear_order(&text);
        if named
            && !ambiguous
            && let Some(date) = values::date(&text)
        {
            return Some((date, at + length));
        }
    }
    None
}

/// `03/04/2026` could be two days; `14/03/2026` is one.
fn clear_order(text: &str) -> bool {
    let numbers: Vec<u32> = text.split('/').filter_map(|it| it.parse().ok()).collect();
    matches!(numbers.as_slice(), [first, second, _] if 12 < *first || 12 < *second || first == second)
}

/// A length of time: `two (2) years`, `30 days`, `drei Monate`.
pub(super) struct Duration {
    pub(super) value: String,
    pub(super) first: usize,
    pub(super) end: usize,
}

pub(super) fn durations(prose: &Prose, first: usize, end: usize) -> Vec<Duration> {
    let mut out = Vec::new();
    let mut at = first;
    while at < end.min(prose.words.len()) {
        match duration_at(prose, at) {
            Some(found) => {
                at = found.end;
                out.push(found);
            }
            None => at += 1,
        }
    }
    out
}

fn duration_at(prose: &Prose, at: usize) -> Option<Duration> {
    let word = prose.words.get(at)?;
    // `30-day`, `12-month`, `five-year`
    if let Some((number_text, unit_text)) = word.bare.split_once('-')
        && let (Some(number), Some(unit)) = (number(number_text), unit(unit_text))
    {
        return Some(Duration { value: format!("{number} {unit}"), first: at, end: at + 1 });
    }
    let mut count = number(&word.bare)?;
    let mut next = at + 1;
    if let Some(digits) =
        prose.words.get(next).filter(|word| word.raw.starts_with('(')).and_then(|word| number(&word.bare))
    {
        count = digits;
        next += 1;
    }
    // `thirty (30) calendar days`
    for skip in 0..2 {
        let word = prose.words.get(next + skip)?;
        if let Some(unit) = unit(&word.bare) {
            return Some(Duration { value: format!("{count} {unit}"), first: at, end: next + skip + 1 });
        }
        if ![
            "calendar",
            "business",
            "full",
            "consecutive",
            "weitere",
            "weiteren",
            "volle",
            "vollen",
            "additional",
            "working",
        ]
        .contains(&word.bare.as_str())
        {
            return None;
        }
    }
    None
}

fn number(text: &str) -> Option<u32> {
    const ENGLISH: [&str; 13] =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    const GERMAN: [&str; 13] =
        ["null", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"];
    const TENS: [(&str, u32); 12] = [
        ("fifteen", 15),
        ("eighteen", 18),
        ("twenty", 20),
        ("twenty-four", 24),
        ("thirty", 30),
        ("forty-five", 45),
        ("sixty", 60),
        ("ninety", 90),
        ("vierzehn", 14),
        ("dreißig", 30),
        ("sechzig", 60),
        ("neunzig", 90),
    ];
    if text.bytes().all(|it| it.is_ascii_digit()) {
        return text.parse().ok().filter(|number| (1..=1_000).contains(number));
    }
    let stem =
        text.strip_suffix("er").or_else(|| text.strip_suffix("em")).or_else(|| text.strip_suffix("es")).unwrap_or(text);
    let stem = if stem == "eine" || stem == "einen" { "ein" } else { stem };
    let small =
        |list: &[&str]| list.iter().position(|it| *it == text || *it == stem).and_then(|idx| u32::try_from(idx).ok());
    small(&ENGLISH)
        .or_else(|| small(&GERMAN))
        .filter(|it| *it != 0)
        .or_else(|| TENS.iter().find(|(word, _)| *word == text).map(|(_, it)| *it))
}

fn unit(text: &str) -> Option<&'static str> {
    Some(match text {
        "day" | "days" | "days'" | "day's" | "tag" | "tage" | "tagen" | "kalendertage" | "kalendertagen"
        | "werktagen" | "days’" => "days",
        "week" | "weeks" | "woche" | "wochen" => "weeks",
        "month" | "months" | "months'" | "monat" | "monate" | "monaten" | "monats" | "kalendermonate" | "months’" => {
            "months"
        }
        "year" | "years" | "years'" | "jahr" | "jahre" | "jahren" | "jahres" | "anniversary" => "years",
        _ => return None,
    })
}

/// Money with its currency: `EUR 100,000`, `100.000 Euro`, `$ 5,000.00`, `US$5,000`.
pub(super) struct Money {
    pub(super) value: String,
    pub(super) currency: String,
    pub(super) first: usize,
    pub(super) end: usize,
}

pub(super) fn money(prose: &Prose, first: usize, end: usize) -> Option<Money> {
    (first..end.min(prose.words.len())).find_map(|at| {
        let word = prose.words.get(at)?;
        let raw = word.raw.trim_matches(|it| ",.;()[]".contains(it));
        let code = |text: &str| match text {
            "euro" | "€" | "eur" => Some("EUR"),
            "usd" | "us$" | "$" | "dollars" => Some("USD"),
            "gbp" | "£" => Some("GBP"),
            "chf" => Some("CHF"),
            _ => None,
        };
        let sign_end = raw.find(|it: char| it.is_ascii_digit())?;
        let sign = raw.get(..sign_end)?.to_lowercase();
        let value = values::amount(raw.get(sign_end..)?)?;
        let before = at.checked_sub(1).filter(|it| first <= *it).and_then(|it| prose.words.get(it));
        let after = prose.words.get(at + 1).filter(|_| at + 1 < end);
        let trimmed = |word: &Spoken| word.raw.trim_matches(|it| ",.;()[]".contains(it)).to_lowercase();
        if let Some(currency) = code(&sign) {
            return Some(Money { value, currency: currency.to_owned(), first: at, end: at + 1 });
        }
        if let Some(currency) = before.and_then(|word| code(&trimmed(word))).filter(|_| sign.is_empty()) {
            return Some(Money { value, currency: currency.to_owned(), first: at - 1, end: at + 1 });
        }
        let currency = after.and_then(|word| code(&trimmed(word))).filter(|_| sign.is_empty())?;
        Some(Money { value, currency: currency.to_owned(), first: at, end: at + 2 })
    })
}

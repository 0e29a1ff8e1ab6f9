//! Amounts as they stand on a page.

use rust_decimal::Decimal;

use crate::pdf::{Cell, Word};
use crate::values;

/// An amount as it stands on the page: the words `first..end` of the cell or line it was looked for in.
#[derive(Clone, Debug)]
pub(in super::super) struct Amount {
    pub(in super::super) value: Decimal,
    /// As a decimal with a point, with the digits as printed.
    pub(in super::super) text: String,
    pub(in super::super) words: Vec<Word>,
    pub(in super::super) first: usize,
    pub(in super::super) end: usize,
    pub(in super::super) percent: bool,
    /// It has two or more decimals, or a currency beside it.
    pub(in super::super) money: bool,
}

impl Amount {
    /// `2,000` and its mark, read with decimals instead of thousands, where it can be read in both ways.
    pub(in super::super) fn with_decimals(&self) -> Option<(char, Amount)> {
        let [word] = self.words.as_slice() else { return None };
        let figures = word.text.trim_matches(|it: char| !it.is_ascii_digit());
        let (whole, decimals) = figures.split_once(['.', ','])?;
        let mark = figures.get(whole.len()..)?.chars().next()?;
        let both = decimals.len() == 3 && self.text.trim_start_matches('-') == format!("{whole}{decimals}");
        if !both {
            return None;
        }
        let sign = if self.text.starts_with('-') { "-" } else { "" };
        let text = format!("{sign}{whole}.{decimals}");
        Some((mark, Amount { value: text.parse().ok()?, text, ..self.clone() }))
    }
}

const SIGNS: &str = "€$£¥₹";

/// All numbers in `words`; those parted by a space (`27 946,00`, `- 5,00`, `100,00 €`, `( 5,00 )`) are one.
pub(in super::super) fn amounts(words: &[Word]) -> Vec<Amount> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < words.len() {
        match amount_at(words, at) {
            Some(found) => {
                at = found.end;
                out.push(found);
            }
            None => at += 1,
        }
    }
    out
}

/// A wider gap than this share of the height parts two figures, or a figure from its sign.
const FIGURE_GAP: f64 = 0.6;
const SIGN_GAP: f64 = 1.0;

/// The number whose first word, or whose sign or bracket, is the one `at`.
fn amount_at(words: &[Word], at: usize) -> Option<Amount> {
    let text = |idx: usize| words.get(idx).map_or("", |word| word.text.as_str());
    let unit = |idx: usize| is_currency(text(idx).trim_matches(['.', ',', ':', '(', ')']));
    let bracket = text(at) == "(";
    let mut start = at + usize::from(bracket);
    let leads = |idx: usize| is_sign(text(idx)) && !(text(idx.wrapping_sub(1)).ends_with(is_digit) && near(words, idx));
    let mut negative = leads(start);
    start += usize::from(negative);
    // `- EUR 5,00`, `EUR - 5,00`
    let between = unit(start) && (negative || bracket || leads(start + 1));
    start += usize::from(between);
    if between && !negative && leads(start) {
        (negative, start) = (true, start + 1);
    }
    if (at + 1..=start).any(|idx| !near(words, idx)) {
        return None;
    }
    let mut end = start + 1;
    while words.get(end).is_some_and(|next| continues(words.get(start..end).unwrap_or_default(), next)) {
        end += 1;
    }
    let joined: String = words.get(start..end)?.iter().map(|word| word.text.as_str()).collect();
    let mut bare = joined.trim_matches(|it| ";:=*".contains(it)).trim_end_matches(',');
    let of_rate = text(end).starts_with('%');
    // `VAT (19 %)`
    if of_rate && text(end).ends_with(')') {
        bare = bare.trim_start_matches('(');
    }
    let looks =
        bare.chars().filter(char::is_ascii_digit).count() * 2 >= bare.chars().filter(|it| it.is_alphanumeric()).count();
    if !looks || values::date(bare).is_some() {
        return None;
    }
    let digits = values::amount(bare)?;
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let percent = bare.trim_end_matches(')').ends_with('%') || of_rate;
    let money = !percent
        && (2 <= decimals
            || bare.contains(|it| SIGNS.contains(it))
            || between
            || start.checked_sub(1).is_some_and(unit)
            || unit(end));
    negative &= !percent || !bracket;
    let behind = end + usize::from(unit(end));
    if bracket {
        // Only what a second bracket closes is in brackets.
        let closed = behind + usize::from(of_rate);
        if text(closed) != ")" {
            return None;
        }
        (negative, end) = (negative || !percent, closed + 1);
    } else if !negative && near(words, behind) && (is_sign(text(behind)) || (2 <= decimals && text(behind) == "CR")) {
        // A sign behind has nothing behind it that it could belong to.
        if text(behind + 1).is_empty() || !near(words, behind + 1) {
            (negative, end) = (true, behind + 1);
        }
    }
    let text = if negative && !digits.starts_with('-') { format!("-{digits}") } else { digits };
    let words = words.get(at..end)?.to_vec();
    Some(Amount { value: text.parse().ok()?, text, words, first: at, end, percent, money })
}

fn is_digit(it: char) -> bool {
    it.is_ascii_digit()
}

/// A minus, alone or at a currency: `–`, `-£`.
fn is_sign(text: &str) -> bool {
    let rest = text.strip_prefix(values::is_dash).or_else(|| text.strip_suffix(values::is_dash));
    rest.is_some_and(|rest| rest.is_empty() || is_currency(rest))
}

/// Does the word stand as near to the one before it as words of one figure do?
fn near(words: &[Word], idx: usize) -> bool {
    let (Some(word), Some(last)) = (words.get(idx), idx.checked_sub(1).and_then(|it| words.get(it))) else {
        return false;
    };
    word.area[0] - last.area[2] < SIGN_GAP * last.height()
}

/// A sign at the left edge of its column and the figure at the right edge, as ledgers print them: one cell, in which the
/// sign reaches up to the figure.
pub(in super::super) fn signed(sign: &Cell, figure: &Cell) -> Option<Cell> {
    let [word] = sign.words.as_slice() else { return None };
    let first = figure.words.first().filter(|first| is_sign(&word.text) && first.text.contains(is_digit))?;
    let sign = Word { text: word.text.clone(), area: [word.area[0], word.area[1], first.area[0], word.area[3]] };
    Some(Cell { words: std::iter::once(sign).chain(figure.words.iter().cloned()).collect() })
}

/// Does the number that `words` begin go on in `next`? `1` `027` `946,00`; `27946` `,00`; `€` `5,00`; `726` `,-`.
fn continues(words: &[Word], next: &Word) -> bool {
    let Some(last) = words.last() else { return false };
    let text = last.text.trim_start_matches(['-', '€', '$', '£']);
    let figures = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (head, tail) = next.text.split_at(next.text.bytes().take_while(u8::is_ascii_digit).count());
    let groups = if words.len() == 1 { (1..=3).contains(&text.len()) } else { text.len() == 3 };
    let thousands =
        groups && figures(text) && head.len() == 3 && (tail.is_empty() || tail.starts_with([',', '.', '€']));
    let cents = |it: &str| (it.len() == 2 && figures(it)) || (!it.is_empty() && it.chars().all(values::is_dash));
    let decimals = figures(text) && next.text.strip_prefix([',', '.']).is_some_and(cents);
    let sign = matches!(last.text.as_str(), "€" | "$" | "£") && !head.is_empty();
    let near = next.area[0] - last.area[2] < FIGURE_GAP * last.height();
    near && words.len() <= 4 && (thousands || decimals || sign)
}

/// A sign, or a code that invoices carry. Any three capitals could be one: only the usual ones count.
pub(in super::super) fn is_currency(text: &str) -> bool {
    const CODES: [&str; 28] = [
        "EUR", "USD", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "BGN", "JPY", "CNY", "AUD", "CAD",
        "NZD", "INR", "SGD", "HKD", "ZAR", "BRL", "MXN", "TRY", "ILS", "KRW", "AED", "DEM",
    ];
    CODES.contains(&text) || (text.chars().count() == 1 && SIGNS.contains(text)) || text == "US$"
}

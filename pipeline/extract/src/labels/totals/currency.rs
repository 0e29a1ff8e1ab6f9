//! In which currency the amounts are.

use std::collections::BTreeMap;

use case::{Evidence, Field, FieldName};

use super::super::{Sheet, printed};
use crate::pdf::Word;
use crate::values::is_dash;

/// What a word says about the currency.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Code(String),
    /// A sign that several currencies have.
    Sign(&'static str),
}

/// How often it is said, and where first: page from 0, and word.
struct Told {
    count: usize,
    page: usize,
    word: Word,
}

/// Signs of one currency, longer ones first.
const SIGNS: [(&str, &str); 16] = [
    ("US$", "USD"),
    ("CA$", "CAD"),
    ("AU$", "AUD"),
    ("NZ$", "NZD"),
    ("HK$", "HKD"),
    ("MX$", "MXN"),
    ("NT$", "TWD"),
    ("C$", "CAD"),
    ("A$", "AUD"),
    ("R$", "BRL"),
    ("S$", "SGD"),
    ("€", "EUR"),
    ("£", "GBP"),
    ("₹", "INR"),
    ("zł", "PLN"),
    ("Kč", "CZK"),
];
/// Signs of several, and the currencies that they can stand for.
const SHARED: [(&str, &[&str]); 4] = [
    ("$", &["USD", "CAD", "AUD", "NZD", "HKD", "SGD", "MXN"]),
    ("¥", &["CNY", "JPY"]),
    ("￥", &["CNY", "JPY"]),
    ("kr", &["SEK", "NOK", "DKK"]),
];
/// So much of what is said about the currency has to agree.
const SHARE_MIN: f64 = 0.6;

/// The code behind its label; or what stands beside the totals; or what most amounts have.
pub(super) fn of(sheet: &Sheet<'_>, single: &BTreeMap<FieldName, Field>) -> Option<Field> {
    let labelled = sheet.labelled(FieldName::Currency, |words| {
        let word =
            words.iter().find(|word| printed::is_currency(bare(word)) || bare(word).eq_ignore_ascii_case("euro"))?;
        let code = if bare(word).eq_ignore_ascii_case("euro") {
            "EUR".to_owned()
        } else {
            crate::values::currency(bare(word))?
        };
        Some((code, vec![word.clone()]))
    });
    if labelled.is_some() {
        return labelled;
    }
    let of_totals = told(sheet, |page, area| {
        [FieldName::GrossTotal, FieldName::Payable, FieldName::NetTotal].iter().any(|name| match single.get(name) {
            Some(Field { evidence: Evidence::Page { page: other, area: [_, top, _, bottom], .. }, .. }) => {
                *other == page && *top < area[3] && area[1] < *bottom
            }
            _ => false,
        })
    });
    let everywhere = told(sheet, |_, _| true);
    // A sign of several currencies is one of them where the document names only that one.
    let meant = |said: &Said| match said {
        Said::Code(code) => Some(code.clone()),
        Said::Sign(sign) => {
            let shared = SHARED.iter().find(|(it, _)| it == sign).map_or(&[][..], |(_, codes)| codes);
            let mut named = shared.iter().filter(|code| everywhere.contains_key(&Said::Code((**code).to_owned())));
            named.next().filter(|_| named.next().is_none()).map(|code| (*code).to_owned())
        }
    };
    for told in [&of_totals, &everywhere] {
        let mut counts: BTreeMap<Option<String>, (usize, &Told)> = BTreeMap::new();
        for (said, first) in told {
            counts.entry(meant(said)).or_insert((0, first)).0 += first.count;
        }
        let total: usize = counts.values().map(|(count, _)| count).sum();
        let Some((code, (count, Told { page, word, .. }))) = counts.into_iter().max_by_key(|(_, (count, _))| *count)
        else {
            continue;
        };
        let share = count as f64 / total as f64;
        let code = code.filter(|_| SHARE_MIN < share)?;
        return Some(crate::field(code, 0.6 + 0.35 * share, sheet.evidence(*page, std::slice::from_ref(word))));
    }
    None
}

/// What the words say about the currency where `here` is true of a page's number and a word's area: how often, and where first.
fn told(sheet: &Sheet<'_>, here: impl Fn(u32, [f64; 4]) -> bool) -> BTreeMap<Said, Told> {
    let mut told = BTreeMap::new();
    for (page_idx, page) in sheet.pages.iter().enumerate() {
        for word in page.lines.iter().flat_map(|line| line.words()).filter(|word| here(page.number, word.area)) {
            if let Some(said) = said(word) {
                told.entry(said).or_insert_with(|| Told { count: 0, page: page_idx, word: word.clone() }).count += 1;
            }
        }
    }
    told
}

fn said(word: &Word) -> Option<Said> {
    // `S$` ends `US$`, `kr` begins words: a sign stands between figures and marks.
    let parts = || word.text.split(|it: char| it.is_ascii_digit() || ".,:;()[]'+/=".contains(it) || is_dash(it));
    let of = |part: &str| SIGNS.iter().find(|(sign, _)| part == *sign).map(|(_, code)| Said::Code((*code).to_owned()));
    let sign = parts().find_map(of);
    let code =
        || printed::is_currency(bare(word)).then(|| crate::values::currency(bare(word))).flatten().map(Said::Code);
    let shared = || {
        let mut signs = parts().filter_map(|part| SHARED.iter().find(|(sign, _)| part == *sign));
        signs.next().map(|(sign, _)| Said::Sign(sign))
    };
    sign.or_else(code).or_else(shared)
}

fn bare(word: &Word) -> &str {
    word.text.trim_matches(|it: char| ".,:;()[]".contains(it))
}

//! Receipts of tills: narrow, without a buyer, with the seller on top, and their own words for what was paid.

use std::collections::BTreeMap;

use case::{Field, FieldName, Kind};
use rust_decimal::Decimal;

use crate::labels::Found;
use crate::pdf::{Line, Page, Word, around, joined};
use crate::values;

/// What tills print, in letters alone; each row counts once.
const TILL: [&[&str]; 9] = [
    &[
        "change",
        "baki",
        "ruckgeld",
        "rückgeld",
        "wechselgeld",
        "rendu",
        "cambio",
        "resto",
        "wisselgeld",
        "troco",
        "找零",
    ],
    &[
        "cash", "tunai", "bargeld", "gegeben", "espèces", "especes", "contanti", "efectivo", "contant", "dinheiro",
        "现金", "實收", "实收",
    ],
    &["visa", "mastercard", "debitcard", "creditcard", "kartenzahlung", "girocard", "cartebancaire", "bankcard"],
    &["rounding", "roundingadj", "rundung", "arrondi", "afronding", "pembundaran"],
    &["cashier", "kassierer", "kasse", "caissier", "cajero", "operatore", "cassa", "kassa", "收银"],
    &["thankyou", "pleasecomeagain", "goodssold", "vielendank", "merci", "grazie", "gracias", "terimakasih", "谢谢"],
    &["receipt", "quittung", "kassenbon", "kassenbeleg", "ticket", "scontrino", "resit", "kassabon", "小票", "收据"],
    &["gstsummary", "taxsummary", "gstregno", "gstid", "simplifiedtaxinvoice"],
    &["tableno", "table", "pax", "dinein", "takeaway", "terminal", "posno", "counter", "bediener", "tisch"],
];
const TILL_WORDS_MIN: usize = 2;

const TOTAL: [&str; 20] = [
    "total",
    "jumlah",
    "summe",
    "gesamt",
    "zuzahlen",
    "betrag",
    "totale",
    "totaal",
    "importe",
    "apayer",
    "amountdue",
    "balancedue",
    "amountpayable",
    "netamount",
    "nettamount",
    "合计",
    "合計",
    "总计",
    "總計",
    "应付",
];
/// What makes a total the last one.
const LAST: [&str; 10] = ["grand", "nett", "round", "due", "payable", "incl", "zuzahlen", "apayer", "gesamt", "应付"];
/// Totals of something else.
const OTHER: [&str; 24] = [
    "sub",
    "qty",
    "quantity",
    "item",
    "disc",
    "saving",
    "excl",
    "before",
    "without",
    "point",
    "unit",
    "pcs",
    "zwischen",
    "ersparnis",
    "rabatt",
    "remise",
    "sconto",
    "tax",
    "gst",
    "vat",
    "mwst",
    "tva",
    "iva",
    "小计",
];
const WITH_TAX: [&str; 7] = ["inc", "withgst", "withtax", "aftertax", "ttc", "brutto", "payable"];

/// How sellers call what they are; in a name, at its end.
const FORMS: [&str; 29] = [
    "sdn bhd",
    "bhd",
    "s/b",
    "ltd",
    "limited",
    "gmbh",
    "ag",
    "kg",
    "ohg",
    "inc",
    "llc",
    "llp",
    "corp",
    "co",
    "plc",
    "pte",
    "sarl",
    "sas",
    "sa",
    "srl",
    "spa",
    "bv",
    "nv",
    "enterprise",
    "trading",
    "restaurant",
    "restoran",
    "cafe",
    "pharmacy",
];

/// Signs of money with letters, as tills print them before an amount or in a heading.
const CURRENCIES: [(&str, &str); 12] = [
    ("RM", "MYR"),
    ("S$", "SGD"),
    ("HK$", "HKD"),
    ("US$", "USD"),
    ("NT$", "TWD"),
    ("Rp", "IDR"),
    ("Rs", "INR"),
    ("€", "EUR"),
    ("£", "GBP"),
    ("EUR", "EUR"),
    ("CHF", "CHF"),
    ("RMB", "CNY"),
];

/// Lines from the top in which the seller stands.
const HEAD_LINES: usize = 8;
const LINES_MAX: usize = 2_000;

/// Where a document is the receipt of a till, its words go before what labels of invoices said.
pub(crate) fn over(pages: &[Page], found: &mut Found) {
    let [page] = pages else { return };
    let rows: Vec<Row<'_>> = page.lines.iter().take(LINES_MAX).map(Row::of).collect();
    let said = |words: &&&[&str]| rows.iter().any(|row| words.iter().any(|it| row.letters.contains(it)));
    if TILL.iter().filter(said).count() < TILL_WORDS_MIN {
        return;
    }
    let currency = currency(&rows);
    let till = Till { page: page.number, rows };
    let Some(total) = till.total() else { return };
    if !found.kind.billed() {
        found.kind = Kind::Invoice;
    }
    let single = &mut found.fields.single;
    doubt(single, &total.value);
    single.insert(FieldName::GrossTotal, total);
    if let Some(name) = till.seller() {
        single.insert(FieldName::SellerName, name);
    }
    // A date that says itself which number is the month, else the country of the money does.
    let month_first = currency.as_ref().map(|(_, code)| *code == "USD");
    if let Some(date) = till.date(month_first) {
        single.insert(FieldName::IssueDate, date);
    }
    if let Some((word, code)) = currency {
        single.insert(FieldName::Currency, till.field(code, 0.9, &[word]));
    }
}

/// What labels of invoices made of a receipt is kept where it agrees with its total.
fn doubt(single: &mut BTreeMap<FieldName, Field>, total: &str) {
    let value = |name: FieldName| single.get(&name).and_then(|it| it.value.parse::<Decimal>().ok());
    let sum = value(FieldName::NetTotal).zip(value(FieldName::TaxTotal)).map(|(net, tax)| net + tax);
    let agrees = sum.is_some() && sum == total.parse().ok();
    let doubtful = [FieldName::LineTotal, FieldName::Payable, FieldName::Prepaid, FieldName::BuyerName];
    let unless = [FieldName::NetTotal, FieldName::TaxTotal];
    for name in doubtful.iter().chain(unless.iter().filter(|_| !agrees)) {
        single.remove(name);
    }
}

struct Row<'p> {
    words: Vec<&'p Word>,
    /// All its letters, in lower case.
    letters: String,
}

impl Row<'_> {
    fn of(line: &Line) -> Row<'_> {
        let words: Vec<&Word> = line.words().collect();
        let text = words.iter().flat_map(|it| it.text.chars()).filter(|it| it.is_alphabetic());
        Row { letters: text.flat_map(char::to_lowercase).collect(), words }
    }

    /// The last amount with two decimals.
    fn amount(&self) -> Option<(Decimal, String, &Word)> {
        self.words.iter().rev().find_map(|word| amount(&word.text).map(|(value, text)| (value, text, *word)))
    }

    fn has(&self, words: &[&str]) -> bool {
        words.iter().any(|it| self.letters.contains(it))
    }
}

/// `31.00`, `RM31.00`, `-0.02`, `1,234.50`, `12,50`, with the letter of a tax code behind it: a number with two decimals.
fn amount(text: &str) -> Option<(Decimal, String)> {
    let start = text.find(|it: char| it.is_ascii_digit())?;
    let (before, rest) = text.split_at(start);
    let end = rest.rfind(|it: char| it.is_ascii_digit())? + 1;
    let (figures, after) = rest.split_at(end);
    if 4 < before.chars().count() || 3 < after.chars().count() || before.contains(|it: char| it == '/' || it == '%') {
        return None;
    }
    if after.starts_with('%') {
        return None;
    }
    let (whole, decimals) = figures.rsplit_once(['.', ','])?;
    let plain = decimals.len() == 2 && whole.bytes().all(|it| it.is_ascii_digit() || b".,'".contains(&it));
    let groups: Vec<&str> = whole.split(['.', ',', '\'']).collect();
    let grouped =
        groups.iter().skip(1).all(|it| it.len() == 3) && groups.first().is_some_and(|it| (1..=9).contains(&it.len()));
    if !plain || !grouped {
        return None;
    }
    let minus = if before.contains('-') || after.starts_with('-') { "-" } else { "" };
    let text = format!("{minus}{}.{decimals}", groups.concat());
    Some((text.parse().ok()?, text))
}

/// The first sign of money that stands by itself, in a heading, or before a figure.
fn currency<'p>(rows: &[Row<'p>]) -> Option<(&'p Word, &'static str)> {
    for word in rows.iter().flat_map(|row| &row.words) {
        for (sign, code) in CURRENCIES {
            let bare = word.text.trim_matches(|it: char| "():.,-".contains(it));
            let rest = bare.strip_prefix(sign);
            let heading = word.text.contains(&format!("({sign})"));
            if heading || rest.is_some_and(|it| it.is_empty() || it.starts_with(|it: char| it.is_ascii_digit())) {
                return Some((word, code));
            }
        }
    }
    None
}

struct Till<'p> {
    page: u32,
    rows: Vec<Row<'p>>,
}

impl Till<'_> {
    fn field(&self, value: impl Into<String>, confidence: f64, words: &[&Word]) -> Field {
        let area = around(words.iter().copied());
        let text = joined(words.iter().copied());
        crate::field(value, confidence, case::Evidence::Page { page: self.page, area, text })
    }

    /// The amount beside a label for totals that is confirmed best: by what was given less what came back, by a rounding.
    fn total(&self) -> Option<Field> {
        let amounts = |wanted: &[&str]| -> Vec<Decimal> {
            self.rows.iter().filter(|row| row.has(wanted)).filter_map(Row::amount).map(|it| it.0).collect()
        };
        let [change, cash, card, rounding, ..] = TILL;
        let given: Vec<Decimal> = amounts(cash).into_iter().chain(amounts(card)).collect();
        let back = amounts(change);
        let round: Vec<Decimal> = amounts(rounding).into_iter().filter(|it| it.abs() < Decimal::ONE).collect();
        let candidates = self.totals();
        let mut best: Option<(f64, &Total<'_>)> = None;
        for it in &candidates {
            let paid = given.iter().any(|given| back.iter().any(|back| *given - *back == it.value));
            let exact = given.contains(&it.value);
            let rounded = candidates.iter().any(|other| {
                round.iter().any(|by| {
                    !by.is_zero()
                        && (other.value + *by == it.value || other.value - *by == it.value)
                        && other.value != it.value
                })
            });
            let again = candidates.iter().filter(|other| other.value == it.value).count();
            let score = 1.0
                + if paid { 1.0 } else { 0.0 }
                + if exact { 0.5 } else { 0.0 }
                + if rounded && it.last { 0.6 } else { 0.0 }
                + if it.last { 0.3 } else { 0.0 }
                + 0.1 * again.min(4) as f64;
            if !it.value.is_zero() && best.as_ref().is_none_or(|(other, _)| *other < score) {
                best = Some((score, it));
            }
        }
        if let Some((score, it)) = best {
            let confidence = if 1.5 <= score { 0.95 } else { 0.85 };
            return Some(self.field(it.text.clone(), confidence, &[it.word]));
        }
        None
    }

    fn totals(&self) -> Vec<Total<'_>> {
        let mut out = Vec::new();
        for (idx, row) in self.rows.iter().enumerate() {
            let with_tax = row.has(&WITH_TAX);
            let other = row.has(&OTHER) && !(with_tax && !row.has(&["sub", "excl", "disc", "saving"]));
            if !row.has(&TOTAL) || other {
                continue;
            }
            // Large print stands on a line of its own below its label.
            let below = || self.rows.get(idx + 1).filter(|it| it.letters.chars().count() <= 3).and_then(Row::amount);
            if let Some((value, text, word)) = row.amount().or_else(below) {
                out.push(Total { value, text, word, last: row.has(&LAST) });
            }
        }
        out
    }

    /// The first line that reads like a name, or the first near the top that says what kind of company it is.
    fn seller(&self) -> Option<Field> {
        let rows: Vec<&Row<'_>> = self.rows.iter().filter(|row| !row.words.is_empty()).take(HEAD_LINES).collect();
        let like_a_name = |row: &&&Row<'_>| {
            let (letters, figures) =
                row.words.iter().flat_map(|it| it.text.chars()).fold((0, 0), |(letters, figures), it| {
                    (letters + usize::from(it.is_alphabetic()), figures + usize::from(it.is_ascii_digit()))
                });
            let title = [
                "invoice", "receipt", "welcome", "quittung", "rechnung", "facture", "ticket", "copy", "date", "tel",
                "http", "www",
            ];
            3 <= letters
                && figures * 2 < letters
                && !title
                    .iter()
                    .any(|it| row.letters.starts_with(it) || (row.letters.ends_with(it) && row.letters.len() < 24))
        };
        let with_form = |row: &&&Row<'_>| {
            let text = joined(row.words.iter().copied()).to_lowercase();
            let parts: Vec<&str> =
                text.split(|it: char| !it.is_alphanumeric() && it != '/').filter(|it| !it.is_empty()).collect();
            FORMS.iter().any(|form| {
                let form: Vec<&str> = form.split(' ').collect();
                parts.windows(form.len()).any(|it| it == form)
                    || (form.len() == 1
                        && form.iter().any(|it| 4 < it.len())
                        && row.letters.ends_with(form.concat().as_str()))
            }) || row.letters.ends_with("sdnbhd")
        };
        let named = rows.iter().filter(like_a_name).take(5);
        let (row, confidence) = match named.clone().find(with_form) {
            Some(row) => (row, 0.85),
            None => (named.clone().next()?, 0.7),
        };
        // A name that goes on in the next line: the form of the company stands there alone.
        let mut words: Vec<&Word> = row.words.clone();
        if row.letters.len() <= 8 && ["sdnbhd", "bhd", "ltd", "gmbh"].contains(&row.letters.as_str()) {
            let at = rows.iter().position(|it| std::ptr::eq(*it, *row))?;
            let above = at.checked_sub(1).and_then(|it| rows.get(it))?;
            words = above.words.iter().chain(&words).copied().collect();
        }
        let text = without_number(&joined(words.iter().copied()));
        (!text.is_empty()).then(|| self.field(text, confidence, &words))
    }

    /// The first date, a labelled one before others.
    fn date(&self, month_first: Option<bool>) -> Option<Field> {
        let mut found: Option<Field> = None;
        for row in &self.rows {
            let text = joined(row.words.iter().copied());
            let Some(date) = date_in(&text, month_first) else { continue };
            let label = ["date", "datum", "tarikh", "fecha", "data", "日期"];
            let labelled = row.has(&label) && !row.has(&["due", "expir", "valid", "member"]);
            let confidence = if labelled { 0.92 } else { 0.85 };
            if labelled {
                return Some(self.field(date, confidence, &row.words));
            }
            found.get_or_insert_with(|| self.field(date, confidence, &row.words));
        }
        found
    }
}

struct Total<'p> {
    value: Decimal,
    text: String,
    word: &'p Word,
    last: bool,
}

/// Without a register's number in brackets at the end: `ABC SDN BHD (12345-K)`.
fn without_number(text: &str) -> String {
    let bare = match text.rfind('(') {
        Some(at) if text.get(at..).is_some_and(|it| 3 <= it.bytes().filter(u8::is_ascii_digit).count()) => {
            text.get(..at).unwrap_or(text)
        }
        _ => text,
    };
    bare.trim_matches(|it: char| it.is_whitespace() || ",;:-*|=_.".contains(it) && it != '.').trim().to_owned()
}

/// The first date in a text in which neither spaces nor the time behind it can be relied on. `month_first` tells how to read
/// `03/04/2026`; None where nothing does, and then such a date is left out.
fn date_in(text: &str, month_first: Option<bool>) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    (0..chars.len()).find_map(|start| {
        let before = start.checked_sub(1).and_then(|it| chars.get(it));
        let free = before.is_none_or(|it| !it.is_ascii_digit() && !"/-.".contains(*it));
        free.then(|| date_at(chars.get(start..)?, month_first))?
    })
}

fn date_at(chars: &[char], month_first: Option<bool>) -> Option<String> {
    let run = |at: usize, of: fn(&char) -> bool| -> String {
        chars.iter().skip(at).take_while(|it| of(it)).take(12).collect()
    };
    let digits = |at: usize| run(at, char::is_ascii_digit);
    let separator = |at: usize| chars.get(at).is_some_and(|it| "/-. ,年月".contains(*it));
    let gap = |at: usize| (at..at + 3).take_while(|it| separator(*it)).count();
    let first = digits(0);
    if first.is_empty() || 4 < first.len() {
        return None;
    }
    let at = first.len() + gap(first.len());
    let (second, named) = match digits(at) {
        month if !month.is_empty() => (month, false),
        _ => (run(at, |it| it.is_alphabetic()), true),
    };
    let signed = at != first.len();
    if !(signed || named) || second.is_empty() || (!named && 2 < second.len()) {
        return None;
    }
    let after = at + second.chars().count();
    let at = after + gap(after);
    let year = digits(at);
    if first.len() == 4 {
        let day: String = year.chars().take(2).collect();
        return (at != after && !day.is_empty()).then(|| values::date(&format!("{first}-{second:0>2}-{day:0>2}")))?;
    }
    // A time may follow without a space; a century tells how long the year is.
    let century = year.starts_with("20") && 4 <= year.len();
    let year: String = year.chars().take(if century { 4 } else { 2 }).collect();
    // Three figures with spaces or points between are a date only with a century, or with the signs of one.
    let slashed = chars.get(first.len()).is_some_and(|it| "/-".contains(*it)) || named || century;
    if year.len() < 2 || 2 < first.len() || !slashed || (!named && at == after) {
        return None;
    }
    if named {
        return values::date(&format!("{first} {second} {year}"));
    }
    let (day, month) = (first.parse::<u8>().ok()?, second.parse::<u8>().ok()?);
    let month_first = if 12 < day {
        false
    } else if 12 < month {
        true
    } else if day == month {
        false
    } else {
        month_first?
    };
    let (day, month) = if month_first { (month, day) } else { (day, month) };
    values::date(&format!("{day}.{month}.{year}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_found_without_spaces_around_them() {
        for (text, expected) in [
            ("Date:09/01/201911:08:33 AM", Some("2019-01-09")),
            ("25-03-18 14:20", Some("2018-03-25")),
            ("24 Mar 2018 18:21", Some("2018-03-24")),
            ("12-JAN-2018", Some("2018-01-12")),
            ("2018-05-10 11:00", Some("2018-05-10")),
            ("2018年5月10日", Some("2018-05-10")),
            ("TEL: 03-7955 2081", None),
            ("10.05 20.30 3", None),
            ("GST ID 000306020352", None),
        ] {
            assert_eq!(date_in(text, Some(false)).as_deref(), expected, "{text}");
        }
        assert_eq!(date_in("03/04/2018", Some(true)).as_deref(), Some("2018-03-04"));
        assert_eq!(date_in("03/04/2018", None), None);
    }

    #[test]
    fn an_amount_has_two_decimals_whatever_stands_around_it() {
        for (text, expected) in [
            ("31.00", Some("31.00")),
            ("RM31.00", Some("31.00")),
            ("$1,234.50", Some("1234.50")),
            ("12,50", Some("12.50")),
            ("-0.02", Some("-0.02")),
            ("7.95SR", Some("7.95")),
            ("6.00%", None),
            ("12:30", None),
            ("1.5", None),
            ("03-7955", None),
            ("09/01/2019", None),
        ] {
            assert_eq!(amount(text).map(|it| it.1).as_deref(), expected, "{text}");
        }
    }
}

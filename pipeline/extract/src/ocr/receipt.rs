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

/// A last letter is easily misread.
const TOTAL: [&str; 18] = [
    "tota",
    "jumlah",
    "summe",
    "gesamt",
    "zuzahlen",
    "betrag",
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

/// What kind of company a seller is, at the end of its name.
const FORMS: [&str; 23] = [
    "sdn bhd", "bhd", "s/b", "ltd", "limited", "gmbh", "ag", "kg", "ohg", "inc", "llc", "llp", "corp", "co", "plc",
    "pte", "sarl", "sas", "sa", "srl", "spa", "bv", "nv",
];
/// What kind of business it is, anywhere in its name.
const BUSINESSES: [&str; 30] = [
    "enterprise",
    "trading",
    "restaurant",
    "restoran",
    "ristorante",
    "cafe",
    "coffee",
    "bakery",
    "bakeries",
    "bäckerei",
    "boulangerie",
    "pharmacy",
    "apotheke",
    "pharmacie",
    "farmacia",
    "stationery",
    "hardware",
    "supermarket",
    "supermarkt",
    "supermercado",
    "mart",
    "hotel",
    "clinic",
    "gallery",
    "bookstore",
    "syarikat",
    "perniagaan",
    "kedai",
    "超市",
    "商店",
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

/// Lines from the top in which the seller stands, and among them those in which the business is told.
const HEAD_LINES: usize = 8;
const FORM_LINES: usize = 5;
const BUSINESS_LINES: usize = 3;
/// A number that stands only near a title is not the receipt's.
const NUMBER_CONFIDENCE_MIN: f64 = 0.82;
/// Taxes by the names that they have where the day stands before the month.
const DAY_FIRST: [&str; 8] = ["gst", "vat", "mwst", "ust", "tva", "iva", "btw", "sdnbhd"];
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
    found.lines.clear();
    let single = &mut found.fields.single;
    doubt(single, &total.value);
    single.insert(FieldName::GrossTotal, total);
    if let Some(name) = till.seller() {
        single.insert(FieldName::SellerName, name);
    }
    if single.get(&FieldName::Number).is_some_and(|it| it.confidence < NUMBER_CONFIDENCE_MIN) {
        single.remove(&FieldName::Number);
    }
    // A date that does not say itself which number is the month is read as in the country of the money, or of the tax.
    let day_first = till.rows.iter().any(|row| row.has(&DAY_FIRST));
    let month_first = currency.as_ref().map(|(_, code)| *code == "USD").or(day_first.then_some(false));
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
    // Rates below one in a hundred are roundings.
    let taxed = value(FieldName::NetTotal)
        .zip(value(FieldName::TaxTotal))
        .is_some_and(|(net, tax)| net < tax * Decimal::ONE_HUNDRED);
    let agrees = taxed && sum.is_some() && sum == total.parse().ok();
    let doubtful = [FieldName::LineTotal, FieldName::Payable, FieldName::Prepaid, FieldName::BuyerName];
    let unless = [FieldName::NetTotal, FieldName::TaxTotal];
    for name in doubtful.iter().chain(unless.iter().filter(|_| !agrees)) {
        single.remove(name);
    }
}

struct Row<'p> {
    words: Vec<&'p Word>,
    /// All its letters, in lower case; a zero or a one within a word is the letter that looks like it.
    letters: String,
}

impl Row<'_> {
    fn of(line: &Line) -> Row<'_> {
        let words: Vec<&Word> = line.words().collect();
        let letters = words.iter().flat_map(|word| {
            let count = |of: fn(char) -> bool| word.text.chars().filter(|it| of(*it)).count();
            let wordly = count(|it| it.is_ascii_digit()) < count(char::is_alphabetic);
            word.text.chars().filter_map(move |it| match it {
                '0' if wordly => Some('o'),
                '1' if wordly => Some('l'),
                it => it.is_alphabetic().then_some(it),
            })
        });
        Row { letters: letters.flat_map(char::to_lowercase).collect(), words }
    }

    /// The last amount with two decimals.
    fn amount(&self) -> Option<(Decimal, String, &Word)> {
        self.words.iter().rev().find_map(|word| amount(&word.text).map(|(value, text)| (value, text, *word)))
    }

    fn has(&self, words: &[&str]) -> bool {
        words.iter().any(|it| self.letters.contains(it))
    }

    /// Mostly letters, some of them capitals, and no title or label.
    fn like_a_name(&self) -> bool {
        const TITLES: [&str; 15] = [
            "invoice",
            "taxinvoice",
            "receipt",
            "welcome",
            "quittung",
            "rechnung",
            "facture",
            "ticket",
            "copy",
            "date",
            "tel",
            "http",
            "www",
            "gst",
            "cash",
        ];
        let text = without_number(&joined(self.words.iter().copied()));
        let count = |of: fn(char) -> bool| text.chars().filter(|it| of(*it)).count();
        let (letters, figures) = (count(char::is_alphabetic), count(|it| it.is_ascii_digit()));
        let written_by_hand = 0 < count(char::is_lowercase) && count(char::is_uppercase) == 0;
        let title = TITLES.iter().any(|it| self.letters.starts_with(it))
            || ["invoice", "receipt"].iter().any(|it| self.letters.ends_with(it));
        3 <= letters && figures * 2 < letters && !written_by_hand && !title
    }

    fn has_form(&self) -> bool {
        let text = without_number(&joined(self.words.iter().copied())).to_lowercase();
        let parts: Vec<&str> =
            text.split(|it: char| !it.is_alphanumeric() && it != '/').filter(|it| !it.is_empty()).collect();
        let form =
            |form: &&str| parts.windows(form.split(' ').count()).any(|it| it.iter().copied().eq(form.split(' ')));
        FORMS.iter().any(form) || self.letters.contains("sdnbhd")
    }
}

/// `31.00`, `RM31.00`, `-0.02`, `1,234.50`, `12,50`, with the letter of a tax code behind it: a number with two decimals.
fn amount(text: &str) -> Option<(Decimal, String)> {
    let start = text.find(|it: char| it.is_ascii_digit())?;
    let (before, rest) = text.split_at(start);
    let end = rest.rfind(|it: char| it.is_ascii_digit())? + 1;
    let (figures, after) = rest.split_at(end);
    if 4 < before.chars().count() || 3 < after.chars().count() || before.contains(['/', '%']) {
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
                - if it.in_table { 0.4 } else { 0.0 }
                + 0.1 * again.min(4) as f64;
            let better = |(other, than): &(f64, &Total<'_>)| (*other, than.value) < (score, it.value);
            if !it.value.is_zero() && best.as_ref().is_none_or(better) {
                best = Some((score, it));
            }
        }
        let paid: Vec<Decimal> = given.iter().flat_map(|given| back.iter().map(move |back| *given - *back)).collect();
        if best.is_none_or(|(_, it)| !paid.contains(&it.value)) {
            // What was given less what came back stands somewhere, under a name that is not known.
            let rows = self.rows.iter().filter(|row| !row.has(cash) && !row.has(change) && !row.has(card));
            let found = rows.filter_map(Row::amount).find(|it| Decimal::ZERO < it.0 && paid.contains(&it.0));
            if let Some((_, text, word)) = found {
                return Some(self.field(text, 0.8, &[word]));
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
            let without_tax = ["sub", "excl", "disc", "saving"];
            let other = row.has(&OTHER) && (!with_tax || row.has(&without_tax));
            if !row.has(&TOTAL) || other {
                continue;
            }
            // Large print stands on a line of its own below its label.
            let below = || self.rows.get(idx + 1).filter(|it| it.letters.chars().count() <= 3).and_then(Row::amount);
            if let Some((value, text, word)) = row.amount().or_else(below) {
                let in_table = 1 < row.words.iter().filter(|it| amount(&it.text).is_some()).count();
                out.push(Total { value, text, word, last: row.has(&LAST), in_table });
            }
        }
        out
    }

    /// Of the first lines that read like a name, one that says what kind of company or business it is; otherwise the first.
    fn seller(&self) -> Option<Field> {
        let rows: Vec<&Row<'_>> = self.rows.iter().filter(|row| !row.words.is_empty()).take(HEAD_LINES).collect();
        let named: Vec<&&Row<'_>> = rows.iter().filter(|row| row.like_a_name()).collect();
        let formed = named.iter().take(FORM_LINES).find(|row| row.has_form());
        let business = || named.iter().take(BUSINESS_LINES).find(|row| row.has(&BUSINESSES));
        let (row, confidence) = match formed.or_else(business) {
            Some(row) => (**row, 0.85),
            None => (**named.first()?, 0.7),
        };
        let mut words: Vec<&Word> = row.words.clone();
        // The form of a company may stand in a line of its own.
        if ["sdnbhd", "bhd", "ltd", "gmbh", "inc", "llc"].contains(&row.letters.as_str()) {
            let at = rows.iter().position(|it| std::ptr::eq(*it, row))?;
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
    /// One of several amounts: of net and tax, not the last total.
    in_table: bool,
}

/// Without a register's number in brackets at the end: `ABC SDN BHD (12345-K)`.
fn without_number(text: &str) -> String {
    let bare = match text.rfind('(') {
        Some(at) if text.get(at..).is_some_and(|it| 3 <= it.bytes().filter(u8::is_ascii_digit).count()) => {
            text.get(..at).unwrap_or(text)
        }
        _ => text,
    };
    bare.trim_matches(|it: char| it.is_whitespace() || ",;:-*|=_".contains(it)).to_owned()
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
    let sign = |at: usize| chars.get(at).copied().filter(|it| "/-.".contains(*it));
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
    let alike = named || sign(first.len()) == sign(after);
    if !alike || (!century && 2 < year.len()) {
        return None;
    }
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
            ("XC12-12/144", None),
            ("12-12-144", None),
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

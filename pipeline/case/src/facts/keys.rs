//! The keys that facts are looked up by, and how ids and numbers are folded to be the same ones.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::OrderLine;
use crate::CaseId;
use crate::invoice::{compact, folded};

/// What facts are looked up by, such as `order:4711`. Equal keys are equal texts: whoever makes one folds it first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

/// Days in a step of the keys that find what lies a few days apart.
const STEP_DAYS: i64 = 7;

impl Key {
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Orders are named without regard to case and outer blanks.
    pub fn order(id: &str) -> Key {
        Key(format!("order:{}", upper(id)))
    }

    /// The open lines that a vendor may be billing without saying so.
    pub fn orders_of(vendor: &str) -> Key {
        Key(format!("orders-of:{}", upper(vendor)))
    }

    pub fn vendor(id: &str) -> Key {
        Key(format!("vendor:{}", upper(id)))
    }

    pub fn vat_id(id: &str) -> Key {
        Key(format!("vat:{}", compact(id)))
    }

    pub fn tax_id(id: &str) -> Key {
        Key(format!("tax:{}", compact(id)))
    }

    pub fn name(name: &str) -> Key {
        Key(format!("name:{}", folded(name)))
    }

    pub fn accounts_of(vendor: &str) -> Key {
        Key(format!("accounts-of:{}", upper(vendor)))
    }

    /// Accounts that wait for their second person, of every vendor.
    pub fn accounts_waiting() -> Key {
        Key("accounts-waiting:".to_owned())
    }

    /// Vendors and employees that are paid to this account.
    pub fn iban(iban: &str) -> Key {
        Key(format!("iban:{}", compact(iban)))
    }

    /// Conversions from or to this unit that are for every item.
    pub fn unit(unit: &str) -> Key {
        Key(format!("unit:{}", upper(unit)))
    }

    /// Those of one item: many items are counted in few units.
    pub fn unit_of(unit: &str, item: &str) -> Key {
        Key(format!("unit:{}|{}", upper(unit), upper(item)))
    }

    /// All that may be asked about the unit of an order line.
    pub fn units_of(line: &OrderLine) -> impl Iterator<Item = Key> {
        let of_item = line.item.as_deref().map(|item| Key::unit_of(&line.unit, item));
        std::iter::once(Key::unit(&line.unit)).chain(of_item)
    }

    pub fn contract(id: &str) -> Key {
        Key(format!("contract:{}", upper(id)))
    }

    /// Bills of one seller under one number, however it is written: key D3, and D2 in it. Credit notes have a key space of
    /// their own.
    pub fn number(cluster: &str, credit: bool, number: &str) -> Key {
        Key(format!("number:{}|{cluster}|{}", space(credit), normal_number(number)))
    }

    /// Credit notes of one seller that name this invoice.
    pub fn credits_of(cluster: &str, number: &str) -> Key {
        Key(format!("credits-of:{cluster}|{}", normal_number(number)))
    }

    /// Bills of one seller over one amount about one day: key D4.
    pub fn gross(cluster: &str, credit: bool, currency: &str, gross: Decimal, step: i64) -> Key {
        Key(format!("gross:{}|{cluster}|{currency}|{}|{step}", space(credit), gross.round_dp(2).normalize()))
    }

    /// Bills to one account under one number, whoever sent them: key D5.
    pub fn payee(iban: &str, credit: bool, number: &str) -> Key {
        Key(format!("payee:{}|{}|{}", space(credit), compact(iban), normal_number(number)))
    }

    /// Bills with the same lines on the same day, whoever sent them: key D6.
    pub fn lines(fingerprint: &str) -> Key {
        Key(format!("lines:{fingerprint}"))
    }

    /// Bills of one vendor in a year that took of its budget.
    pub fn budget(vendor: &str, year: i16) -> Key {
        Key(format!("budget:{}|{year}", upper(vendor)))
    }

    /// Bills of one vendor for one cost centre about one day; of those that say none, the ones without an order.
    pub fn split(vendor: &str, cost_centre: Option<&str>, step: i64) -> Key {
        Key(format!("split:{}|{}|{step}", upper(vendor), cost_centre.map(folded).unwrap_or_default()))
    }

    /// Bills of one vendor about one day that no order stands behind, whatever their cost centre.
    pub fn unordered(vendor: &str, step: i64) -> Key {
        Key(format!("unordered:{}|{step}", upper(vendor)))
    }

    /// Bills of one vendor in a month.
    pub fn month(vendor: &str, year: i16, month: i8) -> Key {
        Key(format!("month:{}|{year}-{month:02}", upper(vendor)))
    }

    /// Receipts of a month with something that went back.
    pub fn returns(year: i16, month: i8) -> Key {
        Key(format!("returns:{year}-{month:02}"))
    }

    /// Bills that are not paid as far as is known, and payments, by the amount.
    pub fn open(currency: &str, gross: Decimal) -> Key {
        Key(format!("open:{currency}|{}", gross.round_dp(2).normalize()))
    }

    /// Bills under this number, whoever sent them: what a payment's text names.
    pub fn any_number(number: &str) -> Key {
        Key(format!("any-number:{}", normal_number(number)))
    }

    /// Payments to an account, or from it.
    pub fn payments_to(iban: &str) -> Key {
        Key(format!("payments-to:{}", compact(iban)))
    }

    /// Are only the newest of what stands under it looked at? What is learned under it changes no verdict by itself.
    pub fn partly(&self) -> bool {
        self.is_one_of(&["month:", "orders-of:", "returns:", "unsettled:"])
    }

    /// Must a verdict be made anew when something is written under it meanwhile? Not where only a part is looked at, not for
    /// what payments are found by, which are settled by the bills themselves, and not for what nothing is compared by, which
    /// people alone look through.
    pub fn binds(&self) -> bool {
        !self.partly() && !self.is_one_of(&["open:", "any-number:", "accounts-waiting:"])
    }

    /// Do verdicts write under it, and not imports alone?
    pub fn written_by_cases(&self) -> bool {
        !self.is_one_of(&["vendor:", "vat:", "tax:", "name:", "iban:", "accounts-of:", "unit:", "settled-of:"])
    }

    fn is_one_of(&self, prefixes: &[&str]) -> bool {
        prefixes.iter().any(|prefix| self.0.starts_with(prefix))
    }

    /// Payments that settle nothing yet, or about which a case is still to be told.
    pub fn unsettled() -> Key {
        Key("unsettled:".to_owned())
    }

    /// A payment, and how it was settled.
    pub fn payment(id: &str) -> Key {
        Key(format!("payment:{id}"))
    }

    /// Payments that settled a bill, by its case or by the id it was brought in under.
    pub fn paid(bill: &str) -> Key {
        Key(format!("paid:{bill}"))
    }

    /// Settlements that say something of a case: what was paid for it, and what is to be forgotten with it.
    pub fn settled_of(case: CaseId) -> Key {
        Key(format!("settled-of:{case}"))
    }

    /// The step of seven days that a day lies in.
    pub fn step_of(day: Date) -> i64 {
        days(day).div_euclid(STEP_DAYS)
    }
}

/// Days since 1970-01-01.
pub(crate) fn days(day: Date) -> i64 {
    i64::from((day - Date::constant(1970, 1, 1)).get_days())
}

pub(super) fn space(credit: bool) -> &'static str {
    if credit { "credit" } else { "invoice" }
}

pub(crate) fn upper(text: &str) -> String {
    text.trim().to_uppercase()
}

/// A number as duplicates are compared by (D3): compatibility forms folded (NFKC), upper case, letters and digits alone,
/// letters that are mistaken for digits as those digits, no leading zeros in any run of digits.
pub fn normal_number(number: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let digits = number.nfkc().flat_map(char::to_uppercase).filter(|ch| ch.is_alphanumeric()).map(|ch| match ch {
        'O' => '0',
        'I' | 'L' => '1',
        'S' => '5',
        'B' => '8',
        other => other,
    });
    let mut normal = String::new();
    let mut zeros = 0;
    for ch in digits {
        let in_run = normal.ends_with(|last: char| last.is_ascii_digit());
        match ch {
            '0' if !in_run => zeros += 1,
            digit if digit.is_ascii_digit() => {
                zeros = 0;
                normal.push(digit);
            }
            letter => {
                if 0 < std::mem::take(&mut zeros) {
                    normal.push('0');
                }
                normal.push(letter);
            }
        }
    }
    if 0 < zeros {
        normal.push('0');
    }
    normal
}

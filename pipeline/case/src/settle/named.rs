//! Bills that a payment's text names. Banks cut texts into pieces and payers write numbers with and without strokes, so runs
//! of pieces are looked up as well as each piece.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::{NAMED_MAX, Owed, SUGGESTED_MAX, Settling, Share, listed};
use crate::Code;
use crate::comparison::{Comparison, Test};
use crate::facts::Key;

/// Of a payment's text, so many characters and pieces are read, and so many pieces make a number at most.
const TEXT_CHARS_MAX: usize = 2_000;
const PIECES_MAX: usize = 48;
const RUN_MAX: usize = 4;
/// Letters and digits of a number; shorter ones are days, quantities and counts.
const NUMBER_CHARS_MIN: usize = 3;
const NUMBER_CHARS_MAX: usize = 40;

/// Pieces of a text that may be a number, from one to the other.
pub(super) struct Run {
    pub(super) key: Key,
    first: usize,
    last: usize,
}

pub(super) fn runs(text: &str) -> Vec<Run> {
    let text: String = text.chars().take(TEXT_CHARS_MAX).collect();
    let pieces: Vec<&str> =
        text.split(|ch: char| !ch.is_alphanumeric()).filter(|it| !it.is_empty()).take(PIECES_MAX).collect();
    let mut runs = Vec::new();
    for first in 0..pieces.len() {
        for last in first..pieces.len().min(first + RUN_MAX) {
            let run = pieces.get(first..=last).unwrap_or_default().concat();
            let chars = run.chars().count();
            if run.chars().any(char::is_numeric) && (NUMBER_CHARS_MIN..=NUMBER_CHARS_MAX).contains(&chars) {
                runs.push(Run { key: Key::any_number(&run), first, last });
            }
        }
    }
    runs
}

/// What a text names, read in one way.
struct Reading<'a> {
    /// Bills of which something is open.
    open: BTreeMap<String, Owed<'a>>,
    /// Bills that were paid before.
    closed: BTreeMap<String, Owed<'a>>,
    /// Numbers that several open bills have.
    several: Vec<Vec<Owed<'a>>>,
    /// In another currency than the payment.
    foreign: Vec<Owed<'a>>,
    /// Bills whose total is not known.
    without_total: BTreeSet<String>,
}

impl Reading<'_> {
    fn due(&self) -> Option<Decimal> {
        self.open.values().try_fold(Decimal::ZERO, |sum, owed| sum.checked_add(owed.due()))
    }

    fn says(&self) -> BTreeSet<&str> {
        let several = self.several.iter().flatten().chain(&self.foreign).map(|owed| owed.id.as_str());
        let without = self.without_total.iter().map(String::as_str);
        self.open.keys().chain(self.closed.keys()).map(String::as_str).chain(several).chain(without).collect()
    }
}

impl<'a> Settling<'a> {
    /// Settles what the text names; false where it names nothing.
    pub(super) fn by_name(&mut self) -> bool {
        let (long, short) = (self.reading(true), self.reading(false));
        let reading = if long.says() == short.says() {
            long
        } else {
            // `RE 1001` may be one number or the end of another: the amount says which, or nobody does.
            match (long.due() == Some(self.paid), short.due() == Some(self.paid)) {
                (true, false) => long,
                (false, true) => short,
                _ => return self.unclear(long, short),
            }
        };
        if reading.says().is_empty() {
            return false;
        }
        if self.is_clear(&reading) {
            self.pay_named(reading);
        }
        true
    }

    /// Reads the text with its longest numbers first, or with its shortest.
    fn reading(&self, long: bool) -> Reading<'a> {
        let mut runs = runs(&self.payment.text);
        runs.sort_by_key(|run| {
            if long { (RUN_MAX - (run.last - run.first), run.first) } else { (run.last - run.first, run.first) }
        });
        let mut reading = Reading {
            open: BTreeMap::new(),
            closed: BTreeMap::new(),
            several: Vec::new(),
            foreign: Vec::new(),
            without_total: BTreeSet::new(),
        };
        let mut taken: BTreeSet<usize> = BTreeSet::new();
        for run in runs {
            if (run.first..=run.last).any(|piece| taken.contains(&piece)) || !self.read(&run, &mut reading) {
                continue;
            }
            taken.extend(run.first..=run.last);
        }
        reading
    }

    /// Adds the bills of this number, where there are any that may be meant.
    fn read(&self, run: &Run, reading: &mut Reading<'a>) -> bool {
        let mut bills = self.owed(&run.key);
        let ids = self.known.bills(&run.key).map(|(case, bill)| super::bill_id(case, bill));
        let without_total: BTreeSet<String> = ids.filter(|id| !bills.contains_key(id)).collect();
        // The account tells whose number it is, where vendors have the same.
        if bills.values().any(|owed| self.fits_account(owed)) {
            bills.retain(|_, owed| self.fits_account(owed));
        } else if self.payment.iban.is_some() {
            // Of the paid bills of others, a number is only a number.
            bills.retain(|_, owed| !owed.open.is_zero());
        }
        if bills.is_empty() && without_total.is_empty() {
            return false;
        }
        reading.without_total.extend(without_total);
        let (closed, open): (Vec<_>, Vec<_>) = bills.into_iter().partition(|(_, owed)| owed.open.is_zero());
        let (mut own, foreign): (Vec<_>, Vec<_>) = open.into_iter().partition(|(_, owed)| self.same_currency(owed));
        match (own.len(), foreign.is_empty()) {
            (0, true) => reading.closed.extend(closed),
            (0, false) => reading.foreign.extend(foreign.into_iter().map(|(_, owed)| owed)),
            (1, _) => reading.open.extend(own.pop()),
            _ => reading.several.push(own.into_iter().map(|(_, owed)| owed).collect()),
        }
        true
    }

    fn unclear(&mut self, long: Reading<'a>, short: Reading<'a>) -> bool {
        let suggested = long.open.values().chain(short.open.values()).map(|owed| self.share(owed, owed.open));
        let suggested: BTreeMap<String, Share> = suggested.map(|share| (share.bill.clone(), share)).collect();
        self.settlement.suggested = suggested.into_values().collect();
        let comparison = one_of("readings", 2, "bank.one_reading");
        self.compare(comparison, || "the text can be read as different numbers, all of which are known".to_owned());
        true
    }

    /// Is there one bill for each number, whose money can be compared?
    fn is_clear(&mut self, reading: &Reading<'a>) -> bool {
        let mut clear = true;
        for owed in &reading.foreign {
            let test = Test::Same { left: "paid_currency".into(), right: "billed_currency".into() };
            let billed = owed.bill.currency.clone().unwrap_or_default();
            let comparison = Comparison::new(Code::Ambiguous, "bank.currency", test)
                .from("paid_currency", &self.payment.currency, self.place())
                .from("billed_currency", &billed, owed.place())
                .with("bill", &owed.id);
            let paid = &self.payment.currency;
            clear &= self.compare(comparison, || format!("paid in {paid}, and {} is in {billed}", owed.called()));
        }
        for id in &reading.without_total {
            let comparison = Comparison::new(Code::Ambiguous, "bank.total", Test::There { value: "total".into() });
            let comparison = comparison.with("total", "").with("bill", id);
            clear &= self.compare(comparison, || "a bill is named whose total is not known".to_owned());
        }
        for several in &reading.several {
            let ids = listed(several.iter().take(SUGGESTED_MAX).map(|owed| owed.id.as_str()));
            let comparison = one_of("fitting", several.len(), "bank.one_bill").with("bills", ids);
            let number = several.first().map(Owed::called).unwrap_or_default();
            clear &= self.compare(comparison, || format!("{} open bills are called {number}", several.len()));
            let suggested = several.iter().take(SUGGESTED_MAX).map(|owed| self.share(owed, owed.open));
            let suggested: Vec<Share> = suggested.collect();
            self.settlement.suggested.extend(suggested);
        }
        let test = Test::AtMost { sum: vec!["named".into()], of: "most".into(), times: None, below: None };
        let comparison = Comparison::new(Code::TooMany, "bank.named", test);
        let comparison = comparison.with("named", reading.open.len()).with("most", NAMED_MAX);
        clear
            & self.compare(comparison, || {
                format!("{} bills are named, at most {NAMED_MAX} are looked at", reading.open.len())
            })
    }

    fn pay_named(&mut self, reading: Reading<'a>) {
        if !self.in_its_direction(&reading) {
            return;
        }
        let Some(due) = reading.due() else { return };
        let named: Vec<Owed<'a>> = reading.open.into_values().collect();
        let closed: Vec<Owed<'a>> = reading.closed.into_values().collect();
        match named.as_slice() {
            [] => {
                self.no_more_than(Decimal::ZERO, closed.iter());
            }
            all if due == self.paid => self.pay_all(all.iter()),
            [one] => self.pay_one(one),
            all => self.pay_some(all, due),
        }
    }

    /// INVARIANT: money goes out for invoices and comes in for credit notes. What goes the other way came back, or is for
    /// something that is not known.
    fn in_its_direction(&mut self, reading: &Reading<'a>) -> bool {
        // Of what is paid already nothing can be settled: it says where the money goes only if nothing else is named.
        let bills = if reading.open.is_empty() { &reading.closed } else { &reading.open };
        let fits = bills.values().map(|owed| owed.bill.credit).any(|credit| credit == self.paid.is_sign_negative());
        let moved = if self.paid.is_sign_negative() { "in" } else { "out" };
        let expected = match (fits, moved) {
            (true, moved) => moved,
            (false, "in") => "out",
            (false, _) => "in",
        };
        let test = Test::Same { left: "moved".into(), right: "expected".into() };
        let comparison = Comparison::new(Code::Ambiguous, "bank.direction", test)
            .from("moved", moved, self.place())
            .with("expected", expected)
            .with("bills", listed(reading.says()));
        let amount = self.paid.abs();
        self.compare(comparison, || {
            format!("{amount} went {moved} for bills whose money goes {expected}: it may have come back")
        })
    }

    /// Is no more paid than is open?
    fn no_more_than<'b>(&mut self, open: Decimal, bills: impl Iterator<Item = &'b Owed<'a>>) -> bool
    where
        'a: 'b,
    {
        let (ids, called): (Vec<&str>, Vec<String>) = bills.map(|owed| (owed.id.as_str(), owed.called())).unzip();
        let paid = self.paid.abs().normalize();
        let open = open.abs().normalize();
        let test = Test::AtMost { sum: vec!["paid".into()], of: "open".into(), times: None, below: None };
        let comparison = Comparison::new(Code::Overpaid, "bank.open", test)
            .from("paid", paid, self.place())
            .with("open", open)
            .with("bills", listed(ids));
        self.compare(comparison, || format!("{paid} paid for {}, of which {open} is open", called.join(", ")))
    }

    fn pay_all<'b>(&mut self, all: impl Iterator<Item = &'b Owed<'a>> + Clone)
    where
        'a: 'b,
    {
        self.no_more_than(self.paid, all.clone());
        for owed in all {
            self.pay(owed, owed.open);
        }
    }

    /// A part of one bill, or more than it.
    fn pay_one(&mut self, one: &Owed<'a>) {
        // Another amount than is open, to another account than the vendor's: that it is for this bill is a suggestion.
        if self.payment.iban.is_some() && !self.fits_account(one) {
            return self.suggest(one);
        }
        self.no_more_than(one.open, std::iter::once(one));
        self.pay(one, one.open.min(self.paid.abs()));
    }

    fn suggest(&mut self, one: &Owed<'a>) {
        let share = self.share(one, one.open.min(self.paid.abs()));
        self.settlement.suggested.push(share);
        if Decimal::ZERO < self.paid {
            self.account_was_approved(one);
            return;
        }
        let comparison = self.account(one, Code::Ambiguous, "bank.account");
        let amount = self.paid.abs();
        self.compare(comparison, || {
            format!(
                "{amount} came in for {}, of which {} is open, from an account that is not its vendor's",
                one.called(),
                one.open
            )
        });
    }

    /// Of several that are named, those whose open amounts are what was paid, if there is only one choice of them.
    fn pay_some(&mut self, all: &[Owed<'a>], due: Decimal) {
        let same_side = all.iter().all(|owed| owed.bill.credit == self.paid.is_sign_negative());
        if same_side && due.abs() < self.paid.abs() {
            if self.payment.iban.is_some() && !all.iter().any(|owed| self.fits_account(owed)) {
                return all.iter().for_each(|owed| self.suggest(owed));
            }
            self.no_more_than(due, all.iter());
            for owed in all {
                self.pay(owed, owed.open);
            }
            return;
        }
        let choices = choices(all, self.paid);
        let suggested: Vec<Share> = all.iter().map(|owed| self.share(owed, owed.open)).collect();
        match choices.as_slice() {
            [one] => {
                self.pay_all(all.iter().enumerate().filter(|(idx, _)| one & (1 << idx) != 0).map(|(_, owed)| owed))
            }
            [] => {
                let test = Test::Same { left: "paid".into(), right: "open".into() };
                let comparison = Comparison::new(Code::Ambiguous, "bank.sum", test)
                    .from("paid", format!("{:.2}", self.paid), self.place())
                    .with("open", format!("{due:.2}"))
                    .with("bills", listed(all.iter().map(|owed| owed.id.as_str())));
                let (paid, n_bills) = (self.paid, all.len());
                self.compare(comparison, || {
                    format!(
                        "{paid} paid for {n_bills} bills of which {due} is open: which of them it is for is not said"
                    )
                });
                self.settlement.suggested = suggested;
            }
            several => {
                let n_choices = several.len();
                self.compare(one_of("choices", n_choices, "bank.one_choice"), || {
                    format!("{n_choices} choices of the bills that are named make the amount that was paid")
                });
                self.settlement.suggested = suggested;
            }
        }
    }
}

/// Sets of bills whose amounts add up to what was paid, as bits; at most two, since a second is one too many.
fn choices(all: &[Owed<'_>], paid: Decimal) -> Vec<u32> {
    let dues: Vec<Decimal> = all.iter().take(NAMED_MAX).map(Owed::due).collect();
    let sum = |bits: &u32| {
        let chosen = dues.iter().enumerate().filter(|(idx, _)| bits & (1 << idx) != 0);
        chosen.map(|(_, due)| *due).try_fold(Decimal::ZERO, Decimal::checked_add)
    };
    (1..1_u32 << dues.len()).filter(|bits| sum(bits) == Some(paid)).take(2).collect()
}

fn one_of(what: &str, count: usize, rule: &str) -> Comparison {
    let test = Test::AtMost { sum: vec![what.to_owned()], of: "one".into(), times: None, below: None };
    Comparison::new(Code::Ambiguous, rule, test).with(what, count).with("one", 1)
}

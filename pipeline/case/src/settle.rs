//! Which open bills a payment settles. A payment names its bills, or fits one by amount and account; nothing else settles
//! anything by itself, and what could be understood in two ways is left to a person.

mod named;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::comparison::{Comparison, Place, Test};
use crate::facts::{Bill, Key, Known, Payment};
use crate::invoice::{AMOUNT_MAX, compact};
use crate::{CaseId, Code, Finding};

/// Bills that one payment may name; of more nothing is settled.
const NAMED_MAX: usize = 12;
/// Bills that are suggested for one payment at most.
const SUGGESTED_MAX: usize = 12;

/// What became of one payment. A payment is settled once: as soon as it has shares, it keeps them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settlement {
    pub payment_id: String,
    pub date: Date,
    pub currency: String,
    /// As the payment's: negative where it was paid out.
    pub amount: Decimal,
    /// What it pays of which bill.
    pub shares: Vec<Share>,
    /// What it may be for, where that is not sure enough.
    pub suggested: Vec<Share>,
    pub findings: Vec<Finding>,
    /// The comparisons that found nothing.
    pub passed: Vec<Comparison>,
    /// Money went to an account that nobody had approved, and a case could not be reopened for it yet: until it is, the payment
    /// is looked at again.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub untold: bool,
}

/// What a payment pays of one bill.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Its case, or the id it was brought in under.
    pub bill: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub case: Option<CaseId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vendor_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub number: Option<String>,
    pub credit: bool,
    pub amount: Decimal,
    /// What is left open of the bill after it.
    pub open: Decimal,
}

impl Share {
    /// Did it make the payment less? So does a credit note in what goes out, and an invoice in what comes in.
    pub fn taken_off(&self, payment: &Payment) -> bool {
        self.credit == payment.amount.is_sign_negative()
    }
}

impl Settlement {
    /// Of a payment that nobody has looked at yet.
    pub fn none_yet(payment: &Payment) -> Settlement {
        Settlement {
            payment_id: payment.payment_id.clone(),
            date: payment.date,
            currency: payment.currency.clone(),
            amount: payment.amount,
            shares: Vec::new(),
            suggested: Vec::new(),
            findings: Vec::new(),
            passed: Vec::new(),
            untold: false,
        }
    }

    /// Bank fees, salaries, transfers: it is for no bill that is known, as far as can be said.
    pub fn unmatched(&self) -> bool {
        self.shares.is_empty() && self.suggested.is_empty()
    }

    /// What is left of it when this case is erased: that the payment settled it, and nothing of what it was for. What it says of
    /// other bills stays; of a finding about several bills, that others were overpaid with it.
    pub fn without(&self, case: CaseId) -> Settlement {
        let bill = case.to_string();
        let mut left = self.clone();
        let others: Vec<Finding> =
            left.findings.iter().filter_map(|finding| self.overpaid_without(finding, &bill)).collect();
        left.suggested.retain(|share| share.bill != bill);
        for share in left.shares.iter_mut().filter(|share| share.bill == bill) {
            let Share { bill, credit, .. } = share.clone();
            *share = Share { bill, credit, case: Some(case), ..Share::default() };
        }
        left.findings.retain(|finding| !named_in(&finding.operands).contains(&case));
        left.findings.extend(others);
        left.passed.retain(|comparison| !named_in(&comparison.operands).contains(&case));
        left.untold &= left.findings.iter().any(|finding| finding.code == Code::PaidUnapproved);
        left
    }

    /// Paid bills are not settled again, so nobody would find once more that others were overpaid together with this one. The
    /// payment is held against what was open of those alone: how much too much it was is not said any more, since what was
    /// open of this one could be told by it.
    fn overpaid_without(&self, finding: &Finding, bill: &str) -> Option<Finding> {
        let ids: Vec<&str> = finding.operands.get("bills")?.split(BETWEEN).collect();
        let others: Vec<&str> = ids.iter().copied().filter(|id| *id != bill).collect();
        let named = finding.code == Code::Overpaid && others.len() < ids.len() && !others.is_empty();
        let basis = finding.basis.as_deref().filter(|_| named)?.clone();
        // A bill without a share was closed before.
        let shares = self.shares.iter().filter(|share| others.contains(&share.bill.as_str()));
        let open = shares.map(|share| share.amount.checked_add(share.open));
        let open = open.into_iter().try_fold(Decimal::ZERO, |sum, open| sum.checked_add(open?))?.normalize();
        let paid = finding.operands.get("paid")?;
        let said = format!("{paid} paid for bills of which {open} is open, beside what was erased since");
        let comparison = Comparison { rule: finding.rule.clone(), operands: finding.operands.clone(), basis };
        comparison.with("open", open).with("bills", listed(others)).finding(said)
    }

    /// What was found about this case.
    pub fn codes_of(&self, case: CaseId) -> BTreeSet<Code> {
        let of_it = self.findings.iter().filter(|finding| named_in(&finding.operands).contains(&case));
        of_it.map(|finding| finding.code).collect()
    }

    /// The cases that it says something of.
    fn cases(&self) -> BTreeSet<CaseId> {
        let shares = self.shares.iter().chain(&self.suggested).filter_map(|share| share.bill.parse().ok());
        let findings = self.findings.iter().flat_map(|finding| named_in(&finding.operands));
        let passed = self.passed.iter().flat_map(|comparison| named_in(&comparison.operands));
        shares.chain(findings).chain(passed).collect()
    }

    /// What is left open of a bill leads to it as its whole amount did.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let mut keys = vec![Key::payment(&self.payment_id)];
        keys.extend(self.shares.iter().map(|share| Key::paid(&share.bill)));
        let open = self.shares.iter().filter(|share| Decimal::ZERO < share.open);
        keys.extend(open.map(|share| Key::open(&self.currency, share.open)));
        if self.shares.is_empty() || self.untold {
            keys.push(Key::unsettled());
        }
        keys.extend(self.cases().into_iter().map(Key::settled_of));
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

/// What stands between ids of bills and in none: that of an imported bill is JSON, where a line break in its number is written
/// in another way.
const BETWEEN: &str = "\n";

fn listed<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    ids.into_iter().collect::<Vec<_>>().join(BETWEEN)
}

/// Cases among the bills that a comparison is about.
fn named_in(operands: &BTreeMap<String, String>) -> BTreeSet<CaseId> {
    let bills = ["bill", "bills"].into_iter().filter_map(|name| operands.get(name));
    bills.flat_map(|ids| ids.split(BETWEEN)).filter_map(|id| id.parse().ok()).collect()
}

/// Keys of everything that a payment is compared with, as far as it can be said by what is known so far; asked again until
/// nothing is missing.
pub fn wanted_of_payment(payment: &Payment, known: &Known) -> BTreeSet<Key> {
    let mut keys = BTreeSet::from([Key::payment(&payment.payment_id)]);
    if known.settlements(&Key::payment(&payment.payment_id)).any(|before| !before.shares.is_empty()) {
        return keys;
    }
    keys.extend(named::runs(&payment.text).into_iter().map(|run| run.key));
    let open = Key::open(&payment.currency, payment.amount.abs());
    // Parts of bills are found by what an earlier payment left open of them.
    let parts = known.settlements(&open).flat_map(|it| &it.shares).filter(|it| it.open == payment.amount.abs());
    keys.extend(parts.filter_map(|it| it.number.as_deref()).map(Key::any_number));
    keys.insert(open);
    let found = keys
        .iter()
        .flat_map(|key| known.bills(key))
        .map(|(case, bill)| (bill_id(case, bill), bill.vendor_id.as_deref()));
    let found: BTreeSet<(String, Option<&str>)> = found.collect();
    keys.extend(found.iter().map(|(id, _)| Key::paid(id)));
    keys.extend(found.iter().filter_map(|(_, vendor)| vendor.map(Key::accounts_of)));
    keys
}

/// Settles what can be settled without guessing. What is known has to be everything that [`wanted_of_payment`] asks for; the
/// settlement of an earlier run is given back as it was. A settlement MUST be kept as a fact before the next payment is looked
/// up, which would else pay the same bill.
pub fn settle(payment: &Payment, known: &Known) -> Settlement {
    let before =
        known.settlements(&Key::payment(&payment.payment_id)).find(|before| !before.shares.is_empty()).cloned();
    if let Some(before) = before {
        return before;
    }
    let mut settling = Settling::of(payment, known);
    let within = payment.amount.abs() <= AMOUNT_MAX && !payment.amount.is_zero();
    if within && settling.all_was_looked_at() && !settling.by_name() && settling.all_open_were_looked_at() {
        settling.by_amount();
    }
    settling.settlement
}

/// A bill beside what was paid of it.
struct Owed<'a> {
    id: String,
    case: Option<CaseId>,
    bill: &'a Bill,
    open: Decimal,
}

impl Owed<'_> {
    /// What it asks for: less than nothing for a credit note.
    fn due(&self) -> Decimal {
        if self.bill.credit { -self.open } else { self.open }
    }

    fn called(&self) -> String {
        let kind = if self.bill.credit { "credit note" } else { "invoice" };
        format!("{kind} {}", self.bill.number.as_deref().unwrap_or("without number"))
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Fact(self.called()))
    }
}

struct Settling<'a> {
    payment: &'a Payment,
    known: &'a Known,
    /// Paid out; less than nothing where it came in.
    paid: Decimal,
    settlement: Settlement,
}

impl<'a> Settling<'a> {
    fn of(payment: &'a Payment, known: &'a Known) -> Settling<'a> {
        Settling { payment, known, paid: -payment.amount, settlement: Settlement::none_yet(payment) }
    }

    /// Remembers what a comparison comes to; is it passed?
    fn compare(&mut self, comparison: Comparison, said: impl FnOnce() -> String) -> bool {
        let comparison = comparison.with("payment", &self.payment.payment_id).with("date", self.payment.date);
        if comparison.code().is_none() {
            self.settlement.passed.push(comparison);
            return true;
        }
        self.settlement.findings.extend(comparison.finding(said()));
        false
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Fact(format!("payment {}", self.payment.payment_id)))
    }

    /// INVARIANT (fail closed): where more was paid of a bill, or more vendors' accounts are known, than was looked at,
    /// nothing is settled.
    fn all_was_looked_at(&mut self) -> bool {
        self.looked_at(|key| !key.text().starts_with("open:"))
    }

    fn all_open_were_looked_at(&mut self) -> bool {
        self.looked_at(|key| key.text().starts_with("open:"))
    }

    fn looked_at(&mut self, of: impl Fn(&Key) -> bool) -> bool {
        let wanted = wanted_of_payment(self.payment, self.known);
        let cut: Vec<&Key> = self.known.cut().filter(|key| of(key) && wanted.contains(key)).collect();
        for key in &cut {
            let message = format!("there are more facts about `{}` than are looked at", key.text());
            let finding = Finding::new(Code::TooMany, "bank.too_many", message);
            self.settlement.findings.push(finding.with("key", key.text()).with("payment", &self.payment.payment_id));
        }
        cut.is_empty()
    }

    /// The bills under a key, each once, in the payment's currency or not. A bill whose total is not known is none.
    fn owed(&self, key: &Key) -> BTreeMap<String, Owed<'a>> {
        let bills = self.known.bills(key).filter_map(|(case, bill)| {
            let id = bill_id(case, bill);
            let open = open(self.known, &id, bill)?;
            Some((id.clone(), Owed { id, case, bill, open }))
        });
        bills.collect()
    }

    fn same_currency(&self, owed: &Owed<'_>) -> bool {
        owed.bill.currency.as_deref().is_some_and(|it| it.eq_ignore_ascii_case(&self.payment.currency))
    }

    /// Was it paid to an account that the bill or its vendor names, approved or not?
    fn fits_account(&self, owed: &Owed<'_>) -> bool {
        let Some(iban) = self.payment.iban.as_deref().map(compact) else { return false };
        let on_bill = owed.bill.iban.as_deref().map(compact).is_some_and(|it| it == iban);
        let vendor = owed.bill.vendor_id.as_deref().map(Key::accounts_of);
        on_bill || vendor.is_some_and(|key| self.known.accounts(&key).any(|account| compact(&account.iban) == iban))
    }

    /// Accounts of the bill's vendor that may be paid to on the day of the payment.
    fn approved(&self, owed: &Owed<'_>) -> BTreeSet<String> {
        let Some(vendor) = owed.bill.vendor_id.as_deref() else { return BTreeSet::new() };
        let approved = crate::facts::approved(self.known, vendor, self.payment.date);
        approved.into_iter().map(|account| compact(&account.iban)).collect()
    }

    fn share(&self, owed: &Owed<'_>, amount: Decimal) -> Share {
        Share {
            bill: owed.id.clone(),
            case: owed.case,
            vendor_id: owed.bill.vendor_id.clone(),
            number: owed.bill.number.clone(),
            credit: owed.bill.credit,
            amount: amount.normalize(),
            open: (owed.open - amount).normalize(),
        }
    }

    /// Settles so much of a bill, and looks where the money went. Money that came in went nowhere.
    fn pay(&mut self, owed: &Owed<'_>, amount: Decimal) {
        let share = self.share(owed, amount);
        self.settlement.shares.push(share);
        if self.payment.iban.is_some() && Decimal::ZERO < self.paid && !owed.bill.credit {
            self.account_was_approved(owed);
        }
    }

    fn account_was_approved(&mut self, owed: &Owed<'_>) -> bool {
        let comparison = self.account(owed, Code::PaidUnapproved, "bank.account_approved");
        let (vendor, date) = (owed.bill.vendor_id.as_deref().unwrap_or("not known"), self.payment.date);
        let (called, iban) = (owed.called(), self.payment.iban.as_deref().unwrap_or_default());
        self.compare(comparison, || {
            format!("paid for {called} to {iban}, which was not an approved account of vendor {vendor} on {date}")
        })
    }

    fn account(&self, owed: &Owed<'_>, code: Code, rule: &str) -> Comparison {
        let approved = self.approved(owed).into_iter().collect::<Vec<_>>().join(",");
        let vendor = owed.bill.vendor_id.as_deref().unwrap_or_default();
        let test = Test::OneOf { value: "account".into(), among: "approved".into() };
        Comparison::new(code, rule, test)
            .from("account", self.payment.iban.as_deref().map(compact).unwrap_or_default(), self.place())
            .from("approved", approved, Some(Place::Fact(format!("vendor {vendor}"))))
            .with("bill", &owed.id)
            .with("vendor", vendor)
    }

    /// No bill is named. One that is open over just this amount is settled where the money went to (or came from) an
    /// approved account of its vendor.
    fn by_amount(&mut self) {
        let fitting: Vec<Owed<'a>> = self.open_over_it().into_values().collect();
        let by_account: Vec<&Owed<'a>> = fitting.iter().filter(|owed| self.fits_account(owed)).collect();
        let fitting: Vec<&Owed<'a>> = if by_account.is_empty() { fitting.iter().collect() } else { by_account };
        let Some(first) = fitting.first() else { return };
        let amount = self.paid.abs();
        let test = Test::AtMost { sum: vec!["fitting".into()], of: "one".into(), times: None, below: None };
        let shown = || fitting.iter().take(SUGGESTED_MAX);
        let comparison = Comparison::new(Code::Ambiguous, "bank.one_bill", test)
            .with("fitting", fitting.len())
            .with("one", 1)
            .from("amount", amount.normalize(), self.place())
            .with("bills", listed(shown().map(|owed| owed.id.as_str())));
        let suggested: Vec<Share> = shown().map(|owed| self.share(owed, owed.open)).collect();
        let one = self.compare(comparison, || {
            let of = |owed: &Owed<'_>| {
                format!("{} of {}", owed.called(), owed.bill.vendor_id.as_deref().unwrap_or("an unknown vendor"))
            };
            let called = shown().map(|owed| of(owed)).collect::<Vec<_>>().join(", ");
            let (currency, n_fitting) = (&self.payment.currency, fitting.len());
            format!("{amount} {currency} without a number may be for any of {n_fitting}, such as {called}")
        });
        if one && self.is_by_its_account(first) {
            let share = self.share(first, first.open);
            self.settlement.shares.push(share);
        } else {
            self.settlement.suggested = suggested;
        }
    }

    /// The bill's own account, approved by nobody, is what fraud looks like; any other one says that it may be another's bill.
    fn is_by_its_account(&mut self, owed: &Owed<'a>) -> bool {
        if self.fits_account(owed) && Decimal::ZERO < self.paid {
            return self.account_was_approved(owed);
        }
        let comparison = self.account(owed, Code::Ambiguous, "bank.account");
        let (amount, called) = (self.paid.abs(), owed.called());
        self.compare(comparison, || {
            format!("{amount} is what is open of {called}, and neither a number nor an approved account says that it is for it")
        })
    }

    /// Bills of which exactly this amount is open, on the side that the money moves.
    fn open_over_it(&self) -> BTreeMap<String, Owed<'a>> {
        let key = Key::open(&self.payment.currency, self.paid.abs());
        let parts = self.known.settlements(&key).flat_map(|it| &it.shares).filter_map(|it| it.number.as_deref());
        let keys: BTreeSet<Key> = parts.map(Key::any_number).chain([key.clone()]).collect();
        let owed = keys.iter().flat_map(|key| self.owed(key));
        owed.filter(|(_, owed)| self.same_currency(owed) && owed.due() == self.paid).collect()
    }
}

/// What a bill is settled under.
pub(crate) fn bill_id(case: Option<CaseId>, bill: &Bill) -> String {
    case.map_or_else(|| bill.id(), |case| case.to_string())
}

/// What is open of a bill by the payments that are known of it; `None` where its total is not known.
pub(crate) fn open(known: &Known, id: &str, bill: &Bill) -> Option<Decimal> {
    if bill.paid_on.is_some() {
        return Some(Decimal::ZERO);
    }
    let settlements: BTreeMap<&str, &Settlement> =
        known.settlements(&Key::paid(id)).map(|it| (it.payment_id.as_str(), it)).collect();
    let shares = settlements.into_values().flat_map(|it| &it.shares).filter(|share| share.bill == id);
    let paid = shares.map(|share| share.amount).try_fold(Decimal::ZERO, Decimal::checked_add)?;
    let gross = bill.gross?.checked_sub(paid)?;
    Some(gross.max(Decimal::ZERO)).filter(|open| *open <= AMOUNT_MAX)
}

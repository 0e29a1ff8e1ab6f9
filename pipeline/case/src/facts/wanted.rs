//! What has to be looked up before a document can be compared. What is found leads to what is wanted next, so this is asked
//! again until nothing is missing.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{Bill, Key, Known, seller};
use crate::invoice::folded;
use crate::{Extraction, Invoice, Policy};

/// Keys of everything that this document is compared with, as far as it can be said by what is known so far; nothing for a
/// document that is not billed.
pub fn wanted(extraction: &Extraction, known: &Known, policy: &Policy) -> BTreeSet<Key> {
    if !extraction.kind.billed() {
        return BTreeSet::new();
    }
    let (invoice, _) = Invoice::of(extraction);
    let mut keys: BTreeSet<Key> = vendor_keys_of(&invoice).into_iter().collect();
    keys.extend(invoice.orders().into_iter().map(Key::order));
    // What was taken of a contract is found as of an order.
    keys.extend(invoice.contract_ref.as_deref().into_iter().flat_map(|id| [Key::contract(id), Key::order(id)]));
    keys.extend(invoice.iban.as_deref().map(Key::iban));
    let lines = invoice.orders().into_iter().flat_map(|order| known.order_lines(order));
    // The contract of an order, or the blanket order that it is called off from, and what stands behind that.
    let named: BTreeSet<&str> = lines.filter_map(|line| line.contract_id.as_deref()).collect();
    for id in named.into_iter().flat_map(|id| known.behind(id).ids) {
        keys.extend([Key::contract(id), Key::order(id)]);
    }
    units(&invoice, known, &mut keys);
    let vendor = seller(&invoice, known).vendor();
    let bill = crate::reconcile::bill(&invoice, vendor);
    if let Some(vendor) = vendor {
        keys.insert(Key::accounts_of(&vendor.vendor_id));
        // Whoever else is paid to the account may be the same legal person.
        if let Some(paid_to) = invoice.iban.as_deref().map(Key::iban) {
            let others = known.accounts(&paid_to).map(|account| Key::vendor(&account.vendor_id));
            keys.extend(others.filter(|other| *other != Key::vendor(&vendor.vendor_id)));
        }
        of_vendor(&bill, &vendor.vendor_id, policy, &mut keys);
        // No order is named: one may be suggested.
        if invoice.orders().is_empty() {
            keys.insert(Key::orders_of(&vendor.vendor_id));
            keys.extend(crate::reconcile::candidates(&invoice, &vendor.vendor_id, known).into_keys().map(Key::order));
        }
    }
    duplicates(&bill, known, policy, &mut keys);
    keys
}

/// Keys under which the seller may be known, the surest first.
pub fn vendor_keys_of(invoice: &Invoice) -> Vec<Key> {
    let vat = invoice.seller_vat_id.as_deref().map(Key::vat_id);
    let tax = invoice.seller_tax_id.as_deref().map(Key::tax_id);
    let name = invoice.seller_name.as_deref().filter(|name| !folded(name).is_empty()).map(Key::name);
    [vat, tax, name].into_iter().flatten().collect()
}

/// Where a line is billed or was received in another unit than ordered, conversions are looked for.
fn units(invoice: &Invoice, known: &Known, keys: &mut BTreeSet<Key>) {
    for order in invoice.orders() {
        for line in known.order_lines(order) {
            let billed = invoice.lines.iter().filter_map(|it| it.unit.as_deref());
            let received = known.receipts(order).filter_map(|it| it.unit.as_deref());
            if billed.chain(received).any(|unit| !crate::reconcile::same_unit(unit, &line.unit)) {
                keys.extend(Key::units_of(line));
            }
        }
    }
}

fn of_vendor(bill: &Bill, vendor: &str, policy: &Policy, keys: &mut BTreeSet<Key>) {
    let Some(date) = bill.date else { return };
    keys.insert(Key::budget(vendor, date.year()));
    // Whether an order stands behind it, only its comparison with the order tells.
    keys.extend(split_keys(vendor, bill.centre(), date, policy.splits.days));
    // INVARIANT (a verdict is written under what it asked for): of two that are made at once neither passes the other by.
    let step = Key::step_of(date);
    keys.extend([Key::split(vendor, bill.centre(), step), Key::unordered(vendor, step)]);
    keys.extend(month_keys(vendor, date, policy.near_limits.months));
}

/// Where bills of one vendor are found that may count together with one for this cost centre, or for none
/// ([`Bill::counts_with`]), and that are no further than `days` from it.
pub(crate) fn split_keys(vendor: &str, centre: Option<&str>, date: Date, days: u16) -> Vec<Key> {
    let near = steps(date, i64::from(days), i64::from(days));
    match centre {
        Some(_) => near.flat_map(|step| [centre, None].map(|centre| Key::split(vendor, centre, step))).collect(),
        None => near.map(|step| Key::unordered(vendor, step)).collect(),
    }
}

/// Where bills of one vendor are found from `months` before this day up to it.
pub(crate) fn month_keys(vendor: &str, date: Date, months: u8) -> Vec<Key> {
    let month = |back: i32| date.first_of_month().checked_sub(back.months()).ok();
    let months = (0..=i32::from(months)).map_while(month);
    months.map(|month| Key::month(vendor, month.year(), month.month())).collect()
}

fn duplicates(bill: &Bill, known: &Known, policy: &Policy, keys: &mut BTreeSet<Key>) {
    let days = policy.duplicates.days;
    let twins = twin_keys(bill, days);
    // Whether a twin was cancelled, its credit notes say.
    let number_of = |twin: &Bill| Some(Key::credits_of(&twin.cluster, twin.number.as_deref()?));
    let cancelling: BTreeSet<Key> =
        twins.iter().flat_map(|key| known.bills(key)).filter_map(|(_, twin)| number_of(twin)).collect();
    keys.extend(cancelling.into_iter().take(TWINS_MAX).filter(|_| !bill.credit));
    keys.extend(series_keys(bill, days));
    keys.extend(twins);
    for cluster in &bill.clusters() {
        if let Some(number) = bill.number.as_deref().filter(|_| !bill.credit) {
            keys.insert(Key::credits_of(cluster, number));
        }
        if let Some(preceding) = bill.preceding.as_deref().filter(|_| bill.credit) {
            keys.insert(Key::number(cluster, false, preceding));
            keys.insert(Key::credits_of(cluster, preceding));
        }
    }
}

/// So many twins of one bill are looked at.
pub(crate) const TWINS_MAX: usize = 32;

/// Where bills are found that may be this one a second time: by number (D2, D3), by amount and day (D4), by account and number
/// (D5), by lines (D6).
pub(crate) fn twin_keys(bill: &Bill, days: u16) -> BTreeSet<Key> {
    let mut keys: BTreeSet<Key> = bill.fingerprint.as_deref().map(Key::lines).into_iter().collect();
    if let (Some(number), Some(iban)) = (&bill.number, &bill.iban) {
        keys.insert(Key::payee(iban, bill.credit, number));
    }
    let clusters = bill.clusters();
    let number = bill.number.as_deref();
    keys.extend(clusters.iter().filter_map(|cluster| Some(Key::number(cluster, bill.credit, number?))));
    if let (Some(currency), Some(gross), Some(date)) = (&bill.currency, bill.gross, bill.date) {
        let cent = Decimal::new(1, 2);
        let amounts = [gross.checked_sub(cent), Some(gross), gross.checked_add(cent)];
        for step in steps(date, i64::from(days), i64::from(days)) {
            let found = amounts.iter().flatten();
            for gross in found {
                keys.extend(clusters.iter().map(|it| Key::gross(it, bill.credit, currency, *gross, step)));
            }
        }
    }
    keys
}

/// Days between bills of a series: weekly, every two weeks, monthly; each from and up to.
pub(crate) const RHYTHMS: [(i64, i64); 3] = [(6, 8), (13, 15), (28, 31)];

/// Where the bills of the same amount are found that make this one and its twin a series.
pub(crate) fn series_keys(bill: &Bill, days: u16) -> BTreeSet<Key> {
    let (Some(currency), Some(gross), Some(date)) = (&bill.currency, bill.gross, bill.date) else {
        return BTreeSet::new();
    };
    let days = i64::from(days);
    let longest = RHYTHMS.iter().filter(|(from, _)| *from <= days).map(|(_, to)| *to).max();
    let Some(longest) = longest.filter(|_| !bill.cluster.is_empty()) else { return BTreeSet::new() };
    let back = steps(date, days + longest, days);
    back.map(|step| Key::gross(&bill.cluster, bill.credit, currency, gross, step)).collect()
}

/// The steps of the days from so many before this one up to so many after it.
fn steps(date: Date, before: i64, after: i64) -> std::ops::RangeInclusive<i64> {
    let end = |days: i64| date.checked_add(days.days()).map_or(Key::step_of(date), Key::step_of);
    end(-before)..=end(after)
}

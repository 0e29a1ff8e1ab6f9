//! Documents that do not say what they bill: without lines, or without an order. What the net amount tells is used where it
//! tells only one thing, and guessed by never.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{Billing, Matching, Share, ledger, money, total};
use crate::comparison::{Comparison, Test};
use crate::facts::{Fact, Key, Known, OrderLine, Vendor};
use crate::invoice::{product, quotient};
use crate::validate::cents;
use crate::{Code, FieldName, Invoice, Line};

/// Of more open order lines than this no sums are tried.
const LINES_MAX: usize = 40;
/// So many steps a search for sums may take, some milliseconds.
const STEPS_MAX: u32 = 1 << 16;
/// Of more orders than this that a document may bill none is suggested.
const CANDIDATES_MAX: usize = 20;

/// No order is named. One of the vendor's that is open over the same amount is suggested, and never matched by itself.
pub(super) fn suggest(matching: &mut Matching<'_>) {
    let (known, invoice) = (matching.known, matching.invoice);
    let vendor = matching.vendor.map_or("", |it| it.vendor_id.as_str());
    let net = goods(invoice);
    let open =
        |id: &str| total(known.order_lines(id).filter_map(|line| Some(Open::of(line, known, invoice.credit)?.amount)));
    let fits = |id: &&str| {
        let key = Key::order(id);
        net.is_some() && open(id) == net && !known.cut().any(|cut| *cut == key)
    };
    let mut fitting = candidates(invoice, vendor, known).into_keys().filter(fits);
    let only = fitting.next().filter(|_| fitting.next().is_none());
    let comparison = Comparison::new(Code::NoPoRef, "match.order_ref", Test::There { value: "order".into() });
    let comparison = only.iter().fold(comparison, |it, id| it.with("suggestion", id));
    matching.compare(comparison, || {
        let said = "neither the document nor a line names an order";
        let suggested = only.zip(net).map(|(id, net)| format!("; order `{id}` is open over the same {}", money(net)));
        format!("{said}{}", suggested.unwrap_or_default())
    });
}

/// Orders of a vendor that were placed over no less than the document bills, with their amounts. None where there are many, or
/// where only a part of them was looked at.
pub(crate) fn candidates<'a>(invoice: &Invoice, vendor: &str, known: &'a Known) -> BTreeMap<&'a str, Decimal> {
    let key = Key::orders_of(vendor);
    let Some(net) = goods(invoice).filter(|_| !known.cut().any(|cut| *cut == key)) else { return BTreeMap::new() };
    let mut orders: BTreeMap<&str, Decimal> = BTreeMap::new();
    for stated in known.stated(&key) {
        let Fact::OrderLine(line) = &stated.fact else { continue };
        // What is limited by its value alone is never open over an amount.
        if line.blanket || invoice.currency.as_ref() != Some(&line.currency) {
            continue;
        }
        let amount = price(line).and_then(|price| product(line.quantity, price)).map(cents);
        let sum = orders.entry(&line.order_id).or_default();
        *sum = amount.and_then(|amount| sum.checked_add(amount)).unwrap_or(*sum);
    }
    orders.retain(|_, sum| net <= *sum);
    if CANDIDATES_MAX < orders.len() { BTreeMap::new() } else { orders }
}

/// Orders that were looked up so that one could be suggested, and that no verdict rests on.
pub(super) fn aside(invoice: &Invoice, vendor: Option<&Vendor>, known: &Known) -> Vec<Key> {
    let (true, Some(vendor)) = (invoice.orders().is_empty(), vendor) else { return Vec::new() };
    let of_contract = invoice.contract_ref.as_deref().map(Key::order);
    let keys = candidates(invoice, &vendor.vendor_id, known).into_keys().map(Key::order);
    keys.filter(|key| Some(key) != of_contract.as_ref()).collect()
}

/// The net amount of what was delivered, without what is charged for the document as a whole.
pub(super) fn goods(invoice: &Invoice) -> Option<Decimal> {
    let totals = &invoice.totals;
    let (charged, allowed) = (totals.charge_total.unwrap_or_default(), totals.allowance_total.unwrap_or_default());
    let net = totals.net_total.and_then(|net| total([net, -charged, allowed]));
    net.or(totals.line_total).filter(|net| Decimal::ZERO < *net)
}

fn price(ordered: &OrderLine) -> Option<Decimal> {
    quotient(ordered.unit_price, ordered.price_unit)
}

/// What is left of an order line to be billed, or to be credited.
struct Open<'a> {
    ordered: &'a OrderLine,
    quantity: Decimal,
    price: Decimal,
    amount: Decimal,
}

impl<'a> Open<'a> {
    fn of(ordered: &'a OrderLine, known: &Known, credit: bool) -> Option<Open<'a>> {
        let ledger = ledger(known, ordered);
        let open = if credit {
            let (quantity, amount) = (ledger.open(), ledger.open_amount());
            Open { ordered, quantity, price: quotient(amount, quantity)?, amount }
        } else {
            let (quantity, price) = (ordered.quantity.checked_sub(ledger.open())?, price(ordered)?);
            Open { ordered, quantity, price, amount: cents(product(quantity, price)?) }
        };
        Some(open).filter(|open| Decimal::ZERO < open.quantity && Decimal::ZERO < open.amount)
    }

    /// `PO-1/10`
    fn name(&self) -> String {
        format!("{}/{}", self.ordered.order_id, self.ordered.line)
    }
}

/// The document has no lines: it bills the order lines whose open amounts come to its own, where only one set of them does.
pub(super) fn judge<'a>(matching: &mut Matching<'a>, billing: &mut Billing<'a>) {
    let (known, invoice) = (matching.known, matching.invoice);
    let net = goods(invoice);
    let ordered: Vec<&'a OrderLine> = billing.orders.values().flatten().copied().collect();
    if let ([blanket], Some(net)) = (ordered.as_slice(), net)
        && blanket.blanket
    {
        // Of what is limited by its value alone, the value is all that is billed.
        let quantity = price(blanket).and_then(|price| quotient(net, price)).unwrap_or(Decimal::ONE);
        let price = price(blanket).filter(|price| !price.is_zero()).unwrap_or(net);
        let share = share(matching, &Open { ordered: blanket, quantity, price, amount: net });
        return billing.shares.push(share);
    }
    let mut open: Vec<Open<'a>> = ordered.iter().filter_map(|it| Open::of(it, known, invoice.credit)).collect();
    // The search does not depend on how the orders were written.
    open.sort_by(|left, right| right.amount.cmp(&left.amount).then_with(|| left.name().cmp(&right.name())));
    let amounts: Vec<Decimal> = open.iter().map(|it| it.amount).collect();
    let found = net.map_or(Sums { sets: Vec::new(), all: true }, |net| Sums::of(&amounts, net));
    let names = |set: &[usize]| {
        let mut names: Vec<String> = set.iter().filter_map(|at| open.get(*at)).map(Open::name).collect();
        names.sort_unstable();
        names.join(" + ")
    };
    let sets: Vec<String> = found.sets.iter().map(|set| names(set)).collect();
    let at = [matching.field(FieldName::NetTotal)];
    let net_text = net.map(|net| money(net).to_string()).unwrap_or_default();

    let test = Test::AtMost { sum: vec!["sets".into()], of: "expected".into(), times: None, below: None };
    let comparison = Comparison::new(Code::Ambiguous, "match.sum", test).with("expected", 1).from(
        "net",
        &net_text,
        matching.place(FieldName::NetTotal),
    );
    // How many there are is not known where not all were tried.
    let comparison =
        if found.all { comparison.with("sets", sets.len()) } else { comparison.with("open_lines", open.len()) };
    let named = ["first", "second"].into_iter().zip(&sets);
    let comparison = named.fold(comparison, |it, (name, set)| it.with(name, set));
    let clear = comparison.code().is_none();
    matching.compare_at(comparison, &at, || match sets.as_slice() {
        [first, second, ..] => {
            format!("no lines were read, and {net_text} are the open amounts of {first} as well as of {second}")
        }
        _ => format!(
            "no lines were read, and the orders have {} open lines: too many ways to come to {net_text}",
            open.len()
        ),
    });
    if !clear {
        return;
    }
    let test = Test::There { value: "lines".into() };
    let comparison = Comparison::new(Code::OrderLine, "match.lines", test)
        .with("lines", sets.first().map_or("", String::as_str))
        .from("net", &net_text, matching.place(FieldName::NetTotal));
    matching.compare_at(comparison, &at, || {
        "no lines were read, so nothing can be compared with the order, and no open lines of it come to the net amount".to_owned()
    });
    let set = found.sets.first().into_iter().flatten().filter_map(|at| open.get(*at));
    let shares: Vec<Share<'a>> = set.map(|open| share(matching, open)).collect();
    billing.shares.extend(shares);
}

/// What is billed of an order line, as it stands in the order.
fn share<'a>(matching: &Matching<'a>, open: &Open<'a>) -> Share<'a> {
    let Open { ordered, quantity, price, amount } = *open;
    let line = Line {
        id: ordered.line.clone(),
        name: ordered.description.clone(),
        item: ordered.item.clone(),
        quantity: Some(quantity),
        unit: Some(ordered.unit.clone()),
        unit_price: Some(price),
        price_base: None,
        net_amount: Some(amount),
        allowance: None,
        charge: None,
        vat_rate: None,
        tax: None,
        order_ref: Some(ordered.order_id.clone()),
        order_line: Some(ordered.line.clone()),
        evidence: matching.evidence(FieldName::NetTotal).cloned(),
    };
    let sign = if matching.invoice.credit { -Decimal::ONE } else { Decimal::ONE };
    Share {
        // The document has no line there.
        idx: 0,
        line: Cow::Owned(line),
        ordered,
        quantity: sign * quantity,
        price: Some(price),
        amount: sign * amount,
        value_only: false,
    }
}

/// Sets of amounts, by their positions, that come to a sum: two of them at the most.
#[derive(Debug, PartialEq)]
struct Sums {
    sets: Vec<Vec<usize>>,
    /// Every set was tried, or two were found.
    all: bool,
}

impl Sums {
    /// `amounts` are above 0.
    fn of(amounts: &[Decimal], sum: Decimal) -> Sums {
        let rest = total(amounts.iter().copied()).filter(|_| amounts.len() <= LINES_MAX);
        let mut sums = Sums { sets: Vec::new(), all: rest.is_some() };
        if let Some(rest) = rest {
            let mut steps = STEPS_MAX;
            sums.search(amounts, rest, sum, &mut Vec::new(), 0, &mut steps);
        }
        sums
    }

    /// `rest` is what the amounts come to, of which the first stands at `at`. As deep as there are amounts.
    fn search(
        &mut self,
        amounts: &[Decimal],
        rest: Decimal,
        sum: Decimal,
        taken: &mut Vec<usize>,
        at: usize,
        steps: &mut u32,
    ) {
        if sum.is_zero() {
            return self.sets.push(taken.clone());
        }
        let Some((first, others)) = amounts.split_first().filter(|_| sum <= rest && self.sets.len() < 2) else {
            return;
        };
        if *steps == 0 {
            self.all = false;
            return;
        }
        *steps -= 1;
        if *first <= sum {
            taken.push(at);
            self.search(others, rest - first, sum - first, taken, at + 1, steps);
            taken.pop();
        }
        self.search(others, rest - first, sum, taken, at + 1, steps);
    }
}

#[cfg(test)]
mod tests;

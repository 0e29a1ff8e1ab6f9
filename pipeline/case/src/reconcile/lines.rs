//! Which order line each line of the document is for. One line may bill several order lines that are alike, and several lines
//! one order line. Ambiguity is never resolved by guessing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use rust_decimal::Decimal;

use super::{Billing, MatchedLine, Matching, Share, freight, header, ledger, of_order, same_id, units};
use crate::comparison::{Comparison, Place, Test};
use crate::facts::{Claim, OrderLine, upper};
use crate::invoice::{AMOUNT_MAX, folded, product, quotient};
use crate::validate::cents;
use crate::{Code, Evidence, FieldName, Line, LineField};

pub(super) fn judge<'a>(matching: &mut Matching<'a>) -> Billing<'a> {
    let names = matching.invoice.orders();
    let mut billing = Billing { orders: BTreeMap::new(), shares: Vec::new(), unordered: Vec::new() };
    // Without an order, a contract may stand behind it.
    let contract = matching.invoice.contract_ref.as_deref();
    // One that agrees no price and no limit has nothing to be compared with.
    let agreed = |id: &str| matching.known.contract(id).any(|row| row.rate.is_some() || row.not_to_exceed.is_some());
    let by_contract = contract.is_some_and(agreed);
    if names.is_empty() && !by_contract {
        header::suggest(matching);
    }
    for name in names {
        if let Some((id, lines)) = order(matching, name) {
            billing.orders.insert(id, lines);
        }
    }
    if matching.invoice.lines.is_empty() && !billing.orders.is_empty() {
        header::judge(matching, &mut billing);
        remember(matching, &billing);
        return billing;
    }
    let header = matching.invoice.order_ref.as_deref();
    let found: BTreeMap<String, (&str, Lines<'_>)> =
        billing.orders.iter().map(|(id, lines)| (upper(id), (*id, Lines::of(lines.clone())))).collect();
    // What is left of each order line, as lines of this document take of it.
    let mut left: BTreeMap<(&str, &str), Decimal> = BTreeMap::new();
    for (idx, line) in matching.invoice.lines.iter().enumerate() {
        let Some(name) = line.order_ref.as_deref().or(header) else {
            billing.unordered.push(idx);
            continue;
        };
        // An order that is not here has its own finding by now.
        let Some((id, lines)) = found.get(&upper(name)) else { continue };
        let fitting = lines.fitting(line);
        // Delivery costs stand on lines of their own.
        if !fitting.is_empty() || !freight::is_freight(line) {
            let test = Test::There { value: "order_line".into() };
            let comparison = Comparison::new(Code::OrderLine, "match.line", test)
                .with("order", id)
                .with("order_line", fitting.first().map_or("", |it| it.line.as_str()));
            let at = matching.values_at(&[idx], told_by(line));
            matching.compare_at(comparison, &at, || {
                format!("line {}: no line of order `{id}` fits, or more than one", line.id)
            });
        }
        if fitting.is_empty() {
            billing.unordered.push(idx);
            continue;
        }
        let shares = share(matching, idx, line, &fitting, &mut left);
        billing.shares.extend(shares);
    }
    if !by_contract && !billing.unordered.is_empty() && !matching.invoice.orders().is_empty() {
        unnamed(matching, &billing);
    }
    remember(matching, &billing);
    billing
}

/// Lines that name no order in a document where others do.
fn unnamed(matching: &mut Matching<'_>, billing: &Billing<'_>) {
    let header = matching.invoice.order_ref.as_deref();
    for idx in &billing.unordered {
        let Some(line) = matching.invoice.lines.get(*idx) else { continue };
        if line.order_ref.as_deref().or(header).is_some() || freight::is_freight(line) {
            continue;
        }
        let test = Test::There { value: "order".into() };
        let at = matching.lines_at(&[*idx]);
        matching.compare_at(Comparison::new(Code::NoPoRef, "match.order_ref", test), &at, || {
            format!("line {} names no order", line.id)
        });
    }
}

/// The order of this name, if this document may bill it at all.
fn order<'a>(matching: &mut Matching<'a>, name: &str) -> Option<(&'a str, Vec<&'a OrderLine>)> {
    let known = matching.known;
    let mut lines: Vec<&OrderLine> = known.order_lines(name).collect();
    lines.sort_by(|left, right| line_order(&left.line).cmp(&line_order(&right.line)));
    let first = lines.first().copied();
    let test = Test::There { value: "lines".into() };
    let count = if lines.is_empty() { String::new() } else { lines.len().to_string() };
    let comparison = Comparison::new(Code::NoOrder, "match.order", test)
        .from("order", name, matching.place(FieldName::OrderRef))
        .with("lines", count);
    let at = [matching.field(FieldName::OrderRef)];
    matching.compare_at(comparison, &at, || format!("order `{name}` is not known"));
    let first = first?;
    let parties = Parties::of_order(&lines, "order", "match.order")?;
    fits(matching, &parties, &[]).then_some((first.order_id.as_str(), lines))
}

/// With whom something was agreed, and in which money: what each of its lines or rows says of it.
pub(super) struct Parties<'a> {
    /// `order`.
    pub(super) called: &'a str,
    pub(super) id: &'a str,
    pub(super) vendors: Vec<&'a str>,
    /// None where it is in any.
    pub(super) currencies: Vec<&'a str>,
    /// Of the figures: what it is, with whom, in which money.
    pub(super) names: [&'a str; 3],
    /// What it is where another vendor bills.
    pub(super) another: Code,
    /// What both rules begin with.
    pub(super) rule: &'a str,
    pub(super) place: Option<Place>,
}

impl<'a> Parties<'a> {
    /// None where there are no lines.
    pub(super) fn of_order(lines: &[&'a OrderLine], called: &'a str, rule: &'a str) -> Option<Parties<'a>> {
        let first = lines.first()?;
        Some(Parties {
            called,
            id: &first.order_id,
            vendors: lines.iter().map(|line| line.vendor_id.as_str()).collect(),
            currencies: lines.iter().map(|line| line.currency.as_str()).collect(),
            names: ["order", "ordered_from", "ordered"],
            another: Code::VendorMismatch,
            rule,
            place: of_order(first),
        })
    }
}

/// Is it with whoever bills, in the money of the document? What says it differently says it of neither.
pub(super) fn fits(matching: &mut Matching<'_>, parties: &Parties<'_>, at: &[(String, Option<&Evidence>)]) -> bool {
    let Parties { called, id, names: [it, with, money], rule, place, .. } = parties;
    let mut fits = true;
    if let Some(vendor) = matching.vendor {
        let (vendors, billed_by) = (listed(&parties.vendors), &vendor.vendor_id);
        let test = Test::Same { left: (*with).into(), right: "billed_by".into() };
        let comparison = Comparison::new(parties.another, format!("{rule}_vendor"), test)
            .with(it, id)
            .from(with, &vendors, place.clone())
            .with("billed_by", billed_by);
        fits &= comparison.code().is_none();
        matching.compare_at(comparison, at, || {
            format!("{called} `{id}` is with vendor {vendors}, the invoice is from {billed_by}")
        });
    }
    let currencies = listed(&parties.currencies);
    if let Some(currency) = matching.invoice.currency.as_deref().filter(|_| !currencies.is_empty()) {
        let test = Test::Same { left: (*money).into(), right: "billed".into() };
        let comparison = Comparison::new(Code::Currency, format!("{rule}_currency"), test)
            .with(it, id)
            .from(money, &currencies, place.clone())
            .from("billed", currency, matching.place(FieldName::Currency));
        fits &= comparison.code().is_none();
        let at = [matching.field(FieldName::Currency)];
        matching.compare_at(comparison, &at, || {
            format!("{called} `{id}` is in {currencies}, the invoice in {currency}; nothing is converted silently")
        });
    }
    fits
}

/// Each thing once, however its letters are written, in one order however they were found.
fn listed(texts: &[&str]) -> String {
    let mut once: BTreeMap<String, &str> = BTreeMap::new();
    for text in texts {
        once.entry(upper(text)).and_modify(|it| *it = (*it).min(*text)).or_insert(*text);
    }
    once.into_values().collect::<Vec<_>>().join(",")
}

/// Lines as a person numbers them: 2 before 10.
fn line_order(line: &str) -> (u64, &str) {
    (line.trim().parse().unwrap_or(u64::MAX), line)
}

/// More order lines that are alike are not told apart by billing one after the other.
const ALIKE_MAX: usize = 100;

/// The lines of an order, found by what a document may call them; each is looked at once, however many lines ask.
pub(super) struct Lines<'a> {
    all: Vec<&'a OrderLine>,
    by_number: HashMap<String, Group<'a>>,
    by_item: HashMap<String, Group<'a>>,
    by_name: HashMap<String, Group<'a>>,
}

#[derive(Default)]
struct Group<'a> {
    lines: Vec<&'a OrderLine>,
    /// It makes no difference which of them is billed.
    alike: bool,
}

impl<'a> Lines<'a> {
    pub(super) fn of(all: Vec<&'a OrderLine>) -> Lines<'a> {
        let by = |called: &dyn Fn(&OrderLine) -> Option<String>| {
            let mut groups: HashMap<String, Group<'a>> = HashMap::new();
            for ordered in all.iter().copied() {
                if let Some(name) = called(ordered) {
                    groups.entry(name).or_default().lines.push(ordered);
                }
            }
            for group in groups.values_mut() {
                let pairs = || group.lines.windows(2);
                group.alike = group.lines.len() <= ALIKE_MAX
                    && pairs().all(|pair| matches!(pair, [left, right] if alike(left, right)));
            }
            groups
        };
        Lines {
            by_number: by(&|ordered| Some(upper(&ordered.line))),
            by_item: by(&|ordered| ordered.item.as_deref().map(folded)),
            by_name: by(&|ordered| ordered.description.as_deref().map(folded)),
            all,
        }
    }

    /// The order line that an invoice line names, or those that it can mean: the only one, or several that are alike but for
    /// their number, so that it makes no difference which of them is billed.
    pub(super) fn fitting(&self, line: &Line) -> Vec<&'a OrderLine> {
        let all_of =
            |group: Option<&Group<'a>>| group.filter(|it| it.alike).map(|it| it.lines.clone()).unwrap_or_default();
        if let Some(named) = &line.order_line {
            return all_of(self.by_number.get(&upper(named)));
        }
        // Delivery costs are not the one thing that was ordered, unless they are.
        if let [single] = self.all.as_slice()
            && (!freight::is_freight(line) || freight::orders_freight(single))
        {
            return vec![*single];
        }
        let by_item = line.item.as_deref().and_then(|item| self.by_item.get(&folded(item)));
        let by_item = all_of(by_item);
        if !by_item.is_empty() {
            return by_item;
        }
        let named = line.name.as_deref().and_then(|name| self.by_name.get(&folded(name)));
        // Two order lines of one description are told apart by the position, which alone would say nothing.
        let here = named.iter().flat_map(|group| &group.lines).filter(|ordered| same_id(&ordered.line, &line.id));
        match here.copied().collect::<Vec<_>>().as_slice() {
            [one] => vec![*one],
            _ => all_of(named),
        }
    }
}

/// Which value of a line tells the order line that it bills.
fn told_by(line: &Line) -> LineField {
    match line {
        Line { order_line: Some(_), .. } => LineField::OrderLine,
        Line { item: Some(_), .. } => LineField::Item,
        _ => LineField::Name,
    }
}

/// But for number and quantity the same, and with an item: a description alone may be that of two things.
fn alike(left: &OrderLine, right: &OrderLine) -> bool {
    left.item.is_some()
        && left.item.as_deref().map(folded) == right.item.as_deref().map(folded)
        && left.unit_price.checked_mul(right.price_unit) == right.unit_price.checked_mul(left.price_unit)
        && units::same_unit(&left.unit, &right.unit)
        && left.tax_rate == right.tax_rate
        && left.match_level == right.match_level
        && left.blanket == right.blanket
}

/// What a line bills of each of the order lines that it fits: of the first what is left of it, and so on; of the last the rest.
fn share<'a>(
    matching: &mut Matching<'a>,
    idx: usize,
    line: &'a Line,
    fitting: &[&'a OrderLine],
    left: &mut BTreeMap<(&'a str, &'a str), Decimal>,
) -> Vec<Share<'a>> {
    let Some(first) = fitting.first().copied() else { return Vec::new() };
    let at = matching.values_at(&[idx], LineField::Quantity);
    let unit_at = matching.values_at(&[idx], LineField::Unit);
    let on = |comparison: Comparison| comparison.with("order", &first.order_id).with("order_line", &first.line);
    let text = |number: Option<Decimal>| number.map(|it| it.to_string()).unwrap_or_default();
    let quantity = on(Comparison::new(Code::Missing, "match.quantity", Test::There { value: "quantity".into() }));
    matching.compare_at(quantity.with("quantity", text(line.quantity)), &at, || {
        format!("line {} has no quantity", line.id)
    });
    let Some(quantity) = line.quantity else { return Vec::new() };
    let known = matching.known;
    let measure = units::measure(line.unit.as_deref(), first, known);
    let unit = line.unit.as_deref().unwrap_or(&first.unit);
    let comparison = |unit: &str, known: bool, rule: &str| {
        on(Comparison::new(Code::Uom, rule, Test::There { value: "conversion".into() }))
            .with("unit", unit)
            .from("ordered_unit", &first.unit, of_order(first))
            .with("conversion", if known { "known" } else { "" })
    };
    matching.compare_at(comparison(unit, measure.is_some(), "match.unit"), &unit_at, || {
        format!("line {} is in `{unit}`, the order in `{}`; no conversion is known", line.id, first.unit)
    });
    let received_in = fitting.iter().find_map(|ordered| ledger(known, ordered).unit_unknown);
    matching.compare_at(
        comparison(received_in.as_deref().unwrap_or(&first.unit), received_in.is_none(), "match.receipt_unit"),
        &unit_at,
        || {
            let unit = received_in.as_deref().unwrap_or_default();
            format!("line {} was received in `{unit}`, ordered in `{}`; no conversion is known", line.id, first.unit)
        },
    );
    let Some(measure) = measure.filter(|_| received_in.is_none()) else { return Vec::new() };
    let price = line.price_of_one().and_then(|it| measure.price(it));
    let Some(quantity) = measure.quantity(quantity) else {
        beyond(matching, idx, line, first);
        return Vec::new();
    };
    let sign = if matching.invoice.credit { -Decimal::ONE } else { Decimal::ONE };
    let value_only = value_only(matching, (idx, line), first, price);
    let mut rest = quantity;
    let mut shares = Vec::new();
    for (n, ordered) in fitting.iter().copied().enumerate() {
        let of_line = left.entry((&ordered.order_id, &ordered.line)).or_insert_with(|| {
            let ledger = ledger(known, ordered);
            if matching.invoice.credit { ledger.open() } else { ordered.quantity - ledger.open() }
        });
        let last = n + 1 == fitting.len();
        let part = if last { rest } else { rest.min((*of_line).max(Decimal::ZERO)) };
        if part.is_zero() && !(last && shares.is_empty()) {
            continue;
        }
        *of_line -= part;
        rest -= part;
        let whole = part == quantity;
        let amount = if whole { line.amount() } else { price.and_then(|price| product(price, part)) };
        let amount = amount.filter(|amount| amount.abs() <= AMOUNT_MAX);
        // Without a price, that is what is found.
        if amount.is_none() && price.is_some() {
            beyond(matching, idx, line, ordered);
        }
        shares.push(Share {
            idx,
            line: Cow::Borrowed(line),
            ordered,
            quantity: if value_only { Decimal::ZERO } else { sign * part },
            price,
            amount: sign * amount.map(cents).unwrap_or_default(),
            value_only,
        });
    }
    shares
}

/// INVARIANT (fail closed): a line whose figures are out of range is not left out of what is compared without a word.
fn beyond(matching: &mut Matching<'_>, idx: usize, line: &Line, ordered: &OrderLine) {
    let comparison = Comparison::new(Code::Unreadable, "match.range", Test::There { value: "figures".into() })
        .with("figures", "")
        .with("order", &ordered.order_id)
        .with("order_line", &ordered.line);
    let at = matching.lines_at(&[idx]);
    matching.compare_at(comparison, &at, || format!("line {}: quantity or amount is out of range", line.id));
}

/// A debit note changes the value of what was billed. So does a credit note at another price than the goods were billed at:
/// it gives a part of the price back, and none of the goods.
fn value_only(
    matching: &mut Matching<'_>,
    (idx, line): (usize, &Line),
    ordered: &OrderLine,
    price: Option<Decimal>,
) -> bool {
    let Some(price) = price else { return false };
    if !matching.invoice.credit {
        // Where the order leaves the price open there is none to be made dearer: what is billed is held to the contract's.
        return matching.invoice.debit_note && !ordered.open_price();
    }
    let ledger = ledger(matching.known, ordered);
    let agreed = quotient(ordered.unit_price, ordered.price_unit).filter(|it| !it.is_zero());
    let billed = quotient(ledger.billed_amount, ledger.billed).filter(|it| !it.is_zero());
    // Goods are credited at what they cost, give or take what a price may differ; anything well below is a part of it.
    let Some(lowest) = agreed.into_iter().chain(billed).min() else { return false };
    let test = Test::AtMost { sum: vec!["half_price".into()], of: "price".into(), times: None, below: None };
    let comparison = Comparison::new(Code::CreditedValue, "match.credited_value", test)
        .from("price", price.normalize(), line.evidence.clone().map(Place::Document))
        .with("half_price", (lowest * Decimal::new(5, 1)).normalize())
        .with("order", &ordered.order_id)
        .with("order_line", &ordered.line);
    let comparison =
        agreed.iter().fold(comparison, |it, price| it.from("ordered", price.normalize(), of_order(ordered)));
    let comparison = billed.iter().fold(comparison, |it, price| it.with("billed", price.normalize()));
    let value_only = comparison.code().is_some();
    let at = matching.lines_at(&[idx]);
    matching.compare_at(comparison, &at, || format!("line {}: credits a part of the price, and no goods", line.id));
    value_only
}

/// Keeps what a reviewer sees of each line, and what the document takes of the orders.
fn remember(matching: &mut Matching<'_>, billing: &Billing<'_>) {
    let mut now: BTreeMap<(&str, &str), Decimal> = BTreeMap::new();
    for share in &billing.shares {
        let (ordered, line) = (share.ordered, &share.line);
        let ledger = ledger(matching.known, ordered);
        let price_ordered = quotient(ordered.unit_price, ordered.price_unit).unwrap_or(ordered.unit_price);
        let before = now.entry((&ordered.order_id, &ordered.line)).or_default();
        let price = share.price.filter(|_| !ordered.open_price());
        let variance = price.and_then(|price| product(share.quantity, price - price_ordered)).map(cents);
        matching.verdict.matched.push(MatchedLine {
            invoice_line: line.id.clone(),
            order_id: ordered.order_id.clone(),
            order_line: ordered.line.clone(),
            description: ordered.description.clone().or_else(|| line.name.clone()),
            ordered: ordered.quantity,
            received: ledger.billable(ordered.match_level),
            billed_before: ledger.open() + *before,
            billed_now: share.quantity,
            price_ordered: price_ordered.normalize(),
            price_billed: share.price.map(|price| price.normalize()),
            variance,
        });
        *before += share.quantity;
        matching.claim(Claim {
            order_id: ordered.order_id.clone(),
            line: ordered.line.clone(),
            item: ordered.item.clone().or_else(|| line.item.clone()),
            quantity: share.quantity,
            amount: share.amount,
            freight: false,
        });
    }
    tax_rates(matching, billing);
}

fn tax_rates(matching: &mut Matching<'_>, billing: &Billing<'_>) {
    for share in &billing.shares {
        let Some(expected) = share.ordered.tax_rate else { continue };
        let Some(rate) = share.line.vat_rate.or(matching.invoice.only_rate()) else { continue };
        let test = Test::Same { left: "found".into(), right: "expected".into() };
        let own = matching.line_place(share.idx, LineField::VatRate);
        let place = own.or_else(|| matching.place(FieldName::TaxTotal));
        let comparison = Comparison::new(Code::TaxRate, "match.tax_rate", test)
            .from("found", rate.normalize(), place)
            .from("expected", expected.normalize(), of_order(share.ordered))
            .with("order", &share.ordered.order_id)
            .with("order_line", &share.ordered.line);
        let at = matching.values_at(&[share.idx], LineField::VatRate);
        matching.compare_at(comparison, &at, || {
            format!("line {} is taxed at {rate} %, the order says {expected} %", share.line.id)
        });
    }
    group_rates(matching, billing);
}

/// Where lines do not say their rates and the document has several, each must be one that its orders say.
fn group_rates(matching: &mut Matching<'_>, billing: &Billing<'_>) {
    let rates: BTreeSet<Decimal> =
        matching.invoice.vat.iter().filter_map(|group| group.rate).map(|it| it.normalize()).collect();
    let silent = billing.shares.iter().any(|share| share.line.vat_rate.is_none());
    let ordered: Option<BTreeSet<Decimal>> =
        billing.shares.iter().map(|share| share.ordered.tax_rate.map(|it| it.normalize())).collect();
    let Some(ordered) = ordered.filter(|it| silent && 1 < rates.len() && !it.is_empty()) else { return };
    let among = ordered.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    for rate in rates {
        let test = Test::OneOf { value: "found".into(), among: "expected".into() };
        let comparison = Comparison::new(Code::TaxRate, "match.tax_rates", test)
            .from("found", rate, matching.place(FieldName::TaxTotal))
            .with("expected", &among);
        let at = [matching.field(FieldName::TaxTotal)];
        matching.compare_at(comparison, &at, || format!("a part is taxed at {rate} %, the orders say {among} %"));
    }
}

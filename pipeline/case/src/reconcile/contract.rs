//! What was agreed in a contract: its rates, how much it may cost altogether, how long it holds, when it is paid.

mod rates;

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::behind::Bases;
use super::blanket::served;
use super::lines::{self, Parties};
use super::{Billing, Matching, header, ledger, money, of_order, total};
use crate::comparison::{Comparison, Place, Test};
use crate::facts::{Claim, ContractRate, Key, OrderLine, days};
use crate::{Code, FieldName};

/// A contract that stands behind something the document bills.
struct Agreed<'a> {
    id: &'a str,
    rows: Vec<&'a ContractRate>,
    pieces: Vec<Piece<'a>>,
}

/// What one line bills under a contract, in the order line's unit where there is one; negative where it credits.
struct Piece<'a> {
    /// Position of the document's line; none: the document as a whole.
    idx: Option<usize>,
    ordered: Option<&'a OrderLine>,
    /// What the thing may be called in the contract, the surest first.
    items: Vec<String>,
    quantity: Option<Decimal>,
    /// Of one unit.
    price: Option<Decimal>,
    amount: Option<Decimal>,
    place: Option<Place>,
    /// It changes the value of what was billed before.
    value_only: bool,
}

pub(super) fn judge<'a>(matching: &mut Matching<'a>, billing: &Billing<'a>, bases: &Bases<'a>) {
    let mut contracts = named(matching, billing, bases);
    pieces(matching, billing, bases, &mut contracts);
    for agreed in contracts.into_values() {
        remember(matching, &agreed);
        terms(matching, &agreed);
        let now = total(agreed.pieces.iter().filter_map(|piece| piece.amount));
        if matching.invoice.credit || agreed.pieces.is_empty() {
            continue;
        }
        time(matching, &agreed);
        rates::judge(matching, &agreed);
        if now.is_none_or(|now| Decimal::ZERO < now) {
            not_to_exceed(matching, &agreed);
        }
    }
}

/// The contract of an order line: the one that it names, or that the blanket orders behind it lead to.
fn contract_of<'a>(ordered: &OrderLine, bases: &Bases<'a>) -> Option<&'a str> {
    bases.get(ordered.contract_id.as_deref()?)?.last().copied()
}

/// The contracts that the document or an order line of it names, as far as it may bill under them.
fn named<'a>(matching: &mut Matching<'a>, billing: &Billing<'a>, bases: &Bases<'a>) -> BTreeMap<Key, Agreed<'a>> {
    let (known, invoice) = (matching.known, matching.invoice);
    let mut names: BTreeMap<Key, (&'a str, Option<Place>, Vec<usize>)> = BTreeMap::new();
    if let Some(id) = &invoice.contract_ref {
        names.insert(Key::contract(id), (id, matching.place(FieldName::ContractRef), Vec::new()));
    }
    for share in &billing.shares {
        let Some(id) = contract_of(share.ordered, bases) else { continue };
        let name = || (id, of_order(share.ordered), Vec::new());
        names.entry(Key::contract(id)).or_insert_with(name).2.push(share.idx);
    }
    let mut contracts = BTreeMap::new();
    for (key, (name, place, idxs)) in names {
        let mut rows: Vec<&ContractRate> = known.contract(name).collect();
        // A blanket order may be named in the place of a contract.
        if rows.is_empty() && known.order_lines(name).any(|line| line.blanket) {
            continue;
        }
        rows.sort_by(|left, right| rates::order(left).cmp(&rates::order(right)));
        let mut at = matching.lines_at(&idxs);
        if invoice.contract_ref.as_deref().is_some_and(|it| Key::contract(it) == key) {
            at.push(matching.field(FieldName::ContractRef));
        }
        let count = if rows.is_empty() { String::new() } else { rows.len().to_string() };
        let comparison = Comparison::new(Code::ContractUnknown, "match.contract", Test::There { value: "rows".into() })
            .from("contract", name, place)
            .with("rows", count);
        matching.compare_at(comparison, &at, || format!("contract `{name}` is not known"));
        let Some(first) = rows.first() else { continue };
        let id = first.contract_id.as_str();
        let parties = Parties {
            called: "contract",
            id,
            vendors: rows.iter().map(|row| row.vendor_id.as_str()).collect(),
            currencies: rows.iter().filter_map(|row| row.currency.as_deref()).collect(),
            names: ["contract", "agreed_with", "agreed"],
            another: Code::ContractUnknown,
            rule: "match.contract",
            place: Some(Place::Fact(format!("contract {id}"))),
        };
        if lines::fits(matching, &parties, &at) {
            contracts.insert(key, Agreed { id, rows, pieces: Vec::new() });
        }
    }
    contracts
}

/// What is billed under each contract: the order line's own, else the document's.
fn pieces<'a>(
    matching: &Matching<'a>,
    billing: &Billing<'a>,
    bases: &Bases<'a>,
    contracts: &mut BTreeMap<Key, Agreed<'a>>,
) {
    let invoice = matching.invoice;
    let of_document = invoice.contract_ref.as_deref().map(Key::contract);
    let known = |id: &str| matching.known.contract(id).next().is_some();
    for share in &billing.shares {
        let own = contract_of(share.ordered, bases).filter(|id| known(id)).map(Key::contract);
        let Some(agreed) = own.or(of_document.clone()).and_then(|key| contracts.get_mut(&key)) else { continue };
        let (line, ordered) = (&share.line, share.ordered);
        let items = [&ordered.item, &line.item, &ordered.description, &line.name];
        agreed.pieces.push(Piece {
            idx: Some(share.idx),
            ordered: Some(ordered),
            items: items.into_iter().flatten().cloned().collect(),
            quantity: Some(share.quantity),
            price: share.price,
            amount: Some(share.amount),
            place: line.evidence.clone().map(Place::Document),
            value_only: share.value_only,
        });
    }
    let Some(agreed) = of_document.and_then(|key| contracts.get_mut(&key)) else { return };
    let sign = if invoice.credit { -Decimal::ONE } else { Decimal::ONE };
    let header = invoice.order_ref.as_deref();
    for idx in &billing.unordered {
        let Some(line) = invoice.lines.get(*idx) else { continue };
        // What names an order is that order's, and delivery costs are those of all of them.
        if line.order_ref.as_deref().or(header).is_some()
            || (!billing.orders.is_empty() && super::freight::is_freight(line))
        {
            continue;
        }
        agreed.pieces.push(Piece {
            idx: Some(*idx),
            ordered: None,
            items: [&line.item, &line.name].into_iter().flatten().cloned().collect(),
            quantity: line.quantity.map(|it| sign * it),
            price: line.price_of_one(),
            amount: line.amount().map(|it| sign * it),
            place: line.evidence.clone().map(Place::Document),
            value_only: false,
        });
    }
    if invoice.lines.is_empty() && invoice.orders().is_empty() {
        agreed.pieces.push(Piece {
            idx: None,
            ordered: None,
            items: Vec::new(),
            quantity: None,
            price: None,
            amount: header::goods(invoice).map(|it| sign * it),
            place: matching.place(FieldName::NetTotal),
            value_only: false,
        });
    }
}

impl<'a> Agreed<'a> {
    /// Rows that hold on a day, or else all of them.
    fn rows_on(&self, on: Option<Date>) -> Vec<&'a ContractRate> {
        let holding: Vec<&ContractRate> =
            self.rows.iter().copied().filter(|row| on.is_some_and(|on| row.holds_on(on))).collect();
        if holding.is_empty() { self.rows.clone() } else { holding }
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Fact(format!("contract {}", self.id)))
    }

    fn idxs(&self) -> Vec<usize> {
        self.pieces.iter().filter_map(|piece| piece.idx).collect()
    }
}

/// What the document takes of the contract, line by line: yearly quantities and the whole amount are counted by it.
fn remember(matching: &mut Matching<'_>, agreed: &Agreed<'_>) {
    let rates = rates::Rates::of(&agreed.rows);
    for piece in &agreed.pieces {
        matching.claim(Claim {
            order_id: agreed.id.to_owned(),
            line: String::new(),
            item: rates.named(&piece.items).or(piece.items.first()).cloned(),
            quantity: piece.quantity.unwrap_or_default(),
            amount: piece.amount.unwrap_or_default(),
            freight: false,
        });
    }
}

/// Was it delivered while the contract held? A contract with a renewal goes on after its end.
fn time(matching: &mut Matching<'_>, agreed: &Agreed<'_>) {
    let outside = |day: Date| {
        let of_row = |row: &&ContractRate| {
            let end = row.valid_to.filter(|_| !row.renewed());
            (days(row.valid_from) - days(day)).max(end.map_or(0, |end| days(day) - days(end))).max(0)
        };
        agreed.rows.iter().map(of_row).min()
    };
    let served = served(matching.invoice);
    let most = served.and_then(|(begin, end)| outside(begin).max(outside(end)));
    let from = agreed.rows.iter().map(|row| row.valid_from).min();
    // The last end; none where a row has no end.
    let to = agreed.rows.iter().map(|row| row.valid_to.filter(|_| !row.renewed())).collect::<Option<Vec<_>>>();
    let to = to.and_then(|ends| ends.into_iter().max());
    let test = Test::AtMost { sum: vec!["days_outside".into()], of: "expected".into(), times: None, below: None };
    let comparison = Comparison::new(Code::ContractExpired, "match.contract_date", test)
        .with("contract", agreed.id)
        .with("expected", 0);
    let comparison = most.iter().fold(comparison, |it, most| it.with("days_outside", most));
    let dates = [("valid_from", from), ("valid_to", to)].into_iter().filter_map(|(name, day)| Some((name, day?)));
    let comparison = dates.fold(comparison, |it, (name, day)| it.from(name, day, agreed.place()));
    let comparison = served.iter().fold(comparison, |it, (begin, end)| {
        it.with("served_from", begin).from("served_to", end, matching.place(FieldName::PeriodTo))
    });
    let at = matching.lines_at(&agreed.idxs());
    matching.compare_at(comparison, &at, || {
        let from = from.map(|day| format!(" from {day}")).unwrap_or_default();
        let to = to.map(|day| format!(" up to {day}, without renewal")).unwrap_or_default();
        let served =
            served.map(|(begin, end)| if begin == end { end.to_string() } else { format!("{begin} to {end}") });
        let served = served.unwrap_or_else(|| "no day".to_owned());
        format!("contract `{}` holds{from}{to}, what is billed is of {served}", agreed.id)
    });
}

/// Everything billed under the contract, this document with those before it, against what it may cost altogether.
fn not_to_exceed(matching: &mut Matching<'_>, agreed: &Agreed<'_>) {
    let on = matching.invoice.served_on();
    let rows = agreed.rows_on(on);
    let written = rows.iter().filter_map(|row| Some((row.valid_from, row.not_to_exceed?)));
    // The newest row that says it; of rows as new, the least.
    let Some((_, most)) = written.max_by(|left, right| left.0.cmp(&right.0).then(right.1.cmp(&left.1))) else { return };
    let before = ledger::billed(matching.known.claims_of(agreed.id, ""));
    let now = agreed.pieces.iter().map(|piece| piece.amount).collect::<Option<Vec<_>>>().and_then(total);
    let over = before.zip(now).and_then(|(before, now)| total([before, now, -most]));
    let test = Test::AtMost {
        sum: vec!["billed_before".into(), "billed_now".into()],
        of: "not_to_exceed".into(),
        times: None,
        below: None,
    };
    let figures = [("billed_before", before), ("billed_now", now), ("excess", over.filter(|it| Decimal::ZERO < *it))];
    let figures = figures.into_iter().filter_map(|(name, it)| Some((name, money(it?))));
    let comparison = Comparison::new(Code::NotToExceed, "match.not_to_exceed", test).with("contract", agreed.id).from(
        "not_to_exceed",
        money(most),
        agreed.place(),
    );
    let comparison = figures.fold(comparison, |it, (name, figure)| it.with(name, figure));
    let at = matching.lines_at(&agreed.idxs());
    let id = agreed.id;
    matching.compare_at(comparison, &at, || match (before.zip(now), over) {
        (Some((before, now)), Some(over)) => format!(
            "contract `{id}` may not exceed {}: {} billed before and {} now are {} too much",
            money(most),
            money(before),
            money(now),
            money(over)
        ),
        _ => format!("contract `{id}` may not exceed {}, and what is billed under it has no amount", money(most)),
    });
}

/// The contract says when its invoices are due. What the document says otherwise is noted, and not followed.
fn terms(matching: &mut Matching<'_>, agreed: &Agreed<'_>) {
    let invoice = matching.invoice;
    let rows = agreed.rows_on(invoice.served_on());
    let written = rows.iter().filter_map(|row| Some((row.valid_from, row.payment_days?)));
    let newest = written.max_by(|left, right| left.0.cmp(&right.0).then(right.1.cmp(&left.1)));
    let (Some((_, payment_days)), Some(issued), false) = (newest, invoice.issue_date, invoice.credit) else { return };
    let Ok(due) = issued.checked_add(i64::from(payment_days).days()) else { return };
    if invoice.due_date != Some(due) {
        // Of two contracts the earlier day keeps both.
        let before = matching.verdict.due_date.unwrap_or(due);
        matching.verdict.due_date = Some(before.min(due));
    }
    let Some(said) = invoice.due_date else { return };
    let test = Test::Same { left: "due_date".into(), right: "contract_due_date".into() };
    let comparison = Comparison::new(Code::Terms, "match.terms", test)
        .from("due_date", said, matching.place(FieldName::DueDate))
        .from("contract_due_date", due, agreed.place())
        .from("issue_date", issued, matching.place(FieldName::IssueDate))
        .with("payment_days", payment_days)
        .with("contract", agreed.id);
    let at = [matching.field(FieldName::DueDate)];
    matching.compare_at(comparison, &at, || {
        let id = agreed.id;
        format!("due on {said} by the document, on {due} by contract `{id}`, {payment_days} days after {issued}")
    });
}

#[cfg(test)]
mod tests;

//! The totals of a document: BR-CO-10 to BR-CO-17.

use rust_decimal::{Decimal, RoundingStrategy};

use super::model::{Bg, Bt, Group, Model, Syntax, VAT, number, raw, text};
use super::{Check::*, Rule, rule};

pub(super) const RULES: &[Rule] = &[
    rule!(
        "BR-CO-10",
        ["BT-106", "BT-131"],
        "the sum of line net amounts shall be the sum of the lines",
        Each(Bg::Totals, |model, it| {
            let lines = sum(model.all(Bg::Line).filter_map(|it| it.number(Bt(131))));
            same(it.amount(Bt(106)), lines.map(cents))
        })
    ),
    rule!(
        "BR-CO-11",
        ["BT-107", "BT-92"],
        "the sum of allowances shall be the sum of the document's allowances",
        Each(Bg::Totals, |model, it| listed(model, it, Bt(107), Bg::Allowance, Bt(92)))
    ),
    rule!(
        "BR-CO-12",
        ["BT-108", "BT-99"],
        "the sum of charges shall be the sum of the document's charges",
        Each(Bg::Totals, |model, it| listed(model, it, Bt(108), Bg::Charge, Bt(99)))
    ),
    rule!(
        "BR-CO-13",
        ["BT-109", "BT-106", "BT-107", "BT-108"],
        "the total without VAT shall be the lines less allowances plus charges",
        Each(Bg::Totals, |model, it| {
            let lines = it.amount(Bt(106));
            let less = lines.and_then(|lines| lines.checked_sub(optional(it, Bt(107))?));
            let net = less.and_then(|less| less.checked_add(optional(it, Bt(108))?));
            // The check for UBL rounds only where it computes.
            let exact = model.syntax == Syntax::Ubl && !it.has(Bt(107)) && !it.has(Bt(108));
            same(it.amount(Bt(109)), net.map(|net| if exact { net } else { cents(net) }))
        })
    ),
    rule!(
        "BR-CO-14",
        ["BT-110", "BT-117"],
        "the total VAT shall be the sum of the VAT breakdown",
        Custom(|model, hits| {
            match model.syntax {
                Syntax::Ubl => hits.each(model, Bg::TaxTotal, |total| {
                    let groups = || model.inside(total, Bg::VatGroup);
                    let tax = sum(groups().filter_map(|it| it.number(Bt(117))));
                    groups().next().is_none() || same(total.amount(Bt(110)), tax.map(cents))
                }),
                Syntax::Cii => {
                    let tax = sum(model.all(Bg::VatGroup).filter_map(|it| it.number(Bt(117)))).map(cents);
                    let currency = model.one(Bg::Document).and_then(|it| it.node(Bt(5))).map(raw);
                    for total in model
                        .tax_totals()
                        .map(|(_, it)| it)
                        .filter(|it| currency.is_some() && it.attribute("currencyID") == currency.as_deref())
                    {
                        if !same(number(&text(total)), tax) {
                            hits.at(total);
                        }
                    }
                }
            }
        })
    ),
    rule!(
        "BR-CO-15",
        ["BT-112", "BT-109", "BT-110"],
        "the total with VAT shall be the total without VAT plus the VAT",
        Document(|model| {
            let Some(document) = model.one(Bg::Document) else { return true };
            let totals = model.one(Bg::Totals);
            let amount = |term| totals.and_then(|it| it.amount(term));
            // Without a currency the other rules speak.
            document.nodes(Bt(5)).all(|currency| {
                let currency = raw(currency);
                let own = |code: Option<&str>| code == Some(currency.as_ref());
                let mut taxes = model.tax_totals().filter(|(_, it)| own(it.attribute("currencyID")));
                let tax = taxes.next().and_then(|(_, it)| number(&text(it)));
                let once = taxes.next().is_none();
                let (net, gross) = (amount(Bt(109)), amount(Bt(112)));
                let with = net.zip(tax).and_then(|(net, tax)| net.checked_add(tax)).map(cents);
                (once && same(gross, with)) || (model.syntax == Syntax::Cii && same(gross, net))
            })
        })
    ),
    rule!(
        "BR-CO-16",
        ["BT-115", "BT-112", "BT-113", "BT-114"],
        "the amount due shall be the total with VAT less what is paid plus the rounding",
        Each(Bg::Totals, |model, it| {
            // As above.
            let round = |amount, term| if model.syntax == Syntax::Ubl && it.has(term) { cents(amount) } else { amount };
            let paid = optional(it, Bt(113));
            let rounding = optional(it, Bt(114));
            let left = it.amount(Bt(112)).zip(paid).and_then(|(gross, paid)| gross.checked_sub(paid));
            let due = it.amount(Bt(115)).zip(rounding).and_then(|(due, rounding)| due.checked_sub(rounding));
            same(due.map(|due| round(due, Bt(114))), left.map(|left| round(left, Bt(113))))
        })
    ),
    rule!(
        "BR-CO-17",
        ["BT-117", "BT-116", "BT-119"],
        "the tax of a VAT group shall be its base times its rate",
        Each(Bg::VatGroup, tax_follows)
    ),
];

/// What is not there counts nothing; what cannot be read is not counted as nothing.
fn optional(group: &Group<'_, '_>, term: Bt) -> Option<Decimal> {
    group.number(term).unwrap_or(Some(Decimal::ZERO))
}

/// Nothing is equal to what is not there.
pub(super) fn same(found: Option<Decimal>, expected: Option<Decimal>) -> bool {
    found.is_some() && found == expected
}

/// The sum of nothing is 0; with something that is no number there is no sum.
pub(super) fn sum(amounts: impl Iterator<Item = Option<Decimal>>) -> Option<Decimal> {
    let mut total = Decimal::ZERO;
    for amount in amounts {
        total = total.checked_add(amount?)?;
    }
    Some(total)
}

/// To two decimals, a half towards plus infinity, as the published checks round.
pub(super) fn cents(amount: Decimal) -> Decimal {
    let half = RoundingStrategy::MidpointAwayFromZero;
    let down = RoundingStrategy::MidpointTowardZero;
    amount.round_dp_with_strategy(2, if amount.is_sign_negative() { down } else { half })
}

pub(super) fn whole(amount: Decimal) -> Decimal {
    let half = RoundingStrategy::MidpointAwayFromZero;
    let down = RoundingStrategy::MidpointTowardZero;
    amount.round_dp_with_strategy(0, if amount.is_sign_negative() { down } else { half })
}

fn listed(model: &Model<'_, '_>, totals: &Group<'_, '_>, total: Bt, kind: Bg, amount: Bt) -> bool {
    if !totals.has(total) {
        return !model.any(kind);
    }
    same(totals.amount(total), sum(model.all(kind).filter_map(|it| it.number(amount))).map(cents))
}

fn tax_follows(model: &Model<'_, '_>, group: &Group<'_, '_>) -> bool {
    if super::vat::beyond(model, group) {
        return true;
    }
    let Some(tax) = group.amount(Bt(117)) else { return false };
    let rate = match group.number(Bt(119)).filter(|_| group.has(VAT)) {
        Some(Some(rate)) if !whole(rate).is_zero() => rate,
        Some(None) => return false,
        // Without a rate, or with one below a half percent, there is no tax.
        _ => return whole(tax).is_zero(),
    };
    let Some(base) = group.amount(Bt(116)) else { return false };
    within(tax, base, rate, model.syntax == Syntax::Cii)
}

/// Is the tax less than a whole unit of the currency from base times rate? `or_equal` lets the whole unit pass.
pub(super) fn within(tax: Decimal, base: Decimal, rate: Decimal, or_equal: bool) -> bool {
    let Some(product) = base.abs().checked_mul(rate) else { return false };
    let expected = cents(product / Decimal::ONE_HUNDRED);
    let Some(off) = tax.abs().checked_sub(expected).map(|it| it.abs()) else { return false };
    off < Decimal::ONE || (or_equal && off == Decimal::ONE)
}

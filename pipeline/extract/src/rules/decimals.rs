//! BR-DEC: the amounts that may have two decimals at most.

use super::model::{Bg, Bt, Group, Model, Syntax, number, raw, text};
use super::vat::beyond;
use super::{Check::*, Rule, rule};

macro_rules! two {
    ($id:literal, $bt:literal, $kind:expr, $term:literal, $says:literal) => {
        rule!($id, [$bt], $says, Each($kind, |_, it| two_decimals(it, Bt($term))))
    };
}

pub(super) const RULES: &[Rule] = &[
    two!("BR-DEC-01", "BT-92", Bg::Allowance, 92, "the amount of an allowance may have two decimals"),
    two!("BR-DEC-02", "BT-93", Bg::Allowance, 93, "the base amount of an allowance may have two decimals"),
    two!("BR-DEC-05", "BT-99", Bg::Charge, 99, "the amount of a charge may have two decimals"),
    two!("BR-DEC-06", "BT-100", Bg::Charge, 100, "the base amount of a charge may have two decimals"),
    two!("BR-DEC-09", "BT-106", Bg::Totals, 106, "the sum of line net amounts may have two decimals"),
    two!("BR-DEC-10", "BT-107", Bg::Totals, 107, "the sum of allowances may have two decimals"),
    two!("BR-DEC-11", "BT-108", Bg::Totals, 108, "the sum of charges may have two decimals"),
    two!("BR-DEC-12", "BT-109", Bg::Totals, 109, "the total without VAT may have two decimals"),
    rule!(
        "BR-DEC-13",
        ["BT-110"],
        "the total VAT may have two decimals",
        Each(Bg::Totals, |model, it| {
            let currency = model.one(Bg::Document).and_then(|it| it.node(Bt(5))).map(raw).unwrap_or_default();
            tax_total(model, it, |code| code != Some(currency.as_ref()))
        })
    ),
    two!("BR-DEC-14", "BT-112", Bg::Totals, 112, "the total with VAT may have two decimals"),
    rule!(
        "BR-DEC-15",
        ["BT-111"],
        "the total VAT in the currency of the books may have two decimals",
        Each(Bg::Totals, |model, it| {
            let Some(document) = model.one(Bg::Document).filter(|it| it.has(Bt(6))) else { return true };
            let currency = document.node(Bt(6)).map(raw).unwrap_or_default();
            let mut own = it.nodes(Bt(110)).filter(|it| it.attribute("currencyID") == Some(currency.as_ref()));
            model.syntax == Syntax::Ubl || !it.has(Bt(110)) || own.any(|it| in_cents(&text(it)))
        })
    ),
    two!("BR-DEC-16", "BT-113", Bg::Totals, 113, "the paid amount may have two decimals"),
    two!("BR-DEC-17", "BT-114", Bg::Totals, 114, "the rounding may have two decimals"),
    two!("BR-DEC-18", "BT-115", Bg::Totals, 115, "the amount due may have two decimals"),
    rule!(
        "BR-DEC-19",
        ["BT-116"],
        "the base of a VAT group may have two decimals",
        Each(Bg::VatGroup, |model, it| beyond(model, it) || two_decimals(it, Bt(116)))
    ),
    rule!(
        "BR-DEC-20",
        ["BT-117"],
        "the tax of a VAT group may have two decimals",
        Each(Bg::VatGroup, |model, it| beyond(model, it) || two_decimals(it, Bt(117)))
    ),
    two!("BR-DEC-23", "BT-131", Bg::Line, 131, "the net amount of a line may have two decimals"),
    two!("BR-DEC-24", "BT-136", Bg::LineAllowance, 136, "the amount of a line's allowance may have two decimals"),
    two!("BR-DEC-25", "BT-137", Bg::LineAllowance, 137, "the base amount of a line's allowance may have two decimals"),
    two!("BR-DEC-27", "BT-141", Bg::LineCharge, 141, "the amount of a line's charge may have two decimals"),
    two!("BR-DEC-28", "BT-142", Bg::LineCharge, 142, "the base amount of a line's charge may have two decimals"),
];

fn two_decimals(group: &Group<'_, '_>, term: Bt) -> bool {
    group.nodes(term).all(|it| short(&raw(it)))
}

/// Counts every character after the point, as the published checks do.
pub(super) fn short(text: &str) -> bool {
    text.split_once('.').is_none_or(|(_, decimals)| decimals.chars().count() <= 2)
}

/// Trailing zeros are no decimals here.
fn in_cents(text: &str) -> bool {
    number(text).is_some_and(|it| it.normalize().scale() <= 2)
}

/// One of the totals is of another currency, or in cents. UBL has another rule for this, UBL-DT-01.
fn tax_total(model: &Model<'_, '_>, totals: &Group<'_, '_>, other: impl Fn(Option<&str>) -> bool) -> bool {
    let passes = |it: roxmltree::Node<'_, '_>| other(it.attribute("currencyID")) || in_cents(&text(it));
    model.syntax == Syntax::Ubl || !totals.has(Bt(110)) || totals.nodes(Bt(110)).any(passes)
}

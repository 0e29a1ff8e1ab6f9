//! Units of measure: names of the same unit, and conversions that were brought in.

use rust_decimal::Decimal;

use crate::facts::{Conversion, Known, OrderLine};
use crate::invoice::{AMOUNT_MAX, product, quotient};

/// UN/ECE Recommendation 20 codes and the words people print for them.
const UNITS: [&[&str]; 9] = [
    &["C62", "EA", "H87", "PCE", "PCS", "PC", "XPP", "STK", "STÜCK", "ST", "UNIT", "UNITS", "PIECE", "PIECES"],
    &["HUR", "H", "HR", "HRS", "STD", "HOUR", "HOURS", "STUNDE", "STUNDEN"],
    &["DAY", "D", "DAYS", "TAG", "TAGE"],
    &["MON", "MONTH", "MONTHS", "MONAT", "MONATE"],
    &["KGM", "KG"],
    &["MTR", "M"],
    &["LTR", "L"],
    &["BX", "XBX", "BOX"],
    &["SET", "LS", "PAUSCHAL"],
];

pub(crate) fn same_unit(left: &str, right: &str) -> bool {
    let (left, right) = (left.trim().to_uppercase(), right.trim().to_uppercase());
    let (left, right) = (left.trim_end_matches('.'), right.trim_end_matches('.'));
    left == right || UNITS.iter().any(|names| names.contains(&left) && names.contains(&right))
}

/// A quantity in the order line's unit, and a price of one of it. The conversion is the item's own, else the one for all;
/// `None`: none is known, or two that say otherwise.
pub(super) struct Measure {
    /// So many of the order's unit are one of the other's: `times / per`.
    times: Decimal,
    per: Decimal,
}

impl Measure {
    /// `None` beyond [`AMOUNT_MAX`].
    pub(super) fn quantity(&self, quantity: Decimal) -> Option<Decimal> {
        quotient(product(quantity, self.times)?, self.per).filter(|quantity| quantity.abs() <= AMOUNT_MAX)
    }

    pub(super) fn price(&self, price: Decimal) -> Option<Decimal> {
        quotient(product(price, self.per)?, self.times)
    }
}

/// How to get from `unit` to the order line's; a unit that is not said is the order line's.
pub(super) fn measure(unit: Option<&str>, ordered: &OrderLine, known: &Known) -> Option<Measure> {
    let as_ordered = Measure { times: Decimal::ONE, per: Decimal::ONE };
    // The unit of what has no price and no limit of quantity says nothing.
    let unit = unit.filter(|_| !ordered.open_price());
    let Some(unit) = unit.filter(|unit| !same_unit(unit, &ordered.unit)) else { return Some(as_ordered) };
    let item = ordered.item.as_deref();
    let of_item = |it: &Conversion| it.item.as_deref().zip(item).is_some_and(|(its, item)| super::same_id(its, item));
    let for_all = |it: &Conversion| it.item.is_none();
    let found = |fits: &dyn Fn(&Conversion) -> bool| {
        let conversions = known.conversions(ordered).filter(|it| fits(it) && Decimal::ZERO < it.factor);
        let mut measures = conversions.filter_map(|it| {
            if same_unit(&it.from_unit, unit) && same_unit(&it.to_unit, &ordered.unit) {
                Some((it.factor, Decimal::ONE))
            } else if same_unit(&it.to_unit, unit) && same_unit(&it.from_unit, &ordered.unit) {
                Some((Decimal::ONE, it.factor))
            } else {
                None
            }
        });
        let first = measures.next()?;
        measures.all(|it| product(it.0, first.1) == product(first.0, it.1)).then_some(first)
    };
    let any_of_item = known.conversions(ordered).any(&of_item);
    let (times, per) = if any_of_item { found(&of_item).or_else(|| found(&for_all)) } else { found(&for_all) }?;
    Some(Measure { times, per })
}

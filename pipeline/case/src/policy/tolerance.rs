//! Rows of tolerances: whom they are for, when they hold, how far they let an invoice differ.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{date, decimal};
use crate::Digest;

/// What a tolerance row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ToleranceKind {
    /// Unit price against the order; absolute limits are money per invoice line.
    PriceUnit,
    /// Everything that was billed of an order line against what it would have cost.
    PriceTotal,
    /// Quantity billed against ordered.
    QtyOrd,
    /// Quantity billed against received.
    QtyRec,
    /// Quantity billed against accepted.
    QtyAcc,
    /// Net amount of a line that no order stands behind.
    AmountLine,
    /// Net amount of a document that no order stands behind.
    AmountDoc,
    /// Delivery costs against those that the order plans.
    FreightPlanned,
    /// Delivery costs that no order plans.
    FreightUnplanned,
    /// VAT of a rate group against base times rate.
    Tax,
    /// Sums of documents that a machine did not write.
    SmallDiff,
    /// Value billed of a blanket order against its limit.
    BlanketValue,
    /// Days outside the time of a blanket order.
    BlanketDate,
    /// Price against the contract's; absolute limits are money per invoice line.
    ContractRate,
    /// Money above orders that a vendor's invoices of a calendar year may add up to.
    VendorBudget,
}

impl ToleranceKind {
    /// Is it compared only where a row asks for it? Of the other kinds nothing is tolerated where no row is.
    pub(crate) fn only_with_a_row(self) -> bool {
        use ToleranceKind::{AmountDoc, AmountLine, PriceTotal, VendorBudget};
        matches!(self, PriceTotal | AmountLine | AmountDoc | VendorBudget)
    }
}

/// Whom a row is for, and when: what it is asked with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// The company that is billed, by its VAT id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// The group that the vendor belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commodity: Option<String>,
    /// Two-, three- or four-way.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    pub on: Date,
}

/// One row. An absent limit is inactive; a value equal to a limit is within it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tolerance {
    pub id: String,
    pub kind: ToleranceKind,
    pub entity: Option<String>,
    pub vendor: Option<String>,
    pub group: Option<String>,
    pub commodity: Option<String>,
    #[serde(rename = "match")]
    pub level: Option<u8>,
    #[serde(default, deserialize_with = "decimal")]
    pub upper_percent: Option<Decimal>,
    #[serde(default, deserialize_with = "decimal")]
    pub upper_abs: Option<Decimal>,
    /// How far below is still only a note; without both, however far.
    #[serde(default, deserialize_with = "decimal")]
    pub lower_percent: Option<Decimal>,
    #[serde(default, deserialize_with = "decimal")]
    pub lower_abs: Option<Decimal>,
    #[serde(default)]
    pub combine: Combine,
    #[serde(default, deserialize_with = "date")]
    pub valid_from: Option<Date>,
    #[serde(default, deserialize_with = "date")]
    pub valid_to: Option<Date>,
}

/// `strict`: over any active limit is over. `lenient`: within any active limit is within.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Combine {
    #[default]
    Strict,
    Lenient,
}

/// What is tolerated in one place, with what it was asked by: another policy can be asked the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    pub kind: ToleranceKind,
    pub scope: Scope,
    /// The policy that was asked.
    pub policy: Digest,
    /// None: no row is for it, and nothing is tolerated.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub row: Option<Row>,
}

/// The limits of a row as they were when it was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Row {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upper_percent: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upper_abs: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lower_percent: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lower_abs: Option<Decimal>,
    pub combine: Combine,
}

impl Row {
    /// Is an excess of `amount`, being `percent` of what was expected, within this row? `percent` is `None` where
    /// nothing was expected: any excess then breaks a percentage.
    pub fn allows(&self, amount: Decimal, percent: Option<Decimal>) -> bool {
        amount <= Decimal::ZERO || self.combine.within(amount, percent, self.upper_abs, self.upper_percent)
    }

    /// Is a shortfall only worth a note? Both figures are positive.
    pub fn allows_below(&self, amount: Decimal, percent: Option<Decimal>) -> bool {
        amount <= Decimal::ZERO || self.combine.within(amount, percent, self.lower_abs, self.lower_percent)
    }
}

impl Combine {
    fn within(
        self,
        amount: Decimal,
        percent: Option<Decimal>,
        max: Option<Decimal>,
        percent_max: Option<Decimal>,
    ) -> bool {
        let by_percent = percent_max.map(|limit| percent.is_some_and(|percent| percent <= limit));
        let by_amount = max.map(|limit| amount <= limit);
        let mut active = [by_percent, by_amount].into_iter().flatten().peekable();
        // A row with no limit at all limits nothing.
        active.peek().is_none()
            || match self {
                Combine::Strict => active.all(|within| within),
                Combine::Lenient => active.any(|within| within),
            }
    }
}

impl Tolerance {
    fn is_for(&self, scope: &Scope) -> bool {
        let begun = self.valid_from.is_none_or(|from| from <= scope.on);
        begun && self.valid_to.is_none_or(|to| scope.on <= to) && self.asks_for(scope)
    }

    /// Is it for this place, whatever the day?
    pub(super) fn asks_for(&self, scope: &Scope) -> bool {
        let fits = |only: &Option<String>, asked: &Option<String>| {
            only.as_ref().is_none_or(|only| asked.as_ref().is_some_and(|asked| asked.eq_ignore_ascii_case(only)))
        };
        fits(&self.entity, &scope.entity)
            && fits(&self.vendor, &scope.vendor)
            && fits(&self.group, &scope.group)
            && fits(&self.commodity, &scope.commodity)
            && self.level.is_none_or(|level| scope.level == Some(level))
    }

    /// How closely it says whom it is for: the vendor before its group, then what is bought, how it is matched, and whom it
    /// is bought for.
    fn closeness(&self) -> [bool; 5] {
        [
            self.vendor.is_some(),
            self.group.is_some(),
            self.commodity.is_some(),
            self.level.is_some(),
            self.entity.is_some(),
        ]
    }

    pub(super) fn row(&self) -> Row {
        Row {
            id: self.id.clone(),
            upper_percent: self.upper_percent,
            upper_abs: self.upper_abs,
            lower_percent: self.lower_percent,
            lower_abs: self.lower_abs,
            combine: self.combine,
        }
    }
}

/// Of rows that say it as closely, the first listed.
pub(super) fn closest<'a>(rows: &'a [Tolerance], kind: ToleranceKind, scope: &Scope) -> Option<&'a Tolerance> {
    let fitting = rows.iter().filter(|row| row.kind == kind && row.is_for(scope));
    fitting.rev().max_by_key(|row| row.closeness())
}

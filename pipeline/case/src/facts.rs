//! What the business knows: imported, or learned from earlier cases. Each fact says under which keys it is looked up; the
//! store keeps keyed digests of them and knows no more of a fact than that.

mod bills;
mod keys;
mod known;
mod wanted;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::invoice::compact;
use crate::settle::Settlement;
use crate::{Timestamp, vat_id};

pub use bills::{Bill, Claim};
pub use keys::{Key, normal_number};
pub(crate) use keys::{days, upper};
pub(crate) use known::{BEHIND_MAX, Behind, approved};
pub use known::{Known, LookedUp, ROUNDS_MAX, Seller, Stated, seller};
pub(crate) use wanted::{RHYTHMS, TWINS_MAX, month_keys, series_keys, split_keys, twin_keys};
pub use wanted::{vendor_keys_of, wanted};

/// One thing that is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    Vendor(Vendor),
    Account(Account),
    OrderLine(OrderLine),
    Receipt(Receipt),
    Unit(Conversion),
    Contract(ContractRate),
    Employee(Employee),
    Bill(Box<Bill>),
    Payment(Payment),
    Settlement(Box<Settlement>),
}

/// The kinds of [`Fact`], by the names that `import` has for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FactKind {
    Vendors,
    Accounts,
    Orders,
    Receipts,
    Units,
    Contracts,
    Employees,
    Invoices,
    Payments,
    Settlements,
}

impl FactKind {
    pub const ALL: [FactKind; 10] = [
        FactKind::Vendors,
        FactKind::Accounts,
        FactKind::Orders,
        FactKind::Receipts,
        FactKind::Units,
        FactKind::Contracts,
        FactKind::Employees,
        FactKind::Invoices,
        FactKind::Payments,
        FactKind::Settlements,
    ];

    pub fn name(self) -> &'static str {
        match self {
            FactKind::Vendors => "vendors",
            FactKind::Accounts => "accounts",
            FactKind::Orders => "orders",
            FactKind::Receipts => "receipts",
            FactKind::Units => "units",
            FactKind::Contracts => "contracts",
            FactKind::Employees => "employees",
            FactKind::Invoices => "invoices",
            FactKind::Payments => "payments",
            FactKind::Settlements => "settlements",
        }
    }

    pub fn named(text: &str) -> Option<FactKind> {
        FactKind::ALL.into_iter().find(|kind| kind.name() == text)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vendor {
    pub vendor_id: String,
    pub name: String,
    pub vat_id: Option<String>,
    pub tax_id: Option<String>,
    pub country: Option<String>,
    /// As it was brought in; whether it may be paid to is for [`Account`] to say.
    pub iban: Option<String>,
    pub bic: Option<String>,
    pub group: Option<String>,
    /// From when this is so; of several rows of a vendor the newest that has begun holds.
    pub valid_from: Option<Date>,
}

/// An account of a vendor, with who vouches for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub vendor_id: String,
    pub iban: String,
    pub bic: Option<String>,
    /// INVARIANT (equality is not safety): only an account that is approved on that day may be paid to.
    pub approved_from: Option<Date>,
    /// The last day on which it was.
    pub approved_to: Option<Date>,
    /// When it was brought in, or brought in again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed_on: Option<Date>,
    /// Who brought it in, by pseudonym.
    pub maker: String,
    /// Who confirmed it: another person. None for the account that came with a new vendor, until somebody does.
    pub checker: Option<String>,
    pub call: Option<CallBack>,
    pub payee_check: Option<PayeeCheck>,
}

/// The vendor was asked, by a number that was on file before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallBack {
    pub number: String,
    pub spoke_with: String,
    pub answer: String,
    pub on: Date,
}

/// What the bank said of name and account (verification of payee, Regulation (EU) 2024/886 art. 5c).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayeeCheck {
    pub result: PayeeMatch,
    pub on: Date,
    /// Who kept it, by pseudonym.
    pub by: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayeeMatch {
    Match,
    Close,
    None,
    Unavailable,
}

impl PayeeMatch {
    /// The best first.
    pub const ALL: [PayeeMatch; 4] = [PayeeMatch::Match, PayeeMatch::Close, PayeeMatch::Unavailable, PayeeMatch::None];

    pub fn name(self) -> &'static str {
        match self {
            PayeeMatch::Match => "match",
            PayeeMatch::Close => "close",
            PayeeMatch::None => "none",
            PayeeMatch::Unavailable => "unavailable",
        }
    }

    pub fn named(text: &str) -> Option<PayeeMatch> {
        PayeeMatch::ALL.into_iter().find(|it| it.name() == text)
    }
}

/// An order line as imported. `unit_price` is for `price_unit` units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    pub order_id: String,
    pub vendor_id: String,
    pub currency: String,
    pub line: String,
    pub quantity: Decimal,
    pub unit: String,
    pub unit_price: Decimal,
    pub price_unit: Decimal,
    pub item: Option<String>,
    pub description: Option<String>,
    pub tax_rate: Option<Decimal>,
    pub commodity: Option<String>,
    /// Two-, three- or four-way.
    pub match_level: u8,
    /// A blanket or limit order: its value and its time are limited, its quantities are not.
    #[serde(default)]
    pub blanket: bool,
    /// Of the whole order, written on one line or on each, as are the next four.
    pub value_limit: Option<Decimal>,
    pub valid_from: Option<Date>,
    pub valid_to: Option<Date>,
    /// The contract, or the blanket order that this one is called off from.
    pub contract_id: Option<String>,
    pub freight_planned: Option<Decimal>,
}

/// A goods receipt for one order line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub receipt_id: String,
    pub order_id: String,
    pub line: String,
    pub quantity: Decimal,
    /// The order line's, where it is not said.
    pub unit: Option<String>,
    pub accepted: Option<Decimal>,
    pub returned: Option<Decimal>,
    pub date: Date,
}

/// One `from_unit` is `factor` times `to_unit`; of one item, where it says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversion {
    pub from_unit: String,
    pub to_unit: String,
    pub factor: Decimal,
    pub item: Option<String>,
}

/// What was agreed: a price for an item, from a day and from a yearly quantity on, and what holds for the whole contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractRate {
    pub contract_id: String,
    pub vendor_id: String,
    pub valid_from: Date,
    pub valid_to: Option<Date>,
    pub currency: Option<String>,
    /// Every item, where none is named.
    pub item: Option<String>,
    pub rate: Option<Decimal>,
    /// By so many percent the rate may rise each year.
    pub index_cap_percent: Option<Decimal>,
    /// The rate is for what goes beyond this quantity in a calendar year.
    pub tier_from: Option<Decimal>,
    pub not_to_exceed: Option<Decimal>,
    pub payment_days: Option<u16>,
    /// How it goes on after its end, in the contract's words; none: it does not.
    pub renewal: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Employee {
    pub employee_id: String,
    pub name: String,
    pub iban: Option<String>,
}

/// A line of a bank statement. Negative: paid out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The bank's own reference, or else a digest of what the line says and how often it said so before.
    pub payment_id: String,
    pub date: Date,
    pub amount: Decimal,
    pub currency: String,
    /// The other side's account.
    pub iban: Option<String>,
    pub text: String,
}

impl Fact {
    pub fn kind(&self) -> FactKind {
        match self {
            Fact::Vendor(_) => FactKind::Vendors,
            Fact::Account(_) => FactKind::Accounts,
            Fact::OrderLine(_) => FactKind::Orders,
            Fact::Receipt(_) => FactKind::Receipts,
            Fact::Unit(_) => FactKind::Units,
            Fact::Contract(_) => FactKind::Contracts,
            Fact::Employee(_) => FactKind::Employees,
            Fact::Bill(_) => FactKind::Invoices,
            Fact::Payment(_) => FactKind::Payments,
            Fact::Settlement(_) => FactKind::Settlements,
        }
    }

    /// What makes two imported facts of one kind the same one, of which the later replaces the earlier.
    pub fn id(&self) -> String {
        let parts = match self {
            Fact::Vendor(it) => vec![upper(&it.vendor_id), day(it.valid_from)],
            Fact::Account(it) => vec![upper(&it.vendor_id), compact(&it.iban)],
            Fact::OrderLine(it) => vec![upper(&it.order_id), upper(&it.line)],
            Fact::Receipt(it) => vec![upper(&it.receipt_id), upper(&it.order_id), upper(&it.line)],
            Fact::Unit(it) => vec![upper(&it.from_unit), upper(&it.to_unit), maybe(it.item.as_deref())],
            Fact::Contract(it) => vec![
                upper(&it.contract_id),
                maybe(it.item.as_deref()),
                it.tier_from.map(|from| from.normalize().to_string()).unwrap_or_default(),
                day(Some(it.valid_from)),
            ],
            Fact::Employee(it) => vec![upper(&it.employee_id)],
            Fact::Bill(it) => return it.id(),
            Fact::Payment(it) => vec![it.payment_id.clone()],
            Fact::Settlement(it) => vec![it.payment_id.clone()],
        };
        serde_json::json!(parts).to_string()
    }

    /// What belongs together and is best kept together: the lines and receipts of one order.
    pub fn group(&self) -> String {
        match self {
            Fact::OrderLine(OrderLine { order_id, .. }) | Fact::Receipt(Receipt { order_id, .. }) => upper(order_id),
            other => other.id(),
        }
    }

    /// Everything that it is looked up by.
    pub fn keys(&self) -> Vec<Key> {
        match self {
            Fact::Vendor(it) => it.keys(),
            Fact::Account(it) => {
                let waiting = it.waits().then(Key::accounts_waiting);
                [Key::accounts_of(&it.vendor_id), Key::iban(&it.iban)].into_iter().chain(waiting).collect()
            }
            Fact::OrderLine(it) => vec![Key::order(&it.order_id), Key::orders_of(&it.vendor_id)],
            Fact::Receipt(it) => {
                let went_back =
                    it.returned.is_some_and(|returned| Decimal::ZERO < returned) || it.quantity.is_sign_negative();
                let returns = went_back.then(|| Key::returns(it.date.year(), it.date.month()));
                [Key::order(&it.order_id)].into_iter().chain(returns).collect()
            }
            Fact::Unit(it) => it.keys(),
            Fact::Contract(it) => vec![Key::contract(&it.contract_id)],
            Fact::Employee(it) => it.iban.iter().map(|iban| Key::iban(iban)).collect(),
            Fact::Bill(it) => it.keys(),
            Fact::Payment(it) => {
                let account = it.iban.as_deref().map(Key::payments_to);
                account.into_iter().chain([Key::payment(&it.payment_id)]).collect()
            }
            Fact::Settlement(it) => it.keys(),
        }
    }

    /// From when it is so, and until when: `None` where it knows no beginning or no end.
    pub fn valid(&self) -> (Option<Date>, Option<Date>) {
        match self {
            Fact::Vendor(it) => (it.valid_from, None),
            Fact::Account(it) => (it.approved_from, it.approved_to),
            Fact::OrderLine(it) => (it.valid_from, it.valid_to),
            Fact::Receipt(it) => (Some(it.date), None),
            Fact::Contract(it) => (Some(it.valid_from), it.valid_to),
            Fact::Bill(it) => (it.date, None),
            Fact::Payment(it) => (Some(it.date), None),
            Fact::Settlement(it) => (Some(it.date), None),
            Fact::Unit(_) | Fact::Employee(_) => (None, None),
        }
    }

    /// Is it so on this day? An account is on those on which it may be paid to.
    pub fn valid_on(&self, on: Date) -> bool {
        if let Fact::Account(account) = self {
            return account.approved_on(on);
        }
        let (from, to) = self.valid();
        from.is_none_or(|from| from <= on) && to.is_none_or(|to| on <= to)
    }
}

impl Vendor {
    fn keys(&self) -> Vec<Key> {
        let ids = self.vat_id.as_deref().map(Key::vat_id).into_iter().chain(self.tax_id.as_deref().map(Key::tax_id));
        let name = Some(Key::name(&self.name)).filter(|key| key.text() != "name:");
        let iban = self.iban.as_deref().map(Key::iban);
        ids.chain(name).chain(iban).chain([Key::vendor(&self.vendor_id)]).collect()
    }

    /// Where other records of the same company may stand.
    pub fn keys_of_kin(&self) -> Vec<Key> {
        let vat_id = self.vat_id.iter().flat_map(|id| vat_id::keys(id, self.country.as_deref()));
        vat_id.chain(self.keys()).collect()
    }

    /// May this be the same company as another record of the master data? An id that both share says so; a name does where no
    /// VAT ids tell them apart.
    pub fn may_be(&self, other: &Vendor) -> bool {
        let vat_ids = self.vat_id.as_deref().zip(other.vat_id.as_deref());
        let by_vat_id = vat_ids.map(|(one, other)| vat_id::same(one, other));
        let tax_ids = self.tax_id.as_deref().zip(other.tax_id.as_deref());
        let by_tax_id = tax_ids.is_some_and(|(one, other)| compact(one) == compact(other));
        let by_name = Key::name(&self.name) == Key::name(&other.name) && by_vat_id.is_none();
        by_vat_id == Some(true) || by_tax_id || by_name
    }

    /// The account that came with this row. The first one that is known of a vendor came with the vendor; any later one is a
    /// change of where money goes, and waits for two people.
    pub fn account(&self, first: bool, by: &str, now: Timestamp) -> Option<Account> {
        let iban = self.iban.as_ref()?;
        Some(Account {
            vendor_id: self.vendor_id.clone(),
            iban: compact(iban),
            bic: self.bic.clone(),
            approved_from: first.then(|| self.valid_from.unwrap_or_else(|| now.date())),
            approved_to: None,
            proposed_on: Some(now.date()),
            maker: by.to_owned(),
            checker: None,
            call: None,
            payee_check: None,
        })
    }
}

impl Conversion {
    fn keys(&self) -> Vec<Key> {
        let key = |unit: &str| self.item.as_deref().map_or_else(|| Key::unit(unit), |item| Key::unit_of(unit, item));
        vec![key(&self.from_unit), key(&self.to_unit)]
    }
}

/// A line as it is where nothing more is said: in pieces, its price for one, matched with what is received.
impl Default for OrderLine {
    fn default() -> OrderLine {
        OrderLine {
            order_id: String::new(),
            vendor_id: String::new(),
            currency: String::new(),
            line: String::new(),
            quantity: Decimal::ZERO,
            unit: "C62".to_owned(),
            unit_price: Decimal::ZERO,
            price_unit: Decimal::ONE,
            item: None,
            description: None,
            tax_rate: None,
            commodity: None,
            match_level: 3,
            blanket: false,
            value_limit: None,
            valid_from: None,
            valid_to: None,
            contract_id: None,
            freight_planned: None,
        }
    }
}

impl OrderLine {
    /// A blanket order without a price leaves it open; any other order line at 0.00 is a gift.
    pub(crate) fn open_price(&self) -> bool {
        self.blanket && self.unit_price.is_zero()
    }
}

impl Account {
    /// May what is billed go to it: to the account that the document names, or else to any that is approved on that day?
    pub(crate) fn named_or_approved(&self, iban: Option<&str>, on: Date) -> bool {
        iban.map_or_else(|| self.approved_on(on), |iban| compact(&self.iban) == compact(iban))
    }

    /// Was it approved and not closed since?
    pub fn stands(&self) -> bool {
        self.approved_from.is_some() && self.approved_to.is_none()
    }

    /// Does it wait for a second person?
    pub fn waits(&self) -> bool {
        self.approved_from.is_none() && self.approved_to.is_none()
    }

    pub fn approved_on(&self, day: Date) -> bool {
        self.approved_from.is_some_and(|from| from <= day) && self.approved_to.is_none_or(|to| day <= to)
    }
}

fn day(date: Option<Date>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}

fn maybe(text: Option<&str>) -> String {
    text.map(upper).unwrap_or_default()
}

#[cfg(test)]
mod tests;

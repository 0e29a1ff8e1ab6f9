//! What the business knows: imported, or learned from earlier cases. Each fact says under which keys it is looked up; the
//! store keeps keyed digests of them and knows no more of a fact than that.

mod known;
mod wanted;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::invoice::{compact, folded};
use crate::settle::Settlement;
use crate::{Digest, Timestamp};

pub(crate) use known::approved;
pub use known::{Known, LookedUp, Seller, Stated, seller};
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

/// What facts are looked up by, such as `order:4711`. Equal keys are equal texts: whoever makes one folds it first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(String);

/// Days in a step of the keys that find what lies a few days apart.
const STEP_DAYS: i64 = 7;

impl Key {
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Orders are named without regard to case and outer blanks.
    pub fn order(id: &str) -> Key {
        Key(format!("order:{}", upper(id)))
    }

    /// The open lines that a vendor may be billing without saying so.
    pub fn orders_of(vendor: &str) -> Key {
        Key(format!("orders-of:{}", upper(vendor)))
    }

    pub fn vendor(id: &str) -> Key {
        Key(format!("vendor:{}", upper(id)))
    }

    pub fn vat_id(id: &str) -> Key {
        Key(format!("vat:{}", compact(id)))
    }

    pub fn tax_id(id: &str) -> Key {
        Key(format!("tax:{}", compact(id)))
    }

    pub fn name(name: &str) -> Key {
        Key(format!("name:{}", folded(name)))
    }

    pub fn accounts_of(vendor: &str) -> Key {
        Key(format!("accounts-of:{}", upper(vendor)))
    }

    /// Accounts that wait for their second person, of every vendor.
    pub fn accounts_waiting() -> Key {
        Key("accounts-waiting:".to_owned())
    }

    /// Vendors and employees that are paid to this account.
    pub fn iban(iban: &str) -> Key {
        Key(format!("iban:{}", compact(iban)))
    }

    /// Conversions from or to this unit.
    pub fn unit(unit: &str) -> Key {
        Key(format!("unit:{}", upper(unit)))
    }

    pub fn contract(id: &str) -> Key {
        Key(format!("contract:{}", upper(id)))
    }

    /// Bills of one seller under one number, however it is written: key D3, and D2 in it. Credit notes have a key space of
    /// their own.
    pub fn number(cluster: &str, credit: bool, number: &str) -> Key {
        Key(format!("number:{}|{cluster}|{}", space(credit), normal_number(number)))
    }

    /// Credit notes of one seller that name this invoice.
    pub fn credits_of(cluster: &str, number: &str) -> Key {
        Key(format!("credits-of:{cluster}|{}", normal_number(number)))
    }

    /// Bills of one seller over one amount about one day: key D4.
    pub fn gross(cluster: &str, credit: bool, currency: &str, gross: Decimal, step: i64) -> Key {
        Key(format!("gross:{}|{cluster}|{currency}|{}|{step}", space(credit), gross.round_dp(2).normalize()))
    }

    /// Bills to one account under one number, whoever sent them: key D5.
    pub fn payee(iban: &str, credit: bool, number: &str) -> Key {
        Key(format!("payee:{}|{}|{}", space(credit), compact(iban), normal_number(number)))
    }

    /// Bills with the same lines on the same day, whoever sent them: key D6.
    pub fn lines(fingerprint: &str) -> Key {
        Key(format!("lines:{fingerprint}"))
    }

    /// Bills of one vendor in a year that took of its budget.
    pub fn budget(vendor: &str, year: i16) -> Key {
        Key(format!("budget:{}|{year}", upper(vendor)))
    }

    /// Bills of one vendor for one cost centre about one day.
    pub fn split(vendor: &str, cost_centre: &str, step: i64) -> Key {
        Key(format!("split:{}|{}|{step}", upper(vendor), folded(cost_centre)))
    }

    /// Bills of one vendor in a month.
    pub fn month(vendor: &str, year: i16, month: i8) -> Key {
        Key(format!("month:{}|{year}-{month:02}", upper(vendor)))
    }

    /// Receipts of a month with something that went back.
    pub fn returns(year: i16, month: i8) -> Key {
        Key(format!("returns:{year}-{month:02}"))
    }

    /// Bills that are not paid as far as is known, and payments, by the amount.
    pub fn open(currency: &str, gross: Decimal) -> Key {
        Key(format!("open:{currency}|{}", gross.round_dp(2).normalize()))
    }

    /// Bills under this number, whoever sent them: what a payment's text names.
    pub fn any_number(number: &str) -> Key {
        Key(format!("any-number:{}", normal_number(number)))
    }

    /// Payments to an account, or from it.
    pub fn payments_to(iban: &str) -> Key {
        Key(format!("payments-to:{}", compact(iban)))
    }

    /// Are only the newest of what stands under it looked at? What is learned under it changes no verdict by itself.
    pub fn partly(&self) -> bool {
        self.is_one_of(&["month:", "orders-of:", "returns:", "unsettled:"])
    }

    /// Must a verdict be made anew when something is written under it meanwhile? Not where only a part is looked at, not for what
    /// payments are found by, which are settled by the bills themselves, and not for what people alone look through.
    pub fn binds(&self) -> bool {
        !self.partly() && !self.is_one_of(&["open:", "any-number:", "accounts-waiting:"])
    }

    /// Do verdicts write under it, and not imports alone?
    pub fn written_by_cases(&self) -> bool {
        !self.is_one_of(&["vendor:", "vat:", "tax:", "name:", "iban:", "accounts-of:", "unit:"])
    }

    fn is_one_of(&self, prefixes: &[&str]) -> bool {
        prefixes.iter().any(|prefix| self.0.starts_with(prefix))
    }

    /// Payments that settle nothing yet, or about which a case is still to be told.
    pub fn unsettled() -> Key {
        Key("unsettled:".to_owned())
    }

    /// A payment, and how it was settled.
    pub fn payment(id: &str) -> Key {
        Key(format!("payment:{id}"))
    }

    /// Payments that settled a bill, by its case or by the id it was brought in under.
    pub fn paid(bill: &str) -> Key {
        Key(format!("paid:{bill}"))
    }

    /// The step of seven days that a day lies in.
    pub fn step_of(day: Date) -> i64 {
        days(day).div_euclid(STEP_DAYS)
    }
}

/// Days since 1970-01-01.
pub(crate) fn days(day: Date) -> i64 {
    i64::from((day - Date::constant(1970, 1, 1)).get_days())
}

fn space(credit: bool) -> &'static str {
    if credit { "credit" } else { "invoice" }
}

pub(crate) fn upper(text: &str) -> String {
    text.trim().to_uppercase()
}

/// A number as duplicates are compared by (D3): compatibility forms folded (NFKC), upper case, letters and digits alone,
/// letters that are mistaken for digits as those digits, no leading zeros in any run of digits.
pub fn normal_number(number: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let digits = number.nfkc().flat_map(char::to_uppercase).filter(|ch| ch.is_alphanumeric()).map(|ch| match ch {
        'O' => '0',
        'I' | 'L' => '1',
        'S' => '5',
        'B' => '8',
        other => other,
    });
    let mut normal = String::new();
    let mut zeros = 0;
    for ch in digits {
        let in_run = normal.ends_with(|last: char| last.is_ascii_digit());
        match ch {
            '0' if !in_run => zeros += 1,
            digit if digit.is_ascii_digit() => {
                zeros = 0;
                normal.push(digit);
            }
            letter => {
                if 0 < std::mem::take(&mut zeros) {
                    normal.push('0');
                }
                normal.push(letter);
            }
        }
    }
    if 0 < zeros {
        normal.push('0');
    }
    normal
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
    /// Who confirmed it: another person. None for the account that came with a new vendor.
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

/// What a document bills or credits, as it is remembered: by a case that was judged, or brought in from other systems.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bill {
    pub credit: bool,
    /// When its case was judged first; none: it was imported, and was there before every case.
    pub since: Option<Timestamp>,
    /// Policy or people let its case through.
    pub approved: bool,
    pub vendor_id: Option<String>,
    /// The seller by the surest id that is known of it: what duplicates are compared within.
    pub cluster: String,
    pub number: Option<String>,
    pub date: Option<Date>,
    /// The last day of what was delivered.
    pub served_to: Option<Date>,
    pub served_from: Option<Date>,
    pub currency: Option<String>,
    pub net: Option<Decimal>,
    pub gross: Option<Decimal>,
    pub iban: Option<String>,
    pub cost_centre: Option<String>,
    /// The invoice that a credit note names.
    pub preceding: Option<String>,
    pub fingerprint: Option<String>,
    pub claims: Vec<Claim>,
    /// Money above the orders that tolerances let pass.
    pub above: Decimal,
    pub paid_on: Option<Date>,
}

/// What a bill takes of an order line or of a contract; negative where it credits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Claim {
    /// An order's id, or a contract's.
    pub order_id: String,
    /// Empty for what is claimed of the order as a whole.
    pub line: String,
    pub item: Option<String>,
    /// In the order line's unit.
    pub quantity: Decimal,
    /// Net.
    pub amount: Decimal,
    /// Delivery costs: no goods.
    pub freight: bool,
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
            Fact::Unit(it) => vec![Key::unit(&it.from_unit), Key::unit(&it.to_unit)],
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

    /// Is it so on this day?
    pub fn valid_on(&self, on: Date) -> bool {
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

impl OrderLine {
    /// A blanket order without a price leaves it open; any other order line at 0.00 is a gift.
    pub(crate) fn open_price(&self) -> bool {
        self.blanket && self.unit_price.is_zero()
    }
}

impl Account {
    /// Does it wait for a second person?
    pub fn waits(&self) -> bool {
        self.approved_from.is_none() && self.approved_to.is_none()
    }

    /// What stands here, for whoever decides about what they looked at.
    pub fn content(&self) -> Digest {
        Digest::of_value(&serde_json::json!(self))
    }

    pub fn approved_on(&self, day: Date) -> bool {
        self.approved_from.is_some_and(|from| from <= day) && self.approved_to.is_none_or(|to| day <= to)
    }
}

impl Bill {
    /// What makes two imported bills the same one.
    pub(crate) fn id(&self) -> String {
        let (vendor, number) = (maybe(self.vendor_id.as_deref()), maybe(self.number.as_deref()));
        serde_json::json!([space(self.credit), vendor, number, day(self.date)]).to_string()
    }

    /// What duplicates are looked for within: the seller's surest id, and its record here, which stays the same when an id is
    /// written in another way or is not on the document at all.
    pub(crate) fn clusters(&self) -> Vec<String> {
        let record = self.vendor_id.as_deref().map(|id| format!("vendor:{}", upper(id)));
        let mut clusters: Vec<String> =
            [Some(self.cluster.clone()), record].into_iter().flatten().filter(|it| !it.is_empty()).collect();
        clusters.dedup();
        clusters
    }

    fn keys(&self) -> Vec<Key> {
        let mut keys: Vec<Key> = self.claims.iter().map(|claim| Key::order(&claim.order_id)).collect();
        let number = self.number.as_deref();
        let clusters = self.clusters();
        if let Some(number) = number.filter(|_| !clusters.is_empty()) {
            keys.extend(clusters.iter().map(|cluster| Key::number(cluster, self.credit, number)));
            keys.push(Key::any_number(number));
        }
        if let (Some(number), Some(iban)) = (number, &self.iban) {
            keys.push(Key::payee(iban, self.credit, number));
        }
        if let Some(preceding) = self.preceding.as_deref().filter(|_| self.credit) {
            keys.extend(clusters.iter().map(|cluster| Key::credits_of(cluster, preceding)));
        }
        if let (Some(currency), Some(gross), Some(date)) = (&self.currency, self.gross, self.date) {
            let step = Key::step_of(date);
            keys.extend(clusters.iter().map(|cluster| Key::gross(cluster, self.credit, currency, gross, step)));
        }
        if let (Some(currency), Some(gross), None) = (&self.currency, self.gross, self.paid_on) {
            keys.push(Key::open(currency, gross));
        }
        keys.extend(self.fingerprint.as_deref().map(Key::lines));
        if let (Some(vendor), Some(date)) = (&self.vendor_id, self.date) {
            keys.push(Key::month(vendor, date.year(), date.month()));
            if Decimal::ZERO < self.above {
                keys.push(Key::budget(vendor, date.year()));
            }
            keys.extend(self.cost_centre.as_deref().map(|centre| Key::split(vendor, centre, Key::step_of(date))));
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// INVARIANT (nothing is owed back before somebody said so): a credit note that nobody let through yet makes no room.
    pub(crate) fn waits(&self) -> bool {
        self.credit && self.since.is_some() && !self.approved
    }

    /// Only what was taken of orders: numbers and quantities, of no person. Without them an order could be billed again.
    pub fn claims_alone(&self) -> Bill {
        let Bill { credit, since, approved, claims, .. } = self;
        Bill { credit: *credit, since: *since, approved: *approved, claims: claims.clone(), ..Bill::default() }
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

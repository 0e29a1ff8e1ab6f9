//! Is this bill here already? One twin gives one finding, of the strongest key that it shares with the document. A twin that
//! was cancelled by credit notes gives none; that it was sent in again is its own.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{Matching, money};
use crate::comparison::{Comparison, Pair, Place, Test};
use crate::facts::{
    Bill, Key, Known, RHYTHMS, Seller, TWINS_MAX, days, normal_number, seller, series_keys, twin_keys, upper,
};
use crate::{CaseId, Code, FieldName};

/// The twins that were cancelled, as [`twin_id`] names them.
pub(super) fn judge(matching: &mut Matching<'_>) -> BTreeSet<String> {
    let own = matching.bill.clone();
    let twins = found(&own, matching);
    let mut credits = Credits::default();
    let mut cancelled = BTreeSet::new();
    for twin in twins.values().take(TWINS_MAX) {
        let Some(comparison) = strongest(matching, &own, twin) else { continue };
        let code = comparison.basis.code;
        let cancelling = || credits.cancelling(matching.known, twin, &comparison);
        if let Some(passed) = (!own.credit && code != Code::NumberReused).then(cancelling).flatten() {
            matching.verdict.passed.push(passed);
            cancelled.insert(twin_id(twin.case, twin.bill));
            continue;
        }
        let about_amount = matches!(code, Code::DuplicateD4 | Code::DuplicateD6);
        let at = [matching.field(if about_amount { FieldName::GrossTotal } else { FieldName::Number })];
        let said = sentence(&comparison);
        matching.compare_at(comparison, &at, || said);
    }
    resubmitted(matching, &cancelled);
    if TWINS_MAX < twins.len() {
        let test = Test::AtMost { sum: vec!["twins".into()], of: "looked_at".into(), times: None, below: None };
        let comparison = Comparison::new(Code::TooMany, "duplicate.too_many", test)
            .with("twins", twins.len())
            .with("looked_at", TWINS_MAX);
        matching.compare(comparison, || {
            format!("{} bills may be this one a second time, {TWINS_MAX} were looked at", twins.len())
        });
    }
    cancelled
}

/// A bill that is known, and may be this one.
struct Twin<'a> {
    case: Option<CaseId>,
    bill: &'a Bill,
    /// The same legal person, or the same record of it.
    same_seller: bool,
}

/// What tells bills apart and orders them: those with the same number before the others, and of these the latest first.
type Order<'a> = (bool, Reverse<Option<Date>>, Option<CaseId>, [Option<&'a str>; 5], [Option<Decimal>; 2]);

/// How a bill is named: by its case, or what the other system says of it.
pub(super) fn twin_id(case: Option<CaseId>, bill: &Bill) -> String {
    let date = bill.date.map(|it| it.to_string());
    let parts = [bill.vendor_id.as_deref(), bill.number.as_deref(), date.as_deref()];
    let named = || parts.map(|part| part.unwrap_or("unknown")).join(", ");
    case.map_or_else(named, |case| case.to_string())
}

fn found<'a>(own: &Bill, matching: &Matching<'a>) -> BTreeMap<Order<'a>, Twin<'a>> {
    let known = matching.known;
    let keys = twin_keys(own, matching.policy.duplicates.days);
    let bills = keys.iter().flat_map(|key| known.bills(key));
    let twins = bills.map(|(case, bill)| {
        let texts =
            [&bill.vendor_id, &bill.number, &bill.currency, &bill.fingerprint, &bill.iban].map(Option::as_deref);
        let same_cluster = !own.cluster.is_empty() && own.cluster == bill.cluster;
        let same_seller = same_cluster || same_vendor(own, bill);
        let other_number = !same_number(own, bill);
        let order = (other_number, Reverse(bill.date), case, texts, [bill.gross, bill.net]);
        (order, Twin { case, bill, same_seller })
    });
    twins.collect()
}

fn same_vendor(own: &Bill, twin: &Bill) -> bool {
    own.vendor_id.as_deref().zip(twin.vendor_id.as_deref()).is_some_and(|(own, twin)| super::same_id(own, twin))
}

fn same_number(own: &Bill, twin: &Bill) -> bool {
    let folded = |bill: &Bill| bill.number.as_deref().map(normal_number).filter(|number| !number.is_empty());
    folded(own).is_some() && folded(own) == folded(twin)
}

/// The first of the comparisons that does not pass; those before it are remembered.
fn strongest(matching: &mut Matching<'_>, own: &Bill, twin: &Twin<'_>) -> Option<Comparison> {
    for comparison in comparisons(matching, own, twin) {
        let weaker = matches!(comparison.basis.code, Code::DuplicateD4 | Code::DuplicateD6);
        let part = own.preceding.as_deref().filter(|_| weaker && own.credit && twin.same_seller);
        let comparison = match part {
            Some(preceding) if comparison.code().is_some() => together(comparison, own, preceding, matching.known),
            _ => comparison,
        };
        if comparison.code().is_some() {
            return Some(comparison);
        }
        matching.verdict.passed.push(comparison);
    }
    None
}

/// The keys that apply to this twin, the strongest first.
fn comparisons(matching: &Matching<'_>, own: &Bill, twin: &Twin<'_>) -> Vec<Comparison> {
    let figures = Figures { matching, own, twin };
    let same_number = same_number(own, twin.bill);
    let cent = Decimal::new(1, 2);
    let is = |name: &'static str| (name, Decimal::ZERO, true);
    let unless_other = |name: &'static str| (name, Decimal::ZERO, false);
    if same_number && twin.same_seller {
        let number = [is("seller"), is("number_folded")];
        let same = [is("seller"), is("number"), is("gross"), is("currency"), is("date"), unless_other("vendor")];
        let mut keys = vec![figures.compared(Code::DuplicateD2, "duplicate.d2", &same)];
        if !same_vendor(own, twin.bill) && figures.both("vendor").is_some() {
            let record = [is("seller"), is("number_folded"), unless_other("gross"), unless_other("currency")];
            keys.push(figures.compared(Code::DuplicateD5, "duplicate.d5_vendor", &record));
        }
        // Another year, and another amount, and another order: only all three make it another invoice.
        for (name, rule) in
            [("year", "duplicate.d3_year"), ("gross", "duplicate.d3_gross"), ("order", "duplicate.d3_order")]
        {
            let pairs = [number.as_slice(), &[unless_other(name)]].concat();
            keys.push(figures.compared(Code::DuplicateD3, rule, &pairs));
        }
        keys.push(figures.compared(Code::NumberReused, "duplicate.number_reused", &number));
        return keys;
    }
    let mut keys = Vec::new();
    if same_number {
        let account = [is("account"), is("number_folded"), unless_other("gross"), unless_other("currency")];
        keys.push(figures.compared(Code::DuplicateD5, "duplicate.d5_account", &account));
    }
    if twin.same_seller {
        let within = Decimal::from(matching.policy.duplicates.days);
        let mut about = vec![is("seller"), ("gross", cent, true), is("currency"), ("date", within, true)];
        about.extend([unless_other("period"), unless_other("bills_before")]);
        let days = Some(Place::Policy("tolerances.toml, duplicates.days".into()));
        keys.push(figures.compared(Code::DuplicateD4, "duplicate.d4", &about).from("days", within, days));
    }
    if own.fingerprint.is_some() && own.fingerprint == twin.bill.fingerprint {
        keys.push(figures.compared(Code::DuplicateD6, "duplicate.d6", &[is("lines"), unless_other("period")]));
    }
    keys
}

/// A figure of the document and of its twin by name, how far apart is close, and whether one that is missing is another one.
type Compared = (&'static str, Decimal, bool);

struct Figures<'a, 'b> {
    matching: &'b Matching<'a>,
    own: &'b Bill,
    twin: &'b Twin<'a>,
}

impl Figures<'_, '_> {
    /// INVARIANT (fail closed): what only excuses a twin, such as another year, is compared only where both are known.
    fn compared(&self, code: Code, rule: &str, names: &[Compared]) -> Comparison {
        let compared = names.iter().filter(|(name, _, required)| *required || self.both(name).is_some());
        let compared: Vec<&Compared> = compared.collect();
        let pair =
            |(name, within, _): &&Compared| Pair { left: (*name).to_owned(), right: of_twin(name), within: *within };
        let comparison = Comparison::new(code, rule, Test::Apart { pairs: compared.iter().map(pair).collect() })
            .with("twin", twin_id(self.twin.case, self.twin.bill));
        let fact = Some(Place::Fact(format!("bill {}", twin_id(self.twin.case, self.twin.bill))));
        let shown = ["number", "gross", "currency", "date"].into_iter();
        let names: BTreeSet<&str> = compared.iter().map(|(name, _, _)| *name).chain(shown).collect();
        names.into_iter().fold(comparison, |comparison, name| {
            let (own, twin) = self.figure(name);
            let comparison = match own {
                Some(own) => comparison.from(name, own, place(name).and_then(|name| self.matching.place(name))),
                None => comparison,
            };
            match twin {
                Some(twin) => comparison.from(&of_twin(name), twin, fact.clone()),
                None => comparison,
            }
        })
    }

    fn both(&self, name: &str) -> Option<(String, String)> {
        let (own, twin) = self.figure(name);
        own.zip(twin)
    }

    fn figure(&self, name: &str) -> (Option<String>, Option<String>) {
        let (own, twin) = (self.own, self.twin.bill);
        let of_each = |figure: &dyn Fn(&Bill) -> Option<String>| (figure(own), figure(twin));
        match name {
            "seller" if same_vendor(own, twin) => of_each(&|it| it.vendor_id.as_deref().map(upper)),
            "seller" => of_each(&|it| Some(it.cluster.clone()).filter(|it| !it.is_empty())),
            "number" => of_each(&|it| it.number.as_deref().map(|it| it.trim().to_owned())),
            "number_folded" => of_each(&|it| it.number.as_deref().map(normal_number)),
            "gross" => of_each(&|it| it.gross.map(|it| it.normalize().to_string())),
            "currency" => of_each(&|it| it.currency.clone()),
            "date" => of_each(&|it| it.date.map(|it| it.to_string())),
            "year" => of_each(&|it| it.date.map(|it| it.year().to_string())),
            "account" => of_each(&|it| it.iban.as_deref().map(crate::invoice::compact)),
            "lines" => of_each(&|it| it.fingerprint.clone()),
            "period" => of_each(&|it| it.served_from.zip(it.served_to).map(|(from, to)| format!("{from}/{to}"))),
            "vendor" => (self.record(), twin.vendor_id.as_deref().map(upper)),
            "order" => self.orders(),
            "bills_before" => self.series().map(|n| (n.to_string(), "1".to_owned())).unzip(),
            _ => (None, None),
        }
    }

    /// The record of the vendor that billed; all that it may be, where they share the id that it was found by.
    fn record(&self) -> Option<String> {
        let own = self.own.vendor_id.as_deref().map(upper);
        own.or_else(|| match seller(self.matching.invoice, self.matching.known) {
            Seller::Several(ids) => Some(ids.iter().map(|id| upper(id)).collect::<Vec<_>>().join(" or ")),
            Seller::Unknown | Seller::Vendor(_) => None,
        })
    }

    /// An order that both bill, or else one of each; it is the same order only where they share one.
    fn orders(&self) -> (Option<String>, Option<String>) {
        let own: BTreeSet<String> = self.matching.invoice.orders().into_iter().map(upper).collect();
        let twin: BTreeSet<String> = self.twin.bill.claims.iter().map(|claim| upper(&claim.order_id)).collect();
        let shared = own.intersection(&twin).next();
        (shared.or(own.first()).cloned(), shared.or(twin.first()).cloned())
    }

    /// How many bills of a series stand before the later of the two: one is the earlier of them, and the second is one of the
    /// same amount as long before that. Two bills alone may be one bill twice; three at an even distance are a series.
    /// `None` where they are not a week, two weeks or a month apart.
    fn series(&self) -> Option<usize> {
        let (own, twin) = (self.own, self.twin.bill);
        let (one, other) = (days(own.date?), days(twin.date?));
        let rhythm = |between: i64| RHYTHMS.into_iter().find(|(from, to)| (*from..=*to).contains(&between));
        let found = rhythm((one - other).abs())?;
        let goes_before = |bill: &Bill| {
            bill.gross == own.gross && bill.date.is_some_and(|it| rhythm(one.min(other) - days(it)) == Some(found))
        };
        let keys = series_keys(own, self.matching.policy.duplicates.days);
        let before = keys.iter().flat_map(|key| self.matching.known.bills(key)).any(|(_, bill)| goes_before(bill));
        Some(1 + usize::from(before))
    }
}

fn of_twin(name: &str) -> String {
    match name {
        "bills_before" => "bills_without_series".to_owned(),
        name => format!("twin_{name}"),
    }
}

fn place(name: &str) -> Option<FieldName> {
    match name {
        "number" | "number_folded" => Some(FieldName::Number),
        "gross" => Some(FieldName::GrossTotal),
        "currency" => Some(FieldName::Currency),
        "date" | "year" => Some(FieldName::IssueDate),
        "account" => Some(FieldName::Iban),
        _ => None,
    }
}

fn sentence(comparison: &Comparison) -> String {
    let of = |name: &str| comparison.operands.get(name).map_or("unknown", String::as_str);
    let twin = match comparison.operands.get("twin") {
        Some(twin) if twin.contains(',') => format!("a bill that was brought in ({twin})"),
        _ => format!("case {}", of("twin")),
    };
    let amount = |name: &str| of(name).parse().map_or_else(|_| of(name).to_owned(), |it| money(it).to_string());
    let (number, gross, currency, date) = (of("number"), amount("gross"), of("currency"), of("date"));
    let (its_number, its_gross, its_date) = (of("twin_number"), amount("twin_gross"), of("twin_date"));
    if comparison.operands.contains_key("credited_now") {
        let (before, now, billed) = (of("credited_before"), of("credited_now"), of("billed"));
        return format!(
            "as much was credited on {its_date} under number `{its_number}`, {twin}; {before} credited and {now} now are more than the {billed} billed"
        );
    }
    match comparison.basis.code {
        Code::DuplicateD2 => format!("number `{number}` of {date} over {gross} {currency} is here already: {twin}"),
        Code::DuplicateD4 => {
            let its = if its_gross == gross { String::new() } else { format!("{its_gross} ") };
            let already = if its.is_empty() { "already " } else { "as " };
            format!("{gross} {currency} was billed {already}{its}on {its_date} under number `{its_number}`: {twin}")
        }
        Code::DuplicateD5 => {
            format!(
                "number `{number}` over {gross} {currency} came from another record of the vendor on {its_date}: {twin}"
            )
        }
        Code::DuplicateD6 => {
            format!("the same lines over {gross} {currency} of {date} are here under number `{its_number}`: {twin}")
        }
        Code::NumberReused => {
            format!("number `{number}` was used before, on {its_date} over {its_gross}: {twin}")
        }
        _ => format!("number `{number}` was billed before as `{its_number}` of {its_date} over {its_gross}: {twin}"),
    }
}

/// Several credit notes of one invoice may be alike, as long as they do not credit more than it bills.
fn together(comparison: Comparison, own: &Bill, preceding: &str, known: &Known) -> Comparison {
    let of_currency = |bill: &&Bill| bill.currency == own.currency;
    let total = |key: &Key| {
        let amounts = known.bills(key).map(|(_, bill)| bill).filter(of_currency).map(|bill| bill.gross);
        amounts.reduce(|total, gross| total?.checked_add(gross?)).flatten()
    };
    let billed = total(&Key::number(&own.cluster, false, preceding));
    let credits = Key::credits_of(&own.cluster, preceding);
    let before = if known.bills(&credits).next().is_some() { total(&credits) } else { Some(Decimal::ZERO) };
    let Comparison { operands, basis, .. } = comparison;
    let sum = vec!["credited_before".into(), "credited_now".into()];
    let test = Test::AtMost { sum, of: "billed".into(), times: None, below: None };
    let mut together = Comparison::new(basis.code, "duplicate.credits", test);
    together.operands = operands;
    together.basis.places = basis.places;
    let figures = [("billed", billed), ("credited_before", before), ("credited_now", own.gross)];
    let figures = figures.into_iter().filter_map(|(name, figure)| Some((name, figure?)));
    figures.fold(together.with("preceding", preceding), |it, (name, figure)| it.with(name, figure.normalize()))
}

/// What credit notes credited, less what of it has cancelled a twin by now. Twins are asked for the latest first, and only a
/// later credit note cancels, so that each finds its own.
#[derive(Default)]
struct Credits {
    used: BTreeMap<(Key, String), Decimal>,
}

impl Credits {
    /// The comparison that says that the twin was cancelled; none where nothing or not all of it was credited.
    fn cancelling(&mut self, known: &Known, twin: &Twin<'_>, found: &Comparison) -> Option<Comparison> {
        let bill = twin.bill;
        let (number, currency, date) = (bill.number.as_deref()?, bill.currency.as_ref()?, bill.date?);
        let gross = bill.gross.filter(|gross| Decimal::ZERO < *gross)?;
        let key = Key::credits_of(&bill.cluster, number);
        let credits = known.bills(&key).map(|(_, it)| it).filter(|it| {
            it.credit && !it.waits() && it.currency.as_ref() == Some(currency) && it.date.is_some_and(|on| date <= on)
        });
        let credited = credits.filter_map(|it| it.gross).try_fold(Decimal::ZERO, |sum, it| sum.checked_add(it))?;
        let used = self.used.entry((key, currency.clone())).or_default();
        let credited = credited.checked_sub(*used)?;
        let test = Test::AtMost { sum: vec!["twin_gross".into()], of: "credited".into(), times: None, below: None };
        let mut comparison = Comparison::new(found.basis.code, "duplicate.cancelled", test);
        comparison.operands = found.operands.clone();
        comparison.basis.places = found.basis.places.clone();
        let comparison = comparison.with("credited", credited.normalize());
        comparison.code().is_none().then(|| {
            *used += gross;
            comparison
        })
    }
}

/// Once it may be sent in again after it was cancelled, with a second look; more often it is held.
fn resubmitted(matching: &mut Matching<'_>, cancelled: &BTreeSet<String>) {
    if cancelled.is_empty() {
        return;
    }
    let twins = cancelled.iter().map(String::as_str).collect::<Vec<_>>().join("; ");
    let at = [matching.field(FieldName::Number)];
    for (code, rule, below) in
        [(Code::ResubmittedAgain, "duplicate.resubmitted_again", 2), (Code::Resubmitted, "duplicate.resubmitted", 1)]
    {
        let test = Test::Less { value: "cancelled".into(), than: "too_often".into() };
        let comparison = Comparison::new(code, rule, test)
            .with("cancelled", cancelled.len())
            .with("too_often", below)
            .with("twin", &twins);
        let fails = comparison.code().is_some();
        matching.compare_at(comparison, &at, || {
            format!("sent in again; earlier bills of it that were cancelled: {} ({twins})", cancelled.len())
        });
        if fails {
            return;
        }
    }
}

#[cfg(test)]
mod tests;

//! What was looked up, and who the seller is by it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::bills::Booked;
use super::{Account, Bill, Claim, ContractRate, Conversion, Employee, Fact, Key, OrderLine, Receipt, Vendor, upper};
use crate::{Case, CaseId, Invoice, Settlement, Timestamp};

/// What is found leads to what is asked next; nothing needs more rounds.
pub const ROUNDS_MAX: usize = 6;

/// A call-off, its blanket order, the one above that, and a contract: nobody nests them deeper, and nothing is followed further.
pub(crate) const BEHIND_MAX: usize = 3;

/// What stands behind an order line that names a contract or a blanket order.
#[derive(Debug, Default)]
pub(crate) struct Behind<'a> {
    /// What is named, the nearest first: blanket orders, and at the end a contract, or what is not known.
    pub(crate) ids: Vec<&'a str>,
    /// What the last of them names and is not followed: more than one thing, or one too many.
    pub(crate) left: Vec<&'a str>,
}

/// A fact, and whose word it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stated {
    pub fact: Fact,
    /// The case whose verdict says it; none: it was imported.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub case: Option<CaseId>,
    /// Who brought it in, by pseudonym.
    pub by: String,
    pub known_from: Timestamp,
}

impl Stated {
    fn people(&self) -> Vec<&str> {
        let vouch = match &self.fact {
            Fact::Account(it) => [Some(it.maker.as_str()), it.checker.as_deref()],
            _ => [None, None],
        };
        vouch.into_iter().flatten().chain([self.by.as_str()]).collect()
    }
}

/// What was found under a key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LookedUp {
    pub facts: Vec<Stated>,
    /// There is more than is looked at, and this is a part of it.
    pub cut: bool,
}

/// Everything that was looked up, by its key; a key under which nothing was found is there and empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    found: BTreeMap<Key, LookedUp>,
    by_line: BTreeMap<Key, ByLine>,
    /// Under any key.
    booked: Booked,
    /// Since when the case that is judged has its place: when it was judged first. None before that.
    pub place: Option<Timestamp>,
    /// When it was judged first, also where it has no place, or another one since it was corrected.
    pub judged_first: Option<Timestamp>,
}

/// Where the receipts and claims of an order's line stand among what was found under a key: they are asked for line by line, and
/// may be many.
#[derive(Clone, Debug, Default, PartialEq)]
struct ByLine {
    n_ordered: usize,
    /// By the order and the line.
    lines: BTreeMap<(String, String), OfLine>,
}

/// Positions among what was found under a key.
#[derive(Clone, Debug, Default, PartialEq)]
struct OfLine {
    receipts: Vec<usize>,
    /// Of a bill, and of a claim in it.
    claims: Vec<(usize, usize)>,
}

impl ByLine {
    /// What a case booked and what was brought in again is there once: as the case's, so that what came later takes no place by
    /// its copy either. Only a case that is found under the same key stands for its copy: what the ledger alone says of an order
    /// counts.
    fn of(facts: &[Stated], booked: &Booked) -> ByLine {
        let mut by_line = ByLine::default();
        for (idx, stated) in facts.iter().enumerate() {
            match &stated.fact {
                Fact::OrderLine(_) => by_line.n_ordered += 1,
                Fact::Receipt(it) => by_line.at(&it.order_id, &it.line).receipts.push(idx),
                Fact::Bill(bill) if !booked.again(stated.case, bill) => {
                    for (nth, claim) in bill.claims.iter().enumerate() {
                        by_line.at(&claim.order_id, &claim.line).claims.push((idx, nth));
                    }
                }
                _ => {}
            }
        }
        by_line
    }

    fn at(&mut self, order: &str, line: &str) -> &mut OfLine {
        self.lines.entry((upper(order), upper(line))).or_default()
    }
}

impl Known {
    /// Nothing yet, for a case that has had its place since then.
    pub fn since(place: Option<Timestamp>) -> Known {
        Known { place, judged_first: place, ..Known::default() }
    }

    /// Nothing yet, for this case.
    pub fn for_case(case: &Case) -> Known {
        Known { judged_first: case.judged_first.or(case.place), ..Known::since(case.place) }
    }

    pub fn put(&mut self, key: Key, found: LookedUp) {
        let booked = Booked::of(&found.facts);
        self.by_line.insert(key.clone(), ByLine::of(&found.facts, &booked));
        self.booked.join(booked);
        self.found.insert(key, found);
    }

    /// Without some of it.
    #[must_use]
    pub(crate) fn without(&self, left_out: impl Fn(&Stated) -> bool) -> Known {
        let mut known = Known::since(self.place);
        for (key, found) in &self.found {
            let facts = found.facts.iter().filter(|it| !left_out(it)).cloned().collect();
            known.put(key.clone(), LookedUp { facts, cut: found.cut });
        }
        known
    }

    /// What is looked up of facts that are all at hand, as a store looks them up: what `wanted` asks for, again and again until
    /// it asks for nothing new.
    ///
    /// # Panics
    /// Where that takes more than [`ROUNDS_MAX`] rounds: `wanted` asks for what nothing leads to.
    #[must_use]
    pub fn look_up(mut self, facts: &[Stated], wanted: impl Fn(&Known) -> BTreeSet<Key>) -> Known {
        let by_key = |key: &Key| facts.iter().filter(|it| it.fact.keys().contains(key)).cloned().collect();
        let mut rounds = 0;
        loop {
            let missing = self.missing(wanted(&self));
            if missing.is_empty() {
                return self;
            }
            rounds += 1;
            assert!(rounds < ROUNDS_MAX, "what it is compared with was not found in {ROUNDS_MAX} rounds");
            for key in missing {
                let found = LookedUp { facts: by_key(&key), cut: false };
                self.put(key, found);
            }
        }
    }

    /// Those of the keys that were not asked for yet.
    pub fn missing(&self, wanted: BTreeSet<Key>) -> Vec<Key> {
        wanted.into_iter().filter(|key| !self.asked(key)).collect()
    }

    pub fn asked(&self, key: &Key) -> bool {
        self.found.contains_key(key)
    }

    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.found.keys()
    }

    pub fn stated(&self, key: &Key) -> &[Stated] {
        self.found.get(key).map_or(&[], |found| &found.facts)
    }

    /// Keys under which there is more than was looked at.
    pub fn cut(&self) -> impl Iterator<Item = &Key> {
        self.found.iter().filter(|(_, found)| found.cut).map(|(key, _)| key)
    }

    /// Everybody who brought in an order, receipt, vendor or contract that was found, or an account that it `pays`; of an
    /// account both people who vouch for it. What was found by an amount or a date alone may have nothing to do with it, and
    /// is not counted; neither is what was found under the keys `aside`.
    pub fn informants(&self, aside: &[Key], pays: impl Fn(&Account) -> bool) -> BTreeSet<&str> {
        let informs = |fact: &Fact| match fact {
            Fact::Account(account) => pays(account),
            Fact::Bill(_) | Fact::Employee(_) | Fact::Settlement(_) => false,
            _ => true,
        };
        let imported = |stated: &&Stated| stated.case.is_none() && informs(&stated.fact);
        let all = self.found.iter().filter(|(key, _)| !key.text().starts_with("orders-of:") && !aside.contains(key));
        all.flat_map(|(_, found)| &found.facts).filter(imported).flat_map(Stated::people).collect()
    }

    pub fn order_lines(&self, order: &str) -> impl Iterator<Item = &OrderLine> {
        self.stated(&Key::order(order)).iter().filter_map(|stated| match &stated.fact {
            Fact::OrderLine(it) => Some(it),
            _ => None,
        })
    }

    pub fn receipts(&self, order: &str) -> impl Iterator<Item = &Receipt> {
        self.stated(&Key::order(order)).iter().filter_map(|stated| match &stated.fact {
            Fact::Receipt(it) => Some(it),
            _ => None,
        })
    }

    /// Receipts for one line of an order.
    pub fn receipts_of(&self, order: &str, line: &str) -> impl Iterator<Item = &Receipt> {
        let key = Key::order(order);
        let facts = self.stated(&key);
        let of_line = self.by_line.get(&key).and_then(|it| it.lines.get(&(upper(order), upper(line))));
        let receipts = of_line.map_or(&[][..], |it| it.receipts.as_slice()).iter();
        receipts.filter_map(|idx| match &facts.get(*idx)?.fact {
            Fact::Receipt(it) => Some(it),
            _ => None,
        })
    }

    /// Has the order this one line?
    pub(crate) fn has_one_line(&self, order: &str) -> bool {
        self.by_line.get(&Key::order(order)).is_some_and(|it| it.n_ordered == 1)
    }

    /// What bills that go before the case that is judged take of an order, or of a contract, whose id is looked up as an order's;
    /// with the bill of each.
    pub(crate) fn claims(&self, order: &str) -> impl Iterator<Item = (&Bill, &Claim)> {
        let (key, id) = (Key::order(order), upper(order));
        let lines = self.by_line.get(&key).into_iter().flat_map(|it| &it.lines);
        self.claims_at(self.stated(&key), lines.filter(move |((of, _), _)| *of == id).map(|(_, at)| at))
    }

    /// What they take of one line; with an empty line, of the order as a whole, or of the contract.
    pub fn claims_of(&self, order: &str, line: &str) -> impl Iterator<Item = (&Bill, &Claim)> {
        let key = Key::order(order);
        let of_line = self.by_line.get(&key).and_then(|it| it.lines.get(&(upper(order), upper(line))));
        self.claims_at(self.stated(&key), of_line.into_iter())
    }

    fn claims_at<'a>(
        &'a self,
        facts: &'a [Stated],
        at: impl Iterator<Item = &'a OfLine>,
    ) -> impl Iterator<Item = (&'a Bill, &'a Claim)> {
        at.flat_map(|it| &it.claims).filter_map(|(idx, nth)| match &facts.get(*idx)?.fact {
            Fact::Bill(bill) if self.goes_before(bill) => Some((&**bill, bill.claims.get(*nth)?)),
            _ => None,
        })
    }

    /// What came later does not take a case's place from it, but for credit notes, which make room.
    fn goes_before(&self, bill: &Bill) -> bool {
        bill.credit || self.place.is_none_or(|place| bill.since.is_none_or(|it| it <= place))
    }

    /// Bills under a key that go before the case that is judged, with the case that each one is of; a bill that was imported is
    /// of none. What came later does not take a case's place from it, but for credit notes, which make room.
    pub fn bills(&self, key: &Key) -> impl Iterator<Item = (Option<CaseId>, &Bill)> {
        self.all_bills(key).filter(|(_, bill)| self.goes_before(bill))
    }

    /// Was this bill brought in, and is it one that a case booked?
    pub(crate) fn booked_here(&self, case: Option<CaseId>, bill: &Bill) -> bool {
        self.booked.again(case, bill)
    }

    /// The first place that a case can have that is judged by this: behind each bill that was judged before it, and not before
    /// anything else was brought in.
    pub fn first_place(&self) -> Option<Timestamp> {
        let facts = self.found.values().flat_map(|found| &found.facts);
        let places = facts.filter_map(|stated| match &stated.fact {
            Fact::Bill(bill) => bill.since.map(|since| Timestamp(since.0.saturating_add(1))),
            _ => Some(stated.known_from),
        });
        places.max()
    }

    /// All bills under a key, whenever they came.
    pub fn all_bills(&self, key: &Key) -> impl Iterator<Item = (Option<CaseId>, &Bill)> {
        self.stated(key).iter().filter_map(|stated| match &stated.fact {
            Fact::Bill(it) => Some((stated.case, &**it)),
            _ => None,
        })
    }

    pub fn accounts(&self, key: &Key) -> impl Iterator<Item = &Account> {
        self.stated(key).iter().filter_map(|stated| match &stated.fact {
            Fact::Account(it) => Some(it),
            _ => None,
        })
    }

    pub fn vendors(&self, key: &Key) -> impl Iterator<Item = &Vendor> {
        self.stated(key).iter().filter_map(|stated| match &stated.fact {
            Fact::Vendor(it) => Some(it),
            _ => None,
        })
    }

    pub fn employees(&self, key: &Key) -> impl Iterator<Item = &Employee> {
        self.stated(key).iter().filter_map(|stated| match &stated.fact {
            Fact::Employee(it) => Some(it),
            _ => None,
        })
    }

    pub fn settlements(&self, key: &Key) -> impl Iterator<Item = &Settlement> {
        self.stated(key).iter().filter_map(|stated| match &stated.fact {
            Fact::Settlement(it) => Some(&**it),
            _ => None,
        })
    }

    pub fn contract(&self, id: &str) -> impl Iterator<Item = &ContractRate> {
        self.stated(&Key::contract(id)).iter().filter_map(|stated| match &stated.fact {
            Fact::Contract(it) => Some(it),
            _ => None,
        })
    }

    /// What stands behind an order line that names this contract or blanket order. What was named before ends it: blanket orders
    /// in a circle are each looked at once.
    pub(crate) fn behind<'a>(&'a self, named: &'a str) -> Behind<'a> {
        let mut behind = Behind { ids: vec![named], left: Vec::new() };
        let mut last = named;
        while self.contract(last).next().is_none() {
            let mut lines: Vec<&OrderLine> = self.order_lines(last).collect();
            if !lines.iter().any(|line| line.blanket) {
                break;
            }
            lines.sort_by(|left, right| left.line.cmp(&right.line));
            let mut names: BTreeMap<String, &str> = BTreeMap::new();
            for id in lines.into_iter().filter_map(|line| line.contract_id.as_deref()) {
                names.entry(upper(id)).or_insert(id);
            }
            names.retain(|key, _| behind.ids.iter().all(|id| upper(id) != *key));
            let names: Vec<&str> = names.into_values().collect();
            match names.as_slice() {
                [next] if behind.ids.len() < BEHIND_MAX => {
                    behind.ids.push(next);
                    last = next;
                }
                _ => {
                    behind.left = names;
                    break;
                }
            }
        }
        behind
    }

    /// Conversions from or to the unit of an order line: those for every item, and its item's own.
    pub fn conversions(&self, line: &OrderLine) -> impl Iterator<Item = &Conversion> {
        Key::units_of(line).flat_map(|key| self.stated(&key)).filter_map(|stated| match &stated.fact {
            Fact::Unit(it) => Some(it),
            _ => None,
        })
    }
}

/// Who sent an invoice, by what is known.
#[derive(Clone, Debug, PartialEq)]
pub enum Seller<'a> {
    Vendor(&'a Vendor),
    Unknown,
    /// Records that the surest id fits alike, by their ids: ambiguity is never resolved by guessing.
    Several(Vec<&'a str>),
}

impl<'a> Seller<'a> {
    pub fn vendor(&self) -> Option<&'a Vendor> {
        match self {
            Seller::Vendor(vendor) => Some(vendor),
            Seller::Unknown | Seller::Several(_) => None,
        }
    }
}

/// The vendor that an invoice is from: by VAT id, else by tax id, else by name. Records that share the id are one legal
/// person; which of them it is, the order says, else the name, else the account.
pub fn seller<'a>(invoice: &Invoice, known: &'a Known) -> Seller<'a> {
    for key in super::vendor_keys_of(invoice) {
        let on = invoice.issue_date;
        let mut records: BTreeMap<&str, &Vendor> = BTreeMap::new();
        for vendor in known.vendors(&key) {
            let begun = |it: &Vendor| it.valid_from.is_none_or(|from| on.is_none_or(|on| from <= on));
            let newer = |before: &&Vendor| before.valid_from < vendor.valid_from;
            if begun(vendor) && records.get(vendor.vendor_id.as_str()).is_none_or(newer) {
                records.insert(&vendor.vendor_id, vendor);
            }
        }
        let all: Vec<&Vendor> = records.into_values().collect();
        match all.as_slice() {
            [] => {}
            [one] => return Seller::Vendor(one),
            several => return among(several, invoice, known),
        }
    }
    Seller::Unknown
}

fn among<'a>(records: &[&'a Vendor], invoice: &Invoice, known: &'a Known) -> Seller<'a> {
    let ordered: BTreeSet<&str> = invoice
        .orders()
        .into_iter()
        .flat_map(|order| known.order_lines(order).map(|line| line.vendor_id.as_str()))
        .collect();
    let by_order = |it: &Vendor| ordered.contains(it.vendor_id.as_str());
    let name = invoice.seller_name.as_deref().map(Key::name);
    let by_name = |it: &Vendor| name.is_some() && Some(Key::name(&it.name)) == name;
    let iban = invoice.iban.as_deref().map(Key::iban);
    let by_account = |it: &Vendor| iban.is_some() && it.iban.as_deref().map(Key::iban) == iban;
    let tests: [&dyn Fn(&Vendor) -> bool; 3] = [&by_order, &by_name, &by_account];
    let only = tests.iter().find_map(|fits| {
        let mut fitting = records.iter().filter(|it| fits(it));
        fitting.next().filter(|_| fitting.next().is_none())
    });
    match only {
        Some(vendor) => Seller::Vendor(vendor),
        None => Seller::Several(records.iter().map(|it| it.vendor_id.as_str()).collect()),
    }
}

/// The account that may be paid to: of the versions of one account that is approved on this day.
pub(crate) fn approved<'a>(known: &'a Known, vendor: &str, on: Date) -> Vec<&'a Account> {
    known.accounts(&Key::accounts_of(vendor)).filter(|account| account.approved_on(on)).collect()
}

//! The rules of the VAT categories: ten of one kind for each category, and some that are a category's own.
//!
//! What the standard asks differs by category in few points, which are the columns of [`FAMILIES`].

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::model::{Bg, Bt, Group, Model, Syntax, VAT, raw, text};
use super::totals::{cents, same, within};
use super::{Head, Hits, Weight};

/// What a category asks of the identifiers of the parties.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parties {
    /// The seller's or the representative's, of VAT or of the tax office.
    Seller,
    /// The seller's or the representative's, of VAT.
    SellerVat,
    /// As for `Seller`, and the buyer's VAT or legal identifier.
    Both,
    /// As for `SellerVat`, and the buyer's VAT identifier.
    BothVat,
    /// No VAT identifier at all.
    None,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rate {
    Positive,
    NotNegative,
    Zero,
    Absent,
}

struct Family {
    /// UNTDID 5305.
    code: &'static str,
    parties: Parties,
    /// As checked in UBL and in CII.
    rate: [Rate; 2],
    /// One group of the breakdown for each rate, and its tax is computed; else one group for all, without tax.
    taxed: bool,
    /// The published ids of rules 1 to 10, and what each says.
    rules: [(&'static str, &'static str); 10],
}

macro_rules! family {
    ($id:literal, $code:literal, $name:literal, $parties:ident, [$ubl:ident, $cii:ident], $taxed:literal, $who:literal, $rate:literal, $reason:literal) => {
        Family {
            code: $code,
            parties: Parties::$parties,
            rate: [Rate::$ubl, Rate::$cii],
            taxed: $taxed,
            rules: [
                (
                    concat!("BR-", $id, "-01"),
                    concat!(
                        "what is ",
                        $name,
                        " shall have its group in the VAT breakdown, and the group something to stand for"
                    ),
                ),
                (concat!("BR-", $id, "-02"), concat!("an invoice with a line that is ", $name, " shall have ", $who)),
                (
                    concat!("BR-", $id, "-03"),
                    concat!("an invoice with an allowance that is ", $name, " shall have ", $who),
                ),
                (concat!("BR-", $id, "-04"), concat!("an invoice with a charge that is ", $name, " shall have ", $who)),
                (concat!("BR-", $id, "-05"), concat!("a line that is ", $name, " shall have ", $rate)),
                (concat!("BR-", $id, "-06"), concat!("an allowance that is ", $name, " shall have ", $rate)),
                (concat!("BR-", $id, "-07"), concat!("a charge that is ", $name, " shall have ", $rate)),
                (
                    concat!("BR-", $id, "-08"),
                    concat!("the base of what is ", $name, " shall be its lines less its allowances plus its charges"),
                ),
                (
                    concat!("BR-", $id, "-09"),
                    if $taxed {
                        concat!("the tax of what is ", $name, " shall be its base times its rate")
                    } else {
                        concat!("the tax of what is ", $name, " shall be 0")
                    },
                ),
                (concat!("BR-", $id, "-10"), concat!("the VAT group of what is ", $name, " shall have ", $reason)),
            ],
        }
    };
}

const FAMILIES: [Family; 9] = [
    family!(
        "S",
        "S",
        "standard rated",
        Seller,
        [Positive, Positive],
        true,
        "a VAT or tax identifier of the seller, or the VAT identifier of the representative",
        "a rate above 0",
        "no reason for an exemption"
    ),
    family!(
        "AF",
        "L",
        "under the tax of the Canary Islands",
        Seller,
        [NotNegative, Positive],
        true,
        "a VAT or tax identifier of the seller, or the VAT identifier of the representative",
        "a rate of 0 or above",
        "no reason for an exemption"
    ),
    family!(
        "AG",
        "M",
        "under the tax of Ceuta and Melilla",
        Seller,
        [NotNegative, NotNegative],
        true,
        "a VAT or tax identifier of the seller, or the VAT identifier of the representative",
        "a rate of 0 or above",
        "no reason for an exemption"
    ),
    family!(
        "Z",
        "Z",
        "zero rated",
        Seller,
        [Zero, Zero],
        false,
        "a VAT or tax identifier of the seller, or the VAT identifier of the representative",
        "a rate of 0",
        "no reason for an exemption"
    ),
    family!(
        "E",
        "E",
        "exempt from VAT",
        Seller,
        [Zero, Zero],
        false,
        "a VAT or tax identifier of the seller, or the VAT identifier of the representative",
        "a rate of 0",
        "a reason for the exemption, or its code"
    ),
    family!(
        "AE",
        "AE",
        "under reverse charge",
        Both,
        [Zero, Zero],
        false,
        "a VAT or tax identifier of the seller, or the VAT identifier of the representative, and a VAT or legal identifier of the buyer",
        "a rate of 0",
        "a reason, or its code: reverse charge"
    ),
    family!(
        "IC",
        "K",
        "an intra-community supply",
        BothVat,
        [Zero, Zero],
        false,
        "the VAT identifiers of the buyer and of the seller, or of the representative",
        "a rate of 0",
        "a reason, or its code: intra-community supply"
    ),
    family!(
        "G",
        "G",
        "an export outside the EU",
        SellerVat,
        [Zero, Zero],
        false,
        "the VAT identifier of the seller or of the representative",
        "a rate of 0",
        "a reason, or its code: export outside the EU"
    ),
    family!(
        "O",
        "O",
        "not subject to VAT",
        None,
        [Absent, Absent],
        false,
        "no VAT identifier of seller, representative or buyer",
        "no rate",
        "a reason, or its code: not subject to VAT"
    ),
];

const PARTY_TERMS: [&str; 5] = ["BT-31", "BT-32", "BT-63", "BT-47", "BT-48"];

pub(super) fn check<'a, 'input>(model: &Model<'a, 'input>, hits: &mut Hits<'a, 'input>) {
    for family in &FAMILIES {
        let used = Used::of(model, family.code);
        if used.nothing() {
            continue;
        }
        breakdown(model, family, &used, hits);
        untyped(model, family, &used, hits);
        let used = used.of_vat();
        parties(model, family, &used, hits);
        rates(model, family, &used, hits);
        let bases = Bases::of(model, family);
        for group in &used.groups {
            base(model, family, group, &bases, hits);
            tax(model, family, group, hits);
            reason(family, group, hits);
        }
        match family.code {
            "K" => intra_community(model, &used, hits),
            "O" => not_subject(model, &used, hits),
            _ => {}
        }
    }
    split_payment(model, hits);
}

/// Where a category stands.
struct Used<'m, 'a, 'input> {
    groups: Vec<&'m Group<'a, 'input>>,
    /// And the lines below lines.
    lines: Vec<&'m Group<'a, 'input>>,
    allowances: Vec<&'m Group<'a, 'input>>,
    charges: Vec<&'m Group<'a, 'input>>,
    /// Allowances or charges that do not say which they are.
    unsigned: Vec<&'m Group<'a, 'input>>,
}

impl<'m, 'a, 'input> Used<'m, 'a, 'input> {
    fn of(model: &'m Model<'a, 'input>, code: &str) -> Used<'m, 'a, 'input> {
        let of = |kind, term| model.all(kind).filter(|it| is(model, it, term, code)).collect();
        Used {
            groups: of(Bg::VatGroup, Bt(118)),
            lines: of(Bg::LineVat, Bt(151)),
            allowances: of(Bg::Allowance, Bt(95)),
            charges: of(Bg::Charge, Bt(102)),
            unsigned: of(Bg::Unsigned, Bt(95)),
        }
    }

    /// Only where the tax is said to be VAT.
    fn of_vat(mut self) -> Used<'m, 'a, 'input> {
        for places in [&mut self.groups, &mut self.lines, &mut self.allowances, &mut self.charges] {
            places.retain(|it| it.has(VAT));
        }
        self
    }

    fn nothing(&self) -> bool {
        [&self.groups, &self.lines, &self.allowances, &self.charges, &self.unsigned].iter().all(|it| it.is_empty())
    }
}

/// Is this the category? In CII the published checks do not pass over the space around it.
fn is(model: &Model<'_, '_>, group: &Group<'_, '_>, term: Bt, code: &str) -> bool {
    group.nodes(term).any(|it| if model.syntax == Syntax::Ubl { text(it) == code } else { raw(it) == code })
}

/// The published checks for CII ask of groups of these categories only what is the category's own.
pub(super) fn beyond(model: &Model<'_, '_>, group: &Group<'_, '_>) -> bool {
    let own = ["L", "M", "O"].iter().any(|code| is(model, group, Bt(118), code));
    model.syntax == Syntax::Cii && group.has(VAT) && own
}

fn rule(hits: &mut Hits<'_, '_>, family: &Family, number: usize, terms: &'static [&'static str]) {
    if let Some((id, says)) = family.rules.get(number - 1) {
        hits.rule = Head { id, weight: Weight::Fatal, terms, says };
    }
}

fn breakdown<'a, 'input>(
    model: &Model<'a, 'input>,
    family: &Family,
    used: &Used<'_, 'a, 'input>,
    hits: &mut Hits<'a, 'input>,
) {
    // Only the check for UBL, and not that of the standard rate, looks whether the tax is VAT.
    let typed = model.syntax == Syntax::Ubl && family.code != "S";
    let n = |places: &[&Group<'_, '_>]| places.iter().filter(|it| !typed || it.has(VAT)).count();
    let n_others = n(&used.allowances) + n(&used.charges) + n(&used.unsigned);
    let n_lines = n(&used.lines);
    // A group that names its category twice counts twice.
    let categories = used.groups.iter().filter(|it| !typed || it.has(VAT)).flat_map(|it| it.nodes(Bt(118)));
    let mut n_groups = categories.filter(|it| text(*it) == family.code).count();
    if n_groups + n_lines + n_others == 0 {
        return;
    }
    if family.code == "L" && 0 < n_lines + n_others {
        n_groups = used.groups.len();
    }
    let something = 0 < n_lines + n_others;
    let holds = match (model.syntax, family.taxed) {
        (Syntax::Ubl, true) => something == (0 < n_groups),
        (Syntax::Ubl, false) => n_groups == 1,
        // The check for CII counts places, not categories.
        (Syntax::Cii, true) => (n_lines == 0 || 2 <= n_lines + n_groups) && (n_others == 0 || 2 <= n_others + n_groups),
        (Syntax::Cii, false) if family.code == "O" => n_groups == 0 || (n_groups == 1 && something),
        (Syntax::Cii, false) => n_groups == 1 && something,
    };
    rule(hits, family, 1, &["BT-118", "BT-151", "BT-95", "BT-102"]);
    if !holds && let Some(document) = model.one(Bg::Document) {
        hits.at(document.node);
    }
}

/// The check for UBL takes a standard rated line whose tax is not said to be VAT for one without the seller's identifier.
fn untyped<'a, 'input>(
    model: &Model<'a, 'input>,
    family: &Family,
    used: &Used<'_, 'a, 'input>,
    hits: &mut Hits<'a, 'input>,
) {
    if model.syntax == Syntax::Ubl
        && family.code == "S"
        && used.lines.iter().all(|it| !it.has(VAT))
        && let Some(line) = used.lines.first()
    {
        rule(hits, family, 2, &PARTY_TERMS);
        hits.at(line.node);
    }
}

fn parties<'a, 'input>(
    model: &Model<'a, 'input>,
    family: &Family,
    used: &Used<'_, 'a, 'input>,
    hits: &mut Hits<'a, 'input>,
) {
    let seller_vat = model.has(Bg::Seller, Bt(31)) || model.has(Bg::Representative, Bt(63));
    let seller = seller_vat || model.has(Bg::Seller, Bt(32));
    let buyer_vat = model.has(Bg::Buyer, Bt(48));
    let holds = match family.parties {
        Parties::Seller => seller,
        Parties::SellerVat => seller_vat,
        Parties::Both => seller && (buyer_vat || model.has(Bg::Buyer, Bt(47))),
        Parties::BothVat => seller_vat && buyer_vat,
        Parties::None => !seller_vat && !buyer_vat,
    };
    for (number, places) in [(2, &used.lines), (3, &used.allowances), (4, &used.charges)] {
        rule(hits, family, number, &PARTY_TERMS);
        for place in places.iter().filter(|_| !holds) {
            hits.at(place.node);
        }
    }
}

fn rates<'a, 'input>(
    model: &Model<'a, 'input>,
    family: &Family,
    used: &Used<'_, 'a, 'input>,
    hits: &mut Hits<'a, 'input>,
) {
    let [ubl, cii] = family.rate;
    let asked = if model.syntax == Syntax::Ubl { ubl } else { cii };
    for (number, places, term, terms) in [
        (5, &used.lines, Bt(152), &["BT-152"]),
        (6, &used.allowances, Bt(96), &["BT-96"]),
        (7, &used.charges, Bt(103), &["BT-103"]),
    ] {
        rule(hits, family, number, terms);
        let below = |it: &Group<'_, '_>| model.groups.get(it.parent as usize).is_some_and(|it| it.kind == Bg::SubLine);
        for place in places.iter().filter(|it| !below(it)) {
            let holds = match asked {
                Rate::Absent => !place.has(term),
                Rate::Zero => place.amount(term).is_some_and(|it| it.is_zero()),
                Rate::Positive => place.amount(term).is_some_and(|it| Decimal::ZERO < it),
                Rate::NotNegative => place.amount(term).is_some_and(|it| Decimal::ZERO <= it),
            };
            if !holds {
                hits.at(place.node);
            }
        }
    }
}

/// What stands at one rate of a category: the sum of its amounts, where they can be added up. Without rates all is at none.
type ByRate = BTreeMap<Option<Decimal>, Option<Decimal>>;

/// The amounts of a category, added up once for all its groups: a document may have very many lines and groups.
struct Bases {
    lines: ByRate,
    allowances: ByRate,
    charges: ByRate,
    unsigned: ByRate,
}

impl Bases {
    fn of(model: &Model<'_, '_>, family: &Family) -> Bases {
        let rate = |it: &Group<'_, '_>, category, percent| {
            let is = is(model, it, category, family.code);
            is.then(|| it.amount(percent).filter(|_| family.taxed))
        };
        let sums = |kind, amount, category, percent| {
            let mut sums = ByRate::new();
            for group in model.all(kind) {
                if let Some(rate) = rate(group, category, percent) {
                    add(&mut sums, rate, group.number(amount));
                }
            }
            sums
        };
        let mut lines = ByRate::new();
        for line in model.all(Bg::Line) {
            let rates = model.inside(line, Bg::LineVat).filter_map(|it| rate(it, Bt(151), Bt(152)));
            for rate in rates.collect::<BTreeSet<_>>() {
                add(&mut lines, rate, line.number(Bt(131)));
            }
        }
        Bases {
            lines,
            allowances: sums(Bg::Allowance, Bt(92), Bt(95), Bt(96)),
            charges: sums(Bg::Charge, Bt(99), Bt(102), Bt(103)),
            unsigned: sums(Bg::Unsigned, Bt(92), Bt(95), Bt(96)),
        }
    }
}

fn add(sums: &mut ByRate, rate: Option<Decimal>, amount: Option<Option<Decimal>>) {
    let sum = sums.entry(rate).or_insert(Some(Decimal::ZERO));
    if let Some(amount) = amount {
        *sum = sum.zip(amount).and_then(|(sum, amount)| sum.checked_add(amount));
    }
}

/// Lines less allowances plus charges of the category, and of the group's rate where rates have groups.
fn base<'a, 'input>(
    model: &Model<'a, 'input>,
    family: &Family,
    group: &Group<'a, 'input>,
    bases: &Bases,
    hits: &mut Hits<'a, 'input>,
) {
    let rate = family.taxed.then(|| group.amount(Bt(119)));
    // A group without a rate is another rule's; and the check of the two Spanish taxes looks past the rate in CII.
    if rate == Some(None) || (model.syntax == Syntax::Cii && family.taxed && family.code != "S") {
        return;
    }
    let rate = rate.flatten();
    let at = |sums: &ByRate| sums.get(&rate).copied();
    let (lines, allowances, charges) = (at(&bases.lines), at(&bases.allowances), at(&bases.charges));
    let others = [&bases.unsigned, &bases.allowances, &bases.charges].iter().any(|it| it.contains_key(&rate));
    let any = match (model.syntax, family.taxed) {
        (Syntax::Cii, _) => true,
        (Syntax::Ubl, true) if family.code == "S" => lines.is_some() || others,
        (Syntax::Ubl, _) => model.any(Bg::Line),
    };
    let round = |amount| if model.syntax == Syntax::Cii { cents(amount) } else { amount };
    let [lines, less, plus] = [lines, allowances, charges].map(|it| it.unwrap_or(Some(Decimal::ZERO)).map(round));
    let expected = lines
        .zip(plus)
        .and_then(|(lines, plus)| lines.checked_add(plus))
        .zip(less)
        .and_then(|(sum, less)| sum.checked_sub(less));
    let found = group.amount(Bt(116));
    // The published checks let a difference of less than one unit pass for some categories in one syntax or the other.
    let near = match model.syntax {
        Syntax::Ubl => family.taxed,
        Syntax::Cii => !family.taxed && family.code != "O",
    };
    let is_near =
        |expected: Option<Decimal>| found.zip(expected).is_some_and(|(found, it)| near_by(model.syntax, found, it));
    // With an allowance or a charge at the standard rate, the check for UBL lets a base without the lines pass.
    let without_lines = || plus.zip(less).and_then(|(plus, less)| plus.checked_sub(less));
    let holds = if near {
        is_near(expected) || (family.code == "S" && model.syntax == Syntax::Ubl && others && is_near(without_lines()))
    } else {
        same(found, expected)
    };
    rule(hits, family, 8, &["BT-116", "BT-131", "BT-92", "BT-99"]);
    if !(any && holds) {
        hits.at(group.node);
    }
}

/// Less than one unit apart. The published checks add the unit to a binary fraction, which decides where the two are one
/// unit apart exactly, and so it does here.
fn near_by(syntax: Syntax, found: Decimal, expected: Decimal) -> bool {
    let Some(binary) = found.to_f64() else { return false };
    match syntax {
        Syntax::Ubl => {
            let bound = |unit: f64| Decimal::from_f64_retain(binary + unit);
            bound(-1.0).is_some_and(|it| it < expected) && bound(1.0).is_some_and(|it| expected < it)
        }
        Syntax::Cii => expected.to_f64().is_some_and(|expected| binary - 1.0 < expected && expected < binary + 1.0),
    }
}

fn tax<'a, 'input>(model: &Model<'a, 'input>, family: &Family, group: &Group<'a, 'input>, hits: &mut Hits<'a, 'input>) {
    let tax = group.amount(Bt(117));
    let holds = if family.taxed {
        // In CII this is left to BR-CO-17 for the two Spanish taxes.
        let asked = model.syntax == Syntax::Ubl || family.code == "S";
        let parts = (tax, group.amount(Bt(116)), group.amount(Bt(119)));
        !asked || matches!(parts, (Some(tax), Some(base), Some(rate)) if within(tax, base, rate, false))
    } else {
        tax.is_some_and(|it| it.is_zero())
    };
    rule(hits, family, 9, &["BT-117", "BT-116", "BT-119"]);
    if !holds {
        hits.at(group.node);
    }
}

fn reason<'a, 'input>(family: &Family, group: &Group<'a, 'input>, hits: &mut Hits<'a, 'input>) {
    let given = group.has(Bt(120)) || group.has(Bt(121));
    let asked = !family.taxed && family.code != "Z";
    rule(hits, family, 10, &["BT-120", "BT-121"]);
    if given != asked {
        hits.at(group.node);
    }
}

fn intra_community<'a, 'input>(model: &Model<'a, 'input>, used: &Used<'_, 'a, 'input>, hits: &mut Hits<'a, 'input>) {
    let Some(group) = used.groups.first() else { return };
    let period = model.all(Bg::Period).any(|it| match model.syntax {
        Syntax::Ubl => it.node.children().any(|it| it.is_element()),
        Syntax::Cii => it.has(Bt(73)) || it.has(Bt(74)),
    });
    let delivered = model.all(Bg::Delivery).any(|it| match model.syntax {
        Syntax::Ubl => 1 < it.text(Bt(72)).chars().count(),
        Syntax::Cii => it.has(Bt(72)),
    });
    hits.rule = Head {
        id: "BR-IC-11",
        weight: Weight::Fatal,
        terms: &["BT-72", "BG-14"],
        says: "an intra-community supply shall have a date of delivery or an invoicing period",
    };
    if !delivered && !period {
        hits.at(group.node);
    }
    let country = model.all(Bg::DeliveryAddress).any(|it| match model.syntax {
        Syntax::Ubl => 1 < it.text(Bt(80)).chars().count(),
        Syntax::Cii => it.has(Bt(80)),
    });
    hits.rule = Head {
        id: "BR-IC-12",
        weight: Weight::Fatal,
        terms: &["BT-80"],
        says: "an intra-community supply shall have the country of delivery",
    };
    if !country {
        hits.at(group.node);
    }
}

/// Where the breakdown is not subject to VAT, nothing else may be.
fn not_subject<'a, 'input>(model: &Model<'a, 'input>, used: &Used<'_, 'a, 'input>, hits: &mut Hits<'a, 'input>) {
    let Some(group) = used.groups.first() else { return };
    let typed = model.syntax == Syntax::Ubl;
    let other = |kind, term| {
        // In UBL a category without a code is another one.
        let there = |it: &Group<'_, '_>| if typed { it.has(VAT) } else { it.has(term) };
        model.all(kind).any(|it| there(it) && !is(model, it, term, "O"))
    };
    let groups = other(Bg::VatGroup, Bt(118));
    let lines = other(Bg::LineVat, Bt(151));
    let allowances = other(Bg::Allowance, Bt(95));
    let charges = other(Bg::Charge, Bt(102));
    // The checks for CII do not tell the breakdown from the lines, nor allowances from charges.
    let [groups, lines, allowances, charges] = match model.syntax {
        Syntax::Ubl => [groups, lines, allowances, charges],
        Syntax::Cii => [groups || lines, groups || lines, allowances || charges, allowances || charges],
    };
    for (id, found, terms, says) in [
        ("BR-O-11", groups, &["BT-118"], "a VAT breakdown that is not subject to VAT shall have no other group"),
        ("BR-O-12", lines, &["BT-151"], "with a VAT breakdown not subject to VAT, no line shall be subject to it"),
        (
            "BR-O-13",
            allowances,
            &["BT-95"],
            "with a VAT breakdown not subject to VAT, no allowance shall be subject to it",
        ),
        ("BR-O-14", charges, &["BT-102"], "with a VAT breakdown not subject to VAT, no charge shall be subject to it"),
    ] {
        hits.rule = Head { id, weight: Weight::Fatal, terms, says };
        if found {
            hits.at(group.node);
        }
    }
}

/// Category B is the split payment of Italy.
fn split_payment<'a, 'input>(model: &Model<'a, 'input>, hits: &mut Hits<'a, 'input>) {
    if Used::of(model, "B").nothing() {
        return;
    }
    let Some(document) = model.one(Bg::Document) else { return };
    let countries = [
        (Bg::SellerAddress, Bt(40)),
        (Bg::BuyerAddress, Bt(55)),
        (Bg::RepresentativeAddress, Bt(69)),
        (Bg::DeliveryAddress, Bt(80)),
        (Bg::Line, Bt(159)),
    ];
    let abroad =
        countries.iter().any(|(kind, term)| model.all(*kind).flat_map(|it| it.nodes(*term)).any(|it| text(it) != "IT"));
    hits.rule = Head {
        id: "BR-B-01",
        weight: Weight::Fatal,
        terms: &["BT-40", "BT-55"],
        says: "split payment shall stand in domestic invoices of Italy only",
    };
    if abroad {
        hits.at(document.node);
    }
    hits.rule = Head {
        id: "BR-B-02",
        weight: Weight::Fatal,
        terms: &["BT-118", "BT-151", "BT-95", "BT-102"],
        says: "split payment and the standard rate shall not stand in one invoice",
    };
    if !Used::of(model, "S").nothing() {
        hits.at(document.node);
    }
}

//! The published rules of electronic invoices: EN 16931-1 in both of its syntaxes.
//!
//! A document is read once into a [`Model`](model::Model) of business terms, by the binding of its syntax ([`ubl`],
//! [`cii`]). The rules are rows of tables: [`core`] and [`totals`] (BR-01 to BR-65, BR-CO), [`vat`] (the families of VAT
//! categories), [`decimals`] (BR-DEC), and what the syntaxes ask of single elements in [`elements`]: code lists (BR-CL)
//! and the fatal UBL and CII rules. A rule knows its published id, its published weight, the business terms it is about
//! and one sentence of ours; the code knows what it asks.
//!
//! Where BT-24 names them, [`xrechnung`] (BR-DE, BR-DEX) and [`peppol`] (PEPPOL-EN16931, PEPPOL-COMMON, and its rules for
//! single countries) are checked besides.
//!
//! # Adding a rule set
//!
//! 1. A file beside these with `pub(super) const RULES: &[Rule]`: one row a rule. [`Check`] has a form for most: a value
//!    that must be there, a question to each group, a question to the document; [`Check::Custom`] for the rest, which
//!    reports each place by [`Hits::at`].
//! 2. A row in [`SETS`]: when the set applies (told from the model, mostly from BT-24) and its table.
//! 3. Terms that no rule asked for until now: a line in each binding.
//! 4. What a set asks of elements that are no business terms: [`Check::Custom`] reaches them from the nodes of its groups.
//!    The rows of [`elements`] are the standard's own and hold for every document.
//!
//! Absent is absent and never 0. Where the published checks add up nothing, the sum is 0, and so is ours. What is no
//! number, or too large to compute with, breaches the rule that needs it.

mod bind;
mod cii;
pub(crate) mod codes;
mod core;
mod decimals;
mod elements;
mod model;
mod path;
mod peppol;
mod totals;
mod ubl;
mod vat;
mod xrechnung;

use case::{BREACHES_MAX, Breach, Evidence};
use roxmltree::Node;

use self::model::{Bg, Bt, Group, Model, Syntax, attribute};
use crate::xml::{Tree, text};

/// Places of one rule that are named; the last of them says how many more there are.
const PLACES_MAX: usize = 20;
/// Characters of an element that are shown.
const SHOWN_CHARS_MAX: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    Fatal,
    Warning,
}

pub(crate) struct Rule {
    /// As published.
    pub(crate) id: &'static str,
    pub(crate) weight: Weight,
    /// The terms it is about: `BT-31`, `BG-4`.
    pub(crate) terms: &'static [&'static str],
    /// What the standard asks for.
    pub(crate) says: &'static str,
    pub(crate) check: Check,
}

pub(crate) enum Check {
    /// Each group of the kind has one of the terms, with or without a text.
    Has(Bg, &'static [Bt]),
    /// Each group of the kind has one of the terms with a text.
    Filled(Bg, &'static [Bt]),
    /// Holds for each group of the kind.
    Each(Bg, for<'m> fn(&Model<'m, '_>, &Group<'m, '_>) -> bool),
    /// Holds for the document.
    Document(for<'m> fn(&Model<'m, '_>) -> bool),
    /// Finds its own places.
    Custom(for<'m, 'i> fn(&Model<'m, 'i>, &mut Hits<'m, 'i>)),
}

/// A set of rules and when it applies.
struct Set {
    applies: for<'m> fn(&Model<'m, '_>) -> bool,
    rules: &'static [Rule],
}

const SETS: &[Set] = &[
    Set { applies: |_| true, rules: core::RULES },
    Set { applies: |_| true, rules: totals::RULES },
    Set { applies: |_| true, rules: decimals::RULES },
    Set { applies: xrechnung::applies, rules: xrechnung::RULES },
    Set { applies: xrechnung::variants::is_extension, rules: xrechnung::variants::EXTENSION },
    Set { applies: xrechnung::variants::is_vehicles, rules: xrechnung::variants::VEHICLES },
    Set { applies: peppol::shared, rules: peppol::SHARED },
    Set { applies: peppol::applies, rules: peppol::RULES },
    Set { applies: peppol::national::is_danish, rules: peppol::national::DENMARK },
    Set { applies: peppol::national::is_greek, rules: peppol::national::GREECE },
    Set { applies: peppol::national::is_italian, rules: peppol::national::ITALY },
    Set { applies: peppol::national::is_dutch, rules: peppol::national::NETHERLANDS },
    Set { applies: peppol::national::is_norwegian, rules: peppol::national::NORWAY },
    Set { applies: peppol::national::is_swedish, rules: peppol::national::SWEDEN },
];

/// What the rules say of a document.
pub(crate) struct Verdict {
    pub(crate) profile: String,
    /// At most [`BREACHES_MAX`].
    pub(crate) breaches: Vec<Breach>,
    /// How many there were.
    pub(crate) count: usize,
}

pub(crate) fn check(tree: &Tree, root: Node<'_, '_>) -> Verdict {
    let (syntax, rows) = match root.tag_name().name() {
        "CrossIndustryInvoice" => (Syntax::Cii, cii::ROWS),
        _ => (Syntax::Ubl, ubl::ROWS),
    };
    let model = bind::read(syntax, root, rows);
    let mut hits = Hits { rule: Head { id: "", weight: Weight::Fatal, terms: &[], says: "" }, found: Vec::new() };
    for set in SETS.iter().filter(|it| (it.applies)(&model)) {
        for rule in set.rules {
            hits.rule = Head { id: rule.id, weight: rule.weight, terms: rule.terms, says: rule.says };
            rule.check.run(&model, &mut hits);
        }
    }
    vat::check(&model, &mut hits);
    elements::check(&model, root, &mut hits);
    peppol::national::germany(&model, &mut hits);
    if peppol::applies(&model) {
        peppol::elements::check(&model, root, &mut hits);
    }
    Verdict { profile: profile(&model).to_owned(), count: hits.count(), breaches: hits.breaches(tree) }
}

/// Does the type of document (BT-3, UNTDID 1001) credit what another one billed?
pub(crate) fn is_credit_note(code: &str) -> bool {
    codes::lists(codes::List::CreditNoteTypes, code)
}

#[cfg(test)]
pub(crate) fn credit_note_types() -> impl Iterator<Item = &'static str> {
    codes::List::CreditNoteTypes.codes().split_whitespace()
}

impl Check {
    fn run<'m, 'i>(&self, model: &Model<'m, 'i>, hits: &mut Hits<'m, 'i>) {
        match self {
            Check::Has(kind, terms) => hits.each(model, *kind, |it| terms.iter().any(|term| it.has(*term))),
            Check::Filled(kind, terms) => hits.each(model, *kind, |it| terms.iter().any(|term| it.filled(*term))),
            Check::Each(kind, holds) => hits.each(model, *kind, |it| holds(model, it)),
            Check::Document(holds) => {
                if !holds(model)
                    && let Some(document) = model.one(Bg::Document)
                {
                    hits.at(document.node);
                }
            }
            Check::Custom(find) => find(model, hits),
        }
    }
}

/// A rule as it is reported.
#[derive(Clone)]
pub(crate) struct Head {
    pub(crate) id: &'static str,
    pub(crate) weight: Weight,
    pub(crate) terms: &'static [&'static str],
    pub(crate) says: &'static str,
}

/// Where which rules are broken.
pub(crate) struct Hits<'a, 'input> {
    /// The rule that is being checked.
    pub(crate) rule: Head,
    found: Vec<(Head, Node<'a, 'input>, usize)>,
}

impl<'a, 'input> Hits<'a, 'input> {
    /// The rule that is being checked is broken here.
    pub(crate) fn at(&mut self, node: Node<'a, 'input>) {
        let n_before = self.found.iter().rev().take_while(|(head, ..)| head.id == self.rule.id).count();
        match self.found.last_mut() {
            Some((_, _, more)) if PLACES_MAX <= n_before => *more += 1,
            _ => self.found.push((self.rule.clone(), node, 0)),
        }
    }

    /// For each group of a kind where the rule does not hold.
    pub(crate) fn each(&mut self, model: &Model<'a, 'input>, kind: Bg, holds: impl Fn(&Group<'a, 'input>) -> bool) {
        for group in model.all(kind).filter(|it| !holds(it)) {
            self.at(group.node);
        }
    }

    fn count(&self) -> usize {
        self.found.len()
    }

    fn breaches(self, tree: &Tree) -> Vec<Breach> {
        let breach = |(head, node, more): (Head, Node<'a, 'input>, usize)| {
            let message = match more {
                0 => head.says.to_owned(),
                more => format!("{} (and at {more} more places)", head.says),
            };
            let text = text(node).trim().chars().take(SHOWN_CHARS_MAX).collect();
            Breach {
                rule: head.id.to_owned(),
                fatal: head.weight == Weight::Fatal,
                message,
                terms: head.terms.iter().map(|it| (*it).to_owned()).collect(),
                evidence: Evidence::Element { path: tree.path(node), text },
            }
        };
        self.found.into_iter().take(BREACHES_MAX).map(breach).collect()
    }
}

/// The specification that BT-24 names, by the short name that we give it.
fn profile(model: &Model<'_, '_>) -> &'static str {
    let named = model.text(Bg::Document, Bt(24)).to_ascii_lowercase();
    const NAMES: [(&str, &str); 10] = [
        ("xrechnung", "xrechnung"),
        ("peppol.eu:2017:poacc:billing", "peppol"),
        ("peppol.eu:2017:poacc:selfbilling", "peppol"),
        ("factur-x.eu:1p0:minimum", "factur-x-minimum"),
        ("factur-x.eu:1p0:basicwl", "factur-x-basicwl"),
        ("factur-x.eu:1p0:basic", "factur-x-basic"),
        ("factur-x.eu:1p0:extended", "factur-x-extended"),
        ("zugferd.de:2p0:minimum", "factur-x-minimum"),
        ("zugferd.de:2p0:basic", "factur-x-basic"),
        ("zugferd.de:2p0:extended", "factur-x-extended"),
    ];
    NAMES.iter().find(|(part, _)| named.contains(part)).map_or("en16931", |(_, name)| name)
}

/// A row, in one line where it fits.
macro_rules! rule {
    ($id:literal, $terms:expr, $says:literal, $check:expr) => {
        crate::rules::Rule { id: $id, weight: crate::rules::Weight::Fatal, terms: &$terms, says: $says, check: $check }
    };
    (warning $id:literal, $terms:expr, $says:literal, $check:expr) => {
        crate::rules::Rule {
            id: $id,
            weight: crate::rules::Weight::Warning,
            terms: &$terms,
            says: $says,
            check: $check,
        }
    };
}
use rule;

/// The scheme that an identifier says it follows.
fn scheme<'a>(node: Node<'a, '_>) -> &'a str {
    attribute(node, "schemeID")
}

#[cfg(test)]
mod tests;

//! What the two syntaxes of electronic invoices share: taking fields out of a tree, with their places.

use std::collections::{BTreeMap, BTreeSet};

use case::{Evidence, Extraction, Field, FieldName, Format, Kind};
use roxmltree::Node;

use crate::values::{self, sum, words};
use crate::xml::{CONFIDENCE, Tree, all, first, text};
use crate::{field, fit, note, rules};

/// Payment means that are a credit transfer (UNTDID 4461): plain, and SEPA; and the one of FatturaPA.
const CREDIT_TRANSFER: [&str; 3] = ["30", "58", "MP05"];

/// Terms that may stand more than once: the first of them is read.
const REPEATED: [&str; 11] = [
    "BillingReference/InvoiceDocumentReference/ID",
    "InvoiceReferencedDocument/IssuerAssignedID",
    "PartyName/Name",
    "PaymentTerms/Note",
    "SpecifiedTradePaymentTerms/Description",
    "DatiOrdineAcquisto/IdDocumento",
    "DatiContratto/IdDocumento",
    "DatiFattureCollegate/IdDocumento",
    "DatiFatturaRettificata/NumeroFR",
    "CodiceArticolo/CodiceValore",
    "DatiPagamento/DettaglioPagamento/DataScadenzaPagamento",
];

/// What an indicator of charges says (`xs:boolean`): a charge, an allowance, or neither.
pub(crate) fn is_charge(indicator: &str) -> Option<bool> {
    match indicator.trim() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// Where a syntax puts an account and its bank, below one of the ways to pay; of two places of the account the better last.
pub(crate) struct Account {
    pub(crate) code: &'static str,
    pub(crate) account: &'static [&'static str],
    pub(crate) bank: &'static str,
    pub(crate) value: Value,
}

/// An identifier as it stands, with single spaces. A machine wrote it, so its spaces are its own; whoever compares
/// identifiers compares them without.
pub(crate) fn identifier(text: &str) -> Option<String> {
    words(text)
}

/// An identifier as it is compared: without spaces and in capitals.
pub(crate) fn compact(text: &str) -> String {
    text.chars().filter(|it| !it.is_whitespace()).flat_map(char::to_uppercase).collect()
}

/// An amount; zero has no sign.
pub(crate) fn decimal(text: &str) -> Option<String> {
    let value = values::decimal(text)?;
    let zero = value.bytes().all(|it| matches!(it, b'-' | b'0' | b'.'));
    Some(if zero { value.trim_start_matches('-').to_owned() } else { value })
}

/// Turns a text into a value, or not.
pub(crate) type Value = fn(&str) -> Option<String>;

pub(crate) struct Harvest<'a> {
    pub(crate) tree: &'a Tree,
    pub(crate) answer: Extraction,
    /// Amounts in another currency than the invoice's own, and what is said of the first.
    n_foreign: usize,
    foreign: String,
}

impl Harvest<'_> {
    pub(crate) fn new(tree: &Tree, format: Format) -> Harvest<'_> {
        Harvest { tree, answer: Extraction::blank(Kind::Invoice, format), n_foreign: 0, foreign: String::new() }
    }

    /// A field of the header; a later call for the same name wins, so the better source is asked last.
    pub(crate) fn take(&mut self, name: FieldName, node: Node<'_, '_>, path: &str, value: Value) {
        if let Some(field) = self.single(node, path).and_then(|it| self.field(it, value)) {
            self.answer.fields.single.insert(name, field);
        }
    }

    /// The element of a term below `node`. INVARIANT (fail closed): where two say different things, a person is asked.
    pub(crate) fn single<'a, 'input>(&mut self, node: Node<'a, 'input>, path: &str) -> Option<Node<'a, 'input>> {
        let found: Vec<_> = all(node, path).into_iter().filter(|it| !text(*it).trim().is_empty()).collect();
        let texts: Vec<String> = found.iter().map(|it| text(*it).trim().to_owned()).collect();
        if texts.iter().any(|it| Some(it) != texts.first()) && !REPEATED.contains(&path) {
            self.several(node, path, texts.len());
        }
        found.into_iter().next()
    }

    /// A part that an invoice has once.
    pub(crate) fn part<'a, 'input>(&mut self, node: Node<'a, 'input>, path: &str) -> Option<Node<'a, 'input>> {
        let found = all(node, path);
        if 1 < found.len() {
            self.several(node, path, found.len());
        }
        found.into_iter().next()
    }

    /// A term from elements that all say the same.
    pub(crate) fn alike(&mut self, name: FieldName, nodes: Vec<Node<'_, '_>>, value: Value) {
        let texts: BTreeSet<String> = nodes.iter().map(|it| compact(&text(*it))).collect();
        if 1 < texts.len() {
            let message =
                format!("`{}` stands {} times with differing texts; the first was read", name.name(), nodes.len());
            self.add("several_values", message);
        }
        let field = nodes.first().and_then(|it| self.field(*it, value));
        self.answer.fields.single.extend(field.map(|it| (name, it)));
    }

    fn several(&mut self, node: Node<'_, '_>, path: &str, count: usize) {
        let place = self.tree.path(node);
        let message = format!("`{path}` stands {count} times in `{place}`, where it may once; the first was read");
        self.add("several_values", message);
    }

    fn add(&mut self, code: &str, message: String) {
        if fit::notes_left(&self.answer) {
            self.answer.notes.push(note(code, message));
        }
    }

    /// The account to pay to and its bank, both of one way to pay: the first credit transfer, else the first of the others.
    pub(crate) fn account(&mut self, means: &[Node<'_, '_>], places: &Account) {
        let transfer =
            |it: &&Node<'_, '_>| first(**it, places.code).is_some_and(|it| CREDIT_TRANSFER.contains(&text(it).trim()));
        let (transfers, others): (Vec<_>, Vec<_>) = means.iter().partition(transfer);
        let by_worth = transfers.into_iter().chain(others);
        let mut with_account = by_worth.flat_map(|it: &Node<'_, '_>| {
            let accounts = places.account.iter().rev().filter_map(|path| first(*it, path));
            accounts.map(|account| (*it, account))
        });
        let Some((best, account)) = with_account.next() else { return };
        let field = self.field(account, places.value);
        self.answer.fields.single.extend(field.map(|it| (FieldName::Iban, it)));
        self.take(FieldName::Bic, best, places.bank, places.value);
        let every = means.iter().flat_map(|it| places.account.iter().flat_map(|path| all(*it, path)));
        let accounts: BTreeSet<String> = every.map(|it| compact(&text(it))).filter(|it| !it.is_empty()).collect();
        if 1 < accounts.len() {
            let message = format!("{} accounts to pay to; the first to transfer to was read", accounts.len());
            self.add("several_values", message);
        }
    }

    /// Fields of a VAT group or a line, each at its path below `node`; a later one of the same name wins.
    pub(crate) fn pick<K: Ord + Copy>(&mut self, node: Node<'_, '_>, names: &[(K, &str, Value)]) -> BTreeMap<K, Field> {
        let found = names.iter().filter_map(|(name, path, value)| {
            let field = self.single(node, path).and_then(|it| self.field(it, *value))?;
            Some((*name, field))
        });
        found.collect()
    }

    /// INVARIANT (fail closed): what stands there and is not understood is no value, but leaves a note.
    pub(crate) fn field(&mut self, node: Node<'_, '_>, value: Value) -> Option<Field> {
        let text = text(node);
        let text = text.trim();
        let path = self.tree.path(node);
        // Elements inside a text would be left out of it.
        let whole = !node.children().any(|it| it.is_element());
        let Some(value) = value(text).filter(|_| whole) else {
            if !text.is_empty() {
                self.add("value_unreadable", format!("what stands at `{path}` is not a value of its kind"));
            }
            return None;
        };
        self.in_currency(node, &path);
        Some(field(value, CONFIDENCE, Evidence::Element { path, text: text.to_owned() }))
    }

    /// Amounts are compared as numbers, so all of them must be in one currency (BT-5).
    fn in_currency(&mut self, node: Node<'_, '_>, path: &str) {
        let own = self.answer.text(FieldName::Currency);
        let (Some(own), Some(given)) = (own, node.attribute("currencyID").map(str::trim)) else { return };
        if own != given {
            if self.n_foreign == 0 {
                self.foreign = format!("`{path}` in {given:?}, not in {own}");
            }
            self.n_foreign += 1;
        }
    }

    pub(crate) fn attribute(&self, node: Node<'_, '_>, name: &str) -> Option<Field> {
        let text = node.attribute(name)?;
        let path = format!("{}/@{name}", self.tree.path(node));
        Some(field(words(text)?, CONFIDENCE, Evidence::Element { path, text: text.trim().to_owned() }))
    }

    /// The total of several amounts; it stands where the first of them does. Without one that is understood, no total.
    pub(crate) fn sum(&mut self, nodes: &[Node<'_, '_>]) -> Option<Field> {
        let first = self.field(*nodes.first()?, decimal)?;
        for node in nodes.iter().skip(1) {
            self.in_currency(*node, &self.tree.path(*node));
        }
        let amounts: Option<Vec<String>> = nodes.iter().map(|it| decimal(&text(*it))).collect();
        let total = amounts.and_then(|it| sum(&it));
        if total.is_none() {
            let place = self.tree.path(*nodes.first()?);
            self.add("value_unreadable", format!("an amount beside `{place}` is not a value of its kind"));
        }
        Some(Field { value: total?, ..first })
    }

    pub(crate) fn finish(mut self, credit_note: bool) -> Extraction {
        if credit_note || self.answer.text(FieldName::TypeCode).is_some_and(rules::is_credit_note) {
            self.answer.kind = Kind::CreditNote;
        }
        if 0 < self.n_foreign {
            let message =
                format!("{} amounts are in another currency than the invoice: {}", self.n_foreign, self.foreign);
            self.add("several_currencies", message);
        }
        self.answer
    }
}

#[cfg(test)]
mod tests;

//! What the two syntaxes of electronic invoices share: taking fields out of a tree, with their places.

use std::collections::BTreeMap;

use case::{Evidence, Extraction, Field, FieldName, Format, Kind};
use roxmltree::Node;

use crate::values::{self, sum, words};
use crate::xml::{CONFIDENCE, Tree, first, text};
use crate::{blank, field, fit, note};

/// Payment means that are a credit transfer (UNTDID 4461): plain, and SEPA.
const CREDIT_TRANSFER: [&str; 2] = ["30", "58"];

/// Types of document (UNTDID 1001) that credit what another one billed.
const CREDIT_NOTES: [&str; 12] = ["81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "502", "532"];

/// The ways to pay that an invoice offers, the best last: the first credit transfer, else the first of the others.
pub(crate) fn by_worth<'a, 'input>(means: Vec<Node<'a, 'input>>, code: &str) -> Vec<Node<'a, 'input>> {
    let transfer = |it: &Node<'_, '_>| first(*it, code).is_some_and(|it| CREDIT_TRANSFER.contains(&text(it).trim()));
    let (transfers, others): (Vec<_>, Vec<_>) = means.into_iter().partition(transfer);
    others.into_iter().rev().chain(transfers.into_iter().rev()).collect()
}

/// An identifier as it stands, with single spaces. A machine wrote it, so its spaces are its own; whoever compares
/// identifiers compares them without.
pub(crate) fn identifier(text: &str) -> Option<String> {
    words(text)
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
}

impl Harvest<'_> {
    pub(crate) fn new(tree: &Tree, format: Format) -> Harvest<'_> {
        Harvest { tree, answer: blank(Kind::Invoice, format) }
    }

    /// A field of the header; a later call for the same name wins, so the better source is asked last.
    pub(crate) fn take(&mut self, name: FieldName, node: Node<'_, '_>, path: &str, value: Value) {
        if let Some(field) = first(node, path).and_then(|it| self.field(it, value)) {
            self.answer.fields.single.insert(name, field);
        }
    }

    /// Fields of a VAT group or a line, each at its path below `node`; a later one of the same name wins.
    pub(crate) fn pick<K: Ord + Copy>(&mut self, node: Node<'_, '_>, names: &[(K, &str, Value)]) -> BTreeMap<K, Field> {
        let found = names.iter().filter_map(|(name, path, value)| {
            let field = first(node, path).and_then(|it| self.field(it, *value))?;
            Some((*name, field))
        });
        found.collect()
    }

    /// INVARIANT (fail closed): what stands there and is not understood is no value, but leaves a note.
    pub(crate) fn field(&mut self, node: Node<'_, '_>, value: Value) -> Option<Field> {
        let text = text(node);
        let text = text.trim();
        let path = self.tree.path(node);
        let Some(value) = value(text) else {
            if !text.is_empty() && fit::notes_left(&self.answer) {
                let message = format!("what stands at `{path}` is not a value of its kind");
                self.answer.notes.push(note("value_unreadable", message));
            }
            return None;
        };
        Some(field(value, CONFIDENCE, Evidence::Element { path, text: text.to_owned() }))
    }

    pub(crate) fn attribute(&self, node: Node<'_, '_>, name: &str) -> Option<Field> {
        let text = node.attribute(name)?;
        let path = format!("{}/@{name}", self.tree.path(node));
        Some(field(words(text)?, CONFIDENCE, Evidence::Element { path, text: text.trim().to_owned() }))
    }

    /// The total of several amounts; it stands where the first of them does. Without one that is understood, no total.
    pub(crate) fn sum(&mut self, nodes: &[Node<'_, '_>]) -> Option<Field> {
        let first = self.field(*nodes.first()?, decimal)?;
        let amounts: Option<Vec<String>> = nodes.iter().map(|it| decimal(&text(*it))).collect();
        let total = amounts.and_then(|it| sum(&it));
        if total.is_none() && fit::notes_left(&self.answer) {
            let message = format!("an amount beside `{}` is not a value of its kind", self.tree.path(*nodes.first()?));
            self.answer.notes.push(note("value_unreadable", message));
        }
        Some(Field { value: total?, ..first })
    }

    pub(crate) fn finish(mut self, credit_note: bool) -> Extraction {
        if credit_note || self.answer.text(FieldName::TypeCode).is_some_and(|it| CREDIT_NOTES.contains(&it)) {
            self.answer.kind = Kind::CreditNote;
        }
        self.answer
    }
}

//! What the syntaxes ask of single elements, wherever they stand: codes from their lists (BR-CL), and the fatal rules of
//! EN 16931-3-2 for UBL (UBL-SR, UBL-DT, UBL-CR) and of EN 16931-3-3 for CII (CII-SR, CII-DT).
//!
//! A row belongs to elements of one name, or to all whose name ends alike.

mod cii;
mod ubl;

use roxmltree::Node;

use crate::xml::belongs;

use super::codes::{self, List};
use super::model::{Model, Syntax, attribute, children, text};
use super::{Head, Hits, Weight};

pub(super) struct Row {
    id: &'static str,
    terms: &'static [&'static str],
    says: &'static str,
    ask: Ask,
}

enum Ask {
    /// No more than so many elements at the path.
    Most(&'static str, usize),
    /// So many, no more and no less.
    Just(&'static str, usize),
    /// No element at the path.
    Not(&'static str),
    /// No attribute of the name.
    NoAttribute(&'static str),
    /// The text is a code of the list.
    Code(List),
    /// The attribute is; where it is missing it is no code.
    AttributeCode(&'static str, List),
    Holds(for<'m> fn(&Model<'m, '_>, Node<'m, '_>) -> bool),
}

/// The rules of a syntax: by name in the order of names, and by the end of names.
struct Table {
    named: &'static [(&'static str, &'static [Row])],
    ending: &'static [(&'static str, &'static [Row])],
}

pub(super) fn check<'a, 'input>(model: &Model<'a, 'input>, root: Node<'a, 'input>, hits: &mut Hits<'a, 'input>) {
    let table = if model.syntax == Syntax::Ubl { &ubl::TABLE } else { &cii::TABLE };
    for node in root.descendants().filter(|it| it.is_element() && (*it == root || belongs(*it))) {
        let name = node.tag_name().name();
        if let Ok(at) = table.named.binary_search_by(|(it, _)| (*it).cmp(name))
            && let Some((_, rows)) = table.named.get(at)
        {
            ask(model, node, rows, hits);
        }
        for (_, rows) in table.ending.iter().filter(|(end, _)| name.ends_with(end)) {
            ask(model, node, rows, hits);
        }
    }
}

fn ask<'a, 'input>(
    model: &Model<'a, 'input>,
    node: Node<'a, 'input>,
    rows: &'static [Row],
    hits: &mut Hits<'a, 'input>,
) {
    for row in rows {
        let holds = match row.ask {
            Ask::Most(path, max) => count(node, path) <= max,
            Ask::Just(path, asked) => count(node, path) == asked,
            Ask::Not(path) => count(node, path) == 0,
            Ask::NoAttribute(name) => node.attribute(name).is_none(),
            Ask::Code(list) => codes::lists(list, &text(node)),
            Ask::AttributeCode(name, list) => codes::lists(list, attribute(node, name)),
            Ask::Holds(holds) => holds(model, node),
        };
        if !holds {
            hits.rule = Head { id: row.id, weight: Weight::Fatal, terms: row.terms, says: row.says };
            hits.at(node);
        }
    }
}

/// How many elements stand at the path below `node`; every branch is followed.
fn count(node: Node<'_, '_>, path: &str) -> usize {
    match path.split_once('/') {
        None => children(node, path).count(),
        Some((first, rest)) => children(node, first).map(|it| count(it, rest)).sum(),
    }
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.tag_name().name() == name
}

fn inside(node: Node<'_, '_>, name: &str) -> bool {
    node.ancestors().skip(1).any(|it| is(it, name))
}

fn parent_is(node: Node<'_, '_>, name: &str) -> bool {
    node.parent().is_some_and(|it| is(it, name))
}

fn child_text(node: Node<'_, '_>, name: &str) -> String {
    children(node, name).next().map(|it| text(it).into_owned()).unwrap_or_default()
}

/// The kinds of content that may be attached (BT-125-1).
fn attachable(node: Node<'_, '_>) -> bool {
    const KINDS: [&str; 6] = [
        "application/pdf",
        "image/png",
        "image/jpeg",
        "text/csv",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.oasis.opendocument.spreadsheet",
    ];
    node.attribute("mimeCode").is_none_or(|it| KINDS.contains(&it))
}

/// Do all of these have the same text?
fn alike<'a, 'input: 'a>(nodes: impl Iterator<Item = Node<'a, 'input>>) -> bool {
    let mut texts = nodes.map(text);
    let first = texts.next();
    texts.all(|it| Some(&it) == first.as_ref())
}

macro_rules! row {
    ($id:literal, [$($term:literal),*], $says:expr, $ask:expr) => {
        crate::rules::elements::Row { id: $id, terms: &[$($term),*], says: $says, ask: $ask }
    };
}
/// At most so many.
macro_rules! most {
    ($id:literal, $path:literal, $max:literal) => {
        row!($id, [], concat!("no more than ", $max, " `", $path, "` may stand here"), Ask::Most($path, $max))
    };
}
/// Not in an invoice of the standard.
macro_rules! not {
    ($id:literal, $path:literal) => {
        row!($id, [], concat!("`", $path, "` may not stand here"), Ask::Not($path))
    };
}
macro_rules! no_attribute {
    ($id:literal, $name:literal) => {
        row!($id, [], concat!("the attribute `", $name, "` may not stand here"), Ask::NoAttribute($name))
    };
}
use {most, no_attribute, not, row};

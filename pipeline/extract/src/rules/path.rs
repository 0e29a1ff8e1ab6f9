//! Elements by the names on the way to them, for rules about elements that are no business terms.

use roxmltree::Node;
use rust_decimal::Decimal;

use crate::xml::belongs;

use super::model::{children, number, text};

/// The elements at a path of names below another; every branch is followed.
pub(super) fn nodes<'a, 'input: 'a>(node: Node<'a, 'input>, path: &str) -> Vec<Node<'a, 'input>> {
    let mut found = vec![node];
    for name in path.split('/') {
        found = found.into_iter().flat_map(|it| children(it, name).collect::<Vec<_>>()).collect();
    }
    found
}

pub(super) fn first<'a, 'input: 'a>(node: Node<'a, 'input>, path: &str) -> Option<Node<'a, 'input>> {
    nodes(node, path).into_iter().next()
}

pub(super) fn any(node: Node<'_, '_>, path: &str) -> bool {
    first(node, path).is_some()
}

/// The text of the first element at the path, without the space around it; empty where there is none.
pub(super) fn text_at(node: Node<'_, '_>, path: &str) -> String {
    first(node, path).map(|it| text(it).into_owned()).unwrap_or_default()
}

/// The number of the first element at the path. Absent where there is no element; `Some(None)` where it holds no number.
pub(super) fn number_at(node: Node<'_, '_>, path: &str) -> Option<Option<Decimal>> {
    first(node, path).map(|it| number(&text(it)))
}

/// All elements of the document with one of the names.
pub(super) fn named<'a, 'input: 'a>(
    node: Node<'a, 'input>,
    names: &'static [&'static str],
) -> impl Iterator<Item = Node<'a, 'input>> {
    let root = node.document().root_element();
    root.descendants().filter(move |it| it.is_element() && names.contains(&it.tag_name().name()) && belongs(*it))
}

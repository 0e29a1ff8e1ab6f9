//! Reads a document into the [`Model`] by the binding of its syntax: a tree of element names, as data.

use roxmltree::Node;

use crate::xml::belongs;

use super::model::{Bg, Bt, Model, Syntax};

/// What an element is, by its local name. Elements that no row names are passed over with all that is in them.
pub(crate) type Row = (&'static str, Bind);

pub(crate) enum Bind {
    /// The element is a term of the group it stands in.
    Term(Bt),
    /// The element is a group.
    Group(Bg, &'static [Row]),
    /// The element only leads to others.
    Step(&'static [Row]),
    /// What the element is depends on what it says of itself. None: nothing that the standard knows.
    Choice(fn(Node<'_, '_>) -> Option<&'static Bind>),
    /// The element is several of these at once.
    Both(&'static [Bind]),
}

pub(crate) fn read<'a, 'input>(syntax: Syntax, root: Node<'a, 'input>, rows: &'static [Row]) -> Model<'a, 'input> {
    let mut model = Model::new(syntax);
    let document = model.add(Bg::Document, 0, root);
    inside(&mut model, document, root, rows);
    model.close(document);
    model
}

/// Goes as deep as the binding does, whatever the document is.
fn inside<'a, 'input>(model: &mut Model<'a, 'input>, group: u32, node: Node<'a, 'input>, rows: &'static [Row]) {
    for child in node.children().filter(Node::is_element) {
        let name = child.tag_name().name();
        if let Some((_, bind)) = rows.iter().find(|(it, _)| *it == name)
            && belongs(child)
        {
            bound(model, group, child, bind);
        }
    }
}

fn bound<'a, 'input>(model: &mut Model<'a, 'input>, group: u32, node: Node<'a, 'input>, bind: &'static Bind) {
    match bind {
        Bind::Term(term) => {
            if let Some(group) = model.groups.get_mut(group as usize) {
                group.terms.push((*term, node));
            }
        }
        Bind::Group(kind, rows) => {
            let group = model.add(*kind, group, node);
            inside(model, group, node, rows);
            model.close(group);
        }
        Bind::Step(rows) => inside(model, group, node, rows),
        Bind::Choice(choose) => {
            if let Some(bind) = choose(node) {
                bound(model, group, node, bind);
            }
        }
        Bind::Both(binds) => binds.iter().for_each(|bind| bound(model, group, node, bind)),
    }
}

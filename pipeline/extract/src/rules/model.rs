//! An invoice as EN 16931-1 sees it: groups (BG) of business terms (BT), each with the element it stands in.

use roxmltree::Node;
use rust_decimal::Decimal;
use std::borrow::Cow;

use crate::xml::belongs;

/// A business term by its number: `Bt(31)` is BT-31, the VAT identifier of the seller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bt(pub(crate) u16);

/// Not a term: where a category of a tax says that the tax is VAT.
pub(crate) const VAT: Bt = Bt(0);

/// The business groups. BG-2, BG-29 and BG-31 occur once in what holds them, and their terms stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bg {
    Document,
    /// BG-1
    Note,
    /// BG-3
    Preceding,
    /// BG-4
    Seller,
    /// BG-5
    SellerAddress,
    /// BG-6
    SellerContact,
    /// BG-7
    Buyer,
    /// BG-8
    BuyerAddress,
    /// BG-9
    BuyerContact,
    /// BG-10
    Payee,
    /// BG-11
    Representative,
    /// BG-12
    RepresentativeAddress,
    /// BG-13
    Delivery,
    /// BG-14
    Period,
    /// BG-15
    DeliveryAddress,
    /// BG-16
    Payment,
    /// BG-17
    Account,
    /// BG-18
    Card,
    /// BG-19
    DirectDebit,
    /// BG-20
    Allowance,
    /// BG-21
    Charge,
    /// An allowance or a charge that does not say which of the two it is.
    Unsigned,
    /// BG-22
    Totals,
    /// The element around BT-110 or BT-111; the standard has no group for it, UBL has.
    TaxTotal,
    /// BG-23
    VatGroup,
    /// BG-24
    Support,
    /// BG-25
    Line,
    /// BG-26
    LinePeriod,
    /// BG-27
    LineAllowance,
    /// BG-28
    LineCharge,
    /// A line below a line, which some countries add to UBL.
    SubLine,
    /// BG-30
    LineVat,
    /// BG-32
    Attribute,
}

const N_KINDS: usize = Bg::Attribute as usize + 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    Ubl,
    Cii,
}

pub(crate) struct Model<'a, 'input> {
    pub(crate) syntax: Syntax,
    /// In the order of the document; the first is the document itself.
    pub(crate) groups: Vec<Group<'a, 'input>>,
    /// For each kind its groups, as places in `groups`.
    pub(crate) by_kind: [Vec<u32>; N_KINDS],
}

pub(crate) struct Group<'a, 'input> {
    pub(crate) node: Node<'a, 'input>,
    pub(crate) kind: Bg,
    /// Its own place in [`Model::groups`], and that of the group around it.
    pub(crate) idx: u32,
    pub(crate) parent: u32,
    /// The place after the last group inside this one: groups stand in the order of the document.
    pub(crate) end: u32,
    pub(crate) terms: Vec<(Bt, Node<'a, 'input>)>,
}

impl<'a, 'input> Model<'a, 'input> {
    pub(crate) fn new(syntax: Syntax) -> Model<'a, 'input> {
        Model { syntax, groups: Vec::with_capacity(64), by_kind: std::array::from_fn(|_| Vec::new()) }
    }

    /// Adds a group and gives its place.
    pub(crate) fn add(&mut self, kind: Bg, parent: u32, node: Node<'a, 'input>) -> u32 {
        // A document has at most two million nodes, so this cannot be cut.
        let idx = self.groups.len() as u32;
        self.groups.push(Group { node, kind, idx, parent, end: idx + 1, terms: Vec::new() });
        if let Some(list) = self.by_kind.get_mut(kind as usize) {
            list.push(idx);
        }
        idx
    }

    /// All that is inside a group has been added.
    pub(crate) fn close(&mut self, group: u32) {
        let end = self.groups.len() as u32;
        if let Some(group) = self.groups.get_mut(group as usize) {
            group.end = end;
        }
    }

    pub(crate) fn all(&self, kind: Bg) -> impl Iterator<Item = &Group<'a, 'input>> + Clone {
        let places = self.by_kind.get(kind as usize).map(Vec::as_slice).unwrap_or_default();
        places.iter().filter_map(|idx| self.groups.get(*idx as usize))
    }

    pub(crate) fn one(&self, kind: Bg) -> Option<&Group<'a, 'input>> {
        self.all(kind).next()
    }

    pub(crate) fn any(&self, kind: Bg) -> bool {
        self.one(kind).is_some()
    }

    /// The groups of a kind directly inside a group.
    pub(crate) fn inside(&self, group: &Group<'a, 'input>, kind: Bg) -> impl Iterator<Item = &Group<'a, 'input>> {
        let places = self.by_kind.get(kind as usize).map(Vec::as_slice).unwrap_or_default();
        let from = places.partition_point(|it| *it <= group.idx);
        let to = places.partition_point(|it| *it < group.end);
        let (parent, within) = (group.idx, places.get(from..to).unwrap_or_default());
        within.iter().filter_map(|idx| self.groups.get(*idx as usize)).filter(move |it| it.parent == parent)
    }

    /// Does any group of a kind have the term?
    pub(crate) fn has(&self, kind: Bg, term: Bt) -> bool {
        self.all(kind).any(|it| it.has(term))
    }

    /// The first text of a term in the first group that has it, without the space around it.
    pub(crate) fn text(&self, kind: Bg, term: Bt) -> Cow<'a, str> {
        self.all(kind).find(|it| it.has(term)).map(|it| it.text(term)).unwrap_or_default()
    }

    /// The elements of BT-110 and BT-111, and the group that each stands in.
    pub(crate) fn tax_totals(&self) -> impl Iterator<Item = (&Group<'a, 'input>, Node<'a, 'input>)> {
        let holder = if self.syntax == Syntax::Ubl { Bg::TaxTotal } else { Bg::Totals };
        self.all(holder).flat_map(|it| it.nodes(Bt(110)).map(move |node| (it, node)))
    }
}

impl<'a, 'input> Group<'a, 'input> {
    pub(crate) fn nodes(&self, term: Bt) -> impl Iterator<Item = Node<'a, 'input>> {
        self.terms.iter().filter(move |(it, _)| *it == term).map(|(_, node)| *node)
    }

    pub(crate) fn node(&self, term: Bt) -> Option<Node<'a, 'input>> {
        self.nodes(term).next()
    }

    /// Is the element there, with or without a text?
    pub(crate) fn has(&self, term: Bt) -> bool {
        self.node(term).is_some()
    }

    /// Is the element there with a text?
    pub(crate) fn filled(&self, term: Bt) -> bool {
        !self.text(term).is_empty()
    }

    /// The text of the first element, without the space around it; empty where there is none.
    pub(crate) fn text(&self, term: Bt) -> Cow<'a, str> {
        self.node(term).map(text).unwrap_or_default()
    }

    /// Absent where there is no element; where it holds no number, or one out of range, `Some(None)`.
    pub(crate) fn number(&self, term: Bt) -> Option<Option<Decimal>> {
        self.node(term).map(|node| number(&text(node)))
    }

    /// The number, where there is one that can be computed with.
    pub(crate) fn amount(&self, term: Bt) -> Option<Decimal> {
        self.number(term).flatten()
    }
}

/// The text of an element without the space around it.
pub(crate) fn text<'a>(node: Node<'a, '_>) -> Cow<'a, str> {
    match raw(node) {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// The text as it stands. Some published checks compare it with the space around it.
pub(crate) fn raw<'a>(node: Node<'a, '_>) -> Cow<'a, str> {
    let mut texts = node.children().filter(|it| it.is_text()).filter_map(|it| it.text());
    let Some(first) = texts.next() else { return Cow::Borrowed("") };
    match texts.next() {
        None => Cow::Borrowed(first),
        // A comment cuts a text in two.
        Some(second) => Cow::Owned([first, second].into_iter().chain(texts).collect()),
    }
}

/// A number as XML Schema writes decimals: no exponent, no thousands.
pub(crate) fn number(text: &str) -> Option<Decimal> {
    let plain = text.bytes().all(|it| it.is_ascii_digit() || matches!(it, b'.' | b'-' | b'+'));
    if plain { text.parse().ok() } else { None }
}

/// The elements with a name directly inside another.
pub(crate) fn children<'a, 'input: 'a>(node: Node<'a, 'input>, name: &str) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(move |it| it.is_element() && it.tag_name().name() == name && belongs(*it))
}

pub(crate) fn child<'a, 'input: 'a>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    children(node, name).next()
}

pub(crate) fn attribute<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
    node.attribute(name).map(str::trim).unwrap_or_default()
}

//! Text in layers that are switched off (optional content, ISO 32000-1, 8.11). What draws the pages leaves such text out
//! without a word, so it is counted here, by the same rules.

use std::collections::HashSet;

use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::hayro_syntax::content::TypedIter;
use hayro_interpret::hayro_syntax::content::ops::TypedInstruction;
use hayro_interpret::hayro_syntax::object::{Array, Dict, MaybeRef, Name, Object, ObjectIdentifier, Stream};
use hayro_interpret::hayro_syntax::page::{Page, Resources};

use super::ink::Budget;

/// Forms within forms.
const DEPTH_MAX: usize = 12;
/// Bytes of a form that count as one operator of the budget, for unpacking it.
const BYTES_PER_OPERATOR: usize = 64;

/// The layers that are switched off.
pub(super) struct Layers {
    off: HashSet<ObjectIdentifier>,
}

/// The budget ended before the content did.
pub(super) struct TooMuch;

impl Layers {
    /// `None` where every layer is shown.
    pub(super) fn of(pdf: &Pdf) -> Option<Layers> {
        let xref = pdf.xref();
        let properties = xref.get::<Dict<'_>>(xref.root_id())?.get::<Dict<'_>>("OCProperties")?;
        let config = properties.get::<Dict<'_>>("D")?;
        let ids = |array: Option<Array<'_>>| -> Vec<ObjectIdentifier> {
            let items = array.into_iter().flat_map(|array| array.raw_iter().collect::<Vec<_>>());
            items
                .filter_map(|item| match item {
                    MaybeRef::Ref(id) => Some(id.into()),
                    MaybeRef::NotRef(_) => None,
                })
                .collect()
        };
        let mut off = HashSet::new();
        if config.get::<Name<'_>>("BaseState").is_some_and(|name| name.as_ref() == b"OFF") {
            off.extend(ids(properties.get("OCGs")));
        }
        for id in ids(config.get("ON")) {
            off.remove(&id);
        }
        off.extend(ids(config.get("OFF")));
        (!off.is_empty()).then_some(Layers { off })
    }

    /// Pieces of text on the page that stand in a layer that is off. Takes what it reads from `budget`.
    pub(super) fn hidden_texts(&self, page: &Page<'_>, budget: &mut Budget) -> Result<usize, TooMuch> {
        let content = page.page_stream().unwrap_or_default();
        self.walk(content, page.resources(), false, DEPTH_MAX, budget)
    }

    fn walk(
        &self,
        content: &[u8],
        resources: &Resources<'_>,
        outer: bool,
        depth: usize,
        budget: &mut Budget,
    ) -> Result<usize, TooMuch> {
        let mut n_hidden = 0;
        let mut hidden = outer;
        let mut sections = Vec::new();
        let mut operators = TypedIter::new(content);
        while let Some(operator) = operators.next() {
            spend(budget, 1)?;
            match operator {
                TypedInstruction::BeginMarkedContentWithProperties(it) => {
                    sections.push(hidden);
                    hidden |= self.section_is_off(it.1, resources);
                }
                TypedInstruction::BeginMarkedContent(_) => sections.push(hidden),
                TypedInstruction::EndMarkedContent(_) => hidden = sections.pop().unwrap_or(outer),
                TypedInstruction::ShowText(_)
                | TypedInstruction::ShowTexts(_)
                | TypedInstruction::NextLineAndShowText(_)
                | TypedInstruction::ShowTextWithParameters(_) => n_hidden += usize::from(hidden),
                TypedInstruction::XObject(it) => {
                    let form = resources.get_x_object(it.0);
                    if let Some(form) = form.filter(|form| 0 < depth && is_form(form)) {
                        n_hidden += self.form(&form, resources, hidden, depth - 1, budget)?;
                    }
                }
                _ => {}
            }
        }
        Ok(n_hidden)
    }

    fn form(
        &self,
        form: &Stream<'_>,
        outer: &Resources<'_>,
        hidden: bool,
        depth: usize,
        budget: &mut Budget,
    ) -> Result<usize, TooMuch> {
        let dict = form.dict();
        let off = dict.get::<Dict<'_>>("OC").is_some_and(|layer| {
            let id = dict.get_ref("OC").map(ObjectIdentifier::from);
            self.is_off(&layer, id)
        });
        let Ok(content) = form.decoded_data() else { return Ok(0) };
        spend(budget, content.len() / BYTES_PER_OPERATOR)?;
        let own = dict.get::<Dict<'_>>("Resources").map(Resources::new);
        self.walk(&content, own.as_ref().unwrap_or(outer), hidden || off, depth, budget)
    }

    /// A section names its layer in the resources, or gives it among its own properties.
    fn section_is_off(&self, properties: &Object<'_>, resources: &Resources<'_>) -> bool {
        let (dict, id) = match properties {
            Object::Name(name) => {
                (resources.properties.get::<Dict<'_>>(name.as_ref()), resources.properties.get_ref(name.as_ref()))
            }
            Object::Dict(dict) => (dict.get::<Dict<'_>>("OC"), dict.get_ref("OC")),
            _ => return false,
        };
        id.is_some_and(|id| self.is_off(&dict.unwrap_or_default(), Some(id.into())))
    }

    fn is_off(&self, layer: &Dict<'_>, id: Option<ObjectIdentifier>) -> bool {
        if layer.get::<Name<'_>>("Type").is_none_or(|name| name.as_ref() != b"OCMD") {
            return id.is_some_and(|id| self.off.contains(&id));
        }
        let mut members: Vec<ObjectIdentifier> = Vec::new();
        match layer.get::<Array<'_>>("OCGs") {
            Some(array) => {
                for item in array.raw_iter() {
                    if let MaybeRef::Ref(id) = item {
                        members.push(id.into());
                    }
                }
            }
            None => members.extend(layer.get_ref("OCGs").map(ObjectIdentifier::from)),
        }
        if members.is_empty() {
            return false;
        }
        let (n_off, n) = (members.iter().filter(|id| self.off.contains(id)).count(), members.len());
        let policy = layer.get::<Name<'_>>("P");
        match policy.as_ref().map(|name| name.as_ref()) {
            Some(b"AllOn") => 0 < n_off,
            Some(b"AnyOff") => n_off == 0,
            Some(b"AllOff") => n_off < n,
            _ => n_off == n,
        }
    }
}

fn is_form(stream: &Stream<'_>) -> bool {
    stream.dict().get::<Name<'_>>("Subtype").is_some_and(|name| name.as_ref() == b"Form")
}

fn spend(budget: &mut Budget, operators: usize) -> Result<(), TooMuch> {
    budget.operators = budget.operators.saturating_sub(operators);
    if budget.operators == 0 { Err(TooMuch) } else { Ok(()) }
}

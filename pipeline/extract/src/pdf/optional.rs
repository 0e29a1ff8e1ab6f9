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
/// Expressions of visibility within such expressions. What is nested deeper counts as switched off.
const EXPRESSION_DEPTH_MAX: usize = 16;
/// Groups, and parts of one expression, that are looked at.
const GROUPS_MAX: usize = 10_000;
const PARTS_MAX: usize = 256;
/// Bytes of a form that count as one operator of the budget, for unpacking it.
const BYTES_PER_OPERATOR: usize = 64;

/// The layers that are switched off, for the screen or on paper.
pub(super) struct Layers {
    off: HashSet<ObjectIdentifier>,
}

/// The budget ended before the content did.
pub(super) struct TooMuch;

impl Layers {
    /// `None` where the document has no layers.
    pub(super) fn of(pdf: &Pdf) -> Option<Layers> {
        let xref = pdf.xref();
        let properties = xref.get::<Dict<'_>>(xref.root_id())?.get::<Dict<'_>>("OCProperties")?;
        let Some(config) = properties.get::<Dict<'_>>("D") else { return Some(Layers { off: HashSet::new() }) };
        let mut off = HashSet::new();
        if named(&config, "BaseState", b"OFF") {
            off.extend(groups(properties.get("OCGs")));
        }
        for id in groups(config.get("ON")) {
            off.remove(&id);
        }
        off.extend(groups(config.get("OFF")));
        // A viewer switches these by their usage when it opens the document and when it prints (8.11.4.4).
        let applied = config.get::<Array<'_>>("AS");
        for applied in applied.iter().flat_map(|it| it.iter::<Dict<'_>>()).take(GROUPS_MAX) {
            if named(&applied, "Event", b"Export") {
                continue;
            }
            let unusual = |id: &ObjectIdentifier| {
                let usage = xref.get::<Dict<'_>>(*id).and_then(|group| group.get::<Dict<'_>>("Usage"));
                let is_off = |usage: &Dict<'_>, name: &str, state: &str| {
                    usage.get::<Dict<'_>>(name).is_some_and(|it| named(&it, state, b"OFF"))
                };
                usage.is_some_and(|it| is_off(&it, "View", "ViewState") || is_off(&it, "Print", "PrintState"))
            };
            off.extend(groups(applied.get("OCGs")).into_iter().filter(unusual));
        }
        Some(Layers { off })
    }

    /// Is a section with these properties in a layer that is off?
    pub(super) fn switch_off(&self, properties: &Dict<'_>) -> bool {
        match properties.get::<Dict<'_>>("OC") {
            Some(layer) => self.is_off(&layer, properties.get_ref("OC").map(ObjectIdentifier::from)),
            None => self.is_off(properties, properties.obj_id()),
        }
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
        if !named(layer, "Type", b"OCMD") {
            return id.is_some_and(|id| self.off.contains(&id));
        }
        // Where it has an expression, its groups are for programs that cannot evaluate one.
        if let Some(expression) = layer.get::<Array<'_>>("VE") {
            return !self.shows(&expression, EXPRESSION_DEPTH_MAX);
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

    /// The value of an expression of visibility (8.11.2.2): an operator, then groups and expressions. `false` where it is
    /// none.
    fn shows(&self, expression: &Array<'_>, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return false };
        let raw: Vec<MaybeRef<Object<'_>>> = expression.raw_iter().take(PARTS_MAX + 1).collect();
        let values: Vec<Object<'_>> = expression.iter().take(PARTS_MAX + 1).collect();
        // The values end at a group that is not in the file.
        if PARTS_MAX < raw.len() || values.len() < raw.len() {
            return false;
        }
        let mut parts = raw.into_iter().zip(values);
        let operator = parts.next().and_then(|(_, operator)| operator.into_name());
        let mut parts = parts.map(|(part, value)| match (part, value) {
            (_, Object::Array(inner)) => self.shows(&inner, depth),
            (MaybeRef::Ref(id), _) => !self.off.contains(&id.into()),
            (MaybeRef::NotRef(_), _) => false,
        });
        match operator.as_ref().map(|name| name.as_ref()) {
            Some(b"And") => parts.all(|it| it),
            Some(b"Or") => parts.any(|it| it),
            Some(b"Not") => parts.next().is_some_and(|it| !it),
            _ => false,
        }
    }
}

/// The groups that an array names.
fn groups(array: Option<Array<'_>>) -> Vec<ObjectIdentifier> {
    let items = array.iter().flat_map(Array::raw_iter).take(GROUPS_MAX);
    items
        .filter_map(|item| match item {
            MaybeRef::Ref(id) => Some(id.into()),
            MaybeRef::NotRef(_) => None,
        })
        .collect()
}

fn named(dict: &Dict<'_>, key: &str, name: &[u8]) -> bool {
    dict.get::<Name<'_>>(key).is_some_and(|it| it.as_ref() == name)
}

fn is_form(stream: &Stream<'_>) -> bool {
    named(stream.dict(), "Subtype", b"Form")
}

fn spend(budget: &mut Budget, operators: usize) -> Result<(), TooMuch> {
    budget.operators = budget.operators.saturating_sub(operators);
    if budget.operators == 0 { Err(TooMuch) } else { Ok(()) }
}

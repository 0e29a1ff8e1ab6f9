//! The values of a case as a page shows them: each with the place it came from, linked both ways.

use std::collections::{BTreeMap, BTreeSet};

use case::{Case, Evidence, Extraction, Field, FieldName, LineField, Severity, VatField};

use crate::page::People;
use crate::words::Lang;

/// More lines than this are not shown; the original has them.
pub(crate) const LINES_SHOWN_MAX: usize = 200;

/// A reader that is this sure needs no word about it. What holds a case is the policy's own limit, and a finding.
const SURE_MIN: f64 = 0.9;

/// One value. Its row is `#v-…`, its rectangle `#r-…`, with the field's name.
#[derive(Debug, Default)]
pub(crate) struct Value {
    pub(crate) name: String,
    pub(crate) title: String,
    /// As the language writes it.
    pub(crate) shown: String,
    /// As it was read: what a form offers for correction.
    pub(crate) raw: String,
    pub(crate) place: Option<Place>,
    /// What stands there, where it differs from the value.
    pub(crate) quote: Option<String>,
    /// In percent, where the reader is not sure.
    pub(crate) sure: Option<String>,
    /// The weight of the finding about it.
    pub(crate) flag: Option<&'static str>,
    pub(crate) figure: bool,
}

#[derive(Debug)]
pub(crate) enum Place {
    Page(u32),
    Text(String),
}

#[derive(Debug)]
pub(crate) struct Rect {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) flag: Option<&'static str>,
}

#[derive(Debug)]
pub(crate) struct PageView {
    pub(crate) n: usize,
    /// In points.
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) pictured: bool,
    pub(crate) rects: Vec<Rect>,
}

#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) title: &'static str,
    pub(crate) values: Vec<Value>,
}

#[derive(Debug, Default)]
pub(crate) struct Table {
    /// With whether the column holds figures.
    pub(crate) heads: Vec<(&'static str, bool)>,
    pub(crate) rows: Vec<Vec<Value>>,
}

/// All values of a case.
#[derive(Debug, Default)]
pub(crate) struct Values {
    pub(crate) pages: Vec<PageView>,
    pub(crate) groups: Vec<Group>,
    pub(crate) parties: Vec<Value>,
    pub(crate) vat: Table,
    pub(crate) lines: Table,
    pub(crate) lines_cut: bool,
    /// The last line is an empty one, to be filled in.
    pub(crate) new_line: bool,
    pub(crate) clauses: Vec<Value>,
    pub(crate) notes: Vec<(String, String)>,
    /// Of each place that has a rectangle, its name.
    rects: BTreeMap<PlaceKey, String>,
}

/// A page and the sides of an area on it, by their bits.
type PlaceKey = (u32, [u64; 4]);

/// How a page is wanted.
#[derive(Clone, Copy)]
pub(crate) struct Wish<'a> {
    pub(crate) lang: Lang,
    pub(crate) people: &'a People,
    /// As a form: fields without a value are there too.
    pub(crate) editing: bool,
    /// What was typed before and refused, by field name.
    pub(crate) typed: &'a BTreeMap<String, String>,
}

impl Values {
    pub(crate) fn of(case: &Case, wish: Wish<'_>) -> Values {
        let Some(extraction) = &case.extraction else { return Values::default() };
        let mut writing = Writing { wish, flags: flags(case), pages: pages(case, extraction), rects: BTreeMap::new() };
        let single = &extraction.fields.single;
        let w = wish.lang.words();
        let groups = [
            (w.document, &DOCUMENT[..], false),
            (w.seller, &SELLER, false),
            (w.buyer, &BUYER, false),
            (w.payment, &PAYMENT, false),
            (w.totals, &TOTALS, false),
            (w.contract, &CONTRACT, true),
        ];
        let mut shown = Vec::new();
        for (title, names, about_contract) in groups {
            let fits = about_contract == (extraction.kind == case::Kind::Contract) || names == PAYMENT;
            let mut values = Vec::new();
            for name in names {
                let field = single.get(name);
                if field.is_some() || (wish.editing && fits) {
                    values.push(writing.value(name.name().to_owned(), wish.lang.field(*name), form_of(*name), field));
                }
            }
            if !values.is_empty() {
                shown.push(Group { title, values });
            }
        }
        let parties = (1..).zip(&extraction.fields.parties);
        let parties =
            parties.map(|(n, field)| writing.value(format!("party.{n}"), w.parties, Form::Text, Some(field))).collect();
        let vat = writing.table(&extraction.fields.vat_breakdown, "vat", VatField::ALL, VatField::name, |it| {
            (wish.lang.vat_field(it), if it == VatField::Category { Form::Text } else { Form::Amount })
        });
        let (lines, new_line) = writing.lines(extraction);
        let mut clauses = Vec::new();
        for (n, clause) in (1..).zip(&extraction.clauses) {
            let value = clause.value.clone().unwrap_or_else(|| clause.evidence.text().to_owned());
            let field = Field { value, confidence: clause.confidence, evidence: clause.evidence.clone() };
            let mut value =
                writing.value(format!("clause.{n}"), &wish.lang.clause(&clause.category), Form::Text, Some(&field));
            value.flag = writing.flags.get(&clause.category).map(|severity| flag(*severity));
            clauses.push(value);
        }
        Values {
            groups: shown,
            parties,
            vat,
            lines,
            new_line,
            lines_cut: LINES_SHOWN_MAX < extraction.lines.len(),
            clauses,
            notes: extraction.notes.iter().map(|note| (note.code.replace('_', " "), note.message.clone())).collect(),
            pages: writing.pages,
            rects: writing.rects,
        }
    }

    /// The name of the rectangle at this place.
    pub(crate) fn rect(&self, evidence: &Evidence) -> Option<&str> {
        self.rects.get(&place_key(evidence)?).map(String::as_str)
    }

    /// The names of all values that are shown, so that a finding links only to what is there.
    pub(crate) fn names(&self) -> BTreeSet<&str> {
        let groups = self.groups.iter().flat_map(|group| &group.values);
        let tables = self.vat.rows.iter().chain(&self.lines.rows).flatten();
        groups.chain(tables).chain(&self.parties).chain(&self.clauses).map(|value| value.name.as_str()).collect()
    }
}

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Day,
    Amount,
}

const DOCUMENT: [FieldName; 12] = [
    FieldName::Number,
    FieldName::TypeCode,
    FieldName::IssueDate,
    FieldName::DueDate,
    FieldName::DeliveryDate,
    FieldName::PeriodFrom,
    FieldName::PeriodTo,
    FieldName::Currency,
    FieldName::OrderRef,
    FieldName::ContractRef,
    FieldName::BuyerRef,
    FieldName::PrecedingInvoice,
];
const SELLER: [FieldName; 4] =
    [FieldName::SellerName, FieldName::SellerVatId, FieldName::SellerTaxId, FieldName::SellerCountry];
const BUYER: [FieldName; 4] =
    [FieldName::BuyerName, FieldName::BuyerVatId, FieldName::BuyerTaxId, FieldName::BuyerCountry];
const PAYMENT: [FieldName; 3] = [FieldName::Iban, FieldName::Bic, FieldName::PaymentTerms];
const TOTALS: [FieldName; 11] = [
    FieldName::LineTotal,
    FieldName::AllowanceTotal,
    FieldName::ChargeTotal,
    FieldName::NetTotal,
    FieldName::TaxTotal,
    FieldName::GrossTotal,
    FieldName::Prepaid,
    FieldName::Withholding,
    FieldName::StampDuty,
    FieldName::Rounding,
    FieldName::Payable,
];
const CONTRACT: [FieldName; 10] = [
    FieldName::Title,
    FieldName::AgreementDate,
    FieldName::EffectiveDate,
    FieldName::ExpirationDate,
    FieldName::Term,
    FieldName::Renewal,
    FieldName::NoticePeriod,
    FieldName::GoverningLaw,
    FieldName::Jurisdiction,
    FieldName::Value,
];
/// The columns that a form of lines always has.
const LINE_COLUMNS: [LineField; 6] = [
    LineField::Name,
    LineField::Quantity,
    LineField::Unit,
    LineField::UnitPrice,
    LineField::NetAmount,
    LineField::VatRate,
];

fn form_of(name: FieldName) -> Form {
    match name {
        FieldName::IssueDate
        | FieldName::DueDate
        | FieldName::DeliveryDate
        | FieldName::PeriodFrom
        | FieldName::PeriodTo
        | FieldName::AgreementDate
        | FieldName::EffectiveDate
        | FieldName::ExpirationDate => Form::Day,
        FieldName::Value => Form::Amount,
        name if TOTALS.contains(&name) => Form::Amount,
        _ => Form::Text,
    }
}

fn line_form(name: LineField) -> Form {
    match name {
        LineField::Quantity
        | LineField::UnitPrice
        | LineField::PriceBase
        | LineField::NetAmount
        | LineField::VatRate
        | LineField::Allowance
        | LineField::Charge
        | LineField::Tax => Form::Amount,
        _ => Form::Text,
    }
}

/// The weightiest finding about each field.
fn flags(case: &Case) -> BTreeMap<String, Severity> {
    let mut flags = BTreeMap::new();
    for finding in &case.findings {
        for field in &finding.fields {
            let weight = flags.entry(field.clone()).or_insert(finding.severity);
            *weight = (*weight).max(finding.severity);
        }
    }
    flags
}

pub(crate) fn flag(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Review => "review",
        Severity::Hold => "hold",
        Severity::Stop => "stop",
    }
}

fn pages(case: &Case, extraction: &Extraction) -> Vec<PageView> {
    let page = |(idx, size): (usize, &case::PageSize)| PageView {
        n: idx + 1,
        width: size.width,
        height: size.height,
        pictured: idx < case.pictures.len(),
        rects: Vec::new(),
    };
    extraction.pages.iter().enumerate().map(page).collect()
}

fn place_key(evidence: &Evidence) -> Option<PlaceKey> {
    match evidence {
        Evidence::Page { page, area, .. } => Some((*page, area.map(f64::to_bits))),
        _ => None,
    }
}

/// A place in words.
pub(crate) fn place_text(evidence: &Evidence, lang: Lang, people: &People) -> String {
    let w = lang.words();
    match evidence {
        Evidence::Page { page, .. } => format!("{} {page}", w.page),
        Evidence::Element { path, .. } => path.clone(),
        Evidence::Cell { sheet, cell, .. } => format!("{sheet}!{cell}"),
        Evidence::Span { start, end, .. } => format!("{} {start}–{end}", w.characters),
        Evidence::Person { person, .. } => format!("{} {}", w.by_person, people.name(person)),
    }
}

struct Writing<'a> {
    wish: Wish<'a>,
    flags: BTreeMap<String, Severity>,
    pages: Vec<PageView>,
    rects: BTreeMap<PlaceKey, String>,
}

impl Writing<'_> {
    fn value(&mut self, name: String, title: &str, form: Form, field: Option<&Field>) -> Value {
        let lang = self.wish.lang;
        let typed = self.wish.typed.get(&name);
        let flag = self.flags.get(&name).map(|severity| flag(*severity));
        let mut value = Value { title: title.to_owned(), flag, figure: form == Form::Amount, ..Value::default() };
        if let Some(field) = field {
            value.shown = match form {
                Form::Text => field.value.clone(),
                Form::Day => lang.day_text(&field.value),
                Form::Amount => lang.amount_text(&field.value),
            };
            value.raw = field.value.clone();
            value.sure = (field.confidence < SURE_MIN).then(|| format!("{:.0} %", (field.confidence * 100.0).floor()));
            value.place = Some(self.place(&name, title, flag, &field.evidence));
            let text = field.evidence.text();
            let letters = |text: &str| text.chars().filter(|ch| ch.is_alphanumeric()).collect::<String>();
            let said = |other: &str| letters(text) == letters(other);
            value.quote =
                (!text.trim().is_empty() && !said(&field.value) && !said(&value.shown)).then(|| text.to_owned());
        }
        if let Some(typed) = typed {
            value.raw.clone_from(typed);
        }
        value.name = name;
        value
    }

    fn place(&mut self, name: &str, title: &str, flag: Option<&'static str>, evidence: &Evidence) -> Place {
        let Evidence::Page { page, area: [left, top, right, bottom], .. } = evidence else {
            return Place::Text(place_text(evidence, self.wish.lang, self.wish.people));
        };
        let view = (*page as usize).checked_sub(1).and_then(|idx| self.pages.get_mut(idx));
        if let Some(view) = view {
            // A little air around the letters, and nothing off the page.
            let x = (left - 2.0).clamp(0.0, view.width);
            let y = (top - 2.0).clamp(0.0, view.height);
            let width = (right + 2.0).clamp(x, view.width) - x;
            let height = (bottom + 2.0).clamp(y, view.height) - y;
            view.rects.push(Rect { name: name.to_owned(), title: title.to_owned(), x, y, width, height, flag });
            if let Some(key) = place_key(evidence) {
                self.rects.entry(key).or_insert_with(|| name.to_owned());
            }
        }
        Place::Page(*page)
    }

    /// The columns that any row has, in the order of the list.
    fn table<K: Copy + Ord + 'static>(
        &mut self,
        rows: &[BTreeMap<K, Field>],
        prefix: &str,
        all: &[K],
        name: impl Fn(K) -> &'static str,
        column: impl Fn(K) -> (&'static str, Form),
    ) -> Table {
        let used: Vec<K> = all.iter().copied().filter(|key| rows.iter().any(|row| row.contains_key(key))).collect();
        self.rows(rows, prefix, &used, name, column)
    }

    fn rows<K: Copy + Ord>(
        &mut self,
        rows: &[BTreeMap<K, Field>],
        prefix: &str,
        columns: &[K],
        name: impl Fn(K) -> &'static str,
        column: impl Fn(K) -> (&'static str, Form),
    ) -> Table {
        let mut table = Table {
            heads: columns.iter().map(|key| column(*key)).map(|(title, form)| (title, form == Form::Amount)).collect(),
            rows: Vec::new(),
        };
        for (n, row) in (1..).zip(rows) {
            let cell = |key: &K| {
                let (title, form) = column(*key);
                self.value(format!("{prefix}.{n}.{}", name(*key)), title, form, row.get(key))
            };
            table.rows.push(columns.iter().map(cell).collect());
        }
        table
    }

    fn lines(&mut self, extraction: &Extraction) -> (Table, bool) {
        let lang = self.wish.lang;
        let some = extraction.lines.iter().take(LINES_SHOWN_MAX);
        let mut lines: Vec<BTreeMap<LineField, Field>> = some.cloned().collect();
        let whole = lines.len() == extraction.lines.len();
        let billed = extraction.kind.billed();
        let used = |key: &LineField| lines.iter().any(|line| line.contains_key(key));
        let asked = |key: &LineField| self.wish.editing && billed && LINE_COLUMNS.contains(key);
        let columns: Vec<LineField> = LineField::ALL.iter().copied().filter(|key| used(key) || asked(key)).collect();
        let new_line = self.wish.editing && billed && whole && lines.len() < case::LINES_MAX;
        if new_line {
            lines.push(BTreeMap::new());
        }
        let table = self.rows(&lines, "lines", &columns, LineField::name, |it| (lang.line_field(it), line_form(it)));
        (table, new_line)
    }
}

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Format, Kind, Labelled};

/// What the reader says it read, and where it read it.
///
/// INVARIANT (every field has evidence): the only constructor from bytes is [`Extraction::from_untrusted`],
/// because the process that wrote those bytes has read hostile input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extraction {
    pub kind: Kind,
    pub format: Format,
    /// ISO 639-1, where the reader is sure.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub language: Option<String>,
    pub coverage: Coverage,
    /// Width and height of each page in points; empty for formats without pages.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub pages: Vec<PageSize>,
    pub fields: Fields,
    #[serde(default)]
    pub lines: Vec<BTreeMap<LineField, Field>>,
    #[serde(default)]
    pub clauses: Vec<Clause>,
    #[serde(default)]
    pub notes: Vec<Note>,
    /// What stands beside and below labels of a page, whatever it means: reviewers' corrections are learned from it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub labelled: Vec<Labelled>,
    /// The specification whose published rules the document was checked by: `en16931`, `xrechnung`, `peppol`,
    /// `factur-x-basic`, …. Absent where it was checked by none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub profile: Option<String>,
    /// Where it breaks them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub breaches: Vec<Breach>,
}

/// INVARIANT (fail closed): `read < pages` or `hidden_text > 0` becomes a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Pages, sheets or, for formats without either, 1.
    pub pages: u32,
    pub read: u32,
    /// Pieces of text that no eye sees.
    pub hidden_text: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageSize {
    pub width: f64,
    pub height: f64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fields {
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub parties: Vec<Field>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub vat_breakdown: Vec<BTreeMap<VatField, Field>>,
    #[serde(flatten)]
    pub single: BTreeMap<FieldName, Field>,
}

/// Dates are ISO 8601, amounts and quantities decimal strings with a point, currencies ISO 4217, identifiers
/// without spaces (of electronic invoices: as they stand there), names as printed. A value that was not found is absent: never null, empty or guessed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    pub value: String,
    /// A probability: of all values given with 0.9, nine in ten are right.
    pub confidence: f64,
    pub evidence: Evidence,
}

/// Where a value stands. `text` is what stands there, before it was normalised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, try_from = "Place")]
pub enum Evidence {
    /// `area` is left, top, right, bottom in PDF points from the top left corner of the page; pages count from 1.
    Page {
        page: u32,
        #[serde(rename = "box")]
        area: [f64; 4],
        text: String,
    },
    /// An element of an XML document, as an absolute path of local names with positions: `/Invoice/ID`, `/Invoice/InvoiceLine[2]/ID`.
    Element { path: String, text: String },
    /// A cell in A1 notation.
    Cell { sheet: String, cell: String, text: String },
    /// Characters (not bytes) of the document's text; `end` is exclusive.
    Span { start: u64, end: u64, text: String },
    /// A person read it: the correction of a reviewer. Never accepted from the reader.
    Person { person: String, text: String },
}

/// Evidence as it is written. A case has hundreds, and asking kind after kind whether it is this one takes half as long again
/// as reading the case.
#[derive(Deserialize)]
struct Place {
    text: String,
    page: Option<u32>,
    #[serde(rename = "box")]
    area: Option<[f64; 4]>,
    path: Option<String>,
    sheet: Option<String>,
    cell: Option<String>,
    start: Option<u64>,
    end: Option<u64>,
    person: Option<String>,
}

impl TryFrom<Place> for Evidence {
    type Error = &'static str;

    fn try_from(place: Place) -> Result<Evidence, &'static str> {
        let Place { text, page, area, path, sheet, cell, start, end, person } = place;
        Ok(match (page.zip(area), path, sheet.zip(cell), start.zip(end), person) {
            (Some((page, area)), ..) => Evidence::Page { page, area, text },
            (_, Some(path), ..) => Evidence::Element { path, text },
            (_, _, Some((sheet, cell)), ..) => Evidence::Cell { sheet, cell, text },
            (_, _, _, Some((start, end)), _) => Evidence::Span { start, end, text },
            (.., Some(person)) => Evidence::Person { person, text },
            _ => return Err("it names no page, path, cell, characters or person"),
        })
    }
}

impl Evidence {
    /// What stands there.
    pub fn text(&self) -> &str {
        match self {
            Evidence::Page { text, .. }
            | Evidence::Element { text, .. }
            | Evidence::Cell { text, .. }
            | Evidence::Span { text, .. }
            | Evidence::Person { text, .. } => text,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// CUAD's categories in snake case, and ours beside them (`cap_on_liability`, `governing_law`, …).
    pub category: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<String>,
    pub confidence: f64,
    pub evidence: Evidence,
}

/// Something the reader wants a person to know about the reading: a skipped part, hidden rows, tracked changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// Short and stable: `hidden_rows`, `tracked_changes`, `formula_without_value`, `page_unreadable`, …
    pub code: String,
    pub message: String,
}

/// A published rule of the standard that the document breaks at one place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breach {
    /// The published id: `BR-CO-10`.
    pub rule: String,
    /// The published weight: fatal, or a warning.
    pub fatal: bool,
    /// What the standard asks for.
    pub message: String,
    /// The business terms it is about: `BT-106`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub terms: Vec<String>,
    pub evidence: Evidence,
}

/// A closed list of names with one text each, used as keys of the answer.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident: $($variant:ident = $text:literal),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $(#[serde(rename = $text)] $variant),+ }

        impl $name {
            pub const ALL: &[$name] = &[$($name::$variant),+];

            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }

            pub fn named(text: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|it| it.name() == text)
            }
        }
    };
}

names! {
    /// Header fields of invoices, credit notes and contracts. Totals follow EN 16931: `line_total` BT-106,
    /// `net_total` BT-109, `tax_total` BT-110, `gross_total` BT-112, `payable` BT-115. `withholding` is the tax that the
    /// buyer pays for the seller, and so keeps back from the amount due; `stamp_duty` may be charged beside the VAT. Of Chinese invoices alone: `invoice_code`
    /// (发票代码, of those with numbers of eight digits), `fapiao_kind` (as printed), `gross_upper` (大写, as printed) and `qr`
    /// (what the QR code says).
    FieldName:
    Number = "number", TypeCode = "type_code", IssueDate = "issue_date", DueDate = "due_date",
    DeliveryDate = "delivery_date", PeriodFrom = "period_from", PeriodTo = "period_to", Currency = "currency", OrderRef = "order_ref", ContractRef = "contract_ref",
    BuyerRef = "buyer_ref", PrecedingInvoice = "preceding_invoice",
    SellerName = "seller_name", SellerVatId = "seller_vat_id", SellerTaxId = "seller_tax_id",
    SellerCountry = "seller_country", BuyerName = "buyer_name", BuyerVatId = "buyer_vat_id",
    BuyerTaxId = "buyer_tax_id", BuyerCountry = "buyer_country", Iban = "iban", Bic = "bic",
    PaymentTerms = "payment_terms", LineTotal = "line_total", AllowanceTotal = "allowance_total",
    ChargeTotal = "charge_total", NetTotal = "net_total", TaxTotal = "tax_total", GrossTotal = "gross_total",
    Prepaid = "prepaid", Withholding = "withholding", StampDuty = "stamp_duty", Rounding = "rounding", Payable = "payable",
    InvoiceCode = "invoice_code", FapiaoKind = "fapiao_kind", GrossUpper = "gross_upper", Qr = "qr",
    Title = "title", AgreementDate = "agreement_date", EffectiveDate = "effective_date",
    ExpirationDate = "expiration_date", Term = "term", Renewal = "renewal", NoticePeriod = "notice_period",
    GoverningLaw = "governing_law", Jurisdiction = "jurisdiction", Value = "value",
}

names! {
    /// Fields of an invoice line. `order_line` is BT-132; `price_base` is BT-149, the quantity that `unit_price` is for;
    /// `tax` is the VAT of the line, where a form of invoice states it.
    LineField:
    Id = "id", Name = "name", Quantity = "quantity", Unit = "unit", UnitPrice = "unit_price", PriceBase = "price_base",
    NetAmount = "net_amount", VatCategory = "vat_category", VatRate = "vat_rate", OrderRef = "order_ref",
    OrderLine = "order_line", Item = "item",
    Allowance = "allowance", Charge = "charge", Tax = "tax",
}

names! {
    /// One group of the VAT breakdown (BG-23).
    VatField: Category = "category", Rate = "rate", Taxable = "taxable", Tax = "tax",
}

pub const ANSWER_BYTES_MAX: usize = 4 << 20;
pub const LINES_MAX: usize = 10_000;
pub const PAGES_MAX: usize = 500;
pub const LABELLED_MAX: usize = 300;
pub const BREACHES_MAX: usize = 1_000;
const TERMS_MAX: usize = 20;
const CLAUSES_MAX: usize = 2_000;
const NOTES_MAX: usize = 1_000;
const PARTIES_MAX: usize = 100;
const VAT_GROUPS_MAX: usize = 200;
const TEXT_CHARS_MAX: usize = 20_000;

/// Why an answer of the reader was not believed.
#[derive(Debug, Error, PartialEq)]
pub enum Malformed {
    #[error("the answer has {size} bytes, more than the {max} allowed")]
    TooLarge { size: usize, max: usize },
    #[error("the answer has {count} {what}, more than the {max} allowed")]
    TooMany { what: &'static str, count: usize, max: usize },
    #[error("`{field}` points at page {page} of {pages}")]
    NoSuchPage { field: String, page: u32, pages: usize },
    #[error("`{field}` has an area that is empty or off the page")]
    NoArea { field: String },
    #[error("`{field}` has an empty value")]
    EmptyValue { field: String },
    #[error("`{field}` has {chars} characters, more than the {max} allowed")]
    TooLong { field: String, chars: usize, max: usize },
    #[error("`{field}` has a confidence of {confidence}, outside 0 to 1")]
    NoProbability { field: String, confidence: f64 },
    #[error("`{field}` claims that a person read it")]
    NotAPerson { field: String },
    #[error("`{field}` ends before it starts")]
    NoSpan { field: String },
    #[error("the coverage says {read} of {pages} pages were read")]
    Coverage { pages: u32, read: u32 },
    #[error("the answer is not valid: {0}")]
    Syntax(String),
}

impl Extraction {
    /// An answer that says nothing yet, about a document of one part.
    pub fn blank(kind: Kind, format: Format) -> Extraction {
        Extraction {
            kind,
            format,
            language: None,
            coverage: Coverage { pages: 1, read: 1, hidden_text: 0 },
            pages: Vec::new(),
            fields: Fields::default(),
            lines: Vec::new(),
            clauses: Vec::new(),
            notes: Vec::new(),
            labelled: Vec::new(),
            profile: None,
            breaches: Vec::new(),
        }
    }

    /// Turns the reader's answer into a type, once. It has read a hostile document, so its answer is hostile too.
    pub fn from_untrusted(bytes: &[u8]) -> Result<Extraction, Malformed> {
        if ANSWER_BYTES_MAX < bytes.len() {
            return Err(Malformed::TooLarge { size: bytes.len(), max: ANSWER_BYTES_MAX });
        }
        let answer: Extraction = serde_json::from_slice(bytes).map_err(|err| Malformed::Syntax(err.to_string()))?;
        answer.check()?;
        Ok(answer)
    }

    fn check(&self) -> Result<(), Malformed> {
        for (what, count, max) in [
            ("lines", self.lines.len(), LINES_MAX),
            ("pages", self.pages.len(), PAGES_MAX),
            ("clauses", self.clauses.len(), CLAUSES_MAX),
            ("notes", self.notes.len(), NOTES_MAX),
            ("labels", self.labelled.len(), LABELLED_MAX),
            ("breaches", self.breaches.len(), BREACHES_MAX),
            ("parties", self.fields.parties.len(), PARTIES_MAX),
            ("VAT groups", self.fields.vat_breakdown.len(), VAT_GROUPS_MAX),
        ] {
            if max < count {
                return Err(Malformed::TooMany { what, count, max });
            }
        }
        let Coverage { pages, read, .. } = self.coverage;
        if pages == 0 || pages < read {
            return Err(Malformed::Coverage { pages, read });
        }
        if self.pages.iter().any(|page| !(1.0..=1e6).contains(&page.width) || !(1.0..=1e6).contains(&page.height)) {
            return Err(Malformed::NoArea { field: "pages".into() });
        }
        for (name, field) in &self.fields.single {
            self.check_field(name.name(), field)?;
        }
        for field in &self.fields.parties {
            self.check_field("parties", field)?;
        }
        for (name, field) in self.fields.vat_breakdown.iter().flatten() {
            self.check_field(name.name(), field)?;
        }
        for (name, field) in self.lines.iter().flatten() {
            self.check_field(name.name(), field)?;
        }
        for clause in &self.clauses {
            self.check_text(&clause.category, &clause.category)?;
            self.check_value(&clause.category, clause.confidence, &clause.evidence)?;
        }
        for note in &self.notes {
            self.check_text("note", &note.code)?;
            self.check_text("note", &note.message)?;
        }
        for labelled in &self.labelled {
            let texts = [Some(&labelled.label), labelled.date.as_ref(), labelled.amount.as_ref()];
            texts.into_iter().flatten().try_for_each(|text| self.check_text("label", text))?;
            self.check_value("label", 1.0, &labelled.evidence)?;
        }
        if let Some(profile) = &self.profile {
            self.check_text("profile", profile)?;
        }
        for breach in &self.breaches {
            self.check_text("breach", &breach.rule)?;
            self.check_text("breach", &breach.message)?;
            self.check_value(&breach.rule, 1.0, &breach.evidence)?;
            if TERMS_MAX < breach.terms.len() {
                return Err(Malformed::TooMany { what: "terms", count: breach.terms.len(), max: TERMS_MAX });
            }
            for term in &breach.terms {
                self.check_text("breach", term)?;
            }
        }
        Ok(())
    }

    fn check_field(&self, name: &str, field: &Field) -> Result<(), Malformed> {
        self.check_text(name, &field.value)?;
        self.check_value(name, field.confidence, &field.evidence)
    }

    fn check_text(&self, name: &str, text: &str) -> Result<(), Malformed> {
        if text.trim().is_empty() {
            return Err(Malformed::EmptyValue { field: name.to_owned() });
        }
        let chars = text.chars().count();
        if TEXT_CHARS_MAX < chars {
            return Err(Malformed::TooLong { field: name.to_owned(), chars, max: TEXT_CHARS_MAX });
        }
        Ok(())
    }

    fn check_value(&self, name: &str, confidence: f64, evidence: &Evidence) -> Result<(), Malformed> {
        let field = || name.to_owned();
        if !(0.0..=1.0).contains(&confidence) {
            return Err(Malformed::NoProbability { field: field(), confidence });
        }
        let text = match evidence {
            Evidence::Page { page, area: [left, top, right, bottom], text } => {
                let Some(size) = (*page as usize).checked_sub(1).and_then(|idx| self.pages.get(idx)) else {
                    return Err(Malformed::NoSuchPage { field: field(), page: *page, pages: self.pages.len() });
                };
                // A glyph may reach over the edge by its own overhang; one that lies wholly outside is not on the page.
                let inside = *left < *right && *top < *bottom && 0.0 < *right && 0.0 < *bottom;
                if !inside || size.width < *left || size.height < *top {
                    return Err(Malformed::NoArea { field: field() });
                }
                text
            }
            Evidence::Span { start, end, text } => {
                if end <= start {
                    return Err(Malformed::NoSpan { field: field() });
                }
                text
            }
            Evidence::Element { text, .. } | Evidence::Cell { text, .. } => text,
            Evidence::Person { .. } => return Err(Malformed::NotAPerson { field: field() }),
        };
        let chars = text.chars().count();
        if TEXT_CHARS_MAX < chars {
            return Err(Malformed::TooLong { field: field(), chars, max: TEXT_CHARS_MAX });
        }
        Ok(())
    }

    pub fn field(&self, name: FieldName) -> Option<&Field> {
        self.fields.single.get(&name)
    }

    pub fn text(&self, name: FieldName) -> Option<&str> {
        self.field(name).map(|field| field.value.as_str())
    }
}

#[cfg(test)]
mod tests;

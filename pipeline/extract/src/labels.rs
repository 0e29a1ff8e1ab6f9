//! The fields of an invoice from words with places: a label, and the value beside or below it.
//!
//! What labels mean stands in one table (`labels/words.rs`); how a value looks, in `labels/printed.rs`. Sums that add up confirm
//! each other. A value without a label, a form or a place that speaks for it is left out.

mod beside;
mod confidence;
mod dates;
mod footing;
mod kind;
mod parties;
mod positions;
mod printed;
mod totals;
mod wordings;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use case::{Evidence, Field, FieldName, Fields, Kind, Labelled, LineField, Note};

use rust_decimal::Decimal;

use crate::pdf::{Cell, Line, Page, Word, around, joined};
use printed::DateOrder;
pub(crate) use printed::{is_checked_iban, is_iban_length};
use words::{Hit, Meaning};

/// What the labels of a document say.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) kind: Kind,
    pub(crate) language: Option<String>,
    pub(crate) fields: Fields,
    pub(crate) lines: Vec<BTreeMap<LineField, Field>>,
    pub(crate) labelled: Vec<Labelled>,
    pub(crate) notes: Vec<Note>,
}

/// The language that most words of the pages are of (ISO 639-1); `None` when none is clearly ahead.
pub(crate) fn language(pages: &[Page]) -> Option<&'static str> {
    words::language(pages.iter().flat_map(|page| &page.lines).flat_map(Line::words))
}

/// Reads the fields of an invoice or a credit note. Of any other document the kind is unknown and nothing is claimed.
pub(crate) fn read(pages: &[Page]) -> Found {
    let all_words = || pages.iter().flat_map(|page| &page.lines).flat_map(Line::words);
    let language = language(pages);
    let mut sheet = Sheet { pages, hits: words::hits(pages), order: DateOrder::Unknown, kind: Kind::Unknown };
    sheet.order = DateOrder::of(all_words(), sheet.beside_date_labels(), language);
    sheet.kind = kind::read(&sheet);
    let kind = sheet.kind;
    let mut found = Found {
        kind,
        language: language.map(str::to_owned),
        fields: Fields::default(),
        lines: Vec::new(),
        labelled: Vec::new(),
        notes: Vec::new(),
    };
    if !kind.billed() {
        return found;
    }
    let single = &mut found.fields.single;
    for name in [FieldName::Number, FieldName::OrderRef, FieldName::ContractRef] {
        keep(single, name, sheet.labelled(name, printed::reference));
    }
    if !single.contains_key(&FieldName::Number) {
        keep(single, FieldName::Number, dates::number_above_date(&sheet));
    }
    dates::read(&sheet, single);
    if single.get(&FieldName::OrderRef).map(|it| &it.value) == single.get(&FieldName::Number).map(|it| &it.value) {
        single.remove(&FieldName::OrderRef);
    }
    parties::read(&sheet, single);
    let mut positions = positions::read(&sheet);
    totals::read(&sheet, &positions.body, &mut found.fields);
    if positions.lines.is_empty() {
        positions = positions::read_named(&sheet, &found.fields);
    }
    found.lines = positions.lines;
    found.labelled = beside::read(pages, sheet.order);
    found.notes.extend(footing::note_of(&found.fields, &found.lines));
    found.notes.extend(footing::note_unread(&sheet, &found.fields, &found.lines));
    confidence::settle(&mut found.fields, &mut found.lines);
    found
}

/// Every amount that stands on the pages, without zeros at its end.
pub(crate) fn printed_amounts(pages: &[Page]) -> BTreeSet<Decimal> {
    let cells = pages.iter().flat_map(|page| &page.lines).flat_map(|line| &line.cells);
    cells.flat_map(|cell| printed::amounts(&cell.words)).map(|amount| amount.value.normalize()).collect()
}

fn keep(fields: &mut BTreeMap<FieldName, Field>, name: FieldName, field: Option<Field>) {
    if let Some(field) = field {
        fields.insert(name, field);
    }
}

/// The pages with their labels.
struct Sheet<'p> {
    pages: &'p [Page],
    hits: Vec<Hit>,
    order: DateOrder,
    kind: Kind,
}

/// Lines below a label that can hold its value, and labels looked at for one field.
const BELOW_LINES: usize = 4;
const HITS_PER_FIELD_MAX: usize = 200;
/// Another value whose label speaks for it with this share of the best one's weight makes the best one doubtful: neither a
/// number nor a date is then surer than 0.9 (set, not fitted).
const RIVAL: f64 = 0.85;
const RIVALLED: f64 = 0.62;
/// A label in the middle of a cell weighs this much of one that begins it or ends with a colon.
const IN_SENTENCE: f64 = 0.9;
/// What the number of an invoice weighs on a credit note, which may name the invoice that it takes back.
const INVOICE_ON_CREDIT: f64 = 0.7;
/// Words before a label that can say that its value is another document's.
const WORDS_BEFORE: usize = 4;

/// A value and the words it was read from.
type Read = (String, Vec<Word>);

impl<'p> Sheet<'p> {
    fn of(&self, meaning: Meaning) -> impl Iterator<Item = &Hit> {
        self.hits.iter().filter(move |hit| hit.meaning == meaning).take(HITS_PER_FIELD_MAX)
    }

    fn line(&self, page: usize, line: usize) -> Option<&'p Line> {
        self.pages.get(page)?.lines.get(line)
    }

    fn cell(&self, hit: &Hit) -> Option<&'p Cell> {
        self.line(hit.page, hit.line)?.cells.get(hit.cell)
    }

    /// Labels on one line.
    fn hits_on(&self, page: usize, line: usize) -> &[Hit] {
        let start = self.hits.partition_point(|hit| (hit.page, hit.line) < (page, line));
        let end = self.hits.partition_point(|hit| (hit.page, hit.line) <= (page, line));
        self.hits.get(start..end).unwrap_or_default()
    }

    fn begins_with_label(&self, page: usize, line: usize, cell: usize) -> bool {
        self.hits_on(page, line).iter().any(|hit| hit.cell == cell && hit.first == 0)
    }

    /// The words behind a label in its own cell, up to the next label.
    fn tail(&self, hit: &Hit) -> &'p [Word] {
        let words = self.cell(hit).map_or(&[][..], |cell| &cell.words);
        let end = self
            .hits_on(hit.page, hit.line)
            .iter()
            .filter(|other| other.cell == hit.cell && hit.end <= other.first)
            .map(|other| other.first)
            .min()
            .unwrap_or(words.len());
        let tail = words.get(hit.end..end).unwrap_or_default();
        if tail.iter().all(|word| !word.text.contains(|it: char| it.is_alphanumeric())) { &[] } else { tail }
    }

    /// The cell to the right of a label, unless it is another label.
    fn right(&self, hit: &Hit) -> Option<&'p Cell> {
        let line = self.line(hit.page, hit.line)?;
        let colons = |cell: &&Cell| cell.words.iter().all(|word| word.text.chars().all(|it| it == ':'));
        let idx = hit.cell + 1 + line.cells.iter().skip(hit.cell + 1).take_while(colons).count();
        (!self.begins_with_label(hit.page, hit.line, idx)).then(|| line.cells.get(idx))?
    }

    /// Cells under a label that are no labels, nearest first: those that overlap with it, or begin where it begins.
    fn below(&self, hit: &Hit) -> Vec<(usize, &'p Cell)> {
        let [left, _, right, bottom] = hit.area;
        let height = hit.area[3] - hit.area[1];
        let Some(page) = self.pages.get(hit.page) else { return Vec::new() };
        let mut out = Vec::new();
        for (line_idx, line) in page.lines.iter().enumerate().skip(hit.line + 1).take(BELOW_LINES) {
            for (cell_idx, cell) in line.cells.iter().enumerate() {
                let [cell_left, cell_top, cell_right, _] = cell.area();
                let near = cell_top - bottom < 2.5 * height;
                if near
                    && cell_left < right
                    && left < cell_right
                    && !self.begins_with_label(hit.page, line_idx, cell_idx)
                {
                    out.push((line_idx, cell));
                }
            }
        }
        out
    }

    /// It has the number of an invoice, and a total with tax.
    fn is_billed(&self) -> bool {
        let strong = |name| self.of(Meaning::Field(name)).any(|hit| hit.strength == 1.0);
        let number = || self.labelled(FieldName::Number, printed::reference).is_some();
        strong(FieldName::TaxTotal) && (strong(FieldName::GrossTotal) || strong(FieldName::Payable)) && number()
    }

    /// The value of a field: behind, right of or below its best label.
    fn labelled(&self, name: FieldName, read: impl Fn(&[Word]) -> Option<(String, Vec<Word>)>) -> Option<Field> {
        self.labelled_by(name, |hit| self.value_of(hit, &read))
    }

    fn labelled_by(&self, name: FieldName, value_of: impl Fn(&Hit) -> Option<(f64, Read)>) -> Option<Field> {
        let mut found: Vec<(f64, Field)> = Vec::new();
        for hit in self.of(Meaning::Field(name)) {
            // In the middle of a sentence an ordinary word is no label.
            if hit.strength < 1.0 && 0 < hit.first && !hit.alone {
                continue;
            }
            if self.is_of_another(hit) {
                continue;
            }
            let Some((place, (value, words))) = value_of(hit) else { continue };
            let sentence = if 0 < hit.first && !hit.alone { IN_SENTENCE } else { 1.0 };
            let credited = if self.is_invoice_on_credit(hit) { INVOICE_ON_CREDIT } else { 1.0 };
            let score = hit.strength * place * sentence * credited;
            found.push((score, crate::field(value, 0.3 + 0.55 * score, self.evidence(hit.page, &words))));
        }
        // Of equals the first.
        let (best, field) = found.iter().rev().max_by(|(a, _), (b, _)| a.total_cmp(b))?;
        let rivals = found.iter().any(|(score, other)| RIVAL * best <= *score && other.value != field.value);
        let confidence = if rivals { RIVALLED * field.confidence } else { field.confidence };
        Some(Field { confidence, ..field.clone() })
    }

    /// `replaces invoice no.`, `zu unserer Rechnung Nr.`: the number belongs to another document, and so does a date behind it.
    fn is_of_another(&self, hit: &Hit) -> bool {
        let names = |hit: &Hit| {
            let words = self.cell(hit).and_then(|cell| cell.words.get(..hit.first)).unwrap_or_default();
            let near = words.iter().rev().take(WORDS_BEFORE).take_while(|word| !word.text.ends_with([',', ';', ':']));
            near.flat_map(|word| words::tokens(&word.text)).any(|token| wordings::is_elsewhere(&token))
        };
        match hit.meaning {
            Meaning::Field(FieldName::Number) => names(hit),
            Meaning::Field(FieldName::IssueDate) => self
                .hits_on(hit.page, hit.line)
                .iter()
                .filter(|other| other.cell == hit.cell && other.first < hit.first)
                .any(|other| other.meaning == Meaning::Field(FieldName::Number) && names(other)),
            _ => false,
        }
    }

    fn is_invoice_on_credit(&self, hit: &Hit) -> bool {
        let words = self.cell(hit).and_then(|cell| cell.words.get(hit.first..hit.end)).unwrap_or_default();
        self.kind == Kind::CreditNote
            && hit.meaning == Meaning::Field(FieldName::Number)
            && words.iter().flat_map(|word| words::tokens(&word.text)).any(|token| kind::is_invoice_word(&token))
    }

    /// What stands behind, right of or below the labels of dates.
    fn beside_date_labels(&self) -> impl Iterator<Item = &'p Word> {
        let dates = [FieldName::IssueDate, FieldName::DueDate, FieldName::DeliveryDate];
        let hits = dates.into_iter().flat_map(|name| self.of(Meaning::Field(name)));
        hits.flat_map(|hit| {
            let right = self.right(hit).map_or(&[][..], |cell| &cell.words);
            let below = self.below(hit).into_iter().take(1).flat_map(|(_, cell)| &cell.words);
            self.tail(hit).iter().chain(right).chain(below).collect::<Vec<_>>()
        })
    }

    /// A value and how well its place speaks for it.
    fn value_of<T>(&self, hit: &Hit, read: impl Fn(&[Word]) -> Option<T>) -> Option<(f64, T)> {
        let tail = self.tail(hit);
        if let Some(value) = read(tail) {
            return Some((1.0, value));
        }
        // Words that are no value make a weak label part of a sentence.
        if !tail.is_empty() && (hit.strength < 1.0 || 6 < tail.len()) {
            return None;
        }
        if let Some(value) = self.right(hit).and_then(|cell| read(&cell.words)) {
            return Some((0.98, value));
        }
        if !tail.is_empty() {
            return None;
        }
        if let Some(value) = self.below(hit).into_iter().take(2).find_map(|(_, cell)| read(&cell.words)) {
            return Some((0.9, value));
        }
        // Boxes print the label at the left edge and the value at the right edge of the next line.
        let next = self.line(hit.page, hit.line + 1)?;
        let mut cells = next.cells.iter().filter(|cell| hit.area[2] <= cell.area()[0]);
        let (only, near) = (cells.next()?, next.area()[1] - hit.area[3] < 1.5 * (hit.area[3] - hit.area[1]));
        (near && cells.next().is_none() && hit.alone).then(|| read(&only.words))?.map(|value| (0.75, value))
    }

    fn evidence(&self, page: usize, words: &[Word]) -> Evidence {
        let number = self.pages.get(page).map_or(1, |page| page.number);
        Evidence::Page { page: number, area: around(words), text: joined(words) }
    }
}

#[cfg(test)]
mod tests;

//! The fields of an invoice from words with places: a label, and the value beside or below it.
//!
//! What labels mean stands in one table (`labels/words.rs`); how a value looks, in `labels/printed.rs`. Sums that add up confirm
//! each other. A value without a label, a form or a place that speaks for it is left out.

mod beside;
mod confidence;
mod footing;
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

/// Reads the fields of an invoice or a credit note. Of any other document the kind is unknown and nothing is claimed.
pub(crate) fn read(pages: &[Page]) -> Found {
    let all_words = || pages.iter().flat_map(|page| &page.lines).flat_map(Line::words);
    let language = words::language(all_words());
    let sheet = Sheet { pages, hits: words::hits(pages), order: DateOrder::of(all_words(), language) };
    let kind = kind(&sheet);
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
    for name in [FieldName::IssueDate, FieldName::DueDate, FieldName::DeliveryDate] {
        keep(single, name, sheet.labelled(name, |words| printed::date(words, sheet.order)));
    }
    if !single.contains_key(&FieldName::IssueDate) {
        keep(single, FieldName::IssueDate, sheet.date_beside_number().or_else(|| sheet.only_date()));
    }
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

/// A title near the top of the first page tells; without one, labels that only invoices have.
fn kind(sheet: &Sheet<'_>) -> Kind {
    const CREDIT: [&str; 11] = [
        "gutschrift",
        "stornorechnung",
        "rechnungskorrektur",
        "korrekturrechnung",
        "credit",
        "creditnote",
        "avoir",
        "abono",
        "rectificativa",
        "creditnota",
        "creditfactuur",
    ];
    const INVOICE: [&str; 18] = [
        "rechnung",
        "warenrechnung",
        "handelsrechnung",
        "abschlagsrechnung",
        "schlussrechnung",
        "teilrechnung",
        "faktura",
        "invoice",
        "facture",
        "honorarrechnung",
        "beitragsrechnung",
        "proforma",
        "factura",
        "fattura",
        "factuur",
        "fatura",
        "bill",
        "receipt",
    ];
    const OTHER: [(&str, Kind); 6] = [
        ("bestellung", Kind::Order),
        ("purchase order", Kind::Order),
        ("lieferschein", Kind::ReceiptNote),
        ("delivery note", Kind::ReceiptNote),
        ("kontoauszug", Kind::BankStatement),
        ("reisekostenabrechnung", Kind::ExpenseClaim),
    ];
    let Some(page) = sheet.pages.first() else { return Kind::Unknown };
    let cells = || page.lines.iter().flat_map(|line| &line.cells);
    let largest = cells().flat_map(|cell| &cell.words).map(Word::height).fold(0.0, f64::max);
    let mut billed: Option<(f64, Kind)> = None;
    let mut other = billed;
    for cell in cells() {
        let text = cell.text().to_lowercase();
        let spaced: String = text.split_whitespace().filter(|it| it.chars().count() == 1).collect();
        let tokens = words::tokens(&text);
        let starts = |list: &[&str]| {
            list.contains(&spaced.as_str())
                || tokens
                    .iter()
                    .take(2)
                    .any(|it| list.contains(&it.as_str()) || list.iter().any(|word| it.strip_suffix('s') == Some(word)))
        };
        let addressed = tokens
            .iter()
            .take(3)
            .any(|it| ["to", "an", "adresse", "address", "card", "transfer", "note"].contains(&it.as_str()));
        let title = OTHER.iter().find(|(title, _)| tokens == words::tokens(title) && !text.contains(':'));
        let (kind, best) = match title {
            Some((_, kind)) => (*kind, &mut other),
            None if tokens.first().is_some_and(|it| it == "nota")
                && text.contains("credito") | text.contains("crédito") =>
            {
                (Kind::CreditNote, &mut billed)
            }
            None if text.contains("发票") || text.contains("發票") => (Kind::Invoice, &mut billed),
            None if starts(&CREDIT) && (!addressed || text.starts_with("credit note")) => {
                (Kind::CreditNote, &mut billed)
            }
            None if starts(&INVOICE) && !addressed => (Kind::Invoice, &mut billed),
            None => continue,
        };
        // Titles are large, short, and high up.
        let height = cell.words.iter().map(Word::height).fold(0.0, f64::max);
        let score = height / largest.max(1.0) + (1.0 - cell.area()[1] / page.height) - 0.05 * tokens.len() as f64;
        if best.is_none_or(|(other, _)| other < score) {
            *best = Some((score, kind));
        }
    }
    match (billed, other) {
        // Invoices speak of orders and delivery notes; only a title that stands out says that it is one.
        (Some((billed_score, _)), Some((score, kind))) if billed_score + 0.3 < score => kind,
        (Some((_, kind)), _) => kind,
        (None, _) if sheet.is_billed() => Kind::Invoice,
        (None, Some((_, kind))) => kind,
        (None, None) => Kind::Unknown,
    }
}

/// The pages with their labels.
struct Sheet<'p> {
    pages: &'p [Page],
    hits: Vec<Hit>,
    order: DateOrder,
}

/// Lines below a label that can hold its value, and labels looked at for one field.
const BELOW_LINES: usize = 4;
const HITS_PER_FIELD_MAX: usize = 200;
/// Another value whose label speaks for it with this share of the best one's weight makes the best one doubtful, by this much.
const RIVAL: f64 = 0.85;
const RIVALLED: f64 = 0.8;

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
        let mut found: Vec<(f64, Field)> = Vec::new();
        for hit in self.of(Meaning::Field(name)) {
            // In the middle of a sentence an ordinary word is no label.
            if hit.strength < 1.0 && 0 < hit.first && !hit.alone {
                continue;
            }
            let Some((place, (value, words))) = self.value_of(hit, &read) else { continue };
            let score = hit.strength * place;
            found.push((score, crate::field(value, 0.3 + 0.55 * score, self.evidence(hit.page, &words))));
        }
        // Of equals the first.
        let (best, field) = found.iter().rev().max_by(|(a, _), (b, _)| a.total_cmp(b))?;
        let rivals = found.iter().any(|(score, other)| RIVAL * best <= *score && other.value != field.value);
        let confidence = if rivals { RIVALLED * field.confidence } else { field.confidence };
        Some(Field { confidence, ..field.clone() })
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

    /// `Invoice RE-17 of 3 May 2026`: the date in the same cell as the number, on the same line, or on the next one.
    fn date_beside_number(&self) -> Option<Field> {
        let strong =
            self.of(Meaning::Field(FieldName::Number)).filter(|hit| printed::reference(self.tail(hit)).is_some());
        let read = |words: &[Word]| printed::date(words, self.order);
        let mut found = strong.filter_map(|hit| {
            let tail = self.tail(hit);
            let goes_on =
                tail.last().is_some_and(|word| ["vom", "of", "du", "del", "van", "de"].contains(&word.text.as_str()));
            let next = || self.line(hit.page, hit.line + 1)?.cells.first().filter(|_| goes_on);
            let date = read(tail).or_else(|| read(&self.right(hit)?.words)).or_else(|| read(&next()?.words))?;
            Some((hit, date))
        });
        let (hit, (date, words)) = found.next()?;
        Some(crate::field(date, 0.8, self.evidence(hit.page, &words)))
    }

    /// The only date in the upper part of the first page that no label gives another meaning: `Paris, le 3 mai 2026`.
    fn only_date(&self) -> Option<Field> {
        const UPPER: f64 = 0.45;
        let page = self.pages.first()?;
        let mut found: Option<(String, Vec<Word>)> = None;
        for (line_idx, line) in page.lines.iter().enumerate().filter(|(_, line)| line.area()[1] < UPPER * page.height) {
            if !self.hits_on(0, line_idx).is_empty() {
                continue;
            }
            for cell in &line.cells {
                let Some((date, words)) = printed::date(&cell.words, self.order) else { continue };
                match &found {
                    Some((other, _)) if *other != date => return None,
                    _ => found = Some((date, words)),
                }
            }
        }
        let (date, words) = found?;
        Some(crate::field(date, 0.6, self.evidence(0, &words)))
    }

    fn evidence(&self, page: usize, words: &[Word]) -> Evidence {
        let number = self.pages.get(page).map_or(1, |page| page.number);
        Evidence::Page { page: number, area: around(words), text: joined(words) }
    }
}

#[cfg(test)]
mod tests;

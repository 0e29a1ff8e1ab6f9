//! The days of a document: behind their labels, beside its number, or alone at its head.

use std::collections::BTreeMap;

use case::{Field, FieldName};

use super::words::{Hit, Meaning, tokens};
use super::{Read, Sheet, keep, printed, wordings};
use crate::pdf::Word;

pub(super) fn read(sheet: &Sheet<'_>, single: &mut BTreeMap<FieldName, Field>) {
    for name in [FieldName::IssueDate, FieldName::DeliveryDate] {
        keep(single, name, sheet.labelled_by(name, |hit| beside_label(sheet, hit)));
    }
    keep(single, FieldName::DueDate, sheet.labelled_by(FieldName::DueDate, |hit| due(sheet, hit)));
    // What the document itself calls its date is not replaced by another where it cannot be read.
    if !single.contains_key(&FieldName::IssueDate) && !has_open_date(sheet) {
        keep(single, FieldName::IssueDate, beside_number(sheet).or_else(|| only_one(sheet)));
    }
}

/// The date of a label; where its own can be read in two ways, no other that stands farther off.
fn beside_label(sheet: &Sheet<'_>, hit: &Hit) -> Option<(f64, Read)> {
    let first = |words: &[Word]| match printed::date(words, sheet.order) {
        Some(date) => Some(Some(date)),
        None => printed::is_date_shaped(words).then_some(None),
    };
    let (place, date) = sheet.value_of(hit, first)?;
    Some((place, date?))
}

fn has_open_date(sheet: &Sheet<'_>) -> bool {
    let shaped = |words: &[Word]| printed::is_date_shaped(words).then_some(());
    sheet.of(Meaning::Field(FieldName::IssueDate)).any(|hit| {
        (hit.strength == 1.0 || hit.alone) && !sheet.is_of_another(hit) && sheet.value_of(hit, shaped).is_some()
    })
}

/// Words of a sentence about when to pay.
const SENTENCE_MAX: usize = 30;

/// The day to pay by: `by 24 March less 2 % discount, by 13 April net` is 13 April.
fn due(sheet: &Sheet<'_>, hit: &Hit) -> Option<(f64, Read)> {
    let read = |words: &[Word]| printed::date(words, sheet.order);
    let (place, first) = beside_label(sheet, hit)?;
    let words = sheet.cell(hit)?.words.get(hit.end..).unwrap_or_default();
    let ends = |word: &Word| {
        word.text.ends_with('.')
            && 4 < word.text.trim_end_matches('.').chars().count()
            && !word.text.contains(|it: char| it.is_ascii_digit())
    };
    let goes_on = read(words).is_some_and(|(_, date)| date.len() < words.len()) && !words.iter().any(ends);
    let next = sheet.line(hit.page, hit.line + 1).filter(|_| goes_on).and_then(|line| line.cells.first());
    let mut sentence: Vec<Word> = Vec::new();
    for word in words.iter().chain(next.map_or(&[][..], |cell| &cell.words)).take(SENTENCE_MAX) {
        sentence.push(word.clone());
        if ends(word) {
            break;
        }
    }
    let says = |is: fn(&str) -> bool| sentence.iter().flat_map(|word| tokens(&word.text)).any(|token| is(&token));
    if !says(wordings::is_discount) {
        return Some((place, first));
    }
    let mut days: Vec<Read> = Vec::new();
    let mut at = 0;
    while let Some((day, words)) = read(sentence.get(at..).unwrap_or_default()) {
        let last = words.last()?.area;
        at += 1 + sentence.get(at..)?.iter().position(|word| word.area == last)?;
        days.push((day, words));
    }
    match days.as_slice() {
        // Only the day of the discount stands there.
        [_] if !says(wordings::is_no_discount) => None,
        // Dates in ISO 8601 are ordered as texts.
        _ => days.into_iter().max_by(|(a, _), (b, _)| a.cmp(b)).or(Some(first)).map(|day| (place, day)),
    }
}

/// `Invoice RE-17 of 3 May 2026`: the date directly behind the number, in its cell, the next one, or on the next line.
fn beside_number(sheet: &Sheet<'_>) -> Option<Field> {
    let mut found =
        sheet.of(Meaning::Field(FieldName::Number)).filter(|hit| !sheet.is_of_another(hit)).filter_map(|hit| {
            if hit.strength < 1.0 && 0 < hit.first && !hit.alone {
                return None;
            }
            let behind = |words: &[Word]| {
                let (_, number) = printed::reference(words)?;
                let last = number.last()?.area;
                let at = 1 + words.iter().position(|word| word.area == last)?;
                words.get(at..).map(<[Word]>::to_vec)
            };
            let (_, behind) = sheet.value_of(hit, behind)?;
            if let Some(date) = leading(sheet, &behind) {
                return Some((hit, date));
            }
            let bare = behind.iter().all(is_between);
            let right = || leading(sheet, &sheet.right(hit)?.words);
            let next = || leading(sheet, &sheet.line(hit.page, hit.line + 1)?.cells.first()?.words);
            let date = bare.then(right).flatten().or_else(|| (bare && !behind.is_empty()).then(next).flatten())?;
            Some((hit, date))
        });
    let (hit, (date, words)) = found.next()?;
    Some(crate::field(date, 0.8, sheet.evidence(hit.page, &words)))
}

fn is_between(word: &Word) -> bool {
    tokens(&word.text).iter().all(|token| wordings::is_of(token))
}

/// A date that begins the words, after "of" and signs.
fn leading(sheet: &Sheet<'_>, words: &[Word]) -> Option<Read> {
    let start = words.iter().take_while(|word| is_between(word)).count();
    let rest = words.get(start..)?;
    let (date, found) = printed::date(rest, sheet.order)?;
    (found.first()?.area == rest.first()?.area).then_some((date, found))
}

/// Words before the day in a line about place and day: `St. Gallen, le 3 mai 2026`.
const WORDS_OF_PLACE: usize = 4;

/// The only date in the upper part of the first page that no label gives another meaning: `Paris, le 3 mai 2026`.
fn only_one(sheet: &Sheet<'_>) -> Option<Field> {
    const UPPER: f64 = 0.45;
    let page = sheet.pages.first()?;
    let mut found: Option<Read> = None;
    for (line_idx, line) in page.lines.iter().enumerate().filter(|(_, line)| line.area()[1] < UPPER * page.height) {
        if !sheet.hits_on(0, line_idx).is_empty() {
            continue;
        }
        for cell in &line.cells {
            let Some((date, words)) = printed::date(&cell.words, sheet.order) else { continue };
            // In a sentence a date is the day of something else.
            let before =
                cell.words.iter().take_while(|word| Some(word.area) != words.first().map(|it| it.area)).count();
            let with_digit = |word: &Word| word.text.contains(|it: char| it.is_ascii_digit());
            if WORDS_OF_PLACE < before || cell.words.iter().take(before).any(with_digit) {
                continue;
            }
            match &found {
                Some((other, _)) if *other != date => return None,
                _ => found = Some((date, words)),
            }
        }
    }
    let (date, words) = found?;
    Some(crate::field(date, 0.6, sheet.evidence(0, &words)))
}

/// Lines that another column may set between two labels.
const LINES_NEAR: usize = 2;

/// `Number:` with nothing else is the document's where `Date:` stands directly above or below it.
pub(super) fn number_above_date(sheet: &Sheet<'_>) -> Option<Field> {
    const UPPER: f64 = 0.45;
    let page = sheet.pages.first()?;
    let alone = sheet.of(Meaning::Other).filter(|hit| hit.page == 0 && hit.first == 0 && hit.alone);
    let mut found = alone.filter_map(|hit| {
        let cell = sheet.cell(hit)?;
        let label = cell.words.get(..hit.end)?;
        let is_number = label.iter().flat_map(|word| tokens(&word.text)).eq(["nr".to_owned()]);
        let dated = (hit.line.saturating_sub(LINES_NEAR)..=hit.line + LINES_NEAR).any(|line| {
            let of_date = |other: &&Hit| {
                other.meaning == Meaning::Field(FieldName::IssueDate) && (other.area[0] - hit.area[0]).abs() < 4.0
            };
            sheet.hits_on(0, line).iter().find(of_date).is_some()
        });
        let high = hit.area[1] < UPPER * page.height;
        let (place, (value, words)) = sheet.value_of(hit, printed::reference).filter(|_| is_number && dated && high)?;
        Some(crate::field(value, 0.3 + 0.5 * place, sheet.evidence(0, &words)))
    });
    found.next()
}

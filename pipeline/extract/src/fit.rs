//! Cuts an answer to the size that its receiver accepts, and never silently.
//!
//! INVARIANT (fail closed): whatever is cut leaves a note, and coverage no longer claims that everything was read.

use case::{ANSWER_BYTES_MAX, BREACHES_MAX, Evidence, Extraction, Field, LABELLED_MAX, LINES_MAX};

use crate::note;

const CLAUSES_MAX: usize = 2_000;
const NOTES_MAX: usize = 1_000;
const PARTIES_MAX: usize = 100;
const VAT_GROUPS_MAX: usize = 200;
const TEXT_CHARS_MAX: usize = 20_000;

/// How many of `count` lines to read.
pub(crate) fn lines(answer: &mut Extraction, count: usize) -> usize {
    if LINES_MAX < count {
        incomplete(answer, "lines", count, LINES_MAX);
    }
    count.min(LINES_MAX)
}

/// How many of `count` groups of the VAT breakdown to read.
pub(crate) fn groups(answer: &mut Extraction, count: usize) -> usize {
    if VAT_GROUPS_MAX < count {
        incomplete(answer, "VAT groups", count, VAT_GROUPS_MAX);
    }
    count.min(VAT_GROUPS_MAX)
}

/// Says so where there are more breaches than are given.
pub(crate) fn breaches(answer: &mut Extraction, count: usize) {
    if BREACHES_MAX < count {
        incomplete(answer, "breaches of rules", count, BREACHES_MAX);
    }
}

/// Is there room for one more note? The one that says that notes were cut needs the last place.
pub(crate) fn notes_left(answer: &Extraction) -> bool {
    answer.notes.len() <= NOTES_MAX
}

/// Cuts lists, texts and, where it is still too large, lines and clauses from their end.
pub(crate) fn cut(answer: &mut Extraction) {
    for (what, count, max) in [
        ("lines", answer.lines.len(), LINES_MAX),
        ("clauses", answer.clauses.len(), CLAUSES_MAX),
        ("parties", answer.fields.parties.len(), PARTIES_MAX),
        ("VAT groups", answer.fields.vat_breakdown.len(), VAT_GROUPS_MAX),
    ] {
        if max < count {
            incomplete(answer, what, count, max);
        }
    }
    answer.lines.truncate(LINES_MAX);
    // Nothing is lost with these: no value of the document comes from them alone.
    answer.labelled.truncate(LABELLED_MAX);
    answer.clauses.truncate(CLAUSES_MAX);
    answer.fields.parties.truncate(PARTIES_MAX);
    answer.fields.vat_breakdown.truncate(VAT_GROUPS_MAX);
    texts(answer);
    notes(answer);
    let mut size = size_bytes(answer);
    if size <= ANSWER_BYTES_MAX {
        return;
    }
    answer.labelled.clear();
    incomplete(answer, "bytes of answer", size, ANSWER_BYTES_MAX);
    // Halves each time, so this ends after some twenty rounds with nothing left to cut.
    while ANSWER_BYTES_MAX < size
        && !(answer.lines.is_empty()
            && answer.clauses.is_empty()
            && answer.notes.is_empty()
            && answer.breaches.is_empty())
    {
        if !answer.lines.is_empty() || !answer.clauses.is_empty() {
            answer.lines.truncate(answer.lines.len() / 2);
            answer.clauses.truncate(answer.clauses.len() / 2);
        } else if !answer.breaches.is_empty() {
            answer.breaches.truncate(answer.breaches.len() / 2);
        } else {
            answer.notes.truncate(answer.notes.len() / 2);
        }
        size = size_bytes(answer);
    }
}

fn size_bytes(answer: &Extraction) -> usize {
    serde_json::to_vec(answer).map_or(usize::MAX, |json| json.len())
}

fn incomplete(answer: &mut Extraction, what: &str, count: usize, max: usize) {
    answer.coverage.read = answer.coverage.read.min(answer.coverage.pages.saturating_sub(1));
    // In front, so that cutting the notes does not cut this one.
    answer.notes.insert(0, note("cut", format!("the document has {count} {what}, more than the {max} that are given")));
}

/// A value that is too long is no value; the text beside it is only shown, so its beginning will do.
fn texts(answer: &mut Extraction) {
    let mut n_dropped = 0;
    let mut n_cut = 0;
    let mut fits = |field: &mut Field| {
        n_cut += usize::from(shorten(&mut field.evidence));
        let fits = field.value.chars().count() <= TEXT_CHARS_MAX;
        n_dropped += usize::from(!fits);
        fits && !field.value.trim().is_empty()
    };
    answer.fields.single.retain(|_, field| fits(field));
    answer.fields.parties.retain_mut(&mut fits);
    for group in &mut answer.fields.vat_breakdown {
        group.retain(|_, field| fits(field));
    }
    for line in &mut answer.lines {
        line.retain(|_, field| fits(field));
    }
    for breach in &mut answer.breaches {
        n_cut += usize::from(shorten(&mut breach.evidence));
    }
    for clause in &mut answer.clauses {
        n_cut += usize::from(shorten(&mut clause.evidence));
        if clause.value.as_ref().is_some_and(|it| TEXT_CHARS_MAX < it.chars().count()) {
            clause.value = None;
            n_dropped += 1;
        }
    }
    if 0 < n_dropped {
        incomplete(answer, "values that are too long", n_dropped, 0);
    }
    if 0 < n_cut {
        let message = format!("{n_cut} passages are shown by their first {TEXT_CHARS_MAX} characters");
        answer.notes.push(note("passage_shortened", message));
    }
}

fn shorten(evidence: &mut Evidence) -> bool {
    let (Evidence::Page { text, .. }
    | Evidence::Element { text, .. }
    | Evidence::Cell { text, .. }
    | Evidence::Span { text, .. }
    | Evidence::Person { text, .. }) = evidence;
    let end = text.char_indices().nth(TEXT_CHARS_MAX).map(|(idx, _)| idx);
    if let Some(end) = end {
        text.truncate(end);
    }
    end.is_some()
}

fn notes(answer: &mut Extraction) {
    for note in &mut answer.notes {
        if let Some((end, _)) = note.message.char_indices().nth(TEXT_CHARS_MAX) {
            note.message.truncate(end);
        }
    }
    answer.notes.retain(|it| !it.message.trim().is_empty() && !it.code.trim().is_empty());
    let count = answer.notes.len();
    if NOTES_MAX < count {
        answer.notes.truncate(NOTES_MAX - 1);
        answer.notes.push(note("notes_cut", format!("{count} notes, more than the {NOTES_MAX} that are given")));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::field;
    use case::{Clause, FieldName, Format, Kind, LineField};

    fn evidence(text: &str) -> Evidence {
        Evidence::Element { path: "/a".to_owned(), text: text.to_owned() }
    }

    /// Cuts, and gives the answer as its receiver sees it.
    #[track_caller]
    fn received(mut answer: Extraction) -> Extraction {
        cut(&mut answer);
        Extraction::from_untrusted(&serde_json::to_vec(&answer).unwrap()).unwrap()
    }

    #[test]
    fn an_answer_that_is_too_large_is_cut_and_says_so() {
        let mut answer = Extraction::blank(Kind::Invoice, Format::Ubl);
        let name = field("x".repeat(500), 0.9, evidence(&"x".repeat(500)));
        answer.lines = vec![[(LineField::Name, name)].into(); LINES_MAX + 5];
        let answer = received(answer);
        assert!(!answer.lines.is_empty() && answer.lines.len() < LINES_MAX);
        assert_eq!(answer.coverage.read, 0);
        let messages: Vec<&str> = answer.notes.iter().map(|it| it.message.as_str()).collect();
        assert!(messages.iter().any(|it| it.contains("10005 lines, more than the 10000")), "{messages:?}");
        assert!(messages.iter().any(|it| it.contains("bytes of answer, more than the 4194304")), "{messages:?}");
    }

    #[test]
    fn every_list_and_text_is_cut_to_what_the_receiver_accepts() {
        let long = "ä".repeat(TEXT_CHARS_MAX + 1);
        let mut answer = Extraction::blank(Kind::Contract, Format::Text);
        answer.fields.parties = vec![field("A", 0.5, evidence("A")); 101];
        answer.fields.vat_breakdown = vec![Default::default(); 201];
        answer.notes = vec![note("n", "m"); 1_001];
        let clause =
            Clause { category: "cap".to_owned(), value: Some(long.clone()), confidence: 0.5, evidence: evidence("x") };
        answer.clauses = vec![clause; 3];
        answer.fields.single.insert(FieldName::Title, field("title", 0.5, evidence(&long)));
        answer.fields.single.insert(FieldName::Term, field(long, 0.5, evidence("x")));
        let answer = received(answer);
        assert_eq!((answer.coverage.pages, answer.coverage.read), (1, 0));
        assert_eq!(answer.text(FieldName::Title), Some("title"));
        assert_eq!(answer.text(FieldName::Term), None);
        assert_eq!(answer.notes.len(), NOTES_MAX);
    }

    #[test]
    fn an_answer_that_fits_is_left_alone() {
        let mut answer = Extraction::blank(Kind::Invoice, Format::Cii);
        answer.fields.single.insert(FieldName::Number, field("7", 0.9, evidence("7")));
        assert_eq!(received(answer.clone()), answer);
    }
}

use std::collections::HashMap;

use case::FieldName;

use crate::pdf::{Cell, Page, Word, around};

/// What a label on a page announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Field(FieldName),
    /// A party's block begins: the seller, the buyer, or someone who is neither (where the goods go).
    Seller,
    Buyer,
    SomeoneElse,
    /// The name of the party whose block it stands in.
    Name,
    /// Something that is none of our fields; its value must not be taken for one.
    Other,
}

use super::wordings::{FREQUENT, LABELS};

/// A text as labels are compared: lower case, without punctuation, compounds of "Nummer", "Datum", "Betrag", "Summe" in two.
pub(super) fn tokens(text: &str) -> Vec<String> {
    const ENDINGS: [(&str, &str); 7] = [
        ("nummer", "nr"),
        ("nr", "nr"),
        ("datum", "datum"),
        ("betrag", "betrag"),
        ("summe", "summe"),
        ("preis", "preis"),
        ("satz", "satz"),
    ];
    let lower = text
        .to_lowercase()
        .replace("n.º", " nr ")
        .replace("n.°", " nr ")
        .replace("n°", " nr ")
        .replace("nº", " nr ")
        .replace(['№', '#'], " nr ")
        .replace('%', " prozent ");
    let mut out = Vec::new();
    for part in lower.split(|it: char| !it.is_alphanumeric()).filter(|it| !it.is_empty()) {
        match part {
            "n" | "no" | "nr" | "num" | "núm" | "number" | "numéro" | "numero" | "número" | "nummer" => {
                out.push("nr".to_owned())
            }
            part => match ENDINGS.iter().find_map(|(ending, token)| Some((part.strip_suffix(ending)?, *token))) {
                Some((stem, token)) if 3 <= stem.len() => out.extend([stem.to_owned(), token.to_owned()]),
                _ => out.push(part.to_owned()),
            },
        }
    }
    out
}

/// A label where it stands: words `first..end` of a cell.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    pub(super) meaning: Meaning,
    pub(super) strength: f64,
    pub(super) page: usize,
    pub(super) line: usize,
    pub(super) cell: usize,
    pub(super) first: usize,
    pub(super) end: usize,
    pub(super) area: [f64; 4],
    /// Nothing else stands in its cell, or a colon ends it.
    pub(super) alone: bool,
}

/// All labels of the document, in reading order; where two overlap, the longer one.
pub(super) fn hits(pages: &[Page]) -> Vec<Hit> {
    let index = index();
    let mut out = Vec::new();
    for (page_idx, page) in pages.iter().enumerate() {
        for (line_idx, line) in page.lines.iter().enumerate() {
            for (cell_idx, cell) in line.cells.iter().enumerate() {
                for found in in_cell(cell, &index) {
                    let words = cell.words.get(found.first..found.end).unwrap_or_default();
                    let colon = words.last().is_some_and(|word| word.text.ends_with(':'))
                        || cell.words.get(found.end).is_some_and(|word| word.text.starts_with(':'));
                    let alone = colon || (found.first == 0 && found.end == cell.words.len());
                    // "Supplier Ltd" is a name, "Supplier" and "Supplier:" are labels.
                    let party = matches!(
                        found.meaning,
                        Meaning::Seller | Meaning::Buyer | Meaning::SomeoneElse | Meaning::Name
                    );
                    if party && !alone {
                        continue;
                    }
                    out.push(Hit {
                        meaning: found.meaning,
                        strength: found.strength,
                        page: page_idx,
                        line: line_idx,
                        cell: cell_idx,
                        first: found.first,
                        end: found.end,
                        area: around(words),
                        alone,
                    });
                }
            }
        }
    }
    out
}

type Index = HashMap<String, Vec<(Vec<String>, Meaning, f64)>>;

fn index() -> Index {
    let mut index = Index::new();
    for (meaning, strength, wordings) in LABELS {
        for wording in wordings.split(" | ") {
            let tokens = tokens(wording);
            if let Some(first) = tokens.first() {
                index.entry(first.clone()).or_default().push((tokens, *meaning, *strength));
            }
        }
    }
    index
}

struct InCell {
    meaning: Meaning,
    strength: f64,
    first: usize,
    end: usize,
}

fn in_cell(cell: &Cell, index: &Index) -> Vec<InCell> {
    // Which word each token came from: a label ends where a word ends.
    let stream: Vec<(usize, String)> = cell
        .words
        .iter()
        .enumerate()
        .flat_map(|(idx, word)| tokens(&word.text).into_iter().map(move |token| (idx, token)))
        .collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some((word, token)) = stream.get(at) {
        let starts_word = at == 0 || stream.get(at - 1).is_none_or(|(before, _)| before != word);
        let best = index
            .get(token)
            .filter(|_| starts_word)
            .into_iter()
            .flatten()
            .filter(|(label, ..)| {
                let mut tokens = stream.iter().skip(at);
                let same = label.iter().all(|part| tokens.next().is_some_and(|(_, token)| token == part));
                // "PO" is a label, "PO-4711" a value: a label ends where a word ends.
                let last = stream.get(at + label.len() - 1).map(|(word, _)| word);
                same && tokens.next().map(|(word, _)| word) != last
            })
            .max_by_key(|(label, ..)| label.len());
        if best.is_none_or(|(label, meaning, _)| label.len() == 1 && *meaning == Meaning::Field(FieldName::Number))
            && starts_word
            && let Some(length) = compound_title(stream.get(at..).unwrap_or_default())
        {
            let end = stream.get(at + length - 1).map_or(*word, |(word, _)| *word) + 1;
            out.push(InCell { meaning: Meaning::Field(FieldName::Number), strength: 1.0, first: *word, end });
            at += length;
            continue;
        }
        let Some((label, meaning, strength)) = best else {
            at += 1;
            continue;
        };
        let last_word = stream.get(at + label.len() - 1).map_or(*word, |(word, _)| *word);
        at += label.len();
        out.push(InCell { meaning: *meaning, strength: *strength, first: *word, end: last_word + 1 });
    }
    out
}

/// `Baurechnung (204) Nr.`, `Rechnung des Versicherers Nr.`: a kind of invoice, a code of UNTDID 1001 or whose it is, and
/// "number". How many tokens.
fn compound_title(tokens: &[(usize, String)]) -> Option<usize> {
    const BETWEEN_MAX: usize = 4;
    let mut rest = tokens.iter().map(|(_, token)| token.as_str());
    let title = rest.next()?;
    if !["rechnung", "gutschrift"].iter().any(|it| title.ends_with(it)) {
        return None;
    }
    let mut owned = false;
    for (idx, token) in rest.take(BETWEEN_MAX).enumerate() {
        match token {
            "nr" => return Some(idx + 2),
            // `Gutschrift zur Rechnung Nr.`: the number of the invoice.
            token if ["rechnung", "gutschrift"].iter().any(|it| token.ends_with(it)) => return None,
            "des" | "der" | "zur" | "zum" => owned = true,
            token if token.bytes().all(|it| it.is_ascii_digit()) => {}
            _ if owned => owned = false,
            _ => return None,
        }
    }
    None
}

/// The language most of whose frequent words stand in the text; `None` when none is clearly ahead.
pub(super) fn language<'w>(words: impl Iterator<Item = &'w Word>) -> Option<&'static str> {
    let mut counts = [0_usize; FREQUENT.len()];
    for word in words {
        let bare = word.text.trim_matches(|it: char| !it.is_alphanumeric()).to_lowercase();
        for (count, (_, frequent)) in counts.iter_mut().zip(FREQUENT) {
            *count += usize::from(frequent.split(" | ").any(|it| it == bare));
        }
    }
    let (best, (language, _)) = counts.iter().copied().zip(FREQUENT).max_by_key(|(count, _)| *count)?;
    let second = counts
        .iter()
        .copied()
        .zip(FREQUENT)
        .filter(|(_, (other, _))| *other != language)
        .map(|(count, _)| count)
        .max()?;
    (3 <= best && 3 * second <= 2 * best).then_some(language)
}

use case::Field;

use super::PREAMBLE_WORDS;
use super::prose::{Prose, Spoken, cues};

const PARTIES_MAX: usize = 10;

/// Names behind "between" up to "and", and names before a definition like (the "Supplier").
pub(super) fn read(prose: &Prose) -> Vec<Field> {
    const BEGIN: &str = "by and between | by and among | is between | made between | entered into between | entered into by | \
        between | among | zwischen der | zwischen dem | zwischen";
    let end = prose.words.len().min(PREAMBLE_WORDS);
    let begins = cues(BEGIN);
    let start = begins
        .iter()
        .filter_map(|cue| prose.find(cue, 0, end))
        .min_by_key(|(first, end)| (*first, usize::MAX - *end))
        .map(|(_, end)| end);
    let mut out: Vec<Field> = Vec::new();
    if let Some(start) = start {
        let limit = (start + 220).min(prose.words.len());
        let mut at = start;
        while at < limit && out.len() < PARTIES_MAX {
            let Some((first, last)) = name_from(prose, at, limit) else { break };
            push_party(prose, &mut out, first, last, 0.75);
            // The next party stands behind the "and" that follows the description of this one.
            let Some(next) = next_party(prose, last, limit) else { break };
            at = next;
        }
    }
    if out.len() < 2 {
        defined_parties(prose, &mut out, end);
    }
    out
}

fn push_party(prose: &Prose, out: &mut Vec<Field>, first: usize, end: usize, confidence: f64) {
    let raw = prose.slice(first, end).iter().map(|word| word.raw.as_str()).collect::<Vec<_>>().join(" ");
    let name = raw
        .trim_matches(|it: char| {
            it == ',' || it == ';' || it == ':' || it == '"' || it == '“' || it == '”' || it == '('
        })
        .trim();
    let digits = name.chars().filter(char::is_ascii_digit).count();
    let fits = (3..=100).contains(&name.chars().count())
        && digits * 3 < name.chars().count()
        && name.contains(char::is_alphabetic);
    let known = out.iter().any(|party| party.value.eq_ignore_ascii_case(name));
    let generic = [
        "company",
        "the parties",
        "parties",
        "party",
        "agreement",
        "effective date",
        "date",
        "state",
        "seller",
        "buyer",
    ]
    .contains(&name.to_lowercase().as_str());
    if fits && !known && !generic {
        out.extend(prose.field(name, confidence, first, end));
    }
}

const LEGAL_FORMS: [&str; 34] = [
    "inc",
    "ltd",
    "llc",
    "l.l.c",
    "corp",
    "corporation",
    "company",
    "limited",
    "gmbh",
    "ag",
    "kg",
    "ohg",
    "se",
    "ug",
    "plc",
    "lp",
    "l.p",
    "llp",
    "s.a",
    "sa",
    "b.v",
    "bv",
    "n.v",
    "nv",
    "sarl",
    "s.à.r.l",
    "sas",
    "co",
    "kgaa",
    "ev",
    "e.v",
    "mbh",
    "n.a",
    "incorporated",
];

/// A run of words that begin with a capital: the first at or behind `at`.
fn name_from(prose: &Prose, at: usize, limit: usize) -> Option<(usize, usize)> {
    const WITHIN: [&str; 12] = ["of", "and", "&", "the", "für", "und", "de", "van", "von", "der", "for", "+"];
    let capital = |word: &Spoken| {
        word.raw
            .trim_start_matches(['"', '“', '„', '(', '['])
            .starts_with(|it: char| it.is_uppercase() || it.is_ascii_digit())
    };
    let first = (at..limit.min(at + 14)).find(|idx| {
        prose.words.get(*idx).is_some_and(|word| {
            capital(word)
                && !word.raw.starts_with('(')
                && 1 < word.bare.len()
                && !["the", "mr", "die", "der", "firma"].contains(&word.bare.as_str())
        })
    })?;
    let mut end = first;
    while let Some(word) = prose.words.get(end).filter(|_| end < limit && end - first < 12) {
        let form = LEGAL_FORMS.contains(&word.bare.as_str());
        let within = end > first
            && WITHIN.contains(&word.bare.as_str())
            && prose.words.get(end + 1).is_some_and(|next| capital(next) && !next.raw.starts_with('('))
            // "Alpha Inc. and Beta Ltd." are two.
            && !(["and", "und"].contains(&word.bare.as_str()) && prose.words.get(end - 1).is_some_and(|it| LEGAL_FORMS.contains(&it.bare.as_str()) && it.bare != "co"));
        if word.raw.starts_with('(') || (!capital(word) && !form && !within) {
            break;
        }
        // A new line in a new paragraph is no longer the name.
        if end > first && word.paragraph {
            break;
        }
        end += 1;
        let next_form = prose.words.get(end).is_some_and(|next| LEGAL_FORMS.contains(&next.bare.as_str()));
        if word.raw.ends_with([',', ';', ':', ')']) && !next_form {
            break;
        }
    }
    (first < end).then_some((first, end))
}

fn next_party(prose: &Prose, from: usize, limit: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for idx in from..limit {
        let word = prose.words.get(idx)?;
        depth +=
            i32::try_from(word.raw.matches('(').count()).ok()? - i32::try_from(word.raw.matches(')').count()).ok()?;
        if ["whereas", "witnesseth", "recitals", "präambel", "now"].contains(&word.bare.as_str()) {
            return None;
        }
        if depth <= 0 && ["and", "und"].contains(&word.bare.as_str()) {
            let before = idx.checked_sub(1).and_then(|idx| prose.words.get(idx));
            let closed = before.is_some_and(|word| {
                word.raw.ends_with([',', ')', ';', '-', '"', '”']) || LEGAL_FORMS.contains(&word.bare.as_str())
            });
            let next = prose.words.get(idx + 1)?;
            let capital = next.raw.trim_start_matches(['"', '“', '„', '[']).starts_with(char::is_uppercase)
                || next.bare == "the"
                || next.bare == "der";
            if capital && (closed || word.paragraph || next.paragraph || idx == from) {
                return Some(idx + 1);
            }
        }
    }
    None
}

/// `Acme Inc., a Delaware corporation (the "Supplier")`: the name before the definition.
fn defined_parties(prose: &Prose, out: &mut Vec<Field>, end: usize) {
    for idx in 0..end {
        let Some(word) = prose.words.get(idx) else { return };
        let opens = word.raw.starts_with(['('])
            && ["the", "hereinafter", "nachfolgend", "im"].contains(&word.bare.as_str())
            || word.raw.starts_with("(\"")
            || word.raw.starts_with("(“")
            || word.raw.starts_with("(„");
        if !opens || PARTIES_MAX <= out.len() {
            continue;
        }
        // The sentence, or the last 25 words, hold the name; the first legal form in them ends it.
        let from = idx.saturating_sub(25);
        let form = (from..idx).find(|it| {
            prose.words.get(*it).is_some_and(|word| {
                LEGAL_FORMS.contains(&word.bare.as_str()) && word.raw.starts_with(char::is_uppercase)
            })
        });
        let Some(form) = form else { continue };
        let capital = |idx: usize| {
            prose.words.get(idx).is_some_and(|word| word.raw.starts_with(char::is_uppercase) || word.raw == "&")
        };
        let mut first = form;
        while 0 < first
            && from < first
            && capital(first - 1)
            && !prose.words.get(first).is_some_and(|word| word.paragraph)
        {
            first -= 1;
        }
        push_party(prose, out, first, form + 1, 0.65);
    }
}

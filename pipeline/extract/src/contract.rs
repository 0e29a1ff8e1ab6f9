//! What a contract says about its parties, its dates and its risks, from its plain text.
//!
//! The wordings stand in one table (`contract/cues.rs`). A clause is the sentence with the wording; its evidence are the
//! characters of that sentence, so that a person reads the clause and not only our name for it.

mod cues;
mod parties;
mod prose;
mod quantities;

use case::{Clause, Evidence, Field, FieldName, Fields};

use prose::{Cue, Prose, Spoken, cues};
use quantities::{Duration, date_at, durations, money};

/// Fields and clauses; all evidence is [`Evidence::Span`].
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) fields: Fields,
    pub(crate) clauses: Vec<Clause>,
}

/// Sentences of one category that are kept.
const CLAUSES_PER_CATEGORY_MAX: usize = 12;
/// Words of the beginning in which title, parties and date stand.
const PREAMBLE_WORDS: usize = 500;
const CLAUSE_CHARS_MAX: usize = 8_000;

/// Is it a contract? Several of its wordings together say so; the number or the date of an invoice says otherwise, unless
/// the title calls it a contract.
pub(crate) fn looks_like(text: &str) -> bool {
    let prose = Prose::of(text);
    let end = prose.words.len();
    let head = end.min(150);
    if end < 60 {
        return false;
    }
    let count = |list: &str, end: usize| cues(list).iter().filter(|cue| prose.find(cue, 0, end).is_some()).count();
    let titled = title(&prose).is_some();
    let wordings = count(cues::CONTRACT_CUES, end);
    let invoice = count(cues::INVOICE_CUES, if titled { head } else { end });
    if titled { 3 <= wordings && invoice <= 1 } else { 5 <= wordings && invoice == 0 }
}

/// Reads fields and clauses. Linear in the length of the text.
pub(crate) fn read(text: &str) -> Found {
    let prose = Prose::of(text);
    let mut found = Found { clauses: clauses(&prose), ..Found::default() };
    let single = &mut found.fields.single;
    let fields = [
        (FieldName::Title, title(&prose)),
        (FieldName::AgreementDate, agreement_date(&prose)),
        (FieldName::EffectiveDate, effective_date(&prose)),
        (FieldName::ExpirationDate, expiration_date(&prose)),
        (FieldName::Term, term(&prose)),
        (FieldName::Renewal, duration_near(&prose, "renew~ | verlängert sich | extended for")),
        (FieldName::NoticePeriod, notice_period(&prose)),
        (FieldName::GoverningLaw, governing_law(&prose)),
        (FieldName::Jurisdiction, jurisdiction(&prose)),
        (FieldName::PaymentTerms, payment_terms(&prose)),
    ];
    single.extend(fields.into_iter().filter_map(|(name, field)| Some((name, field?))));
    if let Some((value, currency)) = contract_value(&prose) {
        single.insert(FieldName::Value, value);
        single.insert(FieldName::Currency, currency);
    }
    found.fields.parties = parties::read(&prose);
    found
}

impl Prose {
    fn field(&self, value: impl Into<String>, confidence: f64, first: usize, end: usize) -> Option<Field> {
        let (start, end, text) = self.span(first, end)?;
        Some(crate::field(value, confidence, Evidence::Span { start, end, text }))
    }
}

fn clauses(prose: &Prose) -> Vec<Clause> {
    let mut out = Vec::new();
    for category in cues::CATEGORIES {
        let cues = cues(category.cues);
        let sentences = prose
            .sentences
            .iter()
            .filter(|(first, end)| cues.iter().any(|cue| prose.find(cue, *first, *end).is_some()));
        let mut kept = 0;
        for (first, end) in sentences {
            let words = prose.slice(*first, *end);
            // A heading names its clause; the sentence after it is the clause.
            if words.len() < 5 || is_contents(words) {
                continue;
            }
            let both = category.name == "cap_on_liability" && unlimited(prose, *first, *end);
            if both {
                continue;
            }
            out.extend(clause(prose, category.name, category.confidence, *first, *end));
            if category.name == "renewal_term"
                && let Some(period) = notice_in(prose, *first, *end)
            {
                let notice = clause(prose, "notice_period_to_terminate_renewal", 0.75, *first, *end);
                out.extend(notice.map(|clause| Clause { value: Some(period), ..clause }));
            }
            kept += 1;
            if kept == CLAUSES_PER_CATEGORY_MAX {
                break;
            }
        }
    }
    out
}

fn clause(prose: &Prose, category: &str, confidence: f64, first: usize, end: usize) -> Option<Clause> {
    let (start, end_char, text) = prose.span(first, end)?;
    let text = text.chars().take(CLAUSE_CHARS_MAX).collect();
    let value = match category {
        "cap_on_liability" => Some(cap(prose, first, end)),
        "uncapped_liability" => Some(uncapped(prose, first, end).to_owned()),
        "renewal_term" | "payment_terms" => durations(prose, first, end).into_iter().next().map(|found| found.value),
        _ => None,
    };
    Some(Clause {
        category: category.to_owned(),
        value,
        confidence,
        evidence: Evidence::Span { start, end: end_char, text },
    })
}

/// A line of a table of contents: dots, or a page number at its end.
fn is_contents(words: &[Spoken]) -> bool {
    words.iter().any(|word| word.raw.contains("...."))
        || (words.len() < 8 && words.last().is_some_and(|word| word.raw.bytes().all(|it| it.is_ascii_digit())))
}

/// "Unlimited" in the sentence: then it is no cap, whatever else it says of liability.
fn unlimited(prose: &Prose, first: usize, end: usize) -> bool {
    const UNLIMITED: &str = "unlimited | unbeschränkt | unbegrenzt | liable without limit | liable without limitation | \
        liability without limitation | liability shall not be limited | liability is not limited";
    cues(UNLIMITED).iter().any(|cue| prose.find(cue, first, end).is_some())
        && !holds(prose, "not exceed | begrenzt auf | beschränkt auf", first, end)
}

fn holds(prose: &Prose, list: &str, first: usize, end: usize) -> bool {
    cues(list).iter().any(|cue| prose.find(cue, first, end).is_some())
}

/// Whose liability is capped, and at what: `mutual, 12 months`, `one-sided, EUR 100000`.
fn cap(prose: &Prose, first: usize, end: usize) -> String {
    const MUTUAL: &str = "either party | neither party | each party | either party's | each party's | both parties | parties | \
        party's * to the other | jeder partei | beider parteien | die parteien | jede partei | gegenseitig~";
    let side = if holds(prose, MUTUAL, first, end) { "mutual" } else { "one-sided" };
    let amount = money(prose, first, end).map(|found| format!("{} {}", found.currency, found.value));
    let months = || durations(prose, first, end).into_iter().next().map(|found| found.value);
    match amount.or_else(months) {
        Some(limit) => format!("{side}, {limit}"),
        None => side.to_owned(),
    }
}

/// Without any limit, or only where the law allows none: intent, fraud, injury. What a party promises beyond that, for
/// confidentiality or an indemnity, is a liability without limit.
fn uncapped(prose: &Prose, first: usize, end: usize) -> &'static str {
    const CASES: &str = "fraud | gross negligence | wilful misconduct | willful misconduct | death | personal injury | vorsatz | \
        grobe fahrlässigkeit | grober fahrlässigkeit | verletzung des lebens | intent | \
        produkthaftung~ | arglist~";
    const PROMISED: &str =
        "confidential~ | indemni~ | data protection | vertraulich~ | geheimhaltung~ | freistellung~ | datenschutz~";
    let by_law = holds(prose, CASES, first, end) && !holds(prose, PROMISED, first, end);
    if by_law { "in named cases" } else { "in general" }
}

/// The first line among the first that names a kind of contract and is short, or in capitals.
fn title(prose: &Prose) -> Option<Field> {
    let words = prose.slice(0, PREAMBLE_WORDS);
    let mut first = 0;
    while let Some(word) = words.get(first) {
        let line = word.line;
        let mut end = first + words.iter().skip(first).take_while(|word| word.line == line).count();
        let mut text: Vec<&Spoken> = words.iter().skip(first).take(end - first).collect();
        let named = text.iter().any(|word| {
            let bare = word.bare.trim_end_matches('s');
            cues::TITLES.split(" | ").any(|title| {
                bare == title || (6 <= title.len() && (bare.ends_with(title) || bare == title.trim_end_matches('s')))
            })
        });
        let capital = |word: &&Spoken| {
            !word.raw.starts_with(char::is_lowercase)
                || ["of", "and", "for", "the", "to", "über", "zur", "und", "für", "zum"].contains(&word.bare.as_str())
        };
        let sentence = text.last().is_some_and(|word| word.raw.ends_with(['.', ',', ';']) || word.raw.ends_with(':'));
        if named
            && text.len() <= 14
            && text.iter().all(capital)
            && !sentence
            && text.iter().any(|word| 3 < word.bare.len())
        {
            // A title in capitals may go on in the next line.
            let shouted = |word: &Spoken| word.raw.chars().all(|it| !it.is_lowercase());
            while text.iter().all(|word| shouted(word))
                && words.get(end).is_some_and(|next| {
                    shouted(next) && !next.paragraph && 3 < next.raw.chars().count() && end - first < 14
                })
            {
                end += 1;
                text = words.iter().skip(first).take(end - first).collect();
            }
            let value = text.iter().map(|word| word.raw.as_str()).collect::<Vec<_>>().join(" ");
            return prose.field(value, 0.7, first, end);
        }
        first = end;
    }
    None
}

/// The first date within `reach` words behind one of the cues.
fn date_after(prose: &Prose, list: &str, from: usize, end: usize, reach: usize) -> Option<(String, usize, usize)> {
    for cue in cues(list) {
        let mut start = from;
        while let Some((_, behind)) = prose.find(&cue, start, end) {
            let found = (behind..(behind + reach).min(prose.words.len()))
                .find_map(|at| date_at(prose, at).map(|(date, end)| (date, at, end)));
            if found.is_some() {
                return found;
            }
            start = behind.max(start + 1);
        }
    }
    None
}

fn agreement_date(prose: &Prose) -> Option<Field> {
    const CUES: &str = "dated | made * as of | entered into * as of | made and entered into | entered into | made this | \
        is made | as of | on this | vom | this";
    let end = prose.words.len().min(PREAMBLE_WORDS);
    let (date, first, end) = date_after(prose, CUES, 0, end, 12)?;
    prose.field(date, 0.75, first, end)
}

fn effective_date(prose: &Prose) -> Option<Field> {
    const CUES: &str = "effective as of | takes effect on | take effect on | takes effect as of | effective date of | effective from | effective on | shall commence on | \
        commences on | commencing on | becomes effective | beginnt am | tritt am | gilt ab | ab dem";
    let end = prose.words.len();
    if let Some((date, first, end)) = date_after(prose, CUES, 0, end, 6) {
        return prose.field(date, 0.8, first, end);
    }
    // `as of 5 January 2024 (the "Effective Date")`, `Effective Date: 5 January 2024`
    let first_in =
        |from: usize, to: usize| (from..to).find_map(|at| date_at(prose, at).map(|(date, end)| (date, at, end)));
    let defined = prose
        .find(&Cue::new("effective date"), 0, end.min(PREAMBLE_WORDS))
        .and_then(|(at, behind)| first_in(behind, behind + 4).or_else(|| first_in(at.saturating_sub(9), at)));
    match defined {
        Some((date, first, end)) => prose.field(date, 0.8, first, end),
        // A contract that names no other day takes effect on its own.
        None => agreement_date(prose).map(|field| Field { confidence: 0.55, ..field }),
    }
}

fn expiration_date(prose: &Prose) -> Option<Field> {
    const CUES: &str = "expire~ on | expire~ at * on | terminate~ on | ends on | ending on | end on | \
        remain in * effect until | continue~ * until | in effect until | expiration date | endet am | \
        endet * zum";
    let (date, first, end) = date_after(prose, CUES, 0, prose.words.len(), 6)?;
    prose.field(date, 0.75, first, end)
}

/// The first length of time behind one of the cues, in the same sentence.
fn duration_near(prose: &Prose, list: &str) -> Option<Field> {
    let cues = cues(list);
    for (first, end) in &prose.sentences {
        let Some((_, behind)) = cues.iter().find_map(|cue| prose.find(cue, *first, *end)) else { continue };
        if let Some(found) = durations(prose, behind, (behind + 16).min(*end)).into_iter().next() {
            return prose.field(found.value, 0.7, found.first, found.end);
        }
    }
    None
}

fn term(prose: &Prose) -> Option<Field> {
    const CUES: &str = "term of this agreement | initial term | term of this contract | term of * agreement | laufzeit | \
        vertragsdauer | remain in * effect for | remain in effect | in full force and effect | for a term of | \
        for a period of * from the date | fest * von | continue for | effective for";
    duration_near(prose, CUES)
}

fn notice_period(prose: &Prose) -> Option<Field> {
    for (first, end) in &prose.sentences {
        let ends = holds(prose, "terminat~ | kündig~ | gekündigt | cancel~", *first, *end);
        if ends && let Some(found) = notice_duration(prose, *first, *end) {
            return prose.field(found.value, 0.75, found.first, found.end);
        }
    }
    None
}

fn notice_in(prose: &Prose, first: usize, end: usize) -> Option<String> {
    notice_duration(prose, first, end).map(|found| found.value)
}

/// The length of time that stands nearest to "notice" or "Frist".
fn notice_duration(prose: &Prose, first: usize, end: usize) -> Option<Duration> {
    const CUES: &str = "notice | frist | kündigungsfrist | notify | notifies | notifying | kündig~ | gekündigt";
    const REACH: usize = 9;
    let cues = cues(CUES);
    let distance = |found: &Duration| {
        let from = found.first.saturating_sub(REACH).max(first);
        let to = (found.end + REACH).min(end);
        let apart = |(at, behind): (usize, usize)| if at < found.first { found.first - behind } else { at - found.end };
        cues.iter()
            .filter_map(|cue| {
                prose.find(cue, from, found.first).into_iter().chain(prose.find(cue, found.end, to)).map(apart).min()
            })
            .min()
    };
    durations(prose, first, end)
        .into_iter()
        .filter_map(|found| Some((distance(&found)?, found)))
        .min_by_key(|(apart, _)| *apart)
        .map(|(_, found)| found)
}

/// The country or state whose law governs, as printed.
fn governing_law(prose: &Prose) -> Option<Field> {
    const ENGLISH: &str = "governed by * laws of | governed by * law of | construed * accordance with * laws of | \
        accordance with * laws of | under the laws of | subject to the laws of | laws of";
    let words = prose.words.len();
    for cue in cues(ENGLISH) {
        let found = prose.find(&cue, 0, words).filter(|(at, _)| PREAMBLE_WORDS / 4 < *at || words < PREAMBLE_WORDS);
        if let Some(field) = found.and_then(|(_, behind)| place_from(prose, behind, 0.85)) {
            return Some(field);
        }
    }
    for cue in cues("governed by | es gilt | gilt ausschließlich | gilt | unterliegt") {
        let mut from = 0;
        while let Some((_, behind)) = prose.find(&cue, from, words) {
            // `the law of Germany`, `English law`, `deutsches Recht`, `das Recht der Bundesrepublik Deutschland`
            let reach = (behind + 8).min(words);
            if let Some((_, of)) = cues_in(prose, "recht der | recht des | law of", behind, reach) {
                return place_from(prose, of, 0.85);
            }
            if let Some((at, end)) = cues_in(
                prose,
                "deutsch~ recht | österreichisch~ recht | schweizer recht | schweizerisch~ recht | english law | \
                german law | french law | swiss law",
                behind,
                reach,
            ) {
                let value = prose
                    .slice(at, end)
                    .iter()
                    .map(|word| word.raw.trim_end_matches(['.', ',', ';']))
                    .collect::<Vec<_>>()
                    .join(" ");
                return prose.field(value, 0.85, at, end);
            }
            from = behind;
        }
    }
    None
}

fn cues_in(prose: &Prose, list: &str, first: usize, end: usize) -> Option<(usize, usize)> {
    cues(list).iter().find_map(|cue| prose.find(cue, first, end))
}

/// A place from `at` on: words with a capital, without "the State of" before them.
fn place_from(prose: &Prose, at: usize, confidence: f64) -> Option<Field> {
    const BEFORE: [&str; 11] =
        ["the", "state", "of", "commonwealth", "republic", "province", "der", "die", "des", "country", "courts"];
    let skip = prose.slice(at, at + 6).iter().take_while(|word| BEFORE.contains(&word.bare.as_str())).count();
    let first = at + skip;
    let mut end = first;
    while let Some(word) = prose.words.get(end).filter(|_| end < first + 5) {
        let capital = word.raw.starts_with(char::is_uppercase);
        let joins = end > first
            && ["of", "and", "und"].contains(&word.bare.as_str())
            && prose.words.get(end + 1).is_some_and(|next| next.raw.starts_with(char::is_uppercase));
        if !capital && !joins {
            break;
        }
        end += 1;
        if word.raw.ends_with(['.', ',', ';', ')']) {
            break;
        }
    }
    let value = prose.slice(first, end).iter().map(|word| word.raw.as_str()).collect::<Vec<_>>().join(" ");
    let value = value.trim_end_matches(['.', ',', ';', ')']).to_owned();
    (first < end && 2 <= value.chars().count()).then(|| prose.field(value, confidence, first, end))?
}

fn jurisdiction(prose: &Prose) -> Option<Field> {
    const CUES: &str = "jurisdiction of the courts of | jurisdiction * courts of | courts of | courts located in | courts in | \
        courts sitting in | jurisdiction of * courts in | gerichtsstand ist | gerichtsstand * ist | \
        gerichtsstand für * ist | gerichtsstand:";
    let words = prose.words.len();
    cues(CUES).iter().find_map(|cue| prose.find(cue, 0, words).and_then(|(_, behind)| place_from(prose, behind, 0.75)))
}

fn payment_terms(prose: &Prose) -> Option<Field> {
    let category = cues::CATEGORIES.iter().find(|it| it.name == "payment_terms")?;
    let cues = cues(category.cues);
    for (first, end) in &prose.sentences {
        if let Some((at, behind)) = cues.iter().find_map(|cue| prose.find(cue, *first, *end)) {
            let from = at.saturating_sub(8).max(*first);
            if let Some(found) =
                durations(prose, from, (behind + 10).min(*end)).into_iter().find(|found| found.value.ends_with("days"))
            {
                return prose.field(found.value, 0.75, found.first, found.end);
            }
        }
    }
    None
}

fn contract_value(prose: &Prose) -> Option<(Field, Field)> {
    const CUES: &str = "contract value | total contract price | contract price | contract sum | total value | total fee~ | \
        total price | purchase price | annual fee | fixed fee | auftragswert | vertragswert | gesamtpreis | \
        vertragssumme | gesamtvergütung | kaufpreis";
    let cues = cues(CUES);
    for (first, end) in &prose.sentences {
        let Some((_, behind)) = cues.iter().find_map(|cue| prose.find(cue, *first, *end)) else { continue };
        if let Some(found) = money(prose, behind, (behind + 20).min(*end)) {
            let value = prose.field(found.value, 0.65, found.first, found.end)?;
            let currency = prose.field(found.currency, 0.8, found.first, found.end)?;
            return Some((value, currency));
        }
    }
    None
}

#[cfg(test)]
mod tests;

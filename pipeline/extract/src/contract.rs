//! What a contract says about its parties, its dates and its risks, from its plain text.
//!
//! The wordings stand in one table (`contract/cues.rs`). A clause is the sentence with the wording; its evidence are the
//! characters of that sentence, so that a person reads the clause and not only our name for it.

mod cues;
mod prose;

use case::{Clause, Evidence, Field, FieldName, Fields};

use crate::values;
use prose::{Cue, Prose, Spoken, cues};

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
const PARTIES_MAX: usize = 10;
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
    found.fields.parties = parties(&prose);
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

/// Without any limit, or only in the cases that the sentence names.
fn uncapped(prose: &Prose, first: usize, end: usize) -> &'static str {
    const CASES: &str = "nothing | shall not apply | do not apply | not apply to | gelten nicht | gilt nicht | except | fraud | \
        gross negligence | wilful misconduct | willful misconduct | death | personal injury | vorsatz | \
        grobe fahrlässigkeit | grober fahrlässigkeit | verletzung des lebens | intent | \
        breach of confidentiality | indemni~ | produkthaftung~ | arglist~";
    if holds(prose, CASES, first, end) { "in named cases" } else { "in general" }
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

/// Names behind "between" up to "and", and names before a definition like (the "Supplier").
fn parties(prose: &Prose) -> Vec<Field> {
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

/// A date as a contract writes it, from the word `at` on.
fn date_at(prose: &Prose, at: usize) -> Option<(String, usize)> {
    let words = prose.slice(at, at + 8);
    let bare: Vec<&str> = words.iter().map(|word| word.bare.as_str()).collect();
    // `5th day of January, 2024`, `this 5th day of January 2024`
    if let [day, "day", "of", month, year, ..] = bare.as_slice()
        && let Some(date) = values::date(&format!("{day} {month} {year}"))
    {
        return Some((date, at + 5));
    }
    for length in [3, 1, 4] {
        let Some(part) = bare.get(..length) else { continue };
        let text = part.iter().filter(|it| **it != "of").copied().collect::<Vec<_>>().join(" ");
        let named = text.contains(char::is_alphabetic) || text.contains(['.', '/', '-']);
        let ambiguous = text.contains('/') && !clear_order(&text);
        if named
            && !ambiguous
            && let Some(date) = values::date(&text)
        {
            return Some((date, at + length));
        }
    }
    None
}

/// `03/04/2026` could be two days; `14/03/2026` is one.
fn clear_order(text: &str) -> bool {
    let numbers: Vec<u32> = text.split('/').filter_map(|it| it.parse().ok()).collect();
    matches!(numbers.as_slice(), [first, second, _] if 12 < *first || 12 < *second || first == second)
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
    const CUES: &str = "effective as of | effective date of | effective from | effective on | shall commence on | \
        commences on | commencing on | becomes effective | beginnt am | tritt am | gilt ab | ab dem";
    let end = prose.words.len();
    if let Some((date, first, end)) = date_after(prose, CUES, 0, end, 6) {
        return prose.field(date, 0.8, first, end);
    }
    // `as of 5 January 2024 (the "Effective Date")`, `Effective Date: 5 January 2024`
    let cue = Cue::new("effective date");
    let (at, behind) = prose.find(&cue, 0, end.min(PREAMBLE_WORDS))?;
    let near = (behind..behind + 4).find_map(|at| date_at(prose, at).map(|(date, end)| (date, at, end)));
    let before = || (at.saturating_sub(9)..at).find_map(|it| date_at(prose, it).map(|(date, end)| (date, it, end)));
    let (date, first, end) = near.or_else(before)?;
    prose.field(date, 0.8, first, end)
}

fn expiration_date(prose: &Prose) -> Option<Field> {
    const CUES: &str = "expire~ on | expire~ at * on | terminate~ on | ends on | ending on | end on | \
        remain in * effect until | continue~ * until | in effect until | expiration date | endet am | \
        endet * zum";
    let (date, first, end) = date_after(prose, CUES, 0, prose.words.len(), 6)?;
    prose.field(date, 0.75, first, end)
}

/// A length of time: `two (2) years`, `30 days`, `drei Monate`.
struct Duration {
    value: String,
    first: usize,
    end: usize,
}

fn durations(prose: &Prose, first: usize, end: usize) -> Vec<Duration> {
    let mut out = Vec::new();
    let mut at = first;
    while at < end.min(prose.words.len()) {
        match duration_at(prose, at) {
            Some(found) => {
                at = found.end;
                out.push(found);
            }
            None => at += 1,
        }
    }
    out
}

fn duration_at(prose: &Prose, at: usize) -> Option<Duration> {
    let word = prose.words.get(at)?;
    // `30-day`, `12-month`, `five-year`
    if let Some((number_text, unit_text)) = word.bare.split_once('-')
        && let (Some(number), Some(unit)) = (number(number_text), unit(unit_text))
    {
        return Some(Duration { value: format!("{number} {unit}"), first: at, end: at + 1 });
    }
    let mut count = number(&word.bare)?;
    let mut next = at + 1;
    if let Some(digits) =
        prose.words.get(next).filter(|word| word.raw.starts_with('(')).and_then(|word| number(&word.bare))
    {
        count = digits;
        next += 1;
    }
    // `thirty (30) calendar days`
    for skip in 0..2 {
        let word = prose.words.get(next + skip)?;
        if let Some(unit) = unit(&word.bare) {
            return Some(Duration { value: format!("{count} {unit}"), first: at, end: next + skip + 1 });
        }
        if ![
            "calendar",
            "business",
            "full",
            "consecutive",
            "weitere",
            "weiteren",
            "volle",
            "vollen",
            "additional",
            "working",
        ]
        .contains(&word.bare.as_str())
        {
            return None;
        }
    }
    None
}

fn number(text: &str) -> Option<u32> {
    const ENGLISH: [&str; 13] =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    const GERMAN: [&str; 13] =
        ["null", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"];
    const TENS: [(&str, u32); 12] = [
        ("fifteen", 15),
        ("eighteen", 18),
        ("twenty", 20),
        ("twenty-four", 24),
        ("thirty", 30),
        ("forty-five", 45),
        ("sixty", 60),
        ("ninety", 90),
        ("vierzehn", 14),
        ("dreißig", 30),
        ("sechzig", 60),
        ("neunzig", 90),
    ];
    if text.bytes().all(|it| it.is_ascii_digit()) {
        return text.parse().ok().filter(|number| (1..=1_000).contains(number));
    }
    let stem =
        text.strip_suffix("er").or_else(|| text.strip_suffix("em")).or_else(|| text.strip_suffix("es")).unwrap_or(text);
    let stem = if stem == "eine" || stem == "einen" { "ein" } else { stem };
    let small =
        |list: &[&str]| list.iter().position(|it| *it == text || *it == stem).and_then(|idx| u32::try_from(idx).ok());
    small(&ENGLISH)
        .or_else(|| small(&GERMAN))
        .filter(|it| *it != 0)
        .or_else(|| TENS.iter().find(|(word, _)| *word == text).map(|(_, it)| *it))
}

fn unit(text: &str) -> Option<&'static str> {
    Some(match text {
        "day" | "days" | "days'" | "day's" | "tag" | "tage" | "tagen" | "kalendertage" | "kalendertagen"
        | "werktagen" | "days’" => "days",
        "week" | "weeks" | "woche" | "wochen" => "weeks",
        "month" | "months" | "months'" | "monat" | "monate" | "monaten" | "monats" | "kalendermonate" | "months’" => {
            "months"
        }
        "year" | "years" | "years'" | "jahr" | "jahre" | "jahren" | "jahres" | "anniversary" => "years",
        _ => return None,
    })
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

/// Money with its currency: `EUR 100,000`, `100.000 Euro`, `$ 5,000.00`, `US$5,000`.
struct Money {
    value: String,
    currency: String,
    first: usize,
    end: usize,
}

fn money(prose: &Prose, first: usize, end: usize) -> Option<Money> {
    (first..end.min(prose.words.len())).find_map(|at| {
        let word = prose.words.get(at)?;
        let raw = word.raw.trim_matches(|it| ",.;()[]".contains(it));
        let code = |text: &str| match text {
            "euro" | "€" | "eur" => Some("EUR"),
            "usd" | "us$" | "$" | "dollars" => Some("USD"),
            "gbp" | "£" => Some("GBP"),
            "chf" => Some("CHF"),
            _ => None,
        };
        let sign_end = raw.find(|it: char| it.is_ascii_digit())?;
        let sign = raw.get(..sign_end)?.to_lowercase();
        let value = values::amount(raw.get(sign_end..)?)?;
        let before = at.checked_sub(1).filter(|it| first <= *it).and_then(|it| prose.words.get(it));
        let after = prose.words.get(at + 1).filter(|_| at + 1 < end);
        let trimmed = |word: &Spoken| word.raw.trim_matches(|it| ",.;()[]".contains(it)).to_lowercase();
        if let Some(currency) = code(&sign) {
            return Some(Money { value, currency: currency.to_owned(), first: at, end: at + 1 });
        }
        if let Some(currency) = before.and_then(|word| code(&trimmed(word))).filter(|_| sign.is_empty()) {
            return Some(Money { value, currency: currency.to_owned(), first: at - 1, end: at + 1 });
        }
        let currency = after.and_then(|word| code(&trimmed(word))).filter(|_| sign.is_empty())?;
        Some(Money { value, currency: currency.to_owned(), first: at, end: at + 2 })
    })
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

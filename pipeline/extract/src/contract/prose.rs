/// A text as words with places, in sentences.
pub(super) struct Prose {
    pub(super) words: Vec<Spoken>,
    /// First word and the word after the last, of each sentence.
    pub(super) sentences: Vec<(usize, usize)>,
    chars: Vec<char>,
}

pub(super) struct Spoken {
    /// As printed.
    pub(super) raw: String,
    /// In lower case and without punctuation around it.
    pub(super) bare: String,
    /// Characters of the text.
    pub(super) start: usize,
    pub(super) end: usize,
    /// First word of a line; first word after an empty line.
    pub(super) line: usize,
    pub(super) paragraph: bool,
}

/// Text without a full stop is cut into pieces of this many words.
const SENTENCE_WORDS_MAX: usize = 300;
const GAP_WORDS_MAX: usize = 10;

impl Prose {
    pub(super) fn of(text: &str) -> Prose {
        let chars: Vec<char> = text.chars().collect();
        let mut words: Vec<Spoken> = Vec::new();
        let (mut line, mut breaks) = (0, 2);
        let mut at = 0;
        while let Some(char) = chars.get(at) {
            if char.is_whitespace() {
                if *char == '\n' {
                    line += 1;
                    breaks += 1;
                }
                at += 1;
                continue;
            }
            let start = at;
            while chars.get(at).is_some_and(|it| !it.is_whitespace()) {
                at += 1;
            }
            let raw: String = chars.get(start..at).unwrap_or_default().iter().collect();
            let bare = raw.trim_matches(|it: char| !it.is_alphanumeric() && it != '#').to_lowercase().replace('’', "'");
            words.push(Spoken { raw, bare, start, end: at, line, paragraph: 1 < breaks });
            breaks = 0;
        }
        let mut prose = Prose { words, sentences: Vec::new(), chars };
        prose.sentences = prose.cut();
        prose
    }

    fn cut(&self) -> Vec<(usize, usize)> {
        let mut out = Vec::new();
        let mut first = 0;
        for (idx, word) in self.words.iter().enumerate() {
            let next = self.words.get(idx + 1);
            let ends = next.is_none_or(|next| {
                // A page break in the middle of a sentence is no end of it.
                let new_paragraph = next.paragraph && !next.raw.starts_with(char::is_lowercase);
                new_paragraph
                    || (ends_sentence(word)
                        && next
                            .raw
                            .starts_with(|it: char| it.is_uppercase() || it.is_ascii_digit() || "(\"“„§".contains(it)))
            });
            if ends || SENTENCE_WORDS_MAX <= idx + 1 - first {
                out.push((first, idx + 1));
                first = idx + 1;
            }
        }
        out
    }

    pub(super) fn slice(&self, first: usize, end: usize) -> &[Spoken] {
        self.words.get(first..end.min(self.words.len())).unwrap_or_default()
    }

    /// Characters from the first to the last of these words, and the text there.
    pub(super) fn span(&self, first: usize, end: usize) -> Option<(u64, u64, String)> {
        let words = self.slice(first, end);
        let (start, end) = (words.first()?.start, words.last()?.end);
        let text = self.chars.get(start..end)?.iter().collect();
        Some((start as u64, end as u64, text))
    }

    /// Where in `first..end` a cue stands: its first word and the word after its last.
    pub(super) fn find(&self, cue: &Cue, first: usize, end: usize) -> Option<(usize, usize)> {
        (first..end).find_map(|at| Some((at, self.matches(&cue.0, at, end)?)))
    }

    fn matches(&self, cue: &[Part], at: usize, end: usize) -> Option<usize> {
        let Some((part, rest)) = cue.split_first() else { return Some(at) };
        match part {
            // The first place where the next word stands is taken: no search back and forth.
            Part::Gap => {
                let next = rest.first()?;
                let found = (at..(at + GAP_WORDS_MAX + 1).min(end))
                    .find(|idx| self.words.get(*idx).is_some_and(|word| next.is(&word.bare)))?;
                self.matches(rest, found, end)
            }
            part => {
                let word = self.words.get(at).filter(|_| at < end)?;
                if part.is(&word.bare) { self.matches(rest, at + 1, end) } else { None }
            }
        }
    }
}

fn ends_sentence(word: &Spoken) -> bool {
    const ABBREVIATIONS: [&str; 24] = [
        "inc", "ltd", "co", "corp", "no", "nr", "art", "abs", "st", "mr", "mrs", "ms", "dr", "vs", "bzw", "z.b", "d.h",
        "u.s", "e.g", "i.e", "ca", "sec", "str", "gem",
    ];
    let raw = word.raw.trim_end_matches(['"', '”', '“', '\'', ')', '’']);
    if raw.ends_with(['!', '?', ';']) {
        return true;
    }
    let Some(body) = raw.strip_suffix('.') else { return false };
    let short = body.chars().count() <= 1 || body.chars().all(|it| it.is_ascii_digit() || it == '.');
    !short && !ABBREVIATIONS.contains(&word.bare.as_str())
}

/// A wording to look for; written as in `cues.rs`.
pub(super) struct Cue(Vec<Part>);

enum Part {
    Word(String),
    Beginning(String),
    Gap,
}

impl Part {
    fn is(&self, word: &str) -> bool {
        match self {
            Part::Word(expected) => expected == word,
            Part::Beginning(beginning) => word.starts_with(beginning.as_str()),
            Part::Gap => false,
        }
    }
}

impl Cue {
    pub(super) fn new(text: &str) -> Cue {
        let part = |word: &str| match (word, word.strip_suffix('~')) {
            ("*", _) => Part::Gap,
            (_, Some(beginning)) => Part::Beginning(beginning.to_owned()),
            (word, None) => Part::Word(word.to_owned()),
        };
        Cue(text.split_whitespace().map(part).collect())
    }
}

/// Some cues, of which one is enough.
pub(super) fn cues(texts: &str) -> Vec<Cue> {
    texts.split(" | ").map(Cue::new).collect()
}

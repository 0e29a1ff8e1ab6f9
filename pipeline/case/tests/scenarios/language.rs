//! The language of `tests/scenarios.txt`, read into plain data: what is brought in, the reader's answer, what happens then, and
//! what must come of it. Whoever runs it decides against what: facts in memory, or a store.

use std::collections::BTreeSet;

use case::{CaseId, Decimal, Fact};
use jiff::civil::Date;

#[path = "setting.rs"]
mod setting;

use setting::Setting;

pub(crate) const TODAY: &str = "2026-06-15";
pub(crate) const IBAN: &str = "DE89370400440532013000";
const VAT_ID: &str = "DE129273398";
const DATED: &str = "2026-06-10";
/// Who brings in what nobody else is said to have brought in.
pub(crate) const IMPORTER: &str = "importer";

pub(crate) struct Scenario {
    /// `S07 All billed, a part delivered`.
    pub(crate) title: String,
    /// The texts of the policy's files.
    pub(crate) policy: [String; 3],
    pub(crate) today: Date,
    pub(crate) facts: Vec<Brought>,
    /// The reader's answer, byte for byte as the confined process would give it. None: it is not about a document.
    pub(crate) answer: Option<Vec<u8>>,
    /// The same bytes come in a second time.
    pub(crate) twice: bool,
    /// What happens, one after the other. The first is that the document is judged.
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone)]
pub(crate) struct Brought {
    pub(crate) fact: Fact,
    /// Of a case, by the last digit of its id; none: it is brought in.
    pub(crate) case: Option<CaseId>,
    pub(crate) by: String,
}

pub(crate) struct Step {
    pub(crate) deed: Deed,
    pub(crate) expected: Vec<Expected>,
}

pub(crate) enum Deed {
    Judge,
    Bring(Box<Brought>),
    JudgeAgain,
    /// The ledger books it, and it is filed.
    Book,
    Today(Date),
    /// A person says so: `approves`, `rejects`, or corrects these fields.
    Decide {
        who: String,
        word: Word,
        reason: String,
    },
    /// Payments are compared with what is owed.
    Settle,
    /// Credit notes that are owed are looked for.
    Outstanding,
}

pub(crate) enum Word {
    Approve,
    Reject,
    Correct(Vec<(String, String)>),
    /// This account of the vendor.
    Confirm(String),
}

#[derive(Clone, Debug)]
pub(crate) enum Expected {
    Finding {
        weight: String,
        code: String,
        figures: Vec<(String, String)>,
        said: Option<String>,
    },
    /// A comparison that found nothing, by its rule, and what is kept of it.
    Passed {
        rule: String,
        figures: Vec<(String, String)>,
    },
    /// Of the first line: `variance` and `open`.
    Matched(Vec<(String, String)>),
    Rests {
        state: String,
        checkpoints: BTreeSet<String>,
    },
    Due(Date),
    /// For a person to check afterwards, or not.
    Drawn(bool),
    Refused(String),
    /// What becomes of payments, or which credit is owed, as it is written.
    Money(String),
}

/// Every scenario of the page.
pub(crate) fn read(text: &str, policies: [&str; 3]) -> Vec<Scenario> {
    let blocks = text.split("\n\n").filter(|block| block.lines().any(|line| !line.starts_with('#')));
    blocks.map(|block| scenario(block, policies)).collect()
}

fn scenario(block: &str, policies: [&str; 3]) -> Scenario {
    let mut lines = block.lines().filter(|line| !line.starts_with('#'));
    let title = lines.next().unwrap().to_owned();
    let mut setting = Setting::new(policies);
    let mut steps = vec![Step { deed: Deed::Judge, expected: Vec::new() }];
    let mut began = false;
    for row in lines.map(str::trim) {
        if let Some(row) = row.strip_prefix("=>") {
            began = true;
            steps.last_mut().unwrap().expected.push(expected(row.trim()));
        } else if let Some(row) = row.strip_prefix("then ") {
            began = true;
            steps.extend(setting.then(row).into_iter().map(|deed| Step { deed, expected: Vec::new() }));
        } else {
            assert!(!began, "{title}: `{row}` is set up after something was expected; begin it with `then`");
            setting.row(row);
        }
    }
    assert!(steps.iter().any(|step| !step.expected.is_empty()), "{title}: nothing is expected");
    let answer = setting.answer();
    let facts = setting.all_facts(&answer);
    let answer = Some(answer).filter(|_| setting.money.is_none());
    if let Some(deed) = setting.money {
        steps[0].deed = deed;
    }
    Scenario { title, policy: setting.policy, today: setting.today, facts, answer, twice: setting.twice, steps }
}

fn expected(row: &str) -> Expected {
    let (words, said) = row.split_once('"').map_or((row, None), |(words, said)| (words, said.strip_suffix('"')));
    let words: Vec<&str> = words.split_whitespace().collect();
    let figures = |from: usize| {
        let pairs =
            words[from..].iter().map(|pair| pair.split_once('=').unwrap_or_else(|| panic!("`{pair}` in `{row}`")));
        pairs.map(|(name, value)| (name.to_owned(), value.replace('_', " "))).collect()
    };
    match words[0] {
        weight @ ("INFO" | "REVIEW" | "HOLD" | "STOP") => Expected::Finding {
            weight: weight.into(),
            code: words[1].into(),
            figures: figures(2),
            said: said.map(Into::into),
        },
        "passed" => Expected::Passed { rule: words[1].into(), figures: figures(2) },
        "matched" => Expected::Matched(figures(1)),
        "drawn" => Expected::Drawn(true),
        "not" => Expected::Drawn(false),
        "due" => Expected::Due(words[1].parse().unwrap()),
        "refused" => Expected::Refused(said.unwrap().into()),
        "payment" | "credit" => Expected::Money(row.into()),
        state => {
            assert!(case::State::named(state).is_some(), "`{state}` is neither a weight nor a state");
            Expected::Rests { state: state.into(), checkpoints: words[1..].iter().map(|it| (*it).to_owned()).collect() }
        }
    }
}

/// A row's words, found by the word before them.
struct Row<'a>(Vec<&'a str>);

impl<'a> Row<'a> {
    fn of(row: &'a str) -> Row<'a> {
        Row(row.split_whitespace().collect())
    }

    fn word(&self, at: usize) -> &'a str {
        self.0.get(at).copied().unwrap_or_default()
    }

    fn has(&self, word: &str) -> bool {
        self.0.contains(&word)
    }

    fn after(&self, word: &str) -> Option<&'a str> {
        let at = self.0.iter().position(|it| *it == word)?;
        self.0.get(at + 1).copied()
    }

    fn text(&self, word: &str) -> Option<String> {
        self.after(word).map(|text| text.replace('_', " "))
    }

    fn number(&self, word: &str) -> Option<Decimal> {
        self.after(word).map(number)
    }

    fn date(&self, word: &str) -> Option<Date> {
        self.after(word).map(|date| date.parse().unwrap())
    }
}

fn number(text: &str) -> Decimal {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is no number"))
}

fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
}

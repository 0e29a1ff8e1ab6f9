//! What happened to a case, in the words of the page.

use std::collections::BTreeSet;

use case::{Case, Code, Format, Kind, Timestamp};
use store::Happening;

use crate::page::People;
use crate::words::Lang;

/// Of a long history the newest so many are shown; the log has all of them.
const HISTORY_MAX: usize = 300;

pub(crate) struct HistoryRow {
    pub(crate) index: Option<u64>,
    pub(crate) at: String,
    pub(crate) what: &'static str,
    pub(crate) who: String,
    pub(crate) moved: Option<(String, String)>,
    pub(crate) refused: bool,
    pub(crate) looked: bool,
    pub(crate) said: Vec<(String, String)>,
}

pub(crate) fn rows(history: Vec<Happening>, case: &Case, people: &People, lang: Lang) -> Vec<HistoryRow> {
    let cut = history.len().saturating_sub(HISTORY_MAX);
    let state = |name: String| case::State::named(&name).map_or(name, |state| lang.state(state).to_owned());
    let row = |it: Happening| {
        let at = time(&it, lang);
        let who = if it.actor_kind == "system" { lang.words().program.to_owned() } else { people.name(&it.actor) };
        let said = it.said.iter().filter(|(name, value)| !idle(name, value));
        let said = said.map(|(name, value)| (lang.told(name).to_owned(), told(name, value, case, people, lang)));
        HistoryRow {
            index: it.index,
            at,
            what: lang.act(it.act),
            who,
            refused: it.result != "ok",
            looked: it.act == "document.view",
            said: said.collect(),
            moved: it.from.zip(it.to).filter(|(from, to)| from != to).map(|(from, to)| (state(from), state(to))),
        }
    };
    history.into_iter().skip(cut).map(row).collect()
}

/// Which holds something that came in later lifted, and when. What was found again since is not lifted.
pub(crate) fn lifted(history: &[Happening], case: &Case, lang: Lang) -> Vec<(String, String)> {
    let found: BTreeSet<Code> = case.findings.iter().map(|finding| finding.code).collect();
    let of = |it: &Happening| {
        let codes = it.said.get("released")?.split(", ").filter_map(Code::named);
        let titles: Vec<&str> = codes.filter(|code| !found.contains(code)).map(|code| lang.code(code)).collect();
        (!titles.is_empty()).then(|| (titles.join("; "), time(it, lang)))
    };
    history.iter().filter_map(of).collect()
}

fn time(it: &Happening, lang: Lang) -> String {
    let at = it.at.parse::<jiff::Timestamp>().map(|at| lang.time(Timestamp(at.as_microsecond())));
    at.unwrap_or_else(|_| it.at.clone())
}

/// Says nothing: there was none of it.
fn idle(name: &str, value: &str) -> bool {
    value.is_empty() || (name == "pictures" && value == "0")
}

/// What an entry says under this name.
fn told(name: &str, value: &str, case: &Case, people: &People, lang: Lang) -> String {
    let each = |say: &dyn Fn(&str) -> String| value.split(", ").map(say).collect::<Vec<_>>().join("; ");
    match name {
        "size_bytes" => value.parse().map_or_else(|_| value.to_owned(), |size| lang.bytes(size)),
        "kind" => {
            let kind = Kind::ALL.into_iter().find(|kind| kind.name() == value);
            kind.map_or(value, |kind| lang.kind(kind)).to_owned()
        }
        "format" => {
            let format = serde_json::from_value::<Format>(value.into());
            format.map_or(value, |format| lang.format(format)).to_owned()
        }
        "codes" | "released" => each(&|code| Code::named(code).map_or(code, |it| lang.code(it)).to_owned()),
        "checkpoints" => each(&|id| {
            let title = case.checkpoints.iter().find(|it| it.id == id).map(|it| it.title.clone());
            title.unwrap_or_else(|| id.to_owned())
        }),
        "voided" | "proposed_by" => each(&|id| people.name(id)),
        "sample_percent" => format!("{value} %"),
        "answer" => lang.answer(value).to_owned(),
        _ => lang.day_text(&short(value)),
    }
}

/// A digest is known by its beginning.
fn short(text: &str) -> String {
    let digest = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if digest { text.chars().take(12).chain(['…']).collect() } else { text.to_owned() }
}

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

/// Which holds were lifted when the case was judged again, by what, and when. What was found again since is not lifted. Where
/// another policy was in force by then, it is not said that what came in lifted them: either may have.
pub(crate) fn lifted<'a>(history: &'a [Happening], case: &Case, lang: Lang) -> Vec<(&'static str, String, String)> {
    let found: BTreeSet<Code> = case.findings.iter().map(|finding| finding.code).collect();
    let mut judged_by: Option<&String> = None;
    let of = |it: &'a Happening| {
        let policy = it.said.get("codes").and(it.said.get("policy"));
        let other = policy.zip(judged_by).is_some_and(|(now, before)| now != before);
        judged_by = policy.or(judged_by);
        let codes = it.said.get("released")?.split(", ").filter_map(Code::named);
        let titles: Vec<&str> = codes.filter(|code| !found.contains(code)).map(|code| lang.code(code)).collect();
        let how = if other { lang.words().lifted_policy } else { lang.words().lifted };
        (!titles.is_empty()).then(|| (how, titles.join("; "), time(it, lang)))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use case::{Actor, CaseId, Digest, Document};

    use super::*;

    #[test]
    fn a_hold_that_fell_under_another_policy_is_not_said_to_be_lifted_by_what_came_in() {
        let document = Document {
            digest: Digest::of(b"x"),
            size_bytes: 1,
            file_name: "a.xml".into(),
            channel: "inbox".into(),
            received_at: Timestamp(0),
        };
        let id: CaseId = "01a208e0-8f47-7124-8afb-7d47ae5bcdda".parse().unwrap();
        let case = Case::new(id, document, Default::default(), &Actor::system("intake"));
        let judged = |policy: &str, released: &str| Happening {
            at: "2026-06-15T08:00:00Z".into(),
            act: "case.rejudge",
            actor: "work".into(),
            actor_kind: "system",
            from: None,
            to: None,
            revision: None,
            result: "ok",
            said: [("codes", "PRICE"), ("policy", policy), ("released", released)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            index: None,
        };
        let how = |second: &str| {
            let told = lifted(&[judged("one", ""), judged(second, "STALE")], &case, Lang::En);
            told.into_iter().map(|(how, _, _)| how).collect::<Vec<_>>()
        };
        assert_eq!(how("one"), ["Lifted by what came in"]);
        assert_eq!(how("other"), ["Lifted when it was judged again, by another policy"]);
    }
}

//! `log report` for people: tables that fit on paper.

use std::collections::BTreeMap;

use store::{Listed, Noted, PeriodReport};

use super::People;
use super::cases::plain;

/// Of what an entry says, how much is shown.
const SAID_CHARS_MAX: usize = 200;

pub(crate) fn print(report: &PeriodReport, people: &People) {
    say!("Audit log from {} to {}, days in UTC\n", report.from, report.to);
    for part in &report.logs {
        say!("log       {}", part.origin);
        say!("entries   {}, from {} to {}", part.entries, part.first, part.last);
        say!("sealed    {} to {}", part.first_sealed, part.last_sealed);
    }
    if report.logs.is_empty() {
        say!("entries   none");
    }
    say!("head      {} entries, root {}", report.head.size, report.head.root);

    say!("\nWhat was done                            ok  denied   error");
    let mut acts: BTreeMap<&str, [u64; 3]> = BTreeMap::new();
    let mut actors: BTreeMap<(&str, &str), [u64; 3]> = BTreeMap::new();
    for tally in &report.acts {
        let column = ["ok", "denied", "error"].iter().position(|it| *it == tally.result).unwrap_or(2);
        for row in [acts.entry(tally.act).or_default(), actors.entry((&tally.actor, tally.actor_kind)).or_default()] {
            row.iter_mut().skip(column).take(1).for_each(|n| *n += tally.entries);
        }
    }
    let row = |name: &str, [ok, denied, error]: [u64; 3]| say!("  {name:<34} {ok:>8} {denied:>7} {error:>7}");
    acts.into_iter().for_each(|(act, counts)| row(act, counts));
    say!("\nBy whom                                  ok  denied   error");
    actors
        .into_iter()
        .for_each(|((actor, kind), counts)| row(&format!("{} ({kind})", plain(people.name(actor))), counts));

    let sessions = &report.sessions;
    let opened = sessions.opened.iter().map(|(method, n)| format!("{n} by {method}")).collect::<Vec<_>>().join(", ");
    say!("\nSign-ins");
    say!("  opened {}, ended {}", if opened.is_empty() { "none" } else { &opened }, sessions.closed);
    say!("  links that sign in once: {}", sessions.links);
    say!("  looks at cases and pages: {}", report.looks);

    list("Sign-ins that were refused", &sessions.failed, people);
    list("Denied", &report.denied, people);
    list("Overrides: where a person decided otherwise than the machine had found", &report.overrides, people);
    list("Policies", &report.policies, people);
    list("Handed out: the log, receipts, samples, originals", &report.handed_out, people);
    list("Keys and logs", &report.keys, people);
    list("Erased", &report.erasures, people);
    list(
        &format!("Refused before sealing, {} waiting entries in all", report.refused_entries),
        &report.refused,
        people,
    );
    let silences = &report.silences;
    say!("\nSilences longer than the heartbeat: {}", silences.count);
    for silence in &silences.first {
        say!(
            "  {:>8} s  between entry {} and {}, {} to {}",
            silence.seconds,
            silence.after,
            silence.until,
            silence.from,
            silence.to
        );
    }
    rest(silences.count, silences.first.len());
}

fn list(title: &str, listed: &Listed<Noted>, people: &People) {
    say!("\n{title}: {}", listed.count);
    for noted in &listed.first {
        let object = noted.object.as_deref().unwrap_or("-");
        let said = noted.said.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("  ");
        let cut = if SAID_CHARS_MAX < said.chars().count() { "…" } else { "" };
        let said = plain(&said.chars().take(SAID_CHARS_MAX).collect::<String>()) + cut;
        let actor = plain(people.name(&noted.actor));
        say!("  {:>8}  {}  {:<16} {actor:<20} {object}  {said}", noted.index, noted.sealed, noted.act);
    }
    rest(listed.count, listed.first.len());
}

fn rest(count: u64, shown: usize) {
    let rest = count.saturating_sub(shown as u64);
    if 0 < rest {
        say!("  … and {rest} more, which the log has");
    }
}

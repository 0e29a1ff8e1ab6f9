//! The report as a page that a person reads, prints and signs. It needs nothing but itself, and no word of a stranger
//! in it is more than text.

use std::path::Path;

use audit::{Ask, Reference, ReferenceKind, Report, rfc3339};

use crate::tell::{longest, steers, times};

const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<title>Report on an audit log</title>
<style>
body { font: 11pt/1.45 Georgia, 'Times New Roman', serif; max-width: 46em; margin: 2em auto; padding: 0 1em; color: #111; }
h1 { font-size: 1.6em; margin-bottom: 0; }
h2 { font-size: 1.15em; margin: 1.6em 0 0.4em; border-bottom: 1px solid #999; break-after: avoid; }
table { border-collapse: collapse; width: 100%; break-inside: auto; }
th, td { text-align: left; vertical-align: top; padding: 0.3em 0.6em 0.3em 0; border-bottom: 1px solid #ddd; }
th { font-weight: normal; width: 13em; }
tr { break-inside: avoid; }
code { font: 0.85em/1.4 'DejaVu Sans Mono', Consolas, monospace; overflow-wrap: anywhere; }
.verdict { border: 2px solid #111; padding: 0.6em 1em; margin: 1em 0; font-size: 1.1em; }
.fault { border-color: #a00; }
.sign td { height: 3em; border-bottom: 1px solid #111; }
@media print { body { margin: 0; max-width: none; } }
</style>
</head>
<body>
";

/// The whole page.
pub(crate) fn html(dir: &Path, ask: &Ask, report: &Report) -> String {
    let mut page = HEAD.to_owned();
    page += "<h1>Report on an audit log</h1>\n";
    page += &format!(
        "<p>Made by <code>auditor</code> {}, which reads a folder and a public key and nothing else.</p>\n",
        text(env!("CARGO_PKG_VERSION"))
    );
    page += &verdict(report);
    page += &section("What was checked", &checked(dir, ask, report));
    page += &section("What the figures say", &figures(report));
    page += &section("What is confirmed from outside, and what is not", &ranges(report));
    if !report.notes.is_empty() {
        let notes: String = report.notes.iter().map(|note| format!("<li>{}</li>\n", text(note))).collect();
        page += &section("What else should be known", &format!("<ul>\n{notes}</ul>\n"));
    }
    page += &section("What this does not show", &limits(ask, report));
    page += &section(
        "Who checked it",
        "<table class=\"sign\">\n<tr><th>Name</th><td></td></tr>\n<tr><th>Organisation and office</th><td></td></tr>\n\
         <tr><th>Where the key came from</th><td></td></tr>\n<tr><th>Place and date</th><td></td></tr>\n\
         <tr><th>Signature</th><td></td></tr>\n</table>\n",
    );
    page + "</body>\n</html>\n"
}

fn verdict(report: &Report) -> String {
    let plain = match (&report.fault, report.covered()) {
        (Some(_), _) => {
            "The log is not as it was sealed. The first thing that is wrong is named here; there may be more behind it."
        }
        (None, None) => {
            "The log agrees with itself. Nothing from outside the house was there to compare it with: whoever holds the \
             key of the log could have written all of it anew, and it would look the same."
        }
        (None, Some(_)) => {
            "The log agrees with itself, and as far as is said here with what is known outside the house."
        }
    };
    let class = if report.fault.is_some() { "verdict fault" } else { "verdict" };
    let mut told = format!("<div class=\"{class}\"><strong>{}</strong><br>{}", text(&report.verdict()), text(plain));
    if let Some(fault) = &report.fault {
        told += &format!("<br>{}<br>That means: {}.", text(&fault.text), text(fault.kind.meaning()));
    }
    told + "</div>\n"
}

fn checked(dir: &Path, ask: &Ask, report: &Report) -> String {
    let mut rows =
        vec![("Folder", code(&dir.display().to_string())), ("Key that was given", code(&ask.key.to_string()))];
    if let Some(head) = &report.head {
        rows.push(("Log", code(&head.origin)));
        rows.push(("Entries in the signed head", head.size.to_string()));
        rows.push(("Root of the signed head", code(&head.root.to_string())));
    }
    if let Some((first, last)) = times(report) {
        rows.push(("First entry sealed", text(&first)));
        rows.push(("Last good entry sealed", text(&last)));
    }
    for change in &report.rotations {
        rows.push((
            "Key changed",
            format!("by entry {} for {}; both keys signed", change.index, code(&change.after.to_string())),
        ));
    }
    for witness in &ask.witnesses {
        rows.push(("Witness that is believed", code(&witness.to_string())));
    }
    if !ask.witnesses.is_empty() {
        rows.push(("Witnesses that must agree", ask.quorum.to_string()));
    }
    let given = |given: bool| if given { "was given" } else { "was not given" };
    rows.push(("Certificate for timestamps", given(ask.timestamp_authority.is_some()).to_owned()));
    rows.push((
        "Silence counts as a fault",
        if ask.silence_is_fault { "yes" } else { "no, it is only told" }.to_owned(),
    ));
    table(&rows)
}

fn figures(report: &Report) -> String {
    let mut rows = vec![
        (
            "Good entries",
            format!(
                "{}. Each has the form of an entry, its own number, the hash of the one before, and a time that is not before it; and the hashes that were published are its own.",
                report.entries
            ),
        ),
        (
            "Heads in the folder",
            format!("{}. Each was signed by the key of its time, and the entries give its root.", report.heads_inside),
        ),
    ];
    if let Some(objects) = report.objects {
        rows.push((
            "Objects followed",
            format!("{objects}. The revisions of each follow one another, and each names the body of the one before."),
        ));
    }
    rows.push(("Timestamps verified", format!("{}; {} were not looked at.", report.anchors.0, report.anchors.1)));
    match &report.openings {
        Some(opened) => {
            rows.push((
                "Openings that fit",
                format!("{}. What was committed to is what was handed over.", opened.opened),
            ));
            rows.push(("Openings erased", format!("{}. A later entry says that they were destroyed.", opened.erased)));
            rows.push(("Openings not judged", opened.unjudged.to_string()));
        }
        None => {
            rows.push(("Openings", "None were handed over: what commitments stand for was not looked at.".to_owned()))
        }
    }
    table(&rows)
}

fn ranges(report: &Report) -> String {
    if report.fault.is_some() {
        return "<p>Nothing is said about a log that has a fault.</p>\n".to_owned();
    }
    let mut rows: String = longest(report).into_iter().map(row).collect();
    let covered = report.covered().map_or(0, |outside| outside.size);
    if covered < report.entries {
        rows += &format!(
            "<tr><td>{covered} to {}</td><td>nothing</td><td>These entries agree with themselves and with the head that the log's own key signed, and with nothing else.</td></tr>\n",
            report.entries - 1
        );
    }
    format!("<table>\n<tr><td>Entries</td><td>Confirmed by</td><td>Which means</td></tr>\n{rows}</table>\n")
}

fn row(outside: &Reference) -> String {
    let meaning = match outside.kind {
        ReferenceKind::Kept => "They are the same as when this head was kept by whoever checks now.",
        ReferenceKind::Witnessed => "The witnesses were shown this history, and by their word no other one.",
        ReferenceKind::Stamped => "They existed at that time, and were not changed since.",
    };
    let by = match (outside.kind, outside.at.and_then(rfc3339)) {
        (ReferenceKind::Kept, _) => "a head that was kept".to_owned(),
        (_, Some(at)) => format!("{} ({})", text(&outside.by.join(", ")), text(&at)),
        (_, None) => text(&outside.by.join(", ")),
    };
    let (last, name) = (outside.size - 1, code(&outside.name));
    format!("<tr><td>0 to {last}</td><td>{by}, {name}</td><td>{}</td></tr>\n", text(meaning))
}

fn limits(ask: &Ask, report: &Report) -> String {
    let mut limits = vec![
        "That an entry is true: it is what the program wrote when it happened, and was not changed afterwards.",
        "That everything that happened was entered. A silence longer than the heartbeat is told; a deed that was never entered is not seen here.",
        "That the key is the log's: it must come from somewhere else than the folder.",
    ];
    if report.covered().is_none_or(|outside| outside.size < report.entries) {
        limits.push(
            "For entries that nothing outside confirms: that they were not written anew by whoever holds the key.",
        );
    }
    if report.openings.is_none() {
        limits.push("What the commitments stand for.");
    }
    if report.objects.is_none() {
        limits.push("That the revisions of each object follow one another; they were not followed.");
    }
    if ask.timestamp_authority.is_some() {
        limits.push("Whether a certificate of the timestamp authority was revoked.");
    }
    if report.fault.is_some() {
        limits.push("Anything about the entries after the first fault.");
    }
    let items: String = limits.iter().map(|limit| format!("<li>{}</li>\n", text(limit))).collect();
    format!("<ul>\n{items}</ul>\n")
}

fn section(title: &str, body: &str) -> String {
    format!("<h2>{}</h2>\n{body}", text(title))
}

/// Rows of a name and what is already HTML.
fn table(rows: &[(&str, String)]) -> String {
    let rows: String =
        rows.iter().map(|(name, value)| format!("<tr><th>{}</th><td>{value}</td></tr>\n", text(name))).collect();
    format!("<table>\n{rows}</table>\n")
}

fn code(value: &str) -> String {
    format!("<code>{}</code>", text(value))
}

fn text(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            c if steers(c) => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

//! The report as text and as JSON.

use std::io::Write;

use audit::{Ask, Reference, ReferenceKind, Report, rfc3339};
use serde_json::{Value, json};

/// Prints to the end, or ends quietly when nobody reads it.
pub(crate) fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Lines for a terminal. Names of files, witnesses and logs are a stranger's: nothing in them may steer it.
pub(crate) fn lines(lines: &[String]) -> String {
    lines.iter().map(|line| line.replace(steers, "\u{fffd}") + "\n").collect()
}

/// Control characters, and those that turn the direction of writing, so that a name could read as another.
pub(crate) fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

pub(crate) fn as_text(ask: &Ask, report: &Report) -> String {
    let mut told = vec![format!("key       {}", ask.key)];
    if let Some(head) = &report.head {
        told.push(format!("log       {}", head.origin));
        told.push(format!("head      {} entries, root {}", head.size, head.root));
    }
    told.push(match report.fault {
        None => format!(
            "checked   signature, {} entries (form, number, chain, time), all tiles, root, {} heads in the folder",
            report.entries, report.heads_inside
        ),
        Some(_) => format!("checked   {} entries were good before the fault was met", report.entries),
    });
    if let Some((first, last)) = times(report) {
        told.push(format!("sealed    {first} to {last}"));
    }
    told.push(match report.objects {
        Some(objects) => format!("objects   the revisions of {objects} objects follow one another"),
        None => "objects   their revisions were not followed (--objects)".to_owned(),
    });
    for change in &report.rotations {
        told.push(format!("key       changed by entry {} for {}, both signed", change.index, change.after));
    }
    if let Some(opened) = &report.openings {
        let [fit, erased, unjudged] = [opened.opened, opened.erased, opened.unjudged];
        told.push(format!("openings  {fit} fit their commitments, {erased} were erased, {unjudged} cannot be judged"));
    }
    if report.fault.is_none() {
        told.extend(longest(report).into_iter().map(outside));
        let covered = report.covered().map_or(0, |outside| outside.size);
        if covered == 0 {
            told.push("outside   no outside reference (--since, --witness, --timestamp-certificate)".to_owned());
        } else if covered < report.entries {
            told.push(format!("outside   no reference for the entries {covered} to {}", report.entries - 1));
        }
    }
    told.extend(report.notes.iter().map(|note| format!("note      {note}")));
    told.extend(report.fault.iter().map(|fault| format!("fault     {}", fault.text)));
    told.push(format!("verdict   {}", report.verdict()));
    lines(&told)
}

/// The longest reference of each kind, the best of its kind last.
pub(crate) fn longest(report: &Report) -> Vec<&Reference> {
    let kinds = [ReferenceKind::Stamped, ReferenceKind::Witnessed, ReferenceKind::Kept];
    let of = |kind| report.outside.iter().rev().find(|outside| outside.kind == kind);
    kinds.into_iter().filter_map(of).collect()
}

fn outside(outside: &Reference) -> String {
    format!("outside   entries 0 to {} by {}", outside.size - 1, outside.text())
}

pub(crate) fn as_json(ask: &Ask, report: &Report) -> Value {
    let mut answer = json!({
        "auditor": env!("CARGO_PKG_VERSION"),
        "sound": report.fault.is_none(),
        "verdict": report.verdict(),
        "key": ask.key.to_string(),
        "entries": report.entries,
        "heads_inside": report.heads_inside,
        "anchors": {"verified": report.anchors.0, "unchecked": report.anchors.1},
        "outside": report.outside.iter().map(reference).collect::<Vec<_>>(),
        "rotations": report.rotations.iter().map(|change| json!({
            "index": change.index, "before": change.before.to_string(), "after": change.after.to_string(),
        })).collect::<Vec<_>>(),
        "notes": report.notes,
    });
    let mut add = |key: &str, value: Value| {
        if let Value::Object(members) = &mut answer {
            members.insert(key.to_owned(), value);
        }
    };
    if let Some(head) = &report.head {
        add("head", json!({"origin": head.origin, "size": head.size, "root": head.root.to_string()}));
    }
    if let Some((first, last)) = times(report) {
        add("sealed", json!({"first": first, "last": last}));
    }
    if let Some(objects) = report.objects {
        add("objects", json!(objects));
    }
    if let Some(begun) = &report.begun {
        add("begun", json!({"origin": begun.origin, "size": begun.size, "root": begun.root.to_string()}));
    }
    if let Some(opened) = &report.openings {
        add("openings", json!({"opened": opened.opened, "erased": opened.erased, "unjudged": opened.unjudged}));
    }
    if let Some(covered) = report.covered() {
        add("covered", reference(covered));
    }
    if let Some(fault) = &report.fault {
        let mut told = json!({"kind": fault.kind.text(), "meaning": fault.kind.meaning(), "text": fault.text});
        if let (Value::Object(members), Some(index)) = (&mut told, fault.index) {
            members.insert("index".to_owned(), json!(index));
        }
        add("fault", told);
    } else {
        let covered = report.covered().map_or(0, |outside| outside.size);
        let range = |first: u64, end: u64| if first < end { json!([first, end - 1]) } else { json!([]) };
        add("ranges", json!({"covered": range(0, covered), "uncovered": range(covered, report.entries)}));
    }
    answer
}

fn reference(outside: &Reference) -> Value {
    let kind = match outside.kind {
        ReferenceKind::Stamped => "timestamp",
        ReferenceKind::Witnessed => "witnesses",
        ReferenceKind::Kept => "kept head",
    };
    let mut told = json!({"kind": kind, "name": outside.name, "size": outside.size, "by": outside.by});
    if let (Value::Object(members), Some(at)) = (&mut told, outside.at.and_then(rfc3339)) {
        members.insert("at".to_owned(), json!(at));
    }
    told
}

pub(crate) fn times(report: &Report) -> Option<(String, String)> {
    let (first, last) = report.sealed?;
    rfc3339(first).zip(rfc3339(last))
}

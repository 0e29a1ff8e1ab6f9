//! Draws every sample of a log again.

use audit::{Sample, samples};
use serde_json::{Value, json};

use crate::{Log, Outcome, outcome, tell};

pub(crate) fn run(log: &Log) -> anyhow::Result<Outcome> {
    let (dir, ask) = log.read()?;
    let (report, found) = match samples(dir, &ask) {
        Ok(found) => found,
        Err(error) => return Ok(Outcome::Unread(error.into())),
    };
    let disagree = found.iter().filter(|sample| sample.disagreement.is_some()).count();
    if log.json {
        let mut answer = tell::as_json(&ask, &report);
        if let Value::Object(members) = &mut answer {
            members.insert("samples".to_owned(), found.iter().map(as_json).collect());
        }
        tell::print(&format!("{answer}\n"));
    } else {
        let mut lines: Vec<String> = found.iter().map(as_text).collect();
        if report.fault.is_none() {
            lines.push(match (found.len(), disagree) {
                (0, _) => "samples   the log has none".to_owned(),
                (all, 0) => format!("samples   all {all} are as they were committed to"),
                (all, bad) => format!("samples   {bad} of {all} are not what they were committed to"),
            });
        }
        tell::print(&(tell::as_text(&ask, &report) + &tell::lines(&lines)));
    }
    Ok(if disagree != 0 { Outcome::Fault } else { outcome(&report) })
}

fn as_text(sample: &Sample) -> String {
    let Sample { commit, draw, count, range: (first, last), population, drawn, disagreement } = sample;
    let place = |at: &Option<u64>, deed: &str| at.map_or(format!("not {deed}"), |at| format!("{deed} in entry {at}"));
    let verdict = match (disagreement, draw) {
        (Some(why), _) => format!("disagrees: it {why}"),
        (None, None) => "was not drawn yet".to_owned(),
        (None, Some(_)) => "agrees".to_owned(),
    };
    format!(
        "sample    {}, {}: {} of {count} cases out of {population} admitted in the entries {first} to {last}; {verdict}",
        place(commit, "committed to"),
        place(draw, "drawn"),
        drawn.len(),
    )
}

fn as_json(sample: &Sample) -> Value {
    json!({
        "commit": sample.commit,
        "draw": sample.draw,
        "count": sample.count,
        "first": sample.range.0,
        "last": sample.range.1,
        "population": sample.population,
        "drawn": sample.drawn,
        "agrees": sample.draw.is_some() && sample.disagreement.is_none(),
        "disagreement": sample.disagreement,
    })
}

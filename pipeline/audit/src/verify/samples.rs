//! Draws every sample of a log again, from what was committed to before and the seed that was told after.

use std::collections::BTreeMap;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::bundle::ObjectKeys;
use super::folder::Folder;
use super::{Ask, Report, Stop, verify, walk};
use crate::{Body, Error, Hash, TreeHead, Value, draw};

/// Samples of one log that are looked at.
const SAMPLES_MAX: usize = 10_000;
/// Cases drawn, of all samples together.
const DRAWN_MAX: usize = 200_000;

/// A sample, as the log has it and as it was drawn again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The entry that committed to it; None when it was drawn without.
    pub commit: Option<u64>,
    /// The entry that drew it; None when it was not drawn yet.
    pub draw: Option<u64>,
    /// How many cases were to be drawn.
    pub count: u64,
    /// The entries that the cases were admitted in, the first and the last.
    pub range: (u64, u64),
    /// How many cases were admitted in them.
    pub population: u64,
    /// The cases, in the order they were drawn.
    pub drawn: Vec<String>,
    /// Why it is not the sample that was committed to; None when it is, or was not drawn yet.
    pub disagreement: Option<String>,
}

/// Verifies the log, and draws its samples again if it is sound.
pub fn samples(dir: &Path, ask: &Ask) -> Result<(Report, Vec<Sample>), Error> {
    let mut report = verify(dir, ask)?;
    let Some(head) = report.head.clone().filter(|_| report.fault.is_none()) else { return Ok((report, Vec::new())) };
    match redraw(&Folder::new(dir), ask, &head, &mut report) {
        Ok(samples) => Ok((report, samples)),
        Err(Stop::Fault(fault)) => {
            report.outside.clear();
            report.fault = Some(fault);
            Ok((report, Vec::new()))
        }
        Err(Stop::World(error)) => Err(error),
    }
}

fn redraw(folder: &Folder<'_>, ask: &Ask, head: &TreeHead, report: &mut Report) -> Result<Vec<Sample>, Stop> {
    let keys = ObjectKeys::default();
    let (mut acts, mut beyond) = (Vec::new(), 0);
    walk::again(folder, ask, head, &keys, &mut |leaf, glance| {
        if matches!(glance.act, b"sample.commit" | b"sample.draw") {
            match Body::parse(leaf.body) {
                Ok(body) if acts.len() < 2 * SAMPLES_MAX => acts.push((leaf.index, body)),
                _ => beyond += 1,
            }
        }
        Ok(())
    })?;
    let mut found = pair(acts);
    // How many cases were admitted before each end of a range.
    let mut before: BTreeMap<u64, u64> = BTreeMap::new();
    for Found { sample, .. } in &found {
        before.extend([(sample.range.0, 0), (sample.range.1.saturating_add(1), 0)]);
    }
    let (mut admitted, mut ends) = (0, before.iter_mut().peekable());
    walk::again(folder, ask, head, &keys, &mut |leaf, glance| {
        while let Some((_, count)) = ends.next_if(|(end, _)| **end <= leaf.index) {
            *count = admitted;
        }
        admitted += u64::from(glance.act == b"case.admit");
        Ok(())
    })?;
    ends.for_each(|(_, count)| *count = admitted);
    let mut wanted: BTreeMap<u64, Vec<(usize, usize)>> = BTreeMap::new();
    let mut total = 0;
    for (n, found) in found.iter_mut().enumerate() {
        let (first, last) = found.sample.range;
        let count_at = |end: u64| before.get(&end).copied().unwrap_or(0);
        let start = count_at(first);
        found.sample.population = count_at(last.saturating_add(1)).saturating_sub(start);
        for (place, number) in found.numbers().into_iter().enumerate() {
            total += 1;
            if DRAWN_MAX < total {
                beyond += 1;
                break;
            }
            wanted.entry(start + number).or_default().push((n, place));
        }
    }
    let mut admitted = 0;
    walk::again(folder, ask, head, &keys, &mut |_, glance| {
        if glance.act == b"case.admit" {
            for (n, place) in wanted.remove(&admitted).unwrap_or_default() {
                let id = glance.obj.and_then(case_id);
                if let Some(found) = found.get_mut(n) {
                    found.compare(place, id);
                }
            }
            admitted += 1;
        }
        Ok(())
    })?;
    if beyond != 0 {
        report.notes.push(format!(
            "{beyond} entries about samples could not be read or were beyond {SAMPLES_MAX} samples of {DRAWN_MAX} cases together, and were not looked at"
        ));
    }
    Ok(found.into_iter().map(Found::judged).collect())
}

struct Found {
    sample: Sample,
    seed: Option<[u8; 32]>,
    /// Digest of the seed that was committed to.
    committed: Option<Hash>,
    /// The population that the entry names.
    cases: Option<i64>,
    /// The first of the cases that is not the one that was drawn, and which that is.
    differs: Option<(usize, String)>,
}

/// Puts each draw to its commit.
fn pair(acts: Vec<(u64, Body)>) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let mut by_id: BTreeMap<String, usize> = BTreeMap::new();
    for (index, body) in acts {
        if body.act == crate::Act::SampleCommit {
            by_id.insert(body.id.clone(), found.len());
            found.push(committed(index, &body));
            continue;
        }
        let at = match body.d.get("commit") {
            Some(Value::Text(id)) => by_id.get(id).copied(),
            _ => None,
        };
        let drawn = match at.and_then(|at| found.get_mut(at)) {
            Some(found) if found.sample.draw.is_none() => found,
            commit => {
                let why = if commit.is_some() { "was drawn before" } else { "was never committed to" };
                found.push(Found::new(None, 0, (0, 0)));
                let Some(last) = found.last_mut() else { unreachable!("it was just put there") };
                last.sample.disagreement = Some(why.to_owned());
                last
            }
        };
        read_draw(index, &body, drawn);
    }
    found
}

fn committed(index: u64, body: &Body) -> Found {
    let number = |key: &str| match body.d.get(key) {
        Some(Value::Integer(n)) => u64::try_from(*n).ok(),
        _ => None,
    };
    let mut found = Found::new(Some(index), number("count").unwrap_or(0), (0, 0));
    match (
        number("count"),
        number("first"),
        number("last"),
        text(body, "seed").and_then(|seed| Hash::from_hex(seed.as_bytes())),
    ) {
        (Some(_), Some(first), Some(last), Some(seed)) if first <= last => {
            (found.sample.range, found.committed) = ((first, last), Some(seed));
        }
        _ => found.sample.disagreement = Some("its commit does not say count, first, last and seed".to_owned()),
    }
    found
}

fn read_draw(index: u64, body: &Body, found: &mut Found) {
    let sample = &mut found.sample;
    sample.draw = Some(index);
    if let Some(Value::List(drawn)) = body.d.get("drawn") {
        let ids = drawn.iter().filter_map(|id| if let Value::Text(id) = id { Some(id.clone()) } else { None });
        sample.drawn = ids.collect();
        if sample.drawn.len() != drawn.len() {
            found.disagree("names something that is not a case".to_owned());
        }
    }
    found.cases = if let Some(Value::Integer(cases)) = body.d.get("cases") { Some(*cases) } else { None };
    found.seed = text(body, "seed").and_then(|seed| Hash::from_hex(seed.as_bytes())).map(|seed| seed.0);
}

fn text<'a>(body: &'a Body, key: &str) -> Option<&'a str> {
    if let Some(Value::Text(text)) = body.d.get(key) { Some(text) } else { None }
}

impl Found {
    fn new(commit: Option<u64>, count: u64, range: (u64, u64)) -> Found {
        let sample = Sample { commit, draw: None, count, range, population: 0, drawn: Vec::new(), disagreement: None };
        Found { sample, seed: None, committed: None, cases: None, differs: None }
    }

    /// The first reason is the one that is told.
    fn disagree(&mut self, why: String) {
        self.sample.disagreement.get_or_insert(why);
    }

    /// Which of the population it must be, once that is known; none when something does not agree already.
    fn numbers(&mut self) -> Vec<u64> {
        let Sample { draw: Some(at), count, range: (_, last), population, .. } = self.sample else { return Vec::new() };
        if self.sample.disagreement.is_some() {
            return Vec::new();
        }
        let told = self.sample.drawn.len() as u64;
        let why = match (self.seed, self.committed) {
            (None, _) => "does not tell the seed".to_owned(),
            (Some(seed), Some(committed)) if Hash(Sha256::digest(seed).into()) != committed => {
                "was drawn with another seed than was committed to".to_owned()
            }
            _ if at <= last => format!("was drawn at entry {at}, before the last of its range, {last}"),
            _ if self.cases != i64::try_from(population).ok() => {
                format!("was drawn from {} cases, but {population} were admitted", self.cases.unwrap_or(-1))
            }
            _ if told != count.min(population) => {
                format!("has {told} cases, but {} were to be drawn", count.min(population))
            }
            (Some(seed), _) => match draw(&seed, population, count) {
                Ok(numbers) => return numbers,
                Err(error) => error.to_string(),
            },
        };
        self.disagree(why);
        Vec::new()
    }

    /// Cases come in the order they were admitted, not in that of the draw.
    fn compare(&mut self, place: usize, id: Option<String>) {
        let first = self.differs.as_ref().is_none_or(|(first, _)| place < *first);
        if first && self.sample.drawn.get(place) != id.as_ref() {
            self.differs = Some((place, id.unwrap_or_default()));
        }
    }

    fn judged(mut self) -> Sample {
        if let Some((place, id)) = self.differs.take() {
            let told = self.sample.drawn.get(place).cloned().unwrap_or_default();
            self.disagree(format!("has the case {told} as number {}, where {id} was drawn", place + 1));
        }
        self.sample
    }
}

/// The id in the raw bytes of an `obj`.
fn case_id(object: &[u8]) -> Option<String> {
    let object: serde_json::Value = serde_json::from_slice(object).ok()?;
    object.get("id")?.as_str().map(str::to_owned)
}

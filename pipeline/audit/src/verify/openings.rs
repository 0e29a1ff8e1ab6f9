//! Compares the openings that were handed over with the commitments in the entries, both read in order.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::bundle::ObjectKeys;
use super::folder::Folder;
use super::pass::Erased;
use super::report::Opened;
use super::{Ask, FaultKind, Report, Stop, walk};
use crate::opening::{OPENING_LINE_BYTES_MAX, OpeningLine};
use crate::{Error, TreeHead};

/// One more pass over the entries, if there are openings at all.
pub(super) fn check(
    folder: &Folder<'_>,
    ask: &Ask,
    head: &TreeHead,
    keys: &ObjectKeys,
    erased: &Erased,
    report: &mut Report,
) -> Result<(), Stop> {
    let path = match &ask.openings {
        Some(path) => path.clone(),
        None => folder.path("openings.jsonl"),
    };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if ask.openings.is_none() && error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(Stop::World(Error::Read { path, source })),
    };
    let mut lines = Lines { path: &path, lines: BufReader::new(file), n: 0, next: None };
    lines.advance()?;
    let mut opened = Opened::default();
    walk::again(folder, ask, head, keys, &mut |leaf, glance| {
        let Some(commitments) = glance.c else { return Ok(()) };
        for (path, commitment) in each_commitment(commitments) {
            let index = leaf.index;
            match lines.at(index, path)? {
                Some(line) => {
                    let id_fits = line.id.as_bytes() == glance.id;
                    if !id_fits || !line.opening.fits(commitment) {
                        let what = if id_fits { "does not fit its commitment" } else { "names another entry" };
                        let text = format!("the opening of `{path}` of entry {index} {what}");
                        return Err(Stop::fault(FaultKind::Opening, Some(index), text));
                    }
                    opened.opened += 1;
                    lines.advance()?;
                }
                None if glance
                    .obj
                    .is_some_and(|obj| erased.by_object.get(&keys.of(obj)).is_some_and(|by| index < *by)) =>
                {
                    opened.erased += 1;
                }
                None if erased.beyond != 0 && glance.obj.is_some() => opened.unjudged += 1,
                None => {
                    let text = format!("the opening of `{path}` of entry {index} is missing, and was not erased");
                    return Err(Stop::fault(FaultKind::Opening, Some(index), text));
                }
            }
        }
        Ok(())
    })?;
    if let Some(line) = &lines.next {
        return Err(for_nothing(line));
    }
    if opened.unjudged != 0 {
        let (kept, beyond, unjudged) = (erased.by_object.len(), erased.beyond, opened.unjudged);
        report.notes.push(format!(
            "the erasures of {kept} objects were remembered and {beyond} further ones were not: {unjudged} openings are missing, and may have been erased or not"
        ));
    }
    report.openings = Some(opened);
    Ok(())
}

/// Path and commitment of each in the raw bytes of `c`, which were found good.
fn each_commitment(c: &[u8]) -> impl Iterator<Item = (&str, &str)> {
    let text = std::str::from_utf8(c).unwrap_or_default();
    let members = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or_default();
    members.split(',').filter_map(|member| {
        let (path, commitment) = member.split_once(':')?;
        Some((path.trim_matches('"'), commitment.trim_matches('"')))
    })
}

/// The openings, one at a time.
struct Lines<'a> {
    path: &'a Path,
    lines: BufReader<File>,
    /// Lines read.
    n: u64,
    next: Option<OpeningLine>,
}

impl Lines<'_> {
    /// The opening for this commitment, if it is the next one. One that should have come before is for nothing.
    fn at(&mut self, index: u64, path: &str) -> Result<Option<&OpeningLine>, Stop> {
        match &self.next {
            Some(line) => match (line.index, line.opening.path.as_str()).cmp(&(index, path)) {
                std::cmp::Ordering::Less => Err(for_nothing(line)),
                std::cmp::Ordering::Equal => Ok(Some(line)),
                std::cmp::Ordering::Greater => Ok(None),
            },
            None => Ok(None),
        }
    }

    fn advance(&mut self) -> Result<(), Stop> {
        let mut bytes = Vec::new();
        let max = OPENING_LINE_BYTES_MAX as u64 + 1;
        let read = (&mut self.lines).take(max).read_until(b'\n', &mut bytes);
        let path = self.path;
        read.map_err(|source| Stop::World(Error::Read { path: path.to_owned(), source }))?;
        if bytes.is_empty() {
            self.next = None;
            return Ok(());
        }
        self.n += 1;
        let n = self.n;
        let fault = |why: String| Stop::fault(FaultKind::Opening, None, format!("line {n} of the openings: {why}"));
        let whole = bytes.strip_suffix(b"\n").or((bytes.len() as u64 == max).then_some(bytes.as_slice()));
        let Some(whole) = whole else { return Err(fault("does not end with a newline".to_owned())) };
        let line = OpeningLine::parse(whole).map_err(|error| fault(error.to_string()))?;
        let place = |line: &OpeningLine| (line.index, line.opening.path.clone());
        if self.next.as_ref().is_some_and(|before| place(&line) <= place(before)) {
            return Err(fault("does not come after the one before it".to_owned()));
        }
        self.next = Some(line);
        Ok(())
    }
}

fn for_nothing(line: &OpeningLine) -> Stop {
    let text = format!("the opening of `{}` of entry {} is for no commitment", line.opening.path, line.index);
    Stop::fault(FaultKind::Opening, Some(line.index), text)
}

//! Digital signatures (ISO 32000-1, 12.8): how many there are, and which bytes of the file each one covers. Whether a
//! signature is genuine is not asked here: that takes certificates and a time.

use std::collections::HashSet;

use case::Note;
use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::hayro_syntax::object::{Array, Dict, Name, Object};

use crate::note;

const FIELDS_MAX: usize = 5_000;
const SIGNATURES_MAX: usize = 100;
/// Bytes behind `/ByteRange` in which its four numbers stand.
const RANGE_BYTES_MAX: usize = 200;
/// Such places that are looked at, the bytes of a signature found there, and those around it in which its object ends.
const RANGES_MAX: usize = 1_000;
const SEAL_BYTES_MAX: i64 = 1 << 20;
const OBJECT_BYTES_MAX: usize = 1 << 16;
/// White space that programs write behind the end of a file.
const TRAILING_BYTES_MAX: usize = 2;

/// Says how many signatures there are and what each covers, and whether something was added to the file after all of them.
pub(super) fn notes(pdf: &Pdf, bytes: &[u8]) -> Vec<Note> {
    let mut ranges = ranges(pdf);
    let n_known = ranges.len();
    let dropped = sealed_ranges(bytes).into_iter().map(Some).filter(|range| !ranges.contains(range));
    let dropped: Vec<_> = dropped.take(SIGNATURES_MAX).collect();
    ranges.extend(dropped);
    if ranges.is_empty() {
        return Vec::new();
    }
    let covers: Vec<Cover> = ranges.iter().map(|range| cover(range.as_deref(), bytes)).collect();
    let mut text = match covers.len() {
        1 => "1 signature".to_owned(),
        count => format!("{count} signatures"),
    };
    for (cover, number) in covers.iter().zip(1..) {
        let says = match cover {
            Cover::Whole => "covers the whole file".to_owned(),
            // Signing a second time adds to the file; the last signature then covers what was added.
            Cover::Until(end) => {
                format!("covers the first {end} of {} bytes; the rest was added after it", bytes.len())
            }
            Cover::Broken => "does not say which bytes it covers".to_owned(),
        };
        let gone = if n_known < number { ", and the document no longer names it" } else { "" };
        text.push_str(&format!("{} signature {number} {says}{gone}", if number == 1 { ":" } else { ";" }));
    }
    let mut out = vec![note("signed", text)];
    if !covers.iter().any(|cover| matches!(cover, Cover::Whole)) {
        out.push(note("changed_after_signing", "no signature covers the file as it is now"));
    }
    out
}

enum Cover {
    Whole,
    Until(usize),
    Broken,
}

/// A range is offset and length twice: before and after the signature itself, which cannot sign its own bytes.
fn cover(range: Option<&[i64]>, bytes: &[u8]) -> Cover {
    let Some(&[0, first, from, rest]) = range else { return Cover::Broken };
    let (Ok(first), Ok(from), Ok(rest)) = (usize::try_from(first), usize::try_from(from), usize::try_from(rest)) else {
        return Cover::Broken;
    };
    let Some(end) = from.checked_add(rest).filter(|end| *end <= bytes.len()) else { return Cover::Broken };
    // The gap holds the signature in hexadecimal and nothing else: what hid there would be covered by nobody.
    let gap = bytes.get(first..from).unwrap_or_default();
    let is_hex = |byte: &u8| byte.is_ascii_hexdigit() || byte.is_ascii_whitespace();
    let sealed = matches!(gap, [b'<', inner @ .., b'>'] if inner.iter().all(is_hex));
    let after = bytes.get(end..).unwrap_or_default();
    match (sealed, after.len() <= TRAILING_BYTES_MAX && after.iter().all(u8::is_ascii_whitespace)) {
        (false, _) => Cover::Broken,
        (true, true) => Cover::Whole,
        (true, false) => Cover::Until(end),
    }
}

/// The byte ranges that are written anywhere in the file and lie around a signature in it: also those of revisions that a
/// later one has replaced. A signature stands in the file as it is, neither packed nor encrypted (12.8.1).
fn sealed_ranges(bytes: &[u8]) -> Vec<Vec<i64>> {
    const KEY: &[u8] = b"/ByteRange";
    let mut out: Vec<Vec<i64>> = Vec::new();
    let (mut rest, mut n_looked_at) = (bytes, 0);
    while let Some(at) = rest.windows(KEY.len()).position(|it| it == KEY) {
        let start = bytes.len() - rest.len() + at;
        rest = rest.get(at + KEY.len()..).unwrap_or_default();
        let Some(range) = four_numbers(rest) else { continue };
        let gap = matches!(range.as_slice(), [0, first, from, _] if (1..=SEAL_BYTES_MAX).contains(&from.saturating_sub(*first)));
        if !gap || out.contains(&range) {
            continue;
        }
        n_looked_at += 1;
        if RANGES_MAX < n_looked_at {
            break;
        }
        let is_seal = !matches!(cover(Some(&range), bytes), Cover::Broken);
        if is_seal && !grants_usage(bytes, start, &range) && out.len() < SIGNATURES_MAX {
            out.push(range);
        }
    }
    out
}

/// `[0 840 960 240]`, and what follows.
fn four_numbers(bytes: &[u8]) -> Option<Vec<i64>> {
    let text =
        std::str::from_utf8(bytes.get(..bytes.len().min(RANGE_BYTES_MAX))?.split(|it| *it == b']').next()?).ok()?;
    let (_, numbers) = text.split_once('[').filter(|(before, _)| before.trim().is_empty())?;
    let numbers: Vec<i64> = numbers.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    (numbers.len() == 4).then_some(numbers)
}

/// Is it the signature by which the maker of a form lets its readers fill it in (12.8.2.3)? Filling it in changes the file.
fn grants_usage(bytes: &[u8], key: usize, range: &[i64]) -> bool {
    let behind_seal = range.get(2).and_then(|it| usize::try_from(*it).ok()).unwrap_or(key).max(key);
    let before = bytes.get(key.saturating_sub(OBJECT_BYTES_MAX)..key).unwrap_or_default();
    let start = key - before.windows(4).rposition(|it| it == b" obj").map_or(0, |at| before.len() - at);
    let after = bytes.get(behind_seal..).unwrap_or_default();
    let after = after.get(..after.len().min(OBJECT_BYTES_MAX)).unwrap_or_default();
    let end = behind_seal + after.windows(6).position(|it| it == b"endobj").unwrap_or(0);
    let object = bytes.get(start..end).unwrap_or_default();
    let method = object.windows(16).position(|it| it == b"/TransformMethod").and_then(|at| object.get(at + 16..));
    method.is_some_and(|it| it.trim_ascii_start().starts_with(b"/UR"))
}

/// The byte range of each signed field of the form; `None` where it has none or a broken one.
fn ranges(pdf: &Pdf) -> Vec<Option<Vec<i64>>> {
    let xref = pdf.xref();
    let form = xref.get::<Dict<'_>>(xref.root_id()).and_then(|catalog| catalog.get::<Dict<'_>>("AcroForm"));
    let Some(fields) = form.and_then(|form| form.get::<Array<'_>>("Fields")) else { return Vec::new() };
    let mut out = Vec::new();
    let mut visited = HashSet::new();
    // A field inherits its type from the field above it.
    let mut open: Vec<(Dict<'_>, bool)> = dicts(&fields).into_iter().map(|field| (field, false)).collect();
    for _ in 0..FIELDS_MAX {
        let Some((field, inherited)) = open.pop() else { break };
        if field.obj_id().is_some_and(|id| !visited.insert(id)) {
            continue;
        }
        let signature = field.get::<Name<'_>>("FT").map_or(inherited, |name| name.as_ref() == b"Sig");
        if let Some(kids) = field.get::<Array<'_>>("Kids") {
            open.extend(dicts(&kids).into_iter().map(|kid| (kid, signature)));
        }
        let value = field.get::<Dict<'_>>("V").filter(|_| signature);
        if let Some(value) = value {
            let range = value.get::<Array<'_>>("ByteRange").map(|range| range.iter::<i64>().take(5).collect());
            out.push(range);
            if out.len() == SIGNATURES_MAX {
                break;
            }
        }
    }
    out
}

fn dicts<'a>(array: &Array<'a>) -> Vec<Dict<'a>> {
    array.iter::<Object<'a>>().filter_map(Object::into_dict).take(FIELDS_MAX).collect()
}

//! The texts that the cells of a workbook share, and how XLSX writes them.

use quick_xml::events::Event;

use super::xlsx::broken;
use crate::Unreadable;
use crate::package::{Elements, Package};

const STRINGS_MAX: usize = 4_000_000;
const STRING_BYTES_MAX: usize = 128 << 20;

/// The shared texts, one behind the other.
#[derive(Default)]
pub(super) struct Strings {
    text: String,
    ends: Vec<u32>,
}

impl Strings {
    pub(super) fn get(&self, idx: usize) -> Option<&str> {
        let start = match idx.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.text.get(start as usize..*self.ends.get(idx)? as usize)
    }

    pub(super) fn push(&mut self, text: &str) -> Result<(), Unreadable> {
        self.text.push_str(text);
        self.end()
    }

    fn end(&mut self) -> Result<(), Unreadable> {
        for (what, count, max) in [
            ("shared texts", self.ends.len() + 1, STRINGS_MAX),
            ("bytes of shared texts", self.text.len(), STRING_BYTES_MAX),
        ] {
            if max < count {
                return Err(Unreadable::TooMuch { what, count: count as u64, max: max as u64 });
            }
        }
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
        Ok(())
    }

    pub(super) fn read(package: &mut Package<'_>, part: &str) -> Result<Strings, Unreadable> {
        let mut strings = Strings::default();
        let Some(mut elements) = package.elements(part, super::xlsx::WHAT)? else { return Ok(strings) };
        loop {
            match elements.next()? {
                Event::Start(it) if it.local_name().as_ref() == "si" => {
                    rich_text(&mut elements, "si", &mut strings.text)?;
                    strings.end()?;
                }
                Event::Empty(it) if it.local_name().as_ref() == "si" => strings.end()?,
                Event::Eof => return Ok(strings),
                _ => {}
            }
        }
    }
}

/// Plain or in runs, up to the end of the element `within`; what is only a reading aid (`rPh`) is no text.
pub(super) fn rich_text(elements: &mut Elements<'_>, within: &str, out: &mut String) -> Result<(), Unreadable> {
    let (mut in_text, mut aid) = (false, false);
    loop {
        let text_before = out.len();
        match elements.next()? {
            Event::Start(it) => match it.local_name().as_ref() {
                "t" => in_text = !aid,
                "rPh" => aid = true,
                _ => {}
            },
            Event::End(it) => match it.local_name().as_ref() {
                "t" => in_text = false,
                "rPh" => aid = false,
                name if name == within => return Ok(()),
                _ => {}
            },
            event if in_text => append(&event, out)?,
            Event::Eof => return Err(broken("it ends in a text")),
            _ => {}
        }
        if STRING_BYTES_MAX < out.len() - text_before {
            return Err(broken("a text does not end"));
        }
    }
}

/// The text of an event: characters, or an entity that stands for some.
pub(super) fn append(event: &Event<'_>, out: &mut String) -> Result<(), Unreadable> {
    match event {
        Event::Text(text) => out.push_str(text),
        Event::CData(text) => out.push_str(text),
        Event::GeneralRef(it) => {
            let known = match &**it {
                "lt" => Some('<'),
                "gt" => Some('>'),
                "amp" => Some('&'),
                "quot" => Some('"'),
                "apos" => Some('\''),
                _ => it.resolve_char_ref().ok().flatten(),
            };
            out.push(known.ok_or_else(|| broken("it uses an entity that XML does not know"))?);
        }
        _ => {}
    }
    Ok(())
}

//! ZIP archives as office programs make them, with a limit on everything an archive can claim.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use quick_xml::Reader;
use quick_xml::events::Event;
use zip::ZipArchive;

use crate::{Unreadable, sniff::Form, xml};

const ENTRIES_MAX: u64 = 10_000;
/// What all entries unpack to, together.
const UNPACKED_BYTES_MAX: u64 = 256 << 20;
/// An entry of more than [`RATIO_FROM_BYTES`] may unpack to this many times its packed size; honest XML reaches some fifty.
const RATIO_MAX: u64 = 250;
const RATIO_FROM_BYTES: u64 = 4 << 20;
/// One tag or one run of characters in XML that streams.
const TOKEN_BYTES_MAX: u64 = 8 << 20;
const DEPTH_MAX: usize = 256;
const WINDOW_BYTES: usize = 64 << 10;

pub(crate) struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    unpacked_bytes: u64,
}

impl<'a> Package<'a> {
    pub(crate) fn open(document: &'a [u8]) -> Result<Package<'a>, Unreadable> {
        let archive =
            ZipArchive::new(Cursor::new(document)).map_err(|_| broken("it has no readable list of contents"))?;
        let count = archive.len() as u64;
        if ENTRIES_MAX < count {
            return Err(Unreadable::TooMuch { what: "entries in its archive", count, max: ENTRIES_MAX });
        }
        Ok(Package { archive, unpacked_bytes: 0 })
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.archive.file_names().filter_map(Result::ok).map(|name| name.into_owned()).collect()
    }

    /// The part that the others belong to. It may have any name, and the package's relations tell it.
    pub(crate) fn main_part(&mut self, usual: &str) -> Result<String, Unreadable> {
        let Some(text) = self.text("_rels/.rels")? else { return Ok(usual.to_owned()) };
        let relations = xml::parse(&text, "list of relations")?;
        let main = xml::all(relations.root_element(), "Relationship")
            .into_iter()
            .find(|it| it.attribute("Type").is_some_and(|it| it.ends_with("/officeDocument")))
            .and_then(|it| it.attribute("Target"));
        Ok(main.unwrap_or(usual).trim_start_matches('/').to_owned())
    }

    /// The text of an entry; none where there is no such entry.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Unreadable> {
        let Some(mut part) = self.part(name)? else { return Ok(None) };
        part.max = part.max.min(xml::BYTES_MAX as u64);
        let mut bytes = Vec::new();
        let read = part.read_to_end(&mut bytes);
        read.map_err(|_| part.fault())?;
        xml::decode(&bytes).map(Some)
    }

    /// An entry as it unpacks; none where there is no such entry.
    pub(crate) fn part(&mut self, name: &str) -> Result<Option<Part<'_>>, Unreadable> {
        let Some(idx) = self.archive.index_for_name(name) else { return Ok(None) };
        let (packed, encrypted) = {
            let entry = self.archive.by_index_raw(idx).map_err(|_| broken("an entry cannot be found"))?;
            (entry.compressed_size(), entry.encrypted())
        };
        if encrypted {
            return Err(Unreadable::Encrypted { what: "archive" });
        }
        let entry = self.archive.by_index(idx).map_err(|_| broken("an entry cannot be unpacked"))?;
        // Claimed sizes are the sender's words: what comes out is counted.
        let left = UNPACKED_BYTES_MAX.saturating_sub(self.unpacked_bytes);
        let by_ratio = packed.saturating_mul(RATIO_MAX).max(RATIO_FROM_BYTES);
        Ok(Some(Part {
            entry: Box::new(entry),
            unpacked_bytes: &mut self.unpacked_bytes,
            count: 0,
            max: left.min(by_ratio),
        }))
    }

    /// The elements of an entry that is XML in UTF-8, as they stream out; none where there is no such entry.
    pub(crate) fn elements(&mut self, name: &str, what: &'static str) -> Result<Option<Elements<'_>>, Unreadable> {
        Ok(self.part(name)?.map(|part| {
            let input = Bounded { inner: BufReader::with_capacity(WINDOW_BYTES, part), since_event: 0 };
            Elements { reader: Reader::from_reader(input), buffer: Vec::new(), depth: 0, what }
        }))
    }
}

/// One entry. An error while it is read is explained by [`Part::fault`].
pub(crate) struct Part<'a> {
    entry: Box<dyn Read + 'a>,
    unpacked_bytes: &'a mut u64,
    count: u64,
    max: u64,
}

impl Part<'_> {
    pub(crate) fn fault(&self) -> Unreadable {
        let Part { count, max, .. } = self;
        if max < count {
            return Unreadable::TooMuch { what: "bytes in one entry of its archive", count: *count, max: *max };
        }
        broken("an entry cannot be unpacked")
    }
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // One byte more than is allowed tells that there is more.
        let room = usize::try_from(self.max.saturating_sub(self.count).saturating_add(1)).unwrap_or(usize::MAX);
        let length = buffer.len().min(room);
        let n_read = self.entry.read(buffer.get_mut(..length).unwrap_or_default())?;
        self.count += n_read as u64;
        *self.unpacked_bytes += n_read as u64;
        if self.max < self.count { Err(io::Error::other("too much")) } else { Ok(n_read) }
    }
}

/// A reader that fails when one token of XML goes on for too long.
struct Bounded<'a> {
    inner: BufReader<Part<'a>>,
    since_event: u64,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer)
    }
}

impl BufRead for Bounded<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if TOKEN_BYTES_MAX < self.since_event {
            return Err(io::Error::other("a token does not end"));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.since_event += amount as u64;
        self.inner.consume(amount);
    }
}

/// XML as it streams: nothing of it is kept, and no document type can make it unfold.
pub(crate) struct Elements<'a> {
    reader: Reader<Bounded<'a>>,
    buffer: Vec<u8>,
    depth: usize,
    what: &'static str,
}

impl Elements<'_> {
    pub(crate) fn next(&mut self) -> Result<Event<'_>, Unreadable> {
        let Elements { reader, buffer, depth, what } = self;
        reader.get_mut().since_event = 0;
        buffer.clear();
        let position = reader.buffer_position();
        let event = match reader.read_event_into(buffer) {
            Ok(event) => event,
            Err(quick_xml::Error::Io(_)) => {
                let (since, fault) = (reader.get_ref().since_event, reader.get_ref().inner.get_ref().fault());
                return Err(match fault {
                    Unreadable::Broken { .. } if TOKEN_BYTES_MAX < since => {
                        Unreadable::TooMuch { what: "bytes in one tag or text", count: since, max: TOKEN_BYTES_MAX }
                    }
                    fault => fault,
                });
            }
            // The parser's own words may quote the document.
            Err(_) => return Err(Unreadable::Broken { what, why: format!("an error at byte {position} of a part") }),
        };
        match event {
            Event::Start(_) => *depth += 1,
            Event::End(_) => *depth = depth.saturating_sub(1),
            Event::DocType(_) => {
                let why = "it has a document type, which can make it unfold without end".to_owned();
                return Err(Unreadable::Broken { what, why });
            }
            Event::Eof if 0 < *depth => {
                return Err(Unreadable::Broken { what, why: "a part ends in the middle".to_owned() });
            }
            _ => {}
        }
        if DEPTH_MAX < *depth {
            return Err(Unreadable::TooMuch { what: "levels of XML", count: *depth as u64, max: DEPTH_MAX as u64 });
        }
        Ok(event)
    }
}

fn broken(why: &str) -> Unreadable {
    Unreadable::Broken { what: "ZIP archive", why: why.to_owned() }
}

/// What the archive is, by the types it lists or, in OpenDocument, by its own declaration.
pub(crate) fn form(document: &[u8]) -> Result<Option<Form>, Unreadable> {
    let mut package = Package::open(document)?;
    if let Some(types) = package.text("[Content_Types].xml")? {
        if types.contains("wordprocessingml.document.main+xml")
            || types.contains("ms-word.document.macroEnabled.main+xml")
        {
            return Ok(Some(Form::Docx));
        }
        if types.contains("spreadsheetml.sheet.main+xml")
            || types.contains("spreadsheetml.template.main+xml")
            || types.contains("ms-excel.sheet.macroEnabled.main+xml")
            || types.contains("ms-excel.template.macroEnabled.main+xml")
        {
            return Ok(Some(Form::Xlsx));
        }
        if types.contains("ms-excel.sheet.binary.macroEnabled.main") {
            return Ok(Some(Form::Xlsb));
        }
    }
    let declared = package.text("mimetype")?.unwrap_or_default();
    Ok((declared.trim() == "application/vnd.oasis.opendocument.spreadsheet").then_some(Form::Ods))
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Write as _;
    use zip::write::{SimpleFileOptions, ZipWriter};

    /// Packs entries of (name, content).
    pub(crate) fn packed(entries: &[(&str, &str)]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in entries {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn an_archive_that_unpacks_to_far_more_than_it_is_is_refused() {
        let bomb = packed(&[("a", &" ".repeat(8 << 20))]);
        let err = Package::open(&bomb).unwrap().text("a").unwrap_err();
        assert_eq!(
            err.to_string(),
            "the document has 4194305 bytes in one entry of its archive, more than the 4194304 allowed"
        );
    }

    #[test]
    fn an_archive_of_very_many_entries_is_refused() {
        let names: Vec<String> = (0..10_001).map(|idx| idx.to_string()).collect();
        let entries: Vec<(&str, &str)> = names.iter().map(|it| (it.as_str(), "")).collect();
        let err = Package::open(&packed(&entries)).err().unwrap().to_string();
        assert!(err.contains("10001 entries in its archive, more than the 10000"), "{err}");
    }
}

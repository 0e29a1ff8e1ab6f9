//! ZIP archives as office programs make them, with a limit on everything an archive can claim.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;

use crate::{Unreadable, sniff::Form, xml};

const ENTRIES_MAX: u64 = 10_000;
/// What all entries unpack to, together.
const UNPACKED_BYTES_MAX: u64 = 256 << 20;
/// An entry of more than [`RATIO_FROM_BYTES`] may unpack to this many times its packed size; honest XML reaches some fifty.
const RATIO_MAX: u64 = 250;
const RATIO_FROM_BYTES: u64 = 4 << 20;

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
        let Some(idx) = self.archive.index_for_name(name) else { return Ok(None) };
        let (packed, encrypted) = {
            let entry = self.archive.by_index_raw(idx).map_err(|_| broken("an entry cannot be found"))?;
            (entry.compressed_size(), entry.encrypted())
        };
        if encrypted {
            return Err(Unreadable::Encrypted { what: "archive" });
        }
        let mut entry = self.archive.by_index(idx).map_err(|_| broken("an entry cannot be unpacked"))?;
        // Claimed sizes are the sender's words: what comes out is counted.
        let left = UNPACKED_BYTES_MAX.saturating_sub(self.unpacked_bytes);
        let by_ratio = packed.saturating_mul(RATIO_MAX).max(RATIO_FROM_BYTES);
        let max = left.min(by_ratio).min(xml::BYTES_MAX as u64);
        let mut bytes = Vec::new();
        entry.by_ref().take(max + 1).read_to_end(&mut bytes).map_err(|_| broken("an entry cannot be unpacked"))?;
        let count = bytes.len() as u64;
        if max < count {
            return Err(Unreadable::TooMuch { what: "bytes in one entry of its archive", count, max });
        }
        self.unpacked_bytes += count;
        xml::decode(&bytes).map(Some)
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
        if types.contains("spreadsheetml.sheet.main+xml") || types.contains("ms-excel.sheet.macroEnabled.main+xml") {
            return Ok(Some(Form::Xlsx));
        }
    }
    if package.names().iter().any(|name| name == "OFD.xml") {
        return Ok(Some(Form::Ofd));
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

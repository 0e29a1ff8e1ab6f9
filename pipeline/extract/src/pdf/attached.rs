use std::collections::HashSet;

use hayro_interpret::hayro_syntax::Pdf;
use hayro_interpret::hayro_syntax::object::{Array, Dict, Object, ObjectIdentifier, Stream, String as PdfString};

/// Names under which Factur-X, ZUGFeRD and XRechnung put the invoice into the PDF, in small letters.
const INVOICE_NAMES: [&str; 3] = ["factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml"];
const FILES_MAX: usize = 100;
const NODES_MAX: usize = 1_000;

/// A file inside the PDF.
pub(super) struct Attached {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    /// Is its name one that the standards give to the invoice?
    pub(super) named: bool,
}

/// The XML files that the document carries, of which one may be the invoice. The same reader that paints the pages finds them, so both speak of
/// the same document: two readers may see two different documents in the same bytes.
pub(super) fn xml_files(pdf: &Pdf) -> Vec<Attached> {
    let xref = pdf.xref();
    let Some(catalog) = xref.get::<Dict<'_>>(xref.root_id()) else { return Vec::new() };
    let mut specs = Vec::new();
    if let Some(tree) = catalog.get::<Dict<'_>>("Names").and_then(|names| names.get::<Dict<'_>>("EmbeddedFiles")) {
        walk(tree, &mut specs);
    }
    if let Some(associated) = catalog.get::<Array<'_>>("AF") {
        specs.extend(dicts(&associated).take(FILES_MAX));
    }
    let mut seen = HashSet::new();
    specs.iter().filter_map(xml_file).filter(|(id, _)| seen.insert(*id)).map(|(_, file)| file).collect()
}

/// The name tree, whose nodes may be linked in circles.
fn walk<'a>(root: Dict<'a>, specs: &mut Vec<Dict<'a>>) {
    let mut visited = HashSet::new();
    let mut open = vec![root];
    for _ in 0..NODES_MAX {
        let Some(node) = open.pop() else { return };
        if node.obj_id().is_some_and(|id| !visited.insert(id)) {
            continue;
        }
        if let Some(names) = node.get::<Array<'_>>("Names") {
            let room = FILES_MAX.saturating_sub(specs.len());
            specs.extend(dicts(&names).take(room));
        }
        if let Some(kids) = node.get::<Array<'_>>("Kids") {
            open.extend(dicts(&kids).take(NODES_MAX));
        }
    }
}

/// The dictionaries among the items of an array, which also holds names.
fn dicts<'a>(array: &Array<'a>) -> impl Iterator<Item = Dict<'a>> {
    array.iter::<Object<'a>>().filter_map(Object::into_dict)
}

fn xml_file(spec: &Dict<'_>) -> Option<(ObjectIdentifier, Attached)> {
    let name =
        ["UF", "F"].into_iter().find_map(|key| spec.get::<PdfString<'_>>(key)).map(|name| decoded(name.as_bytes()))?;
    let small = name.to_lowercase();
    let named = INVOICE_NAMES.contains(&small.as_str());
    if !named && !small.ends_with(".xml") {
        return None;
    }
    let files = spec.get::<Dict<'_>>("EF")?;
    let stream = ["F", "UF"].into_iter().find_map(|key| files.get::<Stream<'_>>(key))?;
    let bytes = stream.decoded_data().ok()?.into_owned();
    Some((stream.obj_id(), Attached { name, bytes, named }))
}

/// A text string of a PDF: UTF-16 with a mark, or one byte a character.
fn decoded(bytes: &[u8]) -> String {
    match bytes {
        [0xfe, 0xff, rest @ ..] => {
            let units = rest.as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair));
            char::decode_utf16(units).map(|char| char.unwrap_or('\u{fffd}')).collect()
        }
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        bytes => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

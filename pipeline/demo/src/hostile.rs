use std::io::{Cursor, Write};

use lopdf::{Object, dictionary};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::sheet::archive;

/// Files made to hurt whoever reads them, as name and bytes. None may crash, hang or pass a reader in silence.
pub fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("empty.xml", Vec::new()),
        ("one space.csv", b" ".to_vec()),
        ("nested 10000 deep.xml", nested_xml(10_000)),
        ("entity bomb.xml", entity_bomb()),
        ("page tree loop.pdf", page_tree_loop()),
        ("torn.pdf", torn_pdf()),
        ("noise.pdf", noise(20_000, 1)),
        ("swollen.xlsx", swollen_zip()),
        ("zip bomb.xlsx", zip_bomb()),
        ("no main part.docx", archive(&[("docProps/app.xml", "<Properties/>")])),
        ("one line of a megabyte.csv", b"Invoice number,1001,".iter().copied().cycle().take(1 << 20).collect()),
        ("noise", noise(20_000, 2)),
    ]
}

/// The first bytes of a PDF and then nothing that makes sense.
pub(crate) fn torn_pdf() -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n1 0 obj\n<< /Type /Catalog /Pag".to_vec();
    bytes.extend(noise(3_000, 5));
    bytes
}

/// A workbook of some hundred bytes whose one sheet declares four gigabytes.
pub(crate) fn swollen_zip() -> Vec<u8> {
    let mut bytes = archive(&[("xl/worksheets/sheet1.xml", "<worksheet/>")]);
    // The declared size stands 22 bytes into a local header and 24 into an entry of the directory.
    for (signature, offset) in [(b"PK\x03\x04", 22), (b"PK\x01\x02", 24)] {
        let at = bytes.windows(4).position(|window| window == signature);
        let field = at.and_then(|at| bytes.get_mut(at + offset..at + offset + 4));
        field.expect("an archive has both headers").copy_from_slice(&0xFFFF_FFFEu32.to_le_bytes());
    }
    bytes
}

/// `n` bytes of xorshift noise; the same seed gives the same bytes.
pub(crate) fn noise(n: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2) + 0x9E37_79B9_7F4A_7C15;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..n).map(|_| next()).collect()
}

fn nested_xml(depth: usize) -> Vec<u8> {
    format!("<?xml version=\"1.0\"?>{}{}", "<a>".repeat(depth), "</a>".repeat(depth)).into_bytes()
}

/// Nine levels of ten: a billion copies of three letters, if anyone expands them.
fn entity_bomb() -> Vec<u8> {
    let mut dtd = String::from("<!ENTITY e0 \"lol\">");
    for level in 1..=9 {
        dtd.push_str(&format!("<!ENTITY e{level} \"{}\">", format!("&e{};", level - 1).repeat(10)));
    }
    format!("<?xml version=\"1.0\"?><!DOCTYPE Invoice [{dtd}]><Invoice>&e9;</Invoice>").into_bytes()
}

/// A page tree whose only child is its own parent.
fn page_tree_loop() -> Vec<u8> {
    let mut pdf = lopdf::Document::with_version("1.7");
    let (root_id, child_id) = (pdf.new_object_id(), pdf.new_object_id());
    for (id, other) in [(root_id, child_id), (child_id, root_id)] {
        let kids = vec![Object::Reference(other)];
        pdf.set_object(id, dictionary! { "Type" => "Pages", "Kids" => kids, "Parent" => other, "Count" => 1_000_000 });
    }
    let catalog_id = pdf.add_object(dictionary! { "Type" => "Catalog", "Pages" => root_id });
    pdf.trailer.set("Root", Object::Reference(catalog_id));
    crate::paper::bytes(pdf)
}

/// A sheet of 64 MiB of zeros in some 64 KiB.
fn zip_bomb() -> Vec<u8> {
    let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("xl/worksheets/sheet1.xml", options).expect("writing to memory does not fail");
    for _ in 0..64 {
        zip.write_all(&[0; 1 << 20]).expect("writing to memory does not fail");
    }
    zip.finish().expect("writing to memory does not fail").into_inner()
}

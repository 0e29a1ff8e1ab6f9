//! DOCX: the text as it reads when every tracked change is accepted, and how many of them there are.

use case::{Extraction, Format};
use roxmltree::Node;

use crate::package::Package;
use crate::xml::{all, parse};
use crate::{Unreadable, note, words};

const WHAT: &str = "DOCX document";

pub(crate) fn read(document: &[u8]) -> Result<Extraction, Unreadable> {
    let mut package = Package::open(document)?;
    let main = package.main_part("word/document.xml")?;
    let folder = main.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let body = package
        .text(&main)?
        .ok_or_else(|| Unreadable::Broken { what: WHAT, why: "its main part is missing".to_owned() })?;
    let mut reader = Reader::default();
    reader.part(&body)?;
    for name in ["footnotes.xml", "endnotes.xml"] {
        if let Some(text) = package.text(&format!("{folder}{name}"))? {
            reader.part(&text)?;
        }
    }
    let mut notes = Vec::new();
    if 0 < reader.n_changes {
        let message = format!("{} tracked changes; the text is read as if all were accepted", reader.n_changes);
        notes.push(note("tracked_changes", message));
    }
    if 0 < reader.n_hidden {
        notes.push(note(
            "hidden_text",
            format!("{} passages are formatted as hidden; they were not read", reader.n_hidden),
        ));
    }
    if let Some(comments) = package.text(&format!("{folder}comments.xml"))? {
        let count = all(parse(&comments, WHAT)?.root_element(), "comment").len();
        if 0 < count {
            notes.push(note("comments", format!("{count} comments, which are not part of the text")));
        }
    }
    if package.names().iter().any(|it| it.ends_with("vbaProject.bin")) {
        notes.push(note("macros", "the document carries macros; they were not run"));
    }
    let mut extraction = words(&reader.text, Format::Docx, notes);
    extraction.coverage.hidden_text = reader.n_hidden;
    Ok(extraction)
}

/// Collects text in reading order. A paragraph ends with a line break, unless its mark was deleted: then it runs on.
#[derive(Default)]
struct Reader {
    text: String,
    n_changes: u32,
    n_hidden: u32,
}

impl Reader {
    fn part(&mut self, text: &str) -> Result<(), Unreadable> {
        // Recursion goes as deep as the document, and `parse` bounds that.
        self.children(parse(text, WHAT)?.root_element());
        Ok(())
    }

    fn children(&mut self, node: Node<'_, '_>) {
        for child in node.children().filter(Node::is_element) {
            self.element(child);
        }
    }

    fn element(&mut self, node: Node<'_, '_>) {
        match node.tag_name().name() {
            "p" => self.paragraph(node),
            "r" => self.run(node),
            "del" | "moveFrom" => self.n_changes += 1,
            "ins" | "moveTo" => {
                self.n_changes += 1;
                self.children(node);
            }
            "tr" if marked(node, "del") => self.n_changes += 1,
            "tr" => {
                self.n_changes += u32::from(marked(node, "ins"));
                self.children(node);
            }
            // The same drawing once more for older programs; properties; a formula's field code.
            "Fallback" | "pPr" | "rPr" | "trPr" | "tblPr" | "tcPr" | "sectPr" | "sdtPr" | "instrText"
            | "delInstrText" => {}
            // The separators of foot- and endnotes are not text.
            "footnote" | "endnote" if node.attributes().any(|it| it.name() == "type" && it.value() != "normal") => {}
            _ => self.children(node),
        }
    }

    fn paragraph(&mut self, node: Node<'_, '_>) {
        self.children(node);
        let mark = |name: &str| all(node, &format!("pPr/rPr/{name}")).len();
        let (gone, new) = (mark("del") + mark("moveFrom"), mark("ins") + mark("moveTo"));
        self.n_changes += u32::from(0 < gone + new);
        if gone == 0 {
            self.text.push('\n');
        }
    }

    fn run(&mut self, node: Node<'_, '_>) {
        let on = |it: &Node<'_, '_>| {
            !it.attributes().any(|it| it.name() == "val" && matches!(it.value(), "0" | "false" | "off"))
        };
        if all(node, "rPr/vanish").iter().any(on) {
            self.n_hidden += 1;
            return;
        }
        for child in node.children().filter(Node::is_element) {
            match child.tag_name().name() {
                "t" => self.text.push_str(child.text().unwrap_or_default()),
                "tab" => self.text.push('\t'),
                "br" | "cr" => self.text.push('\n'),
                "noBreakHyphen" => self.text.push('-'),
                "delText" => {}
                _ => self.element(child),
            }
        }
    }
}

fn marked(row: Node<'_, '_>, mark: &str) -> bool {
    !all(row, &format!("trPr/{mark}")).is_empty()
}

/// The text alone.
#[cfg(test)]
pub(crate) fn text(document: &[u8]) -> Result<String, Unreadable> {
    let mut package = Package::open(document)?;
    let mut reader = Reader::default();
    reader.part(&package.text("word/document.xml")?.unwrap_or_default())?;
    Ok(reader.text)
}

//! XLSX (ECMA-376 part 1). Its cells are read as they stream out of the archive: nothing grows with the number of rows,
//! every row is looked at, and every size in the file is the sender's word.

use std::collections::{BTreeMap, HashMap};

use case::{Extraction, Format};
use quick_xml::events::{BytesStart, Event};
use roxmltree::{Document, Node};

use super::cells::{Place, Raw};
use super::strings::{Strings, append, rich_text};
use super::style::{Colour, Ink, Style, built_in, shown_as};
use super::tags::{attribute, attributes, position, range};
use super::{CELL_BYTES_MAX, COLUMNS_MAX, Hidden, ROWS_MAX, Range, TAIL_CELLS_MAX, Workbook};
use crate::package::{Elements, Package};
use crate::xml::{all, parse};
use crate::{Unreadable, note};

pub(super) const WHAT: &str = "XLSX workbook";
const RANGES_MAX: usize = 100_000;

pub(crate) fn read(document: &[u8]) -> Result<Extraction, Unreadable> {
    let mut package = Package::open(document)?;
    let main = package.main_part("xl/workbook.xml")?;
    let workbook = package.text(&main)?.ok_or_else(|| broken("its main part is missing"))?;
    let workbook = parse(&workbook, WHAT)?;
    let relations = relations(&mut package, &main)?;
    let of_type = |kind: &str| relations.values().find(|it| it.kind == kind).map(|it| it.part.as_str());
    let strings = of_type("sharedStrings").map_or_else(|| relative(&main, "sharedStrings.xml"), str::to_owned);
    let strings = Strings::read(&mut package, &strings)?;
    let styles = of_type("styles").map_or_else(|| relative(&main, "styles.xml"), str::to_owned);
    let styles = match package.text(&styles)? {
        Some(text) => styles_of(&parse(&text, WHAT)?),
        None => Vec::new(),
    };
    let root = workbook.root_element();
    let since_1904 = all(root, "workbookPr").iter().any(|it| truth(it.attribute("date1904")));
    let mut book = Workbook::new(Format::Xlsx);
    for sheet in all(root, "sheets/sheet") {
        let id = sheet.attributes().find(|it| it.name() == "id" && it.namespace().is_some()).map(|it| it.value());
        let target = id.and_then(|id| relations.get(id)).ok_or_else(|| broken("a sheet is missing"))?;
        let hidden = sheet.attribute("state").is_some_and(|it| it != "visible");
        let name = sheet.attribute("name").unwrap_or("?");
        if !target.is_worksheet() {
            book.notes.push(note("sheet_not_read", format!("sheet `{name}` is a chart, a dialog or a macro")));
            continue;
        }
        if !hidden {
            book.begin(name)?;
        }
        let mut elements = package.elements(&target.part, WHAT)?.ok_or_else(|| broken("a sheet is missing"))?;
        let mut reader = Reader {
            strings: &strings,
            styles: &styles,
            since_1904,
            hidden,
            tail: Tail::default(),
            value: String::new(),
        };
        let merged = reader.sheet(&mut elements, &mut book)?;
        if !hidden {
            book.end(&merged);
        }
    }
    tell_of_shapes(&mut package, &mut book)?;
    Ok(book.finish())
}

pub(super) fn broken(why: &str) -> Unreadable {
    Unreadable::Broken { what: WHAT, why: why.to_owned() }
}

fn truth(value: Option<&str>) -> bool {
    matches!(value, Some("1" | "true" | "on"))
}

/// Text boxes float above the cells; what they say is not read.
fn tell_of_shapes(package: &mut Package<'_>, book: &mut Workbook) -> Result<(), Unreadable> {
    const DRAWINGS_MAX: usize = 100;
    let drawings: Vec<String> = package
        .names()
        .into_iter()
        .filter(|it| it.starts_with("xl/drawings/drawing") && it.ends_with(".xml"))
        .collect();
    for drawing in drawings.iter().take(DRAWINGS_MAX) {
        if package.text(drawing)?.is_some_and(|it| it.contains(":t>") && it.contains("txBody")) {
            book.notes
                .push(note("text_box", format!("`{drawing}` has text in shapes above the cells; it was not read")));
        }
    }
    Ok(())
}

/// A part that another one refers to.
pub(super) struct Relation {
    pub(super) part: String,
    /// The last word of its type: `worksheet`, `styles`, `sharedStrings`.
    kind: String,
}

impl Relation {
    pub(super) fn is_worksheet(&self) -> bool {
        !matches!(self.kind.as_str(), "chartsheet" | "dialogsheet" | "xlMacrosheet" | "xlIntlMacrosheet")
    }
}

pub(super) fn relations(package: &mut Package<'_>, main: &str) -> Result<HashMap<String, Relation>, Unreadable> {
    let name = main.rsplit_once('/').map_or(main, |(_, name)| name);
    let Some(text) = package.text(&relative(main, &format!("_rels/{name}.rels")))? else { return Ok(HashMap::new()) };
    let relations = parse(&text, WHAT)?;
    let pair = |it: Node<'_, '_>| {
        let kind = it.attribute("Type").unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
        let part = relative(main, it.attribute("Target")?);
        Some((it.attribute("Id")?.to_owned(), Relation { part, kind }))
    };
    Ok(all(relations.root_element(), "Relationship").into_iter().filter_map(pair).collect())
}

/// A part's name, from the way another part refers to it.
pub(super) fn relative(main: &str, target: &str) -> String {
    match (target.strip_prefix('/'), main.rsplit_once('/')) {
        (Some(absolute), _) => absolute.to_owned(),
        (None, Some((folder, _))) => format!("{folder}/{target}"),
        (None, None) => target.to_owned(),
    }
}

fn styles_of(document: &Document<'_>) -> Vec<Style> {
    let root = document.root_element();
    let codes: BTreeMap<&str, &str> = all(root, "numFmts/numFmt")
        .iter()
        .filter_map(|it| Some((it.attribute("numFmtId")?, it.attribute("formatCode")?)))
        .collect();
    let fonts: Vec<Ink> = all(root, "fonts/font")
        .iter()
        .map(|it| {
            let points = all(*it, "sz").first().and_then(|it| it.attribute("val")?.parse().ok());
            Ink { colour: colour(*it, "color").unwrap_or(Colour::BLACK), points: points.unwrap_or(f64::INFINITY) }
        })
        .collect();
    let fills: Vec<Option<Colour>> = all(root, "fills/fill").into_iter().map(ground).collect();
    let style = |xf: &Node<'_, '_>| {
        let id = xf.attribute("numFmtId").unwrap_or("0");
        let mut style = codes.get(id).map_or_else(|| built_in(id.parse().unwrap_or(0)), |code| shown_as(code));
        let idx = |name: &str| xf.attribute(name).and_then(|it| it.parse::<usize>().ok());
        let fill = idx("fillId").and_then(|idx| fills.get(idx)).map_or(Some(&Colour::WHITE), Option::as_ref);
        style.unseen |= idx("fontId").and_then(|idx| fonts.get(idx)).is_some_and(|it| it.is_unseen(fill));
        style
    };
    all(root, "cellXfs/xf").iter().map(style).collect()
}

fn colour(of: Node<'_, '_>, name: &str) -> Option<Colour> {
    let color = *all(of, name).first()?;
    let number = |name: &str| color.attribute(name).and_then(|it| it.parse::<u32>().ok());
    if let Some(rgb) = color.attribute("rgb") {
        return Colour::hex(rgb);
    }
    let theme = number("theme").map(|it| Colour::theme(it, color.attribute("tint").unwrap_or_default()));
    theme.or_else(|| number("indexed").map(Colour::indexed))
}

/// What is behind the letters: the sheet, where no pattern is. None where it cannot be told.
fn ground(fill: Node<'_, '_>) -> Option<Colour> {
    let patterns = all(fill, "patternFill");
    let Some(pattern) = patterns.first() else { return all(fill, "gradientFill").is_empty().then_some(Colour::WHITE) };
    match pattern.attribute("patternType") {
        None | Some("none") => Some(Colour::WHITE),
        Some("solid") => colour(*pattern, "fgColor"),
        Some(_) => None,
    }
}

struct Reader<'a> {
    strings: &'a Strings,
    styles: &'a [Style],
    since_1904: bool,
    hidden: bool,
    tail: Tail,
    value: String,
}

/// A cell, its text apart.
#[derive(Clone, Copy)]
struct Head {
    place: Place,
    kind: Kind,
    style: Option<u32>,
    formula: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Number,
    Shared,
    Text,
    Error,
    Truth,
    Date,
}

/// The last cells of a sheet that has too many, as they are stored: their texts are written over again and again.
#[derive(Default)]
struct Tail {
    cells: Vec<(Head, String)>,
    next: usize,
    n_passed: usize,
}

impl Tail {
    fn push(&mut self, head: Head, value: &str) {
        if self.cells.len() < TAIL_CELLS_MAX {
            self.cells.push((head, value.to_owned()));
            return;
        }
        self.n_passed += 1;
        if let Some((kept, text)) = self.cells.get_mut(self.next) {
            *kept = head;
            text.clear();
            text.push_str(value);
        }
        self.next = (self.next + 1) % TAIL_CELLS_MAX;
    }
}

impl Reader<'_> {
    /// Reads the cells of one sheet, and gives its merged ranges.
    fn sheet(&mut self, elements: &mut Elements<'_>, book: &mut Workbook) -> Result<Vec<Range>, Unreadable> {
        let (mut columns, mut merged) = (Vec::new(), Vec::new());
        let mut hidden_columns = Hidden::default();
        loop {
            let event = elements.next()?;
            let (Event::Start(it) | Event::Empty(it)) = &event else {
                if matches!(event, Event::Eof) {
                    return Ok(merged);
                }
                continue;
            };
            match it.local_name().as_ref() {
                "col" => columns.extend(hidden_column(it)),
                "mergeCell" => merged.extend(attribute(it.attributes_raw(), "ref").and_then(range)),
                "sheetData" if matches!(event, Event::Start(_)) => {
                    hidden_columns = Hidden::new(std::mem::take(&mut columns));
                    self.rows(elements, &hidden_columns, book)?;
                }
                _ => {}
            }
            if RANGES_MAX < columns.len().max(merged.len()) {
                let (count, max) = (RANGES_MAX as u64 + 1, RANGES_MAX as u64);
                return Err(Unreadable::TooMuch { what: "ranges of columns or cells in a sheet", count, max });
            }
            if hidden_columns.0.is_empty() && !columns.is_empty() && book.sheets.last().is_some_and(|it| 0 < it.n_seen)
            {
                // The standard's order; a program that takes another one would hide them all the same.
                return Err(broken("columns are described after the cells"));
            }
        }
    }

    fn rows(&mut self, elements: &mut Elements<'_>, columns: &Hidden, book: &mut Workbook) -> Result<(), Unreadable> {
        let (mut row, mut next_row, mut next_column) = (0_u32, 0_u32, 0_u32);
        let mut hidden_row = false;
        loop {
            match elements.next()? {
                Event::Start(it) => match it.local_name().as_ref() {
                    "c" => {
                        let (head, at) = self.head(&it, (row, next_column));
                        next_column = at.1.min(COLUMNS_MAX) + 1;
                        let hidden = self.hidden || hidden_row || columns.contains(at.1);
                        self.cell(elements, Head { place: Place { hidden, ..head.place }, ..head }, book)?;
                    }
                    "row" => {
                        let raw = it.attributes_raw();
                        let number = attribute(raw, "r").and_then(|it| it.parse::<u32>().ok()?.checked_sub(1));
                        row = number.unwrap_or(next_row).min(ROWS_MAX);
                        next_row = row + 1;
                        next_column = 0;
                        hidden_row = truth(attribute(raw, "hidden")) || attribute(raw, "ht").is_some_and(is_nothing);
                    }
                    _ => {}
                },
                Event::Empty(it) if it.local_name().as_ref() == "c" => {
                    let (_, at) = self.head(&it, (row, next_column));
                    next_column = at.1.min(COLUMNS_MAX) + 1;
                }
                Event::Empty(it) if it.local_name().as_ref() == "row" => {
                    let number = attribute(it.attributes_raw(), "r").and_then(|it| it.parse::<u32>().ok());
                    next_row = number.unwrap_or(next_row + 1).min(ROWS_MAX);
                }
                Event::End(it) if it.local_name().as_ref() == "sheetData" => break,
                Event::Eof => return Err(broken("it ends in a sheet")),
                _ => {}
            }
        }
        self.hand_over_tail(book);
        Ok(())
    }

    fn head(&self, cell: &BytesStart<'_>, expected: (u32, u32)) -> (Head, (u32, u32)) {
        let (mut at, mut kind, mut style) = (expected, Kind::Number, None);
        for (name, value) in attributes(cell.attributes_raw()) {
            match name {
                "r" => at = position(value).unwrap_or(expected),
                "s" => style = value.parse().ok(),
                "t" => {
                    kind = match value {
                        "s" => Kind::Shared,
                        "e" => Kind::Error,
                        "b" => Kind::Truth,
                        "d" => Kind::Date,
                        "n" => Kind::Number,
                        _ => Kind::Text,
                    }
                }
                _ => {}
            }
        }
        (Head { place: Place { row: at.0, column: at.1, hidden: false }, kind, style, formula: false }, at)
    }

    /// From behind its start to its end.
    fn cell(&mut self, elements: &mut Elements<'_>, mut head: Head, book: &mut Workbook) -> Result<(), Unreadable> {
        self.value.clear();
        let mut in_value = false;
        loop {
            match elements.next()? {
                Event::Text(text) if in_value => self.value.push_str(&text),
                Event::Start(it) => match it.local_name().as_ref() {
                    "v" => in_value = true,
                    "f" => head.formula = true,
                    "is" => rich_text(elements, "is", &mut self.value)?,
                    _ => {}
                },
                Event::Empty(it) => head.formula |= it.local_name().as_ref() == "f",
                Event::End(it) => match it.local_name().as_ref() {
                    "v" => in_value = false,
                    "c" => break,
                    _ => {}
                },
                Event::Eof => return Err(broken("it ends in a cell")),
                event if in_value => append(&event, &mut self.value)?,
                _ => {}
            }
        }
        let lacks_value = self.value.is_empty();
        if lacks_value && !head.formula {
            return Ok(());
        }
        // Errors and formulas without a result are told from every row, however many there are.
        let plain =
            !lacks_value && head.kind != Kind::Error && !head.place.hidden && self.value.len() <= CELL_BYTES_MAX;
        if plain && !book.has_room() {
            self.tail.push(head, &self.value);
        } else {
            self.take(head, &self.value, book);
        }
        Ok(())
    }

    fn take(&self, head: Head, value: &str, book: &mut Workbook) {
        let style = head.style.and_then(|idx| self.styles.get(idx as usize));
        let value = if head.kind == Kind::Text { value } else { value.trim() };
        let raw = match head.kind {
            // A formula may give an empty text.
            Kind::Text if !head.formula || !value.is_empty() => Raw::Text(value),
            _ if value.is_empty() && head.formula && head.kind != Kind::Text => Raw::NoResult,
            _ if value.is_empty() => return,
            Kind::Text => Raw::Text(value),
            Kind::Shared => value.parse().ok().and_then(|idx| self.strings.get(idx)).map_or(Raw::Lost, Raw::Text),
            Kind::Error => Raw::Error,
            Kind::Truth => Raw::Truth(truth(Some(value))),
            Kind::Date => Raw::Date(value),
            Kind::Number => Raw::Number(value),
        };
        book.take(head.place, raw, style, self.since_1904);
    }

    fn hand_over_tail(&mut self, book: &mut Workbook) {
        let Tail { mut cells, next, n_passed } = std::mem::take(&mut self.tail);
        book.pass(n_passed);
        cells.rotate_left(next);
        for (head, value) in cells {
            self.take(head, &value, book);
        }
    }
}

/// A height or a width that leaves nothing to see: `0`, `0.0`, `0.1`. The height is in points, the width in characters.
fn is_nothing(size: &str) -> bool {
    const SIZE_MIN: f64 = 0.5;
    size.trim().parse::<f64>().is_ok_and(|it| it < SIZE_MIN)
}

fn hidden_column(col: &BytesStart<'_>) -> Option<(u32, u32)> {
    let raw = col.attributes_raw();
    if !truth(attribute(raw, "hidden")) && !attribute(raw, "width").is_some_and(is_nothing) {
        return None;
    }
    // Both ends count from 1 and belong to the range.
    let from = attribute(raw, "min")?.parse::<u32>().ok()?.checked_sub(1)?;
    Some((from, attribute(raw, "max")?.parse::<u32>().ok()?))
}

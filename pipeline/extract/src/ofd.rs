//! OFD (GB/T 33190-2016), the form in which Chinese invoices are sealed: a ZIP of XML. The invoice inside is what the law
//! goes by; the pages are read as well, because a person goes by them.

use case::{Coverage, Evidence, Extraction, FieldName, Format, Kind, PageSize};
use hayro_interpret::kurbo::{Affine, Point};
use roxmltree::Node;

use crate::package::Package;
use crate::pdf::{Mark, Page, differences, lines};
use crate::xml::{Tree, all, text};
use crate::{Unreadable, fapiao, field, fit, labels, note, xml};

const PAGES_READ_MAX: usize = 50;
const TEMPLATES_MAX: usize = 50;
/// Attached files that are looked into.
const FILES_MAX: usize = 20;
const GLYPHS_MAX: usize = 300_000;
const POINTS_PER_MM: f64 = 72.0 / 25.4;
/// Smaller than this nobody reads it, in points.
const SIZE_MIN: f64 = 1.0;
/// A4, for a page that does not say its size, in millimetres.
const PAGE_MM: [f64; 4] = [0.0, 0.0, 210.0, 297.0];

pub(crate) fn read(document: &[u8]) -> Result<Extraction, Unreadable> {
    let mut package = Package::open(document)?;
    let entry = package.text("OFD.xml")?.ok_or_else(|| broken("it has no OFD.xml"))?;
    let entry = xml::parse(&entry, "OFD document")?;
    let bodies = all(entry.root_element(), "DocBody");
    let body = *bodies.first().ok_or_else(|| broken("it has no document in it"))?;
    let mut answer = Extraction::blank(Kind::Unknown, Format::Ofd);
    if 1 < bodies.len() {
        let message = format!("{} documents inside; the first was read", bodies.len());
        answer.notes.push(note("several_invoices", message));
    }
    let root = part(body, "DocRoot").map(|it| resolved("OFD.xml", &text(it)));
    let root = root.ok_or_else(|| broken("its document does not say where it begins"))?;
    let signatures = part(body, "Signatures").map(|it| resolved("OFD.xml", &text(it)));
    if signatures.is_some_and(|name| package.names().contains(&name)) {
        answer.notes.push(note("signed", "the document carries signatures, which were not verified"));
    }
    let main = package.text(&root)?.ok_or_else(|| broken("its document is not in it"))?;
    let main = xml::parse(&main, "OFD document")?;
    let (pages, coverage) = pages(&mut package, &root, main.root_element(), &mut answer)?;
    let mut printed = answer.clone();
    understood(&pages, &mut printed);
    let mut found = match inside(&mut package, &root, main.root_element(), &mut answer)? {
        Some(inside) => {
            let differs = differences(&inside, &printed);
            let mut found = Extraction { format: Format::Ofd, ..inside };
            found.notes.extend(answer.notes);
            found.notes.extend(differs);
            // What only the page says: the words of the amount, in the invoices of the years before.
            for name in [FieldName::GrossUpper, FieldName::FapiaoKind] {
                if let Some(field) = printed.field(name) {
                    found.fields.single.entry(name).or_insert_with(|| field.clone());
                }
            }
            found
        }
        None => Extraction { notes: answer.notes, ..printed },
    };
    custom_data(&Tree::new(&entry), body, &mut found);
    found.coverage = coverage;
    found.pages = pages.iter().map(|page| PageSize { width: page.width, height: page.height }).collect();
    Ok(found)
}

fn broken(why: &str) -> Unreadable {
    Unreadable::Broken { what: "OFD document", why: why.to_owned() }
}

fn part<'a, 'input>(node: Node<'a, 'input>, path: &str) -> Option<Node<'a, 'input>> {
    all(node, path).into_iter().next()
}

/// The name in the archive of what the file `from` calls `location`; `/` is the archive's root.
fn resolved(from: &str, location: &str) -> String {
    let location = location.trim();
    let mut steps: Vec<&str> = match location.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => from.rsplit_once('/').map_or(Vec::new(), |(folder, _)| folder.split('/').collect()),
    };
    for step in location.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps.join("/")
}

/// What two schemas of one invoice say alike.
const COMPARED: [FieldName; 6] = [
    FieldName::Number,
    FieldName::SellerName,
    FieldName::SellerTaxId,
    FieldName::NetTotal,
    FieldName::TaxTotal,
    FieldName::GrossTotal,
];

/// The invoice that the document carries as XML. An attached file that cannot be looked into may be one.
fn inside(
    package: &mut Package<'_>,
    root: &str,
    main: Node<'_, '_>,
    answer: &mut Extraction,
) -> Result<Option<Extraction>, Unreadable> {
    let mut listed: Vec<String> = Vec::new();
    for list in all(main, "Attachments").into_iter().map(|it| resolved(root, &text(it))).take(FILES_MAX) {
        let Some(content) = package.text(&list)? else { continue };
        let attachments = xml::parse(&content, "list of attachments")?;
        let locations = all(attachments.root_element(), "Attachment/FileLoc");
        listed.extend(locations.into_iter().map(|it| resolved(&list, &text(it))));
    }
    // Some makers put the invoice beside the attachments without listing it: a listed one is believed before it.
    let beside = |name: &str| name.contains("/Attach") || name.ends_with("invoice.xml");
    let mut names = listed.clone();
    names.extend(package.names().into_iter().filter(|name| beside(name) && !name.ends_with("Attachments.xml")));
    names.retain(|name| name.to_ascii_lowercase().ends_with(".xml"));
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    if FILES_MAX < names.len() {
        let message = format!("{} files attached, of which {FILES_MAX} were looked into", names.len());
        answer.notes.push(note("second_table", message));
    }
    let mut found: Vec<(bool, Extraction)> = Vec::new();
    for name in names.iter().take(FILES_MAX) {
        let Some(content) = package.text(name)? else { continue };
        let Ok(document) = xml::parse(&content, "attached file") else {
            answer.notes.push(note("value_unreadable", "an attached XML file cannot be read"));
            continue;
        };
        if fapiao::is_root(document.root_element()) {
            let invoice = fapiao::read(&Tree::new(&document), document.root_element());
            found.push((listed.contains(name), invoice));
        }
    }
    // The same invoice may be there in two schemas; the one with lines says more.
    found.sort_by_key(|(listed, it)| std::cmp::Reverse((*listed, it.lines.len(), it.fields.single.len())));
    let differing = COMPARED.iter().filter(|name| {
        let mut values = found.iter().filter_map(|(_, it)| it.text(**name));
        let first = values.next().unwrap_or_default();
        !values.all(|it| same(first, it))
    });
    let differing: Vec<&str> = differing.map(|name| name.name()).collect();
    if !differing.is_empty() {
        let message =
            format!("{} invoices inside, which differ in {}; one was read", found.len(), differing.join(", "));
        answer.notes.push(note("several_invoices", message));
    }
    Ok(found.into_iter().next().map(|(_, it)| it))
}

/// What the words on the pages say.
fn understood(pages: &[Page], answer: &mut Extraction) {
    match fapiao::printed::read(pages) {
        Some(found) => found.tell(answer),
        None => {
            let found = labels::read(pages);
            answer.kind = found.kind;
            answer.language = found.language;
            answer.fields = found.fields;
            answer.lines = found.lines;
        }
    }
}

/// The tax office writes some values into the list of contents as well: they fill what is missing and must not contradict.
fn custom_data(tree: &Tree, body: Node<'_, '_>, answer: &mut Extraction) {
    use crate::values::{date, decimal, identifier};
    type Value = fn(&str) -> Option<String>;
    const NAMES: [(&str, FieldName, Value); 7] = [
        ("发票代码", FieldName::InvoiceCode, identifier),
        ("发票号码", FieldName::Number, identifier),
        ("开票日期", FieldName::IssueDate, date),
        ("合计金额", FieldName::NetTotal, decimal),
        ("合计税额", FieldName::TaxTotal, decimal),
        ("购买方纳税人识别号", FieldName::BuyerTaxId, identifier),
        ("销售方纳税人识别号", FieldName::SellerTaxId, identifier),
    ];
    for node in all(body, "DocInfo/CustomDatas/CustomData").into_iter().take(FILES_MAX) {
        let label = node.attribute("Name").unwrap_or_default().trim();
        let Some((_, name, value)) = NAMES.iter().find(|(it, ..)| *it == label) else { continue };
        let shown = text(node).trim().to_owned();
        let Some(value) = value(&shown) else { continue };
        match answer.text(*name) {
            Some(said) if !same(said, &value) && fit::notes_left(answer) => {
                let message = format!("the list of contents says {value} for `{}`, the invoice {said}", name.name());
                answer.notes.push(note("hybrid_diff", message));
            }
            Some(_) => {}
            None => {
                let evidence = Evidence::Element { path: tree.path(node), text: shown };
                answer.fields.single.insert(*name, field(value, 0.95, evidence));
            }
        }
    }
}

fn same(left: &str, right: &str) -> bool {
    match (left.parse::<case::Decimal>(), right.parse::<case::Decimal>()) {
        (Ok(left), Ok(right)) => left == right,
        _ => left == right,
    }
}

/// The pages with their words.
fn pages(
    package: &mut Package<'_>,
    root: &str,
    main: Node<'_, '_>,
    answer: &mut Extraction,
) -> Result<(Vec<Page>, Coverage), Unreadable> {
    let sheets = all(main, "Pages/Page");
    let n_pages = u32::try_from(sheets.len()).unwrap_or(u32::MAX);
    let mut coverage = Coverage { pages: n_pages.max(1), read: 0, hidden_text: 0 };
    if PAGES_READ_MAX < sheets.len() {
        let text = format!("{n_pages} pages, of which the first {PAGES_READ_MAX} were read");
        answer.notes.push(note("too_many_pages", text));
    }
    let usual = part(main, "CommonData/PageArea").and_then(box_of).unwrap_or(PAGE_MM);
    let templates = all(main, "CommonData/TemplatePage");
    let mut pen = Pen { marks: Vec::new(), left: GLYPHS_MAX, n_hidden: 0, n_pictures: 0, n_composed: 0 };
    let mut pages = Vec::new();
    for (sheet, number) in sheets.into_iter().zip(1..).take(PAGES_READ_MAX) {
        let mut page = Page { number, width: 595.0, height: 842.0, lines: Vec::new() };
        let name = sheet.attribute("BaseLoc").map(|it| resolved(root, it)).unwrap_or_default();
        let content = package.text(&name)?;
        let Some(content) = content.as_ref().and_then(|it| xml::parse(it, "OFD page").ok()) else {
            answer.notes.push(note("page_unreadable", format!("page {number} cannot be read")));
            pages.push(page);
            continue;
        };
        let area = part(content.root_element(), "Area").and_then(box_of).unwrap_or(usual);
        page.width = (area[2] * POINTS_PER_MM).clamp(1.0, 20_000.0);
        page.height = (area[3] * POINTS_PER_MM).clamp(1.0, 20_000.0);
        pen.marks.clear();
        (pen.n_pictures, pen.n_composed) = (0, 0);
        let wanted = all(content.root_element(), "Template");
        for template in wanted.iter().filter_map(|it| it.attribute("TemplateID")).take(TEMPLATES_MAX) {
            let location = templates.iter().find(|it| it.attribute("ID") == Some(template));
            let Some(location) = location.and_then(|it| it.attribute("BaseLoc")) else { continue };
            let Some(text) = package.text(&resolved(root, location))? else { continue };
            let ground = xml::parse(&text, "OFD page")?;
            pen.draw(ground.root_element(), area);
        }
        pen.draw(content.root_element(), area);
        page.lines = lines(&pen.marks);
        if pen.left == 0 {
            let text = format!("page {number} holds more than the {GLYPHS_MAX} characters that are read");
            answer.notes.push(note("page_unreadable", text));
        } else if page.lines.is_empty() && 0 < pen.n_pictures + pen.n_composed {
            answer.notes.push(note("needs_ocr", format!("page {number} is a picture; it needs character recognition")));
        } else {
            coverage.read += 1;
        }
        pages.push(page);
    }
    coverage.hidden_text = pen.n_hidden;
    if 0 < pen.n_hidden {
        answer
            .notes
            .push(note("hidden_text", format!("{} pieces of text that no eye sees were left out", pen.n_hidden)));
    }
    if pages.is_empty() {
        answer.notes.push(note("page_unreadable", "the document has no pages"));
    }
    Ok((pages, coverage))
}

/// Left, top, width and height of an area in millimetres.
fn box_of(area: Node<'_, '_>) -> Option<[f64; 4]> {
    let node = part(area, "PhysicalBox")?;
    let numbers = numbers(&text(node));
    let &[left, top, width, height] = numbers.as_slice() else { return None };
    (0.0 < width && 0.0 < height).then_some([left, top, width, height])
}

fn numbers(text: &str) -> Vec<f64> {
    text.split_whitespace().take(64).filter_map(|it| it.parse().ok()).filter(|it: &f64| it.is_finite()).collect()
}

/// Draws pages on paper that only remembers glyphs.
struct Pen {
    marks: Vec<Mark>,
    /// Glyphs that may still be drawn, over all pages.
    left: usize,
    n_hidden: u32,
    n_pictures: usize,
    n_composed: usize,
}

impl Pen {
    fn draw(&mut self, page: Node<'_, '_>, area: [f64; 4]) {
        for layer in all(page, "Content/Layer") {
            for object in layer.descendants().filter(Node::is_element) {
                match object.tag_name().name() {
                    "TextObject" => self.text(object, area),
                    "ImageObject" => self.n_pictures += 1,
                    "CompositeObject" => self.n_composed += 1,
                    _ => {}
                }
            }
        }
    }

    fn text(&mut self, object: Node<'_, '_>, area: [f64; 4]) {
        let boundary = numbers(object.attribute("Boundary").unwrap_or_default());
        let &[x, y, ..] = boundary.as_slice() else { return };
        let own = match numbers(object.attribute("CTM").unwrap_or_default()).as_slice() {
            &[a, b, c, d, e, f] => Affine::new([a, b, c, d, e, f]),
            _ => Affine::IDENTITY,
        };
        let place = Affine::scale(POINTS_PER_MM) * Affine::translate((x - area[0], y - area[1])) * own;
        let size = object.attribute("Size").and_then(|it| it.trim().parse::<f64>().ok()).unwrap_or(0.0);
        let scale = object.attribute("HScale").and_then(|it| it.trim().parse::<f64>().ok()).unwrap_or(1.0);
        let height = size * place.determinant().abs().sqrt();
        let hidden = !(SIZE_MIN..10_000.0).contains(&height) || unseen(object);
        let (mut at_x, mut at_y) = (0.0, 0.0);
        for code in all(object, "TextCode") {
            let number = |name: &str| code.attribute(name).and_then(|it| it.trim().parse::<f64>().ok());
            (at_x, at_y) = (number("X").unwrap_or(at_x), number("Y").unwrap_or(at_y));
            let [along, down] = ["DeltaX", "DeltaY"].map(|name| steps(code.attribute(name).unwrap_or_default()));
            let content = text(code);
            if hidden {
                self.n_hidden = self.n_hidden.saturating_add(u32::from(!content.trim().is_empty()));
                continue;
            }
            let (mut x, mut y) = (at_x, at_y);
            let n_marks = self.marks.len();
            for (idx, char) in content.chars().enumerate() {
                if self.left == 0 {
                    return;
                }
                self.left -= 1;
                let advance = size * scale * if char.is_ascii() { 0.5 } else { 1.0 };
                let [start, end] = [x, x + advance].map(|x| place * Point::new(x, y));
                let middle = start.midpoint(end);
                let [across, upright] =
                    [area[2], area[3]].map(|side| 0.0..=(side * POINTS_PER_MM).clamp(1.0, 20_000.0));
                if across.contains(&middle.x) && upright.contains(&middle.y) {
                    let text = if char.is_whitespace() { String::new() } else { char.to_string() };
                    self.marks.push(Mark { text, start, end, size: height, colour: None });
                }
                x += along.get(idx).copied().unwrap_or(if down.is_empty() { advance } else { 0.0 });
                y += down.get(idx).copied().unwrap_or(0.0);
            }
            // Off the page, no eye sees it.
            if self.marks.len() == n_marks && !content.trim().is_empty() {
                self.n_hidden = self.n_hidden.saturating_add(1);
            }
        }
    }
}

/// Is it, or what it stands in, marked as invisible, without ink, or white?
fn unseen(object: Node<'_, '_>) -> bool {
    let off = |it: Node<'_, '_>| {
        it.attribute("Visible").is_some_and(|it| it.trim() == "false")
            || it.attribute("Alpha").is_some_and(|it| it.trim() == "0")
    };
    let white = |it: Node<'_, '_>| {
        let parts = numbers(it.attribute("Value").unwrap_or_default());
        it.attribute("Alpha").is_some_and(|it| it.trim() == "0")
            || (parts.len() == 3 && parts.iter().all(|it| 250.0 <= *it))
    };
    object.ancestors().any(off)
        || object.attribute("Fill").is_some_and(|it| it.trim() == "false") && object.attribute("Stroke") != Some("true")
        || all(object, "FillColor").into_iter().any(white)
}

/// Distances from glyph to glyph: `5 g 3 2.5` is 5, 2.5, 2.5, 2.5 (GB/T 33190-2016, 11.3).
fn steps(text: &str) -> Vec<f64> {
    let mut steps = Vec::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let (count, step) = match word {
            "g" => (words.next().and_then(|it| it.parse().ok()).unwrap_or(0), words.next()),
            word => (1, Some(word)),
        };
        let Some(step) = step.and_then(|it| it.parse::<f64>().ok()).filter(|it| it.is_finite()) else { continue };
        let room = GLYPHS_MAX.saturating_sub(steps.len());
        steps.extend(std::iter::repeat_n(step, count.min(room)));
    }
    steps
}

#[cfg(test)]
mod tests;

//! PDF: an e-invoice inside it where there is one, otherwise the text that stands on its pages; and pictures of them.

mod attached;
mod ink;
mod layout;
mod picture;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use case::{Clause, Coverage, Decimal, Evidence, Extraction, Field, FieldName, Fields, Format, Kind, Note, PageSize};
use hayro::RenderCache;
use hayro_interpret::font::FontQuery;
use hayro_interpret::hayro_syntax::object::Dict;
use hayro_interpret::hayro_syntax::page::Page as Sheet;
use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro_interpret::{InterpreterCache, InterpreterSettings, InterpreterWarning};

use crate::ocr::{self, Ocr, Recognised, Trust};
use crate::{Reading, Unreadable, blank, contract, labels, note, xml};
use ink::{Budget, Ink};
use layout::Running;
pub(crate) use layout::{Cell, Line, Page, Word, around, joined};
pub(crate) use picture::blank as blank_picture;

const BYTES_MAX: usize = 64 << 20;
/// Pages that are read, and that get a picture.
const PAGES_READ_MAX: usize = 50;
const PICTURES_MAX: usize = 20;
/// Pages of a document that is opened at all: its page tree is in memory before the first page is read.
const PAGES_MAX: usize = 20_000;
/// A page with fewer words than this, and a picture on more than this share of it, is a scan.
const SCAN_WORDS_MAX: usize = 15;
const SCAN_SHARE_MIN: f64 = 0.3;
/// A picture is not painted where it would take more work than this.
const IMAGE_PIXELS_MAX: u64 = 60_000_000;
const PIECES_MAX: f64 = 200_000.0;
/// A page with few words and more shapes than this has its text as outlines.
const OUTLINE_PATHS_MIN: usize = 300;
const CONTENT_BYTES_MAX: usize = 64 << 20;
/// The end of the file where its end mark must stand.
const TAIL_BYTES: usize = 2_048;
/// Characters of a clause or a contract's field that are shown as its evidence.
const EVIDENCE_CHARS_MAX: usize = 4_000;

/// Reads a PDF. May panic or unwind on hostile documents: the caller catches that. Pages that cannot be read are missing in the
/// coverage and named in a note.
pub(crate) fn read(bytes: &[u8], ocr: Option<&Ocr>) -> Result<Reading, Unreadable> {
    if BYTES_MAX < bytes.len() {
        return Err(Unreadable::TooMuch { what: "bytes", count: bytes.len() as u64, max: BYTES_MAX as u64 });
    }
    let pdf = Pdf::new(bytes.to_vec()).map_err(|err| match err {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => Unreadable::Encrypted { what: "PDF" },
        LoadPdfError::Decryption(err) => {
            Unreadable::Broken { what: "PDF", why: format!("cannot be decrypted ({err:?})") }
        }
        LoadPdfError::Invalid => Unreadable::Broken { what: "PDF", why: "its structure cannot be found".to_owned() },
    })?;
    match pdf.pages().len() {
        0 => return Err(Unreadable::Broken { what: "PDF", why: "it has no pages".to_owned() }),
        count if PAGES_MAX < count => {
            return Err(Unreadable::TooMuch { what: "pages", count: count as u64, max: PAGES_MAX as u64 });
        }
        _ => {}
    }
    let mut paper = Paper::read(&pdf, ocr);
    if !whole(bytes) {
        // How many pages are lost is unknown: one at least is counted.
        paper.coverage.pages = paper.coverage.pages.saturating_add(1);
        paper.notes.push(note("file_cut_off", "the file has no end; pages may be missing"));
    }
    let pictures = paper.pictures.clone();
    let mut extraction = match attached_invoice(&pdf)? {
        Some(mut extraction) => {
            let differs = differences(&extraction, &paper.understood());
            extraction.notes.extend(differs);
            extraction
        }
        None => paper.understood(),
    };
    paper.describe(&mut extraction);
    Ok(Reading { extraction, pictures })
}

fn whole(bytes: &[u8]) -> bool {
    let tail = bytes.get(bytes.len().saturating_sub(TAIL_BYTES)..).unwrap_or_default();
    tail.windows(5).any(|it| it == b"%%EOF")
}

/// The number of pages that the document claims to have.
fn claimed_pages(pdf: &Pdf) -> Option<u32> {
    let catalog = pdf.xref().get::<Dict<'_>>(pdf.xref().root_id())?;
    catalog.get::<Dict<'_>>("Pages")?.get::<u32>("Count")
}

/// The pages as a person sees them.
pub(crate) struct Paper {
    pub(crate) pages: Vec<Page>,
    pub(crate) pictures: Vec<Vec<u8>>,
    pub(crate) sizes: Vec<PageSize>,
    pub(crate) coverage: Coverage,
    pub(crate) notes: Vec<Note>,
    /// Of the words that were recognised in pictures.
    pub(crate) trust: Vec<Trust>,
}

impl Paper {
    pub(crate) fn blank(coverage: Coverage) -> Paper {
        let (pages, pictures, sizes) = (Vec::new(), Vec::new(), Vec::new());
        Paper { pages, pictures, sizes, coverage, notes: Vec::new(), trust: Vec::new() }
    }

    fn read(pdf: &Pdf, ocr: Option<&Ocr>) -> Paper {
        let sheets = pdf.pages();
        let n_found = u32::try_from(sheets.len()).unwrap_or(u32::MAX);
        let n_pages = claimed_pages(pdf).unwrap_or(n_found).max(n_found);
        let coverage = Coverage { pages: n_pages, read: 0, hidden_text: 0 };
        let mut paper = Paper::blank(coverage);
        if n_found < n_pages {
            paper.notes.push(note(
                "pages_missing",
                format!("{n_pages} pages by its own count, of which {n_found} were found"),
            ));
        }
        if PAGES_READ_MAX < sheets.len() {
            let text = format!("{n_pages} pages, of which the first {PAGES_READ_MAX} were read");
            paper.notes.push(note("too_many_pages", text));
        }
        if PICTURES_MAX < sheets.len() {
            let text = format!("{n_pages} pages, of which the first {PICTURES_MAX} have a picture");
            paper.notes.push(note("pages_without_picture", text));
        }
        let unknown_fonts = Arc::new(AtomicUsize::new(0));
        let settings = settings(&unknown_fonts);
        let mut painter =
            Painter { pdf, settings, unknown_fonts, text: InterpreterCache::new(), picture: RenderCache::new() };
        let mut budget = Budget { glyphs: ink::GLYPHS_MAX, operators: ink::OPERATORS_MAX };
        let mut scans = ocr.map(|ocr| Scans { ocr, budget: ocr::Budget::DOCUMENT });
        for (sheet, number) in sheets.iter().zip(1..).take(PAGES_READ_MAX) {
            paper.read_page(sheet, number, &mut painter, &mut budget, scans.as_mut());
        }
        if 0 < paper.coverage.hidden_text {
            let text = format!("{} pieces of text that no eye sees were left out", paper.coverage.hidden_text);
            paper.notes.push(note("hidden_text", text));
        }
        paper
    }

    fn read_page<'a>(
        &mut self,
        sheet: &'a Sheet<'a>,
        number: u32,
        painter: &mut Painter<'a>,
        budget: &mut Budget,
        scans: Option<&mut Scans<'_>>,
    ) {
        let (width, height) = sheet.render_dimensions();
        let (width, height) = (f64::from(width), f64::from(height));
        let sane = |side: f64| (1.0..=20_000.0).contains(&side);
        let mut page = Page { number, width, height, lines: Vec::new() };
        if !sane(width) || !sane(height) {
            // The answer names a size for each page; this one is A4, and the page counts as not read.
            (page.width, page.height) = (595.0, 842.0);
            self.notes.push(note("page_unreadable", format!("page {number} is {width} by {height} points")));
            self.finish_page(page, painter.blank_picture(number));
            return;
        }
        let ink = match painter.ink(sheet, budget) {
            Ok(ink) => ink,
            Err(why) => {
                self.notes.push(note("page_unreadable", format!("page {number} {why}")));
                self.finish_page(page, painter.blank_picture(number));
                return;
            }
        };
        self.coverage.hidden_text = self.coverage.hidden_text.saturating_add(words_in(&ink.hidden));
        page.lines = layout::lines(&ink.shown);
        let verdict = legible(&page, &ink);
        match (&verdict, scans) {
            (Ok(()), _) => self.coverage.read += 1,
            (Err(found), Some(scans)) if found.code == "needs_ocr" => {
                self.read_scan(sheet, &mut page, &ink, painter, scans)
            }
            (Err(found), _) => self.notes.push(note(found.code, format!("page {number} {}", found.message))),
        }
        let picture = (self.pictures.len() < PICTURES_MAX).then(|| painter.picture(sheet, &ink));
        match picture {
            Some(Ok(png)) => self.finish_page(page, Some(png)),
            Some(Err(why)) => {
                self.notes.push(note("page_without_picture", format!("page {number} {why}")));
                self.finish_page(page, painter.blank_picture(number));
            }
            None => self.finish_page(page, None),
        }
    }

    /// The text of a page that is a picture, in place of the little text it has.
    fn read_scan<'a>(
        &mut self,
        sheet: &'a Sheet<'a>,
        page: &mut Page,
        ink: &Ink,
        painter: &mut Painter<'a>,
        scans: &mut Scans<'_>,
    ) {
        let number = page.number;
        let recognised = painter.scan(sheet, ink).and_then(|picture| {
            let scale = page.width / picture.width as f64;
            let found = scans.ocr.read(&picture, scale, number, &mut scans.budget)?;
            Ok(found.turned_back(page.width, page.height))
        });
        match recognised {
            Err(why) => self.notes.push(note("page_unreadable", format!("page {number} {why}"))),
            Ok(recognised) => {
                self.account(number, &recognised);
                self.trust.extend(recognised.trust);
                page.lines = recognised.lines;
            }
        }
    }

    /// What the reading of a picture adds to the coverage and the notes.
    pub(crate) fn account(&mut self, number: u32, recognised: &Recognised) {
        let Recognised { n_places, n_unsure, .. } = recognised;
        if recognised.legible() {
            self.coverage.read += 1;
        }
        if *n_places == 0 {
            self.notes.push(note("no_text", format!("page {number} is a picture in which no text was found")));
        } else if 0 < *n_unsure {
            let text = format!(
                "page {number} is a picture with {n_places} pieces of text, of which {n_unsure} could not be read"
            );
            self.notes.push(note("unsure_text", text));
        }
    }

    fn finish_page(&mut self, page: Page, picture: Option<Vec<u8>>) {
        self.sizes.push(PageSize { width: page.width, height: page.height });
        self.pages.push(page);
        self.pictures.extend(picture);
    }

    /// What the words on the pages say.
    pub(crate) fn understood(&self) -> Extraction {
        let mut extraction = self.words_understood();
        if !self.trust.is_empty() {
            extraction.format = Format::PdfOcr;
            ocr::temper(&mut extraction, &self.trust);
        }
        extraction
    }

    fn words_understood(&self) -> Extraction {
        let running = Running::of(&self.pages);
        let mut extraction = blank(Kind::Unknown, Format::PdfText);
        if contract::looks_like(&running.text) {
            let found = contract::read(&running.text);
            extraction.kind = Kind::Contract;
            extraction.fields = on_pages(found.fields, &running);
            extraction.clauses =
                found.clauses.into_iter().filter_map(|clause| clause_on_page(clause, &running)).collect();
            return extraction;
        }
        let mut found = labels::read(&self.pages);
        if !self.trust.is_empty() {
            ocr::over_receipt(&self.pages, &mut found);
        }
        Extraction {
            kind: found.kind,
            language: found.language,
            fields: found.fields,
            lines: found.lines,
            ..extraction
        }
    }

    pub(crate) fn describe(self, extraction: &mut Extraction) {
        extraction.coverage = self.coverage;
        extraction.pages = self.sizes;
        extraction.notes.extend(self.notes);
    }
}

fn words_in(marks: &[ink::Mark]) -> u32 {
    u32::try_from(layout::count_words(marks)).unwrap_or(u32::MAX)
}

/// Why the words of a page do not say what stands on it.
struct Illegible {
    code: &'static str,
    message: String,
}

fn legible(page: &Page, ink: &Ink) -> Result<(), Illegible> {
    let n_words = page.lines.iter().flat_map(Line::words).count();
    if n_words < SCAN_WORDS_MAX && SCAN_SHARE_MIN < ink.image_share {
        let message = format!("is a picture with {n_words} words of text; it needs character recognition");
        return Err(Illegible { code: "needs_ocr", message });
    }
    if n_words < SCAN_WORDS_MAX && OUTLINE_PATHS_MIN < ink.n_paths {
        let message = format!("is {} shapes with {n_words} words of text; it needs character recognition", ink.n_paths);
        return Err(Illegible { code: "needs_ocr", message });
    }
    let n_unknown = ink.shown.iter().filter(|mark| mark.text.contains('\u{fffd}')).count();
    let n_known = ink.shown.iter().filter(|mark| !mark.text.is_empty()).count();
    if 0 < n_unknown && n_known < 10 * n_unknown {
        let message = format!("has {n_unknown} of {n_known} characters in a font that does not say what they are");
        return Err(Illegible { code: "unknown_characters", message });
    }
    Ok(())
}

/// Reads the pages that are pictures.
struct Scans<'o> {
    ocr: &'o Ocr,
    budget: ocr::Budget,
}

/// The interpreter with its caches, which are thrown away when it panics.
struct Painter<'a> {
    pdf: &'a Pdf,
    settings: InterpreterSettings,
    /// Fonts that could not be loaded: their text is missing.
    unknown_fonts: Arc<AtomicUsize>,
    text: InterpreterCache<'a>,
    picture: RenderCache<'a>,
}

impl<'a> Painter<'a> {
    fn ink(&mut self, sheet: &Sheet<'a>, budget: &mut Budget) -> Result<Ink, &'static str> {
        if budget.glyphs == 0 || budget.operators == 0 {
            return Err("was not read: the pages before it hold more than this reader reads");
        }
        let fonts_before = self.unknown_fonts.load(Ordering::Relaxed);
        let painted = catch_unwind(AssertUnwindSafe(|| {
            match sheet.page_stream() {
                None if sheet.raw().contains_key("Contents") => return Err("has contents that cannot be unpacked"),
                Some(content) if CONTENT_BYTES_MAX < content.len() => return Err("holds more than this reader reads"),
                _ => {}
            }
            Ok(ink::of_page(self.pdf, sheet, &self.text, &self.settings, budget))
        }));
        if fonts_before < self.unknown_fonts.load(Ordering::Relaxed) {
            return Err("has text in a font that cannot be read");
        }
        painted.unwrap_or_else(|payload| {
            self.text = InterpreterCache::new();
            let used_up = payload.is::<ink::UsedUp>();
            Err(if used_up { "holds more than this reader reads" } else { "could not be interpreted" })
        })
    }

    fn picture(&mut self, sheet: &'a Sheet<'a>, ink: &Ink) -> Result<Vec<u8>, &'static str> {
        if IMAGE_PIXELS_MAX < ink.image_pixels {
            return Err("has images too large to paint");
        }
        if PIECES_MAX < ink.pieces {
            return Err("has a pattern or dashes too fine to paint");
        }
        let painted = catch_unwind(AssertUnwindSafe(|| picture::of_page(sheet, &self.picture, &self.settings)));
        match painted {
            Ok(png) => png.ok_or("has a shape that cannot be painted"),
            Err(_) => {
                self.picture = RenderCache::new();
                Err("could not be painted")
            }
        }
    }

    /// The page as large as character recognition likes it.
    fn scan(&mut self, sheet: &'a Sheet<'a>, ink: &Ink) -> Result<crate::image::Picture, &'static str> {
        if IMAGE_PIXELS_MAX < ink.image_pixels || PIECES_MAX < ink.pieces {
            return Err("has images too large to paint");
        }
        let painted = catch_unwind(AssertUnwindSafe(|| picture::for_recognition(sheet, &self.picture, &self.settings)));
        match painted {
            Ok(picture) => picture.ok_or("has a shape that cannot be painted"),
            Err(_) => {
                self.picture = RenderCache::new();
                Err("could not be painted")
            }
        }
    }

    /// Pictures stand in the order of the pages, so a page that cannot be painted has an empty one.
    fn blank_picture(&self, number: u32) -> Option<Vec<u8>> {
        (number as usize <= PICTURES_MAX).then(picture::blank)
    }
}

fn settings(unknown_fonts: &Arc<AtomicUsize>) -> InterpreterSettings {
    let font_resolver = |query: &FontQuery| match query {
        FontQuery::Standard(font) => Some(font.get_font_data()),
        FontQuery::Fallback(font) => Some(font.pick_standard_font().get_font_data()),
    };
    let counter = Arc::clone(unknown_fonts);
    let warning_sink = move |warning| {
        if matches!(warning, InterpreterWarning::UnsupportedFont) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    };
    InterpreterSettings {
        font_resolver: Arc::new(font_resolver),
        warning_sink: Arc::new(warning_sink),
        ..InterpreterSettings::default()
    }
}

/// The e-invoice inside, which the law calls the invoice: the page is its picture.
fn attached_invoice(pdf: &Pdf) -> Result<Option<Extraction>, Unreadable> {
    let invoices = attached::invoices(pdf);
    let Some(invoice) = invoices.first() else { return Ok(None) };
    let mut extraction = xml::read(&invoice.bytes)?;
    extraction.format = Format::FacturX;
    if 1 < invoices.len() {
        let names: Vec<&str> = invoices.iter().map(|it| it.name.as_str()).collect();
        let text = format!("{} invoices inside: {}; the first was read", invoices.len(), names.join(", "));
        extraction.notes.push(note("several_invoices", text));
    }
    Ok(Some(extraction))
}

/// What the page says otherwise than the data inside: a person pays what they see, a machine what it reads.
fn differences(inside: &Extraction, printed: &Extraction) -> Vec<Note> {
    const COMPARED: [FieldName; 4] = [FieldName::GrossTotal, FieldName::Payable, FieldName::NetTotal, FieldName::Iban];
    let same = |left: &str, right: &str| match (left.parse::<Decimal>(), right.parse::<Decimal>()) {
        (Ok(left), Ok(right)) => left == right,
        _ => left == right,
    };
    let differs = |name: &FieldName| {
        let (inside, printed) = (inside.text(*name)?, printed.text(*name)?);
        let message = format!("the data inside says {inside} for `{}`, the page says {printed}", name.name());
        (!same(inside, printed)).then(|| note("hybrid_diff", message))
    };
    COMPARED.iter().filter_map(differs).collect()
}

fn on_pages(fields: Fields, running: &Running) -> Fields {
    let place = |field: Field| {
        let evidence = on_page(field.evidence, running)?;
        Some(Field { evidence, ..field })
    };
    Fields {
        parties: fields.parties.into_iter().filter_map(place).collect(),
        vat_breakdown: Vec::new(),
        single: fields.single.into_iter().filter_map(|(name, field)| Some((name, place(field)?))).collect(),
    }
}

fn clause_on_page(clause: Clause, running: &Running) -> Option<Clause> {
    let evidence = on_page(clause.evidence, running)?;
    Some(Clause { evidence, ..clause })
}

fn on_page(evidence: Evidence, running: &Running) -> Option<Evidence> {
    let Evidence::Span { start, end, text } = evidence else { return None };
    let (page, area) = running.place(start, end)?;
    Some(Evidence::Page { page, area, text: text.chars().take(EVIDENCE_CHARS_MAX).collect() })
}

#[cfg(test)]
mod tests;

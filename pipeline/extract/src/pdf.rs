//! PDF: an e-invoice inside it where there is one, otherwise the text that stands on its pages; and pictures of them.

mod attached;
mod ink;
mod layer;
mod layout;
mod optional;
mod picture;
mod qr;
mod sight;
mod signed;
mod turn;

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use case::{Clause, Coverage, Decimal, Evidence, Extraction, Field, FieldName, Fields, Format, Kind, Note, PageSize};
use hayro::RenderCache;
use hayro_interpret::font::FontQuery;
use hayro_interpret::hayro_syntax::object::Dict;
use hayro_interpret::hayro_syntax::page::Page as Sheet;
use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro_interpret::{InterpreterCache, InterpreterSettings, InterpreterWarning};

use crate::harvest::compact;
use crate::ocr::{self, Outcome, Recognised, Scans, Trust};
use crate::{Reading, Unreadable, contract, fapiao, labels, note, xml};
pub(crate) use ink::Mark;
use ink::{Budget, Ink};
use layout::Running;
pub(crate) use layout::{Cell, Line, Page, Word, around, joined, lines};
use optional::Layers;
use picture::Painted;
pub(crate) use picture::blank as blank_picture;
use turn::Turned;

const BYTES_MAX: usize = 64 << 20;
/// Pages that are read, and that get a picture.
const PAGES_READ_MAX: usize = 50;
const PICTURES_MAX: usize = 20;
/// Pages of a document that is opened at all: its page tree is in memory before the first page is read.
const PAGES_MAX: usize = 20_000;
/// A page with fewer words than this, and a picture on more than this share of it, is a scan.
const SCAN_WORDS_MAX: usize = 15;
const SCAN_SHARE_MIN: f64 = 0.3;
/// So is one with a picture on this share of it or more and fewer words on the picture: a stamp on a scan is not its text.
const STAMPED_SHARE_MIN: f64 = 0.5;
const STAMP_WORDS_MAX: usize = 30;
/// One character in this many may be unknown.
const UNKNOWN_SHARE: usize = 10;
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
pub(crate) fn read(bytes: &[u8], scans: &mut Scans<'_>) -> Result<Reading, Unreadable> {
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
    let mut paper = Paper::read(&pdf, scans);
    scans.spoken_in(labels::language(&paper.pages));
    paper.notes.extend(signed::notes(&pdf, bytes));
    if !whole(bytes) {
        // How many pages are lost is unknown: one at least is counted.
        paper.coverage.pages = paper.coverage.pages.saturating_add(1);
        paper.notes.push(note("file_cut_off", "the file has no end; pages may be missing"));
    }
    let pictures = paper.pictures.clone();
    let mut extraction = match attached_invoice(&pdf, &mut paper.notes)? {
        Some(mut extraction) => {
            let printed = paper.understood();
            let differs = differences(&extraction, &printed);
            let unprinted = unprinted(&extraction, &printed, &paper);
            extraction.notes.extend(differs.into_iter().chain(unprinted));
            extraction
        }
        None => paper.understood(),
    };
    if extraction.format == Format::PdfText && extraction.field(FieldName::FapiaoKind).is_some() {
        let code = if paper.paintable { qr_code(&pdf) } else { None };
        match code {
            Some(code) => {
                extraction.fields.single.insert(FieldName::Qr, code);
            }
            None => extraction.notes.push(note("no_qr_code", "no QR code was found on the first page")),
        }
    }
    paper.describe(&mut extraction);
    Ok(Reading { extraction, pictures })
}

/// Pages that could be read, and the words on them: the first step of [`read`] alone, which finds each word with its place.
pub fn text(bytes: &[u8]) -> Option<[usize; 2]> {
    let pdf = Pdf::new(bytes.to_vec()).ok()?;
    let mut painter = Painter::new(&pdf);
    let mut budget = Budget::DOCUMENT;
    let inks = pdf.pages().iter().take(PAGES_READ_MAX).filter_map(|sheet| painter.ink(sheet, &mut budget).ok());
    let words = |ink: &Ink| layout::lines(&ink.shown).iter().map(|line| line.words().count()).sum::<usize>();
    Some(inks.fold([0, 0], |[n_pages, n_words], ink| [n_pages + 1, n_words + words(&ink)]))
}

/// The QR code of the first page, where it has one.
fn qr_code(pdf: &Pdf) -> Option<Field> {
    let sheet = pdf.pages().first()?;
    let found = catch_unwind(AssertUnwindSafe(|| {
        let settings = settings(&Arc::new(AtomicUsize::new(0)), &Arc::new(AtomicBool::new(false)));
        let picture = picture::in_grey(sheet, &RenderCache::new(), &settings)?;
        qr::read(&picture, 1)
    }));
    found.unwrap_or(None)
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
    /// Pages that were turned upright to be read: the places of their words are on the turned page.
    turned: Vec<Turned>,
    /// The first page has a picture, and so may have another.
    paintable: bool,
}

impl Paper {
    pub(crate) fn blank(coverage: Coverage) -> Paper {
        let (pages, pictures, sizes) = (Vec::new(), Vec::new(), Vec::new());
        Paper {
            pages,
            pictures,
            sizes,
            coverage,
            notes: Vec::new(),
            trust: Vec::new(),
            turned: Vec::new(),
            paintable: false,
        }
    }

    fn read(pdf: &Pdf, scans: &mut Scans<'_>) -> Paper {
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
        let mut painter = Painter::new(pdf);
        let mut budget = Budget::DOCUMENT;
        for (sheet, number) in sheets.iter().zip(1..).take(PAGES_READ_MAX) {
            paper.read_page(sheet, number, &mut painter, &mut budget, scans);
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
        scans: &mut Scans<'_>,
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
        let mut ink = match painter.ink(sheet, budget) {
            Ok(ink) => ink,
            Err(why) => {
                self.notes.push(note("page_unreadable", format!("page {number} {why}")));
                self.finish_page(page, painter.blank_picture(number));
                return;
            }
        };
        let picture = painter.picture(sheet, &ink);
        if let Ok(picture) = &picture {
            // A font that the document does not hold is on the reader's screen, and not in our picture.
            let borrowed = painter.borrowed_fonts.load(Ordering::Relaxed);
            let mut shown = std::mem::take(&mut ink.shown);
            let shapeless = |marks: &[Mark]| borrowed && marks.iter().any(|mark| ink.is_shapeless(mark));
            let unseen = sight::take_unseen(&mut shown, picture, shapeless);
            if shapeless(&shown) {
                let text = format!("page {number} has text in a font that is not in the file; its picture lacks it");
                self.notes.push(note("picture_incomplete", text));
            }
            ink.hidden.extend(unseen);
            ink.shown = shown;
        }
        sight::drop_doubles(&mut ink.hidden, &ink.shown);
        page.lines = layout::lines(&ink.shown);
        let hidden = layout::lines(&ink.hidden);
        let mut n_hidden = hidden.iter().map(|line| line.words().count()).sum::<usize>();
        match needs_ocr(&page, &ink) {
            None => {
                self.coverage.read += 1;
                self.turn_upright(&mut page, &ink);
            }
            Some(why) => {
                let scan = || painter.scan(sheet, &ink).map(Cow::Owned);
                match scans.read(number, [page.width, page.height], scan) {
                    Outcome::Nobody => {
                        let text = format!("page {number} {why}; it needs character recognition");
                        self.notes.push(note("needs_ocr", text));
                    }
                    Outcome::Failed(why) => self.notes.push(note("page_unreadable", format!("page {number} {why}"))),
                    Outcome::Read(recognised) => {
                        let words = self.lay_scan(&mut page, recognised);
                        n_hidden = layer::count_other_words(&hidden, &words);
                    }
                }
            }
        }
        let n_hidden = u32::try_from(n_hidden.saturating_add(ink.n_switched_off)).unwrap_or(u32::MAX);
        self.coverage.hidden_text = self.coverage.hidden_text.saturating_add(n_hidden);
        let png = match picture {
            // Painted to see what is hidden, and not kept.
            Ok(_) if PICTURES_MAX <= self.pictures.len() => None,
            Ok(picture) => {
                let png = picture.png();
                self.paintable |= number == 1 && png.is_some();
                png.or_else(|| painter.blank_picture(number))
            }
            Err(why) => {
                let text = format!("page {number} {why}; whether a person can see all of its text was not checked");
                self.notes.push(note("page_without_picture", text));
                painter.blank_picture(number)
            }
        };
        self.finish_page(page, png);
    }

    /// Turns a page whose text mostly runs up, down or upside down.
    fn turn_upright(&mut self, page: &mut Page, ink: &Ink) {
        let quarters = turn::quarters(&ink.shown);
        if 0 < quarters {
            let turned = Turned { page: page.number, quarters, width: page.width, height: page.height };
            let marks: Vec<Mark> = ink.shown.iter().map(|mark| turned.mark(mark)).collect();
            page.lines = layout::lines(&marks);
            (page.width, page.height) = turned.size();
            self.turned.push(turned);
        }
    }

    /// The text of a page that is a picture, in place of the little text it has. Gives its words with their places on the
    /// page as it lies.
    fn lay_scan(&mut self, page: &mut Page, recognised: Recognised) -> Vec<Word> {
        self.account(page.number, &recognised);
        let turned =
            Turned { page: page.number, quarters: recognised.quarters, width: page.width, height: page.height };
        self.trust.extend(recognised.trust);
        page.lines = recognised.lines;
        if 0 < turned.quarters {
            (page.width, page.height) = turned.size();
            self.turned.push(turned);
        }
        let words = page.lines.iter().flat_map(Line::words);
        words.map(|word| Word { area: turned.back(word.area), ..word.clone() }).collect()
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
        let turned = self.turned.iter().find(|it| it.page == page.number);
        let (width, height) = turned.map_or((page.width, page.height), |it| (it.width, it.height));
        self.sizes.push(PageSize { width, height });
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
        turn::back(&mut extraction, &self.turned);
        extraction
    }

    fn words_understood(&self) -> Extraction {
        let running = Running::of(&self.pages);
        let mut extraction = Extraction::blank(Kind::Unknown, Format::PdfText);
        if let Some(found) = fapiao::printed::read(&self.pages) {
            found.tell(&mut extraction);
            return extraction;
        }
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
            labelled: found.labelled,
            notes: found.notes,
            ..extraction
        }
    }

    pub(crate) fn describe(self, extraction: &mut Extraction) {
        extraction.coverage = self.coverage;
        extraction.pages = self.sizes;
        extraction.notes.extend(self.notes);
    }
}

/// Why the words of a page do not say what stands on it, so that its picture must be read instead; `None` where they do.
/// The text begins with a verb, for `page 3 …`.
fn needs_ocr(page: &Page, ink: &Ink) -> Option<String> {
    let n_words = page.lines.iter().flat_map(Line::words).count();
    if n_words < SCAN_WORDS_MAX && SCAN_SHARE_MIN < ink.image_share {
        return Some(format!("is a picture with {n_words} words of text"));
    }
    let on_images = page.lines.iter().flat_map(Line::words).filter(|word| ink.on_image(word.area)).count();
    if on_images < STAMP_WORDS_MAX && STAMPED_SHARE_MIN <= ink.image_share {
        return Some(format!("is covered by a picture on which {on_images} words of text stand"));
    }
    if n_words < SCAN_WORDS_MAX && OUTLINE_PATHS_MIN < ink.n_paths {
        return Some(format!("is {} shapes with {n_words} words of text", ink.n_paths));
    }
    let n_unknown = ink.shown.iter().filter(|mark| mark.text.contains('\u{fffd}')).count();
    let n_known = ink.shown.iter().filter(|mark| !mark.text.is_empty()).count();
    if n_known < UNKNOWN_SHARE * n_unknown {
        return Some(format!("has {n_unknown} of {n_known} characters in a font that does not say what they are"));
    }
    None
}

/// The interpreter with its caches, which are thrown away when it panics.
struct Painter<'a> {
    pdf: &'a Pdf,
    /// Where some are switched off.
    layers: Option<Layers>,
    settings: InterpreterSettings,
    /// Fonts that could not be loaded: their text is missing.
    unknown_fonts: Arc<AtomicUsize>,
    /// A font was asked for that the document does not hold and that is none of the standard ones.
    borrowed_fonts: Arc<AtomicBool>,
    text: InterpreterCache<'a>,
    picture: RenderCache<'a>,
}

impl<'a> Painter<'a> {
    fn new(pdf: &'a Pdf) -> Painter<'a> {
        let unknown_fonts = Arc::new(AtomicUsize::new(0));
        let borrowed_fonts = Arc::new(AtomicBool::new(false));
        let settings = settings(&unknown_fonts, &borrowed_fonts);
        let layers = Layers::of(pdf);
        let (text, picture) = (InterpreterCache::new(), RenderCache::new());
        Painter { pdf, layers, settings, unknown_fonts, borrowed_fonts, text, picture }
    }

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
            let mut ink = ink::of_page(self.pdf, sheet, &self.text, &self.settings, self.layers.as_ref(), budget);
            if let Some(layers) = &self.layers {
                let counted = layers.hidden_texts(sheet, budget);
                ink.n_switched_off = counted.map_err(|optional::TooMuch| "holds more than this reader reads")?;
            }
            Ok(ink)
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

    fn picture(&mut self, sheet: &'a Sheet<'a>, ink: &Ink) -> Result<Painted, &'static str> {
        if IMAGE_PIXELS_MAX < ink.image_pixels {
            return Err("has images too large to paint");
        }
        if PIECES_MAX < ink.pieces {
            return Err("has a pattern or dashes too fine to paint");
        }
        let painted = catch_unwind(AssertUnwindSafe(|| picture::of_page(sheet, &self.picture, &self.settings)));
        match painted {
            Ok(picture) => picture.ok_or("has a shape that cannot be painted"),
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

fn settings(unknown_fonts: &Arc<AtomicUsize>, borrowed_fonts: &Arc<AtomicBool>) -> InterpreterSettings {
    let borrowed = Arc::clone(borrowed_fonts);
    let font_resolver = move |query: &FontQuery| match query {
        FontQuery::Standard(font) => Some(font.get_font_data()),
        FontQuery::Fallback(font) => {
            borrowed.store(true, Ordering::Relaxed);
            Some(font.pick_standard_font().get_font_data())
        }
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
fn attached_invoice(pdf: &Pdf, notes: &mut Vec<Note>) -> Result<Option<Extraction>, Unreadable> {
    let (mut invoices, others): (Vec<_>, Vec<_>) =
        attached::xml_files(pdf).into_iter().partition(|it| it.named || xml::has_invoice_root(&it.bytes));
    // The name that the standards give is believed before the content.
    invoices.sort_by_key(|it| !it.named);
    if !others.is_empty() {
        let names: Vec<&str> = others.iter().map(|it| it.name.as_str()).collect();
        let text = format!("{} XML files attached that are no invoice: {}", others.len(), names.join(", "));
        notes.push(note("attachments_not_read", text));
    }
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

/// From here on a value of the page is held against the data inside; amounts and accounts always are.
const SURE_MIN: f64 = 0.9;

/// What the page says otherwise than the data inside: a person pays what they see, a machine what it reads.
pub(crate) fn differences(inside: &Extraction, printed: &Extraction) -> Vec<Note> {
    const COMPARED: [(FieldName, f64); 8] = [
        (FieldName::GrossTotal, 0.0),
        (FieldName::Payable, 0.0),
        (FieldName::NetTotal, 0.0),
        (FieldName::Iban, 0.0),
        (FieldName::Number, SURE_MIN),
        (FieldName::Currency, SURE_MIN),
        (FieldName::SellerVatId, SURE_MIN),
        (FieldName::SellerTaxId, SURE_MIN),
    ];
    let same = |left: &str, right: &str| match (left.parse::<Decimal>(), right.parse::<Decimal>()) {
        (Ok(left), Ok(right)) => left == right,
        _ => compact(left) == compact(right),
    };
    let differs = |(name, sure_min): &(FieldName, f64)| {
        let (inside, printed) = (inside.text(*name)?, printed.field(*name).filter(|it| *sure_min <= it.confidence)?);
        let printed = &printed.value;
        let message = format!("the data inside says {inside} for `{}`, the page says {printed}", name.name());
        (!same(inside, printed)).then(|| note("hybrid_diff", message))
    };
    COMPARED.iter().filter_map(differs).collect()
}

/// Where the page's own total was not understood, the total of the data must at least stand somewhere on it.
fn unprinted(inside: &Extraction, printed: &Extraction, paper: &Paper) -> Option<Note> {
    let totals = [FieldName::GrossTotal, FieldName::Payable];
    let all_read = paper.coverage.read == paper.coverage.pages;
    if !all_read || totals.iter().any(|name| printed.field(*name).is_some()) {
        return None;
    }
    let amounts = labels::printed_amounts(&paper.pages);
    let (name, value) = totals.iter().find_map(|name| Some((*name, inside.text(*name)?.parse::<Decimal>().ok()?)))?;
    let message = format!("the data inside says {value} for `{}`, which stands nowhere on the pages", name.name());
    (!amounts.contains(&value.normalize())).then(|| note("hybrid_diff", message))
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

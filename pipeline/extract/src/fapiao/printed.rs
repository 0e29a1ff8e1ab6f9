//! The printed form of a Chinese invoice: values behind their labels, the parties by their side of the page, and the table
//! by its header. Characters may stand apart (`名　称`), colons and brackets may be full-width, and labels may run down the
//! side of a block.

mod rows;
mod table;

use std::collections::BTreeMap;

use case::{Decimal, Evidence, Extraction, Field, FieldName, Kind, LineField};

use super::{in_yuan, wording::remark};
use crate::field;
use crate::pdf::Page;
use crate::values::{date, decimal};
use rows::{Piece, Row};

/// What the pages say.
pub(crate) struct Printed {
    pub(crate) kind: Kind,
    pub(crate) fields: BTreeMap<FieldName, Field>,
    pub(crate) lines: Vec<BTreeMap<LineField, Field>>,
}

/// How sure a value behind its label is; where figures confirm each other; where they contradict each other.
const LABELLED: f64 = 0.97;
const CONFIRMED: f64 = 0.995;
const CONTRADICTED: f64 = 0.8;

/// None where the pages are no Chinese invoice: it has a labelled number, and a title or a total that says so.
pub(crate) fn read(pages: &[Page]) -> Option<Printed> {
    let rows = rows::of(pages);
    let mut it = Reader { rows: &rows, fields: BTreeMap::new() };
    it.keep(FieldName::Number, it.behind("发票号码", digits));
    it.keep(FieldName::InvoiceCode, it.behind("发票代码", digits));
    let title = it.title();
    let total = rows.iter().any(|row| row.find("价税合计").is_some());
    if !it.fields.contains_key(&FieldName::Number) || (title.is_none() && !total) {
        return None;
    }
    it.keep(FieldName::FapiaoKind, title);
    it.keep(
        FieldName::IssueDate,
        it.behind("开票日期", |text| date(text.trim_end_matches(|it: char| !it.is_ascii_digit() && it != '日'))),
    );
    it.parties();
    it.totals();
    it.remarks();
    if !it.fields.contains_key(&FieldName::FapiaoKind) {
        let number = it.fields.get(&FieldName::Number).cloned();
        it.keep(FieldName::FapiaoKind, number.map(|it| Field { value: "发票".to_owned(), ..it }));
    }
    let lines = table::read(&rows);
    let negative = it.text(FieldName::GrossTotal).is_some_and(|it| it.starts_with('-'));
    let red = negative || it.fields.contains_key(&FieldName::PrecedingInvoice);
    let kind = if red { Kind::CreditNote } else { Kind::Invoice };
    Some(Printed { kind, fields: it.fields, lines })
}

impl Printed {
    /// Puts what was read into an answer about the same pages.
    pub(crate) fn tell(self, answer: &mut Extraction) {
        answer.kind = self.kind;
        answer.language = Some("zh".to_owned());
        answer.fields.single = self.fields;
        answer.lines = self.lines;
        in_yuan(answer);
    }
}

struct Reader<'r> {
    rows: &'r [Row],
    fields: BTreeMap<FieldName, Field>,
}

/// Digits at the start of a text.
fn digits(text: &str) -> Option<String> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    (4 <= digits.len()).then_some(digits)
}

fn taxpayer(text: &str) -> Option<String> {
    let id: String = text.chars().take_while(char::is_ascii_alphanumeric).collect();
    (8 <= id.len()).then_some(id)
}

impl<'r> Reader<'r> {
    fn keep(&mut self, name: FieldName, field: Option<Field>) {
        if let Some(field) = field {
            self.fields.entry(name).or_insert(field);
        }
    }

    fn text(&self, name: FieldName) -> Option<&str> {
        self.fields.get(&name).map(|it| it.value.as_str())
    }

    /// The first value that stands behind `label`: on its row, or beside it where its row is lower or higher by a little.
    fn behind(&self, label: &str, value: fn(&str) -> Option<String>) -> Option<Field> {
        self.rows.iter().find_map(|row| {
            let at = row.find(label)?;
            self.value_of(row, &row.piece(at), value)
        })
    }

    fn value_of(&self, row: &Row, label: &Piece, value: fn(&str) -> Option<String>) -> Option<Field> {
        let found = row.rest(label.end).and_then(|piece| Some((value(&piece.text)?, piece)));
        let (value, piece) = found.or_else(|| {
            let piece = rows::beside(self.rows, row.page, label.area)?;
            Some((value(&piece.text)?, piece))
        })?;
        Some(piece.field(row.page, value, LABELLED))
    }

    /// `电子发票（普通发票）`: what stands in brackets is the kind.
    fn title(&self) -> Option<Field> {
        let is_kind = |text: &str| {
            ["普通发票", "专用发票", "电子发票", "机动车销售统一发票", "通行费"].iter().any(|it| text.contains(it))
                && text.chars().count() <= 40
                && !text.contains(':')
        };
        self.rows.iter().filter(|row| row.page == 1).find_map(|row| {
            let cell = row.cells().into_iter().find(|it| is_kind(&it.text))?;
            let kind = cell.text.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(kind, _)| kind);
            let kind = kind.filter(|it| it.contains("发票")).unwrap_or(&cell.text).to_owned();
            Some(cell.field(row.page, kind, LABELLED))
        })
    }

    fn parties(&mut self) {
        let mut named: Vec<(Side, [f64; 2])> = Vec::new();
        for (side, hit) in self.sides(self.hits("名称:")) {
            let name = if side == Side::Seller { FieldName::SellerName } else { FieldName::BuyerName };
            named.push((side, hit.at()));
            self.keep(name, self.name_of(hit.row, &hit.label));
        }
        let ids = Some(self.hits("纳税人识别号:")).filter(|hits| !hits.is_empty());
        let ids = ids.unwrap_or_else(|| self.hits("统一社会信用代码:"));
        // A taxpayer's number stands with the name.
        let nearest = |hit: &Hit<'_>| {
            named.iter().min_by(|a, b| far(hit.at(), a.1).total_cmp(&far(hit.at(), b.1))).map(|(side, _)| *side)
        };
        let ids: Vec<(Side, Hit<'_>)> = if named.is_empty() {
            self.sides(ids)
        } else {
            ids.into_iter().filter_map(|hit| Some((hit.side.or_else(|| nearest(&hit))?, hit))).collect()
        };
        for (side, hit) in ids {
            let name = if side == Side::Seller { FieldName::SellerTaxId } else { FieldName::BuyerTaxId };
            self.keep(name, self.value_of(hit.row, &hit.label, taxpayer));
        }
    }

    /// A name ends where its cell does, and may hold brackets, spaces and Latin letters.
    fn name_of(&self, row: &Row, label: &Piece) -> Option<Field> {
        let piece = row.rest_of_cell(label.end).or_else(|| rows::beside(self.rows, row.page, label.area))?;
        let text = piece.shown.trim();
        (text.chars().any(char::is_alphabetic)).then(|| piece.field(row.page, text.to_owned(), LABELLED))
    }

    fn hits(&self, label: &str) -> Vec<Hit<'r>> {
        let mut hits = Vec::new();
        for row in self.rows {
            for at in row.find_all(label) {
                let before = row.text_before(at.0);
                let before = before.trim_end_matches("统一社会信用代码/");
                if ["服务", "项目", "货物", "劳务", "商品"].iter().any(|it| before.ends_with(it)) {
                    continue;
                }
                let side = match () {
                    () if ["购买方", "购方", "购货方"].iter().any(|it| before.ends_with(it)) => {
                        Some(Side::Buyer)
                    }
                    () if ["销售方", "销方", "销货方"].iter().any(|it| before.ends_with(it)) => {
                        Some(Side::Seller)
                    }
                    () => None,
                };
                hits.push(Hit { row, label: row.piece(at), side });
            }
        }
        hits
    }

    /// Which label is whose. Where the label does not say it, the words down the side of the blocks do; without them, the
    /// buyer is on the left, or above.
    fn sides<'h>(&self, hits: Vec<Hit<'h>>) -> Vec<(Side, Hit<'h>)> {
        let marks = [self.marker('购'), self.marker('销')];
        let mut sided = Vec::new();
        let mut open = Vec::new();
        for hit in hits {
            match hit.side {
                Some(side) => sided.push((side, hit)),
                None => open.push(hit),
            }
        }
        let mut open = open.into_iter();
        let (Some(first), Some(second)) = (open.next(), open.next()) else { return sided };
        let [a, b] = [first.at(), second.at()];
        let first_buys = match marks {
            [Some(buyer), Some(seller)] => far(a, buyer) + far(b, seller) <= far(a, seller) + far(b, buyer),
            _ if (a[1] - b[1]).abs() < 10.0 => a[0] <= b[0],
            _ => a[1] <= b[1],
        };
        let (buyer, seller) = if first_buys { (first, second) } else { (second, first) };
        sided.extend([(Side::Buyer, buyer), (Side::Seller, seller)]);
        sided
    }

    /// The middle of a cell that is no more than the beginning of `购买方信息` or `销售方信息`.
    fn marker(&self, first: char) -> Option<[f64; 2]> {
        let cells = self.rows.iter().filter(|row| row.page == 1).flat_map(|row| row.cells());
        let mark = cells
            .into_iter()
            .find(|it| it.text.starts_with(first) && it.text.chars().all(|it| "购买销售货方信息单位".contains(it)))?;
        let [left, top, right, bottom] = mark.area;
        Some([(left + right) / 2.0, (top + bottom) / 2.0])
    }

    fn totals(&mut self) {
        for row in self.rows {
            if let Some((start, end)) = row.find("合计")
                && !row.text_before(start).ends_with("价税")
            {
                let mut pieces = row.figures(end);
                if pieces.is_empty() {
                    pieces = rows::figures_beside(self.rows, row.page, row.piece((start, end)).area);
                }
                for (name, piece) in [FieldName::NetTotal, FieldName::TaxTotal].into_iter().zip(pieces) {
                    let value = decimal(&piece.text.replace(',', ""));
                    self.keep(name, value.map(|it| piece.field(row.page, it, LABELLED)));
                }
            }
            if let Some(at) = row.find("大写)") {
                let label = row.piece(at);
                let piece = row.rest(at.1).or_else(|| rows::beside(self.rows, row.page, label.area));
                let words = piece.and_then(|piece| Some((in_words(&piece)?, piece)));
                self.keep(FieldName::GrossUpper, words.map(|(words, it)| it.field(row.page, words, LABELLED)));
            }
            if let Some(at) = row.find("小写)") {
                let label = row.piece(at);
                let mut pieces = row.figures(at.1);
                if pieces.is_empty() {
                    pieces = rows::figures_beside(self.rows, row.page, label.area);
                }
                let field = pieces
                    .first()
                    .and_then(|it| Some(it.field(row.page, decimal(&it.text.replace(',', ""))?, LABELLED)));
                self.keep(FieldName::GrossTotal, field);
            }
        }
        self.confirm();
    }

    fn confirm(&mut self) {
        const TOTALS: [FieldName; 3] = [FieldName::NetTotal, FieldName::TaxTotal, FieldName::GrossTotal];
        let [net, tax, gross] = TOTALS.map(|name| self.text(name).and_then(|it| it.parse::<Decimal>().ok()));
        let (Some(net), Some(gross)) = (net, gross) else { return };
        let sum = net.checked_add(tax.unwrap_or_default());
        for name in TOTALS {
            if let Some(field) = self.fields.get_mut(&name) {
                field.confidence = if sum == Some(gross) { CONFIRMED } else { CONTRADICTED };
            }
        }
    }

    fn remarks(&mut self) {
        for row in self.rows {
            let piece = row.whole();
            for (name, value) in remark(&piece.text) {
                self.keep(name, Some(piece.field(row.page, value, 0.9)));
            }
        }
    }
}

/// The amount in words, as printed: without the sign that some printers put before it, up to the one in figures.
fn in_words(piece: &Piece) -> Option<String> {
    let skipped = piece.text.chars().take_while(|it| "ⓧ⊗×*¥: ".contains(*it)).count();
    let rest: String = piece.text.chars().skip(skipped).collect();
    let end = rest.find("(小写").or(rest.find('¥')).or(rest.find(|it: char| it.is_ascii_digit())).unwrap_or(rest.len());
    let count = rest.get(..end)?.chars().count();
    let words: String = piece.shown.chars().skip(skipped).take(count).collect();
    words.contains(['圆', '元', '圓', '角', '分']).then(|| words.trim().to_owned())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Seller,
    Buyer,
}

struct Hit<'r> {
    row: &'r Row,
    label: Piece,
    side: Option<Side>,
}

impl Hit<'_> {
    /// Its left edge, half-way down.
    fn at(&self) -> [f64; 2] {
        [self.label.area[0], (self.label.area[1] + self.label.area[3]) / 2.0]
    }
}

fn far(from: [f64; 2], to: [f64; 2]) -> f64 {
    (from[0] - to[0]).abs() + (from[1] - to[1]).abs()
}

impl Piece {
    fn field(&self, page: u32, value: String, confidence: f64) -> Field {
        field(value, confidence, Evidence::Page { page, area: self.area, text: self.shown.clone() })
    }
}

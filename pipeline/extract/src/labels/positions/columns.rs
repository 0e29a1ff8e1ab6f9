//! The columns of a table of items, and what stands in them.

use std::collections::HashMap;

use super::super::printed::{self, Amount};
use super::super::words::tokens;
use crate::pdf::{Cell, Line, Page, Word, around};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    Position,
    Item,
    Name,
    Quantity,
    Unit,
    UnitPrice,
    Amount,
    VatRate,
    /// How many units the price is for.
    PriceBase,
    /// Has the heading of an amount, beside another column that has one.
    AmountToo,
    /// Something else stands there, for instance a discount: its figures are none of ours.
    Other,
}

/// Headings of the table of items, compared by [`tokens`].
const HEADINGS: &[(Column, &str)] = &[
    (
        Column::Position,
        "Pos | Position | Nr | Lfd Nr | Line | Line No | No ligne | Ligne | Línea | Riga | Regel | Linha | 序号",
    ),
    (
        Column::Item,
        "Art Nr | Artikelnummer | Artikel Nr | Item No | SKU | Product code | Part No | GTIN | EAN | Code | \
            Référence | Réf | Unsere Art Nr | Art-Nr-Lieferant | Item Code | Product No | Article No | Article code | Item number | \
            Referencia | Ref | Código | Codice | Codice articolo | Cod articolo | Artikelcode | Artigo código | 规格型号 | 编码",
    ),
    (
        Column::Name,
        "Beschreibung | Bezeichnung | Artikel | Artikelbezeichnung | Artikelbeschreibung | Leistung | \
            Produkt | Leistungsbeschreibung | Position/Beschreibung | Material | Text | Description | Item | \
            Product | Service | Details | Désignation | Libellé | Produit | Articles | Item description | Product description | \
            Description of goods | Services | Description of services | Particulars | Goods | Prestation | Article | Ware | Dienstleistung | Tätigkeit | \
            Descripción | Concepto | Artículo | Producto | Descrizione | Articolo | Prodotto | Descrizione articolo | Omschrijving | \
            Artikelomschrijving | Dienst | Descrição | Designação | Artigo | Produto | 项目名称 | 货物或应税劳务、服务名称 | 货物名称 | 商品名称 | 名称 | 品名 | 描述",
    ),
    (
        Column::Quantity,
        "Menge | Anzahl | Stück | Stunden | Std | Quantity | Qty | Quant | Hours | Hrs | Units | Pcs | Amount | Quantité | Qté | Nombre | Cantidad | Cant | Uds | Unidades | \
            Quantità | Qtà | Q.tà | Qta | Aantal | Quantidade | Qtd | Quant | Qtde | 数量",
    ),
    (
        Column::Unit,
        "Einheit | Einh | ME | Mengeneinheit | Unit | UOM | U/M | Unité | Unidad | UM | U.M. | Eenheid | Unidade | Un | 单位",
    ),
    (
        Column::UnitPrice,
        "Einzelpreis | E Preis | EP | Preis | Nettopreis | Stückpreis | Preis/Einheit | Preis/Einh | \
            Unit price | Price | Rate | Price per unit | Unit cost | Cost | Hourly rate | Price each | Price/unit | Net unit price | Unit price net | Price net | Prix unitaire | PU | P.U. | \
            Prix | PU HT | P.U. HT | Prix unitaire HT | Prix unit HT | Tarif | Stundensatz | Einzelpreis netto | Preis netto | Netto Preis | Einzel | \
            Precio | Precio unitario | Precio ud | P unitario | P unit | Prezzo | Prezzo unitario | Prezzo unit | Costo unitario | Prijs | Stukprijs | \
            Prijs per stuk | Eenheidsprijs | Tarief | Preço | Preço unitário | Pr unitário | Preço unit | Valor unitário | 单价",
    ),
    (
        Column::Amount,
        "Gesamt | Gesamtpreis | Gesamtbetrag | Betrag | Summe | Nettobetrag | Nettowert | GP | Entgelt | \
            Netto | Wert | Total | Amount | Line total | Net amount | Net price | Price w/o tax | Montant | \
            Montant HT | Total HT | Prix HT | Extended price | Total price | Line amount | Subtotal | Sub total | Amount excl VAT | Net total | Net | Value | \
            Net value | Total net | Amount net | Amount due | Total excl VAT | Zeilensumme | Positionspreis | Summe netto | Gesamt netto | Gesamtpreis netto | Nettopreis gesamt | \
            Montant net | Prix total | Total ligne | Montant total HT | Total net HT | Importe | Total neto | Importe neto | Importo | Totale | Prezzo totale | Imponibile | \
            Valore | Bedrag | Totaal | Totaalprijs | Totaal excl btw | Valor | Total líquido | Montante | 金额",
    ),
    (
        Column::VatRate,
        "MwSt | MwSt % | USt | USt % | Steuersatz | Steuer | VAT | VAT % | Tax | VAT rate | Tax rate | \
            Taux TVA | TVA | TVA % | Taux | Tax % | GST | GST % | IVA | IVA % | % IVA | Tipo IVA | Aliquota | Aliq | Btw | Btw % | % btw | Btw-tarief | Taxa IVA | 税率 | 税率/征收率",
    ),
    (
        Column::PriceBase,
        "PE | Preiseinheit | Preis pro | Preis per | per | Price unit | Price per | Price base | Base quantity | Unité de prix | Unidad de precio | \
            Unità di prezzo | Prijs per | Prijseenheid | Unidade de preço | 价格单位",
    ),
    (
        Column::Other,
        "Rabatt | Discount | Disc | Discount % | Rem | Remise | Remise % | VKE/Geb | Datum | Date | Rabatt % | Descuento | Dto | Dto % | \
            Sconto | Sc % | Korting | Desconto | Desc | VAT amount | Tax amount | MwSt Betrag | USt Betrag | Montant TVA | Importe IVA | Importo IVA | \
            Gross | Gross amount | Brutto | Bruttobetrag | Total TTC | Montant TTC | Total incl VAT | Total incl tax | Gesamt brutto | Gewicht | Weight | \
            税额 | Fecha | Data",
    ),
];

/// The columns of a table by their headings, from left to right.
pub(super) struct Table {
    pub(super) columns: Vec<(Column, [f64; 4])>,
    /// The first line below the headings.
    pub(super) body: usize,
}

impl Table {
    pub(super) fn has(&self, column: Column) -> bool {
        self.columns.iter().any(|(it, _)| *it == column)
    }

    pub(super) fn nearest(&self, cell: &Cell) -> Option<Column> {
        let [left, _, right, _] = cell.area();
        let distance = |[l, _, r, _]: [f64; 4]| {
            let flush = (left - l).abs().min((right - r).abs()).min(((left + right) - (l + r)).abs() / 2.0);
            let apart = (l - right).max(left - r).max(0.0);
            flush + 2.0 * apart
        };
        let nearest = self.columns.iter().min_by(|(_, a), (_, b)| distance(*a).total_cmp(&distance(*b)));
        nearest.map(|(column, _)| *column)
    }
}

/// Columns that make a line of headings; with fewer, a name and an amount, which the sum has to confirm.
pub(super) const COLUMNS_MIN: usize = 3;
pub(super) const COLUMNS_LEAST: usize = 2;

/// The line with the most headings, together with those directly above and below it.
pub(super) fn table(page: &Page, headings: &Headings, columns_min: usize) -> Option<Table> {
    let per_line: Vec<Vec<(Column, [f64; 4])>> = page.lines.iter().map(|line| headings_on(line, headings)).collect();
    let complete = |columns: &[(Column, [f64; 4])]| {
        let has = |column| columns.iter().any(|(it, _)| *it == column);
        let few = columns_min < COLUMNS_MIN && has(Column::Name);
        columns_min <= columns.len() && has(Column::Amount) && (has(Column::Quantity) || has(Column::UnitPrice) || few)
    };
    for (idx, columns) in per_line.iter().enumerate() {
        if columns.len() < 2 {
            continue;
        }
        let height = page.lines.get(idx).and_then(|line| line.words().next()).map_or(10.0, Word::height);
        let top = page.lines.get(idx).map_or(0.0, |line| line.area()[1]);
        let mut all = columns.clone();
        let mut body = idx + 1;
        for near in [idx.checked_sub(2), idx.checked_sub(1), Some(idx + 1), Some(idx + 2)].into_iter().flatten() {
            let (Some(others), Some(line)) = (per_line.get(near), page.lines.get(near)) else { continue };
            let no_figures =
                line.cells.iter().all(|cell| printed::amounts(&cell.words).iter().all(|amount| !amount.money));
            if (line.area()[1] - top).abs() < 1.9 * height && no_figures {
                for (column, area) in others {
                    let free = all.iter().all(|(_, [left, _, right, _])| area[2] <= *left || *right <= area[0]);
                    if free && all.iter().all(|(it, _)| it != column) {
                        all.push((*column, *area));
                    }
                }
                if idx < near && !others.is_empty() {
                    body = near + 1;
                }
            }
        }
        all.sort_by(|(_, a), (_, b)| a[0].total_cmp(&b[0]));
        // Without a price or another amount, "Amount" at the right is money.
        if columns_min < COLUMNS_MIN
            && all.iter().all(|(column, _)| !matches!(column, Column::Amount | Column::UnitPrice))
            && let Some((column @ Column::Quantity, _)) = all.last_mut()
        {
            *column = Column::Amount;
        }
        if complete(&all) && per_line.get(idx + 1).is_none_or(|next| next.len() <= columns.len()) {
            return Some(Table { columns: unambiguous(all), body });
        }
    }
    None
}

/// Where two headings could name the amount, the rightmost is it until the figures say otherwise.
fn unambiguous(mut columns: Vec<(Column, [f64; 4])>) -> Vec<(Column, [f64; 4])> {
    let rightmost = columns.iter().rposition(|(it, _)| *it == Column::Amount);
    for (idx, (column, _)) in columns.iter_mut().enumerate() {
        if *column == Column::Amount && Some(idx) != rightmost {
            *column = Column::AmountToo;
        }
    }
    columns
}

/// Headings by their words.
pub(super) type Headings = HashMap<Vec<String>, Column>;

pub(super) fn headings() -> Headings {
    let wordings =
        HEADINGS.iter().flat_map(|(column, wordings)| wordings.split(" | ").map(move |wording| (wording, *column)));
    // The first column that claims a wording has it.
    let mut out = Headings::new();
    for (wording, column) in wordings {
        out.entry(tokens(wording)).or_insert(column);
    }
    out
}

fn headings_on(line: &Line, headings: &Headings) -> Vec<(Column, [f64; 4])> {
    let whole = headings_of(line, headings, false);
    // Two headings that stand close look like one: "VAT" and "Amount" where no other column has the amounts.
    let none = |columns: &[(Column, [f64; 4])]| columns.iter().all(|(it, _)| *it != Column::Amount);
    if none(&whole) {
        let split = headings_of(line, headings, true);
        if !none(&split) {
            return split;
        }
    }
    whole
}

/// With `split`, of the headings that nothing is taken from only those of one word are known.
fn headings_of(line: &Line, headings: &Headings, split: bool) -> Vec<(Column, [f64; 4])> {
    let mut out: Vec<(Column, [f64; 4])> = Vec::new();
    for cell in &line.cells {
        let spoken: Vec<Vec<String>> = cell.words.iter().map(|word| tokens(&word.text)).collect();
        let mut at = 0;
        while at < spoken.len() {
            let found = (1..=3).rev().find_map(|length| {
                let words = cell.words.get(at..at + length)?;
                let column = headings.get(&spoken.get(at..at + length)?.concat())?;
                let known = !split || length == 1 || *column != Column::Other;
                known.then(|| (*column, around(words), length))
            });
            let Some((column, area, length)) = found else {
                at += 1;
                continue;
            };
            at += length;
            // "Amount" says quantity to some and money to others: behind a quantity or a price it is money.
            let behind = out.iter().any(|(it, _)| matches!(it, Column::UnitPrice | Column::Quantity));
            let money = column == Column::Quantity && behind && cell.text().to_lowercase().contains("amount");
            out.push((if money { Column::Amount } else { column }, area));
        }
    }
    out
}

pub(super) struct Value {
    pub(super) amount: Option<Amount>,
    pub(super) words: Vec<Word>,
}

pub(super) fn is_figure(column: Column) -> bool {
    matches!(column, Column::Quantity | Column::UnitPrice | Column::Amount)
}

/// Each cell under the heading it stands nearest to: flush left, flush right or centred.
pub(super) fn place(line: &Line, table: &Table) -> Vec<(Column, Value)> {
    let mut out = Vec::new();
    let mut cells = line.cells.iter().peekable();
    while let Some(cell) = cells.next() {
        let Some(column) = table.nearest(cell) else { continue };
        // A stroke under a heading of its own says that there is nothing.
        let signed = cells.peek().filter(|next| table.nearest(next) == Some(column));
        let signed = signed.and_then(|next| printed::signed(cell, next));
        if signed.is_some() {
            cells.next();
        }
        let cell = signed.as_ref().unwrap_or(cell);
        let amounts = printed::amounts(&cell.words);
        let mut column = column;
        // Text that runs from the description under the next heading is still the description.
        if amounts.is_empty() && is_figure(column) {
            column = if table.columns.iter().any(|(it, _)| *it == Column::Name) { Column::Name } else { Column::Other };
        }
        // A quantity and its unit can stand so close that they are one cell, under either heading.
        if matches!(column, Column::Quantity | Column::Unit)
            && let Some((quantity, unit)) = quantity_and_unit(cell, &amounts)
        {
            out.push((Column::Quantity, quantity));
            out.extend(unit.map(|unit| (Column::Unit, unit)));
            continue;
        }
        let amount = amounts.into_iter().rfind(|amount| !amount.percent || column == Column::VatRate);
        out.push((
            column,
            Value {
                words: amount
                    .as_ref()
                    .filter(|_| is_figure(column))
                    .map_or_else(|| cell.words.clone(), |it| it.words.clone()),
                amount,
            },
        ));
    }
    out
}

/// `20 Stk`: a quantity with its unit behind it.
fn quantity_and_unit(cell: &Cell, amounts: &[Amount]) -> Option<(Value, Option<Value>)> {
    let quantity = amounts.first().filter(|amount| amount.first == 0)?;
    let rest = cell.words.get(quantity.end..).unwrap_or_default();
    let unit = (!rest.is_empty()
        && rest.len() <= 2
        && rest.iter().all(|word| word.text.starts_with(|it: char| it.is_alphabetic())))
    .then(|| Value { amount: None, words: rest.to_vec() });
    Some((Value { words: quantity.words.clone(), amount: Some(quantity.clone()) }, unit))
}

//! Which document it is: its title tells; without one, labels that only invoices have.

use case::Kind;

use super::words::{self, Meaning};
use super::{Sheet, wordings};
use crate::pdf::{Cell, Word};

const CREDIT: &str = "gutschrift stornorechnung rechnungskorrektur korrekturrechnung creditnote avoir abono rectificativa creditnota \
    creditfactuur";
const INVOICE: &str = "rechnung warenrechnung handelsrechnung abschlagsrechnung schlussrechnung teilrechnung faktura invoice facture \
    honorarrechnung beitragsrechnung proforma factura fattura factuur fatura bill receipt";
/// Words that stand beside those in a title.
const BESIDE: &str = "tax credit note memo sales commercial vat original copy kopie duplicate duplicata final de nota recibo credito crédito \
    simplificada elektronische";
/// Titles of documents that ask for no payment of their own, or for one that was asked for before.
const OTHER: &[(Kind, &str)] = &[
    (
        Kind::Order,
        "bestellung | purchase order | bon de commande | orden de compra | ordine d'acquisto | ordine di acquisto | inkooporder | \
            ordem de compra | 采购订单",
    ),
    (
        Kind::ReceiptNote,
        "lieferschein | delivery note | packing slip | packing list | bon de livraison | albarán | documento di trasporto | pakbon | \
            guia de remessa | 送货单",
    ),
    (Kind::BankStatement, "kontoauszug"),
    (Kind::ExpenseClaim, "reisekostenabrechnung"),
    (
        Kind::Unknown,
        "mahnung | zahlungserinnerung | letzte mahnung | angebot | kostenvoranschlag | auftragsbestätigung | offene posten | \
            proforma | proforma rechnung | pro forma rechnung | reminder | payment reminder | final reminder | overdue notice | \
            statement | statement of account | account statement | customer statement | quotation | quote | sales quote | estimate | \
            order confirmation | order acknowledgement | order acknowledgment | sales order | remittance advice | proforma invoice | \
            pro forma invoice | pro forma | rappel | relance | mise en demeure | relevé de compte | devis | confirmation de commande | \
            facture proforma | facture pro forma | recordatorio de pago | estado de cuenta | presupuesto | cotización | \
            confirmación de pedido | factura proforma | factura pro forma | sollecito | sollecito di pagamento | estratto conto | \
            preventivo | conferma d'ordine | fattura proforma | fattura pro forma | herinnering | betalingsherinnering | aanmaning | \
            rekeningoverzicht | offerte | orderbevestiging | opdrachtbevestiging | proforma factuur | pro forma factuur | \
            lembrete de pagamento | extrato de conta | orçamento | cotação | confirmação de encomenda | fatura proforma | \
            fatura pro forma | 报价单 | 对账单 | 形式发票 | 催款函",
    ),
];

/// Is it a word for an invoice?
pub(super) fn is_invoice_word(token: &str) -> bool {
    INVOICE.split_whitespace().any(|it| it == token)
}

fn is_credit_word(token: &str) -> bool {
    CREDIT.split_whitespace().any(|it| it == token)
}

fn is_one_of(token: &str, is: fn(&str) -> bool) -> bool {
    is(token) || token.strip_suffix('s').is_some_and(is)
}

/// A title near the top of the first page tells; without one, labels that only invoices have.
pub(super) fn read(sheet: &Sheet<'_>) -> Kind {
    let Some(page) = sheet.pages.first() else { return Kind::Unknown };
    let cells = || page.lines.iter().flat_map(|line| &line.cells);
    let mut heights: Vec<f64> = cells().flat_map(|cell| &cell.words).map(Word::height).collect();
    heights.sort_by(f64::total_cmp);
    let largest = heights.last().copied().unwrap_or_default();
    let usual = heights.get(heights.len() / 2).copied().unwrap_or_default();
    let mut billed: Option<(f64, Kind)> = None;
    let mut other: Option<(f64, Kind)> = None;
    let mut titled = false;
    for (line_idx, line) in page.lines.iter().enumerate() {
        for (cell_idx, cell) in line.cells.iter().enumerate() {
            let height = cell.words.iter().map(Word::height).fold(0.0, f64::max);
            // Invoices speak of orders and delivery notes beside their own number: a title is larger, or alone on its line.
            let stands_out = LARGER * usual <= height || line.cells.len() == 1;
            let another = other_title(cell).filter(|_| stands_out);
            let (kind, fills) =
                match another.map(|kind| (kind, true)).or_else(|| billed_by(sheet, line_idx, cell_idx, cell)) {
                    Some(found) => found,
                    None => continue,
                };
            // Titles are large, short, and high up, and nothing else stands in their cell.
            let n_tokens = if fills { 1.0 } else { words::tokens(&cell.text()).len() as f64 };
            let place = height / largest.max(1.0) + (1.0 - cell.area()[1] / page.height) - 0.05 * n_tokens;
            let score = if fills { place + FILLS } else { place };
            titled |= fills && another.is_none();
            let best = if another.is_some() { &mut other } else { &mut billed };
            if best.is_none_or(|(other, _)| other < score) {
                *best = Some((score, kind));
            }
        }
    }
    match (billed, other) {
        // A title of an invoice gives way only to one that stands out; labels of invoices to any that stands higher.
        (Some((billed_score, _)), Some((score, kind))) if billed_score + if titled { 0.3 } else { 0.0 } < score => kind,
        (Some((_, kind)), _) => kind,
        (None, Some((_, kind))) => kind,
        (None, None) if sheet.is_billed() => Kind::Invoice,
        (None, None) => Kind::Unknown,
    }
}

/// A title is at least this much larger than the usual word, or alone on its line.
const LARGER: f64 = 1.15;
const FILLS: f64 = 0.3;

/// The words of a cell without numbers, dates, and what joins them: `2. Mahnung`, `Angebot Nr. A-77 vom 3.4.2026`.
fn said(cell: &Cell) -> Vec<String> {
    // `Lieferschein-Datum 30.09.2026` is a label with its value.
    const DATE: [&str; 4] = ["datum", "date", "fecha", "data"];
    let with_digit = |word: &&Word| word.text.contains(|it: char| it.is_ascii_digit());
    let numbered = cell.words.iter().any(|word| with_digit(&word));
    // "No" before a number belongs to it; in "Rechnungsnummer" it makes the title a label.
    let tokens = cell.words.iter().filter(|word| !with_digit(word)).map(|word| words::tokens(&word.text));
    let mut said: Vec<String> = tokens.filter(|it| !numbered || *it != ["nr"]).flatten().collect();
    while numbered && said.last().is_some_and(|token| wordings::is_of(token) && !DATE.contains(&token.as_str())) {
        said.pop();
    }
    said
}

fn other_title(cell: &Cell) -> Option<Kind> {
    const WORDS_MAX: usize = 10;
    let text = cell.text();
    if WORDS_MAX < cell.words.len() || text.contains([':', '：']) {
        return None;
    }
    let said = said(cell);
    let is = |title: &str| {
        let title = words::tokens(title);
        // `Mahnung zu Rechnung 4711`
        said.strip_prefix(title.as_slice())
            .is_some_and(|rest| rest.first().is_none_or(|token| wordings::is_elsewhere(token) || token == "for"))
    };
    OTHER.iter().find(|(_, titles)| titles.split(" | ").any(is)).map(|(kind, _)| *kind)
}

/// Does a cell speak of an invoice or a credit note, and of nothing else?
fn billed_by(sheet: &Sheet<'_>, line: usize, idx: usize, cell: &Cell) -> Option<(Kind, bool)> {
    let text = cell.text().to_lowercase();
    let spaced: String = text.split_whitespace().filter(|it| it.chars().count() == 1).collect();
    let tokens = words::tokens(&text);
    let starts = |is: fn(&str) -> bool| is(&spaced) || tokens.iter().take(2).any(|token| is_one_of(token, is));
    let addressed = tokens
        .iter()
        .take(3)
        .any(|it| ["to", "an", "adresse", "address", "card", "transfer", "note"].contains(&it.as_str()));
    // `Credit terms: 30 days`: what stands before a colon is the label of something else, unless it is one of an invoice.
    let labels = sheet
        .hits_on(0, line)
        .iter()
        .any(|hit| hit.cell == idx && hit.first == 0 && hit.alone && matches!(hit.meaning, Meaning::Field(_)));
    if text.contains([':', '：']) && !labels && 1 < tokens.len() && !text.contains("发票") {
        return None;
    }
    let said = said(cell);
    let fills = is_one_of(&spaced, is_invoice_word)
        || is_one_of(&spaced, is_credit_word)
        || said
            .iter()
            .any(|token| is_one_of(token, is_invoice_word) || is_one_of(token, is_credit_word) || token == "credit")
            && said.iter().all(|token| {
                is_one_of(token, is_invoice_word)
                    || is_one_of(token, is_credit_word)
                    || BESIDE.split_whitespace().any(|it| it == token)
            });
    let credit = tokens.iter().position(|it| it == "credit").is_some_and(|at| {
        at < 2
            && tokens
                .get(at + 1)
                .map_or(at == 0, |next| ["note", "memo", "invoice", "advice", "notes", "nr"].contains(&next.as_str()))
    });
    let nota = tokens.first().is_some_and(|it| it == "nota") && (text.contains("credito") || text.contains("crédito"));
    match () {
        () if nota || credit => Some((Kind::CreditNote, fills)),
        () if text.contains("发票") || text.contains("發票") => Some((Kind::Invoice, false)),
        () if starts(is_credit_word) && !addressed => Some((Kind::CreditNote, fills)),
        () if starts(is_invoice_word) && !addressed => Some((Kind::Invoice, fills)),
        () => None,
    }
}

use std::collections::HashMap;

use case::FieldName;

use crate::pdf::{Cell, Page, Word, around};

/// What a label on a page announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Field(FieldName),
    /// A party's block begins: the seller, the buyer, or someone who is neither (where the goods go).
    Seller,
    Buyer,
    SomeoneElse,
    /// The name of the party whose block it stands in.
    Name,
    /// Something that is none of our fields; its value must not be taken for one.
    Other,
}

use Meaning::{Buyer, Field, Name, Other, Seller, SomeoneElse};

/// A label that could also be an ordinary word or stand for something else.
const WEAK: f64 = 0.6;
const STRONG: f64 = 1.0;

/// The labels of invoices: what it announces, how sure that is, and its wordings (German | English | French), which
/// are compared by [`tokens`]: without case, punctuation, and the difference between "Nr.", "No" and "number".
/// (380) and its like are document types of UNTDID 1001, which stand between the name and the number.
const LABELS: &[(Meaning, f64, &str)] = &[
    (
        Field(FieldName::Number),
        STRONG,
        "Rechnungsnummer | Rechnung Nr | Rechnungs Nr | Belegnummer | Handelsrechnung Nr | Schlussrechnung Nr | Abschlagsrechnung Nr | \
            Teilrechnung Nr | Sammelrechnung Nr | Stornorechnung Nr | (380) Nr | (381) Nr | (384) Nr | (389) Nr | (326) Nr | (386) Nr | (575) Nr | (751) Nr | \
            (875) Nr | (876) Nr | (877) Nr | Gutschrift Nr | Gutschriftsnummer | Gutschriftnummer | Faktura Nr | Beleg Nr | \
            Invoice number | Invoice No | Invoice ID | Inv No | Tax invoice No | Credit note number | \
            Credit note No | Credit memo No | Bill No | Document number | Invoice reference | Facture No | \
            Numéro de facture | No de facture | Avoir No | Numéro d'avoir | No facture",
    ),
    (
        Field(FieldName::Number),
        WEAK,
        "Rechnung | Gutschrift | Stornorechnung | Invoice | Tax invoice | Credit note | Credit memo | \
            Facture | Avoir",
    ),
    (
        Field(FieldName::IssueDate),
        STRONG,
        "Rechnungsdatum | Belegdatum | Ausstellungsdatum | Datum der Rechnung | Gutschriftsdatum | \
            Invoice date | Date of issue | Issue date | Date issued | Invoice dated | Issued on | Issued at | \
            Credit note date | Tax point date | Date de facture | Date de facturation | Date facture | \
            Date d'émission | Date de l'avoir",
    ),
    (Field(FieldName::IssueDate), WEAK, "Datum | Date"),
    (
        Field(FieldName::DueDate),
        STRONG,
        "Fällig am | Fällig bis | Fälligkeit | Fälligkeitsdatum | Zahlbar bis | Zahlbar bis zum | \
            Zu zahlen bis | Netto bis | Überweisen Sie bis zum | Zahlungsziel | Zahlbar am | Bis spätestens | \
            Due date | Payment due | Payment due by | Pay by | Due by | Due on | Date due | Payable by | \
            Remit until | Payment due date | Date d'échéance | Échéance | À régler le | À payer avant le | \
            Date limite de paiement",
    ),
    (
        Field(FieldName::DeliveryDate),
        STRONG,
        "Lieferdatum | Leistungsdatum | Liefer- und Leistungsdatum | Datum der Lieferung | Liefertermin | \
            Delivery date | Date of delivery | Date of supply | Supply date | Date de livraison",
    ),
    (Field(FieldName::Currency), STRONG, "Währung | Beträge in | Currency | Devise | Devise de la facture"),
    (
        Field(FieldName::OrderRef),
        STRONG,
        "Bestellnummer | Bestell Nr | Bestellung Nr | Ihre Bestellung | Ihre Bestellnummer | \
            Kundenbestellnummer | Purchase order | Purchase order number | PO number | PO No | P.O. number | \
            P.O. No | PO | Your order | Your order No | Order number | Order No | Customer order | \
            Customer PO | Order reference | Référence commande | Commande No | Numéro de commande | \
            Bon de commande | Votre commande",
    ),
    (
        Field(FieldName::OrderRef),
        WEAK,
        "Bestellung | Your reference | Your ref | Ihre Referenz | Votre référence | Order | Bestellreferenz",
    ),
    (
        Field(FieldName::ContractRef),
        STRONG,
        "Vertragsnummer | Vertrag Nr | Rahmenvertrag Nr | Contract number | Contract No | \
            Contract reference | Agreement number | Agreement ref | Contrat No | Numéro de contrat | Réf marché",
    ),
    (
        Field(FieldName::LineTotal),
        STRONG,
        "Positionssumme | Summe Positionen | Positionen netto | Zwischensumme | Warenwert | Subtotal | \
            Sub total | Sous total",
    ),
    (
        Field(FieldName::NetTotal),
        STRONG,
        "Nettobetrag | Nettosumme | Netto gesamt | Gesamt netto | Gesamtbetrag netto | Summe netto | \
            Netto Summe | Rechnungssumme ohne USt | Rechnungssumme netto | Rechnungsbetrag netto | Nettowert | \
            Netto Gesamtbetrag | Total net | Net total | Net amount | Total net amount | Total excl VAT | \
            Total excluding VAT | Total ex VAT | Total before tax | Total excl tax | Amount excl VAT | \
            Subtotal excl VAT | Total without VAT | Net value | Total exclusive of VAT | Total HT | \
            Total H.T. | Montant HT | Base montant HT | Montant total HT | Total hors taxes",
    ),
    (Field(FieldName::NetTotal), WEAK, "Netto | Net | Steuerbasisbetrag | Basisbetrag | Taxable amount | Base HT"),
    (
        Field(FieldName::TaxTotal),
        STRONG,
        "Steuerbetrag | Umsatzsteuer | Mehrwertsteuer | MwSt Betrag | USt Betrag | Umsatzsteuerbetrag | \
            USt Gesamt | Gesamt USt | Summe MwSt | Summe USt | zzgl MwSt | zzgl USt | zuzüglich Umsatzsteuer | \
            Steuer gesamt | Summe Umsatzsteuer | VAT total | Total VAT | VAT amount | Total VAT amount | \
            Tax total | Total tax | Tax amount | Sales tax | GST amount | Total TVA | Montant TVA | \
            Montant de TVA | Total taxes | Total de la TVA",
    ),
    (Field(FieldName::TaxTotal), WEAK, "MwSt | USt | VAT | Tax | TVA | GST"),
    (
        Field(FieldName::GrossTotal),
        STRONG,
        "Bruttobetrag | Bruttosumme | Rechnungsbetrag | Gesamtbetrag | Gesamtsumme | Endbetrag | Endsumme | \
            Rechnungssumme brutto | Rechnungssumme mit USt | Rechnungsbetrag brutto | Gesamt brutto | \
            Gesamtbetrag brutto | Brutto gesamt | Summe brutto | Rechnungsendbetrag | Rechnungsgesamtbetrag | \
            Invoice total | Total incl VAT | Total including VAT | Total inc VAT | Grand total | Gross amount | \
            Gross total | Total gross | Total amount | Total invoice amount | Invoice amount | \
            Total inclusive of VAT | Total TTC | Total T.T.C. | Montant TTC | Montant total TTC",
    ),
    (Field(FieldName::GrossTotal), WEAK, "Total | Gesamt | Summe | Brutto"),
    (
        Field(FieldName::Payable),
        STRONG,
        "Zahlbetrag | Zu zahlen | Zu zahlender Betrag | Offener Betrag | Noch zu zahlen | Fälliger Betrag | \
            Zahlungsbetrag | Amount due | Balance due | Total due | Amount payable | Total payable | \
            Due payable | Amount to pay | Payable | Residual | Montant à payer | Net à payer | Reste à payer",
    ),
    (
        Field(FieldName::Prepaid),
        STRONG,
        "Erhaltene Anzahlungen | Anzahlung | Bereits gezahlt | Amount paid | Prepaid | Paid to date | \
            Deposit paid | Acompte",
    ),
    (Field(FieldName::AllowanceTotal), STRONG, "Gesamtbetrag der Abschläge | Total allowances | Total discount"),
    (Field(FieldName::ChargeTotal), STRONG, "Gesamtbetrag der Zuschläge | Total charges"),
    (
        Seller,
        STRONG,
        "Verkäufer | Rechnungssteller | Rechnungsersteller | Lieferant | Leistungserbringer | Seller | \
            Supplier | Vendor | From | Issued by | Vendeur | Fournisseur | Émetteur",
    ),
    (
        Buyer,
        STRONG,
        "Käufer | Käufer/Leistungsempfänger | Rechnungsempfänger | Leistungsempfänger | Kunde | \
            Rechnung an | Rechnungsadresse | Rechnungsanschrift | Buyer | Bill to | Billed to | Invoice to | \
            Customer | Sold to | To | Client | Billing address | Invoice address | Facturé à | \
            Adresse de facturation | Acheteur | Destinataire | Firma",
    ),
    (
        SomeoneElse,
        STRONG,
        "Warenempfänger | Abweichender Warenempfänger | Lieferadresse | Lieferanschrift | Lieferung an | \
            Zahlungsempfänger | Abweichender Zahlungsempfänger | Ship to | Deliver to | Delivery address | \
            Shipping address | Payee | Adresse de livraison | Lieu livraison | Steuervertreter | \
            Sales contact | Contact commercial | Ansprechpartner | Bearbeiter",
    ),
    (Name, STRONG, "Name | Company | Company name | Firmenname | Nom"),
    (
        Other,
        STRONG,
        "Kundennummer | Kunden Nr | Customer number | Customer No | Customer ID | Lieferscheinnummer | \
            Lieferschein Nr | Lieferschein-Datum | Delivery note No | Steuernummer | Steuer Nr | Tax number | \
            Tax No | USt-IdNr | USt-Id-Nr | USt-ID | UStID | VAT ID | VAT No | VAT number | \
            VAT registration No | TVA intracommunautaire | Numéro TVA | No TVA | No TVA client | Nummer | \
            Globale Nummer | GLN | Anschrift | Adresse | Address | Telefon | Tel | Phone | Fax | E-Mail | \
            Email | Bestelldatum | Bestell-Datum | Order date | Auftragsnummer | Auftrag-Nr | Auftrag-Datum | \
            Auftragsdatum | Seite | Page | Lief-Nr | Referenz | Reference | Steuersatz | MwSt % | USt % | \
            Tax rate | VAT rate | Rechnungsart | Rechnung gemäß | Rechnung für | Rechnung über | Invoice for | \
            Invoice to pay | Bruttopreis | Rabatt | Skonto | Discount | Leistungszeitraum | \
            Abrechnungszeitraum | Billing period | Konto Nr | Kontonummer | Account number | BLZ | Print date | \
            Druckdatum | Gesamtgewicht | Total weight | Facture liée | Original invoice | \
            Ursprüngliche Rechnung | Terms of payment | Payment terms | Zahlungsbedingungen",
    ),
];

/// A text as labels are compared: lower case, without punctuation, compounds of "Nummer", "Datum", "Betrag", "Summe" in two.
pub(super) fn tokens(text: &str) -> Vec<String> {
    const ENDINGS: [(&str, &str); 7] = [
        ("nummer", "nr"),
        ("nr", "nr"),
        ("datum", "datum"),
        ("betrag", "betrag"),
        ("summe", "summe"),
        ("preis", "preis"),
        ("satz", "satz"),
    ];
    let lower = text
        .to_lowercase()
        .replace("n°", " nr ")
        .replace("nº", " nr ")
        .replace(['№', '#'], " nr ")
        .replace('%', " prozent ");
    let mut out = Vec::new();
    for part in lower.split(|it: char| !it.is_alphanumeric()).filter(|it| !it.is_empty()) {
        match part {
            "no" | "nr" | "num" | "number" | "numéro" | "numero" | "nummer" => out.push("nr".to_owned()),
            part => match ENDINGS.iter().find_map(|(ending, token)| Some((part.strip_suffix(ending)?, *token))) {
                Some((stem, token)) if 3 <= stem.len() => out.extend([stem.to_owned(), token.to_owned()]),
                _ => out.push(part.to_owned()),
            },
        }
    }
    out
}

/// A label where it stands: words `first..end` of a cell.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    pub(super) meaning: Meaning,
    pub(super) strength: f64,
    pub(super) page: usize,
    pub(super) line: usize,
    pub(super) cell: usize,
    pub(super) first: usize,
    pub(super) end: usize,
    pub(super) area: [f64; 4],
    /// Nothing else stands in its cell, or a colon ends it.
    pub(super) alone: bool,
}

/// All labels of the document, in reading order; where two overlap, the longer one.
pub(super) fn hits(pages: &[Page]) -> Vec<Hit> {
    let index = index();
    let mut out = Vec::new();
    for (page_idx, page) in pages.iter().enumerate() {
        for (line_idx, line) in page.lines.iter().enumerate() {
            for (cell_idx, cell) in line.cells.iter().enumerate() {
                for found in in_cell(cell, &index) {
                    let words = cell.words.get(found.first..found.end).unwrap_or_default();
                    let colon = words.last().is_some_and(|word| word.text.ends_with(':'))
                        || cell.words.get(found.end).is_some_and(|word| word.text.starts_with(':'));
                    let alone = colon || (found.first == 0 && found.end == cell.words.len());
                    // "Supplier Ltd" is a name, "Supplier" and "Supplier:" are labels.
                    let party = matches!(
                        found.meaning,
                        Meaning::Seller | Meaning::Buyer | Meaning::SomeoneElse | Meaning::Name
                    );
                    if party && !alone {
                        continue;
                    }
                    out.push(Hit {
                        meaning: found.meaning,
                        strength: found.strength,
                        page: page_idx,
                        line: line_idx,
                        cell: cell_idx,
                        first: found.first,
                        end: found.end,
                        area: around(words),
                        alone,
                    });
                }
            }
        }
    }
    out
}

type Index = HashMap<String, Vec<(Vec<String>, Meaning, f64)>>;

fn index() -> Index {
    let mut index = Index::new();
    for (meaning, strength, wordings) in LABELS {
        for wording in wordings.split(" | ") {
            let tokens = tokens(wording);
            if let Some(first) = tokens.first() {
                index.entry(first.clone()).or_default().push((tokens, *meaning, *strength));
            }
        }
    }
    index
}

struct InCell {
    meaning: Meaning,
    strength: f64,
    first: usize,
    end: usize,
}

fn in_cell(cell: &Cell, index: &Index) -> Vec<InCell> {
    // Which word each token came from: a label ends where a word ends.
    let stream: Vec<(usize, String)> = cell
        .words
        .iter()
        .enumerate()
        .flat_map(|(idx, word)| tokens(&word.text).into_iter().map(move |token| (idx, token)))
        .collect();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some((word, token)) = stream.get(at) {
        let starts_word = at == 0 || stream.get(at - 1).is_none_or(|(before, _)| before != word);
        let best = index
            .get(token)
            .filter(|_| starts_word)
            .into_iter()
            .flatten()
            .filter(|(label, ..)| {
                let mut tokens = stream.iter().skip(at);
                let same = label.iter().all(|part| tokens.next().is_some_and(|(_, token)| token == part));
                // "PO" is a label, "PO-4711" a value: a label ends where a word ends.
                let last = stream.get(at + label.len() - 1).map(|(word, _)| word);
                same && tokens.next().map(|(word, _)| word) != last
            })
            .max_by_key(|(label, ..)| label.len());
        let Some((label, meaning, strength)) = best else {
            at += 1;
            continue;
        };
        let last_word = stream.get(at + label.len() - 1).map_or(*word, |(word, _)| *word);
        at += label.len();
        out.push(InCell { meaning: *meaning, strength: *strength, first: *word, end: last_word + 1 });
    }
    out
}

/// The language most of whose frequent words stand in the text; `None` when none is clearly ahead.
pub(super) fn language<'w>(words: impl Iterator<Item = &'w Word>) -> Option<&'static str> {
    const WORDS: [(&str, &str); 3] = [
        (
            "de",
            "rechnung | und | der | die | das | für | mit | von | vom | zum | menge | betrag | netto | \
                mwst | ust | datum | bezeichnung | beschreibung | gesamtbetrag | nummer | rechnungsnummer | \
                rechnungsdatum | zahlbar | tagen | steuer | preis | ihre | unsere",
        ),
        (
            "en",
            "invoice | and | the | of | for | with | to | date | amount | quantity | description | total | \
                due | payment | number | price | customer | order | subtotal | vat | unit | your | our | bill | \
                tax | within | days",
        ),
        (
            "fr",
            "facture | et | le | la | les | de | du | des | pour | avec | date | montant | quantité | \
                désignation | total | tva | prix | client | commande | échéance | règlement | paiement | \
                unitaire | taux | numéro | à",
        ),
    ];
    let mut counts = [0_usize; WORDS.len()];
    for word in words {
        let bare = word.text.trim_matches(|it: char| !it.is_alphanumeric()).to_lowercase();
        for (count, (_, frequent)) in counts.iter_mut().zip(WORDS) {
            *count += usize::from(frequent.split(" | ").any(|it| it == bare));
        }
    }
    let (best, (language, _)) = counts.iter().copied().zip(WORDS).max_by_key(|(count, _)| *count)?;
    let second =
        counts.iter().copied().zip(WORDS).filter(|(_, (other, _))| *other != language).map(|(count, _)| count).max()?;
    (3 <= best && 3 * second <= 2 * best).then_some(language)
}

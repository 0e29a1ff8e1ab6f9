//! The words that stand before values and above columns, in English, German and French.

use std::collections::HashMap;
use std::sync::LazyLock;

use case::{FieldName, LineField};

use super::LABEL_CHARS_MAX;

#[derive(Clone, Copy, PartialEq)]
pub(super) struct Label {
    pub(super) name: FieldName,
    /// A rate in the label of the VAT: `VAT 19 %`.
    pub(super) has_rate: bool,
}

/// What a cell names, if it is the label of a value of the whole document.
pub(super) fn header_label(text: &str) -> Option<Label> {
    let name = found(&HEADER_BY_WORDS, text)?;
    let has_digits = text.contains(|it: char| it.is_ascii_digit());
    // `PO-4711` is an order, not the word before one; only the VAT has a figure in its label.
    (!has_digits || name == FieldName::TaxTotal).then_some(Label { name, has_rate: has_digits })
}

/// What a cell names, if it is the head of a column of lines.
pub(super) fn line_label(text: &str) -> Option<LineField> {
    found(&LINE_BY_WORDS, text)
}

type Wording<K> = LazyLock<HashMap<&'static str, K>>;

static HEADER_BY_WORDS: Wording<FieldName> = LazyLock::new(|| by_words(&HEADER));
static LINE_BY_WORDS: Wording<LineField> = LazyLock::new(|| by_words(&LINE));

fn by_words<K: Copy>(names: &[(K, &'static str)]) -> HashMap<&'static str, K> {
    names.iter().flat_map(|(name, labels)| labels.split('|').map(|label| (label, *name))).collect()
}

fn found<K: Copy>(names: &HashMap<&str, K>, text: &str) -> Option<K> {
    if LABEL_CHARS_MAX < text.chars().count() {
        return None;
    }
    names.get(plain(text).as_str()).copied()
}

/// Lower case, single spaces, nothing but letters: `Invoice-No.:` is `invoice no`.
pub(super) fn plain(text: &str) -> String {
    let text: String = text.chars().map(|it| if it.is_alphabetic() { it } else { ' ' }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// As [`plain`] leaves them; no label stands twice.
#[rustfmt::skip]
const HEADER: [(FieldName, &str); 26] = [
    (
        FieldName::Number,
        "invoice number|invoice no|invoice nr|invoice id|invoice|number|inv no|bill number|bill no|\
         document number|credit note number|credit note no|rechnungsnummer|rechnungsnr|rechnungs nr|\
         rechnung nr|rechnung|rg nr|re nr|belegnummer|belegnr|gutschriftsnummer|gutschrift nr|\
         numéro de facture|facture n|n de facture|invoicenumber",
    ),
    (
        FieldName::IssueDate,
        "invoice date|date|issue date|date of issue|bill date|document date|rechnungsdatum|datum|belegdatum|\
         ausstellungsdatum|date de facture|date d émission|invoicedate|credit note date",
    ),
    (
        FieldName::DueDate,
        "due date|payment due|due|due by|pay by|fällig am|fälligkeit|fälligkeitsdatum|zahlbar bis|\
         date d échéance|échéance",
    ),
    (
        FieldName::DeliveryDate,
        "delivery date|date of supply|supply date|lieferdatum|leistungsdatum|date de livraison",
    ),
    (FieldName::Currency, "currency|currency code|währung|devise"),
    (
        FieldName::OrderRef,
        "order number|order no|order|po number|po no|po|purchase order|purchase order number|your order|\
         bestellnummer|bestellnr|bestell nr|bestellung|ihre bestellung|auftragsnummer|numéro de commande|\
         order ref|order id",
    ),
    (
        FieldName::ContractRef,
        "contract|contract number|contract no|vertrag|vertragsnummer|vertragsnr|numéro de contrat",
    ),
    (
        FieldName::BuyerRef,
        "buyer reference|your reference|customer reference|leitweg id|ihr zeichen|kundenreferenz",
    ),
    (
        FieldName::PrecedingInvoice,
        "original invoice|preceding invoice|ursprungsrechnung|zu rechnung|ursprüngliche rechnung",
    ),
    (
        FieldName::SellerName,
        "seller|supplier|supplier name|vendor|vendor name|from|lieferant|verkäufer|rechnungssteller|\
         fournisseur|vendeur",
    ),
    (
        FieldName::SellerVatId,
        "vat id|vat number|vat no|vat reg no|vat registration number|seller vat id|supplier vat id|\
         supplier vat number|ust id|ust idnr|ust id nr|umsatzsteuer id|umsatzsteuer identifikationsnummer|\
         numéro de tva|n tva",
    ),
    (FieldName::SellerTaxId, "tax id|tax number|tax no|steuernummer|st nr|steuer nr|siret"),
    (
        FieldName::BuyerName,
        "buyer|customer|customer name|bill to|rechnung an|invoice to|billed to|sold to|client|kunde|käufer|rechnungsempfänger|\
         acheteur|to|an",
    ),
    (
        FieldName::BuyerVatId,
        "customer vat id|customer vat number|buyer vat id|your vat id|your vat number|ihre ust idnr|\
         ust id kunde|ihre ust id",
    ),
    (FieldName::Iban, "iban"),
    (FieldName::Bic, "bic|swift|swift bic|bic swift|swift code"),
    (
        FieldName::PaymentTerms,
        "payment terms|terms|terms of payment|zahlungsbedingungen|zahlungsbedingung|zahlungsziel|\
         conditions de paiement",
    ),
    (FieldName::LineTotal, "sum of lines|line total sum|summe positionen|positionssumme|warenwert"),
    (FieldName::AllowanceTotal, "discount|total discount|rabatt|nachlass|remise"),
    (FieldName::ChargeTotal, "freight|shipping|shipping costs|surcharge|versand|versandkosten|fracht|frais de port"),
    (
        FieldName::NetTotal,
        "subtotal|sub total|net|net total|total net|net amount total|total excl vat|total excluding vat|\
         total without vat|netto|nettobetrag|nettosumme|summe netto|gesamt netto|gesamtbetrag netto|\
         zwischensumme|total ht",
    ),
    (
        FieldName::TaxTotal,
        "vat|tax|sales tax|total vat|vat total|total tax|vat amount|tax amount|ust|mwst|umsatzsteuer|\
         mehrwertsteuer|zzgl mwst|zzgl ust|zzgl umsatzsteuer|summe mwst|summe ust|tva|total tva|montant tva|\
         plus vat",
    ),
    (
        FieldName::GrossTotal,
        "total|grand total|gross|gross total|total gross|total incl vat|total including vat|invoice total|\
         brutto|bruttobetrag|gesamt|gesamtbetrag|gesamtsumme|summe brutto|gesamt brutto|gesamtbetrag brutto|\
         endbetrag|rechnungsbetrag|total ttc",
    ),
    (FieldName::Prepaid, "prepaid|paid|already paid|deposit|anzahlung|bereits gezahlt|acompte"),
    (FieldName::Rounding, "rounding|rundung|rundungsbetrag|arrondi"),
    (
        FieldName::Payable,
        "amount due|balance due|payable|total due|amount payable|zahlbetrag|zu zahlen|zahlungsbetrag|\
         net à payer",
    ),
];

#[rustfmt::skip]
const LINE: [(LineField, &str); 11] = [
    (LineField::Id, "pos|position|line|line no|line number|no|nr|item no|lfd nr|ligne|line id"),
    (
        LineField::Name,
        "description|item|item description|product|service|article|details|name|item name|bezeichnung|\
         beschreibung|leistung|artikel|artikelbezeichnung|désignation|line description",
    ),
    (LineField::Quantity, "quantity|qty|hours|menge|anzahl|stunden|stück|quantité|qté"),
    (LineField::Unit, "unit|uom|unit of measure|einheit|me|unité"),
    (
        LineField::UnitPrice,
        "unit price|price|price per unit|rate|price each|einzelpreis|preis|e preis|ep|stückpreis|\
         prix unitaire|unit cost|net price",
    ),
    (LineField::PriceBase, "price unit|price per|preiseinheit|price base"),
    (
        LineField::NetAmount,
        "amount|line total|total|net amount|line amount|total price|line net amount|betrag|gesamtpreis|\
         gesamt|summe|netto|nettobetrag|montant|montant ht|g preis|gp|net|total net",
    ),
    (LineField::VatRate, "vat|vat rate|tax rate|tax|mwst|ust|mwst satz|ust satz|steuersatz|tva|taux tva"),
    (LineField::VatCategory, "vat category|tax category|vat code"),
    (LineField::OrderLine, "order line|po line|order position|bestellposition|order item"),
    (
        LineField::Item,
        "item number|item code|sku|article number|article no|artikelnummer|artikelnr|artikel nr|part number|\
         art nr|référence",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_known_however_it_is_dressed() {
        for (text, expected) in [
            ("Invoice No.:", Some((FieldName::Number, false))),
            ("  RECHNUNGS-NR. ", Some((FieldName::Number, false))),
            ("USt 19 %", Some((FieldName::TaxTotal, true))),
            ("MwSt.", Some((FieldName::TaxTotal, false))),
            ("Invoice number of the first of the two invoices that came", None),
            ("4711", None),
            ("PO-4711", None),
            ("Rechnung 17", None),
            ("", None),
        ] {
            assert_eq!(header_label(text).map(|it| (it.name, it.has_rate)), expected, "{text}");
        }
        let n_labels: usize = HEADER.iter().map(|(_, labels)| labels.split('|').count()).sum();
        assert_eq!(HEADER_BY_WORDS.len(), n_labels, "a label stands twice");
        assert_eq!(line_label("Unit-Price"), Some(LineField::UnitPrice));
    }
}

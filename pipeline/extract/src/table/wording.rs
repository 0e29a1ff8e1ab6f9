//! The words that stand before values and above columns, in English, German, French, Spanish,
//! Italian, Dutch, Portuguese and Chinese.

use std::collections::HashMap;
use std::sync::LazyLock;

use case::{FieldName, Kind, LineField};

use super::LABEL_CHARS_MAX;

#[derive(Clone, Copy, PartialEq)]
pub(super) struct Label {
    pub(super) name: FieldName,
    /// A rate in the label of the VAT: `VAT 19 %`.
    pub(super) has_rate: bool,
    /// What the document calls itself, alone: `Invoice`. What stands beside it may be anything.
    pub(super) is_title: bool,
}

/// What a cell names, if it is the label of a value of the whole document.
pub(super) fn header_label(text: &str) -> Option<Label> {
    let name = found(&HEADER_BY_WORDS, text)?;
    let has_digits = text.contains(|it: char| it.is_ascii_digit());
    // `PO-4711` is an order, not the word before one; only the VAT has a figure in its label.
    let rate_of = |it: FieldName| name == it && text.contains('%');
    let fits = !has_digits || name == FieldName::TaxTotal || rate_of(FieldName::AllowanceTotal);
    let has_rate = has_digits && name == FieldName::TaxTotal;
    let is_title = name == FieldName::Number && TITLES_OF_INVOICES.contains(&plain(text).as_str());
    fits.then_some(Label { name, has_rate, is_title })
}

/// Is it the label of something that is not read: the value of another label does not stand here?
pub(super) fn no_field(text: &str) -> bool {
    text.chars().count() <= LABEL_CHARS_MAX && {
        let plain = plain(text);
        NO_FIELD.split('|').any(|it| it == plain)
    }
}

/// Is the label of a date in English, where some write the month first?
pub(super) fn is_english_date(label: &str) -> bool {
    const OTHERS: [&str; 6] = ["d", "de", "facture", "limite", "livraison", "factuur"];
    let plain = plain(label);
    let has = |words: &[&str]| plain.split(' ').any(|it| words.contains(&it));
    has(&["date", "due", "issued", "invoicedate", "by"]) && !has(&OTHERS)
}

/// What a document calls itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Title {
    Invoice,
    CreditNote,
    /// A document that is none of the two, and what it is.
    Other(Kind),
    None,
}

/// What a short text says that a document is: credit notes and invoices by one of the first words, others by the first.
pub(super) fn title(text: &str) -> Title {
    const WORDS_MAX: usize = 4;
    if LABEL_CHARS_MAX < text.chars().count() {
        return Title::None;
    }
    let text = unaccented(&plain(text));
    let begins = |text: &str, title: &str| {
        let rest = text.strip_prefix(title);
        rest.is_some_and(|it| it.is_empty() || it.starts_with(' ') || title.starts_with(is_han))
    };
    // From each of the first words on.
    let tails = || {
        let starts = std::iter::once(0).chain(text.match_indices(' ').map(|(at, _)| at + 1));
        starts.take(WORDS_MAX).filter_map(|at| text.get(at..))
    };
    if CREDIT_NOTES.iter().any(|title| tails().any(|it| begins(it, title))) || text.contains("红字") {
        return Title::CreditNote;
    }
    if let Some((_, kind)) = OTHERS.iter().find(|(titles, _)| titles.split('|').any(|it| begins(&text, it))) {
        return Title::Other(*kind);
    }
    let compound = |it: &str| it.split(' ').next().is_some_and(|it| it.ends_with("rechnung"));
    let is_invoice = |it: &str| compound(it) || INVOICES.iter().any(|title| begins(it, title));
    if tails().any(is_invoice) || text.contains("发票") { Title::Invoice } else { Title::None }
}

fn is_han(it: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&it)
}

/// `nota de credito` for `nota de crédito`: titles are often typed without accents.
fn unaccented(text: &str) -> String {
    const PAIRS: [(&str, char); 8] = [
        ("àáâãä", 'a'),
        ("èéêë", 'e'),
        ("ìíîï", 'i'),
        ("òóôõö", 'o'),
        ("ùúûü", 'u'),
        ("ç", 'c'),
        ("ñ", 'n'),
        ("ß", 's'),
    ];
    let bare = |it: char| PAIRS.iter().find(|(from, _)| from.contains(it)).map_or(it, |it| it.1);
    text.chars().map(bare).collect()
}

/// The titles that are in the list of the labels of numbers too.
const TITLES_OF_INVOICES: [&str; 7] = ["invoice", "rechnung", "facture", "factura", "fattura", "factuur", "fatura"];

/// As [`plain`] leaves them, without accents, as all titles here.
const INVOICES: [&str; 9] =
    ["invoice", "faktura", "facture", "factura", "fattura", "factuur", "fatura", "增值税", "receipt"];

const CREDIT_NOTES: [&str; 24] = [
    "credit note",
    "creditnote",
    "credit memo",
    "credit memorandum",
    "credit invoice",
    "gutschrift",
    "rechnungsgutschrift",
    "stornorechnung",
    "storno",
    "rechnungskorrektur",
    "korrekturrechnung",
    "rechnungsstorno",
    "avoir",
    "facture d avoir",
    "nota de credito",
    "nota di credito",
    "nota credito",
    "nota de abono",
    "factura rectificativa",
    "factura de abono",
    "creditnota",
    "creditfactuur",
    "note de credit",
    "贷项",
];

/// Documents that look like an invoice and ask for no booking of one.
#[rustfmt::skip]
const OTHERS: [(&str, Kind); 5] = [
    (
        "proforma|pro forma|proformarechnung|proformafactuur|factura proforma|factura pro forma|facture proforma|\
         facture pro forma|fattura proforma|fattura pro forma|fatura proforma|fatura pro forma|invoice proforma|\
         quotation|quote|estimate|offer|angebot|kostenvoranschlag|offerte|devis|presupuesto|oferta|cotizacion|preventivo|\
         offerta|orcamento|proposta|mahnung|zahlungserinnerung|payment reminder|reminder|final notice|dunning letter|\
         rappel|relance|recordatorio|recordatorio de pago|sollecito|sollecito di pagamento|aanmaning|\
         betalingsherinnering|lembrete|lembrete de pagamento|auftragsbestatigung|order confirmation|\
         order acknowledgement|sales order|confirmation de commande|accuse de reception de commande|\
         confirmacion de pedido|conferma d ordine|conferma ordine|orderbevestiging|confirmacao de encomenda|\
         statement of account|account statement|remittance advice|zahlungsavis|报价单|形式发票|催款|订单确认|对账单",
        Kind::Unknown,
    ),
    (
        "purchase order|bestellung|bon de commande|orden de compra|pedido de compra|ordine di acquisto|ordine d acquisto|\
         inkooporder|ordem de compra|nota de encomenda|采购订单|采购单",
        Kind::Order,
    ),
    (
        "goods receipt|goods received note|wareneingang|wareneingangsschein|lieferschein|delivery note|packing slip|\
         packing list|bon de livraison|albaran|nota de entrega|documento di trasporto|bolla di consegna|pakbon|\
         vrachtbrief|guia de remessa|送货单|收货单",
        Kind::ReceiptNote,
    ),
    ("expense|expense report|expense claim|reisekosten|reisekostenabrechnung|note de frais", Kind::ExpenseClaim),
    ("bank statement|kontoauszug|releve de compte|extracto bancario|estratto conto", Kind::BankStatement),
];

/// Labels of what is not read.
const NO_FIELD: &str = "ship to|shipped to|deliver to|delivery to|delivery address|shipping address|billing address|address|\
    lieferadresse|lieferanschrift|lieferung an|liefern an|adresse|anschrift|adresse de livraison|direccion|dirección|\
    dirección de entrega|indirizzo|indirizzo di consegna|adres|afleveradres|morada|endereço|\
    customer no|customer number|customer id|client no|client number|account no|account number|kundennr|kunden nr|\
    kundennummer|debitorennummer|numéro client|n client|code client|número de cliente|nº cliente|codice cliente|\
    klantnummer|klantnr|número de cliente|cód cliente|contact|our contact|your contact|contact person|ansprechpartner|\
    sachbearbeiter|bearbeiter|kontakt|contacto|contatto|contactpersoon|contato|attention|attn|sales rep|salesperson|\
    sales person|page|seite|página|pagina|blatt|our order|our reference|our ref|unser zeichen|\
    unsere referenz|notre référence|nuestra referencia|nostro riferimento|onze referentie|nossa referência|\
    job|project|projekt|projet|proyecto|progetto|department|phone|telephone|tel|telefon|téléphone|teléfono|telefono|\
    telefoon|telefone|fax|email|e mail|mail|客户编号|联系人|地址|收货地址|电话|页码";

/// What a cell names, if it is the head of a column of lines.
pub(super) fn line_label(text: &str) -> Option<LineField> {
    found(&LINE_BY_WORDS, text)
}

/// Heads that name what is billed where nothing else does.
pub(super) fn item_or_name(text: &str) -> bool {
    const HEADS: [&str; 9] =
        ["item", "article", "artikel", "product", "produkt", "articolo", "artículo", "artigo", "produto"];
    HEADS.contains(&plain(text).as_str())
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
    let known = |text: &str| names.get(plain(text).as_str()).copied();
    known(text).or_else(|| known(&bare(text))).or_else(|| text.split(['/', '|', '\n']).find_map(known))
}

/// Without what a label only carries with it: brackets, a currency behind it, names run together as `unitPrice`.
fn bare(text: &str) -> String {
    const CURRENCIES: [&str; 9] = ["eur", "euro", "usd", "gbp", "chf", "cny", "rmb", "in", "元"];
    let before = text.split(['(', '（', '[']).next().unwrap_or_default();
    let mut spaced = String::new();
    for it in before.chars() {
        if it.is_uppercase() && spaced.ends_with(char::is_lowercase) {
            spaced.push(' ');
        }
        spaced.push(it);
    }
    let plain = plain(&spaced);
    let mut words: Vec<&str> = plain.split(' ').collect();
    while words.last().is_some_and(|it| CURRENCIES.contains(it)) {
        words.pop();
    }
    words.join(" ")
}

/// Lower case, single spaces, nothing but letters: `Invoice-No.:` is `invoice no`.
pub(super) fn plain(text: &str) -> String {
    let text: String = text.chars().map(|it| if it.is_alphabetic() { it } else { ' ' }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// As [`plain`] leaves them; no label stands twice.
#[rustfmt::skip]
const HEADER: [(FieldName, &str); 27] = [
    (
        FieldName::Number,
        "invoice number|invoice no|invoice nr|invoice id|invoice|number|inv no|bill number|bill no|\
         document number|credit note number|credit note no|rechnungsnummer|rechnungsnr|rechnungs nr|\
         rechnung nr|rechnung|rg nr|re nr|belegnummer|belegnr|gutschriftsnummer|gutschrift nr|\
         numéro de facture|facture n|n de facture|invoicenumber|\
         número de factura|factura nº|factura n|nº factura|n factura|nº de factura|factura número\
         |factura|numero fattura|fattura n|fattura nº|fattura|fattura numero|numero documento\
         |factuurnummer|factuurnr|factuur nr|factuur|número da fatura|fatura nº|fatura n|fatura\
         |nº fatura|nº da fatura|facture|numéro facture|n facture|nº facture|facture nº|rechnungs nummer\
         |发票号码|发票编号|发票号|发票号码 invoice no",
    ),
    (
        FieldName::IssueDate,
        "invoice date|date|issue date|date of issue|bill date|document date|rechnungsdatum|datum|belegdatum|\
         ausstellungsdatum|date de facture|date d émission|invoicedate|credit note date|\
         fecha|fecha de factura|fecha factura|fecha de emisión|fecha emisión|data|data fattura\
         |data documento|data emissione|data di emissione|factuurdatum|data da fatura|data de emissão\
         |data emissão|date facture|date d émission de la facture|facturé le|开票日期|发票日期|日期",
    ),
    (
        FieldName::DueDate,
        "due date|payment due|due|due by|pay by|fällig am|fälligkeit|fälligkeitsdatum|zahlbar bis|\
         date d échéance|échéance|\
         fecha de vencimiento|fecha vencimiento|vencimiento|scadenza|data scadenza|data di scadenza\
         |vervaldatum|vervaldag|data de vencimento|vencimento|à payer avant le|date limite de paiement\
         |payment due date|到期日|到期日期|付款期限",
    ),
    (
        FieldName::DeliveryDate,
        "delivery date|date of supply|supply date|lieferdatum|leistungsdatum|date de livraison|\
         fecha de entrega|data di consegna|data consegna|leverdatum|leveringsdatum|data de entrega\
         |liefertermin|service date|交货日期|发货日期",
    ),
    (FieldName::Currency, "currency|currency code|währung|devise|\
         moneda|divisa|valuta|munt|moeda|monnaie|币种|货币|币别"),
    (
        FieldName::OrderRef,
        "order number|order no|order|po number|po no|po|purchase order|purchase order number|your order|\
         bestellnummer|bestellnr|bestell nr|bestellung|ihre bestellung|auftragsnummer|numéro de commande|\
         order ref|order id|\
         número de pedido|nº pedido|nº de pedido|pedido|numero ordine|n ordine|ordine|ordine di acquisto\
         |bestelnummer|ordernummer|inkooporder|inkoopordernummer|encomenda|número da encomenda\
         |nº encomenda|commande|n commande|bon de commande|bestell nummer|订单号|订单编号|采购订单号|采购订单|采购单号",
    ),
    (
        FieldName::ContractRef,
        "contract|contract number|contract no|vertrag|vertragsnummer|vertragsnr|numéro de contrat|\
         contrato|número de contrato|nº contrato|contratto|numero contratto|contractnummer|contrat|合同号\
         |合同编号",
    ),
    (
        FieldName::BuyerRef,
        "buyer reference|your reference|customer reference|leitweg id|ihr zeichen|kundenreferenz|\
         su referencia|referencia del cliente|vostro riferimento|uw referentie|sua referência\
         |votre référence|référence client|unser kunde",
    ),
    (
        FieldName::PrecedingInvoice,
        "original invoice|preceding invoice|ursprungsrechnung|zu rechnung|ursprüngliche rechnung|\
         factura original|factura rectificada|fattura originale|oorspronkelijke factuur|fatura original\
         |facture d origine|原发票号码",
    ),
    (
        FieldName::SellerName,
        "seller|supplier|supplier name|vendor|vendor name|from|lieferant|verkäufer|rechnungssteller|\
         fournisseur|vendeur|\
         proveedor|emisor|vendedor|fornitore|cedente|leverancier|verkoper|fornecedor|émetteur|sold by\
         |issued by|rechnungsaussteller|销售方|销售方名称|卖方|卖方名称|供应商|供应商名称|销方名称",
    ),
    (
        FieldName::SellerVatId,
        "vat id|vat number|vat no|vat reg no|vat registration number|seller vat id|supplier vat id|\
         supplier vat number|ust id|ust idnr|ust id nr|umsatzsteuer id|umsatzsteuer identifikationsnummer|\
         numéro de tva|n tva|\
         nif iva|partita iva|p iva|btw nummer|btw nr|btw id|número de iva|n de tva\
         |tva intracommunautaire|n tva intracommunautaire",
    ),
    (FieldName::SellerTaxId, "tax id|tax number|tax no|steuernummer|st nr|steuer nr|siret|\
         nif|cif|nif cif|cif nif|codice fiscale|contribuinte|siren|销售方纳税人识别号|销售方税号|纳税人识别号|统一社会信用代码|税号\
         |卖方税号"),
    (
        FieldName::BuyerName,
        "buyer|customer|customer name|bill to|rechnung an|invoice to|billed to|sold to|client|kunde|käufer|rechnungsempfänger|\
         acheteur|to|an|\
         cliente|comprador|destinatario|cessionario|acquirente|klant|koper|afnemer|destinataire\
         |facturé à|facturar a|fatturare a|kundenname|购买方|购买方名称|买方|买方名称|客户|客户名称|购方名称",
    ),
    (
        FieldName::BuyerVatId,
        "customer vat id|customer vat number|buyer vat id|your vat id|your vat number|ihre ust idnr|\
         ust id kunde|ihre ust id|\
         nif del cliente|partita iva cliente|btw nummer klant|nif do cliente|n tva client|kunden ust id",
    ),
    (
        FieldName::BuyerTaxId,
        "buyer tax id|customer tax id|codice fiscale cliente|购买方纳税人识别号|购买方税号|买方税号",
    ),
    (FieldName::Iban, "iban"),
    (FieldName::Bic, "bic|swift|swift bic|bic swift|swift code"),
    (
        FieldName::PaymentTerms,
        "payment terms|terms|terms of payment|zahlungsbedingungen|zahlungsbedingung|zahlungsziel|\
         conditions de paiement|\
         condiciones de pago|forma de pago|condizioni di pagamento|termini di pagamento|betalingstermijn\
         |betalingsvoorwaarden|condições de pagamento|付款条件|付款方式",
    ),
    (FieldName::LineTotal, "sum of lines|line total sum|summe positionen|positionssumme|warenwert|\
         lines total|total of lines|合计"),
    (FieldName::AllowanceTotal, "discount|total discount|rabatt|nachlass|remise|\
         descuento|sconto|korting|desconto|折扣"),
    (FieldName::ChargeTotal, "freight|shipping|shipping costs|surcharge|versand|versandkosten|fracht|frais de port|\
         gastos de envío|portes|spese di spedizione|trasporto|verzendkosten|运费"),
    (
        FieldName::NetTotal,
        "subtotal|sub total|net|net total|total net|net amount total|total excl vat|total excluding vat|\
         total without vat|netto|nettobetrag|nettosumme|summe netto|gesamt netto|gesamtbetrag netto|\
         zwischensumme|total ht|\
         base imponible|total sin iva|importe neto|total neto|suma|imponibile|totale imponibile\
         |totale netto|subtotaal|totaal excl btw|totaal exclusief btw|bedrag excl btw|nettobedrag\
         |valor líquido|total sem iva|base tributável|sous total|montant ht|total hors taxes\
         |montant total ht|net amount|nettogesamt|不含税金额|金额合计|合计金额|未税金额|小计",
    ),
    (
        FieldName::TaxTotal,
        "vat|tax|sales tax|total vat|vat total|total tax|vat amount|tax amount|ust|mwst|umsatzsteuer|\
         mehrwertsteuer|zzgl mwst|zzgl ust|zzgl umsatzsteuer|summe mwst|summe ust|tva|total tva|montant tva|\
         plus vat|\
         iva|total iva|importe iva|cuota iva|totale iva|imposta|btw|btw bedrag|totaal btw|valor do iva\
         |valor iva|montant de la tva|plus tva|zuzüglich mwst|steuerbetrag|mwst betrag|gst|hst|税额|合计税额\
         |税额合计|增值税|增值税额",
    ),
    (
        FieldName::GrossTotal,
        "total|grand total|gross|gross total|total gross|total incl vat|total including vat|invoice total|\
         brutto|bruttobetrag|gesamt|gesamtbetrag|gesamtsumme|summe brutto|gesamt brutto|gesamtbetrag brutto|\
         endbetrag|rechnungsbetrag|total ttc|\
         total factura|importe total|total con iva|totale|totale fattura|totale documento|importo totale\
         |totaal|totaal incl btw|totaal inclusief btw|totaalbedrag|total com iva|total geral\
         |total da fatura|montant total|montant ttc|montant total ttc|total amount|gross amount\
         |gesamtbetrag inkl mwst|gesamtsumme brutto|价税合计|总计|总金额|总额|含税金额",
    ),
    (FieldName::Prepaid, "prepaid|paid|already paid|deposit|anzahlung|bereits gezahlt|acompte|\
         anticipo|acconto|aanbetaling|vooruitbetaald|adiantamento|déjà payé|amount paid|预付款|已付金额"),
    (FieldName::Rounding, "rounding|rundung|rundungsbetrag|arrondi|\
         redondeo|arrotondamento|afronding|arredondamento"),
    (
        FieldName::Payable,
        "amount due|balance due|payable|total due|amount payable|zahlbetrag|zu zahlen|zahlungsbetrag|\
         net à payer|\
         total a pagar|importe a pagar|totale da pagare|te betalen|valor a pagar|montant à payer\
         |reste à payer|balance|zu zahlender betrag|offener betrag|应付金额|应付总额",
    ),
];

#[rustfmt::skip]
const LINE: [(LineField, &str); 11] = [
    (LineField::Id, "pos|position|line|line no|line number|no|nr|item no|lfd nr|ligne|line id|\
         línea|linea|posición|riga|regel|linha|pos nr|序号|行号|项次"),
    (
        LineField::Name,
        "description|item|item description|product|service|article|details|name|item name|bezeichnung|\
         beschreibung|leistung|artikel|artikelbezeichnung|désignation|line description|\
         descripción|concepto|producto|artículo|servicio|descrizione|articolo|prodotto|omschrijving\
         |dienst|descrição|produto|artigo|serviço|libellé|produit|prestation|article description\
         |product name|service description|position text|text|项目名称|货物或应税劳务 服务名称|货物或应税劳务名称|商品名称|品名|名称\
         |货物名称|产品名称|产品|描述",
    ),
    (LineField::Quantity, "quantity|qty|hours|menge|anzahl|stunden|stück|quantité|qté|\
         cantidad|cant|uds|unidades|horas|quantità|qtà|q tà|ore|aantal|hoeveelheid|uren|quantidade|qtd\
         |qtde|qte|heures|amount of units|units|std|数量"),
    (LineField::Unit, "unit|uom|unit of measure|einheit|me|unité|\
         unidad|ud|unità|um|u m|eenheid|unidade|un|einh|measure|单位|计量单位"),
    (
        LineField::UnitPrice,
        "unit price|price|price per unit|rate|price each|einzelpreis|preis|e preis|ep|stückpreis|\
         prix unitaire|unit cost|net price|\
         precio unitario|precio|precio ud|tarifa|prezzo unitario|prezzo|prijs|stukprijs|eenheidsprijs\
         |prijs per stuk|tarief|preço unitário|preço|preço unit|prix|pu|p u|pu ht|prix unitaire ht\
         |prix u|preis je einheit|preis pro einheit|einheitspreis|stundensatz|hourly rate|net unit price\
         |单价|不含税单价",
    ),
    (LineField::PriceBase, "price unit|price per|preiseinheit|price base|\
         base de precio|price quantity|价格单位"),
    (
        LineField::NetAmount,
        "amount|line total|total|net amount|line amount|total price|line net amount|betrag|gesamtpreis|\
         gesamt|summe|netto|nettobetrag|montant|montant ht|g preis|gp|net|total net|\
         importe|importe neto|subtotal|importo|imponibile|totale|bedrag|totaal|nettobedrag|regeltotaal\
         |valor|montante|valor total|total ht|prix total|montant net|gesamtbetrag|gesamtpreis netto\
         |zeilensumme|positionsbetrag|line amount net|extended price|extended amount|line value|金额|不含税金额",
    ),
    (LineField::VatRate, "vat|vat rate|tax rate|tax|mwst|ust|mwst satz|ust satz|steuersatz|tva|taux tva|\
         iva|tipo iva|tipo de iva|aliquota|aliquota iva|btw|btw tarief|taxa iva|taxa de iva|taux de tva\
         |vat percent|tax percent|gst|税率|税率 征收率|税率征收率"),
    (LineField::VatCategory, "vat category|tax category|vat code|\
         tax code|steuerschlüssel|code tva|código de iva|natura"),
    (LineField::OrderLine, "order line|po line|order position|bestellposition|order item|\
         línea de pedido|riga ordine|orderregel|订单行号"),
    (
        LineField::Item,
        "item number|item code|sku|article number|article no|artikelnummer|artikelnr|artikel nr|part number|\
         art nr|référence|\
         código|código de artículo|referencia|codice|codice articolo|artikelcode|referência\
         |código do artigo|code article|réf|ref|product code|product no|part no|material|materialnummer\
         |item nr|商品编码|物料编码|货号|产品编号|料号",
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
            ("Total (EUR)", Some((FieldName::GrossTotal, false))),
            ("Rechnungsnummer / Invoice no.", Some((FieldName::Number, false))),
            ("invoiceDate", Some((FieldName::IssueDate, false))),
            ("Nº factura:", Some((FieldName::Number, false))),
            ("Partita IVA", Some((FieldName::SellerVatId, false))),
            ("Totaal incl. btw", Some((FieldName::GrossTotal, false))),
            ("Data de emissão", Some((FieldName::IssueDate, false))),
            ("发票号码：", Some((FieldName::Number, false))),
            ("", None),
        ] {
            assert_eq!(header_label(text).map(|it| (it.name, it.has_rate)), expected, "{text}");
        }
        for text in ["Ship To:", "Kundennr.", "Sachbearbeiter", "Our order"] {
            assert!(no_field(text), "{text}");
        }
        let n_labels: usize = HEADER.iter().map(|(_, labels)| labels.split('|').count()).sum();
        assert_eq!(HEADER_BY_WORDS.len(), n_labels, "a label stands twice");
        let n_labels: usize = LINE.iter().map(|(_, labels)| labels.split('|').count()).sum();
        assert_eq!(LINE_BY_WORDS.len(), n_labels, "a label stands twice");
        for text in
            ["Unit-Price", "Einzelpreis (EUR)", "Prezzo unitario", "单价（元）", "preço unitário", "unitPrice EUR"]
        {
            assert_eq!(line_label(text), Some(LineField::UnitPrice), "{text}");
        }
    }

    #[test]
    fn a_title_says_what_a_document_is() {
        use Title::{CreditNote, Invoice, Other};
        for (text, expected) in [
            ("INVOICE", Invoice),
            ("Tax Invoice", Invoice),
            ("Rechnung Nr. 17", Invoice),
            ("Schlussrechnung", Invoice),
            ("增值税电子普通发票", Invoice),
            ("CREDIT MEMO", CreditNote),
            ("Nota de credito", CreditNote),
            ("Nota di crédito 17", CreditNote),
            ("Stornorechnung zu R-1", CreditNote),
            ("Invoice / Credit note", CreditNote),
            ("Gutschrift Nr", CreditNote),
            ("Proforma-Rechnung", Other(Kind::Unknown)),
            ("Pro forma invoice", Other(Kind::Unknown)),
            ("Mahnung / Payment reminder", Other(Kind::Unknown)),
            ("Auftragsbestätigung", Other(Kind::Unknown)),
            ("PURCHASE ORDER", Other(Kind::Order)),
            ("Delivery note", Other(Kind::ReceiptNote)),
            ("报价单", Other(Kind::Unknown)),
            ("Angebotsnummer", Title::None),
            ("Acme Quote Ltd", Title::None),
        ] {
            assert_eq!(title(text), expected, "{text}");
        }
    }
}

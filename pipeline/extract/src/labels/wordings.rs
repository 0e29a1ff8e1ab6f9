//! What labels say on invoices, in eight languages: data only.

use case::FieldName;

use super::words::Meaning::{self, Buyer, Field, Name, Other, Seller, SomeoneElse};

/// A label that could also be an ordinary word or stand for something else.
const WEAK: f64 = 0.6;
const STRONG: f64 = 1.0;

/// The labels of invoices: what it announces, how sure that is, and its wordings in German, English, French,
/// Spanish, Italian, Dutch, Portuguese and Chinese, which are compared by `tokens`: without case, punctuation, and the
/// difference between "Nr.", "No" and "number".
/// (380) and its like are document types of UNTDID 1001, which stand between the name and the number.
pub(super) const LABELS: &[(Meaning, f64, &str)] = &[
    (
        Field(FieldName::Number),
        STRONG,
        "Rechnungsnummer | Rechnung Nr | Rechnungs Nr | Belegnummer | Handelsrechnung Nr | Schlussrechnung Nr | Abschlagsrechnung Nr | \
            Teilrechnung Nr | Sammelrechnung Nr | Stornorechnung Nr | (380) Nr | (381) Nr | (384) Nr | (389) Nr | (326) Nr | (386) Nr | (575) Nr | (751) Nr | \
            (875) Nr | (876) Nr | (877) Nr | Gutschrift Nr | Gutschriftsnummer | Gutschriftnummer | Faktura Nr | Beleg Nr | \
            Invoice number | Invoice No | Invoice ID | Inv No | Tax invoice No | Credit note number | \
            Credit note No | Credit memo No | Bill No | Document number | Invoice reference | Facture No | \
            Numéro de facture | No de facture | Avoir No | Numéro d'avoir | No facture | \
            Référence facture | Réf facture | Número de factura | Factura No | No de factura | Número factura | \
            Factura rectificativa No | Nota de crédito No | Numero fattura | Fattura No | Fattura di vendita No | Numero documento | \
            Documento No | No documento | No fattura | Nota di credito No | Factuurnummer | Factuur No | Creditnota No | Creditfactuur No | \
            Rechnungsnummer/Datum | Rechnungs-Nr/Datum | Rechnung Nr/Datum | Rechnungsnummer/-datum | Belegnummer/Datum | Invoice number/date | \
            Invoice No/date | Facture No/date | Numéro/date de facture | Número/fecha de factura | Numero/data fattura | Factuurnummer/datum | \
            Número/data da fatura | Número da fatura | Número de fatura | Fatura No | No da fatura | No fatura | Fatura recibo No | 发票号码 | 发票编号 | 发票号 | 發票號碼",
    ),
    (
        Field(FieldName::Number),
        WEAK,
        "Rechnung | Gutschrift | Stornorechnung | Invoice | Tax invoice | Credit note | Credit memo | \
            Facture | Avoir | \
            Factura | Fattura | Factuur | Fatura | Creditnota | Creditfactuur | Nota de crédito | Nota di credito",
    ),
    (
        Field(FieldName::IssueDate),
        STRONG,
        "Rechnungsdatum | Belegdatum | Ausstellungsdatum | Datum der Rechnung | Gutschriftsdatum | \
            Invoice date | Date of issue | Issue date | Date issued | Invoice dated | Issued on | Issued at | \
            Credit note date | Tax point date | Date de facture | Date de facturation | Date facture | \
            Date d'émission | Date de l'avoir | \
            Date d'édition | Facture du | Établie le | Émise le | Fecha de factura | Fecha factura | Fecha de la factura | \
            Fecha de emisión | Fecha emisión | Fecha de expedición | Data fattura | Data della fattura | Data documento | Data di emissione | \
            Data emissione | Factuurdatum | Datum factuur | Data da fatura | Data fatura | Data de emissão | Data de emissao | Bill date | \
            Document date | Billing date | Dated | Date of invoice | 开票日期 | 发票日期 | 開票日期",
    ),
    (Field(FieldName::IssueDate), WEAK, "Datum | Date | Fecha | Data | 日期"),
    (
        Field(FieldName::DueDate),
        STRONG,
        "Fällig am | Fällig bis | Fälligkeit | Fälligkeitsdatum | Zahlbar bis | Zahlbar bis zum | \
            Zu zahlen bis | Netto bis | Überweisen Sie bis zum | Zahlungsziel | Zahlbar am | Bis spätestens | \
            Due date | Payment due | Payment due by | Pay by | Due by | Due on | Date due | Payable by | \
            Remit until | Payment due date | Date d'échéance | Échéance | À régler le | À payer avant le | \
            Date limite de paiement | \
            Date limite de règlement | À payer le | Payable le | Payable avant le | Fälligkeitstag | Zahlung bis | Zahlbar spätestens am | \
            Zahlungsfrist | Payment date | Payment deadline | To be paid by | Please pay by | Fecha de vencimiento | Fecha vencimiento | \
            Vencimiento | Vence el | Fecha límite de pago | Scadenza | Data scadenza | Data di scadenza | Scadenza pagamento | Scadenze | \
            Vervaldatum | Vervaldag | Uiterste betaaldatum | Te betalen voor | Betalen voor | Te voldoen voor | Data de vencimento | \
            Data vencimento | Vencimento | Pagar até | 到期日 | 到期日期 | 付款截止日期",
    ),
    (
        Field(FieldName::DeliveryDate),
        STRONG,
        "Lieferdatum | Leistungsdatum | Liefer- und Leistungsdatum | Datum der Lieferung | Liefertermin | \
            Delivery date | Date of delivery | Date of supply | Supply date | Date de livraison | \
            Fecha de entrega | Fecha de operación | Data consegna | Data di consegna | Leverdatum | Leveringsdatum | Data de entrega | \
            Date of service | Service date | 交货日期",
    ),
    (
        Field(FieldName::Currency),
        STRONG,
        "Währung | Beträge in | Currency | Devise | Devise de la facture | \
            Moneda | Divisa | Valuta | Moeda | Invoice currency | Rechnungswährung | 币种 | 货币",
    ),
    (
        Field(FieldName::OrderRef),
        STRONG,
        "Bestellnummer | Bestellnummer/Datum | Bestell Nr/Datum | Order number/date | Order No/date | PO No/date | Bestell Nr | Bestellung Nr | Ihre Bestellung | Ihre Bestellnummer | \
            Kundenbestellnummer | Purchase order | Purchase order number | PO number | PO No | P.O. number | \
            P.O. No | PO | Your order | Your order No | Order number | Order No | Customer order | \
            Customer PO | Order reference | Référence commande | Commande No | Numéro de commande | \
            Bon de commande | Votre commande | \
            No de commande | No commande | No bon de commande | Número de pedido | Pedido No | No de pedido | Su pedido | Orden de compra | \
            Ordine No | Numero ordine | No ordine | Vostro ordine | Ordine di acquisto | Ordine d'acquisto | Rif ordine | Bestelnummer | \
            Ordernummer | Inkooporder | Inkoopordernummer | Uw bestelling | Uw ordernummer | Número de encomenda | Encomenda No | \
            No de encomenda | Nota de encomenda | Sua encomenda | Ordem de compra | Your PO | Purchase order ref | Bestell-Nummer | \
            Bestellreferenz | Bestellzeichen | Ihr Auftrag | 订单号 | 订单编号 | 采购订单号",
    ),
    (
        Field(FieldName::OrderRef),
        WEAK,
        "Bestellung | Your reference | Your ref | Ihre Referenz | Votre référence | Order | Pedido | Ordine | Encomenda | \
            Commande | Su referencia | Vostro riferimento | Uw referentie | Sua referência",
    ),
    (
        Field(FieldName::ContractRef),
        STRONG,
        "Vertragsnummer | Vertrag Nr | Rahmenvertrag Nr | Contract number | Contract No | \
            Contract reference | Agreement number | Agreement ref | Contrat No | Numéro de contrat | Réf marché | \
            No de contrat | Marché No | Número de contrato | Contrato No | Numero contratto | Contratto No | Contractnummer | 合同编号 | 合同号",
    ),
    (
        Field(FieldName::LineTotal),
        STRONG,
        "Positionssumme | Summe Positionen | Positionen netto | Zwischensumme | Warenwert | Subtotal | \
            Sub total | Sous total | \
            Total lignes | Sous-total HT | Subtotale | Totale merce | Totale merci | Totale parziale | Subtotaal | Soma | Items total | Lines total | \
            Gesamt Positionen | Summe der Positionen | 小计",
    ),
    (
        Field(FieldName::NetTotal),
        STRONG,
        "Nettobetrag | Nettosumme | Netto gesamt | Gesamt netto | Gesamtbetrag netto | Summe netto | \
            Netto Summe | Rechnungssumme ohne USt | Rechnungssumme netto | Rechnungsbetrag netto | Nettowert | \
            Netto Gesamtbetrag | Total net | Net total | Net amount | Total net amount | Total excl VAT | \
            Total excluding VAT | Total ex VAT | Total before tax | Total excl tax | Amount excl VAT | \
            Subtotal excl VAT | Total without VAT | Net value | Total exclusive of VAT | Total HT | \
            Total H.T. | Montant HT | Base montant HT | Montant total HT | Total hors taxes | \
            Total net HT | Montant net HT | Total hors TVA | Montant hors TVA | Net HT | Base imponible | Total base imponible | \
            Total neto | Importe neto | Total sin IVA | Imponibile | Totale imponibile | Totale netto | Importo netto | Totale esclusa IVA | \
            Totaal excl btw | Totaal exclusief btw | Totaal excl | Bedrag excl btw | Totaal netto | Netto totaal | Nettobedrag | \
            Total líquido | Total sem IVA | Base tributável | Valor líquido | Total ilíquido | Incidência | Total net of VAT | \
            Total net of tax | Net before VAT | Total excluding tax | Total ex tax | Subtotal excluding tax | Summe ohne MwSt | Gesamt ohne MwSt | \
            Summe zzgl MwSt | Zwischensumme netto | Rechnungsnettobetrag | 不含税金额 | 金额合计 | 合计金额",
    ),
    (
        Field(FieldName::NetTotal),
        WEAK,
        "Netto | Net | Steuerbasisbetrag | Basisbetrag | Taxable amount | Base HT | HT | \
            Neto | Imponible | Base | Grondslag | Bemessungsgrundlage",
    ),
    (
        Field(FieldName::TaxTotal),
        STRONG,
        "Steuerbetrag | Umsatzsteuer | Mehrwertsteuer | MwSt Betrag | USt Betrag | Umsatzsteuerbetrag | \
            USt Gesamt | Gesamt USt | Summe MwSt | Summe USt | zzgl MwSt | zzgl USt | zuzüglich Umsatzsteuer | \
            Steuer gesamt | Summe Umsatzsteuer | VAT total | Total VAT | VAT amount | Total VAT amount | \
            Tax total | Total tax | Tax amount | Sales tax | GST amount | Total TVA | Montant TVA | \
            Montant de TVA | Total taxes | Total de la TVA | \
            Montant TVA total | TVA totale | Taxes | Total IVA | Cuota IVA | Importe IVA | IVA total | Total impuestos | \
            Totale IVA | Importo IVA | Imposta | Totale imposta | Totale imposte | Btw bedrag | Totaal btw | Btw totaal | Bedrag btw | \
            Total do IVA | Valor IVA | Valor do IVA | Total imposto | VAT payable | Total sales tax | GST total | Total GST | HST | \
            MwSt gesamt | Gesamt MwSt | Enthaltene MwSt | davon MwSt | inkl MwSt | darin enthaltene MwSt | Steuern | 税额 | 税额合计 | 合计税额",
    ),
    (
        Field(FieldName::TaxTotal),
        WEAK,
        "MwSt | USt | VAT | Tax | TVA | GST | IVA | Btw | BTW | Cuota | Impuestos | Imposto | 增值税",
    ),
    (
        Field(FieldName::GrossTotal),
        STRONG,
        "Bruttobetrag | Bruttosumme | Rechnungsbetrag | Gesamtbetrag | Gesamtsumme | Endbetrag | Endsumme | \
            Rechnungssumme brutto | Rechnungssumme mit USt | Rechnungsbetrag brutto | Gesamt brutto | \
            Gesamtbetrag brutto | Brutto gesamt | Summe brutto | Rechnungsendbetrag | Rechnungsgesamtbetrag | \
            Invoice total | Total incl VAT | Total including VAT | Total inc VAT | Grand total | Gross amount | \
            Gross total | Total gross | Total amount | Total invoice amount | Invoice amount | \
            Total inclusive of VAT | Total TTC | Total T.T.C. | Montant TTC | Montant total TTC | \
            Total toutes taxes comprises | Total facture | Total général | Montant total | Total factura | Total con IVA | \
            Importe total | Total general | Importe factura | Total IVA incluido | Totale fattura | Totale documento | Importo totale | \
            Totale complessivo | Totale IVA inclusa | Totale ivato | Totaal incl btw | Totaal inclusief btw | Totaal incl | Totaalbedrag | \
            Factuurbedrag | Factuurtotaal | Eindtotaal | Bedrag incl btw | Total da fatura | Total com IVA | Valor total | Total geral | \
            Total do documento | Total documento | Total inc tax | Total including tax | Total incl tax | Invoice value | Invoice amount due | \
            Total invoice | Invoice total amount | Gesamtbetrag inkl MwSt | Gesamt inkl MwSt | Summe inkl MwSt | Gesamtpreis brutto | \
            Gesamtrechnungsbetrag | Rechnungssumme | 价税合计 | 价税合计 大写 | 小写 | 总金额 | 总计 | 總計",
    ),
    (
        Field(FieldName::GrossTotal),
        WEAK,
        "Total | Gesamt | Summe | Brutto | Totale | Totaal | Importe | Importo | TTC | Somme | 合计 | 合 计 | 总额",
    ),
    (
        Field(FieldName::Payable),
        STRONG,
        "Zahlbetrag | Zu zahlen | Zu zahlender Betrag | Offener Betrag | Noch zu zahlen | Fälliger Betrag | \
            Zahlungsbetrag | Amount due | Balance due | Total due | Amount payable | Total payable | \
            Due payable | Amount to pay | Payable | Residual | Montant à payer | Net à payer | Reste à payer | \
            Solde à payer | Net à régler | Total à payer | Reste dû | Solde dû | Montant dû | Total a pagar | Importe a pagar | \
            A pagar | Líquido a pagar | Totale da pagare | Netto a pagare | Importo da pagare | Totale dovuto | Totale a pagare | \
            Te betalen | Te betalen bedrag | Totaal te betalen | Te voldoen | Openstaand bedrag | Valor a pagar | Total amount due | \
            Total amount payable | Amount outstanding | Balance | Please pay | Zu überweisen | Überweisungsbetrag | Gesamt zu zahlen | \
            Restbetrag | 应付金额 | 应付总额",
    ),
    (
        Field(FieldName::Prepaid),
        STRONG,
        "Erhaltene Anzahlungen | Anzahlung | Bereits gezahlt | Amount paid | Prepaid | Paid to date | \
            Deposit paid | Acompte | \
            Acomptes versés | Acompte versé | Déjà payé | Déjà réglé | Anticipo | Acconto | Aanbetaling | Reeds betaald | Adiantamento | \
            Less paid | Payments received | Total paid | abzüglich Anzahlung",
    ),
    (Field(FieldName::AllowanceTotal), STRONG, "Gesamtbetrag der Abschläge | Total allowances | Total discount"),
    (Field(FieldName::ChargeTotal), STRONG, "Gesamtbetrag der Zuschläge | Total charges"),
    (
        Seller,
        STRONG,
        "Verkäufer | Rechnungssteller | Rechnungsersteller | Lieferant | Leistungserbringer | Seller | \
            Supplier | Vendor | From | Issued by | Vendeur | Fournisseur | Émetteur | \
            Seller details | Service provider | Absender | Proveedor | Emisor | Vendedor | Fornitore | Cedente | Cedente/prestatore | Venditore | \
            Mittente | Leverancier | Verkoper | Afzender | Fornecedor | Emitente | Prestataire | 销售方 | 卖方 | 销货单位 | 供应商",
    ),
    (
        Buyer,
        STRONG,
        "Käufer | Käufer/Leistungsempfänger | Rechnungsempfänger | Leistungsempfänger | Kunde | \
            Rechnung an | Rechnungsadresse | Rechnungsanschrift | Buyer | Bill to | Billed to | Invoice to | \
            Customer | Sold to | To | Client | Billing address | Invoice address | Facturé à | \
            Adresse de facturation | Acheteur | Destinataire | Firma | \
            Invoiced to | Invoice address | Billing information | Billing details | Client details | Customer details | Rechnungsempfänger/Kunde | \
            Empfänger | Auftraggeber | Client facturé | Facturer à | Adressé à | Cliente | Comprador | Facturar a | Facturado a | Datos del cliente | \
            Destinatario | Cessionario | Cessionario/committente | Committente | Spett.le | Spettabile | Intestatario | Klant | Koper | Afnemer | \
            Factuuradres | Factuur aan | Gefactureerd aan | Adquirente | Faturar a | Faturado a | Exmo Sr | Exmos Srs | Destinatário | \
            购买方 | 买方 | 客户 | 购货单位 | 付款方",
    ),
    (
        SomeoneElse,
        STRONG,
        "Warenempfänger | Abweichender Warenempfänger | Lieferadresse | Lieferanschrift | Lieferung an | \
            Zahlungsempfänger | Abweichender Zahlungsempfänger | Ship to | Deliver to | Delivery address | \
            Shipping address | Payee | Adresse de livraison | Lieu livraison | Steuervertreter | \
            Sales contact | Contact commercial | Ansprechpartner | Bearbeiter | \
            Contact | Kontakt | Sachbearbeiter | Shipped to | Delivered to | Remit to | Pay to | Account name | Account holder | Kontoinhaber | \
            Consignee | Livré à | Adresse d'expédition | Dirección de entrega | Enviar a | Indirizzo di consegna | Destinazione merce | \
            Luogo di consegna | Afleveradres | Leveringsadres | Contactpersoon | Endereço de entrega | Local de entrega | Morada de entrega | \
            Titulaire | Titular | Intestato a | Beneficiary | Bénéficiaire | Beneficiario | 收货方 | 收货人 | 送货地址",
    ),
    (
        Name,
        STRONG,
        "Name | Company | Company name | Firmenname | Nom | Raison sociale | Nombre | \
            Razón social | Ragione sociale | Denominazione | Naam | Bedrijfsnaam | Nome | Customer name | Client name | Kundenname | 名称 | 公司名称",
    ),
    (
        Other,
        STRONG,
        "Kundennummer | Kunden Nr | Customer number | Customer No | Customer ID | Lieferscheinnummer | \
            Lieferschein Nr | Lieferschein/Datum | Lieferschein-Nr/Datum | Delivery note/date | Auftragsnummer/Datum | Lieferschein-Datum | Delivery note No | Steuernummer | Steuer Nr | Tax number | \
            Tax No | USt-IdNr | USt-Id-Nr | USt-ID | UStID | VAT ID | VAT No | VAT number | \
            VAT registration No | TVA intracommunautaire | Numéro TVA | No TVA | No TVA client | Nummer | \
            Globale Nummer | GLN | Anschrift | Adresse | Address | Telefon | Tel | Phone | Fax | E-Mail | \
            Email | Bestelldatum | Bestell-Datum | Order date | Auftragsnummer | Auftrag-Nr | Auftrag-Datum | \
            Auftragsdatum | Seite | Page | Lief-Nr | Referenz | Reference | Steuersatz | MwSt % | USt % | \
            Tax rate | VAT rate | Rechnungsart | Rechnung gemäß | Rechnung für | Rechnung über | Invoice for | \
            Invoice to pay | Bruttopreis | Rabatt | Skonto | Discount | Leistungszeitraum | \
            Abrechnungszeitraum | Billing period | Konto Nr | Kontonummer | Account number | BLZ | Print date | \
            Druckdatum | Gesamtgewicht | Total weight | Facture liée | Original invoice | \
            Ursprüngliche Rechnung | Terms of payment | Payment terms | Zahlungsbedingungen | \
            Numéro client | No client | Code client | Conditions de paiement | Mode de règlement | Téléphone | Adresse e-mail | SIRET | SIREN | \
            Escompte | Remise | Date de commande | Date commande | Bon de livraison | Número de cliente | Cliente No | NIF | CIF | Dirección | Teléfono | \
            Página | Referencia | Albarán | Forma de pago | Condiciones de pago | Codice cliente | Cod cliente | Partita IVA | P IVA | Codice fiscale | \
            Indirizzo | Telefono | Pagina | Riferimento | DDT | Modalità di pagamento | Condizioni di pagamento | Banca | Sconto | \
            Klantnummer | Debiteurnummer | Btw nummer | Btw-id | KvK nummer | KvK | Adres | Telefoon | Referentie | Pakbon | \
            Betalingsvoorwaarden | Betalingstermijn | Korting | Código cliente | Contribuinte | Morada | Endereço | Telefone | Referência | \
            Guia de remessa | Condições de pagamento | Desconto | Fecha de pedido | Data ordine | Orderdatum | Besteldatum | Ship date | Shipping date | \
            Quote date | Quote No | Project No | Projektnummer | Mandatsreferenz | Gläubiger-ID | Handelsregister | Registration No | Company No | \
            Company registration No | VAT Reg No | ABN | EIN | Sort code | Routing No | Total quantity | Total items | Total hours | Gesamtmenge | \
            统一社会信用代码/纳税人识别号 | 纳税人识别号 | 开户银行 | 银行账号 | 地址 | 电话 | 备注 | 税率 | 开票人 | 收款人 | 复核",
    ),
];

/// Words before the number of an invoice which say that it is an earlier one: "to our", "replaces", "less", "relating to".
const ELSEWHERE: &str = "zu zur zum auf ersetzt ersetzen storniert stornieren korrigiert berichtigt bezieht bezug bezüglich abzgl abzüglich \
    ursprüngliche ursprünglichen vorherige vorherigen alte alten replaces replace replacing supersedes superseding cancels cancelling relates \
    relating related refers referring against corrects correcting correction less original previous earlier remplace remplaçant annule rectifie \
    corrige relatif relative concernant déduction origine initiale sustituye reemplaza anula rectifica relativa rectificada sostituisce annulla \
    rettifica storna riferimento riferita vervangt corrigeert crediteert oorspronkelijke substitui retifica referente 冲销 原";

pub(super) fn is_elsewhere(token: &str) -> bool {
    ELSEWHERE.split_whitespace().any(|it| it == token)
}

/// "Your", and "of the recipient".
const THEIRS: &str = "ihr ihre ihrer ihrem ihren ihres kunde kunden leistungsempfänger leistungsempfängers rechnungsempfänger \
    rechnungsempfängers empfängers auftraggebers käufers your customer customers client clients buyer buyers recipient recipients votre vos \
    acheteur preneur destinataire vuestra vuestro cliente comprador destinatario vostro vostra committente cessionario uw klant afnemer \
    vossa vosso adquirente destinatário 购买方";

pub(super) fn is_theirs(token: &str) -> bool {
    THEIRS.split_whitespace().any(|it| it == token)
}

/// An account, beside "your".
const ACCOUNT: &str =
    "konto kontos bankkonto girokonto bankverbindung account compte cuenta conto rekening bankrekening conta iban";

pub(super) fn is_account(token: &str) -> bool {
    ACCOUNT.split_whitespace().any(|it| it == token)
}

/// The beginnings of words for money that the seller fetches.
const DEBIT: &str = "abgebucht abbuch lastschrift sepa-lastschrift eingezogen einziehen einzug debited prélevé prélèvement domicili \
    adeudad cargaremos addebit geïncasseerd incasseren automatische debitad";

pub(super) fn is_debit(token: &str) -> bool {
    token == "debit" || DEBIT.split_whitespace().any(|it| token.starts_with(it))
}

/// Words of a discount for paying early, and words that say there is none.
const DISCOUNT: &str = "skonto discount escompte descuento sconto korting desconto 折扣";
const NO_DISCOUNT: &str = "netto net ohne kein keine without no sans sin senza zonder sem nr neto";

pub(super) fn is_discount(token: &str) -> bool {
    DISCOUNT.split_whitespace().any(|it| it == token)
}

pub(super) fn is_no_discount(token: &str) -> bool {
    NO_DISCOUNT.split_whitespace().any(|it| it == token)
}

/// Words between the number of a document and its date.
const OF: &str = "vom von of du del della van de di do da dated dd from am den le el il datum date fecha data";

pub(super) fn is_of(token: &str) -> bool {
    OF.split_whitespace().any(|it| it == token)
}

/// Words that are frequent on the invoices of a language (ISO 639-1).
pub(super) const FREQUENT: [(&str, &str); 8] = [
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
    (
        "es",
        "factura | y | el | los | las | del | para | con | fecha | importe | cantidad | descripción | precio | \
            cliente | pedido | vencimiento | iva | número | pago | base | imponible | unidades | concepto",
    ),
    (
        "it",
        "fattura | e | il | gli | di | del | della | per | con | data | importo | quantità | descrizione | prezzo | \
            cliente | ordine | scadenza | iva | numero | pagamento | imponibile | totale | aliquota",
    ),
    (
        "nl",
        "factuur | en | de | het | van | voor | met | datum | bedrag | aantal | omschrijving | prijs | totaal | \
            klant | btw | factuurnummer | factuurdatum | vervaldatum | betalen | binnen | dagen | uw | onze",
    ),
    (
        "pt",
        "fatura | e | o | os | do | da | para | com | data | valor | quantidade | descrição | preço | \
            cliente | encomenda | vencimento | iva | número | pagamento | artigo | desconto | não",
    ),
    (
        "zh",
        "发票号码 | 开票日期 | 名称 | 单价 | 数量 | 金额 | 税率 | 税额 | 合计 | 价税合计 | 备注 | 单位 | 规格型号 | 项目名称 | 开票人",
    ),
];

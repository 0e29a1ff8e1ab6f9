//! UN/CEFACT Cross Industry Invoice D16B, as EN 16931-3-3 binds it to the business terms (BT); and its forerunner in
//! ZUGFeRD 1, which has the same tree with other names.

use std::collections::BTreeMap;

use case::{Extraction, Field, FieldName, Format, LineField, VatField};
use roxmltree::Node;

use crate::fit;
use crate::harvest::{Account, Harvest, Value, decimal, identifier, is_charge};
use crate::values::{compact_date, machine_date, words};
use crate::xml::{Tree, all, first, text};

/// The elements that the two generations call differently.
struct Names {
    document: &'static str,
    transaction: &'static str,
    agreement: &'static str,
    delivery: &'static str,
    settlement: &'static str,
    line_agreement: &'static str,
    line_delivery: &'static str,
    line_settlement: &'static str,
    totals: &'static str,
    line_totals: &'static str,
    rate: &'static str,
}

const D16B: Names = Names {
    document: "ExchangedDocument",
    transaction: "SupplyChainTradeTransaction",
    agreement: "ApplicableHeaderTradeAgreement",
    delivery: "ApplicableHeaderTradeDelivery",
    settlement: "ApplicableHeaderTradeSettlement",
    line_agreement: "SpecifiedLineTradeAgreement",
    line_delivery: "SpecifiedLineTradeDelivery",
    line_settlement: "SpecifiedLineTradeSettlement",
    totals: "SpecifiedTradeSettlementHeaderMonetarySummation",
    line_totals: "SpecifiedTradeSettlementLineMonetarySummation",
    rate: "RateApplicablePercent",
};

const ZUGFERD_1: Names = Names {
    document: "HeaderExchangedDocument",
    transaction: "SpecifiedSupplyChainTradeTransaction",
    agreement: "ApplicableSupplyChainTradeAgreement",
    delivery: "ApplicableSupplyChainTradeDelivery",
    settlement: "ApplicableSupplyChainTradeSettlement",
    line_agreement: "SpecifiedSupplyChainTradeAgreement",
    line_delivery: "SpecifiedSupplyChainTradeDelivery",
    line_settlement: "SpecifiedSupplyChainTradeSettlement",
    totals: "SpecifiedTradeSettlementMonetarySummation",
    line_totals: "SpecifiedTradeSettlementMonetarySummation",
    rate: "ApplicablePercent",
};

pub(crate) fn read(tree: &Tree, root: Node<'_, '_>) -> Extraction {
    let names = if root.tag_name().name() == "CrossIndustryDocument" { &ZUGFERD_1 } else { &D16B };
    let mut it = Harvest::new(tree, Format::Cii);
    if let Some(document) = it.part(root, names.document) {
        it.take(FieldName::Number, document, "ID", words);
        it.take(FieldName::TypeCode, document, "TypeCode", words);
        day(&mut it, FieldName::IssueDate, document, "IssueDateTime/DateTimeString");
    }
    let Some(transaction) = it.part(root, names.transaction) else { return it.finish(false) };
    if let Some(agreement) = it.part(transaction, names.agreement) {
        agreement_fields(&mut it, agreement);
    }
    if let Some(delivery) = it.part(transaction, names.delivery) {
        let path = "ActualDeliverySupplyChainEvent/OccurrenceDateTime/DateTimeString";
        day(&mut it, FieldName::DeliveryDate, delivery, path);
    }
    if let Some(settlement) = it.part(transaction, names.settlement) {
        settlement_fields(&mut it, settlement, names);
    }
    let mut lines = all(transaction, "IncludedSupplyChainTradeLineItem");
    // Headings and remarks among the lines, which Factur-X EXTENDED knows, charge nothing of their own.
    lines.retain(|it| {
        let status = first(*it, "AssociatedDocumentLineDocument/LineStatusReasonCode");
        !status.is_some_and(|it| matches!(text(it).trim(), "GROUP" | "INFORMATION"))
    });
    let n_read = fit::lines(&mut it.answer, lines.len());
    for node in lines.into_iter().take(n_read) {
        let fields = line(&mut it, node, names);
        it.answer.lines.push(fields);
    }
    it.finish(false)
}

/// A day in format 102 of UN/EDIFACT 2379, or as ISO 8601 writes it.
fn day(it: &mut Harvest<'_>, name: FieldName, node: Node<'_, '_>, path: &str) {
    let known = first(node, path).is_none_or(|it| it.attribute("format").is_none_or(|it| it.trim() == "102"));
    let read: Value = |text| compact_date(text).or_else(|| machine_date(text));
    it.take(name, node, path, if known { read } else { |_| None });
}

fn agreement_fields(it: &mut Harvest<'_>, agreement: Node<'_, '_>) {
    use FieldName::*;
    it.take(BuyerRef, agreement, "BuyerReference", words);
    it.take(OrderRef, agreement, "BuyerOrderReferencedDocument/ID", words);
    it.take(OrderRef, agreement, "BuyerOrderReferencedDocument/IssuerAssignedID", words);
    it.take(ContractRef, agreement, "ContractReferencedDocument/ID", words);
    it.take(ContractRef, agreement, "ContractReferencedDocument/IssuerAssignedID", words);
    for (party, [name, vat_id, tax_id, country]) in [
        ("SellerTradeParty", [SellerName, SellerVatId, SellerTaxId, SellerCountry]),
        ("BuyerTradeParty", [BuyerName, BuyerVatId, BuyerTaxId, BuyerCountry]),
    ] {
        if let Some(party) = it.part(agreement, party) {
            it.take(name, party, "Name", words);
            it.take(country, party, "PostalTradeAddress/CountryID", words);
            for (name, scheme) in [(vat_id, "VA"), (tax_id, "FC")] {
                let ids = all(party, "SpecifiedTaxRegistration/ID").into_iter();
                let ids = ids.filter(|it| it.attribute("schemeID").is_some_and(|it| it.trim() == scheme));
                it.alike(name, ids.collect(), identifier);
            }
        }
    }
}

fn settlement_fields(it: &mut Harvest<'_>, settlement: Node<'_, '_>, names: &Names) {
    use FieldName::*;
    it.take(Currency, settlement, "InvoiceCurrencyCode", words);
    day(it, DueDate, settlement, "SpecifiedTradePaymentTerms/DueDateDateTime/DateTimeString");
    // Of the whole document; a line may have a period of its own.
    day(it, PeriodFrom, settlement, "BillingSpecifiedPeriod/StartDateTime/DateTimeString");
    day(it, PeriodTo, settlement, "BillingSpecifiedPeriod/EndDateTime/DateTimeString");
    it.take(PaymentTerms, settlement, "SpecifiedTradePaymentTerms/Description", words);
    it.take(PrecedingInvoice, settlement, "InvoiceReferencedDocument/IssuerAssignedID", words);
    // The payee's account only; the one that a direct debit draws on is the buyer's.
    const PLACES: Account = Account {
        code: "TypeCode",
        account: &["PayeePartyCreditorFinancialAccount/ProprietaryID", "PayeePartyCreditorFinancialAccount/IBANID"],
        bank: "PayeeSpecifiedCreditorFinancialInstitution/BICID",
        value: identifier,
    };
    it.account(&all(settlement, "SpecifiedTradeSettlementPaymentMeans"), &PLACES);
    let groups = all(settlement, "ApplicableTradeTax");
    let n_read = fit::groups(&mut it.answer, groups.len());
    for group in groups.into_iter().take(n_read) {
        let fields = it.pick(
            group,
            &[
                (VatField::Category, "CategoryCode", words),
                (VatField::Rate, names.rate, decimal),
                (VatField::Taxable, "BasisAmount", decimal),
                (VatField::Tax, "CalculatedAmount", decimal),
            ],
        );
        it.answer.fields.vat_breakdown.push(fields);
    }
    if let Some(totals) = it.part(settlement, names.totals) {
        for (name, path) in [
            (LineTotal, "LineTotalAmount"),
            (AllowanceTotal, "AllowanceTotalAmount"),
            (ChargeTotal, "ChargeTotalAmount"),
            (NetTotal, "TaxBasisTotalAmount"),
            (GrossTotal, "GrandTotalAmount"),
            (Prepaid, "TotalPrepaidAmount"),
            (Rounding, "RoundingAmount"),
            (Payable, "DuePayableAmount"),
        ] {
            it.take(name, totals, path, decimal);
        }
        // A second total may give the VAT in the currency of the books (BT-111); BT-110 is in the invoice's own.
        let currency = it.answer.text(Currency).unwrap_or_default().to_owned();
        let taxes = all(totals, "TaxTotalAmount");
        let (own, other): (Vec<_>, Vec<_>) =
            taxes.into_iter().partition(|it| it.attribute("currencyID").is_some_and(|it| it.trim() == currency));
        let stated = if own.is_empty() { other.into_iter().take(1).collect() } else { own };
        it.alike(TaxTotal, stated, decimal);
    }
}

fn line(it: &mut Harvest<'_>, line: Node<'_, '_>, names: &Names) -> BTreeMap<LineField, Field> {
    use LineField::*;
    let mut fields = it.pick(line, &[(Id, "AssociatedDocumentLineDocument/LineID", words)]);
    if let Some(product) = it.part(line, "SpecifiedTradeProduct") {
        // The buyer's own number of the item is the one in the buyer's order; the seller's is the next best.
        let paths: [(LineField, &str, Value); 4] = [
            (Name, "Name", words),
            (Item, "GlobalID", words),
            (Item, "SellerAssignedID", words),
            (Item, "BuyerAssignedID", words),
        ];
        fields.extend(it.pick(product, &paths));
    }
    if let Some(agreement) = it.part(line, names.line_agreement) {
        let paths: [(LineField, &str, Value); 5] = [
            (UnitPrice, "NetPriceProductTradePrice/ChargeAmount", decimal),
            (PriceBase, "GrossPriceProductTradePrice/BasisQuantity", decimal),
            (PriceBase, "NetPriceProductTradePrice/BasisQuantity", decimal),
            (OrderLine, "BuyerOrderReferencedDocument/LineID", words),
            (OrderRef, "BuyerOrderReferencedDocument/IssuerAssignedID", words),
        ];
        fields.extend(it.pick(agreement, &paths));
    }
    if let Some(quantity) =
        it.part(line, names.line_delivery).and_then(|delivery| it.single(delivery, "BilledQuantity"))
    {
        fields.extend(it.field(quantity, decimal).map(|it| (Quantity, it)));
        fields.extend(it.attribute(quantity, "unitCode").map(|it| (Unit, it)));
    }
    if let Some(settlement) = it.part(line, names.line_settlement) {
        let net = format!("{}/LineTotalAmount", names.line_totals);
        let rate = format!("ApplicableTradeTax/{}", names.rate);
        let paths: [(LineField, &str, Value); 3] = [
            (NetAmount, &net, decimal),
            (VatCategory, "ApplicableTradeTax/CategoryCode", words),
            (VatRate, &rate, decimal),
        ];
        fields.extend(it.pick(settlement, &paths));
        for (name, charge) in [(Allowance, false), (Charge, true)] {
            let amounts: Vec<Node<'_, '_>> = all(settlement, "SpecifiedTradeAllowanceCharge")
                .into_iter()
                .filter(|it| {
                    first(*it, "ChargeIndicator/Indicator").and_then(|it| is_charge(&text(it))) == Some(charge)
                })
                .filter_map(|it| first(it, "ActualAmount"))
                .collect();
            fields.extend(it.sum(&amounts).map(|it| (name, it)));
        }
    }
    fields
}

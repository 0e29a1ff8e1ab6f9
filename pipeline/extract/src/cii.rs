//! UN/CEFACT Cross Industry Invoice D16B, as EN 16931-3-3 binds it to the business terms (BT); and its forerunner in
//! ZUGFeRD 1, which has the same tree with other names.

use std::collections::BTreeMap;

use case::{Extraction, Field, FieldName, Format, LineField, VatField};
use roxmltree::Node;

use crate::fit;
use crate::harvest::{Harvest, Value, by_worth, decimal, identifier};
use crate::values::{date, words};
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
    let part = |path: &str| all(root, path).into_iter().next();
    if let Some(document) = part(names.document) {
        it.take(FieldName::Number, document, "ID", words);
        it.take(FieldName::TypeCode, document, "TypeCode", words);
        it.take(FieldName::IssueDate, document, "IssueDateTime/DateTimeString", date);
    }
    let Some(transaction) = part(names.transaction) else { return it.finish(false) };
    let part = |path: &str| all(transaction, path).into_iter().next();
    if let Some(agreement) = part(names.agreement) {
        agreement_fields(&mut it, agreement);
    }
    if let Some(delivery) = part(names.delivery) {
        let path = "ActualDeliverySupplyChainEvent/OccurrenceDateTime/DateTimeString";
        it.take(FieldName::DeliveryDate, delivery, path, date);
    }
    if let Some(settlement) = part(names.settlement) {
        settlement_fields(&mut it, settlement, names);
    }
    let lines = all(transaction, "IncludedSupplyChainTradeLineItem");
    let n_read = fit::lines(&mut it.answer, lines.len());
    for node in lines.into_iter().take(n_read) {
        let fields = line(&mut it, node, names);
        it.answer.lines.push(fields);
    }
    it.finish(false)
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
        for party in all(agreement, party).into_iter().take(1) {
            it.take(name, party, "Name", words);
            it.take(country, party, "PostalTradeAddress/CountryID", words);
            for id in all(party, "SpecifiedTaxRegistration/ID").into_iter().rev() {
                let name = match id.attribute("schemeID").map(str::trim) {
                    Some("VA") => vat_id,
                    Some("FC") => tax_id,
                    _ => continue,
                };
                let field = it.field(id, identifier);
                it.answer.fields.single.extend(field.map(|it| (name, it)));
            }
        }
    }
}

fn settlement_fields(it: &mut Harvest<'_>, settlement: Node<'_, '_>, names: &Names) {
    use FieldName::*;
    it.take(Currency, settlement, "InvoiceCurrencyCode", words);
    it.take(DueDate, settlement, "SpecifiedTradePaymentTerms/DueDateDateTime/DateTimeString", date);
    it.take(PaymentTerms, settlement, "SpecifiedTradePaymentTerms/Description", words);
    it.take(PrecedingInvoice, settlement, "InvoiceReferencedDocument/IssuerAssignedID", words);
    // The payee's account only; the one that a direct debit draws on is the buyer's.
    for means in by_worth(all(settlement, "SpecifiedTradeSettlementPaymentMeans"), "TypeCode") {
        it.take(Iban, means, "PayeePartyCreditorFinancialAccount/ProprietaryID", identifier);
        it.take(Iban, means, "PayeePartyCreditorFinancialAccount/IBANID", identifier);
        it.take(Bic, means, "PayeeSpecifiedCreditorFinancialInstitution/BICID", identifier);
    }
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
    for totals in all(settlement, names.totals).into_iter().take(1) {
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
        let own = taxes.iter().find(|it| it.attribute("currencyID").is_some_and(|it| it.trim() == currency));
        let field = own.or(taxes.first()).and_then(|node| it.field(*node, decimal));
        it.answer.fields.single.extend(field.map(|it| (TaxTotal, it)));
    }
}

fn line(it: &mut Harvest<'_>, line: Node<'_, '_>, names: &Names) -> BTreeMap<LineField, Field> {
    use LineField::*;
    let mut fields = it.pick(line, &[(Id, "AssociatedDocumentLineDocument/LineID", words)]);
    let part = |name: &str| all(line, name).into_iter().next();
    if let Some(product) = part("SpecifiedTradeProduct") {
        // The buyer's own number of the item is the one in the buyer's order; the seller's is the next best.
        let paths: [(LineField, &str, Value); 4] = [
            (Name, "Name", words),
            (Item, "GlobalID", words),
            (Item, "SellerAssignedID", words),
            (Item, "BuyerAssignedID", words),
        ];
        fields.extend(it.pick(product, &paths));
    }
    if let Some(agreement) = part(names.line_agreement) {
        let paths: [(LineField, &str, Value); 5] = [
            (UnitPrice, "NetPriceProductTradePrice/ChargeAmount", decimal),
            (PriceBase, "GrossPriceProductTradePrice/BasisQuantity", decimal),
            (PriceBase, "NetPriceProductTradePrice/BasisQuantity", decimal),
            (OrderLine, "BuyerOrderReferencedDocument/LineID", words),
            (OrderRef, "BuyerOrderReferencedDocument/IssuerAssignedID", words),
        ];
        fields.extend(it.pick(agreement, &paths));
    }
    if let Some(quantity) = part(names.line_delivery).and_then(|it| first(it, "BilledQuantity")) {
        fields.extend(it.field(quantity, decimal).map(|it| (Quantity, it)));
        fields.extend(it.attribute(quantity, "unitCode").map(|it| (Unit, it)));
    }
    if let Some(settlement) = part(names.line_settlement) {
        let net = format!("{}/LineTotalAmount", names.line_totals);
        let rate = format!("ApplicableTradeTax/{}", names.rate);
        let paths: [(LineField, &str, Value); 3] = [
            (NetAmount, &net, decimal),
            (VatCategory, "ApplicableTradeTax/CategoryCode", words),
            (VatRate, &rate, decimal),
        ];
        fields.extend(it.pick(settlement, &paths));
        for (name, charge) in [(Allowance, "false"), (Charge, "true")] {
            let amounts: Vec<Node<'_, '_>> = all(settlement, "SpecifiedTradeAllowanceCharge")
                .into_iter()
                .filter(|it| first(*it, "ChargeIndicator/Indicator").is_some_and(|it| text(it).trim() == charge))
                .filter_map(|it| first(it, "ActualAmount"))
                .collect();
            fields.extend(it.sum(&amounts).map(|it| (name, it)));
        }
    }
    fields
}

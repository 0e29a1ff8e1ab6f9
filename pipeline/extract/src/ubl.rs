//! UBL 2.1 Invoice and CreditNote, as EN 16931-3-2 binds them to the business terms (BT) of an invoice.

use std::collections::BTreeMap;

use case::{Extraction, Field, FieldName, Format, LineField, VatField};
use roxmltree::Node;

use crate::fit;
use crate::harvest::{Account, Harvest, decimal, identifier, is_charge};
use crate::values::{machine_date, words};
use crate::xml::{Tree, all, first, text};

pub(crate) fn read(tree: &Tree, root: Node<'_, '_>) -> Extraction {
    let mut it = Harvest::new(tree, Format::Ubl);
    let credit = root.tag_name().name() == "CreditNote";
    header(&mut it, root, credit);
    parties(&mut it, root);
    payment(&mut it, root);
    totals(&mut it, root);
    let lines = all(root, if credit { "CreditNoteLine" } else { "InvoiceLine" });
    let n_read = fit::lines(&mut it.answer, lines.len());
    for node in lines.into_iter().take(n_read) {
        let fields = line(&mut it, node);
        it.answer.lines.push(fields);
    }
    it.finish(credit)
}

fn header(it: &mut Harvest<'_>, root: Node<'_, '_>, credit: bool) {
    use FieldName::*;
    it.take(Number, root, "ID", words);
    it.take(TypeCode, root, if credit { "CreditNoteTypeCode" } else { "InvoiceTypeCode" }, words);
    it.take(IssueDate, root, "IssueDate", machine_date);
    // A credit note has no due date of its own; its payment means has.
    it.take(DueDate, root, "PaymentMeans/PaymentDueDate", machine_date);
    it.take(DueDate, root, "DueDate", machine_date);
    it.take(DeliveryDate, root, "Delivery/ActualDeliveryDate", machine_date);
    // Of the whole document; a line may have a period of its own.
    it.take(PeriodFrom, root, "InvoicePeriod/StartDate", machine_date);
    it.take(PeriodTo, root, "InvoicePeriod/EndDate", machine_date);
    it.take(Currency, root, "DocumentCurrencyCode", words);
    it.take(OrderRef, root, "OrderReference/ID", words);
    it.take(ContractRef, root, "ContractDocumentReference/ID", words);
    it.take(BuyerRef, root, "BuyerReference", words);
    it.take(PrecedingInvoice, root, "BillingReference/InvoiceDocumentReference/ID", words);
    it.take(PaymentTerms, root, "PaymentTerms/Note", words);
}

fn parties(it: &mut Harvest<'_>, root: Node<'_, '_>) {
    use FieldName::*;
    for (party, [name, vat_id, tax_id, country]) in [
        ("AccountingSupplierParty/Party", [SellerName, SellerVatId, SellerTaxId, SellerCountry]),
        ("AccountingCustomerParty/Party", [BuyerName, BuyerVatId, BuyerTaxId, BuyerCountry]),
    ] {
        if let Some(party) = it.part(root, party) {
            // The trading name stands in for the registered one where that is missing.
            it.take(name, party, "PartyName/Name", words);
            it.take(name, party, "PartyLegalEntity/RegistrationName", words);
            it.take(country, party, "PostalAddress/Country/IdentificationCode", words);
            let is_vat = |it: &Node<'_, '_>| {
                first(*it, "TaxScheme/ID").is_some_and(|it| text(it).trim().eq_ignore_ascii_case("VAT"))
            };
            let schemes = all(party, "PartyTaxScheme");
            let (vat, other): (Vec<_>, Vec<_>) = schemes.into_iter().partition(is_vat);
            for (name, schemes) in [(vat_id, vat), (tax_id, other)] {
                let ids = schemes.into_iter().filter_map(|it| first(it, "CompanyID")).collect();
                it.alike(name, ids, identifier);
            }
        }
    }
}

fn payment(it: &mut Harvest<'_>, root: Node<'_, '_>) {
    // The payee's account only; the one that a direct debit draws on is the buyer's.
    const PLACES: Account = Account {
        code: "PaymentMeansCode",
        account: &["PayeeFinancialAccount/ID"],
        bank: "PayeeFinancialAccount/FinancialInstitutionBranch/ID",
        value: identifier,
    };
    it.account(&all(root, "PaymentMeans"), &PLACES);
}

fn totals(it: &mut Harvest<'_>, root: Node<'_, '_>) {
    use FieldName::*;
    for (name, path) in [
        (LineTotal, "LegalMonetaryTotal/LineExtensionAmount"),
        (AllowanceTotal, "LegalMonetaryTotal/AllowanceTotalAmount"),
        (ChargeTotal, "LegalMonetaryTotal/ChargeTotalAmount"),
        (NetTotal, "LegalMonetaryTotal/TaxExclusiveAmount"),
        (GrossTotal, "LegalMonetaryTotal/TaxInclusiveAmount"),
        (Prepaid, "LegalMonetaryTotal/PrepaidAmount"),
        (Rounding, "LegalMonetaryTotal/PayableRoundingAmount"),
        (Payable, "LegalMonetaryTotal/PayableAmount"),
    ] {
        it.take(name, root, path, decimal);
    }
    // A second total may give the VAT in the currency of the books (BT-111); BT-110 is in the invoice's own.
    let currency = it.answer.text(Currency).unwrap_or_default().to_owned();
    let totals = all(root, "TaxTotal");
    let own = |total: &Node<'_, '_>| {
        all(*total, "TaxAmount").iter().any(|it| it.attribute("currencyID").is_some_and(|it| it.trim() == currency))
    };
    let own: Vec<Node<'_, '_>> = totals.iter().copied().filter(own).collect();
    let Some(total) = own.first().or(totals.first()) else { return };
    let stated = if own.is_empty() { vec![*total] } else { own.clone() };
    it.alike(TaxTotal, stated.into_iter().filter_map(|it| first(it, "TaxAmount")).collect(), decimal);
    let groups = all(*total, "TaxSubtotal");
    let n_read = fit::groups(&mut it.answer, groups.len());
    for group in groups.into_iter().take(n_read) {
        let fields = it.pick(
            group,
            &[
                (VatField::Category, "TaxCategory/ID", words),
                (VatField::Rate, "TaxCategory/Percent", decimal),
                (VatField::Taxable, "TaxableAmount", decimal),
                (VatField::Tax, "TaxAmount", decimal),
            ],
        );
        it.answer.fields.vat_breakdown.push(fields);
    }
}

fn line(it: &mut Harvest<'_>, line: Node<'_, '_>) -> BTreeMap<LineField, Field> {
    use LineField::*;
    let mut fields = it.pick(
        line,
        &[
            (Id, "ID", words),
            (Name, "Item/Name", words),
            (Quantity, "InvoicedQuantity", decimal),
            (Quantity, "CreditedQuantity", decimal),
            (UnitPrice, "Price/PriceAmount", decimal),
            (PriceBase, "Price/BaseQuantity", decimal),
            (NetAmount, "LineExtensionAmount", decimal),
            (VatCategory, "Item/ClassifiedTaxCategory/ID", words),
            (VatRate, "Item/ClassifiedTaxCategory/Percent", decimal),
            (OrderLine, "OrderLineReference/LineID", words),
            (OrderRef, "OrderLineReference/OrderReference/ID", words),
            // The buyer's own number of the item is the one in the buyer's order; the seller's is the next best.
            (Item, "Item/StandardItemIdentification/ID", words),
            (Item, "Item/SellersItemIdentification/ID", words),
            (Item, "Item/BuyersItemIdentification/ID", words),
        ],
    );
    let quantity = first(line, "InvoicedQuantity").or_else(|| first(line, "CreditedQuantity"));
    fields.extend(quantity.and_then(|node| it.attribute(node, "unitCode")).map(|it| (Unit, it)));
    for (name, charge) in [(Allowance, false), (Charge, true)] {
        let amounts: Vec<Node<'_, '_>> = all(line, "AllowanceCharge")
            .into_iter()
            .filter(|it| first(*it, "ChargeIndicator").and_then(|it| is_charge(&text(it))) == Some(charge))
            .filter_map(|it| first(it, "Amount"))
            .collect();
        fields.extend(it.sum(&amounts).map(|it| (name, it)));
    }
    fields
}

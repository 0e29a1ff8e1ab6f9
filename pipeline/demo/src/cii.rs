use jiff::civil::Date;

use crate::invoice::{Invoice, Line, Party, plain};
use crate::ubl::stated_vat_id;
use crate::xml::{self, Xml};

const GUIDELINE: &str = "urn:cen.eu:en16931:2017";
const NAMESPACES: [(&str, &str); 3] = [
    ("xmlns:rsm", "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"),
    ("xmlns:ram", "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"),
    ("xmlns:udt", "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"),
];

/// A CII D16B CrossIndustryInvoice, also what Factur-X carries.
pub(crate) fn document(invoice: &Invoice) -> String {
    xml::document("rsm:CrossIndustryInvoice", &NAMESPACES, |x| {
        x.group("rsm:ExchangedDocumentContext", |x| {
            x.group("ram:GuidelineSpecifiedDocumentContextParameter", |x| x.leaf("ram:ID", GUIDELINE));
        });
        x.group("rsm:ExchangedDocument", |x| {
            x.leaf("ram:ID", &invoice.number);
            x.leaf("ram:TypeCode", if invoice.credit_note { "381" } else { "380" });
            date(x, "ram:IssueDateTime", invoice.issue_date);
        });
        x.group("rsm:SupplyChainTradeTransaction", |x| {
            for (line_idx, each) in invoice.lines.iter().enumerate() {
                line(x, line_idx + 1, each);
            }
            agreement(x, invoice);
            delivery(x, invoice);
            settlement(x, invoice);
        });
    })
}

fn line(x: &mut Xml, number: usize, line: &Line) {
    x.group("ram:IncludedSupplyChainTradeLineItem", |x| {
        x.group("ram:AssociatedDocumentLineDocument", |x| x.leaf("ram:LineID", &number.to_string()));
        x.group("ram:SpecifiedTradeProduct", |x| x.leaf("ram:Name", &line.name));
        x.group("ram:SpecifiedLineTradeAgreement", |x| {
            if let Some(order_line) = &line.order_line {
                x.group("ram:BuyerOrderReferencedDocument", |x| x.leaf("ram:LineID", order_line));
            }
            x.group("ram:NetPriceProductTradePrice", |x| x.leaf("ram:ChargeAmount", &line.unit_price.to_string()));
        });
        x.group("ram:SpecifiedLineTradeDelivery", |x| {
            x.leaf_with("ram:BilledQuantity", &[("unitCode", &line.unit)], &line.quantity.normalize().to_string());
        });
        x.group("ram:SpecifiedLineTradeSettlement", |x| {
            x.group("ram:ApplicableTradeTax", |x| {
                x.leaf("ram:TypeCode", "VAT");
                x.leaf("ram:CategoryCode", line.vat.category());
                if let Some(rate) = line.vat.stated_rate() {
                    x.leaf("ram:RateApplicablePercent", &rate);
                }
            });
            x.group("ram:SpecifiedTradeSettlementLineMonetarySummation", |x| {
                x.leaf("ram:LineTotalAmount", &plain(line.net_amount()));
            });
        });
    });
}

fn agreement(x: &mut Xml, invoice: &Invoice) {
    x.group("ram:ApplicableHeaderTradeAgreement", |x| {
        x.leaf("ram:BuyerReference", &invoice.buyer_ref);
        x.group("ram:SellerTradeParty", |x| party(x, &invoice.seller, invoice));
        x.group("ram:BuyerTradeParty", |x| party(x, &invoice.buyer, invoice));
        if let Some(order) = &invoice.order_ref {
            x.group("ram:BuyerOrderReferencedDocument", |x| x.leaf("ram:IssuerAssignedID", order));
        }
    });
}

fn party(x: &mut Xml, party: &Party, invoice: &Invoice) {
    x.leaf("ram:Name", &party.name);
    if let Some(register) = &party.register {
        x.group("ram:SpecifiedLegalOrganization", |x| match party.register_scheme() {
            Some(scheme) => x.leaf_with("ram:ID", &[("schemeID", scheme)], register),
            None => x.leaf("ram:ID", register),
        });
    }
    x.group("ram:DefinedTradeContact", |x| {
        x.leaf("ram:PersonName", &party.contact);
        x.group("ram:TelephoneUniversalCommunication", |x| x.leaf("ram:CompleteNumber", &party.phone));
        x.group("ram:EmailURIUniversalCommunication", |x| x.leaf("ram:URIID", &party.email));
    });
    x.group("ram:PostalTradeAddress", |x| address(x, party));
    x.group("ram:URIUniversalCommunication", |x| x.leaf_with("ram:URIID", &[("schemeID", "EM")], &party.email));
    if let Some(vat_id) = stated_vat_id(party, invoice) {
        x.group("ram:SpecifiedTaxRegistration", |x| x.leaf_with("ram:ID", &[("schemeID", "VA")], vat_id));
    }
}

fn address(x: &mut Xml, party: &Party) {
    x.leaf("ram:PostcodeCode", &party.postcode);
    x.leaf("ram:LineOne", &party.street);
    x.leaf("ram:CityName", &party.city);
    x.leaf("ram:CountryID", &party.country);
}

fn delivery(x: &mut Xml, invoice: &Invoice) {
    x.group("ram:ApplicableHeaderTradeDelivery", |x| {
        x.group("ram:ShipToTradeParty", |x| {
            x.leaf("ram:Name", &invoice.buyer.name);
            x.group("ram:PostalTradeAddress", |x| address(x, &invoice.buyer));
        });
        x.group("ram:ActualDeliverySupplyChainEvent", |x| date(x, "ram:OccurrenceDateTime", invoice.delivery_date));
    });
}

fn settlement(x: &mut Xml, invoice: &Invoice) {
    let totals = invoice.totals();
    x.group("ram:ApplicableHeaderTradeSettlement", |x| {
        x.leaf("ram:PaymentReference", &invoice.number);
        x.leaf("ram:InvoiceCurrencyCode", &invoice.currency);
        payment_means(x, &invoice.seller);
        for group in &totals.tax {
            x.group("ram:ApplicableTradeTax", |x| {
                x.leaf("ram:CalculatedAmount", &plain(group.tax));
                x.leaf("ram:TypeCode", "VAT");
                if let Some((_, words)) = group.vat.exemption() {
                    x.leaf("ram:ExemptionReason", words);
                }
                x.leaf("ram:BasisAmount", &plain(group.taxable));
                x.leaf("ram:CategoryCode", group.vat.category());
                if let Some((code, _)) = group.vat.exemption() {
                    x.leaf("ram:ExemptionReasonCode", code);
                }
                if let Some(rate) = group.vat.stated_rate() {
                    x.leaf("ram:RateApplicablePercent", &rate);
                }
            });
        }
        x.group("ram:SpecifiedTradePaymentTerms", |x| {
            x.leaf("ram:Description", &format!("Payable by {} without deduction", invoice.due_date));
            date(x, "ram:DueDateDateTime", invoice.due_date);
        });
        x.group("ram:SpecifiedTradeSettlementHeaderMonetarySummation", |x| {
            x.leaf("ram:LineTotalAmount", &plain(totals.net_total));
            x.leaf("ram:TaxBasisTotalAmount", &plain(totals.net_total));
            x.leaf_with("ram:TaxTotalAmount", &[("currencyID", &invoice.currency)], &plain(totals.tax_total));
            x.leaf("ram:GrandTotalAmount", &plain(totals.gross_total));
            x.leaf("ram:DuePayableAmount", &plain(totals.gross_total));
        });
        if let Some(preceding) = &invoice.preceding {
            x.group("ram:InvoiceReferencedDocument", |x| x.leaf("ram:IssuerAssignedID", preceding));
        }
    });
}

fn payment_means(x: &mut Xml, seller: &Party) {
    let Some(account) = &seller.account else { return };
    x.group("ram:SpecifiedTradeSettlementPaymentMeans", |x| {
        x.leaf("ram:TypeCode", if seller.banks_by_iban() { "58" } else { "30" });
        x.group("ram:PayeePartyCreditorFinancialAccount", |x| {
            if seller.banks_by_iban() {
                x.leaf("ram:IBANID", account);
            }
            x.leaf("ram:AccountName", &seller.name);
            if !seller.banks_by_iban() {
                x.leaf("ram:ProprietaryID", account);
            }
        });
        if let Some(bic) = &seller.bic {
            x.group("ram:PayeeSpecifiedCreditorFinancialInstitution", |x| x.leaf("ram:BICID", bic));
        }
    });
}

fn date(x: &mut Xml, name: &str, date: Date) {
    let digits = date.strftime("%Y%m%d").to_string();
    x.group(name, |x| x.leaf_with("udt:DateTimeString", &[("format", "102")], &digits));
}

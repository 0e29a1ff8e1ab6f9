use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::invoice::{Invoice, Line, Party, Vat, plain};
use crate::xml::{self, Xml};

const CUSTOMIZATION: &str = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0";
const PROFILE: &str = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0";

/// A UBL 2.1 Invoice or CreditNote. The two differ in their names, in the type code and in where the due date stands.
pub(crate) fn document(invoice: &Invoice) -> String {
    let root = if invoice.credit_note { "CreditNote" } else { "Invoice" };
    let namespace = format!("urn:oasis:names:specification:ubl:schema:xsd:{root}-2");
    let namespaces = [
        ("xmlns", namespace.as_str()),
        ("xmlns:cac", "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"),
        ("xmlns:cbc", "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"),
    ];
    xml::document(root, &namespaces, |x| {
        header(x, invoice);
        x.group("cac:AccountingSupplierParty", |x| party(x, &invoice.seller, invoice));
        x.group("cac:AccountingCustomerParty", |x| party(x, &invoice.buyer, invoice));
        delivery(x, invoice);
        payment(x, invoice);
        totals(x, invoice);
        for (line_idx, each) in invoice.lines.iter().enumerate() {
            line(x, invoice, line_idx + 1, each);
        }
    })
}

fn header(x: &mut Xml, invoice: &Invoice) {
    x.leaf("cbc:CustomizationID", CUSTOMIZATION);
    x.leaf("cbc:ProfileID", PROFILE);
    x.leaf("cbc:ID", &invoice.number);
    x.leaf("cbc:IssueDate", &iso(invoice.issue_date));
    if invoice.credit_note {
        x.leaf("cbc:CreditNoteTypeCode", "381");
    } else {
        x.leaf("cbc:DueDate", &iso(invoice.due_date));
        x.leaf("cbc:InvoiceTypeCode", "380");
    }
    x.leaf("cbc:DocumentCurrencyCode", &invoice.currency);
    x.leaf("cbc:BuyerReference", &invoice.buyer_ref);
    if let Some(order) = &invoice.order_ref {
        x.group("cac:OrderReference", |x| x.leaf("cbc:ID", order));
    }
    if let Some(preceding) = &invoice.preceding {
        x.group("cac:BillingReference", |x| x.group("cac:InvoiceDocumentReference", |x| x.leaf("cbc:ID", preceding)));
    }
}

fn party(x: &mut Xml, party: &Party, invoice: &Invoice) {
    x.group("cac:Party", |x| {
        let (scheme, id) = party.network_address();
        x.leaf_with("cbc:EndpointID", &[("schemeID", scheme)], &id);
        x.group("cac:PartyName", |x| x.leaf("cbc:Name", &party.name));
        x.group("cac:PostalAddress", |x| address(x, party));
        if let Some(vat_id) = stated_vat_id(party, invoice) {
            x.group("cac:PartyTaxScheme", |x| {
                x.leaf("cbc:CompanyID", vat_id);
                vat_scheme(x);
            });
        }
        x.group("cac:PartyLegalEntity", |x| {
            x.leaf("cbc:RegistrationName", &party.name);
            match (&party.register, party.register_scheme()) {
                (Some(register), Some(scheme)) => x.leaf_with("cbc:CompanyID", &[("schemeID", scheme)], register),
                (Some(register), None) => x.leaf("cbc:CompanyID", register),
                (None, _) => {}
            }
        });
        x.group("cac:Contact", |x| {
            x.leaf("cbc:Name", &party.contact);
            x.leaf("cbc:Telephone", &party.phone);
            x.leaf("cbc:ElectronicMail", &party.email);
        });
    });
}

fn address(x: &mut Xml, party: &Party) {
    x.leaf("cbc:StreetName", &party.street);
    x.leaf("cbc:CityName", &party.city);
    x.leaf("cbc:PostalZone", &party.postcode);
    x.group("cac:Country", |x| x.leaf("cbc:IdentificationCode", &party.country));
}

fn delivery(x: &mut Xml, invoice: &Invoice) {
    x.group("cac:Delivery", |x| {
        x.leaf("cbc:ActualDeliveryDate", &iso(invoice.delivery_date));
        x.group("cac:DeliveryLocation", |x| x.group("cac:Address", |x| address(x, &invoice.buyer)));
    });
}

fn payment(x: &mut Xml, invoice: &Invoice) {
    if let Some(account) = &invoice.seller.account {
        let code = if invoice.seller.banks_by_iban() { "58" } else { "30" };
        x.group("cac:PaymentMeans", |x| {
            x.leaf("cbc:PaymentMeansCode", code);
            if invoice.credit_note {
                x.leaf("cbc:PaymentDueDate", &iso(invoice.due_date));
            }
            x.leaf("cbc:PaymentID", &invoice.number);
            x.group("cac:PayeeFinancialAccount", |x| {
                x.leaf("cbc:ID", account);
                x.leaf("cbc:Name", &invoice.seller.name);
                if let Some(bic) = &invoice.seller.bic {
                    x.group("cac:FinancialInstitutionBranch", |x| x.leaf("cbc:ID", bic));
                }
            });
        });
    } else {
        // How to pay is agreed elsewhere: UNTDID 4461, "instrument not defined".
        x.group("cac:PaymentMeans", |x| x.leaf("cbc:PaymentMeansCode", "1"));
    }
    x.group("cac:PaymentTerms", |x| x.leaf("cbc:Note", &format!("Payable by {} without deduction", invoice.due_date)));
}

fn totals(x: &mut Xml, invoice: &Invoice) {
    let totals = invoice.totals();
    x.group("cac:TaxTotal", |x| {
        amount(x, "cbc:TaxAmount", totals.tax_total, invoice);
        for group in &totals.tax {
            x.group("cac:TaxSubtotal", |x| {
                amount(x, "cbc:TaxableAmount", group.taxable, invoice);
                amount(x, "cbc:TaxAmount", group.tax, invoice);
                x.group("cac:TaxCategory", |x| {
                    category(x, group.vat);
                    if let Some((code, words)) = group.vat.exemption() {
                        x.leaf("cbc:TaxExemptionReasonCode", code);
                        x.leaf("cbc:TaxExemptionReason", words);
                    }
                    vat_scheme(x);
                });
            });
        }
    });
    x.group("cac:LegalMonetaryTotal", |x| {
        amount(x, "cbc:LineExtensionAmount", totals.net_total, invoice);
        amount(x, "cbc:TaxExclusiveAmount", totals.net_total, invoice);
        amount(x, "cbc:TaxInclusiveAmount", totals.gross_total, invoice);
        amount(x, "cbc:PayableAmount", totals.gross_total, invoice);
    });
}

fn line(x: &mut Xml, invoice: &Invoice, number: usize, line: &Line) {
    let (name, quantity) = if invoice.credit_note {
        ("cac:CreditNoteLine", "cbc:CreditedQuantity")
    } else {
        ("cac:InvoiceLine", "cbc:InvoicedQuantity")
    };
    x.group(name, |x| {
        x.leaf("cbc:ID", &number.to_string());
        x.leaf_with(quantity, &[("unitCode", &line.unit)], &line.quantity.normalize().to_string());
        amount(x, "cbc:LineExtensionAmount", line.net_amount(), invoice);
        if let Some(order_line) = &line.order_line {
            x.group("cac:OrderLineReference", |x| x.leaf("cbc:LineID", order_line));
        }
        x.group("cac:Item", |x| {
            x.leaf("cbc:Name", &line.name);
            x.group("cac:ClassifiedTaxCategory", |x| {
                category(x, line.vat);
                vat_scheme(x);
            });
        });
        x.group("cac:Price", |x| {
            x.leaf_with("cbc:PriceAmount", &[("currencyID", &invoice.currency)], &line.unit_price.to_string());
        });
    });
}

fn category(x: &mut Xml, vat: Vat) {
    x.leaf("cbc:ID", vat.category());
    if let Some(rate) = vat.stated_rate() {
        x.leaf("cbc:Percent", &rate);
    }
}

fn vat_scheme(x: &mut Xml) {
    x.group("cac:TaxScheme", |x| x.leaf("cbc:ID", "VAT"));
}

fn amount(x: &mut Xml, name: &str, value: Decimal, invoice: &Invoice) {
    x.leaf_with(name, &[("currencyID", &invoice.currency)], &plain(value));
}

/// An invoice outside the scope of the tax names nobody's VAT id (BR-O-02).
pub(crate) fn stated_vat_id<'a>(party: &'a Party, invoice: &Invoice) -> Option<&'a str> {
    let outside = invoice.lines.iter().any(|line| line.vat == Vat::OutsideScope);
    if outside { None } else { party.vat_id.as_deref() }
}

fn iso(date: Date) -> String {
    date.to_string()
}

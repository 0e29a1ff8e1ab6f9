use std::collections::{BTreeSet, HashMap};
use std::str::FromStr;

use jiff::civil::Date;
use roxmltree::Node;
use rust_decimal::Decimal;

/// An e-invoice as read back, by element names and nothing of ours.
#[derive(Debug)]
pub(super) struct ReadBack {
    pub(super) type_code: String,
    pub(super) number: String,
    pub(super) issue_date: Date,
    pub(super) currency: String,
    pub(super) order_ref: Option<String>,
    pub(super) preceding: Option<String>,
    pub(super) seller: String,
    pub(super) iban: Option<String>,
    pub(super) vat_ids: Vec<String>,
    /// Order line, quantity, unit price, net amount.
    pub(super) lines: Vec<(Option<String>, Decimal, Decimal, Decimal)>,
    /// Rate, taxable amount, tax.
    pub(super) tax: Vec<(Decimal, Decimal, Decimal)>,
    pub(super) line_total: Decimal,
    pub(super) net_total: Decimal,
    pub(super) tax_total: Decimal,
    pub(super) gross_total: Decimal,
    pub(super) payable: Decimal,
}

impl ReadBack {
    pub(super) fn from_xml(xml: &str) -> ReadBack {
        let document = roxmltree::Document::parse(xml).unwrap();
        let root = document.root_element();
        match root.tag_name().name() {
            "CrossIndustryInvoice" => ReadBack::from_cii(root),
            "Invoice" | "CreditNote" => ReadBack::from_ubl(root),
            other => panic!("{other}"),
        }
    }

    fn from_ubl(root: Node) -> ReadBack {
        let totals = at(root, "LegalMonetaryTotal").unwrap();
        let lines = root.children().filter(|node| node.is_named("InvoiceLine") || node.is_named("CreditNoteLine"));
        ReadBack {
            type_code: text(root, "InvoiceTypeCode").or_else(|| text(root, "CreditNoteTypeCode")).unwrap(),
            number: text(root, "ID").unwrap(),
            issue_date: text(root, "IssueDate").unwrap().parse().unwrap(),
            currency: text(root, "DocumentCurrencyCode").unwrap(),
            order_ref: text(root, "OrderReference/ID"),
            preceding: text(root, "BillingReference/InvoiceDocumentReference/ID"),
            seller: text(root, "AccountingSupplierParty/Party/PartyName/Name").unwrap(),
            iban: text(root, "PaymentMeans/PayeeFinancialAccount/ID")
                .filter(|account| account.starts_with(char::is_alphabetic)),
            vat_ids: ["AccountingSupplierParty", "AccountingCustomerParty"]
                .iter()
                .filter_map(|party| text(root, &format!("{party}/Party/PartyTaxScheme/CompanyID")))
                .collect(),
            lines: lines
                .map(|line| {
                    let quantity =
                        number(line, "InvoicedQuantity").or_else(|| number(line, "CreditedQuantity")).unwrap();
                    let price = number(line, "Price/PriceAmount").unwrap();
                    (
                        text(line, "OrderLineReference/LineID"),
                        quantity,
                        price,
                        number(line, "LineExtensionAmount").unwrap(),
                    )
                })
                .collect(),
            tax: at(root, "TaxTotal")
                .unwrap()
                .children()
                .filter(|node| node.is_named("TaxSubtotal"))
                .map(|group| {
                    let rate = number(group, "TaxCategory/Percent").unwrap_or_default();
                    (rate, number(group, "TaxableAmount").unwrap(), number(group, "TaxAmount").unwrap())
                })
                .collect(),
            line_total: number(totals, "LineExtensionAmount").unwrap(),
            net_total: number(totals, "TaxExclusiveAmount").unwrap(),
            tax_total: number(root, "TaxTotal/TaxAmount").unwrap(),
            gross_total: number(totals, "TaxInclusiveAmount").unwrap(),
            payable: number(totals, "PayableAmount").unwrap(),
        }
    }

    fn from_cii(root: Node) -> ReadBack {
        let trade = at(root, "SupplyChainTradeTransaction").unwrap();
        let agreement = at(trade, "ApplicableHeaderTradeAgreement").unwrap();
        let settlement = at(trade, "ApplicableHeaderTradeSettlement").unwrap();
        let totals = at(settlement, "SpecifiedTradeSettlementHeaderMonetarySummation").unwrap();
        let issued = text(root, "ExchangedDocument/IssueDateTime/DateTimeString").unwrap();
        ReadBack {
            type_code: text(root, "ExchangedDocument/TypeCode").unwrap(),
            number: text(root, "ExchangedDocument/ID").unwrap(),
            issue_date: Date::strptime("%Y%m%d", &issued).unwrap(),
            currency: text(settlement, "InvoiceCurrencyCode").unwrap(),
            order_ref: text(agreement, "BuyerOrderReferencedDocument/IssuerAssignedID"),
            preceding: text(settlement, "InvoiceReferencedDocument/IssuerAssignedID"),
            seller: text(agreement, "SellerTradeParty/Name").unwrap(),
            iban: text(settlement, "SpecifiedTradeSettlementPaymentMeans/PayeePartyCreditorFinancialAccount/IBANID"),
            vat_ids: ["SellerTradeParty", "BuyerTradeParty"]
                .iter()
                .filter_map(|party| text(agreement, &format!("{party}/SpecifiedTaxRegistration/ID")))
                .collect(),
            lines: trade
                .children()
                .filter(|node| node.is_named("IncludedSupplyChainTradeLineItem"))
                .map(|line| {
                    (
                        text(line, "SpecifiedLineTradeAgreement/BuyerOrderReferencedDocument/LineID"),
                        number(line, "SpecifiedLineTradeDelivery/BilledQuantity").unwrap(),
                        number(line, "SpecifiedLineTradeAgreement/NetPriceProductTradePrice/ChargeAmount").unwrap(),
                        number(line, "SpecifiedLineTradeSettlement/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount").unwrap(),
                    )
                })
                .collect(),
            tax: settlement
                .children()
                .filter(|node| node.is_named("ApplicableTradeTax"))
                .map(|group| {
                    let rate = number(group, "RateApplicablePercent").unwrap_or_default();
                    (rate, number(group, "BasisAmount").unwrap(), number(group, "CalculatedAmount").unwrap())
                })
                .collect(),
            line_total: number(totals, "LineTotalAmount").unwrap(),
            net_total: number(totals, "TaxBasisTotalAmount").unwrap(),
            tax_total: number(totals, "TaxTotalAmount").unwrap(),
            gross_total: number(totals, "GrandTotalAmount").unwrap(),
            payable: number(totals, "DuePayableAmount").unwrap(),
        }
    }

    /// Whether all is right to the cent.
    pub(super) fn foots(&self) -> bool {
        let cent = Decimal::new(5, 3);
        self.lines.iter().all(|(_, quantity, price, net)| (quantity * price - net).abs() <= cent)
            && self.line_total == self.lines.iter().map(|line| line.3).sum()
            && self.net_total == self.line_total
            && self.net_total == self.tax.iter().map(|group| group.1).sum()
            && self.tax.iter().all(|(rate, taxable, tax)| (rate * taxable / Decimal::ONE_HUNDRED - tax).abs() <= cent)
            && self.tax_total == self.tax.iter().map(|group| group.2).sum()
            && self.gross_total == self.net_total + self.tax_total
            && self.payable == self.gross_total
    }
}

/// Order id and line.
type OrderLine = (String, String);

/// The master data as read back from the files that `import` gets.
pub(super) struct Book {
    /// Name to id and IBAN.
    pub(super) vendors: HashMap<String, (String, String)>,
    orders: HashMap<OrderLine, HashMap<String, String>>,
    received: HashMap<OrderLine, Decimal>,
}

impl Book {
    pub(super) fn read(vendors: &str, orders: &str, receipts: &str) -> Book {
        Book {
            vendors: rows(vendors)
                .into_iter()
                .map(|row| (row["name"].clone(), (row["vendor_id"].clone(), row["iban"].clone())))
                .collect(),
            orders: rows(orders).into_iter().map(|row| ((row["order_id"].clone(), row["line"].clone()), row)).collect(),
            received: rows(receipts)
                .into_iter()
                .map(|row| ((row["order_id"].clone(), row["line"].clone()), decimal(&row["quantity"])))
                .collect(),
        }
    }

    /// A reconciliation in small: the codes of what differs.
    pub(super) fn differences(&self, read: &ReadBack) -> BTreeSet<&'static str> {
        let mut found = BTreeSet::new();
        let Some((vendor_id, iban)) = self.vendors.get(&read.seller) else { return BTreeSet::from(["VENDOR_UNKNOWN"]) };
        if read.iban.as_ref().is_some_and(|printed| printed != iban) {
            found.insert("BANK_NEW");
        }
        let Some(order_ref) = &read.order_ref else {
            found.insert("NO_PO_REF");
            return found;
        };
        for (order_line, quantity, price, _) in &read.lines {
            let key = (order_ref.clone(), order_line.clone().unwrap());
            let ordered = &self.orders[&key];
            if ordered["vendor_id"] != *vendor_id {
                found.insert("VENDOR_MISMATCH");
            }
            if ordered["currency"] != read.currency {
                found.insert("CURRENCY");
            }
            if decimal(&ordered["unit_price"]) * Decimal::new(102, 2) < *price {
                found.insert("PRICE");
            }
            assert!(*quantity <= decimal(&ordered["quantity"]), "{}", read.number);
            match self.received.get(&key) {
                _ if ordered["match"] == "2" => {}
                None => {
                    found.insert("NO_GR");
                }
                Some(received) if received < quantity => {
                    found.insert("QTY_REC");
                }
                Some(_) => {}
            }
        }
        found
    }
}

pub(super) trait IsNamed {
    fn is_named(&self, name: &str) -> bool;
}

impl IsNamed for Node<'_, '_> {
    fn is_named(&self, name: &str) -> bool {
        self.tag_name().name() == name
    }
}

fn at<'a, 'input>(node: Node<'a, 'input>, path: &str) -> Option<Node<'a, 'input>> {
    path.split('/').try_fold(node, |node, name| node.children().find(|child| child.is_named(name)))
}

fn text(node: Node, path: &str) -> Option<String> {
    at(node, path)?.text().map(str::to_owned)
}

fn number(node: Node, path: &str) -> Option<Decimal> {
    Some(decimal(&text(node, path)?))
}

fn rows(csv: &str) -> Vec<HashMap<String, String>> {
    csv::Reader::from_reader(csv.as_bytes()).deserialize().map(Result::unwrap).collect()
}

pub(super) fn column(csv: &str, name: &str) -> Vec<String> {
    rows(csv).into_iter().map(|row| row[name].clone()).collect()
}

fn decimal(text: &str) -> Decimal {
    Decimal::from_str(text).unwrap()
}

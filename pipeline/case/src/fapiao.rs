//! What is wrong with a Chinese invoice (发票) by itself: the number that the tax office gave it, the taxpayers' codes, the
//! amount in words, the QR code, the arithmetic and the sign. Such an invoice knows none of the totals of EN 16931 that
//! lead from lines to an amount due; its own are fewer, and exact.

mod amount_words;
mod tax_id;

use rust_decimal::Decimal;

use crate::invoice::{line_field, product};
use crate::validate::cents;
use crate::{Code, Evidence, Extraction, FieldName, Finding, Format, Invoice, Kind, LineField, Severity};
use tax_id::Verdict;

/// What the tax office's own issuing programs let pass between a line's VAT and its amount times the rate, and between the
/// VAT of all lines and that of the invoice: 0.06 and 1.27 yuan.
const LINE_TAX_OFF_MAX: Decimal = Decimal::from_parts(6, 0, 0, false, 2);
const TAX_OFF_MAX: Decimal = Decimal::from_parts(127, 0, 0, false, 2);
/// Rates of VAT and of its simplified collection, in thousandths, since the tax replaced the business tax in 2012.
const RATES_PER_MILLE: [i64; 15] = [0, 5, 10, 15, 20, 30, 40, 50, 60, 90, 100, 110, 130, 160, 170];
/// Kinds of invoice in a QR code that are fully digital (数电票): those whose QR code gives the amount with VAT, where the
/// older ones give it without.
const DIGITAL_KINDS: [&str; 8] = ["31", "32", "51", "61", "83", "84", "85", "86"];

/// Is it a Chinese invoice, in whatever form?
pub(crate) fn issued(extraction: &Extraction) -> bool {
    matches!(extraction.format, Format::FapiaoXml | Format::Ofd) || extraction.field(FieldName::FapiaoKind).is_some()
}

/// Is it a red-letter invoice, whose amounts are all written as negative? It is a credit note, and theirs are positive.
pub(crate) fn reversed(extraction: &Extraction) -> bool {
    let gross = extraction.text(FieldName::GrossTotal).unwrap_or_default();
    extraction.kind == Kind::CreditNote && issued(extraction) && gross.trim_start().starts_with('-')
}

/// `invoice` MUST be that of the same extraction.
pub(crate) fn validate(extraction: &Extraction, invoice: &Invoice) -> Vec<Finding> {
    let mut check = Check { extraction, invoice, findings: Vec::new() };
    check.original();
    check.number();
    check.taxpayers();
    check.lines();
    check.totals();
    check.words();
    check.sign();
    check.qr();
    check.findings
}

struct Check<'a> {
    extraction: &'a Extraction,
    invoice: &'a Invoice,
    findings: Vec<Finding>,
}

impl<'a> Check<'a> {
    fn text(&self, name: FieldName) -> Option<&'a str> {
        self.extraction.text(name).map(str::trim)
    }

    fn find(&mut self, code: Code, rule: &str, name: FieldName, message: String) {
        let evidence = self.extraction.field(name).map(|field| &field.evidence);
        self.findings.push(Finding::new(code, rule, message).at(name.name(), evidence));
    }

    fn differs(&mut self, code: Code, rule: &str, name: FieldName, message: String, [expected, found]: [Decimal; 2]) {
        let evidence: Option<&Evidence> = self.extraction.field(name).map(|field| &field.evidence);
        let finding = Finding::new(code, rule, message).with("expected", expected).with("found", found);
        self.findings.push(finding.at(name.name(), evidence));
    }

    /// What the law calls the original is the signed OFD or XML; a PDF of it may be shown, and not kept alone
    /// (财会〔2020〕6号, §3).
    fn original(&mut self) {
        if self.extraction.format == Format::PdfText {
            let message =
                "this is the printed form alone: ask the seller for the OFD or XML file, which is the original";
            self.findings.push(Finding::new(Code::NoOriginal, "FP00_NO_ORIGINAL", message));
        }
    }

    /// Fully digital invoices have a number of 20 digits: year, region, channel and a serial number. Those before them have
    /// a code of 10 or 12 digits and a number of 8.
    fn number(&mut self) {
        let Some(number) = self.text(FieldName::Number) else { return };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then_some(text.len());
        let (found, code) = (digits(number), self.text(FieldName::InvoiceCode).map(digits));
        if code.is_some_and(|code| !matches!(code, Some(10 | 12))) {
            let message = "an invoice code has 10 or 12 digits".to_owned();
            self.find(Code::FapiaoNumber, "FP11_CODE_FORMAT", FieldName::InvoiceCode, message);
        }
        let expected = if code.is_some() { 8 } else { 20 };
        if found != Some(expected) {
            let message = format!("the number has {} characters, not {expected} digits", number.chars().count());
            self.find(Code::FapiaoNumber, "FP12_NUMBER_FORMAT", FieldName::Number, message);
            return;
        }
        let year = self.invoice.issue_date.map(|date| format!("{:02}", date.year().rem_euclid(100)));
        if code.is_none()
            && let Some(year) = year
            && !number.starts_with(&year)
        {
            let numbered = number.get(..2).unwrap_or_default();
            let message = format!("the number was given in the year {numbered}, the invoice is dated in {year}");
            self.find(Code::FapiaoNumber, "FP14_NUMBER_YEAR_NE_DATE", FieldName::Number, message);
        }
    }

    fn taxpayers(&mut self) {
        for (name, wrong, personal) in [
            (FieldName::SellerTaxId, "FP09_SELLER_ID_CHECK", "FP10_SELLER_ID_IS_PERSONAL_ID"),
            (FieldName::BuyerTaxId, "FP09_BUYER_ID_CHECK", "FP10_BUYER_ID_IS_PERSONAL_ID"),
        ] {
            match self.text(name).map(tax_id::check) {
                Some(Verdict::Wrong(why)) => {
                    self.find(Code::TaxId, wrong, name, format!("`{}` is no taxpayer number: {why}", name.name()));
                }
                Some(Verdict::Personal) => {
                    let message = format!("`{}` is made from a resident's identity number", name.name());
                    self.find(Code::PersonalId, personal, name, message);
                }
                Some(Verdict::Sound | Verdict::Unchecked) | None => {}
            }
        }
    }

    fn lines(&mut self) {
        for (idx, line) in self.invoice.lines.iter().enumerate() {
            let mut find = |code: Code, rule: &str, name: LineField, message: String| {
                let finding = Finding::new(code, rule, format!("line {}: {message}", idx + 1));
                self.findings.push(finding.at(line_field(idx, name), line.evidence.as_ref()));
            };
            let Some(net) = line.net_amount else {
                find(Code::Missing, "FP02_LINES_NET_SUM", LineField::NetAmount, "no amount was read".to_owned());
                continue;
            };
            if let (Some(quantity), Some(price)) = (line.quantity, line.unit_price) {
                let expected = product(price, quantity).map(cents);
                // Half of the price's last decimal on each unit, and a cent: where a seller starts from amounts with VAT, price
                // and amount are each rounded from those, and not the one from the other. Of nothing, not even that.
                let decimals = price.scale().clamp(2, 12);
                let rounding = product(quantity.abs(), Decimal::new(5, decimals + 1)).unwrap_or_default();
                let nothing = quantity.is_zero() || price.is_zero();
                let limit = if nothing { Decimal::ZERO } else { rounding + Decimal::new(1, 2) };
                if expected.is_none_or(|expected| limit < (expected - net).abs()) {
                    let expected = expected.map_or_else(|| "out of range".to_owned(), |it| it.to_string());
                    let message = format!("{quantity} × {} is {expected}, not {net}", price.normalize());
                    find(Code::LineAmount, "FP05_QTY_X_PRICE", LineField::NetAmount, message);
                }
            }
            let Some(rate) = line.vat_rate else { continue };
            if !RATES_PER_MILLE.iter().any(|known| Decimal::new(*known, 1) == rate) {
                let message = format!("{} % is no rate of VAT", rate.normalize());
                find(Code::Tax, "FP06_UNKNOWN_RATE", LineField::VatRate, message);
            }
            let expected = product(net, rate).map(|hundredfold| cents(hundredfold / Decimal::ONE_HUNDRED));
            if let Some(tax) = line.tax
                && expected.is_none_or(|expected| LINE_TAX_OFF_MAX < (expected - tax).abs())
            {
                let expected = expected.map_or_else(|| "out of range".to_owned(), |it| it.to_string());
                let message = format!("{} % of {net} is {expected}, not {tax}", rate.normalize());
                find(Code::Tax, "FP04_TAX_NE_NET_X_RATE", LineField::Tax, message);
            }
        }
    }

    fn totals(&mut self) {
        let Invoice { lines, totals, .. } = self.invoice;
        if lines.is_empty() {
            let message = "no line was read, so nothing adds up to the totals".to_owned();
            self.findings.push(Finding::new(Code::Missing, "FP02_LINES_NET_SUM", message).at("lines", None));
        }
        let net = lines.iter().map(|line| line.net_amount).sum::<Option<Decimal>>().filter(|_| !lines.is_empty());
        if let (Some(sum), Some(net)) = (net, totals.net_total)
            && sum != net
        {
            let message = format!("the lines add up to {sum}, `net_total` says {net}");
            self.differs(Code::Arith, "FP02_LINES_NET_SUM", FieldName::NetTotal, message, [sum, net]);
        }
        // A line that is exempt shows no VAT.
        let shown: Vec<Decimal> = lines.iter().filter_map(|line| line.tax).collect();
        let sum: Decimal = shown.iter().sum();
        if let Some(tax) = totals.tax_total.filter(|tax| *tax != sum && !shown.is_empty()) {
            let message = format!("the VAT of the lines adds up to {sum}, `tax_total` says {tax}");
            self.differs(Code::Arith, "FP03_LINES_TAX_SUM", FieldName::TaxTotal, message, [sum, tax]);
        }
        if totals.tax_total.is_none() && !sum.is_zero() {
            let message = format!("the VAT of the lines adds up to {sum}, and `tax_total` is not stated");
            self.differs(Code::Arith, "FP03_LINES_TAX_SUM", FieldName::TaxTotal, message, [sum, Decimal::ZERO]);
        }
        if let Some(tax) = totals.tax_total {
            self.tax(tax, shown.is_empty());
        }
        if let (Some(net), Some(gross)) = (totals.net_total, totals.gross_total) {
            let expected = net + totals.tax_total.unwrap_or_default();
            if expected != gross {
                let message = format!("net and VAT give {expected}, `gross_total` says {gross}");
                self.differs(
                    Code::Arith,
                    "FP01_GROSS_NE_NET_PLUS_TAX",
                    FieldName::GrossTotal,
                    message,
                    [expected, gross],
                );
            }
        }
    }

    /// The VAT of the whole against the rates of the lines. `alone`: no line says its own, so this is all there is to check.
    fn tax(&mut self, tax: Decimal, alone: bool) {
        let taxes = self.invoice.lines.iter().map(|line| {
            let hundredfold = product(line.net_amount?, line.vat_rate.unwrap_or_default())?;
            Some(hundredfold / Decimal::ONE_HUNDRED)
        });
        let expected = taxes.sum::<Option<Decimal>>().map(cents).filter(|_| !self.invoice.lines.is_empty());
        let Some(expected) = expected else { return };
        let off = (expected - tax).abs();
        let limit = if alone { LINE_TAX_OFF_MAX } else { TAX_OFF_MAX };
        // Where lines say their VAT, each has been checked; only what their roundings can add up to is checked here.
        if limit < off && (alone || self.findings.iter().all(|it| it.rule != "FP04_TAX_NE_NET_X_RATE")) {
            let message = format!("the rates of the lines give VAT of {expected}, `tax_total` says {tax}");
            self.differs(Code::Tax, "FP04_TAX_NE_NET_X_RATE", FieldName::TaxTotal, message, [expected, tax]);
        }
    }

    fn words(&mut self) {
        let Some(words) = self.text(FieldName::GrossUpper) else { return };
        let Some(said) = amount_words::parse(words) else {
            let message = format!("`{words}` is no amount in words");
            self.find(Code::AmountWords, "FP07_UPPER_UNREADABLE", FieldName::GrossUpper, message);
            return;
        };
        let Some(figure) = self.as_written(FieldName::GrossTotal) else { return };
        if said != figure {
            let message = format!("the words say {said}, `gross_total` says {figure}");
            self.differs(Code::AmountWords, "FP08_UPPER_NE_FIGURE", FieldName::GrossUpper, message, [figure, said]);
        }
    }

    /// With the sign that it has in the document. To be compared, not computed with.
    fn as_written(&self, name: FieldName) -> Option<Decimal> {
        self.text(name)?.parse().ok()
    }

    fn sign(&mut self) {
        let gross = self.as_written(FieldName::GrossTotal);
        if self.extraction.kind != Kind::CreditNote {
            if let Some(gross) = gross.filter(|gross| *gross < Decimal::ZERO) {
                let message = format!("`gross_total` of an invoice in blue is {gross}, which makes it one in red");
                self.find(Code::Sign, "FP15_BLUE_NEGATIVE", FieldName::GrossTotal, message);
            }
            return;
        }
        if let Some(gross) = gross.filter(|gross| Decimal::ZERO <= *gross) {
            let message = format!("`gross_total` of an invoice in red is {gross}, not negative");
            self.find(Code::Sign, "FP15_RED_NOT_NEGATIVE", FieldName::GrossTotal, message);
        }
        match self.text(FieldName::PrecedingInvoice) {
            None => {
                let message = "an invoice in red names the one in blue that it reverses".to_owned();
                self.find(Code::RedLetter, "FP16_RED_WITHOUT_ORIGINAL", FieldName::PrecedingInvoice, message);
            }
            Some(number) if !matches!(number.len(), 8 | 20) || !number.bytes().all(|it| it.is_ascii_digit()) => {
                let message = "the number of the invoice that is reversed has neither 8 nor 20 digits".to_owned();
                self.find(Code::RedLetter, "FP16_RED_WITHOUT_ORIGINAL", FieldName::PrecedingInvoice, message);
            }
            Some(_) => {}
        }
    }

    /// `01,kind,code,number,amount,date,check code,…`, as the tax office's programs print it.
    fn qr(&mut self) {
        let Some(qr) = self.text(FieldName::Qr) else { return };
        let parts: Vec<&str> = qr.split(',').map(str::trim).collect();
        let ["01", kind, code, number, amount, date, ..] = parts.as_slice() else {
            let message = "the QR code does not say what that of an invoice says".to_owned();
            self.find(Code::QrDiff, "FP17_QR_FORMAT", FieldName::Qr, message);
            self.weaken(Severity::Review);
            return;
        };
        let said = |name: FieldName| self.text(name).unwrap_or_default();
        let gross = DIGITAL_KINDS.contains(kind);
        let total = if gross { FieldName::GrossTotal } else { FieldName::NetTotal };
        let day = self.invoice.issue_date.map(|date| date.strftime("%Y%m%d").to_string());
        let same_amount = match (amount.parse::<Decimal>(), self.as_written(total)) {
            (Ok(amount), Some(total)) => amount == total,
            (Err(_), _) => amount.is_empty(),
            (Ok(_), None) => true,
        };
        let mut differences = Vec::new();
        for (same, rule, name, value) in [
            (
                said(FieldName::Number).is_empty() || *number == said(FieldName::Number),
                "FP18_QR_NUMBER",
                FieldName::Number,
                number,
            ),
            (*code == said(FieldName::InvoiceCode), "FP19_QR_CODE", FieldName::InvoiceCode, code),
            (date.is_empty() || day.is_none_or(|day| day == *date), "FP20_QR_DATE", FieldName::IssueDate, date),
            (same_amount, "FP21_QR_AMOUNT", total, amount),
        ] {
            if !same {
                let message = format!("the QR code says `{value}`, `{}` says `{}`", name.name(), said(name));
                differences.push((rule, name, message));
            }
        }
        for (rule, name, message) in differences {
            self.find(Code::QrDiff, rule, name, message);
        }
    }

    fn weaken(&mut self, severity: Severity) {
        if let Some(last) = self.findings.last_mut() {
            last.severity = severity;
        }
    }
}

#[cfg(test)]
mod tests;

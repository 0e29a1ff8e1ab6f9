//! What it costs to check an e-invoice by every rule of its sets; and beside it the XML parser alone, and the whole way from
//! bytes to judged values. CPU time on one core, the best of some rounds. `cargo bench -p extract --bench einvoice`; it writes
//! its own invoices, unless `COUNTERSIGN_SAMPLES` names a folder with others in `einvoice/xml`.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;

const ROUNDS: usize = 5;
/// Of work in a round: the kernel's clock of a thread goes in steps of milliseconds.
const ROUND_MS: f64 = 400.0;
/// A hundredth of what the official stylesheets of EN 16931 take (8 ms and more, Saxon-HE on a warm virtual machine).
const RULES_MS_MAX: f64 = 0.11;
/// How often the rules are run over a document that was parsed once, so that parsing does not count.
const TIMES: usize = 50;

fn main() -> ExitCode {
    let documents: Vec<String> = match std::env::var_os("COUNTERSIGN_SAMPLES") {
        Some(samples) => texts(&Path::new(&samples).join("einvoice/xml")),
        None => (1..=40).map(invoice).collect(),
    };
    assert!(!documents.is_empty(), "there are documents");
    let rules = |it: &String| extract::read(it.as_bytes()).is_ok_and(|it| it.extraction.profile.is_some());
    let n_judged = documents.iter().filter(|it| rules(it)).count();
    let parsed = best(&documents, 1, |it| drop(black_box(roxmltree::Document::parse(it))));
    let read = best(&documents, 1, |it| drop(black_box(extract::read(it.as_bytes()))));
    let rules = best(&documents, TIMES, |it| {
        black_box(extract::steps::rules_again(it.as_bytes(), TIMES));
    });
    let mean = documents.iter().map(String::len).sum::<usize>() / documents.len();
    println!("{} documents of {mean} bytes, {n_judged} of them judged by the rules of a profile", documents.len());
    println!("the XML parser alone   {parsed:.3} ms a document");
    println!("the whole reading      {read:.3} ms");
    println!("the rules in it        {rules:.3} ms (at most {RULES_MS_MAX})");
    if rules <= RULES_MS_MAX { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn best(documents: &[String], n_times: usize, work: impl Fn(&String)) -> f64 {
    let round = || {
        let before = cpu_ms();
        let mut n_read = 0;
        while cpu_ms() - before < ROUND_MS {
            documents.iter().for_each(&work);
            n_read += documents.len() * n_times;
        }
        (cpu_ms() - before) / n_read as f64
    };
    (0..ROUNDS).map(|_| round()).fold(f64::MAX, f64::min)
}

fn cpu_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e6
}

fn texts(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    files.filter_map(|it| std::fs::read_to_string(it).ok()).collect()
}

/// In UBL, with that many lines at ten a piece.
fn invoice(n_lines: usize) -> String {
    let country = |code| {
        format!(
            "<cac:PostalAddress><cac:Country><cbc:IdentificationCode>{code}</cbc:IdentificationCode></cac:Country></cac:PostalAddress>"
        )
    };
    let name = |name| {
        format!("<cac:PartyLegalEntity><cbc:RegistrationName>{name}</cbc:RegistrationName></cac:PartyLegalEntity>")
    };
    let rate = "<cbc:ID>S</cbc:ID><cbc:Percent>20</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>";
    let amount = |tag: &str, value| format!("<cbc:{tag} currencyID='EUR'>{value}.00</cbc:{tag}>");
    let (net, tax) = (10 * n_lines, 2 * n_lines);
    let mut text = format!(
        "<Invoice xmlns='urn:oasis:names:specification:ubl:schema:xsd:Invoice-2' xmlns:cac='urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2' xmlns:cbc='urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2'>\
         <cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID><cbc:ID>R-{n_lines}</cbc:ID><cbc:IssueDate>2026-06-10</cbc:IssueDate><cbc:DueDate>2026-07-10</cbc:DueDate>\
         <cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode><cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>\
         <cac:AccountingSupplierParty><cac:Party>{}<cac:PartyTaxScheme><cbc:CompanyID>DE136695976</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>{}</cac:Party></cac:AccountingSupplierParty>\
         <cac:AccountingCustomerParty><cac:Party>{}{}</cac:Party></cac:AccountingCustomerParty>\
         <cac:TaxTotal>{}<cac:TaxSubtotal>{}{}<cac:TaxCategory>{rate}</cac:TaxCategory></cac:TaxSubtotal></cac:TaxTotal>\
         <cac:LegalMonetaryTotal>{}{}{}{}</cac:LegalMonetaryTotal>",
        country("DE"),
        name("Nordwind GmbH"),
        country("FR"),
        name("Hafenkontor SA"),
        amount("TaxAmount", tax),
        amount("TaxableAmount", net),
        amount("TaxAmount", tax),
        amount("LineExtensionAmount", net),
        amount("TaxExclusiveAmount", net),
        amount("TaxInclusiveAmount", net + tax),
        amount("PayableAmount", net + tax),
    );
    for idx in 1..=n_lines {
        write!(
            text,
            "<cac:InvoiceLine><cbc:ID>{idx}</cbc:ID><cbc:InvoicedQuantity unitCode='C62'>1</cbc:InvoicedQuantity>{}<cac:Item><cbc:Name>Bolt of size {idx}</cbc:Name>\
             <cac:ClassifiedTaxCategory>{rate}</cac:ClassifiedTaxCategory></cac:Item><cac:Price>{}</cac:Price></cac:InvoiceLine>",
            amount("LineExtensionAmount", 10),
            amount("PriceAmount", 10),
        )
        .unwrap();
    }
    text + "</Invoice>"
}

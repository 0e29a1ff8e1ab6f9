mod contracts;

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::catalogue::OFFICE_SUPPLIES;
use crate::companies::*;
use crate::invoice::{Format, Invoice, Line, Party, Planted, Vat, invoice};
use crate::master_data::{Order, OrderLine, Vendor, orders_csv, receipts_csv, vendors_csv};
use crate::wording::Language;
use crate::{factur_x, hostile, pdf};

/// The demonstration: what arrives, and the master data it is checked against.
#[derive(Debug, Clone)]
pub struct Cast {
    /// The company all this is addressed to.
    pub buyer: Party,
    /// In the order they should arrive: a copy comes after what it copies, a credit note after its invoice.
    pub documents: Vec<Document>,
    pub vendors_csv: String,
    pub orders_csv: String,
    pub receipts_csv: String,
}

/// One file as it would lie in an inbox.
#[derive(Debug, Clone)]
pub struct Document {
    pub file_name: String,
    /// `invoices` or `contracts`.
    pub channel: &'static str,
    pub bytes: Vec<u8>,
    /// What it demonstrates, one line.
    pub shows: &'static str,
    pub outcome: Outcome,
}

/// Where a document comes to rest under the shipped policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// No person: below 1 000 net and nothing found.
    StraightThrough,
    /// Nothing found, but the amount needs one person of level 1.
    Level1,
    /// The same from 10 000 net, of level 2.
    Level2,
    /// The same from 50 000 net.
    TwoPeople,
    /// Nothing found, but a contract is always seen by legal.
    LegalReview,
    /// Held for a person, with this code among the findings.
    Held(&'static str),
    /// Refused by a finding with this rule or code.
    Stopped(&'static str),
    /// The same bytes as a document before it: no case of its own.
    Duplicate,
    /// Could not be read.
    Quarantined,
}

/// The demonstration on the day `today`: every date is relative to it.
pub fn cast(today: Date) -> Cast {
    let mut book = Book { today, orders: Vec::new(), documents: Vec::new() };
    let first = book.straight_through();
    book.credit_notes(&first);
    book.routed_by_amount();
    book.price_and_quantity();
    book.wrong_order();
    book.wrong_sums();
    book.duplicates(&first);
    book.bank_and_deception();
    book.dates_and_strangers();
    book.unreadable();
    book.contracts();
    let vendors = VENDORS.iter().map(|company| Vendor { id: company.id.into(), party: company.party() });
    Cast {
        buyer: buyer(),
        vendors_csv: vendors_csv(vendors, today.saturating_sub(1000.days())),
        orders_csv: orders_csv(book.orders.clone()),
        receipts_csv: receipts_csv(book.orders),
        documents: book.documents,
    }
}

struct Book {
    today: Date,
    orders: Vec<Order>,
    documents: Vec<Document>,
}

/// What later documents copy or correct.
struct First {
    ubl: Invoice,
    cii: Invoice,
}

#[expect(
    clippy::inconsistent_digit_grouping,
    clippy::zero_prefixed_literal,
    reason = "prices stand as euros_cents: 42_50 is 42.50"
)]
impl Book {
    fn straight_through(&mut self) -> First {
        let ubl = self.bill(&NORDLICHT, 75, "NL-24817", &[("Torque wrench 20–100 Nm", 10, "C62", 42_50)]);
        self.arrives(
            "Nordlicht Werkzeuge Rechnung NL-24817.xml",
            &ubl,
            Format::Ubl,
            Outcome::StraightThrough,
            "a small clean UBL invoice goes straight through",
        );

        let cii = self.bill(
            &MUELLER,
            20,
            "2611-0442",
            &[("Dough divider blade", 6, "C62", 58_40), ("Blade holder", 2, "C62", 31_90)],
        );
        self.arrives(
            "Bäckerei-Technik Müller & Söhne 2611-0442.xml",
            &cii,
            Format::Cii,
            Outcome::StraightThrough,
            "a clean CII invoice",
        );

        let factur_x = self.bill(
            &OSTSEE,
            12,
            "OD-90731",
            &[("Flour bag print, 2 colours", 1200, "C62", 0_42), ("Printing plate", 1, "C62", 145_00)],
        );
        self.arrives(
            "Ostsee Druck OD-90731.pdf",
            &factur_x,
            Format::FacturX,
            Outcome::StraightThrough,
            "a clean Factur-X: a PDF for the eye with the XML inside",
        );

        let english = self.bill(
            &GRUENWALD,
            14,
            "GL-10093",
            &[("Euro pallet transport Hamburg – Lübeck", 12, "C62", 48_00), ("Tail lift", 3, "C62", 25_00)],
        );
        self.arrives(
            "Invoice_GL-10093.pdf",
            &english,
            Format::Pdf,
            Outcome::StraightThrough,
            "a clean PDF with English labels",
        );

        let items: Vec<Item> = OFFICE_SUPPLIES
            .iter()
            .cycle()
            .take(44)
            .zip(0..)
            .map(|(name, idx)| (*name, 1 + idx % 4, "C62", 2_15 + idx * 37 % 900))
            .collect();
        let mut german = self.bill(&KESSLER, 22, "KB/10318", &items);
        german.language = Language::German;
        self.arrives(
            "Kessler Bürobedarf Rechnung KB-10318.pdf",
            &german,
            Format::Pdf,
            Outcome::StraightThrough,
            "a clean PDF with German labels and 44 lines on several pages",
        );

        let workbook = self.bill(
            &HOFMANN,
            16,
            "HE-5582",
            &[("Motor protection switch 6–10 A", 8, "C62", 54_30), ("Contactor 12 A", 4, "C62", 38_75)],
        );
        self.arrives(
            "HE-5582 Hofmann Elektrotechnik.xlsx",
            &workbook,
            Format::Xlsx,
            Outcome::StraightThrough,
            "a clean XLSX invoice",
        );

        let mut semicolons = self.bill(
            &LUDWIG,
            25,
            "LG-77120",
            &[("Weizen Typ A, Muster", 240, "KGM", 0_38), ("Roggen, Muster", 180, "KGM", 0_33)],
        );
        semicolons.language = Language::German;
        self.arrives(
            "Ludwig_Getreide_LG-77120.csv",
            &semicolons,
            Format::Csv,
            Outcome::StraightThrough,
            "a clean CSV in German form: semicolons, decimal comma",
        );

        let commas = self.bill(&VAN_DER_MEER, 28, "VDM-3391", &[("Kraft paper bag 25 kg", 500, "C62", 1_12)]);
        self.arrives(
            "VDM-3391.csv",
            &commas,
            Format::Csv,
            Outcome::StraightThrough,
            "a clean CSV in English form, an intra-community supply without tax",
        );

        let services = self.bill(&BLUE_HARBOUR, 30, "BH-0457", &[("Consulting, process audit", 8, "HUR", 95_00)]);
        self.arrives(
            "Blue Harbour Consulting BH-0457.xml",
            &services,
            Format::Ubl,
            Outcome::StraightThrough,
            "services: matched two ways, no goods receipt needed",
        );

        let cheaper = self.bill(&GRUENWALD, 45, "GL-09871", &[("Storage per pallet and week", 90, "C62", 9_50)]);
        self.as_ordered(|line| line.unit_price = Decimal::new(10_00, 2));
        self.arrives(
            "Grünwald Logistik GL-09871.xml",
            &cheaper,
            Format::Ubl,
            Outcome::StraightThrough,
            "a price below the order is noted, not held",
        );
        First { ubl, cii }
    }

    fn credit_notes(&mut self, first: &First) {
        let ubl = self.credit(&first.ubl, 60, "NL-G-1180", 1);
        self.arrives(
            "Nordlicht Gutschrift NL-G-1180.xml",
            &ubl,
            Format::Ubl,
            Outcome::StraightThrough,
            "a UBL credit note for one piece of invoice NL-24817",
        );
        let cii = self.credit(&first.cii, 5, "2611-G017", 2);
        self.arrives(
            "Gutschrift Müller & Söhne 2611-G017.xml",
            &cii,
            Format::Cii,
            Outcome::StraightThrough,
            "a CII credit note for two pieces of invoice 2611-0442",
        );
    }

    fn routed_by_amount(&mut self) {
        let boundary = self.bill(&NORDLICHT, 100, "NL-24402", &[("Battery 18 V", 100, "C62", 10_00)]);
        self.arrives(
            "Nordlicht Werkzeuge Rechnung NL-24402.xml",
            &boundary,
            Format::Ubl,
            Outcome::Level1,
            "1 000.00 net is the boundary: one person of level 1",
        );
        let large = self.bill(
            &ALPENBLICK,
            10,
            "AM-2210",
            &[("Roller mill overhaul", 1, "C62", 9_800_00), ("Spare roller", 4, "C62", 550_00)],
        );
        self.arrives(
            "Alpenblick Maschinenbau AM-2210.xml",
            &large,
            Format::Ubl,
            Outcome::Level2,
            "12 000.00 net: one person of level 2",
        );
        let largest = self.bill(&ALPENBLICK, 40, "AM-2164", &[("Plansifter PS-6", 1, "C62", 60_000_00)]);
        self.arrives(
            "Alpenblick Maschinenbau AM-2164.xml",
            &largest,
            Format::Cii,
            Outcome::TwoPeople,
            "60 000.00 net: two people",
        );
    }

    fn price_and_quantity(&mut self) {
        let dearer = self.bill(&NORDLICHT, 40, "NL-24960", &[("Drill bit set HSS", 100, "C62", 10_21)]);
        self.as_ordered(|line| line.unit_price = Decimal::new(10_00, 2));
        self.arrives(
            "Nordlicht Werkzeuge Rechnung NL-24960.xml",
            &dearer,
            Format::Ubl,
            Outcome::Held("PRICE"),
            "10.21 charged, 10.00 ordered: 2.10 % over, 21.00 in dispute",
        );

        let short = self.bill(&LUDWIG, 50, "LG-76644", &[("Seed wheat sample, bag", 100, "C62", 8_00)]);
        self.as_ordered(|line| line.received = Decimal::from(60));
        self.arrives(
            "Ludwig Getreide LG-76644.xml",
            &short,
            Format::Ubl,
            Outcome::Held("QTY_REC"),
            "100 charged, 60 received",
        );

        let early = self.bill(&KESSLER, 50, "KB/10276", &[("Copy paper A4", 100, "C62", 3_20)]);
        self.as_ordered(|line| line.received = Decimal::ZERO);
        self.arrives(
            "Kessler Bürobedarf KB-10276.xml",
            &early,
            Format::Cii,
            Outcome::Held("NO_GR"),
            "charged before anything was received",
        );

        let sample = self.bill(&OSTSEE, 70, "OD-90102", &[("Proof print, sample", 1, "C62", 10_00)]);
        self.as_ordered(|line| line.unit_price = Decimal::ZERO);
        self.arrives(
            "Ostsee Druck OD-90102.xml",
            &sample,
            Format::Ubl,
            Outcome::Held("PRICE"),
            "10.00 charged for a sample that was ordered for nothing",
        );
    }

    fn wrong_order(&mut self) {
        let mut strange = self.bill(&HOFMANN, 40, "OD-90514", &[("Warning label, roll", 20, "C62", 18_60)]);
        strange.seller = OSTSEE.party();
        self.arrives(
            "Ostsee Druck OD-90514.xml",
            &strange,
            Format::Cii,
            Outcome::Held("VENDOR_MISMATCH"),
            "cites the order of another vendor, every number equal",
        );

        let mut dollars = self.bill(&PRAIRIE, 15, "INV-88213", &[("Grain moisture sensor", 2, "C62", 310_00)]);
        dollars.currency = "USD".into();
        self.arrives(
            "Prairie Instruments INV-88213.xml",
            &dollars,
            Format::Ubl,
            Outcome::Held("CURRENCY"),
            "ordered in euro, charged in dollars",
        );

        let mut nameless = self.bill(&KESSLER, 70, "KB/10233", &[("Desk lamp LED", 6, "C62", 39_90)]);
        nameless.order_ref = None;
        for line in &mut nameless.lines {
            line.order_line = None;
        }
        self.arrives(
            "Scan Kessler KB-10233.xml",
            &nameless,
            Format::Ubl,
            Outcome::Held("NO_PO_REF"),
            "names no order; an open one would fit",
        );
    }

    fn wrong_sums(&mut self) {
        let mut sum = self.bill(&MUELLER, 50, "2610-0391", &[("Proofing basket round", 3, "C62", 33_33)]);
        sum.planted.net_total = Some(Decimal::new(100_00, 2));
        self.arrives(
            "Müller & Söhne 2610-0391.xml",
            &sum,
            Format::Ubl,
            Outcome::Stopped("BR-CO-10"),
            "three times 33.33 said to be 100.00",
        );

        let mut tax = self.bill(&LUDWIG, 75, "LG-75990", &[("Rye cleaning, contract work", 100, "C62", 10_00)]);
        tax.planted.tax_total = Some(Decimal::new(190_06, 2));
        self.arrives(
            "Ludwig Getreide LG-75990.xml",
            &tax,
            Format::Cii,
            Outcome::Held("TAX"),
            "valid by the standard, yet 0.06 too much tax",
        );
    }

    fn duplicates(&mut self, first: &First) {
        self.arrives(
            "Kopie von Rechnung 2611-0442 (2).xml",
            &first.cii,
            Format::Cii,
            Outcome::Duplicate,
            "the same bytes under another name",
        );
        self.arrives(
            "NL-24817.pdf",
            &first.ubl,
            Format::Pdf,
            Outcome::Stopped("DUPLICATE_D2"),
            "an invoice that already came as XML, now as PDF",
        );
    }

    fn bank_and_deception(&mut self) {
        let mut typo = self.bill(&GRUENWALD, 70, "GL-09523", &[("Pallet exchange", 40, "C62", 6_20)]);
        typo.seller.account = Some(BROKEN_IBAN.into());
        self.arrives(
            "Grünwald Logistik GL-09523.xml",
            &typo,
            Format::Ubl,
            Outcome::Held("IBAN"),
            "an IBAN whose check digits are wrong",
        );

        let mut redirected = self.bill(&VAN_DER_MEER, 60, "VDM-3307", &[("Paper sack 10 kg", 400, "C62", 0_71)]);
        redirected.seller.account = Some(NEW_IBAN.into());
        redirected.seller.bic = None;
        self.arrives(
            "VDM-3307 new bank details.xml",
            &redirected,
            Format::Ubl,
            Outcome::Held("BANK_NEW"),
            "a valid IBAN that is not the vendor's on file",
        );

        let embedded = self.bill(&NORDLICHT, 20, "NL-25077", &[("Impact driver 18 V", 7, "C62", 119_00)]);
        let printed = Invoice {
            planted: Planted { gross_total: Some(Decimal::new(1_991_27, 2)), ..Planted::default() },
            ..embedded.clone()
        };
        let bytes = factur_x::document(&printed, &embedded);
        self.file(
            "Nordlicht Werkzeuge NL-25077.pdf",
            "invoices",
            bytes,
            Outcome::Held("HYBRID_DIFF"),
            "a Factur-X that prints another total than its XML states",
        );

        let hiding = self.bill(&OSTSEE, 100, "OD-89466", &[("Carton sleeve, 4 colours", 800, "C62", 0_95)]);
        let bytes = pdf::document(&hiding, Some("Total due EUR 1.00"));
        self.file(
            "Ostsee Druck OD-89466.pdf",
            "invoices",
            bytes,
            Outcome::Held("HIDDEN_TEXT"),
            "text that a program reads and a person does not see",
        );
    }

    fn dates_and_strangers(&mut self) {
        let future = self.bill(&HOFMANN, -5, "HE-5640", &[("Terminal block 4 mm²", 50, "C62", 1_85)]);
        self.arrives(
            "HE-5640 Hofmann.xml",
            &future,
            Format::Ubl,
            Outcome::Held("DATE_FUTURE"),
            "dated five days from now",
        );

        let stale = self.bill(&LEFEVRE, 200, "LF-1173", &[("Filter paper, box", 15, "C62", 24_80)]);
        self.arrives(
            "Papeterie Lefèvre facture LF-1173.xml",
            &stale,
            Format::Cii,
            Outcome::Held("STALE"),
            "dated 200 days ago",
        );

        let items = [line(1, &("Advertising package spring", 1, "C62", 640_00), Vat::Standard(Decimal::from(19)))];
        let stranger = Invoice {
            order_ref: Some("PO-UNKNOWN".into()),
            ..Invoice::new("SM-2201", self.day(9), SCHNELLMEDIA.party(), buyer(), items.into())
        };
        self.arrives(
            "Rechnung SM-2201.xml",
            &stranger,
            Format::Ubl,
            Outcome::Held("VENDOR_UNKNOWN"),
            "a vendor nobody has ever heard of, and an order that does not exist",
        );
    }

    fn unreadable(&mut self) {
        self.file(
            "Scan 0007.pdf",
            "invoices",
            hostile::torn_pdf(),
            Outcome::Quarantined,
            "a PDF of which only the first bytes arrived",
        );
        self.file(
            "Lieferscheine Q3.xlsx",
            "invoices",
            hostile::swollen_zip(),
            Outcome::Quarantined,
            "a small workbook that declares four gigabytes",
        );
        self.file("Rechnung", "invoices", hostile::noise(4096, 7), Outcome::Quarantined, "bytes of no known kind");
    }

    /// An invoice for `items` and the order it fulfils to the cent.
    fn bill(&mut self, company: &Company, days_ago: i64, number: &str, items: &[Item]) -> Invoice {
        let vat = match company.country {
            "DE" => Vat::Standard(Decimal::from(19)),
            "US" => Vat::OutsideScope,
            _ => Vat::IntraCommunity,
        };
        let lines: Vec<Line> = items.iter().zip(1..).map(|(item, number)| line(number, item, vat)).collect();
        let order_id = format!("PO-{}", 4501 + self.orders.len());
        let issue_date = self.day(days_ago);
        // Goods that are charged ahead of time have come all the same.
        let received_on = issue_date.min(self.today).saturating_sub(4.days());
        self.orders.push(Order::fulfilled_by(&lines, order_id.clone(), company.id.into(), received_on));
        Invoice { order_ref: Some(order_id), ..Invoice::new(number, issue_date, company.party(), buyer(), lines) }
    }

    /// A credit note for `quantity` of the first line of `invoice`.
    fn credit(&self, invoice: &Invoice, days_ago: i64, number: &str, quantity: i64) -> Invoice {
        let lines = invoice.lines.iter().take(1).map(|line| Line { quantity: Decimal::from(quantity), ..line.clone() });
        Invoice {
            credit_note: true,
            preceding: Some(invoice.number.clone()),
            order_ref: invoice.order_ref.clone(),
            ..Invoice::new(number, self.day(days_ago), invoice.seller.clone(), buyer(), lines.collect())
        }
    }

    /// Changes what was ordered or received under the last order, so that its invoice no longer agrees with it.
    fn as_ordered(&mut self, change: impl FnMut(&mut OrderLine)) {
        self.orders.last_mut().into_iter().flat_map(|order| &mut order.lines).for_each(change);
    }

    fn arrives(&mut self, file_name: &str, document: &Invoice, format: Format, outcome: Outcome, shows: &'static str) {
        self.file(file_name, "invoices", invoice(document, format), outcome, shows);
    }

    fn file(&mut self, file_name: &str, channel: &'static str, bytes: Vec<u8>, outcome: Outcome, shows: &'static str) {
        self.documents.push(Document { file_name: file_name.to_owned(), channel, bytes, shows, outcome });
    }

    fn day(&self, days_ago: i64) -> Date {
        self.today.saturating_sub(days_ago.days())
    }
}

/// Name, quantity, unit, price in cents.
type Item = (&'static str, i64, &'static str, i64);

fn line(number: usize, item: &Item, vat: Vat) -> Line {
    let (name, quantity, unit, price) = *item;
    Line {
        order_line: Some(number.to_string()),
        name: name.into(),
        quantity: Decimal::from(quantity),
        unit: unit.into(),
        unit_price: Decimal::new(price, 2),
        vat,
        net: None,
    }
}

/// A digit of Grünwald's IBAN mistyped.
const BROKEN_IBAN: &str = "DE74170540400032250471";

/// Valid, at another bank than Van der Meer's on file.
const NEW_IBAN: &str = "NL70RABO0529038153";

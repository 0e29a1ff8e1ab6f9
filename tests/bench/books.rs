//! What the benchmarks of matching share: the facts of a business of any size and invoices that are compared with them, each
//! made from its number alone; and what a program that is run takes.
#![allow(dead_code, unreachable_pub, reason = "each benchmark uses its own part of this")]

use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::time::Instant;

use case::{
    Actor, Bill, Case, CaseId, Decimal, Digest, Document, Extraction, Fact, FactKind, Invoice, OrderLine, Receipt,
    Role, Vendor,
};
use demo::{Format, Line, Party, Vat};
use jiff::ToSpan;
use jiff::civil::Date;
use store::Store;

use crate::support::{NOW, machine, person};

pub const LINES_AN_ORDER: usize = 20;
/// So many facts are brought in at once.
const LOT: usize = 5_000;
/// Invoices of the stream that one vendor of it writes.
const STREAM_PER_VENDOR: usize = 9;

/// So many order lines, as many receipts and as many past invoices, of so many vendors.
pub struct Books {
    pub n: usize,
    vendors: Vec<Vendor>,
}

impl Books {
    pub fn of(n: usize, n_vendors: usize) -> Books {
        let stream = demo::stream(n_vendors * STREAM_PER_VENDOR, 1, NOW.date());
        let mut rows = csv::Reader::from_reader(stream.vendors_csv.as_bytes());
        let vendors = rows.deserialize().map(|row| {
            let row: HashMap<String, String> = row.unwrap();
            let text = |column: &str| Some(row[column].clone()).filter(|text| !text.is_empty());
            Vendor {
                vendor_id: row["vendor_id"].clone(),
                name: row["name"].clone(),
                vat_id: text("vat_id"),
                tax_id: None,
                country: text("country"),
                iban: text("iban"),
                bic: None,
                group: None,
                valid_from: text("valid_from").map(|day| day.parse().unwrap()),
            }
        });
        let books = Books { n, vendors: vendors.collect() };
        assert_eq!(books.vendors.len(), n_vendors);
        books
    }

    pub fn n_orders(&self) -> usize {
        self.n.div_ceil(LINES_AN_ORDER)
    }

    /// Whole orders of `n` lines, all received, and `n` invoices of other orders that were paid.
    pub async fn bring_in(&self, store: &Store) {
        let vendors: Vec<Fact> = self.vendors.iter().cloned().map(Fact::Vendor).collect();
        bring_in(store, FactKind::Vendors, vendors.len(), |n| vendors[n].clone()).await;
        bring_in(store, FactKind::Orders, self.n, |n| Fact::OrderLine(self.order_line(n))).await;
        bring_in(store, FactKind::Receipts, self.n, |n| Fact::Receipt(self.receipt(n))).await;
        bring_in(store, FactKind::Invoices, self.n, |n| Fact::Bill(Box::new(self.past_invoice(n)))).await;
    }

    fn vendor(&self, n: usize) -> &Vendor {
        &self.vendors[n % self.vendors.len()]
    }

    pub fn order_line(&self, n: usize) -> OrderLine {
        let order = n / LINES_AN_ORDER;
        OrderLine {
            order_id: order_id(order),
            vendor_id: self.vendor(order).vendor_id.clone(),
            currency: "EUR".into(),
            line: (n % LINES_AN_ORDER + 1).to_string(),
            quantity: Decimal::from(1 + mixed(n, 1) % 5),
            unit_price: Decimal::new(150 + (mixed(n, 2) % 3_350) as i64, 2),
            description: Some(format!("Part {}", mixed(n, 3) % 10_000)),
            tax_rate: Some(Decimal::from(19)),
            ..OrderLine::default()
        }
    }

    fn receipt(&self, n: usize) -> Receipt {
        let OrderLine { order_id, line, quantity, .. } = self.order_line(n);
        let receipt_id = format!("GR-{order_id}");
        let date = days_ago(10);
        Receipt { receipt_id, order_id, line, quantity, unit: None, accepted: None, returned: None, date }
    }

    /// Of the last thousand days, from 10.00 to 10,010.00.
    fn past_invoice(&self, n: usize) -> Bill {
        let vendor = self.vendor(n);
        let date = days_ago(20 + (mixed(n, 4) % 1_000) as i64);
        let gross = Decimal::new(1_000 + (mixed(n, 5) % 1_000_000) as i64, 2);
        Bill {
            vendor_id: Some(vendor.vendor_id.clone()),
            cluster: Invoice::default().cluster(Some(vendor)),
            number: Some(format!("A-{n:07}")),
            date: Some(date),
            currency: Some("EUR".into()),
            net: Some((gross / Decimal::new(119, 2)).round_dp(2)),
            gross: Some(gross),
            iban: vendor.iban.clone(),
            paid_on: Some(date.saturating_add(15.days())),
            ..Bill::default()
        }
    }

    /// As UBL: all of an order, its first line at a price that is so many percent over the order's.
    pub fn invoice(&self, number: usize, order: usize, percent_over: Decimal) -> Vec<u8> {
        let mut lines: Vec<Line> = (0..LINES_AN_ORDER)
            .map(|line| self.order_line(order * LINES_AN_ORDER + line))
            .map(|line| Line {
                order_line: Some(line.line),
                name: line.description.unwrap(),
                quantity: line.quantity,
                unit: line.unit,
                unit_price: line.unit_price,
                vat: Vat::Standard(Decimal::from(19)),
                net: None,
            })
            .collect();
        let over = Decimal::ONE + percent_over / Decimal::ONE_HUNDRED;
        lines[0].unit_price = (lines[0].unit_price * over).round_dp(2);
        let vendor = self.vendor(order);
        let seller = Party {
            name: vendor.name.clone(),
            street: "Industriestraße 1".into(),
            postcode: "20457".into(),
            city: "Hamburg".into(),
            country: "DE".into(),
            vat_id: vendor.vat_id.clone(),
            register: Some(format!("HRB {}", 10_000 + order)),
            account: vendor.iban.clone(),
            bic: None,
            contact: "Buchhaltung".into(),
            phone: "+49 40 1000000".into(),
            email: "rechnung@lieferant.example".into(),
        };
        let number = format!("R-{number:07}");
        let invoice = demo::Invoice::new(number, days_ago(5), seller, demo::buyer(), lines);
        demo::invoice(&demo::Invoice { order_ref: Some(order_id(order)), ..invoice }, Format::Ubl)
    }
}

pub async fn bring_in(store: &Store, kind: FactKind, n: usize, make: impl Fn(usize) -> Fact) {
    let by = importer();
    for from in (0..n).step_by(LOT) {
        let lot: Vec<Fact> = (from..n.min(from + LOT)).map(&make).collect();
        let done = store.import(kind, &lot, &by, NOW).await.unwrap();
        assert_eq!(done.new, lot.len() as u64);
    }
}

fn importer() -> Actor {
    person("usr_olivia", &[Role::Operator], 1)
}

pub fn order_id(order: usize) -> String {
    format!("PO-{order:07}")
}

fn days_ago(days: i64) -> Date {
    NOW.date().saturating_sub(days.days())
}

/// As it was read, not yet a case of the store.
pub fn case_of(extraction: &Extraction, bytes: &[u8]) -> Case {
    let document = Document {
        digest: Digest::of(bytes),
        size_bytes: bytes.len() as u64,
        file_name: "invoice.xml".into(),
        channel: "inbox".into(),
        received_at: NOW,
    };
    let case = Case::new(CaseId(uuid::Uuid::now_v7()), document, uuid::Uuid::now_v7(), &machine());
    Case { extraction: Some(extraction.clone()), ..case }
}

/// SplitMix64 of a number and what it is for: the same on every machine.
fn mixed(n: usize, what_for: u64) -> u64 {
    let mut z = (n as u64 * 8 + what_for).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number out of the environment.
pub fn asked(name: &str, default: usize) -> usize {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

/// What a program took that ran to its end, and what it said.
pub struct Ran {
    pub seconds: f64,
    pub cpu_seconds: f64,
    pub peak_mib: f64,
    pub said: String,
}

/// What it says must fit into a pipe.
pub fn ran(mut command: Command) -> Ran {
    let started = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let (mut cpu_seconds, mut peak_mib) = (0.0, 0.0);
    while child.try_wait().unwrap().is_none() {
        if let Some(used) = used(child.id()) {
            (cpu_seconds, peak_mib) = used;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let seconds = started.elapsed().as_secs_f64();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    Ran { seconds, cpu_seconds, peak_mib, said: String::from_utf8(output.stdout).unwrap() }
}

/// CPU seconds and peak memory in MiB of a process that still runs.
fn used(pid: u32) -> Option<(f64, f64)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let peak: f64 = peak.trim().trim_end_matches(" kB").parse().ok()?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields[11].parse::<f64>().ok()? + fields[12].parse::<f64>().ok()?;
    // The kernel counts in hundredths of a second on every architecture we run on.
    Some((ticks / 100.0, peak / 1024.0))
}

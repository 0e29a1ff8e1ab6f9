use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::catalogue::{ARTICLES, HOUSES, TOWNS, TRADES};
use crate::companies::buyer;
use crate::invoice::{Format, Invoice, Line, Party, Vat, cents, invoice};
use crate::master_data::{Order, Vendor, german_iban, german_vat_id, orders_csv, receipts_csv, vendors_csv};

/// A vendor writes this many invoices, one every `DAYS_BETWEEN`: far enough apart that neither the duplicate window
/// (7 days) nor the split window (14 days) takes two of them for one.
const INVOICES_PER_VENDOR: usize = 9;
const DAYS_BETWEEN: usize = 16;

/// The last of every so many invoices charges more than was ordered.
const PRICE_VARIANCE_EVERY: usize = 20;

/// Of every so many invoices one is over 1 000 net.
const LARGE_EVERY: usize = 50;

/// E-invoices one after the other, as file name and bytes, and the master data they are matched against.
#[derive(Debug, Clone)]
pub struct Stream {
    pub vendors_csv: String,
    pub orders_csv: String,
    pub receipts_csv: String,
    n: usize,
    next_idx: usize,
    seed: u64,
    today: Date,
}

/// `n` e-invoices, UBL and CII, each with an order of its own that was received in full. All are clean and most are
/// below 1 000 net; one in twenty charges a price 5 to 12 % over the order. The same `n`, seed and day give the same
/// bytes, and a longer stream begins with the shorter one.
pub fn stream(n: usize, seed: u64, today: Date) -> Stream {
    let orders = || (0..n).map(|idx| pair(idx, seed, today).1);
    let vendors = (0..n.div_ceil(INVOICES_PER_VENDOR)).map(|idx| vendor(idx, seed));
    Stream {
        vendors_csv: vendors_csv(vendors, today.saturating_sub(1000.days())),
        orders_csv: orders_csv(orders()),
        receipts_csv: receipts_csv(orders()),
        n,
        next_idx: 0,
        seed,
        today,
    }
}

impl Iterator for Stream {
    type Item = (String, Vec<u8>);

    fn next(&mut self) -> Option<(String, Vec<u8>)> {
        if self.next_idx == self.n {
            return None;
        }
        let (document, _) = pair(self.next_idx, self.seed, self.today);
        let format = if self.next_idx.is_multiple_of(2) { Format::Ubl } else { Format::Cii };
        self.next_idx += 1;
        Some((format!("{}.xml", document.number), invoice(&document, format)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.n - self.next_idx;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Stream {}

/// The invoice and its order: nothing but the index decides them, so none has to be kept.
fn pair(idx: usize, seed: u64, today: Date) -> (Invoice, Order) {
    let mut dice = Dice(seed ^ (idx as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let vendor_idx = idx / INVOICES_PER_VENDOR;
    let days_ago = 1 + (vendor_idx % 14) + DAYS_BETWEEN * (idx % INVOICES_PER_VENDOR);
    let issue_date = today.saturating_sub((days_ago as i64).days());
    let quantity_max = if idx % LARGE_EVERY == LARGE_EVERY - 1 { 60 } else { 6 };
    let first_article = dice.below(ARTICLES.len() as u64) as usize;
    let n_lines = 2 + dice.below(3) as usize;
    let mut lines: Vec<Line> = ARTICLES
        .iter()
        .cycle()
        .skip(first_article)
        .take(n_lines)
        .zip(1..)
        .map(|(article, number)| Line {
            order_line: Some(number.to_string()),
            name: (*article).to_owned(),
            quantity: Decimal::from(1 + dice.below(quantity_max)),
            unit: "C62".into(),
            unit_price: Decimal::new(150 + dice.below(3_350) as i64, 2),
            vat: Vat::Standard(Decimal::from(if dice.below(8) == 0 { 7 } else { 19 })),
            net: None,
        })
        .collect();
    let vendor = vendor(vendor_idx, seed);
    let order_id = format!("PO-{idx:07}");
    let received_on = issue_date.saturating_sub(4.days());
    let order = Order::fulfilled_by(&lines, order_id.clone(), vendor.id, received_on);
    if idx % PRICE_VARIANCE_EVERY == PRICE_VARIANCE_EVERY - 1
        && let Some(line) = lines.first_mut()
    {
        line.unit_price = cents(line.unit_price * Decimal::new(105 + dice.below(8) as i64, 2));
    }
    let number = format!("R{}-{idx:07}", issue_date.year());
    let document =
        Invoice { order_ref: Some(order_id), ..Invoice::new(number, issue_date, vendor.party, buyer(), lines) };
    (document, order)
}

fn vendor(idx: usize, seed: u64) -> Vendor {
    let mut dice = Dice(seed ^ !(idx as u64).wrapping_mul(0xD1B5_4A32_D192_ED03));
    let pick = |words: &[&'static str], idx: usize| words.get(idx % words.len()).copied().unwrap_or_default();
    let house = pick(&HOUSES, idx);
    let trade = pick(&TRADES, idx / HOUSES.len());
    // With the names used up a branch number tells the houses apart.
    let branch = match idx / (HOUSES.len() * TRADES.len()) {
        0 => String::new(),
        branch => format!(" {branch}"),
    };
    let (postcode, city) = TOWNS.get(dice.below(TOWNS.len() as u64) as usize).copied().unwrap_or_default();
    let party = Party {
        name: format!("{house} {trade}{branch} GmbH"),
        street: format!("Industriestraße {}", 1 + dice.below(120)),
        postcode: postcode.into(),
        city: city.into(),
        country: "DE".into(),
        vat_id: Some(german_vat_id(20_000_000 + idx as u32)),
        register: Some(format!("HRB {}", 10_000 + idx)),
        account: Some(german_iban(20_030_000, 1_000_000_000 + idx as u64)),
        bic: None,
        contact: format!("{house} Buchhaltung"),
        phone: format!("+49 40 {}", 1_000_000 + idx),
        email: format!("rechnung@lieferant-{idx}.example"),
    };
    Vendor { id: format!("V{idx:06}"), party }
}

/// SplitMix64: the same state gives the same numbers on every machine.
struct Dice(u64);

impl Dice {
    /// A number from 0 up to, not including, `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

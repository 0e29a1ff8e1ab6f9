//! What the business knows: vendors, orders and receipts as imported, and what earlier cases claim of the orders.
//! Every row is sealed and found by keyed digests.

use std::collections::BTreeMap;

use audit::Act;
use case::{
    Actor, Case, CaseId, Claim, Deed, Facts, OrderFacts, OrderLine, Question, Receipt, State, Timestamp, Vendor,
};
use serde::{Deserialize, Serialize};

use crate::cases::case_id;
use crate::check::CheckReport;
use crate::db::{Arg, Tx};
use crate::log::{Draft, signed};
use crate::{ApplyError, Error, Store, causes};

/// Facts, and the versions of what they were gathered from.
#[derive(Clone, Debug)]
pub struct Known {
    pub facts: Facts,
    versions: Vec<([u8; 32], i64)>,
}

/// Rows of one kind, checked by the caller.
#[derive(Clone, Debug, PartialEq)]
pub enum Import {
    Vendors(Vec<Vendor>),
    Orders(Vec<OrderLine>),
    Receipts(Vec<Receipt>),
}

/// What an import did. The same file again: everything is `same`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    pub new: u64,
    pub changed: u64,
    pub same: u64,
}

impl Imported {
    fn add(&mut self, other: Imported) {
        self.new += other.new;
        self.changed += other.changed;
        self.same += other.same;
    }
}

/// Rows written in one transaction.
const ROWS_AT_ONCE_MAX: usize = 500;

impl Store {
    /// Looks up what a case must be compared with.
    pub async fn facts(&self, case: CaseId, question: &Question) -> Result<Known, Error> {
        // By key: two spellings of one order are one, and everybody who writes takes the keys in the same order.
        let order_keys: BTreeMap<[u8; 32], &String> =
            question.orders.iter().map(|order| (self.order_key(order), order)).collect();
        let twin_key = question.duplicate_key.as_ref().map(|key| self.keys.blind("twin", key));
        // The versions first: what changes after this line is noticed when the verdict is written.
        let mut versions = Vec::new();
        for key in order_keys.keys().chain(&twin_key) {
            let row = self.db.row("SELECT version FROM ledgers WHERE ledger_key = $1", &[Arg::Bytes(key)]).await?;
            versions.push((*key, row.map(|row| row.int(0)).transpose()?.unwrap_or(0)));
        }
        let mut facts = Facts { vendor: self.vendor(&question.vendor_keys).await?, ..Facts::default() };
        for (key, order) in &order_keys {
            facts.orders.extend(self.order_facts(case, key, order).await?);
        }
        if let Some(key) = &twin_key {
            facts.twin = self.earlier_twin(case, key).await?;
        }
        Ok(Known { facts, versions })
    }

    /// INVARIANT (a verdict rests on facts still true): compares and bumps the version of everything it was made from.
    pub(crate) async fn use_facts(&self, tx: &mut Tx, known: &Known) -> Result<(), ApplyError> {
        for (key, version) in &known.versions {
            let args = [Arg::Bytes(key), Arg::Int(*version)];
            let used = match version {
                0 => {
                    let sql = "INSERT INTO ledgers (ledger_key, version) VALUES ($1, 1 + $2) ON CONFLICT (ledger_key) DO NOTHING";
                    tx.execute(sql, &args).await?
                }
                _ => {
                    tx.execute("UPDATE ledgers SET version = version + 1 WHERE ledger_key = $1 AND version = $2", &args)
                        .await?
                }
            };
            if used == 0 {
                return Err(ApplyError::FactsChanged);
            }
        }
        Ok(())
    }

    pub(crate) async fn write_claims(&self, tx: &mut Tx, case: &Case) -> Result<(), Error> {
        let id = case.id.to_string();
        tx.execute("DELETE FROM claims WHERE case_id = $1", &[Arg::Text(&id)]).await?;
        let mut by_order: BTreeMap<[u8; 32], Vec<&Claim>> = BTreeMap::new();
        for claim in &case.claims {
            by_order.entry(self.order_key(&claim.order_id)).or_default().push(claim);
        }
        for (key, claims) in by_order {
            let body = self.seal_json(&context("claims", &[&key, id.as_bytes()]), &claims)?;
            tx.execute(
                "INSERT INTO claims (order_key, case_id, body) VALUES ($1, $2, $3)",
                &[Arg::Bytes(&key), Arg::Text(&id), Arg::Bytes(&body)],
            )
            .await?;
        }
        Ok(())
    }

    /// Do these rows, order key and body, hold exactly what the case takes from its orders?
    pub(crate) fn claims_agree(&self, rows: &[crate::db::Row], case: &Case) -> bool {
        let mut expected: BTreeMap<[u8; 32], Vec<&Claim>> = BTreeMap::new();
        for claim in &case.claims {
            expected.entry(self.order_key(&claim.order_id)).or_default().push(claim);
        }
        let id = case.id.to_string();
        rows.len() == expected.len()
            && rows.iter().zip(&expected).all(|(row, (key, claims))| {
                let (Ok(found), Ok(body)) = (row.bytes(0), row.bytes(1)) else { return false };
                let opened = self.open_json::<Vec<Claim>>(&context("claims", &[key, id.as_bytes()]), body);
                found == key && opened.is_ok_and(|opened| opened.iter().collect::<Vec<_>>() == *claims)
            })
    }

    /// Master data that does not open in its place, or is not what it is compared by.
    pub(crate) async fn check_facts(&self, tx: &mut Tx, report: &mut CheckReport) -> Result<(), Error> {
        const ROWS_AT_ONCE: i64 = 2_000;
        let tables = [
            (
                "vendors",
                "SELECT vendor_key, vendor_key, digest_key, body FROM vendors WHERE $1 < vendor_key OR ($1 = vendor_key AND $2 < vendor_key)
                 ORDER BY vendor_key LIMIT $3",
            ),
            (
                "order_lines",
                "SELECT order_key, line_key, digest_key, body FROM order_lines WHERE $1 < order_key OR ($1 = order_key AND $2 < line_key)
                 ORDER BY order_key, line_key LIMIT $3",
            ),
            (
                "receipts",
                "SELECT order_key, receipt_key, digest_key, body FROM receipts WHERE $1 < order_key OR ($1 = order_key AND $2 < receipt_key)
                 ORDER BY order_key, receipt_key LIMIT $3",
            ),
        ];
        for (table, sql) in tables {
            let mut after = (Vec::new(), Vec::new());
            loop {
                let args = [Arg::Bytes(&after.0), Arg::Bytes(&after.1), Arg::Int(ROWS_AT_ONCE)];
                let rows = tx.rows(sql, &args).await?;
                let Some(last) = rows.last() else { break };
                after = (last.bytes(0)?.to_owned(), last.bytes(1)?.to_owned());
                for row in &rows {
                    let keys: &[&[u8]] = match table {
                        "vendors" => &[row.bytes(0)?],
                        _ => &[row.bytes(0)?, row.bytes(1)?],
                    };
                    let place = context(table, keys);
                    let same = match table {
                        "vendors" => self.open_json::<Vendor>(&place, row.bytes(3)?).and_then(|it| self.digest(&it)),
                        "order_lines" => {
                            self.open_json::<OrderLine>(&place, row.bytes(3)?).and_then(|it| self.digest(&it))
                        }
                        _ => self.open_json::<Receipt>(&place, row.bytes(3)?).and_then(|it| self.digest(&it)),
                    };
                    match same {
                        Ok(digest) if digest == row.bytes(2)? => {}
                        Ok(_) => report.fault(place, "its digest is not that of what was sealed".to_owned()),
                        Err(err) => report.fault(place, causes(&err)),
                    }
                }
            }
        }
        Ok(())
    }

    /// The vendor that one of these keys names, the surest key first. A key that fits several vendors names none.
    async fn vendor(&self, keys: &[String]) -> Result<Option<Vendor>, Error> {
        for key in keys {
            let name_key = self.keys.blind("vendor", key);
            let rows = self
                .db
                .rows(
                    "SELECT vendors.vendor_key, vendors.body FROM vendor_names
                 JOIN vendors ON vendors.vendor_key = vendor_names.vendor_key WHERE name_key = $1 LIMIT 2",
                    &[Arg::Bytes(&name_key)],
                )
                .await?;
            if let [row] = rows.as_slice() {
                return self.open_json(&context("vendors", &[row.bytes(0)?]), row.bytes(1)?).map(Some);
            }
        }
        Ok(None)
    }

    async fn order_facts(&self, case: CaseId, key: &[u8; 32], order: &str) -> Result<Option<OrderFacts>, Error> {
        let mut facts = OrderFacts { order_id: order.to_owned(), ..OrderFacts::default() };
        for row in self
            .db
            .rows("SELECT line_key, body FROM order_lines WHERE order_key = $1 ORDER BY line_key", &[Arg::Bytes(key)])
            .await?
        {
            facts.lines.push(self.open_json(&context("order_lines", &[key, row.bytes(0)?]), row.bytes(1)?)?);
        }
        if facts.lines.is_empty() {
            return Ok(None);
        }
        for row in self
            .db
            .rows(
                "SELECT receipt_key, body FROM receipts WHERE order_key = $1 ORDER BY receipt_key",
                &[Arg::Bytes(key)],
            )
            .await?
        {
            facts.receipts.push(self.open_json(&context("receipts", &[key, row.bytes(0)?]), row.bytes(1)?)?);
        }
        let others = "SELECT case_id, body FROM claims WHERE order_key = $1 AND case_id <> $2 ORDER BY case_id";
        for row in self.db.rows(others, &[Arg::Bytes(key), Arg::Text(&case.to_string())]).await? {
            let claims: Vec<Claim> =
                self.open_json(&context("claims", &[key, row.text(0)?.as_bytes()]), row.bytes(1)?)?;
            facts.claims.extend(claims);
        }
        Ok(Some(facts))
    }

    /// Another case that says the same and stands in the way of this one: it may be paid already, or can still be.
    ///
    /// INVARIANT (of twins one is free at most): one that was judged and not stopped makes every other the twin,
    /// whichever came first; of those not judged yet, the later one is the twin. One that is stopped stands in nobody's
    /// way: it must be judged again before it can go on, and then it finds this one.
    async fn earlier_twin(&self, case: CaseId, key: &[u8; 32]) -> Result<Option<CaseId>, Error> {
        let rows = self
            .db
            .rows(
                "SELECT cases.case_id, cases.state, cases.body, record_keys.body
             FROM twins JOIN cases ON cases.case_id = twins.case_id
             LEFT JOIN record_keys ON record_keys.owner = cases.case_id
             WHERE twin_key = $1 AND twins.case_id <> $2 ORDER BY cases.case_id",
                &[Arg::Bytes(key), Arg::Text(&case.to_string())],
            )
            .await?;
        for row in rows {
            let other = case_id(&row, 0)?;
            let in_the_way = match row.parsed(1, State::named)? {
                State::Approved | State::Posted | State::Archived | State::Erased => true,
                State::InReview => {
                    let judged = self.open_case(row.text(0)?, row.bytes(2)?, row.maybe_bytes(3)?)?;
                    judged.stopped().is_none()
                }
                State::Received | State::Extracted | State::Validated => other < case,
                State::Rejected | State::Quarantined => false,
            };
            if in_the_way {
                return Ok(Some(other));
            }
        }
        Ok(None)
    }

    /// Brings rows in. Idempotent: a row that is there and equal stays as it is. Rows go in by the hundreds, each lot with
    /// its audit entry in its transaction; whatever ends it half-way, importing again finishes it.
    pub async fn import(&self, import: &Import, by: &Actor, now: Timestamp) -> Result<Imported, Error> {
        self.authorize(by, Deed::Import, now).await?;
        let mut done = Imported::default();
        match import {
            Import::Vendors(rows) => {
                for lot in rows.chunks(ROWS_AT_ONCE_MAX) {
                    let (mut tx, mut here) = (self.db.begin().await?, Imported::default());
                    for row in lot {
                        self.write_vendor(&mut tx, row, &mut here).await?;
                    }
                    self.imported(tx, "vendors", &lot, here, by, now).await?;
                    done.add(here);
                }
            }
            Import::Orders(rows) => {
                for lot in rows.chunks(ROWS_AT_ONCE_MAX) {
                    let (mut tx, mut here) = (self.db.begin().await?, Imported::default());
                    for row in lot {
                        self.write_order_line(&mut tx, row, &mut here).await?;
                    }
                    self.imported(tx, "orders", &lot, here, by, now).await?;
                    done.add(here);
                }
            }
            Import::Receipts(rows) => {
                for lot in rows.chunks(ROWS_AT_ONCE_MAX) {
                    let (mut tx, mut here) = (self.db.begin().await?, Imported::default());
                    for row in lot {
                        self.write_receipt(&mut tx, row, &mut here).await?;
                    }
                    self.imported(tx, "receipts", &lot, here, by, now).await?;
                    done.add(here);
                }
            }
        }
        Ok(done)
    }

    /// INVARIANT (one entry per transition): master data changes with its entry, or not at all.
    async fn imported(
        &self,
        mut tx: Tx,
        kind: &str,
        rows: &impl Serialize,
        here: Imported,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut entry = Draft::new(Act::FactsImport, by);
        entry.tell("kind", kind);
        entry.count("new", signed(here.new)?);
        entry.count("changed", signed(here.changed)?);
        entry.count("same", signed(here.same)?);
        entry.hide("rows", case::Digest::of_value(&serde_json::json!(rows)).to_string());
        self.write_entry(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.bell.notify_one();
        Ok(())
    }

    async fn write_vendor(&self, tx: &mut Tx, vendor: &Vendor, done: &mut Imported) -> Result<(), Error> {
        let key = self.keys.blind("vendor-id", &vendor.vendor_id);
        let digest = self.digest(vendor)?;
        let there = tx.row("SELECT digest_key FROM vendors WHERE vendor_key = $1", &[Arg::Bytes(&key)]).await?;
        if !changes(there.as_ref(), &digest, done)? {
            return Ok(());
        }
        let body = self.seal_json(&context("vendors", &[&key]), vendor)?;
        tx.execute(
            "INSERT INTO vendors (vendor_key, digest_key, body) VALUES ($1, $2, $3)
             ON CONFLICT (vendor_key) DO UPDATE SET digest_key = $2, body = $3",
            &[Arg::Bytes(&key), Arg::Bytes(&digest), Arg::Bytes(&body)],
        )
        .await?;
        tx.execute("DELETE FROM vendor_names WHERE vendor_key = $1", &[Arg::Bytes(&key)]).await?;
        for name in vendor.keys() {
            let name_key = self.keys.blind("vendor", &name);
            tx.execute(
                "INSERT INTO vendor_names (name_key, vendor_key) VALUES ($1, $2) ON CONFLICT (name_key, vendor_key) DO NOTHING",
                &[Arg::Bytes(&name_key), Arg::Bytes(&key)],
            )
            .await?;
        }
        Ok(())
    }

    async fn write_order_line(&self, tx: &mut Tx, line: &OrderLine, done: &mut Imported) -> Result<(), Error> {
        let key = self.order_key(&line.order_id);
        let line_key = self.keys.blind("order-line", &line.line);
        let digest = self.digest(line)?;
        let there = tx
            .row(
                "SELECT digest_key FROM order_lines WHERE order_key = $1 AND line_key = $2",
                &[Arg::Bytes(&key), Arg::Bytes(&line_key)],
            )
            .await?;
        if !changes(there.as_ref(), &digest, done)? {
            return Ok(());
        }
        let body = self.seal_json(&context("order_lines", &[&key, &line_key]), line)?;
        tx.execute(
            "INSERT INTO order_lines (order_key, line_key, digest_key, body) VALUES ($1, $2, $3, $4)
             ON CONFLICT (order_key, line_key) DO UPDATE SET digest_key = $3, body = $4",
            &[Arg::Bytes(&key), Arg::Bytes(&line_key), Arg::Bytes(&digest), Arg::Bytes(&body)],
        )
        .await?;
        bump(tx, &key).await
    }

    async fn write_receipt(&self, tx: &mut Tx, receipt: &Receipt, done: &mut Imported) -> Result<(), Error> {
        let key = self.order_key(&receipt.order_id);
        let receipt_key =
            self.keys.blind("receipt", &serde_json::json!([receipt.receipt_id, receipt.line]).to_string());
        let digest = self.digest(receipt)?;
        let there = tx
            .row(
                "SELECT digest_key FROM receipts WHERE order_key = $1 AND receipt_key = $2",
                &[Arg::Bytes(&key), Arg::Bytes(&receipt_key)],
            )
            .await?;
        if !changes(there.as_ref(), &digest, done)? {
            return Ok(());
        }
        let body = self.seal_json(&context("receipts", &[&key, &receipt_key]), receipt)?;
        tx.execute(
            "INSERT INTO receipts (order_key, receipt_key, digest_key, body) VALUES ($1, $2, $3, $4)
             ON CONFLICT (order_key, receipt_key) DO UPDATE SET digest_key = $3, body = $4",
            &[Arg::Bytes(&key), Arg::Bytes(&receipt_key), Arg::Bytes(&digest), Arg::Bytes(&body)],
        )
        .await?;
        bump(tx, &key).await
    }

    /// Orders are named without regard to case and outer spaces.
    fn order_key(&self, order: &str) -> [u8; 32] {
        self.keys.blind("order", &order.trim().to_uppercase())
    }

    fn digest(&self, row: &impl Serialize) -> Result<[u8; 32], Error> {
        let json = serde_json::to_string(row).map_err(|err| Error::json("an imported row", &err))?;
        Ok(self.keys.blind("row", &json))
    }
}

/// Says where a sealed row belongs, so that it cannot be put in the place of another.
pub(crate) fn context(table: &str, keys: &[&[u8]]) -> String {
    let mut context = table.to_owned();
    for key in keys {
        context.push('/');
        context.extend(key.iter().map(|byte| format!("{byte:02x}")));
    }
    context
}

/// Is the row new or another one than before? Counts it.
fn changes(there: Option<&crate::db::Row>, digest: &[u8], done: &mut Imported) -> Result<bool, Error> {
    match there {
        None => done.new += 1,
        Some(row) if row.bytes(0)? == digest => {
            done.same += 1;
            return Ok(false);
        }
        Some(_) => done.changed += 1,
    }
    Ok(true)
}

async fn bump(tx: &mut Tx, key: &[u8; 32]) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO ledgers (ledger_key, version) VALUES ($1, 1)
         ON CONFLICT (ledger_key) DO UPDATE SET version = ledgers.version + 1",
        &[Arg::Bytes(key)],
    )
    .await?;
    Ok(())
}

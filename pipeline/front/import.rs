//! `import`: what the business knows, from CSV, XLSX and JSON, and statements of the bank. A row that is refused is reported
//! with its number, column, value and reason; the rest goes in.

mod bank;
mod columns;
mod kinds;
mod lots;
mod rows;

use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use case::{Actor, Bill, Deed, Fact, Invoice, Key, OrderLine, Vendor};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use serde_json::json;
use store::{Imported, Store};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use work::now;

use super::cases::plain;
use super::reconcile::Settling;
use super::workspace::Workspace;
use super::{Answer, Output};

pub(crate) use kinds::Kind;
pub(crate) use rows::Refused;

/// Its examples are files that can be imported.
pub(crate) const HELP: &str = include_str!("import/help.txt");

const REFUSALS_SHOWN: usize = 20;
/// Where standard error is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// Vendors that are remembered while their invoices are brought in.
const VENDORS_AT_ONCE_MAX: usize = 20_000;

/// What became of a file.
#[derive(Debug, Default)]
pub(crate) struct Brought {
    done: Imported,
    pub(crate) n_refused: u64,
    /// Rows in whose place a later one of the file went in.
    n_replaced: u64,
    /// Invoices and order lines of vendors that are not known.
    n_strangers: u64,
}

pub(crate) async fn import(kind: Kind, file: &Path, dir: &Path, user: &str, output: Output) -> anyhow::Result<Answer> {
    let workspace = Workspace::open(dir)?;
    let store = workspace.store().await?;
    let by = store.person(user).await?;
    // Whoever may not is told so, and not what is wrong with the file.
    let permitted = store.authorize(&by, Deed::Import, now()).await;
    if permitted.is_err() {
        store.seal_log(now()).await?;
    }
    permitted?;
    let mut first = Vec::new();
    let mut told = |it: Refused| match output {
        Output::Json => say!("{}", json!({"row": it.row, "column": it.column, "value": it.value, "refused": it.why})),
        Output::Words if first.len() < REFUSALS_SHOWN => first.push(it),
        Output::Words => {}
    };
    let settling = match kind {
        Kind::BankStatements => Some(Settling::begin(&workspace, &store, &by, output).await?),
        _ => None,
    };
    let brought = bring_in(&store, kind, file, &by, &mut told).await?;
    let mut for_people = 0;
    if let Some(mut settling) = settling {
        // Read once more: a statement is small, and what was settled before stays as it is.
        let payments = bank::payments(file)?;
        settling.settle(&payments).await?;
        settling.tell_what_waits(&payments).await?;
        for_people = settling.end();
    }
    store.seal_log(now()).await?;
    let Brought { done: Imported { new, changed, same, .. }, n_refused, n_replaced, n_strangers } = brought;
    match output {
        Output::Json => {
            let counts = json!({"new": new, "changed": changed, "same": same, "refused": n_refused,
                                "replaced": n_replaced, "unknown_vendors": n_strangers});
            say!("{counts}");
        }
        Output::Words => {
            for Refused { row, column, value, why } in &first {
                match column.as_str() {
                    "" => say!("row {row}: {why}"),
                    column => say!("row {row}: {column} `{}`: {why}", plain(value)),
                }
            }
            let more = n_refused.saturating_sub(first.len() as u64);
            if 0 < more {
                say!("… and {more} more; --json tells all of them");
            }
            say!("{new} new, {changed} changed, {same} as before, {n_refused} refused");
            if 0 < n_replaced {
                say!("rows with an id that stands again further down: {n_replaced}; the last of each went in");
            }
            match kind {
                _ if n_strangers == 0 => {}
                Kind::Orders => {
                    say!("order lines that name vendors that are not known: {n_strangers}; import those too")
                }
                _ => say!("invoices of vendors that are not known: {n_strangers}; import those, then these again"),
            }
        }
    }
    Ok(if n_refused == 0 && for_people == 0 { Answer::Good } else { Answer::Bad })
}

/// Reads a file and brings it in lot by lot, telling each row that is refused. What is in stays in when this fails.
pub(crate) async fn bring_in(
    store: &Store,
    kind: Kind,
    file: &Path,
    by: &Actor,
    told: &mut dyn FnMut(Refused),
) -> anyhow::Result<Brought> {
    let path = Arc::new(PathBuf::from(file));
    let looking = ProgressBar::new_spinner().with_message("reading the file through");
    looking.enable_steady_tick(Duration::from_secs(1));
    let mut plan = spawn_blocking({
        let path = path.clone();
        move || lots::plan(kind, &path)
    });
    let plan = loop {
        match timeout(LINE_EVERY, &mut plan).await {
            Ok(plan) => break plan??,
            Err(_) if std::io::stderr().is_terminal() => {}
            Err(_) => eprintln!("reading the file through"),
        }
    };
    looking.finish_and_clear();
    let (send, mut lots) = mpsc::channel(2);
    let mut shown = Shown::of(plan.n_rows);
    let reading = spawn_blocking(move || {
        lots::lots(kind, &path, &plan, &mut |lot| send.blocking_send(lot).context("nobody takes the rows any more"))
    });
    let (mut brought, mut vendors) = (Brought::default(), HashMap::new());
    while let Some(mut lot) = lots.recv().await {
        for fact in &mut lot.facts {
            brought.n_strangers += u64::from(!know_vendor(fact, store, &mut vendors).await?);
        }
        if !lot.facts.is_empty() {
            let done = store.import(kind.facts(), &lot.facts, by, now()).await;
            let Imported { new, changed, same, .. } =
                done.with_context(|| format!("cut short after {} rows; import the file again", shown.n_rows))?;
            brought.done.new += new;
            brought.done.changed += changed;
            brought.done.same += same;
        }
        brought.n_replaced += lot.n_replaced;
        brought.n_refused += lot.refused.len() as u64;
        shown.step(lot.n_rows, brought.n_refused);
        lot.refused.into_iter().for_each(&mut *told);
    }
    reading.await??;
    shown.bar.finish_and_clear();
    Ok(brought)
}

/// False where an invoice or an order line names a vendor that is not known.
async fn know_vendor(fact: &mut Fact, store: &Store, vendors: &mut HashMap<Key, Vec<Vendor>>) -> anyhow::Result<bool> {
    let id = match fact {
        Fact::Bill(bill) => bill.vendor_id.as_deref(),
        Fact::OrderLine(OrderLine { vendor_id, .. }) => Some(vendor_id.as_str()),
        _ => None,
    };
    let Some(id) = id else { return Ok(true) };
    let key = Key::vendor(id);
    if !vendors.contains_key(&key) {
        if VENDORS_AT_ONCE_MAX <= vendors.len() {
            vendors.clear();
        }
        let stated = store.facts_by_key(&key, None).await?.into_iter();
        let records = stated.filter_map(|it| if let Fact::Vendor(vendor) = it.fact { Some(vendor) } else { None });
        vendors.insert(key.clone(), records.collect());
    }
    let records = vendors.get(&key).map(Vec::as_slice).unwrap_or_default();
    if let Fact::Bill(bill) = fact {
        file_under_seller(bill, records);
    }
    Ok(!records.is_empty())
}

/// Duplicates are looked for within a seller, so an invoice is filed under the surest id that is known of its vendor.
fn file_under_seller(bill: &mut Bill, records: &[Vendor]) {
    let begun = records.iter().filter(|it| it.valid_from.is_none_or(|from| bill.date.is_none_or(|on| from <= on)));
    let newest = begun.max_by_key(|it| it.valid_from).or(records.first());
    bill.cluster = match newest {
        Some(vendor) => Invoice::default().cluster(Some(vendor)),
        None => format!("vendor:{}", bill.vendor_id.as_deref().unwrap_or_default()),
    };
}

/// How far it is, for whoever looks at standard error.
struct Shown {
    bar: ProgressBar,
    n_rows: u64,
    began: Instant,
    /// Where there is no terminal: when it was last told.
    told: Option<Instant>,
}

impl Shown {
    fn of(n_rows: u64) -> Shown {
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} rows, {msg} refused, {per_sec} {elapsed}");
        let bar = ProgressBar::new(n_rows).with_message("0");
        let bar = style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style));
        bar.enable_steady_tick(Duration::from_secs(1));
        let began = Instant::now();
        Shown { bar, n_rows: 0, began, told: Some(began).filter(|_| !std::io::stderr().is_terminal()) }
    }

    fn step(&mut self, n_rows: u64, n_refused: u64) {
        self.n_rows += n_rows;
        self.bar.set_position(self.n_rows);
        self.bar.set_message(n_refused.to_string());
        if self.told.is_some_and(|told| LINE_EVERY <= told.elapsed()) {
            self.told = Some(Instant::now());
            let rate = self.n_rows as f64 / self.began.elapsed().as_secs_f64().max(0.001);
            eprintln!("{} rows, {n_refused} refused, {rate:.0} rows a second", HumanCount(self.n_rows));
        }
    }
}

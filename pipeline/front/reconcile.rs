//! `reconcile`: payments with open bills, a vendor's statement with ours, and credit notes that have not come.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use case::{
    Actor, Deed, Fact, Invoice, Key, Known, LineStanding, Outstanding, Payment, Policy, Settlement, StatementLine,
    Vendor, compare_statement, outstanding, wanted_of_returns, wanted_of_statement,
};
use clap::Subcommand;
use jiff::civil::Date;
use serde_json::json;
use store::Store;
use work::{now, settle_payment, system};

use super::cases::plain;
use super::workspace::Workspace;
use super::{Answer, Asking, Mistake, Output, day, given, money};

#[derive(Subcommand)]
pub(crate) enum ReconcileCommand {
    /// Settle the payments that settled nothing yet, and list those that a person must look at
    #[command(
        after_help = "Example:\n  countersign reconcile payments --as olivia -C books\n\nPayments come in with `countersign import bank-statements`, which settles each of them by itself. Nothing is guessed: a payment names its bills, or fits one by amount and an approved account. What is for no bill that is known (fees, salaries, transfers) is listed, with the employee whose account it went to."
    )]
    Payments {
        #[command(flatten)]
        asking: Asking,
    },
    /// Compare a vendor's statement of account with what is known here
    #[command(
        after_help = "Example:\n  countersign reconcile statement V1 statement.csv --on 2026-06-30 --as olivia -C books\n\nThe file is a CSV with the columns number, date, amount and, if the statement has it, open; amounts with a point, negative where the vendor owes. First come the lines of the statement, then the bills here that are on none of them; of each, the amount there and the amount here. With --json, a line that no bill here fits is `not_here`, and a bill that the statement leaves out is `not_on_statement`."
    )]
    Statement {
        /// The vendor, by its id
        vendor: String,
        /// The statement, as a CSV file
        file: PathBuf,
        /// The day that the statement is of
        #[arg(long, value_name = "DAY", value_parser = day)]
        on: Date,
        /// The currency of the statement
        #[arg(long, value_parser = currency, default_value = "EUR")]
        currency: String,
        #[command(flatten)]
        asking: Asking,
    },
    /// What was sent back and billed, and no credit note has come for
    #[command(after_help = "Example:\n  countersign reconcile credits --days 30 --as olivia -C books")]
    Credits {
        /// Returns of more than so many days ago
        #[arg(long, default_value_t = 30)]
        days: u16,
        #[command(flatten)]
        asking: Asking,
    },
}

/// Of ISO 4217, in letters of either size.
fn currency(text: &str) -> Result<String, String> {
    let code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    if code {
        Ok(text.to_ascii_uppercase())
    } else {
        Err("expected the three letters of a currency, as EUR".to_owned())
    }
}

pub(crate) async fn reconcile(command: ReconcileCommand) -> anyhow::Result<Answer> {
    match command {
        ReconcileCommand::Payments { asking } => payments(&asking).await,
        ReconcileCommand::Statement { vendor, file, on, currency, asking } => {
            statement(&vendor, &file, on, &currency, &asking).await
        }
        ReconcileCommand::Credits { days, asking } => credits(days, &asking).await,
    }
}

async fn payments(asking: &Asking) -> anyhow::Result<Answer> {
    let (store, by) = asking.open().await?;
    store.authorize(&by, Deed::Import, now()).await?;
    let mut settling = Settling::begin(&asking.workspace()?, &store, &by, asking.output()).await?;
    settling.settle_all(|_, _| true).await?;
    let left = settling.end();
    store.seal_log(now()).await?;
    Ok(if left == 0 { Answer::Good } else { Answer::Bad })
}

/// Settles payments one after the other and tells what became of each.
pub(crate) struct Settling<'a> {
    store: &'a Store,
    policy: Policy,
    by: &'a Actor,
    output: Output,
    settled: u64,
    unmatched: Unmatched,
    to_employees: Unmatched,
    left: u64,
}

/// Payments for no bill that is known: how many, and what is said of the first.
#[derive(Default)]
struct Unmatched {
    n: u64,
    first: Vec<String>,
}

impl<'a> Settling<'a> {
    pub(crate) async fn begin(
        workspace: &Workspace,
        store: &'a Store,
        by: &'a Actor,
        output: Output,
    ) -> anyhow::Result<Settling<'a>> {
        let policy = match store.policy_in_force().await? {
            Some(policy) => policy,
            // As the service does when it starts: a bank statement may come before it ever ran.
            None => workspace.policies().load(store, &system()).await?.policy,
        };
        let (unmatched, to_employees) = (Unmatched::default(), Unmatched::default());
        Ok(Settling { store, policy, by, output, settled: 0, unmatched, to_employees, left: 0 })
    }

    pub(crate) async fn settle<'b>(&mut self, payments: impl IntoIterator<Item = &'b Payment>) -> anyhow::Result<()> {
        for payment in payments {
            let settlement = settle_payment(self.store, &self.policy, payment, self.by).await?;
            self.settled += u64::from(!settlement.shares.is_empty());
            self.left += u64::from(!settlement.findings.is_empty());
            let employee = self.employee_paid(payment, &settlement).await?;
            if settlement.unmatched() && settlement.findings.is_empty() {
                let list = if employee.is_some() { &mut self.to_employees } else { &mut self.unmatched };
                list.add(payment, employee.as_deref());
            }
            tell(payment, &settlement, employee.as_deref(), self.output);
        }
        Ok(())
    }

    /// The employee whose account money went to that paid no bill.
    async fn employee_paid(&self, payment: &Payment, settlement: &Settlement) -> anyhow::Result<Option<String>> {
        let paid_out = payment.amount.is_sign_negative() && settlement.shares.is_empty();
        let Some(iban) = payment.iban.as_deref().filter(|_| paid_out) else { return Ok(None) };
        Ok(self.store.employee_at(iban).await?)
    }

    /// Those whose case could not be told of them yet, but for these.
    pub(crate) async fn tell_what_waits(&mut self, but: &[Payment]) -> anyhow::Result<()> {
        let but: BTreeSet<&str> = but.iter().map(|payment| payment.payment_id.as_str()).collect();
        self.settle_all(|payment, settlement| settlement.untold && !but.contains(payment.payment_id.as_str())).await
    }

    async fn settle_all(&mut self, fits: impl Fn(&Payment, &Settlement) -> bool) -> anyhow::Result<()> {
        let mut before = None;
        loop {
            let (unsettled, next) = self.store.unsettled(before).await?;
            let fitting = unsettled.iter().filter(|(payment, settlement)| fits(payment, settlement));
            self.settle(fitting.map(|(payment, _)| payment)).await?;
            if next.is_none() {
                return Ok(());
            }
            before = next;
        }
    }

    /// Gives back how many a person must look at.
    pub(crate) fn end(self) -> u64 {
        let Settling { settled, unmatched, to_employees, left, .. } = self;
        if self.output == Output::Words {
            unmatched.print("For no bill that is known");
            to_employees.print("For no bill that is known, to accounts of employees");
            let n_unmatched = unmatched.n + to_employees.n;
            say!("{settled} settled, {left} for a person to look at, {n_unmatched} for no bill that is known");
        }
        left
    }
}

impl Unmatched {
    const SHOWN_MAX: usize = 20;
    const TEXT_CHARS_MAX: usize = 60;

    fn add(&mut self, payment: &Payment, employee: Option<&str>) {
        self.n += 1;
        if self.first.len() < Self::SHOWN_MAX {
            let way = if payment.amount.is_sign_negative() { "to" } else { "from" };
            let iban = payment.iban.as_deref().unwrap_or("an account that is not said");
            let whose = employee.map(|id| format!(" of employee {id}")).unwrap_or_default();
            let text: String = payment.text.chars().take(Self::TEXT_CHARS_MAX).collect();
            let text = if text.is_empty() { text } else { format!(", `{text}`") };
            self.first.push(format!("{}  {way} {}", paid(payment), plain(&format!("{iban}{whose}{text}"))));
        }
    }

    fn print(&self, title: &str) {
        if self.n == 0 {
            return;
        }
        say!("{title}:");
        self.first.iter().for_each(|line| say!("  {line}"));
        let more = self.n.saturating_sub(self.first.len() as u64);
        if 0 < more {
            say!("  … and {more} more; --json tells all of them");
        }
    }
}

fn paid(payment: &Payment) -> String {
    format!("{}  {} {}", payment.date, money(payment.amount), plain(&payment.currency))
}

fn tell(payment: &Payment, settlement: &Settlement, employee: Option<&str>, output: Output) {
    if output == Output::Json {
        return say!("{}", json!({ "payment": payment, "settlement": settlement, "employee": employee }));
    }
    let to = employee.map(|id| format!("; it went to an account of employee {}", plain(id))).unwrap_or_default();
    for share in &settlement.shares {
        let number = plain(share.number.as_deref().unwrap_or("without number"));
        let done = if share.taken_off(payment) { "taken off" } else { "paid" };
        say!("{}  {number}: {} {done}, {} open", paid(payment), money(share.amount), money(share.open));
    }
    for finding in &settlement.findings {
        say!("{}  {}: {}{to}", paid(payment), finding.code.name(), plain(&finding.message));
    }
}

async fn statement(vendor: &str, file: &Path, on: Date, currency: &str, asking: &Asking) -> anyhow::Result<Answer> {
    let lines = read(file)?;
    let (store, by) = asking.open().await?;
    store.authorize(&by, Deed::ViewCase, now()).await?;
    let records = store.facts_by_key(&Key::vendor(vendor), None).await?;
    let record: Option<Vendor> = records.into_iter().find_map(|it| match it.fact {
        Fact::Vendor(vendor) => Some(vendor),
        _ => None,
    });
    let Some(record) = record else {
        eprintln!("there is no vendor `{}`", plain(vendor));
        return Ok(Answer::Bad);
    };
    let cluster = Invoice::default().cluster(Some(&record));
    let wanted = |known: &Known| wanted_of_statement(vendor, &cluster, &lines, on, known);
    let known = store.gather_facts(&wanted).await?.known;
    let compared = compare_statement(vendor, &cluster, currency, &lines, on, &known);
    let mut agreed = true;
    if asking.output() == Output::Words && !compared.is_empty() {
        say!("{:<20} {:>14} {:>14}", "number", "on statement", "here");
    }
    for it in &compared {
        agreed &= it.standing == LineStanding::Agreed;
        match asking.output() {
            Output::Json => say!("{}", json!(it)),
            Output::Words => {
                let figure = |it: Option<case::Decimal>| it.map_or_else(|| "–".to_owned(), money);
                let number = plain(it.number.as_deref().unwrap_or_default());
                say!("{:<20} {:>14} {:>14}  {}", number, figure(it.theirs), figure(it.ours), standing(it.standing));
            }
        }
    }
    Ok(if agreed { Answer::Good } else { Answer::Bad })
}

fn standing(standing: LineStanding) -> &'static str {
    match standing {
        LineStanding::Agreed => "agreed",
        LineStanding::Differs => "another amount, currency or rest",
        LineStanding::NotHere => "on the statement, not here",
        LineStanding::NotOnStatement => "here, not on the statement",
        LineStanding::PaidAlready => "paid already",
        LineStanding::Cancelled => "cancelled by credit notes",
        LineStanding::Ambiguous => "several bills have this number",
    }
}

const STATEMENT_BYTES_MAX: u64 = 16 << 20;
const STATEMENT_LINES_MAX: usize = 10_000;

fn read(file: &Path) -> anyhow::Result<Vec<StatementLine>> {
    let lines = given(file)?;
    let wrong = || Mistake::File(format!("`{}` is no statement that can be compared", file.display()));
    lines_of(lines).with_context(wrong)
}

fn lines_of(file: File) -> anyhow::Result<Vec<StatementLine>> {
    let size = file.metadata()?.len();
    ensure!(size <= STATEMENT_BYTES_MAX, "it has {size} bytes, more than the {STATEMENT_BYTES_MAX} of a statement");
    let mut reader = csv::Reader::from_reader(file);
    let header: BTreeSet<String> = reader.headers()?.iter().map(|name| name.trim().to_owned()).collect();
    if let Some(other) = header.iter().find(|name| !["number", "date", "amount", "open"].contains(&name.as_str())) {
        bail!("it has a column `{}`; expected number, date, amount, open", plain(other));
    }
    let mut lines = Vec::new();
    for (idx, line) in reader.deserialize().enumerate() {
        ensure!(idx < STATEMENT_LINES_MAX, "it has more than the {STATEMENT_LINES_MAX} lines of a statement");
        lines.push(line.with_context(|| format!("row {}", idx + 2))?);
    }
    Ok(lines)
}

async fn credits(days: u16, asking: &Asking) -> anyhow::Result<Answer> {
    let (store, by) = asking.open().await?;
    store.authorize(&by, Deed::ViewCase, now()).await?;
    let today = now().date();
    let known = store.gather_facts(&|known| wanted_of_returns(known, today)).await?.known;
    let due = outstanding(&known, today, days);
    for it in &due {
        match asking.output() {
            Output::Json => say!("{}", json!(it)),
            Output::Words => {
                let Outstanding { vendor_id, order_id, order_line, quantity, amount, currency, since, .. } = it;
                let amount = amount.map(|it| format!(" of {} {currency}", money(it))).unwrap_or_default();
                let order = plain(order_id);
                say!(
                    "{}  order {order}, line {}: {quantity}{amount}, since {since}",
                    plain(vendor_id),
                    plain(order_line)
                );
            }
        }
    }
    let cut: Vec<&str> = known.cut().map(Key::text).collect();
    for key in &cut {
        match asking.output() {
            Output::Json => say!("{}", json!({ "too_many": key })),
            Output::Words => say!("there is more about `{}` than is looked at: this is a part", plain(key)),
        }
    }
    let none = due.is_empty() && cut.is_empty();
    if none && asking.output() == Output::Words {
        say!("no credit note is outstanding for more than {days} days");
    }
    Ok(if none { Answer::Good } else { Answer::Bad })
}

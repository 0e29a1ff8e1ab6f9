//! `facts`: what is known of a vendor, an order or a contract, also as it was known before, and the ledger of an order.

use std::collections::BTreeSet;

use anyhow::Context;
use case::{Decimal, Deed, Fact, FactKind, Key, Known, Ledger, LookedUp, OrderLine, Stated, Timestamp, ledger};
use clap::{Subcommand, ValueEnum};
use jiff::civil::Date;
use serde_json::{Value, json};
use store::Store;
use work::now;

use super::cases::plain;
use super::{Answer, Asking, Mistake, Output, People, day, money};

#[derive(Subcommand)]
pub(crate) enum FactsCommand {
    /// What is known under an id, with who brought it in and when
    #[command(
        after_help = "Examples:\n  countersign facts show orders 4500017 --as rita -C books\n  countersign facts show accounts V-7 --valid-on 2026-06-30 --as rita -C books\n  countersign facts show receipts 4500017 --as-known-on 2026-06-30T12:00:00Z --as rita -C books\n\n--as-known-on answers with what had been brought in by then; --valid-on leaves out what was not so on that day, and accounts that could not be paid to on it. Together: what was thought, then, to be so on that day."
    )]
    Show {
        /// What is asked about
        kind: Shown,
        /// Of the vendor for vendors and accounts, of the order for orders and receipts; a unit for units, whose conversions for every item are shown; the number of invoices of other systems; the IBAN for employees and bank-statements
        id: String,
        /// For units, the conversions of this item
        #[arg(long)]
        item: Option<String>,
        /// Only what was known at this time
        #[arg(long, value_name = "TIME", value_parser = time)]
        as_known_on: Option<Timestamp>,
        /// Only what is so on this day
        #[arg(long, value_name = "DAY", value_parser = day)]
        valid_on: Option<Date>,
        #[command(flatten)]
        asking: Asking,
    },
    /// An order line by line: ordered, received, accepted, returned, billed, credited
    #[command(
        after_help = "Example:\n  countersign facts ledger 4500017 --as rita -C books\n\nAccepted is what was inspected and found good; – where nothing was inspected. Billed counts every bill of the line that was not rejected, also one that is still held, and bills of other systems. Credited counts what somebody let through, and no more than was billed by then; credits that nobody let through yet wait and are shown below the line (--json: waiting)."
    )]
    Ledger {
        /// The order, by its id
        order: String,
        #[command(flatten)]
        asking: Asking,
    },
}

/// What is found by an id that people know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shown {
    Vendors,
    Accounts,
    Orders,
    Receipts,
    Contracts,
    Units,
    Employees,
    Invoices,
    BankStatements,
}

impl Shown {
    fn key(self, id: &str) -> (FactKind, Key) {
        match self {
            Shown::Vendors => (FactKind::Vendors, Key::vendor(id)),
            Shown::Accounts => (FactKind::Accounts, Key::accounts_of(id)),
            Shown::Orders => (FactKind::Orders, Key::order(id)),
            Shown::Receipts => (FactKind::Receipts, Key::order(id)),
            Shown::Contracts => (FactKind::Contracts, Key::contract(id)),
            Shown::Units => (FactKind::Units, Key::unit(id)),
            Shown::Employees => (FactKind::Employees, Key::iban(id)),
            Shown::Invoices => (FactKind::Invoices, Key::any_number(id)),
            Shown::BankStatements => (FactKind::Payments, Key::payments_to(id)),
        }
    }

    /// Whose it is to see: accounts of vendors and of people are for whoever may do something about one, as at the desk.
    fn seen_by(self) -> Deed {
        match self {
            Shown::Accounts | Shown::Employees | Shown::BankStatements => Deed::ProposePayee,
            _ => Deed::ViewCase,
        }
    }

    fn key_of(self, id: &str, item: Option<&str>) -> anyhow::Result<(FactKind, Key)> {
        match (self, item) {
            (Shown::Units, Some(item)) => Ok((FactKind::Units, Key::unit_of(id, item))),
            (_, Some(_)) => anyhow::bail!(Mistake::Use("`--item` is for units".into())),
            (_, None) => Ok(self.key(id)),
        }
    }
}

fn time(text: &str) -> Result<Timestamp, String> {
    let time: Result<jiff::Timestamp, _> = text.parse();
    time.map(|time| Timestamp(time.as_microsecond())).map_err(|_| "expected a time such as 2026-06-30T12:00:00Z".into())
}

pub(crate) async fn facts(command: FactsCommand) -> anyhow::Result<Answer> {
    match command {
        FactsCommand::Show { kind, id, item, as_known_on, valid_on, asking } => {
            let store = opened(&asking, kind.seen_by()).await?;
            let (kind, key) = kind.key_of(&id, item.as_deref())?;
            let known = of_kind(kind, store.facts_by_key(&key, as_known_on).await?);
            let so = |it: &&Stated| valid_on.is_none_or(|on| it.fact.valid_on(on));
            let found: Vec<&Stated> = known.iter().filter(so).collect();
            show(&found, &People::of(&store).await?, asking.output())?;
            match (found.is_empty(), valid_on, as_known_on) {
                (false, ..) => return Ok(Answer::Good),
                (true, Some(on), _) if !known.is_empty() => not_so(kind, &id, on, &known),
                (true, _, Some(time)) => {
                    let since = of_kind(kind, store.facts_by_key(&key, None).await?);
                    not_yet(kind, &id, time, &since);
                }
                (true, ..) => nothing(kind, &id),
            }
            Ok(Answer::Bad)
        }
        FactsCommand::Ledger { order, asking } => {
            let store = opened(&asking, Deed::ViewCase).await?;
            show_ledger(&order, &known(&order, &store).await?, asking.output())
        }
    }
}

async fn opened(asking: &Asking, deed: Deed) -> anyhow::Result<Store> {
    let (store, by) = asking.open().await?;
    store.authorize(&by, deed, now()).await?;
    Ok(store)
}

/// Those of this kind that were brought in, in an order: the database has none of its own.
fn of_kind(kind: FactKind, mut found: Vec<Stated>) -> Vec<Stated> {
    // A bill of a case is the case's, and is asked for there.
    found.retain(|it| it.fact.kind() == kind && it.case.is_none());
    found.sort_by_cached_key(|it| (it.fact.valid().0, it.fact.id(), it.known_from));
    found
}

fn nothing(kind: FactKind, id: &str) {
    eprintln!("no {} are known under `{}`", kind.name(), plain(id));
}

/// It is known, and was not so on that day.
fn not_so(kind: FactKind, id: &str, on: Date, known: &[Stated]) {
    let when: BTreeSet<String> = known.iter().map(|it| validity(&it.fact)).collect();
    let when = when.into_iter().collect::<Vec<_>>().join("; ");
    let so = if kind == FactKind::Accounts { "could not be paid to" } else { "was not valid" };
    eprintln!("{} `{}`: known, and {so} on {on} ({when})", kind.name(), plain(id));
}

/// It was not known at that time; is it now?
fn not_yet(kind: FactKind, id: &str, time: Timestamp, since: &[Stated]) {
    match since.iter().map(|it| it.known_from).min() {
        None => nothing(kind, id),
        Some(from) => {
            eprintln!("{} `{}`: not known on {time}; what is known now is known since {from}", kind.name(), plain(id));
        }
    }
}

fn show(found: &[&Stated], people: &People, output: Output) -> anyhow::Result<()> {
    for stated in found {
        let said = serde_json::to_value(&stated.fact)?;
        match output {
            Output::Json => {
                let (from, to) = stated.fact.valid();
                let case = stated.case.map(|case| case.to_string());
                let mut row = json!({"fact": said, "valid_from": from, "valid_to": to, "by": stated.by, "case": case,
                                     "known_from": stated.known_from.to_string()});
                if let Fact::Account(account) = &stated.fact {
                    super::put(&mut row, "standing", json!(super::payee::stands(account)));
                }
                say!("{row}");
            }
            Output::Words => {
                let members = said.as_object().into_iter().flatten();
                let told = members.filter(|(name, value)| *name != "fact" && !value.is_null());
                let told: Vec<String> = told.map(|(name, value)| format!("{name} {}", word(value, people))).collect();
                say!("{}", plain(&told.join(", ")));
                say!(
                    "    {}, known from {}, by {}",
                    validity(&stated.fact),
                    stated.known_from,
                    plain(people.name(&stated.by))
                );
            }
        }
    }
    Ok(())
}

fn word(value: &Value, people: &People) -> String {
    match value {
        Value::String(text) => people.name(text).to_owned(),
        Value::Object(members) => {
            let told: Vec<String> = members.iter().map(|(name, it)| format!("{name} {}", word(it, people))).collect();
            format!("({})", told.join(", "))
        }
        other => other.to_string(),
    }
}

fn validity(fact: &Fact) -> String {
    if let Fact::Account(account) = fact {
        return super::payee::stands(account);
    }
    match fact.valid() {
        (None, None) => "valid at any time".to_owned(),
        (Some(from), None) => format!("valid from {from}"),
        (None, Some(to)) => format!("valid until {to}"),
        (Some(from), Some(to)) => format!("valid from {from} to {to}"),
    }
}

/// Everything that the ledgers of an order are made from.
async fn known(order: &str, store: &Store) -> anyhow::Result<Known> {
    let mut known = Known::default();
    let key = Key::order(order);
    known.put(key.clone(), LookedUp { facts: store.facts_by_key(&key, None).await?, cut: false });
    // Goods may have come in in other units than were ordered.
    let units: BTreeSet<Key> = known.order_lines(order).flat_map(Key::units_of).collect();
    for unit in units {
        let facts = store.facts_by_key(&unit, None).await.context("the conversions of its units were not found")?;
        known.put(unit, LookedUp { facts, cut: false });
    }
    Ok(known)
}

fn show_ledger(order: &str, known: &Known, output: Output) -> anyhow::Result<Answer> {
    let mut lines: Vec<&OrderLine> = known.order_lines(order).collect();
    lines.sort_by_cached_key(|it| (it.line.len(), it.line.clone()));
    match output {
        Output::Json => {
            for line in &lines {
                let mut row = serde_json::to_value(ledger(known, line))?;
                super::put(&mut row, "inspected", json!(inspected(known, line)));
                super::put(&mut row, "order_id", json!(line.order_id));
                super::put(&mut row, "line", json!(line.line));
                super::put(&mut row, "unit", json!(line.unit));
                super::put(&mut row, "currency", json!(line.currency));
                say!("{row}");
            }
        }
        Output::Words => table(known, &lines),
    }
    if lines.is_empty() {
        nothing(FactKind::Orders, order);
    }
    Ok(if lines.is_empty() { Answer::Bad } else { Answer::Good })
}

const COLUMNS: [&str; 8] =
    ["ordered", "received", "accepted", "returned", "billed", "credited", "billed net", "credited net"];

fn table(known: &Known, lines: &[&OrderLine]) {
    if lines.is_empty() {
        return;
    }
    let head = COLUMNS.map(|name| format!("{name:>13}")).join("");
    say!("{:<8} {:<5}{head}", "line", "unit");
    for line in lines {
        let of = ledger(known, line);
        let row = figures(&of, inspected(known, line)).map(|it| format!("{it:>13}")).join("");
        say!("{:<8} {:<5}{row} {}", plain(&line.line), plain(&line.unit), plain(&line.currency));
        if !of.waiting.is_zero() || !of.waiting_amount.is_zero() {
            let (goods, net) = (of.waiting.normalize(), money(of.waiting_amount));
            let currency = plain(&line.currency);
            say!("{:<8} more is credited, and waits to be let through: {goods}, net {net} {currency}", "");
        }
        if let Some(unit) = &of.unit_unknown {
            say!(
                "{:<8} something came in in `{}`, from which no conversion is known, and is not counted",
                "",
                plain(unit)
            );
        }
    }
}

/// Was anything looked at that came in? What nobody inspected was not refused.
fn inspected(known: &Known, line: &OrderLine) -> bool {
    known.receipts_of(&line.order_id, &line.line).any(|receipt| receipt.accepted.is_some())
}

fn figures(of: &Ledger, inspected: bool) -> [String; 8] {
    let goods = |it: Decimal| it.normalize().to_string();
    let accepted = if inspected { goods(of.accepted) } else { "–".to_owned() };
    let [ordered, received, returned] = [of.ordered, of.received, of.returned].map(goods);
    let [billed, credited] = [of.billed, of.credited].map(goods);
    let [billed_net, credited_net] = [of.billed_amount, of.credited_amount].map(money);
    [ordered, received, accepted, returned, billed, credited, billed_net, credited_net]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn what_nobody_inspected_is_not_shown_as_refused() {
        let of = Ledger { received: 45.into(), billed_amount: 9.into(), ..Ledger::default() };
        assert_eq!(figures(&of, false), ["0", "45", "–", "0", "0", "0", "9.00", "0.00"]);
        assert_eq!(figures(&of, true)[2], "0", "all of it was refused");
    }
}

//! `case` and `review`: what the queue shows, on the command line.

mod listed;
mod said;

use std::path::Path;

use case::{Case, Change, Decision, Event, Note, Outcome, State, Verdict};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use store::{ApplyError, Listing, PaidFor, Store};
use work::now;

use listed::Listed;

use super::read::place;
use super::workspace::Workspace;
use super::{Answer, Asking, Output, People, money};
use crate::At;

#[derive(Subcommand)]
pub(crate) enum CaseCommand {
    /// All cases, the newest first: state, kind, number, seller, amount, and what holds them
    #[command(
        after_help = "Examples:\n  countersign case list --state InReview -C books\n  countersign case list --sampled --rows 500 -C books\n\nEach case is opened for its line, so a long list takes its time; for `--sampled`, also each that is passed over."
    )]
    List {
        #[command(flatten)]
        at: At,
        #[arg(long, value_parser = state, help = format!("Only those in this state: {}", states()))]
        state: Option<State>,
        /// Only the straight-through sample: what the policy let through without a person, and drew for one to check
        #[arg(long)]
        sampled: bool,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        rows: u32,
        /// JSON lines on standard output, and nothing else
        #[arg(long)]
        json: bool,
    },
    /// The cases that say this: a number, order, IBAN or tax id, or the words of a name
    #[command(
        after_help = "Examples:\n  countersign case find RE-2026/114 -C books --as rita\n  countersign case find 'Müller Söhne' -C books --as rita"
    )]
    Find {
        /// What to look for; capitals and spaces make no difference
        text: String,
        /// At most so many, the newest
        #[arg(long, default_value_t = 100)]
        rows: u32,
        #[command(flatten)]
        asking: Asking,
    },
    /// One case: values with evidence, findings, checkpoints, history
    #[command(after_help = "Example (the end of an id is enough):\n  countersign case show 4f2a91 -C books")]
    Show {
        /// The case: its id, or the end of it, four characters or more
        case: String,
        #[command(flatten)]
        at: At,
        /// JSON lines on standard output, and nothing else
        #[arg(long)]
        json: bool,
    },
    /// What the log says about a case
    #[command(after_help = "Example:\n  countersign case events 4f2a91 --json -C books")]
    Events {
        /// The case: its id, or the end of it, four characters or more
        case: String,
        #[command(flatten)]
        at: At,
        /// JSON lines on standard output, and nothing else
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
pub(crate) enum ReviewCommand {
    /// Approve every open checkpoint that is yours
    #[command(
        after_help = "Example:\n  countersign review approve 4f2a91 --as rita --reason 'agreed with the buyer' -C books"
    )]
    Approve(Who),
    /// Reject a case for good
    #[command(after_help = "Example:\n  countersign review reject 4f2a91 --as rita --reason 'sent twice' -C books")]
    Reject(Who),
    /// Replace what was read; everything is checked anew, and somebody else must approve
    #[command(
        after_help = "Example:\n  countersign review correct 4f2a91 --set number=R-17 --set lines.1.quantity=3 --as rita --reason 'misread' -C books"
    )]
    Correct {
        /// FIELD=VALUE; an empty value removes the field; lines count from 1
        #[arg(long = "set", required = true, value_name = "FIELD=VALUE")]
        changes: Vec<String>,
        #[command(flatten)]
        who: Who,
    },
    /// Let a quarantined document be read again
    #[command(
        after_help = "Example:\n  countersign review release 4f2a91 --as olivia --reason 'the reader was updated' -C books"
    )]
    Release(Who),
}

#[derive(Args)]
pub(crate) struct Who {
    /// The case: its id, or the end of it, four characters or more
    case: String,
    /// The account that decides
    #[arg(long = "as", value_name = "USER")]
    user: String,
    /// Why; kept sealed, with a commitment in the log
    #[arg(long)]
    reason: String,
    /// Refuse if the case has moved on from this revision
    #[arg(long)]
    revision: Option<u64>,
    #[command(flatten)]
    at: At,
    /// JSON lines on standard output, and nothing else
    #[arg(long)]
    json: bool,
}

fn state(text: &str) -> Result<State, String> {
    State::ALL
        .into_iter()
        .find(|state| state.name().eq_ignore_ascii_case(text))
        .ok_or_else(|| format!("expected one of {}", states()))
}

fn states() -> String {
    State::ALL.map(State::name).join(", ")
}

async fn open(dir: &Path) -> anyhow::Result<Store> {
    Workspace::open(dir)?.store().await
}

pub(crate) async fn case(command: CaseCommand) -> anyhow::Result<Answer> {
    match command {
        CaseCommand::List { at, state, sampled, rows, json } => {
            let store = open(&at.dir).await?;
            let cut = match sampled {
                true => listed::sampled(&store, state, rows, Output::of(json)).await?,
                false => listed::all(&store, state, rows, Output::of(json)).await?,
            };
            if cut {
                eprintln!("There are more than these {rows}; `--rows` shows up to {}.", Listing::ROWS_MAX);
            }
        }
        CaseCommand::Find { text, rows, asking } => {
            let (store, by) = asking.open().await?;
            let found = store.search(&text, &by, now(), rows).await?;
            for row in store.rows_of(&found).await? {
                Listed::of(row, &store).await.print(asking.output());
            }
            if found.is_empty() {
                eprintln!("no case says `{}`", plain(&text));
                return Ok(Answer::Bad);
            }
        }
        CaseCommand::Show { case, at, json } => {
            let store = open(&at.dir).await?;
            let case = store.case(store.find(&case).await?).await?;
            let history = store.history(case.id).await?;
            let paid = store.payments_of(&case).await?;
            match Output::of(json) {
                Output::Json => {
                    let mut shown = shown(&case, &json!(history));
                    super::put(&mut shown, "payments", json!(paid));
                    say!("{shown}");
                }
                Output::Words => print_case(&case, &paid, &history, &People::of(&store).await?),
            }
        }
        CaseCommand::Events { case, at, json } => {
            let store = open(&at.dir).await?;
            let people = People::of(&store).await?;
            for happening in store.history(store.find(&case).await?).await? {
                match Output::of(json) {
                    Output::Json => say!("{}", json!(happening)),
                    Output::Words => print_happening(&happening, &people),
                }
            }
        }
    }
    Ok(Answer::Good)
}

pub(crate) async fn review(command: ReviewCommand) -> anyhow::Result<Answer> {
    let (verdict, who) = match command {
        ReviewCommand::Approve(who) => (Verdict::Approve, who),
        ReviewCommand::Reject(who) => (Verdict::Reject, who),
        ReviewCommand::Release(who) => (Verdict::Release, who),
        ReviewCommand::Correct { changes, who } => {
            let mut corrected = Vec::new();
            for change in changes {
                let Some((field, value)) = change.split_once('=') else {
                    eprintln!("error: `{change}` is not FIELD=VALUE, such as number=R-17");
                    return Ok(Answer::Misused);
                };
                corrected.push(Change { field: field.trim().to_owned(), value: value.trim().to_owned() });
            }
            (Verdict::Correct(corrected), who)
        }
    };
    let store = open(&who.at.dir).await?;
    let by = store.person(&who.user).await?;
    let case = store.view(store.find(&who.case).await?, &by, now()).await?;
    let decision = Decision { by: by.clone(), verdict, reason: who.reason, seen: case.content(), at: now() };
    let revision = who.revision.unwrap_or(case.revision);
    let answer = match store.apply(case.id, revision, Event::Decided(decision), &by, now()).await {
        Ok(moved) => {
            match Output::of(who.json) {
                Output::Json => say!("{}", json!({"case": moved.id, "state": moved.state, "revision": moved.revision})),
                Output::Words => say!("case {} is {} at revision {}", moved.id, moved.state.name(), moved.revision),
            }
            Answer::Good
        }
        Err(refused @ (ApplyError::Refused(_) | ApplyError::Conflict { .. })) => {
            eprintln!("refused: {refused}");
            Answer::Bad
        }
        Err(other) => return Err(other.into()),
    };
    // A running service seals this anyway; without one it is sealed now.
    store.seal_log(now()).await?;
    Ok(answer)
}

/// The promised shape of `case show --json`.
pub(crate) fn shown(case: &Case, history: &Value) -> Value {
    let checkpoints = case.checkpoints.iter().map(|it| {
        json!({"id": it.id, "title": it.title, "route": it.route, "level": it.level, "needs": it.needs,
               "decisions": it.approvals.iter().map(|approval| json!({"by": approval.by, "at": approval.at.to_string(), "reason": approval.reason})).collect::<Vec<_>>(),
               "due_at": it.due_at.to_string(), "codes": it.codes, "state": if it.settled() { "settled" } else { "open" }})
    });
    let findings = case
        .findings
        .iter()
        .map(|it| with_outcome(json!(it), it.basis.as_ref().map(|basis| basis.outcome(&it.operands))));
    let passed = case.passed.iter().map(|it| with_outcome(json!(it), Some(it.outcome())));
    let mut value = json!({
        "case": case.id, "state": case.state, "revision": case.revision, "kind": case.kind(),
        "received_at": case.document.received_at.to_string(),
        "source": {"channel": case.document.channel, "file_name": case.document.file_name, "size_bytes": case.document.size_bytes},
        "digest": case.document.digest, "content": case.content(),
        "values": case.extraction, "findings": findings.collect::<Vec<_>>(), "passed": passed.collect::<Vec<_>>(),
        "matched": case.matched, "bill": case.bill, "informed_by": case.informed_by,
        "checkpoints": checkpoints.collect::<Vec<_>>(), "events": history,
    });
    if let Some(why) = &case.quarantine {
        super::put(&mut value, "quarantine", json!(why));
    }
    if let Some(due) = case.due_date {
        super::put(&mut value, "due_date", json!(due));
    }
    if let Some(percent) = case.sample_percent {
        super::put(&mut value, "straight_through", json!({"sample_percent": percent, "sampled": case.sampled()}));
    }
    if let Some(reference) = &case.booked_as {
        super::put(&mut value, "posting", json!({"key": case.id, "reference": reference}));
    }
    if let Some(keep) = &case.keep {
        let clocks = |of: fn(&case::Clocks) -> jiff::civil::Date| keep.clocks.as_ref().map(of);
        super::put(
            &mut value,
            "retention",
            json!({"row": keep.rule.row, "source": keep.rule.source, "sure": keep.rule.sure, "country": keep.rule.country,
                   "keep_until": clocks(|it| it.keep_until), "delete_by": clocks(|it| it.delete_by)}),
        );
    }
    value
}

/// What a comparison comes to, beside its figures.
fn with_outcome(mut said: Value, outcome: Option<Outcome>) -> Value {
    if let Some(outcome) = outcome {
        super::put(&mut said, "outcome", json!(outcome));
    }
    said
}

fn print_case(case: &Case, paid: &[PaidFor], history: &[store::Happening], people: &People) {
    say!("case {}\n{} at revision {}, {}", case.id, case.state.name(), case.revision, case.kind().name());
    say!(
        "`{}` through {}, received {}",
        plain(&case.document.file_name),
        plain(&case.document.channel),
        case.document.received_at
    );
    if let Some(why) = &case.quarantine {
        say!("\nNot read: {}", plain(why));
    }
    if let Some(percent) = case.sample_percent.filter(|_| case.sampled()) {
        say!(
            "\nIn the straight-through sample: the policy let it through without a person, and draws {percent} % of those"
        );
    }
    if !case.checkpoints.is_empty() {
        say!("\nCheckpoints");
        for it in &case.checkpoints {
            let state = if it.settled() { "settled" } else { "open" };
            let due = it.due_at;
            say!(
                "  {state:<8} {}: {} of {} approvals by {} of level {}, due {due}",
                it.title,
                it.approvals.len(),
                it.needs,
                it.route.name(),
                it.level
            );
        }
    }
    if !case.findings.is_empty() {
        say!("\nFindings");
        for finding in &case.findings {
            say!(
                "  {:<6} {:<16} {}",
                json!(finding.severity).as_str().unwrap_or_default(),
                finding.code.name(),
                plain(&finding.message)
            );
            if let Some(basis) = &finding.basis {
                below_it(&said::outcome(finding, basis));
            }
            below_it(&said::places(finding));
        }
    }
    if !paid.is_empty() {
        say!("\nPayments");
        paid.iter().for_each(print_payment);
    }
    if !case.passed.is_empty() {
        say!("\nCompared and passed: {}; --json tells each with its figures", case.passed.len());
    }
    if let Some(due) = case.due_date {
        say!("\nDue on {due} by the contract");
    }
    if let Some(extraction) = &case.extraction {
        let said = |note: &Note| case.findings.iter().any(|it| it.message == note.message);
        let notes: Vec<&Note> = extraction.notes.iter().filter(|it| !said(it)).collect();
        if !notes.is_empty() {
            say!("\nThe reader's notes");
            notes.iter().for_each(|note| say!("  {:<18} {}", plain(&note.code), plain(&note.message)));
        }
        say!("\nValues");
        for (name, field) in &extraction.fields.single {
            say!("  {:<18} {:<36} {}", name.name(), plain(&field.value), plain(&place(&field.evidence)));
        }
    }
    say!("\nHistory");
    history.iter().for_each(|it| print_happening(it, people));
}

fn print_payment(it: &PaidFor) {
    let payment = &it.payment;
    let settles = match &it.share {
        None => "may be for it, and settles nothing".to_owned(),
        Some(share) => {
            let done = if it.taken_off() { "taken off" } else { "paid of it" };
            format!("{} {done}, {} open", money(share.amount), money(share.open))
        }
    };
    let way = if payment.amount.is_sign_negative() { "to" } else { "from" };
    let whose = it.employee.as_ref().map(|id| format!(", an account of employee {id}")).unwrap_or_default();
    let account = payment.iban.as_ref().map(|iban| format!("; {way} {iban}{whose}")).unwrap_or_default();
    let codes: String = it.codes.iter().map(|code| format!("  {}", code.name())).collect();
    let (amount, currency) = (money(payment.amount), plain(&payment.currency));
    say!("  {}  {amount} {currency}: {settles}{}{codes}", payment.date, plain(&account));
}

fn below_it(said: &str) {
    if !said.is_empty() {
        say!("{:25}{}", "", plain(said));
    }
}

fn print_happening(happening: &store::Happening, people: &People) {
    let index = happening.index.map_or_else(|| "-".to_owned(), |index| index.to_string());
    let moved = match (&happening.from, &happening.to) {
        (Some(from), Some(to)) => format!("{from} to {to}"),
        (None, Some(to)) => format!("to {to}"),
        _ => String::new(),
    };
    let said = happening.said.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("  ");
    say!(
        "  {index:>6}  {}  {:<16} {:<20} {:<7} {moved}  {said}",
        happening.at,
        happening.act,
        plain(people.name(&happening.actor)),
        happening.result
    );
}

/// A sender's text on a terminal: control characters could do more than be read.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|ch| if ch.is_control() { '\u{fffd}' } else { ch }).collect()
}

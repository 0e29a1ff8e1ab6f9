//! `payee`: the accounts that vendors are paid to, each brought in by one person and confirmed by another.

use case::{Account, CallBack, Key, PayeeDeed, PayeeMatch};
use clap::Subcommand;
use jiff::civil::Date;
use serde_json::{Value, json};
use store::PayeeError;
use work::now;

use super::cases::plain;
use super::{Answer, Asking, Output, People};

#[derive(Subcommand)]
pub(crate) enum PayeeCommand {
    /// The accounts of a vendor, and who vouches for each
    #[command(after_help = "Example:\n  countersign payee list V1 --as rita -C books")]
    List {
        /// The vendor, by its id
        vendor: String,
        #[command(flatten)]
        asking: Asking,
    },
    /// Bring an account in: nothing is paid to it before another person has confirmed it
    #[command(
        after_help = "Example:\n  countersign payee propose V1 'DE75 5121 0800 1245 1261 99' --as olivia -C books\n\nAn account that an import changes waits in the same way."
    )]
    Propose {
        /// The vendor, by its id
        vendor: String,
        /// The account
        iban: String,
        /// The bank of the account
        #[arg(long)]
        bic: Option<String>,
        #[command(flatten)]
        asking: Asking,
    },
    /// Confirm an account, as another person than the one who brought it in, after asking the vendor
    #[command(
        after_help = "Example:\n  countersign payee confirm V1 DE75512108001245126199 --called '+49 40 123456' --spoke-with 'Ms Berg' --answer 'changed banks in May' --as rita -C books\n\nCall a number that was on file before: never one from the document that asks for the change."
    )]
    Confirm {
        /// The vendor, by its id
        vendor: String,
        /// The account
        iban: String,
        /// The number that was called
        #[arg(long, value_name = "NUMBER")]
        called: String,
        /// Whom you spoke with
        #[arg(long, value_name = "NAME")]
        spoke_with: String,
        /// What the answer was
        #[arg(long)]
        answer: String,
        /// When; today if it is not said
        #[arg(long, value_name = "DATE")]
        on: Option<Date>,
        #[command(flatten)]
        asking: Asking,
    },
    /// Pay nothing to this account any more
    #[command(after_help = "Example:\n  countersign payee close V1 DE75512108001245126199 --as rita -C books")]
    Close {
        /// The vendor, by its id
        vendor: String,
        /// The account
        iban: String,
        #[command(flatten)]
        asking: Asking,
    },
    /// Keep what the bank said of name and account (verification of payee)
    #[command(
        after_help = "Example:\n  countersign payee check V1 DE75512108001245126199 --result close --as olivia -C books"
    )]
    Check {
        /// The vendor, by its id
        vendor: String,
        /// The account
        iban: String,
        /// match, close, none or unavailable
        #[arg(long, value_parser = result)]
        result: PayeeMatch,
        #[command(flatten)]
        asking: Asking,
    },
}

fn result(text: &str) -> Result<PayeeMatch, String> {
    let names = PayeeMatch::ALL.map(PayeeMatch::name).join(", ");
    PayeeMatch::named(text).ok_or_else(|| format!("expected one of {names}"))
}

pub(crate) async fn payee(command: PayeeCommand) -> anyhow::Result<Answer> {
    match command {
        PayeeCommand::List { vendor, asking } => list(&vendor, &asking).await,
        PayeeCommand::Propose { vendor, iban, bic, asking } => {
            apply(&vendor, &iban, PayeeDeed::Propose { bic }, &asking).await
        }
        PayeeCommand::Confirm { vendor, iban, called, spoke_with, answer, on, asking } => {
            let on = on.unwrap_or_else(|| now().date());
            let call = CallBack { number: called, spoke_with, answer, on };
            apply(&vendor, &iban, PayeeDeed::Confirm { call }, &asking).await
        }
        PayeeCommand::Close { vendor, iban, asking } => apply(&vendor, &iban, PayeeDeed::Close, &asking).await,
        PayeeCommand::Check { vendor, iban, result, asking } => {
            apply(&vendor, &iban, PayeeDeed::Check { result }, &asking).await
        }
    }
}

async fn list(vendor: &str, asking: &Asking) -> anyhow::Result<Answer> {
    let (store, by) = asking.open().await?;
    // As at the desk: for whoever may do something about an account.
    store.authorize(&by, case::Deed::ProposePayee, now()).await?;
    let facts = store.facts_by_key(&Key::accounts_of(vendor), None).await?;
    let accounts = facts.iter().filter_map(|stated| match &stated.fact {
        case::Fact::Account(account) => Some(account),
        _ => None,
    });
    let people = People::of(&store).await?;
    let mut none = true;
    for account in accounts {
        none = false;
        tell(account, &people, asking.output());
    }
    if none && asking.output() == Output::Words {
        say!("no account of `{}` is known", plain(vendor));
    }
    Ok(if none { Answer::Bad } else { Answer::Good })
}

async fn apply(vendor: &str, iban: &str, deed: PayeeDeed, asking: &Asking) -> anyhow::Result<Answer> {
    let (store, by) = asking.open().await?;
    let proposed = matches!(deed, PayeeDeed::Propose { .. });
    let done = store.payee(vendor, iban, deed, None, &by, now()).await;
    // A running service seals this anyway; without one it is sealed now.
    store.seal_log(now()).await?;
    match done {
        Ok(account) => {
            tell(&account, &People::of(&store).await?, asking.output());
            if proposed && asking.output() == Output::Words {
                let Account { vendor_id, iban, .. } = &account;
                say!(
                    "\nanother person asks the vendor, and confirms it:\n  countersign payee confirm '{vendor_id}' {iban} --called NUMBER --spoke-with NAME --answer TEXT --as NAME -C {}",
                    asking.at.dir.display()
                );
            }
            Ok(Answer::Good)
        }
        Err(PayeeError::Refused(refusal)) => {
            eprintln!("refused: {refusal}");
            Ok(Answer::Bad)
        }
        // As with everything that is asked for and not known.
        Err(PayeeError::Store(err @ store::Error::NoSuch { .. })) => {
            eprintln!("{}", plain(&err.to_string()));
            Ok(Answer::Bad)
        }
        Err(PayeeError::Store(err)) => Err(err.into()),
    }
}

fn tell(account: &Account, people: &People, output: Output) {
    match output {
        Output::Json => {
            let mut shown = json!(account);
            super::put(&mut shown, "standing", Value::from(standing(account)));
            say!("{shown}");
        }
        Output::Words => {
            let (vendor, iban) = (plain(&account.vendor_id), plain(&account.iban));
            say!("{vendor}  {iban}  {}; {}", stands(account), vouching(account, people));
        }
    }
}

/// Whether it may be paid to, and when it might.
pub(crate) fn stands(account: &Account) -> String {
    format!("{}{}", standing(account), days(account))
}

fn standing(account: &Account) -> &'static str {
    match (account.approved_from, account.approved_to) {
        (None, None) => "waits for its second person",
        (None, Some(_)) => "refused",
        (Some(_), None) => "approved",
        (Some(_), Some(_)) => "closed",
    }
}

/// When it was approved. One that was closed is approved until the day before, which may be before it began.
fn days(account: &Account) -> String {
    match (account.approved_from, account.approved_to) {
        (None, None) => String::new(),
        (None, Some(_)) => ", never approved".to_owned(),
        (Some(from), None) => format!(" since {from}"),
        (Some(from), Some(to)) if to < from => format!(", before the end of {from}, its first day"),
        (Some(from), Some(to)) => format!(", was approved from {from} to {to}"),
    }
}

/// Who vouches for it.
fn vouching(account: &Account, people: &People) -> String {
    let mut said = format!("brought in by {}", people.name(&account.maker));
    if let Some(checker) = &account.checker {
        said += &format!(", confirmed by {}", people.name(checker));
    }
    if let Some(CallBack { number, spoke_with, answer, on }) = &account.call {
        said += &format!(", who called {number} on {on} and spoke with {spoke_with}: `{answer}`");
    }
    if let Some(it) = &account.payee_check {
        said += &format!("; the bank said {} on {}, by {}", it.result.name(), it.on, people.name(&it.by));
    }
    plain(&said)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_days_of_an_account_are_said_only_where_it_was_approved_on_them() {
        let said = |from: Option<&str>, to: Option<&str>| {
            let [approved_from, approved_to] = [from, to].map(|day| day.map(|day| day.parse().unwrap()));
            let account = Account {
                vendor_id: "V1".into(),
                iban: "DE75512108001245126199".into(),
                bic: None,
                approved_from,
                approved_to,
                proposed_on: None,
                maker: "usr_1".into(),
                checker: None,
                call: None,
                payee_check: None,
            };
            stands(&account)
        };
        assert_eq!(said(None, None), "waits for its second person");
        assert_eq!(said(Some("2026-11-01"), None), "approved since 2026-11-01");
        assert_eq!(said(Some("2026-11-01"), Some("2026-11-22")), "closed, was approved from 2026-11-01 to 2026-11-22");
        // Confirmed and closed on one day.
        assert_eq!(said(Some("2026-11-23"), Some("2026-11-22")), "closed, before the end of 2026-11-23, its first day");
        assert_eq!(said(None, Some("2026-11-22")), "refused, never approved");
    }
}

//! The commands, one file for each thing they are about.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, bail, ensure};
use case::{Actor, Decimal};
use jiff::civil::Date;
use store::Store;

use crate::At;
use cases::plain;
use workspace::Workspace;

/// Prints a line for whoever reads standard output; when nobody does any more (`| head`), that is the end.
macro_rules! say {
    ($($text:tt)*) => { $crate::front::print(format_args!($($text)*)) };
}

pub(crate) mod backup;
pub(crate) mod cases;
pub(crate) mod custody;
pub(crate) mod demo;
pub(crate) mod facts;
pub(crate) mod import;
pub(crate) mod keys;
pub(crate) mod log;
pub(crate) mod payee;
pub(crate) mod period;
pub(crate) mod policy;
pub(crate) mod read;
pub(crate) mod reconcile;
pub(crate) mod retention;
pub(crate) mod run;
pub(crate) mod sample;
pub(crate) mod setup;
pub(crate) mod workspace;

/// How a command ended; what the world did wrong is an error instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Exit 0.
    Good,
    /// The answer is bad news: findings, faults, a refusal. Exit 1.
    Bad,
    /// Wrong use. Exit 2.
    Misused,
}

/// An error that whoever gave the order can mend. Any other is the world's, or says in its own type what it is.
#[derive(Debug)]
pub(crate) enum Mistake {
    /// What a file says cannot be taken. Exit 1.
    File(String),
    /// Wrong use. Exit 2.
    Use(String),
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Mistake::File(what) | Mistake::Use(what)) = self;
        f.write_str(what)
    }
}

impl std::error::Error for Mistake {}

/// Opens a file that an order names.
pub(crate) fn given(file: &Path) -> anyhow::Result<File> {
    let shown = plain(&file.display().to_string());
    let cannot = || format!("cannot read `{shown}`");
    let what = match fs::metadata(file) {
        Err(err) if matches!(err.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            bail!(Mistake::Use(format!("there is no file `{shown}`")));
        }
        what => what.with_context(cannot)?,
    };
    ensure!(!what.is_dir(), Mistake::Use(format!("`{shown}` is a folder, not a file")));
    // A pipe or a device may never end.
    ensure!(what.is_file(), Mistake::Use(format!("`{shown}` is not a file")));
    File::open(file).with_context(cannot)
}

/// A folder that an order names is there.
pub(crate) fn given_folder(folder: &Path) -> anyhow::Result<()> {
    let shown = plain(&folder.display().to_string());
    ensure!(folder.is_dir(), Mistake::Use(format!("there is no folder `{shown}`")));
    Ok(())
}

/// Who asks, of which workspace, and how the answer is wanted.
#[derive(clap::Args)]
pub(crate) struct Asking {
    /// The account that asks; its roles and level say what it may do
    #[arg(long = "as", value_name = "USER")]
    user: String,
    #[command(flatten)]
    at: At,
    /// JSON lines on standard output, and nothing else
    #[arg(long)]
    json: bool,
}

impl Asking {
    pub(crate) async fn open(&self) -> anyhow::Result<(Store, Actor)> {
        let store = self.workspace()?.store().await?;
        let by = store.person(&self.user).await?;
        Ok((store, by))
    }

    pub(crate) fn workspace(&self) -> anyhow::Result<Workspace> {
        Workspace::open(&self.at.dir)
    }

    pub(crate) fn output(&self) -> Output {
        Output::of(self.json)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// For people.
    Words,
    /// One JSON object a line, and nothing else.
    Json,
}

impl Output {
    pub(crate) fn of(json: bool) -> Output {
        if json { Output::Json } else { Output::Words }
    }
}

pub(crate) fn print(line: fmt::Arguments<'_>) {
    if let Err(err) = writeln!(io::stdout().lock(), "{line}") {
        if err.kind() == io::ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        eprintln!("error: cannot write to the standard output: {err}");
        std::process::exit(3);
    }
}

/// Money as people write it: two decimals, or as many more as it has.
pub(crate) fn money(amount: Decimal) -> String {
    let mut amount = amount.normalize();
    if amount.scale() < 2 {
        amount.rescale(2);
    }
    amount.to_string()
}

/// A day that is written on the command line.
pub(crate) fn day(text: &str) -> Result<Date, String> {
    text.trim().parse().map_err(|_| "expected a day as 2026-11-23".to_owned())
}

/// Names by pseudonym, as `account list` shows them; of an account that is gone, the pseudonym is all there is.
pub(crate) struct People(BTreeMap<String, String>);

impl People {
    pub(crate) async fn of(store: &Store) -> anyhow::Result<People> {
        Ok(People(store.accounts().await?.into_iter().map(|account| (account.id, account.name)).collect()))
    }

    pub(crate) fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.0.get(id).map_or(id, String::as_str)
    }
}

/// Adds a member to a JSON object.
pub(crate) fn put(object: &mut serde_json::Value, name: &str, value: serde_json::Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn money_has_its_cents() {
        for (amount, said) in [("-380.8", "-380.80"), ("-9", "-9.00"), ("0.125", "0.125"), ("1190.000", "1190.00")] {
            assert_eq!(money(amount.parse().unwrap()), said);
        }
    }

    #[test]
    fn a_day_written_otherwise_is_refused_with_one_as_it_is_expected() {
        assert_eq!(day("23.11.2026").unwrap_err(), "expected a day as 2026-11-23");
        assert_eq!(day("2026-11-23").unwrap().to_string(), "2026-11-23");
    }
}

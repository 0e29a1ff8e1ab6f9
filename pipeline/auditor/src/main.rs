#![doc = include_str!("../README.md")]

mod against;
mod file;
mod page;
mod proof;
mod sample;
mod tell;
mod witness;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use audit::{Ask, Report};
use clap::{Args, Parser, Subcommand};

use against::Against;

/// Verifies an exported audit log offline: every entry, the chain, the tree and the signed heads.
///
/// With the key alone the verdict can only be "internally consistent, no outside reference": whoever holds the log's key
/// could have written everything anew. Give every head that you kept, and the witnesses and timestamp authorities you
/// believe.
#[derive(Parser)]
#[command(
    name = "auditor",
    version,
    after_help = EXAMPLE,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    log: Log,
    /// Write a page to print and sign
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// A log, and what to verify it against.
#[derive(Args)]
struct Log {
    /// Folder of the exported log
    // Not there when a task follows, which has a log of its own.
    #[arg(required = true)]
    dir: Option<PathBuf>,
    #[command(flatten)]
    against: Against,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum Task {
    /// Verify receipts, without the log
    Proof(proof::Proof),
    /// Draw every sample of a log again
    Sample(Log),
    /// Verify a log against the head that was remembered, and remember the new one
    Witness(witness::Witness),
    /// Make a key to cosign with
    WitnessKey(witness::NewKey),
}

const EXAMPLE: &str = "\
Examples:
  auditor export/ --key audit.example.com/acme/1+3b1e5f0a+AfM5… --since head-of-march.txt
  auditor proof receipts/ --key log.vkey
  auditor witness export/ --key log.vkey --state remembered/ --cosign witness.key

Exit status: 0 sound, 1 a fault was found, 2 wrong use, 3 the log could not be read";

const WRONG_USE: u8 = 2;
const WORLD_FAILED: u8 = 3;

/// What came of it, when it was not wrong use.
enum Outcome {
    Sound,
    Fault,
    /// The world failed; says nothing about the log.
    Unread(anyhow::Error),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.task {
        Some(Task::Proof(proof)) => proof.run(),
        Some(Task::Sample(log)) => sample::run(&log),
        Some(Task::Witness(witness)) => witness.run(),
        Some(Task::WitnessKey(new)) => new.run(),
        None => verify(&cli.log, cli.report.as_deref()),
    };
    match outcome {
        Ok(Outcome::Sound) => ExitCode::SUCCESS,
        Ok(Outcome::Fault) => ExitCode::from(1),
        Ok(Outcome::Unread(error)) => {
            eprintln!("error: {error:#}");
            ExitCode::from(WORLD_FAILED)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(WRONG_USE)
        }
    }
}

fn verify(log: &Log, page: Option<&Path>) -> anyhow::Result<Outcome> {
    let (dir, ask) = log.read()?;
    let report = match audit::verify(dir, &ask) {
        Ok(report) => report,
        Err(error) => return Ok(Outcome::Unread(error.into())),
    };
    if let Some(path) = page {
        let written = std::fs::write(path, page::html(dir, &ask, &report));
        if let Err(error) = written.with_context(|| format!("cannot write `{}`", path.display())) {
            return Ok(Outcome::Unread(error));
        }
    }
    match log.json {
        true => tell::print(&format!("{}\n", tell::as_json(&ask, &report))),
        false => tell::print(&tell::as_text(&ask, &report)),
    }
    Ok(outcome(&report))
}

impl Log {
    /// The folder, and what to verify it against.
    fn read(&self) -> anyhow::Result<(&Path, Ask)> {
        let dir = self.dir.as_deref().context("a folder is missing")?;
        anyhow::ensure!(dir.is_dir(), "`{}` is not a folder", dir.display());
        Ok((dir, self.against.ask()?))
    }
}

fn outcome(report: &Report) -> Outcome {
    if report.fault.is_some() { Outcome::Fault } else { Outcome::Sound }
}

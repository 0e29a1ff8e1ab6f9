//! `log` and `check`: what can be proved, and whether everything agrees.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use work::now;

use super::workspace::Workspace;
use super::{Answer, Output};
use crate::At;

#[derive(Subcommand)]
pub(crate) enum LogCommand {
    /// The newest signed head, and the key to verify it with
    #[command(after_help = "Example:\n  countersign log head -C books")]
    Head {
        #[command(flatten)]
        at: At,
        #[arg(long)]
        json: bool,
    },
    /// Write the log as C2SP tiles, for an auditor
    #[command(after_help = "Example:\n  countersign log export /mnt/auditor/2026-11 --as ada -C books")]
    Export {
        dir: PathBuf,
        /// The account that exports; it needs the role auditor or admin
        #[arg(long = "as", value_name = "USER")]
        user: String,
        #[command(flatten)]
        at: At,
        #[arg(long)]
        json: bool,
    },
    /// Check the whole log here; an auditor uses the program `auditor` on an export instead
    #[command(after_help = "Example:\n  countersign log verify -C books")]
    Verify {
        #[command(flatten)]
        at: At,
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn log(command: LogCommand) -> anyhow::Result<Answer> {
    match command {
        LogCommand::Head { at, json } => {
            let store = Workspace::open(&at.dir)?.store().await?;
            store.seal_log(now()).await?;
            store.sign_log(now()).await?;
            let Some(head) = store.head().await? else {
                eprintln!("the log is empty");
                return Ok(Answer::Bad);
            };
            match Output::of(json) {
                Output::Json => say!("{}", json!(head)),
                Output::Words => {
                    // Standard output is the head as an auditor keeps it, and nothing else.
                    say!("{}", head.note.trim_end());
                    eprintln!("verifier key: {}", head.verifier_key);
                }
            }
            Ok(Answer::Good)
        }
        LogCommand::Export { dir, user, at, json } => {
            let store = Workspace::open(&at.dir)?.store().await?;
            let by = store.person(&user).await?;
            let bar = progress("entries");
            let exported = store
                .export_log(&dir, &by, now(), |done, all| {
                    bar.set_length(all);
                    bar.set_position(done);
                })
                .await?;
            bar.finish_and_clear();
            match Output::of(json) {
                Output::Json => say!("{}", json!({"dir": exported.dir, "head": exported.head})),
                Output::Words => {
                    say!("{} entries written to {}", exported.head.size, exported.dir.display());
                    say!("verify them with\n  {}", auditor_command(&exported.dir, &exported.head.verifier_key));
                }
            }
            Ok(Answer::Good)
        }
        LogCommand::Verify { at, json } => check(&at.dir, false, Output::of(json)).await,
    }
}

/// The auditor's program beside this one, or how to build it.
pub(crate) fn auditor_command(export: &Path, key: &str) -> String {
    let beside =
        std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join("auditor"))).filter(|path| path.exists());
    let program =
        beside.map_or_else(|| "cargo run --release -p auditor --".to_owned(), |path| path.display().to_string());
    format!("{program} {} --key '{key}'", export.display())
}

pub(crate) async fn check(dir: &Path, seals: bool, output: Output) -> anyhow::Result<Answer> {
    let store = Workspace::open(dir)?.store().await?;
    let report = store.check(seals, None, now()).await.context("the check could not be finished")?;
    match output {
        Output::Json => say!("{}", json!(report)),
        Output::Words => {
            say!("{} log entries and {} cases compared", report.entries, report.cases);
            if seals {
                say!("{} sealed files opened", report.seals_opened);
            }
            for (channel, balance) in &report.channels {
                let states =
                    balance.by_state.iter().map(|(state, n)| format!("{n} {state}")).collect::<Vec<_>>().join(", ");
                say!(
                    "channel {}: {} seen = {states}, {} duplicates",
                    super::cases::plain(channel),
                    balance.seen,
                    balance.duplicates
                );
            }
            if 0 < report.orphans {
                say!(
                    "{} sealed files belong to no case: a crash came between sealing and entering; nothing was lost",
                    report.orphans
                );
            }
            for fault in &report.faults {
                say!("FAULT {}: {}", fault.about, fault.what);
            }
            if report.faults.is_empty() {
                say!("everything agrees");
            }
        }
    }
    Ok(if report.faults.is_empty() { Answer::Good } else { Answer::Bad })
}

pub(crate) fn progress(what: &str) -> ProgressBar {
    // Hidden by itself where standard error is no terminal.
    let style = ProgressStyle::with_template(&format!("{{bar:40}} {{pos}}/{{len}} {what} {{elapsed}}"));
    style.map_or_else(|_| ProgressBar::new(0), |style| ProgressBar::new(0).with_style(style))
}

//! `log` and `check`: what can be proved, and whether everything agrees.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;
use serde_json::json;
use store::{Anchor, Exported, Period, Store};
use tokio::sync::watch;
use work::{Anchors, now};

use super::workspace::Workspace;
use super::{Answer, Asking, Output, People};
use crate::At;

#[derive(Subcommand)]
pub(crate) enum LogCommand {
    /// The newest signed head, and the key to verify it with
    #[command(after_help = "Example:\n  countersign log head -C books")]
    Head {
        #[command(flatten)]
        at: At,
        /// JSON lines on standard output, and nothing else
        #[arg(long)]
        json: bool,
    },
    /// Write the log as C2SP tiles, for an auditor
    #[command(
        after_help = "Example:\n  countersign log export /mnt/auditor/2026-11 --as ada -C books\n\nWith what the commitments stand for, which only an auditor may take:\n  countersign log export /mnt/auditor/2026-11 --openings --as ada -C books"
    )]
    Export {
        /// A new folder, or the one of an earlier export
        dir: PathBuf,
        /// Also openings.jsonl: what the commitments stand for, reasons and names among them; needs the role auditor
        #[arg(long)]
        openings: bool,
        #[command(flatten)]
        asking: Asking,
    },
    /// Receipts for everything that was done with one case: each verifies with the entry and the log's key alone
    #[command(
        after_help = "Example (the end of an id is enough):\n  countersign log prove 4f2a91 receipts --as ada -C books\n  auditor proof receipts --key 'audit.localhost/main/1+…'"
    )]
    Prove {
        /// The case: its id, or the end of it, four characters or more
        case: String,
        /// A new or empty folder  [default: receipts-CASE]
        dir: Option<PathBuf>,
        /// Also openings.jsonl: what the commitments stand for; needs the role auditor
        #[arg(long)]
        openings: bool,
        #[command(flatten)]
        asking: Asking,
    },
    /// What was done in a period, by whom, and what an auditor asks about first: denials, overrides, policies, keys
    #[command(
        after_help = "Example:\n  countersign log report --from 2026-10-01 --to 2026-12-31 --as ada -C books\n\nDays are in UTC, and both are in the period. An entry belongs to the day on which it was sealed."
    )]
    Report {
        #[command(flatten)]
        period: Days,
        #[command(flatten)]
        asking: Asking,
    },
    /// Samples of cases that are committed to before they are drawn, so that nobody can choose
    #[command(
        subcommand,
        after_help = "Examples:\n  countersign log sample commit --count 25 --from 2026-10-01 --to 2026-12-31 --as ada -C books\n  countersign log sample draw 8c41 /mnt/auditor/sample --as ada -C books"
    )]
    Sample(super::sample::SampleCommand),
    /// Sign the log with a new key from here on; the old and the new one sign the head at which it changes
    #[command(
        after_help = "Example:\n  countersign log rotate --as root -C books\n\nGive the new verifier key to auditors, and copy the key file to every other node and to its safe place."
    )]
    Rotate {
        #[command(flatten)]
        asking: Asking,
    },
    /// Begin a new log where the old one cannot go on, such as after the loss of the newest database
    #[command(
        after_help = "Example:\n  countersign log begin audit.example.com/acme/2 --reason 'restored from the backup of Monday' --as root -C books\n\nThe new log's first entry names the end that the old one had. Put the new origin into countersign.toml afterwards."
    )]
    Begin {
        /// The new log's name, as `origin` under [log] will say
        origin: String,
        /// Why; kept sealed, with a commitment in the log
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        asking: Asking,
    },
    /// Check the whole log here; an auditor uses the program `auditor` on an export instead
    #[command(after_help = "Example:\n  countersign log verify -C books")]
    Verify {
        #[command(flatten)]
        at: At,
        /// JSON lines on standard output, and nothing else
        #[arg(long)]
        json: bool,
    },
}

/// Whole days.
#[derive(Args, Clone, Copy)]
pub(crate) struct Days {
    /// The first day, in UTC
    #[arg(long, value_name = "DAY", value_parser = super::day)]
    from: Date,
    /// The last day, in UTC
    #[arg(long, value_name = "DAY", value_parser = super::day)]
    to: Date,
}

impl Days {
    pub(crate) fn period(self) -> Period {
        Period { from: self.from, to: self.to }
    }
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
        LogCommand::Export { dir, openings, asking } => {
            let workspace = asking.workspace()?;
            workspace.refuse_own(&dir)?;
            let anchors = workspace.anchors()?;
            let (store, by) = asking.open().await?;
            if openings {
                // Before anything is written.
                store.authorize_openings(&by, now()).await?;
            } else if dir.join("openings.jsonl").exists() {
                eprintln!(
                    "error: `{}` holds the openings of an earlier export; give --openings to bring them up to date too, or name an empty folder",
                    dir.display()
                );
                return Ok(Answer::Misused);
            }
            let bar = progress("entries");
            let exported = store.export_log(&dir, &by, now(), &mut advancing(&bar)).await?;
            let witnesses = cosigned(&store, anchors, &exported).await?;
            let mut given = None;
            if openings {
                given = Some(store.export_openings(&exported, &by, now(), &mut advancing(&bar)).await?);
            }
            bar.finish_and_clear();
            match asking.output() {
                Output::Json => {
                    let mut answer = json!({"dir": exported.dir, "head": exported.head});
                    if let Some((n, _)) = witnesses {
                        super::put(&mut answer, "witnesses", json!(n));
                    }
                    if let Some(given) = given {
                        super::put(&mut answer, "openings", json!(given.openings));
                        super::put(&mut answer, "erased", json!(given.erased));
                    }
                    say!("{answer}");
                }
                Output::Words => {
                    say!("{} entries written to {}", exported.head.size, exported.dir.display());
                    if let Some((n, all)) = witnesses {
                        say!("their head is cosigned by {n} of {all} witnesses");
                    }
                    if let Some(given) = given {
                        say!("{} openings with them, {} were erased", given.openings, given.erased);
                    }
                    say!("verify them with\n  {}", auditor_command(&exported.dir, &exported.head.verifier_key));
                }
            }
            Ok(Answer::Good)
        }
        LogCommand::Prove { case, dir, openings, asking } => {
            let (store, by) = asking.open().await?;
            let id = store.find(&case).await?;
            let dir = dir.unwrap_or_else(|| PathBuf::from(format!("receipts-{id}")));
            asking.workspace()?.refuse_own(&dir)?;
            let proved = store.prove_case(id, &dir, openings, &by, now()).await?;
            match asking.output() {
                Output::Json => say!("{}", json!(proved)),
                Output::Words => {
                    let given = proved.given;
                    say!("{} receipts for case {id} written to {}", given.receipts, dir.display());
                    if openings {
                        say!("{} openings with them, {} were erased", given.openings, given.erased);
                    }
                    if 0 < given.unproved {
                        say!("{} entries of earlier logs are covered by no signed head any more", given.unproved);
                    }
                    say!("verify them with");
                    for (folder, key) in &proved.folders {
                        let folder = if folder == "." { dir.clone() } else { dir.join(folder) };
                        say!("  {} proof {} --key '{key}'", auditor(), folder.display());
                    }
                }
            }
            Ok(Answer::Good)
        }
        LogCommand::Report { period, asking } => {
            let (store, by) = asking.open().await?;
            let report = store.report(period.period(), &by, now()).await?;
            match asking.output() {
                Output::Json => say!("{}", json!(report)),
                Output::Words => super::period::print(&report, &People::of(&store).await?),
            }
            Ok(Answer::Good)
        }
        LogCommand::Sample(command) => super::sample::sample(command).await,
        LogCommand::Rotate { asking } => {
            let (store, by) = asking.open().await?;
            let before = store.head().await?.map(|head| head.verifier_key);
            let head = store.rotate_log_key(&by, now()).await?;
            match asking.output() {
                Output::Json => say!("{}", json!({"before": before, "head": head})),
                Output::Words => {
                    say!(
                        "The head of {} entries is signed by the old and the new key; from here on the new one signs.",
                        head.size
                    );
                    say!("verifier key: {}", head.verifier_key);
                    say!("Give it to auditors, and copy the key file to every other node and to its safe place.");
                }
            }
            Ok(Answer::Good)
        }
        LogCommand::Begin { origin, reason, asking } => {
            let (store, by) = asking.open().await?;
            store.begin_log(&origin, &reason, &by, now()).await?;
            match asking.output() {
                Output::Json => say!("{}", json!({"origin": origin})),
                Output::Words => say!(
                    "The log `{origin}` is begun. Put this into countersign.toml, under [log], and start again:\n  origin = \"{origin}\""
                ),
            }
            Ok(Answer::Good)
        }
        LogCommand::Verify { at, json } => check(&at.dir, None, Output::of(json)).await,
    }
}

/// Shows the head of an export, which was signed for it, and puts what was said of it under it. Gives back how many of the
/// witnesses cosigned it; None where there are none.
async fn cosigned(store: &Store, anchors: Anchors, exported: &Exported) -> anyhow::Result<Option<(usize, usize)>> {
    let quorum = anchors.witnesses.quorum();
    anchors.run(store.clone(), watch::channel(true).1).await;
    store.anchor_export(&exported.dir).await?;
    let outside = store.outside(&quorum).await?;
    if let Some(why) = outside.stopped {
        bail!("{why}");
    }
    let signed = |last: &Option<Anchor>| last.is_some_and(|anchor| anchor.size == exported.head.size);
    let n = outside.witnesses.iter().filter(|(_, last)| signed(last)).count();
    Ok((quorum.needed != 0).then_some((n, quorum.witnesses.len())))
}

/// The auditor's program beside this one, or how to build it.
pub(crate) fn auditor_command(export: &Path, key: &str) -> String {
    format!("{} {} --key '{key}'", auditor(), export.display())
}

fn auditor() -> String {
    let beside =
        std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join("auditor"))).filter(|path| path.exists());
    beside.map_or_else(|| "cargo run --release -p auditor --".to_owned(), |path| path.display().to_string())
}

/// With `seals` every sealed file is opened, at so many MiB a second.
pub(crate) async fn check(dir: &Path, seals: Option<u32>, output: Output) -> anyhow::Result<Answer> {
    let store = Workspace::open(dir)?.store().await?;
    let report = match seals {
        None => store.check(false, None, now()).await,
        Some(mib_per_second) => {
            let bar = progress("sealed files");
            let checked = store.check_seals(mib_per_second, None, now(), &mut advancing(&bar)).await;
            bar.finish_and_clear();
            checked
        }
    };
    let report = report.context("the check could not be finished")?;
    match output {
        Output::Json => say!("{}", json!(report)),
        Output::Words => {
            say!("{} log entries and {} cases compared", report.entries, report.cases);
            if seals.is_some() {
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
            if !report.erased_since.is_empty() {
                let n = report.erased_since.len();
                say!(
                    "{n} cases were erased after the backup that this was restored from; the entries that say so are lost"
                );
            }
            for fault in &report.faults {
                say!("FAULT {}: {}", fault.about, fault.what);
            }
            if 0 < report.more_faults {
                say!("FAULT and {} more: mend these first", report.more_faults);
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

/// Draws on this bar how many are done, of how many.
pub(crate) fn advancing(bar: &ProgressBar) -> impl FnMut(u64, u64) + Send + '_ {
    |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    }
}

//! `retention`: what is due, what is held, and the end of a case by the word of two people.

use std::path::PathBuf;

use anyhow::Context;
use case::{Case, Clocks, Event, Family, Ground, Statement, Subject};
use clap::{Args, Subcommand};
use jiff::civil::Date;
use serde_json::{Value, json};
use store::{ApplyError, Ask, Certificate, Clocked};
use work::now;

use super::workspace::Workspace;
use super::{Answer, Asking, Output};
use crate::At;

#[derive(Subcommand)]
pub(crate) enum RetentionCommand {
    /// What may be erased and what should be, what is proposed, and what is held; by which rule
    #[command(
        after_help = "Example:\n  countersign retention due -C books\n\nNothing is erased by itself: propose it, and let a second person erase it."
    )]
    Due {
        #[command(flatten)]
        at: At,
        /// At most so many of each
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        rows: u32,
        /// JSON lines on standard output, and nothing else
        #[arg(long)]
        json: bool,
    },
    /// Put a case under legal hold: nothing of it is erased until each of its matters is released
    #[command(
        after_help = "Example:\n  countersign retention hold 4f2a91 --matter 'Smith v. Jones' --as lena --reason 'letter of the court' -C books"
    )]
    Hold {
        /// The case: its id, or the end of it, four characters or more
        case: String,
        /// The dispute or inquiry it is kept for; sealed, with a commitment in the log
        #[arg(long)]
        matter: String,
        #[command(flatten)]
        why: Why,
    },
    /// Let go of a legal hold
    #[command(
        after_help = "Example:\n  countersign retention release 4f2a91 --matter 'Smith v. Jones' --as lena --reason 'settled' -C books"
    )]
    Release {
        /// The case: its id, or the end of it, four characters or more
        case: String,
        /// The matter that it was held for
        #[arg(long)]
        matter: String,
        #[command(flatten)]
        why: Why,
    },
    /// Say when a contract ended, or what is kept while it is in use: its time runs from there
    #[command(
        after_help = "Example:\n  countersign retention ended 4f2a91 --on 2026-12-31 --as rita --reason 'terminated by letter' -C books"
    )]
    Ended {
        /// The case: its id, or the end of it, four characters or more
        case: String,
        /// The last day; without it the case waits again
        #[arg(long, value_name = "DAY", value_parser = super::day)]
        on: Option<Date>,
        #[command(flatten)]
        why: Why,
    },
    /// Propose to erase a case
    #[command(
        after_help = "Example:\n  countersign retention propose 4f2a91 --as rita --reason 'its time is over' -C books\n  countersign retention propose 4f2a91 --ground mistaken_upload --as rita --reason 'a private letter' -C books"
    )]
    Propose {
        /// The case: its id, or the end of it, four characters or more
        case: String,
        /// expired, subject_request, or mistaken_upload of what was never booked
        #[arg(long, default_value = "expired", value_parser = ground)]
        ground: Ground,
        #[command(flatten)]
        why: Why,
    },
    /// Take a proposal back
    #[command(
        after_help = "Example:\n  countersign retention withdraw 4f2a91 --as rita --reason 'the wrong case' -C books"
    )]
    Withdraw {
        /// The case: its id, or the end of it, four characters or more
        case: String,
        #[command(flatten)]
        why: Why,
    },
    /// As the second person, erase a case that somebody else proposed, for good; prints the certificate
    #[command(
        after_help = "Example:\n  countersign retention erase 4f2a91 --revision 4 --as lena --reason 'looked through' -C books\n\nThe revision is the one that `retention due` shows: what was proposed anew since then is looked at anew. Copies in backups open no more once the vault key that wrapped its key is retired: `countersign keys rotate`."
    )]
    Erase {
        /// The case: its id, or the end of it, four characters or more
        case: String,
        /// The revision that you looked at; the case is not erased if it has moved on
        #[arg(long)]
        revision: u64,
        #[command(flatten)]
        why: Why,
    },
    /// The certificate of a case that was erased
    #[command(after_help = "Example:\n  countersign retention certificate 4f2a91 --as lena -C books")]
    Certificate {
        /// The case: its id, or the end of it, four characters or more
        case: String,
        #[command(flatten)]
        asking: Asking,
    },
    /// Answer a person who asks what is kept about them: find it, and write it into a folder
    #[command(
        after_help = "Example:\n  countersign retention dsar --subject 'Erika Mustermann' --subject erika@example.com --as lena --reason 'request of 3 March' -C books\n  countersign retention dsar answer --subject 'Erika Mustermann' --as lena --reason 'request of 3 March' -C books\n\nLook through the folder before you hand it on: it may hold what is about others. Searched are the values read of each case, what people said of it, the names of its files, and imported vendors, orders and receipts; capitals and spaces make no difference, and words may stand in any order. Not searched: text of a document that is no value of its case (the body of a letter or contract), pages and pictures that nobody could read, what cannot be opened, accounts and sign-ins, and lessons learned from corrections."
    )]
    Dsar {
        /// A new or empty folder; without it what was found is listed
        dir: Option<PathBuf>,
        /// A name, address or number of the person; once or more
        #[arg(long = "subject", required = true, value_name = "TEXT")]
        subjects: Vec<String>,
        #[command(flatten)]
        why: Why,
    },
}

#[derive(Args)]
pub(crate) struct Why {
    /// Kept sealed, with a commitment in the log
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    asking: Asking,
}

fn ground(text: &str) -> Result<Ground, String> {
    Ground::named(text).ok_or_else(|| format!("expected one of {}", Ground::ALL.map(Ground::name).join(", ")))
}

pub(crate) async fn retention(command: RetentionCommand) -> anyhow::Result<Answer> {
    match command {
        RetentionCommand::Due { at, rows, json } => due(&Workspace::open(&at.dir)?, rows, Output::of(json)).await,
        RetentionCommand::Hold { case, matter, why } => {
            apply(&case, &why, None, |_, said| Event::Held { matter: matter.trim().to_owned(), said }).await
        }
        RetentionCommand::Release { case, matter, why } => {
            apply(&case, &why, None, |_, said| Event::HoldReleased { matter: matter.trim().to_owned(), said }).await
        }
        RetentionCommand::Ended { case, on, why } => {
            apply(&case, &why, None, |_, said| Event::Ended { on, said }).await
        }
        RetentionCommand::Propose { case, ground, why } => {
            let event = |case: &Case, said| Event::DisposalProposed {
                ground,
                seen: case.content(),
                said,
                family: Family::new(),
            };
            apply(&case, &why, None, event).await
        }
        RetentionCommand::Withdraw { case, why } => {
            apply(&case, &why, None, |case, said| Event::DisposalWithdrawn { seen: case.content(), said }).await
        }
        RetentionCommand::Erase { case, revision, why } => {
            let event =
                |case: &Case, said| Event::DisposalApproved { seen: case.content(), said, family: Family::new() };
            apply(&case, &why, Some(revision), event).await
        }
        RetentionCommand::Certificate { case, asking } => {
            let (store, by) = asking.open().await?;
            let id = store.find(&case).await?;
            certificate(&store.certificate(id, &by, now()).await?, asking.output());
            Ok(Answer::Good)
        }
        RetentionCommand::Dsar { dir, subjects, why } => dsar(dir, &subjects, &why).await,
    }
}

/// One event by one person on one case, which must be at the revision `seen` where one is given; of an erased case, its
/// certificate.
async fn apply(
    case: &str,
    why: &Why,
    seen: Option<u64>,
    event: impl FnOnce(&Case, Statement) -> Event,
) -> anyhow::Result<Answer> {
    let (store, by) = why.asking.open().await?;
    let id = store.find(case).await?;
    // Whoever names a revision looks at the case, which the log says.
    let case = if seen.is_some() { store.view(id, &by, now()).await? } else { store.case(id).await? };
    let said = Statement { by: by.clone(), reason: why.reason.clone(), at: now() };
    let event = event(&case, said);
    let moved = store.apply(case.id, seen.unwrap_or(case.revision), event, &by, now()).await;
    // A running service seals this anyway; without one it is sealed now.
    store.seal_log(now()).await?;
    let moved = match moved {
        Ok(moved) => moved,
        Err(refused @ (ApplyError::Refused(_) | ApplyError::Conflict { .. } | ApplyError::FactsChanged)) => {
            eprintln!("refused: {refused}");
            return Ok(Answer::Bad);
        }
        Err(other) => return Err(other.into()),
    };
    let output = why.asking.output();
    if moved.state == case::State::Erased {
        // From here on an older backup, in which the case is still there, is known to be older.
        store
            .sign_log(now())
            .await
            .context("the case is erased, and the head of the log that says so is not signed")?;
        certificate(&store.certificate(moved.id, &by, now()).await?, output);
        return Ok(Answer::Good);
    }
    match output {
        Output::Json => say!("{}", shown(&moved)),
        Output::Words => say!("case {}: {}", moved.id, words(&moved)),
    }
    Ok(Answer::Good)
}

async fn due(workspace: &Workspace, rows_max: u32, output: Output) -> anyhow::Result<Answer> {
    let store = workspace.store().await?;
    let mut n_shown = 0;
    for ask in [Ask::Due, Ask::Proposed, Ask::Held] {
        let rows = store.clocked(ask, now(), rows_max).await?;
        n_shown += rows.len();
        for Clocked { case, .. } in &rows {
            let case = store.case(*case).await?;
            match output {
                Output::Json => say!("{}", shown(&case)),
                Output::Words => {
                    say!("{}  {:<11} {:<13} {}", case.id, case.state.name(), case.kind().name(), words(&case))
                }
            }
        }
        if rows.len() == usize::try_from(rows_max)? {
            eprintln!("There may be more than these {rows_max}; `--rows` shows up to 10000.");
        }
    }
    if n_shown == 0 {
        eprintln!("Nothing is due, proposed or held.");
    }
    Ok(Answer::Good)
}

fn shown(case: &Case) -> Value {
    let keep = case.keep.as_ref();
    let clocks = |of: fn(&Clocks) -> Date| keep.and_then(|keep| keep.clocks.as_ref()).map(of);
    json!({"case": case.id, "state": case.state, "kind": case.kind(), "revision": case.revision,
           "standing": case.standing(now().date()), "holds": case.holds.len(),
           "ground": case.disposal.as_ref().map(|it| it.ground), "proposed_by": case.disposal.as_ref().map(|it| &it.by),
           "keep_until": clocks(|it| it.keep_until), "delete_by": clocks(|it| it.delete_by),
           "row": keep.map(|it| &it.rule.row), "source": keep.map(|it| &it.rule.source), "sure": keep.map(|it| it.rule.sure)})
}

fn words(case: &Case) -> String {
    use case::Standing::{Due, Erased, Held, Kept, Overdue, Permanent, Proposed, Unclocked, Waiting};
    let standing = match case.standing(now().date()) {
        Unclocked => "not at its end".to_owned(),
        Permanent => "kept for ever".to_owned(),
        Waiting => "waits until somebody says when it ended".to_owned(),
        Kept => "kept".to_owned(),
        Due => "due".to_owned(),
        Overdue => "overdue".to_owned(),
        Proposed => case.disposal.as_ref().map_or_else(String::new, |it| {
            let (ground, revision) = (it.ground.name(), case.revision);
            format!("proposed by {} as {ground} at revision {revision}; a second person may erase it", it.by)
        }),
        Held => format!("under {} legal hold(s)", case.holds.len()),
        Erased => "erased".to_owned(),
    };
    let Some(keep) = &case.keep else { return standing };
    let clocks = keep.clocks.map(|clocks| format!(", {clocks}")).unwrap_or_default();
    format!("{standing}{clocks}, by row `{}` ({})", keep.rule.row, keep.rule.sure.name())
}

fn certificate(certificate: &Certificate, output: Output) {
    let Certificate { case, ground, proposed_by, approved_by, at, key, files, openings, entries, entry, index, .. } =
        certificate;
    let Certificate { files_left, key_lingers, .. } = certificate;
    if output == Output::Json {
        return say!("{}", json!(certificate));
    }
    let place = |index: &Option<u64>| index.map_or("not sealed yet".to_owned(), |index| format!("number {index}"));
    say!("Certificate of erasure\n");
    say!("case         {case}\nerased       {at}\nground       {}", ground.name());
    say!("proposed by  {proposed_by}\napproved by  {approved_by}");
    say!(
        "destroyed    record key {key}, which alone opened {files} sealed file(s), and the openings of {openings} entries:"
    );
    for it in entries {
        say!("             entry {} ({}), {}", it.entry, it.act, place(&it.index));
    }
    say!("told by      entry {entry}, {}", place(index));
    for file in files_left {
        say!(
            "still there  sealed file {file}, which nothing opens any more: `countersign check` counts it among those of no"
        );
        say!("             case; remove `{file}.sealed` from the vault by hand");
    }
    if *key_lingers {
        say!(
            "still there  its key may still be in the database's write-ahead log, until nobody reads there for long (a backup or"
        );
        say!("             a check that runs now): ask for this certificate again, which empties that log too");
    }
    say!(
        "\n`countersign log prove {case}` writes the receipts of these entries.\nA backup of before, with its key table, opens the case until the vault key of that time is retired."
    );
}

async fn dsar(dir: Option<PathBuf>, subjects: &[String], why: &Why) -> anyhow::Result<Answer> {
    let subject = match Subject::of(subjects) {
        Ok(subject) => subject,
        Err(wrong) => {
            eprintln!("error: {wrong}");
            return Ok(Answer::Misused);
        }
    };
    if let Err(refused) = case::reasoned(&why.reason) {
        eprintln!("refused: {refused}");
        return Ok(Answer::Bad);
    }
    if let Some(dir) = &dir {
        why.asking.workspace()?.refuse_own(dir)?;
    }
    let (store, by) = why.asking.open().await?;
    let output = why.asking.output();
    let (none, faults) = match dir {
        None => {
            let found = store.look_up(&subject, &why.reason, &by, now()).await?;
            for id in &found.cases {
                match output {
                    Output::Json => say!("{}", json!({ "case": id })),
                    Output::Words => say!("{id}"),
                }
            }
            for (table, row) in found.imported.iter().flat_map(|(table, rows)| rows.iter().map(move |row| (table, row)))
            {
                match output {
                    Output::Json => say!("{}", json!({ "imported": table, "row": row })),
                    Output::Words => say!("{table}: {row}"),
                }
            }
            (found.is_empty(), found.faults)
        }
        Some(dir) => {
            let handed = store.hand_out(&dir, &subject, &why.reason, &by, now()).await;
            let handed = handed.with_context(|| format!("hand out into `{}`", dir.display()))?;
            match (output, handed.manifest) {
                (Output::Json, _) => say!("{}", json!(handed)),
                (Output::Words, None) => {}
                (Output::Words, Some(manifest)) => {
                    let (n, imported, files) = (handed.cases.len(), handed.imported, handed.files);
                    say!("{n} case(s) and {imported} imported row(s) in {files} file(s) are in `{}`.", dir.display());
                    say!("SHA-256 of its manifest, as the log says: {manifest}");
                }
            }
            (handed.manifest.is_none(), handed.faults)
        }
    };
    store.seal_log(now()).await?;
    if none {
        eprintln!("nothing that was searched is about this person");
    }
    for fault in &faults {
        eprintln!("not opened: {}: {}", fault.about, fault.what);
    }
    eprintln!(
        "Not searched: text of documents that is no value of its case, pages that nobody could read, accounts, lessons."
    );
    Ok(if none || !faults.is_empty() { Answer::Bad } else { Answer::Good })
}

//! `policy`: checking the files, trying them on what was decided before, and the two people who let one through that is looser.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use case::{Code, POLICY_FILES, Policy, Turn};
use clap::Subcommand;
use jiff::civil::Date;
use serde_json::json;
use store::{PolicyStanding, Store};
use work::{PolicyError, PolicyFolder, now};

use super::log::{advancing, progress};
use super::workspace::Workspace;
use super::{Answer, Asking, Mistake, Output, given_folder};
use crate::At;

#[derive(Subcommand)]
pub(crate) enum PolicyCommand {
    /// Are the files well-formed, is every finding routed to a person, and does anybody have to let the policy through?
    #[command(after_help = "Example:\n  countersign policy check -C books")]
    Check {
        #[command(flatten)]
        at: At,
        /// JSON lines on standard output, and nothing else
        #[arg(long)]
        json: bool,
    },
    /// Replay past cases under another policy: which verdicts flip, and how much money moves; nothing live is touched
    #[command(
        after_help = "Example:\n  countersign policy diff new-policies --over 2026-01..2026-06 --as rita -C books\n\nNEW is a folder with the policy files; of a file that is not there the one in the workspace is taken. PERIOD is a month, a year, a day, or two of them with `..` between: the cases that arrived then. Each case is judged again from what its verdict says of itself; what nobody compared then is not compared now. Exit code 1: a verdict flips."
    )]
    Diff {
        /// A folder with the policy files to try
        new: PathBuf,
        /// The cases that arrived then: a month, a year, a day, or two of them with `..` between
        #[arg(long, value_name = "PERIOD", value_parser = period)]
        over: (Date, Date),
        /// At most so many cases are listed; all are counted
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(0..=10_000))]
        rows: u32,
        #[command(flatten)]
        asking: Asking,
    },
    /// Propose the policy in the workspace's folder, which lets more through than the one in force: it waits for another person
    #[command(
        after_help = "Example:\n  countersign policy propose --as adam -C books\n\nWhat is as tight as before or tighter comes into force by itself."
    )]
    Propose {
        #[command(flatten)]
        asking: Asking,
    },
    /// Approve a policy that another person proposed: it comes into force
    #[command(after_help = "Example:\n  countersign policy approve 5be1…64 digits --as rita -C books")]
    Approve {
        /// As `policy check` and `policy propose` print it
        digest: String,
        #[command(flatten)]
        asking: Asking,
    },
}

pub(crate) async fn policy(command: PolicyCommand) -> anyhow::Result<Answer> {
    match command {
        PolicyCommand::Check { at, json } => check(&at, Output::of(json)).await,
        PolicyCommand::Diff { new, over, rows, asking } => diff(&new, over, rows as usize, &asking).await,
        PolicyCommand::Propose { asking } => propose(&asking).await,
        PolicyCommand::Approve { digest, asking } => {
            let (store, by) = asking.open().await?;
            let done = store.approve_policy(&digest, None, &by, now()).await;
            store.seal_log(now()).await?;
            done?;
            match asking.output() {
                Output::Json => say!("{}", json!({"digest": digest, "standing": "approved"})),
                Output::Words => say!(
                    "approved; it comes into force with the next look at the folder, within seconds where the service runs"
                ),
            }
            Ok(Answer::Good)
        }
    }
}

/// A policy, or the mistake in it.
fn read(folder: &PolicyFolder) -> anyhow::Result<Result<(Policy, [String; 3]), String>> {
    match folder.read() {
        Ok(read) => Ok(Ok(read)),
        Err(PolicyError::Mistake(mistake)) => Ok(Err(mistake.to_string())),
        Err(other) => Err(other.into()),
    }
}

/// Tells a mistake in the files.
fn mistaken(mistake: &str, output: Output) -> Answer {
    match output {
        Output::Json => say!("{}", json!({"mistake": mistake})),
        Output::Words => say!("{mistake}"),
    }
    Answer::Bad
}

async fn check(at: &At, output: Output) -> anyhow::Result<Answer> {
    let workspace = Workspace::open(&at.dir)?;
    let policy = match read(&workspace.policies())? {
        Ok((policy, _)) => policy,
        Err(mistake) => return Ok(mistaken(&mistake, output)),
    };
    // The files may be checked where the keys are not.
    let standing = match workspace.store().await {
        Ok(store) => Some(Standing::of(&store, &policy).await?),
        Err(err) => {
            eprintln!("whether it is in force was not looked up: {err:#}");
            None
        }
    };
    match (output, standing) {
        (Output::Json, standing) => {
            let name = standing.as_ref().map(Standing::name);
            let looser = if let Some(Standing::Looser { looser, .. }) = standing { looser } else { Vec::new() };
            say!("{}", json!({"digest": policy.digest, "standing": name, "looser": looser}));
        }
        (Output::Words, standing) => {
            say!("the policy is sound; its digest is {}", policy.digest);
            standing.iter().for_each(|it| it.say(&policy, &at.dir));
        }
    }
    Ok(Answer::Good)
}

/// Is it in force, will it be, or who has to speak first?
enum Standing {
    First,
    InForce,
    Next,
    Looser { looser: Vec<String>, proposed: bool, approved: bool },
}

impl Standing {
    async fn of(store: &Store, policy: &Policy) -> anyhow::Result<Standing> {
        let known = store.policies().await?;
        let digest = policy.digest.to_string();
        let Some(in_force) = known.in_force else { return Ok(Standing::First) };
        if in_force.digest == digest {
            return Ok(Standing::InForce);
        }
        let looser = store.looser_than_in_force(policy).await?;
        if looser.is_empty() {
            return Ok(Standing::Next);
        }
        let by = known.proposed.into_iter().find(|it| it.digest == digest).map(|it| it.by).unwrap_or_default();
        let (proposed, approved) = (by.proposed_by.is_some(), by.approved_by.is_some());
        Ok(Standing::Looser { looser, proposed, approved })
    }

    /// For programs.
    fn name(&self) -> &'static str {
        match self {
            Standing::First => "first",
            Standing::InForce => "in_force",
            Standing::Next => "next",
            Standing::Looser { approved: true, .. } => "approved",
            Standing::Looser { proposed: true, .. } => "proposed",
            Standing::Looser { .. } => "looser",
        }
    }

    fn say(&self, policy: &Policy, dir: &Path) {
        let approve = approve(policy, dir);
        match self {
            Standing::First => say!("no policy is in force yet: this one will be when the service starts"),
            Standing::InForce => say!("it is the one in force"),
            Standing::Next => say!(
                "it lets no more through than the one in force, and takes its place when the service looks at the folder"
            ),
            Standing::Looser { looser, proposed, approved } => {
                looser.iter().for_each(|it| say!("looser: {it}"));
                match (proposed, approved) {
                    (_, true) => {
                        say!("\ntwo people let it through: it comes into force when the service looks at the folder")
                    }
                    (true, false) => {
                        say!("\nit lets more through than the one in force, and waits for another person:\n  {approve}")
                    }
                    (false, false) => say!(
                        "\nit lets more through than the one in force, which stays until two people have spoken:\n  countersign policy propose --as NAME -C {}\n  {approve}",
                        dir.display()
                    ),
                }
            }
        }
    }
}

fn approve(policy: &Policy, dir: &Path) -> String {
    format!("countersign policy approve {} --as NAME -C {}", policy.digest, dir.display())
}

async fn propose(asking: &Asking) -> anyhow::Result<Answer> {
    let output = asking.output();
    let (policy, texts) = match read(&asking.workspace()?.policies())? {
        Ok(read) => read,
        Err(mistake) => return Ok(mistaken(&mistake, output)),
    };
    let (store, by) = asking.open().await?;
    let standing = store.propose_policy(&policy, texts.each_ref().map(String::as_str), &by, now()).await;
    store.seal_log(now()).await?;
    let told = |standing: &str, looser: &[String]| {
        say!("{}", json!({"digest": policy.digest, "standing": standing, "looser": looser}));
    };
    match (standing?, output) {
        (PolicyStanding::InForce, Output::Json) => told("in_force", &[]),
        (PolicyStanding::InForce, Output::Words) => {
            say!("it lets nothing through that was held before, and is in force")
        }
        (PolicyStanding::Waits { looser, .. }, Output::Json) => told("proposed", &looser),
        (PolicyStanding::Waits { looser, .. }, Output::Words) => {
            looser.iter().for_each(|it| say!("looser: {it}"));
            say!("\nproposed; another person puts it in force:\n  {}", approve(&policy, &asking.at.dir));
        }
    }
    Ok(Answer::Good)
}

/// The first and the last day of `2026`, `2026-03`, `2026-03-15`, or of two of these with `..` between.
fn period(text: &str) -> Result<(Date, Date), String> {
    let expected = || {
        format!("`{text}` is no period; expected 2026, 2026-03, 2026-03-15, or two of them such as 2026-01..2026-06")
    };
    let ends = |text: &str| -> Option<(Date, Date)> {
        match text.len() {
            4 => Some((format!("{text}-01-01").parse().ok()?, format!("{text}-12-31").parse().ok()?)),
            7 => {
                let first: Date = format!("{text}-01").parse().ok()?;
                Some((first, first.last_of_month()))
            }
            _ => text.parse().ok().map(|day: Date| (day, day)),
        }
    };
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let ((from, _), (_, to)) = ends(first.trim()).zip(ends(last.trim())).ok_or_else(expected)?;
    if to < from { Err(expected()) } else { Ok((from, to)) }
}

/// The files of `new`, and of the workspace where one is not there.
fn beside(new: &Path, asking: &Asking) -> anyhow::Result<Policy> {
    given_folder(new)?;
    let (_, in_force) = asking.workspace()?.policies().read()?;
    let mut texts = in_force;
    let mut found = false;
    for (name, text) in POLICY_FILES.iter().zip(&mut texts) {
        let path = new.join(name);
        if path.exists() {
            found = true;
            *text = std::fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        }
    }
    let none = || Mistake::Use(format!("`{}` has none of {}", new.display(), POLICY_FILES.join(", ")));
    ensure!(found, none());
    Ok(Policy::parse(texts.each_ref().map(String::as_str))?)
}

async fn diff(new: &Path, (from, to): (Date, Date), rows: usize, asking: &Asking) -> anyhow::Result<Answer> {
    let policy = beside(new, asking)?;
    let (store, by) = asking.open().await?;
    let bar = progress("cases replayed");
    let replayed = store.replay(&policy, from, to, &by, now(), &mut advancing(&bar)).await;
    bar.finish_and_clear();
    let (sum, flips) = replayed?;
    store.seal_log(now()).await?;
    let currency = &policy.currency;
    if asking.output() == Output::Json {
        flips.iter().take(rows).for_each(|flip| say!("{}", json!(flip)));
        say!("{}", json!({ "policy": policy.digest, "currency": currency, "from": from, "to": to, "sum": sum }));
        return Ok(if flips.is_empty() { Answer::Good } else { Answer::Bad });
    }
    for flip in flips.iter().take(rows) {
        let net = flip.replayed.net.map_or_else(|| "amount unknown".to_owned(), |net| format!("{net} {currency}"));
        let names = |codes: Vec<Code>| codes.iter().map(|code| code.name()).collect::<Vec<_>>().join(", ");
        let (gone, come) = (names(flip.replayed.gone().collect()), names(flip.replayed.come().collect()));
        say!("{}  {:<9} {net}  {}", flip.case, turn(flip.turn), [gone_words(&gone), come_words(&come)].concat());
    }
    if rows < flips.len() {
        say!("… and {} more", flips.len() - rows);
    }
    say!("\n{} replayed of {from} to {to}, {} that cannot be", sum.replayed, sum.not_replayable);
    for (what, moved) in [
        ("would go straight through", sum.released),
        ("of these, rejected by a person", sum.released_though_rejected),
        ("would stop at people", sum.held),
        ("would go to other people", sum.rerouted),
    ] {
        let unknown = if moved.unknown == 0 { String::new() } else { format!(", {} of unknown amount", moved.unknown) };
        say!("{:>8}  {:>16} {currency}  {what}{unknown}", moved.cases, moved.net);
    }
    for (code, flips) in &sum.codes {
        say!("{:<20} {:>8} no more, {:>8} new", code.name(), flips.gone.cases, flips.come.cases);
    }
    Ok(if flips.is_empty() { Answer::Good } else { Answer::Bad })
}

fn turn(turn: Turn) -> &'static str {
    match turn {
        Turn::Same => "same",
        Turn::Rerouted => "rerouted",
        Turn::Released => "released",
        Turn::Held => "held",
    }
}

fn gone_words(codes: &str) -> String {
    if codes.is_empty() { String::new() } else { format!("no more {codes} ") }
}

fn come_words(codes: &str) -> String {
    if codes.is_empty() { String::new() } else { format!("now {codes}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_period_is_a_year_a_month_a_day_or_from_one_to_another() {
        let days = |text: &str| period(text).map(|(from, to)| format!("{from} {to}")).unwrap_or_default();
        assert_eq!(days("2026"), "2026-01-01 2026-12-31");
        assert_eq!(days("2024-02"), "2024-02-01 2024-02-29");
        assert_eq!(days("2026-03-15"), "2026-03-15 2026-03-15");
        assert_eq!(days("2026-01..2026-06"), "2026-01-01 2026-06-30");
        assert_eq!(days("2026-06..2026-01"), "");
        assert_eq!(days("last year"), "");
    }
}

//! `backup` and `restore`: a copy of everything, and the way back.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};

use anyhow::Context;
use clap::Args;
use indicatif::ProgressBar;
use serde_json::json;
use store::{BackedUp, Backup, BackupPlace, Error, Escrow, Keys, Part, RestoreAsk, Restored, Store};
use work::now;

use super::log::progress;
use super::workspace::Workspace;
use super::{Answer, Asking, Mistake, Output, given_folder};

/// More would be a longer time than the one in which somebody may still ask for what was erased.
const KEYS_DAYS_MAX: u32 = 366;

pub(crate) const BACKUP_HELP: &str = "Example:
  countersign backup /mnt/backup/books --keys-to /mnt/keys/books --as root -C books

The service may run. DIR gets a sealed snapshot of all rows, the sealed files that it does not have yet, and the \
published log: keep it for as long as the documents. The folder of --keys-to gets a copy of the key table, which opens \
what the snapshot and the files hold, for whoever has the key file too; copies older than --keys-days are overwritten \
and removed.

Why two folders: a document is erased by destroying its key. Were the keys in the backup, it would be readable from \
every backup for as long as that is kept. Apart and on a short clock, it is closed everywhere when the last older key \
table is gone. Copies that you make of the folder of keys must follow the same clock. Retiring the vault key \
(`countersign keys rotate`, then `keys retire`) closes every older copy at once.

The key file is in neither folder: keep a copy of it at a third place.";

pub(crate) const RESTORE_HELP: &str = "Example:
  countersign restore /mnt/backup/books --keys-from /mnt/keys/books --to books

WORKSPACE has its countersign.toml and its key file, and neither rows nor sealed files: the database may be of the \
other kind than the one that was backed up. Nothing is overwritten but what an empty workspace has by itself: a log \
without entries, or with none but those that say that the keys were brought back. At the end everything is compared \
with the log, and every seal opened.

When the machine is lost with its keys: `countersign init books`, put the keys.escrow of the backup into books/data, \
remove what is in books/keys, `countersign keys recover -C books` with two shares, and then this.

A snapshot that ends before the log is known to (by the last head that was signed here, the newest key table, or a \
witness) is refused: what was done since would be lost. So it is while a witness does not say what it knows. With \
--older it is restored all the same; then begin a new log with `countersign log begin`, whose first entry names the \
end of the old one. What was erased since stays closed.";

#[derive(Args)]
pub(crate) struct TakeArgs {
    /// Where to: a folder of its own, whose parent is there
    dir: PathBuf,
    /// Where the key table goes: a folder elsewhere, whose parent is there
    #[arg(long, value_name = "DIR")]
    keys_to: Option<PathBuf>,
    /// After how many days a key table is overwritten and removed; the newest one always stays
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u32).range(..=i64::from(KEYS_DAYS_MAX)))]
    keys_days: u32,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Args)]
pub(crate) struct RestoreArgs {
    /// The folder that `backup` wrote
    dir: PathBuf,
    /// The folder that its --keys-to named
    #[arg(long, value_name = "DIR")]
    keys_from: PathBuf,
    /// The workspace: with settings and keys, and without data
    #[arg(
        id = "workspace",
        short = 'C',
        long = "to",
        visible_alias = "workspace",
        value_name = "WORKSPACE",
        default_value = "."
    )]
    workspace: PathBuf,
    /// Another snapshot than the newest that the newest key table covers, by the name of its file
    #[arg(long, value_name = "FILE")]
    snapshot: Option<String>,
    /// Restore a snapshot that ends before the log is known to, or may be, by a witness that is silent
    #[arg(long)]
    older: bool,
    /// JSON lines on standard output, and nothing else
    #[arg(long)]
    json: bool,
}

pub(crate) async fn backup(args: TakeArgs) -> anyhow::Result<Answer> {
    let TakeArgs { dir, keys_to, keys_days, asking } = args;
    let Some(keys) = keys_to else {
        eprintln!(
            "error: say where the key table goes, with --keys-to DIR: apart from the backup, because what is erased must not open \
             from it; `countersign backup --help` explains why"
        );
        return Ok(Answer::Misused);
    };
    let workspace = asking.workspace()?;
    for folder in [&dir, &keys] {
        // A disk that is not there must not be taken for an empty folder.
        if let Some(parent) = std::path::absolute(folder)?.parent() {
            given_folder(parent)?;
        }
        if let Some(why) = in_the_way(&workspace, folder)? {
            eprintln!("error: {why}");
            return Ok(Answer::Misused);
        }
    }
    let (store, by) = asking.open().await?;
    let bars = Bars::default();
    let place = BackupPlace { dir, keys };
    let backed_up =
        store.backup(&place, keys_days, &by, now(), &mut |part, done, all| bars.told(part, done, all)).await;
    bars.clear();
    let backed_up = backed_up.context("the backup did not end, and what there is of it does not count")?;
    let whole = backed_up.whole();
    match asking.output() {
        Output::Json => say!("{}", json!(backed_up)),
        Output::Words => {
            let BackedUp { snapshot, key_table, size, rows, files, new_files, new_bytes, .. } = &backed_up;
            say!("{}", place.dir.join(snapshot).display());
            say!(
                "  {rows} rows, to entry {size} of the log; {files} sealed files, {new_files} of them new ({new_bytes} bytes)"
            );
            say!("{}", place.keys.join(key_table).display());
            let removed = backed_up.key_tables_removed;
            say!("  {} keys; {removed} key tables older than {keys_days} days are removed", backed_up.keys);
            for file in &backed_up.missing {
                say!(
                    "FAULT file {file}: a case names it, and it is not there or cannot be read; `countersign check --seals` says more"
                );
            }
            for case in &backed_up.closed {
                say!(
                    "FAULT case {case}: it cannot be opened, so its files are not in the backup; `countersign check` says more"
                );
            }
        }
    }
    Ok(if whole { Answer::Good } else { Answer::Bad })
}

/// Why a folder is no place for a backup: it holds what is in use, or lies in it.
fn in_the_way(workspace: &Workspace, folder: &Path) -> anyhow::Result<Option<String>> {
    let settings = &workspace.settings;
    let data = workspace.path(&settings.data);
    let mut in_use = vec![
        ("the inbox", workspace.path(&settings.inbox.folder)),
        ("the vault", data.join("vault")),
        ("the published log", data.join("log")),
        ("the data", data),
        ("the keys", workspace.path(&settings.keys)),
        ("the ledger", workspace.path(&settings.ledger.folder)),
        ("the policies", workspace.path(&settings.policies)),
    ];
    in_use.extend(settings.log.heads_folder.as_deref().map(|heads| ("the log's heads", workspace.path(heads))));
    if !settings.database.starts_with("postgres") {
        in_use.push(("the database", workspace.path(Path::new(&settings.database))));
    }
    let there = real(folder)?;
    for (name, path) in in_use {
        let path = real(&path)?;
        let how = match (there.starts_with(&path), path.starts_with(&there)) {
            (true, _) => "lies in",
            (false, true) => "holds",
            (false, false) => continue,
        };
        return Ok(Some(format!(
            "`{}` {how} {name}, `{}`: a backup goes into a folder of its own, apart from what is in use",
            folder.display(),
            path.display()
        )));
    }
    Ok(None)
}

/// Where a path leads by all its links, though only a parent of it may be there yet.
fn real(path: &Path) -> anyhow::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    for parent in path.ancestors() {
        if let Ok(real) = parent.canonicalize() {
            let rest = path.strip_prefix(parent)?;
            if rest.components().any(|it| !matches!(it, Component::Normal(_))) {
                anyhow::bail!(Mistake::Use(format!("`{}` leads through a folder that is not there", path.display())));
            }
            return Ok(real.join(rest));
        }
    }
    Ok(path)
}

pub(crate) async fn restore(args: RestoreArgs) -> anyhow::Result<Answer> {
    let RestoreArgs { dir, keys_from, workspace, snapshot, older, json } = args;
    let workspace = Workspace::open(&workspace)?;
    given_folder(&dir)?;
    given_folder(&keys_from)?;
    let config = workspace.config().await?;
    let place = BackupPlace { dir, keys: keys_from };
    let backup = match Backup::open(&config.keys, &place, snapshot.as_deref()).await {
        Err(err @ Error::BadBackup { .. }) => return Ok(refused(&err)),
        other => other.context("the backup cannot be opened")?,
    };
    for name in &backup.passed_over {
        eprintln!(
            "the snapshot `{name}` is passed over: its clock was ahead, and the key table of its day is gone; `{}` has the longer log",
            backup.snapshot
        );
    }
    let mut witnessed: Option<(String, u64)> = None;
    let mut silent = Vec::new();
    if let Some(note) = &backup.note {
        for (witness, answer) in workspace.anchors()?.witnesses.known(note).await {
            match answer {
                Err(why) => {
                    silent.push(format!("the witness `{witness}` does not say what it knows of the log: {why}"))
                }
                Ok(size) if witnessed.as_ref().is_none_or(|(_, most)| *most < size) => {
                    witnessed = Some((witness, size))
                }
                Ok(_) => {}
            }
        }
    }
    for why in &silent {
        eprintln!("{why}");
    }
    if !silent.is_empty() && !older {
        eprintln!(
            "refused: it may have cosigned a longer log than the snapshot `{}` has: call again when it answers; if it never will, take it out of the settings or say `--older`",
            backup.snapshot
        );
        return Ok(Answer::Bad);
    }
    let data = workspace.path(&workspace.settings.data);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&data)
        .with_context(|| format!("cannot make `{}`", data.display()))?;
    let bars = Bars::default();
    let ask = RestoreAsk { older, witnessed };
    let restored =
        Store::restore(&config, backup, &ask, now(), &mut |part, done, all| bars.told(part, done, all)).await;
    bars.clear();
    let restored = match restored {
        Err(err @ (Error::BadBackup { .. } | Error::Older { .. } | Error::Forked { .. })) => return Ok(refused(&err)),
        Err(err @ Error::Uncompared(_)) => return Err(err.into()),
        other => other.context("nothing was restored")?,
    };
    if let Escrow::Other { set } = Keys::open(&config.keys)?.escrow(&config.keys)? {
        eprintln!(
            "`{}` is for other shares, or has keys that are not here. If it was there before this restoring, move it away: the next command makes the one that shares of set {set} open",
            data.join("keys.escrow").display()
        );
    }
    let policies = keep_policies(&workspace.path(&workspace.settings.policies), &restored.policy)?;
    let good = restored.report.faults.is_empty();
    match Output::of(json) {
        Output::Json => say!("{}", json!(restored)),
        Output::Words => print(&restored, policies.as_deref()),
    }
    Ok(if good { Answer::Good } else { Answer::Bad })
}

fn print(restored: &Restored, policies: Option<&Path>) {
    let Restored { snapshot, key_table, taken_at, rows, files, size, known, report, .. } = restored;
    say!("{snapshot} of {taken_at}, opened with {key_table}");
    say!("  {rows} rows, {files} sealed files, {size} log entries");
    if size < known {
        say!("  the log had {known} entries: the last {} are lost, and what was done by them", known - size);
    }
    if 0 < restored.given_up {
        say!(
            "  {} entries of the log that was begun here, all of keys that were brought back, are given up for the restored log",
            restored.given_up
        );
    }
    for case in &restored.erased_since {
        say!("  case {case} was erased after the snapshot: it stands as erased, and opens no more");
    }
    for case in &restored.held {
        say!(
            "WARNING case {case} was under a hold in the snapshot: it was lifted since, or somebody destroyed its key past it"
        );
    }
    for why in &restored.spoilt {
        say!("FAULT a sealed file of the backup was not copied: {why}");
    }
    if 0 < restored.refused {
        say!("  {} waiting entries of the log were not written by this program, and are kept aside", restored.refused);
    }
    if let Some(folder) = policies {
        say!("  other policies are here than were in force: those are in {}", folder.display());
    }
    if !restored.goes_on {
        say!(
            "The log cannot go on under its name: `countersign log begin` begins a new one, and nothing is done before"
        );
    }
    say!("{} log entries and {} cases compared, {} seals opened", report.entries, report.cases, report.seals_opened);
    for fault in &report.faults {
        say!("FAULT {}: {}", fault.about, fault.what);
    }
    if report.faults.is_empty() {
        say!("everything agrees");
    }
}

/// Puts the policy that was in force into the policy folder where none is, or beside it where another is; then says where.
fn keep_policies(folder: &Path, policy: &[(String, String)]) -> anyhow::Result<Option<PathBuf>> {
    // Names are ours, and never lead out of the folder.
    let ours = |name: &str| case::POLICY_FILES.contains(&name);
    let policy: Vec<_> = policy.iter().filter(|(name, _)| ours(name)).collect();
    let same =
        |(name, text): &&(String, String)| fs::read_to_string(folder.join(name)).is_ok_and(|there| there == *text);
    if policy.iter().all(same) {
        return Ok(None);
    }
    let taken = policy.iter().any(|(name, _)| folder.join(name).exists());
    let to = if taken { folder.join("restored") } else { folder.to_owned() };
    fs::create_dir_all(&to).with_context(|| format!("cannot make `{}`", to.display()))?;
    for (name, text) in policy {
        let path = to.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(taken.then_some(to))
}

fn refused(err: &Error) -> Answer {
    eprintln!("refused: {}", store::causes(err));
    Answer::Bad
}

struct Bars {
    rows: ProgressBar,
    files: ProgressBar,
}

impl Default for Bars {
    fn default() -> Bars {
        Bars { rows: progress("rows"), files: progress("sealed files") }
    }
}

impl Bars {
    fn told(&self, part: Part, done: u64, all: u64) {
        let bar = match part {
            Part::Rows => &self.rows,
            Part::Files => &self.files,
        };
        bar.set_length(all);
        bar.set_position(done);
    }

    fn clear(&self) {
        self.rows.finish_and_clear();
        self.files.finish_and_clear();
    }
}

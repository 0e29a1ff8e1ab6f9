//! `keys`: who keeps the key file, and how it comes back when it is lost.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::Context;
use clap::Subcommand;
use serde_json::json;
use store::{Custodian, Custody, Escrow, KeyError, KeyUse, Keys, Rotated, Share, ShareError};
use work::now;
use zeroize::Zeroizing;

use super::custody;
use super::log::{advancing, progress};
use super::workspace::Workspace;
use super::{Answer, Asking, Mistake, Output};
use crate::At;

#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Who keeps the key file, which keys are in it, and whether shares bring it back
    #[command(after_help = "Example:\n  countersign keys status -C books")]
    Status {
        #[command(flatten)]
        at: At,
        /// JSON lines on standard output, and nothing else
        #[arg(long)]
        json: bool,
    },
    /// Give the key file to another custodian, or to a new passphrase or key of the same one
    #[command(
        after_help = "Example:\n  countersign keys protect --by passphrase -C books --as root\n\nWhat a custodian needs stands under [custody] in countersign.toml. Stop the service first, and start it again after."
    )]
    Protect {
        /// file, credential, passphrase, command or transit
        #[arg(long, value_parser = custodian)]
        by: Custodian,
        #[command(flatten)]
        asking: Asking,
    },
    /// Make a new vault key and wrap every record key by it; no document is touched, and it may be cut short
    #[command(
        after_help = "Example:\n  countersign keys rotate -C books --as root\n\nThe service may run. Called again after it was cut short, it goes on where it was. Copy the key file to every other node afterwards: they take nothing in before they have it."
    )]
    Rotate {
        #[command(flatten)]
        asking: Asking,
    },
    /// Take a vault key that nothing needs any more out of the key file, and with it close every older copy of what it wrapped
    #[command(
        after_help = "Example:\n  countersign keys retire 1f8cd1b1c29d9b51 -C books --as root\n\nBackups that were taken before the rotation open no more: take one afterwards."
    )]
    Retire {
        /// Its id, as `keys status` shows it
        key: String,
        #[command(flatten)]
        asking: Asking,
    },
    /// Make a new escrow key and print its three shares; older shares open older copies of the data alone
    #[command(
        after_help = "Example:\n  countersign keys escrow -C books --as root\n\nThey are printed once. Give each to another person, on paper; any two of them bring the keys back."
    )]
    Escrow {
        #[command(flatten)]
        asking: Asking,
    },
    /// Bring a lost key file back from the data folder with two shares, typed or read from standard input
    #[command(
        after_help = "Example:\n  countersign keys recover -C books\n  countersign keys recover --by passphrase -C books < two-shares.txt"
    )]
    Recover {
        /// Who keeps the new key file: file, credential, passphrase, command or transit
        #[arg(long, value_parser = custodian, default_value = "file")]
        by: Custodian,
        #[command(flatten)]
        at: At,
    },
}

pub(crate) fn custodian(text: &str) -> Result<Custodian, String> {
    Custodian::named(text).ok_or_else(|| format!("expected one of {}", Custodian::ALL.map(Custodian::name).join(", ")))
}

pub(crate) async fn keys(command: KeysCommand) -> anyhow::Result<Answer> {
    match command {
        KeysCommand::Status { at, json } => status(&Workspace::open(&at.dir)?, Output::of(json)).await,
        KeysCommand::Protect { by, asking } => protect(&asking, by).await,
        KeysCommand::Rotate { asking } => {
            let (store, by) = asking.open().await?;
            let bar = progress("keys");
            let rotated = store.rotate_vault_key(&by, now(), &mut advancing(&bar)).await?;
            bar.finish_and_clear();
            match asking.output() {
                Output::Json => say!("{}", json!(rotated)),
                Output::Words => {
                    let Rotated { key, resumed, n_records } = rotated;
                    let how = if resumed { "A rotation that was cut short is finished: vault" } else { "Vault" };
                    say!("{how} key {key} leads, and {n_records} more record keys are wrapped by it.");
                    say!(
                        "Copy the key file to every other node and to its safe place. The key before it opens older copies"
                    );
                    say!("of the key table: `countersign keys retire` takes it away when nothing needs it.");
                }
            }
            Ok(Answer::Good)
        }
        KeysCommand::Retire { key, asking } => {
            let (store, by) = asking.open().await?;
            store.retire_vault_key(&key, &by, now()).await?;
            match asking.output() {
                Output::Json => say!("{}", json!({ "retired": key })),
                Output::Words => {
                    say!(
                        "Vault key {key} is out of the key file, and every backup that was taken before the rotation opens no more:"
                    );
                    say!(
                        "take one now. Destroy the key's other copies too, in older copies of the key file and, for whoever has"
                    );
                    say!("two shares, of keys.escrow: with them, older key tables open what was erased since.");
                }
            }
            Ok(Answer::Good)
        }
        KeysCommand::Escrow { asking } => {
            let (store, by) = asking.open().await?;
            let mut show = |shares: &[Share; 3]| match asking.output() {
                Output::Words => show_shares(shares),
                Output::Json => {
                    let lines: Vec<_> = shares.iter().map(Share::line).collect();
                    let lines: Vec<&str> = lines.iter().map(|it| it.as_str()).collect();
                    let set = shares.first().map(Share::set_name);
                    shown(&json!({ "set": set, "shares": lines }).to_string())
                }
            };
            let made = store.new_escrow(&mut show, &by, now()).await;
            made.context("the shares before these, if there are any, are those that count")?;
            Ok(Answer::Good)
        }
        KeysCommand::Recover { by, at } => recover(&Workspace::open(&at.dir)?, by).await,
    }
}

/// What the first of a role is for, and what the others are kept for.
const ROLES: [(&str, &str, &str); 4] = [
    ("vault", "wraps what is new", "opens what it wrapped before"),
    ("log", "signs the log", "tells what it signed before"),
    ("index", "makes digests to search by", ""),
    ("escrow", "is in the shares", ""),
];

/// How many record keys a vault key is needed for; None for the other roles.
fn needed(uses: &[KeyUse], role: &str, id: &str) -> Option<u64> {
    uses.iter().find(|it| role == "vault" && it.key == id).map(|it| it.n_records)
}

async fn status(workspace: &Workspace, output: Output) -> anyhow::Result<Answer> {
    let custody = workspace.custody().await?;
    let keys = Keys::open(custody).context("the key file cannot be opened")?;
    let (escrow, laid_open) = (keys.escrow(custody)?, custody.laid_open()?);
    // The keys are told even where the database is not there to say what needs them.
    let uses = match workspace.store().await {
        Ok(store) => store.key_uses().await?,
        Err(err) => {
            eprintln!("what needs each key is not known: {err:#}");
            Vec::new()
        }
    };
    let by = custody.lock.as_ref().map_or_else(|| Custodian::File.name().to_owned(), |it| it.sealing.to_string());
    let ids = keys.ids();
    let in_use = |idx: usize, role: &str| ids.iter().position(|(other, _)| *other == role) == Some(idx);
    let (state, set) = match &escrow {
        Escrow::Never => ("never", None),
        Escrow::Whole { set } => ("whole", Some(set)),
        Escrow::Behind { set } => ("behind", Some(set)),
        Escrow::Other { set } => ("other", Some(set)),
    };
    match output {
        Output::Json => {
            let each = ids.iter().enumerate();
            let listed: Vec<_> = each
                .map(|(idx, (role, id))| {
                    let needs = needed(&uses, role, &id.to_string());
                    json!({ "role": role, "id": id.to_string(), "in_use": in_use(idx, role), "needed_by": needs })
                })
                .collect();
            let escrow = json!({ "state": state, "set": set });
            let folder = custody.folder.display().to_string();
            say!(
                "{}",
                json!({ "custodian": by, "folder": folder, "keys": listed, "escrow": escrow, "laid_open": laid_open,
                        "missing": uses.iter().filter(|it| !it.at_hand).collect::<Vec<_>>() })
            );
        }
        Output::Words => {
            say!("The keys in {} are kept by: {by}", custody.folder.display());
            for (idx, (role, id)) in ids.iter().enumerate() {
                let (_, first, later) = ROLES.iter().find(|(name, ..)| name == role).copied().unwrap_or_default();
                let what = if in_use(idx, role) { first } else { later };
                match needed(&uses, role, &id.to_string()) {
                    None => say!("  {role:<7} {id}  {what}"),
                    Some(0) => say!(
                        "  {role:<7} {id}  nothing here needs it, and backups from before the rotation do: `countersign keys retire {id}`"
                    ),
                    Some(n) => say!("  {role:<7} {id}  {what}; {n} record keys need it"),
                }
            }
            for lost in uses.iter().filter(|it| !it.at_hand) {
                say!(
                    "  vault   {}  IS NOT HERE, and {} record keys need it: bring the key file that has it",
                    lost.key,
                    lost.n_records
                );
            }
            match set {
                None => say!(
                    "There are no shares: if these keys are lost, so is everything sealed. `countersign keys escrow` makes some"
                ),
                Some(set) if state == "whole" => say!("Any two shares of set {set} bring them back"),
                Some(set) if state == "behind" => {
                    say!("The copy for shares of set {set} is missing or older; `countersign doctor` makes it anew")
                }
                Some(set) => say!("{}", other_copy(set)),
            }
            if laid_open {
                say!("{LAID_OPEN}");
            }
        }
    }
    let missing = uses.iter().any(|it| !it.at_hand);
    Ok(if missing || laid_open || ["behind", "other"].contains(&state) { Answer::Bad } else { Answer::Good })
}

pub(crate) fn other_copy(set: &str) -> String {
    format!(
        "the copy in the data folder is not for shares of set {set}, or has keys that are not here: if this key file is an older one, bring the newest here; if not, `countersign keys escrow` makes new shares"
    )
}

pub(crate) const LAID_OPEN: &str = "a plain key file lies beside the sealed one, because a change of the custodian was cut short; `countersign keys protect` finishes it";

async fn protect(asking: &Asking, custodian: Custodian) -> anyhow::Result<Answer> {
    let workspace = asking.workspace()?;
    // Before anybody is asked for something new.
    let store = workspace.store().await?;
    let by = store.person(&asking.user).await?;
    let lock = custody::lock(&workspace.settings.custody, &workspace.dir, custodian).await;
    let lock = lock.with_context(|| format!("`{}` cannot keep the key file, which is as it was", custodian.name()))?;
    let plain_before = workspace.custody().await?.lock.is_none();
    match store.protect_keys(lock.map(Into::into), &by, now()).await {
        Err(moved @ store::Error::Keys(KeyError::Left { .. })) => return Err(moved.into()),
        kept => kept.context("the key file stays with its custodian")?,
    }
    match asking.output() {
        Output::Json => say!("{}", json!({ "custodian": custodian.name() })),
        Output::Words => {
            say!("The key file is kept by: {}. Start programs again that have it open.", custodian.name());
            if plain_before && custodian != Custodian::File {
                say!(
                    "The plain file was written over and removed. Copies of it, and what a disk keeps of it, are as open as before."
                );
            }
        }
    }
    Ok(Answer::Good)
}

/// All of it reached whoever reads, or nothing may rest on it.
fn shown(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

pub(crate) fn show_shares(shares: &[Share; 3]) -> io::Result<()> {
    shown(
        "\nThree shares, printed this once. Any two bring lost keys back from a copy of the data folder, so give each to\n\
         another person, on paper, and keep none here:",
    )?;
    shares.iter().try_for_each(|share| shown(&format!("  {}", *share.line())))
}

async fn recover(workspace: &Workspace, by: Custodian) -> anyhow::Result<Answer> {
    let plain = workspace.key_file();
    let refused = |err: KeyError| match err {
        KeyError::Shares(_) | KeyError::OtherShares { .. } => {
            eprintln!("refused: {err}");
            Ok(Answer::Bad)
        }
        KeyError::Exists { path } => Err(Mistake::Use(format!(
            "there is a key file, `{}`, and it may be newer; if it can no longer be opened, move it away first",
            path.display()
        ))
        .into()),
        other => Err(anyhow::Error::from(other).context("the keys were not brought back")),
    };
    let (one, other) = match two_shares()? {
        Ok(two) => two,
        Err(err) => return refused(err.into()),
    };
    let lock = custody::lock(&workspace.settings.custody, &workspace.dir, by).await?;
    let custody = Custody { lock: lock.map(Into::into), ..plain };
    match Keys::recover(&custody, &one, &other) {
        Err(err) => refused(err),
        Ok(keys) => {
            say!("{} keys are back in {}, kept by: {}", keys.ids().len(), custody.folder.display(), by.name());
            say!("The shares were together in one place: `countersign keys escrow` makes new ones.");
            let told = async { anyhow::Ok(workspace.store().await?.tell_recovery(&one.set_name(), now()).await?) };
            if let Err(err) = told.await {
                eprintln!("the audit log does not say that they are back: {err:#}");
                return Ok(Answer::Bad);
            }
            Ok(Answer::Good)
        }
    }
}

/// How often a mistyped share may be typed again.
const TRIES_MAX: usize = 5;

fn two_shares() -> anyhow::Result<Result<(Share, Share), ShareError>> {
    let one = match a_share("One share")? {
        Ok(share) => share,
        Err(err) => return Ok(Err(err)),
    };
    Ok(a_share("Another share")?.map(|other| (one, other)))
}

/// The next line that is not empty; at a terminal, a mistyped one may be typed again.
fn a_share(prompt: &str) -> anyhow::Result<Result<Share, ShareError>> {
    let terminal = io::stdin().is_terminal();
    let mut tries = 0;
    loop {
        if terminal {
            eprint!("{prompt} (it is shown as you type): ");
        }
        let mut line = Zeroizing::new(String::with_capacity(4096));
        match io::Read::take(io::stdin().lock(), 4096).read_line(&mut line) {
            Ok(0) => return Ok(Err(ShareError::TooFew)),
            Err(err) if err.kind() == io::ErrorKind::InvalidData => return Ok(Err(ShareError::NoText)),
            read => drop(read?),
        }
        if line.trim().is_empty() {
            continue;
        }
        tries += 1;
        match Share::parse(&line) {
            Err(err) if terminal && tries < TRIES_MAX => eprintln!("{err}"),
            other => return Ok(other),
        }
    }
}

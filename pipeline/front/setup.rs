//! `init`, `account`, `doctor`: setting a workspace up, and seeing whether it is.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use case::{Role, Scope};
use clap::Subcommand;
use serde_json::json;
use store::{Anchor, Custodian, Custody, Escrow, Keys, NewAccount, PASSWORD_CHARS_MIN, Share, Store};
use work::{PolicyFolder, Reader, doctor_reader, now};

use super::keys::{LAID_OPEN, other_copy, show_shares};
use super::workspace::{CustodySettings, FILE, POLICIES, TEMPLATE, Workspace};
use super::{Answer, Mistake, Output};
use crate::At;

#[derive(Subcommand)]
pub(crate) enum AccountCommand {
    /// Make an account; the password is asked for, or read from standard input
    #[command(after_help = "Example:\n  countersign account add --name rita --role reviewer --level 1 -C books")]
    Add {
        /// The name of the account
        #[arg(long)]
        name: String,
        /// operator, reviewer, legal, auditor or admin; may be given more than once
        #[arg(long = "role", required = true, value_parser = role)]
        roles: Vec<Role>,
        /// The responsibility of the person: 1 or 2
        #[arg(long, default_value_t = 1)]
        level: u8,
        /// Without a password: the person signs in with a one-time link
        #[arg(long)]
        link_only: bool,
        #[command(flatten)]
        at: At,
    },
    /// List the accounts
    #[command(after_help = "Example:\n  countersign account list -C books")]
    List {
        #[command(flatten)]
        at: At,
        /// JSON lines on standard output, and nothing else
        #[arg(long)]
        json: bool,
    },
    /// Limit what an auditor may open to the cases that arrived in a period; without one, every case
    #[command(
        after_help = "Example:\n  countersign account scope ada --from 2026-01-01 --to 2026-12-31 -C books\n\nDays are in UTC, and both are in the period. The log may be read whole."
    )]
    Scope {
        /// The name of the account
        name: String,
        /// The first day of the period
        #[arg(long, value_name = "DAY", value_parser = super::day, requires = "to")]
        from: Option<jiff::civil::Date>,
        /// The last day of the period
        #[arg(long, value_name = "DAY", value_parser = super::day, requires = "from")]
        to: Option<jiff::civil::Date>,
        #[command(flatten)]
        at: At,
    },
    /// Print a link that signs an account in once
    #[command(after_help = "Example:\n  countersign account link rita -C books")]
    Link {
        /// The name of the account
        name: String,
        #[command(flatten)]
        at: At,
    },
}

fn role(text: &str) -> Result<Role, String> {
    Role::named(text).ok_or_else(|| format!("expected one of {}", Role::ALL.map(Role::name).join(", ")))
}

pub(crate) async fn init(dir: &Path, by: Custodian) -> anyhow::Result<Answer> {
    make(dir, by, show_shares).await?;
    let shown = dir.display();
    say!(
        "\nA workspace is in {shown}. Its keys are in {shown}/keys: copy them to a safe place now, apart from the data."
    );
    say!("\nNext:\n  countersign account add --name NAME --role admin -C {shown}\n  countersign run -C {shown}");
    Ok(Answer::Good)
}

/// Makes an empty workspace, whose shares are shown before they count. Refuses a folder that has one.
pub(crate) async fn make(
    dir: &Path,
    by: Custodian,
    show: impl FnOnce(&[Share; 3]) -> io::Result<()>,
) -> anyhow::Result<()> {
    let shown = dir.display();
    ensure!(!dir.join(FILE).exists(), Mistake::Use(format!("`{shown}` has a workspace already")));
    ensure!(!dir.exists() || dir.is_dir(), Mistake::Use(format!("`{shown}` is a file, not a folder")));
    let lock = super::custody::lock(&CustodySettings::default(), dir, by).await?;
    let make = |path: &Path| fs::create_dir_all(path).with_context(|| format!("cannot make `{}`", path.display()));
    for folder in ["inbox", "data", "policies", "ledger"] {
        make(&dir.join(folder))?;
    }
    private(&dir.join("data"))?;
    for (name, text) in POLICIES {
        fs::write(dir.join("policies").join(name), text).with_context(|| format!("cannot write `{name}`"))?;
    }
    let custody =
        Custody { folder: dir.join("keys"), escrow: Some(dir.join("data/keys.escrow")), lock: lock.map(Into::into) };
    Keys::create(&custody).context("the keys cannot be made")?;
    Keys::new_escrow(&custody, show).context("the shares cannot be made")?;
    // Last: a folder with this file is a whole workspace.
    fs::write(dir.join(FILE), TEMPLATE).with_context(|| format!("cannot write `{FILE}`"))
}

#[cfg(unix)]
fn private(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
        .with_context(|| format!("cannot close `{}`", folder.display()))
}

#[cfg(not(unix))]
fn private(_folder: &Path) -> anyhow::Result<()> {
    Ok(())
}

pub(crate) async fn account(command: AccountCommand) -> anyhow::Result<Answer> {
    match command {
        AccountCommand::Add { name, roles, level, link_only, at } => {
            let store = Workspace::open(&at.dir)?.store().await?;
            let password = if link_only { None } else { Some(ask_password()?) };
            let account = store.create_account(NewAccount { name, password, roles, level }, None, now()).await?;
            store.seal_log(now()).await?;
            say!("{} can sign in; the log knows the account as {}", account.name, account.id);
        }
        AccountCommand::List { at, json } => {
            let store = Workspace::open(&at.dir)?.store().await?;
            for account in store.accounts().await? {
                let (id, name, level) = (&account.id, &account.name, account.level);
                let roles: Vec<&str> = account.roles.iter().map(|role| role.name()).collect();
                match Output::of(json) {
                    Output::Json => say!("{}", json!({"account": id, "name": name, "level": level, "roles": roles})),
                    Output::Words => say!("{id}  {name:<20} level {level}  {}", roles.join(", ")),
                }
            }
        }
        AccountCommand::Scope { name, from, to, at } => {
            let store = Workspace::open(&at.dir)?.store().await?;
            let scope = from.zip(to).map(|(from, to)| Scope { from, to });
            store.set_scope(&name, scope, None, now()).await?;
            store.seal_log(now()).await?;
            match scope {
                Some(Scope { from, to }) => say!("{name} may open the cases that arrived from {from} to {to}"),
                None => say!("{name} may open every case"),
            }
        }
        AccountCommand::Link { name, at } => {
            let workspace = Workspace::open(&at.dir)?;
            let store = workspace.store().await?;
            let person = store.person(&name).await?;
            let link = store.one_time_link(&person.id, now()).await?;
            say!("http://{}/sign-in/link/{}", workspace.settings.pages.listen, link.0);
        }
    }
    Ok(Answer::Good)
}

fn ask_password() -> anyhow::Result<String> {
    if io::stdin().is_terminal() {
        eprint!("Password ({PASSWORD_CHARS_MIN} characters or more; it is shown as you type): ");
        io::stderr().flush()?;
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// One line per thing that must hold; bad news when one does not.
pub(crate) async fn doctor(dir: &Path, output: Output) -> anyhow::Result<Answer> {
    let mut sound = true;
    let mut tell = |what: &str, outcome: anyhow::Result<String>| {
        let ok = outcome.is_ok();
        sound &= ok;
        let text = outcome.unwrap_or_else(|err| format!("{err:#}"));
        match output {
            Output::Json => say!("{}", json!({"what": what, "ok": ok, "text": text})),
            Output::Words => say!("{} {what}: {text}", if ok { "ok   " } else { "FAULT" }),
        }
    };
    let workspace = Workspace::open(dir);
    let reader = match &workspace {
        Ok(workspace) => workspace.reader(),
        Err(_) => super::workspace::reader(),
    };
    let tesseract_reader = reader.as_ref().ok().filter(|it| it.tesseract.is_some()).cloned();
    let models = reader.as_ref().ok().and_then(|it| it.recognition.as_ref()).map(|it| it.models.clone());
    let locks = match reader {
        Ok(reader) => doctor_reader(&reader).await.map_err(anyhow::Error::from),
        Err(err) => Err(err),
    };
    tell("confined reader", locks.and_then(|locks| held(&locks)));
    tell("character recognition", recognition(models.as_deref()));
    tell("Tesseract", tesseract(tesseract_reader).await);
    match workspace {
        Err(err) => tell("workspace", Err(err)),
        Ok(workspace) => {
            tell("workspace", Ok(workspace.dir.display().to_string()));
            let policy = |folder: PolicyFolder| {
                folder.read().map(|(policy, _)| format!("digest {}", policy.digest)).map_err(anyhow::Error::from)
            };
            tell("policies", policy(workspace.policies()));
            tell("inbox", writable(&workspace.path(&workspace.settings.inbox.folder)));
            match &workspace.settings.ledger.url {
                Some(url) => tell("ledger", workspace.ledger().map(|_| format!("by HTTP to {url}; not asked"))),
                None => tell("ledger", writable(&workspace.path(&workspace.settings.ledger.folder))),
            }
            tell("keys", custody(&workspace).await);
            match workspace.store().await {
                Err(err) => tell("store", Err(err)),
                Ok(store) => {
                    tell("store", Ok(format!("{} and keys open", store.database())));
                    let looked = store.look_into_vault().await.map_err(anyhow::Error::from);
                    tell("vault", looked.map(|()| workspace.vault_name()));
                    let age = store.unsealed_age(now()).await.map_err(anyhow::Error::from);
                    tell("log", age.map(|age| format!("oldest unsealed entry waits {} ms", age / 1_000)));
                    tell("witnesses", witnesses(&workspace, &store).await);
                    tell("time stamps", timestamps(&workspace, &store).await);
                    if let Some(folder) = &workspace.settings.log.heads_folder {
                        tell("heads folder", writable(&workspace.path(folder)));
                    }
                    let accounts = store.accounts().await.map_err(anyhow::Error::from);
                    let some = accounts.and_then(|accounts| match accounts.len() {
                        0 => bail!(
                            "nobody can sign in; make one with `countersign account add --name NAME --role admin -C {}`",
                            dir.display()
                        ),
                        n => Ok(format!("{n}")),
                    });
                    tell("accounts", some);
                }
            }
        }
    }
    Ok(if sound { Answer::Good } else { Answer::Bad })
}

/// Who they are and when each cosigned last. They are not asked here: there is no question in their protocol but a head.
async fn witnesses(workspace: &Workspace, store: &Store) -> anyhow::Result<String> {
    let quorum = workspace.anchors()?.witnesses.quorum();
    if quorum.needed == 0 {
        return Ok("none; whoever holds the keys could rewrite the log unseen. Name some under [log]".to_owned());
    }
    let outside = store.outside(&quorum).await?;
    let enough = match outside.witnessed {
        Some(anchor) => format!("last reached {}", said(anchor)),
        None => "never reached for this log".to_owned(),
    };
    let each = outside.witnesses.iter().zip(&workspace.settings.log.witnesses).map(|((name, last), settings)| {
        let last = last.map_or_else(|| "never cosigned".to_owned(), |anchor| format!("cosigned last {}", said(anchor)));
        format!("; {name} at {} {last}", settings.url)
    });
    let n = quorum.witnesses.len();
    Ok(format!("{} of {n} must cosign, {enough}{}", quorum.needed, each.collect::<String>()))
}

async fn timestamps(workspace: &Workspace, store: &Store) -> anyhow::Result<String> {
    workspace.anchors()?;
    let Some(url) = &workspace.settings.log.timestamp_url else { return Ok("none configured".to_owned()) };
    Ok(match store.last_timestamp().await? {
        Some(anchor) => format!("{url} stamped last {}", said(anchor)),
        None => format!("{url} never stamped this log"),
    })
}

/// `2026-11-22T10:22:24Z, at 70000 entries`
fn said(anchor: Anchor) -> String {
    let at = jiff::Timestamp::from_microsecond(anchor.at.0).map_or_else(|_| "?".to_owned(), |at| format!("{at:.0}"));
    format!("{at}, at {} entries", anchor.size)
}

/// Can the models be loaded, where a folder is named?
fn recognition(models: Option<&Path>) -> anyhow::Result<String> {
    let Some(folder) = models else {
        return Ok("none; scans and pictures are held for a person. The models lie in the Python package \
             rapidocr-onnxruntime 1.4.4 (`pip download --no-deps rapidocr-onnxruntime==1.4.4`, then unpack the two files \
             rapidocr_onnxruntime/models/ch_PP-OCRv4_*.onnx of it): put them into a folder, and name it as `ocr_models` \
             under [reader]"
            .to_owned());
    };
    extract::Ocr::load(super::read::models(folder)?).with_context(|| format!("`{}`", folder.display()))?;
    Ok(format!("models in `{}`", folder.display()))
}

/// Can it be started behind its locks, and has it the languages that are asked for?
async fn tesseract(reader: Option<Reader>) -> anyhow::Result<String> {
    const INSTALL: &str = "`apt install tesseract-ocr tesseract-ocr-deu`, with one package for each language";
    let Some((reader, tesseract)) = reader.and_then(|it| Some((it.clone(), it.tesseract?))) else {
        return Ok(format!(
            "none; it reads the accents and umlauts of scans. Install it ({INSTALL}), and name it as \
             `tesseract = \"/usr/bin/tesseract\"` under [reader]"
        ));
    };
    let program = tesseract.program.display();
    let found = reader.tesseract_languages(&tesseract).await;
    let found = found.with_context(|| format!("`{program}` cannot be started behind its locks; {INSTALL}"))?;
    let missing: Vec<&str> = tesseract.languages.split('+').filter(|it| !found.iter().any(|has| has == it)).collect();
    let found = found.join(", ");
    if !missing.is_empty() {
        bail!("`{program}` has {found}, and not {}; {INSTALL}", missing.join(", "));
    }
    Ok(format!("`{program}` reads {}; it has {found}", tesseract.languages))
}

/// Who keeps the key file, and whether it opens.
async fn custody(workspace: &Workspace) -> anyhow::Result<String> {
    let custody = workspace.custody().await?;
    let keys = Keys::open(custody)?;
    if custody.laid_open()? {
        bail!("{LAID_OPEN}");
    }
    let by = custody.lock.as_ref().map_or_else(|| Custodian::File.name().to_owned(), |it| it.sealing.to_string());
    Ok(match keys.escrow(custody)? {
        Escrow::Never => format!("kept by: {by}; no shares bring them back, `countersign keys escrow` makes some"),
        Escrow::Whole { set } => format!("kept by: {by}; any two shares of set {set} bring them back"),
        // The store makes it anew when it is opened, which is next.
        Escrow::Behind { set } => format!("kept by: {by}; the copy for shares of set {set} was missing or older"),
        Escrow::Other { set } => bail!(other_copy(&set)),
    })
}

/// What the reader said of its locks, in words; a fault when none of the strong ones held.
fn held(locks: &str) -> anyhow::Result<String> {
    let locks: extract::Confinement =
        serde_json::from_str(locks).context("the reader does not say which locks hold")?;
    let word = |held: bool| if held { "held" } else { "NOT held" };
    let text = format!("Landlock {}, seccomp {}, limits {}", locks.landlock, word(locks.seccomp), word(locks.rlimits));
    if !locks.rlimits || (!locks.seccomp && locks.landlock.starts_with("not_enforced")) {
        bail!("{text}; run on a Linux kernel with Landlock or seccomp");
    }
    Ok(text)
}

fn writable(folder: &Path) -> anyhow::Result<String> {
    let probe: PathBuf = folder.join(format!(".countersign-doctor-{}", std::process::id()));
    fs::write(&probe, b"")
        .and_then(|()| fs::remove_file(&probe))
        .with_context(|| format!("cannot write in `{}`", folder.display()))?;
    Ok(folder.display().to_string())
}

//! Remembers the head of a log between visits, for an auditor without a network, and cosigns the new one.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use audit::{KeptHead, WitnessSigner, body_hash, micros, open_checkpoint};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::Args;
use serde_json::{Value, json};

use crate::file::{SMALL_BYTES_MAX, read};
use crate::{Log, Outcome, tell};

#[derive(Args)]
pub(crate) struct Witness {
    #[command(flatten)]
    log: Log,
    /// Folder in which the heads of logs are remembered, one file each
    #[arg(long, value_name = "FOLDER")]
    state: PathBuf,
    /// Key to cosign the head with, as `auditor witness-key` makes it
    #[arg(long, value_name = "KEYFILE")]
    cosign: Option<PathBuf>,
    /// Time to cosign with: `now`, seconds since 1970, or 2026-11-22T10:22:24.000000Z
    #[arg(long, default_value = "now", requires = "cosign")]
    time: String,
    /// Write the cosignature line to this file too
    #[arg(long, value_name = "FILE", requires = "cosign")]
    out: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct NewKey {
    /// Name of the witness, such as `witness.example.org/1`
    name: String,
    /// New file for the key; whoever has it can cosign as this witness
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// C2SP signed-note names the algorithm of a cosignature so.
const ED25519_COSIGNATURE: u8 = 4;
const KEY_PREFIX: &str = "PRIVATE+KEY+";

impl Witness {
    pub(crate) fn run(&self) -> anyhow::Result<Outcome> {
        let Witness { log, state, cosign, time, out } = self;
        let (dir, mut ask) = log.read()?;
        let signer = cosign.as_deref().map(read_key).transpose()?;
        let time = seconds(time)?;
        anyhow::ensure!(state.is_dir(), "`{}` is not a folder", state.display());
        // Held until the end, so that no two visits remember one log at once.
        let _lock = lock(state)?;
        let path = state.join(file_name(ask.key.origin()));
        let before = match read(&path, SMALL_BYTES_MAX) {
            Ok(text) => Some(text),
            Err(_) if !path.exists() => None,
            Err(error) => return Ok(Outcome::Unread(error)),
        };
        let remembered = before.is_some();
        ask.since.extend(before.map(|text| KeptHead { name: path.display().to_string(), text }));
        let report = match audit::verify(dir, &ask) {
            Ok(report) => report,
            Err(error) => return Ok(Outcome::Unread(error.into())),
        };
        let mut told = Vec::new();
        let mut line = None;
        if report.fault.is_none() {
            let note = read(&dir.join("checkpoint"), SMALL_BYTES_MAX)?;
            // What is remembered is what was verified, not what may lie there by now.
            let keys = [ask.key.clone()].into_iter().chain(report.rotations.iter().map(|change| change.after.clone()));
            let keys = keys.chain(report.rotations.iter().map(|change| change.before.clone())).collect::<Vec<_>>();
            let head = open_checkpoint(&note, &keys).context("the signed head was changed while it was read")?;
            anyhow::ensure!(Some(&head) == report.head.as_ref(), "the signed head was changed while it was read");
            if let Err(error) = remember(state, &path, &note) {
                return Ok(Outcome::Unread(error));
            }
            let first = if remembered { "" } else { ", the first of this log" };
            told.push(format!(
                "memory    the head of {} entries is remembered in {}{first}",
                head.size,
                path.display()
            ));
            line = signer.map(|signer| signer.cosign(&note, time)).transpose()?;
            if let (Some(out), Some(line)) = (out, &line) {
                fs::write(out, line).with_context(|| format!("cannot write `{}`", out.display()))?;
            }
        } else {
            told.push(format!("memory    nothing was remembered or cosigned; {} stays as it was", path.display()));
        }
        if log.json {
            let mut answer = tell::as_json(&ask, &report);
            if let Value::Object(members) = &mut answer {
                members.insert("remembered".to_owned(), json!(report.fault.is_none()));
                members.insert("first".to_owned(), json!(!remembered));
                members.insert("cosignature".to_owned(), json!(line));
            }
            tell::print(&format!("{answer}\n"));
        } else {
            told.extend(line.map(|line| format!("cosigned  {}", line.trim_end())));
            tell::print(&(tell::as_text(&ask, &report) + &tell::lines(&told)));
        }
        Ok(crate::outcome(&report))
    }
}

impl NewKey {
    pub(crate) fn run(&self) -> anyhow::Result<Outcome> {
        let signer = WitnessSigner::generate(&self.name)?;
        let public = signer.key().to_string();
        let id = public.strip_prefix(&format!("{}+", self.name)).and_then(|rest| rest.split('+').next());
        let id = id.context("a key has an id")?;
        let secret = [&[ED25519_COSIGNATURE], signer.seed().as_slice()].concat();
        let text = format!("{KEY_PREFIX}{}+{id}+{}\n", self.name, BASE64.encode(secret));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(&self.out).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.with_context(|| format!("cannot make `{}`", self.out.display()))?;
        tell::print(&format!("{public}\n"));
        Ok(Outcome::Sound)
    }
}

/// Reads `PRIVATE+KEY+name+id+base64(04 ‖ seed)`, as other programs for signed notes write it.
fn read_key(path: &Path) -> anyhow::Result<WitnessSigner> {
    let text = String::from_utf8(read(path, SMALL_BYTES_MAX)?).context("the key is not text")?;
    let parts: Vec<&str> = text.trim().strip_prefix(KEY_PREFIX).unwrap_or_default().splitn(3, '+').collect();
    let [name, id, secret] = parts.as_slice() else {
        anyhow::bail!("`{}` is not a key to cosign with", path.display())
    };
    let secret = BASE64.decode(secret).unwrap_or_default();
    let Some(([ED25519_COSIGNATURE], seed)) = secret.split_first_chunk::<1>() else {
        anyhow::bail!("`{}` is not a key to cosign with", path.display());
    };
    let seed: &[u8; 32] = seed.try_into().with_context(|| format!("`{}` has no seed of 32 bytes", path.display()))?;
    let signer = WitnessSigner::from_seed(name, seed)?;
    anyhow::ensure!(
        signer.key().to_string().contains(&format!("+{id}+")),
        "`{}` has an id that is not that of its key",
        path.display()
    );
    Ok(signer)
}

fn seconds(time: &str) -> anyhow::Result<u64> {
    if time == "now" {
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        return Ok(since_1970.context("the clock of this machine is before 1970")?.as_secs());
    }
    let spelt = micros(time.as_bytes()).and_then(|at| u64::try_from(at / 1_000_000).ok());
    time.parse().ok().or(spelt).with_context(|| format!("`{time}` is not a time"))
}

/// One file for each origin: enough of it to read, and its digest, so that no two meet.
fn file_name(origin: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-.".contains(c) { c } else { '_' };
    let readable: String = origin.chars().map(plain).take(100).collect();
    let digest: String = body_hash(origin.as_bytes()).to_string().chars().take(32).collect();
    format!("{readable}_{digest}.head")
}

fn lock(state: &Path) -> anyhow::Result<File> {
    let path = state.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.with_context(|| format!("cannot open `{}`", path.display()))?;
    file.try_lock().with_context(|| format!("`{}` is in use by another visit", state.display()))?;
    Ok(file)
}

/// Replaces the remembered head at once or not at all; it is on the disk when this returns.
fn remember(state: &Path, path: &Path, note: &[u8]) -> anyhow::Result<()> {
    let new = path.with_extension("new");
    let replaced = || {
        match fs::remove_file(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => (),
        }
        let mut file = OpenOptions::new().write(true).create_new(true).open(&new)?;
        file.write_all(note)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        File::open(state)?.sync_all()
    };
    replaced().with_context(|| format!("cannot remember the head in `{}`", path.display()))
}

#![doc = include_str!("../README.md")]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use audit::{Ask, KeptHead, Report, VerifierKey, rfc3339, verify};
use clap::Parser;
use serde_json::{Value, json};

/// Verifies an exported audit log offline: every entry, the chain, the tree and the signed head.
///
/// Without --since the verdict can only be "internally consistent, no outside reference": whoever holds the log's key
/// could have written everything anew. Give every head that you kept.
#[derive(Parser)]
#[command(name = "auditor", version, after_help = EXAMPLE)]
struct Cli {
    /// Folder of the exported log
    dir: PathBuf,
    /// Verifier key of the log, or a file that holds it; take it from somewhere else than DIR
    #[arg(long, value_name = "VKEY")]
    key: String,
    /// File of an earlier head that was kept outside; may be given again
    #[arg(long, value_name = "HEAD")]
    since: Vec<PathBuf>,
    /// Follow the revisions of at most N objects at once (some 60 bytes of memory each); 0 follows none
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "200000", default_value_t = 200_000)]
    objects: usize,
    /// Read and check in N threads, at up to 8 MiB of memory each; as many as there are processors, at most 4, if not given
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Treat a silence longer than the heartbeat of 15 minutes as a fault, not as a note
    #[arg(long)]
    silence: bool,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLE: &str = "\
Example:
  auditor export/ --key audit.example.com/acme/1+3b1e5f0a+AfM5… --since head-of-march.txt

Exit status: 0 sound, 1 a fault was found, 2 wrong use, 3 the log could not be read";

const WRONG_USE: u8 = 2;
const WORLD_FAILED: u8 = 3;
const THREADS_MAX: usize = 64;
/// A head or key file; the largest head that is read has 64 KiB.
const FILE_BYTES_MAX: u64 = 64 << 10;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let ask = match ask(&cli) {
        Ok(ask) => ask,
        Err(error) => {
            eprintln!("error: {error:#}");
            return ExitCode::from(WRONG_USE);
        }
    };
    match verify(&cli.dir, &ask) {
        Ok(report) => {
            let text = if cli.json { format!("{}\n", as_json(&ask, &report)) } else { as_text(&ask, &report) };
            print!("{text}");
            ExitCode::from(u8::from(report.fault.is_some()))
        }
        Err(error) => {
            eprintln!("error: {:#}", anyhow::Error::from(error));
            ExitCode::from(WORLD_FAILED)
        }
    }
}

fn ask(cli: &Cli) -> anyhow::Result<Ask> {
    anyhow::ensure!(cli.dir.is_dir(), "`{}` is not a folder", cli.dir.display());
    let key = match VerifierKey::parse(&cli.key) {
        Ok(key) => key,
        Err(_) if Path::new(&cli.key).is_file() => {
            let text = read(Path::new(&cli.key))?;
            let text = String::from_utf8(text).with_context(|| format!("`{}` is not text", cli.key))?;
            VerifierKey::parse(text.trim()).with_context(|| format!("in `{}`", cli.key))?
        }
        Err(error) => return Err(error).with_context(|| format!("`{}` is neither a file nor a verifier key", cli.key)),
    };
    let mut since = Vec::new();
    for path in &cli.since {
        since.push(KeptHead { name: path.display().to_string(), text: read(path)? });
    }
    let threads = cli.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get().min(4)));
    anyhow::ensure!(threads <= THREADS_MAX, "{threads} threads are too many, at most {THREADS_MAX} are allowed");
    Ok(Ask { since, objects_max: cli.objects, silence_is_fault: cli.silence, threads, ..Ask::of(key) })
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?;
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read `{}`", path.display()))?;
    let size = bytes.len() as u64;
    anyhow::ensure!(size <= FILE_BYTES_MAX, "`{}` has more than {FILE_BYTES_MAX} bytes", path.display());
    Ok(bytes)
}

fn as_text(ask: &Ask, report: &Report) -> String {
    let mut lines = Vec::new();
    lines.push(format!("key       {}", ask.key));
    if let Some(head) = &report.head {
        lines.push(format!("log       {}", head.origin));
        lines.push(format!("head      {} entries, root {}", head.size, head.root));
    }
    if report.fault.is_none() {
        lines.push(format!(
            "checked   signature, {} entries (form, number, chain, time), all tiles, root, {} heads in the folder",
            report.entries, report.heads_inside
        ));
    } else {
        lines.push(format!("checked   {} entries were good before the fault was met", report.entries));
    }
    if let Some((first, last)) = times(report) {
        lines.push(format!("sealed    {first} to {last}"));
    }
    match report.objects {
        Some(objects) => lines.push(format!("objects   the revisions of {objects} objects follow one another")),
        None => lines.push("objects   their revisions were not followed (--objects)".to_owned()),
    }
    if report.fault.is_none() {
        lines.push(match report.covered() {
            Some(outside) => format!("outside   entries 0 to {} by {}", outside.size - 1, outside.text()),
            None => "outside   no outside reference (--since)".to_owned(),
        });
    }
    lines.extend(report.notes.iter().map(|note| format!("note      {note}")));
    lines.extend(report.fault.iter().map(|fault| format!("fault     {}", fault.text)));
    lines.push(format!("verdict   {}", report.verdict()));
    // Names of files and of logs are a stranger's: nothing in them may steer the terminal.
    lines.iter().map(|line| line.replace(char::is_control, "\u{fffd}") + "\n").collect()
}

fn as_json(ask: &Ask, report: &Report) -> Value {
    let mut answer = json!({
        "sound": report.fault.is_none(),
        "verdict": report.verdict(),
        "key": ask.key.to_string(),
        "entries": report.entries,
        "heads_inside": report.heads_inside,
        "notes": report.notes,
    });
    let mut add = |key: &str, value: Value| {
        if let Value::Object(members) = &mut answer {
            members.insert(key.to_owned(), value);
        }
    };
    if let Some(head) = &report.head {
        add("head", json!({"origin": head.origin, "size": head.size, "root": head.root.to_string()}));
    }
    if let Some((first, last)) = times(report) {
        add("sealed", json!({"first": first, "last": last}));
    }
    if let Some(objects) = report.objects {
        add("objects", json!(objects));
    }
    if let Some((name, size)) = report.covered().map(|outside| (outside.text(), outside.size)) {
        add("covered", json!({"size": size, "by": name}));
    }
    if let Some(fault) = &report.fault {
        let mut told = json!({"kind": fault.kind.text(), "text": fault.text});
        if let (Value::Object(members), Some(index)) = (&mut told, fault.index) {
            members.insert("index".to_owned(), json!(index));
        }
        add("fault", told);
    }
    answer
}

fn times(report: &Report) -> Option<(String, String)> {
    let (first, last) = report.sealed?;
    rfc3339(first).zip(rfc3339(last))
}

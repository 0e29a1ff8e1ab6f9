//! `demo`: a workspace with documents that this program makes, run before the newcomer's eyes.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use case::{Actor, Case, Role, Severity, State};
use store::{Custodian, Listing, NewAccount, Rank, Store};
use tracing_subscriber::filter::LevelFilter;
use work::now;

use super::cases::plain;
use super::import::{self, Kind};
use super::keys::show_shares;
use super::log::{auditor_command, progress};
use super::run::{Service, log_to_stderr, print_summary, stop_signal};
use super::setup::make;
use super::workspace::{FILE, Workspace, is_in_use};
use super::{Answer, Mistake};

/// A folder with this file was made by `demo`, and may be made anew by it.
const MARK: &str = ".countersign-demo";
/// What a demo makes in its folder, and nothing else is removed; the mark last, so that a removal that was cut short goes on.
const MADE: [&str; 9] = ["data", "inbox", "keys", "ledger", "log-export", "master-data", "policies", FILE, MARK];
const SETTLE_SECONDS_MAX: u64 = 120;

/// One account for each role, with the name a newcomer reads first.
const PEOPLE: [(&str, Role, u8, &str); 7] = [
    ("olivia", Role::Operator, 1, "operations: hands documents in"),
    ("rita", Role::Reviewer, 1, "finance: reviews"),
    ("ravi", Role::Reviewer, 2, "finance: reviews large amounts"),
    ("lena", Role::Legal, 1, "legal: reviews contracts"),
    ("gus", Role::Legal, 2, "legal: general counsel"),
    ("ada", Role::Auditor, 1, "audit: sees everything, decides nothing"),
    ("adam", Role::Admin, 1, "administration: accounts and policies"),
];

pub(crate) async fn demo(dir: &Path, port: u16, once: bool) -> anyhow::Result<Answer> {
    log_to_stderr(LevelFilter::ERROR);
    let started = Instant::now();
    remove_earlier(dir)?;
    make(dir, Custodian::File, show_shares).await?;
    say!("");
    fs::write(dir.join(MARK), "made by `countersign demo`\n")?;
    let mut workspace = Workspace::alone(dir)?;
    workspace.settings.inbox.settle_ms = 200;
    let listen = format!("127.0.0.1:{port}");
    fs::write(dir.join(FILE), super::workspace::TEMPLATE.replace("127.0.0.1:8484", &listen))?;

    let store = workspace.store().await?;
    let mut people = BTreeMap::new();
    for (name, role, level, _) in PEOPLE {
        let new = NewAccount { name: name.to_owned(), password: None, roles: vec![role], level };
        people.insert(name, store.create_account(new, None, now()).await?.id);
    }
    let cast = demo::cast(now().date());
    let operator = store.person("olivia").await?;
    bring_in(dir, &store, &operator, [&cast.vendors_csv, &cast.orders_csv, &cast.receipts_csv]).await?;
    store.close().await;

    let service = Service::start(&workspace, &listen).await?;
    let store = service.machines.store.clone();
    let inbox = workspace.path(&workspace.settings.inbox.folder);
    for document in &cast.documents {
        drop_into(&inbox.join(document.channel), &document.file_name, &document.bytes)?;
        // In this order, as they would arrive: a copy after what it copies.
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    let dropped = Instant::now();
    settle(&service, &store, cast.documents.len() as u64).await?;
    let settled = dropped.elapsed();

    print_cases(&store, &cast).await?;
    let counts = store.counts(now()).await?;
    say!("");
    print_summary(&counts);
    say!(
        "\nSettled {:.1} s after the last document was dropped, {:.1} s after the start.",
        settled.as_secs_f64(),
        started.elapsed().as_secs_f64()
    );

    let auditor = store.person("ada").await?;
    let export = dir.join("log-export");
    let exported = store.export_log(&export, &auditor, now(), &mut |_, _| {}).await?;
    say!(
        "\nThe log has {} entries. Verify it without this program's help:\n  {}",
        exported.head.size,
        auditor_command(&export, &exported.head.verifier_key)
    );

    let address = service.address;
    say!("\nReview pages: http://{address}/   Sign in with one of these links, each good once:");
    for (name, role, level, what) in PEOPLE {
        let id = people.get(name).map(String::as_str).unwrap_or_default();
        let link = store.one_time_link(id, now()).await?;
        say!("  {name:<7} {:<8} level {level}  {what:<42} http://{address}/sign-in/link/{}", role.name(), link.0);
    }
    if once {
        say!("\nThe pages are served by\n  {} run -C {}", program(), dir.display());
    } else {
        say!("\nDrop more documents into {} and watch. Ctrl-C ends.", inbox.display());
        stop_signal().await;
    }
    service.stop().await?;
    store.close().await;
    Ok(Answer::Good)
}

/// Makes room for a demo: removes an earlier one, unless it runs or somebody put something of their own beside it.
fn remove_earlier(dir: &Path) -> anyhow::Result<()> {
    let shown = dir.display();
    let entries = match fs::read_dir(dir) {
        Err(err) if err.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.with_context(|| format!("`{shown}` cannot be read"))?,
    };
    let names = entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<BTreeSet<OsString>>>()?;
    let made: BTreeSet<OsString> =
        if names.contains(OsStr::new(MARK)) { MADE.map(OsString::from).into() } else { BTreeSet::new() };
    if let Some(other) = names.difference(&made).next() {
        bail!(Mistake::Use(format!(
            "no demo made `{}`: `{shown}` stays as it is; name a new folder with --dir",
            plain(&other.to_string_lossy())
        )));
    }
    if is_in_use(dir) {
        bail!(Mistake::Use(format!(
            "a service is running on `{shown}`; stop it first, or name a new folder with --dir"
        )));
    }
    for name in MADE.iter().filter(|name| names.contains(OsStr::new(name))) {
        let path = dir.join(name);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.with_context(|| format!("`{}` of the earlier demo cannot be removed", path.display()))?;
    }
    Ok(())
}

fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "countersign".to_owned())
}

/// Imports master data through the same door as everybody's.
async fn bring_in(dir: &Path, store: &Store, by: &Actor, texts: [&String; 3]) -> anyhow::Result<()> {
    let folder = dir.join("master-data");
    fs::create_dir_all(&folder)?;
    for ((kind, name), text) in
        [(Kind::Vendors, "vendors.csv"), (Kind::Orders, "orders.csv"), (Kind::Receipts, "receipts.csv")]
            .into_iter()
            .zip(texts)
    {
        let path = folder.join(name);
        fs::write(&path, text)?;
        let mut refused = Vec::new();
        import::bring_in(store, kind, &path, by, &mut |it| refused.push(it)).await?;
        ensure!(refused.is_empty(), "`{}`: {refused:?}", path.display());
    }
    Ok(())
}

/// As a careful program drops a file: written under a temporary name, then renamed.
fn drop_into(folder: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let staging = folder.join(format!(".{name}.part"));
    fs::write(&staging, bytes)?;
    fs::rename(&staging, folder.join(name)).with_context(|| format!("`{name}`"))
}

async fn settle(service: &Service, store: &Store, documents: u64) -> anyhow::Result<()> {
    let bar = progress("documents settled");
    bar.set_length(documents);
    let deadline = Instant::now() + Duration::from_secs(SETTLE_SECONDS_MAX);
    loop {
        let counts = store.counts(now()).await?;
        bar.set_position(counts.arrivals - counts.in_flight());
        if documents <= counts.arrivals && service.machines.settled().await? {
            bar.finish_and_clear();
            return Ok(());
        }
        if deadline < Instant::now() {
            bail!(
                "{} of {documents} documents have not settled within {SETTLE_SECONDS_MAX} s; look with `countersign case list`",
                documents - counts.arrivals + counts.in_flight()
            );
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn print_cases(store: &Store, cast: &demo::Cast) -> anyhow::Result<()> {
    let rows = store.list(Listing { state: None, order: Rank::Oldest, rows_max: 1_000, skip: 0, within: None }).await?;
    let mut by_name = BTreeMap::new();
    for row in rows {
        let case = store.case(row.case).await?;
        by_name.insert(case.document.file_name.clone(), case);
    }
    let width = cast.documents.iter().map(|document| document.file_name.chars().count()).max().unwrap_or(0);
    say!("{:<width$}  {:<11} why", "document", "ended");
    for document in &cast.documents {
        match by_name.get(&document.file_name) {
            Some(case) => say!("{:<width$}  {:<11} {}", document.file_name, case.state.name(), why(case)),
            None => say!("{:<width$}  {:<11} the same bytes are here already", document.file_name, "Duplicate"),
        }
    }
    Ok(())
}

/// Why a case rests where it does, in a line.
fn why(case: &Case) -> String {
    if let Some(why) = &case.quarantine {
        return plain(why);
    }
    let mut weighty: Vec<&case::Finding> =
        case.findings.iter().filter(|finding| Severity::Info < finding.severity).collect();
    weighty.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let found = weighty.iter().map(|finding| format!("{}: {}", finding.code.name(), plain(&finding.message))).next();
    let more = if 1 < weighty.len() { format!(" (and {} more)", weighty.len() - 1) } else { String::new() };
    match (case.state, found) {
        (State::Archived, _) => {
            let notes: Vec<&str> = case.findings.iter().map(|finding| finding.code.title()).collect();
            if notes.is_empty() {
                "booked: clean, and small enough to need nobody".to_owned()
            } else {
                format!("booked, with a note: {}", notes.join(", ").to_lowercase())
            }
        }
        (_, Some(found)) => found + &more,
        (_, None) => case.checkpoints.iter().map(|it| it.title.clone()).collect::<Vec<_>>().join(", "),
    }
}

/// Documents and master data in a folder, for trials and benchmarks.
pub(crate) fn generate(dir: &Path, documents: usize, seed: u64) -> anyhow::Result<Answer> {
    let stream = demo::stream(documents, seed, now().date());
    fs::create_dir_all(dir.join("documents"))?;
    fs::write(dir.join("vendors.csv"), &stream.vendors_csv)?;
    fs::write(dir.join("orders.csv"), &stream.orders_csv)?;
    fs::write(dir.join("receipts.csv"), &stream.receipts_csv)?;
    for (name, bytes) in stream {
        fs::write(dir.join("documents").join(name), bytes)?;
    }
    say!("{documents} documents in {}", dir.display());
    Ok(Answer::Good)
}

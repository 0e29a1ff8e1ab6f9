//! The program itself, as a user has it: a workspace in a folder, commands, and a service that can be killed.
#![allow(dead_code, unreachable_pub, reason = "every test program uses its own part of this")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A workspace with an operator, reviewers, legal, an auditor and an admin, served on a free port.
pub struct Workspace {
    pub dir: PathBuf,
    database: Option<String>,
    _keep: TempDir,
}

/// A running service; killed with the test, however it ends.
pub struct Service(Child);

impl From<Child> for Service {
    fn from(child: Child) -> Service {
        Service(child)
    }
}

impl Service {
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// As `kill -9` does.
    pub fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Asks it to stop and waits until it has.
    pub fn ask_to_stop(&mut self) -> std::process::ExitStatus {
        let asked = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status().unwrap();
        assert!(asked.success());
        self.0.wait().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub const PEOPLE: [(&str, &str, &str); 6] = [
    ("olivia", "operator", "1"),
    ("rita", "reviewer", "1"),
    ("ravi", "reviewer", "2"),
    ("lena", "legal", "1"),
    ("ada", "auditor", "1"),
    ("adam", "admin", "1"),
];

impl Workspace {
    /// `database`: a URL, or the SQLite file of the workspace.
    pub fn new(database: Option<String>) -> Workspace {
        let keep = TempDir::new().unwrap();
        let workspace = Workspace { dir: keep.path().join("books"), database, _keep: keep };
        let dir = workspace.dir.to_str().unwrap().to_owned();
        workspace.must(&["init", &dir]);
        let settings = workspace.dir.join("countersign.toml");
        let text = std::fs::read_to_string(&settings).unwrap();
        let text = text.replace("127.0.0.1:8484", "127.0.0.1:0").replace("settle_ms = 2000", "settle_ms = 50");
        std::fs::write(&settings, text.replace("sweep_seconds = 5", "sweep_seconds = 1")).unwrap();
        for (name, role, level) in PEOPLE {
            workspace.must(&[
                "account",
                "add",
                "--name",
                name,
                "--role",
                role,
                "--level",
                level,
                "--link-only",
                "-C",
                &dir,
            ]);
        }
        workspace
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.args(args).stdin(Stdio::null()).env_remove("COUNTERSIGN_LOG");
        if let Some(database) = &self.database {
            command.env("COUNTERSIGN_DATABASE", database);
        }
        command
    }

    /// With `-C` for this workspace.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).args(["-C", self.dir.to_str().unwrap()]).output().unwrap()
    }

    #[track_caller]
    pub fn must(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Vec<Value> {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        self.ok(&args).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Vendors, orders and receipts, as CSV texts.
    pub fn import(&self, vendors: &str, orders: &str, receipts: &str) {
        for (kind, text) in [("vendors", vendors), ("orders", orders), ("receipts", receipts)] {
            let path = self.dir.join(format!("{kind}.csv"));
            std::fs::write(&path, text).unwrap();
            self.ok(&["import", kind, path.to_str().unwrap(), "--as", "olivia"]);
        }
    }

    pub fn inbox(&self) -> PathBuf {
        self.dir.join("inbox")
    }

    /// As a careful program drops a file.
    pub fn drop_file(&self, channel: &str, name: &str, bytes: &[u8]) {
        let folder = self.inbox().join(channel);
        std::fs::create_dir_all(&folder).unwrap();
        let staging = folder.join(format!(".{name}.part"));
        std::fs::write(&staging, bytes).unwrap();
        std::fs::rename(&staging, folder.join(name)).unwrap();
    }

    pub fn start(&self) -> Service {
        let mut command = self.command(&["run", "-C", self.dir.to_str().unwrap()]);
        Service(command.env("COUNTERSIGN_LOG", "error").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    pub fn cases(&self) -> Vec<Value> {
        self.json(&["case", "list", "--rows", "10000"])
    }

    pub fn case_of(&self, file_name: &str) -> Option<Value> {
        let shown = |row: &Value| self.json(&["case", "show", row["case"].as_str().unwrap()]).remove(0);
        self.cases().iter().map(shown).find(|case| case["source"]["file_name"] == file_name)
    }

    /// Files still in the inbox or claimed from it.
    pub fn files_in_flight(&self) -> usize {
        files_below(&self.inbox())
    }

    /// The keys of all bookings that the ledger has.
    pub fn bookings(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.dir.join("ledger"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap());
        files.filter(|name| name.ends_with(".json")).collect()
    }

    /// The last word on a workspace: cases agree with the log, documents balance, every seal opens, and the auditor's
    /// own program and the independent verifier find nothing.
    #[track_caller]
    pub fn judge(&self) -> Value {
        let report = self.json(&["check", "--seals"]).remove(0);
        assert_eq!(report["faults"], Value::Array(Vec::new()), "{report}");
        let export = self.dir.join(format!("export-{}", uuid_like()));
        let exported = self.json(&["log", "export", export.to_str().unwrap(), "--as", "ada"]).remove(0);
        let key = exported["head"]["verifier_key"].as_str().unwrap();
        crate::support::verify_export(&export, key);
        self.audited(&[export.to_str().unwrap(), "--key", key]);
        report
    }

    /// What the auditor's own program says, which must be content; `None` where it was not built, which in CI is a failure.
    #[track_caller]
    pub fn audited(&self, args: &[&str]) -> Option<String> {
        let auditor = Path::new(env!("CARGO_BIN_EXE_countersign")).with_file_name("auditor");
        let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(auditor.exists() || !ci, "the auditor's program was not built; `tests/run` builds it");
        if !auditor.exists() {
            return None;
        }
        let output = Command::new(auditor).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        Some(String::from_utf8(output.stdout).unwrap())
    }
}

fn uuid_like() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed).to_string()
}

fn files_below(dir: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    let count = |entry: std::io::Result<std::fs::DirEntry>| {
        let Ok(entry) = entry else { return 0 };
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files_below(&entry.path()),
            Ok(_) => 1,
            Err(_) => 0,
        }
    };
    entries.map(count).sum()
}

/// Waits for something that a service in another process does; panics when it does not come.
#[track_caller]
pub fn eventually(what: &str, seconds_max: u64, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(seconds_max);
    while !holds() {
        assert!(Instant::now() < deadline, "after {seconds_max} s: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

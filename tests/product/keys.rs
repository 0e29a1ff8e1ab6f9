//! Who keeps the keys, as the person at the command line sees it: shares that bring lost keys back, custodians that the key
//! file moves between, and a service that leaves nothing in a core dump.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::program;

use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use program::eventually;
use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_countersign");
const HEX: &str = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";

/// A workspace, the environment that commands are run in, and what `init` printed.
struct Books {
    dir: PathBuf,
    environment: Vec<(&'static str, String)>,
    printed: String,
    _keep: TempDir,
}

impl Books {
    fn new() -> Books {
        let keep = TempDir::new().unwrap();
        let dir = keep.path().join("books");
        let mut books = Books { dir, environment: Vec::new(), printed: String::new(), _keep: keep };
        let output = books.command(&["init", books.dir.to_str().unwrap()]).output().unwrap();
        books.printed = good(&output);
        books.add("boss", "admin");
        books
    }

    fn add(&self, name: &str, role: &str) {
        good(&self.run(&["account", "add", "--name", name, "--role", role, "--link-only"], ""));
    }

    /// Without a terminal, and with nothing in the environment but what the test puts there.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap()).stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn run(&self, arguments: &[&str], typed: &str) -> Output {
        let mut command = self.command(&[arguments, &["-C", self.dir.to_str().unwrap()]].concat());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // It may have ended before it read what was typed.
        let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn status(&self) -> Value {
        serde_json::from_str(&good(&self.run(&["keys", "status", "--json"], ""))).unwrap()
    }

    fn shares(&self) -> Vec<String> {
        shares_in(&self.printed)
    }

    fn settings(&self, from: &str, to: &str) {
        let path = self.dir.join("countersign.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
    }

    /// The store opens and agrees with itself.
    fn check(&self) {
        good(&self.run(&["check", "--seals"], ""));
    }
}

fn shares_in(printed: &str) -> Vec<String> {
    let shares = printed.lines().map(str::trim).filter(|line| line.len() == 101 && line.matches('-').count() == 20);
    shares.map(str::to_owned).collect()
}

#[track_caller]
fn good(output: &Output) -> String {
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Its words, and its exit code, which is not 0.
#[track_caller]
fn refused(output: &Output) -> (String, i32) {
    assert!(!output.status.success(), "{}", text(&output.stdout));
    (text(&output.stderr), output.status.code().unwrap())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn two_of_the_shares_that_init_prints_bring_lost_keys_back_from_the_data() {
    let books = Books::new();
    let shares = books.shares();
    assert_eq!(shares.len(), 3);
    let before = books.status();
    assert_eq!((&before["custodian"], &before["escrow"]["state"]), (&"file".into(), &"whole".into()));
    books.add("ada", "auditor");

    // The machine is gone; what is left is a copy of the data folder, and the settings.
    let keys = books.dir.join("keys");
    fs::rename(&keys, books.dir.join("gone")).unwrap();
    fs::remove_file(books.dir.join("gone/keys")).unwrap();
    assert!(refused(&books.run(&["check"], "")).0.contains("there are no keys"));

    let mut mistyped = shares[0].clone();
    mistyped.replace_range(20..21, if &shares[0][20..21] == "0" { "1" } else { "0" });
    for (typed, expected, code) in [
        (format!("{}\n{}\n", mistyped, shares[1]), "of share 1 was mistyped", 1),
        (format!("{}\n{}\n", shares[0], shares[0]), "share 1 was given twice", 1),
        (format!("{}\n", shares[0]), "two shares are needed, each on a line", 1),
        (String::new(), "two shares are needed, each on a line", 1),
        (format!("{}\n{}\n", shares[0], Books::new().shares()[1]), "shares of two sets open nothing", 1),
        ("x".repeat(1 << 20), "a share begins with its number", 1),
    ] {
        let (words, ended) = refused(&books.run(&["keys", "recover"], &typed));
        assert!(words.contains(expected) && ended == code, "{words}");
        assert!(!words.contains(&shares[0][12..]) && !keys.exists(), "{words}");
    }
    let typed = format!("\n{}\n\n{}\n", shares[2].to_lowercase(), shares[0].replace('-', " "));
    good(&books.run(&["keys", "recover"], &typed));
    assert_eq!(books.status(), before);
    books.check();
    let (words, _) = refused(&books.run(&["keys", "recover"], &typed));
    assert!(words.contains("it may be newer"), "{words}");
}

#[test]
fn new_shares_take_the_place_of_those_before() {
    let books = Books::new();
    let made: Value =
        serde_json::from_str(&good(&books.run(&["keys", "escrow", "--as", "boss", "--json"], ""))).unwrap();
    assert_eq!(books.status()["escrow"], serde_json::json!({ "state": "whole", "set": made["set"] }));
    fs::remove_dir_all(books.dir.join("keys")).unwrap();
    let old = books.shares();
    let (words, code) = refused(&books.run(&["keys", "recover"], &format!("{}\n{}\n", old[0], old[1])));
    assert!(words.contains(&format!("opens with shares of set {}", made["set"].as_str().unwrap())), "{words}");
    assert_eq!(code, 1);
    let new: Vec<&str> = made["shares"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    good(&books.run(&["keys", "recover"], &new[1..].join("\n")));
    books.check();
}

#[test]
fn shares_that_could_not_be_printed_do_not_take_the_place_of_those_before() {
    let books = Books::new();
    let before = books.status();
    let mut command = books.command(&["keys", "escrow", "--as", "boss", "-C", books.dir.to_str().unwrap()]);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let (words, code) = refused(&command.stdout(full).output().unwrap());
    assert!(words.contains("the shares could not be shown, so nothing was changed") && code == 3, "{words}");
    assert_eq!(books.status(), before);
    fs::remove_dir_all(books.dir.join("keys")).unwrap();
    good(&books.run(&["keys", "recover"], &books.shares()[1..].join("\n")));
    books.check();
}

#[test]
fn the_key_file_moves_between_custodians_and_opens_with_each() {
    let mut books = Books::new();
    let (keys, ids) = (books.dir.join("keys"), books.status()["keys"].clone());
    let credentials = books.dir.join("credentials");
    fs::create_dir(&credentials).unwrap();
    fs::write(credentials.join("countersign-keys"), [7; 32]).unwrap();
    books.settings("# [custody.transit]", "command = [\"cat\", \"credentials/printed\"]\n# [custody.transit]");
    books.settings("credentials/printed", credentials.join("printed").to_str().unwrap());
    fs::write(credentials.join("printed"), format!("{HEX}\n")).unwrap();
    books.environment = vec![
        ("COUNTERSIGN_PASSPHRASE", "seventeen green baskets".to_owned()),
        ("COUNTERSIGN_CREDENTIAL", HEX.to_owned()),
        ("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap().to_owned()),
    ];
    for by in ["passphrase", "credential", "command", "passphrase", "file"] {
        let said = good(&books.run(&["keys", "protect", "--by", by, "--as", "boss"], ""));
        assert!(said.starts_with(&format!("The key file is kept by: {by}.")), "{said}");
        let status = books.status();
        assert_eq!((&status["custodian"], &status["keys"]), (&Value::from(by), &ids));
        assert_eq!(keys.join("keys").exists(), by == "file");
        assert_eq!(keys.join("keys.sealed").exists(), by != "file");
        books.check();
        let doctor = books.run(&["doctor"], "");
        assert!(text(&doctor.stdout).contains(&format!("ok    keys: kept by: {by}; any two shares of set")), "{by}");
    }

    // What does not open is told, nothing is written, and shares still help.
    good(&books.run(&["keys", "protect", "--by", "passphrase", "--as", "boss"], ""));
    let open = std::mem::take(&mut books.environment);
    for (environment, expected) in [
        (vec![], "there is no terminal to type the passphrase at; set `COUNTERSIGN_PASSPHRASE`"),
        (
            vec![("COUNTERSIGN_PASSPHRASE", "seventeen blue baskets".to_owned())],
            "does not open with what `passphrase` gave",
        ),
    ] {
        books.environment = environment;
        for command in [
            &["check"][..],
            &["keys", "status"],
            &["keys", "protect", "--by", "file", "--as", "boss"],
            &["keys", "escrow", "--as", "boss"],
        ] {
            let (words, code) = refused(&books.run(command, ""));
            assert!(words.contains(expected) && code == 3, "{words}");
            assert!(!words.contains("baskets"), "{words}");
        }
        let doctor = books.run(&["doctor"], "");
        assert!(text(&doctor.stdout).contains("FAULT keys: "), "{}", text(&doctor.stdout));
    }
    fs::rename(keys.join("keys.sealed"), books.dir.join("forgotten")).unwrap();
    books.environment = open;
    let shares = books.shares();
    let typed = format!("{}\n{}\n", shares[1], shares[2]);
    good(&books.run(&["keys", "recover", "--by", "credential"], &typed));
    assert_eq!((&books.status()["custodian"], &books.status()["keys"]), (&"credential".into(), &ids));
    books.check();
}

#[test]
fn a_custodian_that_would_not_open_the_key_file_again_does_not_get_it() {
    let mut books = Books::new();
    let before = fs::read(books.dir.join("keys/keys")).unwrap();
    books.environment =
        vec![("COUNTERSIGN_PASSPHRASE", "short".to_owned()), ("COUNTERSIGN_CREDENTIAL", "0102".to_owned())];
    books
        .settings("# [custody.transit]", "command = [\"head\", \"-c\", \"32\", \"/dev/urandom\"]\n# [custody.transit]");
    for (by, expected) in [
        ("passphrase", "the passphrase has 5 characters, at least 12 are needed"),
        (
            "credential",
            "`COUNTERSIGN_CREDENTIAL` holds no key: 64 hexadecimal digits, 44 letters of base64, or 32 bytes",
        ),
        ("command", "`command` gave another key when it was asked a second time"),
        ("transit", "say where Transit is: `transit` under [custody]"),
    ] {
        let (words, code) = refused(&books.run(&["keys", "protect", "--by", by, "--as", "boss"], ""));
        assert!(words.contains(&format!("`{by}` cannot keep the key file, which is as it was: {expected}")), "{words}");
        assert_eq!((code, fs::read(books.dir.join("keys/keys")).unwrap() == before), (3, true));
    }
    let (words, code) = refused(&books.run(&["keys", "protect", "--by", "nobody", "--as", "boss"], ""));
    assert!(words.contains("expected one of file, credential, passphrase, command, transit") && code == 2, "{words}");
}

#[test]
fn a_passphrase_comes_by_an_open_file_too_and_keys_need_never_lie_open() {
    let keep = TempDir::new().unwrap();
    let dir = keep.path().join("books");
    let init = Command::new(PROGRAM)
        .args(["init", dir.to_str().unwrap(), "--by", "passphrase"])
        .env("COUNTERSIGN_PASSPHRASE", "seventeen green baskets")
        .output()
        .unwrap();
    let books = Books { printed: good(&init), environment: Vec::new(), dir, _keep: keep };
    assert_eq!(books.shares().len(), 3);
    assert!(!books.dir.join("keys/keys").exists());
    books.settings("# passphrase_descriptor = 3", "passphrase_descriptor = 3");
    let secret = books.dir.join("passphrase");
    fs::write(&secret, "seventeen green baskets\n").unwrap();
    let script = format!("exec '{PROGRAM}' check -C '{}' 3< '{}'", books.dir.display(), secret.display());
    good(&Command::new("sh").args(["-c", &script]).env_remove("COUNTERSIGN_PASSPHRASE").output().unwrap());
}

#[test]
fn a_workspace_without_shares_gets_some_and_a_copy_that_was_lost_is_made_again() {
    let books = Books::new();
    let copy = books.dir.join("data/keys.escrow");
    fs::remove_file(&copy).unwrap();
    let behind = books.run(&["keys", "status"], "");
    assert!(text(&behind.stdout).contains("is missing or older") && behind.status.code() == Some(1));
    books.check();
    assert_eq!(books.status()["escrow"]["state"], "whole");

    // As workspaces were before there were shares.
    let path = books.dir.join("keys/keys");
    let before = fs::read_to_string(&path).unwrap();
    let without: String =
        before.lines().filter(|line| !line.starts_with("escrow")).map(|line| format!("{line}\n")).collect();
    fs::write(&path, without).unwrap();
    fs::remove_file(&copy).unwrap();
    books.check();
    assert_eq!((&books.status()["escrow"]["state"], copy.exists()), (&"never".into(), false));
    assert_eq!(shares_in(&good(&books.run(&["keys", "escrow", "--as", "boss"], ""))).len(), 3);
    assert_eq!(books.status()["escrow"]["state"], "whole");
}

/// A signal of which the kernel writes a core file, where it may.
const SIGQUIT: i32 = 3;

/// Does not outlive the test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_service_that_is_killed_leaves_no_core_dump() {
    let books = Books::new();
    books.settings("127.0.0.1:8484", "127.0.0.1:0");
    let (here, there) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let start = |script: String, folder: &TempDir| {
        let script = format!("ulimit -c unlimited; {script}");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).current_dir(folder.path()).stdin(Stdio::piped());
        Killed(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    };
    let quit = |mut child: Killed| {
        assert!(Command::new("kill").args(["-QUIT", &child.0.id().to_string()]).status().unwrap().success());
        let ended = child.0.wait().unwrap();
        assert_eq!(ended.signal(), Some(SIGQUIT));
        ended.core_dumped()
    };
    // One that takes no care shows whether this machine writes cores at all.
    let careless = start("echo on > started; read forever".to_owned(), &there);
    let ours = start(format!("exec '{PROGRAM}' run -C '{}'", books.dir.display()), &here);
    let limits = format!("/proc/{}/limits", ours.0.id());
    let open_files = format!("/proc/{}/fd", ours.0.id());
    eventually("the service has opened the database, and so the keys", 60, || match fs::read_dir(&open_files) {
        Ok(open) => {
            open.filter_map(|it| fs::read_link(it.ok()?.path()).ok()).any(|it| it.starts_with(books.dir.join("data")))
        }
        // Of what is never dumped only an administrator sees the open files.
        Err(closed) => closed.kind() == std::io::ErrorKind::PermissionDenied,
    });
    let limits = fs::read_to_string(&limits).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert!(core.split_whitespace().skip(4).take(2).eq(["0", "0"]), "{core}");
    assert!(!quit(ours), "the kernel wrote a core of it");
    assert_eq!(fs::read_dir(here.path()).unwrap().count(), 0);

    eventually("the other has begun", 60, || there.path().join("started").exists());
    if !quit(careless) {
        eprintln!("this machine writes no cores of anything: the limit is all that was seen");
    }
}

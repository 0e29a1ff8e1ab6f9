use std::io::Write;
use std::process::{Command, Stdio};

use super::*;

fn run(arguments: &[&str]) -> (i32, String, String) {
    run_with(arguments, "")
}

fn run_with(arguments: &[&str], typed: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Whoever reads nothing may be gone already.
    drop(child.stdin.take().unwrap().write_all(typed.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_commands_take_a_backup_and_bring_it_back_and_say_why_not() {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (books, other, backup, keys) = (path("books"), path("other"), path("backup"), path("short"));
    assert_eq!(run(&["init", &books]).0, 0);
    assert_eq!(run(&["account", "add", "--name", "root", "--role", "admin", "--link-only", "-C", &books]).0, 0);
    let take = ["backup", &backup, "--as", "root", "-C", &books];
    let (code, _, why) = run(&take);
    assert!(code == 2 && why.contains("say where the key table goes, with --keys-to DIR"), "{code} {why}");
    let inbox = format!("{books}/inbox/backup");
    let (code, _, why) = run(&["backup", &inbox, "--keys-to", &keys, "--as", "root", "-C", &books]);
    assert!(code == 2 && why.contains("lies in the inbox"), "{code} {why}");
    symlink(format!("{books}/data"), path("link")).unwrap();
    for (place, why_not) in [
        (format!("{books}/data/backup"), "lies in the data"),
        (format!("{books}/data/vault"), "lies in the vault"),
        (path("link/backup"), "lies in the data"),
        (format!("{books}/policies/../keys/backup"), "lies in the keys"),
        (books.clone(), "holds the inbox"),
        (path(""), "holds the inbox"),
    ] {
        for folders in [[&place, &keys], [&backup, &place]] {
            let (code, _, why) = run(&["backup", folders[0], "--keys-to", folders[1], "--as", "root", "-C", &books]);
            assert!(code == 2 && why.contains(why_not), "{place}: {code} {why}");
        }
    }
    assert!(!Path::new(&backup).exists() && !Path::new(&keys).exists());

    let (code, said, why) = run(&[&take[..], &["--keys-to", &keys, "--json"]].concat());
    assert_eq!(code, 0, "{why}");
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert!(said["snapshot"].as_str().unwrap().starts_with("snapshot-") && said["missing"] == serde_json::json!([]));
    assert!(Path::new(&backup).join("keys.escrow").exists());

    let restore = ["restore", &backup, "--keys-from", &keys, "--to", &other];
    let (code, _, why) = run(&restore);
    assert!(code == 2 && why.contains("there is no workspace"), "{code} {why}");
    fs::create_dir(&other).unwrap();
    fs::copy(format!("{books}/countersign.toml"), format!("{other}/countersign.toml")).unwrap();
    fs::create_dir(format!("{other}/keys")).unwrap();
    fs::set_permissions(format!("{other}/keys"), PermissionsExt::from_mode(0o700)).unwrap();
    for name in ["keys", "signed-head"] {
        fs::copy(format!("{books}/keys/{name}"), format!("{other}/keys/{name}")).unwrap();
    }
    let (code, said, why) = run(&restore);
    assert!(code == 0 && said.contains("everything agrees"), "{code} {said} {why}");
    assert_eq!(fs::metadata(format!("{other}/data")).unwrap().permissions().mode() & 0o777, 0o700);
    let (code, said, why) = run(&["account", "list", "-C", &other]);
    assert!(code == 0 && said.contains("root"), "{said} {why}");
    // What goes on there makes the backup older than its log.
    assert_eq!(run(&["log", "head", "-C", &other]).0, 0);
    let (code, _, why) = run(&restore);
    assert!(code == 1 && why.contains("say `--older`"), "{code} {why}");
    let (code, _, why) = run(&[&restore[..], &["--older"]].concat());
    assert!(code == 2 && why.contains("has rows already"), "{code} {why}");
}

#[test]
fn a_backup_comes_back_over_a_fresh_workspace_with_the_key_file_or_with_two_shares() {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (books, backup, keys) = (path("books"), path("backup"), path("short"));
    let (code, printed, _) = run(&["init", &books]);
    assert_eq!(code, 0);
    let (_, printed) = printed.split_once("keep none here:").unwrap();
    let shares: Vec<&str> = printed.lines().map(str::trim).filter(|line| !line.is_empty()).take(2).collect();
    assert_eq!(run(&["account", "add", "--name", "root", "--role", "admin", "--link-only", "-C", &books]).0, 0);
    assert_eq!(run(&["backup", &backup, "--keys-to", &keys, "--as", "root", "-C", &books]).0, 0);

    // Somebody kept the key file, and looks before.
    let other = path("other");
    assert_eq!(run(&["init", &other]).0, 0);
    fs::copy(format!("{books}/keys/keys"), format!("{other}/keys/keys")).unwrap();
    run(&["keys", "status", "-C", &other]);
    assert!(Path::new(&other).join("data/countersign.db").exists());
    let (code, said, why) = run(&["restore", &backup, "--keys-from", &keys, "--to", &other]);
    assert!(code == 0 && said.contains("everything agrees"), "{code} {said} {why}");
    // The shares of the fresh workspace would bring back keys that open nothing.
    assert!(why.contains("data/keys.escrow` is for other shares"), "{why}");

    // All is lost but the backup and two shares.
    let other = path("third");
    assert_eq!(run(&["init", &other]).0, 0);
    fs::remove_file(format!("{other}/keys/keys")).unwrap();
    fs::copy(format!("{backup}/keys.escrow"), format!("{other}/data/keys.escrow")).unwrap();
    let (code, said, why) = run_with(&["keys", "recover", "-C", &other], &shares.join("\n"));
    assert!(code == 0, "{code} {said} {why}");
    // A witness that is silent may know more than the backup.
    let settings = format!("{other}/countersign.toml");
    let text = fs::read_to_string(&settings).unwrap();
    let key = audit::WitnessSigner::generate("witness.example/1").unwrap().key();
    let silent = format!("witness_seconds = 60\nwitnesses = [{{ url = \"http://127.0.0.1:1\", key = \"{key}\" }}]\n");
    fs::write(&settings, text.replace("witness_seconds = 60\n", &silent)).unwrap();
    let restore = ["restore", &backup, "--keys-from", &keys, "--to", &other];
    let (code, _, why) = run(&restore);
    assert!(code == 1 && why.contains("the witness `witness.example/1` does not say"), "{code} {why}");
    assert!(why.contains("or say `--older`"), "{why}");
    fs::write(&settings, text).unwrap();
    let (code, said, why) = run(&restore);
    assert!(code == 0 && said.contains("everything agrees"), "{code} {said} {why}");
    assert!(said.contains("1 entries of the log that was begun here"), "{said}");
}

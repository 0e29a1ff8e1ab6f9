//! What was handed over open to the program, the descriptor of a passphrase above all, reaches no program that it starts.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::program;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use program::Workspace;

/// With two descriptors open, as a shell hands them over, whatever the program.
fn with_descriptors(secret: &Path, program: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", r#"exec 3<"$0" 7<"$0"; exec "$@""#, secret.to_str().unwrap(), program]);
    command
}

#[test]
fn a_custodians_program_sees_none_of_the_descriptors_that_were_handed_over() {
    let workspace = Workspace::new(None);
    let (secret, seen) = (workspace.dir.join("passphrase"), workspace.dir.join("seen"));
    fs::write(&secret, "seventeen baskets of plums\n").unwrap();
    // Adds the open ones of these descriptors to a file, and prints a key.
    let script = format!(
        "for n in 3 4 5 6 7 8 9; do test -e /proc/$$/fd/$n && echo $n; done >>'{}'; printf '%064d' 7",
        seen.display()
    );
    assert!(with_descriptors(&secret, "sh").args(["-c", &script]).status().unwrap().success());
    let shown = fs::read_to_string(&seen).unwrap();
    assert!(["3", "7"].iter().all(|n| shown.lines().any(|line| line == *n)), "a program that gets them sees {shown}");
    fs::write(&seen, "").unwrap();

    let settings = workspace.dir.join("countersign.toml");
    let text = fs::read_to_string(&settings).unwrap();
    let command = format!("command = [\"sh\", \"-c\", \"{script}\"]\n# [custody.transit]");
    assert!(text.contains("# [custody.transit]"));
    fs::write(&settings, text.replace("# [custody.transit]", &command)).unwrap();
    let protected = with_descriptors(&secret, env!("CARGO_BIN_EXE_countersign"))
        .args(["keys", "protect", "--by", "command", "--as", "adam", "-C", workspace.dir.to_str().unwrap()])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(protected.status.success(), "{protected:?}");
    assert!(workspace.dir.join("keys/keys.sealed").exists());
    assert_eq!(fs::read_to_string(&seen).unwrap(), "");
}

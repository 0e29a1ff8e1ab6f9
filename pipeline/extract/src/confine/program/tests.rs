#![allow(clippy::unwrap_used)]
#![cfg(target_os = "linux")]
use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use super::*;

/// The locks bind the thread that takes them, so each can be tried in a thread of its own.
fn tried_behind(lock: impl FnOnce() -> bool + Send + 'static) -> Option<[bool; 5]> {
    let attempts = || {
        let library = fs::read_dir("/usr/lib").is_ok();
        let read = fs::read("/etc/passwd").is_ok();
        let path = std::env::temp_dir().join(format!("program-{}", std::process::id()));
        let made = fs::write(&path, b"x").and_then(|()| fs::remove_file(path)).is_ok();
        let listener = TcpListener::bind("127.0.0.1:0").is_ok();
        let run = Command::new("/bin/true").status().is_ok();
        [library, read, made, listener, run]
    };
    thread::spawn(move || lock().then(attempts)).join().unwrap()
}

#[test]
fn the_other_program_may_read_its_libraries_and_do_nothing_else() {
    assert_eq!(tried_behind(|| true), Some([true; 5]), "the attempts themselves work");
    // Files are Landlock's, which a kernel may lack; then the program is not started at all.
    if let Some(found) = tried_behind(|| landlock(Path::new("/usr/bin/tesseract"))) {
        let [library, read, made, _, run] = found;
        assert_eq!([library, read, made, run], [true, false, false, false]);
    }
    let behind_filter = tried_behind(|| seccompiler::apply_filter(&filter().unwrap()).is_ok()).unwrap();
    // Without Landlock files could be read and made: the filter cannot tell one file from another.
    let [.., listener, run] = behind_filter;
    assert_eq!([listener, run], [false; 2]);
}

#[test]
fn what_is_not_there_is_not_started() {
    let limits = Limits { memory_bytes_max: 1 << 30, cpu_seconds_max: 1, document_bytes_max: 0 };
    // Refused before the first lock, so this process goes on.
    assert_eq!(become_tesseract(limits, Path::new("/nowhere/tesseract"), Some("eng")), ExitCode::FAILURE);
}

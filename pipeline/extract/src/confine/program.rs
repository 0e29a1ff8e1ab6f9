//! Tesseract's process: locked in while it is still ours, then it becomes the other program, which cannot take the locks off.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::Limits;

/// What a page is read with: text of any layout, told as TSV.
const READING: [&str; 6] = ["--psm", PSM, "-c", "tessedit_create_tsv=1", "-c", "tessedit_do_invert=0"];
const PSM: &str = "3";

/// Locks this process in for good and becomes `program`, a Tesseract, which reads the picture on standard input and answers on
/// standard output with TSV; without `languages` it lists those that it has. Returns only when that cannot be done.
///
/// It may read itself, the system's libraries and its own data, and run itself; nothing else can be opened, and nothing
/// written, connected to or started. Other than for the reader a missing lock is a reason to stop: this program opens files, so without
/// Landlock it could open any.
pub fn become_tesseract(limits: Limits, program: &Path, languages: Option<&str>) -> ExitCode {
    let Ok(program) = program.canonicalize() else { return ExitCode::FAILURE };
    if !locked_in(limits, &program) {
        return ExitCode::FAILURE;
    }
    let arguments: Vec<&OsStr> = match languages {
        Some(languages) => {
            let fixed = ["stdin", "stdout", "-l", languages];
            fixed.into_iter().chain(READING).map(OsStr::new).collect()
        }
        None => vec![OsStr::new("--list-langs")],
    };
    start(&program, &arguments)
}

#[cfg(unix)]
fn start(program: &Path, arguments: &[&OsStr]) -> ExitCode {
    use std::os::unix::process::CommandExt as _;

    let mut command = std::process::Command::new(program);
    // One thread: the filter allows no more.
    let _ = command.args(arguments).env_clear().env("OMP_THREAD_LIMIT", "1").env("LC_ALL", "C").exec();
    ExitCode::FAILURE
}

#[cfg(not(unix))]
fn start(_program: &Path, _arguments: &[&OsStr]) -> ExitCode {
    ExitCode::FAILURE
}

/// What loads programs, where Linux has it: it is run before the program is.
const LOADERS: [&str; 4] = [
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
];
/// The system's libraries, and where they are looked up.
const LIBRARIES: [&str; 6] =
    ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/etc/ld-musl-x86_64.path"];

/// Folders beside the program's own: its libraries, and the languages that it reads.
fn beside(program: &Path) -> Vec<PathBuf> {
    let Some(prefix) = program.parent().and_then(Path::parent) else { return Vec::new() };
    ["lib", "share/tesseract-ocr", "share/tessdata"].iter().map(|it| prefix.join(it)).collect()
}

#[cfg(target_os = "linux")]
fn locked_in(limits: Limits, program: &Path) -> bool {
    landlock(program) && rlimits(limits) && filter().is_some_and(|it| seccompiler::apply_filter(&it).is_ok())
}

#[cfg(not(target_os = "linux"))]
fn locked_in(_limits: Limits, _program: &Path) -> bool {
    false
}

#[cfg(target_os = "linux")]
fn rlimits(limits: Limits) -> bool {
    /// Its libraries and data are opened one after the other.
    const FILES_MAX: u64 = 16;
    super::rlimits(limits, FILES_MAX)
}

#[cfg(target_os = "linux")]
fn landlock(program: &Path) -> bool {
    use landlock::{
        ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
        RulesetCreatedAttr as _, RulesetStatus, Scope, path_beneath_rules,
    };

    let abi = ABI::V6;
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let run = AccessFs::ReadFile | AccessFs::Execute;
    let folders = beside(program);
    let restricted = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))
        .and_then(|it| it.handle_access(AccessNet::from_all(abi)))
        .and_then(|it| it.scope(Scope::from_all(abi)))
        .and_then(|it| it.create())
        .and_then(|it| it.add_rules(path_beneath_rules(LIBRARIES, read)))
        .and_then(|it| it.add_rules(path_beneath_rules(folders, read)))
        .and_then(|it| it.add_rules(path_beneath_rules(LOADERS, run)))
        .and_then(|it| it.add_rules(path_beneath_rules([program], run)))
        .and_then(|it| it.restrict_self());
    // An older kernel has fewer locks, but that on files is among them.
    restricted.is_ok_and(|it| it.ruleset != RulesetStatus::NotEnforced)
}

#[cfg(target_os = "linux")]
fn filter() -> Option<seccompiler::BpfProgram> {
    super::filter(super::CALLS.iter().chain(&MORE_CALLS))
}

/// What starting a program and loading its libraries and data take beside [`super::CALLS`]. Which files may be opened, and
/// which program be run, is Landlock's to say. No call here makes a socket, a process or a thread, or touches another one.
#[cfg(target_os = "linux")]
const MORE_CALLS: [(&str, i64, i64); 15] = [
    ("execve", 59, 221),
    ("openat", 257, 56),
    ("open", 2, -1),
    ("newfstatat", 262, 79),
    ("stat", 4, -1),
    ("statx", 332, 291),
    ("pread64", 17, 67),
    ("access", 21, -1),
    ("faccessat", 269, 48),
    ("faccessat2", 439, 439),
    ("fcntl", 72, 25),
    ("getdents64", 217, 61),
    ("sysinfo", 99, 179),
    ("set_tid_address", 218, 96),
    ("arch_prctl", 158, -1),
];

#[cfg(test)]
mod tests;

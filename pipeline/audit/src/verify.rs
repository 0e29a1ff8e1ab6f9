//! Verifies a published log from its folder and a public key alone.

mod ahead;
mod bundle;
mod diagnose;
mod folder;
mod heads;
mod objects;
mod pass;

use std::path::Path;

use crate::{Error, TreeHead, VerifierKey};
use folder::Folder;

/// What to verify a log against.
#[derive(Debug)]
pub struct Ask {
    /// The key that signs the log's heads, known from elsewhere than the folder.
    pub key: VerifierKey,
    /// Heads that left the house earlier: the only thing that shows a history rewritten by whoever holds the key.
    pub since: Vec<KeptHead>,
    /// How many objects are remembered at once while their chains of revisions are followed, at some 60 bytes each; 0
    /// follows none. Beyond it, the objects that were not touched for longest are let go.
    pub objects_max: usize,
    /// Whether a silence longer than the heartbeat is a fault or only told.
    pub silence_is_fault: bool,
    /// How many threads read and check, at up to 8 MiB each; they judge nothing.
    pub threads: usize,
}

impl Ask {
    /// Everything that can be verified with the key alone: 200,000 objects at once, one thread.
    #[must_use]
    pub fn of(key: VerifierKey) -> Ask {
        Ask { key, since: Vec::new(), objects_max: 200_000, silence_is_fault: false, threads: 1 }
    }
}

/// A head that was kept outside the log, with the name to call it by.
#[derive(Debug, Clone)]
pub struct KeptHead {
    pub name: String,
    /// The checkpoint file as it was handed out.
    pub text: Vec<u8>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    /// The signed head, once its signature was found good.
    pub head: Option<TreeHead>,
    /// How many entries were read and found good, from the first on.
    pub entries: u64,
    /// When the first and the last of them were sealed, microseconds since 1970.
    pub sealed: Option<(i64, i64)>,
    /// The longest head kept outside that the log continues: its name and size. Entries after it have no outside
    /// reference.
    pub covered: Option<(String, u64)>,
    /// How many heads of the folder's own `checkpoints/` were compared.
    pub heads_inside: u64,
    /// How many objects had their chain of revisions followed.
    pub objects: Option<u64>,
    /// What a reader of the verdict should know and is not a fault.
    pub notes: Vec<String>,
    /// The first fault; None in a sound log.
    pub fault: Option<Fault>,
}

/// The first thing that is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub kind: FaultKind,
    /// The entry it is at, or the first of those it may be at; None when it is not about entries.
    pub index: Option<u64>,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The bytes are not those that were sealed.
    Edited,
    Inserted,
    Removed,
    Reordered,
    /// Numbers are left out although the chain holds: the writer skipped them.
    Gap,
    /// Two histories: entries that do not give a signed root.
    Fork,
    /// The last entries of the signed head are not there.
    CutTail,
    /// Shorter than it was when a head was kept.
    RolledBack,
    /// The head is of another log.
    ReplacedLog,
    /// The head is signed by another key.
    WrongKey,
    ClockBackwards,
    /// Longer without an entry than the heartbeat allows.
    Silence,
    /// An object's revisions do not follow one another.
    ObjectChain,
    /// Sealed like this, and not as an entry may be.
    Malformed,
    /// A tile of hashes does not fit the entries below it.
    Tile,
    /// A file that is missing, too large, a link, or has no place in a log.
    Layout,
}

/// Verifies the log in `dir`. An error means that it could not be read to the end, and says nothing about it.
pub fn verify(dir: &Path, ask: &Ask) -> Result<Report, Error> {
    let mut report = Report::default();
    match check(&Folder::new(dir), ask, &mut report) {
        Ok(()) => Ok(report),
        Err(Stop::Fault(fault)) => {
            // An outside head covers nothing of a log that has a fault.
            report.covered = None;
            report.fault = Some(fault);
            Ok(report)
        }
        Err(Stop::World(error)) => Err(error),
    }
}

fn check(folder: &Folder<'_>, ask: &Ask, report: &mut Report) -> Result<(), Stop> {
    let head = heads::signed_head(folder, ask)?;
    report.head = Some(head.clone());
    let marks = heads::marks(folder, ask, &head, report)?;
    let superseded = folder.check_layout(head.size)?;
    let roots = pass::every_entry(folder, ask, &head, &marks, report)?;
    heads::compare(&marks, &roots, &head, report)?;
    if superseded != 0 {
        folder.compare_superseded(head.size)?;
        report.notes.push(format!("{superseded} partial tiles of earlier heads were compared with the full ones"));
    }
    Ok(())
}

impl FaultKind {
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            FaultKind::Edited => "edited",
            FaultKind::Inserted => "inserted",
            FaultKind::Removed => "removed",
            FaultKind::Reordered => "reordered",
            FaultKind::Gap => "gap",
            FaultKind::Fork => "fork",
            FaultKind::CutTail => "cut tail",
            FaultKind::RolledBack => "rolled back",
            FaultKind::ReplacedLog => "replaced log",
            FaultKind::WrongKey => "wrong key",
            FaultKind::ClockBackwards => "clock backwards",
            FaultKind::Silence => "silence",
            FaultKind::ObjectChain => "object chain",
            FaultKind::Malformed => "malformed",
            FaultKind::Tile => "tile",
            FaultKind::Layout => "layout",
        }
    }
}

impl Report {
    /// The verdict in one line. Never just "valid": without an outside reference, whoever holds the log key could
    /// have rewritten everything.
    #[must_use]
    pub fn verdict(&self) -> String {
        match (&self.fault, &self.covered) {
            (Some(fault), _) => match fault.index {
                Some(index) => format!("fault: {} at entry {index}", fault.kind.text()),
                None => format!("fault: {}", fault.kind.text()),
            },
            (None, None) => "internally consistent, no outside reference".to_owned(),
            (None, Some((name, size))) if *size == self.entries => {
                format!("sound: all {size} entries are those of the head kept outside as {name}")
            }
            (None, Some((name, size))) => format!(
                "sound: the first {size} entries are those of the head kept outside as {name}; the other {} have no outside reference",
                self.entries - size
            ),
        }
    }
}

/// Why verifying ends early.
enum Stop {
    Fault(Fault),
    World(Error),
}

impl Stop {
    fn fault(kind: FaultKind, index: Option<u64>, text: String) -> Stop {
        Stop::Fault(Fault { kind, index, text })
    }
}

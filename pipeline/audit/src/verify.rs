//! Verifies a published log from its folder and a public key alone.

mod ahead;
mod bundle;
mod diagnose;
mod folder;
mod heads;
mod keys;
mod objects;
mod openings;
mod pass;
mod report;
mod samples;
mod walk;

use std::path::{Path, PathBuf};

use crate::{Error, TimestampAuthority, VerifierKey, WitnessKey};
use bundle::ObjectKeys;
use folder::Folder;
pub use report::{Begun, Fault, FaultKind, Opened, Reference, ReferenceKind, Report, Rotation};
pub use samples::{Sample, samples};

/// What to verify a log against.
#[derive(Debug, Clone)]
pub struct Ask {
    /// A key that signs the log's heads or once did, known from elsewhere than the folder.
    pub key: VerifierKey,
    /// Heads that left the house earlier.
    pub since: Vec<KeptHead>,
    /// Witnesses whose cosignatures are believed.
    pub witnesses: Vec<WitnessKey>,
    /// How many of them must have cosigned a head for it to count as an outside reference; at least one of the heads in
    /// the folder must have as many.
    pub quorum: usize,
    /// Whose timestamps in `anchors/` are believed; None leaves them unchecked.
    pub timestamp_authority: Option<TimestampAuthority>,
    /// A file of openings to compare with the commitments; None takes `openings.jsonl` in the folder, if there is one.
    pub openings: Option<PathBuf>,
    /// How many objects are remembered at once while their chains of revisions are followed, at some 60 bytes each; 0
    /// follows none. Beyond it, the objects that were not touched for longest are let go.
    pub objects_max: usize,
    /// Whether a silence longer than the heartbeat is a fault or only told.
    pub silence_is_fault: bool,
    /// How many threads read and check, at up to 8 MiB each; they judge nothing.
    pub threads: usize,
}

/// A head that was kept outside the log, with the name to call it by.
#[derive(Debug, Clone)]
pub struct KeptHead {
    pub name: String,
    /// The checkpoint file as it was handed out.
    pub text: Vec<u8>,
}

impl Ask {
    /// Everything that can be verified with the key alone: 200,000 objects at once, one thread.
    #[must_use]
    pub fn of(key: VerifierKey) -> Ask {
        Ask {
            key,
            since: Vec::new(),
            witnesses: Vec::new(),
            quorum: 1,
            timestamp_authority: None,
            openings: None,
            objects_max: 200_000,
            silence_is_fault: false,
            threads: 1,
        }
    }
}

/// Verifies the log in `dir`. An error means that it could not be read to the end, and says nothing about it.
pub fn verify(dir: &Path, ask: &Ask) -> Result<Report, Error> {
    let mut report = Report::default();
    match check(&Folder::new(dir), ask, &mut report) {
        Ok(()) => Ok(report),
        Err(Stop::Fault(fault)) => {
            // Nothing outside covers a log that has a fault.
            report.outside.clear();
            report.fault = Some(fault);
            Ok(report)
        }
        Err(Stop::World(error)) => Err(error),
    }
}

fn check(folder: &Folder<'_>, ask: &Ask, report: &mut Report) -> Result<(), Stop> {
    let heads = heads::read(folder, ask, report)?;
    report.head = Some(heads.head.clone());
    let superseded = folder.check_layout(heads.head.size)?;
    let object_keys = ObjectKeys::default();
    let found = pass::every_entry(folder, ask, &heads, &object_keys, report)?;
    heads::compare(&heads, &found.roots)?;
    keys::judge(&heads, &found.rotations, report)?;
    if superseded != 0 {
        folder.compare_superseded(heads.head.size)?;
        report.notes.push(format!("{superseded} partial tiles of earlier heads were compared with the full ones"));
    }
    openings::check(folder, ask, &heads.head, &object_keys, &found.erased, report)?;
    heads::references(&heads, &found.sealed_at, ask, report)
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

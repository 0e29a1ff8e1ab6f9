//! What verifying found, and how it is said.

use crate::{Hash, TreeHead, VerifierKey, rfc3339};

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    /// The signed head, once its signature was found good.
    pub head: Option<TreeHead>,
    /// How many entries were read and found good, from the first on.
    pub entries: u64,
    /// When the first and the last of them were sealed, microseconds since 1970.
    pub sealed: Option<(i64, i64)>,
    /// Every head that something outside the house confirms and that the log continues, the shortest first. Entries
    /// after the last of them have no outside reference. Empty in a log with a fault.
    pub outside: Vec<Reference>,
    /// How many heads of the folder's own `checkpoints/` were compared.
    pub heads_inside: u64,
    /// How many timestamps in `anchors/` were verified, and how many were not for want of a certificate.
    pub anchors: (u64, u64),
    /// Where the log's key changed, in order.
    pub rotations: Vec<Rotation>,
    /// The log that this one took the place of, as its first entry says.
    pub begun: Option<Begun>,
    /// How many objects had their chain of revisions followed.
    pub objects: Option<u64>,
    /// What became of the commitments, if there were openings to compare.
    pub openings: Option<Opened>,
    /// What a reader of the verdict should know and is not a fault.
    pub notes: Vec<String>,
    /// The first fault; None in a sound log.
    pub fault: Option<Fault>,
}

/// A head that something outside the house confirms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    pub kind: ReferenceKind,
    /// The file it was given in, or its path in the folder.
    pub name: String,
    /// The entries before this one are confirmed.
    pub size: u64,
    /// When, by the clock of whoever confirmed it, microseconds since 1970: of a quorum the latest. None for a head that
    /// was kept, since it does not say.
    pub at: Option<i64>,
    /// The witnesses, or the authority.
    pub by: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReferenceKind {
    /// Stamped by an authority: it existed at that time.
    Stamped,
    /// Cosigned by as many witnesses as were asked for: they were shown no other history.
    Witnessed,
    /// Kept by whoever verifies.
    Kept,
}

/// A change of the log's key, shown by a head that both signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The entry that says so.
    pub index: u64,
    pub before: VerifierKey,
    pub after: VerifierKey,
}

/// What the first entry of a log says of the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    pub origin: String,
    pub size: u64,
    pub root: Hash,
}

/// What became of the commitments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opened {
    /// The opening is there and fits.
    pub opened: u64,
    /// The opening is gone, and a later `privacy.erase` of the object says so.
    pub erased: u64,
    /// The opening is gone, and there were more erasures than are remembered.
    pub unjudged: u64,
}

/// The first thing that is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub kind: FaultKind,
    /// The entry it is at, or the first of those it may be at; None when it is not about entries.
    pub index: Option<u64>,
    pub text: String,
}

/// Makes the enum and its tables from one list, so that no fault can be without its description.
macro_rules! faults {
    ($($name:ident $text:literal, $meaning:literal;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FaultKind { $(#[doc = $meaning] $name,)+ }

        impl FaultKind {
            pub const ALL: &[FaultKind] = &[$(FaultKind::$name,)+];

            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(FaultKind::$name => $text,)+ }
            }

            /// What it means, for whoever reads the report.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(FaultKind::$name => $meaning,)+ }
            }
        }
    };
}

faults! {
    Edited "edited", "the bytes of an entry, or of a head, are not those that were sealed";
    Inserted "inserted", "entries stand where none was sealed";
    Removed "removed", "entries that were sealed are gone";
    Reordered "reordered", "entries stand elsewhere than they were sealed";
    Gap "gap", "numbers are left out although the chain holds: the writer skipped them";
    Fork "fork", "the entries do not give a signed root: two histories; if the head was kept outside, this one was rewritten";
    CutTail "cut tail", "the last entries of the signed head are not there";
    RolledBack "rolled back", "the log is shorter than a head that was kept: an older backup, or a cut with an old head put back";
    ReplacedLog "replaced log", "the head is of another log";
    WrongKey "wrong key", "a head is not signed by the key of its time, or a change of the key was not signed by both";
    ClockBackwards "clock backwards", "an entry was sealed before the one it follows";
    Silence "silence", "longer than 15 minutes (and one to spare) without an entry, and not after an orderly stop";
    ObjectChain "object chain", "the revisions of one object do not follow one another";
    Malformed "malformed", "the log itself sealed something that is not an entry, or a head or key cannot be read";
    Tile "tile", "a tile of hashes does not fit the entries below it";
    Layout "layout", "a file is missing, too large, a link, or has no place in a log";
    Cosignature "cosignature", "the cosignature of a known witness does not fit its head";
    Quorum "quorum", "no head was cosigned by as many witnesses as were asked for";
    Timestamp "timestamp", "a timestamp does not fit its head, or is not of the authority that was given";
    Opening "opening", "an opening is missing, does not fit its commitment, or is for none";
}

impl Report {
    /// The longest head that something outside the house confirms.
    #[must_use]
    pub fn covered(&self) -> Option<&Reference> {
        self.outside.last()
    }

    /// The verdict in one line. Never just "valid": without an outside reference, whoever holds the log key could
    /// have rewritten everything.
    #[must_use]
    pub fn verdict(&self) -> String {
        match (&self.fault, self.covered()) {
            (Some(fault), _) => match fault.index {
                Some(index) => format!("fault: {} at entry {index}", fault.kind.text()),
                None => format!("fault: {}", fault.kind.text()),
            },
            (None, None) => "internally consistent, no outside reference".to_owned(),
            (None, Some(outside)) if outside.size == self.entries => {
                format!("sound: all {} entries are those of {}", outside.size, outside.text())
            }
            (None, Some(outside)) => format!(
                "sound: the first {} entries are those of {}; the other {} have no outside reference",
                outside.size,
                outside.text(),
                self.entries - outside.size
            ),
        }
    }
}

impl Reference {
    /// What confirms it, to stand after "the entries are those of".
    #[must_use]
    pub fn text(&self) -> String {
        let (name, by) = (&self.name, self.by.join(", "));
        let at = self.at.and_then(rfc3339).unwrap_or_default();
        match self.kind {
            ReferenceKind::Kept => format!("the head kept outside as {name}"),
            ReferenceKind::Witnessed => format!("the head in {name}, cosigned until {at} by {by}"),
            ReferenceKind::Stamped => format!("the head in {name}, stamped at {at} by {by}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_lists_exactly_these_faults() {
        let chapter = include_str!("../../README.md").split("\n## ").find(|chapter| chapter.starts_with("Faults\n"));
        let rows: Vec<&str> = chapter.unwrap_or("").lines().skip(4).filter(|line| line.starts_with("| ")).collect();
        let row = |kind: &FaultKind| format!("| {} | {} |", kind.text(), kind.meaning());
        let expected: Vec<String> = FaultKind::ALL.iter().map(row).collect();
        assert_eq!(rows, expected, "the table in README.md should be:\n{}", expected.join("\n"));
    }
}
